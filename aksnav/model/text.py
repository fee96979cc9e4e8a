"""Foreign text made visible and harmless.

Whoever may write an annotation, a tag, a condition message or an error body may put bytes there that move the
cursor, write the clipboard, reorder a line or hide in it. The functions here answer with text in which every such
character can be seen and none of them works. Screens, logs, files and headless output all use them.
"""

import unicodedata
from functools import lru_cache
from typing import Final

MARKS_KEPT: Final = 3
"""Combining marks that stay on one character; more of them overprint the neighbouring lines."""

# Printable by category, but drawn as nothing (Default_Ignorable_Code_Point) or as a blank (U+2800): two names that
# differ only here look the same.
_INVISIBLE: Final = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x2800, 0x2800),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)
# Flags and skin tones: terminals do not agree on how wide they are, which would move what follows.
_UNEVEN: Final = frozenset(chr(code) for code in (*range(0x1F1E6, 0x1F200), *range(0x1F3FB, 0x1F400)))
_NOT_SHOWN: Final = _INVISIBLE | _UNEVEN
_DOTTED_CIRCLE: Final = "\u25cc"
_TAB_STOP: Final = 4


def plain(text: str, limit: int = 4096) -> str:
    """Answer with one printable line that shows what the text holds and does none of it.

    Control characters become their Unicode pictures (ESC is ␛), other characters that are invisible, reorder text or
    are unassigned become their code point in ⟨⟩, and piles of combining marks are cut down. The result is printable,
    has no line break, and passes through unchanged a second time.

    Args:
        text: Text from anywhere.
        limit: The most characters to return; a longer text ends in "…".

    Returns:
        The harmless line.
    """
    if text.isascii() and text.isprintable():
        return text if len(text) <= limit else _cut(text, limit)
    # Every character yields at least one: what lies behind the limit cannot come back into view.
    shown = _visible(text[: limit + 1])
    return shown if len(shown) <= limit else _cut(shown, limit)


def plain_lines(text: str, limit: int = 4096) -> str:
    """Do for text of many lines (YAML, a description) what `plain` does for one.

    Args:
        text: Text from anywhere; LF and CRLF end a line, a tab advances to the next multiple of 4 columns.
        limit: The most characters to return for one line.

    Returns:
        The harmless lines, separated by a newline character.
    """
    return "\n".join(plain(line, limit) for line in split_lines(text))


def split_lines(text: str) -> list[str]:
    """Divide text into lines at LF and CRLF, tabs expanded, and leave everything else in it as it is.

    Args:
        text: Text from anywhere; a newline at its end does not start another line.

    Returns:
        The lines, which still have to pass through `plain`.
    """
    return [line.removesuffix("\r").expandtabs(_TAB_STOP) for line in text.removesuffix("\n").split("\n")]


def strip_unsafe(text: str, *, lines: bool = True) -> str:
    """Answer with the text as it should reach a clipboard: what `plain` would make visible is left out.

    A substitute that is good to read is wrong to paste. Spaces of every kind become a plain space.

    Args:
        text: Text from anywhere.
        lines: Whether newline and tab stay; without them nothing that is pasted can run before it is read.

    Returns:
        The text without the characters that are not seen.
    """
    kept = []
    marks = 0
    for char in text:
        if unicodedata.category(char).startswith("M"):
            marks += 1
            if marks > MARKS_KEPT:
                continue
        else:
            marks = 0
        if char in _INVISIBLE:
            continue
        if char.isprintable() or (lines and char in "\n\t"):
            kept.append(char)
        elif unicodedata.category(char) == "Zs" or char in "\n\t":
            kept.append(" ")
    return "".join(kept)


def _cut(text: str, limit: int) -> str:
    return text[: limit - 1] + "…"


@lru_cache(maxsize=4096)
def _visible(text: str) -> str:
    shown: list[str] = []
    marks = 0
    for char in text:
        if char.isascii():
            marks = 0
            shown.append(char if char.isprintable() else _picture(char))
        elif not char.isprintable() or char in _NOT_SHOWN:
            marks = 0
            shown.append(_code_point(char))
        elif unicodedata.category(char).startswith("M"):
            marks += 1
            if not shown:
                shown.append(_DOTTED_CIRCLE)
            shown.append(char if marks <= MARKS_KEPT else _code_point(char))
        else:
            marks = 0
            shown.append(char)
    return "".join(shown)


def _picture(char: str) -> str:
    # The block "Control Pictures" follows the order of the C0 controls; DEL stands apart.
    return "\u2421" if char == "\x7f" else chr(0x2400 + ord(char))


def _code_point(char: str) -> str:
    return f"\u27e8{ord(char):04X}\u27e9"
