"""What the steps of a Gateway's road say: the packet that goes on, the fields, the controller's word beside them."""

import pytest

from aksnav.trace.journey import answered
from aksnav.trace.routing.types import Controller, Flavour, Routing
from aksnav.trace.step import Certainty, Kind, Outcome, Step, Verdict
from tests.unit.trace_gateway.world import (
    PASSTHROUGH,
    asked,
    backend_tls,
    called,
    cluster,
    conditions,
    living,
    outcome,
    route,
    taken,
    to,
)
from tests.unit.trace_routing.world import Wire, gateway, gateway_class, listener, prefix, secret
from tests.unit.trace_walk.cluster import steps_of

WEB = gateway("web")
ENDS = {"certificateRefs": [{"name": "cert"}]}
CERT = secret("cert", "infra")
TLS = gateway("web", listener("tls", 443, "TLS", tls=PASSTHROUGH))


def _match(answer: Routing) -> Step:
    return next(step for step in answer.steps if step.kind is Kind.ROUTE_MATCH)


def test_tls_that_is_passed_through_goes_on_untouched() -> None:
    """The backend gets the client's own handshake, and the Gateway shows no certificate."""
    answer = taken(cluster(TLS, route("TLSRoute", "r", to("api"), hosts=("a.com",))), "https://a.com/")
    packet = answer.targets[0].packet
    assert (packet.tls, packet.sni, packet.scheme) == (True, "a.com", "https")
    assert [step.kind for step in answer.steps] == [Kind.GATEWAY_LISTENER, Kind.ROUTE_MATCH]
    assert (".spec.hostnames", "a.com") in [(fact.field, fact.value) for fact in _match(answer).evidence]


def test_tls_that_ends_at_the_gateway_goes_on_in_the_clear() -> None:
    """A TLSRoute under a listener that terminates."""
    gate = gateway("web", listener("tls", 443, "TLS", tls={"mode": "Terminate", **ENDS}))
    answer = taken(cluster(gate, CERT, route("TLSRoute", "r", to("api"), hosts=("a.com",))), "https://a.com/")
    packet = answer.targets[0].packet
    assert (packet.tls, packet.sni, packet.scheme) == (False, "", "http")


def test_a_backend_policy_encrypts_what_goes_to_the_backend() -> None:
    """BackendTLSPolicy: TLS with its hostname as server name, before and after in a step of its own."""
    said = {"Accepted": "True/Accepted", "ResolvedRefs": "True/ResolvedRefs"}
    store = cluster(WEB, route("HTTPRoute", "r", to("api")), backend_tls("p", "api", said=said))
    target = taken(store, "http://a.com/").targets[0]
    assert (target.packet.tls, target.packet.sni, target.packet.scheme) == (True, "inner.example.com", "https")
    assert target.packet.host == "a.com"
    step = target.steps[-1]
    assert (step.verdict, step.packet.tls, step.packet_after) == (Verdict.TRANSFORM, False, target.packet)
    # Whether the backend has such a certificate is the one thing that no object says.
    assert ["certificate for inner.example.com" in line for line in step.assumptions] == [True]


def test_an_authority_that_nobody_spoke_of_is_taken_for_granted_by_name() -> None:
    """ConfigMaps are not read: without the controller's word the step says which one it takes for granted."""
    store = cluster(WEB, route("HTTPRoute", "r", to("api")), backend_tls("p", "api"))
    lines = taken(store, "http://a.com/").targets[0].steps[-1].assumptions
    assert any("ConfigMap shop/ca, which is not read" in line for line in lines)
    assert any("applies BackendTLSPolicy shop/p" in line for line in lines)


@pytest.mark.parametrize(
    ("frontend", "assumed"),
    [
        ({"default": {"validation": {"caCertificateRefs": [{"name": "ca"}]}}}, True),
        ({"default": {"validation": {"caCertificateRefs": [], "mode": "AllowInsecureFallback"}}}, False),
        ({"default": {}, "perPort": [{"port": 443, "tls": {"validation": {"caCertificateRefs": []}}}]}, True),
        ({"default": {"validation": {}}, "perPort": [{"port": 8443, "tls": {"validation": {"mode": "x"}}}]}, False),
        ("odd", False),
    ],
)
def test_a_certificate_that_clients_have_to_show_is_taken_for_granted(frontend: object, assumed: bool) -> None:
    """GatewaySpec.tls.frontend: no object says what certificate a client has."""
    gate = gateway("web", listener("https", 443, "HTTPS", tls=ENDS), tls={"frontend": frontend})
    answer = taken(cluster(gate, CERT, route("HTTPRoute", "r", to("api"))), "https://a.com/")
    assert any("the client shows a certificate" in line for line in answer.steps[1].assumptions) is assumed


