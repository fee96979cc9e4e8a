"""From the backendRefs of an HTTPRoute rule to targets with weights (Gateway API v1: HTTPRouteRule.backendRefs)."""

import msgspec

from aksnav.model.kubernetes.gateway import GROUP, BackendRef, HTTPRoute
from aksnav.model.kubernetes.ingress import BackendPort
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.gateway import filters as gateway_filters
from aksnav.trace.gateway.classes import find_condition
from aksnav.trace.gateway.filters import Scene
from aksnav.trace.packet import Packet
from aksnav.trace.routing.backends import Wanted, resolve
from aksnav.trace.routing.grants import granted
from aksnav.trace.routing.types import Flavour, Target
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

_INVALID = 500


def targets(
    store: Store, flavour: Flavour, route: HTTPRoute, rule_index: int, packet: Packet, scene: Scene
) -> tuple[tuple[Target, ...], tuple[Considered, ...]]:
    """Return where a rule sends a request, one target for each backend with a weight; and why others get nothing.

    A backend that cannot be resolved answers 500 for its share (G05, G06). No backend, or no weight at all, gives one
    target that ends in 500 (G24).
    """
    rule = route.rules[rule_index]
    total = sum(max(ref.weight, 0) for ref in rule.backend_refs)
    found: list[Target] = []
    said: list[Considered] = []
    for index, ref in enumerate(rule.backend_refs):
        field = f".spec.rules[{rule_index}].backendRefs[{index}]"
        name = f"{ref.kind} {ref.namespace or route.namespace}/{ref.name}:{ref.port}"
        if ref.weight <= 0:
            said.append(Considered(name, False, "weight 0: it gets no request"))
            continue
        said.append(Considered(name, True, f"weight {ref.weight} of {total}"))
        target = _target(store, flavour, route, ref, field, packet, scene)
        found.append(msgspec.structs.replace(target, weight=ref.weight / total))
    if not found:
        found.append(_nothing(route, rule_index, packet))
    return tuple(found), tuple(said)


def fault(store: Store, flavour: Flavour, route: HTTPRoute, ref: BackendRef, field: str, packet: Packet) -> Step | None:
    """Return the step of a backendRef that is not a Service, or that no grant allows; None where there is neither."""
    if ref.kind != "Service" or ref.group not in {"", "core"}:
        return _wrong_kind(flavour, route, ref, field, packet)
    namespace = ref.namespace or route.namespace
    if namespace == route.namespace:
        return None
    allowed, why = granted(store, (GROUP, "HTTPRoute", route.namespace), ("", "Service", namespace, ref.name))
    if allowed:
        return None
    asked = Evidence(f"{field}.namespace", namespace, route.ref)
    confirm = kubectl.listing("ReferenceGrant", namespace)
    if allowed is None:
        return Step(
            kind=Kind.SERVICE_PORT,
            verdict=Verdict.BLIND,
            summary=f"whether HTTPRoute {route.id} may send to Service {namespace}/{ref.name} cannot be read",
            subject=route.ref,
            version=route.resource_version,
            packet=packet,
            evidence=(asked,),
            missing=why,
            confirm=confirm,
        )
    grants = ", ".join(sorted(row.id for row in store.reference_grants if row.namespace == namespace)) or "none"
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.RESPOND,
        summary=f"no ReferenceGrant lets HTTPRoute {route.id} send to Service {namespace}/{ref.name}: {_INVALID}",
        subject=route.ref,
        version=route.resource_version,
        packet=packet,
        cause="G06",
        status=_INVALID,
        evidence=(asked, Evidence("ReferenceGrants there", grants), *resolved_word(route)),
        confirm=confirm,
        fix=f"create a ReferenceGrant in {namespace} from HTTPRoute of {route.namespace} to Service {ref.name}",
    )


def resolved_word(route: HTTPRoute) -> tuple[Evidence, ...]:
    """Return what the controller says of the route's references, as evidence beside our own reading."""
    said = (find_condition(parent.conditions, "ResolvedRefs") for parent in route.status.parents)
    return tuple(
        Evidence(
            ".status.parents[].conditions[?(@.type=='ResolvedRefs')].status",
            f"{item.status} ({item.reason})" if item.reason else item.status,
            route.ref,
            "the controller's own word",
        )
        for item in said
        if item is not None
    )


