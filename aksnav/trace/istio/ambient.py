"""Ambient mode: the node's ztunnel takes the connections of Pods without a sidecar, and waypoints may stand between.

Source: Istio documentation, "Ambient mode": a Pod is in the mesh where Istio's CNI plugin has redirected it (annotation
``ambient.istio.io/redirection``), as the label ``istio.io/dataplane-mode`` of its namespace or of itself asks; ztunnel
enforces policies without HTTP fields at the receiver, a waypoint (label ``istio.io/use-waypoint``) those for HTTP, and
two ends in the mesh talk over TCP 15008 (HBONE), which is what network policies see. What ztunnel and waypoints decide
is not evaluated: where it may change the verdict, the step says so.
"""

from collections.abc import Iterator

import msgspec

from aksnav.model.kubernetes.istio_security import PeerAuthentication
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl, policy
from aksnav.trace.istio import authorization
from aksnav.trace.istio.scope import Workload, by_age, root, selects, unread
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_MODE = "istio.io/dataplane-mode"
_REDIRECTION = "ambient.istio.io/redirection"
_WAYPOINT = "istio.io/use-waypoint"
_AMBIENT = "ambient"
HBONE = 15008


def member(store: Store, pod: Pod | None) -> Evidence | None:
    """Return the field that says that a Pod is in the ambient mesh, or ought to be; None where nothing does.

    A sidecar, the node's network, and the label ``istio.io/dataplane-mode: none`` keep a Pod out.
    """
    if pod is None or pod.template.meshed or pod.template.host_network:
        return None
    ref = Ref(Pod.KIND, pod.id)
    if pod.template.redirected:
        return Evidence(f".metadata.annotations['{_REDIRECTION}']", "enabled", ref)
    said = pod.labels.get(_MODE)
    if said is not None:
        return Evidence(f".metadata.labels['{_MODE}']", said, ref) if said == _AMBIENT else None
    row = store.namespaces.get(pod.namespace)
    if row is not None and row.labels.get(_MODE) == _AMBIENT:
        return Evidence(f".metadata.labels['{_MODE}']", _AMBIENT, row.ref)
    return None


def carried(store: Store, crossing: Crossing, service: Service | None) -> Step | None:
    """Return the step of a connection of which one end at least is in the ambient mesh; None where neither is.

    Args:
        store: what is known.
        crossing: the connection, after translation to the Pod.
        service: through which it came, if any.
    """
    sender, pod = crossing.source.pod, crossing.destination.pod
    if pod is None or crossing.packet.protocol != "TCP":
        return None
    there, here = member(store, sender), member(store, pod)
    facts = tuple(fact for fact in (here, there) if fact is not None)
    if not facts:
        return None
    meshed = there is not None or (sender is not None and sender.template.meshed)
    doubts = tuple(dict.fromkeys(_doubts(store, crossing, service, meshed=meshed, ambient=here is not None)))
    ends = "both ends" if len(facts) > 1 else f"Pod {pod.id}" if here is not None else "the client"
    return Step(
        kind=Kind.MESH,
        verdict=Verdict.UNSUPPORTED if doubts else Verdict.PASS,
        summary=f"ztunnel carries the connection: {ends} in Istio's ambient mesh",
        subject=Ref(Pod.KIND, pod.id),
        version=pod.resource_version,
        packet=crossing.packet,
        evidence=facts,
        assumptions=("ztunnel runs on the nodes of both ends and carries the connection",),
        missing=f"ambient mode: {'; '.join(doubts)}" if doubts else "",
        confirm=kubectl.listing("Namespace") + f" -L {_MODE}",
    )


def _doubts(store: Store, crossing: Crossing, service: Service | None, *, meshed: bool, ambient: bool) -> Iterator[str]:
    """Yield what ztunnel or a waypoint may decide otherwise than the objects that are evaluated say."""
    pod = crossing.destination.pod
    if pod is None:
        return
    at = Workload(pod.namespace, pod.labels)
    if ambient or pod.template.meshed:
        missing = unread(store, ("AuthorizationPolicy", "PeerAuthentication"))
        if missing:
            yield f"what ztunnel enforces cannot be read ({missing})"
        for row in authorization.applying(store, at)[:1]:
            yield f"AuthorizationPolicy {row.id}, which is enforced by ztunnel"
        strict = _strict(store, at)
        if strict is not None:
            yield f"PeerAuthentication {strict.id}, of which the modes are enforced by ztunnel"
    waypoint = _waypoint(store, pod, service) if meshed else ""
    if waypoint:
        yield f"the waypoint {waypoint}"
    if meshed and not _same_for_hbone(store, crossing):
        yield f"network policies tell TCP {HBONE} (HBONE), on which the Pod is reached, from the port itself"


def _strict(store: Store, at: Workload) -> PeerAuthentication | None:
    for row in by_age(store, store.peer_authentications):
        near = row.namespace in {at.namespace, root(store)}
        says = [row.mtls, *row.port_level_mtls.values()]
        fits = row.selector is None or selects(row.selector.wanted, at.labels)
        if near and fits and any(item is not None and item.mode in {"STRICT", "DISABLE"} for item in says):
            return row
    return None


def _waypoint(store: Store, pod: Pod, service: Service | None) -> str:
    space = store.namespaces.get(pod.namespace)
    for labels in (
        pod.labels,
        service.labels if service is not None else {},
        space.labels if space is not None else {},
    ):
        name = labels.get(_WAYPOINT)
        if name:
            return "" if name == "none" else name
    return ""


def _same_for_hbone(store: Store, crossing: Crossing) -> bool:
    """Return whether network policies say the same of the tunnel's port as of the Pod's."""
    tunnel: Packet = msgspec.structs.replace(crossing.packet, port=HBONE)
    said = policy.allows(store, msgspec.structs.replace(crossing, packet=tunnel))
    return said is not None and said == policy.allows(store, crossing)
