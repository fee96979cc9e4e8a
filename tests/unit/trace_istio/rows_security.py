"""AuthorizationPolicies at the gateway and at sidecars, mutual TLS between them, rules of the mesh."""

from typing import Any

from tests.unit.trace_istio.row import ANY, API, GATEWAY, TCP, WEB, Row
from tests.unit.trace_istio.world import authz, dr, peer, to, vs
from tests.unit.trace_routing.world import Wire

AUTH, ACTION, PEER, CLIENT = (
    "AuthorizationPolicy.Rule",
    "AuthorizationPolicy.Action",
    "PeerAuthentication",
    "ClientTLSSettings",
)
R = vs("r", ANY)
BASE = (GATEWAY, R)
IN = "aks-istio-ingress"
DIRECT, INSIDE = "http://api.shop.svc.cluster.local/x", "pod/shop/inside"


def _to(**operation: Any) -> Wire:
    return {"to": [{"operation": operation}]}


def _from(**source: Any) -> Wire:
    return {"from": [{"source": source}]}


def _at(
    name: str,
    expected: str,
    *rules: Wire,
    action: str = "",
    request: str = "http://a.com/x",
    section: str = AUTH,
    **more: Any,
) -> Row:
    cause = "G23" if expected == "respond 403" else ""
    return Row(
        section,
        f"gateway: {name}",
        (*BASE, authz("p", *rules, action=action, namespace=IN)),
        request,
        expected,
        cause,
        **more,
    )


def _in(name: str, expected: str, *rules: Wire, action: str = "", source: str = INSIDE, section: str = AUTH) -> Row:
    cause = "G23" if expected == "respond 403" else ""
    return Row(
        section,
        f"sidecar: {name}",
        (authz("p", *rules, action=action),),
        DIRECT,
        expected,
        cause,
        source=source,
        meshed=True,
    )


def _tls(
    section: str,
    name: str,
    expected: str,
    *objects: Wire,
    source: str = "pod/shop/client",
    meshed: bool = True,
    request: str = DIRECT,
) -> Row:
    cause = "G21" if expected in {"reject", "respond 503"} else ""
    return Row(section, name, objects, request, expected, cause, source=source, meshed=meshed)


def _mesh(name: str, expected: str, *objects: Wire, source: str = INSIDE, cause: str = "") -> Row:
    return Row("VirtualService.gateways: mesh", name, objects, DIRECT, expected, cause, source=source, meshed=True)


