"""A small Textual program to try the driver on: a table of virtual rows, one of which can be watched changing.

python -m tests.bench.terminal --until 'rows 200,000' --keys 20 -- python -m tests.bench.sample_app
"""

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

_ROWS = 200_000
_SELECTED = Style(bgcolor="blue", color="white")


class Rows(ScrollView, can_focus=True):
    """A list with a selected row, drawn line by line."""

    BINDINGS: ClassVar[list[BindingType]] = [("down", "move(1)", "Down"), ("up", "move(-1)", "Up")]

    selected = 0

    def on_mount(self) -> None:
        """Tell the size of what can be scrolled."""
        self.virtual_size = Size(80, _ROWS)

    def render_line(self, y: int) -> Strip:
        """One row."""
        row = y + self.scroll_offset.y
        style = _SELECTED if row == self.selected else Style()
        return Strip([Segment(f" row {row:06d}".ljust(self.size.width), style)], self.size.width)

    def action_move(self, rows: int) -> None:
        """Move the selection; half a page is scrolled at the edge."""
        self.selected = min(max(self.selected + rows, 0), _ROWS - 1)
        top = self.scroll_offset.y
        if not top <= self.selected < top + self.size.height:
            self.scroll_to(y=max(self.selected - self.size.height // 2, 0), animate=False)
        self.refresh()


class Sample(App[None]):
    """A line of facts over the rows."""

    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit")]

    def compose(self) -> ComposeResult:
        """The two widgets."""
        yield Static(f"sample: rows {_ROWS:,}")
        yield Rows()


if __name__ == "__main__":
    Sample().run(mouse=False)
