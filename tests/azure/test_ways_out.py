"""Ways out of a cluster and across its network, from captures in ARM's wire form.

Each has its verdict, the kinds of its steps, and the field that decides (aks-networking.md 1.2, 1.3 and 3.2).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aksnav.trace.step import Outcome
from tests.azure.cluster_objects import HUB, SUBNETS, Objects, private_link, subnet
from tests.azure.ways_in import Way, checked
from tests.unit.azure_egress.way_out import (
    back,
    default_access,
    hub,
    in_node_subnet,
    in_pod_subnet,
    masq,
    nat_gateway,
    node_with_public_address,
    outbound_rule,
)
from tests.unit.trace_edge.cloud import group, rule
from tests.unit.trace_edge.test_routes import DEFAULT, peered, table
from tests.unit.trace_edge.world import ARM, cluster

Bend = Callable[[Objects], None]
FROM = "pod/shop/web-1"
INTERNET, PREMISES = "tcp://203.0.113.9:443", "tcp://192.168.7.7:443"
GATEWAY = nat_gateway("20.60.0.1")
OUT = ("start.pod", "k8s.policy", "nat.snat", "az.nsg", "az.nsg", "az.route")
KEPT = ("start.pod", "k8s.policy", "az.nsg", "az.nsg", "az.route")
BEYOND = ("az.publicip",)


def out(name: str, *bend: Bend, outcome: Outcome = Outcome.UNDECIDED, to: str = INTERNET, **more: Any) -> Way:
    """Return a way out of shop/web-1; behind what is read it is undecided."""
    return Way(name=name, bend=bend, to=to, source=FROM, outcome=outcome, **more)


def kubenet(made: Objects) -> None:
    """Nodes' routes lead to their Pods; the Pod is seen as its node."""
    pools = made["cluster"]["properties"]["agentPoolProfiles"]
    made["cluster"] = cluster(networkPlugin="kubenet", networkPolicy="azure", podCidr="10.244.0.0/16")
    made["cluster"]["properties"]["agentPoolProfiles"] = pools
    routes = [
        {"addressPrefix": f"10.244.{number}.0/24", "nextHopType": "VirtualAppliance", "nextHopIpAddress": node}
        for number, node in enumerate(("10.224.0.4", "10.224.0.5"))
    ]
    table(*routes)(made)


def isolated(made: Objects) -> None:
    """An isolated cluster: nothing provides a way out."""
    made["cluster"]["properties"]["networkProfile"]["outboundType"] = "none"
    made["vnet"]["properties"]["subnets"][0]["properties"]["defaultOutboundAccess"] = False


def endpoint_only(made: Objects) -> None:
    """A private endpoint of a storage account in a subnet of the network."""
    subnet(made, "endpoints", "10.226.1.0/24", privateEndpointNetworkPolicies="Disabled")
    ident, nic = f"{HUB}/privateEndpoints/pe-blob", f"{HUB}/networkInterfaces/pe-blob.nic"
    account = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acc"
    state = {"status": "Approved", "description": "", "actionsRequired": "None"}
    made["pe"] = {
        "kind": "privateEndpoints", "id": ident, "name": "pe-blob",
        "properties": {
            "subnet": {"id": f"{SUBNETS}/endpoints"},
            "networkInterfaces": [{"id": nic}],
            "customDnsConfigs": [{"fqdn": "acc.blob.core.windows.net", "ipAddresses": ["10.226.1.9"]}],
            "privateLinkServiceConnections": [
                {"id": f"{ident}/privateLinkServiceConnections/c", "name": "c",
                 "properties": {"privateLinkServiceId": account, "groupIds": ["blob"],
                                "privateLinkServiceConnectionState": state}}
            ],
        },
    }  # fmt: skip
    made["pe-nic"] = {
        "kind": "networkInterfaces", "id": nic, "name": "pe-blob.nic",
        "properties": {
            "privateEndpoint": {"id": ident},
            "ipConfigurations": [
                {"id": f"{nic}/ipConfigurations/c", "name": "c",
                 "properties": {"privateIPAddress": "10.226.1.9", "primary": True,
                                "subnet": {"id": f"{SUBNETS}/endpoints"}}}
            ],
        },
    }  # fmt: skip


