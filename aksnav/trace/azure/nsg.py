"""Network security groups on the road: into a node from outside, and between nodes.

Sources: aks-networking.md 2.0 (T1: which tuple a rule must match) and 3.1 (the chain: inbound subnet then interface,
outbound interface then subnet; no group allows).
"""

from shlex import quote

import msgspec

from aksnav.model.addresses import format_address, is_v4, parse_address
from aksnav.model.azure.network import NetworkSecurityGroup, Subnet, SubResource, VirtualNetwork
from aksnav.model.kubernetes.workload import Node
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure import nsg_causes, tags
from aksnav.trace.azure.joins import (
    Attachment,
    attach_node,
    group_of,
    group_of_machine,
    interface_at,
    pod_prefixes,
    stale,
    subnet_of,
    unreadable,
)
from aksnav.trace.azure.nsg_rules import (
    ALLOW,
    INBOUND,
    OUTBOUND,
    Context,
    RuleDecision,
    destinations,
    end_facts,
    evaluate,
)
from aksnav.trace.kubectl import show
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Entry, Place
from aksnav.trace.policy.who import is_public
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

__all__ = ["RuleDecision", "between", "evaluate", "into_node", "out_of_node"]

# What nodes send to these is exempt, unless a rule names the platform tags (aks-networking.md, 3.1).
_EXEMPT = frozenset({tags.PLATFORM, tags.METADATA})
_ADMIN_RULES = Considered("security admin rules", False, "not read: Azure Virtual Network Manager may deny before this")


class Layer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One place in the chain where a group may stand.

    Attributes:
        where: subnet or interface, with its name.
        group: the reference to the group; None where there is none.
        found: the group, where the reference is not needed to find it.
        owner: the object that refers to the group.
        blind: why it is not known whether there is a group, else empty.
        assumed: what is taken for granted about the group, else empty.
    """

    where: str
    group: SubResource | None = None
    found: NetworkSecurityGroup | None = None
    owner: Ref | None = None
    blind: str = ""
    assumed: str = ""


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
    at = attach_node(store, node)
    own = [number for number in map(parse_address, node.internal_ips) if number is not None]
    # A node's own public address is translated before groups are asked, a load balancer's frontend is not (T1).
    if own and (packet.destination is None or packet.destination in _external(node)):
        packet = msgspec.structs.replace(packet, destination=own[0])
    context = Context(
        space=tags.space(store, at.network, at.subnet),
        source_groups=frozenset() if packet.source is None else _groups_at(store, packet.source),
        destination_groups=_groups_of(at),
        frontend=packet.destination not in own,
    )
    steps = []
    for layer in (_subnet_layer(store, at.network, at.subnet, node), _interface_layer(store, at, node)):
        step = _layer(store, layer, INBOUND, packet, context)
        if step.verdict is Verdict.DROP and step.subject is not None:
            group = store.security_groups.get(step.subject.id)
            case = nsg_causes.Case(store, group, packet, context, node, layer.where) if group is not None else None
            step = _with_cause(step, nsg_causes.into_node(case)) if case is not None else step
        steps.append(step)
    return tuple(steps)


def as_sent(store: Store, node: Node, packet: Packet) -> Packet:
    """Return a packet as it leaves the cluster: with the node's address, where Pods have addresses of an overlay.

    Source: aks-networking.md 1.2 (Azure CNI overlay, kubenet).
    """
    own = parse_address(node.internal_ips[0]) if node.internal_ips else None
    overlaid = packet.source is not None and any(packet.source in prefix for prefix in pod_prefixes(store))
    return msgspec.structs.replace(packet, source=own) if overlaid and own is not None else packet


def out_of_node(store: Store, node: Node, packet: Packet) -> tuple[Step, ...]:
    """Return what the groups of a node's interface and subnet do with a packet to outside of the cluster.

    Args:
        store: what is known.
        node: that sends it.
        packet: as it leaves the Pod or the node; a Pod of an overlay leaves the cluster with its node's address.
    """
    at, packet = attach_node(store, node), as_sent(store, node, packet)
    place = _subnet_at(store, packet.source, at)
    context = Context(
        space=tags.space(store, *place),
        source_groups=_groups_of(at),
        destination_groups=frozenset() if packet.destination is None else _groups_at(store, packet.destination),
    )
    layers = (_interface_layer(store, at, node), _subnet_layer(store, *place, node))
    steps = [_layer(store, layer, OUTBOUND, packet, context) for layer in layers]
    cause = nsg_causes.outbound(packet)
    return tuple(_with_cause(step, cause) if step.verdict is Verdict.DROP else step for step in steps)


def _external(node: Node) -> set[int | None]:
    return {parse_address(text) for kind, text in node.addresses if kind == "ExternalIP"}


def between(store: Store, crossing: Crossing) -> tuple[Step, ...]:
    """Return what groups do with a packet from one node to another, Pod to Pod or after a second hop.

    Leaving is judged at the sender's interface and subnet, arriving at the receiver's subnet and interface. Nothing is
    crossed on one node. Where the receiver is neither Pod nor node, the packet leaves only (``out_of_node``).
    """
    start, end = _start(crossing), crossing.destination
    here, there = _node_name(start), _node_name(end)
    if here and here == there:
        return ()
    packet = _hop_packet(crossing, start)
    if start.node is not None and end.node is None and end.pod is None:
        return out_of_node(store, start.node, packet)
    steps: list[Step] = []
    if start.node is not None:
        at = attach_node(store, start.node)
        subnet = _subnet_at(store, packet.source, at)
        context = _between_context(store, subnet, packet)
        layers = (_interface_layer(store, at, start.node), _subnet_layer(store, *subnet, start.node))
        steps += [_hop(store, layer, OUTBOUND, packet, context) for layer in layers]
    steps += _hidden_node(store, start, packet)
    if end.node is not None:
        at = attach_node(store, end.node)
        subnet = _subnet_at(store, packet.destination, at)
        context = _between_context(store, subnet, packet)
        layers = (_subnet_layer(store, *subnet, end.node), _interface_layer(store, at, end.node))
        steps += [_hop(store, layer, INBOUND, packet, context) for layer in layers]
    return (*steps, *_hidden_node(store, end, packet))


def _hidden_node(store: Store, place: Place, packet: Packet) -> tuple[Step, ...]:
    """Return the blind step of a Pod whose node is there and cannot be read: its groups may deny."""
    name = place.pod.node if place.pod is not None and place.node is None else ""
    missing = (store.nodes.undecodable.get(name) or unreadable(store.nodes)) if name else ""
    if not missing:
        return ()
    ref = Ref(Node.KIND, name)
    step = _blind(Layer(where=f"node {name}", owner=ref), packet, missing)
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


def _between_context(store: Store, at: tuple[VirtualNetwork | None, Subnet | None], packet: Packet) -> Context:
    return Context(
        space=tags.space(store, *at),
        source_groups=_groups_at(store, packet.source),
        destination_groups=_groups_at(store, packet.destination),
        groups_unsure="its address is on no network interface that is read, so its security groups are not known",
    )


def _subnet_at(store: Store, address: int | None, at: Attachment) -> tuple[VirtualNetwork | None, Subnet | None]:
    """Return the subnet that an address is in: the Pod subnet where Pods have one, else the node's."""
    found = subnet_of(store, address) if address is not None else None
    return found if found is not None else (at.network, at.subnet)


