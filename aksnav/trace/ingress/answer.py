"""The steps that an Ingress controller's decision becomes: a match, no match, a redirect, and the targets."""

import msgspec

from aksnav.model.kubernetes.ingress import Ingress, IngressBackend
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.ingress.rules import Rule, Rules
from aksnav.trace.packet import Packet
from aksnav.trace.routing.backends import Wanted, resolve
from aksnav.trace.routing.types import NGINX, Controller, Flavour, Routing, Target
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

LISTED = 40

# What a controller answers where the Service of a rule is missing, and where it has no ready endpoint
# (reference sections 2.c to 2.e, checks I06 and I08).
_STATUSES: dict[Flavour, tuple[int, int]] = {
    Flavour.AGIC: (502, 502),
    Flavour.APPLICATION_GATEWAY_FOR_CONTAINERS: (500, 500),
    # doc.traefik.io, providers/kubernetes-ingress, allowEmptyServices: off by default, no router then.
    Flavour.TRAEFIK: (404, 404),
}


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a controller's reading of the rules comes to.

    Attributes:
        host: the request's host; chosen_host: the rule host that takes it, None for none.
        rule: the rule that matches, or None.
        considered: every rule of that host, and why.
        assumptions: what is taken for granted.
        evidence: fields beside those of the rule.
        after: the packet as the match leaves it, where it changes it.
    """

    host: str
    chosen_host: str | None
    rule: Rule | None
    considered: tuple[Considered, ...] = ()
    assumptions: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    after: Packet | None = None


def match_step(decision: Decision, rule: Rule, packet: Packet, rules: Rules) -> Step:
    """Return the step of a rule that matches."""
    assumptions = (*decision.assumptions, *rules.assumed.get(rule.ingress.id, ()), *rules.stale)
    if rules.unreadable:
        assumptions = (*assumptions, f"no Ingress that cannot be read goes before this one ({rules.unreadable})")
    after = decision.after if decision.after != packet else None
    rewritten = f", rewritten to {after.path}" if after is not None and after.path != packet.path else ""
    return Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.PASS if after is None else Verdict.TRANSFORM,
        summary=f"{rule.ingress.ref} takes {decision.host}{packet.path} by {rule.path_type} {rule.path}{rewritten}",
        subject=rule.ingress.ref,
        version=rule.ingress.resource_version,
        packet=packet,
        packet_after=after,
        evidence=(
            path_fact(rule),
            Evidence(f"{rule.field.partition('.http')[0]}.host", rule.host or "*", rule.ingress.ref),
            *decision.evidence,
        ),
        considered=limited(decision.considered),
        assumptions=assumptions,
        confirm=kubectl.show(rule.ingress.ref),
    )


def path_fact(rule: Rule) -> Evidence:
    """Return the fact that a rule has its path."""
    return Evidence(f"{rule.field}.path", rule.path, rule.ingress.ref, rule.path_type)


def no_match(controller: Controller, decision: Decision, packet: Packet, rules: Rules) -> Step:
    """Return the step of a request that no rule and no default backend takes: 404 (host I04, path I05)."""
    known = tuple(
        Considered(f"host {host or '*'}", host == decision.chosen_host, _why_host(host, decision))
        for host in sorted(rules.by_host)
    )
    lone = rules.by_host.get(decision.host, ()) if decision.chosen_host is None else ()
    if lone:
        what = f"host {decision.host} has the canary {lone[0].ingress.id} and no main rule"
    elif decision.chosen_host is None:
        what = f"no rule of {controller.label} has host {decision.host or '(none)'}"
    else:
        what = f"no path under host {decision.chosen_host or '*'} matches {packet.path}"
    hosts = rules.by_host.get(decision.chosen_host, ()) if decision.chosen_host is not None else lone
    subject = hosts[0].ingress if hosts else None
    command = kubectl.listing("Ingress") if subject is None else kubectl.show(subject.ref, ".spec.rules")
    if rules.unreadable:
        return Step(
            kind=Kind.ROUTE_MATCH,
            verdict=Verdict.BLIND,
            summary=f"{what} among the Ingresses that can be read",
            packet=packet,
            considered=limited(decision.considered or known),
            missing=rules.unreadable,
            confirm=command,
        )
    return Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.RESPOND,
        summary=f"{what}: answers 404",
        subject=subject.ref if subject is not None else None,
        version=subject.resource_version if subject is not None else "",
        packet=packet,
        cause="I24" if lone else "I04" if decision.chosen_host is None else "I05",
        status=404,
        evidence=_no_match_evidence(decision, packet, rules, subject),
        considered=limited((*decision.considered, *known) if decision.chosen_host is None else decision.considered),
        assumptions=(*decision.assumptions, *rules.stale),
        confirm=command,
        fix=f"add a rule for host {decision.host}"
        if decision.chosen_host is None
        else f"add a path that matches {packet.path}",
    )


def _why_host(host: str, decision: Decision) -> str:
    if host == decision.chosen_host:
        return "takes the host"
    return "has canaries only, which share the traffic of a main rule" if host == decision.host else "is another host"


def _no_match_evidence(
    decision: Decision, packet: Packet, rules: Rules, subject: Ingress | None
) -> tuple[Evidence, ...]:
    ref = subject.ref if subject is not None else None
    if decision.chosen_host is None:
        hosts = ", ".join(host or "*" for host in sorted(rules.by_host)[:LISTED]) or "none"
        return (Evidence("request host", decision.host), Evidence(".spec.rules[].host", hosts), *decision.evidence)
    paths = (
        ", ".join(f"{rule.path_type} {rule.path}" for rule in rules.by_host[decision.chosen_host][:LISTED]) or "none"
    )
    return (
        Evidence("request path", packet.path),
        Evidence(".spec.rules[].http.paths[]", paths, ref),
        *decision.evidence,
    )


def respond(
    rule: Rule, packet: Packet, status: int, summary: str, evidence: Evidence, *, cause: str = "", fix: str = ""
) -> Step:
    """Return a step in which the controller answers by itself because of an Ingress's annotation."""
    return Step(
        kind=Kind.ROUTE_FILTER,
        verdict=Verdict.RESPOND,
        summary=summary,
        subject=rule.ingress.ref,
        version=rule.ingress.resource_version,
        packet=packet,
        cause=cause,
        status=status,
        evidence=(evidence,),
        confirm=kubectl.show(rule.ingress.ref, ".metadata.annotations"),
        fix=fix,
    )


