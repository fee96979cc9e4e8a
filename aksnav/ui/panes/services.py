"""Pane 2: Services, with their addresses, ports and ready endpoints."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar

from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.store import Store
from aksnav.ui.panes.pane import ObjectPane
from aksnav.ui.widgets.columns import Column


def ports(service: Service) -> str:
    """Return the ports as ``80→http`` (the target where it differs from the port)."""
    return " ".join(_port(port) for port in service.ports)


def _port(port: ServicePort) -> str:
    number = f"{port.port}" if port.target == port.port else f"{port.port}→{port.target}"
    return number if port.protocol == "TCP" else f"{number}/{port.protocol}"


def address(service: Service) -> str:
    """Return the address that matters: the outer one, else the cluster address, a name, or the word headless."""
    if service.type == "ExternalName":
        return service.external_name
    outer = service.external_addresses
    if outer:
        return outer[0]
    if service.type == "LoadBalancer":
        return "pending"
    return "headless" if service.headless else service.cluster_ip


def ready(store: Store, service: Service) -> tuple[int, int]:
    """Return how many endpoints of a Service are ready, and how many there are."""
    endpoints = {item.addresses: item.ready for piece in store.slices_of(service.id) for item in piece.endpoints}
    return sum(endpoints.values()), len(endpoints)


class Services(ObjectPane):
    """Services by name."""

    number: ClassVar[int] = 2
    heading: ClassVar[str] = "Services"
    kinds: ClassVar[tuple[str, ...]] = ("Service", "EndpointSlice")

    def __init__(self, store: Store, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(store, id=id)
        self._complete = False
        self.table.sort_by("name")

    def columns(self) -> Sequence[Column[Any]]:
        """Return name, readiness, type, address, ports and policies."""
        return (
            Column("name", "SERVICE", lambda row: row.id, width=20, min_width=14, flex=2, elide="middle"),
            Column("ready", "READY", self._ready, width=5, align="right", sort_key=self._share, style=self._tone),
            Column("type", "TYPE", lambda row: row.type, width=12, priority=3),
            Column("address", "ADDRESS", address, width=13, min_width=13, priority=1, flex=1),
            Column("ports", "PORTS", ports, width=10, min_width=6, priority=2, flex=2),
            Column("cluster", "CLUSTER-IP", lambda row: row.cluster_ip, width=15, priority=5),
            Column("external", "EXT-POLICY", lambda row: row.external_traffic_policy, width=10, priority=6),
            Column("internal", "INT-POLICY", lambda row: row.internal_traffic_policy, width=10, priority=7),
        )

    def changed(self, versions: tuple[int, ...]) -> tuple[Mapping[str, Any], AbstractSet[str]] | None:
        """Return Services that changed, and those whose endpoints did."""
        own = super().changed(versions)
        pieces = self.store.endpoint_slices.changed_since(versions[1])
        if own is None or pieces is None:
            return None
        rows = dict(own[0])
        served = set()
        for ident in pieces:
            piece = self.store.endpoint_slices.get(ident)
            if piece is None:
                return None  # which Service it belonged to went with it
            service = self.store.services.get(f"{piece.namespace}/{piece.service}")
            if service is not None:
                rows[service.id] = service
                served.add(service.id)
        access = self.store.endpoint_slices.access()
        if access.complete != self._complete:
            self._complete = access.complete
            self.table.redraw()
        elif served:
            self.table.redraw(served)  # readiness is not in the row: the drawn lines do not know that it changed
        return rows, own[1]

    def _ready(self, row: Service) -> str:
        if row.type == "ExternalName":
            return "-"
        if not self.store.endpoint_slices.access(row.namespace).complete:
            return "?"
        good, total = ready(self.store, row)
        return f"{good}/{total}"

    def _share(self, row: Service) -> float:
        good, total = ready(self.store, row)
        return good / total if total else -1.0

    def _tone(self, row: Service) -> str:
        if row.type == "ExternalName" or not self.store.endpoint_slices.access(row.namespace).complete:
            return "muted"
        good, total = ready(self.store, row)
        if not good:
            return "bad"
        return "good" if good == total else "warn"


class ServiceList(Services):
    """All Services in a list of their own."""

    number: ClassVar[int] = 0
    heading: ClassVar[str] = "services"
