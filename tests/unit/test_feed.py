"""The feed: a child process that reads, handed over in slices; what happens when it ends; and the load in one go."""

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from aksnav.model.change import Change, ListEnded, Reading, ReadingChanged, ScopeLeft, SourceChanged
from aksnav.model.kinds import KINDS
from aksnav.model.object import Ref
from aksnav.sources.errors import SourceError
from aksnav.sources.feed import Feed, load_once
from aksnav.sources.options import Options
from aksnav.store import Store
from tests.unit.api_server import PODS, SERVICES, ApiServer, Reply, forbidden, pod, status

BOUND = 30.0


class Screen:
    """Drains a feed into a store when it is woken, as the explorer does."""

    def __init__(self, options: Options) -> None:
        self.store = Store()
        self.changes: list[Change] = []
        self.feed = Feed(options)
        self._woken = threading.Event()

    def start(self) -> None:
        self.feed.start(self._woken.set)

    def until(self, fact: Callable[[], object]) -> None:
        """Drain until a fact has come true; the bound only ends a test that has failed."""
        end = time.monotonic() + BOUND
        while not fact():
            assert time.monotonic() < end, [str(change)[:200] for change in self.changes[-5:]]
            self._woken.wait(1.0)
            self._woken.clear()
            while changes := self.feed.drain(0.008):
                self.changes += changes
                for change in changes:
                    self.store.apply(change)


@contextmanager
def screen(options: Options) -> Iterator[Screen]:
    shown = Screen(options)
    shown.start()
    try:
        yield shown
    finally:
        shown.feed.stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    with ApiServer(tmp_path) as running:
        yield running


def _options(server: ApiServer) -> Options:
    return Options(kubeconfig=server.kubeconfig(), no_azure=True)


def test_a_cluster_comes_through_the_child_and_is_followed(server: ApiServer) -> None:
    """First list and later events reach the store; Azure is not asked and says so."""
    server.objects[PODS] = [pod(f"p{number}") for number in range(1200)]
    with screen(_options(server)) as shown:
        shown.until(lambda: shown.store.pods.access().fresh)
        assert len(shown.store.pods) == 1200
        server.watches[PODS].say("ADDED", pod("new", version=1001))
        shown.until(lambda: "shop/new" in shown.store.pods)
        shown.until(lambda: "azure" in shown.store.sources)
        assert shown.store.sources["azure"].reading is Reading.UNREAD


def test_a_child_that_ends_is_said_and_started_again(server: ApiServer) -> None:
    """What was live is stale with the reason, rows stay, and the next child makes everything live again."""
    server.objects[PODS] = [pod("a")]
    with screen(_options(server)) as shown:
        shown.until(lambda: shown.store.pods.access().fresh)
        assert shown.feed._process is not None
        shown.feed._process.kill()
        shown.until(lambda: shown.store.sources["kubernetes"].reading is Reading.FAILED)
        assert shown.store.pods.access().reading is Reading.STALE
        assert "the reading process ended (status -9)" in shown.store.pods.access().reason
        assert "shop/a" in shown.store.pods
        shown.until(lambda: shown.store.pods.access().fresh)
        shown.until(lambda: shown.store.sources["kubernetes"].reading is Reading.LIVE)


def test_after_a_crash_no_scope_is_stale_that_the_next_child_may_not_read() -> None:
    """The kind is stale as a whole; scopes of Azure's are said anew, and one that was left before stays left."""
    kind, hub, home = "virtualNetworks", "/subscriptions/s/resourcegroups/hub", "/subscriptions/s/resourcegroups/home"
    store, feed = Store(), Feed(Options(demo=""))
    said: list[Change] = [
        ListEnded(kind, home, 1.0),
        ReadingChanged(kind, Reading.LIVE, hub, "", 1.0),
        ReadingChanged(kind, Reading.LIVE, "", "", 1.0),
        ScopeLeft(kind, hub),
        ListEnded("Pod", "shop", 1.0),
    ]
    feed._buffer.put(said.copy)
    feed._buffer.put(partial(feed._crashed, "it ended"))
    drained = [*feed.drain(BOUND), *feed.drain(BOUND)]
    assert [change for change in drained if isinstance(change, ScopeLeft)] == [
        ScopeLeft(kind, hub),
        ScopeLeft(kind, home),
    ]
    for change in drained:
        store.apply(change)
    assert store.virtual_networks.access(home).reading is Reading.STALE
    assert store.pods.access("shop").reading is Reading.STALE
    store.apply(ReadingChanged(kind, Reading.LIVE, "", "", 2.0))
    assert {access.reading for access in store.virtual_networks.scopes().values()} == {Reading.LIVE}


