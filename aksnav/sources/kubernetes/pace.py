"""Time, rest and chance for everything that follows a cluster, in one place, so that a test can hold all three."""

import random
import threading
import time
from typing import Protocol

FIRST_DELAY = 0.8
LONGEST_DELAY = 30.0
# A rest looks up this often, seconds, whether there is reason to hurry.
LOOK_UP = 1.0
_MOST_DOUBLINGS = 6


class Pace(Protocol):
    """What a follower needs of the world besides the API server."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def ticks(self) -> float:
        """Seconds of a clock that never goes back."""

    def rest(self, seconds: float) -> bool:
        """Wait; return whether it is time to stop."""

    def chance(self) -> float:
        """A number from 0 up to 1."""

    def hurry(self) -> None:
        """Let everybody who rests go on: what they rest from is over."""


class RealPace:
    """The clock on the wall; a rest ends early when the source is stopped, or when there is reason to hurry."""

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped
        self._hurries = 0

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def ticks(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()

    def rest(self, seconds: float) -> bool:
        """Wait; return whether it is time to stop."""
        end, seen = self.ticks() + seconds, self._hurries
        while seen == self._hurries and (left := end - self.ticks()) > 0:
            if self._stopped.wait(min(left, LOOK_UP)):
                return True
        return self._stopped.is_set()

    def hurry(self) -> None:
        """Let everybody who rests go on."""
        self._hurries += 1

    def chance(self) -> float:
        """A number from 0 up to 1."""
        return random.random()  # noqa: S311 - jitter, not a secret


def delay(failures: int, pace: Pace, at_least: float = 0.0) -> float:
    """Return how long to wait after so many failures in a row, seconds.

    It doubles from ``FIRST_DELAY`` to ``LONGEST_DELAY``, and between half of it and the whole is chosen by chance, so
    that the kinds do not come back all at once. What the server asked for (Retry-After) is the least.
    """
    longest = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(failures - 1, _MOST_DOUBLINGS)) if failures > 0 else 0.0
    return max(at_least, longest * (0.5 + 0.5 * pace.chance()))


def spread(seconds: float, pace: Pace) -> float:
    """Return a period with up to a fifth added by chance."""
    return seconds * (1.0 + 0.2 * pace.chance())
