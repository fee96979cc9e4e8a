"""What the tree of steps adds up to.

A road ends at its first step that drops, refuses or responds. What could not be read or is not modelled on the way to
that end takes the certainty away, and where no step ends the road it takes the outcome away as well: a blind step never
adds up to "delivered". Branches are alternatives; those with weight zero get no request and do not count. Where the
request is lost in silence, nothing hangs on what lets a group of Azure's pass it: were that wrong, it would be lost as
well.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from aksnav.model.object import Ref
from aksnav.trace.request import Request
from aksnav.trace.step import (
    ENDS,
    UNKNOWN,
    Backend,
    Branch,
    Certainty,
    Confidence,
    Destination,
    Evidence,
    Kind,
    Outcome,
    Step,
    Trace,
    Verdict,
)

DESTINATION_FIELD = ".status.podIP"
"""Field of the evidence in a DELIVER step that names one destination (a step may stand for several that are alike)."""

Share = tuple[str, str, int]
_Assumed = tuple[Step, str]
_FILTERS = frozenset({Kind.NSG, Kind.ADMIN_RULE})  # they pass a packet or drop it in silence


class _End(msgspec.Struct, frozen=True, gc=False):
    """One way in which the request may end: the outcome, the status of a response, and on what that hangs."""

    outcome: Outcome
    status: int = 0
    unknown: tuple[Step, ...] = ()
    assumptions: tuple[str, ...] = ()
    delivery: Step | None = None


def add_up(request: Request, steps: Sequence[Step]) -> Trace:
    """Return the trace of a road: outcome, confidence, breaks, backends and destinations."""
    road = tuple(steps)
    ends = tuple(_ends(road, (), ()))
    outcome, status = _outcome(ends)
    breaks = _unique(step for step in _walk(road) if step.verdict in ENDS or step.verdict in UNKNOWN)
    shares = _shares(road) or {}
    return Trace(
        request=request,
        steps=road,
        outcome=outcome,
        status=status,
        confidence=_confidence(ends),
        breaks=breaks,
        causes=tuple(dict.fromkeys(step.cause for step in (*breaks, *_walk(road)) if step.cause)),
        backends=tuple(sorted((Backend(*key, weight) for key, weight in shares.items()), key=_order)),
        destinations=tuple(sorted({place for end in ends for place in _destinations(end)})),
    )


def _order(backend: Backend) -> tuple[str, str, int]:
    return backend.namespace, backend.service, backend.port


def counted(step: Step) -> tuple[Branch, ...]:
    """Return the branches of a fan-out that can get a request."""
    return tuple(branch for branch in step.branches if branch.weight != 0)


def _ends(road: Sequence[Step], unknown: tuple[Step, ...], assumed: tuple[_Assumed, ...]) -> Iterator[_End]:
    for index, step in enumerate(road):
        assumed += tuple((step, line) for line in step.assumptions)
        if step.verdict in UNKNOWN:
            unknown += (step,)
        elif step.verdict in ENDS:
            outcome, status = _ending(step, road[index + 1 :])
            yield _End(outcome, status, unknown, _matters(assumed, outcome, step))
            return
        elif step.verdict is Verdict.FANOUT:
            branches = counted(step)
            if not branches:
                yield _End(Outcome.UNDECIDED, 0, unknown)
            for branch in branches:
                yield from _ends(branch.steps, unknown, assumed)
            return
        elif step.kind is Kind.DELIVER and step.verdict is Verdict.PASS:
            outcome = Outcome.UNDECIDED if unknown else Outcome.DELIVERED
            yield _End(outcome, 0, unknown, _matters(assumed, outcome, step), step)
            return
    yield _End(Outcome.UNDECIDED, 0, unknown)


def _matters(assumed: Iterable[_Assumed], outcome: Outcome, end: Step) -> tuple[str, ...]:
    """Return what an end hangs on: if a group that passes the packet dropped it instead, silence would stay silence.

    An admin rule can also set aside the group that drops, so what is assumed of those counts where a group ends it.
    """
    if outcome is not Outcome.DROPPED:
        return tuple(line for _, line in assumed)
    filters = {Kind.NSG} if end.kind is Kind.NSG else _FILTERS
    return tuple(line for step, line in assumed if step.kind not in filters or step.verdict is not Verdict.PASS)


def _ending(step: Step, behind: Sequence[Step]) -> tuple[Outcome, int]:
    """Return what the client sees of the step that ends a road.

    Behind a proxy that is its answer: where the way from the proxy to the Pod is cut, the step of the proxy that
    stands behind the cut carries the status (a 504 for silence, a 502 for a refusal).
    """
    answer = next((item for item in behind if is_answer(item)), None)
    if answer is not None:
        return Outcome.RESPONDS, answer.status
    if step.verdict is Verdict.RESPOND:
        return Outcome.RESPONDS, step.status
    if step.verdict is Verdict.DROP:
        return Outcome.DROPPED, 0
    return (Outcome.UNRESOLVED if step.kind is Kind.DNS_RESOLVE else Outcome.REFUSED), 0


def is_answer(step: Step) -> bool:
    """Return whether a step is a proxy's answer to a client whose request it could not pass on."""
    return step.kind is Kind.CONTROLLER_POD and step.verdict is Verdict.RESPOND and not step.cause


