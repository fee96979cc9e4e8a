"""Everything that can be read, once, into one capture file."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from aksnav.model.azure.network import VirtualNetwork
from aksnav.model.change import Change, ListEnded, Reading, ReadingChanged, Removed, SourceChanged, Upserted
from aksnav.model.confirmation import Question, Reply, Way
from aksnav.model.kinds import KINDS
from aksnav.sources.capture import CaptureHeader, KindReading, write_capture
from aksnav.sources.errors import SourceError
from aksnav.sources.options import Options
from aksnav.sources.session import Document, Session

TIMEOUT = 600.0


class Captured(msgspec.Struct, frozen=True, gc=False):
    """A capture that was written.

    Attributes:
        objects: how many are in it.
        notes: what was asked for by hand and is not in it, each in a line.
    """

    objects: int
    notes: tuple[str, ...] = ()


class Ear:
    """Listens to a session: how well each kind could be read, and the objects that are not listed again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.readings: dict[tuple[str, str], KindReading] = {}
        self.facts: dict[str, str] = {}
        self.objects: dict[tuple[str, str], Any] = {}

    def hear(self, change: Change) -> None:
        """Take note of a change; called from several threads."""
        with self._lock:
            match change:
                case SourceChanged():
                    self.facts.update(change.facts)
                case ListEnded():
                    self._read(change.kind, Reading.LIVE, change.scope, "", change.at)
                case ReadingChanged():
                    self._read(change.kind, change.reading, change.scope, change.reason, change.at)
                case Upserted() if _kept(change.kind):
                    self.objects.update({(change.kind, row.id): row for row in change.objects})
                case Removed() if _kept(change.kind):
                    for ident in change.ids:
                        self.objects.pop((change.kind, ident), None)

    def _read(self, kind: str, reading: Reading, scope: str, reason: str, at: float) -> None:
        self.readings[kind, scope] = KindReading(kind=kind, reading=reading, scope=scope, reason=reason, at=at)

    def ask(self, put: Callable[[Question], Reply]) -> tuple[str, ...]:
        """Ask which security admin rules are in effect on the networks, and return for which that could not be told.

        Args:
            put: puts a question to Azure.
        """
        networks = [(key, row) for key, row in sorted(self.objects.items()) if isinstance(row, VirtualNetwork)]
        if not networks:
            return ("not in it: security admin rules: no virtual network could be read",)
        notes = []
        for key, row in networks:
            reply = put(Question(way=Way.ADMIN_RULES, target=row.arm_id, about=f"admin rules of {row.name}"))
            if reply.admin_rules is None:
                notes.append(f"not in it: security admin rules of {row.name}: {reply.error}")
                continue
            self.objects[key] = msgspec.structs.replace(
                row, effective_security_admin_rules=reply.admin_rules, admin_rules_as_of=reply.at
            )
        return tuple(notes)

    def documents(self) -> Iterator[Document]:
        """Yield what is not listed again: Azure's objects with the fields that are read, and which Secrets exist."""
        for (kind, _), row in sorted(self.objects.items()):
            yield kind, _BY_NAME[kind](row) if KINDS[kind].by_name else msgspec.to_builtins(row)


def capture(options: Options, path: Path, *, redact: bool, confirm: bool = False, timeout: float = TIMEOUT) -> Captured:
    """Read everything once, write it, and return how much it is.

    Args:
        options: what to read.
        path: the file.
        redact: replace host names, public addresses and subscription ids.
        confirm: ask Azure, by a POST that reads, which security admin rules are in effect on each virtual network.
        timeout: seconds after which what has not come is an error: half a capture would lie.

    Raises:
        SourceError: nothing could be read, or the file cannot be written.
    """
    ear = Ear()
    session = Session(options, ear.hear, once=True)
    session.start()
    try:
        late = session.wait(timeout)
        error = session.fatal() or (f"not everything was read within {timeout:g} s: {', '.join(late)}" if late else "")
        if error:
            raise SourceError(error)
        notes = ear.ask(session.confirm) if confirm else ()
        live = [(kind, scope) for (kind, scope), read in ear.readings.items() if read.reading is Reading.LIVE]
        listed = [(kind, scope) for kind, scope in live if not _kept(kind)]
        header = CaptureHeader(at=time.time(), facts=dict(ear.facts), readings=tuple(ear.readings.values()))
        own = () if options.demo is not None or options.capture is not None else ear.documents()
        return Captured(write_capture(path, (*session.documents(listed), *own), header, redact=redact), notes)
    finally:
        session.stop()


def _kept(kind: str) -> bool:
    """Return whether objects of a kind come as changes only: of Azure, and what is asked for by name."""
    return KINDS[kind].azure or KINDS[kind].by_name


def _secret(row: Any) -> dict[str, Any]:
    out = {"kind": "Secret", "metadata": {"namespace": row.namespace, "name": row.name}, "exists": row.exists}
    return {**out, "type": row.type} if row.type else out


def _config_map(row: Any) -> dict[str, Any]:
    metadata = {"namespace": row.namespace, "name": row.name}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": row.data}


_BY_NAME = {"Secret": _secret, "ConfigMap": _config_map}
