"""Every address of the virtual networks, and who holds it, as far as the objects say."""

from collections.abc import Iterator

from aksnav.model.addresses import parse_address
from aksnav.model.azure.network import InterfaceConfiguration, NetworkInterface
from aksnav.model.kubernetes.workload import Node
from aksnav.store import Store
from aksnav.trace.addressing.edges import edge_holders
from aksnav.trace.addressing.words import Holder, Sort
from aksnav.trace.azure.joins import subnet_of
from aksnav.trace.memo import once

# Types in the ids of a subnet's ipConfigurations whose resources are not read, or need not be.
_TYPES = {
    "applicationgateways": Sort.APPLICATION_GATEWAY,
    "virtualnetworkgateways": Sort.GATEWAY,
    "azurefirewalls": Sort.FIREWALL,
    "bastionhosts": Sort.BASTION,
    "privateendpoints": Sort.PRIVATE_ENDPOINT,
    "privatelinkservices": Sort.PRIVATE_LINK,
    "loadbalancers": Sort.FRONTEND,
    "networkinterfaces": Sort.INTERFACE,
}
_MACHINES = "/virtualmachines/"
HOLDING_KINDS = (
    "networkInterfaces",
    "loadBalancers",
    "virtualNetworks",
    "routeTables",
    "Node",
    "managedClusters",
    "privateEndpoints",
    "privateLinkServices",
    "applicationGateways",
)
"""Kinds of which an object can hold an address of a virtual network, or say who does."""


def azure_holders(store: Store) -> tuple[Holder, ...]:
    """Return who holds an address of a virtual network, each address once and Pods not counted.

    First come those that have an address, then those that Azure lists in a subnet without one, then those that are
    only pointed at.
    """
    return once(store, "address holders", HOLDING_KINDS, lambda: tuple(_holders(store)))


def _holders(store: Store) -> Iterator[Holder]:
    seen: set[tuple[str, int]] = set()
    known: set[str] = set()
    for holder, config in (*_of_interfaces(store), *_of_frontends(store), *edge_holders(store)):
        known.add(config)
        if holder.address is not None and (holder.subnet, holder.address) not in seen:
            seen.add((holder.subnet, holder.address))
            yield holder
    taken = {address for _, address in seen}
    for holder in _of_nodes(store):
        if holder.address is not None and holder.address not in taken:
            taken.add(holder.address)
            yield holder
    yield from _without_address(store, known)
    for holder in (*_of_routes(store), *_of_dns(store)):
        if holder.address not in taken and holder.address is not None:
            taken.add(holder.address)
            yield holder


def _of_interfaces(store: Store) -> Iterator[tuple[Holder, str]]:
    machines = {node.provider_id.lower().removeprefix("azure://"): node for node in store.nodes if node.provider_id}
    for interface in store.interfaces:
        machine = _machine(interface)
        node = machines.get(machine)
        for index, config in enumerate(interface.ip_configurations):
            yield _of_configuration(interface, index, config, machine, node), config.id


def _machine(interface: NetworkInterface) -> str:
    if interface.virtual_machine is not None and interface.virtual_machine.id:
        return interface.virtual_machine.id
    head, found, _ = interface.id.partition("/networkinterfaces/")
    return head if found and _MACHINES in head else ""


def _of_configuration(
    interface: NetworkInterface, index: int, config: InterfaceConfiguration, machine: str, node: Node | None
) -> Holder:
    sort, name = Sort.INTERFACE, interface.name
    if node is not None:
        # The first of each family is the node's own: the others are kept for its Pods (Azure CNI node subnet).
        first = config.primary or (":" in config.private_ip_address and not _kept(interface, config))
        sort, name = (Sort.NODE if first else Sort.KEPT), node.name
    elif interface.private_endpoint is not None:
        sort, name = Sort.PRIVATE_ENDPOINT, _tail(interface.private_endpoint.arm_id)
    elif interface.private_link_service is not None:
        sort, name = Sort.PRIVATE_LINK, _tail(interface.private_link_service.arm_id)
    elif machine:
        sort, name = Sort.MACHINE, _machine_name(machine)
    return Holder(
        sort=sort,
        name=name,
        ref=interface.ref,
        field=f".ipConfigurations[{index}].privateIPAddress",
        address=parse_address(config.private_ip_address),
        subnet=config.subnet.id if config.subnet is not None else "",
        node=node.name if node is not None else "",
    )


