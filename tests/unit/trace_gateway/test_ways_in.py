"""Ways in through routes of every kind: as a user would type them, and answered by the route that opens them."""

import pytest

from aksnav.model.kinds import AZURE_KINDS
from aksnav.trace import trace
from aksnav.trace.cluster.hosts import claims_of
from aksnav.trace.parse import parse_target
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.step import Outcome
from tests.unit.trace_gateway.world import PASSTHROUGH, called, living, route, to
from tests.unit.trace_routing.world import Wire, gateway, listener, secret

EVERY = gateway(
    "web",
    listener("http"),
    listener("https", 443, "HTTPS", "*.secure.com", tls={"certificateRefs": [{"name": "cert"}]}),
    listener("tls", 443, "TLS", "*.pass.com", tls=PASSTHROUGH),
    listener("tcp", 5432, "TCP"),
    listener("udp", 53, "UDP"),
)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            route("GRPCRoute", "r", to("api", matches=[called("shop.Cart", "Add")]), hosts=("a.com",)),
            "grpc://a.com/shop.Cart/Add",
        ),
        (
            route("GRPCRoute", "r", to("api", matches=[called("shop.Cart")]), hosts=("a.com",)),
            "grpc://a.com/shop.Cart/any",
        ),
        (route("GRPCRoute", "r", to("api"), hosts=("x.secure.com",)), "grpc://x.secure.com/any/any"),
        (route("TLSRoute", "r", to("api"), hosts=("db.pass.com",)), "https://db.pass.com/"),
        (route("TLSRoute", "r", to("api"), hosts=("*.pass.com",)), "https://any.pass.com/"),
        (route("TCPRoute", "r", to("api")), "tcp://20.50.1.7:5432"),
        (route("UDPRoute", "r", to("api")), "udp://20.50.1.7:53"),
    ],
)
def test_a_route_is_a_way_in_that_can_be_asked(row: Wire, text: str) -> None:
    """The text parses to the same request, and names the route and the Service behind it."""
    store = living(EVERY, secret("cert", "infra"), row)
    kind = row["kind"]
    point = next(item for item in entry_points(store) if item.text == text)
    assert (str(point.via), point.service) == (f"{kind} shop/r", "shop/api")
    asked = parse_target(text)
    assert (asked.scheme, asked.host, asked.port, asked.path) == (
        point.request.scheme,
        point.request.host,
        point.request.port,
        point.request.path or "/",
    )


def test_a_grpc_route_under_https_is_asked_with_tls() -> None:
    """At the HTTPS listener grpcs, at the HTTP listener grpc."""
    store = living(EVERY, secret("cert", "infra"), route("GRPCRoute", "r", to("api"), hosts=("x.secure.com",)))
    found = {item.text for item in entry_points(store) if item.via.kind == "GRPCRoute"}
    assert found == {"grpc://x.secure.com/any/any", "grpcs://x.secure.com/any/any"}


def test_every_way_in_of_these_kinds_is_answered() -> None:
    """From the internet, over a load balancer whose Azure half nobody reads: never refused, always with a Service."""
    store = living(
        EVERY,
        secret("cert", "infra"),
        route("GRPCRoute", "g", to("api"), hosts=("a.com",)),
        route("TLSRoute", "t", to("api"), hosts=("db.pass.com",)),
        route("TCPRoute", "c", to("api")),
        route("UDPRoute", "u", to("api")),
        unread=tuple(kind.name for kind in AZURE_KINDS),
    )
    for point in entry_points(store):
        if point.via.kind in {"GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"}:
            answer = trace(store, point.request)
            assert answer.outcome in {Outcome.DELIVERED, Outcome.UNDECIDED}
            assert {item.service for item in answer.backends} >= {"api"}


def test_hostnames_of_every_kind_are_names_of_the_gateways_address() -> None:
    """Where DNS is not asked, a name that a route claims has the address of its Gateway."""
    store = living(
        EVERY,
        route("GRPCRoute", "g", to("api"), hosts=("a.com",)),
        route("TLSRoute", "t", to("api"), hosts=("*.pass.com",)),
    )
    assert [str(claim.ref) for claim in claims_of(store, "a.com")] == ["GRPCRoute shop/g"]
    assert {claim.ref.kind for claim in claims_of(store, "x.y.pass.com")} == {"Gateway", "TLSRoute"}
