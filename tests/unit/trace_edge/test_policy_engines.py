"""Engines: how each is recognised, and where they read the same policy differently (with the document that says so)."""

from typing import Any

import pytest

from aksnav.store.store import Store
from aksnav.trace import policy
from aksnav.trace.place import Entry
from aksnav.trace.policy.engines import Engine
from aksnav.trace.step import Step, Verdict
from tests.unit.trace_edge.world import Json, cluster, crossing, daemon, made, namespace, node, pod, put
from tests.unit.trace_edge.world import policy as rules

WEB, API = "shop/web", "shop/api"
SYSTEM = pod("kube-system/coredns", "10.244.0.2")
CILIUM_NODE = node("node-1", "10.224.0.4", **{"kubernetes.azure.com/ebpf-dataplane": "cilium"})


@pytest.mark.parametrize(
    ("objects", "engine", "field"),
    [
        ([cluster(networkPolicy="azure")], Engine.AZURE, ".networkProfile.networkPolicy"),
        ([cluster(networkPolicy="calico")], Engine.CALICO, ".networkProfile.networkPolicy"),
        ([cluster(networkPolicy="cilium")], Engine.CILIUM, ".networkProfile.networkPolicy"),
        ([cluster(networkDataplane="cilium")], Engine.CILIUM, ".networkProfile.networkDataplane"),
        ([cluster(networkPolicy="none")], Engine.NONE, ".networkProfile.networkPolicy"),
        (
            [cluster(networkPolicy="none"), daemon("calico-system/calico-node")],
            Engine.CALICO,
            ".metadata.ownerReferences[0].name",
        ),
        ([daemon("kube-system/azure-npm")], Engine.AZURE, ".metadata.ownerReferences[0].name"),
        ([daemon("kube-system/cilium")], Engine.CILIUM, ".metadata.ownerReferences[0].name"),
        ([daemon("calico-system/calico-node")], Engine.CALICO, ".metadata.ownerReferences[0].name"),
        ([CILIUM_NODE], Engine.CILIUM, ".metadata.labels['kubernetes.azure.com/ebpf-dataplane']"),
        ([SYSTEM], Engine.NONE, "pods -n kube-system"),
        ([SYSTEM, cluster(networkPlugin="none")], Engine.UNKNOWN, ".networkProfile.networkPlugin"),
    ],
)
def test_the_engine_is_recognised_by_a_field(objects: list[Json], engine: Engine, field: str) -> None:
    """The managed cluster says it, else what runs in the cluster does."""
    reading = policy.engine(made(*objects))
    assert reading.engine is engine
    assert reading.evidence[0].field == field


def test_without_system_pods_nobody_can_say_which_engine_runs() -> None:
    """An empty or unreadable kube-system is no proof that nothing enforces policies."""
    for store in (made(pod(WEB)), made(denied=["Pod"], reason="forbidden"), made(cluster())):
        reading = policy.engine(store)
        assert reading.engine is Engine.UNKNOWN
        assert reading.missing


def test_pods_of_two_engines_are_not_a_choice() -> None:
    """While one engine replaces another, nobody can say which one decides."""
    assert policy.engine(made(daemon("kube-system/azure-npm"), daemon("kube-system/cilium"))).engine is Engine.UNKNOWN


def test_the_engine_is_read_again_when_its_sources_change() -> None:
    """The answer is kept only as long as the tables that it comes from stand."""
    store = made(SYSTEM)
    assert policy.engine(store).engine is Engine.NONE
    put(store, daemon("kube-system/cilium"))
    assert policy.engine(store).engine is Engine.CILIUM


def world(engine: Engine, *policies: Json, **pods: Any) -> Store:
    """Return two nodes with a Pod each."""
    return made(
        namespace("shop"),
        node("node-1", "10.224.0.4"),
        node("node-2", "10.224.0.5"),
        pod(WEB, "10.244.0.5", {"app": "web"}, "node-1", **pods),
        pod(API, "10.244.1.5", {"app": "api"}, "node-2"),
        *policies,
        *([] if engine is Engine.UNKNOWN else [cluster(networkPolicy=engine.value)]),
    )


def step(store: Store, source: str, target: str = WEB, **more: Any) -> Step:
    """Return the last policy step of a connection."""
    return policy.judge(store, crossing(store, source, target, **more))[-1]


def block(cidr: str) -> Json:
    """Return a policy for every Pod of the namespace that admits one block."""
    return rules("shop/block", ingress=[{"from": [{"ipBlock": {"cidr": cidr}}]}])


DENY = rules("shop/deny")


@pytest.mark.parametrize(
    ("engine", "verdict", "cause"),
    [(Engine.AZURE, Verdict.PASS, ""), (Engine.CALICO, Verdict.PASS, ""), (Engine.CILIUM, Verdict.DROP, "P05")],
)
@pytest.mark.parametrize("source", [API, "node:node-2"])
def test_an_ip_block_selects_pods_and_nodes_but_on_cilium(
    engine: Engine, verdict: Verdict, cause: str, source: str
) -> None:
    """AKS documentation, "Azure CNI Powered by Cilium": ipBlock cannot select Pod or node addresses."""
    found = step(world(engine, block("10.0.0.0/8")), source)
    assert (found.verdict, found.cause) == (verdict, cause)


