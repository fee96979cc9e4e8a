"""Faults made through the API server: controllers do their part, kubectl writes the bundle, aksnav names the fault."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import cloud, sample
from tests.cluster.api_client import until
from tests.cluster.bundle import Bundle, Document, steps_of
from tests.cluster.control_plane import ControlPlane

API = "https://shop.contoso.com/api"
STORE = "http://store.contoso.com/api"
BOUND = 60.0


def api_endpoints(plane: ControlPlane) -> list[tuple[bool, int | None]]:
    """Return readiness and port of each endpoint of the Service api."""
    query = "labelSelector=kubernetes.io/service-name%3Dapi"
    slices = plane.api.get(f"/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices?{query}").body["items"]
    return [
        (endpoint["conditions"]["ready"], port.get("port"))
        for piece in slices
        for endpoint in piece["endpoints"] or []
        for port in piece["ports"] or [{}]
    ]


def api_pods(plane: ControlPlane) -> list[str]:
    """Return the names of the Pods of api."""
    items = plane.api.get("/api/v1/namespaces/shop/pods?labelSelector=app%3Dapi").body["items"]
    return sorted(item["metadata"]["name"] for item in items)


def healthy(plane: ControlPlane) -> None:
    """Wait until api has its three ready endpoints."""
    until(lambda: api_endpoints(plane) == [(True, 9090)] * 3, BOUND, "three ready endpoints of api")


def patch_port(plane: ControlPlane, target: int | str) -> None:
    """Give the Service api another targetPort."""
    port = {"name": "http", "port": 8080, "targetPort": target, "appProtocol": "http"}
    plane.patch("service", "api", {"spec": {"ports": [port]}}, "shop")


def probes_fail(plane: ControlPlane) -> None:
    """Let the readiness probe of every Pod of api fail."""
    for name in api_pods(plane):
        plane.set_ready(name, "shop", ready=False)
    until(lambda: [ready for ready, _ in api_endpoints(plane)] == [False] * 3, BOUND, "no ready endpoint of api")


def named_port_missing(plane: ControlPlane) -> None:
    """Name a port that no container has."""
    patch_port(plane, "web")
    until(lambda: not [port for _, port in api_endpoints(plane) if port], BOUND, "no endpoint with a port")


def wrong_target_port(plane: ControlPlane) -> None:
    """Send to a port on which nothing listens, and which no policy admits."""
    patch_port(plane, 9999)
    until(lambda: api_endpoints(plane) == [(True, 9999)] * 3, BOUND, "endpoints with the new port")


def selector_of_nothing(plane: ControlPlane) -> None:
    """Select by a label that no Pod has."""
    plane.patch("service", "api", {"spec": {"selector": {"app": "apy"}}}, "shop")
    until(lambda: not api_endpoints(plane), BOUND, "no endpoint of api")


def gateway_not_admitted(plane: ControlPlane) -> None:
    """Take away the policy that admits NGINX."""
    plane.delete("networkpolicy", "allow-nginx", "shop")


def class_nobody_claims(plane: ControlPlane) -> None:
    """Name a class that does not exist."""
    plane.patch("ingress", "shop", {"spec": {"ingressClassName": "nginx-internal"}}, "shop")


def no_reference_grant(plane: ControlPlane) -> None:
    """Send to a Service of another namespace, which grants nothing."""
    away = {"name": "orders", "namespace": "orders", "port": 443}
    rules = [{"matches": [{"path": {"type": "PathPrefix", "value": "/api"}}], "backendRefs": [away]}]
    plane.patch("httproute", "storefront", {"spec": {"rules": rules}}, "shop")


@dataclass(frozen=True)
class Case:
    """A fault, the request that meets it, and what has to be said."""

    fault: Callable[[ControlPlane], None]
    verdict: tuple[str, int | None]
    cause: str
    field: tuple[str, str]
    target: str = API


CASES = [
    Case(probes_fail, ("responds", 503), "S02", (".endpoints[0].conditions.ready", "false")),
    Case(named_port_missing, ("responds", 503), "S04", (".spec.ports[0].targetPort", "web")),
    Case(wrong_target_port, ("responds", 504), "S03", (".spec.ports[0].targetPort", "9999")),
    Case(selector_of_nothing, ("responds", 503), "S01", (".spec.selector", "app=apy")),
    Case(gateway_not_admitted, ("responds", 504), "P01", (".spec.policyTypes", "Ingress")),
    Case(class_nobody_claims, ("responds", 404), "I02", (".spec.ingressClassName", "nginx-internal")),
    Case(no_reference_grant, ("responds", 500), "G06", (".spec.rules[0].backendRefs[0].namespace", "orders"), STORE),
]


@pytest.fixture
def plane(sample_cluster: ControlPlane) -> Iterator[ControlPlane]:
    """Give the sample cluster, and put it back afterwards."""
    yield sample_cluster
    mend(sample_cluster)


def mend(plane: ControlPlane) -> None:
    """Apply the sample's manifests again, let its Pods be ready, and its route be accepted as it is now."""
    plane.apply(sample.MANIFESTS / "40-shop.yaml")
    plane.apply(sample.MANIFESTS / "50-gateway.yaml")
    plane.apply(sample.MANIFESTS / "70-policies.yaml")
    for name in api_pods(plane):
        plane.set_ready(name, "shop", ready=True)
    cloud.accept_route(plane, "storefront", "shop")
    healthy(plane)


def export(plane: ControlPlane, folder: Path) -> Bundle:
    """Export the cluster as it is now."""
    sample.export_capture(plane, folder)
    return Bundle(folder)


def said_by(items: list[Document], cause: str, name: str) -> set[tuple[Any, Any]]:
    """Return the fields and values in the evidence of the steps or findings with a check id."""
    return {
        (fact["field"], fact["value"]) for item in items if item.get(name) == cause for fact in item.get("evidence", ())
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fault.__name__)
def test_a_fault_made_on_the_api_server_is_named_and_gone_when_it_is_mended(
    case: Case, plane: ControlPlane, tmp_path: Path
) -> None:
    """Verdict, check id and deciding field, on what the API server and its controllers made of the fault."""
    case.fault(plane)
    broken = export(plane, tmp_path / "broken")
    said = broken.trace(case.target)
    assert (said.status, said.data["verdict"], said.data["status"]) == (1, *case.verdict)
    assert case.cause in said.data["causes"]
    assert case.field in said_by(list(steps_of(said.data["steps"])), case.cause, "cause")
    assert case.field in said_by(broken.findings(), case.cause, "id")
    mend(plane)
    mended = export(plane, tmp_path / "mended")
    after = mended.trace(case.target)
    assert (after.status, after.data["verdict"], after.data["causes"]) == (0, "delivered", [])
    assert mended.findings() == []
