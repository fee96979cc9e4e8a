"""A trace and findings as text for a terminal or a pipe; every line goes through ``plain``."""

from collections.abc import Iterable, Iterator, Sequence

from aksnav.checks.catalogue import find_check
from aksnav.checks.finding import Finding
from aksnav.model.text import plain
from aksnav.report.addition import addition_lines
from aksnav.report.road import DECIDES, alike, deciding, road
from aksnav.report.words import OUTCOME_GLYPH, VERDICT_GLYPH, confidence_words, outcome_words, packet_words
from aksnav.trace.step import UNKNOWN, Evidence, Step, Trace, Verdict

_QUIET = frozenset({Verdict.PASS, Verdict.SKIP, Verdict.FANOUT})
SHOWN = 4  # breaks that are like one that was told in full


def trace_lines(trace: Trace) -> Iterator[str]:
    """Yield a trace as lines: the verdict, the first break with its proof, the road, and then what else breaks."""
    yield plain(
        f"{OUTCOME_GLYPH[trace.outcome]} {outcome_words(trace)}  {trace.request.text}  {confidence_words(trace)}"
    )
    first = deciding(trace)
    if first is not None:
        yield ""
        yield from break_lines(first)
        yield from _others(other for other in trace.breaks if other != first and _same(other, first))
    yield ""
    for line in road(trace):
        yield plain(f"{DECIDES if line.decides else ' '} " + "  " * line.depth + line.text)
    yield from _further_breaks(trace, first)
    if trace.confidence.because:
        yield ""
    for reason in trace.confidence.because:
        yield plain(f"  hangs on: {reason}")


def _further_breaks(trace: Trace, first: Step | None) -> Iterator[str]:
    """Yield what else breaks, in full; what is not known is a line each, since it has one cause more often than not."""
    told = [] if first is None else [first]
    for step in trace.breaks:
        if step.verdict in UNKNOWN or any(_same(step, other) for other in told):
            continue
        told.append(step)
        yield ""
        yield from break_lines(step)
        yield from _others(other for other in trace.breaks if other != step and _same(other, step))
    # What the verdict hangs on is listed behind all of this.
    unknown = [f"{step.kind}: {step.missing or step.summary}" for step in trace.breaks if step.verdict in UNKNOWN]
    for text, _ in alike([text for text in unknown if text not in trace.confidence.because]):
        yield plain(f"  not known: {text}")


def _same(step: Step, other: Step) -> bool:
    return (step.kind, step.verdict, step.status, step.cause) == (other.kind, other.verdict, other.status, other.cause)


def _others(steps: Iterable[Step]) -> Iterator[str]:
    """Yield the breaks that are like one that was told, in a line each."""
    listed = list(steps)
    for step in listed[:SHOWN]:
        yield plain(f"    likewise {step.summary}")
    if len(listed) > SHOWN:
        yield f"    likewise {len(listed) - SHOWN} more"


def break_lines(step: Step) -> Iterator[str]:
    """Yield what ends (or may end) the road: the check, the deciding fields, the rules, how to check and mend."""
    check = find_check(step.cause)
    title = f"{step.cause} {check.title}" if check is not None else str(step.kind)
    yield plain(f"{VERDICT_GLYPH[step.verdict]} {step.verdict}: {step.summary}")
    yield plain(f"    check    {title}")
    if step.missing:
        yield plain(f"    missing  {step.missing}")
    yield from _told("because", [evidence_words(fact, step) for fact in step.evidence])
    yield from _told("decided", [f"{rule.rule}: {rule.why}" for rule in step.considered if rule.decided])
    yield from _told("passed by", [f"{rule.rule}: {rule.why}" for rule in step.considered if not rule.decided])
    if step.verdict not in _QUIET:
        yield plain(f"    packet   {packet_words(step.packet)}")
    if step.confirm:
        yield plain(f"    confirm  {step.confirm}")
    if step.fix:
        yield plain(f"    fix      {step.fix}")
    for number, line in enumerate(addition_lines(step.addition)):
        yield f"    {'' if number else 'add':<8} {line}"


def _told(word: str, texts: list[str]) -> Iterator[str]:
    """Yield texts in a line each; those that differ in numbers alone are one line, with how many they are."""
    for text, count in alike(texts):
        more = f"  ({count} alike)" if count > 1 else ""
        yield plain(f"    {word:<8} {text}") + more


def evidence_words(fact: Evidence, step: Step) -> str:
    """Return one fact in one line: object, field, value, note."""
    ref = fact.subject or step.subject
    note = f"  ({fact.note})" if fact.note else ""
    return f"{ref} {fact.field} = {fact.value}{note}" if ref is not None else f"{fact.field} = {fact.value}{note}"


def finding_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield findings as lines, each with the field that proves it."""
    for finding in findings:
        yield plain(f"✖ {finding.id} {finding.proof}: {finding.summary}")
        for fact in finding.evidence:
            note = f"  ({fact.note})" if fact.note else ""
            yield plain(f"    because  {fact.subject or finding.subject} {fact.field} = {fact.value}{note}")
        if finding.confirm:
            yield plain(f"    confirm  {finding.confirm}")
        if finding.fix:
            yield plain(f"    fix      {finding.fix}")
    yield f"{len(findings)} finding{'' if len(findings) == 1 else 's'}"
