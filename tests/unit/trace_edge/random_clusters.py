"""Small random clusters: Pods, NetworkPolicies of every form, Cilium's own, and a network that filters nothing."""

from typing import Any, NamedTuple

from hypothesis import strategies as st

from aksnav.store.store import Store
from tests.unit.trace_edge import cloud
from tests.unit.trace_edge.world import Json, cluster, made, namespace, node, pod, policy

SPACES = ("a", "b")
APPS = ("web", "api", "job")
_CLUSTERWIDE = 2
PROBES = (80, 81, 8080, 9000, 9100, 65535)
ENGINES = ("azure", "cilium", "calico", "none", "")

labels = st.fixed_dictionaries({}, optional={"app": st.sampled_from(APPS), "tier": st.sampled_from(("x", "y"))})
port: st.SearchStrategy[Json] = st.sampled_from(({"containerPort": 80, "name": "http"}, {"containerPort": 9000}))
ports: st.SearchStrategy[list[Json]] = st.lists(port, max_size=2)
expression = st.sampled_from(
    (
        {"key": "app", "operator": "In", "values": ["web", "api"]},
        {"key": "app", "operator": "NotIn", "values": ["web"]},
        {"key": "tier", "operator": "Exists"},
        {"key": "tier", "operator": "DoesNotExist"},
    )
)
selector = st.one_of(
    labels.map(lambda found: {"matchLabels": found}),
    st.lists(expression, max_size=1).map(lambda e: {"matchExpressions": e}),
)
spaces = st.sampled_from(
    (
        {},
        {"matchLabels": {"kubernetes.io/metadata.name": "a"}},
        {"matchLabels": {"team": "red"}},
        {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]},
    )
)
peer: st.SearchStrategy[Json] = st.one_of(
    selector.map(lambda found: {"podSelector": found}),
    st.tuples(selector, spaces).map(lambda both: {"podSelector": both[0], "namespaceSelector": both[1]}),
    st.sampled_from(
        (
            {"ipBlock": {"cidr": "10.244.0.0/30"}},
            {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.244.0.4/30", "10.224.0.5/32"]}},
        )
    ),
)
rule_port = st.sampled_from(
    (
        {"port": 80},
        {"port": "http"},
        {"port": 8080, "endPort": 9050},
        {"protocol": "UDP", "port": 80},
        {"protocol": "TCP"},
    )
)


@st.composite
def rules(draw: st.DrawFn, word: str) -> Json:
    """Draw one rule for a direction."""
    found: Json = {}
    if draw(st.booleans()):
        found[word] = draw(st.lists(peer, max_size=2))
    if draw(st.booleans()):
        found["ports"] = draw(st.lists(rule_port, min_size=1, max_size=2))
    return found


@st.composite
def policies(draw: st.DrawFn, number: int) -> Json:
    """Draw a NetworkPolicy."""
    spec: dict[str, Any] = {"podSelector": draw(selector)}
    types = draw(st.sampled_from((None, ["Ingress"], ["Egress"], ["Ingress", "Egress"])))
    if types is not None:
        spec["policyTypes"] = types
    spec["ingress"] = draw(st.lists(rules("from"), max_size=2))
    spec["egress"] = draw(st.lists(rules("to"), max_size=2))
    return policy(f"{draw(st.sampled_from(SPACES))}/p{number}", **spec)


SERVICE: Json = {
    "kind": "Service",
    "metadata": {"name": "api", "namespace": "a"},
    "spec": {"type": "ClusterIP", "clusterIP": "None", "selector": {"app": "api"}, "ports": [{"port": 80}]},
}
CILIUM: tuple[Json, ...] = (
    {"endpointSelector": {"matchLabels": {"app": "web"}}, "ingress": [{"fromEntities": ["host", "remote-node"]}]},
    {
        "endpointSelector": {},
        "ingress": [{"fromEndpoints": [{"matchLabels": {"app": "api"}}]}],
        "ingressDeny": [{"toPorts": [{"ports": [{"port": "9000", "endPort": 9100, "protocol": "ANY"}]}]}],
    },
    {"endpointSelector": {"matchLabels": {"app": "job"}}, "egress": [{"toCIDR": ["10.244.0.0/16"]}]},
    {"endpointSelector": {"matchLabels": {"tier": "x"}}, "egress": [{"toFQDNs": [{"matchName": "example.com"}]}]},
    {
        "endpointSelector": {},
        "ingress": [{"fromEndpoints": [{"matchLabels": {"k8s:io.cilium.k8s.namespace.labels.team": "red"}}]}],
        "egress": [{"toServices": [{"k8sService": {"serviceName": "api", "namespace": "a"}}]}],
    },
    {
        "endpointSelector": {"matchExpressions": [{"key": "tier", "operator": "Exists"}]},
        "ingress": [{"fromRequires": [{"matchLabels": {"app": "web"}}]}, {"fromEndpoints": [{}]}],
        "egressDeny": [
            {"toEndpoints": [{"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["api"]}]}]}
        ],
    },
    {"endpointSelector": {"matchLabels": {"app": "api"}}, "ingress": [{"fromEntities": ["nobody-knows"]}]},
)


class Cluster(NamedTuple):
    """The objects of a cluster, and the kinds that are not readable in it."""

    objects: list[Json]
    denied: tuple[str, ...]

    def store(self) -> Store:
        """Return a store that holds them."""
        return made(*self.objects, denied=self.denied)


@st.composite
def clusters(draw: st.DrawFn, hosts: bool = True, engines: tuple[str, ...] = ENGINES) -> Cluster:
    """Draw a small cluster, with Pods on the host network if they are wanted."""
    windows = draw(st.booleans())
    objects: list[Json] = [
        namespace("a", team="red"),
        *([namespace("b")] if draw(st.booleans()) else []),
        node("node-1", "10.224.0.4"),
        node("node-2", "10.224.0.5", **({"kubernetes.io/os": "windows"} if windows else {})),
        *(cloud.interface(f"node-{number}", f"10.224.0.{number + 3}") for number in (1, 2)),
        SERVICE,
        *(cloud.network(), cloud.group("subnet-nsg"), cloud.group("aks-nsg")),
    ]
    for number in range(draw(st.integers(2, 7))):
        host = hosts and draw(st.integers(0, 5)) == 0
        where = draw(st.integers(1, 2))
        address = f"10.224.0.{where + 3}" if host else f"10.244.0.{number + 1}"
        found = pod(
            f"{draw(st.sampled_from(SPACES))}/p{number}", address, draw(labels), f"node-{where}", draw(ports),
            hostNetwork=host,
        )  # fmt: skip
        found["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
        objects.append(found)
    objects += [draw(policies(number)) for number in range(draw(st.integers(0, 4)))]
    engine = draw(st.sampled_from(engines))
    named = {"networkPolicy": engine} if engine else {}
    objects.append(cluster(networkPluginMode="overlay", podCidr="10.244.0.0/16", **named))
    if engine == "cilium":
        specs = draw(st.lists(st.sampled_from(CILIUM), max_size=3))
        objects += [own_policy(number, spec) for number, spec in enumerate(specs)]
    denied = ("NetworkPolicy",) if draw(st.integers(0, 15)) == 0 else ()
    return Cluster(objects, denied)


def own_policy(number: int, spec: Json) -> Json:
    """Return a CiliumNetworkPolicy of namespace a; the third is for the whole cluster."""
    if number == _CLUSTERWIDE:
        return {"kind": "CiliumClusterwideNetworkPolicy", "metadata": {"name": f"c{number}"}, "spec": spec}
    return {"kind": "CiliumNetworkPolicy", "metadata": {"name": f"c{number}", "namespace": "a"}, "spec": spec}


def stores(hosts: bool = True) -> st.SearchStrategy[Store]:
    """Draw the store of a small cluster."""
    return clusters(hosts).map(Cluster.store)
