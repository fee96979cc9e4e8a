"""The harness itself: what a test may rely on when it uses the real control plane."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import fill, sample
from tests.cluster.access import AuditEvent
from tests.cluster.api_client import MERGE_PATCH, ApiClient, until
from tests.cluster.control_plane import ControlPlane, KubectlError

NODE = "aks-test-00000001-vmss000000"


@pytest.fixture(scope="module", autouse=True)
def _node(control_plane: ControlPlane) -> None:
    """One node, for the Pods of these tests."""
    addresses = [{"type": "InternalIP", "address": "10.224.3.4"}, {"type": "Hostname", "address": NODE}]
    control_plane.apply(
        [
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": NODE, "labels": {"kubernetes.io/hostname": NODE}},
                "spec": {"podCIDR": "10.244.200.0/24", "podCIDRs": ["10.244.200.0/24"]},
                "status": {"addresses": addresses},
            }
        ]
    )


def pod(name: str, namespace: str, **labels: str) -> dict[str, Any]:
    """Build a Pod with one container that serves port 8080."""
    container = {"name": "web", "image": "web", "ports": [{"name": "http", "containerPort": 8080}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"nodeName": NODE, "containers": [container]},
    }


def service(name: str, namespace: str, **selector: str) -> dict[str, Any]:
    """Build a Service of port 80."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": selector, "ports": [{"port": 80, "targetPort": "http"}]},
    }


def route(name: str, namespace: str, path: str) -> dict[str, Any]:
    """Build an HTTPRoute that matches a path prefix."""
    rule = {"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": [{"name": "web", "port": 80}]}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"parentRefs": [{"name": "web"}], "rules": [rule]},
    }


