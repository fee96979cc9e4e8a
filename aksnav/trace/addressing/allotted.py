"""Addresses that nodes take for Pods ahead of need, as AKS allots them.

Sources: AKS documentation, concepts-network-azure-cni-pod-subnet.md, "Plan IP addressing" of both modes;
concepts-network-legacy-cni.md, "Azure CNI Node Subnet"; for the most that a node asks for, azure-container-networking
cns/ipampool/v2 (the request is cut to maxPods).
"""

from aksnav.model.azure.cluster import AgentPool, ManagedCluster
from aksnav.model.kubernetes.workload import Node
from aksnav.store import Store
from aksnav.trace.addressing.models import FROM_POD_SUBNET, Model, model_of
from aksnav.trace.azure.joins import cluster

BATCH = 16
MIN_FREE = 8
BLOCK = 16


def batches(pods: int, max_pods: int) -> int:
    """Return the addresses that a node holds for so many Pods in dynamic allocation.

    It begins with 16 and asks for 16 more whenever fewer than 8 are unassigned; never for more than maxPods.

    Args:
        pods: Pods on the node that have an address of their own.
        max_pods: the pool's maxPods, 0 where it is not known.
    """
    wanted = BATCH * max(1, -(-(pods + MIN_FREE) // BATCH))
    return min(wanted, max_pods) if max_pods else wanted


def blocks(max_pods: int) -> int:
    """Return the /28 blocks of a node in static block allocation: one address of them all is the node's."""
    return -(-(max_pods + 1) // BLOCK)


def allotted(store: Store) -> dict[str, int]:
    """Return the addresses of each pod subnet that nodes must hold, by the subnet's id in lower case."""
    managed = cluster(store)
    found: dict[str, int] = {}
    if managed is None:
        return found
    pools = {pool.name.lower(): pool for pool in managed.agent_pool_profiles}
    for node in store.nodes:
        pool = pools.get(node.pool.lower())
        if pool is None or not pool.pod_subnet_id:
            continue
        key = pool.pod_subnet_id.lower()
        found[key] = found.get(key, 0) + held_by(store, managed, pool, node)
    return found


def held_by(store: Store, managed: ManagedCluster, pool: AgentPool, node: Node) -> int:
    """Return the addresses of the pod subnet that one node holds."""
    model = model_of(managed, pool)
    if model not in FROM_POD_SUBNET:
        return 0
    if model is Model.POD_BLOCKS:
        return blocks(pool.max_pods) * BLOCK
    return batches(pods_on(store, node), pool.max_pods)


def pods_on(store: Store, node: Node) -> int:
    """Return how many Pods of a node have an address of their own, or wait for one."""
    return sum(not pod.template.host_network and not pod.finished for pod in store.pods_of_node(node.name))
