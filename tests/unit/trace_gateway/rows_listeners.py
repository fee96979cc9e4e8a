"""Gateway API, row by row: listeners: ports, protocols, host names, conflicts, certificates, ListenerSets."""

from tests.unit.trace_gateway.row import (
    ANY,
    CERT,
    ENDS,
    HTTPS,
    LISTENERS,
    TLS,
    UDP,
    WEB,
    Row,
    gateway_said,
    listener_said,
)
from tests.unit.trace_gateway.world import PASSTHROUGH, conditions, grant, listener_set, route, to
from tests.unit.trace_routing.world import gateway, listener, secret

ROWS: list[Row] = [
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
        (listener_said("http", Conflicted="True/HostnameConflict"), route("HTTPRoute", "r", ANY)),
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
        (gateway_said(Accepted="False/Invalid"), route("HTTPRoute", "r", ANY)),
        "http://a.com/",
        "unsupported",
        "G30",
    ),
    Row(
        "GatewayStatus, Programmed",
        "a Gateway that waits for its address is served within the cluster",
        (gateway_said(Accepted="True/Accepted", Programmed="False/AddressNotAssigned"), route("HTTPRoute", "r", ANY)),
        "http://a.com/",
        "api",
    ),
    Row(
        "ListenerStatus, Programmed",
        "the controller does not serve what looks right",
        (listener_said("http", Programmed="False/Invalid"), route("HTTPRoute", "r", ANY)),
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