def _kept(interface: NetworkInterface, config: InterfaceConfiguration) -> bool:
    """Return whether an IPv6 configuration is one for Pods: it is not the first one of its interface."""
    first = next((item for item in interface.ip_configurations if ":" in item.private_ip_address), None)
    return first is not config


def _of_frontends(store: Store) -> Iterator[tuple[Holder, str]]:
    for balancer in store.load_balancers:
        for index, frontend in enumerate(balancer.frontend_ip_configurations):
            if frontend.subnet is None:
                continue
            address = parse_address(frontend.private_ip_address)
            services = store.services_at(address) if address is not None else []
            yield (
                Holder(
                    sort=Sort.FRONTEND,
                    name=f"{balancer.name}/{frontend.name}",
                    ref=balancer.ref,
                    field=f".frontendIPConfigurations[{index}].privateIPAddress",
                    address=address,
                    subnet=frontend.subnet.id,
                    note=", ".join(f"Service {item.id}" for item in services),
                ),
                frontend.id,
            )


def _of_nodes(store: Store) -> Iterator[Holder]:
    """Yield the nodes by their own word: their interfaces may not be readable."""
    for node in store.nodes:
        for text in node.internal_ips:
            address = parse_address(text)
            place = subnet_of(store, address) if address is not None else None
            if place is not None:
                yield Holder(
                    sort=Sort.NODE,
                    name=node.name,
                    ref=node.ref,
                    field=".status.addresses[?(@.type=='InternalIP')].address",
                    address=address,
                    subnet=place[1].id,
                    node=node.name,
                )


def _without_address(store: Store, known: set[str]) -> Iterator[Holder]:
    """Yield what Azure lists in a subnet, by the type and name in its id, where the resource itself is not read."""
    for network in store.virtual_networks:
        for subnet in network.subnets:
            for item in subnet.ip_configurations or ():
                if item.id in known:
                    continue
                sort, name = described(item.arm_id)
                yield Holder(
                    sort=sort,
                    name=name,
                    ref=network.ref,
                    field=f".subnets[?name=='{subnet.name}'].ipConfigurations[].id",
                    subnet=subnet.id,
                )


def described(arm_id: str) -> tuple[Sort, str]:
    """Return what a configuration's id is part of: the type and the name of the resource behind ``/providers/``."""
    parts = arm_id.rpartition("/providers/")[2].split("/")
    pairs = [(kind.lower(), name) for kind, name in zip(parts[1::2], parts[2::2], strict=False)]
    for kind, name in reversed(pairs):
        if kind in _TYPES:
            if kind == "networkinterfaces" and ".nic." in name.lower():
                return Sort.PRIVATE_ENDPOINT, name.lower().partition(".nic.")[0]
            return _TYPES[kind], name
    return Sort.OTHER, pairs[0][1] if pairs else arm_id


def _of_routes(store: Store) -> Iterator[Holder]:
    for table in store.route_tables:
        for index, route in enumerate(table.routes):
            address = parse_address(route.next_hop_ip_address)
            place = subnet_of(store, address) if address is not None else None
            if place is None:
                continue
            firewall = place[1].name.lower() == "azurefirewallsubnet"
            yield Holder(
                sort=Sort.FIREWALL if firewall else Sort.APPLIANCE,
                name=f"next hop of route {route.name}",
                ref=table.ref,
                field=f".routes[{index}].nextHopIpAddress",
                address=address,
                subnet=place[1].id,
                pointed_at=True,
            )


def _of_dns(store: Store) -> Iterator[Holder]:
    for network in store.virtual_networks:
        for index, text in enumerate(network.dhcp_options.dns_servers):
            address = parse_address(text)
            place = subnet_of(store, address) if address is not None else None
            if address is not None:
                yield Holder(
                    sort=Sort.DNS,
                    name=f"DNS server of {network.name}",
                    ref=network.ref,
                    field=f".dhcpOptions.dnsServers[{index}]",
                    address=address,
                    subnet=place[1].id if place is not None else "",
                    pointed_at=True,
                )


def _machine_name(arm_id: str) -> str:
    """Return the name of a virtual machine; an instance of a scale set has but a number."""
    head, _, last = arm_id.rpartition("/virtualmachines/" if "/virtualmachines/" in arm_id else "/")
    return f"{_tail(head)} instance {last}" if "/virtualmachinescalesets/" in head else last


def _tail(arm_id: str) -> str:
    return arm_id.rpartition("/")[2]
