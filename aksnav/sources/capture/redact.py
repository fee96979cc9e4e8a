"""Host names, public addresses and subscription ids replaced, the same one by the same placeholder everywhere.

The replacement keeps what a trace depends on: two names under one domain stay under one domain, a wildcard stays a
wildcard, a public address stays public, and a prefix still contains the addresses that it contained. It is made with a
key that is drawn for each capture and kept nowhere.
"""

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

_SUBSCRIPTION = re.compile(r"/subscriptions/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
_V4 = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(/\d{1,2})?(?![\w.]*\d)")
_V6 = re.compile(r"(?<![\w:.])([0-9a-f]{0,4}:[0-9a-f:]*:[0-9a-f:.]*)(/\d{1,3})?(?![\w:])", re.IGNORECASE)
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Whole runs of the characters that host names are made of: a pattern for one name would backtrack on long texts.
_RUN = re.compile(r"[a-z0-9.*-]+", re.IGNORECASE)
_RECORD = re.compile(r"(?P<head>.*/privateDnsZones/(?P<domain>[^/]+)/[A-Z]+)/[^/]+$", re.IGNORECASE | re.DOTALL)
# Fields that hold host names, in Kubernetes and in ARM.
_HOST_FIELDS = frozenset(
    {
        "host",
        "hosts",
        "hostname",
        "hostnames",
        "hostName",
        "hostNames",
        "externalName",
        "fqdn",
        "fqdns",
        "privateFQDN",
        "azurePortalFQDN",
        "cname",
        "sni",
        "sniHosts",
    }
)
# Names that are Azure's or Kubernetes' own, and say nothing of anybody.
_PUBLIC_SUFFIXES = (
    "cluster.local",
    "cloudapp.azure.com",
    "azmk8s.io",
    "alb.azure.com",
    "windows.net",
    "azurewebsites.net",
    "azure-api.net",
    "azurefd.net",
)
# Names of Services: what they are made of stands in the objects' own names, and Istio's destinations are told by it.
_SERVICE = f".svc.{_PUBLIC_SUFFIXES[0]}"
_PLATFORM = frozenset({ipaddress.ip_address("168.63.129.16")})
# A host name has no more labels than this (RFC 1035: 255 octets).
_MOST_LABELS = 127
# First octets of which a part is private or reserved: there, the second one stays as well.
_MIXED = frozenset({100, 168, 169, 172, 192, 198, 203})


class Redaction:
    """The placeholders of one capture.

    Args:
        objects: every object that the capture will hold; the names in them are what is replaced.
        key: what the placeholders are made with.
    """

    def __init__(self, objects: Iterable[Any], key: bytes) -> None:
        self._key = key
        self._labels: dict[str, str] = {}
        self._subscriptions: dict[str, str] = {}
        self._hosts: dict[str, str] = {}
        for found in objects:
            for name in _hosts(found):
                self._host(name.lower())
            for text in _strings(found):
                for match in _SUBSCRIPTION.finditer(text):
                    self._subscription(match[1].lower())

    def apply(self, value: Any) -> Any:
        """Return the JSON value with every placeholder in its place, in the names of fields as well."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return _as_record({self.text(key) if "." in key else key: self.apply(item) for key, item in value.items()})
        if isinstance(value, list):
            return [self.apply(item) for item in value]
        return value

    def text(self, text: str) -> str:
        """Return the text with every placeholder in its place."""
        if self._subscriptions and "-" in text:
            text = _GUID.sub(lambda found: self._subscriptions.get(found[0].lower(), found[0]), text)
        if self._hosts and "." in text:
            text = _RUN.sub(self._placeholder, text)
        if "." in text:
            text = _V4.sub(self._address, text)
        return _V6.sub(self._address, text) if ":" in text else text

    def _placeholder(self, match: re.Match[str]) -> str:
        """Return the run with its longest known tail of labels replaced: the name itself, or the domain above it."""
        run = match[0]
        name = run.strip(".-")
        start = run.index(name) if name else len(run)
        labels, end = name.lower().split("."), start + len(name)
        for skipped in range(max(0, len(labels) - _MOST_LABELS), len(labels) - 1):
            found = self._hosts.get(".".join(labels[skipped:]))
            if found is not None:
                kept = "".join(f"{label}." for label in name.split(".")[:skipped])
                return f"{run[:start]}{kept}{found}{run[end:]}"
        return run

    def _host(self, host: str) -> None:
        """Take note of a name and of the domains above it, down to two labels."""
        if host in self._hosts:
            return
        self._hosts[host] = self._name(host)
        _, _, parent = host.partition(".")
        if "." in parent and not any(s.endswith(parent) for s in _PUBLIC_SUFFIXES):
            self._host(parent)

    def _subscription(self, ident: str) -> None:
        number = len(self._subscriptions) + 1
        self._subscriptions.setdefault(ident, f"00000000-0000-0000-0000-{number:012}")

    def _name(self, host: str) -> str:
        suffix = next((s for s in _PUBLIC_SUFFIXES if host == s or host.endswith(f".{s}")), "")
        own = host.removesuffix(suffix).rstrip(".")
        labels = [label if label == "*" else self._label(label) for label in own.split(".")] if own else []
        return ".".join([*labels, suffix] if suffix else [*labels[:-1], "example"])

    def _label(self, label: str) -> str:
        return self._labels.setdefault(label, f"n{len(self._labels) + 1}")

    def _address(self, match: re.Match[str]) -> str:
        text, length = match[1], match[2] or ""
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return match[0]
        if not address.is_global or address in _PLATFORM:
            return match[0]
        return f"{self._scrambled(address, int(length[1:]) if length else None)}{length}"

    def _scrambled(
        self, address: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int | None
    ) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        """Return another address of the same public range; what had a prefix in common has it still."""
        bits, number = address.max_prefixlen, int(address)
        kept = 16 if address.version != 4 or (number >> 24) in _MIXED else 8  # noqa: PLR2004 - the two IP versions
        out = number
        for place in range(kept, bits):
            seen = (number >> (bits - place)).to_bytes(17, "big")
            digest = hmac.digest(self._key, bytes((address.version, place)) + seen, hashlib.sha256)
            out ^= (digest[0] & 1) << (bits - place - 1)
        if length is not None and length <= bits and not number & ((1 << (bits - length)) - 1):
            out &= ~((1 << (bits - length)) - 1)
        return type(address)(out)


def _strings(value: Any) -> Iterator[str]:
    yield from _walk(value, lambda _: True)


def _as_record(wire: dict[str, Any]) -> dict[str, Any]:
    """Return a DNS record with its name and its id as its host name has become: they hold the first labels alone."""
    ident, inner = wire.get("id"), wire.get("properties", wire)
    found = _RECORD.match(ident) if isinstance(ident, str) else None
    host = inner.get("fqdn") if isinstance(inner, dict) else None
    if found is None or not isinstance(host, str):
        return wire
    relative = host.rstrip(".").removesuffix(found["domain"]).rstrip(".") or "@"
    return {**wire, "id": f"{found['head']}/{relative}", "name": relative}


def _hosts(value: Any) -> Iterator[str]:
    for text in _walk(value, lambda key: key in _HOST_FIELDS or "hostname" in key):
        names = (run.strip(".-") for run in _RUN.findall(text))
        yield from (
            name for name in names if "." in name and not _V4.fullmatch(name) and not name.lower().endswith(_SERVICE)
        )


def _walk(value: Any, wanted: Callable[[str], bool], key: str = "") -> Iterator[str]:
    if isinstance(value, str):
        if wanted(key):
            yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _walk(item, wanted, str(name))
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item, wanted, key)
