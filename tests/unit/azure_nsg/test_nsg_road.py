"""The groups of a road: which are asked, in which order, and with which addresses and ports."""

from collections.abc import Callable
from typing import Any

import pytest

from aksnav.trace import parse_request, trace
from aksnav.trace.azure import nsg, service_tags
from aksnav.trace.packet import Packet
from aksnav.trace.place import Entry
from aksnav.trace.step import Kind, Outcome, Step, Verdict
from aksnav.trace.ternary import Unknown
from tests.unit.azure_nsg.rules import JOBS, WEB
from tests.unit.trace_edge.cloud import NSG, PUBLIC, bent, group, network, rule
from tests.unit.trace_edge.test_routes import table
from tests.unit.trace_edge.world import Json, address, crossing, made, node, the_node

Objects = dict[str, Json]
Change = Callable[[Objects], None]


def nothing(_: Objects) -> None:
    """Leave the cluster as it is."""


def rules(name: str, *listed: Json) -> Change:
    """Give a group other rules; ``subnet-nsg`` or ``aks-nsg``."""

    def change(objects: Objects) -> None:
        objects[name] = group(name, *listed)

    return change


def both(*changes: Change) -> Change:
    """Return several changes as one."""

    def change(objects: Objects) -> None:
        for one in changes:
            one(objects)

    return change


def told(steps: tuple[Step, ...]) -> list[tuple[str, str]]:
    """Return where each group stands and the tuple that it saw."""
    seen = [next((fact.value for fact in step.evidence if fact.field == "packet"), "") for step in steps]
    return [(step.summary.partition(",")[0], value) for step, value in zip(steps, seen, strict=True)]


def into(change: Change, **packet: Any) -> tuple[Step, ...]:
    """Return the steps into node-1."""
    store = made(*bent(change))
    return nsg.into_node(store, the_node(store, "node-1"), Packet(**packet))


def out(change: Change, destination: str, port: int = 443, source: str = "10.224.0.4") -> tuple[Step, ...]:
    """Return the steps out of node-1."""
    store = made(*bent(change))
    what = Packet(source=address(source), destination=address(destination), port=port)
    return nsg.out_of_node(store, the_node(store, "node-1"), what)


def test_inbound_the_subnet_is_asked_before_the_interface_with_the_frontends_address() -> None:
    """With floating IP nothing is rewritten: both see the frontend's address and the Service's port."""
    steps = into(nothing, destination=address(PUBLIC), port=443)
    frontend = f"TCP Internet → {PUBLIC}:443"
    assert told(steps) == [("subnet nodes", frontend), ("network interface of node-1", frontend)]
    assert all("floating IP" in fact.note for step in steps for fact in step.evidence if fact.field == "packet")


def test_without_floating_ip_they_see_the_node_and_its_port() -> None:
    """The load balancer has rewritten it: the node's own address and the nodePort."""
    steps = into(nothing, port=31443)
    assert {value for _, value in told(steps)} == {"TCP Internet → 10.224.0.4:31443"}


def test_a_nodes_own_public_address_is_translated_before_groups_are_asked() -> None:
    """An instance's public address is not a load balancer's frontend."""

    def change(objects: Objects) -> None:
        objects["node-1"] = node("node-1", "10.224.0.4")
        objects["node-1"]["status"]["addresses"].append({"type": "ExternalIP", "address": "20.9.9.9"})

    steps = into(change, destination=address("20.9.9.9"), port=31443)
    assert {value for _, value in told(steps)} == {"TCP Internet → 10.224.0.4:31443"}


def test_outbound_the_interface_is_asked_before_the_subnet_with_the_nodes_address() -> None:
    """A Pod of an overlay leaves the cluster with its node's address."""
    steps = out(nothing, "203.0.113.9", source="10.244.0.5")
    sent = "TCP 10.224.0.4 → 203.0.113.9:443"
    assert told(steps) == [("network interface of node-1", sent), ("subnet nodes", sent)]


def test_within_one_subnet_both_ends_ask_their_groups() -> None:
    """Traffic between two machines of a subnet passes its group on the way out and on the way in."""
    change = rules("subnet-nsg", rule(access="Deny", sourceAddressPrefix="*", destinationAddressPrefix="10.224.0.0/16"))
    store = made(*bent(change))
    steps = nsg.between(store, crossing(store, "node:node-1", "node:node-2", 443))
    assert [step.summary.partition(",")[0] for step in steps] == [
        "network interface of node-1", "subnet nodes", "subnet nodes", "network interface of node-2",
    ]  # fmt: skip
    assert [step.verdict for step in steps] == [Verdict.PASS, Verdict.PASS, Verdict.DROP, Verdict.PASS]
    assert steps[2].cause == "N12"


