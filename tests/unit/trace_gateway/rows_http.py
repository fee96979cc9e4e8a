"""Gateway API, row by row: HTTPRoutes: host names, matches, filters."""

from tests.unit.trace_gateway.row import ANY, NEW, OLD, WEB, Row
from tests.unit.trace_gateway.world import route, to
from tests.unit.trace_routing.world import exact, gateway, listener, prefix

ROWS: list[Row] = [
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
