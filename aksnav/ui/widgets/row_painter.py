"""How one row of a table becomes one line of the screen."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Generic, NamedTuple, TypeVar

from rich.style import Style
from textual.strip import Strip

from aksnav.model.text import plain
from aksnav.ui.text import cells, fit
from aksnav.ui.widgets.columns import GAP, Column, Placed, place
from aksnav.ui.widgets.painted import Painter

T = TypeVar("T")

GUTTER = 2
"""Cells before the first column: one for the cursor, one for a mark or a recent change."""
CURSOR, MARK, CHANGED = "▸", "◆", "·"
_CACHE_SIZE = 1024


class Look(NamedTuple):
    """What a row shows beside its own text.

    Attributes:
        cursor: Component class of the cursor line, "" for any other line.
        marked: Whether the row belongs to what is selected elsewhere.
        changed: Whether it changed a moment ago.
        bar: Character of the scrollbar in this line.
    """

    cursor: str
    marked: bool
    changed: bool
    bar: str


class RowPainter(Generic[T]):
    """Draws rows and the header for the columns that fit a width, and keeps what it has drawn.

    A line is kept for as long as its row is the very same object, so a changed row must be a new object.
    """

    def __init__(self, columns: Sequence[Column[T]], toned: Callable[[str, str], Style]) -> None:
        """Prepare for columns.

        Args:
            columns: All columns of the table.
            toned: Gives the style of a tone on a component, as `Painted.toned` does.
        """
        self._columns = tuple(columns)
        self._toned = toned
        self._width = 0
        self._placed: list[Placed] = []
        self._kept: dict[tuple[str, Look], tuple[T, Strip]] = {}

    @property
    def width(self) -> int:
        """The width for which lines are drawn, the scrollbar included."""
        return self._width

    @property
    def placed(self) -> Sequence[Placed]:
        """The columns that are shown, with their widths."""
        return self._placed

    def resize(self, width: int) -> None:
        """Share a width among the columns, with the gutter at the left and the scrollbar at the right."""
        self._width = width
        self._placed = place(self._columns, width - GUTTER - 1)
        self._kept.clear()

    def forget(self, keys: AbstractSet[str] | None = None) -> None:
        """Draw these rows anew, or all: the colours changed, or something that the cells read beside the row."""
        if keys is None:
            self._kept.clear()
            return
        for key in [key for key in self._kept if key[0] in keys]:
            del self._kept[key]

    def row(self, key: str, row: T, look: Look) -> Strip:
        """Answer with the line of a row."""
        kept = self._kept.get((key, look))
        if kept is not None and kept[0] is row:
            return kept[1]
        if len(self._kept) >= _CACHE_SIZE:
            self._kept.clear()
        strip = self._draw(row, look)
        self._kept[key, look] = (row, strip)
        return strip

    def header(self, sorted_by: str | None, *, reverse: bool) -> Strip:
        """Answer with the header line, an arrow beside the title of the column that sorts."""
        style = self._toned("", "painted--header")
        painter = Painter(self._width)
        painter.add(" " * GUTTER, style)
        for position, (index, width) in enumerate(self._placed):
            column = self._columns[index]
            title = plain(column.title)
            if column.key == sorted_by:
                # The arrow stays when the title has to give way.
                title = fit(title, min(cells(title), width - 1)) + ("▼" if reverse else "▲")
            painter.add(" " * (GAP if position else 0) + fit(title, width, column.align), style)
        return painter.strip(style)

    def _draw(self, row: T, look: Look) -> Strip:
        component = look.cursor or "painted--base"
        style = self._toned("", component)
        # A mark colours the gutter only: Textual writes from the line's beginning, so it costs little to set and take.
        first = self._toned("mark", component) if look.marked and not look.cursor else style
        painter = Painter(self._width - 1)
        painter.add(
            (CURSOR if look.cursor else " ") + (MARK if look.marked else CHANGED if look.changed else " "), first
        )
        for position, (index, width) in enumerate(self._placed):
            column = self._columns[index]
            tone = column.style(row) if column.style is not None and not look.cursor else ""
            if position:
                painter.add(" " * GAP, style)
            painter.add(self._text(column, row, width), self._toned(tone, component) if tone else style)
        return painter.strip(style, look.bar)

    @staticmethod
    def _text(column: Column[T], row: T, width: int) -> str:
        prefix = plain(column.prefix(row)) if column.prefix is not None else ""
        text = fit(plain(column.cell(row)), max(0, width - cells(prefix)), column.align, column.elide)
        return fit(prefix + text, width)
