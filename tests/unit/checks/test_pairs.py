"""Pairs: a capture with a fault and the same capture mended. The first has the finding with its field, the second none.

The demo's own faults are pairs with the scenario ``healthy``; those that need another network, or objects that the demo
does not have, are made here.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from aksnav.checks.balancing import balancing_findings
from aksnav.checks.enforcement import enforcement_findings
from aksnav.checks.finding import Finding, Proof
from aksnav.checks.machines import machine_findings
from aksnav.checks.sweep import sweep
from aksnav.model.change import ListEnded, ListStarted, Reading, ReadingChanged, Removed, Upserted
from aksnav.model.kinds import KINDS
from aksnav.model.kubernetes.service import EndpointHints, LoadBalancerStatus, ServiceStatus, ZoneHint
from aksnav.model.object import Ref
from aksnav.sources import demo
from aksnav.sources.demo.azure_loadbalancers import INTERNAL_LB, rule_prefix
from aksnav.sources.demo.azure_network import (
    HUB,
    MANAGED_CLUSTER,
    NIC_GROUP,
    NODE_SUBNET,
    ROUTES,
    VNET,
    child,
    resource,
    route,
    rule,
)
from aksnav.sources.demo.fault import Expected, Fault
from aksnav.sources.demo.faults_objects import OBJECT_FAULTS
from aksnav.sources.demo.networks import VARIANTS
from aksnav.sources.demo.nodes import INSTANCES
from aksnav.sources.demo.reading import decoded
from aksnav.sources.demo.scenarios import Scenario
from aksnav.sources.demo.services import MQTT_IP, PORTAL_IP
from aksnav.sources.demo.world import NODE_GROUP, Json, World, arm_id, thing, uid
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Outcome

DENY_ALL = "service.beta.kubernetes.io/azure-deny-all-except-load-balancer-source-ranges"
LINK = arm_id(NODE_GROUP, "Microsoft.Network/privateLinkServices/pls-portal")
ENDPOINT = "/subscriptions/77777777-0000-4000-8000-000000000000/resourceGroups/rg/providers/Microsoft.Network"
ENDPOINT += "/privateEndpoints/pe-partner"
PORTAL_PREFIX = rule_prefix({"metadata": {"uid": uid("Service", "intra", "portal")}})
Change = Callable[[World], None]


class Pair(msgspec.Struct, frozen=True):
    """A mended capture and what breaks it, with what the finding has to name.

    Attributes:
        check: id of the finding.
        field: a field of its evidence.
        mended: makes the capture without the fault, of the healthy demo.
        broken: makes the fault.
        late: the fault is made behind the controllers' backs, and so is what it is a fault of.
        with_it: other findings that follow.
    """

    check: str
    field: str
    mended: Change
    broken: Change
    late: bool = False
    with_it: frozenset[str] = frozenset()


def profile(world: World) -> Json:
    found: Json = world.get("managedClusters", MANAGED_CLUSTER.lower())["properties"]["networkProfile"]
    return found


def nothing(_: World) -> None:
    """The healthy demo as it is."""


def without_engine(world: World) -> None:
    """A cluster whose data plane and policy engine are none of AKS's, and no policy."""
    VARIANTS["azure-cni"][1](world)
    profile(world)["networkPolicy"] = "none"
    for kind, word in (("Pod", "calico"), ("NetworkPolicy", ""), ("CiliumNetworkPolicy", "")):
        for item in list(world.of(kind)):
            meta = item["metadata"]
            if word in meta["name"]:
                world.drop(kind, f"{meta['namespace']}/{meta['name']}")


def a_policy(world: World) -> None:
    world.put("NetworkPolicy", thing("NetworkPolicy", "closed", "shop", spec={"podSelector": {}, "ingress": []}))


def a_policy_of_aks(world: World) -> None:
    without_engine(world)
    spec: Json = {"podSelector": {}, "egress": [{}]}
    world.put("NetworkPolicy", thing("NetworkPolicy", "konnectivity-agent", "kube-system", spec=spec))


def another_clusters_route(world: World) -> None:
    routes = world.get("routeTables", ROUTES.lower())["properties"]["routes"]
    routes.append(route("aks-other____102440024", INSTANCES[0].pod_cidr, "VirtualAppliance", "10.224.3.4"))


