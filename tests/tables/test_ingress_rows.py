"""The project's own table of Ingress routing: every row through ``aksnav.trace.trace``, with its section."""

import pytest

from tests.oracles.around import answer, around, ask
from tests.tables import agic_rows, app_routing_rows, nginx_rows, nginx_rows_behind, specification_rows
from tests.tables.rows import Row

ROWS: list[Row] = [
    *specification_rows.ROWS,
    *nginx_rows.ROWS,
    *nginx_rows_behind.ROWS,
    *agic_rows.ROWS,
    *app_routing_rows.ROWS,
]


def test_the_table_has_at_least_120_rows() -> None:
    """Each with a section, and no row twice."""
    assert len(ROWS) >= 120
    assert all(row.section for row in ROWS)
    assert len({(row.label, row.controller, row.url) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.label} [{row.controller}]" for row in ROWS])
def test_a_row_is_answered_as_its_section_says(row: Row) -> None:
    """The Service that takes the request, the status, or what is not modelled."""
    store = around(
        row.ingresses,
        row.controller,
        absent=row.absent,
        unready=row.unready,
        services=row.services,
        objects=row.objects,
    )
    found = ask(store, row.url, row.controller, row.headers, row.method)
    assert answer(found).startswith(row.answer) if ": " in row.answer else answer(found) == row.answer
