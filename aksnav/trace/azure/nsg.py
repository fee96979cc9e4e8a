"""Network security groups on the road: into a node from outside, and between nodes.

Sources: aks-networking.md 2.0 (T1: which tuple a rule must match) and 3.1 (the chain: security admin rules, inbound
subnet then interface, outbound interface then subnet; no group allows; traffic within a subnet is filtered as well;
answers of a flow that was let in are not asked again).
"""

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.azure.network import NetworkSecurityGroup, Subnet, VirtualNetwork
from aksnav.model.kubernetes.workload import Node
from aksnav.model.object import Ref
from aksnav.model.public import is_public
from aksnav.store.store import Store
from aksnav.trace.azure import nsg_causes, tags
from aksnav.trace.azure.joins import attach_node, public_ip_at
from aksnav.trace.azure.masquerade import masquerade
from aksnav.trace.azure.nsg_layers import Layer, groups_at, groups_of, interface_layer, subnet_at, subnet_layer
from aksnav.trace.azure.nsg_rules import INBOUND, OUTBOUND, Context, RuleDecision, evaluate
from aksnav.trace.azure.nsg_steps import Asked, blind, stretch, with_cause
from aksnav.trace.kubectl import show
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Entry, Place
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence, Kind, Step, Verdict

__all__ = ["RuleDecision", "as_sent", "between", "evaluate", "into_node", "out_of_node"]


def into_node(store: Store, node: Node, packet: Packet) -> tuple[Step, ...]:
    """Return what the groups of a node's subnet and interface do with a packet from outside.

    Args:
        store: what is known.
        node: the node that takes the packet.
        packet: as its interface sees it: with floating IP to the frontend's address and the Service's port, else to
            the node's address and the nodePort (destination None stands for the node's own address); source None is
            any client of the internet.

    Returns:
        A step for each layer; behind one that drops the others are told as well, because they may be broken too.
    """
    at, asked = attach_node(store, node), packet.destination
    own = [number for number in map(parse_address, node.internal_ips) if number is not None]
    seen = "to the node's own address"
    # A node's own public address is translated before groups are asked, a load balancer's frontend is not (T1).
    if own and (packet.destination is None or packet.destination in _external(node)):
        if packet.destination is not None:
            seen = "the node's public address is translated before groups are asked"
        packet = msgspec.structs.replace(packet, destination=own[0])
    frontend = packet.destination not in own
    if frontend:
        seen = "the load balancer keeps the frontend's address and port (floating IP)"
    context = Context(
        space=tags.space(store, at.network, at.subnet),
        source_groups=frozenset() if packet.source is None else groups_at(store, packet.source),
        destination_groups=groups_of(at),
        frontend=frontend,
    )
    layers = (subnet_layer(store, at.network, at.subnet, node), interface_layer(store, at, node))
    steps = stretch(store, at.network, layers, Asked(INBOUND, packet, seen, context))
    if asked is not None and is_public(asked) and all(map(_bare, layers)) and steps[-1].verdict is Verdict.PASS:
        steps[-1] = _closed(store, asked, steps[-1])
    return tuple(_explained(store, node, step, context) for step in steps)


def _bare(layer: Layer) -> bool:
    """Return whether it is known that no group stands at a layer."""
    return layer.found is None and not layer.blind and (layer.group is None or not layer.group.arm_id)


def _closed(store: Store, address: int, step: Step) -> Step:
    """Return the step of a packet from the internet that meets no group: what is of sku Standard is closed then (N01).

    Source: Azure documentation, load-balancer/load-balancer-overview ("Secure by default"): without a security group on
    the subnet or on the interface, traffic is not allowed to reach a machine behind a Standard public address. Basic
    was open.
    """
    public = public_ip_at(store, address)
    sku = public.sku.name if public is not None else ""
    if sku.lower() == "basic":
        return step
    fact = Evidence(".sku.name", sku or "(not said)", public.ref if public is not None else None, "closed by default")
    unsaid = () if sku else (f"the public address {format_address(address)} is of sku Standard: its sku is not said",)
    return msgspec.structs.replace(
        step,
        verdict=Verdict.DROP,
        summary=f"{step.summary.partition(':')[0]}, nor the other layer: a Standard public address is closed then",
        cause="N01",
        evidence=(*step.evidence, fact),
        assumptions=(*step.assumptions, *unsaid),
        confirm=f"az network public-ip list --query \"[?ipAddress=='{format_address(address)}'].sku\"",
        fix="put a security group on the subnet or the interfaces, with a rule that allows the clients",
    )


def _explained(store: Store, node: Node, step: Step, context: Context) -> Step:
    """Return a step into a node with its fault, where a group denies."""
    if step.kind is not Kind.NSG or step.verdict is not Verdict.DROP or step.subject is None:
        return step
    group = store.security_groups.get(step.subject.id)
    if group is None:
        return step
    where = step.summary.partition(f", {group.name}:")[0]
    return with_cause(step, nsg_causes.into_node(nsg_causes.Case(store, group, step.packet, context, node, where)))


def as_sent(store: Store, node: Node, packet: Packet) -> Packet:
    """Return a packet as it leaves the cluster: with the node's address, where the network model has it so."""
    step = masquerade(store, node, packet)
    return packet if step is None or step.packet_after is None else step.packet_after


