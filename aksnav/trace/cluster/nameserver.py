"""Whether a Pod can ask the cluster's DNS at all: it has endpoints, and security groups and policies let it through."""

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace import policy
from aksnav.trace.azure import kubenet, nsg
from aksnav.trace.azure.joins import cluster
from aksnav.trace.cluster.endpoints import Chosen
from aksnav.trace.cluster.hidden import hidden
from aksnav.trace.cluster.pod import without_pod
from aksnav.trace.cluster.resolver import asks_cluster
from aksnav.trace.cluster.service import ServiceDecision, Via, endpoints, find_port, no_port
from aksnav.trace.journey import Road, Walk
from aksnav.trace.kubectl import listing
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Place
from aksnav.trace.readable import unreadable
from aksnav.trace.step import ENDS, UNKNOWN, Evidence, Kind, Step, Verdict

SERVICE = "kube-system/kube-dns"
PORT = 53
# Where LocalDNS answers Pods on their own node (dnsPolicy ClusterFirst).
LOCAL_DNS = "169.254.10.11"
# Cilium's DNS proxy answers REFUSED to a question that no DNS rule admits.
_STOPS = frozenset({Verdict.DROP, Verdict.REJECT})


def ask(walk: Walk, pod: Pod, packet: Packet) -> Road:
    """Return what becomes of a Pod's questions to the cluster's DNS, where it is not free and known to be.

    It has no endpoint (D05), a policy stops the question (P06; of a node with LocalDNS: D06), or a security group or
    route between the nodes (N12): that ends the road. What cannot be read of it is taken for granted, by name.

    Nothing is returned where the way is free. The DNS Service is ``kube-system/kube-dns``, which AKS always has, or
    whichever has the address that AKS gives to Pods (networkProfile.dnsServiceIP); where no Service has it, nobody
    answers (D05). A Pod with its node's resolver asks that. The name that is asked for is that of ``packet.resolved``,
    where there is one.
    """
    if not asks_cluster(pod):
        return ()
    service = walk.store.services.get(SERVICE) or _at_address(walk.store)
    if service is None:
        return (_without_service(walk, pod, packet),)
    name = packet.resolved[0] if packet.resolved is not None else ""
    question = msgspec.structs.replace(
        packet, port=PORT, protocol="UDP", scheme="udp", host=name, path="", headers=(), sni="", tls=False
    )
    found = find_port(service, PORT, "", question.protocol)
    if found is None:
        step = no_port(service, question, "", Verdict.REJECT, "no name is looked up")
        return (_as_name_failure(step, step.cause, "the Pod cannot ask the cluster's DNS"),)
    return _asked(walk, pod, question, service, found[1])


def _asked(walk: Walk, pod: Pod, question: Packet, service: Service, port: ServicePort) -> Road:
    """Return what becomes of a Pod's questions to the DNS Service, over LocalDNS where its node has it."""
    node = walk.node_of(pod)
    local = _local_dns(walk, node)
    lead = _to_local(walk, pod, node, question, local) if local is not None and node is not None else ()
    if any(step.verdict in ENDS for step in lead):
        return lead
    decision = endpoints(walk.store, service, port, question, Via(node=node))
    if decision.step.verdict is Verdict.BLIND:
        said = f"the cluster's DNS answers Pod {pod.id}: its endpoints cannot be read ({decision.step.missing})"
        return (*lead, _taken(question, service, (said,)))
    if not decision.chosen:
        return (_as_name_failure(decision.step, "D05", "the cluster's DNS has no endpoint"),)
    notes = decision.step.assumptions
    if local is not None:  # the node asks the cluster's DNS in the Pod's place
        return (*lead, *((_taken(question, service, notes),) if notes else ()))
    return _to_servers(walk, pod, question, service, decision)


