"""Where engines read one policy differently: every point for Azure NPM, Calico, Cilium, none, and an unknown engine.

Source: MicrosoftDocs azure-aks-docs, "Migrate from NPM to Cilium network policy" and "Azure CNI powered by Cilium";
Kubernetes documentation, "Network policies"; Calico reference, "Felix configuration" (defaultEndpointToHostAction).
"""

from typing import Any, NamedTuple

import pytest

from aksnav.store.store import Store
from aksnav.trace.place import Entry
from aksnav.trace.policy.engines import Engine
from aksnav.trace.step import Step
from tests.unit.trace_edge.world import Json, cluster, made, namespace, node, pod, policy
from tests.unit.trace_policy_calico.cluster import API, CLIENT, WEB, both, deny, steps, word

ENGINES = (Engine.AZURE, Engine.CALICO, Engine.CILIUM, Engine.NONE, Engine.UNKNOWN)
PORT = {"name": "http", "containerPort": 8080}


class Point(NamedTuple):
    """A point of the table: what is asked, and what each of ``ENGINES`` makes of it."""

    says: str
    want: tuple[str, str, str, str, str]
    policy: Json
    ask: dict[str, Any]
    version: str = "v1.34.1"
    labels: dict[str, str] = {}
    more: tuple[Json, ...] = ()
    host: bool = False


def block(cidr: str) -> Json:
    """Return a policy that admits one block."""
    return policy("shop/p", ingress=[{"from": [{"ipBlock": {"cidr": cidr}}]}])


DENY = policy("shop/p")
OUT = policy("shop/p", podSelector={"matchLabels": {"app": "web"}}, policyTypes=["Egress"])
RANGE = policy("shop/p", ingress=[{"ports": [{"port": 8000, "endPort": 8100}]}])
NAMED = policy("shop/p", ingress=[{"ports": [{"port": "http"}]}])
IDENTITY = policy(
    "shop/p", ingress=[{"from": [{"podSelector": {"matchLabels": {"io.cilium.k8s.policy.cluster": "default"}}}]}]
)
OTHER = pod("shop/old", "10.244.0.6", {"app": "old"}, "node-1", [{"name": "http", "containerPort": 80}])
POINTS = [
    Point(
        "ipBlock against a Pod's address",
        ("allow", "allow", "deny", "allow", "?"),
        block("10.244.0.0/16"),
        {"source": API},
    ),
    Point(
        "ipBlock against a node's address",
        ("allow", "allow", "deny", "allow", "?"),
        block("10.224.0.0/16"),
        {"source": "node:node-2"},
    ),
    Point(
        "ipBlock 0.0.0.0/0 against a Pod", ("allow", "allow", "deny", "allow", "?"), block("0.0.0.0/0"), {"source": API}
    ),
    Point(
        "ipBlock against an address outside",
        ("allow", "allow", "allow", "allow", "allow"),
        block("203.0.113.0/24"),
        {"source": CLIENT},
    ),
    Point(
        "load balancer, externalTrafficPolicy Cluster, by another node, against a deny-all",
        ("allow", "deny", "deny", "allow", "?"),
        DENY,
        {"source": CLIENT, "entry": Entry.CLUSTER, "entry_node": "node-2"},
    ),
    Point(
        "load balancer, externalTrafficPolicy Cluster, by the Pod's own node, against a deny-all",
        ("allow", "?", "deny", "allow", "?"),
        DENY,
        {"source": CLIENT, "entry": Entry.CLUSTER, "entry_node": "node-1"},
    ),
    Point(
        "load balancer, externalTrafficPolicy Cluster, by another node, with the client admitted",
        ("allow", "deny", "deny", "allow", "?"),
        block("203.0.113.0/24"),
        {"source": CLIENT, "entry": Entry.CLUSTER, "entry_node": "node-2"},
    ),
    Point(
        "load balancer, externalTrafficPolicy Local, with the client admitted",
        ("allow", "allow", "allow", "allow", "allow"),
        block("203.0.113.0/24"),
        {"source": CLIENT, "entry": Entry.LOCAL, "entry_node": "node-1"},
    ),
    Point(
        "load balancer, externalTrafficPolicy Local, against a deny-all",
        ("deny", "deny", "deny", "allow", "deny"),
        DENY,
        {"source": CLIENT, "entry": Entry.LOCAL, "entry_node": "node-1"},
    ),
    Point(
        "egress to the own node", ("allow", "?", "deny", "allow", "?"), OUT, {"source": WEB, "target": "node:node-1"}
    ),
    Point(
        "egress to another node",
        ("deny", "deny", "deny", "allow", "deny"),
        OUT,
        {"source": WEB, "target": "node:node-2"},
    ),
    Point("ingress from the own node", ("allow", "allow", "allow", "allow", "allow"), DENY, {"source": "node:node-1"}),
    Point("endPort", ("allow", "allow", "allow", "allow", "allow"), RANGE, {"source": API, "port": 8080}),
    Point(
        "endPort on an old version",
        ("allow", "allow", "?", "allow", "?"),
        RANGE,
        {"source": API, "port": 8080},
        "v1.30.0",
    ),
    Point(
        "a named port",
        ("allow", "allow", "allow", "allow", "allow"),
        NAMED,
        {"source": API, "port": 8080},
        more=(OTHER,),
    ),
    Point(
        "a named port's other number",
        ("deny", "deny", "deny", "allow", "deny"),
        NAMED,
        {"source": API, "port": 80},
        more=(OTHER,),
    ),
    Point("a Pod on the host network", ("allow", "allow", "allow", "allow", "allow"), DENY, {"source": API}, host=True),
    Point("a selector of identity labels", ("deny", "deny", "allow", "allow", "?"), IDENTITY, {"source": API}),
    Point("a Pod to itself", ("allow", "allow", "allow", "allow", "allow"), DENY, {"source": WEB}),
    Point(
        "a Windows node", ("?", "?", "?", "allow", "?"), DENY, {"source": API}, labels={"kubernetes.io/os": "windows"}
    ),
    Point("a virtual node", ("?", "?", "?", "allow", "?"), DENY, {"source": API}, labels={"type": "virtual-kubelet"}),
]


