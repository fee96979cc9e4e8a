"""Why a Service has no endpoint: the selector, the Pods, the port, the address family, or whoever writes the slices."""

import re
from collections.abc import Sequence

from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Event, Pod
from aksnav.model.labels import Labels
from aksnav.store.store import Store
from aksnav.trace.cluster.endpoints import Candidates
from aksnav.trace.cluster.pod import first_causes, ref_of
from aksnav.trace.kubectl import listing
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

_SHOWN = 8
_SCALING = frozenset({"ScalingReplicaSet", "KEDAScaleTargetDeactivated"})
_TO_ZERO = re.compile(r"^(Scaled down replica set \S+ to 0\b|Deactivated \S+ .*to 0$)")


def nothing(
    store: Store, service: Service, port: ServicePort, found: Candidates, packet: Packet
) -> tuple[Step, tuple[Step, ...]]:
    """Return the step that ends the road at a Service without a usable endpoint, and the deeper breaks behind it.

    A Service port without any endpoint is refused by the node (kube-proxy: REJECT; Cilium: an ICMP answer).
    """
    if found.slices and not found.family and any(piece.endpoints for piece in found.slices):
        return _other_family(service, found, packet), ()
    if found.listed:
        return _not_ready(store, service, found, packet)
    if any(piece.endpoints for piece in found.family):
        return _no_such_port(service, port, found, packet), ()
    if not service.selector:
        return _no_selector(service, packet), ()
    return _no_endpoint(store, service, port, found, packet)


def _end(  # noqa: PLR0913 - the parts of a step that differ
    service: Service,
    packet: Packet,
    cause: str,
    summary: str,
    evidence: Sequence[Evidence],
    fix: str,
    considered: Sequence[Considered] = (),
    assumptions: tuple[str, ...] = (),
) -> Step:
    return Step(
        kind=Kind.ENDPOINT,
        verdict=Verdict.REJECT,
        summary=f"Service {service.id} {summary}",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        cause=cause,
        evidence=tuple(evidence),
        considered=tuple(considered),
        assumptions=assumptions,
        confirm=listing("EndpointSlice", service.namespace, f"kubernetes.io/service-name={service.name}") + " -o yaml",
        fix=fix,
    )


def _other_family(service: Service, found: Candidates, packet: Packet) -> Step:
    kinds = ", ".join(sorted({piece.address_type for piece in found.slices}))
    facts = [Evidence(".addressType", kinds, found.slices[0].ref)]
    facts.append(Evidence(".spec.ipFamilies", ", ".join(service.ip_families) or "(not set)", service.ref))
    fix = "align ipFamilies and ipFamilyPolicy of the Service with the addresses of its Pods"
    return _end(service, packet, "S11", f"has endpoints of family {kinds} only", facts, fix)


def _not_ready(store: Store, service: Service, found: Candidates, packet: Packet) -> tuple[Step, tuple[Step, ...]]:
    facts = [
        Evidence(f"{item.path}.conditions.ready", "false", item.piece.ref, item.endpoint.target_ref.name)
        for item in found.listed[:_SHOWN]
    ]
    pods = [item.pod for item in found.listed if item.pod is not None]
    facts.extend(_state(pod) for pod in pods[:_SHOWN])
    total = len(found.listed)
    step = _end(service, packet, "S02", f"has 0 of {total} endpoints ready", facts, "see why the Pods are not ready")
    return step, first_causes(store, pods, packet)


def _state(pod: Pod) -> Evidence:
    value = f"{pod.ready} {pod.ready_reason}".strip()
    note = pod.reason if pod.reason != pod.phase else ""
    return Evidence('.status.conditions[?(@.type=="Ready")].status', value, ref_of(pod), note)


def _no_such_port(service: Service, port: ServicePort, found: Candidates, packet: Packet) -> Step:
    piece = next(piece for piece in found.family if piece.endpoints)
    listed = "null" if piece.ports is None else ", ".join(f"{item.name or '-'} {item.port}" for item in piece.ports)
    named = isinstance(port.target, str)
    index = service.ports.index(port)
    facts = [Evidence(f".spec.ports[{index}].targetPort", str(port.target), service.ref)]
    facts.append(Evidence(".ports", listed or "(none)", piece.ref))
    summary = f"port {port.name or port.port} is in no EndpointSlice"
    fix = "see whether kube-controller-manager keeps up; who writes the slices must name the port as the Service does"
    if named:
        summary += f": no Pod has a container port named {port.target}"
        fix = f"name the container port {port.target}, or let targetPort give its number"
    return _end(service, packet, "S04" if named else "S12", summary, facts, fix)


