"""The Pod at the end of the road: whether it runs, whether something listens, and why it is not ready.

What a container declares as its ports is informational (core/v1 ContainerPort): a port that is not declared may well
be open. So a declared port passes; a port that nothing speaks of passes with an assumption; a port that is missing from
the ports that *are* declared is undecided; and it is refused, on an assumption that is named, where a passing readiness
probe shows that the application listens elsewhere.
"""

from collections.abc import Iterable

import msgspec

from aksnav.model.addresses import format_address
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure.joins import pod_prefixes
from aksnav.trace.azure.powered import in_pool
from aksnav.trace.cluster.endpoints import Chosen
from aksnav.trace.cluster.hidden import hidden
from aksnav.trace.kubectl import listing, show
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence, Kind, Step, Verdict
from aksnav.trace.verdict import DESTINATION_FIELD

_NO_FREE_PORT = "free ports for the requested pod ports"
_IMAGE = frozenset({"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"})


def ref_of(pod: Pod) -> Ref:
    """Return the Pod's name with its kind."""
    return Ref(pod.KIND, pod.id)


def arrive(store: Store, pod: Pod, packet: Packet, *, listed_ready: bool) -> tuple[Step, ...]:
    """Return the last stretch: the Pod's state, its port, and the delivery.

    Args:
        store: everything that is known.
        pod: the receiver.
        packet: destination and port are the Pod's.
        listed_ready: an EndpointSlice lists it as ready; False where the Pod is addressed itself.
    """
    stopped = _stopped(store, pod, packet)
    if stopped is not None:
        return (stopped,)
    port = _port(pod, packet)
    assumptions: tuple[str, ...] = ()
    if not pod.ready and listed_ready:
        assumptions = (f"Pod {pod.id} answers although it is not ready (its Service publishes it all the same)",)
    elif not pod.ready:
        assumptions = (f"Pod {pod.id} answers although it is not ready ({pod.ready_reason or 'no Ready condition'})",)
    last, node = deliver(pod, packet, assumptions), store.nodes.get(pod.node) if pod.node else None
    return (port, in_pool(store, node, last) if node is not None else last)


def deliver(pod: Pod, packet: Packet, assumptions: tuple[str, ...] = ()) -> Step:
    """Return the step that ends a road well."""
    address = format_address(packet.destination) if packet.destination is not None else pod.ip
    ref = ref_of(pod)
    return Step(
        kind=Kind.DELIVER,
        verdict=Verdict.PASS,
        summary=f"delivered to Pod {pod.id} at {address} port {packet.port}",
        subject=ref,
        version=pod.resource_version,
        packet=packet,
        evidence=(
            Evidence(DESTINATION_FIELD, address, ref),
            Evidence('.status.conditions[?(@.type=="Ready")].status', str(pod.ready), ref),
        ),
        assumptions=assumptions,
        confirm=show(ref, ".status"),
    )


def _stopped(store: Store, pod: Pod, packet: Packet) -> Step | None:
    """Return the step of a Pod that cannot answer at all, or None."""
    node = store.nodes.get(pod.node) if pod.node else None
    if node is not None and node.ready is not True:
        return in_pool(store, node, lost_node(node, packet, ref_of(pod)))
    if pod.phase == "Running" and pod.reason != "CrashLoopBackOff":
        return None
    step = why_unready(store, pod, packet)
    if step is not None:
        return step
    return Step(
        kind=Kind.POD_PORT,
        verdict=Verdict.DROP if pod.phase in {"Pending", "Succeeded", "Failed"} else Verdict.BLIND,
        summary=f"Pod {pod.id} is {pod.reason or pod.phase or 'in no known phase'}: nothing answers at its address",
        subject=ref_of(pod),
        version=pod.resource_version,
        packet=packet,
        cause="S02",
        evidence=(Evidence(".status.phase", pod.phase or "(not set)"),),
        missing="" if pod.phase else f".status.phase of Pod {pod.id}",
        confirm=show(ref_of(pod), ".status.phase"),
        fix="find out why the Pod does not run: kubectl describe pod",
    )


