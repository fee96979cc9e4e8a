"""The store: what lists, watches and refusals leave behind, by scope; what changed; what cannot be decoded."""

from typing import Any

import pytest

from aksnav.model.change import (
    Heartbeat,
    ListEnded,
    ListStarted,
    Reading,
    ReadingChanged,
    Removed,
    ScopeLeft,
    SourceChanged,
    UndecodableFound,
    Upserted,
)
from aksnav.model.kubernetes.service import Service
from aksnav.model.object import Ref
from aksnav.store import Store, Table
from aksnav.store.table import JOURNAL

KIND = "Service"


def service(ident: str, **fields: Any) -> Service:
    namespace, _, name = ident.partition("/")
    return Service(name=name, namespace=namespace, **fields)


def put(store: Store, *idents: str) -> None:
    store.apply(Upserted(KIND, [service(ident) for ident in idents]))


def listed(store: Store, *idents: str, scope: str = "", at: float = 1.0) -> None:
    store.apply(ListStarted(KIND, scope))
    put(store, *idents)
    store.apply(ListEnded(KIND, scope, at))


def ids(store: Store) -> list[str]:
    return sorted(store.services.ids())


def test_absence_is_a_fact_where_a_table_was_read() -> None:
    """Before anything was said nothing is known; after a list, a row that is not there does not exist."""
    store = Store()
    assert not store.services.access().complete
    listed(store, "a/x", at=9.0)
    access = store.services.access()
    assert (access.reading, access.at, access.complete, access.fresh) == (Reading.LIVE, 9.0, True, True)


@pytest.mark.parametrize(
    ("reading", "complete", "fresh"),
    [
        (Reading.PENDING, False, False),
        (Reading.LIVE, True, True),
        (Reading.STALE, True, False),
        (Reading.DENIED, False, False),
        (Reading.ABSENT, True, True),
        (Reading.UNREAD, False, False),
        (Reading.FAILED, False, False),
    ],
)
def test_what_each_state_proves(reading: Reading, complete: bool, fresh: bool) -> None:
    """Only what was read proves absence, and only what is followed or not installed is as it is now."""
    store = Store()
    store.apply(ReadingChanged(KIND, reading, reason="because"))
    access = store.services.access("any")
    assert (access.complete, access.fresh, access.reason) == (complete, fresh, "because")


def test_a_relist_removes_what_it_did_not_bring_at_its_end_and_not_before() -> None:
    """What is known stays on the screen while a list is on its way; what the watch brings meanwhile stays too."""
    store = Store()
    listed(store, "a/x", "a/y")
    store.apply(ListStarted(KIND))
    put(store, "a/x")
    put(store, "a/new")
    assert ids(store) == ["a/new", "a/x", "a/y"]
    store.apply(ListEnded(KIND, at=2.0))
    assert ids(store) == ["a/new", "a/x"]


def test_a_list_of_a_scope_removes_in_that_scope_only() -> None:
    """Namespaces whose names begin alike are different scopes; two lists may be on their way at once."""
    store = Store()
    put(store, "a/x", "a/y", "ab/x", "b/x")
    store.apply(ListStarted(KIND, "a"))
    store.apply(ListStarted(KIND, "b"))
    put(store, "a/y")
    store.apply(ListEnded(KIND, "a"))
    assert ids(store) == ["a/y", "ab/x", "b/x"]
    store.apply(ListEnded(KIND, "b"))
    assert ids(store) == ["a/y", "ab/x"]


def test_an_end_without_a_beginning_removes_nothing() -> None:
    """A source that comes back in the middle cannot take rows away."""
    store = Store()
    put(store, "a/x")
    store.apply(ListEnded(KIND))
    assert ids(store) == ["a/x"]


def test_a_namespace_that_can_be_read_while_the_cluster_cannot() -> None:
    """DENIED everywhere and LIVE in one namespace: absence is a fact there, and nowhere else."""
    store = Store()
    store.apply(ReadingChanged(KIND, Reading.DENIED, reason="list services at cluster scope"))
    listed(store, "shop/web", scope="shop")
    assert store.services.access("shop").complete
    assert not store.services.access("other").complete
    assert not store.services.access().complete
    assert store.services.access("other").reason == "list services at cluster scope"


def test_a_table_that_was_read_and_is_refused_now() -> None:
    """Its rows stay known with the time as of which they were right; they prove no absence any more."""
    store = Store()
    listed(store, "a/x", at=5.0)
    store.apply(ReadingChanged(KIND, Reading.DENIED, reason="forbidden", at=9.0))
    access = store.services.access()
    assert (access.reading, access.at, access.complete) == (Reading.DENIED, 5.0, False)
    assert ids(store) == ["a/x"]
    store.apply(ReadingChanged(KIND, Reading.LIVE, at=11.0))
    assert (store.services.access().at, store.services.access().reason) == (11.0, "")


def test_a_stale_table_keeps_its_age_until_it_is_live_again() -> None:
    """STALE says nothing new: the rows are as old as their last word."""
    store = Store()
    listed(store, "a/x", at=5.0)
    store.apply(ReadingChanged(KIND, Reading.STALE, reason="connection lost", at=8.0))
    assert store.services.access().at == 5.0
    store.apply(Heartbeat(KIND, at=9.0))
    assert (store.services.access().reading, store.services.access().at) == (Reading.STALE, 5.0)


def test_a_scope_that_left_says_nothing_any_more() -> None:
    """It is read as everywhere is; what was said of it, good or bad, does not linger."""
    store = Store()
    listed(store, "a/x", at=5.0)
    table = store.tables[KIND]
    store.apply(ReadingChanged(KIND, Reading.DENIED, "a", "refused", 6.0))
    assert table.access("a").reading is Reading.DENIED
    version = table.version
    store.apply(ScopeLeft(KIND, "a"))
    assert table.access("a") == table.access("")
    assert "a" not in table.scopes()
    assert table.version > version
    assert len(table) == 1


