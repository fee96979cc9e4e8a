"""From a step of a trace to a finding: a step that ends the road, or holds a check, with its proof."""

from aksnav.checks.catalogue import find_check
from aksnav.checks.finding import Finding, Proof
from aksnav.trace.step import UNKNOWN, Step


def finding_of(step: Step) -> Finding | None:
    """Return the finding that a step makes, or None: it has no check, no object, or no field to stand on.

    A step that could not be decided proves nothing; what no field can prove anyway (a port that no container declares)
    is a hint then.
    """
    check = find_check(step.cause)
    if check is None or step.subject is None or not step.evidence:
        return None
    undecided = step.verdict in UNKNOWN
    if undecided and check.proof is Proof.PROVEN:
        return None
    return Finding(
        id=check.id,
        subject=step.subject,
        summary=step.summary,
        proof=Proof.HINT if undecided else check.proof,
        evidence=step.evidence,
        confirm=step.confirm,
        fix=step.fix or check.fix,
    )
