"""How Pods of this cluster get their addresses: the network models of AKS, and the field that tells them apart."""

from enum import StrEnum

import msgspec

from aksnav.model.azure.cluster import AgentPool, ManagedCluster
from aksnav.model.kubernetes.workload import Node
from aksnav.store.store import Store
from aksnav.trace.azure.joins import cluster
from aksnav.trace.memo import once
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence

STATIC_BLOCK = "staticblock"
# Labels that AKS gives its nodes (AKS documentation, "Azure CNI overlay" and "pod subnet"; aks-networking.md 1.2).
NETWORK_TYPE = "kubernetes.azure.com/podnetwork-type"
OVERLAY_LABEL = "kubernetes.azure.com/azure-cni-overlay"


class NetworkModel(StrEnum):
    """The network models of AKS."""

    KUBENET = "kubenet"
    NODE_SUBNET = "Azure CNI node subnet"
    POD_SUBNET = "Azure CNI pod subnet, dynamic allocation"
    POD_SUBNET_BLOCK = "Azure CNI pod subnet, static block allocation"
    OVERLAY = "Azure CNI Overlay"
    OWN = "bring your own CNI"
    MIXED = "different in each node pool"
    UNKNOWN = "unknown"


_BY_LABEL = {
    "overlay": NetworkModel.OVERLAY,
    "vnet": NetworkModel.POD_SUBNET,
    "vnetblock": NetworkModel.POD_SUBNET_BLOCK,
}


class ModelReading(msgspec.Struct, frozen=True, gc=False):
    """The network model and the fields that say so.

    Attributes:
        model: of the whole cluster; MIXED where its pools differ.
        evidence: the deciding fields.
        missing: what would have to be readable where the model is UNKNOWN.
    """

    model: NetworkModel
    evidence: tuple[Evidence, ...] = ()
    missing: str = ""


def network_model(store: Store) -> ModelReading:
    """Return how Pods get their addresses here: as the managed cluster says, else as the labels of its nodes say."""
    return once(store, "network model", ("managedClusters", "Node"), lambda: _model(store))


def model_of_pool(managed: ManagedCluster, pool: AgentPool) -> ModelReading:
    """Return the model of one node pool (AKS documentation, "Azure CNI networking concepts").

    Args:
        managed: the cluster; its network plugin decides first.
        pool: one of its pools, whose subnet of Pods tells the forms of Azure CNI apart.
    """
    profile = managed.network_profile
    plugin, mode = profile.network_plugin.lower(), profile.network_plugin_mode.lower()
    facts = [Evidence(".networkProfile.networkPlugin", profile.network_plugin, managed.ref)]
    if plugin == "kubenet":
        return ModelReading(NetworkModel.KUBENET, tuple(facts))
    if plugin == "none":
        return ModelReading(NetworkModel.OWN, tuple(facts))
    if plugin != "azure":
        return ModelReading(NetworkModel.UNKNOWN, (), f"networkProfile.networkPlugin of cluster {managed.name}")
    facts.append(Evidence(".networkProfile.networkPluginMode", profile.network_plugin_mode or "not set", managed.ref))
    if mode == "overlay":
        return ModelReading(NetworkModel.OVERLAY, tuple(facts))
    path = f".agentPoolProfiles[?(@.name=='{pool.name}')]"
    facts.append(Evidence(f"{path}.podSubnetID", pool.pod_subnet_id or "not set", managed.ref))
    if not pool.pod_subnet_id:
        return ModelReading(NetworkModel.NODE_SUBNET, tuple(facts))
    allocation = pool.pod_ip_allocation_mode
    facts.append(Evidence(f"{path}.podIPAllocationMode", allocation or "not set", managed.ref))
    block = allocation.lower() == STATIC_BLOCK
    return ModelReading(NetworkModel.POD_SUBNET_BLOCK if block else NetworkModel.POD_SUBNET, tuple(facts))


def _model(store: Store) -> ModelReading:
    managed = cluster(store)
    if managed is not None and managed.network_profile.network_plugin:
        pools = managed.agent_pool_profiles or (AgentPool(),)
        readings = [model_of_pool(managed, pool) for pool in pools]
        models = {reading.model for reading in readings}
        facts = tuple(dict.fromkeys(fact for reading in readings for fact in reading.evidence))
        if len(models) > 1:
            return ModelReading(NetworkModel.MIXED, facts)
        return ModelReading(readings[0].model, facts, readings[0].missing)
    missing = unreadable(store.clusters) or "networkProfile.networkPlugin of the managed cluster"
    return _by_labels(store, missing)


def _by_labels(store: Store, missing: str) -> ModelReading:
    """Return what the labels of the nodes say; a node without them says nothing."""
    found: dict[NetworkModel, Evidence] = {}
    for node in store.nodes:
        said = _of_node(node)
        if said is not None:
            found.setdefault(*said)
    if not found:
        return ModelReading(NetworkModel.UNKNOWN, (), missing)
    model = next(iter(found)) if len(found) == 1 else NetworkModel.MIXED
    return ModelReading(model, tuple(found.values()))


def _of_node(node: Node) -> tuple[NetworkModel, Evidence] | None:
    kind = node.labels.get(NETWORK_TYPE, "")
    if kind in _BY_LABEL:
        return _BY_LABEL[kind], Evidence(f".metadata.labels['{NETWORK_TYPE}']", kind, node.ref)
    if node.labels.get(OVERLAY_LABEL, "") == "true":
        return NetworkModel.OVERLAY, Evidence(f".metadata.labels['{OVERLAY_LABEL}']", "true", node.ref)
    return None
