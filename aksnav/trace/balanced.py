"""Through the load balancer to a node, and at the node on to the Service."""

from collections.abc import Sequence

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Node
from aksnav.trace.azure import loadbalancer, nsg, routes
from aksnav.trace.azure.powered import in_pool
from aksnav.trace.cluster import classes, node
from aksnav.trace.cluster.endpoints import pod_of
from aksnav.trace.cluster.hidden import hidden_nodes
from aksnav.trace.cluster.pod import lost_node
from aksnav.trace.cluster.service import Via
from aksnav.trace.crossings import departing
from aksnav.trace.inside import through_service
from aksnav.trace.journey import Journey, Road, Walk, ended, fan, where
from aksnav.trace.kubectl import listing, show
from aksnav.trace.packet import Packet
from aksnav.trace.place import Entry, Place
from aksnav.trace.readable import unreadable
from aksnav.trace.routing import controllers
from aksnav.trace.step import ENDS, Branch, Considered, Evidence, Kind, Step, Verdict


def over_the_internet(walk: Walk, journey: Journey, packet: Packet) -> Road | None:
    """Return the road of a private client to a public address: it leaves its network with another source address.

    None where no load balancer has the address.
    """
    lead = to_the_internet(walk, journey, packet)
    onward = msgspec.structs.replace(journey, source=Place(), outside=True, internet=True)
    road = balanced(walk, onward, lead[-1].packet_after or packet)
    if road is None:
        return None
    return lead if ended(lead) else (*lead, *road)


def to_the_internet(walk: Walk, journey: Journey, packet: Packet) -> Road:
    """Return the way on which a private client becomes one of the internet: it goes out and comes in again.

    Of a Pod or a node it is the whole way out, up to what ends it; another client's network is taken to let it out.
    """
    way = departing(walk, journey, packet)
    if ended(way):
        return way
    after = msgspec.structs.replace(packet, source=None, source_word="Internet")
    shown = format_address(packet.source) if packet.source is not None else "the client"
    told = any(step.kind is Kind.ROUTE for step in way)
    step = Step(
        kind=Kind.SNAT,
        verdict=Verdict.TRANSFORM,
        summary=f"{shown} goes out to the internet, and comes back as an address of the internet",
        packet=packet,
        packet_after=after,
        evidence=(Evidence("destination", where(packet), None, "an address of the internet"),),
        assumptions=() if told else (f"the network of {shown} lets it out to the internet",),
        confirm="az network public-ip list -o table",
    )
    return (*way, step)


def balanced(walk: Walk, journey: Journey, packet: Packet) -> Road | None:
    """Return the road through the load balancer to its nodes, and on; None where none has the address."""
    entry = loadbalancer.enter(walk.store, packet)
    if entry is None:
        return None
    steps, service, port = entry.steps, entry.service, entry.service_port
    if service is None or port is None:
        if entry.ended:
            return steps
        return (
            (*steps, _no_such_port(service, packet))
            if service is not None
            else (
                *steps,
                *no_service(walk, packet, steps),
            )
        )
    found = (service.ports.index(port), port)
    if entry.direct:
        return steps if entry.ended else (*steps, *_to_pods(walk, journey, service, found, entry.packet))
    up, down = _up(walk, service, entry)
    if not up:
        return (*steps, *_behind_none(walk, journey, service, found, packet, entry))
    arriving = msgspec.structs.replace(journey, balanced=True)
    sender = journey.source.node.name if journey.source.node is not None and entry.internal else ""
    branches = [
        Branch(
            f"node {group[0].name}",
            (_to_itself(service, group[0], packet),)
            if group[0].name == sender
            else at_node(walk, arriving, group[0], service, found, _at(entry, group[0], packet)),
            None,
            len(group),
            group[0].name,
        )
        for group in _node_groups(walk, journey, service, up)
    ]
    homes = {item.node_name for piece in walk.store.slices_of(service.id) for item in piece.endpoints}
    branches += [
        Branch(f"node {name}", (blind,), None, 1, name)
        for name, blind in hidden_nodes(walk.store, packet)
        if name in homes or service.external_traffic_policy != "Local"
    ]
    last = steps[-1] if steps else None
    if last is not None and last.kind is Kind.LB_POOL and last.verdict is Verdict.PASS:
        takes = f"any of {len(up)} nodes takes it" if len(up) > 1 else f"node {up[0].name} takes it"
        considered = (*last.considered, *down)
        pool = msgspec.structs.replace(last, summary=f"{last.summary}; {takes}", considered=considered)
        return (*steps[:-1], *fan(pool, branches))
    return (*steps, *fan(_spread(service, up, down, entry.packet), branches))


