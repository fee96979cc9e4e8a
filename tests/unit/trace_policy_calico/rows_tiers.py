"""Tiers, and what goes on beside the policies of Calico: Kubernetes policies and host endpoints."""

from tests.unit.trace_edge.world import policy as kubernetes
from tests.unit.trace_policy_calico.cluster import allow, both, deny, host_endpoint, network_set, rule, tier
from tests.unit.trace_policy_calico.row import TIER, Row, from_

ROWS = [
    Row(
        TIER,
        "the lower order of tiers goes first",
        [
            tier("first", 10),
            tier("default", 1000),
            both("first.p", tier="first", ingress=[deny()]),
            both("default.p", order=-1, ingress=[allow()]),
        ],
        "deny",
    ),
    Row(
        TIER,
        "a tier of no order is last",
        [
            tier("other"),
            tier("default", 1000),
            both("other.p", tier="other", ingress=[deny()]),
            both("default.p", ingress=[allow()]),
        ],
        "allow",
    ),
    Row(
        TIER,
        "Pass goes to the next tier",
        [
            tier("first", 10),
            tier("default", 1000),
            both("first.p", tier="first", ingress=[rule("Pass")]),
            both("default.p", ingress=[deny()]),
        ],
        "deny",
    ),
    Row(
        TIER,
        "Pass goes to the next tier, which allows",
        [
            tier("first", 10),
            tier("default", 1000),
            both("first.p", tier="first", ingress=[rule("Pass")]),
            both("default.p", ingress=[allow()]),
        ],
        "allow",
    ),
    Row(
        TIER,
        "Pass where no further tier has a policy for the Pod",
        [tier("first", 10), both("first.p", tier="first", ingress=[rule("Pass")])],
        "allow",
    ),
    Row(
        TIER,
        "a tier that takes no action drops",
        [
            tier("first", 10),
            both("first.p", tier="first", ingress=[deny(source={"selector": "app == 'x'"})]),
            both("default.p", ingress=[allow()]),
        ],
        "deny",
    ),
    Row(
        TIER,
        "defaultAction Pass goes on",
        [
            tier("first", 10, "Pass"),
            both("first.p", tier="first", ingress=[deny(source={"selector": "app == 'x'"})]),
            both("default.p", ingress=[allow()]),
        ],
        "allow",
    ),
    Row(
        TIER,
        "defaultAction Pass of the last tier goes to the profile",
        [tier("first", 10, "Pass"), both("first.p", tier="first", ingress=[])],
        "allow",
    ),
    Row(
        TIER,
        "defaultAction Deny is the default",
        [tier("first", 10, "Deny"), both("first.p", tier="first", ingress=[])],
        "deny",
    ),
    Row(
        TIER,
        "a tier without a policy for the Pod is passed by",
        [tier("first", 10), both("first.p", tier="first", selector="app == 'db'", ingress=[deny()])],
        "allow",
    ),
    Row(
        TIER,
        "a tier whose policy is for the other direction is passed by",
        [tier("first", 10), both("first.p", tier="first", egress=[allow()])],
        "allow",
    ),
    Row(
        TIER,
        "a tier that does not exist is asked last, whatever its name",
        [both("aaa.p", tier="aaa", ingress=[deny()]), both("default.p", ingress=[allow()])],
        "allow",
    ),
    Row(TIER, "a tier that does not exist", [both("gone.p", tier="gone", ingress=[allow()])], "?"),
    Row(TIER, "an unknown defaultAction", [tier("first", 10, "Maybe"), both("first.p", tier="first", ingress=[])], "?"),
    Row(
        TIER,
        "of tiers of one order, the name decides",
        [
            tier("a", 10),
            tier("b", 10),
            both("b.p", tier="b", ingress=[deny()]),
            both("a.p", tier="a", ingress=[allow()]),
        ],
        "allow",
    ),
    Row(
        "Kubernetes network policy",
        "it sits in tier default at order 1000: Deny before",
        [kubernetes("shop/k", ingress=[{}]), both("default.p", order=999, ingress=[deny()])],
        "deny",
    ),
    Row(
        "Kubernetes network policy",
        "it sits in tier default at order 1000: Deny behind",
        [kubernetes("shop/k", ingress=[{}]), both("default.p", order=1001, ingress=[deny()])],
        "allow",
    ),
    Row(
        "Kubernetes network policy",
        "what it does not admit goes on to the next policy",
        [kubernetes("shop/k"), both("default.p", order=1001, ingress=[allow()])],
        "allow",
    ),
    Row(
        "Kubernetes network policy",
        "what no policy of the tier admits is denied",
        [kubernetes("shop/k"), both("default.p", order=1001, ingress=[deny(source={"selector": "app == 'x'"})])],
        "deny",
    ),
    Row(
        "Kubernetes network policy",
        "of order 1000 too, the name decides: default.a before knp.default.k",
        [kubernetes("shop/k", ingress=[{}]), both("shop/default.a", order=1000, ingress=[deny()])],
        "deny",
    ),
    Row(
        "Kubernetes network policy",
        "a tier before default goes first",
        [tier("first", 10), kubernetes("shop/k", ingress=[{}]), both("first.p", tier="first", ingress=[deny()])],
        "deny",
    ),
    Row(
        "Kubernetes network policy",
        "a Pass before it leads to it",
        [tier("first", 10), kubernetes("shop/k"), both("first.p", tier="first", ingress=[rule("Pass")])],
        "deny",
    ),
    Row(
        "Kubernetes network policy",
        "it is no host endpoint's: a set does not make it admit",
        [kubernetes("shop/k"), network_set("all", "0.0.0.0/0", app="api")],
        "deny",
    ),
    Row(
        "Kubernetes network policy",
        "defaultAction Pass of tier default lets through what it does not admit",
        [tier("default", 1000, "Pass"), kubernetes("shop/k")],
        "allow",
    ),
    Row(
        "Host endpoint",
        "one of the Pod's node, with a policy for forwarded traffic",
        [
            host_endpoint("h", "node-1", "10.224.0.4", kind="host"),
            both("default.p", selector="kind == 'host'", applyOnForward=True, ingress=[deny()]),
        ],
        "?",
    ),
    Row(
        "Host endpoint",
        "one of the Pod's node, without",
        [
            host_endpoint("h", "node-1", "10.224.0.4", kind="host"),
            both("default.p", selector="kind == 'host'", ingress=[deny()]),
        ],
        "allow",
    ),
    Row(
        "Host endpoint",
        "a selector matches its expected addresses",
        [*from_(selector="kind == 'host'"), host_endpoint("h", "node-2", "10.224.0.5", kind="host")],
        "allow",
        "node:node-2",
    ),
    Row(
        "Host endpoint", "without one, a selector does not match a node", from_(selector="all()"), "deny", "node:node-2"
    ),
]
