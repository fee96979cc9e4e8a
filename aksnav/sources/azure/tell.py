"""From what a round of reading found to changes: which rows came and went, and how well each scope can be read."""

from collections.abc import Callable

import msgspec

from aksnav.model.change import (
    Change,
    ListEnded,
    ListStarted,
    Reading,
    ReadingChanged,
    Removed,
    ScopeLeft,
    UndecodableFound,
    Upserted,
)
from aksnav.model.kinds import AZURE_KINDS
from aksnav.sources.azure.outcome import Read

BATCH = 200
# A kind is as readable as the worst of its scopes; the first of these that occurs is what is said.
_WORST_FIRST = (Reading.DENIED, Reading.FAILED, Reading.UNREAD, Reading.PENDING, Reading.STALE, Reading.LIVE)


class _Scope(msgspec.Struct):
    """What was last said of a kind in one scope.

    Attributes:
        at: when it was last read whole, 0 for never.
        ids, bad: what is known in it, and what is there and could not be decoded.
        asked: it was asked for in this round.
    """

    reading: Reading
    reason: str = ""
    at: float = 0.0
    ids: set[str] = set()
    bad: set[str] = set()
    asked: bool = True


class Teller:
    """Says what is read, and remembers what it said."""

    def __init__(self, emit: Callable[[Change], None], now: Callable[[], float]) -> None:
        """Prepare.

        Args:
            emit: takes the changes.
            now: seconds since the epoch.
        """
        self._emit = emit
        self._now = now
        self._scopes: dict[tuple[str, str], _Scope] = {}
        self._kinds: dict[str, Reading] = {}
        self._seen: dict[str, bool] = {kind.name: False for kind in AZURE_KINDS}

    @property
    def known(self) -> bool:
        """Whether anything was ever read."""
        return any(self._seen.values())

    def readings(self) -> dict[str, Reading]:
        """Return the state of each kind as it was last said."""
        return dict(self._kinds)

    def begin(self) -> None:
        """Note that a round begins."""
        for scope in self._scopes.values():
            scope.asked = False

    def tell(self, read: Read) -> None:
        """Say what came of one kind in one scope."""
        known = self._scopes.setdefault((read.kind, read.scope), _Scope(read.reading))
        known.asked = True
        ids = {item.id for item in read.objects}
        if read.kept and (known.reading, known.at, known.ids) == (Reading.LIVE, read.at, ids):
            return  # it was said when it was read
        now = read.at or self._now()
        if read.whole:
            self._emit(ListStarted(read.kind, read.scope))
        for start in range(0, len(read.objects), BATCH):
            self._emit(Upserted(read.kind, read.objects[start : start + BATCH]))
        bad = {item.id or f"{read.scope}/(unnamed)": item.reason for item in read.undecodable}
        for ident, reason in bad.items():
            self._emit(UndecodableFound(read.kind, ident, reason))
        self._seen[read.kind] |= bool(ids) or read.reading is Reading.LIVE
        if read.reading is Reading.LIVE:
            elsewhere = self._elsewhere(read.kind, known)
            gone = sorted((known.ids - ids - elsewhere) | set(read.gone)) if not read.whole else []
            if gone:
                self._emit(Removed(read.kind, gone))
            for ident in known.bad - bad.keys() - ids - elsewhere:
                self._emit(UndecodableFound(read.kind, ident, ""))
            known.ids, known.bad, known.at = ids, set(bad), now
            known.reading, known.reason = Reading.LIVE, ""
            said = ListEnded(read.kind, read.scope, now)
            self._emit(said if read.whole else ReadingChanged(read.kind, Reading.LIVE, read.scope, "", now))
            return
        known.ids |= ids
        known.bad |= bad.keys()
        before = known.at > 0 and read.reading is Reading.FAILED  # what is known stays good for a while
        known.reading, known.reason = (Reading.STALE if before else read.reading), read.reason
        if read.scope:
            self._emit(ReadingChanged(read.kind, known.reading, read.scope, read.reason, now))

    def end(self) -> None:
        """Say how well each kind can be read, now that everything was asked for.

        What is not asked for any more is dropped, unless something failed: then it may only be out of sight.
        """
        asked = [known for known in self._scopes.values() if known.asked]
        failed = next((known for known in asked if known.reading in {Reading.FAILED, Reading.STALE}), None)
        for (of, scope), known in list(self._scopes.items()):
            if known.asked:
                continue
            if failed is not None:
                self._outdate(of, scope, known, failed.reason)
                continue
            del self._scopes[of, scope]
            gone = (known.ids | known.bad) - self._elsewhere(of, known)
            if gone:
                self._emit(Removed(of, sorted(gone)))
            if scope:
                self._emit(ScopeLeft(of, scope))
        for kind in AZURE_KINDS:
            worst = self._worst(kind.name)
            at = min((known.at for known in self._of(kind.name) if known.at), default=self._now())
            self._say(kind.name, worst.reading, worst.reason, at)

    def give_up(self, reading: Reading, reason: str) -> None:
        """Say that the round ended early: what was not reached is as it was, or could not be read.

        Args:
            reading: of what was never read.
            reason: one line for people.
        """
        for (of, scope), known in self._scopes.items():
            if not known.asked:
                self._outdate(of, scope, known, reason)
        for kind in AZURE_KINDS:
            worst, before = self._worst(kind.name), self._kinds.get(kind.name)
            if worst.reading is Reading.DENIED:
                self._say(kind.name, worst.reading, worst.reason, self._now())
            elif before in {Reading.LIVE, Reading.STALE}:
                self._say(kind.name, Reading.STALE, reason, self._now())
            else:  # scopes that were not reached may hold more of it
                self._say(kind.name, reading, reason, self._now())

    def _outdate(self, kind: str, scope: str, known: _Scope, reason: str) -> None:
        """Say that what was read before was not read again."""
        if known.reading in {Reading.LIVE, Reading.STALE}:
            known.reading, known.reason = Reading.STALE, reason
            if scope:
                self._emit(ReadingChanged(kind, Reading.STALE, scope, reason, self._now()))

    def _elsewhere(self, kind: str, scope: _Scope) -> set[str]:
        """Return what other scopes of a kind hold: an interface can be read by its id, and as somebody's neighbour."""
        return {ident for other in self._of(kind) if other is not scope for ident in (*other.ids, *other.bad)}

    def _of(self, kind: str) -> list[_Scope]:
        return [known for (of, _), known in self._scopes.items() if of == kind]

    def _worst(self, kind: str) -> _Scope:
        return min(self._of(kind), key=lambda known: _WORST_FIRST.index(known.reading), default=_Scope(Reading.PENDING))

    def _say(self, kind: str, reading: Reading, reason: str, at: float) -> None:
        self._kinds[kind] = reading
        self._emit(ReadingChanged(kind, reading, "", reason, at))
