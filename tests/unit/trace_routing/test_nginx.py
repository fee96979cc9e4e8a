"""ingress-nginx beyond the specification: redirects, rewrites, canaries, address lists, certificates, defaults."""

import pytest

from aksnav.model.addresses import parse_address
from aksnav.trace.packet import Packet
from aksnav.trace.routing.types import Routing
from aksnav.trace.step import Kind, Step, Verdict
from tests.unit.trace_routing.world import (
    Wire,
    ask,
    endpoints,
    ingress,
    ingress_class,
    nginx_service,
    node,
    outcome,
    route_nginx,
    secret,
    service,
    store_of,
)

TLS = [{"hosts": ["a.com"], "secretName": "cert"}]
WEB = ("a.com", "/", "Prefix", "web")


def _route(packet: Packet, *objects: Wire, policy: str = "Cluster") -> Routing:
    return route_nginx(store_of(ingress_class(), nginx_service(policy=policy), *objects), packet)


def _last(answer: Routing) -> Step:
    return answer.steps[-1]


def test_http_is_redirected_where_the_host_has_tls() -> None:
    """ssl-redirect is on by default: 308, with the TLS section as the evidence."""
    answer = _route(ask("http://a.com/x"), ingress("one", WEB, tls=TLS), service("web"))
    assert outcome(answer) == "respond 308"
    assert "https://a.com/x" in _last(answer).summary
    assert _last(answer).evidence[0].field == ".spec.tls[].hosts"


@pytest.mark.parametrize(
    ("annotations", "tls", "expected"),
    [
        ({"ssl-redirect": "false"}, TLS, "web"),
        ({"force-ssl-redirect": "true"}, [], "respond 308"),
        ({}, [], "web"),
        ({"permanent-redirect": "https://b.com"}, [], "respond 301"),
        ({"permanent-redirect": "https://b.com", "permanent-redirect-code": "308"}, [], "respond 308"),
        ({"temporal-redirect": "https://b.com"}, [], "respond 302"),
        ({"app-root": "/start"}, [], "respond 302"),
    ],
)
def test_annotations_redirect(annotations: dict[str, str], tls: list[Wire], expected: str) -> None:
    """Each redirect with its own status, and none where it is turned off."""
    answer = _route(ask("http://a.com/"), ingress("one", WEB, tls=tls, annotations=annotations), service("web"))
    assert outcome(answer) == expected


def test_www_is_redirected_to_the_bare_name() -> None:
    """from-to-www-redirect adds a server for the other name, which only redirects."""
    one = ingress("one", WEB, annotations={"from-to-www-redirect": "true"})
    assert outcome(_route(ask("http://www.a.com/x"), one, service("web"))) == "respond 308"


def test_an_alias_is_served_like_its_host() -> None:
    """server-alias: the rules of the Ingress's host take the alias."""
    one = ingress("one", WEB, annotations={"server-alias": "b.com, c.com"})
    assert outcome(_route(ask("http://c.com/"), one, service("web"))) == "web"


def test_a_rewrite_fills_in_the_groups() -> None:
    """rewrite-target with a capture: the packet leaves with the new path."""
    rule = ("a.com", "/api(/|$)(.*)", "ImplementationSpecific", "web")
    one = ingress("one", rule, annotations={"rewrite-target": "/$2", "use-regex": "true"})
    answer = _route(ask("http://a.com/api/v1/x?q=1"), one, service("web"))
    assert answer.targets[0].packet.path == "/v1/x"
    assert answer.targets[0].packet.query == "q=1"
    match = next(step for step in answer.steps if step.kind is Kind.ROUTE_MATCH)
    assert match.verdict is Verdict.TRANSFORM
    assert match.packet.path == "/api/v1/x"
    assert match.packet_after is not None
    assert match.packet_after.path == "/v1/x"


def test_a_rewrite_of_one_ingress_makes_expressions_of_the_whole_host() -> None:
    """An Exact path of another Ingress of the host matches more than itself, and the step says why."""
    exact = ingress("one", ("a.com", "/foo", "Exact", "web"))
    other = ingress("two", ("a.com", "/bar", "Prefix", "api"), annotations={"rewrite-target": "/"})
    answer = _route(ask("http://a.com/FOObar"), exact, other, service("web"), service("api"))
    assert outcome(answer) == "web"
    fields = [fact.field for step in answer.steps for fact in step.evidence]
    assert ".metadata.annotations['nginx.ingress.kubernetes.io/rewrite-target']" in fields


