"""What all our line widgets share: tones, and the economy of repainting only what differs from what is shown.

They are plain widgets with a scroll position of their own. Textual's ScrollView lays out the screen again whenever
the number of lines changes, and its scrollbar is a widget that costs more to draw than a page of text.
"""

import re
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from aksnav.model.text import plain
from aksnav.ui.text import Line, cells, fit

TONES: Final = ("good", "bad", "warn", "unknown", "muted", "strong", "accent", "title", "match", "current", "mark")
"""Names of tones. They add to a word or a glyph and never carry the meaning alone."""


_SINGLE = re.compile("[ -~─│├→…·▐▸◆✔✖]*")
"""Text in which every character is one cell for every terminal, so that cells can be counted from its end."""


class Painted(Widget):
    """A widget that draws lines and repaints only those that changed.

    A subclass answers `line(y)`, cheaply because it is asked for every visible line after every change: it should
    return the same Strip object while nothing changed. After a key it calls `repaint`, after a change of data
    `repaint_soon`, after a change of everything `repaint_all`.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"tone--{name}" for name in TONES),
        "painted--base",
        "painted--cursor",
        "painted--cursor-blurred",
        "painted--header",
    }
    DEFAULT_CSS = """
    Painted {
        background: $background;
        color: $foreground;
        & > .tone--good { color: $text-success; }
        & > .tone--bad { color: $text-error; text-style: bold; }
        & > .tone--warn { color: $text-warning; }
        & > .tone--unknown { color: $text-secondary; text-style: italic; }
        & > .tone--muted { color: $foreground-muted; }
        & > .tone--strong { text-style: bold; }
        & > .tone--accent { color: $text-primary; }
        & > .tone--title { color: $text-primary; text-style: bold; }
        & > .tone--match { text-style: reverse; }
        & > .tone--current { text-style: bold reverse underline; }
        & > .tone--mark { color: $text-primary; text-style: bold; }
        & > .painted--header { color: $foreground-muted; text-style: underline; }
        & > .painted--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
            text-style: $block-cursor-text-style;
        }
        & > .painted--cursor-blurred {
            color: $block-cursor-blurred-foreground;
            background: $block-cursor-blurred-background;
            text-style: $block-cursor-blurred-text-style;
        }
    }
    """

    repaint_interval: float = 0.1
    """Seconds between two repaints for changed data; a key repaints at once, and so does the first change."""

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - the name that every Textual widget gives it
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._lines_shown: dict[int, Strip] = {}
        self._asked_for: dict[int, int] = {}  # cells of a line that the next frame repaints, from the left
        self._size_drawn = self.size
        self._styles_known: dict[tuple[str, str], Style] = {}
        self._repaint_timer: Timer | None = None
        self._repaint_wanted = False

    def line(self, y: int) -> Strip:
        """Answer with a line of the screen, as wide as the widget.

        Args:
            y: Lines from the top of the widget's content.
        """
        raise NotImplementedError

    def forget(self) -> None:
        """Drop what was prepared for a width or a theme that is no longer the one."""
        self._lines_shown.clear()
        self._asked_for.clear()
        self._styles_known.clear()

    def render_line(self, y: int) -> Strip:
        """Answer Textual's question for one line, and remember the answer."""
        strip = self.line(y)
        before, asked = self._lines_shown.get(y), self._asked_for.pop(y, None)
        # The line may have changed again since the repaint was asked for, and behind the cells that this frame paints.
        if asked is not None and before is not None and (end := _difference(before, strip)) > asked:
            self.call_later(self.refresh, Region(0, y, end, 1))
        self._lines_shown[y] = strip
        self._size_drawn = self.size
        return strip

    def repaint(self) -> None:
        """Repaint, with the next frame, the lines that no longer look like what is shown."""
        if not self.is_attached or not self.size:
            return
        regions = []
        for y in range(self.size.height):
            shown = self._lines_shown.get(y)
            if shown is None:
                # Never drawn, or forgotten: Textual may hold a drawing of its own and would not ask again by itself.
                self.refresh()
                return
            strip = self.line(y)
            if strip is not shown and (end := _difference(shown, strip)):
                regions.append(Region(0, y, end, 1))
                self._asked_for[y] = max(end, self._asked_for.get(y, 0))
        if regions:
            self.refresh(*regions)

    def repaint_soon(self) -> None:
        """Repaint for changed data: at once after a quiet time, otherwise when the interval is over."""
        if not self.is_attached:
            return
        if self._repaint_timer is not None:
            self._repaint_wanted = True
            return
        if not self._repaint_wanted:
            self._repaint_wanted = True
            self.call_later(self._repaint_for_data)

    def repaint_all(self) -> None:
        """Repaint everything: the width, the theme or the columns changed."""
        self.forget()
        self.refresh()

    def _repaint_for_data(self) -> None:
        self._repaint_timer = None
        if not self._repaint_wanted:
            return
        self._repaint_wanted = False
        self.repaint()
        if self.repaint_interval:
            self._repaint_timer = self.set_timer(self.repaint_interval, self._repaint_for_data)

    def on_resize(self, _event: Resize) -> None:
        """Draw for the new size, unless Textual asked for it before it told."""
        if self._size_drawn != self.size:
            self.repaint_all()

    def notify_style_update(self) -> None:
        """Take the colours of a new theme."""
        super().notify_style_update()
        self.forget()

    def base(self, component: str = "painted--base") -> Style:
        """Answer with the style of a component, background included."""
        return self.toned("", component)

    def toned(self, tone: str, component: str = "painted--base") -> Style:
        """Answer with the style of a tone on the background of a component.

        Args:
            tone: A name out of TONES; "" and unknown names leave the component's style.
            component: The component class that gives the background.
        """
        known = self._styles_known.get((tone, component))
        if known is not None:
            return known
        style = self.get_component_rich_style(component)
        if tone in TONES:
            over = self.get_component_rich_style(f"tone--{tone}")
            style += Style(
                color=over.color,
                bold=over.bold,
                dim=over.dim,
                italic=over.italic,
                underline=over.underline,
                reverse=over.reverse,
            )
        self._styles_known[tone, component] = style
        return style

    def spans_strip(self, line: Line, width: int, component: str = "painted--base") -> Strip:
        """Draw spans from the left into a strip of a width; what does not fit ends in an ellipsis."""
        painter = Painter(width)
        for span in line:
            painter.add(plain(span.text), self.toned(span.tone, component))
        return painter.strip(self.base(component))


