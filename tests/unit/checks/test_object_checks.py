"""Checks of single objects: where they hold, and where they keep silent."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from aksnav.checks.capacity import subnet_findings
from aksnav.checks.finding import Finding, Proof
from aksnav.checks.network import peer_findings, pool_findings
from aksnav.checks.nodes import cluster_findings, node_findings
from aksnav.checks.policies import dns_findings, dns_namespaces, policy_findings
from aksnav.checks.services import local_policy_findings
from aksnav.model.azure.network import SubnetUsage
from aksnav.model.change import Reading, ReadingChanged, Removed, Upserted
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.model.kubernetes.workload import Condition
from aksnav.model.labels import Labels
from aksnav.sources import demo
from aksnav.store import Store


@pytest.fixture
def store() -> Store:
    made = Store()
    for change in demo.changes("healthy", lambda: 1_764_000_000.0):
        made.apply(change)
    return made


def put(store: Store, row: Any, **fields: Any) -> None:
    store.apply(Upserted(row.KIND, [msgspec.structs.replace(row, **fields)]))


def policy(store: Store, namespace: str, name: str, **spec: Any) -> None:
    wire = {"metadata": {"name": name, "namespace": namespace}, "spec": spec}
    store.apply(Upserted("NetworkPolicy", [decode_wire(KINDS["NetworkPolicy"], wire)]))


def ids(found: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(finding.id, finding.subject.id) for finding in found]


@pytest.mark.parametrize("status", ["False", "Unknown"])
def test_a_node_that_is_not_ready_is_told(store: Store, status: str) -> None:
    """Unknown is what the control plane writes when a kubelet has stopped to report."""
    node = next(iter(store.nodes))
    assert ids(node_findings(store)) == []
    put(store, node, conditions=(Condition("Ready", status),))
    assert ids(node_findings(store)) == [("X07", node.name)]


def test_a_node_without_a_network_is_told(store: Store) -> None:
    """Ready, and its routes are not set up."""
    node = next(iter(store.nodes))
    put(store, node, conditions=(Condition("Ready", "True"), Condition("NetworkUnavailable", "True", "NoRouteCreated")))
    (found,) = node_findings(store)
    assert (found.id, found.evidence[0].value) == ("X07", "True")
    assert "NoRouteCreated" in found.summary


@pytest.mark.parametrize("code", ["Stopped", "stopped"])
def test_a_stopped_cluster_is_told(store: Store, code: str) -> None:
    """ARM's enumerations come in any letter case."""
    cluster = next(iter(store.clusters))
    assert ids(cluster_findings(store)) == []
    put(store, cluster, power_state={"code": code})
    assert ids(cluster_findings(store)) == [("K04", cluster.id)]


def test_pools_at_zero_count_where_no_node_is_there(store: Store) -> None:
    """One pool at zero is an autoscaler's business; all of them leave nothing that answers."""
    cluster = next(iter(store.clusters))
    pools = tuple(msgspec.structs.replace(pool, count=0) for pool in cluster.agent_pool_profiles)
    put(store, cluster, agent_pool_profiles=(pools[0], *cluster.agent_pool_profiles[1:]))
    assert ids(cluster_findings(store)) == []
    put(store, cluster, agent_pool_profiles=pools)
    assert ids(cluster_findings(store)) == []
    store.apply(Removed("Node", list(store.nodes.ids())))
    assert ids(cluster_findings(store)) == [("K04", cluster.id)]


def without_first_member(store: Store) -> str:
    """Take the first member out of the public load balancer's pool, and return its id."""
    balancer = next(row for row in store.load_balancers if row.name == "kubernetes")
    pools = tuple(
        msgspec.structs.replace(pool, backend_ip_configurations=pool.backend_ip_configurations[1:])
        for pool in balancer.backend_address_pools
    )
    put(store, balancer, backend_address_pools=pools)
    return balancer.id


def test_a_node_outside_of_the_pools_is_told_with_its_machine(store: Store) -> None:
    """The field of the pool, and the node's machine."""
    ident = without_first_member(store)
    (found,) = pool_findings(store)
    assert (found.id, found.subject.id, found.proof) == ("L10", ident, Proof.PROVEN)
    assert [fact.field for fact in found.evidence][1] == ".spec.providerID"


@pytest.mark.parametrize(
    "labels", [{"node.kubernetes.io/exclude-from-external-load-balancers": "true"}, {"type": "virtual-kubelet"}]
)
def test_nodes_that_are_left_out_on_purpose_are_no_finding(store: Store, labels: dict[str, str]) -> None:
    """The label that excludes, and virtual nodes, which no load balancer knows."""
    without_first_member(store)
    (found,) = pool_findings(store)
    node = store.nodes.get(found.related[0].id)
    put(store, node, labels=Labels.of({**node.labels, **labels}) if node is not None else Labels.of(labels))
    assert ids(pool_findings(store)) == []


@pytest.mark.parametrize("kind", ["loadBalancers", "Node"])
def test_pools_that_cannot_be_compared_prove_nothing(store: Store, kind: str) -> None:
    """Without the nodes, or without the load balancers, nobody is known to be outside."""
    without_first_member(store)
    store.apply(ReadingChanged(kind, Reading.DENIED, reason="no"))
    for scope in store.tables[kind].scopes():
        store.apply(ReadingChanged(kind, Reading.DENIED, scope=scope, reason="no"))
    assert ids(pool_findings(store)) == []