def _groups_at(store: Store, address: int | None) -> frozenset[str] | None:
    found = interface_at(store, address) if address is not None else None
    if found is None:
        return frozenset() if address is not None and is_public(address) else None
    return frozenset(item.id for item in found[1].application_security_groups)


def _groups_of(at: Attachment) -> frozenset[str] | None:
    if at.configuration is None:
        return None
    return frozenset(item.id for item in at.configuration.application_security_groups)


def _subnet_layer(store: Store, network: VirtualNetwork | None, subnet: Subnet | None, node: Node) -> Layer:
    if subnet is None or network is None:
        why = unreadable(store.virtual_networks) or f"no known subnet holds the addresses of node {node.name}"
        return Layer(where="subnet", blind=why)
    owner = Ref("subnets", subnet.id)
    return Layer(where=f"subnet {subnet.name}", group=subnet.network_security_group, owner=owner)


def _interface_layer(store: Store, at: Attachment, node: Node) -> Layer:
    where = f"network interface of {node.name}"
    if at.interface is not None:
        return Layer(where=where, group=at.interface.network_security_group, owner=at.interface.ref)
    group = group_of_machine(store, node)
    if group is not None:
        return Layer(where=where, found=group, owner=node.ref)
    missing = unreadable(store.interfaces)
    own = None if missing else _node_group(store, node)
    if own is not None:
        assumed = f"the interface of node {node.name} has {own.name}, which AKS puts on every node"
        return Layer(where=where, found=own, owner=node.ref, assumed=assumed)
    return Layer(where=where, blind=at.blind or missing)


def _node_group(store: Store, node: Node) -> NetworkSecurityGroup | None:
    """Return the one group that AKS made for its nodes, in their resource group (aks-networking.md 1.6).

    Interfaces of scale sets are in no list of a resource group's interfaces, so a capture made with az lacks them.
    """
    scope = group_of(node.provider_id)
    own = [
        group
        for group in store.security_groups
        if scope and group_of(group.id) == scope and group.name.startswith("aks-agentpool-")
    ]
    return own[0] if len(own) == 1 else None


def _hop(store: Store, layer: Layer, direction: str, packet: Packet, context: Context) -> Step:
    """Return what one layer does between nodes; a sender without an address is not "any client of the internet"."""
    step = _layer(store, layer, direction, packet, context)
    if packet.source is None and step.subject is not None and step.subject.kind == NetworkSecurityGroup.KIND:
        missing = "the address of the sender"
        return _blind(layer, packet, missing, step.subject.id)
    if step.verdict is not Verdict.DROP or step.subject is None:
        return step
    group = store.security_groups.get(step.subject.id)
    return step if group is None else _with_cause(step, nsg_causes.between(store, packet, direction))


