"""Every route that a subnet has, as far as objects say: the user's, the system's, and those that Azure adds.

Sources: Azure documentation, "Virtual network traffic routing", "Virtual network peering", "Manage network policies
for private endpoints" (aks-networking.md 3.2). Routes that a gateway learned are in no object that is read.
"""

import msgspec

from aksnav.model.addresses import Prefix, format_address, parse_address, parse_prefix
from aksnav.model.azure.network import Peering, Route, RouteTable, Subnet, VirtualNetwork
from aksnav.store.store import Store
from aksnav.trace.azure.joins import subnet_by_id
from aksnav.trace.azure.tags import PEERED
from aksnav.trace.memo import once

APPLIANCE, GATEWAY, NONE, INTERNET = "VirtualAppliance", "VirtualNetworkGateway", "None", "Internet"
LOCAL, PEERING, ENDPOINT = "VnetLocal", "VNetPeering", "InterfaceEndpoint"
SERVICE = "VirtualNetworkServiceEndpoint"
USER, SYSTEM = "user", "system"
_HOPS = {name.lower(): name for name in (APPLIANCE, GATEWAY, NONE, INTERNET, LOCAL)}
# What effective routes and the portal call the same thing.
_HOPS |= {"virtualnetwork": LOCAL}
# System routes that drop what is not in the network (aks-networking.md 3.2, point 4).
_RESERVED = tuple(
    prefix
    for prefix in map(parse_prefix, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
    if prefix is not None
)
_EVERYTHING = tuple(prefix for prefix in map(parse_prefix, ("0.0.0.0/0", "::/0")) if prefix is not None)
_READ = ("virtualNetworks", "routeTables", "networkInterfaces", "privateEndpoints")
# Values of privateEndpointNetworkPolicies with which user-defined routes can override a private endpoint's own.
_POLICIES = frozenset({"enabled", "routetableenabled"})


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A route.

    Attributes:
        prefix: what it leads to.
        hop: next hop type, as Azure names it; empty where the type is not one of Azure's.
        source: ``user`` or ``system``.
        name: for people.
        route: the user-defined route.
        override: for a private endpoint: the shortest prefix of a user-defined route that overrides it, as a length;
            0 where none does.
    """

    prefix: Prefix
    hop: str
    source: str
    name: str
    route: Route | None = None
    override: int = 0

    def __str__(self) -> str:
        return f"{self.name} {self.prefix}"


def candidates(store: Store, subnet: Subnet, network: VirtualNetwork, table: RouteTable | None) -> list[Candidate]:
    """Return the routes of a subnet that have a prefix.

    Args:
        store: what is known.
        subnet: whose routes they are.
        network: in which it is.
        table: its route table, None where it has none.
    """
    return once(store, f"routes of {subnet.id}", _READ, lambda: _candidates(store, subnet, network, table))


def _candidates(store: Store, subnet: Subnet, network: VirtualNetwork, table: RouteTable | None) -> list[Candidate]:
    own = [
        Candidate(prefix=prefix, hop=LOCAL, source=SYSTEM, name="the network's own")
        for prefix in prefixes(network.address_space.address_prefixes)
    ]
    for peering in network.virtual_network_peerings:
        own += [
            Candidate(prefix=prefix, hop=PEERING, source=SYSTEM, name=f"peering {peering.name}")
            for prefix in peered(peering, subnet)
        ]
    found = [Candidate(prefix=prefix, hop=INTERNET, source=SYSTEM, name="system") for prefix in _EVERYTHING]
    # A network's own space takes the place of a reserved range that lies in it.
    found += [
        Candidate(prefix=prefix, hop=NONE, source=SYSTEM, name="system")
        for prefix in _RESERVED
        if not any(item.prefix.covers(prefix) for item in own)
    ]
    return [*found, *own, *_endpoints(store, network), *_user_defined(table)]


def _user_defined(table: RouteTable | None) -> list[Candidate]:
    return [
        Candidate(
            prefix=prefix,
            hop=_HOPS.get(route.next_hop_type.lower(), ""),
            source=USER,
            name=f"route {route.name}",
            route=route,
        )
        for route in (table.routes if table is not None else ())
        if (prefix := parse_prefix(route.address_prefix)) is not None
    ]


def tagged(table: RouteTable | None) -> list[Route]:
    """Return the user-defined routes whose prefix is a service tag: how long its prefixes are is not known either."""
    return [
        route for route in (table.routes if table is not None else ()) if parse_prefix(route.address_prefix) is None
    ]


def service_endpoints(subnet: Subnet) -> list[str]:
    """Return the services for which a subnet has a service endpoint: their addresses are routes of their own."""
    return [
        item.service
        for item in subnet.service_endpoints
        if item.service and item.provisioning_state.lower() in {"", "succeeded"}
    ]


def peered(peering: Peering, subnet: Subnet) -> list[Prefix]:
    """Return the prefixes to which a peering is a route from a subnet: what is peered, not what the peer has since.

    Where only subnets are peered, it is a route from those alone.
    """
    if peering.peering_state.lower() not in PEERED:
        return []
    names = {name.lower() for name in peering.local_subnet_names}
    if not peering.peer_complete_vnets and names and subnet.name.lower() not in names:
        return []
    texts = peering.remote_address_space.address_prefixes
    if not texts and peering.peer_complete_vnets:
        texts = peering.remote_virtual_network_address_space.address_prefixes
    return prefixes(texts)


def remote(peering: Peering) -> list[Prefix]:
    """Return the prefixes of the other side of a peering, peered and current."""
    texts = (
        *peering.remote_virtual_network_address_space.address_prefixes,
        *peering.remote_address_space.address_prefixes,
    )
    return list(dict.fromkeys(prefixes(texts)))


def prefixes(texts: tuple[str, ...]) -> list[Prefix]:
    """Return the prefixes in a list of texts."""
    return [prefix for prefix in map(parse_prefix, texts) if prefix is not None]


def _endpoints(store: Store, network: VirtualNetwork) -> list[Candidate]:
    """Return the routes to private endpoints: each is one address, in its own network and in those peered with it."""
    near = {network.id} | {
        peering.remote_virtual_network.id
        for peering in network.virtual_network_peerings
        if peering.peering_state.lower() in PEERED
    }
    listed = once(store, "routes to private endpoints", _READ, lambda: _all_endpoints(store))
    return [candidate for ident, candidate in listed if ident in near]


def _all_endpoints(store: Store) -> list[tuple[str, Candidate]]:
    """Return every route to a private endpoint, with the id of the network in which it is."""
    found: dict[tuple[str, int], Candidate] = {}
    for interface in store.interfaces:
        if interface.private_endpoint is None or not interface.private_endpoint.arm_id:
            continue
        for configuration in interface.ip_configurations:
            place = subnet_by_id(store, configuration.subnet)
            number = parse_address(configuration.private_ip_address)
            if place is not None and number is not None:
                name = f"private endpoint {interface.private_endpoint.arm_id.rpartition('/')[2]}"
                found[place[0].id, number] = _endpoint(number, name, place)
    for endpoint in store.private_endpoints:
        place = subnet_by_id(store, endpoint.subnet)
        texts = [item.private_ip_address for item in endpoint.ip_configurations]
        texts += [text for item in endpoint.custom_dns_configs for text in item.ip_addresses]
        for number in filter(None, map(parse_address, texts)):
            if place is not None:
                found.setdefault((place[0].id, number), _endpoint(number, f"private endpoint {endpoint.name}", place))
    return [(ident, candidate) for (ident, _), candidate in found.items()]


def _endpoint(number: int, name: str, place: tuple[VirtualNetwork, Subnet]) -> Candidate:
    network, subnet = place
    holding = [prefix for prefix in prefixes(network.address_space.address_prefixes) if number in prefix]
    allowed = subnet.private_endpoint_network_policies.lower() in _POLICIES
    whole = parse_prefix(format_address(number)) or Prefix(number, number)
    override = max((prefix.length for prefix in holding), default=0) if allowed else 0
    return Candidate(prefix=whole, hop=ENDPOINT, source=SYSTEM, name=name, override=override)
