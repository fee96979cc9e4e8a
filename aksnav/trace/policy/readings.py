"""What each engine decides about a connection, once for each way in which it may see it."""

import msgspec

from aksnav.model.kinds import KINDS
from aksnav.model.kubernetes.workload import Pod
from aksnav.store.store import Store
from aksnav.trace.place import Crossing, Entry
from aksnav.trace.policy.calico.hosts import forwarding, host_endpoint
from aksnav.trace.policy.compiled import Asked, compiled, engine_of, engine_rules
from aksnav.trace.policy.decision import DROPS, PASSES, Decision, Direction, Effect
from aksnav.trace.policy.engines import ENFORCING, Engine, EngineReading
from aksnav.trace.policy.rules import Target
from aksnav.trace.policy.who import Sort, View, Who, destination, sources
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What one engine decides in one view of the connection."""

    engine: Engine
    view: View
    decision: Decision

    @property
    def passes(self) -> bool:
        """Whether the connection goes on."""
        return self.decision.effect in PASSES

    @property
    def stops(self) -> bool:
        """Whether the connection ends here."""
        return self.decision.effect in DROPS or self.decision.effect is Effect.HTTP_DENIED


class Heard(msgspec.Struct, frozen=True, gc=False):
    """What is heard of one direction.

    Attributes:
        engine: which engine it is; None where it does not matter.
        skip: why policies do not apply (host-network, loopback, engine-none), else empty.
        missing: what cannot be read, else empty.
        unread: the kind that cannot be read.
        unmodelled: why the readings do not hold for the Pod's node, else empty.
        readings: what engines decide.
    """

    engine: EngineReading
    skip: str = ""
    missing: str = ""
    unread: str = ""
    unmodelled: str = ""
    readings: tuple[Reading, ...] = ()

    @property
    def answer(self) -> bool | None:
        """Whether the connection goes on; None where that cannot be decided."""
        if self.missing or self.unmodelled:
            return None
        if all(item.passes for item in self.readings):
            return True
        return False if all(item.stops for item in self.readings) else None


def ends(crossing: Crossing) -> tuple[tuple[Direction, Pod], ...]:
    """Return the Pods whose policies are asked: the source's for egress, the destination's for ingress."""
    pairs = ((Direction.EGRESS, crossing.source.pod), (Direction.INGRESS, crossing.destination.pod))
    return tuple((direction, pod) for direction, pod in pairs if pod is not None)


def allows(store: Store, crossing: Crossing) -> bool | None:
    """Return whether policies let a connection through at both ends; None where that cannot be decided."""
    answers = [hear(store, crossing, direction, pod).answer for direction, pod in ends(crossing)]
    if False in answers:
        return False
    return None if None in answers else True


def hear(store: Store, crossing: Crossing, direction: Direction, pod: Pod) -> Heard:
    """Return what is heard of one direction of a connection."""
    engine = engine_of(store)
    source, target = crossing.source.pod, crossing.destination.pod
    if pod.template.host_network:
        return _of_host(store, crossing, direction, pod, engine)
    if source is not None and target is not None and source.id == target.id:
        return Heard(engine, skip="loopback")
    if engine.engine is Engine.NONE:
        return Heard(engine, skip="engine-none")
    for kind in ("NetworkPolicy", *_OWN.get(engine.engine, ())):
        missing = unreadable(store.tables[kind], pod.namespace if KINDS[kind].namespaced else "")
        if missing:
            return Heard(engine, missing=missing, unread=kind)
    engines = ENFORCING if engine.engine is Engine.UNKNOWN else (engine.engine,)
    found = [item for word in engines for item in _readings(store, crossing, direction, pod, word)]
    silent = all(item.decision.effect in _SILENT for item in found)
    odd = forwarding(store, pod.node) if engine.engine in _WITH_HOSTS else ""
    return Heard(engine, unmodelled=odd or ("" if silent else unmodelled(store, pod.node)), readings=tuple(found))


def _of_host(store: Store, crossing: Crossing, direction: Direction, pod: Pod, engine: EngineReading) -> Heard:
    """A Pod on the host network is its node: no policy selects it, but for Calico's where there is a host endpoint."""
    found = host_endpoint(store, pod.node) if engine.engine in _WITH_HOSTS else None
    if found is None:
        return Heard(engine, skip="host-network")
    if direction is Direction.EGRESS:
        view = destination(store, crossing, pod)
    else:
        view = sources(store, Engine.CALICO, crossing, pod)[0]
    why = f"{found.ref}: policies of host endpoints are not modelled"
    fact = Evidence(".spec.node", found.node, found.ref)
    decision = Decision(Effect.UNDECIDED, why, evidence=(fact,), deciding=(found.ref,))
    return Heard(engine, unmodelled=f"Calico's {found.ref}", readings=(Reading(Engine.CALICO, view, decision),))


