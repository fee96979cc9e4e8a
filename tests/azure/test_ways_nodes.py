"""Node ports and host ports, asked from the network, from on premises and from the internet."""

from pathlib import Path

import pytest

from aksnav.trace.step import Outcome
from tests.azure.cluster_objects import Objects
from tests.azure.ways_in import FILTERED, POD, Way, checked, walked
from tests.unit.trace_edge.cloud import group, rule

EXTERNAL = "20.70.0.4"
ONWARD = ("node.nodeport", "k8s.service.port", "k8s.endpoint", "nat.dnat", "nat.snat", *POD)


def node_port(made: Objects) -> None:
    """A Service of type NodePort, and a subnet that lets the network in."""
    made["service"]["spec"]["type"] = "NodePort"
    made["service"]["status"] = {}
    del made["lb"], made["pip"]
    made["subnet-nsg"] = group(
        "subnet-nsg",
        rule(
            name="inside",
            sourceAddressPrefix="VirtualNetwork",
            destinationAddressPrefix="*",
            destinationPortRange="*",
            priority=200,
        ),
    )
    made["aks-nsg"] = group("aks-nsg")


def local(made: Objects) -> None:
    made["service"]["spec"].update(externalTrafficPolicy="Local")


def public_nodes(made: Objects) -> None:
    """Nodes with public addresses of their own (enableNodePublicIP), and rules for their private ones."""
    made["node-1"]["status"]["addresses"].append({"type": "ExternalIP", "address": EXTERNAL})
    made["cluster"]["properties"]["agentPoolProfiles"][0]["enableNodePublicIP"] = True
    for name in ("subnet-nsg", "aks-nsg"):
        made[name]["properties"]["securityRules"].append(
            rule(name="nodes", priority=300, destinationAddressPrefix="10.224.0.0/16", destinationPortRange="*")
        )


def closed_nodes(made: Objects) -> None:
    public_nodes(made)
    made["aks-nsg"] = group("aks-nsg")


def host_port(made: Objects) -> None:
    made["pod"]["spec"]["containers"][0]["ports"] = [{"containerPort": 8443, "hostPort": 9443}]


def gateway(made: Objects) -> None:
    """The network has a gateway to on premises."""
    made["vnet"]["properties"]["subnets"].append(
        {
            "id": f"{made['vnet']['id']}/subnets/GatewaySubnet",
            "name": "GatewaySubnet",
            "properties": {"addressPrefix": "10.225.255.0/27"},
        }
    )
    for name in ("subnet-nsg", "aks-nsg"):
        made[name]["properties"]["securityRules"].append(
            rule(
                name="premises",
                priority=310,
                sourceAddressPrefix="192.168.0.0/16",
                destinationAddressPrefix="*",
                destinationPortRange="*",
            )
        )


TO = "tcp://10.224.0.4:31443"
WAYS = [
    Way(
        name="from-the-network",
        bend=(node_port,),
        to=TO,
        source="10.224.9.9",
        steps=("start.vnet", "az.nsg", "node.nodeport", "az.route", *FILTERED, *ONWARD),
        field=".nodePort",
        value="31443",
    ),
    Way(name="from-on-premises", bend=(node_port, gateway), to=TO, source="192.168.7.7", outcome=Outcome.UNDECIDED),
    Way(
        name="from-on-premises-denied",
        bend=(node_port,),
        to=TO,
        source="192.168.7.7",
        outcome=Outcome.DROPPED,
        causes=("R06", "N16"),
    ),
    Way(
        name="from-the-internet",
        bend=(node_port,),
        to=TO,
        outcome=Outcome.DROPPED,
        steps=("start.internet", "az.route"),
    ),
    Way(
        name="public-node",
        bend=(node_port, public_nodes),
        to=f"tcp://{EXTERNAL}:31443",
        field=".destinationAddressPrefix",
        value="10.224.0.0/16",
    ),
    Way(
        name="public-node-closed",
        bend=(node_port, closed_nodes),
        to=f"tcp://{EXTERNAL}:31443",
        outcome=Outcome.DROPPED,
        causes=("N01",),
    ),
    Way(
        name="node-without-an-endpoint",
        bend=(node_port, local),
        to="tcp://10.224.0.5:31443",
        source="10.224.9.9",
        outcome=Outcome.DROPPED,
        causes=("S07",),
    ),
    Way(
        name="host-port",
        bend=(node_port, host_port),
        to="tcp://10.224.0.4:9443",
        source="10.224.9.9",
        steps=("start.vnet", "az.nsg", "az.route", *FILTERED, "node.hostport", *POD),
        field="hostPort",
        value="9443",
    ),
    Way(name="host-port-of-a-public-node", bend=(node_port, public_nodes, host_port), to=f"tcp://{EXTERNAL}:9443"),
    Way(
        name="no-such-port",
        bend=(node_port,),
        to="tcp://10.224.0.4:9443",
        source="10.224.9.9",
        outcome=Outcome.UNDECIDED,
    ),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_port_of_a_node_has_its_verdict_steps_and_deciding_field(tmp_path: Path, way: Way) -> None:
    """The capture says what becomes of the request, and which field decides."""
    checked(tmp_path, way)


def test_a_service_of_type_node_port_is_asked_at_every_node(tmp_path: Path) -> None:
    """Named by itself, it is reached over any node; alike nodes are one branch."""
    way = Way(name="named", bend=(node_port,), to="svc/shop/web:443", source="10.224.9.9")
    found = walked(tmp_path, way)
    assert found.outcome is Outcome.DELIVERED
    assert sum(branch.alike for branch in found.steps[-1].branches) == 2
