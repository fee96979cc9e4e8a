"""The addition that would admit a connection: it does, and it takes nothing away."""

import json

from hypothesis import given, settings

from aksnav.report.text import break_lines
from aksnav.store.store import Store
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing
from aksnav.trace.policy.judge import judge
from aksnav.trace.step import Verdict
from tests.unit.trace_edge.random_clusters import stores
from tests.unit.trace_edge.test_who_agrees import judged, place_of
from tests.unit.trace_edge.world import cluster, crossing, made, namespace, node, pod, policy, put

PORT = 9000


def world() -> Store:
    """Return a Pod that a policy isolates, and one in another namespace."""
    return made(
        namespace("shop"),
        namespace("ops"),
        node("node-1", "10.224.0.4"),
        pod("shop/web-1", "10.244.0.5", {"app": "web", "pod-template-hash": "5d9"}),
        pod("ops/probe-1", "10.244.0.6", {"app": "probe"}),
        policy("shop/deny", ingress=[]),
        cluster(networkPolicy="azure"),
    )


def test_the_addition_names_both_ends_and_the_port_and_admits() -> None:
    """Added as it stands, the connection passes; what differs between Pods of a workload is not in it."""
    store = world()
    asked = crossing(store, "ops/probe-1", "shop/web-1", 8080)
    step = judge(store, asked)[1]
    assert step.verdict is Verdict.DROP
    found = json.loads(step.addition)
    assert found["spec"] == {
        "podSelector": {"matchLabels": {"app": "web"}},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [
                    {
                        "podSelector": {"matchLabels": {"app": "probe"}},
                        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ops"}},
                    }
                ],
                "ports": [{"protocol": "TCP", "port": 8080}],
            }
        ],
    }
    put(store, found)
    assert judge(store, asked)[1].verdict is Verdict.PASS


def test_the_addition_is_told_as_yaml() -> None:
    """Behind the fix stands the object, line by line."""
    store = world()
    lines = list(break_lines(judge(store, crossing(store, "ops/probe-1", "shop/web-1", 8080))[1]))
    assert any(line.startswith("    add      apiVersion: networking.k8s.io/v1") for line in lines)
    assert any("kind: NetworkPolicy" in line for line in lines)


def test_nothing_is_offered_that_would_isolate_a_pod() -> None:
    """The Pods that the addition would select beside the isolated one are open now."""
    store = made(
        namespace("shop"),
        node("node-1", "10.224.0.4"),
        pod("shop/web-1", "10.244.0.5", {"app": "web", "pod-template-hash": "1"}),
        pod("shop/web-2", "10.244.0.6", {"app": "web", "pod-template-hash": "2"}),
        pod("shop/probe-1", "10.244.0.7", {"app": "probe"}),
        policy("shop/one", podSelector={"matchLabels": {"pod-template-hash": "1"}}),
        cluster(networkPolicy="azure"),
    )
    step = judge(store, crossing(store, "shop/probe-1", "shop/web-1", 8080))[1]
    assert step.verdict is Verdict.DROP
    assert not step.addition


@settings(max_examples=100, deadline=None)
@given(stores())
def test_an_addition_admits_and_takes_nothing_away(store: Store) -> None:
    """For the first connection that has one: it passes at that end, and whatever was let through before still is."""
    places = [place_of(store, item) for item in store.pods]
    pairs = [(one, other) for one in places for other in places if one is not other]
    before = {number: judged(store, *pair, "TCP", PORT) for number, pair in enumerate(pairs)}
    for source, target in pairs:
        packet = Packet(source=source.address, destination=target.address, port=PORT)
        asked = Crossing(source=source, destination=target, packet=packet)
        for number, step in enumerate(judge(store, asked)):
            if step.addition:
                put(store, json.loads(step.addition))
                assert judge(store, asked)[number].verdict is Verdict.PASS
                after = {number: judged(store, *pair, "TCP", PORT) for number, pair in enumerate(pairs)}
                assert all(after[key] is True for key, was in before.items() if was is True)
                return
