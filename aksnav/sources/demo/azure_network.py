"""Virtual networks, the subnet's security group, routes, interfaces and the managed cluster, as ARM sends them."""

from aksnav.sources.demo.nodes import INSTANCES, VERSION, Instance
from aksnav.sources.demo.policies import HUB_RANGE, ONPREM_RANGE
from aksnav.sources.demo.services import DNS_IP, GATEWAY_IP, MQTT_IP, NGINX_IP
from aksnav.sources.demo.world import CLUSTER, GROUP, HUB_GROUP, NODE_GROUP, REGION, Json, World, arm_id, uid

_NETWORK = "Microsoft.Network"
FIREWALL = "10.100.0.4"
VNET = arm_id(GROUP, f"{_NETWORK}/virtualNetworks/vnet-contoso-prod")
HUB = arm_id(HUB_GROUP, f"{_NETWORK}/virtualNetworks/vnet-contoso-hub")
NODE_SUBNET = f"{VNET}/subnets/snet-nodes"
SUBNET_GROUP = arm_id(GROUP, f"{_NETWORK}/networkSecurityGroups/nsg-contoso-nodes")
ROUTES = arm_id(GROUP, f"{_NETWORK}/routeTables/rt-contoso-nodes")
NIC_GROUP = arm_id(NODE_GROUP, f"{_NETWORK}/networkSecurityGroups/aks-agentpool-31745081-nsg")
MANAGED_CLUSTER = arm_id(GROUP, f"Microsoft.ContainerService/managedClusters/{CLUSTER}")
NODE_SUBNET_LIMIT = 59


def resource(
    ident: str, kind: str, properties: Json, *, location: str = REGION, **rest: Json | str | list[str]
) -> Json:
    """Return an ARM resource in wire form."""
    return {
        "id": ident,
        "name": ident.rpartition("/")[2],
        "type": kind,
        "location": location,
        "etag": f'W/"{uid("etag", ident)}"',
        "properties": {"provisioningState": "Succeeded", **properties},
        **rest,
    }


def child(parent: str, collection: str, name: str, properties: Json) -> Json:
    """Return a resource inside another one."""
    ident = f"{parent}/{collection}/{name}"
    return {
        "id": ident,
        "name": name,
        "etag": f'W/"{uid("etag", ident)}"',
        "properties": {"provisioningState": "Succeeded", **properties},
    }


def build(world: World) -> None:
    """Add everything of Azure that does not follow from Services."""
    world.put("managedClusters", _cluster())
    world.put("virtualNetworks", _vnet())
    world.put("virtualNetworks", _hub())
    world.put("networkSecurityGroups", _subnet_group())
    world.put("networkSecurityGroups", security_group(NIC_GROUP, [], nics=[nic_id(item) for item in INSTANCES]))
    world.put(
        "routeTables",
        resource(
            ROUTES,
            f"{_NETWORK}/routeTables",
            {
                "disableBgpRoutePropagation": False,
                "routes": [route("to-onprem", ONPREM_RANGE, "VirtualAppliance", FIREWALL)],
                "subnets": [{"id": NODE_SUBNET}],
            },
        ),
    )
    for instance in INSTANCES:
        world.put("networkInterfaces", _nic(instance))


def route(name: str, prefix: str, hop: str, address: str = "") -> Json:
    """Return a user-defined route of the node subnet's table."""
    properties = {"addressPrefix": prefix, "nextHopType": hop, "hasBgpOverride": False}
    return child(ROUTES, "routes", name, properties | ({"nextHopIpAddress": address} if address else {}))


def nic_id(instance: Instance) -> str:
    """Return the id of an instance's interface, in the form that Azure gives to those of scale sets."""
    return arm_id(
        NODE_GROUP,
        f"Microsoft.Compute/virtualMachineScaleSets/{instance.scale_set}/virtualMachines/{instance.number}"
        f"/networkInterfaces/{instance.scale_set}",
    )


def ip_config_id(instance: Instance) -> str:
    """Return the id of the address of an instance's interface."""
    return f"{nic_id(instance)}/ipConfigurations/ipconfig1"


def _nic(instance: Instance) -> Json:
    ident = nic_id(instance)
    config = child(
        ident,
        "ipConfigurations",
        "ipconfig1",
        {
            "privateIPAddress": instance.ip,
            "privateIPAddressVersion": "IPv4",
            "privateIPAllocationMethod": "Dynamic",
            "primary": True,
            "subnet": {"id": NODE_SUBNET},
            "loadBalancerBackendAddressPools": [],
        },
    )
    properties = {
        "primary": True,
        "enableIPForwarding": True,
        "enableAcceleratedNetworking": True,
        "networkSecurityGroup": {"id": NIC_GROUP},
        "virtualMachine": {"id": ident.partition("/networkInterfaces")[0]},
        "ipConfigurations": [config],
    }
    return resource(ident, f"{_NETWORK}/networkInterfaces", properties)


