"""Nodes and Pods between which no rule can tell a difference: one of a class is walked for all of them.

Security rules, routes and policies tell machines apart by subnet, interface group, application security group, label
and address. Two addresses are told apart only by a prefix that holds one and not the other; so all the prefixes that
any rule has cut the address space into pieces, and the class of an address is its piece.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from aksnav.model.addresses import Prefix, parse_address, parse_prefix
from aksnav.model.kubernetes.policy import CiliumNetworkPolicy
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.store.store import Store
from aksnav.trace.azure.joins import attach_node
from aksnav.trace.cluster.named_services import named_endpoints
from aksnav.trace.memo import once, once_at

_RULES = (
    "NetworkPolicy",
    "CiliumNetworkPolicy",
    "CiliumClusterwideNetworkPolicy",
    "CiliumCIDRGroup",
    "CalicoNetworkPolicy",
    "GlobalNetworkPolicy",
    "NetworkSet",
    "GlobalNetworkSet",
    "HostEndpoint",
    "networkSecurityGroups",
    "routeTables",
)
_NODES = (*_RULES, "Node", "networkInterfaces", "virtualNetworks", "managedClusters")
_CIDR = re.compile(r'"([0-9a-fA-F.:]+/[0-9]{1,3}|[0-9.]+)"')

Key = tuple[object, ...]


class Cuts:
    """Where the address space is cut by prefixes: addresses between two cuts are in the same prefixes.

    Attributes:
        points: the cuts, ascending.
    """

    def __init__(self, prefixes: Iterable[Prefix]) -> None:
        self.points = sorted({edge for prefix in prefixes for edge in (prefix.first, prefix.last + 1)})

    def place(self, address: int | None) -> int:
        """Return the number of the piece that an address lies in."""
        return -1 if address is None else bisect_right(self.points, address)


def cuts(store: Store) -> Cuts:
    """Return the cuts that all rules make which are read."""
    state = (*[store.tables[kind].version for kind in _RULES], named_endpoints(store))
    return once_at(store, "cuts", state, lambda: Cuts(_prefixes(store)))


def _prefixes(store: Store) -> Iterator[Prefix]:
    texts: list[str] = []
    for policy in store.network_policies:
        peers = [peer for rule in policy.ingress for peer in rule.peers]
        peers += [peer for rule in policy.egress for peer in rule.peers]
        for peer in peers:
            if peer.ip_block is not None:
                texts += (peer.ip_block.cidr, *peer.ip_block.exceptions)
    for group in store.security_groups:
        for item in (*group.own_rules, *(group.default_security_rules or ())):
            texts += (item.source_address_prefix, *item.source_address_prefixes)
            texts += (item.destination_address_prefix, *item.destination_address_prefixes)
    for table in store.route_tables:
        texts += [route.address_prefix for route in table.routes]
    for cilium in (*store.cilium_policies, *store.cilium_clusterwide_policies):
        texts += cidrs(cilium)
    texts += [text for group in store.cilium_cidr_groups for text in group.external_cidrs]
    texts += calico_texts(store)
    yield from (Prefix(address, address) for _, address, _, _ in named_endpoints(store).found)
    for text in set(texts):
        prefix = parse_prefix(text)
        if prefix is not None:
            yield prefix


def cidrs(policy: CiliumNetworkPolicy) -> list[str]:
    """Return every text in a Cilium policy's rules that may be an address or a block."""
    return _CIDR.findall(msgspec.json.encode(policy.rules).decode())


def calico_texts(store: Store) -> list[str]:
    """Return every address and CIDR that Calico's rules, sets and host endpoints name."""
    texts = [text for row in (*store.calico_policies, *store.calico_global_policies) for text in row.nets]
    texts += [text for row in (*store.network_sets, *store.global_network_sets) for text in row.nets]
    return [*texts, *(text for row in store.host_endpoints for text in row.expected_ips)]


def of_node(store: Store, node: Node) -> Key:
    """Return the class of a node."""
    return of_nodes(store, (node,))[0]


def of_nodes(store: Store, nodes: Sequence[Node]) -> list[Key]:
    """Return the classes of some nodes, in their order."""
    known: dict[str, Key] = once(store, "node classes", _NODES, dict)
    for node in nodes:
        if node.name not in known:
            known[node.name] = _of_node(store, node)
    return [known[node.name] for node in nodes]


def numbers(store: Store, nodes: Sequence[Node]) -> list[int]:
    """Return a number for each of some nodes, in their order: equal for those of one class.

    Comparing thousands of classes costs more than what is asked of the few that there are.
    """
    known: dict[str, int]
    keys: dict[Key, int]
    known, keys = once(store, "node class numbers", _NODES, _no_numbers)
    new = [node for node in nodes if node.name not in known]
    for node, key in zip(new, of_nodes(store, new), strict=True):
        known[node.name] = keys.setdefault(key, len(keys))
    return [known[node.name] for node in nodes]


def _no_numbers() -> tuple[dict[str, int], dict[Key, int]]:
    return {}, {}


def _of_node(store: Store, node: Node) -> Key:
    at = attach_node(store, node)
    configuration = at.configuration
    group = at.interface.network_security_group if at.interface is not None else None
    pieces = cuts(store)
    labels = node.labels if any(True for _ in store.cilium_clusterwide_policies) else None
    return (
        at.subnet.id if at.subnet is not None else "",
        group.id if group is not None else "",
        tuple(item.id for item in configuration.application_security_groups) if configuration is not None else (),
        bool(at.blind),
        # Where the interface is not read, its group may be told by the machine: that of a scale set is one for all.
        node.provider_id.rpartition("/virtualMachines/")[0] if at.interface is None else "",
        node.ready,
        tuple(pieces.place(parse_address(text)) for text in node.internal_ips),
        labels,
    )


def of_pod(store: Store, pod: Pod) -> Key:
    """Return the class of a Pod, its node's class included."""
    node = store.nodes.get(pod.node) if pod.node else None
    pieces = cuts(store)
    return (
        id(pod.template),
        pod.namespace,
        pod.phase,
        pod.ready,
        pod.reason,
        pod.deleting,
        tuple(pieces.place(parse_address(text)) for text in pod.ips),
        of_node(store, node) if node is not None else pod.node,
    )
