"""Questions that Azure answers by a POST: the real clients, long-running operations and all, against loopback TLS."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from aksnav.model.confirmation import ACTIONS, Question, Reply, Way
from aksnav.sources.azure import confirm
from aksnav.sources.azure.errors import ArmError, Where, said_plainly
from aksnav.sources.azure.transport import Arm
from aksnav.sources.confirm import ask
from tests.azure.arm_server import Answer, Asked, error
from tests.azure.conftest import Bench

SUBSCRIPTION = "/subscriptions/8c1f4e02-6d3b-4a57-9f21-3be07c5d9a10"
GROUP = f"{SUBSCRIPTION}/resourceGroups/mc_group"
BALANCER = f"{GROUP}/providers/Microsoft.Network/loadBalancers/kubernetes"
INTERFACE = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/aks-nap-nic"
INSTANCE = (
    f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/aks-apps-vmss/virtualMachines/0"
    "/networkInterfaces/aks-apps-vmss"
)
WATCHER = f"{SUBSCRIPTION}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/nw"
OPERATION = "/operations/1"
PACKET: dict[str, Any] = {
    "direction": "Inbound", "protocol": "TCP", "source": "203.0.113.9", "destination": "20.50.1.9", "port": 8883,
}  # fmt: skip
QUESTIONS = {
    Way.RULE_HEALTH: Question(way=Way.RULE_HEALTH, target=BALANCER, name="a-TCP-8883", expected="healthy"),
    Way.DIAGNOSTIC: Question(way=Way.DIAGNOSTIC, target=INSTANCE, location="westeurope", expected="Allow", **PACKET),
    Way.EFFECTIVE_ROUTES: Question(
        way=Way.EFFECTIVE_ROUTES, target=INTERFACE, destination="10.1.2.3", expected="VirtualAppliance 10.100.0.4"
    ),
    Way.EFFECTIVE_RULES: Question(way=Way.EFFECTIVE_RULES, target=INTERFACE, expected="Deny", **PACKET),
    Way.ADMIN_RULES: Question(
        way=Way.ADMIN_RULES,
        target=f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet",
        expected="no rules",
    ),
}
HEALTH = {
    "up": 1,
    "down": 1,
    "loadBalancerBackendAddresses": [
        {"ipAddress": "10.224.0.4", "state": "Up", "reason": "Up_Probe_Success"},
        {"ipAddress": "10.224.0.5", "state": "Down", "reason": "Down_Probe_TcpProbeTimeout"},
    ],
}
DIAGNOSTIC = {
    "results": [
        {
            "networkSecurityGroupResult": {
                "securityRuleAccessResult": "Deny",
                "evaluatedNetworkSecurityGroups": [
                    {
                        "networkSecurityGroupId": f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg-a",
                        "matchedRule": {"ruleName": "UserRule_deny-all", "action": "Deny"},
                    }
                ],
            }
        }
    ]
}
ROUTES = {
    "value": [
        {"source": "Default", "state": "Active", "addressPrefix": ["0.0.0.0/0"], "nextHopType": "Internet"},
        {"source": "Default", "state": "Invalid", "addressPrefix": ["10.0.0.0/8"], "nextHopType": "None"},
        {
            "source": "User",
            "state": "Active",
            "addressPrefix": ["10.1.0.0/16"],
            "nextHopType": "VirtualAppliance",
            "nextHopIpAddress": ["10.100.0.4"],
        },
        {"source": "User", "state": "Invalid", "addressPrefix": ["10.1.2.0/24"], "nextHopType": "None"},
    ]
}


def rule(priority: int, access: str, source: str, ports: str, direction: str = "Inbound", **rest: Any) -> Any:
    """Return an effective rule."""
    return {
        "name": f"securityRules/r{priority}",
        "protocol": "Tcp",
        "priority": priority,
        "direction": direction,
        "access": access,
        "sourceAddressPrefix": source,
        "destinationAddressPrefix": "*",
        "destinationPortRanges": [ports],
        **rest,
    }


def rules_of(*rules: Any) -> Any:
    """Return effective rules of one group."""
    group = {"id": f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg-b"}
    return {"value": [{"networkSecurityGroup": group, "effectiveSecurityRules": list(rules)}]}


RULES = rules_of(
    rule(300, "Allow", "*", "0-65535"),
    rule(100, "Allow", "*", "0-65535", direction="Outbound"),
    rule(200, "Deny", "Internet", "8000-9000", expandedSourceAddressPrefix=["203.0.113.0/24"]),
)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at operations again without a pause."""
    monkeypatch.setattr(confirm, "POLL_EVERY", 0.0)


@pytest.fixture
def put(bench: Bench) -> Callable[[Question], Reply]:
    """Return what asks a question of the bench's Resource Manager."""
    return lambda question: ask(question, connection=bench.connection())