def security_group(
    ident: str, rules: list[Json], *, subnets: tuple[str, ...] = (), nics: list[str] | None = None
) -> Json:
    """Return a network security group with its default rules."""
    defaults = [
        rule(ident, name, priority, direction, access, source, destination, collection="defaultSecurityRules")
        for name, priority, direction, access, source, destination in _DEFAULTS
    ]
    return resource(
        ident,
        f"{_NETWORK}/networkSecurityGroups",
        {
            "securityRules": rules,
            "defaultSecurityRules": defaults,
            "subnets": [{"id": subnet} for subnet in subnets],
            "networkInterfaces": [{"id": nic} for nic in nics or ()],
        },
    )


_DEFAULTS = (
    ("AllowVnetInBound", 65000, "Inbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowAzureLoadBalancerInBound", 65001, "Inbound", "Allow", "AzureLoadBalancer", "*"),
    ("DenyAllInBound", 65500, "Inbound", "Deny", "*", "*"),
    ("AllowVnetOutBound", 65000, "Outbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowInternetOutBound", 65001, "Outbound", "Allow", "*", "Internet"),
    ("DenyAllOutBound", 65500, "Outbound", "Deny", "*", "*"),
)


def rule(  # noqa: PLR0913 - the fields of a rule
    group: str,
    name: str,
    priority: int,
    direction: str,
    access: str,
    source: str,
    destination: str | list[str],
    *,
    protocol: str = "*",
    ports: list[str] | None = None,
    collection: str = "securityRules",
) -> Json:
    """Return a security rule; a list of destinations or ports goes to the plural field, as Azure has it."""
    several = {"destinationAddressPrefix": destination} if isinstance(destination, str) else {}
    listed = {"destinationAddressPrefixes": destination} if isinstance(destination, list) else {}
    wanted = {"destinationPortRanges": ports} if ports else {"destinationPortRange": "*"}
    return child(
        group,
        collection,
        name,
        {
            "priority": priority,
            "direction": direction,
            "access": access,
            "protocol": protocol,
            "sourceAddressPrefix": source,
            "sourcePortRange": "*",
            **several,
            **listed,
            **wanted,
        },
    )


def _subnet_group() -> Json:
    rules = [
        rule(SUBNET_GROUP, name, priority, "Inbound", "Allow", "Internet", frontends, protocol="Tcp", ports=ports)
        for name, priority, frontends, ports in (
            ("allow-web", 100, [NGINX_IP, GATEWAY_IP], ["80", "443"]),
            ("allow-status", 105, [GATEWAY_IP], ["15021"]),
            ("allow-mqtt", 110, [MQTT_IP], ["8883"]),
        )
    ]
    rules.append(
        rule(SUBNET_GROUP, "deny-smb", 200, "Outbound", "Deny", "*", "Internet", protocol="Tcp", ports=["445"])
    )
    return security_group(SUBNET_GROUP, rules, subnets=(NODE_SUBNET,))


def _vnet() -> Json:
    nodes = child(
        VNET,
        "subnets",
        "snet-nodes",
        {
            "addressPrefix": "10.224.0.0/26",
            "networkSecurityGroup": {"id": SUBNET_GROUP},
            "routeTable": {"id": ROUTES},
            "ipConfigurations": [{"id": ip_config_id(item)} for item in INSTANCES],
            "privateEndpointNetworkPolicies": "Disabled",
            "privateLinkServiceNetworkPolicies": "Disabled",
            "defaultOutboundAccess": False,
        },
    )
    endpoints = child(
        VNET,
        "subnets",
        "snet-endpoints",
        {
            "addressPrefix": "10.224.1.0/27",
            "ipConfigurations": [],
            "privateEndpointNetworkPolicies": "Disabled",
            "privateLinkServiceNetworkPolicies": "Enabled",
            "defaultOutboundAccess": False,
        },
    )
    properties = {
        "addressSpace": {"addressPrefixes": ["10.224.0.0/16"]},
        "subnets": [nodes, endpoints],
        "virtualNetworkPeerings": [peering(VNET, HUB, "to-hub", HUB_RANGE)],
        "effectiveSecurityAdminRules": [],
        "usages": [
            _usage(NODE_SUBNET, len(INSTANCES), NODE_SUBNET_LIMIT),
            _usage(f"{VNET}/subnets/snet-endpoints", 4, 27),
        ],
    }
    return resource(VNET, f"{_NETWORK}/virtualNetworks", properties)


