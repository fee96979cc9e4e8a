"""What the living network says to a trace: every question that is asked, every answer as it comes."""

from collections.abc import Sequence

from aksnav.model.confirmation import ACTIONS, Question, Reply
from aksnav.report.confirmation import reply_lines, standing
from aksnav.ui.screens.lines import LinesScreen
from aksnav.ui.text import Line, Span

_TONES = {"agrees": "good", "contradicts": "bad", "says": "", "no answer": "unknown"}
NOTHING = "nothing on this road can be asked: no load balancer rule with a probe, no node, no way from here"


class ConfirmScreen(LinesScreen):
    """Questions and answers about one trace."""

    def __init__(self, text: str) -> None:
        """Make the screen.

        Args:
            text: the request.
        """
        self._replies: dict[Question, Reply | None] = {}
        self._turned = ""
        super().__init__(f"Asked of the living network: {text}", self._told())

    def ask(self, questions: Sequence[Question]) -> None:
        """Show what is asked now; the answers come with ``take``."""
        self._replies.update(dict.fromkeys(questions))
        self._tell()

    def turn(self, line: str) -> None:
        """Say what became of the trace with what was learnt; nothing where the line is empty."""
        self._turned = line
        self._tell()

    def take(self, reply: Reply) -> None:
        """Show an answer."""
        self._replies[reply.question] = reply
        self._tell()

    def _tell(self) -> None:
        if self.is_mounted:
            self.set_lines(self._told())
        else:
            self._lines = self._told()

    def _told(self) -> list[Line]:
        lines: list[Line] = [] if self._replies else [[Span(NOTHING, "muted")]]
        if self._turned:
            lines.append([Span(self._turned, "title")])
        for question, reply in self._replies.items():
            if reply is None:
                by = f" ({ACTIONS[question.way]})" if question.way in ACTIONS else ""
                lines.append([Span(f"  … asked       {question.way}{by}", "muted")])
                lines.append([Span(f"      about    {question.about}", "muted")])
                continue
            first, *rest = reply_lines(reply)
            lines.append([Span(first, _TONES[standing(reply)])])
            lines += [[Span(line)] for line in rest]
        return lines