def _to_itself(service: Service, at: Node, packet: Packet) -> Step:
    """Return the step of a member of the pool that the load balancer sends back to itself (L27): it times out.

    Source: Azure documentation, load-balancer-troubleshoot-backend-traffic.md (access of an internal load balancer from
    the same pool): the flow that comes back has the node's own address at both ends. It says nothing of a Pod with an
    address of its own on the machine.
    """
    own = packet.source is not None and packet.source in map(parse_address, at.internal_ips)
    step = Step(
        kind=Kind.LB_POOL,
        verdict=Verdict.DROP,
        summary=f"node {at.name} sends and is in the pool: what the load balancer sends back to it is lost",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        cause="L27",
        evidence=(
            Evidence(".status.loadBalancer.ingress[].ipMode", _modes(service), service.ref, "the node does not cut in"),
            Evidence(".status.addresses", ", ".join(at.internal_ips), at.ref),
        ),
        confirm=show(service.ref, ".status.loadBalancer"),
        fix="call the Service by its cluster address",
    )
    if own:
        return step
    missing = f"whether the load balancer sends back to node {at.name} what a Pod behind it sends with its own address"
    said = f"node {at.name} has the client's Pod and is in the pool: what comes back to it may be lost"
    return msgspec.structs.replace(step, verdict=Verdict.UNSUPPORTED, cause="", summary=said, missing=missing)


def _modes(service: Service) -> str:
    return ", ".join(point.ip_mode or "VIP" for point in service.ingress_points) or "(no address)"


def _spread(service: Service, up: Sequence[Node], down: Sequence[Considered], packet: Packet) -> Step:
    """Return the step at which the roads of the nodes part, where the pool's own step does not stand last."""
    return Step(
        kind=Kind.LB_POOL,
        verdict=Verdict.PASS,
        summary=f"any of {len(up)} nodes takes it" if len(up) > 1 else f"node {up[0].name} takes it",
        subject=service.ref,
        packet=packet,
        evidence=(Evidence(".spec.externalTrafficPolicy", service.external_traffic_policy or "Cluster"),),
        considered=tuple(down),
        confirm=listing("Node"),
    )


def _node_groups(walk: Walk, journey: Journey, service: Service, nodes: Sequence[Node]) -> list[list[Node]]:
    """Return the nodes in groups in which nothing decides otherwise.

    A node with an endpoint of a proxy is its own group, and so is the node from which the packet comes.
    """
    client = journey.source.node.name if journey.source.node is not None else ""
    endpoints = [item for piece in walk.store.slices_of(service.id) for item in piece.endpoints]
    with_endpoint = {endpoint.node_name for endpoint in endpoints}
    hinted = any(endpoint.hints.for_zones for endpoint in endpoints)
    proxied = bool(controllers.of_pods(walk.store, (), service))
    groups: dict[object, list[Node]] = {}
    for item, kind in zip(nodes, classes.numbers(walk.store, nodes), strict=True):
        key: object = kind
        if hinted or item.name == client or item.name in with_endpoint:
            local: object = ""
            if item.name in with_endpoint:
                local = item.name if proxied else _local_classes(walk, service, item)
            key = (kind, item.zone if hinted else "", item.name == client, local)
        groups.setdefault(key, []).append(item)
    return list(groups.values())


