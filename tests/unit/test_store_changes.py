"""What counts as a change of a table, and the indexes that follow it."""

from aksnav.model.change import Heartbeat, ListEnded, ListStarted, Removed, Upserted
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Node, Pod, PodTemplate
from aksnav.model.labels import Labels
from aksnav.store import Store


def pod(name: str, **labels: str) -> Pod:
    """Make a Pod with labels."""
    return Pod(name=name, namespace="shop", template=PodTemplate.of(labels=Labels.of(labels)), ips=("10.0.0.1",))


def test_a_row_that_differs_in_its_resource_version_alone_is_no_change() -> None:
    """A node's heartbeat wakes nobody, and the newest resource version is kept all the same."""
    store = Store()
    store.apply(Upserted("Node", [Node(name="n1", resource_version="1")]))
    version = store.nodes.version
    store.apply(Upserted("Node", [Node(name="n1", resource_version="2")]))
    found = store.nodes.get("n1")
    assert (store.nodes.version, store.nodes.changed_since(version)) == (version, set())
    assert found is not None
    assert found.resource_version == "2"
    store.apply(Upserted("Node", [Node(name="n1", resource_version="3", unschedulable=True)]))
    assert store.nodes.changed_since(version) == {"n1"}


def test_a_heartbeat_makes_rows_younger_and_changes_nothing() -> None:
    """The time as of which rows are right moves; the version does not."""
    store = Store()
    store.apply(ListStarted("Node", ""))
    assert store.nodes.listing
    store.apply(ListEnded("Node", "", 1.0))
    assert not store.nodes.listing
    version = store.nodes.version
    store.apply(Heartbeat("Node", 9.0, ""))
    assert (store.nodes.version, store.nodes.access().at) == (version, 9.0)


def test_services_are_found_from_a_pod_by_their_selectors() -> None:
    """Every pair of a selector has to hold, in the Pod's namespace; what changes or goes is no longer found."""
    store = Store()
    one, two = pod("one", app="web", tier="front"), pod("two", app="web")
    wide = Service(name="wide", namespace="shop", selector={"app": "web"})
    narrow = Service(name="narrow", namespace="shop", selector={"tier": "front", "app": "web"})
    other = Service(name="other", namespace="media", selector={"app": "web"})
    none = Service(name="none", namespace="shop")
    store.apply(Upserted("Service", [wide, narrow, other, none]))
    of = store.services_by_selector.of
    assert (of(one), of(two)) == (["shop/narrow", "shop/wide"], ["shop/wide"])
    store.apply(Upserted("Service", [Service(name="wide", namespace="shop", selector={"app": "api"})]))
    store.apply(Removed("Service", ["shop/narrow"]))
    assert (of(one), of(two)) == ([], [])


def test_rows_that_share_an_address_are_all_found() -> None:
    """A finished Pod and its successor have the same address; when one goes the other stays."""
    store = Store()
    store.apply(Upserted("Pod", [pod("one"), pod("two"), pod("three")]))
    address = next(iter(store.pods_by_address.keys()))
    store.apply(Removed("Pod", ["shop/two"]))
    assert [row.name for row in store.pods_at(address)] == ["one", "three"]
    store.apply(Removed("Pod", ["shop/one", "shop/three"]))
    assert store.pods_at(address) == []