def test_an_expression_that_could_take_long_is_not_evaluated() -> None:
    """A hostile expression is named, and neither a match nor a 404 is claimed."""
    rule = ("a.com", "/(a+)+$", "ImplementationSpecific", "web")
    answer = _route(
        ask("http://a.com/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
        ingress("one", rule, annotations={"use-regex": "true"}),
        service("web"),
    )
    assert _last(answer).verdict is Verdict.UNSUPPORTED
    assert "/(a+)+$" in _last(answer).missing


CANARY = {"canary": "true", "canary-weight": "20", "canary-by-header": "X-Try", "canary-by-cookie": "try"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, {"web": 0.8, "next": 0.2}),
        ({"x-try": "always"}, {"next": 1.0}),
        ({"x-try": "never"}, {"web": 1.0}),
        ({"x-try": "other", "cookie": "a=b; try=always"}, {"next": 1.0}),
        ({"x-try": "never", "cookie": "try=always"}, {"web": 1.0}),
        ({"cookie": "try=never"}, {"web": 1.0}),
    ],
)
def test_a_canary_shares_by_header_then_cookie_then_weight(headers: dict[str, str], expected: dict[str, float]) -> None:
    """The order of balancer.lua; a weight gives two targets that add up to one."""
    answer = _route(
        ask("http://a.com/", headers),
        ingress("one", WEB),
        ingress("two", ("a.com", "/", "Prefix", "next"), annotations=CANARY, created="2026-01-02T00:00:00Z"),
        service("web"),
        service("next"),
        endpoints("next", "10.244.0.5"),
    )
    assert {target.service: target.weight for target in answer.targets} == expected


def test_a_canary_without_endpoints_gets_nothing() -> None:
    """All goes to the main Service, whatever the weight."""
    answer = _route(
        ask("http://a.com/", {"x-try": "always"}),
        ingress("one", WEB),
        ingress("two", ("a.com", "/", "Prefix", "next"), annotations=CANARY),
        service("web"),
        service("next"),
        endpoints("next", "10.244.0.5", ready=False),
    )
    assert outcome(answer) == "web"


def test_a_canary_hangs_on_the_service_of_the_main_rule() -> None:
    """Another path with the same Service has the canary too, as it is a property of the upstream."""
    answer = _route(
        ask("http://a.com/other", {"x-try": "always"}),
        ingress("one", WEB, ("a.com", "/other", "Prefix", "web")),
        ingress("two", ("a.com", "/", "Prefix", "next"), annotations=CANARY),
        service("web"),
        service("next"),
        endpoints("next", "10.244.0.5"),
    )
    assert outcome(answer) == "next"


def test_a_canary_alone_serves_nothing() -> None:
    """Without a main rule its host does not exist."""
    canary = ingress("two", ("a.com", "/", "Prefix", "next"), annotations=CANARY)
    assert outcome(_route(ask("http://a.com/"), canary, service("next"))) == "respond 404"


def test_the_older_ingress_has_the_path() -> None:
    """Duplicate host and path: the younger one is shadowed, and the evidence names it."""
    old = ingress("zz", ("a.com", "/", "Prefix", "web"), created="2026-01-01T00:00:00Z")
    new = ingress("aa", ("a.com", "/", "Prefix", "next"), created="2026-01-02T00:00:00Z")
    answer = _route(ask("http://a.com/"), new, old, service("web"), service("next"))
    assert outcome(answer) == "web"
    assert any("shadowed by shop/zz" in fact.note for step in answer.steps for fact in step.evidence)


def test_of_two_ingresses_of_one_second_the_last_name_has_the_path() -> None:
    """store.go sorts equal times by descending name; the step says that this is what decided."""
    rules = [ingress(name, ("a.com", "/", "Prefix", name)) for name in ("aa", "zz")]
    answer = _route(ask("http://a.com/"), *rules, service("aa"), service("zz"))
    assert outcome(answer) == "zz"
    assert any("sorts last" in line for step in answer.steps for line in step.assumptions)


