"""The sweep over classes, rules, Gateways and routes: a broken pair gives exactly its finding, a mended one none."""

import pytest

from aksnav.checks.catalogue import catalogue
from aksnav.checks.routing import routing_findings
from tests.unit.trace_routing.world import (
    NGINX_LABELS,
    Wire,
    gateway,
    gateway_class,
    gateway_service,
    http_route,
    ingress,
    ingress_class,
    listener,
    meta,
    nginx_service,
    pod,
    prefix,
    rule,
    secret,
    service,
    store_of,
)

WEB = ("a.com", "/", "Prefix", "web")
TLS = [{"hosts": ["a.com"], "secretName": "cert"}]
KEY_VAULT = "kubernetes.azure.com/tls-cert-keyvault-uri"
VAULT = [{"hosts": ["a.com"], "secretName": "keyvault-one"}]
HTTPS = listener("https", 443, "HTTPS", tls={"mode": "Terminate", "certificateRefs": [{"name": "cert"}]})
NGINX = (ingress_class(), nginx_service(), pod("c", "ingress-nginx", NGINX_LABELS), service("web"))
GATEWAY = (
    gateway_class(),
    gateway_service("web"),
    pod("g", "infra", {"gateway.networking.k8s.io/gateway-name": "web"}),
    service("api"),
)
OLD, NEW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
CANARY = {"canary": "true", "canary-weight": "10"}
ROUTE = http_route("r", rule("api"))
PROGRAMMED = {"type": "Programmed", "status": "True"}
REFUSED = {"type": "Programmed", "status": "False", "reason": "AddressNotAssigned"}
CONFLICT = {"type": "Conflicted", "status": "True", "reason": "HostnameConflict"}
OLD_WORD = {"type": "Accepted", "status": "True", "observedGeneration": 1}


AGIC = (ingress_class("nginx", "azure/application-gateway"), service("web"))
SHORT = ("a.com", "/a/b", "Prefix", "web")
LONG = ("a.com", "/a/.{1}", "ImplementationSpecific", "web")


def _available(word: str) -> Wire:
    """Return an NGINX of application routing that says whether it is available."""
    conditions = [{"type": "Available", "status": word, "reason": "ControllerUnavailable"}]
    return {"kind": "NginxIngressController", "metadata": meta("d"), "spec": {}, "status": {"conditions": conditions}}


def _prohibited(host: str) -> Wire:
    """Return what keeps AGIC from a host."""
    return {"kind": "AzureIngressProhibitedTarget", "metadata": meta("t", "default"), "spec": {"hostname": host}}


def _with_status(*conditions: Wire, listeners: tuple[Wire, ...] = (), generation: int = 1) -> Wire:
    status = {
        "addresses": [{"value": "20.50.1.7"}],
        "conditions": list(conditions),
        "listeners": list(listeners),
    }
    return gateway("web", status=status, generation=generation)


