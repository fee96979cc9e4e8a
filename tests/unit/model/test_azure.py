"""ARM resources: nested and flattened forms, letter case, and field names as the Azure SDK's own models have them."""

import json
from typing import Any

import msgspec
import pytest
from azure.mgmt.containerservice import models as aks
from azure.mgmt.network import models as network

from aksnav.model.azure import cluster as our_cluster
from aksnav.model.azure import edge
from aksnav.model.azure import network as ours
from aksnav.model.azure.shape import hoist
from aksnav.model.decode import decode_object
from aksnav.model.kinds import AZURE_KINDS, KINDS
from aksnav.model.object import AzureObject

Json = dict[str, Any]
VNET = "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Network/virtualNetworks/V"

# Our struct, the SDK's model, and the model of its ``properties`` where it has one.
PAIRS: list[tuple[type, str, str]] = [
    (ours.VirtualNetwork, "VirtualNetwork", "VirtualNetworkPropertiesFormat"),
    (ours.AddressSpace, "AddressSpace", ""),
    (ours.DhcpOptions, "DhcpOptions", ""),
    (ours.Subnet, "Subnet", "SubnetPropertiesFormat"),
    (ours.Delegation, "Delegation", "ServiceDelegationPropertiesFormat"),
    (ours.Peering, "VirtualNetworkPeering", "VirtualNetworkPeeringPropertiesFormat"),
    (ours.SubnetUsage, "VirtualNetworkUsage", ""),
    (ours.NetworkSecurityGroup, "NetworkSecurityGroup", "NetworkSecurityGroupPropertiesFormat"),
    (ours.SecurityRule, "SecurityRule", "SecurityRulePropertiesFormat"),
    (ours.RouteTable, "RouteTable", "RouteTablePropertiesFormat"),
    (ours.Route, "Route", "RoutePropertiesFormat"),
    (ours.LoadBalancer, "LoadBalancer", "LoadBalancerPropertiesFormat"),
    (ours.Frontend, "FrontendIPConfiguration", "FrontendIPConfigurationPropertiesFormat"),
    (ours.LoadBalancingRule, "LoadBalancingRule", "LoadBalancingRulePropertiesFormat"),
    (ours.LoadBalancerProbe, "Probe", "ProbePropertiesFormat"),
    (ours.BackendPool, "BackendAddressPool", "BackendAddressPoolPropertiesFormat"),
    (ours.BackendAddress, "LoadBalancerBackendAddress", "LoadBalancerBackendAddressPropertiesFormat"),
    (ours.OutboundRule, "OutboundRule", "OutboundRulePropertiesFormat"),
    (ours.PublicIPAddress, "PublicIPAddress", "PublicIPAddressPropertiesFormat"),
    (ours.DnsSettings, "PublicIPAddressDnsSettings", ""),
    (ours.NetworkInterface, "NetworkInterface", "NetworkInterfacePropertiesFormat"),
    (ours.InterfaceConfiguration, "NetworkInterfaceIPConfiguration", "NetworkInterfaceIPConfigurationPropertiesFormat"),
    (ours.NatGateway, "NatGateway", "NatGatewayPropertiesFormat"),
    (ours.Sku, "LoadBalancerSku", ""),
    (edge.PrivateLinkService, "PrivateLinkService", "PrivateLinkServiceProperties"),
    (edge.LinkAddress, "PrivateLinkServiceIpConfiguration", "PrivateLinkServiceIpConfigurationProperties"),
    (edge.EndpointConnection, "PrivateEndpointConnection", "PrivateEndpointConnectionProperties"),
    (edge.ConnectionState, "PrivateLinkServiceConnectionState", ""),
    (edge.PrivateEndpoint, "PrivateEndpoint", "PrivateEndpointProperties"),
    (edge.ServiceConnection, "PrivateLinkServiceConnection", "PrivateLinkServiceConnectionProperties"),
    (edge.CustomDns, "CustomDnsConfigPropertiesFormat", ""),
    (edge.EndpointAddress, "PrivateEndpointIPConfiguration", "PrivateEndpointIPConfigurationProperties"),
    (edge.ApplicationGateway, "ApplicationGateway", "ApplicationGatewayPropertiesFormat"),
    (edge.GatewayAddress, "ApplicationGatewayIPConfiguration", "ApplicationGatewayIPConfigurationPropertiesFormat"),
    (edge.FrontendPort, "ApplicationGatewayFrontendPort", "ApplicationGatewayFrontendPortPropertiesFormat"),
    (edge.HttpListener, "ApplicationGatewayHttpListener", "ApplicationGatewayHttpListenerPropertiesFormat"),
    (edge.PathRule, "ApplicationGatewayPathRule", "ApplicationGatewayPathRulePropertiesFormat"),
    (edge.UrlPathMap, "ApplicationGatewayUrlPathMap", "ApplicationGatewayUrlPathMapPropertiesFormat"),
    (
        edge.RequestRoutingRule,
        "ApplicationGatewayRequestRoutingRule",
        "ApplicationGatewayRequestRoutingRulePropertiesFormat",
    ),
    (
        edge.RedirectConfiguration,
        "ApplicationGatewayRedirectConfiguration",
        "ApplicationGatewayRedirectConfigurationPropertiesFormat",
    ),
    (edge.GatewayTarget, "ApplicationGatewayBackendAddress", ""),
    (
        edge.GatewayPool,
        "ApplicationGatewayBackendAddressPool",
        "ApplicationGatewayBackendAddressPoolPropertiesFormat",
    ),
    (
        edge.HttpSettings,
        "ApplicationGatewayBackendHttpSettings",
        "ApplicationGatewayBackendHttpSettingsPropertiesFormat",
    ),
    (edge.GatewayProbe, "ApplicationGatewayProbe", "ApplicationGatewayProbePropertiesFormat"),
    (edge.ProbeMatch, "ApplicationGatewayProbeHealthResponseMatch", ""),
    (edge.ServerHealth, "ApplicationGatewayBackendHealthServer", ""),
    (edge.SettingsHealth, "ApplicationGatewayBackendHealthHttpSettings", ""),
    (edge.PoolHealth, "ApplicationGatewayBackendHealthPool", ""),
    (edge.WebApplicationFirewall, "ApplicationGatewayWebApplicationFirewallConfiguration", ""),
    (our_cluster.ManagedCluster, "ManagedCluster", "ManagedClusterProperties"),
    (our_cluster.AgentPool, "ManagedClusterAgentPoolProfile", ""),
    (our_cluster.NetworkProfile, "ContainerServiceNetworkProfile", ""),
]
# What is joined from another call, what only some API versions have (dockerBridgeCidr: until 2023), and what every
# child is given.
JOINED = {
    "usages", "effectiveSecurityAdminRules", "etag", "id", "provisioningState", "hasBgpOverride", "kubeProxyConfig",
    "podIPAllocationMode", "backendHealth", "dockerBridgeCidr", "adminRulesAsOf", "adminRulesOld", "untold",
}  # fmt: skip


