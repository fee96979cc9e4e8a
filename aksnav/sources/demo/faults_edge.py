"""Faults of the way in, each with a scenario of its own only: load balancers, security groups, routes, nodes."""

from aksnav.model.object import Ref
from aksnav.sources.demo.azure_loadbalancers import PUBLIC_LB, rule_prefix
from aksnav.sources.demo.azure_network import (
    FIREWALL,
    MANAGED_CLUSTER,
    NIC_GROUP,
    ROUTES,
    SUBNET_GROUP,
    VNET,
    ip_config_id,
    route,
    rule,
)
from aksnav.sources.demo.fault import Expected, Fault
from aksnav.sources.demo.nodes import INSTANCES
from aksnav.sources.demo.services import MQTT_IP, PORTAL_IP
from aksnav.sources.demo.workloads import set_ready
from aksnav.sources.demo.world import HUB_GROUP, Json, World, arm_id, condition, day, thing, uid

JUMP_BOX = "10.100.1.4"
_MQTT_PREFIX = rule_prefix({"metadata": {"uid": uid("Service", "iot", "mqtt")}})
_GATEWAY_RULE = f"{rule_prefix({'metadata': {'uid': uid('Service', 'infra', 'web-approuting-istio')}})}-TCP-443"
_MQTT = f"tcp://{MQTT_IP}:8883"
_REFUSED = (
    "Error syncing load balancer: failed to ensure load balancer: Retriable: false, HTTPStatusCode: 403, RawError:"
    " AuthorizationFailed: the client does not have authorization to perform action"
    " 'Microsoft.Network/publicIPAddresses/read' over scope 'rg-contoso-prod'"
)


def _properties(world: World, kind: str, ident: str) -> Json:
    found: Json = world.get(kind, ident.lower())["properties"]
    return found


def _asymmetric_route(world: World) -> None:
    _properties(world, "routeTables", ROUTES)["routes"].append(
        route("default-to-firewall", "0.0.0.0/0", "VirtualAppliance", FIREWALL)
    )


def _black_hole(world: World) -> None:
    _properties(world, "routeTables", ROUTES)["routes"].append(route("nothing-to-hub", "10.100.1.0/24", "None"))


def _one_way_through_the_firewall(world: World) -> None:
    _properties(world, "routeTables", ROUTES)["routes"].append(
        route("jump-boxes-by-firewall", "10.100.1.0/24", "VirtualAppliance", FIREWALL)
    )


def _probe_on_root(world: World) -> None:
    del world.get("Service", "infra/web-approuting-istio")["metadata"]["annotations"]


def _subnet_group_without_web(world: World) -> None:
    properties = _properties(world, "networkSecurityGroups", SUBNET_GROUP)
    properties["securityRules"] = [item for item in properties["securityRules"] if item["name"] != "allow-web"]


def _allow_for_node_addresses(world: World) -> None:
    rules = _properties(world, "networkSecurityGroups", SUBNET_GROUP)["securityRules"]
    allow = next(item for item in rules if item["name"] == "allow-mqtt")["properties"]
    del allow["destinationAddressPrefixes"]
    allow |= {"destinationAddressPrefix": "10.224.0.0/26", "destinationPortRanges": ["31883"]}


def _probes_denied(world: World) -> None:
    _properties(world, "networkSecurityGroups", SUBNET_GROUP)["securityRules"].append(
        rule(SUBNET_GROUP, "no-platform-traffic", 400, "Inbound", "Deny", "AzureLoadBalancer", "*")
    )


def _admin_rule(world: World) -> None:
    manager = arm_id(HUB_GROUP, "Microsoft.Network/networkManagers/avnm-contoso")
    collection = f"{manager}/securityAdminConfigurations/baseline/ruleCollections/from-internet"
    everything: Json = {"addressPrefix": "*", "addressPrefixType": "IPPrefix"}
    rule: Json = {
        "access": "Deny",
        "direction": "Inbound",
        "priority": 10,
        "protocol": "Tcp",
        "sources": [{"addressPrefix": "Internet", "addressPrefixType": "ServiceTag"}],
        "destinations": [everything],
        "sourcePortRanges": ["0-65535"],
        "destinationPortRanges": ["1883", "8883"],
        "provisioningState": "Succeeded",
    }
    listed = [{"id": f"{collection}/rules/deny-mqtt", "kind": "Custom", "properties": rule}]
    _properties(world, "virtualNetworks", VNET)["effectiveSecurityAdminRules"] = listed


def _ranges_without_the_client(world: World) -> None:
    world.get("Service", "iot/mqtt")["spec"]["loadBalancerSourceRanges"] = ["198.51.100.0/24"]


