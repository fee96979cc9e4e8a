"""Whose address a packet has when it leaves its node: that of its Pod, or that of the node.

Sources: aks-networking.md 1.2 (overlay and kubenet leave with the node's address, pod subnets with the Pod's own, node
subnets with the Pod's own inside of the virtual network and with the node's outside of it); AKS documentation,
"Azure CNI Overlay" and "Azure CNI node subnet".
"""

import msgspec

from aksnav.model.addresses import Prefix, is_v4, parse_address, parse_prefix
from aksnav.model.kubernetes.workload import Node
from aksnav.store.store import Store
from aksnav.trace.azure.joins import attach_node, cluster, pod_prefixes
from aksnav.trace.azure.masquerade_config import kept
from aksnav.trace.azure.network_model import ModelReading, NetworkModel, model_of_pool, network_model
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_HIDDEN = frozenset({NetworkModel.OVERLAY, NetworkModel.KUBENET})
_OWN = frozenset({NetworkModel.POD_SUBNET, NetworkModel.POD_SUBNET_BLOCK})


def masquerade(store: Store, node: Node, packet: Packet) -> Step | None:
    """Return the step in which a node puts its own address in place of a Pod's, or None where it does not.

    Args:
        store: what is known.
        node: that the packet leaves.
        packet: as it leaves the Pod or the node, to an address that is no Pod's.
    """
    if packet.source is None or packet.source in _addresses(node):
        return None
    reading = _reading(store, node)
    hidden = any(packet.source in prefix for prefix in pod_prefixes(store))
    if hidden or reading.model in _HIDDEN:
        return _rewritten(node, packet, reading, "addresses of Pods exist inside of the cluster only", ())
    if reading.model in _OWN or reading.model is not NetworkModel.NODE_SUBNET:
        return None
    space = _space(store, node)
    if space is None or packet.destination is None or any(packet.destination in prefix for prefix in space):
        return None
    told = kept(store)
    if any(packet.destination in prefix for prefix in told.prefixes):
        return None
    assumed = (f"ip-masq-agent does not except this destination: {told.unread}",) if told.unread else ()
    why = "outside of the virtual network Pods of a node subnet are seen with their node's address"
    step = _rewritten(node, packet, reading, why, assumed)
    return None if step is None else msgspec.structs.replace(step, evidence=(*step.evidence, *told.evidence))


def unsure(store: Store, node: Node, packet: Packet) -> str:
    """Return why nobody can say whose address a Pod's packet has behind its node, or an empty string."""
    if packet.source is None or packet.source in _addresses(node):
        return ""
    if any(packet.source in prefix for prefix in pod_prefixes(store)):
        return ""
    reading = _reading(store, node)
    if reading.model is NetworkModel.OWN:
        return "whether the cluster's own CNI translates addresses of Pods"
    if reading.model is NetworkModel.UNKNOWN:
        return reading.missing
    if reading.model is NetworkModel.NODE_SUBNET and _space(store, node) is None:
        return unreadable(store.virtual_networks) or f"the virtual network of node {node.name}"
    return ""


def _reading(store: Store, node: Node) -> ModelReading:
    reading = network_model(store)
    managed = cluster(store)
    if reading.model is not NetworkModel.MIXED or managed is None:
        return reading
    pool = next((item for item in managed.agent_pool_profiles if item.name == node.pool), None)
    return model_of_pool(managed, pool) if pool is not None else reading


def _space(store: Store, node: Node) -> tuple[Prefix, ...] | None:
    """Return the prefixes of the node's virtual network, None where they are not known."""
    network = attach_node(store, node).network
    if network is None:
        return None
    return tuple(prefix for prefix in map(parse_prefix, network.address_space.address_prefixes) if prefix is not None)


def _addresses(node: Node) -> set[int | None]:
    return {parse_address(text) for _, text in node.addresses}


def _rewritten(node: Node, packet: Packet, reading: ModelReading, why: str, assumed: tuple[str, ...]) -> Step | None:
    wanted = packet.source is None or is_v4(packet.source)
    own = next((a for a in map(parse_address, node.internal_ips) if a is not None and is_v4(a) == wanted), None)
    if own is None:
        return None
    facts = (Evidence(".status.addresses", ", ".join(node.internal_ips), node.ref, why), *reading.evidence)
    return Step(
        kind=Kind.SNAT,
        verdict=Verdict.TRANSFORM,
        summary=f"node {node.name} puts its own address in place of the Pod's",
        subject=node.ref,
        version=node.resource_version,
        packet=packet,
        packet_after=msgspec.structs.replace(packet, source=own),
        evidence=facts,
        assumptions=assumed,
        confirm="kubectl -n kube-system get configmap -o yaml azure-ip-masq-agent-config",
    )
