"""The filter behind ``/``: a regular expression, its inverse, labels, or an address or CIDR that finds its holders."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from aksnav.model.addresses import Prefix, parse_address, parse_prefix
from aksnav.model.azure.network import LoadBalancer, NetworkInterface, PublicIPAddress, VirtualNetwork
from aksnav.model.kubernetes.gateway import Gateway
from aksnav.model.kubernetes.ingress import Ingress
from aksnav.model.kubernetes.policy import NetworkPolicy
from aksnav.model.kubernetes.service import EndpointSlice, Service
from aksnav.model.kubernetes.workload import Node, Pod

_WORD = re.compile(
    r"\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?|(?<![\w:])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?:/\d{1,3})?(?![\w:])"
)
"""What looks like an address or a prefix of either family; whether it is one, the parser says."""


class BadFilter(ValueError):  # noqa: N818 - it is a filter that is bad
    """A filter that cannot be understood; the message is one line for people."""


class Searchable(msgspec.Struct, frozen=True):
    """What a filter may look at in a row.

    Attributes:
        text: what a regular expression is matched against.
        labels: for ``-l``.
        addresses, prefixes: text forms of what the row holds.
    """

    text: str
    labels: Mapping[str, str] = {}
    addresses: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()


Filter = Callable[[Searchable], bool]


def parse_filter(text: str) -> Filter | None:
    """Return the predicate that a filter line means, or None for an empty one.

    ``10.224.0.0/16`` and ``10.224.0.7`` find what holds or contains the address; ``-l app=web`` (also ``!=``, or a key
    alone) looks at labels; ``!text`` is the inverse; anything else is a regular expression without regard to case.

    Raises:
        BadFilter: the regular expression or the label selector is malformed.
    """
    text = text.strip()
    if not text:
        return None
    prefix = parse_prefix(text)
    if prefix is not None:
        return lambda row: _touches(row, prefix)
    if text.startswith("-l"):
        return _labels(text[2:].strip())
    if text.startswith("!"):
        inner = parse_filter(text[1:])
        return None if inner is None else lambda row: not inner(row)
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise BadFilter(f"not a regular expression: {error}") from error
    return lambda row: pattern.search(row.text) is not None


def written(text: str) -> tuple[str, ...]:
    """Return the addresses and prefixes that are written in a text, for rows that hold words alone."""
    found = (part.strip("[](),;.") for part in _WORD.findall(text))
    return tuple(dict.fromkeys(part for part in found if parse_prefix(part) is not None))


def _touches(row: Searchable, wanted: Prefix) -> bool:
    numbers = (parse_address(address) for address in row.addresses)
    if any(number in wanted for number in numbers if number is not None):
        return True
    blocks = (parse_prefix(prefix) for prefix in row.prefixes)
    return any(block.overlaps(wanted) for block in blocks if block is not None)


def _labels(text: str) -> Filter:
    if not text:
        raise BadFilter("-l wants a label: -l app=web")
    tests = [_label(part.strip()) for part in text.split(",")]
    return lambda row: all(test(row.labels) for test in tests)


def _label(part: str) -> Callable[[Mapping[str, str]], bool]:
    key, found, value = part.partition("!=")
    if found:
        return lambda labels: labels.get(key.strip()) != value.strip()
    key, found, value = part.replace("==", "=").partition("=")
    if found:
        return lambda labels: labels.get(key.strip()) == value.strip()
    return lambda labels: key.strip() in labels


def searchable(row: Any) -> Searchable:
    """Return what a filter may look at in a model object."""
    labels = getattr(row, "labels", {})
    addresses, prefixes = _holds(row)
    kind = getattr(row, "KIND", "")
    text = " ".join((kind, getattr(row, "id", ""), *addresses, *prefixes))
    return Searchable(text, labels, addresses, prefixes)


def _holds(row: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the addresses and the prefixes that an object holds."""
    match row:
        case Pod():
            return (*row.ips, row.host_ip), ()
        case Node():
            return tuple(address for _, address in row.addresses), row.pod_cidrs
        case Service():
            return (*row.virtual_ips, *row.external_addresses), row.load_balancer_source_ranges
        case EndpointSlice():
            return tuple(address for item in row.endpoints for address in item.addresses), ()
        case Ingress():
            return tuple(point.ip for point in row.ingress_points if point.ip), ()
        case Gateway():
            return tuple(item.value for item in row.status.addresses), ()
        case NetworkPolicy():
            return (), tuple(_blocks(row))
        case VirtualNetwork():
            return (), (*row.address_space.address_prefixes, *(p for subnet in row.subnets for p in subnet.prefixes))
        case LoadBalancer():
            return tuple(
                item.private_ip_address for item in row.frontend_ip_configurations if item.private_ip_address
            ), ()
        case PublicIPAddress():
            return (row.ip_address,) if row.ip_address else (), ()
        case NetworkInterface():
            return tuple(item.private_ip_address for item in row.ip_configurations if item.private_ip_address), ()
    return (), ()


def _blocks(policy: NetworkPolicy) -> Iterable[str]:
    peers = [peer for rule in policy.ingress for peer in rule.peers]
    peers += [peer for rule in policy.egress for peer in rule.peers]
    for peer in peers:
        if peer.ip_block is not None:
            yield peer.ip_block.cidr
