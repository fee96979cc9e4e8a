"""Layer 7: requests and handshakes that rules admit, and what becomes of the others."""

import pytest

from aksnav.trace.step import Outcome, Step, Verdict
from tests.unit.trace_edge.world import Json, made
from tests.unit.trace_policy_cilium.around import (
    ADDRESSES,
    API,
    CLIENT,
    PROFILE,
    WEB,
    arriving,
    asked,
    base,
    egress,
    ingress,
    labelled,
    leaving,
    policy,
    ports,
    step,
    tcp,
    word,
    world,
)

URL = f"http://{ADDRESSES[WEB]}:8080"


def http(*rules: Json, **more: object) -> Json:
    """Return a rule for port 8080 with rules for HTTP."""
    return {**ports(tcp(8080), rules={"http": list(rules)}), **more}


def request(rule: Json, path: str = "/public", method: str = "GET", headers: tuple[str, ...] = ()) -> Step:
    """Return what becomes of a request of shop/api to shop/web under one HTTP rule."""
    found = asked(world(policy(ingress(http(rule)))), f"{URL}{path}", API, method=method, headers=headers)
    return step(found, "ingress")


# Cilium documentation, "Layer 7 Policies", HTTP; pkg/envoy, getHTTPRule: RE2 over the whole value, headers literally.
HTTP: list[tuple[str, Json, str, str, tuple[str, ...], bool]] = [
    ("no field admits every request", {}, "/x", "PUT", (), True),
    ("method", {"method": "GET"}, "/", "GET", (), True),
    ("method is an expression", {"method": "GET|HEAD"}, "/", "HEAD", (), True),
    ("method is the whole word", {"method": "GE"}, "/", "GET", (), False),
    ("path is the whole path", {"path": "/public"}, "/public/x", "GET", (), False),
    ("path is an expression", {"path": "/public/.*"}, "/public/x", "GET", (), True),
    ("path holds the query", {"path": "/public"}, "/public?a=b", "GET", (), False),
    ("path with the query", {"path": r"/public\?a=.*"}, "/public?a=b", "GET", (), True),
    ("all fields must hold", {"method": "GET", "path": "/x"}, "/y", "GET", (), False),
    ("host", {"host": r"10\.244\.0\.5(:8080)?"}, "/", "GET", (), True),
    ("host of the header", {"host": "web"}, "/", "GET", ("Host: web",), True),
    ("another host", {"host": "other"}, "/", "GET", (), False),
    ("header that is there", {"headers": ["X-Token"]}, "/", "GET", ("x-token: 1",), True),
    ("header that is not there", {"headers": ["X-Token"]}, "/", "GET", (), False),
    ("header with its value", {"headers": ["X-Token: 42"]}, "/", "GET", ("X-Token: 42",), True),
    ("value is no expression", {"headers": ["X-Token: .*"]}, "/", "GET", ("X-Token: 42",), False),
    ("name without a colon", {"headers": ["X-Token 42"]}, "/", "GET", ("X-Token: 42",), True),
    ("every header", {"headers": ["A: 1", "B: 2"]}, "/", "GET", ("A: 1",), False),
    ("header match", {"headerMatches": [{"name": "A", "value": "1"}]}, "/", "GET", ("A: 1",), True),
    ("header match fails", {"headerMatches": [{"name": "A", "value": "1"}]}, "/", "GET", ("A: 2",), False),
    ("mismatch goes on", {"headerMatches": [{"name": "A", "value": "1", "mismatch": "LOG"}]}, "/", "GET", (), True),
]


@pytest.mark.parametrize(
    ("section", "rule", "path", "method", "headers", "admitted"), HTTP, ids=[row[0] for row in HTTP]
)
def test_requests_pass_or_are_answered_with_403(
    section: str, rule: Json, path: str, method: str, headers: tuple[str, ...], admitted: bool
) -> None:
    """A request that no rule admits is answered by the proxy, with the field that did not match."""
    found = request(rule, path, method, headers)
    assert found.verdict is (Verdict.PASS if admitted else Verdict.RESPOND), section
    assert found.status == (0 if admitted else 403)
    if not admitted:
        assert any(item.effect == "does-not-admit" and item.field.endswith(".toPorts") for item in found.considered)
        assert f"rules.http[0].{next(iter(rule))}" in found.summary or len(rule) > 1


def test_a_request_that_is_refused_ends_the_trace_with_403() -> None:
    """The outcome is a response and not a drop."""
    found = asked(world(policy(ingress(http({"method": "POST"})))), f"{URL}/", API)
    assert (found.outcome, found.status) == (Outcome.RESPONDS, 403)


