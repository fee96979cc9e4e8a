"""A small cluster in ARM's and Kubernetes' wire form, whose Service is delivered to, and what may be added to it.

The base is the cluster of ``tests.unit.trace_edge.cloud``: two nodes, one Service of type LoadBalancer, one Pod.
"""

import copy
import json
from typing import Any

from tests.unit.trace_edge import cloud
from tests.unit.trace_edge.cloud import PREFIX, RG, UID, group, rule
from tests.unit.trace_edge.world import ARM

Json = dict[str, Any]
Objects = dict[str, Json]
HUB = "/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network"
SUBNETS = f"{ARM}/virtualNetworks/vnet/subnets"
ANNOTATION = "service.beta.kubernetes.io/"
ENDPOINT = "10.226.0.9"


def base() -> Objects:
    """Return the objects of the base, to be bent; the Pod says where it listens."""
    made = copy.deepcopy(cloud.objects())
    made["pod"]["spec"]["containers"][0]["ports"] = [{"containerPort": 8443}]
    made["pod"]["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    made["cluster"]["properties"]["agentPoolProfiles"] = [
        {"name": "np1", "count": 2, "vnetSubnetID": f"{SUBNETS}/nodes", "type": "VirtualMachineScaleSets"}
    ]
    made["system"]["spec"]["hostNetwork"] = True
    return made


def annotate(made: Objects, **values: str) -> None:
    """Give the Service annotations of the cloud provider; ``_`` in a name stands for ``-``."""
    for name, value in values.items():
        full = name if name.startswith("port_") else name.replace("_", "-")
        made["service"]["metadata"]["annotations"][f"{ANNOTATION}{full}"] = value


def subnet(made: Objects, name: str, prefix: str, **properties: Any) -> Json:
    """Add a subnet to the network and return it."""
    wire = {"id": f"{SUBNETS}/{name}", "name": name, "properties": {"addressPrefix": prefix, **properties}}
    made["vnet"]["properties"]["subnets"].append(wire)
    return wire


def internal(made: Objects, ip: str = "10.224.0.200") -> None:
    """Make the load balancer an internal one with this frontend address."""
    annotate(made, azure_load_balancer_internal="true")
    made["lb"]["properties"]["frontendIPConfigurations"][0]["properties"] = {
        "privateIPAddress": ip,
        "privateIPAllocationMethod": "Dynamic",
        "subnet": {"id": f"{SUBNETS}/nodes"},
    }
    made["service"]["status"]["loadBalancer"]["ingress"][0]["ip"] = ip
    del made["pip"]
    made["subnet-nsg"] = group(
        "subnet-nsg",
        rule(name="inside", sourceAddressPrefix="VirtualNetwork", destinationAddressPrefix="*", priority=200),
    )
    made["aks-nsg"] = group("aks-nsg")


def private_link(made: Objects, status: str = "Approved") -> None:
    """Put a private link service before the internal load balancer, and a private endpoint in another subnet."""
    internal(made)
    subnet(made, "consumers", "10.226.0.0/24", privateEndpointNetworkPolicies="Disabled")
    subnet(made, "pls-nat", "10.227.0.0/24", privateLinkServiceNetworkPolicies="Disabled")
    annotate(made, azure_pls_create="true")
    link, endpoint = f"{RG}/Microsoft.Network/privateLinkServices/pls-web", f"{HUB}/privateEndpoints/pe-web"
    state = {"status": status, "description": "", "actionsRequired": "None"}
    nic = f"{HUB}/networkInterfaces/pe-web.nic"
    made["pls"] = {
        "kind": "privateLinkServices",
        "id": link,
        "name": "pls-web",
        "location": "westeurope",
        "properties": {
            "provisioningState": "Succeeded",
            "alias": "pls-web.guid.westeurope.azure.privatelinkservice",
            "enableProxyProtocol": False,
            "loadBalancerFrontendIpConfigurations": [
                {"id": made["lb"]["properties"]["frontendIPConfigurations"][0]["id"]}
            ],
            "ipConfigurations": [
                {
                    "id": f"{link}/ipConfigurations/nat-1",
                    "name": "nat-1",
                    "properties": {
                        "privateIPAddress": "10.227.0.4",
                        "privateIPAddressVersion": "IPv4",
                        "primary": True,
                        "subnet": {"id": f"{SUBNETS}/pls-nat"},
                    },
                }
            ],
            "visibility": {"subscriptions": ["s"]},
            "autoApproval": {"subscriptions": []},
            "privateEndpointConnections": [
                {
                    "id": f"{link}/privateEndpointConnections/pe-web.1",
                    "name": "pe-web.1",
                    "properties": {"privateEndpoint": {"id": endpoint}, "privateLinkServiceConnectionState": state},
                }
            ],
        },
    }
    made["pe"] = {
        "kind": "privateEndpoints",
        "id": endpoint,
        "name": "pe-web",
        "location": "westeurope",
        "properties": {
            "provisioningState": "Succeeded",
            "subnet": {"id": f"{SUBNETS}/consumers"},
            "networkInterfaces": [{"id": nic}],
            "customDnsConfigs": [{"fqdn": "web.internal.example", "ipAddresses": [ENDPOINT]}],
            "privateLinkServiceConnections": [
                {
                    "id": f"{endpoint}/privateLinkServiceConnections/c",
                    "name": "c",
                    "properties": {"privateLinkServiceId": link, "privateLinkServiceConnectionState": state},
                }
            ],
        },
    }
    made["pe-nic"] = {
        "kind": "networkInterfaces",
        "id": nic,
        "name": "pe-web.nic",
        "properties": {
            "privateEndpoint": {"id": endpoint},
            "ipConfigurations": [
                {
                    "id": f"{nic}/ipConfigurations/c",
                    "name": "c",
                    "properties": {
                        "privateIPAddress": ENDPOINT,
                        "primary": True,
                        "subnet": {"id": f"{SUBNETS}/consumers"},
                    },
                }
            ],
        },
    }


def open_inside(made: Objects) -> None:
    """Let hosts of the network reach the nodes' subnet, beside the clients of the base."""
    inside = rule(
        name="inside",
        sourceAddressPrefix="VirtualNetwork",
        destinationAddressPrefix="*",
        destinationPortRange="*",
        priority=210,
    )
    made["subnet-nsg"]["properties"]["securityRules"].append(inside)


def container_native(made: Objects) -> None:
    """Make the load balancer one of sku Service, named after the Service, with the Pod's port behind it."""
    balancer = made["lb"]
    balancer["sku"] = {"name": "Service"}
    old, new = balancer["id"], f"{RG}/Microsoft.Network/loadBalancers/{UID}"
    text = json.dumps(balancer).replace(old, new).replace(PREFIX, "frontend")
    made["lb"] = balancer = json.loads(text)
    balancer["name"] = UID
    found = balancer["properties"]["loadBalancingRules"][0]
    found["name"] = "rule-tcp-443"
    found["properties"].update(enableFloatingIP=False, backendPort=8443)
    del found["properties"]["probe"]
    balancer["properties"]["probes"] = []
    pool = balancer["properties"]["backendAddressPools"][0]
    pool["name"], pool["properties"] = UID, {}
    made["pip"]["properties"]["ipConfiguration"]["id"] = f"{new}/frontendIPConfigurations/frontend"
    pods = rule(name="pods", destinationAddressPrefix="10.244.0.0/16", destinationPortRange="8443", priority=200)
    made["subnet-nsg"] = group("subnet-nsg", pods)
    made["aks-nsg"] = group("aks-nsg", pods)
