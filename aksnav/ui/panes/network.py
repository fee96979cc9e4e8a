"""Pane 4: the virtual network as a tree: subnets, ranges, peerings, pools; what is used and free, and for how long."""

import time
from collections.abc import Iterator, Sequence
from typing import ClassVar

import msgspec

from aksnav.model.azure.network import Peering, VirtualNetwork
from aksnav.model.object import Ref
from aksnav.report.ips import GLYPH, bar, name_of, percent, room_words, short_verdict, tone_of, verdict
from aksnav.store import Store
from aksnav.trace.addressing.forecast import Outlook, Room, State, outlook
from aksnav.trace.addressing.ranges import PodRange, ServiceRange, pod_ranges, service_ranges
from aksnav.trace.addressing.subnets import SubnetUse, subnet_uses
from aksnav.trace.addressing.words import Sort
from aksnav.trace.azure.joins import cluster, node_networks
from aksnav.trace.azure.next_hop import remote
from aksnav.ui.panes.pane import Pane
from aksnav.ui.search import Searchable
from aksnav.ui.text import Span
from aksnav.ui.widgets.columns import Column

FREE, COUNT_REST = 0.002, 50  # seconds that counting may take without a pause; pause for each second beyond
BAR = 4
_BLANK = frozenset({"vnet", "peering", "growth"})


class Row(msgspec.Struct, frozen=True):
    """A line of the tree.

    Attributes:
        key: stable name.
        kind: vnet, subnet, range, peering, pool or growth.
        name, prefix: what it is.
        ref: the object behind it.
        depth: level in the tree.
        used, free: addresses (of a Pod CIDR blocks, of a pool nodes); None where nobody says.
        use: a bar and the share that is used.
        note: a fact in a few words.
        tone: of the row.
    """

    key: str
    kind: str
    name: str
    prefix: str
    ref: Ref | None = None
    depth: int = 0
    used: int | None = None
    free: int | None = None
    use: str = ""
    note: str = ""
    tone: str = ""


def network_rows(store: Store, growth: Outlook) -> Iterator[Row]:
    """Yield the tree of every virtual network, then the cluster's own ranges, then when it will run out."""
    uses = subnet_uses(store)
    home = node_networks(store)
    for network in sorted(store.virtual_networks, key=lambda item: (item.id not in home, item.name)):
        yield Row(
            network.id,
            "vnet",
            network.name,
            " ".join(network.address_space.address_prefixes),
            network.ref,
            tone="strong",
        )
        for use in uses:
            if use.network is network:
                yield _subnet(use)
        for peering in network.virtual_network_peerings:
            yield _peering(network, peering)
    managed = cluster(store)
    if managed is None:
        return
    for item in pod_ranges(store):
        yield _pods(item, managed.ref, managed.network_profile.network_plugin_mode)
    for service in service_ranges(store):
        yield _services(service, managed.ref)
    yield from _growth(growth, managed.ref)


def _subnet(use: SubnetUse) -> Row:
    subnet, capacity = use.subnet, use.size - use.reserved
    notes = [f"{number} {_holders(sort, number)}" for sort, number in use.by.items()]
    notes += [name for name, part in (("NSG", subnet.network_security_group), ("routes", subnet.route_table)) if part]
    notes += ["NAT gateway"] if subnet.nat_gateway else []
    notes += [f"for {name.rpartition('/')[2]}" for name in use.delegations]
    return Row(
        subnet.id or f"{use.network.id}/subnets/{subnet.name}",
        "subnet",
        subnet.name,
        " ".join(subnet.prefixes),
        use.network.ref,
        1,
        use.used,
        use.free,
        _share(use.used, capacity),
        ", ".join(notes),
        tone_of(use.used, capacity),
    )


def _holders(sort: Sort, number: int) -> str:
    return "not read" if sort is Sort.UNREAD else name_of(sort, number)


def _share(used: int | None, capacity: int | None) -> str:
    share = "full" if used is not None and capacity is not None and used >= capacity else percent(used, capacity)
    return f"{bar(used, capacity, BAR)} {share:>4}"


def _peering(network: VirtualNetwork, peering: Peering) -> Row:
    space = " ".join(map(str, remote(peering)))
    name = peering.remote_virtual_network.id.rpartition("/")[2]
    tone = "" if peering.peering_state == "Connected" else "bad"
    key = peering.id or f"{network.id}/peerings/{peering.name}"
    return Row(
        key, "peering", f"↔ {name or peering.name}", space, network.ref, 1, note=peering.peering_state, tone=tone
    )


