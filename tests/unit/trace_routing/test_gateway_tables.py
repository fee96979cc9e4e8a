"""Gateway API v1, table by table: hostnames, paths, precedence, path modifiers, redirects (gateway-api.sigs.k8s.io)."""

from typing import Any

import pytest

from aksnav.model.kubernetes.gateway import RouteMatch, ValueMatch
from aksnav.trace.gateway import filters as gateway_filters
from aksnav.trace.gateway import match as gateway_match
from aksnav.trace.routing import hostnames
from tests.unit.trace_routing.world import (
    ask,
    exact,
    gateway,
    gateway_class,
    gateway_service,
    http_route,
    listener,
    outcome,
    prefix,
    route_gateway,
    rule,
    service,
    store_of,
)

# HTTPRouteSpec.hostnames and Listener.hostname: listener, route, and the host names that both have.
INTERSECTIONS = [
    ("", "", ""),
    ("", "a.example.com", "a.example.com"),
    ("a.example.com", "", "a.example.com"),
    ("test.example.com", "test.example.com", "test.example.com"),
    ("test.example.com", "*.example.com", "test.example.com"),
    ("*.example.com", "test.example.com", "test.example.com"),
    ("*.example.com", "foo.test.example.com", "foo.test.example.com"),
    ("*.example.com", "*.example.com", "*.example.com"),
    ("*.example.com", "*.test.example.com", "*.test.example.com"),
    ("*.test.example.com", "*.example.com", "*.test.example.com"),
    ("*.example.com", "example.com", None),
    ("*.example.com", "test.example.net", None),
    ("test.example.com", "a.example.com", None),
    ("*.a.com", "*.b.com", None),
    ("*.Example.com", "TEST.example.com", "test.example.com"),
]

# HTTPPathMatch: type, value, path, match.
PATHS = [
    ("Exact", "/foo", "/foo", True),
    ("Exact", "/foo", "/foo/", False),
    ("Exact", "/foo", "/Foo", False),
    ("PathPrefix", "/abc", "/abc", True),
    ("PathPrefix", "/abc", "/abc/", True),
    ("PathPrefix", "/abc", "/abc/def", True),
    ("PathPrefix", "/abc", "/abcd", False),
    ("PathPrefix", "/abc/", "/abc", True),
    ("PathPrefix", "/abc/", "/abc/def", True),
    ("PathPrefix", "/", "/anything", True),
    ("PathPrefix", "/ABC", "/abc", False),
]

# HTTPPathModifier.replacePrefixMatch: path, prefix, replacement, result.
PREFIXES = [
    ("/foo/bar", "/foo", "/xyz", "/xyz/bar"),
    ("/foo/bar", "/foo", "/xyz/", "/xyz/bar"),
    ("/foo/bar", "/foo/", "/xyz", "/xyz/bar"),
    ("/foo/bar", "/foo/", "/xyz/", "/xyz/bar"),
    ("/foo", "/foo", "/xyz", "/xyz"),
    ("/foo/", "/foo", "/xyz", "/xyz/"),
    ("/foo/bar", "/foo", "", "/bar"),
    ("/foo/", "/foo", "", "/"),
    ("/foo", "/foo", "", "/"),
    ("/foo/", "/foo", "/", "/"),
    ("/foo", "/foo", "/", "/"),
]

# HTTPRequestRedirectFilter: filter, URL, listener port, Location.
REDIRECTS: list[tuple[dict[str, Any], str, int, str]] = [
    ({"scheme": "https"}, "http://a.com/x", 80, "https://a.com/x"),
    ({"scheme": "https"}, "http://a.com:8080/x", 8080, "https://a.com/x"),
    ({"scheme": "https", "port": 8443}, "http://a.com/x", 80, "https://a.com:8443/x"),
    ({"scheme": "https", "port": 443}, "http://a.com/x", 80, "https://a.com/x"),
    ({"hostname": "b.com"}, "http://a.com/x", 80, "http://b.com/x"),
    ({"hostname": "b.com"}, "http://a.com:8080/x", 8080, "http://b.com:8080/x"),
    ({"port": 80}, "http://a.com:8080/x", 8080, "http://a.com/x"),
    ({"path": {"type": "ReplaceFullPath", "replaceFullPath": "/y"}}, "http://a.com/x", 80, "http://a.com/y"),
    (
        {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/y"}},
        "http://a.com/x/z",
        80,
        "http://a.com/y/z",
    ),
    ({}, "https://a.com/x?q=1", 443, "https://a.com/x?q=1"),
]

# HTTPRouteRule.matches, order of precedence: two routes (matches, created), the request, who takes it.
ORDER: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("exact before a longer prefix", exact("/ab"), prefix("/ab"), "http://a.com/ab", "one"),
    ("the longer prefix", prefix("/a"), prefix("/a/b"), "http://a.com/a/b/c", "two"),
    ("method before none", prefix("/"), prefix("/", method="GET"), "http://a.com/", "two"),
    (
        "more headers",
        prefix("/", headers=[{"name": "x", "value": "1"}]),
        prefix("/", headers=[{"name": "x", "value": "1"}, {"name": "y", "value": "2"}]),
        "http://a.com/",
        "two",
    ),
    (
        "method before headers",
        prefix("/", headers=[{"name": "x", "value": "1"}]),
        prefix("/", method="GET"),
        "http://a.com/",
        "two",
    ),
    (
        "headers before query parameters",
        prefix("/", queryParams=[{"name": "q", "value": "1"}, {"name": "r", "value": "2"}]),
        prefix("/", headers=[{"name": "x", "value": "1"}]),
        "http://a.com/?q=1&r=2",
        "two",
    ),
    (
        "more query parameters",
        prefix("/", queryParams=[{"name": "q", "value": "1"}]),
        prefix("/", queryParams=[{"name": "q", "value": "1"}, {"name": "r", "value": "2"}]),
        "http://a.com/?q=1&r=2",
        "two",
    ),
    (
        "path length before method",
        prefix("/a", method="GET"),
        prefix("/a/b"),
        "http://a.com/a/b",
        "two",
    ),
    ("the older route", prefix("/"), prefix("/"), "http://a.com/", "one"),
]


