"""The road of a trace, short enough to be read at once: what repeats itself is told once, with how often."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from aksnav.report.words import VERDICT_GLYPH
from aksnav.trace.step import ENDS, Branch, Step, Trace, Verdict

_WITHOUT_SAYING = frozenset({Verdict.PASS, Verdict.SKIP, Verdict.TRANSFORM, Verdict.FANOUT, Verdict.NOT_REACHED})
_NUMBER = re.compile(r"\d+")
DECIDES = "▶"


class RoadLine(msgspec.Struct, frozen=True):
    """One line of the road.

    Attributes:
        depth: how far it is inside of branches.
        text: what it says (foreign text: to be made harmless before it is shown).
        decides: this is the step to look at first.
        verdict: of the step, or of what ends the branch; None for the head of a branch that is told in full.
        branch: it is the head of a branch.
    """

    depth: int
    text: str
    decides: bool = False
    verdict: Verdict | None = None
    branch: bool = False


def deciding(trace: Trace) -> Step | None:
    """Return the step to look at first: the first that ends the road for certain, else the first break, or None."""
    ends = (step for step in trace.breaks if step.verdict in ENDS)
    return next(ends, trace.breaks[0] if trace.breaks else None)


def road(trace: Trace) -> list[RoadLine]:
    """Return the road in lines.

    Steps that are not reached are counted, and a branch that ends as one before it does is one line: nothing that
    stops the request is left out.
    """
    return list(_steps(trace.steps, 0, deciding(trace)))


def _steps(steps: Sequence[Step], depth: int, first: Step | None) -> Iterator[RoadLine]:
    unreached = 0
    for step in steps:
        if _not_reached(step):
            unreached += _count(step)
            continue
        if unreached:
            yield _unreached(depth, unreached)
            unreached = 0
        yield RoadLine(depth, step_words(step), step == first, step.verdict)
        yield from _branches(step.branches, depth + 1, first)
    if unreached:
        yield _unreached(depth, unreached)


def _branches(branches: Sequence[Branch], depth: int, first: Step | None) -> Iterator[RoadLine]:
    told: dict[tuple[object, ...], str] = {}
    for branch in branches:
        known = told.setdefault(ends_of(branch.steps), branch.label)
        if known == branch.label:
            yield RoadLine(depth, branch_words(branch), branch=True)
            yield from _steps(branch.steps, depth + 1, first)
        else:
            end = next(_stops(branch.steps), None)
            word = "passes" if end is None else _verdict(end) + (f" {end.cause}" if end.cause else "")
            count = sum(map(_count, branch.steps))
            text = f"{branch_words(branch)}  {word}, as {known} ({count} step{_s(count)})"
            yield RoadLine(depth, text, verdict=Verdict.PASS if end is None else end.verdict, branch=True)


def step_words(step: Step) -> str:
    """Return a step in one line: verdict, kind, what it does."""
    return f"{_verdict(step):<13} {step.kind:<20} {step.summary}"


def branch_words(branch: Branch) -> str:
    """Return the head of a branch: who is on it, its share, and for how many it stands."""
    share = "" if branch.weight is None else f" {branch.weight:.0%}"
    count = f" ×{branch.alike}" if branch.alike > 1 else ""  # noqa: RUF001 - it is a multiplication
    return f"├ {branch.label}{share}{count}"


def ends_of(steps: Sequence[Step]) -> tuple[object, ...]:
    """Return what stops a road, each thing once, to be compared: two roads with the same are alike to their reader."""
    return tuple(
        dict.fromkeys((step.kind, step.verdict, step.status, step.cause, step.missing) for step in _stops(steps))
    )


def _stops(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        if step.verdict not in _WITHOUT_SAYING:
            yield step
        for branch in step.branches:
            yield from _stops(branch.steps)


def alike(texts: Sequence[str]) -> list[tuple[str, int]]:
    """Return texts without those that differ from an earlier one in numbers alone, each with how many are like it."""
    found: dict[str, tuple[str, int]] = {}
    for text in texts:
        key = _NUMBER.sub("#", text)
        first, count = found.get(key, (text, 0))
        found[key] = first, count + 1
    return list(found.values())


def _verdict(step: Step) -> str:
    return f"{VERDICT_GLYPH[step.verdict]} {step.verdict}" + (f" {step.status}" if step.status else "")


def _not_reached(step: Step) -> bool:
    if step.branches:
        return all(_not_reached(item) for branch in step.branches for item in branch.steps)
    return step.verdict is Verdict.NOT_REACHED


def _count(step: Step) -> int:
    return 1 + sum(_count(item) for branch in step.branches for item in branch.steps)


def _unreached(depth: int, count: int) -> RoadLine:
    word = f"{VERDICT_GLYPH[Verdict.NOT_REACHED]} {Verdict.NOT_REACHED}"
    return RoadLine(depth, f"{word} {count} step{_s(count)} behind it", verdict=Verdict.NOT_REACHED)


def _s(count: int) -> str:
    return "" if count == 1 else "s"