class Painter:
    """Puts text beside text into one line of a fixed width, with as few changes of style as possible."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._used = 0
        self._parts: list[tuple[str, Style]] = []

    def add(self, text: str, style: Style) -> None:
        """Add harmless text; what goes beyond the width is cut with an ellipsis."""
        room = self._width - self._used
        if room <= 0 or not text:
            return
        if (have := cells(text)) > room:
            text, have = fit(text, room), room
        self._used += have
        self._append(text, style)

    def strip(self, style: Style, tail: str = "") -> Strip:
        """Fill the line with a style and answer with it.

        Args:
            style: The style of what is empty and of the tail.
            tail: Harmless text behind the width of the line.
        """
        self._append(" " * (self._width - self._used) + tail, style)
        return Strip([Segment(text, style) for text, style in self._parts if text], self._width + cells(tail))

    def _append(self, text: str, style: Style) -> None:
        if self._parts and self._parts[-1][1] == style:
            self._parts[-1] = (self._parts[-1][0] + text, style)
        else:
            self._parts.append((text, style))


def scroll_glyph(row: int, height: int, top: int, total: int) -> str:
    """Answer with the character of a scrollbar of one column.

    Args:
        row: The line, from the top of the scrolled part.
        height: Lines of the scrolled part.
        top: Index of the first item that is shown.
        total: Number of items.

    Returns:
        "▐" where the thumb is, a space elsewhere and when everything fits.
    """
    if total <= height:
        return " "
    size = max(1, height * height // total)
    start = round(top * (height - size) / (total - height))
    return "▐" if start <= row < start + size else " "


def _difference(old: Strip, new: Strip) -> int:
    """Answer with the cell behind the last one that differs, 0 when none does.

    Textual writes a part of a line from the line's start, so where the difference begins saves nothing.
    """
    before, after = list(old), list(new)
    if before == after:
        return 0
    if old.cell_length != new.cell_length:
        return new.cell_length
    end = new.cell_length
    while before and after and before[-1] == after[-1]:
        end -= after.pop().cell_length
        before.pop()
    if before and after and before[-1].style == after[-1].style:
        was, now = before[-1].text, after[-1].text
        if _SINGLE.fullmatch(was) and _SINGLE.fullmatch(now):
            end -= _common_end(was, now)
    return end


def _common_end(one: str, other: str) -> int:
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count