def gateway_subnet(made: Objects) -> None:
    """The network has a gateway, and sends on-premises addresses to it."""
    subnet(made, "GatewaySubnet", "10.225.255.0/27")
    table({"addressPrefix": "192.168.0.0/16", "nextHopType": "VirtualNetworkGateway"})(made)
    allow = rule(
        name="premises", direction="Outbound", sourceAddressPrefix="*", destinationAddressPrefix="192.168.0.0/16",
        destinationPortRange="*", priority=400,
    )  # fmt: skip
    for name in ("subnet-nsg", "aks-nsg"):
        made[name]["properties"]["securityRules"].append(allow)


def remote_gateway(made: Objects) -> None:
    """The hub's gateway is used: its transit leads on premises."""
    gateway_subnet(made)
    made["vnet"]["properties"]["subnets"].pop()
    peered("Connected", useRemoteGateways=True)(made)


def denied_out(made: Objects) -> None:
    """The subnet's group lets nothing out to the internet."""
    deny = rule(
        name="deny-out", direction="Outbound", access="Deny", sourceAddressPrefix="*",
        destinationAddressPrefix="Internet", destinationPortRange="*", priority=300,
    )  # fmt: skip
    made["subnet-nsg"] = group("subnet-nsg", deny)


def elsewhere(made: Objects) -> None:
    """A Service whose endpoint is written by hand: a server of the internet."""
    made["billing"] = {
        "kind": "Service", "metadata": {"name": "billing", "namespace": "shop"},
        "spec": {"type": "ClusterIP", "clusterIP": "10.0.0.99", "clusterIPs": ["10.0.0.99"],
                 "ports": [{"port": 443, "protocol": "TCP", "targetPort": 8443}]},
    }  # fmt: skip
    made["billing-slice"] = {
        "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": "billing", "namespace": "shop", "labels": {"kubernetes.io/service-name": "billing"}},
        "endpoints": [{"addresses": ["203.0.113.9"], "conditions": {"ready": True}}],
        "ports": [{"port": 8443, "protocol": "TCP"}],
    }  # fmt: skip


BLACK_HOLE = table({"addressPrefix": "0.0.0.0/0", "nextHopType": "None"})
BILLING, OWN = "svc/shop/billing:443", "tcp://20.50.1.7:443"
OF_SERVICE = ("start.pod", "k8s.service.port", "k8s.endpoint", "nat.dnat", *OUT[1:])


