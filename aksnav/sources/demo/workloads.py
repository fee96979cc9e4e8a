"""Pods: what runs on AKS itself, and the applications of the demo."""

import msgspec

from aksnav.sources.demo.nodes import INSTANCES, Instance
from aksnav.sources.demo.world import Json, World, condition, suffix, thing, uid

_BY_NODE = {instance.node: instance for instance in INSTANCES}
_FIRST_HOST = 10


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """A Deployment, DaemonSet or StatefulSet as far as its Pods show it.

    Attributes:
        ports: name, number and protocol of the container's ports.
        probe: port (by name) and path of the readiness probe; an empty path probes TCP.
        pools: node pools on which the Pods run, in turn; a DaemonSet runs on every node of them.
        revision: changes with the Pod template; part of the Pods' names.
    """

    namespace: str
    name: str
    image: str
    replicas: int = 2
    owner: str = "ReplicaSet"
    ports: tuple[tuple[str, int, str], ...] = (("http", 8080, "TCP"),)
    probe: tuple[str, str] = ("http", "/healthz")
    pools: tuple[str, ...] = ("apps",)
    labels: dict[str, str] = {}
    host_network: bool = False
    revision: str = "1"
    made: int = 40

    @property
    def selector(self) -> dict[str, str]:
        """The labels by which Services and policies find the Pods."""
        return self.labels or {"app": self.name}

    @property
    def template_hash(self) -> str:
        """The hash that names the ReplicaSet."""
        return suffix(10, self.namespace, self.name, self.revision)


_USER = ("apps", "data")
_ALL = ("system", *_USER)


def daemon(name: str, image: str, ports: tuple[tuple[str, int, str], ...], label: str) -> Workload:
    """Return a DaemonSet of kube-system that runs on every node, in its network."""
    return Workload(
        namespace="kube-system", name=name, image=image, owner="DaemonSet", ports=ports, pools=_ALL,
        probe=(ports[0][0], "/healthz"), labels={"k8s-app": label}, host_network=True,
    )  # fmt: skip


