"""Groups and pairs agree: what is said of a group is what the judge says of every pair in it."""

from hypothesis import given, settings

from aksnav.model.kubernetes.workload import Pod
from aksnav.store.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Place
from aksnav.trace.policy.ask import crossing_of, word_of
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.judge import judge
from aksnav.trace.policy.label_index import numbers_in
from aksnav.trace.policy.peers import peers
from aksnav.trace.policy.quick import Quick
from aksnav.trace.policy.reach import talk
from aksnav.trace.policy.reach_matrix import matrix
from aksnav.trace.policy.reach_ports import Ports
from aksnav.trace.policy.reach_rows import Reach
from aksnav.trace.policy.subject import parse_subject
from aksnav.trace.policy.workloads import Sort, Workload, workload_of
from aksnav.trace.step import Kind, Outcome, Step, Trace, Verdict
from tests.unit.trace_edge.random_clusters import PROBES, Cluster, clusters, stores

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


def policy_steps(steps: tuple[Step, ...]) -> list[Step]:
    """Return the policy steps of a road that does not fan out."""
    return [step for step in steps if step.kind is Kind.POLICY]


def traced(answer: Trace) -> bool | None:
    """Return what a trace says of policies."""
    words = [_SAID[step.verdict] for step in policy_steps(answer.steps) if step.verdict is not Verdict.NOT_REACHED]
    return False if False in words else None if None in words else True


_OUTCOMES = {Outcome.DELIVERED: True, Outcome.DROPPED: False, Outcome.UNDECIDED: None}


@settings(max_examples=40, deadline=None)
@given(clusters(hosts=False))
def test_every_pair_is_as_the_trace_says(drawn: Cluster) -> None:
    """For every two Pods and every port: the public trace from the one to the other says what the group's row says.

    On ports that the destination declares, where nothing but policies can stop it, the outcome says it as well.
    """
    store = drawn.store()
    for subject in list(store.pods):
        rows = list(talk(store, parse_subject(store, f"pod/{subject.id}")).rows)
        for other in list(store.pods):
            if other.id == subject.id:
                continue
            alike = [pod for pod in store.pods if pod.id != subject.id and workload_of(pod) == workload_of(other)]
            for port in PROBES:
                answer = trace(store, parse_request(f"tcp://{subject.ip}:{port}", source=f"pod/{other.id}"))
                words = said(rows, Direction.INGRESS, other, subject, "TCP", port)
                assert traced(answer) in words
                assert len(words) == 1 or len(alike) > 1
                if port in {item.port for item in subject.template.ports}:
                    assert _OUTCOMES[answer.outcome] is traced(answer)


@settings(max_examples=100, deadline=None)
@given(stores(hosts=False))
def test_what_is_looked_up_is_what_the_judge_says(store: Store) -> None:
    """The answer found by sets of classes is the judge's, to the letter: verdict, policies and reason."""
    known = peers(store)
    quick = Quick(store, known)
    for part in known.parts:
        judged_pod = next(known.classes[number].examples[0] for number in numbers_in(part.bits))
        for number, item in enumerate(known.classes):
            other = next((pod for pod in item.examples if pod.id != judged_pod.id), None)
            for way in Direction:
                if other is None or not part.plain(way) or not part.policies(way):
                    continue
                here, there = place_of(store, judged_pod), place_of(store, other)
                source, target = (there, here) if way is Direction.INGRESS else (here, there)
                declared = judged_pod.template.ports if way is Direction.INGRESS else other.template.ports
                for port in PROBES:
                    found = quick.word(part.policies(way), way, number, declared, Ports("TCP", port, port))
                    asked = word_of(store, crossing_of(source, target, "TCP", port), way, judged_pod)
                    assert found is None or found == asked
