"""The way out of the cluster, through the trace: whose address, which hop, which public source, what lies beyond."""

from collections.abc import Callable
from typing import Any

import pytest

from aksnav.model.addresses import format_address
from aksnav.model.azure.network import OutboundRule
from aksnav.trace import parse_request, trace
from aksnav.trace.azure.outbound import ports_per_node
from aksnav.trace.step import Kind, Outcome, Step, Trace, Verdict
from tests.unit.trace_edge.cloud import RG, bent, group, rule
from tests.unit.trace_edge.test_routes import DEFAULT, peered, table
from tests.unit.trace_edge.world import ARM, Json, cluster, made, policy

Objects = dict[str, Json]
Change = Callable[[Objects], None]
NET = f"{RG}/Microsoft.Network"
GATEWAY = f"{NET}/natGateways/natgw"
WAY = f"{NET}/publicIPAddresses/out"
INTERNET, ON_PREMISES, PEER, INSIDE = "203.0.113.9", "172.16.0.9", "10.50.0.9", "10.224.9.9"


def out(*changes: Change, target: str = INTERNET, port: int = 443, denied: tuple[str, ...] = ()) -> Trace:
    """Return the trace of shop/web-1 to an address."""

    def change(objects: Objects) -> None:
        for item in changes:
            item(objects)

    store = made(*bent(change), denied=denied)
    return trace(store, parse_request(f"tcp://{target}:{port}", source="pod/shop/web-1"))


def of(found: Trace, kind: Kind) -> Step:
    """Return the one step of a kind."""
    (step,) = [step for step in found.steps if step.kind is kind]
    return step


def source(step: Step) -> str:
    """Return the source behind a step."""
    packet = step.packet_after if step.packet_after is not None else step.packet
    return "" if packet.source is None else format_address(packet.source)


def subnet(objects: Objects) -> Json:
    """Return the node subnet's properties."""
    found: Json = objects["vnet"]["properties"]["subnets"][0]["properties"]
    return found


def profile(**fields: Any) -> Change:
    """Give the cluster another network profile."""

    def change(objects: Objects) -> None:
        objects["cluster"] = cluster(networkPolicy="azure", **fields)

    return change


def nat_gateway(*addresses: str, **properties: Any) -> Change:
    """Put a NAT gateway with public addresses on the node subnet."""

    def change(objects: Objects) -> None:
        subnet(objects)["natGateway"] = {"id": GATEWAY}
        idents = [f"{WAY}{number}" for number in range(len(addresses))]
        for ident, text in zip(idents, addresses, strict=True):
            objects[ident] = {
                "kind": "publicIPAddresses", "id": ident, "name": ident.rpartition("/")[2],
                "properties": {"ipAddress": text, "natGateway": {"id": GATEWAY}},
            }  # fmt: skip
        listed = [{"id": ident} for ident in idents]
        objects["natgw"] = {
            "kind": "natGateways", "id": GATEWAY, "name": "natgw", "sku": {"name": "Standard"},
            "properties": {"publicIpAddresses": listed, **properties},
        }  # fmt: skip

    return change


def outbound_rule(ports: int = 0, members: tuple[str, ...] = ("node-1", "node-2")) -> Change:
    """Give the load balancer an outbound rule whose pool has these nodes."""

    def change(objects: Objects) -> None:
        properties = objects["lb"]["properties"]
        ident = objects["lb"]["id"]
        pool = f"{ident}/backendAddressPools/aksOutboundBackendPool"
        listed = [{"id": f"{NET}/networkInterfaces/{name}-nic/ipConfigurations/ipconfig1"} for name in members]
        properties["backendAddressPools"].append(
            {"id": pool, "name": "aksOutboundBackendPool", "properties": {"backendIPConfigurations": listed}}
        )
        front = properties["frontendIPConfigurations"][0]["id"]
        properties["outboundRules"] = [
            {
                "id": f"{ident}/outboundRules/aksOutboundRule",
                "name": "aksOutboundRule",
                "properties": {
                    "backendAddressPool": {"id": pool},
                    "frontendIPConfigurations": [{"id": front}],
                    "allocatedOutboundPorts": ports,
                },
            }
        ]

    return change


def default_access(value: bool | None) -> Change:
    """Let the node subnet say whether it has default outbound access."""

    def change(objects: Objects) -> None:
        subnet(objects)["defaultOutboundAccess"] = value

    return change


def node_with_public_address(objects: Objects) -> None:
    """Give node-1 a public address of its own (enableNodePublicIP)."""
    objects["node-1"]["status"]["addresses"].append({"type": "ExternalIP", "address": "20.90.0.4"})