WORKLOADS = (
    daemon("cilium", "cilium/cilium:1.18.2", (("health", 9879, "TCP"), ("prometheus", 9962, "TCP")), "cilium"),
    daemon("cloud-node-manager", "cloud-node-manager:v1.34.1", (("health", 10263, "TCP"),), "cloud-node-manager"),
    daemon("azure-cns", "azure-cns:v1.7.5", (("metrics", 10092, "TCP"),), "azure-cns"),
    Workload(
        namespace="kube-system", name="coredns", image="oss/coredns:v1.12.4", pools=("system",),
        ports=(("dns", 53, "UDP"), ("dns-tcp", 53, "TCP"), ("metrics", 9153, "TCP"), ("ready", 8181, "TCP")),
        probe=("ready", "/ready"), labels={"k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true"},
    ),
    Workload(
        namespace="kube-system", name="konnectivity-agent", image="oss/apiserver-network-proxy/agent:v0.33.0",
        pools=("system",), ports=(("health", 8082, "TCP"),), probe=("health", "/readyz"),
        labels={"app": "konnectivity-agent"},
    ),
    Workload(
        namespace="kube-system", name="metrics-server", image="oss/metrics-server:v0.8.0", pools=("system",),
        ports=(("https", 4443, "TCP"),), probe=("https", ""), labels={"k8s-app": "metrics-server"},
    ),
    Workload(
        namespace="kube-system", name="cilium-operator", image="cilium/operator:1.18.2", pools=("system",), replicas=1,
        ports=(("health", 9234, "TCP"),), probe=("health", "/healthz"), labels={"io.cilium/app": "operator"},
        host_network=True,
    ),
    Workload(
        namespace="app-routing-system", name="nginx", image="aks/ingress/nginx-ingress-controller:v1.13.3",
        ports=(("http", 8080, "TCP"), ("https", 8443, "TCP"), ("prometheus", 10254, "TCP")),
        probe=("prometheus", "/healthz"), labels={"app": "nginx"},
    ),
    Workload(
        namespace="aks-istio-system", name="istiod-approuting", image="oss/istio/pilot:1.27.2", pools=("system",),
        ports=(("http-debug", 8080, "TCP"), ("grpc-xds", 15010, "TCP"), ("https-dns", 15012, "TCP")),
        probe=("http-debug", "/ready"), labels={"app": "istiod"},
    ),
    Workload(
        namespace="infra", name="web-approuting-istio", image="oss/istio/proxyv2:1.27.2",
        ports=(("metrics", 15020, "TCP"), ("status-port", 15021, "TCP"), ("http", 80, "TCP"), ("https", 443, "TCP")),
        probe=("status-port", "/healthz/ready"), labels={"gateway.networking.k8s.io/gateway-name": "web"},
    ),
    Workload(namespace="shop", name="web", image="contoso.azurecr.io/shop/web:5.2.0", replicas=3, pools=_USER),
    Workload(namespace="shop", name="api", image="contoso.azurecr.io/shop/api:5.2.0", replicas=3, pools=_USER),
    Workload(namespace="shop", name="cart", image="contoso.azurecr.io/shop/cart:2.9.1"),
    Workload(namespace="shop", name="search", image="contoso.azurecr.io/shop/search:1.4.0"),
    Workload(namespace="shop", name="search-old", image="contoso.azurecr.io/shop/search:0.9.7", replicas=1, made=5),
    Workload(namespace="shop", name="blog", image="contoso.azurecr.io/shop/blog:1.0.3"),
    Workload(namespace="shop", name="status", image="contoso.azurecr.io/shop/status:1.1.0"),
    Workload(namespace="payments", name="payments", image="contoso.azurecr.io/pay/payments:7.0.2"),
    Workload(
        namespace="payments", name="ledger", image="contoso.azurecr.io/pay/ledger:3.3.0", owner="StatefulSet",
        pools=("data",), ports=(("postgres", 5432, "TCP"),), probe=("postgres", ""),
    ),
    Workload(namespace="media", name="images", image="contoso.azurecr.io/media/images:4.0.0"),
    Workload(
        namespace="media", name="studio", image="contoso.azurecr.io/media/studio:2.2.0", owner="DaemonSet", pools=_ALL,
        ports=(("rtmp", 1935, "TCP"),), probe=("rtmp", ""),
    ),
    Workload(namespace="intra", name="portal", image="contoso.azurecr.io/intra/portal:3.1.0"),
    Workload(namespace="intra", name="docs", image="contoso.azurecr.io/intra/docs:1.8.0"),
    Workload(namespace="intra", name="wiki", image="contoso.azurecr.io/intra/wiki:6.0.0", replicas=1),
    Workload(
        namespace="iot", name="mqtt", image="contoso.azurecr.io/iot/mqtt:2.0.1", pools=("data",),
        ports=(("mqtts", 8883, "TCP"),), probe=("mqtts", ""),
    ),
    Workload(namespace="reports", name="reports", image="contoso.azurecr.io/reports/reports:1.2.0", pools=("data",)),
)  # fmt: skip


def workload(namespace: str, name: str) -> Workload:
    """Return a workload of the demo by its name."""
    return next(item for item in WORKLOADS if (item.namespace, item.name) == (namespace, name))


def build(world: World) -> None:
    """Add the Pods of every workload."""
    for item in WORKLOADS:
        for number, instance in enumerate(_places(item)):
            world.put("Pod", pod(item, number, instance, _free_address(world, instance)))


def _places(item: Workload) -> list[Instance]:
    there = [instance for instance in INSTANCES if instance.pool in item.pools]
    if item.owner == "DaemonSet":
        return there
    return [there[number % len(there)] for number in range(item.replicas)]


def _free_address(world: World, instance: Instance) -> str:
    taken = {wire["status"].get("podIP") for wire in world.of("Pod")}
    if world.addresses:
        return next(ip for ip in world.addresses[instance.node] if ip not in taken)
    stem = instance.pod_cidr.rpartition(".")[0]
    return next(ip for ip in (f"{stem}.{host}" for host in range(_FIRST_HOST, 255)) if ip not in taken)


