"""A read-only view of prepared lines: descriptions, YAML, evidence, help."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.events import MouseScrollDown, MouseScrollUp, Resize
from textual.strip import Strip

from aksnav.model.text import plain, split_lines, strip_unsafe
from aksnav.ui.text import Line, Span, cells
from aksnav.ui.widgets.painted import Painted, Painter, scroll_glyph

_SIDE_STEP = 8
_COLUMNS = re.compile(r" *[^ ]+(?: [^ ]+){0,5}  +(?=[^ ])")
"""A first column of a few words, and the gap behind it."""


class Row(NamedTuple):
    """One line of the screen: a part of a prepared line.

    Attributes:
        line: Index of the prepared line.
        start: First character that is shown.
        end: The character behind the last one.
        indent: Cells before it.
    """

    line: int
    start: int
    end: int
    indent: int


class LinesView(Painted, can_focus=True):
    """Scrolls through lines of spans, wraps them if wanted, finds text in them and gives it out for a copy."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", "Up", show=False, id="lines.up"),
        Binding("down,j", "scroll(1)", "Down", show=False, id="lines.down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="lines.page_up"),
        Binding("pagedown,ctrl+f,space", "page(1)", "Page down", show=False, id="lines.page_down"),
        Binding("home,g", "first", "First line", show=False, id="lines.first"),
        Binding("end,G", "last", "Last line", show=False, id="lines.last"),
        Binding("left", "side(-1)", "Left", show=False, id="lines.left"),
        Binding("right", "side(1)", "Right", show=False, id="lines.right"),
        Binding("n", "match(1)", "Next match", show=False, id="lines.next_match"),
        Binding("N", "match(-1)", "Previous match", show=False, id="lines.previous_match"),
    ]
    DEFAULT_CSS = """
    LinesView { height: 1fr; width: 1fr; }
    """

    def __init__(
        self,
        *,
        wrap: bool = False,
        id: str | None = None,  # noqa: A002 - the name that every Textual widget gives it
        classes: str | None = None,
    ) -> None:
        """Make an empty view.

        Args:
            wrap: Whether long lines go on in the next line; otherwise left and right scroll sideways.
            id: Textual's widget id.
            classes: Textual's CSS classes.
        """
        super().__init__(id=id, classes=classes)
        self._wrap = wrap
        self._lines: list[list[Span]] = []
        self._texts: list[str] = []
        self._copy: list[str] = []
        self._rows: list[Row] = []
        self._measured = self.size
        self._strips: dict[tuple[int, str], Strip] = {}
        self._top = 0
        self._side = 0
        self._pattern: re.Pattern[str] | None = None
        self._matches: list[tuple[int, int, int]] = []
        self._matches_of: dict[int, list[int]] = {}
        self._match = -1

    @property
    def top(self) -> int:
        """Index of the first prepared line that is shown."""
        return self._rows[self._top].line if self._rows else 0

    @property
    def text(self) -> str:
        """All lines as they should reach a clipboard or a file."""
        return "\n".join(self._copy)

    @property
    def match_count(self) -> int:
        """How often the pattern was found."""
        return len(self._matches)

    @property
    def match_number(self) -> int:
        """Which match is current, counted from 1; 0 when there is none."""
        return self._match + 1

    def set_lines(self, lines: Sequence[Line], *, stay: bool = False) -> None:
        """Show other lines.

        Args:
            lines: Spans of foreign or own text; each line stays one line whatever it holds.
            stay: Whether the scroll position is kept, for a newer version of the same text.
        """
        harmless = [[Span(plain(span.text), span.tone) for span in line] for line in lines]
        if stay and harmless == self._lines:
            return
        self._lines = harmless
        self._texts = ["".join(span.text for span in line) for line in harmless]
        self._copy = [strip_unsafe("".join(span.text for span in line), lines=False) for line in lines]
        if not stay:
            self._top = self._side = 0
        self._arrange()
        self._find()
        self.repaint_soon()

    def set_text(self, text: str, tone: str = "", *, stay: bool = False) -> None:
        """Show text of many lines in one tone."""
        self.set_lines([[Span(line, tone)] for line in split_lines(text)], stay=stay)

    def search(self, pattern: re.Pattern[str] | None) -> int:
        """Highlight what a pattern finds and go to the first find from the top of the view on.

        Args:
            pattern: A compiled pattern, None to end the search.

        Returns:
            How often it was found.
        """
        self._pattern = pattern
        self._find()
        if self._matches:
            top = self.top
            self._match = next((i for i, (line, _, _) in enumerate(self._matches) if line >= top), 0)
            self._show_match()
        self.repaint()
        return len(self._matches)

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self._scroll_to_row(self._top + lines)

    def action_page(self, pages: int) -> None:
        """Scroll by pages, with one line in common."""
        self._scroll_to_row(self._top + pages * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """Scroll to the first line."""
        self._scroll_to_row(0)

    def action_last(self) -> None:
        """Scroll to the last line."""
        self._scroll_to_row(len(self._rows))

    def action_side(self, steps: int) -> None:
        """Scroll sideways; there is nothing to see there when lines wrap."""
        longest = max(map(cells, self._texts), default=0)
        side = max(0, min(self._side + steps * _SIDE_STEP, longest - self._room))
        if not self._wrap and side != self._side:
            self._side = side
            self._arrange()
            self.repaint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the keys of a search to the screen while nothing was looked for."""
        del parameters
        return action != "match" or self._pattern is not None

    def action_match(self, step: int) -> None:
        """Go to the next or the previous match, around the ends."""
        if self._matches:
            self._match = (self._match + step) % len(self._matches)
            self._strips.clear()
            self._show_match()
            self.repaint()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Scroll down with the wheel."""
        event.stop()
        self.action_scroll(3)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Scroll up with the wheel."""
        event.stop()
        self.action_scroll(-3)

    def on_resize(self, _event: Resize) -> None:
        """Wrap for the new width, with the same line at the top."""
        self._measure()

    def forget(self) -> None:
        """Drop lines drawn for another width or theme."""
        super().forget()
        self._strips.clear()

    def line(self, y: int) -> Strip:
        """Answer with a line of the view."""
        if self._measured != self.size:
            self._measure()
        index = self._top + y
        bar = scroll_glyph(y, self.size.height, self._top, len(self._rows))
        at = index if index < len(self._rows) else -1
        known = self._strips.get((at, bar))
        if known is None:
            known = self._strips[at, bar] = self._draw(at, bar)
        return known

    @property
    def _room(self) -> int:
        return max(1, self.size.width - 1)

    def _draw(self, index: int, bar: str) -> Strip:
        base = self.base()
        painter = Painter(self._room)
        if index >= 0:
            row = self._rows[index]
            painter.add(" " * row.indent, base)
            text = self._texts[row.line]
            if row.end < len(text) and text[row.end - 1] == " ":
                row = row._replace(end=row.end - 1)  # there may be no room for the space at which the line was divided
            for text, tone in self._runs(row):
                painter.add(text, self.toned(tone))
        return painter.strip(base, bar)

    def _runs(self, row: Row) -> Iterator[tuple[str, str]]:
        """Answer with the parts of a row and their tones, matches on top of the spans."""
        tones: list[tuple[int, int, str]] = []
        position = 0
        for span in self._lines[row.line]:
            tones.append((position, position + len(span.text), span.tone))
            position += len(span.text)
        found = [
            (*self._matches[i][1:], "current" if i == self._match else "match")
            for i in self._matches_of.get(row.line, ())
        ]
        cuts = {row.start, row.end, *(edge for start, end, _ in (*tones, *found) for edge in (start, end))}
        edges = sorted(cut for cut in cuts if row.start <= cut <= row.end)
        for start, end in pairwise(edges):
            covering = [tone for first, last, tone in (*tones, *found) if first <= start and end <= last]
            yield self._texts[row.line][start:end], covering[-1] if covering else ""

    def _measure(self) -> None:
        """Take the size of the widget; Textual asks for lines of a new size before it tells of it."""
        width_before, self._measured = self._measured.width, self.size
        if width_before != self.size.width:
            self._arrange()
        self._top = self._clamp(self._top)

    def _arrange(self) -> None:
        """Divide the prepared lines into lines of the screen, with the same text at the top as before."""
        line = self.top if self._top < len(self._rows) else 0
        wrapped = self._wrap
        self._strips.clear()
        rows: list[Row] = []
        # Before the widget has a size there is nothing to wrap for.
        for number, text in enumerate(self._texts if self.size else ()):
            if wrapped:
                rows.extend(Row(number, *part) for part in wrap(text, self._room))
            else:
                rows.append(Row(number, fitting(text, self._side), len(text), 0))
        if wrapped and self._rows:
            self._top = next((i for i, row in enumerate(rows) if row.line >= line), len(rows))
        self._rows = rows
        self._top = self._clamp(self._top)

    def _clamp(self, top: int) -> int:
        return max(0, min(top, len(self._rows) - self.size.height))

    def _scroll_to_row(self, row: int) -> None:
        self._top = self._clamp(row)
        self.repaint()

    def _find(self) -> None:
        self._strips.clear()
        self._match = -1
        self._matches = []
        self._matches_of = {}
        if self._pattern is None:
            return
        for number, text in enumerate(self._texts):
            for found in self._pattern.finditer(text):
                if found.end() > found.start():
                    self._matches_of.setdefault(number, []).append(len(self._matches))
                    self._matches.append((number, found.start(), found.end()))

    def _show_match(self) -> None:
        if not self._rows:
            return
        line, start, end = self._matches[self._match]
        row = next(i for i, row in enumerate(self._rows) if row.line == line and (not self._wrap or start < row.end))
        if not self._top <= row < self._top + self.size.height:
            self._top = self._clamp(row - self.size.height // 2)
        first, last = cells(self._texts[line][:start]), cells(self._texts[line][:end])
        if not self._wrap and not self._side <= first <= last < self._side + self._room:
            self._side = max(0, first - self._room // 2) if last >= self._room else 0
            self._arrange()


def fitting(text: str, width: int) -> int:
    """Answer with how many characters of the text fit into a width."""
    if text.isascii():
        return min(len(text), width)
    used = 0
    for count, char in enumerate(text):
        used += cells(char)
        if used > width:
            return count
    return len(text)


def wrap(text: str, width: int) -> Iterator[tuple[int, int, int]]:
    """Divide a line into parts that fit a width, behind a space where there is one.

    Args:
        text: Harmless text.
        width: Cells of a line.

    Yields:
        First character, character behind the last, and the indent that the part gets: that of the line, or of its
        second column where it has two.
    """
    found = _COLUMNS.match(text)
    indent = len(text) - len(text.lstrip(" ")) if found is None or found.end() > width // 2 else found.end()
    indent = min(indent, width // 2)
    start, margin = 0, 0
    while True:
        end = start + max(1, fitting(text[start : start + width], width - margin))
        if end >= len(text):
            yield start, len(text), margin
            return
        space = text.rfind(" ", start + 1, end + 1)
        if space > start and text[start:space].strip(" "):
            end = space + 1
        yield start, end, margin
        start, margin = end, indent
