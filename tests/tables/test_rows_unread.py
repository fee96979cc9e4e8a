"""The rows of the Ingress table again, with one object in them that cannot be decoded, or a kind that is refused.

The answer stays, or the trace says on what else it hangs: nothing is surer of another answer than of its own.
"""

from collections.abc import Iterator

import pytest

from aksnav.model.change import Reading, ReadingChanged, Removed, UndecodableFound
from aksnav.store import Store
from aksnav.trace.step import Certainty, Trace
from tests.oracles.around import FRONT_IP, around, ask
from tests.tables.rows import Row
from tests.tables.test_ingress_rows import ROWS

KINDS = ("Service", "Secret", "Ingress", "IngressClass")


def cluster(row: Row) -> Store:
    """Return the cluster of a row."""
    return around(
        row.ingresses,
        row.controller,
        absent=row.absent,
        unready=row.unready,
        services=row.services,
        objects=row.objects,
    )


def poorer(row: Row, kind: str) -> Iterator[Store]:
    """Yield the cluster with the kind refused, and with each object of it undecodable."""
    idents = list(cluster(row).tables[kind].ids())
    store = cluster(row)
    store.apply(Removed(kind, idents))
    store.apply(ReadingChanged(kind, Reading.DENIED, reason="forbidden"))
    yield store
    for ident in idents:
        store = cluster(row)
        store.apply(UndecodableFound(kind, ident, "spec: not a map"))
        yield store


def told(row: Row, store: Store) -> Trace:
    """Return the trace of the row's request."""
    return ask(store, row.url, row.controller, row.headers, row.method)


@pytest.mark.parametrize("kind", KINDS)
def test_another_answer_hangs_on_something_that_the_first_did_not(kind: str) -> None:
    """Which object or permission that is, the trace names."""
    wrong = []
    for row in ROWS:
        old = told(row, cluster(row))
        for store in poorer(row, kind):
            new = told(row, store)
            more = set(new.confidence.because) - set(old.confidence.because)
            more |= {line for line in new.confidence.because if new.confidence.certainty is Certainty.PARTIAL}
            same = (new.outcome, new.status) == (old.outcome, old.status)
            if not same and not more:
                wrong.append(f"{row.label}: {old.outcome} {old.status}, now {new.outcome} {new.status}")
    assert not wrong


def test_a_controller_of_a_class_that_cannot_be_read_is_not_taken_for_an_application() -> None:
    """The Service's address stands in an Ingress: whether its Pods are the end of the road is assumed."""
    row = next(row for row in ROWS if row.controller == "example.com/ingress" and not row.objects)
    store = cluster(row)
    store.apply(Removed("IngressClass", list(store.ingress_classes.ids())))
    store.apply(ReadingChanged("IngressClass", Reading.DENIED, reason="forbidden"))
    found = told(row, store)
    assert store.ingresses.get(next(iter(store.ingresses.ids()))).ingress_points[0].ip == FRONT_IP  # type: ignore[union-attr]  # it is there
    assert any("are no ingress controller" in line for line in found.confidence.because)


@pytest.mark.parametrize("reading", [Reading.DENIED, Reading.UNREAD])
def test_a_service_that_only_an_ingress_tells_from_an_application_is_assumed_to_be_one(reading: Reading) -> None:
    """It has a cluster address alone, and no Ingress is read: the one that names it may be among them."""
    row = next(row for row in ROWS if row.controller == "example.com/ingress" and not row.objects)
    store = cluster(row)
    store.apply(Removed("Ingress", list(store.ingresses.ids())))
    store.apply(ReadingChanged("Ingress", reading, reason="forbidden"))
    assert {service.type for service in store.services} <= {"ClusterIP"}
    found = told(row, store)
    assert found.confidence.certainty is Certainty.ASSUMED
    (said,) = [line for line in found.confidence.because if "are no ingress controller" in line]
    assert "list ingresses" in said


def test_where_every_ingress_is_read_and_none_names_it_a_service_is_what_it_looks_like() -> None:
    """Nothing is assumed of it."""
    row = next(row for row in ROWS if row.controller == "example.com/ingress" and not row.objects)
    store = cluster(row)
    store.apply(Removed("Ingress", list(store.ingresses.ids())))
    assert not any("ingress controller" in line for line in told(row, store).confidence.because)
