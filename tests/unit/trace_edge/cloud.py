"""A small AKS cluster with its Azure side, in wire form, to be bent by tests."""

import copy
from collections.abc import Callable
from typing import Any

from tests.unit.trace_edge.world import ARM, Json, cluster, daemon, namespace, node, pod

UID = "11111111-2222-3333-4444-555555555555"
PREFIX = f"a{UID.replace('-', '')}"[:32]
PUBLIC = "20.50.1.7"
RG = "/subscriptions/s/resourceGroups/mc/providers"
NSG = f"{RG}/Microsoft.Network/networkSecurityGroups"


def service(**spec: Any) -> Json:
    """Return a public LoadBalancer Service with one port, 443 to https."""
    return {
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop", "uid": UID, "annotations": spec.pop("annotations", {})},
        "spec": {
            "type": "LoadBalancer",
            "clusterIP": "10.0.0.9",
            "selector": {"app": "web"},
            "externalTrafficPolicy": "Cluster",
            "ports": [{"port": 443, "targetPort": 8443, "nodePort": 31443, "protocol": "TCP"}],
            **spec,
        },
        "status": {"loadBalancer": {"ingress": [{"ip": PUBLIC}]}},
    }


def endpoints(*ready: str) -> Json:
    """Return the Service's slice with a ready endpoint on each of the nodes."""
    listed = [
        {
            "addresses": [f"10.244.{number}.5"],
            "nodeName": name,
            "conditions": {"ready": True},
            "targetRef": {"kind": "Pod", "namespace": "shop", "name": f"web-{number + 1}"},
        }
        for number, name in enumerate(ready)
    ]
    meta = {"name": "web-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}}
    return {
        "kind": "EndpointSlice",
        "metadata": meta,
        "addressType": "IPv4",
        "endpoints": listed,
        "ports": [{"port": 8443}],
    }


def rule(**change: Any) -> Json:
    """Return a security rule: any source to the frontend's port, allowed."""
    full = {
        "priority": 500, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourcePortRange": "*",
        "destinationPortRange": "443", "sourceAddressPrefix": "Internet", "destinationAddressPrefix": PUBLIC, **change,
    }  # fmt: skip
    return {"name": full.pop("name", "k8s-azure-lb_allow_IPv4_1"), "properties": full}


def group(name: str, *rules: Json) -> Json:
    """Return a network security group."""
    return {
        "kind": "networkSecurityGroups",
        "id": f"{NSG}/{name}",
        "name": name,
        "properties": {"securityRules": list(rules)},
    }


def interface(name: str, ip: str) -> Json:
    """Return a node's network interface."""
    ident = f"{RG}/Microsoft.Network/networkInterfaces/{name}-nic"
    return {
        "kind": "networkInterfaces",
        "id": ident,
        "name": f"{name}-nic",
        "properties": {
            "networkSecurityGroup": {"id": f"{NSG}/aks-nsg"},
            "virtualMachine": {"id": f"{RG}/Microsoft.Compute/vm/{name}"},
            "ipConfigurations": [
                {
                    "id": f"{ident}/ipConfigurations/ipconfig1",
                    "name": "ipconfig1",
                    "properties": {
                        "privateIPAddress": ip,
                        "primary": True,
                        "subnet": {"id": f"{ARM}/virtualNetworks/vnet/subnets/nodes"},
                    },
                }
            ],
        },
    }


def network() -> Json:
    """Return the virtual network with the node subnet."""
    ident = f"{ARM}/virtualNetworks/vnet"
    subnet = {
        "id": f"{ident}/subnets/nodes",
        "name": "nodes",
        "properties": {"addressPrefix": "10.224.0.0/16", "networkSecurityGroup": {"id": f"{NSG}/subnet-nsg"}},
    }
    return {
        "kind": "virtualNetworks",
        "id": ident,
        "name": "vnet",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.224.0.0/12"]},
            "subnets": [subnet],
            "virtualNetworkPeerings": [],
        },
    }


def balancer() -> Json:
    """Return the public load balancer with one frontend, rule, probe and pool."""
    ident = f"{RG}/Microsoft.Network/loadBalancers/kubernetes"
    front, pool, probe = (
        f"{ident}/frontendIPConfigurations/{PREFIX}",
        f"{ident}/backendAddressPools/kubernetes",
        f"{ident}/probes/{PREFIX}-TCP-443",
    )
    members = [
        {"id": f"{RG}/Microsoft.Network/networkInterfaces/{name}-nic/ipConfigurations/ipconfig1"}
        for name in ("node-1", "node-2")
    ]
    return {
        "kind": "loadBalancers",
        "id": ident,
        "name": "kubernetes",
        "sku": {"name": "Standard"},
        "properties": {
            "frontendIPConfigurations": [
                {
                    "id": front,
                    "name": PREFIX,
                    "properties": {"publicIPAddress": {"id": f"{RG}/Microsoft.Network/publicIPAddresses/pip"}},
                }
            ],
            "loadBalancingRules": [
                {
                    "id": f"{ident}/loadBalancingRules/{PREFIX}-TCP-443",
                    "name": f"{PREFIX}-TCP-443",
                    "properties": {
                        "frontendIPConfiguration": {"id": front},
                        "backendAddressPool": {"id": pool},
                        "probe": {"id": probe},
                        "protocol": "Tcp",
                        "frontendPort": 443,
                        "backendPort": 443,
                        "enableFloatingIP": True,
                    },
                }
            ],
            "probes": [
                {"id": probe, "name": f"{PREFIX}-TCP-443", "properties": {"protocol": "Tcp", "port": 31443}},
            ],
            "backendAddressPools": [
                {"id": pool, "name": "kubernetes", "properties": {"backendIPConfigurations": members}}
            ],
        },
    }


def public_ip() -> Json:
    """Return the public address of the frontend."""
    front = f"{RG}/Microsoft.Network/loadBalancers/kubernetes/frontendIPConfigurations/{PREFIX}"
    return {
        "kind": "publicIPAddresses",
        "id": f"{RG}/Microsoft.Network/publicIPAddresses/pip",
        "name": "pip",
        "sku": {"name": "Standard"},
        "properties": {"ipAddress": PUBLIC, "ipConfiguration": {"id": front}},
    }


def objects() -> dict[str, Json]:
    """Return the objects of a cluster in which https://20.50.1.7 is delivered, by short names."""
    return {
        "cluster": cluster(networkPolicy="azure", networkPluginMode="overlay", podCidr="10.244.0.0/16"),
        "system": daemon("kube-system/azure-npm"),
        "namespace": namespace("shop"),
        "node-1": node("node-1", "10.224.0.4"),
        "node-2": node("node-2", "10.224.0.5"),
        "pod": pod("shop/web-1", "10.244.0.5", {"app": "web"}, "node-1"),
        "service": service(),
        "slice": endpoints("node-1"),
        "nic-1": interface("node-1", "10.224.0.4"),
        "nic-2": interface("node-2", "10.224.0.5"),
        "vnet": network(),
        "subnet-nsg": group("subnet-nsg", rule(name="allow-web", priority=200)),
        "aks-nsg": group("aks-nsg", rule()),
        "lb": balancer(),
        "pip": public_ip(),
    }


def bent(change: Callable[[dict[str, Json]], None]) -> list[Json]:
    """Return the objects after a change."""
    made = copy.deepcopy(objects())
    change(made)
    return list(made.values())