def another_clusters_own_pods(world: World) -> None:
    VARIANTS["kubenet"][1](world)
    routes = world.get("routeTables", ROUTES.lower())["properties"]["routes"]
    routes.append(route("aks-other____102450024", "10.245.0.0/24", "VirtualAppliance", "10.224.3.4"))


def offered_and_used(world: World) -> None:
    """A hub with a gateway, which the nodes' network uses; and no route to the firewall."""
    hub = world.get("virtualNetworks", HUB.lower())["properties"]
    hub["subnets"].append(child(HUB, "subnets", "GatewaySubnet", {"addressPrefix": "10.100.255.0/27"}))
    hub["virtualNetworkPeerings"][0]["properties"]["allowGatewayTransit"] = True
    own = world.get("virtualNetworks", VNET.lower())["properties"]
    own["virtualNetworkPeerings"][0]["properties"]["useRemoteGateways"] = True
    world.get("routeTables", ROUTES.lower())["properties"]["routes"].clear()


def not_used(world: World) -> None:
    own = world.get("virtualNetworks", VNET.lower())["properties"]
    own["virtualNetworkPeerings"][0]["properties"]["useRemoteGateways"] = False


def shared_address(world: World) -> None:
    """Two Services at the address of mqtt, of which one wants all but its ranges denied, as the rule does."""
    first = world.get("Service", "iot/mqtt")
    other = thing("Service", "mqtt-web", "iot", spec={**first["spec"], "clusterIP": "10.0.120.99"})
    other["spec"] |= {"clusterIPs": ["10.0.120.99"], "ports": [{**first["spec"]["ports"][0], "port": 8083}]}
    other["spec"]["ports"][0]["nodePort"] = 31884
    other["status"] = {"loadBalancer": {"ingress": [{"ip": MQTT_IP, "ipMode": "VIP"}]}}
    world.put("Service", other)
    first["metadata"]["annotations"][DENY_ALL] = "true"
    first["spec"]["loadBalancerSourceRanges"] = ["0.0.0.0/0"]
    group = world.get("networkSecurityGroups", NIC_GROUP.lower())["properties"]["securityRules"]
    group.append(rule(NIC_GROUP, "k8s-azure-lb_deny-all_IPv4", 4096, "Inbound", "Deny", "*", [MQTT_IP, "20.50.9.9"]))


def deny_all(world: World) -> Json:
    rules = world.get("networkSecurityGroups", NIC_GROUP.lower())["properties"]["securityRules"]
    found: Json = next(item for item in rules if item["name"].startswith("k8s-azure-lb_deny-all"))["properties"]
    return found


def destination_lost(world: World) -> None:
    deny_all(world)["destinationAddressPrefixes"] = ["20.50.9.9"]


def destination_left_over(world: World) -> None:
    del world.get("Service", "iot/mqtt")["metadata"]["annotations"][DENY_ALL]


def old_cilium(world: World) -> None:
    """Nodes of Kubernetes 1.31, with which AKS's Cilium does not read endPort."""
    for item in world.of("Node"):
        item["status"]["nodeInfo"]["kubeletVersion"] = "v1.31.4"


def a_range_of_ports(world: World) -> None:
    ports = world.get("NetworkPolicy", "reports/allow-shop")["spec"]["ingress"][0]["ports"]
    ports[0]["endPort"] = 8090


def proxy(mode: str) -> Change:
    def change(world: World) -> None:
        old_cilium(world)
        profile(world)["kubeProxyConfig"] = {"enabled": True, "mode": mode}

    return change


def agic(*, ready: bool) -> Change:
    def change(world: World) -> None:
        spec: Json = {"nodeName": INSTANCES[0].node, "containers": [{"name": "agic"}]}
        status: Json = {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "podIP": "10.244.0.99",
        }
        pod = thing("Pod", "ingress-appgw-deployment-7b9-x2v", "kube-system", spec=spec, status=status)
        world.put("Pod", pod)

    return change


def virtual_node(world: World) -> None:
    """A virtual node with a Pod that no policy selects."""
    labels = {"type": "virtual-kubelet", "kubernetes.io/os": "linux"}
    ready = [{"type": "Ready", "status": "True"}]
    world.put("Node", thing("Node", "virtual-node-aci-linux", labels=labels, spec={}, status={"conditions": ready}))
    spec: Json = {"nodeName": "virtual-node-aci-linux", "containers": [{"name": "burst"}]}
    status: Json = {"phase": "Running", "conditions": ready, "podIP": "10.224.9.4", "podIPs": [{"ip": "10.224.9.4"}]}
    world.put("Pod", thing("Pod", "burst", "reports", labels={"app": "burst"}, spec=spec, status=status))


