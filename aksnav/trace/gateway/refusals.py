"""Routes that want to attach and do not, with the field that keeps them out (Gateway API v1: RouteConditionReason)."""

from collections.abc import Sequence

import msgspec

from aksnav.model.kubernetes.gateway import AnyRoute, Gateway, Listener
from aksnav.model.object import Ref
from aksnav.trace.gateway import kinds, status
from aksnav.trace.gateway.attachment import Attachment
from aksnav.trace.step import Evidence


class Refusal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A parentRef that attaches to nothing.

    Attributes:
        cause: G10 (host names), G11 (not allowed), G12 (no such parent, listener or port) or G28 (an older route of the
            other kind has the host).
        objection: what the controller's present word is where it contradicts this, else empty.
    """

    route: AnyRoute
    parent: Ref
    cause: str
    why: str
    evidence: tuple[Evidence, ...]
    objection: str = ""

    @property
    def hostnames(self) -> tuple[str, ...]:
        """The host names that the route wants; none is every host."""
        return kinds.hostnames_of(self.route)


FIXES = {
    "G10": "give the route a hostname that the listener has, or the listener one that the route has",
    "G11": "let allowedRoutes of the listener take the route's namespace and kind",
    "G12": "name a Gateway, and a listener or port, that exist",
    "G28": "give the HTTPRoute and the GRPCRoute different host names, or listeners",
}


def no_listener(gateway: Gateway, route: AnyRoute, index: int) -> Refusal:
    """Return the refusal of a parentRef whose sectionName or port no listener has (NoMatchingParent)."""
    ref, field = route.parent_refs[index], f".spec.parentRefs[{index}]"
    wanted = f"sectionName {ref.section_name}" if ref.section_name else f"port {ref.port or 'any'}"
    if ref.section_name and ref.port:
        wanted = f"sectionName {ref.section_name} on port {ref.port}"
    listed = ", ".join(f"{item.name} ({item.protocol} {item.port})" for item in gateway.listeners) or "none"
    return Refusal(
        route=route,
        parent=gateway.ref,
        cause="G12",
        why=f"Gateway {gateway.id} has no listener with {wanted}",
        evidence=(
            Evidence(f"{field}.sectionName" if ref.section_name else f"{field}.port", wanted, route.ref),
            Evidence(".spec.listeners", listed, gateway.ref),
        ),
        objection=_objection(gateway, route, index),
    )


def not_allowed(gateway: Gateway, named: Sequence[Listener], route: AnyRoute, index: int) -> Refusal:
    """Return the refusal of a route that no listener allows, by kind or namespace (NotAllowedByListeners)."""
    evidence = tuple(
        Evidence(
            f".spec.listeners[{gateway.listeners.index(item)}].{_deciding(item, route)}",
            _allowed_text(item),
            gateway.ref,
        )
        for item in named
    )
    return Refusal(
        route=route,
        parent=gateway.ref,
        cause="G11",
        why=f"no listener of Gateway {gateway.id} allows {route.KIND}s of namespace {route.namespace}",
        evidence=(Evidence(".metadata.namespace", route.namespace, route.ref), *evidence),
        objection=_objection(gateway, route, index),
    )


def no_hostname(gateway: Gateway, listeners: Sequence[Listener], route: AnyRoute, index: int) -> Refusal:
    """Return the refusal of a route that shares no host name with a listener (NoMatchingListenerHostname)."""
    return Refusal(
        route=route,
        parent=gateway.ref,
        cause="G10",
        why=f"no hostname of {route.KIND} {route.id} intersects with a listener of Gateway {gateway.id}",
        evidence=(
            Evidence(".spec.hostnames", ", ".join(kinds.hostnames_of(route)), route.ref),
            *(
                Evidence(
                    f".spec.listeners[{gateway.listeners.index(item)}].hostname", item.hostname or "*", gateway.ref
                )
                for item in listeners
            ),
        ),
        objection=_objection(gateway, route, index),
    )


def outdone(gateway: Gateway, item: Attachment, rival: Attachment) -> Refusal:
    """Return the refusal of a route whose host an older route of the other kind has on the listener."""
    route, other = item.route, rival.route
    indexes = [
        index
        for index, ref in enumerate(route.parent_refs)
        if f"{ref.namespace or route.namespace}/{ref.name}" == gateway.id
    ]
    return Refusal(
        route=route,
        parent=gateway.ref,
        cause="G28",
        why=f"{other.KIND} {other.id} is older and has the host on listener {item.listener.name}",
        evidence=(
            Evidence(".spec.hostnames", ", ".join(item.hostnames) or "*", route.ref),
            Evidence(".spec.hostnames", ", ".join(rival.hostnames) or "*", other.ref),
            Evidence(".metadata.creationTimestamp", route.created, route.ref),
            Evidence(".metadata.creationTimestamp", other.created, other.ref),
        ),
        objection=_objection(gateway, route, indexes[0]),
    )


def _objection(gateway: Gateway, route: AnyRoute, index: int) -> str:
    """The controller's present word where it has accepted what does not attach by our reading."""
    accepted = status.of_route(route, gateway, route.parent_refs[index]).accepted
    if accepted is None or accepted.status != "True":
        return ""
    return f"{route.KIND} {route.id} does not attach by its spec, while the controller says {status.words(accepted)}"


def _deciding(listener: Listener, route: AnyRoute) -> str:
    """The field of a listener that keeps a route out: its protocol, TLS mode, the kinds, or the namespaces."""
    if route.KIND not in kinds.taken_by(listener):
        return "tls.mode" if listener.protocol == "TLS" and route.KIND == "TCPRoute" else "protocol"
    return "allowedRoutes.kinds" if not kinds.kind_allowed(listener, route.KIND) else "allowedRoutes.namespaces.from"


def _allowed_text(listener: Listener) -> str:
    allowed = listener.allowed_routes
    named = ", ".join(kind.kind for kind in allowed.kinds)
    selector = f" {allowed.namespaces.selector}" if allowed.namespaces.selector is not None else ""
    return f"{listener.protocol}, namespaces from {allowed.namespaces.from_}{selector}" + (
        f", kinds {named}" if named else ""
    )
