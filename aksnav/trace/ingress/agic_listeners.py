"""The listeners and path maps that the Application Gateway Ingress Controller writes from Ingresses.

From Azure/application-gateway-kubernetes-ingress: pkg/appgw/ingress_rules.go (processIngressRule: listeners),
pkg/appgw/configbuilder.go (generateListenerID: ports and host names), pkg/appgw/requestroutingrules.go (getPathMaps,
mergePathMap) and pkg/brownfield/targets.go (prohibited targets). Ingresses are taken in the order of their uid
(pkg/k8scontext, ListHTTPIngresses), which no user can choose.
"""

from collections.abc import Iterable, Iterator

import msgspec

from aksnav.model.kubernetes.ingress import Ingress, IngressBackend
from aksnav.store import Store
from aksnav.trace.ingress.rules import Rule, Rules, whole_number
from aksnav.trace.memo import once
from aksnav.trace.routing import tls
from aksnav.trace.routing.hostnames import any_labels
from aksnav.trace.routing.types import Controller

PREFIX = "appgw.ingress.kubernetes.io/"
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_LAST_PORT = 64999
_LAST_PRIORITY = 20000
# Rules without the annotation get priorities from here on (requestroutingrules.go, assignPriorities).
_OWN_PRIORITIES = 19000


class Listener(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One listener with its path map.

    Attributes:
        host: as written, in lower case; empty takes every host.
        port: of the frontend; encrypted: it speaks TLS; private: it is on the private address.
        paths: the path rules in their order; the first one of each pattern.
        default: what takes a path that no path rule takes, or None: the empty pool.
        shadowed: pairs of a rule that came too late, and the one that has its pattern.
        redirecting: ids of the Ingresses whose rules here only redirect to HTTPS.
        prohibited: rules that AGIC leaves out, and the AzureIngressProhibitedTarget that says so.
        priority: of its routing rule; less goes first.
    """

    host: str
    port: int
    encrypted: bool
    private: bool = False
    paths: tuple[Rule, ...] = ()
    default: Rule | None = None
    shadowed: tuple[tuple[Rule, Rule], ...] = ()
    redirecting: frozenset[str] = frozenset()
    prohibited: tuple[tuple[Rule, str], ...] = ()
    priority: int = _OWN_PRIORITIES

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule of it, the default last."""
        return (*self.paths, *((self.default,) if self.default is not None else ()))


class Board(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All listeners of an Application Gateway.

    Attributes:
        listeners: each of them; named: those of one host name, by it; wild: those of a wildcard, or of every host.
    """

    listeners: tuple[Listener, ...]
    named: dict[str, tuple[Listener, ...]]
    wild: tuple[Listener, ...]

    def of_host(self, host: str) -> tuple[Listener, ...]:
        """Return the listeners that take a host; a wildcard takes periods as well (multiple-site-overview)."""
        return (*self.named.get(host, ()), *(item for item in self.wild if any_labels(item.host, host)))


class _Place(msgspec.Struct, frozen=True, gc=False):
    """What tells listeners apart."""

    host: str
    port: int
    encrypted: bool
    private: bool


class _Part(msgspec.Struct, frozen=True, gc=False):
    """What one rule of one Ingress brings to a listener."""

    place: _Place
    rules: tuple[Rule, ...]
    fallback: Rule | None
    redirecting: bool
    ingress: Ingress
    prohibited: tuple[tuple[Rule, str], ...] = ()


def annotation(ingress: Ingress, name: str) -> str:
    """Return the value of an annotation of AGIC, or an empty string."""
    return ingress.annotations.get(PREFIX + name, "").strip()


def enabled(ingress: Ingress, name: str) -> bool:
    """Return whether a boolean annotation is true (Go's strconv.ParseBool)."""
    return annotation(ingress, name) in _TRUE


def frontend_port(ingress: Ingress) -> int:
    """Return the port that override-frontend-port gives the listeners of an Ingress, or 0 for the usual one."""
    port = whole_number(annotation(ingress, "override-frontend-port")) or 0
    return port if port <= _LAST_PORT else 0


def pattern_of(rule: Rule) -> str:
    """Return the path of the App Gateway rule that AGIC writes; empty for the default of the path map.

    Prefix gets a trailing ``*``, Exact loses one, ImplementationSpecific is written as it is; an empty path, ``/`` and
    ``/*`` become the default of the path map, whatever their type.
    """
    if rule.path in {"", "/", "/*"}:
        return ""
    if rule.path_type == "Prefix":
        return rule.path if rule.path.endswith("*") else f"{rule.path}*"
    return rule.path.removesuffix("*") if rule.path_type == "Exact" else rule.path


def matches(pattern: str, path: str) -> bool:
    """Return whether an App Gateway path pattern takes a path; letter case does not count there."""
    lowered, wanted = path.lower(), pattern.lower()
    return lowered.startswith(wanted[:-1]) if wanted.endswith("*") else lowered == wanted


def listeners_of(store: Store, controller: Controller, rules: Rules) -> Board:
    """Return the listeners that the Ingresses of AGIC give."""
    name = f"agic listeners of {','.join(controller.classes)}"
    kinds = ("Ingress", "IngressClass", "Secret", "AzureIngressProhibitedTarget")
    return once(store, name, kinds, lambda: _board(tuple(_build(store, rules))))


def _board(listeners: tuple[Listener, ...]) -> Board:
    named: dict[str, list[Listener]] = {}
    wild: list[Listener] = []
    for item in listeners:
        if item.host and not item.host.startswith("*."):
            named.setdefault(item.host, []).append(item)
        else:
            wild.append(item)
    return Board(listeners=listeners, named={host: tuple(found) for host, found in named.items()}, wild=tuple(wild))


def taking(listeners: Iterable[Listener], host: str) -> Listener | None:
    """Return the listener that takes a request, of those that take its host.

    The least priority goes first, then an exact name, the longest wildcard, any host.
    """
    return min(
        listeners,
        key=lambda item: (item.priority, item.host != host, not item.host, -len(item.host)),
        default=None,
    )


def in_order(rules: Rules) -> list[Ingress]:
    """Return the Ingresses in the order in which AGIC takes them."""
    return sorted(rules.ingresses, key=lambda row: (row.uid, row.created, row.id))


def certified(store: Store, ingress: Ingress, host: str) -> int | None:
    """Return the index of the TLS section that gives a host its certificate, or None where it gets no HTTPS listener.

    A Secret that is known to be missing gives none (A09).
    """
    named = [index for index, entry in enumerate(ingress.tls) if host in {name.lower() for name in entry.hosts}]
    whole = [index for index, entry in enumerate(ingress.tls) if not entry.hosts]
    for index in (*named, *whole)[:1]:
        secret = ingress.tls[index].secret_name
        if secret and not tls.secret_fault(store, f"{ingress.namespace}/{secret}"):
            return index
    return None


def prohibited_by(store: Store, rule: Rule) -> str:
    """Return the id of the AzureIngressProhibitedTarget that keeps AGIC from a rule, or an empty string."""
    for target in sorted(store.prohibited_targets, key=lambda row: row.id):
        if target.hostname and target.hostname.lower() != rule.host:
            continue
        if not target.paths or any(_covers(path.lower(), rule.path.lower()) for path in target.paths):
            return target.id
    return ""


def _covers(prohibited: str, path: str) -> bool:
    """Return whether a prohibited path holds for a path of a rule (TargetPath.contains)."""
    if prohibited in {"", "*", "/*"} or prohibited == path:
        return True
    if not prohibited.endswith("*"):
        return False
    if prohibited.rstrip("/*") == path.rstrip("/*"):
        return True
    wanted, given = prohibited.split("/"), path.split("/")
    for index, part in enumerate(wanted):
        if part == "*":
            return len(prohibited) <= len(path)
        if index >= len(given) or part != given[index]:
            return False
    return False


def _build(store: Store, rules: Rules) -> Iterator[Listener]:
    parts: dict[_Place, list[_Part]] = {}
    for ingress in in_order(rules):
        for part in _parts(store, ingress):
            parts.setdefault(part.place, []).append(part)
    for place, brought in sorted(parts.items(), key=lambda item: (item[0].port, item[0].host, item[0].private)):
        yield _listener(place, brought)


def _parts(store: Store, ingress: Ingress) -> Iterator[_Part]:
    private = enabled(ingress, "use-private-ip")
    own = frontend_port(ingress)
    extra = [name.strip().lower() for name in annotation(ingress, "hostname-extension").split(",") if name.strip()]
    whole = None if ingress.default_backend is None else _default_rule(ingress, ingress.default_backend)
    if not ingress.rules and whole is not None:
        yield _Part(_Place("", 80, encrypted=False, private=private), (), whole, redirecting=False, ingress=ingress)
    for index, rule in enumerate(ingress.rules):
        host = rule.host.lower()
        paths = tuple(
            Rule(
                ingress=ingress,
                field=f".spec.rules[{index}].http.paths[{place}]",
                host=host,
                path=path.path or "/",
                path_type=path.path_type,
                backend=path.backend,
            )
            for place, path in enumerate(rule.http.paths)
        )
        refused = tuple((item, name) for item in paths if (name := prohibited_by(store, item)))
        left = tuple(item for item in paths if not prohibited_by(store, item))
        if paths and not left:
            # Of a rule that has no path left nothing is written, and no listener for its host.
            continue
        redirect = enabled(ingress, "ssl-redirect")
        secure = certified(store, ingress, host) is not None or bool(annotation(ingress, "appgw-ssl-certificate"))
        for name in ([host] if host or not extra else []) + extra:
            if secure:
                place_of = _Place(name, own or 443, encrypted=True, private=private)
                yield _Part(place_of, left, whole, redirecting=False, ingress=ingress, prohibited=refused)
            if redirect or not secure:
                plain = _Place(name, 80 if secure else own or 80, encrypted=False, private=private)
                only = redirect and secure
                yield _Part(plain, left, whole, redirecting=only, ingress=ingress, prohibited=refused)


def _default_rule(ingress: Ingress, backend: IngressBackend) -> Rule:
    return Rule(ingress=ingress, field=".spec.defaultBackend", host="", path="/", path_type="Prefix", backend=backend)


def _listener(place: _Place, parts: Iterable[_Part]) -> Listener:
    paths: dict[str, Rule] = {}
    shadowed: list[tuple[Rule, Rule]] = []
    default: Rule | None = None
    priorities: list[int] = []
    redirecting: set[str] = set()
    prohibited: list[tuple[Rule, str]] = []
    for part in parts:
        prohibited += part.prohibited
        if part.redirecting:
            redirecting.add(part.ingress.id)
        number = whole_number(annotation(part.ingress, "rule-priority"))
        if number is not None and 0 < number <= _LAST_PRIORITY:
            priorities.append(number)
        own = [rule for rule in part.rules if not pattern_of(rule)]
        # The last catch-all path of a rule is its default, else the Ingress's; that of a later rule takes over.
        chosen = own[-1] if own else part.fallback
        shadowed += [(rule, chosen) for rule in own if rule is not chosen and chosen is not None]
        if chosen is not None:
            if default is not None and default.field != ".spec.defaultBackend":
                shadowed.append((default, chosen))
            default = chosen
        for rule in part.rules:
            pattern = pattern_of(rule)
            if pattern and paths.setdefault(pattern, rule) is not rule:
                shadowed.append((rule, paths[pattern]))
    return Listener(
        host=place.host,
        port=place.port,
        encrypted=place.encrypted,
        private=place.private,
        paths=tuple(paths.values()),
        default=default,
        shadowed=tuple(shadowed),
        redirecting=frozenset(redirecting),
        prohibited=tuple(prohibited),
        priority=min(priorities, default=_OWN_PRIORITIES),
    )
