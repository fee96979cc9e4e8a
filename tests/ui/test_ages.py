"""How old things are, as the explorer says it: each source, each kind, each object of Azure's."""

from concurrent.futures import Future

import pytest

from aksnav.model.change import Change, ListEnded, ListStarted, Reading, ReadingChanged, SourceChanged
from aksnav.model.kinds import AZURE_KINDS
from aksnav.model.object import Ref
from aksnav.sources import demo
from aksnav.store import Store
from aksnav.ui.ages import AsOf, age, ago, as_of_line, between_words, read_between, sent_words
from aksnav.ui.describe import describe_lines
from aksnav.ui.facts import state_spans
from aksnav.ui.health import health_lines
from aksnav.ui.text import Line, text_of
from tests.ui.demo_feed import NOW
from tests.ui.screen import screen_lines, screen_text
from tests.ui.settle import settle
from tests.ui.test_confirm import typed
from tests.ui.test_explorer import explorer

NIC, NSG = "networkInterfaces", "networkSecurityGroups"
MINUTE = 60.0


def azure(old: float, young: float, reading: Reading = Reading.LIVE, reason: str = "") -> list[Change]:
    """Return what Azure says of itself: interfaces so many seconds old, all other kinds so many."""
    said: list[Change] = [SourceChanged("azure", reading, reason, {}, NOW)]
    said += [
        ReadingChanged(kind.name, Reading.LIVE, "", "", NOW - (old if kind.name == NIC else young))
        for kind in AZURE_KINDS
    ]
    return said


def store_of(*changes: Change) -> Store:
    """Return a store that took in these changes."""
    store = Store()
    for change in changes:
        store.apply(change)
    return store


def words(lines: list[Line]) -> str:
    """Return lines as text."""
    return "\n".join(text_of(line) for line in lines)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "now"), (4.9, "now"), (38, "30 s"), (100, "1 min"), (290, "4 min"), (3600, "1 h"), (3 * 86400, "3 d")],
)
def test_ages_have_a_unit_and_coarse_steps(seconds: float, said: str) -> None:
    """A line is not drawn again every second."""
    assert age(seconds) == said
    assert ago(seconds) == ("just now" if said == "now" else f"{said} ago")


def test_two_ages_are_said_only_where_they_are_more_than_a_minute_apart() -> None:
    """One round takes a while, and that is no news; a part that is kept for minutes is."""
    assert between_words(AsOf(NOW - 50, NOW - 10), NOW) == "30 s"
    assert between_words(AsOf(NOW - 250, NOW - 30), NOW) == "30 s, oldest 4 min"
    assert between_words(AsOf(NOW - 250, NOW - 30), NOW, short=True) == "30 s–4 min"  # noqa: RUF001 - a range


def test_the_header_says_how_old_azure_is_not_that_it_is_live() -> None:
    """Azure is read in rounds: the age of the newest part, and of the oldest where that is another one."""
    assert "arm ● 30 s   " in text_of(state_spans(store_of(*azure(30, 30)), (), NOW))
    assert "arm ● 30 s, oldest 4 min" in text_of(state_spans(store_of(*azure(250, 30)), (), NOW))


def test_the_header_says_where_azure_is_read_in_part_and_where_it_is_stale() -> None:
    """What is not readable is named under a."""
    partly = store_of(*azure(30, 30, reason="not readable: routeTables"))
    assert "arm ● 30 s, in part" in text_of(state_spans(partly, (), NOW))
    gone = azure(400, 400, Reading.STALE, "connection refused")
    assert "arm ○ stale, 5 min ago" in text_of(state_spans(store_of(*gone), (), NOW))


def test_a_stale_source_is_as_old_as_what_it_read_not_as_its_last_error() -> None:
    """It says again and again that it cannot reach the server: that does not make the rows younger."""
    rows: list[Change] = [
        ListStarted("Pod"),
        ListEnded("Pod", "", NOW - 600),
        ReadingChanged("Pod", Reading.STALE, "", "gone", NOW),
    ]
    store = store_of(*rows, SourceChanged("kubernetes", Reading.STALE, "gone", {}, NOW - 1))
    assert "kube ○ stale, 10 min ago" in text_of(state_spans(store, (), NOW))


