"""A trace and findings as Markdown, for a ticket or a chat; foreign text stands in code spans that it cannot leave."""

from collections.abc import Iterator, Sequence

from aksnav.checks.finding import Finding
from aksnav.model.text import plain
from aksnav.report.addition import addition_lines
from aksnav.report.road import deciding
from aksnav.report.text import evidence_words
from aksnav.report.words import VERDICT_GLYPH, confidence_words, flatten, outcome_words
from aksnav.trace.step import Branch, Trace


def code(text: str) -> str:
    """Return text as a Markdown code span; backquotes in it become apostrophes, so that it cannot end the span.

    No text at all is a blank: two backquotes with nothing between them would begin a longer span.
    """
    return f"`{plain(text).replace('`', chr(0x2019)) or ' '}`"


def trace_markdown(trace: Trace) -> Iterator[str]:
    """Yield a trace as Markdown lines: verdict, ladder, breaks, and what the verdict hangs on."""
    yield f"**{outcome_words(trace)}** {code(trace.request.text)}, {confidence_words(trace)}"
    yield ""
    first = deciding(trace)
    if first is not None:
        cause = f" **{first.cause}**" if first.cause else ""
        yield f"First break: {first.verdict} at {first.kind}{cause} {code(first.summary)}"
        yield ""
    for depth, item in flatten(trace.steps):
        pad = "  " * depth
        if isinstance(item, Branch):
            share = "" if item.weight is None else f" ({item.weight:.0%})"
            count = f" ×{item.alike}" if item.alike > 1 else ""  # noqa: RUF001 - it is a multiplication
            yield f"{pad}- {code(item.label)}{share}{count}"
        else:
            cause = f" **{item.cause}**" if item.cause else ""
            yield f"{pad}- {VERDICT_GLYPH[item.verdict]} {item.verdict} {item.kind}{cause} {code(item.summary)}"
    for step in trace.breaks:
        yield ""
        yield f"### {step.cause or step.kind}: {code(step.summary)}"
        for fact in step.evidence:
            yield f"- because {code(evidence_words(fact, step))}"
        if step.missing:
            yield f"- missing {code(step.missing)}"
        if step.confirm:
            yield f"- confirm {code(step.confirm)}"
        if step.fix:
            yield f"- fix: {code(step.fix)}"
        yield from (f"  - {code(line)}" for line in addition_lines(step.addition))
    if trace.confidence.because:
        yield ""
        yield from (f"- hangs on {code(line)}" for line in trace.confidence.because)


def findings_markdown(findings: Sequence[Finding], not_read: Sequence[str] = ()) -> Iterator[str]:
    """Yield findings as a Markdown list, with what could not be looked at behind them.

    Args:
        findings: in their order.
        not_read: one line for each blind spot: without findings, they say that nothing was proven.
    """
    if not findings:
        yield "no findings"
    for finding in findings:
        yield f"- **{finding.id}** ({finding.proof}) {code(finding.summary)}"
        for fact in finding.evidence:
            yield f"  - because {code(f'{fact.subject or finding.subject} {fact.field} = {fact.value}')}"
        if finding.confirm:
            yield f"  - confirm {code(finding.confirm)}"
        if finding.fix:
            yield f"  - fix: {code(finding.fix)}"
    if not_read:
        yield ""
        yield from (f"- not read: {code(line)}" for line in not_read)