def endpoints(api: ApiClient, namespace: str) -> dict[str, dict[str, Any]]:
    """Return the endpoints of a namespace by the name of their Pod."""
    slices = api.get(f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices").body["items"]
    return {endpoint["targetRef"]["name"]: endpoint for part in slices for endpoint in part["endpoints"] or []}


def readiness(api: ApiClient, namespace: str, name: str, *, ready: bool) -> Callable[[], bool]:
    """Make the question whether a Pod's endpoint has that readiness."""

    def ask() -> bool:
        endpoint = endpoints(api, namespace).get(name)
        return endpoint is not None and endpoint["conditions"]["ready"] is ready

    return ask


def test_the_api_server_fills_in_defaults(control_plane: ControlPlane, namespace: str) -> None:
    """A Service that states nothing gets an address, a type and policies."""
    control_plane.apply([service("web", namespace, app="web")])
    spec = control_plane.api.get(f"/api/v1/namespaces/{namespace}/services/web").body["spec"]
    assert spec["type"] == "ClusterIP"
    assert spec["clusterIP"].startswith("10.0.")
    assert spec["sessionAffinity"] == "None"
    assert spec["internalTrafficPolicy"] == "Cluster"
    assert spec["ports"][0]["protocol"] == "TCP"


def test_a_pod_gets_an_address_of_its_node_and_an_endpoint(control_plane: ControlPlane, namespace: str) -> None:
    """The EndpointSlice holds the Pod's address, the port that its name stands for, and its readiness."""
    control_plane.apply([service("web", namespace, app="web"), pod("web-0", namespace, app="web")])
    until(readiness(control_plane.api, namespace, "web-0", ready=True))
    endpoint = endpoints(control_plane.api, namespace)["web-0"]
    assert endpoint["addresses"][0].startswith("10.244.200.")
    assert endpoint["nodeName"] == NODE
    assert endpoint["conditions"] == {"ready": True, "serving": True, "terminating": False}
    part = control_plane.api.get(f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices").body["items"][0]
    assert [entry["port"] for entry in part["ports"]] == [8080]


def test_a_readiness_patch_turns_the_endpoint_off_and_on(control_plane: ControlPlane, namespace: str) -> None:
    """The Pod follows its annotation, and the endpoint follows the Pod."""
    control_plane.apply([service("web", namespace, app="web"), pod("web-0", namespace, app="web")])
    until(readiness(control_plane.api, namespace, "web-0", ready=True))
    control_plane.set_ready("web-0", namespace, ready=False)
    until(readiness(control_plane.api, namespace, "web-0", ready=False))
    assert endpoints(control_plane.api, namespace)["web-0"]["conditions"]["serving"] is False
    control_plane.set_ready("web-0", namespace, ready=True)
    until(readiness(control_plane.api, namespace, "web-0", ready=True))


def test_a_held_pod_stays_as_a_terminating_endpoint(control_plane: ControlPlane, namespace: str) -> None:
    """The annotation test.aksnav/hold keeps a deleted Pod terminating until it is taken away."""
    held = pod("web-0", namespace, app="web")
    held["metadata"]["annotations"] = {"test.aksnav/hold": ""}
    control_plane.apply([service("web", namespace, app="web"), held])
    until(readiness(control_plane.api, namespace, "web-0", ready=True))
    control_plane.delete("pod", "web-0", namespace, wait=False)
    until(readiness(control_plane.api, namespace, "web-0", ready=False))
    assert endpoints(control_plane.api, namespace)["web-0"]["conditions"] == {
        "ready": False,
        "serving": True,
        "terminating": True,
    }
    control_plane.patch("pod", "web-0", {"metadata": {"annotations": {"test.aksnav/hold": None}}}, namespace)
    until(lambda: not endpoints(control_plane.api, namespace))


def test_each_user_may_do_what_its_name_says(control_plane: ControlPlane, namespace: str) -> None:
    """The reader reads all but Secrets, namespace-only reads one namespace, nothing reads nothing."""
    reader, narrow, nothing = (control_plane.client(user) for user in ("reader", "namespace-only", "nothing"))
    kubeconfig = yaml.safe_load(control_plane.kubeconfig("namespace-only", namespace).read_text())
    assert kubeconfig["contexts"][0]["context"]["namespace"] == namespace
    pods = f"/api/v1/namespaces/{namespace}/pods"
    until(lambda: narrow.get(pods).code == 200, what="the authorizer has seen the binding")
    assert reader.get("/api/v1/nodes").code == 200
    assert reader.get("/api/v1/secrets").code == 403
    assert reader.request("DELETE", pods).code == 403
    assert narrow.get("/api/v1/nodes").code == 403
    assert narrow.get("/api/v1/pods").code == 403
    assert narrow.get("/api/v1/namespaces/kube-system/pods").code == 403
    assert nothing.get(pods).code == 403
    assert nothing.get("/apis").code == 200
    assert control_plane.client("administrator").get("/api/v1/secrets").code == 200


def test_the_audit_log_tells_who_asked_for_what(control_plane: ControlPlane, namespace: str) -> None:
    """Verbs, resources and status codes are counted by user, refusals and writes included."""
    mark = control_plane.audit_mark()
    reader = control_plane.client("reader")
    listed = reader.get(f"/api/v1/namespaces/{namespace}/services").body
    version = listed["metadata"]["resourceVersion"]
    assert list(reader.watch(f"/api/v1/namespaces/{namespace}/services", version, seconds=1)) == []
    control_plane.client("nothing").get("/api/v1/nodes")
    control_plane.client("administrator").request(
        "PATCH", f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": {"a": "b"}}}, MERGE_PATCH
    )
    assert control_plane.audit_events("reader", mark) == [
        AuditEvent("list", "services", 200),
        AuditEvent("watch", "services", 200),
    ]
    assert control_plane.audit_events("nothing", mark) == [AuditEvent("list", "nodes", 403)]
    assert control_plane.audit_events("administrator", mark) == [AuditEvent("patch", "namespaces", 200)]


def test_the_gateway_api_takes_a_route_and_refuses_a_bad_one(control_plane: ControlPlane, namespace: str) -> None:
    """The kinds are installed with their validation: a path must start with a slash."""
    control_plane.apply([route("good", namespace, "/shop")])
    stored = control_plane.api.get(f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes/good").body
    assert stored["spec"]["rules"][0]["backendRefs"][0]["weight"] == 1
    with pytest.raises(KubectlError, match="must be an absolute path"):
        control_plane.apply([route("bad", namespace, "shop")])


def test_a_status_is_written_in_the_place_of_a_cloud_controller(control_plane: ControlPlane, namespace: str) -> None:
    """A LoadBalancer Service gets the address that nobody here gives it."""
    balanced = service("web", namespace, app="web")
    balanced["spec"]["type"] = "LoadBalancer"
    control_plane.apply([balanced])
    status = {"loadBalancer": {"ingress": [{"ip": "20.50.1.9"}]}}
    control_plane.patch_status("service", "web", status, namespace)
    stored = control_plane.api.get(f"/api/v1/namespaces/{namespace}/services/web").body
    assert stored["status"]["loadBalancer"]["ingress"] == [{"ip": "20.50.1.9", "ipMode": "VIP"}]
    assert stored["spec"]["ports"][0]["nodePort"] >= 30000


def test_data_and_controllers_outlive_the_api_server(control_plane: ControlPlane, namespace: str) -> None:
    """After a restart on the same port the objects are there, and readiness is followed again."""
    control_plane.apply([service("web", namespace, app="web"), pod("web-0", namespace, app="web")])
    until(readiness(control_plane.api, namespace, "web-0", ready=True))
    before = control_plane.api.get(f"/api/v1/namespaces/{namespace}/services/web").body
    control_plane.stop_api_server()
    with pytest.raises(OSError, match="refused"):
        control_plane.api.get("/readyz")
    control_plane.start_api_server()
    assert control_plane.api.get(f"/api/v1/namespaces/{namespace}/services/web").body == before
    control_plane.set_ready("web-0", namespace, ready=False)
    until(readiness(control_plane.api, namespace, "web-0", ready=False), timeout=60.0)


def test_compaction_expires_old_watches_and_continued_lists(control_plane: ControlPlane, namespace: str) -> None:
    """A resource version from before is answered 410, and so is the next page of a list that was begun before."""
    path = f"/api/v1/namespaces/{namespace}/services"
    control_plane.apply([service(f"web-{number}", namespace, app="web") for number in range(3)])
    page = control_plane.api.get(f"{path}?limit=1").body["metadata"]
    control_plane.compact()
    event = next(control_plane.api.watch(path, page["resourceVersion"]))
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert control_plane.api.get(f"{path}?limit=1&continue={page['continue']}").code == 410
    fresh = control_plane.api.get(path).body
    assert len(fresh["items"]) == 3
    assert list(control_plane.api.watch(path, fresh["metadata"]["resourceVersion"], seconds=1)) == []


def test_what_is_filled_into_the_store_is_served() -> None:
    """Stored JSON that was never sent to the API server is listed, joins up, and takes a patch."""
    with ControlPlane(controllers=False) as plane:
        assert fill.fill(plane, fill.Size(pods=40, nodes=2, namespaces=2, replicas=10)) == 2 + 2 + 40 + 4 + 4
        pods = plane.client("reader").get("/api/v1/pods").body["items"]
        slices = plane.client("reader").get("/apis/discovery.k8s.io/v1/endpointslices").body["items"]
        plane.patch("pod", pods[0]["metadata"]["name"], {"metadata": {"labels": {"a": "b"}}}, "team-000")
        relabelled = plane.api.get("/api/v1/pods?labelSelector=a%3Db").body["items"]
    addresses = {pod["status"]["podIP"] for pod in pods}
    assert len(addresses) == 40
    assert {address for part in slices for end in part["endpoints"] for address in end["addresses"]} == addresses
    assert len(relabelled) == 1
    assert 8_000 < len(json.dumps(pods[0])) < 11_000


def test_the_sample_cluster_is_exported_as_a_support_bundle(tmp_path: Path) -> None:
    """YAML of kubectl by kind and JSON of az lie in one folder, joined by the Services' UIDs in the rules' names."""
    with ControlPlane() as plane:
        sample.load(plane)
        sample.export_capture(plane, tmp_path)
        assert {event.verb for event in plane.audit_events("reader")} <= {"get", "list"}
    services = yaml.safe_load((tmp_path / "services.yaml").read_text())
    balanced = {
        sample.load_balancer_name(item["metadata"]["uid"])
        for item in services["items"]
        if item["spec"]["type"] == "LoadBalancer"
    }
    balancers = json.loads((tmp_path / "az-network-lb-list.json").read_text())
    rules = [rule["name"] for balancer in balancers for rule in balancer["loadBalancingRules"]]
    assert {re.sub(r"-TCP-\d+$", "", name) for name in rules} == balanced
    pods = yaml.safe_load((tmp_path / "pods.yaml").read_text())["items"]
    assert all(item["status"]["phase"] == "Running" and item["spec"]["nodeName"] for item in pods)
    assert yaml.safe_load((tmp_path / "grpcroutes.yaml").read_text())["items"] == []
    assert not (tmp_path / "secrets.yaml").exists()
