"""What security groups, source ranges and probes say of a client of the internet that nobody named."""

from typing import Any

from aksnav.checks.finding import Proof
from aksnav.checks.sweep import sweep
from aksnav.sources.demo.azure_network import rule
from aksnav.trace.step import Certainty, Kind, Outcome, Step
from tests.unit.trace_walk.changed_demo import ChangedDemo

MQTT = "tcp://20.50.1.9:8883"
GROUP = "nsg-contoso-nodes"


def add_rule(made: ChangedDemo, name: str, priority: int, access: str, source: str, **more: Any) -> None:
    """Add an inbound rule to the group of the nodes' subnet."""
    group = made.get("networkSecurityGroups", GROUP)
    wire = rule(group["id"], name, priority, "Inbound", access, source, "*", protocol="Tcp", ports=["8883"])
    wire["properties"].update(more)
    group["properties"]["securityRules"].append(wire)


def group_break(made: ChangedDemo) -> Step:
    """Return the first break of a security group."""
    return next(step for step in made.ask(MQTT).breaks if step.kind is Kind.NSG)


def test_that_some_clients_are_denied_is_said_of_any_client() -> None:
    """Any client of the internet passes, unless it is in the range that an earlier rule denies: an assumption."""
    made = ChangedDemo()
    add_rule(made, "no-scanner", 90, "Deny", "198.41.0.0/16")
    answer = made.ask(MQTT)
    assert answer.outcome is Outcome.DELIVERED
    assert answer.confidence.certainty is Certainty.ASSUMED
    assert any("the client is not in 198.41.0.0/16: rule 90 no-scanner" in line for line in answer.confidence.because)
    assert made.ask(MQTT, "internet:198.41.7.7").outcome is Outcome.DROPPED
    assert made.ask(MQTT, "internet:20.1.2.3").confidence.certainty is Certainty.PROVEN


def test_a_tag_of_some_clients_counts_like_a_range() -> None:
    """A service tag holds some addresses of the internet."""
    made = ChangedDemo()
    add_rule(made, "no-front-door", 90, "Deny", "AzureFrontDoor.Backend")
    assert made.ask(MQTT).confidence.certainty is Certainty.ASSUMED


def test_rules_for_the_probe_or_the_network_say_nothing_of_clients_of_the_internet() -> None:
    """VirtualNetwork, AzureLoadBalancer and private ranges hold no client of the internet: the proof stays."""
    made = ChangedDemo()
    add_rule(made, "no-office", 91, "Deny", "10.9.0.0/16")
    add_rule(made, "probe", 92, "Deny", "AzureLoadBalancer", destinationPortRanges=["8080"])
    assert made.ask(MQTT).confidence.certainty is Certainty.PROVEN


def test_source_ranges_that_leave_most_clients_out_are_a_hint_and_no_fault() -> None:
    """An office range on a load balancer may be meant so (N05): nothing proves a fault."""
    made = ChangedDemo()
    made.get("Service", "iot/mqtt")["spec"]["loadBalancerSourceRanges"] = ["203.0.113.0/24"]
    answer = made.ask(MQTT)
    assert (answer.outcome, answer.confidence.certainty) == (Outcome.DROPPED, Certainty.ASSUMED)
    assert [(item.id, item.proof) for item in sweep(made.store())] == [("N05", Proof.HINT)]


def test_a_rule_by_application_groups_shows_them() -> None:
    """The deciding field of such a rule is not an empty prefix."""
    made = ChangedDemo()
    groups = [{"id": "/subscriptions/s/asg-web"}]
    add_rule(made, "asg", 90, "Deny", "*", destinationAddressPrefix="", destinationApplicationSecurityGroups=groups)
    facts = {fact.field.rpartition(".")[2]: fact.value for fact in group_break(made).evidence}
    assert facts["destinationApplicationSecurityGroups"] == "/subscriptions/s/asg-web"
    assert "destinationAddressPrefix" not in facts


def test_a_rule_by_source_ports_shows_them() -> None:
    """What cannot be decided because of source ports names them."""
    made = ChangedDemo()
    add_rule(made, "ports", 90, "Deny", "*", sourcePortRange="1024-2000")
    assert "1024-2000" in {fact.value for fact in group_break(made).evidence}


def test_a_probe_that_a_rule_stops_is_checked_at_the_rule() -> None:
    """The command shows the rule that decides (N04), not the probe; what it stops behind the probe is told as well."""
    made = ChangedDemo()
    add_rule(made, "deny-all", 4096, "Deny", "*", destinationPortRanges=[], destinationPortRange="*")
    step, behind = made.ask(MQTT).breaks
    assert step.cause == "N04"
    assert behind.cause == "N11"
    assert f"--nsg-name {GROUP}" in step.confirm
