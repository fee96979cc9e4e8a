"""A kind followed: the lines of a watch, as changes.

Source: Kubernetes API concepts, "Efficient detection of changes", "Watch bookmarks" and "Streaming lists".
"""

from collections.abc import Callable, Iterator
from http import HTTPStatus

import msgspec

from aksnav.model.change import Change, Heartbeat, ListEnded, Removed
from aksnav.model.decode import decode_object
from aksnav.model.kinds import AnyObject, Kind
from aksnav.model.object import Undecodable
from aksnav.sources.kubernetes.errors import ApiError, Status, api_error
from aksnav.sources.kubernetes.lister import changes_of, wanted

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
HEARTBEAT_PERIOD = 1.0
_BATCH = 500


class _Meta(msgspec.Struct, rename="camel", gc=False):
    name: str | None = None
    namespace: str | None = None
    resource_version: str | None = None
    annotations: dict[str, str] | None = None


class _Named(msgspec.Struct, gc=False):
    metadata: _Meta


class _Event(msgspec.Struct, gc=False):
    type: str
    object: msgspec.Raw


_EVENT = msgspec.json.Decoder(_Event)
_NAMED = msgspec.json.Decoder(_Named)
_STATUS = msgspec.json.Decoder(Status)


def lines(chunks: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Return the whole lines of each chunk; what follows the last newline waits for the next one."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk if rest else chunk).split(b"\n")
        if whole:
            yield whole


class Watcher:
    """Turns the events of one collection into changes.

    Attributes:
        version: the resource version from which the next watch goes on.
        initial: the events so far are those of a streamed list that has not ended yet.
        error: what ended the stream, where the server said it in the stream.
    """

    def __init__(self, kind: Kind, scope: str, now: Callable[[], float]) -> None:
        """Start to follow.

        Args:
            kind: the kind.
            scope: the namespace that is followed, empty for all.
            now: seconds since the epoch.
        """
        self._kind = kind
        self._scope = scope
        self._now = now
        self._beat = 0.0
        self.version = ""
        self.initial = False
        self.error: ApiError | None = None

    def changes(self, batch: list[bytes]) -> list[Change]:
        """Return what some lines of a watch say.

        After an ERROR event, or a line that is no event, ``error`` is set and the rest is not read.
        """
        out: list[Change] = []
        objects: list[AnyObject] = []
        bad: list[Undecodable] = []
        for line in batch:
            if not line:
                continue
            try:
                event = _EVENT.decode(line)
            except msgspec.MsgspecError as error:
                self.error = ApiError(HTTPStatus.OK, f"a line of the watch is not an event: {error}")
                break
            if event.type in {"ADDED", "MODIFIED"}:
                self._take(event.object, objects, bad)
                if len(objects) < _BATCH and not bad:
                    continue
            out += changes_of(self._kind.name, objects, bad)
            objects, bad = [], []
            if event.type == "DELETED":
                out += self._delete(event.object)
            elif event.type == "BOOKMARK":
                out += self._bookmark(event.object)
            elif event.type == "ERROR":
                self.error = _error(event.object)
                break
        out += changes_of(self._kind.name, objects, bad)
        return out + self._heartbeat()

    def _take(self, raw: msgspec.Raw, objects: list[AnyObject], bad: list[Undecodable]) -> None:
        if not wanted(self._kind, raw):
            self.version = _meta(raw).resource_version or self.version
            return
        try:
            made = decode_object(self._kind, raw)
        except Undecodable as error:
            bad.append(error)
            self.version = _meta(raw).resource_version or self.version
        else:
            objects.append(made)
            self.version = getattr(made, "resource_version", "") or self.version

    def _delete(self, raw: msgspec.Raw) -> list[Change]:
        meta = _meta(raw)
        self.version = meta.resource_version or self.version
        ident = f"{meta.namespace}/{meta.name}" if meta.namespace else meta.name
        return [Removed(self._kind.name, [ident])] if ident else []

    def _bookmark(self, raw: msgspec.Raw) -> list[Change]:
        meta = _meta(raw)
        self.version = meta.resource_version or self.version
        if self.initial and (meta.annotations or {}).get(INITIAL_EVENTS_END) == "true":
            self.initial = False
            return [ListEnded(self._kind.name, self._scope, self._now())]
        return []

    def _heartbeat(self) -> list[Change]:
        """Say that the table is right as of now, once a second at the most."""
        now = self._now()
        if self.initial or now - self._beat < HEARTBEAT_PERIOD:
            return []
        self._beat = now
        return [Heartbeat(self._kind.name, now, self._scope)]


def _meta(raw: msgspec.Raw) -> _Meta:
    try:
        return _NAMED.decode(raw).metadata
    except msgspec.MsgspecError:
        return _Meta()


def _error(raw: msgspec.Raw) -> ApiError:
    try:
        status = _STATUS.decode(raw)
    except msgspec.MsgspecError:
        status = Status()
    return api_error(status.code or HTTPStatus.INTERNAL_SERVER_ERROR, bytes(raw))
