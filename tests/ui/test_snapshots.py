"""How the building blocks look, colours included."""

from collections.abc import Callable

import pytest
from textual.app import App, ComposeResult

from aksnav.ui.text import Span
from aksnav.ui.widgets.lines import LinesView
from aksnav.ui.widgets.painted import TONES
from aksnav.ui.widgets.strip_bar import BarLine, StripBar
from aksnav.ui.widgets.table import RecordTable
from tests.ui.table_app import COLUMNS, Record, records


class GalleryApp(App[None]):
    """A bar, a table with everything that a row can show, and every tone."""

    CSS = "RecordTable { height: 8; }"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, theme: str) -> None:
        super().__init__()
        self.theme = theme
        self.table = RecordTable[Record](COLUMNS, lambda record: record.key)
        self.table.repaint_interval = 0
        self.bar = StripBar()
        self.view = LinesView()

    def compose(self) -> ComposeResult:
        yield self.bar
        yield self.table
        yield self.view

    def on_mount(self) -> None:
        self.bar.set_line(
            BarLine([Span("─ "), Span("2 Services", "title"), Span(" ")], [Span(" 30/30 ─")], "─", "muted")
        )
        self.table.set_rows(records(30))
        self.table.sort_by("number", reverse=True)
        self.table.set_marks(frozenset({"row-000027", "row-000024"}))
        self.table.update_rows({"row-000026": Record(26, "row-000026", "failed")}, now=1.0)
        self.table.set_notice("last read 38 s ago: connection refused")
        self.table.focus()
        self.view.set_lines([[Span(f"{tone}: ", "muted"), Span(f"text in the tone {tone}", tone)] for tone in TONES])


@pytest.mark.parametrize("theme", ["textual-dark", "ansi-dark"])
def test_table_bar_and_tones(snap_compare: Callable[..., bool], theme: str) -> None:
    """The picture is reviewed when it changes; run pytest with --snapshot-update to accept it."""
    assert snap_compare(GalleryApp(theme), terminal_size=(80, 22))
