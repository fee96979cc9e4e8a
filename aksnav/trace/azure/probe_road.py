"""The road of a health probe: from 168.63.129.16 to each node, past security groups and, at a nodePort, past policies.

A node that the probe does not reach is taken out of rotation (aks-networking.md 2.0, T1, and 2.a, step 6).
"""

import msgspec

from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.store.store import Store
from aksnav.trace import policy
from aksnav.trace.azure import nsg, tags
from aksnav.trace.cluster import classes
from aksnav.trace.cluster.endpoints import pod_of
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Entry, Place
from aksnav.trace.step import Evidence, Step, Verdict


class Blocked(msgspec.Struct, frozen=True, gc=False):
    """What keeps the probe from a node.

    Attributes:
        cause: N04 (a security group) or P07 (a network policy).
        step: the step that drops the probe.
    """

    cause: str
    step: Step

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The fields of the step, each with its object."""
        return tuple(
            fact if fact.subject is not None else msgspec.structs.replace(fact, subject=self.step.subject)
            for fact in self.step.evidence
        )


def blocked(
    store: Store, nodes: tuple[Node, ...], asked: int, service: Service, port: ServicePort
) -> tuple[dict[str, Blocked], tuple[str, ...]]:
    """Return what keeps the probe from nodes, by their names, and what is taken for granted where it may reach one.

    A node that it reaches, or may reach, is left out of the first.

    Args:
        store: what is known.
        nodes: of the pool.
        asked: the port that the probe asks on a node.
        service: whose port it is.
        port: whose nodePort is asked, or not: behind a nodePort the Service's Pods answer, of whatever node.
    """
    found: dict[str, Blocked] = {}
    assumed: list[str] = []
    behind = _endpoints(store, service, port) if asked == port.node_port else []
    homes = {pod.node for pod, _ in behind}
    groups: dict[int | str, list[Node]] = {}
    for node, number in zip(nodes, classes.numbers(store, nodes), strict=True):
        groups.setdefault(node.name if node.name in homes else number, []).append(node)
    for group in groups.values():
        answer, missing = _filtered(store, group[0], asked)
        if answer is None and behind:
            answer, unread = _denied(store, group[0], behind)
            missing = missing or unread
        if answer is not None:
            found |= dict.fromkeys((node.name for node in group), answer)
        elif missing:
            assumed.append(f"the probe reaches port {asked} of node {group[0].name} and those like it: {missing}")
    return found, tuple(assumed)


def _filtered(store: Store, node: Node, port: int) -> tuple[Blocked | None, str]:
    packet = Packet(source=tags.PLATFORM, port=port)
    steps = nsg.into_node(store, node, packet)
    drop = next((item for item in steps if item.verdict is Verdict.DROP), None)
    if drop is not None:
        return Blocked("N04", drop), ""
    return None, next((item.missing for item in steps if item.verdict is Verdict.BLIND), "")


def _endpoints(store: Store, service: Service, port: ServicePort) -> list[tuple[Pod, int]]:
    """Return one ready Pod of the Service, with its port, for each class that policies can tell apart."""
    found: dict[tuple[object, ...], tuple[Pod, int]] = {}
    for piece in store.slices_of(service.id):
        number = next((item.port for item in piece.ports or () if item.name == port.name), None)
        for endpoint in piece.endpoints:
            pod = pod_of(store, piece, endpoint) if endpoint.ready else None
            if pod is not None and number is not None:
                found.setdefault((*classes.of_pod(store, pod), pod.node), (pod, number))
    return list(found.values())


def _denied(store: Store, node: Node, behind: list[tuple[Pod, int]]) -> tuple[Blocked | None, str]:
    """Return the policy step where no Pod of the Service takes the probe from a node, or why that is not known."""
    drop: Step | None = None
    unsure = ""
    for pod, number in behind:
        crossing = Crossing(
            source=Place(address=tags.PLATFORM),
            destination=Place.of_pod(pod, store.nodes.get(pod.node)),
            packet=Packet(source=tags.PLATFORM, port=number),
            entry=Entry.CLUSTER,
            entry_node=node,
        )
        answer = policy.allows(store, crossing)
        if answer:
            return None, ""
        if answer is None:
            unsure = unsure or f"what policies make of it at Pod {pod.id} is not known"
        else:
            drop = drop or policy.judge(store, crossing)[-1]
    return (None, unsure) if unsure or drop is None else (Blocked("P07", drop), "")
