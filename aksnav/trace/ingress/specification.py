"""Controllers of which nothing else is known: the specification's reading, and an assumption that names them.

networking.k8s.io/v1, IngressRule and HTTPIngressPath: what ImplementationSpecific means is the controller's business,
so a rule of that type that may take a request makes it undecided.
"""

from collections.abc import Sequence

import msgspec

from aksnav.model.kubernetes.ingress import Ingress
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.ingress import answer as ingress_answer
from aksnav.trace.ingress.answer import Decision
from aksnav.trace.ingress.rules import Rule, Rules, element_prefix, spec_choice, spec_rank
from aksnav.trace.packet import Packet
from aksnav.trace.routing.hostnames import bare, choose
from aksnav.trace.routing.types import Controller, Flavour, Routing
from aksnav.trace.step import Considered, Kind, Step, Verdict

_OPEN = "ImplementationSpecific"
# Controllers that compare a Prefix character by character unless they are told otherwise: Traefik
# (providers.kubernetesIngress.strictPrefixMatching), and NGINX Inc.'s, which writes the path as a location.
_BY_CHARACTERS = frozenset({Flavour.TRAEFIK, Flavour.NGINX_ORG})
_SPECIAL = frozenset("()[]{}|*+?\\^$.")


def route(store: Store, controller: Controller, packet: Packet, rules: Rules) -> Routing:
    """Return what a controller that keeps to the specification does with a request.

    Args:
        store: what is known.
        controller: who received it.
        packet: the request in the clear.
        rules: what the controller serves.
    """
    host = bare(packet.host)
    chosen_host = choose(rules.by_host, host)
    candidates = rules.by_host.get(chosen_host, ()) if chosen_host is not None else ()
    name = controller.name or controller.flavour.value
    certain = [rule for rule in candidates if rule.path_type != _OPEN or rule.path == packet.path]
    rule, considered = spec_choice(certain, packet.path)
    assumptions = [f"{name} reads Ingresses by the specification"]
    if rule is not None and rule.path_type == _OPEN:
        assumptions.append(f"{name} lets an ImplementationSpecific path take the very same path")
    decision = Decision(
        host=host,
        chosen_host=chosen_host,
        rule=rule,
        considered=(*considered, *_open_rules(candidates, certain)),
        assumptions=tuple(assumptions),
    )
    open_rules = [item for item in candidates if item not in certain]
    if controller.flavour in _BY_CHARACTERS:
        open_rules += [item for item in certain if _by_characters_alone(item, packet.path)]
    doubtful = _doubtful(open_rules, rule, packet.path)
    if doubtful is not None:
        return Routing(steps=(_undecided(name, doubtful, decision, packet),), ended=True)
    if rule is not None:
        where = f"{rule.field}.backend"
        target = ingress_answer.target(store, controller, rule.ingress, where, rule.backend, packet)
        if controller.flavour is Flavour.OTHER and (target.ended or ingress_answer.is_empty(store, target)):
            line = f"{name} answers {target.empty_status} where a backend has no endpoint"
            decision = msgspec.structs.replace(decision, assumptions=(*decision.assumptions, line))
        step = ingress_answer.match_step(decision, rule, packet, rules)
        return Routing(steps=(step,), targets=(target,))
    fallback = default_ingress(rules)
    if fallback is not None and not rules.unreadable:
        return ingress_answer.default_routing(store, controller, fallback, packet, decision)
    return Routing(steps=(ingress_answer.no_match(controller, decision, packet, rules),), ended=True)


def default_ingress(rules: Rules) -> Ingress | None:
    """Return the Ingress whose default backend takes what no rule matches: one without rules first, then the oldest."""
    having = [row for row in rules.ingresses if row.default_backend is not None]
    return next((row for row in having if not row.rules), having[0] if having else None)


def _doubtful(open_rules: Sequence[Rule], chosen: Rule | None, path: str) -> Rule | None:
    """The first ImplementationSpecific rule that may go before the chosen one, under some reading of it."""
    for rule in open_rules:
        literal = literal_start(rule.path)
        may_match = path.lower().startswith(literal.rstrip("/").lower())
        if may_match and (
            chosen is None or (chosen.path_type != "Exact" and spec_rank(rule)[1] >= spec_rank(chosen)[1])
        ):
            return rule
    return None


def _by_characters_alone(rule: Rule, path: str) -> bool:
    """Whether a Prefix begins a path, and not at the end of an element."""
    return rule.path_type == "Prefix" and path.startswith(rule.path) and not element_prefix(rule.path, path)


def literal_start(path: str) -> str:
    """Return the beginning of a path that is literal under every reading: no wildcard, and no part of an expression."""
    cut = next((index for index, char in enumerate(path) if char in _SPECIAL), None)
    if cut is None:
        return path
    # A repetition may make the character before it optional.
    return path[: max(cut - 1, 0)] if path[cut] in "*?{" else path[:cut]


def _open_rules(candidates: Sequence[Rule], certain: Sequence[Rule]) -> tuple[Considered, ...]:
    return tuple(
        Considered(rule.name, False, "what ImplementationSpecific means is the controller's business")
        for rule in candidates
        if rule not in certain
    )


def _undecided(name: str, rule: Rule, decision: Decision, packet: Packet) -> Step:
    step = Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.UNSUPPORTED,
        summary=f"whether {rule.name} takes {packet.path} depends on how {name} reads {rule.path_type}",
        subject=rule.ingress.ref,
        version=rule.ingress.resource_version,
        packet=packet,
        considered=ingress_answer.limited(decision.considered),
        assumptions=decision.assumptions,
        missing=f"how {name} reads {rule.path_type} path {rule.path} of Ingress {rule.ingress.id}",
        confirm=kubectl.show(rule.ingress.ref, ".spec.rules"),
        fix="give the path the type Prefix or Exact" if rule.path_type == _OPEN else "end the path with a slash",
    )
    return msgspec.structs.replace(step, evidence=(ingress_answer.path_fact(rule),))
