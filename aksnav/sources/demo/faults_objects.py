"""Faults that single objects show, whether or not a request meets them: each with a scenario of its own only."""

from aksnav.model.object import Ref
from aksnav.sources.demo.azure_loadbalancers import PUBLIC_LB
from aksnav.sources.demo.azure_network import (
    FIREWALL,
    HUB,
    MANAGED_CLUSTER,
    ROUTES,
    VNET,
    child,
    resource,
    route,
    rule,
    security_group,
)
from aksnav.sources.demo.fault import Expected, Fault
from aksnav.sources.demo.nodes import INSTANCES
from aksnav.sources.demo.services import PORTAL_IP
from aksnav.sources.demo.workloads import free_address, pod, pod_name, set_ready, unschedule, workload
from aksnav.sources.demo.world import GROUP, HUB_GROUP, Json, World, arm_id, day, thing

_OFFICE = "192.168.5.5"
_API_SUBNET = f"{VNET}/subnets/snet-apiserver"
_API_GROUP = arm_id(GROUP, "Microsoft.Network/networkSecurityGroups/nsg-apiserver")
_ENDPOINTS = f"{HUB}/subnets/snet-endpoints"
_HUB_ROUTES = arm_id(HUB_GROUP, "Microsoft.Network/routeTables/rt-endpoints")
_BLOG = "https://blog.contoso.com/"
_PORTS_TAKEN = "0/6 nodes are available: 6 node(s) didn't have free ports for the requested pod ports."
_KONNECTIVITY = workload("kube-system", "konnectivity-agent")


def _properties(world: World, kind: str, ident: str) -> Json:
    found: Json = world.get(kind, ident.lower())["properties"]
    return found


def _peering_to_hub(world: World) -> Json:
    found: Json = _properties(world, "virtualNetworks", VNET)["virtualNetworkPeerings"][0]["properties"]
    return found


def _no_forwarded_traffic(world: World) -> None:
    _peering_to_hub(world)["allowForwardedTraffic"] = False


def _no_gateway_transit(world: World) -> None:
    _peering_to_hub(world)["useRemoteGateways"] = True


def _endpoint_past_the_firewall(world: World) -> None:
    """Both subnets send to the firewall for each other; the endpoint's own route is longer than the nodes'."""
    _properties(world, "routeTables", ROUTES)["routes"].append(
        route("endpoints-by-firewall", "10.100.2.0/27", "VirtualAppliance", FIREWALL)
    )
    back = {"addressPrefix": "10.224.0.0/26", "nextHopType": "VirtualAppliance", "nextHopIpAddress": FIREWALL}
    routes = [child(_HUB_ROUTES, "routes", "nodes-by-firewall", back)]
    world.put("routeTables", resource(_HUB_ROUTES, "Microsoft.Network/routeTables", {"routes": routes}))
    _properties(world, "virtualNetworks", HUB)["subnets"].append(
        child(
            HUB,
            "subnets",
            "snet-endpoints",
            {
                "addressPrefix": "10.100.2.0/27",
                "privateEndpointNetworkPolicies": "Disabled",
                "routeTable": {"id": _HUB_ROUTES},
                "ipConfigurations": [],
            },
        )
    )
    ident = arm_id(HUB_GROUP, "Microsoft.Network/privateEndpoints/pe-archive")
    store = arm_id(HUB_GROUP, "Microsoft.Storage/storageAccounts/stcontosoarchive")
    connection: Json = {"privateLinkServiceId": store, "groupIds": ["blob"]}
    connection |= {"privateLinkServiceConnectionState": {"status": "Approved"}}
    properties = {
        "subnet": {"id": _ENDPOINTS},
        "privateLinkServiceConnections": [child(ident, "privateLinkServiceConnections", "archive", connection)],
        "ipConfigurations": [child(ident, "ipConfigurations", "archive", {"privateIPAddress": "10.100.2.10"})],
    }
    world.put("privateEndpoints", resource(ident, "Microsoft.Network/privateEndpoints", properties))


