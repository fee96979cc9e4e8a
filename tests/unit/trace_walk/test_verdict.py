"""What a tree of steps adds up to, on trees of every shape."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from aksnav.model.object import Ref
from aksnav.trace.journey import cut
from aksnav.trace.packet import Packet
from aksnav.trace.request import Request
from aksnav.trace.step import (
    ENDS,
    UNKNOWN,
    Backend,
    Branch,
    Certainty,
    Destination,
    Evidence,
    Kind,
    Outcome,
    Step,
    Verdict,
)
from aksnav.trace.verdict import add_up

REQUEST = Request(text="tcp://x:1", host="x", port=1)
POD = Ref("Pod", "shop/web-1")


def step(verdict: Verdict, kind: Kind = Kind.POLICY, **fields: object) -> Step:
    return msgspec.structs.replace(Step(kind=kind, verdict=verdict, summary=f"{kind} {verdict}"), **fields)


PASS = step(Verdict.PASS)
BLIND = step(Verdict.BLIND, missing="list networkpolicies")
DROP = step(Verdict.DROP, cause="P01")
REFUSE = step(Verdict.REJECT, Kind.ENDPOINT, cause="S01")
NO_NAME = step(Verdict.REJECT, Kind.DNS_RESOLVE, cause="D07")
ANSWER = step(Verdict.RESPOND, Kind.CONTROLLER_POD, status=504)
NOT_FOUND = step(Verdict.RESPOND, Kind.ROUTE_MATCH, status=404, cause="I04")
DELIVER = step(
    Verdict.PASS,
    Kind.DELIVER,
    subject=POD,
    packet=Packet(port=8080),
    evidence=(Evidence(".status.podIP", "10.0.0.1", POD),),
)


def fan(*roads: tuple[Step, ...], weights: tuple[float | None, ...] = ()) -> Step:
    given = weights or (None,) * len(roads)
    branches = tuple(Branch(f"b{i}", road, given[i]) for i, road in enumerate(roads))
    return step(Verdict.FANOUT, Kind.ENDPOINT, branches=branches)


def outcome(*road: Step) -> Outcome:
    return add_up(REQUEST, road).outcome


def test_a_road_without_obstacle_is_delivered_and_proven() -> None:
    """Every step passes, and the last one delivers."""
    answer = add_up(REQUEST, (PASS, DELIVER))
    assert answer.outcome is Outcome.DELIVERED
    assert answer.confidence.certainty is Certainty.PROVEN
    assert answer.destinations == (Destination("shop", "web-1", "10.0.0.1", 8080),)


def test_each_end_has_its_outcome() -> None:
    """Silence is dropped, a refusal refused, no name unresolved, a status responds."""
    assert outcome(PASS, DROP) is Outcome.DROPPED
    assert outcome(REFUSE) is Outcome.REFUSED
    assert outcome(NO_NAME) is Outcome.UNRESOLVED
    answer = add_up(REQUEST, (NOT_FOUND,))
    assert (answer.outcome, answer.status, answer.causes) == (Outcome.RESPONDS, 404, ("I04",))


def test_a_proxy_answers_for_its_backend() -> None:
    """A cut behind a proxy is told as the proxy's status; the break is the cut, not the answer."""
    answer = add_up(REQUEST, (PASS, DROP, ANSWER))
    assert (answer.outcome, answer.status) == (Outcome.RESPONDS, 504)
    assert answer.breaks == (DROP,)


def test_a_road_that_ends_nowhere_is_undecided() -> None:
    """Without a step that delivers or ends, nobody knows."""
    assert outcome() is Outcome.UNDECIDED
    assert outcome(PASS) is Outcome.UNDECIDED
    assert outcome(fan()) is Outcome.UNDECIDED


