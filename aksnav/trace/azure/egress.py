"""The road of a packet out of the cluster: egress policy, security groups, the next hop, and source translation.

Sources: aks-networking.md 1.3 (outbound types), 3.1 (outbound: interface, then subnet) and 3.2 (precedence of egress).
"""

from shlex import quote

import msgspec

from aksnav.model.azure.network import Subnet
from aksnav.model.kubernetes.workload import Node
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace import policy
from aksnav.trace.azure import nsg, routes
from aksnav.trace.azure.joins import attach_node, cluster, subnet_of, unreadable
from aksnav.trace.azure.routes import RouteDecision
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Place
from aksnav.trace.policy.who import is_public
from aksnav.trace.step import ENDS, Evidence, Kind, Step, Verdict


def leave(store: Store, source: Place, packet: Packet) -> tuple[Step, ...]:
    """Return what a packet from a Pod or a node to an address outside of the cluster passes on its way out.

    The steps end where the packet leaves the subnet: what an appliance or the other side does is not read.

    Args:
        store: what is known.
        source: a Pod or a node.
        packet: to an address that is no Pod's, node's or Service's.
    """
    crossing = Crossing(source=source, destination=Place(address=packet.destination), packet=packet)
    steps = list(policy.judge(store, crossing))
    if _ended(steps):
        return tuple(steps)
    node = source.node
    if node is None:
        return (*steps, _blind(packet, "the node of the sender is not known", "the node of the sender", None))
    steps += nsg.out_of_node(store, node, packet)
    if _ended(steps):
        return tuple(steps)
    return (*steps, *routed(store, node, nsg.as_sent(store, node, packet)))


def _ended(steps: list[Step]) -> bool:
    return any(step.verdict in ENDS for step in steps)


def routed(store: Store, node: Node, packet: Packet) -> tuple[Step, ...]:
    """Return where a packet goes that has left its node: the next hop, and what gives it a public source.

    Args:
        store: what is known.
        node: that sends it.
        packet: as it is behind the node (``nsg.as_sent``).
    """
    found = subnet_of(store, packet.source) if packet.source is not None else None
    subnet = found[1] if found is not None else attach_node(store, node).subnet
    if subnet is None:
        missing = unreadable(store.virtual_networks) or f"the subnet of node {node.name}"
        return (_blind(packet, f"the subnet of node {node.name} is not known", missing, node.ref),)
    decision = routes.next_hop(store, subnet, packet.destination)
    if decision.unknown:
        missing = decision.unknown
        return (
            _blind(packet, f"the next hop from subnet {subnet.name} is not known", missing, Ref("subnets", subnet.id)),
        )
    step = routes.forward_step(store, subnet, packet, decision)
    if decision.hop == routes.NONE:
        fix = (
            f"correct route {decision.route.name}" if decision.route is not None else "add a route for the destination"
        )
        return (msgspec.structs.replace(step, verdict=Verdict.DROP, cause="R02", fix=fix),)
    if decision.hop == routes.APPLIANCE:
        return (step, _appliance(packet, decision))
    if decision.hop == routes.INTERNET and packet.destination is not None and is_public(packet.destination):
        return (step, _outbound(store, subnet, packet))
    return (step,)


def _appliance(packet: Packet, decision: RouteDecision) -> Step:
    """Return the step of a firewall: its rules are not read, so nothing is claimed of it."""
    table = decision.table
    return Step(
        kind=Kind.FIREWALL,
        verdict=Verdict.UNSUPPORTED,
        summary=f"the appliance at {decision.address} decides by rules that are not read",
        subject=table.ref if table is not None else None,
        packet=packet,
        missing=f"the rules of the appliance at {decision.address}",
        evidence=(Evidence(".nextHopIpAddress", decision.address, table.ref if table is not None else None),),
        confirm="az network firewall list -o table",
        fix="ask the owner of the appliance whether it lets the destination through",
    )


def _outbound(store: Store, subnet: Subnet, packet: Packet) -> Step:
    """Return what gives the packet a public source: NAT gateway, outbound rule, or the subnet's default (R14)."""
    ref = Ref("subnets", subnet.id)
    show = f"az network vnet subnet show --ids {quote(subnet.arm_id)}"
    base = Step(kind=Kind.NAT_GATEWAY, verdict=Verdict.PASS, summary="", subject=ref, packet=packet, confirm=show)
    if subnet.nat_gateway is not None and subnet.nat_gateway.arm_id:
        name = subnet.nat_gateway.arm_id.rpartition("/")[2]
        fact = Evidence(".natGateway.id", subnet.nat_gateway.arm_id, ref)
        return msgspec.structs.replace(base, summary=f"NAT gateway {name} translates the source", evidence=(fact,))
    for balancer in store.load_balancers:
        if balancer.outbound_rules:
            rule = balancer.outbound_rules[0]
            fact = Evidence(f".outboundRules[?name=='{rule.name}'].id", rule.arm_id, balancer.ref)
            said = f"outbound rule {rule.name} of load balancer {balancer.name} translates the source"
            return msgspec.structs.replace(base, summary=said, subject=balancer.ref, evidence=(fact,))
    managed = cluster(store)
    kind = managed.network_profile.outbound_type if managed is not None else ""
    facts = [Evidence(".defaultOutboundAccess", str(subnet.default_outbound_access).lower(), ref)]
    if managed is not None:
        facts.append(Evidence(".networkProfile.outboundType", kind or "(not set)", managed.ref))
    missing = unreadable(store.load_balancers)
    if subnet.default_outbound_access is False and not missing:
        return msgspec.structs.replace(
            base,
            verdict=Verdict.DROP,
            summary=f"subnet {subnet.name} has no NAT gateway, no outbound rule and no default outbound access",
            cause="R14",
            evidence=tuple(facts),
            fix="attach a NAT gateway to the subnet, or set an outbound type that has one",
        )
    return msgspec.structs.replace(
        base,
        verdict=Verdict.BLIND,
        summary=f"what translates the source for subnet {subnet.name} is not known",
        evidence=tuple(facts),
        missing=missing or "an outbound rule, a NAT gateway, or .defaultOutboundAccess of the subnet",
    )


def _blind(packet: Packet, summary: str, missing: str, subject: Ref | None) -> Step:
    return Step(
        kind=Kind.ROUTE,
        verdict=Verdict.BLIND,
        summary=summary,
        subject=subject,
        packet=packet,
        missing=missing,
        confirm="az network nic show-effective-route-table --ids NIC -o table",
        fix="grant Reader on the network of the nodes",
    )
