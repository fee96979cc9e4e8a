"""What single steps say: rewrites, redirects, shares, ways in, and which Pods a name leads to."""

import pytest

from aksnav.checks.istio import istio_findings
from aksnav.sources.kubernetes.secrets import named_by
from aksnav.trace import parse_request, trace
from aksnav.trace.cluster.hosts import claims_of
from aksnav.trace.parse import parse_target
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.step import Kind, Step, Verdict
from tests.unit.trace_istio.row import ANY, CERT, GATEWAY, PASS, TCP, TLS
from tests.unit.trace_istio.world import asked, igw, living, peer, server, slices, to, vs, where, workload
from tests.unit.trace_routing.world import Wire, service

R = vs("r", ANY)


def _steps(steps: tuple[Step, ...]) -> list[Step]:
    return [
        found for step in steps for found in (step, *(one for branch in step.branches for one in _steps(branch.steps)))
    ]


@pytest.mark.parametrize(
    ("match", "rewrite", "path", "after"),
    [
        ({"prefix": "/old"}, {"uri": "/new"}, "/old/x", "a.com /new/x"),
        ({"prefix": "/old/"}, {"uri": "/"}, "/old/x", "a.com /x"),
        ({"exact": "/old"}, {"uri": "/new"}, "/old", "a.com /new"),
        ({"regex": "/o.*"}, {"uri": "/new"}, "/old/x", "a.com /new"),
        ({"prefix": "/"}, {"authority": "in.com"}, "/x", "in.com /x"),
    ],
)
def test_a_rewrite_replaces_what_matched(match: Wire, rewrite: Wire, path: str, after: str) -> None:
    """HTTPRewrite.uri: the prefix is replaced as text, another match as a whole."""
    store = living(GATEWAY, vs("r", to("web", match=[{"uri": match}], rewrite=rewrite)))
    found = next(step for step in asked(store, f"http://a.com{path}").steps if step.kind is Kind.ROUTE_FILTER)
    assert found.verdict is Verdict.TRANSFORM
    assert found.packet_after is not None
    assert f"{found.packet_after.host} {found.packet_after.path}" == after


@pytest.mark.parametrize(
    ("redirect", "location"),
    [
        ({"uri": "/new"}, "http://a.com/new"),
        ({"authority": "b.com"}, "http://b.com/x?y=1"),
        ({"scheme": "https"}, "https://a.com/x?y=1"),
        ({"port": 8443, "scheme": "https"}, "https://a.com:8443/x?y=1"),
        ({"derivePort": "FROM_REQUEST_PORT"}, "http://a.com/x?y=1"),
    ],
)
def test_a_redirect_says_where_to(redirect: Wire, location: str) -> None:
    """HTTPRedirect: what is not given stays."""
    answer = asked(living(GATEWAY, vs("r", {"redirect": redirect})), "http://a.com/x?y=1")
    assert any(fact.value == location for fact in answer.breaks[0].evidence)


def test_shares_are_told() -> None:
    """90 of 100 and 10 of 100; an abort of half of them takes its share of both."""
    whole = {"fault": {"abort": {"httpStatus": 500, "percentage": {"value": 50}}}}
    for more, expected in (({}, [0.9, 0.1]), (whole, [0.45, 0.05, 0.5])):
        answer = asked(living(GATEWAY, vs("r", to("many:9000*90", "web*10", **more))), "http://a.com/")
        split = next(step for step in answer.steps if step.branches)
        assert [branch.weight for branch in split.branches] == pytest.approx(expected)


def test_a_circle_of_gateways_ends() -> None:
    """A VirtualService that sends to the gateway's own Service leads on without end, and says so."""
    store = living(GATEWAY, vs("r", to("aks-istio-ingressgateway-external.aks-istio-ingress.svc.cluster.local:80")))
    answer = asked(store, "http://a.com/")
    assert any("TRACE_TOO_LONG" in line for line in answer.confidence.because)


