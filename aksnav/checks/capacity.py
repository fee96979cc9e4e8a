"""What runs out: subnets (C01, C02), a node's Pods (C03), the Pod CIDR (C04), ports, rules, routes (C06, C07, C13)."""

from collections.abc import Callable, Iterator
from shlex import quote

from aksnav.checks.finding import Finding, Proof
from aksnav.model.azure.network import VirtualNetwork
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace.addressing.budgets import Budget
from aksnav.trace.addressing.forecast import Demand, Forecast, Stage, State, outlook
from aksnav.trace.addressing.notes import RULES_PER_INTERFACE, most_rules
from aksnav.trace.azure.commands import of_cluster, of_pool
from aksnav.trace.azure.joins import cluster
from aksnav.trace.step import Evidence

NEARLY_FULL = 0.9
# A next node that has no place is a fact; an upgrade will fail when somebody starts it; a maximum may never come.
_PROOF = {
    Stage.NEXT: Proof.PROVEN,
    Stage.SURGE: Proof.LIKELY,
    Stage.MAXIMUM: Proof.HINT,
    Stage.MAXIMUM_SURGE: Proof.HINT,
}
_CONFIRM: dict[str, Callable[[str], str]] = {
    "C01": lambda ident: f"az network vnet subnet show --ids {quote(ident)}",
    "C02": lambda ident: f"az network vnet subnet show --ids {quote(ident)}",
    "C04": lambda ident: of_cluster(ident, "networkProfile"),
    "C06": lambda ident: of_cluster(ident, "networkProfile.loadBalancerProfile"),
    "C13": lambda ident: f"az network route-table show --ids {quote(ident)} --query 'length(routes)'",
}
_TOO_MANY, _SHORT = "too many pods", "insufficient"


def subnet_findings(store: Store) -> Iterator[Finding]:
    """Yield subnets of which nine tenths are used, or all.

    What is used and what there is are Azure's own figures (virtualNetworks/usages: currentValue, limit).
    """
    for network in store.virtual_networks:
        yield from _of_network(network)


def growth_findings(store: Store) -> Iterator[Finding]:
    """Yield what does not suffice for growth: C01, C02, C04, C06, C13, each where it ends first."""
    told: set[str] = set()
    for step in outlook(store).steps:
        for demand in step.demands:
            budget = demand.budget
            if demand.state is State.OUT and budget.check and budget.key not in told and budget.subject is not None:
                told.add(budget.key)
                yield _of_growth(store, step, demand, budget, budget.subject)


def _of_growth(store: Store, step: Forecast, demand: Demand, budget: Budget, subject: Ref) -> Finding:
    row = store.get(subject)
    ident = subject.id if row is None else str(getattr(row, "arm_id", subject.id))
    return Finding(
        id=budget.check,
        subject=subject,
        summary=f"not enough at the {step.title}: {demand.why}",
        proof=_PROOF[step.stage],
        evidence=budget.evidence,
        confirm=_CONFIRM[budget.check](ident),
        fix=budget.fix,
    )