def _to_servers(walk: Walk, pod: Pod, question: Packet, service: Service, decision: ServiceDecision) -> Road:
    """Return what security groups, routes and policies do with the questions to the DNS Service's endpoints."""
    roads = [_to_server(walk, pod, service, item, question) for item in decision.chosen]
    notes = _without_local(walk, walk.node_of(pod), roads)
    stopped = [
        step for road in roads for step in [next((item for item in road if item.verdict in _STOPS), None)] if step
    ]
    if stopped and len(stopped) == len(roads):
        first = next((step for step in stopped if step.kind is Kind.POLICY), stopped[0])
        first = msgspec.structs.replace(first, assumptions=(*first.assumptions, *notes))
        if first.kind is Kind.POLICY:
            return (_as_name_failure(first, "P06", "the Pod may not ask the cluster's DNS"),)
        cause = "N12" if first.kind is Kind.NSG else first.cause
        return (_as_name_failure(first, cause, "the Pod does not reach the cluster's DNS"),)
    unsure = next((step for road in roads for step in road if step.verdict in UNKNOWN), None)
    if unsure is not None:
        return (unsure,)
    said = [*decision.step.assumptions, *(line for road in roads for step in road for line in step.assumptions), *notes]
    if stopped:
        total = f"{len(stopped)} of the {len(roads)} endpoints of the cluster's DNS"
        said.append(f"the Pod asks again where its question comes to {total}: {stopped[0].summary}")
    return (_taken(question, service, tuple(dict.fromkeys(said))),) if said else ()


def _at_address(store: Store) -> Service | None:
    """Return the Service at the address that AKS gives to Pods as their name server, or None."""
    managed = cluster(store)
    address = parse_address(managed.network_profile.dns_service_ip) if managed is not None else None
    return next(iter(store.services_at(address)), None) if address is not None else None


def nobody(store: Store, packet: Packet) -> Step | None:
    """Return the step of a cluster in which no Service has the address that Pods ask for names (D05), or None."""
    managed = cluster(store)
    address = managed.network_profile.dns_service_ip if managed is not None else ""
    if managed is None or not address or store.services.get(SERVICE) or _at_address(store) or hidden(store.services):
        return None
    return Step(
        kind=Kind.DNS_RESOLVE,
        verdict=Verdict.REJECT,
        summary=f"no Pod can ask the cluster's DNS: no Service has its address {address}",
        subject=managed.ref,
        version=managed.etag,
        packet=packet,
        cause="D05",
        evidence=(
            Evidence(".networkProfile.dnsServiceIP", address, managed.ref, "no Service has it"),
            Evidence(f"Service {SERVICE}", "(absent)"),
        ),
        confirm=listing("Service", "kube-system"),
        fix=f"bring Service {SERVICE} back with the address {address}",
    )


def _without_service(walk: Walk, pod: Pod, packet: Packet) -> Step:
    """Return the step of a cluster without a known DNS Service: nobody answers, where everything is read."""
    step = nobody(walk.store, packet)
    if step is not None:
        return step
    why = _hidden(walk)
    if not why:
        address = hidden(walk.store.services) or "the cluster's networkProfile.dnsServiceIP is not read"
        why = f"there is no Service {SERVICE}, and {address}"
    return _taken(packet, None, (f"the cluster's DNS answers Pod {pod.id}: {why}",))


def _hidden(walk: Walk) -> str:
    """Return why it is not known whether there is a DNS Service, or an empty string."""
    services = walk.store.services
    if SERVICE in services.undecodable:
        return f"Service {SERVICE}: {services.undecodable[SERVICE]}"
    missing = unreadable(services, SERVICE.partition("/")[0])
    return f"Service {SERVICE} cannot be read ({missing})" if missing else ""


def _taken(packet: Packet, service: Service | None, notes: tuple[str, ...]) -> Step:
    """Return the step of a question whose answer is taken for granted."""
    return Step(
        kind=Kind.DNS_RESOLVE,
        verdict=Verdict.SKIP,
        summary="whether the Pod can ask the cluster's DNS is not certain",
        subject=Ref(Service.KIND, SERVICE),
        version=service.resource_version if service is not None else "",
        packet=packet,
        assumptions=notes,
        confirm=listing("EndpointSlice", "kube-system", "kubernetes.io/service-name=kube-dns"),
    )


