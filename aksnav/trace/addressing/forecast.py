"""When it will run out: what the next node, an upgrade and the maximum of every pool need of what is left.

A step fits, runs out (what it needs at the least is not there), may run out (only if its nodes fill with Pods), or is
unknown because a field that decides cannot be read; it is never said to fit without every field.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from aksnav.model.azure.cluster import AgentPool, ManagedCluster
from aksnav.store import Store
from aksnav.trace.addressing.allotted import held_by
from aksnav.trace.addressing.budgets import Budget, budgets, network_of
from aksnav.trace.addressing.models import Model, model_of
from aksnav.trace.addressing.needs import Need, most_nodes, needs_of_node, surge_of
from aksnav.trace.addressing.notes import notes
from aksnav.trace.addressing.places import placed
from aksnav.trace.azure.joins import cluster
from aksnav.trace.readable import unreadable


class State(StrEnum):
    """Whether something fits."""

    FITS = "fits"
    MAY = "may run out"
    UNKNOWN = "unknown"
    OUT = "runs out"


RANK = {State.FITS: 0, State.MAY: 1, State.UNKNOWN: 2, State.OUT: 3}


class Stage(StrEnum):
    """What growth it is, in the order in which it comes."""

    NEXT = "next node"
    SURGE = "surge upgrade"
    MAXIMUM = "maximum"
    MAXIMUM_SURGE = "surge upgrade at the maximum"


class Demand(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a step needs of one budget.

    Attributes:
        budget: which.
        least, most: needed beyond what is used now; most is None where it is not known.
        state: whether it fits.
        why: one line: the figures, or what would have to be known.
    """

    budget: Budget
    least: int
    most: int | None
    state: State
    why: str


