"""One kind in one scope, kept right: list, watch, and what to do when either fails.

Whatever fails, nothing is removed that the cluster did not say is gone: a new list replaces the old one only when it is
complete, and a lost connection turns the kind stale, with its age.
"""

import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

import msgspec

from aksnav.model.change import (
    Change,
    ListEnded,
    ListStarted,
    Reading,
    ReadingChanged,
    UndecodableFound,
)
from aksnav.model.decode import Page
from aksnav.model.text import plain
from aksnav.sources.kubernetes.discovery import Resource
from aksnav.sources.kubernetes.errors import ApiError, ConfigError, LinkError, StoppedError
from aksnav.sources.kubernetes.lister import Lister, changes_of
from aksnav.sources.kubernetes.pace import Pace, delay, spread
from aksnav.sources.kubernetes.transport import Stream, Transport
from aksnav.sources.kubernetes.watcher import Watcher, lines
from aksnav.sources.options import ListMode

WATCH_SECONDS = 300
IDLE_SECONDS = 150.0
FIRST_DENIED_PERIOD = 15.0
DENIED_PERIOD = 300.0
DENIALS_IN_DOUBT = 4
POLL_PERIOD = 60.0
SHORT_WATCH = 1.0
GIVE_UP_AFTER = 3


class Owner(Protocol):
    """What a follower tells the source besides changes."""

    def link(self, up: bool, reason: str = "") -> None:
        """The server answered, or could not be reached."""

    def denied(self, resource: Resource, scope: str) -> None:
        """A kind may not be read in a scope."""


class Shared(msgspec.Struct, gc=False):
    """What the followers of one cluster share.

    Attributes:
        transport, lister: the ways to the server.
        pace: time and rest.
        emit: takes changes.
        owner: the source.
        once: read whole once, then end (headless commands).
        list_mode: how to read whole.
    """

    transport: Transport
    lister: Lister
    pace: Pace
    emit: Callable[[Change], None]
    owner: Owner
    once: bool = False
    list_mode: ListMode = ListMode.PAGED


# Some kind should find a server that is back within a second or two; the first one to do so calls the others.
LONGEST_WITHOUT_LINK = 8.0


