"""Ingresses, the Gateway, routes and TLS Secrets, and the status that their controllers write."""

from typing import NamedTuple

from aksnav.sources.demo.services import GATEWAY_IP, NGINX_IP
from aksnav.sources.demo.world import Json, World, condition, ident, thing

NGINX_CLASS = "webapprouting.kubernetes.azure.com"
_GATEWAY_GROUP = "gateway.networking.k8s.io"
_ISTIO = "istio.io/gateway-controller"
_RUNNING = frozenset({"webapprouting.kubernetes.azure.com/nginx"})


class Path(NamedTuple):
    """A path of an Ingress and the Service behind it, port 80."""

    path: str
    service: str


def build(world: World) -> None:
    """Add classes, Ingresses, the Gateway, its routes and the Secrets that they name."""
    world.put(
        "IngressClass",
        thing(
            "IngressClass",
            NGINX_CLASS,
            labels={"app.kubernetes.io/managed-by": "aks-app-routing-operator"},
            spec={"controller": "webapprouting.kubernetes.azure.com/nginx"},
        ),
    )
    shop = "shop.contoso.com"
    ingress(
        world,
        "shop",
        "shop",
        shop,
        (Path("/", "web"), Path("/api", "api"), Path("/cart", "cart")),
        certificate="shop-tls",
    )
    ingress(world, "shop", "search", shop, (Path("/search", "search"),), certificate="shop-tls", made=45)
    ingress(world, "shop", "blog", "blog.contoso.com", (Path("/", "blog"),), certificate="blog-tls")
    ingress(world, "intra", "docs", "docs.contoso.com", (Path("/", "docs"),), certificate="docs-tls")
    ingress(world, "intra", "wiki", "wiki.contoso.com", (Path("/", "wiki"),), certificate="wiki-tls")
    for namespace, name in (
        ("shop", "shop-tls"),
        ("shop", "blog-tls"),
        ("intra", "docs-tls"),
        ("intra", "wiki-tls"),
        ("infra", "apps-tls"),
    ):
        world.put("Secret", _secret(namespace, name))
    _gateway(world)
    _route(world, "shop", "status", "status.apps.contoso.com", ("status", None))
    _route(world, "payments", "pay", "pay.apps.contoso.com", ("payments", None))
    _route(world, "infra", "media", "media.apps.contoso.com", ("images", "media"))
    world.put(
        "ReferenceGrant",
        thing(
            "ReferenceGrant",
            "routes-from-infra",
            "media",
            spec={
                "from": [{"group": _GATEWAY_GROUP, "kind": "HTTPRoute", "namespace": "infra"}],
                "to": [{"group": "", "kind": "Service"}],
            },
        ),
    )


def ingress(
    world: World,
    namespace: str,
    name: str,
    host: str,
    paths: tuple[Path, ...],
    *,
    certificate: str,
    made: int = 30,
) -> Json:
    """Add an Ingress of the app-routing class: one host, Prefix paths, TLS from a Secret."""
    rule = {
        "host": host,
        "http": {
            "paths": [
                {
                    "path": item.path,
                    "pathType": "Prefix",
                    "backend": {"service": {"name": item.service, "port": {"number": 80}}},
                }
                for item in paths
            ]
        },
    }
    spec = {"ingressClassName": NGINX_CLASS, "rules": [rule], "tls": [{"hosts": [host], "secretName": certificate}]}
    return world.put("Ingress", thing("Ingress", name, namespace, made=made, spec=spec, status={"loadBalancer": {}}))


def _secret(namespace: str, name: str) -> Json:
    made = thing("Secret", name, namespace, made=28)
    return {**made, "exists": True, "type": "kubernetes.io/tls", "keys": ["tls.crt", "tls.key"]}


def _gateway(world: World) -> None:
    world.put(
        "GatewayClass",
        thing(
            "GatewayClass",
            "approuting-istio",
            spec={"controllerName": _ISTIO, "description": "Gateway API of AKS application routing"},
            status={"conditions": [condition("Accepted", "True", "Accepted", "Handled by Istio controller", 1)]},
        ),
    )
    everyone = {"namespaces": {"from": "All"}}
    world.put(
        "Gateway",
        thing(
            "Gateway",
            "web",
            "infra",
            generation=2,
            spec={
                "gatewayClassName": "approuting-istio",
                "listeners": [
                    {
                        "name": "http",
                        "port": 80,
                        "protocol": "HTTP",
                        "hostname": "*.apps.contoso.com",
                        "allowedRoutes": everyone,
                    },
                    {
                        "name": "https",
                        "port": 443,
                        "protocol": "HTTPS",
                        "hostname": "*.apps.contoso.com",
                        "allowedRoutes": everyone,
                        "tls": {"mode": "Terminate", "certificateRefs": [{"name": "apps-tls", "kind": "Secret"}]},
                    },
                ],
            },
        ),
    )


