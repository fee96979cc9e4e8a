"""The width of the screen is shared among columns."""

from hypothesis import given
from hypothesis import strategies as st

from aksnav.ui.widgets.columns import GAP, Column, place


def column(key: str, width: int, *, least: int = 0, flex: int = 0, most: int = 0, priority: int = 0) -> Column[str]:
    return Column(key, key, str, width=width, min_width=least, flex=flex, max_width=most, priority=priority)


COLUMN = st.builds(
    column,
    st.just("c"),
    st.integers(1, 30),
    least=st.integers(0, 30),
    flex=st.integers(0, 3),
    most=st.sampled_from([0, 20, 40]),
    priority=st.integers(0, 3),
)


@given(st.lists(COLUMN, max_size=10), st.integers(0, 300))
def test_the_width_is_never_exceeded(columns: list[Column[str]], width: int) -> None:
    """Whatever the columns want, a line is not wider than the screen, and the columns keep their order."""
    placed = place(columns, width)
    assert sum(w for _, w in placed) + GAP * max(0, len(placed) - 1) <= width
    assert [index for index, _ in placed] == sorted(index for index, _ in placed)
    assert bool(placed) == bool(columns)


@given(st.lists(COLUMN, min_size=1, max_size=10), st.integers(30, 300))
def test_a_column_that_is_shown_gets_its_least_width(columns: list[Column[str]], width: int) -> None:
    """A column is rather left out than unreadable, and a flexible one respects its bound."""
    for index, got in place(columns, width):
        assert got >= columns[index].least
        if columns[index].max_width:
            assert got <= max(columns[index].max_width, columns[index].width)


def test_the_least_important_column_goes_first() -> None:
    """Of two equal ones the right one goes."""
    columns = [column("a", 10), column("b", 10, priority=2), column("c", 10, priority=1), column("d", 10, priority=2)]
    assert [columns[i].key for i, _ in place(columns, 42)] == ["a", "b", "c"]
    assert [columns[i].key for i, _ in place(columns, 31)] == ["a", "c"]
    assert [columns[i].key for i, _ in place(columns, 5)] == ["a"]


def test_a_column_shrinks_to_its_least_width_before_another_goes() -> None:
    """Important columns get their wish first."""
    columns = [column("a", 20, least=5), column("b", 20, least=5, priority=1)]
    assert place(columns, 31) == [(0, 20), (1, 10)]


def test_flexible_columns_share_the_rest_by_weight() -> None:
    """What is left over goes to them, up to their bounds, to the last cell."""
    assert place([column("a", 10, flex=2), column("b", 10), column("c", 10, flex=1)], 62) == [(0, 30), (1, 10), (2, 20)]
    assert place([column("a", 10, flex=1, most=15), column("b", 10, flex=1)], 41) == [(0, 15), (1, 25)]
    assert place([column("a", 10)], 80) == [(0, 10)]
