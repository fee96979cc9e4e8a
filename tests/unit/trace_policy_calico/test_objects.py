"""Calico's objects beside those of others: other engines, host endpoints, both API groups, what cannot be read."""

from pathlib import Path

import pytest
import yaml

from aksnav.checks.policies import dns_namespaces
from aksnav.model.change import UndecodableFound
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.sources.capture import changes
from aksnav.sources.kubernetes.discovery import Resource, discover
from aksnav.store.store import Store
from aksnav.trace.policy.calico.policies import once_each
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.reach import talk
from aksnav.trace.policy.subject import parse_subject
from aksnav.trace.step import Verdict
from tests.unit.trace_edge.world import Json, made, pod, put
from tests.unit.trace_edge.world import policy as kubernetes
from tests.unit.trace_policy_calico.cluster import (
    API,
    CLIENT,
    SERVED,
    STORED,
    WEB,
    allow,
    both,
    calico,
    deny,
    host_endpoint,
    network_set,
    steps,
    tier,
    word,
    world,
)

NO = both("default.no", selector="app == 'web'", ingress=[deny()])


@pytest.mark.parametrize(
    ("engine", "want"), [("calico", "deny"), ("azure", "allow"), ("cilium", "allow"), ("none", "allow")]
)
def test_calicos_objects_mean_something_to_calico_alone(engine: str, want: str) -> None:
    """Left behind by a change of engine, they are not enforced."""
    assert word(steps(world(NO, engine=engine), API)) == want


def test_an_unknown_engine_may_be_calico() -> None:
    """Then the readings differ, and the step says that it cannot tell."""
    step = steps(world(NO, engine=""), API)[-1]
    assert step.verdict is Verdict.BLIND
    assert "Calico" in step.summary
    assert "denies it" in step.summary


def test_without_calicos_own_objects_kubernetes_policies_read_as_ever() -> None:
    """The words are those of every other engine: no tier is spoken of."""
    step = steps(world(kubernetes("shop/k")), API)[-1]
    assert step.summary.endswith("isolated for Ingress by shop/k, and no rule admits it")


@pytest.mark.parametrize("kind", ["CalicoNetworkPolicy", "GlobalNetworkPolicy", "Tier"])
def test_policies_or_tiers_that_cannot_be_listed_leave_the_step_blind(kind: str) -> None:
    """What is missing is named."""
    store = world()
    denied = made(*_objects(store), denied=[kind])
    step = steps(denied, API)[-1]
    assert step.verdict is Verdict.BLIND
    assert KINDS[kind].plural in step.missing
    assert step.fix == f"grant list and watch on {KINDS[kind].plural}.crd.projectcalico.org"


def _objects(_: Store) -> list[Json]:
    return [
        pod(WEB, "10.244.0.5", {"app": "web"}),
        pod(API, "10.244.1.5", {"app": "api"}),
        {
            "kind": "managedClusters",
            "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks",
            "name": "aks",
            "properties": {"networkProfile": {"networkPolicy": "calico"}},
        },
    ]


def test_sets_that_cannot_be_listed_leave_a_selector_open_where_they_are_in_scope() -> None:
    """A GlobalNetworkSet is none of a namespaced policy's without global()."""
    wide = both("default.p", selector="app == 'web'", ingress=[allow(source={"selector": "kind == 'office'"})])
    narrow = both("shop/default.p", selector="app == 'web'", ingress=[allow(source={"selector": "kind == 'office'"})])
    for given, want in ((wide, "?"), (narrow, "deny")):
        store = made(*_objects(world()), given, denied=["GlobalNetworkSet"])
        assert word(steps(store, CLIENT)) == want


def test_a_policy_that_cannot_be_decoded_is_undecidable_by_name() -> None:
    """Whatever it says, it may say it first; Pods of other namespaces are not touched by it."""
    store = world()
    store.apply(UndecodableFound("CalicoNetworkPolicy", "shop/default.bad", "spec.order: not a number"))
    step = steps(store, API)[-1]
    assert step.verdict is Verdict.UNSUPPORTED
    assert "CalicoNetworkPolicy shop/default.bad" in step.summary
    assert word(steps(store, WEB, "pay/db")[-1:]) == "allow"


@pytest.mark.parametrize(
    "spec", [{"order": "first"}, {"ingress": [{"source": {"nets": "10.0.0.0/8"}}]}, {"ingress": "all"}]
)
def test_a_policy_of_wrong_types_is_refused_by_name(spec: Json) -> None:
    """The field's path is in the reason."""
    with pytest.raises(Exception, match=r"\$"):
        decode_wire(KINDS["GlobalNetworkPolicy"], calico("default.p", **spec))


