"""Peers that are no Pods: nodes, the internet, and the addresses that policies name."""

from collections.abc import Iterator
from itertools import pairwise

from aksnav.model.addresses import Prefix, format_address, parse_address, parse_prefix
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.public import is_public
from aksnav.store.store import Store
from aksnav.trace.cluster.classes import Cuts, cidrs
from aksnav.trace.place import Entry, Place
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.peers import Peers
from aksnav.trace.policy.workloads import Group, Sort

Outsider = tuple[Sort, str, Place, Entry]
ANY_CLIENT = "any address of the internet"
_TRIED = 256
# Documentation addresses stand for clients of the internet (RFC 5737, RFC 3849).
_CLIENTS = tuple(map(parse_address, ("198.51.100.7", "203.0.113.7", "192.0.2.7", "2001:db8::7")))


def of_address(address: int | None) -> Group:
    """Return how an address outside of the cluster is told."""
    if address is None:
        return Group(Sort.INTERNET, "", "", ANY_CLIENT)
    return Group(Sort.ADDRESS, "", "", format_address(address))


def outsiders(store: Store, known: Peers, pod: Pod, direction: Direction) -> Iterator[Outsider]:
    """Yield everybody but Pods who may be at the other end of a Pod's connections.

    Args:
        store: what is known.
        known: the classes of it.
        pod: the Pod.
        direction: INGRESS for those who come, EGRESS for those to whom it goes.
    """
    own = store.nodes.get(pod.node)
    if own is not None:
        yield Sort.NODE, "its own node", Place.of_node(own), Entry.DIRECT
    other = next((node for node in store.nodes if node.name != pod.node and node.internal_ips), None)
    if other is not None:
        yield Sort.NODE, "any other node", Place.of_node(other), Entry.DIRECT
    yield Sort.INTERNET, ANY_CLIENT, Place(), Entry.DIRECT
    if direction is Direction.INGRESS:
        for name in _rewritten(store, pod):
            words = f"{ANY_CLIENT}, through Service {name} (externalTrafficPolicy: Cluster)"
            yield Sort.INTERNET, words, Place(), Entry.CLUSTER
    for name, address in _blocks(store, known, pod, direction):
        yield Sort.BLOCK, name, Place(address=address), Entry.DIRECT


def _rewritten(store: Store, pod: Pod) -> Iterator[str]:
    """Yield the Services that bring clients from outside to a Pod with another source address than their own."""
    for ident in store.services_by_selector.of(pod):
        service = store.services.get(ident)
        outside = service is not None and service.type in {"LoadBalancer", "NodePort"}
        if outside and service is not None and service.external_traffic_policy != "Local":
            yield ident


def _blocks(store: Store, known: Peers, pod: Pod, direction: Direction) -> Iterator[tuple[str, int]]:
    """Yield the address ranges that the Pod's policies name, cut where one of them begins or ends, with an address."""
    texts: set[str] = set()
    for policy in known.speaking(direction, pod):
        for rule in policy.ingress if direction is Direction.INGRESS else policy.egress:
            for peer in rule.peers:
                if peer.ip_block is not None:
                    texts.update((peer.ip_block.cidr, *peer.ip_block.exceptions))
    if known.cilium is not None:
        for cilium in (*store.cilium_policies, *store.cilium_clusterwide_policies):
            if cilium.namespace in {"", pod.namespace}:
                texts.update(cidrs(cilium))
        texts.update(text for group in store.cilium_cidr_groups for text in group.external_cidrs)
    if known.calico is not None:
        texts.update(known.calico.texts)
    prefixes = [prefix for prefix in map(parse_prefix, sorted(texts)) if prefix is not None]
    points = Cuts(prefixes).points
    for first, following in pairwise(points):
        piece = Prefix(first, following - 1)
        address = _someone(store, piece)
        if address is not None and any(address in prefix for prefix in prefixes):
            yield _name(piece), address


def _someone(store: Store, piece: Prefix) -> int | None:
    """Return an address of a range that is no Pod's and no node's, a client of the internet's if there is one."""
    for client in _CLIENTS:
        if client is not None and piece.first <= client <= piece.last:
            return client
    found = None
    for address in range(piece.first, min(piece.last, piece.first + _TRIED) + 1):
        if not any(True for _ in store.pods_at(address)) and not store.nodes_at(address):
            if is_public(address):
                return address
            found = address if found is None or address == piece.first + 1 else found
    return found


def _name(piece: Prefix) -> str:
    """Return a range as a CIDR where it is one."""
    aligned = piece.size & (piece.size - 1) == 0 and piece.first % piece.size == 0
    return str(piece) if aligned else f"{format_address(piece.first)}-{format_address(piece.last)}"