def lost_node(node: Node, packet: Packet, subject: Ref | None = None) -> Step:
    """Return the step of a node that is not ready: what runs on it is taken to be out of reach (X07)."""
    condition = node.condition("Ready")
    value = condition.status if condition is not None else "(absent)"
    reason = f" ({condition.reason})" if condition is not None and condition.reason else ""
    on = f": {subject} is on it" if subject is not None else ""
    return Step(
        kind=Kind.POD_PORT if subject is not None else Kind.NODE_PORT,
        verdict=Verdict.DROP,
        summary=f"node {node.name} is not ready{reason}{on}",
        subject=node.ref,
        version=node.resource_version,
        packet=packet,
        cause="X07",
        evidence=(Evidence('.status.conditions[?(@.type=="Ready")].status', value, node.ref),),
        assumptions=(f"node {node.name}, which is not ready, carries no traffic",),
        confirm=show(node.ref, ".status.conditions"),
        fix=f"repair node {node.name}, or drain it so that its Pods move",
    )


def why_unready(store: Store, pod: Pod, packet: Packet) -> Step | None:
    """Return the step that names the deeper cause of a Pod that is not ready, or None if the objects name none."""
    found = _cause(store, pod)
    if found is None:
        return None
    cause, field, value, fix, what = found
    return Step(
        kind=Kind.POD_PORT,
        verdict=Verdict.REJECT if pod.ips else Verdict.DROP,
        summary=f"Pod {pod.id} {what}",
        subject=ref_of(pod),
        version=pod.resource_version,
        packet=packet,
        cause=cause,
        evidence=(Evidence(field, value, ref_of(pod)), *_probe_facts(pod, cause)),
        confirm=show(ref_of(pod), ".status"),
        fix=fix,
    )


def _cause(store: Store, pod: Pod) -> tuple[str, str, str, str, str] | None:
    """Return cause, field, value, fix and what to say."""
    waiting = ".status.containerStatuses[*].state.waiting.reason"
    if pod.reason == "CrashLoopBackOff":
        fix = f"read why it ends: kubectl logs --previous (restarts: {pod.restarts})"
        return "X01", waiting, pod.reason, fix, f"crashes again and again ({pod.restarts} restarts)"
    if pod.reason in _IMAGE:
        return "X04", waiting, pod.reason, "mend the image name, the registry's rights or the way to it", "has no image"
    if pod.reason == "OOMKilled":
        field = ".status.containerStatuses[*].state.terminated.reason"
        return "X02", field, pod.reason, "raise the memory limit", "was killed for its memory"
    if pod.unscheduled:
        field = '.status.conditions[?(@.type=="PodScheduled")].message'
        if _NO_FREE_PORT in pod.unscheduled.lower():
            fix = "change the host port, or run no more of these Pods than nodes"
            return "X12", field, pod.unscheduled, fix, "finds its host port taken on the nodes"
        return "X05", field, pod.unscheduled, "make room: node pool, taints, affinity", "is not scheduled on any node"
    if pod.phase == "Pending":
        event = _event(store, pod, {"FailedCreatePodSandBox"})
        if event:
            return "X06", "events FailedCreatePodSandBox", event, "free or add Pod addresses", "got no address"
        return None
    if pod.phase == "Running" and not pod.ready:
        event = _event(store, pod, {"Unhealthy"})
        if event:
            return "X03", "events Unhealthy", event, "mend the readiness probe or the application", "fails its probe"
        wrong = _probe_elsewhere(pod)
        if wrong:
            field = ".spec.containers[*].readinessProbe port"
            return "X03", field, wrong, "let the probe name the port that listens", f"is probed at port {wrong}"
    return None


def _event(store: Store, pod: Pod, reasons: set[str]) -> str:
    """Return the message of the last event of these reasons about a Pod, or an empty string."""
    found = [
        event
        for event in store.events
        if event.reason in reasons
        and event.about_name == pod.name
        and event.about_namespace == pod.namespace
        and (not event.about_uid or not pod.uid or event.about_uid == pod.uid)
    ]
    return max(found, key=lambda event: event.last_seen).message if found else ""


