"""From an address through the load balancer and the security groups to the nodes."""

from collections.abc import Callable
from typing import Any

import pytest

from aksnav.store.store import Store
from aksnav.trace.azure import loadbalancer, nsg
from aksnav.trace.azure.lb_address import pending
from aksnav.trace.azure.loadbalancer import LoadBalancerEntry
from aksnav.trace.packet import Packet
from aksnav.trace.step import Kind, Step, Verdict
from tests.unit.trace_edge import cloud
from tests.unit.trace_edge.cloud import PUBLIC, bent, endpoints, group, rule, service
from tests.unit.trace_edge.world import Json, address, cluster, made, policy, the_node

Objects = dict[str, Json]


def entry(store: Store, port: int = 443, source: str = "") -> LoadBalancerEntry:
    """Return the entry of a packet to the public address."""
    packet = Packet(source=address(source) if source else None, destination=address(PUBLIC), port=port)
    found = loadbalancer.enter(store, packet)
    assert found is not None
    return found


def into(store: Store, name: str = "node-1", source: str = "") -> tuple[Step, ...]:
    """Return the security group steps of a packet into a node."""
    return nsg.into_node(store, the_node(store, name), entry(store, source=source).packet)


def test_a_mended_cluster_passes_every_step() -> None:
    """Nothing stops the packet, and both nodes of the pool get it with the frontend's address."""
    store = made(*cloud.objects().values())
    found = entry(store)
    assert [step.kind for step in found.steps] == [
        Kind.PUBLIC_IP, Kind.LB_FRONTEND, Kind.LB_RULE, Kind.LB_PROBE, Kind.LB_POOL,
    ]  # fmt: skip
    assert {step.verdict for step in found.steps} == {Verdict.PASS}
    assert [node.name for node in found.nodes] == ["node-1", "node-2"]
    assert (found.packet.destination, found.packet.port) == (address(PUBLIC), 443)
    assert found.service is not None
    assert found.service.id == "shop/web"
    assert not found.internal
    assert not found.ended
    assert [step.verdict for step in into(store)] == [Verdict.PASS, Verdict.PASS]


def lb(made: Objects, part: str) -> Any:
    return made["lb"]["properties"][part]


def no_rule(made: Objects) -> None:
    lb(made, "loadBalancingRules").clear()


def annotated_no_rule(made: Objects) -> None:
    no_rule(made)
    made["service"] = service(annotations={"service.beta.kubernetes.io/port_443_no_lb_rule": "true"})


def drifted(made: Objects) -> None:
    lb(made, "loadBalancingRules")[0]["properties"]["backendPort"] = 8443


def empty_pool(made: Objects) -> None:
    lb(made, "backendAddressPools")[0]["properties"]["backendIPConfigurations"] = []


def wrong_probe(made: Objects) -> None:
    lb(made, "probes")[0]["properties"]["port"] = 30000


def http_probe(made: Objects) -> None:
    lb(made, "probes")[0]["properties"].update(protocol="Http", requestPath="/")
    made["pod"]["metadata"]["labels"]["app.kubernetes.io/name"] = "ingress-nginx"


def local_without_endpoints(made: Objects) -> None:
    made["service"] = service(externalTrafficPolicy="Local", healthCheckNodePort=32000)
    lb(made, "probes")[0]["properties"].update(protocol="Http", port=32000, requestPath="/healthz")
    made["slice"] = endpoints()


def no_node_ports(made: Objects) -> None:
    made["service"] = service(
        allocateLoadBalancerNodePorts=False, ports=[{"port": 443, "targetPort": 8443, "protocol": "TCP"}]
    )


def ranges(made: Objects) -> None:
    made["service"] = service(loadBalancerSourceRanges=["198.51.100.0/24"])


def denied_probe(made: Objects) -> None:
    allow = rule(name="allow-web", priority=200)
    deny = rule(
        name="deny",
        access="Deny",
        priority=300,
        sourceAddressPrefix="*",
        destinationAddressPrefix="*",
        destinationPortRange="*",
    )
    made["subnet-nsg"] = group("subnet-nsg", allow, deny)


