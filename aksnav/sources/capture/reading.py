"""A capture as a source: read whole, then given out as changes."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from aksnav.model.change import (
    Change,
    ListEnded,
    ListStarted,
    Reading,
    ReadingChanged,
    SourceChanged,
    UndecodableFound,
    Upserted,
)
from aksnav.model.decode import decode_object
from aksnav.model.kinds import KINDS, AnyObject, find_kind
from aksnav.model.object import Undecodable
from aksnav.sources.capture.documents import is_json, json_documents, read_bytes, yaml_documents
from aksnav.sources.capture.errors import CaptureError
from aksnav.sources.capture.folder import Contents, files_of
from aksnav.sources.capture.recognise import kind_of_arm, kind_of_kubernetes
from aksnav.sources.capture.stream import MAGIC, CaptureHeader, KindReading, read_capture
from aksnav.sources.capture.strip import strip

_KNOWN = frozenset({Reading.LIVE, Reading.STALE})


class Capture:
    """A capture that has been read.

    Attributes:
        path: the file or folder.
        header: what it says of itself; for a folder, what can be said of it.
        objects: decoded objects by kind and id.
        undecodable: what could not be decoded.
    """

    def __init__(
        self,
        path: Path,
        header: CaptureHeader,
        objects: dict[str, dict[str, AnyObject]],
        undecodable: list[Undecodable],
        files: dict[tuple[str, str], Path] | None = None,
    ) -> None:
        """Keep what was read.

        Args:
            path: the file or folder.
            header: what it says of itself.
            objects: by kind and id.
            undecodable: what could not be decoded.
            files: where each object stands; None where all of them stand in the file itself.
        """
        self.path = path
        self.header = header
        self.objects = objects
        self.undecodable = undecodable
        self._files = files

    def changes(self) -> Iterator[Change]:
        """Yield everything that the capture holds, and how well each kind could be read."""
        at = self.header.at
        yield SourceChanged("capture", Reading.LIVE, str(self.path), self.header.facts, at)
        spoken = {reading.kind for reading in self.header.readings}
        for name, kind in KINDS.items():
            if name not in spoken:
                state = Reading.ABSENT if kind.optional else Reading.UNREAD
                yield ReadingChanged(name, state, "", f"nothing in {self.path} speaks of {kind.plural}", at)
        for reading in sorted(self.header.readings, key=lambda item: (item.kind, item.scope)):
            if reading.kind in KINDS:
                yield from self._of_reading(reading)
        for bad in self.undecodable:
            yield UndecodableFound(bad.kind, bad.id, bad.reason)

    def _of_reading(self, reading: KindReading) -> Iterator[Change]:
        kind, scope = reading.kind, reading.scope
        rows = self.objects.get(kind, {})
        objects = [row for ident, row in rows.items() if not scope or ident.startswith(f"{scope}/")]
        known = reading.reading in _KNOWN
        if known:
            yield ListStarted(kind, scope)
        if objects:
            yield Upserted(kind, objects)
        if known:
            yield ListEnded(kind, scope, reading.at)
        if reading.reading is not Reading.LIVE:
            yield ReadingChanged(kind, reading.reading, scope, reading.reason, reading.at)

    def get_raw(self, kind: str, ident: str) -> bytes | None:
        """Return one object in wire form as JSON, read from its file again, or None if there is none.

        Raises:
            CaptureError: the file has gone or changed since.
        """
        path = self._file_of(kind, ident)
        if path is None:
            return None
        found: dict[str, Any] | None = None
        for word, document in _documents(path):
            if _is(kind, ident, word, document):
                found = strip(kind, document)
        return None if found is None else msgspec.json.encode(found)

    def _file_of(self, kind: str, ident: str) -> Path | None:
        if self._files is not None:
            return self._files.get((kind, ident))
        return self.path if ident in self.objects.get(kind, {}) else None

    def documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield every object in wire form with its kind, read from its file again.

        Raises:
            CaptureError: a file has gone or changed since.
        """
        for path in (self.path,) if self._files is None else sorted(set(self._files.values())):
            for word, document in _documents(path):
                kind = kind_of_arm(document) or kind_of_kubernetes(word, str(document.get("apiVersion", ""))) or word
                if kind in KINDS:
                    yield kind, document


