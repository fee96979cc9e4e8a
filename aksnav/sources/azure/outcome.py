"""What came of reading one kind in one scope, as the Azure source passes it on."""

from collections.abc import Sequence

import msgspec

from aksnav.model.change import Reading
from aksnav.model.kinds import AnyObject
from aksnav.model.object import Undecodable
from aksnav.sources.azure.errors import ArmError


class Read(msgspec.Struct, kw_only=True, gc=False):
    """What came of reading one kind in one scope.

    Attributes:
        kind: name of the kind.
        scope: ARM id of the resource group in lower case; empty where not even that is known.
        objects: what was read.
        undecodable: what was read and is not such an object.
        gone: ids that were asked for by name and do not exist.
        whole: it is a complete list: what was known in the scope and is not in it is gone.
        reading: LIVE, or how it could not be read.
        reason: one line for people, empty where all was read.
        short: something of it that makes no kind unreadable could not be read; a note says what.
        at: as of when it is right, seconds since the epoch; 0 for what was read just now and is not kept.
        kept: nothing of it was asked for: it is what a former round has read.
    """

    kind: str
    scope: str
    objects: list[AnyObject] = []
    undecodable: list[Undecodable] = []
    gone: list[str] = []
    whole: bool = False
    reading: Reading = Reading.LIVE
    reason: str = ""
    short: bool = False
    at: float = 0.0
    kept: bool = False


def failed(kind: str, scope: str, error: ArmError) -> Read:
    """Return what came of a kind that could not be read in a scope."""
    reading = Reading.DENIED if error.denied else Reading.FAILED
    return Read(kind=kind, scope=scope, reading=reading, reason=str(error))


def joined(kind: str, scope: str, parts: Sequence[Read]) -> Read:
    """Return several readings of one scope as one: it is as old as the oldest of them."""
    return Read(
        kind=kind,
        scope=scope,
        objects=[item for part in parts for item in part.objects],
        undecodable=[error for part in parts for error in part.undecodable],
        at=min((part.at for part in parts if part.at), default=0.0),
        kept=bool(parts) and all(part.kept for part in parts),
    )
