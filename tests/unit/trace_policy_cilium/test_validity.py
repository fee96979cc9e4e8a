"""What Cilium would refuse: that policy alone is undecidable, by name and field, and nothing else changes."""

from typing import Any

import pytest

from aksnav.trace.step import Verdict
from tests.unit.trace_edge.world import Json, put
from tests.unit.trace_policy_cilium.around import (
    ADDRESSES,
    API,
    CLIENT,
    OPS,
    WEB,
    arriving,
    asked,
    egress,
    group,
    ingress,
    labelled,
    leaving,
    policy,
    ports,
    service,
    slices,
    step,
    tcp,
    word,
    world,
)

BAD_SELECTOR = {"matchExpressions": [{"key": "a", "operator": "Is"}]}
# cilium pkg/policy/api/rule_validation.go; each with the field that the step names.
REFUSED: list[tuple[str, Json, str]] = [
    ("operator of a selector", egress({"toEndpoints": [BAD_SELECTOR]}), "egress[0].toEndpoints[0]"),
    (
        "In without values",
        egress({"toEndpoints": [{"matchExpressions": [{"key": "a", "operator": "In"}]}]}),
        "toEndpoints[0]",
    ),
    ("selector that is none", egress({"toEndpoints": ["web"]}), "toEndpoints[0]"),
    ("entity", egress({"toEntities": ["internet"]}), "toEntities[0]"),
    ("CIDR", egress({"toCIDR": ["10.0.0.0/33"]}), "toCIDR[0]"),
    ("CIDR set without a mask", egress({"toCIDRSet": [{"cidr": "10.0.0.1"}]}), "toCIDRSet[0]"),
    (
        "CIDR set with two of three",
        egress({"toCIDRSet": [{"cidr": "10.0.0.0/8", "cidrGroupRef": "x"}]}),
        "toCIDRSet[0]",
    ),
    ("CIDR set with none of three", egress({"toCIDRSet": [{"except": []}]}), "toCIDRSet[0]"),
    ("exception outside", egress({"toCIDRSet": [{"cidr": "10.0.0.0/8", "except": ["11.0.0.0/8"]}]}), "toCIDRSet[0]"),
    ("exception that is no CIDR", egress({"toCIDRSet": [{"cidr": "10.0.0.0/8", "except": ["x"]}]}), "toCIDRSet[0]"),
    ("selector of groups", egress({"toCIDRSet": [{"cidrGroupSelector": BAD_SELECTOR}]}), "cidrGroupSelector"),
    ("two peer fields", egress({"toCIDR": ["10.0.0.0/8"], "toEntities": ["world"]}), "cannot be combined"),
    ("groups of AWS", egress({"toGroups": [{"aws": {}}]}), "toGroups[0]"),
    ("Service by nothing", egress({"toServices": [{}]}), "toServices[0]"),
    ("name", egress({"toFQDNs": [{"matchName": "a b"}]}), "toFQDNs[0]"),
    ("pattern", egress({"toFQDNs": [{"matchPattern": "[a].x"}]}), "toFQDNs[0]"),
    ("neither name nor pattern", egress({"toFQDNs": [{}]}), "toFQDNs[0]"),
    ("names in a deny rule", {"egressDeny": [{"toFQDNs": [{"matchName": "a.b"}]}]}, "egressDeny[0].toFQDNs"),
    ("port", egress(ports(tcp(70000))), "toPorts[0].ports[0]"),
    ("port with a zero in front", egress(ports(tcp("080"))), "toPorts[0].ports[0]"),
    ("no port", egress(ports({"protocol": "TCP"})), "toPorts[0].ports[0]"),
    ("protocol", egress(ports({"port": "1", "protocol": "tcp"})), "toPorts[0].ports[0]"),
    ("end of a range", egress(ports(tcp(1, endPort=70000))), "toPorts[0].ports[0]"),
    ("ICMP beside ports", egress({**ports(tcp(1)), "icmps": [{"fields": [{"type": 8}]}]}), "icmps"),
    ("HTTP on a port of UDP", egress(ports({"port": "1", "protocol": "UDP"}, rules={"http": [{}]})), "rules"),
    ("HTTP on port 0", egress(ports(tcp(0), rules={"http": [{}]})), "port 0"),
    (
        "two protocols",
        egress(ports(tcp(1), rules={"http": [{}], "dns": [{"matchName": "a"}]})),
        "more than one protocol",
    ),
    ("DNS at ingress", ingress(ports({"port": "53"}, rules={"dns": [{"matchName": "a"}]})), "rules.dns"),
    ("layer 7 in a deny rule", {"egressDeny": [ports(tcp(1), rules={"http": [{}]})]}, "rules"),
    ("toPorts that is no list", egress({"toPorts": {"ports": []}}), ".egress[0].toPorts"),
    ("a header that is no text", egress(ports(tcp(1), rules={"http": [{"headers": [1]}]})), "rules.http[0].headers[0]"),
    ("an exception that is no list", egress({"toCIDRSet": [{"cidr": "10.0.0.0/8", "except": 1}]}), "toCIDRSet[0]"),
    ("a rule that is none", {"egress": ["all"]}, "egress[0]"),
    ("a peer field that is no list", egress({"toCIDR": "10.0.0.0/8"}), "toCIDR"),
    ("nodeSelector beside endpointSelector", {"nodeSelector": {}, **egress({})}, "endpointSelector and nodeSelector"),
]


