"""Rules that no request can reach, and for each the rule that hides it, as each controller reads them.

ingress-nginx writes expressions longest first (docs/user-guide/ingress-path-matching.md), Application Gateway takes the
first path rule whose characters match (application-gateway/url-route-overview.md), and the specification knows no
difference between ``/foo`` and ``/foo/`` of type Prefix.
"""

from collections.abc import Iterator, Sequence

import msgspec

from aksnav.store import Store
from aksnav.trace.ingress import nginx_locations
from aksnav.trace.ingress.agic_listeners import listeners_of, pattern_of
from aksnav.trace.ingress.nginx_servers import Servers, servers_of
from aksnav.trace.ingress.rules import Rule, Rules
from aksnav.trace.memo import once
from aksnav.trace.routing.safe_regex import Refused, compile_safely
from aksnav.trace.routing.types import NGINX, Controller, Flavour
from aksnav.trace.step import Considered, Kind, Step

_SPECIAL = frozenset("()[]{}|*+?\\^$.")
# What looks beyond the characters that it matches: with it, a match need not stay one when the path goes on.
_LOOKING_ON = ("$", "\\b", "\\B", "\\Z", "\\z", "(?=", "(?!", "(?<")


class Hidden(msgspec.Struct, frozen=True, gc=False):
    """A rule that gets no request.

    Attributes:
        rule: which; by: the rule that takes every request that it would take.
        why: how it comes about.
        same: both have the same host and path.
        sure: it holds whatever the load balancer makes of the order of rules.
    """

    rule: Rule
    by: Rule
    why: str
    same: bool = False
    sure: bool = True


def hidden_rules(store: Store, controller: Controller, rules: Rules) -> tuple[Hidden, ...]:
    """Return the rules of a controller that no request can reach, each once."""
    name = f"hidden rules of {','.join(controller.classes)}"
    kinds = ("Ingress", "IngressClass", "Secret", "AzureIngressProhibitedTarget")
    return once(store, name, kinds, lambda: tuple(_unique(_hidden(store, controller, rules))))


def told(store: Store, controller: Controller, rules: Rules, step: Step) -> Step:
    """Return the step of a match with the word on rules that it looked at and that can never be reached."""
    known = {item.rule.name: item for item in hidden_rules(store, controller, rules) if not item.same}
    if step.kind is not Kind.ROUTE_MATCH or not known:
        return step
    considered = tuple(
        Considered(item.rule, False, f"can never be reached: {known[item.rule].why} (I25)")
        if item.rule in known and not item.decided
        else item
        for item in step.considered
    )
    return msgspec.structs.replace(step, considered=considered)


def _unique(found: Iterator[Hidden]) -> Iterator[Hidden]:
    seen: set[tuple[str, str]] = set()
    for item in found:
        key = (item.rule.ingress.id, item.rule.field)
        if key not in seen:
            seen.add(key)
            yield item


def _hidden(store: Store, controller: Controller, rules: Rules) -> Iterator[Hidden]:
    if controller.flavour in NGINX:
        servers = servers_of(rules)
        for host, listed in rules.by_host.items():
            yield from _of_server(servers, host, listed)
    elif controller.flavour is Flavour.AGIC:
        yield from _of_listeners(store, controller, rules)
    else:
        for listed in rules.by_host.values():
            yield from _by_specification(listed)


def _of_server(servers: Servers, host: str, listed: tuple[Rule, ...]) -> Iterator[Hidden]:
    default = servers.default_rule(host)
    server = nginx_locations.build(host, listed, default if host else None)
    for rule, by in server.shadowed:
        yield Hidden(rule, by, f"{by.ingress.id} has the same host and path, and came first", same=True)
    if not host and default is not None:
        for rule in server.rules:
            if rule.path == "/" and nginx_locations.is_prefix(rule):
                why = f"the default backend of {default.ingress.id} has the location / of every other name"
                yield Hidden(rule, default, why)
    if server.forced_regex is None:
        return
    reached: set[int] = set()
    taken: dict[int, tuple[Rule, Rule]] = {}
    # Of a longer location only an expression takes a shorter literal path, so only those are tried.
    expressions: list[nginx_locations.Location] = []
    for item in server.locations:
        path = item.pattern.removeprefix("^")
        taker: Rule | None = None
        if _SPECIAL & set(path):
            expressions.append(item)
        else:
            taker = _taker(expressions, item.rule, path)
        if taker is None:
            reached.add(id(item.rule))
        else:
            taken.setdefault(id(item.rule), (item.rule, taker))
    for key, (rule, by) in taken.items():
        if key not in reached:
            why = f"the longer expression {by.path} of {by.ingress.id} takes every path that it would"
            yield Hidden(rule, by, why)


def _taker(earlier: Sequence[nginx_locations.Location], rule: Rule, path: str) -> Rule | None:
    """The rule of an expression that takes a literal path, and with it everything that begins so."""
    for item in earlier:
        if item.rule is rule or any(part in item.pattern for part in _LOOKING_ON):
            continue
        compiled = compile_safely(item.pattern, path, ignore_case=True)
        if not isinstance(compiled, Refused) and compiled.search(path):
            return item.rule
    return None


def _of_listeners(store: Store, controller: Controller, rules: Rules) -> Iterator[Hidden]:
    for listener in listeners_of(store, controller, rules).listeners:
        for rule, by in listener.shadowed:
            why = f"{by.ingress.id} has the same host and path, and AGIC takes one rule of each"
            yield Hidden(rule, by, why, same=True, sure=rule.ingress.id == by.ingress.id)
        for index, rule in enumerate(listener.paths):
            wanted = pattern_of(rule).lower()
            for by in listener.paths[:index]:
                taking = pattern_of(by).lower()
                if taking.endswith("*") and wanted.startswith(taking[:-1]):
                    why = f"{pattern_of(by)} of {by.ingress.id} stands before it, and takes every path that it would"
                    yield Hidden(rule, by, why, sure=False)
                    break


def _by_specification(listed: tuple[Rule, ...]) -> Iterator[Hidden]:
    kept: dict[tuple[str, str], Rule] = {}
    for rule in listed:
        path = rule.path.rstrip("/") if rule.path_type == "Prefix" else rule.path
        by = kept.setdefault((path, rule.path_type), rule)
        if by is not rule:
            why = f"{by.ingress.id} has the same host and path, and came first"
            yield Hidden(rule, by, why, same=True)
