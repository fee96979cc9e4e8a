"""The rows of a table: kept sorted and filtered while they change, cheap at 200,000 rows. Knows nothing of screens."""

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Entry = tuple[Any, int, str]
"""Sort key, sequence number, row key: the sequence number makes it unique and the order stable."""


class OrderedRows(Generic[T]):
    """Rows by key, in the order of one sort key, with a filter over them.

    Rows of equal sort key keep the order in which they came, in both directions. Without a sort key that order is
    all there is. A change that leaves the sort key alone costs a dictionary entry; one that moves a row costs two
    bisections and a shift of the list (some 35 µs at 200,000 rows); a large batch is sorted in at once.
    """

    def __init__(self, key: Callable[[T], str]) -> None:
        self._key = key
        self._rows: dict[str, T] = {}
        self._entries: dict[str, Entry] = {}
        self._sequence = 0
        self._order: Callable[[T], Any] | None = None
        self._reverse = False
        self._accepts: Callable[[T], bool] | None = None
        # Both lists ascend; `_reverse` reads them from the end. They are one list while there is no filter.
        self._all: list[Entry] = []
        self._view: list[Entry] = self._all
        self._accepted: set[str] = set()

    @property
    def total(self) -> int:
        """The number of rows, whether the filter shows them or not."""
        return len(self._all)

    @property
    def shown(self) -> int:
        """The number of rows that the filter shows."""
        return len(self._view)

    def key_at(self, index: int) -> str:
        """Answer with the key of the row at a position of the view."""
        return self._view[~index if self._reverse else index][2]

    def row(self, key: str) -> T:
        """Answer with the row of a key, shown or not."""
        return self._rows[key]

    def get(self, key: str) -> T | None:
        """Answer with the row of a key, or None."""
        return self._rows.get(key)

    def index(self, key: str) -> int | None:
        """Answer with the position of a key in the view, or None when it is not shown."""
        entry = self._entries.get(key)
        if entry is None or (self._accepts is not None and key not in self._accepted):
            return None
        position = bisect_left(self._view, entry)
        return len(self._view) - 1 - position if self._reverse else position

    def replace(self, rows: Sequence[T]) -> None:
        """Take these rows instead of all others, in this order where the sort key does not decide."""
        self._rows = {self._key(row): row for row in rows}
        self._sequence = len(self._rows)
        self._enter(enumerate(self._rows))

    def sort(self, order: Callable[[T], Any] | None, *, reverse: bool = False) -> None:
        """Sort by a key, or by arrival when there is none.

        Args:
            order: The sort key of a row; the keys of all rows must be comparable.
            reverse: Whether the largest key comes first.
        """
        arrival = sorted((abs(entry[1]), entry[2]) for entry in self._all)
        self._order, self._reverse = order, reverse
        self._enter(arrival)

    def filter(self, accepts: Callable[[T], bool] | None) -> None:
        """Show only the rows that a predicate accepts, all of them when it is None."""
        self._accepts = accepts
        if accepts is None:
            self._view, self._accepted = self._all, set()
            return
        rows = self._rows
        self._view = [entry for entry in self._all if accepts(rows[entry[2]])]
        self._accepted = {entry[2] for entry in self._view}

    def apply(self, changed: Mapping[str, T], removed: AbstractSet[str] = frozenset()) -> None:
        """Change some rows and keep the order and the filter.

        Args:
            changed: New rows and new versions of rows, by key.
            removed: Keys of rows that are gone; unknown ones do no harm, and one that is also changed stays.
        """
        gone: list[Entry] = []
        fresh: list[Entry] = []
        for key in removed:
            if key not in changed and (entry := self._entries.pop(key, None)) is not None:
                del self._rows[key]
                gone.append(entry)
        for key, row in changed.items():
            self._rows[key] = row
            old = self._entries.get(key)
            sort_key = self._order(row) if self._order else 0
            if old is not None and old[0] == sort_key:
                self._judge(old, row)
                continue
            if old is None:
                self._sequence += 1
                number = -self._sequence if self._reverse else self._sequence
            else:
                gone.append(old)
                number = old[1]
            entry = (sort_key, number, key)
            self._entries[key] = entry
            fresh.append(entry)
        self._move(gone, fresh)

    def _enter(self, arrival: Any) -> None:
        order, rows = self._order, self._rows
        sign = -1 if self._reverse else 1
        if order is None:
            entries = [(0, sign * number, key) for number, key in arrival]
        else:
            entries = [(order(rows[key]), sign * number, key) for number, key in arrival]
        entries.sort()
        self._all = entries
        self._entries = {entry[2]: entry for entry in entries}
        self.filter(self._accepts)

    def _judge(self, entry: Entry, row: T) -> None:
        # A row whose place has not changed may still enter or leave the view.
        if self._accepts is None:
            return
        before, now = entry[2] in self._accepted, self._accepts(row)
        if now and not before:
            insort(self._view, entry)
            self._accepted.add(entry[2])
        elif before and not now:
            del self._view[bisect_left(self._view, entry)]
            self._accepted.discard(entry[2])

    def _move(self, gone: list[Entry], fresh: list[Entry]) -> None:
        if not gone and not fresh:
            return
        # One pass over the list costs about as much as this many single shifts of half of it.
        if len(gone) + len(fresh) > 32 + len(self._all) // 400:
            left = {entry[2] for entry in gone}
            self._all = [entry for entry in self._all if entry[2] not in left]
            self._all.extend(fresh)
            self._all.sort()
            self.filter(self._accepts)
            return
        for entry in gone:
            del self._all[bisect_left(self._all, entry)]
        for entry in fresh:
            insort(self._all, entry)
        if self._accepts is None:
            return
        for entry in gone:
            if entry[2] in self._accepted:
                del self._view[bisect_left(self._view, entry)]
                self._accepted.discard(entry[2])
        for entry in fresh:
            if self._accepts(self._rows[entry[2]]):
                insort(self._view, entry)
                self._accepted.add(entry[2])
