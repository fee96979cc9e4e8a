"""What the NetworkPolicies of one end say of a Pod at the other, by look-up: rules as sets of classes.

It says what the judge says, or nothing where the judge has to be asked: labels of namespaces that nobody can read,
versions that are not known, more than one engine.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from aksnav.model.addresses import is_v4, parse_address
from aksnav.model.kubernetes.policy import NetworkPolicy, PolicyPeer, PolicyRule
from aksnav.model.kubernetes.workload import ContainerPort
from aksnav.store.store import Store
from aksnav.trace.policy import rules
from aksnav.trace.policy.ask import Word, both
from aksnav.trace.policy.compiled import compiled, engine_rules
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.peers import Part, Peers
from aksnav.trace.policy.reach_ports import Ports, merged
from aksnav.trace.policy.who import Sort, Who
from aksnav.trace.ternary import Answer, Unknown, some

NO_SAY = Word(True, (), "no policy selects the Pod")
UNCERTAIN = "a policy cannot be evaluated"
Answers = tuple[tuple[Word, tuple[Ports, ...]], ...]
"""What holds on which ports."""
_Ports = tuple[ContainerPort, ...]


class _Rule(msgspec.Struct, frozen=True, gc=False):
    """A rule with the classes that its selectors match for certain, or may match, and its address blocks."""

    rule: PolicyRule
    sure: int
    unsure: int
    blocks: tuple[PolicyPeer, ...]


class Admitting(NamedTuple):
    """A rule that admits the other end on the ports that it lists, as ``peer`` says; None for a policy in doubt."""

    policy: NetworkPolicy
    place: int
    rule: PolicyRule | None
    peer: Answer


class Stand(NamedTuple):
    """What policies say to whom they may not admit: ``may`` are those whom they may admit, -1 is anybody."""

    may: int
    word: Word


class Mine:
    """The words of one end of a connection, a word for each of some ports."""

    def __init__(self, direction: Direction, items: Sequence[Ports], words: tuple[Word, ...]) -> None:
        self._direction = direction
        self._items = items
        self._words = words
        self._with: dict[int, tuple[Word, Answers]] = {}

    def with_word(self, theirs: Word) -> Answers:
        """Return what they add up to with the one word of the other end; worked out once for the same object."""
        found = self._with.get(id(theirs))
        if found is None:
            made = added_up(self._direction, self._items, self._words, (theirs,) * len(self._items))
            found = self._with[id(theirs)] = (theirs, made)
        return found[1]


class Quick:
    """NetworkPolicies, as the one engine of a cluster reads them."""

    def __init__(self, store: Store, known: Peers) -> None:
        """Make it ready; whether there is but one engine is looked at when it is asked.

        Args:
            store: what is known.
            known: the classes of it.
        """
        self._known = known
        how = engine_rules(store, known.engines[0]) if len(known.engines) == 1 else None
        self._scene = rules.Scene(how.engine, compiled(store).namespaces, how.end_port) if how is not None else None
        self._sets: dict[tuple[int, Direction], list[_Rule] | None] = {}
        self._denials: dict[tuple[tuple[int, ...], Direction], Word] = {}
        self._at_ports: dict[tuple[int, str, int, _Ports], rules.Said] = {}
        self._may: dict[tuple[int, Direction], int] = {}
        self._blocks: dict[tuple[str, tuple[str, ...]], tuple[int, int]] = {}
        self._stands: dict[tuple[int, bool], Stand | None] = {}
        self._mine: dict[tuple[int, ...], Mine] = {}
        self._same_words: dict[object, Word] = {}
        self._whos: dict[int, Who] = {}
        self._words: dict[object, Word] = {}

    def stand(self, part: Part, direction: Direction) -> Stand | None:
        """Return what a part says to all but a few; None where more than NetworkPolicies decide in a direction."""
        key = (id(part), direction is Direction.EGRESS)
        if key not in self._stands:
            self._stands[key] = self._stand(part, direction) if part.plain(direction) else None
        return self._stands[key]

    def _stand(self, part: Part, direction: Direction) -> Stand:
        policies = part.policies(direction)
        may = 0
        for policy in policies:
            may |= self._known.sets.may_admit(policy, direction)  # all bits are set in -1, whatever is added to it
        return Stand(may, self.denial(policies, direction)) if policies else Stand(0, NO_SAY)

    def admitting(
        self, policies: tuple[NetworkPolicy, ...], direction: Direction, number: int
    ) -> list[Admitting] | None:
        """Return the rules of policies that admit, or may admit, a class on some port; None where it is not certain.

        Args:
            policies: of the judged Pod, in the order in which the judge asks them.
            direction: as seen from the judged Pod.
            number: of the class at the other end.
        """
        scene = self._scene
        if scene is None:
            return None
        found: list[Admitting] = []
        for policy in policies:
            if not self._may_admit(policy, direction, scene) >> number & 1:
                continue
            listed = self._rules(policy, direction)
            if listed is None:
                found.append(Admitting(policy, 0, None, Unknown(UNCERTAIN)))
                continue
            for place, rule in enumerate(listed):
                peer = self._names(rule, policy.namespace, number, scene)
                if peer is not False:
                    found.append(Admitting(policy, place, rule.rule, peer))
        return found

    def word(
        self,
        policies: Sequence[NetworkPolicy],
        direction: Direction,
        number: int,
        declared: _Ports,
        item: Ports,
        admitting: Sequence[Admitting] | None = None,
    ) -> Word | None:
        """Return what policies that isolate a Pod say of one of a class at the other end; None where it is not certain.

        Args:
            policies: of the judged Pod, in the order in which the judge asks them; all of them can be evaluated.
            direction: as seen from the judged Pod.
            number: of the class at the other end.
            declared: ports of the destination.
            item: the port that is asked for.
            admitting: what ``admitting`` returns, where that is known.
        """
        scene = self._scene
        listed = self.admitting(tuple(policies), direction, number) if admitting is None else admitting
        if scene is None or listed is None:
            return None
        target = rules.Target(item.first, item.protocol, declared)
        for policy, place, rule, peer in listed:
            said = self._ports(rule, target, scene) if rule is not None else peer
            if rule is not None and said is True and peer is True:
                why = rules.admits(rule, policy.namespace, self._who(number), target, scene).why
                return Word(True, (policy.ref,), f"{policy.id} {direction.lower()}[{place}] admits it: {why}")
            if said is not False:
                return None
        return self.denial(policies, direction)

    def admitted(
        self, policies: Sequence[NetworkPolicy], direction: Direction, declared: _Ports, item: Ports
    ) -> int | None:
        """Return the classes that policies which isolate a Pod admit on a port; None where it is not certain of all."""
        scene = self._scene
        if scene is None:
            return None
        target = rules.Target(item.first, item.protocol, declared)
        found = 0
        for policy in policies:
            listed = self._rules(policy, direction)
            if listed is None:
                return None
            for rule in listed:
                said = self._ports(rule.rule, target, scene)
                if said is False:
                    continue
                sure, unsure = rule.sure, rule.unsure
                for peer in rule.blocks:
                    covered, doubtful = self._covered(peer, policy.namespace, scene)
                    sure, unsure = sure | covered, unsure | doubtful
                if said is not True or unsure:
                    return None
                found |= sure
        return found

    def mine(self, direction: Direction, items: list[Ports], words: tuple[Word, ...]) -> "Mine":
        """Return the words of one end; one object for the same words on the same ports.

        Args:
            direction: as seen from that end.
            items: the ports, as ``Peers.ranges`` returns them.
            words: for each of the ports, from ``same``, or none at all.
        """
        key = (direction is Direction.EGRESS, id(items), *map(id, words))
        found = self._mine.get(key)
        if found is None:
            found = self._mine[key] = Mine(direction, items, words)
        return found

    def same(self, word: Word) -> Word:
        """Return the one object that stands for all words that are alike."""
        return self._same_words.setdefault((word.allowed, word.policies, word.why), word)

    def denial(self, policies: Sequence[NetworkPolicy], direction: Direction) -> Word:
        """Return the word of policies that isolate a Pod and do not admit it; one word for one set of them."""
        key = (tuple(map(id, policies)), direction)
        found = self._denials.get(key)
        if found is None:
            names = ", ".join(policy.id for policy in policies)
            why = f"isolated for {direction} by {names}, and no rule admits it"
            found = self._denials[key] = Word(False, tuple(policy.ref for policy in policies), why)
        return found

    def kept(self, key: object, named: str, ask: Callable[[], Word]) -> Word:
        """Return a word of the judge's that holds for all who have the same key, unless it names the one it is about.

        Args:
            key: all that the judge sees of both ends.
            named: how the one it is about would be named in it.
            ask: asks the judge.
        """
        found = self._words.get(key)
        if found is None:
            found = ask()
            if named not in found.why:
                self._words[key] = found
        return found

    def _may_admit(self, policy: NetworkPolicy, direction: Direction, scene: rules.Scene) -> int:
        """Return the classes that a policy may admit on some port: all of them, where it cannot be evaluated."""
        key = (id(policy), direction)
        found = self._may.get(key)
        if found is None:
            listed = self._rules(policy, direction)
            found = self._known.index.everything if listed is None else 0
            for rule in listed or ():
                found |= rule.sure | rule.unsure
                for peer in rule.blocks:
                    covered, doubtful = self._covered(peer, policy.namespace, scene)
                    found |= covered | doubtful
            self._may[key] = found
        return found

    def _covered(self, peer: PolicyPeer, namespace: str, scene: rules.Scene) -> tuple[int, int]:
        """Return the classes that an address block covers, and those of which nobody can say it."""
        block = peer.ip_block
        if block is None:
            return 0, 0
        key = (block.cidr, block.exceptions)
        found = self._blocks.get(key)
        if found is None:
            sure = unsure = 0
            for number, bits in self._known.by_place():
                answer = rules.peer_admits(peer, namespace, self._who(number), scene).answer
                sure, unsure = (
                    sure | (bits if answer is True else 0),
                    unsure | (bits if isinstance(answer, Unknown) else 0),
                )
            found = self._blocks[key] = (sure, unsure)
        return found

    def _rules(self, policy: NetworkPolicy, direction: Direction) -> list[_Rule] | None:
        """Return the rules of a policy made ready; None where it cannot be evaluated."""
        key = (id(policy), direction)
        if key not in self._sets:
            listed: tuple[PolicyRule, ...] = policy.ingress if direction is Direction.INGRESS else policy.egress
            bad = rules.problem(policy)
            self._sets[key] = None if bad else [self._matched(rule, policy.namespace) for rule in listed]
        return self._sets[key]

    def _matched(self, rule: PolicyRule, namespace: str) -> _Rule:
        if not rule.peers:
            return _Rule(rule, self._known.index.everything, 0, ())
        sure = unsure = 0
        for peer in rule.peers:
            if peer.ip_block is None:
                certain, doubtful = self._known.sets.matching(peer, namespace)
                sure, unsure = sure | certain, unsure | doubtful
        return _Rule(rule, sure, unsure, tuple(peer for peer in rule.peers if peer.ip_block is not None))

    def _names(self, rule: _Rule, namespace: str, number: int, scene: rules.Scene) -> Answer:
        """Return whether a rule's peers match a class; an address block holds all of it or nothing."""
        if rule.sure >> number & 1:
            return True
        if rule.unsure >> number & 1:
            return Unknown("a namespace's labels are not known")
        return some(rules.peer_admits(peer, namespace, self._who(number), scene).answer for peer in rule.blocks)

    def _ports(self, rule: PolicyRule, target: rules.Target, scene: rules.Scene) -> Answer:
        key = (id(rule), target.protocol, target.port, target.declared or ())
        found = self._at_ports.get(key)
        if found is None:
            found = self._at_ports[key] = rules.at_ports(rule.ports, target, scene)
        return found.answer

    def _who(self, number: int) -> Who:
        """Return the Pods of a class as the engine sees them, with the address of one of them."""
        found = self._whos.get(number)
        if found is None:
            pod = self._known.classes[number].examples[0]
            address = parse_address(pod.ip)
            found = self._whos[number] = Who(
                sort=Sort.POD,
                namespace=pod.namespace,
                labels=pod.labels,
                service_account=pod.template.service_account,
                address=address,
                v4=address is None or is_v4(address),
            )
        return found


def added_up(direction: Direction, items: Sequence[Ports], mine: Sequence[Word], theirs: Sequence[Word]) -> Answers:
    """Return what the words of both ends add up to, ports with the same answer by the same policies together.

    Args:
        direction: as seen from the first end.
        items: ports in order.
        mine: the words of the first end for each of the ports, or none at all where it has no say.
        theirs: those of the other end.
    """
    ends = [words for words in ((mine, theirs) if direction is Direction.EGRESS else (theirs, mine)) if words]
    known: dict[tuple[int, ...], Word] = {}
    found: list[tuple[Word, Ports]] = []
    for place, item in enumerate(items):
        words = [end[place] for end in ends]
        key = tuple(map(id, words))
        word = known.get(key)
        if word is None:
            word = known[key] = both(words)
        found.append((word, item))
    return by_answer(found)


def by_answer(found: Iterable[tuple[Word, Ports]]) -> Answers:
    """Return ports in order by what is said of them: the first word of those that say the same by the same policies."""
    listed: dict[object, tuple[Word, list[Ports]]] = {}
    for word, item in found:
        listed.setdefault((word.allowed, word.policies), (word, []))[1].append(item)
    return tuple([(word, merged(items)) for word, items in listed.values()])
