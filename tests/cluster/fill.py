"""Fill a control plane with many Pods in seconds, for benchmarks: their stored JSON is written straight into etcd.

Nothing is validated or defaulted on that way, so that the objects are written as the API server would store them,
with the two managers' managedFields that make up half of a real Pod.
"""

import ipaddress
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.cluster.api_client import until
from tests.cluster.control_plane import ControlPlane
from tests.cluster.etcd import Etcd

CREATED = "2026-11-01T08:00:00Z"
PODS = ipaddress.ip_network("10.128.0.0/9")
SERVICES = ipaddress.ip_network("10.0.0.0/16")
NODES = ipaddress.ip_network("10.64.0.0/12")
Item = tuple[str, bytes]


@dataclass(frozen=True)
class Size:
    """How much is written.

    Attributes:
        pods: Pods in all, spread over the nodes in turn.
        nodes: nodes, each with a /24 of Pod addresses (which caps its Pods at 250).
        namespaces: namespaces, over which the apps are spread in turn.
        replicas: Pods of one app; each app has one Service and one EndpointSlice.
    """

    pods: int = 20_000
    nodes: int = 200
    namespaces: int = 50
    replicas: int = 20

    def __post_init__(self) -> None:
        if self.pods > self.nodes * 250:
            raise ValueError(f"{self.pods} Pods do not fit on {self.nodes} nodes of 250")

    @property
    def apps(self) -> int:
        """Number of apps, the last of which may be smaller."""
        return -(-self.pods // self.replicas)


def _uid(*parts: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, parts))))


def _dump(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _fields(value: object) -> dict[str, Any]:
    """Own a value field by field, in the form of managedFields (lists are keyed by name, type or ip)."""
    if isinstance(value, dict):
        return {f"f:{key}": _fields(inner) for key, inner in value.items()}
    owned: dict[str, Any] = {}
    if isinstance(value, list):
        for inner in value:
            key = next((key for key in ("name", "type", "ip") if isinstance(inner, dict) and key in inner), None)
            if key is not None:
                owned[f"k:{json.dumps({key: inner[key]})}"] = {".": {}} | _fields(inner)
    return owned


def _managed(manager: str, fields: dict[str, Any], subresource: str = "") -> dict[str, Any]:
    entry = {"manager": manager, "operation": "Update", "apiVersion": "v1", "time": CREATED, "fieldsType": "FieldsV1"}
    return entry | {"fieldsV1": fields} | ({"subresource": subresource} if subresource else {})


def _node(number: int) -> tuple[str, str]:
    """Name and address of a node."""
    return f"aks-fill-20461935-vmss{number:06d}", str(NODES[number + 4])


def _pod_address(number: int, size: Size) -> str:
    """Address of the Pod with that number: the next one of its node's /24."""
    node, slot = number % size.nodes, number // size.nodes
    return str(PODS[node * 256 + slot + 4])


def _nodes(size: Size) -> Iterator[Item]:
    for number in range(size.nodes):
        name, address = _node(number)
        cidr = f"{PODS[number * 256]}/24"
        labels = {
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "kubernetes.azure.com/agentpool": "fill",
            "kubernetes.azure.com/podnetwork-type": "overlay",
            "topology.kubernetes.io/region": "westeurope",
            "topology.kubernetes.io/zone": f"westeurope-{number % 3 + 1}",
        }
        condition = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastTransitionTime": CREATED}
        addresses = [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}]
        metadata = {"name": name, "uid": _uid("node", number), "creationTimestamp": CREATED, "labels": labels}
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": metadata,
            "spec": {"podCIDR": cidr, "podCIDRs": [cidr]},
            "status": {
                "addresses": addresses,
                "conditions": [condition],
                "capacity": {"cpu": "8", "memory": "32Gi", "pods": "250"},
                "allocatable": {"cpu": "7820m", "memory": "28Gi", "pods": "250"},
            },
        }
        yield f"/registry/minions/{name}", _dump(node)


def _namespaces(size: Size) -> Iterator[Item]:
    for number in range(size.namespaces):
        name = f"team-{number:03d}"
        labels = {"kubernetes.io/metadata.name": name, "team": str(number)}
        metadata = {"name": name, "uid": _uid("ns", number), "creationTimestamp": CREATED, "labels": labels}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        yield (
            f"/registry/namespaces/{name}",
            _dump(namespace | {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}),
        )


def _container(name: str, port: int) -> dict[str, Any]:
    probe = {
        "httpGet": {"path": "/healthz", "port": port, "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    mounts = ["config", "cache", "kube-api-access"]
    return {
        "name": name,
        "image": f"contoso.azurecr.io/{name}:2026.11.1",
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "http", "containerPort": port, "protocol": "TCP"}],
        "env": [{"name": f"SETTING_{number}", "value": f"value-{number}"} for number in range(3)],
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
        "volumeMounts": [{"name": volume, "mountPath": f"/var/run/{volume}", "readOnly": True} for volume in mounts],
        "livenessProbe": probe,
        "readinessProbe": probe,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }


