"""Network policies asked by themselves: that admit nobody (P18), admit Pods by address (P05), or forget DNS (P06)."""

from collections.abc import Iterator

import msgspec

from aksnav.checks.finding import Finding, Proof
from aksnav.checks.from_steps import finding_of
from aksnav.model.addresses import parse_prefix
from aksnav.model.kubernetes.policy import NetworkPolicy, PolicyRule
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.labels import Labels
from aksnav.store import Store
from aksnav.trace import kubectl, policy
from aksnav.trace.azure.joins import pod_prefixes
from aksnav.trace.cluster import nameserver
from aksnav.trace.journey import Walk
from aksnav.trace.packet import Packet
from aksnav.trace.step import Evidence
from aksnav.trace.walk import named


def policy_findings(store: Store) -> Iterator[Finding]:
    """Yield P18 and P05, where an engine enforces network policies."""
    if not _enforced(store):
        return
    for row in sorted(store.network_policies, key=lambda item: item.id):
        yield from _admits_nobody(store, row)
        if policy.engine(store).engine is policy.Engine.CILIUM:
            yield from _blocks_for_pods(store, row)


def _enforced(store: Store) -> bool:
    return policy.engine(store).engine not in {policy.Engine.NONE, policy.Engine.UNKNOWN}


def _selecting(store: Store, namespace: str, labels: Labels, direction: str) -> list[NetworkPolicy]:
    """Return the policies that isolate the Pods of a class in one direction."""
    return [
        row
        for row in _of_namespace(store, namespace)
        if direction in row.types and not row.pod_selector.invalid() and row.pod_selector.matches(labels)
    ]


def _of_namespace(store: Store, namespace: str) -> list[NetworkPolicy]:
    return [row for row in store.network_policies if row.namespace == namespace]


def _admits_nobody(store: Store, row: NetworkPolicy) -> Iterator[Finding]:
    """P18: certain Pods, which a Service offers, are isolated, and no policy has a rule that admits anybody.

    A policy for every Pod of a namespace that has no rules is a default deny, and meant.
    """
    chosen = bool(row.pod_selector.match_labels or row.pod_selector.match_expressions) or bool(row.egress)
    if "Ingress" not in row.types or row.ingress or not chosen or _others(store, row.namespace):
        return
    for labels in sorted(store.pod_classes.classes(row.namespace), key=str):
        if row.pod_selector.invalid() or not row.pod_selector.matches(labels):
            continue
        pod = _pod(store, row.namespace, labels)
        services = store.services_by_selector.of(pod) if pod is not None else []
        if services and not any(item.ingress for item in _selecting(store, row.namespace, labels, "Ingress")):
            yield Finding(
                id="P18",
                subject=row.ref,
                summary=f"NetworkPolicy {row.id} has no ingress rule: nobody reaches the Pods of Service {services[0]}",
                proof=Proof.PROVEN,
                evidence=(
                    Evidence(".spec.ingress", "(no rules)", row.ref, "isolates the Pods, and admits nobody"),
                    Evidence(".spec.podSelector", str(row.pod_selector), row.ref),
                    *policy.engine(store).evidence,
                ),
                confirm=kubectl.show(row.ref, ".spec"),
                fix="add an ingress rule for those who are to reach it",
            )
            return


def _others(store: Store, namespace: str) -> bool:
    """Return whether the engine's own policies may admit somebody: they are read by the trace alone."""
    clusterwide = len(store.cilium_clusterwide_policies) or len(store.calico_global_policies)
    return bool(clusterwide) or any(
        row.namespace == namespace for rows in (store.cilium_policies, store.calico_policies) for row in rows
    )


def _blocks_for_pods(store: Store, row: NetworkPolicy) -> Iterator[Finding]:
    """P05: an ipBlock in the range of the Pods, which Cilium never applies to Pods."""
    ranges = pod_prefixes(store)
    rules: list[tuple[str, str, PolicyRule]] = [
        *((f".spec.ingress[{index}]", "from", rule) for index, rule in enumerate(row.ingress)),
        *((f".spec.egress[{index}]", "to", rule) for index, rule in enumerate(row.egress)),
    ]
    for field, word, rule in rules:
        for place, peer in enumerate(rule.peers):
            block = parse_prefix(peer.ip_block.cidr) if peer.ip_block is not None else None
            if block is None or peer.ip_block is None or not any(item.covers(block) for item in ranges):
                continue
            only = all(item.ip_block is not None for item in rule.peers)
            path = f"{field}.{word}[{place}].ipBlock.cidr"
            yield Finding(
                id="P05",
                subject=row.ref,
                summary=f"NetworkPolicy {row.id} means Pods by {block}, and on Cilium an ipBlock never selects a Pod",
                proof=Proof.PROVEN if only else Proof.LIKELY,
                evidence=(Evidence(path, peer.ip_block.cidr, row.ref), *policy.engine(store).evidence),
                confirm=kubectl.show(row.ref, path.removesuffix(".cidr")),
                fix="select the peer with podSelector and namespaceSelector",
            )


def dns_namespaces(store: Store) -> list[str]:
    """Return the namespaces whose Pods a policy of their own may keep from asking for names."""
    found = {row.namespace for row in store.network_policies if "Egress" in row.types}
    found |= {row.namespace for rows in (store.cilium_policies, store.calico_policies) for row in rows}
    if any("Egress" in row.types for row in store.calico_global_policies):
        found |= {row.name for row in store.namespaces}
    return sorted(found) if found and _enforced(store) else []


def dns_findings(store: Store, namespace: str) -> Iterator[Finding]:
    """Yield P06: Pods of a namespace that may talk to somebody and may not ask the cluster's DNS for him.

    Pods that may talk to nobody at all are isolated on purpose: for them it is a hint.
    """
    walk = Walk(store, named)
    for labels in sorted(store.pod_classes.classes(namespace), key=str):
        pod = _pod(store, namespace, labels)
        for step in nameserver.ask(walk, pod, Packet()) if pod is not None else ():
            found = finding_of(step) if step.cause == "P06" else None
            if found is not None:
                speaks = any(item.egress for item in _selecting(store, namespace, labels, "Egress"))
                yield found if speaks else msgspec.structs.replace(found, proof=Proof.HINT)


def _pod(store: Store, namespace: str, labels: Labels) -> Pod | None:
    """Return a Pod of a class that policies apply to, or None."""
    for ident in store.pod_classes.pods(namespace, labels):
        pod = store.pods.get(ident)
        if pod is not None and not pod.finished and not pod.template.host_network:
            return pod
    return None
