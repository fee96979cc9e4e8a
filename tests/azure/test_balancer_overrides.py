"""What goes before a load balancer's rule, probe and pool: admin state, inbound NAT rules, chains, all members down."""

from pathlib import Path
from typing import Any

import pytest

from aksnav.trace import parse_request, trace
from aksnav.trace.step import Kind, Outcome, Step, Trace, Verdict
from tests.azure.cluster_objects import Objects, base, internal
from tests.azure.cut_objects import Bend, first, parts
from tests.azure.ways_in import read, road
from tests.unit.trace_edge.cloud import PREFIX, group


def traced(folder: Path, *bends: Bend, to: str = "https://20.50.1.7") -> Trace:
    """Return the trace of the base after some changes."""
    made = base()
    for bend in bends:
        bend(made)
    return trace(read(folder, made), parse_request(to))


def step(found: Trace, kind: Kind) -> Step:
    """Return the step of a kind."""
    return next(item for item in road(found.steps) if item.kind is kind)


def by_address(*states: str) -> Bend:
    """Put the nodes into the pool by address, with these admin states."""

    def bend(made: Objects) -> None:
        members = [
            {"name": f"n{number}", "properties": {"ipAddress": f"10.224.0.{number}", "adminState": state}}
            for number, state in enumerate(states, start=4)
        ]
        parts(made, "backendAddressPools")[0]["properties"] = {"loadBalancerBackendAddresses": members}

    return bend


def by_interface(*states: str) -> Bend:
    """Put the nodes into the pool by interface; ARM lists them by address as well, where their admin state stands."""

    def bend(made: Objects) -> None:
        pool = parts(made, "backendAddressPools")[0]["properties"]
        pool["loadBalancerBackendAddresses"] = [
            {"name": f"n{number}", "properties": {"networkInterfaceIPConfiguration": item, "adminState": state}}
            for number, (item, state) in enumerate(zip(pool["backendIPConfigurations"], states, strict=True))
        ]

    return bend


@pytest.mark.parametrize("member", [by_address, by_interface])
def test_a_pool_of_which_every_member_is_taken_out_by_hand_takes_nothing(tmp_path: Path, member: Any) -> None:
    """AdminState Down: no new connections, whatever the probe says (load-balancer/admin-state-overview)."""
    found = traced(tmp_path, member("Down", "Down"))
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("L10",))
    pool = step(found, Kind.LB_POOL)
    assert [(fact.field.rpartition(".")[2], fact.value) for fact in pool.evidence][-1] == ("adminState", "Down")


@pytest.mark.parametrize("member", [by_address, by_interface])
def test_a_member_that_is_taken_out_by_hand_gets_nothing_and_the_others_do(tmp_path: Path, member: Any) -> None:
    """One node of two is left, and the pool says why."""
    found = traced(tmp_path, member("Down", "None"))
    pool = step(found, Kind.LB_POOL)
    assert found.outcome is Outcome.DELIVERED
    assert "1 of 2 nodes" in pool.summary or "node node-2 takes it" in pool.summary
    assert [item.rule for item in pool.considered if "adminState" in item.why] == ["node node-1"]


def test_admin_state_has_no_effect_on_a_rule_without_a_probe(tmp_path: Path) -> None:
    """It goes before a probe, and there is none."""
    assert traced(tmp_path, by_address("Down", "Down"), lambda made: first(made).pop("probe")).outcome is (
        Outcome.DELIVERED
    )


def test_a_member_that_stands_in_both_lists_of_a_pool_is_one(tmp_path: Path) -> None:
    """Two nodes, each by interface and by address."""
    pool = step(traced(tmp_path, by_interface("None", "None")), Kind.LB_POOL)
    assert pool.evidence[0].value == "2 members"


def wrong_probe(made: Objects) -> None:
    parts(made, "probes")[0]["properties"]["port"] = 9999


def test_a_probe_that_is_up_nowhere_stops_everything(tmp_path: Path) -> None:
    """The default: noHealthyBackendsBehavior AllProbedDown."""
    found = traced(tmp_path, wrong_probe)
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("L13",))


def test_with_all_probed_up_members_get_connections_though_the_probe_is_up_nowhere(tmp_path: Path) -> None:
    """AllProbedUp: the load balancer then sends to every member; what was wrong with the probe is still told."""

    def bend(made: Objects) -> None:
        parts(made, "probes")[0]["properties"]["noHealthyBackendsBehavior"] = "AllProbedUp"

    found = traced(tmp_path, wrong_probe, bend)
    probe = step(found, Kind.LB_PROBE)
    assert (found.outcome, probe.verdict) == (Outcome.DELIVERED, Verdict.PASS)
    assert probe.considered[0].rule == "L13"
    assert probe.evidence[-1].value == "AllProbedUp"


