"""In which subnet the nodes of a pool are, where the pool does not name it: AKS made the network itself."""

import msgspec

from aksnav.model.azure.cluster import AgentPool, ManagedCluster
from aksnav.store import Store
from aksnav.trace.azure.joins import attach_node


def placed(store: Store, managed: ManagedCluster) -> ManagedCluster:
    """Return the cluster with the subnet of every pool, as far as interfaces of its nodes tell.

    A pool whose nodes cannot be told is in the subnet of the others, where these are all in one: in a network that AKS
    made, there is but one for nodes.
    """
    pools = managed.agent_pool_profiles
    if all(pool.vnet_subnet_id for pool in pools):
        return managed
    found: dict[str, set[str]] = {}
    for node in store.nodes:
        subnet = attach_node(store, node).subnet
        if subnet is not None:
            found.setdefault(node.pool.lower(), set()).add(subnet.arm_id)
    everywhere = {ident for idents in found.values() for ident in idents}
    filled = tuple(_with_subnet(pool, found.get(pool.name.lower(), everywhere)) for pool in pools)
    return msgspec.structs.replace(managed, agent_pool_profiles=filled)


def _with_subnet(pool: AgentPool, idents: set[str]) -> AgentPool:
    if pool.vnet_subnet_id or len(idents) != 1:
        return pool
    return msgspec.structs.replace(pool, vnet_subnet_id=next(iter(idents)))
