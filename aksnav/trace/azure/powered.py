"""Nodes that Azure says do not run (K04): the cluster is stopped, or a node pool is stopped or has no node.

Stopping a cluster stops its control plane and all of its nodes (REST reference, "Managed Clusters - Stop"). The API
server of a stopped cluster does not answer: nodes that Kubernetes says are Ready, read live, contradict Azure. Then a
start or a stop is under way, or one of the two words is old, and nobody can tell which from here.
"""

from collections.abc import Iterable, Sequence

import msgspec

from aksnav.model.azure.cluster import AgentPool, ManagedCluster
from aksnav.model.change import Reading
from aksnav.model.kubernetes.workload import Node
from aksnav.store.store import Store
from aksnav.trace.azure.commands import of_cluster, start_of
from aksnav.trace.azure.joins import cluster, group_of
from aksnav.trace.memo import once
from aksnav.trace.packet import Packet
from aksnav.trace.step import Evidence, Kind, Step, Verdict

Road = tuple[Step, ...]

_READY = '.status.conditions[?(@.type=="Ready")].status'
_STARTS = frozenset({Kind.START_POD, Kind.START_NODE})
_GATEWAYS = frozenset({Kind.APPGW_LISTENER, Kind.APPGW_RULE, Kind.APPGW_BACKEND, Kind.AGC_FRONTEND})
_ON_NODES = frozenset(
    {
        Kind.LB_PROBE,
        Kind.LB_POOL,
        Kind.NODE_PORT,
        Kind.HOST_PORT,
        Kind.SERVICE_PORT,
        Kind.ENDPOINT,
        Kind.MESH,
        Kind.POLICY,
        Kind.POD_PORT,
        Kind.CONTROLLER_POD,
    }
)
_BAD_GATEWAY = 502


class Halt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A cluster of which Azure says that none of its nodes runs.

    Attributes:
        managed: the cluster.
        what: what Azure says, as a predicate.
        facts: the fields that say so, and of the nodes that contradict them.
        contradicted: why it may be otherwise, empty where nothing that is read says so.
        assumptions: what is taken for granted where the nodes are not read live.
        fix: how the cluster comes back.
    """

    managed: ManagedCluster
    what: str
    facts: tuple[Evidence, ...]
    contradicted: str = ""
    assumptions: tuple[str, ...] = ()
    fix: str


def halt_of(store: Store) -> Halt | None:
    """Return what Azure says of a cluster that does not run, beside what Kubernetes says of it; None if it runs."""
    return once(store, "halt", ("managedClusters", "Node"), lambda: _halt_of(store))


def _halt_of(store: Store) -> Halt | None:
    managed = cluster(store)
    if managed is None:
        return None
    code = str(managed.power_state.get("code", ""))
    if code.lower() == "stopped":
        fact = Evidence(".powerState.code", code, managed.ref)
        return _weighed(store, managed, f"is stopped ({fact.field} {code})", (fact,), start_of(managed.arm_id))
    pools = managed.agent_pool_profiles
    # Nodes that are provisioned as Pods need them are of no pool.
    provisioned = str(managed.node_provisioning_profile.get("mode", "")).lower() == "auto"
    facts = [_without_nodes(managed, pool) for pool in pools]
    told = tuple(fact for fact in facts if fact is not None)
    if not pools or len(told) < len(pools) or provisioned or len(store.nodes):
        return None
    return _weighed(store, managed, "has no node in any pool", told, "scale a node pool up, or start it")


def _weighed(store: Store, managed: ManagedCluster, what: str, facts: tuple[Evidence, ...], fix: str) -> Halt:
    """Return what Azure says, weighed against what Kubernetes says of the nodes."""
    access = store.nodes.access()
    ready = sorted(node.name for node in store.nodes if node.ready is True)
    if access.reading is not Reading.LIVE:
        held = f"no node is Ready, as Azure says that the cluster {what}: nodes are {access.reading.value}"
        return Halt(managed=managed, what=what, facts=facts, assumptions=(held,), fix=fix)
    if not ready:
        return Halt(managed=managed, what=what, facts=facts, fix=fix)
    count = f"{len(ready)} of {len(store.nodes)} nodes are Ready"
    node = store.nodes.get(ready[0])
    against = Evidence(_READY, "True", node.ref if node is not None else None, f"read live: {count}")
    why = (
        f"whether cluster {managed.name} runs: Azure says that it {what}, and Kubernetes, read live, that {count}; "
        "a start or a stop is under way, or one of the two is old"
    )
    return Halt(managed=managed, what=what, facts=(*facts, against), contradicted=why, fix=fix)


def halted(store: Store, road: Sequence[Step]) -> Road:
    """Return a road that ends where it comes to the nodes of a cluster that does not run; as it is where that runs.

    Args:
        store: what is known.
        road: as it was walked.
    """
    found = halt_of(store)
    return _on(found, tuple(road), behind=None) if found is not None else tuple(road)


def _on(found: Halt, road: Road, *, behind: Kind | None) -> Road:
    """Return the road with the step of the cluster; ``behind``: the gateway that would come to the nodes."""
    out: list[Step] = []
    for index, step in enumerate(road):
        if step.kind in _STARTS:
            return (*out, step, _step(found, step.packet, None), *road[index + 1 :])
        if step.kind in _ON_NODES and _of(found.managed, step):
            return (*out, _step(found, step.packet, behind), *road[index:])
        if step.kind in _GATEWAYS:
            behind = step.kind
        branches = tuple(
            msgspec.structs.replace(branch, steps=_on(found, branch.steps, behind=behind)) for branch in step.branches
        )
        out.append(msgspec.structs.replace(step, branches=branches) if branches else step)
    return tuple(out)


def _of(managed: ManagedCluster, step: Step) -> bool:
    """Return whether a step is one of the cluster's: a load balancer of another group has other machines behind it."""
    if step.subject is None or step.subject.kind != "loadBalancers" or not managed.node_resource_group:
        return True
    return group_of(step.subject.id).rpartition("/")[2] == managed.node_resource_group.lower()


