"""The rows of an answer to "who can talk": one party of the subject, and everybody at the other end."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import partial

import msgspec

from aksnav.model.kubernetes.policy import NetworkPolicy
from aksnav.model.kubernetes.workload import ContainerPort, Pod
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.place import Entry, Place
from aksnav.trace.policy import outsiders
from aksnav.trace.policy.ask import Word, ask, crossing_of, word_of
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.peers import Key, Part, Peers, PodClass
from aksnav.trace.policy.quick import NO_SAY, Answers, Mine, Quick, added_up, by_answer
from aksnav.trace.policy.reach_ports import Ports, ranges
from aksnav.trace.policy.workloads import Group, Sort, group_of


class Reach(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whether a group of peers can talk to the subject, or it to them, on some ports.

    Attributes:
        direction: INGRESS for peers that reach the subject, EGRESS for peers that it reaches.
        subject: which of the subject's workloads.
        peer: the peers.
        count: how many Pods they are; 0 for others than Pods.
        ports: at the destination.
        allowed: None where it cannot be decided.
        policies: those that decide.
        why: one line, of one of the peers.
        source, target: one connection of these, for a trace.
        entry: how it comes to the cluster.
    """

    direction: Direction
    subject: Group
    peer: Group
    count: int
    ports: tuple[Ports, ...]
    allowed: bool | None
    policies: tuple[Ref, ...]
    why: str
    source: Place
    target: Place
    entry: Entry = Entry.DIRECT


class Party(msgspec.Struct, frozen=True, gc=False):
    """Pods of the subject that no policy can tell apart, one of them, or a node, or an address.

    Attributes:
        place: one of them.
        group: how it is told.
        number: of its class; None where it is in none.
        count: how many they are.
    """

    place: Place
    group: Group
    number: int | None
    count: int

    @property
    def relational(self) -> bool:
        """Whether it matters on which node a peer is: a node's own Pods know it as theirs."""
        return self.place.pod.template.host_network if self.place.pod is not None else self.place.node is not None


def group_at(place: Place) -> Group:
    """Return how a place is told: a Pod by its workload."""
    if place.pod is not None:
        return group_of(place.pod)
    if place.node is not None:
        return Group(Sort.NODE, "", "node", place.node.name)
    return outsiders.of_address(place.address)


