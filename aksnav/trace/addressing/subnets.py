"""What is used of every subnet, and by whom: size = kept by Azure + used + free, and each address counted once.

Azure keeps the first four addresses and the last one of every subnet (Azure documentation, virtual network FAQ).
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from aksnav.model.addresses import Prefix, parse_prefix
from aksnav.model.azure.network import Subnet, VirtualNetwork
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace.addressing.allotted import allotted
from aksnav.trace.addressing.holders import HOLDING_KINDS, azure_holders
from aksnav.trace.addressing.models import FROM_POD_CIDR, models_of
from aksnav.trace.addressing.words import Holder, Sort
from aksnav.trace.azure.joins import cluster, node_networks, pod_prefixes
from aksnav.trace.memo import once_at
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence

AZURE_RESERVED = 5
_FIRST_KEPT = 4
_FIREWALL_SUBNET = "azurefirewallsubnet"


class SubnetUse(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One subnet; figures are about its IPv4 addresses (an IPv6 subnet is a /64 and does not run out).

    Attributes:
        network, subnet: which one.
        prefixes: its IPv4 blocks.
        size: addresses in them.
        reserved: of these, Azure keeps.
        used: addresses in use; None where nobody says.
        basis: who says so.
        by: used addresses by what holds them; their sum is ``used``.
        holders: those that are known, with an address or without; Pods are not among them.
        pods: Pods that have an address of the subnet.
        missing: what would have to be readable, where ``used`` is not known.
        evidence: the fields.
        home: nodes of the cluster can be in its network.
    """

    network: VirtualNetwork
    subnet: Subnet
    prefixes: tuple[Prefix, ...]
    size: int
    reserved: int
    used: int | None = None
    basis: str = ""
    by: Mapping[Sort, int] = {}
    holders: tuple[Holder, ...] = ()
    pods: int = 0
    missing: str = ""
    evidence: tuple[Evidence, ...] = ()
    home: bool = True

    @property
    def free(self) -> int | None:
        """Addresses that a newcomer can have; None where that is not known."""
        return None if self.used is None else max(self.size - self.reserved - self.used, 0)

    @property
    def ref(self) -> Ref:
        """The subnet by its id."""
        return Ref("subnets", self.subnet.id)

    @property
    def delegations(self) -> tuple[str, ...]:
        """Services that the subnet is delegated to."""
        return tuple(item.service_name for item in self.subnet.delegations)


def subnet_uses(store: Store) -> tuple[SubnetUse, ...]:
    """Return every subnet of every virtual network, those of the cluster's own network first, in their order."""
    tables = store.tables
    state = (*[tables[kind].version for kind in HOLDING_KINDS], store.pods_by_address.version)
    return once_at(store, "subnet uses", state, lambda: tuple(_uses(store)))


def _uses(store: Store) -> Iterable[SubnetUse]:
    by_subnet: dict[str, list[Holder]] = {}
    for holder in azure_holders(store):
        by_subnet.setdefault(holder.subnet, []).append(holder)
    home = node_networks(store)
    networks = sorted(store.virtual_networks, key=lambda item: (item.id not in home, item.name, item.id))
    blocks = {
        subnet.id: tuple(block for block in map(parse_prefix, subnet.prefixes) if block is not None and block.v4)
        for network in networks
        for subnet in network.subnets
        if network.id in home or not home
    }
    pods = _pods_in(store, [block for found in blocks.values() for block in found])
    given = allotted(store)
    uses = []
    for network in networks:
        for subnet in network.subnets:
            found = blocks.get(subnet.id)
            prefixes = (
                found
                if found is not None
                else tuple(block for block in map(parse_prefix, subnet.prefixes) if block is not None and block.v4)
            )
            own = {number for number in pods if any(number in block for block in prefixes)} if found else set()
            use = _use(store, network, subnet, prefixes, by_subnet.get(subnet.id, []), own, given.get(subnet.id, 0))
            uses.append(msgspec.structs.replace(use, home=network.id in home or not home))
    return uses


def _pods_in(store: Store, blocks: list[Prefix]) -> set[int]:
    """Return the addresses of Pods in these blocks; an overlay's are passed over without a look at each."""
    managed = cluster(store)
    models = models_of(managed) if managed is not None else ()
    if models and FROM_POD_CIDR.issuperset(models):
        return set()  # not a look at 200,000 of them
    ranges = pod_prefixes(store)
    outside = [block for block in blocks if not any(item.overlaps(block) for item in ranges)]
    if not outside:
        return set()
    low, high = min(block.first for block in outside), max(block.last for block in outside)
    near = [number for number in store.pods_by_address.keys() if low <= number <= high]  # noqa: SIM118 - no dict
    found = {number for number in near if any(number in block for block in outside)}
    nodes = {number for number in found if store.nodes_by_address.get(number)}
    return {number for number in found - nodes if any(not pod.finished for pod in store.pods_at(number))}


