"""Descriptions: an object with what is linked to it; the health of every source; help made from the bindings."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from textual.binding import ActiveBinding

from aksnav.model.azure.network import VirtualNetwork
from aksnav.model.labels import Labels
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace.azure.admin_rules import as_of
from aksnav.trace.step import Step
from aksnav.ui.ages import as_of_line
from aksnav.ui.commands import EXAMPLES
from aksnav.ui.links import linked
from aksnav.ui.marks import find
from aksnav.ui.text import Line, Span

_EMPTY: tuple[object, ...] = ("", None, (), {}, [], False)


def describe_lines(store: Store, ref: Ref, now: float) -> list[Line]:
    """Return an object's fields, what is linked with it, and its events.

    Args:
        store: where it is.
        ref: which one.
        now: seconds since the epoch.
    """
    row = store.get(ref)
    table = store.tables.get(ref.kind)
    lines: list[Line] = [[Span(str(ref), "title")]]
    if table is not None:
        as_of = as_of_line(store, ref, now)
        lines += [as_of] if as_of else []
        if ref.id in table.undecodable:
            lines.append([Span(f"cannot be decoded: {table.undecodable[ref.id]}", "bad")])
    if row is None:
        return [*lines, [Span("not in the store", "warn")]]
    lines += list(_fields(row))
    others = sorted(linked(store, ref) - {ref})
    if others:
        lines += [[], [Span("linked", "title")]]
        lines += [[Span(f"  {other.kind:<16} ", "muted"), Span(other.id)] for other in others]
    lines += list(_events(store, ref))
    return lines


def _fields(row: Any, depth: int = 1) -> Iterator[Line]:
    pad = "  " * depth
    for field in msgspec.structs.fields(row):
        value = getattr(row, field.name)
        if value in _EMPTY:
            continue
        yield from _value(_wire_name(field), value, pad, depth)


def _wire_name(field: msgspec.structs.FieldInfo) -> str:
    """Return a field's name as people know it from YAML."""
    if field.encode_name != field.name:
        return field.encode_name
    first, *rest = field.name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _value(name: str, value: Any, pad: str, depth: int) -> Iterator[Line]:
    if isinstance(value, Labels | dict):
        yield [Span(f"{pad}{name}", "muted")]
        for key, item in value.items():
            yield [Span(f"{pad}  {key}: ", "muted"), Span(str(item))]
    elif isinstance(value, msgspec.Struct):
        yield [Span(f"{pad}{name}", "muted")]
        yield from _fields(value, depth + 1)
    elif isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        for number, item in enumerate(value):
            yield [Span(f"{pad}{name}[{number}]", "muted")]
            yield from _fields(item, depth + 1)
    elif hasattr(value, "owner_name"):
        yield [Span(f"{pad}owner: ", "muted"), Span(f"{value.owner_kind}/{value.owner_name}")]
        yield [Span(f"{pad}labels: ", "muted"), Span(str(value.labels))]
        for port in value.ports:
            yield [Span(f"{pad}port: ", "muted"), Span(f"{port.container} {port.port}/{port.protocol} {port.name}")]
        for probe in value.probes:
            yield [
                Span(f"{pad}readiness: ", "muted"),
                Span(f"{probe.container} {probe.kind} {probe.port} {probe.path}"),
            ]
    else:
        text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        yield [Span(f"{pad}{name}: ", "muted"), Span(text)]


def _events(store: Store, ref: Ref) -> Iterator[Line]:
    found = [
        event
        for event in store.events
        if event.about_kind == ref.kind and event.about_name == ref.name and event.about_namespace == ref.namespace
    ]
    if not found:
        return
    yield []
    yield [Span("events", "title")]
    for event in sorted(found, key=lambda event: event.last_seen, reverse=True):
        tone = "warn" if event.type == "Warning" else "muted"
        yield [Span(f"  {event.last_seen} ", "muted"), Span(f"{event.reason} ", tone), Span(event.message)]


MARK, BESIDE = "▼", "▽"


class Note(msgspec.Struct, frozen=True):
    """What is said of a field in the YAML of its object: whether it decides, and why or why not."""

    path: str
    why: str
    decides: bool = True


def notes_of(step: Step, ref: Ref) -> list[Note]:
    """Return what a step says of the fields of an object: those that decide, and the rules that were passed by."""
    found = {
        fact.field: Note(fact.field, fact.note or fact.value)
        for fact in step.evidence
        if (fact.subject or step.subject) == ref
    }
    names = (ref.id, str(ref))
    for rule in step.considered:
        if rule.field and any(rule.rule == name or rule.rule.startswith(f"{name} ") for name in names):
            found.setdefault(rule.field, Note(rule.field, rule.why, rule.decided))
    return list(found.values())


