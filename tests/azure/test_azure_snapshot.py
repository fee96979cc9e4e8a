"""Reading everything around the built-in cluster through the real Azure clients."""

import pytest

from aksnav.model.change import Reading
from aksnav.model.kinds import AZURE_KINDS
from aksnav.sources.demo import changes
from aksnav.store import Store
from tests.azure.conftest import START, Bench

MOST_CALLS = 20


@pytest.fixture
def demo() -> Store:
    """The store of the built-in cluster."""
    store = Store()
    for change in changes("healthy", lambda: START):
        store.apply(change)
    return store


@pytest.mark.parametrize("kind", [kind.name for kind in AZURE_KINDS])
def test_what_is_read_equals_the_built_in_cluster(bench: Bench, demo: Store, kind: str) -> None:
    """Every Azure object of the demo comes through ARM, the clients and the decoders as it is.

    But for the admin rules that are in effect on a network: a POST tells them, and no snapshot makes one.
    """
    bench.read()
    for network in demo.virtual_networks:
        network.effective_security_admin_rules = None
    assert {row.id: row for row in bench.store.tables[kind]} == {row.id: row for row in demo.tables[kind]}
    assert bench.store.tables[kind].access("").reading is Reading.LIVE
    assert bench.store.tables[kind].access("").reason == ""


def test_a_snapshot_costs_no_more_than_twenty_calls(bench: Bench) -> None:
    """The number of GETs does not depend on the number of nodes, and each is counted."""
    bench.read()
    assert len(bench.server.asked) <= MOST_CALLS
    assert {asked.verb for asked in bench.server.asked} == {"GET"}
    facts = bench.store.sources["azure"].facts
    assert facts["calls"] == str(len(bench.server.asked))
    assert facts["readsLeft"] == str(bench.server.reads_left)
