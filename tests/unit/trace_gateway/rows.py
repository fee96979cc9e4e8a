"""Gateway API, row by row: the section of the specification, what there is, a request, and what becomes of it.

Sections are those of the API reference (gateway.networking.k8s.io v1, v1alpha2 for UDPRoute) and its enhancement
proposals (GEP). An expected answer is a Service, or the verdict and status of the step that ends the road.
"""

from typing import NamedTuple

from tests.unit.trace_gateway.world import PASSTHROUGH, backend_tls, called, conditions, grant, listener_set, route, to
from tests.unit.trace_routing.world import Wire, exact, gateway, listener, meta, prefix, secret, service

OLD, NEW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
WEB = gateway("web")
TLS = gateway("web", listener("tls", 443, "TLS", tls=PASSTHROUGH))
ENDS = {"mode": "Terminate", "certificateRefs": [{"name": "cert"}]}
TERMINATED = gateway("web", listener("tls", 443, "TLS", "*.example.com", tls=ENDS))
TCP = gateway("web", listener("tcp", 5432, "TCP"))
UDP = gateway("web", listener("udp", 53, "UDP"), cls="eg")
HTTPS = gateway("web", listener("https", 443, "HTTPS", tls=ENDS))
CERT = secret("cert", "infra")
ANY = to("api")
OTHER = service("api", "other")
FAR = to("other/api")


class Row(NamedTuple):
    """A row of the table; ``headers`` as ``name: value, …``; ``cls`` is the GatewayClass."""

    section: str
    name: str
    objects: tuple[Wire, ...]
    request: str
    expected: str
    cause: str = ""
    headers: str = ""
    cls: str = "approuting-istio"


def _said(name: str, **said: str) -> Wire:
    """A Gateway whose listener has these conditions."""
    status = {"listeners": [{"name": name, "attachedRoutes": 0, "conditions": conditions(said)}]}
    return gateway("web", listener(name), status=status)


def _gateway_said(**said: str) -> Wire:
    """A Gateway with these conditions of its own."""
    return gateway("web", status={"conditions": conditions(said), "addresses": [{"value": "20.50.1.7"}]})


def _default(kind: str) -> Wire:
    """A route that names no parent and wants every default Gateway."""
    made = route(kind, "r", ANY)
    made["spec"] = {"useDefaultGateways": "All", "rules": [ANY]}
    return made


LISTENERS = "GatewaySpec.listeners"
PARENTS = "ParentReference"
ALLOWED = "AllowedRoutes"

