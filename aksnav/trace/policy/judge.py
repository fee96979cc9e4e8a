"""The policy steps of a connection: egress at the source Pod, ingress at the destination Pod."""

from shlex import quote
from typing import Any

import msgspec

from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.kinds import KINDS
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.store.table import Table
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Entry
from aksnav.trace.policy import admit, causes
from aksnav.trace.policy.calico.hosts import unread
from aksnav.trace.policy.cautions import cautions
from aksnav.trace.policy.cilium import admit as cilium_admit
from aksnav.trace.policy.compiled import CALICO, compiled
from aksnav.trace.policy.decision import DROPS, Decision, Direction, Effect
from aksnav.trace.policy.engines import TITLES, Engine, EngineReading
from aksnav.trace.policy.readings import Heard, Reading, ends, hear
from aksnav.trace.policy.rules import DEPENDS
from aksnav.trace.policy.who import Sort, View
from aksnav.trace.readable import stale
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict


def judge(store: Store, crossing: Crossing) -> tuple[Step, ...]:
    """Return what network policies do with a connection, at both ends.

    The first packet decides; replies of an admitted connection are admitted (networking/v1 NetworkPolicy).

    Args:
        store: what is known.
        crossing: the connection after destination translation. ``source`` is the client as it came to the cluster;
            with ``Entry.CLUSTER`` what the engine sees of it follows from ``entry_node`` (aks-networking.md, T3).

    Returns:
        An egress step where the source is a Pod, and an ingress step where the destination is one.
    """
    return tuple(_judge(store, crossing, direction, pod) for direction, pod in ends(crossing))


OTHER_CLIENT = "the client is in none of the ranges that policies admit"
_SKIPS = {
    "host-network": "it has its node's network, which policies do not select",
    "loopback": "a Pod's traffic to itself is not subject to policy",
}


class _Asked(msgspec.Struct, frozen=True, gc=False):
    """One end of a connection: the Pod whose policies are asked, for which direction, and the engine that has a say."""

    store: Store
    crossing: Crossing
    direction: Direction
    pod: Pod
    engine: EngineReading


def _judge(store: Store, crossing: Crossing, direction: Direction, pod: Pod) -> Step:
    heard = hear(store, crossing, direction, pod)
    asked = _Asked(store, crossing, direction, pod, heard.engine)
    if heard.skip == "engine-none":
        return _without_engine(asked)
    if heard.skip:
        field = ".spec.hostNetwork" if heard.skip == "host-network" else ".metadata.name"
        fact = Evidence(field, "true" if heard.skip == "host-network" else pod.name, _ref(pod))
        step = _skip(asked, heard.skip, _SKIPS[heard.skip], fact)
        return _with_host_policies(asked, step) if heard.skip == "host-network" else step
    if heard.missing:
        return _blind(asked, heard)
    if heard.unmodelled:
        return _unmodelled(asked, heard)
    return _step(asked, list(heard.readings))


def _with_host_policies(asked: _Asked, step: Step) -> Step:
    """Return the step of a Pod in its node's network with Cilium's policies for nodes, which need a host firewall."""
    node = asked.store.nodes.get(asked.pod.node)
    if asked.engine.engine is not Engine.CILIUM or node is None:
        return step
    found = compiled(asked.store).for_nodes(node.labels)
    if not found:
        return step
    told = ", ".join(ref.id for ref, _ in found)
    return msgspec.structs.replace(
        step,
        considered=tuple(
            Considered(str(ref), False, why, "not-applicable", why.partition(":")[0]) for ref, why in found
        ),
        assumptions=(*step.assumptions, f"Cilium's host firewall is off, so that {told} is not enforced on nodes"),
    )


def _step(asked: _Asked, readings: list[Reading]) -> Step:
    undecided = [item for item in readings if item.decision.effect is Effect.UNDECIDED]
    passing = [item for item in readings if item.passes]
    stopping = [item for item in readings if item.stops]
    if passing and len(passing) == len(readings):
        return _passes(asked, passing)
    if stopping and len(stopping) == len(readings):
        return _stops(asked, stopping)
    if undecided and not passing and not stopping:
        return _undecided(asked, undecided[0])
    return _differing(asked, readings)


