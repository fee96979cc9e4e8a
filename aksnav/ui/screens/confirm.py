"""What the living network says to a trace: every question on the screen at once, every answer as it comes."""

from collections.abc import Sequence

from aksnav.model.confirmation import ACTIONS, Question, Reply
from aksnav.report.confirmation import reply_lines, standing
from aksnav.ui.screens.lines import LinesScreen
from aksnav.ui.text import Line, Span

_TONES = {"agrees": "good", "contradicts": "bad", "says": "", "no answer": "unknown"}
NOTHING = "nothing on this road can be asked: no load balancer rule with a probe, no node, no way from here"


class ConfirmScreen(LinesScreen):
    """Questions and answers about one trace."""

    def __init__(self, text: str, questions: Sequence[Question]) -> None:
        """Make the screen.

        Args:
            text: the request.
            questions: what is asked; the answers come with ``take``.
        """
        self._replies: dict[Question, Reply | None] = dict.fromkeys(questions)
        super().__init__(f"Asked of the living network: {text}", self._told())

    def take(self, reply: Reply) -> None:
        """Show an answer."""
        self._replies[reply.question] = reply
        self.set_lines(self._told())

    def _told(self) -> list[Line]:
        lines: list[Line] = [] if self._replies else [[Span(NOTHING, "muted")]]
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