def _local_dns(walk: Walk, node: Node | None) -> Evidence | None:
    """Return the field that says that a node's pool has LocalDNS, or None: then Pods ask the cluster's DNS themselves.

    Source: AKS documentation, "DNS resolution in AKS", LocalDNS: state Enabled, or mode Required.
    """
    managed = cluster(walk.store)
    pool = (
        next((item for item in managed.agent_pool_profiles if item.name == node.pool), None)
        if managed is not None and node is not None
        else None
    )
    if pool is None or managed is None:
        return None
    for field, value in (("state", "enabled"), ("mode", "required")):
        said = str(pool.local_dns_profile.get(field, ""))
        if said.lower() == value:
            path = f".agentPoolProfiles[?(@.name=='{pool.name}')].localDNSProfile.{field}"
            return Evidence(path, said, managed.ref)
    return None


def _to_local(walk: Walk, pod: Pod, node: Node, question: Packet, local: Evidence) -> Road:
    """Return the step that keeps a Pod from asking LocalDNS on its own node (D06), or may do so; or nothing."""
    steps = _policies_to_local(walk, pod, node, question)
    stopped = next((step for step in steps if step.verdict in _STOPS), None)
    if stopped is None:
        return tuple(step for step in steps if step.verdict in UNKNOWN or step.assumptions)
    step = _as_name_failure(stopped, "D06", f"the Pod may not ask LocalDNS at {LOCAL_DNS}")
    fix = f"let UDP and TCP 53 to the node itself and to {LOCAL_DNS} through (Cilium: toEntities host)"
    return (msgspec.structs.replace(step, evidence=(*step.evidence, local), fix=fix),)


def _policies_to_local(walk: Walk, pod: Pod, node: Node, question: Packet) -> Road:
    packet = msgspec.structs.replace(question, destination=parse_address(LOCAL_DNS))
    crossing = Crossing(
        source=Place.of_pod(pod, node), destination=Place(node=node, address=packet.destination), packet=packet
    )
    return policy.judge(walk.store, crossing)


def _without_local(walk: Walk, node: Node | None, roads: list[Road]) -> tuple[str, ...]:
    """Return what is taken for granted where it is not known whether a node has LocalDNS, and policies tell the two.

    A policy that lets a Pod ask the cluster's DNS need not let it ask its own node, and the other way round.
    """
    missing = unreadable(walk.store.clusters)
    selected = any(step.kind is Kind.POLICY and step.verdict is not Verdict.SKIP for road in roads for step in road)
    if node is None or not missing or not selected:
        return ()
    return (f"node {node.name} has no LocalDNS: the managed cluster cannot be read ({missing})",)


def _to_server(walk: Walk, pod: Pod, service: Service, item: Chosen, packet: Packet) -> Road:
    store = walk.store
    packet = msgspec.structs.replace(packet, destination=item.address, port=item.port)
    lost = without_pod(store, item, packet)
    if lost is not None and lost.verdict is Verdict.BLIND:
        server = format_address(item.address)
        return (_taken(packet, service, (f"the cluster's DNS answers Pod {pod.id} at {server}: {lost.missing}",)),)
    if lost is not None:
        return (lost,)
    crossing = Crossing(
        source=Place.of_pod(pod, walk.node_of(pod)),
        destination=Place(pod=item.pod, node=store.nodes.get(item.node), address=item.address),
        packet=packet,
    )
    return (*policy.judge(store, crossing), *nsg.between(store, crossing), *kubenet.between(store, crossing))


def _as_name_failure(step: Step, cause: str, why: str) -> Step:
    return msgspec.structs.replace(
        step,
        kind=Kind.DNS_RESOLVE,
        verdict=Verdict.REJECT,
        cause=cause,
        summary=f"{why}: {step.summary}",
        fix=step.fix or "let UDP and TCP 53 to kube-dns through",
    )