def test_one_object_is_asked_for_through_the_child(server: ApiServer) -> None:
    """The answer is the server's JSON; a refusal is one line."""
    server.always["/api/v1/namespaces/shop/pods/a"] = Reply(body=pod("a"))
    server.always["/api/v1/namespaces/shop/pods/b"] = forbidden("jo", "pods")
    with screen(_options(server)) as shown:
        shown.until(lambda: shown.store.pods.access().fresh)
        assert json.loads(shown.feed.request_raw(Ref("Pod", "shop/a")).result(BOUND))["metadata"]["name"] == "a"
        error = shown.feed.request_raw(Ref("Pod", "shop/b")).exception(BOUND)
        assert isinstance(error, SourceError)
        assert str(error) == 'forbidden for user "jo" (403)'
        missing = shown.feed.request_raw(Ref("networkSecurityGroups", "/subscriptions/x")).exception(BOUND)
        assert str(missing) == "azure is not read in this session"


def test_refresh_reaches_the_cluster(server: ApiServer) -> None:
    """A second list goes out and what is gone goes."""
    server.objects[PODS] = [pod("a"), pod("b")]
    with screen(_options(server)) as shown:
        shown.until(lambda: shown.store.pods.access().fresh)
        server.objects[PODS] = [pod("b")]
        shown.feed.refresh()
        shown.until(lambda: "shop/a" not in shown.store.pods)


def test_asking_before_there_is_a_child_is_answered(server: ApiServer) -> None:
    """No question hangs: not before the start, and not after the end."""
    feed = Feed(_options(server))
    early = feed.request_raw(Ref("Pod", "shop/a"))
    assert "not connected" in str(early.exception(0))
    feed.stop()
    assert feed.drain(1.0) == []


def test_a_slow_screen_makes_the_child_wait_and_loses_nothing(server: ApiServer) -> None:
    """30,000 events against a screen that does not drain: the buffer stays bounded, and all of them arrive."""
    with screen(_options(server)) as shown:
        shown.until(lambda: shown.store.pods.access().fresh)
        for number in range(30_000):
            server.watches[PODS].say("ADDED", pod(f"p{number}", version=2000 + number))
        shown.until(lambda: len(shown.store.pods) == 30_000)
        assert len(shown.feed._buffer._items) <= 64


def test_draining_stops_at_its_budget() -> None:
    """With a clock on which every look takes a second, one frame is decoded a call; nothing is lost."""
    with screen(Options(demo="")) as shown:
        shown.until(lambda: shown.store.pods.access().fresh)
        feed, ticks = shown.feed, iter(range(1000))
        for number in range(3):
            said_now: list[Change] = [SourceChanged("demo", Reading.LIVE, str(number))]
            feed._buffer.put(said_now.copy)
        drained: list[str] = []
        while len(drained) < 3:
            changes = feed.drain(0.008, lambda: float(next(ticks)))
            said = [change.reason for change in changes if isinstance(change, SourceChanged)]
            assert len(said) <= 1
            drained += said
        assert drained == ["0", "1", "2"]


