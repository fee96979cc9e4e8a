"""When it will run out: at the first step whose need is not there; unknown where a field that decides is not said."""

from typing import Any

import msgspec
import pytest

from aksnav.checks.capacity import growth_findings, node_room_findings, rule_findings
from aksnav.checks.finding import Finding, Proof
from aksnav.model.change import Reading, ReadingChanged, Removed, Upserted
from aksnav.store import Store
from aksnav.trace.addressing.forecast import Forecast, State, outlook
from tests.unit.addressing.cluster import (
    CLUSTER,
    GROUP,
    NODES,
    PODS,
    Json,
    loaded,
    managed,
    network,
    node,
    plain_store,
    pod,
    pool,
    put,
    store_of,
    subnet,
)

TABLE = f"{GROUP}/Microsoft.Network/routeTables/rt"
NEXT, SURGE = "next node of np", "surge upgrade of np"
MAXIMUM, MAXIMUM_SURGE = "maximum of every pool", "surge upgrade at the maximum of every pool"


def states(store: Store) -> dict[str, State]:
    return {step.title: step.state for step in outlook(store).steps}


def step_of(store: Store, title: str) -> Forecast:
    return next(step for step in outlook(store).steps if step.title == title)


def found(store: Store) -> list[Finding]:
    return list(growth_findings(store))


SCALED: Json = {
    "count": 2,
    "enableAutoScaling": True,
    "maxCount": 4,
    "maxPods": 30,
    "upgradeSettings": {"maxSurge": "2"},
}
# A /24 has 251 addresses; a node of Azure CNI node subnet needs 31; the pool grows from 2 to 4 with a surge of 2.
STEPS = (NEXT, SURGE, MAXIMUM, MAXIMUM_SURGE)


@pytest.mark.parametrize(
    ("used", "fits"),
    [
        (251 - 4 * 31, 4),  # room for four nodes: two more, and two of a surge
        (251 - 4 * 31 + 1, 3),
        (251 - 2 * 31, 3),
        (251 - 2 * 31 + 1, 1),  # one node fits, a surge of two does not
        (251 - 31, 1),
        (251 - 31 + 1, 0),
        (251, 0),
    ],
)
def test_it_runs_out_at_the_first_step_that_needs_more_than_is_free(used: int, fits: int) -> None:
    """One address decides."""
    result = states(plain_store([pool(**SCALED)], used=used))
    assert [result[title] for title in STEPS] == [State.FITS] * fits + [State.OUT] * (4 - fits)


@pytest.mark.parametrize(
    ("used", "proof", "title"),
    [
        (251 - 30, Proof.PROVEN, NEXT),
        (251 - 31, Proof.LIKELY, SURGE),
        (251 - 3 * 31, Proof.HINT, MAXIMUM_SURGE),
    ],
)
def test_what_runs_out_is_a_finding_as_sure_as_its_step(used: int, proof: Proof, title: str) -> None:
    """The next node has no place, an upgrade will fail, a maximum may never come; each subnet is told once."""
    (finding,) = found(plain_store([pool(**SCALED)], used=used))
    assert (finding.id, finding.proof) == ("C01", proof)
    assert title in finding.summary
    assert finding.subject.id == NODES.lower()
    assert [fact.field for fact in finding.evidence][-1] == ".usages[0].currentValue"


def test_nothing_is_found_where_everything_fits() -> None:
    """Not even a hint."""
    assert found(plain_store([pool(**SCALED)])) == []


def test_the_subnet_and_the_pod_cidr_are_both_asked_and_the_first_to_end_is_told() -> None:
    """A /22 has four blocks: two nodes have one, the third node fits, a surge of two fits, the maximum with it not."""
    store = store_of(
        {
            "managedClusters": [managed([pool(**SCALED)], networkPluginMode="overlay", podCidr="10.244.0.0/22")],
            "virtualNetworks": [network([subnet(NODES, "10.1.0.0/24")], ["10.1.0.0/24"], {NODES: 2})],
            "Node": [node(f"n{number}", f"10.1.0.{4 + number}", cidr=f"10.244.{number}.0/24") for number in range(2)],
        }
    )
    assert [states(store)[title] for title in STEPS] == [State.FITS, State.FITS, State.FITS, State.OUT]
    (finding,) = found(store)
    assert (finding.id, finding.subject.id) == ("C04", CLUSTER.lower())
    (room,) = outlook(store).rooms
    assert room.nodes == 2
    assert room.by is not None
    assert room.by.name == "Pod CIDR 10.244.0.0/22"


