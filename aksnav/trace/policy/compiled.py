"""Policies made ready to be asked: by namespace, by label class, with every answer kept until something changes.

Pods of one class (namespace and labels) match the same selectors, and 200,000 Pods are some ten thousand classes: so
answers are kept by class, and a second question about the same classes costs a look-up.
"""

import re
from collections.abc import Iterator
from operator import itemgetter

import msgspec

from aksnav.model.kubernetes.policy import CiliumNetworkPolicy, NetworkPolicy, PolicyRule
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.labels import Labels
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.cluster.named_services import named_endpoints
from aksnav.trace.memo import once, once_at
from aksnav.trace.packet import Packet
from aksnav.trace.policy import rules
from aksnav.trace.policy.calico.policies import CalicoPolicies, calico_policies
from aksnav.trace.policy.cilium import CiliumPolicies, facts
from aksnav.trace.policy.cilium.question import Question
from aksnav.trace.policy.decision import Decision, Direction, PolicyWord, RuleWord, fold
from aksnav.trace.policy.engines import Engine, EngineReading, engine
from aksnav.trace.policy.namespaces import NamespaceLabels
from aksnav.trace.policy.who import Sort, Who
from aksnav.trace.ternary import Answer, Unknown

_MOST_KEPT = 200_000
_TOP_LEVEL = re.compile(r"\.spec\.[^.\[]+")
_KeyPart = tuple[object, ...]


class _Ready(msgspec.Struct, frozen=True, gc=False):
    """A policy with what is known of it beforehand: why it cannot be evaluated, and whether it asks for addresses."""

    policy: NetworkPolicy
    problem: str
    asks_addresses: bool


