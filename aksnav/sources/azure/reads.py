"""One round of reading: which lists of Azure Resource Manager say what the network around the nodes is made of.

Lists are read by resource group: that of the nodes, and those of the virtual networks in which the nodes are. What
these refer to in other resource groups (a peer, a security group, an address) is read one by one, by its id.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

import msgspec

from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.azure.network import (
    LoadBalancer,
    NatGateway,
    NetworkInterface,
    NetworkSecurityGroup,
    Subnet,
    SubResource,
    VirtualNetwork,
)
from aksnav.model.change import Reading
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import AZURE_KINDS, KINDS, AnyObject
from aksnav.model.object import Undecodable
from aksnav.sources.azure.arm_ids import Group, group_of, name_of, network_of, scale_set_of
from aksnav.sources.azure.errors import ArmError, Where
from aksnav.sources.azure.find import CLUSTER_READ, Found, Hints
from aksnav.sources.azure.transport import Arm, Json

SCALE_SET_INTERFACES = "Microsoft.Compute/virtualMachineScaleSets/networkInterfaces/read"
USAGES = "Microsoft.Network/virtualNetworks/usages/read"
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
T = TypeVar("T")
Patiently = Callable[[Callable[[], Any]], Any]


class Read(msgspec.Struct, kw_only=True, gc=False):
    """What came of reading one kind in one scope.

    Attributes:
        kind: name of the kind.
        scope: ARM id of the resource group in lower case; empty where not even that is known.
        objects: what was read.
        undecodable: what was read and is not such an object.
        gone: ids that were asked for by name and do not exist.
        whole: it is a complete list: what was known in the scope and is not in it is gone.
        reading: LIVE, or how it could not be read.
        reason: one line for people, empty where all was read.
    """

    kind: str
    scope: str
    objects: list[AnyObject] = []
    undecodable: list[Undecodable] = []
    gone: list[str] = []
    whole: bool = False
    reading: Reading = Reading.LIVE
    reason: str = ""


class Reader:
    """Reads everything around one cluster, once.

    Attributes:
        notes: what could not be read and makes no kind unreadable, one line each.
    """

    def __init__(self, arm: Arm, found: Found, hints: Hints, patiently: Patiently) -> None:
        """Prepare.

        Args:
            arm: to ask.
            found: the cluster.
            hints: what the Kubernetes half knows.
            patiently: makes a call, again after a pause where Azure asks for one.
        """
        self._arm = arm
        self._found = found
        self._hints = hints
        self._patiently = patiently
        self._cluster: ManagedCluster | None = None
        self._listed: set[tuple[str, Group]] = set()
        self._read: dict[str, list[AnyObject]] = {kind.name: [] for kind in AZURE_KINDS}
        self.notes: list[str] = []

    def reads(self) -> Iterator[Read]:
        """Yield what came of each kind and scope, as it is read.

        Raises:
            CredentialError, UnreachableError: nothing more can be read.
            ThrottledError: Azure asks to wait for longer than this round may last.
        """
        yield self._read_cluster()
        nodes = self._found.node_group
        if nodes is None:
            reason = self._found.error or "the resource group of the nodes is not known"
            yield from self._unread(OPERATIONS, reason)
            return
        for kind in ("loadBalancers", "publicIPAddresses", "networkSecurityGroups"):
            yield self._list(kind, nodes)
        yield self._interfaces(nodes)
        networks = self._home_networks()
        groups = sorted({group for group in map(group_of, networks) if group is not None})
        if not networks and self._cluster is not None:
            groups = [nodes]  # AKS made the virtual network itself: it lies beside the nodes
        if not groups:
            reason = f"the virtual network of the nodes is not known: {self._found.error or 'no subnet names it'}"
            yield from self._unread(("virtualNetworks", "networkSecurityGroups", "routeTables", "natGateways"), reason)
        for group in groups:
            yield self._list("virtualNetworks", group, self._counted(networks))
            if group != nodes:
                yield self._list("networkSecurityGroups", group)
        for group in sorted({nodes, *groups}):
            yield self._list("routeTables", group)
        yield self._list("natGateways", nodes)
        yield from self._referred()

    def _referred(self) -> Iterator[Read]:
        """Read what the objects so far refer to and no list has shown."""
        peers = [
            peering.remote_virtual_network
            for network in self._of(VirtualNetwork)
            if network.id in self._home_networks()
            for peering in network.virtual_network_peerings
        ]
        yield from self._named("virtualNetworks", peers, self._with_usages)
        subnets = list(self._used_subnets())
        yield from self._named("natGateways", [subnet.nat_gateway for subnet in subnets])
        yield from self._named("routeTables", [subnet.route_table for subnet in subnets])
        filters = [subnet.network_security_group for subnet in subnets]
        filters += [item.network_security_group for item in self._of(NetworkInterface)]
        yield from self._named("networkSecurityGroups", filters)
        addresses = [
            frontend.public_ip_address
            for balancer in self._of(LoadBalancer)
            for frontend in balancer.frontend_ip_configurations
        ]
        addresses += [item for gateway in self._of(NatGateway) for item in gateway.public_ip_addresses]
        yield from self._named("publicIPAddresses", addresses)

    def _read_cluster(self) -> Read:
        found = self._found
        group = group_of(found.cluster_id)
        scope = group.scope if group is not None else ""
        if found.cluster is not None:
            read = self._decoded("managedClusters", scope, [found.cluster])
            self._cluster = next((item for item in read.objects if isinstance(item, ManagedCluster)), None)
            if not found.error:
                return read
        elif found.where is not None and not scope and found.where.action == CLUSTER_READ:
            scope = found.where.scope.lower()
        reading = Reading.DENIED if found.denied else Reading.FAILED
        return Read(kind="managedClusters", scope=scope, reading=reading, reason=found.error)

    def _list(self, kind: str, group: Group, finish: Callable[[Json], Json] = lambda wire: wire) -> Read:
        """Read every object of a kind in a resource group."""
        self._listed.add((kind, group))
        where = Where(f"Microsoft.Network/{KINDS[kind].plural}/read", group.scope)
        operations = getattr(self._arm.network(group.subscription), OPERATIONS[kind])
        try:
            wires = self._ask(where, lambda: operations.list(group.name))
        except ArmError as error:
            return _failed(kind, group.scope, error)
        return self._decoded(kind, group.scope, [finish(wire) for wire in wires])

    def _interfaces(self, group: Group) -> Read:
        """Read the interfaces of the nodes: those of scale sets are in no list of the resource group."""
        kind, names = "networkInterfaces", self._scale_sets(group)
        operations = self._arm.network(group.subscription).network_interfaces
        self._listed.add((kind, group))
        wires: list[Json] = []
        errors: list[ArmError] = []
        calls = [(Where("Microsoft.Network/networkInterfaces/read", group.scope), lambda: operations.list(group.name))]
        for name in sorted(names):
            where = Where(
                SCALE_SET_INTERFACES, f"{group.scope}/providers/microsoft.compute/virtualmachinescalesets/{name}"
            )
            calls.append((where, _scale_set_call(operations, group.name, name)))
        for where, ask in calls:
            try:
                wires += self._ask(where, ask)
            except ArmError as error:
                if not (error.missing and where.action == SCALE_SET_INTERFACES):  # a pool that is gone meanwhile
                    errors.append(error)
        read = self._decoded(kind, group.scope, wires)
        reason = self._unknown_scale_sets(names)
        if errors:
            worst = next((error for error in errors if error.denied), errors[0])
            read.reading, read.reason = (Reading.DENIED if worst.denied else Reading.FAILED), str(worst)
        elif reason:
            read.reading, read.reason = Reading.UNREAD, reason
        read.whole = read.reading is Reading.LIVE
        return read

    def _scale_sets(self, group: Group) -> set[str]:
        """Return the names of the nodes' scale sets, from every id that has one."""
        ids = [item.id for security in self._of(NetworkSecurityGroup) for item in security.network_interfaces] + [
            item.id
            for balancer in self._of(LoadBalancer)
            for pool in balancer.backend_address_pools
            for item in pool.backend_ip_configurations
        ]
        found = {scale_set_of(ident) for ident in ids if group_of(ident) == group}
        return (found | self._hints.scale_sets.get(group, set())) - {""}

    def _unknown_scale_sets(self, names: set[str]) -> str:
        """Return why the scale sets are not all known, or an empty string."""
        if self._cluster is not None:
            pools = [pool for pool in self._cluster.agent_pool_profiles if pool.count]
            sets = sum(pool.type.lower() == "virtualmachinescalesets" for pool in pools)
            return f"of {sets} scale sets of the cluster only {len(names)} are known" if len(names) < sets else ""
        known = bool(names) or bool(self._hints.provider_ids)
        return "" if known else "the scale sets of the nodes are not known"

    def _home_networks(self) -> set[str]:
        """Return the ids of the virtual networks in which nodes, Pods or internal frontends are."""
        return {network_of(ident) for ident in self._subnet_ids()}

    def _subnet_ids(self) -> set[str]:
        found = {
            configuration.subnet.id
            for interface in self._of(NetworkInterface)
            for configuration in interface.ip_configurations
            if configuration.subnet is not None
        }
        found |= {
            frontend.subnet.id
            for balancer in self._of(LoadBalancer)
            for frontend in balancer.frontend_ip_configurations
            if frontend.subnet is not None
        }
        if self._cluster is not None:
            for pool in self._cluster.agent_pool_profiles:
                found |= {pool.vnet_subnet_id.lower(), pool.pod_subnet_id.lower()}
        return found - {""}

    def _used_subnets(self) -> Iterator[Subnet]:
        wanted = self._subnet_ids()
        for network in self._of(VirtualNetwork):
            yield from (subnet for subnet in network.subnets if subnet.id in wanted or not wanted)

    def _counted(self, networks: set[str]) -> Callable[[Json], Json]:
        """Return what adds the used addresses to the networks in which the cluster is; others have no use for them."""

        def finish(wire: Json) -> Json:
            ident = str(wire.get("id") or "").lower()
            return self._with_usages(wire) if ident in networks or not networks else wire

        return finish

    def _with_usages(self, wire: Json) -> Json:
        """Add the addresses in use of each subnet to a virtual network."""
        ident = str(wire.get("id") or "")
        group, inner = group_of(ident), wire.get("properties")
        if group is None or not isinstance(inner, dict):
            return wire
        operations = self._arm.network(group.subscription).virtual_networks
        try:
            usages = self._ask(Where(USAGES, ident), lambda: operations.list_usage(group.name, name_of(ident)))
        except ArmError as error:
            self.notes.append(str(error))
            return wire
        return {**wire, "properties": {**inner, "usages": usages}}

    def _named(
        self,
        kind: str,
        references: Iterable[SubResource | None],
        finish: Callable[[Json], Json] = lambda wire: wire,
    ) -> Iterator[Read]:
        """Read objects by their ids where no list covers them, and yield what came of it for each resource group."""
        marker = f"/providers/microsoft.network/{KINDS[kind].plural.lower()}/"
        by_group: dict[Group, list[str]] = {}
        for ident in sorted({reference.id for reference in references if reference is not None}):
            group = group_of(ident)
            if group is not None and marker in ident and (kind, group) not in self._listed:
                by_group.setdefault(group, []).append(ident)
        left = MOST_NAMED
        for group, idents in by_group.items():
            read = self._one_by_one(kind, group, idents[: max(left, 0)], finish)
            if len(idents) > left and read.reading is Reading.LIVE:
                read.reading = Reading.UNREAD
                read.reason = f"only {MOST_NAMED} {KINDS[kind].plural} of other resource groups are read"
            left -= len(idents)
            yield read

    def _one_by_one(self, kind: str, group: Group, idents: list[str], finish: Callable[[Json], Json]) -> Read:
        operations = getattr(self._arm.network(group.subscription), OPERATIONS[kind])
        wires, gone = [], []
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
        read.whole, read.gone = False, gone
        if failed is not None:
            read.reading, read.reason = (Reading.DENIED if failed.denied else Reading.FAILED), str(failed)
        return read

    def _one(self, where: Where, operations: Any, group: Group, ident: str) -> Json:
        return self._arm.one(where, lambda: operations.get(group.name, name_of(ident)))

    def _ask(self, where: Where, ask: Callable[[], Iterable[Any]]) -> list[Json]:
        found: list[Json] = self._patiently(lambda: self._arm.many(where, ask))
        return found

    def _decoded(self, kind: str, scope: str, wires: list[Json]) -> Read:
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


def _failed(kind: str, scope: str, error: ArmError) -> Read:
    reading = Reading.DENIED if error.denied else Reading.FAILED
    return Read(kind=kind, scope=scope, reading=reading, reason=str(error))


def _scale_set_call(operations: Any, group: str, name: str) -> Callable[[], Iterable[Any]]:
    def ask() -> Iterable[Any]:
        found: Iterable[Any] = operations.list_virtual_machine_scale_set_network_interfaces(group, name)
        return found

    return ask
