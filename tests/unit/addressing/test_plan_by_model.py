"""The address plan of the demo in each network model, against figures that are worked out by hand here.

The demo has three pools (system, apps, data) of two nodes, scaled between 2 and 8 by the autoscaler, with a maxSurge of
10 %; a subnet of nodes with one internal frontend; and 48 Pods that have an address of their own: 5 on each node of
system, 15 and 13 on those of apps, 6 and 4 on those of data.

By concepts-network-ip-address-planning.md ("Upgrading and scaling considerations") growth adds
next node 1, surge upgrade ceil(0.1 x 2) = 1 for each of three pools = 3, maximum 3 x (8 - 2) = 18,
and with the surge of the maximum 18 + 3 x ceil(0.1 x 8) = 21 nodes.
"""

from typing import NamedTuple

import pytest

from aksnav.checks.sweep import sweep, undecided_ways
from aksnav.store import Store
from aksnav.trace.addressing.allotted import pods_on
from aksnav.trace.addressing.find import holders_of
from aksnav.trace.addressing.forecast import Outlook, State, outlook
from aksnav.trace.addressing.models import Model
from aksnav.trace.addressing.plan import plan
from aksnav.trace.addressing.subnets import SubnetUse, subnet_uses
from aksnav.trace.addressing.words import Sort
from tests.unit.addressing.cluster import loaded

VARIANTS = ("overlay", "dual-stack", "azure-cni", "pod-subnet", "pod-subnet-static", "kubenet")
NEXT, SURGE = "next node of apps", "surge upgrade of every pool"
MAXIMUM, MAXIMUM_SURGE = "maximum of every pool", "surge upgrade at the maximum of every pool"
STEPS = (NEXT, SURGE, MAXIMUM, MAXIMUM_SURGE)


class Wanted(NamedTuple):
    """What a budget must have, and what the four steps need of it: at the least, and when nodes fill with Pods."""

    budget: str
    unit: str
    capacity: int
    used: int
    least: tuple[int, int, int, int]
    most: tuple[int, int, int, int] | None = None


# Nodes alone: one address each. A /26 has 64 - 5 = 59 addresses; 6 nodes and 1 frontend use 7.
NODES_ONLY = Wanted("subnet snet-nodes", "addresses", 59, 7, (1, 3, 18, 21))
WANTED = {
    # concepts-network-azure-cni-overlay.md, "Pods": a /24 for each node; a /16 has 2^(24-16) = 256 of them.
    "overlay": [NODES_ONLY, Wanted("Pod CIDR 10.244.0.0/16", "/24 blocks", 256, 6, (1, 3, 18, 21))],
    # azure-cni-overlay.md, dual stack: the same, and of the second family a block for each node: a /80 of a /64.
    "dual-stack": [
        NODES_ONLY,
        Wanted("Pod CIDR 10.244.0.0/16", "/24 blocks", 256, 6, (1, 3, 18, 21)),
        Wanted("Pod CIDR fd12:3456:789a::/64", "/80 blocks", 65536, 6, (1, 3, 18, 21)),
    ],
    # concepts-network-legacy-cni.md, "Azure CNI Node Subnet": 1 + 30 addresses for each node, kept up front.
    # A /22 has 1024 - 5 = 1019; 6 x 31 + 1 frontend = 187; 31, 3 x 31 = 93, 18 x 31 = 558, 21 x 31 = 651.
    "azure-cni": [Wanted("subnet snet-nodes", "addresses", 1019, 187, (31, 93, 558, 651))],
    # concepts-network-azure-cni-pod-subnet.md, "Plan IP addressing": 16 at a time, 16 more when fewer than 8 are left.
    # Pods 5, 5, 15, 13, 6, 4: 16 + 16 + 32 + 32 + 16 + 16 = 128. A new node asks for 16, a full one has 110 (maxPods).
    # All full: 24 x 110 - 128 = 2512, and with three more 27 x 110 - 128 = 2842.
    "pod-subnet": [
        NODES_ONLY,
        Wanted("subnet snet-pods", "addresses", 4091, 128, (16, 48, 288, 336), (110, 330, 2512, 2842)),
    ],
    # The same page, static block: maxPods 31 = 2 x 16 - 1, two /28 for each node. A /20 has 256, two of them not whole.
    "pod-subnet-static": [NODES_ONLY, Wanted("subnet snet-pods", "/28 blocks", 254, 12, (2, 6, 36, 42))],
    # configure-kubenet.md, "Overview of kubenet networking": a /24 and a route for each node, 400 routes in a table;
    # the table has 6 of nodes and 1 to the premises.
    "kubenet": [
        NODES_ONLY,
        Wanted("Pod CIDR 10.244.0.0/16", "/24 blocks", 256, 6, (1, 3, 18, 21)),
        Wanted("route table rt-contoso-nodes", "routes", 400, 7, (1, 3, 18, 21)),
    ],
}


