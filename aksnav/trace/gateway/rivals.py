"""HTTPRoutes and GRPCRoutes that want one host of one listener (Gateway API v1: GRPCRouteSpec.hostnames).

Exactly one of two such routes is accepted: the older one, then the first by namespace and name. They are never merged.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aksnav.trace.gateway.kinds import WEB_KINDS
from aksnav.trace.routing.hostnames import intersect

if TYPE_CHECKING:
    from aksnav.trace.gateway.attach import Attachment


def older(accepted: Sequence["Attachment"], item: "Attachment") -> "Attachment | None":
    """Return the accepted route of the other kind that shares a host and the listener with a younger one, or None.

    Args:
        accepted: what was accepted before it, in the order of age.
        item: the one that comes next.
    """
    if item.route.KIND not in WEB_KINDS:
        return None
    for other in accepted:
        same = other.listener.name == item.listener.name
        if same and other.route.KIND in WEB_KINDS and other.route.KIND != item.route.KIND and _share(other, item):
            return other
    return None


def _share(one: "Attachment", other: "Attachment") -> bool:
    return any(intersect(first, second) is not None for first in one.hostnames for second in other.hostnames)
