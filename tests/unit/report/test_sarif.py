"""Findings as SARIF: what the OASIS schema requires, and that a blind run is not taken for a clean one."""

import json

import pytest

from aksnav.checks.finding import Finding, Proof
from aksnav.cli.reading import encode
from aksnav.model.object import Ref
from aksnav.report.sarif import sarif
from aksnav.trace.step import Evidence
from tests.ui.payloads import PAYLOADS, harmless


def finding(ident: str, name: str, proof: Proof = Proof.PROVEN) -> Finding:
    return Finding(
        id=ident,
        subject=Ref("Service", f"shop/{name}"),
        summary=f"{name} is wrong",
        proof=proof,
        evidence=(Evidence(".spec.selector", "app=x"),),
        fix="mend it",
    )


def test_every_check_is_one_rule_and_every_finding_one_result() -> None:
    """SARIF 2.1.0, 3.27: ruleIndex points into the rules of the driver; level is from a closed list."""
    log = sarif([finding("S02", "a"), finding("S01", "b", Proof.HINT), finding("S02", "c", Proof.LIKELY)], [], "1")
    run = log["runs"][0]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["S02", "S01"]
    assert [(item["ruleId"], item["ruleIndex"], item["level"]) for item in run["results"]] == [
        ("S02", 0, "error"),
        ("S01", 1, "note"),
        ("S02", 0, "warning"),
    ]


def test_a_result_names_its_object_and_the_field_that_proves_it() -> None:
    """The object is a logical location; its fingerprint is the same in the next run."""
    item = sarif([finding("S02", "api")], [], "1")["runs"][0]["results"][0]
    assert item["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "shop/api"
    assert ".spec.selector = app=x" in item["message"]["text"]
    assert item["partialFingerprints"] == {"object/v1": "S02 Service shop/api"}


def test_what_was_not_read_is_told_in_a_log_without_results() -> None:
    """An empty list of results is no proof where something is blind."""
    run = sarif([], ["pods: denied"], "1")["runs"][0]
    assert run["results"] == []
    told = run["invocations"][0]["toolExecutionNotifications"]
    assert [item["message"]["text"] for item in told] == ["not known: pods: denied"]


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_no_foreign_text_acts_in_a_message(payload: str) -> None:
    """The line is ASCII, and what a viewer prints of it is harmless."""
    line = encode(sarif([finding("S02", payload)], [payload], "1"))
    assert line.isascii()
    assert harmless(json.loads(line)["runs"][0]["results"][0]["message"]["text"])