def _use(
    store: Store,
    network: VirtualNetwork,
    subnet: Subnet,
    prefixes: tuple[Prefix, ...],
    holders: list[Holder],
    pods: set[int],
    given: int,
) -> SubnetUse:
    size = sum(block.size for block in prefixes)
    base = SubnetUse(
        network=network,
        subnet=subnet,
        prefixes=prefixes,
        size=size,
        reserved=min(AZURE_RESERVED * len(prefixes), size),
        holders=tuple(holders),
        pods=len(pods),
    )
    by = _named(prefixes, holders, pods)
    count, basis, evidence = _count(network, subnet, holders)
    # Nodes take addresses for their Pods ahead of need: these are in use, with a Pod or without.
    by[Sort.KEPT] += max(given - by[Sort.POD] - by[Sort.KEPT], 0)
    named = by.total()
    if given and named > (count or 0):
        basis = "worked out from the Pods of each node"
    if count is None and not given:
        missing = unreadable(store.interfaces)
        if missing:
            return msgspec.structs.replace(base, by=by, missing=missing)
        missing = "Microsoft.Network/virtualNetworks/usages/read: interfaces of other resource groups are not read"
        return _filled(base, by, named, "counted from the interfaces that are read", missing, evidence)
    return _filled(base, by, max(count or 0, named), basis, "", evidence)


def _filled(
    base: SubnetUse, by: Counter[Sort], used: int, basis: str, missing: str, evidence: tuple[Evidence, ...]
) -> SubnetUse:
    used = min(used, base.size - base.reserved)
    _fit(by, used)
    _point(base, by, used)
    rest = used - by.total()
    if rest > 0:
        by[Sort.UNREAD] += rest
    ordered = {sort: by[sort] for sort in Sort if by[sort]}
    return msgspec.structs.replace(base, used=used, basis=basis, by=ordered, missing=missing, evidence=evidence)


def _fit(by: Counter[Sort], most: int) -> None:
    """Leave out what has no room, where objects say more than a subnet has: first what is only kept for Pods."""
    for sort in (Sort.KEPT, *reversed(Sort)):
        by[sort] -= min(by[sort], max(by.total() - most, 0))


def _named(prefixes: tuple[Prefix, ...], holders: list[Holder], pods: set[int]) -> Counter[Sort]:
    """Return how many addresses each sort of holder has for certain; a Pod has the one that was kept for it."""
    found: Counter[Sort] = Counter()
    left = {number for number in pods if not kept_by_azure(prefixes, number)}
    for holder in holders:
        if holder.pointed_at:
            continue
        number = holder.address
        if number is None:
            found[holder.sort] += 1
        elif any(number in block for block in prefixes) and not kept_by_azure(prefixes, number):
            in_use = number in left
            left.discard(number)
            found[Sort.POD if in_use and holder.sort is Sort.KEPT else holder.sort] += 1
    found[Sort.POD] += len(left)
    return found


def _point(base: SubnetUse, by: Counter[Sort], used: int) -> None:
    """Count what is only pointed at, as far as there are used addresses whose holder is not known."""
    for holder in base.holders:
        if not holder.pointed_at or by.total() >= used:
            continue
        # In its subnet there is nothing but the firewall: the address is that of the one that Azure lists there.
        if base.subnet.name.lower() == _FIREWALL_SUBNET and by[Sort.FIREWALL]:
            continue
        by[holder.sort] += 1


def _count(
    network: VirtualNetwork, subnet: Subnet, holders: list[Holder]
) -> tuple[int | None, str, tuple[Evidence, ...]]:
    """Return Azure's own count of a subnet's addresses in use, what it is, and the field."""
    for index, usage in enumerate(network.usages or ()):
        if usage.arm_id.lower() == subnet.id:
            fact = Evidence(f".usages[{index}].currentValue", f"{int(usage.current_value)}", network.ref)
            return int(usage.current_value), "counted by Azure", (fact,)
    if subnet.ip_configurations is None:
        return None, "", ()
    six = sum(holder.address is not None and not _v4(holder) for holder in holders)
    listed = len(subnet.ip_configurations) - six
    fact = Evidence(f".subnets[?name=='{subnet.name}'].ipConfigurations", f"{listed} entries", network.ref)
    return max(listed, 0), "listed by Azure", (fact,)


def _v4(holder: Holder) -> bool:
    return holder.address is not None and Prefix(holder.address, holder.address).v4


def kept_by_azure(prefixes: Iterable[Prefix], number: int) -> str:
    """Return what Azure keeps an address for, or an empty string if it does not keep it."""
    for block in prefixes:
        if number in block and block.v4:
            place = number - block.first
            if place < _FIRST_KEPT:
                return ("network address", "default gateway", "DNS address", "DNS address")[place]
            if number == block.last:
                return "broadcast address"
    return ""
