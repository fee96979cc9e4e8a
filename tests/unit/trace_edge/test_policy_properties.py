"""What holds of network policies in every cluster, through the public trace, and against a second evaluation."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aksnav.store.store import Store
from aksnav.trace import parse_request, policy, trace
from aksnav.trace.step import Outcome
from tests.unit.trace_edge.naive import naive
from tests.unit.trace_edge.random_clusters import (
    PROBES,
    Cluster,
    clusters,
    own_policy,
    rules,
)
from tests.unit.trace_edge.world import Json, cluster, crossing, made, namespace, node, pod
from tests.unit.trace_edge.world import policy as network_policy

Question = tuple[str, str, int]


def asked(store: Store) -> dict[Question, Outcome]:
    """Return what becomes of a connection between every two Pods that are on the Pod network."""
    pods = [item for item in store.pods if not item.template.host_network]
    return {
        (source.id, target.id, port): trace(
            store, parse_request(f"tcp://{target.ip}:{port}", source=f"pod/{source.id}")
        ).outcome
        for source in pods
        for target in pods
        for port in PROBES[:4]
    }


@settings(max_examples=50, deadline=None)
@given(drawn=clusters(), order=st.randoms(use_true_random=False))
def test_a_verdict_does_not_depend_on_the_order_of_objects(drawn: Cluster, order: random.Random) -> None:
    """Objects come as lists and watches send them; every road is the same in any order."""
    shuffled = order.sample(drawn.objects, len(drawn.objects))
    assert asked(drawn.store()) == asked(Cluster(shuffled, drawn.denied).store())


def isolating(drawn: Cluster) -> list[tuple[Json, str]]:
    """Return the NetworkPolicies with the directions that they isolate in so many words."""
    listed = [item for item in drawn.objects if item["kind"] == "NetworkPolicy"]
    return [(item, word) for item in listed for word in item["spec"].get("policyTypes") or ("Ingress",)]


def with_rule(drawn: Cluster, chosen: Json, direction: str, rule: Json) -> Cluster:
    """Return a cluster with one more rule in one policy."""
    word = direction.lower()
    grown = {**chosen, "spec": {**chosen["spec"], word: [*chosen["spec"].get(word, ()), rule]}}
    return Cluster([grown if item is chosen else item for item in drawn.objects], drawn.denied)


@settings(max_examples=50, deadline=None)
@given(drawn=clusters(), data=st.data())
def test_a_further_allow_rule_never_turns_allow_to_deny(drawn: Cluster, data: st.DataObject) -> None:
    """Whatever was delivered is delivered still when a policy that isolates already gets one more rule."""
    choices = isolating(drawn)
    if not choices:
        return
    chosen, direction = data.draw(st.sampled_from(choices))
    rule = data.draw(rules("from" if direction == "Ingress" else "to"))
    before, after = asked(drawn.store()), asked(with_rule(drawn, chosen, direction, rule).store())
    lost = [key for key, outcome in before.items() if outcome is Outcome.DELIVERED and after[key] is not outcome]
    assert not lost


DENIES: tuple[Json, ...] = (
    {"fromEndpoints": [{}]},
    {"fromEndpoints": [{"matchLabels": {"app": "web"}}], "toPorts": [{"ports": [{"port": "80", "protocol": "TCP"}]}]},
    {"fromEntities": ["cluster"]},
    {"fromEntities": ["remote-node", "world"]},
    {"fromCIDR": ["10.244.0.0/16"]},
    {"toPorts": [{"ports": [{"port": "8080", "endPort": 9100, "protocol": "ANY"}]}]},
)


@st.composite
def denying(draw: st.DrawFn) -> Json:
    """Draw a CiliumNetworkPolicy of deny rules, in one direction or both."""
    listed = st.lists(st.sampled_from(DENIES), min_size=1, max_size=2)
    away = [{key.replace("from", "to", 1): value for key, value in item.items()} for item in DENIES]
    spec: Json = {"endpointSelector": draw(st.sampled_from(({}, {"matchLabels": {"app": "web"}})))}
    if draw(st.booleans()):
        spec["ingressDeny"] = draw(listed)
    else:
        spec["egressDeny"] = draw(st.lists(st.sampled_from(away), min_size=1, max_size=2))
    if draw(st.booleans()):
        spec["enableDefaultDeny"] = {"ingress": False, "egress": False}
    return own_policy(9, spec)


@settings(max_examples=50, deadline=None)
@given(drawn=clusters(engines=("cilium",)), more=denying())
def test_a_further_deny_rule_never_turns_deny_to_allow(drawn: Cluster, more: Json) -> None:
    """Cilium, "Deny Policies": what was not delivered is not delivered with more to deny."""
    before, after = asked(drawn.store()), asked(Cluster([*drawn.objects, more], drawn.denied).store())
    won = [key for key, outcome in after.items() if outcome is Outcome.DELIVERED and before[key] is not outcome]
    assert not won


def small(draw: random.Random) -> list[Json]:
    """Return a cluster of four Pods and up to four NetworkPolicies, by a cheaper way of drawing."""
    objects: list[Json] = [namespace("a", team="red"), namespace("b"), cluster(networkPolicy="azure")]
    objects += [node("node-1", "10.224.0.4"), node("node-2", "10.224.0.5")]
    for number in range(4):
        ports: list[Json] = [{"containerPort": draw.choice((80, 9000)), "name": "http"}]
        name = f"{draw.choice('ab')}/p{number}"
        objects.append(pod(name, f"10.244.0.{number + 1}", some_labels(draw), f"node-{number % 2 + 1}", ports))
    for number in range(draw.randrange(5)):
        spec: Json = {"podSelector": some_selector(draw)}
        types = draw.choice((None, ["Ingress"], ["Egress"], ["Ingress", "Egress"]))
        if types is not None:
            spec["policyTypes"] = types
        for word, end in (("ingress", "from"), ("egress", "to")):
            if draw.random() < 0.7:
                spec[word] = [some_rule(draw, end) for _ in range(draw.randrange(3))]
        objects.append(network_policy(f"{draw.choice('ab')}/n{number}", **spec))
    return objects


def ident(wire: Json) -> str:
    """Return namespace and name of an object."""
    return f"{wire['metadata']['namespace']}/{wire['metadata']['name']}"


def some_labels(draw: random.Random) -> dict[str, str]:
    """Return labels, or none."""
    found = {"app": draw.choice(("web", "api")), "tier": draw.choice("xy")}
    return {key: value for key, value in found.items() if draw.random() < 0.7}


def some_selector(draw: random.Random) -> Json:
    """Return a label selector, often an empty one."""
    if draw.random() < 0.4:
        return {"matchLabels": some_labels(draw)}
    operator = draw.choice(("In", "NotIn", "Exists", "DoesNotExist"))
    line: dict[str, Any] = {"key": draw.choice(("app", "tier")), "operator": operator}
    if operator.endswith("In"):
        line["values"] = [draw.choice(("web", "x"))]
    return {"matchExpressions": [line]} if draw.random() < 0.7 else {}


def some_rule(draw: random.Random, end: str) -> Json:
    """Return a rule of a NetworkPolicy."""
    teams: tuple[Json, ...] = (
        {},
        {"matchLabels": {"team": "red"}},
        {"matchLabels": {"kubernetes.io/metadata.name": "b"}},
    )
    block = {"cidr": "10.244.0.0/29", "except": [f"10.244.0.{draw.randrange(8)}/32"]}
    choices: tuple[Json, ...] = (
        {"podSelector": some_selector(draw)},
        {"namespaceSelector": draw.choice(teams)},
        {"podSelector": some_selector(draw), "namespaceSelector": draw.choice(teams)},
        {"ipBlock": block},
    )
    rule: Json = {}
    if draw.random() < 0.7:
        rule[end] = draw.choices(choices, k=draw.randrange(1, 3))
    if draw.random() < 0.5:
        one: tuple[Json, ...] = ({"port": 80}, {"port": "http"}, {"port": 8080, "endPort": 9050}, {"protocol": "UDP"})
        rule["ports"] = draw.choices(one, k=draw.randrange(1, 3))
    return rule


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_compiled_and_naive_evaluation_agree(seed: int) -> None:
    """Two thousand clusters: policies made ready to be asked say what a reading of the manifests, one by one, says."""
    draw = random.Random(seed)  # noqa: S311 - nobody's secret
    for _ in range(40):
        objects = small(draw)
        store = made(*objects)
        pods = [item for item in objects if item["kind"] == "Pod"]
        for source in pods:
            for target in pods:
                if source is target:
                    continue
                for protocol, port in (("TCP", 80), ("TCP", 9000), ("UDP", 80)):
                    one, two = ident(source), ident(target)
                    said = policy.allows(store, crossing(store, one, two, port, protocol))
                    assert said is naive(objects, source, target, protocol, port), (seed, one, two, protocol, port)
