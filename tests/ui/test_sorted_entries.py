"""An ascending list in pieces is a sorted list, also where pieces are cut and vanish."""

import random

import pytest

from aksnav.ui.widgets.sorted_entries import PIECE, Entry, SortedEntries


def entries(numbers: range | list[int]) -> list[Entry]:
    """Make entries that ascend as their numbers do."""
    return [(number // 3, number, str(number)) for number in numbers]


def same(found: SortedEntries, expected: list[Entry]) -> None:
    """Compare by every way of looking."""
    assert len(found) == len(expected)
    assert list(found) == expected
    assert [found[at] for at in range(len(expected))] == expected
    assert [found.position(entry) for entry in expected] == list(range(len(expected)))


def test_single_changes_over_many_pieces() -> None:
    """Entries come and go in any order."""
    numbers = list(range(5 * PIECE))
    random.Random(3).shuffle(numbers)  # noqa: S311 - made-up data, the same in every run
    found = SortedEntries()
    for entry in entries(numbers):
        found.add(entry)
    same(found, entries(range(5 * PIECE)))
    for entry in entries(numbers[: 3 * PIECE]):
        found.remove(entry)
    same(found, sorted(entries(numbers[3 * PIECE :])))


@pytest.mark.parametrize("count", [10, 4 * PIECE])
def test_a_batch_is_the_same_whether_it_is_small_or_large(count: int) -> None:
    """A large batch is sorted in at once."""
    found = SortedEntries(entries(range(0, 8 * PIECE, 2)))
    gone, fresh = entries(range(0, 2 * count, 2)), entries(range(1, 2 * count, 2))
    found.change(gone, fresh)
    same(found, sorted({*entries(range(0, 8 * PIECE, 2))} - {*gone} | {*fresh}))


def test_ascending_entries_join_behind_before_and_between() -> None:
    """A filter that works in slices adds at one end, and sometimes in the middle."""
    found = SortedEntries(entries(range(100, 200)))
    found.join(entries(range(300, 400)))
    found.join(entries(range(50)))
    found.join(entries(range(200, 300)))
    found.join([])
    same(found, entries([*range(50), *range(100, 400)]))


def test_no_position_beyond_the_ends() -> None:
    """Positions are not counted from the end."""
    for position in (-1, 3):
        with pytest.raises(IndexError):
            SortedEntries(entries(range(3)))[position]
