"""The one line in which a command or a filter is typed."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from aksnav.ui.text import Span
from aksnav.ui.widgets.strip_bar import BarLine, StripBar


class Prompt(Horizontal):
    """Hidden until it is asked; answers with what was typed."""

    DEFAULT_CSS = """
    Prompt { height: 1; display: none; background: $background; }
    Prompt.-open { display: block; }
    Prompt StripBar { width: 3; }
    Prompt Input { height: 1; border: none; padding: 0; background: $background; width: 1fr; }
    Prompt Input:focus { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "cancel", "Cancel", show=False, id="prompt.cancel", priority=True),
    ]

    class Answered(Message):
        """A line was typed.

        Attributes:
            sign: the sign it was asked with, ``:`` or ``/``.
            text: the line.
        """

        def __init__(self, sign: str, text: str) -> None:
            super().__init__()
            self.sign = sign
            self.text = text

    class Cancelled(Message):
        """The prompt was left without an answer."""

    class Typed(Message):
        """The line changed while it is typed."""

        def __init__(self, sign: str, text: str) -> None:
            super().__init__()
            self.sign = sign
            self.text = text

    def __init__(self) -> None:
        super().__init__()
        self._bar = StripBar()
        self._input = Input(compact=True, select_on_focus=False)
        self._sign = ":"

    def compose(self) -> ComposeResult:
        """Show the sign and the line."""
        yield self._bar
        yield self._input

    @property
    def is_open(self) -> bool:
        """Whether a line is being typed."""
        return self.has_class("-open")

    def ask(self, sign: str, text: str = "") -> None:
        """Open the line with a sign and a text to start from."""
        self._sign = sign
        self._bar.set_line(BarLine([Span(f" {sign} ", "accent", keep=True)]))
        self._input.value = text
        self._input.cursor_position = len(text)
        self.add_class("-open")
        # Both at once: keys that are typed on without waiting belong to the line, and both would otherwise take effect
        # only when the next message is handled.
        self.styles.display = "block"
        self.screen.set_focus(self._input)

    def action_cancel(self) -> None:
        """Close the line."""
        self._close()
        self.post_message(self.Cancelled())

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Answer."""
        message.stop()
        self._close()
        self.post_message(self.Answered(self._sign, message.value))

    def _close(self) -> None:
        self.remove_class("-open")
        self.styles.display = "none"

    def on_input_changed(self, message: Input.Changed) -> None:
        """Tell what is typed so far."""
        message.stop()
        if self.is_open:
            self.post_message(self.Typed(self._sign, message.value))
