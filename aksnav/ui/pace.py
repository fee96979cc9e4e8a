"""When panes follow the store and when traces are asked again, so that neither takes more than its share of a core."""

import time
from collections.abc import Callable

SLICE = 0.008  # seconds of work between two looks at the keyboard
SHOW_WITHIN = 0.06  # seconds after which a change is shown, however much it costs to show
LOADING_PAUSE = 1.0  # seconds between two looks at the traces while a full list is arriving
TYPING = 0.25  # seconds after a key in which more keys may come: under a stream, a trace is not in their way
STREAM_PAUSE = 0.25  # seconds between two looks at them while one change follows another

# Seconds of pause for each second of work: a fifth of a core for what is asked again, half of one for the first answer.
_REST, _REST_FIRST = 4.0, 1.0


class Pace:
    """Keeps account of what showing and evaluating cost, and says when each may go on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing to do.

        Args:
            clock: seconds, monotonic.
        """
        self._clock = clock
        self._stale = False
        self._show_at = 0.0
        self._loading_until = 0.0
        self._changed = -STREAM_PAUSE
        self._streaming = False
        self._evaluated = 0.0
        self._cost = 0.0

    def changed(self, *, loading: bool) -> None:
        """Take note that the store has changed.

        Args:
            loading: whether a full list is arriving; one from which nothing more comes does not count for long.
        """
        self._stale = True
        now = self._clock()
        self._loading_until = now + LOADING_PAUSE if loading else 0.0
        # The first change after a calm is asked about at once.
        self._streaming = now - self._changed < STREAM_PAUSE
        self._changed = now

    def may_show(self) -> bool:
        """Return whether the panes are to follow now."""
        return self._stale and self._clock() >= self._show_at

    def shown(self, started: float) -> None:
        """Take note that the panes have followed, and of what that cost."""
        now = self._clock()
        self._stale = False
        self._show_at = now + min(_REST * (now - started), SHOW_WITHIN)

    def may_evaluate(self, *, first: bool, last_key: float = 0.0) -> bool:
        """Return whether traces are to be asked now.

        Args:
            first: whether some were never asked.
            last_key: when a key came last, on the same clock. Whoever holds a key down waits a second for a trace.
        """
        now = self._clock()
        if self._streaming and now - last_key < TYPING and now - self._evaluated < LOADING_PAUSE:
            return False
        return now >= self._evaluate_at(first=first)

    def evaluated(self, started: float) -> None:
        """Take note that traces were asked, and of what that cost."""
        self._evaluated = self._clock()
        self._cost = self._evaluated - started

    def delay(self, *, drained: bool, pending: bool, first: bool) -> float | None:
        """Return the seconds until there is something to do, None if there is nothing.

        Args:
            drained: whether changes were there to be drained, so that more may be.
            pending: whether traces have to be asked.
            first: whether some were never asked.
        """
        due = [self._show_at] if self._stale else []
        if pending:
            due.append(self._evaluate_at(first=first))
        wait = max(min(due) - self._clock(), SLICE) if due else None
        return SLICE if drained else wait

    def _evaluate_at(self, *, first: bool) -> float:
        pause = self._cost * (_REST_FIRST if first else _REST)
        if self._streaming and not first and self._clock() - self._changed < STREAM_PAUSE:
            pause = max(pause, STREAM_PAUSE)
        if self._clock() < self._loading_until:
            pause = max(pause, LOADING_PAUSE)
        return self._evaluated + pause