LISTENER_ROWS = [
    Row(LISTENERS, "no listener on the port", (WEB, route("HTTPRoute", "r", ANY)), "http://a.com:8080/", "reject"),
    Row(LISTENERS, "UDP is another port than TCP", (UDP, route("UDPRoute", "r", ANY)), "tcp://:53", "reject"),
    Row(
        f"{LISTENERS}, Distinct Listeners",
        "TCP shares its port with nothing",
        (
            gateway("web", listener("http"), listener("tcp", 80, "TCP")),
            route("HTTPRoute", "r", ANY, parent={"sectionName": "http"}),
        ),
        "http://a.com/",
        "reject",
        "G09",
    ),
    Row(
        f"{LISTENERS}, Compatible Listeners",
        "HTTP and HTTPS share no port",
        (gateway("web", listener("http"), listener("https", 80, "HTTPS")), route("HTTPRoute", "r", ANY)),
        "http://a.com/",
        "reject",
        "G09",
    ),
    Row(
        f"{LISTENERS}, Distinct Listeners",
        "two listeners with one host, whatever its letter case",
        (
            gateway("web", listener("one", hostname="a.com"), listener("two", hostname="A.com")),
            route("HTTPRoute", "r", ANY, hosts=("a.com",)),
        ),
        "http://a.com/",
        "reject",
        "G09",
    ),
    Row(
        f"{LISTENERS}, Handling indistinct Listeners",
        "a distinct listener of the port goes on",
        (
            gateway(
                "web",
                listener("one", hostname="a.com"),
                listener("two", hostname="a.com"),
                listener("three", hostname="b.com"),
            ),
            route("HTTPRoute", "r", ANY, parent={"sectionName": "three"}),
        ),
        "http://b.com/",
        "api",
    ),
    Row(
        f"{LISTENERS}, Distinct Listeners",
        "TCP and UDP on one port are distinct",
        (
            gateway("web", listener("tcp", 53, "TCP"), listener("udp", 53, "UDP"), cls="eg"),
            route("UDPRoute", "r", ANY),
            route("TCPRoute", "s", to("web")),
        ),
        "udp://:53",
        "api",
        cls="eg",
    ),
    Row(
        f"{LISTENERS}, Distinct Listeners",
        "two UDP listeners on one port",
        (gateway("web", listener("one", 53, "UDP"), listener("two", 53, "UDP"), cls="eg"), route("UDPRoute", "r", ANY)),
        "udp://:53",
        "drop",
        "G09",
        cls="eg",
    ),
    Row(
        f"{LISTENERS}, Compatible Listeners",
        "HTTPS and TLS on one port, told apart by name",
        (
            gateway(
                "web",
                listener("https", 443, "HTTPS", "a.com", tls={"certificateRefs": [{"name": "cert"}]}),
                listener("tls", 443, "TLS", "b.com", tls=PASSTHROUGH),
            ),
            CERT,
            route("TLSRoute", "r", ANY, hosts=("b.com",)),
            route("HTTPRoute", "s", to("web"), hosts=("a.com",)),
        ),
        "https://b.com/",
        "api",
    ),
    Row(
        f"{LISTENERS}, Distinct Listeners",
        "HTTPS and TLS of one host cannot be told apart",
        (
            gateway(
                "web", listener("https", 443, "HTTPS", "a.com"), listener("tls", 443, "TLS", "a.com", tls=PASSTHROUGH)
            ),
            route("TLSRoute", "r", ANY, hosts=("a.com",)),
        ),
        "https://a.com/",
        "reject",
        "G09",
    ),
    Row(
        f"{LISTENERS}, distinct only by Hostname",
        "the wildcard with more labels goes first",
        (
            gateway("web", listener("one", hostname="*.example.com"), listener("two", hostname="*.b.example.com")),
            route("HTTPRoute", "r", to("web"), parent={"sectionName": "one"}),
            route("HTTPRoute", "s", ANY, parent={"sectionName": "two"}),
        ),
        "http://a.b.example.com/",
        "api",
    ),
    Row(
        f"{LISTENERS}, General Listener behavior",
        "a host that no listener takes",
        (gateway("web", listener(hostname="b.com")), route("HTTPRoute", "r", ANY)),
        "http://a.com/",
        "respond 404",
        "G27",
    ),
    Row(
        f"{LISTENERS}, General Listener behavior",
        "a gRPC request to a host that no listener takes is UNIMPLEMENTED",
        (gateway("web", listener(hostname="b.com")), route("GRPCRoute", "r", ANY)),
        "grpc://a.com/shop.Cart/Add",
        "respond 404",
        "G27",
    ),
    Row(
        "ProtocolType",
        "a protocol of the controller's own is not judged",
        (gateway("web", listener("x", 80, "example.com/quic")),),
        "http://a.com/",
        "unsupported",
    ),
    Row(
        "ProtocolType",
        "plain HTTP at a TLS listener",
        (TLS, route("TLSRoute", "r", ANY)),
        "http://a.com:443/",
        "reject",
    ),
    Row(
        "ListenerStatus, Conflicted",
        "the controller sees a conflict that we do not",
        (_said("http", Conflicted="True/HostnameConflict"), route("HTTPRoute", "r", ANY)),
        "http://a.com/",
        "unsupported",
        "G09",
    ),
    Row(
        "ListenerStatus, Conflicted",
        "the controller serves what conflicts by the specification",
        (
            gateway(
                "web",
                listener("http"),
                listener("https", 80, "HTTPS"),
                status={"listeners": [{"name": "http", "conditions": conditions({"Conflicted": "False/NoConflicts"})}]},
            ),
            route("HTTPRoute", "r", ANY),
        ),
        "http://a.com/",
        "unsupported",
        "G09",
    ),
    Row(
        "GatewayStatus, Accepted",
        "the controller does not serve the Gateway as a whole",
        (_gateway_said(Accepted="False/Invalid"), route("HTTPRoute", "r", ANY)),
        "http://a.com/",
        "unsupported",
        "G30",
    ),
    Row(
        "GatewayStatus, Programmed",
        "a Gateway that waits for its address is served within the cluster",
        (_gateway_said(Accepted="True/Accepted", Programmed="False/AddressNotAssigned"), route("HTTPRoute", "r", ANY)),
        "http://a.com/",
        "api",
    ),
    Row(
        "ListenerStatus, Programmed",
        "the controller does not serve what looks right",
        (_said("http", Programmed="False/Invalid"), route("HTTPRoute", "r", ANY)),
        "http://a.com/",
        "unsupported",
        "G30",
    ),
    Row(
        "ListenerStatus, ResolvedRefs",
        "a certificate that the controller does not take, and in which we see no fault",
        (
            gateway(
                "web",
                HTTPS["spec"]["listeners"][0],
                status={
                    "listeners": [
                        {"name": "https", "conditions": conditions({"ResolvedRefs": "False/InvalidCertificateRef"})}
                    ]
                },
            ),
            CERT,
            route("HTTPRoute", "r", ANY),
        ),
        "https://a.com/",
        "unsupported",
        "G30",
    ),
    Row(
        "ProtocolType",
        "protocols have no letter case",
        (gateway("web", listener("http", 80, "http")), route("HTTPRoute", "r", ANY)),
        "http://a.com/",
        "api",
    ),
    Row(
        "ProtocolType",
        "nor where they conflict",
        (gateway("web", listener("one", 80, "hTtP"), listener("two", 80, "tcp")), route("HTTPRoute", "r", ANY)),
        "http://a.com/",
        "reject",
        "G09",
    ),
    Row(
        "Listener.hostname",
        "a host that is another listener's is misdirected",
        (
            gateway(
                "web", listener("a", 443, "HTTPS", "a.com", tls=ENDS), listener("b", 443, "HTTPS", "b.com", tls=ENDS)
            ),
            CERT,
            route("HTTPRoute", "r", ANY),
        ),
        "https://a.com/",
        "respond 421",
        "",
        "host: b.com",
    ),
    Row(
        "Listener.hostname",
        "a host that no listener has is not found",
        (
            gateway(
                "web", listener("a", 443, "HTTPS", "a.com", tls=ENDS), listener("b", 443, "HTTPS", "b.com", tls=ENDS)
            ),
            CERT,
            route("HTTPRoute", "r", ANY),
        ),
        "https://a.com/",
        "respond 404",
        "",
        "host: c.com",
    ),
    Row(
        "Listener.hostname",
        "a host of a more specific listener is misdirected",
        (
            gateway(
                "web",
                listener("a", 443, "HTTPS", "*.example.com", tls=ENDS),
                listener("b", 443, "HTTPS", "b.example.com", tls=ENDS),
            ),
            CERT,
            route("HTTPRoute", "r", ANY),
        ),
        "https://a.example.com/",
        "respond 421",
        "",
        "host: b.example.com",
    ),
    Row(
        "Listener.hostname",
        "another host of the same listener is at its place",
        (
            gateway("web", listener("a", 443, "HTTPS", "*.example.com", tls=ENDS)),
            CERT,
            route("HTTPRoute", "r", ANY, hosts=("b.example.com",)),
        ),
        "https://a.example.com/",
        "api",
        "",
        "host: b.example.com",
    ),
    Row(
        "Listener.tls",
        "a certificate of another namespace without a grant",
        (
            gateway(
                "web",
                listener("https", 443, "HTTPS", tls={"certificateRefs": [{"name": "cert", "namespace": "other"}]}),
            ),
            secret("cert", "other"),
            route("HTTPRoute", "r", ANY),
        ),
        "https://a.com/",
        "reject",
        "G13",
    ),
    Row(
        "Listener.tls",
        "a certificate of another namespace with a grant",
        (
            gateway(
                "web",
                listener("https", 443, "HTTPS", tls={"certificateRefs": [{"name": "cert", "namespace": "other"}]}),
            ),
            secret("cert", "other"),
            grant("other", "Gateway", "infra", "Secret"),
            route("HTTPRoute", "r", ANY),
        ),
        "https://a.com/",
        "api",
    ),
    Row(
        "ListenerSet (GEP-1713)",
        "a ListenerSet with a more specific host is named",
        (
            gateway("web", allowedListeners={"namespaces": {"from": "Same"}}),
            listener_set("more", listener("one", hostname="a.com")),
            route("HTTPRoute", "r", ANY),
        ),
        "http://a.com/",
        "unsupported",
    ),
    Row(
        "ListenerSet (GEP-1713)",
        "a ListenerSet for another host changes nothing",
        (
            gateway("web", allowedListeners={"namespaces": {"from": "Same"}}),
            listener_set("more", listener("one", hostname="b.com"), kind="XListenerSet"),
            route("HTTPRoute", "r", ANY),
        ),
        "http://a.com/",
        "api",
    ),
    Row(
        "GatewaySpec.allowedListeners",
        "no ListenerSet attaches unless the Gateway allows it",
        (WEB, listener_set("more", listener("one", hostname="a.com")), route("HTTPRoute", "r", ANY)),
        "http://a.com/",
        "api",
    ),
    Row(
        "ListenerSet (GEP-1713)",
        "a port that only an experimental ListenerSet has",
        (
            gateway("web", allowedListeners={"namespaces": {"from": "All"}}),
            listener_set("more", listener("one", 8080), kind="XListenerSet"),
        ),
        "http://a.com:8080/",
        "unsupported",
    ),
]

