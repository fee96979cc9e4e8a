"""Who holds an address, what contains it, and who held it before as far as anything says."""

from collections.abc import Iterator
from typing import Any

import msgspec

from aksnav.model.addresses import Prefix, format_address, parse_prefix
from aksnav.model.azure.network import VirtualNetwork
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.store.table import Table
from aksnav.trace.addressing.holders import azure_holders
from aksnav.trace.addressing.models import pod_cidrs, service_cidrs
from aksnav.trace.addressing.overlaps import RESERVED
from aksnav.trace.addressing.past import Past, past_holders
from aksnav.trace.addressing.subnets import SubnetUse, kept_by_azure, subnet_uses
from aksnav.trace.addressing.words import Holder, Sort
from aksnav.trace.azure.joins import cluster, frontends_at, node_networks, public_ip_at
from aksnav.trace.azure.next_hop import remote
from aksnav.trace.readable import unreadable
from aksnav.trace.request import BadRequest

MOST = 4096
"""Holders that an answer about a range names; the rest is counted."""
# Addresses that mean the same in every network of Azure (Azure documentation, what-is-ip-address-168-63-129-16.md;
# AKS documentation, localdns-custom.md).
_PLATFORM = (
    ("168.63.129.16/32", "DNS, health probes and agent of every machine"),
    ("169.254.169.254/32", "Instance Metadata Service"),
    ("169.254.10.10/31", "LocalDNS on every node that has it"),
)
_RANK = {sort: number for number, sort in enumerate(Sort)}


