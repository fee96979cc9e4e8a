"""Routes: whether an answer goes back the way that the request came, and where a packet goes next.

Sources: Azure documentation, "Virtual network traffic routing" (aks-networking.md 3.2) and, for asymmetric routing,
"Limit egress traffic" of AKS and "Integrate Azure Firewall with Azure Load Balancer" (2.i).
"""

from shlex import quote

import msgspec

from aksnav.model.addresses import format_address, is_v4, parse_prefix
from aksnav.model.azure.network import Subnet, VirtualNetwork
from aksnav.model.kubernetes.workload import Node
from aksnav.model.object import Ref
from aksnav.model.public import is_public
from aksnav.store.store import Store
from aksnav.trace.azure import asymmetry, peering
from aksnav.trace.azure.commands import located, of_cluster, routes_of
from aksnav.trace.azure.joins import attach_node, cluster
from aksnav.trace.azure.next_hop import (
    APPLIANCE,
    GATEWAY,
    INTERNET,
    NONE,
    RouteDecision,
    next_hop,
    table_of,
)
from aksnav.trace.packet import Packet
from aksnav.trace.place import Place
from aksnav.trace.readable import stale, unreadable
from aksnav.trace.step import Evidence, Kind, Step, Verdict

__all__ = ["APPLIANCE", "INTERNET", "NONE", "RouteDecision", "back", "back_from", "forward_step", "next_hop"]


def forward_step(store: Store, subnet: Subnet, packet: Packet, decision: RouteDecision) -> Step:
    """Return the step of a packet that leaves a subnet by a known route; whether it gets on is the caller's to say.

    A next hop that cannot take it drops it (R02).
    """
    where = format_address(packet.destination) if packet.destination is not None else "the internet"
    step = _step(store, subnet, packet, decision, f"subnet {subnet.name} sends to {where} by {_words(decision)}")
    return _lost(step, decision) if decision.broken else step


def _lost(step: Step, decision: RouteDecision) -> Step:
    """Return the step of a packet whose next hop cannot take it (R02)."""
    route = decision.route.name if decision.route is not None else ""
    return msgspec.structs.replace(
        step,
        verdict=Verdict.DROP,
        summary=f"{step.summary}: {decision.broken}",
        cause="R02",
        fix=f"correct the next hop of route {route}",
    )


def unknown_step(subnet: Subnet, packet: Packet, decision: RouteDecision) -> Step:
    """Return the blind step of a packet that leaves a subnet by a route that is not known."""
    where = format_address(packet.destination) if packet.destination is not None else "the internet"
    summary = f"from subnet {subnet.name}: next hop to {where} is not known"
    return _blind(packet, summary, decision.unknown, _subnet_ref(subnet))


def back(store: Store, node: Node, packet: Packet) -> tuple[Step, ...]:
    """Return what becomes of the answers of a node to inbound traffic.

    The load balancer answers from the node's side straight to the client; where the node's subnet sends the client's
    address to an appliance or gateway that did not see the request, a stateful one drops the answer (R01).

    Args:
        store: what is known.
        node: that took the packet.
        packet: as it arrived; source None is any client of the internet.
    """
    at = attach_node(store, node)
    if at.subnet is None or at.network is None:
        missing = unreadable(store.virtual_networks) or f"the subnet of node {node.name} is not known"
        return (_blind(packet, f"the way back from node {node.name} is not known", missing, node.ref),)
    overlap = _overlap(store, packet) if packet.source is not None and not is_public(packet.source) else None
    if overlap is not None:
        return (overlap,)
    target = packet.destination if packet.destination is not None else Place.of_node(node).address
    return back_from(store, (at.network, at.subnet), packet, target)


def back_from(
    store: Store, place: tuple[VirtualNetwork, Subnet], packet: Packet, target: int | None
) -> tuple[Step, ...]:
    """Return what becomes of answers that leave a subnet.

    Args:
        store: what is known.
        place: the subnet, with its network.
        packet: as the request arrived there; source None is any client of the internet.
        target: the address that the client asked; None where it is not known.
    """
    network, subnet = place
    if packet.source is not None and not is_public(packet.source):
        return _back_inside(store, network, subnet, packet, target)
    v4 = packet.destination is None or is_v4(packet.destination)
    decision = next_hop(store, subnet, packet.source, v4=v4)
    where = f"answers leave subnet {subnet.name}"
    whom = format_address(packet.source) if packet.source is not None else "clients of the internet"
    if decision.unknown:
        return (_blind(packet, f"{where}: next hop to {whom} is not known", decision.unknown, _subnet_ref(subnet)),)
    step = _step(store, subnet, packet, decision, f"{where} to {whom} by {_words(decision)}")
    if decision.hop in {APPLIANCE, GATEWAY}:
        why = f"; besides, {decision.broken}" if decision.broken else ""
        summary = f"{step.summary}: it never saw the request, and drops the answer{why}"
        fix = "DNAT in the firewall to an internal load balancer, or route the firewall's public address to Internet"
        return (msgspec.structs.replace(step, verdict=Verdict.DROP, summary=summary, cause="R01", fix=fix),)
    if decision.hop == NONE:
        fix = f"correct route {decision.route.name}" if decision.route is not None else "add a route for the client"
        return (msgspec.structs.replace(step, verdict=Verdict.DROP, cause="R02", fix=fix),)
    return (step,)


