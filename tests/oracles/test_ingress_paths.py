"""Paths and hosts of Ingress rules, from the documents: the specification, ingress-nginx, and AGIC, row by row."""

import pytest

from aksnav.trace.routing import router as routing
from aksnav.trace.routing.types import Controller, Flavour
from tests.unit.trace_routing.world import (
    ask,
    ingress,
    ingress_class,
    nginx_service,
    outcome,
    route_nginx,
    service,
    store_of,
)

# kubernetes.io/docs/concepts/services-networking/ingress, "Examples": pathType, path, request, match.
SPECIFICATION = [
    ("Prefix", "/", "/any/path", True),
    ("Exact", "/foo", "/foo", True),
    ("Exact", "/foo", "/bar", False),
    ("Exact", "/foo", "/foo/", False),
    ("Exact", "/foo/", "/foo", False),
    ("Prefix", "/foo", "/foo", True),
    ("Prefix", "/foo", "/foo/", True),
    ("Prefix", "/foo/", "/foo", True),
    ("Prefix", "/foo/", "/foo/", True),
    ("Prefix", "/aaa/bb", "/aaa/bbb", False),
    ("Prefix", "/aaa/bbb", "/aaa/bbb", True),
    ("Prefix", "/aaa/bbb/", "/aaa/bbb", True),
    ("Prefix", "/aaa/bbb", "/aaa/bbb/", True),
    ("Prefix", "/aaa/bbb", "/aaa/bbb/ccc", True),
    ("Prefix", "/aaa/bbb", "/aaa/bbbxyz", False),
    ("Prefix", "/Foo", "/foo", False),
    ("Exact", "/", "/", True),
    ("Exact", "/", "/x", False),
]

# The same section, "Hostname wildcards": rule host, request host, match.
HOSTS = [
    ("*.foo.com", "bar.foo.com", True),
    ("*.foo.com", "baz.bar.foo.com", False),
    ("*.foo.com", "foo.com", False),
    ("foo.bar.com", "foo.bar.com", True),
    ("foo.bar.com", "FOO.bar.com", True),
    ("foo.bar.com", "foo.bar.com:8080", True),
    ("foo.bar.com", "bar.com", False),
    ("", "anything.at.all", True),
]

# Paths of one host, and which takes the request ("Multiple matches"; the index of the rule).
PRECEDENCE = [
    ([("Prefix", "/"), ("Prefix", "/aaa")], "/aaa/ccc", 1),
    ([("Prefix", "/"), ("Prefix", "/aaa"), ("Prefix", "/aaa/bbb")], "/aaa/bbb", 2),
    ([("Prefix", "/"), ("Prefix", "/aaa"), ("Prefix", "/aaa/bbb")], "/ccc", 0),
    ([("Prefix", "/foo"), ("Exact", "/foo")], "/foo", 1),
    ([("Exact", "/foo"), ("Prefix", "/foo")], "/foo/", 1),
    ([("Prefix", "/a"), ("Prefix", "/a/b/c"), ("Prefix", "/a/b")], "/a/b/c/d", 1),
]

# kubernetes/ingress-nginx docs/user-guide/ingress-path-matching.md: with use-regex, longest first, case-insensitive.
EXPRESSIONS = [
    (["/foo/bar", "/foo/bar/[A-Z0-9]{3}", "/foo/bar/bar", "/foo/bar/.+"], "/foo/bar/bar", 1),
    (["/foo/bar", "/foo/bar/.+"], "/foo/bar/123", 1),
    (["/foo/.*"], "/FOO/x", 0),
    (["/foo"], "/foobar", 0),
    (["/foo$"], "/foobar", None),
]

# Azure/application-gateway-kubernetes-ingress pkg/appgw/requestroutingrules.go: characters, first rule first.
APPLICATION_GATEWAY = [
    ([("Prefix", "/foo")], "/foobar", 0),
    ([("Prefix", "/foo")], "/FOO/x", 0),
    ([("Prefix", "/foo"), ("Prefix", "/foo/bar")], "/foo/bar", 0),
    ([("Exact", "/foo")], "/foo/x", None),
    ([("Exact", "/foo*")], "/foo", 0),
    ([("ImplementationSpecific", "/foo/*")], "/foo", None),
    ([("ImplementationSpecific", "/foo/*")], "/foo/x", 0),
    ([("Prefix", "/"), ("Prefix", "/foo")], "/foo", 1),
    ([("Exact", "/")], "/anything", 0),
]


def _ask(paths: list[tuple[str, str]], path: str, controller: str, annotations: dict[str, str] | None = None) -> str:
    rules = [("h", given, kind, f"b{index}") for index, (kind, given) in enumerate(paths)]
    store = store_of(
        ingress_class("front", controller),
        ingress("one", *rules, cls="front", annotations=annotations),
        nginx_service(),
        *(service(f"b{index}") for index in range(len(paths))),
    )
    if "nginx" in controller:
        return outcome(route_nginx(store, ask(f"http://h{path}")))
    flavour = Flavour.AGIC if controller == "azure/application-gateway" else Flavour.OTHER
    return outcome(routing.route(store, Controller(flavour=flavour, classes=("front",)), ask(f"http://h{path}")))


def _expected(index: int | None) -> str:
    return "respond 404" if index is None else f"b{index}"


@pytest.mark.parametrize("controller", ["k8s.io/ingress-nginx", "example.com/other"])
@pytest.mark.parametrize(("kind", "given", "path", "match"), SPECIFICATION)
def test_a_path_matches_as_the_specification_has_it(
    kind: str, given: str, path: str, match: bool, controller: str
) -> None:
    """Exact and Prefix, element by element, under ingress-nginx and under a controller that nobody knows."""
    assert _ask([(kind, given)], path, controller) == _expected(0 if match else None)


@pytest.mark.parametrize(("given", "host", "match"), HOSTS)
def test_a_host_matches_as_the_specification_has_it(given: str, host: str, match: bool) -> None:
    """A wildcard takes exactly one label; letter case and port of the Host header do not count."""
    store = store_of(ingress_class(), ingress("one", (given, "/", "Prefix", "b0")), nginx_service(), service("b0"))
    assert outcome(route_nginx(store, ask(f"http://{host}/", port=80))) == _expected(0 if match else None)


@pytest.mark.parametrize("controller", ["k8s.io/ingress-nginx", "example.com/other"])
@pytest.mark.parametrize(("paths", "path", "index"), PRECEDENCE)
def test_the_longest_path_wins_and_exact_goes_first(
    paths: list[tuple[str, str]], path: str, index: int, controller: str
) -> None:
    """Of several matching rules the specification names the one."""
    assert _ask(paths, path, controller) == f"b{index}"


@pytest.mark.parametrize(("paths", "path", "index"), EXPRESSIONS)
def test_use_regex_turns_every_path_of_the_host_into_an_expression(
    paths: list[str], path: str, index: int | None
) -> None:
    """Expressions are tried longest first, without regard to letter case, anchored at the start only."""
    given = [("ImplementationSpecific", item) for item in paths]
    assert _ask(given, path, "k8s.io/ingress-nginx", {"use-regex": "true"}) == _expected(index)


@pytest.mark.parametrize(("paths", "path", "index"), APPLICATION_GATEWAY)
def test_application_gateway_takes_the_first_rule_whose_characters_match(
    paths: list[tuple[str, str]], path: str, index: int | None
) -> None:
    """AGIC's path rules differ from the specification, and the trace follows Application Gateway."""
    assert _ask(paths, path, "azure/application-gateway") == _expected(index)