def _no_selector(service: Service, packet: Packet) -> Step:
    facts = [Evidence(".spec.selector", "(none)"), Evidence("endpointslices", "(no endpoint)")]
    fix = "write an EndpointSlice with the label kubernetes.io/service-name, or give the Service a selector"
    return _end(service, packet, "S06", "has no selector, and no EndpointSlice with an endpoint", facts, fix)


def _no_endpoint(
    store: Store, service: Service, port: ServicePort, found: Candidates, packet: Packet
) -> tuple[Step, tuple[Step, ...]]:
    """The slices are empty: the Pods say why."""
    shown = ",".join(f"{key}={value}" for key, value in (service.selector or {}).items())
    facts = [Evidence(".spec.selector", shown, service.ref)]
    facts.append(Evidence("endpointslices", "(no endpoint)" if found.slices else "(none)", service.ref))
    missing = unreadable(store.pods, service.namespace)
    if missing:
        note = (f"no Pod matches the selector of Service {service.id} (Pods cannot be read: {missing})",)
        return _end(service, packet, "S01", "has no endpoint", facts, "see which Pods match", (), note), ()
    pods = [store.pods.get(ident) for ident in store.pod_classes.matching(service.namespace, service.selector or {})]
    matched = [pod for pod in pods if pod is not None]
    if not matched:
        return _unmatched(store, service, facts, packet), ()
    facts.extend(_state(pod) for pod in matched[:_SHOWN])
    named = isinstance(port.target, str)
    ready = [pod for pod in matched if pod.ready and pod.ips]
    if ready and named and not any(_named(pod, str(port.target)) for pod in ready):
        declared = sorted({item.name for pod in ready for item in pod.template.ports if item.name})
        facts.append(Evidence(".spec.containers[*].ports[*].name", ", ".join(declared) or "(none)", ref_of(ready[0])))
        fix = f"name the container port {port.target}, or let targetPort give its number"
        return _end(service, packet, "S04", f"names targetPort {port.target}, which no Pod has", facts, fix), ()
    if ready:
        fix = "see whether kube-controller-manager runs; it has not written these endpoints"
        return _end(service, packet, "S12", f"has {len(ready)} ready Pods but no endpoint", facts, fix), ()
    text = f"has no endpoint: none of its {len(matched)} Pods is ready"
    return _end(service, packet, "S02", text, facts, "see why the Pods are not ready"), first_causes(
        store, matched, packet
    )


def _named(pod: Pod, name: str) -> bool:
    return any(item.name == name for item in pod.template.ports)


def _unmatched(store: Store, service: Service, facts: list[Evidence], packet: Packet) -> Step:
    scaled = _scaled_to_zero(store, service)
    if scaled is not None:
        said = Evidence("events " + scaled.reason, scaled.message, scaled.ref, scaled.last_seen)
        summary = f"selects no Pod: {scaled.about_kind} {scaled.about_name} was scaled to zero"
        return _end(service, packet, "X09", summary, [*facts, said], f"scale {scaled.about_name} up")
    near = sorted(
        (_distance(service, labels), str(labels), labels) for labels in store.pod_classes.classes(service.namespace)
    )
    considered = [
        Considered(f"Pods with {text}", decided=False, why=_difference(service, labels))
        for distance, text, labels in near[:_SHOWN]
        if distance < len(service.selector or {})
    ]
    broken = [ident for ident in store.pods.undecodable if ident.startswith(f"{service.namespace}/")]
    notes = (f"Pod {broken[0]}, which cannot be decoded, does not match",) if broken else ()
    fix = "make the selector and the labels of the Pods agree (or scale the workload up)"
    return _end(service, packet, "S01", "selects no Pod", facts, fix, considered, notes)


def _scaled_to_zero(store: Store, service: Service) -> Event | None:
    """Return the event that says that the workload behind a Service was scaled to zero, or None.

    Workloads are not read: one is a Service's that has its name, or that its selector names. Its last scaling counts;
    with each rollout the old ReplicaSet goes to zero too, and then Pods of the new one are there.
    """
    names = {service.name, *(service.selector or {}).values()}
    found: dict[str, Event] = {}
    for event in sorted(store.events, key=lambda item: item.last_seen):
        if event.about_namespace == service.namespace and event.about_name in names and event.reason in _SCALING:
            found[event.about_name] = event
    return next((event for event in found.values() if _TO_ZERO.match(event.message)), None)


def _distance(service: Service, labels: Labels) -> int:
    return sum(labels.get(key) != value for key, value in (service.selector or {}).items())


def _difference(service: Service, labels: Labels) -> str:
    wrong = [
        f"{key} is {labels.get(key, '(absent)')}, not {value}"
        for key, value in (service.selector or {}).items()
        if labels.get(key) != value
    ]
    return "; ".join(wrong)