def _pod_template(app: str, namespace: str, labels: dict[str, str]) -> bytes:
    """Build the JSON of an app's Pods, in which @NAME@, @UID@, @IP@, @NODE@ and @HOST@ are still to be filled in."""
    containers = [_container("web", 8080), _container("proxy", 15021)]
    spec: dict[str, Any] = {
        "volumes": [
            {"name": "config", "configMap": {"name": f"{app}-config", "defaultMode": 420}},
            {"name": "cache", "emptyDir": {}},
            {"name": "kube-api-access", "projected": {"defaultMode": 420, "sources": []}},
        ],
        "containers": containers,
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "default",
        "serviceAccount": "default",
        "nodeName": "@NODE@",
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "enableServiceLinks": True,
        "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}],
        "priority": 0,
        "preemptionPolicy": "PreemptLowerPriority",
    }
    kinds = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    statuses = [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": f"contoso.azurecr.io/{container['name']}@sha256:{'0f' * 32}",
            "containerID": f"containerd://{'a1' * 32}",
            "ready": True,
            "started": True,
            "restartCount": 0,
            "state": {"running": {"startedAt": CREATED}},
            "lastState": {},
        }
        for container in containers
    ]
    status = {
        "phase": "Running",
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": CREATED} for kind in kinds],
        "hostIP": "@HOST@",
        "hostIPs": [{"ip": "@HOST@"}],
        "podIP": "@IP@",
        "podIPs": [{"ip": "@IP@"}],
        "startTime": CREATED,
        "containerStatuses": statuses,
        "qosClass": "Burstable",
    }
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{app}-5d8f7c9b6", "uid": _uid("rs", app)}
    metadata = {
        "name": "@NAME@",
        "generateName": f"{app}-5d8f7c9b6-",
        "namespace": namespace,
        "uid": "@UID@",
        "creationTimestamp": CREATED,
        "labels": labels,
        "annotations": {"checksum/config": "9c" * 32, "contoso.com/owner": namespace},
        "ownerReferences": [owner | {"controller": True, "blockOwnerDeletion": True}],
        "managedFields": [
            _managed("kube-controller-manager", {"f:metadata": {"f:labels": _fields(labels)}, "f:spec": _fields(spec)}),
            _managed("kubelet", {"f:status": _fields(status)}, "status"),
        ],
    }
    return _dump({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status})


def _pods(app: int, size: Size) -> Iterator[tuple[str, str, str, str, Item]]:
    """Yield name, uid, address and node of each Pod of an app, with its stored form."""
    name, namespace, labels = _app(app, size)
    template = _pod_template(name, namespace, labels)
    for number in range(app * size.replicas, min((app + 1) * size.replicas, size.pods)):
        pod, uid, address = f"{name}-5d8f7c9b6-{number:05x}", _uid("pod", number), _pod_address(number, size)
        node, host = _node(number % size.nodes)
        stored = template
        for mark, value in (("NAME", pod), ("UID", uid), ("IP", address), ("NODE", node), ("HOST", host)):
            stored = stored.replace(f"@{mark}@".encode(), value.encode())
        yield pod, uid, address, node, (f"/registry/pods/{namespace}/{pod}", stored)


def _app(app: int, size: Size) -> tuple[str, str, dict[str, str]]:
    """Name, namespace and Pod labels of an app."""
    name = f"app-{app:05d}"
    labels = {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/version": "2026.11.1",
        "pod-template-hash": "5d8f7c9b6",
    }
    return name, f"team-{app % size.namespaces:03d}", labels


def _service(app: int, size: Size) -> Item:
    name, namespace, labels = _app(app, size)
    selector = {"app.kubernetes.io/name": labels["app.kubernetes.io/name"]}
    address = str(SERVICES[app + 16])
    metadata = {"name": name, "namespace": namespace, "uid": _uid("svc", app), "creationTimestamp": CREATED}
    spec = {
        "type": "ClusterIP",
        "selector": selector,
        "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        "clusterIP": address,
        "clusterIPs": [address],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
        "sessionAffinity": "None",
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": spec,
        "status": {"loadBalancer": {}},
    }
    return f"/registry/services/specs/{namespace}/{name}", _dump(service)


def _slice(app: int, size: Size, endpoints: list[dict[str, Any]]) -> Item:
    name, namespace, _ = _app(app, size)
    labels = {
        "kubernetes.io/service-name": name,
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    metadata = {"name": f"{name}-x7k2p", "namespace": namespace, "uid": _uid("eps", app), "creationTimestamp": CREATED}
    endpoint_slice = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata | {"labels": labels},
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    }
    return f"/registry/endpointslices/{namespace}/{name}-x7k2p", _dump(endpoint_slice)


def objects(size: Size) -> Iterator[Item]:
    """Yield everything that is written: the key in the store and the stored JSON of each object."""
    yield from _namespaces(size)
    yield from _nodes(size)
    for app in range(size.apps):
        _, namespace, _ = _app(app, size)
        endpoints: list[dict[str, Any]] = []
        for pod, uid, address, node, item in _pods(app, size):
            target = {"kind": "Pod", "namespace": namespace, "name": pod, "uid": uid}
            conditions = {"ready": True, "serving": True, "terminating": False}
            endpoints.append({"addresses": [address], "conditions": conditions, "nodeName": node, "targetRef": target})
            yield item
        yield _service(app, size)
        yield _slice(app, size, endpoints)


def fill(plane: ControlPlane, size: Size) -> int:
    """Write everything into a running control plane, wait until it is served, and return the object count.

    The control plane should have no controllers: they would find that nobody plays the kubelets of these nodes, and
    would take their Pods away.
    """
    store = Etcd(plane.layout.etcd_port)
    try:
        count = store.put(objects(size))
    finally:
        store.close()
    until(lambda: _served(plane) >= size.pods, what=f"{size.pods} Pods are served")
    return count


def _served(plane: ControlPlane) -> int:
    """Count the Pods that the API server knows of, without listing them."""
    page = plane.api.get("/api/v1/pods?limit=1").body
    return len(page["items"]) + int(page["metadata"].get("remainingItemCount", 0))