def windows_node(world: World) -> None:
    virtual_node(world)
    labels = {"kubernetes.io/os": "windows", "node.kubernetes.io/exclude-from-external-load-balancers": "true"}
    world.get("Node", "virtual-node-aci-linux")["metadata"]["labels"] = labels
    world.get("Service", "media/studio")["spec"]["externalTrafficPolicy"] = "Cluster"  # it has no Pod on that node


def policy_for_burst(world: World) -> None:
    spec: Json = {"podSelector": {"matchLabels": {"app": "burst"}}, "ingress": [{}]}
    world.put("NetworkPolicy", thing("NetworkPolicy", "burst", "reports", spec=spec))


def link(world: World) -> None:
    """A private link service before intra/portal, that a partner's endpoint is connected to."""
    state = {"status": "Approved", "description": "", "actionsRequired": "None"}
    joined = {"privateEndpoint": {"id": ENDPOINT}, "privateLinkServiceConnectionState": state}
    frontend = f"{INTERNAL_LB}/frontendIPConfigurations/{PORTAL_PREFIX}"
    nat = {"privateIPAddress": "10.224.0.50", "privateIPAddressVersion": "IPv4", "primary": True}
    properties = {
        "loadBalancerFrontendIpConfigurations": [{"id": frontend}],
        "ipConfigurations": [child(LINK, "ipConfigurations", "nat-1", {**nat, "subnet": {"id": NODE_SUBNET}})],
        "visibility": {"subscriptions": ["*"]},
        "autoApproval": {"subscriptions": []},
        "privateEndpointConnections": [child(LINK, "privateEndpointConnections", "pe-partner.1", joined)],
    }
    world.put("privateLinkServices", resource(LINK, "Microsoft.Network/privateLinkServices", properties))


def links(world: World) -> Json:
    found: Json = world.get("privateLinkServices", LINK.lower())["properties"]
    return found


def not_visible(world: World) -> None:
    links(world)["visibility"]["subscriptions"] = ["11111111-0000-4000-8000-000000000000"]
    state = links(world)["privateEndpointConnections"][0]["properties"]["privateLinkServiceConnectionState"]
    state["status"] = "Rejected"


def being_deleted(world: World) -> None:
    world.get("Service", "intra/portal")["metadata"]["deletionTimestamp"] = "2026-11-24T08:00:00Z"


def nat_addresses(count: str) -> Change:
    def change(world: World) -> None:
        marks = world.get("Service", "intra/portal")["metadata"]["annotations"]
        marks["service.beta.kubernetes.io/azure-pls-create"] = "true"
        marks["service.beta.kubernetes.io/azure-pls-ip-configuration-ip-address-count"] = count

    return change


PAIRS = {
    "policies without an engine": Pair("P10", ".networkProfile.networkPolicy", a_policy_of_aks, a_policy),
    "a table of two kubenet clusters": Pair(
        "R16",
        ".routes[?name=='aks-other____102440024'].nextHopIpAddress",
        another_clusters_own_pods,
        another_clusters_route,
    ),
    "a gateway that is offered": Pair(
        "R08", ".virtualNetworkPeerings[?name=='to-hub'].useRemoteGateways", offered_and_used, not_used
    ),
    "endPort that Cilium does not read": Pair("P17", ".spec.ingress[0].ports[0].endPort", old_cilium, a_range_of_ports),
    "nftables before its time": Pair(
        "X14", ".networkProfile.kubeProxyConfig.mode", proxy("IPTABLES"), proxy("NFTABLES")
    ),
    "AGIC is not ready": Pair(
        "A01", ".status.conditions[?(@.type=='Ready')].status", agic(ready=True), agic(ready=False)
    ),
    "a policy for a virtual node": Pair("X15", ".metadata.labels.type", virtual_node, policy_for_burst),
    "a policy for a Windows node": Pair("X13", ".status.nodeInfo.operatingSystem", windows_node, policy_for_burst),
    "an endpoint of a subscription that is not listed": Pair(
        "V04", ".visibility.subscriptions", link, not_visible, late=True, with_it=frozenset({"V01"})
    ),
    "a Service that private link keeps": Pair("V08", ".metadata.deletionTimestamp", link, being_deleted, late=True),
    "nine NAT addresses": Pair(
        "C08",
        ".metadata.annotations['service.beta.kubernetes.io/azure-pls-ip-configuration-ip-address-count']",
        nat_addresses("8"),
        nat_addresses("9"),
    ),
}


