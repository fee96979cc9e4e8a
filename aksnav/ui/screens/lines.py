"""A screen of lines: descriptions, YAML, help, the health of the sources."""

import re
from collections.abc import Callable, Sequence
from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from aksnav.model.text import plain
from aksnav.ui.clipboard import copy
from aksnav.ui.screens.prompting import PromptScreen
from aksnav.ui.screens.protocol import Desk
from aksnav.ui.text import Line, Span
from aksnav.ui.widgets.lines import LinesView
from aksnav.ui.widgets.strip_bar import BarLine, StripBar


class LinesScreen(PromptScreen):
    """Shows lines under a title; with a source of lines it stays current."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace", "back", "Back", id="lines.back", tooltip="Back to where you came from"),
        Binding(
            "slash", "find", "Find", id="lines.find", priority=True, tooltip="Find a regular expression; n and N go on"
        ),
        Binding("c", "copy", "Copy", id="lines.copy", tooltip="Copy the text to the clipboard"),
    ]

    def __init__(
        self,
        title: str,
        lines: Sequence[Line],
        again: Callable[[], Sequence[Line]] | None = None,
        *,
        wrap: bool = True,
    ) -> None:
        """Make the screen.

        Args:
            title: what it shows.
            lines: the text.
            again: gives the lines anew when the store has changed.
            wrap: long lines go on in the next one; YAML does not wrap: left and right move it.
        """
        super().__init__()
        self._title = title
        self._lines = lines
        self._again = again
        self._about = ""
        self._wrap = wrap
        self._view = LinesView(wrap=wrap)
        self._bar = StripBar()

    def compose(self) -> ComposeResult:
        """Show the title, the text, and the prompt when it is wanted."""
        yield self._bar
        yield self._view
        yield self._prompt

    def on_mount(self) -> None:
        """Show the text."""
        self._view.set_lines(self._lines)
        self._view.focus()
        self._show_title()

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Show other lines, at the same place."""
        self._lines = lines
        self._view.set_lines(lines, stay=True)

    def set_about(self, text: str) -> None:
        """Say beside the title as of when the text is right."""
        self._about = text
        self._show_title()

    def find_all(self, pattern: re.Pattern[str]) -> None:
        """Go to the first find of a pattern once the text has its place on the screen; n and N go on."""
        self.call_after_refresh(self._find, pattern)

    def follow(self, now: float) -> None:
        """Show what changed."""
        del now
        if self._again is not None:
            self.set_lines(self._again())

    def action_back(self) -> None:
        """Leave."""
        self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the sign that opens the prompt to it while a line is typed."""
        del parameters
        return not (action == "find" and self._prompt.is_open)

    def action_find(self) -> None:
        """Ask for what is to be found."""
        self.prompt_for("/")

    def action_copy(self) -> None:
        """Copy all of the text."""
        self.app.notify(copy(self.app, self._view.text), markup=False)

    @property
    def home(self) -> LinesView:
        """The text."""
        return self._view

    def search_for(self, text: str) -> None:
        """Find what was asked for."""
        try:
            self._find(re.compile(text, re.IGNORECASE) if text else None)
        except re.error as error:
            self.app.notify(plain(f"not a regular expression: {error}"), severity="warning", markup=False)

    def show_pause(self) -> None:
        """Say that changes are held back, or that they are not any more."""
        self._show_title()

    def _find(self, pattern: re.Pattern[str] | None) -> None:
        self._view.search(pattern)
        self._show_title()

    def _show_title(self) -> None:
        count = self._view.match_count
        found = f"{count} match{'' if count == 1 else 'es'}: n N " if count else ""
        keys = "q back  / find  c copy " if self._wrap else "q back  / find  ←→ move  c copy "
        paused = cast("Desk", self.app).paused
        right = [Span("PAUSED  " if paused and self._again is not None else "", "warn", keep=True), Span(keys, "muted")]
        left = [
            Span(f" {self._title} ", "title", keep=True),
            Span(f"{self._about} " if self._about else "", "muted"),
            Span(found, "accent"),
        ]
        self._bar.set_line(BarLine(left, right, "─", "muted"))
