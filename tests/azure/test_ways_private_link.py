"""Private endpoints and private link services before a Service, each read from a capture in wire form."""

from pathlib import Path
from typing import Any

import pytest

from aksnav.checks.sweep import sweep
from aksnav.trace.step import Kind, Outcome
from tests.azure.cluster_objects import ENDPOINT, HUB, SUBNETS, Objects, base, private_link
from tests.azure.ways_in import FILTERED, LB, NODE, Way, checked, read, road, walked
from tests.unit.trace_edge.cloud import RG, group, rule

CONSUMER = "10.226.0.77"
TO = f"https://{ENDPOINT}"
LINKED = ("az.privateendpoint", "az.pls", *LB, "az.route", *FILTERED, *NODE)


def waiting(made: Objects) -> None:
    private_link(made, "Pending")


def rejected(made: Objects) -> None:
    private_link(made, "Rejected")


def contradiction(made: Objects) -> None:
    """The endpoint still says Pending, and the service has let it in."""
    private_link(made)
    state = {"status": "Pending", "description": "", "actionsRequired": "None"}
    made["pe"]["properties"]["privateLinkServiceConnections"][0]["properties"]["privateLinkServiceConnectionState"] = (
        state
    )


def by_address(made: Objects) -> None:
    made["lb"]["properties"]["backendAddressPools"][0]["properties"] = {
        "loadBalancerBackendAddresses": [{"name": "a", "properties": {"ipAddress": "10.224.0.4"}}]
    }


def linked_by_address(made: Objects) -> None:
    private_link(made)
    by_address(made)


def public(made: Objects) -> None:
    """The frontend behind the service is the public one, with floating IP."""
    clean = base()
    for name in ("lb", "pip", "service", "subnet-nsg", "aks-nsg"):
        made[name] = clean[name]


def local_with_proxy_protocol(made: Objects) -> None:
    made["pls"]["properties"]["enableProxyProtocol"] = True
    made["service"]["spec"].update(externalTrafficPolicy="Local", healthCheckNodePort=32000)


def proxy_protocol(made: Objects) -> None:
    made["pls"]["properties"]["enableProxyProtocol"] = True


def ranges_of_the_consumer(made: Objects) -> None:
    made["service"]["spec"]["loadBalancerSourceRanges"] = ["10.226.0.0/24"]


def ranges_of_the_nat_subnet(made: Objects) -> None:
    made["service"]["spec"]["loadBalancerSourceRanges"] = ["10.227.0.0/24"]


def filtered_subnet(made: Objects) -> None:
    found = next(item for item in made["vnet"]["properties"]["subnets"] if item["name"] == "consumers")
    found["properties"]["privateEndpointNetworkPolicies"] = "NetworkSecurityGroupEnabled"
    found["properties"]["networkSecurityGroup"] = {"id": f"{HUB}/networkSecurityGroups/consumers-nsg"}
    deny = rule(name="no", access="Deny", sourceAddressPrefix="*", destinationAddressPrefix="*")
    made["consumers-nsg"] = {
        **group("consumers-nsg", deny), "id": f"{HUB}/networkSecurityGroups/consumers-nsg",
    }  # fmt: skip


def unread_service(made: Objects) -> None:
    del made["pls"]


def of_the_api_server(made: Objects) -> None:
    connection = made["pe"]["properties"]["privateLinkServiceConnections"][0]["properties"]
    connection["privateLinkServiceId"] = made["cluster"]["id"]
    connection["groupIds"] = ["management"]


def no_interface(made: Objects) -> None:
    """The endpoint's own interface is not read: the record that it asks for says its address."""
    del made["pe-nic"]