def _layer(store: Store, layer: Layer, direction: str, packet: Packet, context: Context) -> Step:
    """Return what one layer of the chain does with a packet."""
    if layer.blind:
        return _blind(layer, packet, layer.blind)
    if layer.found is None and (layer.group is None or not layer.group.arm_id):
        return Step(
            kind=Kind.NSG,
            verdict=Verdict.PASS,
            summary=f"{layer.where} has no network security group: nothing is filtered",
            subject=layer.owner,
            packet=packet,
            evidence=(Evidence(".networkSecurityGroup", "(none)", layer.owner),),
        )
    ident = layer.group.id if layer.group is not None else ""
    group = layer.found or store.security_groups.get(ident)
    if group is None:
        reason = store.security_groups.undecodable.get(ident)
        missing = (
            reason or unreadable(store.security_groups, group_of(ident)) or f"{ident.rpartition('/')[2]} is not there"
        )
        return _blind(layer, packet, missing, ident)
    decision = evaluate(group, direction, packet, context)
    if direction == OUTBOUND and packet.destination in _EXEMPT and not _names_platform(decision):
        return _exempt(layer, group, packet)
    return _decided(store, layer, group, packet, decision)


def _decided(
    store: Store,
    layer: Layer,
    group: NetworkSecurityGroup,
    packet: Packet,
    decision: RuleDecision,
) -> Step:
    rule = decision.rule
    name = f"rule {rule.priority} {rule.name}" if rule is not None else "the end of the rules"
    told = f"{packet.protocol} {_address(packet.source)} → {_address(packet.destination)}:{packet.port}"
    facts: tuple[Evidence, ...] = ()
    if rule is not None:
        field = _field(group, rule.name)
        facts = (
            Evidence(f"{field}.access", rule.access, group.ref, f"priority {rule.priority}, {rule.direction.lower()}"),
            *end_facts(rule, field, group.ref),
        )
    verdict = Verdict.BLIND if not decision.access else Verdict.PASS if decision.access == ALLOW else Verdict.DROP
    verb = {Verdict.PASS: "allows", Verdict.DROP: "denies"}.get(verdict, "may or may not decide")
    return Step(
        kind=Kind.NSG,
        verdict=verdict,
        summary=f"{layer.where}, {group.name}: {name} {verb} {told}"
        + (f": {decision.unknown}" if decision.unknown else ""),
        subject=group.ref,
        version=group.etag,
        packet=packet,
        evidence=facts,
        considered=(_ADMIN_RULES, *decision.considered),
        assumptions=(
            *stale(store.security_groups, store.virtual_networks, store.interfaces, store.nodes),
            *filter(None, (layer.assumed,)),
            *decision.assumed,
        ),
        missing=decision.unknown,
        confirm=_confirm(group),
        fix=f"make the answer plain: let {name} name prefixes, and no source ports" if decision.unknown else "",
    )


def _names_platform(decision: RuleDecision) -> bool:
    listed = destinations(decision.rule) if decision.rule is not None else ()
    return any(text.lower().startswith("azureplatform") for text in listed)


def _exempt(layer: Layer, group: NetworkSecurityGroup, packet: Packet) -> Step:
    fact = Evidence(".securityRules", "traffic of the platform addresses is exempt", group.ref)
    summary = f"{layer.where}, {group.name}: traffic with the platform's own address is not filtered"
    return Step(
        kind=Kind.NSG, verdict=Verdict.PASS, summary=summary, subject=group.ref, packet=packet, evidence=(fact,)
    )


def _blind(layer: Layer, packet: Packet, missing: str, ident: str = "") -> Step:
    return Step(
        kind=Kind.NSG,
        verdict=Verdict.BLIND,
        summary=f"{layer.where}: its network security group cannot be read",
        subject=Ref("networkSecurityGroups", ident) if ident else layer.owner,
        packet=packet,
        missing=missing,
        confirm="az network nsg list --query '[].id'",
        fix="grant Reader on the network resources (Microsoft.Network/*/read)",
    )


def _with_cause(step: Step, cause: nsg_causes.Cause) -> Step:
    return msgspec.structs.replace(
        step,
        cause=cause.id,
        summary=f"{step.summary}{cause.said}",
        evidence=(*step.evidence, *cause.evidence),
        fix=cause.fix,
    )


def _field(group: NetworkSecurityGroup, name: str) -> str:
    for number, rule in enumerate(group.security_rules):
        if rule.name == name:
            return f".securityRules[{number}]"
    for number, rule in enumerate(group.default_security_rules or ()):
        if rule.name == name:
            return f".defaultSecurityRules[{number}]"
    return f".defaultSecurityRules[?name=='{name}']"


def _confirm(group: NetworkSecurityGroup) -> str:
    scope = group_of(group.id).rpartition("/")[2]
    return f"az network nsg rule list -g {quote(scope)} --nsg-name {quote(group.name)} --include-default -o table"


def _address(address: int | None) -> str:
    if address is None:
        return "Internet"
    text = format_address(address)
    return text if is_v4(address) else f"[{text}]"
