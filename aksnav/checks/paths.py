"""Ways between networks: forwarded traffic (R07), a peer's gateway (R08), private endpoints (R12), Pod routes (R16)."""

from collections.abc import Iterator
from shlex import quote

from aksnav.checks.finding import Finding, Proof
from aksnav.checks.from_steps import finding_of
from aksnav.model.addresses import parse_address, parse_prefix
from aksnav.model.azure.network import Peering, Route, RouteTable, Subnet, VirtualNetwork
from aksnav.model.public import is_public
from aksnav.store import Store
from aksnav.trace.azure import peering
from aksnav.trace.azure.commands import located
from aksnav.trace.azure.joins import attach_node
from aksnav.trace.azure.network_model import NetworkModel, network_model
from aksnav.trace.azure.next_hop import APPLIANCE, ENDPOINT, next_hop, prefixes, table_of
from aksnav.trace.azure.route_candidates import USER, candidates
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence

_GATEWAY_SUBNET = "gatewaysubnet"
_FIRST_HOST = 4


def path_findings(store: Store) -> Iterator[Finding]:
    """Yield R07, R08, R12 and R16 for the subnets in which nodes are."""
    places = _places(store)
    for network, subnet in places:
        yield from _forwarded(store, network, subnet)
        yield from _past_the_appliance(store, network, subnet)
    for network in {network.id: network for network, _ in places}.values():
        yield from _transit(store, network, [subnet for other, subnet in places if other.id == network.id])
    yield from _shared_tables(store, places)


def _places(store: Store) -> list[tuple[VirtualNetwork, Subnet]]:
    found: dict[str, tuple[VirtualNetwork, Subnet]] = {}
    for node in store.nodes:
        at = attach_node(store, node)
        if at.network is not None and at.subnet is not None:
            found.setdefault(at.subnet.id, (at.network, at.subnet))
    return [found[ident] for ident in sorted(found)]


def _routes(store: Store, subnet: Subnet) -> tuple[RouteTable | None, list[Route]]:
    table, _ = table_of(store, subnet)
    listed = table.routes if table is not None else ()
    return table, [route for route in listed if route.next_hop_type.lower() == APPLIANCE.lower()]


def _forwarded(store: Store, network: VirtualNetwork, subnet: Subnet) -> Iterator[Finding]:
    """R07: hosts behind an appliance in a peered network, whose packets the peering does not let in."""
    for route in _routes(store, subnet)[1]:
        prefix = parse_prefix(route.address_prefix)
        if prefix is None or not prefix.length:
            continue
        address = min(prefix.first + _FIRST_HOST, prefix.last)
        decision = next_hop(store, subnet, address)
        if is_public(address) or decision.route is not route:
            continue
        step = peering.forwarded(network, decision.address, Packet(source=address))
        found = finding_of(step) if step is not None else None
        if found is not None:
            yield found


def _transit(store: Store, network: VirtualNetwork, subnets: list[Subnet]) -> Iterator[Finding]:
    """R08: of a peering to a network with a gateway one side has the flag, and the other has not.

    A hub that offers its gateway to a network whose nodes send to an appliance may be meant so: no finding.
    """
    own = any(item.name.lower() == _GATEWAY_SUBNET for item in network.subnets)
    uses = any(item.use_remote_gateways for item in network.virtual_network_peerings)
    around = any(_routes(store, subnet)[1] for subnet in subnets)
    for here in network.virtual_network_peerings:
        hub = store.virtual_networks.get(here.remote_virtual_network.id)
        back = (
            [item for item in hub.virtual_network_peerings if item.remote_virtual_network.id == network.id]
            if hub
            else []
        )
        if hub is None or not back:
            continue
        gateway = any(item.name.lower() == _GATEWAY_SUBNET for item in hub.subnets)
        if here.use_remote_gateways and back[0].allow_gateway_transit is False:
            yield _one_sided(network, here, hub, back[0], Proof.PROVEN)
        elif gateway and back[0].allow_gateway_transit and not (uses or own or around):
            yield _one_sided(network, here, hub, back[0], Proof.LIKELY)


