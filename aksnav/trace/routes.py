"""Routes: where a packet that leaves a subnet goes next, and whether an answer goes back the way that it came.

Sources: Azure documentation, "Virtual network traffic routing" (aks-networking.md 3.2) and, for asymmetric routing,
"Limit egress traffic" of AKS and "Integrate Azure Firewall with Azure Load Balancer" (2.i).
"""

from shlex import quote

import msgspec

from aksnav.model.addresses import Prefix, format_address, is_v4, parse_address, parse_prefix
from aksnav.model.azure.network import Peering, Route, RouteTable, Subnet, VirtualNetwork
from aksnav.model.kubernetes.workload import Node
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure import attach_node, group_of, interface_at, stale, subnet_of, unreadable
from aksnav.trace.packet import Packet
from aksnav.trace.policy.who import is_public
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict
from aksnav.trace.tags import CONNECTED, covers_internet

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
    table, missing = _table(store, subnet)
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


def _table(store: Store, subnet: Subnet) -> tuple[RouteTable | None, str]:
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
        _Candidate(prefix, LOCAL, "system", "system") for prefix in _prefixes(network.address_space.address_prefixes)
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
    return list(dict.fromkeys(_prefixes(texts)))


def _prefixes(texts: tuple[str, ...]) -> list[Prefix]:
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


def forward_step(store: Store, subnet: Subnet, packet: Packet, decision: RouteDecision) -> Step:
    """Return the step of a packet that leaves a subnet by a known route; whether it gets on is the caller's to say."""
    where = format_address(packet.destination) if packet.destination is not None else "the internet"
    return _step(store, subnet, packet, decision, f"subnet {subnet.name} sends to {where} by {_words(decision)}")


def back(store: Store, node: Node, packet: Packet) -> tuple[Step, ...]:
    """Return what becomes of the answers of a node to inbound traffic.

    The load balancer answers from the node's side straight to the client; where the node's subnet sends the client's
    address to an appliance or gateway that did not see the request, a stateful one drops the answer (R01).

    Args:
        store: what is known.
        node: that took the packet.
        packet: as it arrived; source None is any client of the internet.
    """
    if packet.source is not None and not is_public(packet.source):
        return _back_inside(store, node, packet)
    at = attach_node(store, node)
    if at.subnet is None:
        missing = unreadable(store.virtual_networks) or f"the subnet of node {node.name} is not known"
        return (_blind(packet, f"the way back from node {node.name} is not known", missing, node.ref),)
    v4 = packet.destination is None or is_v4(packet.destination)
    decision = next_hop(store, at.subnet, packet.source, v4=v4)
    where = f"answers leave subnet {at.subnet.name}"
    whom = format_address(packet.source) if packet.source is not None else "clients of the internet"
    if decision.unknown:
        return (_blind(packet, f"{where}: next hop to {whom} is not known", decision.unknown, _subnet_ref(at.subnet)),)
    step = _step(store, at.subnet, packet, decision, f"{where} to {whom} by {_words(decision)}")
    if decision.hop in {APPLIANCE, GATEWAY}:
        summary = f"{step.summary}: it never saw the request, and drops the answer"
        fix = "DNAT in the firewall to an internal load balancer, or route the firewall's public address to Internet"
        return (msgspec.structs.replace(step, verdict=Verdict.DROP, summary=summary, cause="R01", fix=fix),)
    if decision.hop == NONE:
        fix = f"correct route {decision.route.name}" if decision.route is not None else "add a route for the client"
        return (msgspec.structs.replace(step, verdict=Verdict.DROP, cause="R02", fix=fix),)
    return (step,)


def _back_inside(store: Store, node: Node, packet: Packet) -> tuple[Step, ...]:
    """Return what becomes of answers to a private client: black holes, and peerings that do not work both ways."""
    at = attach_node(store, node)
    if at.subnet is None or at.network is None or packet.source is None:
        missing = unreadable(store.virtual_networks) or f"the subnet of node {node.name} is not known"
        return (_blind(packet, f"the way back from node {node.name} is not known", missing, node.ref),)
    broken = _broken_peering(store, at.network, packet.source)
    if broken is not None:
        return (_peering_step(broken, at.network, packet),)
    decision = next_hop(store, at.subnet, packet.source)
    text = format_address(packet.source)
    where = f"answers leave subnet {at.subnet.name}"
    if decision.unknown:
        return (_blind(packet, f"{where}: next hop to {text} is not known", decision.unknown, _subnet_ref(at.subnet)),)
    step = _step(store, at.subnet, packet, decision, f"{where} to {text} by {_words(decision)}")
    if decision.hop == NONE or _nobody(store, decision):
        fix = (
            f"correct route {decision.route.name}"
            if decision.route is not None
            else "peer the networks, or add a route"
        )
        cause = "R02" if decision.route is not None else "R06"
        return (msgspec.structs.replace(step, verdict=Verdict.DROP, cause=cause, fix=fix),)
    return (step,)


