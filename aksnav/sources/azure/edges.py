"""What stands in front of some clusters, read only where something points to it.

Application Gateways and private endpoints are named by the cluster, by interfaces and subnets; private link services
and public addresses in other groups by annotations of Services; Application Gateway for Containers by the delegation of
a subnet or by an annotation of a Gateway. A cluster to which nothing of it applies costs no call.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.azure.edge import ApplicationGateway, PrivateLinkService, TrafficControllerAssociation
from aksnav.model.azure.network import NetworkInterface, Subnet, SubResource, VirtualNetwork
from aksnav.model.kubernetes.gateway import Gateway
from aksnav.model.kubernetes.service import Service

EDGE_OPERATIONS = {
    "privateLinkServices": "private_link_services",
    "privateEndpoints": "private_endpoints",
    "applicationGateways": "application_gateways",
}
CONTROLLERS = "Microsoft.ServiceNetworking/trafficControllers"
CONTROLLERS_VERSION = "2025-01-01"
CONTROLLER_PARTS = {"trafficControllerFrontends": "frontends", "trafficControllerAssociations": "associations"}
EDGE_KINDS = (*EDGE_OPERATIONS, *CONTROLLER_PARTS)
POINTED_BY = {
    "privateLinkServices": frozenset({"networkInterfaces"}),
    "privateEndpoints": frozenset({"networkInterfaces", "privateLinkServices"}),
    "applicationGateways": frozenset({"managedClusters", "virtualNetworks"}),
    "trafficControllerFrontends": frozenset({"virtualNetworks"}),
    "trafficControllerAssociations": frozenset({"virtualNetworks"}),
}
"""The Azure kinds that name such a resource: where they cannot be read, nobody knows whether there is one."""
EDGE_NEEDED = (
    *(f"Microsoft.Network/{kind}/read" for kind in EDGE_OPERATIONS),
    f"{CONTROLLERS}/read",
    *(f"{CONTROLLERS}/{part}/read" for part in CONTROLLER_PARTS.values()),
)
"""Actions that are needed where something points to such a resource, and only there."""
_ANNOTATION = "service.beta.kubernetes.io/"
_ALB_ID = "alb.networking.azure.io/alb-id"
_AGIC = "ingressapplicationgateway"
_GATEWAY = "/applicationgateways/"


class Pointers(msgspec.Struct, frozen=True, gc=False):
    """What objects of the cluster point to.

    Attributes:
        address_groups: names of the resource groups in which Services have their public addresses.
        link_groups: those of private link services; an empty name is the group of the nodes.
        controllers: ids of Application Gateways for Containers.
    """

    address_groups: frozenset[str] = frozenset()
    link_groups: frozenset[str] = frozenset()
    controllers: frozenset[str] = frozenset()

    def __or__(self, other: "Pointers") -> "Pointers":
        """Return what either of them points to."""
        return Pointers(
            self.address_groups | other.address_groups,
            self.link_groups | other.link_groups,
            self.controllers | other.controllers,
        )


def pointers_of(item: object) -> Pointers:
    """Return what a Service or a Gateway points to."""
    if isinstance(item, Gateway):
        named = item.annotations.get(_ALB_ID, "").strip().lower()
        return Pointers(controllers=frozenset({named} if named else ()))
    if not isinstance(item, Service) or item.type != "LoadBalancer" or not item.annotations:
        return Pointers()
    said = {key.removeprefix(_ANNOTATION): value.strip() for key, value in item.annotations.items()}
    addresses = said.get("azure-load-balancer-resource-group", "").lower()
    linked = said.get("azure-pls-create", "").lower() == "true"
    return Pointers(
        address_groups=frozenset({addresses} if addresses else ()),
        link_groups=frozenset({said.get("azure-pls-resource-group", "").lower()} if linked else ()),
    )


def gateways(cluster: ManagedCluster | None, subnets: Iterable[Subnet]) -> set[str]:
    """Return the ids of the Application Gateways that the cluster's add-on or a subnet of its networks names."""
    found: set[str] = set()
    for name, profile in (cluster.addon_profiles if cluster is not None else {}).items():
        if name.lower() != _AGIC or not isinstance(profile, dict) or profile.get("enabled") is False:
            continue
        config = profile.get("config")
        config = config if isinstance(config, dict) else {}
        found |= {
            str(config.get(key) or "").lower() for key in ("effectiveApplicationGatewayId", "applicationGatewayId")
        }
    for subnet in subnets:
        for item in subnet.ip_configurations or ():
            head, marker, rest = item.id.partition(_GATEWAY)
            if marker:
                found.add(f"{head}{marker}{rest.partition('/')[0]}")
    return {ident for ident in found if _GATEWAY in ident}


def delegated(networks: Iterable[VirtualNetwork]) -> bool:
    """Return whether a subnet is delegated to Application Gateway for Containers."""
    listed = (item for network in networks for subnet in network.subnets for item in subnet.delegations)
    return any(item.service_name.lower() == CONTROLLERS.lower() for item in listed)


def links(interfaces: Iterable[NetworkInterface]) -> list[SubResource]:
    """Return the private link services that have an interface among those of the nodes' group."""
    return [item.private_link_service for item in interfaces if item.private_link_service is not None]


def endpoints(interfaces: Iterable[NetworkInterface], services: Iterable[PrivateLinkService]) -> list[SubResource]:
    """Return the private endpoints that an interface, or a private link service, names."""
    found = [item.private_endpoint for item in interfaces if item.private_endpoint is not None]
    return found + [item.private_endpoint for service in services for item in service.private_endpoint_connections]


def subnets_of(gateways_read: Iterable[ApplicationGateway], parts: Iterable[TrafficControllerAssociation]) -> set[str]:
    """Return the ids of the subnets from which gateways connect to Pods: their groups and routes decide as well."""
    found = {
        item.subnet.id for gate in gateways_read for item in gate.gateway_ip_configurations if item.subnet is not None
    }
    return found | {item.subnet.id for item in parts if item.subnet is not None}


def values(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the objects of a page of a list."""
    listed = body.get("value")
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def single(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the object that a body without a list is, or nothing where it is none."""
    return [body] if body.get("id") else []
