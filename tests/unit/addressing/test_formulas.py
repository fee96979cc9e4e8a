"""What nodes need, against the examples of Microsoft's own planning pages (the section is named beside each)."""

import pytest

from aksnav.model.addresses import parse_prefix
from aksnav.model.azure.cluster import AgentPool, ManagedCluster, NetworkProfile
from aksnav.trace.addressing.allotted import batches, blocks
from aksnav.trace.addressing.budgets import whole_blocks
from aksnav.trace.addressing.forecast import State, outlook
from aksnav.trace.addressing.needs import needs_of_node, surge_of
from aksnav.trace.addressing.notes import ports_of_node
from tests.unit.addressing.cluster import NODES, plain_store, pool, put


def node_subnet(max_pods: int) -> int:
    """Return what a node of Azure CNI node subnet needs of its subnet."""
    cluster = ManagedCluster(arm_id="/x", name="x", network_profile=NetworkProfile(network_plugin="azure"))
    needs = needs_of_node(cluster, AgentPool(name="np", max_pods=max_pods, vnet_subnet_id=NODES))
    return next(need.least for need in needs if need.key == NODES.lower())


@pytest.mark.parametrize(("nodes", "surge", "expected"), [(50, 1, 1581), (60, 1, 1891)])
def test_a_node_subnet_holds_nodes_and_all_their_pods(nodes: int, surge: int, expected: int) -> None:
    """concepts-network-ip-address-planning.md, "IP address sizing": 51 + 51 x 30 = 1,581; 61 + 61 x 30 = 1,891."""
    assert (nodes + surge) * node_subnet(30) == expected


def test_a_24_holds_eight_nodes_of_azure_cni_and_251_of_kubenet() -> None:
    """configure-kubenet.md, "IP address availability and exhaustion": with 30 and with 110 Pods a node."""
    (azure,) = outlook(plain_store([pool(count=0)])).rooms
    assert azure.nodes == 8
    kubenet = outlook(plain_store([pool(count=0, maxPods=110)], networkPlugin="kubenet", podCidr="10.244.0.0/16")).steps
    subnet = next(item for item in kubenet[0].demands if item.budget.key == NODES.lower())
    assert (subnet.budget.free, subnet.least) == (251, 1)


@pytest.mark.parametrize(
    ("pods", "expected"), [(0, 16), (8, 16), (9, 32), (16, 32), (24, 32), (25, 48), (102, 110), (110, 110)]
)
def test_a_node_of_a_pod_subnet_takes_16_at_a_time(pods: int, expected: int) -> None:
    """concepts-network-azure-cni-pod-subnet.md, "Plan IP addressing": 16, and 16 more when fewer than 8 are free.

    Never more than maxPods, here 110 (azure-container-networking, cns/ipampool/v2).
    """
    assert batches(pods, 110) == expected


@pytest.mark.parametrize(("max_pods", "expected"), [(30, 2), (31, 2), (32, 3), (15, 1), (250, 16)])
def test_a_node_of_static_blocks_takes_28s(max_pods: int, expected: int) -> None:
    """concepts-network-azure-cni-pod-subnet.md, "Static block allocation mode", the table of example cases."""
    assert blocks(max_pods) == expected


def test_blocks_with_an_address_that_azure_keeps_are_not_given() -> None:
    """Azure keeps the first four addresses and the last one: the first and the last /28 of a subnet are not whole."""
    wide, narrow = parse_prefix("10.0.0.0/24"), parse_prefix("10.0.0.0/28")
    assert wide is not None
    assert narrow is not None
    assert (whole_blocks(wide), whole_blocks(narrow)) == (14, 0)


@pytest.mark.parametrize(
    ("setting", "count", "expected"),
    [("1", 4, 1), ("50%", 4, 2), ("33%", 10, 4), ("10%", 1, 1), ("100%", 3, 3), ("5", 3, 3), ("0", 3, 0), ("1", 0, 0)],
)
def test_a_surge_is_a_number_or_a_part_rounded_up(setting: str, count: int, expected: int) -> None:
    """upgrade-aks-node-pools-rolling.md, "Customize node surge": rounded up, and never more nodes than there are."""
    surge = surge_of(AgentPool(name="np", upgrade_settings={"maxSurge": setting}), count)
    assert (surge.least, surge.most) == (expected, expected)


