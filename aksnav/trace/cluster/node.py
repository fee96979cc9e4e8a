"""The node as a router: who translates there, node ports, host ports, source ranges, and nodes that a probe takes out.

What becomes of the source address is table T3 of the networking reference: kube-proxy masquerades everything that comes
in with externalTrafficPolicy Cluster; Cilium's replacement does so only where the endpoint is on another node.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from aksnav.model.addresses import format_address, parse_address, parse_prefix
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.store.store import Store
from aksnav.trace.azure.joins import cluster
from aksnav.trace.cluster.pod import ref_of
from aksnav.trace.kubectl import listing, show
from aksnav.trace.memo import once, once_at
from aksnav.trace.packet import Packet
from aksnav.trace.place import Place
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict


class Proxy(StrEnum):
    """What translates Service addresses on the nodes."""

    KUBE_PROXY = "kube-proxy"
    CILIUM = "Cilium"


class ProxyReading(msgspec.Struct, frozen=True, gc=False):
    """What translates, the fact that says so, and what is taken for granted where nothing says it."""

    proxy: Proxy
    fact: Evidence
    assumptions: tuple[str, ...] = ()


_DAEMONS = (
    ({"component": "kube-proxy"}, Proxy.KUBE_PROXY),
    ({"k8s-app": "kube-proxy"}, Proxy.KUBE_PROXY),
    ({"k8s-app": "cilium"}, Proxy.CILIUM),
)


def proxy_of(store: Store) -> ProxyReading:
    """Return what translates on the nodes: the cluster's data plane, else what runs in kube-system."""
    state = (store.clusters.version, store.nodes.version, store.pod_classes.version)
    return once_at(store, "proxy", state, lambda: _proxy_of(store))


def _proxy_of(store: Store) -> ProxyReading:
    managed = cluster(store)
    if managed is not None and managed.network_profile.network_dataplane:
        value = managed.network_profile.network_dataplane
        fact = Evidence(".networkProfile.networkDataplane", value, managed.ref)
        return ProxyReading(Proxy.CILIUM if value.lower() == "cilium" else Proxy.KUBE_PROXY, fact)
    for labels, proxy in _DAEMONS:
        found = store.pod_classes.matching("kube-system", labels)
        if found:
            return ProxyReading(proxy, Evidence("pods -n kube-system", found[0].rpartition("/")[2]))
    if any(node.labels.get("kubernetes.azure.com/ebpf-dataplane") == "cilium" for node in store.nodes):
        return ProxyReading(Proxy.CILIUM, Evidence(".metadata.labels['kubernetes.azure.com/ebpf-dataplane']", "cilium"))
    note = "kube-proxy translates Service addresses: neither the cluster's profile nor kube-system says what does"
    return ProxyReading(Proxy.KUBE_PROXY, Evidence("pods -n kube-system", "(not known)"), (note,))


def without_proxy(store: Store, node: Node, packet: Packet) -> Step | None:
    """Return the step of a node whose kube-proxy or Cilium Pod is not ready (X08); None where none is known to be so.

    The rules that it wrote stay in the kernel; whether they are still right cannot be seen.
    """
    pod = _proxy_pod(store, node)
    if pod is None or pod.ready:
        return None
    return Step(
        kind=Kind.NODE_PORT,
        verdict=Verdict.BLIND,
        summary=f"Pod {pod.id}, which translates on node {node.name}, is not ready",
        subject=ref_of(pod),
        version=pod.resource_version,
        packet=packet,
        cause="X08",
        evidence=(Evidence('.status.conditions[?(@.type=="Ready")].status', f"False {pod.reason}".strip()),),
        missing=f"whether the rules of node {node.name} are as the Services are now",
        confirm=show(ref_of(pod), ".status"),
        fix=f"see why Pod {pod.name} is not ready, or restart it",
    )


