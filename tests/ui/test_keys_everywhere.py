"""Keys and commands that mean the same on every screen: what fingers that know k9s expect."""

import pytest

from aksnav.model.kinds import KINDS
from aksnav.ui.commands import BadCommand, kind_argument
from aksnav.ui.screens.explorer import ExplorerScreen
from aksnav.ui.screens.lines import LinesScreen
from aksnav.ui.screens.table import TableScreen
from aksnav.ui.screens.trace import TraceScreen
from aksnav.ui.screens.who import WhoScreen
from tests.ui.screen import screen_lines, screen_text
from tests.ui.settle import settle
from tests.ui.test_confirm import typed
from tests.ui.test_explorer import explorer


@pytest.mark.parametrize(
    ("line", "kind"),
    [(":po", TableScreen), (":about", LinesScreen), (":trace https://shop.contoso.com/", TraceScreen)],
)
async def test_the_command_line_opens_over_any_screen_and_escape_leaves_it_there(line: str, kind: type) -> None:
    """A command that is not typed to its end, or that is not understood, closes nothing."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, line)
        assert isinstance(app.screen, kind)
        await pilot.press("colon", "s", "escape")
        await settle(pilot)
        assert isinstance(app.screen, kind)
        await typed(pilot, ":nosuch")
        assert isinstance(app.screen, kind)
        assert "no such command or kind: nosuch" in screen_text(app)
        await typed(pilot, ":svc")
        assert isinstance(app.screen, TableScreen)
        assert len(app.screen_stack) == 2


async def test_who_asks_about_the_row_that_is_looked_at() -> None:
    """In a list of Services it is the Service under the cursor, and not what the panes had selected before."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, ":svc shop")
        await typed(pilot, ":who")
        assert isinstance(app.screen, WhoScreen)
        assert "Service shop/api" in screen_lines(app)[0]


async def test_the_namespace_holds_in_every_list() -> None:
    """Chosen once, it is shown in the title of each list; zero takes it back."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, ":ns media")
        await typed(pilot, ":po")
        text = screen_text(app)
        assert "ns media" in screen_lines(app)[0]
        assert "media/images-" in text
        assert "shop/" not in text
        await typed(pilot, ":svc shop")
        assert "shop/api" in screen_text(app)
        assert "media/images" not in screen_text(app)
        await pilot.press("0")
        await settle(pilot)
        assert "media/images" in screen_text(app)
        await typed(pilot, ":no")
        assert "ns " not in screen_lines(app)[0]


async def test_a_namespace_that_does_not_exist_is_refused() -> None:
    """An empty screen would look as if nothing ran there."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, ":ns shopp")
        assert "there is no namespace shopp; n lists them" in screen_text(app)
        assert app.namespace == ""


async def test_where_namespaces_cannot_be_read_any_name_is_taken() -> None:
    """Whether it exists is not known."""
    async with explorer("namespace-only") as (app, pilot, _feed):
        await typed(pilot, ":ns elsewhere")
        assert app.namespace == "elsewhere"


async def test_a_list_can_be_filtered_from_the_command_line() -> None:
    """A regular expression behind a stroke, or a label."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, ":po /ledger")
        assert "payments/ledger" in screen_text(app)
        assert "shop/" not in screen_text(app)
        await typed(pilot, ":po app=ledger")
        assert "payments/ledger" in screen_text(app)
        assert "shop/" not in screen_text(app)


def test_words_behind_a_kind_are_read_as_k9s_reads_them() -> None:
    """Namespace, filter or labels; what is none of these is refused."""
    pods = KINDS["Pod"]
    assert kind_argument(pods, "shop") == ("shop", "")
    assert kind_argument(pods, "/web-.*") == ("", "web-.*")
    assert kind_argument(pods, "app=web,tier!=db") == ("", "-l app=web,tier!=db")
    assert kind_argument(pods, "!web") == ("", "!web")
    assert kind_argument(pods, "") == ("", "")
    with pytest.raises(BadCommand, match="are in no namespace"):
        kind_argument(KINDS["Node"], "shop")
    with pytest.raises(BadCommand, match="not understood"):
        kind_argument(pods, "shop web")


@pytest.mark.parametrize("command", [":svc", ":po", ":no", ":nsg", ":rt", ":lb"])
async def test_capital_letters_sort_every_list(command: str) -> None:
    """The arrow is at the column; again turns it round."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, command)
        assert isinstance(app.screen, TableScreen)
        await pilot.press("I")
        await settle(pilot)
        assert app.screen.table.sorted_by[0] in {"address", "prefix", "destination"}
        assert "▲" in screen_lines(app)[1]
        await pilot.press("I")
        await settle(pilot)
        assert "▼" in screen_lines(app)[1]


async def test_a_list_without_such_a_column_says_so() -> None:
    """No key does nothing without a word."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, ":ing")
        await pilot.press("T")
        await settle(pilot)
        assert "nothing to sort by restarts here" in screen_text(app)


async def test_q_closes_what_escape_closes_and_says_how_to_leave() -> None:
    """In the panes it does not leave the program: that is :q."""
    async with explorer() as (app, pilot, _feed):
        await pilot.press("2", "enter", "q")
        await settle(pilot)
        assert "Nodes and Pods" in screen_text(app)
        await pilot.press("q")
        await settle(pilot)
        assert ":q or ctrl+c leaves" in screen_text(app)
        assert isinstance(app.screen, ExplorerScreen)


@pytest.mark.parametrize("command", [":po", ":about", ":trace https://shop.contoso.com/"])
async def test_every_screen_says_that_changes_are_held_back(command: str) -> None:
    """What is on the screen may be old: not only the panes say so."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, command)
        await pilot.press("p")
        await settle(pilot)
        assert "PAUSED" in screen_lines(app)[0]
        await pilot.press("p")
        await settle(pilot)
        assert "PAUSED" not in screen_lines(app)[0]


async def test_the_steps_of_a_trace_can_be_filtered_and_the_filter_dropped() -> None:
    """The ladder says that it does not show every step; back drops the filter first."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, ":trace https://shop.contoso.com/")
        await pilot.press("slash", *"az.nsg", "enter")
        await settle(pilot)
        text = screen_text(app)
        assert "/az.nsg: not every step is shown" in text
        assert "dns.resolve" not in text
        await pilot.press("backspace")
        await settle(pilot)
        assert "dns.resolve" in screen_text(app)
        await pilot.press("backspace")
        await settle(pilot)
        assert isinstance(app.screen, ExplorerScreen)


async def test_n_goes_to_the_next_break_from_the_evidence_too() -> None:
    """As long as nothing was looked for in the text, its search keys are the screen's."""
    async with explorer("s02-no-ready-endpoint") as (app, pilot, _feed):
        await pilot.press("t")
        await settle(pilot)
        assert isinstance(app.screen, TraceScreen)
        await pilot.press("home", "tab", "n")
        await settle(pilot)
        assert "k8s.endpoint" in next(line for line in screen_lines(app) if line.startswith("▸"))


async def test_a_bad_filter_leaves_the_one_before() -> None:
    """A slip of the finger shows nothing else than before, and says what is wrong."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, ":po /ledger")
        await pilot.press("slash", "ctrl+u", "left_parenthesis", "enter")
        await settle(pilot)
        assert "not a regular expression" in screen_text(app)
        assert "payments/ledger" in screen_text(app)
        assert "shop/" not in screen_text(app)
