"""Ways into a cluster, in ARM's and Kubernetes' wire form: a base that is delivered, and what each way adds to it.

The base is the small cluster of ``tests.unit.trace_edge.cloud``: two nodes, one Service of type LoadBalancer, one Pod.
"""

import copy
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from aksnav.model.change import Change
from aksnav.sources.capture import open_capture
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Outcome, Step, Trace, Verdict
from aksnav.trace.verdict import is_answer
from tests.unit.trace_edge import cloud
from tests.unit.trace_edge.cloud import PREFIX, RG, UID, group, rule
from tests.unit.trace_edge.world import ARM

Json = dict[str, Any]
Objects = dict[str, Json]
HUB = "/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network"
SUBNETS = f"{ARM}/virtualNetworks/vnet/subnets"
AGC = "/subscriptions/s/resourceGroups/mc/providers/Microsoft.ServiceNetworking/trafficControllers/alb"
ANNOTATION = "service.beta.kubernetes.io/"
ENDPOINT = "10.226.0.9"
GATEWAY = "20.50.2.9"
FQDN = "ab12cd34.fz56.alb.azure.com"


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


def app_gateway(made: Objects) -> None:
    """Put an Application Gateway that AGIC configured before the Pod, with an Ingress, on a public frontend."""
    ident = f"{HUB}/applicationGateways/agw"
    pool = "pool-shop-web-443-bp-8443"
    part = {
        name: f"{ident}/{kind}/{name}"
        for kind, name in (
            ("frontendIPConfigurations", "public"),
            ("frontendPorts", "fp-80"),
            ("httpListeners", "fl-shop"),
            ("backendAddressPools", pool),
            ("backendHttpSettingsCollection", "bp-web"),
            ("probes", "pb-web"),
            ("urlPathMaps", "url-shop"),
            ("requestRoutingRules", "rr-shop"),
        )
    }
    made["cluster"]["properties"]["addonProfiles"] = {
        "ingressApplicationGateway": {"enabled": True, "config": {"effectiveApplicationGatewayId": ident}}
    }
    subnet(
        made,
        "agw",
        "10.230.0.0/24",
        networkSecurityGroup={"id": f"{HUB}/networkSecurityGroups/agw-nsg"},
        ipConfigurations=[{"id": f"{ident}/gatewayIPConfigurations/g"}],
    )
    made["agw-nsg"] = {
        "kind": "networkSecurityGroups",
        "id": f"{HUB}/networkSecurityGroups/agw-nsg",
        "name": "agw-nsg",
        "properties": {
            "securityRules": [
                rule(name="clients", priority=100, destinationPortRange="80", destinationAddressPrefix="*"),
                rule(
                    name="manager",
                    priority=110,
                    sourceAddressPrefix="GatewayManager",
                    destinationPortRange="65200-65535",
                    destinationAddressPrefix="*",
                ),
            ]
        },
    }
    made["agw-pip"] = {
        "kind": "publicIPAddresses",
        "id": f"{HUB}/publicIPAddresses/agw-pip",
        "name": "agw-pip",
        "sku": {"name": "Standard"},
        "properties": {"ipAddress": GATEWAY, "ipConfiguration": {"id": part["public"]}},
    }
    made["agw"] = {
        "kind": "applicationGateways",
        "id": ident,
        "name": "agw",
        "location": "westeurope",
        "properties": {
            "provisioningState": "Succeeded",
            "operationalState": "Running",
            "sku": {"name": "Standard_v2", "tier": "Standard_v2", "capacity": 2},
            "gatewayIPConfigurations": [
                {
                    "id": f"{ident}/gatewayIPConfigurations/g",
                    "name": "g",
                    "properties": {"subnet": {"id": f"{SUBNETS}/agw"}},
                }
            ],
            "frontendIPConfigurations": [
                {
                    "id": part["public"],
                    "name": "public",
                    "properties": {"publicIPAddress": {"id": made["agw-pip"]["id"]}},
                }
            ],
            "frontendPorts": [{"id": part["fp-80"], "name": "fp-80", "properties": {"port": 80}}],
            "httpListeners": [
                {
                    "id": part["fl-shop"],
                    "name": "fl-shop",
                    "properties": {
                        "frontendIPConfiguration": {"id": part["public"]},
                        "frontendPort": {"id": part["fp-80"]},
                        "protocol": "Http",
                        "hostNames": ["shop.example"],
                    },
                }
            ],
            "backendAddressPools": [
                {"id": part[pool], "name": pool, "properties": {"backendAddresses": [{"ipAddress": "10.244.0.5"}]}}
            ],
            "backendHttpSettingsCollection": [
                {
                    "id": part["bp-web"],
                    "name": "bp-web",
                    "properties": {
                        "port": 8443, "protocol": "Http", "requestTimeout": 30, "probe": {"id": part["pb-web"]},
                    },
                }
            ],
            "probes": [
                {
                    "id": part["pb-web"],
                    "name": "pb-web",
                    "properties": {
                        "protocol": "Http", "host": "localhost", "path": "/ready", "interval": 30, "timeout": 30,
                        "unhealthyThreshold": 3, "match": {"statusCodes": ["200-399"]},
                    },
                }
            ],
            "urlPathMaps": [
                {
                    "id": part["url-shop"],
                    "name": "url-shop",
                    "properties": {
                        "defaultBackendAddressPool": {"id": part[pool]},
                        "defaultBackendHttpSettings": {"id": part["bp-web"]},
                        "pathRules": [
                            {
                                "id": f"{part['url-shop']}/pathRules/pr-api",
                                "name": "pr-api",
                                "properties": {
                                    "paths": ["/api*"],
                                    "backendAddressPool": {"id": part[pool]},
                                    "backendHttpSettings": {"id": part["bp-web"]},
                                },
                            }
                        ],
                    },
                }
            ],
            "requestRoutingRules": [
                {
                    "id": part["rr-shop"],
                    "name": "rr-shop",
                    "properties": {
                        "ruleType": "PathBasedRouting",
                        "priority": 100,
                        "httpListener": {"id": part["fl-shop"]},
                        "urlPathMap": {"id": part["url-shop"]},
                    },
                }
            ],
        },
    }  # fmt: skip
    made["pod"]["spec"]["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/ready", "port": 8443}}
    open_inside(made)
    made["class"] = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "azure-application-gateway"},
        "spec": {"controller": "azure/application-gateway"},
    }
    backend = {"service": {"name": "web", "port": {"number": 443}}}
    made["ingress"] = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "shop", "namespace": "shop"},
        "spec": {
            "ingressClassName": "azure-application-gateway",
            "rules": [
                {
                    "host": "shop.example",
                    "http": {"paths": [{"path": "/api", "pathType": "Prefix", "backend": backend}]},
                }
            ],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": GATEWAY}]}},
    }