@pytest.mark.parametrize(("what", "spec", "said"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_policy_with_a_wrong_field_is_undecidable_by_that_field(what: str, spec: Json, said: str) -> None:
    """Agents refuse a policy as a whole, or keep its last valid version: nobody can say which."""
    store = world(policy(spec, name="bad"), policy(egress({"toEntities": ["all"]}), name="good"))
    found = leaving(store, API)
    assert found.verdict is Verdict.UNSUPPORTED, what
    assert "CiliumNetworkPolicy shop/bad" in found.missing
    assert said in found.missing
    told = {item.rule: item.effect for item in found.considered}
    assert told["CiliumNetworkPolicy shop/bad .spec"] == "undecidable"
    assert told["CiliumNetworkPolicy shop/good .specs[0].egress[0]"] == "admits"


@pytest.mark.parametrize(("what", "spec", "said"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_wrong_policy_changes_nothing_for_pods_that_it_does_not_select(what: str, spec: Json, said: str) -> None:
    """Its selector is read all the same, so that other Pods are decided as ever."""
    store = world(policy(spec, name="bad"))
    found = step(asked(store, f"tcp://{ADDRESSES[API]}:8080", OPS), "egress")
    assert word(found) == "yes", (what, said)


def test_a_selector_of_pods_that_cannot_be_read_leaves_open_its_own_namespace_alone() -> None:
    """Whom it selects is not known; it is a policy of one namespace."""
    store = world(policy(egress({}), selector=BAD_SELECTOR))
    assert word(leaving(store, API)) == "open"
    assert word(step(asked(store, f"tcp://{ADDRESSES[API]}:8080", OPS), "egress")) == "yes"


def test_a_namespaced_policy_selects_no_nodes_and_one_without_a_selector_nobody_knows_whom() -> None:
    """Selectors of nodes are for clusterwide policies; one of the two selectors must be there."""
    meta = {"name": "bad", "namespace": "shop"}
    for spec in ({"nodeSelector": {}, **egress({})}, egress({})):
        wire: Json = {"kind": "CiliumNetworkPolicy", "metadata": meta, "spec": spec}
        assert "shop/bad" in leaving(world(wire), API).missing


def test_cilium_has_the_last_word_on_validity() -> None:
    """A condition Valid that is False makes a policy undecidable that looks right here."""
    said: dict[str, Any] = {"conditions": [{"type": "Valid", "status": "False", "message": "no such field"}]}
    assert "no such field" in leaving(world(policy(egress({"toEntities": ["all"]}), **said)), API).missing


def test_policies_for_nodes_are_named_where_a_pod_has_its_nodes_network() -> None:
    """They need a host firewall, which AKS leaves off: the step takes that for granted by name."""
    host = {
        "kind": "CiliumClusterwideNetworkPolicy",
        "metadata": {"name": "nodes"},
        "spec": {"nodeSelector": {"matchLabels": {"pool": "user"}}, **ingress({})},
    }
    net = {"hostNetwork": True, "nodeName": "node-2", "containers": []}
    meta = {"name": "agent", "namespace": "ops"}
    status = {"phase": "Running", "podIP": ADDRESSES["node-2"], "podIPs": [{"ip": ADDRESSES["node-2"]}]}
    store = world(host, {"kind": "Pod", "metadata": meta, "spec": net, "status": status})
    found = step(asked(store, f"tcp://{ADDRESSES[WEB]}:8080", "ops/agent"), "egress")
    assert found.verdict is Verdict.SKIP
    assert found.assumptions == ("Cilium's host firewall is off, so that nodes is not enforced on nodes",)
    assert word(arriving(store, API)) == "yes"


def test_answers_follow_what_policies_refer_to() -> None:
    """Groups, Services, endpoints and labels of nodes may change without their policies."""
    store = world(
        policy(
            egress({"toCIDRSet": [{"cidrGroupRef": "office"}]}, {"toServices": [{"k8sService": {"serviceName": "db"}}]})
        )
    )
    assert [word(leaving(store, target)) for target in (CLIENT, API, "198.51.100.7")] == ["no", "no", "no"]
    put(store, group("office", f"{CLIENT}/32"))
    assert word(leaving(store, CLIENT)) == "yes"
    put(store, service("shop/db", {"app": "api"}))
    assert word(leaving(store, API)) == "yes"
    put(store, service("shop/db"), slices("shop/db", "198.51.100.7"))
    assert [word(leaving(store, target)) for target in (API, "198.51.100.7")] == ["no", "yes"]
    put(store, group("office", "192.0.2.0/24"))
    assert word(leaving(store, CLIENT)) == "no"


def test_every_policy_and_rule_is_told_with_its_effect_and_field() -> None:
    """Not applicable, admits, does not admit, denies: with the field that says so."""
    store = world(
        policy(
            egress({"toEndpoints": [labelled(app="x")]}, {"toEndpoints": [labelled(app="api")], **ports(tcp(80))}),
            name="a",
        ),
        policy({"egressDeny": [{"toEntities": ["world"]}], **egress({"toEndpoints": [labelled(app="api")]})}, name="b"),
        policy(egress({}), name="c", selector=labelled(app="api")),
        policy(ingress({}), name="d"),
    )
    told = [
        (item.rule.removeprefix("CiliumNetworkPolicy shop/"), item.effect, item.field)
        for item in leaving(store, API).considered
    ]
    assert told == [
        ("a .specs[0].egress[0]", "does-not-admit", ".specs[0].egress[0].toEndpoints"),
        ("a .specs[0].egress[1]", "does-not-admit", ".specs[0].egress[1].toPorts"),
        ("b .specs[0].egressDeny[0]", "not-applicable", ".specs[0].egressDeny[0].toEntities"),
        ("b .specs[0].egress[0]", "admits", ".specs[0].egress[0].toEndpoints"),
        ("c", "not-applicable", ".specs[0].endpointSelector"),
        ("d", "not-applicable", ".specs[0].egress"),
    ]
    denied = leaving(store, CLIENT)
    assert [item.effect for item in denied.considered if item.decided] == ["denies"]
    assert denied.subject is not None
    assert denied.subject.id == "shop/b"