def test_a_blind_step_takes_the_delivery_but_not_a_certain_end() -> None:
    """Behind a blind step nothing is delivered; a drop is a drop, and the confidence names what is blind."""
    answer = add_up(REQUEST, (BLIND, DELIVER))
    assert answer.outcome is Outcome.UNDECIDED
    assert answer.destinations == ()
    answer = add_up(REQUEST, (BLIND, DROP))
    assert answer.outcome is Outcome.DROPPED
    assert answer.confidence.certainty is Certainty.PARTIAL
    assert answer.confidence.because == ("k8s.policy: list networkpolicies",)


def test_branches_that_differ_are_split() -> None:
    """Delivered here and dropped there is split; two statuses are split; alike ends are one."""
    assert outcome(fan((DELIVER,), (DROP,))) is Outcome.SPLIT
    assert outcome(fan((NOT_FOUND,), (step(Verdict.RESPOND, status=503),))) is Outcome.SPLIT
    assert outcome(fan((DROP,), (PASS, DROP))) is Outcome.DROPPED
    assert outcome(fan((DELIVER,), (BLIND, DELIVER))) is Outcome.UNDECIDED
    assert outcome(fan((DELIVER,), (DROP,), (BLIND, DELIVER))) is Outcome.SPLIT


def test_a_branch_without_requests_does_not_count() -> None:
    """Weight zero gets nothing: neither outcome, nor breaks, nor backends, nor destinations."""
    answer = add_up(REQUEST, (fan((DELIVER,), (BLIND, DROP), weights=(1.0, 0.0)),))
    assert answer.outcome is Outcome.DELIVERED
    assert answer.confidence.certainty is Certainty.PROVEN
    assert answer.breaks == ()


def test_assumptions_make_it_assumed_up_to_the_end_only() -> None:
    """What is taken for granted on the way counts; behind the end it does not."""
    assumed = step(Verdict.PASS, assumptions=("DNS says so",))
    assert add_up(REQUEST, (assumed, DELIVER)).confidence.because == ("DNS says so",)
    assert add_up(REQUEST, (DROP, assumed)).confidence.certainty is Certainty.PROVEN


def test_what_it_hangs_on_stands_in_the_order_of_the_road() -> None:
    """Where the request goes at all comes first, what holds at its end last, each line once."""
    first = step(Verdict.PASS, assumptions=("the name is right",))
    last = msgspec.structs.replace(DELIVER, assumptions=("a Pod answers",))
    answer = add_up(REQUEST, (first, fan((last,), (last,))))
    assert answer.confidence.because == ("the name is right", "a Pod answers")


def test_silence_does_not_hang_on_what_lets_a_group_pass_the_packet() -> None:
    """A group that dropped it instead would make the same silence; what a client is told is another matter."""
    group = step(Verdict.PASS, Kind.NSG, assumptions=("no admin rule decides",))
    rules = step(Verdict.PASS, Kind.ADMIN_RULE, assumptions=("the admin rules are still those",))
    assert add_up(REQUEST, (rules, group, DROP)).confidence.certainty is Certainty.PROVEN
    for end in (DELIVER, NOT_FOUND, step(Verdict.REJECT)):
        assert len(add_up(REQUEST, (rules, group, end)).confidence.because) == 2


def test_a_group_that_drops_hangs_on_the_rules_that_could_set_it_aside() -> None:
    """An admin rule that always allows asks no group, so a drop by a group stands on there being none."""
    rules = step(Verdict.PASS, Kind.ADMIN_RULE, assumptions=("the admin rules are still those",))
    before = step(Verdict.PASS, Kind.NSG, assumptions=("the client is in no group",))
    drop = step(Verdict.DROP, Kind.NSG, assumptions=("no admin rule decides",))
    found = add_up(REQUEST, (rules, before, drop)).confidence.because
    assert found == ("the admin rules are still those", "no admin rule decides")


def service(name: str, port: int = 80) -> Step:
    return step(Verdict.PASS, Kind.SERVICE_PORT, subject=Ref("Service", f"shop/{name}"), packet=Packet(port=port))


PROXY = step(Verdict.PASS, Kind.CONTROLLER_POD)


