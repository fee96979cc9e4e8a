"""Ways in through edges that are named only: a firewall, a NAT gateway, Front Door."""

from pathlib import Path

import pytest

from aksnav.trace.step import Outcome
from tests.azure.cluster_objects import HUB, Objects, subnet
from tests.azure.ways_in import Way, checked, walked

NAMED = "edge.firewall"
DROPPED, UNDECIDED = Outcome.DROPPED, Outcome.UNDECIDED


def firewall(made: Objects) -> None:
    made["pip-fw"] = {
        "kind": "publicIPAddresses",
        "id": f"{HUB}/publicIPAddresses/pip-fw",
        "name": "pip-fw",
        "sku": {"name": "Standard"},
        "properties": {
            "ipAddress": "20.60.0.1",
            "ipConfiguration": {"id": f"{HUB}/azureFirewalls/fw-hub/azureFirewallIpConfigurations/c"},
        },
    }
    subnet(made, "AzureFirewallSubnet", "10.229.0.0/26")


def nat_address(made: Objects) -> None:
    firewall(made)
    made["pip-fw"]["properties"] = {"ipAddress": "20.60.0.1", "natGateway": {"id": f"{HUB}/natGateways/nat"}}


WAYS = [
    Way(
        name="firewall",
        bend=(firewall,),
        to="https://20.60.0.1",
        outcome=UNDECIDED,
        steps=("start.internet", NAMED),
        field=".ipConfiguration.id",
        value="fw-hub",
    ),
    Way(
        name="firewall-inside",
        bend=(firewall,),
        to="https://10.229.0.4",
        source="10.224.9.9",
        outcome=UNDECIDED,
        field=".subnets",
    ),
    Way(
        name="nat-gateway",
        bend=(nat_address,),
        to="https://20.60.0.1",
        outcome=DROPPED,
        steps=("start.internet", "az.natgateway"),
    ),
    Way(
        name="front-door",
        to="https://shop-abc.z01.azurefd.net/",
        outcome=UNDECIDED,
        steps=("start.internet", NAMED),
        field="host",
    ),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_an_edge_has_its_verdict_steps_and_deciding_field(tmp_path: Path, way: Way) -> None:
    """The capture says what becomes of the request, and which field decides."""
    checked(tmp_path, way)


def test_a_firewall_names_where_it_may_send(tmp_path: Path) -> None:
    """The addresses of load balancers with the same port are considered, so that they can be traced."""
    found = walked(tmp_path, next(way for way in WAYS if way.name == "firewall"))
    assert [item.rule for item in found.steps[-1].considered] == ["20.50.1.7:443"]
    assert "Azure Firewall fw-hub" in found.steps[-1].missing
