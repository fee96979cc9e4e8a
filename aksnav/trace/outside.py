"""From an address into the cluster: load balancer, node, Pod, or nothing that is known."""

from collections.abc import Sequence

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.model.public import is_public
from aksnav.trace.azure import client_side, kubenet, loadbalancer, nsg, routes
from aksnav.trace.azure.joins import attach_node, pod_prefixes, subnet_of
from aksnav.trace.balanced import at_node, balanced, no_service, over_the_internet, taken
from aksnav.trace.cluster import node
from aksnav.trace.cluster.service import Via, find_port, no_port
from aksnav.trace.crossings import departing, leaving
from aksnav.trace.ends import unserved
from aksnav.trace.fronted import at_address
from aksnav.trace.inside import proxied_outside, through_service, to_cluster_ip, to_pod
from aksnav.trace.istio.unlisted import unlisted
from aksnav.trace.journey import Journey, Road, Walk, behind, ended, where
from aksnav.trace.kubectl import listing
from aksnav.trace.nowhere import external_ip, from_afar, ping_of_service, pod_from_outside, service_ranges, unroutable
from aksnav.trace.packet import Packet
from aksnav.trace.place import Entry, Place
from aksnav.trace.readable import unreadable
from aksnav.trace.routing import controllers
from aksnav.trace.step import Evidence, Kind, Step, Verdict


def to_address(walk: Walk, journey: Journey, packet: Packet) -> Road:
    """Return the road of a packet that has an address, from where it is sent."""
    own = journey.outside and not journey.internet and journey.controller is None
    sent = client_side.leaving(walk.store, packet) if own and packet.source == journey.source.address else ()
    return (*sent, *_arriving(walk, journey, packet))


def _arriving(walk: Walk, journey: Journey, packet: Packet) -> Road:
    address = packet.destination
    if address is None:
        return ()
    source = journey.source.facing(address)
    if source is not journey.source and packet.source == journey.source.address:
        journey = msgspec.structs.replace(journey, source=source)
        packet = msgspec.structs.replace(packet, source=source.address)
    store = walk.store
    services = store.services_at(address)
    if services and packet.protocol == "ICMP":
        return (ping_of_service(packet, services[0]),)
    virtual = next((service for service in services if node.has_address(service, address)), None)
    if virtual is not None:
        if journey.outside:
            return (unroutable(packet, virtual),)
        return to_cluster_ip(walk, journey, virtual, packet)
    asked = unlisted(store, journey.source.pod, packet) if journey.controller is None and not journey.outside else None
    road = _to_other(walk, journey, services, packet)
    return (asked, *road) if asked is not None else road


def _to_other(walk: Walk, journey: Journey, services: Sequence[Service], packet: Packet) -> Road:
    """Return the road to an address that is no cluster address of a Service."""
    store, address = walk.store, packet.destination
    if address is None:
        return ()
    if services and not journey.outside and not _through_azure(services, address):
        return _short_cut(walk, journey, services, packet)
    if services:
        through = over_the_internet if not journey.internet and is_public(address) else _balanced_as_sent
        return (
            from_afar(journey, packet, services)
            or through(walk, journey, packet)
            or external_ip(walk, packet)
            or _unknown(walk, journey, packet)
        )
    pods = [pod for pod in store.pods_at(address) if not pod.finished and not pod.template.host_network]
    if pods:
        stop = pod_from_outside(walk, journey, packet) or _by_kubenets_routes(walk, journey, pods[0], packet)
        if stop and stop[-1].verdict is not Verdict.PASS:
            return stop
        back = _back_from(walk, journey, pods[0], packet)
        return (*stop, *back, *to_pod(walk, journey, pods[0], packet, service=None, listed=False))
    nodes = store.nodes_at(address)
    if nodes:
        return from_afar(journey, packet, ()) or to_node(walk, journey, nodes[0], packet)
    return from_afar(journey, packet, ()) or _unknown(walk, journey, packet)


def _by_kubenets_routes(walk: Walk, journey: Journey, pod: Pod, packet: Packet) -> Road:
    """Return the route by which an outsider's packet comes to a Pod of a kubenet cluster; nothing in other models."""
    node = walk.node_of(pod)
    if not journey.outside or node is None:
        return ()
    return kubenet.from_network(walk.store, journey.source.address, node, packet)