@pytest.mark.parametrize(
    "ports", [{"frontendPort": 2222}, {"frontendPortRangeStart": 2200, "frontendPortRangeEnd": 2300}]
)
def test_a_port_that_an_inbound_nat_rule_takes_is_not_dropped(tmp_path: Path, ports: dict[str, int]) -> None:
    """Which machine it leads to is not followed: undecided, not a missing rule."""

    def bend(made: Objects) -> None:
        properties = {
            "frontendIPConfiguration": {"id": parts(made, "frontendIPConfigurations")[0]["id"]},
            "protocol": "Tcp",
            "backendPort": 22,
            **ports,
        }
        made["lb"]["properties"]["inboundNatRules"] = [{"name": "ssh", "properties": properties}]

    found = traced(tmp_path, bend, to="tcp://20.50.1.7:2222")
    assert (found.outcome, found.causes) == (Outcome.UNDECIDED, ())
    assert found.confidence.because == ("az.lb.rule: the machine behind inbound NAT rule ssh",)


def test_a_frontend_that_is_chained_to_a_gateway_load_balancer_is_undecided(tmp_path: Path) -> None:
    """What comes goes through appliances first, whose rules nobody reads; the rest of the road is told."""
    gateway = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/loadBalancers/gw"

    def bend(made: Objects) -> None:
        front = parts(made, "frontendIPConfigurations")[0]["properties"]
        front["gatewayLoadBalancer"] = {"id": f"{gateway}/frontendIPConfigurations/appliances"}

    found = traced(tmp_path, bend)
    assert found.outcome is Outcome.UNDECIDED
    assert step(found, Kind.FIREWALL).evidence[0].field.endswith(".gatewayLoadBalancer.id")
    assert road(found.steps)[-1].kind is Kind.DELIVER


def test_behind_a_rule_that_is_not_there_a_group_that_denies_is_told_too(tmp_path: Path) -> None:
    """The second break: who mends the first one meets it."""

    def bend(made: Objects) -> None:
        made["lb"]["properties"]["loadBalancingRules"] = []
        made["subnet-nsg"] = group("subnet-nsg")

    found = traced(tmp_path, bend)
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("L08", "N01"))


def test_a_rule_for_one_port_goes_before_one_for_every_port(tmp_path: Path) -> None:
    """HA ports take what no other rule of the frontend takes."""

    def bend(made: Objects) -> None:
        listed = parts(made, "loadBalancingRules")
        every = {**first(made), "protocol": "All", "frontendPort": 0, "backendPort": 0}
        listed.insert(0, {"name": "ha", "properties": every})

    rule = step(traced(tmp_path, bend), Kind.LB_RULE)
    assert rule.summary.startswith(f"rule {PREFIX}-TCP-443 takes")
    assert [item.rule for item in rule.considered if item.why == "takes All 0"] == ["rule ha"]


def bare(made: Objects) -> None:
    """Take every security group away."""
    del made["vnet"]["properties"]["subnets"][0]["properties"]["networkSecurityGroup"]
    for name in ("nic-1", "nic-2"):
        del made[name]["properties"]["networkSecurityGroup"]


def test_a_standard_public_address_is_closed_where_no_group_opens_it(tmp_path: Path) -> None:
    """Secure by default: no group is no permission from the internet (load-balancer/load-balancer-overview)."""
    found = traced(tmp_path, bare)
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("N01",))
    assert [(fact.field, fact.value) for fact in found.breaks[0].evidence] == [
        (".networkSecurityGroup", "(none)"),
        (".sku.name", "Standard"),
    ]


def test_a_basic_public_address_is_open_where_no_group_closes_it(tmp_path: Path) -> None:
    """It was open by default."""
    assert traced(tmp_path, bare, lambda made: made["pip"]["sku"].update(name="Basic")).outcome is Outcome.DELIVERED


def test_an_internal_load_balancer_needs_no_group(tmp_path: Path) -> None:
    """What comes from the network itself is let in."""

    def bend(made: Objects) -> None:
        internal(made)
        bare(made)

    made = base()
    bend(made)
    found = trace(read(tmp_path, made), parse_request("https://10.224.0.200", source="10.224.9.9"))
    assert found.outcome is Outcome.DELIVERED


def test_a_port_that_only_the_rule_for_every_port_takes_is_said_to_be_no_port_of_the_service(tmp_path: Path) -> None:
    """The load balancer sends it to the nodes, where nothing translates it: undecided, with the Service's ports."""

    def bend(made: Objects) -> None:
        first(made).update(protocol="All", frontendPort=0, backendPort=0)

    found = traced(tmp_path, bend, to="tcp://20.50.1.7:9999")
    last = road(found.steps)[-1]
    assert (found.outcome, last.kind, last.verdict) == (Outcome.UNDECIDED, Kind.SERVICE_PORT, Verdict.BLIND)
    assert [(fact.field, fact.value) for fact in last.evidence] == [(".spec.ports[].port", "TCP 443")]
