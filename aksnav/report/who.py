"""Who can talk to whom, as text, JSON and Markdown; foreign text goes through ``plain``."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from aksnav.model.object import Ref
from aksnav.model.text import plain
from aksnav.report.data import subject
from aksnav.report.markdown import code
from aksnav.trace.policy.decision import Direction, short
from aksnav.trace.policy.engines import TITLES
from aksnav.trace.policy.reach import Talk
from aksnav.trace.policy.reach_ports import Ports, words
from aksnav.trace.policy.reach_rows import Reach
from aksnav.trace.policy.workloads import Group, Sort

Json = dict[str, Any]
T = TypeVar("T")
GLYPH = {True: "✔", False: "✖", None: "?"}
WORD = {True: "allowed", False: "denied", None: "undecided"}
_RANK = {True: 0, None: 1, False: 2}
_NAMED = 4
_LONGEST = 4092


class Line(msgspec.Struct, frozen=True, gc=False):
    """Rows of workloads of one namespace that have the same answer on the same ports, in one line.

    Attributes:
        peers: who.
        pods: how many Pods they are, 0 for others than Pods.
        row: one of the rows.
        policies: those that decide; the workloads may each have their own.
    """

    peers: str
    pods: int
    row: Reach
    policies: tuple[Ref, ...]

    @property
    def because(self) -> str:
        """The policies that decide, in words; what stands there instead where there are none."""
        if not self.policies:
            return decided_by(self.row)
        more = f" and {len(self.policies) - _NAMED} more" if len(self.policies) > _NAMED else ""
        return f"{', '.join(map(short, self.policies[:_NAMED]))}{more}"


def folded(rows: Sequence[Reach]) -> list[Line]:
    """Return rows with the workloads of a namespace put together that have the same answer; best answer first."""
    same = Alike()
    found: dict[object, list[Reach]] = {}
    spaces: dict[int, int] = {}
    for row in rows:
        peer = spaces.get(id(row.peer))
        if peer is None:
            # Of workloads the namespace counts, and where they are.
            group = row.peer if row.peer.sort is not Sort.WORKLOAD else (row.peer.namespace, row.peer.where)
            peer = spaces[id(row.peer)] = same.number(group)
        # What nobody can decide has a reason of its own; for a yes or a no every workload may have its own policies.
        policies: object = row.policies if row.allowed is None else bool(row.policies)
        inward = row.direction is Direction.INGRESS
        key = (inward, same.number(row.subject), peer, same.number(row.ports), row.allowed, policies, row.entry.value)
        listed = found.get(key)
        if listed is None:
            found[key] = [row]
        else:
            listed.append(row)
    lines = [_line(listed) for listed in found.values()]
    return sorted(
        lines, key=lambda line: (line.row.direction is Direction.EGRESS, line.row.subject, _RANK[line.row.allowed])
    )


class Alike:
    """Numbers for values, equal ones for equal values: thousands of rows hold the same few objects."""

    def __init__(self) -> None:
        self._by_value: dict[object, int] = {}
        self._by_object: dict[int, int] = {}
        self._kept: list[object] = []

    def number(self, value: object) -> int:
        """Return the number of a value."""
        found = self._by_object.get(id(value))
        if found is None:
            self._kept.append(value)  # its identity stays its own
            found = self._by_object[id(value)] = self._by_value.setdefault(value, len(self._by_value))
        return found


def _line(rows: list[Reach]) -> Line:
    listed = {id(row.policies): row.policies for row in rows}
    policies = tuple(dict.fromkeys(ref for refs in listed.values() for ref in refs))
    return Line(_peers(rows), sum([row.count for row in rows]), rows[0], policies)


def _peers(rows: list[Reach]) -> str:
    first = rows[0].peer
    if first.sort is not Sort.WORKLOAD:
        return str(first)
    names = [f"{row.peer.kind} {row.peer.name}" for row in rows[:_NAMED]]
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    where = f" ({first.where})" if first.where else ""
    return f"{first.namespace}: {', '.join(names)}{more}{where}"


def decided_by(row: Reach) -> str:
    """Return the policies that decide a row, in one line; what stands there instead where there are none."""
    if row.policies:
        return ", ".join(map(short, row.policies))
    return "no policy stops it" if row.allowed else row.why


def heading(subject_group: Group, direction: Direction) -> str:
    """Return the title of one direction of one of the subject's workloads."""
    if direction is Direction.INGRESS:
        return f"who can reach {subject_group}"
    return f"whom {subject_group} can reach"


