"""Every fact about this cluster, in the order in which one would tell them."""

from aksnav.about.edge import edge_facts
from aksnav.about.fact import Fact
from aksnav.about.ingress import ingress_facts
from aksnav.about.network import network_facts, unsaid
from aksnav.about.retirements import retirement_facts
from aksnav.model.azure.cluster import ManagedCluster
from aksnav.store import Store
from aksnav.trace.azure.joins import cluster
from aksnav.trace.step import Evidence


def cluster_facts(store: Store, today: str) -> tuple[Fact, ...]:
    """Return what this cluster is, each fact with the fields that it came from; unknown where none says.

    Args:
        store: what is known.
        today: the date, ISO 8601: retirements are told as past or coming.
    """
    managed = cluster(store)
    return (
        _name(store, managed),
        _version(store, managed),
        *network_facts(store),
        *edge_facts(store),
        *ingress_facts(store),
        *retirement_facts(store, today),
    )


def _name(store: Store, managed: ManagedCluster | None) -> Fact:
    if managed is None:
        several = "more than one managed cluster was read, and the nodes do not tell which one this is"
        return Fact(name="cluster", missing=several if len(store.clusters) > 1 else unsaid(store, "the name"))
    power = str(managed.power_state.get("code", ""))
    facts = [Evidence(".id", managed.arm_id, managed.ref)]
    if power:
        facts.append(Evidence(".powerState.code", power, managed.ref))
    note = "it is stopped" if power.lower() == "stopped" else ""
    return Fact(name="cluster", value=managed.name, evidence=tuple(facts), note=note)


def _version(store: Store, managed: ManagedCluster | None) -> Fact:
    if managed is not None and (managed.current_kubernetes_version or managed.kubernetes_version):
        field = "currentKubernetesVersion" if managed.current_kubernetes_version else "kubernetesVersion"
        value = managed.current_kubernetes_version or managed.kubernetes_version
        return Fact(name="Kubernetes", value=value, evidence=(Evidence(f".{field}", value, managed.ref),))
    said = next((state.facts["version"] for state in store.sources.values() if state.facts.get("version")), "")
    if said:
        return Fact(name="Kubernetes", value=said, evidence=(Evidence("/version .gitVersion", said),))
    node = next((row for row in store.nodes if row.kubelet_version), None)
    if node is not None:
        proof = Evidence(".status.nodeInfo.kubeletVersion", node.kubelet_version, node.ref)
        return Fact(name="Kubernetes", value=node.kubelet_version, evidence=(proof,), note="of a node's kubelet")
    return Fact(name="Kubernetes", missing=unsaid(store, "currentKubernetesVersion"))
