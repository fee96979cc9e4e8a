"""The client's own subnet, and the subnets of two nodes: groups and routes on the way there and on the way back."""

from pathlib import Path
from typing import Any

import pytest

from aksnav.trace import parse_request, trace
from aksnav.trace.step import Kind, Outcome, Step, Trace, Verdict
from tests.azure.cluster_objects import SUBNETS, Objects, base, internal, open_inside, subnet
from tests.azure.cut_objects import Bend
from tests.azure.ways_in import read
from tests.unit.trace_edge.cloud import NSG, group, rule
from tests.unit.trace_edge.world import ARM

ILB, CLIENT, APPLIANCE = "https://10.224.0.200", "10.225.0.9", "10.226.0.4"
TABLES = f"{ARM}/routeTables"


def traced(folder: Path, *bends: Bend, to: str = ILB, source: str = CLIENT) -> Trace:
    """Return the trace of the base after some changes."""
    made = base()
    for bend in bends:
        bend(made)
    return trace(read(folder, made), parse_request(to, source=source))


def every(found: Trace) -> list[Step]:
    """Return the steps of all branches."""

    def walk(steps: tuple[Step, ...]) -> list[Step]:
        return [item for step in steps for item in (step, *(s for b in step.branches for s in walk(b.steps)))]

    return walk(found.steps)


def clients(**properties: Any) -> Bend:
    """Make the load balancer internal, and add the client's subnet."""

    def bend(made: Objects) -> None:
        internal(made)
        subnet(made, "clients", "10.225.0.0/24", **properties)

    return bend


def table(name: str, prefix: str, hop: str, address: str = "") -> Bend:
    """Add a route table with one route."""

    def bend(made: Objects) -> None:
        route = {"addressPrefix": prefix, "nextHopType": hop, **({"nextHopIpAddress": address} if address else {})}
        routes = [{"name": "udr", "properties": route}]
        made[name] = {"kind": "routeTables", "id": f"{TABLES}/{name}", "name": name, "properties": {"routes": routes}}

    return bend


def at_nodes(name: str) -> Bend:
    """Give the nodes' subnet a route table."""

    def bend(made: Objects) -> None:
        made["vnet"]["properties"]["subnets"][0]["properties"]["routeTable"] = {"id": f"{TABLES}/{name}"}

    return bend


OWN = {"routeTable": {"id": f"{TABLES}/own"}}


@pytest.mark.parametrize(
    ("hop", "address", "why"),
    [
        ("None", "", "to None"),
        ("Internet", "", "a private address leads nowhere there"),
        ("VirtualAppliance", "10.99.0.4", "neither in vnet nor in a network that is peered with it"),
        ("VirtualNetworkGateway", "", "vnet has no gateway"),
    ],
)
def test_a_route_of_the_clients_own_subnet_that_leads_nowhere_loses_the_request(
    tmp_path: Path, hop: str, address: str, why: str
) -> None:
    """A route table acts on what leaves its subnets: the client's, not only the nodes' (R02)."""
    found = traced(tmp_path, clients(**OWN), table("own", "10.224.0.0/16", hop, address))
    first = found.breaks[0]
    assert (found.outcome, found.causes[0]) == (Outcome.DROPPED, "R02")
    assert first.subject is not None
    assert (first.subject.name, why in first.summary) == ("own", True)
    assert first.evidence[0].field == ".routes[?name=='udr'].addressPrefix"


def test_an_appliance_on_the_clients_way_and_on_the_way_back_is_assumed_to_let_it_through(tmp_path: Path) -> None:
    """Both directions pass the same one, and its rules are not read: said by name, in both."""
    found = traced(
        tmp_path,
        clients(**OWN),
        table("own", "10.224.0.0/16", "VirtualAppliance", APPLIANCE),
        table("nodes", "10.225.0.0/24", "VirtualAppliance", APPLIANCE),
        at_nodes("nodes"),
    )
    assert found.outcome is Outcome.DELIVERED
    for what in ("answers", "packet"):
        assert f"the appliance at {APPLIANCE} lets the {what} through: its rules are not read" in (
            found.confidence.because
        )


def test_a_route_table_of_the_clients_subnet_that_is_not_read_leaves_it_undecided(tmp_path: Path) -> None:
    """It may send the request anywhere."""
    found = traced(tmp_path, clients(**OWN))
    assert found.outcome is Outcome.UNDECIDED
    assert any("route table own is not there" in line for line in found.confidence.because)


