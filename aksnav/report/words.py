"""Words and glyphs for verdicts: a glyph never stands without its word."""

from collections.abc import Iterator

from aksnav.model.addresses import format_address
from aksnav.trace.packet import Packet
from aksnav.trace.step import Branch, Outcome, Step, Trace, Verdict

VERDICT_GLYPH = {
    Verdict.PASS: "✔",
    Verdict.TRANSFORM: "✔",
    Verdict.FANOUT: "✔",
    Verdict.SKIP: "–",  # noqa: RUF001 - a dash is meant
    Verdict.DROP: "✖",
    Verdict.REJECT: "✖",
    Verdict.RESPOND: "✖",
    Verdict.BLIND: "?",
    Verdict.UNSUPPORTED: "?",
    Verdict.NOT_REACHED: "·",
}

OUTCOME_GLYPH = {
    Outcome.DELIVERED: "✔",
    Outcome.RESPONDS: "✖",
    Outcome.DROPPED: "✖",
    Outcome.REFUSED: "✖",
    Outcome.UNRESOLVED: "✖",
    Outcome.SPLIT: "✖",
    Outcome.UNDECIDED: "?",
}

# Worst first: what fails for certain, then what fails in part, then what nobody knows, then what arrives.
OUTCOME_RANK = {
    Outcome.DROPPED: 0,
    Outcome.REFUSED: 1,
    Outcome.UNRESOLVED: 2,
    Outcome.RESPONDS: 3,
    Outcome.SPLIT: 4,
    Outcome.UNDECIDED: 5,
    Outcome.DELIVERED: 6,
}


def outcome_words(trace: Trace) -> str:
    """Return the outcome as people say it: ``responds 503``."""
    return (
        f"{trace.outcome} {trace.status}" if trace.outcome is Outcome.RESPONDS and trace.status else str(trace.outcome)
    )


def confidence_words(trace: Trace) -> str:
    """Return how sure the outcome is, with the number of things that it hangs on."""
    because = len(trace.confidence.because)
    return f"{trace.confidence.certainty} ({because})" if because else str(trace.confidence.certainty)


def packet_words(packet: Packet) -> str:
    """Return a packet in one line: source, destination and port, host and path where there is a request in it."""
    source = packet.source_word or "any"
    if packet.source is not None:
        source = format_address(packet.source)
    target = "?" if packet.destination is None else format_address(packet.destination)
    line = f"{source} → [{target}]:{packet.port}" if ":" in target else f"{source} → {target}:{packet.port}"
    line += f" {packet.protocol}"
    if packet.http:
        line += f" {packet.method or 'GET'} {packet.host}{packet.path}"
    if packet.sni:
        line += f" SNI {packet.sni}"
    return line


def flatten(steps: tuple[Step, ...], depth: int = 0) -> Iterator[tuple[int, Step | Branch]]:
    """Yield every step of a road in order, with its depth; before the steps of a branch comes the branch itself."""
    for step in steps:
        yield depth, step
        for branch in step.branches:
            yield depth + 1, branch
            yield from flatten(branch.steps, depth + 2)
