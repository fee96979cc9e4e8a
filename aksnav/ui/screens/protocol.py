"""What screens may ask of the application, so that they need not know it."""

from collections.abc import Sequence
from typing import Protocol

from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace.request import Request
from aksnav.ui.describe import Note
from aksnav.ui.entry import Entry


class Desk(Protocol):
    """The application as a screen sees it."""

    @property
    def store(self) -> Store:
        """The one store."""

    @property
    def paused(self) -> bool:
        """Whether changes are held back."""

    @property
    def namespace(self) -> str:
        """The namespace that lists are restricted to; empty for all."""

    def restrict(self, namespace: str) -> None:
        """Show one namespace in every list, or all for an empty string."""

    def now(self) -> float:
        """Return seconds since the epoch."""

    def open_trace(self, request: Request) -> None:
        """Open the trace screen on a request."""

    def trace_object(self, ref: Ref) -> None:
        """Open the trace screen on a request that goes to an object."""

    def who_can_talk(self, ref: Ref) -> None:
        """Open the screen of those who can talk to an object, and to whom it can talk."""

    def describe(self, ref: Ref) -> None:
        """Open the description of an object."""

    def show_yaml(self, ref: Ref, notes: Sequence[Note] = ()) -> None:
        """Open an object as its API sends it, with notes at its fields."""

    def confirm(self, entry: Entry) -> None:
        """Ask the living network about the trace of an entry, and open the screen of its answers."""

    def copy(self, text: str) -> None:
        """Put text into the clipboard."""

    def tell(self, text: str, *, bad: bool = False) -> None:
        """Show one line for a moment."""

    def run_command(self, line: str) -> None:
        """Run what was typed behind the colon."""
