"""Our own capture: one zstd-compressed stream of JSON lines, which ``zstdcat FILE | grep`` can search.

The first line is the header, every further one is an object with its kind, the last one says how many there were.
"""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from aksnav.model.change import Reading
from aksnav.sources.capture.errors import CaptureError
from aksnav.sources.capture.redact import Redaction
from aksnav.sources.capture.strip import strip

VERSION = 1
MAGIC = b"\x28\xb5\x2f\xfd"
_LONGEST_LINE = 64 << 20
_LEVEL = 9
_FLUSHED = 128


class KindReading(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """How well a kind could be read in one scope when the capture was made (as in ``ReadingChanged``)."""

    kind: str
    reading: Reading
    scope: str = ""
    reason: str = ""
    at: float = 0.0


class CaptureHeader(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """What a capture says of itself.

    Attributes:
        at: when it was made, seconds since the epoch.
        facts: what its sources knew of themselves: context, version, subscription, …
        readings: of every kind; a kind that is not among them was not read.
        redacted: names and addresses are placeholders.
        version: of the format.
    """

    at: float
    facts: dict[str, str] = {}
    readings: tuple[KindReading, ...] = ()
    redacted: bool = False
    version: int = msgspec.field(name="aksnavCapture", default=VERSION)


class Line(msgspec.Struct, gc=False):
    """An object in a capture, not decoded yet."""

    kind: str = ""
    object: msgspec.Raw = msgspec.Raw()
    end: int | None = None


_HEADER = msgspec.json.Decoder(CaptureHeader)
_LINE = msgspec.json.Decoder(Line)


def write_capture(
    path: Path,
    objects: Iterable[tuple[str, dict[str, Any]]],
    header: CaptureHeader,
    *,
    redact: bool = False,
    key: bytes | None = None,
) -> int:
    """Write a capture, readable by its owner only, and return how many objects it holds.

    The file stands under its name when it is complete, and not before.

    Args:
        path: where.
        objects: kind and wire form of every object; what does not belong into a capture is left out here (``strip``).
        header: what the capture says of itself.
        redact: replace host names, public addresses and subscription ids (``redact``).
        key: what placeholders are made with; by default one is drawn.

    Raises:
        CaptureError: the file cannot be written.
    """
    import zstandard

    stripped: Iterable[tuple[str, dict[str, Any]]] = ((kind, strip(kind, wire)) for kind, wire in objects)
    if redact:
        stripped, header = _redacted(list(stripped), header, key or secrets.token_bytes(32))
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise CaptureError(path, error.strerror or str(error)) from error
    try:
        with os.fdopen(handle, "wb") as file:
            with zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).stream_writer(file, closefd=False) as out:
                count = _write_lines(out, stripped, header)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        raise CaptureError(path, error.strerror or str(error)) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
    return count


def _write_lines(out: Any, objects: Iterable[tuple[str, dict[str, Any]]], header: CaptureHeader) -> int:
    encoder = msgspec.json.Encoder()
    out.write(encoder.encode(header) + b"\n")
    count = 0
    for kind, wire in objects:
        out.write(encoder.encode({"kind": kind, "object": wire}) + b"\n")
        count += 1
        if not count % _FLUSHED:
            out.flush()  # ends a block: what stands before it can be read from a file that was cut off behind it
    out.write(encoder.encode({"end": count}) + b"\n")
    return count


def _redacted(
    objects: list[tuple[str, dict[str, Any]]], header: CaptureHeader, key: bytes
) -> tuple[list[tuple[str, dict[str, Any]]], CaptureHeader]:
    redaction = Redaction((wire for _, wire in objects), key)
    facts = {name: value for name, value in header.facts.items() if name not in {"server", "tenant", "subscription"}}
    readings = tuple(msgspec.structs.replace(item, reason=redaction.text(item.reason)) for item in header.readings)
    replaced = msgspec.structs.replace(
        header,
        facts={name: redaction.text(value) for name, value in facts.items()},
        readings=readings,
        redacted=True,
    )
    return [(kind, redaction.apply(wire)) for kind, wire in objects], replaced


def read_capture(path: Path) -> tuple[CaptureHeader, Iterator[Line]]:
    """Return the header of a capture, and its objects one by one.

    Raises:
        CaptureError: it is not a capture, of a newer format, or (while the objects are read) cut off or damaged.
    """
    lines = _lines(path)
    try:
        first = next(lines)
    except StopIteration:
        raise CaptureError(path, "the capture is cut off: 0 objects were read") from None
    try:
        header = _HEADER.decode(first)
    except msgspec.DecodeError as error:
        raise CaptureError(path, "not a capture of aksnav: its first line is not a header", 1) from error
    if header.version > VERSION:
        raise CaptureError(
            path, f"written in format {header.version}, this aksnav reads up to {VERSION}: update aksnav"
        )
    return header, _objects(path, lines)


def _objects(path: Path, lines: Iterator[bytes]) -> Iterator[Line]:
    count = 0
    try:
        for raw in lines:
            try:
                line = _LINE.decode(raw)
            except msgspec.DecodeError as error:
                if not raw.endswith(b"\n"):
                    break
                raise CaptureError(path, f"damaged: {error}", count + 2) from error
            if line.end is not None:
                if line.end == count:
                    return
                raise CaptureError(path, f"damaged: it should hold {line.end} objects, {count} were read")
            yield line
            count += 1
    except EOFError:
        pass
    raise CaptureError(path, f"the capture is cut off: {count} objects were read; copy or make it again")


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a compressed file.

    Raises:
        CaptureError: it cannot be read or is damaged.
    """
    import io

    import zstandard

    try:
        with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as raw:
            buffered = io.BufferedReader(raw, 1 << 20)
            number = 0
            while line := buffered.readline(_LONGEST_LINE):
                number += 1
                if len(line) == _LONGEST_LINE:
                    raise CaptureError(path, "a line is too long", number)
                yield line
    except zstandard.ZstdError as error:
        raise CaptureError(path, f"damaged: {error}") from error
    except OSError as error:
        raise CaptureError(path, error.strerror or str(error)) from error
