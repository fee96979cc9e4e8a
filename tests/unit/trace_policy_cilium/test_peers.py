"""Whom a rule names: the project's own table, every row with the part of Cilium's documentation that it comes from."""

from typing import Any

import pytest

from tests.unit.trace_edge.world import Json
from tests.unit.trace_policy_cilium.around import (
    API,
    API_SERVER,
    CLIENT,
    OPS,
    OTHER_CLIENT,
    arriving,
    egress,
    group,
    ingress,
    labelled,
    leaving,
    policy,
    ports,
    service,
    slices,
    tcp,
    word,
    world,
)

TARGETS = {API: "api", OPS: "ops", CLIENT: "client", OTHER_CLIENT: "other", API_SERVER: "server", "node-1": "own",
           "node-2": "node"}  # fmt: skip
EVERYBODY = set(TARGETS.values())
OUTSIDE = {"client", "other", "server"}


def to(field: str, *items: object, **more: object) -> list[Json]:
    """Return a policy with one egress rule that has one peer field."""
    return [policy(egress({field: list(items), **more}))]


OFFICE = group("office", "203.0.113.0/24", "2001:db8::/32", role="vpn", site="north")
HOME = group("home", "198.51.100.0/24", role="vpn", site="south")
DATABASE = [service("shop/db"), slices("shop/db", CLIENT, "10.244.1.5")]

