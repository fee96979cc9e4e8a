"""Where a packet is, or comes from: a Pod, a node, or an address that is neither."""

from enum import StrEnum

import msgspec

from aksnav.model.addresses import is_v4, parse_address
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.trace.packet import Packet


class Place(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One end of a stretch of road.

    Attributes:
        pod: set for a Pod.
        node: set for a node, and for a Pod whose node is known.
        address: the address integer that the place has in packets; None for "any address of the internet".
    """

    pod: Pod | None = None
    node: Node | None = None
    address: int | None = None

    @staticmethod
    def of_pod(pod: Pod, node: Node | None) -> "Place":
        """Return the place of a Pod, at its primary address."""
        return Place(pod=pod, node=node, address=parse_address(pod.ip))

    @staticmethod
    def of_node(node: Node) -> "Place":
        """Return the place of a node, at its primary internal address."""
        ips = node.internal_ips
        return Place(node=node, address=parse_address(ips[0]) if ips else None)

    def facing(self, destination: int | None) -> "Place":
        """Return the place with the address that it has in the destination's family, where it has one there.

        A client of two families takes the source address of the destination's (RFC 6724, section 5).
        """
        if destination is None or self.address is None or is_v4(destination) == is_v4(self.address):
            return self
        texts = self.pod.ips if self.pod is not None else self.node.internal_ips if self.node is not None else ()
        numbers = (number for number in map(parse_address, texts) if number is not None)
        found = next((number for number in numbers if is_v4(number) == is_v4(destination)), self.address)
        return msgspec.structs.replace(self, address=found)


class Entry(StrEnum):
    """How a packet came to the Pod's node: straight, or through a load balancer or NodePort with a traffic policy."""

    DIRECT = "direct"
    LOCAL = "local"
    CLUSTER = "cluster"


class Crossing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A connection between two places, as network policies and security groups see it.

    Attributes:
        source, destination: the two ends, after destination translation (the destination is the Pod, not the Service).
        packet: as it arrives: destination and port are the Pod's.
        entry: how it came to the cluster; with CLUSTER the source may have been rewritten to a node's address.
        entry_node: the node that took it from the load balancer, where one is known.
    """

    source: Place
    destination: Place
    packet: Packet
    entry: Entry = Entry.DIRECT
    entry_node: Node | None = None
