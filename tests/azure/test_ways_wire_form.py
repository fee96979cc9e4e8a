"""The captures of the ways in and out are ARM's: every field is one that the SDK's own models have, at its place."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.mgmt.containerservice import models as aks
from azure.mgmt.network import models as network

from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.sources.azure.edges import EDGE_KINDS
from aksnav.sources.capture.redact import Redaction
from tests.azure import (
    test_ways_app_gateway,
    test_ways_edges,
    test_ways_gateway_for_containers,
    test_ways_load_balancer,
    test_ways_nodes,
    test_ways_out,
    test_ways_private_link,
)
from tests.azure.cluster_objects import Objects, base, private_link
from tests.azure.gateway_objects import app_gateway, containers
from tests.azure.ways_in import Way
from tests.unit.model.test_azure import az

Json = dict[str, Any]
MODELS: dict[str, type] = {
    "managedClusters": aks.ManagedCluster,
    "virtualNetworks": network.VirtualNetwork,
    "networkSecurityGroups": network.NetworkSecurityGroup,
    "routeTables": network.RouteTable,
    "loadBalancers": network.LoadBalancer,
    "publicIPAddresses": network.PublicIPAddress,
    "networkInterfaces": network.NetworkInterface,
    "natGateways": network.NatGateway,
    "privateLinkServices": network.PrivateLinkService,
    "privateEndpoints": network.PrivateEndpoint,
    "applicationGateways": network.ApplicationGateway,
}
# What another call says and a capture has beside the resource; what the capture's own word for the kind is.
BESIDE = {"kind", "backendHealth"}
WAYS: list[Way] = [
    *test_ways_load_balancer.WAYS,
    *test_ways_private_link.WAYS,
    *test_ways_app_gateway.WAYS,
    *test_ways_gateway_for_containers.WAYS,
    *test_ways_edges.WAYS,
    *test_ways_nodes.WAYS,
    *test_ways_out.WAYS,
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


@pytest.mark.parametrize("change", [private_link, app_gateway, containers], ids=lambda item: item.__name__)
def test_what_az_prints_is_read_as_what_arm_sends(change: Callable[[Objects], None]) -> None:
    """Properties lifted, nulls where nothing is set: the same objects."""
    made = base()
    change(made)
    for wire in made.values():
        kind = KINDS[wire["kind"]]
        if kind.name in EDGE_KINDS:
            nested = {key: value for key, value in wire.items() if key != "kind"}
            assert decode_wire(kind, az(nested)) == decode_wire(kind, nested)


def test_a_redacted_capture_keeps_its_gateway_and_none_of_its_names() -> None:
    """Host names of listeners and of private link are names of somebody: the same name has the same placeholder."""
    made = base()
    app_gateway(made)
    wires = [made["agw"], made["ingress"]]
    redaction = Redaction(wires, b"key")
    gateway, ingress = (redaction.apply(wire) for wire in wires)
    named = gateway["properties"]["httpListeners"][0]["properties"]["hostNames"]
    assert named == [ingress["spec"]["rules"][0]["host"]]
    assert "shop.example" not in json.dumps([gateway, ingress])
