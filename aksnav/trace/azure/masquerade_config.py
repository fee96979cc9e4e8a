"""What ip-masq-agent is told not to touch: both of its ConfigMaps, the user's and the one that AKS keeps up to date.

Source: Azure/ip-masq-agent-v2, README ("Merging configuration from multiple sources"): every file in its folder counts,
their lists are joined, and a later masqLinkLocal of true wins.
"""

import json
from typing import Any

import msgspec

from aksnav.model.addresses import Prefix, parse_prefix
from aksnav.model.kubernetes.configmap import MASQUERADING, NAMESPACE
from aksnav.store.store import Store
from aksnav.trace.memo import once
from aksnav.trace.step import Evidence

_LINK_LOCAL = "169.254.0.0/16"


class Kept(msgspec.Struct, frozen=True, gc=False):
    """Destinations to which Pods keep their own address.

    Attributes:
        prefixes: of both ConfigMaps.
        evidence: the fields that say so.
        unread: why the ConfigMaps are not known, or cannot be understood; empty where they are.
        found: there is at least one of them.
    """

    prefixes: tuple[Prefix, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    unread: str = ""
    found: bool = False


def kept(store: Store) -> Kept:
    """Return what ip-masq-agent leaves alone."""
    return once(store, "ip-masq-agent", ("ConfigMap",), lambda: _kept(store))


def _kept(store: Store) -> Kept:
    access = store.config_maps.access(NAMESPACE)
    if not access.complete:
        names = ", ".join(MASQUERADING)
        return Kept(unread=access.reason or f"get configmaps {names} in namespace {NAMESPACE} ({access.reading.value})")
    prefixes: list[Prefix] = []
    facts: list[Evidence] = []
    found = False
    for name in MASQUERADING:
        row = store.config_maps.get(f"{NAMESPACE}/{name}")
        if row is None:
            continue
        found = True
        for key, text in sorted(row.data.items()):
            listed = _listed(text)
            if listed is None:
                return Kept(unread=f"ConfigMap {row.id} .data.{key} cannot be understood", found=True)
            facts.append(Evidence(f".data.{key}", ", ".join(listed) or "no CIDRs", row.ref))
            prefixes += [prefix for prefix in map(parse_prefix, listed) if prefix is not None]
    return Kept(tuple(prefixes), tuple(facts), "", found)


def _listed(text: str) -> list[str] | None:
    """Return the CIDRs of one configuration (JSON, or the flat YAML that the agent's users write); None if unclear."""
    try:
        read: Any = json.loads(text)
    except ValueError:
        read = _flat_yaml(text)
    if not isinstance(read, dict):
        return None
    lowered = {str(key).lower(): value for key, value in read.items()}
    listed = lowered.get("nonmasqueradecidrs") or []
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        return None
    local = lowered.get("masqlinklocal")
    return listed if local is True or str(local).lower() == "true" else [*listed, _LINK_LOCAL]


def _flat_yaml(text: str) -> dict[str, Any] | None:
    """Return keys with scalars or lists of scalars; this is all that the agent's configuration has."""
    found: dict[str, Any] = {}
    key = ""
    for line in text.splitlines():
        stripped = line.partition("#")[0].strip()
        if not stripped:
            continue
        if stripped.startswith("-"):
            item = stripped[1:].strip().strip("\"'")
            if not key or not isinstance(found.get(key), list):
                return None
            found[key] += [item] if item else []
            continue
        name, colon, value = stripped.partition(":")
        if not colon:
            return None
        key, value = name.strip(), value.strip()
        if value.startswith("[") and value.endswith("]"):
            found[key] = [item.strip().strip("\"'") for item in value[1:-1].split(",") if item.strip()]
        else:
            found[key] = value.strip("\"'") if value else []
    return found
