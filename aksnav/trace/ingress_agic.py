"""How the Application Gateway Ingress Controller reads an Ingress: as App Gateway path rules.

Application Gateway matches ``/foo*`` as a prefix of characters, so pathType Prefix ``/foo`` takes ``/foobar`` too,
against the specification (Azure/application-gateway-kubernetes-ingress pkg/appgw/requestroutingrules.go).
"""

from collections.abc import Sequence

from aksnav.store import Store
from aksnav.trace import ingress_answer
from aksnav.trace.hostnames import bare, choose
from aksnav.trace.ingress_answer import Decision
from aksnav.trace.ingress_rules import Rule, Rules, considered, element_prefix
from aksnav.trace.packet import Packet
from aksnav.trace.routing_types import Controller, Routing
from aksnav.trace.step import Evidence

PREFIX = "appgw.ingress.kubernetes.io/"


def pattern_of(rule: Rule) -> str:
    """Return the path of the App Gateway rule that AGIC writes; empty for the default of the path map.

    Prefix gets a trailing ``*``, Exact loses one, ImplementationSpecific is written as it is; an empty path, ``/`` and
    ``/*`` become the default of the path map, whatever their type.
    """
    if rule.path in {"", "/", "/*"}:
        return ""
    if rule.path_type == "Prefix":
        return rule.path if rule.path.endswith("*") else f"{rule.path}*"
    return rule.path.rstrip("*") if rule.path_type == "Exact" else rule.path


def matches(pattern: str, path: str) -> bool:
    """Return whether an App Gateway path pattern takes a path; letter case does not count there."""
    lowered, wanted = path.lower(), pattern.lower()
    return lowered.startswith(wanted[:-1]) if wanted.endswith("*") else lowered == wanted


def route(store: Store, controller: Controller, packet: Packet, rules: Rules) -> Routing:
    """Return what an Application Gateway that AGIC configures does with a request."""
    host = bare(packet.host)
    chosen_host = choose(rules.by_host, host)
    candidates = rules.by_host.get(chosen_host, ()) if chosen_host is not None else ()
    rule, beaten = _choose(candidates, packet.path)
    against = rule is not None and rule.path_type == "Prefix" and not element_prefix(rule.path, packet.path)
    decision = Decision(
        host=host,
        chosen_host=chosen_host,
        rule=rule,
        considered=considered(candidates, rule, beaten),
        assumptions=("Application Gateway has what AGIC writes from the Ingresses that are here now",),
        evidence=(Evidence("App Gateway path", pattern_of(rule), rule.ingress.ref, "a prefix of characters"),)
        if rule is not None and against
        else (),
    )
    if rule is None:
        return Routing(steps=(ingress_answer.no_match(controller, decision, packet, rules),), ended=True)
    step = ingress_answer.match_step(decision, rule, packet, rules)
    target = ingress_answer.target(store, controller, rule.ingress, f"{rule.field}.backend", rule.backend, packet)
    return Routing(steps=(step,), targets=(target,))


def _choose(rules: Sequence[Rule], path: str) -> tuple[Rule | None, list[Rule]]:
    """The first rule whose pattern takes the path, longer patterns first; else the default of the path map."""
    matching = [rule for rule in rules if pattern_of(rule) and matches(pattern_of(rule), path)]
    defaults = [rule for rule in rules if not pattern_of(rule)]
    chosen = max(matching, key=_rank, default=None) or next(iter(defaults), None)
    return chosen, [rule for rule in (*matching, *defaults) if rule is not chosen]


def _rank(rule: Rule) -> tuple[int, int]:
    pattern = pattern_of(rule)
    return (int(not pattern.endswith("*")), len(pattern))