def test_backends_are_what_the_proxy_sends_to_with_their_weights() -> None:
    """The proxy's own Service is no backend; shares multiply along the road and add up over branches."""
    inner = fan((service("web"), DELIVER), (service("api"), DELIVER), weights=(0.9, 0.1))
    road = (service("nginx", 443), fan((PROXY, inner), (PROXY, inner)))
    assert add_up(REQUEST, road).backends == (Backend("shop", "api", 80, 0.1), Backend("shop", "web", 80, 0.9))
    assert add_up(REQUEST, (service("nginx"), PROXY, NOT_FOUND)).backends == ()
    assert add_up(REQUEST, (service("web"), fan((DELIVER,), (DROP,)))).backends == (Backend("shop", "web", 80, 1.0),)


LEAVES = st.sampled_from([PASS, BLIND, DROP, REFUSE, NOT_FOUND, DELIVER, step(Verdict.UNSUPPORTED, missing="x")])


def roads(depth: int = 3) -> st.SearchStrategy[tuple[Step, ...]]:
    """Return roads with fan-outs down to a depth; a fan-out is the last step of its list."""
    flat = st.lists(LEAVES, max_size=4).map(tuple)
    if depth == 0:
        return flat
    weight = st.sampled_from([None, 0.0, 0.5, 1.0])
    branch = st.builds(Branch, st.just("b"), roads(depth - 1), weight)
    fans = st.lists(branch, max_size=3).map(lambda found: step(Verdict.FANOUT, branches=tuple(found)))
    return st.one_of(flat, st.tuples(flat, fans).map(lambda pair: (*pair[0], pair[1])))


def leaves(road: tuple[Step, ...], before: tuple[Step, ...] = ()) -> list[tuple[Step, ...]]:
    """Return every way through a tree on which requests go."""
    for index, item in enumerate(road):
        if item.verdict is Verdict.FANOUT:
            so_far = (*before, *road[:index])
            counted = [branch for branch in item.branches if branch.weight != 0]
            return [way for branch in counted for way in leaves(branch.steps, so_far)] or [so_far]
    return [(*before, *road)]


def clear(way: tuple[Step, ...]) -> bool:
    """Return whether a way leads to a delivery and nothing ends or hides it before."""
    for item in way:
        if item.verdict in ENDS or item.verdict in UNKNOWN:
            return False
        if item.kind is Kind.DELIVER:
            return True
    return False


@given(roads())
def test_delivered_means_that_every_way_is_clear(road: tuple[Step, ...]) -> None:
    """Never delivered with a blind, unsupported or ending step on any way that gets requests."""
    answer = add_up(REQUEST, road)
    ways = leaves(road)
    if answer.outcome is Outcome.DELIVERED:
        assert ways
        assert all(clear(way) for way in ways)
        assert answer.confidence.certainty is not Certainty.PARTIAL


def turned(road: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(
        msgspec.structs.replace(
            item,
            branches=tuple(
                msgspec.structs.replace(branch, steps=turned(branch.steps)) for branch in reversed(item.branches)
            ),
        )
        for item in road
    )


@given(roads())
def test_the_order_of_branches_does_not_matter(road: tuple[Step, ...]) -> None:
    """Outcome, status, confidence, backends and destinations are the same for branches in any order."""
    here, there = add_up(REQUEST, road), add_up(REQUEST, turned(road))
    assert (here.outcome, here.status, here.confidence) == (there.outcome, there.status, there.confidence)
    assert (here.backends, here.destinations) == (there.backends, there.destinations)
    assert set(here.breaks) == set(there.breaks)
    assert set(here.causes) == set(there.causes)


@given(roads())
def test_telling_what_is_not_reached_changes_no_answer(road: tuple[Step, ...]) -> None:
    """Marking the steps behind an end as not reached leaves outcome, status and destinations as they are."""
    here, told = add_up(REQUEST, road), add_up(REQUEST, cut(road))
    assert (here.outcome, here.status, here.destinations) == (told.outcome, told.status, told.destinations)
    assert (here.confidence, here.backends) == (told.confidence, told.backends)
