"""Which questions to the living network a trace leads to, and what it expects of the answers."""

import json

from aksnav.model.confirmation import Question, Way
from aksnav.trace import parse_request, trace
from aksnav.trace.confirm import MOST_NODES, questions
from tests.unit.trace_walk.changed_demo import ChangedDemo

MQTT = "tcp://20.50.1.9:8883"


def asked(world: ChangedDemo, text: str, source: str = "internet") -> tuple[Question, ...]:
    """Return the questions about a request."""
    store = world.store()
    return questions(store, trace(store, parse_request(text, source=source)))


def of(found: tuple[Question, ...], way: Way) -> list[Question]:
    """Return the questions of one way."""
    return [item for item in found if item.way is way]


def test_a_load_balancers_rule_is_asked_for_its_health() -> None:
    """By the rule's own name, with what was worked out of its probe."""
    (question,) = of(asked(ChangedDemo(), MQTT), Way.RULE_HEALTH)
    assert question.name.endswith("-TCP-8883")
    assert question.target.endswith("/loadBalancers/kubernetes")
    assert question.expected == "healthy"


def test_the_security_groups_of_some_nodes_are_asked_with_the_packet_as_they_see_it() -> None:
    """Floating IP: the frontend's address and the Service's port; any client is the tag Internet."""
    found = of(asked(ChangedDemo(), MQTT), Way.DIAGNOSTIC)
    assert 1 <= len(found) <= MOST_NODES
    first = found[0]
    assert (first.direction, first.source, first.destination, first.port) == ("Inbound", "Internet", "20.50.1.9", 8883)
    assert "/networkInterfaces/" in first.target
    assert (first.location, first.expected) == ("westeurope", "Allow")


def test_a_rule_that_denies_is_expected_to_deny() -> None:
    """The subnet's group lets nobody in any more."""
    world = ChangedDemo()
    group = world.get("networkSecurityGroups", "nsg-contoso-nodes")
    for rule in group["properties"]["securityRules"]:
        rule["properties"]["access"] = "Deny"
    assert {item.expected for item in of(asked(world, MQTT), Way.DIAGNOSTIC)} == {"Deny"}


def test_interfaces_of_scale_sets_are_not_asked_for_effective_routes() -> None:
    """Azure has them for stand-alone machines only."""
    found = asked(ChangedDemo(), MQTT)
    assert not of(found, Way.EFFECTIVE_ROUTES)
    assert not of(found, Way.EFFECTIVE_RULES)


def alone(world: ChangedDemo) -> None:
    """Make every node a stand-alone machine with an interface of its own."""
    for number, (key, wire) in enumerate(sorted(world.objects["networkInterfaces"].items())):
        del world.objects["networkInterfaces"][key]
        group = wire["id"].partition("/providers/")[0]
        machine = f"{group}/providers/Microsoft.Compute/virtualMachines/aks-{number}"
        old, was = wire["properties"]["virtualMachine"]["id"], wire["id"]
        wire["id"] = f"{group}/providers/Microsoft.Network/networkInterfaces/aks-{number}"
        wire["properties"]["virtualMachine"] = {"id": machine}
        world.put("networkInterfaces", wire)
        for kind in ("loadBalancers", "networkSecurityGroups"):
            for ident, held in world.objects[kind].items():
                world.objects[kind][ident] = json.loads(json.dumps(held).replace(f"{was}/", f"{wire['id']}/"))
        for node in world.objects["Node"].values():
            if node["spec"]["providerID"].lower() == f"azure://{old}".lower():
                node["spec"]["providerID"] = f"azure://{machine}"


def test_a_stand_alone_machine_is_asked_for_its_effective_routes_and_rules() -> None:
    """From a Pod to the internet: the next hop that was worked out, in the effective table's word."""
    world = ChangedDemo()
    alone(world)
    (pod, *_) = [key for key in world.objects["Pod"] if key.startswith("shop/web-")]
    (question,) = of(asked(world, "tcp://203.0.113.9:443", f"pod/{pod}"), Way.EFFECTIVE_ROUTES)
    assert (question.destination, question.expected) == ("203.0.113.9", "Internet")
    rules = of(asked(world, MQTT, "internet:203.0.113.77"), Way.EFFECTIVE_RULES)
    assert {item.source for item in rules} == {"203.0.113.77"}


def test_from_outside_this_machine_is_asked_too() -> None:
    """Name, connection and certificate, in this order, with the address that the trace went to."""
    found = asked(ChangedDemo(), "https://shop.contoso.com/")
    (name,) = of(found, Way.RESOLVE)
    (connection,) = of(found, Way.CONNECT)
    (handshake,) = of(found, Way.HANDSHAKE)
    assert (name.target, name.expected) == ("shop.contoso.com", connection.target)
    assert (connection.port, connection.expected) == (443, "connects")
    assert handshake.name == "shop.contoso.com"


def test_a_request_that_is_dropped_expects_silence() -> None:
    """A port without a rule: no answer."""
    (connection,) = of(asked(ChangedDemo(), "tcp://20.50.1.9:1883"), Way.CONNECT)
    assert connection.expected == "no answer"


def test_admin_rules_that_are_not_read_are_asked_for_once() -> None:
    """Every node of the road is in one network; where a capture tells the rules, nobody is asked."""
    world = ChangedDemo()
    network = world.get("virtualNetworks", "vnet-contoso-prod")
    network["properties"].pop("effectiveSecurityAdminRules", None)
    (question,) = of(asked(world, MQTT), Way.ADMIN_RULES)
    assert question.target.endswith("/virtualNetworks/vnet-contoso-prod")
    assert question.expected == ""  # nothing was worked out: it was taken for granted
    network["properties"]["effectiveSecurityAdminRules"] = []
    assert not of(asked(world, MQTT), Way.ADMIN_RULES)


def test_admin_rules_that_were_asked_for_are_asked_for_again() -> None:
    """The answer of before is what is expected now; what nobody assumed of another network is not asked."""
    world = ChangedDemo()
    network = world.get("virtualNetworks", "vnet-contoso-prod")
    network["properties"]["adminRulesAsOf"] = 1_790_000_000.0
    (question,) = of(asked(world, MQTT), Way.ADMIN_RULES)
    assert question.target.endswith("/virtualNetworks/vnet-contoso-prod")
    assert question.expected == "no rules"


def test_what_starts_at_a_pod_is_not_asked_from_here() -> None:
    """This machine is not in the cluster."""
    world = ChangedDemo()
    (pod, *_) = [key for key in world.objects["Pod"] if key.startswith("shop/web-")]
    found = asked(world, "svc/shop/api:8080", f"pod/{pod}")
    assert not [item for item in found if item.way in {Way.RESOLVE, Way.CONNECT, Way.HANDSHAKE}]


def test_each_question_is_asked_once() -> None:
    """Branches that are alike share their questions."""
    found = asked(ChangedDemo(), "https://shop.contoso.com/")
    assert len(found) == len(set(found))
