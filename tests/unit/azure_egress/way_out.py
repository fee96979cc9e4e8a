"""A way out of the small cluster, and what may be done to what it leads through."""

from collections.abc import Callable
from typing import Any

from aksnav.model.addresses import format_address
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Kind, Step, Trace
from tests.unit.trace_edge.cloud import RG, bent
from tests.unit.trace_edge.world import ARM, Json, cluster, made

Objects = dict[str, Json]
Change = Callable[[Objects], None]
NET = f"{RG}/Microsoft.Network"
GATEWAY = f"{NET}/natGateways/natgw"
WAY = f"{NET}/publicIPAddresses/out"
INTERNET, ON_PREMISES, PEER, INSIDE = "203.0.113.9", "172.16.0.9", "10.50.0.9", "10.224.9.9"


def out(*changes: Change, target: str = INTERNET, port: int = 443, denied: tuple[str, ...] = ()) -> Trace:
    """Return the trace of shop/web-1 to an address."""

    def change(objects: Objects) -> None:
        for item in changes:
            item(objects)

    store = made(*bent(change), denied=denied)
    return trace(store, parse_request(f"tcp://{target}:{port}", source="pod/shop/web-1"))


def of(found: Trace, kind: Kind) -> Step:
    """Return the one step of a kind."""
    (step,) = [step for step in found.steps if step.kind is kind]
    return step


def source(step: Step) -> str:
    """Return the source behind a step."""
    packet = step.packet_after if step.packet_after is not None else step.packet
    return "" if packet.source is None else format_address(packet.source)


def subnet(objects: Objects) -> Json:
    """Return the node subnet's properties."""
    found: Json = objects["vnet"]["properties"]["subnets"][0]["properties"]
    return found


def profile(**fields: Any) -> Change:
    """Give the cluster another network profile."""

    def change(objects: Objects) -> None:
        objects["cluster"] = cluster(networkPolicy="azure", **fields)

    return change


def nat_gateway(*addresses: str, **properties: Any) -> Change:
    """Put a NAT gateway with public addresses on the node subnet."""

    def change(objects: Objects) -> None:
        subnet(objects)["natGateway"] = {"id": GATEWAY}
        idents = [f"{WAY}{number}" for number in range(len(addresses))]
        for ident, text in zip(idents, addresses, strict=True):
            objects[ident] = {
                "kind": "publicIPAddresses", "id": ident, "name": ident.rpartition("/")[2],
                "properties": {"ipAddress": text, "natGateway": {"id": GATEWAY}},
            }  # fmt: skip
        listed = [{"id": ident} for ident in idents]
        objects["natgw"] = {
            "kind": "natGateways", "id": GATEWAY, "name": "natgw", "sku": {"name": "Standard"},
            "properties": {"publicIpAddresses": listed, **properties},
        }  # fmt: skip

    return change


def outbound_rule(ports: int = 0, members: tuple[str, ...] = ("node-1", "node-2")) -> Change:
    """Give the load balancer an outbound rule whose pool has these nodes."""

    def change(objects: Objects) -> None:
        properties = objects["lb"]["properties"]
        ident = objects["lb"]["id"]
        pool = f"{ident}/backendAddressPools/aksOutboundBackendPool"
        listed = [{"id": f"{NET}/networkInterfaces/{name}-nic/ipConfigurations/ipconfig1"} for name in members]
        properties["backendAddressPools"].append(
            {"id": pool, "name": "aksOutboundBackendPool", "properties": {"backendIPConfigurations": listed}}
        )
        front = properties["frontendIPConfigurations"][0]["id"]
        properties["outboundRules"] = [
            {
                "id": f"{ident}/outboundRules/aksOutboundRule",
                "name": "aksOutboundRule",
                "properties": {
                    "backendAddressPool": {"id": pool},
                    "frontendIPConfigurations": [{"id": front}],
                    "allocatedOutboundPorts": ports,
                },
            }
        ]

    return change


def default_access(value: bool | None) -> Change:
    """Let the node subnet say whether it has default outbound access."""

    def change(objects: Objects) -> None:
        subnet(objects)["defaultOutboundAccess"] = value

    return change


def node_with_public_address(objects: Objects) -> None:
    """Give node-1 a public address of its own (enableNodePublicIP)."""
    objects["node-1"]["status"]["addresses"].append({"type": "ExternalIP", "address": "20.90.0.4"})


def in_node_subnet(objects: Objects) -> None:
    """Make it an Azure CNI node subnet cluster: the Pod has an address of the subnet."""
    objects["cluster"] = cluster(networkPolicy="azure")
    objects["cluster"]["properties"]["agentPoolProfiles"] = [{"name": "np"}]
    pod_at(objects, "10.224.0.50")


def in_pod_subnet(objects: Objects) -> None:
    """Make it a cluster whose Pods have a subnet of their own."""
    objects["cluster"] = cluster(networkPolicy="azure")
    ident = f"{ARM}/virtualNetworks/vnet/subnets/pods"
    objects["cluster"]["properties"]["agentPoolProfiles"] = [{"name": "np", "podSubnetID": ident}]
    objects["vnet"]["properties"]["subnets"].append(
        {"id": ident, "name": "pods", "properties": {"addressPrefix": "10.225.0.0/16"}}
    )
    pod_at(objects, "10.225.0.50")


def pod_at(objects: Objects, ip: str) -> None:
    """Give shop/web-1 another address."""
    objects["pod"]["status"] |= {"podIP": ip, "podIPs": [{"ip": ip}]}


MASQ = "azure-ip-masq-agent-config"


def masq(text: str, name: str = MASQ) -> Change:
    """Add a ConfigMap of ip-masq-agent."""

    def change(objects: Objects) -> None:
        meta = {"name": name, "namespace": "kube-system"}
        objects[name] = {"kind": "ConfigMap", "metadata": meta, "data": {"ip-masq-agent": text}}

    return change


def hub(*peerings: Json) -> Change:
    """Let the peer be readable, with its own peerings."""

    def change(objects: Objects) -> None:
        objects["hub"] = {
            "kind": "virtualNetworks", "id": f"{ARM}/virtualNetworks/hub", "name": "hub",
            "properties": {"addressSpace": {"addressPrefixes": ["10.50.0.0/16"]}, "subnets": [],
                           "virtualNetworkPeerings": list(peerings)},
        }  # fmt: skip

    return change


def back(**change: Any) -> Json:
    """Return the peer's side of the peering."""
    return {
        "name": "to-vnet",
        "properties": {
            "peeringState": "Connected", "allowVirtualNetworkAccess": True,
            "remoteVirtualNetwork": {"id": f"{ARM}/virtualNetworks/vnet"}, **change,
        },
    }  # fmt: skip
