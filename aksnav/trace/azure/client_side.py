"""The client's own side of a road: what leaves a host of a virtual network that is no node and no Pod.

Sources: aks-networking.md 3.1 (leaving: the interface's group, then the subnet's) and 3.2, point 5 (a route table acts
on what leaves the interfaces of its subnets).
"""

import msgspec

from aksnav.model.addresses import format_address
from aksnav.model.azure.network import Subnet, SubResource, VirtualNetwork
from aksnav.model.object import Ref
from aksnav.model.public import is_public
from aksnav.store.store import Store
from aksnav.trace.azure import nsg_causes, routes, tags
from aksnav.trace.azure.joins import Attachment, attach, pod_prefixes
from aksnav.trace.azure.next_hop import APPLIANCE, GATEWAY, INTERNET, NONE, USER, RouteDecision, next_hop
from aksnav.trace.azure.nsg_layers import Layer, groups_at, groups_of
from aksnav.trace.azure.nsg_rules import OUTBOUND, Context
from aksnav.trace.azure.nsg_steps import Asked, stretch, with_cause
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Kind, Step, Verdict


def leaving(store: Store, packet: Packet) -> tuple[Step, ...]:
    """Return what the groups and the routes of a client's own subnet do with what it sends; nothing if it is unknown.

    Of routes only a user-defined one that decides is told. Behind a step that drops the others are told as well.

    Args:
        store: what is known.
        packet: as the client sends it.
    """
    if packet.source is None or is_public(packet.source) or packet.destination is None:
        return ()
    at = attach(store, packet.source)
    if at.network is None or at.subnet is None:
        return ()
    return (*_filtered(store, (at.network, at.subnet), at, packet), *_routed(store, at.subnet, packet))


def _filtered(store: Store, place: tuple[VirtualNetwork, Subnet], at: Attachment, packet: Packet) -> tuple[Step, ...]:
    """Return what the groups of a client's interface and subnet do with its packet (N17)."""
    network, subnet = place
    layers = []
    interface = at.interface
    if interface is not None and _is_set(interface.network_security_group):
        where = f"network interface {interface.name}"
        layers.append(Layer(where=where, group=interface.network_security_group, owner=interface.ref))
    owner = Ref("subnets", subnet.id)
    layers.append(Layer(where=f"subnet {subnet.name}", group=subnet.network_security_group, owner=owner))
    context = Context(
        space=tags.space(store, network, subnet),
        source_groups=groups_of(at),
        destination_groups=groups_at(store, packet.destination),
        groups_unsure="its address is on no network interface that is read, so its security groups are not known",
    )
    steps = stretch(store, network, layers, Asked(OUTBOUND, packet, "as the client sends it", context))
    if interface is None and steps[-1].verdict is not Verdict.DROP:
        shown = format_address(packet.source or 0)
        why = unreadable(store.interfaces) or "it is on no network interface that is read"
        unread = f"no security group of the interface of {shown} denies: {why} (az network nic list)"
        steps[-1] = msgspec.structs.replace(steps[-1], assumptions=(*steps[-1].assumptions, unread))
    cause = nsg_causes.outbound(packet)
    return tuple(
        with_cause(step, cause) if step.kind is Kind.NSG and step.verdict is Verdict.DROP else step for step in steps
    )


def _is_set(reference: SubResource | None) -> bool:
    return reference is not None and bool(reference.arm_id)


def _routed(store: Store, subnet: Subnet, packet: Packet) -> tuple[Step, ...]:
    """Return the user-defined route that decides where a client's packet goes; nothing where the system's does.

    Peerings, and what the system knows no route to, are judged on the way back: both directions need them.
    """
    address = packet.destination
    if address is None or any(address in prefix for prefix in pod_prefixes(store)):
        return ()
    decision = next_hop(store, subnet, address)
    if decision.unknown:
        return (routes.unknown_step(subnet, packet, decision),)
    if decision.source != USER:
        return ()
    return (judged(store, subnet, packet, decision),)


def judged(store: Store, subnet: Subnet, packet: Packet, decision: RouteDecision) -> Step:
    """Return the step of a user-defined route for a packet of a subnet: a black hole drops it, an appliance may.

    Args:
        store: what is known.
        subnet: that the packet leaves.
        packet: with an address to go to.
        decision: a user-defined route.
    """
    step = routes.forward_step(store, subnet, packet, decision)
    if step.verdict is Verdict.DROP:
        return step
    name = decision.route.name if decision.route is not None else ""
    private = packet.destination is not None and not is_public(packet.destination)
    if decision.hop == NONE or (decision.hop == INTERNET and private):
        why = "" if decision.hop == NONE else ": a private address leads nowhere there"
        return msgspec.structs.replace(
            step,
            verdict=Verdict.DROP,
            summary=f"{step.summary}{why}",
            cause="R02",
            fix=f"correct route {name}",
        )
    if decision.hop == APPLIANCE:
        line = f"the appliance at {decision.address} lets the packet through: its rules are not read"
        return msgspec.structs.replace(step, assumptions=(*step.assumptions, line))
    if decision.hop == GATEWAY:
        line = f"the gateway to which route {name} sends brings the packet to where it goes: it is not read"
        return msgspec.structs.replace(step, assumptions=(*step.assumptions, line))
    return step