# Check id, the object that is to be mended, the broken objects, the mended ones.
PAIRS: list[tuple[str, str, tuple[Wire, ...], tuple[Wire, ...]]] = [
    ("I01", "Ingress shop/one", (*NGINX, ingress("one", WEB, cls=None)), (*NGINX, ingress("one", WEB))),
    ("I02", "Ingress shop/one", (*NGINX, ingress("one", WEB, cls="nope")), (*NGINX, ingress("one", WEB))),
    (
        "I03",
        "IngressClass a",
        (*NGINX, ingress_class("a", "x/a", default=True), ingress_class("b", "x/b", default=True)),
        (*NGINX, ingress_class("a", "x/a", default=True), ingress_class("b", "x/b")),
    ),
    ("I06", "Ingress shop/one", (*NGINX, ingress("one", ("a.com", "/", "Prefix", "gone"))), NGINX),
    (
        "I06",
        "Ingress shop/one",
        (*NGINX, ingress("one", default="gone")),
        (*NGINX, ingress("one", default="web")),
    ),
    (
        "I07",
        "Ingress shop/one",
        (*NGINX, ingress("one", ("a.com", "/", "Prefix", "web:81"))),
        (*NGINX, ingress("one", ("a.com", "/", "Prefix", "web:http"))),
    ),
    (
        "I13",
        "Service ingress-nginx/ingress-nginx-controller",
        (ingress_class(), nginx_service(), service("web"), ingress("one", WEB)),
        (*NGINX, ingress("one", WEB)),
    ),
    (
        "I14",
        "Ingress shop/two",
        (*NGINX, ingress("one", WEB, created=OLD), ingress("two", WEB, created=NEW)),
        (*NGINX, ingress("one", WEB, created=OLD), ingress("two", ("a.com", "/b", "Prefix", "web"), created=NEW)),
    ),
    (
        "I21",
        "Ingress shop/one",
        (*NGINX, ingress("one", WEB, annotations={"kubernetes.io/ingress.class": "other"})),
        (*NGINX, ingress("one", WEB, annotations={"kubernetes.io/ingress.class": "nginx"})),
    ),
    (
        "I22",
        "Ingress shop/one",
        (*NGINX, ingress("one", WEB, status="20.50.9.9")),
        (*NGINX, ingress("one", WEB)),
    ),
    (
        "T05",
        "Ingress shop/one",
        (*NGINX, ingress("one", WEB, tls=VAULT, annotations={KEY_VAULT: "https://v.vault.azure.net/x"})),
        (*NGINX, ingress("one", WEB, tls=VAULT), secret("keyvault-one")),
    ),
    (
        "I24",
        "Ingress shop/two",
        (*NGINX, ingress("two", WEB, annotations=CANARY)),
        (*NGINX, ingress("one", WEB), ingress("two", WEB, annotations=CANARY)),
    ),
    (
        "I25",
        "Ingress shop/one",
        (*NGINX, ingress("one", SHORT, LONG, annotations={"use-regex": "true"})),
        (*NGINX, ingress("one", SHORT, annotations={"use-regex": "true"})),
    ),
    ("I25", "Ingress shop/one", (*AGIC, ingress("one", SHORT, ("a.com", "/a/bc", "Prefix", "web"))), AGIC),
    (
        "I26",
        "Ingress shop/one",
        (*NGINX, ingress("one", ("a..com", "/", "Prefix", "web"))),
        (*NGINX, ingress("one", ("a.com", "/", "Prefix", "web"))),
    ),
    (
        "I26",
        "Ingress shop/one",
        (*NGINX, ingress("one", ("a.com", "/(a", "ImplementationSpecific", "web"), annotations={"use-regex": "true"})),
        (*NGINX, ingress("one", ("a.com", "/(a)", "ImplementationSpecific", "web"), annotations={"use-regex": "true"})),
    ),
    (
        "I26",
        "Ingress shop/one",
        (*NGINX, ingress("one", WEB, annotations={"whitelist-source-range": "10.0.0.0/99"})),
        (*NGINX, ingress("one", WEB, annotations={"whitelist-source-range": "10.0.0.0/8"})),
    ),
    ("I17", "NginxIngressController d", (_available("False"),), (_available("True"),)),
    (
        "A06",
        "Ingress shop/one",
        (*AGIC, ingress("one", WEB), _prohibited("a.com")),
        (*AGIC, ingress("one", WEB), _prohibited("b.com")),
    ),
    (
        "A09",
        "Ingress shop/one",
        (*AGIC, ingress("one", WEB, tls=TLS)),
        (*AGIC, ingress("one", WEB, tls=TLS), secret("cert")),
    ),
    (
        "T01",
        "Ingress shop/one",
        (*NGINX, ingress("one", WEB, tls=TLS)),
        (*NGINX, ingress("one", WEB, tls=TLS), secret("cert")),
    ),
    (
        "G05",
        "HTTPRoute shop/r",
        (*GATEWAY, gateway("web"), http_route("r", rule("gone"))),
        (*GATEWAY, gateway("web"), ROUTE),
    ),
    (
        "G06",
        "HTTPRoute team/r",
        (
            *GATEWAY,
            gateway("web"),
            http_route("r", rule("", backendRefs=[{"name": "api", "namespace": "shop", "port": 80}]), namespace="team"),
        ),
        (*GATEWAY, gateway("web"), ROUTE),
    ),
    ("G07", "Gateway infra/web", (*GATEWAY[1:], gateway("web"), ROUTE), (*GATEWAY, gateway("web"), ROUTE)),
    ("G08", "Gateway infra/web", (*GATEWAY, _with_status(REFUSED), ROUTE), (*GATEWAY, _with_status(PROGRAMMED), ROUTE)),
    (
        "G09",
        "Gateway infra/web",
        (*GATEWAY, _with_status(PROGRAMMED, listeners=({"name": "http", "conditions": [CONFLICT]},)), ROUTE),
        (*GATEWAY, _with_status(PROGRAMMED, listeners=({"name": "http", "conditions": []},)), ROUTE),
    ),
    (
        "G10",
        "HTTPRoute shop/r",
        (*GATEWAY, gateway("web", listener(hostname="*.b.com")), http_route("r", rule("api"), hostnames=("a.com",))),
        (*GATEWAY, gateway("web", listener(hostname="*.b.com")), http_route("r", rule("api"), hostnames=("a.b.com",))),
    ),
    (
        "G11",
        "HTTPRoute shop/r",
        (*GATEWAY, gateway("web", listener(allowedRoutes={"namespaces": {"from": "Same"}})), ROUTE),
        (*GATEWAY, gateway("web"), ROUTE),
    ),
    (
        "G12",
        "HTTPRoute shop/r",
        (*GATEWAY, gateway("web"), http_route("r", rule("api"), parent={"sectionName": "nope"})),
        (*GATEWAY, gateway("web"), http_route("r", rule("api"), parent={"sectionName": "http"})),
    ),
    (
        "G12",
        "HTTPRoute shop/r",
        (*GATEWAY, gateway("web"), http_route("r", rule("api"), parent={"name": "nope"})),
        (*GATEWAY, gateway("web"), ROUTE),
    ),
    (
        "G13",
        "Gateway infra/web",
        (*GATEWAY, gateway("web", HTTPS), ROUTE),
        (*GATEWAY, gateway("web", HTTPS), ROUTE, secret("cert", "infra")),
    ),
    (
        "G14",
        "Gateway infra/web",
        (*GATEWAY, _with_status(OLD_WORD, PROGRAMMED, generation=2), ROUTE),
        (*GATEWAY, _with_status(OLD_WORD, PROGRAMMED), ROUTE),
    ),
    (
        "G24",
        "HTTPRoute shop/r",
        (*GATEWAY, gateway("web"), http_route("r", rule("", backendRefs=[{"name": "api", "port": 80, "weight": 0}]))),
        (*GATEWAY, gateway("web"), ROUTE),
    ),
]