def _target(
    store: Store, flavour: Flavour, route: HTTPRoute, ref: BackendRef, field: str, packet: Packet, scene: Scene
) -> Target:
    namespace = ref.namespace or route.namespace
    filtered = gateway_filters.apply(ref.filters, packet, msgspec.structs.replace(scene, field=f"{field}.filters"))
    inside = msgspec.structs.replace(filtered.packet, scheme=_inner(packet.scheme), tls=False, sni="")
    wrong = fault(store, flavour, route, ref, field, packet)
    if filtered.ended or wrong is not None:
        return Target(
            namespace=namespace,
            service=ref.name,
            port=ref.port,
            packet=inside,
            label=f"{ref.kind} {namespace}/{ref.name} port {ref.port}",
            empty_status=_INVALID,
            steps=(*filtered.steps, wrong) if wrong is not None and not filtered.ended else filtered.steps,
            ended=True,
        )
    found = resolve(store, wanted(flavour, route, ref, field), inside)
    if found.ended and found.steps[-1].verdict is Verdict.RESPOND:
        last = found.steps[-1]
        told = msgspec.structs.replace(last, evidence=(*last.evidence, *resolved_word(route)))
        found = msgspec.structs.replace(found, steps=(*found.steps[:-1], told))
    return msgspec.structs.replace(found, steps=(*filtered.steps, *found.steps))


def wanted(flavour: Flavour, route: HTTPRoute, ref: BackendRef, field: str) -> Wanted:
    """Return what a backendRef asks for, with the answers of its controller."""
    empty = _INVALID if flavour is Flavour.APPLICATION_GATEWAY_FOR_CONTAINERS else 503
    return Wanted(
        owner=route.ref,
        version=route.resource_version,
        field=field,
        namespace=ref.namespace or route.namespace,
        service=ref.name,
        port=BackendPort(number=ref.port),
        missing_status=_INVALID,
        empty_status=empty,
        missing_cause="G05",
        port_cause="G05",
    )


def _inner(scheme: str) -> str:
    return {"https": "http", "grpcs": "grpc"}.get(scheme, scheme)


def _wrong_kind(flavour: Flavour, route: HTTPRoute, ref: BackendRef, field: str, packet: Packet) -> Step:
    """A backend that is no Service: the controller may know its kind, and says so in ResolvedRefs."""
    what = f"{ref.group + '/' if ref.group else ''}{ref.kind} {ref.name}"
    said = resolved_word(route)
    known = [find_condition(parent.conditions, "ResolvedRefs") for parent in route.status.parents]
    refused = any(item is not None and item.status == "False" for item in known)
    asked = Evidence(f"{field}.kind", what, route.ref)
    if not refused:
        return Step(
            kind=Kind.SERVICE_PORT,
            verdict=Verdict.UNSUPPORTED,
            summary=f"backend {what} of HTTPRoute {route.id} is not a Service; {flavour.value} may know it",
            subject=route.ref,
            version=route.resource_version,
            packet=packet,
            evidence=(asked, *said),
            missing=f"backend kind {what}",
            confirm=kubectl.show(route.ref, field),
        )
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.RESPOND,
        summary=f"backend {what} of HTTPRoute {route.id} is not a Service, and is refused: answers {_INVALID}",
        subject=route.ref,
        version=route.resource_version,
        packet=packet,
        cause="G05",
        status=_INVALID,
        evidence=(asked, *said),
        confirm=kubectl.show(route.ref, ".status.parents"),
        fix="name a Service",
    )


def _nothing(route: HTTPRoute, rule_index: int, packet: Packet) -> Target:
    rule = route.rules[rule_index]
    what = "every backendRef has weight 0" if rule.backend_refs else "the rule has no backendRefs and no redirect"
    field = f".spec.rules[{rule_index}].backendRefs"
    weights = ", ".join(f"{ref.name}={ref.weight}" for ref in rule.backend_refs) or "none"
    step = Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.RESPOND,
        summary=f"{what} in rule {rule_index} of HTTPRoute {route.id}: by the specification it answers {_INVALID}",
        subject=route.ref,
        version=route.resource_version,
        packet=packet,
        cause="G24",
        status=_INVALID,
        evidence=(Evidence(field, weights, route.ref),),
        assumptions=("no annotation or policy of the controller gives the rule a backend",),
        confirm=kubectl.show(route.ref, field),
        fix="give the rule a backendRef with a weight above 0",
    )
    return Target(namespace=route.namespace, service="", packet=packet, label="no backend", steps=(step,), ended=True)