DROPPED, UNDECIDED = Outcome.DROPPED, Outcome.UNDECIDED
CLOSED: dict[str, Any] = {"to": TO, "source": CONSUMER, "outcome": DROPPED}
WAYS = [
    Way(
        name="approved",
        bend=(private_link,),
        to=TO,
        source=CONSUMER,
        steps=("start.vnet", "az.nsg", *LINKED),
        field="privateLinkServiceConnectionState.status",
        value="Approved",
    ),
    Way(
        name="by-its-name",
        bend=(private_link,),
        to="https://web.internal.example",
        source=CONSUMER,
        steps=("start.vnet", "dns.resolve", "az.nsg", *LINKED),
        field=".customDnsConfigs",
        value="web.internal.example",
    ),
    Way(name="the-service-knows-better", bend=(contradiction,), to=TO, source=CONSUMER),
    Way(
        name="without-its-interface",
        bend=(private_link, no_interface),
        to=TO,
        source=CONSUMER,
        field=".customDnsConfigs",
    ),
    Way(name="pending", bend=(waiting,), causes=("V01",), field=".status", value="Pending", **CLOSED),
    Way(name="rejected", bend=(rejected,), causes=("V01",), field=".status", value="Rejected", **CLOSED),
    Way(
        name="pool-by-address",
        bend=(private_link, by_address),
        causes=("V03",),
        field="loadBalancerBackendAddresses",
        **CLOSED,
    ),
    Way(
        name="public-with-floating-ip", bend=(private_link, public), causes=("V03",), field="enableFloatingIP", **CLOSED
    ),
    Way(name="proxy-protocol-and-local", bend=(private_link, local_with_proxy_protocol), causes=("V05",), **CLOSED),
    Way(
        name="proxy-protocol", bend=(private_link, proxy_protocol), to=TO, source=CONSUMER, field="enableProxyProtocol"
    ),
    Way(name="ranges-of-the-consumer", bend=(private_link, ranges_of_the_consumer), causes=("V06",), **CLOSED),
    Way(name="ranges-of-the-nat-subnet", bend=(private_link, ranges_of_the_nat_subnet), to=TO, source=CONSUMER),
    Way(name="a-group-that-is-asked", bend=(private_link, filtered_subnet), field=".access", value="Deny", **CLOSED),
    Way(
        name="service-not-read",
        bend=(private_link, unread_service),
        to=TO,
        source=CONSUMER,
        outcome=UNDECIDED,
        steps=("start.vnet", "az.nsg", "az.privateendpoint", "az.pls"),
    ),
    Way(name="of-the-api-server", bend=(private_link, of_the_api_server), to=TO, source=CONSUMER, outcome=UNDECIDED),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_private_endpoint_has_its_verdict_steps_and_deciding_field(tmp_path: Path, way: Way) -> None:
    """The capture says what becomes of the request, and which field decides."""
    checked(tmp_path, way)


def test_the_nodes_see_the_services_own_address(tmp_path: Path) -> None:
    """Behind the service the sender is one of its NAT addresses, and the destination the frontend."""
    found = walked(tmp_path, WAYS[0])
    step = next(step for step in road(found.steps) if step.kind is Kind.PRIVATE_LINK_SERVICE)
    assert step.packet_after is not None
    assert step.packet_after.source != step.packet.source
    assert any("10.227.0.4" in fact.value for fact in step.evidence)


def test_the_proxy_protocol_is_an_assumption(tmp_path: Path) -> None:
    """Whether the Pods read its header is in no object."""
    found = walked(tmp_path, next(way for way in WAYS if way.name == "proxy-protocol"))
    assert any("PROXY protocol" in text for text in found.confidence.because)


def test_a_subscription_that_may_not_see_the_service_is_told(tmp_path: Path) -> None:
    """V04: an approved connection works on; a new one would not find the service."""

    def hidden(made: Objects) -> None:
        private_link(made)
        made["pls"]["properties"]["visibility"]["subscriptions"] = ["another"]

    found = walked(tmp_path, Way(name="hidden", bend=(hidden,), to=TO, source=CONSUMER))
    assert found.outcome is Outcome.DELIVERED
    assert any("V04" in item.why for step in road(found.steps) for item in step.considered)


@pytest.mark.parametrize(
    ("change", "cause"),
    [(waiting, "V01"), (linked_by_address, "V03"), (private_link, "")],
)
def test_a_service_is_looked_at_by_the_sweep(tmp_path: Path, change: Any, cause: str) -> None:
    """Who waits for an approval is found without a request; a service that carries traffic is silent."""
    made = base()
    change(made)
    found = {item.id for item in sweep(read(tmp_path, made)) if item.id.startswith("V")}
    assert found == ({cause} if cause else set())


def test_a_nat_subnet_with_network_policies_is_found(tmp_path: Path) -> None:
    """V02: Azure refuses to write the service."""
    made = base()
    private_link(made)
    nat = next(item for item in made["vnet"]["properties"]["subnets"] if item["id"] == f"{SUBNETS}/pls-nat")
    nat["properties"]["privateLinkServiceNetworkPolicies"] = "Enabled"
    assert "V02" in {item.id for item in sweep(read(tmp_path, made))}
    assert made["pls"]["id"].startswith(RG)
