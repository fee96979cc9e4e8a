"""What the tests of the Kubernetes source share: a clock that a test holds, and a source that fills a store."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aksnav.model.change import Change, Removed, Upserted
from aksnav.sources.kubernetes.source import KubernetesSource
from aksnav.sources.options import Options
from aksnav.store import Store
from tests.unit.api_server import ApiServer

BOUND = 15.0
LONG = 45.0


class HeldPace:
    """A clock that moves only while somebody rests. Short rests pass at once; long ones last until the source stops."""

    def __init__(self) -> None:
        self.rests: list[float] = []
        self.stopped = threading.Event()
        self._seconds = 1_000_000.0

    def now(self) -> float:
        return self._seconds

    def ticks(self) -> float:
        return self._seconds

    def rest(self, seconds: float) -> bool:
        self.rests.append(seconds)
        if seconds >= LONG:
            return self.stopped.wait(BOUND)
        self._seconds += seconds
        return self.stopped.is_set()

    def hurry(self) -> None:
        """Nobody rests here for long."""

    def chance(self) -> float:
        return 0.5


class Watched:
    """A running source with all that it said."""

    def __init__(self, options: Options, *, once: bool = False) -> None:
        self.pace = HeldPace()
        self.store = Store()
        self.changes: list[Change] = []
        self._changed = threading.Condition()
        self.source = KubernetesSource(self._take, options, once=once, pace=self.pace)

    def _take(self, change: Change) -> None:
        with self._changed:
            self.changes.append(change)
            self.store.apply(change)
            self._changed.notify_all()

    def until(self, fact: Callable[[], Any]) -> None:
        """Wait for a fact that changes bring about; the bound only ends a test that has failed."""
        with self._changed:
            assert self._changed.wait_for(fact, BOUND), [str(change)[:200] for change in self.changes[-8:]]

    def ids(self, kind: str = "Pod") -> set[str]:
        return set(self.store.tables[kind].ids())

    def reading(self, kind: str = "Pod", scope: str = "") -> str:
        return self.store.tables[kind].access(scope).reading.value

    def reason(self, kind: str = "Pod", scope: str = "") -> str:
        return self.store.tables[kind].access(scope).reason

    def live(self, kind: str = "Pod", scope: str = "") -> None:
        self.until(lambda: self.reading(kind, scope) == "live")

    def brought(self, kind: str = "Pod") -> list[str]:
        """Return the ids that came, in order, repetitions included."""
        return [
            made.id for change in self.changes if isinstance(change, Upserted) and change.kind == kind
            for made in change.objects
        ]  # fmt: skip

    def removed(self, kind: str = "Pod") -> list[str]:
        """Return the ids that were taken away, in order."""
        return [
            ident for change in self.changes if isinstance(change, Removed) and change.kind == kind
            for ident in change.ids
        ]  # fmt: skip


@contextmanager
def watched(server: ApiServer, *, once: bool = False, **options: Any) -> Iterator[Watched]:
    """Run a source against a server."""
    kubeconfig = options.pop("kubeconfig", None) or server.kubeconfig()
    running = Watched(Options(kubeconfig=kubeconfig, **options), once=once)
    running.source.start()
    try:
        yield running
    finally:
        running.pace.stopped.set()
        running.source.stop()


def wait_for_request(server: ApiServer, fact: Callable[[], Any]) -> None:
    """Wait for a fact that requests bring about."""
    with server.changed:
        assert server.changed.wait_for(fact, BOUND), [item.target for item in server.requests[-8:]]
