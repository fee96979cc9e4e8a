"""The demo's scenarios: what is broken is named with its field, and what is whole is delivered with every step told."""

import re
from collections.abc import Iterator

import pytest

from aksnav.checks.catalogue import catalogue
from aksnav.sources import demo
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.step import UNKNOWN, Branch, Certainty, Kind, Outcome, Step, Trace, Verdict

ASKED = [fault for fault in demo.FAULTS if fault.expected.to]
# What else is broken where a fault is: what follows from it (a peer's address is in no tag when its peering is broken),
# or what it follows from (no endpoint on any node, because no Pod is ready).
CONSEQUENCES = {
    "R06": {"N16"},
    "I02": {"I04"},
    "K04": {"X07"},
    "L15": {"S02"},
    "G10": {"G27"},
    "G12": {"G27"},
    "X01": {"S02"},
    "X05": {"S02"},
    "X12": {"S02"},
}


def load(scenario: str) -> Store:
    store = Store()
    for change in demo.changes(scenario, lambda: 1_764_000_000.0):
        store.apply(change)
    return store


@pytest.fixture(scope="module")
def healthy() -> Store:
    return load("healthy")


def ask(store: Store, fault: demo.Fault) -> Trace:
    wanted = fault.expected
    return trace(store, parse_request(wanted.to, wanted.source))


def every_step(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        for branch in step.branches:
            yield from every_step(branch.steps)


def every_branch(steps: tuple[Step, ...]) -> Iterator[Branch]:
    for step in every_step(steps):
        yield from step.branches


@pytest.mark.parametrize("fault", ASKED, ids=lambda fault: fault.name)
def test_a_fault_is_the_cause_and_its_outcome_is_what_a_client_sees(fault: demo.Fault) -> None:
    """The broken scenario gives the expected outcome and status, and the fault's check as its cause."""
    answer = ask(load(fault.name), fault)
    assert (answer.outcome, answer.status) == (fault.expected.outcome, fault.expected.status)
    if (
        answer.outcome is not Outcome.DELIVERED
    ):  # with others, a request is delivered all the same: the sweep finds them
        assert fault.check in answer.causes
    assert set(answer.causes) <= {fault.check} | CONSEQUENCES.get(fault.check, set())


@pytest.mark.parametrize("fault", ASKED, ids=lambda fault: fault.name)
def test_the_step_with_the_cause_names_object_and_field(fault: demo.Fault) -> None:
    """The steps that are broken have evidence about the object and field that decide, a command and a fix."""
    answer = ask(load(fault.name), fault)
    if answer.outcome is Outcome.DELIVERED:
        return
    found = [step for step in every_step(answer.steps) if step.cause]
    assert fault.check in {step.cause for step in found}
    wanted = fault.expected
    subjects = {ref for step in found for ref in (step.subject, *(fact.subject for fact in step.evidence))}
    assert wanted.subject in subjects
    names = set(re.findall(r"[A-Za-z]+", wanted.field)) - {"spec", "status", "metadata"}
    said = [fact.field for step in found for fact in step.evidence]
    said += [f"{item.rule} {item.why}" for step in found for item in step.considered]
    assert any(name in text for name in names for text in said), said
    assert all(step.evidence and step.confirm and step.fix for step in found)


@pytest.mark.parametrize("fault", ASKED, ids=lambda fault: fault.name)
def test_the_mended_scenario_delivers_without_a_cause(healthy: Store, fault: demo.Fault) -> None:
    """The same request on the healthy cluster is delivered to Pods, and nothing is said to be broken."""
    answer = ask(healthy, fault)
    assert answer.outcome is Outcome.DELIVERED
    assert answer.confidence.certainty in {Certainty.PROVEN, Certainty.ASSUMED}
    assert answer.causes == ()
    assert answer.breaks == ()
    assert answer.destinations
    assert all(place.pod and place.ip and place.port for place in answer.destinations)


def test_a_url_passes_every_hop_from_name_to_pod(healthy: Store) -> None:
    """The road of a URL names DNS, public address, load balancer, group, route, node, Service, proxy, rule and Pod."""
    answer = trace(healthy, parse_request("https://shop.contoso.com/api"))
    kinds = {step.kind for step in every_step(answer.steps)}
    assert kinds >= {
        Kind.START_INTERNET,
        Kind.DNS_RESOLVE,
        Kind.PUBLIC_IP,
        Kind.LB_FRONTEND,
        Kind.LB_RULE,
        Kind.LB_PROBE,
        Kind.LB_POOL,
        Kind.NSG,
        Kind.ROUTE,
        Kind.NODE_PORT,
        Kind.SERVICE_PORT,
        Kind.ENDPOINT,
        Kind.DNAT,
        Kind.POLICY,
        Kind.CONTROLLER_POD,
        Kind.ROUTE_MATCH,
        Kind.POD_PORT,
        Kind.DELIVER,
    }
    assert [(item.namespace, item.service, item.port, item.weight) for item in answer.backends] == [
        ("shop", "api", 80, 1.0)
    ]


def test_every_entry_point_of_the_healthy_cluster_is_decided(healthy: Store) -> None:
    """No way in is undecided where everything can be read and everything is modelled, and none is a cause."""
    for point in entry_points(healthy):
        answer = trace(healthy, point.request)
        assert answer.outcome is not Outcome.UNDECIDED, point.text
        assert answer.outcome is Outcome.DELIVERED or point.internal, point.text
        assert not [step for step in every_step(answer.steps) if step.verdict in UNKNOWN], point.text


@pytest.mark.parametrize("scenario", ["no-azure", "namespace-only"])
def test_what_cannot_be_read_is_never_delivered(scenario: str) -> None:
    """Without Azure, or with one namespace, no road from the internet is delivered: it says what is missing."""
    store = load(scenario)
    for fault in ASKED:
        answer = ask(store, fault)
        assert answer.outcome is not Outcome.DELIVERED or answer.confidence.certainty is not Certainty.PARTIAL
        blind = [step for step in every_step(answer.steps) if step.verdict is Verdict.BLIND]
        if fault.expected.source == "internet":
            assert answer.outcome is not Outcome.DELIVERED
            assert answer.confidence.certainty is Certainty.PARTIAL
            assert blind
        assert all(step.missing for step in blind)


@pytest.mark.parametrize("scenario", sorted(demo.SCENARIOS))
def test_causes_are_ids_of_the_catalogue_and_breaks_are_told_in_full(scenario: str) -> None:
    """Whatever is asked of any scenario: causes are known, breaks have evidence, blind steps say what is missing."""
    store = load(scenario)
    known = catalogue()
    for point in entry_points(store):
        answer = trace(store, point.request)
        assert set(answer.causes) <= set(known)
        for step in answer.breaks:
            assert step.summary
            assert step.verdict not in UNKNOWN or step.missing, step
            assert step.verdict in UNKNOWN or step.evidence, step
        assert all(branch.alike >= 1 for branch in every_branch(answer.steps))
