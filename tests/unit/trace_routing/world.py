"""Small clusters for tests of routing: wire objects, as kubectl prints them, into a store that was read whole."""

from typing import Any

from aksnav.model.change import ListEnded, ListStarted, Reading, ReadingChanged, UndecodableFound, Upserted
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.store import Store
from aksnav.trace.packet import Packet
from aksnav.trace.routing import controllers
from aksnav.trace.routing import router as routing
from aksnav.trace.routing.types import Controller, Routing

Wire = dict[str, Any]
NGINX_LABELS = {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"}
FRONT = "20.50.1.7"


def store_of(*objects: Wire, unread: tuple[str, ...] = (), undecodable: dict[str, str] | None = None) -> Store:
    """Return a store that has read every kind whole, except for the unread ones.

    Args:
        objects: wire objects with their kind.
        unread: kinds that were refused.
        undecodable: ``Kind namespace/name`` to reason.
    """
    store = Store()
    for kind in KINDS:
        if kind in unread:
            store.apply(ReadingChanged(kind, Reading.DENIED, reason=f"list {KINDS[kind].plural} is forbidden"))
            continue
        store.apply(ListStarted(kind))
        store.apply(Upserted(kind, [decode_wire(KINDS[kind], item) for item in objects if item["kind"] == kind]))
        store.apply(ListEnded(kind))
    for name, reason in (undecodable or {}).items():
        kind, _, ident = name.partition(" ")
        store.apply(UndecodableFound(kind, ident, reason))
    return store


def meta(name: str, namespace: str = "", **more: Any) -> Wire:
    """Return metadata."""
    return {"name": name, **({"namespace": namespace} if namespace else {}), **more}


def ingress_class(name: str = "nginx", controller: str = "k8s.io/ingress-nginx", *, default: bool = False) -> Wire:
    """Return an IngressClass."""
    marks = {"ingressclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {"kind": "IngressClass", "metadata": meta(name, annotations=marks), "spec": {"controller": controller}}


def ingress(  # noqa: PLR0913 - the parts of an Ingress that tests vary
    name: str,
    *rules: tuple[str, str, str, str],
    cls: str | None = "nginx",
    annotations: dict[str, str] | None = None,
    tls: list[Wire] | None = None,
    default: str = "",
    created: str = "2026-01-01T00:00:00Z",
    namespace: str = "shop",
    status: str = FRONT,
) -> Wire:
    """Return an Ingress; a rule is host, path, pathType and ``service:port``."""
    prefix = "nginx.ingress.kubernetes.io/"
    marks = {key if "/" in key else prefix + key: value for key, value in (annotations or {}).items()}
    spec: Wire = {"rules": [_rule(*rule) for rule in rules], "tls": tls or []}
    if cls is not None:
        spec["ingressClassName"] = cls
    if default:
        spec["defaultBackend"] = _backend(default)
    return {
        "kind": "Ingress",
        "metadata": meta(name, namespace, annotations=marks, creationTimestamp=created),
        "spec": spec,
        "status": {"loadBalancer": {"ingress": [{"ip": status}] if status else []}},
    }


def _rule(host: str, path: str, path_type: str, backend: str) -> Wire:
    paths = [{"path": path, "pathType": path_type, "backend": _backend(backend)}]
    return {**({"host": host} if host else {}), "http": {"paths": paths}}


def _backend(text: str) -> Wire:
    name, _, port = text.partition(":")
    wanted = {"number": int(port or 80)} if not port or port.isdigit() else {"name": port}
    return {"service": {"name": name, "port": wanted}}


def service(name: str, namespace: str = "shop", **spec: Any) -> Wire:
    """Return a Service; one port 80 to 8080 unless the spec says otherwise."""
    labels = spec.pop("labels", {})
    status = spec.pop("status", {})
    spec.setdefault("ports", [{"name": "http", "port": 80, "targetPort": 8080}])
    spec.setdefault("selector", {"app": name})
    return {"kind": "Service", "metadata": meta(name, namespace, labels=labels), "spec": spec, "status": status}


def nginx_service(address: str = FRONT, policy: str = "Cluster") -> Wire:
    """Return the Service of an ingress-nginx."""
    return service(
        "ingress-nginx-controller",
        "ingress-nginx",
        type="LoadBalancer",
        clusterIP="10.0.0.9",
        externalTrafficPolicy=policy,
        labels=NGINX_LABELS,
        selector=NGINX_LABELS,
        ports=[
            {"name": "http", "port": 80, "targetPort": "http"},
            {"name": "https", "port": 443, "targetPort": "https"},
        ],
        status={"loadBalancer": {"ingress": [{"ip": address}]}},
    )


def endpoints(name: str, *addresses: str, namespace: str = "shop", ready: bool = True) -> Wire:
    """Return the EndpointSlice of a Service."""
    return {
        "kind": "EndpointSlice",
        "metadata": meta(f"{name}-1", namespace, labels={"kubernetes.io/service-name": name}),
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": [{"addresses": [address], "conditions": {"ready": ready}} for address in addresses],
    }


def pod(name: str, namespace: str, labels: dict[str, str], *, ready: bool = True, address: str = "10.244.0.9") -> Wire:
    """Return a running Pod."""
    return {
        "kind": "Pod",
        "metadata": meta(name, namespace, labels=labels),
        "spec": {"nodeName": "node-1", "containers": [{"name": "main", "image": "main"}]},
        "status": {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }


def node(name: str, address: str) -> Wire:
    """Return a node."""
    return {
        "kind": "Node",
        "metadata": meta(name),
        "spec": {},
        "status": {"addresses": [{"type": "InternalIP", "address": address}]},
    }


def secret(name: str, namespace: str = "shop", **more: Any) -> Wire:
    """Return the word that a Secret exists."""
    return {"kind": "Secret", "metadata": meta(name, namespace), **more}


def gateway_class(name: str = "approuting-istio", controller: str = "istio.io/gateway-controller") -> Wire:
    """Return an accepted GatewayClass."""
    return {
        "kind": "GatewayClass",
        "metadata": meta(name),
        "spec": {"controllerName": controller},
        "status": {"conditions": [{"type": "Accepted", "status": "True", "reason": "Accepted"}]},
    }


def listener(name: str = "http", port: int = 80, protocol: str = "HTTP", hostname: str = "", **more: Any) -> Wire:
    """Return a listener that takes routes of every namespace unless told otherwise."""
    more.setdefault("allowedRoutes", {"namespaces": {"from": "All"}})
    return {"name": name, "port": port, "protocol": protocol, **({"hostname": hostname} if hostname else {}), **more}


def gateway(name: str, *listeners: Wire, cls: str = "approuting-istio", **more: Any) -> Wire:
    """Return a Gateway in namespace infra that is programmed unless its status says otherwise."""
    status = more.pop(
        "status",
        {
            "addresses": [{"type": "IPAddress", "value": FRONT}],
            "conditions": [
                {"type": "Accepted", "status": "True", "reason": "Accepted"},
                {"type": "Programmed", "status": "True", "reason": "Programmed"},
            ],
        },
    )
    return {
        "kind": "Gateway",
        "metadata": meta(name, "infra", generation=more.pop("generation", 1)),
        "spec": {"gatewayClassName": cls, "listeners": list(listeners or (listener(),)), **more},
        "status": status,
    }


def gateway_service(name: str, cls: str = "approuting-istio") -> Wire:
    """Return the Service that the controller makes for a Gateway."""
    return service(
        f"{name}-{cls}",
        "infra",
        type="LoadBalancer",
        clusterIP="10.0.0.8",
        labels={"gateway.networking.k8s.io/gateway-name": name},
        selector={"gateway.networking.k8s.io/gateway-name": name},
        ports=[{"name": "http", "port": 80, "targetPort": 80}, {"name": "https", "port": 443, "targetPort": 443}],
        status={"loadBalancer": {"ingress": [{"ip": FRONT}]}},
    )


def http_route(
    name: str,
    *rules: Wire,
    hostnames: tuple[str, ...] = (),
    namespace: str = "shop",
    created: str = "2026-01-01T00:00:00Z",
    parent: Wire | None = None,
    status: Wire | None = None,
) -> Wire:
    """Return an HTTPRoute under Gateway infra/web unless told otherwise."""
    return {
        "kind": "HTTPRoute",
        "metadata": meta(name, namespace, creationTimestamp=created, generation=1),
        "spec": {
            "parentRefs": [{"name": "web", "namespace": "infra", **(parent or {})}],
            "hostnames": list(hostnames),
            "rules": list(rules),
        },
        "status": status or {},
    }


def rule(service_name: str, *matches: Wire, **more: Any) -> Wire:
    """Return a rule that sends to a Service's port 80; a match is a path, headers, queryParams, method."""
    refs = more.pop("backendRefs", [{"name": service_name, "port": 80}] if service_name else [])
    return {**({"matches": list(matches)} if matches else {}), "backendRefs": refs, **more}


def prefix(value: str, **more: Any) -> Wire:
    """Return a match of a path prefix."""
    return {"path": {"type": "PathPrefix", "value": value}, **more}


def exact(value: str, **more: Any) -> Wire:
    """Return a match of an exact path."""
    return {"path": {"type": "Exact", "value": value}, **more}


def ask(url: str, headers: dict[str, str] | None = None, *, method: str = "GET", port: int = 0) -> Packet:
    """Return the packet of a request, as a client sends it."""
    scheme, _, rest = url.partition("://")
    authority, slash, tail = rest.partition("/")
    host, _, given = authority.partition(":")
    path, _, query = f"{slash}{tail}".partition("?")
    secure = scheme == "https"
    return Packet(
        scheme=scheme,
        host=host,
        path=path or "/",
        query=query,
        method=method,
        port=port or int(given or (443 if secure else 80)),
        headers=tuple((headers or {}).items()),
        sni=host if secure else "",
        tls=secure,
    )


def only_controller(store: Store, service_id: str) -> Controller:
    """Return the one controller behind a Service."""
    found = controllers.of_pods(store, [], store.services.get(service_id))
    assert len(found) == 1
    return found[0]


def route_nginx(store: Store, packet: Packet) -> Routing:
    """Return what the ingress-nginx of ``nginx_service`` does."""
    return routing.route(store, only_controller(store, "ingress-nginx/ingress-nginx-controller"), packet)


def route_gateway(store: Store, packet: Packet, name: str = "web", cls: str = "approuting-istio") -> Routing:
    """Return what a Gateway's proxy does."""
    return routing.route(store, only_controller(store, f"infra/{name}-{cls}"), packet)


def outcome(answer: Routing) -> str:
    """Return a routing in one word: the Service that takes it, or the verdict and status of the step that ends it."""
    if answer.ended:
        last = answer.steps[-1]
        return f"{last.verdict} {last.status}".removesuffix(" 0")
    if len(answer.targets) == 1 and answer.targets[0].ended:
        last = answer.targets[0].steps[-1]
        return f"{last.verdict} {last.status}".removesuffix(" 0")
    return " ".join(target.service for target in answer.targets)
