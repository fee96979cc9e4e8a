"""Whether the next hop of a route can take a packet at all: there is an appliance, and it forwards; there is a gateway.

Source: Azure documentation, "Virtual network traffic routing", user-defined routes (aks-networking.md 3.2, points 3
and 9): a next hop needs direct connectivity, and an interface that forwards needs IP forwarding.
"""

from aksnav.model.addresses import parse_address
from aksnav.model.azure.network import Subnet, VirtualNetwork
from aksnav.store.store import Store
from aksnav.trace.azure.joins import everybody_read, frontends_at, interface_at, subnet_of
from aksnav.trace.azure.route_candidates import APPLIANCE, GATEWAY, USER, Candidate, peered, prefixes, remote
from aksnav.trace.azure.tags import PEERED
from aksnav.trace.readable import unreadable


def has_gateway(network: VirtualNetwork) -> bool:
    """Return whether a network has a gateway, or uses that of a peer; a subnet for one counts as one."""
    own = any(item.name == "GatewaySubnet" for item in network.subnets)
    return own or any(item.use_remote_gateways for item in network.virtual_network_peerings)


def unreachable(store: Store, network: VirtualNetwork, subnet: Subnet, best: Candidate) -> str:
    """Return why the next hop of a user-defined route cannot take a packet, or an empty string."""
    if best.source != USER or best.route is None:
        return ""
    if best.hop == GATEWAY and not has_gateway(network):
        return f"{network.name} has no gateway, and uses none of a peer"
    if best.hop != APPLIANCE:
        return ""
    text = best.route.next_hop_ip_address
    number = parse_address(text)
    if number is None:
        return f"{text or '(none)'} is no address of a next hop"
    reach = prefixes(network.address_space.address_prefixes)
    unsaid = False
    for peering in network.virtual_network_peerings:
        reach += peered(peering, subnet)
        unsaid = unsaid or (peering.peering_state.lower() in PEERED and not remote(peering))
    if not any(number in prefix for prefix in reach):
        return "" if unsaid else f"{text} is neither in {network.name} nor in a network that is peered with it"
    return _idle(store, number, text)


def _idle(store: Store, number: int, text: str) -> str:
    """Return why nothing forwards at an address of a known network, or an empty string."""
    found = interface_at(store, number)
    if found is not None:
        off = found[0].enable_ip_forwarding is False
        return f"interface {found[0].name} of {text} has IP forwarding off" if off else ""
    if unreadable(store.interfaces) or unreadable(store.load_balancers) or frontends_at(store, number):
        return ""
    firewalls = any(
        subnet.name == "AzureFirewallSubnet" for network in store.virtual_networks for subnet in network.subnets
    )
    known = subnet_of(store, number) is not None
    return f"nothing that is read has {text}" if known and not firewalls and _listed(store, number) else ""


def _listed(store: Store, address: int) -> bool:
    """Return whether what is in the address's own subnet is read, so that its absence says something."""
    place = subnet_of(store, address)
    if place is None or not everybody_read(store, place[1]):
        return False
    return any(
        configuration.subnet is not None and configuration.subnet.id == place[1].id
        for interface in store.interfaces
        for configuration in interface.ip_configurations
    )
