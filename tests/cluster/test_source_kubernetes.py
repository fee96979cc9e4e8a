"""The Kubernetes source and the feed on a real API server: everything that kubectl shows, in both ways of reading."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from aksnav.model.change import Change, Reading
from aksnav.model.kinds import KUBERNETES_KINDS
from aksnav.model.kubernetes.gateway import Gateway
from aksnav.model.kubernetes.secret import Secret
from aksnav.model.object import Ref
from aksnav.sources.feed import Feed
from aksnav.sources.kubernetes.access import permissions
from aksnav.sources.kubernetes.contexts import log_in
from aksnav.sources.kubernetes.discovery import discover
from aksnav.sources.kubernetes.pace import RealPace
from aksnav.sources.kubernetes.transport import Transport
from aksnav.sources.options import ListMode, Options
from aksnav.store import Store
from tests.cluster.api_client import until
from tests.cluster.control_plane import ControlPlane

BOUND = 60.0
NODE = "aks-source-00000001-vmss000000"
# The standard channel of the Gateway API, which build.sh installs; nothing else that is optional is there.
INSTALLED = {"GatewayClass", "Gateway", "HTTPRoute", "GRPCRoute", "BackendTLSPolicy", "ReferenceGrant"}
FOLLOWED = [
    kind
    for kind in KUBERNETES_KINDS
    if kind.name != "Event" and not kind.by_name and (not kind.optional or kind.name in INSTALLED)
]


class Screen:
    """A feed whose changes go into a store, as in the explorer."""

    def __init__(self, options: Options) -> None:
        self.store = Store()
        self.feed = Feed(options)
        self._woken = threading.Event()
        self.feed.start(self._woken.set)
        self.changes: list[Change] = []

    def until(self, fact: Callable[[], object], what: str) -> None:
        """Drain until a fact has come true."""
        end = time.monotonic() + BOUND
        while not fact():
            assert time.monotonic() < end, what
            self._woken.wait(0.2)
            self._woken.clear()
            while changes := self.feed.drain(0.008):
                self.changes += changes
                for change in changes:
                    self.store.apply(change)

    def complete(self) -> None:
        """Drain until every kind is live."""
        self.until(
            lambda: all(self.store.tables[kind.name].access().reading is Reading.LIVE for kind in FOLLOWED),
            "every kind is live",
        )


@contextmanager
def shown(plane: ControlPlane, user: str, list_mode: ListMode = ListMode.PAGED) -> Iterator[Screen]:
    """Read as a user through the child process, until the end of the block."""
    screen = Screen(Options(kubeconfig=str(plane.layout.kubeconfig(user)), no_azure=True, list_mode=list_mode))
    try:
        yield screen
    finally:
        screen.feed.stop()


def manifests(namespace: str) -> list[dict[str, Any]]:
    """Make one object or more of every kind that is followed."""

    def made(api: str, kind: str, name: str, **rest: Any) -> dict[str, Any]:
        return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **rest}

    gateway, networking = "gateway.networking.k8s.io/v1", "networking.k8s.io/v1"
    addresses = [{"type": "InternalIP", "address": "10.224.3.9"}, {"type": "Hostname", "address": NODE}]
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    web = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"nodeName": NODE, "containers": [{"name": "c", "image": "i"}]},
    }
    listener = {"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "gone"}]}}
    web_rule = {"backendRefs": [{"name": "web", "port": 80}]}
    route = {"parentRefs": [{"name": "web"}], "rules": [web_rule]}
    grant = {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "elsewhere"}],
        "to": [{"group": "", "kind": "Service"}],
    }
    replicas = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": web}
    return [
        made("v1", "Node", NODE, spec={"podCIDR": "10.244.209.0/24"}, status={"addresses": addresses}),
        made("apps/v1", "Deployment", "web", spec=replicas),
        made("v1", "Service", "web", spec={"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}),
        made("v1", "Secret", "there", type="Opaque", stringData={"password": "not to be seen"}),
        made(networking, "IngressClass", f"class-{namespace}", spec={"controller": "example.com/c"}),
        made(networking, "Ingress", "web", spec={"rules": [rule], "tls": [{"secretName": "there"}]}),
        made(networking, "NetworkPolicy", "none", spec={"podSelector": {}, "policyTypes": ["Ingress"]}),
        made(gateway, "GatewayClass", f"class-{namespace}", spec={"controllerName": "example.com/c"}),
        made(gateway, "Gateway", "web", spec={"gatewayClassName": f"class-{namespace}", "listeners": [listener]}),
        made(gateway, "HTTPRoute", "web", spec=route),
        made("gateway.networking.k8s.io/v1beta1", "ReferenceGrant", "web", spec=grant),
    ]


@pytest.fixture
def shop(control_plane: ControlPlane, namespace: str) -> str:
    """Give a namespace with an object of every kind, three ready Pods among them."""
    control_plane.apply(manifests(namespace))
    path = f"/api/v1/namespaces/{namespace}/pods"

    def ready() -> bool:
        items = control_plane.api.get(path).body["items"]
        states = [c["status"] for item in items for c in item["status"].get("conditions", []) if c["type"] == "Ready"]
        return states == ["True"] * 3

    until(ready, BOUND, "three Pods are ready")
    return namespace


def terminating(plane: ControlPlane) -> list[str]:
    """Return the namespaces that are being deleted, with all that is in them."""
    items = plane.api.get("/api/v1/namespaces").body["items"]
    return [item["metadata"]["name"] for item in items if item["status"]["phase"] == "Terminating"]


def listed_by_kubectl(plane: ControlPlane) -> dict[str, set[str]]:
    """Return the ids of every object that kubectl shows, by kind."""
    out: dict[str, set[str]] = {}
    for kind in FOLLOWED:
        resource = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
        items = json.loads(plane.kubectl("get", resource, "-A", "-o", "json"))["items"]
        out[kind.name] = {
            "/".join(filter(None, (m.get("namespace"), m["name"]))) for m in (i["metadata"] for i in items)
        }
    return out


@pytest.mark.parametrize("mode", list(ListMode))
def test_the_store_is_what_kubectl_shows(control_plane: ControlPlane, shop: str, mode: ListMode) -> None:
    """Every kind, read in pages and as a streamed list, equals kubectl's view; nothing is undecodable."""
    with shown(control_plane, "reader", mode) as screen:
        screen.complete()
        until(lambda: not terminating(control_plane), BOUND, "the namespaces of other tests are gone")
        expected = listed_by_kubectl(control_plane)
        screen.until(
            lambda: {name: set(screen.store.tables[name].ids()) for name in expected} == expected,
            "the store equals kubectl's view",
        )
        # test_gateway_kinds.py makes objects of these two, and sees them.
        assert {kind for kind, ids in expected.items() if ids} >= set(expected) - {"GRPCRoute", "BackendTLSPolicy"}
        assert not [table.undecodable for table in screen.store.tables.values() if table.undecodable]
        (piece,) = screen.store.slices_of(f"{shop}/web")
        assert {e.target_ref.name for e in piece.endpoints} == {
            pod.name for pod in screen.store.pods if pod.namespace == shop
        }