def names(model: str) -> set[str]:
    """Return the field names on the wire of a model of the SDK."""
    room = network if hasattr(network, model) else aks
    return {field._rest_name for field in getattr(room, model)()._attr_to_rest_field.values()}


@pytest.mark.parametrize(("struct", "model", "properties"), PAIRS, ids=lambda item: getattr(item, "__name__", ""))
def test_fields_are_spelt_as_arm_spells_them(struct: type, model: str, properties: str) -> None:
    """A name that ARM does not have would be absent for ever, and look like a fact."""
    known = names(model) | (names(properties) if properties else set())
    wanted = {field.encode_name for field in msgspec.structs.fields(struct)}
    assert wanted - JOINED <= known


def az(value: Any) -> Any:
    """Return a resource as ``az -o json`` prints it: properties lifted, nulls where nothing is set."""
    if isinstance(value, dict):
        inner = value.get("properties", {})
        return {key: az(item) for key, item in {**inner, **value}.items() if key != "properties"} | {"extra": None}
    return [az(item) for item in value] if isinstance(value, list) else value


def test_nested_and_flattened_forms_give_the_same_object() -> None:
    """ARM nests properties at every level; az flattens them."""
    wire = {
        "id": VNET,
        "name": "V",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/8"]},
            "subnets": [{"id": f"{VNET}/subnets/A", "name": "A", "properties": {"addressPrefix": "10.1.0.0/16"}}],
            "virtualNetworkPeerings": [{"name": "p", "properties": {"peeringState": "Connected"}}],
        },
    }
    kind = KINDS["virtualNetworks"]
    nested = decode_object(kind, json.dumps(wire).encode())
    assert isinstance(nested, ours.VirtualNetwork)
    assert nested == decode_object(kind, json.dumps(az(wire)).encode())
    assert nested.subnets[0].prefixes == ("10.1.0.0/16",)
    assert nested.virtual_network_peerings[0].peering_state == "Connected"


