"""A policy that cannot be evaluated: it alone is undecidable, by name and field, and nothing else changes."""

from typing import Any

import pytest

from aksnav.checks.sweep import sweep
from aksnav.model.change import UndecodableFound, Upserted
from aksnav.sources.pipe import Decoder, Encoder
from aksnav.store.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.reach import talk
from aksnav.trace.policy.reach_ports import words
from aksnav.trace.policy.subject import parse_subject
from aksnav.trace.step import Kind, Outcome, Trace
from tests.tables.policy_table import objects
from tests.unit.trace_edge.world import Json, made, policy, put

API, WEB, DB, PROBE = "pod/shop/api", "tcp://10.224.1.5:8080", "tcp://10.224.1.6:8080", "tcp://10.224.1.19:8080"
OWN = {"podSelector": {"matchLabels": {"app": "web"}}}


def like(operator: str) -> Json:
    """Return a selector of one expression."""
    return {"matchExpressions": [{"key": "app", "operator": operator, "values": ["api"]}]}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "operator of a peer": ({**OWN, "ingress": [{"from": [{"podSelector": like("Like")}]}]}, ".spec.ingress[0].from[0]"),
    "operator of its own selector": ({"podSelector": like("Like")}, ".spec.podSelector"),
    "CIDR": ({**OWN, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/40"}}]}]}, ".spec.ingress[0].from[0]"),
    "except": (
        {**OWN, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["x"]}}]}]},
        ".spec.ingress[0].from[0]",
    ),
    "protocol": ({**OWN, "ingress": [{"ports": [{"protocol": "ICMP"}]}]}, ".spec.ingress[0].ports[0]"),
    "policyTypes": ({**OWN, "policyTypes": ["Ingres"]}, ".spec.policyTypes"),
    "field of a peer": (
        {**OWN, "ingress": [{"from": [{"podSelectors": {}}]}]},
        ".spec.ingress[0].from[0].podSelectors",
    ),
    "field of a rule": ({**OWN, "ingress": [{"fromm": [{"podSelector": {}}]}]}, ".spec.ingress[0].fromm"),
    "field of the spec": ({**OWN, "ingres": [{}]}, ".spec.ingres"),
    "field of its own selector": ({"podSelector": {"matchLabel": {"app": "web"}}}, ".spec.podSelector.matchLabel"),
}


def world(engine: str, *more: Json) -> Store:
    """Return the cluster of the table with some policies."""
    store = made(*objects(engine, "Local"))
    put(store, *more)
    return store


def asked(store: Store, target: str, source: str = API) -> Trace:
    """Return a trace."""
    return trace(store, parse_request(target, source=source))


@pytest.mark.parametrize("engine", ["azure", "calico", "cilium"])
@pytest.mark.parametrize("what", BAD)
def test_a_trace_names_the_policy_and_the_field(what: str, engine: str) -> None:
    """What it may select is undecided by its name; Pods that it does not select and other namespaces are as before."""
    spec, field = BAD[what]
    store = world(engine, policy("shop/bad", **spec))
    answer = asked(store, WEB)
    assert answer.outcome is Outcome.UNDECIDED
    step = next(step for step in answer.breaks if step.kind is Kind.POLICY)
    assert "shop/bad" in step.missing
    assert field in step.missing
    assert asked(store, PROBE).outcome is Outcome.DELIVERED
    if spec["podSelector"] == OWN["podSelector"]:
        assert asked(store, DB).outcome is Outcome.DELIVERED


@pytest.mark.parametrize("what", BAD)
def test_another_policy_that_admits_still_admits(what: str) -> None:
    """Policies are additive: whatever the bad one says, what another admits passes."""
    spec, _ = BAD[what]
    store = world("azure", policy("shop/bad", **spec), policy("shop/good", ingress=[{}]))
    assert asked(store, WEB).outcome is Outcome.DELIVERED


@pytest.mark.parametrize("what", BAD)
def test_who_leaves_open_what_hangs_on_it_and_nothing_else(what: str) -> None:
    """Every peer of its Pods is undecided by its name; a Pod of another namespace has the answer that it had."""
    spec, _ = BAD[what]
    store = world("azure", policy("shop/bad", **spec))
    rows = [row for row in talk(store, parse_subject(store, "pod/shop/web")).rows if row.direction is Direction.INGRESS]
    undecided = [row for row in rows if row.allowed is None]
    assert undecided
    assert all([ref.id for ref in row.policies] == ["shop/bad"] for row in undecided)
    assert all(row.allowed is not False for row in rows)
    assert reached(store, "pod/ops/probe") == reached(world("azure"), "pod/ops/probe")


def reached(store: Store, subject: str) -> dict[tuple[str, str], bool | None]:
    """Return which peers of other namespaces than shop can reach a subject, by port."""
    rows = talk(store, parse_subject(store, subject)).rows
    kept = [row for row in rows if row.direction is Direction.INGRESS and row.peer.namespace != "shop"]
    return {(str(row.peer), words(row.ports)): row.allowed for row in kept}


@pytest.mark.parametrize("what", BAD)
def test_a_sweep_finds_what_it_found_without_it(what: str) -> None:
    """One bad object takes no other finding away, and raises nothing about objects that it does not touch."""
    spec, _ = BAD[what]
    before = {(item.id, str(item.subject)) for item in sweep(world("azure"))}
    after = {(item.id, str(item.subject)) for item in sweep(world("azure", policy("shop/bad", **spec)))}
    assert before <= after
    assert all("shop/" in subject or "NetworkPolicy" in subject for _, subject in after - before)


def test_a_policy_that_cannot_be_decoded_is_named_as_well() -> None:
    """What is no NetworkPolicy at all may select any Pod of its namespace: undecided by its name, and only there."""
    store = world("azure")
    store.apply(UndecodableFound("NetworkPolicy", "shop/odd", "Expected `object`"))
    answer = asked(store, WEB)
    assert answer.outcome is Outcome.UNDECIDED
    assert any("shop/odd" in step.missing for step in answer.breaks)
    assert asked(store, PROBE, "pod/ops/new").outcome is Outcome.DELIVERED


def test_the_struct_keeps_the_first_unknown_field_on_its_way() -> None:
    """The explorer's child process sends structs: what was unknown there is unknown here."""
    store = world("azure", policy("shop/bad", **OWN, ingres=[{}]))
    kept = store.network_policies.get("shop/bad")
    assert kept is not None
    decoder = Decoder()
    bodies = Encoder().bodies([Upserted("NetworkPolicy", [kept])])
    (change,) = [change for body in bodies for change in decoder.changes(body)]
    assert isinstance(change, Upserted)
    assert change.objects == [kept]
