"""The table, as its user sees it."""

import pytest
from textual.app import App, ComposeResult

from aksnav.ui.widgets.columns import Column
from aksnav.ui.widgets.table import RecordTable
from tests.ui.logged_table import SIZE, LoggedApp, cursor_line, names
from tests.ui.screen import screen_lines, screen_text
from tests.ui.table_app import Record, records


async def test_rows_stand_under_their_headers() -> None:
    """Header and cells are aligned, the cursor is on the first row."""
    app = LoggedApp(3)
    async with app.run_test(size=(100, 5)):
        header, first, second = screen_lines(app)[:3]
        assert header.index("STATE") == first.index("ready") == second.index("ready")
        assert header.rstrip().endswith("AGE")
        assert first.startswith("▸ row-000000")
        assert second.startswith("  row-000001")


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        (["down"], "row-000001"),
        (["j", "j", "k"], "row-000001"),
        (["down", "up", "up"], "row-000000"),
        (["pagedown"], "row-000010"),
        (["pagedown", "pagedown", "pageup"], "row-000010"),
        (["end"], "row-000099"),
        (["G"], "row-000099"),
        (["G", "g"], "row-000000"),
        (["end", "home"], "row-000000"),
        (["G", "j"], "row-000099"),
    ],
)
async def test_keys_move_the_cursor(keys: list[str], key: str) -> None:
    """Arrows, vi keys, pages and ends; the letters as a terminal sends them."""
    app = LoggedApp(100)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press(*keys)
        assert app.table.cursor_key == key
        assert screen_lines(app)[cursor_line(app)].startswith(f"▸ {key}")
        assert app.told[-1] == ("highlighted", key)


async def test_the_view_jumps_by_half_a_page_when_the_cursor_leaves_it() -> None:
    """One repaint of the view serves the next moves, too."""
    app = LoggedApp(100)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press(*["down"] * 10)
        assert cursor_line(app) == 11
        await pilot.press("down")
        assert app.table.cursor_key == "row-000011"
        assert cursor_line(app) == 6


async def test_enter_tells_the_owner_which_row() -> None:
    """The message carries key and row."""
    app = LoggedApp(5)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("down", "enter")
        assert app.told[-1] == ("selected", "row-000001")
        assert app.table.cursor_row == records(2)[1]


async def test_an_empty_table_says_why() -> None:
    """The owner's text stands where rows would be; keys do no harm."""
    app = LoggedApp(0)
    async with app.run_test(size=SIZE) as pilot:
        assert "no rows" in screen_text(app)
        app.table.set_empty("not readable: list pods (403)", "bad")
        await pilot.press("down", "end", "pageup", "enter")
        assert "not readable: list pods (403)" in screen_text(app)
        assert app.told == []
        assert (app.table.cursor_key, app.table.cursor_row) == (None, None)


async def test_a_full_swap_keeps_the_cursor_on_its_key_and_line() -> None:
    """New versions of the same rows do not move what the user looks at."""
    app = LoggedApp(100)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("G")
        app.table.go_to("row-000090")
        await pilot.pause()
        line = cursor_line(app)
        app.table.set_rows(records(300)[50:])
        await pilot.pause()
        assert app.table.cursor_key == "row-000090"
        assert cursor_line(app) == line


async def test_a_row_that_arrives_at_the_top_is_seen_at_once() -> None:
    """With worst-first sorting the newcomer is what matters; the cursor stays on its own row."""
    app = LoggedApp(5)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("down", "up")
        app.table.sort_by("name")
        app.table.update_rows({"a-new": Record(7, "a-new", "failed")})
        await pilot.pause()
        assert names(app)[:2] == ["a-new", "row-000000"]
        assert app.table.cursor_key == "row-000000"
        assert cursor_line(app) == 2


async def test_a_cursor_that_nobody_moved_stays_on_the_first_row() -> None:
    """While a list arrives, what is worst so far is under the cursor; Home brings that back."""
    app = LoggedApp(30)
    async with app.run_test(size=SIZE) as pilot:
        app.table.sort_by("name")
        app.table.update_rows({name: Record(7, name, "failed") for name in ("a-new", "b-new")})
        await pilot.pause()
        assert (app.table.cursor_key, cursor_line(app)) == ("a-new", 1)
        assert app.told[-1] == ("highlighted", "a-new")
        await pilot.press("down", "home")
        app.table.update_rows({"a-earlier": Record(7, "a-earlier", "failed")})
        await pilot.pause()
        assert (app.table.cursor_key, cursor_line(app)) == ("a-earlier", 1)


