"""The addition that would admit a connection on Cilium: it does, it isolates nobody, and it takes nothing away."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from aksnav.trace.step import Step, Verdict
from tests.unit.trace_edge.world import Json, put
from tests.unit.trace_edge.world import policy as network_policy
from tests.unit.trace_policy_cilium.around import (
    API,
    CLIENT,
    OPS,
    WEB,
    arriving,
    egress,
    ingress,
    labelled,
    leaving,
    policy,
    word,
    world,
)
from tests.unit.trace_policy_cilium.test_properties import POLICIES, TARGETS, built, told

DENY_ALL = policy({**ingress({}), **egress({})})


def added(found: Step) -> Json:
    """Return the addition of a step that stops a connection."""
    assert found.verdict is Verdict.DROP
    out: Json = json.loads(found.addition)
    return out


def test_the_addition_names_both_ends_and_the_port_and_has_no_default_deny() -> None:
    """Added as it stands, the connection passes, and Pods that are open stay open."""
    store = world(DENY_ALL)
    found = added(arriving(store, OPS))
    assert found["kind"] == "CiliumNetworkPolicy"
    assert found["spec"] == {
        "endpointSelector": {"matchLabels": {"app": "web"}},
        "enableDefaultDeny": {"ingress": False, "egress": False},
        "ingress": [
            {
                "fromEndpoints": [{"matchLabels": {"app": "probe", "io.kubernetes.pod.namespace": "ops"}}],
                "toPorts": [{"ports": [{"port": "8080", "protocol": "TCP"}]}],
            }
        ],
    }
    put(store, found)
    assert [word(arriving(store, client)) for client in (OPS, API)] == ["yes", "no"]


def test_nodes_addresses_and_echo_requests_are_named_as_cilium_names_them() -> None:
    """Entities for nodes, a CIDR for an address, icmps for ping."""
    store = world(DENY_ALL)
    assert added(leaving(store, "node-1"))["spec"]["egress"][0]["toEntities"] == ["host"]
    assert added(leaving(store, "node-2"))["spec"]["egress"][0]["toEntities"] == ["remote-node"]
    assert added(leaving(store, CLIENT))["spec"]["egress"][0]["toCIDR"] == [f"{CLIENT}/32"]
    assert added(leaving(store, API, scheme="icmp"))["spec"]["egress"][0]["icmps"]
    for target in ("node-1", "node-2", CLIENT):
        put(store, added(leaving(store, target)))
        assert word(leaving(store, target)) == "yes"


def test_a_network_policy_is_offered_first_and_where_it_can_name_the_peer() -> None:
    """Pods of a NetworkPolicy get a NetworkPolicy; their own node can only be named by Cilium's."""
    store = world(network_policy("shop/n", policyTypes=["Ingress", "Egress"], podSelector=labelled(app="web")))
    assert added(leaving(store, API))["kind"] == "NetworkPolicy"
    assert added(leaving(store, "node-1"))["kind"] == "CiliumNetworkPolicy"


def test_nothing_is_offered_against_a_deny_rule_and_none_takes_a_name_that_is_taken() -> None:
    """An allow does not help where a rule denies; a second addition has another name."""
    denied = world(policy({"egressDeny": [{"toEntities": ["world"]}]}))
    assert not leaving(denied, CLIENT).addition
    store = world(DENY_ALL)
    first = added(leaving(store, API))
    put(store, first)
    second = added(leaving(store, OPS))
    assert first["metadata"]["name"] != second["metadata"]["name"]


@settings(max_examples=60, deadline=None)
@given(POLICIES, st.sampled_from(TARGETS))
def test_an_addition_admits_and_closes_nothing(policies: list[list[Json]], target: str) -> None:
    """Whatever the policies: with the addition the connection passes, and every other that passed still does."""
    store = built(policies)
    found = leaving(store, target)
    if not found.addition:
        return
    before = told(store)
    put(store, json.loads(found.addition))
    after = told(store)
    assert after[target] == "yes"
    assert [name for name, said in before.items() if said == "yes" and after[name] != "yes"] == []
    assert WEB not in before
