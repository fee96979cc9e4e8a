"""Canary Ingresses of ingress-nginx: header, cookie, weight (lua/balancer.lua, route_to_alternative_balancer)."""

import msgspec

from aksnav.model.kubernetes.ingress import Ingress
from aksnav.store import Store
from aksnav.trace.ingress import answer as ingress_answer
from aksnav.trace.ingress.nginx_locations import annotation, enabled, same_location, upstream_of, winning_order
from aksnav.trace.ingress.nginx_servers import Servers
from aksnav.trace.ingress.rules import Rule, Rules, whole_number
from aksnav.trace.packet import Packet
from aksnav.trace.routing.safe_regex import Refused, compile_safely
from aksnav.trace.routing.types import Controller, Target
from aksnav.trace.step import Considered

_LEAST_TOTAL = 100


def share(
    store: Store, controller: Controller, rules: Rules, servers: Servers, rule: Rule, main: Target
) -> tuple[tuple[Target, ...], tuple[Considered, ...]]:
    """Return the targets of a main rule: itself, a canary, or both with their weights; and why.

    A canary hangs on the upstream (Service and port) of the main rule of its host and path, so every other rule of that
    upstream has it too; only the first one counts; and one without endpoints gets nothing
    (internal/ingress/controller/controller.go, mergeAlternativeBackends).
    """
    candidates = [other for other in servers.canaries if _hangs_on(rules, other, rule)]
    if not candidates:
        return (main,), ()
    canary, said = (
        candidates[0],
        [Considered(other.name, False, "a second canary of the same Service is ignored") for other in candidates[1:]],
    )
    target = ingress_answer.target(
        store, controller, canary.ingress, f"{canary.field}.backend", canary.backend, main.packet
    )
    part, why = weight(canary.ingress, main.packet)
    if target.ended or ingress_answer.is_empty(store, target):
        part, why = 0.0, "its Service has no endpoint: all goes to the main rule"
    said.insert(0, Considered(f"{canary.name} canary", part is None or part > 0, why))
    if part == 0:
        return (main,), tuple(said)
    if part == 1:
        return (target,), tuple(said)
    rest = None if part is None else 1 - part
    return (
        msgspec.structs.replace(main, weight=rest),
        msgspec.structs.replace(target, weight=part, label=f"{target.label} (canary)"),
    ), tuple(said)


def without_main(rules: Rules, servers: Servers) -> list[Rule]:
    """Return the rules of canary Ingresses that no main rule has the host and path of: they do nothing."""
    return [other for other in servers.canaries if _main_of(rules, other) is None]


def _main_of(rules: Rules, canary: Rule) -> Rule | None:
    ordered = winning_order(rules.by_host.get(canary.host, ()))
    mains = (rule for rule in ordered if not enabled(rule.ingress, "canary"))
    return next((rule for rule in mains if same_location(rule, canary)), None)


def _hangs_on(rules: Rules, canary: Rule, rule: Rule) -> bool:
    main = _main_of(rules, canary)
    upstream = upstream_of(rule)
    return main is not None and upstream_of(main) == upstream and upstream_of(canary) != upstream


def weight(ingress: Ingress, packet: Packet) -> tuple[float | None, str]:
    """Return a canary's share of a request, 0 to 1 (None where nobody can say), and the rule that decides it."""
    header = annotation(ingress, "canary-by-header").lower()
    sent = dict(packet.headers)
    if header and header in sent:
        value, wanted = sent[header], annotation(ingress, "canary-by-header-value")
        pattern = annotation(ingress, "canary-by-header-pattern")
        if wanted:
            if value == wanted:
                return 1.0, f"header {header} has the value of canary-by-header-value"
        elif pattern:
            compiled = compile_safely(pattern, value)
            if isinstance(compiled, Refused):
                return None, f"canary-by-header-pattern is not evaluated: {compiled.why}"
            if compiled.search(value):
                return 1.0, f"header {header} matches canary-by-header-pattern"
        elif value in {"always", "never"}:
            return (1.0 if value == "always" else 0.0), f"header {header} is {value}"
    cookie = annotation(ingress, "canary-by-cookie")
    crumb = _cookie(sent.get("cookie", ""), cookie) if cookie else ""
    if crumb in {"always", "never"}:
        return (1.0 if crumb == "always" else 0.0), f"cookie {cookie} is {crumb}"
    return _by_weight(ingress)


def _by_weight(ingress: Ingress) -> tuple[float, str]:
    # Lua takes the total for 100 where it is less.
    total = max(whole_number(annotation(ingress, "canary-weight-total")) or 0, _LEAST_TOTAL)
    parts = whole_number(annotation(ingress, "canary-weight")) or 0
    return min(parts / total, 1.0), f"canary-weight is {parts} of {total}"


def _cookie(header: str, name: str) -> str:
    for part in header.split(";"):
        key, equals, value = part.strip().partition("=")
        if equals and key == name:
            return value.strip('"')
    return ""
