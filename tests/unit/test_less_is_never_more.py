"""Less information never makes a verdict better: what is refused, old, or gone from an object is never a pass.

Each question is asked of the demo's clusters with and without a fault, first as they are and then with one kind that
cannot be read, with one kind that is stale, or without one field that Azure or a controller always writes. (A field
that a user may leave out, as the peers of a rule of a NetworkPolicy, means something where it is not there.)
"""

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aksnav.checks.sweep import sweep
from aksnav.model.change import (
    ListEnded,
    ListStarted,
    Reading,
    SourceChanged,
    UndecodableFound,
    Upserted,
)
from aksnav.model.decode import decode_object
from aksnav.model.kinds import KINDS
from aksnav.model.object import Undecodable
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.request import Request
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.step import Certainty, Outcome, Trace
from tests.unit.trace_walk.changed_demo import ChangedDemo, Json

SCENARIOS = ("healthy", "faulty", "azure-cni", "n18-admin-rule", "r02-black-hole-route")
UNREAD = (Reading.DENIED, Reading.UNREAD, Reading.FAILED, Reading.PENDING)
INSIDE = (
    ("svc/payments/ledger:5432", "pod/shop/search-dk9pqs9974-kdqm8"),
    ("svc/shop/cart:80", "pod/infra/web-approuting-istio-7cbkxgk9rl-7j6zm"),
    ("svc/intra/docs:80", "pod/shop/cart-xw8qmthhl8-nwt2s"),
    ("https://example.org/", "pod/payments/payments-9xbndbkp7l-sflgc"),
    ("tcp://10.100.1.7:443", "pod/shop/search-dk9pqs9974-kdqm8"),
    ("tcp://52.1.2.3:443", "pod/shop/search-dk9pqs9974-kdqm8"),
    ("tcp://10.224.0.40:80", "10.100.1.9"),
    ("tcp://10.224.0.40:80", "192.168.7.7"),
)
Path = tuple[Any, ...]
FEW = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


class _Before(msgspec.Struct):
    """A cluster as it is, with what is asked of it and what it answers."""

    demo: ChangedDemo
    asked: list[Request]
    answers: list[Trace]
    findings: set[tuple[str, str]]


@cache
def _before(scenario: str) -> _Before:
    demo = ChangedDemo(scenario)
    store = demo.store()
    asked = [point.request for point in entry_points(store)]
    asked += [parse_request(target, source, "") for target, source in INSIDE]
    return _Before(demo, asked, [trace(store, request) for request in asked], _found(store))


def _found(store: Store) -> set[tuple[str, str]]:
    return {(finding.id, finding.subject.id) for finding in sweep(store)}


def _better(before: _Before, store: Store) -> Iterator[str]:
    """Yield what is asked of the poorer cluster and delivered there for certain, though not of the richer one."""
    for request, old in zip(before.asked, before.answers, strict=True):
        new = trace(store, request)
        proven = new.confidence.certainty is Certainty.PROVEN
        was = old.outcome is Outcome.DELIVERED and old.confidence.certainty is Certainty.PROVEN
        if new.outcome is Outcome.DELIVERED and proven and not was:
            yield f"{request.text} from {request.source.id}: {old.outcome}, now {new.outcome}"


def _poorer(demo: ChangedDemo) -> ChangedDemo:
    """Return a cluster of which kinds can be lost without changing the other one."""
    made = copy.copy(demo)
    made.objects = {kind: dict(rows) for kind, rows in demo.objects.items()}
    made._said = []
    return made


@FEW
@given(st.sampled_from(SCENARIOS), st.sampled_from(sorted(KINDS)), st.sampled_from(UNREAD))
def test_a_kind_that_cannot_be_read_is_never_a_pass_and_never_a_finding(
    scenario: str, kind: str, reading: Reading
) -> None:
    """What was not delivered for certain is not so now, what was delivered is not cut, and nothing new is wrong."""
    before = _before(scenario)
    demo = _poorer(before.demo)
    demo.lose(kind, reading)
    store = demo.store()
    assert not list(_better(before, store))
    for request, old in zip(before.asked, before.answers, strict=True):
        if old.outcome is Outcome.DELIVERED:
            assert trace(store, request).outcome in {Outcome.DELIVERED, Outcome.UNDECIDED}, request.text
    assert _found(store) <= before.findings


@FEW
@given(st.sampled_from(SCENARIOS), st.sampled_from(sorted(KINDS)))
def test_a_stale_kind_changes_no_outcome_and_makes_nothing_surer(scenario: str, kind: str) -> None:
    """The rows are still used; who stands on them says so."""
    before = _before(scenario)
    demo = _poorer(before.demo)
    demo.lose(kind, Reading.STALE)
    store = demo.store()
    assert not list(_better(before, store))
    for request, old in zip(before.asked, before.answers, strict=True):
        assert trace(store, request).outcome is old.outcome, request.text


