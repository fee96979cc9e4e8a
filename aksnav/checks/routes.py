"""Gateways, routes and their policies asked by themselves: class, status, listeners, parents, backends."""

from collections.abc import Iterable, Iterator, Sequence

from aksnav.checks.finding import Finding, Proof
from aksnav.checks.from_steps import finding_of
from aksnav.model.kubernetes.gateway import GROUP, AnyRoute, Gateway, GRPCRule, Listener, RouteRule, StreamRule
from aksnav.model.kubernetes.workload import Condition
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.gateway import attach as gateway_attach
from aksnav.trace.gateway import backend_tls, backends, conflicts, handshake, kinds, references, status
from aksnav.trace.gateway import classes as gateway_class
from aksnav.trace.gateway.classes import find_condition, stale
from aksnav.trace.gateway.filters import Scene
from aksnav.trace.gateway.refusals import FIXES
from aksnav.trace.packet import Packet
from aksnav.trace.routing.controllers import for_gateway
from aksnav.trace.routing.types import Controller, Flavour
from aksnav.trace.step import Evidence, Step


def gateway_findings(store: Store) -> Iterator[Finding]:
    """Yield G07, G08, I13 (not served), G09 (conflicting listeners), G13 (certificates) and G14 (stale status)."""
    for gateway in store.gateways:
        yield from _found(gateway_class.problems(store, gateway))
        served = for_gateway(store, gateway)
        if isinstance(served, Controller):
            yield from _found(step for step in served.problems if step.cause == "I13")
        for index, listener in enumerate(gateway.listeners):
            yield from _listener_findings(store, gateway, listener, f".spec.listeners[{index}]")
        yield from _stale(gateway.ref, gateway.generation, gateway.status.conditions)


def _listener_findings(store: Store, gateway: Gateway, listener: Listener, field: str) -> Iterator[Finding]:
    said = next((item.conditions for item in gateway.status.listeners if item.name == listener.name), ())
    word = find_condition(said, "Conflicted")
    conflict = conflicts.conflicts(store, gateway).get(listener.name)
    if conflict is not None or (word is not None and word.status == "True"):
        yield _conflict(gateway, listener, field, conflict, word)
    for place, ref in enumerate(listener.tls.certificate_refs if listener.tls is not None else ()):
        name = f"{ref.namespace or gateway.namespace}/{ref.name}"
        fault = handshake.certificate_fault(store, gateway, ref.kind, ref.group, name)
        if fault:
            yield Finding(
                id="G13",
                subject=gateway.ref,
                summary=f"{ref.kind} {name} of listener {listener.name} of Gateway {gateway.id} {fault}",
                proof=Proof.PROVEN,
                evidence=(Evidence(f"{field}.tls.certificateRefs[{place}].name", name, gateway.ref, fault),),
                related=(Ref("Secret", name),),
                confirm=kubectl.show(gateway.ref, ".status.listeners"),
                fix="create the Secret, or a ReferenceGrant for it",
            )


def _conflict(
    gateway: Gateway, listener: Listener, field: str, conflict: conflicts.Conflict | None, word: Condition | None
) -> Finding:
    """G09: by our reading, or by the controller's word where we see none."""
    path = f".status.listeners[?(@.name=='{listener.name}')].conditions[?(@.type=='Conflicted')].status"
    shown = (Evidence(path, f"{word.status} ({word.reason})", gateway.ref),) if word is not None else ()
    other = ", ".join(conflict.others) if conflict is not None else "another"
    reason = conflict.reason if conflict is not None else word.reason if word is not None else ""
    mine = f"{listener.port} {listener.protocol} {listener.hostname or '*'}"
    return Finding(
        id="G09",
        subject=gateway.ref,
        summary=f"listener {listener.name} of Gateway {gateway.id} conflicts with {other} ({reason})",
        proof=Proof.PROVEN,
        evidence=(*shown, Evidence(f"{field}.port", mine, gateway.ref)),
        confirm=kubectl.show(gateway.ref, ".status.listeners"),
        fix="give the listeners different host names or ports",
    )


def route_findings(store: Store) -> Iterator[Finding]:
    """Yield G05, G06, G24 (backends), G10, G11, G12, G28 (parents), G14 (stale) and G30 (contradicted) of routes."""
    for route in kinds.routes(store):
        yield from _parent_findings(store, route)
        yield from _backend_findings(store, route)
        for parent in route.status.parents:
            yield from _stale(route.ref, route.generation, parent.conditions)
    for gateway in store.gateways:
        attached = gateway_attach.attached(store, gateway)
        for refusal in attached.refusals:
            yield Finding(
                id=refusal.cause,
                subject=refusal.route.ref,
                summary=f"{refusal.route.KIND} {refusal.route.id} does not attach: {refusal.why}",
                proof=Proof.PROVEN,
                evidence=refusal.evidence,
                related=(refusal.parent,),
                confirm=kubectl.show(refusal.route.ref, ".status.parents"),
                fix=FIXES[refusal.cause],
            )
            if refusal.objection:
                yield _contradiction(refusal.route, refusal.objection, refusal.evidence)
        flavour = gateway_class.class_of(store, gateway).flavour
        # A route stands under several listeners; what is said of it is the same.
        for item in {(item.route.KIND, item.route.id): item for item in reversed(attached.attachments)}.values():
            said = item.objection or references.objection(store, flavour, item)
            if said:
                yield _contradiction(item.route, said, item.word)
            elif item.resolved is not None and item.resolved.status == "True":
                yield from _unnoticed(store, flavour, item.route, item.resolved)


