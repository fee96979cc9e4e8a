"""Network policies that are not enforced as they are written.

No engine (P10), an engine beyond its scale (P12), Windows and virtual nodes (X13, X15), ports that the engine reads
otherwise (P17), and selectors that miss (P14, P19).
"""

from collections.abc import Iterator

from aksnav.checks.finding import Finding, Proof
from aksnav.model.kubernetes.policy import NetworkPolicy, PolicyPeer, PolicyRule
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.labels import Labels
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl, policy
from aksnav.trace.policy.compiled import engine_rules
from aksnav.trace.policy.engines import TITLES
from aksnav.trace.policy.readings import unmodelled
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence
from aksnav.trace.ternary import Unknown

# Namespaces of AKS itself, where add-ons bring policies of their own (konnectivity-agent has one).
_MANAGED = ("kube-system", "gatekeeper-system", "calico-system", "tigera-operator", "calico-apiserver")
# AKS documentation, "Secure traffic between pods by using network policies": limits of Azure NPM.
_MOST_NODES, _MOST_PODS = 250, 20_000
_TOLD = 5
Place = tuple[str, str, PolicyRule]


def enforcement_findings(store: Store) -> Iterator[Finding]:
    """Yield P10, P12, P14, P17, P19, X13 and X15."""
    found = policy.engine(store)
    rows = sorted((row for row in store.network_policies if row.namespace not in _MANAGED), key=lambda row: row.id)
    if found.engine is policy.Engine.NONE:
        if rows:
            yield _nobody_enforces(rows, found)
        return
    if found.engine is policy.Engine.UNKNOWN:
        return
    if rows and found.engine is policy.Engine.AZURE:
        yield from _too_large(store, rows, found)
    for row in rows:
        yield from _elsewhere(store, row)
        for place in _rules(row):
            if not unreadable(store.pods):
                yield from _two_elements(store, row, place)
            if found.engine is policy.Engine.CILIUM:
                yield from _ports(store, row, place)
        if not unreadable(store.pods, row.namespace):
            yield from _near_miss(store, row)


def _rules(row: NetworkPolicy) -> Iterator[Place]:
    yield from ((f".spec.ingress[{index}]", "from", rule) for index, rule in enumerate(row.ingress))
    yield from ((f".spec.egress[{index}]", "to", rule) for index, rule in enumerate(row.egress))


def _nobody_enforces(rows: list[NetworkPolicy], found: policy.EngineReading) -> Finding:
    """P10: policies exist, and no engine reads them."""
    first = rows[0].ref
    return Finding(
        id="P10",
        subject=next((fact.subject for fact in found.evidence if fact.subject is not None), first),
        summary=f"{len(rows)} network policies exist and no engine enforces them: they block nothing",
        proof=Proof.LIKELY if found.assumed else Proof.PROVEN,
        evidence=(*found.evidence, Evidence(".spec.policyTypes", ", ".join(rows[0].types), first)),
        related=tuple(row.ref for row in rows[:_TOLD]),
        confirm=kubectl.listing("NetworkPolicy"),
        fix="enable a network policy engine (Cilium), or remove the policies",
    )


def _too_large(store: Store, rows: list[NetworkPolicy], found: policy.EngineReading) -> Iterator[Finding]:
    """P12: more nodes or Pods than Azure NPM is supported for."""
    nodes, pods = len(store.nodes), len(store.pods)
    if nodes <= _MOST_NODES and pods <= _MOST_PODS:
        return
    yield Finding(
        id="P12",
        subject=next((fact.subject for fact in found.evidence if fact.subject is not None), rows[0].ref),
        summary=f"Azure NPM is supported for {_MOST_NODES} nodes and {_MOST_PODS} Pods: here are {nodes} and {pods}",
        proof=Proof.HINT,
        evidence=(*found.evidence, Evidence("nodes, pods", f"{nodes}, {pods}")),
        confirm=kubectl.listing("Node"),
        fix="migrate to Cilium",
    )


def _elsewhere(store: Store, row: NetworkPolicy) -> Iterator[Finding]:
    """X13, X15: the policy selects Pods on Windows or virtual nodes, where engines differ or none is."""
    for labels in sorted(store.pod_classes.classes(row.namespace), key=str):
        if row.pod_selector.invalid() or not row.pod_selector.matches(labels):
            continue
        for pod in _pods(store, row.namespace, labels):
            what = unmodelled(store, pod.node)
            node = store.nodes.get(pod.node)
            if not what or node is None:
                continue
            virtual = node.labels.get("type") == "virtual-kubelet"
            title = TITLES[policy.engine(store).engine]
            why = "no engine runs" if virtual else f"{title} may not enforce it"
            os = node.operating_system or node.labels.get("kubernetes.io/os", "")
            yield Finding(
                id="X15" if virtual else "X13",
                subject=row.ref,
                summary=f"NetworkPolicy {row.id} selects Pod {pod.id} on {'virtual' if virtual else 'Windows'} node "
                f"{node.name}, where {why}",
                proof=Proof.HINT,
                evidence=(
                    Evidence(".metadata.labels.type", "virtual-kubelet", node.ref)
                    if virtual
                    else Evidence(".status.nodeInfo.operatingSystem", os, node.ref),
                    Evidence(".spec.nodeName", node.name, Ref(pod.KIND, pod.id)),
                ),
                related=(Ref(pod.KIND, pod.id),),
                confirm=kubectl.show(Ref(pod.KIND, pod.id), ".spec.nodeName"),
                fix="keep Pods that need policies on Linux nodes of the cluster",
            )
            return


