"""What an Application Gateway, and the one for Containers, add to the small cluster, in ARM's wire form."""

from tests.azure.cluster_objects import HUB, SUBNETS, Objects, open_inside, subnet
from tests.unit.trace_edge.cloud import rule

AGC = "/subscriptions/s/resourceGroups/mc/providers/Microsoft.ServiceNetworking/trafficControllers/alb"
GATEWAY = "20.50.2.9"
FQDN = "ab12cd34.fz56.alb.azure.com"


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
