"""Address prefixes of security rules: CIDRs, ``*`` and service tags, as far as objects say what a tag holds.

Sources: Azure documentation, "Virtual network service tags", "Network security groups", "Create, change, or delete a
virtual network peering" (access that is switched off takes the peer out of the tag VirtualNetwork), and AKS
documentation, "Limit egress traffic" (a client with a route to Internet of its own is a client of the internet still).
"""

from collections.abc import Iterable

import msgspec

from aksnav.model.addresses import V4_BASE, V4_LAST, Prefix, is_v4, parse_prefix
from aksnav.model.azure.network import Peering, Subnet, VirtualNetwork
from aksnav.model.public import SPECIAL, is_public
from aksnav.store.store import Store
from aksnav.trace.azure import service_tags
from aksnav.trace.azure.joins import pod_prefixes
from aksnav.trace.azure.service_tags import METADATA, PLATFORM
from aksnav.trace.memo import once
from aksnav.trace.readable import unreadable
from aksnav.trace.ternary import Answer, Unknown, some

__all__ = ["CONNECTED", "METADATA", "PLATFORM", "Space", "covers_internet", "is_of_internet", "match", "space"]

_V6_LAST = (1 << 128) - 1
# States that count as peered: aks-networking.md 3.2, point 8.
CONNECTED = "connected"
PEERED = frozenset({CONNECTED, ""})
"""States in which a peering may carry traffic; one that is not said is assumed to (``peering.assumed``)."""
_TO_INTERNET = "internet"