def talk_lines(talk: Talk) -> Iterator[str]:
    """Yield an answer as lines for a terminal or a pipe."""
    yield plain(f"{talk.subject}, as {TITLES[talk.engine]} reads the policies")
    told: dict[int, str] = {}
    for direction, group, lines in _sections(talk):
        yield ""
        yield plain(heading(group, direction))
        for line in lines:
            row = line.row
            pods = f" [{line.pods} Pod{'' if line.pods == 1 else 's'}]" if line.pods else ""
            ports = told.get(id(row.ports))
            if ports is None:
                ports = told[id(row.ports)] = words(row.ports)
            # Our own glyph needs no look at every character of the line behind it.
            yield f"  {GLYPH[row.allowed]} " + plain(
                f"{WORD[row.allowed]:<9} {line.peers}{pods}  {ports}  {'by ' if line.policies else ''}{line.because}",
                _LONGEST,
            )
            if row.allowed is None and row.policies:
                yield plain(f"              {row.why}")
    if not talk.rows:
        yield "no Pods, and nobody to ask about"
    for text in talk.missing:
        yield plain(f"? not read: {text}")
    for text in talk.assumptions:
        yield plain(f"  taken for granted: {text}")


def _sections(talk: Talk) -> Iterator[tuple[Direction, Group, list[Line]]]:
    sections: dict[tuple[Direction, Group], list[Line]] = {}
    for line in folded(talk.rows):
        sections.setdefault((line.row.direction, line.row.subject), []).append(line)
    for (direction, group), lines in sections.items():
        yield direction, group, lines


def talk_data(talk: Talk) -> Json:
    """Return an answer as one JSON object: every row, nothing folded."""
    made = _Pieces()
    return {
        "subject": talk.subject,
        "engine": str(talk.engine),
        "verdict": "undecided" if talk.undecided else "answered",
        "in": [made.row(row) for row in talk.rows if row.direction is Direction.INGRESS],
        "out": [made.row(row) for row in talk.rows if row.direction is Direction.EGRESS],
        "not_read": list(talk.missing),
        "assumptions": list(talk.assumptions),
    }


class _Pieces:
    """The parts of rows as JSON: many rows share the same object, and so do their parts."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[object, Any]] = {}

    def row(self, row: Reach) -> Json:
        """Return a row as a JSON object."""
        return {
            "subject": self._of(row.subject, _group),
            "peer": self._of(row.peer, _group),
            "pods": row.count,
            "ports": self._of(row.ports, _ports),
            "verdict": WORD[row.allowed],
            "policies": self._of(row.policies, _policies),
            "why": row.why,
        }

    def _of(self, thing: T, make: Callable[[T], Any]) -> Any:
        found = self._made.get(id(thing))
        if found is None:
            found = self._made[id(thing)] = (thing, make(thing))
        return found[1]


def _ports(ports: tuple[Ports, ...]) -> list[Json]:
    return [
        {"protocol": item.protocol, "first": item.first, "last": item.last, "name": item.name or None} for item in ports
    ]


def _policies(policies: tuple[Ref, ...]) -> list[Json | None]:
    return [subject(ref) for ref in policies]


def _group(group: Group) -> Json:
    out = {
        "sort": str(group.sort),
        "namespace": group.namespace,
        "kind": group.kind,
        "name": group.name,
        "where": group.where,
    }
    return {key: value for key, value in out.items() if value}


def talk_markdown(talk: Talk) -> Iterator[str]:
    """Yield an answer as Markdown: one table for each direction of each of the subject's workloads."""
    yield f"**who can talk** {code(talk.subject)}, as {TITLES[talk.engine]} reads the policies"
    for direction, group, lines in _sections(talk):
        yield ""
        yield f"### {code(heading(group, direction))}"
        yield ""
        yield "| verdict | peers | Pods | ports | because of |"
        yield "|---|---|---|---|---|"
        for line in lines:
            row = line.row
            cells = (line.peers, str(line.pods or ""), words(row.ports), line.because)
            shown = " | ".join(code(cell).replace("|", "\\|") for cell in cells)
            yield f"| {GLYPH[row.allowed]} {WORD[row.allowed]} | {shown} |"
    if talk.missing or talk.assumptions:
        yield ""
    yield from (f"- not read: {code(text)}" for text in talk.missing)
    yield from (f"- taken for granted: {code(text)}" for text in talk.assumptions)
