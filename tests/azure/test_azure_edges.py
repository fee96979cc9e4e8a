"""What stands in front of a cluster is read where something points to it, and costs nothing where nothing does."""

from typing import Any

import pytest

from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.change import ListEnded, ListStarted, Reading, ReadingChanged, Removed, Upserted
from aksnav.model.kubernetes.gateway import Gateway
from aksnav.model.kubernetes.service import Service
from aksnav.sources.azure.doctor import check_azure
from aksnav.sources.azure.edges import EDGE_KINDS, Pointers, gateways, pointers_of
from aksnav.sources.azure.hints import PointerCollector
from aksnav.sources.demo.world import NODE_GROUP, SUBSCRIPTION
from aksnav.sources.options import Options
from tests.azure.arm_server import Answer, Asked, error
from tests.azure.conftest import Bench, host, provider_ids

NODES = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{NODE_GROUP}/providers"
ELSEWHERE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-edge/providers/Microsoft.Network"
ALB = f"{NODES}/Microsoft.ServiceNetworking/trafficControllers/alb-1"
PREFIX = "service.beta.kubernetes.io/"


def service(**annotations: str) -> Service:
    """Return a Service of type LoadBalancer."""
    named = {f"{PREFIX}{name.replace('_', '-')}": value for name, value in annotations.items()}
    return Service(name="web", namespace="shop", type="LoadBalancer", annotations=named)


def link(bench: Bench) -> dict[str, Any]:
    """Add a private link service in the nodes' group with a private endpoint elsewhere."""
    ident, endpoint = f"{NODES}/Microsoft.Network/privateLinkServices/pls", f"{ELSEWHERE}/privateEndpoints/pe"
    interface = f"{ELSEWHERE}/networkInterfaces/pe-nic"
    connection = {"name": "c", "properties": {"privateEndpoint": {"id": endpoint}}}
    objects = bench.server.content.objects
    objects["privateLinkServices"] = [
        {"id": ident, "name": "pls", "properties": {"privateEndpointConnections": [connection]}}
    ]
    objects["privateEndpoints"] = [
        {"id": endpoint, "name": "pe", "properties": {"networkInterfaces": [{"id": interface}]}}
    ]
    objects["networkInterfaces"].append({"id": interface, "name": "pe-nic", "properties": {}})
    return objects["privateLinkServices"][0]


def test_without_a_pointer_nothing_is_asked_and_there_is_none(bench: Bench) -> None:
    """No call for a kind that nothing names; its table is complete and empty."""
    bench.read()
    kinds = ("privatelinkservices", "privateendpoints", "applicationgateways", "trafficcontrollers")
    assert not [path for path in bench.server.paths() if any(kind in path for kind in kinds)]
    for kind in EDGE_KINDS:
        assert bench.store.tables[kind].access("").complete
        assert len(bench.store.tables[kind]) == 0


def test_a_private_link_service_of_an_annotation_is_read_with_its_endpoint(bench: Bench) -> None:
    """azure-pls-create: the group of the nodes is listed; the endpoint and its interface are read by their ids."""
    link(bench)
    bench.source.points(pointers_of(service(azure_pls_create="true")))
    bench.read()
    assert [row.name for row in bench.store.private_link_services] == ["pls"]
    assert [row.name for row in bench.store.private_endpoints] == ["pe"]
    assert f"{ELSEWHERE}/networkInterfaces/pe-nic".lower() in bench.store.interfaces


def test_a_private_link_service_of_an_interface_is_read_by_its_id(bench: Bench) -> None:
    """Nobody named it in the cluster: its interface in the nodes' group does."""
    wire = link(bench)
    bench.server.content.objects["networkInterfaces"].append(
        {
            "id": f"{NODES}/Microsoft.Network/networkInterfaces/pls.nic",
            "name": "pls.nic",
            "properties": {"privateLinkService": {"id": wire["id"]}},
        }
    )
    bench.read()
    assert [row.name for row in bench.store.private_link_services] == ["pls"]


def test_an_endpoint_that_is_refused_is_denied_in_its_group_alone(bench: Bench) -> None:
    """The consumer's subscription is often closed: the service stays known."""
    link(bench)
    bench.server.content.denied.add("Microsoft.Network/privateEndpoints/read")
    bench.source.points(Pointers(link_groups=frozenset({""})))
    bench.read()
    assert bench.store.private_endpoints.access("").reading is Reading.DENIED
    assert bench.store.private_link_services.access("").reading is Reading.LIVE


def test_addresses_of_a_group_that_an_annotation_names_are_read(bench: Bench) -> None:
    """azure-load-balancer-resource-group: an address that is not attached yet is known as well."""
    bench.server.content.objects["publicIPAddresses"].append(
        {
            "id": f"{ELSEWHERE}/publicIPAddresses/pip-own",
            "name": "pip-own",
            "sku": {"name": "Standard"},
            "properties": {"ipAddress": "20.99.1.1"},
        }
    )
    bench.read()
    assert "pip-own" not in {row.name for row in bench.store.public_ips}
    bench.source.points(pointers_of(service(azure_load_balancer_resource_group="rg-edge")))
    bench.read()
    assert "pip-own" in {row.name for row in bench.store.public_ips}


