"""What the explorer needs of a feed, so that it can be driven by another one."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from aksnav.model.change import Change
from aksnav.model.confirmation import Question
from aksnav.model.object import Ref


class FeedLike(Protocol):
    """What the application needs of a feed (see ``aksnav.sources.feed``)."""

    def start(self, wake: Callable[[], None]) -> None:
        """Start the sources; ``wake`` is called, from any thread, when there is something to drain."""

    def drain(self, seconds: float) -> list[Change]:
        """Return changes that have arrived, spending about so many seconds on it; none when there are none."""

    def request_raw(self, ref: Ref) -> "Future[bytes]":
        """Ask for one object in wire form."""

    def confirm(self, question: Question) -> "Future[bytes]":
        """Ask the living network one question; the result is a ``Reply`` in msgpack."""

    def refresh(self) -> None:
        """Ask the sources that do not follow by themselves to read again."""

    def stop(self) -> None:
        """Stop the sources."""