async def test_removed_rows_go_and_the_cursor_takes_the_next() -> None:
    """The owner is told of the row that the cursor is on now, and of none when the last has gone."""
    app = LoggedApp(3)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("down")
        app.table.update_rows({}, {"row-000001"})
        await pilot.pause()
        assert names(app) == ["row-000000", "row-000002"]
        assert app.told[-1:] == [("highlighted", "row-000002")]
        app.table.update_rows({}, {"row-000000", "row-000002"})
        await pilot.pause()
        assert app.told[-1:] == [("highlighted", None)]
        assert "no rows" in screen_text(app)


async def test_a_changed_row_shows_its_new_text_and_a_mark_that_fades() -> None:
    """The gutter says that it changed, for the flash time by the owner's clock."""
    app = LoggedApp(4)
    async with app.run_test(size=SIZE) as pilot:
        app.table.update_rows({"row-000002": Record(2, "row-000002", "failed")}, now=100.0)
        await pilot.pause()
        assert screen_lines(app)[3].startswith(" ·row-000002")
        assert "failed" in screen_lines(app)[3]
        app.table.tick(104.9)
        await pilot.pause()
        assert screen_lines(app)[3].startswith(" ·")
        app.table.tick(105.0)
        await pilot.pause()
        assert screen_lines(app)[3].startswith("  row-000002")


async def test_a_full_swap_marks_what_differs() -> None:
    """Rows that are worked out anew as a whole show which of them changed, and new ones are not changes."""
    app = LoggedApp(3)
    async with app.run_test(size=SIZE) as pilot:
        rows = records(4)
        app.table.set_rows([*rows[:1], Record(1, "row-000001", "failed"), *rows[2:]], now=10.0)
        await pilot.pause()
        assert [line[:2] for line in screen_lines(app)[1:5]] == ["▸ ", " ·", "  ", "  "]
        app.table.set_rows(rows[1:])
        app.table.tick(14.0)
        await pilot.pause()
        assert screen_lines(app)[1].startswith("▸·row-000001")


async def test_linked_rows_carry_a_glyph() -> None:
    """Marks are a character in the gutter, on the cursor's row as well."""
    app = LoggedApp(4)
    async with app.run_test(size=SIZE) as pilot:
        app.table.set_marks(frozenset({"row-000000", "row-000003", "elsewhere"}))
        await pilot.pause()
        assert [line[:2] for line in screen_lines(app)[1:5]] == ["▸◆", "  ", "  ", " ◆"]
        app.table.set_marks(frozenset())
        await pilot.pause()
        assert "◆" not in screen_text(app)


async def test_sorting_shows_an_arrow_and_is_stable_both_ways() -> None:
    """Rows of equal value keep the order in which they came; the cursor stays on its row."""
    app = LoggedApp(5)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("down", "up")
        app.table.sort_by("state")
        await pilot.pause()
        assert "STATE▲" in screen_lines(app)[0]
        assert names(app) == [f"row-00000{n}" for n in (4, 0, 1, 2, 3)]
        assert app.table.cursor_key == "row-000000"
        app.table.sort_by("state", reverse=True)
        await pilot.pause()
        assert "STATE▼" in screen_lines(app)[0]
        assert names(app) == [f"row-00000{n}" for n in (3, 0, 1, 2, 4)]
        assert app.table.sorted_by == ("state", True)
        app.table.sort_by(None)
        await pilot.pause()
        assert names(app) == [f"row-00000{n}" for n in range(5)]
        with pytest.raises(KeyError):
            app.table.sort_by("nothing")


async def test_numbers_sort_by_value() -> None:
    """A column's sort key decides, not its text."""
    app = LoggedApp(12)
    async with app.run_test(size=SIZE) as pilot:
        app.table.sort_by("number", reverse=True)
        await pilot.pause()
        assert names(app)[:3] == ["row-000011", "row-000010", "row-000009"]


