"""The Azure network around the nodes: pools that miss nodes (L10, L11), peers that get no answer (R02, R06, R09)."""

from collections.abc import Iterator

from aksnav.checks.finding import Finding, Proof
from aksnav.checks.from_steps import finding_of
from aksnav.model.azure.network import LoadBalancer, LoadBalancingRule, Subnet, VirtualNetwork
from aksnav.model.kubernetes.workload import Node
from aksnav.store import Store
from aksnav.trace.azure.frontend import Found, confirm, container_native
from aksnav.trace.azure.joins import attach_node
from aksnav.trace.azure.lb_pool import EXCLUDED, pool_step
from aksnav.trace.azure.next_hop import prefixes, remote, table_of
from aksnav.trace.azure.routes import back
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import ENDS, Evidence, Verdict

_TOLD = 5
# The first address that a subnet at the beginning of a range may give to a host: Azure keeps those before it.
_FIRST_HOST = 4
_BY_MACHINE = "/virtualmachines/"


def pool_findings(store: Store) -> Iterator[Finding]:
    """Yield L11 (a pool of a rule is empty) and L10 (nodes in no pool of public, or of internal, load balancers).

    A cluster with several load balancers of one sort divides its nodes among them.
    """
    if unreadable(store.load_balancers) or unreadable(store.nodes):
        return
    for internal in (False, True):
        pools = [
            pair
            for balancer in sorted(store.load_balancers, key=lambda row: row.id)
            for pair in _rules(balancer)
            if bool(pair[0].frontend.private_ip_address) is internal and not container_native(pair[0])
        ]
        yield from _of_sort(store, pools)


def _of_sort(store: Store, pools: list[tuple[Found, LoadBalancingRule]]) -> Iterator[Finding]:
    served: set[str] = set()
    for found, rule in pools:
        nodes, step = pool_step(store, found, rule, None, Packet())
        if step.verdict in ENDS:
            empty = finding_of(step)
            if empty is not None:
                yield empty
        elif step.verdict is Verdict.BLIND or not _known(store, found, rule):
            return
        served |= {node.name for node in nodes}
    missing = [node for node in sorted(store.nodes, key=lambda row: row.name) if _wanted(node, served)]
    if missing and served:
        yield _outside(*pools[0], len(served), missing)


def _rules(balancer: LoadBalancer) -> Iterator[tuple[Found, LoadBalancingRule]]:
    """Yield one rule, with its frontend, for each pool that has rules."""
    frontends = {item.id: item for item in balancer.frontend_ip_configurations}
    seen: set[tuple[str, ...]] = set()
    for rule in balancer.load_balancing_rules:
        pools = tuple(item.id for item in rule.pools)
        frontend = frontends.get(rule.frontend_ip_configuration.id)
        if pools not in seen and frontend is not None:
            seen.add(pools)
            yield Found(balancer, frontend), rule


def _known(store: Store, found: Found, rule: LoadBalancingRule) -> bool:
    """Return whether the machine of every member is known: a scale set's member names it, others have an interface."""
    wanted = {item.id for item in rule.pools}
    return all(
        _BY_MACHINE in member.id or member.id.partition("/ipconfigurations/")[0] in store.interfaces
        for pool in found.balancer.backend_address_pools
        if pool.id in wanted
        for member in pool.backend_ip_configurations
    )


def _wanted(node: Node, served: set[str]) -> bool:
    """Return whether a node belongs into a pool, and is in none."""
    virtual = node.labels.get("type") == "virtual-kubelet"
    return node.name not in served and EXCLUDED not in node.labels and not virtual and not node.deleting


def _outside(found: Found, rule: LoadBalancingRule, inside: int, missing: list[Node]) -> Finding:
    names = {item.id for item in rule.pools}
    pool = next((item.name for item in found.balancer.backend_address_pools if item.id in names), "")
    listed = ", ".join(node.name for node in missing[:_TOLD]) + (
        f" and {len(missing) - _TOLD} more" if len(missing) > _TOLD else ""
    )
    ref = found.balancer.ref
    return Finding(
        id="L10",
        subject=ref,
        summary=f"{len(missing)} of {inside + len(missing)} nodes are in no backend pool and get no traffic: {listed}",
        proof=Proof.PROVEN,
        evidence=(
            Evidence(f".backendAddressPools[?name=='{pool}'].backendIPConfigurations", f"{inside} nodes", ref),
            *(Evidence(".spec.providerID", node.provider_id or "(none)", node.ref) for node in missing[:_TOLD]),
        ),
        related=tuple(node.ref for node in missing[:_TOLD]),
        confirm=confirm(found, "address-pool"),
        fix="touch a Service of type LoadBalancer, so that its pool is written again",
    )


def peer_findings(store: Store) -> Iterator[Finding]:
    """Yield what keeps nodes and the hosts of peered networks apart: R02, R06, R09 and R10."""
    asked: set[str] = set()
    for node in sorted(store.nodes, key=lambda row: row.name):
        at = attach_node(store, node)
        if at.network is None or at.subnet is None or at.subnet.id in asked:
            continue
        asked.add(at.subnet.id)
        for address in _hosts(store, at.network, at.subnet):
            for step in back(store, node, Packet(source=address)):
                found = finding_of(step) if step.verdict in ENDS else None
                if found is not None:
                    yield found


def _hosts(store: Store, network: VirtualNetwork, subnet: Subnet) -> Iterator[int]:
    """Yield one address of each range of a peered network, and of each part of one that has a route of its own."""
    ranges = [prefix for peering in network.virtual_network_peerings for prefix in remote(peering)]
    table, _ = table_of(store, subnet)
    routed = prefixes(tuple(route.address_prefix for route in table.routes)) if table is not None else []
    for prefix in (*ranges, *(part for part in routed if any(item.covers(part) for item in ranges))):
        yield min(prefix.first + _FIRST_HOST, prefix.last)
