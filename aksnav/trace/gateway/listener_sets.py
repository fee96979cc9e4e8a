"""ListenerSets, which add listeners to a Gateway (Gateway API v1: ListenerSet; GEP-1713). They are not modelled.

Where one would take a packet, or could, that is said by its name; a Gateway without allowedListeners has none.
"""

from collections.abc import Iterator, Sequence

from aksnav.model.kubernetes.gateway import Gateway, Listener, ListenerSet
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.gateway.place import Place
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.routing.hostnames import any_labels, specificity
from aksnav.trace.step import Evidence, Kind, Step, Verdict


def taking(
    store: Store, gateways: Sequence[Gateway], port: int, packet: Packet, name: str, chosen: Place | None
) -> Step | None:
    """Return the step of a ListenerSet that takes a packet before any listener of the Gateways does, or None.

    Args:
        store: what is known.
        gateways: those behind one address.
        port: of the listener.
        packet: as it came.
        name: the server name or host of the packet; empty where it has none.
        chosen: the listener of a Gateway that takes the packet if no ListenerSet does; it wins over an equal one.
    """
    rank = specificity(chosen.listener.hostname) if chosen is not None else None
    for gateway in gateways:
        for row, index, item in _listeners(store, gateway):
            fits = item.port == port and (not name or any_labels(item.hostname, name))
            if fits and (rank is None or specificity(item.hostname) > rank):
                return _step(gateway, row, index, packet)
    return None


def unread(store: Store, gateways: Sequence[Gateway]) -> tuple[str, ...]:
    """Return what is taken for granted where Gateways allow ListenerSets that cannot be read."""
    if not any(_allows(gateway) for gateway in gateways):
        return ()
    missing = [text for text in (unreadable(store.listener_sets),) if text]
    missing += [f"ListenerSet {ident}: {why}" for ident, why in store.listener_sets.undecodable.items()]
    return tuple(f"no ListenerSet that cannot be read takes it ({text})" for text in missing)


def _allows(gateway: Gateway) -> bool:
    namespaces = (gateway.allowed_listeners or {}).get("namespaces")
    return isinstance(namespaces, dict) and namespaces.get("from", "None") != "None"


def _listeners(store: Store, gateway: Gateway) -> Iterator[tuple[ListenerSet, int, Listener]]:
    if not _allows(gateway):
        return
    rows: list[ListenerSet] = [*store.listener_sets, *store.experimental_listener_sets]
    for row in sorted(rows, key=lambda row: (row.created, row.id)):
        if f"{row.parent_ref.namespace or row.namespace}/{row.parent_ref.name}" == gateway.id:
            yield from ((row, index, item) for index, item in enumerate(row.listeners))


def _step(gateway: Gateway, row: ListenerSet, index: int, packet: Packet) -> Step:
    item = row.listeners[index]
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.UNSUPPORTED,
        summary=f"listener {item.name} of {row.KIND} {row.id} takes it ({item.protocol} {item.hostname or '*'})",
        subject=row.ref,
        version=row.resource_version,
        packet=packet,
        evidence=(
            Evidence(f".spec.listeners[{index}].name", item.name, row.ref),
            Evidence(".spec.parentRef.name", row.parent_ref.name, row.ref),
            Evidence(".spec.allowedListeners", str(gateway.allowed_listeners), gateway.ref),
        ),
        missing=f"{row.KIND} {row.id}, which adds listeners to Gateway {gateway.id}",
        confirm=kubectl.show(row.ref),
    )
