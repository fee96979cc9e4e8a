"""From an address into the cluster: load balancer, node, Pod, or nothing that is known."""

from collections.abc import Sequence

import msgspec

from aksnav.model.addresses import Prefix, format_address, parse_address, parse_prefix
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Node
from aksnav.trace import classes, controllers, loadbalancer, node, nsg, routes
from aksnav.trace.azure import cluster, pod_prefixes, unreadable
from aksnav.trace.inside import leaving, proxied_outside, through_service, to_cluster_ip, to_pod, unserved
from aksnav.trace.journey import Journey, Road, Walk, ended, fan, where
from aksnav.trace.kubectl import listing, show
from aksnav.trace.packet import Packet
from aksnav.trace.place import Entry, Place
from aksnav.trace.pod import lost_node
from aksnav.trace.policy.who import is_public
from aksnav.trace.service import Via, find_port, no_port
from aksnav.trace.step import ENDS, Branch, Considered, Evidence, Kind, Step, Verdict


def to_address(walk: Walk, journey: Journey, packet: Packet) -> Road:
    """Return the road of a packet that has an address."""
    address = packet.destination
    if address is None:
        return ()
    store = walk.store
    services = store.services_at(address)
    virtual = next((service for service in services if node.has_address(service, address)), None)
    if virtual is not None:
        if journey.outside:
            return (_unroutable(packet, virtual),)
        return to_cluster_ip(walk, journey, virtual, packet)
    if services and not journey.outside and not _through_azure(services, address):
        return _short_cut(walk, journey, services, packet)
    if services:
        return _from_afar(journey, packet, services) or _balanced(walk, journey, packet)
    pods = [pod for pod in store.pods_at(address) if not pod.finished and not pod.template.host_network]
    if pods:
        stop = _pod_from_outside(walk, journey, packet)
        return stop or to_pod(walk, journey, pods[0], packet, service=None, listed=False)
    nodes = store.nodes_at(address)
    if nodes:
        return _from_afar(journey, packet, ()) or to_node(walk, journey, nodes[0], packet)
    return _from_afar(journey, packet, ()) or _unknown(walk, journey, packet)


def _through_azure(services: Sequence[Service], address: int) -> bool:
    """Return whether even clients of the cluster go through the load balancer (ipMode Proxy)."""
    return any(
        point.ip_mode == "Proxy" and parse_address(point.ip) == address
        for service in services
        for point in service.ingress_points
    )


def _unroutable(packet: Packet, service: Service) -> Step:
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.DROP,
        summary=f"{where(packet)} is the cluster address of Service {service.id}: it leads nowhere from outside",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        cause="S16",
        evidence=(
            Evidence(".spec.clusterIP", service.cluster_ip),
            Evidence(".spec.type", service.type),
        ),
        confirm=show(service.ref, ".spec.clusterIP"),
        fix="ask at the address of a load balancer or an ingress; a cluster address is known on the nodes alone",
    )


