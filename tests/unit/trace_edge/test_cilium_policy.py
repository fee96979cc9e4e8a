"""Cilium's own policies: the project's own table, each row with the part of the documentation that it comes from."""

from typing import Any

import msgspec
import pytest

from aksnav.store.store import Store
from aksnav.trace import policy
from aksnav.trace.packet import Packet
from aksnav.trace.step import Step, Verdict
from tests.unit.trace_edge.world import Json, cluster, crossing, made, namespace, node, pod, put
from tests.unit.trace_edge.world import policy as rules

WEB, API, OPS, OUTSIDE = "shop/web", "shop/api", "ops/probe", "203.0.113.9"
PORTS = [{"containerPort": 8080, "name": "http"}]
CLIENTS = {API: "api", OPS: "ops", OUTSIDE: "client", "node:node-1": "own node", "node:node-2": "other node"}


def cnp(*specs: Json, kind: str = "CiliumNetworkPolicy", space: str = "shop", selector: Json | None = None) -> Json:
    """Return a policy for app=web with these rules."""
    chosen = {"matchLabels": {"app": "web"}} if selector is None else selector
    meta = {"name": "p", **({"namespace": space} if kind == "CiliumNetworkPolicy" else {})}
    return {"kind": kind, "metadata": meta, "specs": [{"endpointSelector": chosen, **spec} for spec in specs]}


def world(*policies: Json, **denied: Any) -> Store:
    """Return three Pods on two nodes, on Cilium."""
    account = {"serviceAccountName": "runner"}
    return made(
        namespace("shop", team="a"),
        namespace("ops", team="b"),
        node("node-1", "10.224.0.4"),
        node("node-2", "10.224.0.5"),
        pod(WEB, "10.244.0.5", {"app": "web"}, "node-1", PORTS),
        pod(API, "10.244.1.5", {"app": "api"}, "node-2", PORTS, **account),
        pod(OPS, "10.244.1.9", {"app": "probe"}, "node-2", PORTS),
        cluster(networkDataplane="cilium"),
        *policies,
        **denied,
    )


def step(store: Store, source: str, target: str = WEB, port: int = 8080, packet: Packet | None = None) -> Step:
    """Return the step of the Pod shop/web."""
    what = crossing(store, source, target, port)
    if packet is not None:
        what = msgspec.structs.replace(
            what, packet=msgspec.structs.replace(packet, source=what.packet.source, port=port)
        )
    steps = policy.judge(store, what)
    return steps[0] if source == WEB else steps[-1]


def admitted(store: Store, **more: Any) -> set[str]:
    """Return which clients reach shop/web."""
    passing = {Verdict.PASS, Verdict.SKIP}
    return {word for source, word in CLIENTS.items() if step(store, source, **more).verdict in passing}


def ingress(*listed: Json) -> Json:
    """Return a spec of ingress rules."""
    return {"ingress": list(listed)}


def entities(*names: str) -> Json:
    """Return a rule that names entities."""
    return {"fromEntities": list(names)}


def endpoints(**labels: str) -> Json:
    """Return a rule that names endpoints by labels."""
    return {"fromEndpoints": [{"matchLabels": {key.replace("__", "."): value for key, value in labels.items()}}]}


