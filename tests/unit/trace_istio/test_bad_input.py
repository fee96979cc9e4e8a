"""Bad input: what cannot be read, decoded or followed is undecided by its own name, and nothing else changes."""

import pytest

from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.model.object import Undecodable
from aksnav.trace.step import Certainty, Outcome
from tests.unit.trace_istio.row import ANY, API, GATEWAY, WEB
from tests.unit.trace_istio.world import asked, living, to, vs, word
from tests.unit.trace_routing.world import Wire

R = vs("r", ANY)


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("IstioGateway", {"servers": {}}),
        ("IstioGateway", {"servers": [{"port": {"number": "eighty"}}]}),
        ("VirtualService", {"hosts": "a.com"}),
        ("VirtualService", {"http": [{"route": [{"destination": "api"}]}]}),
        ("VirtualService", {"http": [{"match": [{"uri": "/x"}]}]}),
        ("DestinationRule", {"subsets": [{"labels": []}]}),
        ("AuthorizationPolicy", {"rules": [{"from": {}}]}),
        ("AuthorizationPolicy", {"rules": ["all"]}),
        ("PeerAuthentication", {"mtls": "STRICT"}),
        ("EnvoyFilter", {"workloadSelector": []}),
        ("ServiceEntry", {"hosts": [5]}),
    ],
)
def test_an_object_that_cannot_be_decoded_is_named(kind: str, spec: Wire) -> None:
    """With its name, and the path of the field."""
    with pytest.raises(Undecodable) as told:
        decode_wire(KINDS[kind], {"kind": kind, "metadata": {"name": "x", "namespace": "n"}, "spec": spec})
    assert (told.value.kind, told.value.id) == (kind, "n/x")
    assert "$." in told.value.reason


@pytest.mark.parametrize("kind", ["IstioGateway", "VirtualService", "EnvoyFilter"])
def test_what_cannot_be_read_is_an_assumption_where_a_rule_takes_the_request(kind: str) -> None:
    """The request still goes there, and the answer names the kind."""
    plural = KINDS[kind].plural
    answer = asked(living(GATEWAY, R, undecodable={f"{kind} shop/odd": "$.x: odd"}), "http://a.com/")
    assert word(answer) == API
    assert answer.confidence.certainty is Certainty.ASSUMED
    assert any("shop/odd" in line or plural in line for line in answer.confidence.because)


@pytest.mark.parametrize(
    ("unread", "objects", "source", "meshed"),
    [
        ("IstioGateway", (R,), "pod/shop/client", False),
        ("VirtualService", (GATEWAY,), "pod/shop/client", False),
        ("DestinationRule", (GATEWAY, vs("r", to("api/v1"))), "pod/shop/client", False),
        ("ServiceEntry", (GATEWAY, vs("r", to("x.example.com"))), "pod/shop/client", False),
        ("AuthorizationPolicy", (GATEWAY, R), "pod/shop/client", False),
        ("PeerAuthentication", (), "pod/shop/client", True),
        ("VirtualService", (), "pod/shop/inside", True),
    ],
)
def test_what_was_refused_and_would_decide_leaves_it_undecided(
    unread: str, objects: tuple[Wire, ...], source: str, meshed: bool
) -> None:
    """The permission that is missing is named."""
    text = "http://api.shop.svc.cluster.local/" if not objects else "http://a.com/"
    answer = asked(living(*objects, meshed=meshed, unread=(unread,)), text, source=source)
    assert answer.outcome is Outcome.UNDECIDED
    assert any(KINDS[unread].plural in line for line in answer.confidence.because)


def test_an_expression_that_is_none_stops_what_comes_after_it_alone() -> None:
    """A rule before it takes its requests as before."""
    rows = vs("r", to("web", match=[{"uri": {"exact": "/x"}}]), to("web", match=[{"uri": {"regex": "("}}]), ANY)
    store = living(GATEWAY, rows)
    assert word(asked(store, "http://a.com/x")) == WEB
    answer = asked(store, "http://a.com/y")
    assert answer.outcome is Outcome.UNDECIDED
    assert any("VirtualService shop/r" in line for line in answer.confidence.because)


def test_kinds_that_are_not_installed_are_none() -> None:
    """Without Istio's kinds the sidecar's road is the network's."""
    store = living(meshed=True)
    assert word(asked(store, "http://api.shop.svc.cluster.local/")) == API
