""":nsg, :rt and :lb: the parts of Azure's objects, and which of them decide on the open path."""

from tests.ui.screen import screen_lines, screen_text
from tests.ui.settle import settle
from tests.ui.test_confirm import MQTT, typed
from tests.ui.test_explorer import explorer


def line_with(lines: list[str], *words: str) -> str:
    """Return the one line that has all the words."""
    (found,) = [line for line in lines if all(word in line for word in words)]
    return found


async def test_nsg_marks_the_rules_that_decide_on_the_open_path() -> None:
    """Rules in the order in which they are asked; the one that allows the traced request is marked, others are not."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, MQTT)
        await typed(pilot, ":nsg")
        lines = screen_lines(app)
        assert "◀ pass" in line_with(lines, "allow-mqtt", "110", " in ", "20.50.1.9")
        assert "◀" not in line_with(lines, "allow-web", "100", " in ")
        group = [line.split() for line in lines if "nsg-contoso-nodes" in line]
        assert [words for words in group if "in" in words]
        assert [words for words in group if "out" in words]


async def test_nsg_marks_a_rule_that_denies_as_a_break() -> None:
    """A rule of a lower number denies what the one behind it allows."""
    async with explorer("n03-deny-shadows-allow") as (app, pilot, _feed):
        await typed(pilot, MQTT)
        await typed(pilot, ":nsg")
        assert "◀ drop" in screen_text(app)


async def test_lb_shows_frontend_service_probe_and_members_and_marks_the_open_path() -> None:
    """One row for each rule."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, MQTT)
        await typed(pilot, ":lb")
        row = line_with(screen_lines(app), "8883→8883")
        for word in ("◀ pass", "20.50.1.9", "iot/mqtt", "Tcp 31883", "yes", "kubernetes"):
            assert word in row
        assert "◀" not in line_with(screen_lines(app), "10.224.0.40")


async def test_rt_marks_the_route_that_is_taken() -> None:
    """From on premises to the internal portal: the answers go back through the firewall's route."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, ":trace tcp://10.224.0.40:80 from 192.168.1.7")
        await typed(pilot, ":rt")
        row = line_with(screen_lines(app), "to-onprem")
        assert "192.168.0.0/16" in row
        assert "◀" in row


async def test_without_an_open_path_nothing_is_marked_and_the_filter_finds_rules() -> None:
    """An address finds the rules that name it."""
    async with explorer(size=(80, 24)) as (app, pilot, _feed):
        await typed(pilot, ":nsg")
        await pilot.press("slash", *"allow-mqtt", "enter")
        await settle(pilot)
        lines = [line for line in screen_lines(app) if "allow-mqtt" in line]
        assert lines
        assert not [line for line in screen_lines(app) if "allow-web" in line]


async def test_the_cursor_begins_at_the_rule_that_ends_the_open_path() -> None:
    """Of twenty rules the one that matters is under the cursor, and the title says which request it is about."""
    async with explorer("n03-deny-shadows-allow") as (app, pilot, _feed):
        await typed(pilot, MQTT)
        await typed(pilot, ":nsg")
        lines = screen_lines(app)
        assert "open path: tcp://20.50.1.9:8883" in lines[0]
        assert "◀ drop" in next(line for line in lines if line.startswith("▸"))


async def test_rules_behind_the_break_are_said_to_be_not_reached() -> None:
    """The packet does not come to them: they decide nothing."""
    async with explorer("n03-deny-shadows-allow") as (app, pilot, _feed):
        await typed(pilot, MQTT)
        await typed(pilot, ":nsg")
        assert "◀ not reached" in screen_text(app)
        assert "not-reached" not in screen_text(app)


async def test_an_address_finds_the_rules_that_name_it() -> None:
    """As in every other list: an address or a CIDR finds what holds or contains it."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, ":nsg")
        await pilot.press("slash", *"20.50.1.9", "enter")
        await settle(pilot)
        assert "allow-mqtt" in screen_text(app)
        assert "allow-status" not in screen_text(app)


async def test_a_small_terminal_keeps_what_decides_in_a_rule() -> None:
    """Access, source, ports and whose rule it is; destination and protocol go first."""
    async with explorer("n03-deny-shadows-allow", size=(80, 24)) as (app, pilot, _feed):
        await typed(pilot, MQTT)
        await typed(pilot, ":nsg")
        row = next(line for line in screen_lines(app) if line.startswith("▸"))
        for word in ("◀ drop", "300", " in ", "Deny", "Internet", "8883", "aks-"):
            assert word in row
        assert "DESTINATION" not in screen_text(app)
