"""What the NetworkPolicies of one end say of a Pod at the other, by look-up: rules as sets of classes.

It says what the judge says, or nothing where the judge has to be asked: labels of namespaces that nobody can read,
versions that are not known, more than one engine.
"""

from collections.abc import Callable, Sequence

import msgspec

from aksnav.model.addresses import is_v4, parse_address
from aksnav.model.kubernetes.policy import NetworkPolicy, PolicyPeer, PolicyRule
from aksnav.model.kubernetes.workload import ContainerPort
from aksnav.store.store import Store
from aksnav.trace.policy import rules
from aksnav.trace.policy.ask import Word
from aksnav.trace.policy.compiled import compiled, engine_rules
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.peers import Peers
from aksnav.trace.policy.reach_ports import Ports
from aksnav.trace.policy.who import Sort, Who
from aksnav.trace.ternary import Answer, Unknown, some

NO_SAY = Word(True, (), "no policy selects the Pod")
_Ports = tuple[ContainerPort, ...]


class _Rule(msgspec.Struct, frozen=True, gc=False):
    """A rule with the classes that its selectors match for certain, or may match, and its address blocks."""

    rule: PolicyRule
    sure: int
    unsure: int
    blocks: tuple[PolicyPeer, ...]


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
        self._whos: dict[int, Who] = {}
        self._words: dict[object, Word] = {}

    def word(
        self, policies: Sequence[NetworkPolicy], direction: Direction, number: int, declared: _Ports, item: Ports
    ) -> Word | None:
        """Return what policies that isolate a Pod say of one of a class at the other end; None where it is not certain.

        Args:
            policies: of the judged Pod, in the order in which the judge asks them; all of them can be evaluated.
            direction: as seen from the judged Pod.
            number: of the class at the other end.
            declared: ports of the destination.
            item: the port that is asked for.
        """
        scene = self._scene
        if scene is None:
            return None
        target = rules.Target(item.first, item.protocol, declared)
        for policy in policies:
            listed = self._rules(policy, direction)
            if listed is None:
                return None
            for place, rule in enumerate(listed):
                peer = self._names(rule, policy.namespace, number, scene)
                said = self._ports(rule.rule, target, scene) if peer is not False else False
                if said is True and peer is True:
                    why = rules.admits(rule.rule, policy.namespace, self._who(number), target, scene).why
                    return Word(True, (policy.ref,), f"{policy.id} {direction.lower()}[{place}] admits it: {why}")
                if said is not False:
                    return None
        return self.denial(policies, direction)

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
                certain, doubtful = self._known.matching(peer, namespace)
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
