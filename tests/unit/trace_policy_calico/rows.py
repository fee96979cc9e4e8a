"""The table: a connection, the objects that decide it, what Calico does, and the page of its reference that says so.

Pages: "Network policy" and "Global network policy" (sections Spec, Rule, ICMP, EntityRule, Selectors, Ports,
ServiceAccountMatch, ServiceMatch, HTTPMatch), "Tier", "Network set", "Global network set", "Host endpoint", "Profile",
"Staged network policy"; "Kubernetes network policy" is Calico's page on those of networking.k8s.io.
"""

from typing import NamedTuple

from tests.unit.trace_edge.world import Json
from tests.unit.trace_edge.world import policy as kubernetes
from tests.unit.trace_policy_calico.cluster import (
    API,
    CLIENT,
    DB,
    SERVED,
    WEB,
    allow,
    both,
    calico,
    deny,
    host_endpoint,
    network_set,
    rule,
    tier,
)


class Row(NamedTuple):
    """One statement of the reference."""

    page: str
    says: str
    objects: list[Json]
    want: str
    source: str = API
    target: str = WEB
    port: int = 80
    protocol: str = "TCP"


OPEN = calico("default.z-open", types=["Ingress"], ingress=[allow()])
SLICE = {
    "kind": "EndpointSlice",
    "metadata": {"name": "db-x", "namespace": "pay", "labels": {"kubernetes.io/service-name": "db"}},
    "addressType": "IPv4",
    "endpoints": [{"addresses": ["10.244.1.6"]}],
    "ports": [{"port": 80, "protocol": "TCP"}],
}


def one(given: Json, name: str = "default.p") -> list[Json]:
    """Return a global policy for the web Pods with one ingress rule."""
    return [both(name, selector="app == 'web'", ingress=[given])]


def from_(**source: object) -> list[Json]:
    """Return a global policy that allows one kind of source, and nobody else."""
    return one(allow(source=source))


def scoped(**source: object) -> list[Json]:
    """Return the same as a policy of namespace shop."""
    return [both("shop/default.p", selector="app == 'web'", ingress=[allow(source=source)])]


def to_(**destination: object) -> list[Json]:
    """Return a global policy that allows TCP to one kind of destination, and nothing else."""
    return one(allow(protocol="TCP", destination=destination))


