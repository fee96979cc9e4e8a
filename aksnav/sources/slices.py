"""EndpointSlices on the pipe: rows instead of maps, because their endpoints are as many as the Pods.

Names of nodes, zones and namespaces are sent once; conditions are one number. 200,000 endpoints come to 18 MB on the
pipe and 92 MB in the receiver, where maps of names and values come to 53 and 164.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

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
    packed = msgspec.msgpack.Decoder(list[tuple[EndpointSlice, list[Row]]], dec_hook=dec_hook)

    def decode(raw: msgspec.Raw) -> list[AnyObject]:
        out: list[AnyObject] = []
        for piece, rows in packed.decode(raw):
            piece.endpoints = tuple([_endpoint(row, strings) for row in rows])
            out.append(piece)
        return out

    return decode


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