@pytest.mark.parametrize(
    ("engine", "node_name", "policies", "verdict", "cause"),
    [
        (Engine.AZURE, "node-2", [DENY], Verdict.PASS, ""),
        (Engine.AZURE, "node-1", [DENY], Verdict.PASS, ""),
        (Engine.CILIUM, "node-2", [DENY], Verdict.DROP, "P01"),
        (Engine.CILIUM, "node-2", [block("203.0.113.0/24")], Verdict.DROP, "P04"),
        (Engine.CILIUM, "node-1", [block("203.0.113.0/24")], Verdict.PASS, ""),
        (Engine.CILIUM, "node-1", [DENY], Verdict.DROP, "P01"),
        (Engine.CALICO, "node-2", [block("203.0.113.0/24")], Verdict.DROP, "P04"),
        (Engine.CALICO, "node-2", [block("10.224.0.0/16")], Verdict.PASS, ""),
        (Engine.CALICO, "node-1", [block("203.0.113.0/24")], Verdict.PASS, ""),
        (Engine.CALICO, "node-1", [DENY], Verdict.UNSUPPORTED, ""),
    ],
)
def test_traffic_policy_cluster_rewrites_the_source(
    engine: Engine, node_name: str, policies: list[Json], verdict: Verdict, cause: str
) -> None:
    """aks-networking.md, T3: what the engine sees of the client; Azure NPM lets load balancer traffic through."""
    found = step(world(engine, *policies), "203.0.113.9", entry=Entry.CLUSTER, entry_node=node_name)
    assert (found.verdict, found.cause) == (verdict, cause)


def test_an_unknown_entry_node_makes_a_client_rule_undecided() -> None:
    """On Cilium the rule holds on the node that runs the Pod and not on the others: both readings are said."""
    found = step(world(Engine.CILIUM, block("203.0.113.0/24")), "203.0.113.9", entry=Entry.CLUSTER)
    assert found.verdict is Verdict.UNSUPPORTED
    assert "passes" in found.summary
    assert "is stopped" in found.summary


@pytest.mark.parametrize("engine", [Engine.AZURE, Engine.CALICO, Engine.CILIUM])
def test_traffic_policy_local_keeps_the_client(engine: Engine) -> None:
    """aks-networking.md, T3: with externalTrafficPolicy Local every engine sees the client's address."""
    store = world(engine, block("203.0.113.0/24"))
    for source, verdict in (("203.0.113.9", Verdict.PASS), ("198.51.100.9", Verdict.DROP)):
        assert step(store, source, entry=Entry.LOCAL, entry_node="node-1").verdict is verdict


@pytest.mark.parametrize(
    ("engine", "verdict", "cause"),
    [(Engine.AZURE, Verdict.SKIP, ""), (Engine.CILIUM, Verdict.DROP, "P20"), (Engine.CALICO, Verdict.UNSUPPORTED, "")],
)
def test_egress_to_the_own_node(engine: Engine, verdict: Verdict, cause: str) -> None:
    """AKS documentation, "migrate from NPM to Cilium": NPM allows it, Cilium blocks it once egress is isolated."""
    store = world(engine, rules("shop/egress", policyTypes=["Egress"]))
    found = step(store, WEB, "node:node-1")
    assert (found.verdict, found.cause) == (verdict, cause)


@pytest.mark.parametrize(("version", "verdict"), [("v1.34.1", Verdict.PASS), ("v1.30.0", Verdict.UNSUPPORTED)])
def test_end_port_needs_a_cilium_that_reads_it(version: str, verdict: Verdict) -> None:
    """engines.md: endPort works from Cilium 1.17 on, which AKS installs from Kubernetes 1.32 on."""
    store = world(Engine.CILIUM, rules("shop/range", ingress=[{"ports": [{"port": 8000, "endPort": 8100}]}]))
    old = node("node-1", "10.224.0.4")
    old["status"]["nodeInfo"]["kubeletVersion"] = version
    put(store, old)
    assert step(store, API, port=8080).verdict is verdict
    assert step(store, API, port=8000).verdict is Verdict.PASS
    assert step(store, API, port=9000).verdict is Verdict.DROP


def test_a_port_name_with_several_numbers_is_an_assumption_on_cilium() -> None:
    """engines.md: one name that means different ports can be mis-enforced (cilium#30003)."""
    store = world(Engine.CILIUM, rules("shop/named", ingress=[{"ports": [{"port": "http"}]}]))
    put(store, pod(WEB, "10.244.0.5", {"app": "web"}, "node-1", [{"containerPort": 8080, "name": "http"}]))
    assert step(store, API, port=8080).assumptions == ()
    put(store, pod("shop/old", "10.244.0.6", {"app": "old"}, "node-1", [{"containerPort": 80, "name": "http"}]))
    found = step(store, API, port=8080)
    assert found.verdict is Verdict.PASS
    assert any("P17" in text for text in found.assumptions)


