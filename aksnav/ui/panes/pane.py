"""What every pane is: a title line, a table, and the rules by which rows are shown, filtered and marked."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical

from aksnav.model.change import Reading
from aksnav.model.kinds import KINDS
from aksnav.store import Access, Store
from aksnav.ui.ages import READING_WORDS, ago
from aksnav.ui.search import Filter, Searchable, searchable
from aksnav.ui.text import Span
from aksnav.ui.widgets.columns import Column
from aksnav.ui.widgets.strip_bar import BarLine, StripBar
from aksnav.ui.widgets.table import RecordTable

T = TypeVar("T")

MOST_NAMED = 2
"""Namespaces that are named where only some can be read."""

FILL_SLICE = 2000
"""Rows that are put into a table before keys are handled again: some 10 ms."""
FILL_PAUSE = 0.002
"""Seconds until the next ones."""


class Pane(Vertical, Generic[T]):
    """A titled table over a part of the store.

    A subclass says what its columns and rows are; this class follows the tables, filters, and says what cannot be read.
    """

    DEFAULT_CSS = """
    Pane { height: 1fr; width: 1fr; background: $background; }
    """
    number: ClassVar[int] = 0
    heading: ClassVar[str] = ""
    kinds: ClassVar[tuple[str, ...]] = ()
    by_namespace: ClassVar[bool] = True
    """Whether the rows are those of the namespace that was chosen."""

    def __init__(self, store: Store, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self.store = store
        self.namespace = ""
        self.paused = False
        self.wall: Callable[[], float] = time.time
        self._filter: Filter | None = None
        self._filter_text = ""
        self._active = False
        self._versions: tuple[int, ...] = ()
        self._filling: Iterator[T] = iter(())
        self._gone: set[str] = set()
        self.title = StripBar(classes="pane-title")
        self.table: RecordTable[T] = RecordTable(self.columns(), self.key, empty="reading …")

    def compose(self) -> ComposeResult:
        """Show the title above the table."""
        yield self.title
        yield self.table

    # What a subclass says.

    def columns(self) -> Sequence[Column[T]]:
        """Return the columns, from left to right."""
        raise NotImplementedError

    def key(self, row: T) -> str:
        """Return the key of a row."""
        raise NotImplementedError

    def rows(self) -> Sequence[T]:
        """Return all rows."""
        raise NotImplementedError

    def changed(self, versions: tuple[int, ...]) -> tuple[Mapping[str, T], AbstractSet[str]] | None:
        """Return rows that changed and keys that went since the tables had these versions, None for "all anew"."""
        del versions
        return None

    @property
    def busy(self) -> bool:
        """Whether rows are still being worked out."""
        return False

    def namespace_of(self, row: T) -> str | None:
        """Return the namespace of a row, None where a row has none and is shown with every namespace."""
        return getattr(row, "namespace", None) or None

    def search(self, row: T) -> Searchable:
        """Return what the filter may look at."""
        return searchable(row)

    # What the screen says.

    def follow(self, now: float) -> None:
        """Show what changed in the store since the last time.

        Args:
            now: seconds, monotonic; for the mark of recent changes.
        """
        versions = tuple(self.store.tables[kind].version for kind in self.kinds)
        if versions != self._versions:
            before, self._versions = self._versions, versions
            change = self.changed(before) if before else None
            if change is None:
                self._fill(self.rows())
            else:
                self._gone |= change[1]
                # What a first list brings is not news: marks would be all over the table, and cost as much as the rows.
                loading = not self.table.total or any(self.store.tables[kind].listing for kind in self.kinds)
                self.table.update_rows(change[0], change[1], now=None if loading else now)
            self._say_access()
        self.table.tick(now)
        self.show_title()

    def _fill(self, rows: Sequence[T]) -> None:
        """Show these rows; of very many the first ones now, and the others in slices between keys."""
        first = FILL_SLICE if not self.table.total and self.is_running else len(rows)
        self.table.set_rows(rows[:first])
        self._gone = set()
        self._filling = iter(rows[first:])
        if first < len(rows):
            self.call_later(self._fill_on)

    def _fill_on(self) -> None:
        batch = {self.key(row): row for row in islice(self._filling, FILL_SLICE)}
        if not batch:
            return
        # What has changed or gone meanwhile is newer than what is filled in.
        self.table.update_rows(
            {key: row for key, row in batch.items() if key not in self._gone and self.table.row(key) is None}
        )
        self.show_title()
        self.set_timer(FILL_PAUSE, self._fill_on)

    def restrict(self, namespace: str, accepts: Filter | None, text: str) -> None:
        """Show the rows of one namespace (all for an empty string) that a filter accepts."""
        self.namespace, self._filter, self._filter_text = namespace, accepts, text
        if not namespace and accepts is None:
            self.table.set_filter(None)
        else:
            where = f" in namespace {namespace}" if namespace else ""
            self.table.set_filter(self._accepts, f"{f'/{text}' if text else ''}{where}".strip())
        self._say_access()
        self.show_title()

    def show_title(self, *, active: bool | None = None) -> None:
        """Show number, heading, count, filter, and how old the rows are.

        Args:
            active: whether this is the pane that takes the keys; None: as before.
        """
        if active is not None:
            self._active = active
        table = self.table
        count = f"{table.shown}" if table.shown == table.total else f"{table.shown}/{table.total}"
        sign = "▶" if self._active else "─"
        paused = Span("PAUSED " if self.paused else "", "warn", keep=True)
        left = [paused, Span(f"{sign}{self.number or ''} ", "accent" if self._active else "muted", keep=True)]
        left.append(Span(self.heading, "title" if self._active else "strong", keep=True))
        left.append(Span(f" {count}", "muted"))
        if self.namespace and not self.number:
            left.append(Span(f" ns {self.namespace}", "accent", keep=True))
        if self._filter_text:
            left.append(Span(f" /{self._filter_text}", "accent"))
        left.append(Span(" "))
        self.title.set_line(BarLine(left, self.aside(), "─", "muted"))

    def aside(self) -> Sequence[Span]:
        """Return what stands at the right of the title: what cannot be read, in a word."""
        worst = self._worst()
        if worst is None:
            return self._as_of()
        kind, access = worst
        return (Span(f" {self._reading_words(kind, access)}: {KINDS[kind].plural} ", "warn"),)

    def _as_of(self) -> Sequence[Span]:
        """Return as of when the rows of Azure's objects are right, in a list of their own; others are followed."""
        if self.number or not self.kinds or not KINDS[self.kinds[0]].azure:
            return ()
        at = self.store.tables[self.kinds[0]].access().at
        return (Span(f" as of {ago(self.wall() - at)} ", "muted"),) if at else ()

    def _accepts(self, row: T) -> bool:
        if self.namespace and (self.namespace_of(row) or self.namespace) != self.namespace:
            return False
        return self._filter is None or self._filter(self.search(row))

    def _worst(self) -> tuple[str, Access] | None:
        for kind in self.kinds:
            access = self.store.tables[kind].access(self.namespace)
            if access.reading not in {Reading.LIVE, Reading.ABSENT}:
                return kind, access
        return None

    def _say_access(self) -> None:
        notices = []
        for kind in self.kinds:
            table = self.store.tables[kind]
            access = table.access(self.namespace)
            if access.reading not in {Reading.LIVE, Reading.ABSENT, Reading.PENDING}:
                notices.append(f"{self._reading_words(kind, access)}: {access.reason or KINDS[kind].plural}")
            if table.undecodable:
                notices.append(
                    f"{len(table.undecodable)} {KINDS[kind].plural} cannot be decoded: {next(iter(table.undecodable))}"
                )
        worst = self._worst()
        said = list(dict.fromkeys(notices))
        if worst is None:
            self.table.set_empty("none")
        elif worst[1].reading is Reading.PENDING:
            self.table.set_empty("reading …")
        else:
            # The reason stands once: under the header above rows, or in full where there is no row.
            self.table.set_empty(_first(said), "warn")
        self.table.set_notice(_first(said) if self.table.shown or worst is None else "")

    def _reading_words(self, kind: str, access: Access) -> str:
        """Return how a kind can be read; where it is read in some namespaces alone, in which."""
        scopes = self.store.tables[kind].scopes().items()
        read = sorted(scope for scope, item in scopes if scope and item.reading is Reading.LIVE)
        if not read or self.namespace or KINDS[kind].azure:
            return READING_WORDS[access.reading]
        more = f" and {len(read) - MOST_NAMED} more" if len(read) > MOST_NAMED else ""
        return f"read in {', '.join(read[:MOST_NAMED])}{more} only"


def _first(said: Sequence[str]) -> str:
    """Return the first of what is to be said, and where the rest is told."""
    more = len(said) - MOST_NAMED
    return "; ".join((*said[:MOST_NAMED], *([f"and {more} more: a shows them"] if more > 0 else [])))


class ObjectPane(Pane[Any]):
    """A pane whose rows are the objects of one table."""

    def key(self, row: Any) -> str:
        """Return the object's id."""
        return str(row.id)

    def rows(self) -> Sequence[Any]:
        """Return every object of the first kind."""
        return list(self.store.tables[self.kinds[0]])

    def changed(self, versions: tuple[int, ...]) -> tuple[Mapping[str, Any], AbstractSet[str]] | None:
        """Return what the table's journal says."""
        table = self.store.tables[self.kinds[0]]
        idents = table.changed_since(versions[0])
        if idents is None:
            return None
        found = {ident: table.get(ident) for ident in idents}
        return {ident: row for ident, row in found.items() if row is not None}, {
            ident for ident, row in found.items() if row is None
        }


Tone = Callable[[Any], str]
