"""Bad input: what cannot be decoded or followed is undecided by its own name, and nothing else changes."""

import pytest

from aksnav.checks.routing import routing_findings
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.model.object import Undecodable
from aksnav.trace.step import Certainty, Outcome, Verdict
from tests.unit.trace_gateway.world import (
    asked,
    backend_tls,
    called,
    cluster,
    living,
    outcome,
    route,
    taken,
    to,
    word,
)
from tests.unit.trace_routing.world import Wire, gateway, listener, prefix, service

WEB = gateway("web")
GOOD = route("HTTPRoute", "good", to("api", matches=[prefix("/good")]), hosts=("a.com",))


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("GRPCRoute", {"rules": [{"matches": [{"method": "Add"}]}]}),
        ("GRPCRoute", {"hostnames": "a.com"}),
        ("TLSRoute", {"rules": {}}),
        ("TCPRoute", {"rules": [{"backendRefs": [{"name": 5}]}]}),
        ("UDPRoute", {"parentRefs": [{}]}),
        ("HTTPRoute", {"rules": [{"filters": ["RequestRedirect"]}]}),
        ("BackendTLSPolicy", {"targetRefs": [{"kind": "Service"}]}),
        ("BackendTLSPolicy", {"validation": []}),
        ("ListenerSet", {"listeners": [{"name": "x"}]}),
        ("Gateway", {"listeners": [{"name": "x", "port": "eighty", "protocol": "HTTP"}]}),
    ],
)
def test_an_object_that_cannot_be_decoded_is_named(kind: str, spec: Wire) -> None:
    """With its name, and the path of the field."""
    with pytest.raises(Undecodable) as told:
        decode_wire(KINDS[kind], {"kind": kind, "metadata": {"name": "x", "namespace": "n"}, "spec": spec})
    assert (told.value.kind, told.value.id) == (kind, "n/x")
    assert "$." in told.value.reason


@pytest.mark.parametrize("kind", ["HTTPRoute", "GRPCRoute"])
def test_a_route_that_cannot_be_decoded_leaves_the_others_alone(kind: str) -> None:
    """What another route takes still goes there; the answer says whom it could not ask."""
    odd = {f"{kind} shop/odd": "$.rules: expected an array"}
    store = living(WEB, GOOD, undecodable=odd)
    answer = asked(store, "http://a.com/good")
    assert outcome(answer) == "api"
    assert any("shop/odd" in line for line in answer.confidence.because)
    other = asked(store, "http://a.com/bad" if kind == "HTTPRoute" else "grpc://a.com/s/M")
    assert other.outcome is Outcome.UNDECIDED
    assert any("shop/odd" in line for line in other.confidence.because)


@pytest.mark.parametrize(
    ("kind", "listed", "text"),
    [
        ("TLSRoute", listener("tls", 443, "TLS", tls={"mode": "Passthrough"}), "https://a.com/"),
        ("TCPRoute", listener("tcp", 5432, "TCP"), "tcp://:5432"),
        ("UDPRoute", listener("udp", 53, "UDP"), "udp://:53"),
    ],
)
def test_routes_that_cannot_be_read_leave_a_stream_undecided(kind: str, listed: Wire, text: str) -> None:
    """No connection is refused on the word of a table that was denied."""
    answer = taken(cluster(gateway("web", listed), unread=(kind,)), text)
    assert word(answer) == "blind"
    assert f"{kind.lower()}s" in answer.steps[-1].missing


def test_a_connection_to_a_proxy_whose_gateway_cannot_be_read_is_undecided() -> None:
    """A TCPRoute may pass it on: the proxy is not taken for the end of the road."""
    store = living(unread=("Gateway",))
    answer = asked(store, "tcp://:5432")
    assert answer.outcome is Outcome.UNDECIDED
    assert any("gateways" in line for line in answer.confidence.because)


def test_policies_that_cannot_be_read_are_an_assumption() -> None:
    """A BackendTLSPolicy that nobody may read could change what goes to the backend."""
    answer = asked(living(WEB, GOOD, unread=("BackendTLSPolicy",)), "http://a.com/good")
    assert answer.confidence.certainty is Certainty.ASSUMED
    assert any("backendtlspolicies" in line for line in answer.confidence.because)


def test_a_route_that_names_itself_is_at_fault_by_its_name() -> None:
    """G05 for that route alone, and an answer that says so."""
    itself = {"backendRefs": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "loop"}]}
    store = living(WEB, GOOD, route("HTTPRoute", "loop", itself, hosts=("loop.com",)))
    assert [(item.id, str(item.subject)) for item in routing_findings(store)] == [("G05", "HTTPRoute shop/loop")]
    assert word(taken(store, "http://a.com/good")) == "api"


def test_a_gateway_that_sends_to_its_own_service_is_followed_and_given_up_by_name() -> None:
    """A circle through the proxy has no end: TRACE_TOO_LONG, with the name of the controller."""
    circle = route("HTTPRoute", "circle", to("infra/web-approuting-istio"), hosts=("loop.com",), namespace="infra")
    store = living(WEB, GOOD, circle)
    answer = asked(store, "http://loop.com/")
    assert answer.outcome is Outcome.UNDECIDED
    assert any("TRACE_TOO_LONG" in line for line in answer.confidence.because)
    assert outcome(asked(store, "http://a.com/good")) == "api"


@pytest.mark.parametrize(
    "item",
    [
        {"type": "RequestRedirect", "requestRedirect": "https"},
        {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplaceSome"}}},
        {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": "x", "remove": {}}},
        {"type": "RequestMirror", "requestMirror": {"backendRef": [], "fraction": 3}},
        {"type": "RequestMirror"},
        {},
        {"type": 7},
    ],
)
def test_a_filter_of_an_odd_form_never_breaks_the_trace(item: Wire) -> None:
    """Whatever a filter holds, there is an answer."""
    answer = taken(cluster(WEB, route("HTTPRoute", "r", to("api", filters=[item]))), "http://a.com/")
    assert word(answer) in {"api", "unsupported", "respond 302"}
    assert all(step.summary for step in answer.steps)


@pytest.mark.parametrize("pattern", ["(", "(a+)+$", "[", "a**"])
def test_an_expression_that_cannot_be_evaluated_is_named(pattern: str) -> None:
    """Neither a crash nor a claim: undecided, with the expression."""
    wanted = called(pattern, kind="RegularExpression")
    answer = taken(cluster(WEB, route("GRPCRoute", "r", to("api", matches=[wanted]))), "grpc://a.com/s/M")
    assert answer.steps[-1].verdict is Verdict.UNSUPPORTED
    assert pattern in answer.steps[-1].missing


def test_a_policy_for_a_service_that_does_not_exist_changes_nothing() -> None:
    """It stands for itself: no finding beside those of routes, and the request goes on."""
    store = cluster(WEB, GOOD, backend_tls("p", "gone", authority="System"), service("db", ports=[]))
    assert word(taken(store, "http://a.com/good")) == "api"