def _back_from(walk: Walk, journey: Journey, pod: Pod, packet: Packet) -> Road:
    """Return what becomes of a Pod's answers to a client outside of the cluster, who asked at the Pod's own address."""
    node = walk.node_of(pod)
    if not journey.outside or node is None:
        return ()
    of_pod = subnet_of(walk.store, packet.destination) if packet.destination is not None else None
    subnet = attach_node(walk.store, node).subnet
    if of_pod is None or subnet is None or of_pod[1].id == subnet.id:
        return routes.back(walk.store, node, packet)
    # Pods of a subnet of their own have its routes, not those of their node.
    return routes.back_from(walk.store, of_pod, packet, packet.destination)


def _balanced_as_sent(walk: Walk, journey: Journey, packet: Packet) -> Road | None:
    """Return the road over a load balancer of the network; a Pod of an overlay comes to it with its node's address."""
    node_of_client = journey.source.node
    sent = nsg.as_sent(walk.store, node_of_client, packet) if node_of_client is not None else packet
    if node_of_client is None or journey.outside or sent.source == packet.source:
        return balanced(walk, journey, packet)
    step = Step(
        kind=Kind.SNAT,
        verdict=Verdict.TRANSFORM,
        summary=f"the packet leaves the overlay with the address of node {node_of_client.name}",
        subject=node_of_client.ref,
        version=node_of_client.resource_version,
        packet=packet,
        packet_after=sent,
        evidence=(Evidence(".status.addresses", ", ".join(node_of_client.internal_ips)),),
    )
    onward = msgspec.structs.replace(journey, source=Place.of_node(node_of_client))
    road = balanced(walk, onward, sent)
    return None if road is None else (*leaving(walk, journey, packet), step, *road)


def _through_azure(services: Sequence[Service], address: int) -> bool:
    """Return whether even clients of the cluster go through the load balancer (ipMode Proxy)."""
    return any(
        point.ip_mode == "Proxy" and parse_address(point.ip) == address
        for service in services
        for point in service.ingress_points
    )


def _short_cut(walk: Walk, journey: Journey, services: Sequence[Service], packet: Packet) -> Road:
    """Return the road of a client in the cluster to a load balancer's address: the node translates it at once."""
    found = next(
        (
            (service, port)
            for service in services
            for port in [find_port(service, packet.port, "", packet.protocol)]
            if port is not None
        ),
        None,
    )
    if found is None:
        verdict, why = unserved(walk)
        return (no_port(services[0], packet, "", verdict, why),)
    service, port = found
    steps = [taken(walk, service, journey.source.node, packet)]
    ranges = node.source_ranges(service, packet)
    if ranges is not None:
        steps.append(ranges)
    masked = node.proxy_of(walk.store).proxy is node.Proxy.KUBE_PROXY and service.external_traffic_policy != "Local"
    onward = msgspec.structs.replace(
        journey,
        entry=Entry.CLUSTER if masked and journey.source.node is not None else Entry.DIRECT,
        entry_node=journey.source.node if masked else None,
    )
    via = Via(node=journey.source.node, external=True, anywhere=True)
    return (*steps, *through_service(walk, onward, service, port, packet, via))


def to_node(walk: Walk, journey: Journey, at: Node, packet: Packet) -> Road:
    """Return the road to a port of a node: a node port, a host port, a Pod in the node's network, or a process."""
    inner = Place.of_node(at).address
    if packet.destination is not None and is_public(packet.destination) and inner is not None:
        # Rules see the private address of a machine that has a public one of its own (not that of a load balancer).
        packet = msgspec.structs.replace(packet, destination=inner)
    found = node.node_port_service(walk.store, packet.port, packet.protocol)
    if found is not None:
        service, index, port = found
        step = node.node_port_step(service, index, port, at, packet)
        if journey.outside:
            return (step, *at_node(walk, journey, at, service, (index, port), packet))
        return (step, *_node_port_from_inside(walk, journey, at, (service, index, port), packet))
    filtered: Road = ()
    if journey.outside:
        groups, back = nsg.into_node(walk.store, at, packet), routes.back(walk.store, at, packet)
        # As behind a load balancer: inside of private networks the way back is the way in.
        filtered = (*groups, *back) if journey.internet else (*back, *groups)
    host = node.host_port(walk.store, at, packet)
    if host is not None:
        pod, port_number, step = host
        after = msgspec.structs.replace(packet, port=port_number)
        if not pod.template.host_network:
            after = msgspec.structs.replace(after, destination=parse_address(pod.ip))
        onward = msgspec.structs.replace(journey, entry=Entry.LOCAL, entry_node=at) if journey.outside else journey
        return (*filtered, step, *to_pod(walk, onward, pod, after, service=None, listed=False))
    missing = unreadable(walk.store.services) or unreadable(walk.store.pods)
    what = f"whether a process of node {at.name} listens on {packet.protocol} {packet.port}"
    return (
        *filtered,
        *(() if journey.outside else leaving(walk, journey, packet)),
        Step(
            kind=Kind.NODE_PORT,
            verdict=Verdict.BLIND,
            summary=f"port {packet.port} of node {at.name} is no node port and no host port that is known",
            subject=at.ref,
            version=at.resource_version,
            packet=packet,
            evidence=(Evidence("port", str(packet.port)),),
            missing=missing or what,
            confirm=f"{listing('Service')} -o wide",
        ),
    )


