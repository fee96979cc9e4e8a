"""Watches: events, bookmarks, expiry and broken connections, against a server on loopback."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aksnav.model.change import Heartbeat, Reading, ReadingChanged, SourceChanged
from aksnav.sources.kubernetes.follower import DENIALS_IN_DOUBT
from aksnav.sources.kubernetes.pace import RealPace
from aksnav.sources.options import ListMode
from tests.unit.api_server import PODS, ApiServer, Reply, forbidden, pod, status
from tests.unit.kubernetes_source import Watched, wait_for_request, watched

PATIENCE = 300
LONGEST_POLL = 60.0 * 1.1
EXPIRED = status(410, "too old resource version", "Expired")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    with ApiServer(tmp_path) as running:
        running.objects[PODS] = [pod("a"), pod("b")]
        yield running


def _bookmark(version: int, **annotations: str) -> dict[str, object]:
    return {"kind": "Pod", "metadata": {"resourceVersion": str(version), "annotations": annotations}}


def _follow(server: ApiServer, running: Watched) -> None:
    """Wait until the watch of Pods is open, which an event shows."""
    server.watches[PODS].say("ADDED", pod("first", version=1001))
    running.until(lambda: "shop/first" in running.ids())


def test_events_change_the_table(server: ApiServer) -> None:
    """ADDED, MODIFIED and DELETED do what they say."""
    with watched(server) as running:
        running.live()
        watch = server.watches[PODS]
        changed = pod("a", version=1002)
        changed["status"]["podIP"] = "10.244.0.77"
        watch.say("ADDED", pod("c", version=1001))
        watch.say("MODIFIED", changed)
        watch.say("DELETED", pod("b", version=1003))
        running.until(lambda: running.ids() == {"shop/a", "shop/c"})
        found = running.store.pods.get("shop/a")
        assert found is not None
        assert found.ip == "10.244.0.77"


def test_the_next_watch_goes_on_from_the_last_bookmark(server: ApiServer) -> None:
    """A watch that the server ends is opened again at the version that the bookmark gave; nothing is listed again."""
    with watched(server) as running:
        running.live()
        server.watches[PODS].say("BOOKMARK", _bookmark(1500))
        server.watches[PODS].end()
        wait_for_request(server, lambda: len(server.asked(PODS, watch=True)) >= 2)
        assert server.asked(PODS, watch=True)[1].query["resourceVersion"] == "1500"
        assert len(server.asked(PODS, watch=False)) == 1
        assert any(isinstance(change, Heartbeat) and change.kind == "Pod" for change in running.changes)


def test_a_watch_that_breaks_is_opened_again_without_a_word(server: ApiServer) -> None:
    """One broken connection is ordinary (load balancers do it): the watch goes on from the last event's version."""
    with watched(server) as running:
        running.live()
        server.watches[PODS].say("ADDED", pod("c", version=1001))
        running.until(lambda: "shop/c" in running.ids())
        server.watches[PODS].cut()
        wait_for_request(server, lambda: len(server.asked(PODS, watch=True)) >= 2)
        server.watches[PODS].say("ADDED", pod("d", version=1002))
        running.until(lambda: "shop/d" in running.ids())
        assert server.asked(PODS, watch=True)[1].query["resourceVersion"] == "1001"
        assert not [c for c in running.changes if isinstance(c, ReadingChanged) and c.reading is Reading.STALE]


def test_a_lost_connection_leaves_what_is_known_with_its_age_and_comes_back(server: ApiServer) -> None:
    """While the server does not answer the kind is stale, with its rows; afterwards it is live, with no new list."""
    with watched(server) as running:
        _follow(server, running)
        server.replies[PODS].extend([Reply(cut=True)] * 3)
        server.watches[PODS].cut()
        running.until(
            lambda: [c for c in running.changes if isinstance(c, ReadingChanged) and c.reading is Reading.STALE]
        )
        running.live()
        assert running.ids() == {"shop/a", "shop/b", "shop/first"}
        assert running.removed() == []
        stale = next(c for c in running.changes if isinstance(c, ReadingChanged) and c.reading is Reading.STALE)
        assert stale.reason.startswith(f"127.0.0.1:{server.port}: ")
        states = [c.reading for c in running.changes if isinstance(c, SourceChanged)]
        assert states[:3] == [Reading.LIVE, Reading.STALE, Reading.LIVE]
        assert len(server.asked(PODS, watch=False)) == 1