class Container(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A range that contains what was asked for, or a part of it.

    Attributes:
        what: its name in words.
        prefix: the range.
        ref: the object that says it.
        part: it contains only a part.
    """

    what: str
    prefix: Prefix
    ref: Ref | None = None
    part: bool = False


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer to an address or a range.

    Attributes:
        asked: what was asked for.
        holders: who holds an address of it now, by address.
        more: holders beyond those that are named.
        inside: what contains it, the narrowest first.
        before: who held it before.
        maybe: who may hold it, where nobody is known to: used addresses of its subnet whose holder is not read.
        missing: what could not be read: somebody of it may hold the address.
    """

    asked: Prefix
    holders: tuple[Holder, ...]
    more: int
    inside: tuple[Container, ...]
    before: tuple[Past, ...]
    maybe: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def text(self) -> str:
        """What was asked for in text form."""
        return format_address(self.asked.first) if self.asked.first == self.asked.last else str(self.asked)


def parse_asked(text: str) -> Prefix:
    """Return the range that an address or a CIDR names.

    Raises:
        BadRequest: it is neither.
    """
    prefix = parse_prefix(text.strip())
    if prefix is None:
        raise BadRequest(f"{text}: not an address and not a CIDR; examples: 10.1.2.3, 10.1.2.0/24, fd00::7")
    return prefix


def who_holds(store: Store, asked: Prefix) -> Answer:
    """Return who holds an address or the addresses of a range."""
    numbers = _numbers(store, asked)
    found = sorted(_holders(store, asked, numbers[:MOST]), key=_order)
    tables: tuple[Table[Any], ...] = (
        store.interfaces,
        store.load_balancers,
        store.virtual_networks,
        store.pods,
        store.services,
        store.nodes,
    )
    return Answer(
        asked=asked,
        holders=tuple(found[:MOST]),
        more=max(len(found) - MOST, 0) + max(len(numbers) - MOST, 0),
        inside=tuple(sorted(_inside(store, asked), key=lambda item: (item.part, item.prefix.size, item.what))),
        before=past_holders(store, asked),
        maybe=() if found else tuple(_maybe(store, asked)),
        missing=tuple(dict.fromkeys(text for text in map(unreadable, tables) if text)),
    )


def holders_of(store: Store, use: SubnetUse) -> tuple[Holder, ...]:
    """Return everybody in a subnet: those with an address, Pods included, and then those that Azure lists without."""
    everybody = (holder for prefix in use.prefixes for holder in _holders(store, prefix, _numbers(store, prefix)))
    found = sorted((holder for holder in everybody if holder.sort is not Sort.SERVICE), key=_order)
    return (*found, *(holder for holder in use.holders if holder.address is None))


def _maybe(store: Store, asked: Prefix) -> Iterator[str]:
    for use in subnet_uses(store):
        if not any(prefix.overlaps(asked) for prefix in use.prefixes):
            continue
        unread, unplaced = use.by.get(Sort.UNREAD, 0), sum(holder.address is None for holder in use.holders)
        if use.used is None:
            yield f"who holds addresses of subnet {use.subnet.name} is not known: {use.missing}"
        elif unread:
            yield f"{unread} used of the addresses of subnet {use.subnet.name}: the holder is not read"
        for holder in use.holders if unplaced else ():
            if holder.address is None:
                yield f"{holder.sort} {holder.name} holds an address of subnet {use.subnet.name}: which is not read"


def _order(holder: Holder) -> tuple[int, bool, int]:
    return holder.address or 0, holder.pointed_at, _RANK[holder.sort]


def _holders(store: Store, asked: Prefix, numbers: list[int]) -> Iterator[Holder]:
    """Yield everybody of a range, and of its Pods those that have one of these addresses."""
    pods = {number: [pod for pod in store.pods_at(number) if not pod.finished] for number in numbers}
    for holder in azure_holders(store):
        if holder.address is None or holder.address not in asked:
            continue
        found = [pod for pod in store.pods_at(holder.address) if not pod.finished]
        if not (holder.sort is Sort.KEPT and any(not pod.template.host_network for pod in found)):
            yield _with_host_pods(holder, found)
    for number, found in pods.items():
        yield from (_pod(pod, number) for pod in found if not pod.template.host_network)
    yield from _services(store, asked)
    yield from _public(store, asked)
    yield from _of_azure(store, asked)


def _numbers(store: Store, asked: Prefix) -> list[int]:
    """Return the addresses of a range that Pods have, in their order."""
    if asked.first == asked.last:
        return [asked.first]
    first, last = asked.first, asked.last
    return sorted(number for number in store.pods_by_address.keys() if first <= number <= last)  # noqa: SIM118 - no dict


def _with_host_pods(holder: Holder, pods: list[Pod]) -> Holder:
    shared = sum(pod.template.host_network for pod in pods)
    if not shared:
        return holder
    note = f"{shared} Pod{'' if shared == 1 else 's'} in the host network share it"
    return msgspec.structs.replace(holder, note=f"{holder.note}, {note}" if holder.note else note)


def _pod(pod: Pod, number: int) -> Holder:
    note = "is being deleted" if pod.deleting else pod.reason if not pod.ready and pod.reason else ""
    ref = Ref(pod.KIND, pod.id)
    return Holder(sort=Sort.POD, name=pod.id, ref=ref, field=".status.podIPs", address=number, node=pod.node, note=note)


def _services(store: Store, asked: Prefix) -> Iterator[Holder]:
    for service in sorted(store.services, key=lambda row: row.id):
        for field, texts in (
            (".spec.clusterIPs", service.virtual_ips),
            (".status.loadBalancer.ingress", service.external_addresses),
        ):
            for text in texts:
                prefix = parse_prefix(text)
                if prefix is None or prefix.first != prefix.last or prefix.first not in asked:
                    continue
                yield Holder(
                    sort=Sort.SERVICE,
                    name=service.id,
                    ref=service.ref,
                    field=field,
                    address=prefix.first,
                    note=f"type {service.type}",
                )


def _public(store: Store, asked: Prefix) -> Iterator[Holder]:
    for item in store.public_ips:
        prefix = parse_prefix(item.ip_address) if item.ip_address else None
        if prefix is None or prefix.first not in asked:
            continue
        found = public_ip_at(store, prefix.first)
        fronts = [f"{balancer.name}/{front.name}" for balancer, front in frontends_at(store, prefix.first)]
        note = f"frontend {', '.join(fronts)}" if fronts else "" if found is None else _attached(item.ip_configuration)
        yield Holder(
            sort=Sort.PUBLIC, name=item.name, ref=item.ref, field=".ipAddress", address=prefix.first, note=note
        )


def _attached(configuration: object) -> str:
    ident = getattr(configuration, "arm_id", "")
    return f"attached to {ident.rpartition('/providers/')[2]}" if ident else "attached to nothing"


def _of_azure(store: Store, asked: Prefix) -> Iterator[Holder]:
    """Yield what Azure keeps for itself."""
    for text, what in _PLATFORM:
        prefix = parse_prefix(text)
        if prefix is not None and prefix.overlaps(asked):
            yield Holder(sort=Sort.AZURE, name=what, address=max(prefix.first, asked.first))
    for network in store.virtual_networks:
        for subnet in network.subnets:
            for block in (item for item in map(parse_prefix, subnet.prefixes) if item is not None and item.v4):
                for number in (*range(block.first, block.first + 4), block.last):
                    if number in asked:
                        what = kept_by_azure((block,), number)
                        yield Holder(
                            sort=Sort.AZURE, name=f"{what} of subnet {subnet.name}", ref=network.ref, address=number,
                            subnet=subnet.id,
                        )  # fmt: skip


def _inside(store: Store, asked: Prefix) -> Iterator[Container]:
    for container in _ranges(store):
        if container.prefix.covers(asked):
            yield container
        elif container.prefix.overlaps(asked):
            yield msgspec.structs.replace(container, part=True)


def _ranges(store: Store) -> Iterator[Container]:
    """Yield every range that means something."""
    home = node_networks(store)
    for network in store.virtual_networks:
        yield from _of_network(store, network, peers=network.id in home)
    managed = cluster(store)
    if managed is not None:
        for what, texts in (("Pod CIDR", pod_cidrs(managed)), ("service CIDR", service_cidrs(managed))):
            for item in _parsed(texts):
                yield Container(what=f"{what} of the cluster", prefix=item, ref=managed.ref)
    for node in store.nodes:
        for item in _parsed(node.pod_cidrs):
            yield Container(what=f"Pod range of node {node.name}", prefix=item, ref=node.ref)
    for block in RESERVED:
        yield Container(what="range that AKS reserves", prefix=block)


def _of_network(store: Store, network: VirtualNetwork, *, peers: bool) -> Iterator[Container]:
    """Yield the ranges of a network, and those of its peers that are not read themselves."""
    for subnet in network.subnets:
        what = f"subnet {subnet.name} of {network.name}"
        yield from (Container(what=what, prefix=item, ref=network.ref) for item in _parsed(subnet.prefixes))
    for item in _parsed(network.address_space.address_prefixes):
        yield Container(what=f"virtual network {network.name}", prefix=item, ref=network.ref)
    for peering in network.virtual_network_peerings if peers else ():
        if peering.remote_virtual_network.id not in store.virtual_networks:
            name = peering.remote_virtual_network.id.rpartition("/")[2] or peering.name
            for item in remote(peering):
                yield Container(what=f"peered network {name}", prefix=item, ref=network.ref)


def _parsed(texts: tuple[str, ...]) -> Iterator[Prefix]:
    yield from (prefix for prefix in map(parse_prefix, texts) if prefix is not None)
