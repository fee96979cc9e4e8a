"""Each point in which Cilium and Azure NPM read the same NetworkPolicy differently, through the trace.

Source: AKS documentation, "Migrate from Network Policy Manager (NPM) to Cilium Network Policy", and "Azure CNI Powered
by Cilium", limitations and frequently asked questions.
"""

from typing import Any

import pytest

from aksnav.trace import parse_request, trace
from aksnav.trace.policy.engines import Engine
from aksnav.trace.step import Branch, Kind, Outcome, Step, Trace, Verdict
from tests.unit.trace_edge.cloud import PUBLIC, bent
from tests.unit.trace_edge.world import Json, cluster, made, namespace, node, pod, policy
from tests.unit.trace_policy_cilium.around import ingress, labelled
from tests.unit.trace_policy_cilium.around import policy as cilium_policy

WEB, API = "shop/web", "shop/api"
PLACES = {WEB: "10.244.0.5", API: "10.244.1.5", "node-1": "10.224.0.4", "node-2": "10.224.0.5", "agent": "10.224.0.5"}
PORTS = [{"containerPort": 8080, "name": "http"}]
BOTH = (Engine.AZURE, Engine.CILIUM)
PASSES = {Verdict.PASS, Verdict.SKIP}


def world(engine: Engine, *objects: Json, version: str = "v1.34.1") -> Any:
    """Return two Pods on two nodes, and an agent in the network of the second."""
    nodes = [node("node-1", PLACES["node-1"]), node("node-2", PLACES["node-2"])]
    for item in nodes:
        item["status"]["nodeInfo"]["kubeletVersion"] = version
    return made(
        namespace("shop"),
        *nodes,
        pod(WEB, PLACES[WEB], {"app": "web"}, "node-1", PORTS),
        pod(API, PLACES[API], {"app": "api"}, "node-2", PORTS),
        pod("ops/agent", PLACES["agent"], {"app": "agent"}, "node-2", [{"containerPort": 9100}], hostNetwork=True),
        cluster(networkPolicy=engine.value),
        *objects,
    )


def asked(store: Any, target: str, source: str, port: int = 8080) -> Trace:
    """Return the trace between two places of the world."""
    start = f"pod/{source}" if "/" in source else f"node/{source}"
    return trace(store, parse_request(f"tcp://{PLACES[target]}:{port}", source=start))


def walked(steps: tuple[Step, ...]) -> list[Step]:
    """Return every step of a road with those of its branches."""
    out: list[Step] = []
    for step in steps:
        branches: tuple[Branch, ...] = step.branches
        out += [step, *(inner for branch in branches for inner in walked(branch.steps))]
    return out


def at(found: Trace, side: str) -> Step:
    """Return the policy step of one end."""
    return next(step for step in walked(found.steps) if step.kind is Kind.POLICY and step.summary.startswith(side))


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize(("target", "port"), [(API, 8080), ("node-2", 22), ("agent", 9100)])
@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "10.0.0.0/8", "whole"])
def test_an_ip_block_never_selects_a_pod_or_a_node_on_cilium(engine: Engine, target: str, port: int, cidr: str) -> None:
    """A block matches addresses on Azure NPM; on Cilium not those of Pods and nodes, not even 0.0.0.0/0 (P05)."""
    block = f"{PLACES[target]}/32" if cidr == "whole" else cidr
    to_block = [{"to": [{"ipBlock": {"cidr": block}}]}]
    rules = policy("shop/p", podSelector=labelled(app="web"), egress=to_block, policyTypes=["Egress"])
    step = at(asked(world(engine, rules), target, WEB, port), "egress")
    assert (step.verdict is Verdict.PASS) == (engine is Engine.AZURE)
    assert step.cause == ("" if engine is Engine.AZURE else "P05")


def balanced(engine: Engine, traffic: str, *objects: Json) -> Trace:
    """Return the trace of an internet client to a Service's public address, with policies for its Pod."""

    def change(made_: dict[str, Json]) -> None:
        made_["cluster"]["properties"]["networkProfile"]["networkPolicy"] = engine.value
        made_["service"]["spec"]["externalTrafficPolicy"] = traffic
        del made_["system"]

    store = made(*bent(change), *objects)
    return trace(store, parse_request(f"tcp://{PUBLIC}:443", source="internet:203.0.113.9"))


@pytest.mark.parametrize(
    ("engine", "traffic", "stops"),
    [
        (Engine.AZURE, "Cluster", set[Verdict]()),
        (Engine.AZURE, "Local", {Verdict.DROP}),
        (Engine.CILIUM, "Cluster", {Verdict.DROP}),
        (Engine.CILIUM, "Local", {Verdict.DROP}),
    ],
)
def test_traffic_of_load_balancers_is_subject_to_ingress_policy_on_cilium(
    engine: Engine, traffic: str, stops: set[Verdict]
) -> None:
    """Azure NPM passes LoadBalancer and NodePort traffic with externalTrafficPolicy Cluster, even by a deny-all."""
    found = balanced(engine, traffic, policy("shop/none", policyTypes=["Ingress"]))
    steps = [step for step in walked(found.steps) if step.kind is Kind.POLICY]
    assert {step.verdict for step in steps if step.verdict not in PASSES} == stops
    if not stops:
        assert any("does not subject" in step.summary for step in steps)


