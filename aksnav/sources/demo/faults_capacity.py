"""Faults of the address plan, each with a scenario of its own only: what will run out, and ranges that meet."""

from aksnav.model.object import Ref
from aksnav.sources.demo.azure_loadbalancers import PUBLIC_LB
from aksnav.sources.demo.azure_network import MANAGED_CLUSTER, VNET, peering
from aksnav.sources.demo.fault import Expected, Fault
from aksnav.sources.demo.world import World, arm_id

SMALL_POD_CIDR = "10.244.0.0/21"  # eight blocks: six nodes have one, and an upgrade of every pool needs three
PARTNER_RANGE = "10.0.128.0/17"
_CLUSTER = Ref("managedClusters", MANAGED_CLUSTER.lower())
PORTS = 8000  # for eight nodes behind one address


def _small_pod_cidr(world: World) -> None:
    profile = world.get("managedClusters", MANAGED_CLUSTER.lower())["properties"]["networkProfile"]
    profile["podCidr"] = SMALL_POD_CIDR
    profile["podCidrs"] = [SMALL_POD_CIDR]


def _partner(world: World) -> None:
    remote = arm_id("rg-partner", "Microsoft.Network/virtualNetworks/vnet-partner")
    peerings = world.get("virtualNetworks", VNET.lower())["properties"]["virtualNetworkPeerings"]
    peerings.append(peering(VNET, remote, "to-partner", PARTNER_RANGE))


def _many_ports(world: World) -> None:
    rules = world.get("loadBalancers", PUBLIC_LB.lower())["properties"]["outboundRules"]
    rules[0]["properties"]["allocatedOutboundPorts"] = PORTS


CAPACITY = (
    Fault(
        check="C04", word="pod-cidr-small", title="an upgrade of every pool finds no blocks in the Pod CIDR",
        apply=_small_pod_cidr, alone=True,
        expected=Expected(subject=_CLUSTER, field=".networkProfile.podCidrs"),
    ),
    Fault(
        check="C06", word="outbound-ports", title="an upgrade of every pool finds no outbound ports for its nodes",
        apply=_many_ports, late=True, alone=True,
        expected=Expected(
            subject=_CLUSTER,
            field=".outboundRules[?name=='aksOutboundRule'].allocatedOutboundPorts",
        ),
    ),
    Fault(
        check="R10", word="partner-overlap", title="a peered network has addresses of the service CIDR",
        apply=_partner, alone=True,
        expected=Expected(subject=_CLUSTER, field=".networkProfile.serviceCidrs"),
    ),
)  # fmt: skip
