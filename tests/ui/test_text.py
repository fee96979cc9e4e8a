"""Foreign text becomes harmless, and stays recognisable."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aksnav.model.text import plain, plain_lines, split_lines, strip_unsafe
from aksnav.ui.text import Span, cell, cells, content, fit, head, shorten, tail, text_of
from tests.ui.payloads import PAYLOADS

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=200)
TROUBLE = st.lists(st.sampled_from(PAYLOADS), max_size=4).map("".join) | ANY_TEXT


@given(TROUBLE)
def test_plain_is_one_printable_line(text: str) -> None:
    """Whatever comes in, what comes out has no character that a terminal acts on."""
    assert plain(text).isprintable()


@given(TROUBLE, st.integers(1, 300))
def test_plain_keeps_its_limit_and_does_nothing_the_second_time(text: str, limit: int) -> None:
    """Text may pass through twice on its way without being changed again."""
    once = plain(text, limit)
    assert len(once) <= limit
    assert plain(once, limit) == once


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=100))
def test_plain_leaves_ordinary_text_alone(text: str) -> None:
    """Printable ASCII, brackets included, is what it was."""
    assert plain(text) == text


@given(TROUBLE)
def test_no_character_carries_more_than_three_marks(text: str) -> None:
    """Piled marks would overprint the lines above and below."""
    run = 0
    for char in plain(text):
        run = run + 1 if unicodedata.category(char).startswith("M") else 0
        assert run <= 3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "␛[31m"),
        ("a\nb\tc\x00", "a␊b␉c␀"),
        ("\x7f", "␡"),
        ("\x9b1m", "⟨009B⟩1m"),
        ("user\u202etxt", "user⟨202E⟩txt"),
        ("a\u200bb", "a⟨200B⟩b"),
        ("\ud800", "⟨D800⟩"),
        ("\U000e0041", "⟨E0041⟩"),
        ("a\u3164b", "a⟨3164⟩b"),
        ("🇩🇪", "⟨1F1E9⟩⟨1F1EA⟩"),
        ("e\u0301", "e\u0301"),
        ("\u0301x", "◌\u0301x"),
        ("a" + "\u0301" * 4, "a" + "\u0301" * 3 + "⟨0301⟩"),
        ("名前", "名前"),
        ("x" * 5000, "x" * 4095 + "…"),
    ],
)
def test_what_plain_hides_nothing_of(text: str, shown: str) -> None:
    """Each kind of trouble has a visible stand-in."""
    assert plain(text) == shown


@given(TROUBLE)
def test_plain_lines_has_only_line_ends_beside_printable_text(text: str) -> None:
    """Many lines stay many lines; each of them is harmless."""
    lines = plain_lines(text).split("\n")
    assert all(line.isprintable() for line in lines)
    assert len(lines) == len(split_lines(text))


def test_plain_lines_expands_tabs_and_takes_both_line_ends() -> None:
    """YAML and describe output keep their shape; a lone carriage return is shown."""
    assert plain_lines("a:\n\tb\r\nc\rd\n") == "a:\n    b\nc␍d"


@given(TROUBLE)
def test_the_clipboard_gets_no_control_character(text: str) -> None:
    """What is pasted holds nothing that is not seen; newline and tab stay only in text of many lines."""
    assert all(char.isprintable() or char in "\n\t" for char in strip_unsafe(text))
    assert strip_unsafe(text, lines=False).isprintable()


def test_the_clipboard_gets_text_without_substitutes() -> None:
    """A stand-in is good to read and wrong to paste."""
    assert strip_unsafe("pay\u200bments\x1b[0m\u00a0x\ny") == "payments[0m x\ny"
    assert strip_unsafe("🇩🇪 名") == "🇩🇪 名"
    assert strip_unsafe("rm -rf /\n", lines=False) == "rm -rf / "


@pytest.mark.parametrize("text", PAYLOADS)
def test_widgets_get_text_without_markup(text: str) -> None:
    """Brackets are brackets, in Rich and in Textual, and no style comes from the text."""
    assert cell(text, "bold").plain == plain(text)
    assert cell(text).spans == []
    assert content(text).plain == plain(text)
    assert content(text).spans == []
    assert content(text, "bold").plain == plain(text)
    assert text_of([Span(text), Span("!")]) == plain(text) + "!"


@given(TROUBLE, st.integers(0, 60), st.sampled_from(["left", "right"]), st.sampled_from(["end", "middle"]))
def test_fit_is_exactly_as_wide_as_wanted(text: str, width: int, align: str, elide: str) -> None:
    """Columns stay aligned whatever the characters' widths."""
    fitted = fit(plain(text), width, "left" if align == "left" else "right", "end" if elide == "end" else "middle")
    assert cells(fitted) == width


def test_cutting_keeps_the_end_that_tells_names_apart() -> None:
    """Pod names differ at both ends."""
    assert shorten("payments-web-7f9c6d5b8-x2k9p", 15, "middle") == "payment…8-x2k9p"
    assert shorten("payments-web", 8) == "payment…"
    assert shorten("abc", 1) == "…"
    assert shorten("abc", 0) == ""


def test_half_a_wide_character_becomes_a_space() -> None:
    """A cut through a wide character does not move what follows."""
    assert head("名前", 3) == "名 "
    assert tail("名前", 3) == " 前"
    assert tail("abc", 9) == "abc"
