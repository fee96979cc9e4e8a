"""What lists and panes say: the deciding column, how a kind can be read, and what is not known."""

import pytest

from aksnav.model.change import Upserted
from tests.ui.screen import screen_lines, screen_text
from tests.ui.settle import settle
from tests.ui.test_confirm import typed
from tests.ui.test_explorer import explorer

SMALL = (80, 24)


def row_of(lines: list[str], word: str) -> str:
    """Return the first line with a word."""
    return next(line for line in lines if word in line)


async def test_nodes_and_pods_say_their_state_in_their_own_lists() -> None:
    """S brings to the top what is not ready."""
    async with explorer("x07-node-not-ready") as (app, pilot, _feed):
        await typed(pilot, ":no")
        await pilot.press("S")
        await settle(pilot)
        assert "unknown" in screen_lines(app)[2]
        await typed(pilot, ":po")
        assert "RESTARTS" in screen_lines(app)[1]
    async with explorer("x01-crash-loop") as (app, pilot, _feed):
        await typed(pilot, ":po")
        await pilot.press("S")
        await settle(pilot)
        assert "shop/blog" in screen_lines(app)[2]
        assert "CrashLoopBackOff" in screen_lines(app)[2]
        await pilot.press("T")
        await settle(pilot)
        assert "shop/blog" in screen_lines(app)[2]


async def test_services_and_slices_say_how_many_endpoints_are_ready() -> None:
    """The figure that decides stands in the lists, too."""
    async with explorer("s02-no-ready-endpoint") as (app, pilot, _feed):
        await typed(pilot, ":svc shop")
        assert "0/3" in row_of(screen_lines(app), "shop/api")
        await typed(pilot, ":eps shop")
        row = row_of(screen_lines(app), "shop/api-")
        assert "0/3" in row
        assert "(10.244." in row


async def test_networks_say_the_state_of_their_peerings() -> None:
    """A peering that is not connected is why nothing comes through."""
    async with explorer("r06-peering-disconnected") as (app, pilot, _feed):
        await typed(pilot, ":vnet")
        assert "vnet-contoso-hub:Disconnected" in row_of(screen_lines(app), "vnet-contoso-prod")


async def test_interfaces_of_one_scale_set_are_told_apart() -> None:
    """They all have the name of the set: the number of the machine stands beside it."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, ":nic")
        assert "aks-apps-27513406-vmss 1" in row_of(screen_lines(app), "10.224.0.7")


async def test_ways_in_are_named_by_short_kind_and_whole_name() -> None:
    """The name tells two ways in apart, not the word of the kind."""
    async with explorer("s02-no-ready-endpoint") as (app, _pilot, _feed):
        assert "ing shop/shop" in row_of(screen_lines(app), "https://shop.contoso.com/api")


async def test_a_kind_that_one_namespace_shows_is_not_called_unreadable() -> None:
    """Rows are there: the title says of which namespace; in that namespace nothing is missing."""
    async with explorer("namespace-only", SMALL) as (app, pilot, _feed):
        await pilot.press("2")
        await settle(pilot)
        assert "read in shop only: services" in screen_lines(app)[1]
        await typed(pilot, ":ns shop")
        assert "only" not in screen_lines(app)[1]
        assert "forbidden" not in screen_text(app)


async def test_an_empty_pane_tells_its_reason_once_and_to_its_end() -> None:
    """Over several lines where it is long."""
    async with explorer("no-azure", SMALL) as (app, pilot, _feed):
        await pilot.press("4")
        await settle(pilot)
        assert screen_text(app).count("no Azure credentials") == 1
        assert "or go on without the Azure plane" in " ".join(screen_text(app).split())


async def test_no_way_in_is_not_said_where_some_are_undecided() -> None:
    """What leads to a Service is not known where the roads cannot be followed to their end."""
    async with explorer("namespace-only", SMALL) as (app, pilot, _feed):
        await pilot.press("2")
        await settle(pilot)
        assert "ways in that lead here: none known, 5 undecided; t traces to it from inside" in screen_text(app)
    async with explorer("healthy", SMALL) as (app, pilot, _feed):
        await pilot.press("2", "home")
        await settle(pilot)
        assert "no way in from outside leads here; t traces to it from inside" in screen_text(app)


async def test_t_on_what_takes_no_requests_says_what_it_is_for() -> None:
    """A policy is no target."""
    async with explorer() as (app, pilot, _feed):
        await pilot.press("5", "t")
        await settle(pilot)
        told = " ".join(screen_text(app).replace("▌", " ").split())
        assert "networkpolicies take no requests" in told


async def test_findings_and_peers_say_of_when_they_are() -> None:
    """They do not follow the store: r asks again."""
    async with explorer("s02-no-ready-endpoint") as (app, pilot, _feed):
        await pilot.press("f")
        await settle(pilot)
        assert "swept just now, r again" in screen_lines(app)[0]
        await typed(pilot, ":who svc/shop/api")
        assert "asked just now, r again" in screen_lines(app)[0]


async def test_a_small_terminal_shows_which_policy_decides() -> None:
    """Who is denied is half of the answer."""
    async with explorer("healthy", SMALL) as (app, pilot, _feed):
        await typed(pilot, ":who svc/payments/payments")
        assert "BECAUSE OF" in screen_lines(app)[1]


async def test_events_stand_with_the_latest_first() -> None:
    """As somebody reads them who asks what just happened."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, ":ev")
        assert "LAST SEEN▼" in screen_lines(app)[1]
        assert "Service app-routing-system/nginx" in screen_text(app)


@pytest.mark.parametrize("command", [":svc", ":nsg"])
async def test_the_cursor_stays_on_its_row_while_the_list_is_read_again(command: str) -> None:
    """A refresh brings new versions of the rows; what was looked at stays under the cursor."""
    async with explorer() as (app, pilot, feed):
        await typed(pilot, command)
        await pilot.press(*["down"] * 4)
        before = next(line for line in screen_lines(app) if line.startswith("▸"))
        kind = "Service" if command == ":svc" else "networkSecurityGroups"
        feed.push([Upserted(kind, list(app.store.tables[kind]))])
        await settle(pilot)
        assert next(line for line in screen_lines(app) if line.startswith("▸")) == before


async def test_a_cluster_that_does_not_run_says_so_beside_its_name() -> None:
    """Nothing else on the screen matters then."""
    async with explorer("k04-cluster-stopped", SMALL) as (app, _pilot, _feed):
        assert "aks-contoso-prod · STOPPED" in screen_lines(app)[0]


async def test_rows_of_the_first_list_are_not_marked_as_changed() -> None:
    """A mark on every row says nothing; help tells what the marks mean."""
    async with explorer("healthy") as (app, pilot, _feed):
        await pilot.press("question_mark", "end")
        await settle(pilot)
        assert "changed within the last seconds" in screen_text(app)
        await pilot.press("q")
        await settle(pilot)
        assert not any(line.startswith((" ·", "▸·")) for line in screen_lines(app))
