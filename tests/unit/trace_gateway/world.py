"""Gateways with routes of every kind, for tests: wire objects, and a routing in one word."""

from typing import Any

import msgspec

from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.packet import Packet
from aksnav.trace.routing.types import Routing, Target
from aksnav.trace.step import UNKNOWN, Outcome, Step, Trace
from tests.unit.trace_routing.world import (
    Wire,
    ask,
    gateway_class,
    meta,
    node,
    pod,
    route_gateway,
    service,
    store_of,
)

CONTROLLER = "istio.io/gateway-controller"
CLASSES = {
    "approuting-istio": CONTROLLER,
    "agc": "alb.networking.azure.io/alb-controller",
    "eg": "gateway.envoyproxy.io/gatewayclass-controller",
    "nginx": "gateway.nginx.org/nginx-gateway-controller",
    "other": "example.com/gateway",
}
PASSTHROUGH = {"mode": "Passthrough"}
PORTS = {"http": 80, "https": 443, "tcp": 5432, "udp": 53, "dns": 53, "alt": 8080}
BACKEND_PORTS = [
    {"name": "http", "port": 80, "targetPort": 8080},
    {"name": "udp", "port": 80, "targetPort": 8080, "protocol": "UDP"},
]
ADDRESS = "10.0.0.8"
CLIENT = "shop/client"
_BEHIND = {"http": (8080, "TCP"), "udp": (8080, "UDP")}


def front(cls: str = "approuting-istio", **ports: int) -> Wire:
    """Return the Service that the controller makes for Gateway infra/web; a port by its name, ``udp_x`` in UDP."""
    listed = [
        {"name": name, "port": port, "targetPort": port, "protocol": "UDP" if name.startswith("udp") else "TCP"}
        for name, port in (ports or PORTS).items()
    ]
    return service(
        f"web-{cls}",
        "infra",
        type="LoadBalancer",
        clusterIP="10.0.0.8",
        labels={"gateway.networking.k8s.io/gateway-name": "web"},
        selector={"gateway.networking.k8s.io/gateway-name": "web"},
        ports=listed,
        status={"loadBalancer": {"ingress": [{"ip": "20.50.1.7"}]}},
    )


def route(  # noqa: PLR0913 - the parts of a route that tests vary
    kind: str,
    name: str,
    *rules: Wire,
    hosts: tuple[str, ...] = (),
    namespace: str = "shop",
    created: str = "2026-01-01T00:00:00Z",
    parent: Wire | None = None,
    said: dict[str, str] | None = None,
    generation: int = 1,
) -> Wire:
    """Return a route under Gateway infra/web; ``said`` is the controller's word: condition type to status/reason."""
    ref = {"name": "web", "namespace": "infra", **(parent or {})}
    spec: Wire = {"parentRefs": [ref], "rules": list(rules)}
    if hosts:
        spec["hostnames"] = list(hosts)
    told = {"parentRef": ref, "controllerName": CONTROLLER, "conditions": conditions(said)}
    return {
        "kind": kind,
        "metadata": meta(name, namespace, creationTimestamp=created, generation=generation),
        "spec": spec,
        "status": {"parents": [told]} if said else {},
    }


def conditions(said: dict[str, str] | None, generation: int = 1) -> list[Wire]:
    """Return conditions: type to ``status/reason``."""
    return [
        {
            "type": kind,
            "status": word.partition("/")[0],
            "reason": word.partition("/")[2],
            "observedGeneration": generation,
        }
        for kind, word in (said or {}).items()
    ]


def to(*names: str, **more: Any) -> Wire:
    """Return a rule that sends to Services, ``name:port*weight`` each, or ``namespace/name``."""
    return {"backendRefs": [_ref(name) for name in names], **more}


def _ref(text: str) -> Wire:
    rest, _, weight = text.partition("*")
    ident, _, port = rest.partition(":")
    namespace, slash, name = ident.rpartition("/")
    return {
        "name": name,
        **({"namespace": namespace} if slash else {}),
        "port": int(port or 80),
        **({"weight": int(weight)} if weight else {}),
    }