def _pods(item: PodRange, ref: Ref, mode: str) -> Row:
    note = f"{mode or 'kubenet'}, {item.pods} Pods, blocks of /{item.block}" if item.block else mode
    return Row(
        f"pods {item.text}",
        "range",
        "Pods",
        item.text,
        ref,
        0,
        item.used,
        item.free,
        _share(item.used, item.capacity),
        note,
        tone_of(item.used, item.capacity),
    )


def _services(item: ServiceRange, ref: Ref) -> Row:
    capacity = item.prefix.size - item.reserved
    note = f"DNS {item.dns}" if item.dns else ""
    return Row(
        f"services {item.text}",
        "range",
        "Services",
        item.text,
        ref,
        0,
        item.used,
        item.free,
        _share(item.used, capacity),
        note,
        tone_of(item.used, capacity),
    )


def _growth(growth: Outlook, ref: Ref) -> Iterator[Row]:
    """Yield when it will run out, and for how many nodes of each pool there is room."""
    said = verdict(growth)
    state = State.UNKNOWN if growth.missing else growth.state
    yield Row("growth", "growth", "Growth", f"{GLYPH[state]} {state}", ref, note=said.text.strip(), tone=said.tone)
    for room in growth.rooms:
        yield _room(room, ref)


def _room(room: Room, ref: Ref) -> Row:
    by = f"then {room.by.name} is used up" if room.by is not None else room_words(room)
    tone = "unknown" if room.nodes is None else "bad" if not room.nodes else ""
    more = "room ?" if room.nodes is None else f"room for {room.nodes}"
    return Row(f"pool {room.pool}", "growth", f"pool {room.pool}", more, ref, 1, note=by, tone=tone)


class Network(Pane[Row]):
    """Virtual networks and their subnets."""

    number: ClassVar[int] = 4
    heading: ClassVar[str] = "VNet and subnets"
    kinds: ClassVar[tuple[str, ...]] = ("virtualNetworks", "managedClusters", "networkInterfaces")

    def __init__(self, store: Store, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(store, id=id)
        self._counted: tuple[int, ...] = ()
        self._count_at = 0.0
        self._growth = Outlook()

    def columns(self) -> Sequence[Column[Row]]:
        """Return name, prefix, use, used, free and notes."""
        return (
            Column(
                "name",
                "NETWORK",
                lambda row: row.name,
                width=16,
                flex=2,
                elide="middle",
                style=lambda row: row.tone,
                prefix=_branch,
            ),
            Column("prefix", "PREFIX", lambda row: row.prefix, width=18, min_width=14, flex=1),
            Column("use", "USE", lambda row: row.use, width=BAR + 5, priority=1, style=_tone),
            Column(
                "used",
                "USED",
                lambda row: _count(row, row.used),
                width=6,
                min_width=5,
                align="right",
                priority=3,
                style=_tone,
            ),
            Column("free", "FREE", lambda row: _count(row, row.free), width=7, min_width=6, align="right", priority=2),
            Column("note", "HAS", lambda row: row.note, width=12, priority=4, flex=3, style=_tone),
        )

    def key(self, row: Row) -> str:
        """Return the row's own key."""
        return row.key

    def rows(self) -> Sequence[Row]:
        """Return the tree, flattened."""
        self._growth = outlook(self.store)
        return list(network_rows(self.store, self._growth))

    def follow(self, now: float) -> None:
        """Show what changed; the addresses that Pods and Services use are counted again from time to time."""
        super().follow(now)
        tables = self.store.tables
        used = (
            self.store.pods_by_address.version,
            *[tables[kind].version for kind in ("Service", "Node", "loadBalancers", "routeTables")],
        )
        if used != self._counted and now >= self._count_at and len(self.store.clusters):
            started = time.monotonic()
            self._counted = used
            rows = {row.key: row for row in self.rows()}
            self.table.update_rows({key: row for key, row in rows.items() if self.table.row(key) != row})
            self._count_at = now + COUNT_REST * max(0.0, time.monotonic() - started - FREE)
            self.show_title()

    def aside(self) -> Sequence[Span]:
        """Return what cannot be read, or else when it will run out."""
        unread = super().aside()
        if unread or not self._growth.steps:
            return unread
        said = short_verdict(self._growth)
        return (Span(f" {said.text} ", said.tone),)

    def search(self, row: Row) -> Searchable:
        """Return name, prefixes and notes."""
        return Searchable(f"{row.kind} {row.name} {row.prefix} {row.note}", prefixes=tuple(row.prefix.split()))


def _tone(row: Row) -> str:
    return row.tone if row.kind != "vnet" else ""


def _branch(row: Row) -> str:
    return "  " * row.depth if row.depth == 0 else "├ "


def _count(row: Row, number: int | None) -> str:
    if number is None:
        return "" if row.kind in _BLANK else "?"
    return f"{number}"
