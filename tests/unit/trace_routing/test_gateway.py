"""A Gateway's road: listeners, attachment, filters, backends, and what the controller's status says beside it."""

from typing import Any

import pytest

from aksnav.trace.routing.types import Routing
from aksnav.trace.step import Step, Verdict
from tests.unit.trace_routing.world import (
    Wire,
    ask,
    gateway,
    gateway_class,
    gateway_service,
    http_route,
    listener,
    meta,
    outcome,
    prefix,
    route_gateway,
    rule,
    secret,
    service,
    store_of,
)

BASE = (gateway_class(), gateway_service("web"), service("api"))


def _route(url: str, *objects: Wire, gate: Wire | None = None, **more: Any) -> Routing:
    return route_gateway(store_of(*BASE, gate or gateway("web"), *objects, **more), ask(url))


def _last(answer: Routing) -> Step:
    return answer.steps[-1]


def _grant(namespace: str, source: str = "shop", name: str = "") -> Wire:
    to = {"group": "", "kind": "Service", **({"name": name} if name else {})}
    return {
        "kind": "ReferenceGrant",
        "metadata": meta("grant", namespace),
        "spec": {
            "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": source}],
            "to": [to],
        },
    }


def test_no_rule_answers_404() -> None:
    """G27, with every rule that was looked at."""
    answer = _route("http://a.com/x", http_route("r", rule("api", prefix("/api"))))
    assert (_last(answer).verdict, _last(answer).status, _last(answer).cause) == (Verdict.RESPOND, 404, "G27")
    assert [item.decided for item in _last(answer).considered] == [False]


@pytest.mark.parametrize(
    ("route", "gate", "cause", "field"),
    [
        (
            http_route("r", rule("api"), hostnames=("a.com",)),
            gateway("web", listener(hostname="*.b.com"), listener("any")),
            "",
            "",
        ),
        (
            http_route("r", rule("api"), hostnames=("a.com",), parent={"sectionName": "http"}),
            gateway("web", listener(hostname="*.b.com"), listener("any", hostname="a.com")),
            "G10",
            ".spec.listeners[0].hostname",
        ),
        (
            http_route("r", rule("api"), hostnames=("a.com",)),
            gateway("web", listener(allowedRoutes={"namespaces": {"from": "Same"}})),
            "G11",
            ".spec.listeners[0].allowedRoutes.namespaces.from",
        ),
        (
            http_route("r", rule("api"), hostnames=("a.com",)),
            gateway("web", listener(allowedRoutes={"namespaces": {"from": "All"}, "kinds": [{"kind": "GRPCRoute"}]})),
            "G11",
            ".spec.listeners[0].allowedRoutes.kinds",
        ),
        (
            http_route("r", rule("api"), hostnames=("a.com",), parent={"sectionName": "nope"}),
            gateway("web"),
            "G12",
            ".spec.parentRefs[0].sectionName",
        ),
        (
            http_route("r", rule("api"), hostnames=("a.com",), parent={"port": 8080}),
            gateway("web"),
            "G12",
            ".spec.parentRefs[0].port",
        ),
    ],
)
def test_a_route_that_does_not_attach_is_named(route: Wire, gate: Wire, cause: str, field: str) -> None:
    """The 404 says which route wants the host and which field keeps it from the listener."""
    answer = _route("http://a.com/", route, gate=gate)
    if not cause:
        assert outcome(answer) == "api"
        return
    assert (_last(answer).status, _last(answer).cause) == (404, cause)
    assert field in [fact.field for fact in _last(answer).evidence]
    assert _last(answer).fix


@pytest.mark.parametrize(
    ("labels", "unread", "expected"),
    [({"team": "a"}, (), "api"), ({"team": "b"}, (), "respond 404"), ({}, ("Namespace",), "api")],
)
def test_allowed_routes_may_select_namespaces(labels: dict[str, str], unread: tuple[str, ...], expected: str) -> None:
    """A selector on namespace labels; labels that cannot be read are missing where no status says what was decided."""
    selector = {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "a"}}}}
    namespace = {"kind": "Namespace", "metadata": meta("shop", labels=labels)}
    route = http_route("r", rule("api"))
    answer = _route(
        "http://a.com/", namespace, route, gate=gateway("web", listener(allowedRoutes=selector)), unread=unread
    )
    assert outcome(answer) == expected
    assert ("cannot be read" in _last(answer).missing) is bool(unread)


def test_weights_share_and_zero_gets_nothing() -> None:
    """Weights are parts of their sum; a Service that does not exist answers 500 for its share alone."""
    refs = [
        {"name": "api", "port": 80, "weight": 6},
        {"name": "gone", "port": 80, "weight": 2},
        {"name": "off", "port": 80, "weight": 0},
    ]
    answer = _route("http://a.com/", http_route("r", rule("", backendRefs=refs)))
    assert [(item.service, item.weight, item.ended) for item in answer.targets] == [
        ("api", 0.75, False),
        ("gone", 0.25, True),
    ]
    step = answer.targets[1].steps[-1]
    assert (step.status, step.cause) == (500, "G05")