def _step(found: Halt, packet: Packet, behind: Kind | None) -> Step:
    managed, verdict, assumed = found.managed, Verdict.DROP, found.assumptions
    if found.contradicted:
        verdict = Verdict.BLIND
    elif behind is not None:
        verdict = Verdict.RESPOND
        if behind is Kind.AGC_FRONTEND:
            assumed = (*assumed, f"Application Gateway for Containers answers {_BAD_GATEWAY} where no Pod answers it")
    return Step(
        kind=Kind.NODE_PORT,
        verdict=verdict,
        summary=found.contradicted or f"cluster {managed.name} {found.what}: none of its nodes carries traffic",
        subject=managed.ref,
        version=managed.etag,
        packet=packet,
        cause="K04",
        status=_BAD_GATEWAY if verdict is Verdict.RESPOND else 0,
        evidence=found.facts,
        assumptions=assumed,
        missing=found.contradicted,
        confirm=of_cluster(managed.arm_id, "[powerState, agentPoolProfiles[].[name,powerState,count]]"),
        fix=found.fix,
    )


def in_pool(store: Store, node: Node, step: Step) -> Step:
    """Return a step of a node with what Azure says of its pool, where that is stopped or has no node.

    Nodes of a cluster that runs are told by Kubernetes: one that is Ready is taken to carry traffic all the same, since
    what Azure counts follows a while later.

    Args:
        store: what is known.
        node: on which the step is.
        step: passes where the node is Ready.
    """
    managed = cluster(store)
    fact = _pool_fact(managed, node.pool) if managed is not None else None
    if managed is None or fact is None:
        return step
    said = f"{fact.field} {fact.value} of {managed.name}"
    note = f"node {node.name} carries traffic: it is Ready, and Azure says {said}"
    assumed = (note,) if node.ready is True else ()
    return msgspec.structs.replace(step, evidence=(*step.evidence, fact), assumptions=(*step.assumptions, *assumed))


def _pool_fact(managed: ManagedCluster, name: str) -> Evidence | None:
    named: Iterable[AgentPool] = (pool for pool in managed.agent_pool_profiles if pool.name == name)
    return next(filter(None, (_without_nodes(managed, pool) for pool in named)), None)


def _without_nodes(managed: ManagedCluster, pool: AgentPool) -> Evidence | None:
    """Return the field that says that a pool has no node, or None; what a pool does not tell says nothing."""
    head, code = f".agentPoolProfiles[?name=='{pool.name}']", str(pool.power_state.get("code", ""))
    if code.lower() == "stopped":
        return Evidence(f"{head}.powerState.code", code, managed.ref)
    if pool.count == 0 and "count" not in pool.untold:
        return Evidence(f"{head}.count", "0", managed.ref)
    return None
