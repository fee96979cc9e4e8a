"""Where a request starts: the internet, an address outside of the cluster, a Pod, a node."""

from aksnav.model.addresses import format_address, parse_prefix
from aksnav.model.azure.network import VirtualNetwork
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.model.object import Ref
from aksnav.model.public import is_public
from aksnav.store.store import Store
from aksnav.trace.azure.joins import subnet_of
from aksnav.trace.cluster.pod import ref_of
from aksnav.trace.journey import Journey
from aksnav.trace.kubectl import listing, show
from aksnav.trace.packet import Packet
from aksnav.trace.place import Place
from aksnav.trace.readable import unreadable
from aksnav.trace.request import Origin, Request, Source
from aksnav.trace.step import Evidence, Kind, Step, Verdict


def start(store: Store, request: Request, packet: Packet) -> tuple[Step, Journey]:
    """Return the first step of a trace, and who is on the way.

    A source that does not exist, or has no address, makes a blind step: nothing is known of a packet from nowhere.
    """
    source = request.source
    if source.origin is Origin.POD:
        pod = store.pods.get(source.id)
        return _of_pod(store, pod, packet) if pod is not None else _nobody(store, source, packet)
    if source.origin is Origin.NODE:
        node = store.nodes.get(source.id)
        return _of_node(node, packet) if node is not None else _nobody(store, source, packet)
    if source.origin is Origin.ADDRESS and source.address is not None:
        return _of_address(store, source.address, packet)
    shown = "any client" if source.address is None else format_address(source.address)
    step = Step(
        kind=Kind.START_INTERNET,
        verdict=Verdict.PASS,
        summary=f"from the internet: {shown}",
        packet=packet,
        evidence=(Evidence("source", shown),),
    )
    return step, Journey(source=Place(address=source.address), outside=True, internet=True)


def _of_pod(store: Store, pod: Pod, packet: Packet) -> tuple[Step, Journey]:
    missing = (
        "" if pod.ip and not pod.finished else f"an address of Pod {pod.id}, which is {pod.phase or 'in no phase'}"
    )
    step = Step(
        kind=Kind.START_POD,
        verdict=Verdict.BLIND if missing else Verdict.PASS,
        summary=f"from Pod {pod.id} at {pod.ip or '(no address)'}" + (f" on node {pod.node}" if pod.node else ""),
        subject=ref_of(pod),
        version=pod.resource_version,
        packet=packet,
        evidence=(Evidence(".status.podIP", pod.ip), Evidence(".spec.nodeName", pod.node)),
        missing=missing,
        confirm=show(ref_of(pod), ".status.podIP"),
    )
    node = store.nodes.get(pod.node) if pod.node else None
    return step, Journey(source=Place.of_pod(pod, node))


def _of_node(node: Node, packet: Packet) -> tuple[Step, Journey]:
    place = Place.of_node(node)
    shown = format_address(place.address) if place.address is not None else ""
    step = Step(
        kind=Kind.START_NODE,
        verdict=Verdict.PASS if shown else Verdict.BLIND,
        summary=f"from node {node.name} at {shown or '(no address)'}",
        subject=node.ref,
        version=node.resource_version,
        packet=packet,
        evidence=(Evidence('.status.addresses[?(@.type=="InternalIP")].address', shown),),
        missing="" if shown else f"an InternalIP of node {node.name}",
        confirm=show(node.ref, ".status.addresses"),
    )
    return step, Journey(source=place)


def _of_address(store: Store, address: int, packet: Packet) -> tuple[Step, Journey]:
    pods = [pod for pod in store.pods_at(address) if not pod.finished and not pod.template.host_network]
    if pods:
        return _of_pod(store, pods[0], packet)
    nodes = store.nodes_at(address)
    if nodes:
        return _of_node(nodes[0], packet)
    shown = format_address(address)
    if is_public(address):
        step = Step(
            kind=Kind.START_INTERNET,
            verdict=Verdict.PASS,
            summary=f"from the internet: {shown}",
            packet=packet,
            evidence=(Evidence("source", shown, None, "an address of the internet"),),
        )
        return step, Journey(source=Place(address=address), outside=True, internet=True)
    return _private(store, address, packet), Journey(source=Place(address=address), outside=True)


