"""Requests and answers of private clients that take different ways (R13), and what is assumed of unread ones."""

from collections.abc import Callable

import pytest

from aksnav.trace.azure import routes
from aksnav.trace.packet import Packet
from aksnav.trace.step import Step, Verdict
from tests.unit.trace_edge.cloud import bent
from tests.unit.trace_edge.world import ARM, Json, address, made, the_node

Objects = dict[str, Json]
Change = Callable[[Objects], None]
VNET = f"{ARM}/virtualNetworks/vnet"
CLIENT, FRONTEND, NVA, OTHER = "10.225.0.9", "10.224.0.40", "10.230.0.4", "10.230.0.5"


def routed(subnet: str, prefix: str, ip: str = NVA) -> Change:
    """Send a prefix to an appliance, from the subnet of the nodes or from that of the clients."""

    def change(objects: Objects) -> None:
        ident = f"{ARM}/routeTables/of-{subnet}"
        listed = objects["vnet"]["properties"]["subnets"]
        next(item for item in listed if item["name"] == subnet)["properties"]["routeTable"] = {"id": ident}
        inner = {"addressPrefix": prefix, "nextHopType": "VirtualAppliance", "nextHopIpAddress": ip}
        objects[subnet] = {
            "kind": "routeTables", "id": ident, "name": f"of-{subnet}",
            "properties": {"routes": [{"name": "through", "properties": inner}]},
        }  # fmt: skip

    return change


def back(*changes: Change, client: str = CLIENT) -> Step:
    """Return the step of the answers to a client, in a network with a subnet for clients."""

    def change(objects: Objects) -> None:
        subnet = {"id": f"{VNET}/subnets/clients", "name": "clients", "properties": {"addressPrefix": "10.225.0.0/24"}}
        objects["vnet"]["properties"]["subnets"].append(subnet)
        for one in changes:
            one(objects)

    store = made(*bent(change))
    packet = Packet(source=address(client), destination=address(FRONTEND), port=443)
    (step,) = routes.back(store, the_node(store, "node-1"), packet)
    return step


ANSWERS, REQUESTS = routed("nodes", "10.225.0.0/24"), routed("clients", "10.224.0.0/16")


def test_both_ways_direct() -> None:
    """Neither subnet has a route of its own: nothing is assumed."""
    step = back()
    assert (step.verdict, step.assumptions) == (Verdict.PASS, ())


def test_both_ways_through_one_appliance() -> None:
    """Both tables name it: it sees both directions."""
    assert back(ANSWERS, REQUESTS).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("changes", "said", "kept"),
    [
        ((ANSWERS,), f"the appliance at {NVA} never saw one", "is stateful"),
        ((REQUESTS,), "which never sees the answer", "keeps the client's address"),
        ((ANSWERS, routed("clients", "10.224.0.0/16", OTHER)), "another one", "keeps the client's address"),
    ],
)
def test_one_way_only_loses_the_connection(changes: tuple[Change, ...], said: str, kept: str) -> None:
    """R13, with the fields of both ways, and what is assumed of the appliance."""
    step = back(*changes)
    assert (step.verdict, step.cause) == (Verdict.DROP, "R13")
    assert said in step.summary
    assert any(kept in line for line in step.assumptions)
    assert any(fact.field.endswith(".nextHopIpAddress") for fact in step.evidence)
    assert step.fix


def test_a_client_whose_routes_are_not_read_is_an_assumption() -> None:
    """On premises, behind the appliance: nobody here reads how its requests come."""
    step = back(routed("nodes", "192.168.0.0/16"), client="192.168.7.7")
    assert step.verdict is Verdict.PASS
    assert any("pass the appliance at 10.230.0.4 as well" in line for line in step.assumptions)