def capture(*faults: Change, late: bool = False) -> Store:
    """Return the healthy demo with changes; what controllers make of them is made too, unless they come ``late``."""
    expected = Expected(subject=Ref("", ""), field="")
    made = Scenario(
        name="pair",
        title="a pair",
        faults=tuple(
            Fault(check="", word="", title="", apply=change, expected=expected, late=late) for change in faults
        ),
    )
    store, world = Store(), made.build()
    for kind in KINDS:
        store.apply(ListStarted(kind))
        store.apply(Upserted(kind, decoded(kind, world.of(kind))))
        store.apply(ListEnded(kind, "", 1_764_000_000.0))
    return store


def scenario(name: str) -> Store:
    store = Store()
    for change in demo.changes(name, lambda: 1_764_000_000.0):
        store.apply(change)
    return store


def put(store: Store, row: Any, **fields: Any) -> None:
    store.apply(Upserted(row.KIND, [msgspec.structs.replace(row, **fields)]))


def fields_of(finding: Finding) -> set[str]:
    return {fact.field.replace('"', "'") for fact in finding.evidence}


def about(finding: Finding) -> set[Ref | None]:
    return {finding.subject, *(fact.subject for fact in finding.evidence)}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_what_is_broken_is_found_by_its_field_and_what_is_mended_is_not(pair: Pair) -> None:
    """The broken capture gives that finding, with what follows from it; the mended one gives none."""
    assert sweep(capture(pair.mended, late=pair.late)) == []
    found = sweep(capture(pair.mended, pair.broken, late=pair.late))
    (told,) = (finding for finding in found if finding.id == pair.check)
    assert {finding.id for finding in found} == {pair.check} | pair.with_it
    assert pair.field in fields_of(told)
    assert told.fix
    assert told.confirm


