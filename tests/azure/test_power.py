"""A cluster that does not run, and node pools that have no node: what a trace makes of Azure's word and Kubernetes'."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aksnav.checks.finding import Proof
from aksnav.checks.nodes import cluster_findings
from aksnav.model.change import Reading, ReadingChanged
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Certainty, Kind, Outcome, Trace, Verdict
from tests.azure.cluster_objects import Objects, base, internal
from tests.azure.gateway_objects import app_gateway, containers
from tests.azure.ways_in import read

Bend = Callable[[Objects], None]
PUBLIC, SHOP = "https://20.50.1.7", "http://shop.example/api"
NODES = ("node-1", "node-2")


def cluster(made: Objects) -> Any:
    """Return the properties of the managed cluster."""
    return made["cluster"]["properties"]


def stopped(made: Objects) -> None:
    """Azure says that the cluster is stopped."""
    cluster(made)["powerState"] = {"code": "Stopped"}


def lost(made: Objects) -> None:
    """The nodes have stopped to report."""
    for wire in made.values():
        if wire["kind"] == "Node":
            wire["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]


def pool(**fields: Any) -> Bend:
    """Bend the node pool."""
    return lambda made: cluster(made)["agentPoolProfiles"][0].update(fields)


def labelled(made: Objects) -> None:
    """Nodes say of which pool they are."""
    for wire in made.values():
        if wire["kind"] == "Node":
            wire["metadata"].setdefault("labels", {})["kubernetes.azure.com/agentpool"] = "np1"


def stored(folder: Path, *bends: Bend) -> Store:
    """Return the store of the base after some changes."""
    made = base()
    for bend in bends:
        bend(made)
    return read(folder, made)


def asked(store: Store, to: str = PUBLIC, source: str = "internet") -> Trace:
    """Return the trace of a request."""
    return trace(store, parse_request(to, source=source))


def decided(found: Trace) -> set[tuple[str, str]]:
    """Return the deciding fields of K04 with their values."""
    return {(fact.field, fact.value) for step in found.breaks if step.cause == "K04" for fact in step.evidence}


WAYS = [
    ((), PUBLIC, "internet", Outcome.DROPPED, 0),
    ((internal,), "https://10.224.0.200", "10.224.0.99", Outcome.DROPPED, 0),
    ((app_gateway,), SHOP, "internet", Outcome.RESPONDS, 502),
    ((containers,), "http://shop.example/", "internet", Outcome.RESPONDS, 502),
    ((), "svc/shop/web:443", "pod/shop/web-1", Outcome.DROPPED, 0),
    ((), "https://1.1.1.1", "pod/shop/web-1", Outcome.DROPPED, 0),
    ((), "pod/shop/web-1:8443", "node/node-1", Outcome.DROPPED, 0),
]


@pytest.mark.parametrize(("bends", "to", "source", "outcome", "status"), WAYS)
def test_no_road_passes_the_nodes_of_a_cluster_that_is_stopped(
    tmp_path: Path, bends: tuple[Bend, ...], to: str, source: str, outcome: Outcome, status: int
) -> None:
    """From everywhere: the first break is the cluster's own word; behind a gateway the gateway answers."""
    found = asked(stored(tmp_path, *bends, stopped, lost), to, source)
    assert (found.outcome, found.status, found.causes[0]) == (outcome, status, "K04")
    assert decided(found) == {(".powerState.code", "Stopped")}
    assert found.breaks[0].fix.startswith("az aks start -g ")


@pytest.mark.parametrize(("bends", "to", "source"), [way[:3] for way in WAYS])
def test_nodes_that_are_ready_contradict_a_cluster_that_is_stopped(
    tmp_path: Path, bends: tuple[Bend, ...], to: str, source: str
) -> None:
    """Nobody knows which word is old: neither of the two ends is claimed, and both words are named."""
    found = asked(stored(tmp_path, *bends, stopped), to, source)
    assert found.outcome is Outcome.UNDECIDED
    assert "K04" in found.causes
    assert {field for field, _ in decided(found)} == {
        ".powerState.code",
        '.status.conditions[?(@.type=="Ready")].status',
    }
    assert any("a start or a stop is under way, or one of the two is old" in line for line in found.confidence.because)