async def test_a_filter_counts_and_lets_go() -> None:
    """Shown and total tell how much is hidden; what changes enters and leaves the view."""
    app = LoggedApp(10)
    async with app.run_test(size=SIZE) as pilot:
        app.table.set_filter(lambda record: record.state == "failed")
        await pilot.pause()
        assert (app.table.shown, app.table.total) == (2, 10)
        assert names(app) == ["row-000004", "row-000009"]
        app.table.update_rows({"row-000000": Record(0, "row-000000", "failed")}, {"row-000004"})
        await pilot.pause()
        assert names(app) == ["row-000000", "row-000009"]
        app.table.set_filter(lambda _record: False)
        await pilot.pause()
        assert "nothing matches (0 of 9)" in screen_text(app)
        app.table.set_filter(None)
        await pilot.pause()
        assert app.table.shown == 9


async def test_a_filter_over_many_rows_shows_the_first_finds_at_once() -> None:
    """It goes on between keys, while rows change, and the cursor comes back to its row when it is found."""
    app = LoggedApp(50_000)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("G")
        app.table.set_filter(lambda record: record.number % 1000 in {3, 999})
        assert app.table.filtering
        assert app.table.row("row-049999") is not None
        assert app.table.shown == 8
        app.table.update_rows({"row-040000": Record(40_003, "row-040000", "failed")}, {"row-030003"})
        while app.table.filtering:
            await pilot.pause()
        assert app.table.shown == 100
        assert app.table.cursor_key == "row-049999"
        assert "row-049999" in screen_lines(app)[cursor_line(app)]


async def test_a_key_during_a_filter_decides_where_the_cursor_is() -> None:
    """What the user does counts more than where the cursor was."""
    app = LoggedApp(50_000)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("G")
        app.table.set_filter(lambda record: record.number % 1000 == 999)
        app.table.action_first()
        while app.table.filtering:
            await pilot.pause()
        assert app.table.cursor_key == "row-000999"


async def test_a_notice_stands_under_the_header_and_costs_one_line() -> None:
    """What is stale says so in its own pane, with the rows still there."""
    app = LoggedApp(100)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press(*["down"] * 10)
        app.table.set_notice("last read 38 s ago: connection refused")
        await pilot.pause()
        assert screen_lines(app)[1].strip() == "last read 38 s ago: connection refused"
        assert screen_lines(app)[cursor_line(app)].startswith("▸ row-000010")
        app.table.set_notice("")
        await pilot.pause()
        assert "last read" not in screen_text(app)


async def test_cells_that_read_a_clock_are_drawn_anew_on_demand() -> None:
    """The owner says when what the columns read beside the rows has changed."""
    clock = [1]
    table = RecordTable[str]([Column("age", "AGE", lambda _row: f"{clock[0]} s")], lambda row: row)
    table.repaint_interval = 0

    class ClockApp(App[None]):
        def compose(self) -> ComposeResult:
            yield table

    app = ClockApp()
    async with app.run_test(size=SIZE) as pilot:
        table.set_rows(["x"])
        await pilot.pause()
        assert "1 s" in screen_text(app)
        clock[0] = 2
        table.redraw()
        await pilot.pause()
        assert "2 s" in screen_text(app)


async def test_the_mouse_moves_the_cursor_and_opens() -> None:
    """Nothing needs a mouse, and it works where there is one."""
    app = LoggedApp(5)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.click(app.table, offset=(5, 3))
        assert app.table.cursor_key == "row-000002"
        await pilot.click(app.table, offset=(5, 9))
        await pilot.click(app.table, offset=(5, 0))
        assert app.table.cursor_key == "row-000002"
        await pilot.double_click(app.table, offset=(5, 2))
        assert app.told[-1] == ("selected", "row-000001")


async def test_go_to_answers_whether_the_row_is_shown() -> None:
    """A row that the filter hides cannot be gone to."""
    app = LoggedApp(50)
    async with app.run_test(size=SIZE):
        assert app.table.go_to("row-000049")
        assert app.table.cursor_key == "row-000049"
        app.table.set_filter(lambda record: record.number < 10)
        assert not app.table.go_to("row-000049")
        assert app.table.row("row-000049") is not None