def test_the_gateway_of_the_add_on_is_read_by_its_id(bench: Bench) -> None:
    """One call, for the gateway that the cluster names."""
    ident = f"{ELSEWHERE}/applicationGateways/agw"
    objects = bench.server.content.objects
    objects["applicationGateways"] = [{"id": ident, "name": "agw", "properties": {"operationalState": "Running"}}]
    objects["managedClusters"][0]["properties"]["addonProfiles"] = {
        "ingressApplicationGateway": {"enabled": True, "config": {"effectiveApplicationGatewayId": ident}}
    }
    bench.read()
    assert [row.operational_state for row in bench.store.application_gateways] == ["Running"]
    assert sum("applicationgateways" in path for path in bench.server.paths()) == 1


def test_a_gateway_of_an_add_on_that_is_off_is_not_asked_for() -> None:
    """The configuration of an add-on stays when it is disabled."""
    config = {"effectiveApplicationGatewayId": f"{ELSEWHERE}/applicationGateways/agw"}
    off = {"ingressApplicationGateway": {"enabled": False, "config": config}}
    assert gateways(ManagedCluster(arm_id="/x", addon_profiles=off), ()) == set()
    on = {"IngressApplicationGateway": {"enabled": True, "config": config}}
    assert gateways(ManagedCluster(arm_id="/x", addon_profiles=on), ()) == {
        f"{ELSEWHERE}/applicationGateways/agw".lower()
    }


def traffic(asked: Asked) -> Answer | None:
    """Answer for Microsoft.ServiceNetworking as Resource Manager does."""
    if "microsoft.servicenetworking" not in asked.path:
        return None
    assert asked.query["api-version"] == "2025-01-01"
    subnet = {"subnet": {"id": "/subscriptions/s/x"}, "associationType": "subnets"}
    by_end: dict[str, list[dict[str, Any]]] = {
        "trafficcontrollers": [{"id": ALB, "name": "alb-1"}],
        "frontends": [{"id": f"{ALB}/frontends/f", "name": "f", "properties": {"fqdn": "a.fz1.alb.azure.com"}}],
        "associations": [{"id": f"{ALB}/associations/a", "name": "a", "properties": subnet}],
    }
    return Answer(body={"value": by_end[asked.path.rpartition("/")[2]]})


@pytest.mark.parametrize("by", ["delegation", "annotation"])
def test_a_gateway_for_containers_is_read_by_a_delegation_or_an_annotation(bench: Bench, by: str) -> None:
    """The controller may have made it in the nodes' group, or an operator elsewhere."""
    bench.server.rules.append(traffic)
    if by == "delegation":
        subnet = bench.server.content.objects["virtualNetworks"][0]["properties"]["subnets"][0]
        named = "Microsoft.ServiceNetworking/trafficControllers"
        subnet["properties"]["delegations"] = [{"name": "d", "properties": {"serviceName": named}}]
    else:
        named_gateway = Gateway(name="g", namespace="shop", annotations={"alb.networking.azure.io/alb-id": ALB})
        bench.source.points(pointers_of(named_gateway))
    bench.read()
    assert [row.fqdn for row in bench.store.traffic_frontends] == ["a.fz1.alb.azure.com"]
    assert [row.association_type for row in bench.store.traffic_associations] == ["subnets"]


def test_a_gateway_for_containers_that_is_refused_is_denied(bench: Bench) -> None:
    """Nothing passes through a table that was refused."""
    bench.server.rules.append(
        lambda asked: error(403, "AuthorizationFailed") if "servicenetworking" in asked.path else None
    )
    bench.source.points(Pointers(controllers=frozenset({ALB.lower()})))
    bench.read()
    assert bench.store.traffic_frontends.access("").reading is Reading.DENIED
    assert not bench.store.traffic_frontends.access("").complete


def test_the_doctor_asks_for_what_something_points_to(bench: Bench) -> None:
    """The role holds the action on private endpoints where a private link service has one, and it is refused."""
    wire = link(bench)
    bench.server.content.objects["networkInterfaces"].append(
        {
            "id": f"{NODES}/Microsoft.Network/networkInterfaces/pls.nic",
            "name": "pls.nic",
            "properties": {"privateLinkService": {"id": wire["id"]}},
        }
    )
    action = "Microsoft.Network/privateEndpoints/read"
    bench.server.content.denied.add(action)
    found = check_azure(
        Options(kubeconfig="/nonexistent"), provider_ids(), host(), connection=bench.connection(), pace=bench.pace
    )
    assert action in {item.missing for item in found.checks if not item.ok}
    assert action in found.role


def test_pointers_are_told_once_both_kinds_are_listed_and_when_they_change() -> None:
    """A Service that names a group, and one that does not any more."""
    told: list[Pointers] = []
    ear = PointerCollector(told.append)
    one = service(azure_load_balancer_resource_group="RG-Edge", azure_pls_create="true")
    for change in (ListStarted("Service"), Upserted("Service", [one]), ListEnded("Service")):
        ear.see(change)
    assert told == []
    ear.see(ReadingChanged("Gateway", Reading.ABSENT, "", "not installed"))
    assert told == [Pointers(address_groups=frozenset({"rg-edge"}), link_groups=frozenset({""}))]
    ear.see(Upserted("Service", [one]))
    assert len(told) == 1
    ear.see(Upserted("Service", [service()]))
    assert told[-1] == Pointers()
    ear.see(Upserted("Service", [one]))
    ear.see(Removed("Service", ["shop/web"]))
    assert told[-1] == Pointers()
