"""The line of keys at the bottom: as many as fit, each of them whole, the most important ones first."""

from collections.abc import Sequence

from textual.strip import Strip

from aksnav.ui.text import Span, cells
from aksnav.ui.widgets.strip_bar import BarLine, StripBar

_HELP = "? help"


class HintBar(StripBar):
    """Shows hints by their importance, and always where the others are found."""

    def __init__(self, hints: Sequence[str] = (), *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        """Make the bar.

        Args:
            hints: a key and its word each, the most important one first.
            id: Textual's widget id.
        """
        super().__init__(id=id)
        self.set_hints(hints)

    def set_hints(self, hints: Sequence[str]) -> None:
        """Show other hints."""
        self.set_line(BarLine([Span(hint) for hint in hints]))

    def _draw(self, line: BarLine, width: int) -> Strip:
        """Draw those that fit."""
        shown, room = "", width - cells(_HELP) - 3
        for span in line.left:
            if cells(shown) + cells(span.text) + 2 > room:
                break
            shown += f"{span.text}  "
        return super()._draw(BarLine([Span(f" {shown}{_HELP}", "muted")]), width)
