"""toFQDNs and DNS rules: which names a pattern means, when an address is known by its name, and who may ask for it."""

import pytest

from aksnav.trace.policy.cilium import names
from aksnav.trace.step import Kind, Outcome, Verdict
from tests.unit.trace_edge.world import Json, pod
from tests.unit.trace_policy_cilium.around import (
    API,
    CLIENT,
    OTHER_CLIENT,
    WEB,
    asked,
    egress,
    labelled,
    leaving,
    policy,
    ports,
    service,
    slices,
    tcp,
    word,
    world,
)

# Cilium documentation, "DNS based" and "DNS Policy and IP Discovery"; pkg/fqdn/matchpattern.
PATTERNS = [
    ("matchName", "cilium.io", "cilium.io", True),
    ("matchName", "cilium.io.", "cilium.io", True),
    ("matchName", "Cilium.IO", "cilium.io", True),
    ("matchName", "cilium.io", "sub.cilium.io", False),
    ("matchPattern", "cilium.io", "cilium.io", True),
    ("matchPattern", "*.cilium.io", "sub.cilium.io", True),
    ("matchPattern", "*.cilium.io", "cilium.io", False),
    ("matchPattern", "*.cilium.io", "sub.sub.cilium.io", False),
    ("matchPattern", "*cilium.io", "cilium.io", True),
    ("matchPattern", "*cilium.io", "evil-cilium.io", True),
    ("matchPattern", "*cilium.io", "sub.cilium.io", False),
    ("matchPattern", "part*ial.com", "partial.com", True),
    ("matchPattern", "part*ial.com", "part-extra-ial.com", True),
    ("matchPattern", "part*ial.com", "part.ial.com", False),
    ("matchPattern", "sub*.cilium.io", "subdomain.cilium.io", True),
    ("matchPattern", "special*service.api.cilium.io", "special-region1-service.api.cilium.io", True),
    ("matchPattern", "special*service.api.cilium.io", "region1-service.api.cilium.io", False),
    ("matchPattern", "a*b*c.x", "abbc.x", True),
    ("matchPattern", "a*b*c.x", "acb.x", False),
    ("matchPattern", "*", "any.name.at.all", True),
    ("matchPattern", "**.cilium.io", "test.app.cilium.io", True),
    ("matchPattern", "**.cilium.io", "app.cilium.io", True),
    ("matchPattern", "**.cilium.io", "cilium.io", False),
    ("matchPattern", "*.*.svc.cluster.local.", "web.shop.svc.cluster.local", True),
    ("matchPattern", "*.*.svc.cluster.local.", "x.web.shop.svc.cluster.local", False),
]


@pytest.mark.parametrize(("field", "text", "name", "expected"), PATTERNS)
def test_a_pattern_means_the_names_of_the_documentation(field: str, text: str, name: str, expected: bool) -> None:
    """A star stands for characters within one label, two stars and a dot for whole labels."""
    assert names.matches({field: text}, name) is expected


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    """Patterns come from the cluster: their work is bounded by their length."""
    assert not names.matches({"matchPattern": "*a" * 120 + "b"}, "a" * 250)


DNS_PODS = {"toEndpoints": [labelled(**{"k8s-app": "kube-dns", "io.kubernetes.pod.namespace": "kube-system"})]}


def lookups(*listed: Json, name: str = "dns", selector: Json | None = None) -> Json:
    """Return a policy that lets the Pod ask the DNS Pods for some names."""
    rule = {**DNS_PODS, **ports({"port": "53", "protocol": "ANY"}, rules={"dns": list(listed)})}
    return policy(egress(rule), name=name, selector=selector)


def to_names(*listed: Json) -> Json:
    """Return a policy with toFQDNs."""
    return policy(egress({"toFQDNs": list(listed), **ports(tcp(443))}))


NAME = "api.example.com"
EXACT, WILD = {"matchName": NAME}, {"matchPattern": "*.example.com"}


def test_an_address_is_admitted_by_a_name_that_a_dns_rule_teaches() -> None:
    """The request says which name has the address, and the step which rule lets Cilium's proxy see it."""
    store = world(to_names(EXACT), lookups({"matchPattern": "*"}))
    found = leaving(store, NAME, 443, "https", resolve=CLIENT)
    assert found.verdict is Verdict.PASS
    assert "toFQDNs api.example.com matches api.example.com, learned by shop/dns" in found.summary
    assert found.assumptions == (f"Cilium's DNS proxy has seen {NAME} answered with {CLIENT}",)


def test_another_name_is_dropped_on_the_assumption_that_it_shares_no_address() -> None:
    """Two names may have one address: then the other name's rule would admit it."""
    found = leaving(
        world(to_names(EXACT), lookups({"matchPattern": "*"})), "www.example.com", 443, "https", resolve=CLIENT
    )
    assert (found.verdict, found.cause) == (Verdict.DROP, "P09")
    assert any("is not also the address of a name that toFQDNs" in line for line in found.assumptions)


