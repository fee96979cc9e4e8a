"""Which managed cluster a context means: an ARM id, the API server's host name, or where the nodes say they are."""

from collections.abc import Iterable, Iterator

import msgspec

from aksnav.model.text import plain
from aksnav.sources.azure.arm_ids import Group, group_of, is_cluster, name_of, scale_set_of
from aksnav.sources.azure.edges import Pointers
from aksnav.sources.azure.errors import ArmError, Where
from aksnav.sources.azure.transport import Arm, Json

CLUSTER_READ = "Microsoft.ContainerService/managedClusters/read"
GROUP_READ = "Microsoft.Resources/subscriptions/resourceGroups/read"
SUBSCRIPTION_READ = "Microsoft.Resources/subscriptions/read"
SUBSCRIPTIONS_VERSION = "2022-12-01"
GROUPS_VERSION = "2021-04-01"
MOST_SUBSCRIPTIONS = 25


class Hints(msgspec.Struct, frozen=True, gc=False):
    """What the Kubernetes half knows of where the cluster is.

    Attributes:
        provider_ids: ``spec.providerID`` of the nodes.
        server_host: host name of the API server, without a port.
        pointers: what Services and Gateways point to.
    """

    provider_ids: tuple[str, ...] = ()
    server_host: str = ""
    pointers: Pointers = Pointers()

    @property
    def node_groups(self) -> tuple[Group, ...]:
        """The resource groups that hold the nodes."""
        found = (group_of(item) for item in self.provider_ids if item.lower().startswith("azure://"))
        return tuple(sorted({group for group in found if group is not None}))

    @property
    def scale_sets(self) -> dict[Group, set[str]]:
        """The scale sets of the nodes, by resource group."""
        found: dict[Group, set[str]] = {}
        for item in self.provider_ids:
            group, name = group_of(item), scale_set_of(item)
            if group is not None and name:
                found.setdefault(group, set()).add(name)
        return found