def test_the_pause_between_tries_doubles_up_to_eight_seconds_without_a_connection(server: ApiServer) -> None:
    """Back-off with jitter: with the chance at one half it is three quarters of the doubled time."""
    with watched(server) as running:
        _follow(server, running)
        server.replies[PODS].extend([Reply(cut=True)] * 8)
        server.watches[PODS].cut()
        wait_for_request(server, lambda: len(server.asked(PODS, watch=True)) >= 10)
        rests = [seconds for seconds in running.pace.rests if 0.5 < seconds < 40.0]
        assert rests[:7] == pytest.approx([1.2, 2.4, 4.8, 8.0, 8.0, 8.0, 8.0])


@pytest.mark.parametrize("in_stream", [True, False])
def test_an_expired_watch_lists_again_without_emptying_the_table(server: ApiServer, in_stream: bool) -> None:
    """410, as an answer or as an event: a new list replaces the old one when it is complete, and what is gone goes."""
    with watched(server) as running:
        _follow(server, running)
        server.objects[PODS] = [pod("b"), pod("c")]
        server.version = 2000
        if in_stream:
            server.watches[PODS].say("ERROR", EXPIRED.body)
        else:
            server.replies[PODS].append(EXPIRED)
            server.watches[PODS].end()
        running.until(lambda: running.ids() == {"shop/b", "shop/c"})
        wait_for_request(server, lambda: server.asked(PODS, watch=True)[-1].query["resourceVersion"] == "2000")
        assert running.removed() == []
        assert not [c for c in running.changes if isinstance(c, ReadingChanged) and c.kind == "Pod"]


def test_another_error_in_the_stream_is_said_and_leads_to_a_new_list(server: ApiServer) -> None:
    """An ERROR event that is not expiry turns the kind stale until the next list."""
    with watched(server) as running:
        running.live()
        server.watches[PODS].say("ADDED", pod("c", version=1001))
        server.objects[PODS].append(pod("c"))
        server.watches[PODS].say("ERROR", status(500, "etcd event received with PrevKv=nil").body)
        running.until(
            lambda: [c for c in running.changes if isinstance(c, ReadingChanged) and c.reading is Reading.STALE]
        )
        running.live()
        assert running.ids() == {"shop/a", "shop/b", "shop/c"}
        assert len(server.asked(PODS, watch=False)) == 2


def test_an_object_that_becomes_undecodable_is_not_shown_as_it_was(server: ApiServer) -> None:
    """The row goes, the reason is kept, and a later good version brings the row back."""
    with watched(server) as running:
        running.live()
        bad = pod("a", version=1001)
        bad["metadata"]["labels"] = {"app": 7}
        server.watches[PODS].say("MODIFIED", bad)
        running.until(lambda: "shop/a" in running.store.pods.undecodable)
        assert running.ids() == {"shop/b"}
        server.watches[PODS].say("MODIFIED", pod("a", version=1002))
        running.until(lambda: "shop/a" in running.ids())
        assert not running.store.pods.undecodable


def test_a_kind_that_may_be_listed_but_not_watched_is_stale_with_the_reason(server: ApiServer) -> None:
    """A role without the verb watch: the list is shown, as old as it is, and read again every minute."""
    with watched(server) as running:
        _follow(server, running)
        server.replies[PODS].extend([forbidden("jo", "pods")] * (DENIALS_IN_DOUBT + 1))
        server.watches[PODS].end()
        running.until(lambda: running.reading() == "stale" and LONGEST_POLL in running.pace.rests)
        assert running.reason() == 'watch pods in all namespaces: forbidden for user "jo" (403)'
        assert running.ids() == {"shop/a", "shop/b", "shop/first"}


