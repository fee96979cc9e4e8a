"""The security group of a subnet in which no node is: that of a gateway, of a private endpoint.

Source: aks-networking.md 3.1 (a packet that enters asks the subnet's group, one that leaves asks it outbound).
"""

from aksnav.model.azure.network import Subnet, VirtualNetwork
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure import tags
from aksnav.trace.azure.nsg_layers import Layer, groups_at
from aksnav.trace.azure.nsg_rules import INBOUND, OUTBOUND, Context
from aksnav.trace.azure.nsg_steps import Asked, stretch
from aksnav.trace.packet import Packet
from aksnav.trace.step import Step


def into_subnet(
    store: Store, place: tuple[VirtualNetwork, Subnet], packet: Packet, seen: str, *, endpoint: bool = False
) -> list[Step]:
    """Return what the admin rules and the group of a subnet do with a packet that enters it.

    Args:
        store: what is known.
        place: the subnet, with its network.
        packet: as the group sees it.
        seen: why it sees it so, in our own words.
        endpoint: it is for a private endpoint: admin rules do not apply to those.
    """
    context = Context(
        space=tags.space(store, *place),
        source_groups=frozenset() if packet.source is None else groups_at(store, packet.source),
        destination_groups=frozenset(),
    )
    network = None if endpoint else _governed(place)
    return stretch(store, network, (_layer(place[1]),), Asked(INBOUND, packet, seen, context))


def out_of_subnet(store: Store, place: tuple[VirtualNetwork, Subnet], packet: Packet, seen: str) -> list[Step]:
    """Return what the admin rules and the group of a subnet do with a packet that leaves it; arguments as above."""
    context = Context(
        space=tags.space(store, *place),
        source_groups=frozenset(),
        destination_groups=frozenset() if packet.destination is None else groups_at(store, packet.destination),
    )
    return stretch(store, _governed(place), (_layer(place[1]),), Asked(OUTBOUND, packet, seen, context))


def _governed(place: tuple[VirtualNetwork, Subnet]) -> VirtualNetwork | None:
    """Return the network if its admin rules apply to the subnet: to one of Application Gateway they do not."""
    gateway = any("/applicationgateways/" in item.id for item in place[1].ip_configurations or ())
    return None if gateway else place[0]


def _layer(subnet: Subnet) -> Layer:
    return Layer(where=f"subnet {subnet.name}", group=subnet.network_security_group, owner=Ref("subnets", subnet.id))