def open_capture(path: str | Path, assume_none: Iterable[str] = ()) -> Capture:
    """Read a capture: a file of ours, or a file or folder as kubectl and az print them.

    Args:
        path: the file or folder.
        assume_none: kinds (by any name that ``find_kind`` takes) of which there are none where nothing speaks of them.

    Raises:
        CaptureError: it cannot be read; the message names the file, the line and the reason.
        LookupError: a name in ``assume_none`` is not a kind.
    """
    path = Path(path)
    assumed = [_kind(word) for word in assume_none]
    return _open_stream(path, assumed) if _is_ours(path) else _open_files(path, assumed)


def changes(path: str | Path, assume_none: Iterable[str] = ()) -> Iterator[Change]:
    """Yield everything that a capture holds; arguments and errors as for ``open_capture``."""
    return open_capture(path, assume_none).changes()


def _kind(word: str) -> str:
    found = find_kind(word.strip())
    if found is None:
        raise LookupError(f"--assume-none: there is no kind {word!r}")
    return found.name


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise CaptureError(path, error.strerror or str(error)) from error


def _open_stream(path: Path, assumed: list[str]) -> Capture:
    header, lines = read_capture(path)
    objects: dict[str, dict[str, AnyObject]] = {}
    undecodable: list[Undecodable] = []
    for line in lines:
        kind = KINDS.get(line.kind)
        if kind is None:
            continue  # a kind that a newer aksnav knows
        try:
            found = decode_object(kind, line.object)
        except Undecodable as error:
            undecodable.append(error)
        except RecursionError as error:
            raise CaptureError(path, f"damaged: a {line.kind} in it is nested too deeply") from error
        else:
            objects.setdefault(line.kind, {})[found.id] = found
    return Capture(path, _assuming(header, assumed), objects, undecodable)


def _open_files(path: Path, assumed: list[str]) -> Capture:
    contents = Contents()
    files = files_of(path)
    for file in files:
        contents.add_file(file)
    contents.finish()
    if not contents.objects:
        raise CaptureError(
            path, "it holds nothing that aksnav knows: kubectl get -o yaml|json or az … -o json was expected"
        )
    at = max(file.stat().st_mtime for file in files)
    facts = {
        "capture": str(path),
        "files": str(len(files)),
        "objects": str(contents.read),
        "ignored": str(contents.ignored),
    }
    header = CaptureHeader(
        at=at,
        facts=facts,
        readings=tuple(KindReading(kind=kind, reading=Reading.LIVE, at=at) for kind in contents.objects),
    )
    return Capture(path, _assuming(header, assumed), contents.objects, contents.undecodable, contents.files)


def _assuming(header: CaptureHeader, assumed: list[str]) -> CaptureHeader:
    """Return the header with kinds that the user says there are none of, where the capture does not speak of them."""
    spoken = {reading.kind for reading in header.readings if reading.reading is not Reading.UNREAD}
    added = tuple(KindReading(kind=kind, reading=Reading.LIVE, at=header.at) for kind in assumed if kind not in spoken)
    kept = tuple(item for item in header.readings if item.kind in spoken or item.kind not in assumed)
    return msgspec.structs.replace(header, readings=(*kept, *added))


def _documents(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object of a file in wire form with its ``kind``, out of whatever list it stands in."""
    if _is_ours(path):
        for line in read_capture(path)[1]:
            if line.kind in KINDS:
                yield line.kind, msgspec.json.decode(line.object)
        return
    data = read_bytes(path)
    if is_json(path, data):
        for raw in json_documents(path, data):
            yield from _unlisted(msgspec.json.decode(raw))
    else:
        for document in yaml_documents(path, data):
            yield from _unlisted(document)


def _unlisted(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(document, list):
        for element in document:
            yield from _unlisted(element)
    elif isinstance(document, dict):
        inner = document.get("items", document.get("value"))
        if isinstance(inner, list) and "spec" not in document:
            word = str(document.get("kind", "")).removesuffix("List")
            for element in inner:
                if isinstance(element, dict) and word and "kind" not in element:
                    yield word, {"apiVersion": document.get("apiVersion"), "kind": word, **element}
                else:
                    yield from _unlisted(element)
        else:
            yield str(document.get("kind", "")), document


def _is(kind: str, ident: str, word: str, document: dict[str, Any]) -> bool:
    if KINDS[kind].azure:
        return str(document.get("id", "")).lower().rstrip("/") == ident
    meta = document.get("metadata")
    said = kind_of_kubernetes(word, str(document.get("apiVersion") or "")) or word
    if not isinstance(meta, dict) or said not in {kind, "PartialObjectMetadata"}:
        return False
    namespace, name = meta.get("namespace"), meta.get("name")
    return (f"{namespace}/{name}" if namespace else name) == ident