def _local_classes(walk: Walk, service: Service, at: Node) -> frozenset[object]:
    """Return the classes of a Service's endpoints on a node."""
    found: set[object] = set()
    for piece in walk.store.slices_of(service.id):
        for endpoint in piece.endpoints:
            if endpoint.node_name == at.name:
                pod = pod_of(walk.store, piece, endpoint)
                kind = classes.of_pod(walk.store, pod) if pod is not None else endpoint.addresses
                found.add((kind, endpoint.conditions))
    return frozenset(found)


def _no_such_port(service: Service, packet: Packet) -> Step:
    """Return the blind step of a rule for every port that brings what the Service has no port for to the nodes.

    A node has nothing that translates it; whether it drops or resets it differs from proxy to proxy.
    """
    ports = ", ".join(f"{port.protocol} {port.port}" for port in service.ports)
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.BLIND,
        summary=f"Service {service.id} has no port for {packet.protocol} {packet.port}: nothing translates it",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        evidence=(Evidence(".spec.ports[].port", ports, service.ref),),
        missing=f"what a node does with {where(packet)}, for which Service {service.id} has no port",
        confirm=show(service.ref, ".spec.ports"),
    )


def no_service(walk: Walk, packet: Packet, steps: Road) -> Road:
    """Return the blind step of a load balancer behind which no Service is known."""
    missing = unreadable(walk.store.services) or f"the Service behind {where(packet)}"
    return (
        Step(
            kind=Kind.SERVICE_PORT,
            verdict=Verdict.BLIND,
            summary=f"no Service that can be read is behind {where(packet)}",
            subject=steps[-1].subject,
            packet=packet,
            missing=missing,
            confirm=listing("Service"),
        ),
    )


def _up(walk: Walk, service: Service, entry: loadbalancer.LoadBalancerEntry) -> tuple[list[Node], list[Considered]]:
    """Return the nodes that get traffic, and why the others do not.

    The load balancer's own word is in the entry; where it cannot be read, the probe that the cloud controller writes is
    taken for granted. A node that is not ready fails its probe.
    """
    down: list[Considered] = []
    usable = list(entry.nodes)
    blind = any(step.kind is Kind.LB_PROBE and step.verdict is Verdict.BLIND for step in entry.steps)
    if blind and service.external_traffic_policy == "Local" and service.health_check_node_port:
        usable, without = node.local_nodes(walk.store, service, usable)
        why = f"the probe of health check node port {service.health_check_node_port} fails: no ready endpoint there"
        down += [Considered(f"node {item.name}", decided=False, why=why) for item in without]
    lost = [item for item in usable if item.ready is not True]
    if lost and len(lost) < len(usable):
        down += [Considered(f"node {item.name}", decided=False, why="it is not ready (X07)") for item in lost]
        usable = [item for item in usable if item.ready is True]
    return usable, down


def _at(entry: loadbalancer.LoadBalancerEntry, at: Node, packet: Packet) -> Packet:
    """Return the packet as a node gets it; without floating IP to its own address, in the family of the frontend."""
    if entry.packet.destination is not None:
        return entry.packet
    return msgspec.structs.replace(entry.packet, destination=Place.of_node(at).facing(packet.destination).address)


def _to_pods(walk: Walk, journey: Journey, service: Service, found: tuple[int, ServicePort], packet: Packet) -> Road:
    """Return the road of a load balancer that sends to the Pods themselves: the client stays the sender."""
    onward = msgspec.structs.replace(journey, balanced=True)
    road = through_service(walk, onward, service, found, packet, Via(proxy=True))
    homes = {item.node_name for piece in walk.store.slices_of(service.id) for item in piece.endpoints if item.ready}
    known = [at for at in (walk.store.nodes.get(name) for name in sorted(homes)) if at is not None]
    ways = [routes.back(walk.store, at, packet) for at in known]
    back = next((way for way in ways if ended(way)), ways[0] if ways else ())
    told = tuple(
        msgspec.structs.replace(step, verdict=Verdict.DROP, status=0, summary=_nowhere(step))
        if step.kind is Kind.ENDPOINT and step.verdict is Verdict.RESPOND
        else step
        for step in road
    )
    return (*back, *told)


