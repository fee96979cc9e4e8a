"""What a gateway workload is configured by: Gateways by their selector, VirtualServices by gateway and visibility."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec

from aksnav.model.kubernetes.istio import (
    EnvoyFilter,
    IstioGateway,
    PolicyTargetRef,
    Server,
    VirtualService,
    WorkloadSelector,
)
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import KubernetesObject
from aksnav.store import Store
from aksnav.store.table import Table
from aksnav.trace.memo import once
from aksnav.trace.readable import unreadable
from aksnav.trace.routing.types import Controller

T = TypeVar("T", bound=KubernetesObject)
ADD_ON_ROOT = "aks-istio-system"
_UPSTREAM_ROOT = "istio-system"
EVERYWHERE = "*"
GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
"""Label of the Pods that Istio makes for a Gateway of the Gateway API."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """One server of a Gateway."""

    gateway: IstioGateway
    index: int
    server: Server

    @property
    def field(self) -> str:
        """Its path in the Gateway."""
        return f".spec.servers[{self.index}]"

    @property
    def name(self) -> str:
        """A name for people."""
        port = self.server.port
        return f"server {self.index} ({port.protocol} {port.number}) of Gateway {self.gateway.id}"


class Workload(msgspec.Struct, frozen=True, gc=False):
    """Where a proxy runs: its namespace and its labels; of a Gateway of the Gateway API its name and class too."""

    namespace: str
    labels: Mapping[str, str]
    gateway: str = ""
    gateway_class: str = ""


def workload(controller: Controller) -> Workload:
    """Return what an ingress gateway is: its Pods' labels, or those that its Service selects where it has no Pod."""
    if controller.pods:
        return Workload(controller.pods[0].namespace, controller.pods[0].labels)
    service = controller.service
    return Workload(service.namespace, service.selector or {}) if service is not None else Workload("", {})


def root(store: Store) -> str:
    """Return the root namespace of the mesh: the add-on's, unless istiod runs where upstream Istio has it."""
    return once(store, "root namespace of Istio", ("Namespace",), lambda: _root(store))


def root_unsure(store: Store, rows: Iterable[KubernetesObject]) -> str:
    """Return why it is not known whether rows in what may be the root namespace hold for the mesh, or an empty string.

    Where namespaces cannot be read, the root namespace is taken to be the add-on's.
    """
    missing = unreadable(store.namespaces)
    if not missing or not any(row.namespace == _UPSTREAM_ROOT for row in rows):
        return ""
    return f"whether {_UPSTREAM_ROOT} is the root namespace of the mesh: {missing}"


class _Policy(Protocol):
    """An object of Istio's that is for proxies."""

    @property
    def namespace(self) -> str: ...

    @property
    def selector(self) -> WorkloadSelector | None: ...

    @property
    def target_refs(self) -> tuple[PolicyTargetRef, ...]: ...

    @property
    def target_ref(self) -> PolicyTargetRef | None: ...


def applies(store: Store, row: _Policy, at: Workload) -> bool:
    """Return whether a policy is for a workload: by its selector, of its namespace or the root one, or by name.

    What names a Gateway or a class of the Gateway API is for the proxies of those alone (Istio reference,
    "PolicyTargetReference"); what names a Service is for waypoints.
    """
    refs = (*row.target_refs, *((row.target_ref,) if row.target_ref is not None else ()))
    if refs:
        own = row.namespace == at.namespace and bool(at.gateway)
        return any(
            (ref.kind == "Gateway" and own and ref.name == at.gateway)
            or (ref.kind == "GatewayClass" and row.namespace == root(store) and ref.name == at.gateway_class)
            for ref in refs
        )
    near = row.namespace in {at.namespace, root(store)}
    return near and (row.selector is None or selects(row.selector.wanted, at.labels))


def _root(store: Store) -> str:
    names = {row.name for row in store.namespaces}
    return _UPSTREAM_ROOT if _UPSTREAM_ROOT in names and ADD_ON_ROOT not in names else ADD_ON_ROOT


