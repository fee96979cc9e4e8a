"""What holds of every cluster: a second evaluation agrees, order of objects does not matter, groups and pairs agree."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from aksnav.store.store import Store
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.reach import talk
from aksnav.trace.policy.reach_matrix import matrix
from aksnav.trace.policy.subject import parse_subject
from aksnav.trace.policy.workloads import workload_of
from tests.unit.trace_edge.test_who_agrees import judged, place_of, said
from tests.unit.trace_edge.world import Json, made
from tests.unit.trace_policy_calico.cluster import both, steps, word
from tests.unit.trace_policy_calico.random_policies import OUTSIDE, PROBES, Labelled, Made, clusters, lets_through


def pods(found: Made) -> list[Labelled]:
    """Return the Pods of a cluster."""
    return [thing for thing in found.things if thing.pod]


def ident(thing: Labelled) -> str:
    """Return a Pod's id."""
    return thing.pod.partition(":")[0]


@settings(max_examples=150, deadline=None)
@given(clusters(), st.data())
def test_the_judge_agrees_with_a_walk_over_addresses(found: Made, data: st.DataObject) -> None:
    """For every pair, and for two addresses outside, at both ends."""
    store = made(*found.objects)
    port = data.draw(st.sampled_from(PROBES))
    for target in pods(found):
        for source in pods(found):
            if source is not target:
                packet = (source.nets[0], target.nets[0], port)
                want = lets_through(found, packet, "Egress", source) and lets_through(found, packet, "Ingress", target)
                assert word(steps(store, ident(source), ident(target), port)) == ("allow" if want else "deny")
        for outside in OUTSIDE:
            inward = lets_through(found, (outside, target.nets[0], port), "Ingress", target)
            assert word(steps(store, outside, ident(target), port)) == ("allow" if inward else "deny")
            outward = lets_through(found, (target.nets[0], outside, port), "Egress", target)
            assert word(steps(store, ident(target), outside, port)) == ("allow" if outward else "deny")


@settings(max_examples=60, deadline=None)
@given(clusters(), st.randoms(use_true_random=False))
def test_the_order_of_objects_does_not_matter(found: Made, random: Random) -> None:
    """Order, name and tier of a policy decide, and not when it was read."""
    other = list(found.objects)
    random.shuffle(other)
    one, two = made(*found.objects), made(*other)
    for source, target in ((source, target) for source in pods(found) for target in pods(found)):
        if source is not target:
            told = [
                [(step.verdict, step.summary, step.considered) for step in steps(store, ident(source), ident(target))]
                for store in (one, two)
            ]
            assert told[0] == told[1]


def _also(found: Made, *objects: Json) -> tuple[Store, Store]:
    return made(*found.objects), made(*found.objects, *objects)


@settings(max_examples=100, deadline=None)
@given(clusters())
def test_an_allow_at_the_end_denies_nothing(found: Made) -> None:
    """A last policy of tier default that allows, for Pods that policies of that tier select already, denies nothing."""
    before, after = _also(found, both("default.zz", order=1e9, ingress=[{"action": "Allow"}]))
    for target in pods(found):
        for source in (*map(ident, pods(found)), *OUTSIDE):
            if source != ident(target) and word(steps(before, source, ident(target))[-1:]) == "allow":
                assert word(steps(after, source, ident(target))[-1:]) == "allow"


@settings(max_examples=100, deadline=None)
@given(clusters())
def test_a_deny_at_the_start_allows_nothing(found: Made) -> None:
    """A first policy that denies turns no deny to allow."""
    first = both("first.a", tier="first", order=-1e9, selector="app == 'web'", ingress=[{"action": "Deny"}])
    before, after = _also(found, first)
    for target in pods(found):
        for source in (*map(ident, pods(found)), *OUTSIDE):
            if source != ident(target) and word(steps(before, source, ident(target))[-1:]) == "deny":
                assert word(steps(after, source, ident(target))[-1:]) == "deny"


@settings(max_examples=60, deadline=None)
@given(clusters())
def test_who_can_talk_agrees_with_the_judge(found: Made) -> None:
    """For every two Pods, both ways, on ports that rules name and on others."""
    store = made(*found.objects)
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


@settings(max_examples=60, deadline=None)
@given(clusters())
def test_every_row_is_borne_out_by_its_connection(found: Made) -> None:
    """Rows of addresses, nodes and the internet as well as those of Pods."""
    store = made(*found.objects)
    for subject in list(store.pods):
        for row in talk(store, parse_subject(store, f"pod/{subject.id}")).rows:
            for item in row.ports:
                if row.entry.value == "direct" and not item.declared:
                    word_ = judged(store, row.source, row.target, item.protocol, item.first)
                    assert word_ is row.allowed or any(other.declared for other in row.ports)


@settings(max_examples=40, deadline=None)
@given(clusters())
def test_the_matrix_counts_what_the_judge_lets_through(found: Made) -> None:
    """Between every two namespaces, the workload pairs of which some Pods can talk on a declared port."""
    store = made(*found.objects)
    numbers = matrix(store)
    every = list(store.pods)
    for one in numbers.namespaces:
        for other in numbers.namespaces:
            able = {
                (workload_of(source), workload_of(target))
                for source in every
                for target in every
                if source.id != target.id and (source.namespace, target.namespace) == (one, other)
                for port in target.template.ports
                if judged(store, place_of(store, source), place_of(store, target), port.protocol, port.port)
            }
            assert numbers.cells[one, other].yes == len(able)


@settings(max_examples=60, deadline=None)
@given(clusters())
def test_an_answer_from_memory_is_the_answer(found: Made) -> None:
    """A store that has answered for other Pods answers as one that is asked for the first time."""
    asked = made(*found.objects)
    for source in pods(found):
        for target in pods(found):
            if source is not target:
                fresh = made(*found.objects)
                one, two = (steps(store, ident(source), ident(target)) for store in (asked, fresh))
                assert [(step.verdict, step.summary) for step in one] == [(step.verdict, step.summary) for step in two]