def test_a_second_hop_has_the_first_nodes_address() -> None:
    """Where the node that took it rewrites the source, groups see the node and not the client."""
    store = made(*bent(nothing))
    hop = crossing(store, "internet", "shop/web-1", 8443, entry=Entry.CLUSTER, entry_node="node-2")
    assert {value for _, value in told(nsg.between(store, hop))} == {"TCP 10.224.0.5 → 10.244.0.5:8443"}


def test_answers_are_not_asked_again() -> None:
    """Groups are stateful: one that lets nothing out to the internet does not stop answers to what it let in."""
    closed = rule(access="Deny", direction="Outbound", priority=100, protocol="*", sourceAddressPrefix="*",
                  destinationAddressPrefix="Internet", destinationPortRange="*")  # fmt: skip
    change = rules("subnet-nsg", rule(name="allow-web", priority=200), closed)
    answer = trace(made(*bent(change)), parse_request(f"tcp://{PUBLIC}:443"))
    assert answer.outcome is Outcome.DELIVERED


@pytest.mark.parametrize(
    ("tag", "destination", "port", "verdict"),
    [
        ("Internet", "168.63.129.16", 53, Verdict.PASS),
        ("*", "168.63.129.16", 53, Verdict.PASS),
        ("168.63.129.16", "168.63.129.16", 53, Verdict.PASS),
        ("AzurePlatformDNS", "168.63.129.16", 53, Verdict.DROP),
        ("AzurePlatformIMDS", "168.63.129.16", 53, Verdict.PASS),
        ("*", "169.254.169.254", 80, Verdict.PASS),
        ("AzurePlatformIMDS", "169.254.169.254", 80, Verdict.DROP),
        ("AzurePlatformDNS", "169.254.169.254", 80, Verdict.PASS),
    ],
)
def test_the_platform_is_exempt_unless_its_tag_is_named(
    tag: str, destination: str, port: int, verdict: Verdict
) -> None:
    """Azure platform considerations: a prefix or another tag does not reach traffic of the platform."""
    named = rule(access="Deny", direction="Outbound", protocol="*", destinationPortRange="*", priority=200,
                 sourceAddressPrefix="*", destinationAddressPrefix=tag)  # fmt: skip
    before = rule(name="all", access="Deny", direction="Outbound", protocol="*", destinationPortRange="*", priority=100,
                  sourceAddressPrefix="*", destinationAddressPrefix="10.0.0.0/8")  # fmt: skip
    steps = out(rules("subnet-nsg", before, named), destination, port)
    assert steps[1].verdict is verdict


def test_a_rule_before_the_platforms_own_does_not_hide_it() -> None:
    """Only rules that name the tags are asked of the platform's traffic, whatever stands before them."""
    first = rule(name="any", access="Allow", direction="Outbound", protocol="*", destinationPortRange="*", priority=100,
                 sourceAddressPrefix="*", destinationAddressPrefix="*")  # fmt: skip
    named = rule(access="Deny", direction="Outbound", protocol="*", destinationPortRange="*", priority=200,
                 sourceAddressPrefix="*", destinationAddressPrefix="AzurePlatformDNS")  # fmt: skip
    assert out(rules("subnet-nsg", first, named), "168.63.129.16", 53)[1].verdict is Verdict.DROP


def grouped(node_number: int, *names: str) -> Change:
    """Put a node's interface into application security groups."""

    def change(objects: Objects) -> None:
        configuration = objects[f"nic-{node_number}"]["properties"]["ipConfigurations"][0]["properties"]
        configuration["applicationSecurityGroups"] = [{"id": name} for name in names]

    return change


def test_membership_is_that_of_the_interfaces_address() -> None:
    """Both ends are looked up by the interface that has the address."""
    denied = rule(access="Deny", protocol="*", destinationPortRange="*", sourceAddressPrefix="",
                  sourceApplicationSecurityGroups=[{"id": JOBS}], destinationAddressPrefix="",
                  destinationApplicationSecurityGroups=[{"id": WEB}])  # fmt: skip
    for source, target, verdict in ((JOBS, WEB, Verdict.DROP), (WEB, WEB, Verdict.PASS), (JOBS, JOBS, Verdict.PASS)):
        store = made(*bent(both(rules("aks-nsg", denied), grouped(1, source), grouped(2, target))))
        steps = nsg.between(store, crossing(store, "node:node-1", "node:node-2", 443))
        assert steps[-1].verdict is verdict


