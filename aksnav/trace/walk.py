"""The whole road of a request, from where it starts to where it ends."""

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.aged import aged
from aksnav.trace.azure.lb_address import pending
from aksnav.trace.azure.powered import halted
from aksnav.trace.azure.zones import resolver_of
from aksnav.trace.cluster.alias import external_name
from aksnav.trace.cluster.dns import DOMAIN, Answer, Resolution, resolve
from aksnav.trace.cluster.hidden import hidden_nodes
from aksnav.trace.cluster.nameserver import ask
from aksnav.trace.cluster.pod import arrive, ref_of
from aksnav.trace.cluster.private_names import as_azure_answers
from aksnav.trace.cluster.resolver import asks_cluster, in_hosts_file, with_own_servers
from aksnav.trace.cluster.service import find_port, missing_service, no_port
from aksnav.trace.cluster.unserved import problems
from aksnav.trace.cluster.upstream import as_coredns_answers, asks_elsewhere
from aksnav.trace.fronted import at_name
from aksnav.trace.headless import headless
from aksnav.trace.journey import DEEPEST, Journey, Road, Walk, cut, ended, fan, too_long
from aksnav.trace.kubectl import listing, show
from aksnav.trace.outside import to_address, to_node
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.request import Request
from aksnav.trace.start import first_packet, start
from aksnav.trace.step import Branch, Evidence, Kind, Step, Trace, Verdict
from aksnav.trace.verdict import add_up


def trace(store: Store, request: Request) -> Trace:
    """Return the answer to a request: every step of its road, and what they add up to.

    Args:
        store: everything that is known; it is only read.
        request: what is asked.
    """
    walk = Walk(store, named)
    packet = first_packet(request)
    first, journey = start(store, request, packet)
    journey = msgspec.structs.replace(journey, source=journey.source.facing(packet.destination))
    packet = msgspec.structs.replace(packet, source=journey.source.address)
    if first.verdict is Verdict.BLIND:
        return add_up(request, (first,))
    first = msgspec.structs.replace(first, packet=packet)
    return add_up(request, cut(aged(store, halted(store, (first, *_onward(walk, journey, request, packet))))))


def _onward(walk: Walk, journey: Journey, request: Request, packet: Packet) -> Road:
    if request.service:
        return _to_service(walk, journey, request, packet)
    if request.pod:
        return _to_pod(walk, journey, request.pod, packet)
    if request.address is None:
        return named(walk, journey, request.host, packet)
    if request.host:
        packet = msgspec.structs.replace(packet, resolved=(request.host, request.address))
    road = to_address(walk, journey, packet)
    if not request.host:
        return road
    given = format_address(request.address)
    step = Step(
        kind=Kind.DNS_RESOLVE,
        verdict=Verdict.SKIP,
        summary=f"{request.host} is taken to be {given}: no name is looked up",
        packet=packet,
        evidence=(Evidence("--resolve", given),),
        confirm=f"nslookup {request.host}",
    )
    return (step, *road)


def named(walk: Walk, journey: Journey, host: str, packet: Packet) -> Road:
    """Return the road of a packet to a name: what it stands for, and on from there."""
    if journey.depth >= DEEPEST:
        return (too_long(packet, host),)
    literal = parse_address(host)
    if literal is not None:
        return to_address(walk, journey, msgspec.structs.replace(packet, destination=literal))
    if packet.resolved is None or packet.resolved[1] is not None:
        # Behind an alias, the name that was asked for stays the one under which the address is found.
        packet = msgspec.structs.replace(packet, resolved=(host, None))
    pod = journey.source.pod
    found = in_hosts_file(pod, host, packet) if pod is not None else None
    asked = ask(walk, pod, packet) if pod is not None and found is None else ()
    if found is None:
        edge = at_name(walk, journey, host, packet)
        if edge is not None:
            return (*asked, *edge)
        found = _looked_up(walk, journey, host, packet)
    steps = (*asked, found.step)
    if not found.answers:
        # Whatever the world's DNS says of the name: who claims it and is served by nobody does not get the request.
        return (*steps, *problems(walk.store, found.claimants, packet))
    onward = msgspec.structs.replace(journey, depth=journey.depth + 1)
    branches = [Branch(answer.label, _answer(walk, onward, answer, packet)) for answer in found.answers]
    if len(branches) == 1:
        return (*steps, *branches[0].steps)
    return (*asked, *fan(found.step, branches))


