"""Groups and pairs agree: what is said of a group is what the judge says of every pair in it."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aksnav.model.kubernetes.workload import Pod
from aksnav.store.store import Store
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Place
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.judge import judge
from aksnav.trace.policy.reach import talk
from aksnav.trace.policy.reach_matrix import matrix
from aksnav.trace.policy.reach_rows import Reach
from aksnav.trace.policy.subject import parse_subject
from aksnav.trace.policy.workloads import Sort, Workload, workload_of
from aksnav.trace.step import Verdict
from tests.unit.trace_edge.world import Json, cluster, made, namespace, node, pod, policy

SPACES = ("a", "b")
APPS = ("web", "api", "job")
PROBES = (80, 81, 8080, 9000, 9100, 65535)

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


CILIUM: tuple[Json, ...] = (
    {"endpointSelector": {"matchLabels": {"app": "web"}}, "ingress": [{"fromEntities": ["host", "remote-node"]}]},
    {
        "endpointSelector": {},
        "ingress": [{"fromEndpoints": [{"matchLabels": {"app": "api"}}]}],
        "ingressDeny": [{"toPorts": [{"ports": [{"port": "9000", "endPort": 9100, "protocol": "ANY"}]}]}],
    },
    {"endpointSelector": {"matchLabels": {"app": "job"}}, "egress": [{"toCIDR": ["10.244.0.0/16"]}]},
    {"endpointSelector": {"matchLabels": {"tier": "x"}}, "egress": [{"toFQDNs": [{"matchName": "example.com"}]}]},
)


@st.composite
def stores(draw: st.DrawFn, hosts: bool = True) -> Store:
    """Draw a small cluster, with Pods on the host network if they are wanted."""
    windows = draw(st.booleans())
    objects: list[Json] = [
        namespace("a", team="red"),
        *([namespace("b")] if draw(st.booleans()) else []),
        node("node-1", "10.224.0.4"),
        node("node-2", "10.224.0.5", **({"kubernetes.io/os": "windows"} if windows else {})),
    ]
    for number in range(draw(st.integers(2, 7))):
        host = hosts and draw(st.integers(0, 5)) == 0
        where = draw(st.integers(1, 2))
        address = f"10.224.0.{where + 3}" if host else f"10.244.0.{number + 1}"
        found = pod(
            f"{draw(st.sampled_from(SPACES))}/p{number}", address, draw(labels), f"node-{where}", draw(ports),
            hostNetwork=host,
        )  # fmt: skip
        objects.append(found)
    objects += [draw(policies(number)) for number in range(draw(st.integers(0, 4)))]
    engine = draw(st.sampled_from(("azure", "cilium", "calico", "none", "")))
    if engine:
        objects.append(cluster(networkPolicy=engine))
    if engine == "cilium":
        specs = draw(st.lists(st.sampled_from(CILIUM), max_size=2))
        objects += [
            {"kind": "CiliumNetworkPolicy", "metadata": {"name": f"c{number}", "namespace": "a"}, "spec": spec}
            for number, spec in enumerate(specs)
        ]
    denied = ("NetworkPolicy",) if draw(st.integers(0, 15)) == 0 else ()
    return made(*objects, denied=denied)


_SAID = {
    Verdict.PASS: True, Verdict.SKIP: True, Verdict.DROP: False, Verdict.RESPOND: False, Verdict.BLIND: None,
    Verdict.UNSUPPORTED: None,
}  # fmt: skip


def judged(store: Store, source: Place, target: Place, protocol: str, port: int) -> bool | None:
    """Return what the judge says of one connection."""
    packet = Packet(source=source.address, destination=target.address, port=port, protocol=protocol)
    steps = judge(store, Crossing(source=source, destination=target, packet=packet))
    said = [_SAID[step.verdict] for step in steps]
    return False if False in said else None if None in said else True


def place_of(store: Store, found: Pod) -> Place:
    """Return the place of a Pod."""
    return Place.of_pod(found, store.nodes.get(found.node))


def said(
    rows: list[Reach], direction: Direction, other: Pod, subject: Pod, protocol: str, port: int
) -> set[bool | None]:
    """Return what the rows say of a Pod at the other end on a port: the rows of its workload that speak of its node."""
    workload = workload_of(other)
    where = {"", "on the same node" if other.node == subject.node else "on another node"}
    return {
        row.allowed
        for row in rows
        if row.direction is direction
        and row.peer.sort is Sort.WORKLOAD
        and (row.peer.namespace, row.peer.kind, row.peer.name) == (workload.namespace, workload.kind, workload.name)
        and row.peer.where in where
        and any(item.protocol == protocol and item.first <= port <= item.last for item in row.ports)
    }


@settings(max_examples=150, deadline=None)
@given(stores())
def test_every_pair_is_as_the_judge_says(store: Store) -> None:
    """For every two Pods, both ways, on ports that rules name and on others, the judge's word is among the group's.

    Bare Pods of one set of labels may have several addresses, which an ipBlock tells apart: then the group has a row
    for each answer, and as many Pods as there are.
    """
    for subject in list(store.pods):
        rows = list(talk(store, parse_subject(store, f"pod/{subject.id}")).rows)
        here = place_of(store, subject)
        for other in list(store.pods):
            if other.id == subject.id:
                continue
            there = place_of(store, other)
            alike = [pod for pod in store.pods if pod.id != subject.id and workload_of(pod) == workload_of(other)]
            for port in PROBES:
                for way, source, target in ((Direction.INGRESS, there, here), (Direction.EGRESS, here, there)):
                    words = said(rows, way, other, subject, "TCP", port)
                    assert judged(store, source, target, "TCP", port) in words
                    assert len(words) == 1 or len(alike) > 1


@settings(max_examples=100, deadline=None)
@given(stores())
def test_nothing_is_said_that_no_pair_bears_out(store: Store) -> None:
    """Each row of a workload is borne out by the judge, for the connection that the row offers to be traced."""
    for subject in list(store.pods):
        for row in talk(store, parse_subject(store, f"pod/{subject.id}")).rows:
            for item in row.ports:
                if not item.declared:  # a declared port stands in the wide range around it as well
                    continue
                assert judged(store, row.source, row.target, item.protocol, item.first) is row.allowed


def best(store: Store, one: Workload, other: Workload) -> bool | str | None:
    """Return the best word over every pair of Pods of two workloads and the ports of the matrix; "" for no pair."""
    words: set[bool | None] = set()
    for source in store.pods:
        for target in store.pods:
            if source.id == target.id or workload_of(source) != one or workload_of(target) != other:
                continue
            declared = [(item.protocol, item.port) for item in target.template.ports]
            every = [(protocol, port) for protocol in ("TCP", "UDP") for port in (1, *PROBES)]
            for protocol, port in declared or every:
                words.add(judged(store, place_of(store, source), place_of(store, target), protocol, port))
    return True if True in words else None if None in words else False if words else ""


@settings(max_examples=100, deadline=None)
@given(stores(hosts=False))
def test_the_matrix_counts_the_pairs_that_the_judge_lets_through(store: Store) -> None:
    """For every two namespaces: as many workload pairs as there are Pods between which some port is let through."""
    found = matrix(store)
    workloads = sorted({workload_of(item) for item in store.pods})
    for source in found.namespaces:
        for target in found.namespaces:
            words = [
                best(store, one, other)
                for one in workloads
                for other in workloads
                if (one.namespace, other.namespace) == (source, target)
            ]
            cell = found.cells[source, target]
            assert (cell.yes, cell.unknown, cell.total) == (
                words.count(True),
                words.count(None),
                len(words) - words.count(""),
            )
