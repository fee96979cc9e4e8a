"""What Cilium's policies refer to besides Pods: the API server, CIDR groups, Services, and the labels of nodes."""

from collections.abc import Iterator
from typing import Any

import msgspec

from aksnav.model.addresses import Prefix, parse_address, parse_prefix
from aksnav.model.change import Reading
from aksnav.model.labels import Labels
from aksnav.store.store import Store
from aksnav.trace.memo import once
from aksnav.trace.readable import unreadable

_POLICIES = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")
_SERVICE = "default/kubernetes"


class Group(msgspec.Struct, frozen=True, gc=False):
    """A CiliumCIDRGroup; of its CIDRs, those that can be read (the agents pass over the others)."""

    name: str
    labels: Labels
    prefixes: tuple[Prefix, ...]

    def covers(self, address: int) -> bool:
        """Return whether a CIDR of the group covers an address."""
        return any(address in prefix for prefix in self.prefixes)


class Backed(msgspec.Struct, frozen=True, gc=False):
    """A Service as toServices sees it: by its selector, or without one by the addresses of its EndpointSlices."""

    namespace: str
    name: str
    labels: Labels
    selector: Labels
    addresses: frozenset[int]
    missing: str = ""


class Facts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of the things that policies refer to; only what some policy refers to is looked up.

    Attributes:
        api_server: addresses of the API server; ``api_server_missing`` says why they are not known.
        groups: CIDR groups; ``groups_missing`` says why they are not known, ``groups_unread`` why one is not.
        services: Services; ``services_missing`` says why they are not known.
        nodes: labels of nodes by address.
    """

    api_server: frozenset[int] = frozenset()
    api_server_missing: str = ""
    groups: tuple[Group, ...] = ()
    groups_missing: str = ""
    groups_unread: tuple[tuple[str, str], ...] = ()
    services: tuple[Backed, ...] = ()
    services_missing: str = ""
    nodes: dict[int, Labels] = {}


class _Mentioned(msgspec.Struct, frozen=True, gc=False):
    """What the policies of a store refer to."""

    any: bool = False
    groups: bool = False
    services: bool = False
    nodes: bool = False


_NOTHING = Facts()


def facts(store: Store) -> Facts:
    """Return what Cilium's policies refer to; equal as long as nothing that they refer to changes."""
    mentioned = once(store, "what Cilium's policies refer to", _POLICIES, lambda: _mentioned(store))
    if not mentioned.any:
        return _NOTHING
    addresses, missing = _api_server(store)
    found = Facts(api_server=addresses, api_server_missing=missing)
    if mentioned.groups:
        groups = once(store, "CIDR groups", ("CiliumCIDRGroup",), lambda: tuple(_groups(store)))
        found = msgspec.structs.replace(
            found,
            groups=groups,
            groups_missing=_groups_missing(store),
            groups_unread=tuple(sorted(store.cilium_cidr_groups.undecodable.items())),
        )
    if mentioned.services:
        kinds = ("Service", "EndpointSlice")
        services = once(store, "Services of toServices", kinds, lambda: tuple(_services(store)))
        found = msgspec.structs.replace(found, services=services, services_missing=unreadable(store.services))
    if mentioned.nodes:
        nodes = once(store, "labels of nodes", ("Node",), lambda: _nodes(store))
        found = msgspec.structs.replace(found, nodes=nodes)
    return found


def _mentioned(store: Store) -> _Mentioned:
    rules = [rule for policy in (*store.cilium_policies, *store.cilium_clusterwide_policies) for rule in policy.rules]
    keys = set(_keys(rules))
    return _Mentioned(
        any=bool(rules),
        groups=bool(keys & {"cidrGroupRef", "cidrGroupSelector"}),
        services="toServices" in keys,
        nodes=bool(keys & {"fromNodes", "toNodes"}),
    )


def _keys(value: Any) -> Iterator[str]:
    """Yield the name of every field in a JSON value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _keys(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _keys(inner)


def _api_server(store: Store) -> tuple[frozenset[int], str]:
    """Return the addresses of the API server, as the endpoints of Service default/kubernetes have them."""
    texts = [text for piece in store.slices_of(_SERVICE) for endpoint in piece.endpoints for text in endpoint.addresses]
    found = frozenset(number for number in map(parse_address, texts) if number is not None)
    missing = unreadable(store.endpoint_slices, "default")
    if not missing and not found:
        missing = f"Service {_SERVICE} has no EndpointSlice here"
    return found, missing


def _groups_missing(store: Store) -> str:
    """Return why CIDR groups are not known: a capture that has none of them need not have asked for them."""
    missing = unreadable(store.cilium_cidr_groups)
    absent = store.cilium_cidr_groups.access().reading is Reading.ABSENT
    if not missing and absent and "capture" in store.sources:
        return "policies refer to CiliumCIDRGroup, and nothing in the capture speaks of that kind"
    return missing


def _groups(store: Store) -> Iterator[Group]:
    for row in sorted(store.cilium_cidr_groups, key=lambda item: item.id):
        prefixes = tuple(prefix for prefix in map(parse_prefix, row.external_cidrs) if prefix is not None)
        yield Group(row.name, row.labels, prefixes)


def _services(store: Store) -> Iterator[Backed]:
    for row in sorted(store.services, key=lambda item: item.id):
        selector = Labels.of(row.selector)
        missing = "" if selector else unreadable(store.endpoint_slices, row.namespace)
        texts = (
            ()
            if selector
            else (text for piece in store.slices_of(row.id) for item in piece.endpoints for text in item.addresses)
        )
        addresses = frozenset(number for number in map(parse_address, texts) if number is not None)
        yield Backed(row.namespace, row.name, row.labels, selector, addresses, missing)


def _nodes(store: Store) -> dict[int, Labels]:
    return {
        number: node.labels
        for node in store.nodes
        for number in map(parse_address, node.internal_ips)
        if number is not None
    }