def _looked_up(walk: Walk, journey: Journey, host: str, packet: Packet) -> Resolution:
    """Return what the servers that a client asks say of a name."""
    pod = journey.source.pod
    own = pod is not None and asks_cluster(pod)
    namespace = pod.namespace if pod is not None and own else ""
    found = resolve(walk.store, host, packet, inside=not journey.outside, namespace=namespace)
    names = found.asked or (host,)
    found = _in_network(walk, journey, host, packet, found)
    clusters = host.endswith(f".{DOMAIN}") and not journey.outside
    if own or clusters:
        found = as_coredns_answers(walk.store, names, packet, found)
    if clusters and not own:
        found = _by_cluster_dns(found, journey)
    return with_own_servers(pod, found) if pod is not None else found


def _in_network(walk: Walk, journey: Journey, host: str, packet: Packet, found: Resolution) -> Resolution:
    """Return the resolution as the client's virtual network answers it; the internet sees no private zone."""
    pod = journey.source.pod
    elsewhere = pod is not None and asks_cluster(pod) and asks_elsewhere(walk.store, host)
    if journey.internet or elsewhere:
        return found
    return as_azure_answers(walk.store, resolver_of(walk.store, journey.source), host, packet, found)


def _by_cluster_dns(found: Resolution, journey: Journey) -> Resolution:
    """Return the resolution with what it takes for granted: a node's resolver need not know the cluster's names."""
    who = "Pod with the node's resolver" if journey.source.pod is not None else "node"
    note = f"the {who} is answered by the cluster's DNS (LocalDNS, or servers that forward to it)"
    step = msgspec.structs.replace(found.step, assumptions=(*found.step.assumptions, note))
    return msgspec.structs.replace(found, step=step)


def _answer(walk: Walk, journey: Journey, answer: Answer, packet: Packet) -> Road:
    if answer.alias:
        return named(walk, journey, answer.alias, packet)
    if answer.service is not None:
        if answer.service.type == "ExternalName":
            return external_name(walk, journey, answer.service, packet)
        pods = frozenset({answer.hostname}) if answer.hostname else None
        return headless(walk, journey, answer.service, packet, pods)
    name = packet.resolved[0] if packet.resolved is not None else ""
    found = msgspec.structs.replace(packet, destination=answer.address, resolved=(name, answer.address))
    return to_address(walk, journey, found)


def _to_service(walk: Walk, journey: Journey, request: Request, packet: Packet) -> Road:
    """Return the road to a Service that is named itself: at the address that the client would use."""
    service = walk.store.services.get(request.service)
    if service is None:
        return (missing_service(walk.store, request.service, packet),)
    if service.type == "ExternalName":
        return external_name(walk, journey, service, packet)
    found = find_port(service, request.port, request.port_name, packet.protocol)
    if found is None and packet.protocol == "TCP":
        # The short form of a target has no protocol: a port that the Service has in another one only is meant.
        for protocol in ("UDP", "SCTP"):
            found = found or find_port(service, request.port, request.port_name, protocol)
    if found is None and not service.headless:
        verdict = Verdict.REJECT if request.port_name else Verdict.DROP
        return (no_port(service, packet, request.port_name, verdict, "nothing translates it"),)
    if found is not None:
        port = found[1]
        packet = msgspec.structs.replace(packet, port=port.port, protocol=port.protocol, scheme=port.protocol.lower())
    if service.headless:
        return headless(walk, journey, service, packet, None, own_port=bool(request.port_name))
    return _at_addresses(walk, journey, service, packet)


