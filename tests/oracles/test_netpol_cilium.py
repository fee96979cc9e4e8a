"""CiliumNetworkPolicy and NetworkPolicy on Cilium, against the reachability tables of Cilium's connectivity tests.

The table is cilium/cilium cilium-cli/connectivity (Apache-2.0), read in place and never copied. Every row is asked as a
user asks it, and each end's reason is read from the steps of the trace.
"""

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from aksnav.model.kinds import KINDS
from aksnav.store.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Kind, Outcome, Step, Trace, Verdict
from tests.unit.trace_edge.cloud import group, interface, network, rule
from tests.unit.trace_edge.world import cluster, documents, made, node

TABLE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cilium"
pytestmark = pytest.mark.skipif(not TABLE.is_dir(), reason=f"the table is not here: {TABLE}")

Row = dict[str, Any]
# What the names of the table resolve to; no rule of the table names the second address.
NAMES = {"one.one.one.one": "1.1.1.1", "k8s.io": "34.107.204.206"}
NOT_ASKED = "n/a"


def rows() -> list[Row]:
    """Return the rows of the table."""
    if not TABLE.is_dir():
        return []
    return [json.loads(line) for line in (TABLE / "cases.jsonl").read_text(encoding="utf-8").splitlines()]


@functools.cache
def world(manifests: tuple[str, ...]) -> Store:
    """Return the cluster of some manifests, on Cilium."""
    objects = [item for name in manifests for item in documents(TABLE / name)]
    unknown = {item["kind"] for item in objects} - set(KINDS)
    assert not unknown, unknown
    places = {"node-1": "10.224.0.4", "node-2": "10.224.0.5"}
    nodes = [node(name, ip) for name, ip in places.items()]
    # Security groups that let everything through, so that the policies alone decide.
    fields = ("protocol", "sourceAddressPrefix", "destinationAddressPrefix", "destinationPortRange")
    rules = [rule(direction=way, **dict.fromkeys(fields, "*")) for way in ("Inbound", "Outbound")]
    groups = [group(name, *rules) for name in ("aks-nsg", "subnet-nsg")]
    azure = [network(), *groups, *(interface(name, ip) for name, ip in places.items())]
    return made(*objects, *nodes, *azure, cluster(networkDataplane="cilium"))


def traced(row: Row) -> Trace:
    """Return the trace of a row: a URL where it has a request, ``tcp://`` or ``icmp://`` where it has none."""
    target, request = row["dst"], row.get("http") or {}
    host, resolve = target.get("ip", ""), ""
    if target["type"] == "fqdn":
        host, resolve = target["name"], NAMES[target["name"]]
    scheme = row["protocol"].lower()
    if request:
        scheme = "https" if row["port"] == 443 else "http"
    port = "" if scheme == "icmp" else f":{row['port']}"
    asked = parse_request(
        f"{scheme}://{host}{port}{request.get('path', '')}",
        source=f"pod/{row['src']['namespace']}/{row['src']['pod']}",
        resolve=resolve,
        method=request.get("method", "GET"),
        headers=[f"{name}: {value}" for name, value in (request.get("headers") or {}).items()],
    )
    return trace(world(tuple(row["manifests"])), asked)


def reason(step: Step) -> str:
    """Return what a policy step does, in the table's words."""
    if step.verdict in {Verdict.PASS, Verdict.SKIP}:
        return "allow"
    if step.verdict is Verdict.RESPOND and step.status == 403:
        return "l7-deny"
    if step.verdict is Verdict.DROP:
        denied = any(item.decided and item.effect == "denies" for item in step.considered)
        return "policy-deny" if denied else "default-deny"
    return f"undecided: {step.missing}"


def ends(found: Trace) -> tuple[str, str]:
    """Return the reasons at the source and at the destination; behind a stop at the source nothing is asked."""
    told = {
        side: reason(step)
        for step in found.steps
        for side in ("egress", "ingress")
        if step.kind is Kind.POLICY and step.verdict is not Verdict.NOT_REACHED and step.summary.startswith(side)
    }
    egress = told.get("egress", NOT_ASKED)
    return egress, told.get("ingress", NOT_ASKED) if egress == "allow" else NOT_ASKED


def answer(found: Trace) -> str:
    """Return allow or deny, as the policies have it: what answers outside of the cluster, nobody here knows."""
    told = set(ends(found)) - {NOT_ASKED}
    if told == {"allow"}:
        return "allow"
    return "undecided" if any(item.startswith("undecided") for item in told) else "deny"


def test_every_row_is_decided_as_expected_with_the_reason_at_each_end() -> None:
    """All 439 rows, both ends of each: allow, default-deny, policy-deny, l7-deny, or not asked."""
    wrong = []
    for row in rows():
        found = traced(row)
        said = (answer(found), *ends(found))
        if said != (row["expected"], row["egress"], row["ingress"]):
            wrong.append((row["case"], row["src"]["pod"], row["dst"], said, row["expected"], row["egress"]))
    assert not wrong
    assert len(rows()) == 439


def test_a_row_between_pods_ends_as_a_whole_as_its_policies_say() -> None:
    """Between Pods the whole trace is decided: delivered, dropped, or answered with 403 by Cilium's proxy."""
    outcomes = {"allow": Outcome.DELIVERED, "default-deny": Outcome.DROPPED, "policy-deny": Outcome.DROPPED}
    inside = [row for row in rows() if row["dst"]["type"] == "workload"]
    for row in inside:
        found = traced(row)
        last = row["ingress"] if row["egress"] == "allow" else row["egress"]
        assert found.outcome is outcomes.get(last, Outcome.RESPONDS), row
        assert found.status == (403 if last == "l7-deny" else 0)
    assert len(inside) == 337


def test_every_stop_names_the_policy_and_tells_of_every_rule_what_it_does() -> None:
    """A step that stops a row has the deciding policy as its subject, and an effect for each rule."""
    effects = {"not-applicable", "admits", "does-not-admit", "denies"}
    for row in rows():
        for step in traced(row).steps:
            if step.kind is Kind.POLICY and step.verdict in {Verdict.DROP, Verdict.RESPOND}:
                assert step.subject is not None
                assert step.subject.kind in {"NetworkPolicy", "CiliumNetworkPolicy"}
                assert {item.effect for item in step.considered} <= effects
                assert step.evidence