@pytest.mark.parametrize(
    ("backend", "spec", "expected"),
    [
        ("web:80", {}, "web"),
        ("web:http", {}, "web"),
        ("web:8080", {}, "web"),
        ("web:main", {"ports": [{"port": 80, "targetPort": "main"}]}, "web"),
        ("web:81", {}, "respond 503"),
        ("web:admin", {}, "respond 503"),
        ("web:81", {"type": "ExternalName", "externalName": "x.example.com", "ports": []}, "web"),
    ],
)
def test_a_port_may_be_a_number_a_name_or_a_target(backend: str, spec: Wire, expected: str) -> None:
    """The Service's port by number or name, or its targetPort; else 503 with I07."""
    answer = _route(ask("http://a.com/"), ingress("one", ("a.com", "/", "Prefix", backend)), service("web", **spec))
    assert outcome(answer) == expected
    if expected.endswith("503"):
        assert answer.targets[0].steps[-1].cause == "I07"


def test_a_missing_service_answers_503() -> None:
    """I06, with the field that names it, and the hint that another namespace has one of that name."""
    answer = _route(ask("http://a.com/"), ingress("one", WEB), service("web", "other"))
    step = answer.targets[0].steps[-1]
    assert (step.verdict, step.status, step.cause) == (Verdict.RESPOND, 503, "I06")
    assert step.evidence[0].field == ".spec.rules[0].http.paths[0].backend.service.name"
    assert any("other/web" in fact.value for fact in step.evidence)


def test_the_annotated_default_backend_takes_over() -> None:
    """default-backend stands in for a Service without endpoints, if it has some itself."""
    one = ingress("one", WEB, annotations={"default-backend": "spare"})
    objects = (one, service("web"), service("spare"), endpoints("spare", "10.244.0.5"))
    assert outcome(_route(ask("http://a.com/"), *objects)) == "spare"


@pytest.mark.parametrize(
    ("url", "expected"), [("http://a.com/x", "mine"), ("http://b.com/", "catch"), ("http://c.com/", "respond 404")]
)
def test_default_backends(url: str, expected: str) -> None:
    """A host's unmatched paths go to the default backend of its own Ingress, unknown hosts to the catch-all."""
    own = ingress("one", ("a.com", "/api", "Prefix", "web"), default="mine")
    bare = ingress("two", ("c.com", "/api", "Prefix", "web"), created="2026-01-02T00:00:00Z")
    catch = ingress("three", default="catch", created="2026-01-03T00:00:00Z")
    assert outcome(_route(ask(url), own, bare, catch, *map(service, ("web", "mine", "catch")))) == expected


@pytest.mark.parametrize(
    ("client", "policy", "expected"),
    [
        ("203.0.113.9", "Local", "web"),
        ("198.51.100.9", "Local", "respond 403"),
        ("203.0.113.9", "Cluster", "respond 403"),
    ],
)
def test_an_address_list_sees_the_node_behind_policy_cluster(client: str, policy: str, expected: str) -> None:
    """I12: with externalTrafficPolicy Cluster the allowed client is refused, as NGINX sees a node."""
    packet = Packet(
        scheme="http", host="a.com", path="/", method="GET", port=80, source=parse_address(client), destination=1
    )
    one = ingress("one", WEB, annotations={"whitelist-source-range": "203.0.113.0/24"})
    answer = _route(packet, one, service("web"), node("node-1", "10.224.0.4"), policy=policy)
    assert outcome(answer) == expected
    if answer.ended:
        assert _last(answer).cause == "I12"
        assert any(fact.field == ".spec.externalTrafficPolicy" for fact in _last(answer).evidence)


def test_an_address_list_is_undecided_for_any_client() -> None:
    """Any client of the internet may or may not be in the list: neither pass nor 403."""
    one = ingress("one", WEB, annotations={"whitelist-source-range": "203.0.113.0/24"})
    answer = _route(ask("http://a.com/"), one, service("web"), policy="Local")
    assert _last(answer).verdict is Verdict.BLIND


@pytest.mark.parametrize("name", ["auth-url", "auth-type", "configuration-snippet"])
def test_what_is_not_modelled_is_named(name: str) -> None:
    """Authentication and snippets may answer by themselves: unsupported, by name."""
    answer = _route(ask("http://a.com/"), ingress("one", WEB, annotations={name: "x"}), service("web"))
    assert _last(answer).verdict is Verdict.UNSUPPORTED
    assert name in _last(answer).missing