def test_grpc_over_tls_is_grpc_in_the_clear_behind_the_gateway() -> None:
    """TLS ends at an HTTPS listener; the request stays one of gRPC, and is POST."""
    gate = gateway("web", listener("https", 443, "HTTPS", tls=ENDS))
    answer = taken(cluster(gate, CERT, route("GRPCRoute", "r", to("api"))), "grpcs://a.com/shop.Cart/Add")
    packet = answer.targets[0].packet
    assert (packet.scheme, packet.method, packet.path, packet.tls) == ("grpc", "POST", "/shop.Cart/Add", False)


@pytest.mark.parametrize(
    ("body", "words"),
    [({}, "every request"), ({"percent": 10}, "10 %"), ({"fraction": {"numerator": 1, "denominator": 8}}, "1 of 8")],
)
def test_a_mirror_says_how_much_goes_where(body: Wire, words: str) -> None:
    """RequestMirror: percent or fraction; the request itself is as it was."""
    mirror = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "copy", "port": 80}, **body}}
    answer = taken(cluster(WEB, route("HTTPRoute", "r", to("api", filters=[mirror]))), "http://a.com/x")
    assert words in answer.steps[-1].summary
    assert "shop/copy" in answer.steps[-1].summary
    assert answer.targets[0].packet.path == "/x"


def test_filters_of_one_backend_are_for_its_share_alone() -> None:
    """HTTPBackendRef.filters: the other backend gets the request as it came."""
    change = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "X-A", "value": "1"}]}}
    rule = to("api", "web")
    rule["backendRefs"][0]["filters"] = [change]
    answer = taken(cluster(WEB, route("HTTPRoute", "r", rule)), "http://a.com/")
    assert [dict(item.packet.headers) for item in answer.targets] == [{"x-a": "1"}, {}]


def test_the_word_of_the_controller_stands_beside_our_own() -> None:
    """Accepted and ResolvedRefs of the present generation are evidence, and nothing is taken for granted."""
    said = {"Accepted": "True/Accepted", "ResolvedRefs": "True/ResolvedRefs"}
    step = _match(taken(cluster(WEB, route("HTTPRoute", "r", to("api"), said=said)), "http://a.com/"))
    assert [fact.value for fact in step.evidence if "conditions" in fact.field] == [
        "True (Accepted)",
        "True (ResolvedRefs)",
    ]
    assert step.assumptions == ()


def test_a_class_that_is_not_accepted_is_an_assumption_of_every_answer() -> None:
    """The proxy is there and serves: that its class is refused is told with it."""
    refused = gateway_class()
    refused["status"] = {"conditions": conditions({"Accepted": "False/InvalidParameters"})}
    store = cluster(WEB, route("HTTPRoute", "r", to("api")), refused)
    lines = taken(store, "http://a.com/").steps[0].assumptions
    assert any("GatewayClass approuting-istio is not accepted" in line for line in lines)


def test_where_they_disagree_both_words_are_told() -> None:
    """Undecided, with our reading in the summary and the controller's reason in what is missing."""
    refused = {"Accepted": "False/UnsupportedValue"}
    answer = asked(living(WEB, route("HTTPRoute", "r", to("api"), said=refused)), "http://a.com/")
    assert (answer.outcome, answer.confidence.certainty) == (Outcome.UNDECIDED, Certainty.PARTIAL)
    step = next(step for step in answer.breaks if step.cause == "G30")
    assert "takes a.com/" in step.summary
    assert "attaches by its spec" in step.missing
    assert "UnsupportedValue" in step.missing


def test_several_parents_are_judged_each_by_its_own_status() -> None:
    """A route that names two listeners has two statuses: the one of the listener that is asked counts."""
    gate = gateway("web", listener("one"), listener("two", 8080))
    parents = [{"name": "web", "namespace": "infra", "sectionName": name} for name in ("one", "two")]
    row = route("HTTPRoute", "r", to("api"))
    row["spec"]["parentRefs"] = parents
    row["status"] = {
        "parents": [
            {"parentRef": parents[0], "controllerName": "c", "conditions": conditions({"Accepted": "True/Accepted"})},
            {"parentRef": parents[1], "controllerName": "c", "conditions": conditions({"Accepted": "False/X"})},
        ]
    }
    store = cluster(gate, row)
    assert _match(taken(store, "http://a.com/")).verdict is Verdict.PASS
    assert _match(taken(store, "http://a.com:8080/")).verdict is Verdict.UNSUPPORTED


