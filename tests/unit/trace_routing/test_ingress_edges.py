"""What leaves a controller, which certificate it shows, and what its steps say: AGIC, NGINX, application routing."""

import pytest

from aksnav.trace.packet import Packet
from aksnav.trace.routing.controllers import ingress_controllers
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.step import Kind, Step, Trace, Verdict
from tests.oracles.around import AGIC, APP_ROUTING, CONTAINERS, NGINX, Wire, around, ask, matched
from tests.tables.rows import NEW, ing
from tests.unit.trace_walk.cluster import steps_of

SECRET: Wire = {"kind": "Secret", "metadata": {"name": "cert", "namespace": "shop"}, "type": "kubernetes.io/tls"}


def _sent(found: Trace) -> Packet:
    """Return the packet as it comes to the backend's Service."""
    return [step for step in steps_of(found) if step.kind is Kind.SERVICE_PORT][-1].packet


def _agic(*paths: str, **marks: str) -> Wire:
    given = {key.replace("_", "-"): value for key, value in marks.items()}
    return ing(*paths, prefix="appgw.ingress.kubernetes.io/", marks=given)


@pytest.mark.parametrize(
    ("path", "prefix", "asked", "sent"),
    [
        ("P /hello b0", "/test/", "/hello/x", "/test/x"),
        ("P /hello b0", "/test", "/hello", "/test/"),
        ("P / b0", "/test/", "/x", "/test/x"),
        ("I /hello/* b0", "/", "/hello/x", "/x"),
        ("E /hello b0", "/t", "/hello", "/t/"),
    ],
)
def test_agic_replaces_what_the_path_rule_matched(path: str, prefix: str, asked: str, sent: str) -> None:
    """backend-path-prefix: the matched part of the path gives way to the prefix, the rest stays."""
    store = around([_agic(path, backend_path_prefix=prefix)], AGIC)
    assert _sent(ask(store, f"http://h{asked}", AGIC)).path == sent


def test_agic_sends_another_host_and_speaks_tls_where_it_is_told_to() -> None:
    """backend-hostname and backend-protocol; the step of the match shows the packet before and after."""
    found = ask(
        around([_agic("P / b0", backend_hostname="in.local", backend_protocol="https")], AGIC), "http://h/", AGIC
    )
    assert (_sent(found).host, _sent(found).tls) == ("in.local", True)
    step = matched(found)
    assert step.verdict is Verdict.TRANSFORM
    assert (step.packet.host, step.packet_after and step.packet_after.host) == ("h", "in.local")


def test_agic_says_what_its_order_rests_on_and_how_the_probe_asks() -> None:
    """The order of path rules and of Ingresses is assumed; the annotations of the probe are among the evidence."""
    one = ing("P /x b0", uid="1", prefix="appgw.ingress.kubernetes.io/", marks={"health-probe-path": "/healthz"})
    two = ing("P /x/y b1", uid="2", name="two")
    step = matched(ask(around([two, one], AGIC), "http://h/x/y", AGIC))
    assert step.subject is not None
    assert step.subject.id == "shop/one"
    assert any("in the order in which AGIC lists them" in line for line in step.assumptions)
    assert any("in the order of their uid" in line for line in step.assumptions)
    facts = {fact.field: fact.value for fact in step.evidence}
    assert facts[".metadata.annotations['appgw.ingress.kubernetes.io/health-probe-path']"] == "/healthz"
    assert any("by the specification it is shop/two" in fact.note for fact in step.evidence)


def _shown(found: Trace) -> Step:
    """Return the step of the TLS handshake: the second one of the listener inside of the controller."""
    return [step for step in steps_of(found) if step.kind is Kind.GATEWAY_LISTENER][-1]