def test_an_exec_plugin_that_reads_its_input_eats_no_command(server: ApiServer, tmp_path: Path) -> None:
    """The plugin gets an empty input and its output is its own: the pipe to the child is not within its reach."""
    script = tmp_path / "plugin"
    answer = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t"}}
    script.write_text(f"#!{sys.executable}\nimport sys\nsys.stdin.read()\nprint({json.dumps(answer)!r})\n")
    script.chmod(0o755)
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script)}}
    options = Options(kubeconfig=server.kubeconfig(user), no_azure=True)
    with screen(options) as shown:
        shown.until(lambda: shown.store.pods.access().fresh)
        error = shown.feed.request_raw(Ref("Gateway", "shop/x")).exception(BOUND)
        assert str(error) == "gateways are not served by this cluster"
    assert {item.headers["authorization"] for item in server.requests} == {"Bearer t"}


def test_a_child_does_not_outlive_its_parent(server: ApiServer) -> None:
    """The explorer is killed outright: the end of its commands ends the child too."""
    code = (
        "import sys, threading\n"
        "from aksnav.sources.feed import start_child\n"
        "from aksnav.sources.options import Options\n"
        "child = start_child(Options(kubeconfig=sys.argv[1], no_azure=True))\n"
        "print(child.pid, flush=True)\n"
        "threading.Event().wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, server.kubeconfig()], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    ended = os.pidfd_open(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    readable, _, _ = select.select([ended], [], [], BOUND)
    os.close(ended)
    assert readable


def test_stop_leaves_no_process_and_answers_open_questions(server: ApiServer) -> None:
    """The child is gone when stop returns."""
    with screen(_options(server)) as shown:
        shown.until(lambda: shown.store.pods.access().fresh)
        process = shown.feed._process
        assert process is not None
        waiting: Future[bytes] = Future()
        shown.feed._futures[99] = waiting
        shown.feed.stop()
        assert process.poll() is not None
        assert isinstance(waiting.exception(0), SourceError)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(kubeconfig="/nope"), "no kubeconfig at /nope"),
        (Options(capture="/nope"), "--from-capture /nope: no such file"),
        (Options(demo="nope"), "nope"),
    ],
)
def test_what_the_operator_typed_is_checked_before_anything_starts(options: Options, said: str) -> None:
    """A usage error is one line, and no process is started for it."""
    with pytest.raises(SourceError, match=said):
        Feed(options)


def test_a_context_that_is_not_there_is_a_usage_error(server: ApiServer) -> None:
    """--context names nothing in the kubeconfig."""
    with pytest.raises(SourceError, match=r"no context nope in .*; there are: test"):
        Feed(Options(kubeconfig=server.kubeconfig(), context="nope"))


def test_a_command_loads_everything_once_in_its_own_process(server: ApiServer) -> None:
    """load_once ends by itself; a refused kind is denied, no kind stays pending but those asked for by name."""
    server.objects[PODS] = [pod("a")]
    server.always[SERVICES] = forbidden("jo", "services")
    ingress = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"tls": [{"secretName": "tls"}]}}
    server.objects["/apis/networking.k8s.io/v1/ingresses"] = [ingress]
    server.always["/api/v1/namespaces/shop/secrets/tls"] = status(404, "not found")
    store = Store()
    for change in load_once(_options(server)):
        store.apply(change)
    assert "shop/a" in store.pods
    assert store.services.access().reading is Reading.DENIED
    pending = {name for name, table in store.tables.items() if table.access().reading is Reading.PENDING}
    assert pending <= {name for name, kind in KINDS.items() if kind.by_name}
    (secret,) = store.secrets
    assert not secret.exists


def test_a_command_on_a_cluster_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """A connection error: the host and why."""
    with ApiServer(tmp_path) as gone:
        options = _options(gone)
    with pytest.raises(SourceError, match=rf"127.0.0.1:{gone.port}: Connection refused"):
        list(load_once(options))


def test_what_does_not_come_in_time_is_failed(server: ApiServer) -> None:
    """A list that hangs does not hang the command: its kind is failed, and the others are there."""
    hold = threading.Event()
    server.hold[PODS] = hold
    store = Store()
    try:
        for change in load_once(_options(server), timeout=3.0):
            store.apply(change)
    finally:
        hold.set()
    assert store.services.access().fresh
    assert store.pods.access().reading is Reading.FAILED
    assert store.pods.access().reason == "not everything was read within 3 s"