def operation(body: Any, looks: int = 2) -> Callable[[Asked], Answer | None]:
    """Return the rules of a long-running operation that ends with a body after some looks."""
    left = [looks]

    def answer(asked: Asked) -> Answer | None:
        if asked.path.endswith("/networkwatchers"):
            return Answer(body={"value": [{"id": WATCHER, "name": "nw", "location": "westeurope"}]})
        if asked.verb == "POST":
            return Answer(202, b"", {"Location": f"BASE{OPERATION}?api-version=1"})
        if asked.path == OPERATION:
            left[0] -= 1
            return (
                Answer(202, b"", {"Location": f"BASE{OPERATION}?api-version=1"}) if left[0] > 0 else Answer(body=body)
            )
        return None

    return answer


def serve(bench: Bench, body: Any) -> None:
    """Let the Resource Manager end every operation with a body."""
    inner = operation(body)

    def located(asked: Asked) -> Answer | None:
        found = inner(asked)
        if found is None or "Location" not in found.headers:
            return found
        return Answer(
            found.status, found.body, {"Location": found.headers["Location"].replace("BASE", bench.server.url)}
        )

    bench.server.rules.append(located)


def test_the_health_of_a_rule_is_told_node_by_node(bench: Bench, put: Callable[[Question], Reply]) -> None:
    """One node up is enough for a healthy rule; every node's reason stands beside it."""
    serve(bench, HEALTH)
    reply = put(QUESTIONS[Way.RULE_HEALTH])
    assert (reply.value, reply.agrees, reply.error) == ("healthy", True, "")
    assert reply.facts == (
        ("nodes up and down", "1 up, 1 down"),
        ("10.224.0.4", "Up Up_Probe_Success"),
        ("10.224.0.5", "Down Down_Probe_TcpProbeTimeout"),
    )
    posts = [asked.path for asked in bench.server.asked if asked.verb == "POST"]
    assert posts == [f"{BALANCER}/loadBalancingRules/a-TCP-8883/health".lower()]


def test_a_diagnostic_that_denies_contradicts_an_allow(bench: Bench, put: Callable[[Question], Reply]) -> None:
    """The watcher of the region is asked about the instance's interface, with the packet as the groups see it."""
    serve(bench, DIAGNOSTIC)
    reply = put(QUESTIONS[Way.DIAGNOSTIC])
    assert (reply.value, reply.agrees) == ("Deny", False)
    assert reply.facts == (("nsg-a", "UserRule_deny-all Deny"),)
    (sent,) = [asked for asked in bench.server.asked if asked.verb == "POST"]
    assert sent.path == f"{WATCHER}/networkConfigurationDiagnostic".lower()
    assert json.loads(sent.body) == {
        "targetResourceId": INSTANCE,
        "profiles": [
            {
                "direction": "Inbound",
                "protocol": "TCP",
                "source": "203.0.113.9",
                "destination": "20.50.1.9",
                "destinationPort": "8883",
            }
        ],
    }


def test_the_longest_active_route_is_the_next_hop(bench: Bench, put: Callable[[Question], Reply]) -> None:
    """A longer prefix that is not active does not count."""
    serve(bench, ROUTES)
    reply = put(QUESTIONS[Way.EFFECTIVE_ROUTES])
    assert (reply.value, reply.agrees) == ("VirtualAppliance 10.100.0.4", True)
    assert reply.facts == (("10.1.0.0/16 (User)", "VirtualAppliance 10.100.0.4"),)


def test_the_first_effective_rule_that_fits_decides(bench: Bench, put: Callable[[Question], Reply]) -> None:
    """By priority, of the direction, with the tag's expanded prefixes."""
    serve(bench, RULES)
    reply = put(QUESTIONS[Way.EFFECTIVE_RULES])
    assert (reply.value, reply.agrees) == ("Deny", True)
    assert reply.facts == (("nsg-b", "200 r200 Deny"),)


@pytest.mark.parametrize(
    ("rules", "value"),
    [
        ([], "no rules"),
        (
            [{"id": "/x/rules/deny-ssh", "properties": {"priority": 1, "direction": "Inbound", "access": "Deny"}}],
            "1 rule",
        ),
    ],
)
def test_admin_rules_are_counted_and_told(
    bench: Bench, put: Callable[[Question], Reply], rules: list[Any], value: str
) -> None:
    """That there are none is the assumption that security groups stand on; one rule contradicts it."""
    bench.server.rules.append(lambda asked: Answer(body={"value": rules}) if asked.verb == "POST" else None)
    reply = put(QUESTIONS[Way.ADMIN_RULES])
    assert (reply.value, reply.agrees) == (value, not rules)
    assert reply.facts == (() if not rules else (("deny-ssh", "1 Inbound Deny"),))


def test_effective_rules_of_which_none_fits_say_nothing(bench: Bench, put: Callable[[Question], Reply]) -> None:
    """Another port, another protocol: no answer is made up."""
    serve(bench, rules_of(rule(100, "Allow", "*", "443"), rule(110, "Allow", "*", "0-65535", protocol="Udp")))
    reply = put(QUESTIONS[Way.EFFECTIVE_RULES])
    assert (reply.value, reply.agrees) == ("", None)
    assert reply.facts == (("nsg-b", "no rule fits"),)