NETPOL, GLOBAL, TIER = "Network policy", "Global network policy", "Tier"
ROWS = [
    Row("Profile", "where no policy selects a Pod, its namespace's profile allows", [], "allow"),
    Row(f"{GLOBAL}, Spec", "an absent selector is all()", [both("default.p", ingress=[])], "deny"),
    Row(f"{GLOBAL}, Spec", "a policy applies to those whom it selects alone", one(deny()), "allow", WEB, API),
    Row(f"{GLOBAL}, Spec", "an Allow is final", one(allow()), "allow"),
    Row(f"{GLOBAL}, Spec", "a Deny is final", [*one(deny()), OPEN], "deny"),
    Row(
        f"{GLOBAL}, Spec",
        "what no rule of a policy that selects the Pod matches is denied",
        from_(selector="no == 'body'"),
        "deny",
    ),
    Row(f"{GLOBAL}, Spec", "types absent, no rules: Ingress", [calico("default.p", api=SERVED)], "deny"),
    Row(
        f"{GLOBAL}, Spec",
        "types absent, no rules: not Egress",
        [calico("default.p", api=SERVED, selector="app == 'api'")],
        "allow",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "types absent, ingress rules: not Egress",
        [calico("default.p", api=SERVED, selector="app == 'api'", ingress=[allow()])],
        "allow",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "types absent, egress rules: not Ingress",
        [calico("default.p", api=SERVED, selector="app == 'web'", egress=[allow()])],
        "allow",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "types absent, egress rules: Egress",
        [calico("default.p", api=SERVED, selector="app == 'api'", egress=[deny()])],
        "deny",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "types absent, both rules: Ingress, Egress",
        [calico("default.p", api=SERVED, selector="app == 'api'", ingress=[allow()], egress=[deny()])],
        "deny",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "types of a stored object absent: its rules' direction holds in either reading",
        [calico("default.p", selector="app == 'web'", ingress=[allow()])],
        "allow",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "types of a stored object absent: the other direction is read in two ways",
        [calico("default.p", selector="app == 'api'", ingress=[allow()])],
        "?",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "types Ingress leaves egress alone",
        [both("default.p", selector="app == 'api'", ingress=[])],
        "allow",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "the lower order goes first: Deny",
        [both("default.a", order=20, ingress=[allow()]), both("default.b", order=10, ingress=[deny()])],
        "deny",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "the lower order goes first: Allow",
        [both("default.a", order=10, ingress=[allow()]), both("default.b", order=20, ingress=[deny()])],
        "allow",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "order 0 is an order",
        [both("default.b", order=0, ingress=[allow()]), both("default.a", order=1, ingress=[deny()])],
        "allow",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "orders may be broken and negative",
        [both("default.a", order=-0.5, ingress=[deny()]), both("default.b", order=-0.25, ingress=[allow()])],
        "deny",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "no order is last",
        [both("default.a", ingress=[deny()]), both("default.b", order=9999, ingress=[allow()])],
        "allow",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "of one order, the name decides",
        [both("default.a", order=1, ingress=[allow()]), both("default.b", order=1, ingress=[deny()])],
        "allow",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "of no order, the name decides",
        [both("default.b", ingress=[allow()]), both("default.a", ingress=[deny()])],
        "deny",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "namespaceSelector chooses by namespace labels",
        [both("default.p", namespaceSelector="team == 'red'", ingress=[])],
        "deny",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "namespaceSelector leaves others alone",
        [both("default.p", namespaceSelector="team == 'blue'", ingress=[])],
        "allow",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "projectcalico.org/name is a namespace's name",
        [both("default.p", namespaceSelector="projectcalico.org/name == 'shop'", ingress=[])],
        "deny",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "namespaceSelector all() selects Pods of every namespace",
        [both("default.p", namespaceSelector="all()", ingress=[])],
        "deny",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "serviceAccountSelector by name",
        [both("default.p", serviceAccountSelector="projectcalico.org/name == 'keeper'", ingress=[])],
        "deny",
        WEB,
        DB,
    ),
    Row(
        f"{GLOBAL}, Spec",
        "serviceAccountSelector by another name",
        [both("default.p", serviceAccountSelector="projectcalico.org/name == 'keeper'", ingress=[])],
        "allow",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "labels of ServiceAccounts are not read",
        [both("default.p", serviceAccountSelector="team == 'x'", ingress=[])],
        "?",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "projectcalico.org/namespace is a label of every Pod",
        [both("default.p", selector="projectcalico.org/namespace == 'shop'", ingress=[])],
        "deny",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "projectcalico.org/orchestrator is a label of every Pod",
        [both("default.p", selector="projectcalico.org/orchestrator == 'k8s'", ingress=[])],
        "deny",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "doNotTrack is for host endpoints",
        [both("default.p", selector="app == 'web'", doNotTrack=True, applyOnForward=True, ingress=[deny()])],
        "?",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "preDNAT is for host endpoints",
        [both("default.p", selector="app == 'web'", preDNAT=True, applyOnForward=True, ingress=[deny()])],
        "?",
    ),
    Row(
        f"{GLOBAL}, Spec",
        "applyOnForward changes nothing for a Pod",
        [both("default.p", selector="app == 'web'", applyOnForward=True, ingress=[allow()])],
        "allow",
    ),
    Row(
        f"{NETPOL}",
        "it applies to Pods of its namespace alone",
        [both("shop/default.p", selector="all()", ingress=[])],
        "allow",
        WEB,
        DB,
    ),
    Row(
        f"{NETPOL}",
        "it applies to Pods of its namespace",
        [both("shop/default.p", selector="all()", ingress=[])],
        "deny",
    ),
    Row(
        f"{NETPOL}, Spec",
        "selector and namespace are both conditions",
        [both("shop/default.p", selector="app == 'db'", ingress=[])],
        "allow",
        WEB,
        DB,
    ),
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
    Row(f"{NETPOL}, EntityRule", "nets match the source's address", from_(nets=["10.244.1.0/24"]), "allow"),
    Row(f"{NETPOL}, EntityRule", "nets that do not hold it", from_(nets=["10.244.2.0/24"]), "deny"),
    Row(
        f"{NETPOL}, EntityRule", "one of several nets is enough", from_(nets=["192.0.2.0/24", "10.244.1.5/32"]), "allow"
    ),
    Row(
        f"{NETPOL}, EntityRule",
        "nets match an address outside of the cluster",
        from_(nets=["203.0.113.0/24"]),
        "allow",
        CLIENT,
    ),
    Row(f"{NETPOL}, EntityRule", "nets of any client of the internet", from_(nets=["0.0.0.0/0"]), "allow", "internet"),
    Row(f"{NETPOL}, EntityRule", "nets match a node", from_(nets=["10.224.0.0/16"]), "allow", "node:node-2"),
    Row(f"{NETPOL}, EntityRule", "notNets match the others", from_(notNets=["10.244.2.0/24"]), "allow"),
    Row(f"{NETPOL}, EntityRule", "notNets do not match their own", from_(notNets=["10.244.1.0/24"]), "deny"),
    Row(
        f"{NETPOL}, EntityRule",
        "nets and notNets are both conditions",
        from_(nets=["10.244.0.0/16"], notNets=["10.244.1.5/32"]),
        "deny",
    ),
    Row(
        f"{NETPOL}, EntityRule",
        "destination nets match the Pod itself",
        one(allow(destination={"nets": ["10.244.0.5/32"]})),
        "allow",
    ),
    Row(
        f"{NETPOL}, EntityRule",
        "destination nets of another Pod",
        one(allow(destination={"nets": ["10.244.0.6/32"]})),
        "deny",
    ),
    Row(
        f"{NETPOL}, EntityRule",
        "destination selector matches the Pod itself",
        one(allow(destination={"selector": "role == 'back'"})),
        "deny",
    ),
    Row(
        f"{NETPOL}, EntityRule",
        "selector matches a Pod of any namespace in a global policy",
        from_(selector="app == 'db'"),
        "allow",
        DB,
    ),
    Row(f"{NETPOL}, EntityRule", "selector all() does not match the internet", from_(selector="all()"), "deny", CLIENT),
    Row(
        f"{NETPOL}, EntityRule",
        "selector and nets are both conditions",
        from_(selector="app == 'api'", nets=["10.244.9.0/24"]),
        "deny",
    ),
    Row(
        f"{NETPOL}, EntityRule", "selector means the policy's own namespace", scoped(selector="app == 'db'"), "deny", DB
    ),
    Row(f"{NETPOL}, EntityRule", "selector in the policy's own namespace", scoped(selector="app == 'api'"), "allow"),
    Row(
        f"{NETPOL}, EntityRule",
        "namespaceSelector widens the scope of selector",
        scoped(selector="app == 'db'", namespaceSelector="team == 'blue'"),
        "allow",
        DB,
    ),
    Row(
        f"{NETPOL}, EntityRule",
        "namespaceSelector narrows the scope of selector",
        scoped(selector="app == 'api'", namespaceSelector="team == 'blue'"),
        "deny",
    ),
    Row(
        f"{NETPOL}, EntityRule",
        "namespaceSelector alone is every Pod there",
        scoped(namespaceSelector="projectcalico.org/name == 'pay'"),
        "allow",
        DB,
    ),
    Row(
        f"{NETPOL}, EntityRule",
        "namespaceSelector all() is Pods, not the internet",
        scoped(namespaceSelector="all()"),
        "deny",
        CLIENT,
    ),
    Row(f"{NETPOL}, EntityRule", "namespaceSelector global() is no Pod", scoped(namespaceSelector="global()"), "deny"),
    Row(
        f"{NETPOL}, EntityRule",
        "notSelector alone matches the internet",
        from_(notSelector="app == 'api'"),
        "allow",
        CLIENT,
    ),
    Row(
        f"{NETPOL}, EntityRule",
        "notSelector alone does not match whom it names",
        from_(notSelector="app == 'api'"),
        "deny",
    ),
    Row(f"{NETPOL}, EntityRule", "selector with ! matches Pods alone", from_(selector="!has(nothing)"), "deny", CLIENT),
    Row(
        f"{NETPOL}, EntityRule",
        "a namespaced notSelector confines to the namespace",
        scoped(notSelector="app == 'x'"),
        "deny",
        DB,
    ),
    Row(
        f"{NETPOL}, EntityRule",
        "a namespaced notSelector matches in the namespace",
        scoped(notSelector="app == 'x'"),
        "allow",
    ),
    Row(f"{NETPOL}, EntityRule", "an invalid CIDR makes that policy undecidable", from_(nets=["10.244.1.0/33"]), "?"),
    Row(
        f"{NETPOL}, EntityRule",
        "a criterion that is not known makes the rule undecidable",
        from_(domains=["example.com"]),
        "?",
    ),
    Row(f"{NETPOL}, ServiceAccountMatch", "by name", from_(serviceAccounts={"names": ["keeper"]}), "allow", DB),
    Row(f"{NETPOL}, ServiceAccountMatch", "by another name", from_(serviceAccounts={"names": ["keeper"]}), "deny"),
    Row(
        f"{NETPOL}, ServiceAccountMatch",
        "by label projectcalico.org/name",
        from_(serviceAccounts={"selector": "projectcalico.org/name == 'default'"}),
        "allow",
    ),
    Row(
        f"{NETPOL}, ServiceAccountMatch",
        "in a namespaced policy, of its namespace alone",
        scoped(serviceAccounts={"names": ["keeper"]}),
        "deny",
        DB,
    ),
    Row(
        f"{NETPOL}, ServiceMatch",
        "a Service's endpoint and port at a destination of egress",
        [both("shop/default.p", egress=[allow(destination={"services": {"name": "db", "namespace": "pay"}})]), SLICE],
        "allow",
        WEB,
        DB,
    ),
    Row(
        f"{NETPOL}, ServiceMatch",
        "another port of the endpoint",
        [both("shop/default.p", egress=[allow(destination={"services": {"name": "db", "namespace": "pay"}})]), SLICE],
        "deny",
        WEB,
        DB,
        81,
    ),
    Row(
        f"{NETPOL}, ServiceMatch",
        "somebody who is no endpoint",
        [both("shop/default.p", egress=[allow(destination={"services": {"name": "db", "namespace": "pay"}})]), SLICE],
        "deny",
        WEB,
        API,
    ),
    Row(
        f"{NETPOL}, ServiceMatch",
        "a Service's endpoint at a source of ingress",
        [*from_(services={"name": "db", "namespace": "pay"}), SLICE],
        "allow",
        DB,
    ),
    Row(
        f"{NETPOL}, ServiceMatch",
        "without a namespace it is the policy's own",
        [*scoped(services={"name": "db"}), SLICE],
        "deny",
        DB,
    ),
    Row(f"{NETPOL}, Ports", "a number", to_(ports=[80]), "allow"),
    Row(f"{NETPOL}, Ports", "another number", to_(ports=[81]), "deny"),
    Row(f"{NETPOL}, Ports", "a range holds its first port", to_(ports=["80:90"]), "allow"),
    Row(f"{NETPOL}, Ports", "a range holds its last port", to_(ports=["80:90"]), "allow", port=90),
    Row(f"{NETPOL}, Ports", "a range ends", to_(ports=["80:90"]), "deny", port=91),
    Row(f"{NETPOL}, Ports", "a name is a container port's", to_(ports=["http"]), "allow"),
    Row(f"{NETPOL}, Ports", "a name of another port", to_(ports=["http"]), "deny", port=8080),
    Row(f"{NETPOL}, Ports", "a name of another protocol", to_(ports=["dns"]), "deny", port=53),
    Row(f"{NETPOL}, Ports", "one of several ports is enough", to_(ports=[443, "http", "1000:2000"]), "allow"),
    Row(f"{NETPOL}, Ports", "notPorts match the others", to_(notPorts=[81]), "allow"),
    Row(f"{NETPOL}, Ports", "notPorts do not match their own", to_(notPorts=["80:81"]), "deny"),
    Row(f"{NETPOL}, Ports", "ports need a protocol that has them", one(allow(destination={"ports": [80]})), "?"),
    Row(f"{NETPOL}, Ports", "a source port is not known", one(allow(protocol="TCP", source={"ports": [1234]})), "?"),
    Row(
        f"{NETPOL}, Selectors",
        "an invalid selector makes that policy undecidable",
        [both("default.p", selector="app = 'web'", ingress=[])],
        "?",
    ),
    Row(
        f"{NETPOL}, Selectors",
        "an invalid selector does not touch what is decided before",
        [
            both("default.p", order=1, ingress=[allow()]),
            both("default.q", order=2, selector="app = 'web'", ingress=[deny()]),
        ],
        "allow",
    ),
    Row(
        f"{NETPOL}, Selectors",
        "an invalid rule does not touch Pods that the policy does not select",
        [both("default.p", selector="app == 'api'", ingress=[allow(source={"selector": "app ="})])],
        "allow",
    ),
    Row(f"{NETPOL}, Selectors", "!all() selects nobody", [both("default.p", selector="!all()", ingress=[])], "allow"),
    Row(
        f"{NETPOL}, Selectors",
        "global() belongs in a rule's namespaceSelector",
        [both("default.p", selector="global()", ingress=[])],
        "?",
    ),
    Row(
        "Global network set",
        "a set's CIDR is matched by its labels in a global policy",
        [*from_(selector="kind == 'office'"), network_set("office", "203.0.113.0/24", kind="office")],
        "allow",
        CLIENT,
    ),
    Row(
        "Global network set",
        "a set of other labels",
        [*from_(selector="kind == 'office'"), network_set("home", "203.0.113.0/24", kind="home")],
        "deny",
        CLIENT,
    ),
    Row(
        "Global network set",
        "an address that the set does not hold",
        [*from_(selector="kind == 'office'"), network_set("office", "198.51.100.0/24", kind="office")],
        "deny",
        CLIENT,
    ),
    Row(
        "Global network set",
        "a namespaced policy does not see it",
        [*scoped(selector="kind == 'office'"), network_set("office", "203.0.113.0/24", kind="office")],
        "deny",
        CLIENT,
    ),
    Row(
        "Global network set",
        "a namespaced policy sees it by global()",
        [
            *scoped(selector="kind == 'office'", namespaceSelector="global()"),
            network_set("office", "203.0.113.0/24", kind="office"),
        ],
        "allow",
        CLIENT,
    ),
    Row(
        "Global network set",
        "a set may hold Pods' addresses",
        [*from_(selector="kind == 'pods'"), network_set("pods", "10.244.0.0/16", kind="pods")],
        "allow",
    ),
    Row(
        "Global network set",
        "notSelector excludes a set",
        [*from_(notSelector="kind == 'bad'"), network_set("bad", "203.0.113.0/24", kind="bad")],
        "deny",
        CLIENT,
    ),
    Row(
        "Global network set",
        "an invalid CIDR makes that set undecidable",
        [*from_(selector="kind == 'office'"), network_set("office", "203.0.113.300", kind="office")],
        "?",
        CLIENT,
    ),
    Row(
        "Network set",
        "a set of the policy's own namespace",
        [*scoped(selector="kind == 'office'"), network_set("shop/office", "203.0.113.0/24", kind="office")],
        "allow",
        CLIENT,
    ),
    Row(
        "Network set",
        "a set of another namespace",
        [*scoped(selector="kind == 'office'"), network_set("pay/office", "203.0.113.0/24", kind="office")],
        "deny",
        CLIENT,
    ),
    Row(
        "Network set",
        "a set of another namespace by namespaceSelector",
        [
            *scoped(selector="kind == 'office'", namespaceSelector="team == 'blue'"),
            network_set("pay/office", "203.0.113.0/24", kind="office"),
        ],
        "allow",
        CLIENT,
    ),
    Row(
        "Network set",
        "a global policy sees the sets of every namespace",
        [*from_(selector="kind == 'office'"), network_set("pay/office", "203.0.113.0/24", kind="office")],
        "allow",
        CLIENT,
    ),
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
