"""From the backendRefs of a rule to targets with weights (Gateway API v1: HTTPRouteRule.backendRefs, BackendRef)."""

from collections.abc import Sequence

import msgspec

from aksnav.model.kubernetes.gateway import GROUP, ROUTE_KINDS, AnyRoute, BackendRef, Gateway, UDPRoute
from aksnav.model.kubernetes.ingress import BackendPort
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.gateway import backend_tls
from aksnav.trace.gateway import filters as gateway_filters
from aksnav.trace.gateway.answers import answer
from aksnav.trace.gateway.classes import find_condition
from aksnav.trace.gateway.filters import Scene
from aksnav.trace.packet import Packet
from aksnav.trace.routing.backends import Wanted, resolve
from aksnav.trace.routing.grants import granted
from aksnav.trace.routing.types import ENVOY_ISTIO, Flavour, Target
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

# Kinds of the Gateway API that no controller of these takes for a backend; others may be its own.
_PLAIN = ENVOY_ISTIO | {
    Flavour.ENVOY_GATEWAY,
    Flavour.NGINX_GATEWAY_FABRIC,
    Flavour.APPLICATION_GATEWAY_FOR_CONTAINERS,
}
_NO_BACKENDS = frozenset({*ROUTE_KINDS, "Gateway", "GatewayClass", "ReferenceGrant", "BackendTLSPolicy", "ListenerSet"})


