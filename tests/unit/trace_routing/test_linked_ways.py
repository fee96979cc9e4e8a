"""Private endpoints are ways in: at their address and at their names, asked from beside them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aksnav.checks.finding import Proof
from aksnav.checks.sweep import sweep, undecided_ways
from aksnav.model.addresses import parse_address
from aksnav.store import Store
from aksnav.trace import trace
from aksnav.trace.request import Origin
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.routing.types import EntryPoint
from aksnav.trace.routing.viewpoint import seen_from
from aksnav.trace.step import Kind, Outcome
from aksnav.ui.evaluate import Evaluator
from tests.azure.cluster_objects import ENDPOINT, HUB, Objects, base, private_link
from tests.azure.ways_in import read, road
from tests.unit.trace_edge.cloud import group, rule
from tests.unit.trace_edge.world import ARM

TEXT = f"tcp://{ENDPOINT}:443"
NAMED = "tcp://web.internal.example:443"


def made(status: str = "Approved") -> Objects:
    objects = base()
    private_link(objects, status)
    return objects


def zoned(objects: Objects, network: str = f"{ARM}/virtualNetworks/vnet") -> Objects:
    """Give the endpoint's name a record in a private zone that is linked to a network."""
    zone = f"{HUB}/privateDnsZones/internal.example"
    objects["zone"] = {"kind": "privateDnsZones", "id": zone, "name": "internal.example", "properties": {}}
    objects["link"] = {
        "kind": "privateDnsZoneLinks",
        "id": f"{zone}/virtualNetworkLinks/l",
        "name": "l",
        "properties": {"virtualNetwork": {"id": network}},
    }
    for name, kind in (("web", "A"), ("*", "A")):
        objects[f"record-{name}"] = {
            "kind": "privateDnsRecordSets",
            "id": f"{zone}/{kind}/{name}",
            "name": name,
            "type": f"Microsoft.Network/privateDnsZones/{kind}",
            "properties": {"fqdn": f"{name}.internal.example.", "aRecords": [{"ipv4Address": ENDPOINT}]},
        }
    return objects


def linked(store: Store) -> dict[str, EntryPoint]:
    return {point.text: point for point in entry_points(store) if point.via.kind == "privateEndpoints"}


def test_each_port_behind_a_private_link_service_is_a_way_in_at_the_endpoint(tmp_path: Path) -> None:
    """It names the endpoint, the field that has the address, and the Service behind; the client stands beside it."""
    store = read(tmp_path, made())
    found = linked(store)
    assert set(found) == {TEXT}
    point = found[TEXT]
    assert (point.via.name, point.service, point.internal) == ("pe-web", "shop/web", True)
    assert point.field == ".networkInterfaces[].ipConfigurations[0].privateIPAddress"
    source = seen_from(store, point).source
    assert (source.origin, source.address) == (Origin.ADDRESS, parse_address("10.226.0.254"))


def test_it_is_traced_through_endpoint_service_and_load_balancer(tmp_path: Path) -> None:
    """The road is that of any address: nothing is made up but the client."""
    store = read(tmp_path, made())
    found = trace(store, seen_from(store, linked(store)[TEXT]))
    kinds = [step.kind for step in road(found.steps)]
    assert found.outcome is Outcome.DELIVERED
    wanted = [Kind.START_VNET, Kind.PRIVATE_ENDPOINT, Kind.PRIVATE_LINK_SERVICE, Kind.LB_FRONTEND]
    assert [kind for kind in kinds if kind in wanted] == wanted
    assert sweep(store) == []


def test_a_name_that_a_zone_of_the_endpoints_network_answers_is_a_way_in(tmp_path: Path) -> None:
    """The name is looked up on the way; a wildcard is no name to ask for."""
    store = read(tmp_path, zoned(made()))
    assert set(linked(store)) == {TEXT, NAMED}
    found = trace(store, seen_from(store, linked(store)[NAMED]))
    assert found.outcome is Outcome.DELIVERED
    assert Kind.DNS_RESOLVE in [step.kind for step in road(found.steps)]


def test_a_zone_that_does_not_answer_there_gives_no_name(tmp_path: Path) -> None:
    """Whoever is in the endpoint's network would not be told the address."""
    store = read(tmp_path, zoned(made(), f"{ARM}/virtualNetworks/another"))
    assert set(linked(store)) == {TEXT}


