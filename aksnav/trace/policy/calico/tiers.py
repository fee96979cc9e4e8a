"""What the policies of all tiers together do with a connection, asked in their order.

Source: Calico reference, "Tier" ("How policy is evaluated"), "Rule" (actions) and "Profile". What cannot be told makes
more than one outcome possible; only where they all come to the same is there a decision.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import inf

import msgspec

from aksnav.model.object import Ref
from aksnav.trace.policy.calico.members import Member, Selection, Spoken
from aksnav.trace.policy.decision import PASSES, Decision, Direction, Effect, PolicyWord, RuleWord, short
from aksnav.trace.policy.rules import DEPENDS
from aksnav.trace.step import Considered, Evidence
from aksnav.trace.ternary import Answer, Unknown, every

OTHER_CLIENT = "the client is in none of the ranges that Calico's rules name"
_VERBS = {
    "Allow": ("admits", "does not admit"),
    "Deny": ("denies", "does not deny"),
    "Pass": ("passes", "does not pass"),
}


class TierRule(msgspec.Struct, frozen=True, gc=False):
    """A tier: its place, and what it does with what none of its policies decides.

    Attributes:
        ref: the object, None where there is none.
        problem: why it cannot be told what it does.
    """

    name: str
    order: float = inf
    action: str = "Deny"
    ref: Ref | None = None
    problem: str = ""


class Voice(msgspec.Struct, frozen=True, gc=False):
    """A policy that has, or may have, a say, with what its rules say."""

    member: Member
    selection: Selection
    spoken: tuple[Spoken, ...]


class _Outcome(msgspec.Struct, frozen=True, gc=False):
    """One way in which it may end: by a rule (Allow, Deny), by a tier's default (Drop), or by the profile (Profile).

    Attributes:
        voice, rule: the rule that decides, or that passed it on to the profile.
        tier: whose default action decides, or passed it on.
    """

    end: str
    voice: Voice | None = None
    rule: Spoken | None = None
    tier: TierRule | None = None


_PASSING = frozenset({"Allow", "Profile"})


def _reached(tiers: Sequence[tuple[TierRule, Sequence[Voice]]]) -> Iterator[int]:
    """Yield the ids of the rules that are asked: behind one that certainly decides, none is."""
    for tier, voices in tiers:
        end = ""
        for rule, answer in ((rule, _match(voice, rule)) for voice in voices for rule in voice.spoken):
            yield id(rule)
            if answer is True and rule.action not in {"Log", ""}:
                end = rule.action
                break
        if end in {"Allow", "Deny"}:
            return
        dropping = tier.action != "Pass" and not tier.problem
        if not end and dropping and any(voice.selection.speaks is True for voice in voices):
            return


def _match(voice: Voice, rule: Spoken) -> Answer:
    return every((voice.selection.speaks, rule.answer))


def walk(
    tiers: Sequence[tuple[TierRule, Sequence[Voice]]],
    silent: Iterable[tuple[Member, Selection]],
    direction: Direction,
    profile: str,
) -> Decision:
    """Return what all policies together do.

    Args:
        tiers: every tier with the policies that have a say, all in the order in which they are asked.
        silent: the policies that have none.
        direction: as seen from the judged Pod.
        profile: name of the profile that is asked last, which allows.
    """
    outcomes: tuple[_Outcome, ...] = (_Outcome("Profile"),)
    for tier, voices in reversed(tiers):
        outcomes = _of_tier(tier, voices, outcomes)
    voices = [voice for _, listed in tiers for voice in listed]
    told = _Told(voices, list(silent), direction, profile, frozenset(_reached(tiers)))
    ends = {item.end in _PASSING for item in outcomes}
    if len(ends) > 1:
        return told.undecided(tiers)
    return told.decided(outcomes[-1], tiers)


def _of_tier(tier: TierRule, voices: Sequence[Voice], after: tuple[_Outcome, ...]) -> tuple[_Outcome, ...]:
    found: list[_Outcome] = []
    for voice in voices:
        for rule in voice.spoken:
            answer = _match(voice, rule)
            if rule.action == "Log" or answer is False:
                continue
            found += _done(voice, rule, after)
            if answer is True:
                return tuple(found)
    if not voices:
        return after
    on = [_passed(item, None, None, tier) for item in after]
    if tier.action == "Pass" or tier.problem:
        found += on
    if tier.action != "Pass" or tier.problem:
        found.append(_Outcome("Drop", tier=tier))
    if all(voice.selection.speaks is not True for voice in voices):
        found += after  # it may be that no policy of the tier has a say on the Pod
    return tuple(found)


def _done(voice: Voice, rule: Spoken, after: tuple[_Outcome, ...]) -> list[_Outcome]:
    if rule.action in {"Allow", "Deny"}:
        return [_Outcome(rule.action, voice, rule)]
    on = [_passed(item, voice, rule, None) for item in after]
    return on if rule.action == "Pass" else [_Outcome("Allow", voice, rule), _Outcome("Deny", voice, rule), *on]


def _passed(item: _Outcome, voice: Voice | None, rule: Spoken | None, tier: TierRule | None) -> _Outcome:
    """Return an outcome with who passed the connection on, where nothing behind him decides but the profile."""
    if item.end != "Profile" or item.voice is not None or item.tier is not None:
        return item
    return _Outcome("Profile", voice, rule, tier)


class _Told:
    """A decision in words."""

    def __init__(
        self,
        voices: list[Voice],
        silent: list[tuple[Member, Selection]],
        direction: Direction,
        profile: str,
        reached: frozenset[int],
    ) -> None:
        self._voices = voices
        self._silent = silent
        self._direction = direction
        self._profile = profile
        self._reached = reached

    def decided(self, outcome: _Outcome, tiers: Sequence[tuple[TierRule, Sequence[Voice]]]) -> Decision:
        """Return the decision that an outcome is."""
        voice, rule = outcome.voice, outcome.rule
        if voice is not None and rule is not None:
            name = f"{short(voice.member.ref)} {rule.field.removeprefix('.spec.')}"
            verb = {"Allow": "admits it", "Deny": "denies it"}.get(outcome.end, "passes it")
            last = "" if outcome.end != "Profile" else f"; no policy behind it decides, and {self._profile} allows"
            effect = Effect.DENIED if outcome.end == "Deny" else Effect.ADMITTED
            fact = Evidence(rule.field, rule.why, voice.member.ref, _place(voice.member))
            return self._made(effect, f"{name} {verb}: {rule.why}{last}", (fact,), (voice.member.ref,), (voice, rule))
        if outcome.tier is not None:
            return self._by_tier(outcome.tier, tiers)
        selected = any(selection.selects is True for _, selection in self._silent)
        if selected:
            why = f"the policies that select the Pod do not isolate it for {self._direction.value}"
            return self._made(Effect.NOT_ISOLATED, why, self._not_isolating(), ())
        return self._made(Effect.NOT_SELECTED, "no policy selects the Pod", (), ())

    def _by_tier(self, tier: TierRule, tiers: Sequence[tuple[TierRule, Sequence[Voice]]]) -> Decision:
        voices = next(listed for other, listed in tiers if other is tier)
        isolating = [voice for voice in voices if voice.selection.speaks is True]
        refs = tuple(voice.member.ref for voice in isolating)
        names = ", ".join(map(short, refs))
        if tier.action == "Pass":
            fact = Evidence(".spec.defaultAction", "Pass", tier.ref)
            why = f"no rule of tier {tier.name} decides, its default action is Pass, and {self._profile} allows"
            return self._made(Effect.ADMITTED, why, (fact,), (tier.ref,) if tier.ref is not None else refs)
        note = f"isolates the Pod for {self._direction.value}"
        facts = tuple(
            Evidence(*voice.selection.fact, voice.member.ref, f"{note} ({_place(voice.member)})") for voice in isolating
        )
        why = f"isolated for {self._direction.value} by {names}, and no rule admits it"
        more = f": tier {tier.name} ends with Deny" if any(ref.kind != "NetworkPolicy" for ref in refs) else ""
        return self._made(Effect.DEFAULT_DENY, f"{why}{more}", facts, refs)

    def undecided(self, tiers: Sequence[tuple[TierRule, Sequence[Voice]]]) -> Decision:
        """Return that there is no decision, with the first thing that cannot be told."""
        for tier, voices in tiers:
            for voice in voices:
                found = _first_unknown(voice)
                if found is not None:
                    ref, fact = voice.member.ref, Evidence(found[0], found[1], voice.member.ref)
                    return self._made(Effect.UNDECIDED, f"{short(ref)}: {found[1]}", (fact,), (ref,))
            if voices and tier.problem and tier.ref is not None:
                fact = Evidence(".spec.defaultAction", tier.problem, tier.ref)
                return self._made(Effect.UNDECIDED, f"{tier.ref}: {tier.problem}", (fact,), (tier.ref,))
        raise AssertionError("outcomes differ, and nothing is unknown")

    def _made(
        self,
        effect: Effect,
        why: str,
        evidence: tuple[Evidence, ...],
        deciding: tuple[Ref, ...],
        decided: tuple[Voice, Spoken] | None = None,
    ) -> Decision:
        considered = self._considered(decided)
        # The client of the internet that is asked for is in none of the ranges that rules name.
        other = effect in PASSES and any(item.why.endswith(DEPENDS) for item in considered)
        return Decision(
            effect=effect,
            why=why,
            words=tuple(map(_word, self._voices)),
            considered=considered,
            evidence=evidence,
            deciding=deciding,
            assumptions=(OTHER_CLIENT,) if other else (),
        )

    def _considered(self, decided: tuple[Voice, Spoken] | None) -> tuple[Considered, ...]:
        found = []
        for voice in self._voices:
            name = voice.member.name
            if not voice.spoken:
                why = f"isolates the Pod for {self._direction.value} and has no {self._direction.value.lower()} rule"
                found.append(Considered(name, False, voice.selection.why or f"{why}: nothing is admitted"))
            for rule in voice.spoken:
                is_it = decided is not None and decided[0] is voice and decided[1] is rule
                why = _said(voice, rule) if id(rule) in self._reached else f"not reached: {_said(voice, rule)}"
                found.append(Considered(f"{name} {rule.field.removeprefix('.spec.')}", is_it, why))
        found += [
            Considered(member.name, False, f"not applicable: {selection.why}") for member, selection in self._silent
        ]
        return tuple(found)

    def _not_isolating(self) -> tuple[Evidence, ...]:
        return tuple(
            Evidence(*selection.fact, member.ref, "does not isolate this direction")
            for member, selection in self._silent
            if selection.selects is True
        )


def _said(voice: Voice, rule: Spoken) -> str:
    """Return what a rule does, in one word, and the field that says so."""
    speaks: Answer = voice.selection.speaks
    unsure = rule.answer if isinstance(rule.answer, Unknown) else speaks if rule.answer is True else True
    if isinstance(unsure, Unknown):
        return f"undecidable: {unsure.why}"
    yes, no = _VERBS.get(rule.action, ("logs, and goes on", "does not log"))
    return f"{yes if rule.answer is True else no}: {rule.why}"


def _first_unknown(voice: Voice) -> tuple[str, str] | None:
    if isinstance(voice.selection.speaks, Unknown):
        return voice.selection.fact[0] or ".spec", voice.selection.speaks.why
    for rule in voice.spoken:
        if rule.action != "Log" and isinstance(rule.answer, Unknown):
            return rule.field, rule.answer.why
    return None


def _word(voice: Voice) -> PolicyWord:
    selection = voice.selection
    spoken = tuple(RuleWord(rule.field, rule.answer, rule.why, rule.action == "Deny") for rule in voice.spoken)
    member = voice.member
    return PolicyWord(
        member.ref, member.version, selection.selects, selection.speaks, selection.why, spoken, selection.fact
    )


def _place(member: Member) -> str:
    order = member.rank[0]
    return f"tier {member.tier}, order {'none' if order == inf else f'{order:g}'}"
