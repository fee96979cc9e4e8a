"""Each Azure permission missing in turn: the trace names it where it matters, goes on, and passes nothing unread."""

import time

import pytest

from aksnav.model.change import SourceChanged
from aksnav.model.kinds import KINDS
from aksnav.report.words import flatten
from aksnav.sources import demo
from aksnav.sources.azure.doctor import NEEDED
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Certainty, Kind, Outcome, Step, Trace, Verdict
from tests.azure.conftest import Bench

ROADS = {
    "ingress": ("https://shop.contoso.com/", "internet"),
    "service": ("tcp://20.50.1.9:8883", "internet"),
    "internal": ("tcp://10.224.0.40:80", "10.100.1.7"),
    "across": ("svc/shop/api:80", "pod/shop/web"),
}
_BALANCER = {"az.lb.backendpool", "az.lb.frontend", "az.lb.probe", "az.lb.rule"}
_BALANCED = {"ingress", "service", "internal"}
# Permission, steps that turn blind without it, and the roads on which they stand. The others are made up for: a
# security group names its interfaces itself, a load balancer its members, the nodes their subscription, and what the
# managed cluster says of policies is seen in the cluster too; usages and NAT gateways decide nothing on these roads.
TABLE: list[tuple[str, set[str], set[str]]] = [
    ("Microsoft.ContainerService/managedClusters/read", set(), set()),
    ("Microsoft.Network/virtualNetworks/read", {"az.nsg", "az.route"}, _BALANCED),
    ("Microsoft.Network/virtualNetworks/read", {"az.nsg"}, {"across"}),
    ("Microsoft.Network/networkSecurityGroups/read", {"az.nsg"}, set(ROADS)),
    ("Microsoft.Network/routeTables/read", {"az.route"}, _BALANCED),
    ("Microsoft.Network/loadBalancers/read", _BALANCER, _BALANCED),
    ("Microsoft.Network/publicIPAddresses/read", {*_BALANCER, "az.publicip"}, {"ingress", "service"}),
    ("Microsoft.Network/networkInterfaces/read", set(), set()),
    ("Microsoft.Network/natGateways/read", set(), set()),
    ("Microsoft.Compute/virtualMachineScaleSets/networkInterfaces/read", set(), set()),
    ("Microsoft.Network/virtualNetworks/usages/read", set(), set()),
]


def with_kubernetes(bench: Bench) -> Store:
    """Return the bench's store with the Kubernetes half of the built-in cluster in it, and Azure's half as read."""
    for change in demo.changes("healthy", time.time):
        if not isinstance(change, SourceChanged) and not KINDS[change.kind].azure:
            bench.store.apply(change)
    bench.read()
    return bench.store


def walked(store: Store, road: str) -> Trace:
    """Return the trace of a road."""
    text, source = ROADS[road]
    if source.startswith("pod/"):
        name = source.removeprefix("pod/")
        source = next(f"pod/{ident}" for ident in sorted(store.pods.ids()) if ident.startswith(f"{name}-"))
    return trace(store, parse_request(text, source=source))


def blind(found: Trace, action: str) -> set[str]:
    """Return the kinds of the blind steps that name an action."""
    steps = (item for _, item in flatten(found.steps) if isinstance(item, Step))
    return {str(step.kind) for step in steps if step.verdict is Verdict.BLIND and action in step.missing}


def test_every_action_that_is_asked_for_is_in_the_table() -> None:
    """No more and no less than what the doctor's role has."""
    assert {action for action, _, _ in TABLE} == set(NEEDED)


def test_with_every_permission_every_road_is_delivered(bench: Bench) -> None:
    """So that what follows shows the loss of one permission and nothing else."""
    store = with_kubernetes(bench)
    assert {road: walked(store, road).outcome for road in ROADS} == dict.fromkeys(ROADS, Outcome.DELIVERED)


@pytest.mark.parametrize("action", sorted(set(NEEDED)))
def test_a_missing_permission_turns_its_steps_blind_and_the_trace_goes_on(bench: Bench, action: str) -> None:
    """The blind steps name the action; a road that has one is undecided and partial, and still leads to its end."""
    expected: dict[str, set[str]] = {road: set() for road in ROADS}
    for row, kinds, roads in TABLE:
        if row == action:
            expected |= dict.fromkeys(roads, kinds)
    bench.server.content.denied = {action}
    store = with_kubernetes(bench)
    for road, kinds in expected.items():
        found = walked(store, road)
        assert blind(found, action) == kinds, road
        assert (found.outcome is Outcome.UNDECIDED) == bool(kinds), road
        assert (found.confidence.certainty is Certainty.PARTIAL) == bool(kinds), road
        assert any(item.kind is Kind.DELIVER for _, item in flatten(found.steps) if isinstance(item, Step)), road


def test_without_any_permission_nothing_of_azure_passes(bench: Bench) -> None:
    """Every step of Azure is blind, and each names an action."""
    bench.server.content.denied = set(NEEDED)
    store = with_kubernetes(bench)
    for road in _BALANCED:
        found = walked(store, road)
        steps = [item for _, item in flatten(found.steps) if isinstance(item, Step)]
        of_azure = [step for step in steps if step.kind.startswith("az.")]
        assert of_azure
        unread = [step for step in of_azure if step.verdict is not Verdict.FANOUT]  # which nodes there are, nodes say
        assert {step.verdict for step in unread} == {Verdict.BLIND}, road
        assert all("Microsoft." in step.missing for step in unread), road
        assert found.outcome is Outcome.UNDECIDED
