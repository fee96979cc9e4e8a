"""What the sidecar of a client makes of a Service's name: the VirtualService of the mesh that has it.

Source: Istio reference, "Virtual Service" (gateways: ``mesh``, the default); istio/istio pilot/pkg/networking/core/
route/route.go (BuildSidecarVirtualHostWrapper): VirtualServices for one host are not merged, the oldest one counts.
"""

from collections.abc import Sequence

import msgspec

from aksnav.model.kubernetes.istio import MESH, VirtualService
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.istio import hosts, http, matching, narrowing
from aksnav.trace.istio.mesh import sidecar
from aksnav.trace.istio.scope import Workload, by_age, gateways_of, unread, visible
from aksnav.trace.memo import once
from aksnav.trace.packet import Packet
from aksnav.trace.routing.hostnames import bare
from aksnav.trace.routing.types import Routing
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_HTTP = ("http", "grpc")


def outbound(store: Store, sender: Pod | None, service: Service, port: ServicePort, packet: Packet) -> Routing | None:
    """Return what the client's sidecar makes of a request to a Service; None where it sends it on as it is.

    Rules for HTTP are followed where the request is for the Service by its name; others are named as not followed, in a
    routing that goes on.
    """
    if sender is None or packet.protocol != "TCP" or not sidecar(store, sender):
        return None
    name = f"{service.name}.{service.namespace}.{hosts.DOMAIN}"
    rows = [row for row in _for_mesh(store) if _routes(row, name, sender.namespace)]
    missing = unread(store, ("VirtualService",))
    narrowed = _narrowed(store, sender, service, name, packet)
    if narrowed is not None and (narrowed.missing or (not rows and not missing)):
        return Routing(steps=(narrowed,))
    if not rows and not missing:
        return None
    if not rows or not _followed(rows[0], sender, service, port, packet):
        return Routing(steps=(_not_followed(sender, rows, name, missing, packet),))
    at = Workload(sender.namespace, sender.labels)
    row = _of_host(rows, name)
    found = [*matching.candidates(row, MESH, port.port, at)]
    answer = http.of_rules(store, matching.ordered(found), row, at, port.port, packet)
    return msgspec.structs.replace(answer, steps=(narrowed, *answer.steps)) if narrowed is not None else answer


def _narrowed(store: Store, sender: Pod, service: Service, name: str, packet: Packet) -> Step | None:
    """Return what a Sidecar makes of a Service that it does not list, or what is not known of one; None elsewhere."""
    row, unsure = narrowing.sidecar_of(store, sender), narrowing.hidden(store)
    listed = row is None or narrowing.knows(row, name, service.namespace)
    if listed and not unsure:
        return None
    what = f"the sidecar of Pod {sender.id}"
    ref = row.ref if row is not None else Ref(Pod.KIND, sender.id)
    fact = (
        Evidence(".spec.egress[*].hosts", ", ".join(host for item in row.egress for host in item.hosts), ref)
        if row is not None
        else Evidence(".spec.containers[*].name", "istio-proxy", ref)
    )
    return Step(
        kind=Kind.MESH,
        verdict=Verdict.PASS if listed else Verdict.UNSUPPORTED,
        summary=f"{what} knows Service {service.id}"
        if listed
        else f"{what} does not know {name}: {ref} does not list it",
        subject=ref,
        packet=packet,
        evidence=(fact,),
        assumptions=(f"no Sidecar narrows what {what} knows ({unsure})",) if listed else (),
        missing="" if listed else f"what {what} does with a Service that {ref} does not list",
        confirm=kubectl.listing("Sidecar", sender.namespace),
    )


def _of_host(rows: Sequence[VirtualService], name: str) -> VirtualService:
    """The VirtualService with the narrowest host, the oldest of those."""
    patterns = [[hosts.fqdn(host, row.namespace) for host in row.hosts] for row in rows]
    best = hosts.narrowest([host for listed in patterns for host in listed], name)
    return next(row for row, listed in zip(rows, patterns, strict=True) if best in listed)


def _followed(row: VirtualService, sender: Pod, service: Service, port: ServicePort, packet: Packet) -> bool:
    """Whether the sidecar reads HTTP in the request, and it names the Service: a proxy goes by the Host header."""
    short = (service.name,) if sender.namespace == service.namespace else ()
    head = f"{service.name}.{service.namespace}"
    names = {*short, head, f"{head}.svc", f"{head}.{hosts.DOMAIN}", *service.virtual_ips}
    speaks = port.app_protocol.lower() or port.name.lower()
    plain = packet.http and not packet.tls and (not speaks or speaks.startswith(_HTTP))
    return plain and bool(row.http) and not row.tls and not row.tcp and bare(packet.host) in names


def _not_followed(sender: Pod, rows: Sequence[VirtualService], name: str, missing: str, packet: Packet) -> Step:
    first = rows[0] if rows else None
    what = f"VirtualService {first.id}" if first is not None else "a VirtualService that cannot be read"
    return Step(
        kind=Kind.MESH,
        verdict=Verdict.UNSUPPORTED if first is not None else Verdict.BLIND,
        summary=f"the sidecar of Pod {sender.id} follows {what} for {name}, which may send elsewhere",
        subject=first.ref if first is not None else Ref(Pod.KIND, sender.id),
        version=first.resource_version if first is not None else "",
        packet=packet,
        evidence=tuple(Evidence(".spec.hosts", ", ".join(row.hosts), row.ref) for row in rows[:4]),
        missing=f"VirtualService {first.id} in the mesh (gateways: mesh)" if first is not None else missing,
        confirm=kubectl.show(first.ref) if first is not None else kubectl.listing(VirtualService.KIND),
    )


def _for_mesh(store: Store) -> Sequence[VirtualService]:
    return once(
        store,
        "VirtualServices of the mesh",
        ("VirtualService",),
        lambda: [row for row in by_age(store, store.virtual_services) if MESH in gateways_of(row)],
    )


def _routes(row: VirtualService, name: str, namespace: str) -> bool:
    return visible(row.export_to, row.namespace, namespace) and any(
        hosts.covers(hosts.fqdn(host, row.namespace), name) for host in row.hosts
    )
