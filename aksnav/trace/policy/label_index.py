"""Which classes of Pods a selector matches, as bits: found by look-up of labels, not by asking every class."""

from collections.abc import Iterable, Iterator, Sequence

from aksnav.model.kubernetes.workload import Pod
from aksnav.model.labels import LabelSelector, Requirement
from aksnav.trace.policy.namespaces import NamespaceLabels
from aksnav.trace.ternary import Unknown

Pairs = dict[tuple[str, str], int]
Sets = tuple[int, int]
"""What matches for certain, and what nobody can decide."""


def numbers_in(bits: int) -> Iterator[int]:
    """Yield the numbers of the classes of a set, ascending."""
    if bits.bit_count() <= _FEW:
        while bits:
            lowest = bits & -bits
            yield lowest.bit_length() - 1
            bits ^= lowest
        return
    for place, byte in enumerate(bits.to_bytes((bits.bit_length() + 7) // 8, "little")):
        if byte:
            yield from [place * 8 + offset for offset in _OFFSETS[byte]]


_FEW = 32
_OFFSETS = tuple(tuple(offset for offset in range(8) if byte >> offset & 1) for byte in range(256))


class LabelIndex:
    """Classes by their labels.

    Attributes:
        everything: the set of all classes.
        hosts: those on the host network, which no label selects.
        by_namespace: the classes of each namespace.
    """

    def __init__(self, pods: Sequence[Pod], namespaces: NamespaceLabels) -> None:
        """Index classes.

        Args:
            pods: one of each class; its place is the class's number.
            namespaces: the labels of namespaces.
        """
        self._pods = pods
        self._namespaces = namespaces
        self.everything = (1 << len(pods)) - 1
        self.hosts = 0
        self.by_namespace: dict[str, int] = {}
        for number, pod in enumerate(pods):
            self.by_namespace[pod.namespace] = self.by_namespace.get(pod.namespace, 0) | 1 << number
            if pod.template.host_network:
                self.hosts |= 1 << number
        self._plain: _Labelled | None = None
        self._identities: _Labelled | None = None

    def matching(self, selector: LabelSelector) -> int:
        """Return what a selector matches by the Pods' own labels."""
        if self._plain is None:
            self._plain = _Labelled((pod.labels.items() for pod in self._pods), self.hosts)
        return self._plain.matching(selector, self.everything)

    def by_identity(self, selector: LabelSelector) -> int:
        """Return what a selector matches by the labels of Cilium's identities."""
        if self._identities is None:
            told = (
                self._namespaces.identity(pod.namespace, pod.labels, pod.template.service_account).items()
                for pod in self._pods
            )
            self._identities = _Labelled(told, self.hosts)
        return self._identities.matching(selector, self.everything)

    def of_namespaces(self, selector: LabelSelector) -> Sets:
        """Return the classes of the namespaces that a selector matches, and of those of which nobody can say it."""
        sure = unsure = 0
        for space, bits in self.by_namespace.items():
            answer = self._namespaces.matches(selector, space)
            if isinstance(answer, Unknown):
                unsure |= bits
            elif answer:
                sure |= bits
        return sure, unsure


class _Labelled:
    def __init__(self, labels: Iterable[Iterable[tuple[str, str]]], hosts: int) -> None:
        numbers: dict[tuple[str, str], list[int]] = {}
        count = 0
        for number, pairs in enumerate(labels):
            count = number + 1
            if not hosts >> number & 1:
                for pair in pairs:
                    numbers.setdefault(pair, []).append(number)
        self._by_label: Pairs = {pair: _set(listed, count) for pair, listed in numbers.items()}
        self._by_key: dict[str, int] = {}
        for (key, _), bits in self._by_label.items():
            self._by_key[key] = self._by_key.get(key, 0) | bits

    def matching(self, selector: LabelSelector, everything: int) -> int:
        bits = everything
        for pair in selector.match_labels.items():
            bits &= self._by_label.get(pair, 0)
        for line in selector.match_expressions:
            bits &= self._held(line, everything)
        return bits

    def _held(self, line: Requirement, everything: int) -> int:
        listed = 0
        for value in line.values:
            listed |= self._by_label.get((line.key, value), 0)
        having = self._by_key.get(line.key, 0)
        return {
            "In": listed,
            "NotIn": everything & ~listed,
            "Exists": having,
            "DoesNotExist": everything & ~having,
        }.get(line.operator, 0)


def _set(numbers: Iterable[int], count: int) -> int:
    found = bytearray(count // 8 + 1)
    for number in numbers:
        found[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(found, "little")
