"""Which HTTPRoutes attach to which listeners of a Gateway (Gateway API v1: ParentReference, AllowedRoutes)."""

import msgspec

from aksnav.model.kubernetes.gateway import GROUP, Gateway, HTTPRoute, Listener, ParentRef
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace.gateway.classes import find_condition, stale
from aksnav.trace.memo import once
from aksnav.trace.routing import hostnames
from aksnav.trace.step import Evidence

HTTP_PROTOCOLS = frozenset({"HTTP", "HTTPS"})


class Attachment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A route under a listener.

    Attributes:
        hostnames: of the route, as far as they intersect with the listener's; an empty one is every host.
        assumptions: what is taken for granted, and where the controller's own word differs.
        unread: what would have to be read to know that the listener takes the route, else empty.
    """

    gateway: Gateway
    listener: Listener
    route: HTTPRoute
    hostnames: tuple[str, ...]
    assumptions: tuple[str, ...] = ()
    unread: str = ""


class Refusal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A parentRef that attaches to nothing.

    Attributes:
        cause: G10 (host names), G11 (not allowed) or G12 (no such parent, listener or port).
    """

    route: HTTPRoute
    parent: Ref
    cause: str
    why: str
    evidence: tuple[Evidence, ...]


class Attached(msgspec.Struct, frozen=True, gc=False):
    """What attaches to a Gateway, and what wants to and does not.

    Attributes:
        by_hostname: the attachments by the name of their listener and each of their hostnames.
    """

    attachments: tuple[Attachment, ...]
    refusals: tuple[Refusal, ...]
    by_hostname: dict[tuple[str, str], tuple[Attachment, ...]]

    def under(self, listener: str, host: str) -> list[Attachment]:
        """Return the attachments of a listener that have a hostname which takes a host, each once, in their order."""
        labels = host.split(".")
        names = ["", host, *(f"*.{'.'.join(labels[index:])}" for index in range(1, len(labels)))]
        found = {id(item): item for name in names for item in self.by_hostname.get((listener, name), ())}
        return list(found.values())


def attached(store: Store, gateway: Gateway) -> Attached:
    """Return every route that names a Gateway as a parent: under which listeners it stands, or why under none."""
    tables = ("Gateway", "HTTPRoute", "Namespace")
    return once(store, f"routes of {gateway.id}", tables, lambda: _attach_all(store, gateway))


def routes_by_parent(store: Store) -> dict[str, list[tuple[HTTPRoute, int]]]:
    """Return, for each Gateway id, the routes that name it and the index of the parentRef; routes oldest first."""

    def make() -> dict[str, list[tuple[HTTPRoute, int]]]:
        found: dict[str, list[tuple[HTTPRoute, int]]] = {}
        for route in sorted(store.http_routes, key=lambda row: (row.created, row.id)):
            for index, ref in enumerate(route.parent_refs):
                if ref.kind == "Gateway" and ref.group == GROUP:
                    found.setdefault(parent_id(route, ref), []).append((route, index))
        return found

    return once(store, "routes by parent", ("HTTPRoute",), make)


def parent_id(route: HTTPRoute, ref: ParentRef) -> str:
    """Return the id of the Gateway that a parentRef names."""
    return f"{ref.namespace or route.namespace}/{ref.name}"


def _attach_all(store: Store, gateway: Gateway) -> Attached:
    attachments: list[Attachment] = []
    refusals: list[Refusal] = []
    for route, index in routes_by_parent(store).get(gateway.id, ()):
        result = _attach(store, gateway, route, index)
        if isinstance(result, Refusal):
            refusals.append(result)
        else:
            attachments += result
    by_hostname: dict[tuple[str, str], list[Attachment]] = {}
    for item in attachments:
        for name in item.hostnames:
            by_hostname.setdefault((item.listener.name, name), []).append(item)
    return Attached(tuple(attachments), tuple(refusals), {key: tuple(items) for key, items in by_hostname.items()})


def _attach(store: Store, gateway: Gateway, route: HTTPRoute, index: int) -> list[Attachment] | Refusal:
    ref, field = route.parent_refs[index], f".spec.parentRefs[{index}]"
    named = [item for item in gateway.listeners if ref.section_name in {"", item.name} and ref.port in {0, item.port}]
    if not named:
        wanted = f"sectionName {ref.section_name}" if ref.section_name else f"port {ref.port or 'any'}"
        listed = ", ".join(f"{item.name} ({item.protocol} {item.port})" for item in gateway.listeners) or "none"
        return Refusal(
            route=route,
            parent=gateway.ref,
            cause="G12",
            why=f"Gateway {gateway.id} has no listener with {wanted}",
            evidence=(
                Evidence(f"{field}.sectionName" if ref.section_name else f"{field}.port", wanted, route.ref),
                Evidence(".spec.listeners", listed, gateway.ref),
            ),
        )
    allowed = [(item, word) for item in named if (word := _allows(store, gateway, item, route)) is not False]
    if not allowed:
        return _not_allowed(gateway, named, route)
    joined = [(item, word, hosts) for item, word in allowed if (hosts := _hostnames(item, route))]
    if not joined:
        return _no_hostname(gateway, [item for item, _ in allowed], route)
    said = _status(route, gateway)
    return [
        Attachment(
            gateway=gateway,
            listener=item,
            route=route,
            hostnames=hosts,
            assumptions=(*said, *(() if said else _doubt(route, item, known=word))),
            unread="; ".join(_doubt(route, item, known=word)) if said else "",
        )
        for item, word, hosts in joined
    ]


