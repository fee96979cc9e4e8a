"""The demo as a feed in the test's own process: same objects and decoders as in the child, without the pipe."""

from collections.abc import Callable
from concurrent.futures import Future

import msgspec

from aksnav.model.change import Change
from aksnav.model.confirmation import Question
from aksnav.model.object import Ref
from aksnav.sources import demo

NOW = 1_790_000_000.0


class DemoFeed:
    """A feed of a scenario; ``play`` lets the live script act."""

    def __init__(self, scenario: str = "", extra: list[Change] | None = None) -> None:
        self._scenario = scenario or demo.DEFAULT
        self._queue: list[Change] = []
        self._extra = extra or []
        self._script = demo.script(self._scenario)
        self._wake: Callable[[], None] = lambda: None
        self.refreshed = 0
        self.questions: list[tuple[Question, Future[bytes]]] = []
        self.stopped = False

    def start(self, wake: Callable[[], None]) -> None:
        """Load the scenario."""
        self._wake = wake
        self.push([*demo.changes(self._scenario, lambda: NOW), *self._extra])

    def push(self, changes: list[Change]) -> None:
        """Let changes arrive."""
        self._queue += changes
        self._wake()

    def play(self, steps: int) -> None:
        """Let the next steps of the script act."""
        for _ in range(steps):
            self.push(next(self._script)[1])

    def drain(self, seconds: float) -> list[Change]:
        """Return what has arrived."""
        del seconds
        out, self._queue = self._queue, []
        return out

    def request_raw(self, ref: Ref) -> "Future[bytes]":
        """Return an object in wire form."""
        answer: Future[bytes] = Future()
        found = demo.get_raw(ref.kind, ref.id, self._scenario)
        if found is None:
            answer.set_exception(LookupError(f"{ref} is not there"))
        else:
            answer.set_result(msgspec.json.encode(found))
        return answer

    def confirm(self, question: Question) -> "Future[bytes]":
        """Keep a question until the test answers it."""
        answer: Future[bytes] = Future()
        self.questions.append((question, answer))
        return answer

    def refresh(self) -> None:
        """Count."""
        self.refreshed += 1

    def stop(self) -> None:
        """Take note."""
        self.stopped = True