def test_host_network_pods_on_a_node_with_a_host_endpoint_are_unsupported_by_name() -> None:
    """Without one, no policy selects them."""
    host = pod("shop/host", "10.224.0.4", {"app": "host"}, "node-1", hostNetwork=True)
    plain = steps(world(host), API, "shop/host")[-1]
    assert plain.verdict is Verdict.SKIP
    step = steps(world(host, host_endpoint("eth0", "node-1", "10.224.0.4")), API, "shop/host")[-1]
    assert step.verdict is Verdict.UNSUPPORTED
    assert step.missing == "Calico's HostEndpoint eth0"
    assert str(step.subject) == "HostEndpoint eth0"


def test_who_can_talk_knows_of_host_endpoints() -> None:
    """The Pods of the other node are as they are."""
    objects = (
        pod("shop/host", "10.224.0.4", {"app": "host"}, "node-1", hostNetwork=True),
        host_endpoint("eth0", "node-1", "10.224.0.4"),
    )
    store = world(*objects)
    rows = [row for row in talk(store, parse_subject(store, f"pod/{API}")).rows if "app=host" in str(row.peer)]
    assert rows
    assert {row.allowed for row in rows} == {None}


def test_a_policy_is_read_once_when_both_groups_show_it() -> None:
    """Stored with its tier before the name, served without: the stored form is kept."""
    store = world(
        calico("shop/default.p", tier="default", order=5),
        calico("shop/p", api=SERVED, tier="default", order=5),
        calico("first.g", tier="first"),
        calico("first.g", api=SERVED, tier="first"),
    )
    assert [(row.id, row.group) for row in once_each(store)] == [
        ("shop/default.p", "crd.projectcalico.org"),
        ("first.g", "projectcalico.org"),
    ]


class Served:
    """A cluster's discovery, as the older lists have it."""

    def __init__(self, *groups: str) -> None:
        self._answers = {"/api": b'{"kind": "APIVersions", "versions": []}'}
        listed = [
            f'{{"name": "{group.rpartition("/")[0]}", '
            f'"versions": [{{"groupVersion": "{group}", "version": "{group.rpartition("/")[2]}"}}]}}'
            for group in groups
        ]
        self._answers["/apis"] = f'{{"kind": "APIGroupList", "groups": [{",".join(listed)}]}}'.encode()
        for group in groups:
            self._answers[f"/apis/{group}"] = b'{"resources": [{"name": "networkpolicies"}, {"name": "tiers"}]}'

    def get(self, path: str, *_: object, **__: object) -> bytes:
        """Return an answer."""
        return self._answers[path]


@pytest.mark.parametrize(
    ("groups", "path"),
    [
        ((STORED,), "/apis/crd.projectcalico.org/v1/networkpolicies"),
        ((SERVED,), "/apis/projectcalico.org/v3/networkpolicies"),
        ((SERVED, STORED), "/apis/crd.projectcalico.org/v1/networkpolicies"),
        (("networking.k8s.io/v1",), ""),
    ],
)
def test_discovery_chooses_one_group(groups: tuple[str, ...], path: str) -> None:
    """The stored form needs no API server of Calico's; absent, the kinds are not installed."""
    found: tuple[Resource, ...] = discover(Served(*groups))  # type: ignore[arg-type] # what discovery needs of a transport
    paths = {resource.kind.name: resource.collection() for resource in found}
    assert paths.get("CalicoNetworkPolicy", "") == path
    assert ("Tier" in paths) is bool(path)


def test_a_capture_tells_calicos_policies_from_kubernetes_and_passes_staged_ones_by(tmp_path: Path) -> None:
    """By apiVersion, both groups; a staged policy enforces nothing."""
    own = {"apiVersion": STORED, "kind": "NetworkPolicy", "metadata": {"name": "default.p", "namespace": "shop"}}
    staged = {**own, "apiVersion": SERVED, "kind": "StagedNetworkPolicy"}
    glob = {"apiVersion": SERVED, "kind": "GlobalNetworkPolicy", "metadata": {"name": "g"}, "spec": {"order": 1}}
    other = {**kubernetes("shop/k"), "apiVersion": "networking.k8s.io/v1"}
    listed = {"apiVersion": "v1", "kind": "List", "items": [own, staged, glob, other]}
    (tmp_path / "all.yaml").write_text(yaml.safe_dump(listed), encoding="utf-8")
    store = Store()
    for change in changes(tmp_path):
        store.apply(change)
    assert list(store.calico_policies.ids()) == ["shop/default.p"]
    assert list(store.calico_global_policies.ids()) == ["g"]
    assert list(store.network_policies.ids()) == ["shop/k"]


