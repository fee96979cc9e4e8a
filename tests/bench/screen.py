"""The terminal's picture: pyte, without the sequences that it would draw as text, and cheap to ask."""

import re
from typing import NamedTuple

import pyte

_UNKNOWN = re.compile(
    rb"\x1b\[[<=>][0-9;:]*[A-Za-z]"  # keyboard protocol, secondary attributes
    rb"|\x1b\[[?>0-9;]*\$[A-Za-z]"  # mode queries
    rb"|\x1b[PX^_].*?\x1b\\"  # device control and application strings
    rb"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)",  # titles, links, clipboard
    re.DOTALL,
)
_INCOMPLETE = re.compile(rb"\x1b(?:[PX^_\]][^\x07]*|\[[?<=>0-9;:$]*)?$", re.DOTALL)
_CONTROL = re.compile(r"\x1b(?:\[[?<=>0-9;:$]*[A-Za-z@]|[()][A-Z0-9]|[=>78])|[\r\x00]")


def stripped(data: bytes) -> str:
    """The text in some output, without control sequences: a cheap hint that something is on the screen."""
    return _CONTROL.sub("", data.decode(errors="replace"))


class Cursor(NamedTuple):
    """How a list's selected row looks: its background, and where to look for it."""

    background: str
    reverse: bool
    column: int
    left: int
    right: int


class Picture:
    """A screen of fixed size that is fed with a program's output."""

    def __init__(self, columns: int, rows: int) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._lines = [""] * rows
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Show some output."""
        data = _UNKNOWN.sub(b"", self._rest + data)
        cut = _INCOMPLETE.search(data)
        self._rest, data = (data[cut.start() :], data[: cut.start()]) if cut else (b"", data)
        self._stream.feed(data)

    def lines(self) -> list[str]:
        """The text of every row; only rows that were drawn on since the last call are put together."""
        for row in self._screen.dirty:
            cells = self._screen.buffer[row]
            self._lines[row] = "".join(cells[column].data for column in range(self._screen.columns))
        self._screen.dirty.clear()
        return self._lines

    def matches(self, pattern: re.Pattern[str]) -> bool:
        """Whether the pattern is found in a row, or over rows."""
        return pattern.search("\n".join(self.lines())) is not None

    def looks(self) -> list[tuple[tuple[str, bool], ...]]:
        """Background and reverse of every cell."""
        rows = []
        for row in range(self._screen.lines):
            cells = self._screen.buffer[row]
            rows.append(tuple((cells[column].bg, cells[column].reverse) for column in range(self._screen.columns)))
        return rows

    def selected(self, cursor: Cursor) -> tuple[int, str] | None:
        """The first row that looks selected, and its text."""
        for row, text in enumerate(self.lines()):
            cell = self._screen.buffer[row][cursor.column]
            if cell.bg == cursor.background and cell.reverse == cursor.reverse:
                return row, text[cursor.left : cursor.right]
        return None

    def row(self, wanted: str) -> str | None:
        """The first row with this text in it."""
        return next((text for text in self.lines() if wanted in text), None)


def learn_cursor(
    before: list[tuple[tuple[str, bool], ...]], after: list[tuple[tuple[str, bool], ...]], least: int = 8
) -> Cursor | None:
    """How the selected row looks, from two pictures between which the selection moved by one row.

    Args:
        before: the looks before the key.
        after: the looks after it.
        least: how many cells of a row must have changed.

    Returns:
        Nothing when no row gained what another one lost.
    """
    best: tuple[int, int, Cursor] | None = None
    for old, new in zip(before, after, strict=True):
        changed = [column for column, (one, two) in enumerate(zip(old, new, strict=True)) if one != two]
        if len(changed) < least:
            continue
        middle = changed[len(changed) // 2]
        look = new[middle]
        lost = any(row[middle] == look != after[at][middle] for at, row in enumerate(before))
        # Both rows changed looks with each other; the selected one is the one that looks like few others.
        alike = sum(row[middle] == look for row in after)
        found = (alike, -len(changed), Cursor(*look, middle, changed[0], changed[-1] + 1))
        if lost and (best is None or found[:2] < best[:2]):
            best = found
    return best[2] if best else None
