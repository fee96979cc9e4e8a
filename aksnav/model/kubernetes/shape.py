"""From the nested wire form of an object to the flat form that its struct has.

A null is the same as an absent field (Kubernetes API conventions, "Optional vs. Required"), so nulls are dropped first.
"""

from collections.abc import Callable, Mapping
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
    meta = wire.get("metadata") or {}
    out = dict(wire.get("spec") or {})
    if "status" in wire:
        out["status"] = wire["status"]
    out.update(metadata(meta))
    return out


def metadata(meta: Mapping[str, Any]) -> Json:
    """Return the fields of metadata that every object keeps."""
    annotations = {key: value for key, value in (meta.get("annotations") or {}).items() if key != LAST_APPLIED}
    return {
        "name": meta.get("name", ""),
        "namespace": meta.get("namespace", ""),
        "uid": meta.get("uid", ""),
        "resourceVersion": meta.get("resourceVersion", ""),
        "generation": meta.get("generation", 0),
        "created": meta.get("creationTimestamp", ""),
        "deleting": "deletionTimestamp" in meta,
        "labels": meta.get("labels") or {},
        "annotations": annotations,
    }


def _namespace(wire: Json) -> Json:
    return {**metadata(wire.get("metadata") or {}), "phase": (wire.get("status") or {}).get("phase", "")}


def _node(wire: Json) -> Json:
    spec, status = wire.get("spec") or {}, wire.get("status") or {}
    info = status.get("nodeInfo") or {}
    out = metadata(wire.get("metadata") or {})
    out["annotations"] = {}
    pods = str((status.get("allocatable") or {}).get("pods", "0"))
    cidrs = spec.get("podCIDRs") or ([spec["podCIDR"]] if spec.get("podCIDR") else [])
    return {
        **out,
        "providerId": spec.get("providerID", ""),
        "podCidrs": cidrs,
        "unschedulable": spec.get("unschedulable", False),
        "taints": spec.get("taints") or [],
        "addresses": [(entry.get("type", ""), entry.get("address", "")) for entry in status.get("addresses") or []],
        "conditions": status.get("conditions") or [],
        "allocatablePods": int(pods) if pods.isdigit() else 0,
        "kubeletVersion": info.get("kubeletVersion", ""),
        "osImage": info.get("osImage", ""),
        "operatingSystem": info.get("operatingSystem", ""),
    }


def _at_root(wire: Json) -> Json:
    """For kinds whose fields stand at the root of the object (EndpointSlice)."""
    rest = {key: value for key, value in wire.items() if key not in {"metadata", "kind", "apiVersion"}}
    return {**rest, **metadata(wire.get("metadata") or {})}


def _event(wire: Json) -> Json:
    about = wire.get("involvedObject") or wire.get("regarding") or {}
    series = wire.get("series") or {}
    source = wire.get("source") or wire.get("deprecatedSource") or {}
    return {
        **metadata(wire.get("metadata") or {}),
        "aboutKind": about.get("kind", ""),
        "aboutNamespace": about.get("namespace", ""),
        "aboutName": about.get("name", ""),
        "aboutUid": about.get("uid", ""),
        "type": wire.get("type", ""),
        "reason": wire.get("reason", ""),
        "message": wire.get("message") or wire.get("note") or "",
        "count": series.get("count") or wire.get("count") or 1,
        "lastSeen": series.get("lastObservedTime")
        or wire.get("lastTimestamp")
        or wire.get("eventTime")
        or (wire.get("metadata") or {}).get("creationTimestamp", ""),
        "component": source.get("component") or wire.get("reportingComponent") or wire.get("reportingController") or "",
    }


def _cilium(wire: Json) -> Json:
    spec, specs = wire.get("spec"), wire.get("specs") or []
    return {
        **metadata(wire.get("metadata") or {}),
        "rules": [rule for rule in (spec, *specs) if rule],
        "conditions": (wire.get("status") or {}).get("conditions") or [],
    }


def _secret(wire: Json) -> Json:
    data = wire.get("data")
    return {
        **metadata(wire.get("metadata") or {}),
        "annotations": {},
        "exists": wire.get("exists", True),
        "type": wire.get("type", ""),
        "keys": sorted(data) if isinstance(data, dict) else wire.get("keys"),
    }


SHAPES: dict[str, Callable[[Json], Json]] = {
    "Namespace": _namespace,
    "Node": _node,
    "EndpointSlice": _at_root,
    "Event": _event,
    "CiliumNetworkPolicy": _cilium,
    "CiliumClusterwideNetworkPolicy": _cilium,
    "Secret": _secret,
}