def policy_against_probe(made: Objects) -> None:
    made["cluster"] = cluster(networkDataplane="cilium", networkPluginMode="overlay", podCidr="10.244.0.0/16")
    made["policy"] = policy("shop/clients", ingress=[{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}])


def stale_status(made: Objects) -> None:
    del made["lb"], made["pip"]


@pytest.mark.parametrize(
    ("change", "kind", "cause"),
    [
        (no_rule, Kind.LB_RULE, "L08"),
        (annotated_no_rule, Kind.LB_RULE, "L08"),
        (drifted, Kind.LB_RULE, "L09"),
        (empty_pool, Kind.LB_POOL, "L11"),
        (wrong_probe, Kind.LB_PROBE, "L13"),
        (http_probe, Kind.LB_PROBE, "L12"),
        (local_without_endpoints, Kind.LB_PROBE, "L15"),
        (no_node_ports, Kind.LB_PROBE, "L22"),
        (denied_probe, Kind.LB_PROBE, "N04"),
        (policy_against_probe, Kind.LB_PROBE, "P07"),
        (ranges, Kind.NODE_PORT, "N05"),
        (stale_status, Kind.LB_FRONTEND, "L26"),
    ],
)
def test_a_fault_stops_the_packet_at_its_step(change: Callable[[Objects], None], kind: Kind, cause: str) -> None:
    """The broken cluster is stopped by that step alone, with evidence, a command and a fix."""
    found = entry(made(*bent(change)))
    stopped = [step for step in found.steps if step.verdict is Verdict.DROP]
    assert [(step.kind, step.cause) for step in stopped] == [(kind, cause)]
    assert found.ended
    assert stopped[0].evidence
    assert stopped[0].confirm
    assert stopped[0].fix


def test_a_port_that_the_service_does_not_have_has_no_rule() -> None:
    """The load balancer drops it, and the Service's ports are in the evidence."""
    found = entry(made(*cloud.objects().values()), port=8080)
    assert found.ended
    assert found.service_port is None
    assert found.steps[-1].cause == "S20"
    assert any(fact.field == ".spec.ports[].port" and "443" in fact.value for fact in found.steps[-1].evidence)


def test_with_local_traffic_policy_only_nodes_with_endpoints_get_traffic() -> None:
    """The probe asks healthCheckNodePort, which is up where a ready endpoint is."""

    def change(objects: Objects) -> None:
        local_without_endpoints(objects)
        objects["slice"] = endpoints("node-2")

    found = entry(made(*bent(change)))
    assert [node.name for node in found.nodes] == ["node-2"]
    assert not found.ended


def test_without_floating_ip_the_packet_goes_to_the_node_port() -> None:
    """The load balancer writes the node's own address, so the destination differs from node to node."""

    def change(objects: Objects) -> None:
        lb(objects, "loadBalancingRules")[0]["properties"].update(enableFloatingIP=False, backendPort=31443)
        name = "service.beta.kubernetes.io/azure-disable-load-balancer-floating-ip"
        objects["service"] = service(annotations={name: "true"})
        objects["subnet-nsg"] = group(
            "subnet-nsg", rule(destinationAddressPrefix="10.224.0.0/16", destinationPortRange="31443")
        )
        objects["aks-nsg"] = group("aks-nsg", rule(destinationAddressPrefix="10.224.0.4", destinationPortRange="31443"))

    store = made(*bent(change))
    found = entry(store)
    assert (found.packet.destination, found.packet.port) == (None, 31443)
    assert [step.verdict for step in nsg.into_node(store, the_node(store, "node-1"), found.packet)] == [
        Verdict.PASS
    ] * 2


def test_without_azure_every_step_is_blind_and_the_road_goes_on() -> None:
    """The Service's status says the address; nothing of Azure passes."""
    kinds = ("loadBalancers", "publicIPAddresses", "networkInterfaces", "virtualNetworks", "networkSecurityGroups")
    kubernetes = [item for item in cloud.objects().values() if item["kind"] not in kinds]
    store = made(*kubernetes, denied=kinds, reason="no credentials")
    found = entry(store)
    assert {step.verdict for step in found.steps} == {Verdict.BLIND}
    assert [step.kind for step in found.steps][:2] == [Kind.PUBLIC_IP, Kind.LB_FRONTEND]
    assert all("no credentials" in step.missing for step in found.steps)
    assert [node.name for node in found.nodes] == ["node-1", "node-2"]
    assert not found.ended
    assert [step.verdict for step in into(store)] == [Verdict.BLIND, Verdict.BLIND]


