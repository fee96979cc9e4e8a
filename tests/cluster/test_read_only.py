"""The Kubernetes source on a real API server: it reads what it may, says what it may not, and never writes."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aksnav.model.change import Change, Reading
from aksnav.sources.kubernetes.source import KubernetesSource
from aksnav.sources.options import Options
from aksnav.store.store import Store
from tests.cluster.access import TEST_USERS
from tests.cluster.api_client import until
from tests.cluster.control_plane import ControlPlane

READING = {"get", "list", "watch"}
NODE = "aks-read-00000002-vmss000000"


class Session:
    """A source and the store that it fills; what it says is applied when a test asks."""

    def __init__(self, options: Options, *, once: bool) -> None:
        self._said: queue.SimpleQueue[Change] = queue.SimpleQueue()
        self._store = Store()
        self.source = KubernetesSource(self._said.put, options, once=once)

    @property
    def store(self) -> Store:
        """The store, with everything applied that was said until now."""
        while not self._said.empty():
            self._store.apply(self._said.get())
        return self._store


@contextmanager
def reading(plane: ControlPlane, user: str, *, once: bool = False) -> Iterator[Session]:
    """Read as a user, until the end of the block."""
    session = Session(Options(kubeconfig=str(plane.layout.kubeconfig(user)), no_azure=True), once=once)
    session.source.start()
    try:
        yield session
    finally:
        session.source.stop()
        assert session.source.wait(20.0)


@pytest.fixture
def shop(control_plane: ControlPlane, namespace: str) -> str:
    """Give a namespace with a Service and its Pod, which ``namespace-only`` may read."""
    addresses = [{"type": "InternalIP", "address": "10.224.3.5"}, {"type": "Hostname", "address": NODE}]
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": NODE},
        "spec": {"podCIDR": "10.244.201.0/24", "podCIDRs": ["10.244.201.0/24"]},
        "status": {"addresses": addresses},
    }
    metadata = {"name": "web", "namespace": namespace, "labels": {"app": "web"}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
    pod["spec"] = {"nodeName": NODE, "containers": [{"name": "web", "image": "web"}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": namespace}}
    service["spec"] = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    control_plane.apply([node, pod, service])
    control_plane.kubeconfig("namespace-only", namespace)
    control_plane.wait_for_readiness("web", namespace, ready=True)
    narrow, path = control_plane.client("namespace-only"), f"/api/v1/namespaces/{namespace}/pods/web"
    until(lambda: narrow.get(path).code == 200, what="the authorizer has seen the binding")
    return namespace


@pytest.mark.parametrize("user", TEST_USERS)
@pytest.mark.usefixtures("shop")
def test_whoever_reads_nothing_is_written(control_plane: ControlPlane, user: str) -> None:
    """The audit log has get, list and watch alone; not even a review of what the user may do."""
    mark = control_plane.audit_mark()
    with reading(control_plane, user, once=True) as session:
        assert session.source.wait(20.0)
    events = control_plane.audit_events(user, mark)
    assert events
    assert {event.verb for event in events} <= READING


def test_a_user_of_one_namespace_gets_that_namespace(control_plane: ControlPlane, shop: str) -> None:
    """What may not be read everywhere is read in the namespace of the context, and nodes are said to be refused."""
    with reading(control_plane, "namespace-only", once=True) as session:
        assert session.source.wait(20.0)
        store = session.store
    assert set(store.pods.ids()) == {f"{shop}/web"}
    assert store.nodes.access().reading is Reading.DENIED
    assert len(store.nodes) == 0


def test_a_user_of_nothing_is_told_so(control_plane: ControlPlane, shop: str) -> None:
    """Every kind is refused, none is empty."""
    assert shop
    with reading(control_plane, "nothing", once=True) as session:
        assert session.source.wait(20.0)
        store = session.store
    assert {table.access().reading for table in (store.pods, store.services, store.nodes)} == {Reading.DENIED}
