"""What never enters a capture: secrets, environments, and what is only noise."""

import re
from typing import Any

from aksnav.model.kubernetes.shape import LAST_APPLIED

REMOVED = "(removed)"
_POD_PARTS = ("containers", "initContainers", "ephemeralContainers")
_OF_CONTAINERS = frozenset({"env", "envFrom", "command", "args", "httpHeaders", "volumeMounts"})
_OF_PODS = frozenset({"volumes", "imagePullSecrets"})
_OF_CLUSTERS = frozenset({"linuxProfile", "windowsProfile", "servicePrincipalProfile", "aadProfile", "identityProfile"})
_OF_SECRETS = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp", "labels")
_SECRET_NAME = re.compile(r"token|password|passwd|credential|api-?key|connection-?string|-snippet$", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\beyJ[\w-]{8,500}\.eyJ[\w-]{8}"
    r"|\b(?:bearer|basic)\s+[\w+/=.~-]{12,}"
    r"|\b(?:AccountKey|SharedAccessKey|sig)=[\w%+/=-]{12,}"
    r"|://[^/\s:@]+:[^/\s@]+@",
    re.IGNORECASE,
)


def strip(kind: str, wire: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of an object in wire form without what a capture does not hold.

    Left out: managedFields and the last-applied annotation; environments, commands, arguments, probe headers and
    volumes of containers; all of a Secret but its metadata, type and the names of its keys; profiles of a managed
    cluster that hold keys. Values that look like a credential, and those of annotations and tags named like one, are
    replaced by a mark.
    """
    if kind == "Secret":
        return _secret(wire)
    out = dict(wire)
    meta = out.get("metadata")
    if isinstance(meta, dict):
        out["metadata"] = _metadata(meta)
    if isinstance(out.get("tags"), dict):
        out["tags"] = _without_credentials(out["tags"])
    if kind == "Pod" and isinstance(out.get("spec"), dict):
        out["spec"] = _pod_spec(out["spec"])
    if kind == "managedClusters":
        out = {key: value for key, value in out.items() if key not in _OF_CLUSTERS}
        if isinstance(out.get("properties"), dict):
            out["properties"] = {key: value for key, value in out["properties"].items() if key not in _OF_CLUSTERS}
    cleaned: dict[str, Any] = _clean(out)
    return cleaned


def _secret(wire: dict[str, Any]) -> dict[str, Any]:
    meta = wire.get("metadata") or {}
    data = wire.get("data")
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {key: meta[key] for key in _OF_SECRETS if key in meta},
        "exists": wire.get("exists", True),
        "type": wire.get("type", ""),
        "keys": sorted(data) if isinstance(data, dict) else wire.get("keys"),
    }


def _metadata(meta: dict[str, Any]) -> dict[str, Any]:
    out = {key: value for key, value in meta.items() if key != "managedFields"}
    if isinstance(out.get("annotations"), dict):
        kept = {key: value for key, value in out["annotations"].items() if key != LAST_APPLIED}
        out["annotations"] = _without_credentials(kept)
    return out


def _without_credentials(values: dict[str, Any]) -> dict[str, Any]:
    return {key: REMOVED if _SECRET_NAME.search(key) else value for key, value in values.items()}


def _pod_spec(spec: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _container_parts(value) if key in _POD_PARTS else value
        for key, value in spec.items()
        if key not in _OF_PODS
    }


def _container_parts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _container_parts(item) for key, item in value.items() if key not in _OF_CONTAINERS}
    if isinstance(value, list):
        return [_container_parts(item) for item in value]
    return value


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return REMOVED if _SECRET_VALUE.search(value) else value
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value
