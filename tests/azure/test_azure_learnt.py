"""Admin rules that the user asked for are what the trace reckons with: real clients, every page, ten minutes long."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aksnav.cli import main
from aksnav.model.azure.admin import AddressItem, SecurityAdminRule
from aksnav.model.change import Change, SourceChanged
from aksnav.model.confirmation import ACTIONS, Question, Reply, Way
from aksnav.model.kinds import KINDS
from aksnav.report.confirmation import reply_lines, turned
from aksnav.sources.azure.confirm import MOST_PAGES
from aksnav.sources.capture import CaptureHeader, write_capture
from aksnav.sources.capture import changes as capture_changes
from aksnav.sources.capturing import Ear
from aksnav.sources.confirm import ask
from aksnav.sources.demo import changes, wire
from aksnav.store import Store
from aksnav.store.told import FRESH_FOR
from aksnav.trace import parse_request, trace
from aksnav.trace.confirm import confirmed, learnt, next_questions
from aksnav.trace.step import Certainty, Kind, Outcome, Trace, Verdict
from tests.azure.arm_server import Answer, Asked, error
from tests.azure.conftest import START, Bench

NETWORK = (
    "/subscriptions/8c1f4e02-6d3b-4a57-9f21-3be07c5d9a10/resourcegroups/rg-contoso-prod"
    "/providers/microsoft.network/virtualnetworks/vnet-contoso-prod"
)
POST = f"{NETWORK}/listnetworkmanagereffectivesecurityadminrules"
MANAGER = (
    "/subscriptions/8c1f4e02-6d3b-4a57-9f21-3be07c5d9a10/resourceGroups/hub"
    "/providers/Microsoft.Network/networkManagers/avnm"
)
MQTT = "tcp://20.50.1.9:8883"
CLOCK = "15:06:40 UTC"  # START on a clock
TIME = f"2025-06-15 {CLOCK}"

Rule = dict[str, Any]


def rule(access: str, priority: int = 10, name: str = "no-mqtt", **inner: Any) -> Rule:
    """Return an admin rule in the wire form of the POST: inbound, from everywhere, for 8883."""
    said = {
        "protocol": "Tcp",
        "sources": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}],
        "destinations": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}],
        "sourcePortRanges": ["0-65535"],
        "destinationPortRanges": ["8883"],
        "access": access,
        "priority": priority,
        "direction": "Inbound",
        "provisioningState": "Succeeded",
    }
    ident = f"{MANAGER}/securityAdminConfigurations/base/ruleCollections/all/rules/{name}"
    return {"id": ident, "kind": "Custom", "properties": {**said, **inner}}


class Living:
    """A cluster that is read from the bench's Resource Manager, and a user who asks it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.now = START
        for change in changes("healthy", lambda: START):
            if not _azure(change):
                bench.store.apply(change)
        bench.read()

    @property
    def store(self) -> Store:
        """What is known."""
        return self.bench.store

    def trace(self) -> Trace:
        """Follow the request."""
        return trace(self.store, parse_request(MQTT))

    def ask(self, question: Question) -> Reply:
        """Put a question of Azure's; what this machine finds out is not asked for here."""
        if question.way is not Way.ADMIN_RULES:
            return Reply(question=question, error="not asked in this test")
        return ask(question, connection=self.bench.connection(), now=lambda: self.now)

    def confirm(self) -> tuple[Trace, Reply]:
        """Do as ``trace --confirm`` does; return the trace then, and what was said of admin rules."""
        found, replies = confirmed(self.store, self.trace(), self.ask, self.trace)
        (reply,) = (reply for reply in replies if reply.question.way is Way.ADMIN_RULES)
        return found, reply

    def posts(self) -> list[Asked]:
        """Return the POSTs that came."""
        return [asked for asked in self.bench.server.asked if asked.verb == "POST"]

    def later(self, seconds: float) -> None:
        """Let time pass, and what was learnt grow old."""
        self.now += seconds
        for change in self.store.told_admin_rules.outdated(self.now):
            self.store.apply(change)


def _azure(change: Change) -> bool:
    return not isinstance(change, SourceChanged) and KINDS[change.kind].azure


@pytest.fixture
def living(bench: Bench) -> Living:
    """Return the cluster."""
    return Living(bench)


Serve = Callable[..., None]


