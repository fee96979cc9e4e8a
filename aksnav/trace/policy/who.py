"""The other end of a connection as a policy engine sees it, and the ways in which an engine may see it."""

from enum import StrEnum

import msgspec

from aksnav.model.addresses import format_address, is_v4, parse_address
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.model.labels import EMPTY, Labels
from aksnav.model.public import is_public
from aksnav.store.store import Store
from aksnav.trace.cluster.hidden import hidden
from aksnav.trace.place import Crossing, Entry, Place
from aksnav.trace.policy.engines import Engine


class Sort(StrEnum):
    """What the other end is."""

    POD = "pod"
    OWN_NODE = "own-node"
    OTHER_NODE = "other-node"
    ADDRESS = "address"
    ANY_CLIENT = "any-client"


class Who(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The other end of a connection.

    Attributes:
        sort: what it is; OWN_NODE is the node on which the judged Pod runs.
        namespace, labels, service_account: of a Pod.
        address: as the engine sees it; None for ANY_CLIENT.
        v4: family of the connection.
        unsure: why an address may be a Pod's or a node's without our knowing it, else empty.
        name: for people.
    """

    sort: Sort
    namespace: str = ""
    labels: Labels = EMPTY
    service_account: str = ""
    address: int | None = None
    v4: bool = True
    unsure: str = ""
    name: str = ""

    @property
    def label(self) -> str:
        """What it is, in words that hold for every Pod of its class."""
        return (
            f"a Pod of {self.namespace} with labels {self.labels or '(none)'}" if self.sort is Sort.POD else self.name
        )

    @property
    def in_cluster(self) -> bool:
        """Whether it is a Pod or a node of the cluster."""
        return self.sort in {Sort.POD, Sort.OWN_NODE, Sort.OTHER_NODE}


class View(msgspec.Struct, frozen=True, gc=False):
    """One way in which an engine may see a connection: who is at the other end, and why it sees it so."""

    who: Who
    why: str = ""


def who(store: Store, place: Place, judged: Pod, address: int | None, v4: bool) -> Who:
    """Return the other end of a connection of a Pod.

    A Pod with hostNetwork has its node's address and identity, so it is its node here (engines.md, "hostNetwork pods").

    Args:
        store: what is known.
        place: the other end.
        judged: the Pod whose policies are asked.
        address: its address in the packet, if it has one.
        v4: family of the connection.
    """
    pod, node = place.pod, place.node
    if pod is None and node is None and address is not None:
        pod = next(
            (item for item in store.pods_at(address) if not item.finished and not item.template.host_network), None
        )
        node = next(iter(store.nodes_at(address)), None) if pod is None else None
    if pod is not None and not pod.template.host_network:
        return Who(
            sort=Sort.POD,
            namespace=pod.namespace,
            labels=pod.labels,
            service_account=pod.template.service_account,
            address=address if address is not None else _address(pod.ips, v4),
            v4=v4,
            name=f"Pod {pod.id}",
        )
    name = node.name if node is not None else pod.node if pod is not None else ""
    if name:
        ips = node.internal_ips if node is not None else pod.ips if pod is not None else ()
        return of_node(name, ips, judged, v4, address)
    if address is None:
        return Who(sort=Sort.ANY_CLIENT, v4=v4, name="any client of the internet")
    unsure = "" if is_public(address) else hidden(store.pods) or hidden(store.nodes)
    return Who(sort=Sort.ADDRESS, address=address, v4=v4, unsure=unsure, name=format_address(address))


def of_node(name: str, ips: tuple[str, ...], judged: Pod, v4: bool, address: int | None = None) -> Who:
    """Return a node as the other end."""
    return Who(
        sort=Sort.OWN_NODE if name == judged.node else Sort.OTHER_NODE,
        address=address if address is not None else _address(ips, v4),
        v4=v4,
        name=f"node {name}",
    )


def family(crossing: Crossing, judged: Pod) -> bool:
    """Return whether the connection is IPv4."""
    packet = crossing.packet
    for address in (packet.destination, packet.source, parse_address(judged.ip)):
        if address is not None:
            return is_v4(address)
    return True


def sources(store: Store, engine: Engine, crossing: Crossing, judged: Pod) -> tuple[View, ...]:
    """Return how the destination's engine may see the source (aks-networking.md, table T3).

    Several views are several possibilities that cannot be told apart from what is known.
    """
    v4 = family(crossing, judged)
    original = who(store, crossing.source, judged, _source_address(crossing), v4)
    if crossing.entry is not Entry.CLUSTER or engine is Engine.AZURE or original.sort is Sort.OWN_NODE:
        return (View(original),)
    entry = crossing.entry_node
    client = View(
        original, "backend on the node that took the packet: the client's address is kept until policy has run"
    )
    if entry is None:
        rewritten = Who(sort=Sort.OTHER_NODE, address=None, v4=v4, name="the node that takes the packet")
        return (
            client,
            View(rewritten, "externalTrafficPolicy Cluster: the source is rewritten to the entry node's address"),
        )
    node = of_node(entry.name, entry.internal_ips, judged, v4)
    if node.sort is Sort.OTHER_NODE:
        return (View(node, "externalTrafficPolicy Cluster: the source is rewritten to the entry node's address"),)
    if engine is Engine.CILIUM:
        return (client,)
    masqueraded = View(node, "externalTrafficPolicy Cluster: kube-proxy masquerades to the node's own address")
    return (client, masqueraded)


def destination(store: Store, crossing: Crossing, judged: Pod) -> View:
    """Return the destination as the source Pod's engine sees it: after destination translation."""
    return View(who(store, crossing.destination, judged, crossing.packet.destination, family(crossing, judged)))


def _source_address(crossing: Crossing) -> int | None:
    """Return the client's own address: the packet's may be rewritten already where the entry is CLUSTER."""
    place, packet = crossing.source, crossing.packet
    if crossing.entry is Entry.CLUSTER and place.address is not None:
        return place.address
    if crossing.entry is Entry.CLUSTER and _is_node(crossing.entry_node, packet.source):
        return place.address
    return packet.source if packet.source is not None else place.address


def _is_node(node: Node | None, address: int | None) -> bool:
    return node is not None and address is not None and address in map(parse_address, node.internal_ips)


def _address(ips: tuple[str, ...], v4: bool) -> int | None:
    numbers = [number for number in map(parse_address, ips) if number is not None]
    return next((number for number in numbers if is_v4(number) == v4), numbers[0] if numbers else None)
