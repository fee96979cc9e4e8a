"""What the screens say of themselves: hints that are never cut, help that names every command, lines that wrap."""

from collections.abc import Iterator

import pytest
from textual.app import App, ComposeResult

from aksnav.model.kinds import find_kind
from aksnav.trace.step import Step
from aksnav.ui import commands
from aksnav.ui.commands import EXAMPLES, parse_command
from aksnav.ui.screens.explorer import HINTS, ExplorerScreen
from aksnav.ui.screens.findings import FindingsScreen
from aksnav.ui.screens.lines import LinesScreen
from aksnav.ui.screens.trace import TraceScreen
from aksnav.ui.screens.who import WhoScreen
from aksnav.ui.text import Span
from aksnav.ui.widgets.hints import HintBar
from aksnav.ui.widgets.strip_bar import elide
from tests.ui.screen import screen_lines, screen_text
from tests.ui.settle import settle
from tests.ui.test_explorer import ONE_BROKEN, SMALL, WIDE, explorer


class HintApp(App[None]):
    """One line of hints."""

    def compose(self) -> ComposeResult:
        yield HintBar(HINTS)


@pytest.mark.parametrize("width", [40, 80, 120, 160])
async def test_hints_are_whole_and_end_with_help(width: int) -> None:
    """As many as fit, in the order of their importance."""
    app = HintApp()
    async with app.run_test(size=(width, 3)) as pilot:
        await pilot.pause()
        line = screen_lines(app)[0].rstrip()
        shown = line.strip().split("  ")
        assert shown[-1] == "? help"
        assert tuple(shown[:-1]) == HINTS[: len(shown) - 1]
        assert len(shown) > 1
        assert len(line) <= width


def told() -> Iterator[str]:
    """Yield the first word of every command that help names."""
    for example, _ in EXAMPLES:
        yield from (word[1:] for word in example.split() if word.startswith(":"))


def test_every_command_that_help_names_is_one_and_none_is_left_out() -> None:
    """A new verb without its line in help fails here; short forms of a verb need none."""
    verbs = {parse_command(word).verb for word in told()}
    assert verbs >= set(commands._VERBS.values()) - {"help", "contexts"}
    assert all(find_kind(word) or word in commands._VERBS for word in told())


async def test_help_begins_with_what_the_screen_does_and_fits_a_small_terminal() -> None:
    """Moving the cursor comes last, keys of the framework not at all."""
    async with explorer("healthy", SMALL) as (app, pilot, _):
        await pilot.press("question_mark")
        await settle(pilot)
        lines = screen_lines(app)
        assert any("Follow the request of the selected row" in line for line in lines[:8])
        assert "super+c" not in screen_text(app)
        await pilot.press("end")
        await settle(pilot)
        assert "Moving" in screen_text(app)


async def test_a_trace_opens_at_the_step_that_its_verdict_speaks_of() -> None:
    """Also where a step before it could not be read."""
    async with explorer("faulty") as (app, pilot, _):
        await pilot.press("t")
        await settle(pilot)
        assert isinstance(app.screen, TraceScreen)
        row = app.screen._ladder.cursor_row
        assert row is not None
        assert isinstance(row.item, Step)
        assert row.item.cause == "I02"


async def test_enter_on_a_finding_tells_it_in_full() -> None:
    """Proof, what a client sees, command and fix, and then the object."""
    async with explorer(ONE_BROKEN) as (app, pilot, _):
        await pilot.press("f")
        await settle(pilot)
        assert isinstance(app.screen, FindingsScreen)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, LinesScreen)
        text = screen_text(app)
        for words in ("S02", ".endpoints[0].conditions.ready = false", "what a client sees", "confirm it", "fix"):
            assert words in text
        assert "clusterIP: 10.0.64.11" in text


@pytest.mark.parametrize("keys", [("w",), ("colon", "w", "h", "o", "enter")])
async def test_who_on_an_entry_point_asks_for_the_service_behind_it(keys: tuple[str, ...]) -> None:
    """An Ingress has no Pods of its own; a command without a subject takes the selected row."""
    async with explorer("healthy") as (app, pilot, _):
        assert isinstance(app.screen, ExplorerScreen)
        row = app.screen._entries.table.cursor_row
        assert row is not None
        assert row.trace is not None
        behind = row.trace.backends[0]
        await pilot.press(*keys)
        await settle(pilot)
        assert isinstance(app.screen, WhoScreen)
        assert f"Service {behind.namespace}/{behind.service}" in screen_text(app)


@pytest.mark.parametrize("word", ["about", "explain", "explain overlay", "health", "explain s"])
async def test_nothing_is_cut_off_on_a_small_terminal(word: str) -> None:
    """Long lines go on in the next one."""
    async with explorer("healthy", SMALL) as (app, pilot, _):
        app.run_command(word)
        await settle(pilot)
        assert isinstance(app.screen, LinesScreen)
        assert not [line for line in screen_lines(app) if line.rstrip(" ▐").endswith("…") and " …" not in line]


async def test_a_policy_of_cilium_is_shown_with_its_selector_in_words() -> None:
    """As kubectl would take it, not as a data structure."""
    async with explorer("healthy", WIDE) as (app, _, _):
        line = next(line for line in screen_lines(app) if "iot/mqtt-from-the-world" in line)
        assert "app=mqtt" in line
        assert "matchLabels" not in line


def test_a_sentence_is_cut_at_its_end_and_a_name_in_its_middle() -> None:
    """What is asked for by the bar that shows it."""
    spans = [Span("because .spec.ports = 80", keep=True)]
    assert "".join(span.text for span in elide(spans, 12, "end")) == "because .sp…"
    assert "".join(span.text for span in elide(spans, 11)) == "becau… = 80"
