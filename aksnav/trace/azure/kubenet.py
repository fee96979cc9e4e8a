"""The route between the nodes of a kubenet cluster: Pods have addresses that only the route table knows.

Source: AKS documentation, "Use kubenet networking": each node's Pod range is a user-defined route to the node
(aks-networking.md 1.2 and check R03). In every other model the network itself knows the Pods, or the node does.
"""

import msgspec

from aksnav.model.addresses import format_address
from aksnav.model.azure.network import Subnet
from aksnav.model.kubernetes.workload import Node
from aksnav.store.store import Store
from aksnav.trace.azure import routes
from aksnav.trace.azure.commands import routes_of
from aksnav.trace.azure.joins import attach_node, subnet_of
from aksnav.trace.azure.network_model import NetworkModel, network_model
from aksnav.trace.azure.next_hop import APPLIANCE, next_hop
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Entry
from aksnav.trace.step import Kind, Step, Verdict

_IN_FRONT = "ask through a Service of type LoadBalancer or an ingress"


class Lost(msgspec.Struct, frozen=True, gc=False):
    """What it means where the next hop is not the Pod's node: check id, what is added to the summary, and the fix."""

    cause: str
    why: str
    fix: str


def between(store: Store, crossing: Crossing) -> tuple[Step, ...]:
    """Return what the route table makes of a packet from one node to a Pod of another; nothing where none is needed."""
    if network_model(store).model is not NetworkModel.KUBENET:
        return ()
    taken = crossing.entry_node if crossing.entry is Entry.CLUSTER else None
    here, there, pod = taken or crossing.source.node, crossing.destination.node, crossing.destination.pod
    if here is None or there is None or pod is None or here.name == there.name or pod.template.host_network:
        return ()
    subnet = attach_node(store, here).subnet
    address = crossing.packet.destination
    if subnet is None or address is None:
        return ()
    pods = ", ".join(there.pod_cidrs) or format_address(address)
    lost = Lost(
        "R03",
        f", and Pod {pod.id} is on node {there.name}",
        f"associate the cluster's route table with subnet {subnet.name}, with a route for {pods} to "
        f"{', '.join(there.internal_ips)}",
    )
    return _to_node(store, subnet, there, crossing.packet, lost, f"Pod {pod.id}")


def from_network(store: Store, source: int | None, node: Node, packet: Packet) -> tuple[Step, ...]:
    """Return what the routes of a client's own subnet make of a packet to a Pod's address; nothing in other models.

    The virtual network does not hold the Pods' range, so a peer or a site knows nothing of it: only a subnet with the
    cluster's route table (or routes like those) leads to Pods.

    Args:
        store: what is known.
        source: address of a client outside of the cluster; None for any.
        node: that the Pod runs on.
        packet: to the Pod.
    """
    if network_model(store).model is not NetworkModel.KUBENET or packet.destination is None:
        return ()
    found = subnet_of(store, source) if source is not None else None
    text = format_address(packet.destination)
    if found is None:
        who = format_address(source) if source is not None else "the client"
        missing = f"the subnet of {who}, and its routes to the range of node {node.name}"
        return (_blind(node, packet, f"whether a route leads from {who} to {text} is not known", missing, _IN_FRONT),)
    lost = Lost(
        "R11",
        f": no route of subnet {found[1].name} leads to the Pods of node {node.name}",
        f"{_IN_FRONT}; Pods of kubenet have no address outside",
    )
    return _to_node(store, found[1], node, packet, lost, text)


def _to_node(store: Store, subnet: Subnet, node: Node, packet: Packet, lost: Lost, what: str) -> tuple[Step, ...]:
    """Return the route of a subnet to what is on a node: it passes where the next hop is that node."""
    if packet.destination is None:
        return ()
    decision = next_hop(store, subnet, packet.destination)
    if decision.unknown:
        summary = f"the route from subnet {subnet.name} to {what} is not known"
        fix = "grant Reader on the virtual network and its route tables"
        return (_blind(node, packet, summary, decision.unknown, fix),)
    step = routes.forward_step(store, subnet, packet, decision)
    if decision.hop == APPLIANCE and decision.address in node.internal_ips:
        return (step,)
    return (
        msgspec.structs.replace(
            step, verdict=Verdict.DROP, cause=lost.cause, summary=f"{step.summary}{lost.why}", fix=lost.fix
        ),
    )


def _blind(node: Node, packet: Packet, summary: str, missing: str, fix: str) -> Step:
    return Step(
        kind=Kind.ROUTE,
        verdict=Verdict.BLIND,
        summary=summary,
        subject=node.ref,
        packet=packet,
        missing=missing,
        confirm=routes_of(""),
        fix=fix,
    )
