"""What lies beyond the node on the way out: the internet, faults, appliances, peers, gateways and the platform."""

import pytest

from aksnav.trace.step import Kind, Outcome, Verdict
from tests.unit.azure_egress.way_out import (
    ON_PREMISES,
    PEER,
    Change,
    Objects,
    back,
    hub,
    nat_gateway,
    of,
    out,
    source,
)
from tests.unit.trace_edge.cloud import group, rule
from tests.unit.trace_edge.test_routes import DEFAULT, peered, table
from tests.unit.trace_edge.world import ARM, cluster, policy


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