def _passes(asked: _Asked, readings: list[Reading]) -> Step:
    # The reading that took a rule to pass tells most; the others passed as well.
    telling = next((item for item in readings if item.decision.effect is Effect.ADMITTED), readings[0])
    decision = telling.decision
    if decision.effect in {Effect.NOT_SELECTED, Effect.NOT_ISOLATED}:
        return msgspec.structs.replace(
            _skip(asked, decision.effect.value, decision.why, *(decision.evidence or _labels(asked.pod))),
            considered=decision.considered,
            assumptions=(*_stale(asked), *decision.assumptions),
        )
    if decision.effect is Effect.EXEMPT and telling.view.who.sort is Sort.OWN_NODE:
        fact = Evidence(".spec.nodeName", asked.pod.node, _ref(asked.pod))
        return _skip(asked, "same-node", decision.why, fact)
    return Step(
        kind=Kind.POLICY,
        verdict=Verdict.PASS,
        summary=f"{_words(asked)}: {decision.why}",
        subject=decision.deciding[0] if decision.deciding else _ref(asked.pod),
        version=_version(decision),
        packet=_seen(asked.crossing, telling.view),
        evidence=(*decision.evidence, *_engine_facts(asked.engine)),
        considered=(*decision.considered, *_views(readings)),
        assumptions=(*_assumptions(asked), *_cautions(asked, telling), *decision.assumptions),
        confirm=_confirm(asked.pod, decision),
    )


def _stops(asked: _Asked, readings: list[Reading]) -> Step:
    telling = readings[0]
    decision = telling.decision
    ends_here = (asked.store, asked.crossing, asked.direction, asked.pod)
    case = causes.Case(*ends_here, telling.engine, telling.view.who, decision)
    cause = causes.cause(case)
    by_proxy = all(item.decision.effect is Effect.HTTP_DENIED for item in readings)
    http = by_proxy and decision.layer7 not in _REFUSED
    if len({item.decision.effect in DROPS for item in readings}) > 1:
        return _differing(asked, readings)
    return Step(
        kind=Kind.POLICY,
        verdict=Verdict.RESPOND if http else Verdict.REJECT if by_proxy else Verdict.DROP,
        status=403 if http else 0,
        summary=f"{_words(asked)}: {decision.why}{cause.said}",
        subject=decision.deciding[0] if decision.deciding else _ref(asked.pod),
        version=_version(decision),
        packet=_seen(asked.crossing, telling.view),
        cause=cause.id,
        evidence=(*decision.evidence, *cause.evidence, *_engine_facts(asked.engine)),
        considered=(*decision.considered, *_views(readings)),
        assumptions=(
            *_assumptions(asked),
            *_cautions(asked, telling),
            *decision.assumptions,
            *((OTHER_CLIENT,) if any(item.why.endswith(DEPENDS) for item in decision.considered) else ()),
        ),
        confirm=_confirm(asked.pod, decision),
        fix=cause.fix,
        addition=_addition(case, readings, cause.id),
    )


# Where Cilium's proxy answers a question for a name with REFUSED, and a TLS handshake with a reset.
_REFUSED = frozenset({"dns", "tls"})
# Causes that mean that nobody has thought of admitting it; of the others, the rule that is meant to admit it is wrong.
_ADDITIVE = frozenset({"P01", "P06", "P08", "P18"})
# Cilium's own policies name what no NetworkPolicy does: what they deny by default, and a Pod's own node.
_ADDITIVE_CILIUM = _ADDITIVE | {"P09", "P20"}


