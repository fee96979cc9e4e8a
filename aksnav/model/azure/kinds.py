"""The kinds of Azure Resource Manager that aksnav knows."""

from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.azure.dns import PrivateDnsZone, RecordSet, ZoneLink
from aksnav.model.azure.edge import (
    ApplicationGateway,
    PrivateEndpoint,
    PrivateLinkService,
    TrafficControllerAssociation,
    TrafficControllerFrontend,
)
from aksnav.model.azure.network import (
    LoadBalancer,
    NatGateway,
    NetworkInterface,
    NetworkSecurityGroup,
    PublicIPAddress,
    RouteTable,
    VirtualNetwork,
)
from aksnav.model.kind import Kind

_NETWORK = "Microsoft.Network"
_SERVICE_NETWORKING = "Microsoft.ServiceNetworking"

AZURE_KINDS: tuple[Kind, ...] = (
    Kind(
        name="managedClusters",
        struct=ManagedCluster,
        plural="managedClusters",
        group="Microsoft.ContainerService",
        aliases=("aks",),
    ),
    Kind(name="virtualNetworks", struct=VirtualNetwork, plural="virtualNetworks", group=_NETWORK, aliases=("vnet",)),
    Kind(
        name="networkSecurityGroups",
        struct=NetworkSecurityGroup,
        plural="networkSecurityGroups",
        group=_NETWORK,
        aliases=("nsg",),
    ),
    Kind(name="routeTables", struct=RouteTable, plural="routeTables", group=_NETWORK, aliases=("rt",)),
    Kind(name="loadBalancers", struct=LoadBalancer, plural="loadBalancers", group=_NETWORK, aliases=("lb",)),
    Kind(
        name="publicIPAddresses",
        struct=PublicIPAddress,
        plural="publicIPAddresses",
        group=_NETWORK,
        aliases=("pip",),
    ),
    Kind(
        name="networkInterfaces",
        struct=NetworkInterface,
        plural="networkInterfaces",
        group=_NETWORK,
        aliases=("nic",),
    ),
    Kind(name="natGateways", struct=NatGateway, plural="natGateways", group=_NETWORK, aliases=("nat",)),
    Kind(
        name="privateLinkServices",
        struct=PrivateLinkService,
        plural="privateLinkServices",
        group=_NETWORK,
        optional=True,
        aliases=("pls",),
    ),
    Kind(
        name="privateEndpoints",
        struct=PrivateEndpoint,
        plural="privateEndpoints",
        group=_NETWORK,
        optional=True,
        aliases=("pe",),
    ),
    Kind(
        name="applicationGateways",
        struct=ApplicationGateway,
        plural="applicationGateways",
        group=_NETWORK,
        optional=True,
        aliases=("appgw", "agw"),
    ),
    Kind(
        name="trafficControllerFrontends",
        struct=TrafficControllerFrontend,
        plural="trafficControllers/frontends",
        group=_SERVICE_NETWORKING,
        optional=True,
        aliases=("agc",),
    ),
    Kind(
        name="trafficControllerAssociations",
        struct=TrafficControllerAssociation,
        plural="trafficControllers/associations",
        group=_SERVICE_NETWORKING,
        optional=True,
    ),
    Kind(
        name="privateDnsZones",
        struct=PrivateDnsZone,
        plural="privateDnsZones",
        group=_NETWORK,
        optional=True,
        aliases=("zone",),
    ),
    Kind(
        name="privateDnsZoneLinks",
        struct=ZoneLink,
        plural="privateDnsZones/virtualNetworkLinks",
        group=_NETWORK,
        optional=True,
        aliases=("zonelink",),
    ),
    Kind(
        name="privateDnsRecordSets",
        struct=RecordSet,
        plural="privateDnsZones/ALL",
        group=_NETWORK,
        optional=True,
        aliases=("record",),
    ),
)