@pytest.fixture
def serve(bench: Bench) -> Serve:
    """Return what sets the pages of rules that the POST answers with, the token of each the number of the next.

    Other networks are not found.
    """

    def pages(*listed: list[Rule]) -> None:
        def answer(asked: Asked) -> Answer | None:
            if asked.path != POST:
                return error(404, "ResourceNotFound", "not here") if asked.verb == "POST" else None
            number = int(json.loads(asked.body or b"{}").get("skipToken", 0))
            more = {"skipToken": str(number + 1)} if number + 1 < len(listed) else {}
            return Answer(body={"value": listed[number], **more})

        bench.server.rules.insert(0, answer)

    return pages


def admin_lines(found: Trace) -> list[str]:
    """Return what a trace takes for granted of admin rules."""
    return [line for line in found.confidence.because if "admin rule" in line]


def test_before_anybody_asks_the_line_says_how_to_make_it_sure(living: Living) -> None:
    """No round of reading makes a POST; the trace is assumed, and names both ways to ask."""
    found = living.trace()
    assert (found.outcome, found.confidence.certainty) == (Outcome.DELIVERED, Certainty.ASSUMED)
    (line,) = admin_lines(found)
    assert "vnet-contoso-prod" in line
    assert "--confirm, or C on the trace, asks Azure" in line
    assert living.posts() == []


def test_that_none_apply_makes_it_proven(living: Living, serve: Serve) -> None:
    """The one thing that it hung on is known now; the group's step says when it was asked."""
    serve([])
    found, reply = living.confirm()
    assert (found.outcome, found.confidence.certainty) == (Outcome.DELIVERED, Certainty.PROVEN)
    assert (reply.value, reply.admin_rules, reply.at) == ("no rules", (), START)
    assert f"      learnt   the trace reckons with it, as of {CLOCK}" in list(reply_lines(reply))
    notes = [note.why for step in walked(found) if step.kind is Kind.NSG for note in step.considered]
    assert f"none is in effect on the virtual network (asked at {TIME})" in notes


def test_a_deny_rule_drops_with_its_field(living: Living, serve: Serve) -> None:
    """Groups that allow are overruled: the road ends at the admin rule, and that is proven."""
    serve([rule("Deny")])
    before = living.trace()
    found, reply = living.confirm()
    assert (found.outcome, found.confidence.certainty) == (Outcome.DROPPED, Certainty.PROVEN)
    (step, *_) = (step for step in found.breaks if step.kind is Kind.ADMIN_RULE)
    assert (step.cause, step.verdict) == ("N18", Verdict.DROP)
    fact = step.evidence[0]
    assert (fact.field, fact.value) == (".effectiveSecurityAdminRules[0].access", "Deny")
    assert f"asked at {TIME}" in fact.note
    assert reply.value == "1 rule"
    assert turned(before, found) == "  with what was learnt: dropped, proven (before: delivered, assumed)"


def test_an_always_allow_overrules_groups_that_deny(
    living: Living, serve: Serve, objects: dict[str, list[dict[str, Any]]]
) -> None:
    """Without the rule the groups drop it; with it they are not asked."""
    for group in objects["networkSecurityGroups"]:
        for item in group["properties"]["securityRules"]:
            item["properties"]["access"] = "Deny"
    living.bench.read()
    assert living.trace().outcome is Outcome.DROPPED
    serve([rule("AlwaysAllow", name="mqtt-always")])
    found, _ = living.confirm()
    assert (found.outcome, found.confidence.certainty) == (Outcome.DELIVERED, Certainty.PROVEN)
    skipped = [step for step in walked(found) if step.verdict is Verdict.SKIP]
    assert any("mqtt-always always allows" in step.summary for step in skipped)


def walked(found: Trace) -> list[Any]:
    """Return every step of a trace, those of branches too."""
    out: list[Any] = []
    waiting = list(found.steps)
    while waiting:
        step = waiting.pop()
        out.append(step)
        waiting += [inner for branch in step.branches for inner in branch.steps]
    return out


def test_a_refusal_changes_nothing_and_names_the_action(living: Living) -> None:
    """Reader may not make the POST: what is known stays, and the reply says what is missing."""
    action = ACTIONS[Way.ADMIN_RULES]
    said = f"no authorization to perform action '{action}' over scope '{NETWORK}'"
    living.bench.server.rules.append(
        lambda asked: error(403, "AuthorizationFailed", said) if asked.path == POST else None
    )
    before = living.trace()
    found, reply = living.confirm()
    assert found == before
    assert reply.error == f"{action} on {NETWORK} (403)"
    assert learnt(reply) is None
    assert len(living.posts()) == 1


