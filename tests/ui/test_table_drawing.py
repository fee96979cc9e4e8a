"""What the table draws, how wide, and how often."""

import pytest
from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Static

from aksnav.ui.widgets.columns import Column
from aksnav.ui.widgets.table import RecordTable
from tests.ui.logged_table import SIZE, LoggedApp
from tests.ui.screen import screen_lines, screen_text
from tests.ui.table_app import COLUMNS, Record


@pytest.mark.parametrize("width", [20, 33, 80, 160, 300])
async def test_every_line_is_as_wide_as_the_screen(width: int) -> None:
    """Wide and combining characters do not push what follows, at any width."""
    app = LoggedApp(0)
    wide = [
        Record(1, "名前名前名前名前名前名前名前名前名前名前", "ready"),
        Record(2, "e\u0301e\u0301 accents", "ready"),
        Record(3, "👩‍💻 family 🇩🇪", "failed"),
        Record(4, "plain", "waiting"),
    ]
    async with app.run_test(size=(width, 8)) as pilot:
        app.table.set_rows(wide)
        await pilot.pause()
        assert {app.table.line(y).cell_length for y in range(8)} == {width}
        placed = app.table.line(1).text[:1]
        assert placed == "▸"


async def test_a_narrow_screen_drops_the_unimportant_columns() -> None:
    """At 40 columns the name and the state are still there."""
    app = LoggedApp(2)
    async with app.run_test(size=(40, 6)) as pilot:
        assert screen_lines(app)[0].split() == ["NAME", "STATE", "ADDRESS"]
        await pilot.resize_terminal(200, 6)
        await pilot.pause()
        assert len(screen_lines(app)[0].split()) == len(COLUMNS)


async def test_branches_stand_before_the_text_of_a_tree() -> None:
    """A tree is a table of flattened rows with a prefix; a long name gives way, the branch does not."""
    column = Column[str]("name", "NAME", lambda row: row, width=12, prefix=lambda row: "├ " if row != "root" else "")
    table = RecordTable[str]([column], lambda row: row)

    class TreeApp(App[None]):
        def compose(self) -> ComposeResult:
            yield table

    app = TreeApp()
    async with app.run_test(size=SIZE) as pilot:
        table.set_rows(["root", "a-very-long-subnet"])
        await pilot.pause()
        assert [line.rstrip() for line in screen_lines(app)[1:3]] == ["▸ root", "  ├ a-very-lo…"]


async def test_the_cursor_is_visible_without_focus_and_without_colour() -> None:
    """A glyph shows it in every pane; the style differs where the focus is not."""

    class TwoApp(LoggedApp):
        def compose(self) -> ComposeResult:
            yield self.table
            other = Static("other")
            other.can_focus = True
            yield other

    app = TwoApp(3)
    async with app.run_test(size=SIZE) as pilot:
        focused = app.table.line(1)
        app.query_one(Static).focus()
        await pilot.pause()
        assert app.table.line(1).text == focused.text
        assert next(iter(app.table.line(1))).style != next(iter(focused)).style


async def test_two_hundred_thousand_rows_are_one_page_of_work() -> None:
    """Only what is visible is drawn."""
    drawn: list[int] = []

    def text(row: int) -> str:
        drawn.append(row)
        return str(row)

    table = RecordTable[int]([Column("n", "N", text, sort_key=lambda row: row)], str)

    class BigApp(App[None]):
        def compose(self) -> ComposeResult:
            yield table

    app = BigApp()
    async with app.run_test(size=SIZE) as pilot:
        table.set_rows(range(200_000))
        await pilot.press("G")
        assert "199999" in screen_text(app)
        assert len(drawn) < 100


class WatchedTable(RecordTable[Record]):
    """Remembers which lines Textual drew anew."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, lambda record: record.key)
        self.drawn: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.drawn.append(y)
        return super().render_line(y)


async def test_only_lines_that_look_different_are_drawn() -> None:
    """A change out of sight costs nothing, nor does one that shows the same text."""

    class WatchedApp(LoggedApp):
        def __init__(self) -> None:
            super().__init__(100)
            self.watched = WatchedTable()
            self.watched.repaint_interval = 0
            self.table = self.watched

    app = WatchedApp()
    async with app.run_test(size=SIZE) as pilot:
        app.watched.drawn.clear()
        for number, state, lines in ((90, "failed", set()), (3, "waiting", set()), (3, "failed", {4})):
            name = f"row-{number:06}"
            app.table.update_rows({name: Record(number, name, state)})
            await pilot.pause()
            assert set(app.watched.drawn) == lines
        app.watched.drawn.clear()
        await pilot.press("down")
        assert set(app.watched.drawn) == {1, 2}


async def test_changes_behind_another_screen_are_there_when_it_goes() -> None:
    """A table that nobody sees takes changes, and shows them later."""
    app = LoggedApp(3)
    async with app.run_test(size=SIZE) as pilot:
        await app.push_screen(Screen())
        app.table.update_rows({"row-000001": Record(1, "row-000001", "failed")}, {"row-000002"})
        await pilot.pause()
        assert "row-000001" not in screen_text(app)
        app.pop_screen()
        await pilot.pause()
        assert "failed" in screen_lines(app)[2]
        assert "row-000002" not in screen_text(app)


async def test_another_theme_takes_effect_at_once() -> None:
    """Prepared styles do not outlive their theme."""
    app = LoggedApp(3)
    async with app.run_test(size=SIZE) as pilot:
        before = [segment.style for segment in app.table.line(2)]
        app.theme = "textual-light"
        await pilot.pause()
        assert [segment.style for segment in app.table.line(2)] != before


async def test_repaints_for_data_wait_for_the_interval() -> None:
    """The first change after a quiet time is shown at once, the following ones together when the interval is over."""
    app = LoggedApp(3)
    app.table.repaint_interval = 3600
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.table.update_rows({"row-000001": Record(1, "row-000001", "failed")})
        await pilot.pause()
        assert "ready" in screen_lines(app)[2]
        await pilot.press("down")
        assert "failed" in screen_lines(app)[2]
