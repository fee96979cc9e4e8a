"""Which rule of the VirtualServices of a host takes a request (Istio reference, "Virtual Service": HTTPMatchRequest).

As istiod translates matches for Envoy: pilot/pkg/networking/core/route/route.go (TranslateRouteMatch, sourceMatchHTTP,
SortVHostRoutes, IsCatchAllRoute). A prefix is a prefix of the text, not of path elements.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from aksnav.model.kubernetes.istio import HTTPMatchRequest, StringMatch, VirtualHTTPRoute, VirtualService
from aksnav.trace.istio.scope import Workload, in_full, selects
from aksnav.trace.packet import Packet
from aksnav.trace.routing.safe_regex import Refused, compile_safely
from aksnav.trace.routing.uri import query_pairs
from aksnav.trace.step import Considered

UNKNOWN = "? "
"""What begins a word on a comparison that is not evaluated."""

_ANYTHING = HTTPMatchRequest()
_CLAIMS = "@request.auth.claims"


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One match of one rule; ``match_index`` is None for a rule without matches."""

    row: VirtualService
    rule_index: int
    rule: VirtualHTTPRoute
    match_index: int | None
    match: HTTPMatchRequest

    @property
    def field(self) -> str:
        """Its path in the VirtualService."""
        rule = f".spec.http[{self.rule_index}]"
        return rule if self.match_index is None else f"{rule}.match[{self.match_index}]"

    @property
    def name(self) -> str:
        """A name for people."""
        return f"VirtualService {self.row.id} {self.field.removeprefix('.spec.')}"

    @property
    def catch_all(self) -> bool:
        """Whether it takes every request, so that nothing of its VirtualService comes after it."""
        match = self.match
        path = match.uri is None or match.uri.prefix == "/" or match.uri.regex == "*"
        others = (match.headers, match.without_headers, match.query_params, match.method, match.authority, match.scheme)
        return path and not any(others)


class Chosen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The match that takes a request, or None; one that is not evaluated goes before it in ``undecided``."""

    candidate: Candidate | None
    considered: tuple[Considered, ...]
    undecided: tuple[Candidate, str] | None = None


def candidates(row: VirtualService, gateway: str, port: int, at: Workload) -> Iterator[Candidate]:
    """Yield the matches of a VirtualService that hold at a gateway and port, in order, up to one for everything."""
    for index, rule in enumerate(row.http):
        for place, match in [*enumerate(rule.match)] if rule.match else [(None, _ANYTHING)]:
            if match.port not in {0, port} or not _here(match, row, gateway, at):
                continue
            found = Candidate(row=row, rule_index=index, rule=rule, match_index=place, match=match)
            yield found
            if found.catch_all:
                return


def _here(match: HTTPMatchRequest, row: VirtualService, gateway: str, at: Workload) -> bool:
    if match.gateways:
        return gateway in {in_full(name, row.namespace) for name in match.gateways}
    return selects(match.source_labels, at.labels) and match.source_namespace in {"", at.namespace}


def ordered(found: Sequence[Candidate]) -> list[Candidate]:
    """Return the matches of one host in Envoy's order: as they come, those for everything last."""
    return sorted(found, key=lambda item: item.catch_all)


def choose(found: Sequence[Candidate], packet: Packet) -> Chosen:
    """Return the first match that takes a request; one before it that is not evaluated leaves that undecided."""
    said: list[Considered] = []
    undecided: tuple[Candidate, str] | None = None
    for position, item in enumerate(found):
        word = why_not(item.match, packet)
        if word == "":
            said.append(Considered(item.name, True, "the first that matches"))
            said += [Considered(other.name, False, "comes later") for other in found[position + 1 :]]
            return Chosen(candidate=item, considered=tuple(said), undecided=undecided)
        said.append(Considered(item.name, False, word.removeprefix(UNKNOWN)))
        if word.startswith(UNKNOWN) and undecided is None:
            undecided = (item, word.removeprefix(UNKNOWN))
    return Chosen(candidate=None, considered=tuple(said), undecided=undecided)