ATTACH_ROWS = [
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
        (gateway("web", defaultScope="All"), _default("HTTPRoute")),
        "http://a.com/",
        "unsupported",
    ),
    Row(
        "GatewaySpec.defaultScope (GEP-3793)",
        "a connection too",
        (gateway("web", listener("tcp", 5432, "TCP"), defaultScope="All"), _default("TCPRoute")),
        "tcp://:5432",
        "unsupported",
    ),
    Row(
        "GatewaySpec.defaultScope (GEP-3793)",
        "not where the Gateway is no default one",
        (WEB, _default("HTTPRoute")),
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

HTTP_ROWS = [
    Row(
        "HTTPRouteSpec.hostnames",
        "names of a route that the listener has not are ignored",
        (
            gateway("web", listener(hostname="*.example.com")),
            route("HTTPRoute", "r", ANY, hosts=("test.example.com", "test.example.net")),
        ),
        "http://test.example.net/",
        "respond 404",
        "G27",
    ),
    Row(
        "HTTPRouteSpec.hostnames",
        "a wildcard does not take the bare domain",
        (WEB, route("HTTPRoute", "r", ANY, hosts=("*.example.com",))),
        "http://example.com/",
        "respond 404",
        "G27",
    ),
    Row(
        "HTTPRouteSpec.hostnames, GatewayRouteHostnameIntersectionPrecedence",
        "of one intersection the route's own more specific name goes first",
        (
            gateway("web", listener(hostname="a.example.com")),
            route("HTTPRoute", "wild", to("web"), hosts=("*.example.com",), created=OLD),
            route("HTTPRoute", "own", ANY, hosts=("a.example.com",), created=NEW),
        ),
        "http://a.example.com/",
        "api",
    ),
    Row(
        "HTTPRouteRule.matches",
        "no match is every request",
        (WEB, route("HTTPRoute", "r", ANY)),
        "http://a.com/any/path",
        "api",
    ),
    Row(
        "HTTPRouteRule.matches",
        "a route without rules takes nothing",
        (WEB, route("HTTPRoute", "r")),
        "http://a.com/",
        "respond 404",
        "G27",
    ),
    Row(
        "HTTPRouteRule.matches",
        "matches of a rule are alternatives",
        (WEB, route("HTTPRoute", "r", to("api", matches=[exact("/a"), exact("/b")]))),
        "http://a.com/b",
        "api",
    ),
    Row(
        "HTTPRouteMatch",
        "what one match says must all hold",
        (WEB, route("HTTPRoute", "r", to("api", matches=[prefix("/", method="PUT")]))),
        "http://a.com/",
        "respond 404",
        "G27",
    ),
    Row(
        "HTTPHeaderMatch.name",
        "header names have no letter case",
        (WEB, route("HTTPRoute", "r", to("api", matches=[{"headers": [{"name": "X-Env", "value": "a"}]}]))),
        "http://a.com/",
        "api",
        "",
        "x-env: a",
    ),
    Row(
        "HTTPHeaderMatch.type",
        "header values have letter case",
        (WEB, route("HTTPRoute", "r", to("api", matches=[{"headers": [{"name": "x-env", "value": "A"}]}]))),
        "http://a.com/",
        "respond 404",
        "G27",
        "x-env: a",
    ),
    Row(
        "HTTPQueryParamMatch",
        "of repeated parameters the first counts",
        (WEB, route("HTTPRoute", "r", to("api", matches=[{"queryParams": [{"name": "q", "value": "1"}]}]))),
        "http://a.com/?q=1&q=2",
        "api",
    ),
    Row(
        "HTTPPathMatchType",
        "a type that is not known is not judged",
        (WEB, route("HTTPRoute", "r", to("api", matches=[{"path": {"type": "Glob", "value": "/*"}}]))),
        "http://a.com/",
        "unsupported",
    ),
    Row(
        "HTTPPathMatchType",
        "and keeps no other rule from taking its own",
        (
            WEB,
            route(
                "HTTPRoute",
                "r",
                to("web", matches=[{"path": {"type": "Glob", "value": "/*"}}]),
                to("api", matches=[exact("/b")]),
            ),
        ),
        "http://a.com/b",
        "api",
    ),
    *(
        Row(
            "HTTPRouteRule.matches, RegularExpression",
            f"an expression and a prefix that both match: {cls}",
            (
                gateway("web", cls=cls),
                route(
                    "HTTPRoute",
                    "r",
                    to("web", matches=[prefix("/a")]),
                    to("api", matches=[{"path": {"type": "RegularExpression", "value": "/a.*"}}]),
                ),
            ),
            "http://a.com/a/b",
            expected,
            cls=cls,
        )
        for cls, expected in (("approuting-istio", "web"), ("eg", "api"), ("nginx", "unsupported"))
    ),
    Row(
        "HTTPRouteRule.matches, RegularExpression",
        "an exact path goes before any expression",
        (
            gateway("web", cls="nginx"),
            route(
                "HTTPRoute",
                "r",
                to("api", matches=[exact("/a")]),
                to("web", matches=[{"path": {"type": "RegularExpression", "value": "/a.*"}}]),
            ),
        ),
        "http://a.com/a",
        "api",
        cls="nginx",
    ),
    Row(
        "HTTPHeaderMatch.name",
        "of one header named twice the first match counts",
        (
            WEB,
            route(
                "HTTPRoute",
                "r",
                to("api", matches=[{"headers": [{"name": "x-a", "value": "1"}, {"name": "X-A", "value": "2"}]}]),
            ),
        ),
        "http://a.com/",
        "api",
        "",
        "x-a: 1",
    ),
    Row(
        "HTTPRouteFilterType",
        "a filter that is not known makes its own rule undecided",
        (WEB, route("HTTPRoute", "r", to("api", filters=[{"type": "Teleport"}]))),
        "http://a.com/",
        "unsupported",
    ),
    Row(
        "HTTPRouteFilterType",
        "and no other rule",
        (
            WEB,
            route(
                "HTTPRoute",
                "r",
                to("web", matches=[prefix("/x")], filters=[{"type": "Teleport"}]),
                to("api", matches=[prefix("/")]),
            ),
        ),
        "http://a.com/",
        "api",
    ),
    Row(
        "HTTPRouteFilter.extensionRef",
        "a reference to a filter of the controller's own is not judged",
        (
            WEB,
            route(
                "HTTPRoute",
                "r",
                to(
                    "api",
                    filters=[{"type": "ExtensionRef", "extensionRef": {"group": "x.io", "kind": "F", "name": "f"}}],
                ),
            ),
        ),
        "http://a.com/",
        "unsupported",
    ),
    Row(
        "HTTPRouteRule.filters",
        "redirect and rewrite together are not valid",
        (WEB, route("HTTPRoute", "r", to("api", filters=[{"type": "RequestRedirect"}, {"type": "URLRewrite"}]))),
        "http://a.com/",
        "unsupported",
    ),
    Row(
        "HTTPRequestRedirectFilter.statusCode",
        "308",
        (
            WEB,
            route("HTTPRoute", "r", {"filters": [{"type": "RequestRedirect", "requestRedirect": {"statusCode": 308}}]}),
        ),
        "http://a.com/",
        "respond 308",
    ),
    Row(
        "HTTPRequestRedirectFilter.statusCode",
        "302 by default",
        (
            WEB,
            route("HTTPRoute", "r", {"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}]}),
        ),
        "http://a.com/",
        "respond 302",
    ),
    Row(
        "HTTPRouteFilter.requestMirror",
        "a mirror that does not exist changes nothing for the request",
        (
            WEB,
            route(
                "HTTPRoute",
                "r",
                to(
                    "api",
                    filters=[{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "gone", "port": 80}}}],
                ),
            ),
        ),
        "http://a.com/",
        "api",
        "G05",
    ),
    Row(
        "HTTPCORSFilter (GEP-1767)",
        "CORS changes the answer alone",
        (WEB, route("HTTPRoute", "r", to("api", filters=[{"type": "CORS", "cors": {"allowOrigins": ["*"]}}]))),
        "http://a.com/",
        "api",
    ),
]

BACKEND_ROWS = [
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

GRPC = "GRPCRouteRule.matches"
GRPC_ROWS = [
    Row(GRPC, "no match is every method", (WEB, route("GRPCRoute", "r", ANY)), "grpc://a.com/shop.Cart/Add", "api"),
    Row(
        "GRPCMethodMatch",
        "service and method",
        (WEB, route("GRPCRoute", "r", to("api", matches=[called("shop.Cart", "Add")]))),
        "grpc://a.com/shop.Cart/Add",
        "api",
    ),
    Row(
        "GRPCMethodMatch",
        "another method is UNIMPLEMENTED",
        (WEB, route("GRPCRoute", "r", to("api", matches=[called("shop.Cart", "Add")]))),
        "grpc://a.com/shop.Cart/Remove",
        "respond 404",
        "G27",
    ),
    Row(
        "GRPCMethodMatch.service",
        "letter case counts",
        (WEB, route("GRPCRoute", "r", to("api", matches=[called("shop.cart")]))),
        "grpc://a.com/shop.Cart/Add",
        "respond 404",
        "G27",
    ),
    Row(
        "GRPCMethodMatch.method",
        "a method of any service",
        (WEB, route("GRPCRoute", "r", to("api", matches=[called(method="Add")]))),
        "grpc://a.com/shop.Cart/Add",
        "api",
    ),
    Row(
        "GRPCMethodMatchType",
        "an expression takes the whole service name, as Envoy has it",
        (WEB, route("GRPCRoute", "r", to("api", matches=[called("shop\\.C.*", kind="RegularExpression")]))),
        "grpc://a.com/shop.Cart/Add",
        "api",
    ),
    Row(
        "GRPCMethodMatchType",
        "an expression is up to a controller that is not known",
        (
            gateway("web", cls="other"),
            route("GRPCRoute", "r", to("api", matches=[called("shop\\.C.*", kind="RegularExpression")])),
        ),
        "grpc://a.com/shop.Cart/Add",
        "unsupported",
        cls="other",
    ),
    Row(
        GRPC,
        "the longer service goes first",
        (
            WEB,
            route("GRPCRoute", "a", to("web", matches=[called(method="Add")]), created=OLD),
            route("GRPCRoute", "b", to("api", matches=[called("shop.Cart")]), created=NEW),
        ),
        "grpc://a.com/shop.Cart/Add",
        "api",
    ),
    Row(
        GRPC,
        "then the longer method",
        (
            WEB,
            route("GRPCRoute", "a", to("web", matches=[called("shop.Cart")]), created=OLD),
            route("GRPCRoute", "b", to("api", matches=[called("shop.Cart", "Add")]), created=NEW),
        ),
        "grpc://a.com/shop.Cart/Add",
        "api",
    ),
    Row(
        GRPC,
        "then the number of headers",
        (
            WEB,
            route("GRPCRoute", "a", to("web", matches=[called("shop.Cart")]), created=OLD),
            route("GRPCRoute", "b", to("api", matches=[called("shop.Cart", version="2")]), created=NEW),
        ),
        "grpc://a.com/shop.Cart/Add",
        "api",
        "",
        "version: 2",
    ),
    Row(
        GRPC,
        "then the older route",
        (
            WEB,
            route("GRPCRoute", "a", to("web"), created=NEW),
            route("GRPCRoute", "b", to("api"), created=OLD),
        ),
        "grpc://a.com/shop.Cart/Add",
        "api",
    ),
    Row(
        GRPC,
        "then namespace and name",
        (WEB, route("GRPCRoute", "b", to("web")), route("GRPCRoute", "a", to("api"))),
        "grpc://a.com/shop.Cart/Add",
        "api",
    ),
    Row(
        GRPC,
        "then the first rule",
        (WEB, route("GRPCRoute", "a", to("api"), to("web"))),
        "grpc://a.com/shop.Cart/Add",
        "api",
    ),
    Row(
        GRPC,
        "the more specific host goes before all of that",
        (
            WEB,
            route("GRPCRoute", "a", to("web", matches=[called("shop.Cart", "Add")]), hosts=("*.com",)),
            route("GRPCRoute", "b", to("api"), hosts=("a.com",)),
        ),
        "grpc://a.com/shop.Cart/Add",
        "api",
    ),
    Row(
        "GRPCHeaderMatch",
        "a header that is not there",
        (WEB, route("GRPCRoute", "a", to("api", matches=[called(version="2")]))),
        "grpc://a.com/shop.Cart/Add",
        "respond 404",
        "G27",
    ),
    Row(
        "GRPCRouteSpec",
        "at an HTTPS listener",
        (HTTPS, CERT, route("GRPCRoute", "a", ANY)),
        "grpcs://a.com/shop.Cart/Add",
        "api",
    ),
    Row(
        "GRPCRouteSpec",
        "a request that is no gRPC one is not judged",
        (WEB, route("GRPCRoute", "a", ANY)),
        "http://a.com/shop.Cart/Add",
        "unsupported",
    ),
    Row(
        "GRPCRouteSpec",
        "a request with gRPC's content type is one",
        (WEB, route("GRPCRoute", "a", ANY)),
        "http://a.com/shop.Cart/Add",
        "api",
        "",
        "content-type: application/grpc+proto",
    ),
    Row(
        "HTTPRouteSpec",
        "an HTTPRoute takes gRPC requests by their path",
        (WEB, route("HTTPRoute", "a", to("api", matches=[prefix("/shop.Cart", method="POST")]))),
        "grpc://a.com/shop.Cart/Add",
        "api",
    ),
    Row(
        "GRPCRouteFilterType",
        "a redirect is no filter of a GRPCRoute",
        (WEB, route("GRPCRoute", "a", to("api", filters=[{"type": "RequestRedirect"}]))),
        "grpc://a.com/shop.Cart/Add",
        "unsupported",
    ),
    Row(
        "GRPCRouteSpec.hostnames",
        "the older HTTPRoute has the host",
        (
            WEB,
            route("HTTPRoute", "a", to("web"), hosts=("a.com",), created=OLD),
            route("GRPCRoute", "b", to("api"), hosts=("a.com",), created=NEW),
        ),
        "grpc://a.com/shop.Cart/Add",
        "web",
    ),
    Row(
        "GRPCRouteSpec.hostnames",
        "the older GRPCRoute has the host",
        (
            WEB,
            route("HTTPRoute", "a", to("web"), hosts=("a.com",), created=NEW),
            route("GRPCRoute", "b", to("api"), hosts=("a.com",), created=OLD),
        ),
        "grpc://a.com/shop.Cart/Add",
        "api",
    ),
    Row(
        "GRPCRouteSpec.hostnames",
        "the HTTPRoute that lost the host takes nothing",
        (
            WEB,
            route("HTTPRoute", "a", to("web"), hosts=("a.com",), created=NEW),
            route("GRPCRoute", "b", to("api", matches=[called("shop.Cart")]), hosts=("a.com",), created=OLD),
        ),
        "http://a.com/page",
        "respond 404",
        "G28",
    ),
    Row(
        "GRPCRouteSpec.hostnames",
        "of one age the first by namespace and name has it",
        (
            WEB,
            route("HTTPRoute", "a", to("web"), hosts=("a.com",)),
            route("GRPCRoute", "b", to("api"), hosts=("*.com",)),
        ),
        "grpc://a.com/shop.Cart/Add",
        "web",
    ),
    Row(
        "GRPCRouteSpec.hostnames",
        "hosts that do not intersect are no conflict",
        (
            WEB,
            route("HTTPRoute", "a", to("web"), hosts=("b.com",)),
            route("GRPCRoute", "b", to("api"), hosts=("a.com",)),
        ),
        "grpc://a.com/shop.Cart/Add",
        "api",
    ),
    Row(
        "GRPCRouteSpec.hostnames",
        "other listeners are no conflict",
        (
            gateway("web", listener("one"), listener("two", 8080)),
            route("HTTPRoute", "a", to("web"), parent={"sectionName": "two"}),
            route("GRPCRoute", "b", to("api"), parent={"sectionName": "one"}),
        ),
        "grpc://a.com/shop.Cart/Add",
        "api",
    ),
    Row(
        "GRPCRouteSpec.hostnames; RouteStatus, Accepted",
        "the controller accepted both: nobody can say who takes it",
        (
            WEB,
            route("HTTPRoute", "a", to("web"), hosts=("a.com",), created=NEW, said={"Accepted": "True/Accepted"}),
            route("GRPCRoute", "b", to("api", matches=[called("shop.Cart")]), hosts=("a.com",), created=OLD),
        ),
        "http://a.com/page",
        "unsupported",
        "G30",
    ),
]

STREAM_ROWS = [
    Row(
        "TLSRouteSpec",
        "passed on by server name",
        (TLS, route("TLSRoute", "r", ANY, hosts=("a.com",))),
        "https://a.com/",
        "api",
    ),
    Row(
        "TLSRouteSpec.hostnames",
        "a server name that no route has",
        (TLS, route("TLSRoute", "r", ANY, hosts=("b.com",))),
        "https://a.com/",
        "reject",
        "G27",
    ),
    Row(
        "TLSRouteSpec.hostnames",
        "a wildcard takes several labels",
        (TLS, route("TLSRoute", "r", ANY, hosts=("*.example.com",))),
        "https://a.b.example.com/",
        "api",
    ),
    Row(
        "TLSRouteSpec.hostnames",
        "the most specific name goes first",
        (
            TLS,
            route("TLSRoute", "wild", to("web"), hosts=("*.example.com",), created=OLD),
            route("TLSRoute", "own", ANY, hosts=("a.example.com",), created=NEW),
        ),
        "https://a.example.com/",
        "api",
    ),
    Row(
        "Listener.allowedRoutes",
        "then the oldest route",
        (
            TLS,
            route("TLSRoute", "a", to("web"), hosts=("a.com",), created=NEW),
            route("TLSRoute", "b", ANY, hosts=("a.com",), created=OLD),
        ),
        "https://a.com/",
        "api",
    ),
    Row(
        "TLSRouteSpec.hostnames",
        "no name that the listener has",
        (
            gateway("web", listener("tls", 443, "TLS", "*.b.com", tls=PASSTHROUGH)),
            route("TLSRoute", "r", ANY, hosts=("a.com",)),
        ),
        "https://a.com/",
        "reject",
        "G27",
    ),
    Row(
        "TLSRouteSpec (v1alpha2)",
        "no hostnames is every server name",
        (TLS, route("TLSRoute", "r", ANY)),
        "https://a.com/",
        "api",
    ),
    Row(
        "TLSRouteSpec, TLSRouteTermination",
        "TLS that ends at the listener",
        (TERMINATED, CERT, route("TLSRoute", "r", ANY, hosts=("a.example.com",))),
        "https://a.example.com/",
        "api",
    ),
    Row(
        "Listener.tls",
        "TLS that would end there without a certificate",
        (TERMINATED, route("TLSRoute", "r", ANY, hosts=("a.example.com",))),
        "https://a.example.com/",
        "reject",
        "G13",
    ),
    Row(
        "TCPRoute",
        "with TLS that ends at the listener",
        (TERMINATED, CERT, route("TCPRoute", "r", ANY)),
        "https://a.example.com/",
        "api",
    ),
    Row(
        "TCPRoute",
        "not where TLS is passed through",
        (TLS, route("TCPRoute", "r", ANY)),
        "https://a.com/",
        "reject",
        "G27",
    ),
    Row("TCPRouteSpec", "by port", (TCP, route("TCPRoute", "r", ANY)), "tcp://:5432", "api"),
    Row("TCPRouteSpec", "carries HTTP as well", (TCP, route("TCPRoute", "r", ANY)), "http://a.com:5432/", "api"),
    Row("TCPRouteSpec", "carries TLS as well", (TCP, route("TCPRoute", "r", ANY)), "https://a.com:5432/", "api"),
    Row(
        "Listener.allowedRoutes",
        "of two TCPRoutes the older one",
        (TCP, route("TCPRoute", "a", to("web"), created=NEW), route("TCPRoute", "b", ANY, created=OLD)),
        "tcp://:5432",
        "api",
    ),
    Row("TCPRouteSpec", "no route: the connection is refused", (TCP,), "tcp://:5432", "reject", "G27"),
    Row(
        "TCPRouteSpec",
        "a route that wants the listener and is not let in",
        (
            gateway("web", listener("tcp", 5432, "TCP", allowedRoutes={"namespaces": {"from": "Same"}})),
            route("TCPRoute", "r", ANY),
        ),
        "tcp://:5432",
        "reject",
        "G11",
    ),
    Row(
        "TCPRouteSpec",
        "shares by weight",
        (TCP, route("TCPRoute", "r", to("api*9", "web*1"))),
        "tcp://:5432",
        "api*0.9 web*0.1",
    ),
    Row(
        "BackendObjectReference.port",
        "a UDPRoute means a UDP port",
        (UDP, service("tcp", ports=[{"port": 80, "targetPort": 8080}]), route("UDPRoute", "r", to("tcp"))),
        "udp://:53",
        "drop",
        "G05",
        cls="eg",
    ),
    Row("UDPRouteSpec", "by port", (UDP, route("UDPRoute", "r", ANY)), "udp://:53", "api"),
    Row("UDPRouteSpec", "no route: the datagram is dropped", (UDP,), "udp://:53", "drop", "G27"),
    Row(
        "UDPRoute",
        "Istio is not known to take UDPRoutes",
        (gateway("web", listener("udp", 53, "UDP")), route("UDPRoute", "r", ANY)),
        "udp://:53",
        "unsupported",
    ),
    Row(
        "TLSRoute",
        "Application Gateway for Containers is not known to take TLSRoutes",
        (
            gateway("web", listener("tls", 443, "TLS", tls=PASSTHROUGH), cls="agc"),
            route("TLSRoute", "r", ANY, hosts=("a.com",)),
        ),
        "https://a.com/",
        "unsupported",
        cls="agc",
    ),
    Row(
        "UDPRoute; RouteStatus, Accepted",
        "unless the controller says that it does",
        (
            gateway("web", listener("udp", 53, "UDP")),
            route("UDPRoute", "r", ANY, said={"Accepted": "True/Accepted"}),
        ),
        "udp://:53",
        "api",
    ),
    Row("Listener", "bytes at an HTTP listener have nothing to route by", (WEB,), "tcp://:80", "nothing"),
]

BACKEND_TLS = "BackendTLSPolicySpec"
AUTHORITY = "BackendTLSPolicyValidation.caCertificateRefs"
POLICY_ROWS = [
    Row(
        BACKEND_TLS,
        "TLS to the backend",
        (WEB, route("HTTPRoute", "r", ANY), backend_tls("p", "api")),
        "http://a.com/",
        "api",
        cls="eg",
    ),
    Row(
        AUTHORITY,
        "the controller cannot use the ConfigMap: Istio",
        (
            WEB,
            route("HTTPRoute", "r", ANY),
            backend_tls("p", "api", said={"ResolvedRefs": "False/InvalidCACertificateRef"}),
        ),
        "http://a.com/",
        "respond 503",
        "G29",
    ),
    Row(
        AUTHORITY,
        "no authority at all",
        (WEB, route("HTTPRoute", "r", ANY), backend_tls("p", "api", authority="")),
        "http://a.com/",
        "respond 503",
        "G29",
    ),
    Row(
        "BackendTLSPolicyValidation.wellKnownCACertificates",
        "the system's authorities",
        (WEB, route("HTTPRoute", "r", ANY), backend_tls("p", "api", authority="System")),
        "http://a.com/",
        "api",
    ),
    Row(
        f"{BACKEND_TLS}.targetRefs",
        "another port of the Service",
        (
            WEB,
            route("HTTPRoute", "r", ANY),
            backend_tls("p", "api#admin", said={"ResolvedRefs": "False/InvalidCACertificateRef"}),
        ),
        "http://a.com/",
        "api",
    ),
    Row(
        f"{BACKEND_TLS}.targetRefs",
        "a port by name goes before the whole Service",
        (
            WEB,
            route("HTTPRoute", "r", ANY),
            backend_tls("old", "api", created=OLD),
            backend_tls("new", "api#http", created=NEW, said={"ResolvedRefs": "False/InvalidCACertificateRef"}),
        ),
        "http://a.com/",
        "respond 503",
        "G29",
    ),
    Row(
        f"{BACKEND_TLS}.targetRefs",
        "the older policy goes first",
        (
            WEB,
            route("HTTPRoute", "r", ANY),
            backend_tls("a", "api", created=NEW),
            backend_tls("b", "api", created=OLD, said={"ResolvedRefs": "False/InvalidCACertificateRef"}),
        ),
        "http://a.com/",
        "respond 503",
        "G29",
    ),
    Row(
        BACKEND_TLS,
        "a policy of another namespace is for a Service there",
        (
            WEB,
            route("HTTPRoute", "r", ANY),
            backend_tls("p", "api", authority="", namespace="other"),
        ),
        "http://a.com/",
        "api",
    ),
    Row(
        "PolicyAncestorStatus, Accepted",
        "the controller refused the policy for another reason",
        (WEB, route("HTTPRoute", "r", ANY), backend_tls("p", "api", said={"Accepted": "False/Invalid"})),
        "http://a.com/",
        "unsupported",
        "G30",
    ),
    Row(
        "TLSRoute, BackendTLSPolicy",
        "what is passed through is not touched",
        (TLS, route("TLSRoute", "r", ANY, hosts=("a.com",)), backend_tls("p", "api", authority="")),
        "https://a.com/",
        "api",
    ),
    Row(
        "BackendTLSPolicy",
        "Application Gateway for Containers has a kind of its own",
        (gateway("web", cls="agc"), route("HTTPRoute", "r", ANY), backend_tls("p", "api", authority="")),
        "http://a.com/",
        "api",
        cls="agc",
    ),
    Row(
        AUTHORITY,
        "no authority: Envoy Gateway",
        (gateway("web", cls="eg"), route("HTTPRoute", "r", ANY), backend_tls("p", "api", authority="")),
        "http://a.com/",
        "respond 500",
        "G29",
        cls="eg",
    ),
]

ROWS = [*LISTENER_ROWS, *ATTACH_ROWS, *HTTP_ROWS, *BACKEND_ROWS, *GRPC_ROWS, *STREAM_ROWS, *POLICY_ROWS]
