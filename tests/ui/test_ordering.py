"""Rows stay in order and filtered, whatever happens to them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aksnav.ui.widgets.ordering import OrderedRows


@dataclass(frozen=True)
class Item:
    key: str
    weight: int


KEYS = st.integers(0, 40).map(str)
ITEMS = st.builds(Item, KEYS, st.integers(0, 5))


def by_weight(item: Item) -> int:
    return item.weight


def light(item: Item) -> bool:
    return item.weight < 3


@dataclass
class Expected:
    """The same by the simplest means: everything is sorted and filtered again each time it is asked for."""

    rows: dict[str, Item] = field(default_factory=dict)
    arrival: list[str] = field(default_factory=list)
    order: Callable[[Item], int] | None = None
    reverse: bool = False
    accepts: Callable[[Item], bool] | None = None

    def view(self) -> list[str]:
        keys = list(self.arrival)
        if self.order:
            order = self.order
            keys.sort(key=lambda key: order(self.rows[key]), reverse=self.reverse)
        return [key for key in keys if self.accepts is None or self.accepts(self.rows[key])]


class RowsAgainstSorting(RuleBasedStateMachine):
    """Drives OrderedRows and its simple twin with the same changes."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = OrderedRows[Item](lambda item: item.key)
        self.expected = Expected()

    @rule(items=st.lists(ITEMS, max_size=40, unique_by=lambda item: item.key), first=st.none() | st.integers(1, 20))
    def replace(self, items: list[Item], first: int | None) -> None:
        self.rows.replace(items, first=first)
        self.expected.rows = {item.key: item for item in items}
        self.expected.arrival = [item.key for item in items]

    @rule(items=st.lists(ITEMS, max_size=60), removed=st.sets(KEYS, max_size=10))
    def apply(self, items: list[Item], removed: set[str]) -> None:
        changed = {item.key: item for item in items}
        self.rows.apply(changed, removed)
        gone = removed - changed.keys()
        self.expected.rows = {k: v for k, v in self.expected.rows.items() if k not in gone} | changed
        kept = [key for key in self.expected.arrival if key not in gone]
        self.expected.arrival = kept + [key for key in changed if key not in kept]

    @rule(sort=st.booleans(), reverse=st.booleans())
    def sort(self, *, sort: bool, reverse: bool) -> None:
        self.expected.order, self.expected.reverse = (by_weight if sort else None), sort and reverse
        self.rows.sort(self.expected.order, reverse=self.expected.reverse)

    @rule(wanted=st.booleans(), first=st.none() | st.integers(0, 20))
    def filter(self, *, wanted: bool, first: int | None) -> None:
        self.expected.accepts = light if wanted else None
        self.rows.filter(self.expected.accepts, first=first)

    @rule(count=st.integers(1, 30))
    def go_on(self, count: int) -> None:
        self.rows.go_on(count)

    @invariant()
    def same_view(self) -> None:
        view = self.expected.view()
        if self.rows.filtering:
            part = [self.rows.key_at(i) for i in range(self.rows.shown)]
            assert part == [key for key in view if key in set(part)]
            assert [self.rows.index(key) for key in part] == list(range(len(part)))
            return
        assert [self.rows.key_at(i) for i in range(self.rows.shown)] == view
        assert self.rows.total == len(self.expected.rows)
        assert [self.rows.index(key) for key in view] == list(range(len(view)))
        assert all(self.rows.index(key) is None for key in self.expected.rows if key not in view)
        assert all(self.rows.get(key) == row for key, row in self.expected.rows.items())


TestRowsAgainstSorting = RowsAgainstSorting.TestCase
TestRowsAgainstSorting.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


@given(st.lists(ITEMS, min_size=500, max_size=500))
@settings(max_examples=5, deadline=None)
def test_a_large_batch_and_single_changes_give_the_same_view(items: list[Item]) -> None:
    """The two ways in which changes are sorted in agree."""
    changed = {f"{i}-{item.key}": Item(f"{i}-{item.key}", item.weight) for i, item in enumerate(items)}
    batch, single = OrderedRows[Item](lambda i: i.key), OrderedRows[Item](lambda i: i.key)
    for rows in (batch, single):
        rows.sort(by_weight, reverse=True)
        rows.filter(light)
    batch.apply(changed)
    for key, row in changed.items():
        single.apply({key: row})
    assert [batch.key_at(i) for i in range(batch.shown)] == [single.key_at(i) for i in range(single.shown)]


def test_an_unknown_removal_does_no_harm() -> None:
    """A deletion may arrive for a row that was never shown."""
    rows = OrderedRows[Item](lambda item: item.key)
    rows.apply({}, {"nobody"})
    assert (rows.total, rows.shown, rows.index("nobody"), rows.get("nobody")) == (0, 0, None, None)