EVERYBODY, OWN = set(CLIENTS.values()), {"own node"}
TABLE: list[tuple[str, list[Json], set[str]]] = [
    ("enforcement: no rule of the direction isolates nothing", [cnp({"egress": [{}]})], EVERYBODY),
    ("enforcement: an empty rule isolates and selects nobody", [cnp(ingress({}))], OWN),
    ("endpoints: own namespace", [cnp(ingress(endpoints(app="api")))], OWN | {"api"}),
    ("endpoints: not another namespace", [cnp(ingress(endpoints(app="probe")))], OWN),
    ("endpoints: everything is the own namespace", [cnp(ingress({"fromEndpoints": [{}]}))], OWN | {"api"}),
    ("endpoints: an empty list is nobody", [cnp(ingress({"fromEndpoints": []}))], OWN),
    (
        "endpoints: label source k8s",
        [cnp(ingress({"fromEndpoints": [{"matchLabels": {"k8s:app": "api"}}]}))],
        OWN | {"api"},
    ),
    ("endpoints: namespace label", [cnp(ingress(endpoints(io__kubernetes__pod__namespace="ops")))], OWN | {"ops"}),
    (
        "endpoints: label of the namespace",
        [cnp(ingress(endpoints(io__cilium__k8s__namespace__labels__team="b")))],
        OWN | {"ops"},
    ),
    (
        "endpoints: service account",
        [cnp(ingress(endpoints(io__cilium__k8s__policy__serviceaccount="runner")))],
        OWN | {"api"},
    ),
    ("entities: all", [cnp(ingress(entities("all")))], EVERYBODY),
    ("entities: world", [cnp(ingress(entities("world")))], OWN | {"client"}),
    ("entities: cluster", [cnp(ingress(entities("cluster")))], EVERYBODY - {"client"}),
    ("entities: remote-node", [cnp(ingress(entities("remote-node")))], OWN | {"other node"}),
    ("CIDR: outside", [cnp(ingress({"fromCIDR": ["203.0.113.0/24"]}))], OWN | {"client"}),
    ("CIDR: never a Pod, never a node", [cnp(ingress({"fromCIDR": ["10.0.0.0/8"]}))], OWN),
    (
        "CIDR set: except",
        [cnp(ingress({"fromCIDRSet": [{"cidr": "203.0.0.0/16", "except": ["203.0.113.0/24"]}]}))],
        OWN,
    ),
    (
        "ports alone: everybody",
        [cnp(ingress({"toPorts": [{"ports": [{"port": "8080", "protocol": "TCP"}]}]}))],
        EVERYBODY,
    ),
    ("ports: any protocol", [cnp(ingress({"toPorts": [{"ports": [{"port": "8080"}]}]}))], EVERYBODY),
    ("ports: another one", [cnp(ingress({"toPorts": [{"ports": [{"port": "80"}]}]}))], OWN),
    ("ports: a range", [cnp(ingress({"toPorts": [{"ports": [{"port": "8000", "endPort": 8100}]}]}))], EVERYBODY),
    ("ports: a name", [cnp(ingress({"toPorts": [{"ports": [{"port": "http"}]}]}))], EVERYBODY),
    (
        "ports: zero is every port",
        [cnp(ingress({"toPorts": [{"ports": [{"port": "0", "protocol": "TCP"}]}]}))],
        EVERYBODY,
    ),
    (
        "deny beats allow",
        [cnp({**ingress(entities("all")), "ingressDeny": [endpoints(app="api")]})],
        EVERYBODY - {"api"},
    ),
    ("a deny rule isolates", [cnp({"ingressDeny": [endpoints(app="api")]})], OWN),
    (
        "enableDefaultDeny: false",
        [cnp({"ingressDeny": [endpoints(app="api")], "enableDefaultDeny": {"ingress": False}})],
        EVERYBODY - {"api"},
    ),
    (
        "specs: several rule sets add up",
        [cnp(ingress(entities("world")), ingress(endpoints(app="api")))],
        OWN | {"api", "client"},
    ),
    (
        "with NetworkPolicy: either admits",
        [cnp(ingress(entities("world"))), rules("shop/k", ingress=[{"from": [{"podSelector": {}}]}])],
        OWN | {"api", "client"},
    ),
    ("another Pod's policy", [cnp(ingress({}), selector={"matchLabels": {"app": "api"}})], EVERYBODY),
    (
        "clusterwide: every namespace",
        [cnp(ingress(endpoints(app="probe")), kind="CiliumClusterwideNetworkPolicy")],
        OWN | {"ops"},
    ),
    (
        "clusterwide: everything is every Pod",
        [cnp(ingress({"fromEndpoints": [{}]}), kind="CiliumClusterwideNetworkPolicy")],
        OWN | {"api", "ops"},
    ),
]