def containers(made: Objects) -> None:
    """Put Application Gateway for Containers before the Pod, with a Gateway and a route."""
    delegation = [{"name": "d", "properties": {"serviceName": "Microsoft.ServiceNetworking/trafficControllers"}}]
    subnet(made, "alb", "10.231.0.0/24", delegations=delegation)
    made["agc-frontend"] = {
        "kind": "trafficControllerFrontends",
        "id": f"{AGC}/frontends/fe-1",
        "name": "fe-1",
        "type": "Microsoft.ServiceNetworking/trafficControllers/frontends",
        "location": "westeurope",
        "properties": {"fqdn": FQDN, "provisioningState": "Succeeded"},
    }
    made["agc-association"] = {
        "kind": "trafficControllerAssociations",
        "id": f"{AGC}/associations/as-1",
        "name": "as-1",
        "type": "Microsoft.ServiceNetworking/trafficControllers/associations",
        "location": "westeurope",
        "properties": {
            "associationType": "subnets", "subnet": {"id": f"{SUBNETS}/alb"}, "provisioningState": "Succeeded",
        },
    }  # fmt: skip
    open_inside(made)
    yes = [
        {"type": name, "status": "True", "reason": name, "observedGeneration": 1} for name in ("Accepted", "Programmed")
    ]
    api = "gateway.networking.k8s.io/v1"
    made["gateway-class"] = {
        "apiVersion": api,
        "kind": "GatewayClass",
        "metadata": {"name": "azure-alb-external", "generation": 1},
        "spec": {"controllerName": "alb.networking.azure.io/alb-controller"},
        "status": {"conditions": yes[:1]},
    }
    made["gateway"] = {
        "apiVersion": api,
        "kind": "Gateway",
        "metadata": {"name": "edge", "namespace": "shop", "generation": 1},
        "spec": {
            "gatewayClassName": "azure-alb-external",
            "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
        },
        "status": {
            "addresses": [{"type": "Hostname", "value": FQDN}],
            "conditions": yes,
            "listeners": [
                {
                    "name": "http",
                    "attachedRoutes": 1,
                    "supportedKinds": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}],
                    "conditions": [
                        *yes,
                        {"type": "ResolvedRefs", "status": "True", "reason": "ResolvedRefs", "observedGeneration": 1},
                    ],
                }
            ],
        },
    }
    parent = {"name": "edge", "group": "gateway.networking.k8s.io", "kind": "Gateway"}
    made["route"] = {
        "apiVersion": api,
        "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": "shop", "generation": 1},
        "spec": {
            "parentRefs": [parent],
            "hostnames": ["shop.example"],
            "rules": [{"backendRefs": [{"name": "web", "port": 443}]}],
        },
        "status": {
            "parents": [
                {
                    "parentRef": parent,
                    "controllerName": "alb.networking.azure.io/alb-controller",
                    "conditions": [
                        {"type": name, "status": "True", "reason": name, "observedGeneration": 1}
                        for name in ("Accepted", "ResolvedRefs")
                    ],
                }
            ]
        },
    }


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


