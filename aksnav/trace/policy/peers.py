"""Every Pod of a cluster by what policies can tell apart, as bits: one question is asked for many Pods at once.

A class is the Pods of one template in one namespace, and, where an ipBlock cuts the address space, in one piece of it.
Bit n of a set stands for class n. Classes that the same policies select, with the same ports, form a part: of a part,
one Pod is asked, and only what the other end's policies can tell apart divides it further.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import msgspec

from aksnav.model.addresses import parse_address
from aksnav.model.kubernetes.policy import NetworkPolicy
from aksnav.model.kubernetes.workload import ContainerPort, Pod
from aksnav.store.store import Store
from aksnav.trace.cluster import classes
from aksnav.trace.memo import once
from aksnav.trace.place import Place
from aksnav.trace.policy.calico.hosts import host_endpoint
from aksnav.trace.policy.calico.likeness import Question
from aksnav.trace.policy.calico.policies import CalicoPolicies
from aksnav.trace.policy.cilium.likeness import CiliumLikeness, Say
from aksnav.trace.policy.compiled import CALICO, CompiledPolicies, compiled, engine_of, engine_rules
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.engines import ENFORCING, Engine
from aksnav.trace.policy.label_index import LabelIndex, numbers_in
from aksnav.trace.policy.peer_sets import PeerSets
from aksnav.trace.policy.reach_ports import Cuts, Ports, cuts, ranges
from aksnav.trace.policy.readings import unmodelled
from aksnav.trace.policy.workloads import Group, group_of
from aksnav.trace.readable import unreadable

Key = tuple[object, ...]
_READ = (
    "Pod", "Node", "Namespace", "NetworkPolicy", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy",
    "CiliumCIDRGroup", "Service", "managedClusters", "networkSecurityGroups", "routeTables", "EndpointSlice", *CALICO,
)  # fmt: skip


class PodClass(msgspec.Struct, frozen=True, gc=False):
    """Pods that no policy can tell apart.

    Attributes:
        group: whose they are, as it is told.
        examples: one or two of them, on two nodes where there are two.
        count: how many there are.
    """

    group: Group
    examples: tuple[Pod, ...]
    count: int


class Part(msgspec.Struct, frozen=True, gc=False):
    """Classes that the same policies select and that declare the same ports.

    Attributes:
        bits, numbers: which classes.
        egress, ingress: the NetworkPolicies that have a say on them.
        own: by direction, Cilium's own rule sets that have one.
        host: they have hostNetwork.
        key: what of them other Pods' policies see besides labels.
        clear: nothing but those decides, and they can all be evaluated.
        odd: why policies may be enforced otherwise on their nodes.
        kind: equal for parts with the same key, ports and rule sets of Cilium's own.
    """

    bits: int
    numbers: tuple[int, ...]
    egress: tuple[NetworkPolicy, ...]
    ingress: tuple[NetworkPolicy, ...]
    own: dict[Direction, Say]
    host: bool
    key: Key
    clear: bool
    kind: int
    odd: str = ""

    def policies(self, direction: Direction) -> tuple[NetworkPolicy, ...]:
        """Return the NetworkPolicies that have a say in a direction."""
        return self.ingress if direction is Direction.INGRESS else self.egress

    def plain(self, direction: Direction) -> bool:
        """Return whether nothing but NetworkPolicies decides in a direction, all of which can be evaluated."""
        return self.clear and not self.own[direction]

    def open(self, direction: Direction) -> bool:
        """Return whether it has no say of its own in a direction: no policy selects Pods on the host network."""
        return not self.policies(direction) and (self.plain(direction) or (self.host and not self.odd))


class Peers:
    """The classes of a store at one version of its tables.

    Attributes:
        classes: sorted by group.
        parts: every class is in exactly one.
        alone: the identities of the groups that have but one class.
        index: the classes by their labels.
        sets: what the peers of NetworkPolicies match of them.
        engines: those whose readings are asked.
        cilium: Cilium's own policies, where they are asked and there are any.
        calico: Calico's own policies, where they are asked and there are any.
        sees_pods: every Pod and node is known, so that an address that is none of theirs is outside.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._policies: CompiledPolicies = compiled(store)
        word = engine_of(store).engine
        self.engines = ENFORCING if word is Engine.UNKNOWN else (() if word is Engine.NONE else (word,))
        self._cilium = Engine.CILIUM in self.engines
        self.sees_pods = not unreadable(store.pods) and not unreadable(store.nodes)
        self._pieces = classes.cuts(store)
        # Calico's tell them apart by what they ask of labels: see calico.likeness.
        self.calico = self._policies.calico if Engine.CALICO in self.engines else None
        self._odd = {node.name: self._oddity(node.name) for node in store.nodes}
        self._numbers: dict[Key, int] = {}
        self._of_node: dict[str, list[Pod]] = {}
        self.classes = self._find()
        self.index = LabelIndex([item.examples[0] for item in self.classes], self._policies.namespaces)
        self.sets = PeerSets(self.index, self.engines)
        own = self._policies.cilium if self._cilium else None
        self.cilium = None if own is None else CiliumLikeness(own.listed(), own.blind(), own.facts, self.index)
        self.parts = tuple(self._divide())
        self.alone = frozenset(id(listed[0].group) for listed in self._by_group() if len(listed) == 1)
        self._places: dict[int, Place] = {}
        self._by_place: list[tuple[int, int]] = []
        self._cuts: dict[Key, Cuts] = {}
        self._same_cuts: dict[frozenset[tuple[str, frozenset[int]]], Cuts] = {}
        self._ranges: dict[Key, list[Ports]] = {}
        self._kept_cuts: list[Cuts] = []
        self._answering: dict[Question, tuple[int, int]] = {}
        self._of_part: dict[Key, tuple[int, ...]] = {}

    def _oddity(self, node: str) -> str:
        """Return why policies are not modelled on a node, as far as it tells Pods apart."""
        named = host_endpoint(self._store, node) if Engine.CALICO in self.engines else None
        return named.id if named is not None else unmodelled(self._store, node).partition(" (")[0]

    # The classes.

    def _find(self) -> list[PodClass]:
        examples: dict[Key, list[Pod]] = {}
        counts: dict[Key, int] = {}
        for pod in self._store.pods:
            if not pod.ips or pod.finished:
                continue
            key = self._key(pod)
            known = examples.get(key)
            if known is None:
                examples[key] = [pod]
                counts[key] = 1
                continue
            counts[key] += 1
            if len(known) == 1 or (known[0].node == known[1].node != pod.node):
                known[1:] = [pod]
        found = [(PodClass(group_of(listed[0]), tuple(listed), counts[key]), key) for key, listed in examples.items()]
        found.sort(key=lambda item: (item[0].group, item[0].examples[0].id))
        self._numbers = {key: number for number, (_, key) in enumerate(found)}
        return [item for item, _ in found]

    def _key(self, pod: Pod) -> Key:
        address = parse_address(pod.ip) if self._pieces.points else None
        return (pod.namespace, pod.template, self._pieces.place(address), ":" in pod.ip, self._odd.get(pod.node, ""))

    def number(self, pod: Pod) -> int | None:
        """Return the number of a Pod's class; None for a Pod that has no address, or none any more."""
        return self._numbers.get(self._key(pod)) if pod.ips and not pod.finished else None

    def _by_group(self) -> Iterator[list[PodClass]]:
        for _, listed in groupby(self.classes, key=lambda item: item.group):
            yield list(listed)

    def place(self, number: int) -> Place:
        """Return where one of the Pods of a class is."""
        found = self._places.get(number)
        if found is None:
            pod = self.classes[number].examples[0]
            found = self._places[number] = Place.of_pod(pod, self._store.nodes.get(pod.node))
        return found

    def by_place(self) -> list[tuple[int, int]]:
        """Return one class of each set of classes that no ipBlock tells apart, with the set."""
        if not self._by_place:
            found: dict[Key, tuple[int, int]] = {}
            for part in self.parts:
                number, bits = found.get(part.key, (part.numbers[0], 0))
                found[part.key] = (number, bits | part.bits)
            self._by_place = list(found.values())
        return self._by_place

    def on_node(self, name: str) -> dict[int, list[Pod]]:
        """Return the Pods on a node, by the numbers of their classes."""
        if not self._of_node:
            for pod in self._store.pods:
                self._of_node.setdefault(pod.node, []).append(pod)
        found: dict[int, list[Pod]] = {}
        for pod in self._of_node.get(name, ()) if name else ():
            number = self.number(pod)
            if number is not None:
                found.setdefault(number, []).append(pod)
        return found

    # The parts.

    def _divide(self) -> Iterator[Part]:
        found: dict[Key, int] = {}
        kinds: dict[Key, int] = {}
        for number, item in enumerate(self.classes):
            key = self._part_key(number, item.examples[0])
            found[key] = found.get(key, 0) | 1 << number
        for bits in found.values():
            number = next(numbers_in(bits))
            pod = self.classes[number].examples[0]
            space, odd = pod.namespace, self._odd.get(pod.node, "")
            readable = not unreadable(self._store.network_policies, space)
            known = readable and not self._policies.undecodable_in(space) and self.calico is None
            own = {way: self.own(number, way) for way in Direction}
            kind = (self.seen(pod), pod.template.ports, *own.values())
            yield Part(
                bits=bits,
                numbers=tuple(numbers_in(bits)),
                kind=kinds.setdefault(kind, len(kinds)),
                egress=self.speaking(Direction.EGRESS, pod),
                ingress=self.speaking(Direction.INGRESS, pod),
                own=own,
                host=pod.template.host_network,
                key=self.seen(pod),
                clear=known and not odd and bool(self.engines) and not pod.template.host_network,
                odd=odd,
            )

    def own(self, number: int | None, direction: Direction) -> Say:
        """Return which of Cilium's own rule sets have a say on a class in a direction."""
        return self.cilium.say(number, direction) if self.cilium is not None and number is not None else ()

    def seen(self, pod: Pod) -> Key:
        """Return what other Pods' policies see of a Pod besides its labels."""
        place = self._pieces.place(parse_address(pod.ip)) if self._pieces.points else 0
        return (place, ":" in pod.ip, self._odd.get(pod.node, ""))

    def sides(self, part: Part, direction: Direction, number: int) -> tuple[bool, ...]:
        """Return on which side of everything that the rules of a part tell apart a class is."""
        key = (id(part), direction)
        found = self._of_part.get(key)
        if found is None:
            found = self._of_part[key] = self.splits(part, direction)
        return tuple([bool(bits >> number & 1) for bits in found])

    def _part_key(self, number: int, pod: Pod) -> Key:
        space = pod.namespace
        own = tuple(self.own(number, way) for way in Direction)
        unread = unreadable(self._store.network_policies, space) or any(-1 in say for say in own)
        within = space if unread or self._policies.has_policies(space) else ""
        selecting = tuple(
            tuple(policy.id for policy in self.speaking(way, pod)) for way in (Direction.EGRESS, Direction.INGRESS)
        )
        alike = self.calico.likeness.key(pod) if self.calico is not None else ()
        return (within, selecting, own, pod.template.ports, pod.template.host_network, self.seen(pod), alike)

    def speaking(self, direction: Direction, pod: Pod) -> tuple[NetworkPolicy, ...]:
        """Return the NetworkPolicies that have a say on a Pod in a direction, as any engine reads them."""
        if pod.template.host_network:
            return ()
        found: dict[str, NetworkPolicy] = {}
        for word in self.engines:
            for policy in self._policies.speaking(engine_rules(self._store, word), direction, pod):
                found[policy.id] = policy
        return tuple(found.values())

    def own_cuts(self, *says: Say) -> list[Cuts]:
        """Return at which ports the engines' own rules that have a say begin or cease to match."""
        found = [self.calico.likeness.cuts] if self.calico is not None else []
        return found if self.cilium is None else [*found, *(self.cilium.cuts(say) for say in says)]

    def cuts(self, policies: tuple[NetworkPolicy, ...], direction: Direction) -> Cuts:
        """Return at which ports the rules of policies begin or cease to match."""
        key = (direction, *map(id, policies))
        found = self._cuts.get(key)
        if found is None:
            made = cuts(policies, direction)
            found = self._cuts[key] = self._same_cuts.setdefault(frozenset(made.items()), made)
        return found

    def ranges(self, declared: tuple[ContainerPort, ...], given: list[Cuts]) -> list[Ports]:
        """Return the ports between which neither the destination nor any of some rules can tell a difference."""
        key = (declared, *map(id, given))
        found = self._ranges.get(key)
        if found is None:
            self._kept_cuts += given
            found = self._ranges[key] = ranges(declared, *given)
        return found

    def sided(self, splits: Sequence[int]) -> list[int]:
        """Return for each class in which of some sets it is: the first of them is the highest bit."""
        found = [0] * len(self.classes)
        for place, bits in enumerate(reversed(splits)):
            bit = 1 << place
            for number in numbers_in(bits):
                found[number] |= bit
        return found

    # What rules tell apart.

    def splits(self, part: Part, direction: Direction) -> tuple[int, ...]:
        """Return the sets by which the rules of the policies of a part tell classes apart at the other end."""
        pod = self.classes[part.numbers[0]].examples[0]
        return self.split(part.policies(direction), part.own[direction], direction, pod)

    def split(
        self, policies: Iterable[NetworkPolicy], own: Say, direction: Direction, pod: Pod | None
    ) -> tuple[int, ...]:
        """Return the sets by which the rules of policies tell classes apart at the other end.

        Args:
            policies: NetworkPolicies.
            own: rule sets of Cilium's own.
            direction: as seen from those whom they select.
            pod: one of them, of whom Calico's own policies are asked; None for somebody who is no Pod.
        """
        found = dict.fromkeys(() if self.cilium is None else self.cilium.split(own, direction))
        found.update(dict.fromkeys(self._calico_split(pod, direction)))
        for policy in policies:
            listed = policy.ingress if direction is Direction.INGRESS else policy.egress
            for rule in listed:
                for peer in rule.peers:
                    if peer.ip_block is None:
                        found.update(dict.fromkeys(self.sets.matching_sets(peer, policy.namespace)))
        return tuple(bits for bits in found if bits)

    def _calico_split(self, pod: Pod | None, direction: Direction) -> Iterator[int]:
        """Yield the sets by which Calico's own policies of a Pod tell classes apart at the other end."""
        if self.calico is None or pod is None or pod.template.host_network:
            return
        questions, spaces = self.calico.asked_of_peers(direction, pod)
        for question in questions:
            if question not in self._answering:
                self._answering[question] = self._answers(self.calico, question)
            yield from self._answering[question]
        yield from (self.index.by_namespace.get(space, 0) & ~self.index.hosts for space in spaces)

    def _answers(self, calico: CalicoPolicies, question: Question) -> tuple[int, int]:
        """Return the classes that answer a question with yes, and those of which nobody can say it."""
        yes = unsure = 0
        for number, item in enumerate(self.classes):
            if not self.index.hosts >> number & 1:
                answer = calico.likeness.told(*question, item.examples[0])
                yes, unsure = yes | (answer is True) << number, unsure | (answer is None) << number
        return yes, unsure


def peers(store: Store) -> Peers:
    """Return the classes of a store, kept until a table that they are read from changes."""
    return once(store, "peers", _READ, lambda: Peers(store))
