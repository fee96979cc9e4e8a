"""From a step of a trace to a finding: a step that ends the road, or holds a check, with its proof."""

from aksnav.checks.catalogue import find_check
from aksnav.checks.finding import Finding
from aksnav.trace.step import UNKNOWN, Step


def finding_of(step: Step) -> Finding | None:
    """Return the finding that a step makes, or None: it has no check, no object, no proof, or could not be read."""
    check = find_check(step.cause)
    if check is None or step.subject is None or not step.evidence or step.verdict in UNKNOWN:
        return None
    return Finding(
        id=check.id,
        subject=step.subject,
        summary=step.summary,
        proof=check.proof,
        evidence=step.evidence,
        confirm=step.confirm,
        fix=step.fix or check.fix,
    )
