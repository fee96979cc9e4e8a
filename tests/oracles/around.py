"""Whole clusters around Ingresses: a controller with its Service and Pods, and for each backend a Service and a Pod."""

from collections.abc import Iterable
from typing import Any

from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import UNKNOWN, Kind, Outcome, Step, Trace, Verdict
from tests.unit.trace_walk.cluster import CLIENT, NODE_A, NODE_B, Cluster, endpoint, steps_of

Wire = dict[str, Any]

NGINX = "k8s.io/ingress-nginx"
APP_ROUTING = "webapprouting.kubernetes.azure.com/nginx"
AGIC = "azure/application-gateway"
CONTAINERS = "alb.networking.azure.io/alb-controller"
UNKNOWN_CONTROLLER = "example.com/ingress"
TRAEFIK = "traefik.io/ingress-controller"

OUTSIDE = frozenset({AGIC, CONTAINERS})
FRONT_IP, OUTSIDE_IP = "10.0.0.9", "20.50.9.9"
_LOOKS = {
    NGINX: ("ingress-nginx", "ingress-nginx-controller", {"app.kubernetes.io/name": "ingress-nginx"}),
    APP_ROUTING: ("app-routing-system", "nginx", {"app": "nginx"}),
    TRAEFIK: ("traefik", "traefik", {"app.kubernetes.io/name": "traefik"}),
}
# What an outside load balancer is configured to do beside its rules, and from where it connects, is not routing.
_ROUTING = frozenset({Kind.GATEWAY_LISTENER, Kind.ROUTE_MATCH, Kind.ROUTE_FILTER, Kind.SERVICE_PORT, Kind.ENDPOINT})


def around(
    ingresses: Iterable[Wire],
    controller: str,
    *,
    absent: Iterable[str] = (),
    unready: Iterable[str] = (),
    services: dict[str, Wire] | None = None,
    objects: Iterable[Wire] = (),
) -> Store:
    """Return a cluster in which one controller serves some Ingresses of namespace shop.

    Args:
        ingresses: in wire form; their class is ``front`` unless they name one.
        controller: the controller string of class ``front``.
        absent: Services that rules name and that do not exist.
        unready: Services without a ready endpoint.
        services: spec of Services that are not the usual one (port 8080, named http).
        objects: more objects, with their kind.
    """
    made = Cluster()
    made.profile()
    made.node(NODE_A, "10.224.0.4")
    made.node(NODE_B, "10.224.0.5")
    made.pod("shop/client", "10.244.0.9")
    made.add("Namespace", {"metadata": {"name": "shop"}})
    made.add("IngressClass", {"metadata": {"name": "front"}, "spec": {"controller": controller}})
    address = OUTSIDE_IP if controller in OUTSIDE else FRONT_IP
    listed = list(ingresses)
    for item in listed:
        item["metadata"].setdefault("namespace", "shop")
        annotated = "kubernetes.io/ingress.class" in item["metadata"].get("annotations", {})
        if not annotated:
            item["spec"].setdefault("ingressClassName", "front")
        if annotated or item["spec"]["ingressClassName"] == "front":
            item.setdefault("status", {"loadBalancer": {"ingress": [{"ip": address}]}})
        made.add("Ingress", item)
    if controller not in OUTSIDE:
        _controller(made, controller)
    for number, name in enumerate(sorted({*_backends(listed), *(services or {})} - set(absent))):
        _backend(made, name, number, ready=name not in set(unready), spec=(services or {}).get(name, {}))
    for item in objects:
        made.add(item["kind"], item)
    return made.store


def ask(store: Store, url: str, controller: str, headers: Iterable[str] = (), method: str = "GET") -> Trace:
    """Return the trace of a request at the address of the controller: from a Pod, or from outside where it is there."""
    outside = controller in OUTSIDE
    request = parse_request(
        url,
        source="internet" if outside else CLIENT,
        resolve=OUTSIDE_IP if outside else FRONT_IP,
        method=method,
        headers=headers,
    )
    return trace(store, request)


def answer(found: Trace) -> str:
    """Return a trace in one word or two: the Service that takes the request, a status, or what is not modelled.

    Several Services come with their shares in per cent. A status that an outside load balancer gives counts although
    its own configuration is not known.
    """
    steps = [step for step in steps_of(found) if step.verdict is not Verdict.NOT_REACHED]
    unknown = [step for step in steps if step.verdict in UNKNOWN and step.kind in _ROUTING]
    if unknown:
        return f"{unknown[0].verdict}: {unknown[0].missing}"
    if found.outcome in {Outcome.DROPPED, Outcome.REFUSED, Outcome.UNRESOLVED}:
        return found.outcome.value
    statuses = [step.status for step in steps if step.verdict is Verdict.RESPOND]
    if statuses:
        return str(statuses[-1])
    if any(step.verdict is Verdict.REJECT for step in steps):
        return "refused"
    if len(found.backends) == 1:
        return found.backends[0].service
    return " ".join(
        f"{item.service} {round(item.weight * 100) if item.weight is not None else '?'}" for item in found.backends
    )


def matched(found: Trace) -> Step:
    """Return the step that matched host and path, or did not."""
    return next(step for step in steps_of(found) if step.kind is Kind.ROUTE_MATCH)


def _controller(made: Cluster, controller: str) -> None:
    namespace, name, labels = _LOOKS.get(controller, ("front", "front", {"app": "front"}))
    ports = [{"name": "http", "containerPort": 80}, {"name": "https", "containerPort": 443}]
    made.pod(f"{namespace}/{name}-1", "10.244.0.20", labels=labels, ports=ports)
    made.service(
        f"{namespace}/{name}",
        FRONT_IP,
        metadata={"labels": labels},
        selector=labels,
        ports=[
            {"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"},
            {"name": "https", "port": 443, "protocol": "TCP", "targetPort": "https"},
        ],
    )
    made.slice(
        f"{namespace}/{name}",
        [endpoint(f"{namespace}/{name}-1", "10.244.0.20")],
        ports=[{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "https", "port": 443, "protocol": "TCP"}],
    )


def _backends(ingresses: Iterable[Wire]) -> set[str]:
    found = set()
    for item in ingresses:
        backends = [path["backend"] for rule in item["spec"].get("rules", []) for path in rule["http"]["paths"]]
        if "defaultBackend" in item["spec"]:
            backends.append(item["spec"]["defaultBackend"])
        found |= {backend["service"]["name"] for backend in backends if "service" in backend}
    return found


def _backend(made: Cluster, name: str, number: int, *, ready: bool, spec: Wire) -> None:
    address = f"10.244.1.{number + 1}"
    made.pod(f"shop/{name}-1", address, labels={"app": name}, ready=ready)
    ports = [{"name": "http", "port": 8080, "protocol": "TCP", "targetPort": 8080}]
    made.service(f"shop/{name}", f"10.0.1.{number + 1}", **{"ports": ports, **spec})
    if spec.get("type") != "ExternalName":
        made.slice(f"shop/{name}", [endpoint(f"shop/{name}-1", address, ready=ready)])
