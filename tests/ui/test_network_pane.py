"""The VNet pane and ``:ips``: bars with figures, when it will run out, and who holds an address."""

import msgspec
import pytest

from aksnav.model.change import Reading, ReadingChanged, Removed, Upserted
from aksnav.ui.app import Explorer
from aksnav.ui.ips import ips_lines
from aksnav.ui.panes.network import Network, Row
from aksnav.ui.screens.explorer import ExplorerScreen
from aksnav.ui.screens.lines import LinesScreen
from tests.ui.payloads import PAYLOADS, harmless
from tests.ui.screen import screen_lines, screen_text
from tests.ui.settle import settle
from tests.ui.test_explorer import SMALL, WIDE, explorer


def pane_of(app: Explorer) -> Network:
    """Return the pane."""
    explorer_screen = next(screen for screen in app.screen_stack if isinstance(screen, ExplorerScreen))
    return explorer_screen._network


def row_of(app: Explorer, name: str) -> Row:
    """Return the row of this name."""
    return next(row for row in pane_of(app).rows() if row.name == name)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_a_subnet_has_a_bar_with_its_share_and_what_is_free(size: tuple[int, int]) -> None:
    """In one of five panes, and alone at 80 columns; by whom, where there is room."""
    async with explorer(size=size) as (app, pilot, _):
        await pilot.press("4")
        await settle(pilot)
        line = next(line for line in screen_lines(app) if "snet-nodes" in line)
        assert "10.224.0.0/26" in line
        assert "▐··· 11 %" in line
        assert "52" in line
        if size == WIDE:
            await pilot.press("enter")
        await settle(pilot)
        assert "6 node" in next(line for line in screen_lines(app) if "snet-nodes" in line)


@pytest.mark.parametrize("size", [WIDE, SMALL])
@pytest.mark.parametrize(
    ("scenario", "title"),
    [("healthy", "✔ fits to the maximum"), ("c04-pod-cidr-small", "✖ runs out: surge upgrade")],
)
async def test_the_title_says_when_it_will_run_out(scenario: str, title: str, size: tuple[int, int]) -> None:
    """A glyph and a word, at every size."""
    async with explorer(scenario, size) as (app, pilot, _):
        await pilot.press("4")
        await settle(pilot)
        assert title in next(line for line in screen_lines(app) if "VNet and subnets" in line)


async def test_pools_tell_their_room_and_what_ends_first() -> None:
    """Behind the ranges, in the pane that fills the screen."""
    async with explorer("c04-pod-cidr-small") as (app, pilot, _):
        await pilot.press("4", "enter")
        await settle(pilot)
        line = next(line for line in screen_lines(app) if "pool apps" in line)
        assert "room for 2" in line
        assert "then Pod CIDR 10.244.0.0/21 is used up" in line


async def test_what_cannot_be_read_stands_in_the_title_instead() -> None:
    """A forecast of what is not readable is none."""
    async with explorer("no-azure") as (app, pilot, _):
        await pilot.press("4")
        await settle(pilot)
        title = next(line for line in screen_lines(app) if "VNet and subnets" in line)
        assert "not read" in title
        assert "fits" not in title


async def test_use_that_nobody_tells_is_no_empty_bar() -> None:
    """Interfaces are refused and Azure's count is missing: a question mark, not free space."""
    async with explorer() as (app, pilot, feed):
        network = next(item for item in app.store.virtual_networks if item.name == "vnet-contoso-prod")
        bare = [msgspec.structs.replace(item, ip_configurations=None) for item in network.subnets]
        feed.push(
            [
                ReadingChanged("networkInterfaces", Reading.DENIED, "", "refused"),
                Removed("networkInterfaces", [item.id for item in app.store.interfaces]),
                Upserted("virtualNetworks", [msgspec.structs.replace(network, usages=None, subnets=tuple(bare))]),
            ]
        )
        await settle(pilot)
        row = row_of(app, "snet-nodes")
        assert (row.used, row.free, row.tone) == (None, None, "unknown")
        assert row.use.startswith("????")


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_ips_shows_the_plan_and_no_line_is_cut(size: tuple[int, int]) -> None:
    """Long lines go on in the next one."""
    async with explorer("kubenet", size) as (app, pilot, _):
        app.run_command("ips")
        await settle(pilot)
        assert isinstance(app.screen, LinesScreen)
        text = screen_text(app)
        assert "address plan · kubenet" in text
        assert "…" not in text
        await pilot.press("q")
        assert isinstance(app.screen, ExplorerScreen)


async def test_ips_of_an_address_says_who_holds_it_and_stays_current() -> None:
    """A Pod that goes while it is looked at becomes a former holder."""
    async with explorer() as (app, pilot, feed):
        pod = next(item for item in app.store.pods if item.id.startswith("shop/api-"))
        app.run_command(f"ips {pod.ip}")
        await settle(pilot)
        assert f"Pod {pod.id} on node {pod.node}" in screen_text(app)
        feed.push([Removed("Pod", [pod.id])])
        await settle(pilot)
        app.screen.follow(0.0)  # type: ignore[attr-defined]  # a screen of lines has it
        await settle(pilot)
        text = screen_text(app)
        assert "nobody is known to hold it" in text
        assert f"Pod {pod.id}: gone since this program watches" in text


async def test_ips_of_nonsense_is_one_line_and_no_screen() -> None:
    """The explorer stays where it is."""
    async with explorer() as (app, pilot, _):
        app.run_command("ips 10.0.0.900")
        await settle(pilot)
        assert isinstance(app.screen, ExplorerScreen)


async def test_a_filter_with_an_address_finds_the_subnet_that_contains_it() -> None:
    """And the range of the cluster, not the other subnets."""
    async with explorer() as (app, pilot, _):
        await pilot.press("4", "slash", *"10.224.1.9", "enter")
        await settle(pilot)
        shown = [line for line in screen_lines(app) if "snet-" in line]
        assert any("snet-endpoints" in line for line in shown)
        assert not any("snet-nodes" in line for line in shown)


async def test_hostile_names_are_only_text() -> None:
    """Of subnets in the pane, and in the view of a range."""
    async with explorer() as (app, pilot, feed):
        network = next(item for item in app.store.virtual_networks if item.name == "vnet-contoso-prod")
        named = [
            msgspec.structs.replace(network.subnets[0], name=payload, arm_id=f"{network.arm_id}/subnets/{number}")
            for number, payload in enumerate(PAYLOADS)
        ]
        feed.push([Upserted("virtualNetworks", [msgspec.structs.replace(network, subnets=tuple(named))])])
        await settle(pilot)
        await pilot.press("4", "enter")
        await settle(pilot)
        for _ in range(len(PAYLOADS) // 30 + 1):
            assert harmless(screen_text(app))
            await pilot.press("pagedown")
            await settle(pilot)
        app.run_command("ips 10.224.0.0/26")
        await settle(pilot)
        assert harmless(screen_text(app))
        assert all(harmless(line[0].text) for line in ips_lines(app.store, "", 160))


async def test_lines_are_wrapped_behind_their_indent() -> None:
    """A line that goes on is further to the right."""
    async with explorer() as (app, _, _):
        lines = [line[0].text for line in ips_lines(app.store, "", 60)]
        assert all(len(line) <= 60 for line in lines)
        assert any(line.startswith("        ") for line in lines)
