"""Gateways and HTTPRoutes asked by themselves: class, status, listeners, parents, backends, certificates."""

from collections.abc import Iterable, Iterator

from aksnav.checks.finding import Finding, Proof
from aksnav.checks.from_steps import finding_of
from aksnav.model.kubernetes.gateway import GROUP, Gateway, HTTPRoute, Listener
from aksnav.model.kubernetes.workload import Condition
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.gateway import attach as gateway_attach
from aksnav.trace.gateway import backends as gateway_backends
from aksnav.trace.gateway import classes as gateway_class
from aksnav.trace.gateway import listener as gateway_listener
from aksnav.trace.gateway.classes import find_condition, stale
from aksnav.trace.gateway.filters import Scene
from aksnav.trace.gateway.route import FIXES
from aksnav.trace.packet import Packet
from aksnav.trace.routing.backends import resolve
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
    conflict = find_condition(said, "Conflicted")
    if conflict is not None and conflict.status == "True":
        yield Finding(
            id="G09",
            subject=gateway.ref,
            summary=f"listener {listener.name} of Gateway {gateway.id} conflicts with another ({conflict.reason})",
            proof=Proof.PROVEN,
            evidence=(
                Evidence(
                    f".status.listeners[?(@.name=='{listener.name}')].conditions[?(@.type=='Conflicted')].status",
                    f"True ({conflict.reason})",
                    gateway.ref,
                ),
                Evidence(
                    f"{field}.port", f"{listener.port} {listener.protocol} {listener.hostname or '*'}", gateway.ref
                ),
            ),
            confirm=kubectl.show(gateway.ref, ".status.listeners"),
            fix="give the listeners different host names or ports",
        )
    for place, ref in enumerate(listener.tls.certificate_refs if listener.tls is not None else ()):
        name = f"{ref.namespace or gateway.namespace}/{ref.name}"
        fault = gateway_listener.certificate_fault(store, gateway, ref.kind, ref.group, name)
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


def route_findings(store: Store) -> Iterator[Finding]:
    """Yield G05, G06, G24 (backends), G10, G11, G12 (parents) and G14 (stale status) of HTTPRoutes."""
    for route in store.http_routes:
        yield from _parent_findings(store, route)
        yield from _backend_findings(store, route)
        for parent in route.status.parents:
            yield from _stale(route.ref, route.generation, parent.conditions)
    for gateway in store.gateways:
        for refusal in gateway_attach.attached(store, gateway).refusals:
            yield Finding(
                id=refusal.cause,
                subject=refusal.route.ref,
                summary=f"HTTPRoute {refusal.route.id} does not attach: {refusal.why}",
                proof=Proof.PROVEN,
                evidence=refusal.evidence,
                related=(refusal.parent,),
                confirm=kubectl.show(refusal.route.ref, ".status.parents"),
                fix=FIXES[refusal.cause],
            )


def _parent_findings(store: Store, route: HTTPRoute) -> Iterator[Finding]:
    """G12 for a Gateway that does not exist."""
    for index, ref in enumerate(route.parent_refs):
        ident = gateway_attach.parent_id(route, ref)
        if ref.kind != "Gateway" or ref.group != GROUP or ident in store.gateways:
            continue
        namespace = ident.partition("/")[0]
        if not store.gateways.access(namespace).complete or ident in store.gateways.undecodable:
            continue
        yield Finding(
            id="G12",
            subject=route.ref,
            summary=f"HTTPRoute {route.id} names Gateway {ident}, which does not exist",
            proof=Proof.PROVEN,
            evidence=(
                Evidence(f".spec.parentRefs[{index}].name", ident, route.ref),
                Evidence("Gateway", "not found", Ref("Gateway", ident)),
            ),
            related=(Ref("Gateway", ident),),
            confirm=kubectl.show(Ref("Gateway", ident)),
            fix=FIXES["G12"],
        )


def _backend_findings(store: Store, route: HTTPRoute) -> Iterator[Finding]:
    flavour = _flavour(store, route)
    for index, rule in enumerate(route.rules):
        for place, ref in enumerate(rule.backend_refs):
            field = f".spec.rules[{index}].backendRefs[{place}]"
            wrong = gateway_backends.fault(store, flavour, route, ref, field, Packet())
            if wrong is not None:
                yield from _found([wrong])
            else:
                yield from _found(resolve(store, gateway_backends.wanted(flavour, route, ref, field), Packet()).steps)
        if rule.backend_refs and not any(ref.weight > 0 for ref in rule.backend_refs):
            scene = Scene(route=route, field="", prefix="/", listener_port=0)
            targets, _ = gateway_backends.targets(store, flavour, route, index, Packet(), scene)
            yield from _found(step for target in targets for step in target.steps)


def _flavour(store: Store, route: HTTPRoute) -> Flavour:
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