def called(service_name: str = "", method: str = "", kind: str = "", **headers: str) -> Wire:
    """Return a match of a GRPCRoute."""
    wanted = {key: value for key, value in (("type", kind), ("service", service_name), ("method", method)) if value}
    listed = [{"name": key, "value": value} for key, value in headers.items()]
    return {**({"method": wanted} if wanted else {}), **({"headers": listed} if listed else {})}


def grant(namespace: str, kind: str = "HTTPRoute", source: str = "shop", to_kind: str = "Service") -> Wire:
    """Return a ReferenceGrant."""
    return {
        "kind": "ReferenceGrant",
        "metadata": meta("grant", namespace),
        "spec": {
            "from": [{"group": "gateway.networking.k8s.io", "kind": kind, "namespace": source}],
            "to": [{"group": "", "kind": to_kind}],
        },
    }


def backend_tls(
    name: str,
    *services: str,
    host: str = "inner.example.com",
    authority: str = "ConfigMap/ca",
    created: str = "2026-01-01T00:00:00Z",
    said: dict[str, str] | None = None,
    namespace: str = "shop",
) -> Wire:
    """Return a BackendTLSPolicy; a service is ``name`` or ``name#port-name``, an authority ``Kind/name`` or a word."""
    kind, slash, own = authority.partition("/")
    refs = {"caCertificateRefs": [{"group": "", "kind": kind, "name": own}]} if slash else {}
    known = {"wellKnownCACertificates": authority} if authority and not slash else {}
    ancestor = {"name": "web", "namespace": "infra"}
    return {
        "kind": "BackendTLSPolicy",
        "metadata": meta(name, namespace, creationTimestamp=created, generation=1),
        "spec": {
            "targetRefs": [
                {
                    "group": "",
                    "kind": "Service",
                    "name": text.partition("#")[0],
                    **({"sectionName": text.partition("#")[2]} if "#" in text else {}),
                }
                for text in services
            ],
            "validation": {"hostname": host, **refs, **known},
        },
        "status": {
            "ancestors": [{"ancestorRef": ancestor, "controllerName": CONTROLLER, "conditions": conditions(said)}]
        }
        if said
        else {},
    }


def listener_set(name: str, *listeners: Wire, kind: str = "ListenerSet") -> Wire:
    """Return a ListenerSet for Gateway infra/web."""
    return {
        "kind": kind,
        "metadata": meta(name, "infra"),
        "spec": {"parentRef": {"name": "web"}, "listeners": list(listeners)},
    }


def request(text: str, headers: dict[str, str] | None = None, method: str = "GET") -> Packet:
    """Return the packet of a request: a URL (http, https, grpc, grpcs), or ``tcp://:PORT`` and ``udp://:PORT``."""
    scheme, _, rest = text.partition("://")
    if scheme in {"tcp", "udp"}:
        return Packet(scheme=scheme, protocol=scheme.upper(), port=int(rest.rpartition(":")[2]))
    if scheme in {"grpc", "grpcs"}:
        web = ask(f"{'https' if scheme == 'grpcs' else 'http'}://{rest}", headers, method="POST")
        return Packet(
            scheme=scheme,
            host=web.host,
            path=web.path,
            method="POST",
            port=web.port,
            headers=web.headers,
            sni=web.sni,
            tls=web.tls,
        )
    packet = ask(text, headers, method=method)
    host = (headers or {}).get("host", "")
    return msgspec.structs.replace(packet, host=host) if host else packet


def cluster(*objects: Wire, cls: str = "approuting-istio", **more: Any) -> Store:
    """Return a store with a class, the front Service of Gateway infra/web, Services api and web, and these objects."""
    named = {item["metadata"]["name"] for item in objects if item["kind"] == "Service"}
    base = [service(name, ports=BACKEND_PORTS) for name in ("api", "web", "copy") if name not in named]
    return store_of(gateway_class(cls, CLASSES[cls]), front(cls), *base, *objects, **more)