def _one_sided(network: VirtualNetwork, here: Peering, hub: VirtualNetwork, there: Peering, proof: Proof) -> Finding:
    uses, offers = str(here.use_remote_gateways).lower(), str(there.allow_gateway_transit).lower()
    lacks = f"{hub.name} does not offer it" if here.use_remote_gateways else f"{network.name} does not use it"
    return Finding(
        id="R08",
        subject=network.ref,
        summary=f"the gateway of {hub.name} does not carry traffic of {network.name}: {lacks}",
        proof=proof,
        evidence=(
            Evidence(f".virtualNetworkPeerings[?name=='{here.name}'].useRemoteGateways", uses, network.ref),
            Evidence(f".virtualNetworkPeerings[?name=='{there.name}'].allowGatewayTransit", offers, hub.ref),
        ),
        related=(hub.ref,),
        confirm=f"az network vnet peering list {located(network.id)} --vnet-name {quote(network.name)} -o table",
        fix=f"set allowGatewayTransit of {hub.name}'s peering, and useRemoteGateways of {network.name}'s",
    )


def _past_the_appliance(store: Store, network: VirtualNetwork, subnet: Subnet) -> Iterator[Finding]:
    """R12: a private endpoint's route of one address is longer than the route by which an appliance is to see it.

    Only a route for private ranges is meant for endpoints: that 0.0.0.0/0 does not hold them is what it is for.
    """
    table, _ = table_of(store, subnet)
    if table is None:
        return
    listed = candidates(store, subnet, network, table)
    user = [item for item in listed if item.source == USER and item.hop == APPLIANCE]
    for item in listed:
        if item.hop != ENDPOINT:
            continue
        wider = [row for row in user if 0 < row.prefix.length < item.prefix.length and row.prefix.covers(item.prefix)]
        route = max(wider, key=lambda row: row.prefix.length).route if wider else None
        exact = any(row.source == USER and row.prefix == item.prefix for row in listed)
        if route is None or exact or 0 < item.override <= max(row.prefix.length for row in wider):
            continue
        yield Finding(
            id="R12",
            subject=table.ref,
            summary=f"{item.name} at {item.prefix} is reached directly: its own route is longer than {route.name} "
            f"to {route.next_hop_ip_address}",
            proof=Proof.LIKELY,
            evidence=(
                Evidence(f".routes[?name=='{route.name}'].addressPrefix", route.address_prefix, table.ref),
                Evidence(".privateEndpointNetworkPolicies", "does not let routes override", None, str(item.prefix)),
            ),
            confirm=f"az network route-table route list {located(table.id)} --route-table-name {quote(table.name)}",
            fix="enable network policies for routes on the endpoint's subnet, and route its prefix to the appliance",
        )


def _shared_tables(store: Store, places: list[tuple[VirtualNetwork, Subnet]]) -> Iterator[Finding]:
    """R16: two routes of a kubenet table for the same Pods, one to a node of this cluster and one to somebody else."""
    if network_model(store).model is not NetworkModel.KUBENET or unreadable(store.nodes):
        return
    tables = {table.id: table for table in (_routes(store, subnet)[0] for _, subnet in places) if table is not None}
    mine = {address for node in store.nodes for address in node.internal_ips}
    pods = prefixes(tuple(cidr for node in store.nodes for cidr in node.pod_cidrs))
    for table in tables.values():
        listed = [
            (route, prefix)
            for route in table.routes
            if (prefix := parse_prefix(route.address_prefix)) is not None
            and parse_address(route.next_hop_ip_address) is not None
            and any(cidr.covers(prefix) or prefix == cidr for cidr in pods)
        ]
        own = [pair for pair in listed if pair[0].next_hop_ip_address in mine]
        for route, prefix in listed:
            twin = next((item for item, range_ in own if range_ == prefix or range_.covers(prefix)), None)
            if route.next_hop_ip_address in mine or twin is None:
                continue
            yield Finding(
                id="R16",
                subject=table.ref,
                summary=f"route {route.name} of {table.name} sends {prefix}, which Pods of this cluster have, to "
                f"{route.next_hop_ip_address}, which is none of its nodes: another cluster writes into the same table",
                proof=Proof.PROVEN,
                evidence=tuple(
                    Evidence(f".routes[?name=='{item.name}'].nextHopIpAddress", item.next_hop_ip_address, table.ref)
                    for item in (route, twin)
                ),
                confirm=f"az network route-table route list {located(table.id)} --route-table-name {quote(table.name)} "
                "-o table",
                fix="give each cluster a route table of its own, and Pod CIDRs that do not meet",
            )
            break
