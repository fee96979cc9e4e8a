"""The commands on a real API server, as users who may read much, little and nothing; the audit log holds it all."""

import json
from pathlib import Path

import pytest

from tests.cluster import access
from tests.cluster.bundle import Bundle, aksnav, steps_of
from tests.cluster.control_plane import ControlPlane

API = "https://shop.contoso.com/api"


def words(plane: ControlPlane, user: str, namespace: str = "") -> tuple[str, ...]:
    """Return the options that read as a user, without Azure."""
    return ("--kubeconfig", str(plane.kubeconfig(user, namespace)), "--no-azure")


def test_doctor_asks_what_it_may_do_and_writes_nothing(sample_cluster: ControlPlane) -> None:
    """Its reviews are the one thing that is created, and they change nothing."""
    said = aksnav("doctor", "--kubeconfig", str(sample_cluster.kubeconfig("reader")), "--no-azure", "-o", "json")
    assert said.err == ""
    assert json.loads(said.out)
    asked = access.asked_by_the_program(sample_cluster.layout.audit_log)
    assert {verb for verb, _ in asked} <= {"get", "list", "watch", "create"}
    assert {resource for verb, resource in asked if verb == "create"} == {"selfsubjectaccessreviews"}


@pytest.mark.parametrize(("user", "namespace"), [("reader", ""), ("namespace-only", "shop"), ("nothing", "")])
def test_no_verdict_passes_through_what_was_not_read(sample_cluster: ControlPlane, user: str, namespace: str) -> None:
    """From the internet nothing is delivered without Azure; each unread part is named with what is missing."""
    said = aksnav("trace", API, *words(sample_cluster, user, namespace), "-o", "json")
    assert (said.status, said.data["verdict"]) == (3, "undecided")
    assert said.data["confidence"]["certainty"] == "partial"
    assert all(step["missing"] for step in steps_of(said.data["steps"]) if step["verdict"] == "blind")
    swept = aksnav("check", *words(sample_cluster, user, namespace), "-o", "json")
    assert (swept.status, swept.data["findings"]) == (3, [])
    unread = " ".join(swept.data["not_read"])
    assert ("nodes" in unread) is (user != "reader")
    assert ("pods" in unread) is (user != "reader")
    assert "networkSecurityGroups" in unread


def test_a_capture_of_the_live_cluster_answers_as_the_cluster_does(
    sample_cluster: ControlPlane, tmp_path: Path
) -> None:
    """Same verdict, same steps, same findings, without a connection."""
    options = words(sample_cluster, "reader")
    file = tmp_path / "live.aksnav"
    assert aksnav("capture", str(file), *options).status == 0
    live = aksnav("trace", API, *options, "-o", "json").data
    held = Bundle(file).trace(API).data
    assert held["verdict"] == live["verdict"]
    assert [step["kind"] for step in steps_of(held["steps"])] == [step["kind"] for step in steps_of(live["steps"])]
    assert held["destinations"] == live["destinations"]
