"""A table of records that stays quick with 200,000 rows, 1,000 changes a second and a slow line."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize
from textual.message import Message
from textual.strip import Strip

from aksnav.ui.text import Span
from aksnav.ui.widgets.around import Around
from aksnav.ui.widgets.columns import Column
from aksnav.ui.widgets.cursor import Cursor
from aksnav.ui.widgets.flashes import Flashes
from aksnav.ui.widgets.ordering import OrderedRows
from aksnav.ui.widgets.painted import Painted, scroll_glyph
from aksnav.ui.widgets.row_painter import Look, RowPainter

T = TypeVar("T")

FILTER_SLICE = 4000
"""Rows that a filter looks at before keys are handled again: some 10 ms."""
WHEEL_STEP = 3


class RecordTable(Painted, Generic[T], can_focus=True):
    """Rows of any type under a header, one line each, with a cursor that follows its row (see `Cursor`).

    The owner hands over rows (`set_rows`, then `update` for what changes), listens to `RowHighlighted` and
    `RowSelected`, and calls `tick` once a second if it wants the mark of recent changes to fade. Rows are immutable:
    a changed row is a new object. Everything that a column answers is made harmless before it is drawn.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="table.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="table.down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="table.page_up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="table.page_down"),
        Binding("home,g", "first", "First", show=False, id="table.first"),
        Binding("end,G", "last", "Last", show=False, id="table.last"),
        Binding("enter", "select", "Open", show=False, id="table.select"),
    ]
    DEFAULT_CSS = """
    RecordTable { height: 1fr; width: 1fr; }
    """

    class RowMessage(Message):
        """A message about a row of a table.

        Attributes:
            table: The table.
            key: The row's key, None when the table shows no row any more.
            row: The row.
        """

        def __init__(self, table: "RecordTable[Any]", key: str | None, row: Any) -> None:
            super().__init__()
            self.table = table
            self.key = key
            self.row = row

        @property
        def control(self) -> "RecordTable[Any]":
            """The table, for `@on` with a selector."""
            return self.table

    class RowHighlighted(RowMessage):
        """The cursor is on another row; of several in a row only the last one is delivered."""

        def can_replace(self, message: Message) -> bool:
            """Whether this message makes an older one pointless."""
            return isinstance(message, RecordTable.RowHighlighted) and message.table is self.table

    class RowSelected(RowMessage):
        """Enter was pressed on a row."""

    def __init__(
        self,
        columns: Sequence[Column[T]],
        key: Callable[[T], str],
        *,
        empty: str = "",
        flash: float = 5.0,
        id: str | None = None,  # noqa: A002 - the name that every Textual widget gives it
        classes: str | None = None,
    ) -> None:
        """Make a table without rows.

        Args:
            columns: The columns from left to right, the most important ones with the lowest priority number.
            key: The key of a row; stable over changes of the row and unique in the table.
            empty: What stands there while there is no row.
            flash: Seconds for which a change is shown in the gutter.
            id: Textual's widget id.
            classes: Textual's CSS classes.
        """
        super().__init__(id=id, classes=classes)
        self._columns = {column.key: column for column in columns}
        self._painter = RowPainter[T](columns, self.toned)
        self._rows = OrderedRows[T](key)
        self._sorted_by: str | None = None
        self._reverse = False
        self._filtered = False
        self._filter_words = ""
        self._slice_called = False
        self._cursor = Cursor(self._rows)
        self._measured = (self.size, 0)
        self._marks: AbstractSet[str] = frozenset()
        self._flashes = Flashes(flash)
        self._around = Around(empty, self.spans_strip)
        self._header: Strip | None = None

    # What the owner reads.

    @property
    def total(self) -> int:
        """The number of rows, whether the filter shows them or not."""
        return self._rows.total

    @property
    def shown(self) -> int:
        """The number of rows that the filter shows."""
        return self._rows.shown

    @property
    def filtering(self) -> bool:
        """Whether the filter has rows before it that it has not seen yet, so that `shown` still grows."""
        return self._rows.filtering

    @property
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor, None when there is no row."""
        return self._cursor.key

    @property
    def cursor_row(self) -> T | None:
        """The row under the cursor, None when there is no row."""
        return None if self._cursor.key is None else self._rows.get(self._cursor.key)

    @property
    def sorted_by(self) -> tuple[str | None, bool]:
        """The key of the column that sorts, None for the order of arrival, and whether the order is reversed."""
        return self._sorted_by, self._reverse

    def has_column(self, column: str) -> bool:
        """Whether there is a column of this key, be there room for it or not."""
        return column in self._columns

    def row(self, key: str) -> T | None:
        """Answer with the row of a key, shown or not, None when there is none."""
        return self._rows.get(key)

    # What the owner says.

    def set_rows(self, rows: Sequence[T], *, now: float | None = None) -> None:
        """Show these rows instead of all others; a cursor that was moved stays on its key and on its line.

        Args:
            rows: All rows, in the order that holds where no column sorts.
            now: The clock in seconds, the same one as for `tick`; with it, rows that differ from the ones shown before
                under their key are shown in the gutter as changed.
        """
        before = self._rows.by_key
        self._rows.replace(rows, first=self._first_slice)
        after = self._rows.by_key
        self._flashes.keep(after.keys())
        if now is not None:
            self._flashes.note((key for key, row in after.items() if key in before and before[key] != row), now)
        self._settle()
        self._go_on_filtering()

    def update_rows(
        self, changed: Mapping[str, T], removed: AbstractSet[str] = frozenset(), *, now: float | None = None
    ) -> None:
        """Change some rows; order, filter, cursor and scroll position are kept.

        Args:
            changed: New rows and new versions of rows, by key.
            removed: Keys of rows that are gone.
            now: The clock in seconds, the same one as for `tick`; with it the changes are shown in the gutter.
        """
        self._rows.apply(changed, removed)
        self._flashes.drop(removed)
        if now is not None:
            self._flashes.note(changed, now)
        self._settle()

    def sort_by(self, column: str | None, *, reverse: bool = False) -> None:
        """Sort by a column, or by arrival when it is None.

        Args:
            column: Key of a column.
            reverse: Whether the largest value comes first.

        Raises:
            KeyError: The table has no such column.
        """
        self._rows.sort(None if column is None else self._columns[column].order, reverse=reverse)
        self._sorted_by, self._reverse = column, reverse
        self._header = None
        self._settle()

    def set_filter(self, accepts: Callable[[T], bool] | None, words: str = "") -> None:
        """Show only the rows that a predicate accepts, all of them when it is None.

        The first rows are looked at now, the others in slices between which keys are handled: see `filtering`.

        Args:
            accepts: The predicate.
            words: What it asks for, said where no row has it.
        """
        self._cursor.await_row()
        self._filtered = accepts is not None
        self._filter_words = words
        self._rows.filter(accepts, first=self._first_slice)
        self._settle()
        self._go_on_filtering()

    def set_marks(self, keys: AbstractSet[str]) -> None:
        """Mark the rows that belong to what is selected in another pane."""
        if keys != self._marks:
            self._marks = keys
            self.repaint_soon()

    def set_empty(self, text: str, tone: str = "muted") -> None:
        """Say what stands there while there is no row, such as why none could be read."""
        self._around.set_empty(Span(text, tone))
        self.repaint_soon()

    def set_notice(self, text: str, tone: str = "warn") -> None:
        """Put a line under the header, such as how old the rows are; an empty text takes it away."""
        if self._around.set_notice(Span(text, tone) if text else None):
            self._measure()
            self.repaint_soon()

    def tick(self, now: float) -> None:
        """Let the marks of changes fade that are older than the flash time.

        Args:
            now: The clock in seconds, the same one as for `update_rows`.
        """
        if self._flashes.fade(now):
            self.repaint_soon()

    def redraw(self, keys: AbstractSet[str] | None = None) -> None:
        """Draw cells anew because something changed that the columns read beside the rows, such as a clock.

        Args:
            keys: The rows that it concerns; all of them when None.
        """
        self._painter.forget(keys)
        self.repaint_soon()

    def go_to(self, key: str) -> bool:
        """Put the cursor on a row.

        Args:
            key: The row's key.

        Returns:
            Whether the row is there and the filter shows it.
        """
        index = self._rows.index(key)
        if index is None:
            return False
        self._moved(self._cursor.move_to(index))
        return True

    # Keys and the mouse.

    def action_move(self, lines: int) -> None:
        """Move the cursor by lines."""
        self._moved(self._cursor.move_to(self._cursor.index + lines))

    def action_page(self, pages: int) -> None:
        """Move the cursor and the view by pages."""
        self._moved(self._cursor.turn(pages))

    def action_first(self) -> None:
        """Move the cursor to the first row, and keep it on whatever row is the first."""
        self._moved(self._cursor.home())

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self._moved(self._cursor.move_to(self.shown - 1))

    def action_select(self) -> None:
        """Tell the owner that the row under the cursor was chosen."""
        if self._cursor.key is not None:
            self.post_message(self.RowSelected(self, self._cursor.key, self.cursor_row))

    def on_click(self, event: Click) -> None:
        """Put the cursor on the row that was clicked; a second click chooses it."""
        index = self._cursor.top + event.y - self._head
        if event.y < self._head or index >= self.shown:
            return
        self._moved(self._cursor.move_to(index))
        if event.chain > 1:
            self.action_select()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Move the cursor down with the wheel."""
        event.stop()
        self.action_move(WHEEL_STEP)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Move the cursor up with the wheel."""
        event.stop()
        self.action_move(-WHEEL_STEP)

    def on_resize(self, _event: Resize) -> None:
        """Keep the cursor in view and share the width among the columns."""
        self._measure()

    # Drawing.

    def forget(self) -> None:
        """Drop lines drawn for another width or theme."""
        super().forget()
        self._painter.forget()
        self._around.forget()
        self._header = None

    def line(self, y: int) -> Strip:
        """Answer with a line: header, notice, row, the text for an empty table, or nothing."""
        if self._measured != (self.size, self._head):
            self._measure()
        if y == 0:
            if self._header is None:
                self._header = self._painter.header(self._sorted_by, reverse=self._reverse)
            return self._header
        if y < self._head:
            return self._around.notice_strip(self.size.width)
        index = self._cursor.top + y - self._head
        if index >= self.shown:
            return self._around.empty_strip(y - self._head if not self.shown else -1, self.size.width, self._unmatched)
        key = self._rows.key_at(index)
        cursor = ""
        if index == self._cursor.index:
            cursor = "painted--cursor" if self.has_focus else "painted--cursor-blurred"
        bar = scroll_glyph(y - self._head, self._cursor.height, self._cursor.top, self.shown)
        look = Look(cursor, key in self._marks, key in self._flashes, bar)
        return self._painter.row(key, self._rows.row(key), look)

    @property
    def _unmatched(self) -> str:
        """What is said where there are rows and the filter shows none of them."""
        if not self._filtered or not self.total:
            return ""
        return f"nothing matches{f' {self._filter_words}' if self._filter_words else ''} (0 of {self.total})"

    @property
    def _head(self) -> int:
        """Lines above the first row."""
        return 1 if self._around.notice is None else 2

    # What follows from a change.

    def _measure(self) -> None:
        """Take the size of the widget; Textual asks for lines of a new size before it tells of it."""
        self._measured = (self.size, self._head)
        if self._painter.width != self.size.width:
            self._painter.resize(self.size.width)
            self._header = None
        self._cursor.height = max(1, self.size.height - self._head)
        self._cursor.keep_in_view()

    def _moved(self, other_row: bool) -> None:
        self.repaint()
        if other_row:
            self._tell()

    def _settle(self) -> None:
        if self._cursor.settle():
            self._tell()
        self.repaint_soon()

    def _tell(self) -> None:
        self.post_message(self.RowHighlighted(self, self._cursor.key, self.cursor_row))

    @property
    def _first_slice(self) -> int | None:
        """How many rows a filter looks at before anything is shown; all of them where no event loop goes on."""
        return FILTER_SLICE if self.is_running else None

    def _go_on_filtering(self) -> None:
        if self.filtering and not self._slice_called:
            self._slice_called = True
            self.call_later(self._filter_slice)

    def _filter_slice(self) -> None:
        self._slice_called = False
        self._rows.go_on(FILTER_SLICE)
        self._settle()
        self._go_on_filtering()
