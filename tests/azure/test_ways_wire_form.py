"""The captures of the ways in are ARM's: every field is one that the SDK's own models have, at its place."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.mgmt.containerservice import models as aks
from azure.mgmt.network import models as network

from tests.azure import test_ways_gateways, test_ways_load_balancer, test_ways_nodes, test_ways_private_link
from tests.azure.ways_in import Objects, Way, base

Json = dict[str, Any]
MODELS: dict[str, type] = {
    "managedClusters": aks.ManagedCluster,
    "virtualNetworks": network.VirtualNetwork,
    "networkSecurityGroups": network.NetworkSecurityGroup,
    "routeTables": network.RouteTable,
    "loadBalancers": network.LoadBalancer,
    "publicIPAddresses": network.PublicIPAddress,
    "networkInterfaces": network.NetworkInterface,
    "privateLinkServices": network.PrivateLinkService,
    "privateEndpoints": network.PrivateEndpoint,
    "applicationGateways": network.ApplicationGateway,
}
# What another call says and a capture has beside the resource; what the capture's own word for the kind is.
BESIDE = {"kind", "backendHealth"}
WAYS: list[Way] = [
    *test_ways_load_balancer.WAYS,
    *test_ways_private_link.WAYS,
    *test_ways_gateways.WAYS,
    *test_ways_nodes.WAYS,
]


def unknown(value: Any, model: Any, path: str) -> Iterator[str]:
    """Yield the paths of fields that a model of the SDK does not have."""
    if not isinstance(value, dict) or model.__module__.partition(".mgmt.")[0] != "azure":
        return
    typed = model(value)
    fields = typed._attr_to_rest_field
    known = {field._rest_name for field in fields.values()} | BESIDE
    yield from (f"{path}.{name}" for name in value if name not in known)
    for attribute, field in fields.items():
        if field._rest_name not in value or field._rest_name in BESIDE:
            continue
        below, inner = getattr(typed, attribute), value[field._rest_name]
        if isinstance(below, list):
            for one, raw in zip(below, inner, strict=True):
                yield from unknown(raw, type(one), f"{path}.{field._rest_name}[]")
        else:
            yield from unknown(inner, type(below), f"{path}.{field._rest_name}")


def bent(bend: tuple[Callable[[Objects], None], ...]) -> Objects:
    made = base()
    for change in bend:
        change(made)
    return made


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_capture_has_no_field_that_arm_does_not_have(way: Way) -> None:
    """A name that is spelt otherwise would be absent for ever, and make the test prove nothing."""
    for wire in bent(way.bend).values():
        model = MODELS.get(wire["kind"])
        if model is not None:
            assert list(unknown(wire, model, wire["kind"])) == []


def test_a_field_with_another_name_is_found() -> None:
    """The test above would notice."""
    wire = base()["lb"]
    wire["properties"]["frontendIPConfigurations"][0]["properties"]["privateIpAddress"] = "10.0.0.1"
    assert list(unknown(wire, network.LoadBalancer, "lb")) == [
        "lb.properties.frontendIPConfigurations[].properties.privateIpAddress"
    ]