def living(*objects: Wire, cls: str = "approuting-istio", unready: str = "", **more: Any) -> Store:
    """Return the same with Pods: the Gateway's proxy, one behind each Service, and a client, all on one node.

    ``unready`` names a Service whose one endpoint is not ready.
    """
    named = {(item["metadata"]["namespace"], item["metadata"]["name"]) for item in objects if item["kind"] == "Service"}
    names = sorted(named | {("shop", name) for name in ("api", "web", "copy")})
    proxy = pod("gateway", "infra", {"gateway.networking.k8s.io/gateway-name": "web"}, address="10.244.0.2")
    behind: list[Wire] = []
    for index, (namespace, name) in enumerate(names):
        address = f"10.244.0.{10 + index}"
        behind.append(pod(f"{name}-1", namespace, {"app": name}, address=address))
        behind.append(_slice(name, namespace, f"{name}-1", address, _BEHIND, ready=name != unready))
    ports = {name: (port, "UDP" if name.startswith("udp") else "TCP") for name, port in PORTS.items()}
    return cluster(
        *objects,
        proxy,
        _slice(f"web-{cls}", "infra", "gateway", "10.244.0.2", ports),
        *behind,
        pod("client", "shop", {"app": "client"}, address="10.244.0.9"),
        _node(),
        cls=cls,
        **more,
    )


def _node() -> Wire:
    made = node("node-1", "10.224.0.4")
    made["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    return made


def _slice(
    name: str, namespace: str, pod_name: str, address: str, ports: dict[str, tuple[int, str]], *, ready: bool = True
) -> Wire:
    target = {"kind": "Pod", "namespace": namespace, "name": pod_name}
    return {
        "kind": "EndpointSlice",
        "metadata": meta(f"{name}-1", namespace, labels={"kubernetes.io/service-name": name}),
        "addressType": "IPv4",
        "ports": [{"name": key, "port": port, "protocol": protocol} for key, (port, protocol) in ports.items()],
        "endpoints": [
            {"addresses": [address], "conditions": {"ready": ready}, "nodeName": "node-1", "targetRef": target}
        ],
    }


def asked(store: Store, text: str, headers: dict[str, str] | None = None) -> Trace:
    """Return the trace of a request from a Pod to the cluster address of Gateway infra/web."""
    lines = [f"{name}: {value}" for name, value in (headers or {}).items()]
    if text.startswith(("tcp://", "udp://")):
        target = text.replace("://", f"://{ADDRESS}")
        return trace(store, parse_request(target, f"pod/{CLIENT}"))
    return trace(store, parse_request(text, f"pod/{CLIENT}", resolve=ADDRESS, headers=lines))


def outcome(answer: Trace) -> str:
    """Return a trace in one word, as ``word`` has it for a routing; ``split`` where its shares end differently."""
    if answer.outcome is Outcome.RESPONDS:
        return f"respond {answer.status}"
    names = {item.service for item in answer.backends if not item.service.startswith("web-")}
    if answer.outcome is Outcome.DELIVERED:
        return " ".join(sorted(names)) or "nothing"
    said = {Outcome.REFUSED: "reject", Outcome.DROPPED: "drop", Outcome.UNDECIDED: "undecided", Outcome.SPLIT: "split"}
    return said.get(answer.outcome, str(answer.outcome))


def taken(store: Store, text: str, headers: dict[str, str] | None = None, cls: str = "approuting-istio") -> Routing:
    """Return what Gateway infra/web does with a request."""
    return route_gateway(store, request(text, headers), cls=cls)


def word(answer: Routing) -> str:
    """Return a routing in one word: what is not decided, else what ends it, else the Services with their shares."""
    unknown = next((step for step in answer.steps if step.verdict in UNKNOWN), None)
    if unknown is not None:
        return str(unknown.verdict)
    if answer.ended:
        return _end(answer.steps[-1])
    if not answer.targets:
        return "nothing"
    return " ".join(_target(item, alone=len(answer.targets) == 1) for item in answer.targets)


def _target(item: Target, *, alone: bool) -> str:
    unknown = next((step for step in item.steps if step.verdict in UNKNOWN), None)
    end = str(unknown.verdict) if unknown is not None else _end(item.steps[-1]) if item.ended else item.service
    return end if alone else f"{end}*{item.weight or 0:.2g}"


def _end(step: Step) -> str:
    return f"{step.verdict} {step.status}".removesuffix(" 0")


def cause(answer: Routing) -> str:
    """Return the check id of the step that ends or doubts a routing."""
    steps = [*answer.steps, *(step for item in answer.targets for step in item.steps)]
    return next((step.cause for step in steps if step.cause), "")
