"""Packets that one security group decides: each row with the part of Azure's documentation that it comes from.

Documents: OVERVIEW "Network security groups"; HOW "How network security groups filter network traffic"; TAGS "Virtual
network service tags"; ASG "Application security groups"; AUG augmented rules in OVERVIEW; PLATFORM "Azure platform
considerations" in OVERVIEW; PEER "Create, change, or delete a virtual network peering"; LB "Floating IP" and "Health
probes" of the load balancer; AKS "Limit egress traffic"; OUR what this program says where no document decides.
"""

from typing import Any

import pytest

from aksnav.model.addresses import Prefix
from aksnav.trace.azure.nsg_rules import ALLOW, DENY, INBOUND, OUTBOUND
from aksnav.trace.azure.service_tags import AS_OF
from aksnav.trace.azure.tags import Space
from aksnav.trace.packet import Packet
from tests.unit.azure_nsg.rules import JOBS, SPACE, WEB, Rule, ask, blocks, of, packet, to
from tests.unit.trace_edge.world import address

OPEN = ""
ANY = packet("internet", "20.50.1.7", 443)
CLIENT = packet("203.0.113.9", "20.50.1.7", 443)
PEER = packet("10.1.2.3", "10.224.0.4", 31443)
STRANGER = packet("192.168.7.7", "10.224.0.4", 31443)
PROBE = packet("168.63.129.16", "10.224.0.4", 31443)
V6 = Packet(source=address("2001:4860::9"), destination=address("2603:1020::7"), port=443)
ANY_V6 = Packet(destination=address("2603:1020::7"), port=443)
OUT = packet("10.224.0.4", "203.0.113.9", 443)
OUT_V6 = Packet(source=address("fd00:10::4"), destination=address("2001:4860::9"), port=443)


def source(text: str, **more: Any) -> list[Rule]:
    """Return one rule with a source."""
    return [{"sourceAddressPrefix": text, **more}]


def target(text: str, **more: Any) -> list[Rule]:
    """Return one rule with a destination, outbound."""
    return [{"destinationAddressPrefix": text, "direction": "Outbound", **more}]


def several(side: str, *texts: str, **more: Any) -> list[Rule]:
    """Return one augmented rule, with a list of prefixes on one side."""
    return [{f"{side}AddressPrefix": "", f"{side}AddressPrefixes": list(texts), **more}]


def widened(*routed: str, straight: tuple[Prefix, ...] = (), whole: bool = False, **more: Any) -> dict[str, Any]:
    """Return a space with what user-defined routes add to it."""
    return {
        "space": Space(prefixes=SPACE.prefixes, routed=blocks(*routed), straight=straight, default_route=whole, **more)
    }


Row = tuple[str, list[Rule], Packet, str, str, dict[str, Any]]


def rows(direction: str, *listed: tuple[Any, ...]) -> list[Row]:
    """Return rows of one direction; the context may be left out."""
    return [(row[0], row[1], row[2], direction, row[3], row[4] if len(row) > 4 else {}) for row in listed]


