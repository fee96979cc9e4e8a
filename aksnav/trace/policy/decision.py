"""What policies decide about one connection in one direction, and how the words of all policies add up.

The fold is: a deny beats an allow, an allow beats the default deny that isolation brings, no isolation means no say
(networking/v1 NetworkPolicy: policies are additive; Cilium documentation: deny policies take precedence).
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from aksnav.model.object import Ref
from aksnav.trace.step import Considered, Evidence
from aksnav.trace.ternary import Answer, Unknown, some


class Direction(StrEnum):
    """Direction as seen from the judged Pod; the value is the policyTypes word."""

    INGRESS = "Ingress"
    EGRESS = "Egress"


class RuleWord(msgspec.Struct, frozen=True, gc=False):
    """What one rule says of the connection.

    Attributes:
        field: path of the rule in its policy.
        answer: whether it matches.
        why: the reason in one line.
        deny: it denies what it matches.
        request: what it says of the request behind the connection: True where it asks nothing of it.
        layer7: the protocol by whose requests it decides (``http``, ``dns``, ``kafka``, ``tls``), empty for none.
        assumptions: what the answer takes for granted.
        part: the field of the rule that decides (``toPorts``), where it is known.
        fix: what is missing elsewhere for the rule to match, empty where the rule itself says no.
    """

    field: str
    answer: Answer
    why: str
    deny: bool = False
    request: Answer = True
    layer7: str = ""
    assumptions: tuple[str, ...] = ()
    part: str = ""
    fix: str = ""


class PolicyWord(msgspec.Struct, frozen=True, gc=False):
    """What one policy says of the connection.

    Attributes:
        ref, version: the policy.
        selects: whether it selects the judged Pod at all.
        isolates: whether it makes the direction default-deny for that Pod.
        why: why it has no say, where it has none; or why it cannot be evaluated.
        rules: its rules for the direction, where it selects the Pod.
        fact: the field that isolates, with its value.
    """

    ref: Ref
    version: str
    selects: Answer
    isolates: Answer
    why: str = ""
    rules: tuple[RuleWord, ...] = ()
    fact: tuple[str, str] = ("", "")


class Effect(StrEnum):
    """What all policies together do with the connection."""

    ADMITTED = "admitted"
    EXEMPT = "exempt"
    NOT_SELECTED = "not-selected"
    NOT_ISOLATED = "direction-not-isolated"
    DENIED = "denied"
    DEFAULT_DENY = "default-deny"
    HTTP_DENIED = "http-denied"
    UNDECIDED = "undecided"


PASSES = frozenset({Effect.ADMITTED, Effect.EXEMPT, Effect.NOT_SELECTED, Effect.NOT_ISOLATED})
DROPS = frozenset({Effect.DENIED, Effect.DEFAULT_DENY})


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What all policies together do with one connection in one direction.

    Attributes:
        effect: the result.
        why: one line.
        words: every policy that was looked at, where it selects the Pod or may do so.
        considered: every policy and rule that was looked at.
        evidence: the deciding fields.
        deciding: the policies that decide.
        layer7: the protocol whose request is not admitted, where the effect is HTTP_DENIED.
        assumptions: what the rules take for granted on which the result hangs.
    """

    effect: Effect
    why: str
    words: tuple[PolicyWord, ...] = ()
    considered: tuple[Considered, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    deciding: tuple[Ref, ...] = ()
    layer7: str = ""
    assumptions: tuple[str, ...] = ()


def short(ref: Ref) -> str:
    """Return a policy's name as it is listed: NetworkPolicy ids as they are, other kinds with their kind."""
    return ref.id if ref.kind == "NetworkPolicy" else str(ref)


def fold(words: Iterable[PolicyWord], direction: Direction) -> Decision:
    """Return what the words of all policies add up to."""
    listed = tuple(words)
    having_say = tuple(word for word in listed if word.selects is not False)
    rules = [(word, rule) for word in having_say for rule in word.rules]
    denied = next(((word, rule) for word, rule in rules if rule.deny and rule.answer is True), None)
    if denied is not None:
        return _by_rule(Effect.DENIED, listed, having_say, *denied)
    unsure = _first_unknown(having_say)
    # Only an unknown deny can take back what another policy admits; an unknown allow cannot.
    unknown_deny = any(rule.deny and isinstance(rule.answer, Unknown) for _, rule in rules)
    allowing = [(word, rule) for word, rule in rules if not rule.deny and rule.answer is True]
    full = next(((word, rule) for word, rule in allowing if rule.request is True), None)
    isolated = some(word.isolates for word in having_say)
    if full is not None and not unknown_deny:
        return _by_rule(Effect.ADMITTED, listed, having_say, *full)
    if unsure is not None:
        return _undecided(listed, having_say, *unsure)
    if allowing:
        # A rule of layer 7 leads to a proxy, and what that does not admit ends there, default deny or not
        # (Cilium documentation, "Endpoint default policy": EnableDefaultDeny does not apply to layer-7 policy).
        return _by_rule(Effect.HTTP_DENIED, listed, having_say, *allowing[0])
    if isolated is False:
        effect = Effect.NOT_ISOLATED if any(word.selects is True for word in listed) else Effect.NOT_SELECTED
        why = (
            f"the policies that select the Pod do not isolate it for {direction.value}"
            if effect is Effect.NOT_ISOLATED
            else "no policy selects the Pod"
        )
        facts, assumed = _not_selecting(having_say), _misses(having_say)
        return Decision(effect, why, having_say, _considered(listed, None), facts, assumptions=assumed)
    return _default_deny(listed, having_say, direction)


def _first_unknown(words: tuple[PolicyWord, ...]) -> tuple[PolicyWord, str] | None:
    for word in words:
        for answer in (word.selects, word.isolates):
            if isinstance(answer, Unknown):
                return word, answer.why
        for rule in word.rules:
            for answer in (rule.answer, rule.request if rule.answer is True else True):
                if isinstance(answer, Unknown):
                    return word, f"{rule.field}: {answer.why}"
    return None


def _by_rule(
    effect: Effect, listed: tuple[PolicyWord, ...], say: tuple[PolicyWord, ...], word: PolicyWord, rule: RuleWord
) -> Decision:
    what = {"dns": "DNS question", "tls": "TLS server name"}.get(rule.layer7, "HTTP request")
    verb = {Effect.ADMITTED: "admits it", Effect.DENIED: "denies it"}.get(effect, f"does not admit the {what}")
    why = f"{short(word.ref)} {rule.field.removeprefix('.spec.')} {verb}: {rule.why}"
    fact = Evidence(rule.field, rule.why, word.ref)
    assumed = rule.assumptions if effect in {Effect.ADMITTED, Effect.DENIED} else _misses(say)
    layer7 = rule.layer7 if effect is Effect.HTTP_DENIED else ""
    return Decision(effect, why, say, _considered(listed, (word, rule)), (fact,), (word.ref,), layer7, assumed)


def _misses(words: tuple[PolicyWord, ...]) -> tuple[str, ...]:
    """Return what the rules take for granted that do not match, or that do not admit the request."""
    rules = [rule for word in words for rule in word.rules if rule.answer is False or rule.request is False]
    return tuple(dict.fromkeys(line for rule in rules for line in rule.assumptions))


def _undecided(listed: tuple[PolicyWord, ...], say: tuple[PolicyWord, ...], word: PolicyWord, why: str) -> Decision:
    fact = Evidence(word.fact[0] or ".spec", why, word.ref)
    return Decision(Effect.UNDECIDED, f"{short(word.ref)}: {why}", say, _considered(listed, None), (fact,), (word.ref,))


def _default_deny(listed: tuple[PolicyWord, ...], say: tuple[PolicyWord, ...], direction: Direction) -> Decision:
    isolating = [word for word in say if word.isolates is True]
    names = ", ".join(short(word.ref) for word in isolating)
    facts = tuple(
        Evidence(word.fact[0], word.fact[1], word.ref, f"isolates the Pod for {direction.value}") for word in isolating
    )
    return Decision(
        Effect.DEFAULT_DENY,
        f"isolated for {direction.value} by {names}, and no rule admits it",
        say,
        _considered(listed, None),
        facts,
        tuple(word.ref for word in isolating),
        assumptions=_misses(say),
    )


def _not_selecting(words: tuple[PolicyWord, ...]) -> tuple[Evidence, ...]:
    return tuple(Evidence(word.fact[0], word.fact[1], word.ref, "does not isolate this direction") for word in words)


def _considered(words: tuple[PolicyWord, ...], decided: tuple[PolicyWord, RuleWord] | None) -> tuple[Considered, ...]:
    out: list[Considered] = []
    for word in words:
        name = short(word.ref)
        if not word.rules:
            out.append(Considered(name, False, word.why, _effect(word), word.fact[0]))
        for rule in word.rules:
            is_it = decided is not None and decided[0] is word and decided[1] is rule
            why = rule.answer.why if isinstance(rule.answer, Unknown) else rule.why
            field = f"{rule.field}.{rule.part}" if rule.part else rule.field
            shown = f"{name} {rule.field.removeprefix('.spec.')}"
            out.append(Considered(shown, is_it, why, _effect_of_rule(rule), field))
    return tuple(out)


def _effect(word: PolicyWord) -> str:
    """Return the effect of a policy without rules for the direction."""
    if isinstance(word.selects, Unknown) or isinstance(word.isolates, Unknown):
        return "undecidable"
    return "does-not-admit" if word.selects and word.isolates else "not-applicable"


def _effect_of_rule(rule: RuleWord) -> str:
    if isinstance(rule.answer, Unknown):
        return "undecidable"
    if rule.deny:
        return "denies" if rule.answer else "not-applicable"
    if rule.answer and isinstance(rule.request, Unknown):
        return "undecidable"
    return "admits" if rule.answer and rule.request else "does-not-admit"
