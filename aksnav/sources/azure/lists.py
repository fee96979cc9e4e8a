"""Reading lists of a resource group, and single objects by their ids, and keeping what was read."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

import msgspec

from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.azure.network import SubResource
from aksnav.model.change import Reading
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import AZURE_KINDS, KINDS, AnyObject
from aksnav.model.object import Undecodable
from aksnav.sources.azure import edges
from aksnav.sources.azure.arm_ids import Group, group_of, name_of
from aksnav.sources.azure.edges import CONTROLLERS_VERSION, EDGE_OPERATIONS
from aksnav.sources.azure.errors import ArmError, Where
from aksnav.sources.azure.find import Found, Hints
from aksnav.sources.azure.kept import Kept
from aksnav.sources.azure.outcome import Read, failed
from aksnav.sources.azure.transport import Arm, Json

MOST_NAMED = 20
"""Objects of one kind that are read one by one; a hub can have hundreds of peers."""
OPERATIONS = {
    "virtualNetworks": "virtual_networks",
    "networkSecurityGroups": "network_security_groups",
    "routeTables": "route_tables",
    "loadBalancers": "load_balancers",
    "publicIPAddresses": "public_ip_addresses",
    "networkInterfaces": "network_interfaces",
    "natGateways": "nat_gateways",
}
ALL_OPERATIONS = {**OPERATIONS, **EDGE_OPERATIONS}
T = TypeVar("T")
Patiently = Callable[[Callable[[], Any]], Any]


class ListReader:
    """Reads lists and single objects, and keeps what came of it.

    Attributes:
        notes: what could not be read and makes no kind unreadable, one line each.
    """

    def __init__(self, arm: Arm, found: Found, hints: Hints, kept: Kept, patiently: Patiently) -> None:
        """Prepare.

        Args:
            arm: to ask.
            found: the cluster.
            hints: what the Kubernetes half knows.
            kept: what was read in former rounds and may still be good.
            patiently: makes a call, again after a pause where Azure asks for one.
        """
        self._arm = arm
        self._found = found
        self._hints = hints
        self._kept = kept
        self._patiently = patiently
        self._cluster: ManagedCluster | None = None
        self._listed: set[tuple[str, Group]] = set()
        self._read: dict[str, list[AnyObject]] = {kind.name: [] for kind in AZURE_KINDS}
        self._incomplete: set[str] = set()
        self.notes: list[str] = []

    def _unless_kept(self, key: str, grounds: Any, ask: Callable[[], Read]) -> Read:
        """Return what a former round has read, as long as its grounds are the same, or else what is read now."""
        read = self._kept.read(key, grounds, ask)
        if read.kept:
            self._read[read.kind] += read.objects
        return read

    def _list(
        self, kind: str, group: Group, finish: Callable[[Json], Json] = lambda wire: wire, grounds: Any = None
    ) -> Read:
        """Read every object of a kind in a resource group.

        Args:
            kind: name of the kind.
            group: the resource group.
            finish: adds to an object in wire form what another call tells.
            grounds: what they change with, so that they are kept until it changes; None asks in every round.
        """
        self._listed.add((kind, group))
        ask = partial(self._list_now, kind, group, finish)
        return ask() if grounds is None else self._unless_kept(f"{kind} of {group.scope}", grounds, ask)

    def _list_now(self, kind: str, group: Group, finish: Callable[[Json], Json]) -> Read:
        where = Where(f"Microsoft.Network/{KINDS[kind].plural}/read", group.scope)
        operations = getattr(self._arm.network(group.subscription), ALL_OPERATIONS[kind])
        try:
            wires = self._ask(where, lambda: operations.list(group.name))
        except ArmError as error:
            return failed(kind, group.scope, error)
        return self._decoded(kind, group.scope, [finish(wire) for wire in wires])

    def _named(
        self,
        kind: str,
        references: Iterable[SubResource | None],
        finish: Callable[[Json], Json] = lambda wire: wire,
        grounds: Any = None,
    ) -> Iterator[Read]:
        """Read objects by their ids where no list covers them, and yield what came of it for each resource group.

        Args:
            kind: name of the kind.
            references: what names them.
            finish: adds to an object in wire form what another call tells.
            grounds: what they change with, so that they are kept until it changes; None asks in every round.
        """
        marker = f"/providers/microsoft.network/{KINDS[kind].plural.lower()}/"
        by_group: dict[Group, list[str]] = {}
        for ident in sorted({reference.id for reference in references if reference is not None}):
            group = group_of(ident)
            if group is not None and marker in ident and (kind, group) not in self._listed:
                by_group.setdefault(group, []).append(ident)
        left = MOST_NAMED
        for group, idents in by_group.items():
            wanted = idents[: max(left, 0)]
            ask = partial(self._one_by_one, kind, group, wanted, finish)
            key = f"{kind} of {group.scope} by id"
            read = ask() if grounds is None else self._unless_kept(key, (wanted, grounds), ask)
            if len(idents) > left and read.reading is Reading.LIVE:
                reason = f"only {MOST_NAMED} {KINDS[kind].plural} of other resource groups are read"
                read = msgspec.structs.replace(read, reading=Reading.UNREAD, reason=reason)
            left -= len(idents)
            yield read

    def _one_by_one(self, kind: str, group: Group, idents: list[str], finish: Callable[[Json], Json]) -> Read:
        operations = getattr(self._arm.network(group.subscription), ALL_OPERATIONS[kind])
        wires, gone, noted = [], [], len(self.notes)
        failed: ArmError | None = None
        for ident in idents:
            where = Where(f"Microsoft.Network/{KINDS[kind].plural}/read", ident)
            try:
                wires.append(finish(self._patiently(partial(self._one, where, operations, group, ident))))
            except ArmError as error:
                if error.missing:
                    gone.append(ident)
                else:
                    failed = error
        read = self._decoded(kind, group.scope, wires)
        read.whole, read.gone, read.short = False, gone, len(self.notes) > noted
        if failed is not None:
            read.reading, read.reason = (Reading.DENIED if failed.denied else Reading.FAILED), str(failed)
        return read

    def _one(self, where: Where, operations: Any, group: Group, ident: str) -> Json:
        return self._arm.one(where, lambda: operations.get(group.name, name_of(ident)))

    def _ask(self, where: Where, ask: Callable[[], Iterable[Any]]) -> list[Json]:
        found: list[Json] = self._patiently(lambda: self._arm.many(where, ask))
        return found

    def _paged(self, action: str, path: str, version: str = CONTROLLERS_VERSION) -> list[Json]:
        """Return the objects of every page of a list, or the one object that has the path."""
        where = Where(action, path)
        bodies: list[Json] = self._patiently(lambda: self._arm.get(where, path, version))
        return [wire for body in bodies for wire in (edges.values(body) if "value" in body else edges.single(body))]

    def _decoded(self, kind: str, scope: str, wires: Iterable[Json]) -> Read:
        read = Read(kind=kind, scope=scope, whole=True)
        for wire in wires:
            try:
                read.objects.append(decode_wire(KINDS[kind], wire))
            except Undecodable as error:
                read.undecodable.append(error)
        self._read[kind] += read.objects
        return read

    def _of(self, struct: type[T]) -> list[T]:
        return [item for item in self._read[struct.KIND] if isinstance(item, struct)]  # type: ignore[attr-defined]  # every kind's struct has it

    def _unread(self, kinds: Iterable[str], reason: str) -> Iterator[Read]:
        for kind in kinds:
            yield Read(kind=kind, scope="", reading=Reading.UNREAD, reason=reason)
