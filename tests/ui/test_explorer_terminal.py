"""The explorer on real terminals: what it costs, what it says without colours, in tmux, and where it is refused."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ui.terminal import ROOT, Terminal, python

BYTES_PER_MOVE = 800
COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
PROGRAM = """
from tests.ui.demo_feed import NOW, DemoFeed
from aksnav.ui.app import Explorer
Explorer(DemoFeed("s02-no-ready-endpoint"), clock=lambda: NOW).run(mouse=False)
"""


def loaded(text: str) -> bool:
    """Whether every pane has its rows, and the road of the entry point that fails is shown."""
    return all(word in text for word in ("✖ responds", "✔ delivered", "Request path:", "✖ 1 failing", "? 0 undecided"))


@contextmanager
def explorer(columns: int = 160, lines: int = 50, env: dict[str, str] | None = None) -> Iterator[Terminal]:
    """Run the explorer on a cluster with one fault that stands still, until it has come to rest."""
    with Terminal(python("-c", PROGRAM), columns=columns, lines=lines, env=env) as terminal:
        terminal.read_until(loaded, limit=60.0)
        terminal.quiet(silence=1.0)
        yield terminal


def move(terminal: Terminal, count: int = 6) -> list[int]:
    """Move the cursor so often, each time when all is quiet, and answer with the bytes of each move."""
    costs = []
    for _ in range(count):
        terminal.write("j")
        costs.append(len(terminal.quiet()))
    assert all(costs)
    return sorted(costs)


def test_moving_the_cursor_costs_little() -> None:
    """In an opened pane two lines are written where the path stays the same; with another path it is twice that."""
    with explorer() as terminal:
        terminal.write("3")
        terminal.quiet()
        terminal.write("\r")
        terminal.quiet()
        costs = move(terminal, 10)
        assert costs[0] <= BYTES_PER_MOVE
        assert costs[len(costs) // 2] <= 2 * BYTES_PER_MOVE


@pytest.mark.parametrize("pane", ["1", "2", "3", "5"])
def test_links_in_all_panes_cost_a_few_lines_and_no_page(pane: str) -> None:
    """Marks are set and taken in five panes and another path is shown: three times a move's bytes in the middle."""
    with explorer() as terminal:
        terminal.write(pane)
        terminal.quiet()
        costs = move(terminal)
        assert costs[len(costs) // 2] <= 3 * BYTES_PER_MOVE


def test_nothing_is_written_while_nothing_changes() -> None:
    """Ages do not tick and nothing blinks: a slow line is left alone."""
    with explorer() as terminal:
        assert terminal.read_for(3.0) == b""


def test_another_size_and_back() -> None:
    """One pane at a time at 80x24; the picture at 160x45 is the same before and after."""
    with explorer(lines=45) as terminal:
        before = terminal.text()
        terminal.resize(80, 24)
        terminal.read_until(lambda text: "2 Services" not in text and "Request path" in text)
        terminal.quiet()
        assert max(map(len, terminal.text().split("\n"))) <= 80
        terminal.resize(160, 45)
        terminal.read_until(lambda text: "2 Services" in text)
        terminal.quiet()
        assert terminal.text() == before


@pytest.mark.parametrize(
    "env",
    [{"NO_COLOR": "1"}, {"TERM": "screen", "COLORTERM": ""}, {"TERM": "xterm", "COLORTERM": ""}],
    ids=["no colour", "screen", "xterm"],
)
def test_verdicts_are_told_by_glyph_and_word(env: dict[str, str]) -> None:
    """Colour adds to what is said and never carries it."""
    with explorer(env=env) as terminal:
        text = terminal.text()
        assert "✖ responds 503" in text
        assert "✔ delivered" in text
        assert "✖ respond " in text


def test_sixteen_colours_are_all_that_is_sent_to_a_terminal_with_sixteen() -> None:
    """No true colours and none of 256 where the terminal did not say that it has them."""
    with explorer(env={"TERM": "screen", "COLORTERM": ""}) as terminal:
        codes = b";".join(code[2:-1] for code in COLOUR.findall(terminal.written))
        assert b"38;2" not in codes
        assert b"38;5" not in codes


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_inside_tmux(tmp_path: Path) -> None:
    """What tmux shows has the verdicts, and the keys work."""
    tmux = [str(shutil.which("tmux")), "-S", str(tmp_path / "socket"), "-f", "/dev/null"]
    command = [*tmux, "new-session", "-s", "x", *python("-c", PROGRAM)]
    try:
        with Terminal(command, columns=160, lines=50) as terminal:
            terminal.read_until(loaded, limit=60.0)
            terminal.write("2")
            terminal.read_until(lambda text: "▶2 Services" in text)
            assert "✖ responds 503" in terminal.text()
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_move_its_cursor_is_refused_in_one_line(term: str) -> None:
    """The line names the reason and what can be done instead; no control sequence is sent."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": term}
    done = subprocess.run(
        [sys.executable, "-m", "aksnav", "demo"], check=False, capture_output=True, cwd=ROOT, env=environment, text=True
    )
    assert done.returncode != 0
    assert "\x1b" not in done.stdout + done.stderr
    assert len(done.stderr.strip().split("\n")) == 1
    assert "aksnav trace" in done.stderr
