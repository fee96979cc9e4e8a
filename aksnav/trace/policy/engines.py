"""Which program enforces network policy: they differ exactly where incidents happen."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from aksnav.model.change import Reading
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure.joins import cluster
from aksnav.trace.memo import once
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence


class Engine(StrEnum):
    """The policy engines of AKS (networkProfile.networkPolicy), and that there is none or that nobody can say."""

    AZURE = "azure"
    CILIUM = "cilium"
    CALICO = "calico"
    NONE = "none"
    UNKNOWN = "unknown"


TITLES = {
    Engine.AZURE: "Azure NPM",
    Engine.CILIUM: "Cilium",
    Engine.CALICO: "Calico",
    Engine.NONE: "no policy engine",
    Engine.UNKNOWN: "an unknown policy engine",
}
ENFORCING = (Engine.AZURE, Engine.CILIUM, Engine.CALICO)


class EngineReading(msgspec.Struct, frozen=True, gc=False):
    """The engine and the field that says so.

    Attributes:
        missing: what would have to be readable where the engine is UNKNOWN.
        assumed: what is taken for granted where nothing but the absence of the engines' Pods says NONE.
    """

    engine: Engine
    evidence: tuple[Evidence, ...] = ()
    missing: str = ""
    assumed: str = ""


# The DaemonSets of the engines: aks-networking.md 1.2; calico-system is the operator's namespace, kube-system the
# older manifest's. The label is what their Pods have where a capture drops the owner.
_DAEMON_SETS = (
    ("kube-system", "azure-npm", Engine.AZURE),
    ("kube-system", "cilium", Engine.CILIUM),
    ("calico-system", "calico-node", Engine.CALICO),
    ("kube-system", "calico-node", Engine.CALICO),
)


def engine(store: Store) -> EngineReading:
    """Return which engine enforces network policies here.

    The managed cluster's network profile decides where it names one; else what runs in the cluster. "None" needs the
    profile to say so, or the system Pods to be readable and there: a profile without the field, or a capture without
    kube-system, says nothing about engines.
    """
    managed = cluster(store)
    profile = managed.network_profile if managed is not None else None
    if managed is not None and profile is not None:
        for field, value in (
            ("networkPolicy", profile.network_policy),
            ("networkDataplane", profile.network_dataplane),
        ):
            word = value.lower()
            if word in {Engine.AZURE, Engine.CILIUM, Engine.CALICO} and not (
                field == "networkDataplane" and word != Engine.CILIUM
            ):
                return EngineReading(Engine(word), (Evidence(f".networkProfile.{field}", value, managed.ref),))
    running = _running(store)
    if running is not None:
        return running
    if managed is not None and profile is not None and profile.network_plugin.lower() == "none":
        fact = Evidence(".networkProfile.networkPlugin", profile.network_plugin, managed.ref)
        return EngineReading(Engine.UNKNOWN, (fact,), "a network plugin of the user's own may enforce policies itself")
    if managed is not None and profile is not None and profile.network_policy.lower() == Engine.NONE:
        value = profile.network_policy
        return EngineReading(Engine.NONE, (Evidence(".networkProfile.networkPolicy", value, managed.ref),))
    return _from_absence(store)


def _running(store: Store) -> EngineReading | None:
    """Return what the engines' own Pods, node labels and CustomResourceDefinitions say; None where they are silent."""
    found = dict(_engine_pods(store))
    if len(found) > 1:
        facts = tuple(_pod_fact(pod) for pod in found.values())
        return EngineReading(Engine.UNKNOWN, facts, "Pods of more than one policy engine run here")
    for word, pod in found.items():
        return EngineReading(word, (_pod_fact(pod),))
    fact = once(store, "node of Cilium", ("Node",), lambda: _node_fact(store))
    if fact is not None:
        return EngineReading(Engine.CILIUM, (fact,))
    served = store.cilium_policies.access().reading in {Reading.LIVE, Reading.STALE} and "kubernetes" in store.sources
    if served or len(store.cilium_policies) or len(store.cilium_clusterwide_policies):
        return EngineReading(Engine.CILIUM, (Evidence("ciliumnetworkpolicies.cilium.io", "served"),))
    return None


def _node_fact(store: Store) -> Evidence | None:
    for node in store.nodes:
        value = node.labels.get("kubernetes.azure.com/ebpf-dataplane", "")
        if value == "cilium":
            return Evidence(".metadata.labels['kubernetes.azure.com/ebpf-dataplane']", value, node.ref)
    return None


def _engine_pods(store: Store) -> Iterator[tuple[Engine, Pod]]:
    for namespace, name, word in _DAEMON_SETS:
        for labels in store.pod_classes.classes(namespace):
            pods = map(store.pods.get, store.pod_classes.pods(namespace, labels))
            daemon = next((pod for pod in pods if pod is not None and not pod.finished and _is_daemon(pod, name)), None)
            if daemon is not None:
                yield word, daemon


def _is_daemon(pod: Pod, name: str) -> bool:
    template = pod.template
    if template.owner_kind == "DaemonSet":
        return template.owner_name in {name, f"{name}-win"}
    return not template.owner_kind and template.labels.get("k8s-app") == name


def _pod_fact(pod: Pod) -> Evidence:
    owner = pod.template.owner_name or pod.labels.get("k8s-app", "")
    return Evidence(".metadata.ownerReferences[0].name", owner, Ref(pod.KIND, pod.id))


def _from_absence(store: Store) -> EngineReading:
    missing = unreadable(store.pods, "kube-system")
    if missing:
        return EngineReading(Engine.UNKNOWN, (), missing)
    if not any(True for _ in store.pod_classes.classes("kube-system")):
        return EngineReading(Engine.UNKNOWN, (), "there are no Pods in kube-system, so nothing says which engine runs")
    return EngineReading(
        Engine.NONE,
        (Evidence("pods -n kube-system", "none of azure-npm, cilium, calico-node runs"),),
        assumed="no policy engine runs here: none of those of AKS does, and the managed cluster does not say",
    )