def _outcome(ends: Sequence[_End]) -> tuple[Outcome, int]:
    known = {(end.outcome, end.status) for end in ends if end.outcome is not Outcome.UNDECIDED}
    if len(known) > 1:
        return Outcome.SPLIT, 0
    if len(known) == 0 or any(end.outcome is Outcome.UNDECIDED for end in ends):
        return Outcome.UNDECIDED, 0
    return known.pop()


def _confidence(ends: Iterable[_End]) -> Confidence:
    listed = list(ends)
    unknown = dict.fromkeys(_missing(step) for end in listed for step in end.unknown)
    if unknown or any(end.outcome is Outcome.UNDECIDED for end in listed):
        return Confidence(Certainty.PARTIAL, tuple(sorted(unknown)))
    # In the order of the road: what decides where the request goes at all comes before what holds at its end.
    assumed = tuple(dict.fromkeys(line for end in listed for line in end.assumptions))
    return Confidence(Certainty.ASSUMED if assumed else Certainty.PROVEN, assumed)


def _missing(step: Step) -> str:
    return f"{step.kind.value}: {step.missing or step.summary}"


def _walk(road: Sequence[Step]) -> Iterator[Step]:
    """Yield the steps in the order of the road, answers of a proxy and branches without requests left out."""
    for step in road:
        if not is_answer(step):
            yield step
        for branch in counted(step):
            yield from _walk(branch.steps)


def _unique(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple({(step.kind, step.subject, step.cause, step.verdict, step.summary): step for step in steps}.values())


def _destinations(end: _End) -> Iterator[Destination]:
    step = end.delivery
    if step is None or end.outcome is not Outcome.DELIVERED:
        return
    for fact in step.evidence:
        if fact.field == DESTINATION_FIELD:
            yield destination(step.subject, fact, step.packet.port)


def destination(subject: Ref | None, fact: Evidence, port: int) -> Destination:
    """Return the destination that one fact of a DELIVER step names."""
    ref = fact.subject or subject
    if ref is None or ref.kind != "Pod":
        return Destination("", "", fact.value, port)
    return Destination(ref.namespace, ref.name, fact.value, port)


def _shares(road: Sequence[Step]) -> dict[Share, float | None] | None:
    """Return the Service ports to which a road leads, each with its share of the requests; None: it meets no Service.

    The Service of a proxy that takes the request and sends it on is not the backend; the one that it sends to is.
    """
    found: dict[Share, float | None] | None = None
    for step in road:
        if step.verdict in ENDS:
            return found
        if step.kind is Kind.CONTROLLER_POD:
            found = {}
        elif step.kind is Kind.SERVICE_PORT and step.verdict is Verdict.PASS and step.subject is not None:
            found = {(step.subject.namespace, step.subject.name, step.packet.port): 1.0}
        elif step.verdict is Verdict.FANOUT:
            return _mixed(counted(step), found)
    return found


def _mixed(branches: Sequence[Branch], outer: dict[Share, float | None] | None) -> dict[Share, float | None] | None:
    below = [(branch, _shares(branch.steps)) for branch in branches]
    if all(share is None for _, share in below):
        return outer
    first = below[0][1]
    if all(share == first for _, share in below):
        return first
    total = sum(branch.weight for branch, _ in below if branch.weight is not None)
    known = total > 0 and all(branch.weight is not None for branch, _ in below)
    mixed: dict[Share, float | None] = {}
    for branch, share in below:
        for key, part in (share or {}).items():
            before = mixed.get(key, 0.0)
            if not known or part is None or before is None:
                mixed[key] = None
            else:
                mixed[key] = before + part * (branch.weight or 0.0) / total
    return mixed
