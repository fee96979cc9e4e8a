"""Where security groups stand on the way of a packet: at a subnet and at a network interface, and what is not known.

Source: aks-networking.md 3.1 (the chain), 1.6 (the group that AKS puts on its nodes).
"""

import msgspec

from aksnav.model.azure.network import NetworkSecurityGroup, Subnet, SubResource, VirtualNetwork
from aksnav.model.kubernetes.workload import Node
from aksnav.model.object import Ref
from aksnav.model.public import is_public
from aksnav.store.store import Store
from aksnav.trace.azure.joins import Attachment, group_of, group_of_machine, interface_at, subnet_of
from aksnav.trace.azure.service_tags import PLATFORM, PROBE_V6
from aksnav.trace.readable import unreadable


class Layer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One place in the chain where a group may stand.

    Attributes:
        where: subnet or interface, with its name.
        group: the reference to the group; None where there is none.
        found: the group, where the reference is not needed to find it.
        owner: the object that refers to the group.
        blind: why it is not known whether there is a group, else empty.
        assumed: what is taken for granted about the group, else empty.
    """

    where: str
    group: SubResource | None = None
    found: NetworkSecurityGroup | None = None
    owner: Ref | None = None
    blind: str = ""
    assumed: str = ""


def subnet_at(store: Store, address: int | None, at: Attachment) -> tuple[VirtualNetwork | None, Subnet | None]:
    """Return the subnet that an address is in: the Pod subnet where Pods have one, else the node's."""
    found = subnet_of(store, address) if address is not None else None
    return found if found is not None else (at.network, at.subnet)


def groups_at(store: Store, address: int | None) -> frozenset[str] | None:
    """Return the application security groups of the interface that has an address; None where it is not known."""
    if address is not None and (is_public(address) or address in (PLATFORM, PROBE_V6)):
        return frozenset()
    found = interface_at(store, address) if address is not None else None
    if found is None:
        return None
    return frozenset(item.id for item in found[1].application_security_groups)


def groups_of(at: Attachment) -> frozenset[str] | None:
    """Return the application security groups of an interface's configuration; None where it is not known."""
    if at.configuration is None:
        return None
    return frozenset(item.id for item in at.configuration.application_security_groups)


def subnet_layer(store: Store, network: VirtualNetwork | None, subnet: Subnet | None, node: Node) -> Layer:
    """Return the layer of a subnet."""
    if subnet is None or network is None:
        why = unreadable(store.virtual_networks) or f"no known subnet holds the addresses of node {node.name}"
        return Layer(where="subnet", blind=why)
    owner = Ref("subnets", subnet.id)
    return Layer(where=f"subnet {subnet.name}", group=subnet.network_security_group, owner=owner)


def interface_layer(store: Store, at: Attachment, node: Node) -> Layer:
    """Return the layer of a node's network interface."""
    where = f"network interface of {node.name}"
    if at.interface is not None:
        return Layer(where=where, group=at.interface.network_security_group, owner=at.interface.ref)
    group = group_of_machine(store, node)
    if group is not None:
        return Layer(where=where, found=group, owner=node.ref)
    missing = unreadable(store.interfaces)
    own = None if missing else _node_group(store, node)
    if own is not None:
        assumed = f"the interface of node {node.name} has {own.name}, which AKS puts on every node"
        return Layer(where=where, found=own, owner=node.ref, assumed=assumed)
    return Layer(where=where, blind=at.blind or missing)


def _node_group(store: Store, node: Node) -> NetworkSecurityGroup | None:
    """Return the one group that AKS made for its nodes, in their resource group (aks-networking.md 1.6).

    Interfaces of scale sets are in no list of a resource group's interfaces, so a capture made with az lacks them.
    """
    scope = group_of(node.provider_id)
    own = [
        group
        for group in store.security_groups
        if scope and group_of(group.id) == scope and group.name.startswith("aks-agentpool-")
    ]
    return own[0] if len(own) == 1 else None