def no_interface(objects: Objects) -> None:
    del objects["pe-nic"]


def static(objects: Objects) -> None:
    del objects["pe-nic"]
    objects["pe"]["properties"]["ipConfigurations"] = [{"name": "c", "properties": {"privateIPAddress": ENDPOINT}}]


@pytest.mark.parametrize(
    ("bend", "field"),
    [(no_interface, ".customDnsConfigs[0].ipAddresses"), (static, ".ipConfigurations[0].privateIPAddress")],
)
def test_the_field_is_the_one_that_has_the_address(tmp_path: Path, bend: Callable[[Objects], None], field: str) -> None:
    """Without its interface, the endpoint itself says its address."""
    objects = made()
    bend(objects)
    assert linked(read(tmp_path, objects))[TEXT].field == field


def test_without_a_service_at_the_frontend_the_rules_say_the_ports(tmp_path: Path) -> None:
    """A load balancer answers on what its rules say, whoever wrote them."""
    objects = made()
    objects["service"]["status"]["loadBalancer"] = {}
    assert set(linked(read(tmp_path, objects))) == {TEXT}


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
def test_a_connection_that_waits_is_one_finding_of_the_endpoint(tmp_path: Path, status: str) -> None:
    """The way in and the private link service name the same object."""
    store = read(tmp_path, made(status))
    found = sweep(store)
    assert [(item.id, item.subject.kind, item.proof) for item in found] == [("V01", "privateEndpoints", Proof.PROVEN)]
    assert any(fact.value == status for fact in found[0].evidence)


def foreign(objects: Objects) -> None:
    """The endpoint is in a subscription that is not read."""
    del objects["pe"], objects["pe-nic"]


def test_an_endpoint_that_is_not_read_is_told(tmp_path: Path) -> None:
    """Clients come that way, and nobody looked at it."""
    objects = made()
    foreign(objects)
    store = read(tmp_path, objects)
    assert not linked(store)
    assert any("privateEndpoints/read" in line and "pe-web" in line for line in undecided_ways(store))
    assert not any("privateEndpoints/read" in line for line in undecided_ways(read(tmp_path, made())))


def of_the_api_server(objects: Objects) -> None:
    connection = objects["pe"]["properties"]["privateLinkServiceConnections"][0]["properties"]
    connection["privateLinkServiceId"] = objects["cluster"]["id"]


def of_no_frontend(objects: Objects) -> None:
    objects["pls"]["properties"]["loadBalancerFrontendIpConfigurations"] = []


@pytest.mark.parametrize("bend", [of_the_api_server, of_no_frontend])
def test_an_endpoint_of_something_else_is_no_way_in(tmp_path: Path, bend: Callable[[Objects], None]) -> None:
    """It leads to no load balancer that is known."""
    objects = made()
    bend(objects)
    assert not linked(read(tmp_path, objects))


def test_a_group_that_admits_others_only_is_no_finding(tmp_path: Path) -> None:
    """The client beside the endpoint is made up: a list of those who may come is no fault."""
    objects = made()
    found = next(item for item in objects["vnet"]["properties"]["subnets"] if item["name"] == "consumers")
    found["properties"]["privateEndpointNetworkPolicies"] = "NetworkSecurityGroupEnabled"
    found["properties"]["networkSecurityGroup"] = {"id": f"{HUB}/networkSecurityGroups/consumers-nsg"}
    deny = rule(name="no", access="Deny", sourceAddressPrefix="*", destinationAddressPrefix="*")
    listed: dict[str, Any] = group("consumers-nsg", deny)
    objects["consumers-nsg"] = {**listed, "id": f"{HUB}/networkSecurityGroups/consumers-nsg"}
    store = read(tmp_path, objects)
    assert trace(store, seen_from(store, linked(store)[TEXT])).outcome is Outcome.DROPPED
    assert sweep(store) == []


def test_the_explorer_lists_it_with_the_other_ways_in(tmp_path: Path) -> None:
    """The first pane shows what the evaluator keeps."""
    evaluator = Evaluator(read(tmp_path, made()))
    evaluator.work(lambda: False, 0.0)
    entry = next(entry for entry in evaluator.entries.values() if entry.request.text == TEXT)
    assert entry.trace is not None
    assert entry.trace.outcome is Outcome.DELIVERED