def growth(scenario: str) -> Outlook:
    return outlook(loaded(scenario))


def use_of(store: Store, name: str) -> SubnetUse:
    return next(use for use in subnet_uses(store) if use.subnet.name == name)


@pytest.mark.parametrize(("scenario", "wanted"), [(name, item) for name, rows in WANTED.items() for item in rows])
def test_the_figures_are_those_worked_out_by_hand(scenario: str, wanted: Wanted) -> None:
    """Capacity, use, and what each step needs, of everything that the model spends."""
    found = growth(scenario)
    steps = {step.title: step for step in found.steps}
    for number, title in enumerate(STEPS):
        demand = next(item for item in steps[title].demands if item.budget.name == wanted.budget)
        budget = demand.budget
        assert (budget.capacity, budget.used, budget.unit) == (wanted.capacity, wanted.used, wanted.unit)
        assert (demand.least, demand.most) == (wanted.least[number], (wanted.most or wanted.least)[number]), title
        assert demand.state is State.FITS


@pytest.mark.parametrize(("scenario", "nodes"), [(name, (1, 3, 18, 21)) for name in VARIANTS])
def test_growth_adds_the_same_nodes_in_every_model(scenario: str, nodes: tuple[int, ...]) -> None:
    """What nodes need differs, not how many there will be."""
    steps = {step.title: step for step in growth(scenario).steps}
    assert tuple(steps[title].nodes for title in STEPS) == nodes


@pytest.mark.parametrize(
    ("scenario", "model", "room", "full"),
    [
        ("overlay", Model.OVERLAY, 52, 52),  # 59 - 7 addresses of nodes; 250 blocks
        ("azure-cni", Model.NODE_SUBNET, 26, 26),  # (1019 - 187) / 31 = 26.8
        ("pod-subnet", Model.POD_SUBNET, 52, 36),  # 52 addresses of nodes; 3963 / 110 = 36.0 when full
        ("pod-subnet-static", Model.POD_BLOCKS, 52, 52),  # 242 / 2 = 121 by blocks
        ("kubenet", Model.KUBENET, 52, 52),  # 393 routes, 250 blocks
    ],
)
def test_the_room_of_a_pool_ends_where_the_scarcest_does(scenario: str, model: Model, room: int, full: int) -> None:
    """However many there are of the others."""
    found = next(item for item in growth(scenario).rooms if item.pool == "apps")
    assert (found.model, found.nodes, found.full) == (model, room, full)
    assert found.by is not None
    assert found.by.name == "subnet snet-nodes"


def test_pods_are_spread_as_the_figures_above_say() -> None:
    """The hand-made figures stand on this."""
    store = loaded("pod-subnet")
    assert [pods_on(store, node) for node in store.nodes] == [5, 5, 15, 13, 6, 4]


@pytest.mark.parametrize("scenario", VARIANTS)
def test_every_address_of_a_subnet_is_counted_once(scenario: str) -> None:
    """Size = kept by Azure + used + free; used = the sum over those who hold; no two holders of one address."""
    store = loaded(scenario)
    for use in subnet_uses(store):
        assert use.used is not None
        assert use.free is not None
        assert use.size == use.reserved + use.used + use.free
        assert sum(use.by.values()) == use.used
        held = [item.address for item in holders_of(store, use) if item.address is not None]
        assert len(held) == len(set(held))


@pytest.mark.parametrize(
    ("scenario", "subnet", "by"),
    [
        ("overlay", "snet-nodes", {Sort.NODE: 6, Sort.FRONTEND: 1}),
        ("azure-cni", "snet-nodes", {Sort.NODE: 6, Sort.POD: 48, Sort.KEPT: 132, Sort.FRONTEND: 1}),
        ("pod-subnet", "snet-pods", {Sort.POD: 48, Sort.KEPT: 80}),
        ("pod-subnet-static", "snet-pods", {Sort.POD: 48, Sort.KEPT: 144}),
        ("overlay", "snet-endpoints", {Sort.UNREAD: 4}),
        ("overlay", "AzureFirewallSubnet", {Sort.FIREWALL: 1, Sort.UNREAD: 1}),
    ],
)
def test_used_addresses_are_told_by_who_has_them(scenario: str, subnet: str, by: dict[Sort, int]) -> None:
    """Those whose holder is not read are told as such."""
    assert dict(use_of(loaded(scenario), subnet).by) == by


@pytest.mark.parametrize("scenario", VARIANTS)
def test_a_cluster_without_a_fault_has_no_finding_in_any_model(scenario: str) -> None:
    """And nothing in it is undecided, nothing overlaps, and everything could be read."""
    store = loaded(scenario)
    found = plan(store)
    assert sweep(store) == []
    assert undecided_ways(store) == []
    assert found.overlaps == ()
    assert found.missing == ()
    assert found.outlook.state is State.FITS
    assert found.outlook.first is None