class Side:
    """The connections of a party in one direction."""

    def __init__(self, store: Store, known: Peers, quick: Quick, party: Party, direction: Direction) -> None:
        self._store = store
        self._known = known
        self._party = party
        self._direction = direction
        self._inward = direction is Direction.INGRESS
        self._opposite = Direction.EGRESS if self._inward else Direction.INGRESS
        pod = party.place.pod
        self._own = known.speaking(direction, pod) if pod is not None else ()
        self._say = known.own(party.number, direction)
        self._node = _node_of(party.place)
        self._near = known.on_node(self._node)
        self._cuts = known.cuts(self._own, direction)
        self._at_own: dict[tuple[int, int], Mine] = {}
        self._own_words: dict[Key, Word] = {}
        self._quick = quick
        self._seen = known.seen(pod) if pod is not None else ()

    def rows(self) -> Iterator[Reach]:
        """Yield the rows: of every class of Pods, and of those who are no Pods."""
        known = self._known
        sides = known.sided(known.split(self._own, self._say, self._direction, self._party.place.pod))
        for part in known.parts:
            for seen, listed in _split(part.numbers, sides):
                if part.host or self._party.relational:
                    yield from self._by_node(part, listed)
                else:
                    yield from self._alike(part, listed, seen)
        if self._party.place.pod is not None:
            yield from self._outside(self._party.place.pod)

    def _alike(self, part: Part, numbers: Sequence[int], seen: int) -> Iterator[Reach]:
        """Yield the rows of classes between which no policy can tell: one Pod is asked for all of them."""
        answers: Answers | None = None
        for number in numbers:
            item = self._known.classes[number]
            mine = number == self._party.number
            place = self._beside_itself(item) if mine else self._known.place(number)
            if place is None:
                continue  # the Pod itself
            if answers is None:
                answers = self._answers_by_end(part, place, seen)
            yield from self._told(item.group, item.count - (mine and self._party.count == 1), place, answers)

    def _beside_itself(self, item: PodClass) -> Place | None:
        """Return where a Pod of the party's own class is that is another one."""
        own = self._party.place.pod
        other = next((pod for pod in item.examples if own is None or pod.id != own.id), None)
        return None if other is None else Place.of_pod(other, self._store.nodes.get(other.node))

    def _answers_by_end(self, part: Part, other: Place, seen: int) -> Answers:
        """Return what ``_answers`` does; each end is asked only for what was not answered for another part already."""
        source, target = (other, self._party.place) if self._inward else (self._party.place, other)
        theirs = part.policies(self._opposite)
        shut = self._shut(part)
        declared = target.pod.template.ports if target.pod is not None else ()
        if shut is not None:
            # The other end has one word for every port: what it adds up to with ours is worked out once for all alike.
            key = (seen, part.kind)
            mine = self._at_own.get(key)
            if mine is None:
                items = self._items(part, declared)
                words = self._at_this_end((seen, part.key, declared), source, target, items)
                mine = self._at_own[key] = self._quick.mine(self._direction, items, words)
            return mine.with_word(shut)
        items = self._items(part, declared, theirs)
        words = self._at_this_end((seen, part.key, declared), source, target, items)
        their_words = self._at_their_end(part, theirs, source, target, items)
        if isinstance(their_words, Word):
            return self._quick.mine(self._direction, items, words).with_word(their_words)
        return added_up(self._direction, items, words, their_words)

    def _items(
        self, part: Part, declared: tuple[ContainerPort, ...], theirs: tuple[NetworkPolicy, ...] = ()
    ) -> list[Ports]:
        """Return the ports between which neither the party's policies nor some of the other end's can tell."""
        known = self._known
        given = [self._cuts, *known.own_cuts(self._say, part.own[self._opposite])]
        if theirs:
            given.append(known.cuts(theirs, self._opposite))
        return known.ranges(declared, given)

    def _at_this_end(self, alike: Key, source: Place, target: Place, items: Sequence[Ports]) -> tuple[Word, ...]:
        """Return the words of the party's own policies, asked once for all that they cannot tell apart.

        There are none where the party is no Pod.
        """
        pod = self._party.place.pod
        if pod is None:
            return ()
        return tuple([self._own_word(alike, pod, source, target, item) for item in items])

    def _own_word(self, alike: Key, pod: Pod, source: Place, target: Place, item: Ports) -> Word:
        key = (alike, item.protocol, item.first)
        word = self._own_words.get(key)
        if word is None:
            crossing = crossing_of(source, target, item.protocol, item.first)
            word = self._own_words[key] = self._quick.same(word_of(self._store, crossing, self._direction, pod))
        return word

    def _at_their_end(
        self, part: Part, theirs: tuple[NetworkPolicy, ...], source: Place, target: Place, items: Sequence[Ports]
    ) -> tuple[Word, ...] | Word:
        """Return the words of the other end's policies, one word where it is one; none where there are none to ask."""
        other = source.pod if self._inward else target.pod
        if other is None:
            return ()
        number, pod = self._party.number, self._party.place.pod
        ask_judge = partial(self._their_word, source, target, other)
        if pod is None or number is None:
            return tuple(map(ask_judge, items))
        ports = target.pod.template.ports if target.pod is not None else ()
        same_family = (":" in pod.ip) == (":" in other.ip)
        admitting = None
        if same_family and part.plain(self._opposite):
            admitting = self._quick.admitting(theirs, self._opposite, number)
            if admitting is not None and not admitting:
                return self._quick.denial(theirs, self._opposite)
        words = []
        for item in items:
            word = None
            if admitting is not None:
                word = self._quick.word(theirs, self._opposite, number, ports, item, admitting)
            if word is None:
                sides = self._known.sides(part, self._opposite, number)
                key = (id(part), self._opposite, sides, self._seen, ports, item.protocol, item.first)
                word = self._quick.kept(key, f"a Pod of {pod.namespace} ", partial(ask_judge, item))
            words.append(word)
        return tuple(words)

    def _their_word(self, source: Place, target: Place, other: Pod, item: Ports) -> Word:
        crossing = crossing_of(source, target, item.protocol, item.first)
        return word_of(self._store, crossing, self._opposite, other)

    def _shut(self, part: Part) -> Word | None:
        """Return the word of a part whose policies have no say, or isolate it and certainly do not admit the party."""
        stand = self._quick.stand(part, self._opposite)
        if stand is None or stand.word is NO_SAY:
            return stand.word if stand is not None else None
        number = self._party.number
        if number is not None:
            return None if stand.may >> number & 1 else stand.word
        # An address may be a Pod's without our knowing it.
        certain = self._party.place.pod is None and self._known.sees_pods
        return stand.word if certain and stand.may >= 0 else None

    def _by_node(self, part: Part, numbers: Sequence[int]) -> Iterator[Reach]:
        """Yield the rows of classes of which the Pods on the party's own node may be unlike the others."""
        for number in numbers:
            item = self._known.classes[number]
            near = [pod for pod in self._near.get(number, ()) if pod is not self._party.place.pod]
            far = next((pod for pod in item.examples if pod.node != self._node), None)
            yield from self._near_and_far(part, item, near, far)

    def _near_and_far(self, part: Part, item: PodClass, near: list[Pod], far: Pod | None) -> Iterator[Reach]:
        found = []
        for pod, where in ((near[0] if near else None, "on the same node"), (far, "on another node")):
            if pod is not None:
                place = Place.of_pod(pod, self._store.nodes.get(pod.node))
                found.append((where, place, self._answers(part, place)))
        if not near or (len(found) > 1 and _same(found[0][2], found[1][2])):
            found = [("", *item[1:]) for item in found[-1:]]
        elsewhere = item.count - len(self._near.get(self._known.number(item.examples[0]) or 0, ()))
        counts = {"": len(near) + elsewhere, "on the same node": len(near), "on another node": elsewhere}
        for where, place, answers in found:
            group = msgspec.structs.replace(item.group, where=where)
            yield from self._told(group, counts[where], place, answers)

    def _outside(self, own: Pod) -> Iterator[Reach]:
        """Yield the rows of nodes, the internet, and every ipBlock that is named."""
        for sort, name, place, entry in outsiders.outsiders(self._store, self._known, own, self._direction):
            answers = self._answers(None, place, entry)
            yield from self._told(Group(sort, "", "", name), 0, place, answers, entry)

    def _answers(self, part: Part | None, other: Place, entry: Entry = Entry.DIRECT) -> Answers:
        """Return what policies do on every port, ports with the same answer by the same policies together."""
        source, target = (other, self._party.place) if self._inward else (self._party.place, other)
        theirs = () if part is None else part.policies(self._opposite)
        known = self._known
        own = known.own_cuts(self._say, () if part is None else part.own[self._opposite])
        given = (self._cuts, known.cuts(theirs, self._opposite), *own)
        declared = target.pod.template.ports if target.pod is not None else ()
        items = ranges(declared, *given)
        return by_answer((ask(self._store, source, target, item.protocol, item.first, entry), item) for item in items)

    def _told(
        self, group: Group, count: int, place: Place, answers: Answers, entry: Entry = Entry.DIRECT
    ) -> Iterator[Reach]:
        for word, ports in answers:
            yield Reach(
                direction=self._direction,
                subject=self._party.group,
                peer=group,
                count=count,
                ports=ports,
                allowed=word.allowed,
                policies=word.policies,
                why=word.why,
                source=place if self._inward else self._party.place,
                target=self._party.place if self._inward else place,
                entry=entry,
            )


