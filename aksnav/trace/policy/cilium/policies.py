"""Cilium's own policies of a store, by namespace, with those that cannot be read."""

from collections.abc import Iterator

import msgspec

from aksnav.model.kubernetes.policy import CiliumNetworkPolicy
from aksnav.model.labels import Labels
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.policy.cilium.facts import Facts
from aksnav.trace.policy.cilium.question import Question, Teaching
from aksnav.trace.policy.cilium.rule import Ready, Rule, prepare
from aksnav.trace.policy.cilium.selectors import endpoint
from aksnav.trace.policy.cilium.words import selected, undecidable, words
from aksnav.trace.policy.decision import Direction, PolicyWord
from aksnav.trace.readable import unreadable
from aksnav.trace.ternary import Answer, Unknown, every


class CiliumPolicies:
    """Every CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy at one version of their tables.

    Attributes:
        any: there is one, or there may be.
        asks_requests: one judges requests or names, so that answers depend on the request.
        facts: what the policies refer to.
    """

    def __init__(self, store: Store, facts: Facts) -> None:
        self._of_namespace: dict[str, list[Ready]] = {}
        for policy in sorted(store.cilium_policies, key=lambda item: item.id):
            self._of_namespace.setdefault(policy.namespace, []).append(prepare(policy))
        listed = sorted(store.cilium_clusterwide_policies, key=lambda item: item.id)
        self._clusterwide = [prepare(policy) for policy in listed]
        self._undecodable = [
            *((Ref("CiliumNetworkPolicy", ident), why) for ident, why in store.cilium_policies.undecodable.items()),
            *(
                (Ref("CiliumClusterwideNetworkPolicy", ident), why)
                for ident, why in store.cilium_clusterwide_policies.undecodable.items()
            ),
        ]
        self._unreadable = unreadable(store.cilium_policies) or unreadable(store.cilium_clusterwide_policies)
        everything = self.listed()
        self.any = bool(everything or self._undecodable or self._unreadable)
        self.facts = facts
        rules = [rule for ready in everything for rule in _rules(ready)]
        self._names = any(peers.kind == "FQDNs" for rule in rules for peers in rule.peers)
        self._requires = any(rule.requires for rule in rules)
        self._teachers = [ready for ready in everything if any(_patterns(rule) for rule in _rules(ready))]
        self.asks_requests = self._names or any(map(_asks_request, rules))

    def words(self, namespace: str, question: Question) -> Iterator[PolicyWord]:
        """Yield what each policy that may select a Pod of a namespace says."""
        ready = [*self._of_namespace.get(namespace, ()), *self._clusterwide]
        question = self._completed(ready, question)
        for item in ready:
            yield from words(item, question)
        for ref, reason in self._undecodable:
            if ref.namespace in {"", namespace}:
                yield undecidable(ref, "", f"the policy cannot be decoded: {reason}")
        if self._unreadable:
            yield undecidable(Ref("CiliumNetworkPolicy", f"{namespace}/*"), "", self._unreadable)

    def said_by(self, policy: CiliumNetworkPolicy, namespace: str, question: Question) -> Iterator[PolicyWord]:
        """Yield what a policy that is not there would say, beside those that there are."""
        there = [*self._of_namespace.get(namespace, ()), *self._clusterwide]
        yield from words(prepare(policy), self._completed(there, question))

    def _completed(self, ready: list[Ready], question: Question) -> Question:
        """Return a question with what policies say to each other: requirements, and DNS rules."""
        if self._requires:
            question = msgspec.structs.replace(
                question,
                required=_required(ready, question, deny=False),
                required_deny=_required(ready, question, deny=True),
            )
        if self._names and question.direction is Direction.EGRESS:
            question = msgspec.structs.replace(question, teaching=tuple(self._teaching(question)))
        return question

    def listed(self) -> list[Ready]:
        """Return every policy, made ready."""
        return [*self._clusterwide, *(ready for found in self._of_namespace.values() for ready in found)]

    def blind(self) -> Iterator[str]:
        """Yield the namespaces in which a policy cannot be read or decoded; an empty one stands for all."""
        if self._unreadable:
            yield ""
        yield from (ref.namespace for ref, _ in self._undecodable)

    def for_nodes(self, labels: Labels) -> Iterator[tuple[Ref, str]]:
        """Yield the policies for nodes that may select one with these labels, and why they have no say on Pods."""
        for ready in self._clusterwide:
            for spec in ready.specs:
                selector = spec.node_selector
                if spec.nodes and (selector is None or selector.labels.matches(labels)):
                    yield ready.policy.ref, f"{spec.base}.nodeSelector: it is for nodes, with the host firewall alone"

    def _teaching(self, question: Question) -> Iterator[Teaching]:
        """Yield the DNS rules of all policies; one that cannot be read may be any."""
        for ready in self._teachers:
            for spec in ready.specs:
                own: Answer = False if spec.selector is None else selected(spec, question)
                if own is True and ready.problem:
                    own = Unknown(ready.problem)
                for rule in spec.rules[Direction.EGRESS]:
                    if patterns := _patterns(rule):
                        yield Teaching(ready.policy.ref, rule.field, patterns, own)
        for ref, why in self._undecodable:
            yield Teaching(ref, ".spec", ({"matchPattern": "*"},), Unknown(why))


def _rules(ready: Ready) -> Iterator[Rule]:
    for spec in ready.specs:
        for listed in spec.rules.values():
            yield from listed


def _patterns(rule: Rule) -> tuple[dict[str, object], ...]:
    """Return the names that the DNS rules of a rule let be asked for."""
    found: list[dict[str, object]] = []
    for element in rule.raw.get("toPorts") or ():
        dns = (element.get("rules") or {}).get("dns")
        if dns is not None:
            found += dns or [{"matchPattern": "*"}]
    return tuple(found)


def _asks_request(rule: Rule) -> bool:
    return any(element.get("rules") or element.get("serverNames") for element in rule.raw.get("toPorts") or ())


def _required(ready: list[Ready], question: Question, *, deny: bool) -> Answer:
    """Return whether the other end has the labels that the rules for the Pod require of every endpoint."""
    answers: list[Answer] = []
    for item in ready:
        for spec in item.specs:
            asked = [rule for rule in spec.rules[question.direction] if rule.requires and rule.deny == deny]
            if not asked:
                continue
            selects = selected(spec, question)
            if selects is False:
                continue
            for rule in asked:
                met = every(endpoint(selector, question.who, question) for selector in rule.requires)
                answers.append(
                    met if selects is True or met is True else Unknown("whether the Pod is selected is open")
                )
    return every(answers)
