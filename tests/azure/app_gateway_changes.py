"""What may be done to the Application Gateway of the small cluster, and to what stands around it."""

from typing import Any

from tests.azure.cluster_objects import HUB, SUBNETS, Objects
from tests.azure.gateway_objects import GATEWAY
from tests.unit.trace_edge.cloud import group, rule


def part(made: Objects, name: str) -> Any:
    """Return the properties of the first of a kind of part of the gateway."""
    return made["agw"]["properties"][name][0]["properties"]


def stopped(made: Objects) -> None:
    made["agw"]["properties"]["operationalState"] = "Stopped"


def closed_listener(made: Objects) -> None:
    made["agw-nsg"]["properties"]["securityRules"][0]["properties"]["destinationPortRange"] = "443"


def rule_for_the_frontend(made: Objects) -> None:
    made["agw-nsg"]["properties"]["securityRules"][0]["properties"]["destinationAddressPrefix"] = GATEWAY


def rule_for_the_subnet(made: Objects) -> None:
    made["agw-nsg"]["properties"]["securityRules"][0]["properties"]["destinationAddressPrefix"] = "10.230.0.0/24"


def shared_port(made: Objects) -> None:
    """A private listener on the port of the public one, with a rule: frontends are the destination from then on."""
    parts, ident = made["agw"]["properties"], made["agw"]["id"]
    front, listener = f"{ident}/frontendIPConfigurations/private", f"{ident}/httpListeners/fl-private"
    parts["frontendIPConfigurations"].append(
        {
            "id": front,
            "name": "private",
            "properties": {"privateIPAddress": "10.230.0.10", "subnet": {"id": f"{SUBNETS}/agw"}},
        }
    )
    first, rule_ = parts["httpListeners"][0]["properties"], parts["requestRoutingRules"][0]["properties"]
    parts["httpListeners"].append(
        {"id": listener, "name": "fl-private", "properties": {**first, "frontendIPConfiguration": {"id": front}}}
    )
    parts["requestRoutingRules"].append(
        {
            "id": f"{ident}/requestRoutingRules/rr-private",
            "name": "rr-private",
            "properties": {**rule_, "priority": 110, "httpListener": {"id": listener}},
        }
    )


def closed_pods(made: Objects) -> None:
    deny = rule(
        name="no",
        access="Deny",
        protocol="*",
        sourceAddressPrefix="10.230.0.0/24",
        destinationAddressPrefix="*",
        destinationPortRange="*",
    )
    made["subnet-nsg"] = group("subnet-nsg", deny)


def other_host(made: Objects) -> None:
    part(made, "httpListeners")["hostNames"] = ["other.example"]


def wildcard(made: Objects) -> None:
    part(made, "httpListeners")["hostNames"] = ["*.example"]


def empty_pool(made: Objects) -> None:
    part(made, "backendAddressPools")["backendAddresses"] = []


def stale_pool(made: Objects) -> None:
    part(made, "backendAddressPools")["backendAddresses"] = [{"ipAddress": "10.244.0.99"}]


def half_stale(made: Objects) -> None:
    part(made, "backendAddressPools")["backendAddresses"] = [{"ipAddress": "10.244.0.5"}, {"ipAddress": "10.244.0.99"}]


def unready(made: Objects) -> None:
    made["pod"]["status"]["conditions"][0]["status"] = "False"
    made["slice"]["endpoints"][0]["conditions"]["ready"] = False


def sick(made: Objects) -> None:
    """The capture has the gateway's own word on its servers."""
    servers = [{"address": "10.244.0.5", "health": "Unhealthy", "healthProbeLog": "Received invalid status code: 404"}]
    ident = made["agw"]["id"]
    made["agw"]["properties"]["backendHealth"] = [
        {
            "backendAddressPool": {"id": f"{ident}/backendAddressPools/pool-shop-web-443-bp-8443"},
            "backendHttpSettingsCollection": [
                {"backendHttpSettings": {"id": f"{ident}/backendHttpSettingsCollection/bp-web"}, "servers": servers}
            ],
        }
    ]