class Forecast(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One step of growth.

    Attributes:
        stage: what it is.
        pool: of which pool; empty: of all of them.
        nodes: how many nodes it adds; None where that is not known.
        demands: by budget, the worst first.
        unknown: what would have to be known, where the number of nodes is not.
    """

    stage: Stage
    pool: str
    nodes: int | None
    demands: tuple[Demand, ...]
    unknown: str = ""

    @property
    def title(self) -> str:
        """What the step is called."""
        return f"{self.stage} of {self.pool}" if self.pool else f"{self.stage} of every pool"

    @property
    def state(self) -> State:
        """Whether everything that it needs is there."""
        states = [item.state for item in self.demands]
        if self.unknown:
            states.append(State.UNKNOWN)
        return max(states, key=RANK.__getitem__, default=State.UNKNOWN)

    @property
    def why(self) -> str:
        """The worst demand in one line."""
        state = self.state
        worst = next((item.why for item in self.demands if item.state is state), "")
        return self.unknown if state is State.UNKNOWN and self.unknown else worst


class Room(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How many more nodes of a pool there is room for, if no other pool grows.

    Attributes:
        pool: its name.
        model: its network model.
        nodes: how many more; None where that is not known.
        by: the budget that ends first.
        full: how many more if all of them fill with Pods; None where that is not known.
        unknown: what would have to be known.
    """

    pool: str
    model: Model
    nodes: int | None
    by: Budget | None
    full: int | None
    unknown: str = ""


class Outlook(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything that growth needs.

    Attributes:
        steps: in the order in which they come.
        rooms: by pool.
        budgets: what there is.
        notes: what else changes on the way.
        missing: what would have to be readable for any of it.
    """

    steps: tuple[Forecast, ...] = ()
    rooms: tuple[Room, ...] = ()
    budgets: tuple[Budget, ...] = ()
    notes: tuple[str, ...] = ()
    missing: str = ""

    @property
    def first(self) -> Forecast | None:
        """The first step that does not fit for certain; None where all of them fit."""
        return next((step for step in self.steps if step.state is not State.FITS), None)

    @property
    def state(self) -> State:
        """The worst of all steps."""
        return max((step.state for step in self.steps), key=RANK.__getitem__, default=State.UNKNOWN)


def outlook(store: Store) -> Outlook:
    """Return what the cluster's growth needs and when it will run out."""
    managed = cluster(store)
    if managed is None:
        return Outlook(missing=unreadable(store.clusters) or "which cluster the nodes belong to is not known")
    managed = placed(store, managed)
    pools = list(managed.agent_pool_profiles)
    if not pools:
        return Outlook(missing="the cluster names no node pools (agentPoolProfiles)")
    known = budgets(store, managed)
    growth = _Growth(store, managed, pools, known)
    return Outlook(
        steps=tuple(growth.steps()),
        rooms=tuple(_room(managed, pool, known) for pool in pools),
        budgets=tuple(known.values()),
        notes=tuple(notes(store, managed, _nodes_at_most(pools))),
    )


def _nodes_at_most(pools: list[AgentPool]) -> int | None:
    counts = [most_nodes(pool) for pool in pools]
    return None if None in counts else sum(count for count in counts if count is not None)


class _Growth:
    """The steps of one cluster."""

    def __init__(self, store: Store, managed: ManagedCluster, pools: list[AgentPool], known: dict[str, Budget]) -> None:
        self._store, self._managed, self._pools, self._known = store, managed, pools, known

    def steps(self) -> Iterator[Forecast]:
        """Yield every step: the next node and the upgrade of each pool, then all of them together."""
        several = len(self._pools) > 1
        for pool in self._pools:
            yield self._step(Stage.NEXT, pool.name, [(pool, 1, 1)])
        for pool in self._pools:
            yield self._surge(pool.name, [pool])
        if several:
            yield self._surge("", self._pools)
        yield self._maximum(Stage.MAXIMUM)
        yield self._maximum(Stage.MAXIMUM_SURGE)

    def _surge(self, name: str, pools: list[AgentPool]) -> Forecast:
        found = [(pool, surge_of(pool, pool.count)) for pool in pools]
        unknown = next((surge.unknown for _, surge in found if surge.unknown), "")
        return self._step(Stage.SURGE, name, [(pool, surge.least, surge.most) for pool, surge in found], unknown)

    def _maximum(self, stage: Stage) -> Forecast:
        added: list[tuple[AgentPool, int, int | None]] = []
        unknown = ""
        if str(self._managed.node_provisioning_profile.get("mode", "")).lower() == "auto":
            unknown = "node auto provisioning makes nodes outside of the pools: their maximum is not in the cluster"
        for pool in self._pools:
            most = most_nodes(pool)
            if most is None:
                unknown = unknown or f"pool {pool.name} scales by itself and does not say its maxCount"
                added.append((pool, 0, None))
                continue
            more = max(most - pool.count, 0)
            if stage is Stage.MAXIMUM:
                added.append((pool, more, more))
                continue
            surge = surge_of(pool, max(most, pool.count))
            unknown = unknown or surge.unknown
            added.append((pool, more + surge.least, None if surge.most is None else more + surge.most))
        return self._step(stage, "", added, unknown, full=True)

    def _step(
        self,
        stage: Stage,
        name: str,
        added: list[tuple[AgentPool, int, int | None]],
        unknown: str = "",
        *,
        full: bool = False,
    ) -> Forecast:
        needs: list[Need] = []
        for pool, least, most in added:
            for need in needs_of_node(self._managed, pool):
                top = None if most is None or (need.most is None and most) else (need.most or 0) * most
                needs.append(Need(need.key, need.least * least, top, need.unknown if most != 0 else ""))
        if full:
            needs += self._fill()
        counts = [most for _, _, most in added]
        demands = [
            _demand(self._known[key], [need for need in needs if need.key == key])
            for key in dict.fromkeys(need.key for need in needs)
            if key in self._known
        ]
        demands.sort(key=lambda item: (-RANK[item.state], -_share(item)))
        nodes = None if None in counts else sum(count for count in counts if count is not None)
        return Forecast(stage=stage, pool=name, nodes=nodes, demands=tuple(demands), unknown=unknown)

    def _fill(self) -> Iterator[Need]:
        """Yield what the nodes that are there will take besides when they are full of Pods (dynamic allocation)."""
        pools = {pool.name.lower(): pool for pool in self._pools}
        for node in self._store.nodes:
            pool = pools.get(node.pool.lower())
            if pool is None or model_of(self._managed, pool) is not Model.POD_SUBNET:
                continue
            top = next(
                (need.most for need in needs_of_node(self._managed, pool) if need.key == pool.pod_subnet_id.lower()),
                None,
            )
            more = None if top is None else max(top - held_by(self._store, self._managed, pool, node), 0)
            yield Need(pool.pod_subnet_id.lower(), 0, more)
            yield Need(f"network {network_of(pool.vnet_subnet_id)}", 0, more)


def _demand(budget: Budget, needs: Iterable[Need]) -> Demand:
    listed = list(needs)
    least = sum(need.least for need in listed)
    tops = [need.most for need in listed]
    most = None if None in tops else sum(top for top in tops if top is not None)
    unknown = next((need.unknown for need in listed if need.unknown), "")
    state, why = _judged(budget, least, most, unknown)
    return Demand(budget=budget, least=least, most=most, state=state, why=why)


def _judged(budget: Budget, least: int, most: int | None, unknown: str) -> tuple[State, str]:
    free = budget.free
    wanted = f"{least}" if most == least else f"{least} or more" if most is None else f"{least} to {most}"
    if least == 0 and most == 0:
        return State.FITS, f"{budget.name}: nothing more is needed"
    if free is None:
        return State.UNKNOWN, f"{budget.name}: what is left is not known ({budget.missing or 'not readable'})"
    unit = one_of(budget.unit) if wanted == "1" else budget.unit
    line = f"{budget.name}: needs {wanted} {unit}, {free} of {budget.capacity} are free"
    if least > free:
        return State.OUT, line
    if most is None:
        return State.UNKNOWN, f"{line}: {unknown}" if unknown else line
    return (State.MAY, f"{line}: not enough if its nodes fill with Pods") if most > free else (State.FITS, line)


def one_of(unit: str) -> str:
    """Return the name of one: ``address`` for ``addresses``."""
    if unit.startswith("x "):
        return unit  # so many times so many ports
    return "address" if unit == "addresses" else unit.removesuffix("s")


def _share(demand: Demand) -> float:
    """Return which part of what is free a demand takes, so that the tightest one is told first."""
    free = demand.budget.free
    return 0.0 if not free else (demand.most or demand.least) / free


def _room(managed: ManagedCluster, pool: AgentPool, known: dict[str, Budget]) -> Room:
    model = model_of(managed, pool)
    found: list[tuple[int, Budget]] = []
    full: list[int] = []
    unknown = ""
    for need in needs_of_node(managed, pool):
        budget = known.get(need.key)
        if budget is None:
            continue
        if budget.free is None or need.most is None:
            unknown = unknown or need.unknown or f"{budget.name}: {budget.missing}"
            continue
        found.append((budget.free // need.least, budget))
        full.append(budget.free // need.most)
    if not found:
        return Room(pool=pool.name, model=model, nodes=None, by=None, full=None, unknown=unknown)
    nodes, by = min(found, key=lambda pair: pair[0])
    if unknown and nodes:
        return Room(pool=pool.name, model=model, nodes=None, by=None, full=None, unknown=unknown)
    return Room(pool=pool.name, model=model, nodes=nodes, by=by, full=min(full))
