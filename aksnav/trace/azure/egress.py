"""The road of a packet out of the cluster, behind its policies: security groups, next hop, and what lies beyond.

The steps end where what decides is no longer read: an appliance's rules, a peer's hosts, the internet. Sources:
aks-networking.md 1.3 (outbound types), 3.1 (outbound: interface, then subnet), 3.2 (next hops).
"""

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.azure.network import Subnet, VirtualNetwork
from aksnav.model.kubernetes.workload import Node
from aksnav.model.object import Ref
from aksnav.model.public import is_public
from aksnav.store.store import Store
from aksnav.trace.azure import outbound, peering, private_link, routes
from aksnav.trace.azure.commands import located, routes_of
from aksnav.trace.azure.joins import attach_node, interface_at, subnet_of
from aksnav.trace.azure.masquerade import masquerade, unsure
from aksnav.trace.azure.next_hop import GATEWAY, PEERING, RouteDecision
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import ENDS, Evidence, Kind, Step, Verdict


def hidden(store: Store, node: Node, packet: Packet) -> tuple[tuple[Step, ...], Packet]:
    """Return what a node does to the source of a packet that leaves the cluster, and the packet behind it.

    Args:
        store: what is known.
        node: that it leaves.
        packet: as it leaves the Pod or the node.
    """
    step = masquerade(store, node, packet)
    if step is not None and step.packet_after is not None:
        return (step,), step.packet_after
    missing = unsure(store, node, packet)
    if not missing:
        return (), packet
    blind = Step(
        kind=Kind.SNAT,
        verdict=Verdict.BLIND,
        summary=f"whose address a Pod's packet has behind node {node.name} is not known",
        subject=node.ref,
        packet=packet,
        missing=missing,
        confirm="kubectl -n kube-system get configmap -o yaml azure-ip-masq-agent-config",
    )
    return (blind,), packet


def routed(store: Store, node: Node, packet: Packet) -> tuple[Step, ...]:
    """Return where a packet goes that has left its node: the next hop, and what lies there as far as it is read.

    Args:
        store: what is known.
        node: that sends it.
        packet: as it is behind the node (``hidden``).
    """
    found = subnet_of(store, packet.source) if packet.source is not None else None
    at = attach_node(store, node)
    network, subnet = found if found is not None else (at.network, at.subnet)
    if subnet is None or network is None:
        missing = unreadable(store.virtual_networks) or f"the subnet of node {node.name}"
        return (_blind(packet, f"the subnet of node {node.name} is not known", missing, node.ref),)
    decision = routes.next_hop(store, subnet, packet.destination)
    if decision.unknown:
        summary = f"the next hop from subnet {subnet.name} is not known"
        return (_blind(packet, summary, decision.unknown, Ref("subnets", subnet.id)),)
    step = routes.forward_step(store, subnet, packet, decision)
    if decision.broken:
        return (step,)
    if decision.hop == routes.NONE:
        named = decision.route
        fix = f"correct route {named.name}" if named is not None else "add a route for the destination"
        return (msgspec.structs.replace(step, verdict=Verdict.DROP, cause="R02", fix=fix),)
    return (step, *_beyond(store, node, (network, subnet), packet, decision))


def _beyond(
    store: Store, node: Node, place: tuple[VirtualNetwork, Subnet], packet: Packet, decision: RouteDecision
) -> tuple[Step, ...]:
    """Return what stands behind the next hop."""
    network, subnet = place
    if decision.hop == routes.APPLIANCE:
        return (_appliance(store, packet, decision),)
    if decision.hop == routes.INTERNET and packet.destination is not None and is_public(packet.destination):
        return (outbound.to_internet(store, node, subnet, packet),)
    if decision.hop == PEERING:
        return _peered(store, network, packet)
    if decision.hop == GATEWAY:
        return (_gateway(network, packet),)
    entry = private_link.enter(store, packet)
    return entry.steps if entry is not None else ()


def _appliance(store: Store, packet: Packet, decision: RouteDecision) -> Step:
    """Return the step of a firewall: its rules are not read, so nothing is claimed of it."""
    table = decision.table
    named = _named(store, decision.address)
    return Step(
        kind=Kind.FIREWALL,
        verdict=Verdict.UNSUPPORTED,
        summary=f"{named} decides by rules that are not read",
        subject=table.ref if table is not None else None,
        packet=packet,
        missing=f"the rules of {named}",
        evidence=(Evidence(".nextHopIpAddress", decision.address, table.ref if table is not None else None),),
        confirm="az network firewall list -o table",
        fix="ask the owner of the appliance whether it lets the destination through",
    )


def _named(store: Store, text: str) -> str:
    """Return what an appliance is, as far as its address tells."""
    number = parse_address(text)
    place = subnet_of(store, number) if number is not None else None
    if place is not None and place[1].name.lower() == "azurefirewallsubnet":
        return f"Azure Firewall of {place[0].name} at {text}"
    found = interface_at(store, number) if number is not None else None
    return f"the appliance at {text}" + (f" (interface {found[0].name})" if found is not None else "")


def _peered(store: Store, network: VirtualNetwork, packet: Packet) -> tuple[Step, ...]:
    """Return the peering that a packet goes through, and a private endpoint behind it."""
    step = peering.through(store, network, packet)
    if step is None or step.verdict in ENDS:
        return () if step is None else (step,)
    entry = private_link.enter(store, packet)
    return (step, *(entry.steps if entry is not None else ()))


def _gateway(network: VirtualNetwork, packet: Packet) -> Step:
    """Return the step of a virtual network gateway: its tunnels, its routes and what lies on premises are not read."""
    transit = next((item for item in network.virtual_network_peerings if item.use_remote_gateways), None)
    if transit is not None:
        named = f"the gateway of {transit.remote_virtual_network.arm_id.rpartition('/')[2]}"
        fact = Evidence(f".virtualNetworkPeerings[?name=='{transit.name}'].useRemoteGateways", "true", network.ref)
        owner = transit.remote_virtual_network.arm_id
    else:
        named, fact = f"the gateway of {network.name}", Evidence(".subnets[].name", "GatewaySubnet", network.ref)
        owner = network.arm_id
    where = format_address(packet.destination) if packet.destination is not None else "there"
    return Step(
        kind=Kind.ROUTE,
        verdict=Verdict.BLIND,
        summary=f"{named} takes it: whether a tunnel or circuit leads on to {where} is not read",
        subject=network.ref,
        packet=packet,
        evidence=(fact,),
        missing=f"connections and learned routes of {named}",
        confirm=f"az network vnet-gateway list {located(owner)} -o table",
    )


def stops(steps: tuple[Step, ...]) -> bool:
    """Return whether one of some steps ends the road."""
    return any(step.verdict in ENDS for step in steps)


def _blind(packet: Packet, summary: str, missing: str, subject: Ref | None) -> Step:
    return Step(
        kind=Kind.ROUTE,
        verdict=Verdict.BLIND,
        summary=summary,
        subject=subject,
        packet=packet,
        missing=missing,
        confirm=routes_of(subject.id if subject is not None and subject.kind == "subnets" else ""),
        fix="grant Reader on the network of the nodes",
    )