def in_node_subnet(objects: Objects) -> None:
    """Make it an Azure CNI node subnet cluster: the Pod has an address of the subnet."""
    objects["cluster"] = cluster(networkPolicy="azure")
    objects["cluster"]["properties"]["agentPoolProfiles"] = [{"name": "np"}]
    pod_at(objects, "10.224.0.50")


def in_pod_subnet(objects: Objects) -> None:
    """Make it a cluster whose Pods have a subnet of their own."""
    objects["cluster"] = cluster(networkPolicy="azure")
    ident = f"{ARM}/virtualNetworks/vnet/subnets/pods"
    objects["cluster"]["properties"]["agentPoolProfiles"] = [{"name": "np", "podSubnetID": ident}]
    objects["vnet"]["properties"]["subnets"].append(
        {"id": ident, "name": "pods", "properties": {"addressPrefix": "10.225.0.0/16"}}
    )
    pod_at(objects, "10.225.0.50")


def pod_at(objects: Objects, ip: str) -> None:
    """Give shop/web-1 another address."""
    objects["pod"]["status"] |= {"podIP": ip, "podIPs": [{"ip": ip}]}


# Whose address: AKS documentation, networking concepts (aks-networking.md 1.2).


@pytest.mark.parametrize(
    ("changes", "target", "seen"),
    [
        ((), INTERNET, "10.224.0.4"),  # Azure CNI Overlay, "leaves the cluster with the node's address"
        ((), PEER, "10.224.0.4"),
        ((profile(networkPlugin="kubenet", podCidr="10.244.0.0/16"),), PEER, "10.224.0.4"),  # Use kubenet networking
        ((in_node_subnet,), INTERNET, "10.224.0.4"),  # node subnet: outside of the network the node is seen
        ((in_node_subnet,), INSIDE, "10.224.0.50"),  # and inside of it the Pod
        ((in_pod_subnet,), INTERNET, "10.225.0.50"),  # pod subnet: always the Pod
        ((in_pod_subnet,), PEER, "10.225.0.50"),
    ],
)
def test_behind_the_node_a_packet_has_the_address_that_the_network_model_gives_it(
    changes: tuple[Change, ...], target: str, seen: str
) -> None:
    """The route and the security groups see the address behind the node."""
    found = out(*changes, peered("Connected"), nat_gateway("20.60.0.1"), target=target)
    groups = [step for step in found.steps if step.kind is Kind.NSG]
    assert {source(step) for step in groups} == {seen}
    assert source(of(found, Kind.ROUTE)) == seen


MASQ = "azure-ip-masq-agent-config"


def masq(text: str, name: str = MASQ) -> Change:
    """Add a ConfigMap of ip-masq-agent."""

    def change(objects: Objects) -> None:
        meta = {"name": name, "namespace": "kube-system"}
        objects[name] = {"kind": "ConfigMap", "metadata": meta, "data": {"ip-masq-agent": text}}

    return change


def test_masquerading_of_a_node_subnet_is_assumed_where_its_configuration_is_not_read() -> None:
    """ip-masq-agent can be told to except destinations."""
    found = out(in_node_subnet, nat_gateway("20.60.0.1"), denied=("ConfigMap",))
    step = next(step for step in found.steps if step.kind is Kind.SNAT)
    assert step.assumptions == ("ip-masq-agent does not except this destination: forbidden",)


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ((), "10.224.0.4"),
        ((masq("nonMasqueradeCIDRs:\n  - 203.0.113.0/24\nmasqLinkLocal: true\n"),), "10.224.0.50"),
        ((masq('{"nonMasqueradeCIDRs": ["203.0.113.0/24"], "masqLinkLocal": true}'),), "10.224.0.50"),
        ((masq("nonMasqueradeCIDRs: [198.51.100.0/24, '203.0.113.0/24']"),), "10.224.0.50"),
        ((masq("nonMasqueradeCIDRs:\nmasqLinkLocal: true\nresyncInterval: 60s"),), "10.224.0.4"),
        ((masq("nonMasqueradeCIDRs:\n  -\nmasqLinkLocal: true"),), "10.224.0.4"),
        ((masq("nonMasqueradeCIDRs:\n - 10.0.0.0/8 # ours"), masq("nonMasqueradeCIDRs:\n- 203.0.113.0/24",
                                                                  f"{MASQ}-reconciled")), "10.224.0.50"),
    ],
)  # fmt: skip
def test_ip_masq_agents_configuration_excepts_destinations(changes: tuple[Change, ...], seen: str) -> None:
    """Both ConfigMaps count (Azure/ip-masq-agent-v2, README); JSON and YAML as its users write them."""
    found = out(in_node_subnet, nat_gateway("20.60.0.1"), *changes)
    assert source(of(found, Kind.ROUTE)) == seen
    assert not any("ip-masq-agent" in line for step in found.steps for line in step.assumptions)