@FEW
@given(st.sampled_from(SCENARIOS), st.data())
def test_an_object_that_cannot_be_decoded_is_never_a_pass_and_never_a_finding(
    scenario: str, data: st.DataObject
) -> None:
    """It is there, nobody knows how it is: nothing is surer, and what was delivered is not cut for certain."""
    before = _before(scenario)
    kind = data.draw(st.sampled_from(sorted(kind for kind, rows in before.demo.objects.items() if rows)))
    demo = _poorer(before.demo)
    demo.spoil(kind, data.draw(st.sampled_from(sorted(demo.objects[kind]))))
    store = demo.store()
    assert not list(_better(before, store))
    for request, old in zip(before.asked, before.answers, strict=True):
        new = trace(store, request)
        cut = new.confidence.certainty is Certainty.PROVEN and new.outcome is not Outcome.DELIVERED
        assert not (cut and old.outcome is Outcome.DELIVERED), request.text


CLUSTERS_DNS = (
    ("http://cart/", "pod/shop/search-dk9pqs9974-kdqm8"),
    ("http://docs.intra/", "pod/shop/cart-xw8qmthhl8-nwt2s"),
)
ASKED_OF = ("ConfigMap", "Service", "EndpointSlice", "Pod")


@pytest.mark.parametrize("reading", [*UNREAD, Reading.STALE])
@pytest.mark.parametrize("kind", ASKED_OF)
def test_a_name_of_the_clusters_is_not_certain_without_what_the_clusters_dns_is_made_of(
    kind: str, reading: Reading
) -> None:
    """Its own configuration, its Service, its endpoints, their Pods: each of them may answer otherwise."""
    demo = _poorer(_before("healthy").demo)
    demo.lose(kind, reading)
    store = demo.store()
    for target, source in CLUSTERS_DNS:
        assert trace(_before("healthy").demo.store(), parse_request(target, source, "")).confidence.certainty is (
            Certainty.PROVEN
        )
        assert trace(store, parse_request(target, source, "")).confidence.certainty is not Certainty.PROVEN


@FEW
@given(st.sampled_from(SCENARIOS), st.data())
def test_a_field_that_azure_or_a_controller_writes_and_that_is_gone_is_never_a_pass(
    scenario: str, data: st.DataObject
) -> None:
    """Without it an answer may be worse, or hang on an assumption; it is not better, and nothing breaks."""
    before = _before(scenario)
    kinds = sorted(kind for kind, rows in before.demo.objects.items() if any(map(_fields_of(kind), rows.values())))
    kind = data.draw(st.sampled_from(kinds))
    ident = data.draw(st.sampled_from(sorted(before.demo.objects[kind])))
    wire = copy.deepcopy(before.demo.objects[kind][ident])
    path = data.draw(st.sampled_from(_fields_of(kind)(wire) or [("status",)]))
    _drop(wire, path)
    store = _store(before.demo, kind, ident, wire)
    assert not list(_better(before, store))
    sweep(store)


def _fields_of(kind: str) -> Any:
    """Return what lists the paths of the fields that are never left out: Azure's own, and every status."""
    azure = KINDS[kind].azure
    return lambda wire: [
        path
        for path in _paths(wire, ())
        if isinstance(path[-1], str) and (path[0] == "status" or (azure and path[0] not in {"id", "name", "type"}))
    ]


def _paths(value: Any, path: Path) -> Iterator[Path]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from _paths(inner, (*path, key))


def _drop(wire: Json, path: Path) -> None:
    holder: Any = wire
    for key in path[:-1]:
        holder = holder[key]
    holder.pop(path[-1], None)


def _store(demo: ChangedDemo, kind: str, ident: str, wire: Json) -> Store:
    """Return a store of a cluster in which one object is another one, or cannot be decoded."""
    store = Store()
    store.apply(SourceChanged("kubernetes", Reading.LIVE))
    for name, described in KINDS.items():
        rows = {key: row for key, row in demo.objects.get(name, {}).items() if (name, key) != (kind, ident)}
        store.apply(ListStarted(name))
        store.apply(Upserted(name, [decode_object(described, msgspec.json.encode(row)) for row in rows.values()]))
        store.apply(ListEnded(name, at=1.0))
    try:
        store.apply(Upserted(kind, [decode_object(KINDS[kind], msgspec.json.encode(wire))]))
    except Undecodable as error:
        store.apply(UndecodableFound(kind, ident, str(error)))
    return store
