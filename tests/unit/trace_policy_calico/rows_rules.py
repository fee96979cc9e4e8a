"""What a rule matches of a packet and what it does then: Rule, ICMP, HTTPMatch."""

from tests.unit.trace_policy_calico.cluster import allow, both, deny, rule
from tests.unit.trace_policy_calico.row import NETPOL, Row, one

ROWS = [
    Row(
        f"{NETPOL}, Rule",
        "rules go in order: Deny before Allow",
        [*one(deny()), both("default.q", ingress=[allow()])],
        "deny",
    ),
    Row(
        f"{NETPOL}, Rule",
        "the first rule that matches decides",
        [both("default.p", ingress=[allow(source={"selector": "app == 'api'"}), deny()])],
        "allow",
    ),
    Row(
        f"{NETPOL}, Rule",
        "a rule that does not match is passed over",
        [both("default.p", ingress=[deny(source={"selector": "app == 'db'"}), allow()])],
        "allow",
    ),
    Row(
        f"{NETPOL}, Rule",
        "after Log the next rule is asked",
        [both("default.p", ingress=[rule("Log"), allow()])],
        "allow",
    ),
    Row(f"{NETPOL}, Rule", "Log alone decides nothing", [both("default.p", ingress=[rule("Log")])], "deny"),
    Row(f"{NETPOL}, Rule", "Pass in the last tier goes to the profile, which allows", one(rule("Pass")), "allow"),
    Row(
        f"{NETPOL}, Rule",
        "Pass skips the other policies of the tier",
        [both("default.a", order=1, ingress=[rule("Pass")]), both("default.b", order=2, ingress=[deny()])],
        "allow",
    ),
    Row(f"{NETPOL}, Rule", "protocol by name", one(allow(protocol="TCP")), "allow"),
    Row(f"{NETPOL}, Rule", "protocol of another name", one(allow(protocol="UDP")), "deny"),
    Row(f"{NETPOL}, Rule", "protocol by number", one(allow(protocol=6)), "allow"),
    Row(f"{NETPOL}, Rule", "protocol by another number", one(allow(protocol=17)), "deny"),
    Row(
        f"{NETPOL}, Rule", "UDP by name for a UDP packet", one(allow(protocol="UDP")), "allow", port=53, protocol="UDP"
    ),
    Row(f"{NETPOL}, Rule", "SCTP is a protocol", one(allow(protocol="SCTP")), "allow", port=9, protocol="SCTP"),
    Row(f"{NETPOL}, Rule", "notProtocol matches the others", one(allow(notProtocol="UDP")), "allow"),
    Row(f"{NETPOL}, Rule", "notProtocol does not match its own", one(allow(notProtocol="TCP")), "deny"),
    Row(f"{NETPOL}, Rule", "ipVersion 4 matches IPv4", one(allow(ipVersion=4)), "allow"),
    Row(f"{NETPOL}, Rule", "ipVersion 6 does not match IPv4", one(allow(ipVersion=6)), "deny"),
    Row(f"{NETPOL}, Rule", "an unknown action cannot be evaluated", one(rule("Drop")), "?"),
    Row(
        f"{NETPOL}, ICMP", "protocol ICMP matches a ping", one(allow(protocol="ICMP")), "allow", port=0, protocol="ICMP"
    ),
    Row(
        f"{NETPOL}, ICMP",
        "type 8 is an echo request",
        one(allow(protocol="ICMP", icmp={"type": 8})),
        "allow",
        port=0,
        protocol="ICMP",
    ),
    Row(
        f"{NETPOL}, ICMP",
        "type 0 is not",
        one(allow(protocol="ICMP", icmp={"type": 0})),
        "deny",
        port=0,
        protocol="ICMP",
    ),
    Row(
        f"{NETPOL}, ICMP",
        "type and code both hold",
        one(allow(protocol="ICMP", icmp={"type": 8, "code": 1})),
        "deny",
        port=0,
        protocol="ICMP",
    ),
    Row(
        f"{NETPOL}, ICMP",
        "notICMP excludes the ping",
        one(allow(protocol="ICMP", notICMP={"type": 8})),
        "deny",
        port=0,
        protocol="ICMP",
    ),
    Row(f"{NETPOL}, ICMP", "TCP is no ICMP", one(allow(protocol="ICMP")), "deny"),
    Row(
        f"{NETPOL}, HTTPMatch",
        "http needs application layer policy, which is not modelled",
        one(allow(http={"methods": ["GET"]})),
        "?",
    ),
    Row(
        f"{NETPOL}, HTTPMatch",
        "http does not matter where another criterion says no",
        one(allow(protocol="UDP", http={"methods": ["GET"]})),
        "deny",
    ),
]
