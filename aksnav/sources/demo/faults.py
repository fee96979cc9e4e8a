"""The faults that the scenario ``faulty`` shows together: each on a road of its own."""

from aksnav.model.object import Ref
from aksnav.sources.demo.azure_network import (
    HUB,
    NIC_GROUP,
    NODE_SUBNET,
    NODE_SUBNET_LIMIT,
    VNET,
    rule,
)
from aksnav.sources.demo.fault import Expected, Fault
from aksnav.sources.demo.nodes import INSTANCES
from aksnav.sources.demo.routing import Path, ingress
from aksnav.sources.demo.services import MQTT_IP, PORTAL_IP, STUDIO_NODE_PORT, slice_name
from aksnav.sources.demo.workloads import pod_name, set_ready, workload
from aksnav.sources.demo.world import World, arm_id, thing

JUMP_BOX = "10.100.1.4"
NEIGHBOUR = "10.224.1.10"
BLOG_POD = f"pod/shop/{pod_name(workload('shop', 'blog'), 0)}"


def _no_ready_endpoint(world: World) -> None:
    for pod in world.pods_of("shop", {"app": "api"}):
        set_ready(pod, ready=False)


def _wrong_target_port(world: World) -> None:
    world.get("Service", "shop/cart")["spec"]["ports"][0]["targetPort"] = 8081


def _named_port_missing(world: World) -> None:
    world.get("Service", "intra/docs")["spec"]["ports"][0]["targetPort"] = "http-docs"


def _selector_matches_nothing(world: World) -> None:
    world.get("Service", "shop/status")["spec"]["selector"] = {"app": "status-page"}


def _policy_blocks_gateway(world: World) -> None:
    peer = world.get("NetworkPolicy", "payments/allow-gateway")["spec"]["ingress"][0]["from"][0]
    peer["namespaceSelector"]["matchLabels"] = {"kubernetes.io/metadata.name": "ingress"}


def _rule_shadows(world: World) -> None:
    rules = world.get("networkSecurityGroups", NIC_GROUP.lower())["properties"]["securityRules"]
    rules.insert(
        0, rule(NIC_GROUP, "freeze-iot", 300, "Inbound", "Deny", "Internet", "*", protocol="Tcp", ports=["8883"])
    )


def _class_unclaimed(world: World) -> None:
    world.put("IngressClass", thing("IngressClass", "traefik", spec={"controller": "traefik.io/ingress-controller"}))
    world.get("Ingress", "intra/wiki")["spec"]["ingressClassName"] = "traefik"


def _secret_missing(world: World) -> None:
    world.drop("Secret", "shop/blog-tls")


def _path_shadowed(world: World) -> None:
    ingress(
        world, "shop", "shop-2025", "shop.contoso.com", (Path("/search", "search-old"),), certificate="shop-tls", made=2
    )


def _no_reference_grant(world: World) -> None:
    world.drop("ReferenceGrant", "media/routes-from-infra")


def _no_local_pod(world: World) -> None:
    (found,) = [
        pod for pod in world.pods_of("media", {"app": "studio"}) if pod["spec"]["nodeName"] == INSTANCES[-1].node
    ]
    world.drop("Pod", f"media/{found['metadata']['name']}")


def _ip_block_for_pods(world: World) -> None:
    spec = world.get("NetworkPolicy", "reports/allow-shop")["spec"]
    spec["ingress"][0]["from"] = [{"ipBlock": {"cidr": "10.244.0.0/16"}}]


def _peering_disconnected(world: World) -> None:
    world.get("virtualNetworks", VNET.lower())["properties"]["virtualNetworkPeerings"][0]["properties"] |= {
        "peeringState": "Disconnected",
        "peeringSyncLevel": "LocalNotInSync",
    }
    world.get("virtualNetworks", HUB.lower())["properties"]["virtualNetworkPeerings"] = []


def _subnet_full(world: World) -> None:
    properties = world.get("virtualNetworks", VNET.lower())["properties"]
    subnet = next(item for item in properties["subnets"] if item["id"] == NODE_SUBNET)
    usage = next(item for item in properties["usages"] if item["id"] == NODE_SUBNET)
    stem = arm_id("rg-contoso-build", "Microsoft.Compute/virtualMachineScaleSets/vmss-build-agents/virtualMachines")
    subnet["properties"]["ipConfigurations"] += [
        {"id": f"{stem}/{number}/networkInterfaces/nic-build/ipConfigurations/ipconfig1"}
        for number in range(NODE_SUBNET_LIMIT - int(usage["currentValue"]))
    ]
    usage["currentValue"] = NODE_SUBNET_LIMIT


