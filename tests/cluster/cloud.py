"""Statuses that controllers of Azure and of gateways write, who do not run here: a test writes them in their place."""

from typing import Any

from tests.cluster.control_plane import ControlPlane

GATEWAY = "gateway.networking.k8s.io"


def _condition(kind: str, reason: str, seen: dict[str, Any], *, status: bool = True) -> dict[str, Any]:
    return {
        "type": kind,
        "status": str(status),
        "reason": reason,
        "message": "",
        "lastTransitionTime": seen["creationTimestamp"],
        "observedGeneration": seen["generation"],
    }


def _metadata(plane: ControlPlane, resource: str, name: str, namespace: str = "") -> dict[str, Any]:
    where = f"namespaces/{namespace}/" if namespace else ""
    metadata: dict[str, Any] = plane.api.get(f"/apis/{GATEWAY}/v1/{where}{resource}/{name}").body["metadata"]
    return metadata


def give_address(plane: ControlPlane, service: str, namespace: str, address: str) -> None:
    """Write a load balancer's address into a Service, as the cloud controller manager does."""
    status = {"loadBalancer": {"ingress": [{"ip": address, "ipMode": "VIP"}]}}
    plane.patch_status("service", service, status, namespace)


def publish_ingress(plane: ControlPlane, ingress: str, namespace: str, address: str) -> None:
    """Write the address of its controller's Service into an Ingress, as NGINX does."""
    plane.patch_status("ingress", ingress, {"loadBalancer": {"ingress": [{"ip": address}]}}, namespace)


def accept_gateway_class(plane: ControlPlane, name: str) -> None:
    """Accept a GatewayClass."""
    seen = _metadata(plane, "gatewayclasses", name)
    plane.patch_status("gatewayclass", name, {"conditions": [_condition("Accepted", "Accepted", seen)]})


def program_gateway(plane: ControlPlane, name: str, namespace: str, address: str, attached: int) -> None:
    """Accept and program a Gateway and all its listeners.

    Args:
        plane: the control plane.
        name: the Gateway.
        namespace: its namespace.
        address: the address that it gets.
        attached: number of routes that each listener counts.
    """
    gateway = plane.api.get(f"/apis/{GATEWAY}/v1/namespaces/{namespace}/gateways/{name}").body
    seen = gateway["metadata"]
    kinds = [{"group": GATEWAY, "kind": "HTTPRoute"}, {"group": GATEWAY, "kind": "GRPCRoute"}]
    listener_conditions = [
        _condition("Accepted", "Accepted", seen),
        _condition("Programmed", "Programmed", seen),
        _condition("ResolvedRefs", "ResolvedRefs", seen),
        _condition("Conflicted", "NoConflicts", seen, status=False),
    ]
    listeners = [
        {
            "name": listener["name"],
            "supportedKinds": kinds,
            "attachedRoutes": attached,
            "conditions": listener_conditions,
        }
        for listener in gateway["spec"]["listeners"]
    ]
    conditions = [_condition("Accepted", "Accepted", seen), _condition("Programmed", "Programmed", seen)]
    status = {
        "addresses": [{"type": "IPAddress", "value": address}],
        "conditions": conditions,
        "listeners": listeners,
    }
    plane.patch_status("gateway", name, status, namespace)


def accept_route(plane: ControlPlane, name: str, namespace: str) -> None:
    """Accept an HTTPRoute for all its parents, with every reference resolved."""
    route = plane.api.get(f"/apis/{GATEWAY}/v1/namespaces/{namespace}/httproutes/{name}").body
    seen = route["metadata"]
    conditions = [_condition("Accepted", "Accepted", seen), _condition("ResolvedRefs", "ResolvedRefs", seen)]
    parents = [
        {"parentRef": parent, "controllerName": "istio.io/gateway-controller", "conditions": conditions}
        for parent in route["spec"]["parentRefs"]
    ]
    plane.patch_status("httproute", name, {"parents": parents}, namespace)