def _pods(store: Store, namespace: str, labels: Labels) -> list[Pod]:
    found = (store.pods.get(ident) for ident in sorted(store.pod_classes.pods(namespace, labels)))
    return [pod for pod in found if pod is not None and not pod.finished]


def _two_elements(store: Store, row: NetworkPolicy, place: Place) -> Iterator[Finding]:
    """P14: namespaceSelector and podSelector in two elements, where the objects look as if one was meant.

    The Pods that the podSelector describes are in the namespaces that the namespaceSelector describes, and none is in
    the policy's own, which is where a podSelector alone looks.
    """
    field, word, rule = place
    spaces = [peer for peer in rule.peers if peer.namespace_selector is not None and peer.pod_selector is None]
    for index, peer in enumerate(rule.peers):
        chosen = peer.pod_selector
        if chosen is None or peer.namespace_selector is not None or not spaces:
            continue
        if chosen.invalid() or not (chosen.match_labels or chosen.match_expressions):
            continue
        if any(chosen.matches(labels) for labels in store.pod_classes.classes(row.namespace)):
            continue
        where = next((name for item in spaces for name in _named(store, item, peer)), "")
        if not where:
            continue
        yield Finding(
            id="P14",
            subject=row.ref,
            summary=f"NetworkPolicy {row.id} admits every Pod of namespace {where}, or Pods {chosen} of its own, "
            f"which has none: in one element of {word} the two would mean those Pods of {where}",
            proof=Proof.HINT,
            evidence=(
                Evidence(f"{field}.{word}[{index}].podSelector", str(chosen), row.ref, "alone: the own namespace"),
                Evidence(f"{field}.{word}[{rule.peers.index(spaces[0])}].namespaceSelector", where, row.ref, "alone"),
            ),
            confirm=kubectl.show(row.ref, field),
            fix="write namespaceSelector and podSelector into one element",
        )


def _named(store: Store, spaces: PolicyPeer, peer: PolicyPeer) -> Iterator[str]:
    """Yield the namespaces of one peer that have Pods of the other."""
    outer, inner = spaces.namespace_selector, peer.pod_selector
    if outer is None or inner is None or outer.invalid():
        return
    for namespace in sorted(store.namespaces, key=lambda item: item.name):
        if outer.matches(namespace.labels) and any(
            inner.matches(labels) for labels in store.pod_classes.classes(namespace.name)
        ):
            yield namespace.name


def _ports(store: Store, row: NetworkPolicy, place: Place) -> Iterator[Finding]:
    """P17: a range of ports that this Cilium does not read.

    A port name that means several numbers is no finding: it is usual, and wrong only where Cilium mixes them up. A
    trace that hangs on one says so.
    """
    field, _, rule = place
    answer = engine_rules(store, policy.Engine.CILIUM).end_port
    for index, port in enumerate(rule.ports):
        if port.end_port is not None and isinstance(answer, Unknown):
            fact = Evidence(f"{field}.ports[{index}].endPort", str(port.end_port), row.ref, answer.why)
            yield _port(row, field, f"endPort {port.end_port} is not read: {answer.why}", fact)


def _port(row: NetworkPolicy, field: str, said: str, fact: Evidence) -> Finding:
    return Finding(
        id="P17",
        subject=row.ref,
        summary=f"NetworkPolicy {row.id}: {said}",
        proof=Proof.LIKELY,
        evidence=(fact,),
        confirm=kubectl.show(row.ref, f"{field}.ports"),
        fix="write the ports one by one, by number",
    )


def _near_miss(store: Store, row: NetworkPolicy) -> Iterator[Finding]:
    """P19: the policy selects no Pod, and Pods of its namespace have all of its labels but for the value of one."""
    wanted = row.pod_selector
    classes = sorted(store.pod_classes.classes(row.namespace), key=str)
    if wanted.match_expressions or len(wanted.match_labels) < 2 or any(map(wanted.matches, classes)):  # noqa: PLR2004 - one label alone is no near miss
        return
    for labels in classes:
        off = [key for key, value in wanted.match_labels.items() if labels.get(key) != value]
        pods = _pods(store, row.namespace, labels)
        if len(off) != 1 or off[0] not in labels or not pods:
            continue
        key = off[0]
        yield Finding(
            id="P19",
            subject=row.ref,
            summary=f"NetworkPolicy {row.id} selects no Pod: Pod {pods[0].id} has {key}={labels[key]}, and it wants "
            f"{wanted.match_labels[key]}",
            proof=Proof.HINT,
            evidence=(
                Evidence(f".spec.podSelector.matchLabels['{key}']", wanted.match_labels[key], row.ref),
                Evidence(f".metadata.labels['{key}']", labels[key], Ref(pods[0].KIND, pods[0].id)),
            ),
            related=(Ref(pods[0].KIND, pods[0].id),),
            confirm=kubectl.listing("Pod", row.namespace, f"{key}={wanted.match_labels[key]}"),
            fix="select by labels that do not change with a release",
        )
        return
