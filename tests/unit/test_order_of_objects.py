"""In which order objects are read changes nothing: not a word of a trace, of a finding, of a way in."""

import random

import pytest

from aksnav.checks.sweep import sweep
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.step import Trace
from tests.unit.trace_walk.changed_demo import ChangedDemo

INSIDE = (
    ("https://shop.contoso.com/", "pod/infra/web-approuting-istio-7cbkxgk9rl-7j6zm"),
    ("svc/payments/ledger:5432", "pod/shop/search-dk9pqs9974-kdqm8"),
    ("https://example.org/", "pod/payments/payments-9xbndbkp7l-sflgc"),
    ("tcp://10.224.0.40:80", "10.100.1.9"),
    ("svc/media/studio:1935", "internet"),
)


def answers(store: Store) -> list[Trace]:
    """Return the traces of every way in, and of some connections inside."""
    asked = [point.request for point in entry_points(store)]
    asked += [parse_request(target, source, "") for target, source in INSIDE]
    return [trace(store, request) for request in asked]


@pytest.mark.parametrize("scenario", ["faulty", "dual-stack", "azure-cni"])
def test_the_order_in_which_objects_come_says_nothing(scenario: str) -> None:
    """Traces, with all their steps, and findings are the same."""
    first, second = ChangedDemo(scenario), ChangedDemo(scenario)
    shuffled = random.Random(scenario)  # noqa: S311 - no secret: the same order in every run
    for kind, rows in second.objects.items():
        listed = list(rows.items())
        shuffled.shuffle(listed)
        second.objects[kind] = dict(listed)
    one, other = first.store(), second.store()
    assert answers(one) == answers(other)
    assert sweep(one) == sweep(other)
