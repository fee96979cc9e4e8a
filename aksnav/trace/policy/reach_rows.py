"""The rows of an answer to "who can talk": one party of the subject, and everybody at the other end."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.place import Entry, Place
from aksnav.trace.policy import outsiders
from aksnav.trace.policy.ask import Word, ask
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.peers import Part, Peers, PodClass
from aksnav.trace.policy.reach_ports import Ports, merged, ranges
from aksnav.trace.policy.workloads import Group, Sort, workload_of


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


def group_of(place: Place) -> Group:
    """Return how a place is told: a Pod by its workload."""
    if place.pod is not None:
        found = workload_of(place.pod)
        return Group(Sort.WORKLOAD, found.namespace, found.kind, found.name)
    if place.node is not None:
        return Group(Sort.NODE, "", "node", place.node.name)
    return outsiders.of_address(place.address)


class _Answer(msgspec.Struct, frozen=True, gc=False):
    """What holds for some ports."""

    word: Word
    ports: tuple[Ports, ...]


class Side:
    """The connections of a party in one direction."""

    def __init__(self, store: Store, known: Peers, party: Party, direction: Direction) -> None:
        self._store = store
        self._known = known
        self._party = party
        self._direction = direction
        self._inward = direction is Direction.INGRESS
        pod = party.place.pod
        self._own = known.speaking(direction, pod) if pod is not None else ()
        self._node = _node_of(party.place)
        self._near = known.on_node(self._node)

    def rows(self) -> Iterator[Reach]:
        """Yield the rows: of every class of Pods, and of those who are no Pods."""
        splits = self._known.split(self._own, self._direction)
        for part in self._known.parts:
            for bits in _split(part.bits, splits):
                yield from self._by_node(part, bits) if part.host or self._party.relational else self._alike(part, bits)
        if self._party.place.pod is not None:
            yield from self._outside(self._party.place.pod)

    def _alike(self, part: Part, bits: int) -> Iterator[Reach]:
        """Yield the rows of classes between which no policy can tell: one Pod is asked for all of them."""
        own = self._party.place.pod
        answers: list[_Answer] | None = None
        for number in self._known.numbers(bits):
            item = self._known.classes[number]
            other = next((pod for pod in item.examples if own is None or pod.id != own.id), None)
            if other is None:
                continue  # the Pod itself
            place = Place.of_pod(other, self._store.nodes.get(other.node))
            if answers is None:
                answers = self._answers(part, place)
            alone = number == self._party.number and self._party.count == 1
            yield from self._told(group_of(place), item.count - alone, place, answers)

    def _by_node(self, part: Part, bits: int) -> Iterator[Reach]:
        """Yield the rows of classes of which the Pods on the party's own node may be unlike the others."""
        for number in self._known.numbers(bits):
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
            group = msgspec.structs.replace(group_of(place), where=where)
            yield from self._told(group, counts[where], place, answers)

    def _outside(self, own: Pod) -> Iterator[Reach]:
        """Yield the rows of nodes, the internet, and every ipBlock that is named."""
        for sort, name, place, entry in outsiders.outsiders(self._store, self._known, own, self._direction):
            answers = self._answers(None, place, entry)
            yield from self._told(Group(sort, "", "", name), 0, place, answers, entry)

    def _answers(self, part: Part | None, other: Place, entry: Entry = Entry.DIRECT) -> list[_Answer]:
        """Return what policies do on every port, ports with the same answer by the same policies together."""
        source, target = (other, self._party.place) if self._inward else (self._party.place, other)
        theirs = () if part is None else part.egress if self._inward else part.ingress
        opposite = Direction.EGRESS if self._inward else Direction.INGRESS
        known = self._known
        given = (known.cuts(self._own, self._direction), known.cuts(theirs, opposite), known.cilium_cuts)
        declared = target.pod.template.ports if target.pod is not None else ()
        found: dict[object, tuple[Word, list[Ports]]] = {}
        for item in ranges(declared, *given):
            word = ask(self._store, source, target, item.protocol, item.first, entry)
            found.setdefault((word.allowed, word.policies), (word, []))[1].append(item)
        return [_Answer(word, merged(listed)) for word, listed in found.values()]

    def _told(
        self, group: Group, count: int, place: Place, answers: list[_Answer], entry: Entry = Entry.DIRECT
    ) -> Iterator[Reach]:
        for answer in answers:
            yield Reach(
                direction=self._direction,
                subject=self._party.group,
                peer=group,
                count=count,
                ports=answer.ports,
                allowed=answer.word.allowed,
                policies=answer.word.policies,
                why=answer.word.why,
                source=place if self._inward else self._party.place,
                target=self._party.place if self._inward else place,
                entry=entry,
            )


def _same(one: list[_Answer], other: list[_Answer]) -> bool:
    return [(item.word.allowed, item.word.policies, item.ports) for item in one] == [
        (item.word.allowed, item.word.policies, item.ports) for item in other
    ]


def _node_of(place: Place) -> str:
    return place.node.name if place.node is not None else place.pod.node if place.pod is not None else ""


def _split(bits: int, by: tuple[int, ...]) -> list[int]:
    found = [bits]
    for other in by:
        found = [piece for bits in found for piece in (bits & other, bits & ~other) if piece]
    return found


def together(rows: Iterable[Reach], count: Callable[[int, int], int]) -> Iterator[Reach]:
    """Yield rows with those put together that differ in nothing but the Pods that they stand for."""
    found: dict[object, Reach] = {}
    counts: dict[object, int] = {}
    for row in rows:
        key: object = (row.direction, row.subject, row.peer, row.ports, row.allowed, row.policies, row.entry)
        counts[key] = count(counts[key], row.count) if key in found else row.count
        found.setdefault(key, row)
    for key, row in found.items():
        yield row if row.count == counts[key] else msgspec.structs.replace(row, count=counts[key])
