"""Pane 4: the virtual network as a tree: subnets, the overlay, peerings, with addresses used and free."""

import time
from collections.abc import Iterator, Sequence
from typing import ClassVar

import msgspec

from aksnav.model.addresses import Prefix, parse_address, parse_prefix
from aksnav.model.azure.network import Peering, Subnet, VirtualNetwork
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.ui.panes.pane import Pane
from aksnav.ui.search import Searchable
from aksnav.ui.widgets.columns import Column

AZURE_RESERVED = 5  # addresses of every subnet that Azure keeps (Azure virtual network FAQ)
NEARLY_FULL = 0.9
FREE, COUNT_REST = 0.002, 50  # seconds that counting may take without a pause; pause for each second beyond


class Row(msgspec.Struct, frozen=True):
    """A line of the tree.

    Attributes:
        key: stable name.
        kind: vnet, subnet, range or peering.
        name, prefix: what it is.
        ref: the object behind it.
        depth: level in the tree.
        used, free: addresses; None where nobody says.
        note: a fact in a few words.
        state: word for the state of a peering.
    """

    key: str
    kind: str
    name: str
    prefix: str
    ref: Ref | None = None
    depth: int = 0
    used: int | None = None
    free: int | None = None
    note: str = ""
    tone: str = ""


def network_rows(store: Store) -> Iterator[Row]:
    """Yield the tree of every virtual network, then the cluster's own ranges."""
    for network in sorted(store.virtual_networks, key=lambda item: item.name):
        yield Row(
            network.id,
            "vnet",
            network.name,
            " ".join(network.address_space.address_prefixes),
            network.ref,
            tone="strong",
        )
        for subnet in network.subnets:
            yield _subnet(store, network, subnet)
        for peering in network.virtual_network_peerings:
            yield _peering(network, peering)
    yield from _cluster_ranges(store)


def _subnet(store: Store, network: VirtualNetwork, subnet: Subnet) -> Row:
    blocks = [block for block in map(parse_prefix, subnet.prefixes) if block is not None]
    total = sum(block.size for block in blocks) - AZURE_RESERVED * len(blocks)
    used = _used(store, network, subnet, blocks)
    tone = "" if used is None or not total or used / total < NEARLY_FULL else "bad"
    notes = [name for name, part in (("NSG", subnet.network_security_group), ("routes", subnet.route_table)) if part]
    notes += ["NAT gateway"] if subnet.nat_gateway else []
    notes += [item.service_name for item in subnet.delegations]
    free = None if used is None else max(total - used, 0)
    key = subnet.id or f"{network.id}/subnets/{subnet.name}"
    return Row(
        key, "subnet", subnet.name, " ".join(subnet.prefixes), network.ref, 1, used, free, ", ".join(notes), tone
    )


def _used(store: Store, network: VirtualNetwork, subnet: Subnet, blocks: list[Prefix]) -> int | None:
    """Return addresses in use: Azure's own count where it was read, else its list, else what the interfaces hold."""
    for usage in network.usages or ():
        if usage.arm_id.lower() == subnet.id:
            return int(usage.current_value)
    if subnet.ip_configurations is not None:
        return len(subnet.ip_configurations)
    if not store.interfaces.access().complete:
        return None
    found = {
        item.private_ip_address
        for interface in store.interfaces
        for item in interface.ip_configurations
        if item.subnet is not None and item.subnet.id == subnet.id
    }
    numbers = [parse_address(address) for address in found]
    return sum(any(number in block for block in blocks) for number in numbers if number is not None)


def _peering(network: VirtualNetwork, peering: Peering) -> Row:
    space = (
        peering.remote_address_space.address_prefixes or peering.remote_virtual_network_address_space.address_prefixes
    )
    remote = peering.remote_virtual_network.id.rpartition("/")[2]
    tone = "" if peering.peering_state == "Connected" else "bad"
    key = peering.id or f"{network.id}/peerings/{peering.name}"
    return Row(
        key,
        "peering",
        f"↔ {remote or peering.name}",
        " ".join(space),
        network.ref,
        1,
        note=peering.peering_state,
        tone=tone,
    )


def _cluster_ranges(store: Store) -> Iterator[Row]:
    for cluster in store.clusters:
        profile = cluster.network_profile
        pods = profile.pod_cidrs or ((profile.pod_cidr,) if profile.pod_cidr else ())
        for prefix in pods:
            block = parse_prefix(prefix)
            if block is None:
                continue
            first, last = block.first, block.last
            used = sum(1 for number in store.pods_by_address.keys() if first <= number <= last)  # noqa: SIM118 - no dict
            yield Row(
                f"pods {prefix}",
                "range",
                "Pods",
                prefix,
                cluster.ref,
                0,
                used,
                block.size - used,
                profile.network_plugin_mode,
            )
        services = profile.service_cidrs or ((profile.service_cidr,) if profile.service_cidr else ())
        for prefix in services:
            block = parse_prefix(prefix)
            if block is None:
                continue
            used = sum(1 for service in store.services for ip in service.virtual_ips if parse_address(ip) in block)
            yield Row(f"services {prefix}", "range", "Services", prefix, cluster.ref, 0, used, block.size - used)


class Network(Pane[Row]):
    """Virtual networks and their subnets."""

    number: ClassVar[int] = 4
    heading: ClassVar[str] = "VNet and subnets"
    kinds: ClassVar[tuple[str, ...]] = ("virtualNetworks", "managedClusters", "networkInterfaces")

    def __init__(self, store: Store, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(store, id=id)
        self._counted = (0, 0)
        self._count_at = 0.0

    def columns(self) -> Sequence[Column[Row]]:
        """Return name, prefix, used, free and notes."""
        return (
            Column(
                "name",
                "NETWORK",
                lambda row: row.name,
                width=16,
                min_width=12,
                flex=2,
                elide="middle",
                style=lambda row: row.tone,
                prefix=_branch,
            ),
            Column("prefix", "PREFIX", lambda row: row.prefix, width=15, min_width=15, flex=1),
            Column(
                "used",
                "USED",
                lambda row: _count(row, row.used),
                width=6,
                align="right",
                priority=1,
                style=lambda row: row.tone,
            ),
            Column("free", "FREE", lambda row: _count(row, row.free), width=7, align="right", priority=2),
            Column("note", "HAS", lambda row: row.note, width=12, priority=3, flex=1, style=lambda row: row.tone),
        )

    def key(self, row: Row) -> str:
        """Return the row's own key."""
        return row.key

    def rows(self) -> Sequence[Row]:
        """Return the tree, flattened."""
        return list(network_rows(self.store))

    def follow(self, now: float) -> None:
        """Show what changed; the addresses that Pods and Services use are counted again from time to time."""
        super().follow(now)
        used = (self.store.pods_by_address.version, self.store.services.version)
        if used != self._counted and now >= self._count_at and len(self.store.clusters):
            started = time.monotonic()
            self._counted = used
            rows = {row.key: row for row in self.rows()}
            self.table.update_rows({key: row for key, row in rows.items() if self.table.row(key) != row})
            self._count_at = now + COUNT_REST * max(0.0, time.monotonic() - started - FREE)

    def search(self, row: Row) -> Searchable:
        """Return name, prefixes and notes."""
        return Searchable(f"{row.kind} {row.name} {row.prefix} {row.note}", prefixes=tuple(row.prefix.split()))


def _branch(row: Row) -> str:
    return "  " * row.depth if row.depth == 0 else "├ "


def _count(row: Row, number: int | None) -> str:
    if number is None:
        return "" if row.kind in {"vnet", "peering"} else "?"
    return f"{number}"
