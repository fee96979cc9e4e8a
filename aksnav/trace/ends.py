"""Ends of a road inside the cluster that are nobody's: a Gateway that cannot be read, a port that no Service has."""

from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.trace.azure.joins import cluster
from aksnav.trace.cluster.pod import ref_of
from aksnav.trace.gateway.controllers import GATEWAY_NAME_LABEL
from aksnav.trace.journey import Road, Walk
from aksnav.trace.kubectl import show
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence, Kind, Step, Verdict


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