def _proxy_pod(store: Store, node: Node) -> Pod | None:
    state = (store.pod_classes.version, store.pods_by_node.version)
    idents = once_at(store, "proxy Pods", state, lambda: _proxy_pods(store)).get(node.name, ())
    found = [pod for pod in map(store.pods.get, idents) if pod is not None and not pod.finished and not pod.deleting]
    return found[-1] if found else None


def _proxy_pods(store: Store) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for labels, _ in _DAEMONS:
        for ident in store.pod_classes.matching("kube-system", labels):
            pod = store.pods.get(ident)
            if pod is not None and pod.node:
                found.setdefault(pod.node, []).append(ident)
    return found


def snat(store: Store, service: Service, node: Node, pod: Pod | None, packet: Packet, *, local: bool) -> Step | None:
    """Return the step that rewrites the source of a packet from outside of the cluster, or None where none does."""
    if local:
        return None
    reading = proxy_of(store)
    if reading.proxy is Proxy.CILIUM and pod is not None and pod.node == node.name:
        return None
    own = Place.of_node(node).facing(packet.destination)
    after = msgspec.structs.replace(packet, source=own.address, source_word="")
    shown = format_address(after.source) if after.source is not None else node.name
    return Step(
        kind=Kind.SNAT,
        verdict=Verdict.TRANSFORM,
        summary=f"node {node.name} rewrites the source to its own address {shown}",
        subject=node.ref,
        version=node.resource_version,
        packet=packet,
        packet_after=after,
        evidence=(
            Evidence(".spec.externalTrafficPolicy", service.external_traffic_policy or "Cluster", service.ref),
            msgspec.structs.replace(reading.fact, note=f"{reading.proxy.value} translates"),
        ),
        assumptions=reading.assumptions,
        confirm=show(service.ref, ".spec.externalTrafficPolicy"),
    )


def dnat(node: Node | None, service: Service, packet: Packet, address: int, port: int) -> Step:
    """Return the step that rewrites the destination from a Service's address to an endpoint's."""
    after = msgspec.structs.replace(packet, destination=address, port=port)
    before = f"{format_address(packet.destination)}:" if packet.destination is not None else "port "
    where = f"node {node.name}" if node is not None else "the node"
    return Step(
        kind=Kind.DNAT,
        verdict=Verdict.TRANSFORM,
        summary=f"{where} rewrites {before}{packet.port} to {format_address(address)}:{port}",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        packet_after=after,
        confirm=show(service.ref, ".spec.ports"),
    )


def source_ranges(service: Service, packet: Packet) -> Step | None:
    """Return what a node does with loadBalancerSourceRanges, or None where the Service has none.

    kube-proxy and Cilium apply them at the load balancer's address, also to clients in the cluster (N05). Any client of
    the internet stands for those that no range names.
    """
    if not service.load_balancer_source_ranges:
        return None
    considered, inside, wrong = [], False, []
    for text in service.load_balancer_source_ranges:
        prefix = parse_prefix(text.strip())
        if prefix is None:
            wrong.append(text)
            continue
        # A range for any client must be the whole family.
        holds = prefix.length == 0 if packet.source is None else packet.source in prefix
        inside = inside or holds
        considered.append(
            Considered(text, decided=holds, why="holds the source" if holds else "does not hold the source")
        )
    client = format_address(packet.source) if packet.source is not None else "any client of the internet"
    listed = ", ".join(service.load_balancer_source_ranges)
    return Step(
        kind=Kind.NODE_PORT,
        verdict=Verdict.PASS if inside else Verdict.UNSUPPORTED if wrong else Verdict.DROP,
        summary=f"the node {'lets' if inside else 'does not let'} {client} through (source ranges {listed})",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        cause="" if inside else "N08" if wrong else "N05",
        evidence=(Evidence(".spec.loadBalancerSourceRanges", listed),),
        considered=tuple(considered),
        missing=f"loadBalancerSourceRanges {wrong[0]!r} is not a CIDR" if wrong and not inside else "",
        confirm=show(service.ref, ".spec.loadBalancerSourceRanges"),
        fix="" if inside else "add the client's range to loadBalancerSourceRanges, or ask from an address inside of it",
    )