def _nowhere(step: Step) -> str:
    return f"{step.summary.partition(': the controller answers')[0]}; the load balancer has nowhere to send"


def _behind_none(
    walk: Walk,
    journey: Journey,
    service: Service,
    found: tuple[int, ServicePort],
    packet: Packet,
    entry: loadbalancer.LoadBalancerEntry,
) -> Road:
    """Return what stands behind a load balancer that sends to no node: why the Service has no endpoint there."""
    steps: list[Step] = []
    if not entry.ended:
        missing = unreadable(walk.store.nodes) or unreadable(walk.store.endpoint_slices, service.namespace)
        step = node.no_local_node(service, entry.nodes, packet)
        blind = msgspec.structs.replace(step, verdict=Verdict.BLIND, cause="", fix="", missing=missing)
        steps.append(blind if missing else step)
    members = entry.members
    if service.external_traffic_policy == "Local" and service.health_check_node_port:
        members = tuple(node.local_nodes(walk.store, service, members)[0])
    if members:
        arriving = msgspec.structs.replace(journey, balanced=True)
        groups = _node_groups(walk, journey, service, members)
        behind = tuple(
            step
            for group in groups
            for step in at_node(walk, arriving, group[0], service, found, _at(entry, group[0], packet))
        )
    else:
        nobody = msgspec.structs.replace(packet, source=None, source_word="")  # which node would send is not known
        behind = through_service(walk, Journey(source=Place()), service, found, nobody, Via(anywhere=True))
        return (*steps, *(step for step in _breaks(behind) if step.kind is not Kind.POLICY))  # it asks who sends
    return (*steps, *_breaks(behind))


def _breaks(road: Road) -> Road:
    """Return what ends a road, of its branches too, each fault once."""
    found: dict[tuple[object, ...], Step] = {}
    for step in road:
        if step.verdict in ENDS:
            found.setdefault((step.kind, step.subject, step.cause), step)
        for branch in step.branches:
            for below in _breaks(branch.steps):
                found.setdefault((below.kind, below.subject, below.cause), below)
    return tuple(found.values())


def at_node(
    walk: Walk, journey: Journey, at: Node, service: Service, found: tuple[int, ServicePort], packet: Packet
) -> Road:
    """Return the road from a node's interface on, for a packet to a Service from outside of the cluster."""
    local = service.external_traffic_policy == "Local"
    if packet.destination is None:  # without floating IP the load balancer writes each node's own address
        packet = msgspec.structs.replace(packet, destination=Place.of_node(at).address)
    onward = msgspec.structs.replace(journey, entry=Entry.LOCAL if local else Entry.CLUSTER, entry_node=at)
    filtered, back = nsg.into_node(walk.store, at, packet), routes.back(walk.store, at, packet)
    # Inside of private networks the way back is the way in: where the peering is broken, nothing comes to the group.
    steps = [*filtered, *back] if journey.internet else [*back, *filtered]
    if at.ready is not True:
        steps.append(in_pool(walk.store, at, lost_node(at, packet)))
    steps.append(in_pool(walk.store, at, taken(walk, service, at, packet)))
    via = Via(node=at, external=True)
    return (*steps, *through_service(walk, onward, service, found, packet, via))


def taken(walk: Walk, service: Service, at: Node | None, packet: Packet) -> Step:
    """Return the step at which a node takes a packet to an address of a Service for outsiders."""
    reading = node.proxy_of(walk.store)
    name = at.name if at is not None else "the client's node"
    return Step(
        kind=Kind.NODE_PORT,
        verdict=Verdict.PASS,
        summary=f"{reading.proxy.value} on {name} takes {where(packet)} for Service {service.id}",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        evidence=(
            Evidence(".spec.externalTrafficPolicy", service.external_traffic_policy or "Cluster"),
            Evidence(reading.fact.field, reading.fact.value, reading.fact.subject, f"{reading.proxy.value} translates"),
        ),
        assumptions=reading.assumptions,
        confirm=show(service.ref, ".status.loadBalancer"),
    )
