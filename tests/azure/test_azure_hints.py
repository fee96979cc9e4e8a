"""What the changes of the Kubernetes half tell of where the cluster is."""

import threading
from collections.abc import Iterable

import pytest

from aksnav.model.change import (
    Heartbeat,
    ListEnded,
    ListStarted,
    Reading,
    ReadingChanged,
    Removed,
    SourceChanged,
    Upserted,
)
from aksnav.model.kubernetes.gateway import Gateway
from aksnav.model.kubernetes.workload import Node
from aksnav.sources.azure.edges import Pointers
from aksnav.sources.azure.hints import HintCollector, PointerCollector


class Ear:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[list[str], str]] = []
        self.collector = HintCollector(self.hear)

    def hear(self, ids: Iterable[str], server: str) -> None:
        """Keep hints."""
        self.told.append((sorted(ids), server))


@pytest.fixture
def ear() -> Ear:
    """A collector that has heard of a server."""
    made = Ear()
    made.collector.see(SourceChanged("kubernetes", Reading.LIVE, "", {"server": "a.example:443"}))
    return made


def nodes(*names: str) -> Upserted:
    """Return nodes whose provider ids are their names."""
    return Upserted("Node", [Node(name=name, provider_id=f"azure:///{name}") for name in names])


def listed(ear: Ear, *names: str) -> None:
    """List these nodes."""
    for change in (ListStarted("Node"), nodes(*names), ListEnded("Node")):
        ear.collector.see(change)


def test_nothing_is_told_before_the_list_is_complete(ear: Ear) -> None:
    """Half a list of nodes is no place."""
    ear.collector.see(ListStarted("Node"))
    ear.collector.see(nodes("a"))
    assert ear.told == []
    ear.collector.see(ListEnded("Node"))
    assert ear.told == [(["azure:///a"], "a.example:443")]


@pytest.mark.parametrize("reading", [Reading.DENIED, Reading.UNREAD, Reading.FAILED])
def test_nodes_that_cannot_be_read_let_azure_begin_with_the_servers_name(ear: Ear, reading: Reading) -> None:
    """No provider ids, but the name of the server."""
    ear.collector.see(ReadingChanged("Node", Reading.PENDING))
    ear.collector.see(ReadingChanged("Node", reading, "", "why"))
    assert ear.told == [([], "a.example:443")]


def test_news_of_a_node_that_does_not_move_is_no_hint(ear: Ear) -> None:
    """Statuses of nodes come all the time."""
    listed(ear, "a")
    ear.collector.see(nodes("a"))
    ear.collector.see(Heartbeat("Node", 1.0))
    ear.collector.see(Upserted("Service", []))
    assert len(ear.told) == 1


def test_a_new_node_and_a_node_that_went_are_told(ear: Ear) -> None:
    """A new pool has a scale set of its own."""
    listed(ear, "a")
    ear.collector.see(nodes("b"))
    assert ear.told[-1][0] == ["azure:///a", "azure:///b"]
    ear.collector.see(Removed("Node", ["a"]))
    assert ear.told[-1][0] == ["azure:///b"]


def test_a_second_list_forgets_what_it_does_not_bring(ear: Ear) -> None:
    """After a broken watch."""
    listed(ear, "a", "b")
    listed(ear, "b")
    assert ear.told[-1][0] == ["azure:///b"]


def test_a_server_that_is_known_late_is_told_then() -> None:
    """The order of the two does not matter."""
    late = Ear()
    listed(late, "a")
    late.collector.see(SourceChanged("kubernetes", Reading.LIVE, "", {"server": "b.example:443"}))
    assert late.told == [(["azure:///a"], ""), (["azure:///a"], "b.example:443")]


def test_of_two_that_are_told_at_once_the_last_word_is_what_was_seen_last() -> None:
    """Services and Gateways come from threads of their own; one of them stops halfway while the other goes on."""
    told: list[Pointers] = []
    gateway = Gateway(name="g", namespace="shop", annotations={"alb.networking.azure.io/alb-id": "/x/alb"})

    def hear(pointers: Pointers) -> None:
        if not told and other.ident is None:
            other.start()
            other.join(0.2)  # it waits for this one; where it need not, it is done long before
        told.append(pointers)

    collector = PointerCollector(hear)
    other = threading.Thread(target=lambda: collector.see(Upserted("Gateway", [gateway])))
    collector.see(ListEnded("Gateway"))
    collector.see(ListEnded("Service"))
    other.join()
    assert [pointers.controllers for pointers in told] == [frozenset(), frozenset({"/x/alb"})]