def _same(one: Answers, other: Answers) -> bool:
    return [(word.allowed, word.policies, ports) for word, ports in one] == [
        (word.allowed, word.policies, ports) for word, ports in other
    ]


def _node_of(place: Place) -> str:
    return place.node.name if place.node is not None else place.pod.node if place.pod is not None else ""


def _split(numbers: tuple[int, ...], sides: Sequence[int]) -> Iterable[tuple[int, Sequence[int]]]:
    """Return classes divided by the sides that they are on, those that are in the first set first."""
    if len(numbers) == 1:
        return ((sides[numbers[0]], numbers),)
    found: dict[int, list[int]] = {}
    for number in numbers:
        found.setdefault(sides[number], []).append(number)
    return sorted(found.items(), reverse=True)


def together(rows: Iterable[Reach], count: Callable[[int, int], int], alone: Container[int]) -> list[Reach]:
    """Return rows with those put together that differ in nothing but the Pods that they stand for.

    Args:
        rows: in the order in which they are kept.
        count: of the Pods of two rows.
        alone: the identities of peers of which no two rows can be put together.
    """
    found: list[Reach] = []
    places: dict[object, int] = {}
    for row in rows:
        if id(row.peer) not in alone:
            key = (row.direction, row.subject, row.peer, row.ports, row.allowed, row.policies, row.entry)
            place = places.setdefault(key, len(found))
            if place < len(found):
                total = count(found[place].count, row.count)
                found[place] = msgspec.structs.replace(found[place], count=total)
                continue
        found.append(row)
    return found
