"""Steps, traces and objects as lines of spans, for the strip, the trace screen and the descriptions."""

from collections.abc import Iterator, Sequence

import msgspec

from aksnav.checks.catalogue import find_check
from aksnav.checks.finding import Finding
from aksnav.report.addition import addition_lines
from aksnav.report.road import deciding
from aksnav.report.text import evidence_words
from aksnav.report.words import VERDICT_GLYPH, confidence_words, flatten, outcome_words, packet_words
from aksnav.trace.step import Branch, Step, Trace, Verdict
from aksnav.ui.ages import ago
from aksnav.ui.entry import Entry
from aksnav.ui.text import Line, Span
from aksnav.ui.widgets.strip_bar import BarLine

VERDICT_TONE = {
    Verdict.PASS: "good",
    Verdict.TRANSFORM: "good",
    Verdict.FANOUT: "good",
    Verdict.SKIP: "muted",
    Verdict.DROP: "bad",
    Verdict.REJECT: "bad",
    Verdict.RESPOND: "bad",
    Verdict.BLIND: "unknown",
    Verdict.UNSUPPORTED: "unknown",
    Verdict.NOT_REACHED: "muted",
}

# What a step is called in the strip, where there is room for a word.
SHORT = {
    "dns.resolve": "dns", "az.publicip": "public ip", "az.lb.frontend": "lb frontend", "az.lb.rule": "lb rule",
    "az.lb.probe": "probe", "az.lb.backendpool": "pool", "az.nsg": "nsg", "az.route": "route", "node.nodeport": "node",
    "node.hostport": "host port", "k8s.gateway.listener": "listener", "k8s.route.match": "rule",
    "k8s.route.filter": "filter", "k8s.controller.pod": "controller", "k8s.service.port": "service",
    "k8s.endpoint": "endpoint", "k8s.policy": "policy", "k8s.mesh": "mesh", "k8s.pod.port": "pod", "nat.snat": "snat",
    "nat.dnat": "dnat",
}  # fmt: skip


class LadderRow(msgspec.Struct, frozen=True):
    """One line of the ladder of a trace: a step or the head of a branch, at its depth."""

    key: str
    depth: int
    item: Step | Branch


def ladder(trace: Trace) -> list[LadderRow]:
    """Return the road as rows; a row's key is its place in the road, so that it survives an evaluation."""
    rows = []
    seen: dict[str, int] = {}
    for depth, item in flatten(trace.steps):
        name = f"{depth} {item.label}" if isinstance(item, Branch) else f"{depth} {item.kind} {item.subject or ''}"
        number = seen[name] = seen.get(name, 0) + 1
        rows.append(LadderRow(f"{name} {number}", depth, item))
    return rows


def main_road(trace: Trace) -> Iterator[Step]:
    """Yield the steps of the road that the strip shows: into a branch with a break where there is one."""
    steps: tuple[Step, ...] = trace.steps
    while steps:
        yield from steps
        branches = steps[-1].branches
        if not branches:
            return
        broken = (branch for branch in branches if any(_has(step, branch.steps) for step in trace.breaks))
        steps = next(broken, branches[0]).steps


def _has(step: Step, steps: Sequence[Step]) -> bool:
    return any(item == step or any(_has(step, branch.steps) for branch in item.branches) for item in steps)


def strip_line(trace: Trace) -> Line:
    """Return the road in one line: a glyph and a word for each step, the first break with its summary."""
    spans: list[Span] = []
    first = deciding(trace)
    for step in main_road(trace):
        if step.verdict is Verdict.SKIP or step.kind.startswith(("start.", "deliver")):
            continue
        decides = step == first
        # The arrow has the tone of its step: a change of colour costs more bytes on the line than the word.
        arrow = " → " if spans else ""
        name = step.summary if decides else SHORT.get(step.kind, step.kind)
        glyph = VERDICT_GLYPH[step.verdict]
        word = f"{step.verdict} " if decides else ""
        spans.append(Span(f"{arrow}{glyph} {word}{name}", VERDICT_TONE[step.verdict], keep=decides))
        if decides:
            return spans
    spans += [Span(f" → ✔ {place}", "good", keep=True) for place in _places(trace)]
    return spans


def _places(trace: Trace) -> Iterator[str]:
    """Yield where a request is delivered, as one place and how many more; nothing where it is not."""
    for item in trace.destinations[:1]:
        more = len(trace.destinations) - 1
        where = f"{item.namespace}/{item.pod}" if item.pod else item.ip
        yield f"{where}:{item.port}" + (f" and {more} more" if more else "")


def because_line(trace: Trace) -> Line:
    """Return the deciding field of the first break, and the command that checks it."""
    step = deciding(trace)
    if step is None:
        told = [f"to {place}" for place in _places(trace)] + [f"hangs on: {item}" for item in trace.confidence.because]
        return [Span("  ".join(told), "muted")]
    cause = Span(f"{step.cause} " if step.cause else "", "accent", keep=True)
    if step.missing or not step.evidence:
        return [cause, Span(f"cannot know: {step.missing}" if step.missing else step.summary)]
    fact = step.evidence[0]
    ref = fact.subject or step.subject
    # Where there is no room the object gives way: the field and its value are what decides.
    return [
        cause,
        Span("because ", keep=True),
        Span("" if ref is None else str(ref)),
        Span(f"{'' if ref is None else ' '}{fact.field} = {fact.value}", keep=True),
    ]


