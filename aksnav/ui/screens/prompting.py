"""What every screen does with the line in which commands and filters are typed: it opens in place, over any screen."""

from typing import cast

from textual.screen import Screen
from textual.widget import Widget

from aksnav.ui.prompt import Prompt
from aksnav.ui.screens.protocol import Desk


class PromptScreen(Screen[None]):
    """A screen with a prompt; a subclass says where the focus is at home, and what a line behind ``/`` means."""

    def __init__(self) -> None:
        super().__init__()
        self._prompt = Prompt()
        self._filter_text = ""

    @property
    def home(self) -> Widget:
        """The widget that has the keys while nothing is typed."""
        raise NotImplementedError

    def search_for(self, text: str) -> None:
        """Filter, or find, by what was typed behind ``/``."""
        raise NotImplementedError

    def prompt_for(self, sign: str, text: str = "") -> None:
        """Open the prompt.

        Args:
            sign: ``:`` or ``/``.
            text: what stands there to begin with.
        """
        self._prompt.ask(sign, text)

    def on_prompt_answered(self, message: Prompt.Answered) -> None:
        """Run a command, or filter."""
        message.stop()
        self.set_focus(self.home)
        if message.sign == "/":
            self.search_for(message.text.strip())
        else:
            cast("Desk", self.app).run_command(message.text)

    def on_prompt_cancelled(self, message: Prompt.Cancelled) -> None:
        """Go back to where the focus was."""
        message.stop()
        self.set_focus(self.home)