CLOSED = rule(
    name="closed",
    direction="Outbound",
    access="Deny",
    sourceAddressPrefix="*",
    destinationAddressPrefix="10.224.0.200",
    destinationPortRange="*",
    protocol="*",
    priority=100,
)


def closed(made: Objects) -> None:
    made["own-nsg"] = group("own-nsg", CLOSED)


def test_the_group_of_the_clients_own_subnet_is_asked_outbound(tmp_path: Path) -> None:
    """It sees the frontend's address: the client knows no other (N17)."""
    found = traced(tmp_path, clients(networkSecurityGroup={"id": f"{NSG}/own-nsg"}), closed)
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("N17",))
    assert "rule 100 closed denies TCP 10.225.0.9 → 10.224.0.200:443" in found.breaks[0].summary
    assert found.breaks[0].evidence[0].field == ".securityRules[0].access"


def test_the_group_of_the_clients_interface_is_asked_before_that_of_its_subnet(tmp_path: Path) -> None:
    """Leaving: the interface first, then the subnet."""

    def jump_box(made: Objects) -> None:
        nic = f"{ARM}/networkInterfaces/jump"
        made["jump"] = {
            "kind": "networkInterfaces", "id": nic, "name": "jump",
            "properties": {
                "networkSecurityGroup": {"id": f"{NSG}/own-nsg"},
                "ipConfigurations": [
                    {
                        "name": "c",
                        "properties": {
                            "privateIPAddress": CLIENT, "primary": True, "subnet": {"id": f"{SUBNETS}/clients"},
                        },
                    }
                ],
            },
        }  # fmt: skip

    found = traced(tmp_path, clients(), closed, jump_box)
    groups = [step for step in found.steps if step.kind is Kind.NSG]
    assert [step.summary.partition(",")[0].partition(" has no")[0] for step in groups] == [
        "network interface jump",
        "subnet clients",
    ]
    assert found.causes == ("N17",)
    assert not any("security group of the interface" in line for line in found.confidence.because)


def test_where_the_clients_interface_is_not_read_its_group_is_assumed_not_to_deny(tmp_path: Path) -> None:
    """Interfaces of hosts that are no nodes are rarely read."""
    found = traced(tmp_path, clients())
    assert found.outcome is Outcome.DELIVERED
    assert any(f"no security group of the interface of {CLIENT} denies" in line for line in found.confidence.because)


def two_subnets(made: Objects) -> None:
    """Give the cluster Pods of the network's own addresses, and the second node a subnet of its own."""
    made["cluster"]["properties"]["networkProfile"] = {"networkPlugin": "azure", "networkPolicy": "azure"}
    subnet(made, "more", "10.227.0.0/24", networkSecurityGroup={"id": f"{NSG}/subnet-nsg"})
    own = made["nic-2"]["properties"]["ipConfigurations"][0]["properties"]
    own.update(privateIPAddress="10.227.0.5", subnet={"id": f"{SUBNETS}/more"})
    made["node-2"]["status"]["addresses"][0]["address"] = "10.227.0.5"
    made["pod"]["status"].update(podIP="10.224.0.44", podIPs=[{"ip": "10.224.0.44"}])
    made["slice"]["endpoints"][0]["addresses"] = ["10.224.0.44"]
    open_inside(made)


def from_more(made: Objects) -> None:
    made["vnet"]["properties"]["subnets"][-1]["properties"]["routeTable"] = {"id": f"{TABLES}/own"}


PUBLIC = {"to": "https://20.50.1.7", "source": "internet"}


def test_two_nodes_of_different_subnets_reach_each_other_by_the_networks_own_route(tmp_path: Path) -> None:
    """Nothing is told of it where no user-defined route decides."""
    assert traced(tmp_path, two_subnets, **PUBLIC).outcome is Outcome.DELIVERED


@pytest.mark.parametrize(
    ("bends", "cause", "name"),
    [
        ((table("own", "10.224.0.0/16", "None"), from_more), "R02", "subnet more sends to 10.224.0.44"),
        ((table("own", "10.227.0.0/24", "None"), at_nodes("own")), "R02", "answers: subnet nodes sends to 10.227.0.5"),
        ((table("own", "10.224.0.0/16", "VirtualAppliance", APPLIANCE), from_more), "R13", "never sees the answer"),
        ((table("own", "10.227.0.0/24", "VirtualAppliance", APPLIANCE), at_nodes("own")), "R13", "never saw one"),
    ],
)
def test_a_user_defined_route_between_the_subnets_of_nodes_decides_the_second_hop(
    tmp_path: Path, bends: tuple[Bend, ...], cause: str, name: str
) -> None:
    """The node that took the packet sends it from its own subnet, and the answer leaves the other's."""
    found = traced(tmp_path, two_subnets, *bends, **PUBLIC)
    assert (found.outcome, found.causes) == (Outcome.SPLIT, (cause,))
    assert name in found.breaks[0].summary