@pytest.mark.parametrize(
    ("ingresses", "url", "word", "cause"),
    [
        ([ing("P / b0", tls=("h",))], "https://h/", "with Secret shop/cert", ""),
        ([ing("P / b0", host="*.w.com", tls=("*.w.com",))], "https://a.w.com/", "with Secret shop/cert", ""),
        ([ing("P / b0", tls=("other",))], "https://h/", "whose certificate names it", ""),
        ([ing("P / b0", tls=())], "https://h/", "whose certificate names it", ""),
        ([ing("P / b0")], "https://h/", "self-signed certificate", ""),
        ([ing("P / b0"), ing("P / b1", host="g", name="two", tls=("h",))], "https://h/", "self-signed certificate", ""),
        (
            [ing("P / b0"), ing("P /x b1", name="two", created=NEW, tls=("h",))],
            "https://h/",
            "with Secret shop/cert",
            "",
        ),
    ],
)
def test_nginx_shows_the_certificate_of_the_server_that_has_the_name(
    ingresses: list[Wire], url: str, word: str, cause: str
) -> None:
    """The first Ingress with a rule for the host and a TLS section gives it; a section of another host's does not."""
    step = _shown(ask(around(ingresses, NGINX, objects=[SECRET]), url, NGINX))
    assert word in step.summary
    assert step.cause == cause


@pytest.mark.parametrize(
    ("spec", "word", "cause"),
    [
        ({"secret": {"name": "cert", "namespace": "shop"}}, "the default certificate shop/cert", ""),
        ({"secret": {"name": "gone", "namespace": "shop"}}, "Secret shop/gone does not exist", "T01"),
        ({"keyVaultURI": "https://v.vault.azure.net/certificates/c"}, "https://v.vault.azure.net/certificates/c", ""),
        ({}, "self-signed certificate", ""),
    ],
)
def test_application_routing_shows_the_default_certificate_of_its_controller(spec: Wire, word: str, cause: str) -> None:
    """NginxIngressController.spec.defaultSSLCertificate stands in where no Ingress brings one."""
    told = {
        "kind": "NginxIngressController",
        "metadata": {"name": "default"},
        "spec": {"ingressClassName": "front", "defaultSSLCertificate": spec},
    }
    step = _shown(ask(around([ing("P / b0")], APP_ROUTING, objects=[SECRET, told]), "https://h/", APP_ROUTING))
    assert word in step.summary
    assert step.cause == cause


@pytest.mark.parametrize(
    ("marks", "scheme", "tls", "host"),
    [
        ({}, "http", False, "h"),
        ({"backend-protocol": "HTTPS", "upstream-vhost": "in.local"}, "https", True, "in.local"),
        ({"backend-protocol": "grpc", "upstream-vhost": "in.local"}, "grpc", False, "h"),
        ({"backend-protocol": "GRPCS"}, "grpcs", True, "h"),
        ({"backend-protocol": "AUTO_HTTP"}, "https", True, "h"),
    ],
)
def test_nginx_speaks_to_its_backend_as_it_is_told_to(marks: dict[str, str], scheme: str, tls: bool, host: str) -> None:
    """backend-protocol and upstream-vhost, which gRPC has no use for; AUTO_HTTP is as the client spoke."""
    sent = _sent(ask(around([ing("P / b0", marks=marks, tls=("h",))], NGINX, objects=[SECRET]), "https://h/", NGINX))
    assert (sent.scheme, sent.tls, sent.host) == (scheme, tls, host)


def test_nginx_names_the_copy_and_the_limits() -> None:
    """mirror-target is a step that passes, a rate limit an assumption of the match."""
    marks = {"mirror-target": "http://copy.example.com", "limit-rps": "5"}
    found = ask(around([ing("P / b0", marks=marks)], NGINX), "http://h/", NGINX)
    copies = [step for step in steps_of(found) if step.kind is Kind.ROUTE_FILTER]
    assert [step.verdict for step in copies] == [Verdict.PASS]
    assert "http://copy.example.com" in copies[0].summary
    assert "the client stays within limit-rps 5 of Ingress shop/one" in matched(found).assumptions


def test_the_location_of_the_server_itself_is_named() -> None:
    """A path that no rule has: the step names the Ingress whose annotations hold there, and the redirect follows."""
    found = ask(around([ing("P /x b0", tls=("h",))], NGINX, objects=[SECRET]), "http://h/y", NGINX)
    assert found.status == 308
    assert "the location / of host h does, with the annotations of Ingress shop/one" in matched(found).summary


def test_a_rewrite_leaves_with_the_groups_filled_in() -> None:
    """rewrite-target with capture groups, and a query of its own before the client's."""
    marks = {"rewrite-target": "/$2?from=$1", "use-regex": "true"}
    store = around([ing("I /(api)/(.*) b0", marks=marks)], NGINX)
    sent = _sent(ask(store, "http://h/api/v1/x?q=1", NGINX))
    assert (sent.path, sent.query) == ("/v1/x", "from=api&q=1")