def _private(store: Store, address: int, packet: Packet) -> Step:
    """Return the start in a virtual network that is known, or elsewhere: on premises, in another network."""
    shown = format_address(address)
    at = subnet_of(store, address)
    network = at[0] if at is not None else _network_of(store, address)
    if network is not None:
        where = f"virtual network {network.name}" + (f", subnet {at[1].name}" if at is not None else "")
        fact = Evidence(".addressSpace.addressPrefixes", ", ".join(network.address_space.address_prefixes), network.ref)
        return Step(
            kind=Kind.START_VNET,
            verdict=Verdict.PASS,
            summary=f"from {shown} in {where}",
            subject=network.ref,
            version=network.etag,
            packet=packet,
            evidence=(fact,),
        )
    missing = unreadable(store.virtual_networks)
    note = f"{shown} is on premises or in a network that is connected to the cluster's"
    return Step(
        kind=Kind.START_ONPREM,
        verdict=Verdict.PASS,
        summary=f"from {shown}, which is in no virtual network that is known",
        packet=packet,
        evidence=(Evidence("source", shown, None, f"not readable: {missing}" if missing else ""),),
        assumptions=(note,),
    )


def _network_of(store: Store, address: int) -> VirtualNetwork | None:
    for network in store.virtual_networks:
        prefixes = map(parse_prefix, network.address_space.address_prefixes)
        if any(address in prefix for prefix in prefixes if prefix is not None):
            return network
    return None


def _nobody(store: Store, source: Source, packet: Packet) -> tuple[Step, Journey]:
    """Return the start from a Pod or node that is not there, or cannot be read."""
    is_pod = source.origin is Origin.POD
    table = store.pods if is_pod else store.nodes
    namespace = source.id.partition("/")[0] if is_pod else ""
    kind = "Pod" if is_pod else "Node"
    hidden = table.undecodable.get(source.id) or (
        unreadable(store.pods, namespace) if is_pod else unreadable(store.nodes)
    )
    step = Step(
        kind=Kind.START_POD if is_pod else Kind.START_NODE,
        verdict=Verdict.BLIND,
        summary=f"{kind} {source.id} cannot be read" if hidden else f"there is no {kind} {source.id}",
        subject=Ref(kind, source.id),
        packet=packet,
        missing=hidden or f"{kind} {source.id}: it does not exist",
        confirm=listing(kind, namespace),
        fix="name a source that exists",
    )
    return step, Journey(source=Place())


def first_packet(request: Request) -> Packet:
    """Return the packet as the client makes it, before it has a source or a destination address.

    A Host header takes the place of the host in the URL, as clients send it; the server name of TLS stays the URL's.
    gRPC requests are POST, whatever method the user has for others (gRPC over HTTP/2, Request-Headers).
    """
    transport = request.scheme if request.scheme in {"udp", "sctp", "icmp"} else "tcp"
    is_http = request.scheme in {"http", "https", "grpc", "grpcs"}
    given = dict(request.headers).get("host", "")
    host = given.lower().rpartition(":")[0] or given.lower() if given else request.host
    if is_http and not host and request.address is not None:
        host = format_address(request.address)
    source = request.source
    return Packet(
        source=source.address,
        source_word="Internet" if source.origin is Origin.INTERNET and source.address is None else "",
        destination=request.address,
        port=request.port,
        protocol=transport.upper(),
        scheme=request.scheme,
        host=host if is_http else "",
        path=request.path if is_http else "",
        query=request.query if is_http else "",
        method="POST" if request.scheme in {"grpc", "grpcs"} else request.method if is_http else "",
        headers=request.headers if is_http else (),
        sni=request.sni,
        tls=request.scheme in {"https", "grpcs"},
    )