@pytest.mark.parametrize(
    ("printed", "arm"),
    [
        ("privateIpAddress", "privateIPAddress"),
        ("publicIpAddress", "publicIPAddress"),
        ("frontendIpConfiguration", "frontendIPConfiguration"),
        ("backendIpConfigurations", "backendIPConfigurations"),
        ("enableFloatingIp", "enableFloatingIP"),
        ("dnsServiceIp", "dnsServiceIP"),
        ("podSubnetId", "podSubnetID"),
        ("vnetSubnetId", "vnetSubnetID"),
        ("privateFqdn", "privateFQDN"),
        ("osSku", "osSKU"),
    ],
)
def test_names_that_az_spells_otherwise(printed: str, arm: str) -> None:
    """Attributes of az's Python models, camel-cased, lose ARM's runs of capitals."""
    assert hoist({printed: "x"}) == {arm: "x"}
    assert hoist({arm: "x"}) == {arm: "x"}


def test_a_field_that_stands_twice_is_the_resources_own_unless_it_is_null() -> None:
    """Name and etag of a resource win over properties of the same name; a null there hides nothing."""
    assert hoist({"name": "a", "properties": {"name": "b", "x": 1}}) == {"name": "a", "x": 1}
    assert hoist({"sku": None, "properties": {"sku": {"name": "Standard"}}}) == {"sku": {"name": "Standard"}}
    assert hoist({"properties": None, "x": 1}) == {"x": 1}


def test_tags_are_kept_as_they_are() -> None:
    """Keys of tags are people's words: they are neither lifted nor spelt anew."""
    assert hoist({"tags": {"properties": "p", "osSku": "s", "none": None}}) == {
        "tags": {"properties": "p", "osSku": "s"}
    }


@pytest.mark.parametrize("kind", AZURE_KINDS, ids=lambda kind: kind.name)
def test_ids_are_compared_without_regard_to_case(kind: Any) -> None:
    """Azure writes one id in several ways; the id here is one, and the way it was written is kept."""
    one = decode_object(kind, json.dumps({"id": VNET}).encode())
    two = decode_object(kind, json.dumps({"id": VNET.upper()}).encode())
    assert one.id == two.id == VNET.lower()
    assert isinstance(one, kind.struct)
    assert isinstance(two, AzureObject)
    assert isinstance(one, AzureObject)
    assert one.ref == two.ref


def test_references_are_compared_in_lower_case_too() -> None:
    """Rules name pools, frontends and probes by id, in whatever case they were written."""
    rule = {"backendAddressPool": {"id": "/X/Pools/P"}, "probe": {"id": "/X/Probes/Q"}}
    wire = {"id": VNET, "properties": {"loadBalancingRules": [{"name": "r", "properties": rule}]}}
    made = decode_object(KINDS["loadBalancers"], json.dumps(wire).encode())
    assert isinstance(made, ours.LoadBalancer)
    assert [pool.id for pool in made.load_balancing_rules[0].pools] == ["/x/pools/p"]
    assert made.load_balancing_rules[0].probe is not None
    assert made.load_balancing_rules[0].probe.id == "/x/probes/q"
    assert made.load_balancing_rules[0].probe.arm_id == "/X/Probes/Q"