@pytest.mark.parametrize("way", list(ACTIONS))
def test_a_missing_action_is_named_and_nothing_is_made_up(
    bench: Bench, put: Callable[[Question], Reply], way: Way
) -> None:
    """Reader does not have these actions: the reply says which one is missing, on what."""

    def refuse(asked: Asked) -> Answer | None:
        if asked.path.endswith("/networkwatchers"):
            return Answer(body={"value": [{"id": WATCHER, "name": "nw", "location": "westeurope"}]})
        if asked.verb != "POST":
            return None
        return error(403, "AuthorizationFailed", f"no authorization to perform action '{ACTIONS[way]}' over scope '/x'")

    bench.server.rules.append(refuse)
    reply = put(QUESTIONS[way])
    assert (reply.value, reply.agrees) == ("", None)
    assert reply.error == f"{ACTIONS[way]} on /x (403)"


@pytest.mark.parametrize("way", [way for way in ACTIONS if way is not Way.ADMIN_RULES])
def test_an_operation_that_fails_is_one_line(bench: Bench, put: Callable[[Question], Reply], way: Way) -> None:
    """It is accepted, and ends with an error."""
    inner = operation({})

    def failing(asked: Asked) -> Answer | None:
        if asked.path == OPERATION:
            return error(500, "InternalServerError", "An error\noccurred.")
        found = inner(asked)
        if found is not None and "Location" in found.headers:
            return Answer(202, b"", {"Location": f"{bench.server.url}{OPERATION}?api-version=1"})
        return found

    bench.server.rules.append(failing)
    reply = put(QUESTIONS[way])
    assert reply.value == ""
    assert "500 InternalServerError" in reply.error
    assert "\n" not in reply.error


@pytest.mark.parametrize("status", [404, 429, 503])
def test_an_error_answer_is_one_line(bench: Bench, put: Callable[[Question], Reply], status: int) -> None:
    """Not found, throttled, unavailable: the reply says so; nothing is tried again by itself."""
    bench.server.rules.append(lambda _asked: error(status, "Code", "words", **{"Retry-After": "300"}))
    reply = put(QUESTIONS[Way.RULE_HEALTH])
    assert str(status) in reply.error
    assert len(bench.server.asked) == 1


def test_a_connection_that_breaks_is_one_line(bench: Bench, put: Callable[[Question], Reply]) -> None:
    """No answer at all."""
    bench.server.rules.append(lambda _asked: Answer(reset=True))
    assert "cannot be reached" in put(QUESTIONS[Way.RULE_HEALTH]).error


def test_a_region_without_a_watcher_is_said(bench: Bench, put: Callable[[Question], Reply]) -> None:
    """The only watcher is elsewhere."""
    elsewhere = {"value": [{"id": WATCHER, "name": "nw", "location": "northeurope"}]}
    bench.server.rules.append(lambda asked: Answer(body=elsewhere) if asked.verb == "GET" else None)
    assert "no network watcher in region westeurope" in put(QUESTIONS[Way.DIAGNOSTIC]).error


def test_what_is_not_on_the_list_is_not_sent(bench: Bench) -> None:
    """A confirming way to Azure lets five POSTs pass and nothing else: no write, no other action."""
    arm = confirm.confirming(bench.connection())
    network = arm.network("8c1f4e02-6d3b-4a57-9f21-3be07c5d9a10")
    calls: tuple[Callable[[], Any], ...] = (
        lambda: network.load_balancers.begin_delete("g", "kubernetes"),
        lambda: network.network_watchers.begin_check_connectivity("g", "nw", {"source": {"resourceId": "x"}}),
        lambda: network.load_balancers.begin_create_or_update("g", "kubernetes", {"location": "x"}),
    )
    for begin in calls:
        with pytest.raises(ArmError, match="only reads"), said_plainly(Where("x", "y")):
            begin()
    arm.close()
    assert bench.server.asked == []


def test_the_ordinary_way_to_azure_sends_no_post_at_all(bench: Bench) -> None:
    """Reading posts pass only where a user asks for them."""
    arm = Arm(bench.connection())
    network = arm.network("8c1f4e02-6d3b-4a57-9f21-3be07c5d9a10")
    with pytest.raises(ArmError, match="only reads"), said_plainly(Where("x", "y")):
        network.load_balancer_load_balancing_rules.begin_health("g", "kubernetes", "r")
    arm.close()
    assert bench.server.asked == []


def test_without_azure_in_the_session_nothing_is_asked(bench: Bench) -> None:
    """--no-azure holds for questions too."""
    reply = ask(QUESTIONS[Way.RULE_HEALTH], azure=False, connection=bench.connection())
    assert reply.error == "Azure is not asked in this session (--no-azure)"
    assert bench.server.asked == []


def test_hostile_text_of_azure_is_harmless(bench: Bench, put: Callable[[Question], Reply]) -> None:
    """Escape sequences in an answer do not come through."""
    serve(
        bench, {"up": 1, "loadBalancerBackendAddresses": [{"ipAddress": "\x1b[31m1", "state": "Up\n", "reason": "x"}]}
    )
    reply = put(QUESTIONS[Way.RULE_HEALTH])
    assert all("\x1b" not in text and "\n" not in text for fact in reply.facts for text in fact)
