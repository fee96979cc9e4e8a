"""The sample cluster: `manifests/` on a control plane, the ARM resources of `arm/` that belong to it, both as files.

The API server makes the UIDs and node ports that names and probes of an Azure load balancer hold, so that `arm/` has
placeholders there: ``${NAMESPACE/NAME}`` is the name that the cloud controller manager derives from the Service's
UID, ``${NAMESPACE/NAME:healthCheckNodePort}`` and ``${NAMESPACE/NAME:nodePort:PORT}`` are numbers.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.cluster import cloud
from tests.cluster.api_client import until
from tests.cluster.control_plane import ControlPlane

MANIFESTS = Path(__file__).parent / "manifests"
ARM = Path(__file__).parent / "arm"
Services = dict[tuple[str, str], dict[str, Any]]
NAMESPACES = ("app-routing-system", "shop", "orders")
NGINX_ADDRESS, STOREFRONT_ADDRESS, ORDERS_ADDRESS = "20.50.1.10", "20.50.1.20", "10.224.0.100"
CAPTURED_KINDS = (
    "namespaces",
    "nodes",
    "pods",
    "services",
    "endpoints",
    "endpointslices",
    "ingresses",
    "ingressclasses",
    "networkpolicies",
    "deployments",
    "replicasets",
    "daemonsets",
    "statefulsets",
    "configmaps",
    "events",
    "gatewayclasses",
    "gateways",
    "httproutes",
    "grpcroutes",
    "referencegrants",
    "backendtlspolicies",
)
PLACEHOLDER = re.compile(r"\$\{([^/}]+)/([^:}]+)(?::([^}]+))?\}")


def load(plane: ControlPlane) -> None:
    """Load the sample cluster, wait until every Pod of it is ready, and write the statuses that Azure would write.

    The namespace of the user ``namespace-only`` is ``shop``.
    """
    plane.apply(MANIFESTS / "00-namespaces.yaml")
    for namespace in NAMESPACES:
        plane.wait_for_namespace(namespace)
    plane.apply(MANIFESTS)
    until(lambda: not unready_workloads(plane), 60.0, "every workload of the sample is ready")
    publish(plane)
    plane.kubeconfig("namespace-only", "shop")


def unready_workloads(plane: ControlPlane) -> list[str]:
    """Name the Deployments, StatefulSets and DaemonSets that want more ready Pods than they have."""
    waiting = []
    for kind, wanted, ready in (
        ("deployments", "replicas", "readyReplicas"),
        ("statefulsets", "replicas", "readyReplicas"),
        ("daemonsets", "desiredNumberScheduled", "numberReady"),
    ):
        for item in plane.api.get(f"/apis/apps/v1/{kind}").body["items"]:
            status = item["status"]
            if status.get("observedGeneration", 0) < item["metadata"]["generation"] or (
                status.get(wanted, 0) != status.get(ready, 0) or not status.get(wanted)
            ):
                waiting.append(f"{kind}/{item['metadata']['name']}")
    return waiting


def publish(plane: ControlPlane) -> None:
    """Write addresses and conditions into the sample's Services, Ingress and Gateway."""
    cloud.give_address(plane, "nginx", "app-routing-system", NGINX_ADDRESS)
    cloud.give_address(plane, "storefront-approuting-istio", "shop", STOREFRONT_ADDRESS)
    cloud.give_address(plane, "orders", "orders", ORDERS_ADDRESS)
    cloud.publish_ingress(plane, "shop", "shop", NGINX_ADDRESS)
    cloud.accept_gateway_class(plane, "approuting-istio")
    cloud.program_gateway(plane, "storefront", "shop", STOREFRONT_ADDRESS, attached=1)
    cloud.accept_route(plane, "storefront", "shop")


def load_balancer_name(uid: str) -> str:
    """Derive the name of a Service's frontends and rules from its UID (DefaultLoadBalancerName of cloud-provider)."""
    return f"a{uid.replace('-', '')}"[:32]


def _resolve(services: Services, match: re.Match[str]) -> str | int:
    namespace, name, what = match.groups()
    service = services[namespace, name]
    if what is None:
        return load_balancer_name(service["metadata"]["uid"])
    if what == "healthCheckNodePort":
        return int(service["spec"]["healthCheckNodePort"])
    wanted = int(what.removeprefix("nodePort:"))
    return next(int(entry["nodePort"]) for entry in service["spec"]["ports"] if entry["port"] == wanted)


def _fill_in(value: Any, services: Services) -> Any:
    if isinstance(value, dict):
        return {key: _fill_in(inner, services) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill_in(inner, services) for inner in value]
    if not isinstance(value, str):
        return value
    whole = PLACEHOLDER.fullmatch(value)
    if whole is not None:
        return _resolve(services, whole)
    return PLACEHOLDER.sub(lambda match: str(_resolve(services, match)), value)


def arm_documents(services: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Build the ARM side of the sample as the az commands print it, by file name (``az-network-lb-list.json``).

    Args:
        services: the sample's Services as the API server has them.
    """
    by_name = {(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in services}
    return {path.name: _fill_in(json.loads(path.read_text()), by_name) for path in sorted(ARM.glob("*.json"))}


def export_capture(plane: ControlPlane, folder: Path) -> None:
    """Write what a support bundle holds: ``kubectl get KIND -A -o yaml`` by kind, and the ARM JSON.

    kubectl runs as the user ``reader``, who can read everything but Secrets.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for kind in CAPTURED_KINDS:
        (folder / f"{kind}.yaml").write_text(plane.kubectl("get", kind, "-A", "-o", "yaml", user="reader"))
    for name, document in arm_documents(plane.api.get("/api/v1/services").body["items"]).items():
        (folder / name).write_text(json.dumps(document, indent=2) + "\n")