def test_what_happens_is_followed_through_restart_and_compaction(control_plane: ControlPlane, shop: str) -> None:
    """Scaling, deleting and turning unready arrive; nothing leaves the table while the API server is away."""
    with shown(control_plane, "reader") as screen:
        screen.complete()
        mine = {pod.id for pod in screen.store.pods if pod.namespace == shop}
        assert len(mine) == 3
        control_plane.stop_api_server()
        screen.until(lambda: screen.store.sources["kubernetes"].reading is Reading.STALE, "the connection is lost")
        screen.until(lambda: screen.store.pods.access().reading is Reading.STALE, "Pods are stale")
        assert mine <= set(screen.store.pods.ids())
        assert "refused" in screen.store.pods.access().reason
        control_plane.start_api_server()
        screen.until(lambda: screen.store.pods.access().reading is Reading.LIVE, "Pods are live again")
        control_plane.compact()
        gone = min(mine)
        control_plane.delete("pod", gone.partition("/")[2], shop, wait=False)
        screen.until(lambda: gone not in screen.store.pods, "the deleted Pod is gone")
        screen.until(
            lambda: len([pod for pod in screen.store.pods if pod.namespace == shop and not pod.deleting]) == 3,
            "its successor is there",
        )
        assert {pod_id for pod_id in mine if pod_id in screen.store.pods} == mine - {gone}