class Sender(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who sends, and by which rule.

    Attributes:
        flavour: how the controller reads objects.
        gateway: None where a rule is asked about by itself.
        opened: TLS of the client, if there was any, ends at the Gateway; else bytes go on as they came.
    """

    flavour: Flavour
    route: AnyRoute
    rule_index: int
    gateway: Gateway | None = None
    opened: bool = True

    @property
    def refs(self) -> Sequence[BackendRef]:
        """The backends of the rule."""
        return self.route.rules[self.rule_index].backend_refs

    @property
    def field(self) -> str:
        """Path of the backends in the route."""
        return f".spec.rules[{self.rule_index}].backendRefs"


def targets(
    store: Store, sender: Sender, packet: Packet, scene: Scene
) -> tuple[tuple[Target, ...], tuple[Considered, ...]]:
    """Return where a rule sends, one target for each backend with a weight; and why others get nothing.

    A backend that cannot be resolved answers for its share as ``answers.answer`` says (G05, G06). No backend, or no
    weight at all, gives one target that ends the same way (G24).
    """
    total = sum(max(ref.weight, 0) for ref in sender.refs)
    found: list[Target] = []
    said: list[Considered] = []
    for index, ref in enumerate(sender.refs):
        name = f"{ref.kind} {ref.namespace or sender.route.namespace}/{ref.name}:{ref.port}"
        if ref.weight <= 0:
            said.append(Considered(name, False, "weight 0: it gets no request"))
            continue
        said.append(Considered(name, True, f"weight {ref.weight} of {total}"))
        target = _target(store, sender, ref, f"{sender.field}[{index}]", packet, scene)
        found.append(msgspec.structs.replace(target, weight=ref.weight / total))
    if not found:
        found.append(_nothing(sender, packet))
    return tuple(found), tuple(said)


def fault(store: Store, flavour: Flavour, route: AnyRoute, ref: BackendRef, field: str, packet: Packet) -> Step | None:
    """Return the step of a backendRef that is not a Service, or that no grant allows; None where there is neither."""
    if ref.kind != "Service" or ref.group not in {"", "core"}:
        return _wrong_kind(flavour, route, ref, field, packet)
    namespace = ref.namespace or route.namespace
    if namespace == route.namespace:
        return None
    allowed, why = granted(store, (GROUP, route.KIND, route.namespace), ("", "Service", namespace, ref.name))
    if allowed:
        return None
    asked = Evidence(f"{field}.namespace", namespace, route.ref)
    confirm = kubectl.listing("ReferenceGrant", namespace)
    if allowed is None:
        return Step(
            kind=Kind.SERVICE_PORT,
            verdict=Verdict.BLIND,
            summary=f"whether {route.KIND} {route.id} may send to Service {namespace}/{ref.name} cannot be read",
            subject=route.ref,
            version=route.resource_version,
            packet=packet,
            evidence=(asked,),
            missing=why,
            confirm=confirm,
        )
    grants = ", ".join(sorted(row.id for row in store.reference_grants if row.namespace == namespace)) or "none"
    end = answer(route, flavour)
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=end.verdict,
        summary=f"no ReferenceGrant lets {route.KIND} {route.id} send to Service {namespace}/{ref.name}: {end.words}",
        subject=route.ref,
        version=route.resource_version,
        packet=packet,
        cause="G06",
        status=end.status,
        evidence=(asked, Evidence("ReferenceGrants there", grants), *resolved_word(route)),
        confirm=confirm,
        fix=f"create a ReferenceGrant in {namespace} from {route.KIND} of {route.namespace} to Service {ref.name}",
    )


def resolved_word(route: AnyRoute) -> tuple[Evidence, ...]:
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


def wanted(flavour: Flavour, route: AnyRoute, ref: BackendRef, field: str) -> Wanted:
    """Return what a backendRef asks for, with the answers of its controller."""
    end = answer(route, flavour)
    return Wanted(
        owner=route.ref,
        version=route.resource_version,
        field=field,
        namespace=ref.namespace or route.namespace,
        service=ref.name,
        port=BackendPort(number=ref.port),
        missing_status=end.status,
        empty_status=end.empty,
        missing_cause="G05",
        port_cause="G05",
        verdict=end.verdict,
        says=end.words,
        protocol="UDP" if isinstance(route, UDPRoute) else "TCP",
    )


def _target(store: Store, sender: Sender, ref: BackendRef, field: str, packet: Packet, scene: Scene) -> Target:
    route, flavour = sender.route, sender.flavour
    namespace = ref.namespace or route.namespace
    filtered = gateway_filters.apply(ref.filters, packet, msgspec.structs.replace(scene, field=f"{field}.filters"))
    inside = filtered.packet
    if sender.opened:
        inside = msgspec.structs.replace(inside, scheme=_inner(packet.scheme), tls=False, sni="")
    wrong = fault(store, flavour, route, ref, field, packet)
    if filtered.ended or wrong is not None:
        return Target(
            namespace=namespace,
            service=ref.name,
            port=ref.port,
            packet=inside,
            label=f"{ref.kind} {namespace}/{ref.name} port {ref.port}",
            empty_status=answer(route, flavour).empty,
            steps=(*filtered.steps, wrong) if wrong is not None and not filtered.ended else filtered.steps,
            ended=True,
        )
    found = resolve(store, wanted(flavour, route, ref, field), inside)
    if found.ended and found.steps[-1].cause:
        last = found.steps[-1]
        told = msgspec.structs.replace(last, evidence=(*last.evidence, *resolved_word(route)))
        found = msgspec.structs.replace(found, steps=(*found.steps[:-1], told))
    found = msgspec.structs.replace(found, steps=(*filtered.steps, *found.steps))
    if found.ended or not sender.opened or sender.gateway is None:
        return found
    return backend_tls.secured(store, flavour, sender.gateway, found)


def _inner(scheme: str) -> str:
    return {"https": "http", "grpcs": "grpc"}.get(scheme, scheme)


def _wrong_kind(flavour: Flavour, route: AnyRoute, ref: BackendRef, field: str, packet: Packet) -> Step:
    """A backend that is no Service: no backend at all, or one that the controller may know and says so."""
    what = f"{ref.group + '/' if ref.group else ''}{ref.kind} {ref.name}"
    said = resolved_word(route)
    known = [find_condition(parent.conditions, "ResolvedRefs") for parent in route.status.parents]
    itself = ref.kind == route.KIND and ref.name == route.name and ref.namespace in {None, route.namespace}
    never = ref.group == GROUP and ref.kind in _NO_BACKENDS and flavour in _PLAIN
    refused = itself or never or any(item is not None and item.status == "False" for item in known)
    asked = Evidence(f"{field}.kind", what, route.ref)
    if not refused:
        return Step(
            kind=Kind.SERVICE_PORT,
            verdict=Verdict.UNSUPPORTED,
            summary=f"backend {what} of {route.KIND} {route.id} is not a Service; {flavour.value} may know it",
            subject=route.ref,
            version=route.resource_version,
            packet=packet,
            evidence=(asked, *said),
            missing=f"backend kind {what}",
            confirm=kubectl.show(route.ref, field),
        )
    end = answer(route, flavour)
    why = "is the route itself" if itself else "is not a Service, and is refused"
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=end.verdict,
        summary=f"backend {what} of {route.KIND} {route.id} {why}: {end.words}",
        subject=route.ref,
        version=route.resource_version,
        packet=packet,
        cause="G05",
        status=end.status,
        evidence=(asked, *said),
        confirm=kubectl.show(route.ref, ".status.parents"),
        fix="name a Service",
    )


def _nothing(sender: Sender, packet: Packet) -> Target:
    route, end = sender.route, answer(sender.route, sender.flavour)
    what = "every backendRef has weight 0" if sender.refs else "the rule has no backendRefs and no redirect"
    where = f"rule {sender.rule_index} of {route.KIND} {route.id}"
    weights = ", ".join(f"{ref.name}={ref.weight}" for ref in sender.refs) or "none"
    step = Step(
        kind=Kind.SERVICE_PORT,
        verdict=end.verdict,
        summary=f"{what} in {where}: by the specification it {end.words}",
        subject=route.ref,
        version=route.resource_version,
        packet=packet,
        cause="G24",
        status=end.status,
        evidence=(Evidence(sender.field, weights, route.ref),),
        assumptions=("no annotation or policy of the controller gives the rule a backend",),
        confirm=kubectl.show(route.ref, sender.field),
        fix="give the rule a backendRef with a weight above 0",
    )
    return Target(
        namespace=route.namespace,
        service="",
        packet=packet,
        label="no backend",
        empty_status=end.empty,
        steps=(step,),
        ended=True,
    )