@pytest.mark.parametrize("engine", list(Engine))
def test_host_network_pods_are_skipped(engine: Engine) -> None:
    """A Pod in its node's network is never judged by policy: neither allowed nor denied."""
    found = step(world(engine, DENY, hostNetwork=True), API)
    assert found.verdict is Verdict.SKIP
    assert "host-network" in found.summary or engine is Engine.NONE


def test_without_an_engine_policies_are_skipped_and_said() -> None:
    """Policies exist and nothing enforces them (P10)."""
    found = step(world(Engine.NONE, DENY), API)
    assert found.verdict is Verdict.SKIP
    assert "engine-none" in found.summary
    assert "P10" in found.considered[0].why


def test_an_unknown_engine_decides_where_all_readings_agree() -> None:
    """A deny that every engine reads alike stands, with the assumption that one of them runs."""
    found = step(world(Engine.UNKNOWN, DENY), API)
    assert found.verdict is Verdict.DROP
    assert found.assumptions
    both = step(world(Engine.UNKNOWN, block("10.0.0.0/8")), API)
    assert both.verdict is Verdict.BLIND
    assert "Cilium" in both.summary
    assert "Azure NPM" in both.summary


def labelled(**labels: str) -> Json:
    """Return a rule that admits namespaces with these labels."""
    return {"from": [{"namespaceSelector": {"matchLabels": labels}}]}


@pytest.mark.parametrize(
    ("policies", "ask", "cause"),
    [
        (
            [rules("shop/p", ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "x"}}}]}])],
            {"source": API},
            "P01",
        ),
        ([rules("shop/p", ingress=[{"ports": [{"port": 80}]}])], {"source": API, "port": 8080}, "P02"),
        ([rules("shop/p", ingress=[labelled(team="a")])], {"source": API}, "P03"),
        ([rules("shop/p", egress=[{"ports": [{"port": 443}]}])], {"source": WEB, "target": API, "port": 53}, "P06"),
        ([rules("shop/p", ingress=[{"ports": [{"port": 9}]}])], {"source": "168.63.129.16"}, "P07"),
        ([rules("shop/p", egress=[{"ports": [{"port": 443}]}])], {"source": WEB, "target": "203.0.113.9"}, "P08"),
        ([rules("shop/p", ingress=[{"ports": [{"port": 9}]}])], {"source": "node:node-2"}, "P11"),
        (
            [rules("shop/p", egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.9/32"}}]}])],
            {"source": WEB, "target": API},
            "P15",
        ),
        ([DENY], {"source": API}, "P01"),
        ([rules("shop/p", policyTypes=["Egress"])], {"source": WEB, "target": API, "port": 53}, "P06"),
        ([rules("shop/p", policyTypes=["Egress", "Ingress"], ingress=[{}])], {"source": WEB, "target": API}, "P18"),
        ([rules("shop/p", podSelector={"matchLabels": {"app": "web"}}, ingress=[])], {"source": API}, "P18"),
    ],
)
def test_a_stopped_connection_names_its_fault(policies: list[Json], ask: dict[str, Any], cause: str) -> None:
    """The fault follows from what comes nearest to admitting the connection."""
    store = world(Engine.AZURE, *policies)
    service = {"selector": {"app": "web"}, "clusterIP": "10.0.0.9", "ports": [{"port": 80, "targetPort": 8080}]}
    put(store, {"kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": service})
    steps = policy.judge(store, crossing(store, **{"destination": ask.pop("target", WEB), **ask}))
    stopped = [item for item in steps if item.verdict is Verdict.DROP]
    assert [item.cause for item in stopped][:1] == [cause]
    assert stopped[0].evidence
    assert stopped[0].confirm
    assert stopped[0].fix


@pytest.mark.parametrize("label", [{"kubernetes.io/os": "windows"}, {"type": "virtual-kubelet"}])
def test_policies_on_other_kinds_of_nodes_are_not_modelled(label: dict[str, str]) -> None:
    """Where a policy selects the Pod nothing is claimed; where none does, none applies on any node."""
    store = world(Engine.AZURE, DENY)
    put(store, node("node-1", "10.224.0.4", **label))
    assert step(store, API).verdict is Verdict.UNSUPPORTED
    free = world(Engine.AZURE)
    put(free, node("node-1", "10.224.0.4", **label))
    assert step(free, API).verdict is Verdict.SKIP


def test_a_gateway_subnet_that_no_rule_admits_is_named() -> None:
    """Application Gateway connects from its own subnet, which a policy has to admit by ipBlock (P16)."""
    store = world(Engine.AZURE, rules("shop/p", ingress=[{"ports": [{"port": 9}]}]))
    ident = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v"
    gateway = {
        "name": "agw",
        "id": f"{ident}/subnets/agw",
        "addressPrefix": "10.225.0.0/24",
        "delegations": [{"name": "d", "serviceName": "Microsoft.ServiceNetworking/trafficControllers"}],
    }
    put(store, {"kind": "virtualNetworks", "id": ident, "name": "v", "subnets": [gateway]})
    found = step(store, "10.225.0.9")
    assert (found.verdict, found.cause) == (Verdict.DROP, "P16")
    assert "agw" in found.summary
