"""NetworkPolicy: the project's own table, each row with the part of the API documentation that it comes from."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aksnav.store.store import Store
from aksnav.trace import policy
from aksnav.trace.policy.engines import Engine
from aksnav.trace.step import Step, Verdict
from tests.unit.trace_edge.world import (
    Json,
    cluster,
    crossing,
    made,
    namespace,
    node,
    pod,
)
from tests.unit.trace_edge.world import policy as rules

WEB, API, OTHER = "shop/web", "shop/api", "ops/probe"
PORTS = [
    {"containerPort": 8080, "name": "http"},
    {"containerPort": 53, "name": "dns", "protocol": "UDP"},
]


def world(*policies: Json, engine: Engine = Engine.AZURE, **denied: Any) -> Store:
    """Return a cluster of three Pods on two nodes."""
    return made(
        namespace("shop", team="a"),
        namespace("ops", team="b"),
        node("node-1", "10.224.0.4"),
        node("node-2", "10.224.0.5"),
        pod(WEB, "10.244.0.5", {"app": "web", "tier": "front"}, "node-1", PORTS),
        pod(API, "10.244.1.5", {"app": "api"}, "node-2", PORTS),
        pod(OTHER, "10.244.1.9", {"app": "probe"}, "node-2", PORTS),
        *policies,
        *([] if engine is Engine.UNKNOWN else [cluster(networkPolicy=engine.value)]),
        **denied,
    )


def ingress(*listed: Any, **spec: Any) -> Json:
    """Return a policy for Pods with app=web with these ingress rules."""
    return rules(
        "shop/p", podSelector={"matchLabels": {"app": "web"}}, policyTypes=["Ingress"], ingress=list(listed), **spec
    )


def allowed(store: Store, source: str = API, target: str = WEB, port: int = 8080, protocol: str = "TCP") -> bool | None:
    """Return whether policies let a connection through."""
    return policy.allows(store, crossing(store, source, target, port, protocol))


def peer(**selectors: Any) -> Json:
    """Return a rule with one peer."""
    return {"from": [selectors]}


def app(name: str) -> Json:
    """Return a selector by the label app."""
    return {"matchLabels": {"app": name}}


def expression(key: str, operator: str, *values: str) -> Json:
    """Return a selector of one expression."""
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}


TEAM_A, TEAM_B = {"matchLabels": {"team": "a"}}, {"matchLabels": {"team": "b"}}
ONE_BLOCK = {"cidr": "10.244.0.0/16", "except": ["10.244.1.5/32"]}
BOTH_WAYS = rules("shop/p", podSelector=app("web"), ingress=[{}], egress=[])

TABLE: list[tuple[str, list[Json], dict[str, Any], bool]] = [
    ("spec: no policy selects the Pod", [], {}, True),
    ("spec.ingress: empty list isolates and admits nothing", [ingress()], {}, False),
    ("spec.ingress: an empty rule admits everything", [ingress({})], {}, True),
    ("spec.podSelector: another Pod is not isolated", [ingress()], {"target": API, "source": OTHER}, True),
    ("spec.podSelector: empty selects the whole namespace", [rules("shop/all")], {}, False),
    ("spec.podSelector: of its own namespace only", [rules("ops/all")], {}, True),
    ("spec.policyTypes: absent means Ingress", [rules("shop/p")], {"source": WEB, "target": OTHER}, True),
    ("spec.policyTypes: absent with egress means both", [rules("shop/p", egress=[{}])], {}, False),
    (
        "spec.policyTypes: Egress alone leaves ingress open",
        [rules("shop/p", policyTypes=["Egress"])],
        {"source": OTHER},
        True,
    ),
    (
        "spec.policyTypes: Egress without rules",
        [rules("shop/p", policyTypes=["Egress"])],
        {"source": WEB, "target": OTHER},
        False,
    ),
    ("from.podSelector: own namespace", [ingress(peer(podSelector=app("api")))], {}, True),
    ("from.podSelector: not another namespace", [ingress(peer(podSelector=app("probe")))], {"source": OTHER}, False),
    ("from.namespaceSelector: every Pod of it", [ingress(peer(namespaceSelector=TEAM_B))], {"source": OTHER}, True),
    (
        "from.namespaceSelector: empty is every namespace",
        [ingress(peer(namespaceSelector={}))],
        {"source": OTHER},
        True,
    ),
    (
        "from: both selectors in one element are both",
        [ingress(peer(namespaceSelector=TEAM_B, podSelector=app("api")))],
        {},
        False,
    ),
    (
        "from: two elements are either",
        [ingress({"from": [{"namespaceSelector": TEAM_B}, {"podSelector": app("api")}]})],
        {},
        True,
    ),
    ("from: empty list is everybody", [ingress({"from": []})], {"source": OTHER}, True),
    ("matchExpressions: In", [ingress(peer(podSelector=expression("app", "In", "x", "api")))], {}, True),
    ("matchExpressions: NotIn", [ingress(peer(podSelector=expression("app", "NotIn", "api")))], {}, False),
    (
        "matchExpressions: NotIn holds without the key",
        [ingress(peer(podSelector=expression("zone", "NotIn", "x")))],
        {},
        True,
    ),
    ("matchExpressions: Exists", [ingress(peer(podSelector=expression("tier", "Exists")))], {}, False),
    ("matchExpressions: DoesNotExist", [ingress(peer(podSelector=expression("tier", "DoesNotExist")))], {}, True),
    (
        "metadata.name label",
        [ingress(peer(namespaceSelector={"matchLabels": {"kubernetes.io/metadata.name": "ops"}}))],
        {"source": OTHER},
        True,
    ),
    ("ports: number", [ingress({"ports": [{"port": 8080}]})], {}, True),
    ("ports: another number", [ingress({"ports": [{"port": 80}]})], {}, False),
    ("ports: empty list is every port", [ingress({"ports": []})], {}, True),
    ("ports: protocol TCP by default", [ingress({"ports": [{"port": 53}]})], {"port": 53, "protocol": "UDP"}, False),
    ("ports: UDP", [ingress({"ports": [{"port": 53, "protocol": "UDP"}]})], {"port": 53, "protocol": "UDP"}, True),
    ("ports: SCTP", [ingress({"ports": [{"protocol": "SCTP"}]})], {"port": 7, "protocol": "SCTP"}, True),
    ("ports: protocol without a port", [ingress({"ports": [{"protocol": "TCP"}]})], {"port": 9999}, True),
    ("ports: a name is the Pod's", [ingress({"ports": [{"port": "http"}]})], {}, True),
    ("ports: a name of another protocol", [ingress({"ports": [{"port": "dns"}]})], {"port": 53}, False),
    ("ports: a name that no container has", [ingress({"ports": [{"port": "https"}]})], {}, False),
    ("ports: endPort is inclusive", [ingress({"ports": [{"port": 8000, "endPort": 8080}]})], {}, True),
    ("ports: behind endPort", [ingress({"ports": [{"port": 8000, "endPort": 8079}]})], {}, False),
    (
        "ports and from are both",
        [ingress({"from": [{"podSelector": app("probe")}], "ports": [{"port": 8080}]})],
        {},
        False,
    ),
    ("ipBlock", [ingress(peer(ipBlock={"cidr": "10.244.0.0/16"}))], {}, True),
    ("ipBlock.except", [ingress(peer(ipBlock=ONE_BLOCK))], {}, False),
    ("ipBlock.except: others of the block", [ingress(peer(ipBlock=ONE_BLOCK))], {"source": OTHER}, True),
    (
        "ipBlock: an outside client",
        [ingress(peer(ipBlock={"cidr": "203.0.113.0/24"}))],
        {"source": "203.0.113.9"},
        True,
    ),
    (
        "ipBlock: any client needs everything",
        [ingress(peer(ipBlock={"cidr": "0.0.0.0/0"}))],
        {"source": "internet"},
        True,
    ),
    (
        "ipBlock: private exceptions leave any client",
        [ingress(peer(ipBlock={"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}))],
        {"source": "internet"},
        True,
    ),
    (
        "ipBlock: a narrower block is not any client",
        [ingress(peer(ipBlock={"cidr": "203.0.0.0/8"}))],
        {"source": "internet"},
        False,
    ),
    ("ipBlock: IPv6 does not hold IPv4", [ingress(peer(ipBlock={"cidr": "::/0"}))], {"source": "203.0.113.9"}, False),
    ("selectors do not match outside clients", [ingress(peer(namespaceSelector={}))], {"source": "203.0.113.9"}, False),
    ("policies are additive", [ingress(), rules("shop/q", ingress=[{}])], {}, True),
    ("both ends: egress of the source", [rules("shop/p", podSelector=app("api"), policyTypes=["Egress"])], {}, False),
    (
        "both ends: egress admitted, ingress not",
        [rules("shop/e", podSelector=app("api"), egress=[{}]), ingress()],
        {},
        False,
    ),
    ("replies are implicit", [rules("shop/p", podSelector=app("web"), policyTypes=["Egress"])], {}, True),
    (
        "egress: a port name is the destination's",
        [rules("shop/p", podSelector=app("api"), egress=[{"ports": [{"port": "http"}]}])],
        {},
        True,
    ),
    (
        "egress: to an outside address",
        [rules("shop/p", podSelector=app("web"), egress=[{"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}])],
        {"source": WEB, "target": "203.0.113.9"},
        True,
    ),
    (
        "egress: a port name means a Pod",
        [rules("shop/p", podSelector=app("web"), egress=[{"ports": [{"port": "http"}]}])],
        {"source": WEB, "target": "203.0.113.9"},
        False,
    ),
    ("a node reaches its own Pods", [ingress()], {"source": "node:node-1"}, True),
    ("another node is an address", [ingress()], {"source": "node:node-2"}, False),
    ("a Pod reaches itself", [BOTH_WAYS], {"source": WEB, "target": WEB}, True),
]


@pytest.mark.parametrize("engine", [Engine.AZURE, Engine.CALICO])
@pytest.mark.parametrize(("section", "policies", "ask", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_a_connection_is_judged_as_documented(
    section: str, policies: list[Json], ask: dict[str, Any], expected: bool, engine: Engine
) -> None:
    """Every row is one statement of the networking/v1 documentation; Azure NPM and Calico agree on all of them."""
    assert allowed(world(*policies, engine=engine), **ask) is expected, section


def ingress_step(store: Store, source: str = API, target: str = WEB, port: int = 8080) -> Step:
    """Return the step at the destination."""
    return policy.judge(store, crossing(store, source, target, port))[-1]


def test_every_policy_and_rule_is_listed_with_its_reason() -> None:
    """The rule that admits is marked, the others say why they did not."""
    store = world(
        rules("shop/a", podSelector=app("api")),
        rules("shop/b", ingress=[peer(podSelector=app("nobody")), peer(podSelector=app("api"))]),
    )
    step = ingress_step(store)
    listed = {item.rule: item for item in step.considered}
    assert step.verdict is Verdict.PASS
    assert listed["shop/b ingress[1]"].decided
    assert "app=nobody" in listed["shop/b ingress[0]"].why
    assert "does not match the Pod" in listed["shop/a"].why
    assert step.subject is not None
    assert (step.evidence[0].field, step.evidence[0].subject) == (".spec.ingress[1]", step.subject)


BROKEN = {
    "selector": peer(podSelector=expression("app", "Like", "api")),
    "cidr": peer(ipBlock={"cidr": "10.0.0.0/40"}),
    "protocol": {"ports": [{"protocol": "ICMP"}]},
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_policy_that_cannot_be_evaluated_is_undecided_alone(what: str) -> None:
    """Another policy that admits passes; without one the answer names the policy that cannot be evaluated."""
    bad = rules("shop/bad", podSelector=app("web"), ingress=[BROKEN[what]])
    assert allowed(world(bad)) is None
    assert allowed(world(bad, ingress())) is None
    assert allowed(world(bad, ingress({}))) is True
    assert allowed(world(bad), source=WEB, target=API) is True
    step = ingress_step(world(bad))
    assert step.verdict is Verdict.UNSUPPORTED
    assert "shop/bad" in step.missing


def test_policies_that_cannot_be_read_are_blind() -> None:
    """The permission that is missing is said, and nothing passes."""
    step = ingress_step(world(denied=["NetworkPolicy"], reason="forbidden"))
    assert step.verdict is Verdict.BLIND
    assert "list networkpolicies in namespace shop (forbidden)" in step.missing


def test_a_namespace_label_that_cannot_be_read_is_undecided_only_where_it_matters() -> None:
    """The name label is known without reading namespaces, every other label is not."""
    by_team, by_name = (
        peer(namespaceSelector=TEAM_B),
        peer(namespaceSelector={"matchLabels": {"kubernetes.io/metadata.name": "ops"}}),
    )

    def hidden(*policies: Json) -> Store:
        store = world(*policies)
        objects = [pod(WEB, "10.244.0.5", {"app": "web"}), pod(OTHER, "10.244.1.9", {"app": "probe"}, "node-2")]
        assert store
        return made(*objects, *policies, cluster(networkPolicy="azure"), denied=["Namespace"])

    assert allowed(hidden(ingress(by_team)), source=OTHER) is None
    assert allowed(hidden(ingress(by_name)), source=OTHER) is True
    assert allowed(hidden(ingress(by_team, {})), source=OTHER) is True


_SELECTORS = st.sampled_from([{}, app("web"), app("api"), app("probe"), expression("tier", "DoesNotExist")])
_PEERS = st.one_of(
    st.builds(lambda pods: {"podSelector": pods}, _SELECTORS),
    st.builds(lambda pods: {"namespaceSelector": TEAM_A, "podSelector": pods}, _SELECTORS),
    st.sampled_from([{"namespaceSelector": TEAM_B}, {"ipBlock": {"cidr": "10.244.1.0/24"}}]),
)
_RULES = st.builds(
    lambda peers, ports: {"from": peers, "ports": ports},
    st.lists(_PEERS, max_size=2),
    st.lists(st.sampled_from([{"port": 8080}, {"port": 80}, {"port": "http"}]), max_size=2),
)
_POLICIES = st.lists(
    st.tuples(_SELECTORS, st.lists(_RULES, max_size=2)).map(lambda pair: {"podSelector": pair[0], "ingress": pair[1]}),
    max_size=4,
)


def named(specs: list[dict[str, Any]]) -> list[Json]:
    """Return policies of the namespace shop."""
    return [rules(f"shop/p{number}", policyTypes=["Ingress"], **spec) for number, spec in enumerate(specs)]


@given(specs=_POLICIES, source=st.sampled_from([API, OTHER]))
def test_the_order_of_policies_does_not_matter(specs: list[dict[str, Any]], source: str) -> None:
    """Policies are a set."""
    assert allowed(world(*named(specs)), source=source) is allowed(world(*named(specs[::-1])), source=source)


@given(specs=_POLICIES, more=_RULES, source=st.sampled_from([API, OTHER]))
def test_a_further_rule_never_takes_away_what_was_allowed(specs: list[dict[str, Any]], more: Json, source: str) -> None:
    """Adding a rule to a policy that isolates already can only admit more."""
    base = [{"podSelector": {}, "ingress": []}, *specs]
    grown = [{"podSelector": {}, "ingress": [more]}, *specs]
    before, after = (allowed(world(*named(listed)), source=source) for listed in (base, grown))
    assert after is True or before is not True
