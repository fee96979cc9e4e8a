"""Ends of a road that are no Pod's: a Gateway that cannot be read, a port that no Service has, an address elsewhere."""

from aksnav.model.addresses import format_address
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.trace.azure.joins import cluster
from aksnav.trace.cluster.endpoints import Chosen
from aksnav.trace.cluster.hidden import hidden
from aksnav.trace.cluster.pod import ref_of, without_pod
from aksnav.trace.crossings import departing, leaving
from aksnav.trace.gateway.controllers import GATEWAY_NAME_LABEL
from aksnav.trace.journey import Journey, Road, Walk, behind, ended
from aksnav.trace.kubectl import show
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence, Kind, Step, Verdict
from aksnav.trace.verdict import DESTINATION_FIELD


def hidden_gateway(walk: Walk, pod: Pod, packet: Packet) -> Road:
    """Return the blind step of a Gateway's Pod whose Gateway cannot be read: it sends on, and where to is not known.

    Without HTTP it may send on as well (TCPRoute), if there is a Gateway at all.
    """
    name = pod.labels.get(GATEWAY_NAME_LABEL, "")
    ident = f"{pod.namespace}/{name}"
    missing = unreadable(walk.store.gateways, pod.namespace) or walk.store.gateways.undecodable.get(ident, "")
    if not name or not (packet.http or missing):
        return ()
    return (
        Step(
            kind=Kind.CONTROLLER_POD,
            verdict=Verdict.BLIND,
            summary=f"Pod {pod.id} is a proxy of Gateway {ident}, which cannot be read",
            subject=ref_of(pod),
            version=pod.resource_version,
            packet=packet,
            evidence=(Evidence(f".metadata.labels['{GATEWAY_NAME_LABEL}']", name),),
            missing=missing or f"Gateway {ident}",
            confirm=show(Ref("Gateway", ident)),
        ),
    )


def unserved(walk: Walk) -> tuple[Verdict, str]:
    """Return what becomes of a packet to a cluster address at a port that no Service has there.

    The nftables and ipvs modes of kube-proxy reject it; iptables mode and Cilium leave it to the network, which has no
    route for the Service range.
    """
    managed = cluster(walk.store)
    mode = str(managed.network_profile.kube_proxy_config.get("mode", "")).lower() if managed is not None else ""
    if mode in {"nftables", "ipvs"}:
        return Verdict.REJECT, f"kube-proxy in mode {mode} refuses it"
    return Verdict.DROP, "nothing translates it, and the Service range is routed nowhere"


def elsewhere(walk: Walk, journey: Journey, item: Chosen, packet: Packet) -> Road:
    """Return the road of an endpoint whose address is no Pod's: a stale one, a node, or something outside."""
    lost = without_pod(walk.store, item, packet)
    if lost is not None:
        return (lost,)
    text, nodes = format_address(item.address), walk.store.nodes_at(item.address)
    unread = "" if nodes else hidden(walk.store.pods) or hidden(walk.store.nodes)
    what = f"node {nodes[0].name}" if nodes else "an address outside of the cluster"
    way = leaving(walk, journey, packet) if nodes else departing(walk, journey, packet)
    if ended(way):
        return way
    return (
        *way,
        Step(
            kind=Kind.DELIVER,
            verdict=Verdict.PASS,
            summary=f"sent to {text} port {packet.port}, {what}",
            subject=item.piece.ref,
            version=item.piece.resource_version,
            packet=behind(way, packet),
            evidence=(Evidence(DESTINATION_FIELD, text, nodes[0].ref if nodes else item.piece.ref),),
            assumptions=(
                f"something answers at {text} port {packet.port}, {what}",
                *((f"no Pod and no node has the address {text}: {unread}",) if unread else ()),
            ),
            confirm=show(item.piece.ref),
        ),
    )


def elsewhere_at(packet: Packet, what: str) -> Road:
    """Return the delivery to an address that is no Pod's: whether something answers there is taken for granted."""
    text = format_address(packet.destination) if packet.destination is not None else packet.host
    return (
        Step(
            kind=Kind.DELIVER,
            verdict=Verdict.PASS,
            summary=f"sent to {text} port {packet.port}, {what}",
            packet=packet,
            evidence=(Evidence(DESTINATION_FIELD, text),),
            assumptions=(f"something answers at {text} port {packet.port}, {what}",),
        ),
    )