def test_an_addition_is_proven_in_calicos_order() -> None:
    """It admits what nothing decides; it does not help against a Deny, nor before tier default is reached."""
    isolating = kubernetes("shop/k")
    behind = both("default.z", order=2000, ingress=[deny(source={"selector": "app == 'x'"})])
    step = steps(world(isolating, behind), API)[-1]
    assert step.cause == "P01"
    assert step.addition
    before = both("first.a", tier="first", ingress=[allow(source={"selector": "app == 'x'"})])
    assert not steps(world(isolating, tier("first", 1), before), API)[-1].addition


def test_what_a_client_of_the_internet_is_taken_for_is_said() -> None:
    """A rule for some ranges says nothing of a client that is any: it is taken to be in none."""
    store = world(
        both("default.p", selector="app == 'web'", ingress=[deny(source={"nets": ["203.0.113.0/24"]}), allow()])
    )
    step = steps(store, "internet")[-1]
    assert step.verdict is Verdict.PASS
    assert "the client is in none of the ranges that Calico's rules name" in step.assumptions
    assert word(steps(store, CLIENT)) == "deny"


def test_who_can_talk_offers_the_ranges_that_sets_name() -> None:
    """An address range that only a set has is a peer of its own."""
    store = world(
        both("default.p", selector="app == 'web'", ingress=[allow(source={"selector": "kind == 'office'"})]),
        network_set("office", "203.0.113.0/24", kind="office"),
    )
    told = talk(store, parse_subject(store, f"pod/{WEB}")).rows
    rows = {str(row.peer): row.allowed for row in told if row.direction is Direction.INGRESS}
    assert rows["203.0.113.0/24"] is True
    assert rows["any address of the internet"] is False


def test_a_change_of_a_set_or_a_tier_is_seen() -> None:
    """Answers are kept only as long as what they were read from stands."""
    store = world(both("default.p", selector="app == 'web'", ingress=[allow(source={"selector": "kind == 'office'"})]))
    assert word(steps(store, CLIENT)) == "deny"
    put(store, network_set("office", "203.0.113.0/24", kind="office"))
    assert word(steps(store, CLIENT)) == "allow"
    put(store, tier("default", 5, "Pass"))
    assert word(steps(store, "198.51.100.9")) == "allow"


def test_a_default_deny_of_egress_without_a_rule_for_names_is_told_as_such() -> None:
    """P06, as for any other policy; a Deny that names the port is somebody's rule, and P13."""
    out = both("default.out", selector="app == 'web'", egress=[allow(destination={"nets": ["203.0.113.0/24"]})])
    assert steps(world(out), WEB, API, 53, "UDP")[0].cause == "P06"
    assert steps(world(out), WEB, API, 80)[0].cause == "P13"
    assert steps(world(both("default.out", egress=[deny()])), WEB, API, 53, "UDP")[0].cause == "P13"


def test_a_sweep_asks_for_names_in_every_namespace_that_a_global_policy_may_keep_from_it() -> None:
    """A GlobalNetworkPolicy for egress may select Pods anywhere; one for ingress keeps nobody from asking."""
    out = both("default.out", selector="app == 'web'", egress=[allow(destination={"nets": ["203.0.113.0/24"]})])
    assert dns_namespaces(world(out)) == ["pay", "shop"]
    assert dns_namespaces(world(both("default.in", ingress=[allow()]))) == []
    assert dns_namespaces(world(both("pay/default.out", egress=[allow()]))) == ["pay"]


def test_policies_of_a_tier_that_cannot_be_decoded_may_be_asked_first() -> None:
    """Its order is not known, so nothing behind it is certain; Pods of other namespaces are not touched."""
    store = world(both("default.yes", order=1, ingress=[allow()]), both("shop/odd.p", tier="odd", ingress=[deny()]))
    assert word(steps(store, API)) == "allow"  # without such a Tier the policy is asked last
    store.apply(UndecodableFound("Tier", "odd", "spec.order: not a number"))
    step = steps(store, API)[-1]
    assert step.verdict is Verdict.UNSUPPORTED
    assert "CalicoNetworkPolicy shop/odd.p: Tier odd cannot be decoded" in step.summary
    assert word(steps(store, WEB, "pay/db")[-1:]) == "allow"
