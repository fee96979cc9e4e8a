"""What a refresh need not ask for again: what hangs on other objects, as long as these have not changed.

What anybody may change at any time and what decides a packet's fate (rules, routes, load balancers, addresses, records,
the cluster itself) is asked for in every round. Interfaces of nodes change with the nodes, a peer's ranges with its
peering, a zone's links with their number: each is kept with its grounds, and asked for again when these are others,
when it is old, when it could not be read whole, and when the user asks for a refresh.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from aksnav.model.change import Reading
from aksnav.sources.azure.outcome import Read

LONGEST = 300.0
"""Seconds for which an answer is kept while nothing says that it changed; its age stands beside its table."""


class _Answer(msgspec.Struct, frozen=True, gc=False):
    grounds: Any
    value: Any
    at: float


class Kept:
    """Answers of former rounds, each with what it hangs on."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Prepare.

        Args:
            now: seconds since the epoch.
        """
        self._now = now
        self._answers: dict[str, _Answer] = {}

    def begin(self, *, everything: bool) -> None:
        """Note that a round begins.

        Args:
            everything: nothing is kept: all is asked for again.
        """
        now = self._now()
        good = {} if everything else self._answers
        self._answers = {key: answer for key, answer in good.items() if 0 <= now - answer.at < LONGEST}

    def read(self, key: str, grounds: Any, ask: Callable[[], Read]) -> Read:
        """Return what came of a kind in a scope, now or in a former round (``Read.kept``).

        Args:
            key: what is asked for.
            grounds: what the answer hangs on; another value than last time and it is asked for again.
            ask: asks; only what was read without fault is kept.
        """
        known = self._answers.get(key)
        if known is not None and known.grounds == grounds:
            kept: Read = known.value
            return kept
        self._answers.pop(key, None)  # whatever comes of asking: should its grounds come back, they are new ones
        read = ask()
        if read.reading is Reading.LIVE and not read.undecodable and not read.short:
            read.at = self._now()
            self._answers[key] = _Answer(grounds, msgspec.structs.replace(read, kept=True), read.at)
        return read

    def value(self, key: str, grounds: Any, ask: Callable[[], Any]) -> Any:
        """Return what is no reading of a kind; what cannot be asked raises, and is not kept."""
        known = self._answers.get(key)
        if known is not None and known.grounds == grounds:
            return known.value
        self._answers.pop(key, None)
        found = ask()
        self._answers[key] = _Answer(grounds, found, self._now())
        return found
