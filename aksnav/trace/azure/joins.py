"""Joins between the planes: a node and its interface, subnet and security groups; an address and its frontend."""

import re
from typing import Any

import msgspec

from aksnav.model.addresses import Prefix, format_address, parse_address, parse_prefix
from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.azure.network import (
    Frontend,
    InterfaceConfiguration,
    LoadBalancer,
    NetworkInterface,
    NetworkSecurityGroup,
    PublicIPAddress,
    Subnet,
    SubResource,
    VirtualNetwork,
)
from aksnav.model.kubernetes.workload import Node
from aksnav.store.store import Store
from aksnav.store.table import Table
from aksnav.trace.memo import once
from aksnav.trace.readable import unreadable

_OF_CONFIGURATION = re.compile(r"/[a-z]*ipconfigurations/")
_PROVIDER = re.compile(r"^azure://(/subscriptions/[^/]+/resourcegroups/[^/]+)/", re.IGNORECASE)
_AGC = "microsoft.servicenetworking/trafficcontrollers"
_GROUP = re.compile(r"^(/subscriptions/[^/]+/resourcegroups/[^/]+)/", re.IGNORECASE)


class Attachment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a node or an address is attached to the network; what is None is not known.

    Attributes:
        interface: the network interface (None also where only the subnet is known).
        configuration: the interface's configuration that has the address.
        network, subnet: where it is.
        blind: why the interface cannot be told, empty where it is known.
    """

    interface: NetworkInterface | None = None
    configuration: InterfaceConfiguration | None = None
    network: VirtualNetwork | None = None
    subnet: Subnet | None = None
    blind: str = ""


def group_of(arm_id: str) -> str:
    """Return the resource group scope of an ARM id or a provider id in lower case, or an empty string."""
    found = _PROVIDER.match(arm_id) or _GROUP.match(arm_id)
    return found[1].lower() if found else ""


def cluster(store: Store) -> ManagedCluster | None:
    """Return the managed cluster that is looked at.

    The only one that is known, or the one whose node resource group holds the nodes; None where that is not clear.
    """
    return once(store, "cluster", ("managedClusters", "Node"), lambda: _cluster(store))


def _cluster(store: Store) -> ManagedCluster | None:
    known = list(store.clusters)
    if len(known) <= 1:
        return known[0] if known else None
    groups = {group_of(node.provider_id).rpartition("/")[2] for node in store.nodes}
    fitting = [item for item in known if item.node_resource_group.lower() in groups]
    return fitting[0] if len(fitting) == 1 else None


def pod_prefixes(store: Store) -> tuple[Prefix, ...]:
    """Return the Pod CIDRs of an overlay or kubenet cluster: of the cluster, else those of its nodes."""
    return once(store, "pod prefixes", ("managedClusters", "Node"), lambda: _pod_prefixes(store))


def _pod_prefixes(store: Store) -> tuple[Prefix, ...]:
    managed = cluster(store)
    texts: list[str] = []
    if managed is not None:
        profile = managed.network_profile
        texts = [*profile.pod_cidrs, *([profile.pod_cidr] if profile.pod_cidr else [])]
    if texts:
        return tuple(sorted({prefix for prefix in map(parse_prefix, texts) if prefix is not None}))
    of_nodes = (parse_prefix(cidr) for node in store.nodes for cidr in node.pod_cidrs)
    return _joined({prefix for prefix in of_nodes if prefix is not None})


def _joined(prefixes: set[Prefix]) -> tuple[Prefix, ...]:
    """Return the same addresses in as few blocks as there can be: thousands of nodes have theirs side by side."""
    out: list[Prefix] = []
    for prefix in sorted(prefixes, key=lambda item: (item.first, -item.last)):
        if out and out[-1].covers(prefix):
            continue
        out.append(prefix)
        while len(out) > 1 and _halves(out[-2], out[-1]):
            last = out.pop().last
            out[-1] = Prefix(out[-1].first, last)
    return tuple(out)


def _halves(low: Prefix, high: Prefix) -> bool:
    """Return whether two blocks are the halves of one."""
    aligned = low.first % (2 * low.size) == 0
    return aligned and low.size == high.size and low.last + 1 == high.first and low.v4 == high.v4


class _Index:
    """Addresses and ids of the Azure objects of a store, at one version of their tables."""

    def __init__(self, store: Store) -> None:
        self.interfaces: dict[int | None, tuple[NetworkInterface, InterfaceConfiguration]] = {}
        self.machines: dict[str, NetworkInterface] = {}
        for interface in store.interfaces:
            for configuration in interface.ip_configurations:
                address = parse_address(configuration.private_ip_address)
                self.interfaces.setdefault(address, (interface, configuration))
            machine = (
                interface.virtual_machine.id if interface.virtual_machine is not None else _machine_of(interface.id)
            )
            if machine and (machine not in self.machines or interface.primary):
                self.machines[machine] = interface
        self.subnets = [
            (network, subnet, prefix)
            for network in store.virtual_networks
            for subnet in network.subnets
            for prefix in map(parse_prefix, subnet.prefixes)
            if prefix is not None
        ]
        self.public_ips = {parse_address(item.ip_address): item for item in store.public_ips if item.ip_address}
        self.groups_of_machines = {
            _machine_of(item.id): group for group in store.security_groups for item in group.network_interfaces
        }


def _machine_of(interface: str) -> str:
    """Return the virtual machine in the id of a scale set's interface, or an empty string."""
    head, found, _ = interface.partition("/networkinterfaces/")
    return head if found and "/virtualmachines/" in head else ""