def test_an_unknown_address_is_nobodys() -> None:
    """No frontend and no Service has it."""
    store = made(*cloud.objects().values())
    assert loadbalancer.enter(store, Packet(destination=address("8.8.8.8"), port=443)) is None


def test_another_load_balancer_class_is_not_modelled() -> None:
    """The address is not Azure's, so nothing is claimed about it."""

    def change(objects: Objects) -> None:
        stale_status(objects)
        objects["service"] = service(loadBalancerClass="metallb")

    found = entry(made(*bent(change)))
    assert any(step.verdict is Verdict.UNSUPPORTED and step.cause == "L06" for step in found.steps)


def test_a_gateway_load_balancer_is_not_modelled() -> None:
    """A load balancer of sku Gateway puts an appliance in between: it is named, not judged."""

    def change(objects: Objects) -> None:
        objects["lb"]["sku"]["name"] = "Gateway"

    found = entry(made(*bent(change)))
    assert any(step.verdict is Verdict.UNSUPPORTED and "gateway load balancer" in step.missing for step in found.steps)
    assert not any(step.cause for step in found.steps)


def test_the_container_native_load_balancer_sends_past_nodes_and_probes() -> None:
    """A load balancer of sku Service is its Service's by the UID, has no probe, and its empty pool is no fault."""

    def change(objects: Objects) -> None:
        balancer = objects["lb"]
        balancer["sku"]["name"], balancer["name"] = "Service", cloud.UID
        rule_ = lb(objects, "loadBalancingRules")[0]["properties"]
        rule_.update(enableFloatingIP=False, backendPort=8443)
        del rule_["probe"]
        lb(objects, "backendAddressPools")[0]["properties"] = {}

    found = entry(made(*bent(change)))
    assert [step.kind for step in found.steps] == [Kind.PUBLIC_IP, Kind.LB_FRONTEND, Kind.LB_RULE, Kind.LB_POOL]
    assert {step.verdict for step in found.steps} == {Verdict.PASS}
    assert found.direct
    assert found.service is not None
    assert (found.packet.destination, found.packet.port) == (None, 8443)


def subnet_group(*rules: Json) -> Callable[[Objects], None]:
    def change(objects: Objects) -> None:
        objects["subnet-nsg"] = group("subnet-nsg", *rules)

    return change


def node_group(*rules: Json) -> Callable[[Objects], None]:
    def change(objects: Objects) -> None:
        objects["aks-nsg"] = group("aks-nsg", *rules)

    return change


@pytest.mark.parametrize(
    ("change", "source", "cause"),
    [
        (subnet_group(), "", "N01"),
        (subnet_group(rule(destinationAddressPrefix="10.224.0.0/16", priority=200)), "", "N02"),
        (subnet_group(rule(destinationPortRange="31443", priority=200)), "", "N02"),
        (node_group(rule(name="deny", access="Deny", sourceAddressPrefix="*", priority=300), rule()), "", "N03"),
        (node_group(rule(sourceAddressPrefix="198.51.100.0/24")), "", "N05"),
        (node_group(rule(sourceAddressPrefix="198.51.100.0/24")), "203.0.113.9", "N05"),
        (node_group(), "", "N09"),
        (subnet_group(rule(name="internal", sourceAddressPrefix="10.0.0.0/8", priority=200)), "", "N01"),
        (subnet_group(), "192.168.1.1", "N16"),
        (subnet_group(rule(sourceAddressPrefix="AzureLoadBalancer", priority=200)), "", "N20"),
        (subnet_group(rule(access="Deny", sourceAddressPrefix="*", priority=200)), "168.63.129.16", "N04"),
    ],
)
def test_a_denied_packet_names_its_fault(change: Callable[[Objects], None], source: str, cause: str) -> None:
    """The fault follows from the deciding rule and from what nearly allowed the packet."""
    stopped = [step for step in into(made(*bent(change)), source=source) if step.verdict is Verdict.DROP]
    assert [step.cause for step in stopped][:1] == [cause]
    assert stopped[0].evidence
    assert stopped[0].fix
    assert stopped[0].confirm