def test_refresh_reads_everything_again_and_keeps_what_is_known(server: ApiServer) -> None:
    """After refresh a second list goes out; the table never empties."""
    with watched(server) as running:
        running.live()
        server.objects[PODS] = [pod("b")]
        running.source.refresh()
        running.until(lambda: running.ids() == {"shop/b"})
        assert running.removed() == []
        assert len(server.asked(PODS, watch=False)) == 2


def test_stop_ends_every_thread(server: ApiServer) -> None:
    """Nothing is said after stop, and the threads come to an end although watches are open."""
    with watched(server) as running:
        running.live()
        wait_for_request(server, lambda: server.asked(PODS, watch=True))
        running.pace.stopped.set()
        running.source.stop()
        assert running.source.wait(15.0)


def test_a_streamed_list_ends_with_its_bookmark_and_the_stream_goes_on(server: ApiServer) -> None:
    """sendInitialEvents: the events up to the marked bookmark are the list, those after it the watch."""
    with watched(server, list_mode=ListMode.STREAMED) as running:
        watch = server.watches[PODS]
        watch.say("ADDED", pod("a", version=7))
        watch.say("BOOKMARK", _bookmark(1200, **{"k8s.io/initial-events-end": "true"}))
        running.live()
        assert running.ids() == {"shop/a"}
        watch.say("ADDED", pod("b", version=1201))
        running.until(lambda: "shop/b" in running.ids())
    first = server.asked(PODS)[0].query
    assert first["sendInitialEvents"] == "true"
    assert first["resourceVersionMatch"] == "NotOlderThan"
    assert not server.asked(PODS, watch=False)


def test_a_server_that_cannot_stream_lists_is_asked_for_pages(server: ApiServer) -> None:
    """422 to sendInitialEvents: pages from then on."""
    server.replies[PODS].append(status(422, "sendInitialEvents is forbidden for watch unless WatchList is enabled"))
    with watched(server, list_mode=ListMode.STREAMED) as running:
        running.live()
        assert running.ids() == {"shop/a", "shop/b"}
    assert len(server.asked(PODS, watch=False)) == 1


def test_a_refusal_of_what_was_readable_is_doubted_at_first(server: ApiServer) -> None:
    """An API server that has just started refuses everybody for a moment: the watch goes on where it was."""
    with watched(server) as running:
        _follow(server, running)
        server.replies[PODS].extend([forbidden("jo", "pods")] * 3)
        server.watches[PODS].end()
        running.until(lambda: running.reading() == "stale")
        running.live()
        assert not [c for c in running.changes if isinstance(c, ReadingChanged) and c.reading is Reading.DENIED]
        assert server.asked(PODS, watch=True)[-1].query["resourceVersion"] == "1001"
        assert len(server.asked(PODS, watch=False)) == 1


def test_a_kind_that_becomes_readable_everywhere_leaves_its_namespaces(server: ApiServer) -> None:
    """First refused and read in one namespace, later allowed: the whole table, and the namespace is as good as it."""
    server.replies[PODS].append(forbidden("jo", "pods"))
    server.objects["/api/v1/namespaces/shop/pods"] = [pod("a")]
    with watched(server, namespaces=("shop",)) as running:
        running.until(lambda: running.reading() == "live" and running.reading("Pod", "shop") == "live")
        running.until(lambda: running.ids() == {"shop/a", "shop/b"})
        wait_for_request(server, lambda: server.asked(PODS, watch=True))
        server.watches[PODS].say("ADDED", pod("c", version=1001))
        running.until(lambda: "shop/c" in running.ids())


def test_a_rest_ends_early_when_there_is_reason_to_hurry() -> None:
    """Whoever rests from a lost connection goes on as soon as somebody else has found it again."""
    pace = RealPace(threading.Event())
    resting = threading.Thread(target=pace.rest, args=(3600.0,))
    resting.start()
    for _ in range(PATIENCE):
        pace.hurry()  # again and again: it may not rest yet
        resting.join(0.01)
        if not resting.is_alive():
            break
    assert not resting.is_alive()
