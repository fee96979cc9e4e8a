"""Findings as a pane: what is wrong, with the field that proves it."""

from collections.abc import Sequence
from typing import ClassVar

from aksnav.checks.catalogue import find_check
from aksnav.checks.finding import Finding
from aksnav.store import Store
from aksnav.ui.panes.pane import Pane
from aksnav.ui.search import Searchable
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
    """Findings of one sweep."""

    heading: ClassVar[str] = "Findings"

    def __init__(self, store: Store, findings: Sequence[Finding]) -> None:
        super().__init__(store)
        self._findings = findings
        self.table.set_empty("nothing found in what could be read")

    def columns(self) -> Sequence[Column[Finding]]:
        """Return check, object, words and proof."""
        return (
            Column("id", "CHECK", lambda row: row.id, width=5, style=lambda row: _TONE[row.proof]),
            Column(
                "proof", "PROOF", lambda row: str(row.proof), width=7, style=lambda row: _TONE[row.proof], priority=2
            ),
            Column("subject", "OBJECT", lambda row: str(row.subject), width=30, min_width=16, elide="middle"),
            Column("summary", "WHAT", lambda row: row.summary, width=40, min_width=20, flex=2),
            Column("because", "BECAUSE", _proof, width=40, flex=2, priority=3, elide="middle"),
        )

    def key(self, row: Finding) -> str:
        """Return check and object."""
        return f"{row.id} {row.subject}"

    def rows(self) -> Sequence[Finding]:
        """Return the findings."""
        return self._findings

    def namespace_of(self, row: Finding) -> str | None:
        """Return the namespace of the object."""
        return row.subject.namespace or None

    def search(self, row: Finding) -> Searchable:
        """Return everything that is shown."""
        return Searchable(f"{row.id} {row.proof} {row.subject} {row.summary} {_proof(row)} {_title(row)}")

    def follow(self, now: float) -> None:
        """Show the findings; they are of the moment at which they were asked for."""
        if not self.table.total and self._findings:
            self.table.set_rows(self._findings)
        self.table.tick(now)
        self.show_title()