def _probe_elsewhere(pod: Pod) -> str:
    """Return the port of a readiness probe that no container declares, or an empty string."""
    for probe in pod.template.probes:
        if probe.kind == "exec":
            continue
        mine = [port for port in pod.template.ports if port.container == probe.container]
        if mine and probe.port not in {port.port for port in mine} | {port.name for port in mine}:
            return str(probe.port)
    return ""


def _probe_facts(pod: Pod, cause: str) -> tuple[Evidence, ...]:
    if cause != "X03":
        return ()
    declared = ", ".join(str(port.port) for port in pod.template.ports) or "(none)"
    probes = tuple(
        Evidence(
            f'.spec.containers[?(@.name=="{probe.container}")].readinessProbe',
            f"{probe.kind} {probe.port} {probe.path}".strip(),
            ref_of(pod),
        )
        for probe in pod.template.probes
    )
    return (*probes, Evidence(".spec.containers[*].ports[*].containerPort", declared, ref_of(pod)))


def probe_port(pod: Pod, container: str, port: int | str) -> int:
    """Return the number of a probe's port: itself, or that of the container's port of this name; 0 if there is none."""
    if isinstance(port, int):
        return port
    return next((item.port for item in pod.template.ports if item.container == container and item.name == port), 0)


def _port(pod: Pod, packet: Packet) -> Step:
    if packet.protocol == "ICMP":
        # An echo request is answered by the Pod's network stack, not by a container (RFC 1122, section 3.2.2.6).
        return _listens(pod, packet, Evidence(".status.podIP", pod.ip), ())
    ports = pod.template.ports
    same = [item for item in ports if item.port == packet.port]
    declared = next((item for item in same if item.protocol == packet.protocol), None)
    if declared is not None:
        path = f'.spec.containers[?(@.name=="{declared.container}")].ports[?(@.containerPort=={declared.port})]'
        return _listens(pod, packet, Evidence(f"{path}.containerPort", str(declared.port)), ())
    probed = [
        probe
        for probe in pod.template.probes
        if probe.kind != "exec" and probe_port(pod, probe.container, probe.port) == packet.port
    ]
    if probed and pod.ready and packet.protocol == "TCP":
        path = f'.spec.containers[?(@.name=="{probed[0].container}")].readinessProbe'
        fact = Evidence(path, f"{probed[0].kind} {probed[0].port}", None, "the probe passes: something listens there")
        return _listens(pod, packet, fact, ())
    if same:
        return _silent(pod, packet, "S05", f"{same[0].protocol} {same[0].port}")
    if not ports:
        fact = Evidence(".spec.containers[*].ports", "(none declared)")
        note = f"something in Pod {pod.id} listens on {packet.protocol} {packet.port}: its containers declare no ports"
        return _listens(pod, packet, fact, (note,))
    return _silent(pod, packet, "S03", ", ".join(f"{item.protocol} {item.port}" for item in ports))


def _listens(pod: Pod, packet: Packet, fact: Evidence, assumptions: tuple[str, ...]) -> Step:
    return Step(
        kind=Kind.POD_PORT,
        verdict=Verdict.PASS,
        summary=f"Pod {pod.id} takes {packet.protocol} {packet.port}",
        subject=ref_of(pod),
        version=pod.resource_version,
        packet=packet,
        evidence=(fact,),
        assumptions=assumptions,
        confirm=show(ref_of(pod), ".spec.containers[*].ports"),
    )