def test_a_heartbeat_moves_the_age_and_nothing_else() -> None:
    """It is no change of content, and says nothing of a scope that was never listed."""
    store = Store()
    listed(store, "a/x", at=5.0)
    version = store.services.version
    store.apply(Heartbeat(KIND, at=7.0))
    store.apply(Heartbeat(KIND, at=8.0, scope="elsewhere"))
    assert store.services.access().at == 7.0
    assert store.services.version == version
    assert set(store.services.scopes()) == {""}


def test_an_undecodable_object_is_not_known_as_it_was() -> None:
    """It has changed since to something that nobody can read: the row goes, indexes and journal follow."""
    store = Store()
    put(store, "a/x")
    before = store.services.version
    store.apply(UndecodableFound(KIND, "a/x", "ports: expected array"))
    assert ids(store) == []
    assert store.services.undecodable == {"a/x": "ports: expected array"}
    assert store.services.changed_since(before) == {"a/x"}
    put(store, "a/x")
    assert store.services.undecodable == {}
    assert ids(store) == ["a/x"]


def test_undecodable_objects_live_and_die_with_lists() -> None:
    """A relist that finds one again keeps it, one that does not find it forgets it, another scope's touches it not."""
    store = Store()
    for ident in ("a/x", "a/y", "b/z"):
        store.apply(UndecodableFound(KIND, ident, "bad"))
    store.apply(ListStarted(KIND, "a"))
    store.apply(UndecodableFound(KIND, "a/x", "bad"))
    store.apply(ListEnded(KIND, "a"))
    assert sorted(store.services.undecodable) == ["a/x", "b/z"]
    store.apply(Removed(KIND, ["a/x"]))
    store.apply(UndecodableFound(KIND, "b/z", ""))
    assert store.services.undecodable == {}


def test_versions_grow_with_content_and_not_without() -> None:
    """What a trace is kept for: the same version, the same answer."""
    store = Store()
    listed(store, "a/x")
    version = store.services.version
    store.apply(Upserted(KIND, [service("a/x", resource_version="2")]))
    store.apply(Removed(KIND, ["a/none"]))
    store.apply(UndecodableFound(KIND, "a/none", ""))
    assert store.services.version == version
    for change in (
        Upserted(KIND, [service("a/x", cluster_ip="10.0.0.1")]),
        Upserted(KIND, [service("a/y")]),
        Removed(KIND, ["a/y"]),
        UndecodableFound(KIND, "a/q", "bad"),
        UndecodableFound(KIND, "a/q", "worse"),
        ReadingChanged(KIND, Reading.STALE),
    ):
        store.apply(change)
        assert store.services.version > version
        version = store.services.version


def test_the_resource_version_that_is_kept_is_the_newest() -> None:
    """A row that counts as unchanged is replaced all the same: evidence names the version that was read."""
    store = Store()
    put(store, "a/x")
    store.apply(Upserted(KIND, [service("a/x", resource_version="2")]))
    assert store.services.get("a/x") == service("a/x", resource_version="2")


def test_what_changed_since_a_version() -> None:
    """Rows that came, changed or went; nothing for the version of now."""
    store = Store()
    put(store, "a/x", "a/y", "a/z")
    version = store.services.version
    store.apply(Upserted(KIND, [service("a/x", type="NodePort")]))
    store.apply(Removed(KIND, ["a/y"]))
    assert store.services.changed_since(version) == {"a/x", "a/y"}
    assert store.services.changed_since(store.services.version) == set()
    assert store.services.changed_since(0) == {"a/x", "a/y", "a/z"}


def test_a_journal_that_has_overflowed_says_that_it_cannot_tell() -> None:
    """What is still whole is told exactly, what may have been forgotten is None."""
    table: Table[Service] = Table(KIND)
    first, second = service("a/x"), service("a/x", type="NodePort")
    for number in range(JOURNAL - 1):
        table.upsert([(first, second)[number % 2]])
    assert table.changed_since(0) == {"a/x"}
    table.upsert([service("a/x", type="ExternalName")])
    full = table.version
    table.upsert([service("a/y")])
    assert table.changed_since(0) is None
    assert table.changed_since(full) == {"a/y"}
    assert table.changed_since(full - 1) == {"a/x", "a/y"}


def test_a_batch_larger_than_the_journal_is_not_told_in_part() -> None:
    """All rows of one batch have one version: either all of them are told, or none."""
    table: Table[Service] = Table(KIND)
    table.upsert([service("a/first")])
    version = table.version
    table.upsert([service(f"a/{number}") for number in range(JOURNAL + 1)])
    assert table.changed_since(version) is None
    assert table.changed_since(table.version) == set()


def test_an_object_is_found_by_its_reference() -> None:
    """Of a kind that is not known there is none."""
    store = Store()
    put(store, "a/x")
    assert store.get(Ref(KIND, "a/x")) == service("a/x")
    assert store.get(Ref(KIND, "a/y")) is None
    assert store.get(Ref("subnets", "/x")) is None


def test_sources_are_kept_by_name() -> None:
    """The last word of each counts, with its facts."""
    store = Store()
    store.apply(SourceChanged("azure", Reading.PENDING))
    store.apply(SourceChanged("azure", Reading.LIVE, facts={"calls": "7"}, at=3.0))
    assert list(store.sources) == ["azure"]
    assert (store.sources["azure"].reading, store.sources["azure"].facts) == (Reading.LIVE, {"calls": "7"})