def target(
    store: Store, controller: Controller, owner: Ingress, field: str, backend: IngressBackend, packet: Packet
) -> Target:
    """Return where a backend of an Ingress leads."""
    missing, empty = _STATUSES.get(controller.flavour, (503, 503))
    if backend.service is None:
        return _resource_target(owner, field, backend, packet)
    found = resolve(
        store,
        Wanted(
            owner=owner.ref,
            version=owner.resource_version,
            field=f"{field}.service",
            namespace=owner.namespace,
            service=backend.service.name,
            port=backend.service.port,
            missing_status=missing,
            empty_status=empty,
            missing_cause="I06",
            port_cause="I07",
            target_ports=controller.flavour in NGINX,
        ),
        packet,
    )
    upstream = owner.annotations.get("nginx.ingress.kubernetes.io/service-upstream") == "true"
    if controller.flavour in NGINX and upstream:
        return msgspec.structs.replace(found, direct_to_pods=False)
    return found


def is_empty(store: Store, found: Target) -> bool:
    """Return whether it is known that the Service of a target has no ready endpoint."""
    if not store.endpoint_slices.access(found.namespace).complete or found.service_port is None:
        return False
    pieces = store.slices_of(f"{found.namespace}/{found.service}")
    return not any(endpoint.ready for piece in pieces for endpoint in piece.endpoints)


def _resource_target(owner: Ingress, field: str, backend: IngressBackend, packet: Packet) -> Target:
    resource = backend.resource
    what = f"{resource.kind} {resource.name}" if resource is not None else "no backend"
    step = Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.UNSUPPORTED,
        summary=f"the backend of Ingress {owner.id} is {what}, which is not a Service",
        subject=owner.ref,
        version=owner.resource_version,
        packet=packet,
        evidence=(Evidence(f"{field}.resource", what, owner.ref),),
        missing=f"Ingress resource backend {what}",
        confirm=kubectl.show(owner.ref, field),
    )
    return Target(namespace=owner.namespace, service="", packet=packet, label=what, steps=(step,), ended=True)


def default_routing(
    store: Store, controller: Controller, owner: Ingress, packet: Packet, decision: Decision
) -> Routing:
    """Return the routing to the default backend of an Ingress."""
    backend = owner.default_backend or IngressBackend()
    step = Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.PASS,
        summary=f"no rule takes {decision.host}{packet.path}: it goes to the default backend of Ingress {owner.id}",
        subject=owner.ref,
        version=owner.resource_version,
        packet=packet,
        evidence=(Evidence(".spec.defaultBackend", backend.service.name if backend.service else "", owner.ref),),
        considered=limited(decision.considered),
        assumptions=decision.assumptions,
        confirm=kubectl.show(owner.ref, ".spec.defaultBackend"),
    )
    return Routing(steps=(step,), targets=(target(store, controller, owner, ".spec.defaultBackend", backend, packet),))


def limited(considered: tuple[Considered, ...]) -> tuple[Considered, ...]:
    """Return the first rules that were looked at, and those that decided, with a word on how many are left out."""
    if len(considered) <= LISTED:
        return considered
    kept = [item for index, item in enumerate(considered) if index < LISTED or item.decided]
    left = len(considered) - len(kept)
    return (*kept, Considered(f"{left} more rules", False, "do not match either"))
