"""The explorer on a real API server, through its child process: what happens in the cluster happens on the screen."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from aksnav.model.change import Change, Reading
from aksnav.report.words import flatten
from aksnav.sources.feed import Feed
from aksnav.sources.options import Options
from aksnav.trace.step import Kind, Outcome, Step
from aksnav.ui.app import Explorer
from tests.cluster.control_plane import ControlPlane
from tests.cluster.test_live_faults import api_pods, healthy, mend
from tests.ui.screen import screen_lines, screen_text

API = "https://shop.contoso.com/api"
SIZE = (160, 45)
BOUND = 60.0
POLL = 0.02
KINDS = ("Pod", "Service", "EndpointSlice", "Node", "Ingress", "HTTPRoute", "NetworkPolicy", "Namespace")


class Least:
    """The fewest rows that each table has had, looked at after every change that goes into the store.

    Attributes:
        rows: by kind.
    """

    def __init__(self, app: Explorer) -> None:
        self.rows = rows(app)
        store = app.store
        apply = store.apply

        def counted(change: Change) -> None:
            apply(change)
            self.rows = {kind: min(least, len(store.tables[kind])) for kind, least in self.rows.items()}

        store.apply = counted  # type: ignore[method-assign]  # looks at every change, and changes nothing


async def until(pilot: Pilot[None], fact: Callable[[], object], what: str) -> None:
    """Let the application go on until a fact has come true.

    Raises:
        AssertionError: it did not within a minute; the message shows the screen.
    """
    end = time.monotonic() + BOUND
    while not fact():
        assert time.monotonic() < end, f"{what}:\n{screen_text(pilot.app)}"
        await pilot.pause(POLL)


@asynccontextmanager
async def explorer(kubeconfig: Path) -> AsyncIterator[tuple[Explorer, Pilot[None]]]:
    """Run the explorer as a user until every kind that it follows was answered for."""
    app = Explorer(Feed(Options(kubeconfig=str(kubeconfig), no_azure=True)))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await until(
            pilot,
            lambda: all(app.store.tables[kind].scopes() for kind in KINDS) and app.idle,
            "every kind is read or said to be unreadable",
        )
        yield app, pilot


def line_of(app: Explorer, request: str = API) -> str:
    """Return the line of an entry point on the screen."""
    return next((line for line in screen_lines(app) if request in line and "Request path" not in line), "")


def rows(app: Explorer) -> dict[str, int]:
    """Return how many rows each table has."""
    return {kind: len(app.store.tables[kind]) for kind in KINDS}


def live(app: Explorer) -> bool:
    """Say whether the source and every kind are live."""
    tables = (app.store.tables[kind] for kind in KINDS)
    return app.store.sources["kubernetes"].reading is Reading.LIVE and all(
        table.access().reading is Reading.LIVE for table in tables
    )


async def in_cluster(work: Callable[[], None]) -> None:
    """Do something to the cluster while the application goes on."""
    await asyncio.to_thread(work)


@pytest.fixture
def kubeconfig(sample_cluster: ControlPlane) -> Path:
    """Give the kubeconfig of the user who may read everything but Secrets."""
    return sample_cluster.kubeconfig("reader")


async def test_the_last_ready_pod_goes_and_the_open_explorer_says_503(
    sample_cluster: ControlPlane, kubeconfig: Path
) -> None:
    """Two of three unready: still no break. The third: the entry responds 503, with the check; back: it does not."""
    async with explorer(kubeconfig) as (app, pilot):
        assert "503" not in line_of(app)
        *others, last = api_pods(sample_cluster)
        try:
            for name in others:
                await in_cluster(lambda name=name: sample_cluster.set_ready(name, "shop", ready=False))  # type: ignore[misc]  # bound at once
            await until(pilot, lambda: "1/3" in screen_text(app), "one endpoint of three is left")
            assert "503" not in line_of(app)
            await in_cluster(lambda: sample_cluster.set_ready(last, "shop", ready=False))
            await until(pilot, lambda: "responds 503" in line_of(app), "the entry responds 503")
            assert "S02" in line_of(app)
        finally:
            await in_cluster(lambda: mend(sample_cluster))
        await until(pilot, lambda: "503" not in line_of(app), "the entry is mended")


async def test_an_open_trace_follows_a_deleted_pod(sample_cluster: ControlPlane, kubeconfig: Path) -> None:
    """The road from a Pod inside: it leads to the deleted Pod no more, and all endpoints are ready again."""
    web = sample_cluster.api.get("/api/v1/namespaces/shop/pods?labelSelector=track%3Dstable").body["items"][0]

    def steps(app: Explorer) -> list[Step]:
        traces = [
            entry.trace
            for entry in app.evaluator.entries.values()
            if entry.request.source.origin == "pod" and entry.trace
        ]
        return [item for _, item in flatten(traces[0].steps) if isinstance(item, Step)] if traces else []

    def reached(app: Explorer) -> list[str]:
        return sorted({step.subject.id for step in steps(app) if step.kind is Kind.DELIVER and step.subject})

    def all_ready(app: Explorer) -> bool:
        return any("shop/api: 3 of 3 endpoints ready" in step.summary for step in steps(app))

    async with explorer(kubeconfig) as (app, pilot):
        app.run_command(f"trace {API} from pod/shop/{web['metadata']['name']}")
        await until(pilot, lambda: reached(app) and all_ready(app), "it leads to the Pods of api")
        gone = reached(app)[0]
        name = gone.partition("/")[2]
        await in_cluster(lambda: sample_cluster.delete("pod", name, "shop", wait=False))
        await until(pilot, lambda: all_ready(app) and gone not in reached(app), "it leads to its successor")
        await until(pilot, lambda: "3 of 3 endpoints ready" in screen_text(app), "the trace is shown")
        await until(pilot, lambda: name not in screen_text(app), "the deleted Pod is shown no more")
    healthy(sample_cluster)


async def test_a_restarted_api_server_leaves_every_row_and_is_followed_again(
    sample_cluster: ControlPlane, kubeconfig: Path
) -> None:
    """While it is away the explorer says stale and keeps all rows; afterwards it is live and follows what happens."""
    async with explorer(kubeconfig) as (app, pilot):
        before = rows(app)
        least = Least(app)
        await in_cluster(sample_cluster.stop_api_server)
        try:
            await until(pilot, lambda: "kube ○ stale" in screen_text(app), "stale is shown")
            assert rows(app) == before
            assert API in line_of(app)
        finally:
            await in_cluster(sample_cluster.start_api_server)
        await until(pilot, lambda: live(app), "every kind is live again")
        assert "kube ● live" in screen_text(app)
        assert least.rows == before
        change = {"metadata": {"labels": {"seen-after": "restart"}}}
        await in_cluster(lambda: sample_cluster.patch("service", "api", change, "shop"))
        versions = sample_cluster.api.get("/api/v1/namespaces/shop/services/api").body["metadata"]["resourceVersion"]

        def seen() -> bool:
            service = app.store.services.get("shop/api")
            return service is not None and service.resource_version == versions

        await until(pilot, seen, "the change after the restart arrives")


async def test_an_expired_watch_loses_no_row_and_empties_no_table(
    sample_cluster: ControlPlane, kubeconfig: Path
) -> None:
    """Etcd is compacted while the explorer is cut off: a new list replaces the old one, and no row is ever missing."""
    async with explorer(kubeconfig) as (app, pilot):
        before = rows(app)
        least = Least(app)
        mark = sample_cluster.audit_mark()

        def gap() -> None:
            sample_cluster.stop_api_server()
            sample_cluster.start_api_server()
            sample_cluster.patch("service", "web", {"metadata": {"labels": {"seen-after": "gap"}}}, "shop")
            sample_cluster.compact()

        await in_cluster(gap)
        await until(
            pilot,
            lambda: any(event.code == 410 for event in sample_cluster.audit_events("reader", mark)) or live(app),
            "a watch has expired, or was taken up again",
        )
        await until(pilot, lambda: live(app), "every kind is live again")
        assert rows(app) == before
        assert least.rows == before


async def test_a_user_of_one_namespace_sees_that_namespace_and_what_is_not_readable(
    sample_cluster: ControlPlane,
) -> None:
    """Rows of the namespace are shown, refused kinds are named, and no verdict passes through what was not read."""
    kubeconfig = sample_cluster.kubeconfig("namespace-only", "shop")
    async with explorer(kubeconfig) as (app, pilot):
        await until(pilot, lambda: any(pod.namespace == "shop" for pod in app.store.pods), "Pods of shop")
        await until(pilot, lambda: app.idle and all(e.trace for e in app.evaluator.entries.values()), "all is traced")
        assert {pod.namespace for pod in app.store.pods} == {"shop"}
        assert app.store.nodes.access().reading is Reading.DENIED
        text = screen_text(app)
        assert "shop/api" in text
        assert "forbidden" in text, text
        outside = [
            entry.trace
            for entry in app.evaluator.entries.values()
            if entry.trace is not None and entry.request.source.origin == "internet"
        ]
        assert outside
        assert not [trace for trace in outside if trace.outcome is Outcome.DELIVERED]
        assert {str(trace.confidence.certainty) for trace in outside} <= {"partial", "assumed"}
        await pilot.press("a")
        await until(
            pilot, lambda: "nodes" in screen_text(app) and "forbidden" in screen_text(app), "the refusal is told"
        )
