"""What differs between two pictures of a cluster, and what cannot be compared."""

import pytest

from aksnav.report.diff import Difference, difference, difference_data, difference_lines
from aksnav.sources import demo
from aksnav.store import Store


def picture(scenario: str) -> Store:
    store = Store()
    for change in demo.changes(scenario, lambda: 1_764_000_000.0):
        store.apply(change)
    return store


@pytest.fixture(scope="module")
def broken() -> Difference:
    return difference(picture("healthy"), picture("s02-no-ready-endpoint"))


def test_a_request_with_another_answer_comes_first(broken: Difference) -> None:
    """Before and after, with the check."""
    lines = list(difference_lines(broken))
    assert lines[:2] == ["requests", "  https://shop.contoso.com/api: ✔ delivered → ✖ responds 503 (S02)"]
    assert broken.ways[0].worse


def test_new_findings_and_changed_fields_are_named(broken: Difference) -> None:
    """The finding by its id, the object by the field that changed."""
    assert [item.id for item in broken.new] == ["S02"]
    assert not broken.gone
    text = "\n".join(difference_lines(broken))
    assert ".endpoints[0].conditions.ready: True → False" in text


def test_the_other_way_round_the_finding_is_gone() -> None:
    """What was mended is told as such."""
    found = difference(picture("s02-no-ready-endpoint"), picture("healthy"))
    assert [item.id for item in found.gone] == ["S02"]
    assert not found.new
    assert not found.ways[0].worse


def test_the_same_picture_twice_does_not_differ() -> None:
    """Nothing is made up."""
    found = difference(picture("healthy"), picture("healthy"))
    assert found.empty
    assert not found.unknown
    assert list(difference_lines(found)) == ["nothing differs"]


def test_a_kind_that_only_one_could_read_is_not_compared_and_said_to_be() -> None:
    """Without Azure nothing is told as removed: it was not read."""
    found = difference(picture("healthy"), picture("no-azure"))
    assert "loadBalancers: only the first could read all of them" in found.unknown
    assert not [item for item in found.objects if item.kind == "loadBalancers"]
    assert all(way.after != "" for way in found.ways)


def test_the_data_say_the_same(broken: Difference) -> None:
    """For scripts, by word instead of sign."""
    data = difference_data(broken)
    assert data["requests"][0]["request"] == "https://shop.contoso.com/api"
    assert {item["change"] for item in data["objects"]} == {"changed"}
    assert data["not_comparable"] == []
