"""Findings as SARIF 2.1.0 (OASIS), for code scanning and ticket systems.

A finding has no file: its object is a logical location, by its kind and its id.
"""

from collections.abc import Sequence
from typing import Any

from aksnav.checks.catalogue import find_check
from aksnav.checks.finding import Finding, Proof
from aksnav.model.text import plain
from aksnav.report.data import evidence_data
from aksnav.trace.step import Evidence

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVEL = {Proof.PROVEN: "error", Proof.LIKELY: "warning", Proof.HINT: "note"}


def sarif(findings: Sequence[Finding], not_read: Sequence[str], version: str) -> dict[str, Any]:
    """Return a SARIF log of one run.

    Args:
        findings: in their order.
        not_read: one line for each blind spot and each undecided way in; they are notifications of the run, so that a
            log without results is not taken for a proof.
        version: of aksnav.
    """
    ids = list(dict.fromkeys(finding.id for finding in findings))
    driver = {"name": "aksnav", "version": version, "rules": [_rule(ident) for ident in ids]}
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "results": [_result(finding, ids.index(finding.id)) for finding in findings],
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "warning", "message": {"text": plain(f"not known: {line}")}} for line in not_read
                ],
            }
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(ident: str) -> dict[str, Any]:
    check = find_check(ident)
    if check is None:
        return {"id": ident}
    told = {"id": ident, "shortDescription": {"text": check.title}, "fullDescription": {"text": check.symptom}}
    return {**told, "help": {"text": check.fix or check.title}, "properties": {"source": check.source}}


def _result(finding: Finding, index: int) -> dict[str, Any]:
    because = "; ".join(_words(fact, finding) for fact in finding.evidence)
    text = f"{finding.summary}. Because {because}" if because else finding.summary
    subjects = (finding.subject, *finding.related)
    return {
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": _LEVEL[finding.proof],
        "message": {"text": plain(text)},
        "locations": [
            {
                "logicalLocations": [
                    {"name": plain(ref.name), "fullyQualifiedName": plain(str(ref.id)), "kind": plain(ref.kind)}
                    for ref in subjects
                ]
            }
        ],
        # What tells this finding in the next run: the check and its object.
        "partialFingerprints": {"object/v1": plain(f"{finding.id} {finding.subject.kind} {finding.subject.id}")},
        "properties": {
            "proof": str(finding.proof),
            "evidence": [evidence_data(fact) for fact in finding.evidence],
            "confirm": finding.confirm,
            "fix": finding.fix,
        },
    }


def _words(fact: Evidence, finding: Finding) -> str:
    return f"{fact.subject or finding.subject} {fact.field} = {fact.value}"
