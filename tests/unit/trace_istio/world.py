"""The AKS add-on's ingress gateway with Services behind it, for tests: wire objects, and a trace in one word."""

from typing import Any

from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Outcome, Trace
from tests.unit.trace_routing.world import Wire, meta, node, pod, service, store_of

INGRESS = "aks-istio-ingress"
EXTERNAL = {"istio": "aks-istio-ingressgateway-external"}
ADDRESS = "10.0.0.8"
FRONT = f"{INGRESS}/aks-istio-ingressgateway-external"
_PORTS = {"http2": (80, 8080), "https": (443, 8443), "tcp": (5432, 15432)}


def igw(
    name: str, *servers: Wire, namespace: str = "shop", selector: dict[str, str] | None = None, **more: Any
) -> Wire:
    """Return a Gateway of networking.istio.io; the selector is the external gateway's unless one is given."""
    return {
        "kind": "IstioGateway",
        "metadata": meta(name, namespace, **more),
        "spec": {"selector": EXTERNAL if selector is None else selector, "servers": list(servers)},
    }


def server(*hosts: str, port: int = 80, protocol: str = "HTTP", **tls: Any) -> Wire:
    """Return a server; what is named beyond port and protocol is its TLS."""
    made: Wire = {"port": {"number": port, "name": f"p{port}", "protocol": protocol}, "hosts": list(hosts or ("*",))}
    return {**made, "tls": tls} if tls else made


def vs(
    name: str, *http: Wire, hosts: tuple[str, ...] = ("a.com",), namespace: str = "shop", created: str = "", **spec: Any
) -> Wire:
    """Return a VirtualService; it names Gateway ``web`` of its namespace unless ``gateways`` says otherwise."""
    stamp = {"creationTimestamp": created or "2026-01-01T00:00:00Z"}
    body: Wire = {"hosts": list(hosts), "gateways": ["web"], **({"http": list(http)} if http else {}), **spec}
    return {"kind": "VirtualService", "metadata": meta(name, namespace, **stamp), "spec": body}


def to(*names: str, **more: Any) -> Wire:
    """Return a rule that sends to destinations, ``host:port/subset*weight`` each."""
    return {"route": [_destination(name) for name in names], **more}


def _destination(text: str) -> Wire:
    rest, star, weight = text.partition("*")
    rest, _, subset = rest.partition("/")
    host, _, port = rest.partition(":")
    made: Wire = {"host": host}
    if port:
        made["port"] = {"number": int(port)}
    if subset:
        made["subset"] = subset
    return {"destination": made, **({"weight": int(weight)} if star else {})}


def dr(name: str, host: str, *subsets: str, namespace: str = "shop", tls: str = "", **spec: Any) -> Wire:
    """Return a DestinationRule; a subset ``v1`` is the Pods with label ``version=v1``, ``name=value`` names another."""
    listed = [{"name": item.partition("=")[0], "labels": {"version": item.rpartition("=")[2]}} for item in subsets]
    policy = {"trafficPolicy": {"tls": {"mode": tls}}} if tls else {}
    body = {"host": host, **({"subsets": listed} if listed else {}), **policy, **spec}
    return {"kind": "DestinationRule", "metadata": meta(name, namespace), "spec": body}


def authz(name: str, *rules: Wire, action: str = "", namespace: str = "shop", **spec: Any) -> Wire:
    """Return an AuthorizationPolicy."""
    body = {**({"action": action} if action else {}), **({"rules": list(rules)} if rules else {}), **spec}
    return {"kind": "AuthorizationPolicy", "metadata": meta(name, namespace), "spec": body}


def peer(name: str, mode: str, namespace: str = "shop", **spec: Any) -> Wire:
    """Return a PeerAuthentication."""
    return {"kind": "PeerAuthentication", "metadata": meta(name, namespace), "spec": {"mtls": {"mode": mode}, **spec}}


def tokens(name: str, namespace: str = "shop", **spec: Any) -> Wire:
    """Return a RequestAuthentication of one issuer; ``rule`` has its further fields."""
    rule = {"issuer": "https://issuer.example", **spec.pop("rule", {})}
    return {"kind": "RequestAuthentication", "metadata": meta(name, namespace), "spec": {"jwtRules": [rule], **spec}}


def other(kind: str, name: str, namespace: str = "shop", **spec: Any) -> Wire:
    """Return an object of another kind."""
    return {"kind": kind, "metadata": meta(name, namespace), "spec": spec}


def workload(
    name: str, namespace: str, labels: dict[str, str], address: str, *, meshed: bool = False, account: str = ""
) -> Wire:
    """Return a ready Pod, with Istio's proxy in it or without."""
    made = pod(name, namespace, labels, address=address)
    if meshed:
        made["spec"]["containers"].append({"name": "istio-proxy", "image": "proxyv2"})
    if account:
        made["spec"]["serviceAccountName"] = account
    return made


