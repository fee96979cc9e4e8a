"""Services, and the EndpointSlices that the endpoint slice controller makes of Services and Pods."""

from collections.abc import Iterable
from typing import NamedTuple

from aksnav.sources.demo.nodes import INSTANCES
from aksnav.sources.demo.workloads import is_ready, workload
from aksnav.sources.demo.world import Json, World, suffix, thing

API_SERVER = "20.50.1.2"
DNS_IP = "10.0.0.10"
NGINX_IP = "20.50.1.7"
GATEWAY_IP = "20.50.1.8"
MQTT_IP = "20.50.1.9"
PORTAL_IP = "10.224.0.40"
STUDIO_NODE_PORT = 31935
_AZURE = "service.beta.kubernetes.io/"
_ZONES = {instance.node: instance.zone for instance in INSTANCES}


class Port(NamedTuple):
    """One port of a Service."""

    name: str
    port: int
    target: int | str
    node_port: int = 0
    protocol: str = "TCP"
    app: str = ""


_HTTP = (Port("http", 80, "http"),)


def build(world: World) -> None:
    """Add every Service."""
    _system(world)
    _entries(world)
    for index, (namespace, name) in enumerate(
        (
            ("shop", "web"),
            ("shop", "api"),
            ("shop", "cart"),
            ("shop", "search"),
            ("shop", "search-old"),
            ("shop", "blog"),
            ("shop", "status"),
            ("payments", "payments"),
            ("media", "images"),
            ("intra", "docs"),
            ("intra", "wiki"),
            ("reports", "reports"),
        )
    ):
        _put(world, namespace, name, f"10.0.64.{10 + index}", _HTTP)
    _put(world, "payments", "ledger", "None", (Port("postgres", 5432, "postgres"),))
    world.put(
        "Service",
        thing(
            "Service",
            "erp",
            "shop",
            spec={"type": "ExternalName", "externalName": "erp.contoso.net", "sessionAffinity": "None"},
            status={"loadBalancer": {}},
        ),
    )


def _system(world: World) -> None:
    system = {"kubernetes.io/cluster-service": "true"}
    api = _service("kubernetes", "default", "10.0.0.1", (Port("https", 443, 443),), None)
    api["metadata"]["labels"] = {"component": "apiserver", "provider": "kubernetes"}
    world.put("Service", api)
    dns = _put(
        world,
        "kube-system",
        "kube-dns",
        DNS_IP,
        (Port("dns", 53, 53, protocol="UDP"), Port("dns-tcp", 53, 53)),
        {"k8s-app": "kube-dns"},
    )
    dns["metadata"]["labels"] |= {**system, "k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS"}
    _put(world, "kube-system", "metrics-server", "10.0.94.12", (Port("https", 443, "https"),))
    _put(
        world,
        "aks-istio-system",
        "istiod-approuting",
        "10.0.94.13",
        (Port("grpc-xds", 15010, 15010), Port("https-dns", 15012, 15012)),
    )


def _entries(world: World) -> None:
    _load_balancer(
        world,
        "app-routing-system",
        "nginx",
        ("10.0.120.7", NGINX_IP),
        (Port("http", 80, "http", 31080), Port("https", 443, "https", 31443)),
        local=32100,
    )
    _load_balancer(
        world,
        "infra",
        "web-approuting-istio",
        ("10.0.120.8", GATEWAY_IP),
        (
            Port("status-port", 15021, 15021, 31521, app="tcp"),
            Port("http", 80, 80, 31081, app="http"),
            Port("https", 443, 443, 31444, app="https"),
        ),
        annotations={f"{_AZURE}port_{port}_health-probe_protocol": "tcp" for port in (80, 443)},
    )
    _load_balancer(
        world,
        "iot",
        "mqtt",
        ("10.0.120.9", MQTT_IP),
        (Port("mqtts", 8883, "mqtts", 31883),),
        annotations={
            f"{_AZURE}azure-dns-label-name": "contoso-mqtt",
            f"{_AZURE}azure-load-balancer-tcp-idle-timeout": "30",
        },
    )
    _load_balancer(
        world,
        "intra",
        "portal",
        ("10.0.120.10", PORTAL_IP),
        (Port("http", 80, "http", 31090),),
        local=32101,
        annotations={
            f"{_AZURE}azure-load-balancer-internal": "true",
            f"{_AZURE}azure-load-balancer-ipv4": PORTAL_IP,
        },
    )
    studio = _put(world, "media", "studio", "10.0.64.40", (Port("rtmp", 1935, "rtmp", STUDIO_NODE_PORT),))
    studio["spec"] |= {"type": "NodePort", "externalTrafficPolicy": "Local"}