@pytest.mark.parametrize(
    ("objects", "unread", "cause", "assumed"),
    [
        ((secret("cert", type="kubernetes.io/tls"),), (), "", False),
        ((), (), "T01", True),
        ((secret("cert", type="Opaque"),), (), "T01", True),
        ((secret("cert", keys=["tls.crt"]),), (), "T01", True),
        ((), ("Secret",), "", True),
    ],
)
def test_the_certificate_is_judged_by_its_existence_alone(
    objects: tuple[Wire, ...], unread: tuple[str, ...], cause: str, assumed: bool
) -> None:
    """A missing Secret means NGINX's own certificate (T01), an unread one an assumption; HTTP goes on."""
    store = store_of(
        ingress_class(), nginx_service(), ingress("one", WEB, tls=TLS), service("web"), *objects, unread=unread
    )
    answer = route_nginx(store, ask("https://a.com/"))
    assert outcome(answer) == "web"
    handshake = answer.steps[1]
    assert (handshake.verdict, handshake.cause) == (Verdict.PASS, cause)
    assert bool(handshake.assumptions) is assumed


def test_plain_http_to_the_https_port_is_a_bad_request() -> None:
    """NGINX answers 400; TLS to the HTTP port fails in the handshake."""
    objects = (ingress("one", WEB), service("web"))
    assert outcome(_route(ask("http://a.com:443/"), *objects)) == "respond 400"
    assert outcome(_route(ask("https://a.com:80/"), *objects)) == "reject"


def test_backend_protocol_and_upstream_vhost_change_what_leaves() -> None:
    """The packet to the Pod is encrypted and has another host."""
    marks = {"backend-protocol": "HTTPS", "upstream-vhost": "inner.local"}
    packet = _route(ask("http://a.com/"), ingress("one", WEB, annotations=marks), service("web")).targets[0].packet
    assert (packet.scheme, packet.tls, packet.host) == ("https", True, "inner.local")


def test_service_upstream_goes_to_the_cluster_address() -> None:
    """service-upstream: not straight to the Pods."""
    one = ingress("one", WEB, annotations={"service-upstream": "true"})
    assert not _route(ask("http://a.com/"), one, service("web")).targets[0].direct_to_pods


def test_a_slash_is_added_by_a_redirect() -> None:
    """Prefix /foo/ asked for as /foo: NGINX sends a 301 first, which is an assumption of the match."""
    answer = _route(ask("http://a.com/foo"), ingress("one", ("a.com", "/foo/", "Prefix", "web")), service("web"))
    assert outcome(answer) == "web"
    assert any("301" in line for step in answer.steps for line in step.assumptions)


def test_without_http_there_is_nothing_to_route_by() -> None:
    """A bare TCP connection ends at the controller: no target, and not ended."""
    packet = Packet(scheme="tcp", port=80)
    answer = _route(packet, ingress("one", WEB), service("web"))
    assert (answer.targets, answer.ended) == ((), False)
    assert answer.steps[-1].verdict is Verdict.SKIP


def test_no_match_is_not_claimed_where_ingresses_cannot_be_read() -> None:
    """An Ingress that cannot be decoded may have the rule: blind, not 404; and a match rests on an assumption."""
    broken = {"Ingress shop/odd": "spec.rules: expected an array"}
    store = store_of(ingress_class(), nginx_service(), ingress("one", WEB), service("web"), undecodable=broken)
    assert route_nginx(store, ask("http://b.com/")).steps[-1].verdict is Verdict.BLIND
    match = route_nginx(store, ask("http://a.com/")).steps[-1]
    assert any("shop/odd" in line for line in match.assumptions)


@pytest.mark.parametrize(
    ("path", "cause", "url"), [("/api", "I05", "http://a.com/x"), ("/api", "I04", "http://b.com/api")]
)
def test_no_match_names_what_does_not_match(path: str, cause: str, url: str) -> None:
    """I04 for the host, I05 for the path; every rule of the host with the reason."""
    answer = _route(ask(url), ingress("one", ("a.com", path, "Prefix", "web")), service("web"))
    assert (_last(answer).status, _last(answer).cause) == (404, cause)
    assert _last(answer).considered
    assert _last(answer).evidence
