"""Whose connections are asked for: a Pod, a Service's Pods, a namespace's, a policy's, a node, or an address."""

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.kubernetes.policy import NetworkPolicy
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.model.object import Ref
from aksnav.model.text import plain
from aksnav.store.store import Store
from aksnav.trace.place import Place
from aksnav.trace.readable import unreadable
from aksnav.trace.request import BadRequest

KINDS = {
    "pod": "Pod", "po": "Pod", "svc": "Service", "service": "Service", "ns": "Namespace", "namespace": "Namespace",
    "node": "Node", "no": "Node", "np": "NetworkPolicy", "netpol": "NetworkPolicy", "networkpolicy": "NetworkPolicy",
}  # fmt: skip
FORMS = "pod/NS/NAME, svc/NS/NAME, ns/NAME, node/NAME, np/NS/NAME, or an address"


class Subject(msgspec.Struct, frozen=True, gc=False):
    """What is asked about.

    Attributes:
        text: as it was asked for.
        places: its Pods, nodes or addresses.
        missing: what of it cannot be read, one line each.
    """

    text: str
    places: tuple[Place, ...]
    missing: tuple[str, ...] = ()


def parse_subject(store: Store, text: str) -> Subject:
    """Return what a text names.

    Args:
        store: where it is looked up.
        text: one of ``FORMS``.

    Raises:
        BadRequest: the text is none of them, or there is no such object (and that is known for certain).
    """
    address = parse_address(text.strip("[]"))
    if address is not None:
        return of_address(store, address)
    word, _, ident = text.partition("/")
    kind = KINDS.get(word.lower())
    if kind is None and ident and "/" not in ident:
        kind, ident = "Pod", text
    wanted = 0 if kind in {"Namespace", "Node"} else 1
    if kind is None or ident.count("/") != wanted or not all(ident.split("/")):
        raise BadRequest(f"subject '{plain(text, 120)}' is none of {FORMS}")
    return of_object(store, Ref(kind, ident))


def of_address(store: Store, address: int) -> Subject:
    """Return who has an address: a Pod, a node, a Service's Pods, or somebody outside of the cluster."""
    text = format_address(address)
    place = _at(store, address)
    service = next(iter(store.services_at(address)), None)
    if service is not None and place.pod is None and place.node is None:
        return msgspec.structs.replace(of_object(store, service.ref), text=f"{text}, Service {service.id}")
    return Subject(text, (place,))


def _at(store: Store, address: int) -> Place:
    pod = next((pod for pod in store.pods_at(address) if not pod.finished and not pod.template.host_network), None)
    if pod is not None:
        return _of_pod(store, pod)
    return Place(node=next(iter(store.nodes_at(address)), None), address=address)


def of_object(store: Store, ref: Ref) -> Subject:
    """Return the Pods, nodes and addresses behind an object.

    Raises:
        BadRequest: there is no such object, or it is of a kind that has no connections.
    """
    row = store.get(ref)
    missing = [unreadable(store.pods, ref.namespace or (ref.id if ref.kind == "Namespace" else ""))]
    if ref.kind == "Namespace":
        found = [pod for pod in store.pods if pod.namespace == ref.id]
        if row is None and not found and not unreadable(store.namespaces) and not missing[0]:
            raise BadRequest(f"there is no namespace {plain(ref.id, 80)}")
        return Subject(f"namespace {ref.id}", _places(store, found), _lines(missing))
    if row is None:
        table = store.tables[ref.kind]
        bad = table.undecodable.get(ref.id, "")
        unknown = f"{ref} cannot be decoded: {bad}" if bad else unreadable(table, ref.namespace)
        if not unknown:
            raise BadRequest(f"there is no {plain(str(ref), 120)}")
        return Subject(str(ref), (), _lines([unknown, *missing]))
    if isinstance(row, Pod):
        return Subject(f"Pod {row.id}", (_of_pod(store, row),), () if row.ips else (f"Pod {row.id} has no address",))
    if isinstance(row, Node):
        return Subject(f"node {row.name}", (Place.of_node(row),))
    if isinstance(row, NetworkPolicy):
        idents = store.pod_classes.matching(row.namespace, row.pod_selector)
        return Subject(f"Pods of {ref}", _places(store, _rows(store, idents)), _lines(missing))
    if isinstance(row, Service):
        return Subject(f"Service {row.id}", *_of_service(store, row, missing))
    raise BadRequest(f"{plain(str(ref), 120)} has no Pods of its own: ask for {FORMS}")


def _of_service(store: Store, service: Service, missing: list[str]) -> tuple[tuple[Place, ...], tuple[str, ...]]:
    """Return a Service's Pods; without a selector, what its EndpointSlices list."""
    if service.selector:
        idents = store.pod_classes.matching(service.namespace, service.selector)
        return _places(store, _rows(store, idents)), _lines(missing)
    missing = [*missing, unreadable(store.endpoint_slices, service.namespace)]
    numbers = {
        number
        for piece in store.slices_of(service.id)
        for endpoint in piece.endpoints
        for number in map(parse_address, endpoint.addresses)
        if number is not None
    }
    return tuple(_at(store, number) for number in sorted(numbers)), _lines(missing)


def _rows(store: Store, idents: list[str]) -> list[Pod]:
    return [pod for pod in map(store.pods.get, idents) if pod is not None]


def _places(store: Store, pods: list[Pod]) -> tuple[Place, ...]:
    return tuple(_of_pod(store, pod) for pod in pods if pod.ips and not pod.finished)


def _of_pod(store: Store, pod: Pod) -> Place:
    return Place.of_pod(pod, store.nodes.get(pod.node))


def _lines(missing: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, missing)))
