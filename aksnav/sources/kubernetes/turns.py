"""So many at a time, first come first served."""

import threading
from collections import deque
from types import TracebackType


class Turns:
    """A semaphore that keeps the order in which it was asked.

    The one in ``threading`` lets whoever gives it back take it again at once: under that a kind whose every request is
    answered quickly can keep another one waiting for good.
    """

    def __init__(self, at_once: int) -> None:
        """Let so many hold it at a time."""
        self._lock = threading.Lock()
        self._free = at_once
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> None:
        """Wait for a turn."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine = threading.Event()
            self._waiting.append(mine)
        mine.wait()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give the turn to the one who has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
