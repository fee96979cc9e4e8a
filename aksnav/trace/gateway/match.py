"""Which rule of the attached routes takes a request (Gateway API v1: HTTPRouteRule.matches, GRPCRouteRule.matches)."""

from collections.abc import Mapping, Sequence

import msgspec

from aksnav.model.kubernetes.gateway import (
    GRPCMatch,
    GRPCRoute,
    GRPCRule,
    HTTPRoute,
    RouteMatch,
    RouteRule,
    ValueMatch,
    WebRoute,
)
from aksnav.trace.gateway import grpc
from aksnav.trace.gateway.attachment import Attachment
from aksnav.trace.gateway.values import UNKNOWN, compare, expression
from aksnav.trace.ingress.rules import element_prefix
from aksnav.trace.packet import Packet
from aksnav.trace.routing.hostnames import any_labels, specificity
from aksnav.trace.routing.uri import query_pairs
from aksnav.trace.step import Considered

_PATH_ORDER = {"Exact": 0, "PathPrefix": 1, "RegularExpression": 2}
_EXPRESSIONS_FIRST = {"Exact": 0, "RegularExpression": 1, "PathPrefix": 2}


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One match of one rule of one attached route, under the hostname by which the request comes to it.

    Attributes:
        original: the route's own hostname, of which ``hostname`` is what the listener has of it.
    """

    attachment: Attachment
    route: WebRoute
    hostname: str
    original: str
    rule: RouteRule | GRPCRule
    rule_index: int
    match: RouteMatch | GRPCMatch
    match_index: int

    @property
    def name(self) -> str:
        """The match as people call it."""
        route = self.route
        return f"{route.KIND} {route.id} rule {self.rule_index} {self.hostname or '*'} {describe(self.match)}"

    @property
    def field(self) -> str:
        """Path of the match in the route; of the rule where it has no matches."""
        base = f".spec.rules[{self.rule_index}]"
        return f"{base}.matches[{self.match_index}]" if self.rule.matches else base


class Chosen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The candidate that takes a request (None: 404), every one that was looked at, and what could not be evaluated."""

    candidate: Candidate | None
    considered: tuple[Considered, ...] = ()
    undecided: tuple[Candidate, str] | None = None
    assumptions: tuple[str, ...] = ()


def describe(match: RouteMatch | GRPCMatch) -> str:
    """Return a match in words."""
    if isinstance(match, GRPCMatch):
        return grpc.describe(match)
    parts = [f"{match.path.type} {match.path.value}"]
    parts += [match.method] if match.method else []
    parts += [f"header {item.name}: {item.value}" for item in match.headers]
    parts += [f"query {item.name}={item.value}" for item in match.query_params]
    return ", ".join(parts)


def candidates(attachments: Sequence[Attachment], host: str, *, expressions_first: bool = False) -> list[Candidate]:
    """Return every match of the routes whose hostname takes a host, under the most specific hostname, best first.

    Args:
        attachments: the routes under a listener.
        host: that is asked for.
        expressions_first: expressions go before prefixes, as Envoy Gateway has it; their place is up to the controller.
    """
    found: list[Candidate] = []
    for attachment in attachments:
        fitting = [
            pair for pair in zip(attachment.hostnames, attachment.originals, strict=True) if any_labels(pair[0], host)
        ]
        route = attachment.route
        if not fitting or not isinstance(route, HTTPRoute | GRPCRoute):
            continue
        hostname, original = max(fitting, key=lambda pair: (specificity(pair[0]), specificity(pair[1])))
        rules: Sequence[RouteRule | GRPCRule] = route.rules
        for index, rule in enumerate(rules):
            found += [
                Candidate(
                    attachment=attachment,
                    route=route,
                    hostname=hostname,
                    original=original,
                    rule=rule,
                    rule_index=index,
                    match=match,
                    match_index=place,
                )
                for place, match in enumerate(_matches_of(rule))
            ]
    order = _EXPRESSIONS_FIRST if expressions_first else _PATH_ORDER
    return sorted(found, key=lambda item: precedence(item, order))


def _matches_of(rule: RouteRule | GRPCRule) -> Sequence[RouteMatch | GRPCMatch]:
    if rule.matches:
        return rule.matches
    return (RouteMatch(),) if isinstance(rule, RouteRule) else (GRPCMatch(),)


def precedence(item: Candidate, paths: Mapping[str, int] = _PATH_ORDER) -> tuple[object, ...]:
    """Return the sort key of a candidate, the one that goes first being smallest.

    Hostname (characters without wildcard, characters), and of equal ones the route's own; HTTPRoute: Exact path,
    longest prefix, expression (in the order of ``paths``), method, headers, query parameters; GRPCRoute: service,
    method, headers; then the older route, its namespace and name, and the first rule.
    """
    exact, length = specificity(item.hostname)
    own_exact, own_length = specificity(item.original)
    match = item.match
    if isinstance(match, GRPCMatch):
        order: tuple[object, ...] = (-len(match.method.service), -len(match.method.method), -len(match.headers), 0, 0)
    else:
        order = (
            paths.get(match.path.type, len(paths)),
            -len(match.path.value),
            not match.method,
            -len(match.headers),
            -len(match.query_params),
        )
    # Routes of both kinds never share a host of a listener: their keys are not compared with each other.
    names = (-exact, -length, -own_exact, -own_length, item.route.KIND)
    return (*names, *order, item.route.created, item.route.id, item.rule_index, item.match_index)