TABLE: list[tuple[str, list[Json], set[str]]] = [
    # Layer 3 Policies, "Endpoints based"
    ("endpoints: labels of the own namespace", to("toEndpoints", labelled(app="api")), {"api"}),
    ("endpoints: several are alternatives", to("toEndpoints", labelled(app="x"), labelled(env="prod")), {"api"}),
    ("endpoints: key with source any", to("toEndpoints", {"matchLabels": {"any:app": "api"}}), {"api"}),
    (
        "endpoints: namespace label with source",
        to("toEndpoints", {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "ops"}}),
        {"ops"},
    ),
    (
        "endpoints: every namespace by an expression",
        to("toEndpoints", {"matchExpressions": [{"key": "io.kubernetes.pod.namespace", "operator": "Exists"}]}),
        {"api", "ops"},
    ),
    (
        "endpoints: label of the namespace, NotIn",
        to(
            "toEndpoints",
            {
                "matchExpressions": [
                    {"key": "io.cilium.k8s.namespace.labels.team", "operator": "NotIn", "values": ["a"]}
                ]
            },
        ),
        {"ops"},
    ),
    (
        "endpoints: service account of any namespace",
        to(
            "toEndpoints",
            labelled(io__cilium__k8s__policy__serviceaccount="runner", io__kubernetes__pod__namespace="shop"),
        ),
        {"api"},
    ),
    (
        "endpoints: service account that it does not have",
        to("toEndpoints", labelled(io__cilium__k8s__policy__serviceaccount="web")),
        set(),
    ),
    ("endpoints: a reserved identity", to("toEndpoints", {"matchLabels": {"reserved:remote-node": ""}}), {"node"}),
    (
        "endpoints: a reserved identity by Exists",
        to("toEndpoints", {"matchExpressions": [{"key": "reserved:world", "operator": "Exists"}]}),
        OUTSIDE,
    ),
    ("endpoints: no label names an address", to("toEndpoints", {}), {"api"}),
    # "Entities based"
    ("entities: all", to("toEntities", "all"), EVERYBODY),
    ("entities: world", to("toEntities", "world"), OUTSIDE),
    ("entities: cluster holds the API server", to("toEntities", "cluster"), {"api", "ops", "own", "node", "server"}),
    ("entities: host", to("toEntities", "host"), {"own"}),
    ("entities: remote-node", to("toEntities", "remote-node"), {"node"}),
    ("entities: kube-apiserver", to("toEntities", "kube-apiserver"), {"server"}),
    ("entities: host and remote-node", to("toEntities", "host", "remote-node"), {"own", "node"}),
    *(
        (f"entities: {name} is nobody here", to("toEntities", name), set[str]())
        for name in ("none", "init", "health", "ingress", "unmanaged")
    ),
    # "IP/CIDR based"
    ("CIDR: a prefix", to("toCIDR", "203.0.113.0/24"), {"client"}),
    ("CIDR: a single address", to("toCIDR", CLIENT), {"client"}),
    ("CIDR: all of IPv4 is the world, no Pod and no node", to("toCIDR", "0.0.0.0/0"), OUTSIDE),
    ("CIDR: never a Pod, never a node", to("toCIDR", "10.0.0.0/8"), set()),
    ("CIDR: another family", to("toCIDR", "2001:db8::/32"), set()),
    ("CIDR set: except", to("toCIDRSet", {"cidr": "0.0.0.0/0", "except": ["203.0.113.0/24"]}), {"other", "server"}),
    (
        "CIDR set: an exception is of its own element alone",
        to("toCIDRSet", {"cidr": "0.0.0.0/0", "except": ["203.0.113.0/24"]}, {"cidr": f"{CLIENT}/32"}),
        OUTSIDE,
    ),
    # "CiliumCIDRGroup"
    ("CIDR group: by name", [OFFICE, *to("toCIDRSet", {"cidrGroupRef": "office"})], {"client"}),
    (
        "CIDR group: by name, with except",
        [OFFICE, *to("toCIDRSet", {"cidrGroupRef": "office", "except": [f"{CLIENT}/32"]})],
        set(),
    ),
    (
        "CIDR group: by a label of two",
        [OFFICE, HOME, *to("toCIDRSet", {"cidrGroupSelector": {"matchLabels": {"role": "vpn"}}})],
        {"client", "other"},
    ),
    (
        "CIDR group: by an expression",
        [
            OFFICE,
            HOME,
            *to(
                "toCIDRSet",
                {"cidrGroupSelector": {"matchExpressions": [{"key": "site", "operator": "In", "values": ["south"]}]}},
            ),
        ],
        {"other"},
    ),
    ("CIDR group: one that does not exist is empty", [HOME, *to("toCIDRSet", {"cidrGroupRef": "office"})], set()),
    ("CIDR group: where the kind is not installed, none exists", to("toCIDRSet", {"cidrGroupRef": "office"}), set()),
    (
        "CIDR group: what is no CIDR in it is passed over",
        [group("office", "no-cidr", f"{CLIENT}/32"), *to("toCIDRSet", {"cidrGroupRef": "office"})],
        {"client"},
    ),
    # "Services based"
    (
        "Services: with a selector, its Pods",
        [
            service("shop/api", {"app": "api"}),
            *to("toServices", {"k8sService": {"serviceName": "api", "namespace": "shop"}}),
        ],
        {"api"},
    ),
    (
        "Services: no namespace is every one",
        [service("shop/api", {"app": "api"}), *to("toServices", {"k8sService": {"serviceName": "api"}})],
        {"api"},
    ),
    (
        "Services: of another namespace, its own Pods",
        [service("ops/api", {"app": "api"}), *to("toServices", {"k8sService": {"serviceName": "api"}})],
        set(),
    ),
    (
        "Services: by labels",
        [
            service("shop/api", {"app": "api"}, tier="back"),
            *to("toServices", {"k8sServiceSelector": {"selector": {"matchLabels": {"tier": "back"}}}}),
        ],
        {"api"},
    ),
    (
        "Services: by labels, in a namespace",
        [
            service("shop/api", {"app": "api"}, tier="back"),
            *to(
                "toServices",
                {"k8sServiceSelector": {"selector": {"matchLabels": {"tier": "back"}}, "namespace": "ops"}},
            ),
        ],
        set(),
    ),
    (
        "Services: without a selector, addresses outside, never a Pod",
        [*DATABASE, *to("toServices", {"k8sService": {"serviceName": "db", "namespace": "shop"}})],
        {"client"},
    ),
    (
        "Services: one that does not exist",
        to("toServices", {"k8sService": {"serviceName": "no", "namespace": "shop"}}),
        set(),
    ),
    (
        "Services: with ports",
        [
            service("shop/api", {"app": "api"}),
            *to("toServices", {"k8sService": {"serviceName": "api"}}, **ports(tcp(8080))),
        ],
        {"api"},
    ),
    # "Additional Label Requirements"
    ("requires: a rule of requirements alone admits nobody", to("toRequires", labelled(env="prod")), set()),
    (
        "requires: it narrows the endpoints of all rules",
        [
            policy(
                egress(
                    {
                        "toEndpoints": [
                            {"matchExpressions": [{"key": "io.kubernetes.pod.namespace", "operator": "Exists"}]}
                        ]
                    },
                    {"toRequires": [labelled(env="prod")]},
                )
            )
        ],
        {"api"},
    ),
    (
        "requires: of another policy for the Pod",
        [
            policy(egress({"toEndpoints": [labelled(app="api")]})),
            policy(egress({"toRequires": [labelled(env="test")]}), name="q"),
        ],
        set(),
    ),
    (
        "requires: of a policy for other Pods",
        [
            policy(egress({"toEndpoints": [labelled(app="api")]})),
            policy(egress({"toRequires": [labelled(env="test")]}), name="q", selector=labelled(app="api")),
        ],
        {"api"},
    ),
    # "Deny Policies", "Endpoint default policy", "Clusterwide Policies"
    (
        "deny: beats an allow of another policy",
        [policy({**egress({"toEntities": ["all"]})}), policy({"egressDeny": [{"toEntities": ["world"]}]}, name="q")],
        EVERYBODY - OUTSIDE,
    ),
    (
        "deny: a clusterwide deny beats a namespace's allow",
        [
            policy(egress({"toEntities": ["all"]})),
            policy({"egressDeny": [{"toEndpoints": [labelled(app="api")]}]}, space=""),
        ],
        EVERYBODY - {"api"},
    ),
    ("deny: alone isolates", [policy({"egressDeny": [{"toEntities": ["world"]}]})], set()),
    (
        "deny: without default deny",
        [policy({"egressDeny": [{"toEntities": ["world"]}], "enableDefaultDeny": {"egress": False}})],
        EVERYBODY - OUTSIDE,
    ),
    ("default deny: asked for without a rule", [policy({"enableDefaultDeny": {"egress": True}})], set()),
    (
        "default deny: of the other direction",
        [policy({**ingress({}), "enableDefaultDeny": {"egress": False}})],
        EVERYBODY,
    ),
    (
        "default deny: one policy that wants it is enough",
        [
            policy({**egress({"toEntities": ["world"]}), "enableDefaultDeny": {"egress": False}}),
            policy(egress({}), name="q"),
        ],
        OUTSIDE,
    ),
    ("clusterwide: an empty selector is every Pod", [policy(egress({"toEndpoints": [{}]}), space="")], {"api", "ops"}),
    (
        "clusterwide: it selects by namespace",
        [policy(egress({}), space="", selector=labelled(io__kubernetes__pod__namespace="ops"))],
        EVERYBODY,
    ),
]


