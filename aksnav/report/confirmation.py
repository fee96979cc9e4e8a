"""What the living network said, beside what was worked out: a contradiction is shown, not hidden."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from aksnav.model.confirmation import ACTIONS, Reply
from aksnav.model.text import plain
from aksnav.report.words import outcome_words
from aksnav.trace.step import Trace

GLYPHS = {"agrees": "✔", "contradicts": "✖", "says": "·", "no answer": "?"}


def standing(reply: Reply) -> str:
    """Return how an answer stands to what was worked out: agrees, contradicts, says (nothing to compare), no answer."""
    if reply.error or not reply.value:
        return "no answer" if reply.error or not reply.facts else "says"
    agrees = reply.agrees
    return "says" if agrees is None else "agrees" if agrees else "contradicts"


def confirmation_lines(replies: Sequence[Reply]) -> Iterator[str]:
    """Yield the answers as lines; every line goes through ``plain``."""
    for number, reply in enumerate(replies):
        if not number:
            yield ""
            yield "asked of the living network:"
        yield from reply_lines(reply)


def reply_lines(reply: Reply) -> Iterator[str]:
    """Yield one answer as lines: how it stands, whom it is from, what it is about, and its facts."""
    word, asked = standing(reply), reply.question
    said = reply.error or _values(reply)
    yield plain(f"  {GLYPHS[word]} {word:<11} {asked.way}: {said}")
    yield plain(f"      about    {asked.about}")
    for field, value in reply.facts:
        yield plain(f"      says     {field}: {value}")
    if reply.admin_rules is not None:
        yield f"      learnt   the trace reckons with it, as of {_clock(reply.at)}"
    if reply.error and asked.way in ACTIONS:
        yield plain(f"      needs    {ACTIONS[asked.way]}")


def turned(before: Trace, after: Trace) -> str:
    """Return in one line what became of a trace with what was learnt; empty where nothing was learnt that matters."""
    was, now = _verdict(before), _verdict(after)
    return "" if was == now else plain(f"  with what was learnt: {now} (before: {was})")


def _verdict(trace: Trace) -> str:
    return f"{outcome_words(trace)}, {trace.confidence.certainty}"


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S UTC")


def _values(reply: Reply) -> str:
    if not reply.question.expected:
        return reply.value or "see below"
    if not reply.value:
        return f"nothing of it (worked out: {reply.question.expected})"
    return reply.value if reply.agrees else f"{reply.value}, but worked out was: {reply.question.expected}"


def confirmation_markdown(replies: Sequence[Reply]) -> Iterator[str]:
    """Yield the answers as a Markdown table."""
    if not replies:
        return
    yield ""
    yield "| | asked of the living network | says | worked out |"
    yield "|---|---|---|---|"
    for reply in replies:
        cells = (standing(reply), str(reply.question.way), reply.error or reply.value, reply.question.expected)
        yield "| " + " | ".join(plain(cell).replace("|", "\\|") for cell in cells) + " |"


def confirmation_data(replies: Sequence[Reply]) -> list[dict[str, Any]]:
    """Return the answers for JSON."""
    return [
        {
            "way": str(reply.question.way),
            "target": reply.question.target,
            "about": reply.question.about,
            "expected": reply.question.expected or None,
            "says": reply.value or None,
            "standing": standing(reply),
            "facts": [{"field": field, "value": value} for field, value in reply.facts],
            "error": reply.error or None,
            "learnt": reply.admin_rules is not None,
        }
        for reply in replies
    ]
