"""What a table says beside its rows: long reasons in several lines, and what a filter asked for that found nothing."""

import pytest

from aksnav.ui.search import written
from aksnav.ui.widgets.around import wrapped
from aksnav.ui.widgets.flashes import Flashes
from tests.ui.screen import screen_lines, screen_text
from tests.ui.table_app import TableApp


async def test_a_long_reason_for_an_empty_table_goes_on_in_the_next_line() -> None:
    """The end of an error tells as much as its beginning: at which scope a right is missing."""
    app = TableApp(0)
    async with app.run_test(size=(40, 12)) as pilot:
        app.table.set_empty('pods is forbidden: cannot list resource "pods" in API group "" at the cluster scope')
        await pilot.press("down")
        told = " ".join(" ".join(screen_lines(app)).split())
        assert 'pods is forbidden: cannot list resource "pods" in API group "" at the cluster scope' in told


async def test_a_filter_that_finds_nothing_says_what_it_asked_for() -> None:
    """Rows are there, and none has what is looked for."""
    app = TableApp(3)
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_filter(lambda _: False, "/nosuch")
        await pilot.press("down")
        assert "nothing matches /nosuch (0 of 3)" in screen_text(app)


def test_lines_break_between_words_and_a_word_that_is_too_long_is_cut() -> None:
    """Every line fits, nothing is lost, and control characters are visible."""
    lines = wrapped("ab \x1b[31m 界界界界 abcdefghij", 6)
    assert all(len(line) <= 6 for line in lines)
    assert "".join(lines).replace(" ", "").endswith("abcdefghij")
    assert "\x1b" not in "".join(lines)
    assert wrapped("", 10) == [""]


def test_marks_of_changes_fade_in_the_order_in_which_they_came() -> None:
    """A change that comes again is young again; rows that are gone have no mark."""
    flashes = Flashes(5.0)
    flashes.note(["a", "b", "c"], 0.0)
    flashes.note(["a"], 3.0)
    flashes.drop({"c"})
    assert flashes.fade(5.0)
    assert [key in flashes for key in "abc"] == [True, False, False]
    assert not flashes.fade(6.0)
    assert flashes.fade(8.0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tcp://20.50.1.9:8883", ("20.50.1.9",)),
        ("Internet 10.0.0.0/8 80 443", ("10.0.0.0/8",)),
        ("https://[fd00::7]:443/", ("fd00::7",)),
        ("from ::/0 to any", ("::/0",)),
        ("12:13:14 99.1.1.300 svc/shop/api:80", ()),
    ],
)
def test_addresses_are_found_in_words(text: str, found: tuple[str, ...]) -> None:
    """What looks like an address and is none is left out: times, ports, numbers beyond a byte."""
    assert written(text) == found
