"""Bars: the line of facts, the request path, the rule above a pane. They repaint only when their text changes."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from textual.strip import Strip

from aksnav.model.text import plain
from aksnav.ui.text import ELLIPSIS, Elide, Line, Span, cells, head, tail
from aksnav.ui.widgets.painted import Painted, Painter


class BarLine(NamedTuple):
    """One line of a bar.

    Attributes:
        left: Spans from the left; they give way, those without `keep` first, from the middle.
        right: Spans that end at the right edge.
        fill: One character that fills what is empty.
        tone: Tone of the fill.
        cut: Where the left side is cut when it has to be: sentences at their end, names in their middle.
    """

    left: Line = ()
    right: Line = ()
    fill: str = " "
    tone: str = ""
    cut: Elide = "middle"


class StripBar(Painted):
    """Shows one or more lines of spans at any width."""

    DEFAULT_CSS = """
    StripBar { height: auto; width: 1fr; }
    """

    def __init__(
        self,
        lines: int = 1,
        *,
        id: str | None = None,  # noqa: A002 - the name that every Textual widget gives it
        classes: str | None = None,
    ) -> None:
        """Make an empty bar.

        Args:
            lines: Its height.
            id: Textual's widget id.
            classes: Textual's CSS classes.
        """
        super().__init__(id=id, classes=classes)
        self._bar = [BarLine()] * lines
        self._strips: dict[int, tuple[BarLine, int, Strip]] = {}
        self.styles.height = lines

    def set_line(self, line: BarLine, index: int = 0) -> None:
        """Show other text in a line.

        Args:
            line: The text.
            index: Which line of the bar.

        Raises:
            IndexError: The bar has no such line.
        """
        if self._bar[index] != line:
            self._bar[index] = line
            self.repaint()

    def forget(self) -> None:
        """Drop lines drawn for another width or theme."""
        super().forget()
        self._strips.clear()

    def line(self, y: int) -> Strip:
        """Answer with a line of the bar."""
        line = self._bar[y] if y < len(self._bar) else BarLine()
        width = self.size.width
        known = self._strips.get(y)
        if known is None or known[0] is not line or known[1] != width:
            known = self._strips[y] = (line, width, self._draw(line, width))
        return known[2]

    def _draw(self, line: BarLine, width: int) -> Strip:
        right = elide(line.right, width)
        taken = sum(cells(span.text) for span in right)
        # One empty cell keeps both sides apart.
        left = elide(line.left, max(0, width - taken - (1 if right else 0)), line.cut)
        middle = width - taken - sum(cells(span.text) for span in left)
        painter = Painter(width)
        for span in (*left, Span(line.fill * middle, line.tone), *right):
            painter.add(span.text, self.toned(span.tone))
        return painter.strip(self.base())


def elide(spans: Sequence[Span], width: int, cut: Elide = "middle") -> list[Span]:
    """Shorten spans to a width.

    The longest stretch without `keep` loses its middle first. Only when that is not enough the others are cut too.

    Args:
        spans: Text from anywhere.
        width: The most cells to take.
        cut: Where they are cut.

    Returns:
        Harmless spans that fit.
    """
    shown = [Span(plain(span.text), span.tone, span.keep) for span in spans if span.text]
    over = sum(cells(span.text) for span in shown) - width
    if over <= 0:
        return shown
    runs = [list(run) for _, run in groupby(shown, lambda span: span.keep)]
    lengths = [sum(cells(span.text) for span in run) for run in runs]
    for i in sorted(range(len(runs)), key=lambda i: -lengths[i]):
        if over > 0 and not runs[i][0].keep:
            saved = min(over, lengths[i] - 1)
            runs[i] = _shortened(runs[i], lengths[i] - saved, cut)
            over -= saved
    fitted = [span for run in runs for span in run]
    return _shortened(fitted, width, cut) if over > 0 else fitted


def _shortened(spans: list[Span], width: int, cut: Elide) -> list[Span]:
    total = sum(cells(span.text) for span in spans)
    if total <= width:
        return spans
    if width <= 1:
        return [Span(ELLIPSIS, spans[0].tone)] if width == 1 else []
    left = width // 2 if cut == "middle" else width - 1
    start, end = _first_cells(spans, left), _last_cells(spans, width - 1 - left)
    return [*start, Span(ELLIPSIS, start[-1].tone), *end]


def _first_cells(spans: Sequence[Span], room: int) -> list[Span]:
    first = []
    for span in spans:
        text = head(span.text, room)
        if text:
            first.append(span._replace(text=text))
        room -= cells(text)
        if room <= 0:
            break
    return first


def _last_cells(spans: Sequence[Span], room: int) -> list[Span]:
    last: list[Span] = []
    for span in reversed(spans):
        if room <= 0:
            break
        text = tail(span.text, room)
        last.insert(0, span._replace(text=text))
        room -= cells(text)
    return last