@pytest.mark.parametrize(("section", "policies", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_who_is_admitted_follows_the_documentation(section: str, policies: list[Json], expected: set[str]) -> None:
    """Every row is one statement of Cilium's policy documentation."""
    assert admitted(world(*policies)) == expected, section


def test_a_rule_for_nodes_has_no_say_on_pods() -> None:
    """A clusterwide policy with nodeSelector is for hosts."""
    made_for_nodes = {
        "kind": "CiliumClusterwideNetworkPolicy",
        "metadata": {"name": "h"},
        "spec": {"nodeSelector": {}, "ingress": [{}]},
    }
    assert admitted(world(made_for_nodes)) == EVERYBODY


def http(*listed: Json) -> Json:
    """Return a policy that judges requests to port 8080."""
    return cnp(
        ingress({"toPorts": [{"ports": [{"port": "8080", "protocol": "TCP"}], "rules": {"http": list(listed)}}]})
    )


GET = Packet(scheme="http", method="GET", path="/public", host="web", headers=(("x-token", "42"),))


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        ({}, Verdict.PASS),
        ({"method": "GET"}, Verdict.PASS),
        ({"method": "POST"}, Verdict.RESPOND),
        ({"path": "/public"}, Verdict.PASS),
        ({"path": "/pub"}, Verdict.RESPOND),
        ({"path": "/pub.*"}, Verdict.PASS),
        ({"host": "web"}, Verdict.PASS),
        ({"headers": ["X-Token: 42"]}, Verdict.PASS),
        ({"headers": ["X-Token: 43"]}, Verdict.RESPOND),
        ({"headers": ["X-Token"]}, Verdict.PASS),
        ({"headerMatches": [{"name": "x", "secret": {"name": "s"}}]}, Verdict.UNSUPPORTED),
        ({"path": "(a+)+$"}, Verdict.UNSUPPORTED),
    ],
)
def test_http_rules_answer_requests(rule: Json, verdict: Verdict) -> None:
    """What no rule admits is answered with 403 by the proxy; patterns match the whole value."""
    found = step(world(http(rule)), API, packet=GET)
    assert found.verdict is verdict
    assert found.status == (403 if verdict is Verdict.RESPOND else 0)
    assert (found.cause == "P09") == (verdict is Verdict.RESPOND)


def test_http_rules_on_what_is_no_plain_request_are_undecided() -> None:
    """Without a request, or within TLS, nobody can say what the proxy does."""
    store = world(http({"method": "GET"}))
    assert step(store, API).verdict is Verdict.UNSUPPORTED
    assert (
        step(store, API, packet=msgspec.structs.replace(GET, scheme="https", tls=True)).verdict is Verdict.UNSUPPORTED
    )


def test_a_rule_without_http_admits_every_request() -> None:
    """An allow of the same port that asks nothing of the request takes precedence over one that does."""
    store = world(http({"method": "POST"}), rules("shop/k", ingress=[{"ports": [{"port": 8080}]}]))
    assert step(store, API, packet=GET).verdict is Verdict.PASS


NOT_MODELLED = {
    "authentication": {"toEntities": ["all"], "authentication": {"mode": "required"}},
    "toBranches": {"toBranches": [{}]},
}


@pytest.mark.parametrize("feature", NOT_MODELLED)
def test_a_feature_that_is_not_modelled_is_named_and_never_passes(feature: str) -> None:
    """The step says which feature it is; another rule that admits passes all the same."""
    found = step(world(cnp({"egress": [NOT_MODELLED[feature]]})), WEB, OUTSIDE)
    assert found.verdict is Verdict.UNSUPPORTED
    assert feature.removeprefix("to")[:4].lower() in found.missing.lower()
    assert (
        step(world(cnp({"egress": [NOT_MODELLED[feature], {"toEntities": ["world"]}]})), WEB, OUTSIDE).verdict
        is Verdict.PASS
    )


def test_an_unknown_deny_is_never_passed_over() -> None:
    """A deny rule that cannot be evaluated leaves it undecided, whatever else admits."""
    spec = {"egress": [{"toEntities": ["all"]}], "egressDeny": [NOT_MODELLED["toBranches"]]}
    assert step(world(cnp(spec)), WEB, OUTSIDE).verdict is Verdict.UNSUPPORTED


def test_policies_that_cannot_be_read_are_blind() -> None:
    """On Cilium its own policies may deny: without them nothing is decided."""
    store = world(denied=["CiliumNetworkPolicy"], reason="forbidden")
    found = step(store, API)
    assert found.verdict is Verdict.BLIND
    assert "list ciliumnetworkpolicies" in found.missing


def test_a_policy_that_cilium_refused_is_undecided() -> None:
    """Condition Valid is False: what the agents do with it is not known."""
    refused = cnp(ingress({}))
    refused["status"] = {"conditions": [{"type": "Valid", "status": "False", "message": "unknown field"}]}
    found = step(world(refused), API)
    assert found.verdict is Verdict.UNSUPPORTED
    assert "unknown field" in found.missing


def test_answers_follow_changes_of_the_store() -> None:
    """What is kept is thrown away when a policy comes."""
    store = world()
    assert admitted(store) == EVERYBODY
    put(store, cnp(ingress({})))
    assert admitted(store) == OWN
    put(store, rules("shop/k", ingress=[{}]))
    assert admitted(store) == EVERYBODY
