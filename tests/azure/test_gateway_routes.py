"""Routes and rules of a gateway's own subnet: answers to clients, the way to Pods and back, the platform's way in."""

from pathlib import Path

import pytest

from aksnav.trace import parse_request, trace
from aksnav.trace.step import Kind, Outcome, Trace
from tests.azure.cluster_objects import Objects, base
from tests.azure.cut_objects import Bend
from tests.azure.gateway_objects import FQDN, GATEWAY, app_gateway, containers
from tests.azure.test_both_ends import APPLIANCE, TABLES, at_nodes, every, table
from tests.azure.ways_in import read


def traced(folder: Path, *bends: Bend, to: str = f"http://{GATEWAY}/api") -> Trace:
    """Return the trace of a request through a gateway."""
    made = base()
    for bend in bends:
        bend(made)
    return trace(read(folder, made), parse_request(to, "internet", "", headers=("Host: shop.example",)))


def at(name: str, tables: str = "own") -> Bend:
    """Give a subnet a route table."""

    def bend(made: Objects) -> None:
        for item in made["vnet"]["properties"]["subnets"]:
            if item["name"] == name:
                item["properties"]["routeTable"] = {"id": f"{TABLES}/{tables}"}

    return bend


def own_addresses(made: Objects) -> None:
    """Give Pods addresses of the network."""
    made["cluster"]["properties"]["networkProfile"] = {"networkPlugin": "azure", "networkPolicy": "azure"}
    made["pod"]["status"].update(podIP="10.224.0.44", podIPs=[{"ip": "10.224.0.44"}])
    made["slice"]["endpoints"][0]["addresses"] = ["10.224.0.44"]
    if "agw" in made:
        made["agw"]["properties"]["backendAddressPools"][0]["properties"]["backendAddresses"] = [
            {"ipAddress": "10.224.0.44"}
        ]


@pytest.mark.parametrize(
    ("hop", "address", "cause"),
    [("VirtualAppliance", APPLIANCE, "R05"), ("VirtualNetworkGateway", "", "R05"), ("None", "", "R02")],
)
def test_answers_of_a_gateway_leave_by_the_routes_of_its_subnet(
    tmp_path: Path, hop: str, address: str, cause: str
) -> None:
    """A route for everything away from the internet loses them (application-gateway/configuration-infrastructure)."""
    found = traced(tmp_path, app_gateway, table("own", "0.0.0.0/0", hop, address), at("agw"))
    assert (found.outcome, found.causes) == (Outcome.DROPPED, (cause,))
    assert found.breaks[0].evidence[0].field == ".routes[?name=='udr'].addressPrefix"


def test_a_gateway_that_the_platform_cannot_reach_is_assumed_to_serve_on(tmp_path: Path) -> None:
    """N13: changes fail and health is unknown; what it does with requests then is not documented."""

    def bend(made: Objects) -> None:
        del made["agw-nsg"]["properties"]["securityRules"][1]

    found = traced(tmp_path, app_gateway, bend)
    assert found.outcome is Outcome.DELIVERED
    assert any("keeps the platform from the gateway (N13)" in line for line in found.confidence.because)


@pytest.mark.parametrize(
    ("bends", "cause", "said"),
    [
        ((table("own", "10.224.0.0/16", "None"), at("agw")), "R02", "subnet agw sends to 10.224.0.44"),
        ((table("own", "10.230.0.0/24", "None"), at_nodes("own")), "R02", "answers: subnet nodes sends to 10.230.0.4"),
        (
            (table("own", "10.224.0.0/16", "VirtualAppliance", APPLIANCE), at("agw")),
            "R13",
            "never sees the answer",
        ),
        ((table("own", "10.230.0.0/24", "VirtualAppliance", APPLIANCE), at_nodes("own")), "R13", "never saw one"),
    ],
)
def test_between_a_gateway_and_pods_user_defined_routes_decide(
    tmp_path: Path, bends: tuple[Bend, ...], cause: str, said: str
) -> None:
    """From the gateway's subnet to the Pod's, and back."""
    found = traced(tmp_path, app_gateway, own_addresses, *bends)
    assert (found.outcome, found.status, found.causes) == (Outcome.RESPONDS, 502, (cause,))
    assert said in found.breaks[0].summary


def test_a_gateway_in_the_pods_own_network_reaches_them_without_routes(tmp_path: Path) -> None:
    """The near miss: no user-defined route, nothing told."""
    found = traced(tmp_path, app_gateway, own_addresses)
    assert found.outcome is Outcome.DELIVERED
    assert not [step for step in every(found) if step.kind is Kind.ROUTE]


def test_application_gateway_for_containers_leaves_by_the_routes_of_its_association(tmp_path: Path) -> None:
    """Its subnet is one like others."""
    bends = (containers, own_addresses, table("own", "10.224.0.0/16", "None"), at("alb"))
    found = traced(tmp_path, *bends, to=f"http://{FQDN}/")
    assert "R02" in found.causes
    assert found.outcome is not Outcome.DELIVERED