def _api_server_denied(world: World) -> None:
    rules = [
        rule(_API_GROUP, "allow-api", 100, "Inbound", "Allow", "VirtualNetwork", "*", protocol="Tcp", ports=["443"]),
        rule(_API_GROUP, "deny-the-rest", 4000, "Inbound", "Deny", "VirtualNetwork", "*"),
    ]
    world.put("networkSecurityGroups", security_group(_API_GROUP, rules, subnets=(_API_SUBNET,)))
    subnet: Json = {
        "addressPrefix": "10.224.2.0/28",
        "networkSecurityGroup": {"id": _API_GROUP},
        "ipConfigurations": [],
    }
    subnet["delegations"] = [
        {"name": "aks", "properties": {"serviceName": "Microsoft.ContainerService/managedClusters"}}
    ]
    _properties(world, "virtualNetworks", VNET)["subnets"].append(child(VNET, "subnets", "snet-apiserver", subnet))
    profile = _properties(world, "managedClusters", MANAGED_CLUSTER)["apiServerAccessProfile"]
    profile |= {"enableVnetIntegration": True, "subnetId": _API_SUBNET}


def _on_one_node(world: World) -> None:
    first, *others = world.pods_of("intra", {"app": "portal"})
    for item in others:
        item["spec"]["nodeName"], item["status"]["hostIP"] = first["spec"]["nodeName"], first["status"]["hostIP"]
        ip = free_address(world, first["spec"]["nodeName"])
        item["status"] |= {"podIP": ip, "podIPs": [{"ip": ip}]}


def _uneven(world: World) -> None:
    there = world.pods_of("intra", {"app": "portal"})[0]["spec"]["nodeName"]
    instance = next(item for item in INSTANCES if item.node == there)
    for number in (2, 3):
        world.put("Pod", pod(workload("intra", "portal"), number, instance, free_address(world, there)))


def _affinity(world: World) -> None:
    world.get("Service", "iot/mqtt")["spec"]["sessionAffinity"] = "ClientIP"


def _no_probe(world: World) -> None:
    for item in _properties(world, "loadBalancers", PUBLIC_LB)["loadBalancingRules"]:
        if item["properties"]["frontendPort"] == 8883:  # noqa: PLR2004 - mqtt's port
            del item["properties"]["probe"]
    world.get("Node", INSTANCES[-1].node)["status"]["conditions"][-1] |= {
        "status": "Unknown",
        "reason": "NodeStatusUnknown",
    }


def _two_elements(world: World) -> None:
    peers: list[Json] = [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}},
        {"podSelector": {"matchLabels": {"app": "blog"}}},
    ]
    world.get("NetworkPolicy", "reports/allow-shop")["spec"]["ingress"][0]["from"] = peers


def _label_changed(world: World) -> None:
    spec: Json = {"podSelector": {"matchLabels": {"app": "blog", "release": "2024"}}, "ingress": [{}]}
    world.put("NetworkPolicy", thing("NetworkPolicy", "blog", "shop", spec=spec))
    for item in world.pods_of("shop", {"app": "blog"}):
        item["metadata"]["labels"]["release"] = "2025"