def with_told(raw: bytes, row: object) -> tuple[bytes, tuple[Note, ...]]:
    """Return a virtual network in wire form with the admin rules that Azure told apart, and a note that says so.

    Args:
        raw: the object as its API sends it; anything but a virtual network stays as it is.
        row: the object as the store knows it.
    """
    if not isinstance(row, VirtualNetwork) or not row.admin_rules_as_of:
        return raw, ()
    try:
        wire = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return raw, ()
    if not isinstance(wire, dict):
        return raw, ()
    inner = wire.get("properties")
    holder = inner if isinstance(inner, dict) else wire
    holder["effectiveSecurityAdminRules"] = msgspec.to_builtins(row.effective_security_admin_rules)
    why = f"told by Azure when it was asked, as of {as_of(row)}; reading the network does not tell it"
    return msgspec.json.encode(wire), (Note(".effectiveSecurityAdminRules", why, decides=False),)


def yaml_lines(raw: bytes, notes: Sequence[Note] = ()) -> list[Line]:
    """Return an object in wire form as YAML, without managedFields; bytes that are not JSON are shown as they are.

    Args:
        raw: the object as its API sends it.
        notes: what is written above the lines of these fields, as comments, so that a copy is still YAML.
    """
    import yaml  # here, because it takes a tenth of the time to the first frame, and seldom needed

    try:
        wire = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return [[Span(line)] for line in raw.decode(errors="replace").splitlines()]
    if isinstance(wire, dict) and isinstance(wire.get("metadata"), dict):
        wire["metadata"].pop("managedFields", None)
    text = yaml.safe_dump(wire, sort_keys=False, allow_unicode=False, width=4096)
    return _noted([_yaml_line(line) for line in text.splitlines()], text, notes)


def _noted(lines: list[Line], text: str, notes: Sequence[Note]) -> list[Line]:
    """Return YAML with its notes: a comment above a field, the field's first line in reverse, the rest of it bold."""
    by_path = {note.path: note for note in notes}
    above: dict[int, list[Line]] = {}
    for mark in find(text, list(by_path)):
        note, line = by_path[mark.path], lines[mark.first]
        written = "".join(span.text for span in line)
        indent = " " * (len(written) - len(written.lstrip(" ")))
        why = note.why if mark.whole else f"not set here: {note.why}"
        comment = f"{indent}# {MARK if note.decides else BESIDE} {mark.path}: {why}"
        above.setdefault(mark.first, []).append([Span(comment, "mark" if note.decides else "muted")])
        if note.decides:
            lines[mark.first] = [Span(written, "match")]
            for number in range(mark.first + 1, mark.last + 1 if mark.whole else 0):
                lines[number] = [Span(span.text, "strong") for span in lines[number]]
    return [shown for number, line in enumerate(lines) for shown in (*above.get(number, ()), line)]


def _yaml_line(line: str) -> Line:
    head, colon, tail = line.partition(":")
    if (
        colon
        and head.strip().lstrip("- ").replace("-", "").replace("/", "").replace(".", "").replace("_", "").isalnum()
    ):
        return [Span(f"{head}:", "accent"), Span(tail)]
    return [Span(line)]


def help_lines(bindings: Iterable[ActiveBinding]) -> Sequence[Line]:
    """Return help, made from the bindings that are in force: what this screen does, then the commands, then moving."""
    here: dict[str, list[str]] = {}
    moving: dict[str, list[str]] = {}
    for active in bindings:
        binding = active.binding
        words = active.tooltip or binding.tooltip or binding.description
        if words and not binding.system and binding.key not in _TEXTUALS:
            # What has no tooltip of its own moves the cursor of the widget that has the focus.
            own = (active.tooltip or binding.tooltip) and binding.key not in _AROUND
            told = here if own or binding.key == "enter" else moving
            told.setdefault(_PANES.get(binding.key, words), []).append(binding.key_display or binding.key)
    lines: list[Line] = [[Span("Keys", "title")], *_keys(here)]
    lines += [[], [Span("Commands", "title")]]
    lines += [[Span(f"  {command:<31} ", "accent"), Span(words)] for command, words in EXAMPLES]
    lines += [[], [Span("Marks", "title")]]
    lines += [[Span(f"  {mark:<14} ", "accent"), Span(words)] for mark, words in MARKS]
    lines += [[], [Span("Moving", "title")], *_keys(moving)]
    return lines


def _keys(told: dict[str, list[str]]) -> Iterator[Line]:
    for words, keys in told.items():
        shown = " ".join(dict.fromkeys(_KEY_NAMES.get(key, key) for key in keys))
        yield [Span(f"  {shown:<14} ", "accent"), Span(words)]


MARKS = (
    ("▸", "the row that keys mean"),
    ("◆", "belongs to what is selected in another pane"),
    ("·", "changed within the last seconds"),
    ("✔ ✖ ?", "passes; stops or fails; not known"),
    ("▲ ▼", "the column that sorts, and which way"),
)
_TEXTUALS = frozenset({"super+c", "ctrl+q"})
"""Keys of Textual's own, of which nobody here speaks."""
_AROUND = frozenset({"shift+tab", "ctrl+c"})
_PANES = dict.fromkeys("12345", "Entry points, Services, nodes, network, policies")
_KEY_NAMES = {
    "slash": "/", "question_mark": "?", "colon": ":", "escape": "esc", "shift+tab": "⇧tab", "pageup": "pgup",
    "pagedown": "pgdn", "backspace": "⌫",
}  # fmt: skip
