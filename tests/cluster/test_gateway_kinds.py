"""Gateway API objects as a real API server keeps them: its defaults are decoded, and what it lets in may conflict."""

from typing import Any

import pytest

from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.model.kubernetes.gateway import BackendTLSPolicy, Gateway, GRPCRoute, HTTPRoute
from aksnav.trace.gateway import conflicts
from tests.cluster.control_plane import ControlPlane, KubectlError

VERSION = "gateway.networking.k8s.io/v1"


def _object(kind: str, name: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": VERSION, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _kept(plane: ControlPlane, kind: str, name: str, namespace: str) -> Any:
    plural = KINDS[kind].plural
    body = plane.api.get(f"/apis/{VERSION}/namespaces/{namespace}/{plural}/{name}").body
    return decode_wire(KINDS[kind], body)


def test_a_grpc_route_is_kept_with_the_defaults_that_we_read(control_plane: ControlPlane, namespace: str) -> None:
    """Type Exact, weight 1, and a parent that is a Gateway."""
    rule = {
        "matches": [{"method": {"service": "shop.Cart", "method": "Add"}}],
        "backendRefs": [{"name": "a", "port": 80}],
    }
    spec = {"parentRefs": [{"name": "web"}], "hostnames": ["a.example.com"], "rules": [rule]}
    control_plane.apply([_object("GRPCRoute", "r", namespace, spec)])
    row = _kept(control_plane, "GRPCRoute", "r", namespace)
    assert isinstance(row, GRPCRoute)
    assert row.generation == 1
    assert (row.parent_refs[0].kind, row.parent_refs[0].group) == ("Gateway", "gateway.networking.k8s.io")
    found = row.rules[0]
    assert (found.matches[0].method.type, found.matches[0].method.service) == ("Exact", "shop.Cart")
    assert (found.backend_refs[0].kind, found.backend_refs[0].weight) == ("Service", 1)


def test_an_http_route_without_matches_is_kept_with_a_prefix_of_everything(
    control_plane: ControlPlane, namespace: str
) -> None:
    """The default match is written by the API server."""
    spec = {"parentRefs": [{"name": "web"}], "rules": [{"backendRefs": [{"name": "a", "port": 80}]}]}
    control_plane.apply([_object("HTTPRoute", "r", namespace, spec)])
    row = _kept(control_plane, "HTTPRoute", "r", namespace)
    assert isinstance(row, HTTPRoute)
    assert [(item.path.type, item.path.value) for item in row.rules[0].matches] == [("PathPrefix", "/")]


def test_a_backend_policy_is_kept_as_we_read_it(control_plane: ControlPlane, namespace: str) -> None:
    """Targets, authority and server name; one without any authority is refused."""
    target = {"group": "", "kind": "Service", "name": "a", "sectionName": "https"}
    validation: dict[str, Any] = {"hostname": "inner.example.com"}
    authority = {"caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "ca"}]}
    spec = {"targetRefs": [target], "validation": {**validation, **authority}}
    control_plane.apply([_object("BackendTLSPolicy", "p", namespace, spec)])
    row = _kept(control_plane, "BackendTLSPolicy", "p", namespace)
    assert isinstance(row, BackendTLSPolicy)
    assert (row.target_refs[0].name, row.target_refs[0].section_name) == ("a", "https")
    assert (row.validation.hostname, row.validation.ca_certificate_refs[0].name) == ("inner.example.com", "ca")
    spec = {"targetRefs": [target], "validation": validation}
    with pytest.raises(KubectlError, match="must specify either CACertificateRefs or WellKnownCACertificates"):
        control_plane.apply([_object("BackendTLSPolicy", "q", namespace, spec)])


def test_what_the_api_server_lets_in_may_still_conflict(control_plane: ControlPlane, namespace: str) -> None:
    """It refuses two listeners that are equal, and lets one port speak two protocols: that is ours to find."""
    one = {"name": "one", "port": 80, "protocol": "HTTP"}
    two = {"name": "two", "port": 80, "protocol": "TCP"}
    spec = {"gatewayClassName": "istio", "listeners": [one, two]}
    control_plane.apply([_object("Gateway", "web", namespace, spec)])
    row = _kept(control_plane, "Gateway", "web", namespace)
    assert isinstance(row, Gateway)
    found = conflicts.find(row)
    assert {name: item.reason for name, item in found.items()} == {"one": "ProtocolConflict", "two": "ProtocolConflict"}
    # What the API server writes into a new status is no word of a controller.
    assert {item.status for item in row.status.conditions} == {"Unknown"}
    spec = {"gatewayClassName": "istio", "listeners": [one, {**one, "name": "two"}]}
    with pytest.raises(KubectlError, match="must be unique for each listener"):
        control_plane.apply([_object("Gateway", "again", namespace, spec)])