def test_a_conflict_names_the_others_and_what_the_controller_says() -> None:
    """G09 with the field of the listener, the reason, and the conditions."""
    said = conditions({"Conflicted": "True/ProtocolConflict", "Programmed": "False/Invalid"})
    gate = gateway(
        "web",
        listener("one"),
        listener("two", 80, "TCP"),
        status={"listeners": [{"name": "one", "conditions": said}]},
    )
    step = taken(cluster(gate), "http://a.com/").steps[-1]
    assert (step.verdict, step.cause) == (Verdict.REJECT, "G09")
    assert "two (ProtocolConflict)" in step.summary
    assert ".spec.listeners[0]" in [fact.field for fact in step.evidence]
    assert "True (ProtocolConflict)" in [fact.value for fact in step.evidence]


def test_two_kinds_for_one_host_say_who_is_older() -> None:
    """G28: both creation times are evidence, and the fix says what to change."""
    store = cluster(
        WEB,
        route("GRPCRoute", "old", to("api", matches=[called("shop.Cart")]), created="2026-01-01T00:00:00Z"),
        route("HTTPRoute", "new", to("web"), created="2026-01-02T00:00:00Z"),
    )
    step = taken(store, "http://a.com/").steps[-1]
    assert (step.status, step.cause, str(step.subject)) == (404, "G28", "HTTPRoute shop/new")
    assert [fact.value for fact in step.evidence if "creationTimestamp" in fact.field] == [
        "2026-01-02T00:00:00Z",
        "2026-01-01T00:00:00Z",
    ]
    assert "different host names" in step.fix


@pytest.mark.parametrize(
    ("cls", "kind", "text", "expected"),
    [
        ("approuting-istio", "HTTPRoute", "http://a.com/", "respond 503"),
        ("eg", "HTTPRoute", "http://a.com/", "respond 503"),
        ("nginx", "HTTPRoute", "http://a.com/", "respond 503"),
        ("agc", "HTTPRoute", "http://a.com/", "respond 500"),
        ("approuting-istio", "GRPCRoute", "grpc://a.com/s/M", "respond 503"),
    ],
)
def test_a_service_without_ready_endpoints_is_answered_for(cls: str, kind: str, text: str, expected: str) -> None:
    """HTTPRouteRule.backendRefs: 503 should be answered; Application Gateway for Containers answers 500."""
    store = living(gateway("web", cls=cls), route(kind, "r", to("web")), cls=cls, unready="web")
    assert outcome(asked(store, text)) == expected


@pytest.mark.parametrize(
    ("flavour", "silent", "status"),
    [
        (Flavour.ISTIO, True, 503),
        (Flavour.ENVOY_GATEWAY, True, 503),
        (Flavour.ENVOY_GATEWAY, False, 503),
        (Flavour.NGINX_GATEWAY_FABRIC, True, 504),
        (Flavour.NGINX_GATEWAY_FABRIC, False, 502),
    ],
)
def test_a_backend_that_is_cut_off_is_answered_for_by_its_proxy(flavour: Flavour, silent: bool, status: int) -> None:
    """Envoy: 503 for both; NGINX: 504 for silence and 502 for a refusal; neither is taken for granted."""
    cut = Step(kind=Kind.POLICY, verdict=Verdict.DROP if silent else Verdict.REJECT, summary="the backend is cut off")
    told = answered((cut,), Controller(flavour=flavour), None)[-1]
    assert (told.status, told.assumptions) == (status, ())


def test_a_stream_without_ready_endpoints_is_refused_and_not_answered() -> None:
    """TCPRouteRule.backendRefs: no HTTP status comes from a listener that passes bytes on."""
    gate = gateway("web", listener("tcp", 5432, "TCP"))
    answer = asked(living(gate, route("TCPRoute", "r", to("web")), unready="web"), "tcp://:5432")
    assert answer.outcome is Outcome.REFUSED
    assert not [step for step in steps_of(answer) if step.verdict is Verdict.RESPOND]


def test_every_step_of_a_gateways_road_has_a_command_and_a_reason() -> None:
    """Whatever the kind of route: evidence, and a command with which a sceptic checks it."""
    gate = gateway(
        "web",
        listener("http"),
        listener("tls", 443, "TLS", tls=PASSTHROUGH),
        listener("tcp", 5432, "TCP"),
        listener("udp", 53, "UDP"),
    )
    store = living(
        gate,
        route("HTTPRoute", "h", to("api", matches=[prefix("/a")])),
        route("TLSRoute", "t", to("api"), hosts=("a.com",)),
        route("TCPRoute", "c", to("api")),
        route("UDPRoute", "u", to("api")),
    )
    for text in ("http://a.com/a", "http://a.com/b", "https://a.com/", "https://b.com/", "tcp://:5432", "udp://:53"):
        told = [
            step for step in steps_of(asked(store, text)) if step.kind.value.startswith(("k8s.gateway", "k8s.route"))
        ]
        assert told
        assert all(step.evidence and step.confirm.startswith("kubectl ") for step in told)