def _interface_group_emptied(world: World) -> None:
    _properties(world, "networkSecurityGroups", NIC_GROUP)["securityRules"] = []


def _address_pending(world: World) -> None:
    service = world.get("Service", "iot/mqtt")
    service["status"] = {"loadBalancer": {}}
    meta = service["metadata"]
    about = {"kind": "Service", "namespace": "iot", "name": "mqtt", "uid": meta["uid"], "apiVersion": "v1"}
    world.put(
        "Event",
        thing(
            "Event",
            "mqtt.18a1b2c3d4e5f607",
            "iot",
            made=84,
            involvedObject=about,
            type="Warning",
            reason="SyncLoadBalancerFailed",
            message=_REFUSED,
            count=14,
            firstTimestamp=day(83),
            lastTimestamp=day(84),
            source={"component": "service-controller"},
        ),
    )


def _rule_missing(world: World) -> None:
    properties = _properties(world, "loadBalancers", PUBLIC_LB)
    for part in ("loadBalancingRules", "probes"):
        properties[part] = [item for item in properties[part] if not item["name"].startswith(_MQTT_PREFIX)]
    for frontend in properties["frontendIPConfigurations"]:
        if frontend["name"] == _MQTT_PREFIX:
            frontend["properties"]["loadBalancingRules"] = []


def _node_not_in_pool(world: World) -> None:
    lost = ip_config_id(INSTANCES[-1])
    for pool in _properties(world, "loadBalancers", PUBLIC_LB)["backendAddressPools"]:
        if pool["name"] == "kubernetes":
            members = pool["properties"]["backendIPConfigurations"]
            pool["properties"]["backendIPConfigurations"] = [item for item in members if item["id"] != lost]


def _pool_empty(world: World) -> None:
    for pool in _properties(world, "loadBalancers", PUBLIC_LB)["backendAddressPools"]:
        if pool["name"] == "kubernetes":
            pool["properties"]["backendIPConfigurations"] = []


def _no_local_endpoint_anywhere(world: World) -> None:
    for pod in world.pods_of("intra", {"app": "portal"}):
        set_ready(pod, ready=False)


def _node_not_ready(world: World) -> None:
    node = INSTANCES[-1].node
    conditions = world.get("Node", node)["status"]["conditions"]
    conditions[-1] = condition("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")


def _cluster_stopped(world: World) -> None:
    _properties(world, "managedClusters", MANAGED_CLUSTER)["powerState"] = {"code": "Stopped"}
    for instance in INSTANCES:
        conditions = world.get("Node", instance.node)["status"]["conditions"]
        conditions[-1] = condition("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")


