"""The only way by which foreign text reaches a widget: made harmless, measured in cells, never read as markup."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len, set_cell_size, split_text
from rich.text import Text
from textual.content import Content

from aksnav.model.text import plain

Align = Literal["left", "right"]
Elide = Literal["end", "middle"]

ELLIPSIS = "…"


class Span(NamedTuple):
    """A stretch of one line that is drawn in one tone.

    Attributes:
        text: Text from anywhere; the widget that draws it passes it through `plain`.
        tone: Name of a tone (`aksnav.ui.widgets.painted.TONES`), "" for the colour of the line.
        keep: Whether a bar that is too narrow cuts the other spans first.
    """

    text: str
    tone: str = ""
    keep: bool = False


Line = Sequence[Span]


def cell(text: str, style: str = "") -> Text:
    """Make foreign text fit for Rich and for Textual's tables and trees.

    Args:
        text: Text from anywhere.
        style: A Rich style of ours, never of the text's author.

    Returns:
        One line without markup, control characters or line end.
    """
    return Text(plain(text), style=style, end="", no_wrap=True)


def content(text: str, style: str = "") -> Content:
    """Make foreign text fit for Textual's widgets, border titles and notifications.

    Args:
        text: Text from anywhere.
        style: A Textual style of ours, never of the text's author.

    Returns:
        One line in which square brackets are just brackets.
    """
    return Content.styled(plain(text), style) if style else Content(plain(text))


def cells(text: str) -> int:
    """Count the terminal cells that text takes which has been through `plain`."""
    return len(text) if text.isascii() else cell_len(text)


def head(text: str, width: int) -> str:
    """Answer with the first `width` cells of the text; half of a wide character becomes a space."""
    if width >= cells(text):
        return text
    return text[: max(width, 0)] if text.isascii() else split_text(text, width)[0]


def tail(text: str, width: int) -> str:
    """Answer with the last `width` cells of the text; half of a wide character becomes a space."""
    have = cells(text)
    if width >= have:
        return text
    return text[have - width :] if text.isascii() else split_text(text, have - width)[1]


def shorten(text: str, width: int, elide: Elide = "end") -> str:
    """Cut text to a width, with an ellipsis where something is missing.

    Args:
        text: Text that has been through `plain`.
        width: The most cells to take.
        elide: Where to cut; names of Pods and resource ids tell themselves apart at both ends, so cut their middle.

    Returns:
        The text, or exactly `width` cells of it.
    """
    if cells(text) <= width:
        return text
    if width <= 1:
        return ELLIPSIS[: max(width, 0)]
    if elide == "end":
        return head(text, width - 1) + ELLIPSIS
    left = width // 2
    return head(text, left) + ELLIPSIS + tail(text, width - 1 - left)


def fit(text: str, width: int, align: Align = "left", elide: Elide = "end") -> str:
    """Make text exactly so many cells wide.

    Args:
        text: Text that has been through `plain`.
        width: The cells to take.
        align: The side on which the text stands when it is shorter.
        elide: Where it is cut when it is longer.

    Returns:
        Text of `width` cells.
    """
    have = cells(text)
    if have > width:
        # Zero-width characters at a cut could leave the length one off: set_cell_size has the last word.
        return set_cell_size(shorten(text, width, elide), max(width, 0))
    return " " * (width - have) + text if align == "right" else text + " " * (width - have)


def text_of(spans: Iterable[Span]) -> str:
    """Join the spans of one line to harmless text."""
    return "".join(plain(span.text) for span in spans)
