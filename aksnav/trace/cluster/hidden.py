"""What may be there without being known: rows of a table that may not be read, or that cannot be decoded."""

from collections.abc import Iterator
from typing import Any

from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Node
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.store.table import Table
from aksnav.trace.kubectl import show
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Kind, Step, Verdict


def hidden(table: Table[Any]) -> str:
    """Return why a row may be there, in whatever namespace, and not be known; an empty string where all are known."""
    for scope, access in {"": table.access(), **table.scopes()}.items():
        if not access.complete:
            return unreadable(table, scope)
    broken = next(iter(table.undecodable), "")
    return f"{table.kind} {broken}: {table.undecodable[broken]}" if broken else ""


def hidden_nodes(store: Store, packet: Packet) -> Iterator[tuple[str, Step]]:
    """Yield the nodes that are there and cannot be decoded: the name, and the blind step of a packet to it."""
    for name, why in sorted(store.nodes.undecodable.items()):
        ref = Ref(Node.KIND, name)
        yield (
            name,
            Step(
                kind=Kind.NODE_PORT,
                verdict=Verdict.BLIND,
                summary=f"node {name} cannot be read",
                subject=ref,
                packet=packet,
                missing=f"Node {name}: {why}",
                confirm=show(ref),
            ),
        )


def hidden_controller(store: Store, service: Service | None) -> str:
    """Return what is taken for granted where the Pods of a Service may be an ingress controller without our knowing it.

    A controller that does not look like one is known by the class of an Ingress whose status has its Service's address,
    a cluster address as well as one for clients outside. Where every Ingress is known and none has it, it is none.
    """
    if service is None:
        return ""
    missing = hidden(store.ingresses)
    if not missing:
        mine = {*service.virtual_ips, *service.external_addresses}
        named = any(point.ip in mine for row in store.ingresses for point in row.ingress_points)
        outside = service.type in {"LoadBalancer", "NodePort"}
        missing = hidden(store.ingress_classes) if named or outside else ""
    if not missing:
        return ""
    return f"the Pods of Service {service.id} are no ingress controller ({missing})"
