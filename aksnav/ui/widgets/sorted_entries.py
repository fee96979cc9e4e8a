"""An ascending list in pieces: one entry more or less costs the same at 200,000 entries as at 2,000."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

Entry = tuple[Any, int, str]
"""Sort key, sequence number, row key: the sequence number makes it unique and the order stable."""

PIECE = 1000
"""Entries of a new piece; one that has grown to twice as many is cut."""


class SortedEntries:
    """Unique entries in ascending order, found by position and by value."""

    def __init__(self, entries: Sequence[Entry] = ()) -> None:
        """Take entries that ascend already."""
        self._pieces: list[list[Entry]] = []
        self._lasts: list[Entry] = []
        self._size = 0
        self._starts: list[int] = []  # made when a position is asked for; empty after a change
        self._fill(entries)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Entry]:
        for piece in self._pieces:
            yield from piece

    def __getitem__(self, position: int) -> Entry:
        """Return the entry at a position.

        Raises:
            IndexError: there is none (positions from the end are not counted).
        """
        if not 0 <= position < self._size:
            raise IndexError(position)
        starts = self._starts_now()
        piece = bisect_left(starts, position + 1) - 1
        return self._pieces[piece][position - starts[piece]]

    def position(self, entry: Entry) -> int:
        """Return how many entries are before this one."""
        piece = bisect_left(self._lasts, entry)
        if piece == len(self._pieces):
            return self._size
        return self._starts_now()[piece] + bisect_left(self._pieces[piece], entry)

    def add(self, entry: Entry) -> None:
        """Put an entry in."""
        self._size += 1
        self._starts = []
        if not self._pieces:
            self._pieces, self._lasts = [[entry]], [entry]
            return
        at = min(bisect_left(self._lasts, entry), len(self._pieces) - 1)
        piece = self._pieces[at]
        insort(piece, entry)
        if len(piece) > 2 * PIECE:
            self._pieces[at : at + 1] = [piece[:PIECE], piece[PIECE:]]
            self._lasts[at : at + 1] = [piece[PIECE - 1], piece[-1]]
        else:
            self._lasts[at] = piece[-1]

    def remove(self, entry: Entry) -> None:
        """Take an entry out that is there."""
        self._size -= 1
        self._starts = []
        at = bisect_left(self._lasts, entry)
        piece = self._pieces[at]
        del piece[bisect_left(piece, entry)]
        if piece:
            self._lasts[at] = piece[-1]
        else:
            del self._pieces[at], self._lasts[at]

    def change(self, gone: Sequence[Entry], fresh: Sequence[Entry]) -> None:
        """Take entries out that are there, and put others in, in any order."""
        if len(gone) + len(fresh) > PIECE + self._size // 4:
            # Measured: from here on it is cheaper to sort everything again, which is nearly sorted.
            left = set(gone)
            entries = [entry for entry in self if entry not in left] if left else list(self)
            entries.extend(fresh)
            entries.sort()
            self._fill(entries)
            return
        for entry in gone:
            self.remove(entry)
        for entry in fresh:
            self.add(entry)

    def join(self, entries: Sequence[Entry]) -> None:
        """Put ascending entries in that mostly belong behind the last one or before the first one."""
        if not entries:
            return
        pieces = _cut(entries)
        lasts = [piece[-1] for piece in pieces]
        if not self._pieces or self._lasts[-1] < entries[0]:
            self._pieces += pieces
            self._lasts += lasts
        elif entries[-1] < self._pieces[0][0]:
            self._pieces[:0] = pieces
            self._lasts[:0] = lasts
        else:
            self.change((), entries)
            return
        self._size += len(entries)
        self._starts = []

    def _fill(self, entries: Sequence[Entry]) -> None:
        self._pieces = _cut(entries)
        self._lasts = [piece[-1] for piece in self._pieces]
        self._size = len(entries)
        self._starts = []

    def _starts_now(self) -> list[int]:
        if not self._starts:
            self._starts = [0, *accumulate(map(len, self._pieces))]
        return self._starts


def _cut(entries: Sequence[Entry]) -> list[list[Entry]]:
    return [list(entries[at : at + PIECE]) for at in range(0, len(entries), PIECE)]
