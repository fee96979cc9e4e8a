"""Which network model a node pool has: it decides where its nodes and Pods take their addresses from.

Sources: AKS documentation, concepts-network-azure-cni-overlay.md, concepts-network-azure-cni-pod-subnet.md,
concepts-network-legacy-cni.md (aks-networking.md 1.2).
"""

from enum import StrEnum

from aksnav.model.azure.cluster import AgentPool, ManagedCluster


class Model(StrEnum):
    """Where Pods take their addresses from."""

    KUBENET = "kubenet"
    OVERLAY = "Azure CNI Overlay"
    NODE_SUBNET = "Azure CNI node subnet"
    POD_SUBNET = "Azure CNI pod subnet, dynamic"
    POD_BLOCKS = "Azure CNI pod subnet, static blocks"
    OWN = "bring your own CNI"
    UNKNOWN = "unknown"


FROM_POD_CIDR = frozenset({Model.KUBENET, Model.OVERLAY})
FROM_POD_SUBNET = frozenset({Model.POD_SUBNET, Model.POD_BLOCKS})


def model_of(cluster: ManagedCluster, pool: AgentPool) -> Model:
    """Return the network model of a pool; in Azure CNI without Overlay every pool can have its own."""
    profile = cluster.network_profile
    match profile.network_plugin.lower(), profile.network_plugin_mode.lower():
        case "kubenet", _:
            return Model.KUBENET
        case "none", _:
            return Model.OWN
        case "azure", "overlay":
            return Model.OVERLAY
        case "azure", "":
            if not pool.pod_subnet_id:
                return Model.NODE_SUBNET
            static = pool.pod_ip_allocation_mode.lower() == "staticblock"
            return Model.POD_BLOCKS if static else Model.POD_SUBNET
    return Model.UNKNOWN


def models_of(cluster: ManagedCluster) -> tuple[Model, ...]:
    """Return the models of a cluster's pools, each once, in the order of the pools."""
    return tuple(dict.fromkeys(model_of(cluster, pool) for pool in cluster.agent_pool_profiles))


def pod_cidrs(cluster: ManagedCluster) -> tuple[str, ...]:
    """Return the Pod CIDRs, whichever field Azure filled; none where Pods take addresses of the virtual network."""
    profile = cluster.network_profile
    return profile.pod_cidrs or ((profile.pod_cidr,) if profile.pod_cidr else ())


def service_cidrs(cluster: ManagedCluster) -> tuple[str, ...]:
    """Return the service CIDRs, whichever field Azure filled."""
    profile = cluster.network_profile
    return profile.service_cidrs or ((profile.service_cidr,) if profile.service_cidr else ())


def families(cluster: ManagedCluster) -> int:
    """Return the number of address families: two in a dual-stack cluster."""
    listed = len(cluster.network_profile.ip_families)
    return max(listed, 2 if any(":" in text for text in pod_cidrs(cluster)) else 1)