_WITH_HOSTS = frozenset({Engine.CALICO, Engine.UNKNOWN})
_OWN = {
    Engine.CILIUM: ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"),
    Engine.CALICO: ("CalicoNetworkPolicy", "GlobalNetworkPolicy", "Tier"),
}
_SILENT = frozenset({Effect.NOT_SELECTED, Effect.NOT_ISOLATED})


def unmodelled(store: Store, name: str) -> str:
    """Return why policies may be enforced otherwise on a node (engines.md, "Windows node pools"; check X15)."""
    node = store.nodes.get(name)
    if node is None:
        return ""
    if "windows" in {node.operating_system.lower(), node.labels.get("kubernetes.io/os", "")}:
        return f"network policy on Windows nodes ({node.name})"
    if node.labels.get("type") == "virtual-kubelet":
        return f"network policy on virtual nodes ({node.name})"
    return ""


def _readings(store: Store, crossing: Crossing, direction: Direction, pod: Pod, word: Engine) -> list[Reading]:
    """Return what an engine decides, once for each way in which it may see the connection."""
    if direction is Direction.EGRESS:
        view = destination(store, crossing, pod)
        decided = Reading(word, view, _decide(store, crossing, direction, pod, word, view.who))
        if view.who.sort is not Sort.OWN_NODE or word is Engine.CILIUM:
            return [decided]
        # A Pod's own node: Azure NPM always lets through (AKS documentation, "migrate from NPM to Cilium"); Kubernetes
        # documents the same for every engine, while Calico applies policy before its endpoint-to-host action.
        exempt = Reading(word, view, Decision(Effect.EXEMPT, "traffic from a Pod to its own node is always allowed"))
        return [exempt] if word is Engine.AZURE else [exempt, decided]
    if word is Engine.AZURE and crossing.entry is Entry.CLUSTER:
        # AKS documentation, "migrate from NPM to Cilium network policy": with externalTrafficPolicy Cluster, traffic of
        # LoadBalancer and NodePort Services is not subject to ingress policy, not even to one that denies everything.
        why = (
            "Azure NPM does not subject LoadBalancer and NodePort traffic with externalTrafficPolicy Cluster "
            "to ingress policy"
        )
        return [Reading(word, view, Decision(Effect.EXEMPT, why)) for view in sources(store, word, crossing, pod)]
    found = []
    for view in sources(store, word, crossing, pod):
        if view.who.sort is Sort.OWN_NODE:
            why = "traffic from a Pod's own node is always allowed"
            found.append(Reading(word, view, Decision(Effect.EXEMPT, why)))
        else:
            found.append(Reading(word, view, _decide(store, crossing, direction, pod, word, view.who)))
    return found


def _decide(store: Store, crossing: Crossing, direction: Direction, pod: Pod, word: Engine, who: Who) -> Decision:
    asked = Asked(direction, pod, who, Target.of(crossing), crossing.packet)
    return compiled(store).decide(engine_rules(store, word), asked)
