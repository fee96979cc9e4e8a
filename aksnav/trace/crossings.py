"""Between two places: what filters a packet there, and which endpoints are alike to every filter."""

from aksnav.model.addresses import format_address
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Pod
from aksnav.trace import policy
from aksnav.trace.azure import across, egress, kubenet, nsg
from aksnav.trace.cluster import classes
from aksnav.trace.cluster.endpoints import Chosen
from aksnav.trace.cluster.pod import ref_of
from aksnav.trace.cluster.service import Via
from aksnav.trace.journey import Journey, Road, Walk, ended
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Place
from aksnav.trace.routing import controllers
from aksnav.trace.step import Evidence, Kind, Step, Verdict
from aksnav.trace.verdict import DESTINATION_FIELD


def leaving(walk: Walk, journey: Journey, packet: Packet) -> Road:
    """Return what security groups and policies do with a packet that leaves for an address that is no Pod's."""
    if journey.source.pod is None and journey.source.node is None:
        return ()
    nodes = walk.store.nodes_at(packet.destination) if packet.destination is not None else []
    crossing = Crossing(
        source=journey.source,
        destination=Place(node=nodes[0] if nodes else None, address=packet.destination),
        packet=packet,
    )
    return (*policy.judge(walk.store, crossing), *nsg.between(walk.store, crossing))


def departing(walk: Walk, journey: Journey, packet: Packet) -> Road:
    """Return the way out of the cluster: policies, the node's own address, security groups, next hop and beyond.

    Args:
        walk: with the store.
        journey: of a Pod or a node; what starts elsewhere departs from nowhere.
        packet: to an address that is no Pod's, node's or Service's.
    """
    node = journey.source.node
    road = leaving(walk, journey, packet)
    if node is None or ended(road):
        return road
    translated, sent = egress.hidden(walk.store, node, packet)
    policies = tuple(step for step in road if step.kind is Kind.POLICY)
    rest = tuple(step for step in road if step.kind is not Kind.POLICY)
    return (*policies, *translated, *rest, *egress.routed(walk.store, node, sent))


def filters(walk: Walk, journey: Journey, crossing: Crossing, pod: Pod) -> Road:
    """Return what security groups, the routes of kubenet and policies do on the way to a Pod."""
    if journey.controller is not None and journey.source.pod is None and journey.source.address is None:
        missing = f"the subnet of {journey.controller.label}, which is the source that rules and policies see"
        return (
            Step(
                kind=Kind.POLICY,
                verdict=Verdict.UNSUPPORTED,
                summary=f"from which address {journey.controller.label} connects to Pod {pod.id} is not read",
                subject=ref_of(pod),
                packet=crossing.packet,
                missing=missing,
            ),
        )
    # Behind the node that took it from outside the packet is where it is: its groups have been asked already.
    arrived = journey.entry_node is not None and journey.entry_node.name == pod.node
    between = (
        ()
        if arrived
        else (
            *nsg.between(walk.store, crossing),
            *kubenet.between(walk.store, crossing),
            *across.between(walk.store, crossing, fronted=journey.controller is not None),
        )
    )
    return (*between, *policy.judge(walk.store, crossing))


def groups(walk: Walk, journey: Journey, service: Service, chosen: tuple[Chosen, ...], via: Via) -> list[list[Chosen]]:
    """Return the endpoints in groups between which nothing can decide; the Pods of a proxy each on its own.

    A proxy's Pod is where another connection begins: which of its backends are on its own node decides behind it.
    """
    if len(chosen) == 1 or controllers.of_pods(walk.store, (), service):
        return [[item] for item in chosen]
    here = {place.name for place in (via.node, journey.source.node, journey.entry_node) if place is not None}
    groups: dict[tuple[object, ...], list[Chosen]] = {}
    for item in chosen:
        if item.pod is None or item.node in here:
            key: tuple[object, ...] = (item.address, item.port)
            if item.pod is not None:
                key = (*classes.of_pod(walk.store, item.pod), item.node, item.port)
        else:
            key = (*classes.of_pod(walk.store, item.pod), item.port)
        groups.setdefault(key, []).append(item)
    return list(groups.values())


def places(others: list[Chosen]) -> tuple[Evidence, ...]:
    """Return endpoints as facts of a DELIVER step."""
    return tuple(
        Evidence(DESTINATION_FIELD, format_address(item.address), ref_of(item.pod))
        for item in others
        if item.pod is not None
    )