EDGE = (
    Fault(
        check="R01", word="asymmetric-route", title="answers to the internet leave through the firewall",
        apply=_asymmetric_route, alone=True,
        expected=Expected(
            to="https://shop.contoso.com/", outcome="dropped",
            subject=Ref("routeTables", ROUTES.lower()), field=".routes[?name=='default-to-firewall'].nextHopType",
        ),
    ),
    Fault(
        check="R02", word="black-hole-route", title="a route of the node subnet throws away what goes to the hub",
        apply=_black_hole, alone=True,
        expected=Expected(
            to=f"http://{PORTAL_IP}/", source=JUMP_BOX, outcome="dropped",
            subject=Ref("routeTables", ROUTES.lower()), field=".routes[?name=='nothing-to-hub'].nextHopType",
        ),
    ),
    Fault(
        check="R13", word="one-way-through-firewall", title="answers to the hub pass the firewall, requests do not",
        apply=_one_way_through_the_firewall, alone=True,
        expected=Expected(
            to=f"http://{PORTAL_IP}/", source=JUMP_BOX, outcome="dropped",
            subject=Ref("routeTables", ROUTES.lower()), field=".routes[?name=='jump-boxes-by-firewall'].nextHopType",
        ),
    ),
    Fault(
        check="L12", word="probe-on-root", title="the gateway's probe asks for / over HTTP and never gets a 200",
        apply=_probe_on_root, alone=True,
        expected=Expected(
            to="https://status.apps.contoso.com/", outcome="undecided",
            subject=Ref("loadBalancers", PUBLIC_LB.lower()), field=f".probes[?name=='{_GATEWAY_RULE}'].requestPath",
        ),
    ),
    Fault(
        check="L01", word="address-pending", title="Azure refuses the cluster's identity, iot/mqtt gets no address",
        apply=_address_pending, alone=True,
        expected=Expected(
            to="svc/iot/mqtt:8883", outcome="refused",
            subject=Ref("Service", "iot/mqtt"), field=".status.loadBalancer.ingress",
        ),
    ),
    Fault(
        check="L08", word="rule-missing", title="the load balancer has no rule for port 8883 of iot/mqtt",
        apply=_rule_missing, late=True, alone=True,
        expected=Expected(
            to=_MQTT, outcome="dropped",
            subject=Ref("loadBalancers", PUBLIC_LB.lower()), field=".loadBalancingRules",
        ),
    ),
    Fault(
        check="L10", word="node-not-in-pool", title="a node is not in the load balancer's pool",
        apply=_node_not_in_pool, late=True, alone=True,
        expected=Expected(
            to=_MQTT, outcome="delivered",
            subject=Ref("loadBalancers", PUBLIC_LB.lower()),
            field=".backendAddressPools[?name=='kubernetes'].backendIPConfigurations",
        ),
    ),
    Fault(
        check="L11", word="pool-empty", title="the load balancer's pool is empty",
        apply=_pool_empty, late=True, alone=True,
        expected=Expected(
            to=_MQTT, outcome="dropped",
            subject=Ref("loadBalancers", PUBLIC_LB.lower()),
            field=".backendAddressPools[?name=='kubernetes'].backendIPConfigurations",
        ),
    ),
    Fault(
        check="L15", word="no-local-endpoint-anywhere", title="intra/portal has policy Local and no ready Pod",
        apply=_no_local_endpoint_anywhere, alone=True,
        expected=Expected(
            to=f"http://{PORTAL_IP}/", source=JUMP_BOX, outcome="dropped",
            subject=Ref("Service", "intra/portal"), field=".spec.externalTrafficPolicy",
        ),
    ),
    Fault(
        check="N01", word="subnet-nsg-without-allow", title="the subnet's own group has no rule for the web frontends",
        apply=_subnet_group_without_web, alone=True,
        expected=Expected(
            to="https://shop.contoso.com/", outcome="dropped",
            subject=Ref("networkSecurityGroups", SUBNET_GROUP.lower()), field=".defaultSecurityRules[2].access",
        ),
    ),
    Fault(
        check="N02", word="allow-for-node-addresses", title="the subnet's rule for mqtt names nodes and node port",
        apply=_allow_for_node_addresses, alone=True,
        expected=Expected(
            to=_MQTT, outcome="dropped",
            subject=Ref("networkSecurityGroups", SUBNET_GROUP.lower()), field=".defaultSecurityRules[2].access",
        ),
    ),
    Fault(
        check="N04", word="probes-denied", title="a rule of the subnet denies the load balancer's probes",
        apply=_probes_denied, alone=True,
        expected=Expected(
            to=_MQTT, outcome="dropped",
            subject=Ref("networkSecurityGroups", SUBNET_GROUP.lower()), field=".securityRules[4].access",
        ),
    ),
    Fault(
        check="N05", word="source-ranges", title="iot/mqtt admits a range that the client is not in",
        apply=_ranges_without_the_client, alone=True,
        expected=Expected(
            to=_MQTT, source="internet:203.0.113.9", outcome="dropped",
            subject=Ref("Service", "iot/mqtt"), field=".spec.loadBalancerSourceRanges",
        ),
    ),
    Fault(
        check="N09", word="interface-nsg-emptied", title="somebody removed the rules that AKS had written",
        apply=_interface_group_emptied, late=True, alone=True,
        expected=Expected(
            to="https://shop.contoso.com/", outcome="dropped",
            subject=Ref("networkSecurityGroups", NIC_GROUP.lower()), field=".defaultSecurityRules[2].access",
        ),
    ),
    Fault(
        check="N18", word="admin-rule", title="a security admin rule of the network team denies mqtt from the internet",
        apply=_admin_rule, alone=True,
        expected=Expected(
            to=_MQTT, outcome="dropped",
            subject=Ref("virtualNetworks", VNET.lower()), field=".effectiveSecurityAdminRules[0].access",
        ),
    ),
    Fault(
        check="X07", word="node-not-ready", title="a node has stopped to report",
        apply=_node_not_ready, alone=True,
        expected=Expected(
            subject=Ref("Node", INSTANCES[-1].node), field=".status.conditions[?(@.type=='Ready')].status",
        ),
    ),
    Fault(
        check="K04", word="cluster-stopped", title="the cluster is stopped",
        apply=_cluster_stopped, alone=True,
        expected=Expected(
            to="https://shop.contoso.com/", outcome="dropped",
            subject=Ref("managedClusters", MANAGED_CLUSTER.lower()), field=".powerState.code",
        ),
    ),
)  # fmt: skip
