"""Security admin rules of Azure Virtual Network Manager: evaluated where they are read, assumed away where not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aksnav.model.azure.admin import SecurityAdminRule
from aksnav.model.azure.network import VirtualNetwork
from aksnav.sources.capture import changes
from aksnav.store.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.azure import nsg
from aksnav.trace.azure.admin_rules import AdminDecision, evaluate
from aksnav.trace.azure.nsg_rules import INBOUND, Context
from aksnav.trace.packet import Packet
from aksnav.trace.step import Certainty, Kind, Outcome, Step, Verdict
from tests.unit.azure_nsg.rules import SPACE, packet
from tests.unit.trace_edge.cloud import PUBLIC, bent
from tests.unit.trace_edge.world import ARM, Json, address, made, the_node

Objects = dict[str, Json]
CLIENT = packet("203.0.113.9", PUBLIC, 443)
ANY = packet("internet", PUBLIC, 443)


def wire(access: str, number: int = 10, manager: str = "avnm", **change: Any) -> Json:
    """Return an admin rule as az prints it: inbound, for everything, unless the change says otherwise."""
    name = change.pop("name", f"{access.lower()}-{number}")
    head = f"{ARM}/networkManagers/{manager}/securityAdminConfigurations/base"
    return {
        "id": f"{head}/ruleCollections/edge/rules/{name}",
        "kind": "Custom",
        "access": access,
        "direction": "Inbound",
        "priority": number,
        "protocol": "Any",
        "sources": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}],
        "destinations": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}],
        "sourcePortRanges": ["0-65535"],
        "destinationPortRanges": ["0-65535"],
        "provisioningState": "Succeeded",
        "ruleGroups": [{"id": f"{ARM}/networkManagers/{manager}/networkGroups/all"}],
        **change,
    }


def end(text: str, kind: str = "IPPrefix") -> list[Json]:
    """Return one end of a rule."""
    return [{"addressPrefix": text, "addressPrefixType": kind}]


def decided(*rules: Json, what: Packet = CLIENT) -> AdminDecision:
    """Return what rules do with a packet inbound."""
    made = msgspec.convert(list(rules), list[SecurityAdminRule])
    return evaluate(made, INBOUND, what, Context(space=SPACE))


ALLOW, ALWAYS, DENY, OPEN = "allow", "alwaysallow", "deny", ""
ROWS: list[tuple[str, list[Json], Packet, str]] = [
    ("no rule: the groups decide", [], CLIENT, ALLOW),
    ("Allow: the groups decide", [wire("Allow")], CLIENT, ALLOW),
    ("AlwaysAllow ends it", [wire("AlwaysAllow")], CLIENT, ALWAYS),
    ("Deny ends it", [wire("Deny")], CLIENT, DENY),
    ("the smaller number first", [wire("Deny", 20), wire("AlwaysAllow", 10)], CLIENT, ALWAYS),
    ("an Allow before a Deny is an exception", [wire("Allow", 5), wire("Deny", 10)], CLIENT, ALLOW),
    ("the other direction is not asked", [wire("Deny", direction="Outbound")], CLIENT, ALLOW),
    ("the port does not match", [wire("Deny", destinationPortRanges=["22", "3389"])], CLIENT, ALLOW),
    ("a range of ports", [wire("Deny", destinationPortRanges=["400-500"])], CLIENT, DENY),
    ("no ports are every port", [wire("Deny", destinationPortRanges=[], sourcePortRanges=[])], CLIENT, DENY),
    ("the protocol does not match", [wire("Deny", protocol="Udp")], CLIENT, ALLOW),
    ("a service tag", [wire("Deny", sources=end("Internet", "ServiceTag"))], CLIENT, DENY),
    ("a service tag for any client", [wire("Deny", sources=end("Internet", "ServiceTag"))], ANY, DENY),
    ("several prefixes in one item", [wire("Deny", sources=end("198.51.100.0/24,203.0.113.0/24"))], CLIENT, DENY),
    ("no sources are every source", [wire("Deny", sources=[])], CLIENT, DENY),
    ("a tag that is not read", [wire("Deny", sources=end("Storage", "ServiceTag"))], CLIENT, OPEN),
    ("a tag that does not matter", [wire("Allow", 5, sources=end("Storage", "ServiceTag"))], CLIENT, ALLOW),
    ("a network group", [wire("Deny", sources=end("/x/networkGroups/hubs", "NetworkGroup"))], CLIENT, OPEN),
    ("two rules of one number that differ", [wire("Deny", 10), wire("AlwaysAllow", 10)], CLIENT, OPEN),
    ("two managers that agree", [wire("Deny"), wire("Deny", 50, "root")], CLIENT, DENY),
    ("two managers that differ", [wire("Deny"), wire("AlwaysAllow", 50, "root")], CLIENT, OPEN),
    ("a manager with nothing to say", [wire("Deny"), wire("Allow", 5, "root", protocol="Udp")], CLIENT, DENY),
]


@pytest.mark.parametrize(("what", "rules", "packet_", "access"), ROWS, ids=[row[0] for row in ROWS])
def test_admin_rules_are_evaluated_as_documented(what: str, rules: list[Json], packet_: Packet, access: str) -> None:
    """Each row is a statement of "Security admin rules", or an ambiguity that Azure's answer leaves."""
    decision = decided(*rules, what=packet_)
    assert decision.access == access, what
    assert bool(decision.unknown) == (access == OPEN)


