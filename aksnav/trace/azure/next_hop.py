"""Which route decides: the longest prefix, then user-defined before system routes.

Source: Azure documentation, "Virtual network traffic routing" (aks-networking.md 3.2).
"""

import msgspec

from aksnav.model.addresses import Prefix, format_address, is_v4, parse_prefix
from aksnav.model.azure.network import Peering, Route, RouteTable, Subnet, VirtualNetwork
from aksnav.store.store import Store
from aksnav.trace.azure.joins import group_of, unreadable
from aksnav.trace.azure.tags import CONNECTED, covers_internet
from aksnav.trace.policy.who import is_public
from aksnav.trace.step import Considered

APPLIANCE, GATEWAY, NONE, INTERNET = "VirtualAppliance", "VirtualNetworkGateway", "None", "Internet"
LOCAL, PEERING = "VnetLocal", "VNetPeering"
# System routes that drop what is not in the network (aks-networking.md 3.2, point 4).
_DROPPED = tuple(
    prefix
    for prefix in map(parse_prefix, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
    if prefix is not None
)
_ORDER = {"user": 0, "system": 1}


class RouteDecision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a packet goes next.

    Attributes:
        hop: next hop type, as Azure names it; empty where it is not known.
        prefix: of the route that decides.
        address: of the next hop, where the type has one.
        route, table: the user-defined route, where one decides.
        source: ``user`` or ``system``.
        unknown: what would have to be known.
        considered: every route whose prefix holds the destination.
    """

    hop: str
    prefix: Prefix | None = None
    address: str = ""
    route: Route | None = None
    table: RouteTable | None = None
    source: str = "system"
    unknown: str = ""
    considered: tuple[Considered, ...] = ()


class _Candidate(msgspec.Struct, frozen=True, gc=False):
    prefix: Prefix
    hop: str
    source: str
    name: str
    route: Route | None = None


def next_hop(store: Store, subnet: Subnet, address: int | None, *, v4: bool = True) -> RouteDecision:
    """Return where a packet from a subnet goes next: the longest prefix, then user-defined before system routes.

    Routes that a gateway learned (BGP) are not in any object that is read: where they could decide, it is unknown.

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
    listed = _candidates(network, table)
    holding = [item for item in listed if address in item.prefix] if address is not None else _for_everybody(listed, v4)
    holding.sort(key=lambda item: (-item.prefix.length, _ORDER[item.source]))
    if not holding:
        return RouteDecision(hop=NONE, considered=())
    best = holding[0]
    notes = [Considered(f"{item.name} {item.prefix}", item is best, f"next hop {item.hop}") for item in holding]
    if address is None:
        notes += _narrower(listed)
    unknown = _learned(network, table, best, address)
    return RouteDecision(
        hop="" if unknown else best.hop,
        prefix=best.prefix,
        address=best.route.next_hop_ip_address if best.route is not None else "",
        route=best.route,
        table=table if best.route is not None else None,
        source=best.source,
        unknown=unknown,
        considered=tuple(notes),
    )


def table_of(store: Store, subnet: Subnet) -> tuple[RouteTable | None, str]:
    """Return the route table of a subnet, or why it is not known; neither where the subnet has none."""
    if subnet.route_table is None or not subnet.route_table.arm_id:
        return None, ""
    ident = subnet.route_table.id
    table = store.route_tables.get(ident)
    if table is not None:
        return table, ""
    return None, unreadable(
        store.route_tables, group_of(ident)
    ) or f"route table {ident.rpartition('/')[2]} is not there"


def _candidates(network: VirtualNetwork, table: RouteTable | None) -> list[_Candidate]:
    found = [_Candidate(prefix, NONE, "system", "system") for prefix in _DROPPED]
    for text in ("0.0.0.0/0", "::/0"):
        prefix = parse_prefix(text)
        if prefix is not None:
            found.append(_Candidate(prefix, INTERNET, "system", "system"))
    found += [
        _Candidate(prefix, LOCAL, "system", "system") for prefix in prefixes(network.address_space.address_prefixes)
    ]
    for peering in network.virtual_network_peerings:
        if peering.peering_state.lower() == CONNECTED:
            found += [_Candidate(prefix, PEERING, "system", f"peering {peering.name}") for prefix in remote(peering)]
    # The network's own space takes the place of the private default of the same prefix.
    own = {item.prefix for item in found if item.hop in {LOCAL, PEERING}}
    found = [item for item in found if item.hop != NONE or item.prefix not in own]
    for route in table.routes if table is not None else ():
        prefix = parse_prefix(route.address_prefix)
        if prefix is not None:
            found.append(_Candidate(prefix, _hop_name(route), "user", f"route {route.name}", route))
    return found


def _hop_name(route: Route) -> str:
    known = {name.lower(): name for name in (APPLIANCE, GATEWAY, NONE, INTERNET, LOCAL)}
    return known.get(route.next_hop_type.lower(), route.next_hop_type)


def remote(peering: Peering) -> list[Prefix]:
    """Return the prefixes of the other side of a peering."""
    texts = (
        *peering.remote_virtual_network_address_space.address_prefixes,
        *peering.remote_address_space.address_prefixes,
    )
    return list(dict.fromkeys(prefixes(texts)))


def prefixes(texts: tuple[str, ...]) -> list[Prefix]:
    """Return the prefixes in a list of texts."""
    return [prefix for prefix in map(parse_prefix, texts) if prefix is not None]


def _for_everybody(listed: list[_Candidate], v4: bool) -> list[_Candidate]:
    """Return the routes for every public address: those of the default prefix, and user-defined ones that tile it."""
    whole = [item for item in listed if item.prefix.length == 0 and is_v4(item.prefix.first) == v4]
    user = [item for item in listed if item.source == "user" and item.prefix.length]
    for hop in (APPLIANCE, GATEWAY, NONE):
        tiles = [item for item in user if item.hop == hop]
        if covers_internet((item.prefix for item in tiles), v4):
            return [*tiles, *whole]
    return whole


def _narrower(listed: list[_Candidate]) -> list[Considered]:
    return [
        Considered(f"{item.name} {item.prefix}", False, f"next hop {item.hop} for these clients only")
        for item in listed
        if item.source == "user" and item.prefix.length and is_public(item.prefix.first)
    ]


def _learned(network: VirtualNetwork, table: RouteTable | None, best: _Candidate, address: int | None) -> str:
    """Return why a route that a gateway learned may decide instead, or an empty string."""
    if (
        best.source == "user"
        or best.hop in {LOCAL, PEERING}
        or (table is not None and table.disable_bgp_route_propagation)
    ):
        return ""
    gateway = any(item.name == "GatewaySubnet" for item in network.subnets)
    transit = any(item.use_remote_gateways for item in network.virtual_network_peerings)
    if not gateway and not transit:
        return ""
    if address is None or is_public(address):
        return ""
    return f"whether the gateway learned a route for {format_address(address)} is not read"
