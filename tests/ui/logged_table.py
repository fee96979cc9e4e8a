"""The program with one table that remembers what it is told, and what of it is on the screen."""

from textual.app import App

from aksnav.ui.widgets.table import RecordTable
from tests.ui.screen import screen_lines
from tests.ui.table_app import TableApp

SIZE = (80, 12)
"""One line of header and eleven of rows."""


class LoggedApp(TableApp):
    """Remembers what the table tells its owner."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.table.repaint_interval = 0
        self.told: list[tuple[str, str | None]] = []

    def on_record_table_row_highlighted(self, message: RecordTable.RowHighlighted) -> None:
        self.told.append(("highlighted", message.key))

    def on_record_table_row_selected(self, message: RecordTable.RowSelected) -> None:
        self.told.append(("selected", message.key))


def cursor_line(app: App[None]) -> int:
    """The line of the screen that the cursor is on."""
    return next(y for y, line in enumerate(screen_lines(app)) if line.startswith("▸"))


def names(app: App[None]) -> list[str]:
    """The names of the rows that are visible."""
    return [line[2:].split()[0] for line in screen_lines(app)[1:] if line[2:].strip()]
