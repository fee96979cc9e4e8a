"""A virtual network with one subnet, to be bent by tests of routes."""

from collections.abc import Callable
from typing import Any

from aksnav.store.store import Store
from aksnav.trace.azure.joins import subnet_of
from aksnav.trace.azure.next_hop import RouteDecision, next_hop
from tests.unit.trace_edge.world import ARM, Json, address, made

Objects = dict[str, Json]
Change = Callable[[Objects], None]
NET = f"{ARM}/virtualNetworks/vnet"
APPLIANCE = {"nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.100.4"}


def objects() -> Objects:
    """Return the network of the documentation's example: 10.0.0.0/16, with Subnet1 and an appliance's subnet."""
    subnets = [
        {"id": f"{NET}/subnets/{name}", "name": name, "properties": {"addressPrefix": prefix}}
        for name, prefix in (("subnet1", "10.0.0.0/24"), ("subnet2", "10.0.1.0/24"), ("nva", "10.0.100.0/24"))
    ]
    properties = {
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": subnets, "virtualNetworkPeerings": [],
    }  # fmt: skip
    return {"vnet": {"kind": "virtualNetworks", "id": NET, "name": "vnet", "properties": properties}}


def space(*prefixes: str) -> Change:
    """Give the network another address space."""

    def change(made: Objects) -> None:
        made["vnet"]["properties"]["addressSpace"]["addressPrefixes"] = list(prefixes)

    return change


def table(*listed: Json, **properties: Any) -> Change:
    """Give Subnet1 a route table."""

    def change(made: Objects) -> None:
        ident = f"{ARM}/routeTables/rt"
        _subnet(made, "subnet1")["routeTable"] = {"id": ident}
        named = [{"name": f"r{number}", "properties": route} for number, route in enumerate(listed)]
        made["rt"] = {"kind": "routeTables", "id": ident, "name": "rt", "properties": {"routes": named, **properties}}

    return change


def _subnet(made: Objects, name: str) -> Json:
    found: Json = next(item for item in made["vnet"]["properties"]["subnets"] if item["name"] == name)["properties"]
    return found


def to(prefix: str, hop: str = "VirtualAppliance", ip: str = "10.0.100.4") -> Json:
    """Return a user-defined route."""
    return {"addressPrefix": prefix, "nextHopType": hop} | (
        {"nextHopIpAddress": ip} if hop == "VirtualAppliance" else {}
    )


def peer(name: str, *prefixes: str, state: str = "Connected", **change: Any) -> Change:
    """Peer the network with another one."""

    def bend(made: Objects) -> None:
        made["vnet"]["properties"].setdefault("virtualNetworkPeerings", []).append(
            {
                "name": f"to-{name}",
                "properties": {
                    "peeringState": state,
                    "allowVirtualNetworkAccess": True,
                    "remoteVirtualNetwork": {"id": f"{ARM}/virtualNetworks/{name}"},
                    "remoteAddressSpace": {"addressPrefixes": list(prefixes)},
                    "remoteVirtualNetworkAddressSpace": {"addressPrefixes": list(prefixes)},
                    **change,
                },
            }
        )

    return bend


def gateway(made: Objects) -> None:
    """Give the network a gateway."""
    ident = f"{NET}/subnets/GatewaySubnet"
    made["vnet"]["properties"]["subnets"].append(
        {"id": ident, "name": "GatewaySubnet", "properties": {"addressPrefix": "10.0.255.0/27"}}
    )


def service(*names: str, state: str = "Succeeded") -> Change:
    """Give Subnet1 service endpoints."""

    def change(made: Objects) -> None:
        _subnet(made, "subnet1")["serviceEndpoints"] = [{"service": name, "provisioningState": state} for name in names]

    return change


def endpoint(ip: str, policies: str = "Disabled", network: str = "vnet") -> Change:
    """Put a private endpoint into Subnet2, or into the only subnet of a peer."""

    def change(made: Objects) -> None:
        net = f"{ARM}/virtualNetworks/{network}"
        if network == "vnet":
            _subnet(made, "subnet2")["privateEndpointNetworkPolicies"] = policies
            subnet = f"{net}/subnets/subnet2"
        else:
            subnet = f"{net}/subnets/endpoints"
            inner = {"addressPrefix": "10.1.1.0/24", "privateEndpointNetworkPolicies": policies}
            made[network] = {
                "kind": "virtualNetworks", "id": net, "name": network,
                "properties": {
                    "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
                    "subnets": [{"id": subnet, "name": "endpoints", "properties": inner}],
                },
            }  # fmt: skip
        made["pe"] = nic("pe-nic", ip, subnet, privateEndpoint={"id": f"{ARM}/privateEndpoints/vault"})

    return change


def nic(name: str, ip: str, subnet: str, **more: Any) -> Json:
    """Return a network interface."""
    configuration = {"name": "c", "properties": {"privateIPAddress": ip, "primary": True, "subnet": {"id": subnet}}}
    return {
        "kind": "networkInterfaces",
        "id": f"{ARM}/networkInterfaces/{name}",
        "name": name,
        "properties": {"ipConfigurations": [configuration], **more},
    }


def appliance(forwards: bool | None = True, ip: str = "10.0.100.4") -> Change:
    """Put an appliance's interface into its subnet."""

    def change(made: Objects) -> None:
        more = {} if forwards is None else {"enableIPForwarding": forwards}
        made["nva"] = nic("nva-nic", ip, f"{NET}/subnets/nva", **more)

    return change


def all_of(*changes: Change) -> Change:
    """Return several changes as one."""

    def change(made: Objects) -> None:
        for one in changes:
            one(made)

    return change


def nothing(_: Objects) -> None:
    """Leave the network as it is."""


def built(*changes: Change) -> Store:
    """Return the store after changes."""
    listed = objects()
    all_of(*changes)(listed)
    return made(*listed.values())


def hop(store: Store, destination: str, source: str = "10.0.0.4") -> RouteDecision:
    """Return the next hop from the subnet of an address; ``internet`` is any address of it."""
    place = subnet_of(store, address(source))
    assert place is not None
    v6 = destination == "internet6"
    return next_hop(store, place[1], None if destination.startswith("internet") else address(destination), v4=not v6)