@pytest.mark.parametrize(("section", "objects", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_whom_a_rule_names_follows_the_documentation(section: str, objects: list[Json], expected: set[str]) -> None:
    """Every row is one statement of Cilium's documentation, asked of seven destinations through the trace."""
    store = world(*objects)
    told = {name: word(leaving(store, target)) for target, name in TARGETS.items()}
    assert "open" not in told.values(), (section, told)
    assert {name for name, said in told.items() if said == "yes"} == expected, section


def test_ingress_reads_the_same_fields_by_their_names_from() -> None:
    """The fields of ingress rules begin with ``from``; a Pod's own node is always let in."""
    rows: list[tuple[str, object, set[str]]] = [
        ("fromEndpoints", labelled(app="api"), {API}),
        ("fromEntities", "remote-node", {"node-2"}),
        ("fromCIDR", "203.0.113.0/24", {CLIENT}),
        ("fromCIDRSet", {"cidrGroupRef": "office"}, {CLIENT}),
    ]
    for field, item, expected in rows:
        store = world(OFFICE, policy(ingress({field: [item]})))
        clients = (API, OPS, "node-1", "node-2", CLIENT)
        assert {client for client in clients if word(arriving(store, client)) == "yes"} == expected | {"node-1"}, field


def test_what_the_api_server_sends_comes_from_a_node() -> None:
    """The entity kube-apiserver may not work for ingress on AKS ("Entities based"): control traffic is tunnelled."""
    store = world(policy(ingress({"fromEntities": ["kube-apiserver"]})))
    assert "comes from a node" in arriving(store, API_SERVER).missing
    assert word(arriving(store, "node-2")) == "no"


def test_selectors_of_nodes_decide_where_cilium_took_the_policy() -> None:
    """Without enable-node-selector-labels agents refuse fromNodes; a policy that is marked as valid was not refused."""
    rule = ingress({"fromNodes": [labelled(pool="user")]})
    said: dict[str, Any] = {"conditions": [{"type": "Valid", "status": "True"}]}
    taken, open_ = world(policy(rule, **said)), world(policy(rule))
    assert word(arriving(taken, "node-2")) == "yes"
    assert word(arriving(world(policy(ingress({"fromNodes": [labelled(pool="x")]}), **said)), "node-2")) == "no"
    assert word(arriving(taken, API)) == "no"
    assert word(arriving(open_, "node-2")) == "open"
    assert "enable-node-selector-labels" in arriving(open_, "node-2").missing


OPEN: list[tuple[str, list[Json], str, str]] = [
    ("API server unknown", to("toEntities", "kube-apiserver"), CLIENT, "addresses of the API server"),
    ("no label asked", [OFFICE, *to("toCIDRSet", {"cidrGroupSelector": {}})], CLIENT, "asks for no label"),
    (
        "label left out of identities",
        to("toEndpoints", labelled(**{"pod-template-hash": "x"})),
        API,
        "pod-template-hash",
    ),
    ("label of another source", to("toEndpoints", {"matchLabels": {"container:x": "y"}}), API, "source 'container'"),
    ("authentication", to("toEntities", "all", authentication={"mode": "required"}), API, "authentication mode"),
    (
        "requirement beside an entity",
        [policy(egress({"toEntities": ["all"]}, {"toRequires": [labelled(a="b")]}))],
        API,
        "toRequires",
    ),
]


@pytest.mark.parametrize(("objects", "target", "said"), [row[1:] for row in OPEN], ids=[row[0] for row in OPEN])
def test_what_cannot_be_told_is_open_and_says_what_is_missing(objects: list[Json], target: str, said: str) -> None:
    """Neither a match nor a miss: the step names the field or the object."""
    found = leaving(world(*objects, denied=["EndpointSlice"]), target)
    assert word(found) == "open"
    assert said in found.missing


def test_groups_that_cover_an_address_with_different_labels_may_leave_it_open() -> None:
    """An address has the labels of all groups that hold it: a selector that only their union satisfies is open."""
    both = {"cidrGroupSelector": {"matchLabels": {"role": "vpn", "zone": "1"}}}
    store = world(
        group("a", "203.0.113.0/24", role="vpn"), group("b", f"{CLIENT}/32", zone="1"), *to("toCIDRSet", both)
    )
    assert word(leaving(store, CLIENT)) == "open"
    assert word(leaving(store, OTHER_CLIENT)) == "no"


def test_groups_and_services_that_cannot_be_read_leave_open_only_what_refers_to_them() -> None:
    """A rule that refers to a group is open for outside; others decide as ever."""
    refused = world(policy(egress({"toCIDRSet": [{"cidrGroupRef": "office"}]})), denied=["CiliumCIDRGroup"])
    assert "ciliumcidrgroups" in leaving(refused, CLIENT).missing
    assert word(leaving(refused, API)) == "no"
    plain = world(policy(egress({"toCIDR": ["203.0.113.0/24"]})), denied=["CiliumCIDRGroup", "Service"])
    assert word(leaving(plain, CLIENT)) == "yes"
    named = world(policy(egress({"toServices": [{"k8sService": {"serviceName": "api"}}]})), denied=["Service"])
    assert "list services" in leaving(named, API).missing


def test_an_old_cilium_takes_no_service_with_a_selector() -> None:
    """Before 1.17 toServices meant Services without a selector alone; Kubernetes 1.31 comes with an older one."""
    objects = [service("shop/api", {"app": "api"}), *to("toServices", {"k8sService": {"serviceName": "api"}})]
    old = {"kind": "Node", "metadata": {"name": "old"}, "status": {"nodeInfo": {"kubeletVersion": "v1.31.2"}}}
    assert "1.17" in leaving(world(*objects, old), API).missing
