"""The bench's terminal shows what a user would see; nothing here is timed."""

import re

from tests.bench.screen import Picture, learn_cursor, stripped
from tests.bench.terminal import KeySummary, KeyTiming

SELECTED = b"\x1b[44m"
PLAIN = b"\x1b[0m"


def _list(selected: int) -> bytes:
    rows = [b"\x1b[%d;1H%b row %d   %b" % (at + 1, SELECTED if at == selected else PLAIN, at, PLAIN) for at in range(5)]
    return b"".join(rows)


def test_sequences_that_are_no_text_leave_no_text() -> None:
    """Keyboard protocol, mode queries, titles and device control strings do not end up on the screen."""
    picture = Picture(20, 3)
    picture.feed(b"\x1b[>1u\x1b[?2026$p\x1b]0;title\x07\x1bP>|x\x1b\\\x1b[<uHello")
    assert picture.lines()[0].rstrip() == "Hello"


def test_a_sequence_cut_between_two_reads_is_put_together() -> None:
    """A read may end anywhere: inside a sequence, inside a letter of more than one byte."""
    data = "\x1b[>1u\x1b[31mübel\x1b]8;;http://x\x1b\\y".encode()
    for cut in range(len(data)):
        picture = Picture(20, 2)
        picture.feed(data[:cut])
        picture.feed(data[cut:])
        assert picture.lines()[0].rstrip() == "übely", cut


def test_the_hint_sees_text_between_colours() -> None:
    """Text that is coloured letter by letter is found without working out the picture."""
    assert "kube live" in stripped(b"\x1b[1;1H\x1b[31mkube\x1b[0m \x1b[32mlive\x1b[?25l")


def test_the_selected_row_is_learned_from_one_move() -> None:
    """The row that looks like few others is the selected one; its place and text are told."""
    picture = Picture(20, 5)
    picture.feed(_list(0))
    before = picture.looks()
    picture.feed(_list(1))
    cursor = learn_cursor(before, picture.looks())
    assert cursor is not None
    assert picture.selected(cursor) == (1, " row 1   ")
    picture.feed(_list(3))
    assert picture.selected(cursor) == (3, " row 3   ")


def test_nothing_is_learned_when_no_row_loses_what_another_gains() -> None:
    """A program without a selected row is measured by its bytes only."""
    picture = Picture(20, 5)
    before = picture.looks()
    picture.feed(b"plain text without a colour")
    assert learn_cursor(before, picture.looks()) is None


def test_a_pattern_is_found_over_rows_that_were_drawn_at_different_times() -> None:
    """Only rows that changed are read again; the others stay known."""
    picture = Picture(20, 3)
    picture.feed(b"one")
    assert picture.matches(re.compile("one"))
    picture.feed(b"\r\ntwo")
    assert picture.matches(re.compile(r"one\s+two"))


def test_keys_without_an_effect_are_counted_and_not_timed() -> None:
    """A key at the end of a list must not look fast."""
    summary = KeySummary.of(
        [KeyTiming(1.0, 2.0, 3.0, 10), KeyTiming(None, None, None, 0), KeyTiming(1.0, 4.0, 5.0, 30)]
    )
    assert (summary.keys, summary.without_effect) == (3, 1)
    assert summary.effect_p50 == 3.0
    assert summary.effect_max == 4.0