def test_peers_that_are_answered_are_no_finding(store: Store) -> None:
    """And a peering that is not connected is one, whether or not a way in leads over it."""
    assert ids(peer_findings(store)) == []
    home = next(row for row in store.virtual_networks if row.name == "vnet-contoso-prod")
    broken = tuple(
        msgspec.structs.replace(item, peering_state="Disconnected") for item in home.virtual_network_peerings
    )
    put(store, home, virtual_network_peerings=broken)
    assert set(ids(peer_findings(store))) == {("R06", home.id)}


def test_a_default_deny_for_a_namespace_is_meant(store: Store) -> None:
    """A policy for all Pods without rules is how namespaces are closed; one for certain Pods is not."""
    policy(store, "shop", "deny-all", podSelector={})
    assert ids(policy_findings(store)) == []
    policy(store, "shop", "web", podSelector={"matchLabels": {"app": "web"}}, ingress=[])
    assert ids(policy_findings(store)) == [("P18", "shop/web")]


def test_pods_that_another_policy_opens_are_not_closed(store: Store) -> None:
    """Policies add up: one rule anywhere admits somebody."""
    selector = {"matchLabels": {"app": "web"}}
    policy(store, "shop", "web", podSelector=selector, ingress=[])
    policy(store, "shop", "web-open", podSelector=selector, ingress=[{}])
    assert ids(policy_findings(store)) == []


def test_pods_that_no_service_offers_may_be_closed(store: Store) -> None:
    """A job that nobody calls has no need of callers."""
    policy(store, "shop", "job", podSelector={"matchLabels": {"app": "no-such-app"}}, ingress=[])
    assert ids(policy_findings(store)) == []


@pytest.mark.parametrize(("cidr", "count"), [("10.244.0.0/16", 1), ("10.100.0.0/16", 0), ("0.0.0.0/0", 0)])
def test_blocks_in_the_range_of_pods_are_told_on_cilium(store: Store, cidr: str, count: int) -> None:
    """A block of other networks, or of everything, may be meant for clients outside."""
    ranges = next(iter(store.clusters)).network_profile
    cidr = cidr if cidr != "10.244.0.0/16" else ranges.pod_cidr
    policy(store, "shop", "blocks", podSelector={}, ingress=[{"from": [{"ipBlock": {"cidr": cidr}}]}])
    assert [finding.id for finding in policy_findings(store)] == ["P05"] * count


def test_policies_that_nobody_enforces_are_no_finding(store: Store) -> None:
    """Without an engine a policy does nothing."""
    cluster = next(iter(store.clusters))
    profile = msgspec.structs.replace(cluster.network_profile, network_policy="none", network_dataplane="azure")
    put(store, cluster, network_profile=profile)
    store.apply(Removed("Pod", [pod.id for pod in store.pods if pod.name.startswith("cilium")]))
    for node in list(store.nodes):
        put(store, node, labels=Labels.of({}))
    for kind in ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"):
        store.apply(Removed(kind, list(store.tables[kind].ids())))
        store.apply(ReadingChanged(kind, Reading.ABSENT))
    policy(store, "shop", "web", podSelector={"matchLabels": {"app": "web"}}, ingress=[])
    assert ids(policy_findings(store)) == []
    assert dns_namespaces(store) == []


@pytest.mark.parametrize(
    ("egress", "proof"), [([], Proof.HINT), ([{"ports": [{"port": 443}]}], Proof.PROVEN)], ids=["closed", "https-only"]
)
def test_pods_that_may_not_ask_for_names_are_told(store: Store, egress: list[Any], proof: Proof) -> None:
    """Who may talk to nobody is isolated on purpose: that is a hint."""
    policy(store, "shop", "out", podSelector={}, policyTypes=["Egress"], egress=egress)
    assert "shop" in dns_namespaces(store)
    found = list(dns_findings(store, "shop"))
    assert {(finding.id, finding.subject.id, finding.proof) for finding in found} == {("P06", "shop/out", proof)}


def test_a_service_that_is_kept_to_nodes_is_told_where_one_has_no_endpoint(store: Store) -> None:
    """Clients on nodes without an endpoint are refused; the number of such nodes is told."""
    service = store.services.get("shop/web")
    assert service is not None
    assert ids(local_policy_findings(store)) == []
    put(store, service, internal_traffic_policy="Local")
    found = list(local_policy_findings(store))
    assert {(finding.id, finding.subject.id, finding.proof) for finding in found} == {("S08", "shop/web", Proof.LIKELY)}
    assert "other nodes" in found[0].summary


def test_every_subnet_that_runs_out_is_told(store: Store) -> None:
    """Each subnet is an object of its own, although one network holds them; full is proven, nearly full a hint."""
    home = next(row for row in store.virtual_networks if row.name == "vnet-contoso-prod")
    first, second = home.subnets[:2]
    put(store, home, usages=(SubnetUsage(first.arm_id, 59, 59), SubnetUsage(second.arm_id, 54, 60)))
    assert [(item.id, item.subject.id, item.proof) for item in subnet_findings(store)] == [
        ("C01", first.id, Proof.PROVEN),
        ("C01", second.id, Proof.HINT),
    ]
    put(store, home, usages=(SubnetUsage(first.arm_id, 53, 60), SubnetUsage(second.arm_id, 0, 0)))
    assert list(subnet_findings(store)) == []
    put(store, home, usages=None)
    assert list(subnet_findings(store)) == []