def test_a_narrower_allow_lets_its_own_clients_through() -> None:
    """The same group passes a client in the range and stops one outside of it."""
    store = made(*bent(node_group(rule(sourceAddressPrefix="198.51.100.0/24"))))
    assert [step.verdict for step in into(store, source="198.51.100.7")] == [Verdict.PASS, Verdict.PASS]


def test_no_group_filters_nothing() -> None:
    """A subnet without a group passes, and says that there is none."""

    def change(objects: Objects) -> None:
        del objects["vnet"]["properties"]["subnets"][0]["properties"]["networkSecurityGroup"]

    step = into(made(*bent(change)))[0]
    assert step.verdict is Verdict.PASS
    assert step.evidence[0].value == "(none)"


def test_a_group_that_cannot_be_read_is_blind_with_its_permission() -> None:
    """The reference is there and the group is not: never a pass."""
    wires = [item for item in cloud.objects().values() if item["kind"] != "networkSecurityGroups"]
    steps = into(made(*wires, denied=["networkSecurityGroups"], reason="403 AuthorizationFailed"))
    assert [step.verdict for step in steps] == [Verdict.BLIND, Verdict.BLIND]
    assert "Microsoft.Network/networkSecurityGroups/read" in steps[0].missing


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("... Code=AuthorizationFailed ...", "L01"),
        ("Code=PublicIPCountLimitReached", "L03"),
        ("error parsing idle timeout value", "L07"),
        ("Code=ScopeLocked", "L25"),
    ],
)
def test_a_service_without_an_address_says_what_its_events_say(message: str, cause: str) -> None:
    """The reason of the last failed reconciliation names the fault."""

    def change(objects: Objects) -> None:
        objects["service"]["status"] = {}
        objects["event"] = {
            "kind": "Event",
            "metadata": {"name": "e1", "namespace": "shop"},
            "involvedObject": {"kind": "Service", "namespace": "shop", "name": "web"},
            "type": "Warning",
            "reason": "SyncLoadBalancerFailed",
            "message": message,
        }

    store = made(*bent(change))
    found = store.services.get("shop/web")
    assert found is not None
    assert pending(store, found, Packet(port=443)).cause == cause


def test_a_probe_that_reaches_some_nodes_leaves_those_in() -> None:
    """A rule that denies one node's address takes that node out of rotation and says so."""

    def change(objects: Objects) -> None:
        deny = rule(name="deny", access="Deny", priority=300, sourceAddressPrefix="*", destinationPortRange="*")
        deny["properties"]["destinationAddressPrefix"] = "10.224.0.5"
        objects["subnet-nsg"] = group("subnet-nsg", rule(name="allow-web", priority=200), deny)

    found = entry(made(*bent(change)))
    assert [node.name for node in found.nodes] == ["node-1"]
    probe = next(step for step in found.steps if step.kind is Kind.LB_PROBE)
    assert [item.rule for item in probe.considered] == ["node node-2"]
    assert "N04" in probe.considered[0].why


def test_an_interface_that_no_list_has_is_taken_to_have_the_groups_of_its_nodes() -> None:
    """Interfaces of scale sets are listed apart: the one group that AKS made for nodes stands in, as an assumption."""

    def change(objects: Objects) -> None:
        del objects["nic-1"]
        objects["aks-nsg"] = group("aks-agentpool-1234-nsg", rule())

    step = into(made(*bent(change)))[-1]
    assert step.verdict is Verdict.PASS
    assert any("aks-agentpool-1234-nsg" in text for text in step.assumptions)


def test_both_groups_that_deny_are_told() -> None:
    """The first break ends the road, the second is named as well: mending one alone would not help."""

    def change(objects: Objects) -> None:
        subnet_group()(objects)
        node_group()(objects)

    assert [step.cause for step in into(made(*bent(change)))] == ["N01", "N09"]
