"""A route that stands under a listener of a Gateway (Gateway API v1: ParentReference)."""

import msgspec

from aksnav.model.kubernetes.gateway import AnyRoute, Gateway, Listener
from aksnav.model.kubernetes.workload import Condition
from aksnav.trace.step import Evidence


class Attachment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A route under a listener.

    Attributes:
        hostnames: of the route, as far as they intersect with the listener's; an empty one is every host.
        originals: the route's own hostname behind each of them.
        assumptions: what is taken for granted.
        unread: what would have to be read to know that the listener takes the route, else empty.
        objection: what the controller's present word is where it contradicts this, else empty.
        resolved: ResolvedRefs as the controller has it of the present generation.
        word: everything that it says of the present generation.
    """

    gateway: Gateway
    listener: Listener
    route: AnyRoute
    hostnames: tuple[str, ...]
    originals: tuple[str, ...]
    assumptions: tuple[str, ...] = ()
    unread: str = ""
    objection: str = ""
    resolved: Condition | None = None
    word: tuple[Evidence, ...] = ()
