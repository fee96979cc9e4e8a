"""What is used of the cluster's own ranges: Pod CIDRs by the blocks of nodes, service CIDRs by virtual addresses.

Sources: AKS documentation, concepts-network-azure-cni-overlay.md, "Pods" (each node gets a /24, fixed), and
configure-kubenet.md, "Create an AKS cluster in the virtual network" (the same). In a dual-stack cluster the nodes
themselves say how long their IPv6 block is.
"""

import msgspec

from aksnav.model.addresses import Prefix, parse_address, parse_prefix
from aksnav.model.azure.cluster import ManagedCluster
from aksnav.store import Store
from aksnav.trace.addressing.models import FROM_POD_CIDR, models_of, pod_cidrs, service_cidrs
from aksnav.trace.azure.joins import cluster
from aksnav.trace.memo import once_at
from aksnav.trace.readable import unreadable

NODE_BLOCK = 24


class PodRange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A Pod CIDR.

    Attributes:
        text, prefix: as Azure says it.
        block: length of the block that every node gets; None where no node shows it (IPv6).
        used: blocks that nodes have; None where nodes cannot be read.
        pods: Pods with an address in it.
        outside: node blocks of the family that lie outside of the range (it was changed).
        missing: what would have to be readable.
    """

    text: str
    prefix: Prefix
    block: int | None
    used: int | None
    pods: int
    outside: int = 0
    missing: str = ""

    @property
    def capacity(self) -> int | None:
        """Blocks in the range."""
        return None if self.block is None else 1 << max(self.block - self.prefix.length, 0)

    @property
    def free(self) -> int | None:
        """Blocks for further nodes."""
        capacity = self.capacity
        return None if capacity is None or self.used is None else max(capacity - self.used, 0)


class ServiceRange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A service CIDR.

    Attributes:
        text, prefix: as Azure says it.
        reserved: the network address, and of IPv4 the last one, are never given to a Service.
        used: virtual addresses of Services; None where Services cannot be read.
        dns: the cluster's DNS address in it, or an empty string.
        missing: what would have to be readable.
    """

    text: str
    prefix: Prefix
    reserved: int
    used: int | None
    dns: str = ""
    missing: str = ""

    @property
    def free(self) -> int | None:
        """Addresses for further Services."""
        return None if self.used is None else max(self.prefix.size - self.reserved - self.used, 0)


def pod_ranges(store: Store) -> tuple[PodRange, ...]:
    """Return the Pod CIDRs of a cluster whose Pods take their addresses there; none in other models."""
    tables = store.tables
    state = (tables["managedClusters"].version, tables["Node"].version, store.pods_by_address.version)
    return once_at(store, "pod ranges", state, lambda: _pod_ranges(store))


def _pod_ranges(store: Store) -> tuple[PodRange, ...]:
    managed = cluster(store)
    if managed is None or not FROM_POD_CIDR.intersection(models_of(managed)):
        return ()
    return tuple(
        _pod_range(store, text, prefix) for text in pod_cidrs(managed) if (prefix := parse_prefix(text)) is not None
    )


def _pod_range(store: Store, text: str, prefix: Prefix) -> PodRange:
    found = {
        block
        for node in store.nodes
        for block in map(parse_prefix, node.pod_cidrs)
        if block is not None and block.v4 == prefix.v4
    }
    inside = {block for block in found if prefix.covers(block)}
    # A node that does not say its block has one all the same, or waits for one.
    silent = sum(
        not any((":" in text) is not prefix.v4 for text in node.pod_cidrs)
        for node in store.nodes
        if node.labels.get("type") != "virtual-kubelet"
    )
    lengths = {block.length for block in inside}
    fixed = NODE_BLOCK if prefix.v4 else None
    first, last = prefix.first, prefix.last
    missing = unreadable(store.nodes)
    return PodRange(
        text=text,
        prefix=prefix,
        block=max(lengths) if lengths else fixed,
        used=None if missing else len(inside) + silent,
        pods=sum(1 for number in store.pods_by_address.keys() if first <= number <= last),  # noqa: SIM118 - no dict
        outside=len(found - inside),
        missing=missing,
    )


def service_ranges(store: Store) -> tuple[ServiceRange, ...]:
    """Return the service CIDRs of the cluster."""
    managed = cluster(store)
    if managed is None:
        return ()
    tables = store.tables
    state = (tables["managedClusters"].version, tables["Service"].version)
    return once_at(store, "service ranges", state, lambda: _service_ranges(store, managed))


def _service_ranges(store: Store, managed: ManagedCluster) -> tuple[ServiceRange, ...]:
    missing = unreadable(store.services)
    virtual = {parse_address(text) for service in store.services for text in service.virtual_ips} - {None}
    dns = managed.network_profile.dns_service_ip
    return tuple(
        ServiceRange(
            text=text,
            prefix=prefix,
            reserved=min(2 if prefix.v4 else 1, prefix.size),
            used=None if missing else sum(number in prefix for number in virtual),
            dns=dns if parse_address(dns) in prefix else "",
            missing=missing,
        )
        for text in service_cidrs(managed)
        if (prefix := parse_prefix(text)) is not None
    )