ROWS = [
    _at("ALLOW without rules lets nothing through", "respond 403", section=ACTION),
    _at("an empty rule lets everything through", API, {}, section=ACTION),
    _at("DENY with an empty rule", "respond 403", {}, action="DENY", section=ACTION),
    _at("DENY without rules denies nothing", API, action="DENY", section=ACTION),
    _at("CUSTOM is not evaluated", "undecided", {}, action="CUSTOM", section=ACTION),
    _at("AUDIT decides nothing", API, {}, action="AUDIT", section=ACTION),
    _at("a path", API, _to(paths=["/x"])),
    _at("another path", "respond 403", _to(paths=["/y*"])),
    _at("the end of a path", API, _to(paths=["*x"])),
    _at("a template is not evaluated", "undecided", _to(paths=["/{*}"])),
    _at("a method", "respond 403", _to(methods=["POST"])),
    _at("notMethods", "respond 403", _to(notMethods=["POST"]), action="DENY"),
    _at("a host", API, _to(hosts=["A.com"])),
    _at("the Pod's port, not the Service's", API, _to(ports=["8080"])),
    _at("the Service's port is another", "respond 403", _to(ports=["80"])),
    _at("when is not evaluated", "undecided", {"when": [{"key": "request.headers[x]", "values": ["y"]}]}),
    _at("without RequestAuthentication nobody has a token's identity", "respond 403", _from(requestPrincipals=["*"])),
    _at("notRequestPrincipals takes who has none", "respond 403", _from(notRequestPrincipals=["*"]), action="DENY"),
    _at("an address block", API, _from(ipBlocks=["10.244.0.9"])),
    _at("another block", "respond 403", _from(ipBlocks=["192.0.2.0/24"])),
    _at("notIpBlocks", "respond 403", _from(notIpBlocks=["192.0.2.0/24"]), action="DENY"),
    _at("remoteIpBlocks", API, _from(remoteIpBlocks=["10.244.0.0/16"])),
    _at("a client from outside has no identity", "respond 403", _from(namespaces=["shop"])),
    Row(
        ACTION,
        "gateway: DENY goes before ALLOW",
        (*BASE, authz("p", {}, namespace=IN), authz("q", {}, action="DENY", namespace=IN)),
        "http://a.com/",
        "respond 403",
        "G23",
    ),
    Row(
        ACTION,
        "gateway: TCP is cut off",
        (TCP, vs("r", tcp=[ANY]), authz("p", namespace=IN)),
        "tcp://:5432",
        "reject",
        "G23",
    ),
    Row(
        ACTION,
        "gateway: HTTP fields never allow TCP",
        (TCP, vs("r", tcp=[ANY]), authz("p", _to(methods=["GET"]), namespace=IN)),
        "tcp://:5432",
        "reject",
        "G23",
    ),
    Row(
        ACTION,
        "gateway: DENY of TCP goes without HTTP fields",
        (TCP, vs("r", tcp=[ANY]), authz("p", _to(methods=["GET"], ports=["15432"]), action="DENY", namespace=IN)),
        "tcp://:5432",
        "reject",
        "G23",
    ),
    Row(
        "AuthorizationPolicy.selector",
        "of other Pods",
        (*BASE, authz("p", namespace=IN, selector={"matchLabels": {"app": "x"}})),
        "http://a.com/",
        API,
    ),
    Row(
        "AuthorizationPolicy.selector",
        "of the root namespace is for all",
        (*BASE, authz("p", namespace="aks-istio-system")),
        "http://a.com/",
        "respond 403",
        "G23",
    ),
    Row(
        "AuthorizationPolicy.targetRefs",
        "are for Gateways of the Gateway API",
        (
            *BASE,
            authz(
                "p", namespace=IN, targetRefs=[{"kind": "Gateway", "name": "web", "group": "gateway.networking.k8s.io"}]
            ),
        ),
        "http://a.com/",
        API,
    ),
    Row(AUTH, "sidecar: without one nothing is enforced", (authz("p"),), DIRECT, API),
    _in("a principal", API, _from(principals=["cluster.local/ns/shop/sa/shopper"])),
    _in("another principal", "respond 403", _from(principals=["cluster.local/ns/shop/sa/other"])),
    _in("a namespace", API, _from(namespaces=["shop"])),
    _in("a service account", API, _from(serviceAccounts=["shopper"])),
    _in("a client without a sidecar has none", "respond 403", _from(namespaces=["shop"]), source="pod/shop/client"),
    _in(
        "notNamespaces of nobody", "respond 403", _from(notNamespaces=["shop"]), action="DENY", source="pod/shop/client"
    ),
    Row(
        AUTH,
        "sidecar: the gateway's identity",
        (*BASE, authz("p", _from(principals=["*/sa/gateway"]))),
        "http://a.com/",
        API,
        meshed=True,
    ),
    Row(
        AUTH,
        "sidecar: not the gateway's",
        (*BASE, authz("p", _from(namespaces=["shop"]))),
        "http://a.com/",
        "respond 403",
        "G23",
        meshed=True,
    ),
    _tls(PEER, "STRICT and a client without a sidecar", "reject", peer("p", "STRICT")),
    _tls(PEER, "STRICT and a client with one", API, peer("p", "STRICT"), source=INSIDE),
    _tls(PEER, "PERMISSIVE", API, peer("p", "PERMISSIVE")),
    _tls(PEER, "nothing is PERMISSIVE", API),
    _tls(PEER, "STRICT of the mesh", "reject", peer("p", "STRICT", namespace="aks-istio-system")),
    _tls(
        PEER,
        "the namespace goes before the mesh",
        API,
        peer("p", "STRICT", namespace="aks-istio-system"),
        peer("q", "PERMISSIVE"),
    ),
    _tls(
        PEER,
        "the workload goes before the namespace",
        API,
        peer("p", "STRICT"),
        peer("q", "DISABLE", selector={"matchLabels": {"app": "api"}}),
    ),
    _tls(
        PEER,
        "a port goes before the workload",
        API,
        peer("q", "STRICT", selector={"matchLabels": {"app": "api"}}, portLevelMtls={"8080": {"mode": "PERMISSIVE"}}),
    ),
    _tls(
        PEER,
        "UNSET is as what is wider",
        "reject",
        peer("p", "STRICT"),
        peer("q", "UNSET", selector={"matchLabels": {"app": "api"}}),
    ),
    _tls(PEER, "STRICT where no Pod has a sidecar", API, peer("p", "STRICT"), meshed=False),
    _tls(PEER, "STRICT through the gateway", API, *BASE, peer("p", "STRICT"), request="http://a.com/"),
    _tls(
        CLIENT,
        "DISABLE to STRICT, through the gateway",
        "respond 503",
        *BASE,
        peer("p", "STRICT"),
        dr("d", "api", tls="DISABLE"),
        request="http://a.com/",
    ),
    _tls(
        CLIENT,
        "DISABLE to STRICT, from a sidecar",
        "respond 503",
        peer("p", "STRICT"),
        dr("d", "api", tls="DISABLE"),
        source=INSIDE,
    ),
    _tls(
        CLIENT,
        "ISTIO_MUTUAL to Pods without sidecars",
        "respond 503",
        *BASE,
        dr("d", "api", tls="ISTIO_MUTUAL"),
        meshed=False,
        request="http://a.com/",
    ),
    _tls(
        CLIENT,
        "ISTIO_MUTUAL to DISABLE",
        "respond 503",
        *BASE,
        peer("p", "DISABLE"),
        dr("d", "api", tls="ISTIO_MUTUAL"),
        request="http://a.com/",
    ),
    _tls(
        CLIENT,
        "a rule for another port",
        API,
        *BASE,
        peer("p", "STRICT"),
        dr("d", "api", trafficPolicy={"portLevelSettings": [{"port": {"number": 81}, "tls": {"mode": "DISABLE"}}]}),
        request="http://a.com/",
    ),
    _tls(
        CLIENT,
        "a Pod by its address gets plain text",
        "reject",
        peer("p", "STRICT"),
        source=INSIDE,
        request="pod/shop/api-1:8080",
    ),
    _mesh("is followed from a sidecar", WEB, vs("r", to("web"), hosts=("api",), gateways=["mesh"])),
    _mesh("none is the mesh", WEB, vs("r", to("web"), hosts=("api",), gateways=[])),
    _mesh("of another Service", API, vs("r", to("web"), hosts=("web",), gateways=["mesh"])),
    _mesh("of a gateway alone", API, vs("r", to("web"), hosts=("api",))),
    _mesh(
        "not without a sidecar", API, vs("r", to("web"), hosts=("api",), gateways=["mesh"]), source="pod/shop/client"
    ),
    _mesh("a subset", "api-2", vs("r", to("api/v2"), hosts=("api",), gateways=["mesh"]), dr("d", "api", "v2")),
    _mesh("no such subset", "respond 503", vs("r", to("api/v9"), hosts=("api",), gateways=["mesh"]), cause="G22"),
    _mesh(
        "no rule takes it",
        "respond 404",
        vs("r", to("api", match=[{"uri": {"exact": "/y"}}]), hosts=("api",), gateways=["mesh"]),
        cause="G27",
    ),
    _mesh(
        "not exported to the client",
        API,
        vs("r", to("web"), hosts=("api.shop.svc.cluster.local",), namespace="other", gateways=["mesh"], exportTo=["."]),
    ),
    _mesh("rules for TCP are not followed", "undecided", vs("r", tcp=[to("web")], hosts=("api",), gateways=["mesh"])),
    _mesh(
        "a VirtualService that leads to itself goes there once",
        API,
        vs("r", to("api"), hosts=("api",), gateways=["mesh"]),
    ),
    _mesh(
        "an abort on purpose",
        "respond 500",
        vs("r", to("api", fault={"abort": {"httpStatus": 500}}), hosts=("api",), gateways=["mesh"]),
    ),
]
