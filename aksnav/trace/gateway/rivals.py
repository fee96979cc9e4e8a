"""HTTPRoutes and GRPCRoutes that want one host of one listener (Gateway API v1: GRPCRouteSpec.hostnames).

Exactly one of two such routes is accepted: the older one, then the first by namespace and name. They are never merged.
"""

from collections.abc import Iterator

from aksnav.model.kubernetes.gateway import GRPCRoute, HTTPRoute
from aksnav.trace.gateway.attachment import Attachment

_OTHER = {HTTPRoute.KIND: GRPCRoute.KIND, GRPCRoute.KIND: HTTPRoute.KIND}
_WILD = "*."
_BELOW = "."


class Accepted:
    """The routes that were accepted so far; they are asked in the order of their age.

    By listener, kind and host name each key has the oldest route: looking through all of them takes seconds where a
    Gateway has thousands.
    """

    def __init__(self) -> None:
        self._count = 0
        self._oldest: dict[tuple[str, str, str], tuple[int, Attachment]] = {}

    def take(self, item: Attachment) -> Attachment | None:
        """Accept a route under a listener, unless one of the other kind has a host of it there; return that one."""
        listener, kind = item.listener.name, item.route.KIND
        other = _OTHER.get(kind)
        if other is None:
            return None
        found = [
            known
            for name in item.hostnames
            for key in _sharing(name)
            if (known := self._oldest.get((listener, other, key))) is not None
        ]
        if found:
            return min(found, key=lambda known: known[0])[1]
        self._count += 1
        for name in item.hostnames:
            for key in _keys(name):
                self._oldest.setdefault((listener, kind, key), (self._count, item))
        return None


def _keys(name: str) -> Iterator[str]:
    """Yield the keys under which a host name stands: itself, and each domain that it is below of."""
    yield name
    yield _BELOW
    for domain in _domains(name):
        yield f"{_BELOW}{domain}"


def _sharing(name: str) -> Iterator[str]:
    """Yield the keys of every host name that intersects with one: what covers it, and what is below a wildcard."""
    if not name:
        yield _BELOW
        return
    yield ""
    yield name
    for domain in _domains(name):
        yield f"{_WILD}{domain}"
    if name.startswith(_WILD):
        yield f"{_BELOW}{name.removeprefix(_WILD)}"


def _domains(name: str) -> Iterator[str]:
    """Yield the domains that a host name is below of, the nearest first; for a wildcard its own one is the nearest."""
    rest = name
    while "." in rest:
        rest = rest.partition(".")[2]
        yield rest
