"""The screen of w: who can talk to an object, on the built-in cluster and with hostile names."""

from typing import Any

import msgspec

from aksnav.model.change import Upserted
from aksnav.model.kubernetes.workload import PodTemplate
from aksnav.trace.policy.reach import talk
from aksnav.trace.policy.subject import parse_subject
from aksnav.ui.screens.explorer import ExplorerScreen
from aksnav.ui.screens.trace import TraceScreen
from aksnav.ui.screens.who import WhoScreen
from tests.ui.payloads import PAYLOADS, harmless
from tests.ui.screen import screen_lines, screen_text
from tests.ui.settle import settle
from tests.ui.test_explorer import explorer


async def test_w_on_a_service_shows_its_peers_with_ports_verdict_and_policy() -> None:
    """Every peer both ways, with a word beside the glyph, and the policy that denies."""
    async with explorer() as (app, pilot, _):
        await pilot.press("2")
        assert isinstance(app.screen, ExplorerScreen)
        app.screen._services.table.go_to("shop/web")
        await pilot.press("w")
        await settle(pilot)
        assert isinstance(app.screen, WhoScreen)
        text = screen_text(app)
        assert "Who can talk" in text
        assert "Service shop/web · Cilium" in text
        denied = [line for line in screen_lines(app) if "payments StatefulSet ledger" in line]
        assert any("✖ denied" in line and "payments/" in line for line in denied)
        assert any("✔ allowed" in line for line in screen_lines(app))


async def test_the_screen_has_the_rows_of_the_command() -> None:
    """What is asked in slices is what is asked at once."""
    async with explorer() as (app, pilot, _):
        app.run_command("who svc/shop/web")
        await settle(pilot)
        assert isinstance(app.screen, WhoScreen)
        rows = talk(app.store, parse_subject(app.store, "svc/shop/web")).rows
        assert app.screen._peers.rows() == rows
        assert app.screen._peers.table.total == len(rows)


async def test_enter_follows_one_connection_and_agrees_with_the_row() -> None:
    """The trace of a denied row is dropped by a policy."""
    async with explorer() as (app, pilot, _):
        app.run_command("who svc/shop/web")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, WhoScreen)
        denied = next(row for row in screen._peers.rows() if row.allowed is False and "ledger" in str(row.peer))
        screen._peers.table.go_to(screen._peers.key(denied))
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, TraceScreen)
        answer = app.screen.entry.trace
        assert answer is not None
        assert answer.outcome == "dropped"


async def test_other_objects_say_in_one_line_that_they_have_no_pods() -> None:
    """An Ingress is nobody's peer; a subject that is none is said to be none."""
    async with explorer() as (app, pilot, _):
        app.run_command("who nothing/of/this/kind")
        await settle(pilot)
        assert isinstance(app.screen, ExplorerScreen)
        assert "is none of" in screen_text(app)


async def test_hostile_names_of_peers_do_nothing() -> None:
    """Owners' names from the cluster are drawn, and none of their bytes acts."""
    async with explorer() as (app, pilot, _):
        pod = next(pod for pod in app.store.pods if pod.namespace == "shop")
        bad: list[Any] = [
            msgspec.structs.replace(
                pod,
                name=f"evil-{number}",
                ips=(f"10.244.200.{number + 1}",),
                template=PodTemplate.of(owner_kind="Job", owner_name=payload),
            )
            for number, payload in enumerate(PAYLOADS)
        ]
        app.store.apply(Upserted("Pod", bad))
        app.run_command("who svc/shop/web")
        await settle(pilot)
        assert harmless(screen_text(app))
