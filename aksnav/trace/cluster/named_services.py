"""The endpoints of Services that Calico's rules name: policies depend on these EndpointSlices, and on no others."""

import msgspec

from aksnav.model.addresses import parse_address
from aksnav.store.store import Store
from aksnav.trace.memo import once
from aksnav.trace.readable import unreadable

_POLICIES = ("CalicoNetworkPolicy", "GlobalNetworkPolicy")


class NamedEndpoints(msgspec.Struct, frozen=True, gc=False):
    """What is known of them; equal ones mean that policies read the same.

    Attributes:
        found: Service id, address, protocol and port of every endpoint, ready or not; port 0 where it has none.
        missing: Service ids, with the reason why their endpoints cannot be told.
    """

    found: frozenset[tuple[str, int, str, int]] = frozenset()
    missing: frozenset[tuple[str, str]] = frozenset()


_NONE = NamedEndpoints()


def named_endpoints(store: Store) -> NamedEndpoints:
    """Return the endpoints of every Service that a rule of Calico's names."""
    idents = once(store, "named services", _POLICIES, lambda: _named(store))
    if not idents:
        return _NONE
    return once(store, "named endpoints", (*_POLICIES, "EndpointSlice"), lambda: _endpoints(store, idents))


def _named(store: Store) -> frozenset[str]:
    return frozenset(ident for row in (*store.calico_policies, *store.calico_global_policies) for ident in row.services)


def _endpoints(store: Store, idents: frozenset[str]) -> NamedEndpoints:
    found: set[tuple[str, int, str, int]] = set()
    for ident in idents:
        for piece in store.slices_of(ident):
            ports = [(port.protocol, port.port or 0) for port in piece.ports or ()] or [("", 0)]
            addresses = (parse_address(text) for endpoint in piece.endpoints for text in endpoint.addresses)
            found.update((ident, number, *port) for number in addresses if number is not None for port in ports)
    missing = ((ident, unreadable(store.endpoint_slices, ident.partition("/")[0])) for ident in idents)
    return NamedEndpoints(frozenset(found), frozenset(item for item in missing if item[1]))
