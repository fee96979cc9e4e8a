"""From the bytes of a file to documents: YAML or JSON, one or several, with the line of what is wrong."""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from aksnav.sources.capture.errors import CaptureError

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
_MOST_NODES = 20_000_000
_DEEPEST = 500
_BRACKETS = re.compile(rb"[\[{]|[\]}]")
_LEVEL = re.compile(rb"[-?][ \t]")
_LOG_START, _LOG_END = "==== START logs for container ", "==== END logs for container "
_BYTE = re.compile(r"\(byte (\d+)\)")


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a text file as UTF-8 (PowerShell's ``>`` writes UTF-16).

    Raises:
        CaptureError: it cannot be read, or it is empty.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CaptureError(path, error.strerror or str(error)) from error
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            data = data.decode("utf-16").encode()
    except UnicodeError as error:
        raise CaptureError(path, f"not UTF-16 although it begins so: {error}") from error
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data.strip():
        raise CaptureError(path, "it is empty: the command that wrote it failed; run it again or remove the file")
    return data


def is_json(path: Path, data: bytes) -> bool:
    """Return whether a file is to be read as JSON: by its name, or because its content is."""
    if path.suffix.lower() == ".json" or data.lstrip()[:1] not in {b"{", b"["}:
        return path.suffix.lower() == ".json"
    return path.suffix.lower() not in SUFFIXES or _one_document(data)


def _one_document(data: bytes) -> bool:
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def json_documents(path: Path, data: bytes) -> Iterator[bytes]:
    """Yield the JSON documents of a file; several may follow each other, with logs between (cluster-info dump).

    Raises:
        CaptureError: something in it is not JSON.
    """
    if _one_document(data):
        yield data
        return
    try:
        text = _without_logs(data.decode())
    except UnicodeError as error:
        raise CaptureError(path, f"not UTF-8: {error}") from error
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            _, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise CaptureError(path, f"not JSON: {error.msg}", error.lineno) from error
        except RecursionError as error:
            raise CaptureError(path, "not JSON that can be read: it is nested too deeply") from error
        yield text[at:end].encode()
        at = end


def _without_logs(text: str) -> str:
    """Return the text with logs of containers blanked out, line by line, so that line numbers stay."""
    parts, at = [], 0
    while (start := text.find(_LOG_START, at)) >= 0:
        end = text.find(_LOG_END, start)
        after = len(text) if end < 0 else (text.find("\n", end) + 1 or len(text))
        parts += [text[at:start], "\n" * text.count("\n", start, after)]
        at = after
    return "".join([*parts, text[at:]])


def json_error(path: Path, data: bytes, error: Exception) -> CaptureError:
    """Return the error to raise for bytes that msgspec does not take, with the line if they are not JSON."""
    found = _BYTE.search(str(error))
    line = data[: int(found[1])].count(b"\n") + 1 if found else 0
    return CaptureError(path, f"not JSON that can be read: {error}", line)


def yaml_documents(path: Path, data: bytes) -> Iterator[Any]:
    """Yield the documents of a YAML file, without empty ones.

    Raises:
        CaptureError: it is not YAML.
    """
    import yaml

    try:
        if _may_be_deep(data):
            _refuse_deep(path, data)
        for document in yaml.load_all(data, Loader=_loader()):
            if document is not None:
                if b"&" in data:
                    _measure(path, document)
                yield document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context or "malformed"
        raise CaptureError(path, f"not YAML: {reason}", mark.line + 1 if mark else 0) from error
    except yaml.YAMLError as error:
        raise CaptureError(path, f"not YAML: {' '.join(str(error).split())}") from error
    except (ValueError, RecursionError) as error:
        raise CaptureError(path, f"not YAML that can be read: {error}") from error


def _may_be_deep(data: bytes) -> bool:
    """Return whether a file could be nested so deeply that libyaml, which recurses, would overflow the stack."""
    depth = 0
    for found in _BRACKETS.finditer(data):
        depth = depth + 1 if found[0] in b"[{" else max(depth - 1, 0)
        if depth > _DEEPEST:
            return True
    for line in data.splitlines():
        indent = len(line) - len(line.lstrip())
        if indent + len(_LEVEL.findall(line)) > _DEEPEST // 2:
            return True
    return False


def _refuse_deep(path: Path, data: bytes) -> None:
    """Count the nesting from the parser's events, which do not recurse."""
    import yaml

    depth = 0
    for event in yaml.parse(data, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark is not None else 0
            raise CaptureError(path, "not YAML that can be read: it is nested too deeply", line)


def _loader() -> Any:
    """Return the C loader without timestamps: Kubernetes and ARM have them as text."""
    import yaml

    class Loader(yaml.CSafeLoader):
        yaml_implicit_resolvers = {
            first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
            for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
        }

    return Loader


def _measure(path: Path, document: Any) -> None:
    """Refuse a document whose anchors would make it endless, or too large, once they are written out."""
    sizes: dict[int, int] = {}

    def size(value: Any) -> int:
        if not isinstance(value, (dict, list)):
            return 1
        known = sizes.get(id(value))
        if known is None:
            sizes[id(value)] = _MOST_NODES  # met again before it is known: it contains itself
            parts = value.values() if isinstance(value, dict) else value
            known = sizes[id(value)] = 1 + sum(size(part) for part in parts)
        return known

    if size(document) >= _MOST_NODES:
        raise CaptureError(path, "its anchors make it too large")