def why_not(match: HTTPMatchRequest, packet: Packet) -> str:
    """Return why a match does not take a request; empty if it does; ``? why`` where that is not evaluated."""
    words = list(_words(match, packet))
    sure = next((word for word in words if word and not word.startswith(UNKNOWN)), "")
    return sure or next((word for word in words if word), "")


def _words(match: HTTPMatchRequest, packet: Packet) -> Iterator[str]:
    headers: Mapping[str, str] = dict(reversed(packet.headers))
    query = dict(reversed(query_pairs(packet.query)))
    if match.uri is not None:
        yield compare(match.uri, packet.path, "path", ignore_case=match.ignore_uri_case)
    for wanted, value, what in (
        (match.method, packet.method, "method"),
        (match.authority, packet.host, "authority"),
        (match.scheme, "https" if packet.scheme in {"https", "grpcs"} else "http", "scheme"),
    ):
        if wanted is not None:
            yield compare(wanted, value, what)
    for name, wanted in match.headers.items():
        yield _claim(name) or compare(wanted, headers.get(name.lower()), f"header {name}")
    for name, wanted in match.without_headers.items():
        yield _claim(name) or _without(wanted, headers.get(name.lower()), f"header {name}")
    for name, wanted in match.query_params.items():
        yield compare(wanted, query.get(name), f"query parameter {name}")


def _claim(name: str) -> str:
    return f"{UNKNOWN}claims of a token ({name}) are not read" if name.lower().startswith(_CLAIMS) else ""


def _without(wanted: StringMatch, value: str | None, what: str) -> str:
    """The opposite; a header that is not there is an empty text, unless only its presence is asked for."""
    word = compare(wanted, value if present_only(wanted) else value or "", what)
    if word.startswith(UNKNOWN):
        return word
    return "" if word else f"{what} is what withoutHeaders excludes"


def present_only(wanted: StringMatch) -> bool:
    """Return whether a match asks for no more than presence: nothing is given, or the expression is ``*``."""
    return wanted.regex == "*" or (wanted.exact is None and wanted.prefix is None and wanted.regex is None)


def compare(wanted: StringMatch, value: str | None, what: str, *, ignore_case: bool = False) -> str:
    """Return why a value is not the one wanted; empty if it is; ``? why`` where an expression is not evaluated."""
    if value is None:
        return f"the {what} is not there"
    if present_only(wanted):
        return ""
    if wanted.regex is not None:
        return _expression(wanted.regex, value, what)  # ignoreUriCase is for exact and prefix alone
    given = value.lower() if ignore_case else value
    if wanted.exact is not None:
        exact = wanted.exact.lower() if ignore_case else wanted.exact
        return "" if given == exact else f"the {what} is not {wanted.exact}"
    prefix = (wanted.prefix or "").lower() if ignore_case else wanted.prefix or ""
    return "" if given.startswith(prefix) else f"the {what} does not begin with {wanted.prefix}"


def _expression(wanted: str, value: str, what: str) -> str:
    pattern = compile_safely(wanted, value)
    if isinstance(pattern, Refused):
        return f"{UNKNOWN}regular expression {wanted} of the {what}: {pattern.why}"
    return "" if pattern.fullmatch(value) else f"the {what} does not match {wanted}"


def describe(match: HTTPMatchRequest) -> str:
    """Return a match in words."""
    parts = [_text(what, wanted) for what, wanted in _named(match) if wanted is not None]
    for what, listed in (
        ("header", match.headers),
        ("no header", match.without_headers),
        ("query", match.query_params),
    ):
        parts += [_text(f"{what} {name}", wanted) for name, wanted in listed.items()]
    return ", ".join(parts) or "everything"


def _named(match: HTTPMatchRequest) -> tuple[tuple[str, StringMatch | None], ...]:
    return ("uri", match.uri), ("method", match.method), ("authority", match.authority), ("scheme", match.scheme)


def _text(what: str, wanted: StringMatch) -> str:
    if wanted.exact is not None:
        return f"{what} = {wanted.exact}"
    if wanted.prefix is not None:
        return f"{what} begins with {wanted.prefix}"
    return f"{what} matches {wanted.regex}" if wanted.regex is not None else f"{what} is there"