class Follower:
    """Follows one kind in one scope; ``run`` is the body of its thread.

    Attributes:
        resource: the kind and its version.
        scope: the namespace, empty for all.
        complete: the kind was read whole at least once.
        undecodable: ids of the objects that could not be decoded.
    """

    def __init__(self, shared: Shared, resource: Resource, scope: str = "", before: "Follower | None" = None) -> None:
        """Prepare to follow.

        Args:
            shared: what all followers of the cluster share.
            resource: the kind and its version.
            scope: the namespace, empty for all.
            before: the follower that this one replaces: what it knew is still known.
        """
        self.resource = resource
        self.scope = scope
        self._shared = shared
        self._pace = shared.pace
        self._kind = resource.kind.name
        self._mode = ListMode.PAGED if shared.once else shared.list_mode
        self._watcher = Watcher(resource.kind, scope, shared.pace.now)
        self._reading = Reading.PENDING
        self.complete: bool = before.complete if before else False
        self._failures = 0
        self._expiries = 0
        self._denials = 0
        self.undecodable: set[str] = set(before.undecodable) if before else set()
        self._lock = threading.Lock()
        self._stream: Stream | None = None
        self._ended = False

    @property
    def ended(self) -> bool:
        """It was told to end, or its kind is not served any more."""
        return self._ended

    def run(self) -> None:
        """List and watch until told to end (``once``: until listed, or until it cannot be)."""
        while not self._ended:
            try:
                wait = self._try()
            except StoppedError:
                return
            if wait is None or self._pace.rest(wait):
                return

    def end(self) -> None:
        """Come to an end; from any thread."""
        with self._lock:
            self._ended = True
            if self._stream is not None:
                self._stream.cut()

    def _try(self) -> float | None:
        """Return how long to wait until the next step; None to end."""
        try:
            self._step()
        except ApiError as error:
            return self._refused(error)
        except (LinkError, ConfigError) as error:
            return self._lost(str(error))
        except StoppedError:
            raise
        except Exception as error:  # noqa: BLE001 - a fault in reading one kind is said, and leaves the others alone
            return self._failed(plain(f"{self._kind} cannot be read: {type(error).__name__}: {error}"), 0.0)
        return None if self._shared.once else 0.0

    def _emit(self, change: Change) -> None:
        if self._ended:
            raise StoppedError
        self._shared.emit(change)

    def _step(self) -> None:
        """Go one step: a full list where there is no version to go on from, then a watch until it ends."""
        if not self._watcher.version and self._mode is ListMode.PAGED:
            self._list()
            if self._shared.once:
                return
        started = self._pace.ticks()
        self._watch()
        if self._pace.ticks() - started < SHORT_WATCH:
            self._failures += 1
            if self._pace.rest(delay(self._failures, self._pace)):
                raise StoppedError

    def _list(self) -> None:
        self._emit(ListStarted(self._kind, self.scope))
        before, self.undecodable = self.undecodable, set()
        limit = {"limit": 0} if self._expiries > 1 else {}
        version = self._shared.lister.read(self.resource, self.scope, self._page, **limit)
        if not version:
            raise ApiError(HTTPStatus.OK, "the list has no resourceVersion")
        for ident in before - self.undecodable:
            self._emit(UndecodableFound(self._kind, ident, ""))
        self._watcher.version = version
        self._read()
        self._emit(ListEnded(self._kind, self.scope, self._pace.now()))

    def _page(self, page: Page) -> None:
        self._shared.owner.link(up=True)
        self.undecodable.update(error.id for error in page.undecodable)
        for change in changes_of(self._kind, page.objects, page.undecodable):
            self._emit(change)

    def _watch(self) -> None:
        watcher, initial = self._watcher, not self._watcher.version
        query: dict[str, str | int] = {
            "watch": 1,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": int(spread(WATCH_SECONDS, self._pace)),
        }
        if initial:
            query |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        else:
            query["resourceVersion"] = watcher.version
        stream = self._shared.transport.watch(self.resource.collection(self.scope), query, IDLE_SECONDS)
        with self._lock:
            self._stream = stream
            if self._ended:
                stream.cut()
        try:
            self._opened(initial)
            self._read_stream(stream)
        finally:
            with self._lock:
                self._stream = None
            stream.close()
        if watcher.initial:
            watcher.initial, watcher.version = False, ""
            raise LinkError("the streamed list ended before it was complete")

    def _opened(self, initial: bool) -> None:
        self._shared.owner.link(up=True)
        self._watcher.error = None
        self._watcher.initial = initial
        if initial:
            self._emit(ListStarted(self._kind, self.scope))
        elif self._reading is not Reading.LIVE:
            self._say(Reading.LIVE)
        self._denials = 0

    def _read_stream(self, stream: Stream) -> None:
        watcher = self._watcher
        try:
            for batch in lines(stream.chunks()):
                for change in watcher.changes(batch):
                    if isinstance(change, ListEnded):
                        self._read()
                    self._emit(change)
                if watcher.error is not None:
                    break
                self._failures = 0
        except LinkError:
            if self._ended:
                raise StoppedError from None
            if self._failures:
                raise
            self._failures = 1  # a watch that breaks once is opened again at once and without a word
        if watcher.error is not None:
            watcher.version, watcher.initial = "", False
            raise watcher.error

    def _read(self) -> None:
        """Note that the table is complete and right."""
        self._reading, self.complete = Reading.LIVE, True
        self._failures = self._expiries = 0

    def _refused(self, error: ApiError) -> float | None:
        """Return how long to wait after an error answer; None to end."""
        if error.expired:
            self._watcher.version = ""
            self._expiries += 1
            return 0.0 if self._expiries <= 1 else delay(self._expiries, self._pace)
        if error.denied:
            return self._denied(self._sentence(error))
        if error.code == HTTPStatus.NOT_FOUND:
            return self._absent(error)
        if error.code == HTTPStatus.UNAUTHORIZED:
            self._shared.owner.link(up=False, reason=f"{error}: log in again")
        unknown = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
        if error.code in unknown and self._mode is ListMode.STREAMED:
            self._mode, self._watcher.version = ListMode.PAGED, ""  # a server without WatchList
            return 0.0
        return self._failed(self._sentence(error), error.retry_after)

    def _denied(self, sentence: str) -> float | None:
        self._denials += 1
        if self.complete and self._denials <= DENIALS_IN_DOUBT:
            # An API server that has just started refuses everybody until it has read the roles.
            return self._failed(sentence, 0.0)
        if self._watcher.version:  # it may be listed but not watched: list it again and again
            self._watcher.version = ""
            self._say(Reading.STALE, sentence)
            return spread(POLL_PERIOD, self._pace)
        self._say(Reading.DENIED, sentence)
        self._shared.owner.denied(self.resource, self.scope)
        if self._shared.once:
            return None
        return spread(min(DENIED_PERIOD, FIRST_DENIED_PERIOD * 2.0 ** min(self._denials - 1, 8)), self._pace)

    def _absent(self, error: ApiError) -> float | None:
        """The kind is no longer served: its objects went with its CustomResourceDefinition."""
        if not self.resource.kind.optional:
            return self._failed(self._sentence(error), 0.0)
        self._emit(ListStarted(self._kind, self.scope))
        self._emit(ListEnded(self._kind, self.scope, self._pace.now()))
        self._say(Reading.ABSENT, f"{self.resource.kind.plural}.{self.resource.kind.group} is not installed")
        self._ended = True
        return None

    def _lost(self, reason: str) -> float | None:
        self._shared.owner.link(up=False, reason=reason)
        wait = self._failed(reason, 0.0)
        return None if wait is None else min(wait, LONGEST_WITHOUT_LINK)

    def _failed(self, reason: str, at_least: float) -> float | None:
        self._failures += 1
        self._say(Reading.STALE if self.complete else Reading.FAILED, reason)
        if self._shared.once and self._failures >= GIVE_UP_AFTER:
            return None
        return delay(self._failures, self._pace, at_least)

    def _say(self, reading: Reading, reason: str = "") -> None:
        self._reading = reading
        self._emit(ReadingChanged(self._kind, reading, self.scope, reason, self._pace.now()))

    def _sentence(self, error: ApiError) -> str:
        """Return verb, resource and scope with what the server said of them."""
        kind = self.resource.kind
        if not kind.namespaced:
            where = "at the cluster scope"
        else:
            where = f"in namespace {self.scope}" if self.scope else "in all namespaces"
        verb = "watch" if self._watcher.version else "list"
        group = f".{kind.group}" if kind.group else ""
        return f"{verb} {kind.plural}{group} {where}: {error}"
