"""Findings as a pane: what is wrong, with the field that proves it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from aksnav.checks.catalogue import find_check
from aksnav.checks.finding import Finding
from aksnav.checks.sweep import blind_spots, in_order, sweeping
from aksnav.store import Store
from aksnav.ui.ages import ago
from aksnav.ui.pace import SLICE
from aksnav.ui.panes.pane import Pane
from aksnav.ui.search import Searchable, written
from aksnav.ui.text import Span
from aksnav.ui.widgets.columns import Column

_TONE = {"proven": "bad", "likely": "warn", "hint": "muted"}


def _title(row: Finding) -> str:
    check = find_check(row.id)
    return "" if check is None else check.title


def _proof(row: Finding) -> str:
    if not row.evidence:
        return ""
    fact = row.evidence[0]
    return f"{fact.subject or row.subject} {fact.field} = {fact.value}"


class Findings(Pane[Finding]):
    """Findings of one sweep, which goes on in slices between keys; they are of the time at which it went over them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "sweep", "Sweep again", id="findings.sweep", tooltip="Look for everything that is wrong again"),
    ]
    heading: ClassVar[str] = "Findings"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._found: Mapping[tuple[str, str], Finding] = {}
        self._rest: Iterator[Mapping[tuple[str, str], Finding]] | None = None
        self._done_at = 0.0

    @property
    def busy(self) -> bool:
        """Whether the sweep has not come to its end yet."""
        return self._rest is not None

    def on_mount(self) -> None:
        """Start the sweep."""
        self.action_sweep()

    def action_sweep(self) -> None:
        """Sweep over everything, from the beginning."""
        running = self._rest is not None
        self._rest = sweeping(self.store)
        self.table.set_notice("sweeping …", "muted")
        self.table.set_empty("nothing found so far")
        if not running:
            self.call_later(self._go_on)

    def _go_on(self) -> None:
        """Sweep for a slice, then let keys and changes have their turn."""
        if self._rest is None:
            return
        end = time.monotonic() + SLICE
        found: Mapping[tuple[str, str], Finding] | None = self._found
        while found is not None and time.monotonic() < end:
            found = next(self._rest, None)
            self._found = self._found if found is None else found
        if found is not None:
            self.set_timer(SLICE, self._go_on)
            return
        self._rest = None
        self._done_at = self.wall()
        self.table.set_rows(self.rows())
        self.table.set_notice("; ".join(blind_spots(self.store)))
        self.table.set_empty("nothing found in what could be read")
        self.show_title()

    def aside(self) -> Sequence[Span]:
        """Return how long ago it was swept: findings do not follow the store."""
        if self._rest is not None or not self._done_at:
            return ()
        return (Span(f" swept {ago(self.wall() - self._done_at)}, r again ", "muted"),)

    def columns(self) -> Sequence[Column[Finding]]:
        """Return check, object, words and proof."""
        return (
            Column("id", "CHECK", lambda row: row.id, width=5, style=lambda row: _TONE[row.proof]),
            Column(
                "proof", "PROOF", lambda row: str(row.proof), width=7, style=lambda row: _TONE[row.proof], priority=2
            ),
            Column("summary", "WHAT", lambda row: row.summary, width=40, min_width=40, flex=2),
            Column(
                "subject", "OBJECT", lambda row: str(row.subject), width=30, min_width=16, elide="middle", priority=4
            ),
            Column("because", "BECAUSE", _proof, width=40, flex=1, priority=3, elide="middle"),
        )

    def key(self, row: Finding) -> str:
        """Return check and object."""
        return f"{row.id} {row.subject}"

    def rows(self) -> Sequence[Finding]:
        """Return the findings."""
        return in_order(self._found)

    def namespace_of(self, row: Finding) -> str | None:
        """Return the namespace of the object."""
        return row.subject.namespace or None

    def search(self, row: Finding) -> Searchable:
        """Return everything that is shown."""
        text = f"{row.id} {row.proof} {row.subject} {row.summary} {_proof(row)} {_title(row)}"
        return Searchable(text, prefixes=written(text))

    def follow(self, now: float) -> None:
        """Show what was found so far."""
        if self._rest is not None and len(self._found) != self.table.total:
            self.table.set_rows(self.rows())
        self.table.tick(now)
        self.show_title()