def redirected(made: Objects) -> None:
    ident = f"{made['agw']['id']}/redirectConfigurations/sslr"
    made["agw"]["properties"]["redirectConfigurations"] = [
        {
            "id": ident,
            "name": "sslr",
            "properties": {"redirectType": "Permanent", "targetUrl": "https://shop.example", "includePath": True},
        }
    ]
    found = part(made, "urlPathMaps")["pathRules"][0]["properties"]
    found["redirectConfiguration"] = {"id": ident}


def private_frontend(made: Objects) -> None:
    found = made["agw"]["properties"]["frontendIPConfigurations"][0]
    found["properties"] = {"privateIPAddress": "10.230.0.10", "subnet": {"id": f"{SUBNETS}/agw"}}
    del made["agw-pip"]
    made["ingress"]["status"]["loadBalancer"]["ingress"][0]["ip"] = "10.230.0.10"
    made["agw-nsg"]["properties"]["securityRules"][0]["properties"]["sourceAddressPrefix"] = "VirtualNetwork"


def other_network(made: Objects) -> None:
    """The gateway is in a network of its own, and nobody has peered it."""
    moved = made["vnet"]["properties"]["subnets"].pop()
    ident = f"{HUB}/virtualNetworks/hub"
    moved["id"] = f"{ident}/subnets/agw"
    moved["properties"]["addressPrefix"] = "10.100.1.0/24"
    made["hub"] = {
        "kind": "virtualNetworks",
        "id": ident,
        "name": "hub",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.100.0.0/16"]},
            "subnets": [moved],
            "virtualNetworkPeerings": [],
        },
    }
    part(made, "gatewayIPConfigurations")["subnet"]["id"] = moved["id"]
    made["subnet-nsg"] = group(
        "subnet-nsg",
        rule(name="any", sourceAddressPrefix="*", destinationAddressPrefix="*", destinationPortRange="*", priority=200),
    )
    made["aks-nsg"] = group(
        "aks-nsg",
        rule(name="any", sourceAddressPrefix="*", destinationAddressPrefix="*", destinationPortRange="*", priority=200),
    )
    made["agw-nsg"]["properties"]["securityRules"].append(
        rule(
            name="out",
            direction="Outbound",
            priority=120,
            sourceAddressPrefix="*",
            destinationAddressPrefix="*",
            destinationPortRange="*",
        )
    )


def kubenet(made: Objects) -> None:
    """Kubenet, with a route table on the nodes' subnet that the gateway's has not."""
    made["cluster"]["properties"]["networkProfile"].update(networkPlugin="kubenet", networkPluginMode="")
    table = f"{HUB}/routeTables/aks-routes"
    made["vnet"]["properties"]["subnets"][0]["properties"]["routeTable"] = {"id": table}
    made["routes"] = {
        "kind": "routeTables",
        "id": table,
        "name": "aks-routes",
        "properties": {
            "routes": [
                {
                    "id": f"{table}/routes/node-1",
                    "name": "node-1",
                    "properties": {
                        "addressPrefix": "10.244.0.0/24",
                        "nextHopType": "VirtualAppliance",
                        "nextHopIpAddress": "10.224.0.4",
                    },
                }
            ]
        },
    }


def unread_gateway(made: Objects) -> None:
    del made["agw"]


def policy_without_the_gateway(made: Objects) -> None:
    made["policy"] = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "clients", "namespace": "shop"},
        "spec": {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]},
    }


def policy_with_the_gateway(made: Objects) -> None:
    policy_without_the_gateway(made)
    made["policy"]["spec"]["ingress"][0]["from"][0]["ipBlock"]["cidr"] = "10.230.0.0/24"


def sent_to_an_appliance(made: Objects) -> None:
    table = f"{HUB}/routeTables/agw-routes"
    made["vnet"]["properties"]["subnets"][-1]["properties"]["routeTable"] = {"id": table}
    made["routes"] = {
        "kind": "routeTables",
        "id": table,
        "name": "agw-routes",
        "properties": {
            "routes": [
                {
                    "id": f"{table}/routes/all",
                    "name": "all",
                    "properties": {
                        "addressPrefix": "0.0.0.0/0",
                        "nextHopType": "VirtualAppliance",
                        "nextHopIpAddress": "10.224.250.4",
                    },
                }
            ]
        },
    }


def unmanaged(made: Objects) -> None:
    del made["agw-nsg"]["properties"]["securityRules"][1]
