"""The explorer on the built-in cluster: what it shows, what is linked, and what it does while the cluster changes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from textual import events
from textual.pilot import Pilot

from aksnav.model.change import Change, Reading, ReadingChanged, SourceChanged, Upserted
from aksnav.model.decode import decode_object
from aksnav.model.kinds import KINDS
from aksnav.model.kubernetes.service import EndpointConditions, EndpointSlice
from aksnav.sources import demo
from aksnav.store import Store
from aksnav.trace import walk
from aksnav.trace.request import Request
from aksnav.trace.step import Trace
from aksnav.ui.app import Explorer
from aksnav.ui.screens.explorer import ExplorerScreen
from aksnav.ui.screens.lines import LinesScreen
from aksnav.ui.screens.table import TableScreen
from aksnav.ui.screens.trace import TraceScreen
from tests.ui.demo_feed import NOW, DemoFeed
from tests.ui.payloads import PAYLOADS, harmless
from tests.ui.screen import screen_lines, screen_text
from tests.ui.settle import settle

WIDE, SMALL = (160, 45), (80, 24)
ONE_BROKEN = "s02-no-ready-endpoint"
API = "https://shop.contoso.com/api"


@asynccontextmanager
async def explorer(
    scenario: str = "healthy", size: tuple[int, int] = WIDE, extra: list[Change] | None = None
) -> AsyncIterator[tuple[Explorer, Pilot[None], DemoFeed]]:
    """Run the explorer on a scenario until it has come to rest."""
    feed = DemoFeed(scenario, extra)
    app = Explorer(feed, clock=lambda: NOW)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        yield app, pilot, feed


def rows_of(app: Explorer, heading: str) -> int:
    """Return how many rows the pane says that it has."""
    line = next(line for line in screen_lines(app) if heading in line)
    return int(line.split(heading)[1].split()[0].split("/")[0])


def slice_of(app: Explorer, service: str) -> EndpointSlice:
    """Return the one slice of a Service."""
    return app.store.slices_of(service)[0]


def with_ready(piece: EndpointSlice, *, ready: bool) -> EndpointSlice:
    """Return the slice with every endpoint ready or not."""
    conditions = EndpointConditions(ready=ready, serving=ready)
    endpoints = tuple(msgspec.structs.replace(item, conditions=conditions) for item in piece.endpoints)
    return msgspec.structs.replace(piece, endpoints=endpoints)


async def test_opens_with_five_panes_facts_and_path() -> None:
    """The first screen names the cluster, shows every pane and the road of the worst entry point."""
    async with explorer(ONE_BROKEN) as (app, _, _):
        text = screen_text(app)
        for heading in ("Entry points", "VNet and subnets", "Services", "Nodes and Pods", "Policies", "Request path"):
            assert heading in text
        assert "aks-contoso-prod · AKS 1.34.2 · Azure CNI overlay · Cilium · egress loadBalancer" in text
        assert f"Request path: {API} from internet" in text
        assert "✖ respond" in text


async def test_entry_points_are_worst_first() -> None:
    """The one request that fails stands above all that are delivered."""
    async with explorer(ONE_BROKEN) as (app, _, _):
        lines = [line for line in screen_lines(app) if "https://" in line and ("✖" in line or "✔" in line)]
        assert API in lines[0]
        assert "responds 503" in lines[0]
        assert "S02" in lines[0]
        assert all("delivered" in line for line in lines[1:5])


async def test_a_healthy_cluster_has_no_failing_entry_point() -> None:
    """Nothing fails and nothing is undecided where there is no fault."""
    async with explorer("healthy") as (app, _, _):
        assert "✖ 0 failing  ? 0 undecided" in screen_text(app)


async def test_selecting_a_service_marks_its_pods_nodes_and_entry_point() -> None:
    """The rows that belong to the selected Service carry the mark in the other panes, and its path is shown."""
    async with explorer(ONE_BROKEN) as (app, pilot, _):
        await pilot.press("2")
        assert isinstance(app.screen, ExplorerScreen)
        app.screen._services.table.go_to("shop/api")
        await settle(pilot)
        marked = [line for line in screen_lines(app) if "◆" in line]
        assert any(API in line for line in marked)
        assert any("shop/api-" in line for line in marked)
        assert any("snet-nodes" in line for line in marked)
        assert f"Request path: {API}" in screen_text(app)


async def test_number_keys_and_tab_move_between_panes() -> None:
    """The pane that takes the keys is the one whose title has the sign."""
    async with explorer() as (app, pilot, _):
        await pilot.press("5")
        assert any("▶5 Policies" in line for line in screen_lines(app))
        await pilot.press("tab")
        assert any("▶1 Entry points" in line for line in screen_lines(app))
        await pilot.press("shift+tab")
        assert any("▶5 Policies" in line for line in screen_lines(app))


@pytest.mark.parametrize("back", ["escape", "backspace"])
async def test_enter_opens_a_pane_and_two_keys_close_it(back: str) -> None:
    """An opened pane fills the screen and shows more columns."""
    async with explorer() as (app, pilot, _):
        await pilot.press("2", "enter")
        await settle(pilot)
        text = screen_text(app)
        assert "EXT-POLICY" in text
        assert "Nodes and Pods" not in text
        await pilot.press(back)
        await settle(pilot)
        assert "Nodes and Pods" in screen_text(app)


async def test_a_small_terminal_shows_one_pane_at_a_time() -> None:
    """At 80x24 the number keys change the pane that is shown."""
    async with explorer(ONE_BROKEN, SMALL) as (app, pilot, _):
        assert "1 Entry points" in screen_text(app)
        assert "2 Services" not in screen_text(app)
        await pilot.press("2")
        await settle(pilot)
        assert "2 Services" in screen_text(app)
        assert "1 Entry points" not in screen_text(app)
        assert all(len(line) <= SMALL[0] for line in screen_lines(app))


async def test_the_trace_screen_shows_verdict_ladder_and_evidence() -> None:
    """T on an entry point leads to the first break with its field, its check, a command and a fix."""
    async with explorer(ONE_BROKEN) as (app, pilot, _):
        await pilot.press("t")
        await settle(pilot)
        text = screen_text(app)
        assert "responds 503" in text
        assert ".endpoints[0].conditions.ready = false" in text
        assert "S02 All matched pods NotReady" in text
        assert "kubectl get endpointslices.discovery.k8s.io -n shop" in text
        assert "fix" in text
        await pilot.press("q")
        await settle(pilot)
        assert isinstance(app.screen, ExplorerScreen)


async def test_the_path_follows_the_cluster_while_it_is_open() -> None:
    """The last endpoint goes, and comes back: the entry, the path and an open trace say so, with what it was before."""
    async with explorer("healthy") as (app, pilot, feed):
        piece = slice_of(app, "shop/api")
        assert isinstance(app.screen, ExplorerScreen)
        app.screen._entries.table.go_to(
            next(key for key, entry in app.evaluator.entries.items() if entry.request.text == API)
        )
        await pilot.press("t")
        feed.push([Upserted("EndpointSlice", [with_ready(piece, ready=False)])])
        await settle(pilot)
        assert "responds 503" in screen_text(app)
        assert "was delivered until just now" in screen_text(app)
        await pilot.press("q")
        await settle(pilot)
        assert any(API in line and "responds 503" in line for line in screen_lines(app))
        feed.push([Upserted("EndpointSlice", [piece])])
        await settle(pilot)
        assert any(API in line and "delivered" in line for line in screen_lines(app))


async def test_pause_holds_changes_back_and_lets_them_in_again() -> None:
    """While paused the screen stays as it is and says so."""
    async with explorer("healthy") as (app, pilot, feed):
        piece = slice_of(app, "shop/api")
        await pilot.press("p")
        feed.push([Upserted("EndpointSlice", [with_ready(piece, ready=False)])])
        await pilot.pause()
        assert "PAUSED" in screen_text(app)
        assert "✖ 0 failing" in screen_text(app)
        await pilot.press("p")
        await settle(pilot)
        assert "PAUSED" not in screen_text(app)
        assert "✖ 0 failing" not in screen_text(app)


@pytest.mark.parametrize(
    ("text", "services", "pods"),
    [
        ("10.0.64.11", ["shop/api"], []),
        ("10.244.2.0/24", [], ["shop/api-"]),
        ("^Service shop/api", ["shop/api"], []),
        ("-l app=api", [], ["shop/api-"]),
    ],
)
async def test_the_filter_finds_by_address_expression_and_label(
    text: str, services: list[str], pods: list[str]
) -> None:
    """A filter holds in every pane at once."""
    async with explorer("healthy") as (app, pilot, _):
        await pilot.press("slash", *text, "enter")
        await settle(pilot)
        assert isinstance(app.screen, ExplorerScreen)
        screen = app.screen
        for name in services:
            assert screen._services.table.go_to(name)
        shown = [pod.id for pod in app.store.pods if screen._node_list.table.go_to(pod.id)]
        for start in pods:
            assert any(key.startswith(start) for key in shown)
        if services:
            assert screen._services.table.shown == len(services)
        await pilot.press("escape")
        await settle(pilot)
        assert screen._services.table.shown == screen._services.table.total


async def test_the_inverse_filter_leaves_out_what_matches() -> None:
    """An exclamation mark turns the filter round."""
    async with explorer("healthy") as (app, pilot, _):
        await pilot.press("slash", *"!shop/", "enter")
        await settle(pilot)
        assert isinstance(app.screen, ExplorerScreen)
        assert not app.screen._services.table.go_to("shop/api")
        assert app.screen._services.table.go_to("media/images")


async def test_a_malformed_filter_is_one_line_and_changes_nothing() -> None:
    """An expression that does not compile is told and dropped."""
    async with explorer("healthy") as (app, pilot, _):
        before = rows_of(app, "2 Services")
        await pilot.press("slash", *"(((", "enter")
        await settle(pilot)
        assert "not a regular expression" in screen_text(app)
        assert rows_of(app, "2 Services") == before


async def test_a_namespace_is_chosen_and_left() -> None:
    """N lists the namespaces, Enter takes one, 0 shows all."""
    async with explorer("healthy") as (app, pilot, _):
        every = rows_of(app, "2 Services")
        await pilot.press("n")
        await settle(pilot)
        assert isinstance(app.screen, TableScreen)
        app.screen._pane.table.go_to("shop")
        await pilot.press("enter")
        await settle(pilot)
        assert "ns shop" in screen_text(app)
        assert 0 < rows_of(app, "2 Services") < every
        await pilot.press("0")
        await settle(pilot)
        assert rows_of(app, "2 Services") == every


async def test_commands_open_kinds_traces_and_say_what_they_do_not_know() -> None:
    """A kind, a trace from a Pod, and a word that is neither."""
    async with explorer("healthy") as (app, pilot, _):
        await pilot.press("colon", *"nsg", "enter")
        await settle(pilot)
        assert "nsg-contoso-nodes" in screen_text(app)
        await pilot.press("q")
        await pilot.press("colon", *f"trace {API}", "enter")
        await settle(pilot)
        assert isinstance(app.screen, TraceScreen)
        assert "delivered" in screen_text(app)
        await pilot.press("q")
        await pilot.press("colon", *"nonsense", "enter")
        await settle(pilot)
        assert "no such command or kind: nonsense" in screen_text(app)


async def test_a_target_that_cannot_be_understood_is_one_line() -> None:
    """A URL without a host is told, not traced."""
    async with explorer("healthy") as (app, pilot, _):
        await pilot.press("colon", *"trace https://", "enter")
        await settle(pilot)
        assert isinstance(app.screen, ExplorerScreen)
        assert "host" in screen_text(app)


async def test_help_is_made_from_the_bindings_in_force() -> None:
    """Every key that works on the screen stands in its help."""
    async with explorer("healthy") as (app, pilot, _):
        await pilot.press("question_mark")
        await settle(pilot)
        text = screen_text(app)
        for words in ("Follow the request of the selected row", "Age and health of every source", "Type a command"):
            assert words in text


async def test_describe_and_yaml_show_the_object() -> None:
    """D shows fields and links, Y what the API sends."""
    async with explorer("healthy") as (app, pilot, _):
        await pilot.press("2")
        assert isinstance(app.screen, ExplorerScreen)
        app.screen._services.table.go_to("shop/api")
        await pilot.press("d")
        await settle(pilot)
        assert "clusterIP: 10.0.64.11" in screen_text(app)
        await pilot.press("q", "y")
        await settle(pilot)
        assert isinstance(app.screen, LinesScreen)
        assert "clusterIP: 10.0.64.11" in screen_text(app)


async def test_a_lost_connection_leaves_the_rows_and_says_so() -> None:
    """Stale sources are named with their age, in their panes and above; nothing is removed."""
    async with explorer("healthy") as (app, pilot, feed):
        before = rows_of(app, "2 Services")
        feed.push(
            [
                SourceChanged("kubernetes", Reading.STALE, "connection refused", {}, NOW - 120),
                ReadingChanged("Service", Reading.STALE, "", "connection refused", NOW),
            ]
        )
        await settle(pilot)
        text = screen_text(app)
        assert "kube ○ stale, 2 min ago" in text
        assert "stale: connection refused" in text
        assert rows_of(app, "2 Services") == before


async def test_without_azure_every_azure_step_is_blind_and_nothing_is_delivered_from_outside() -> None:
    """The Kubernetes half works; no verdict passes through what was not read."""
    async with explorer("no-azure") as (app, _, _):
        outside = [
            entry
            for entry in app.evaluator.entries.values()
            if entry.trace and entry.request.source.origin == "internet"
        ]
        assert outside
        assert all(entry.trace is not None and entry.trace.outcome == "undecided" for entry in outside)
        assert "no Azure credentials" in screen_text(app)


async def test_an_error_of_our_own_in_one_trace_does_not_end_the_explorer(monkeypatch: pytest.MonkeyPatch) -> None:
    """One request that cannot be traced is undecided, and says why; the others go on."""
    real = walk.trace

    def faulty(store: Store, request: Request) -> Trace:
        if request.text == API:
            raise KeyError("gone")
        return real(store, request)

    monkeypatch.setattr(walk, "trace", faulty)
    async with explorer("healthy") as (app, _, _):
        lines = screen_lines(app)
        assert any(API in line and "undecided" in line for line in lines)
        assert any("delivered" in line for line in lines)


async def test_findings_list_every_check_with_its_proof() -> None:
    """F shows the sweep, each row with the deciding field."""
    async with explorer(ONE_BROKEN) as (app, pilot, _):
        await pilot.press("f")
        await settle(pilot)
        text = screen_text(app)
        assert "S02" in text
        assert "conditions.ready = false" in text


@pytest.mark.parametrize(
    "keys", [(), ("2", "d"), ("2", "enter"), ("t",), ("a",), ("f",), ("colon", "s", "v", "c", "enter")]
)
async def test_hostile_text_reaches_no_screen(keys: tuple[str, ...]) -> None:
    """Annotations, reasons and messages full of escapes and markup change nothing but what is shown as text."""
    wire = demo.wire("healthy")["Service"][0]
    sendable = [payload for payload in PAYLOADS if not any("\ud800" <= char <= "\udfff" for char in payload)]
    nasty = "".join(sendable)[:2000]
    service = {
        **wire,
        "metadata": {
            **wire["metadata"],
            "name": "aaa",
            "namespace": "aaa",
            "annotations": {f"k{number}": text for number, text in enumerate(sendable)},
        },
        "spec": {**wire["spec"], "externalName": nasty, "type": "ExternalName", "selector": {"a": nasty}},
    }
    extra: list[Change] = [
        Upserted("Service", [decode_object(KINDS["Service"], msgspec.json.encode(service))]),
        ReadingChanged("Ingress", Reading.DENIED, "", nasty, NOW),
        SourceChanged("kubernetes", Reading.FAILED, nasty, {"context": nasty}, NOW),
    ]
    async with explorer("healthy", extra=extra) as (app, pilot, _):
        await pilot.press(*keys)
        await settle(pilot)
        assert harmless(screen_text(app))


async def test_a_command_typed_without_waiting_reaches_the_prompt() -> None:
    """Every key behind the colon belongs to the command, however fast it comes."""
    async with explorer("healthy") as (app, pilot, _):
        for key in ("colon", "p", "o", "enter"):
            app.post_message(events.Key(key, None if key == "enter" else {"colon": ":"}.get(key, key)))
        await settle(pilot)
        assert not app.paused
        assert isinstance(app.screen, TableScreen)
        assert "pods" in screen_text(app)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_keys_typed_behind_a_pane_s_number_belong_to_that_pane(size: tuple[int, int]) -> None:
    """The second row of the Services is selected, however fast the keys come."""
    async with explorer("healthy", size) as (app, pilot, _):
        await pilot.press("4")
        for key in ("2", "down", "d"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await settle(pilot)
        assert isinstance(app.screen, LinesScreen)
        second = sorted(service.id for service in app.store.services)[1]
        assert f"Service {second}" in screen_text(app)
