"""Which route decides: the longest prefix, then user-defined before learned before system routes.

Source: Azure documentation, "Virtual network traffic routing", "How Azure selects a route" (aks-networking.md 3.2).
"""

import msgspec

from aksnav.model.addresses import Prefix, format_address, is_v4
from aksnav.model.azure.network import Route, RouteTable, Subnet, VirtualNetwork
from aksnav.model.public import is_public
from aksnav.store.store import Store
from aksnav.trace.azure import service_tags
from aksnav.trace.azure.joins import group_of
from aksnav.trace.azure.next_hop_reach import has_gateway, unreachable
from aksnav.trace.azure.route_candidates import (
    APPLIANCE,
    ENDPOINT,
    GATEWAY,
    INTERNET,
    LOCAL,
    NONE,
    PEERING,
    SERVICE,
    USER,
    Candidate,
    candidates,
    prefixes,
    remote,
    service_endpoints,
    tagged,
)
from aksnav.trace.azure.tags import covers_internet, cut_peerings, has_public
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Considered
from aksnav.trace.ternary import Unknown

__all__ = [
    "APPLIANCE",
    "ENDPOINT",
    "GATEWAY",
    "INTERNET",
    "LOCAL",
    "NONE",
    "PEERING",
    "USER",
    "RouteDecision",
    "next_hop",
    "prefixes",
    "remote",
    "table_of",
]
_ORDER = {USER: 0}
# System routes that a learned one never takes the place of, however long its prefix is.
_PREFERRED = frozenset({LOCAL, PEERING, ENDPOINT})
_MOST_NAMED = 12
"""Routes of a table that do not hold the destination and are named all the same; a kubenet table has hundreds."""