def _scaled_to_zero(world: World) -> None:
    for item in world.pods_of("shop", {"app": "blog"}):
        world.drop("Pod", f"shop/{item['metadata']['name']}")
    world.put(
        "Event",
        thing(
            "Event",
            "blog.18a1b2c3d4e5f608",
            "shop",
            made=84,
            involvedObject={"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "blog"},
            type="Normal",
            reason="ScalingReplicaSet",
            message=f"Scaled down replica set blog-{workload('shop', 'blog').template_hash} to 0 from 2",
            count=1,
            firstTimestamp=day(84),
            lastTimestamp=day(84),
            source={"component": "deployment-controller"},
        ),
    )


def _host_port_taken(world: World) -> None:
    for item in world.pods_of("shop", {"app": "blog"}):
        unschedule(item, _PORTS_TAKEN)


def _no_tunnel(world: World) -> None:
    for item in world.pods_of("kube-system", {"app": "konnectivity-agent"}):
        set_ready(item, ready=False)


def _plain_to_tls(world: World) -> None:
    for item in world.pods_of("shop", {"app": "blog"}):
        item["spec"]["containers"][0]["readinessProbe"]["httpGet"]["scheme"] = "HTTPS"


OBJECT_FAULTS = (
    Fault(
        check="R07", word="no-forwarded-traffic", title="the peering lets in nothing that the firewall forwards",
        apply=_no_forwarded_traffic, alone=True,
        expected=Expected(
            to=f"http://{PORTAL_IP}/", source=_OFFICE, outcome="dropped",
            subject=Ref("virtualNetworks", VNET.lower()),
            field=".virtualNetworkPeerings[?name=='to-hub'].allowForwardedTraffic",
        ),
    ),
    Fault(
        check="R08", word="no-gateway-transit", title="the hub does not offer the gateway that its spoke wants to use",
        apply=_no_gateway_transit, alone=True,
        expected=Expected(
            subject=Ref("virtualNetworks", HUB.lower()),
            field=".virtualNetworkPeerings[?name=='to-prod'].allowGatewayTransit",
        ),
    ),
    Fault(
        check="R12", word="endpoint-past-firewall", title="a private endpoint's own route passes the firewall by",
        apply=_endpoint_past_the_firewall, alone=True,
        expected=Expected(
            subject=Ref("routeTables", ROUTES.lower()), field=".routes[?name=='endpoints-by-firewall'].addressPrefix",
        ),
    ),
    Fault(
        check="N21", word="api-server-denied", title="the API server's subnet lets nodes in at 443 alone",
        apply=_api_server_denied, alone=True,
        expected=Expected(
            subject=Ref("networkSecurityGroups", _API_GROUP.lower()), field=".securityRules[1].access",
        ),
    ),
    Fault(
        check="L16", word="all-on-one-node", title="intra/portal has policy Local and all of its Pods on one node",
        apply=_on_one_node, alone=True,
        expected=Expected(subject=Ref("Service", "intra/portal"), field=".endpoints[].nodeName"),
    ),
    Fault(
        check="C14", word="uneven-nodes", title="intra/portal has three Pods on one node and one on another",
        apply=_uneven, alone=True,
        expected=Expected(subject=Ref("Service", "intra/portal"), field=".endpoints[].nodeName"),
    ),
    Fault(
        check="L18", word="rule-without-probe", title="a node is gone, and mqtt's rule has no probe that would notice",
        apply=_no_probe, late=True, alone=True,
        expected=Expected(
            subject=Ref("loadBalancers", PUBLIC_LB.lower()), field=".loadBalancingRules[5].probe",
        ),
    ),
    Fault(
        check="S19", word="affinity-behind-nodes", title="iot/mqtt keeps clients by an address that nodes overwrite",
        apply=_affinity, alone=True,
        expected=Expected(subject=Ref("Service", "iot/mqtt"), field=".spec.sessionAffinity"),
    ),
    Fault(
        check="P14", word="two-elements", title="reports admits the namespace shop or its own Pods of blog",
        apply=_two_elements, alone=True,
        expected=Expected(
            subject=Ref("NetworkPolicy", "reports/allow-shop"), field=".spec.ingress[0].from[1].podSelector",
        ),
    ),
    Fault(
        check="P19", word="label-changed", title="a policy of shop selects the release before the one that runs",
        apply=_label_changed, alone=True,
        expected=Expected(
            subject=Ref("NetworkPolicy", "shop/blog"), field=".spec.podSelector.matchLabels['release']",
        ),
    ),
    Fault(
        check="X09", word="scaled-to-zero", title="the Deployment of shop/blog was scaled to zero",
        apply=_scaled_to_zero, alone=True,
        expected=Expected(
            to=_BLOG, outcome="responds", status=503,
            subject=Ref("Service", "shop/blog"), field="events ScalingReplicaSet",
        ),
    ),
    Fault(
        check="X12", word="host-port-taken", title="the Pods of shop/blog want a host port that every node has given",
        apply=_host_port_taken, alone=True,
        expected=Expected(
            to=_BLOG, outcome="responds", status=503,
            subject=Ref("Service", "shop/blog"), field=".status.conditions[?(@.type=='PodScheduled')].message",
        ),
    ),
    Fault(
        check="K03", word="tunnel-down", title="no konnectivity-agent is ready",
        apply=_no_tunnel, alone=True,
        expected=Expected(
            subject=Ref("Pod", f"kube-system/{min(pod_name(_KONNECTIVITY, number) for number in (0, 1))}"),
            field=".status.conditions[?(@.type=='Ready')].status",
        ),
    ),
    Fault(
        check="I09", word="plain-to-tls", title="NGINX speaks HTTP to the Pods of shop/blog, which speak HTTPS",
        apply=_plain_to_tls, alone=True,
        expected=Expected(
            subject=Ref("Ingress", "shop/blog"),
            field=".metadata.annotations['nginx.ingress.kubernetes.io/backend-protocol']",
        ),
    ),
)  # fmt: skip
