"""A table: the objects of one kind, how well they can be read, and what changed since when."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar

import msgspec

from aksnav.model.change import Reading

JOURNAL = 4096


class Row(Protocol):
    """What a table needs of an object."""

    @property
    def id(self) -> str:
        """The key of the row."""


T = TypeVar("T", bound=Row)
R = TypeVar("R", contravariant=True)


class Index(Protocol[R]):
    """Something that follows a table."""

    def change(self, old: R | None, new: R | None) -> None:
        """Take note that a row came (old is None), changed, or went (new is None)."""


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
        """Whether a row that is not in the table is known not to exist (a stale table was complete when it was read)."""
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
        version: grows with every change of a row or of the access; equal versions mean equal content.
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
        for row in self._rows.values():
            index.change(None, row)

    def upsert(self, rows: Iterable[T]) -> None:
        """Add or replace rows."""
        self.version += 1
        stored, journal, version = self._rows, self._journal, self.version
        seen = list(self._listing.values())
        for row in rows:
            ident = row.id
            old = stored.get(ident)
            stored[ident] = row
            journal.append((version, ident))
            self.undecodable.pop(ident, None)
            for index in self._indexes:
                index.change(old, row)
            for listing in seen:
                listing.add(ident)

    def remove(self, idents: Iterable[str]) -> None:
        """Remove rows; ids that are not there are passed over."""
        self.version += 1
        for ident in idents:
            self.undecodable.pop(ident, None)
            old = self._rows.pop(ident, None)
            if old is None:
                continue
            self._journal.append((self.version, ident))
            for index in self._indexes:
                index.change(old, None)

    def start_list(self, scope: str) -> None:
        """Begin to note which rows a full list of the scope brings; nothing is removed yet."""
        self._listing[scope] = set()

    def end_list(self, scope: str, in_scope: Callable[[str], bool]) -> None:
        """Remove the rows of the scope that the list did not bring."""
        seen = self._listing.pop(scope, None)
        if seen is None:
            return
        self.remove([ident for ident in self._rows if ident not in seen and in_scope(ident)])

    def note_undecodable(self, ident: str, reason: str) -> None:
        """Remember that an object exists but could not be decoded; an empty reason takes it back."""
        self.version += 1
        if reason:
            self.undecodable[ident] = reason
            for listing in self._listing.values():
                listing.add(ident)
        else:
            self.undecodable.pop(ident, None)

    def access(self, scope: str = "") -> Access:
        """Return how well the rows of a scope can be read (a namespace, an ARM scope, or everywhere).

        A scope that nothing was said of is read as well as everywhere is.
        """
        return self._access.get(scope) or self._access.get("", PENDING)

    def set_access(self, scope: str, access: Access) -> None:
        """Say how well the rows of a scope can be read."""
        if self._access.get(scope) != access:
            self.version += 1
            self._access[scope] = access

    def scopes(self) -> dict[str, Access]:
        """Return what was said of every scope."""
        return dict(self._access)

    def changed_since(self, version: int) -> set[str] | None:
        """Return the ids that changed, came or went after a version; None if that is too long ago to tell."""
        if version >= self.version:
            return set()
        if len(self._journal) == JOURNAL and self._journal[0][0] > version:
            return None
        return {ident for at, ident in self._journal if at > version}