def _nobody(store: Store, decision: RouteDecision) -> bool:
    """Return whether an appliance's address lies in a known subnet and no interface has it (R02)."""
    number = parse_address(decision.address)
    if decision.hop != APPLIANCE or number is None or unreadable(store.interfaces):
        return False
    known = any(
        number in prefix
        for network in store.virtual_networks
        for prefix in _prefixes(network.address_space.address_prefixes)
    )
    firewalls = any(
        subnet.name == "AzureFirewallSubnet" for network in store.virtual_networks for subnet in network.subnets
    )
    return known and not firewalls and interface_at(store, number) is None and _listed(store, number)


def _listed(store: Store, address: int) -> bool:
    """Return whether interfaces of the address's own subnet are read, so that its absence says something."""
    place = subnet_of(store, address)
    return place is not None and any(
        configuration.subnet is not None and configuration.subnet.id == place[1].id
        for interface in store.interfaces
        for configuration in interface.ip_configurations
    )


def _broken_peering(store: Store, network: VirtualNetwork, source: int) -> Peering | None:
    """Return the peering to a client's network that does not carry traffic, where one is known (R06)."""
    for peering in network.virtual_network_peerings:
        if not any(source in prefix for prefix in remote(peering)):
            continue
        if peering.peering_state.lower() != CONNECTED or not peering.allow_virtual_network_access:
            return peering
        other = store.virtual_networks.get(peering.remote_virtual_network.id)
        if other is not None and not any(
            item.remote_virtual_network.id == network.id and item.peering_state.lower() == CONNECTED
            for item in other.virtual_network_peerings
        ):
            return peering
    return None


def _peering_step(peering: Peering, network: VirtualNetwork, packet: Packet) -> Step:
    state = peering.peering_state or "(not said)"
    group = group_of(network.id).rpartition("/")[2]
    return Step(
        kind=Kind.PEERING,
        verdict=Verdict.DROP,
        summary=f"peering {peering.name} of {network.name} is {state}: traffic with the peer does not pass both ways",
        subject=network.ref,
        version=network.etag,
        packet=packet,
        cause="R06",
        evidence=(
            Evidence(f".virtualNetworkPeerings[?name=='{peering.name}'].peeringState", state, network.ref),
            Evidence(
                f".virtualNetworkPeerings[?name=='{peering.name}'].allowVirtualNetworkAccess",
                str(peering.allow_virtual_network_access).lower(),
                network.ref,
            ),
        ),
        confirm=f"az network vnet peering list -g {quote(group)} --vnet-name {quote(network.name)} -o table",
        fix="make the peering again on both sides",
    )


def _step(store: Store, subnet: Subnet, packet: Packet, decision: RouteDecision, summary: str) -> Step:
    table = decision.table
    facts: tuple[Evidence, ...]
    if decision.route is not None and table is not None:
        field = f".routes[?name=='{decision.route.name}']"
        facts = (
            Evidence(f"{field}.addressPrefix", decision.route.address_prefix, table.ref),
            Evidence(f"{field}.nextHopType", decision.route.next_hop_type, table.ref),
            Evidence(f"{field}.nextHopIpAddress", decision.route.next_hop_ip_address or "(none)", table.ref),
        )
        group = group_of(table.id).rpartition("/")[2]
        confirm = f"az network route-table route list -g {quote(group)} --route-table-name {quote(table.name)} -o table"
    else:
        name = subnet.route_table.arm_id if subnet.route_table is not None else "(none)"
        facts = (Evidence(".routeTable.id", name, _subnet_ref(subnet), "system routes decide"),)
        confirm = f"az network vnet subnet show --ids {quote(subnet.arm_id)} --query routeTable"
    return Step(
        kind=Kind.ROUTE,
        verdict=Verdict.PASS,
        summary=summary,
        subject=table.ref if table is not None else _subnet_ref(subnet),
        version=table.etag if table is not None else subnet.etag,
        packet=packet,
        evidence=facts,
        considered=decision.considered,
        assumptions=stale(store.route_tables, store.virtual_networks),
        confirm=confirm,
    )


def _words(decision: RouteDecision) -> str:
    named = f"route {decision.route.name}" if decision.route is not None else "the system route"
    return f"{named} {decision.prefix} to {decision.hop}" + (f" {decision.address}" if decision.address else "")


def _subnet_ref(subnet: Subnet) -> Ref:
    return Ref("subnets", subnet.id)


def _blind(packet: Packet, summary: str, missing: str, subject: Ref) -> Step:
    return Step(
        kind=Kind.ROUTE,
        verdict=Verdict.BLIND,
        summary=summary,
        subject=subject,
        packet=packet,
        missing=missing,
        confirm="az network nic show-effective-route-table --ids NIC -o table",
        fix="grant Reader on the virtual network and its route tables",
    )