def test_an_appliance_between_the_subnets_of_nodes_in_both_directions_is_assumed(tmp_path: Path) -> None:
    """A stateful one sees both directions; its rules are not read."""
    found = traced(
        tmp_path,
        two_subnets,
        table("own", "10.224.0.0/16", "VirtualAppliance", APPLIANCE),
        from_more,
        table("nodes", "10.227.0.0/24", "VirtualAppliance", APPLIANCE),
        at_nodes("nodes"),
        **PUBLIC,
    )
    assert found.outcome is Outcome.DELIVERED
    assert f"the appliance at {APPLIANCE} lets the packet through: its rules are not read" in found.confidence.because


def test_in_an_overlay_user_defined_routes_do_not_decide_between_pods(tmp_path: Path) -> None:
    """Azure's routing domain carries them: a black hole for the nodes' own subnet does not."""
    found = traced(tmp_path, table("own", "10.244.0.0/16", "None"), at_nodes("own"), **PUBLIC)
    assert not [step for step in every(found) if step.cause == "R02"]
    assert found.outcome is Outcome.DELIVERED


def test_a_route_table_between_nodes_that_is_not_read_leaves_the_second_hop_undecided(tmp_path: Path) -> None:
    """It may send to an appliance what goes to the other subnet."""
    found = traced(tmp_path, two_subnets, from_more, **PUBLIC)
    assert found.outcome is Outcome.UNDECIDED
    assert any(step.verdict is Verdict.BLIND and "route table own" in step.missing for step in every(found))


def test_answers_from_a_host_port_of_a_public_node_go_back_by_the_nodes_own_routes(tmp_path: Path) -> None:
    """A route for everything to an appliance that never saw the request loses them (R01)."""

    def public(made: Objects) -> None:
        made["node-1"]["status"]["addresses"].append({"type": "ExternalIP", "address": "20.50.7.7"})
        made["pod"]["spec"]["containers"][0]["ports"] = [{"containerPort": 8443, "hostPort": 9443}]
        allow = rule(destinationAddressPrefix="10.224.0.0/16", destinationPortRange="9443")
        made["subnet-nsg"], made["aks-nsg"] = group("subnet-nsg", allow), group("aks-nsg", allow)

    bends = (public, table("own", "0.0.0.0/0", "VirtualAppliance", APPLIANCE), at_nodes("own"))
    found = traced(tmp_path, *bends, to="tcp://20.50.7.7:9443", source="internet")
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("R01",))


def on_premises(*bends: Bend) -> tuple[Bend, ...]:
    """Make the load balancer internal, with a gateway to which the nodes' subnet sends what is on premises."""

    def bend(made: Objects) -> None:
        internal(made)
        subnet(made, "GatewaySubnet", "10.239.0.0/27")
        site = rule(name="site", sourceAddressPrefix="192.168.0.0/16", destinationAddressPrefix="*", priority=150)
        made["subnet-nsg"]["properties"]["securityRules"].append(site)
        made["aks-nsg"]["properties"]["securityRules"].append(site)

    back = table("back", "192.168.0.0/16", "VirtualNetworkGateway")
    return (bend, back, at_nodes("back"), *bends)


SITE = "192.168.7.7"


def through_firewall(made: Objects) -> None:
    table("own", "10.224.0.0/16", "VirtualAppliance", APPLIANCE)(made)
    made["vnet"]["properties"]["subnets"][-1]["properties"]["routeTable"] = {"id": f"{TABLES}/own"}


def test_a_client_on_premises_is_assumed_to_be_behind_the_gateway(tmp_path: Path) -> None:
    """Its connections are not read."""
    found = traced(tmp_path, *on_premises(), source=SITE)
    assert found.outcome is Outcome.DELIVERED, found.breaks
    assert any("comes and is reached through the network's gateway" in line for line in found.confidence.because)


def test_requests_from_on_premises_by_a_firewall_whose_answers_do_not_pass_it_are_lost(tmp_path: Path) -> None:
    """The route table of the gateway's own subnet sends them there, and the nodes answer to the gateway (R13)."""
    found = traced(tmp_path, *on_premises(through_firewall), source=SITE)
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("R13",))
    assert "requests from subnet GatewaySubnet pass the appliance at 10.226.0.4" in found.breaks[0].summary