def _at_addresses(walk: Walk, journey: Journey, service: Service, packet: Packet) -> Road:
    """Return the roads over every address under which a client reaches a Service."""
    outside = journey.outside and service.type in {"LoadBalancer", "NodePort"}
    texts = service.external_addresses if outside else service.virtual_ips
    if outside and service.type == "NodePort" and not texts:
        return _over_nodes(walk, journey, service, packet)
    alias = next((point.hostname for point in service.ingress_points if point.hostname and not point.ip), "")
    if outside and not texts and alias:
        return named(walk, journey, alias, packet)
    if not texts and service.type == "LoadBalancer":
        return (pending(walk.store, service, packet),)
    addresses = [address for address in map(parse_address, texts) if address is not None]
    branches = [
        Branch(format_address(at), to_address(walk, journey, msgspec.structs.replace(packet, destination=at)))
        for at in addresses
    ]
    if len(branches) == 1:
        return branches[0].steps
    field = ".status.loadBalancer.ingress" if outside else ".spec.clusterIPs"
    step = Step(
        kind=Kind.DNS_RESOLVE,
        verdict=Verdict.PASS if branches else Verdict.BLIND,
        summary=f"Service {service.id} has the addresses {', '.join(texts) or '(none)'}",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        evidence=(Evidence(field, ", ".join(texts)),),
        missing="" if branches else f"an address of Service {service.id}",
        confirm=show(service.ref, field),
    )
    return fan(step, branches) if branches else (step,)


def _over_nodes(walk: Walk, journey: Journey, service: Service, packet: Packet) -> Road:
    """Return the roads over every node, for a client outside of the cluster and a Service of type NodePort."""
    found = find_port(service, packet.port, "", packet.protocol)
    nodes = sorted(walk.store.nodes, key=lambda node: node.name)
    missing = unreadable(walk.store.nodes)
    step = Step(
        kind=Kind.NODE_PORT,
        verdict=Verdict.PASS if nodes and found is not None else Verdict.BLIND,
        summary=f"Service {service.id} is reached at its node port on any of {len(nodes)} nodes",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        evidence=(Evidence(".spec.type", service.type),),
        missing=missing or ("" if nodes else "a node of the cluster"),
        confirm=listing("Node") + " -o wide",
    )
    if step.verdict is Verdict.BLIND or found is None:
        return (step,)
    branches = []
    for at in nodes:
        address = parse_address(at.internal_ips[0]) if at.internal_ips else None
        here = msgspec.structs.replace(packet, destination=address, port=found[1].node_port)
        road = to_address(walk, journey, here) if address is not None else to_node(walk, journey, at, here)
        branches.append(Branch(f"node {at.name}", road, node=at.name))
    branches += [Branch(f"node {name}", (blind,)) for name, blind in hidden_nodes(walk.store, packet)]
    return fan(step, branches)


def _to_pod(walk: Walk, journey: Journey, ident: str, packet: Packet) -> Road:
    """Return the road to a Pod that is named itself."""
    pod = walk.store.pods.get(ident)
    if pod is None:
        namespace = ident.partition("/")[0]
        missing = walk.store.pods.undecodable.get(ident) or unreadable(walk.store.pods, namespace)
        return (
            Step(
                kind=Kind.POD_PORT,
                verdict=Verdict.BLIND if missing else Verdict.REJECT,
                summary=f"Pod {ident} cannot be read" if missing else f"there is no Pod {ident}",
                subject=Ref(Pod.KIND, ident),
                packet=packet,
                missing=missing,
                confirm=listing("Pod", namespace),
                fix="" if missing else "name a Pod that exists",
            ),
        )
    packet = msgspec.structs.replace(packet, destination=parse_address(pod.ip))
    return to_address(walk, journey, packet) if pod.ip and not pod.finished else _without_address(walk, pod, packet)


def _without_address(walk: Walk, pod: Pod, packet: Packet) -> Road:
    """Return what keeps a Pod from having an address."""
    steps = arrive(walk.store, pod, packet, listed_ready=False)
    if ended(steps):
        return steps
    return (
        Step(
            kind=Kind.POD_PORT,
            verdict=Verdict.BLIND,
            summary=f"Pod {pod.id} has no address",
            subject=ref_of(pod),
            version=pod.resource_version,
            packet=packet,
            missing=f".status.podIP of Pod {pod.id}",
            confirm=show(ref_of(pod), ".status"),
        ),
    )
