"""The demo's scenarios by name: every fault, none, one alone, and clusters that can be read in part only."""

from collections.abc import Callable, Mapping

import msgspec

from aksnav.model.change import Reading
from aksnav.model.kinds import KINDS
from aksnav.sources.demo import (
    azure_loadbalancers,
    azure_network,
    networks,
    nodes,
    policies,
    routing,
    services,
    workloads,
)
from aksnav.sources.demo.fault import Fault
from aksnav.sources.demo.faults import TOGETHER
from aksnav.sources.demo.faults_capacity import CAPACITY
from aksnav.sources.demo.faults_cluster import CLUSTER_FAULTS
from aksnav.sources.demo.faults_edge import EDGE
from aksnav.sources.demo.faults_objects import OBJECT_FAULTS
from aksnav.sources.demo.world import World

DEFAULT = "faulty"
FAULTS = (*TOGETHER, *EDGE, *CLUSTER_FAULTS, *CAPACITY, *OBJECT_FAULTS)
ONE_NAMESPACE = "shop"


class Refusal(msgspec.Struct, frozen=True):
    """A kind that cannot be read.

    Attributes:
        reading: why, as a state.
        reason: one line for people.
        scope: the one namespace that can be read all the same; empty: none.
    """

    reading: Reading
    reason: str
    scope: str = ""


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One state of the demo cluster.

    Attributes:
        name: what follows ``--scenario``.
        title: one line for people.
        faults: what is broken in it.
        refusals: what cannot be read in it, by kind.
        network: what its network model changes.
    """

    name: str
    title: str
    faults: tuple[Fault, ...] = ()
    refusals: Callable[[], Mapping[str, Refusal]] = dict
    network: Callable[[World], None] | None = None

    def build(self) -> World:
        """Return the cluster: what people declared, what controllers made of it, and what was done behind them."""
        world = World()
        for part in (nodes, workloads, services, routing, policies, azure_network):
            part.build(world)
        if self.network is not None:
            self.network(world)
        self._break(world, late=False)
        for controller in (services, routing, azure_loadbalancers):
            controller.derive(world)
        self._break(world, late=True)
        routing.answer_for_missing_secrets(world)
        return world

    def _break(self, world: World, *, late: bool) -> None:
        for fault in self.faults:
            if fault.late is late:
                fault.apply(world)


def _no_azure() -> Mapping[str, Refusal]:
    refused = Refusal(Reading.UNREAD, "no Azure credentials: run az login, or go on without the Azure plane")
    return {name: refused for name, kind in KINDS.items() if kind.azure}


def _one_namespace() -> Mapping[str, Refusal]:
    out = {}
    for name, kind in KINDS.items():
        if kind.azure or kind.by_name:
            continue
        group = f' in API group "{kind.group}"'
        reason = f'{kind.plural} is forbidden: cannot list resource "{kind.plural}"{group} at the cluster scope'
        out[name] = Refusal(Reading.DENIED, reason, ONE_NAMESPACE if kind.namespaced else "")
    return out


SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            name=DEFAULT,
            title="many faults, each on a road of its own",
            faults=TOGETHER,
        ),
        Scenario(name="healthy", title="no fault at all"),
        *(Scenario(name=name, title=title, network=change) for name, (title, change) in networks.VARIANTS.items()),
        *(Scenario(name=fault.name, title=fault.title, faults=(fault,)) for fault in FAULTS),
        Scenario(name="no-azure", title="no fault, and no Azure credentials", refusals=_no_azure),
        Scenario(
            name="namespace-only",
            title=f"no fault, and leave to read the namespace {ONE_NAMESPACE} only",
            refusals=_one_namespace,
        ),
    )
}


def scenario_named(name: str) -> Scenario:
    """Return a scenario by its name (an empty name: the default).

    Raises:
        LookupError: there is none of this name; the message lists those that there are.
    """
    found = SCENARIOS.get(name or DEFAULT)
    if found is None:
        raise LookupError(f"no scenario {name!r}; there are {', '.join(SCENARIOS)}")
    return found