def _back_inside(
    store: Store, network: VirtualNetwork, subnet: Subnet, packet: Packet, target: int | None
) -> tuple[Step, ...]:
    """Return what becomes of answers to a private client: black holes, and peerings that do not work both ways."""
    if packet.source is None:
        return ()
    broken = peering.broken(store, network, packet.source)
    if broken is not None:
        return (peering.broken_step(broken, packet),)
    decision = next_hop(store, subnet, packet.source)
    text = format_address(packet.source)
    where = f"answers leave subnet {subnet.name}"
    if decision.unknown:
        return (_blind(packet, f"{where}: next hop to {text} is not known", decision.unknown, _subnet_ref(subnet)),)
    step = _step(store, subnet, packet, decision, f"{where} to {text} by {_words(decision)}")
    if decision.broken:
        return (_lost(step, decision),)
    if decision.hop == NONE:
        return (_black_hole(store, network, subnet, step, decision),)
    if decision.hop == APPLIANCE:
        refused = peering.forwarded(network, decision.address, packet)
        if refused is not None:
            return (refused,)
    taken = peering.assumed(store, network, packet.source)
    step = msgspec.structs.replace(step, assumptions=(*step.assumptions, *taken))
    return (_as_they_came(store, packet, target, step, decision),)


def _black_hole(store: Store, network: VirtualNetwork, subnet: Subnet, step: Step, decision: RouteDecision) -> Step:
    """Return the step of answers that are dropped: by a route (R02), for want of learned ones (R09), of a peering."""
    if decision.route is not None:
        cause, fix = "R02", f"correct route {decision.route.name}"
    else:
        cause = "R09" if _without_learned(store, network, subnet) else "R06"
        fix = "peer the networks, or add a route"
    return msgspec.structs.replace(step, verdict=Verdict.DROP, cause=cause, fix=fix)


def _as_they_came(store: Store, packet: Packet, target: int | None, step: Step, decision: RouteDecision) -> Step:
    """Return the step of answers that get back to a private client, unless requests come another way (R13)."""
    if packet.source is None:
        return step
    ways = asymmetry.compare(store, packet.source, target, decision)
    step = msgspec.structs.replace(step, assumptions=(*step.assumptions, *filter(None, (ways.assumed,))))
    if not ways.fault or ways.there is None or ways.subnet is None:
        return step
    other = _step(store, ways.subnet, packet, ways.there, "")
    return msgspec.structs.replace(
        step,
        verdict=Verdict.DROP,
        summary=f"{step.summary}; {ways.fault}",
        cause="R13",
        evidence=(*step.evidence, *(_of(fact, other.subject) for fact in other.evidence)),
        considered=(*step.considered, *other.considered),
        fix="give both subnets routes through the same appliance, or neither",
    )


def _of(fact: Evidence, subject: Ref | None) -> Evidence:
    return fact if fact.subject is not None else msgspec.structs.replace(fact, subject=subject)


def _overlap(store: Store, packet: Packet) -> Step | None:
    """Return the step of a client whose address the cluster takes for one of its own (R10)."""
    managed = cluster(store)
    if managed is None or packet.source is None:
        return None
    profile = managed.network_profile
    fields = (
        ("podCidr", (profile.pod_cidr, *profile.pod_cidrs)),
        ("serviceCidr", (profile.service_cidr, *profile.service_cidrs)),
    )
    for name, texts in fields:
        text = next((item for item in texts if packet.source in (parse_prefix(item) or ())), None)
        if text is not None:
            field = f".networkProfile.{name}"
            return Step(
                kind=Kind.ROUTE,
                verdict=Verdict.DROP,
                summary=f"{format_address(packet.source)} is in the cluster's own {name} {text}: answers stay inside",
                subject=managed.ref,
                version=managed.etag,
                packet=packet,
                cause="R10",
                evidence=(Evidence(field, text, managed.ref),),
                confirm=of_cluster(managed.arm_id, "networkProfile"),
                fix="give the cluster or the clients another range",
            )
    return None


def _without_learned(store: Store, network: VirtualNetwork, subnet: Subnet) -> bool:
    """Return whether the subnet refuses the routes that a gateway learned, and there is a gateway (R09)."""
    table, _ = table_of(store, subnet)
    gateway = any(item.name == "GatewaySubnet" for item in network.subnets)
    transit = any(item.use_remote_gateways for item in network.virtual_network_peerings)
    return table is not None and table.disable_bgp_route_propagation and (gateway or transit)


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
        confirm = (
            f"az network route-table route list {located(table.id)} --route-table-name {quote(table.name)} -o table"
        )
    else:
        name = subnet.route_table.arm_id if subnet.route_table is not None else "(none)"
        facts = (Evidence(".routeTable.id", name, _subnet_ref(subnet), f"the {decision.name} route decides"),)
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
        assumptions=(*stale(store.route_tables, store.virtual_networks), *decision.assumed),
        confirm=confirm,
    )


def _words(decision: RouteDecision) -> str:
    known = {"": "the system route", "system": "the system route"}
    named = known.get(decision.name, f"the route of {decision.name}")
    named = f"route {decision.route.name}" if decision.route is not None else named
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
        confirm=routes_of(subject.id if subject.kind == "subnets" else ""),
        fix="grant Reader on the virtual network and its route tables",
    )
