"""What controllers say in status conditions, to be set beside our own reading (Gateway API v1: RouteParentStatus).

A condition counts for the generation that it was made for. One that is older than the object says nothing of it, and
one that is absent says nothing at all.
"""

import msgspec

from aksnav.model.kubernetes.gateway import AnyRoute, Gateway, ParentRef, ParentStatus
from aksnav.model.kubernetes.workload import Condition
from aksnav.trace.gateway.classes import find_condition, stale
from aksnav.trace.step import Evidence


class Said(msgspec.Struct, frozen=True, gc=False):
    """What the controller says of a route under one parent: Accepted and ResolvedRefs of its present generation.

    Attributes:
        accepted, resolved: None where it says nothing, or nothing of this generation.
        old: it speaks of an older generation (G14).
    """

    accepted: Condition | None = None
    resolved: Condition | None = None
    old: bool = False


def of_route(route: AnyRoute, gateway: Gateway, ref: ParentRef) -> Said:
    """Return what the controller says of a route under a parentRef of it."""
    found = _parents(route, gateway, ref)
    conditions = found[0].conditions if found else ()
    accepted, resolved = find_condition(conditions, "Accepted"), find_condition(conditions, "ResolvedRefs")
    return Said(
        _present(accepted, route.generation),
        _present(resolved, route.generation),
        stale(route.generation, accepted) or stale(route.generation, resolved),
    )


def _present(condition: Condition | None, generation: int) -> Condition | None:
    """A condition that says something of the present generation; Unknown (Pending) says nothing."""
    known = condition is not None and condition.status != "Unknown" and not stale(generation, condition)
    return condition if known else None


def _parents(route: AnyRoute, gateway: Gateway, ref: ParentRef) -> list[ParentStatus]:
    """The statuses of a parent: those of the same sectionName and port first, where a route names it several times."""
    mine = [
        item
        for item in route.status.parents
        if f"{item.parent_ref.namespace or route.namespace}/{item.parent_ref.name}" == gateway.id
        and item.parent_ref.kind == Gateway.KIND
    ]
    same = [
        item for item in mine if item.parent_ref.section_name == ref.section_name and item.parent_ref.port == ref.port
    ]
    return same or mine


def words(condition: Condition) -> str:
    """Return a condition in words: its type, status, reason and message."""
    reason = f" ({condition.reason})" if condition.reason else ""
    message = f": {condition.message}" if condition.message else ""
    return f"{condition.type} {condition.status}{reason}{message}"


def fact(route: AnyRoute, condition: Condition) -> Evidence:
    """Return a condition of a route's parent as evidence beside our own reading."""
    return Evidence(
        f".status.parents[].conditions[?(@.type=='{condition.type}')].status",
        f"{condition.status} ({condition.reason})" if condition.reason else condition.status,
        route.ref,
        "the controller's own word",
    )