def _from_afar(journey: Journey, packet: Packet, services: Sequence[Service]) -> Road:
    """Return the step that ends the road of a packet from the internet to a private address."""
    if not journey.internet or packet.destination is None or is_public(packet.destination):
        return ()
    first = services[0] if services else None
    annotation = "service.beta.kubernetes.io/azure-load-balancer-internal"
    facts = [Evidence("destination", format_address(packet.destination), None, "not an address of the internet")]
    if first is not None and annotation in first.annotations:
        facts.append(Evidence(f".metadata.annotations['{annotation}']", first.annotations[annotation], first.ref))
    return (
        Step(
            kind=Kind.ROUTE,
            verdict=Verdict.DROP,
            summary=f"{format_address(packet.destination)} is a private address: no road leads there from the internet",
            subject=first.ref if first is not None else None,
            packet=packet,
            evidence=tuple(facts),
            confirm=show(first.ref, ".metadata.annotations") if first is not None else "",
            fix="ask from inside of the network (--from ADDRESS), or make the Service public",
        ),
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
    steps = [_taken(walk, service, journey.source.node, packet)]
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


def _taken(walk: Walk, service: Service, at: Node | None, packet: Packet) -> Step:
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


def _balanced(walk: Walk, journey: Journey, packet: Packet) -> Road:
    """Return the road through the load balancer to its nodes, and on."""
    entry = loadbalancer.enter(walk.store, packet)
    if entry is None:
        return _unknown(walk, journey, packet)
    steps, service, port = entry.steps, entry.service, entry.service_port
    if service is None or port is None:
        return steps if entry.ended else (*steps, *_nowhere(walk, packet, steps))
    found = (service.ports.index(port), port)
    up, down = _up(walk, service, entry)
    if not up:
        return (*steps, *_behind_none(walk, service, found, packet, entry))
    arriving = msgspec.structs.replace(journey, balanced=True)
    branches = [
        Branch(
            f"node {group[0].name}", _at_node(walk, arriving, group[0], service, found, entry.packet), None, len(group)
        )
        for group in _node_groups(walk, service, up)
    ]
    spread = Step(
        kind=Kind.LB_POOL,
        verdict=Verdict.PASS,
        summary=f"any of {len(up)} nodes takes it" if len(up) > 1 else f"node {up[0].name} takes it",
        subject=service.ref,
        packet=entry.packet,
        evidence=(Evidence(".spec.externalTrafficPolicy", service.external_traffic_policy or "Cluster"),),
        considered=tuple(down),
        confirm=listing("Node"),
    )
    return (*steps, *fan(spread, branches))


def _node_groups(walk: Walk, service: Service, nodes: Sequence[Node]) -> list[list[Node]]:
    """Return the nodes in groups in which nothing decides otherwise; a node with an endpoint of a proxy is its own."""
    with_endpoint = {endpoint.node_name for piece in walk.store.slices_of(service.id) for endpoint in piece.endpoints}
    proxied = bool(controllers.of_pods(walk.store, (), service))
    groups: dict[tuple[object, ...], list[Node]] = {}
    for item in nodes:
        key = classes.of_node(walk.store, item)
        if item.name in with_endpoint:
            key = (*key, item.name if proxied else _local_classes(walk, service, item))
        groups.setdefault(key, []).append(item)
    return list(groups.values())


def _local_classes(walk: Walk, service: Service, at: Node) -> frozenset[object]:
    """Return the classes of a Service's endpoints on a node."""
    found: set[object] = set()
    for piece in walk.store.slices_of(service.id):
        for endpoint in piece.endpoints:
            if endpoint.node_name == at.name:
                pod = walk.store.pods.get(f"{piece.namespace}/{endpoint.target_ref.name}")
                kind = classes.of_pod(walk.store, pod) if pod is not None else endpoint.addresses
                found.add((kind, endpoint.conditions))
    return frozenset(found)


def _nowhere(walk: Walk, packet: Packet, steps: Road) -> Road:
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


def _behind_none(
    walk: Walk,
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
    behind = through_service(walk, Journey(source=Place()), service, found, packet, Via(anywhere=True))
    return (*steps, *(item for item in behind if item.verdict in ENDS))


def _at_node(
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
        steps.append(lost_node(at, packet))
    steps.append(_taken(walk, service, at, packet))
    via = Via(node=at, external=True)
    return (*steps, *through_service(walk, onward, service, found, packet, via))


def _pod_from_outside(walk: Walk, journey: Journey, packet: Packet) -> Road:
    """Return the step that ends the road of an outsider to a Pod's own address (R11), or nothing where it goes on."""
    if not journey.outside or packet.destination is None:
        return ()
    holding = next((prefix for prefix in pod_prefixes(walk.store) if packet.destination in prefix), None)
    managed = cluster(walk.store)
    mode = managed.network_profile.network_plugin_mode.lower() if managed is not None else ""
    plugin = managed.network_profile.network_plugin.lower() if managed is not None else ""
    if mode == "overlay" and holding is not None:
        why = f"{format_address(packet.destination)} is in the overlay {holding}: it exists inside of the cluster only"
        fact = Evidence(".networkProfile.networkPluginMode", "overlay", managed.ref if managed is not None else None)
        return (_closed(packet, "R11", why, fact),)
    if journey.internet:
        return _from_afar(journey, packet, ())
    if plugin in {"", "none"} and holding is not None:
        step = _closed(packet, "", f"whether {holding} is routed outside of the cluster is not known", None)
        missing = unreadable(walk.store.clusters) or "networkProfile.networkPluginMode of the managed cluster"
        return (msgspec.structs.replace(step, verdict=Verdict.BLIND, missing=missing, fix=""),)
    return ()


def _closed(packet: Packet, cause: str, why: str, fact: Evidence | None) -> Step:
    return Step(
        kind=Kind.ROUTE,
        verdict=Verdict.DROP,
        summary=why,
        packet=packet,
        cause=cause,
        evidence=(fact,) if fact is not None else (),
        confirm="az aks show --query networkProfile",
        fix="ask through a Service of type LoadBalancer or an ingress; outsiders cannot reach overlay Pods",
    )


def to_node(walk: Walk, journey: Journey, at: Node, packet: Packet) -> Road:
    """Return the road to a port of a node: a node port, a host port, a Pod in the node's network, or a process."""
    found = node.node_port_service(walk.store, packet.port, packet.protocol)
    if found is not None:
        service, index, port = found
        step = node.node_port_step(service, index, port, at, packet)
        if journey.outside:
            return (step, *_at_node(walk, journey, at, service, (index, port), packet))
        return (step, *_node_port_from_inside(walk, journey, at, (service, index, port), packet))
    filtered = nsg.into_node(walk.store, at, packet) if journey.outside else ()
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
    entry = loadbalancer.enter(walk.store, packet)
    if entry is not None:
        return entry.steps if ended(entry.steps) else (*entry.steps, *_nowhere(walk, packet, entry.steps))
    gateways = controllers.of_address(walk.store, packet.destination)
    if gateways:
        return proxied_outside(walk, journey, gateways[0], packet)
    ranges = _service_ranges(walk)
    hidden = [unreadable(table) for table in (walk.store.services, walk.store.pods, walk.store.nodes)]
    missing = "; ".join(text for text in hidden if text)
    inside = next((prefix for prefix in (*pod_prefixes(walk.store), *ranges) if packet.destination in prefix), None)
    if inside is not None and not missing:
        return (
            Step(
                kind=Kind.SERVICE_PORT if inside in ranges else Kind.POD_PORT,
                verdict=Verdict.DROP,
                summary=f"{where(packet)} is in the cluster's range {inside}, and nothing has this address",
                packet=packet,
                cause="S16" if inside in ranges and journey.outside else "S12",
                evidence=(Evidence("range", str(inside)),),
                confirm=listing("Pod") + " -o wide",
                fix="ask for an address that exists; addresses of Pods change when they are made anew",
            ),
        )
    return (
        *leaving(walk, journey, packet),
        Step(
            kind=Kind.DNS_RESOLVE if packet.host else Kind.PUBLIC_IP,
            verdict=Verdict.BLIND,
            summary=f"nothing that is known has the address {where(packet)}",
            packet=packet,
            evidence=(Evidence("address", format_address(packet.destination) if packet.destination else ""),),
            missing=missing or f"what answers at {where(packet)}: it is outside of this cluster",
            confirm=listing("Service") + " -o wide",
        ),
    )


def _service_ranges(walk: Walk) -> tuple[Prefix, ...]:
    managed = cluster(walk.store)
    if managed is None:
        return ()
    profile = managed.network_profile
    texts = profile.service_cidrs or ((profile.service_cidr,) if profile.service_cidr else ())
    return tuple(prefix for prefix in map(parse_prefix, texts) if prefix is not None)