def test_a_capture_is_never_called_live() -> None:
    """It is as old as it is."""
    store = store_of(
        SourceChanged("capture", Reading.LIVE, "x", {}, NOW - 90000),
        ListStarted("Pod"),
        ListEnded("Pod", "", NOW - 90000),
    )
    assert "capture ● 25 h old" in text_of(state_spans(store, (), NOW))
    assert sent_words(store, Ref("Pod", "shop/api"), NOW) == "captured 2026-09-20 13:13:20 UTC"


def test_a_source_that_was_never_read_has_no_age() -> None:
    """The word of its state, the same as under a."""
    store = store_of(SourceChanged("azure", Reading.UNREAD, "no credentials", {}, NOW))
    assert read_between(store, "azure") is None
    assert "arm ○ not read   " in text_of(state_spans(store, (), NOW))
    assert as_of_line(store, Ref(NSG, "/x"), NOW)[0].text.endswith("never read")


def test_every_kind_says_as_of_when_it_is_right() -> None:
    """Interfaces are kept for minutes, rules are not: each has its own age, and the source has both."""
    text = words(health_lines(store_of(*azure(250, 30)), NOW))
    line = {row.split()[0]: row for row in text.splitlines() if row.strip()}
    assert line[NIC].endswith("4 min ago")
    assert line[NSG].endswith("30 s ago")
    assert "right as of: 30 s ago the newest part, 4 min ago the oldest" in text


def test_objects_are_counted_in_their_own_namespace() -> None:
    """Where only some namespaces can be read, each has its own number."""
    store = store_of(*demo.changes("namespace-only", lambda: NOW))
    lines = [text_of(line).split() for line in health_lines(store, NOW)]
    assert ["services", "in", "shop", "8", "live", "just", "now"] in lines


def test_the_description_of_an_azure_object_says_as_of_when() -> None:
    """A Kubernetes object is followed and says nothing while that goes well."""
    store = store_of(*demo.changes("healthy", lambda: NOW))
    group = next(iter(store.security_groups)).ref
    assert "as of 2 min ago (ctrl+r reads Azure again)" in words(describe_lines(store, group, NOW + 2 * MINUTE))
    assert "as of" not in words(describe_lines(store, Ref("Service", "shop/api"), NOW + 2 * MINUTE))


def test_fields_have_the_names_that_people_know_from_yaml() -> None:
    """Not those of the program."""
    store = store_of(*demo.changes("healthy", lambda: NOW))
    text = words(describe_lines(store, Ref("Service", "shop/api"), NOW))
    assert "clusterIP: 10.0.64.11" in text
    assert "targetPort: http" in text
    assert "cluster_ip" not in text


async def test_yaml_says_when_it_was_read() -> None:
    """It is asked for anew, so it may be younger than the list."""
    async with explorer() as (app, pilot, feed):
        assert isinstance(feed.request_raw(Ref("Service", "shop/api")), Future)
        await typed(pilot, ":svc shop")
        await pilot.press("y")
        await settle(pilot)
        assert "read 2026-09-21 14:13:20 UTC" in screen_lines(app)[0]


async def test_lists_of_azure_objects_say_as_of_when_they_are() -> None:
    """In the title, beside the count."""
    async with explorer() as (app, pilot, _feed):
        for command in (":nsg", ":pip", ":vnet"):
            await typed(pilot, command)
            assert "as of just now" in screen_lines(app)[0]
        await typed(pilot, ":svc")
        assert "as of" not in screen_lines(app)[0]


async def test_the_name_of_the_cluster_stands_whole_on_a_small_terminal() -> None:
    """The wrong cluster is the worst mistake of a night."""
    async with explorer("no-azure", (80, 24)) as (app, _pilot, _feed):
        assert "aks-contoso-prod" in screen_lines(app)[0]
        assert "arm ○ not read" in screen_text(app)
