"""Between two nodes whose Pods have addresses of the virtual network: user-defined routes on the way there and back.

In an overlay Pods reach each other by Azure's own routing domain, and kubenet has its route table (``kubenet.py``);
elsewhere what goes from one node to another leaves a subnet and obeys its routes (aks-networking.md 3.2, points 1, 2
and 5, and check R13 for the way back).
"""

import msgspec

from aksnav.model.azure.network import Subnet
from aksnav.model.kubernetes.workload import Node
from aksnav.store.store import Store
from aksnav.trace.azure import asymmetry, routes
from aksnav.trace.azure.client_side import judged
from aksnav.trace.azure.joins import attach_node, pod_prefixes, subnet_of
from aksnav.trace.azure.next_hop import USER, next_hop
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Entry, Place
from aksnav.trace.step import Step, Verdict


def between(store: Store, crossing: Crossing, *, fronted: bool = False) -> tuple[Step, ...]:
    """Return the user-defined routes that decide between two nodes; nothing where none does.

    Args:
        store: what is known.
        crossing: of which both ends are Pods or nodes; else there is nothing to be said here.
        fronted: it begins at a gateway outside of the cluster, which is in a subnet of its own.
    """
    taken = crossing.entry_node if crossing.entry is Entry.CLUSTER else None
    here, there = taken or crossing.source.node, crossing.destination.node
    if fronted and here is None and crossing.source.address is not None:
        found = subnet_of(store, crossing.source.address)
        return from_gateway(store, found[1], there, crossing.packet) if found is not None else ()
    if here is None or there is None or here.name == there.name:
        return ()
    packet = crossing.packet
    if taken is not None:
        packet = msgspec.structs.replace(packet, source=_facing(taken, packet.destination))
    ends = (packet.source, packet.destination)
    if None in ends or any(end is not None and end in prefix for end in ends for prefix in pod_prefixes(store)):
        return ()
    subnet, beyond = _subnet(store, here, packet.source), _subnet(store, there, packet.destination)
    if subnet is None or beyond is None or packet.source is None:
        return ()  # the groups on the way have said so
    return _there_and_back(store, subnet, beyond, packet)


def from_gateway(store: Store, subnet: Subnet, node: Node | None, packet: Packet) -> tuple[Step, ...]:
    """Return the user-defined routes that decide between a gateway's subnet and a Pod; nothing where none does.

    Args:
        store: what is known.
        subnet: from which the gateway connects.
        node: of the Pod; None where it is not known.
        packet: from an address of the gateway to the Pod.
    """
    address = packet.destination
    if address is None or packet.source is None or any(address in prefix for prefix in pod_prefixes(store)):
        return ()
    found = subnet_of(store, address)
    beyond = found[1] if found is not None else attach_node(store, node).subnet if node is not None else None
    return _there_and_back(store, subnet, beyond, packet) if beyond is not None else ()


def _there_and_back(store: Store, subnet: Subnet, beyond: Subnet, packet: Packet) -> tuple[Step, ...]:
    there, back = next_hop(store, subnet, packet.destination), next_hop(store, beyond, packet.source)
    steps = [
        routes.unknown_step(place, packet, decision)
        for place, decision in ((subnet, there), (beyond, back))
        if decision.unknown
    ]
    if steps or packet.source is None:
        return tuple(steps) if subnet.id != beyond.id else tuple(steps[:1])
    if there.source == USER:
        steps.append(judged(store, subnet, packet, there))
    answer = msgspec.structs.replace(packet, source=packet.destination, destination=packet.source)
    if back.source == USER and subnet.id != beyond.id:
        step = judged(store, beyond, answer, back)
        steps.append(msgspec.structs.replace(step, summary=f"answers: {step.summary}"))
    ways = asymmetry.compare(store, packet.source, packet.destination, back)
    if ways.fault and steps and all(step.verdict is Verdict.PASS for step in steps):
        steps[-1] = msgspec.structs.replace(
            steps[-1],
            verdict=Verdict.DROP,
            summary=f"{steps[-1].summary}; {ways.fault}",
            cause="R13",
            assumptions=(*steps[-1].assumptions, ways.assumed),
            fix="give both subnets routes through the same appliance, or neither",
        )
    return tuple(steps)


def _facing(node: Node, destination: int | None) -> int | None:
    return Place.of_node(node).facing(destination).address


def _subnet(store: Store, node: Node, address: int | None) -> Subnet | None:
    """Return the subnet that an address is in: the Pods' own where they have one, else the node's."""
    found = subnet_of(store, address) if address is not None else None
    return found[1] if found is not None else attach_node(store, node).subnet
