"""The policies that Calico puts in order, Kubernetes' own among them: whom each selects, and what its rules say.

Source: Calico reference, "Network policy" and "Global network policy"; a Kubernetes NetworkPolicy is read as one of
order 1000 in tier default, with the prefix ``knp.default.`` before its name (libcalico-go, lib/backend/k8s/conversion).
"""

from collections.abc import Iterator
from math import inf
from typing import Protocol

import msgspec

from aksnav.model.kubernetes.calico import DEFAULT_TIER, STORED, CalicoNetworkPolicy, EntityRule
from aksnav.model.kubernetes.policy import NetworkPolicy, PolicyRule
from aksnav.model.object import Ref
from aksnav.trace.policy import rules as kubernetes
from aksnav.trace.policy.calico.entity import choose
from aksnav.trace.policy.calico.labelled import NAMESPACE, OF_ACCOUNT, OF_NAMESPACE, PodLabels
from aksnav.trace.policy.calico.problems import problem, selector_problem
from aksnav.trace.policy.calico.rules import Question, matches
from aksnav.trace.policy.decision import Direction, short
from aksnav.trace.policy.engines import Engine
from aksnav.trace.policy.who import Who
from aksnav.trace.ternary import Answer, Unknown, every

KUBERNETES_ORDER = 1000.0
_KUBERNETES_PREFIX = "knp.default."


class Spoken(msgspec.Struct, frozen=True, gc=False):
    """What one rule says: whether it matches, and what it does then; an empty action may be any of them."""

    field: str
    action: str
    answer: Answer
    why: str


class Selection(msgspec.Struct, frozen=True, gc=False):
    """Whether a policy has a say on a Pod in a direction.

    Attributes:
        selects: whether it selects the Pod.
        speaks: whether it does, for that direction.
        why: why it has no say, or why that cannot be told.
        fact: the field that says so, with its value.
    """

    selects: Answer
    speaks: Answer
    why: str
    fact: tuple[str, str]


class Member(Protocol):
    """One policy in its place.

    Attributes:
        ref, version: the object.
        name: as it is told.
        tier: name of its tier.
        rank: where in the tier it is asked: by order, then by name.
        namespace: of the Pods that it may select, empty for every one.
    """

    ref: Ref
    version: str
    name: str
    tier: str
    rank: tuple[float, str]
    namespace: str

    def select(self, direction: Direction, subject: Who) -> Selection:
        """Return whether it has a say on a Pod."""

    def speak(self, question: Question) -> tuple[Spoken, ...]:
        """Return what each of its rules for the direction says, in their order."""

    def peers(self, direction: Direction) -> Iterator[EntityRule]:
        """Yield the side of each of its rules that names the other end, as Calico's own policies have it."""


class KubernetesMember:
    """A NetworkPolicy of networking.k8s.io, as Calico reads it."""

    def __init__(self, policy: NetworkPolicy, scene: kubernetes.Scene) -> None:
        self.ref, self.version, self.name = policy.ref, policy.resource_version, short(policy.ref)
        self.tier = DEFAULT_TIER
        self.rank = (KUBERNETES_ORDER, f"{policy.namespace}/{_KUBERNETES_PREFIX}{policy.name}")
        self.namespace = policy.namespace
        self._policy = policy
        self._scene = scene
        self._problem = kubernetes.problem(policy)

    def select(self, direction: Direction, subject: Who) -> Selection:
        """Return whether it has a say on a Pod (networking/v1 NetworkPolicy: podSelector and policyTypes)."""
        policy, types = self._policy, self._policy.types
        fact = (".spec.policyTypes", ",".join(types))
        if policy.pod_selector.invalid() is None and not kubernetes.selects(policy.pod_selector, subject, self._scene):
            return Selection(False, False, f"podSelector {policy.pod_selector} does not match the Pod", fact)
        if direction.value not in types and all(word in kubernetes.TYPES for word in types):
            return Selection(True, False, f"selects the Pod, but its policyTypes are {', '.join(types)}", fact)
        if self._problem:
            unknown = Unknown(f"the policy cannot be evaluated: {self._problem}")
            return Selection(unknown, unknown, unknown.why, (".spec", self._problem))
        return Selection(True, True, "", fact)

    def peers(self, direction: Direction) -> Iterator[EntityRule]:  # noqa: ARG002 - the others ask for it
        """Return none: its peers are not of that form."""
        return iter(())

    def speak(self, question: Question) -> tuple[Spoken, ...]:
        """Return what each rule admits: its rules allow, and the end of the tier denies."""
        if self._problem:
            return (_anything(f"the policy cannot be evaluated: {self._problem}"),)
        policy, inward = self._policy, question.direction is Direction.INGRESS
        listed: tuple[PolicyRule, ...] = policy.ingress if inward else policy.egress
        said = (
            kubernetes.admits(rule, policy.namespace, question.other, question.target, self._scene) for rule in listed
        )
        word = "ingress" if inward else "egress"
        return tuple(
            Spoken(f".spec.{word}[{number}]", "Allow", item.answer, item.why) for number, item in enumerate(said)
        )