def _route(world: World, namespace: str, name: str, host: str, backend: tuple[str, str | None]) -> None:
    service, other = backend
    parent = {"group": _GATEWAY_GROUP, "kind": "Gateway", "name": "web", "namespace": "infra"}
    ref: Json = {"group": "", "kind": "Service", "name": service, "port": 80, "weight": 1}
    if other is not None:
        ref["namespace"] = other
    rule = {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": [ref]}
    spec = {"parentRefs": [parent], "hostnames": [host], "rules": [rule]}
    world.put("HTTPRoute", thing("HTTPRoute", name, namespace, made=33, spec=spec))


def derive(world: World) -> None:
    """Write the status of Ingresses, routes and the Gateway, as the running controllers do."""
    for item in world.of("Ingress"):
        found = world.find("IngressClass", item["spec"].get("ingressClassName", ""))
        claimed = found is not None and found["spec"]["controller"] in _RUNNING
        item["status"] = {"loadBalancer": {"ingress": [{"ip": NGINX_IP}]} if claimed else {}}
    for route in world.of("HTTPRoute"):
        _route_status(world, route)
    for gateway in world.of("Gateway"):
        served = world.find("GatewayClass", gateway["spec"]["gatewayClassName"])
        if served is not None:
            _gateway_status(gateway, sum(_accepted(route) for route in world.of("HTTPRoute")))


def _route_status(world: World, route: Json) -> None:
    generation = route["metadata"]["generation"]
    resolved = condition("ResolvedRefs", "True", "ResolvedRefs", "All references resolved", generation)
    for ref in (ref for rule in route["spec"]["rules"] for ref in rule["backendRefs"]):
        namespace = ref.get("namespace", route["metadata"]["namespace"])
        target = f"{namespace}/{ref['name']}"
        if namespace != route["metadata"]["namespace"] and not _granted(world, route, namespace):
            message = f"backendRef {ref['name']}/{namespace} not accessible to a HTTPRoute in another namespace"
            resolved = condition("ResolvedRefs", "False", "RefNotPermitted", message, generation)
        elif world.find("Service", target) is None:
            resolved = condition("ResolvedRefs", "False", "BackendNotFound", f"backend {target} not found", generation)
    route["status"] = {"parents": []}
    for parent in route["spec"]["parentRefs"]:
        gateway = world.find("Gateway", f"{parent['namespace']}/{parent['name']}")
        if gateway is None or world.find("GatewayClass", gateway["spec"]["gatewayClassName"]) is None:
            continue  # nobody's: no controller writes a status
        conditions = [_attached(route, gateway), resolved]
        route["status"]["parents"].append({"parentRef": parent, "controllerName": _ISTIO, "conditions": conditions})


def _attached(route: Json, gateway: Json) -> Json:
    """Return whether the Gateway takes the route, as the condition Accepted."""
    generation = route["metadata"]["generation"]
    listeners = [
        listener
        for listener in gateway["spec"]["listeners"]
        if listener["allowedRoutes"]["namespaces"]["from"] == "All"
        or route["metadata"]["namespace"] == gateway["metadata"]["namespace"]
    ]
    if not listeners:
        message = "hostnames matched parent hostname, but namespace is not allowed by the parent"
        return condition("Accepted", "False", "NotAllowedByListeners", message, generation)
    suffixes = tuple(listener["hostname"].removeprefix("*") for listener in listeners)
    if not any(host.endswith(suffixes) for host in route["spec"]["hostnames"]):
        message = "no hostnames matched parent hostname"
        return condition("Accepted", "False", "NoMatchingListenerHostname", message, generation)
    return condition("Accepted", "True", "Accepted", "Route was valid", generation)


def _accepted(route: Json) -> bool:
    return any(parent["conditions"][0]["status"] == "True" for parent in route["status"]["parents"])


def _granted(world: World, route: Json, namespace: str) -> bool:
    wanted = {"group": _GATEWAY_GROUP, "kind": "HTTPRoute", "namespace": route["metadata"]["namespace"]}
    grants = world.of("ReferenceGrant", lambda wire: wire["metadata"]["namespace"] == namespace)
    return any(wanted in grant["spec"]["from"] for grant in grants)


def _gateway_status(gateway: Json, routes: int) -> None:
    generation = gateway["metadata"]["generation"]
    service = f"{gateway['metadata']['name']}-approuting-istio.{gateway['metadata']['namespace']}.svc.cluster.local"
    ready = f"Resource programmed, assigned to service(s) {service}:80 and {service}:443"
    gateway["status"] = {
        "addresses": [{"type": "IPAddress", "value": GATEWAY_IP}],
        "conditions": [
            condition("Accepted", "True", "Accepted", "Resource accepted", generation),
            condition("Programmed", "True", "Programmed", ready, generation),
        ],
        "listeners": [
            {
                "name": listener["name"],
                "attachedRoutes": routes,
                "supportedKinds": [{"group": _GATEWAY_GROUP, "kind": "HTTPRoute"}],
                "conditions": [
                    condition("Accepted", "True", "Accepted", "No errors found", generation),
                    condition("Conflicted", "False", "NoConflicts", "No errors found", generation),
                    condition("Programmed", "True", "Programmed", "No errors found", generation),
                    condition("ResolvedRefs", "True", "ResolvedRefs", "No errors found", generation),
                ],
            }
            for listener in gateway["spec"]["listeners"]
        ],
    }


def secrets_asked_for(world: World) -> list[str]:
    """Return the ids of the Secrets that Ingresses and listeners name, sorted."""
    named = {
        f"{item['metadata']['namespace']}/{tls['secretName']}"
        for item in world.of("Ingress")
        for tls in item["spec"].get("tls", ())
    }
    for gateway in world.of("Gateway"):
        home = gateway["metadata"]["namespace"]
        for listener in gateway["spec"]["listeners"]:
            for ref in listener.get("tls", {}).get("certificateRefs", ()):
                named.add(f"{ref.get('namespace', home)}/{ref['name']}")
    return sorted(named)


def answer_for_missing_secrets(world: World) -> None:
    """Add the answer "it does not exist" for every Secret that is named and not there."""
    there = {ident(wire) for wire in world.of("Secret")}
    for asked in secrets_asked_for(world):
        if asked not in there:
            namespace, _, name = asked.partition("/")
            absent: Json = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}}
            world.put("Secret", absent | {"exists": False})