def _hub() -> Json:
    firewall = arm_id(HUB_GROUP, f"{_NETWORK}/azureFirewalls/afw-contoso-hub/azureFirewallIpConfigurations/ipconfig")
    subnets = [
        child(HUB, "subnets", name, {"addressPrefix": prefix, "defaultOutboundAccess": False, "ipConfigurations": used})
        for name, prefix, used in (
            ("AzureFirewallSubnet", "10.100.0.0/26", [{"id": firewall}]),
            ("snet-jump", "10.100.1.0/24", []),
        )
    ]
    properties = {
        "addressSpace": {"addressPrefixes": [HUB_RANGE]},
        "subnets": subnets,
        "virtualNetworkPeerings": [peering(HUB, VNET, "to-prod", "10.224.0.0/16")],
        "effectiveSecurityAdminRules": [],
        "usages": [_usage(f"{HUB}/subnets/AzureFirewallSubnet", 2, 59), _usage(f"{HUB}/subnets/snet-jump", 3, 251)],
    }
    return resource(HUB, f"{_NETWORK}/virtualNetworks", properties)


def peering(owner: str, remote: str, name: str, space: str) -> Json:
    """Return a peering that is in order, as the owner's side sees it."""
    return child(
        owner,
        "virtualNetworkPeerings",
        name,
        {
            "remoteVirtualNetwork": {"id": remote},
            "peeringState": "Connected",
            "peeringSyncLevel": "FullyInSync",
            "allowVirtualNetworkAccess": True,
            "allowForwardedTraffic": True,
            "allowGatewayTransit": False,
            "useRemoteGateways": False,
            "peerCompleteVnets": True,
            "remoteAddressSpace": {"addressPrefixes": [space]},
            "remoteVirtualNetworkAddressSpace": {"addressPrefixes": [space]},
        },
    )


def _usage(subnet: str, used: int, limit: int) -> Json:
    return {"id": subnet, "currentValue": used, "limit": limit, "unit": "Count"}


def _cluster() -> Json:
    pools = [_pool(name, "System" if name == "system" else "User") for name in ("system", "apps", "data")]
    version = VERSION.removeprefix("v")
    properties = {
        "kubernetesVersion": version,
        "currentKubernetesVersion": version,
        "fqdn": f"{CLUSTER}-dns-5h2k7q1x.hcp.{REGION}.azmk8s.io",
        "nodeResourceGroup": NODE_GROUP,
        "powerState": {"code": "Running"},
        "agentPoolProfiles": pools,
        "networkProfile": {
            "networkPlugin": "azure",
            "networkPluginMode": "overlay",
            "networkPolicy": "cilium",
            "networkDataplane": "cilium",
            "podCidr": "10.244.0.0/16",
            "podCidrs": ["10.244.0.0/16"],
            "serviceCidr": "10.0.0.0/16",
            "serviceCidrs": ["10.0.0.0/16"],
            "dnsServiceIP": DNS_IP,
            "outboundType": "loadBalancer",
            "loadBalancerSku": "standard",
            "loadBalancerProfile": {"backendPoolType": "nodeIPConfiguration", "managedOutboundIPs": {"count": 1}},
            "ipFamilies": ["IPv4"],
        },
        "ingressProfile": {
            "webAppRouting": {
                "enabled": True,
                "nginx": {"defaultIngressControllerType": "AnnotationControlled"},
                "gatewayAPIImplementations": {"appRoutingIstio": {"mode": "Enabled"}},
            },
            "gatewayAPI": {"installation": "Standard"},
        },
        "apiServerAccessProfile": {"enablePrivateCluster": False},
        "addonProfiles": {},
        "nodeProvisioningProfile": {"mode": "Manual"},
    }
    return resource(
        MANAGED_CLUSTER,
        "Microsoft.ContainerService/managedClusters",
        properties,
        sku={"name": "Base", "tier": "Standard"},
        tags={"env": "prod", "owner": "platform"},
    )


def _pool(name: str, mode: str) -> Json:
    return {
        "name": name,
        "count": sum(instance.pool == name for instance in INSTANCES),
        "minCount": 2,
        "maxCount": 8,
        "enableAutoScaling": True,
        "maxPods": 250,
        "mode": mode,
        "osType": "Linux",
        "osSKU": "Ubuntu",
        "type": "VirtualMachineScaleSets",
        "vmSize": "Standard_D4ds_v5",
        "vnetSubnetID": NODE_SUBNET,
        "availabilityZones": ["1", "2"],
        "upgradeSettings": {"maxSurge": "10%"},
        "provisioningState": "Succeeded",
        "powerState": {"code": "Running"},
    }
