"""From the nested wire form of an object to the flat form that its struct has.

A null is the same as an absent field (Kubernetes API conventions, "Optional vs. Required"), so nulls are dropped first.
"""

from collections.abc import Callable, Sequence
from typing import Any

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
Json = dict[str, Any]


def without_nulls(value: Any) -> Any:
    """Return the JSON value without the object fields that are null."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def flat(wire: Json) -> Json:
    """Return spec, status, and the fields of metadata that are kept, in one flat JSON object."""
    out = dict(section(wire, "spec"))
    if "status" in wire:
        out["status"] = wire["status"]
    out.update(metadata(wire))
    return out


def section(wire: Json, *path: str) -> Json:
    """Return an object inside an object, an empty one where it is absent.

    Raises:
        TypeError: what stands there is no object; the message names the field.
    """
    for depth, name in enumerate(path, 1):
        found = wire.get(name, {})
        if not isinstance(found, dict):
            raise _mismatch("object", found, path[:depth])
        wire = found
    return wire


def array(wire: Json, *path: str) -> list[Any]:
    """Return a list inside an object, an empty one where it is absent.

    Raises:
        TypeError: what stands there is no list, or what it stands in no object; the message names the field.
    """
    found = section(wire, *path[:-1]).get(path[-1], [])
    if not isinstance(found, list):
        raise _mismatch("array", found, path)
    return found


def _mismatch(wanted: str, found: object, path: Sequence[str]) -> TypeError:
    return TypeError(f"Expected `{wanted}`, got `{type(found).__name__}` - at `$.{'.'.join(path)}`")


def metadata(wire: Json) -> Json:
    """Return the fields of metadata that every object keeps.

    Raises:
        TypeError: metadata or its annotations are no objects.
    """
    meta = section(wire, "metadata")
    annotations = {key: item for key, item in section(wire, "metadata", "annotations").items() if key != LAST_APPLIED}
    return {
        "name": meta.get("name", ""),
        "namespace": meta.get("namespace", ""),
        "uid": meta.get("uid", ""),
        "resourceVersion": meta.get("resourceVersion", ""),
        "generation": meta.get("generation", 0),
        "created": meta.get("creationTimestamp", ""),
        "deleting": "deletionTimestamp" in meta,
        "labels": meta.get("labels", {}),
        "annotations": annotations,
    }


def _namespace(wire: Json) -> Json:
    return {**metadata(wire), "phase": section(wire, "status").get("phase", "")}


def _node(wire: Json) -> Json:
    spec, status = section(wire, "spec"), section(wire, "status")
    info = section(wire, "status", "nodeInfo")
    out = metadata(wire)
    out["annotations"] = {}
    pods = str(section(wire, "status", "allocatable").get("pods", "0"))
    cidrs = spec.get("podCIDRs") or ([spec["podCIDR"]] if spec.get("podCIDR") else [])
    return {
        **out,
        "providerId": spec.get("providerID", ""),
        "podCidrs": cidrs,
        "unschedulable": spec.get("unschedulable", False),
        "taints": spec.get("taints", []),
        "addresses": [_typed(entry) for entry in array(wire, "status", "addresses")],
        "conditions": status.get("conditions", []),
        "allocatablePods": int(pods) if pods.isdigit() else 0,
        "kubeletVersion": info.get("kubeletVersion", ""),
        "osImage": info.get("osImage", ""),
        "operatingSystem": info.get("operatingSystem", ""),
    }


def _typed(entry: Any) -> tuple[Any, Any]:
    if not isinstance(entry, dict):
        raise _mismatch("object", entry, ("status", "addresses[...]"))
    return entry.get("type", ""), entry.get("address", "")


def _at_root(wire: Json) -> Json:
    """For kinds whose fields stand at the root of the object (EndpointSlice)."""
    rest = {key: value for key, value in wire.items() if key not in {"metadata", "kind", "apiVersion"}}
    return {**rest, **metadata(wire)}


def _event(wire: Json) -> Json:
    """For either form: core/v1 and events.k8s.io/v1, which renames fields and keeps the old ones as ``deprecated…``."""
    about = section(wire, "involvedObject") or section(wire, "regarding")
    series = section(wire, "series")
    source = section(wire, "source") or section(wire, "deprecatedSource")
    meta = metadata(wire)
    return {
        **meta,
        "aboutKind": about.get("kind", ""),
        "aboutNamespace": about.get("namespace", ""),
        "aboutName": about.get("name", ""),
        "aboutUid": about.get("uid", ""),
        "type": wire.get("type", ""),
        "reason": wire.get("reason", ""),
        "message": wire.get("message") or wire.get("note") or "",
        "count": series.get("count") or wire.get("count") or wire.get("deprecatedCount") or 1,
        "lastSeen": series.get("lastObservedTime")
        or wire.get("lastTimestamp")
        or wire.get("deprecatedLastTimestamp")
        or wire.get("eventTime")
        or meta["created"],
        "component": source.get("component") or wire.get("reportingComponent") or wire.get("reportingController") or "",
    }


def _cilium(wire: Json) -> Json:
    return {
        **metadata(wire),
        "rules": [*([section(wire, "spec")] if section(wire, "spec") else []), *array(wire, "specs")],
        "hasSpec": bool(section(wire, "spec")),
        "conditions": section(wire, "status").get("conditions", []),
    }


_CALICO_SPEC = frozenset(
    {
        "tier", "order", "selector", "namespaceSelector", "serviceAccountSelector", "types", "ingress", "egress",
        "doNotTrack", "preDNAT", "applyOnForward", "performanceHints",
    }
)  # fmt: skip
_CALICO_RULE = frozenset(
    {
        "action", "protocol", "notProtocol", "icmp", "notICMP", "ipVersion", "source", "destination", "http",
        "metadata",
    }
)  # fmt: skip
_CALICO_ENTITY = frozenset(
    {
        "nets", "notNets", "selector", "notSelector", "namespaceSelector", "ports", "notPorts", "serviceAccounts",
        "services",
    }
)  # fmt: skip


def _calico_policy(wire: Json) -> Json:
    spec = section(wire, "spec")
    sides = {side: [_calico_rule(rule) for rule in array(wire, "spec", side)] for side in ("ingress", "egress")}
    return {**flat(wire), **sides, **_calico_group(wire), **_others(spec, _CALICO_SPEC)}


def _calico_rule(rule: Any) -> Any:
    if not isinstance(rule, dict):
        return rule
    sides = {
        side: {**rule[side], **_others(rule[side], _CALICO_ENTITY)} if isinstance(rule[side], dict) else rule[side]
        for side in ("source", "destination")
        if side in rule
    }
    return {**rule, **sides, **_others(rule, _CALICO_RULE)}


def _others(value: Json, known: frozenset[str]) -> Json:
    """Return the names of criteria that nobody here knows: what is not understood must not be passed over."""
    return {"unmodelled": sorted(key for key, item in value.items() if key not in known and item not in ("", [], {}))}


def _calico_group(wire: Json) -> Json:
    return {"group": str(wire.get("apiVersion", "")).rpartition("/")[0]}


def _network_policy(wire: Json) -> Json:
    return {**flat(wire), "unknown": _unknown_field(section(wire, "spec"), _POLICY, ".spec")}


_SELECTOR: Json = {"matchLabels": None, "matchExpressions": {"key": None, "operator": None, "values": None}}
_PEER: Json = {"podSelector": _SELECTOR, "namespaceSelector": _SELECTOR, "ipBlock": {"cidr": None, "except": None}}
_PORT: Json = {"protocol": None, "port": None, "endPort": None}
_POLICY: Json = {
    "podSelector": _SELECTOR,
    "policyTypes": None,
    "ingress": {"from": _PEER, "ports": _PORT},
    "egress": {"to": _PEER, "ports": _PORT},
}


def _unknown_field(value: Any, known: Json | None, path: str) -> str:
    """Return the path of the first field that is not among the known ones, or an empty string.

    The API server refuses or drops such a field; a manifest that it has not seen may have a misspelt one, and the rule
    without it means something else.
    """
    if known is None:
        return ""
    if isinstance(value, list):
        found = (_unknown_field(item, known, f"{path}[{number}]") for number, item in enumerate(value))
    elif isinstance(value, dict):
        found = (
            _unknown_field(item, known[key], f"{path}.{key}") if key in known else f"{path}.{key}"
            for key, item in value.items()
        )
    else:
        return ""
    return next(filter(None, found), "")


_AUTH_SOURCE = frozenset(
    f"{sign}{name[0].upper() if sign else name[0]}{name[1:]}"
    for sign in ("", "not")
    for name in (
        "principals", "requestPrincipals", "namespaces", "serviceAccounts", "ipBlocks", "remoteIpBlocks", "hosts",
        "ports", "methods", "paths",
    )
)  # fmt: skip


def _authorization_policy(wire: Json) -> Json:
    rules = [_authorization_rule(rule) for rule in array(wire, "spec", "rules")]
    return {**flat(wire), "rules": rules}


def _authorization_rule(rule: Any) -> Any:
    """An empty rule, which is a null in wire form as well, matches everything."""
    if rule is None:
        return {}
    if not isinstance(rule, dict):
        return rule
    sides: Json = {}
    for side, name in (("from", "source"), ("to", "operation")):
        listed = rule.get(side)
        if isinstance(listed, list):
            sides[side] = [_entry(item, name) for item in listed]
    return {**rule, **sides}


def _entry(item: Any, name: str) -> Any:
    inner = item.get(name) if isinstance(item, dict) else None
    return {name: {**inner, **_others(inner, _AUTH_SOURCE)}} if isinstance(inner, dict) else item


def _secret(wire: Json) -> Json:
    data = wire.get("data")
    return {
        **metadata(wire),
        "annotations": {},
        "exists": wire.get("exists", True),
        "type": wire.get("type", ""),
        "keys": sorted(data) if isinstance(data, dict) else wire.get("keys"),
    }


def _config_map(wire: Json) -> Json:
    return {**metadata(wire), "annotations": {}, "data": section(wire, "data")}


SHAPES: dict[str, Callable[[Json], Json]] = {
    "Namespace": _namespace,
    "Node": _node,
    "EndpointSlice": _at_root,
    "Event": _event,
    "NetworkPolicy": _network_policy,
    "CiliumNetworkPolicy": _cilium,
    "CiliumClusterwideNetworkPolicy": _cilium,
    "CalicoNetworkPolicy": _calico_policy,
    "GlobalNetworkPolicy": _calico_policy,
    "AuthorizationPolicy": _authorization_policy,
    "Secret": _secret,
    "ConfigMap": _config_map,
}