def _node_port_from_inside(
    walk: Walk, journey: Journey, at: Node, found: tuple[Service, int, ServicePort], packet: Packet
) -> Road:
    """Return the road of a client in the cluster to a node port: its traffic policy is for outsiders."""
    service, index, port = found
    onward = msgspec.structs.replace(journey, entry=Entry.CLUSTER, entry_node=at)
    via = Via(node=at, external=True, anywhere=True)
    return through_service(walk, onward, service, (index, port), packet, via)


def _unknown(walk: Walk, journey: Journey, packet: Packet) -> Road:
    """Return the road to an address that is no Service's, Pod's or node's."""
    entry = loadbalancer.enter(walk.store, packet) if packet.protocol != "ICMP" else None
    if entry is not None:
        return entry.steps if ended(entry.steps) else (*entry.steps, *no_service(walk, packet, entry.steps))
    fronted = at_address(walk, journey, packet)
    if fronted is not None:
        return fronted
    gateways = controllers.of_address(walk.store, packet.destination)
    if gateways:
        return proxied_outside(walk, journey, gateways[0], packet)
    ranges = service_ranges(walk)
    hidden = [unreadable(table) for table in (walk.store.services, walk.store.pods, walk.store.nodes)]
    hidden += [
        f"{table.kind} {next(iter(table.undecodable))} cannot be decoded"
        for table in (walk.store.services, walk.store.pods, walk.store.nodes)
        if table.undecodable
    ]
    missing = "; ".join(text for text in hidden if text)
    inside = next((prefix for prefix in (*pod_prefixes(walk.store), *ranges) if packet.destination in prefix), None)
    if inside is not None and not missing:
        of_services = inside in ranges
        return (
            Step(
                kind=Kind.SERVICE_PORT if of_services else Kind.POD_PORT,
                verdict=Verdict.DROP,
                summary=f"{where(packet)} is in the cluster's range {inside}, and nothing has this address",
                packet=packet,
                cause="S16" if of_services and journey.outside else "S12",
                evidence=(Evidence("range", str(inside)),),
                confirm=f"{listing('Service' if of_services else 'Pod')} -o wide",
                fix="ask for an address that exists: " + (_OF_A_SERVICE if of_services else _OF_A_POD),
            ),
        )
    way_out = departing(walk, journey, packet) if inside is None else ()
    if ended(way_out):
        return way_out
    said = f"nothing that is known has the address {where(packet)}"
    if way_out and not missing:
        said = f"the packet leaves for {where(packet)}: what answers there is outside of what is read"
    return (
        *way_out,
        Step(
            kind=Kind.DNS_RESOLVE if packet.host and parse_address(packet.host) is None else Kind.PUBLIC_IP,
            verdict=Verdict.BLIND,
            summary=said,
            packet=behind(way_out, packet),
            evidence=(Evidence("address", format_address(packet.destination) if packet.destination else ""),),
            missing=missing or f"what answers at {where(packet)}: it is outside of this cluster",
            confirm=listing("Service") + " -o wide",
        ),
    )


_OF_A_SERVICE = "a Service that is made anew gets another one, so ask by its name"
_OF_A_POD = "addresses of Pods change when they are made anew"