def front(policy: str = "Cluster") -> Wire:
    """Return the Service of the add-on's external gateway."""
    return service(
        "aks-istio-ingressgateway-external",
        INGRESS,
        type="LoadBalancer",
        clusterIP=ADDRESS,
        externalTrafficPolicy=policy,
        labels=EXTERNAL,
        selector=EXTERNAL,
        ports=[{"name": name, "port": port, "targetPort": target} for name, (port, target) in _PORTS.items()],
        status={"loadBalancer": {"ingress": [{"ip": "20.50.1.7"}]}},
    )


def slices(name: str, namespace: str, *pods: tuple[str, str], ports: dict[str, int], ready: bool = True) -> Wire:
    """Return the EndpointSlice of a Service: Pods by name and address, ports by name."""
    return {
        "kind": "EndpointSlice",
        "metadata": meta(f"{name}-1", namespace, labels={"kubernetes.io/service-name": name}),
        "addressType": "IPv4",
        "ports": [{"name": key, "port": port, "protocol": "TCP"} for key, port in ports.items()],
        "endpoints": [
            {
                "addresses": [address],
                "conditions": {"ready": ready},
                "nodeName": "node-1",
                "targetRef": {"kind": "Pod", "namespace": namespace, "name": pod_name},
            }
            for pod_name, address in pods
        ],
    }


def living(*objects: Wire, meshed: bool = False, unready: str = "", policy: str = "Cluster", **more: Any) -> Store:
    """Return a store with the gateway, Services shop/api (two versions), shop/web and other/api, and two clients.

    Args:
        objects: what else there is.
        meshed: the Pods behind the Services have sidecars.
        unready: a Service whose endpoints are not ready.
        policy: externalTrafficPolicy of the gateway's Service.
        more: for ``store_of``.
    """
    base = [
        front(policy),
        workload("gateway", INGRESS, EXTERNAL, "10.244.0.2", meshed=True, account="gateway"),
        slices(
            "aks-istio-ingressgateway-external",
            INGRESS,
            ("gateway", "10.244.0.2"),
            ports={k: v[1] for k, v in _PORTS.items()},
        ),
        workload("client", "shop", {"app": "client"}, "10.244.0.9"),
        workload("inside", "shop", {"app": "inside"}, "10.244.0.8", meshed=True, account="shopper"),
        _node(),
    ]
    for namespace, name, pods in _BEHIND:
        base.append(service(name, namespace, clusterIP=f"10.0.1.{len(base)}", ports=_backend_ports(name)))
        for pod_name, address, version in pods:
            labels = {"app": name, "version": version}
            base.append(workload(pod_name, namespace, labels, address, meshed=meshed, account=name))
        listed = [(pod_name, address) for pod_name, address, _ in pods]
        base.append(slices(name, namespace, *listed, ports={"http": 8080, "more": 9090}, ready=name != unready))
    return store_of(*base, *objects, **more)


_BEHIND = (
    ("shop", "api", (("api-1", "10.244.0.11", "v1"), ("api-2", "10.244.0.12", "v2"))),
    ("shop", "web", (("web-1", "10.244.0.13", "v1"),)),
    ("shop", "many", (("many-1", "10.244.0.14", "v1"),)),
    ("other", "api", (("api-9", "10.244.0.15", "v1"),)),
)


def _backend_ports(name: str) -> list[Wire]:
    first = {"name": "http", "port": 8000 if name == "many" else 80, "targetPort": 8080}
    return [first, {"name": "more", "port": 9000, "targetPort": 9090}] if name == "many" else [first]


def _node() -> Wire:
    made = node("node-1", "10.224.0.4")
    made["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    return made


def asked(
    store: Store, text: str, headers: dict[str, str] | None = None, source: str = "pod/shop/client", method: str = "GET"
) -> Trace:
    """Return the trace of a request to the gateway's cluster address; ``svc/…``, ``pod/…`` and names go straight."""
    lines = [f"{name}: {value}" for name, value in (headers or {}).items()]
    if text.startswith("tcp://"):
        return trace(store, parse_request(text.replace("://", f"://{ADDRESS}"), source))
    if text.startswith(("svc/", "pod/")) or ".svc." in text:
        return trace(store, parse_request(text, source, headers=lines))
    return trace(store, parse_request(text, source, resolve=ADDRESS, headers=lines, method=method))


def word(answer: Trace) -> str:
    """Return a trace in one word: the Services that it comes to, or the verdict and its status."""
    if answer.outcome is Outcome.RESPONDS:
        return f"respond {answer.status}"
    if answer.outcome is Outcome.DELIVERED:
        return " ".join(sorted(set(where(answer)))) or "nothing"
    said = {Outcome.REFUSED: "reject", Outcome.DROPPED: "drop", Outcome.UNDECIDED: "undecided", Outcome.SPLIT: "split"}
    return said.get(answer.outcome, str(answer.outcome))


def where(answer: Trace) -> list[str]:
    """Return the Pods to which a request is delivered, without the gateway's."""
    return [item.pod for item in answer.destinations if item.namespace != INGRESS]


def cause(answer: Trace) -> str:
    """Return the first check id of a trace."""
    return next(iter(answer.causes), "")