def age(row: KubernetesObject) -> tuple[str, str, str]:
    """Return what orders Istio's objects: creation time, then name and namespace (sortConfigByCreationTime)."""
    return row.created, row.name, row.namespace


def by_age(store: Store, table: Table[T]) -> list[T]:
    """Return the objects of a table in that order, sorted once."""
    return once(store, f"{table.kind} by age", (table.kind,), lambda: sorted(table, key=age))


def selects(wanted: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Return whether labels have everything that a selector wants."""
    return all(labels.get(key) == value for key, value in wanted.items())


def places(store: Store, at: Workload) -> tuple[Place, ...]:
    """Return the servers of every Gateway that selects a workload, in whatever namespace each is, oldest first."""
    rows = [row for row in by_age(store, store.istio_gateways) if selects(row.selector, at.labels)]
    return tuple(Place(row, index, server) for row in rows for index, server in enumerate(row.servers))


def bound(store: Store, gateway: IstioGateway, at: Workload) -> tuple[VirtualService, ...]:
    """Return the VirtualServices that name a Gateway and are visible to the workload, oldest first."""
    rows = _by_gateway(store).get(gateway.id, ())
    return tuple(row for row in rows if visible(row.export_to, row.namespace, at.namespace))


def _by_gateway(store: Store) -> dict[str, list[VirtualService]]:
    def make() -> dict[str, list[VirtualService]]:
        grouped: dict[str, list[VirtualService]] = {}
        for row in sorted(store.virtual_services, key=age):
            for name in dict.fromkeys(gateways_of(row)):
                grouped.setdefault(name, []).append(row)
        return grouped

    return once(store, "VirtualServices by Gateway", ("VirtualService",), make)


def gateways_of(row: VirtualService) -> tuple[str, ...]:
    """Return the Gateways that a VirtualService names, in full; ``mesh`` as it is, also where none is named."""
    return tuple(in_full(name, row.namespace) for name in row.gateways or ("mesh",))


def in_full(name: str, namespace: str) -> str:
    """Return the ``namespace/name`` of a Gateway that an object of a namespace names."""
    return name if name == "mesh" or "/" in name else f"{namespace}/{name}"


def visible(export_to: Sequence[str], own: str, asking: str) -> bool:
    """Return whether an object is exported to a namespace; without a word it is exported to all."""
    return not export_to or any(word in {EVERYWHERE, asking} or (word == "." and own == asking) for word in export_to)


def unread(store: Store, kinds: Iterable[str]) -> str:
    """Return what would have to be read to know every object of some kinds, an empty string where all are known."""
    for kind in kinds:
        table = store.tables[kind]
        missing = unreadable(table)
        if missing:
            return missing
        bad = sorted(table.undecodable)
        if bad:
            return f"{kind} {bad[0]}: {table.undecodable[bad[0]]}"
    return ""


def patches(store: Store, at: Workload) -> tuple[EnvoyFilter, ...]:
    """Return the EnvoyFilters that may change a proxy."""
    return tuple(row for row in by_age(store, store.envoy_filters) if applies(store, row, at))


def looks_like_gateway(store: Store, pods: Sequence[Pod], service: Service | None) -> bool:
    """Return whether a Gateway selects these Pods, or those behind a Service, and Istio's proxy runs in them."""
    wanted = once(
        store,
        "selectors of Istio's Gateways",
        ("IstioGateway",),
        lambda: [
            dict(pairs) for pairs in {tuple(sorted(row.selector.items())) for row in store.istio_gateways} if pairs
        ],
    )
    if not wanted:
        return False
    found = list(pods)
    if not found and service is not None and service.selector:
        if not any(selects(selector, service.selector) for selector in wanted):
            return False
        idents = store.pod_classes.matching(service.namespace, service.selector)
        found = [pod for pod in map(store.pods.get, idents) if pod is not None]
    return any(pod.template.meshed and selects(selector, pod.labels) for pod in found for selector in wanted)
