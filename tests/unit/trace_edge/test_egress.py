"""The way out of the cluster, for a Pod that asks an address of the internet."""

from collections.abc import Callable

import pytest

from aksnav.trace.azure import egress
from aksnav.trace.packet import Packet
from aksnav.trace.step import Kind, Step, Verdict
from tests.unit.trace_edge.cloud import bent, group, rule
from tests.unit.trace_edge.test_routes import DEFAULT, table
from tests.unit.trace_edge.world import Json, address, cluster, made, place, policy

Objects = dict[str, Json]
WAY_OUT = {"id": "/x/natgw"}


def out(change: Callable[[Objects], None], target: str = "203.0.113.9", port: int = 443) -> tuple[Step, ...]:
    """Return the steps of shop/web-1 to an address."""
    store = made(*bent(change))
    source = place(store, "shop/web-1")
    return egress.leave(store, source, Packet(source=source.address, destination=address(target), port=port))


def subnet(made: Objects) -> Json:
    found: Json = made["vnet"]["properties"]["subnets"][0]["properties"]
    return found


def with_nat_gateway(made: Objects) -> None:
    subnet(made)["natGateway"] = WAY_OUT


def without_any(made: Objects) -> None:
    subnet(made)["defaultOutboundAccess"] = False


def egress_policy(made: Objects) -> None:
    made["policy"] = policy("shop/out", policyTypes=["Egress"], egress=[{"ports": [{"port": 80}]}])


def outbound_deny(made: Objects) -> None:
    deny = rule(name="deny-out", direction="Outbound", access="Deny", destinationAddressPrefix="Internet")
    made["subnet-nsg"] = group("subnet-nsg", {**deny, "properties": {**deny["properties"], "sourceAddressPrefix": "*"}})


def black_hole(made: Objects) -> None:
    table({"addressPrefix": "203.0.113.0/24", "nextHopType": "None"})(made)


def test_with_a_nat_gateway_the_packet_goes_out_with_the_nodes_address() -> None:
    """Overlay Pods leave the cluster with the address of their node, and the NAT gateway translates that."""
    steps = out(with_nat_gateway)
    assert {step.verdict for step in steps} <= {Verdict.PASS, Verdict.SKIP}
    assert steps[-1].kind is Kind.NAT_GATEWAY
    assert steps[-1].packet.source == address("10.224.0.4")


@pytest.mark.parametrize(
    ("change", "kind", "cause"),
    [
        (egress_policy, Kind.POLICY, "P08"),
        (outbound_deny, Kind.NSG, "N17"),
        (black_hole, Kind.ROUTE, "R02"),
        (without_any, Kind.NAT_GATEWAY, "R14"),
    ],
)
def test_a_fault_on_the_way_out_stops_it(change: Callable[[Objects], None], kind: Kind, cause: str) -> None:
    """The first stretch that drops it is the last step."""
    last = out(change)[-1]
    assert (last.kind, last.verdict, last.cause) == (kind, Verdict.DROP, cause)
    assert last.evidence
    assert last.fix


def test_a_firewall_on_the_way_is_not_modelled() -> None:
    """What an appliance lets through is not read, so nothing passes there."""
    last = out(table(DEFAULT))[-1]
    assert (last.kind, last.verdict) == (Kind.FIREWALL, Verdict.UNSUPPORTED)
    assert "10.230.0.4" in last.missing


def test_platform_addresses_are_exempt_from_groups() -> None:
    """Azure's own DNS and metadata addresses are reached whatever groups say, unless they name the platform tags."""

    def change(objects: Objects) -> None:
        deny = rule(name="deny-out", direction="Outbound", access="Deny", destinationAddressPrefix="*")
        deny["properties"].update(sourceAddressPrefix="*", destinationPortRange="*")
        objects["subnet-nsg"] = group("subnet-nsg", deny)
        objects["cluster"] = cluster(networkPolicy="none", networkPluginMode="overlay", podCidr="10.244.0.0/16")

    assert not any(step.verdict is Verdict.DROP and step.kind is Kind.NSG for step in out(change, "168.63.129.16", 53))
    assert any(step.cause == "N17" for step in out(change, "203.0.113.9", 53))