def test_secrets_are_known_to_exist_or_not_without_their_data(control_plane: ControlPlane, shop: str) -> None:
    """The administrator's Ingress names one that exists, the Gateway one that does not; the audit log has get only."""
    mark = control_plane.audit_mark()
    with shown(control_plane, "administrator") as screen:
        screen.complete()
        secrets = screen.store.secrets
        screen.until(lambda: secrets.get(f"{shop}/there") and secrets.get(f"{shop}/gone"), "both were asked for")
        there, gone = secrets.get(f"{shop}/there"), secrets.get(f"{shop}/gone")
        assert isinstance(there, Secret)
        assert isinstance(gone, Secret)
        assert (there.exists, there.keys, gone.exists) == (True, None, False)
        raw = screen.feed.request_raw(Ref("Secret", f"{shop}/there")).result(BOUND)
        assert json.loads(raw)["kind"] == "PartialObjectMetadata"
        # ``kubectl apply`` put the whole Secret into an annotation.
        assert b"password" not in raw
    events = control_plane.audit_events("administrator", mark)
    assert {event.verb for event in events if event.resource == "secrets"} == {"get"}
    assert {event.verb for event in events} <= {"get", "list", "watch"}


def test_a_reader_without_secrets_is_told_so(control_plane: ControlPlane, shop: str) -> None:
    """Denied in that namespace, with the verb, the resource and the user; the Secret is neither there nor absent."""
    with shown(control_plane, "reader") as screen:
        screen.complete()
        secrets = screen.store.secrets
        screen.until(lambda: secrets.access(shop).reading is Reading.DENIED, "Secrets are denied")
        assert secrets.access(shop).reason.endswith(f'in namespace {shop}: forbidden for user "reader" (403)')
        assert len(secrets) == 0


def test_permissions_are_what_the_authorizer_says(control_plane: ControlPlane) -> None:
    """The doctor's reviews: the reader may list and watch everything but get no Secret; nobody else is asked."""
    login = log_in(None, str(control_plane.kubeconfig("reader")))
    transport = Transport(lambda: login, RealPace(threading.Event()))
    found = list(permissions(transport, discover(transport)))
    transport.close()
    refused = {(item.kind, item.verb) for item in found if not item.allowed}
    assert refused == {("Secret", "get")}
    assert {item.kind for item in found} == {kind.name for kind in FOLLOWED} | {"Event", "Secret", "ConfigMap"}


def test_one_object_comes_as_the_server_has_it(control_plane: ControlPlane, shop: str) -> None:
    """The wire form of an object equals what the API server answers."""
    with shown(control_plane, "reader") as screen:
        screen.complete()
        raw = screen.feed.request_raw(Ref(Gateway.KIND, f"{shop}/web")).result(BOUND)
        path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{shop}/gateways/web"
        assert json.loads(raw)["spec"] == control_plane.api.get(path).body["spec"]
        missing = screen.feed.request_raw(Ref(Gateway.KIND, f"{shop}/none")).exception(BOUND)
        assert str(missing) == 'gateways.gateway.networking.k8s.io "none" not found (404)'
