"""The smallest addition that would admit a connection which no rule admits: a NetworkPolicy, proven by evaluating it.

Policies are additive (networking/v1 NetworkPolicy): a further one for Pods that are isolated already admits what it
names and takes nothing away. It is not offered where it would isolate a Pod that is open now.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from aksnav.model.addresses import format_address
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.model.kubernetes.policy import NetworkPolicy
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.labels import Labels, LabelSelector
from aksnav.store.store import Store
from aksnav.trace.memo import once
from aksnav.trace.place import Crossing, Entry
from aksnav.trace.policy import rules
from aksnav.trace.policy.compiled import compiled, engine_rules
from aksnav.trace.policy.decision import Direction, Effect, PolicyWord, RuleWord, fold
from aksnav.trace.policy.engines import Engine
from aksnav.trace.policy.namespaces import NAME
from aksnav.trace.policy.readings import Reading
from aksnav.trace.policy.who import Sort, Who
from aksnav.trace.policy.workloads import BARE, HASH, workload_of

Json = dict[str, Any]
# Labels that differ from Pod to Pod of a workload, or from one revision of it to the next.
_PASSING = frozenset(
    {
        HASH, "controller-revision-hash", "pod-template-generation", "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index", "controller-uid", "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-completion-index",
    }
)  # fmt: skip
_LONGEST_NAME = 63


def addition(
    store: Store, crossing: Crossing, direction: Direction, pod: Pod, readings: tuple[Reading, ...]
) -> Json | None:
    """Return a NetworkPolicy, as a manifest, that would admit a connection; None where none of this form does.

    Args:
        store: what is known; it is only read.
        crossing: the connection.
        direction: the end at which it is stopped.
        pod: the Pod there.
        readings: what the engines decide now, all of them a default deny.
    """
    if not readings or any(item.decision.effect is not Effect.DEFAULT_DENY for item in readings):
        return None
    peer = _peer(readings[0].view.who, pod, crossing.entry)
    own = _lasting(pod.labels)
    if peer is None or not own or not _isolates_nobody(store, pod.namespace, own, direction):
        return None
    inward = direction is Direction.INGRESS
    port = {"protocol": crossing.packet.protocol, "port": crossing.packet.port}
    manifest: Json = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": _name(store, direction, pod, crossing.packet.port), "namespace": pod.namespace},
        "spec": {
            "podSelector": {"matchLabels": own},
            "policyTypes": [direction.value],
            direction.value.lower(): [{"from" if inward else "to": [peer], "ports": [port]}],
        },
    }
    policy = decode_wire(KINDS["NetworkPolicy"], manifest)
    if not isinstance(policy, NetworkPolicy) or rules.problem(policy):
        return None
    admitted = all(_admits(store, crossing, direction, pod, policy, item) for item in readings)
    return manifest if admitted else None


def _admits(
    store: Store, crossing: Crossing, direction: Direction, pod: Pod, policy: NetworkPolicy, reading: Reading
) -> bool:
    """Return whether an engine admits the connection once the policy is there, beside all that there are."""
    how = engine_rules(store, reading.engine)
    calico = compiled(store).calico if how.engine is Engine.CALICO else None
    if calico is not None:
        decided = calico.decide(direction, pod, reading.view.who, rules.Target.of(crossing), policy)
        return decided.effect is Effect.ADMITTED
    scene = rules.Scene(how.engine, compiled(store).namespaces, how.end_port)
    subject = Who(
        sort=Sort.POD, namespace=pod.namespace, labels=pod.labels, service_account=pod.template.service_account
    )
    listed = policy.ingress if direction is Direction.INGRESS else policy.egress
    said = [rules.admits(rule, policy.namespace, reading.view.who, rules.Target.of(crossing), scene) for rule in listed]
    spoken = tuple(RuleWord(f".spec[{number}]", item.answer, item.why) for number, item in enumerate(said))
    selects = rules.selects(policy.pod_selector, subject, scene)
    word = PolicyWord(policy.ref, "", selects, selects, "", spoken)
    return fold((*reading.decision.words, word), direction).effect is Effect.ADMITTED


def _isolates_nobody(store: Store, namespace: str, own: dict[str, str], direction: Direction) -> bool:
    """Return whether every Pod with some labels is isolated in a direction already, whatever the engine."""
    known: dict[object, bool] = once(store, "isolated already", _READ, dict)
    key = (namespace, tuple(own.items()), direction)
    if key not in known:
        known[key] = all(_isolated(store, pod, direction) for pod in _alike(store, namespace, own))
    return known[key]


_READ = ("Pod", "NetworkPolicy", "Namespace")


def _alike(store: Store, namespace: str, own: dict[str, str]) -> Iterator[Pod]:
    """Yield one Pod of each set of labels that holds some labels."""
    selector = LabelSelector(own)
    for labels in store.pod_classes.classes(namespace):
        pod = store.pods.get(next(iter(store.pod_classes.pods(namespace, labels)), ""))
        if pod is not None and selector.matches(labels):
            yield pod


def _isolated(store: Store, pod: Pod, direction: Direction) -> bool:
    how = engine_rules(store, Engine.AZURE)  # labels as the API has them
    return any(not rules.problem(item) for item in compiled(store).speaking(how, direction, pod))


def _lasting(labels: Labels) -> dict[str, str]:
    return {key: value for key, value in sorted(labels.items()) if key not in _PASSING}


def _peer(who: Who, judged: Pod, entry: Entry) -> Json | None:
    """Return the other end as an element of from or to, as narrow as it can be named."""
    if who.sort is Sort.POD:
        labels = _lasting(who.labels)
        if not labels:
            return None
        selected: Json = {"podSelector": {"matchLabels": labels}}
        if who.namespace != judged.namespace:
            selected["namespaceSelector"] = {"matchLabels": {NAME: who.namespace}}
        return selected
    if who.sort is Sort.ANY_CLIENT:
        return {"ipBlock": {"cidr": "0.0.0.0/0" if who.v4 else "::/0"}}
    # A rewritten source is the address of whichever node took the packet: one of them is not enough.
    if who.address is None or (entry is Entry.CLUSTER and who.in_cluster):
        return None
    text = format_address(who.address)
    return {"ipBlock": {"cidr": f"{text}/{128 if ':' in text else 32}"}}


def _name(store: Store, direction: Direction, pod: Pod, port: int) -> str:
    workload = workload_of(pod)
    base = "pods" if workload.kind == BARE else workload.name
    tail = f"-{direction.value.lower()}-{port}"
    name = f"{base[: _LONGEST_NAME - len(tail) - 2]}{tail}"
    number = 2
    while f"{pod.namespace}/{name}" in store.network_policies and number < 10:  # noqa: PLR2004 - one digit
        name = f"{base[: _LONGEST_NAME - len(tail) - 2]}{tail}-{number}"
        number += 1
    return name


def encoded(manifest: Json | None) -> str:
    """Return a manifest as the text that a step carries."""
    return "" if manifest is None else msgspec.json.encode(manifest).decode()