def test_a_node_that_does_not_say_its_block_counts_as_if_it_had_one() -> None:
    """It has one, or waits for one: three nodes, one of which says its block, use three."""
    nodes = [
        node(f"n{number}", f"10.1.0.{4 + number}", cidr="10.244.0.0/24" if not number else "") for number in range(3)
    ]
    store = store_of(
        {
            "managedClusters": [managed([pool(count=3)], networkPluginMode="overlay", podCidr="10.244.0.0/22")],
            "virtualNetworks": [network([subnet(NODES, "10.1.0.0/24")], ["10.1.0.0/24"], {NODES: 3})],
            "Node": nodes,
        }
    )
    budget = next(item for item in outlook(store).budgets if item.key == "pods v4")
    assert (budget.capacity, budget.used, budget.free) == (4, 3, 1)


@pytest.mark.parametrize(("families", "free"), [(["IPv4"], 3), (["IPv4", "IPv6"], 1)])
def test_kubenet_ends_with_400_routes(families: list[str], free: int) -> None:
    """configure-kubenet.md: 400 routes in a table; configure-kubenet-dual-stack.md: two routes for each node."""
    cluster = managed([pool(count=2)], networkPlugin="kubenet", podCidr="10.244.0.0/16", ipFamilies=families)
    nodes = subnet(NODES, "10.1.0.0/24")
    nodes["properties"]["routeTable"] = {"id": TABLE}
    routes = [{"name": f"r{number}", "addressPrefix": "10.9.0.0/24", "nextHopType": "None"} for number in range(397)]
    store = store_of(
        {
            "managedClusters": [cluster],
            "virtualNetworks": [network([nodes], ["10.1.0.0/24"], {NODES: 2})],
            "routeTables": [{"id": TABLE, "name": "rt", "routes": routes}],
        }
    )
    (room,) = outlook(store).rooms
    assert room.nodes == free
    assert room.by is not None
    assert room.by.name == "route table rt"
    put(store, "routeTables", {"id": TABLE, "name": "rt", "routes": [*routes, *routes[:3]]})
    finding = next(item for item in found(store) if item.id == "C13")
    assert (finding.proof, finding.subject.id) == (Proof.PROVEN, TABLE.lower())


def pod_subnet(prefix: str, used: int, mode: str = "DynamicIndividual", **fields: Any) -> Store:
    spec = pool(podSubnetID=PODS, podIPAllocationMode=mode, **(SCALED | {"maxPods": 110} | fields))
    subnets = [subnet(NODES, "10.1.0.0/24"), subnet(PODS, prefix)]
    return store_of(
        {
            "managedClusters": [managed([spec])],
            "virtualNetworks": [network(subnets, ["10.0.0.0/8"], {NODES: 2, PODS: used})],
        }
    )


def test_a_pod_subnet_may_run_out_when_its_nodes_fill_with_pods() -> None:
    """A /25 has 123: a node starts with 16, and has 110 when it is full; a surge of two starts, and does not fill."""
    result = states(pod_subnet("10.2.0.0/25", 0))
    assert [result[title] for title in STEPS] == [State.FITS, State.MAY, State.MAY, State.MAY]
    assert found(pod_subnet("10.2.0.0/25", 0)) == []


def test_a_pod_subnet_runs_out_when_a_node_cannot_start() -> None:
    """15 free addresses are no batch of 16."""
    store = pod_subnet("10.2.0.0/25", 123 - 15)
    assert states(store)[NEXT] is State.OUT
    assert [(item.id, item.subject.id) for item in found(store)] == [("C02", PODS.lower())]


