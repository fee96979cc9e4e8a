"""The table of Gateway API rows, through the router, whatever the order in which the objects come."""

import pytest

from tests.unit.trace_gateway import (
    rows_backends,
    rows_grpc,
    rows_http,
    rows_listeners,
    rows_parents,
    rows_policies,
    rows_streams,
)
from tests.unit.trace_gateway.row import Row
from tests.unit.trace_gateway.world import asked, cause, cluster, living, outcome, taken, word

_LEAST = 70
ROWS: list[Row] = [
    *rows_listeners.ROWS,
    *rows_parents.ROWS,
    *rows_http.ROWS,
    *rows_backends.ROWS,
    *rows_grpc.ROWS,
    *rows_streams.ROWS,
    *rows_policies.ROWS,
]


@pytest.mark.parametrize("turned", [False, True], ids=["", "turned"])
@pytest.mark.parametrize("row", ROWS, ids=[f"{row.section}: {row.name}" for row in ROWS])
def test_a_request_is_answered_as_the_section_says(row: Row, turned: bool) -> None:
    """The Service, or the verdict and status, and the check of the reason."""
    objects = tuple(reversed(row.objects)) if turned else row.objects
    headers = dict(part.strip().split(": ") for part in row.headers.split(",")) if row.headers else None
    answer = taken(cluster(*objects, cls=row.cls), row.request, headers, cls=row.cls)
    assert (word(answer), cause(answer)) == (row.expected, row.cause)
    assert all(step.evidence for step in answer.steps)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.section}: {row.name}" for row in ROWS])
def test_a_trace_through_the_gateway_comes_to_the_same(row: Row) -> None:
    """From a Pod over the Gateway's Service and proxy to the Pod behind: the same answer, seen from outside."""
    headers = dict(part.strip().split(": ") for part in row.headers.split(",")) if row.headers else None
    answer = asked(living(*row.objects, cls=row.cls), row.request, headers)
    assert outcome(answer) == _seen(row.expected)
    assert row.cause in {"", *answer.causes}


def _seen(expected: str) -> str:
    if expected in {"unsupported", "blind"}:
        return "undecided"
    ends = {part.partition("*")[0] for part in expected.split(" ")} if "*" in expected else {expected}
    return "split" if "*" in expected and ends - {"api", "web"} else " ".join(sorted(ends))


def test_every_row_is_a_row_of_its_own() -> None:
    """No row is counted twice, and each names the section that it comes from."""
    assert len({(row.section, row.name) for row in ROWS}) == len(ROWS) >= _LEAST
    assert all(row.section for row in ROWS)
