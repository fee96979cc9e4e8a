"""The server blocks and locations that ingress-nginx writes, and how NGINX chooses among them.

From kubernetes/ingress-nginx: internal/ingress/controller/{controller,location}.go,
docs/user-guide/ingress-path-matching.md; for the choice among locations: nginx.org, ngx_http_core_module, ``location``.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from aksnav.model.kubernetes.ingress import Ingress
from aksnav.trace.ingress.rules import Rule
from aksnav.trace.routing.safe_regex import Refused, compile_safely
from aksnav.trace.step import Considered

PREFIX = "nginx.ingress.kubernetes.io/"


class Location(msgspec.Struct, frozen=True, gc=False):
    """A location block: an exact path, a prefix of characters, or an expression; and the rule that it is for."""

    kind: Literal["exact", "prefix", "regex"]
    pattern: str
    rule: Rule


class Server(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A server block.

    Attributes:
        host: the rule host; empty for the catch-all.
        rules: first rule of each path and type, in winning order.
        shadowed: pairs of a rule that came too late, and the one that has its place.
        canaries: rules of canary Ingresses, which have no location.
        skipped: rules without a Service as backend, which get no location.
        forced_regex: the rule whose annotation turns every path of the host into an expression, or None.
        locations: in the order in which they are written.
    """

    host: str
    rules: tuple[Rule, ...]
    shadowed: tuple[tuple[Rule, Rule], ...]
    canaries: tuple[Rule, ...]
    skipped: tuple[Rule, ...]
    forced_regex: Rule | None
    locations: tuple[Location, ...]