def test_a_frontend_and_an_application_security_group_are_undecided() -> None:
    """Whether a member counts where the packet has the load balancer's address is documented nowhere."""
    member = rule(destinationAddressPrefix="", destinationApplicationSecurityGroups=[{"id": WEB}])
    steps = into(both(rules("subnet-nsg", member), grouped(1, WEB)), destination=address(PUBLIC), port=443)
    assert (steps[0].verdict, "floating IP" in steps[0].missing) == (Verdict.BLIND, True)
    direct = into(
        both(
            rules("subnet-nsg", {**member, "properties": {**member["properties"], "destinationPortRange": "31443"}}),
            grouped(1, WEB),
        ),
        port=31443,
    )
    assert direct[0].verdict is Verdict.PASS


def test_a_subnet_without_a_group_filters_nothing() -> None:
    """No group, no filter; the interface's own is asked all the same."""

    def change(objects: Objects) -> None:
        objects["vnet"] = network()
        del objects["vnet"]["properties"]["subnets"][0]["properties"]["networkSecurityGroup"]

    steps = into(change, destination=address(PUBLIC), port=443)
    assert "nothing is filtered" in steps[0].summary
    assert steps[1].kind is Kind.NSG


def test_a_group_that_is_not_read_is_blind() -> None:
    """A reference to a group that is not there is no pass."""

    def change(objects: Objects) -> None:
        del objects["subnet-nsg"]

    step = into(change, destination=address(PUBLIC), port=443)[0]
    assert step.verdict is Verdict.BLIND
    assert step.subject is not None
    assert step.subject.id == f"{NSG}/subnet-nsg".lower()


def test_peers_lose_the_tag_where_access_is_off() -> None:
    """The default rules admit a peer while access is on; off, only a rule with its prefix does."""

    def peered(access: bool) -> Change:
        def change(objects: Objects) -> None:
            objects["vnet"]["properties"]["virtualNetworkPeerings"] = [
                {"name": "hub", "properties": {"peeringState": "Connected", "allowVirtualNetworkAccess": access,
                 "remoteVirtualNetworkAddressSpace": {"addressPrefixes": ["10.50.0.0/16"]}}}
            ]  # fmt: skip

        return change

    packet = {"source": address("10.50.0.9"), "port": 31443}
    assert [step.verdict for step in into(peered(True), **packet)] == [Verdict.PASS] * 2
    assert [step.verdict for step in into(peered(False), **packet)] == [Verdict.DROP] * 2


def test_a_client_with_a_route_of_its_own_is_delivered_in_spite_of_the_default_route() -> None:
    """AKS, "Limit egress traffic": 0.0.0.0/0 to the firewall, and its own public address straight to Internet."""
    default = {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.230.0.4"}
    own = {"addressPrefix": "203.0.113.9/32", "nextHopType": "Internet"}
    store = made(*bent(table(default, own)))
    answers = {
        who: trace(store, parse_request(f"tcp://{PUBLIC}:443", f"internet:{who}"))
        for who in ("203.0.113.9", "198.51.100.9")
    }
    assert answers["203.0.113.9"].outcome is Outcome.DELIVERED
    assert (answers["198.51.100.9"].outcome, answers["198.51.100.9"].causes) == (Outcome.DROPPED, ("R01",))


def test_the_table_of_tags_says_what_is_not_known() -> None:
    """A date, a name for each, fixed addresses where a document says them, and otherwise neither yes nor no."""
    assert service_tags.AS_OF.count("-") == 2
    for tag in ("Storage", "storage.westeurope", "AzureFrontDoor.Backend", "VirtualNetwork", "AzurePlatformLKM"):
        assert service_tags.is_known(tag)
    for word in ("Storage.", "AzureActiveDirectory.WestEurope", "10.0.0.300", "NewService"):
        assert not service_tags.is_known(word)
    unread = service_tags.holds("Storage", address("20.60.1.1"))
    assert isinstance(unread, Unknown)
    assert service_tags.AS_OF in unread.why