class EngineRules(msgspec.Struct, frozen=True, gc=False):
    """An engine, and whether the version that runs here reads endPort."""

    engine: Engine
    end_port: Answer = True


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A connection in one direction: the Pod whose policies are asked, the other end, the port and the request."""

    direction: Direction
    judged: Pod
    who: Who
    target: rules.Target
    packet: Packet


class CompiledPolicies:
    """Every NetworkPolicy of a store at one version of its tables."""

    def __init__(self, store: Store) -> None:
        self.namespaces = NamespaceLabels(store)
        self._ready: dict[str, list[_Ready]] = {}
        for policy in sorted(store.network_policies, key=lambda item: item.id):
            self._ready.setdefault(policy.namespace, []).append(_prepare(policy))
        self._undecodable = dict(store.network_policies.undecodable)
        self._cilium = CiliumPolicies(store, facts(store))
        self._calico = calico_policies(store, self.namespaces)
        self._asking_addresses = {
            space for space, listed in self._ready.items() if any(ready.asks_addresses for ready in listed)
        }
        self._selections: dict[_KeyPart, list[tuple[_Ready, PolicyWord | None]]] = {}
        self._speaking: dict[_KeyPart, tuple[NetworkPolicy, ...]] = {}
        self._by_label: dict[tuple[Direction, str], dict[tuple[str, str] | None, list[tuple[int, NetworkPolicy]]]] = {}
        self._decisions: dict[_KeyPart, Decision] = {}

    def decide(self, how: EngineRules, asked: Asked) -> Decision:
        """Return what policies decide about a connection in one direction, as one engine reads them.

        Args:
            how: an engine that enforces policies, and what its version can do.
            asked: the connection.
        """
        key = self._key(how, asked)
        found = self._decisions.get(key)
        if found is None:
            if len(self._decisions) >= _MOST_KEPT:
                self._decisions.clear()
            found = self._decisions[key] = self._decide(how, asked)
        return found

    def _decide(self, how: EngineRules, asked: Asked) -> Decision:
        if how.engine is Engine.CALICO and self._calico is not None:
            return self._calico.decide(asked.direction, asked.judged, asked.who, asked.target)
        return fold(self._words(how, asked), asked.direction)

    @property
    def calico(self) -> CalicoPolicies | None:
        """Calico's own policies, with Kubernetes' among them; None where it has none, or none that are known."""
        return self._calico

    def _key(self, how: EngineRules, asked: Asked) -> _KeyPart:
        judged, packet = asked.judged, asked.packet
        if how.engine is Engine.CALICO and self._calico is not None:
            return _calico_key(self._calico, asked)
        by_cilium = how.engine is Engine.CILIUM and self._cilium.any
        with_address = by_cilium or judged.namespace in self._asking_addresses
        subject = (judged.namespace, judged.labels, judged.template.service_account)
        key: _KeyPart = (how, asked.direction, subject, _who_key(asked.who, with_address), asked.target)
        if by_cilium and self._cilium.asks_requests:
            request = (packet.scheme, packet.method, packet.host, packet.path, packet.query, packet.headers)
            return (*key, request, packet.tls, packet.sni, packet.resolved)
        return key

    def for_nodes(self, labels: Labels) -> tuple[tuple[Ref, str], ...]:
        """Return Cilium's policies for nodes that may select one with these labels, and why Pods are not it."""
        return tuple(self._cilium.for_nodes(labels))

    @property
    def cilium(self) -> CiliumPolicies | None:
        """Cilium's own policies; None where it has none, and that is known."""
        return self._cilium if self._cilium.any else None

    def speaking(self, how: EngineRules, direction: Direction, pod: Pod) -> tuple[NetworkPolicy, ...]:
        """Return the NetworkPolicies that have, or may have, a say on a Pod in a direction."""
        key = (how.engine is Engine.CILIUM, direction, pod.namespace, pod.labels, pod.template.service_account)
        found = self._speaking.get(key)
        if found is None:
            scene = rules.Scene(how.engine, self.namespaces, how.end_port)
            subject = _subject(pod)
            listed = self._likely(direction, pod.namespace, rules.pod_labels(subject, scene))
            found = tuple([policy for policy in listed if not _unselected(policy, subject, scene)])
            self._speaking[key] = found
        return found

    def _likely(self, direction: Direction, namespace: str, labels: Labels) -> list[NetworkPolicy]:
        """Return the policies of a namespace for a direction, without most of those that do not select some labels."""
        found = self._by_label.get((direction, namespace))
        if found is None:
            found = self._by_label[direction, namespace] = {}
            for place, ready in enumerate(self._ready.get(namespace, ())):
                policy = ready.policy
                if not _other_way(policy, direction):
                    pair = None if ready.problem else next(iter(policy.pod_selector.match_labels.items()), None)
                    found.setdefault(pair, []).append((place, policy))
        listed = [*found.get(None, ())]
        for pair in labels.items():
            listed += found.get(pair, ())
        return [policy for _, policy in sorted(listed, key=itemgetter(0))]

    def undecodable_in(self, namespace: str) -> bool:
        """Return whether a NetworkPolicy of a namespace cannot be decoded."""
        return any(ident.startswith(f"{namespace}/") for ident in self._undecodable)

    def has_policies(self, namespace: str) -> bool:
        """Return whether a namespace has a NetworkPolicy, readable or not."""
        return namespace in self._ready or self.undecodable_in(namespace)

    def _selection(
        self, direction: Direction, subject: Who, scene: rules.Scene
    ) -> list[tuple[_Ready, PolicyWord | None]]:
        """Return the policies of a Pod's namespace, with the word of those that have no say on Pods of its class."""
        key = (scene.engine is Engine.CILIUM, direction, subject.namespace, subject.labels, subject.service_account)
        found = self._selections.get(key)
        if found is None:
            listed = self._ready.get(subject.namespace, ())
            found = self._selections[key] = [(item, _silent(item, direction, subject, scene)) for item in listed]
        return found

    def _words(self, how: EngineRules, asked: Asked) -> Iterator[PolicyWord]:
        judged = asked.judged
        scene = rules.Scene(how.engine, self.namespaces, how.end_port)
        subject = _subject(judged)
        for ready, silent in self._selection(asked.direction, subject, scene):
            yield silent if silent is not None else _word(ready, asked, scene)
        for ident, reason in self._undecodable.items():
            if ident.startswith(f"{judged.namespace}/"):
                unknown = Unknown(f"the policy cannot be decoded: {reason}")
                yield PolicyWord(Ref("NetworkPolicy", ident), "", unknown, unknown, unknown.why, (), (".spec", reason))
        if how.engine is Engine.CILIUM:
            yield from self._cilium.words(judged.namespace, self._question(asked, subject, scene))

    def _question(self, asked: Asked, subject: Who, scene: rules.Scene) -> Question:
        return Question(
            direction=asked.direction,
            subject=subject,
            who=asked.who,
            target=asked.target,
            packet=asked.packet,
            scene=scene,
            facts=self._cilium.facts,
        )

    def said_by(self, policy: CiliumNetworkPolicy, how: EngineRules, asked: Asked) -> tuple[PolicyWord, ...]:
        """Return what a Cilium policy that is not there would say of a connection."""
        scene = rules.Scene(how.engine, self.namespaces, how.end_port)
        question = self._question(asked, _subject(asked.judged), scene)
        return tuple(self._cilium.said_by(policy, asked.judged.namespace, question))


def _subject(pod: Pod) -> Who:
    """Return a Pod as the one that policies select."""
    return Who(sort=Sort.POD, namespace=pod.namespace, labels=pod.labels, service_account=pod.template.service_account)


def _unselected(policy: NetworkPolicy, subject: Who, scene: rules.Scene) -> bool:
    """Return whether a policy certainly does not select a Pod."""
    certain = policy.pod_selector.invalid() is None and not policy.unknown.startswith(".spec.podSelector")
    return certain and not rules.selects(policy.pod_selector, subject, scene)


def _other_way(policy: NetworkPolicy, direction: Direction) -> bool:
    """Return whether a policy is certainly not about a direction."""
    types = policy.types
    # A misspelt field of the spec itself may have been meant as the rules that policyTypes default from.
    doubtful = policy.policy_types is None and _TOP_LEVEL.fullmatch(policy.unknown)
    return not doubtful and direction.value not in types and all(word in rules.TYPES for word in types)