def store_of(point: Point, engine: Engine, *objects: Json) -> Store:
    """Return two nodes with a Pod each, and a managed cluster that names the engine, but for an unknown one."""
    own = node("node-1", "10.224.0.4", **point.labels)
    own["status"]["nodeInfo"]["kubeletVersion"] = point.version
    return made(
        namespace("shop"),
        own,
        node("node-2", "10.224.0.5"),
        pod(WEB, "10.244.0.5", {"app": "web"}, "node-1", [PORT], hostNetwork=point.host),
        pod(API, "10.244.1.5", {"app": "api"}, "node-2"),
        point.policy,
        *point.more,
        *objects,
        *([] if engine is Engine.UNKNOWN else [cluster(networkPolicy=engine.value)]),
    )


def asked(point: Point, engine: Engine, *objects: Json) -> Step:
    """Return the step of the Pod whose policy the point is about."""
    found = steps(store_of(point, engine, *objects), **point.ask)
    return found[0] if point.policy is OUT else found[-1]


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.value)
@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.says)
def test_a_point_of_the_table(point: Point, engine: Engine) -> None:
    """What each engine makes of it; of an unknown one, what all of them agree on."""
    step = asked(point, engine)
    assert word([step]) == point.want[ENGINES.index(engine)], step.summary


@pytest.mark.parametrize("engine", [Engine.AZURE, Engine.CALICO, Engine.CILIUM], ids=lambda engine: engine.value)
def test_an_ambiguous_port_name_is_an_assumption_on_cilium_alone(engine: Engine) -> None:
    """Engines of "named ports": the others resolve it for each Pod (cilium#30003)."""
    point = next(item for item in POINTS if item.says == "a named port")
    assert any("P17" in text for text in asked(point, engine).assumptions) is (engine is Engine.CILIUM)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.value)
def test_what_does_not_apply_is_skipped_with_its_reason(engine: Engine) -> None:
    """A Pod on the host network and a Pod to itself: skipped, never allowed."""
    for says, reason in (("a Pod on the host network", "host-network"), ("a Pod to itself", "loopback")):
        step = asked(next(item for item in POINTS if item.says == says), engine)
        assert reason in step.summary
        assert step.verdict.value == "skip"


def test_an_unknown_engine_names_both_readings() -> None:
    """Where they differ the step says which engine does what."""
    step = asked(POINTS[0], Engine.UNKNOWN)
    for name in ("Azure NPM", "Cilium", "Calico"):
        assert name in step.summary


@pytest.mark.parametrize(
    ("says", "want"),
    [
        ("ipBlock against a Pod's address", "deny"),
        ("ingress from the own node", "allow"),
        ("a Pod on the host network", "allow"),
        ("a Pod to itself", "allow"),
        ("a Windows node", "?"),
    ],
)
def test_calicos_own_deny_stands_where_its_engine_asks_it(says: str, want: str) -> None:
    """A GlobalNetworkPolicy that denies everything at order 1 is asked wherever a NetworkPolicy is, nowhere else."""
    point = next(item for item in POINTS if item.says == says)
    assert word([asked(point, Engine.CALICO, both("default.no", order=1, ingress=[deny()]))]) == want
