"""Whether a Pod can ask the cluster's DNS at all: it has endpoints, and security groups and policies let it through."""

import msgspec

from aksnav.model.addresses import parse_address
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.trace import policy
from aksnav.trace.azure import kubenet, nsg
from aksnav.trace.azure.joins import cluster
from aksnav.trace.cluster.endpoints import Chosen
from aksnav.trace.cluster.service import Via, endpoints, find_port
from aksnav.trace.journey import Road, Walk
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Place
from aksnav.trace.step import Evidence, Kind, Step, Verdict

SERVICE = "kube-system/kube-dns"
PORT = 53
# Where LocalDNS answers Pods on their own node (dnsPolicy ClusterFirst).
LOCAL_DNS = "169.254.10.11"
# Cilium's DNS proxy answers REFUSED to a question that no DNS rule admits.
_STOPS = frozenset({Verdict.DROP, Verdict.REJECT})


def ask(walk: Walk, pod: Pod, packet: Packet) -> Road:
    """Return the steps that keep a Pod from asking the cluster's DNS.

    It has no endpoint (D05), a policy stops the question (P06; of a node with LocalDNS: D06), or a security group or
    route between the nodes (N12).

    Nothing is returned where the way is free, or where the DNS Service is not one that is known: AKS always has
    ``kube-system/kube-dns``, other clusters may serve names otherwise. A Pod in its node's network asks the node's
    resolver. The name that is asked for is that of ``packet.resolved``, where there is one.
    """
    service = walk.store.services.get(SERVICE)
    found = find_port(service, PORT, "", "UDP") if service is not None else None
    if service is None or found is None or pod.template.host_network:
        return ()
    node = walk.node_of(pod)
    name = packet.resolved[0] if packet.resolved is not None else ""
    question = msgspec.structs.replace(
        packet, port=PORT, protocol="UDP", scheme="udp", host=name, path="", headers=(), sni="", tls=False
    )
    local = _local_dns(walk, node)
    if local is not None and node is not None:
        refused = _to_local(walk, pod, node, question, local)
        if refused:
            return refused
    decision = endpoints(walk.store, service, found[1], question, Via(node=node))
    if not decision.chosen:
        if decision.step.verdict is Verdict.BLIND:
            return ()
        return (_as_name_failure(decision.step, "D05", "the cluster's DNS has no endpoint"),)
    if local is not None:
        return ()  # the node asks the cluster's DNS in the Pod's place
    roads = [_to_server(walk, pod, item, question) for item in decision.chosen]
    stopped = [next((step for step in road if step.verdict in _STOPS), None) for road in roads]
    if stopped and all(step is not None for step in stopped) and stopped[0] is not None:
        policies = [step for step in stopped if step is not None and step.kind is Kind.POLICY]
        if policies:
            return (_as_name_failure(policies[0], "P06", "the Pod may not ask the cluster's DNS"),)
        cause = "N12" if stopped[0].kind is Kind.NSG else stopped[0].cause
        return (_as_name_failure(stopped[0], cause, "the Pod does not reach the cluster's DNS"),)
    unsure = next(
        (step for road in roads for step in road if step.verdict in {Verdict.BLIND, Verdict.UNSUPPORTED}), None
    )
    return (unsure,) if unsure is not None else ()


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
    """Return the step that keeps a Pod from asking LocalDNS on its own node (D06), or nothing."""
    packet = msgspec.structs.replace(question, destination=parse_address(LOCAL_DNS))
    crossing = Crossing(
        source=Place.of_pod(pod, node), destination=Place(node=node, address=packet.destination), packet=packet
    )
    steps = policy.judge(walk.store, crossing)
    stopped = next((step for step in steps if step.verdict in _STOPS), None)
    if stopped is None:
        return ()
    step = _as_name_failure(stopped, "D06", f"the Pod may not ask LocalDNS at {LOCAL_DNS}")
    fix = f"let UDP and TCP 53 to the node itself and to {LOCAL_DNS} through (Cilium: toEntities host)"
    return (msgspec.structs.replace(step, evidence=(*step.evidence, local), fix=fix),)


def _to_server(walk: Walk, pod: Pod, item: Chosen, packet: Packet) -> Road:
    packet = msgspec.structs.replace(packet, destination=item.address, port=item.port)
    there = walk.node_of(item.pod) if item.pod is not None else None
    crossing = Crossing(
        source=Place.of_pod(pod, walk.node_of(pod)),
        destination=Place(pod=item.pod, node=there, address=item.address),
        packet=packet,
    )
    store = walk.store
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