def test_five_pools_of_four_that_surge_by_half_need_ten_more_nodes() -> None:
    """upgrade-aks-node-pools-rolling.md, the note of "Customize node surge": two nodes in each of five pools."""
    pools = [pool(f"np{number}", 4, upgradeSettings={"maxSurge": "50%"}) for number in range(5)]
    steps = outlook(plain_store(pools, "10.1.0.0/20")).steps
    assert next(step for step in steps if step.title == "surge upgrade of every pool").nodes == 10


@pytest.mark.parametrize(("setting", "least"), [({}, 1), ({"maxSurge": "many"}, 1), ({"maxSurge": None}, 1)])
def test_a_surge_that_is_not_said_is_one_at_least_and_nobody_knows_how_many(
    setting: dict[str, str], least: int
) -> None:
    """Defaults changed over the years: nothing is made up."""
    surge = surge_of(AgentPool(name="np", upgrade_settings=setting), 5)
    assert (surge.least, surge.most) == (least, None)
    assert "maxSurge" in surge.unknown


@pytest.mark.parametrize(("nodes", "ports"), [(48, 1024), (50, 1024), (52, 512), (101, 256), (1000, 32), (1001, None)])
def test_outbound_ports_fall_with_the_number_of_nodes(nodes: int, ports: int | None) -> None:
    """configure-load-balancer-standard.md, "Configure the allocated outbound ports": 48 nodes 1,024, 52 nodes 512."""
    assert ports_of_node(nodes) == ports


@pytest.mark.parametrize(
    ("ports", "addresses", "nodes"), [(1000, 2, 128), (1000, 7, 448), (4000, 2, 32), (4000, 7, 112)]
)
def test_fixed_ports_allow_so_many_nodes(ports: int, addresses: int, nodes: int) -> None:
    """configure-load-balancer-standard.md, "Examples of calculating outbound ports and IPs"."""
    store = plain_store([pool(count=0)], outboundType="loadBalancer")
    ident = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/loadBalancers/kubernetes"
    fronts = [
        {"id": f"{ident}/frontendIPConfigurations/f{number}", "name": f"f{number}"} for number in range(addresses)
    ]
    rule = {
        "id": f"{ident}/outboundRules/aksOutboundRule",
        "name": "aksOutboundRule",
        "allocatedOutboundPorts": ports,
        "frontendIPConfigurations": [{"id": front["id"]} for front in fronts],
    }
    wire = {"id": ident, "name": "kubernetes", "frontendIPConfigurations": fronts, "outboundRules": [rule]}
    put(store, "loadBalancers", wire)
    found = next(item for item in outlook(store).budgets if item.key == "ports")
    assert (found.capacity, found.free) == (nodes, nodes)


@pytest.mark.parametrize(("most", "told"), [(1000, False), (1001, True)])
def test_a_limit_on_which_documents_differ_is_told_as_such(most: int, told: bool) -> None:
    """1,000 instances of a backend pool (cloud-provider-azure), or 5,000 (Azure): no verdict is made of it."""
    found = outlook(plain_store([pool(count=1, enableAutoScaling=True, maxCount=most)], "10.0.0.0/12"))
    assert any("documents differ" in text for text in found.notes) is told
    assert found.state is State.FITS


def test_ports_by_the_number_of_nodes_are_told_for_the_maximum() -> None:
    """They fall from 1,024 to 512 beyond 50 nodes; nothing runs out by that."""
    store = plain_store(
        [pool(count=10, enableAutoScaling=True, maxCount=60)], "10.0.0.0/16", outboundType="loadBalancer"
    )
    ident = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/loadBalancers/kubernetes"
    rule = {"id": f"{ident}/outboundRules/r", "name": "aksOutboundRule", "allocatedOutboundPorts": 0}
    put(store, "loadBalancers", {"id": ident, "name": "kubernetes", "outboundRules": [rule]})
    assert "outbound ports for each node: 1024 now, 512 at the maximum of 60 nodes" in outlook(store).notes
