"""Next hops that cannot take a packet: it is lost there (R02), whichever way it goes."""

import pytest

from aksnav.store.store import Store
from aksnav.trace.azure import routes
from aksnav.trace.azure.joins import subnet_of
from aksnav.trace.packet import Packet
from aksnav.trace.step import Step, Verdict
from tests.unit.azure_routes.networks import (
    NET,
    Change,
    Objects,
    all_of,
    appliance,
    built,
    endpoint,
    gateway,
    hop,
    nic,
    nothing,
    peer,
    table,
    to,
)
from tests.unit.trace_edge.world import ARM, address

HUB = peer("hub", "10.1.0.0/16")


def neighbour(made: Objects) -> None:
    """Read another interface of the appliance's subnet, so that the absence of one says something."""
    made["other"] = nic("other-nic", "10.0.100.9", f"{NET}/subnets/nva")


def stranger(made: Objects) -> None:
    """List an interface in the appliance's subnet that is not read: it may be the one that has the address."""
    subnet = next(item for item in made["vnet"]["properties"]["subnets"] if item["name"] == "nva")
    listed = [made["other"]["id"], f"{ARM.replace('/resourceGroups/', '/resourceGroups/team-')}/networkInterfaces/x"]
    subnet["properties"]["ipConfigurations"] = [{"id": f"{ident}/ipConfigurations/c"} for ident in listed]


def balancer(made: Objects) -> None:
    """Put an internal load balancer's frontend at the appliance's address."""
    front = {"name": "f", "properties": {"privateIPAddress": "10.0.100.4"}}
    made["lb"] = {
        "kind": "loadBalancers",
        "id": f"{ARM}/loadBalancers/lb",
        "name": "lb",
        "properties": {"frontendIPConfigurations": [front]},
    }


def through(ip: str) -> Change:
    """Send everything to an appliance at an address."""
    return table(to("0.0.0.0/0", ip=ip))


ROWS: list[tuple[str, Change, str]] = [
    ("UDR an appliance that forwards", all_of(through("10.0.100.4"), appliance()), ""),
    ("UDR IP forwarding is off", all_of(through("10.0.100.4"), appliance(forwards=False)), "IP forwarding off"),
    ("OUR whether it forwards is not said", all_of(through("10.0.100.4"), appliance(forwards=None)), ""),
    ("UDR no direct connectivity: outside of the network", through("10.7.0.4"), "neither in vnet"),
    ("UDR direct connectivity over a peering", all_of(HUB, through("10.1.0.4")), ""),
    (
        "UDR a peering that is not connected is none",
        all_of(peer("hub", "10.1.0.0/16", state="Initiated"), through("10.1.0.4")),
        "neither in vnet",
    ),
    ("OUR a peer whose ranges are not said", all_of(peer("hub"), through("10.1.0.4")), ""),
    ("UDR no address", through(""), "is no address"),
    ("UDR an internal load balancer in front of appliances", all_of(through("10.0.100.4"), neighbour, balancer), ""),
    ("OUR nothing has the address", all_of(through("10.0.100.4"), neighbour), "nothing that is read has 10.0.100.4"),
    ("OUR one of its subnet is not read", all_of(through("10.0.100.4"), neighbour, stranger), ""),
    ("OUR its subnet is not read", through("10.0.100.4"), ""),
    ("UDR a gateway that is not there", table(to("0.0.0.0/0", "VirtualNetworkGateway")), "no gateway"),
    ("UDR a gateway of the network", all_of(gateway, table(to("0.0.0.0/0", "VirtualNetworkGateway"))), ""),
    (
        "PEER a peer's gateway",
        all_of(peer("hub", "10.1.0.0/16", useRemoteGateways=True), table(to("0.0.0.0/0", "VirtualNetworkGateway"))),
        "",
    ),
    ("UDR system routes have no next hop to fail", nothing, ""),
    ("PE a private endpoint has none either", endpoint("203.0.113.9"), ""),
]


def forward(store: Store) -> Step:
    """Return the step of a packet that leaves Subnet1 for a client of the internet."""
    place = subnet_of(store, address("10.0.0.4"))
    assert place is not None
    what = Packet(source=address("10.0.0.4"), destination=address("203.0.113.9"), port=443)
    return routes.forward_step(store, place[1], what, hop(store, "203.0.113.9"))


@pytest.mark.parametrize(("section", "change", "word"), ROWS, ids=[row[0] for row in ROWS])
def test_a_next_hop_that_cannot_take_it_drops_it(section: str, change: Change, word: str) -> None:
    """What is known to be unreachable drops with the reason; what is not known to be is left alone."""
    store = built(change)
    decision, step = hop(store, "203.0.113.9"), forward(store)
    assert (word in decision.broken) if word else not decision.broken, section
    assert (step.verdict, step.cause) == ((Verdict.DROP, "R02") if word else (Verdict.PASS, ""))
    assert decision.broken in step.summary


def test_a_step_names_the_route_and_what_was_not_read() -> None:
    """The deciding fields, every route that was looked at, and the assumption about the gateway."""
    step = forward(built(gateway, table(to("0.0.0.0/0"), to("198.51.100.0/24", "Internet"))))
    assert [fact.field for fact in step.evidence] == [
        ".routes[?name=='r0'].addressPrefix",
        ".routes[?name=='r0'].nextHopType",
        ".routes[?name=='r0'].nextHopIpAddress",
    ]
    assert any("r1 198.51.100.0/24" in item.rule and "does not hold" in item.why for item in step.considered)
    assert any("learned routes are not read" in line for line in step.assumptions)
