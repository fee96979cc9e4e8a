"""Indexes after any sequence of changes are what a scan of the rows gives."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aksnav.model.addresses import parse_address
from aksnav.model.change import Change, ListEnded, ListStarted, Removed, UndecodableFound, Upserted
from aksnav.model.kubernetes.service import EndpointSlice, IngressPoint, LoadBalancerStatus, Service, ServiceStatus
from aksnav.model.kubernetes.workload import Node, Pod, PodTemplate
from aksnav.model.labels import Labels, LabelSelector, Requirement
from aksnav.store import Store
from aksnav.store.indexes import PodClasses

NAMES = st.sampled_from(["x", "y", "z"])
NAMESPACES = st.sampled_from(["a", "b"])
IPS = st.lists(st.sampled_from(["10.0.0.1", "10.0.0.2", "fd00::1", "::ffff:10.0.0.1", "bad", ""]), max_size=3).map(
    tuple
)
LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["1", "2", ""]), max_size=2)

PODS = st.builds(
    lambda name, namespace, ips, labels, node, phase: Pod(
        name=name,
        namespace=namespace,
        ips=ips,
        template=PodTemplate.of(Labels.of(labels)),
        node=node,
        phase=phase,
    ),
    NAMES,
    NAMESPACES,
    IPS,
    LABELS,
    st.sampled_from(["n1", "n2", ""]),
    st.sampled_from(["Running", "Failed"]),
)
NODES = st.builds(lambda name, ips: Node(name=name, addresses=tuple(("InternalIP", ip) for ip in ips)), NAMES, IPS)
SERVICES = st.builds(
    lambda name, namespace, ips, outside, selector: Service(
        name=name,
        namespace=namespace,
        cluster_ips=ips,
        external_ips=outside[:1],
        selector=selector,
        status=ServiceStatus(LoadBalancerStatus(tuple(IngressPoint(ip=ip) for ip in outside[1:]))),
    ),
    NAMES,
    NAMESPACES,
    IPS,
    IPS,
    st.one_of(st.none(), LABELS),
)
SLICES = st.builds(
    lambda name, namespace, service: EndpointSlice(
        name=name,
        namespace=namespace,
        labels=Labels.of({"kubernetes.io/service-name": service} if service else {}),
    ),
    NAMES,
    NAMESPACES,
    st.sampled_from(["x", "y", ""]),
)
KINDS: dict[str, tuple[Any, bool]] = {
    "Pod": (PODS, True),
    "Node": (NODES, False),
    "Service": (SERVICES, True),
    "EndpointSlice": (SLICES, True),
}


@st.composite
def changes(draw: st.DrawFn) -> Change:
    kind = draw(st.sampled_from(sorted(KINDS)))
    rows, namespaced = KINDS[kind]
    name = draw(NAMES)
    ident = f"{draw(NAMESPACES)}/{name}" if namespaced else name
    scope = draw(st.sampled_from(["", "a"])) if namespaced else ""
    return draw(
        st.one_of(
            st.lists(rows, max_size=4).map(lambda found: Upserted(kind, found)),
            st.just(Removed(kind, [ident, ident])),
            st.just(UndecodableFound(kind, ident, "bad")),
            st.just(ListStarted(kind, scope)),
            st.just(ListEnded(kind, scope)),
        )
    )


def numbers(*texts: str) -> set[int]:
    return {number for number in map(parse_address, texts) if number is not None}


@settings(max_examples=300, deadline=None)
@given(st.lists(changes(), max_size=14))
def test_indexes_are_what_a_scan_gives(batch: list[Change]) -> None:
    """Updates, removals, relists and undecodable objects in any order."""
    store = Store()
    for change in batch:
        store.apply(change)
    for text in ("10.0.0.1", "10.0.0.2", "fd00::1"):
        number = parse_address(text) or 0
        assert [row.id for row in store.pods_at(number)] == sorted(
            row.id for row in store.pods if number in numbers(*row.ips)
        )
        assert [row.id for row in store.nodes_at(number)] == sorted(
            row.id for row in store.nodes if number in numbers(*(ip for _, ip in row.addresses))
        )
        assert [row.id for row in store.services_at(number)] == sorted(
            row.id for row in store.services if number in numbers(*row.virtual_ips, *row.external_addresses)
        )
    for node in ("n1", "n2", ""):
        assert [row.id for row in store.pods_of_node(node)] == sorted(row.id for row in store.pods if row.node == node)
    for service in ("a/x", "a/y", "b/x"):
        assert [row.id for row in store.slices_of(service)] == sorted(
            row.id for row in store.endpoint_slices if row.service and f"{row.namespace}/{row.service}" == service
        )


@settings(max_examples=300, deadline=None)
@given(st.lists(changes(), max_size=14), LABELS)
def test_label_classes_and_selectors_are_what_a_scan_gives(batch: list[Change], wanted: dict[str, str]) -> None:
    """Classes have exactly the Pods that there are, and a selector selects what it selects of each Pod."""
    store = Store()
    for change in batch:
        store.apply(change)
    assert set(store.pod_classes.all_classes()) == {(row.namespace, row.labels) for row in store.pods}
    selectors = [LabelSelector(wanted), LabelSelector({}, (Requirement("app", "NotIn", ("1",)),))]
    for namespace in ("a", "b"):
        assert set(store.pod_classes.classes(namespace)) == {
            row.labels for row in store.pods if row.namespace == namespace
        }
        for selector in selectors:
            assert store.pod_classes.matching(namespace, selector) == sorted(
                row.id for row in store.pods if row.namespace == namespace and selector.matches(row.labels)
            )
    for pod in store.pods:
        assert store.services_by_selector.of(pod) == sorted(
            row.id
            for row in store.services
            if row.selector and row.namespace == pod.namespace and LabelSelector(row.selector).matches(pod.labels)
        )


@given(st.lists(changes(), max_size=8))
def test_an_index_that_comes_late_knows_what_is_there(batch: list[Change]) -> None:
    """An index that begins to follow a table is told of every row."""
    store = Store()
    for change in batch:
        store.apply(change)
    late = PodClasses()
    store.pods.follow(late)
    assert set(late.all_classes()) == set(store.pod_classes.all_classes())
    for namespace, labels in late.all_classes():
        assert set(late.pods(namespace, labels)) == set(store.pod_classes.pods(namespace, labels))


@given(st.lists(PODS, max_size=6), st.lists(PODS, max_size=6))
def test_a_store_that_is_filled_before_it_is_asked_finds_the_same_pods(first: list[Pod], then: list[Pod]) -> None:
    """Indexes that wait for the first question hold what those hold that grew with every row, and follow from then."""
    grown, filled = Store(), Store(at_once=True)
    for pods in (first, then):
        for store in (grown, filled):
            store.apply(Upserted("Pod", [*pods]))
        for index, late in (
            (grown.pods_by_address, filled.pods_by_address),
            (grown.pods_by_node, filled.pods_by_node),
        ):
            assert set(late.keys()) == set(index.keys())
        for address in list(grown.pods_by_address.keys()):
            assert filled.pods_at(address) == grown.pods_at(address)
        for node in list(grown.pods_by_node.keys()):
            assert filled.pods_of_node(node) == grown.pods_of_node(node)