def node_room_findings(store: Store) -> Iterator[Finding]:
    """Yield C03 (nodes with as many Pods as they may have, while a Pod waits) and C12 (a pool at its maximum)."""
    waiting = [pod for pod in store.pods if pod.unscheduled and not pod.node]
    crowded = [pod for pod in waiting if _TOO_MANY in pod.unscheduled.lower()]
    for node in store.nodes if crowded else ():
        pods = sum(not pod.finished for pod in store.pods_of_node(node.name))
        if node.allocatable_pods and pods >= node.allocatable_pods:
            yield _full_node(node, pods, crowded)
    short = [pod for pod in waiting if pod in crowded or _SHORT in pod.unscheduled.lower()]
    managed = cluster(store)
    for index, pool in enumerate(managed.agent_pool_profiles if managed is not None and short else ()):
        if managed is None or not pool.enable_auto_scaling or pool.max_count is None or pool.count < pool.max_count:
            continue
        yield Finding(
            id="C12",
            subject=Ref("agentPools", f"{managed.id}/agentpools/{pool.name.lower()}"),
            summary=f"pool {pool.name} has its maximum of {pool.max_count} nodes, and {len(short)} Pods wait for room",
            proof=Proof.LIKELY,
            evidence=(
                Evidence(f".agentPoolProfiles[{index}].count", f"{pool.count}", managed.ref),
                Evidence(f".agentPoolProfiles[{index}].maxCount", f"{pool.max_count}", managed.ref),
                _waits(short[0]),
            ),
            related=tuple(Ref(pod.KIND, pod.id) for pod in short[:5]),
            confirm=of_pool(managed.arm_id, pool.name, "maxCount"),
            fix="raise maxCount, if the subnet has room (aksnav ips)",
        )


def _full_node(node: Node, pods: int, waiting: list[Pod]) -> Finding:
    return Finding(
        id="C03",
        subject=node.ref,
        summary=f"node {node.name} has {pods} Pods of {node.allocatable_pods}, and {len(waiting)} wait for room",
        proof=Proof.PROVEN,
        evidence=(
            Evidence(".status.allocatable.pods", f"{node.allocatable_pods}", node.ref, f"{pods} Pods are on it"),
            _waits(waiting[0]),
        ),
        related=tuple(Ref(pod.KIND, pod.id) for pod in waiting[:5]),
        confirm=f"kubectl get pods -A --field-selector spec.nodeName={quote(node.name)}",
        fix="add nodes, or a pool with a larger maxPods",
    )


def _waits(pod: Pod) -> Evidence:
    field = ".status.conditions[?(@.type=='PodScheduled')].message"
    return Evidence(field, pod.unscheduled, Ref(pod.KIND, pod.id))


def rule_findings(store: Store) -> Iterator[Finding]:
    """Yield C07: the interfaces of the nodes have as many load-balancing rules as they may, or nine tenths of them."""
    rules, managed = most_rules(store), cluster(store)
    if rules is None or managed is None or rules < RULES_PER_INTERFACE * NEARLY_FULL:
        return
    balancer = max(store.load_balancers, key=lambda row: len(row.load_balancing_rules))
    yield Finding(
        id="C07",
        subject=balancer.ref,
        summary=f"a node's interface is behind {rules} load-balancing rules of {RULES_PER_INTERFACE}",
        proof=Proof.PROVEN if rules >= RULES_PER_INTERFACE else Proof.HINT,
        evidence=(Evidence(".loadBalancingRules", f"{len(balancer.load_balancing_rules)} rules", balancer.ref),),
        confirm=f"az network lb show --ids {quote(balancer.arm_id)} --query 'length(loadBalancingRules)'",
        fix="fewer ports of LoadBalancer Services, or several standard load balancers",
    )


def _of_network(network: VirtualNetwork) -> Iterator[Finding]:
    for index, usage in enumerate(network.usages or ()):
        if not usage.limit or usage.current_value / usage.limit < NEARLY_FULL:
            continue
        name = usage.arm_id.rpartition("/")[2]
        full = usage.current_value >= usage.limit
        used, limit = int(usage.current_value), int(usage.limit)
        yield Finding(
            id="C01",
            subject=Ref("subnets", usage.arm_id.lower()),
            summary=f"subnet {name} has {limit - used} of {limit} addresses free",
            proof=Proof.PROVEN if full else Proof.HINT,
            evidence=(
                Evidence(f".usages[{index}].currentValue", str(used), network.ref, f"of {name}"),
                Evidence(f".usages[{index}].limit", str(limit), network.ref),
            ),
            related=(network.ref,),
            confirm=f"az network vnet list-available-ips --ids {quote(network.arm_id)}",
            fix="add a node pool in a larger subnet",
        )
