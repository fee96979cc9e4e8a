"""What a source says: batches of changes, and how each kind can be read. The one language between sources and store."""

from enum import StrEnum
from typing import ClassVar

import msgspec

from aksnav.model.azure.admin import SecurityAdminRule
from aksnav.model.kinds import AnyObject


class Reading(StrEnum):
    """How well a kind can be read, in one scope.

    PENDING: asked for, not answered yet. LIVE: listed and followed (or read whole, from a capture). STALE: known from
    before, the source is gone for now. DENIED: refused for lack of permission. ABSENT: the cluster does not serve the
    kind (its CustomResourceDefinition is not installed). UNREAD: the source does not speak of it (a capture without
    it, no Azure credentials). FAILED: asked for and answered with an error.
    """

    PENDING = "pending"
    LIVE = "live"
    STALE = "stale"
    DENIED = "denied"
    ABSENT = "absent"
    UNREAD = "unread"
    FAILED = "failed"


class Upserted(msgspec.Struct, tag=True, gc=False):
    """Objects that are new or changed; all of one kind."""

    kind: str
    objects: list[AnyObject]


class Removed(msgspec.Struct, tag=True, gc=False):
    """Ids of objects that are gone."""

    kind: str
    ids: list[str]


class ListStarted(msgspec.Struct, tag=True, gc=False):
    """A full list begins. What the store holds stays until the list has ended.

    Attributes:
        scope: the namespace that is listed, or an empty string for all of them (for Azure: the list's own ARM scope).
    """

    kind: str
    scope: str = ""


class ListEnded(msgspec.Struct, tag=True, gc=False):
    """A full list ended: what was held in this scope and has not come since ListStarted is gone.

    Attributes:
        at: when the list was complete, seconds since the epoch.
    """

    kind: str
    scope: str = ""
    at: float = 0.0


class ReadingChanged(msgspec.Struct, tag=True, gc=False):
    """How a kind can be read from now on, in one scope.

    Attributes:
        scope: a namespace, an ARM scope, or an empty string for everywhere.
        reason: one line for people: verb, resource and scope that were refused, or the error.
        at: seconds since the epoch; for LIVE the time as of which the table is right.
    """

    kind: str
    reading: Reading
    scope: str = ""
    reason: str = ""
    at: float = 0.0


class ScopeLeft(msgspec.Struct, tag=True, gc=False):
    """A scope is no longer part of what is read: what was said of it holds no more, for better or worse."""

    kind: str
    scope: str


class Heartbeat(msgspec.Struct, tag=True, gc=False):
    """The watch of a kind is alive (a bookmark or an event came): its table is right as of ``at`` (epoch seconds)."""

    kind: str
    at: float
    scope: str = ""


class UndecodableFound(msgspec.Struct, tag=True, gc=False):
    """An object that could not be decoded; an empty reason takes the word back."""

    kind: str
    id: str
    reason: str


class AdminRulesTold(msgspec.Struct, tag=True, frozen=True, gc=False):
    """Azure said which security admin rules are in effect on a virtual network, all of them, because the user asked.

    Attributes:
        id: of the network, in lower case.
        rules: none is in effect where it is empty.
        at: when Azure was asked, seconds since the epoch.
        old: that is too long ago to rely on.
    """

    kind: ClassVar[str] = "virtualNetworks"

    id: str
    rules: tuple[SecurityAdminRule, ...]
    at: float
    old: bool = False


class SourceChanged(msgspec.Struct, tag=True, gc=False):
    """The state of a whole source.

    Attributes:
        source: kubernetes, azure, capture or demo.
        reading: LIVE, PENDING, STALE (connection lost), DENIED, UNREAD (none), FAILED.
        reason: one line for people.
        facts: what the source knows of itself: context, server, version, subscription, calls made, read budget, …
        at: seconds since the epoch.
    """

    source: str
    reading: Reading
    reason: str = ""
    facts: dict[str, str] = {}
    at: float = 0.0


Change = (
    Upserted
    | Removed
    | ListStarted
    | ListEnded
    | ReadingChanged
    | ScopeLeft
    | Heartbeat
    | UndecodableFound
    | AdminRulesTold
    | SourceChanged
)
