"""What a table shows beside its rows: the notice under the header, and what stands there while there is no row."""

from collections.abc import Callable
from textwrap import wrap

from textual.strip import Strip

from aksnav.model.text import plain
from aksnav.ui.text import Line, Span, cells, head, tail
from aksnav.ui.widgets.row_painter import GUTTER


class Around:
    """The words beside the rows of a table, drawn once for each width.

    Attributes:
        notice: the line under the header; None where there is nothing to say.
    """

    def __init__(self, empty: str, draw: Callable[[Line, int], Strip]) -> None:
        """Begin with a text for the empty table.

        Args:
            empty: what stands there while there is no row.
            draw: answers with a strip of spans, of so many cells.
        """
        self.notice: Span | None = None
        self._empty = Span(empty, "muted")
        self._draw = draw
        self._drawn: dict[object, list[Strip]] = {}

    def forget(self) -> None:
        """Draw everything anew: the width or the colours are others."""
        self._drawn.clear()

    def set_empty(self, empty: Span) -> None:
        """Say what stands there while there is no row."""
        self._empty = empty

    def set_notice(self, notice: Span | None) -> bool:
        """Say what stands under the header, and answer whether that is something else than before."""
        if notice == self.notice:
            return False
        self.notice = notice
        return True

    def notice_strip(self, width: int) -> Strip:
        """Answer with the line of the notice."""
        return self._strips((self.notice,) if self.notice is not None else (), width)[0]

    def empty_strip(self, y: int, width: int, unmatched: str = "") -> Strip:
        """Answer with one of the lines below the header while there is no row; a long reason takes several.

        Args:
            y: which line, from 0; -1 for the lines below the last row.
            width: cells.
            unmatched: what to say instead, where there are rows and a filter hides them all.
        """
        if y < 0:
            return self._strips((), width)[0]
        span = Span(unmatched, "muted") if unmatched else self._empty
        strips = self._strips(tuple(span._replace(text=text) for text in wrapped(span.text, width - GUTTER)), width)
        return strips[y] if y < len(strips) else self._strips((), width)[0]

    def _strips(self, spans: tuple[Span, ...], width: int) -> list[Strip]:
        known = self._drawn.get((spans, width))
        if known is None:
            lines: list[Line] = [[Span(" " * GUTTER), span] for span in spans] or [[]]
            known = self._drawn[spans, width] = [self._draw(line, width) for line in lines]
        return known


def wrapped(text: str, width: int) -> list[str]:
    """Return harmless text in lines of so many cells, broken between words; a word that is longer is cut."""
    width = max(width, 1)
    lines = []
    for line in wrap(plain(text), width, break_long_words=False, break_on_hyphens=False) or [""]:
        rest = line
        while cells(rest) > width:
            first = head(rest, width)
            lines.append(first)
            rest = tail(rest, cells(rest) - cells(first))
        lines.append(rest)
    return lines
