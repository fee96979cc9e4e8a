"""Which kind a document is of: by what it says of itself, by its ARM id, or by the name of its file."""

import re
from typing import Any

from aksnav.model.kinds import KINDS, Kind

USAGE = "usage"
"""Not a kind of its own: a line of ``az network vnet list-usage``, which belongs to a virtual network."""

_ARM_TYPES = {f"{kind.group}/{kind.plural}".lower(): name for name, kind in KINDS.items() if kind.azure} | {
    f"microsoft.network/privatednszones/{record}": "privateDnsRecordSets"
    for record in ("a", "aaaa", "cname", "mx", "ptr", "soa", "srv", "txt")
}
_SCALE_SET_NIC = "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces"
_TOKENS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|k8s")
# What people put into a file's name beside the kind.
_NOISE = frozenset(
    {"az", "network", "list", "show", "get", "k8s", "kubectl", "all", "json", "yaml", "output", "o", "k", "s"}
)
# Words that make another kind of what follows them: serviceaccounts, VirtualService, CiliumNode, GlobalNetworkPolicy.
_OTHER_KINDS = frozenset({"cilium", "virtual", "global", "service", "pod", "node", "gateway", "endpoint", "vmss"})
_WORDS_OF_AZ = {
    "publicip": "publicIPAddresses",
    "publicips": "publicIPAddresses",
    "publicipaddress": "publicIPAddresses",
    "lbs": "loadBalancers",
    "lb": "loadBalancers",
    "nsgs": "networkSecurityGroups",
    "vnets": "virtualNetworks",
    "nics": "networkInterfaces",
    "vmssnic": "networkInterfaces",
    "vmssnics": "networkInterfaces",
    "akscluster": "managedClusters",
    "aksclusters": "managedClusters",
    "privatednslinkvnet": "privateDnsZoneLinks",
    "privatednszonelinks": "privateDnsZoneLinks",
    "privatednsrecordset": "privateDnsRecordSets",
    "privatednsrecordsets": "privateDnsRecordSets",
}
_SHORTEST_WORD = 3


def _words() -> dict[str, str]:
    out: dict[str, str] = {}
    for name, kind in KINDS.items():
        out |= {word: name for word in kind.words if len(word) >= _SHORTEST_WORD}
        if kind.azure:
            out[kind.plural.lower().removesuffix("s")] = name
    return out | _WORDS_OF_AZ


_WORDS = _words()
# Kinds whose name is not the word of their manifests: a NetworkPolicy of Calico's.
_OF_GROUP = {
    (kind.manifest, group): kind
    for kind in KINDS.values()
    if kind.manifest
    for group in (kind.group, kind.elsewhere[0])
}


def arm_type(ident: str) -> str:
    """Return the full type in an ARM id in lower case (``provider/type/type``), or an empty string.

    A slash at its end, which some put there, names the same resource.
    """
    _, found, rest = ident.lower().rstrip("/").rpartition("/providers/")
    parts = rest.split("/")
    return "/".join((parts[0], *parts[1::2])) if found and len(parts) > 1 else ""


def kind_of_arm(document: dict[str, Any]) -> str | None:
    """Return the kind of an ARM document, ``USAGE`` for a subnet's usage, or None if it is of no kind that is known."""
    ident = document.get("id")
    found = arm_type(ident) if isinstance(ident, str) else ""
    if "currentValue" in document and found.endswith("/subnets"):
        return USAGE
    if found == _SCALE_SET_NIC:
        return "networkInterfaces"
    said = document.get("type")
    return _ARM_TYPES.get(found) or (_ARM_TYPES.get(said.lower()) if not found and isinstance(said, str) else None)


def kind_of_kubernetes(word: str, api_version: str) -> str | None:
    """Return the kind of a Kubernetes document, or None if it is one that is not known.

    Args:
        word: the document's ``kind``.
        api_version: its ``apiVersion``; an empty one (an element of a typed list) is not held against it.
    """
    group, slash, _ = api_version.rpartition("/")
    kind = _OF_GROUP.get((word, group)) or KINDS.get(word)
    if kind is None or kind.azure:
        return None
    known = not api_version or (group if slash else "") in {kind.group, kind.elsewhere[0]} or _legacy(kind, group)
    return kind.name if known else None


def _legacy(kind: Kind, group: str) -> bool:
    return kind.name == "Event" and group == "events.k8s.io"


def kind_of_file(stem: str) -> str | None:
    """Return the kind that a file is about by its name alone, or None if the name does not say it beyond doubt.

    It decides what an empty list says. ``networkpolicies``, ``k8s-pods`` and ``az-network-nsg-list`` name a kind;
    ``service-accounts`` and ``az-network-vnet-subnet-list`` do not, although a part of them would.
    """
    if "." in stem:
        head, _, group = stem.lower().partition(".")
        return next(
            (
                name
                for name, kind in KINDS.items()
                if kind.plural == head and group in {kind.group, kind.elsewhere[0] or kind.group}
            ),
            None,
        )
    tokens = [token.lower() for token in _TOKENS.findall(stem)]
    joined = "".join(tokens)
    if joined in _WORDS:
        return _WORDS[joined]
    while tokens and tokens[0] in _NOISE:
        tokens = tokens[1:]
    while tokens and (tokens[-1] in _NOISE or tokens[-1].isdigit()):
        tokens = tokens[:-1]
    for length in range(len(tokens), 0, -1):
        name = _WORDS.get("".join(tokens[-length:]))
        if name is None:
            continue
        rest = [token for token in tokens[:-length] if token not in _NOISE]
        azure = KINDS[name].azure
        return None if (azure and rest) or not _OTHER_KINDS.isdisjoint(rest) else name
    return None