class CalicoMember:
    """A NetworkPolicy or GlobalNetworkPolicy of Calico's."""

    def __init__(self, policy: CalicoNetworkPolicy, scene: kubernetes.Scene, tier_problem: str = "") -> None:
        self.ref, self.version, self.name = policy.ref, policy.resource_version, short(policy.ref)
        self.tier = policy.tier
        full = policy.full_name
        order = inf if policy.order is None else policy.order
        self.rank = (order, f"{policy.namespace}/{full}" if policy.namespace else full)
        self.namespace = policy.namespace
        self._policy = policy
        self._namespaces = scene.namespaces
        self._blind = selector_problem(policy)
        self._problem = problem(policy) or tier_problem or _for_hosts(policy)

    def select(self, direction: Direction, subject: Who) -> Selection:
        """Return whether it has a say on a Pod: by namespace, selectors, and types."""
        policy = self._policy
        selects, why, field = self._selects(subject)
        if selects is False:
            return Selection(False, False, why, field)
        known = all(word in {"Ingress", "Egress"} for word in policy.types)
        if direction.value not in policy.types and known:
            return self._other_direction(direction, selects)
        if self._blind:
            return self._unknown(self._blind)
        if self._problem:
            return self._unknown(self._problem, selects)
        return Selection(selects, selects, why, (".spec.types", ",".join(policy.types)))

    def _other_direction(self, direction: Direction, selects: Answer) -> Selection:
        policy = self._policy
        fact = (".spec.types", ",".join(policy.types))
        if policy.written_types or policy.group != STORED:
            return Selection(selects, False, f"selects the Pod, but its types are {', '.join(policy.types)}", fact)
        # Calico's API server and calicoctl write the default into the object; its agents read an absent one as both.
        unknown = Unknown(
            f".spec.types is absent: by the reference it is {', '.join(policy.types)}, "
            f"and Calico's agents read an object that was stored without it for {direction.value} as well"
        )
        return Selection(selects, every((selects, unknown)), unknown.why, (".spec.types", "(absent)"))

    def _selects(self, subject: Who) -> tuple[Answer, str, tuple[str, str]]:
        if self._blind:
            return Unknown(self._blind), self._blind, (".spec", self._blind)
        policy = self._policy
        thing = PodLabels(subject.labels, subject.namespace, subject.service_account, self._namespaces)
        asked: list[tuple[str, str, Answer]] = [
            ("selector", policy.selector, choose(policy.selector, thing)),
            ("namespaceSelector", policy.namespace_selector, choose(policy.namespace_selector, thing, OF_NAMESPACE)),
            (
                "serviceAccountSelector",
                policy.service_account_selector,
                choose(policy.service_account_selector, thing, OF_ACCOUNT),
            ),
        ]
        if policy.namespace:
            asked[1] = ("namespace", policy.namespace, thing.value(NAMESPACE) == policy.namespace)
        for field, text, answer in asked:
            if answer is False:
                return False, f"{field} {text} does not match the Pod", (f".spec.{field}", text)
        unsure = every(answer for _, _, answer in asked)
        return unsure, unsure.why if isinstance(unsure, Unknown) else "", ("", "")

    def _unknown(self, why: str, selects: Answer | None = None) -> Selection:
        unknown = Unknown(f"the policy cannot be evaluated: {why}")
        both = unknown if selects is None else selects
        return Selection(both, unknown, unknown.why, (why.partition(":")[0] if why.startswith(".") else ".spec", why))

    def peers(self, direction: Direction) -> Iterator[EntityRule]:
        """Yield the sources of rules for ingress, the destinations of those for egress."""
        if direction is Direction.INGRESS:
            return (rule.source for rule in self._policy.ingress)
        return (rule.destination for rule in self._policy.egress)

    def speak(self, question: Question) -> tuple[Spoken, ...]:
        """Return what each rule does with what it matches."""
        if self._problem:
            return (_anything(f"the policy cannot be evaluated: {self._problem}"),)
        policy, inward = self._policy, question.direction is Direction.INGRESS
        word = "ingress" if inward else "egress"
        found = []
        for number, rule in enumerate(policy.ingress if inward else policy.egress):
            said = matches(rule, policy.namespace, question)
            found.append(Spoken(f".spec.{word}[{number}]", rule.action, said.answer, said.why))
        return tuple(found)


class HiddenMember:
    """Policies of which nothing but their being there is known, if that: whatever they say, they may say it first."""

    def __init__(self, ref: Ref, why: str) -> None:
        self.ref, self.version, self.name, self.tier, self.rank = ref, "", short(ref), "", (-inf, str(ref))
        self.namespace = ref.namespace
        self._why = why

    def select(self, direction: Direction, subject: Who) -> Selection:  # noqa: ARG002 - the others ask for them
        """Return that nobody can say."""
        unknown = Unknown(self._why)
        return Selection(unknown, unknown, self._why, (".spec", self._why))

    def peers(self, direction: Direction) -> Iterator[EntityRule]:  # noqa: ARG002 - as above
        """Return none: they are not known."""
        return iter(())

    def speak(self, question: Question) -> tuple[Spoken, ...]:  # noqa: ARG002 - as above
        """Return a rule that may be any."""
        return (_anything(self._why),)


def _anything(why: str) -> Spoken:
    return Spoken(".spec", "", Unknown(why), why)


def _for_hosts(policy: CalicoNetworkPolicy) -> str:
    """Return why nobody can say what a policy that is meant for host endpoints does with a Pod that it selects.

    The reference has it enforced like any other; Calico's agents leave it out (felix, calc/event_sequencer.go).
    """
    for field, given in (("doNotTrack", policy.do_not_track), ("preDNAT", policy.pre_dnat)):
        if given:
            return f".spec.{field}: it is meant for host endpoints, and not modelled for Pods"
    return ""


ENGINE = Engine.CALICO
