"""Routes: the next hop of a packet, and the way back of inbound traffic."""

from collections.abc import Callable
from typing import Any

import pytest

from aksnav.store.store import Store
from aksnav.trace.azure import routes
from aksnav.trace.azure.joins import subnet_of
from aksnav.trace.packet import Packet
from aksnav.trace.step import Step, Verdict
from tests.unit.trace_edge.cloud import PUBLIC, bent
from tests.unit.trace_edge.world import ARM, Json, address, made, the_node

Objects = dict[str, Json]
APPLIANCE = {"nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.230.0.4"}


def table(*listed: dict[str, Any], **change: Any) -> Callable[[Objects], None]:
    """Give the node subnet a route table with these routes."""

    def bend(objects: Objects) -> None:
        ident = f"{ARM}/routeTables/rt"
        objects["vnet"]["properties"]["subnets"][0]["properties"]["routeTable"] = {"id": ident}
        named = [{"name": f"r{number}", "properties": route} for number, route in enumerate(listed)]
        objects["rt"] = {"kind": "routeTables", "id": ident, "name": "rt", "properties": {"routes": named, **change}}

    return bend


def peered(state: str, **change: Any) -> Callable[[Objects], None]:
    """Peer the network with 10.50.0.0/16."""

    def bend(objects: Objects) -> None:
        objects["vnet"]["properties"]["virtualNetworkPeerings"] = [
            {
                "name": "to-hub",
                "properties": {
                    "peeringState": state,
                    "allowVirtualNetworkAccess": True,
                    "remoteVirtualNetwork": {"id": f"{ARM}/virtualNetworks/hub"},
                    "remoteVirtualNetworkAddressSpace": {"addressPrefixes": ["10.50.0.0/16"]},
                    **change,
                },
            }
        ]

    return bend


def hop(store: Store, destination: str) -> routes.RouteDecision:
    """Return the next hop from the node subnet."""
    place = subnet_of(store, address("10.224.0.4"))
    assert place is not None
    return routes.next_hop(store, place[1], None if destination == "internet" else address(destination))


def nothing(_: Objects) -> None:
    """Leave the cluster as it is."""


DEFAULT = {"addressPrefix": "0.0.0.0/0", **APPLIANCE}
HALVES = ({"addressPrefix": "0.0.0.0/1", **APPLIANCE}, {"addressPrefix": "128.0.0.0/1", **APPLIANCE})
STRAIGHT = {"addressPrefix": "203.0.113.0/24", "nextHopType": "Internet"}


@pytest.mark.parametrize(
    ("section", "change", "destination", "expected"),
    [
        ("3.2.4 the network's own space", nothing, "10.224.9.9", "VnetLocal"),
        ("3.2.4 everything else is Internet", nothing, "203.0.113.9", "Internet"),
        ("3.2.4 private ranges outside of it are dropped", nothing, "192.168.1.1", "None"),
        ("3.2.4 a connected peer", peered("Connected"), "10.50.1.1", "VNetPeering"),
        ("3.2.8 a peer that is not connected", peered("Initiated"), "10.50.1.1", "None"),
        ("3.2.2 user-defined beats system", table(DEFAULT), "203.0.113.9", "VirtualAppliance"),
        ("3.2.2 user-defined for every client", table(DEFAULT), "internet", "VirtualAppliance"),
        ("3.2.1 the longest prefix first", table(DEFAULT, STRAIGHT), "203.0.113.9", "Internet"),
        ("3.2.1 the network is more specific than 0/0", table(DEFAULT), "10.224.9.9", "VnetLocal"),
        ("3.2.3 black hole", table({"addressPrefix": "203.0.113.0/24", "nextHopType": "None"}), "203.0.113.9", "None"),
        ("two halves are everything", table(*HALVES), "internet", "VirtualAppliance"),
    ],
)
def test_the_next_hop_is_selected_as_documented(
    section: str, change: Callable[[Objects], None], destination: str, expected: str
) -> None:
    """Each row is one statement of the routing documentation."""
    assert hop(made(*bent(change)), destination).hop == expected, section


def test_a_learned_route_is_unknown() -> None:
    """With a gateway behind the peering, a private destination may be on premises."""
    decision = hop(made(*bent(peered("Connected", useRemoteGateways=True))), "192.168.1.1")
    assert decision.hop == ""
    assert "gateway" in decision.unknown


def back(change: Callable[[Objects], None], source: str = "") -> Step:
    """Return the step of the way back."""
    store = made(*bent(change))
    packet = Packet(source=address(source) if source else None, destination=address(PUBLIC), port=443)
    (step,) = routes.back(store, the_node(store, "node-1"), packet)
    return step


def test_a_default_route_to_a_firewall_loses_the_answers_of_a_public_load_balancer() -> None:
    """The firewall never saw the request (R01); the mended cluster answers straight."""
    broken = back(table(DEFAULT))
    assert (broken.verdict, broken.cause) == (Verdict.DROP, "R01")
    assert any(fact.field.endswith(".nextHopType") and fact.value == "VirtualAppliance" for fact in broken.evidence)
    assert back(nothing).verdict is Verdict.PASS


def test_a_route_for_the_client_keeps_the_answer_straight() -> None:
    """A more specific route to Internet for the client's prefix is the documented fix."""
    straight = table(DEFAULT, {"addressPrefix": "203.0.113.9/32", "nextHopType": "Internet"})
    assert back(straight, "203.0.113.9").verdict is Verdict.PASS
    assert back(straight, "198.51.100.9").cause == "R01"


def test_a_black_hole_is_named() -> None:
    """A route with next hop None drops the answer (R02)."""
    step = back(table({"addressPrefix": "203.0.113.0/24", "nextHopType": "None"}), "203.0.113.9")
    assert (step.verdict, step.cause) == (Verdict.DROP, "R02")


def test_a_broken_peering_stops_a_private_client() -> None:
    """Traffic with a peer needs a connected peering (R06)."""
    broken = back(peered("Disconnected"), "10.50.0.9")
    assert (broken.verdict, broken.cause) == (Verdict.DROP, "R06")
    assert back(peered("Connected"), "10.50.0.9").verdict is Verdict.PASS


def test_a_route_table_that_cannot_be_read_is_blind() -> None:
    """The subnet refers to a table that is not there: never a pass."""

    def change(objects: Objects) -> None:
        table(DEFAULT)(objects)
        del objects["rt"]

    store = made(*bent(change), denied=["routeTables"], reason="403")
    (step,) = routes.back(store, the_node(store, "node-1"), Packet(destination=address(PUBLIC), port=443))
    assert step.verdict is Verdict.BLIND
    assert "Microsoft.Network/routeTables/read" in step.missing


def test_refused_gateway_routes_lose_answers_to_on_premises() -> None:
    """With propagation switched off, the subnet has no route to what the gateway learned (R09)."""

    def change(objects: Objects) -> None:
        table(disableBgpRoutePropagation=True)(objects)
        peered("Connected", useRemoteGateways=True)(objects)

    step = back(change, "192.168.1.1")
    assert (step.verdict, step.cause) == (Verdict.DROP, "R09")


def test_a_client_in_the_clusters_own_range_never_gets_an_answer() -> None:
    """The nodes take the address for a Pod's (R10)."""
    step = back(nothing, "10.244.99.9")
    assert (step.verdict, step.cause) == (Verdict.DROP, "R10")
    assert step.evidence[0].field == ".networkProfile.podCidr"
