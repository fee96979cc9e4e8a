"""A store made from objects in wire form, read as a source reads them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from aksnav.model.addresses import parse_address
from aksnav.model.change import Reading, ReadingChanged, Upserted
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.store.store import Store
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Entry, Place

Json = dict[str, Any]
ARM = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network"


def made(*objects: Json, denied: Iterable[str] = (), reason: str = "forbidden") -> Store:
    """Return a store in which every kind is read, but for the denied ones; ``kind`` names Azure types as well."""
    store = Store()
    refused = set(denied)
    for name in KINDS:
        optional = KINDS[name].optional
        reading = Reading.DENIED if name in refused else Reading.ABSENT if optional else Reading.LIVE
        store.apply(ReadingChanged(name, reading, reason=reason if name in refused else "", at=1.0))
    put(store, *objects)
    return store


def put(store: Store, *objects: Json) -> None:
    """Add objects to a store."""
    for wire in objects:
        kind = KINDS[wire["kind"]]
        if kind.optional:
            store.apply(ReadingChanged(kind.name, Reading.LIVE, at=1.0))
        store.apply(Upserted(kind.name, [decode_wire(kind, wire)]))


def documents(path: Path) -> list[Json]:
    """Return the objects of a YAML file."""
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


def namespace(name: str, **labels: str) -> Json:
    """Return a Namespace."""
    return {"kind": "Namespace", "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name, **labels}}}


def pod(
    ident: str,
    ip: str = "",
    labels: dict[str, str] | None = None,
    node: str = "node-1",
    ports: Iterable[Json] = (),
    **spec: Any,
) -> Json:
    """Return a running Pod."""
    space, name = ident.split("/")
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": space, "labels": labels or {}},
        "spec": {"nodeName": node, "containers": [{"name": "c", "ports": list(ports)}], **spec},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}] if ip else []},
    }


def daemon(ident: str, labels: dict[str, str] | None = None) -> Json:
    """Return a Pod of the DaemonSet that has the Pod's name."""
    wire = pod(f"{ident}-x1", "10.224.0.4", labels)
    owner = {"kind": "DaemonSet", "name": ident.rpartition("/")[2], "controller": True}
    wire["metadata"]["ownerReferences"] = [owner]
    return wire


def node(name: str, ip: str, **labels: str) -> Json:
    """Return a ready Node."""
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"providerID": f"azure:///subscriptions/s/resourceGroups/mc/providers/Microsoft.Compute/vm/{name}"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": ip}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {"kubeletVersion": "v1.34.1"},
        },
    }


def policy(ident: str, **spec: Any) -> Json:
    """Return a NetworkPolicy for every Pod of its namespace, unless ``podSelector`` is given."""
    space, name = ident.split("/")
    return {
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": space},
        "spec": {"podSelector": {}, **spec},
    }


def cluster(**profile: Any) -> Json:
    """Return a managed cluster with a network profile."""
    return {
        "kind": "managedClusters",
        "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks",
        "name": "aks",
        "properties": {"nodeResourceGroup": "mc", "networkProfile": {"networkPlugin": "azure", **profile}},
    }


def address(text: str) -> int:
    """Return an address integer; the text must be an address."""
    number = parse_address(text)
    assert number is not None, text
    return number


def the_pod(store: Store, ident: str) -> Pod:
    """Return a Pod that is there."""
    found = store.pods.get(ident)
    assert found is not None, ident
    return found


def the_node(store: Store, name: str) -> Node:
    """Return a node that is there."""
    found = store.nodes.get(name)
    assert found is not None, name
    return found


def place(store: Store, text: str) -> Place:
    """Return a Pod (``ns/name``), a node (``node:NAME``), an address, or any client of the internet (``internet``)."""
    if text == "internet":
        return Place()
    if text.startswith("node:"):
        return Place.of_node(the_node(store, text.removeprefix("node:")))
    if "/" in text:
        found = the_pod(store, text)
        return Place.of_pod(found, store.nodes.get(found.node))
    return Place(address=address(text))


def crossing(
    store: Store,
    source: str,
    destination: str,
    port: int = 80,
    protocol: str = "TCP",
    entry: Entry = Entry.DIRECT,
    entry_node: str = "",
) -> Crossing:
    """Return a connection between two places."""
    one, two = place(store, source), place(store, destination)
    packet = Packet(source=one.address, destination=two.address, port=port, protocol=protocol)
    return Crossing(
        source=one,
        destination=two,
        packet=packet,
        entry=entry,
        entry_node=the_node(store, entry_node) if entry_node else None,
    )