@pytest.mark.parametrize("fault", OBJECT_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_of_the_demo_is_found_with_its_object_and_field(fault: Fault) -> None:
    """The finding of a scenario's own check names the object and the field that the scenario is about."""
    told = [finding for finding in sweep(scenario(fault.name)) if finding.id == fault.check]
    wanted = fault.expected.field.replace('"', "'")
    assert any(wanted in fields_of(finding) for finding in told) or fault.check == "X12"
    assert any(fault.expected.subject in about(finding) for finding in told) or fault.check == "X12"


@pytest.mark.parametrize(("change", "word"), [(destination_lost, "lacks"), (destination_left_over, "holds")])
def test_the_rule_that_denies_all_at_a_shared_address_is_what_its_services_ask_for(change: Change, word: str) -> None:
    """N10: the address is gone from the rule, or is there although nobody asks for it."""
    assert list(balancing_findings(capture(shared_address, late=True))) == []
    (told,) = balancing_findings(capture(shared_address, change, late=True))
    assert (told.id, told.proof, told.subject.id) == ("N10", Proof.PROVEN, NIC_GROUP.lower())
    assert word in told.summary
    assert any("destinationAddressPrefixes" in field for field in fields_of(told))


def test_a_rule_that_cannot_be_compared_with_all_services_proves_nothing() -> None:
    """N10: a Service that is not read may be the one that asks."""
    store = capture(shared_address, destination_left_over, late=True)
    store.apply(ReadingChanged("Service", Reading.DENIED, reason="no"))
    assert list(balancing_findings(store)) == []


def test_an_endpoint_whose_pod_is_not_ready_is_told_where_the_service_publishes_such() -> None:
    """S13: a headless Service does so for good reason, and a Service whose Pods are all ready loses nothing."""
    store = scenario("healthy")
    service, piece = store.services.get("shop/blog"), store.slices_of("shop/blog")[0]
    assert service is not None
    put(store, service, publish_not_ready_addresses=True)
    assert list(balancing_findings(store)) == []
    pod = store.pods.get(f"shop/{piece.endpoints[0].target_ref.name}")
    assert pod is not None
    put(store, pod, ready=False)
    (told,) = balancing_findings(store)
    assert (told.id, told.subject.id) == ("S13", "shop/blog")
    assert ".spec.publishNotReadyAddresses" in fields_of(told)
    put(store, service, publish_not_ready_addresses=True, cluster_ip="None")
    assert list(balancing_findings(store)) == []


@pytest.mark.parametrize(
    ("zones", "count"), [(("westeurope-1", "westeurope-2"), 0), (("westeurope-1", "westeurope-1"), 1)]
)
def test_a_zone_with_nodes_and_no_endpoint_is_told(zones: tuple[str, ...], count: int) -> None:
    """S17: hints for each zone in which nodes are, or for one of them only."""
    store = scenario("healthy")
    piece = store.slices_of("shop/blog")[0]
    hinted = tuple(
        msgspec.structs.replace(item, hints=EndpointHints(for_zones=(ZoneHint(zone),)))
        for item, zone in zip(piece.endpoints, zones, strict=True)
    )
    put(store, piece, endpoints=hinted)
    found = list(balancing_findings(store))
    assert [(item.id, item.subject.id) for item in found] == [("S17", "shop/blog")] * count
    assert all(".endpoints[].hints.forZones" in fields_of(item) for item in found)


def test_two_pods_of_a_node_with_one_host_port_are_told() -> None:
    """X12: the scheduler would not put them there; a Pod that names its node is not asked."""
    store = scenario("healthy")
    assert list(machine_findings(store)) == []
    one, other = [pod for pod in store.pods_of_node(INSTANCES[0].node) if pod.template.host_network][:2]
    put(store, other, template=one.template)
    found = list(machine_findings(store))
    assert {item.id for item in found} == {"X12"}
    assert all(".spec.containers[*].ports[*].hostPort" in fields_of(item) for item in found)
    put(store, other, template=one.template, phase="Succeeded")
    assert list(machine_findings(store)) == []


def test_more_nodes_than_azure_npm_is_supported_for_are_told() -> None:
    """P12: a hint, and only where policies are there to lag."""
    store = scenario("azure-cni")
    managed = next(iter(store.clusters))
    put(store, managed, network_profile=msgspec.structs.replace(managed.network_profile, network_policy="azure"))
    assert list(enforcement_findings(store)) == []
    node = next(iter(store.nodes))
    store.apply(Upserted("Node", [msgspec.structs.replace(node, name=f"n{number}") for number in range(251)]))
    (told,) = enforcement_findings(store)
    assert (told.id, told.proof) == ("P12", Proof.HINT)


def test_a_member_of_the_pool_that_calls_the_load_balancer_may_be_sent_back_to_itself() -> None:
    """L27: with ipMode Proxy the node does not cut in, and one of the shares comes back to the sender."""
    source = f"node/{portal_home(scenario('healthy'))}"
    request = parse_request(f"http://{PORTAL_IP}/", source)
    store = scenario("healthy")
    store.apply(Removed("NetworkPolicy", list(store.network_policies.ids())))
    assert trace(store, request).causes == ()
    service = store.services.get("intra/portal")
    assert service is not None
    points = tuple(msgspec.structs.replace(point, ip_mode="Proxy") for point in service.ingress_points)
    put(store, service, status=ServiceStatus(LoadBalancerStatus(points)))
    answer = trace(store, request)
    assert (answer.outcome, answer.causes) == (Outcome.SPLIT, ("L27",))
    (told,) = (step for step in answer.breaks if step.cause == "L27")
    assert ".status.loadBalancer.ingress[].ipMode" in {fact.field for fact in told.evidence}
    assert trace(store, parse_request(f"http://{PORTAL_IP}/", "10.100.1.4")).causes == ()


def portal_home(store: Store) -> str:
    return next(item.node_name for piece in store.slices_of("intra/portal") for item in piece.endpoints)


def test_a_flag_of_a_peering_that_a_capture_does_not_have_proves_nothing() -> None:
    """R07: files written by hand leave out what they do not speak of."""

    def unsaid(world: World) -> None:
        del world.get("virtualNetworks", VNET.lower())["properties"]["virtualNetworkPeerings"][0]["properties"][
            "allowForwardedTraffic"
        ]

    assert sweep(capture(unsaid)) == []