DENIED: Rule = {"access": "Deny"}
TABLE: list[Row] = [
    *rows(
        INBOUND,
        ("OVERVIEW default 65000: a peer in", [], PEER, ALLOW),
        ("OVERVIEW default 65000: the same subnet", [], packet("10.224.0.5", "10.224.0.4", 80), ALLOW),
        ("OVERVIEW default 65000: IPv6 of the network", [], packet("fd00:10::5", "fd00:10::4", 80), ALLOW),
        ("OVERVIEW default 65000: not to a public frontend", [], packet("10.1.2.3", "20.50.1.7", 443), DENY),
        ("OVERVIEW default 65001: probes in", [], PROBE, ALLOW),
        (
            "LB health probes: over IPv6 from the link-local address",
            [],
            packet("fe80::1234:5678:9abc", "fd00:10::4", 80),
            ALLOW,
        ),
        ("OVERVIEW default 65500: clients of the internet", [], ANY, DENY),
        ("OVERVIEW default 65500: one client", [], CLIENT, DENY),
        ("OVERVIEW default 65500: an unpeered private source", [], STRANGER, DENY),
        ("OVERVIEW priority: the smaller number first", [{"priority": 300}, {"priority": 200, **DENIED}], ANY, DENY),
        ("OVERVIEW priority: the last before the defaults", [{"priority": 4096}], ANY, ALLOW),
        ("OVERVIEW priority: processing stops at the first match", [DENIED, {}], ANY, DENY),
        ("OVERVIEW direction: outbound rules are not asked", [{"direction": "Outbound"}], ANY, DENY),
        (
            "OVERVIEW protocol: TCP rule, UDP packet",
            [{"protocol": "Tcp"}],
            packet("203.0.113.9", "20.50.1.7", 53, "UDP"),
            DENY,
        ),
        (
            "OVERVIEW protocol: UDP by any spelling",
            [{"protocol": "UDP"}],
            packet("203.0.113.9", "20.50.1.7", 53, "UDP"),
            ALLOW,
        ),
        ("OVERVIEW protocol: Any holds SCTP", [{}], packet("203.0.113.9", "20.50.1.7", 36412, "SCTP"), ALLOW),
        (
            "OVERVIEW protocol: ICMP by name",
            [{"protocol": "Icmp"}],
            packet("203.0.113.9", "10.224.0.4", 0, "ICMP"),
            ALLOW,
        ),
        (
            "OVERVIEW protocol: ICMP has no ports that a rule of its own could miss",
            [{"protocol": "Icmp", "destinationPortRange": "8"}],
            packet("203.0.113.9", "10.224.0.4", 0, "ICMP"),
            ALLOW,
        ),
        ("OVERVIEW protocol: ESP by name", [{"protocol": "Esp"}], packet("203.0.113.9", "10.224.0.4", 0, "ESP"), ALLOW),
        ("OVERVIEW protocol: AH is not ESP", [{"protocol": "Esp"}], packet("203.0.113.9", "10.224.0.4", 0, "AH"), DENY),
        (
            "OVERVIEW protocol: a TCP rule takes no ICMP",
            [{"protocol": "Tcp"}],
            packet("203.0.113.9", "10.224.0.4", 0, "ICMP"),
            DENY,
        ),
        (
            "OUR ICMP and a rule for every protocol with ports",
            [{"destinationPortRange": "80"}],
            packet("203.0.113.9", "10.224.0.4", 0, "ICMP"),
            OPEN,
        ),
        ("OVERVIEW port: one", [{"destinationPortRange": "443"}], ANY, ALLOW),
        ("OVERVIEW port: a range holds its ends", [{"destinationPortRange": "443-444"}], ANY, ALLOW),
        ("OVERVIEW port: outside of a range", [{"destinationPortRange": "80-442"}], ANY, DENY),
        (
            "AUG ports: a list of ports and ranges",
            [{"destinationPortRange": "", "destinationPortRanges": ["80", "440-450"]}],
            ANY,
            ALLOW,
        ),
        (
            "AUG ports: none of a list",
            [{"destinationPortRange": "", "destinationPortRanges": ["80", "8443"]}],
            ANY,
            DENY,
        ),
        ("OVERVIEW port: source ports below those that clients use", [{"sourcePortRange": "443"}], ANY, DENY),
        ("OVERVIEW port: source ports that hold all that clients use", [{"sourcePortRange": "1024-65535"}], ANY, ALLOW),
        (
            "AUG ports: source ports that do so together",
            [{"sourcePortRange": "", "sourcePortRanges": ["1000-30000", "30001-65535"]}],
            ANY,
            ALLOW,
        ),
        ("OUR a part of the source ports", [{"sourcePortRange": "1024-30000"}], ANY, OPEN),
        ("OVERVIEW source: CIDR holds the client", source("203.0.113.0/24"), CLIENT, ALLOW),
        ("OVERVIEW source: CIDR with host bits", source("203.0.113.77/24"), CLIENT, ALLOW),
        ("OVERVIEW source: another address", source("203.0.113.8"), CLIENT, DENY),
        ("OVERVIEW source: IPv4 everything holds no IPv6", source("0.0.0.0/0"), V6, DENY),
        ("OVERVIEW source: IPv6 everything", source("::/0"), V6, ALLOW),
        ("OVERVIEW source: Any holds both families", source("*"), V6, ALLOW),
        ("AUG prefixes: a list", several("source", "198.51.100.0/24", "203.0.113.0/24"), CLIENT, ALLOW),
        ("AUG prefixes: none of a list", several("source", "198.51.100.0/24", "192.0.2.0/24"), CLIENT, DENY),
        ("AUG prefixes: destinations as a list", several("destination", "20.50.1.6", "20.50.1.7"), ANY, ALLOW),
        (
            "AUG prefixes: both fields count",
            [{"sourceAddressPrefix": "203.0.113.9", "sourceAddressPrefixes": ["198.51.100.0/24"]}],
            CLIENT,
            ALLOW,
        ),
        ("AUG prefixes: two halves are everybody", several("source", "0.0.0.0/1", "128.0.0.0/1"), ANY, ALLOW),
        ("AUG prefixes: a half is not", several("source", "0.0.0.0/1"), ANY, DENY),
        ("AUG prefixes: two halves are nobody of IPv6", several("source", "0.0.0.0/1", "128.0.0.0/1"), ANY_V6, DENY),
        ("TAGS Internet: a public client", source("Internet"), CLIENT, ALLOW),
        ("TAGS Internet: over IPv6", source("Internet"), V6, ALLOW),
        (
            "TAGS Internet: includes Azure's own public addresses",
            source("Internet"),
            packet("20.60.1.1", "20.50.1.7", 443),
            ALLOW,
        ),
        ("TAGS Internet: no private source", source("Internet"), STRANGER, DENY),
        ("TAGS Internet: not the host's address", [*source("Internet", access="Deny")], PROBE, ALLOW),
        (
            "TAGS Internet: not a public prefix that the network uses itself",
            [*source("Internet", priority=200), {"priority": 100, "sourceAddressPrefix": "VirtualNetwork", **DENIED}],
            CLIENT,
            DENY,
            {"space": Space(prefixes=blocks("203.0.113.0/24"))},
        ),
        ("TAGS VirtualNetwork: the host's address", source("VirtualNetwork", access="Deny"), PROBE, DENY),
        (
            "TAGS VirtualNetwork: the prefix of a user-defined route",
            [],
            packet("192.168.7.7", "10.224.0.4", 80),
            ALLOW,
            widened("192.168.0.0/16"),
        ),
        ("TAGS VirtualNetwork: may contain default routes", [], CLIENT, OPEN, widened(whole=True)),
        (
            "TAGS VirtualNetwork: a default route does not matter where a rule decides first",
            source("Internet"),
            CLIENT,
            ALLOW,
            widened(whole=True),
        ),
        ("TAGS VirtualNetwork: a default route of the other family", [], V6, DENY, widened(whole=True)),
        ("TAGS VirtualNetwork: a default route of its family", [], V6, OPEN, widened(default_route_v6=True)),
        (
            "TAGS VirtualNetwork: on premises behind a gateway, unread",
            [],
            STRANGER,
            OPEN,
            widened(unsure="the gateway learned it"),
        ),
        (
            "AKS a client with a route to Internet of its own is of the internet",
            source("Internet"),
            CLIENT,
            ALLOW,
            widened(straight=blocks("203.0.113.9/32"), whole=True),
        ),
        (
            "OUR such a client and VirtualNetwork",
            source("VirtualNetwork"),
            CLIENT,
            OPEN,
            widened(straight=blocks("203.0.113.9/32")),
        ),
        (
            "OUR a public prefix routed to an appliance, and Internet",
            source("Internet"),
            CLIENT,
            OPEN,
            widened("203.0.113.0/24"),
        ),
        ("TAGS AzureLoadBalancer: holds the probe", source("AzureLoadBalancer", access="Deny"), PROBE, DENY),
        ("TAGS AzureLoadBalancer: no real traffic", source("AzureLoadBalancer"), CLIENT, DENY),
        ("TAGS any letter case", source("azureLOADbalancer", access="Deny"), PROBE, DENY),
        ("TAGS classic spelling", source("AZURE_LOADBALANCER", access="Deny"), PROBE, DENY),
        ("TAGS a service's addresses are not read", source("AzureFrontDoor.Backend"), CLIENT, OPEN),
        ("TAGS a service's addresses do not matter", [*source("AzureFrontDoor.Backend"), {}], CLIENT, ALLOW),
        ("TAGS a service's addresses matter before an allow", [*source("AzureCloud", access="Deny"), {}], CLIENT, OPEN),
        ("TAGS regional form", source("AzureCloud.westeurope"), CLIENT, OPEN),
        ("TAGS AzureCloud holds no IPv6", source("AzureCloud"), V6, DENY),
        ("TAGS one service is never every client", source("AzureFrontDoor.Backend"), ANY, DENY),
        ("TAGS a service holds no private address", source("Storage"), STRANGER, DENY),
        ("OUR a tag that the table does not have", source("AzureSomethingNew"), STRANGER, OPEN),
        ("OUR no prefix and no tag", source("10.224.0.300", access="Deny"), PEER, OPEN),
        ("ASG source: a member", [{**of(WEB), **DENIED}], PEER, DENY, {"source_groups": frozenset({WEB})}),
        ("ASG source: no member", [{**of(WEB), **DENIED}], PEER, ALLOW, {"source_groups": frozenset({JOBS})}),
        ("ASG source: unread", [{**of(WEB), **DENIED}], PEER, OPEN, {"source_groups": None}),
        ("ASG destination: any of several", [to(WEB, JOBS)], CLIENT, ALLOW, {"destination_groups": frozenset({JOBS})}),
        ("ASG destination: no member", [to(WEB)], CLIENT, DENY, {"destination_groups": frozenset()}),
        (
            "ASG both ends",
            [{**of(WEB), **to(JOBS), **DENIED}],
            PEER,
            DENY,
            {"source_groups": frozenset({WEB}), "destination_groups": frozenset({JOBS})},
        ),
        (
            "ASG example: Deny-Database-All after Allow-Database-BusinessLogic",
            [{**of(WEB), **to(JOBS)}, {**to(JOBS), **DENIED}],
            PEER,
            ALLOW,
            {"source_groups": frozenset({WEB}), "destination_groups": frozenset({JOBS})},
        ),
        (
            "OUR floating IP and an application security group as destination",
            [to(WEB)],
            CLIENT,
            OPEN,
            {"destination_groups": frozenset({WEB}), "frontend": True},
        ),
        (
            "LB floating IP: the frontend's address and port match",
            [{"destinationAddressPrefix": "20.50.1.7", "destinationPortRange": "443"}],
            ANY,
            ALLOW,
            {"frontend": True},
        ),
        (
            "LB floating IP: the node's prefix does not",
            [{"destinationAddressPrefix": "10.224.0.0/16"}],
            ANY,
            DENY,
            {"frontend": True},
        ),
    ),
    *rows(
        OUTBOUND,
        ("OVERVIEW default 65000 out: within the network", [], packet("10.224.0.4", "10.1.2.3", 443), ALLOW),
        ("OVERVIEW default 65001 out: to the internet", [], OUT, ALLOW),
        ("OVERVIEW default 65001 out: over IPv6", [], OUT_V6, ALLOW),
        (
            "OVERVIEW default 65500 out: to an unpeered private address",
            [],
            packet("10.224.0.4", "192.168.7.7", 443),
            DENY,
        ),
        ("OVERVIEW out: a rule for the internet", target("Internet", access="Deny"), OUT, DENY),
        (
            "OVERVIEW out: the same rule and the network",
            target("Internet", access="Deny"),
            packet("10.224.0.4", "10.1.2.3", 443),
            ALLOW,
        ),
        ("TAGS out: an unread service, denied", target("Sql", access="Deny"), OUT, OPEN),
        ("TAGS out: an unread service, allowed before the default allows", target("Sql"), OUT, ALLOW),
        (
            "TAGS out: a service allowed, the rest denied",
            [*target("Storage.WestEurope"), *target("Internet", access="Deny")],
            OUT,
            OPEN,
        ),
        ("TAGS out: a default route may widen, and both defaults allow", [], OUT, ALLOW, widened(whole=True)),
        (
            "TAGS out: the metadata service by its tag",
            target("AzurePlatformIMDS", access="Deny"),
            packet("10.224.0.4", "169.254.169.254", 80),
            DENY,
        ),
        (
            "TAGS out: platform DNS is not the metadata service",
            target("AzurePlatformDNS", access="Deny"),
            packet("10.224.0.4", "169.254.169.254", 80),
            DENY,
        ),
        (
            "HOW out: within one subnet as well",
            target("10.224.0.0/16", access="Deny"),
            packet("10.224.0.4", "10.224.0.5", 80),
            DENY,
        ),
    ),
]
AT_LEAST = 60