@pytest.mark.parametrize(
    ("refs", "status", "cause"),
    [
        ([{"name": "api", "port": 81}], 500, "G05"),
        ([{"name": "api", "port": 80, "weight": 0}], 500, "G24"),
        ([], 500, "G24"),
        ([{"name": "api", "namespace": "other", "port": 80}], 500, "G06"),
    ],
)
def test_a_backend_that_cannot_be_used_answers_500(refs: list[Wire], status: int, cause: str) -> None:
    """By the specification 500, with the check of the reason."""
    answer = _route("http://a.com/", http_route("r", rule("", backendRefs=refs)), service("api", "other"))
    step = answer.targets[0].steps[-1]
    assert (step.verdict, step.status, step.cause) == (Verdict.RESPOND, status, cause)
    assert step.evidence


@pytest.mark.parametrize(
    ("grant", "unread", "expected"),
    [
        (_grant("other"), (), "api"),
        (_grant("other", name="api"), (), "api"),
        (_grant("other", name="else"), (), "respond 500"),
        (_grant("other", source="team"), (), "respond 500"),
        (_grant("shop"), (), "respond 500"),
        (None, ("ReferenceGrant",), "blind"),
    ],
)
def test_a_grant_opens_another_namespace(grant: Wire | None, unread: tuple[str, ...], expected: str) -> None:
    """The grant stands in the namespace of the Service, and names who may refer; unread grants decide nothing."""
    refs = [{"name": "api", "namespace": "other", "port": 80}]
    objects = (http_route("r", rule("", backendRefs=refs)), service("api", "other"), *([grant] if grant else []))
    assert outcome(_route("http://a.com/", *objects, unread=unread)) == expected


@pytest.mark.parametrize(("refused", "expected"), [(True, "respond 500"), (False, "unsupported")])
def test_a_backend_of_another_kind_is_left_to_the_controller(refused: bool, expected: str) -> None:
    """InvalidKind where the controller says so; else it may know the kind, and nothing is claimed."""
    condition = {"type": "ResolvedRefs", "status": "False", "reason": "InvalidKind"}
    parent = {"parentRef": {"name": "web", "namespace": "infra"}, "controllerName": "c", "conditions": [condition]}
    refs = [{"name": "pool", "kind": "InferencePool", "group": "inference.networking.k8s.io"}]
    route = http_route("r", rule("", backendRefs=refs), status={"parents": [parent] if refused else []})
    assert outcome(_route("http://a.com/", route)) == expected


def test_a_redirect_answers_in_place_of_a_backend() -> None:
    """RequestRedirect: 302 by default, or the status that it names, with the Location as evidence."""
    filters = [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]
    answer = _route("http://a.com/x", http_route("r", rule("", prefix("/"), filters=filters)))
    assert outcome(answer) == "respond 301"
    assert ("Location", "https://a.com/x") in [(fact.field, fact.value) for fact in _last(answer).evidence]


def test_a_rewrite_changes_what_leaves() -> None:
    """URLRewrite of host and prefix, before and after in the step."""
    path = {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v2"}
    filters = [{"type": "URLRewrite", "urlRewrite": {"hostname": "inner", "path": path}}]
    answer = _route("http://a.com/api/x", http_route("r", rule("api", prefix("/api"), filters=filters)))
    packet = answer.targets[0].packet
    assert (packet.host, packet.path) == ("inner", "/v2/x")
    assert (_last(answer).verdict, _last(answer).packet.path) == (Verdict.TRANSFORM, "/api/x")


def test_headers_are_set_added_and_removed() -> None:
    """RequestHeaderModifier, names without regard to letter case."""
    change = {"set": [{"name": "X-A", "value": "1"}], "add": [{"name": "x-b", "value": "3"}], "remove": ["X-C"]}
    filters = [{"type": "RequestHeaderModifier", "requestHeaderModifier": change}]
    store = store_of(*BASE, gateway("web"), http_route("r", rule("api", filters=filters)))
    answer = route_gateway(store, ask("http://a.com/", {"x-a": "0", "x-b": "2", "x-c": "9"}))
    assert dict(answer.targets[0].packet.headers) == {"x-a": "1", "x-b": "2,3"}


@pytest.mark.parametrize(
    ("item", "word"),
    [
        ({"type": "ExtensionRef", "extensionRef": {"group": "x", "kind": "Lua", "name": "mine"}}, "Lua mine"),
        ({"type": "Teleport"}, "Teleport"),
    ],
)
def test_a_filter_that_is_not_known_is_named(item: Wire, word: str) -> None:
    """It may answer by itself: unsupported, by name."""
    answer = _route("http://a.com/", http_route("r", rule("api", filters=[item])))
    assert _last(answer).verdict is Verdict.UNSUPPORTED
    assert word in _last(answer).missing


def test_a_mirror_changes_nothing() -> None:
    """RequestMirror: a copy, whose answers are dropped."""
    mirror = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "copy", "port": 80}}}
    answer = _route("http://a.com/", http_route("r", rule("api", filters=[mirror])))
    assert outcome(answer) == "api"
    assert "shop/copy" in _last(answer).summary