def test_a_configuration_that_cannot_be_understood_is_not_guessed() -> None:
    """That ConfigMap alone: the assumption names it."""
    found = out(in_node_subnet, nat_gateway("20.60.0.1"), masq("]["))
    step = next(step for step in found.steps if step.kind is Kind.SNAT)
    assert (
        "ConfigMap kube-system/azure-ip-masq-agent-config .data.ip-masq-agent cannot be understood"
        in (step.assumptions[0])
    )


def test_with_a_cni_of_ones_own_nobody_knows_whose_address_it_is() -> None:
    """Bring your own CNI: not guessed."""

    def own(objects: Objects) -> None:
        profile(networkPlugin="none")(objects)
        pod_at(objects, "10.99.0.5")

    step = of(out(own), Kind.SNAT)
    assert (step.verdict, step.missing) == (
        Verdict.BLIND,
        "whether the cluster's own CNI translates addresses of Pods",
    )


# Which public source: Azure documentation, nat-overview.md and default-outbound-access.md (order of precedence).


def test_a_nat_gateway_comes_before_everything_else() -> None:
    """Its one address is the one that the internet sees."""
    step = of(out(nat_gateway("20.60.0.1"), outbound_rule(), node_with_public_address), Kind.NAT_GATEWAY)
    assert (step.verdict, source(step)) == (Verdict.TRANSFORM, "20.60.0.1")
    assert step.summary == "NAT gateway natgw translates the source, seen as 20.60.0.1"


def test_of_several_addresses_any_may_be_seen() -> None:
    """Both are named; the packet's source is not made up."""
    step = of(out(nat_gateway("20.60.0.1", "20.60.0.2")), Kind.NAT_GATEWAY)
    assert step.summary.endswith("seen as 20.60.0.1 or 20.60.0.2")
    assert source(step) == "10.224.0.4"


def test_a_nat_gateway_without_an_address_lets_nothing_out() -> None:
    """R14, with the empty field."""
    found = out(nat_gateway())
    step = of(found, Kind.NAT_GATEWAY)
    assert (step.verdict, step.cause, found.outcome) == (Verdict.DROP, "R14", Outcome.DROPPED)
    assert ("publicIpAddresses", "(none)") in {(fact.field.lstrip("."), fact.value) for fact in step.evidence}


def test_a_nat_gateway_that_cannot_be_read_is_assumed_by_name() -> None:
    """It is on the subnet; whether it has an address is not known."""

    def unread(objects: Objects) -> None:
        subnet(objects)["natGateway"] = {"id": GATEWAY}

    step = of(out(unread, denied=("natGateways",)), Kind.NAT_GATEWAY)
    assert step.verdict is Verdict.TRANSFORM
    assert "Microsoft.Network/natGateways/read" in step.assumptions[0]


def test_a_nodes_own_public_address_comes_before_the_load_balancers_rule() -> None:
    """A pool with enableNodePublicIP."""
    found = out(outbound_rule(), node_with_public_address)
    translated = [step for step in found.steps if step.kind is Kind.SNAT][-1]
    assert (source(translated), translated.subject and translated.subject.kind) == ("20.90.0.4", "Node")


def test_an_outbound_rule_translates_with_the_frontends_address_and_says_how_many_ports() -> None:
    """No ports allocated: by the size of the pool."""
    found = out(outbound_rule())
    translated = [step for step in found.steps if step.kind is Kind.SNAT][-1]
    assert source(translated) == "20.50.1.7"
    assert "1024 ports a node" in translated.summary
    assert translated.evidence[1].field == ".outboundRules[?name=='aksOutboundRule'].allocatedOutboundPorts"


@pytest.mark.parametrize(
    ("size", "ports"),
    [(1, 1024), (50, 1024), (51, 512), (100, 512), (101, 256), (200, 256), (201, 128), (400, 128), (401, 64),
     (800, 64), (801, 32), (1000, 32)],
)  # fmt: skip
def test_ports_by_the_pools_size_are_those_of_azures_table(size: int, ports: int) -> None:
    """Azure documentation, load-balancer-outbound-connections, "Default port allocation", for each frontend address."""
    assert ports_per_node(OutboundRule(arm_id="/x"), size, 1)[0] == ports
    assert ports_per_node(OutboundRule(arm_id="/x"), size, 3)[0] == 3 * ports


