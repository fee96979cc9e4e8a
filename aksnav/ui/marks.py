"""Where the field of a path stands in a YAML text: kubectl's JSONPath and az's JMESPath, as evidence writes them."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import yaml

_PART = re.compile(
    r"\.?(?P<name>[A-Za-z_$][\w$/-]*)"
    r"|\.?\[(?P<quote>['\"])(?P<key>.*?)(?P=quote)\]"
    r"|\[(?P<number>\d+)\]"
    r"|\[(?P<every>\*?)\]"
    r"|\[\?\(?(?:@\.)?(?P<field>[\w.]+)\s*==\s*['\"](?P<value>.*?)['\"]\)?\]"
)


class Mark(msgspec.Struct, frozen=True):
    """Lines of a YAML text that hold the field of a path.

    Attributes:
        path: as it was asked for.
        first, last: lines, counted from 0.
        whole: the field itself; False where it is not set and what holds it is marked instead.
    """

    path: str
    first: int
    last: int
    whole: bool


class _Spot(msgspec.Struct, frozen=True):
    """A node of the YAML tree with the line on which its key or its dash stands."""

    line: int
    node: "yaml.Node"


def parts(path: str) -> list[re.Match[str]] | None:
    """Return the parts of a path; None for what is no path (``request host``)."""
    found: list[re.Match[str]] = []
    at = 0
    while at < len(path):
        part = _PART.match(path, at)
        if part is None:
            return None
        found.append(part)
        at = part.end()
    return found if path.startswith((".", "[")) else None


def find(text: str, paths: Sequence[str]) -> list[Mark]:
    """Return where the fields of paths stand in a YAML text, in the order of the paths.

    Args:
        text: one YAML document, each value on lines of its own (block style).
        paths: ``.spec.ingress[0]``, ``.status.conditions[?(@.type=='Ready')].status``; for ARM objects flat as az
            prints them: their ``properties`` are passed through. What is no path is left out.
    """
    wanted = [(path, read) for path in dict.fromkeys(paths) if (read := parts(path))]
    if not wanted:
        return []
    import yaml  # here, because it takes a tenth of the time to the first frame, and is seldom needed

    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return []
    if root is None:
        return []
    return [mark for path, read in wanted for mark in _marks(path, read, _Spot(0, root))]


def _marks(path: str, read: list[re.Match[str]], root: _Spot) -> Iterator[Mark]:
    spots = [root]
    for number, part in enumerate(read):
        found = [below for spot in spots for below in _below(spot, part)]
        if not found:
            if number:
                yield from (Mark(path, spot.line, spot.line, False) for spot in spots[:1])
            return
        spots = found
    yield from (Mark(path, spot.line, max(spot.line, _last_line(spot.node)), True) for spot in spots)


def _last_line(node: "yaml.Node") -> int:
    """Return the last line of a node: the parser ends a block where the next one begins."""
    if isinstance(node.value, list) and node.value:
        tail = node.value[-1]
        return _last_line(tail[1] if isinstance(tail, tuple) else tail)
    end = node.end_mark
    return end.line - 1 if not end.column and end.line > node.start_mark.line else end.line


def _below(spot: _Spot, part: re.Match[str]) -> Iterator[_Spot]:
    name = part["name"] or part["key"]
    if name is not None:
        yield from _named(spot, name)
        return
    items = spot.node.value if isinstance(spot.node.value, list) else []
    listed = [_Spot(item.start_mark.line, item) for item in items if not isinstance(item, tuple)]
    if part["number"] is not None:
        yield from listed[int(part["number"]) : int(part["number"]) + 1]
    elif part["field"] is not None:
        yield from (item for item in listed if _holds(item, part["field"].split("."), part["value"]))
    else:
        yield from listed


def _named(spot: _Spot, name: str) -> Iterator[_Spot]:
    """Yield the value of a key; of an ARM object, the key under ``properties`` as well."""
    pairs = [pair for pair in spot.node.value if isinstance(pair, tuple)] if isinstance(spot.node.value, list) else []
    found = [_Spot(key.start_mark.line, value) for key, value in pairs if key.value == name]
    nested = [value for key, value in pairs if key.value == "properties"]
    if found or name == "properties" or not nested:
        yield from found
    else:
        yield from _named(_Spot(spot.line, nested[0]), name)


def _holds(spot: _Spot, keys: list[str], value: str) -> bool:
    spots = [spot]
    for key in keys:
        spots = [below for item in spots for below in _named(item, key)]
    return any(item.node.value == value for item in spots)