class Found(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The location that takes a path.

    Attributes:
        rule: its rule, or None.
        slash_added: NGINX answers first with 301 to the path with a slash at its end.
        considered: every rule of the server, and why.
        refused: an expression that was not evaluated and may have matched before: its rule and why.
    """

    rule: Rule | None
    slash_added: bool = False
    considered: tuple[Considered, ...] = ()
    refused: tuple[Rule, str] | None = None


def annotation(ingress: Ingress, name: str) -> str:
    """Return the value of an annotation of ingress-nginx, or an empty string."""
    return ingress.annotations.get(PREFIX + name, "").strip()


def enabled(ingress: Ingress, name: str) -> bool:
    """Return whether a boolean annotation is true (Go's strconv.ParseBool)."""
    return annotation(ingress, name) in {"true", "True", "TRUE", "1", "t", "T"}


def needs_rewrite(rule: Rule) -> bool:
    """Return whether the rule's Ingress rewrites the path (a target equal to the path does not)."""
    wanted = annotation(rule.ingress, "rewrite-target")
    return bool(wanted) and wanted != rule.path


def backend_name(rule: Rule) -> str:
    """Return what a rule without a Service sends to, for people."""
    resource = rule.backend.resource
    return f"{resource.kind} {resource.name}" if resource is not None else "empty"


def is_prefix(rule: Rule) -> bool:
    """Return whether a rule's path is a prefix: ImplementationSpecific is one (SetDefaultNGINXPathType)."""
    return rule.path_type != "Exact"


def upstream_of(rule: Rule) -> tuple[str, str, str]:
    """Return what names a rule's upstream: namespace, Service and port; rules of one upstream share its canary."""
    backend = rule.backend.service
    return (rule.ingress.namespace, backend.name if backend else "", str(backend.port) if backend else "")


def build(host: str, rules: Sequence[Rule], default: Rule | None = None) -> Server:
    """Return the server block of one host.

    Args:
        host: the rule host.
        rules: its rules, in any order.
        default: the rule of the location ``/`` that the server has where no rule has that path.
    """
    canaries = tuple(rule for rule in rules if enabled(rule.ingress, "canary"))
    kept: list[Rule] = []
    shadowed: list[tuple[Rule, Rule]] = []
    skipped: list[Rule] = []
    for rule in winning_order(rules):
        if rule in canaries:
            continue
        if rule.backend.service is None:
            skipped.append(rule)
            continue
        first = next((other for other in kept if same_location(rule, other)), None)
        if first is None:
            kept.append(rule)
        else:
            shadowed.append((rule, first))
    replaced = any(rule.path == "/" and is_prefix(rule) for rule in kept)
    asking = kept if default is None or replaced else [*kept, default]
    forced = next((rule for rule in asking if enabled(rule.ingress, "use-regex") or needs_rewrite(rule)), None)
    kept.sort(key=lambda rule: rule.path, reverse=True)
    kept.sort(key=lambda rule: len(rule.path), reverse=True)
    return Server(
        host=host,
        rules=tuple(kept),
        shadowed=tuple(shadowed),
        canaries=canaries,
        skipped=tuple(skipped),
        forced_regex=forced,
        locations=tuple(_locations(kept, regex=forced is not None)),
    )


def same_location(rule: Rule, other: Rule) -> bool:
    """Return whether two rules want one location: the same host, path and type of path."""
    return rule.host == other.host and rule.path == other.path and is_prefix(rule) == is_prefix(other)


def winning_order(rules: Sequence[Rule]) -> list[Rule]:
    """Return rules oldest Ingress first; of the same second, the name that sorts last (store.go, sortIngressSlice)."""
    named = sorted(rules, key=lambda rule: rule.ingress.id, reverse=True)
    return sorted(named, key=lambda rule: rule.ingress.created)


def winning_ingresses(ingresses: Sequence[Ingress]) -> list[Ingress]:
    """Return Ingresses in the same order."""
    named = sorted(ingresses, key=lambda row: row.id, reverse=True)
    return sorted(named, key=lambda row: row.created)


def _locations(rules: Sequence[Rule], *, regex: bool) -> list[Location]:
    exact_paths = {rule.path for rule in rules if rule.path_type == "Exact"}
    out: list[Location] = []
    for rule in rules:
        whole = regex and (enabled(rule.ingress, "use-regex") or needs_rewrite(rule))
        if not is_prefix(rule) or rule.path == "/" or whole:
            out.append(_location(rule, rule.path, exact=not is_prefix(rule), regex=regex))
            continue
        slashed = rule.path if rule.path.endswith("/") else f"{rule.path}/"
        out.append(_location(rule, slashed, exact=False, regex=regex))
        if rule.path not in exact_paths:
            out.append(_location(rule, rule.path, exact=True, regex=regex))
    return out


def _location(rule: Rule, path: str, *, exact: bool, regex: bool) -> Location:
    if regex:
        return Location("regex", f"^{path}", rule)
    return Location("exact" if exact else "prefix", path, rule)


def find(server: Server, path: str) -> Found:
    """Return the location that takes a path, which is normalized already."""
    if server.forced_regex is not None:
        return _find_regex(server, path)
    exact = next((item for item in server.locations if item.kind == "exact" and item.pattern == path), None)
    prefixes = [item for item in server.locations if item.kind == "prefix"]
    same = next((item for item in prefixes if item.pattern == path), None)
    slashed = next((item for item in prefixes if item.pattern == f"{path}/"), None)
    longest = max(
        (item for item in prefixes if path.startswith(item.pattern)), key=lambda item: len(item.pattern), default=None
    )
    chosen = exact or same or slashed or longest
    return Found(
        rule=chosen.rule if chosen is not None else None,
        slash_added=chosen is not None and chosen is slashed and exact is None and same is None,
        considered=_considered(server, chosen, path),
    )


def _find_regex(server: Server, path: str) -> Found:
    refused: tuple[Rule, str] | None = None
    for item in server.locations:
        pattern = compile_safely(item.pattern, path, ignore_case=True)
        if isinstance(pattern, Refused):
            refused = refused or (item.rule, pattern.why)
        elif pattern.search(path):
            return Found(rule=item.rule, considered=_considered(server, item, path), refused=refused)
    return Found(rule=None, considered=_considered(server, None, path), refused=refused)


def _considered(server: Server, chosen: Location | None, path: str) -> tuple[Considered, ...]:
    said: list[Considered] = []
    for rule in server.rules:
        if chosen is not None and rule is chosen.rule:
            said.append(Considered(rule.name, True, f"its location {chosen.pattern} ({chosen.kind}) takes {path}"))
        else:
            taken = f"another location is chosen for {path}" if chosen is not None else f"does not match {path}"
            said.append(Considered(rule.name, False, taken))
    said += [
        Considered(rule.name, False, f"shadowed by the same host and path of {first.ingress.id} (I14)")
        for rule, first in server.shadowed
    ]
    said += [
        Considered(rule.name, False, f"its backend is {backend_name(rule)}, no Service: ingress-nginx skips it")
        for rule in server.skipped
    ]
    said += [
        Considered(rule.name, False, "a canary: it only shares the traffic of a main rule") for rule in server.canaries
    ]
    return tuple(said)