WAYS = [
    # Network models: whose address leaves (aks-networking.md 1.2).
    out("overlay-by-nat-gateway", GATEWAY, steps=(*OUT, "az.natgateway", *BEYOND), field="natGateway", value="natgw"),
    out("kubenet-by-nat-gateway", kubenet, GATEWAY, steps=(*OUT, "az.natgateway", *BEYOND),
        field=".networkProfile.networkPlugin", value="kubenet"),
    out("node-subnet-by-nat-gateway", in_node_subnet, GATEWAY, steps=(*OUT, "az.natgateway", *BEYOND),
        field="podSubnetID", value="not set"),
    out("node-subnet-excepted", in_node_subnet, masq("nonMasqueradeCIDRs: [203.0.113.0/24]"), GATEWAY,
        steps=(*KEPT, "az.natgateway", *BEYOND)),
    out("pod-subnet-keeps-the-pods-address", in_pod_subnet, steps=("start.pod", "k8s.policy", "az.nsg", "az.nsg",
        "az.route", "az.natgateway", *BEYOND)),
    # Outbound types (aks-networking.md 1.3).
    out("outbound-rule", outbound_rule(), steps=(*OUT, "nat.snat", *BEYOND),
        field=".allocatedOutboundPorts", value="0"),
    out("outbound-rule-with-ports", outbound_rule(4000), field=".allocatedOutboundPorts", value="4000"),
    out("node-public-address", node_with_public_address, steps=(*OUT, "nat.snat", *BEYOND),
        field="ExternalIP", value="20.90.0.4"),
    out("nat-gateway-without-address", nat_gateway(), outcome=Outcome.DROPPED, causes=("R14",),
        steps=(*OUT, "az.natgateway"), field=".publicIpAddresses", value="(none)"),
    out("isolated", isolated, outcome=Outcome.DROPPED, causes=("R14",), steps=(*OUT, "az.natgateway"),
        field=".networkProfile.outboundType", value="none"),
    out("default-outbound-access", default_access(True), steps=(*OUT, "az.natgateway", *BEYOND),
        field=".defaultOutboundAccess", value="true"),
    out("no-way-out", default_access(False), outcome=Outcome.DROPPED, causes=("R14",),
        field=".defaultOutboundAccess", value="false"),
    out("user-defined-routing", table(DEFAULT), steps=(*OUT, "edge.firewall", *BEYOND),
        field=".nextHopIpAddress", value="10.230.0.4"),
    out("black-hole", BLACK_HOLE, outcome=Outcome.DROPPED,
        causes=("R02",), steps=OUT, field=".nextHopType", value="None"),
    # A server elsewhere behind a Service, and the cluster's own public address: both are left for as any other.
    out("endpoint-elsewhere", elsewhere, GATEWAY, to=BILLING, outcome=Outcome.DELIVERED,
        steps=(*OF_SERVICE, "az.natgateway", "deliver"), field="natGateway", value="natgw"),
    out("endpoint-elsewhere-in-a-black-hole", elsewhere, BLACK_HOLE, to=BILLING, outcome=Outcome.DROPPED,
        causes=("R02",), steps=OF_SERVICE, field=".nextHopType", value="None"),
    out("endpoint-elsewhere-behind-a-firewall", elsewhere, table(DEFAULT), to=BILLING,
        steps=(*OF_SERVICE, "edge.firewall", "deliver"), field=".nextHopIpAddress", value="10.230.0.4"),
    out("denied-by-the-subnets-group", denied_out, GATEWAY, outcome=Outcome.DROPPED, causes=("N17",),
        field=".access", value="Deny"),
    # Peerings and on premises (aks-networking.md 3.2).
    out("peering", peered("Connected"), hub(back()), to="tcp://10.50.0.9:443", steps=(*OUT, "az.peering", *BEYOND),
        field=".peeringState", value="Connected"),
    out("peering-disconnected", peered("Disconnected"), hub(back()), to="tcp://10.50.0.9:443", outcome=Outcome.DROPPED,
        causes=("N17",)),
    out("peering-of-the-other-side-gone", peered("Connected"), hub(), to="tcp://10.50.0.9:443",
        outcome=Outcome.DROPPED, causes=("R06",), field=".remoteVirtualNetwork.id", value="none is vnet"),
    out("on-premises-by-the-gateway", gateway_subnet, to=PREMISES, steps=(*OUT, "az.route", *BEYOND),
        field=".subnets[].name", value="GatewaySubnet"),
    out("on-premises-by-the-hubs-gateway", remote_gateway, to=PREMISES, field=".useRemoteGateways", value="true"),
    # Private endpoints.
    out("private-endpoint-of-a-service-elsewhere", endpoint_only, to="tcp://10.226.1.9:443"),
    out("private-endpoint-of-the-cluster-itself", private_link, to="tcp://10.226.0.9:443", outcome=Outcome.DELIVERED),
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_way_out(way: Way, tmp_path: Path) -> None:
    """Verdict, steps, causes and the deciding field, out of files as az and kubectl print them."""
    checked(tmp_path, way)


def test_every_outbound_type_has_a_way() -> None:
    """loadBalancer, NAT gateway, user-defined routing, none; every network model; peering, gateway, endpoint."""
    names = {way.name for way in WAYS}
    assert len(names) == len(WAYS)
    assert ARM  # the captures speak of one subscription
    assert {"outbound-rule", "overlay-by-nat-gateway", "user-defined-routing", "isolated"} <= names