@pytest.mark.parametrize(("of_listener", "of_route", "both"), INTERSECTIONS)
def test_hostnames_intersect(of_listener: str, of_route: str, both: str | None) -> None:
    """A wildcard takes any number of labels, at least one."""
    assert hostnames.intersect(of_listener, of_route) == both


@pytest.mark.parametrize(("kind", "value", "path", "match"), PATHS)
def test_a_path_matches(kind: str, value: str, path: str, match: bool) -> None:
    """Exact is exact, PathPrefix goes element by element, letter case counts."""
    wanted = RouteMatch(path=ValueMatch(type=kind, value=value))
    assert (gateway_match.matches(wanted, ask(f"http://a.com{path}"), expressions=False) == "") is match


@pytest.mark.parametrize(("path", "matched", "replacement", "result"), PREFIXES)
def test_a_prefix_is_replaced(path: str, matched: str, replacement: str, result: str) -> None:
    """The table of HTTPPathModifier."""
    assert gateway_filters.replace_prefix(path, matched, replacement) == result


@pytest.mark.parametrize(("body", "url", "port", "where"), REDIRECTS)
def test_a_redirect_says_where(body: dict[str, Any], url: str, port: int, where: str) -> None:
    """Scheme, host, port and path of the Location header, with well-known ports left out."""
    assert gateway_filters.location(body, ask(url), "/x", port) == where


@pytest.mark.parametrize(
    ("first", "second", "url", "winner"), [row[1:] for row in ORDER], ids=[row[0] for row in ORDER]
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_order_of_precedence(
    first: dict[str, Any], second: dict[str, Any], url: str, winner: str, turned: bool
) -> None:
    """Whatever the order in which the objects come, the specification names the rule that takes the request."""
    routes = [
        http_route("one", rule("one", first), created="2026-01-01T00:00:00Z"),
        http_route("two", rule("two", second), created="2026-01-02T00:00:00Z"),
    ]
    store = store_of(
        gateway_class(),
        gateway("web"),
        gateway_service("web"),
        service("one"),
        service("two"),
        *(reversed(routes) if turned else routes),
    )
    assert outcome(route_gateway(store, ask(url, {"x": "1", "y": "2"}))) == winner


def test_the_name_decides_between_routes_of_one_second() -> None:
    """Equal creation times: namespace and name in alphabetical order."""
    store = store_of(
        gateway_class(),
        gateway("web"),
        gateway_service("web"),
        http_route("b", rule("two", prefix("/"))),
        http_route("a", rule("one", prefix("/"))),
        service("one"),
        service("two"),
    )
    assert outcome(route_gateway(store, ask("http://a.com/"))) == "one"


def test_the_first_rule_decides_within_a_route() -> None:
    """Equal matches in one route: the first in the list."""
    store = store_of(
        gateway_class(),
        gateway("web"),
        gateway_service("web"),
        http_route("r", rule("one", prefix("/a")), rule("two", prefix("/a"))),
        service("one"),
        service("two"),
    )
    assert outcome(route_gateway(store, ask("http://a.com/a"))) == "one"


@pytest.mark.parametrize(
    ("names", "host", "winner"),
    [
        (("a.example.com", "*.example.com"), "a.example.com", "one"),
        (("*.example.com", "a.example.com"), "a.example.com", "two"),
        (("*.example.com", "*.b.example.com"), "a.b.example.com", "two"),
        (("*.example.com", ""), "a.example.com", "one"),
        (("", "*.example.com"), "other.net", "one"),
    ],
)
def test_the_more_specific_hostname_goes_first(names: tuple[str, str], host: str, winner: str) -> None:
    """HTTPRouteSpec.hostnames: characters of a name without a wildcard, then characters of any; before paths."""
    first, second = names
    store = store_of(
        gateway_class(),
        gateway("web"),
        gateway_service("web"),
        http_route("one", rule("one", prefix("/")), hostnames=(first,) if first else ()),
        http_route("two", rule("two", prefix("/")), hostnames=(second,) if second else ()),
        service("one"),
        service("two"),
    )
    assert outcome(route_gateway(store, ask(f"http://{host}/"))) == winner


@pytest.mark.parametrize(
    ("host", "winner"),
    [
        ("foo.example.com", "respond 404"),
        ("bar.example.com", "wild"),
        ("a.b.example.com", "wild"),
        ("other.net", "every"),
    ],
)
def test_listeners_are_isolated(host: str, winner: str) -> None:
    """Gateway.spec.listeners: the most specific listener takes the request, whether or not it has a route."""
    store = store_of(
        gateway_class(),
        gateway(
            "web",
            listener("every"),
            listener("wild", hostname="*.example.com"),
            listener("foo", hostname="foo.example.com"),
        ),
        gateway_service("web"),
        http_route("every", rule("every"), parent={"sectionName": "every"}),
        http_route("wild", rule("wild"), parent={"sectionName": "wild"}),
        service("every"),
        service("wild"),
    )
    assert outcome(route_gateway(store, ask(f"http://{host}/"))) == winner
