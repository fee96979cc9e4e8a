"""What nodes of a pool need, by network model: from Microsoft's planning formulas.

Sources: AKS documentation, concepts-network-ip-address-planning.md, "IP address sizing": (nodes + surge) + (nodes +
surge) x maxPods in one subnet; concepts-network-azure-cni-pod-subnet.md, "Plan IP addressing": 16 at a time, or /28
blocks; concepts-network-azure-cni-overlay.md, "Pods": a /24 for each node; upgrade-aks-node-pools-rolling.md,
"Customize node surge": a percentage of the pool's nodes, rounded up, and never more than there are nodes.
"""

from collections.abc import Iterator
from typing import NamedTuple

from aksnav.model.azure.cluster import AgentPool, ManagedCluster
from aksnav.trace.addressing.allotted import batches, blocks
from aksnav.trace.addressing.models import FROM_POD_CIDR, FROM_POD_SUBNET, Model, families, model_of

PERCENT = 100


class Need(NamedTuple):
    """How much of a budget is needed.

    Attributes:
        key: the budget's key.
        least: without this it cannot start.
        most: when its nodes are full of Pods; None where that is not known.
        unknown: what would have to be known.
    """

    key: str
    least: int
    most: int | None
    unknown: str = ""


class Surge(NamedTuple):
    """Nodes that an upgrade adds for as long as it lasts: at least, at most (None: not known), and why not."""

    least: int
    most: int | None
    unknown: str = ""


def needs_of_node(managed: ManagedCluster, pool: AgentPool) -> Iterator[Need]:
    """Yield what one more node of a pool needs."""
    model = model_of(managed, pool)
    node, pods = _addresses(model, pool)
    node_subnet, pod_subnet = pool.vnet_subnet_id.lower(), pool.pod_subnet_id.lower()
    yield Need("nodes", 1, 1)
    yield Need("ports", 1, 1)
    yield node._replace(key=node_subnet)
    if model in FROM_POD_SUBNET:
        yield pods._replace(key=pod_subnet)
    together = None if node.most is None or pods.most is None else node.most + pods.most
    network = f"network {node_subnet.partition('/subnets/')[0]}"
    yield Need(network, node.least + pods.least, together, node.unknown or pods.unknown)
    if model in FROM_POD_CIDR:
        yield Need("pods v4", 1, 1)
        yield Need("pods v6", 1, 1)
    if model is Model.KUBENET:
        yield Need("routes", families(managed), families(managed))


def _addresses(model: Model, pool: AgentPool) -> tuple[Need, Need]:
    """Return what a node needs of its subnet and of the pod subnet: addresses, or /28 blocks that count as one each."""
    silent = "" if pool.max_pods else f"pool {pool.name} does not say its maxPods"
    none = Need("", 0, 0)
    match model:
        case Model.NODE_SUBNET:
            return Need("", 1 + pool.max_pods, None if silent else 1 + pool.max_pods, silent), none
        case Model.UNKNOWN | Model.OWN:
            return Need("", 1, None, "where Pods take their addresses from is not known"), none
        case Model.POD_SUBNET:
            full = None if silent else batches(pool.max_pods, pool.max_pods)
            return Need("", 1, 1), Need("", batches(0, pool.max_pods), full, silent)
        case Model.POD_BLOCKS:
            return Need("", 1, 1), Need("", blocks(pool.max_pods), None if silent else blocks(pool.max_pods), silent)
    return Need("", 1, 1), none


def surge_of(pool: AgentPool, count: int) -> Surge:
    """Return how many nodes an upgrade of a pool with so many nodes adds.

    A percentage is rounded up, and there are never more of them than nodes.
    """
    said = pool.upgrade_settings.get("maxSurge")
    text = "" if said is None else str(said).strip()
    if not count:
        return Surge(0, 0)
    if text.isascii() and text.isdigit():
        wanted = min(int(text), count)
        return Surge(wanted, wanted)
    number = text.removesuffix("%")
    if text.endswith("%") and number.isascii() and number.isdigit():
        wanted = min(-(-count * int(number) // PERCENT), count)
        return Surge(wanted, wanted)
    return Surge(1, None, f"pool {pool.name} does not say its maxSurge")


def most_nodes(pool: AgentPool) -> int | None:
    """Return the most nodes that a pool can have: the autoscaler's, or the ones that it has; None if not said."""
    return pool.max_count if pool.enable_auto_scaling else pool.count
