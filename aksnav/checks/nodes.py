"""Nodes and the cluster as a whole: not ready (X07), stopped (K04)."""

from collections.abc import Iterator

from aksnav.checks.finding import Finding, Proof
from aksnav.checks.from_steps import finding_of
from aksnav.model.kubernetes.workload import Node
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.azure.commands import of_cluster
from aksnav.trace.azure.powered import halt_of
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
    found = halt_of(store)
    if found is None:
        return
    managed = found.managed
    summary = f"cluster {managed.name} {found.what}: nothing in it answers"
    yield Finding(
        id="K04",
        subject=managed.ref,
        summary=f"not certain {found.contradicted}" if found.contradicted else summary,
        proof=Proof.LIKELY if found.contradicted else Proof.PROVEN,
        evidence=found.facts,
        confirm=of_cluster(managed.arm_id, "[powerState, agentPoolProfiles[].count]"),
        fix=found.fix,
    )
