"""A headless Service: its name stands for its Pods, and nothing translates."""

import msgspec

from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.trace.cluster.endpoints import addresses
from aksnav.trace.cluster.service import Via, endpoints, find_port, no_port, port_step
from aksnav.trace.ends import elsewhere
from aksnav.trace.inside import label_of, to_pod
from aksnav.trace.journey import Journey, Road, Walk, fan
from aksnav.trace.kubectl import show
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Branch, Evidence, Kind, Step, Verdict


def headless(
    walk: Walk,
    journey: Journey,
    service: Service,
    packet: Packet,
    pods: frozenset[str] | None,
    *,
    own_port: bool = False,
) -> Road:
    """Return the road to the Pods of a headless Service: names resolve to them, and nothing translates ports (S09).

    Args:
        walk: the trace.
        journey: who comes, and how.
        service: the headless Service.
        packet: its port is the one that the client asks for.
        pods: host names of the endpoints that were asked for; None for all of them.
        own_port: the client looked the Pods' port up as well (by an SRV record, by the port's name).
    """
    named = find_port(service, packet.port, "", packet.protocol)
    by_target = next(
        (
            (index, port)
            for index, port in enumerate(service.ports)
            if port.protocol == packet.protocol and port.target == packet.port
        ),
        None,
    )
    found = by_target or named
    if found is None:
        found = next(((i, port) for i, port in enumerate(service.ports) if port.protocol == packet.protocol), None)
    if not service.ports:
        return _without_ports(walk, journey, service, packet, pods)
    if found is None:
        return (no_port(service, packet, "", Verdict.REJECT, "its Pods are asked directly"),)
    decision = endpoints(walk.store, service, found[1], packet, Via(proxy=True, node=journey.source.node))
    first = port_step(service, *found, packet)
    first = msgspec.structs.replace(
        first,
        packet=packet,
        summary=f"Service {service.id} is headless: its name stands for its Pods, port {packet.port} is theirs",
        evidence=(Evidence(".spec.clusterIP", "None"), *first.evidence),
    )
    chosen = [item for item in decision.chosen if pods is None or item.endpoint.hostname in pods]
    if not chosen:
        step = decision.step
        if step.verdict is Verdict.RESPOND:
            step = msgspec.structs.replace(step, kind=Kind.DNS_RESOLVE, verdict=Verdict.REJECT, status=0)
        elif step.verdict is Verdict.PASS:
            step = _no_such_host(service, packet, pods)
        return (first, step, *decision.further)
    branches = []
    for item in chosen:
        after = msgspec.structs.replace(packet, destination=item.address, port=item.port if own_port else packet.port)
        if item.pod is None:
            branches.append(Branch(label_of(item), elsewhere(walk, journey, item, after)))
            continue
        road = to_pod(walk, journey, item.pod, after, service=service, listed=True)
        branches.append(Branch(label_of(item), _untranslated(road, service, found, after, item.port)))
    return (first, *fan(decision.step, branches))


def _no_such_host(service: Service, packet: Packet, pods: frozenset[str] | None) -> Step:
    """Return the step of a host name that no ready endpoint has: there is no such name."""
    asked = ", ".join(sorted(pods)) if pods is not None else "any"
    return Step(
        kind=Kind.DNS_RESOLVE,
        verdict=Verdict.REJECT,
        summary=f"no ready endpoint of headless Service {service.id} has host name {asked}",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        cause="D07" if pods is not None else "S02",
        evidence=(Evidence(".endpoints[*].hostname", f"not {asked}" if pods is not None else "(no ready endpoint)"),),
        confirm=show(service.ref),
        fix="ask for a host name that an endpoint has, or see why the Pod is not ready",
    )


def _without_ports(walk: Walk, journey: Journey, service: Service, packet: Packet, pods: frozenset[str] | None) -> Road:
    """Return the road to a headless Service without ports: its name stands for its Pods, whatever port is asked."""
    missing = unreadable(walk.store.endpoint_slices, service.namespace)
    v4 = not service.ip_families or service.ip_families[0] != "IPv6"
    listed = addresses(walk.store, service, packet.port, v4=v4)
    chosen = [item for item in listed if pods is None or item.endpoint.hostname in pods]
    step = Step(
        kind=Kind.ENDPOINT,
        verdict=Verdict.BLIND if missing else Verdict.PASS,
        summary=f"Service {service.id} is headless and has no ports: its name stands for {len(chosen)} Pods",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        evidence=(Evidence(".spec.clusterIP", "None"), Evidence(".spec.ports", "(none)")),
        missing=missing,
        confirm=show(service.ref),
    )
    if missing or not chosen:
        return (step,) if missing else (step, _no_such_host(service, packet, pods))
    branches = []
    for item in chosen:
        after = msgspec.structs.replace(packet, destination=item.address)
        road = (
            elsewhere(walk, journey, item, after)
            if item.pod is None
            else to_pod(walk, journey, item.pod, after, service=service, listed=True)
        )
        branches.append(Branch(label_of(item), road))
    return fan(step, branches)


def _untranslated(road: Road, service: Service, found: tuple[int, ServicePort], packet: Packet, port: int) -> Road:
    """Return the road with S09 where the client asks for the Service's port, and the Pods have another one."""
    index, spec = found
    if packet.port == port or packet.port != spec.port:
        return road
    facts = (
        Evidence(".spec.clusterIP", "None", service.ref),
        Evidence(f".spec.ports[{index}].port", str(spec.port), service.ref),
        Evidence(f".spec.ports[{index}].targetPort", str(spec.target), service.ref),
    )
    return tuple(
        msgspec.structs.replace(
            step,
            cause="S09",
            verdict=Verdict.REJECT,
            evidence=(*facts, *step.evidence),
            missing="",
            assumptions=step.assumptions or (f"nothing in the Pod listens on port {packet.port}",),
            fix=f"ask for port {port}, the Pods' own: a headless Service translates nothing",
        )
        if step.kind is Kind.POD_PORT and step.cause == "S03"
        else step
        for step in road
    )