@pytest.mark.parametrize(("check", "subject", "broken", "mended"), PAIRS, ids=[f"{row[0]} {row[1]}" for row in PAIRS])
def test_a_broken_cluster_gives_its_finding_and_a_mended_one_none(
    check: str, subject: str, broken: tuple[Wire, ...], mended: tuple[Wire, ...]
) -> None:
    """Exactly one finding, of that check and object, with evidence, a command and a fix."""
    found = list(routing_findings(store_of(*broken)))
    assert [(item.id, str(item.subject)) for item in found] == [(check, subject)]
    assert found[0].evidence
    assert found[0].confirm
    assert found[0].fix
    assert check in catalogue()
    assert list(routing_findings(store_of(*mended))) == []


@pytest.mark.parametrize("kind", ["Service", "Secret", "ReferenceGrant", "Gateway", "GatewayClass", "IngressClass"])
def test_what_cannot_be_read_is_not_found_missing(kind: str) -> None:
    """No finding rests on a table that was refused."""
    refs = [{"name": "api", "namespace": "other", "port": 80}]
    objects = (
        *GATEWAY,
        gateway("web", HTTPS),
        http_route("r", rule("", prefix("/"), backendRefs=refs)),
        http_route("s", rule("api"), parent={"name": "nope"}),
        *NGINX,
        ingress("one", ("a.com", "/", "Prefix", "gone"), tls=TLS),
        ingress("two", WEB, cls="nope"),
        {"kind": "Namespace", "metadata": meta("shop")},
    )
    kept = tuple(item for item in objects if item["kind"] != kind)
    about = {
        "Service": {"I06", "I07", "G05"},
        "Secret": {"T01", "G13"},
        "ReferenceGrant": {"G06"},
        "Gateway": {"G12"},
        "GatewayClass": {"G07"},
        "IngressClass": {"I01", "I02"},
    }[kind]
    assert about & {item.id for item in routing_findings(store_of(*kept))}
    assert not about & {item.id for item in routing_findings(store_of(*kept, unread=(kind,)))}