def _doubt(route: HTTPRoute, listener: Listener, *, known: bool | None) -> tuple[str, ...]:
    if known is not None:
        return ()
    return (f"listener {listener.name} selects namespace {route.namespace}, whose labels cannot be read",)


def _allows(store: Store, gateway: Gateway, listener: Listener, route: HTTPRoute) -> bool | None:
    """Whether a listener takes a route; None where the labels of the route's namespace are not known."""
    kinds = listener.allowed_routes.kinds
    if listener.protocol not in HTTP_PROTOCOLS:
        return False
    if kinds and not any(kind.kind == "HTTPRoute" and kind.group == GROUP for kind in kinds):
        return False
    wanted = listener.allowed_routes.namespaces
    if wanted.from_ == "All":
        return True
    if wanted.from_ == "Same":
        return route.namespace == gateway.namespace
    if wanted.from_ != "Selector" or wanted.selector is None or wanted.selector.invalid() is not None:
        return False
    namespace = store.namespaces.get(route.namespace)
    return None if namespace is None else wanted.selector.matches(namespace.labels)


def _hostnames(listener: Listener, route: HTTPRoute) -> tuple[str, ...]:
    if not route.hostnames:
        return (listener.hostname.lower(),)
    both = (hostnames.intersect(listener.hostname, name) for name in route.hostnames)
    return tuple(dict.fromkeys(name for name in both if name is not None))


def _not_allowed(gateway: Gateway, named: list[Listener], route: HTTPRoute) -> Refusal:
    evidence = tuple(
        Evidence(
            f".spec.listeners[{gateway.listeners.index(item)}].{_deciding(item)}",
            _allowed_text(item),
            gateway.ref,
        )
        for item in named
    )
    return Refusal(
        route=route,
        parent=gateway.ref,
        cause="G11",
        why=f"no listener of Gateway {gateway.id} allows HTTPRoutes of namespace {route.namespace}",
        evidence=(Evidence(".metadata.namespace", route.namespace, route.ref), *evidence),
    )


def _deciding(listener: Listener) -> str:
    """The field of a listener that keeps a route out: its protocol, the kinds, or the namespaces."""
    kinds = listener.allowed_routes.kinds
    if listener.protocol not in HTTP_PROTOCOLS:
        return "protocol"
    if kinds and not any(kind.kind == "HTTPRoute" and kind.group == GROUP for kind in kinds):
        return "allowedRoutes.kinds"
    return "allowedRoutes.namespaces.from"


def _allowed_text(listener: Listener) -> str:
    allowed = listener.allowed_routes
    kinds = ", ".join(kind.kind for kind in allowed.kinds)
    selector = f" {allowed.namespaces.selector}" if allowed.namespaces.selector is not None else ""
    return f"{listener.protocol}, namespaces from {allowed.namespaces.from_}{selector}" + (
        f", kinds {kinds}" if kinds else ""
    )


def _no_hostname(gateway: Gateway, listeners: list[Listener], route: HTTPRoute) -> Refusal:
    return Refusal(
        route=route,
        parent=gateway.ref,
        cause="G10",
        why=f"no hostname of HTTPRoute {route.id} intersects with a listener of Gateway {gateway.id}",
        evidence=(
            Evidence(".spec.hostnames", ", ".join(route.hostnames), route.ref),
            *(
                Evidence(
                    f".spec.listeners[{gateway.listeners.index(item)}].hostname", item.hostname or "*", gateway.ref
                )
                for item in listeners
            ),
        ),
    )


def _status(route: HTTPRoute, gateway: Gateway) -> tuple[str, ...]:
    """What the controller says of a route that attaches by our reading, where it differs or says nothing."""
    mine = [item for item in route.status.parents if parent_id(route, item.parent_ref) == gateway.id]
    if not mine:
        return (f"the controller takes HTTPRoute {route.id} (it has said nothing of it in the status)",)
    accepted = find_condition(mine[0].conditions, "Accepted")
    if stale(route.generation, accepted):
        return (
            f"the status of HTTPRoute {route.id} is older than its spec (G14): the controller has taken the change",
        )
    if accepted is not None and accepted.status != "True":
        said = f"{accepted.status} ({accepted.reason})"
        return (f"HTTPRoute {route.id} attaches by its spec, while the controller says Accepted {said}",)
    return ()
