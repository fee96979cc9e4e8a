"""Which of Cilium's own policies have a say on which classes of Pods, and by what they tell the other end's apart.

All that these policies see of a Pod at the other end is its identity's labels and whether a Service leads to it;
blocks, names and entities mean every Pod or none. Pods on the host network are their nodes, and are asked one by one.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from aksnav.model.labels import LabelSelector
from aksnav.trace.policy.cilium.blocks import ServiceRef, means
from aksnav.trace.policy.cilium.facts import Facts
from aksnav.trace.policy.cilium.rule import Ready, Rule, Spec
from aksnav.trace.policy.cilium.selectors import Selector
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.label_index import LabelIndex, numbers_in
from aksnav.trace.policy.reach_ports import Cuts, cilium_cuts

Say = tuple[int, ...]
"""The numbers of the rule sets that have, or may have, a say on a class in one direction."""


class _RuleSet(msgspec.Struct, frozen=True, gc=False):
    ready: Ready
    spec: Spec


class CiliumLikeness:
    """Classes of Pods as Cilium's own policies see them."""

    def __init__(self, listed: Iterable[Ready], blind: Iterable[str], facts: Facts, index: LabelIndex) -> None:
        """Find who is selected by what.

        Args:
            listed: every policy.
            blind: the namespaces of those that cannot be decoded or read; empty for all namespaces.
            facts: what the policies refer to.
            index: the classes.
        """
        self._index = index
        self._facts = facts
        self._sets = [_RuleSet(ready, spec) for ready in listed for spec in ready.specs]
        self._says: dict[Direction, dict[int, list[int]]] = {way: {} for way in Direction}
        self._splits: dict[tuple[int, Direction], tuple[int, ...]] = {}
        self._cuts: dict[Say, Cuts] = {}
        for number, item in enumerate(self._sets):
            ways = [way for way in Direction if _speaks(item, way)]
            for place in numbers_in(self._selected(item) & ~index.hosts) if ways else ():
                for way in ways:
                    self._says[way].setdefault(place, []).append(number)
        for space in blind:
            bits = index.by_namespace.get(space, 0) if space else index.everything
            for place in numbers_in(bits & ~index.hosts):
                for way in Direction:
                    self._says[way].setdefault(place, []).append(-1)

    def say(self, number: int, direction: Direction) -> Say:
        """Return which rule sets have, or may have, a say on a class in a direction; -1 for those nobody can read."""
        return tuple(self._says[direction].get(number, ()))

    def split(self, say: Say, direction: Direction) -> Iterator[int]:
        """Yield the sets by which rule sets tell classes apart at the other end."""
        for number in say:
            if number < 0:
                continue
            found = self._splits.get((number, direction))
            if found is None:
                rules = self._sets[number].spec.rules[direction]
                found = self._splits[number, direction] = tuple(bits for rule in rules for bits in self._told(rule))
            yield from found

    def cuts(self, say: Say) -> Cuts:
        """Return the ports at which the rules of rule sets begin or cease to match."""
        found = self._cuts.get(say)
        if found is None:
            found = self._cuts[say] = cilium_cuts(self._sets[number].ready.policy for number in say if number >= 0)
        return found

    def _selected(self, item: _RuleSet) -> int:
        """Return the classes that a rule set selects or may select."""
        space, selector = item.ready.policy.namespace, item.spec.selector
        within = self._index.by_namespace.get(space, 0) if space else self._index.everything
        if selector is None or selector.unknown or selector.reserved:
            return within
        sure, unsure = self._matching(selector)
        return within & (sure | unsure)

    def _told(self, rule: Rule) -> Iterator[int]:
        for peers in rule.peers:
            for element in peers.items:
                if peers.kind == "Endpoints":
                    yield from self._matching(element)
                elif peers.kind == "Services":
                    yield from self._behind(element)
        for selector in rule.requires:
            yield from self._matching(selector)

    def _matching(self, selector: Selector) -> Sequence[int]:
        """Return the classes that a selector matches for certain, and those of which nobody can say it."""
        bits = self._index.by_identity(selector.labels) & ~self._index.hosts
        if selector.scope:
            bits &= self._index.by_namespace.get(selector.scope, 0)
        if selector.of_namespace is None:
            return bits, 0
        return [bits & found for found in self._index.of_namespaces(selector.of_namespace)]

    def _behind(self, ref: ServiceRef) -> Iterator[int]:
        for service in self._facts.services:
            if service.selector and means(ref, service):
                bits = self._index.matching(LabelSelector(dict(service.selector)))
                yield bits & self._index.by_namespace.get(service.namespace, 0)


def _speaks(item: _RuleSet, way: Direction) -> bool:
    """Return whether a rule set says anything of a direction; one that Cilium refuses may say anything."""
    if item.ready.problem:
        return True
    return not item.spec.nodes and bool(item.spec.rules[way] or item.spec.isolates[way])
