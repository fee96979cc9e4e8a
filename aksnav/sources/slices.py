"""EndpointSlices on the pipe: rows instead of maps, because their endpoints are as many as the Pods.

Names of nodes, zones and namespaces are sent once; conditions are one number. 200,000 endpoints come to 18 MB on the
pipe. The receiver keeps them as they came and makes endpoints of them for whoever asks: as objects they are 106 MB.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast, overload

import msgspec

from aksnav.model.kinds import AnyObject
from aksnav.model.kubernetes.service import (
    Endpoint,
    EndpointConditions,
    EndpointHints,
    EndpointSlice,
    TargetRef,
    ZoneHint,
)

Row = tuple[tuple[str, ...], int, int, int, str, int, int, str, str, tuple[str, ...]]

_STATES = (None, False, True)
_CODES = {state: code for code, state in enumerate(_STATES)}
_CONDITIONS = tuple(
    EndpointConditions(ready, serving, terminating)
    for ready in _STATES
    for serving in _STATES
    for terminating in _STATES
)
_NO_HINTS = EndpointHints()
_ROWS = msgspec.msgpack.Decoder(list[Row])
_NO_ROWS = msgspec.msgpack.encode([])


def rows_of(slices: Sequence[AnyObject], number: Callable[[str], int]) -> list[tuple[AnyObject, list[Row]]]:
    """Return what stands for EndpointSlices on the pipe: each without its endpoints, and those as rows.

    Args:
        slices: the EndpointSlices.
        number: returns the number of a text that is sent once.
    """
    return [
        (msgspec.structs.replace(piece, endpoints=()), [_row(endpoint, number) for endpoint in piece.endpoints])
        for piece in cast("Sequence[EndpointSlice]", slices)
    ]


def decoder(strings: Sequence[str], dec_hook: Callable[[type, Any], Any]) -> Callable[[msgspec.Raw], list[AnyObject]]:
    """Return what makes EndpointSlices of ``rows_of`` again.

    Args:
        strings: the texts by number; it may grow.
        dec_hook: decodes labels.
    """
    packed = msgspec.msgpack.Decoder(list[tuple[EndpointSlice, msgspec.Raw]], dec_hook=dec_hook)

    def decode(raw: msgspec.Raw) -> list[AnyObject]:
        out: list[AnyObject] = []
        for piece, rows in packed.decode(raw):
            # A sequence that is read as the tuple is, and compared with one.
            piece.endpoints = cast("tuple[Endpoint, ...]", PackedEndpoints(bytes(rows), strings))
            out.append(piece)
        return out

    return decode


class PackedEndpoints(Sequence[Endpoint]):
    """Endpoints in the form in which they came; each look at them makes them anew, at about a microsecond each."""

    __slots__ = ("_rows", "_strings")

    def __init__(self, rows: bytes, strings: Sequence[str]) -> None:
        """Keep the rows; texts are looked up when endpoints are made.

        Args:
            rows: a msgpack list of ``Row``.
            strings: the texts by number; it may grow, and never changes otherwise.

        Raises:
            msgspec.MsgspecError: the bytes are no such list.
            IndexError: a text or a condition has a number that was not given out.
        """
        self._rows = rows
        self._strings = strings
        self._made()  # what cannot be read is told now, and not in the middle of a trace

    def _made(self) -> tuple[Endpoint, ...]:
        strings = self._strings
        return tuple([_endpoint(row, strings) for row in _ROWS.decode(self._rows)])

    def __len__(self) -> int:
        return len(_ROWS.decode(self._rows))

    def __bool__(self) -> bool:
        return self._rows != _NO_ROWS

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._made())

    @overload
    def __getitem__(self, index: int) -> Endpoint: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Endpoint, ...]: ...

    def __getitem__(self, index: int | slice) -> Endpoint | tuple[Endpoint, ...]:
        return self._made()[index]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PackedEndpoints):
            if self._strings is other._strings:
                return self._rows == other._rows  # one encoder gives one text one number
            return self._made() == other._made()
        return self._made() == other

    def __hash__(self) -> int:
        return hash(self._made())

    def __repr__(self) -> str:
        return repr(self._made())


def _row(endpoint: Endpoint, number: Callable[[str], int]) -> Row:
    conditions, target = endpoint.conditions, endpoint.target_ref
    return (
        endpoint.addresses,
        _CODES[conditions.ready] * 9 + _CODES[conditions.serving] * 3 + _CODES[conditions.terminating],
        number(endpoint.node_name),
        number(endpoint.zone),
        endpoint.hostname,
        number(target.kind),
        number(target.namespace),
        target.name,
        target.uid,
        tuple(hint.name for hint in endpoint.hints.for_zones),
    )


def _endpoint(row: Row, strings: Sequence[str]) -> Endpoint:
    addresses, conditions, node, zone, hostname, kind, namespace, name, uid, zones = row
    return Endpoint(
        addresses,
        _CONDITIONS[conditions],
        strings[node],
        strings[zone],
        hostname,
        TargetRef(strings[kind], strings[namespace], name, uid),
        EndpointHints(tuple(map(ZoneHint, zones))) if zones else _NO_HINTS,
    )