@pytest.mark.parametrize(("mode", "nodes"), [("DynamicIndividual", 595), ("StaticBlock", 8191)])
def test_a_network_has_65536_addresses_in_which_a_block_counts_as_one(mode: str, nodes: int) -> None:
    """concepts-network-ip-address-planning.md, "IP address sizing", and the exception for static blocks.

    Used 2 + 0. Dynamic: 65,534 / (1 + 16) at the start, and 65,534 / (1 + 109) = 595 when they are full of Pods. Static
    with maxPods 109: 7 blocks and 1, 65,534 / 8 = 8,191.
    """
    spec = pool(podSubnetID=PODS, podIPAllocationMode=mode, maxPods=109, count=1)
    subnets = [subnet(NODES, "10.16.0.0/14"), subnet(PODS, "10.32.0.0/11")]
    store = store_of(
        {
            "managedClusters": [managed([spec])],
            "virtualNetworks": [network(subnets, ["10.0.0.0/8"], {NODES: 2, PODS: 0})],
        }
    )
    budget = next(item for item in outlook(store).budgets if item.key.startswith("network "))
    need = next(item for item in step_of(store, NEXT).demands if item.budget.key == budget.key)
    assert (budget.capacity, budget.used) == (65536, 2)
    assert budget.free is not None
    assert need.most is not None
    assert budget.free // need.most == nodes


def test_blocks_run_out_by_whole_blocks() -> None:
    """A /26 has four /28, two of them whole; maxPods 31 takes two: one node, and no second one."""
    store = pod_subnet("10.2.0.0/26", 0, "StaticBlock", maxPods=31, count=1)
    (room,) = outlook(store).rooms
    assert room.nodes == 1
    assert states(store)[MAXIMUM] is State.OUT


@pytest.mark.parametrize(
    ("fields", "titles", "word"),
    [
        ({"maxPods": None}, STEPS, "maxPods"),
        ({"upgradeSettings": None}, (SURGE, MAXIMUM_SURGE), "maxSurge"),
        ({"maxCount": None}, (MAXIMUM, MAXIMUM_SURGE), "maxCount"),
    ],
)
def test_a_field_that_is_not_said_makes_its_steps_unknown(fields: Json, titles: tuple[str, ...], word: str) -> None:
    """And no others; never does it fit by default."""
    store = plain_store([pool(**(SCALED | fields))])
    for title in STEPS:
        step = step_of(store, title)
        assert (step.state is State.UNKNOWN) is (title in titles), title
        assert title not in titles or word in step.why
    assert outlook(store).state is State.UNKNOWN


def test_what_is_too_little_for_the_least_runs_out_although_the_most_is_unknown() -> None:
    """An upgrade adds one node at least: no address is left for it."""
    store = plain_store([pool(**(SCALED | {"upgradeSettings": None}))], used=251)
    assert step_of(store, SURGE).state is State.OUT


def test_nodes_made_outside_of_pools_have_no_known_maximum() -> None:
    """Node auto provisioning (Karpenter): its limits are in no object of Azure."""
    cluster = managed([pool(**SCALED)])
    cluster["properties"]["nodeProvisioningProfile"] = {"mode": "Auto"}
    store = plain_store([])
    put(store, "managedClusters", cluster)
    assert step_of(store, MAXIMUM).state is State.UNKNOWN
    assert "node auto provisioning" in step_of(store, MAXIMUM).why


@pytest.mark.parametrize("profile", [{"networkPlugin": "none"}, {"networkPlugin": "other"}, {"networkPlugin": ""}])
def test_a_network_model_that_is_not_known_is_not_guessed(profile: Json) -> None:
    """Where Pods take their addresses from is not known, so what they need is not either."""
    assert set(states(plain_store([pool(**SCALED)], **profile)).values()) == {State.UNKNOWN}


