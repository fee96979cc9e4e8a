"""Columns of a table: what they show, and how the width of the screen is shared among them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from aksnav.ui.text import Align, Elide

T = TypeVar("T")

GAP = 1
"""Cells between two columns."""


@dataclass(frozen=True)
class Column(Generic[T]):
    """One column of a table.

    Attributes:
        key: Name by which the column is sorted and remembered.
        title: Header text.
        cell: The text of a row in this column, from anywhere: it is made harmless when it is drawn.
        width: Cells that the column wants.
        min_width: Cells with which it still makes sense (the same as `width` when 0).
        flex: Share of the width that is left over; 0 keeps the column at `width`.
        max_width: Cells beyond which a flexible column does not grow (no bound when 0).
        priority: When the screen is too narrow, the column with the highest number goes first, of equals the rightmost.
        align: The side on which short text stands.
        elide: Where long text is cut.
        sort_key: What the column sorts by; all rows' keys must be comparable. The text, case folded, when None.
        style: The tone of a row in this column (see `aksnav.ui.widgets.painted.TONES`), "" for the row's own.
        prefix: Drawn before the text and never cut from the left: the branches of a tree.
    """

    key: str
    title: str
    cell: Callable[[T], str]
    width: int = 10
    min_width: int = 0
    flex: int = 0
    max_width: int = 0
    priority: int = 0
    align: Align = "left"
    elide: Elide = "end"
    sort_key: Callable[[T], Any] | None = None
    style: Callable[[T], str] | None = None
    prefix: Callable[[T], str] | None = None

    @property
    def least(self) -> int:
        """The width below which the column is left out."""
        return min(self.min_width or self.width, self.width)

    def order(self, row: T) -> Any:
        """Answer with the value by which a row is sorted in this column."""
        return self.sort_key(row) if self.sort_key is not None else self.cell(row).casefold()


class Placed(NamedTuple):
    """A column that is shown, by its index, and the cells that it got."""

    column: int
    width: int


def place(columns: Sequence[Column[T]], width: int) -> list[Placed]:
    """Share a width among columns.

    Columns are left out, by priority and then from the right, until the least widths of the others fit; then each
    grows to the width that it wants, the important ones first; what is left goes to the flexible ones.

    Args:
        columns: All columns, from left to right.
        width: Cells for them and the gaps between them.

    Returns:
        The columns that are shown, from left to right. The last one that stays may be narrower than its least width.
    """
    shown = list(range(len(columns)))
    while len(shown) > 1 and sum(columns[i].least for i in shown) + GAP * (len(shown) - 1) > width:
        shown.remove(max(shown, key=lambda i: (columns[i].priority, i)))
    if not shown:
        return []
    widths = {i: columns[i].least for i in shown}
    spare = width - sum(widths.values()) - GAP * (len(shown) - 1)
    if spare < 0:
        return [Placed(shown[0], max(width, 0))]
    for i in sorted(shown, key=lambda i: (columns[i].priority, i)):
        more = min(spare, columns[i].width - widths[i])
        widths[i] += more
        spare -= more
    _stretch(columns, widths, spare)
    return [Placed(i, widths[i]) for i in shown]


def _stretch(columns: Sequence[Column[T]], widths: dict[int, int], spare: int) -> None:
    growing = [i for i in widths if columns[i].flex]
    while spare and growing:
        shares = sum(columns[i].flex for i in growing)
        given = 0
        for i in list(growing):
            more = max(1, spare * columns[i].flex // shares)
            if columns[i].max_width and widths[i] + more >= columns[i].max_width:
                more = max(0, columns[i].max_width - widths[i])
                growing.remove(i)
            more = min(more, spare - given)
            widths[i] += more
            given += more
        spare -= given