def choose(ordered: Sequence[Candidate], packet: Packet, *, whole_hosts: bool, expressions: bool) -> Chosen:
    """Return the candidate that takes a request.

    Args:
        ordered: from ``candidates``.
        packet: the request.
        whole_hosts: only rules under the most specific hostname are looked at, as Envoy's virtual hosts have it.
        expressions: RegularExpression is RE2 and matches the whole value, as Istio has it; else not evaluated.
    """
    said: list[Considered] = []
    best = ordered[0].hostname if ordered else ""
    undecided: tuple[Candidate, str] | None = None
    for position, item in enumerate(ordered):
        if whole_hosts and item.hostname != best:
            said.append(Considered(item.name, False, f"hostname {best or '*'} is more specific and takes every path"))
            continue
        word = matches(item.match, packet, expressions=expressions)
        if word == "":
            said.append(Considered(item.name, True, "the first in the order of precedence that matches"))
            rest = ordered[position + 1 :]
            said += [Considered(other.name, False, "comes later in the order of precedence") for other in rest]
            undecided = undecided or (None if expressions else _rival_expression(item, rest, packet))
            assumptions = (*_assume(item), *_by_own_hostname(item, rest, packet, expressions=expressions))
            return Chosen(candidate=item, considered=tuple(said), undecided=undecided, assumptions=assumptions)
        said.append(Considered(item.name, False, word.removeprefix(UNKNOWN)))
        if word.startswith(UNKNOWN) and undecided is None:
            undecided = (item, word.removeprefix(UNKNOWN))
    return Chosen(candidate=None, considered=tuple(said), undecided=undecided)


def _rival_expression(item: Candidate, rest: Sequence[Candidate], packet: Packet) -> tuple[Candidate, str] | None:
    """An expression that may take the request in place of a prefix: which goes first is up to the controller.

    NGINX asks expressions before prefixes (ngx_http_core_module, location); an exact path goes before both.
    """
    if isinstance(item.match, GRPCMatch) or item.match.path.type == "Exact":
        return None
    for other in rest:
        if other.hostname == item.hostname and not isinstance(other.match, GRPCMatch):
            word = matches(other.match, packet, expressions=False)
            if other.match.path.type == "RegularExpression" and word.startswith(UNKNOWN):
                return other, word.removeprefix(UNKNOWN)
    return None


def _by_own_hostname(
    item: Candidate, rest: Sequence[Candidate], packet: Packet, *, expressions: bool
) -> tuple[str, ...]:
    """What is taken for granted where the routes' own hostnames decide, which is an extended feature.

    HTTPRouteSpec.hostnames: GatewayRouteHostnameIntersectionPrecedence.
    """
    for other in rest:
        if other.hostname != item.hostname or other.original == item.original:
            continue
        earlier = (*precedence(other)[:2], *precedence(other)[4:]) < (*precedence(item)[:2], *precedence(item)[4:])
        if earlier and matches(other.match, packet, expressions=expressions) == "":
            return (
                f"the controller goes by the routes' own hostnames: {item.original} before {other.original or '*'}",
            )
    return ()


def _assume(item: Candidate) -> tuple[str, ...]:
    match = item.match
    if isinstance(match, GRPCMatch):
        regex = grpc.has_expression(match)
    else:
        regex = any(part.type == "RegularExpression" for part in (match.path, *match.headers, *match.query_params))
    return ("regular expressions (RE2) are read as Python's",) if regex else ()


def matches(match: RouteMatch | GRPCMatch, packet: Packet, *, expressions: bool) -> str:
    """Return why a match does not take a request; an empty string if it does; ``? why`` if that is not evaluated."""
    if isinstance(match, GRPCMatch):
        return grpc.matches(match, packet, expressions=expressions)
    word = _path(match.path, packet.path, expressions=expressions)
    if word and not word.startswith(UNKNOWN):
        return word
    if match.method and match.method != packet.method:
        return f"the method is {packet.method}, not {match.method}"
    headers = {"host": packet.host, **dict(reversed(packet.headers))}
    query = dict(reversed(query_pairs(packet.query)))
    words = [word]
    wanted = {item.name.lower(): item for item in reversed(match.headers)}.values()  # of one name the first counts
    words += [compare(item, headers.get(item.name.lower()), "header", expressions=expressions) for item in wanted]
    words += [
        compare(item, query.get(item.name), "query parameter", expressions=expressions) for item in match.query_params
    ]
    return next((one for one in words if one and not one.startswith(UNKNOWN)), next((one for one in words if one), ""))


def _path(wanted: ValueMatch, path: str, *, expressions: bool) -> str:
    if wanted.type == "Exact":
        return "" if path == wanted.value else f"the path is not {wanted.value}"
    if wanted.type in {"PathPrefix", ""}:
        return "" if element_prefix(wanted.value or "/", path) else f"the path does not begin with {wanted.value}"
    return expression(wanted.type, wanted.value, path, "path", expressions=expressions)
