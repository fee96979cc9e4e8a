"""What else changes on the way: outbound ports of a node by the size of the pool, rules of the load balancers.

Sources: aks-networking.md 3.2 (ports by pool size: Azure documentation, load-balancer-outbound-connections.md) and 7
(300 rules for each network interface: cloud-provider-azure documentation, multislb).
"""

from collections.abc import Iterator

from aksnav.model.azure.cluster import ManagedCluster
from aksnav.store import Store
from aksnav.trace.readable import unreadable

RULES_PER_INTERFACE = 300
INSTANCES_PER_POOL = 1000  # cloud-provider-azure documentation, loadbalancer; a newer page of Azure says 5,000
# Machines of the pool up to which each has so many outbound ports.
_PORTS = ((50, 1024), (100, 512), (200, 256), (400, 128), (800, 64), (1000, 32))


def ports_of_node(nodes: int) -> int | None:
    """Return the outbound ports that Azure gives to each of so many nodes; None where it gives none."""
    return next((ports for most, ports in _PORTS if nodes <= most), None)


def notes(store: Store, managed: ManagedCluster, most: int | None) -> Iterator[str]:
    """Yield what changes although everything fits.

    Args:
        store: for the load balancers.
        managed: the cluster.
        most: nodes at the maximum of every pool, None where that is not known.
    """
    yield from _ports(store, managed, most)
    if most is not None and most > INSTANCES_PER_POOL:
        yield f"load balancer pools: {most} nodes at the maximum; documents differ on the most: 1000 or 5000"
    rules = most_rules(store)
    if rules is not None:
        yield f"load balancer rules for each node: {rules} of {RULES_PER_INTERFACE}"


def _ports(store: Store, managed: ManagedCluster, most: int | None) -> Iterator[str]:
    if managed.network_profile.outbound_type.lower() != "loadbalancer" or unreadable(store.load_balancers):
        return
    found = [rule for balancer in store.load_balancers for rule in balancer.outbound_rules]
    if not found or any(rule.allocated_outbound_ports for rule in found):
        return
    count = sum(pool.count for pool in managed.agent_pool_profiles)
    now, then = ports_of_node(count), None if most is None else ports_of_node(most)
    if now is None:
        yield f"outbound ports: {count} nodes are more than the load balancer gives ports to (1000)"
    elif most is None or then == now:
        yield f"outbound ports for each node: {now}, by the number of nodes"
    elif then is None:
        yield f"outbound ports for each node: {now} now, and beyond 1000 nodes none ({most} at the maximum)"
    else:
        yield f"outbound ports for each node: {now} now, {then} at the maximum of {most} nodes"


def most_rules(store: Store) -> int | None:
    """Return the most load-balancing rules that lead to one interface, None where that is not known.

    Every node of a pool has all rules of that pool: the rules of the pools that an interface is in are counted.
    """
    if unreadable(store.load_balancers):
        return None
    by_pool: dict[str, int] = {}
    for balancer in store.load_balancers:
        for rule in balancer.load_balancing_rules:
            for pool in rule.pools:
                by_pool[pool.id] = by_pool.get(pool.id, 0) + 1
    found = [
        sum(by_pool.get(pool.id, 0) for config in interface.ip_configurations
            for pool in config.load_balancer_backend_address_pools)
        for interface in store.interfaces
    ]  # fmt: skip
    return max(found, default=None)
