"""Branches that differ in nothing that decides are one branch that says how many it stands for."""

from collections.abc import Iterable, Sequence

import msgspec

from aksnav.trace.step import Branch, Evidence, Kind, Step, Verdict
from aksnav.trace.verdict import DESTINATION_FIELD

# Which one of these it is decides nothing by itself: what they do is in the verdicts.
_INTERCHANGEABLE = frozenset({"Pod", "Node", "networkInterfaces"})


def merge(branches: Iterable[Branch]) -> tuple[Branch, ...]:
    """Return the branches with those that are alike made one, in the order of their first.

    Weights are added. Destinations of all of them are kept in the DELIVER steps, as evidence.
    """
    listed = list(branches)
    if len(listed) == 1:
        return (_one(listed),)
    groups: dict[str, list[Branch]] = {}
    for branch in listed:
        groups.setdefault(f"{branch.weight == 0}{shape(branch.steps)}", []).append(branch)
    return tuple(_one(group) for group in groups.values())


def shape(road: Sequence[Step]) -> str:
    """Return what decides in a road, as text that is equal for roads that are alike."""
    return ";".join(_shape(step) for step in road)


def _shape(step: Step) -> str:
    subject = step.subject
    # The members of StrEnum are strings: joined as they are, they cost nothing; formatted, they do.
    parts = [step.kind, step.verdict, step.cause, step.missing]
    if subject is not None and subject.kind not in _INTERCHANGEABLE:
        parts += (subject.kind, subject.id)
    if step.status:
        parts.append(str(step.status))
    if step.kind is Kind.NSG or step.kind is Kind.POLICY or step.kind is Kind.ADMIN_RULE:
        parts += [item.rule for item in step.considered if item.decided]
    elif step.kind is Kind.DELIVER:
        parts.append(str(step.packet.port))
    if step.branches:
        parts += sorted({f"[{branch.weight}{shape(branch.steps)}]" for branch in step.branches})
    return "|".join(parts)


def _one(group: list[Branch]) -> Branch:
    first = group[0]
    alike = sum(branch.alike for branch in group)
    if alike == 1:
        return first
    weights = [branch.weight for branch in group]
    weight = None if any(item is None for item in weights) else sum(item for item in weights if item is not None)
    roads = [branch.steps for branch in group]
    return Branch(f"{first.label} and {alike - 1} alike", _merged(roads), weight, alike, first.node)


def stand_for(road: Sequence[Step], places: Sequence[Evidence]) -> tuple[Step, ...]:
    """Return the road of one endpoint as that of several in which nothing decides otherwise.

    Args:
        road: of one of them.
        places: destinations, for the DELIVER step: those of all the others.
    """
    return tuple(
        msgspec.structs.replace(step, evidence=(*step.evidence, *places)) if step.kind is Kind.DELIVER else step
        for step in road
    )


def _merged(roads: Sequence[tuple[Step, ...]]) -> tuple[Step, ...]:
    return tuple(_step(steps) for steps in zip(*roads, strict=True))


def _step(steps: Sequence[Step]) -> Step:
    first = steps[0]
    if first.kind is Kind.DELIVER:
        places = _places(steps)
        rest = tuple(fact for fact in first.evidence if fact.field != DESTINATION_FIELD)
        return msgspec.structs.replace(first, evidence=places + rest)
    if first.verdict is Verdict.FANOUT and len(steps) > 1:
        return msgspec.structs.replace(first, branches=_below(steps))
    return first


def _below(steps: Sequence[Step]) -> tuple[Branch, ...]:
    """Merge the branches of fan-outs that are alike: those of the first one stay, with the destinations of all."""
    first = steps[0]
    others: dict[str, list[Branch]] = {}
    for step in steps:
        for branch in step.branches:
            others.setdefault(f"{branch.weight}{shape(branch.steps)}", []).append(branch)
    out = []
    for branch in first.branches:
        same = others[f"{branch.weight}{shape(branch.steps)}"]
        road = _merged([branch.steps, *(item.steps for item in same if item is not branch)])
        out.append(msgspec.structs.replace(branch, steps=road))
    return tuple(out)


def _places(steps: Sequence[Step]) -> tuple[Evidence, ...]:
    found: dict[tuple[str, str], Evidence] = {}
    for step in steps:
        for fact in step.evidence:
            if fact.field == DESTINATION_FIELD:
                ref = fact.subject or step.subject
                named = fact if fact.subject is not None else Evidence(fact.field, fact.value, ref, fact.note)
                found[f"{ref}", fact.value] = named
    return tuple(found.values())
