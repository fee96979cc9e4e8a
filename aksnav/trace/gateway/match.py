"""Which rule of the attached HTTPRoutes takes a request (Gateway API v1: HTTPRouteRule.matches)."""

from collections.abc import Sequence

import msgspec

from aksnav.model.kubernetes.gateway import RouteMatch, RouteRule, ValueMatch
from aksnav.trace.gateway.attach import Attachment
from aksnav.trace.ingress.rules import element_prefix
from aksnav.trace.packet import Packet
from aksnav.trace.routing.hostnames import any_labels, specificity
from aksnav.trace.routing.safe_regex import Refused, compile_safely
from aksnav.trace.routing.uri import query_pairs
from aksnav.trace.step import Considered

_PATH_ORDER = {"Exact": 0, "PathPrefix": 1, "RegularExpression": 2}


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One match of one rule of one attached route, under the hostname by which the request comes to it."""

    attachment: Attachment
    hostname: str
    rule: RouteRule
    rule_index: int
    match: RouteMatch
    match_index: int

    @property
    def name(self) -> str:
        """The match as people call it."""
        route = self.attachment.route
        return f"HTTPRoute {route.id} rule {self.rule_index} {self.hostname or '*'} {describe(self.match)}"

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


def describe(match: RouteMatch) -> str:
    """Return a match in words."""
    parts = [f"{match.path.type} {match.path.value}"]
    parts += [match.method] if match.method else []
    parts += [f"header {item.name}: {item.value}" for item in match.headers]
    parts += [f"query {item.name}={item.value}" for item in match.query_params]
    return ", ".join(parts)


def candidates(attachments: Sequence[Attachment], host: str) -> list[Candidate]:
    """Return every match of the routes whose hostname takes a host, under the most specific hostname, best first."""
    found: list[Candidate] = []
    for attachment in attachments:
        fitting = [name for name in attachment.hostnames if any_labels(name, host)]
        if not fitting:
            continue
        hostname = max(fitting, key=specificity)
        for index, rule in enumerate(attachment.route.rules):
            found += [
                Candidate(
                    attachment=attachment,
                    hostname=hostname,
                    rule=rule,
                    rule_index=index,
                    match=match,
                    match_index=place,
                )
                for place, match in enumerate(rule.matches or (RouteMatch(),))
            ]
    return sorted(found, key=precedence)


def precedence(item: Candidate) -> tuple[object, ...]:
    """Return the sort key of a candidate, the one that goes first being smallest.

    Hostname (characters without wildcard, characters), Exact path, longest prefix, expression, method, headers, query
    parameters; then the older route, its namespace and name, and the first rule (HTTPRouteRule.matches).
    """
    exact, length = specificity(item.hostname)
    route = item.attachment.route
    return (
        -exact,
        -length,
        _PATH_ORDER.get(item.match.path.type, len(_PATH_ORDER)),
        -len(item.match.path.value),
        not item.match.method,
        -len(item.match.headers),
        -len(item.match.query_params),
        route.created,
        route.id,
        item.rule_index,
        item.match_index,
    )


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
            return Chosen(candidate=item, considered=tuple(said), undecided=undecided, assumptions=_assume(item))
        said.append(Considered(item.name, False, word.removeprefix(_UNKNOWN)))
        if word.startswith(_UNKNOWN) and undecided is None:
            undecided = (item, word.removeprefix(_UNKNOWN))
    return Chosen(candidate=None, considered=tuple(said), undecided=undecided)


def _assume(item: Candidate) -> tuple[str, ...]:
    regex = any(
        part.type == "RegularExpression" for part in (item.match.path, *item.match.headers, *item.match.query_params)
    )
    return ("regular expressions (RE2) are read as Python's",) if regex else ()


_UNKNOWN = "? "


def matches(match: RouteMatch, packet: Packet, *, expressions: bool) -> str:
    """Return why a match does not take a request; an empty string if it does; ``? why`` if that is not evaluated."""
    word = _path(match.path, packet.path, expressions=expressions)
    if word and not word.startswith(_UNKNOWN):
        return word
    if match.method and match.method != packet.method:
        return f"the method is {packet.method}, not {match.method}"
    headers = {"host": packet.host, **dict(reversed(packet.headers))}
    query = dict(reversed(query_pairs(packet.query)))
    words = [word]
    words += [_value(item, headers.get(item.name.lower()), "header", expressions=expressions) for item in match.headers]
    words += [
        _value(item, query.get(item.name), "query parameter", expressions=expressions) for item in match.query_params
    ]
    return next((one for one in words if one and not one.startswith(_UNKNOWN)), next((one for one in words if one), ""))


def _path(wanted: ValueMatch, path: str, *, expressions: bool) -> str:
    if wanted.type == "Exact":
        return "" if path == wanted.value else f"the path is not {wanted.value}"
    if wanted.type in {"PathPrefix", ""}:
        return "" if element_prefix(wanted.value or "/", path) else f"the path does not begin with {wanted.value}"
    return _expression(wanted, path, "path", expressions=expressions)


def _value(wanted: ValueMatch, value: str | None, what: str, *, expressions: bool) -> str:
    if value is None:
        return f"{what} {wanted.name} is not there"
    if wanted.type in {"Exact", ""}:
        return "" if value == wanted.value else f"{what} {wanted.name} is not {wanted.value}"
    return _expression(wanted, value, f"{what} {wanted.name}", expressions=expressions)


def _expression(wanted: ValueMatch, value: str, what: str, *, expressions: bool) -> str:
    if wanted.type != "RegularExpression":
        return f"{_UNKNOWN}match type {wanted.type} of the {what}"
    if not expressions:
        return f"{_UNKNOWN}RegularExpression {wanted.value} is up to the controller"
    pattern = compile_safely(wanted.value, value)
    if isinstance(pattern, Refused):
        return f"{_UNKNOWN}RegularExpression {wanted.value}: {pattern.why}"
    return "" if pattern.fullmatch(value) else f"the {what} does not match {wanted.value}"