def verdict_spans(trace: Trace) -> list[Span]:
    """Return the verdict in words, with its certainty."""
    tone = {"delivered": "good", "undecided": "unknown"}.get(trace.outcome, "bad")
    return [Span(outcome_words(trace), tone, keep=True), Span(f" · {confidence_words(trace)}", "muted", keep=True)]


def path_lines(entry: Entry | None, now: float, nowhere: str) -> tuple[BarLine, BarLine, BarLine]:
    """Return the request path of an entry point: what is asked with the verdict, the road, and what decides.

    Args:
        entry: the entry point; None where there is none.
        now: seconds since the epoch.
        nowhere: what to say where there is none.
    """
    title = [Span("─ ", "muted", keep=True), Span("Request path", "title", keep=True)]
    if entry is None or entry.trace is None:
        return (
            BarLine([*title, Span(" ")], (), "─", "muted"),
            BarLine([Span(f" {nowhere}", "muted")], cut="end"),
            BarLine(),
        )
    changed = f" · was {entry.before} until {ago(now - entry.changed_at)}" if entry.changed_at else ""
    source = entry.request.source.id or str(entry.request.source.origin)
    right = [Span(" "), *verdict_spans(entry.trace), Span(f"{changed} ", "muted")]
    return (
        BarLine([*title, Span(f": {entry.request.text} from {source} ")], right, "─", "muted"),
        BarLine([Span(" "), *strip_line(entry.trace)], cut="end"),
        BarLine([Span("   "), *because_line(entry.trace)], cut="end"),
    )


def evidence_lines(item: Step | Branch) -> list[Line]:
    """Return all that is known of a step: verdict, fields, rules considered, packet, how to check and how to mend."""
    if isinstance(item, Branch):
        share = "share unknown" if item.weight is None else f"{item.weight:.0%} of new requests"
        return [
            [Span(item.label, "title")],
            [Span(share)],
            [Span(f"stands for {item.alike} alike" if item.alike > 1 else "")],
        ]
    lines: list[Line] = [
        [
            Span(f"{VERDICT_GLYPH[item.verdict]} {item.verdict}", VERDICT_TONE[item.verdict]),
            Span(f"  {item.kind}", "muted"),
        ],
        [Span(item.summary, "strong")],
    ]
    if item.subject is not None:
        lines.append([Span("object    ", "muted"), Span(str(item.subject), "accent")])
    check = find_check(item.cause)
    if check is not None:
        lines += [[Span("check     ", "muted"), Span(f"{check.id} ", "accent"), Span(check.title)]]
    if item.status:
        lines.append([Span("status    ", "muted"), Span(str(item.status), "bad")])
    if item.missing:
        lines.append([Span("missing   ", "muted"), Span(item.missing, "unknown")])
    lines += _section("because", ([Span(evidence_words(fact, item))] for fact in item.evidence))
    lines += _section(
        "rules considered", (_rule(rule.rule, rule.why, decided=rule.decided) for rule in item.considered)
    )
    lines += _section("taken for granted", ([Span(text)] for text in item.assumptions))
    lines += _section("packet", _packets(item))
    lines += _section("confirm it (c copies the command)", ([Span(text, "accent")] for text in (item.confirm,) if text))
    lines += _section("fix", ([Span(text)] for text in (item.fix,) if text))
    lines += _section("add this, and it passes here", ([Span(text)] for text in addition_lines(item.addition)))
    return lines


def finding_lines(finding: Finding) -> list[Line]:
    """Return all that is known of a finding, in the order in which a step of a trace tells it."""
    check = find_check(finding.id)
    lines: list[Line] = [
        [
            Span(f"{finding.id} ", "accent"),
            Span("" if check is None else check.title),
            Span(f"  {finding.proof}", "muted"),
        ],
        [Span(finding.summary, "strong")],
    ]
    facts = (f"{fact.subject or finding.subject} {fact.field} = {fact.value}" for fact in finding.evidence)
    lines += _section("because", ([Span(text)] for text in facts))
    if check is not None:
        lines += _section("what a client sees", ([Span(text)] for text in (check.symptom,) if text))
    lines += _section("touches", ([Span(str(ref), "accent")] for ref in finding.related))
    lines += _section("confirm it", ([Span(text, "accent")] for text in (finding.confirm,) if text))
    lines += _section("fix", ([Span(text)] for text in (finding.fix,) if text))
    return lines


def _section(title: str, lines: Iterator[Line]) -> list[Line]:
    body = [[Span("  "), *line] for line in lines]
    return [[], [Span(title, "title")], *body] if body else []


def _rule(name: str, why: str, *, decided: bool) -> Line:
    return [
        Span("▶ " if decided else "  ", "accent"),
        Span(name, "strong" if decided else ""),
        Span(f"  {why}", "muted"),
    ]


def _packets(step: Step) -> Iterator[Line]:
    yield [Span(packet_words(step.packet))]
    if step.packet_after is not None:
        yield [Span("becomes ", "muted"), Span(packet_words(step.packet_after))]
