"""A small cluster on Cilium, and questions about its Pod shop/web."""

from typing import Any

from aksnav.store.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.policy import judge
from aksnav.trace.step import Kind, Step, Trace, Verdict
from tests.unit.trace_edge.world import Json, cluster, crossing, made, namespace, node, pod

WEB, API, OPS = "shop/web", "shop/api", "ops/probe"
ADDRESSES = {WEB: "10.244.0.5", API: "10.244.1.5", OPS: "10.244.1.9", "node-1": "10.224.0.4", "node-2": "10.224.0.5"}
CLIENT, OTHER_CLIENT, API_SERVER = "203.0.113.9", "198.51.100.7", "192.0.2.10"
PORTS = [{"containerPort": 8080, "name": "http"}]
PROFILE: Json = {
    "networkDataplane": "cilium",
    "advancedNetworking": {"enabled": True, "security": {"enabled": True, "advancedNetworkPolicies": "L7"}},
}
PASSES = frozenset({Verdict.PASS, Verdict.SKIP})


def policy(*specs: Json, name: str = "p", space: str = "shop", selector: Json | None = None, **status: Any) -> Json:
    """Return a policy for app=web with these rule sets; a clusterwide one where ``space`` is empty."""
    chosen = {"matchLabels": {"app": "web"}} if selector is None else selector
    kind = "CiliumNetworkPolicy" if space else "CiliumClusterwideNetworkPolicy"
    meta = {"name": name, **({"namespace": space} if space else {})}
    wire = {"kind": kind, "metadata": meta, "specs": [{"endpointSelector": chosen, **spec} for spec in specs]}
    return {**wire, "status": status} if status else wire


def ingress(*rules: Json) -> Json:
    """Return a rule set of ingress rules."""
    return {"ingress": list(rules)}


def egress(*rules: Json) -> Json:
    """Return a rule set of egress rules."""
    return {"egress": list(rules)}


def ports(*listed: Json, **more: Any) -> Json:
    """Return toPorts with one element of some ports."""
    return {"toPorts": [{"ports": [*listed], **more}]}


def tcp(port: int | str, **more: Any) -> Json:
    """Return a port of TCP."""
    return {"port": str(port), "protocol": "TCP", **more}


def labelled(**labels: str) -> Json:
    """Return a selector; two underscores stand for a dot."""
    return {"matchLabels": {key.replace("__", "."): value for key, value in labels.items()}}


def lookups(*patterns: str) -> Json:
    """Return a rule set that lets the DNS Pods be asked for some names."""
    pods = labelled(**{"k8s-app": "kube-dns", "io.kubernetes.pod.namespace": "kube-system"})
    rules = {"dns": [{"matchPattern": item} for item in patterns]}
    return egress({"toEndpoints": [pods], **ports({"port": "53", "protocol": "ANY"}, rules=rules)})


def group(name: str, *cidrs: str, **labels: str) -> Json:
    """Return a CiliumCIDRGroup."""
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumCIDRGroup",
        "metadata": {"name": name, "labels": labels},
        "spec": {"externalCIDRs": list(cidrs)},
    }


def service(ident: str, selector: dict[str, str] | None = None, **labels: str) -> Json:
    """Return a ClusterIP Service."""
    space, name = ident.split("/")
    spec = {"type": "ClusterIP", "clusterIP": "10.0.0.50", "ports": [{"port": 80, "targetPort": 8080}]}
    meta = {"name": name, "namespace": space, "labels": labels}
    return {"kind": "Service", "metadata": meta, "spec": {**spec, **({"selector": selector} if selector else {})}}


def slices(ident: str, *addresses: str) -> Json:
    """Return the EndpointSlice of a Service."""
    space, name = ident.split("/")
    meta = {"name": f"{name}-x", "namespace": space, "labels": {"kubernetes.io/service-name": name}}
    listed = [{"addresses": [address], "conditions": {"ready": True}} for address in addresses]
    return {"kind": "EndpointSlice", "metadata": meta, "addressType": "IPv4", "endpoints": listed, "ports": []}


def base(**profile: Any) -> list[Json]:
    """Return three Pods on two nodes, on Cilium, with the API server's endpoints."""
    return [
        namespace("shop", team="a"),
        namespace("ops", team="b"),
        node("node-1", ADDRESSES["node-1"], pool="system"),
        node("node-2", ADDRESSES["node-2"], pool="user"),
        pod(WEB, ADDRESSES[WEB], {"app": "web"}, "node-1", PORTS),
        pod(API, ADDRESSES[API], {"app": "api", "env": "prod"}, "node-2", PORTS, serviceAccountName="runner"),
        pod(OPS, ADDRESSES[OPS], {"app": "probe"}, "node-2", PORTS),
        slices("default/kubernetes", API_SERVER),
        cluster(**(profile or PROFILE)),
    ]


def world(*objects: Json, **more: Any) -> Store:
    """Return the cluster with further objects."""
    return made(*base(), *objects, **more)


def source(name: str) -> str:
    """Return a source as a user types it."""
    return f"pod/{name}" if "/" in name else f"node/{name}" if name.startswith("node-") else name


def asked(store: Store, target: str, client: str, **options: Any) -> Trace:
    """Return the trace from a client to a target."""
    return trace(store, parse_request(target, source=source(client), **options))


def step(found: Trace, side: str) -> Step:
    """Return the policy step of one end."""
    return next(item for item in found.steps if item.kind is Kind.POLICY and item.summary.startswith(side))


def arriving(store: Store, client: str, port: int = 8080, scheme: str = "tcp") -> Step:
    """Return the ingress step of shop/web for a client that asks at the Pod's own address."""
    if client[0].isdigit():
        # No road leads from the internet to a Pod's own address: policies are asked by themselves.
        return judge(store, crossing(store, client, WEB, port))[-1]
    tail = "" if scheme == "icmp" else f":{port}"
    return step(asked(store, f"{scheme}://{ADDRESSES[WEB]}{tail}", client), "ingress")


def leaving(store: Store, target: str, port: int = 8080, scheme: str = "tcp", **options: Any) -> Step:
    """Return the egress step of shop/web to a Pod, a node, an address or a name."""
    tail = "" if scheme == "icmp" else f":{port}"
    found = asked(store, f"{scheme}://{ADDRESSES.get(target, target)}{tail}", WEB, **options)
    return step(found, "egress")


def word(found: Step) -> str:
    """Return yes, no or open."""
    return "yes" if found.verdict in PASSES else "open" if found.missing else "no"
