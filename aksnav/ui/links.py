"""What belongs together: from one object, the rows of every pane that are on the same road."""

from collections.abc import Iterable, Iterator

from aksnav.model.addresses import parse_address, parse_prefix
from aksnav.model.azure.network import Subnet
from aksnav.model.kubernetes.policy import NetworkPolicy
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.model.object import Ref
from aksnav.report.words import flatten
from aksnav.store import Store
from aksnav.trace.step import Branch
from aksnav.ui.entry import Entry


def linked(store: Store, ref: Ref) -> set[Ref]:
    """Return the objects that are linked with one: itself, and along Services, Pods, nodes, policies and subnets."""
    found = {ref}
    row = store.get(ref)
    if isinstance(row, Service):
        found.update(_around_service(store, row))
    elif isinstance(row, Pod):
        found.update(_around_pod(store, row))
        found.update(Ref("Service", ident) for ident in store.services_by_selector.of(row))
    elif isinstance(row, Node):
        found.update(_subnets(store, [row]))
        for pod in store.pods_of_node(row.name):
            found.add(pod_ref(pod))
            found.update(Ref("Service", ident) for ident in store.services_by_selector.of(pod))
    elif isinstance(row, NetworkPolicy):
        for ident in store.pod_classes.matching(row.namespace, row.pod_selector):
            member = store.pods.get(ident)
            if member is not None:
                found.update({pod_ref(member), Ref("Node", member.node)})
                found.update(Ref("Service", name) for name in store.services_by_selector.of(member))
    return found


def linked_entry(store: Store, entry: Entry) -> set[Ref]:
    """Return the objects on the road of an entry point."""
    found: set[Ref] = {entry.via} if entry.via is not None else set()
    if entry.trace is None:
        return found
    for _, item in flatten(entry.trace.steps):
        if not isinstance(item, Branch):
            found.update(fact.subject for fact in item.evidence if fact.subject is not None)
            if item.subject is not None:
                found.add(item.subject)
    for target in entry.trace.destinations:
        pod = store.pods.get(f"{target.namespace}/{target.pod}")
        if pod is not None:
            found.update(_around_pod(store, pod))
    for backend in entry.trace.backends:
        found.add(Ref("Service", f"{backend.namespace}/{backend.service}"))
    return found


def ways_to(store: Store, ref: Ref) -> set[Ref]:
    """Return the objects through which a road leads to an object: itself, and of a Pod the Services that select it."""
    row = store.get(ref)
    found = {ref}
    if isinstance(row, Pod):
        found.update(Ref("Service", ident) for ident in store.services_by_selector.of(row))
    return found


def road_of(entry: Entry) -> frozenset[Ref]:
    """Return the objects through which the road of an entry point passes."""
    if entry.trace is None:
        return frozenset(() if entry.via is None else (entry.via,))
    found = {item.subject for _, item in flatten(entry.trace.steps) if not isinstance(item, Branch) and item.subject}
    found.update(Ref("Service", f"{item.namespace}/{item.service}") for item in entry.trace.backends)
    if entry.via is not None:
        found.add(entry.via)
    return frozenset(found)


def pod_ref(pod: Pod) -> Ref:
    """Return the name of a Pod with its kind."""
    return Ref("Pod", pod.id)


def _around_service(store: Store, service: Service) -> Iterator[Ref]:
    for piece in store.slices_of(service.id):
        yield piece.ref
        for endpoint in piece.endpoints:
            pod = store.pods.get(f"{endpoint.target_ref.namespace}/{endpoint.target_ref.name}")
            if pod is not None:
                yield from _around_pod(store, pod)
            elif endpoint.node_name:
                yield Ref("Node", endpoint.node_name)


def _around_pod(store: Store, pod: Pod) -> Iterator[Ref]:
    yield pod_ref(pod)
    node = store.nodes.get(pod.node)
    if node is not None:
        yield node.ref
        yield from _subnets(store, [node])
    for policy in store.network_policies:
        if policy.namespace == pod.namespace and policy.pod_selector.matches(pod.labels):
            yield policy.ref


def _subnets(store: Store, nodes: Iterable[Node]) -> Iterator[Ref]:
    numbers = [parse_address(ip) for node in nodes for ip in node.internal_ips]
    for network in store.virtual_networks:
        for subnet in network.subnets:
            if any(_inside(subnet, number) for number in numbers if number is not None):
                yield Ref("subnets", subnet.id)


def _inside(subnet: Subnet, number: int) -> bool:
    blocks = (parse_prefix(prefix) for prefix in subnet.prefixes)
    return any(number in block for block in blocks if block is not None)
