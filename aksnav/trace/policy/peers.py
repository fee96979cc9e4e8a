"""Every Pod of a cluster by what policies can tell apart, as bits: one question is asked for many Pods at once.

A class is the Pods of one template in one namespace, and, where an ipBlock cuts the address space, in one piece of it.
Bit n of a set stands for class n. Classes that the same policies select, with the same ports, form a part: of a part,
one Pod is asked, and only what the other end's policies can tell apart divides it further.
"""

from collections.abc import Iterable, Iterator

import msgspec

from aksnav.model.addresses import parse_address
from aksnav.model.kubernetes.policy import NetworkPolicy, PolicyPeer
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.labels import LabelSelector, Requirement
from aksnav.store.store import Store
from aksnav.trace.azure.joins import unreadable
from aksnav.trace.cluster import classes
from aksnav.trace.memo import once
from aksnav.trace.policy.calico.hosts import host_endpoint
from aksnav.trace.policy.compiled import CALICO, CompiledPolicies, compiled, engine_of, engine_rules
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.engines import ENFORCING, Engine
from aksnav.trace.policy.reach_ports import Cuts, cilium_cuts, cuts
from aksnav.trace.policy.readings import unmodelled
from aksnav.trace.policy.rules import problem
from aksnav.trace.policy.workloads import Group, group_of
from aksnav.trace.ternary import Unknown

