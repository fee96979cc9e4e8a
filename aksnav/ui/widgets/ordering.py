"""The rows of a table: kept sorted and filtered while they change, cheap at 200,000 rows. Knows nothing of screens."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Generic, TypeVar

from aksnav.ui.widgets.sorted_entries import Entry, SortedEntries

T = TypeVar("T")


class OrderedRows(Generic[T]):
    """Rows by key, in the order of one sort key, with a filter over them.

    Rows of equal sort key keep the order in which they came, in both directions. Without a sort key that order is
    all there is. A change that leaves the sort key alone costs a dictionary entry, one that moves a row some 4 µs,
    however many rows there are; a batch that is large for the table is sorted in at once. A filter can be applied in
    slices, from the top of the view, while rows change.
    """

    def __init__(self, key: Callable[[T], str]) -> None:
        self._key = key
        self._rows: dict[str, T] = {}
        self._entries: dict[str, Entry] = {}
        self._sequence = 0
        self._order: Callable[[T], Any] | None = None
        self._reverse = False
        self._accepts: Callable[[T], bool] | None = None
        # Both ascend; `_reverse` reads them from the end. They are one object while there is no filter.
        self._all = SortedEntries()
        self._view = self._all
        self._accepted: set[str] = set()
        self._unseen: list[Entry] = []

    @property
    def total(self) -> int:
        """The number of rows, whether the filter shows them or not."""
        return len(self._all)

    @property
    def shown(self) -> int:
        """The number of rows that the filter shows."""
        return len(self._view)

    @property
    def filtering(self) -> bool:
        """Whether there are rows that the filter has not seen yet; the view lacks them."""
        return bool(self._unseen)

    @property
    def by_key(self) -> Mapping[str, T]:
        """All rows by key, shown or not; `replace` leaves this one as it is and makes another."""
        return self._rows

    def key_at(self, index: int) -> str:
        """Answer with the key of the row at a position of the view."""
        return self._view[len(self._view) - 1 - index if self._reverse else index][2]

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
        position = self._view.position(entry)
        return len(self._view) - 1 - position if self._reverse else position

    def replace(self, rows: Sequence[T], *, first: int | None = None) -> None:
        """Take these rows instead of all others, in this order where the sort key does not decide.

        Args:
            rows: All rows.
            first: As for `filter`.
        """
        self._rows = {self._key(row): row for row in rows}
        self._sequence = len(self._rows)
        self._enter(enumerate(self._rows))
        self.filter(self._accepts, first=first)

    def sort(self, order: Callable[[T], Any] | None, *, reverse: bool = False) -> None:
        """Sort by a key, or by arrival when there is none.

        Args:
            order: The sort key of a row; the keys of all rows must be comparable.
            reverse: Whether the largest key comes first.
        """
        arrival = [(abs(number), key) for _, number, key in self._all]
        self._order, self._reverse = order, reverse
        self._enter(arrival)
        if self._accepts is None:
            return
        self._view = SortedEntries([entry for entry in self._all if entry[2] in self._accepted])
        unseen = {entry[2] for entry in self._unseen}
        self._unseen = [entry for entry in self._in_view_order() if entry[2] in unseen]

    def filter(self, accepts: Callable[[T], bool] | None, *, first: int | None = None) -> None:
        """Show only the rows that a predicate accepts, all of them when it is None.

        Args:
            accepts: The predicate.
            first: How many rows to look at now, from the top; `go_on` looks at the others. All of them when None.
        """
        self._accepts = accepts
        self._accepted = set()
        if accepts is None:
            self._view, self._unseen = self._all, []
            return
        self._view = SortedEntries()
        self._unseen = self._in_view_order()
        self.go_on(len(self._all) if first is None else first)

    def go_on(self, count: int) -> None:
        """Look at some more of the rows that the filter has not seen yet."""
        if self._accepts is None:
            return
        accepts, rows, entries, accepted = self._accepts, self._rows, self._entries, self._accepted
        found = []
        for entry in reversed(self._unseen[-count:]):
            key = entry[2]
            # A row that has moved or gone meanwhile was judged when it did.
            if entries.get(key) is entry and key not in accepted and accepts(rows[key]):
                found.append(entry)
                accepted.add(key)
        del self._unseen[-count:]
        if self._reverse:
            found.reverse()
        self._view.join(found)

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

    def _in_view_order(self) -> list[Entry]:
        # From the end, because that is where a list gives up its items cheaply.
        entries = list(self._all)
        if not self._reverse:
            entries.reverse()
        return entries

    def _enter(self, arrival: Iterable[tuple[int, str]]) -> None:
        order, rows = self._order, self._rows
        sign = -1 if self._reverse else 1
        if order is None:
            entries: list[Entry] = [(0, sign * number, key) for number, key in arrival]
        else:
            entries = [(order(rows[key]), sign * number, key) for number, key in arrival]
        entries.sort()
        self._all = SortedEntries(entries)
        self._entries = {entry[2]: entry for entry in entries}
        if self._accepts is None:
            self._view = self._all

    def _judge(self, entry: Entry, row: T) -> None:
        # A row whose place has not changed may still enter or leave the view.
        if self._accepts is None:
            return
        before, now = entry[2] in self._accepted, self._accepts(row)
        if now and not before:
            self._view.add(entry)
            self._accepted.add(entry[2])
        elif before and not now:
            self._view.remove(entry)
            self._accepted.discard(entry[2])

    def _move(self, gone: list[Entry], fresh: list[Entry]) -> None:
        if not gone and not fresh:
            return
        accepts = self._accepts
        self._all.change(gone, fresh)
        if accepts is None:
            return
        out = [entry for entry in gone if entry[2] in self._accepted]
        self._accepted.difference_update(entry[2] for entry in out)
        new = [entry for entry in fresh if accepts(self._rows[entry[2]])]
        self._accepted.update(entry[2] for entry in new)
        self._view.change(out, new)
