"""The sweep over Gateways, routes of every kind and policies: a broken pair gives its finding, a mended one none."""

import pytest

from aksnav.checks.finding import Proof
from aksnav.checks.routing import routing_findings
from tests.unit.trace_gateway.world import PASSTHROUGH, backend_tls, living, route, to
from tests.unit.trace_routing.world import Wire, gateway, listener

WEB = gateway("web")
TLS = gateway("web", listener("tls", 443, "TLS", tls=PASSTHROUGH))
TCP = gateway("web", listener("tcp", 5432, "TCP"))
OLD, NEW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
HTTP = route("HTTPRoute", "r", to("api"))
INVALID = {"ResolvedRefs": "False/InvalidCACertificateRef", "Accepted": "False/NoValidCACertificate"}
VALID = {"ResolvedRefs": "True/ResolvedRefs", "Accepted": "True/Accepted"}

# Check id, the object that is to be mended, the broken objects, the mended ones.
PAIRS: list[tuple[str, str, tuple[Wire, ...], tuple[Wire, ...]]] = [
    (
        "G05",
        "GRPCRoute shop/g",
        (WEB, route("GRPCRoute", "g", to("gone"))),
        (WEB, route("GRPCRoute", "g", to("api"))),
    ),
    (
        "G05",
        "TLSRoute shop/t",
        (TLS, route("TLSRoute", "t", to("gone"), hosts=("a.com",))),
        (TLS, route("TLSRoute", "t", to("api"), hosts=("a.com",))),
    ),
    (
        "G05",
        "TCPRoute shop/c",
        (TCP, route("TCPRoute", "c", to("api:81"))),
        (TCP, route("TCPRoute", "c", to("api"))),
    ),
    (
        "G06",
        "TCPRoute shop/c",
        (TCP, route("TCPRoute", "c", to("infra/web-approuting-istio"))),
        (TCP, route("TCPRoute", "c", to("api"))),
    ),
    (
        "G09",
        "Gateway infra/web",
        (gateway("web", listener("one"), listener("two", 80, "HTTPS")), HTTP),
        (gateway("web", listener("one"), listener("two", 443, "HTTPS")), HTTP),
    ),
    (
        "G10",
        "TLSRoute shop/t",
        (
            gateway("web", listener("tls", 443, "TLS", "*.b.com", tls=PASSTHROUGH)),
            route("TLSRoute", "t", to("api"), hosts=("a.com",)),
        ),
        (
            gateway("web", listener("tls", 443, "TLS", "*.com", tls=PASSTHROUGH)),
            route("TLSRoute", "t", to("api"), hosts=("a.com",)),
        ),
    ),
    ("G11", "UDPRoute shop/u", (TCP, route("UDPRoute", "u", to("api"))), (TCP,)),
    (
        "G12",
        "GRPCRoute shop/g",
        (WEB, route("GRPCRoute", "g", to("api"), parent={"name": "gone"})),
        (WEB, route("GRPCRoute", "g", to("api"))),
    ),
    (
        "G14",
        "GRPCRoute shop/g",
        (WEB, route("GRPCRoute", "g", to("api"), said={"Accepted": "True/Accepted"}, generation=2)),
        (WEB, route("GRPCRoute", "g", to("api"), said={"Accepted": "True/Accepted"})),
    ),
    (
        "G24",
        "TCPRoute shop/c",
        (TCP, route("TCPRoute", "c", to("api*0"))),
        (TCP, route("TCPRoute", "c", to("api*1"))),
    ),
    (
        "G28",
        "GRPCRoute shop/g",
        (WEB, route("HTTPRoute", "h", to("api"), created=OLD), route("GRPCRoute", "g", to("api"), created=NEW)),
        (
            WEB,
            route("HTTPRoute", "h", to("api"), hosts=("a.com",), created=OLD),
            route("GRPCRoute", "g", to("api"), hosts=("b.com",), created=NEW),
        ),
    ),
    (
        "G29",
        "BackendTLSPolicy shop/p",
        (WEB, HTTP, backend_tls("p", "api", said=INVALID)),
        (WEB, HTTP, backend_tls("p", "api", said=VALID)),
    ),
    (
        "G29",
        "BackendTLSPolicy shop/p",
        (WEB, HTTP, backend_tls("p", "api", authority="")),
        (WEB, HTTP, backend_tls("p", "api", authority="System")),
    ),
    (
        "G30",
        "HTTPRoute shop/r",
        (WEB, route("HTTPRoute", "r", to("api"), said={"Accepted": "False/UnsupportedValue"})),
        (WEB, route("HTTPRoute", "r", to("api"), said={"Accepted": "True/Accepted"})),
    ),
    (
        "G30",
        "HTTPRoute shop/r",
        (WEB, route("HTTPRoute", "r", to("api"), said={"ResolvedRefs": "False/BackendNotFound"})),
        (WEB, route("HTTPRoute", "r", to("api"), said={"ResolvedRefs": "True/ResolvedRefs"})),
    ),
]


@pytest.mark.parametrize(("check", "subject", "broken", "mended"), PAIRS, ids=[f"{row[0]} {row[1]}" for row in PAIRS])
def test_a_broken_cluster_gives_its_finding_and_a_mended_one_none(
    check: str, subject: str, broken: tuple[Wire, ...], mended: tuple[Wire, ...]
) -> None:
    """That check for that object and no other, with evidence, a command and a fix."""
    found = list(routing_findings(living(*broken)))
    assert {(item.id, str(item.subject)) for item in found} == {(check, subject)}
    assert all(item.evidence and item.confirm and item.fix for item in found)
    assert list(routing_findings(living(*mended))) == []


@pytest.mark.parametrize(
    ("objects", "checks"),
    [
        (
            (
                gateway("web", listener(allowedRoutes={"namespaces": {"from": "Same"}})),
                route("HTTPRoute", "r", to("api"), said={"Accepted": "True/Accepted"}),
            ),
            {"G11", "G30"},
        ),
        ((WEB, route("HTTPRoute", "r", to("gone"), said={"ResolvedRefs": "True/ResolvedRefs"})), {"G05", "G30"}),
    ],
)
def test_a_fault_that_the_controller_has_not_seen_is_told_with_it(objects: tuple[Wire, ...], checks: set[str]) -> None:
    """Our reading is a finding of its own; that the controller says otherwise is a second one, and only likely."""
    found = list(routing_findings(living(*objects)))
    assert {item.id for item in found} == checks
    assert all(item.proof is Proof.LIKELY for item in found if item.id == "G30")


@pytest.mark.parametrize("kind", ["GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute", "BackendTLSPolicy", "ListenerSet"])
def test_a_kind_that_is_not_installed_or_not_readable_makes_no_finding(kind: str) -> None:
    """Nothing is wrong because nothing could be read."""
    assert list(routing_findings(living(WEB, HTTP, unread=(kind,)))) == []
