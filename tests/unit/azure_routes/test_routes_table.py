"""Next hops: each row with the part of Azure's documentation that it comes from.

Documents: UDR "Virtual network traffic routing" (EXAMPLE is its routing example, with the ids of its table); PEER
"Virtual network peering" and "Configure subnet peering"; PE "Manage network policies for private endpoints"; TAG
"Service Tags for user-defined routes"; BGP "How Azure selects a route" of UDR; SE "Virtual network service endpoints";
MESH "Connected group" of Azure Virtual Network Manager; OUR what this program says where no document decides.
"""

from typing import Any

import pytest

from tests.unit.azure_routes.networks import (
    Change,
    all_of,
    appliance,
    built,
    endpoint,
    gateway,
    hop,
    nothing,
    peer,
    service,
    space,
    table,
    to,
)

OPEN, LOCAL, PEERING, NVA, GATEWAY = "", "VnetLocal", "VNetPeering", "VirtualAppliance", "VirtualNetworkGateway"
INTERNET, NONE, ENDPOINT = "Internet", "None", "InterfaceEndpoint"
SPOKE = peer("vnet2", "10.1.0.0/16")
EXAMPLE = all_of(
    peer("vnet2", "10.1.0.0/16", "10.2.0.0/16"),
    gateway,
    service("Microsoft.Storage"),
    appliance(),
    table(
        to("10.0.0.0/16"),
        to("10.0.0.0/24", "VnetLocal"),
        to("10.1.0.0/16", "None"),
        to("10.2.0.0/16", "None"),
        to("10.10.0.0/16"),
        to("0.0.0.0/0"),
    ),
)
WHOLE = table(to("0.0.0.0/0"))
SUBNETS: dict[str, Any] = {"peerCompleteVnets": False, "localSubnetNames": ["subnet1"], "remoteSubnetNames": ["apps"]}
STALE: dict[str, Any] = {
    "remoteAddressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
    "remoteVirtualNetworkAddressSpace": {"addressPrefixes": ["10.1.0.0/16", "10.3.0.0/16"]},
}
# What it says, what is changed, the destination, the next hop, and a word of the reason or the assumption.
Row = tuple[str, Change, str, str, str]
TABLE: list[Row] = [
    ("UDR default: the network's own range", nothing, "10.0.9.9", LOCAL, ""),
    ("UDR default: 0.0.0.0/0", nothing, "203.0.113.9", INTERNET, ""),
    ("UDR default: any client of the internet", nothing, "internet", INTERNET, ""),
    ("UDR default: over IPv6", nothing, "internet6", INTERNET, ""),
    ("UDR default: 10.0.0.0/8", nothing, "10.9.9.9", NONE, ""),
    ("UDR default: 172.16.0.0/12", nothing, "172.20.1.1", NONE, ""),
    ("UDR default: 172.32.0.1 is public", nothing, "172.32.0.1", INTERNET, ""),
    ("UDR default: 192.168.0.0/16", nothing, "192.168.1.1", NONE, ""),
    ("UDR default: 100.64.0.0/10", nothing, "100.64.1.1", NONE, ""),
    ("UDR default: 100.128.0.1 is public", nothing, "100.128.0.1", INTERNET, ""),
    ("UDR default: a reserved range that is the network's own", space("10.0.0.0/8"), "10.9.9.9", LOCAL, ""),
    (
        "UDR default: a network that holds a reserved range",
        space("172.0.0.0/8", "10.0.0.0/16"),
        "172.20.1.1",
        LOCAL,
        "",
    ),
    ("UDR default: every range of the network", space("10.0.0.0/16", "172.20.0.0/16"), "172.20.1.1", LOCAL, ""),
    ("UDR default: a public range of the network", space("10.0.0.0/16", "203.0.113.0/24"), "203.0.113.9", LOCAL, ""),
    ("UDR default: IPv6 range of the network", space("10.0.0.0/16", "fd00:10::/48"), "fd00:10::9", LOCAL, ""),
    ("UDR default: no subnet range has a route of its own", table(to("10.0.0.0/16")), "10.0.0.9", NVA, ""),
    ("MESH a mesh would connect without a peering", nothing, "10.8.1.1", NONE, "mesh"),
    ("PEER a connected peer", SPOKE, "10.1.2.3", PEERING, ""),
    ("PEER each range of it", peer("vnet2", "10.1.0.0/16", "10.2.0.0/16"), "10.2.2.3", PEERING, ""),
    ("PEER initiated on one side only", peer("vnet2", "10.1.0.0/16", state="Initiated"), "10.1.2.3", NONE, ""),
    ("PEER disconnected", peer("vnet2", "10.1.0.0/16", state="Disconnected"), "10.1.2.3", NONE, ""),
    ("PEER not transitive: a range behind the peer", SPOKE, "10.2.2.3", NONE, ""),
    (
        "PEER access switched off leaves the route",
        peer("vnet2", "10.1.0.0/16", allowVirtualNetworkAccess=False),
        "10.1.2.3",
        PEERING,
        "",
    ),
    ("PEER a range that is not synchronized yet", peer("vnet2", **STALE), "10.3.2.3", NONE, ""),
    ("PEER what was peered before it", peer("vnet2", **STALE), "10.1.2.3", PEERING, ""),
    ("PEER subnets: of a subnet that is peered", peer("vnet2", "10.1.7.0/24", **SUBNETS), "10.1.7.3", PEERING, ""),
    ("PEER subnets: the rest of the peer", peer("vnet2", "10.1.7.0/24", **SUBNETS), "10.1.8.3", NONE, ""),
    (
        "PEER subnets: of a subnet that is not",
        peer("vnet2", "10.1.7.0/24", **{**SUBNETS, "localSubnetNames": ["subnet2"]}),
        "10.1.7.3",
        NONE,
        "",
    ),
    (
        "UDR longest prefix: /24 before /16",
        table(to("10.9.0.0/16"), to("10.9.1.0/24", "Internet")),
        "10.9.1.5",
        INTERNET,
        "",
    ),
    (
        "UDR longest prefix: outside of the /24",
        table(to("10.9.0.0/16"), to("10.9.1.0/24", "Internet")),
        "10.9.2.5",
        NVA,
        "",
    ),
    ("UDR longest prefix: the network before 0.0.0.0/0", WHOLE, "10.0.9.9", LOCAL, ""),
    ("UDR longest prefix: a peer before 0.0.0.0/0", all_of(WHOLE, SPOKE), "10.1.2.3", PEERING, ""),
    ("UDR longest prefix: a reserved range before 0.0.0.0/0", WHOLE, "192.168.1.1", NONE, ""),
    ("UDR 0.0.0.0/0 to an appliance", WHOLE, "203.0.113.9", NVA, ""),
    ("UDR 0.0.0.0/0 to an appliance, any client", WHOLE, "internet", NVA, ""),
    ("UDR 0.0.0.0/0 says nothing of IPv6", WHOLE, "internet6", INTERNET, ""),
    (
        "UDR 0.0.0.0/0 to a gateway",
        all_of(gateway, table(to("0.0.0.0/0", "VirtualNetworkGateway"))),
        "203.0.113.9",
        GATEWAY,
        "gateway learned",
    ),
    ("UDR 0.0.0.0/0 to nowhere", table(to("0.0.0.0/0", "None")), "203.0.113.9", NONE, ""),
    ("UDR 0.0.0.0/0 back to Internet", table(to("0.0.0.0/0", "Internet")), "internet", INTERNET, ""),
    ("UDR user before system on the network's own range", table(to("10.0.0.0/16")), "10.0.1.9", NVA, ""),
    ("UDR user before system on a peer's range", all_of(SPOKE, table(to("10.1.0.0/16"))), "10.1.2.3", NVA, ""),
    ("UDR user before system on a reserved range", table(to("10.0.0.0/8")), "10.9.9.9", NVA, ""),
    ("UDR black hole for one address", table(to("203.0.113.9/32", "None")), "203.0.113.9", NONE, ""),
    ("UDR black hole beside another address", table(to("203.0.113.9/32", "None")), "203.0.113.8", INTERNET, ""),
    (
        "UDR any letter case of the type",
        table(
            to("203.0.113.0/24", "VIRTUALNETWORKGATEWAY"),
        ),
        "203.0.113.9",
        GATEWAY,
        "",
    ),
    (
        "UDR a client with a route of its own",
        table(to("0.0.0.0/0"), to("203.0.113.9/32", "Internet")),
        "203.0.113.9",
        INTERNET,
        "",
    ),
    (
        "UDR any client, where some have one",
        table(to("0.0.0.0/0"), to("203.0.113.9/32", "Internet")),
        "internet",
        NVA,
        "203.0.113.9/32",
    ),
    ("UDR two halves are everything", table(to("0.0.0.0/1"), to("128.0.0.0/1")), "internet", NVA, ""),
    ("UDR one half is not", table(to("0.0.0.0/1")), "internet", INTERNET, "0.0.0.0/1"),
    ("OUR a next hop type that is not Azure's", table(to("0.0.0.0/0", "Nowhere")), "203.0.113.9", OPEN, "Nowhere"),
    ("BGP an unread route of the gateway to a private address", gateway, "192.168.1.1", OPEN, "gateway learned"),
    (
        "BGP of a peer's gateway",
        peer("hub", "10.1.0.0/16", useRemoteGateways=True),
        "192.168.1.1",
        OPEN,
        "gateway learned",
    ),
    ("BGP the network is preferred, even to a longer one", gateway, "10.0.9.9", LOCAL, ""),
    ("BGP a peer is preferred, even to a longer one", all_of(gateway, SPOKE), "10.1.2.3", PEERING, ""),
    ("BGP a learned default route comes before the system's", gateway, "203.0.113.9", INTERNET, "gateway learned"),
    (
        "BGP a learned route can be longer than the user's",
        all_of(gateway, table(to("10.0.0.0/8"))),
        "10.9.1.1",
        NVA,
        "longer than 10.0.0.0/8",
    ),
    ("BGP none is longer than one address", all_of(gateway, table(to("10.9.1.1/32"))), "10.9.1.1", NVA, ""),
    (
        "BGP propagation switched off: private",
        all_of(gateway, table(disableBgpRoutePropagation=True)),
        "192.168.1.1",
        NONE,
        "",
    ),
    (
        "BGP propagation switched off: public",
        all_of(gateway, table(disableBgpRoutePropagation=True)),
        "203.0.113.9",
        INTERNET,
        "",
    ),
    (
        "BGP user before BGP of the same prefix",
        all_of(gateway, table(to("10.10.0.0/16", "None"))),
        "10.10.0.5",
        NONE,
        "longer than 10.10.0.0/16",
    ),
    ("TAG a route for a service: unread addresses", table(to("Storage")), "203.0.113.9", OPEN, "Storage"),
    ("TAG a service has no private address", table(to("Storage")), "10.0.9.9", LOCAL, ""),
    ("TAG the same next hop either way", table(to("Storage", "Internet")), "203.0.113.9", INTERNET, ""),
    (
        "TAG regional form, and 0.0.0.0/0 elsewhere",
        table(to("AzureCloud.westeurope", "Internet"), to("0.0.0.0/0")),
        "203.0.113.9",
        OPEN,
        "AzureCloud.westeurope",
    ),
    (
        "TAG an explicit route for the address comes first",
        table(to("Storage"), to("203.0.113.9/32", "Internet")),
        "203.0.113.9",
        INTERNET,
        "",
    ),
    ("TAG any client is no service", table(to("Storage")), "internet", INTERNET, "service tag Storage"),
    (
        "SE longer than 0.0.0.0/0: unread addresses",
        all_of(WHOLE, service("Microsoft.Storage")),
        "203.0.113.9",
        NVA,
        "Microsoft.Storage",
    ),
    ("SE of another subnet", all_of(WHOLE, service()), "203.0.113.9", NVA, ""),
    ("SE that failed", all_of(WHOLE, service("Microsoft.Sql", state="Failed")), "203.0.113.9", NVA, ""),
    ("SE no private address", all_of(WHOLE, service("Microsoft.Storage")), "10.0.9.9", LOCAL, ""),
    ("PE the endpoint's own address", endpoint("10.0.1.9"), "10.0.1.9", ENDPOINT, ""),
    ("PE another address of its subnet", endpoint("10.0.1.9"), "10.0.1.8", LOCAL, ""),
    ("PE in a peered network", all_of(SPOKE, endpoint("10.1.1.9", network="vnet2")), "10.1.1.9", ENDPOINT, ""),
    ("PE in a network that is not peered", endpoint("10.1.1.9", network="vnet2"), "10.1.1.9", NONE, ""),
    (
        "PE longer than the user's route",
        all_of(endpoint("10.0.1.9"), table(to("10.0.0.0/16"))),
        "10.0.1.9",
        ENDPOINT,
        "",
    ),
    (
        "PE policies on: the network's prefix overrides",
        all_of(endpoint("10.0.1.9", "Enabled"), table(to("10.0.0.0/16"))),
        "10.0.1.9",
        NVA,
        "",
    ),
    (
        "PE policies on: a longer prefix overrides",
        all_of(endpoint("10.0.1.9", "RouteTableEnabled"), table(to("10.0.1.0/24"))),
        "10.0.1.9",
        NVA,
        "",
    ),
    (
        "PE policies on: 0.0.0.0/0 does not override",
        all_of(endpoint("10.0.1.9", "Enabled"), WHOLE),
        "10.0.1.9",
        ENDPOINT,
        "",
    ),
    (
        "PE policies for groups only",
        all_of(endpoint("10.0.1.9", "NetworkSecurityGroupEnabled"), table(to("10.0.0.0/16"))),
        "10.0.1.9",
        ENDPOINT,
        "",
    ),
    ("PE a route for the one address", all_of(endpoint("10.0.1.9"), table(to("10.0.1.9/32"))), "10.0.1.9", NVA, ""),
    ("EXAMPLE 2 within the network", EXAMPLE, "10.0.1.5", NVA, ""),
    ("EXAMPLE 3 within Subnet1", EXAMPLE, "10.0.0.5", LOCAL, ""),
    ("EXAMPLE 6 dropped: first range of the other network", EXAMPLE, "10.1.0.5", NONE, ""),
    ("EXAMPLE 7 dropped: second range", EXAMPLE, "10.2.0.5", NONE, ""),
    ("EXAMPLE 9 on premises", EXAMPLE, "10.10.0.5", NVA, "longer than 10.10.0.0/16"),
    ("EXAMPLE 10, 12 everything but storage", EXAMPLE, "203.0.113.9", NVA, "Microsoft.Storage"),
]
AT_LEAST = 60


