"""A program with one table of made-up rows, for tests and measurements in a pseudo-terminal.

Usage: python tests/ui/table_app.py ROWS [CHANGES A SECOND]
"""

import gc
import random
import sys
import time
from dataclasses import dataclass

from textual.app import App, ComposeResult

from aksnav.ui.widgets.columns import Column
from aksnav.ui.widgets.table import RecordTable


@dataclass(frozen=True, slots=True)
class Record:
    """A made-up row."""

    number: int
    name: str
    state: str

    @property
    def key(self) -> str:
        """The row's key."""
        return self.name


BATCHES = 20
"""Batches of changes a second."""
STATES = ("ready", "ready", "ready", "waiting", "failed")
TONES = {"ready": "good", "waiting": "warn", "failed": "bad"}


def records(count: int) -> list[Record]:
    """Make rows with names in ascending order."""
    return [Record(n, f"row-{n:06}", STATES[n % len(STATES)]) for n in range(count)]


COLUMNS: list[Column[Record]] = [
    Column("name", "NAME", lambda r: r.name, width=16, min_width=10, flex=2),
    Column("state", "STATE", lambda r: r.state, width=8, style=lambda r: TONES[r.state]),
    Column(
        "number", "NUMBER", lambda r: str(r.number), width=8, align="right", sort_key=lambda r: r.number, priority=1
    ),
    Column("half", "HALF", lambda r: str(r.number // 2), width=8, align="right", priority=2),
    Column("address", "ADDRESS", lambda r: f"10.{r.number >> 16}.{r.number >> 8 & 255}.{r.number & 255}", width=16),
    Column("zone", "ZONE", lambda r: f"zone-{r.number % 3 + 1}", width=8, priority=3, style=lambda _r: "muted"),
    Column("node", "NODE", lambda r: f"pool1-{r.number % 5000:06}", width=14, flex=1, priority=2),
    Column("age", "AGE", lambda r: f"{r.number % 90}d", width=5, align="right", priority=4),
]


class TableApp(App[None]):
    """One table, all over the screen."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, count: int, changes: int = 0) -> None:
        super().__init__()
        self.changes = changes
        self.random = random.Random(7)  # noqa: S311 - made-up data, the same in every run
        self.table = RecordTable[Record](COLUMNS, lambda record: record.key, empty="no rows", id="table")
        self.count = count

    def compose(self) -> ComposeResult:
        """Show the table."""
        yield self.table

    def on_mount(self) -> None:
        """Fill it."""
        self.table.set_rows(records(self.count))
        self.table.focus()
        # As the application does: what is loaded is not looked through for garbage again.
        gc.collect()
        gc.freeze()
        if self.changes:
            self.set_interval(1 / BATCHES, self.change)

    def change(self) -> None:
        """Change random rows, one in four of them among the first hundred."""
        changed = {}
        for _ in range(self.changes // BATCHES):
            number = self.random.randrange(100 if self.random.random() < 0.25 else self.count)
            name = f"row-{number:06}"
            changed[name] = Record(number, name, self.random.choice(STATES))
        self.table.update_rows(changed, now=time.monotonic())

    def on_key(self, event: object) -> None:
        """Leave on q."""
        if getattr(event, "key", "") == "q":
            self.exit()


if __name__ == "__main__":
    TableApp(*map(int, sys.argv[1:])).run(mouse=False)