class Found(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of the managed cluster.

    Attributes:
        cluster: the cluster in wire form, None where it cannot be read; with an error, as it was when last read.
        cluster_id: its ARM id as Azure writes it, empty where it is not known.
        node_group: the resource group of its nodes, None where it is not known.
        how: by what it was found, for people.
        error: why the cluster itself is not known, one line; empty where it is.
        denied: the error is a refusal.
        gone: the error is that there is no such cluster.
        where: the action that would tell, where it was refused.
        warning: what does not fit together, empty where all does.
    """

    cluster: Json | None = None
    cluster_id: str = ""
    node_group: Group | None = None
    how: str = ""
    error: str = ""
    denied: bool = False
    gone: bool = False
    where: Where | None = None
    warning: str = ""


def find(arm: Arm, wanted: str, hints: Hints, before: Found | None = None) -> Found:
    """Return the managed cluster, or as much of it as can be known.

    Args:
        arm: to ask.
        wanted: ARM id that the operator gave, empty to look for the cluster.
        hints: what the Kubernetes half knows.
        before: what was found before: that cluster is read alone, and stays the one that is meant while that fails.

    Raises:
        CredentialError, UnreachableError: nothing can be read at all.
        ArmError: Azure asks to wait (429).
    """
    if wanted:
        if not is_cluster(wanted):
            form = "/subscriptions/…/resourceGroups/…/providers/Microsoft.ContainerService/managedClusters/NAME"
            error = f"--cluster {plain(wanted)} is not the resource id of a managed cluster: give {form}"
            return _by_nodes(hints, Found(error=error))
        found = _read(arm, wanted, hints, "--cluster")
        return found if found.cluster is not None or found.gone or before is None else _kept(before, found)
    if before is not None and before.cluster_id:
        found = _read(arm, before.cluster_id, hints, before.how)
        if found.cluster is not None:
            return found
        if not found.gone:
            return _kept(before, found)
    return _look(arm, hints)


def _kept(before: Found, failed: Found) -> Found:
    """Return what was known with why it could not be read again, so that a fault does not end what hangs on it."""
    return msgspec.structs.replace(before, error=failed.error, denied=failed.denied, where=failed.where)


def _look(arm: Arm, hints: Hints) -> Found:
    """Look for the cluster in the subscriptions of its nodes, or else in all that can be listed."""
    refused: list[ArmError] = []
    subscriptions = sorted({group.subscription for group in hints.node_groups})
    if not subscriptions:
        try:
            subscriptions = _subscriptions(arm)
        except ArmError as error:
            _pass_on(error)
            return _not_found(hints, [error], 0)
    for cluster in _clusters(arm, subscriptions, refused):
        how = _fits(cluster, hints)
        if how:
            return _made(cluster, hints, how)
    for group in hints.node_groups:
        owner = _owner(arm, group, refused)
        if owner:
            return _read(arm, owner, hints, "the owner of the nodes' resource group")
    return _not_found(hints, refused, len(subscriptions))


def _subscriptions(arm: Arm) -> list[str]:
    bodies = arm.get(Where(SUBSCRIPTION_READ, "/subscriptions"), "/subscriptions", SUBSCRIPTIONS_VERSION)
    items = [item for body in bodies for item in body.get("value") or ()]
    named = [str(item.get("subscriptionId") or "").lower() for item in items if isinstance(item, dict)]
    return sorted(filter(None, named))[:MOST_SUBSCRIPTIONS]


def _clusters(arm: Arm, subscriptions: Iterable[str], refused: list[ArmError]) -> Iterator[Json]:
    """Yield the clusters that can be listed, and note where they cannot."""
    for subscription in subscriptions:
        where = Where(CLUSTER_READ, f"/subscriptions/{subscription}")
        operations = arm.containers(subscription).managed_clusters
        try:
            yield from arm.many(where, operations.list)
        except ArmError as error:
            _pass_on(error)
            refused.append(error)


def _fits(cluster: Json, hints: Hints) -> str:
    """Return by what a cluster is the one that is meant, or an empty string."""
    host = hints.server_host.lower()
    if host and host in _hosts(cluster):
        return "the API server's host name"
    group = _node_group(cluster)
    return "the resource group of its nodes" if group is not None and group in hints.node_groups else ""


def _hosts(cluster: Json) -> set[str]:
    inner = _properties(cluster)
    names = (inner.get(key) for key in ("fqdn", "privateFQDN", "azurePortalFQDN"))
    return {str(name).lower() for name in names if name}


def _owner(arm: Arm, group: Group, refused: list[ArmError]) -> str:
    """Return the id of the cluster that a node resource group belongs to, or an empty string."""
    where = Where(GROUP_READ, group.scope)
    try:
        bodies = arm.get(where, group.scope, GROUPS_VERSION)
    except ArmError as error:
        _pass_on(error)
        refused.append(error)
        return ""
    owner = str(bodies[0].get("managedBy") or "")
    return owner if is_cluster(owner) else ""


def _read(arm: Arm, ident: str, hints: Hints, how: str) -> Found:
    """Read one cluster by its id."""
    group, name = group_of(ident), name_of(ident)
    if group is None:
        return _by_nodes(hints, Found(error=f"{plain(ident)} is not a resource id"))
    where = Where(CLUSTER_READ, ident)
    operations = arm.containers(group.subscription).managed_clusters
    try:
        cluster = arm.one(where, lambda: operations.get(group.name, name))
    except ArmError as error:
        _pass_on(error)
        told = Found(
            cluster_id=ident,
            how=how,
            error=str(error),
            denied=error.denied,
            gone=error.missing,
            where=error.where if error.denied else None,
        )
        return _by_nodes(hints, told)
    return _made(cluster, hints, how)


def _made(cluster: Json, hints: Hints, how: str) -> Found:
    group = _node_group(cluster)
    warning = ""
    if hints.node_groups and group not in hints.node_groups:
        theirs = ", ".join(plain(item.name) for item in hints.node_groups)
        warning = (
            f"the nodes of this context are in {theirs}, those of {plain(str(cluster.get('name') or ''))} in "
            f"{plain(group.name) if group else 'an unknown resource group'}: is it another cluster? give --cluster"
        )
    return Found(cluster=cluster, cluster_id=str(cluster.get("id") or ""), node_group=group, how=how, warning=warning)


def _not_found(hints: Hints, refused: list[ArmError], searched: int) -> Found:
    host = hints.server_host or "the API server"
    if refused:
        first = refused[0]
        error = f"the managed cluster is not known: {first}; or give --cluster"
        where = first.where if first.denied else None
        return _by_nodes(hints, Found(error=error, denied=first.denied, where=where))
    if not searched:
        return _by_nodes(hints, Found(error="this Azure account sees no subscription: run 'az login' with another"))
    error = (
        f"none of the managed clusters in {searched} subscription{'s' * (searched > 1)} has the host name "
        f"{plain(host)}: {CLUSTER_READ} may be missing on it; or give --cluster"
    )
    return _by_nodes(hints, Found(error=error))


def _by_nodes(hints: Hints, told: Found) -> Found:
    """Add the node resource group that the nodes themselves name."""
    groups = hints.node_groups
    return told if not groups else msgspec.structs.replace(told, node_group=groups[0], how="the nodes' provider ids")


def _node_group(cluster: Json) -> Group | None:
    home = group_of(str(cluster.get("id") or ""))
    name = str(_properties(cluster).get("nodeResourceGroup") or "").lower()
    return Group(home.subscription, name) if home is not None and name else None


def _properties(cluster: Json) -> Json:
    inner = cluster.get("properties")
    return inner if isinstance(inner, dict) else {}


def _pass_on(error: ArmError) -> None:
    """Leave throttling to whoever keeps the pace."""
    if error.throttled:
        raise error
