"""What a decision takes for granted of the engine that made it: versions that are not read, and known defects."""

import re
from collections.abc import Iterator

from aksnav.model.kubernetes.policy import PolicyRule
from aksnav.model.kubernetes.workload import Pod
from aksnav.store.store import Store
from aksnav.trace.policy.cilium.cautions import advanced, rule_at
from aksnav.trace.policy.compiled import end_port_is_known
from aksnav.trace.policy.decision import Decision
from aksnav.trace.policy.engines import Engine

_FIELD = re.compile(r"^\.spec\.(ingress|egress)\[(\d+)\]$")


def cautions(store: Store, engine: Engine, decision: Decision, target: Pod | None) -> tuple[str, ...]:
    """Return what the rule that decides takes for granted on Cilium: that endPort is read, and what a port name means.

    Source: engines.md, "endPort" and "named ports" (cilium#30003: one name for several numbers can be mis-enforced).
    """
    if engine is not Engine.CILIUM or not decision.evidence or not decision.deciding:
        return ()
    found: list[str] = []
    for name, ranged in (*_ports(store, decision), *_cilium_ports(store, decision)):
        if ranged and not end_port_is_known(store):
            found.append("Cilium is 1.17 or later, which reads endPort")
        if name and target is not None and _ambiguous(store, target, name):
            found.append(
                f"Cilium enforces port name {name!r} of {decision.deciding[0]} as written, although Pods of "
                f"{target.namespace} have it with several numbers (P17)"
            )
    found += advanced(store, rule_at(store, decision.deciding[0], decision.evidence[0].field))
    return tuple(dict.fromkeys(found))


def _cilium_ports(store: Store, decision: Decision) -> Iterator[tuple[str, bool]]:
    """Yield the name of each port of the Cilium rule that decides, and whether it is a range."""
    rule = rule_at(store, decision.deciding[0], decision.evidence[0].field)
    for element in rule.get("toPorts") or ():
        for port in element.get("ports") or ():
            text = str(port.get("port", ""))
            yield ("" if text.isdecimal() else text.lower()), bool(port.get("endPort"))


def _ports(store: Store, decision: Decision) -> Iterator[tuple[str, bool]]:
    """Yield the name of each port of the NetworkPolicy rule that decides, and whether it is a range."""
    if decision.deciding[0].kind != "NetworkPolicy":
        return
    policy = store.network_policies.get(decision.deciding[0].id)
    found = _FIELD.match(decision.evidence[0].field)
    if policy is None or found is None:
        return
    listed: tuple[PolicyRule, ...] = policy.ingress if found[1] == "ingress" else policy.egress
    for port in listed[int(found[2])].ports:
        yield (port.port if isinstance(port.port, str) else ""), port.end_port is not None


def _ambiguous(store: Store, target: Pod, name: str) -> bool:
    """Return whether Pods of the destination's namespace declare a port name with different numbers."""
    numbers: set[int] = set()
    for labels in store.pod_classes.classes(target.namespace):
        pod = store.pods.get(next(iter(store.pod_classes.pods(target.namespace, labels)), ""))
        if pod is not None:
            numbers.update(item.port for item in pod.template.ports if item.name == name)
    return len(numbers) > 1
