"""How a request travels: pure functions of the store and the packet, one module per stretch of road.

``trace`` and ``parse_request`` are the whole of it for callers; they import what they need when they are first called,
because the vocabulary of a trace (steps, packets) is wanted long before a trace is.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aksnav.store.store import Store
    from aksnav.trace.request import Request, Source
    from aksnav.trace.step import Trace


def trace(store: "Store", request: "Request") -> "Trace":
    """Return the answer to a request: every step of its road, and what they add up to.

    Args:
        store: everything that is known; it is only read.
        request: what is asked (``parse_request``).
    """
    from aksnav.trace.walk import trace as walk

    return walk(store, request)


def parse_request(
    text: str,
    source: "str | Source" = "internet",
    resolve: str = "",
    method: str = "GET",
    headers: Iterable[str] = (),
) -> "Request":
    """Return the request that a target and the options of a trace mean (``aksnav.trace.parse.parse_target``).

    Raises:
        BadRequest: one line that says what cannot be understood, and what could be.
    """
    from aksnav.trace.parse import parse_target

    return parse_target(text, source, resolve, method, headers)