Key = tuple[object, ...]
_IDENTITY = ("io.cilium.", "io.kubernetes.pod.namespace")
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
        bits: which classes.
        egress, ingress: the policies that have a say on them.
        host: they have hostNetwork.
        key: what of them other Pods' policies see besides labels.
        plain: nothing but those policies decides, and they can all be evaluated.
        odd: why policies may be enforced otherwise on their nodes.
    """

    bits: int
    egress: tuple[NetworkPolicy, ...]
    ingress: tuple[NetworkPolicy, ...]
    host: bool
    key: Key
    plain: bool
    odd: str = ""

    @property
    def open(self) -> bool:
        """Whether it has no say of its own: no policy selects Pods on the host network."""
        return self.plain or (self.host and not self.odd)


class Peers:
    """The classes of a store at one version of its tables.

    Attributes:
        classes: sorted by group.
        parts: every class is in exactly one.
        everything: the set of all classes.
        engines: those whose readings are asked.
        by_class: every class is asked by itself.
        calico: Calico's own policies, where they are asked and there are any.
        sees_pods: every Pod and node is known, so that an address that is none of theirs is outside.
        own_cuts: the ports at which rules of the engines' own policies begin or cease to match.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._policies: CompiledPolicies = compiled(store)
        word = engine_of(store).engine
        self.engines = ENFORCING if word is Engine.UNKNOWN else (() if word is Engine.NONE else (word,))
        self._cilium = Engine.CILIUM in self.engines
        # Cilium's own rules tell Pods apart in more ways than are counted here: then every class is asked by itself.
        self.by_class = self._cilium and self._policies.asks_cilium
        self.sees_pods = not unreadable(store.pods) and not unreadable(store.nodes)
        self._pieces = classes.cuts(store)
        # Calico's tell them apart by what they ask of labels: see calico.likeness.
        self.calico = self._policies.calico if Engine.CALICO in self.engines else None
        self._odd = {node.name: self._oddity(node.name) for node in store.nodes}
        self._numbers: dict[Key, int] = {}
        self._of_node: dict[str, list[Pod]] = {}
        self.classes = self._find()
        self.everything = (1 << len(self.classes)) - 1
        self._by_label: dict[tuple[str, str], int] = {}
        self._by_key: dict[str, int] = {}
        self._by_namespace: dict[str, int] = {}
        self._hosts = 0
        self._index()
        self.parts = tuple(self._divide())
        self._matched: dict[tuple[int, str], tuple[int, ...]] = {}
        self._kept: list[PolicyPeer] = []
        self._cuts: dict[Key, Cuts] = {}
        self._admitting: dict[Key, int] = {}
        listed = [*store.cilium_policies, *store.cilium_clusterwide_policies] if self.by_class else []
        self.own_cuts = [cilium_cuts(listed), *([self.calico.likeness.cuts] if self.calico is not None else [])]

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

    def numbers(self, bits: int) -> Iterator[int]:
        """Yield the numbers of the classes of a set, ascending."""
        while bits:
            low = bits & -bits
            yield low.bit_length() - 1
            bits ^= low

    def _index(self) -> None:
        for number, item in enumerate(self.classes):
            bit = 1 << number
            pod = item.examples[0]
            self._by_namespace[pod.namespace] = self._by_namespace.get(pod.namespace, 0) | bit
            if pod.template.host_network:
                self._hosts |= bit
                continue
            for pair in pod.labels.items():
                self._by_label[pair] = self._by_label.get(pair, 0) | bit
                self._by_key[pair[0]] = self._by_key.get(pair[0], 0) | bit

    # The parts.

    def _divide(self) -> Iterator[Part]:
        found: dict[Key, int] = {}
        for number, item in enumerate(self.classes):
            key = (number,) if self.by_class else self._part_key(item.examples[0])
            found[key] = found.get(key, 0) | 1 << number
        for bits in found.values():
            number = next(self.numbers(bits))
            pod = self.classes[number].examples[0]
            space, place = pod.namespace, self._pieces.place(parse_address(pod.ip)) if self._pieces.points else 0
            odd = self._odd.get(pod.node, "")
            clear = not unreadable(self._store.network_policies, space) and not self._policies.undecodable_in(space)
            yield Part(
                bits,
                self.speaking(Direction.EGRESS, pod),
                self.speaking(Direction.INGRESS, pod),
                pod.template.host_network,
                (place, ":" in pod.ip, odd, number if self.by_class else -1, self._likeness(pod)),
                clear and not odd and self._kubernetes_decides and not pod.template.host_network,
                odd,
            )

    @property
    def _kubernetes_decides(self) -> bool:
        """Whether nothing but NetworkPolicies of networking.k8s.io has a say."""
        return bool(self.engines) and not self.by_class and self.calico is None

    def _likeness(self, pod: Pod) -> Key:
        return self.calico.likeness.key(pod) if self.calico is not None else ()

    def _part_key(self, pod: Pod) -> Key:
        space = pod.namespace
        known = unreadable(self._store.network_policies, space)
        own = space if known or self._policies.has_policies(space) else ""
        selecting = tuple(
            tuple(policy.id for policy in self.speaking(way, pod)) for way in (Direction.EGRESS, Direction.INGRESS)
        )
        place = self._pieces.place(parse_address(pod.ip)) if self._pieces.points else 0
        host = pod.template.host_network
        odd, alike = self._odd.get(pod.node, ""), self._likeness(pod)
        return (own, selecting, pod.template.ports, host, ":" in pod.ip, place, odd, alike)

    def speaking(self, direction: Direction, pod: Pod) -> tuple[NetworkPolicy, ...]:
        """Return the NetworkPolicies that have a say on a Pod in a direction, as any engine reads them."""
        if pod.template.host_network:
            return ()
        found: dict[str, NetworkPolicy] = {}
        for word in self.engines:
            for policy in self._policies.speaking(engine_rules(self._store, word), direction, pod):
                found[policy.id] = policy
        return tuple(found.values())

    def cuts(self, policies: tuple[NetworkPolicy, ...], direction: Direction) -> Cuts:
        """Return at which ports the rules of policies begin or cease to match."""
        key = (direction, tuple(policy.id for policy in policies))
        found = self._cuts.get(key)
        if found is None:
            found = self._cuts[key] = cuts(policies, direction)
        return found

    # What selectors match.

    def split(self, policies: Iterable[NetworkPolicy], direction: Direction) -> tuple[int, ...]:
        """Return the sets by which the rules of policies tell classes apart at the other end."""
        found: dict[int, None] = {}
        for policy in policies:
            listed = policy.ingress if direction is Direction.INGRESS else policy.egress
            for rule in listed:
                for peer in rule.peers:
                    if peer.ip_block is None:
                        found.update(dict.fromkeys(self._matching(peer, policy.namespace)))
        return tuple(bits for bits in found if bits)

    def may_admit(self, policy: NetworkPolicy, direction: Direction, number: int | None) -> bool:
        """Return whether some rule of a policy may match the Pods of a class, or (None) somebody who is no Pod.

        False is certain. Only rules are asked that name peers by selectors; whatever else there is may match.
        """
        key = (id(policy), direction)
        found = self._admitting.get(key)
        if found is None:
            found = self._admitting[key] = self._admits(policy, direction)
        return found < 0 or (number is not None and bool(found >> number & 1))

    def _admits(self, policy: NetworkPolicy, direction: Direction) -> int:
        """Return the classes that a policy's rules match or may match; -1 where it may be anybody."""
        if problem(policy):
            return -1
        bits = 0
        for rule in policy.ingress if direction is Direction.INGRESS else policy.egress:
            if not rule.peers or any(peer.ip_block is not None for peer in rule.peers):
                return -1
            for peer in rule.peers:
                for found in self._matching(peer, policy.namespace):
                    bits |= found
        return bits

    def _matching(self, peer: PolicyPeer, namespace: str) -> tuple[int, ...]:
        """Return the classes that a peer's selectors match, and those of which nobody can say it."""
        key = (id(peer), namespace)
        found = self._matched.get(key)
        if found is None:
            self._kept.append(peer)  # its id stays its own as long as the answer is kept
            found = self._matched[key] = tuple(self._match(peer, namespace))
        return found

    def _match(self, peer: PolicyPeer, namespace: str) -> Iterator[int]:
        sure, unsure = self._by_namespace.get(namespace, 0), 0
        if peer.namespace_selector is not None:
            sure = 0
            for space, bits in self._by_namespace.items():
                answer = self._policies.namespaces.matches(peer.namespace_selector, space)
                if isinstance(answer, Unknown):
                    unsure |= bits
                elif answer:
                    sure |= bits
        for selected in self._selected(peer.pod_selector):
            yield sure & selected & ~self._hosts
            yield unsure & selected & ~self._hosts

    def _selected(self, selector: LabelSelector | None) -> Iterator[int]:
        """Yield what a selector matches; engines that see other labels of a Pod each have a set of their own."""
        if selector is None:
            yield self.everything
            return
        keys = [*selector.match_labels, *(line.key for line in selector.match_expressions)]
        identity = self._cilium and any(key.startswith(_IDENTITY) for key in keys)
        if identity:
            yield self._by_identity(selector)
        if not identity or len(self.engines) > 1:
            bits = self.everything
            for pair in selector.match_labels.items():
                bits &= self._by_label.get(pair, 0)
            for line in selector.match_expressions:
                bits &= self._held(line)
            yield bits

    def _held(self, line: Requirement) -> int:
        listed = 0
        for value in line.values:
            listed |= self._by_label.get((line.key, value), 0)
        having = self._by_key.get(line.key, 0)
        return {
            "In": listed,
            "NotIn": self.everything & ~listed,
            "Exists": having,
            "DoesNotExist": self.everything & ~having,
        }.get(line.operator, 0)

    def _by_identity(self, selector: LabelSelector) -> int:
        """Return what a selector matches that asks for labels which only Cilium's identities have."""
        bits = 0
        for number, item in enumerate(self.classes):
            pod = item.examples[0]
            account = pod.template.service_account
            if selector.matches(self._policies.namespaces.identity(pod.namespace, pod.labels, account)):
                bits |= 1 << number
        return bits


def peers(store: Store) -> Peers:
    """Return the classes of a store, kept until a table that they are read from changes."""
    return once(store, "peers", _READ, lambda: Peers(store))
