"""A small cluster in wire form, as a test wants it: pools, subnets, nodes, Pods."""

from typing import Any

from aksnav.model.change import ListEnded, ListStarted, Upserted
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.sources import demo
from aksnav.store import Store

GROUP = "/subscriptions/s/resourceGroups/rg/providers"
VNET = f"{GROUP}/Microsoft.Network/virtualNetworks/vnet"
CLUSTER = f"{GROUP}/Microsoft.ContainerService/managedClusters/aks"
NODES = f"{VNET}/subnets/nodes"
PODS = f"{VNET}/subnets/pods"
NOW = 1_764_000_000.0

Json = dict[str, Any]


def loaded(scenario: str) -> Store:
    """Return a scenario of the demo."""
    store = Store()
    for change in demo.changes(scenario, lambda: NOW):
        store.apply(change)
    return store


def pool(name: str = "np", count: int = 1, **fields: Any) -> Json:
    """Return a pool; ``fields`` replace or add to what it has."""
    made = {
        "name": name,
        "count": count,
        "maxPods": 30,
        "mode": "User",
        "vnetSubnetID": NODES,
        "upgradeSettings": {"maxSurge": "1"},
    }
    return {key: value for key, value in (made | fields).items() if value is not None}


def subnet(ident: str, prefix: str, used: list[str] | None = None) -> Json:
    """Return a subnet with the configurations that Azure lists in it."""
    inner: Json = {"addressPrefix": prefix}
    if used is not None:
        inner["ipConfigurations"] = [{"id": item} for item in used]
    return {"id": ident, "name": ident.rpartition("/")[2], "properties": inner}


def network(subnets: list[Json], spaces: list[str], usages: dict[str, int] | None = None, **fields: Any) -> Json:
    """Return a virtual network; ``usages`` is Azure's count by subnet."""
    inner: Json = {"addressSpace": {"addressPrefixes": spaces}, "subnets": subnets, **fields}
    if usages is not None:
        inner["usages"] = [{"id": key, "currentValue": value, "limit": 251} for key, value in usages.items()]
    return {"id": VNET, "name": "vnet", "properties": inner}


def managed(pools: list[Json], **profile: Any) -> Json:
    """Return a managed cluster with a network profile."""
    inner = {"agentPoolProfiles": pools, "networkProfile": {"networkPlugin": "azure", **profile}}
    return {"id": CLUSTER, "name": "aks", "properties": inner}


def node(name: str, address: str, of: str = "np", cidr: str = "") -> Json:
    """Return a node of a pool."""
    spec: Json = {"providerID": f"azure:///subscriptions/s/vm/{name}"}
    if cidr:
        spec |= {"podCIDR": cidr, "podCIDRs": [cidr]}
    status = {"addresses": [{"type": "InternalIP", "address": address}], "allocatable": {"pods": "30"}}
    return {"metadata": {"name": name, "labels": {"agentpool": of}}, "spec": spec, "status": status}


def pod(name: str, address: str, on: str, phase: str = "Running", **spec: Any) -> Json:
    """Return a Pod of the namespace shop."""
    status = {"phase": phase, "podIPs": [{"ip": address}] if address else []}
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": {"nodeName": on, **spec}, "status": status}


def store_of(objects: dict[str, list[Json]]) -> Store:
    """Return a store in which every kind is read whole, and has these objects."""
    store = Store()
    for kind in KINDS:
        store.apply(ListStarted(kind))
        found = [decode_wire(KINDS[kind], wire) for wire in objects.get(kind, [])]
        if found:
            store.apply(Upserted(kind, found))
        store.apply(ListEnded(kind, at=NOW))
    return store


def plain_store(pools: list[Json], prefix: str = "10.1.0.0/24", used: int = 0, **profile: Any) -> Store:
    """Return a cluster without nodes in one subnet, of which Azure counts so many addresses in use."""
    return store_of(
        {
            "managedClusters": [managed(pools, **profile)],
            "virtualNetworks": [network([subnet(NODES, prefix)], [prefix], {NODES: used})],
        }
    )


def put(store: Store, kind: str, wire: Json) -> None:
    """Add or replace one object."""
    store.apply(Upserted(kind, [decode_wire(KINDS[kind], wire)]))
