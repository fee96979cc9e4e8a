"""Who can talk to a Pod, and to whom it can talk, as far as network policies decide.

Pods that no policy can tell apart are asked once: those of one template in one namespace, and, where an ipBlock is
asked of them, in one piece of the address space.
"""

from collections.abc import Iterator

import msgspec

from aksnav.model.kubernetes.workload import Pod
from aksnav.store.store import Store
from aksnav.trace.cluster import classes
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Place
from aksnav.trace.policy.readings import allows
from aksnav.trace.policy.who import is_public

Key = tuple[object, ...]


class Reach(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One kind of peer, and whether policies let the connection through.

    Attributes:
        peer: the peer in words: ``namespace`` and labels, a node, or the internet.
        example: one of the Pods; None for nodes and the internet.
        count: how many Pods it stands for.
        port, protocol: at the destination.
        allowed: None where it cannot be decided.
    """

    peer: str
    example: Pod | None = None
    count: int = 1
    port: int
    protocol: str
    allowed: bool | None


def incoming(store: Store, pod: Pod, port: int, protocol: str = "TCP") -> tuple[Reach, ...]:
    """Return who can open a connection to a port of a Pod: every kind of Pod, its node, another node, the internet."""
    target = Place.of_pod(pod, store.nodes.get(pod.node))
    packet = Packet(destination=target.address, port=port, protocol=protocol)
    found: list[Reach] = []
    for example, count in _kinds(store, pod):
        source = Place.of_pod(example, store.nodes.get(example.node))
        answer = _ask(store, source, target, packet)
        found.append(
            Reach(peer=_words(example), example=example, count=count, port=port, protocol=protocol, allowed=answer)
        )
    for name, source in _others(store, pod):
        answer = _ask(store, source, target, packet)
        found.append(Reach(peer=name, port=port, protocol=protocol, allowed=answer))
    return tuple(found)


def outgoing(store: Store, pod: Pod) -> tuple[Reach, ...]:
    """Return to which declared ports of other Pods a Pod can open a connection."""
    source = Place.of_pod(pod, store.nodes.get(pod.node))
    found: list[Reach] = []
    for example, count in _kinds(store, pod):
        target = Place.of_pod(example, store.nodes.get(example.node))
        for declared in example.template.ports:
            packet = Packet(destination=target.address, port=declared.port, protocol=declared.protocol)
            found.append(
                Reach(
                    peer=_words(example),
                    example=example,
                    count=count,
                    port=declared.port,
                    protocol=declared.protocol,
                    allowed=_ask(store, source, target, packet),
                )
            )
    return tuple(found)


def _ask(store: Store, source: Place, target: Place, packet: Packet) -> bool | None:
    seen = msgspec.structs.replace(packet, source=source.address)
    return allows(store, Crossing(source=source, destination=target, packet=seen))


def _kinds(store: Store, pod: Pod) -> list[tuple[Pod, int]]:
    """Return one Pod of each kind, with how many there are; the Pod itself is left out."""
    examples: dict[Key, Pod] = {}
    counts: dict[Key, int] = {}
    pieces = classes.cuts(store)
    for other in store.pods:
        if other.finished or other.id == pod.id or not other.ip:
            continue
        host = other.template.host_network
        where = other.node if host else pieces.place(Place.of_pod(other, None).address)
        key: Key = (other.namespace, id(other.template), where)
        examples.setdefault(key, other)
        counts[key] = counts.get(key, 0) + 1
    return sorted(((examples[key], count) for key, count in counts.items()), key=lambda item: item[0].id)


def _others(store: Store, pod: Pod) -> Iterator[tuple[str, Place]]:
    own = store.nodes.get(pod.node)
    if own is not None:
        yield f"its node {own.name}", Place.of_node(own)
    other = next((node for node in store.nodes if node.name != pod.node), None)
    if other is not None:
        yield f"another node ({other.name})", Place.of_node(other)
    target = Place.of_pod(pod, own).address
    if target is None or not is_public(target):
        yield "any client of the internet", Place()


def _words(pod: Pod) -> str:
    return f"{pod.namespace} {pod.labels or '(no labels)'}"
