"""Gateway API, row by row: parents: which routes attach, and what the controller says of them."""

from tests.unit.trace_gateway.row import ALLOWED, ANY, CERT, HTTPS, PARENTS, TCP, WEB, Row, by_default
from tests.unit.trace_gateway.world import route, to
from tests.unit.trace_routing.world import gateway, listener, meta, prefix

ROWS: list[Row] = [
    Row(
        ALLOWED,
        "kinds of a listener keep an HTTPRoute out",
        (
            gateway("web", listener(allowedRoutes={"namespaces": {"from": "All"}, "kinds": [{"kind": "GRPCRoute"}]})),
            route("HTTPRoute", "r", ANY),
        ),
        "http://a.com/",
        "respond 404",
        "G11",
    ),
    Row(
        ALLOWED,
        "kinds of a listener let a GRPCRoute in",
        (
            gateway("web", listener(allowedRoutes={"namespaces": {"from": "All"}, "kinds": [{"kind": "GRPCRoute"}]})),
            route("GRPCRoute", "r", ANY),
        ),
        "grpc://a.com/shop.Cart/Add",
        "api",
    ),
    Row(
        ALLOWED,
        "a kind of another group is another kind",
        (
            gateway(
                "web",
                listener(
                    allowedRoutes={"namespaces": {"from": "All"}, "kinds": [{"kind": "HTTPRoute", "group": "x.io"}]}
                ),
            ),
            route("HTTPRoute", "r", ANY),
        ),
        "http://a.com/",
        "respond 404",
        "G11",
    ),
    Row(
        ALLOWED,
        "a TCP listener takes no HTTPRoute",
        (TCP, route("HTTPRoute", "r", ANY)),
        "tcp://:5432",
        "reject",
        "G27",
    ),
    Row(
        "TLSRouteSpec",
        "an HTTPS listener takes no TLSRoute",
        (HTTPS, CERT, route("TLSRoute", "r", ANY, hosts=("a.com",))),
        "https://a.com/",
        "respond 404",
        "G27",
    ),
    Row(
        PARENTS,
        "sectionName and port must both fit",
        (WEB, route("HTTPRoute", "r", ANY, parent={"sectionName": "http", "port": 443})),
        "http://a.com/",
        "respond 404",
        "G12",
    ),
    Row(
        PARENTS,
        "port alone chooses a listener",
        (
            gateway("web", listener("a"), listener("b", 8080)),
            route("HTTPRoute", "r", ANY, parent={"port": 8080}),
        ),
        "http://a.com/",
        "respond 404",
        "G27",
    ),
    Row(
        PARENTS,
        "a parent that is a Service is for a mesh, not for this Gateway",
        (WEB, route("HTTPRoute", "r", ANY, parent={"kind": "Service", "group": ""})),
        "http://a.com/",
        "respond 404",
        "G27",
    ),
    Row(
        "GatewaySpec.defaultScope (GEP-3793)",
        "a route that wants default Gateways may take what no other takes",
        (gateway("web", defaultScope="All"), by_default("HTTPRoute")),
        "http://a.com/",
        "unsupported",
    ),
    Row(
        "GatewaySpec.defaultScope (GEP-3793)",
        "a connection too",
        (gateway("web", listener("tcp", 5432, "TCP"), defaultScope="All"), by_default("TCPRoute")),
        "tcp://:5432",
        "unsupported",
    ),
    Row(
        "GatewaySpec.defaultScope (GEP-3793)",
        "not where the Gateway is no default one",
        (WEB, by_default("HTTPRoute")),
        "http://a.com/",
        "respond 404",
        "G27",
    ),
    Row(
        PARENTS,
        "a Gateway that does not exist leaves the others alone",
        (WEB, route("HTTPRoute", "r", ANY), route("HTTPRoute", "lost", to("web"), parent={"name": "gone"})),
        "http://a.com/",
        "api",
    ),
    Row(
        "RouteConditionReason NotAllowedByListeners",
        "namespaces Same",
        (
            gateway("web", listener(allowedRoutes={"namespaces": {"from": "Same"}})),
            route("GRPCRoute", "r", ANY),
        ),
        "grpc://a.com/shop.Cart/Add",
        "respond 404",
        "G11",
    ),
    Row(
        ALLOWED,
        "namespaces Selector",
        (
            gateway(
                "web",
                listener(allowedRoutes={"namespaces": {"from": "Selector", "selector": {"matchLabels": {"t": "1"}}}}),
            ),
            {"kind": "Namespace", "metadata": meta("shop", labels={"t": "1"})},
            route("TCPRoute", "r", ANY),
            route("HTTPRoute", "s", ANY),
        ),
        "http://a.com/",
        "api",
    ),
    Row(
        ALLOWED,
        "a selector that is not valid selects nothing",
        (
            gateway(
                "web",
                listener(
                    allowedRoutes={
                        "namespaces": {
                            "from": "Selector",
                            "selector": {"matchExpressions": [{"key": "t", "operator": "Near"}]},
                        }
                    }
                ),
            ),
            {"kind": "Namespace", "metadata": meta("shop", labels={"t": "1"})},
            route("HTTPRoute", "s", ANY),
        ),
        "http://a.com/",
        "respond 404",
        "G11",
    ),
    Row(
        "RouteStatus, Accepted",
        "the controller took what our reading keeps out",
        (
            gateway("web", listener(allowedRoutes={"namespaces": {"from": "Same"}})),
            route("HTTPRoute", "r", ANY, said={"Accepted": "True/Accepted"}),
        ),
        "http://a.com/",
        "unsupported",
        "G30",
    ),
    Row(
        "RouteStatus, Accepted",
        "the controller refused what our reading takes",
        (WEB, route("HTTPRoute", "r", ANY, said={"Accepted": "False/UnsupportedValue"})),
        "http://a.com/",
        "unsupported",
        "G30",
    ),
    Row(
        "RouteStatus, observedGeneration",
        "a refusal of an older generation is not the present word",
        (WEB, route("HTTPRoute", "r", ANY, said={"Accepted": "False/UnsupportedValue"}, generation=2)),
        "http://a.com/",
        "api",
    ),
    Row(
        "RouteStatus, Accepted",
        "Unknown (Pending) is no word at all",
        (WEB, route("HTTPRoute", "r", ANY, said={"Accepted": "Unknown/Pending"})),
        "http://a.com/",
        "api",
    ),
    Row(
        "RouteStatus, ResolvedRefs",
        "the controller does not resolve what our reading finds",
        (
            WEB,
            route("HTTPRoute", "r", ANY, said={"Accepted": "True/Accepted", "ResolvedRefs": "False/BackendNotFound"}),
        ),
        "http://a.com/",
        "unsupported",
        "G30",
    ),
    Row(
        "RouteStatus, ResolvedRefs",
        "where both say that a backend is missing, the others go on",
        (
            WEB,
            route(
                "HTTPRoute",
                "r",
                to("gone", matches=[prefix("/gone")]),
                to("api", matches=[prefix("/")]),
                said={"ResolvedRefs": "False/BackendNotFound"},
            ),
        ),
        "http://a.com/",
        "api",
    ),
    Row(
        "RouteStatus, ResolvedRefs",
        "a missing backend is missing whatever the status says",
        (WEB, route("HTTPRoute", "r", to("gone"), said={"ResolvedRefs": "True/ResolvedRefs"})),
        "http://a.com/",
        "respond 500",
        "G05",
    ),
]