def test_a_rule_for_some_clients_is_an_assumption_about_any() -> None:
    """Any client of the internet is taken not to be one that an admin rule denies, and it says so."""
    decision = decided(wire("Deny", sources=end("198.51.100.0/24")), what=ANY)
    assert decision.access == ALLOW
    assert "198.51.100.0/24" in decision.assumed[0]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rules=st.lists(
        st.fixed_dictionaries(
            {
                "access": st.sampled_from(["Allow", "AlwaysAllow", "Deny"]),
                "priority": st.integers(1, 4096),
                "sources": st.sampled_from(["*", "203.0.113.0/24", "10.0.0.0/8"]).map(end),
                "destinationPortRanges": st.sampled_from([["443"], ["80-90"], ["0-65535"]]),
            }
        ),
        max_size=8,
        unique_by=lambda rule: rule["priority"],
    )
)
def test_one_manager_agrees_with_the_first_match(rules: list[Json]) -> None:
    """For prefixes and ports the answer is the first rule by number that holds both, else the groups'."""
    first = next(
        (
            rule["access"].lower()
            for rule in sorted(rules, key=lambda rule: rule["priority"])
            if rule["sources"] != end("10.0.0.0/8") and rule["destinationPortRanges"] != ["80-90"]
        ),
        ALLOW,
    )
    listed = [
        wire(rule["access"], rule["priority"], **{k: rule[k] for k in rule if k not in {"access", "priority"}})
        for rule in rules
    ]
    assert decided(*listed).access == first


def governed(*rules: Json) -> Callable[[Objects], None]:
    """Put admin rules into effect on the network of the nodes."""

    def change(objects: Objects) -> None:
        objects["vnet"]["properties"]["effectiveSecurityAdminRules"] = list(rules)

    return change


def nothing(_: Objects) -> None:
    """Leave the cluster as it is: its admin rules are not read."""


def road(change: Callable[[Objects], None]) -> tuple[Step, ...]:
    """Return the steps into a node for any client."""
    store = made(*bent(change))
    return nsg.into_node(store, the_node(store, "node-1"), Packet(destination=address(PUBLIC), port=443))


def test_unread_admin_rules_are_one_assumption_of_the_whole_trace() -> None:
    """What groups do is assumed then, with the network and the command that reads them; once, however many groups."""
    answer = trace(made(*bent(nothing)), parse_request(f"tcp://{PUBLIC}:443"))
    assert (answer.outcome, answer.confidence.certainty) == (Outcome.DELIVERED, Certainty.ASSUMED)
    (line,) = (text for text in answer.confidence.because if "admin rule" in text)
    assert (
        "az network manager list-effective-security-admin-rule -g rg --subscription s --virtual-network-name vnet"
        in line
    )


def test_a_drop_by_a_group_is_assumed_as_well_while_a_rule_may_always_allow() -> None:
    """An unread AlwaysAllow would let it through: the drop is not proven."""

    def change(objects: Objects) -> None:
        objects["subnet-nsg"]["properties"]["securityRules"] = []

    answer = trace(made(*bent(change)), parse_request(f"tcp://{PUBLIC}:443"))
    assert (answer.outcome, answer.confidence.certainty) == (Outcome.DROPPED, Certainty.ASSUMED)


def test_read_admin_rules_leave_the_answer_proven() -> None:
    """None in effect, or none that matches: nothing is assumed of them."""
    for change in (governed(), governed(wire("Deny", destinationPortRanges=["22"]))):
        answer = trace(made(*bent(change)), parse_request(f"tcp://{PUBLIC}:443"))
        assert not any("admin rule" in text for text in answer.confidence.because)