def _addition(case: causes.Case, readings: list[Reading], cause: str) -> str:
    asked = (case.store, case.crossing, case.direction, case.pod, tuple(readings))
    found = admit.addition(*asked) if cause in _ADDITIVE else None
    if found is None and case.engine is Engine.CILIUM and cause in _ADDITIVE_CILIUM:
        found = cilium_admit.addition(*asked)
    return admit.encoded(found)


def _unmodelled(asked: _Asked, heard: Heard) -> Step:
    step = _undecided(asked, heard.readings[0])
    return msgspec.structs.replace(
        step,
        summary=f"{_words(asked)}: {heard.unmodelled} is not modelled",
        missing=heard.unmodelled,
        fix="",
    )


def _undecided(asked: _Asked, reading: Reading) -> Step:
    decision = reading.decision
    return Step(
        kind=Kind.POLICY,
        verdict=Verdict.UNSUPPORTED,
        summary=f"{_words(asked)}: cannot be decided: {decision.why}",
        subject=decision.deciding[0] if decision.deciding else _ref(asked.pod),
        version=_version(decision),
        packet=_seen(asked.crossing, reading.view),
        evidence=(*decision.evidence, *_engine_facts(asked.engine)),
        considered=decision.considered,
        missing=decision.why,
        confirm=_confirm(asked.pod, decision),
        fix="correct or remove the policy, or make what it refers to readable",
    )


def _differing(asked: _Asked, readings: list[Reading]) -> Step:
    """Readings that cannot be told apart and differ: the answer hangs on what is not known."""
    telling = next(item for item in readings if not item.passes)
    told = "; ".join(dict.fromkeys(_reading(item) for item in readings))
    if asked.engine.engine is Engine.UNKNOWN:
        what, missing = "it depends on the policy engine", asked.engine.missing
    else:
        what, missing = "it depends on which source address the engine sees", "the node that takes the packet"
    return Step(
        kind=Kind.POLICY,
        verdict=Verdict.BLIND if asked.engine.engine is Engine.UNKNOWN else Verdict.UNSUPPORTED,
        summary=f"{_words(asked)}: {what}: {told}",
        subject=telling.decision.deciding[0] if telling.decision.deciding else _ref(asked.pod),
        packet=_seen(asked.crossing, telling.view),
        evidence=(*telling.decision.evidence, *_engine_facts(asked.engine)),
        considered=(*telling.decision.considered, *_views(readings)),
        missing=missing,
        confirm=_confirm(asked.pod, telling.decision),
        fix="make the readings agree: admit the peer by selectors and by address, or keep it out of both",
    )


def _without_engine(asked: _Asked) -> Step:
    step = _skip(asked, "engine-none", "no policy engine runs in this cluster", *asked.engine.evidence)
    # Without policies it does not matter who would enforce them.
    any_policy = len(asked.store.network_policies) or not asked.store.network_policies.access().complete
    assumed = (asked.engine.assumed,) if asked.engine.assumed and any_policy else ()
    step = msgspec.structs.replace(step, assumptions=(*assumed, *_stale(asked)))
    if not compiled(asked.store).has_policies(asked.pod.namespace):
        return step
    note = Considered("every NetworkPolicy", False, "policies exist in the namespace, and nothing enforces them (P10)")
    return msgspec.structs.replace(step, considered=(note,))


def _skip(asked: _Asked, reason: str, why: str, *facts: Evidence) -> Step:
    return Step(
        kind=Kind.POLICY,
        verdict=Verdict.SKIP,
        summary=f"{_words(asked)}: does not apply ({reason}): {why}",
        subject=_ref(asked.pod),
        packet=asked.crossing.packet,
        evidence=facts,
        confirm=f"kubectl -n {quote(asked.pod.namespace)} get networkpolicy",
    )


def _blind(asked: _Asked, heard: Heard) -> Step:
    kind = KINDS[heard.unread]
    what, scope = f"{kind.plural}.{kind.group}", f"-n {quote(asked.pod.namespace)} " if kind.namespaced else ""
    return Step(
        kind=Kind.POLICY,
        verdict=Verdict.BLIND,
        summary=f"{_words(asked)}: network policies cannot be read",
        subject=_ref(asked.pod),
        packet=asked.crossing.packet,
        missing=heard.missing,
        confirm=f"kubectl {scope}auth can-i list {what}",
        fix=f"grant list and watch on {what}",
    )


