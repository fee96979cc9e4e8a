"""What a sidecar does with a connection to what is no Service: it passes it on, unless only the registry is allowed.

Source: Istio reference, "Global Mesh Options" (outboundTrafficPolicy: ALLOW_ANY, the default, or REGISTRY_ONLY), and
"Sidecar" (outboundTrafficPolicy of workloads). The mesh's configuration is a ConfigMap of its namespace (upstream
``istio``; the AKS add-on's ``istio-shared-configmap-REVISION``), which is not read.
"""

from collections.abc import Iterator

import msgspec

from aksnav.model.kubernetes.istio import MESH, ServiceEntry
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.istio import hosts, narrowing
from aksnav.trace.istio.mesh import sidecar
from aksnav.trace.istio.scope import by_age, gateways_of, root, unread, visible
from aksnav.trace.packet import Packet
from aksnav.trace.routing.hostnames import bare
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_UNREAD_HOSTS = ("ServiceEntry", "VirtualService")


def unlisted(store: Store, sender: Pod | None, packet: Packet) -> Step | None:
    """Return what the client's sidecar does with a connection to an address that is no Service's; None without one.

    Args:
        store: what is known.
        sender: the client's Pod.
        packet: as it leaves the Pod; its host, if it has one, is what HTTP and TLS name.
    """
    if sender is None or packet.protocol != "TCP" or not sidecar(store, sender):
        return None
    host = bare(packet.sni or packet.host)
    entry = _listed(store, sender, host) if host else None
    row = narrowing.sidecar_of(store, sender)
    mode = row.outbound_traffic_policy.mode if row is not None and row.outbound_traffic_policy is not None else ""
    what, which = f"the sidecar of Pod {sender.id}", host or "the address"
    ref = Ref(Pod.KIND, sender.id)
    step = Step(
        kind=Kind.MESH,
        verdict=Verdict.PASS,
        summary=f"{what} passes the connection on: {which} is no Service",
        subject=ref,
        version=sender.resource_version,
        packet=packet,
        evidence=(Evidence(".spec.containers[*].name", "istio-proxy", ref),),
        assumptions=tuple(_assumed(store, what, host, mode)),
        confirm=f"kubectl -n {root(store)} get configmaps -o yaml",
    )
    if entry is not None:
        return msgspec.structs.replace(
            step,
            verdict=Verdict.UNSUPPORTED,
            summary=f"{what} follows {entry} for {host}, which may send elsewhere",
            subject=entry,
            evidence=(Evidence(".spec.hosts", host, entry),),
            missing=f"{entry}, which is not followed",
            confirm=kubectl.show(entry),
        )
    if row is None or mode != narrowing.REGISTRY_ONLY:
        return step
    return msgspec.structs.replace(
        step,
        verdict=Verdict.UNSUPPORTED,
        summary=f"{what} lets nothing out that is not in the mesh's registry, where {which} is not known to be",
        subject=row.ref,
        evidence=(Evidence(".spec.outboundTrafficPolicy.mode", mode, row.ref),),
        missing=f"whether {which} is in the registry that {row.ref} keeps the Pod to",
        confirm=kubectl.show(row.ref, ".spec.outboundTrafficPolicy"),
    )


def _assumed(store: Store, what: str, host: str, mode: str) -> Iterator[str]:
    """Yield what is taken for granted of the way out: neither the mesh nor an object that is not read forbids it."""
    which = host or "the address"
    if not mode:
        where = f"ConfigMap istio of namespace {root(store)}, or the add-on's istio-shared-configmap, is not read"
        yield f"{what} passes on what is no Service: outboundTrafficPolicy of the mesh is ALLOW_ANY ({where})"
    unsure = narrowing.hidden(store)
    if unsure:
        yield f"no Sidecar keeps {what} from what is no Service ({unsure})"
    if not host and len(store.service_entries):
        yield f"no ServiceEntry has {which} among its addresses"
    missing = unread(store, _UNREAD_HOSTS)
    if missing:
        yield f"no ServiceEntry or VirtualService for {which} leads elsewhere ({missing})"


def _listed(store: Store, sender: Pod, host: str) -> Ref | None:
    """Return the ServiceEntry, or the VirtualService of the mesh, that has a host and is visible to a Pod."""
    entries = by_age(store, store.service_entries)
    for entry in entries:
        if any(hosts.covers(name.lower(), host) for name in entry.hosts):
            return Ref(ServiceEntry.KIND, entry.id)
    for row in by_age(store, store.virtual_services):
        mine = MESH in gateways_of(row) and visible(row.export_to, row.namespace, sender.namespace)
        if mine and any(hosts.covers(hosts.fqdn(name, row.namespace), host) for name in row.hosts):
            return row.ref
    return None
