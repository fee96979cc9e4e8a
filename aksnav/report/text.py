"""A trace and findings as text for a terminal or a pipe; every line goes through ``plain``."""

from collections.abc import Iterator, Sequence

from aksnav.checks.catalogue import find_check
from aksnav.checks.finding import Finding
from aksnav.model.text import plain
from aksnav.report.addition import addition_lines
from aksnav.report.words import OUTCOME_GLYPH, VERDICT_GLYPH, confidence_words, flatten, outcome_words, packet_words
from aksnav.trace.step import Branch, Evidence, Step, Trace, Verdict

_QUIET = frozenset({Verdict.PASS, Verdict.SKIP, Verdict.FANOUT})


def trace_lines(trace: Trace) -> Iterator[str]:
    """Yield a trace as lines: the ladder of steps, then every break with its evidence, check and fix."""
    yield plain(
        f"{OUTCOME_GLYPH[trace.outcome]} {outcome_words(trace)}  {trace.request.text}  {confidence_words(trace)}"
    )
    for depth, item in flatten(trace.steps):
        yield plain("  " * (depth + 1) + _ladder(item))
    for step in trace.breaks:
        yield ""
        yield from break_lines(step)
    for line in trace.confidence.because:
        yield plain(f"  hangs on: {line}")


def _ladder(item: Step | Branch) -> str:
    if isinstance(item, Branch):
        share = "" if item.weight is None else f" {item.weight:.0%}"
        count = f" ×{item.alike}" if item.alike > 1 else ""  # noqa: RUF001 - it is a multiplication
        return f"├ {item.label}{share}{count}"
    word = str(item.verdict) + (f" {item.status}" if item.status else "")
    return f"{VERDICT_GLYPH[item.verdict]} {word:<11} {item.kind:<20} {item.summary}"


def break_lines(step: Step) -> Iterator[str]:
    """Yield what ends (or may end) the road: the check, the deciding fields, the rules, how to check and mend."""
    check = find_check(step.cause)
    title = f"{step.cause} {check.title}" if check is not None else str(step.kind)
    yield plain(f"{VERDICT_GLYPH[step.verdict]} {step.verdict}: {step.summary}")
    yield plain(f"    check    {title}")
    if step.missing:
        yield plain(f"    missing  {step.missing}")
    for fact in step.evidence:
        yield plain(f"    because  {evidence_words(fact, step)}")
    for rule in step.considered:
        yield plain(f"    {'decided ' if rule.decided else 'passed by'} {rule.rule}: {rule.why}")
    if step.verdict not in _QUIET:
        yield plain(f"    packet   {packet_words(step.packet)}")
    if step.confirm:
        yield plain(f"    confirm  {step.confirm}")
    if step.fix:
        yield plain(f"    fix      {step.fix}")
    for number, line in enumerate(addition_lines(step.addition)):
        yield f"    {'' if number else 'add':<8} {line}"


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