def test_a_refusal_after_an_answer_leaves_the_answer(living: Living, serve: Serve) -> None:
    """What was told a minute ago is not taken back by a failure now."""
    serve([])
    living.confirm()
    living.bench.server.rules.insert(0, lambda asked: error(503, "Busy", "later") if asked.path == POST else None)
    living.later(60)
    found, reply = living.confirm()
    assert "503" in reply.error
    assert found.confidence.certainty is Certainty.PROVEN


def test_the_rule_that_decides_may_stand_on_the_last_page(living: Living, serve: Serve) -> None:
    """Every page is asked for with the token of the one before."""
    serve([rule("Allow", 5, "a")], [], [rule("Deny", 4, "last")])
    found, reply = living.confirm()
    assert found.outcome is Outcome.DROPPED
    assert reply.value == "2 rules"
    assert [json.loads(asked.body).get("skipToken") for asked in living.posts()] == [None, "1", "2"]


def test_pages_that_break_off_teach_nothing(living: Living, serve: Serve) -> None:
    """The first page says none; the second is an error: that is not an answer."""
    serve([], [])
    living.bench.server.rules.insert(
        0, lambda asked: error(500, "Oops", "x") if asked.path == POST and b'"1"' in asked.body else None
    )
    found, reply = living.confirm()
    assert (found.confidence.certainty, reply.admin_rules) == (Certainty.ASSUMED, None)
    assert "500" in reply.error


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"value": [], "skipToken": "again"}, "do not end"),
        ({}, "no list of rules"),
        ({"value": [rule("Deny", destinationPortRanges="8883")]}, "cannot be decoded"),
    ],
)
def test_what_is_not_a_whole_answer_teaches_nothing(living: Living, body: dict[str, Any], word: str) -> None:
    """A token that comes back, no list at all, a rule that is not one: one line, and the assumption stays."""
    living.bench.server.rules.append(lambda asked: Answer(body=body) if asked.path == POST else None)
    found, reply = living.confirm()
    assert (found.confidence.certainty, reply.admin_rules) == (Certainty.ASSUMED, None)
    assert word in reply.error
    assert len(living.posts()) < MOST_PAGES


def test_a_later_round_of_reading_keeps_what_was_learnt(living: Living, serve: Serve) -> None:
    """The GET of a network does not carry its admin rules; other news of the network still come through."""
    serve([rule("Deny")])
    living.confirm()
    version = living.store.virtual_networks.version
    living.bench.read()
    assert living.store.virtual_networks.version == version
    assert living.trace().outcome is Outcome.DROPPED


def test_a_network_that_goes_takes_what_was_learnt_with_it(living: Living, serve: Serve) -> None:
    """Another one that comes in its place has not been asked about."""
    serve([])
    living.confirm()
    network = living.store.virtual_networks.get(NETWORK)
    assert network is not None
    living.store.virtual_networks.remove([NETWORK])
    living.bench.read()
    again = living.store.virtual_networks.get(NETWORK)
    assert again is not None
    assert again.effective_security_admin_rules is None


def test_an_answer_about_a_network_that_went_meanwhile_is_for_no_other(living: Living, serve: Serve) -> None:
    """It goes while Azure is asked, and another one comes in its place."""
    serve([])
    question = next(item for item in next_questions(living.store, living.trace(), ()) if item.target.lower() == NETWORK)
    told = learnt(living.ask(question))
    assert told is not None
    living.store.virtual_networks.remove([NETWORK])
    living.store.apply(told)
    living.bench.read()
    again = living.store.virtual_networks.get(NETWORK)
    assert again is not None
    assert again.effective_security_admin_rules is None


@pytest.mark.parametrize(("rules", "outcome"), [([], Outcome.DELIVERED), ([rule("Deny")], Outcome.DROPPED)])
def test_after_ten_minutes_it_is_an_assumption_again(
    living: Living, serve: Serve, rules: list[Rule], outcome: Outcome
) -> None:
    """Until then it counts; then the same verdict hangs on when it was asked, and asking again makes it sure."""
    serve(rules)
    living.confirm()
    living.later(FRESH_FOR - 1)
    assert living.trace().confidence.certainty is Certainty.PROVEN
    living.later(1)
    old = living.trace()
    assert (old.outcome, old.confidence.certainty) == (outcome, Certainty.ASSUMED)
    (line,) = admin_lines(old)
    assert f"as of {TIME}" in line
    assert "--confirm, or C on the trace, asks Azure again" in line
    found, reply = living.confirm()
    assert (found.outcome, found.confidence.certainty, reply.at) == (outcome, Certainty.PROVEN, START + FRESH_FOR)
    assert reply.agrees


