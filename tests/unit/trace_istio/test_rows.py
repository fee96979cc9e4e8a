"""The table of Istio rows, through trace(), whatever the order in which the objects come."""

import pytest

from tests.unit.trace_istio import rows_gateway, rows_http, rows_security
from tests.unit.trace_istio.row import Row
from tests.unit.trace_istio.world import asked, cause, living, word

_LEAST = 150
ROWS: list[Row] = [*rows_gateway.ROWS, *rows_http.ROWS, *rows_security.ROWS]


@pytest.mark.parametrize("turned", [False, True], ids=["", "turned"])
@pytest.mark.parametrize("row", ROWS, ids=[f"{row.section}: {row.name}" for row in ROWS])
def test_a_request_comes_to_what_the_section_says(row: Row, turned: bool) -> None:
    """The Pods, or the verdict and status, and the check of the reason; undecided has a name for why."""
    objects = tuple(reversed(row.objects)) if turned else row.objects
    store = living(*objects, meshed=row.meshed, unready=row.unready, policy=row.policy)
    headers = dict(part.strip().split(": ") for part in row.headers.split(",")) if row.headers else None
    answer = asked(store, row.request, headers, row.source, row.method)
    assert (word(answer), cause(answer)) == (row.expected, row.cause)
    assert all(step.evidence and step.subject for step in answer.breaks)
    assert answer.confidence.because or row.expected != "undecided"


def test_every_row_is_a_row_of_its_own() -> None:
    """No row is counted twice, and each names the section that it comes from."""
    assert len({(row.section, row.name) for row in ROWS}) == len(ROWS) >= _LEAST
    assert all(row.section for row in ROWS)