def node_port_service(store: Store, port: int, protocol: str) -> tuple[Service, int, ServicePort] | None:
    """Return the Service that has a node port, with its port and that port's place in the spec."""
    return once(store, "node ports", ("Service",), lambda: _node_ports(store)).get((port, protocol))


def _node_ports(store: Store) -> dict[tuple[int, str], tuple[Service, int, ServicePort]]:
    return {
        (port.node_port, port.protocol): (service, index, port)
        for service in store.services
        for index, port in enumerate(service.ports)
        if port.node_port
    }


def node_port_step(service: Service, index: int, port: ServicePort, node: Node, packet: Packet) -> Step:
    """Return the step at which a node takes a packet for a Service's node port."""
    return Step(
        kind=Kind.NODE_PORT,
        verdict=Verdict.PASS,
        summary=f"node {node.name} has node port {port.node_port} of Service {service.id}",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        evidence=(Evidence(f".spec.ports[{index}].nodePort", str(port.node_port)),),
        confirm=show(service.ref, f".spec.ports[{index}].nodePort"),
    )


def host_port(store: Store, node: Node, packet: Packet) -> tuple[Pod, int, Step] | None:
    """Return the Pod that has a port of a node, the Pod's own port, and the step; None where no Pod says that it has.

    A hostPort leads to its Pod; a Pod in the node's network has the ports that its containers declare.
    """
    for pod in store.pods_of_node(node.name):
        if pod.finished:
            continue
        for port in pod.template.ports:
            mine = port.port if pod.template.host_network else port.host_port
            if mine != packet.port or port.protocol != packet.protocol:
                continue
            field = "hostNetwork" if pod.template.host_network else "hostPort"
            step = Step(
                kind=Kind.HOST_PORT,
                verdict=Verdict.PASS,
                summary=f"port {packet.port} of node {node.name} is {field} of Pod {pod.id}",
                subject=ref_of(pod),
                version=pod.resource_version,
                packet=packet,
                evidence=(Evidence(f".spec.{field}" if field == "hostNetwork" else
                                   ".spec.containers[*].ports[*].hostPort",
                                   "true" if field == "hostNetwork" else str(mine)),),
                confirm=listing("Pod", pod.namespace),
            )  # fmt: skip
            return pod, port.port, step
    return None


def local_nodes(store: Store, service: Service, nodes: Sequence[Node]) -> tuple[list[Node], list[Node]]:
    """Return the nodes that answer the health check node port with 200, and those that do not.

    kube-proxy and Cilium answer 200 where the node has at least one ready endpoint of the Service, of any port.
    """
    with_endpoint = {
        endpoint.node_name for piece in store.slices_of(service.id) for endpoint in piece.endpoints if endpoint.ready
    }
    inside = [node for node in nodes if node.name in with_endpoint]
    return inside, [node for node in nodes if node.name not in with_endpoint]


def no_local_node(service: Service, nodes: Sequence[Node], packet: Packet) -> Step:
    """Return the step of a load balancer whose probe finds no node with an endpoint (L15)."""
    return Step(
        kind=Kind.LB_PROBE,
        verdict=Verdict.DROP,
        summary=f"none of {len(nodes)} nodes in the pool has a ready endpoint of Service {service.id}: all are down",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        cause="L15",
        evidence=(
            Evidence(".spec.externalTrafficPolicy", "Local"),
            Evidence(".spec.healthCheckNodePort", str(service.health_check_node_port)),
        ),
        confirm=listing("EndpointSlice", service.namespace, f"kubernetes.io/service-name={service.name}") + " -o yaml",
        fix="see why no Pod is ready, or set externalTrafficPolicy to Cluster",
    )


def has_address(service: Service, address: int | None) -> bool:
    """Return whether a Service has an address as its cluster address."""
    return address is not None and address in map(parse_address, service.virtual_ips)