def test_the_finding_is_proven_only_where_no_node_contradicts_it(tmp_path: Path) -> None:
    """With Ready nodes it is likely, and says why it may be otherwise."""
    (sure,) = cluster_findings(stored(tmp_path, stopped, lost))
    assert sure.proof is Proof.PROVEN
    (open_,) = cluster_findings(stored(tmp_path, stopped))
    assert open_.proof is Proof.LIKELY
    assert "2 of 2 nodes are Ready" in open_.summary


@pytest.mark.parametrize("reading", [Reading.STALE, Reading.FAILED, Reading.UNREAD])
def test_without_live_nodes_azures_word_is_taken_and_that_is_said(tmp_path: Path, reading: Reading) -> None:
    """The API server of a stopped cluster does not answer, so its nodes are old or not there at all."""
    store = stored(tmp_path, stopped)
    store.apply(ReadingChanged("Node", reading, reason="no answer"))
    found = asked(store)
    assert (found.outcome, found.causes[0], found.confidence.certainty) == (
        Outcome.DROPPED,
        "K04",
        Certainty.ASSUMED,
    )
    assert any(f"nodes are {reading.value}" in line for line in found.confidence.because)


def test_a_cluster_that_runs_is_nobodys_cause(tmp_path: Path) -> None:
    """Nor is one that does not say whether it runs."""
    assert asked(stored(tmp_path)).outcome is Outcome.DELIVERED
    running = asked(stored(tmp_path, lambda made: cluster(made).update(powerState={"code": "Running"})))
    assert (running.outcome, running.causes) == (Outcome.DELIVERED, ())


POOL = ".agentPoolProfiles[?name=='np1']"


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"powerState": {"code": "Stopped"}}, f"{POOL}.powerState.code Stopped"), ({"count": 0}, f"{POOL}.count 0")],
)
def test_a_ready_node_of_a_pool_without_nodes_is_taken_to_carry_traffic(
    tmp_path: Path, fields: dict[str, Any], field: str
) -> None:
    """Azure's count follows a node that comes; the contradiction is named."""
    found = asked(stored(tmp_path, labelled, pool(**fields)))
    assert (found.outcome, found.confidence.certainty) == (Outcome.DELIVERED, Certainty.ASSUMED)
    assert any(f"it is Ready, and Azure says {field}" in line for line in found.confidence.because)


def test_a_node_that_is_lost_names_its_pool(tmp_path: Path) -> None:
    """Why it is not ready: its pool is stopped."""
    found = asked(stored(tmp_path, labelled, lost, pool(powerState={"code": "Stopped"})))
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("X07",))
    facts = {(fact.field, fact.value) for step in found.breaks for fact in step.evidence}
    assert (f"{POOL}.powerState.code", "Stopped") in facts


def test_pools_without_a_node_end_the_road_where_no_node_is_known(tmp_path: Path) -> None:
    """All of them, by their own counts; a pool whose count was cut out says nothing."""

    def nobody(made: Objects) -> None:
        for name in [name for name, wire in made.items() if wire["kind"] == "Node"]:
            del made[name]
        made["none"] = {"kind": "NodeList", "items": []}

    found = asked(stored(tmp_path, nobody, pool(count=0)))
    assert (found.outcome, found.causes[0]) == (Outcome.DROPPED, "K04")
    assert decided(found) == {(f"{POOL}.count", "0")}
    cut = stored(tmp_path, nobody, lambda made: cluster(made)["agentPoolProfiles"][0].pop("count"))
    assert "K04" not in asked(cut).causes
    assert not list(cluster_findings(cut))


def test_a_load_balancer_of_another_group_does_not_end_with_the_cluster(tmp_path: Path) -> None:
    """Other machines may stand behind it."""

    def elsewhere(made: Objects) -> None:
        cluster(made)["nodeResourceGroup"] = "somewhere-else"

    found = asked(stored(tmp_path, stopped, lost, elsewhere))
    (pool_step,) = [step for step in found.steps if step.kind is Kind.LB_POOL]
    assert pool_step.verdict is Verdict.FANOUT
    assert not any(step.cause == "K04" for step in found.steps)
    assert all(branch.steps[0].kind is Kind.NSG for branch in pool_step.branches)
