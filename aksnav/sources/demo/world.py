"""The demo's objects in wire form, and what every builder needs: names, uids, versions and times."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aksnav.model.kinds import KINDS

Json = dict[str, Any]

SUBSCRIPTION = "8c1f4e02-6d3b-4a57-9f21-3be07c5d9a10"
TENANT = "2f7a9b64-0c18-4d8e-b5a3-71d2e6f80c45"
REGION = "westeurope"
CLUSTER = "aks-contoso-prod"
GROUP = "rg-contoso-prod"
NODE_GROUP = "MC_rg-contoso-prod_aks-contoso-prod_westeurope"
HUB_GROUP = "rg-contoso-hub"
FIRST_VERSION = 4_180_000
_SPREAD = 60_000

_SPACE = uuid.UUID("6f1d0c5e-5d0a-5c55-9c43-6b1f4f0f2f11")
_API_VERSIONS = {
    "EndpointSlice": "discovery.k8s.io/v1",
    "CiliumNetworkPolicy": "cilium.io/v2",
    "CiliumClusterwideNetworkPolicy": "cilium.io/v2",
    "ReferenceGrant": "gateway.networking.k8s.io/v1beta1",
}


class World:
    """Objects in wire form, by kind and id, in the order in which they were made.

    Attributes:
        addresses: for Pods, by node, where they do not take them from a range of the node.
    """

    def __init__(self) -> None:
        self.addresses: dict[str, list[str]] = {}
        self._objects: dict[str, dict[str, Json]] = {name: {} for name in KINDS}
        self._version = FIRST_VERSION + _SPREAD

    def put(self, kind: str, wire: Json) -> Json:
        """Add or replace an object and return it; its resourceVersion is the same in every scenario."""
        name = ident(wire)
        if not KINDS[kind].azure:
            wire["metadata"]["resourceVersion"] = str(
                FIRST_VERSION + uuid.uuid5(_SPACE, f"{kind}/{name}").int % _SPREAD
            )
        self._objects[kind][name] = wire
        return wire

    def renew(self, kind: str, wire: Json) -> Json:
        """Add or replace an object in the course of the script, with a resourceVersion above all others."""
        self.put(kind, wire)
        self._version += 7
        wire["metadata"]["resourceVersion"] = str(self._version)
        return wire

    def get(self, kind: str, ident_: str) -> Json:
        """Return an object.

        Raises:
            KeyError: there is none.
        """
        return self._objects[kind][ident_]

    def find(self, kind: str, ident_: str) -> Json | None:
        """Return an object, or None if there is none."""
        return self._objects[kind].get(ident_)

    def drop(self, kind: str, ident_: str) -> Json:
        """Take an object away and return it."""
        return self._objects[kind].pop(ident_)

    def of(self, kind: str, where: Callable[[Json], bool] | None = None) -> list[Json]:
        """Return the objects of a kind, all of them or those that the predicate picks."""
        rows = self._objects[kind].values()
        return [wire for wire in rows if where is None or where(wire)]

    def kinds(self) -> Iterable[str]:
        """Return every kind that aksnav knows, with objects or without."""
        return self._objects.keys()

    def pods_of(self, namespace: str, selector: Mapping[str, str]) -> list[Json]:
        """Return the Pods of a namespace that have all these labels."""
        return self.of(
            "Pod",
            lambda wire: (
                wire["metadata"]["namespace"] == namespace and selector.items() <= wire["metadata"]["labels"].items()
            ),
        )


def ident(wire: Json) -> str:
    """Return ``namespace/name`` or ``name`` of a Kubernetes object, the lower-case id of an Azure one."""
    meta = wire.get("metadata")
    if meta is None:
        return str(wire["id"]).lower()
    namespace = meta.get("namespace", "")
    return f"{namespace}/{meta['name']}" if namespace else str(meta["name"])


def uid(*parts: str) -> str:
    """Return the uid that belongs to these words: always the same one."""
    return str(uuid.uuid5(_SPACE, "/".join(parts)))


def suffix(length: int, *parts: str) -> str:
    """Return letters and digits as Kubernetes' name generator makes them, always the same for the same words."""
    alphabet = "bcdfghjklmnpqrstvwxz2456789"
    number, out = uuid.uuid5(_SPACE, "suffix/" + "/".join(parts)).int, ""
    for _ in range(length):
        number, digit = divmod(number, len(alphabet))
        out += alphabet[digit]
    return out


def day(number: int) -> str:
    """Return the time at which things of the given day were made (day 1 is 1 September 2026), RFC 3339."""
    month, rest = divmod(number - 1, 30)
    return f"2026-{9 + month:02}-{rest + 1:02}T08:12:30Z"


def thing(
    kind: str,
    name: str,
    namespace: str = "",
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    made: int = 3,
    generation: int = 1,
    **rest: Any,
) -> Json:
    """Return a Kubernetes object in wire form.

    Args:
        kind: its kind.
        name: its name.
        namespace: empty for a cluster-scoped one.
        labels: its labels.
        annotations: its annotations.
        made: day of its creation.
        generation: its generation, for the kinds that have one.
        rest: spec, status and what else stands at the root of the object.
    """
    described = KINDS[kind]
    group = f"{described.group}/" if described.group else ""
    meta: Json = {
        "name": name,
        "uid": uid(kind, namespace, name),
        "creationTimestamp": day(made),
        "labels": dict(labels or {}),
    }
    if namespace:
        meta["namespace"] = namespace
    if annotations:
        meta["annotations"] = dict(annotations)
    if kind not in {"Pod", "Node", "Service", "Namespace", "Secret", "Event"}:
        meta["generation"] = generation
    version = _API_VERSIONS.get(kind, f"{group}{described.versions[0]}")
    return {"apiVersion": version, "kind": kind, "metadata": meta, **rest}


def arm_id(group: str, provider_path: str) -> str:
    """Return the ARM id of a resource, from its resource group and ``Provider/type/name[/type/name]``."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{provider_path}"


def condition(kind: str, status: str, reason: str, message: str = "", generation: int | None = None) -> Json:
    """Return a status condition."""
    out: Json = {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": day(40),
    }
    if generation is not None:
        out["observedGeneration"] = generation
    return out