KUBERNETES = {"Service", "EndpointSlice", "Pod", "Node", "Namespace", "Ingress", "IngressClass"}
EMPTY = ("networkpolicies", "events", "ingresses", "ingressclasses", "pods")


def written(folder: Path, made: Objects) -> Path:
    """Write the objects as kubectl and az print them, and return the folder."""
    for index, wire in enumerate(made.values()):
        document = dict(wire)
        kind = document["kind"]
        if kind[0].islower():
            del document["kind"]
        else:
            document.setdefault("apiVersion", "discovery.k8s.io/v1" if kind == "EndpointSlice" else "v1")
        (folder / f"{index:02}.json").write_text(json.dumps(document))
    for kind in EMPTY:
        (folder / f"{kind}.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": []}))
    for kind in ("az-network-route-table-list", "az-network-nat-gateway-list"):
        (folder / f"{kind}.json").write_text("[]")
    return folder


def read(folder: Path, made: Objects) -> Store:
    """Return the store of a capture with these objects."""
    store = Store()
    apply(store, open_capture(written(folder, made)).changes())
    return store


def apply(store: Store, changes: Iterable[Change]) -> None:
    """Apply changes to a store."""
    for change in changes:
        store.apply(change)


class Way(msgspec.Struct, kw_only=True, gc=False):
    """A way in and what comes of it.

    Attributes:
        name: for the test's own name.
        bend: what is done to the base, in order.
        to, source: the request.
        outcome, status: what becomes of it.
        steps: the kinds of its steps, along the first branch, up to the one that ends it; () is not looked at.
        causes: check ids of the trace.
        field, value: the deciding field, and a part of its value.
        resolve: an address in place of DNS.
    """

    name: str
    bend: tuple[Callable[[Objects], None], ...] = ()
    to: str = "https://20.50.1.7"
    source: str = "internet"
    outcome: Outcome = Outcome.DELIVERED
    status: int = 0
    steps: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    field: str = ""
    value: str = ""
    resolve: str = ""


LB = ("az.lb.frontend", "az.lb.rule", "az.lb.probe", "az.lb.backendpool")
POD = ("k8s.policy", "k8s.pod.port", "deliver")
NODE = ("node.nodeport", "k8s.service.port", "k8s.endpoint", "nat.dnat", "nat.snat", *POD)
FILTERED = ("az.nsg", "az.nsg")


def road(steps: tuple[Step, ...]) -> list[Step]:
    """Return the steps along the first branch that ends the request, or else the first, up to the step that ends it."""
    out: list[Step] = []
    for step in steps:
        if step.verdict is Verdict.NOT_REACHED:
            break
        out.append(step)
        if step.branches:
            out += road(step.branches[0].steps)
    return out


def walked(folder: Path, way: Way) -> Trace:
    """Return the trace of a way in, out of a capture that is written for it."""
    made = base()
    for change in way.bend:
        change(made)
    return trace(read(folder, made), parse_request(way.to, source=way.source, resolve=way.resolve))


def checked(folder: Path, way: Way) -> Trace:
    """Return the trace of a way in, after its verdict, steps, causes and deciding field were looked at."""
    found = walked(folder, way)
    told = [(step.kind.value, step.verdict.value, step.summary) for step in road(found.steps)]
    assert (found.outcome, found.status) == (way.outcome, way.status), told
    if way.steps:
        assert tuple(kind for kind, _, _ in told) == way.steps
    assert found.causes == way.causes, told
    if way.field:
        facts = [fact for step in road(found.steps) for fact in step.evidence if way.field in fact.field]
        assert any(way.value in fact.value for fact in facts), facts
    for step in road(found.steps):
        if step.verdict in {Verdict.DROP, Verdict.REJECT, Verdict.RESPOND} and not is_answer(step):
            assert step.evidence, step.summary
            assert step.confirm, step.summary
            assert step.fix, step.summary
        if step.verdict in {Verdict.BLIND, Verdict.UNSUPPORTED}:
            assert step.missing, step.summary
    return found
