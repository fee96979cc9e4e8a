"""Namespaces against namespaces: between how many of their workloads policies let connections through.

A workload can talk to another where some Pod of the one may open a connection to some declared port of some Pod of the
other (to any port, where none is declared). Pods with hostNetwork are asked as those of another node.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import groupby

import msgspec

from aksnav.model.kubernetes.workload import ContainerPort, Pod
from aksnav.store.store import Store
from aksnav.trace.place import Place
from aksnav.trace.policy.ask import crossing_of, word_of
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.label_index import numbers_in
from aksnav.trace.policy.peers import Part, Peers, peers
from aksnav.trace.policy.quick import Quick
from aksnav.trace.policy.reach import unread
from aksnav.trace.policy.reach_ports import Ports, ranges

Bits = tuple[int, int]
"""What is let through for certain, and what nobody can decide."""


class Cell(msgspec.Struct, frozen=True, gc=False):
    """Between two namespaces: workload pairs that can talk, that nobody can decide, and all that there are."""

    yes: int
    unknown: int
    total: int

    def __str__(self) -> str:
        if not self.total:
            return "-"
        if self.yes == self.total:
            return "all"
        unsure = f" ?{self.unknown}" if self.unknown else ""
        if self.yes:
            return f"some {self.yes}/{self.total}{unsure}"
        return f"?{self.unknown}/{self.total}" if self.unknown else "none"


class Matrix(msgspec.Struct, frozen=True, gc=False):
    """Every namespace with Pods against every other; ``cells`` by source and destination."""

    namespaces: tuple[str, ...]
    cells: dict[tuple[str, str], Cell]
    missing: tuple[str, ...] = ()

    @property
    def undecided(self) -> bool:
        """Whether anything of it is not known."""
        return bool(self.missing) or any(cell.unknown for cell in self.cells.values())


def matrix(store: Store) -> Matrix:
    """Return which namespaces can talk to which, workload by workload."""
    return _Pairs(store, peers(store)).matrix()


class _Pairs:
    """Sources by destination, as bits over the classes of ``peers``."""

    def __init__(self, store: Store, known: Peers) -> None:
        self._store = store
        self._known = known
        self._quick = Quick(store, known)
        self._groups = _groups(known)
        self._at: dict[object, Bits] = {}
        self._leave: dict[object, dict[Bits, int]] = {}
        self._part_of = {number: part for part in known.parts for number in part.numbers}
        self._free = 0
        self._bound: list[Part] = []
        for part in known.parts:
            if part.open(Direction.EGRESS):
                self._free |= part.bits
            else:
                self._bound.append(part)
        self._workloads: list[tuple[str, int]] = []
        self._further = 0
        self._spaces: list[tuple[str, int, int]] = []
        for group, listed in groupby(enumerate(known.classes), key=lambda item: item[1].group):
            numbers = [number for number, _ in listed]
            bits = sum(1 << number for number in numbers)
            self._workloads.append((group.namespace, bits))
            self._further |= bits & (bits - 1)
        for space, found in groupby(enumerate(known.classes), key=lambda item: item[1].group.namespace):
            numbers = [number for number, _ in found]
            self._spaces.append((space, numbers[0], numbers[-1] + 1))
        self._counts: dict[int, list[int]] = {}

    def matrix(self) -> Matrix:
        """Return the numbers for every two namespaces."""
        by_space: dict[str, list[int]] = {}
        for space, bits in self._workloads:
            by_space.setdefault(space, []).append(bits)
        cells: dict[tuple[str, str], Cell] = {}
        for target, listed in by_space.items():
            yes, maybe, there = (self._added(found) for found in zip(*map(self._sources_of, listed), strict=True))
            for number, (source, _, _) in enumerate(self._spaces):
                cells[source, target] = Cell(yes[number], maybe[number], there[number])
        return Matrix(tuple(by_space), cells, tuple(unread(self._store)))

    def _added(self, found: Iterable[int]) -> list[int]:
        """Return how many workloads of each namespace some sets hold, all sets together."""
        sums = [0] * len(self._spaces)
        for bits, times in Counter(found).items():
            for place, count in enumerate(self._counted(bits) if bits else ()):
                sums[place] += times * count
        return sums

    def _counted(self, bits: int) -> list[int]:
        found = self._counts.get(bits)
        if found is None:
            # The classes of a namespace stand side by side: a slice of the digits is counted.
            digits = f"{bits:b}"[::-1]
            found = self._counts[bits] = [digits.count("1", first, end) for _, first, end in self._spaces]
        return found

    def _sources_of(self, workload: int) -> tuple[int, int, int]:
        """Return, one bit for each workload: who can talk to a workload, of whom nobody can tell, and who there is."""
        yes = maybe = there = 0
        for number in numbers_in(workload):
            lone = self._known.classes[number].count == 1
            others = self._known.index.everything & ~(1 << number if lone else 0)
            sure, unsure = self._to_class(number)
            yes, maybe, there = yes | sure & others, maybe | unsure & others, there | others
        yes, maybe, there = self._one_each(yes), self._one_each(maybe), self._one_each(there)
        return yes, maybe & ~yes, there

    def _one_each(self, bits: int) -> int:
        """Return classes as workloads, whose classes stand side by side: the first stands for all of its workload."""
        while further := bits & self._further:
            bits = bits & ~further | further >> 1
        return bits

    def _to_class(self, number: int) -> Bits:
        """Return the classes that can open a connection to a class on some port."""
        pod, part = self._known.classes[number].examples[0], self._part_of[number]
        declared = pod.template.ports
        yes = maybe = 0
        for item in self._ports(declared, part):
            inward = self._seen_by(part, Direction.INGRESS, declared, item)
            outward = self._leaving(number, declared, item)
            sure = inward[0] & outward[0]
            yes |= sure
            maybe |= (inward[0] | inward[1]) & (outward[0] | outward[1]) & ~sure
        return yes, maybe & ~yes

    def _ports(self, declared: tuple[ContainerPort, ...], part: Part) -> list[Ports]:
        known = self._known
        if declared:
            return [item for item in ranges(declared) if item.declared]
        cuts = [known.cuts(bound.egress, Direction.EGRESS) for bound in self._bound]
        own = known.own_cuts(part.own[Direction.INGRESS], *(bound.own[Direction.EGRESS] for bound in self._bound))
        return ranges((), known.cuts(part.ingress, Direction.INGRESS), *own, *cuts)

    def _leaving(self, number: int, declared: tuple[ContainerPort, ...], item: Ports) -> Bits:
        """Return the classes whose own policies let a connection go to a class."""
        yes, maybe = self._free, 0
        for (sure, unsure), sources in self._outward(declared, item).items():
            if sure >> number & 1:
                yes |= sources
            elif unsure >> number & 1:
                maybe |= sources
        return yes, maybe

    def _outward(self, declared: tuple[ContainerPort, ...], item: Ports) -> dict[Bits, int]:
        """Return the classes with egress policies, by the destinations that these let them go to: few are different."""
        key = (declared, item.protocol, item.first)
        found = self._leave.get(key)
        if found is None:
            found = self._leave[key] = {}
            for part in self._bound:
                sets = self._seen_by(part, Direction.EGRESS, declared, item)
                found[sets] = found.get(sets, 0) | part.bits
        return found

    def _seen_by(self, part: Part, direction: Direction, declared: tuple[ContainerPort, ...], item: Ports) -> Bits:
        """Return the classes at the other end with which the policies of a part let its Pods talk on a port."""
        if part.open(direction):
            return self._known.index.everything, 0
        key = (part.bits, direction, declared, item.protocol, item.first)
        found = self._at.get(key)
        if found is None:
            found = self._at[key] = self._ask(part, direction, declared, item)
        return found

    def _ask(self, part: Part, direction: Direction, declared: tuple[ContainerPort, ...], item: Ports) -> Bits:
        looked_up = None
        if part.plain(direction):
            looked_up = self._quick.admitted(part.policies(direction), direction, declared, item)
        yes = maybe = 0
        splits = self._known.splits(part, direction)
        for group in self._groups:
            if direction is Direction.EGRESS and group.ports != declared:
                continue
            if looked_up is not None and not group.host and group.v6 == self._v6(part):
                yes |= looked_up & group.bits
                continue
            for bits in _pieces(group.bits, splits):
                allowed = self._judged(part, bits, direction, item)
                if allowed is not False:
                    yes, maybe = (yes | bits, maybe) if allowed else (yes, maybe | bits)
        return yes, maybe

    def _v6(self, part: Part) -> bool:
        return ":" in self._known.classes[part.numbers[0]].examples[0].ip

    def _judged(self, part: Part, bits: int, direction: Direction, item: Ports) -> bool | None:
        """Return the judge's word on a port for one Pod of a part and one of some that are alike to its policies."""
        both = self._two(part.bits, bits)
        if both is None:
            return False
        mine, other = (Place.of_pod(pod, self._store.nodes.get(pod.node)) for pod in both)
        source, target = (other, mine) if direction is Direction.INGRESS else (mine, other)
        crossing = crossing_of(source, target, item.protocol, item.first)
        return word_of(self._store, crossing, direction, both[0]).allowed

    def _two(self, own: int, bits: int) -> tuple[Pod, Pod] | None:
        """Return a Pod of each of two sets, two different ones, and on two nodes where a node's address decides."""
        best: tuple[Pod, Pod] | None = None
        classes = self._known.classes
        for mine in (pod for number in numbers_in(own) for pod in classes[number].examples):
            for other in (pod for number in numbers_in(bits) for pod in classes[number].examples):
                if mine.id == other.id:
                    continue
                if not other.template.host_network or mine.node != other.node:
                    return mine, other
                best = best or (mine, other)
        return best


class _Group(msgspec.Struct, frozen=True, gc=False):
    """Classes by what other Pods' policies see of them besides labels, and the ports that they declare."""

    ports: tuple[ContainerPort, ...]
    v6: bool
    host: bool
    bits: int


def _groups(known: Peers) -> list[_Group]:
    found: dict[tuple[tuple[ContainerPort, ...], object, bool], tuple[bool, int]] = {}
    for part in known.parts:
        pod = known.classes[part.numbers[0]].examples[0]
        key = (pod.template.ports, part.key, part.host)
        v6, bits = found.get(key, (":" in pod.ip, 0))
        found[key] = (v6, bits | part.bits)
    return [_Group(ports, v6, host, bits) for (ports, _, host), (v6, bits) in found.items()]


def _pieces(bits: int, splits: tuple[int, ...]) -> list[int]:
    """Return a set of classes in pieces that the rules of some policies cannot tell apart."""
    pieces = [bits]
    for other in splits:
        pieces = [piece for bits in pieces for piece in (bits & other, bits & ~other) if piece]
    return pieces
