"""Which Pods Calico's policies cannot tell apart: those that answer every question of every selector alike."""

from collections.abc import Iterable, Iterator

from aksnav.model.kubernetes.calico import CalicoNetworkPolicy, CalicoRule, EntityRule
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.labels import Labels
from aksnav.trace.policy.calico import selector
from aksnav.trace.policy.calico.labelled import ACCOUNT, OF_ACCOUNT, OF_NAMESPACE, PodLabels
from aksnav.trace.policy.calico.rules import number_of, port_range
from aksnav.trace.policy.namespaces import NamespaceLabels
from aksnav.trace.policy.reach_ports import Cuts
from aksnav.trace.policy.rules import PROTOCOLS
from aksnav.trace.ternary import Unknown

Key = tuple[object, ...]
_Atom = selector.Has | selector.Compare
Question = tuple[str, _Atom]
"""A question that a selector asks of a label, with the prefix that says whose: the Pod's, its namespace's …"""


class Likeness:
    """Pods by the answers that they give to selectors.

    Attributes:
        cuts: the ports at which rules begin or cease to match.
    """

    def __init__(
        self,
        policies: list[CalicoNetworkPolicy],
        with_sets: frozenset[str],
        service_ports: Iterable[tuple[str, int]],
        namespaces: NamespaceLabels,
    ) -> None:
        self._atoms = sorted({(prefix, atom) for policy in policies for prefix, atom in _atoms(policy)}, key=str)
        self._told_by_name = with_sets | {policy.namespace for policy in policies if policy.namespace}
        self._namespaces = namespaces
        self._keys: dict[tuple[str, Labels, str], Key] = {}
        self.cuts = _cuts(policies, service_ports)

    def key(self, pod: Pod) -> Key:
        """Return what selectors see of a Pod: Pods with the same key are alike to every policy, but for addresses."""
        of = (pod.namespace, pod.labels, pod.template.service_account)
        found = self._keys.get(of)
        if found is None:
            thing = PodLabels(pod.labels, pod.namespace, pod.template.service_account, self._namespaces)
            told = tuple(_told(prefix, atom, thing) for prefix, atom in self._atoms)
            space = pod.namespace if pod.namespace in self._told_by_name else ""
            found = self._keys[of] = (space, told)
        return found

    def told(self, prefix: str, atom: _Atom, pod: Pod) -> bool | None:
        """Return what a Pod answers to one question; None where nobody can say."""
        return _told(prefix, atom, PodLabels(pod.labels, pod.namespace, pod.template.service_account, self._namespaces))


def _told(prefix: str, atom: _Atom, thing: PodLabels) -> bool | None:
    answer = selector.evaluate(atom, lambda key: thing.value(prefix + key))
    return None if isinstance(answer, Unknown) else answer


def _atoms(policy: CalicoNetworkPolicy) -> Iterator[Question]:
    given = [
        ("", policy.selector),
        (OF_NAMESPACE, policy.namespace_selector),
        (OF_ACCOUNT, policy.service_account_selector),
    ]
    yield from _of_texts(given)
    for side in policy.entities:
        yield from side_atoms(side)


def side_atoms(side: EntityRule) -> Iterator[Question]:
    """Yield every question that one side of a rule asks of labels."""
    given = [("", side.selector), ("", side.not_selector), (OF_NAMESPACE, side.namespace_selector)]
    if side.service_accounts is not None:
        given.append((OF_ACCOUNT, side.service_accounts.selector))
        yield "", selector.Compare(ACCOUNT, "in", side.service_accounts.names)
    yield from _of_texts(given)


def _of_texts(given: Iterable[tuple[str, str]]) -> Iterator[Question]:
    for prefix, text in given:
        node = selector.parse(text)
        if not isinstance(node, selector.Invalid):
            for atom in selector.atoms(node):
                yield prefix, atom


def _cuts(policies: Iterable[CalicoNetworkPolicy], service_ports: Iterable[tuple[str, int]]) -> Cuts:
    found: dict[str, set[int]] = {}
    for policy in policies:
        for rule in (*policy.ingress, *policy.egress):
            numbers = set(_numbers(rule))
            for protocol in _protocols(rule):
                found.setdefault(protocol, set()).update(numbers)
    for protocol, port in service_ports:
        if protocol in PROTOCOLS:
            found.setdefault(protocol, set()).update((port, port + 1))
    return {protocol: frozenset(at) for protocol, at in found.items()}


def _protocols(rule: CalicoRule) -> Iterator[str]:
    """Yield the protocols that have to be asked about for a rule: its own, or all where it excludes one."""
    given = rule.protocol if rule.protocol is not None else rule.not_protocol
    if given is None:
        return
    for word in PROTOCOLS:
        if rule.protocol is None or number_of(word) == number_of(given):
            yield word


def _numbers(rule: CalicoRule) -> Iterator[int]:
    for port in (*rule.destination.ports, *rule.destination.not_ports):
        found = port_range(port)
        if isinstance(found, tuple):
            yield from (found[0], found[1] + 1)