def test_a_frontend_of_its_own_is_assumed_where_there_are_several() -> None:
    """Application Gateway for Containers: which frontend the address is of is not known."""
    prefix = "alb.networking.azure.io/"
    one = ing("P / b0", prefix=prefix, marks={"alb-name": "a", "alb-namespace": "ns", "alb-frontend": "f1"})
    two = ing("P / b1", host="g", name="two", prefix=prefix, marks={"alb-id": "/x", "alb-frontend": "f2"})
    step = matched(ask(around([one, two], CONTAINERS), "http://h/", CONTAINERS))
    assert "the request comes to the frontend of Ingress shop/one: ns/a f1" in step.assumptions


def test_an_entry_point_of_agic_is_at_the_port_of_its_listener() -> None:
    """override-frontend-port, and https where the gateway has the certificate itself."""
    marks = {"override-frontend-port": "8443", "appgw-ssl-certificate": "c"}
    one = ing("P /x b0", prefix="appgw.ingress.kubernetes.io/", marks=marks)
    two = ing("P /y b1", host="g", name="two")
    texts = [point.text for point in entry_points(around([one, two], AGIC)) if point.via.kind == "Ingress"]
    assert texts == ["https://h:8443/x", "http://g/y"]


def _made(name: str, cls: str, service: str) -> Wire:
    """Return an NginxIngressController that made a Service."""
    refs = [
        {"kind": "Deployment", "apiGroup": "apps", "name": service, "namespace": "app-routing-system"},
        {"kind": "Service", "name": service, "namespace": "app-routing-system"},
        {"kind": "Service", "name": f"{service}-metrics", "namespace": "app-routing-system"},
    ]
    spec = {"ingressClassName": cls, "controllerNamePrefix": service}
    status = {"managedResourceRefs": refs}
    return {"kind": "NginxIngressController", "metadata": {"name": name}, "spec": spec, "status": status}


def _front(name: str, address: str, **annotations: str) -> Wire:
    """Return the Service of an NGINX of the add-on."""
    marks = {key.replace("_", "-"): value for key, value in annotations.items()}
    prefix = "service.beta.kubernetes.io/azure-load-balancer-"
    metadata = {
        "name": name,
        "namespace": "app-routing-system",
        "annotations": {prefix + key: value for key, value in marks.items()},
    }
    spec = {"type": "LoadBalancer", "clusterIP": "", "selector": {"app": name}, "ports": [{"name": "http", "port": 80}]}
    status = {"loadBalancer": {"ingress": [{"ip": address}]}}
    return {"kind": "Service", "metadata": metadata, "spec": spec, "status": status}


def test_each_nginx_of_the_add_on_is_joined_to_the_service_that_it_says_is_its_own() -> None:
    """Its managedResourceRefs prove what names only suggest: an internal controller and a public one are told apart."""
    objects = [
        {
            "kind": "IngressClass",
            "metadata": {"name": "in"},
            "spec": {"controller": "approuting.kubernetes.azure.com/two"},
        },
        _made("default", "front", "nginx"),
        _made("two", "in", "other"),
        _front("other", "10.224.0.9", internal="true"),
    ]
    inner = ing("P / b1", host="g", name="inner", cls="in")
    store = around([ing("P / b0"), inner], APP_ROUTING, objects=objects)
    found = {known.classes: known for known in ingress_controllers(store)}
    service = found[("in",)].service
    assert service is not None
    assert service.id == "app-routing-system/other"
    assert found[("in",)].why[0].field == ".status.managedResourceRefs[1].name"
    assert found[("in",)].assumptions == ()
    internal = {point.text: point.internal for point in entry_points(store) if point.via.kind == "Ingress"}
    assert internal["http://g/"]


@pytest.mark.parametrize(("path", "told"), [("P /a.b-c_d b0", False), ("P /a~b b0", True), ("I /a~b b0", False)])
def test_nginx_says_where_a_newer_version_takes_no_such_path(path: str, told: bool) -> None:
    """strict-validate-path-type leaves out an Ingress with other characters in a path of Exact or Prefix."""
    asked = path.split(" ")[1]
    step = matched(ask(around([ing(path)], NGINX), f"http://h{asked}", NGINX))
    assert any("strict-validate-path-type" in line for line in step.assumptions) is told
