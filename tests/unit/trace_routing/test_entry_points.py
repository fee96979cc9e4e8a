"""Every way into the cluster, once, in a stable order."""

from aksnav.model.addresses import parse_address
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.routing.types import EntryPoint, Flavour
from tests.unit.trace_routing.world import (
    FRONT,
    Wire,
    exact,
    gateway,
    gateway_class,
    gateway_service,
    http_route,
    ingress,
    ingress_class,
    listener,
    nginx_service,
    prefix,
    rule,
    service,
    store_of,
)


def _points(*objects: Wire) -> dict[str, EntryPoint]:
    return {point.text: point for point in entry_points(store_of(*objects))}


def test_rules_of_an_ingress_are_urls() -> None:
    """Https where the host has TLS; a wildcard is asked for by a name; a rule for every host by the address."""
    one = ingress(
        "one",
        ("a.com", "/api", "Prefix", "api"),
        ("*.b.com", "/", "Prefix", "web"),
        ("", "/x", "Prefix", "web"),
        tls=[{"hosts": ["a.com"], "secretName": "cert"}],
    )
    found = _points(ingress_class(), one, nginx_service())
    assert set(found) == {
        "https://a.com/api",
        "http://any.b.com/",
        f"http://{FRONT}/x",
        f"tcp://{FRONT}:80",
        f"tcp://{FRONT}:443",
    }
    point = found["https://a.com/api"]
    assert (point.service, point.field, point.flavour) == (
        "shop/api",
        ".spec.rules[0].http.paths[0]",
        Flavour.INGRESS_NGINX,
    )
    assert (point.request.sni, point.request.port, point.request.address) == ("a.com", 443, parse_address(FRONT))


def test_an_expression_is_asked_for_by_its_literal_beginning() -> None:
    """The rest of the expression is unknown text."""
    one = ingress("one", ("a.com", "/api(/|$)(.*)", "ImplementationSpecific", "api"))
    assert "http://a.com/api" in _points(ingress_class(), one, nginx_service())


def test_rules_of_a_route_are_urls_with_what_they_match() -> None:
    """Method, headers and query parameters are part of the request."""
    match = exact(
        "/x", method="POST", headers=[{"name": "X-A", "value": "1"}], queryParams=[{"name": "q", "value": "2"}]
    )
    objects = (
        gateway_class(),
        gateway("web", listener("https", 8443, "HTTPS")),
        gateway_service("web"),
        http_route("r", rule("api", match, prefix("/y")), hostnames=("a.com",)),
    )
    found = _points(*objects)
    point = found["https://a.com:8443/x?q=2"]
    assert (point.request.method, point.request.headers, point.request.query) == ("POST", (("x-a", "1"),), "q=2")
    assert point.via.id == "shop/r"
    assert point.field == ".spec.rules[0].matches[0]"
    assert "https://a.com:8443/y" in found


def test_a_route_that_does_not_attach_is_a_way_in_that_somebody_meant() -> None:
    """It stays in the list, so that the fault is seen."""
    route = http_route("r", rule("api"), hostnames=("a.com",), parent={"sectionName": "nope"})
    assert "http://a.com/" in _points(gateway_class(), gateway("web"), gateway_service("web"), route)


def test_service_ports_are_ways_in() -> None:
    """A load balancer by address and protocol, a node port and an address that is pending by the Service's name."""
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}]
    found = _points(
        service("lb", type="LoadBalancer", status={"loadBalancer": {"ingress": [{"ip": FRONT}]}}, ports=ports),
        service("pending", type="LoadBalancer"),
        service("np", type="NodePort"),
        service("inside"),
    )
    assert set(found) == {f"udp://{FRONT}:53", "svc/shop/pending:80", "svc/shop/np:80"}
    assert found["svc/shop/np:80"].internal
    assert not found[f"udp://{FRONT}:53"].internal


def test_each_text_stands_once() -> None:
    """Two Ingresses with one URL: the older one is named."""
    old = ingress("zz", ("a.com", "/", "Prefix", "web"), created="2026-01-01T00:00:00Z")
    new = ingress("aa", ("a.com", "/", "Prefix", "next"), created="2026-01-02T00:00:00Z")
    assert _points(ingress_class(), new, old, nginx_service())["http://a.com/"].via.id == "shop/zz"


def test_without_an_address_a_rule_for_every_host_is_no_url() -> None:
    """There is nothing to ask at."""
    assert _points(ingress_class(), ingress("one", ("", "/", "Prefix", "web"), status="")) == {}
