"""From the press of ``C`` to the last answer: what is asked about a trace, and what becomes of the trace with it."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Protocol

import msgspec

from aksnav.model.change import AdminRulesTold
from aksnav.model.confirmation import Question, Reply
from aksnav.report.confirmation import turned
from aksnav.store import Store
from aksnav.trace.confirm import learnt, next_questions
from aksnav.trace.step import Trace
from aksnav.ui.screens.confirm import ConfirmScreen

_REPLY = msgspec.msgpack.Decoder(Reply)


class Network(Protocol):
    """The application as one who asks sees it."""

    @property
    def store(self) -> Store:
        """The one store."""

    def put_question(self, question: Question) -> "Future[bytes]":
        """Ask the living network one question; the result is a ``Reply`` in msgpack."""

    def call_from_anywhere(self, callback: Callable[[], None]) -> None:
        """Run a callback in the application's own thread, soon."""

    def learn(self, told: AdminRulesTold, key: str) -> Trace | None:
        """Take in what was learnt, and return the trace of an entry with it; None if the entry is gone."""


class Confirming:
    """The questions about one trace; everything runs in the application's own thread."""

    def __init__(self, network: Network, key: str, trace: Trace, screen: ConfirmScreen) -> None:
        """Prepare; nothing is asked yet.

        Args:
            network: whom to ask.
            key: of the entry whose trace it is.
            trace: what is asked about.
            screen: where answers are shown.
        """
        self._network = network
        self._key = key
        self._before = self._trace = trace
        self._screen = screen
        self._asked: list[Question] = []
        self._open = 0

    def go_on(self) -> None:
        """Ask what is to be asked now."""
        questions = next_questions(self._network.store, self._trace, self._asked)
        self._asked += questions
        self._open = len(questions)
        self._screen.ask(questions)
        for question in questions:
            self._network.put_question(question).add_done_callback(partial(self._answered, question))

    def _answered(self, question: Question, answer: "Future[bytes]") -> None:
        """Take an answer from whatever thread it comes in."""
        error = answer.exception()
        reply = Reply(question=question, error=str(error)) if error is not None else _REPLY.decode(answer.result())
        self._network.call_from_anywhere(lambda: self._take(reply))

    def _take(self, reply: Reply) -> None:
        self._screen.take(reply)
        told = learnt(reply)
        if told is not None:
            self._trace = self._network.learn(told, self._key) or self._trace
            self._screen.turn(turned(self._before, self._trace))
        self._open -= 1
        if not self._open:
            self.go_on()
