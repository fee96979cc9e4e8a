"""Gateway API, row by row: BackendTLSPolicies."""

from tests.unit.trace_gateway.row import ANY, NEW, OLD, TLS, WEB, Row
from tests.unit.trace_gateway.world import backend_tls, route
from tests.unit.trace_routing.world import gateway

BACKEND_TLS = "BackendTLSPolicySpec"
AUTHORITY = "BackendTLSPolicyValidation.caCertificateRefs"
ROWS: list[Row] = [
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