@pytest.mark.parametrize(
    ("objects", "text"),
    [
        ((GATEWAY, R), "http://a.com/"),
        ((GATEWAY, vs("r", ANY, hosts=("*.com",))), "http://any.com/"),
        ((GATEWAY, vs("r", ANY, hosts=("*",))), "http://20.50.1.7/"),
        ((TLS, CERT, R), "https://a.com/"),
        ((PASS, vs("r", tls=[to("api", match=[{"sniHosts": ["db.com"]}])], hosts=("db.com",))), "https://db.com/"),
        ((TCP, vs("r", tcp=[ANY])), "tcp://20.50.1.7:5432"),
        (
            (GATEWAY, vs("r", to("api", match=[{"uri": {"prefix": "/x"}, "queryParams": {"v": {"exact": "1"}}}]))),
            "http://a.com/x?v=1",
        ),
        ((igw("web", server("b.com")), R), "http://a.com/"),
    ],
)
def test_a_virtual_service_is_a_way_in_that_can_be_asked(objects: tuple[Wire, ...], text: str) -> None:
    """The text parses to the same request, and names the rule and the Service behind it."""
    points = entry_points(living(*objects))
    point = next(item for item in points if item.text == text and item.via.kind == "VirtualService")
    assert point.service == "shop/api"
    parsed = parse_target(text)
    assert (parsed.scheme, parsed.host or "", parsed.port) == (
        point.request.scheme,
        point.request.host,
        point.request.port,
    )


def test_a_host_is_claimed_at_the_gateways_address() -> None:
    """The name of a VirtualService leads to the Service of the gateway that serves it."""
    store = living(GATEWAY, R)
    assert {str(claim.ref) for claim in claims_of(store, "a.com") if claim.addresses} == {"VirtualService shop/r"}
    answer = trace(store, parse_request("http://a.com/", "pod/shop/client"))
    assert any(step.kind is Kind.ROUTE_MATCH for step in answer.steps)


def test_secrets_of_servers_are_asked_for_beside_the_gateway() -> None:
    """The add-on's namespace, whatever the Gateway's own is."""
    store = living(TLS)
    gateway = store.istio_gateways.get("shop/web")
    assert gateway is not None
    assert named_by(gateway) == {("aks-istio-ingress", "cert")}


def test_the_steps_of_the_mesh_are_told_only_where_there_is_one() -> None:
    """Without a sidecar at either end there is no step of the mesh; with one it says what is spoken."""
    text = "http://api.shop.svc.cluster.local/"
    assert not [step for step in _steps(asked(living(), text).steps) if step.kind is Kind.MESH]
    told = [
        step
        for step in _steps(asked(living(peer("p", "STRICT"), meshed=True), text, source="pod/shop/inside").steps)
        if step.kind is Kind.MESH
    ]
    assert told
    assert all("mutual TLS (STRICT)" in step.summary for step in told)


def test_a_gateway_of_your_own_is_found_by_what_its_gateways_select() -> None:
    """Its Service and Pods have no label of the add-on's: the selector of a Gateway and Istio's proxy tell."""
    labels = {"app": "my-gateway"}
    store = living(
        igw("own", server("a.com"), selector=labels),
        vs("r", ANY, gateways=["own"]),
        service(
            "mine",
            "infra",
            selector=labels,
            clusterIP="10.0.0.7",
            type="LoadBalancer",
            status={"loadBalancer": {"ingress": [{"ip": "20.50.1.9"}]}},
        ),
        workload("mine-1", "infra", labels, "10.244.0.3", meshed=True),
        slices("mine", "infra", ("mine-1", "10.244.0.3"), ports={"http": 8080}),
    )
    answer = trace(store, parse_request("http://a.com/", "pod/shop/client", resolve="10.0.0.7"))
    assert sorted(where(answer)) == ["api-1", "api-2"]
    assert "http://a.com/" in {point.text for point in entry_points(store)}
    assert not list(istio_findings(store))
