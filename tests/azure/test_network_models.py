"""Each network model, in ARM's and Kubernetes' wire form: the roads that tell the models apart.

The built-in cluster in the form of each model (aks-networking.md 1.2), read as a capture of files is read.
"""

from functools import cache
from typing import Any

import msgspec
import pytest

from aksnav.about.network import model_fact
from aksnav.report.words import flatten
from aksnav.sources import demo
from aksnav.sources.demo import changes
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Kind, Outcome, Step, Trace

NOW = 1_790_000_000.0
MODELS = ("overlay", "azure-cni", "pod-subnet", "pod-subnet-static", "kubenet", "dual-stack")
HIDDEN = ("overlay", "kubenet", "dual-stack")
IN = ("start.internet", "az.publicip", "az.lb.frontend", "az.lb.rule", "az.lb.probe", "az.lb.backendpool")
HUB, NEIGHBOUR = "10.100.1.7", "10.224.0.50"


@cache
def store(scenario: str) -> Store:
    """Return a store with a scenario."""
    made = Store()
    for change in changes(scenario, lambda: NOW):
        made.apply(change)
    return made


@cache
def pods(scenario: str) -> tuple[Any, Any]:
    """Return a Pod of shop/web, and one of shop/api on another node."""
    listed = sorted(store(scenario).pods, key=lambda pod: pod.id)
    first = next(pod for pod in listed if pod.id.startswith("shop/web-"))
    return first, next(pod for pod in listed if pod.id.startswith("shop/api-") and pod.node != first.node)


def ask(scenario: str, to: str, source: str = "internet") -> Trace:
    """Return a trace; WEB and API stand for the Pods' ids and addresses."""
    web, api = pods(scenario)
    text = to.replace("API", api.ip)
    return trace(store(scenario), parse_request(text, source=source.replace("WEB", f"pod/{web.id}")))


def steps(found: Trace) -> list[Step]:
    """Return every step."""
    return [item for _, item in flatten(found.steps) if isinstance(item, Step)]


def kinds(found: Trace) -> tuple[str, ...]:
    """Return the kinds of the steps of the trunk."""
    return tuple(str(step.kind) for step in found.steps)


@pytest.mark.parametrize(
    ("scenario", "model", "field"),
    [
        ("overlay", "Azure CNI Overlay", ".networkProfile.networkPluginMode"),
        ("dual-stack", "Azure CNI Overlay", ".networkProfile.networkPluginMode"),
        ("azure-cni", "Azure CNI node subnet", ".podSubnetID"),
        ("pod-subnet", "Azure CNI pod subnet, dynamic allocation", ".podIPAllocationMode"),
        ("pod-subnet-static", "Azure CNI pod subnet, static block allocation", ".podIPAllocationMode"),
        ("kubenet", "kubenet", ".networkProfile.networkPlugin"),
    ],
)
def test_a_capture_of_each_model_is_recognised_by_its_field(scenario: str, model: str, field: str) -> None:
    """The deciding field stands in the evidence."""
    fact = model_fact(store(scenario))
    assert fact.value == model
    assert any(proof.field.endswith(field) for proof in fact.evidence)


@pytest.mark.parametrize("scenario", MODELS)
def test_a_public_load_balancer_works_alike_in_every_model(scenario: str) -> None:
    """The same stretch of Azure; what is behind the node differs."""
    found = ask(scenario, "tcp://20.50.1.9:8883")
    assert (found.outcome, found.causes) == (Outcome.DELIVERED, ())
    assert kinds(found) == IN


@pytest.mark.parametrize("scenario", MODELS)
def test_pods_reach_pods_of_other_nodes(scenario: str) -> None:
    """In kubenet the route table carries it, by a route to the node; elsewhere the network knows the Pods."""
    found = ask(scenario, "tcp://API:8080", "WEB")
    assert found.outcome is Outcome.DELIVERED
    by_route = [step for step in steps(found) if step.kind is Kind.ROUTE]
    assert bool(by_route) == (scenario == "kubenet")
    if by_route:
        assert any(fact.field.endswith(".nextHopIpAddress") for fact in by_route[0].evidence)


@pytest.mark.parametrize("scenario", MODELS)
def test_what_leaves_has_the_address_that_the_model_gives_it(scenario: str) -> None:
    """The node's in overlay, kubenet and (outside of the network) the node subnet; the Pod's own in a pod subnet."""
    web, _ = pods(scenario)
    found = ask(scenario, "tcp://203.0.113.9:443", "WEB")
    first = next(step for step in found.steps if step.kind is Kind.ROUTE)
    node = store(scenario).nodes.get(web.node)
    assert node is not None
    seen = ask(scenario, "tcp://203.0.113.9:443", "node/" + web.node).steps[0].packet.source
    own = first.packet.source != seen
    assert own == scenario.startswith("pod-subnet")
    assert found.outcome is Outcome.UNDECIDED


@pytest.mark.parametrize("scenario", MODELS)
@pytest.mark.parametrize("source", [HUB, NEIGHBOUR])
def test_a_pods_own_address_from_outside(scenario: str, source: str) -> None:
    """Reached where Pods have addresses of the network, and by kubenet's routes of the subnet; R11 elsewhere."""
    found = ask(scenario, "tcp://API:8080", source)
    reached = scenario not in HIDDEN or (scenario == "kubenet" and source == NEIGHBOUR)
    if reached:
        assert found.outcome is Outcome.DELIVERED
        return
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("R11",))
    (broken,) = found.breaks
    assert broken.evidence
    assert broken.fix


def test_kubenets_route_to_a_pod_is_named() -> None:
    """From a host of the nodes' subnet: the user-defined route to the Pod's node."""
    found = ask("kubenet", "tcp://API:8080", NEIGHBOUR)
    route = next(step for step in found.steps if step.kind is Kind.ROUTE)
    assert "VirtualAppliance" in route.summary


def test_without_the_route_of_its_node_a_pod_of_kubenet_is_cut_off() -> None:
    """The route table has lost the routes: from other nodes R03, from hosts of the subnet R11."""
    made = Store()
    for change in changes("kubenet", lambda: NOW):
        made.apply(change)
    for table in list(made.route_tables):
        left = tuple(route for route in table.routes if route.next_hop_type != "VirtualAppliance")
        made.route_tables.upsert([msgspec.structs.replace(table, routes=left)])
    web, api = pods("kubenet")
    inside = trace(made, parse_request(f"tcp://{api.ip}:8080", source=f"pod/{web.id}"))
    outside = trace(made, parse_request(f"tcp://{api.ip}:8080", source=NEIGHBOUR))
    assert (inside.outcome, inside.causes) == (Outcome.DROPPED, ("R03",))
    assert (outside.outcome, outside.causes) == (Outcome.DROPPED, ("R11",))


def test_every_model_is_among_the_scenarios() -> None:
    """So that none is forgotten."""
    assert set(MODELS) <= set(demo.SCENARIOS)
