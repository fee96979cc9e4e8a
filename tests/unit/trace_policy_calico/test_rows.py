"""Every row of the table, through the judge."""

import pytest

from tests.unit.trace_policy_calico.cluster import steps, word, world
from tests.unit.trace_policy_calico.row import Row
from tests.unit.trace_policy_calico.rows import ROWS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.page}: {row.says}")
def test_a_connection_is_decided_as_the_reference_says(row: Row) -> None:
    """The row's page says it."""
    found = steps(world(*row.objects), row.source, row.target, row.port, row.protocol)
    assert word(found) == row.want, [step.summary for step in found]


def test_there_are_rows_enough_and_each_says_something_else() -> None:
    """At least sixty, no two of them with the same words."""
    assert len(ROWS) >= 60
    assert len({(row.page, row.says) for row in ROWS}) == len(ROWS)
