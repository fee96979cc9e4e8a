"""A table of records that stays quick with 200,000 rows, 1,000 changes a second and a slow line."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize
from textual.message import Message
from textual.strip import Strip

from aksnav.ui.text import Span
from aksnav.ui.widgets.columns import Column
from aksnav.ui.widgets.ordering import OrderedRows
from aksnav.ui.widgets.painted import Painted, scroll_glyph
from aksnav.ui.widgets.row_painter import GUTTER, Look, RowPainter

T = TypeVar("T")


class RecordTable(Painted, Generic[T], can_focus=True):
    """Rows of any type under a header, one line each, with a cursor that follows its row.

    The cursor stays on the first row, whichever that is, until the user moves it; then it follows its row.

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
        self._cursor = 0
        self._cursor_key: str | None = None
        self._at_home = True
        self._top = 0
        self._marks: AbstractSet[str] = frozenset()
        self._flash = flash
        self._changed_at: dict[str, float] = {}
        self._empty = Span(empty, "muted")
        self._notice: Span | None = None
        self._other_lines: dict[object, Strip] = {}

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
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor, None when there is no row."""
        return self._cursor_key

    @property
    def cursor_row(self) -> T | None:
        """The row under the cursor, None when there is no row."""
        return None if self._cursor_key is None else self._rows.get(self._cursor_key)

    @property
    def sorted_by(self) -> tuple[str | None, bool]:
        """The key of the column that sorts, None for the order of arrival, and whether the order is reversed."""
        return self._sorted_by, self._reverse

    def row(self, key: str) -> T | None:
        """Answer with the row of a key, shown or not, None when there is none."""
        return self._rows.get(key)

    # What the owner says.

    def set_rows(self, rows: Sequence[T]) -> None:
        """Show these rows instead of all others; a cursor that was moved stays on its key and on its line."""
        self._rows.replace(rows)
        self._changed_at.clear()
        self._settle()

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
        for key in removed:
            self._changed_at.pop(key, None)
        if now is not None:
            self._changed_at.update(dict.fromkeys(changed, now))
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
        self._other_lines.clear()
        self._settle()

    def set_filter(self, accepts: Callable[[T], bool] | None) -> None:
        """Show only the rows that a predicate accepts, all of them when it is None."""
        self._filtered = accepts is not None
        self._rows.filter(accepts)
        self._settle()

    def set_marks(self, keys: AbstractSet[str]) -> None:
        """Mark the rows that belong to what is selected in another pane."""
        if keys != self._marks:
            self._marks = keys
            self.repaint_soon()

    def set_empty(self, text: str, tone: str = "muted") -> None:
        """Say what stands there while there is no row, such as why none could be read."""
        self._empty = Span(text, tone)
        self._other_lines.clear()
        self.repaint_soon()

    def set_notice(self, text: str, tone: str = "warn") -> None:
        """Put a line under the header, such as how old the rows are; an empty text takes it away."""
        notice = Span(text, tone) if text else None
        if notice == self._notice:
            return
        self._notice = notice
        self._other_lines.clear()
        self._keep_in_view()
        self.repaint_soon()

    def tick(self, now: float) -> None:
        """Let the marks of changes fade that are older than the flash time.

        Args:
            now: The clock in seconds, the same one as for `update_rows`.
        """
        over = [key for key, at in self._changed_at.items() if now - at >= self._flash]
        for key in over:
            del self._changed_at[key]
        if over:
            self.repaint_soon()

    def redraw(self) -> None:
        """Draw every cell anew because something changed that the columns read beside the rows, such as a clock."""
        self._painter.forget()
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
        self._move_to(index)
        return True

    # Keys and the mouse.

    def action_move(self, lines: int) -> None:
        """Move the cursor by lines."""
        self._move_to(self._cursor + lines)

    def action_page(self, pages: int) -> None:
        """Move the cursor and the view by pages."""
        step = max(1, self._body - 1) * pages
        self._top = self._clamp_top(self._top + step)
        self._move_to(self._cursor + step)

    def action_first(self) -> None:
        """Move the cursor to the first row, and keep it on whatever row is the first."""
        self._move_to(0)
        self._at_home = True

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self._move_to(self.shown - 1)

    def action_select(self) -> None:
        """Tell the owner that the row under the cursor was chosen."""
        if self._cursor_key is not None:
            self.post_message(self.RowSelected(self, self._cursor_key, self.cursor_row))

    def on_click(self, event: Click) -> None:
        """Put the cursor on the row that was clicked; a second click chooses it."""
        index = self._top + event.y - self._head
        if event.y < self._head or index >= self.shown:
            return
        self._move_to(index)
        if event.chain > 1:
            self.action_select()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Move the cursor down with the wheel."""
        event.stop()
        self._move_to(self._cursor + 3)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Move the cursor up with the wheel."""
        event.stop()
        self._move_to(self._cursor - 3)

    def on_resize(self, _event: Resize) -> None:
        """Keep the cursor in view; the columns take the new width when they are drawn."""
        self._keep_in_view()

    # Drawing.

    def forget(self) -> None:
        """Drop lines drawn for another width or theme."""
        super().forget()
        self._painter.forget()
        self._other_lines.clear()

    def line(self, y: int) -> Strip:
        """Answer with a line: header, notice, row, the text for an empty table, or nothing."""
        if self._painter.width != self.size.width:
            self._painter.resize(self.size.width)
            self._other_lines.clear()
        if y == 0:
            return self._other("header")
        if y < self._head:
            return self._other("notice")
        index = self._top + y - self._head
        if index >= self.shown:
            return self._other("empty" if y == self._head else "blank")
        key = self._rows.key_at(index)
        cursor = ""
        if index == self._cursor:
            cursor = "painted--cursor" if self.has_focus else "painted--cursor-blurred"
        bar = scroll_glyph(y - self._head, self._body, self._top, self.shown)
        look = Look(cursor, key in self._marks, key in self._changed_at, bar)
        return self._painter.row(key, self._rows.row(key), look)

    def _other(self, what: str) -> Strip:
        empty = self._empty_span() if what == "empty" else None
        known = self._other_lines.get((what, empty))
        if known is not None:
            return known
        if what == "header":
            strip = self._painter.header(self._sorted_by, reverse=self._reverse)
        else:
            span = self._notice if what == "notice" else empty
            line = [Span(" " * GUTTER), span] if span is not None else []
            strip = self.spans_strip(line, self.size.width)
        self._other_lines[what, empty] = strip
        return strip

    def _empty_span(self) -> Span:
        if self._filtered and self.total:
            return Span(f"nothing matches (0 of {self.total})", "muted")
        return self._empty

    # Cursor and scroll position.

    @property
    def _head(self) -> int:
        return 1 if self._notice is None else 2

    @property
    def _body(self) -> int:
        return max(1, self.size.height - self._head)

    def _clamp_top(self, top: int) -> int:
        return max(0, min(top, self.shown - self._body))

    def _settle(self) -> None:
        """Find the cursor's row again after rows moved, and keep it on its line of the view.

        Until the user has moved it, the cursor stays on the first row: the first rows to arrive are not the worst.
        """
        before = self._cursor_key
        line = self._cursor - self._top
        index = 0 if self._at_home else None if before is None else self._rows.index(before)
        self._cursor = max(0, min(self._cursor if index is None else index, self.shown - 1))
        # At the very top the view stays there: what arrives above the cursor is the worst and must be seen.
        if self._top:
            self._top = self._cursor - line
        self._keep_in_view()
        self._tell(before)
        self.repaint_soon()

    def _move_to(self, index: int) -> None:
        before = self._cursor_key
        self._at_home = False
        self._cursor = max(0, min(index, self.shown - 1))
        self._keep_in_view()
        self._tell(before)
        self.repaint()

    def _keep_in_view(self) -> None:
        # Half a page at once: every scroll repaints the whole view, whether by one line or by twenty.
        self._top = self._clamp_top(self._top)
        if not self._top <= self._cursor < self._top + self._body:
            self._top = self._clamp_top(self._cursor - self._body // 2)

    def _tell(self, before: str | None) -> None:
        self._cursor_key = self._rows.key_at(self._cursor) if self.shown else None
        if self._cursor_key != before:
            self.post_message(self.RowHighlighted(self, self._cursor_key, self.cursor_row))
