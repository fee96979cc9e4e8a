"""A table: the objects of one kind, how well they can be read, and what changed since when."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from aksnav.model.change import Reading

JOURNAL = 1 << 15
"""Changes that a table remembers: more than arrive between two looks at it, some 2 MB at the most."""


class Row(Protocol):
    """What a table needs of an object."""

    @property
    def id(self) -> str:
        """The key of the row."""


T = TypeVar("T", bound=Row)
R_contra = TypeVar("R_contra", contravariant=True)


class Index(Protocol[R_contra]):
    """Something that follows a table."""

    def change(self, ident: str, old: R_contra | None, new: R_contra | None) -> None:
        """Take note that the row with this id came (old is None), changed, or went (new is None)."""


class Access(msgspec.Struct, frozen=True, gc=False):
    """How well a table can be read in one scope.

    Attributes:
        reading: the state.
        reason: one line for people where the state is not LIVE.
        at: as of when the rows are right, seconds since the epoch; 0 if they never were.
    """

    reading: Reading = Reading.PENDING
    reason: str = ""
    at: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether a row that is not there is known not to exist (a stale table was complete when it was read)."""
        return self.reading in {Reading.LIVE, Reading.STALE, Reading.ABSENT}

    @property
    def fresh(self) -> bool:
        """Whether the rows are as they are now."""
        return self.reading in {Reading.LIVE, Reading.ABSENT}


PENDING = Access()


class Table(Generic[T]):
    """The objects of one kind by id.

    Attributes:
        kind: name of the kind.
        version: grows with every change of a row or of how well rows can be read; equal versions mean equal content
            (but for resource versions, and the time as of which the rows are right).
        undecodable: id to reason, for objects that exist but could not be decoded.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.version = 0
        self.undecodable: dict[str, str] = {}
        self._rows: dict[str, T] = {}
        self._indexes: list[Index[T]] = []
        self._access: dict[str, Access] = {}
        self._journal: deque[tuple[int, str]] = deque(maxlen=JOURNAL)
        self._listing: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[T]:
        return iter(self._rows.values())

    def __contains__(self, ident: object) -> bool:
        return ident in self._rows

    def get(self, ident: str) -> T | None:
        """Return the row with this id, or None. Ask ``access`` before taking None for "does not exist"."""
        return self._rows.get(ident)

    def ids(self) -> Iterable[str]:
        """Return the ids of all rows."""
        return self._rows.keys()

    def follow(self, index: Index[T]) -> None:
        """Let an index follow this table from now on; it is told of every row that is there already."""
        self._indexes.append(index)
        for ident, row in self._rows.items():
            index.change(ident, None, row)

    def upsert(self, rows: Iterable[T]) -> None:
        """Add or replace rows. A row that differs in nothing but its resource version counts as unchanged."""
        stored, journal, version = self._rows, self._journal, self.version + 1
        seen = list(self._listing.values())
        for row in rows:
            ident = row.id
            old = stored.get(ident)
            stored[ident] = row
            for listing in seen:
                listing.add(ident)
            if self.undecodable and self.undecodable.pop(ident, None) is not None:
                self.version = version
            if old is not None and _same(old, row):
                continue
            self.version = version
            journal.append((version, ident))
            for index in self._indexes:
                index.change(ident, old, row)

    def remove(self, idents: Iterable[str]) -> None:
        """Remove rows; ids that are not there are passed over."""
        version = self.version + 1
        for ident in idents:
            if self.undecodable.pop(ident, None) is not None:
                self.version = version
            old = self._rows.pop(ident, None)
            if old is None:
                continue
            self.version = version
            self._journal.append((version, ident))
            for index in self._indexes:
                index.change(ident, old, None)

    def start_list(self, scope: str) -> None:
        """Begin to note which rows a full list of the scope brings; nothing is removed yet."""
        self._listing[scope] = set()

    @property
    def listing(self) -> bool:
        """Whether a full list has begun and not ended."""
        return bool(self._listing)

    def end_list(self, scope: str, in_scope: Callable[[str], bool]) -> None:
        """Remove the rows of the scope, and the undecodable objects, that the list did not bring."""
        seen = self._listing.pop(scope, None)
        if seen is None:
            return
        self.remove([ident for ident in (*self._rows, *self.undecodable) if ident not in seen and in_scope(ident)])

    def note_undecodable(self, ident: str, reason: str) -> None:
        """Remember that an object exists but could not be decoded; an empty reason takes it back.

        What was known of it goes: the object has changed since, nobody knows to what.
        """
        if not reason:
            if self.undecodable.pop(ident, None) is not None:
                self.version += 1
            return
        for listing in self._listing.values():
            listing.add(ident)
        if self.undecodable.get(ident) != reason or ident in self._rows:
            self.remove((ident,))
            self.undecodable[ident] = reason
            self.version += 1

    def access(self, scope: str = "") -> Access:
        """Return how well the rows of a scope can be read (a namespace, an ARM scope, or everywhere).

        A scope that nothing was said of is read as well as everywhere is.
        """
        return self._access.get(scope) or self._access.get("", PENDING)

    def set_access(self, scope: str, access: Access) -> None:
        """Say how well the rows of a scope can be read."""
        before = self._access.get(scope)
        self._access[scope] = access
        if before is None or (before.reading, before.reason) != (access.reading, access.reason):
            self.version += 1

    def leave(self, scope: str) -> None:
        """Forget how well the rows of a scope could be read: nobody reads it any more."""
        self._listing.pop(scope, None)
        if self._access.pop(scope, None) is not None:
            self.version += 1

    def scopes(self) -> dict[str, Access]:
        """Return what was said of every scope."""
        return dict(self._access)

    def changed_since(self, version: int) -> set[str] | None:
        """Return the ids that changed, came or went after a version; None if that is too long ago to tell."""
        if version >= self.version:
            return set()
        if len(self._journal) == JOURNAL and self._journal[0][0] > version:
            return None
        found = set()
        for at, ident in reversed(self._journal):
            if at <= version:
                break
            found.add(ident)
        return found


def _same(old: object, new: Any) -> bool:
    """Return whether a row is as it was but for its resource version (a heartbeat, a change of what is not kept)."""
    version = getattr(new, "resource_version", None)
    if version is None or version == getattr(old, "resource_version", None):
        return bool(old == new)
    new.resource_version = getattr(old, "resource_version", "")
    same = bool(old == new)
    new.resource_version = version
    return same