def test_allocated_ports_are_those_of_each_machine() -> None:
    """AKS documentation, configure-load-balancer-standard, allocatedOutboundPorts."""
    assert ports_per_node(OutboundRule(arm_id="/x", allocated_outbound_ports=4000), 300, 2)[0] == 4000


def test_a_node_outside_of_the_rules_pool_has_nothing_of_it() -> None:
    """Only node-2 is in the pool."""
    found = out(outbound_rule(members=("node-2",)), default_access(False))
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("R14",))


def test_that_a_node_is_in_a_pool_without_members_is_assumed() -> None:
    """The pool may be empty, or its members may not have been written down: nobody says that it holds the node."""
    found = out(outbound_rule(members=()), default_access(False))
    translated = [step for step in found.steps if step.kind is Kind.SNAT][-1]
    assert translated.assumptions == (
        "node node-1 is in backend pool aksOutboundBackendPool of kubernetes: its members are not told",
    )


@pytest.mark.parametrize(
    ("changes", "verdict", "outcome"),
    [
        ((default_access(True),), Verdict.PASS, Outcome.UNDECIDED),
        ((default_access(False),), Verdict.DROP, Outcome.DROPPED),
        ((default_access(None),), Verdict.BLIND, Outcome.UNDECIDED),
        ((default_access(None), profile(networkPluginMode="overlay", podCidr="10.244.0.0/16", outboundType="none")),
         Verdict.DROP, Outcome.DROPPED),
    ],
)  # fmt: skip
def test_without_gateway_address_and_rule_the_subnets_default_decides(
    changes: tuple[Change, ...], verdict: Verdict, outcome: Outcome
) -> None:
    """True, false, not said; and an outbound type that provides nothing."""
    found = out(*changes)
    step = of(found, Kind.NAT_GATEWAY)
    assert (step.verdict, found.outcome) == (verdict, outcome)
    assert (step.cause == "R14") == (verdict is Verdict.DROP)


def test_load_balancers_that_cannot_be_read_leave_it_open() -> None:
    """There may be a rule: no R14."""
    found = out(default_access(False), denied=("loadBalancers",))
    step = of(found, Kind.NAT_GATEWAY)
    assert (step.verdict, step.cause) == (Verdict.BLIND, "")
    assert "Microsoft.Network/loadBalancers/read" in step.missing


# What lies beyond.


def test_the_internet_itself_is_named_as_what_is_not_read() -> None:
    """Everything on the way passes; what answers there nobody says, so it is undecided and never delivered."""
    found = out(nat_gateway("20.60.0.1"))
    assert found.outcome is Outcome.UNDECIDED
    assert found.steps[-1].verdict is Verdict.BLIND
    assert found.steps[-1].summary == (
        "the packet leaves for 203.0.113.9:443: what answers there is outside of what is read"
    )
    assert source(found.steps[-1]) == "20.60.0.1"


@pytest.mark.parametrize(
    ("change", "kind", "cause"),
    [
        (lambda objects: objects.update(policy=policy("shop/out", policyTypes=["Egress"], egress=[])), "policy", "P08"),
        (
            lambda objects: objects.update(
                {
                    "subnet-nsg": group(
                        "subnet-nsg",
                        rule(
                            name="deny-out", direction="Outbound", access="Deny", sourceAddressPrefix="*",
                            destinationAddressPrefix="Internet",
                        ),
                    )
                }
            ),
            "nsg",
            "N17",
        ),
        (table({"addressPrefix": "203.0.113.0/24", "nextHopType": "None"}), "route", "R02"),
    ],
)  # fmt: skip
def test_a_fault_on_the_way_out_ends_the_road(change: Change, kind: str, cause: str) -> None:
    """Policy, group, black hole: the first that drops it, with field and fix, and nothing is told behind it."""
    found = out(change, nat_gateway("20.60.0.1"))
    (broken,) = found.breaks
    assert (str(broken.kind).rpartition(".")[2], broken.verdict, broken.cause) == (kind, Verdict.DROP, cause)
    assert broken.evidence
    assert broken.fix
    assert found.outcome is Outcome.DROPPED


def test_an_appliance_is_named_and_never_passed() -> None:
    """A default route to 10.230.0.4: its rules are not read."""
    step = of(out(table(DEFAULT)), Kind.FIREWALL)
    assert step.verdict is Verdict.UNSUPPORTED
    assert step.missing == "the rules of the appliance at 10.230.0.4"


