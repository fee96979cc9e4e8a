"""Which routes attach to which listeners of a Gateway (Gateway API v1: ParentReference, AllowedRoutes)."""

from collections.abc import Iterator

import msgspec

from aksnav.model.kubernetes.gateway import GROUP, ROUTE_KINDS, AnyRoute, Gateway, Listener, ParentRef
from aksnav.store import Store
from aksnav.trace.gateway import kinds, refusals, rivals, status
from aksnav.trace.gateway.attachment import Attachment
from aksnav.trace.gateway.refusals import Refusal
from aksnav.trace.memo import once
from aksnav.trace.routing import hostnames


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


_READS = ("Gateway", "Namespace", *ROUTE_KINDS)


def attached(store: Store, gateway: Gateway) -> Attached:
    """Return every route that names a Gateway as a parent: under which listeners it stands, or why under none."""
    return once(store, f"routes of {gateway.id}", _READS, lambda: _attach_all(store, gateway))


def routes_by_parent(store: Store) -> dict[str, list[tuple[AnyRoute, int]]]:
    """Return, for each Gateway id, the routes that name it and the index of the parentRef; routes oldest first."""

    def make() -> dict[str, list[tuple[AnyRoute, int]]]:
        found: dict[str, list[tuple[AnyRoute, int]]] = {}
        for route in sorted(kinds.routes(store), key=kinds.age):
            for index, ref in enumerate(route.parent_refs):
                if ref.kind == Gateway.KIND and ref.group == GROUP:
                    found.setdefault(parent_id(route, ref), []).append((route, index))
        return found

    return once(store, "routes by parent", ROUTE_KINDS, make)


def parent_id(route: AnyRoute, ref: ParentRef) -> str:
    """Return the id of the Gateway that a parentRef names."""
    return f"{ref.namespace or route.namespace}/{ref.name}"


def _attach_all(store: Store, gateway: Gateway) -> Attached:
    attachments: dict[tuple[str, str, str], Attachment] = {}
    refused: list[Refusal] = []
    for route, index in routes_by_parent(store).get(gateway.id, ()):
        result = _attach(store, gateway, route, index)
        if isinstance(result, Refusal):
            refused.append(result)
            continue
        for item in result:
            attachments.setdefault((item.listener.name, route.KIND, route.id), item)
    kept: list[Attachment] = []
    accepted = rivals.Accepted()
    for item in attachments.values():
        rival = accepted.take(item)
        if rival is None:
            kept.append(item)
        else:
            refused.append(refusals.outdone(gateway, item, rival))
    by_hostname: dict[tuple[str, str], list[Attachment]] = {}
    for item in kept:
        for name in item.hostnames:
            by_hostname.setdefault((item.listener.name, name), []).append(item)
    return Attached(tuple(kept), tuple(refused), {key: tuple(items) for key, items in by_hostname.items()})


def _attach(store: Store, gateway: Gateway, route: AnyRoute, index: int) -> list[Attachment] | Refusal:
    ref = route.parent_refs[index]
    named = [item for item in gateway.listeners if ref.section_name in {"", item.name} and ref.port in {0, item.port}]
    if not named:
        return refusals.no_listener(gateway, route, index)
    allowed = [(item, word) for item in named if (word := _allows(store, gateway, item, route)) is not False]
    if not allowed:
        return refusals.not_allowed(gateway, named, route, index)
    joined = [(item, word, pairs) for item, word in allowed if (pairs := dict(_hostnames(item, route)))]
    if not joined:
        return refusals.no_hostname(gateway, [item for item, _ in allowed], route, index)
    said = status.of_route(route, gateway, ref)
    return [_attachment(gateway, item, route, pairs, said, known=word) for item, word, pairs in joined]


def _attachment(
    gateway: Gateway,
    listener: Listener,
    route: AnyRoute,
    pairs: dict[str, str],
    said: status.Said,
    *,
    known: bool | None,
) -> Attachment:
    doubt = (
        "" if known else f"listener {listener.name} selects namespace {route.namespace}, whose labels cannot be read"
    )
    assumptions: list[str] = []
    objection = ""
    if said.accepted is None:
        word = "is older than its spec (G14)" if said.old else "says nothing of it"
        assumptions.append(f"the controller takes {route.KIND} {route.id} (its status {word})")
        assumptions += [doubt] if doubt else []
    elif said.accepted.status != "True":
        shown = status.words(said.accepted)
        objection = f"{route.KIND} {route.id} attaches by its spec, while the controller says {shown}"
    return Attachment(
        gateway=gateway,
        listener=listener,
        route=route,
        hostnames=tuple(pairs),
        originals=tuple(pairs.values()),
        assumptions=tuple(assumptions),
        unread=doubt if said.accepted is None else "",
        objection=objection,
        resolved=said.resolved,
        word=tuple(status.fact(route, item) for item in (said.accepted, said.resolved) if item is not None),
    )


def _allows(store: Store, gateway: Gateway, listener: Listener, route: AnyRoute) -> bool | None:
    """Whether a listener takes a route; None where the labels of the route's namespace are not known."""
    if route.KIND not in kinds.taken_by(listener) or not kinds.kind_allowed(listener, route.KIND):
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


def _hostnames(listener: Listener, route: AnyRoute) -> Iterator[tuple[str, str]]:
    """Yield each host name that both have, with the one of the route that it comes from, the less specific first."""
    if listener.protocol in {"TCP", "UDP"}:
        yield "", ""
        return
    names = sorted(kinds.hostnames_of(route) or ("",), key=hostnames.specificity)
    order = {name: place for place, name in enumerate(kinds.hostnames_of(route))}
    both = [(hostnames.intersect(listener.hostname, name), name) for name in names]
    kept = {shared: name for shared, name in both if shared is not None}
    yield from sorted(kept.items(), key=lambda pair: order.get(pair[1], 0))