def _silent(pod: Pod, packet: Packet, cause: str, declared: str) -> Step:
    """Return the step of a port that is not among those that the Pod declares."""
    elsewhere = [
        probe_port(pod, probe.container, probe.port)
        for probe in pod.template.probes
        if probe.kind != "exec" and pod.ready and packet.protocol == "TCP"
    ]
    what = f"no container of Pod {pod.id} declares {packet.protocol} {packet.port} (declared: {declared})"
    facts = [
        Evidence(".spec.containers[*].ports[*].containerPort", declared),
        Evidence("port that is asked for", f"{packet.protocol} {packet.port}"),
    ]
    if elsewhere:
        facts.append(
            Evidence(".spec.containers[*].readinessProbe port", str(elsewhere[0]), None, "the probe passes there")
        )
    return Step(
        kind=Kind.POD_PORT,
        verdict=Verdict.REJECT if elsewhere else Verdict.BLIND,
        summary=f"{what}; its readiness probe passes on {elsewhere[0]}" if elsewhere else what,
        subject=ref_of(pod),
        version=pod.resource_version,
        packet=packet,
        cause=cause,
        evidence=tuple(facts),
        assumptions=(f"nothing in Pod {pod.id} listens on {packet.protocol} {packet.port}",) if elsewhere else (),
        missing="" if elsewhere else f"whether something in Pod {pod.id} listens on {packet.protocol} {packet.port}",
        confirm=f"{show(ref_of(pod), '.spec.containers[*].ports')}",
        fix="let the Service's targetPort name the port on which the container listens",
    )


def absent(store: Store, namespace: str, address: str, packet: Packet, named: Ref | None) -> Step:
    """Return the step of an endpoint whose address no running Pod has (S12), or that cannot be looked up (blind)."""
    missing = unreadable(store.pods, namespace) if named is not None else hidden(store.pods)
    if not missing and named is not None and named.id in store.pods.undecodable:
        missing = f"{named}: {store.pods.undecodable[named.id]}"
    who = f"{named} has not the address {address}" if named is not None else f"no Pod has the address {address}"
    return Step(
        kind=Kind.POD_PORT,
        verdict=Verdict.BLIND if missing else Verdict.DROP,
        summary=f"the Pod at {address} cannot be read" if missing else f"{who}: the endpoint is stale",
        subject=named,
        packet=packet,
        cause="" if missing else "S12",
        evidence=(Evidence(".endpoints[*].addresses[0]", address),),
        missing=missing,
        confirm=listing("Pod", namespace),
        fix=""
        if missing
        else "see whether kube-controller-manager keeps up; delete the EndpointSlice to have it made anew",
    )


def without_pod(store: Store, item: Chosen, packet: Packet) -> Step | None:
    """Return the step of an endpoint whose Pod is gone or cannot be read; None where it need not be a Pod's.

    One that refers to a Pod is that Pod's (S12 where it has the address no longer). One without a reference is somebody
    else's, unless its address is of the Pods' own range (S06): nothing but a Pod has such an address.
    """
    if item.pod is not None:
        return None
    text, space = format_address(item.address), item.piece.namespace
    if item.named is not None:
        step, pod = absent(store, space, text, packet, item.named), store.pods.get(item.named.id)
        same = pod is not None and item.endpoint.target_ref.uid in {"", pod.uid}
        if pod is None or pod.ips or pod.finished or not same:
            return step
        # Its address may be the endpoint's: nobody has said it. One that was made anew under the name has another uid.
        summary, missing = f"the address of Pod {pod.id} is not known", f".status.podIPs of Pod {pod.id}"
        return msgspec.structs.replace(step, verdict=Verdict.BLIND, cause="", fix="", summary=summary, missing=missing)
    if store.nodes_at(item.address) or not any(item.address in prefix for prefix in pod_prefixes(store)):
        return None
    step = absent(store, "", text, packet, None)
    cause = "" if step.verdict is Verdict.BLIND else "S06"
    return msgspec.structs.replace(step, cause=cause, subject=item.piece.ref)


def first_causes(store: Store, pods: Iterable[Pod], packet: Packet) -> tuple[Step, ...]:
    """Return one step for each deeper cause among Pods that are not ready."""
    found: dict[str, Step] = {}
    for pod in pods:
        step = why_unready(store, pod, packet)
        if step is not None and step.cause not in found:
            found[step.cause] = step
    return tuple(found.values())
