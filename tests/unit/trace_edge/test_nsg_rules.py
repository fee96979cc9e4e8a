"""One security group: a table of packets, each row with the section of the documentation that it comes from."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aksnav.model.addresses import parse_address, parse_prefix
from aksnav.model.azure.network import NetworkSecurityGroup
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.trace.azure.nsg_rules import ALLOW, DENY, INBOUND, Context, RuleDecision, evaluate
from aksnav.trace.azure.tags import Space
from aksnav.trace.packet import Packet
from tests.unit.trace_edge.world import ARM, address

SPACE = Space(prefixes=tuple(p for p in map(parse_prefix, ("10.224.0.0/12", "10.1.0.0/16")) if p is not None))


def group(*rules: dict[str, Any]) -> NetworkSecurityGroup:
    """Return a group with these rules; what a rule does not say is every value, inbound, allow."""
    listed = []
    for number, rule in enumerate(rules):
        full = {
            "priority": 100 + number, "direction": "Inbound", "access": "Allow", "protocol": "*",
            "sourcePortRange": "*", "destinationPortRange": "*",
            "sourceAddressPrefix": "*", "destinationAddressPrefix": "*", **rule,
        }  # fmt: skip
        listed.append({"name": f"r{number}", "properties": full})
    wire = {"id": f"{ARM}/networkSecurityGroups/nsg", "name": "nsg", "properties": {"securityRules": listed}}
    made = decode_wire(KINDS["networkSecurityGroups"], wire)
    assert isinstance(made, NetworkSecurityGroup)
    return made


def packet(source: str, destination: str, port: int, protocol: str = "TCP") -> Packet:
    """Return a packet; source ``internet`` is any client."""
    return Packet(source=parse_address(source), destination=address(destination), port=port, protocol=protocol)


def ask(rules: list[dict[str, Any]], what: Packet, **context: Any) -> RuleDecision:
    """Return what a group decides inbound."""
    return evaluate(group(*rules), INBOUND, what, Context(**{"space": SPACE, **context}))


PUBLIC = packet("internet", "20.50.1.7", 443)
CLIENT = packet("203.0.113.9", "20.50.1.7", 443)
UNDECIDED = ""

TABLE: list[tuple[str, list[dict[str, Any]], Packet, str]] = [
    ("3.1 defaults: DenyAllInBound", [], PUBLIC, DENY),
    ("3.1 defaults: AllowVnetInBound", [], packet("10.224.0.9", "10.224.0.4", 31000), ALLOW),
    ("3.1 defaults: a peered network is VirtualNetwork", [], packet("10.1.2.3", "10.224.0.4", 31000), ALLOW),
    ("3.1 defaults: an unpeered private source is denied", [], packet("192.168.7.7", "10.224.0.4", 31000), DENY),
    ("3.1 defaults: AllowAzureLoadBalancerInBound", [], packet("168.63.129.16", "10.224.0.4", 31000), ALLOW),
    ("3.1 AzureLoadBalancer is not the client", [{"sourceAddressPrefix": "AzureLoadBalancer"}], CLIENT, DENY),
    ("3.1 Internet holds public addresses", [{"sourceAddressPrefix": "Internet"}], CLIENT, ALLOW),
    ("3.1 Internet is every client", [{"sourceAddressPrefix": "Internet"}], PUBLIC, ALLOW),
    (
        "3.1 Internet holds no private address",
        [{"sourceAddressPrefix": "Internet"}],
        packet("192.168.7.7", "10.224.0.4", 80),
        DENY,
    ),
    ("3.1 tags without regard to case", [{"sourceAddressPrefix": "INTERNET"}], PUBLIC, ALLOW),
    (
        "3.1 plural prefixes",
        [{"sourceAddressPrefix": "", "sourceAddressPrefixes": ["198.51.100.0/24", "203.0.113.0/24"]}],
        CLIENT,
        ALLOW,
    ),
    (
        "3.1 singular and plural together",
        [{"sourceAddressPrefix": "203.0.113.9", "sourceAddressPrefixes": ["198.51.100.0/24"]}],
        CLIENT,
        ALLOW,
    ),
    ("3.1 bare address", [{"destinationAddressPrefix": "20.50.1.7"}], PUBLIC, ALLOW),
    (
        "3.1 plural ports with a range",
        [{"destinationPortRange": "", "destinationPortRanges": ["80", "440-450"]}],
        PUBLIC,
        ALLOW,
    ),
    ("3.1 port not in the range", [{"destinationPortRange": "80-90"}], PUBLIC, DENY),
    ("3.1 protocol without regard to case", [{"protocol": "TCP"}], PUBLIC, ALLOW),
    ("3.1 other protocol", [{"protocol": "Udp"}], PUBLIC, DENY),
    ("3.1 star covers SCTP", [{"protocol": "*"}], packet("203.0.113.9", "20.50.1.7", 443, "SCTP"), ALLOW),
    ("3.1 first match decides", [{"access": "Deny"}, {}], PUBLIC, DENY),
    (
        "3.1 lower number first, whatever the order",
        [{"priority": 200, "access": "Deny"}, {"priority": 150}],
        PUBLIC,
        ALLOW,
    ),
    ("3.1 the other direction is not asked", [{"direction": "Outbound"}], PUBLIC, DENY),
    ("a narrower allow does not cover any client", [{"sourceAddressPrefix": "203.0.113.0/24"}], PUBLIC, DENY),
    (
        "a narrower deny leaves any client to the next rule",
        [{"sourceAddressPrefix": "203.0.113.0/24", "access": "Deny"}, {}],
        PUBLIC,
        ALLOW,
    ),
    (
        "two halves cover any client",
        [{"sourceAddressPrefix": "", "sourceAddressPrefixes": ["0.0.0.0/1", "128.0.0.0/1"]}],
        PUBLIC,
        ALLOW,
    ),
    ("3.1 an unread tag that matters", [{"sourceAddressPrefix": "AzureCloud.westeurope"}], CLIENT, UNDECIDED),
    ("3.1 an unread tag that does not matter", [{"sourceAddressPrefix": "AzureCloud.westeurope"}, {}], CLIENT, ALLOW),
    (
        "3.1 an unread deny tag before an allow",
        [{"sourceAddressPrefix": "AzureCloud", "access": "Deny"}, {}],
        CLIENT,
        UNDECIDED,
    ),
    ("one service's tag is never every client", [{"sourceAddressPrefix": "AzureFrontDoor.Backend"}], PUBLIC, DENY),
    ("source ports below the ephemeral range", [{"sourcePortRange": "443"}], PUBLIC, DENY),
    (
        "IPv6 default route",
        [{"sourceAddressPrefix": "::/0"}],
        Packet(destination=address("2603:1020::7"), port=443),
        ALLOW,
    ),
    (
        "IPv4 default route does not cover IPv6",
        [{"sourceAddressPrefix": "0.0.0.0/0"}],
        Packet(destination=address("2603:1020::7"), port=443),
        DENY,
    ),
]


@pytest.mark.parametrize(("section", "rules", "what", "access"), TABLE, ids=[row[0] for row in TABLE])
def test_a_packet_is_decided_as_documented(
    section: str, rules: list[dict[str, Any]], what: Packet, access: str
) -> None:
    """Every row is one statement of the documentation."""
    decision = ask(rules, what)
    assert decision.access == access, section
    assert decision.considered
    assert bool(decision.unknown) == (access == UNDECIDED)


def test_an_undecided_answer_names_the_tag() -> None:
    """The tag that would have to be expanded is in the answer."""
    assert "AzureCloud" in ask([{"sourceAddressPrefix": "AzureCloud"}], CLIENT).unknown


def test_the_user_defined_default_route_makes_the_network_tag_uncertain() -> None:
    """A route for everything may widen VirtualNetwork to every address, so the default rule no longer decides."""
    decision = ask([], CLIENT, space=Space(prefixes=SPACE.prefixes, default_route=True))
    assert decision.access == UNDECIDED
    assert "VirtualNetwork" in decision.unknown


def test_an_application_security_group_as_destination_of_a_frontend_is_unknown() -> None:
    """Whether membership counts with floating IP is documented nowhere."""
    rule = {"destinationAddressPrefix": "", "destinationApplicationSecurityGroups": [{"id": f"{ARM}/asg/one"}]}
    member = frozenset({f"{ARM}/asg/one".lower()})
    assert ask([rule], PUBLIC, frontend=True, destination_groups=member).access == UNDECIDED
    assert ask([rule], PUBLIC, destination_groups=member).access == ALLOW
    assert ask([rule], PUBLIC, destination_groups=frozenset()).access == DENY
    assert ask([rule], PUBLIC, destination_groups=None).access == UNDECIDED


_PREFIXES = st.sampled_from(["*", "10.0.0.0/8", "10.224.0.0/12", "203.0.113.0/24", "20.50.1.7", "0.0.0.0/0"])
_PORTS = st.sampled_from(["*", "443", "80-90", "400-500"])
_RULES = st.lists(
    st.fixed_dictionaries(
        {
            "sourceAddressPrefix": _PREFIXES,
            "destinationAddressPrefix": _PREFIXES,
            "destinationPortRange": _PORTS,
            "protocol": st.sampled_from(["*", "Tcp", "UDP"]),
            "access": st.sampled_from(["Allow", "Deny"]),
        }
    ),
    max_size=8,
)


def naive(rules: list[dict[str, Any]], what: Packet) -> str:
    """Return the decision by text comparison of user rules, for literal prefixes only."""
    for rule in rules:
        low, _, high = str(rule["destinationPortRange"]).partition("-")
        ports = range(65536) if low == "*" else range(int(low), int(high or low) + 1)
        ends = ((rule["sourceAddressPrefix"], what.source), (rule["destinationAddressPrefix"], what.destination))
        inside = all(text == "*" or end in (parse_prefix(text) or ()) for text, end in ends)
        if inside and what.port in ports and rule["protocol"].upper() in {"*", what.protocol}:
            return str(rule["access"])
    private = what.source is not None and what.source in SPACE.prefixes[0] and what.destination in SPACE.prefixes[0]
    return ALLOW if private else DENY


@given(
    rules=_RULES,
    source=st.sampled_from(["203.0.113.9", "10.224.0.9", "198.51.100.1"]),
    target=st.sampled_from(["20.50.1.7", "10.224.0.4"]),
    port=st.sampled_from([80, 443, 450, 8080]),
    protocol=st.sampled_from(["TCP", "UDP"]),
)
def test_the_scan_agrees_with_a_naive_one(
    rules: list[dict[str, Any]], source: str, target: str, port: int, protocol: str
) -> None:
    """For literal prefixes the answer is that of the simplest possible evaluator."""
    what = packet(source, target, port, protocol)
    assert ask(rules, what).access == naive(rules, what)


@given(rules=_RULES, order=st.randoms())
def test_the_order_of_the_list_does_not_matter(rules: list[dict[str, Any]], order: Any) -> None:
    """Priorities decide, not positions."""
    numbered = [{**rule, "priority": 100 + number} for number, rule in enumerate(rules)]
    shuffled = list(numbered)
    order.shuffle(shuffled)
    assert ask(numbered, CLIENT).access == ask(shuffled, CLIENT).access
