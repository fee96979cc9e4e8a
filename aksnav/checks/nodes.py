"""Nodes and the cluster as a whole: not ready (X07), stopped (K04)."""

from collections.abc import Iterator

from aksnav.checks.finding import Finding, Proof
from aksnav.checks.from_steps import finding_of
from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.kubernetes.workload import Node
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.azure.commands import of_cluster, start_of
from aksnav.trace.azure.joins import cluster
from aksnav.trace.cluster.pod import lost_node
from aksnav.trace.packet import Packet
from aksnav.trace.step import Evidence


def node_findings(store: Store) -> Iterator[Finding]:
    """Yield X07: nodes that are not ready, or whose network is not set up."""
    for node in store.nodes:
        if node.ready is not True:
            found = finding_of(lost_node(node, Packet()))
            if found is not None:
                yield found
        elif (condition := node.condition("NetworkUnavailable")) is not None and condition.status == "True":
            yield _without_network(node, condition.reason)


def _without_network(node: Node, reason: str) -> Finding:
    field = ".status.conditions[?(@.type=='NetworkUnavailable')].status"
    return Finding(
        id="X07",
        subject=node.ref,
        summary=f"the network of node {node.name} is not set up" + (f" ({reason})" if reason else ""),
        proof=Proof.PROVEN,
        evidence=(Evidence(field, "True", node.ref, reason),),
        confirm=kubectl.show(node.ref, field),
        fix="see the network plugin's Pod on the node, and the routes of the cluster",
    )


def cluster_findings(store: Store) -> Iterator[Finding]:
    """Yield K04: the managed cluster is stopped, or none of its node pools has a node."""
    managed = cluster(store)
    if managed is None:
        return
    code = str(managed.power_state.get("code", ""))
    pools = managed.agent_pool_profiles
    if code.lower() == "stopped":
        yield _down(managed, "is stopped", (Evidence(".powerState.code", code, managed.ref),))
    elif pools and not any(pool.count for pool in pools) and not len(store.nodes):
        facts = (
            Evidence(f".agentPoolProfiles[?name=='{pool.name}'].count", str(pool.count), managed.ref) for pool in pools
        )
        yield _down(managed, "has no node in any pool", tuple(facts))


def _down(managed: ManagedCluster, what: str, facts: tuple[Evidence, ...]) -> Finding:
    return Finding(
        id="K04",
        subject=managed.ref,
        summary=f"cluster {managed.name} {what}: nothing in it answers",
        proof=Proof.PROVEN,
        evidence=facts,
        confirm=of_cluster(managed.arm_id, "[powerState, agentPoolProfiles[].count]"),
        fix=start_of(managed.arm_id) if "stopped" in what else "scale a node pool up",
    )
