"""Ranges that must not have an address in common, and do.

Sources: AKS documentation, concepts-network-legacy-cni.md ("Prerequisites", "Deployment parameters": what the service
CIDR must not overlap), concepts-network-azure-cni-overlay.md ("Pods": what the Pod CIDR must not overlap).
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from aksnav.model.addresses import Prefix, parse_prefix
from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.azure.network import VirtualNetwork
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace.addressing.models import FROM_POD_CIDR, models_of, pod_cidrs, service_cidrs
from aksnav.trace.azure.joins import cluster, node_networks
from aksnav.trace.azure.next_hop import remote

RESERVED = tuple(
    prefix
    for prefix in map(parse_prefix, ("169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24"))
    if prefix is not None
)


class Range(NamedTuple):
    """A range with its name, and the field that says it (no field: AKS's own rule)."""

    name: str
    prefix: Prefix
    ref: Ref | None = None
    field: str = ""


class Overlap(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Two ranges with addresses in common.

    Attributes:
        first, second: the ranges.
        why: what comes of it.
        certain: addresses that are in use on both sides can meet; else only free space of the network does.
    """

    first: Range
    second: Range
    why: str
    certain: bool = True

    @property
    def summary(self) -> str:
        """One line."""
        return f"{self.first.name} {self.first.prefix} overlaps {self.second.name} {self.second.prefix}: {self.why}"


def overlaps(store: Store) -> tuple[Overlap, ...]:
    """Return every overlap of the cluster's ranges with each other, with networks and with what AKS forbids."""
    managed = cluster(store)
    return () if managed is None else tuple(_overlaps(store, managed))


def _overlaps(store: Store, managed: ManagedCluster) -> Iterator[Overlap]:
    services, pods = _services(managed), _pods(managed)
    home = node_networks(store)
    networks = [network for network in store.virtual_networks if network.id in home]
    spaces = [item for network in networks for item in _spaces(network)]
    for item in (*services, *pods, *spaces):
        for block in RESERVED:
            if block.overlaps(item.prefix):
                second = Range("the reserved range", block)
                yield Overlap(first=item, second=second, why="AKS does not allow it", certain=item not in spaces)
    for one in services:
        for other in pods:
            if one.prefix.overlaps(other.prefix):
                yield Overlap(first=one, second=other, why="an address can be a Service's and a Pod's")
    for network in networks:
        yield from _with_network(services, pods, network)
        yield from _with_peers(services, pods, network)
    yield from _with_bridge(managed, (*services, *pods, *spaces))


def _services(managed: ManagedCluster) -> list[Range]:
    field = ".networkProfile.serviceCidrs" if managed.network_profile.service_cidrs else ".networkProfile.serviceCidr"
    return _ranges("service CIDR", service_cidrs(managed), managed.ref, field)


def _pods(managed: ManagedCluster) -> list[Range]:
    if not FROM_POD_CIDR.intersection(models_of(managed)):
        return []
    field = ".networkProfile.podCidrs" if managed.network_profile.pod_cidrs else ".networkProfile.podCidr"
    return _ranges("Pod CIDR", pod_cidrs(managed), managed.ref, field)


def _spaces(network: VirtualNetwork) -> list[Range]:
    texts = network.address_space.address_prefixes
    return _ranges(f"virtual network {network.name}", texts, network.ref, ".addressSpace.addressPrefixes")


def _ranges(name: str, texts: tuple[str, ...], ref: Ref, field: str) -> list[Range]:
    return [Range(name, prefix, ref, field) for prefix in map(parse_prefix, texts) if prefix is not None]


def _with_network(services: list[Range], pods: list[Range], network: VirtualNetwork) -> Iterator[Overlap]:
    subnets = [
        Range(f"subnet {subnet.name}", prefix, network.ref, f".subnets[?name=='{subnet.name}'].addressPrefix")
        for subnet in network.subnets
        for prefix in map(parse_prefix, subnet.prefixes)
        if prefix is not None
    ]
    for item in (*services, *pods):
        met = [subnet for subnet in subnets if subnet.prefix.overlaps(item.prefix)]
        for subnet in met:
            yield Overlap(first=item, second=subnet, why="hosts of the subnet cannot be told from the cluster's own")
        for space in _spaces(network) if not met else ():
            if space.prefix.overlaps(item.prefix):
                why = "a subnet that is made there later cannot be told from the cluster's own"
                yield Overlap(first=item, second=space, why=why, certain=False)


def _with_peers(services: list[Range], pods: list[Range], network: VirtualNetwork) -> Iterator[Overlap]:
    for peering in network.virtual_network_peerings:
        name = f"peer {peering.remote_virtual_network.id.rpartition('/')[2] or peering.name}"
        field = f".virtualNetworkPeerings[?name=='{peering.name}'].remoteAddressSpace"
        for prefix in remote(peering):
            for item in (*services, *pods):
                if item.prefix.overlaps(prefix):
                    other = Range(name, prefix, network.ref, field)
                    yield Overlap(first=item, second=other, why="its hosts get no answer from the cluster")


def _with_bridge(managed: ManagedCluster, others: tuple[Range, ...]) -> Iterator[Overlap]:
    """Yield overlaps with the docker bridge, where Azure still says one: nodes with containerd do not have it."""
    text = managed.network_profile.docker_bridge_cidr
    prefix = parse_prefix(text) if text else None
    if prefix is None:
        return
    bridge = Range("docker bridge", prefix, managed.ref, ".networkProfile.dockerBridgeCidr")
    for item in others:
        if item.prefix.overlaps(prefix):
            why = "nodes that still run docker keep these packets (nodes with containerd have no such bridge)"
            yield Overlap(first=bridge, second=item, why=why, certain=False)
