"""The sweep finds every fault of the demo by its object, tells it once, with its field, and finds nothing elsewhere."""

from functools import cache

import pytest

from aksnav.checks.catalogue import LETTERS, catalogue, find_check
from aksnav.checks.finding import Finding, Proof
from aksnav.checks.sweep import blind_spots, in_order, sweep, sweeping
from aksnav.model.change import Reading, ReadingChanged, UndecodableFound
from aksnav.sources import demo
from aksnav.store import Store
from tests import docs

# What follows from a fault, or what it follows from: another object that has to be looked at as well.
WITH_IT = {
    "R06": {"N16"},
    "N05": {"N05"},
    "K04": {"X07"},
    "L15": {"S02"},
    "G10": {"G27"},
    "X01": {"S02"},
    "X05": {"S02"},
    "X12": {"S02"},
    "L18": {"X07"},
}


def load(scenario: str) -> Store:
    store = Store()
    for change in demo.changes(scenario, lambda: 1_764_000_000.0):
        store.apply(change)
    return store


@cache
def found(scenario: str) -> tuple[Finding, ...]:
    return tuple(sweep(load(scenario)))


@pytest.mark.parametrize("fault", demo.FAULTS, ids=lambda fault: fault.name)
def test_the_sweep_finds_the_fault_that_a_scenario_is_named_by(fault: demo.Fault) -> None:
    """Whether a request from outside meets it, or only one from inside, or none."""
    assert fault.check in {finding.id for finding in found(fault.name)}


@pytest.mark.parametrize("fault", demo.FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_not_told_under_other_ids(fault: demo.Fault) -> None:
    """One fault, one check, but for what follows from it."""
    ids = {finding.id for finding in found(fault.name)}
    assert ids <= {fault.check} | WITH_IT.get(fault.check, set())


@pytest.mark.parametrize("scenario", ["healthy", "no-azure", "namespace-only"])
def test_nothing_is_found_where_nothing_is_broken(scenario: str) -> None:
    """Neither in the whole picture nor in a part of it: what cannot be read is no fault."""
    assert found(scenario) == ()


def test_the_faulty_cluster_has_every_fault_that_it_is_made_of() -> None:
    """Many faults at once do not hide each other."""
    ids = {finding.id for finding in found("faulty")}
    assert {fault.check for fault in demo.FAULTS if not fault.alone} <= ids


@pytest.mark.parametrize("scenario", sorted(demo.SCENARIOS))
def test_every_finding_has_what_a_sceptic_needs(scenario: str) -> None:
    """A known id, an object, a field with a value, a command and a fix; each id once for an object, surest first."""
    listed = found(scenario)
    for finding in listed:
        assert find_check(finding.id) is not None
        assert finding.summary
        assert finding.evidence
        assert all(fact.field for fact in finding.evidence), finding
        assert finding.confirm
        assert finding.fix
    keys = [(finding.id, finding.subject) for finding in listed]
    assert len(keys) == len(set(keys))
    order = [list(Proof).index(finding.proof) for finding in listed]
    assert order == sorted(order)


def test_a_sweep_in_pieces_ends_with_the_whole() -> None:
    """Whoever shows it piece by piece shows the same in the end, and nothing is taken back on the way."""
    store = load("faulty")
    seen: set[tuple[str, str]] = set()
    last: list[Finding] = []
    for sofar in sweeping(store):
        assert seen <= set(sofar)
        seen = set(sofar)
        last = in_order(sofar)
    assert last == list(found("faulty"))


def test_objects_of_one_name_in_different_groups_are_told_apart() -> None:
    """ARM names repeat from one resource group to the next: the id is the object."""
    store = load("l11-pool-empty")
    first = sweep(store)[0].subject
    assert first.id.startswith("/subscriptions/")
    assert [finding.subject for finding in sweep(store) if finding.id == "L11"] == [first]


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("no-azure", ("loadBalancers: unread: no Azure credentials", "networkSecurityGroups", "managedClusters")),
        ("namespace-only", ("nodes: denied: nodes is forbidden", "pods: denied", "networkpolicies: denied")),
    ],
)
def test_what_could_not_be_looked_at_is_listed(scenario: str, words: tuple[str, ...]) -> None:
    """A clean sweep says nothing about these, and must not seem to."""
    lines = blind_spots(load(scenario))
    for word in words:
        assert any(line.startswith(word) for line in lines), lines


def test_a_whole_picture_has_no_blind_spot_and_kinds_that_are_not_installed_are_none() -> None:
    """Nothing is said where everything was read."""
    assert blind_spots(load("healthy")) == []


def test_stale_tables_and_undecodable_objects_are_blind_spots() -> None:
    """What is known from before, and what exists and cannot be read."""
    store = load("healthy")
    store.apply(ReadingChanged("Pod", Reading.STALE, reason="connection lost"))
    store.apply(UndecodableFound("Service", "shop/web", "ports: expected array"))
    lines = blind_spots(store)
    assert "services shop/web: cannot be decoded: ports: expected array" in lines
    assert any(line.startswith("pods") and line.endswith("stale: connection lost") for line in lines)


def test_ids_of_the_catalogue_are_unique_and_every_entry_is_whole() -> None:
    """A letter that has a title, two digits, and every word that explain prints."""
    checks = list(catalogue().values())
    raw = docs.CATALOGUE.read_text(encoding="utf-8")
    assert raw.count('{"id":') == len(checks)
    for check in checks:
        assert check.id[0] in LETTERS
        assert check.id[1:].isdigit()
        assert len(check.id) == 3
        assert check.title
        assert check.fix
        assert check.source
    assert find_check("s02") is find_check("S02") is not None
    assert find_check("Z99") is None


def test_every_id_in_the_code_is_in_the_catalogue() -> None:
    """A cause that nobody can look up would be no explanation."""
    unknown = set()
    for room in ("trace", "checks"):
        for path in (docs.ROOT / "aksnav" / room).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            unknown |= {word for word in docs._ID.findall(text) if word[0] in LETTERS and find_check(word) is None}
    assert unknown == set()


def test_every_fault_of_the_demo_is_a_check_that_is_looked_for() -> None:
    """The word of the catalogue on what the program looks for is that of the code."""
    looked_for = docs.looked_for()
    for fault in demo.FAULTS:
        assert fault.check in looked_for
