"""The sample cluster as written: manifests and ARM resources that belong together, checked without a control plane."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.azure.network import (
    LoadBalancer,
    NetworkInterface,
    NetworkSecurityGroup,
    PublicIPAddress,
    RouteTable,
    VirtualNetwork,
)
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS, AnyObject
from tests.cluster import sample

KIND_OF = {
    "az-aks-show.json": "managedClusters",
    "az-network-vnet-list.json": "virtualNetworks",
    "az-network-nsg-list.json": "networkSecurityGroups",
    "az-network-route-table-list.json": "routeTables",
    "az-network-lb-list.json": "loadBalancers",
    "az-network-public-ip-list.json": "publicIPAddresses",
    "az-vmss-nic-list.json": "networkInterfaces",
}


def manifests() -> Iterator[dict[str, Any]]:
    """Yield every manifest of the sample."""
    for path in sorted(sample.MANIFESTS.glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text())


@pytest.fixture(scope="module")
def services() -> list[dict[str, Any]]:
    """Give the sample's Services with what the API server adds: UIDs and node ports."""
    found = [item for item in manifests() if item["kind"] == "Service"]
    for number, item in enumerate(found):
        item["metadata"]["uid"] = f"00000000-0000-4000-8000-{number:012d}"
        item["spec"]["healthCheckNodePort"] = 32000 + number
        for place, port in enumerate(item["spec"]["ports"]):
            port["nodePort"] = 30000 + 10 * number + place
    return found


@pytest.fixture(scope="module")
def documents(services: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the ARM documents of those Services."""
    return sample.arm_documents(services)


@pytest.fixture(scope="module")
def resources(documents: dict[str, Any]) -> list[AnyObject]:
    """Give the ARM resources, decoded."""
    decoded = []
    for name, kind in KIND_OF.items():
        listed = documents[name] if isinstance(documents[name], list) else [documents[name]]
        decoded += [decode_wire(KINDS[kind], item) for item in listed]
    return decoded


def ids(value: object) -> Iterator[str]:
    """Yield every ARM id in a document, in lower case."""
    if isinstance(value, dict):
        if isinstance(value.get("id"), str):
            yield value["id"].lower()
        for inner in value.values():
            yield from ids(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from ids(inner)


def owned(value: object) -> Iterator[str]:
    """Yield the ids of resources (they have a name), not of references to them."""
    if isinstance(value, dict):
        if isinstance(value.get("id"), str) and "name" in value:
            yield value["id"].lower()
        for inner in value.values():
            yield from owned(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from owned(inner)


def test_every_placeholder_is_filled_in(documents: dict[str, Any]) -> None:
    """Nothing of the templates' own syntax is left, and ports are numbers."""
    assert "${" not in str(documents)
    probes = [probe for balancer in documents["az-network-lb-list.json"] for probe in balancer["probes"]]
    assert all(isinstance(probe["port"], int) for probe in probes)


def test_every_reference_leads_to_a_resource(documents: dict[str, Any]) -> None:
    """Nothing points into the void but the hub, another team's, and the virtual machines, which are not read."""
    there = set(owned(list(documents.values())))
    beyond = {name for name in ids(list(documents.values())) if name not in there}
    unread = {name for name in beyond if "/virtualmachinescalesets/" not in name}
    assert {name.partition("/resourcegroups/")[2] for name in unread} == {
        "rg-hub/providers/microsoft.network/virtualnetworks/vnet-hub"
    }


def test_a_name_leads_from_each_load_balancer_rule_to_a_service(
    resources: list[AnyObject], services: list[dict[str, Any]]
) -> None:
    """Each port of a LoadBalancer Service has a rule under the name that its UID gives, and there is no other rule."""
    expected = {
        f"{sample.load_balancer_name(item['metadata']['uid'])}-TCP-{port['port']}"
        for item in services
        if item["spec"].get("type") == "LoadBalancer"
        for port in item["spec"]["ports"]
    }
    balancers = [item for item in resources if isinstance(item, LoadBalancer)]
    assert {rule.name for balancer in balancers for rule in balancer.load_balancing_rules} == expected


def test_addresses_of_nodes_agree_between_kubernetes_and_azure(resources: list[AnyObject]) -> None:
    """Each node has its network interface: the same address, the same instance of the same scale set."""
    nodes = {
        item["status"]["addresses"][0]["address"]: item["spec"]["providerID"].removeprefix("azure://").lower()
        for item in manifests()
        if item["kind"] == "Node"
    }
    interfaces = {
        item.ip_configurations[0].private_ip_address: item.virtual_machine.id
        for item in resources
        if isinstance(item, NetworkInterface) and item.virtual_machine is not None
    }
    assert interfaces == nodes


def test_the_cluster_agrees_with_its_network(resources: list[AnyObject]) -> None:
    """Pools lie in the VNet's subnet, and the subnet has the security group and the routes that are listed."""
    (cluster,) = (item for item in resources if isinstance(item, ManagedCluster))
    (network,) = (item for item in resources if isinstance(item, VirtualNetwork))
    subnet = network.subnets[0]
    assert {pool.vnet_subnet_id.lower() for pool in cluster.agent_pool_profiles} == {subnet.id}
    assert cluster.network_profile.dns_service_ip == "10.0.0.10"
    assert subnet.network_security_group is not None
    assert subnet.network_security_group.id in {item.id for item in resources if isinstance(item, NetworkSecurityGroup)}
    assert subnet.route_table is not None
    assert subnet.route_table.id in {item.id for item in resources if isinstance(item, RouteTable)}


def test_public_addresses_are_those_that_the_statuses_get(resources: list[AnyObject]) -> None:
    """What is written into Services, Ingress and Gateway are the addresses of the load balancer's frontends."""
    public = {item.ip_address for item in resources if isinstance(item, PublicIPAddress)}
    assert {sample.NGINX_ADDRESS, sample.STOREFRONT_ADDRESS} < public
    private = {
        frontend.private_ip_address
        for item in resources
        if isinstance(item, LoadBalancer)
        for frontend in item.frontend_ip_configurations
        if frontend.private_ip_address
    }
    assert private == {sample.ORDERS_ADDRESS}
