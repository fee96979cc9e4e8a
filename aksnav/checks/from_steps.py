"""From a step of a trace to a finding: a step that ends the road, or holds a check, with its proof."""

from aksnav.checks.catalogue import find_check
from aksnav.checks.finding import Finding, Proof
from aksnav.trace.step import UNKNOWN, Step


def finding_of(step: Step) -> Finding | None:
    """Return the finding that a step makes, or None: it has no check, no object, or no field to stand on.

    Where the step could not decide, the field is there all the same, and is a hint.
    """
    check = find_check(step.cause)
    if check is None or step.subject is None or not step.evidence:
        return None
    return Finding(
        id=check.id,
        subject=step.subject,
        summary=step.summary,
        proof=Proof.HINT if step.verdict in UNKNOWN else check.proof,
        evidence=step.evidence,
        confirm=step.confirm,
        fix=step.fix or check.fix,
    )
