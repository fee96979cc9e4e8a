"""The view of lines, as its user sees it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from aksnav.model.text import plain
from aksnav.ui.text import Span, cells
from aksnav.ui.widgets.lines import LinesView, fitting, wrap
from tests.ui.payloads import PAYLOADS
from tests.ui.screen import screen_lines, screen_text

SIZE = (40, 10)


class LinesApp(App[None]):
    """One view of lines, all over the screen."""

    def __init__(self, *, wrap: bool = False) -> None:
        super().__init__()
        self.view = LinesView(wrap=wrap)
        self.view.repaint_interval = 0

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        self.view.focus()


def numbered(count: int) -> str:
    return "\n".join(f"line {number}" for number in range(count))


@pytest.mark.parametrize(
    ("keys", "first"),
    [
        ([], 0),
        (["down", "j", "k"], 1),
        (["up"], 0),
        (["pagedown"], 9),
        (["space", "pageup"], 0),
        (["G"], 90),
        (["end", "j"], 90),
        (["G", "g"], 0),
        (["end", "home"], 0),
    ],
)
async def test_keys_scroll(keys: list[str], first: int) -> None:
    """Lines, pages and ends, never beyond them."""
    app = LinesApp()
    async with app.run_test(size=SIZE) as pilot:
        app.view.set_text(numbered(100))
        await pilot.press(*keys, "x")
        assert screen_lines(app)[0].split(" ▐")[0].rstrip() == f"line {first}"
        assert app.view.top == first


async def test_spans_keep_their_order_and_foreign_newlines_do_not_break_lines() -> None:
    """A line stays one line whatever its spans hold."""
    app = LinesApp()
    async with app.run_test(size=SIZE) as pilot:
        app.view.set_lines([[Span("because ", "muted"), Span("a\nb", "bad")], [], [Span("[red]end[/]")]])
        await pilot.pause()
        assert screen_lines(app)[:3] == ["because a␊b", "", "[red]end[/]"]


async def test_a_newer_version_keeps_the_scroll_position_on_demand() -> None:
    """Evidence that is evaluated again does not jump away from its reader."""
    app = LinesApp()
    async with app.run_test(size=SIZE) as pilot:
        app.view.set_text(numbered(100))
        await pilot.press("pagedown")
        app.view.set_text(numbered(100), stay=True)
        assert app.view.top == 9
        app.view.set_text(numbered(99), stay=True)
        assert app.view.top == 9
        app.view.set_text(numbered(5), stay=True)
        assert app.view.top == 0
        app.view.set_text(numbered(100))
        await pilot.press("pagedown")
        app.view.set_text(numbered(100))
        assert app.view.top == 0


async def test_long_lines_are_reached_sideways() -> None:
    """Without wrapping, an ellipsis says that there is more, and right and left go there."""
    app = LinesApp()
    async with app.run_test(size=SIZE) as pilot:
        app.view.set_text("x" * 38 + "0123456789end")
        await pilot.pause()
        assert screen_lines(app)[0].endswith("…")
        await pilot.press("right", "right", "right")
        assert screen_lines(app)[0].endswith("0123456789end")
        await pilot.press("left", "left", "left")
        assert screen_lines(app)[0].startswith("x" * 38)


async def test_wrapped_lines_show_everything_with_their_indent() -> None:
    """Nothing is cut; what goes on is indented as the line began."""
    app = LinesApp(wrap=True)
    async with app.run_test(size=(20, 10)) as pilot:
        app.view.set_text("  message: the backend is not ready yet")
        await pilot.pause()
        assert screen_lines(app)[:3] == ["  message: the", "  backend is not", "  ready yet"]
        await pilot.resize_terminal(60, 10)
        await pilot.pause()
        assert screen_lines(app)[0] == "  message: the backend is not ready yet"


@given(st.sampled_from(PAYLOADS) | st.text("ab 名", max_size=80), st.integers(1, 30))
def test_wrapping_loses_nothing_and_fits(text: str, width: int) -> None:
    """The parts joined are the text; each fits its width unless one character is wider."""
    line = plain(text, 300)
    parts = list(wrap(line, width))
    assert "".join(line[start:end] for start, end, _ in parts) == line
    for start, end, indent in parts:
        part = line[start:end]
        assert indent + cells(part.rstrip(" ")) <= max(width, 2) or len(part.rstrip(" ")) == 1


@given(st.text("ab名\u0301", max_size=30), st.integers(0, 40))
def test_fitting_counts_the_characters_that_fit(text: str, width: int) -> None:
    """The longest beginning that is not too wide."""
    count = fitting(text, width)
    assert sum(map(cells, text[:count])) <= width
    assert count == len(text) or sum(map(cells, text[: count + 1])) > width


async def test_search_goes_to_matches_and_around_the_ends() -> None:
    """The current match differs from the others; n and N go through them."""
    app = LinesApp()
    async with app.run_test(size=SIZE) as pilot:
        app.view.set_text(numbered(100))
        assert app.view.search(re.compile("line .7")) == 9
        assert (app.view.match_number, app.view.match_count) == (1, 9)
        await pilot.pause()
        assert "line 17" in screen_text(app)
        await pilot.press("n")
        assert app.view.match_number == 2
        assert "line 27" in screen_text(app)
        await pilot.press("N", "N")
        assert app.view.match_number == 9
        assert "line 97" in screen_text(app)
        styles = {segment.text: segment.style for segment in app.view.line(97 - app.view.top)}
        assert styles["line 97"] != app.view.base()
        assert app.view.search(None) == 0
        await pilot.press("n")
        assert app.view.match_number == 0


async def test_a_match_beyond_the_right_edge_comes_into_view() -> None:
    """Search scrolls sideways where lines do not wrap."""
    app = LinesApp()
    async with app.run_test(size=SIZE) as pilot:
        app.view.set_text("x" * 100 + "needle")
        app.view.search(re.compile("needle"))
        await pilot.pause()
        assert "needle" in screen_text(app)


async def test_an_empty_match_is_no_match() -> None:
    """A pattern that matches nothing visible marks nothing."""
    app = LinesApp()
    async with app.run_test(size=SIZE):
        app.view.set_text("abc")
        assert app.view.search(re.compile("x*")) == 0


async def test_a_copy_is_the_text_itself() -> None:
    """Stand-ins are for the screen; the clipboard gets the text without what is invisible."""
    app = LinesApp()
    async with app.run_test(size=SIZE):
        app.view.set_lines([[Span("a\x1b[1mb\u202e "), Span("名")], [Span("y" * 5000)]])
        assert app.view.text == "a[1mb 名\n" + "y" * 5000


async def test_every_line_is_as_wide_as_the_screen() -> None:
    """Whatever the text, wrapped or not."""
    for wrapped in (False, True):
        app = LinesApp(wrap=wrapped)
        async with app.run_test(size=SIZE):
            app.view.set_lines([[Span(text), Span(text, "bad")] for text in PAYLOADS])
            for _ in range(40):
                assert {app.view.line(y).cell_length for y in range(10)} == {40}
                app.view.action_page(1)
