"""What differs between two pictures of a cluster: what becomes of requests, what is wrong, which objects changed."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from aksnav.checks.finding import Finding
from aksnav.checks.sweep import sweep
from aksnav.model.text import plain
from aksnav.report.words import OUTCOME_GLYPH, outcome_words
from aksnav.store import Store
from aksnav.trace import trace
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.routing.viewpoint import seen_from
from aksnav.trace.step import Outcome, Trace

# They differ between two readings of a cluster in which nothing happened, or say nothing that is not said elsewhere.
_PASSING = frozenset({"resource_version", "generation", "etag", "observed_generation", "uid", "admin_rules_as_of"})
_NOT_COMPARED = frozenset({"Event"})
_FIELDS = 6  # fields of one object that are told
_VALUE = 60  # characters of a value


class Way(msgspec.Struct, frozen=True):
    """A way in of which the answer differs; an empty answer: the way in is not there."""

    text: str
    before: str
    after: str
    worse: bool


class Changed(msgspec.Struct, frozen=True):
    """An object that is new (``+``), gone (``-``) or changed (``~``, with its fields: path, before, after)."""

    sign: str
    kind: str
    id: str
    fields: tuple[tuple[str, str, str], ...] = ()


class Difference(msgspec.Struct, frozen=True):
    """Everything that differs.

    Attributes:
        ways: ways in with another answer.
        new: findings of the second picture alone.
        gone: findings of the first picture alone.
        objects: by kind and id.
        unknown: what cannot be compared, in a line each: a kind that only one of both could read.
    """

    ways: tuple[Way, ...]
    new: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    objects: tuple[Changed, ...]
    unknown: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing differs of what can be compared."""
        return not (self.ways or self.new or self.gone or self.objects)


def difference(before: Store, after: Store) -> Difference:
    """Compare two pictures.

    Args:
        before: the older one.
        after: the newer one.
    """
    old, new = ({(item.id, str(item.subject)): item for item in sweep(store)} for store in (before, after))
    unknown = tuple(_unknown(before, after))
    return Difference(
        ways=tuple(_ways(_answers(before), _answers(after))),
        new=tuple(item for key, item in new.items() if key not in old),
        gone=tuple(item for key, item in old.items() if key not in new),
        objects=tuple(_objects(before, after)),
        unknown=unknown,
    )


def _answers(store: Store) -> dict[str, Trace]:
    return {point.text: trace(store, seen_from(store, point)) for point in entry_points(store)}


def _ways(before: dict[str, Trace], after: dict[str, Trace]) -> Iterator[Way]:
    for text in sorted({*before, *after}):
        old, new = before.get(text), after.get(text)
        words = _answer(old), _answer(new)
        if words[0] != words[1]:
            yield Way(text, *words, worse=new is not None and new.outcome is not Outcome.DELIVERED)


def _answer(found: Trace | None) -> str:
    if found is None:
        return ""
    causes = f" ({' '.join(found.causes)})" if found.causes else ""
    return f"{OUTCOME_GLYPH[found.outcome]} {outcome_words(found)}{causes}"


def _unknown(before: Store, after: Store) -> Iterator[str]:
    for kind, table in before.tables.items():
        old, new = table.access().complete, after.tables[kind].access().complete
        if old != new:
            yield f"{kind}: only the {'first' if old else 'second'} could read all of them"


def _objects(before: Store, after: Store) -> Iterator[Changed]:
    for kind, table in before.tables.items():
        other = after.tables[kind]
        if kind in _NOT_COMPARED or not (table.access().complete and other.access().complete):
            continue
        for ident in sorted({*table.ids(), *other.ids()}):
            old, new = table.get(ident), other.get(ident)
            if old is None or new is None:
                yield Changed("+" if old is None else "-", kind, ident)
            elif old != new:
                fields = tuple(_fields("", old, new))
                if fields:
                    yield Changed("~", kind, ident, fields)


def _fields(path: str, old: Any, new: Any) -> Iterator[tuple[str, str, str]]:
    """Yield the paths at which two values differ, as deep as both have the same form."""
    if old == new:
        return
    if isinstance(old, msgspec.Struct) and type(old) is type(new):
        for name in old.__struct_fields__:
            if name not in _PASSING:
                yield from _fields(f"{path}.{name}", getattr(old, name), getattr(new, name))
    elif isinstance(old, tuple | list) and type(old) is type(new) and len(old) == len(new):
        for number, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _fields(f"{path}[{number}]", a, b)
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}, key=str):
            yield from _fields(f"{path}[{key}]", old.get(key, ""), new.get(key, ""))
    else:
        yield path, _value(old), _value(new)


def _value(value: Any) -> str:
    text = plain(str(value))
    return "nothing" if value in (None, "", (), []) else text if len(text) <= _VALUE else text[: _VALUE - 1] + "…"


def difference_lines(found: Difference) -> Iterator[str]:
    """Yield what differs as lines: requests first, then findings, then objects; every line goes through ``plain``."""
    yield from _section(
        "requests", [f"{way.text}: {way.before or 'not there'} → {way.after or 'gone'}" for way in found.ways]
    )
    yield from _section("new findings", [f"✖ {item.id} {item.proof}: {item.summary}" for item in found.new])
    yield from _section("findings that are gone", [f"– {item.id} {item.summary}" for item in found.gone])  # noqa: RUF001 - a dash
    yield from _section("objects", [line for item in found.objects for line in _object_lines(item)])
    yield from _section("not comparable", [f"? {line}" for line in found.unknown])
    if found.empty:
        yield "nothing differs" + (" of what both could read" if found.unknown else "")


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield title
        yield from (plain(f"  {line}") for line in lines)


def _object_lines(item: Changed) -> Iterator[str]:
    yield f"{item.sign} {item.kind} {_short(item.id)}"
    for path, old, new in item.fields[:_FIELDS]:
        yield f"    {path}: {old} → {new}"
    if len(item.fields) > _FIELDS:
        yield f"    and {len(item.fields) - _FIELDS} more fields"


def _short(ident: str) -> str:
    """Return an ARM id without its subscription and group."""
    _, found, rest = ident.partition("/providers/")
    return rest.partition("/")[2] if found else ident


def difference_data(found: Difference) -> dict[str, Any]:
    """Return what differs for JSON."""
    return {
        "requests": [{"request": way.text, "before": way.before, "after": way.after} for way in found.ways],
        "new": [_finding(item) for item in found.new],
        "gone": [_finding(item) for item in found.gone],
        "objects": [
            {
                "change": {"+": "added", "-": "removed", "~": "changed"}[item.sign],
                "kind": item.kind,
                "id": item.id,
                "fields": [{"field": path, "before": old, "after": new} for path, old, new in item.fields],
            }
            for item in found.objects
        ],
        "not_comparable": list(found.unknown),
    }


def _finding(item: Finding) -> dict[str, Any]:
    return {"id": item.id, "kind": item.subject.kind, "object": item.subject.id, "summary": item.summary}
