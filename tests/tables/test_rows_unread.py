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
# What no class and no looks tell apart from a Service of the application, but an Ingress that is read.
KNOWN_BY_INGRESS = ("Ingress", "IngressClass")


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
            by_looks = kind in KNOWN_BY_INGRESS and new.destinations[:1] and new.destinations[0].namespace == "front"
            if not same and not more and not by_looks:
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