def test_without_a_name_it_is_open_whether_an_address_is_one_of_them() -> None:
    """An address that nobody has named may have been learned for any name."""
    found = leaving(world(to_names(WILD), lookups({"matchPattern": "*"})), CLIENT, 443)
    assert word(found) == "open"
    assert "--resolve" in found.missing


@pytest.mark.parametrize(
    ("teacher", "said"),
    [
        ([], "no policy has rules.dns"),
        ([lookups({"matchName": "other.example.com"})], "no policy has a rule to port 53 with rules.dns"),
    ],
)
def test_without_a_dns_rule_no_address_is_known_and_the_step_says_which_rule_is_needed(
    teacher: list[Json], said: str
) -> None:
    """Names alone admit nothing: a rule with rules.dns must lead the Pod's questions through Cilium's proxy."""
    found = leaving(world(to_names(EXACT), *teacher), NAME, 443, "https", resolve=CLIENT)
    assert found.verdict is Verdict.DROP
    assert any(said in item.why for item in found.considered)
    assert found.fix.startswith("add an egress rule to port 53 of the DNS Pods with rules.dns that matches api.example")


def test_a_lookup_that_only_another_pod_may_make_leaves_it_open() -> None:
    """The proxy learns for a whole node: whether the other Pod has asked, nobody can say."""
    store = world(to_names(EXACT), lookups({"matchPattern": "*"}, selector=labelled(app="api")))
    found = leaving(store, NAME, 443, "https", resolve=CLIENT)
    assert word(found) == "open"
    assert "only other Pods" in found.missing


def test_names_never_mean_a_pod_and_never_another_port() -> None:
    """ToFQDNs behaves as a CIDR does: it means what is outside of the cluster, on the ports of its rule."""
    store = world(to_names({"matchPattern": "*"}), lookups({"matchPattern": "*"}))
    assert word(leaving(store, API, 443)) == "no"
    assert word(leaving(store, NAME, 80, "http", resolve=CLIENT)) == "no"


DNS = [
    service("kube-system/kube-dns", {"k8s-app": "kube-dns"}),
    pod(
        "kube-system/coredns",
        "10.244.1.20",
        {"k8s-app": "kube-dns"},
        "node-2",
        [{"containerPort": 53, "protocol": "UDP"}],
    ),
]


def served() -> list[Json]:
    """Return the cluster's DNS with its Service and an external name, example, that is an alias."""
    kube_dns, server = DNS
    spec = {**kube_dns["spec"], "clusterIP": "10.0.0.10", "ports": [{"port": 53, "targetPort": 53, "protocol": "UDP"}]}
    listed = slices("kube-system/kube-dns", "10.244.1.20")
    listed["ports"] = [{"port": 53, "protocol": "UDP"}]
    listed["endpoints"][0]["targetRef"] = {"kind": "Pod", "namespace": "kube-system", "name": "coredns"}
    return [{**kube_dns, "spec": spec}, server, listed]


def test_a_question_that_no_dns_rule_admits_is_refused_by_the_proxy() -> None:
    """The Pod may reach the DNS Pods, and asks for a name that is none of the rule's: REFUSED, not silence."""
    store = world(*served(), service("shop/api", {"app": "api"}), lookups({"matchPattern": "*.example.com"}))
    found = asked(store, "http://api.shop.svc.cluster.local/", WEB)
    stop = next(item for item in found.steps if item.cause)
    assert (stop.kind, stop.verdict, stop.cause) == (Kind.DNS_RESOLVE, Verdict.REJECT, "P06")
    assert "rules.dns *.example.com does not match api.shop.svc.cluster.local" in stop.summary
    assert found.outcome is Outcome.UNRESOLVED


def test_a_question_that_a_dns_rule_admits_goes_on() -> None:
    """A DNS rule judges the name: with the right one, the name is looked up and the request goes its way."""
    listed = slices("shop/api", "10.244.1.5")
    listed["ports"] = [{"port": 8080, "protocol": "TCP"}]
    listed["endpoints"][0]["targetRef"] = {"kind": "Pod", "namespace": "shop", "name": "api"}
    rules = [lookups({"matchPattern": "*.*.svc.cluster.local"}), policy(egress({"toEndpoints": [labelled(app="api")]}))]
    found = asked(
        world(*served(), service("shop/api", {"app": "api"}), listed, *rules), "http://api.shop.svc.cluster.local/", WEB
    )
    assert not any(item.cause == "P06" for item in found.steps)
    assert all(item.verdict is not Verdict.DROP for item in found.steps)


def test_a_dns_rule_without_a_name_in_the_question_admits_at_layer_4() -> None:
    """Of a connection to port 53 that says no name, layer 4 is what is judged."""
    store = world(policy(egress({"toCIDR": [f"{OTHER_CLIENT}/32"], **ports({"port": "53"}, rules={"dns": [EXACT]})})))
    found = leaving(store, OTHER_CLIENT, 53, "udp")
    assert found.verdict is Verdict.PASS
    assert "the name that is asked for is one of api.example.com" in found.assumptions
