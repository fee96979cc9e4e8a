"""The kinds of routes, and which of them a listener can take (Gateway API v1: Listener.protocol, AllowedRoutes)."""

from collections.abc import Iterable, Iterator

from aksnav.model.kubernetes.gateway import (
    GROUP,
    ROUTE_KINDS,
    AnyRoute,
    Gateway,
    GRPCRoute,
    HTTPRoute,
    Listener,
    TLSRoute,
)
from aksnav.store import Store

WEB_KINDS = (HTTPRoute.KIND, GRPCRoute.KIND)
WEB_PROTOCOLS = frozenset({"HTTP", "HTTPS"})
PASSTHROUGH = "Passthrough"
_BY_PROTOCOL: dict[str, tuple[str, ...]] = {
    "HTTP": WEB_KINDS,
    "HTTPS": WEB_KINDS,
    "TLS": ("TLSRoute", "TCPRoute"),
    "TCP": ("TCPRoute",),
    "UDP": ("UDPRoute",),
}
PROTOCOLS = frozenset(_BY_PROTOCOL)


def passes_through(listener: Listener) -> bool:
    """Return whether TLS goes on to the backend as it is."""
    return listener.protocol == "TLS" and listener.tls is not None and listener.tls.mode == PASSTHROUGH


def taken_by(listener: Listener) -> tuple[str, ...]:
    """Return the kinds of routes that the protocol of a listener can carry; a TCPRoute needs TLS that ends there."""
    found = _BY_PROTOCOL.get(listener.protocol, ())
    return ("TLSRoute",) if passes_through(listener) else found


def kind_allowed(listener: Listener, kind: str) -> bool:
    """Return whether allowedRoutes.kinds of a listener, none of which is every kind, has a kind of route."""
    kinds = listener.allowed_routes.kinds
    return not kinds or any(item.kind == kind and item.group == GROUP for item in kinds)


def hostnames_of(route: AnyRoute) -> tuple[str, ...]:
    """Return the host names of a route; a TCPRoute or UDPRoute has none."""
    return route.hostnames if isinstance(route, HTTPRoute | GRPCRoute | TLSRoute) else ()


def routes(store: Store) -> Iterator[AnyRoute]:
    """Yield every route of every kind."""
    for kind in ROUTE_KINDS:
        yield from store.tables[kind]


def age(route: AnyRoute) -> tuple[str, str, str]:
    """Return what orders routes: creation time, then namespace and name (the kind, where all of that is the same)."""
    return route.created, route.id, route.KIND


def by_default(store: Store, gateway: Gateway, asked: Iterable[str]) -> str:
    """Return the first route of some kinds that wants a default Gateway, where the Gateway is one; else empty.

    Default Gateways (GEP-3793) are an experiment and not modelled: such a route may take what no other route takes.
    """
    if gateway.default_scope in {"", "None"}:
        return ""
    wanting = (row for kind in asked for row in store.tables[kind] if row.use_default_gateways not in {"", "None"})
    first = min(wanting, key=age, default=None)
    return f"{first.KIND} {first.id}, which wants default Gateways" if first is not None else ""


def unread(store: Store, kinds: Iterable[str]) -> str:
    """Return what would have to be read to know every route of some kinds, an empty string where all are known."""
    for kind in kinds:
        table = store.tables[kind]
        access = table.access()
        if not access.complete:
            plural = f"{kind.lower()}s.{GROUP}"
            return f"list {plural} in every namespace: {access.reason or access.reading.value}"
        bad = sorted(table.undecodable)
        if bad:
            return f"{kind} {', '.join(bad)}: {table.undecodable[bad[0]]}"
    return ""
