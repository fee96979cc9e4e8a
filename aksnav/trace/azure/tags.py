"""Address prefixes of security rules: CIDRs, ``*`` and service tags, as far as objects alone say what a tag holds.

Sources: Azure documentation, "Virtual network service tags" and "Network security groups" (aks-networking.md, 3.1).
"""

from collections.abc import Iterable

import msgspec

from aksnav.model.addresses import V4_BASE, V4_LAST, Prefix, format_address, is_v4, parse_address, parse_prefix
from aksnav.model.azure.network import Subnet, VirtualNetwork
from aksnav.store.store import Store
from aksnav.trace.azure.joins import pod_prefixes, unreadable
from aksnav.trace.policy.who import SPECIAL, is_public
from aksnav.trace.ternary import Answer, Unknown, some

PLATFORM = parse_address("168.63.129.16")
METADATA = parse_address("169.254.169.254")
_V6_LAST = (1 << 128) - 1
_PLATFORM_TAGS = {"azureplatformdns": PLATFORM, "azureplatformimds": METADATA, "azureplatformlkm": METADATA}
# States that count as peered: aks-networking.md 3.2, point 8.
CONNECTED = "connected"


class Space(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the tag VirtualNetwork holds, as seen from one subnet.

    Attributes:
        prefixes: of the network, of its connected peers, of user-defined routes, and of the overlay's Pods.
        default_route: a user-defined route for everything exists: then the tag may hold everything.
        unsure: why a private address outside of the prefixes may belong to it all the same, else empty.
    """

    prefixes: tuple[Prefix, ...] = ()
    default_route: bool = False
    unsure: str = ""

    def holds(self, address: int) -> Answer:
        """Return whether the tag VirtualNetwork holds an address."""
        if address == PLATFORM or any(address in prefix for prefix in self.prefixes):
            return True
        if self.default_route:
            return Unknown("a user-defined route for everything may widen the tag VirtualNetwork to every address")
        if self.unsure and not is_public(address):
            return Unknown(self.unsure)
        return False


def space(store: Store, network: VirtualNetwork | None, subnet: Subnet | None) -> Space:
    """Return what the tag VirtualNetwork holds for a subnet.

    Overlay Pods are in no document about the tag; with the default rules they do reach each other, so it holds them
    (aks-networking.md, 3.1).
    """
    if network is None:
        why = unreadable(store.virtual_networks) or "the virtual network is not known"
        return Space(prefixes=pod_prefixes(store), unsure=f"what the tag VirtualNetwork holds is not known: {why}")
    texts = list(network.address_space.address_prefixes)
    unsure = ""
    for peering in network.virtual_network_peerings:
        if peering.peering_state.lower() == CONNECTED:
            texts += peering.remote_virtual_network_address_space.address_prefixes
            texts += peering.remote_address_space.address_prefixes
            if peering.use_remote_gateways:
                unsure = (
                    "the tag VirtualNetwork holds what the peer's gateway learned from on premises, which is not read"
                )
    if any(item.name == "GatewaySubnet" for item in network.subnets):
        unsure = "the tag VirtualNetwork holds what the gateway learned from on premises, which is not read"
    routed, why = _routed(store, subnet)
    found = (
        {prefix for prefix in map(parse_prefix, texts) if prefix is not None} | set(routed) | set(pod_prefixes(store))
    )
    whole = {prefix for prefix in found if prefix.length == 0}
    return Space(prefixes=tuple(sorted(found - whole)), default_route=bool(whole), unsure=unsure or why)


def _routed(store: Store, subnet: Subnet | None) -> tuple[list[Prefix], str]:
    """Return the prefixes of the subnet's user-defined routes, and why they are not known."""
    if subnet is None or subnet.route_table is None:
        return [], ""
    table = store.route_tables.get(subnet.route_table.id)
    if table is None:
        return [], f"the route table {subnet.route_table.id.rpartition('/')[2]} is not read"
    return [
        prefix for prefix in (parse_prefix(route.address_prefix) for route in table.routes) if prefix is not None
    ], ""


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
    return some(_one(text, address, inside) for text in listed)


def _one(text: str, address: int | None, inside: Space) -> Answer:
    if text == "*":
        return True
    prefix = parse_prefix(text)
    if prefix is not None:
        return address is not None and address in prefix
    tag = text.lower().replace("_", "")
    if tag in {"any", "internet"}:
        return True if tag == "any" or address is None else _internet(address, inside)
    if tag == "virtualnetwork":
        return _any_client_in(inside) if address is None else inside.holds(address)
    if tag == "azureloadbalancer":
        return address == PLATFORM
    if tag in _PLATFORM_TAGS:
        return address == _PLATFORM_TAGS[tag]
    # Every other tag names public ranges of one service: never every client, and never a private address.
    if address is None or not is_public(address):
        return False
    return Unknown(f"tag {text}: its prefixes are not read, so whether {format_address(address)} is one is not known")


def is_of_internet(text: str) -> bool:
    """Return whether a prefix or tag of a rule holds addresses of the internet, and not all of them."""
    prefix = parse_prefix(text)
    if prefix is not None:
        return is_public(prefix.first) or is_public(prefix.last)
    tag = text.lower().replace("_", "")
    return tag not in {"*", "any", "internet", "virtualnetwork", "azureloadbalancer", *_PLATFORM_TAGS}


def _any_client_in(inside: Space) -> Answer:
    if inside.default_route:
        return Unknown("a user-defined route for everything may widen the tag VirtualNetwork to every address")
    return False


def _internet(address: int, inside: Space) -> Answer:
    if any(address in prefix for prefix in inside.prefixes):
        return False
    return is_public(address)


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