def _silent(ready: _Ready, direction: Direction, subject: Who, scene: rules.Scene) -> PolicyWord | None:
    """Return the word of a policy that has no say on a Pod in a direction, whoever is at the other end; else None."""
    policy = ready.policy
    types = policy.types
    fact = (".spec.policyTypes", ",".join(types))
    if _unselected(policy, subject, scene):
        why = f"podSelector {policy.pod_selector} does not match the Pod"
        return PolicyWord(policy.ref, policy.resource_version, False, False, why)
    if _other_way(policy, direction):
        why = f"selects the Pod, but its policyTypes are {', '.join(types)}"
        return PolicyWord(policy.ref, policy.resource_version, True, False, why, (), fact)
    if ready.problem:
        unknown = Unknown(f"the policy cannot be evaluated: {ready.problem}")
        return PolicyWord(
            policy.ref, policy.resource_version, unknown, unknown, unknown.why, (), (".spec", ready.problem)
        )
    return None


def _word(ready: _Ready, asked: Asked, scene: rules.Scene) -> PolicyWord:
    """Return what a policy that isolates the Pod says of a connection."""
    policy, direction = ready.policy, asked.direction
    fact = (".spec.policyTypes", ",".join(policy.types))
    word = "ingress" if direction is Direction.INGRESS else "egress"
    listed: tuple[PolicyRule, ...] = policy.ingress if direction is Direction.INGRESS else policy.egress
    said = (rules.admits(rule, policy.namespace, asked.who, asked.target, scene) for rule in listed)
    spoken = tuple(RuleWord(f".spec.{word}[{number}]", item.answer, item.why) for number, item in enumerate(said))
    why = "" if spoken else f"isolates the Pod for {direction.value} and has no {word} rule: nothing is admitted"
    return PolicyWord(policy.ref, policy.resource_version, True, True, why, spoken, fact)


def _prepare(policy: NetworkPolicy) -> _Ready:
    listed: tuple[PolicyRule, ...] = (*policy.ingress, *policy.egress)
    blocks = any(peer.ip_block for rule in listed for peer in rule.peers)
    return _Ready(policy, rules.problem(policy), blocks)


def _who_key(who: Who, with_address: bool) -> _KeyPart:
    if who.sort is Sort.POD and not with_address:
        return (who.namespace, who.labels, who.service_account)
    return (who.sort, who.namespace, who.labels, who.service_account, who.address, who.v4, who.unsure, who.name)


def _calico_key(calico: CalicoPolicies, asked: Asked) -> _KeyPart:
    """Return what Calico's policies depend on: of addresses, only in which piece they are that its rules cut."""
    judged, who = asked.judged, asked.who
    subject = (judged.namespace, judged.labels, judged.template.service_account, calico.pieces_of(judged.ips))
    other = _who_key(who, True)
    if who.sort is Sort.POD:
        other = (who.namespace, who.labels, who.service_account, calico.place(who.address), who.v4)
    return (Engine.CALICO, asked.direction, subject, other, asked.target)


def _reads_end_port(store: Store) -> Answer:
    """Return whether this cluster's Cilium reads endPort: 1.17 and later do (engines.md, "endPort").

    AKS installs 1.17 from Kubernetes 1.32 on (AKS documentation, "Azure CNI Powered by Cilium", table of versions).
    """
    for node in store.nodes:
        major, _, rest = node.kubelet_version.lstrip("v").partition(".")
        minor = rest.partition(".")[0]
        if major == "1" and minor.isdigit() and int(minor) < _FIRST_WITH_END_PORT:
            return Unknown(
                "endPort needs Cilium 1.17, which comes with Kubernetes 1.32: "
                f"node {node.name} runs {node.kubelet_version}"
            )
    return True


_FIRST_WITH_END_PORT = 32


CALICO = ("CalicoNetworkPolicy", "GlobalNetworkPolicy", "Tier", "NetworkSet", "GlobalNetworkSet", "HostEndpoint")
_READ = ("NetworkPolicy", "Namespace", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", *CALICO)
_ENGINE = ("managedClusters", "Pod", "Node", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")


def compiled(store: Store) -> CompiledPolicies:
    """Return the policies of a store, compiled; kept until a table that they read changes."""
    # Of what policies refer to only that is compared: EndpointSlices change all the time, and policies do not.
    state = (*[store.tables[kind].version for kind in _READ], facts(store), named_endpoints(store))
    return once_at(store, "policies", state, lambda: CompiledPolicies(store))


def engine_of(store: Store) -> EngineReading:
    """Return which engine enforces policies, kept until something that it is read from changes."""
    return once(store, "policy engine", _ENGINE, lambda: engine(store))


def engine_rules(store: Store, word: Engine) -> EngineRules:
    """Return an engine with what the version that runs here can do."""
    if word is not Engine.CILIUM:
        return EngineRules(word)
    return EngineRules(word, once(store, "endPort", ("Node",), lambda: _reads_end_port(store)))


def end_port_is_known(store: Store) -> bool:
    """Return whether a node's version says which Cilium runs here."""
    return any(node.kubelet_version for node in store.nodes)