def test_a_deny_drops_before_the_groups_and_they_are_told_all_the_same() -> None:
    """N18 with the rule, its manager and its fields."""
    steps = road(governed(wire("Deny", name="no-web", destinationPortRanges=["443"])))
    assert [(step.kind, step.verdict) for step in steps] == [
        (Kind.ADMIN_RULE, Verdict.DROP), (Kind.NSG, Verdict.PASS), (Kind.NSG, Verdict.PASS),
    ]  # fmt: skip
    assert (steps[0].cause, "no-web" in steps[0].summary) == ("N18", True)
    assert "network manager avnm" in steps[0].fix
    assert steps[0].evidence[0].field == ".effectiveSecurityAdminRules[0].access"


def test_an_always_allow_skips_the_groups() -> None:
    """Groups that would deny are not asked, and say why."""

    def change(objects: Objects) -> None:
        governed(wire("AlwaysAllow"))(objects)
        objects["subnet-nsg"]["properties"]["securityRules"] = []
        objects["aks-nsg"]["properties"]["securityRules"] = []

    steps = road(change)
    assert [step.verdict for step in steps] == [Verdict.PASS, Verdict.SKIP, Verdict.SKIP]
    answer = trace(made(*bent(change)), parse_request(f"tcp://{PUBLIC}:443"))
    assert answer.outcome is Outcome.DELIVERED


def test_rules_that_do_not_match_are_named_with_the_first_group() -> None:
    """They are no step of their own, but every one is accounted for."""
    first, second = road(governed(wire("Deny", name="no-ssh", destinationPortRanges=["22"])))
    assert (first.kind, second.kind) == (Kind.NSG, Kind.NSG)
    assert first.considered[0].rule == "admin 10 no-ssh"
    assert not any("admin" in item.rule for item in second.considered)


def test_an_allow_leaves_it_to_the_groups() -> None:
    """Allow is no permission: a group that denies still does."""

    def change(objects: Objects) -> None:
        governed(wire("Allow"))(objects)
        objects["subnet-nsg"]["properties"]["securityRules"] = []

    assert [step.verdict for step in road(change)] == [Verdict.PASS, Verdict.DROP, Verdict.PASS]


def test_what_cannot_be_decided_is_blind() -> None:
    """A network group whose members are not read: neither a pass nor a drop."""
    step = road(governed(wire("Deny", sources=end("/x/networkGroups/hubs", "NetworkGroup"))))[0]
    assert (step.verdict, "hubs" in step.missing) == (Verdict.BLIND, True)


def captured(folder: Path, files: dict[str, Any]) -> Store:
    """Return the store of a folder with the tests' cluster and these files."""
    objects = bent(nothing)
    kinds: dict[str, list[Json]] = {}
    for item in objects:
        if str(item.get("id", "")).startswith("/"):
            kinds.setdefault(item["kind"], []).append({key: item[key] for key in item if key != "kind"})
    for kind, items in kinds.items():
        (folder / f"{kind}.json").write_text(json.dumps(items))
    for name, document in files.items():
        (folder / name).write_text(json.dumps(document))
    store = Store()
    for change in changes(folder):
        store.apply(change)
    return store


def network(store: Store) -> VirtualNetwork:
    """Return the network of the nodes."""
    found = store.virtual_networks.get(f"{ARM}/virtualNetworks/vnet".lower())
    assert found is not None
    return found


def test_a_folder_with_the_answer_of_az_gives_it_to_its_network(tmp_path: Path) -> None:
    """The file's name says of which network it is, or there is only one."""
    answer = {"skipToken": None, "value": [wire("Deny", 7)]}
    rules = network(
        captured(tmp_path, {"effective-security-admin-rules-vnet.json": answer})
    ).effective_security_admin_rules
    assert rules is not None
    assert [(rule.access, rule.priority, rule.manager.rpartition("/")[2]) for rule in rules] == [("Deny", 7, "avnm")]


def test_an_empty_answer_says_that_none_is_in_effect(tmp_path: Path) -> None:
    """Its file's name says of what it is empty."""
    name = "az-network-manager-list-effective-security-admin-rule.json"
    assert network(captured(tmp_path, {name: {"value": []}})).effective_security_admin_rules == ()


@pytest.mark.parametrize("document", [{"skipToken": "more", "value": [wire("Allow")]}, {"value": []}, []])
def test_what_proves_nothing_is_not_taken(tmp_path: Path, document: Any) -> None:
    """One page of several, and an empty list whose file says nothing of what, leave the rules unread."""
    assert network(captured(tmp_path, {"answer.json": document})).effective_security_admin_rules is None
