"""Whether what a route refers to is there, by our reading, beside ResolvedRefs, which is the controller's word."""

from collections.abc import Iterator, Sequence

from aksnav.model.kubernetes.gateway import AnyRoute, GRPCRule, RouteRule, StreamRule
from aksnav.store import Store
from aksnav.trace.gateway import backends, status
from aksnav.trace.gateway.attachment import Attachment
from aksnav.trace.packet import Packet
from aksnav.trace.routing.backends import resolve
from aksnav.trace.routing.types import Flavour
from aksnav.trace.step import Step


def exists(store: Store, service: str) -> bool | None:
    """Return whether a Service (``namespace/name``) is there; None where that is not known."""
    if service in store.services:
        return True
    known = store.services.access(service.partition("/")[0]).complete and service not in store.services.undecodable
    return False if known else None


def faults(store: Store, flavour: Flavour, route: AnyRoute) -> Iterator[Step]:
    """Yield a step for each backendRef of a route that does not resolve, or of which that is not known."""
    rules: Sequence[RouteRule | GRPCRule | StreamRule] = route.rules
    for index, rule in enumerate(rules):
        for place, ref in enumerate(rule.backend_refs):
            field = f".spec.rules[{index}].backendRefs[{place}]"
            wrong = backends.fault(store, flavour, route, ref, field, Packet())
            if wrong is not None:
                yield wrong
                continue
            found = resolve(store, backends.wanted(flavour, route, ref, field), Packet())
            if found.ended:
                yield found.steps[-1]


def objection(store: Store, flavour: Flavour, item: Attachment) -> str:
    """Return the controller's present word that a reference does not resolve, where all do by our reading; else empty.

    Filters refer as well (ExtensionRef, RequestMirror): a route with such a filter may not resolve by them.
    """
    said = item.resolved
    if said is None or said.status != "False" or _refers_by_filter(item.route):
        return ""
    if next(faults(store, flavour, item.route), None) is not None:
        return ""
    route = item.route
    return f"every reference of {route.KIND} {route.id} resolves, while the controller says {status.words(said)}"


def _refers_by_filter(route: AnyRoute) -> bool:
    return any(
        item.get("type") in {"ExtensionRef", "RequestMirror"}
        for rule in route.rules
        if isinstance(rule, RouteRule | GRPCRule)
        for item in (*rule.filters, *(inner for ref in rule.backend_refs for inner in ref.filters))
    )