def test_azure_firewall_is_named_by_its_subnet() -> None:
    """The next hop is in AzureFirewallSubnet."""

    def firewall(objects: Objects) -> None:
        table(DEFAULT)(objects)
        objects["vnet"]["properties"]["subnets"].append(
            {"id": f"{ARM}/virtualNetworks/vnet/subnets/AzureFirewallSubnet", "name": "AzureFirewallSubnet",
             "properties": {"addressPrefix": "10.230.0.0/24"}}
        )  # fmt: skip

    assert of(out(firewall), Kind.FIREWALL).missing == "the rules of Azure Firewall of vnet at 10.230.0.4"


def hub(*peerings: Json) -> Change:
    """Let the peer be readable, with its own peerings."""

    def change(objects: Objects) -> None:
        objects["hub"] = {
            "kind": "virtualNetworks", "id": f"{ARM}/virtualNetworks/hub", "name": "hub",
            "properties": {"addressSpace": {"addressPrefixes": ["10.50.0.0/16"]}, "subnets": [],
                           "virtualNetworkPeerings": list(peerings)},
        }  # fmt: skip

    return change


def back(**change: Any) -> Json:
    """Return the peer's side of the peering."""
    return {
        "name": "to-vnet",
        "properties": {
            "peeringState": "Connected", "allowVirtualNetworkAccess": True,
            "remoteVirtualNetwork": {"id": f"{ARM}/virtualNetworks/vnet"}, **change,
        },
    }  # fmt: skip


def test_a_peering_whose_both_sides_are_connected_leads_on() -> None:
    """Both sides are read: nothing is assumed of it."""
    step = of(out(peered("Connected"), hub(back()), target=PEER), Kind.PEERING)
    assert (step.verdict, step.assumptions) == (Verdict.PASS, ())
    assert step.evidence[0].field == ".virtualNetworkPeerings[?name=='to-hub'].peeringState"


def test_a_peer_that_cannot_be_read_is_assumed_to_be_connected() -> None:
    """Its own side may be gone: said by name."""
    step = of(out(peered("Connected"), target=PEER), Kind.PEERING)
    assert step.verdict is Verdict.PASS
    assert "the other side of peering to-hub, in hub, carries traffic too" in step.assumptions[0]


@pytest.mark.parametrize(
    "changes",
    [
        (peered("Connected"), hub(back(peeringState="Disconnected"))),
        (peered("Connected"), hub(back(allowVirtualNetworkAccess=False))),
        (peered("Connected"), hub()),
    ],
)
def test_a_peering_that_is_broken_on_the_other_side_drops(changes: tuple[Change, ...]) -> None:
    """R06 at the side that does not carry traffic."""
    found = out(*changes, target=PEER)
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("R06",))


def test_a_gateway_leads_on_premises_as_far_as_nobody_reads() -> None:
    """A route to the virtual network gateway: tunnels and learned routes are not read."""

    def through(objects: Objects) -> None:
        table({"addressPrefix": "172.16.0.0/12", "nextHopType": "VirtualNetworkGateway"})(objects)
        objects["vnet"]["properties"]["subnets"].append(
            {"id": f"{ARM}/virtualNetworks/vnet/subnets/GatewaySubnet", "name": "GatewaySubnet",
             "properties": {"addressPrefix": "10.231.0.0/24"}}
        )  # fmt: skip

    found = out(through, target=ON_PREMISES)
    blind = [step for step in found.steps if step.kind is Kind.ROUTE and step.verdict is Verdict.BLIND]
    assert [step.missing for step in blind] == ["connections and learned routes of the gateway of vnet"]
    assert found.outcome is Outcome.UNDECIDED


def test_private_addresses_that_are_nobodys_are_neither_network_nor_internet() -> None:
    """No tag of the default rules holds them (aks-networking.md 3.1), so the last rule denies."""
    found = out(target=ON_PREMISES)
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("N17",))
    assert "DenyAllOutBound" in found.breaks[0].summary


def test_platform_addresses_are_exempt_from_groups() -> None:
    """Azure's own DNS and metadata addresses are reached whatever groups say, unless they name the platform tags."""

    def change(objects: Objects) -> None:
        deny = rule(name="deny-out", direction="Outbound", access="Deny", destinationAddressPrefix="*")
        deny["properties"].update(sourceAddressPrefix="*", destinationPortRange="*")
        objects["subnet-nsg"] = group("subnet-nsg", deny)
        objects["cluster"] = cluster(networkPolicy="none", networkPluginMode="overlay", podCidr="10.244.0.0/16")

    exempt = out(change, target="168.63.129.16", port=53)
    assert not any(step.verdict is Verdict.DROP and step.kind is Kind.NSG for step in exempt.steps)
    assert any(step.cause == "N17" for step in out(change, port=53).steps)