class Space(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the tag VirtualNetwork holds, as seen from one subnet.

    Attributes:
        prefixes: of the network, of its connected peers, and of the overlay's Pods.
        routed: of user-defined routes that lead elsewhere than to the internet: the tag holds them.
        straight: of user-defined routes to the internet: whether the tag holds them is documented nowhere.
        routed_tags: service tags of user-defined routes, whose addresses the tag may hold.
        default_route, default_route_v6: a user-defined route for everything of a family exists: then the tag may hold
            everything of it.
        unsure: why a private address outside of the prefixes may belong to it all the same, else empty.
    """

    prefixes: tuple[Prefix, ...] = ()
    routed: tuple[Prefix, ...] = ()
    straight: tuple[Prefix, ...] = ()
    routed_tags: tuple[str, ...] = ()
    default_route: bool = False
    default_route_v6: bool = False
    unsure: str = ""

    def holds(self, address: int | None, *, v4: bool) -> Answer:
        """Return whether the tag VirtualNetwork holds an address; None is any client of the internet."""
        if address is not None:
            if address == PLATFORM or any(address in prefix for prefix in (*self.prefixes, *self.routed)):
                return True
            if any(address in prefix for prefix in self.straight):
                return Unknown("whether the tag VirtualNetwork holds prefixes of routes to Internet is not documented")
        if self.default_route if v4 else self.default_route_v6:
            return Unknown("a user-defined route for everything may widen the tag VirtualNetwork to every address")
        if address is None:
            return False
        if self.routed_tags and is_public(address):
            widened = some(service_tags.holds(tag, address) for tag in self.routed_tags)
            if widened is not False:
                named = ", ".join(self.routed_tags)
                return Unknown(f"a user-defined route for {named} widens the tag VirtualNetwork by unread addresses")
        if self.unsure and not is_public(address):
            return Unknown(self.unsure)
        return False

    def outside(self, address: int | None) -> Answer:
        """Return whether the tag Internet holds an address: public, and not in the virtual network."""
        if address is None:
            return True
        if not is_public(address) or any(address in prefix for prefix in self.prefixes):
            return False
        if any(address in prefix for prefix in self.routed):
            return Unknown("whether the tag Internet holds a public prefix of a user-defined route is not documented")
        return True


def space(store: Store, network: VirtualNetwork | None, subnet: Subnet | None) -> Space:
    """Return what the tag VirtualNetwork holds for a subnet.

    Overlay Pods are in no document about the tag; with the default rules they do reach each other, so it holds them
    (aks-networking.md, 3.1).
    """
    if network is None:
        why = unreadable(store.virtual_networks) or "the virtual network is not known"
        return Space(prefixes=pod_prefixes(store), unsure=f"what the tag VirtualNetwork holds is not known: {why}")
    name = subnet.id if subnet is not None else network.id
    base = once(
        store, f"space of {name}", ("virtualNetworks", "routeTables"), lambda: _of_network(store, network, subnet)
    )
    own = {*base.prefixes, *pod_prefixes(store)}
    return msgspec.structs.replace(base, prefixes=tuple(sorted(own)))


def _of_network(store: Store, network: VirtualNetwork, subnet: Subnet | None) -> Space:
    texts = list(network.address_space.address_prefixes)
    unsure = "" if texts else f"the address space of {network.name} is not said"
    cut = cut_peerings(network)
    if cut:
        unsure = unsure or f"{cut} is not said"
    for peering in network.virtual_network_peerings:
        if peering.peering_state.lower() in PEERED and peering.allow_virtual_network_access is not False:
            texts += remote_texts(peering)
        if peering.peering_state.lower() == CONNECTED and peering.use_remote_gateways:
            unsure = "the tag VirtualNetwork holds what the peer's gateway learned from on premises, which is not read"
    if any(item.name == "GatewaySubnet" for item in network.subnets):
        unsure = "the tag VirtualNetwork holds what the gateway learned from on premises, which is not read"
    own = {prefix for prefix in map(parse_prefix, texts) if prefix is not None}
    return _with_routes(store, subnet, Space(prefixes=tuple(sorted(own)), unsure=unsure))


def cut_peerings(network: VirtualNetwork) -> str:
    """Return what a network does not tell of its peerings, so that nobody knows where they lead, or an empty string."""
    if "virtualNetworkPeerings" in network.untold:
        return f".virtualNetworkPeerings of virtual network {network.name}"
    for peering in network.virtual_network_peerings:
        if "remoteVirtualNetworkAddressSpace" in peering.untold and peering.peering_state.lower() in PEERED:
            return f".remoteVirtualNetworkAddressSpace of peering {peering.name or '(unnamed)'} of {network.name}"
    return ""


def remote_texts(peering: Peering) -> tuple[str, ...]:
    """Return the prefixes of the other side that a peering makes known; of peered subnets only where it peers those."""
    peered = peering.remote_address_space.address_prefixes
    if not peering.peer_complete_vnets:
        return peered
    return (*peering.remote_virtual_network_address_space.address_prefixes, *peered)


def _with_routes(store: Store, subnet: Subnet | None, inside: Space) -> Space:
    """Return the space with what the user-defined routes of the subnet add to it."""
    if subnet is None or subnet.route_table is None or not subnet.route_table.arm_id:
        return inside
    table = store.route_tables.get(subnet.route_table.id)
    if table is None or "routes" in table.untold:
        why = f"the route table {subnet.route_table.id.rpartition('/')[2]} is not read"
        return msgspec.structs.replace(inside, unsure=inside.unsure or why)
    routed: set[Prefix] = set()
    straight: set[Prefix] = set()
    named: list[str] = []
    whole: set[bool] = set()
    for route in table.routes:
        prefix = parse_prefix(route.address_prefix)
        if prefix is None:
            named.append(route.address_prefix)
        elif prefix.length == 0:
            whole.add(prefix.v4)
        else:
            (straight if route.next_hop_type.lower() == _TO_INTERNET else routed).add(prefix)
    return msgspec.structs.replace(
        inside,
        routed=tuple(sorted(routed)),
        straight=tuple(sorted(straight)),
        routed_tags=tuple(dict.fromkeys(named)),
        default_route=True in whole,
        default_route_v6=False in whole,
    )


def match(texts: Iterable[str], address: int | None, v4: bool, inside: Space) -> Answer:
    """Return whether any of a rule's address prefixes holds an address.

    Args:
        texts: CIDRs, addresses, ``*`` and tags.
        address: the address; None for any client of the internet: then only what holds every client matches.
        v4: family of the packet.
        inside: what the tag VirtualNetwork holds.
    """
    listed = [text for text in texts if text]
    if address is None:
        prefixes = [prefix for prefix in map(parse_prefix, listed) if prefix is not None]
        if covers_internet(prefixes, v4):
            return True
    return some(_one(text, address, v4, inside) for text in listed)


def _one(text: str, address: int | None, v4: bool, inside: Space) -> Answer:
    if text == "*":
        return True
    prefix = parse_prefix(text)
    if prefix is not None:
        return address is not None and address in prefix
    match service_tags.folded(text):
        case "any":
            return True
        case service_tags.INTERNET:
            return inside.outside(address)
        case service_tags.VIRTUAL_NETWORK:
            return inside.holds(address, v4=is_v4(address) if address is not None else v4)
        case _:
            return service_tags.holds(text, address)


def is_of_internet(text: str) -> bool:
    """Return whether a prefix or tag of a rule holds addresses of the internet, and not all of them."""
    prefix = parse_prefix(text)
    if prefix is not None:
        return has_public(prefix)
    tag = service_tags.folded(text)
    fixed = {"*", "any", service_tags.LOAD_BALANCER, *service_tags.COMPUTED, *service_tags.PLATFORM_TAGS}
    return tag not in fixed


def has_public(prefix: Prefix) -> bool:
    """Return whether a prefix holds any public address."""
    ends = is_public(prefix.first) or is_public(prefix.last)
    return ends or not any(special.covers(prefix) for special in SPECIAL)


def covers_internet(prefixes: Iterable[Prefix], v4: bool) -> bool:
    """Return whether prefixes together hold every public address of a family."""
    reach, last = (V4_BASE, V4_LAST) if v4 else (0, _V6_LAST)
    listed = [prefix for prefix in prefixes if is_v4(prefix.first) == v4 or (not v4 and prefix.length == 0)]
    if not listed:
        return False
    padding = [prefix for prefix in SPECIAL if is_v4(prefix.first) == v4]
    for prefix in sorted((*listed, *padding)):
        if prefix.first > reach:
            return False
        reach = max(reach, prefix.last + 1)
    return reach > last