TOGETHER = (
    Fault(
        check="S02", word="no-ready-endpoint", title="every Pod of shop/api fails its readiness probe",
        apply=_no_ready_endpoint,
        expected=Expected(
            to="https://shop.contoso.com/api", outcome="responds", status=503,
            subject=Ref("EndpointSlice", f"shop/{slice_name('shop', 'api')}"), field=".endpoints[0].conditions.ready",
        ),
    ),
    Fault(
        check="S03", word="wrong-target-port", title="Service shop/cart sends to port 8081, its Pods listen on 8080",
        apply=_wrong_target_port,
        expected=Expected(
            to="https://shop.contoso.com/cart", outcome="responds", status=502,
            subject=Ref("Service", "shop/cart"), field=".spec.ports[0].targetPort",
        ),
    ),
    Fault(
        check="S04", word="named-port-missing", title="no Pod of intra/docs has a port named http-docs",
        apply=_named_port_missing,
        expected=Expected(
            to="https://docs.contoso.com/", outcome="responds", status=503,
            subject=Ref("Service", "intra/docs"), field=".spec.ports[0].targetPort",
        ),
    ),
    Fault(
        check="S01", word="selector-matches-nothing", title="shop/status selects app=status-page, no Pod has it",
        apply=_selector_matches_nothing,
        expected=Expected(
            to="https://status.apps.contoso.com/", outcome="responds", status=503,
            subject=Ref("Service", "shop/status"), field=".spec.selector",
        ),
    ),
    Fault(
        check="P01", word="policy-blocks-gateway", title="payments admits a namespace that the gateway does not run in",
        apply=_policy_blocks_gateway,
        expected=Expected(
            to="https://pay.apps.contoso.com/", outcome="responds", status=503,
            subject=Ref("NetworkPolicy", "payments/allow-gateway"), field=".spec.ingress[0].from[0].namespaceSelector",
        ),
    ),
    Fault(
        check="N03", word="deny-shadows-allow", title="a deny of priority 300 stands before the load balancer's rule",
        apply=_rule_shadows, late=True,
        expected=Expected(
            to=f"tcp://{MQTT_IP}:8883", outcome="dropped",
            subject=Ref("networkSecurityGroups", NIC_GROUP.lower()), field=".securityRules[0].access",
        ),
    ),
    Fault(
        check="I02", word="class-unclaimed", title="Ingress intra/wiki has a class whose controller does not run",
        apply=_class_unclaimed,
        expected=Expected(
            to="https://wiki.contoso.com/", outcome="dropped",
            subject=Ref("Ingress", "intra/wiki"), field=".spec.ingressClassName",
        ),
    ),
    Fault(
        check="T01", word="tls-secret-missing", title="Ingress shop/blog names a TLS Secret that does not exist",
        apply=_secret_missing,
        expected=Expected(
            to="https://blog.contoso.com/", outcome="delivered",
            subject=Ref("Ingress", "shop/blog"), field=".spec.tls[0].secretName",
        ),
    ),
    Fault(
        check="I14", word="path-shadowed", title="an older Ingress has /search of shop.contoso.com already",
        apply=_path_shadowed,
        expected=Expected(
            to="https://shop.contoso.com/search", outcome="delivered",
            subject=Ref("Ingress", "shop/search"), field=".spec.rules[0].http.paths[0].path",
        ),
    ),
    Fault(
        check="G06", word="no-reference-grant", title="HTTPRoute infra/media sends to namespace media without leave",
        apply=_no_reference_grant,
        expected=Expected(
            to="https://media.apps.contoso.com/", outcome="responds", status=500,
            subject=Ref("HTTPRoute", "infra/media"), field=".spec.rules[0].backendRefs[0].namespace",
        ),
    ),
    Fault(
        check="S07", word="no-local-pod", title="media/studio has no Pod on the node that is asked, its policy Local",
        apply=_no_local_pod,
        expected=Expected(
            to=f"tcp://{INSTANCES[-1].ip}:{STUDIO_NODE_PORT}", source=NEIGHBOUR, outcome="dropped",
            subject=Ref("Service", "media/studio"), field=".spec.externalTrafficPolicy",
        ),
    ),
    Fault(
        check="P05", word="ipblock-for-pods", title="reports admits Pods by ipBlock; Cilium never applies it to Pods",
        apply=_ip_block_for_pods,
        expected=Expected(
            to="svc/reports/reports:80", source=BLOG_POD, outcome="dropped",
            subject=Ref("NetworkPolicy", "reports/allow-shop"), field=".spec.ingress[0].from[0].ipBlock.cidr",
        ),
    ),
    Fault(
        check="R06", word="peering-disconnected", title="the peering to the hub is Disconnected",
        apply=_peering_disconnected,
        expected=Expected(
            to=f"http://{PORTAL_IP}/", source=JUMP_BOX, outcome="dropped",
            subject=Ref("virtualNetworks", VNET.lower()), field=".virtualNetworkPeerings[?name=='to-hub'].peeringState",
        ),
    ),
    Fault(
        check="C01", word="node-subnet-full", title="every address of the node subnet is taken",
        apply=_subnet_full, late=True,
        expected=Expected(subject=Ref("virtualNetworks", VNET.lower()), field=".usages[0].currentValue"),
    ),
)  # fmt: skip
