"""From an object to the request that asks whether it can be reached."""

import msgspec

from aksnav.model.kinds import KINDS
from aksnav.model.kubernetes.gateway import AnyRoute, Gateway
from aksnav.model.kubernetes.ingress import Ingress
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import parse_request
from aksnav.trace.request import Origin, Request, Source
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.routing.viewpoint import seen_from

TRACEABLE = "ways in, Services, Pods, nodes, Ingresses, Gateways and routes"


def plural_of(ref: Ref) -> str:
    """Return what objects like this one are called."""
    return KINDS[ref.kind].plural if ref.kind in KINDS else ref.kind


def target_of(store: Store, ref: Ref) -> Request | None:
    """Return a request to an object, from outside where a way in is known, else from a Pod; None if there is none."""
    row = store.get(ref)
    if isinstance(row, Ingress | AnyRoute | Gateway):
        return _way_in(store, ref)
    if isinstance(row, Service):
        found = _way_in(store, ref)
        if found is not None or not row.ports:
            return found
        return _inside(store, f"svc/{row.namespace}/{row.name}:{row.ports[0].port}", row.namespace)
    if isinstance(row, Pod):
        port = row.template.ports[0].port if row.template.ports else 80
        return _inside(store, f"pod/{row.namespace}/{row.name}:{port}", row.namespace)
    if isinstance(row, Node) and row.internal_ips:
        return parse_request(f"{row.internal_ips[0]}:10250", source="internet")
    return None


def _way_in(store: Store, ref: Ref) -> Request | None:
    return next((seen_from(store, point) for point in entry_points(store) if point.via == ref), None)


def _inside(store: Store, target: str, namespace: str) -> Request:
    """Return a request from some running Pod, of another workload of the namespace if there is one."""
    request = parse_request(target)
    source = next((pod for pod in _pods(store, namespace) if pod.id != request.pod), None)
    if source is None:
        return request
    return msgspec.structs.replace(request, source=Source(Origin.POD, id=source.id))


def _pods(store: Store, namespace: str) -> list[Pod]:
    near = [pod for pod in store.pods if pod.namespace == namespace and pod.ready and not pod.template.host_network]
    return sorted(near, key=lambda pod: pod.id) or sorted(
        (pod for pod in store.pods if pod.ready and not pod.template.host_network), key=lambda pod: pod.id
    )