def _reading(item: Reading) -> str:
    word = "passes" if item.passes else "is undecided" if item.decision.effect is Effect.UNDECIDED else "is stopped"
    return f"{TITLES[item.engine]}, source seen as {item.view.who.name}: {word} ({item.decision.why})"


def _views(readings: list[Reading]) -> tuple[Considered, ...]:
    if len(readings) <= 1 and not readings[0].view.why:
        return ()
    return tuple(
        Considered(
            f"{TITLES[item.engine]}, peer {item.view.who.name}", item is readings[0], item.view.why or item.decision.why
        )
        for item in readings
    )


def _assumptions(asked: _Asked) -> tuple[str, ...]:
    found = [*_stale(asked), *stale(asked.store.namespaces)]
    if asked.engine.engine is Engine.UNKNOWN:
        found.append("a policy engine runs in the cluster: Azure NPM, Calico and Cilium agree here")
    if asked.engine.engine is Engine.CALICO:
        found += unread(asked.store)
    return tuple(found)


def _stale(asked: _Asked) -> tuple[str, ...]:
    """Return which of the policies that the engine reads are known from before only."""
    store, engine = asked.store, asked.engine
    own: tuple[Table[Any], ...] = ()
    if engine.engine is Engine.CILIUM:
        own = (store.cilium_policies, store.cilium_clusterwide_policies, store.cilium_cidr_groups)
    elif engine.engine is Engine.CALICO:
        own = tuple(store.tables[kind] for kind in CALICO)
    told = (fact.subject for fact in engine.evidence)
    profile = (store.clusters,) if any(ref is not None and ref.kind == ManagedCluster.KIND for ref in told) else ()
    return stale(store.network_policies, *own, *profile)


def _cautions(asked: _Asked, reading: Reading) -> tuple[str, ...]:
    return cautions(asked.store, reading.engine, reading.decision, asked.crossing.destination.pod)


def _engine_facts(engine: EngineReading) -> tuple[Evidence, ...]:
    return tuple(
        msgspec.structs.replace(fact, note=f"the engine is {TITLES[engine.engine]}") for fact in engine.evidence
    )


def _labels(pod: Pod) -> tuple[Evidence, ...]:
    return (Evidence(".metadata.labels", str(pod.labels) or "(none)", _ref(pod), "no policy selects them"),)


def _version(decision: Decision) -> str:
    ref = decision.deciding[0] if decision.deciding else None
    return next((word.version for word in decision.words if word.ref == ref), "")


def _confirm(pod: Pod, decision: Decision) -> str:
    kind = decision.deciding[0].kind if decision.deciding else "NetworkPolicy"
    names = " ".join(quote(ref.name) for ref in decision.deciding if ref.kind == kind)
    known = KINDS[kind]
    word = f"{known.plural}.{known.group}" if known.elsewhere[0] else kind.lower()
    scope = f"-n {quote(pod.namespace)} " if known.namespaced else ""
    return " ".join(f"kubectl {scope}get {word} {names} -o yaml".split())


def _seen(crossing: Crossing, view: View) -> Packet:
    """Return the packet as the engine sees it: with the rewritten source where the entry rewrote it."""
    who = view.who
    if crossing.entry is Entry.CLUSTER and who.sort in {Sort.OWN_NODE, Sort.OTHER_NODE} and who.address is not None:
        return msgspec.structs.replace(crossing.packet, source=who.address, source_word="")
    return crossing.packet


def _words(asked: _Asked) -> str:
    return f"{asked.direction.value.lower()} policy of Pod {asked.pod.id}"


def _ref(pod: Pod) -> Ref:
    return Ref(Pod.KIND, pod.id)