def _load_balancer(
    world: World,
    namespace: str,
    name: str,
    addresses: tuple[str, str],
    ports: tuple[Port, ...],
    *,
    local: int = 0,
    annotations: dict[str, str] | None = None,
) -> None:
    """Add a Service of type LoadBalancer; ``local`` is the health check port of externalTrafficPolicy Local."""
    cluster_ip, outside = addresses
    made = _put(world, namespace, name, cluster_ip, ports)
    made["metadata"]["finalizers"] = ["service.kubernetes.io/load-balancer-cleanup"]
    if annotations:
        made["metadata"]["annotations"] = annotations
    made["spec"] |= {
        "type": "LoadBalancer",
        "allocateLoadBalancerNodePorts": True,
        "externalTrafficPolicy": "Local" if local else "Cluster",
        **({"healthCheckNodePort": local} if local else {}),
    }
    made["status"] = {"loadBalancer": {"ingress": [{"ip": outside, "ipMode": "VIP"}]}}


def _put(
    world: World,
    namespace: str,
    name: str,
    cluster_ip: str,
    ports: Iterable[Port],
    selector: dict[str, str] | None = None,
) -> Json:
    found = selector or workload(namespace, name).selector
    return world.put("Service", _service(name, namespace, cluster_ip, ports, found))


def _service(
    name: str, namespace: str, cluster_ip: str, ports: Iterable[Port], selector: dict[str, str] | None
) -> Json:
    spec: Json = {
        "type": "ClusterIP",
        "clusterIP": cluster_ip,
        "clusterIPs": [cluster_ip],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [_port(port) for port in ports],
        "sessionAffinity": "None",
    }
    if selector is not None:
        spec["selector"] = dict(selector)
    return thing(
        "Service", name, namespace, labels=dict(selector or {}), made=3, spec=spec, status={"loadBalancer": {}}
    )


def _port(port: Port) -> Json:
    out: Json = {"name": port.name, "port": port.port, "protocol": port.protocol, "targetPort": port.target}
    if port.node_port:
        out["nodePort"] = port.node_port
    if port.app:
        out["appProtocol"] = port.app
    return out


def derive(world: World) -> None:
    """Make the EndpointSlices of every Service, as the controller does from Services and Pods."""
    for service in world.of("Service"):
        if service["spec"]["type"] != "ExternalName":
            slice_of(world, service)


def slice_name(namespace: str, service: str) -> str:
    """Return the name of a Service's EndpointSlice."""
    return service if namespace == "default" else f"{service}-{suffix(5, 'slice', namespace, service)}"


def slice_of(world: World, service: Json) -> Json:
    """Make (again) the EndpointSlice of a Service and return it.

    Pods whose container ports resolve alike share a slice (discovery/v1); in the demo, all Pods of a Service do.
    """
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    selector = service["spec"].get("selector")
    ports: list[Json] = []
    if selector is None:
        endpoints: list[Json] = [{"addresses": [API_SERVER], "conditions": {"ready": True}}]
        ports = [{"name": "https", "port": 443, "protocol": "TCP"}]
    else:
        pods = [pod for pod in world.pods_of(namespace, selector) if pod["status"].get("podIP")]
        endpoints = [_endpoint(pod) for pod in pods]
        ports = _resolved(service, pods[0]) if pods else []
    made = thing(
        "EndpointSlice",
        slice_name(namespace, name),
        namespace,
        labels={
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            "kubernetes.io/service-name": name,
        },
        addressType="IPv4",
        endpoints=endpoints or None,
        ports=ports or None,
    )
    if selector is None:
        made["metadata"]["labels"].pop("endpointslice.kubernetes.io/managed-by")
    made["metadata"]["ownerReferences"] = [
        {"apiVersion": "v1", "kind": "Service", "name": name, "uid": service["metadata"]["uid"], "controller": True}
    ]
    return world.put("EndpointSlice", made)


def _resolved(service: Json, pod: Json) -> list[Json]:
    """Return the ports of the slice: a named target port becomes the number that the Pod gives it, or is left out."""
    named = {
        (port["name"], port["protocol"]): port["containerPort"]
        for container in pod["spec"]["containers"]
        for port in container["ports"]
    }
    out = []
    for port in service["spec"]["ports"]:
        target = port["targetPort"]
        number = target if isinstance(target, int) else named.get((target, port["protocol"]))
        if number is not None:
            entry = {"name": port["name"], "port": number, "protocol": port["protocol"]}
            out.append(entry | ({"appProtocol": port["appProtocol"]} if "appProtocol" in port else {}))
    return out


def _endpoint(pod: Json) -> Json:
    meta, ready = pod["metadata"], is_ready(pod)
    going = "deletionTimestamp" in meta
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready and not going, "serving": ready, "terminating": going},
        "nodeName": pod["spec"]["nodeName"],
        "zone": _ZONES[pod["spec"]["nodeName"]],
        "targetRef": {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
    }
