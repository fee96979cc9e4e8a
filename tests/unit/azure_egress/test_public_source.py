"""Which public address a packet leaves with: the order of precedence of NAT gateway, own address, rule and default."""

import pytest

from aksnav.model.azure.network import OutboundRule
from aksnav.trace.azure.outbound import ports_per_node
from aksnav.trace.step import Kind, Outcome, Verdict
from tests.unit.azure_egress.way_out import (
    GATEWAY,
    Change,
    Objects,
    default_access,
    nat_gateway,
    node_with_public_address,
    of,
    out,
    outbound_rule,
    profile,
    source,
    subnet,
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