def test_an_answer_that_has_changed_contradicts_what_was_told_before(living: Living, serve: Serve) -> None:
    """Asked again within the ten minutes, the new answer counts, and the difference is said."""
    serve([])
    living.confirm()
    serve([rule("Deny")])
    living.later(60)
    found, reply = living.confirm()
    assert (reply.value, reply.agrees) == ("1 rule", False)
    assert found.outcome is Outcome.DROPPED


def test_the_command_prints_the_verdict_with_what_was_learnt(
    living: Living, serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``trace --confirm`` on the cluster of the bench: it ends at the rule, and the last line says what turned."""
    serve([rule("Deny")])
    monkeypatch.setattr("aksnav.cli.trace.load", lambda _options: living.store)
    monkeypatch.setattr("aksnav.sources.confirm.ask", lambda question, **_: living.ask(question))
    assert main(["trace", MQTT, "--confirm"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("✖ dropped")
    assert any(".effectiveSecurityAdminRules[0].access = Deny" in line for line in lines)
    assert lines[-1] == "  with what was learnt: dropped, proven (before: delivered, assumed)"
    assert main(["trace", MQTT, "--confirm", "-o", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["confidence"]["certainty"]) == ("dropped", "proven")
    assert [item["learnt"] for item in told["confirmations"] if item["way"] == Way.ADMIN_RULES] == [True]


@pytest.mark.parametrize("redact", [False, True])
def test_a_capture_that_asked_holds_the_rules_and_their_hour(
    living: Living, serve: Serve, tmp_path: Path, *, redact: bool
) -> None:
    """What ``capture --confirm`` writes is as good as the cluster: the trace of the file is proven."""
    serve([rule("Deny", destinationPortRanges=["22"])])
    heard = listening(living)
    (note,) = heard.ask(living.ask)
    assert note.startswith("not in it: security admin rules of vnet-contoso-hub: ")
    path = tmp_path / "asked.aksnav"
    kubernetes = [
        (kind, item) for kind, items in dict(wire("healthy")).items() if not KINDS[kind].azure for item in items
    ]
    readings = tuple(heard.readings.values())
    write_capture(path, [*kubernetes, *heard.documents()], CaptureHeader(at=START, readings=readings), redact=redact)
    store = Store()
    for change in capture_changes(path):
        store.apply(change)
    (network,) = (item for item in store.virtual_networks if item.name == "vnet-contoso-prod")
    assert [item.destination_port_ranges for item in network.effective_security_admin_rules or ()] == [("22",)]
    assert (network.admin_rules_as_of, network.admin_rules_old) == (START, False)
    if not redact:
        found = trace(store, parse_request(MQTT))
        assert (found.outcome, found.confidence.certainty) == (Outcome.DELIVERED, Certainty.PROVEN)


def listening(living: Living) -> Ear:
    """Return what ``aksnav capture`` would have heard of the cluster."""
    ear = Ear()
    for change in [*changes("healthy", lambda: START), *living.bench.changes]:
        if _azure(change) == (change in living.bench.changes):
            ear.hear(change)
    return ear


def test_a_capture_without_a_network_says_that_nothing_was_asked() -> None:
    """Azure was not readable: there is nobody to ask about."""
    assert Ear().ask(lambda question: Reply(question=question)) == (
        "not in it: security admin rules: no virtual network could be read",
    )


def test_a_capture_of_what_is_not_alive_refuses_to_ask(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The demo has nobody to ask, and one line says so."""
    assert main(["capture", str(tmp_path / "x"), "--demo", "healthy", "--confirm"]) == 2
    assert "--confirm asks the living network" in capsys.readouterr().err


def test_a_reply_with_rules_comes_through_the_pipe_as_it_is() -> None:
    """The child answers the explorer in msgpack."""
    rules = (SecurityAdminRule(arm_id="/x", access="Deny", sources=(AddressItem("10.0.0.0/8"),)),)
    reply = Reply(question=Question(way=Way.ADMIN_RULES, target=NETWORK), admin_rules=rules, at=START)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(reply), type=Reply) == reply


def test_admin_rules_are_asked_for_before_everything_else(living: Living, serve: Serve) -> None:
    """What else is asked expects what the trace says with them: a connection that is dropped, not one that opens."""
    serve([rule("Deny")])
    before = living.trace()
    first = next_questions(living.store, before, ())
    assert [question.way for question in first] == [Way.ADMIN_RULES]
    found, replies = confirmed(living.store, before, living.ask, living.trace)
    assert replies[0].question == first[0]
    (connection,) = (reply.question for reply in replies if reply.question.way is Way.CONNECT)
    assert connection.expected == "no answer"
    assert next_questions(living.store, found, [reply.question for reply in replies]) == ()
