"""Where the cursor of a table is and which part of the rows is in view, while rows come, go and move."""

from typing import Any

from aksnav.ui.widgets.ordering import OrderedRows


class Cursor:
    """A position in rows that follows its row.

    Until the user has moved it, and after Home, the cursor stays on the first row, whichever that is: the rows that
    arrive first are not the worst. Later it follows its row, on the same line of the view if possible. When its row
    is gone it takes the one that is now in its place.

    Attributes:
        index: Position of the cursor in the view of the rows.
        key: Key of the row under the cursor, None when there is no row.
        top: Position of the first row that is in view.
        height: Lines of the view.
    """

    def __init__(self, rows: OrderedRows[Any]) -> None:
        self._rows = rows
        self.index = 0
        self.key: str | None = None
        self.top = 0
        self.height = 1
        self._at_home = True
        self._awaited: str | None = None

    def move_to(self, index: int) -> bool:
        """Move the cursor to a position, or to the end that is nearest, and answer whether it is on another row."""
        self._at_home = False
        self._awaited = None
        self.index = index
        return self._land()

    def home(self) -> bool:
        """Move the cursor to the first row, keep it there, and answer whether it is on another row."""
        moved = self.move_to(0)
        self._at_home = True
        return moved

    def turn(self, pages: int) -> bool:
        """Move the cursor and the view by pages, and answer whether it is on another row."""
        step = max(1, self.height - 1) * pages
        self.top += step
        return self.move_to(self.index + step)

    def await_row(self) -> None:
        """Come back to the row under the cursor when a filter that works in slices has come to it."""
        if not self._at_home and self.key is not None:
            self._awaited = self.key

    def settle(self) -> bool:
        """Find the cursor's row again after rows moved, and answer whether the cursor is on another row."""
        line = self.index - self.top
        index = 0 if self._at_home else self._find()
        if index is not None:
            self.index = index
        # At the very top the view stays there: what arrives above the cursor is the worst and must be seen.
        if self.top:
            self.top = min(self.index, self._rows.shown - 1) - line
        return self._land()

    def keep_in_view(self) -> None:
        """Move the view if the cursor is outside, by half a page: a scroll repaints everything, however far it goes."""
        self.top = self._clamp_top(self.top)
        if not self.top <= self.index < self.top + self.height:
            self.top = self._clamp_top(self.index - self.height // 2)

    def _land(self) -> bool:
        before = self.key
        self.index = max(0, min(self.index, self._rows.shown - 1))
        self.keep_in_view()
        self.key = self._rows.key_at(self.index) if self._rows.shown else None
        return self.key != before

    def _find(self) -> int | None:
        if self._awaited is not None:
            index = self._rows.index(self._awaited)
            if index is not None or not self._rows.filtering:
                self._awaited = None
            if index is not None:
                return index
        return None if self.key is None else self._rows.index(self.key)

    def _clamp_top(self, top: int) -> int:
        return max(0, min(top, self._rows.shown - self.height))
