"""Istio's kinds in a capture: told by their group, and still answering the same once names are replaced."""

from typing import Any

from aksnav.model.kinds import find_kind
from aksnav.sources.capture.recognise import kind_of_kubernetes
from aksnav.sources.capture.redact import Redaction
from tests.unit.trace_istio.row import CERT
from tests.unit.trace_istio.world import asked, dr, igw, living, server, to, vs, word


def test_a_kind_is_told_by_its_group() -> None:
    """Two groups have a Gateway; what a user types names one of them."""
    assert kind_of_kubernetes("Gateway", "networking.istio.io/v1beta1") == "IstioGateway"
    assert kind_of_kubernetes("AuthorizationPolicy", "security.istio.io/v1") == "AuthorizationPolicy"
    words = ("igw", "gateways", "gw", "vs", "virtualservices", "dr", "authz", "pa", "se")
    found = [kind.name if (kind := find_kind(text)) is not None else "" for text in words]
    assert found == [
        "IstioGateway",
        "Gateway",
        "Gateway",
        "VirtualService",
        "VirtualService",
        "DestinationRule",
        "AuthorizationPolicy",
        "PeerAuthentication",
        "ServiceEntry",
    ]


def test_a_redacted_capture_answers_the_same() -> None:
    """Hosts of people get placeholders, with or without a namespace before them; names of Services stay."""
    objects: list[Any] = [
        igw("web", server("shop/a.contoso.com", "*.b.contoso.com")),
        vs("r", to("api.shop.svc.cluster.local/v2"), hosts=("a.contoso.com",)),
        dr("d", "*.shop.svc.cluster.local", "v2"),
        CERT,
    ]
    made = Redaction(objects, b"k" * 32)
    told = [made.apply(item) for item in objects]
    assert "contoso" not in str(told)
    host = told[1]["spec"]["hosts"][0]
    assert word(asked(living(*objects), "http://a.contoso.com/")) == "api-2"
    assert word(asked(living(*told), f"http://{host}/")) == "api-2"