class RouteDecision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a packet goes next.

    Attributes:
        hop: next hop type, as Azure names it; empty where it is not known.
        prefix: of the route that decides.
        address: of the next hop, where the type has one.
        route, table: the user-defined route, where one decides.
        source: ``user`` or ``system``.
        name: of the route, for people.
        unknown: what would have to be known.
        broken: why the next hop cannot take the packet, else empty: then it is lost there.
        assumed: what is taken for granted: that no unread route decides instead.
        considered: every route whose prefix holds the destination, and those of the table that do not.
    """

    hop: str
    prefix: Prefix | None = None
    address: str = ""
    route: Route | None = None
    table: RouteTable | None = None
    source: str = "system"
    name: str = ""
    unknown: str = ""
    broken: str = ""
    assumed: tuple[str, ...] = ()
    considered: tuple[Considered, ...] = ()


def next_hop(store: Store, subnet: Subnet, address: int | None, *, v4: bool = True) -> RouteDecision:
    """Return where a packet from a subnet goes next: the longest prefix, then user-defined before system routes.

    Routes that a gateway learned (BGP) are not in any object that is read: where they could decide, it is unknown, or
    assumed that they do not.

    Args:
        store: what is known.
        subnet: that the packet leaves.
        address: destination; None for any address of the internet: then only routes for everything are looked at, and
            a narrower route for public addresses is mentioned.
        v4: family, where there is no address.
    """
    network = store.virtual_networks.get(subnet.id.partition("/subnets/")[0])
    table, missing = table_of(store, subnet)
    if missing:
        return RouteDecision(hop="", unknown=missing)
    if network is None:
        return RouteDecision(hop="", unknown=unreadable(store.virtual_networks) or "the virtual network is not known")
    listed = candidates(store, subnet, network, table)
    holding = [item for item in listed if address in item.prefix] if address is not None else _for_everybody(listed, v4)
    holding.sort(key=lambda item: (-item.prefix.length, _ORDER.get(item.source, 1)))
    overridden = _overridden(holding)
    best = next((item for item in holding if item not in overridden), None)
    if best is None:
        return RouteDecision(hop=NONE, considered=())
    notes = [Considered(str(item), item is best, _why(item, best, overridden)) for item in holding]
    notes += _others(listed, holding, address)
    by_tag, tag_notes = _by_tag(table, best, address)
    learned, assumed = _learned(network, table, best, address)
    unknown = by_tag or learned or _unknown_hop(best) or _untold(network, best, address)
    return RouteDecision(
        hop="" if unknown else best.hop,
        prefix=best.prefix,
        address=best.route.next_hop_ip_address if best.route is not None else "",
        route=best.route,
        table=table if best.route is not None else None,
        source=best.source,
        name=best.name,
        unknown=unknown,
        broken="" if unknown else unreachable(store, network, subnet, best),
        assumed=()
        if unknown
        else (*assumed, *_otherwise(listed, table, best, address), *_served(subnet, best, address)),
        considered=(*notes, *tag_notes),
    )


def table_of(store: Store, subnet: Subnet) -> tuple[RouteTable | None, str]:
    """Return the route table of a subnet, or why it is not known; neither where the subnet has none."""
    if subnet.route_table is None or not subnet.route_table.arm_id:
        return None, ""
    ident = subnet.route_table.id
    table = store.route_tables.get(ident)
    if table is not None:
        return table, f".routes of route table {table.name}" if "routes" in table.untold else ""
    return None, unreadable(
        store.route_tables, group_of(ident)
    ) or f"route table {ident.rpartition('/')[2]} is not there"


def _overridden(holding: list[Candidate]) -> list[Candidate]:
    """Return the routes of private endpoints that a user-defined one for the whole network or less overrides."""
    longest = max((item.prefix.length for item in holding if item.source == USER), default=-1)
    return [item for item in holding if item.hop == ENDPOINT and 0 < item.override <= longest]


def _why(item: Candidate, best: Candidate, overridden: list[Candidate]) -> str:
    hop = item.hop or (item.route.next_hop_type if item.route is not None else "")
    where = f" {item.route.next_hop_ip_address}" if item.route is not None and item.route.next_hop_ip_address else ""
    said = f"next hop {hop}{where}"
    if item is best:
        return said
    if item in overridden:
        return f"{said}: network policies of its subnet let a user-defined route override it"
    if item.prefix.length < best.prefix.length:
        return f"{said}: {best} is longer"
    return f"{said}: of the same prefix, {best.source} routes come first"


def _others(listed: list[Candidate], holding: list[Candidate], address: int | None) -> list[Considered]:
    """Return the user-defined routes that do not hold the destination."""
    if address is None:
        return [
            Considered(str(item), False, f"next hop {item.hop} for these clients only")
            for item in listed
            if item.source == USER and item.prefix.length and has_public(item.prefix) and item not in holding
        ]
    rest = [item for item in listed if item.source == USER and item not in holding]
    told = format_address(address)
    notes = [Considered(str(item), False, f"does not hold {told}") for item in rest[:_MOST_NAMED]]
    if len(rest) > _MOST_NAMED:
        notes.append(Considered(f"{len(rest) - _MOST_NAMED} more routes", False, f"do not hold {told}"))
    return notes


def _for_everybody(listed: list[Candidate], v4: bool) -> list[Candidate]:
    """Return the routes for every public address: those of the default prefix, and user-defined ones that tile it."""
    whole = [item for item in listed if item.prefix.length == 0 and is_v4(item.prefix.first) == v4]
    user = [item for item in listed if item.source == USER and item.prefix.length]
    for hop in (APPLIANCE, GATEWAY, NONE):
        tiles = [item for item in user if item.hop == hop]
        if covers_internet((item.prefix for item in tiles), v4):
            return [*tiles, *whole]
    return whole


def _otherwise(
    listed: list[Candidate], table: RouteTable | None, best: Candidate, address: int | None
) -> tuple[str, ...]:
    """Return what any client of the internet is taken not to be: one for whom another route decides otherwise."""
    if address is not None:
        return ()
    narrower = [
        (str(item.prefix), item.route)
        for item in listed
        if item.source == USER and item.prefix.length > 0 and has_public(item.prefix) and item is not best
    ]
    narrower += [(f"service tag {route.address_prefix}", route) for route in tagged(table)]
    return tuple(
        f"the client is not in {text}: route {route.name} decides otherwise there"
        for text, route in narrower
        if route is not None and not _same(route, best)
    )


def _same(route: Route, best: Candidate) -> bool:
    """Return whether a user-defined route leads where the best one leads."""
    address = best.route.next_hop_ip_address if best.route is not None else ""
    return (route.next_hop_type.lower(), route.next_hop_ip_address) == (best.hop.lower(), address)


def _by_tag(table: RouteTable | None, best: Candidate, address: int | None) -> tuple[str, list[Considered]]:
    """Return why a route for a service tag may decide instead, and what was found of each.

    Of the same prefix an explicit one comes first, so that a route for the one address decides in any case.
    """
    unknown, notes = "", []
    whole = best.prefix.size == 1 and best.source == USER
    for route in tagged(table):
        name = f"route {route.name} {route.address_prefix}"
        if address is None:
            notes.append(Considered(name, False, f"next hop {route.next_hop_type} for the addresses of the tag only"))
            continue
        answer = service_tags.holds(route.address_prefix, address)
        if answer is False:
            notes.append(Considered(name, False, f"does not hold {format_address(address)}"))
        elif whole:
            notes.append(Considered(name, False, f"{best} is at least as long, and comes first"))
        elif _same(route, best):
            notes.append(Considered(name, False, "leads to the same next hop"))
        else:
            why = answer.why if isinstance(answer, Unknown) else f"how long its prefixes are in {route.address_prefix}"
            notes.append(Considered(name, False, why))
            unknown = unknown or f"route {route.name}: {why}"
    return unknown, notes


def _learned(
    network: VirtualNetwork, table: RouteTable | None, best: Candidate, address: int | None
) -> tuple[str, tuple[str, ...]]:
    """Return why a route that a gateway learned may decide instead; and what is taken for granted of such routes.

    A learned route is longer than the best one, or as long and then before a system route. Against a system route that
    drops, it decides between delivery and loss: unknown. Elsewhere it is assumed that there is none.
    """
    refused = table is not None and table.disable_bgp_route_propagation
    system = best.source != USER
    if not system and best.prefix.size == 1:
        return "", ()
    if refused or (system and best.hop in _PREFERRED) or not has_gateway(network):
        return "", _meshed(best, address)
    told = format_address(address) if address is not None else "clients of the internet"
    if system and best.hop == NONE:
        return f"whether the gateway learned a route for {told} is not read", ()
    than = "" if system else f" longer than {best.prefix}"
    return "", (f"the gateway learned no route for {told}{than}: learned routes are not read",)


def _meshed(best: Candidate, address: int | None) -> tuple[str, ...]:
    """Return what is taken for granted where the system drops: networks can be connected without a peering."""
    if best.source == USER or best.hop != NONE or address is None:
        return ()
    return (f"no mesh of Azure Virtual Network Manager holds {format_address(address)}: meshes are not read",)


def _served(subnet: Subnet, best: Candidate, address: int | None) -> tuple[str, ...]:
    """Return what is taken for granted of service endpoints, whose routes are longer and not read."""
    services = service_endpoints(subnet)
    public = address is not None and is_public(address)
    if not services or not public or best.prefix.size == 1:
        return ()
    named = ", ".join(services)
    return (f"{format_address(address or 0)} is no address of {named}, which has {SERVICE} as next hop: not read",)


def _untold(network: VirtualNetwork, best: Candidate, address: int | None) -> str:
    """Return which list of the network is missing that could hold a longer system route, or an empty string."""
    if address is None or best.source == USER or best.hop not in {NONE, INTERNET}:
        return ""
    if "addressSpace" in network.untold:
        return f".addressSpace of virtual network {network.name}"
    return cut_peerings(network) if best.hop == NONE else ""


def _unknown_hop(best: Candidate) -> str:
    if best.hop or best.route is None:
        return ""
    return f"{best.route.next_hop_type!r} of route {best.route.name} is no next hop type that is known"