def test_a_rule_of_layer_4_beside_one_of_layer_7_admits_every_request() -> None:
    """A similar rule without layer 7 takes the effect of the layer 7 part away."""
    both = policy(ingress(http({"method": "POST"}), ports(tcp(8080))))
    assert step(asked(world(both), f"{URL}/", API), "ingress").verdict is Verdict.PASS


def test_layer_7_ends_requests_even_without_default_deny() -> None:
    """EnableDefaultDeny does not apply to layer 7 ("Endpoint default policy")."""
    spec = {**ingress(http({"method": "POST"})), "enableDefaultDeny": {"ingress": False}}
    assert step(asked(world(policy(spec)), f"{URL}/", API), "ingress").status == 403
    assert word(arriving(world(policy(spec)), API, 9090)) == "yes"


def test_rules_of_both_ends_are_asked() -> None:
    """The source's egress rule and the destination's ingress rule each see the request."""
    out = policy(egress(http({"path": "/a.*"})), name="out", selector=labelled(app="api"))
    store = world(out, policy(ingress(http({"path": ".*b"}))))
    for side in ("egress", "ingress"):
        assert step(asked(store, f"{URL}/ab", API), side).verdict is Verdict.PASS
    assert step(asked(store, f"{URL}/ac", API), "ingress").status == 403
    assert step(asked(store, f"{URL}/b", API), "egress").status == 403


OPEN = {
    "TLS": ("https", ports(tcp(8080), rules={"http": [{"path": "/x"}]}), "TLS"),
    "no request": ("tcp", ports(tcp(8080), rules={"http": [{"path": "/x"}]}), "HTTP rules decide by the request"),
    "Kafka": ("tcp", ports(tcp(8080), rules={"kafka": [{"topic": "orders"}]}), "Kafka rules decide by topic"),
    "another protocol": ("tcp", ports(tcp(8080), rules={"l7proto": "r2d2", "l7": [{}]}), "l7proto"),
    "terminating TLS": ("https", ports(tcp(8080), terminatingTLS={"secret": {"name": "s"}}), "terminatingTLS"),
    "a listener": ("tcp", ports(tcp(8080), listener={"name": "x"}), "listener"),
    "an expression that may take long": ("http", ports(tcp(8080), rules={"http": [{"path": "(/+a*)+b"}]}), "pattern"),
}


@pytest.mark.parametrize("what", OPEN)
def test_what_the_question_does_not_say_is_open_at_layer_7(what: str) -> None:
    """The port is right, so that it is not dropped; what the proxy does with it is not known."""
    scheme, rule, said = OPEN[what]
    found = step(asked(world(policy(ingress(rule))), f"{scheme}://{ADDRESSES[WEB]}:8080", API), "ingress")
    assert word(found) == "open"
    assert said in found.missing


def test_kafka_rules_without_a_condition_admit_everything() -> None:
    """An empty rule matches every Kafka request."""
    assert word(arriving(world(policy(ingress(ports(tcp(8080), rules={"kafka": [{}]})))), API)) == "yes"


@pytest.mark.parametrize(
    ("names", "verdict"),
    [(["shop.example.com"], Verdict.PASS), (["*.example.com"], Verdict.PASS), (["other.example.com"], Verdict.REJECT)],
)
def test_server_names_decide_by_the_handshake(names: list[str], verdict: Verdict) -> None:
    """A handshake for another server name is reset ("Limit TLS Server Name Indication")."""
    store = world(policy(egress({"toEntities": ["world"], **ports(tcp(443), serverNames=names)})))
    found = leaving(store, "shop.example.com", 443, "https", resolve=CLIENT)
    assert found.verdict is verdict
    assert word(leaving(store, CLIENT, 443)) == "open"


def test_rules_that_need_advanced_networking_say_so_where_the_cluster_does_not() -> None:
    """AKS lets Cilium judge requests with Advanced Container Networking Services alone."""
    rule = policy(ingress(http({"method": "GET"})))
    plain = {key: value for key, value in PROFILE.items() if key != "advancedNetworking"}
    told = step(asked(made(*base(**plain), rule), f"{URL}/", API), "ingress")
    assert any("advancedNetworkPolicies" in line for line in told.assumptions)
    assert not step(asked(world(rule), f"{URL}/", API), "ingress").assumptions
    only_names = {**PROFILE, "advancedNetworking": {"enabled": True, "security": {"enabled": True}}}
    assert step(asked(made(*base(**only_names), rule), f"{URL}/", API), "ingress").assumptions
