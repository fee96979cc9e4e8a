"""Pane 1: the ways in, with what becomes of a request on each, worst first."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from aksnav.model.addresses import format_address
from aksnav.model.kinds import KINDS
from aksnav.model.kubernetes.gateway import ROUTE_KINDS
from aksnav.report.words import OUTCOME_GLYPH, flatten, outcome_words
from aksnav.store import Store
from aksnav.trace.step import Outcome, Step
from aksnav.ui.entry import Entry
from aksnav.ui.evaluate import Evaluator
from aksnav.ui.panes.pane import Pane
from aksnav.ui.search import Searchable, written
from aksnav.ui.widgets.columns import Column

TONES = {Outcome.DELIVERED: "good", Outcome.UNDECIDED: "unknown"}


def tone(entry: Entry) -> str:
    """Return the tone of an entry's outcome."""
    return "muted" if entry.trace is None else TONES.get(entry.trace.outcome, "bad")


def words(entry: Entry) -> str:
    """Return glyph and word of an entry's outcome."""
    return (
        "· not asked" if entry.trace is None else f"{OUTCOME_GLYPH[entry.trace.outcome]} {outcome_words(entry.trace)}"
    )


def target(entry: Entry) -> str:
    """Return the Service that the request ends at, with its port."""
    if entry.trace is None or not entry.trace.backends:
        return ""
    names = [f"{item.service}:{item.port}" for item in entry.trace.backends]
    return names[0] if len(names) == 1 else f"{names[0]} +{len(names) - 1}"


def _via(entry: Entry) -> str:
    """Return the object through which it enters, in kubectl's short words: the name is what tells them apart."""
    if entry.via is None:
        return "asked"
    kind = KINDS[entry.via.kind]
    short = min((*kind.aliases, entry.via.kind), key=len)
    return f"{short} {entry.via.id if entry.via.namespace else entry.via.name}"


def _on_the_way(entry: Entry) -> Iterator[str]:
    """Yield the addresses to which the request goes, step by step."""
    found = {
        step.packet.destination
        for _, step in (flatten(entry.trace.steps) if entry.trace is not None else ())
        if isinstance(step, Step) and step.packet.destination is not None
    }
    yield from map(format_address, found)


class EntryPoints(Pane[Entry]):
    """Entry points by outcome."""

    number: ClassVar[int] = 1
    heading: ClassVar[str] = "Entry points"
    kinds: ClassVar[tuple[str, ...]] = ("Ingress", *ROUTE_KINDS, "Gateway", "Service")

    def __init__(self, store: Store, evaluator: Evaluator, *, id: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(store, id=id)
        self._evaluator = evaluator
        self.table.sort_by("outcome")

    def columns(self) -> Sequence[Column[Entry]]:
        """Return outcome, request, way in, target, cause."""
        return (
            Column(
                "outcome", "OUTCOME", words, width=14, sort_key=lambda row: (row.rank, row.request.text), style=tone
            ),
            Column("request", "REQUEST", lambda row: row.request.text, width=32, min_width=32, flex=2, elide="middle"),
            Column("cause", "CAUSE", lambda row: " ".join(row.trace.causes) if row.trace else "", width=7, priority=1),
            Column("target", "SERVICE", target, width=16, min_width=10, flex=1, priority=2, elide="middle"),
            Column("via", "VIA", _via, width=24, min_width=12, flex=2, priority=3, elide="middle"),
            Column(
                "sure", "CERTAINTY", lambda row: str(row.trace.confidence.certainty) if row.trace else "", 9, priority=4
            ),
        )

    def key(self, row: Entry) -> str:
        """Return the entry's key."""
        return row.key

    def rows(self) -> Sequence[Entry]:
        """Return every entry."""
        return list(self._evaluator.entries.values())

    def namespace_of(self, row: Entry) -> str | None:
        """Return the namespace of the object through which it enters."""
        return row.via.namespace if row.via is not None else None

    def search(self, row: Entry) -> Searchable:
        """Return the request, its way in, where it ends, and every address that it has on the way."""
        answer = row.trace
        pods = () if answer is None else answer.destinations
        text = " ".join((words(row), row.request.text, str(row.via or ""), target(row), *(item.pod for item in pods)))
        return Searchable(text, addresses=(*(item.ip for item in pods), *_on_the_way(row)), prefixes=written(text))

    def follow(self, now: float) -> None:
        """Show the state of the tables; rows come from ``show``."""
        versions = tuple(self.store.tables[kind].version for kind in self.kinds)
        if versions != self._versions:
            self._versions = versions
            self._say_access()
        self.table.tick(now)
        self.show_title()

    def show(self, changed: dict[str, Entry], gone: set[str], now: float) -> None:
        """Show entries that changed, and forget those that are gone."""
        if not changed and not gone:
            return
        turned = {key: entry for key, entry in changed.items() if self._turned(entry)}
        self.table.update_rows({key: entry for key, entry in changed.items() if key not in turned}, gone)
        self.table.update_rows(turned, now=now)
        self._say_access()
        self.show_title()

    def _turned(self, entry: Entry) -> bool:
        """Return whether the outcome is another one than the one that is shown."""
        shown = self.table.row(entry.key)
        return shown is not None and shown.changed_at != entry.changed_at