@pytest.mark.parametrize("kind", ["virtualNetworks", "managedClusters"])
def test_what_cannot_be_read_is_unknown_and_named(kind: str) -> None:
    """Without the network nothing is known of its subnets; without the cluster nothing of its pools."""
    objects: dict[str, list[Json]] = {
        "managedClusters": [managed([pool(**SCALED)])],
        "virtualNetworks": [network([subnet(NODES, "10.1.0.0/24")], ["10.1.0.0/24"], {NODES: 0})],
    }
    store = store_of({key: value for key, value in objects.items() if key != kind})
    store.apply(ReadingChanged(kind, Reading.DENIED, "", "refused"))
    result = outlook(store)
    assert result.state is State.UNKNOWN
    text = result.missing + " ".join(step.why for step in result.steps)
    assert f"{kind}/read" in text
    assert not found(store)


@pytest.mark.parametrize("named", ["", "apps"])
def test_a_pool_that_does_not_name_its_subnet_is_where_its_nodes_are(named: str) -> None:
    """AKS made the network: vnetSubnetID is empty, and interfaces tell. The figures are those of a named subnet."""
    store = loaded("azure-cni")
    wanted = outlook(store)
    cluster = next(iter(store.clusters))
    pools = tuple(
        item if item.name == named else msgspec.structs.replace(item, vnet_subnet_id="")
        for item in cluster.agent_pool_profiles
    )
    store.apply(Upserted(cluster.KIND, [msgspec.structs.replace(cluster, agent_pool_profiles=pools)]))
    found = outlook(store)
    assert [(step.title, step.state, step.why) for step in found.steps] == [
        (step.title, step.state, step.why) for step in wanted.steps
    ]
    store.apply(ReadingChanged("networkInterfaces", Reading.DENIED, "", "refused"))
    store.apply(Removed("networkInterfaces", [item.id for item in store.interfaces]))
    store.apply(Removed("Node", [item.id for item in store.nodes]))
    assert outlook(store).state is State.UNKNOWN


def test_an_overlay_that_does_not_say_its_range_is_unknown() -> None:
    """The subnet alone does not make it fit."""
    store = plain_store([pool(**SCALED)], networkPluginMode="overlay")
    assert set(states(store).values()) == {State.UNKNOWN}
    assert "podCidr" in step_of(store, NEXT).why


def test_a_waiting_pod_tells_full_nodes_and_a_pool_at_its_maximum() -> None:
    """C03 and C12 only while a Pod waits for room: a full node alone is no fault."""
    message = "0/2 nodes are available: 2 Too many pods. preemption: 0/2 nodes are available"
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    waiting = pod("late", "", "", "Pending")
    waiting["status"]["conditions"] = [condition]
    full = [pod(f"p{number}", f"10.1.0.{100 + number}", "n0") for number in range(30)]
    objects = {
        "managedClusters": [managed([pool(**(SCALED | {"maxCount": 2}))])],
        "Node": [node("n0", "10.1.0.4"), node("n1", "10.1.0.5")],
        "Pod": full,
    }
    assert list(node_room_findings(store_of(objects))) == []
    told = list(node_room_findings(store_of(objects | {"Pod": [*full, waiting]})))
    assert [(item.id, item.subject.name) for item in told] == [("C03", "n0"), ("C12", "np")]
    assert all(message in {fact.value for fact in item.evidence} for item in told)


@pytest.mark.parametrize(("rules", "proof"), [(269, None), (270, Proof.HINT), (300, Proof.PROVEN)])
def test_rules_of_a_nodes_interface_are_counted_over_all_its_pools(rules: int, proof: Proof | None) -> None:
    """cloud-provider-azure, multislb: 300 rules for each interface."""
    store = loaded("healthy")
    balancer = next(item for item in store.load_balancers if item.name == "kubernetes")
    have = 7
    wire = {
        "id": balancer.arm_id,
        "name": balancer.name,
        "loadBalancingRules": [
            {"name": f"r{number}", "backendAddressPools": [{"id": balancer.backend_address_pools[0].arm_id}]}
            for number in range(rules - (have - len(balancer.load_balancing_rules)))
        ],
    }
    put(store, "loadBalancers", wire)
    assert [(item.id, item.proof) for item in rule_findings(store)] == ([] if proof is None else [("C07", proof)])