def test_a_rule_for_the_client_is_kept_with_local_and_hangs_on_the_node_with_cluster() -> None:
    """With Cluster the source may be a node's address, which an ipBlock for the client does not match (P04)."""
    client = policy(
        "shop/client", ingress=[{"from": [{"ipBlock": {"cidr": "203.0.113.9/32"}}]}], policyTypes=["Ingress"]
    )
    local = balanced(Engine.CILIUM, "Local", client)
    assert {step.verdict for step in walked(local.steps) if step.kind is Kind.POLICY} <= {*PASSES, Verdict.NOT_REACHED}
    rewritten = [step for step in walked(balanced(Engine.CILIUM, "Cluster", client).steps) if step.cause == "P04"]
    assert rewritten
    nodes = cilium_policy(ingress({"fromEntities": ["remote-node", "host", "world"]}))
    admitted = balanced(Engine.CILIUM, "Cluster", client, nodes)
    assert not [step for step in walked(admitted.steps) if step.kind is Kind.POLICY and step.verdict not in PASSES]


@pytest.mark.parametrize("engine", BOTH)
def test_egress_to_the_own_node_is_blocked_on_cilium_unless_an_entity_admits_it(engine: Engine) -> None:
    """Azure NPM admits it always; on Cilium any egress rule isolates, and toEntities host admits (P20)."""
    closed = policy("shop/p", policyTypes=["Egress"])
    step = at(asked(world(engine, closed), "node-1", WEB, 10250), "egress")
    assert (step.verdict, step.cause) == ((Verdict.SKIP, "") if engine is Engine.AZURE else (Verdict.DROP, "P20"))
    host = cilium_policy({"egress": [{"toEntities": ["host"]}]})
    if engine is Engine.CILIUM:
        assert at(asked(world(engine, closed, host), "node-1", WEB, 10250), "egress").verdict is Verdict.PASS
        other = at(asked(world(engine, closed, host), "node-2", WEB, 10250), "egress")
        assert other.verdict is Verdict.DROP


@pytest.mark.parametrize(
    ("engine", "version", "verdict"),
    [
        (Engine.AZURE, "v1.31.0", Verdict.PASS),
        (Engine.CILIUM, "v1.31.0", Verdict.UNSUPPORTED),
        (Engine.CILIUM, "v1.32.0", Verdict.PASS),
    ],
)
def test_end_port_needs_cilium_1_17(engine: Engine, version: str, verdict: Verdict) -> None:
    """Cilium reads endPort from 1.17, which AKS installs from Kubernetes 1.32."""
    rules = policy("shop/p", ingress=[{"ports": [{"protocol": "TCP", "port": 8000, "endPort": 8100}]}])
    step = at(asked(world(engine, rules, version=version), WEB, API), "ingress")
    assert step.verdict is verdict
    assert ("1.17" in step.missing) == (verdict is Verdict.UNSUPPORTED)


@pytest.mark.parametrize("engine", BOTH)
def test_a_port_name_that_means_several_numbers_is_a_caution_on_cilium(engine: Engine) -> None:
    """cilium#30003: one name with different numbers can be enforced otherwise (P17)."""
    other = pod("shop/other", "10.244.1.7", {"app": "other"}, "node-2", [{"containerPort": 9090, "name": "http"}])
    rules = policy("shop/p", ingress=[{"ports": [{"protocol": "TCP", "port": "http"}]}])
    step = at(asked(world(engine, rules, other), WEB, API), "ingress")
    assert step.verdict is Verdict.PASS
    assert any("P17" in line for line in step.assumptions) == (engine is Engine.CILIUM)


@pytest.mark.parametrize("engine", BOTH)
def test_pods_with_host_network_are_not_isolated_and_are_nodes_as_peers(engine: Engine) -> None:
    """Policies are skipped at their end; at the other end they are their node, which selectors do not match."""
    everywhere = policy("ops/none", policyTypes=["Ingress", "Egress"])
    step = at(asked(world(engine, everywhere), "agent", WEB, 9100), "ingress")
    assert step.verdict is Verdict.SKIP
    assert "host-network" in step.summary
    by_label = policy(
        "shop/p", ingress=[{"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "agent"}}}]}]
    )
    assert at(asked(world(engine, by_label), WEB, "ops/agent"), "ingress").verdict is Verdict.DROP
    as_node = cilium_policy(ingress({"fromEntities": ["remote-node"]}))
    if engine is Engine.CILIUM:
        assert at(asked(world(engine, by_label, as_node), WEB, "ops/agent"), "ingress").verdict is Verdict.PASS


@pytest.mark.parametrize("engine", BOTH)
def test_selectors_match_labels_of_identities_on_cilium_alone(engine: Engine) -> None:
    """A podSelector may name the cluster or the service account, which Pods' own labels do not have."""
    selector = {"podSelector": labelled(io__cilium__k8s__policy__cluster="default")}
    step = at(asked(world(engine, policy("shop/p", ingress=[{"from": [selector]}])), WEB, API), "ingress")
    assert step.verdict is (Verdict.PASS if engine is Engine.CILIUM else Verdict.DROP)


@pytest.mark.parametrize("engine", BOTH)
def test_a_pod_reaches_itself(engine: Engine) -> None:
    """Loopback is not subject to policy."""
    found = asked(world(engine, policy("shop/p", policyTypes=["Ingress", "Egress"])), WEB, WEB)
    assert found.outcome is Outcome.DELIVERED
    assert "loopback" in at(found, "ingress").summary


@pytest.mark.parametrize("engine", BOTH)
def test_policies_on_windows_nodes_are_not_modelled(engine: Engine) -> None:
    """Cilium is not available there, and Azure NPM for Windows is another program."""
    windows = node("win", "10.224.0.9", **{"kubernetes.io/os": "windows"})
    store = world(
        engine, windows, pod("shop/iis", "10.244.2.5", {"app": "web"}, "win", PORTS), policy("shop/p", ingress=[{}])
    )
    found = trace(store, parse_request("tcp://10.244.2.5:8080", source=f"pod/{API}"))
    step = at(found, "ingress")
    assert step.verdict is Verdict.UNSUPPORTED
    assert "Windows" in step.missing