def test_the_table_is_long_enough_and_names_its_sources() -> None:
    """Every row names the document that it is from, and is there once."""
    assert len(TABLE) >= AT_LEAST
    assert len({row[0] for row in TABLE}) == len(TABLE)
    assert {row[0].split()[0] for row in TABLE} <= {"UDR", "EXAMPLE", "PEER", "PE", "TAG", "BGP", "SE", "MESH", "OUR"}


@pytest.mark.parametrize(("section", "change", "destination", "expected", "word"), TABLE, ids=[row[0] for row in TABLE])
def test_the_next_hop_is_selected_as_documented(
    section: str, change: Change, destination: str, expected: str, word: str
) -> None:
    """The hop is that of the row; what is open or assumed names why, and the deciding route is marked, once."""
    decision = hop(built(change), destination)
    assert decision.hop == expected, section
    assert bool(decision.unknown) == (expected == OPEN)
    assert word in "; ".join((decision.unknown, *decision.assumed)), section
    assert sum(item.decided for item in decision.considered) == 1
    assert all(item.why for item in decision.considered)


@pytest.mark.parametrize(
    ("destination", "expected", "assumed"),
    [
        ("10.0.0.5", LOCAL, False),
        ("10.1.0.5", PEERING, False),
        ("10.2.0.5", PEERING, False),
        ("203.0.113.9", INTERNET, True),
        ("10.10.0.5", OPEN, False),
    ],
)
def test_the_other_subnet_of_the_example_keeps_the_system_routes(
    destination: str, expected: str, assumed: bool
) -> None:
    """Subnet2 has no route table: its routes are the system's, and those of the gateway, which are not read."""
    decision = hop(built(EXAMPLE), destination, "10.0.1.4")
    assert (decision.hop, bool(decision.assumed)) == (expected, assumed)
