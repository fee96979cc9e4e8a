"""Gateway API, row by row: backends: weights, grants, kinds, and what is answered in their place."""

from tests.unit.trace_gateway.row import FAR, OTHER, TCP, TLS, UDP, WEB, Row
from tests.unit.trace_gateway.world import grant, route, to
from tests.unit.trace_routing.world import gateway

ROWS: list[Row] = [
    Row(
        "HTTPRouteRule.backendRefs",
        "a missing Service answers 500 for its share",
        (WEB, route("HTTPRoute", "r", to("api*3", "gone*1"))),
        "http://a.com/",
        "api*0.75 respond 500*0.25",
        "G05",
    ),
    Row(
        "BackendRef.weight",
        "weight 0 gets nothing",
        (WEB, route("HTTPRoute", "r", to("gone*0", "api*1"))),
        "http://a.com/",
        "api",
    ),
    Row(
        "BackendRef.weight",
        "every weight 0",
        (WEB, route("HTTPRoute", "r", to("api*0", "web*0"))),
        "http://a.com/",
        "respond 500",
        "G24",
    ),
    Row(
        "HTTPRouteRule.backendRefs",
        "no backend and no redirect",
        (WEB, route("HTTPRoute", "r", {})),
        "http://a.com/",
        "respond 500",
        "G24",
    ),
    Row(
        "BackendObjectReference.port",
        "a port that the Service has not",
        (WEB, route("HTTPRoute", "r", to("api:81"))),
        "http://a.com/",
        "respond 500",
        "G05",
    ),
    Row(
        "ReferenceGrant",
        "another namespace without a grant",
        (WEB, OTHER, route("HTTPRoute", "r", FAR)),
        "http://a.com/",
        "respond 500",
        "G06",
    ),
    Row(
        "ReferenceGrant", "with one", (WEB, OTHER, grant("other"), route("HTTPRoute", "r", FAR)), "http://a.com/", "api"
    ),
    Row(
        "ReferenceGrantFrom.kind",
        "a grant for another kind of route",
        (WEB, OTHER, grant("other"), route("GRPCRoute", "r", FAR)),
        "grpc://a.com/s/M",
        "respond 503",
        "G06",
    ),
    Row(
        "ReferenceGrantFrom.kind",
        "a grant for a GRPCRoute",
        (WEB, OTHER, grant("other", "GRPCRoute"), route("GRPCRoute", "r", FAR)),
        "grpc://a.com/s/M",
        "api",
    ),
    Row(
        "BackendObjectReference.kind, InvalidKind",
        "a route whose backend is itself",
        (
            WEB,
            route(
                "HTTPRoute",
                "r",
                {"backendRefs": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "r"}]},
            ),
        ),
        "http://a.com/",
        "respond 500",
        "G05",
    ),
    Row(
        "BackendObjectReference.kind, InvalidKind",
        "a Gateway is no backend for Istio",
        (
            WEB,
            route(
                "HTTPRoute",
                "r",
                {"backendRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "web"}]},
            ),
        ),
        "http://a.com/",
        "respond 500",
        "G05",
    ),
    Row(
        "BackendObjectReference.kind",
        "a kind that the controller may know is not judged",
        (WEB, route("HTTPRoute", "r", {"backendRefs": [{"group": "x.io", "kind": "Pool", "name": "p"}]})),
        "http://a.com/",
        "unsupported",
    ),
    *(
        Row(
            "HTTPRouteRule.backendRefs",
            f"a missing Service, {cls}",
            (gateway("web", cls=cls), route("HTTPRoute", "r", to("gone"))),
            "http://a.com/",
            "respond 500",
            "G05",
            cls=cls,
        )
        for cls in ("agc", "eg", "nginx", "other")
    ),
    Row(
        "GRPCRouteRule.backendRefs",
        "a missing Service is UNAVAILABLE for its share",
        (WEB, route("GRPCRoute", "r", to("api*1", "gone*1"))),
        "grpc://a.com/s/M",
        "api*0.5 respond 503*0.5",
        "G05",
    ),
    Row(
        "TLSRouteRule.backendRefs",
        "a missing Service refuses the connection for its share",
        (TLS, route("TLSRoute", "r", to("api*4", "gone*1"), hosts=("a.com",))),
        "https://a.com/",
        "api*0.8 reject*0.2",
        "G05",
    ),
    Row(
        "TCPRouteRule.backendRefs",
        "a missing Service refuses the connection",
        (TCP, route("TCPRoute", "r", to("gone"))),
        "tcp://:5432",
        "reject",
        "G05",
    ),
    Row(
        "TCPRouteRule.backendRefs",
        "no weight at all refuses the connection",
        (TCP, route("TCPRoute", "r", to("api*0"))),
        "tcp://:5432",
        "reject",
        "G24",
    ),
    Row(
        "UDPRouteRule.backendRefs",
        "a missing Service drops the datagram",
        (UDP, route("UDPRoute", "r", to("gone"))),
        "udp://:53",
        "drop",
        "G05",
        cls="eg",
    ),
    Row(
        "ReferenceGrant",
        "a TCPRoute needs one as well",
        (TCP, OTHER, route("TCPRoute", "r", FAR)),
        "tcp://:5432",
        "reject",
        "G06",
    ),
]