def test_the_table_is_long_enough_and_names_its_sources() -> None:
    """Every row names the document that it is from, and is there once."""
    assert len(TABLE) >= AT_LEAST
    assert len({row[0] for row in TABLE}) == len(TABLE)
    assert {row[0].split()[0] for row in TABLE} <= {"OVERVIEW", "HOW", "TAGS", "ASG", "AUG", "LB", "AKS", "OUR"}


@pytest.mark.parametrize(
    ("section", "rules", "what", "direction", "access", "context"), TABLE, ids=[row[0] for row in TABLE]
)
def test_a_packet_is_decided_as_documented(
    section: str, rules: list[Rule], what: Packet, direction: str, access: str, context: dict[str, Any]
) -> None:
    """The access is that of the row; what is undecided says why; and one rule at the most is said to decide."""
    decision = ask(rules, what, direction, **context)
    assert decision.access == access, section
    assert bool(decision.unknown) == (access == OPEN)
    assert sum(item.decided for item in decision.considered) == (access != OPEN)
    assert all(item.why for item in decision.considered)


def test_an_undecided_answer_names_the_tag_and_the_age_of_the_table() -> None:
    """What would have to be read is in the answer."""
    unknown = ask(source("AzureCloud"), CLIENT).unknown
    assert "AzureCloud" in unknown
    assert AS_OF in unknown


def test_a_port_that_is_none_is_undecided() -> None:
    """A port that is none is named as it is written."""
    assert "'https'" in ask([{"destinationPortRange": "https"}], ANY).unknown