def _unnoticed(store: Store, flavour: Flavour, route: AnyRoute, said: Condition) -> Iterator[Finding]:
    """G30: a reference does not resolve, and the controller says that all do."""
    wrong = next((step for step in references.faults(store, flavour, route) if step.cause), None)
    if wrong is not None:
        yield _contradiction(route, f"{wrong.summary}; the controller says {status.words(said)}", wrong.evidence)


def _contradiction(route: AnyRoute, said: str, evidence: tuple[Evidence, ...]) -> Finding:
    return Finding(
        id="G30",
        subject=route.ref,
        summary=said,
        proof=Proof.LIKELY,
        evidence=evidence,
        confirm=kubectl.show(route.ref, ".status.parents"),
        fix="read the condition's message; see whether the controller supports what the route asks for, and runs",
    )


def policy_tls_findings(store: Store) -> Iterator[Finding]:
    """Yield G29 (no usable certificate authority) and G14 (stale status) of BackendTLSPolicies."""
    for policy in store.backend_tls_policies:
        said = backend_tls.said_of(policy, "ResolvedRefs", "", None)
        why, field = backend_tls.authority_fault(policy, said)
        if why:
            services = ", ".join(f"{policy.namespace}/{ref.name}" for ref in policy.target_refs) or "none"
            yield Finding(
                id="G29",
                subject=policy.ref,
                summary=f"BackendTLSPolicy {policy.id} for Service {services}: {why}",
                proof=Proof.PROVEN,
                evidence=(Evidence(field, why, policy.ref),),
                confirm=kubectl.show(policy.ref, ".status.ancestors"),
                fix=backend_tls.FIX,
            )
        for ancestor in policy.status.ancestors:
            yield from _stale(policy.ref, policy.generation, ancestor.conditions)


def _parent_findings(store: Store, route: AnyRoute) -> Iterator[Finding]:
    """G12 for a Gateway that does not exist."""
    for index, ref in enumerate(route.parent_refs):
        ident = gateway_attach.parent_id(route, ref)
        if ref.kind != Gateway.KIND or ref.group != GROUP or ident in store.gateways:
            continue
        namespace = ident.partition("/")[0]
        if not store.gateways.access(namespace).complete or ident in store.gateways.undecodable:
            continue
        yield Finding(
            id="G12",
            subject=route.ref,
            summary=f"{route.KIND} {route.id} names Gateway {ident}, which does not exist",
            proof=Proof.PROVEN,
            evidence=(
                Evidence(f".spec.parentRefs[{index}].name", ident, route.ref),
                Evidence("Gateway", "not found", Ref(Gateway.KIND, ident)),
            ),
            related=(Ref(Gateway.KIND, ident),),
            confirm=kubectl.show(Ref(Gateway.KIND, ident)),
            fix=FIXES["G12"],
        )


def _backend_findings(store: Store, route: AnyRoute) -> Iterator[Finding]:
    flavour = _flavour(store, route)
    yield from _found(references.faults(store, flavour, route))
    scene = Scene(route=route, field="", prefix="/", listener_port=0)
    rules: Sequence[RouteRule | GRPCRule | StreamRule] = route.rules
    for index, rule in enumerate(rules):
        if rule.backend_refs and not any(ref.weight > 0 for ref in rule.backend_refs):
            sender = backends.Sender(flavour=flavour, route=route, rule_index=index)
            targets, _ = backends.targets(store, sender, Packet(), scene)
            yield from _found(step for target in targets for step in target.steps)


def _flavour(store: Store, route: AnyRoute) -> Flavour:
    parents = (store.gateways.get(gateway_attach.parent_id(route, ref)) for ref in route.parent_refs)
    first = next((gateway for gateway in parents if gateway is not None), None)
    return gateway_class.class_of(store, first).flavour if first is not None else Flavour.OTHER


def _stale(ref: Ref, generation: int, conditions: Iterable[Condition]) -> Iterator[Finding]:
    old = next((item for item in conditions if stale(generation, item)), None)
    if old is not None:
        field = f".status conditions[?(@.type=='{old.type}')].observedGeneration"
        yield Finding(
            id="G14",
            subject=ref,
            summary=f"the status of {ref} is of generation {old.observed_generation}, the spec of {generation}",
            proof=Proof.PROVEN,
            evidence=(
                Evidence(field, str(old.observed_generation), ref),
                Evidence(".metadata.generation", str(generation), ref),
            ),
            confirm=kubectl.show(ref, ".status"),
            fix="see whether the controller runs",
        )


def _found(steps: Iterable[Step]) -> Iterator[Finding]:
    for step in steps:
        found = finding_of(step)
        if found is not None:
            yield found