def out_of_node(store: Store, node: Node, packet: Packet) -> tuple[Step, ...]:
    """Return what the groups of a node's interface and subnet do with a packet to outside of the cluster.

    Args:
        store: what is known.
        node: that sends it.
        packet: as it leaves the Pod or the node; a Pod of an overlay leaves the cluster with its node's address.
    """
    at, sent = attach_node(store, node), as_sent(store, node, packet)
    seen = "with the sender's own address"
    if sent.source != packet.source:
        seen = "a Pod of an overlay leaves the cluster with its node's address"
    place = subnet_at(store, sent.source, at)
    context = Context(
        space=tags.space(store, *place),
        source_groups=groups_of(at),
        destination_groups=frozenset() if sent.destination is None else groups_at(store, sent.destination),
    )
    layers = (interface_layer(store, at, node), subnet_layer(store, *place, node))
    steps = stretch(store, place[0], layers, Asked(OUTBOUND, sent, seen, context))
    cause = nsg_causes.outbound(sent)
    return tuple(
        with_cause(step, cause) if step.kind is Kind.NSG and step.verdict is Verdict.DROP else step for step in steps
    )


def _external(node: Node) -> set[int | None]:
    return {parse_address(text) for kind, text in node.addresses if kind == "ExternalIP"}


def between(store: Store, crossing: Crossing) -> tuple[Step, ...]:
    """Return what groups do with a packet from one node to another, Pod to Pod or after a second hop.

    Leaving is judged at the sender's interface and subnet, arriving at the receiver's subnet and interface. Nothing is
    crossed on one node. Where the receiver is neither Pod nor node, the packet leaves only (``out_of_node``).
    """
    start, end = _start(crossing).facing(crossing.packet.destination), crossing.destination
    here, there = _node_name(start), _node_name(end)
    if here and here == there:
        return ()
    packet = _hop_packet(crossing, start)
    if start.node is not None and end.node is None and end.pod is None:
        return out_of_node(store, start.node, packet)
    seen = "between nodes, with the addresses of sender and receiver"
    if crossing.entry is Entry.CLUSTER and start.node is not None:
        seen = "the node that took the packet puts its own address in place of the client's"
    steps: list[Step] = []
    if start.node is not None:
        at = attach_node(store, start.node)
        subnet = subnet_at(store, packet.source, at)
        layers = (interface_layer(store, at, start.node), subnet_layer(store, *subnet, start.node))
        steps += _hop(store, subnet, layers, OUTBOUND, packet, seen)
    steps += _hidden_node(store, start, packet)
    if end.node is not None:
        at = attach_node(store, end.node)
        subnet = subnet_at(store, packet.destination, at)
        layers = (subnet_layer(store, *subnet, end.node), interface_layer(store, at, end.node))
        steps += _hop(store, subnet, layers, INBOUND, packet, seen)
    return (*steps, *_hidden_node(store, end, packet))


def _hidden_node(store: Store, place: Place, packet: Packet) -> tuple[Step, ...]:
    """Return the blind step of a Pod whose node is there and cannot be read: its groups may deny."""
    name = place.pod.node if place.pod is not None and place.node is None else ""
    missing = (store.nodes.undecodable.get(name) or unreadable(store.nodes)) if name else ""
    if not missing:
        return ()
    ref = Ref(Node.KIND, name)
    step = blind(Layer(where=f"node {name}", owner=ref), packet, missing)
    return (msgspec.structs.replace(step, confirm=show(ref), fix="grant list and watch on nodes"),)


def _start(crossing: Crossing) -> Place:
    """Return where the stretch begins: at the node that took the packet, where one did and rewrote its source."""
    if crossing.entry_node is not None and crossing.entry is Entry.CLUSTER:
        return Place.of_node(crossing.entry_node)
    return crossing.source


def _node_name(place: Place) -> str:
    return place.node.name if place.node is not None else place.pod.node if place.pod is not None else ""


def _hop_packet(crossing: Crossing, start: Place) -> Packet:
    packet = crossing.packet
    source = start.address if crossing.entry is Entry.CLUSTER and start.node is not None else packet.source
    return msgspec.structs.replace(
        packet,
        source=source if source is not None else start.address,
        destination=packet.destination if packet.destination is not None else crossing.destination.address,
    )


def _hop(
    store: Store,
    at: tuple[VirtualNetwork | None, Subnet | None],
    layers: tuple[Layer, Layer],
    direction: str,
    packet: Packet,
    seen: str,
) -> list[Step]:
    """Return what the layers of one end do between nodes."""
    context = Context(
        space=tags.space(store, *at),
        source_groups=frozenset() if packet.source_word == "Internet" else groups_at(store, packet.source),
        destination_groups=groups_at(store, packet.destination),
        groups_unsure="its address is on no network interface that is read, so its security groups are not known",
    )
    steps = stretch(store, at[0], layers, Asked(direction, packet, seen, context))
    # A sender without an address is not "any client of the internet", unless the packet says that it is one.
    if packet.source is None and packet.source_word != "Internet":
        return [_unsent(layer, packet, step) for layer, step in zip(layers, steps[-len(layers) :], strict=True)]
    cause = nsg_causes.between(store, packet, direction)
    return [
        with_cause(step, cause)
        if step.kind is Kind.NSG and step.verdict is Verdict.DROP and _is_read(store, step)
        else step
        for step in steps
    ]


def _unsent(layer: Layer, packet: Packet, step: Step) -> Step:
    if step.subject is None or step.subject.kind != NetworkSecurityGroup.KIND:
        return step
    return blind(layer, packet, "the address of the sender", step.subject.id)


def _is_read(store: Store, step: Step) -> bool:
    return step.subject is not None and store.security_groups.get(step.subject.id) is not None