_INDEXED = ("networkInterfaces", "virtualNetworks", "publicIPAddresses", "networkSecurityGroups")


def _index(store: Store) -> _Index:
    return once(store, "azure index", _INDEXED, lambda: _Index(store))


def subnet_by_id(store: Store, reference: SubResource | None) -> tuple[VirtualNetwork, Subnet] | None:
    """Return the subnet that a reference names, with its network."""
    if reference is None or not reference.arm_id:
        return None
    network = store.virtual_networks.get(reference.id.partition("/subnets/")[0])
    if network is None:
        return None
    return next(((network, subnet) for subnet in network.subnets if subnet.id == reference.id), None)


def subnet_of(store: Store, address: int) -> tuple[VirtualNetwork, Subnet] | None:
    """Return the subnet whose prefix holds an address: in the network of the nodes first, as ranges may repeat."""
    found = [(network, subnet) for network, subnet, prefix in _index(store).subnets if address in prefix]
    if len(found) <= 1:
        return found[0] if found else None
    home = node_networks(store)
    return next((pair for pair in found if pair[0].id in home), found[0])


def is_gateway_subnet(subnet: Subnet) -> bool:
    """Return whether a subnet is an Application Gateway's, or delegated to Application Gateway for Containers."""
    delegated = any(item.service_name.lower() == _AGC for item in subnet.delegations)
    return delegated or any("/applicationgateways/" in item.id for item in subnet.ip_configurations or ())


def node_networks(store: Store) -> set[str]:
    """Return the ids of the networks in which the cluster's nodes are."""
    return once(store, "node networks", ("managedClusters", "Node", "networkInterfaces"), lambda: _networks(store))


def _networks(store: Store) -> set[str]:
    managed = cluster(store)
    if managed is not None:
        named = {pool.vnet_subnet_id.lower().partition("/subnets/")[0] for pool in managed.agent_pool_profiles}
        if named := named - {""}:
            return named
    return {
        configuration.subnet.id.partition("/subnets/")[0]
        for interface in store.interfaces
        for configuration in interface.ip_configurations
        if configuration.subnet is not None
    }


def interface_at(store: Store, address: int) -> tuple[NetworkInterface, InterfaceConfiguration] | None:
    """Return the interface that has an address, with the configuration that has it."""
    return _index(store).interfaces.get(address)


def everybody_read(store: Store, subnet: Subnet) -> bool:
    """Return whether everything that a subnet lists is read, so that an address that none of it has is nobody's."""
    tables: tuple[Table[Any], ...] = (store.interfaces, store.load_balancers, store.application_gateways)
    owners = (_OF_CONFIGURATION.split(item.id)[0] for item in subnet.ip_configurations or ())
    return all(any(owner in table for table in tables) for owner in owners)


def group_of_machine(store: Store, node: Node) -> NetworkSecurityGroup | None:
    """Return the security group that names an interface of a node's virtual machine, where the interface is not read.

    Interfaces of scale sets are not in the list of a resource group's interfaces, but their security group names them.
    """
    machine = node.provider_id.lower().removeprefix("azure://")
    return _index(store).groups_of_machines.get(machine) if machine else None


def attach(store: Store, address: int) -> Attachment:
    """Return where an address of the virtual network is attached."""
    at = interface_at(store, address)
    if at is not None:
        place = subnet_by_id(store, at[1].subnet)
        network, subnet = place if place is not None else (None, None)
        return Attachment(interface=at[0], configuration=at[1], network=network, subnet=subnet)
    place = subnet_of(store, address)
    network, subnet = place if place is not None else (None, None)
    why = unreadable(store.interfaces) or f"no network interface has the address {format_address(address)}"
    return Attachment(network=network, subnet=subnet, blind=why)


def attach_node(store: Store, node: Node) -> Attachment:
    """Return where a node is attached: by its addresses, in the order in which it lists them."""
    machine = _index(store).machines.get(node.provider_id.lower().removeprefix("azure://"))
    if machine is not None and machine.ip_configurations:
        first = next((item for item in machine.ip_configurations if item.primary), machine.ip_configurations[0])
        place = subnet_by_id(store, first.subnet)
        network, subnet = place if place is not None else (None, None)
        return Attachment(interface=machine, configuration=first, network=network, subnet=subnet)
    last = Attachment(blind=f"node {node.name} has no internal address")
    for text in node.internal_ips:
        address = parse_address(text)
        if address is None:
            continue
        found = attach(store, address)
        if found.interface is not None:
            return found
        last = found if last.subnet is None else last
    return last


def public_ip_at(store: Store, address: int) -> PublicIPAddress | None:
    """Return the public address resource that has an address."""
    return _index(store).public_ips.get(address)


def frontends_at(store: Store, address: int) -> list[tuple[LoadBalancer, Frontend]]:
    """Return the frontends that answer at an address, public or private, with their load balancers."""
    public = public_ip_at(store, address)
    return [
        (balancer, frontend)
        for balancer in store.load_balancers
        for frontend in balancer.frontend_ip_configurations
        if (frontend.private_ip_address and parse_address(frontend.private_ip_address) == address)
        or (
            public is not None and frontend.public_ip_address is not None and frontend.public_ip_address.id == public.id
        )
    ]