def free_address(world: World, node: str) -> str:
    """Return the next address of a node's Pod range that no Pod has."""
    return _free_address(world, _BY_NODE[node])


def pod_name(item: Workload, number: int) -> str:
    """Return the name of a workload's Pod by its number."""
    if item.owner == "StatefulSet":
        return f"{item.name}-{number}"
    tail = suffix(5, item.namespace, item.name, item.revision, str(number))
    return f"{item.name}-{tail}" if item.owner == "DaemonSet" else f"{item.name}-{item.template_hash}-{tail}"


def pod(item: Workload, number: int, instance: Instance, address: str) -> Json:
    """Return a running, ready Pod of a workload."""
    owner = f"{item.name}-{item.template_hash}" if item.owner == "ReplicaSet" else item.name
    made = thing("Pod", pod_name(item, number), item.namespace, labels=_labels(item, number), made=item.made)
    made["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "apps/v1",
            "kind": item.owner,
            "name": owner,
            "uid": uid(item.owner, item.namespace, owner),
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    made["spec"] = {
        "nodeName": instance.node,
        "serviceAccountName": item.name,
        "containers": [_container(item)],
        **({"hostNetwork": True} if item.host_network else {}),
    }
    ip = instance.ip if item.host_network else address
    made["status"] = {
        "phase": "Running",
        "hostIP": instance.ip,
        "hostIPs": [{"ip": instance.ip}],
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "startTime": made["metadata"]["creationTimestamp"],
        "conditions": [condition(kind, "True", "") for kind in _CONDITIONS],
        "containerStatuses": [
            {
                "name": item.name,
                "ready": True,
                "restartCount": 0,
                "image": item.image,
                "state": {"running": {"startedAt": made["metadata"]["creationTimestamp"]}},
            }
        ],
    }
    return made


_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


def _container(item: Workload) -> Json:
    port, path = item.probe
    check: Json = {"httpGet": {"path": path, "port": port, "scheme": "HTTP"}} if path else {"tcpSocket": {"port": port}}
    return {
        "name": item.name,
        "image": item.image if "/" not in item.image or ".io/" in item.image else f"mcr.microsoft.com/{item.image}",
        "ports": [
            {"name": name, "containerPort": number, "protocol": protocol}
            | ({"hostPort": number} if item.host_network else {})
            for name, number, protocol in item.ports
        ],
        "readinessProbe": {**check, "periodSeconds": 10, "failureThreshold": 3, "timeoutSeconds": 1},
    }


def _labels(item: Workload, number: int) -> dict[str, str]:
    labels = dict(item.selector)
    if item.owner == "ReplicaSet":
        labels["pod-template-hash"] = item.template_hash
    elif item.owner == "StatefulSet":
        labels |= {
            "apps.kubernetes.io/pod-index": str(number),
            "statefulset.kubernetes.io/pod-name": f"{item.name}-{number}",
        }
    else:
        labels["controller-revision-hash"] = suffix(10, item.namespace, item.name, item.revision)
    return labels


def set_ready(wire: Json, *, ready: bool) -> None:
    """Set a Pod's readiness, as the kubelet reports it after its probe."""
    status = wire["status"]
    for found in status["conditions"]:
        if found["type"] in {"Ready", "ContainersReady"}:
            found["status"] = "True" if ready else "False"
            found["reason"] = "" if ready else "ContainersNotReady"
            name = wire["spec"]["containers"][0]["name"]
            found["message"] = "" if ready else f"containers with unready status: [{name}]"
    for container in status["containerStatuses"]:
        container["ready"] = ready


def unschedule(wire: Json, message: str) -> None:
    """Make a Pod one that is on no node, with the scheduler's word on why."""
    del wire["spec"]["nodeName"]
    refused = condition("PodScheduled", "False", "Unschedulable", message)
    wire["status"] = {"phase": "Pending", "conditions": [refused]}


def is_ready(wire: Json) -> bool:
    """Return whether a Pod's Ready condition is True."""
    return any(found["type"] == "Ready" and found["status"] == "True" for found in wire["status"]["conditions"])
