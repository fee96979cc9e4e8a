"""What the table writes to a real pseudo-terminal of 160 columns and 50 lines."""

from collections.abc import Iterator

import pytest

from tests.ui.payloads import PAYLOADS
from tests.ui.terminal import Terminal, python

BYTES_PER_MOVE = 800


def cursor_on(name: str) -> str:
    """How a line begins that has the cursor."""
    return f"▸ {name}"


@pytest.fixture(scope="module")
def terminal() -> Iterator[Terminal]:
    """A table of 2,000 rows, painted and idle."""
    with Terminal(python("tests/ui/table_app.py", "2000"), columns=160, lines=50) as terminal:
        terminal.read_until(lambda text: cursor_on("row-000000") in text and "row-000048" in text)
        terminal.quiet()
        yield terminal


def press(terminal: Terminal, key: str, name: str) -> int:
    """Press a key, wait until the cursor is on a row, and answer with the bytes that it cost."""
    terminal.write(key)
    written = terminal.read_until(lambda text: cursor_on(name) in text and text.count("▸") == 1)
    return len(written + terminal.quiet())


def test_moving_the_cursor_costs_little(terminal: Terminal) -> None:
    """Two lines are written, the one that the cursor leaves and the one that it enters."""
    costs = [press(terminal, "j", f"row-{number:06}") for number in range(1, 6)]
    assert max(costs) <= BYTES_PER_MOVE
    assert press(terminal, "k", "row-000004") <= BYTES_PER_MOVE


def test_nothing_is_written_while_nothing_happens(terminal: Terminal) -> None:
    """An idle screen leaves a slow line alone."""
    assert terminal.read(0.5) == b""


def test_a_jump_to_the_end_shows_the_last_rows(terminal: Terminal) -> None:
    """What the terminal shows after partial repaints is what the table means."""
    press(terminal, "G", "row-001999")
    lines = terminal.text().split("\n")
    assert [line[2:12] for line in lines[1:50]] == [f"row-{number:06}" for number in range(1951, 2000)]
    press(terminal, "k", "row-001998")
    assert terminal.text().split("\n")[49].startswith("  row-001999")
    press(terminal, "g", "row-000000")


WIDE_PROGRAM = """
from tests.ui.payloads import PAYLOADS
from tests.ui.table_app import Record, TableApp
app = TableApp(0)
app.call_later(lambda: app.table.set_rows([Record(n, text[:40], "ready") for n, text in enumerate(PAYLOADS)]))
app.run(mouse=False)
"""


def test_a_terminal_keeps_columns_aligned_behind_any_text() -> None:
    """An emulator that measures characters by itself puts the second column where the header has it."""
    with Terminal(python("-c", WIDE_PROGRAM), columns=160, lines=60) as terminal:
        terminal.read_until(lambda text: "▸" in text and "waiting" not in text and text.count("ready") == len(PAYLOADS))
        cells = terminal.screen.buffer
        x = next(x for x in range(160) if "".join(cells[0][x + i].data for i in range(5)) == "STATE")
        for y in range(1, len(PAYLOADS) + 1):
            assert "".join(cells[y][x + i].data for i in range(6)) == "ready "