HTTPS = listener("https", 443, "HTTPS", "a.com", tls={"mode": "Terminate", "certificateRefs": [{"name": "cert"}]})


@pytest.mark.parametrize(
    ("objects", "expected", "cause"),
    [
        ((secret("cert", "infra"),), "api", ""),
        ((), "reject", "G13"),
        ((secret("cert", "infra", exists=False),), "reject", "G13"),
    ],
)
def test_a_listener_needs_its_certificate(objects: tuple[Wire, ...], expected: str, cause: str) -> None:
    """G13: without any valid certificate the handshake is refused."""
    answer = _route("https://a.com/", http_route("r", rule("api")), *objects, gate=gateway("web", HTTPS))
    assert outcome(answer) == expected
    assert answer.steps[1].cause == cause


def test_the_word_of_the_controller_stands_in_for_an_unread_secret() -> None:
    """ResolvedRefs True of the listener proves the certificate; without it, it is an assumption."""
    said = [{"name": "https", "attachedRoutes": 1, "conditions": [{"type": "ResolvedRefs", "status": "True"}]}]
    for listeners, assumed in ((said, False), ([], True)):
        gate = gateway("web", HTTPS, status={"listeners": listeners})
        answer = _route("https://a.com/", http_route("r", rule("api")), gate=gate, unread=("Secret",))
        assert bool(answer.steps[1].assumptions) is assumed


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://b.com/", "reject"),
        ("http://a.com:443/", "reject"),
        ("http://a.com:8080/", "reject"),
    ],
)
def test_a_listener_that_does_not_fit_refuses(url: str, expected: str) -> None:
    """No listener for the server name, the wrong scheme, no listener on the port."""
    answer = _route(url, http_route("r", rule("api")), secret("cert", "infra"), gate=gateway("web", HTTPS))
    assert outcome(answer) == expected


def test_where_the_status_differs_nothing_is_decided() -> None:
    """The spec attaches, the controller says it does not: undecided, with both words, and G30."""
    condition = {"type": "Accepted", "status": "False", "reason": "UnsupportedValue", "observedGeneration": 1}
    parent = {"parentRef": {"name": "web", "namespace": "infra"}, "controllerName": "c", "conditions": [condition]}
    answer = _route("http://a.com/", http_route("r", rule("api"), status={"parents": [parent]}))
    assert (_last(answer).verdict, _last(answer).cause) == (Verdict.UNSUPPORTED, "G30")
    assert "UnsupportedValue" in _last(answer).missing


def test_a_stale_status_is_not_taken_for_the_truth() -> None:
    """ObservedGeneration behind the generation: G14 in the assumption."""
    condition = {"type": "Accepted", "status": "True", "observedGeneration": 0}
    parent = {"parentRef": {"name": "web", "namespace": "infra"}, "controllerName": "c", "conditions": [condition]}
    answer = _route("http://a.com/", http_route("r", rule("api"), status={"parents": [parent]}))
    assert any("G14" in line for line in _last(answer).assumptions)


@pytest.mark.parametrize(("value", "expected"), [("/api/v[0-9]+", "api"), ("(a+)+$", "unsupported")])
def test_an_expression_is_read_as_istio_reads_it_or_not_at_all(value: str, expected: str) -> None:
    """RE2 over the whole path; one that could take long is named."""
    match = {"path": {"type": "RegularExpression", "value": value}}
    assert outcome(_route("http://a.com/api/v1", http_route("r", rule("api", match)))) == expected


def test_another_controller_decides_about_expressions_itself() -> None:
    """Implementation-specific: not evaluated for a controller that nobody knows."""
    match = {"path": {"type": "RegularExpression", "value": "/.*"}}
    store = store_of(
        gateway_class("other", "example.com/gateway"),
        gateway("web", cls="other"),
        gateway_service("web", "other"),
        http_route("r", rule("api", match)),
        service("api"),
    )
    assert outcome(route_gateway(store, ask("http://a.com/x"), cls="other")) == "unsupported"


def test_routes_that_only_the_controller_knows_are_an_assumption_of_a_404() -> None:
    """AttachedRoutes counts more than the routes that we know: another one could take the request."""
    gate = gateway("web", status={"listeners": [{"name": "http", "attachedRoutes": 2, "conditions": []}]})
    answer = _route("http://a.com/x", http_route("r", rule("api", prefix("/api"))), gate=gate)
    assert any("are not known" in line for line in _last(answer).assumptions)


def test_no_match_is_not_claimed_where_routes_cannot_be_read() -> None:
    """A route that cannot be decoded may take the request: blind, not 404."""
    answer = _route("http://a.com/", undecodable={"HTTPRoute shop/odd": "spec.rules: expected an array"})
    assert outcome(answer) == "blind"
    assert "shop/odd" in _last(answer).missing
