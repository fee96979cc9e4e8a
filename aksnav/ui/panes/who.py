"""Who can talk to an object, and to whom it can talk: a table of peers, with port, verdict and policy."""

import time
from collections.abc import Iterator, Sequence
from typing import ClassVar

import msgspec
from textual.binding import Binding, BindingType

from aksnav.model.addresses import format_address
from aksnav.report.who import GLYPH, WORD, decided_by
from aksnav.store import Store
from aksnav.trace import parse_request
from aksnav.trace.place import Place
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.engines import TITLES
from aksnav.trace.policy.reach import Talk, rows_of, talk_of
from aksnav.trace.policy.reach_ports import words
from aksnav.trace.policy.reach_rows import Reach
from aksnav.trace.policy.subject import Subject
from aksnav.trace.request import BadRequest, Origin, Request, Source
from aksnav.ui.ages import ago
from aksnav.ui.pace import SLICE
from aksnav.ui.panes.pane import Pane
from aksnav.ui.search import Searchable, written
from aksnav.ui.text import Span
from aksnav.ui.widgets.columns import Column

_TONE = {True: "good", False: "bad", None: "unknown"}
_WAY = {Direction.INGRESS: "in", Direction.EGRESS: "out"}


class WhoPane(Pane[Reach]):
    """The peers of one subject; worked out in slices between keys, of the time at which they were asked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "ask", "Ask again", id="who.ask", tooltip="Ask again who can talk"),
    ]
    heading: ClassVar[str] = "Who can talk"
    by_namespace: ClassVar[bool] = False

    def __init__(self, store: Store, subject: Subject) -> None:
        super().__init__(store)
        self._subject = subject
        self._rest: Iterator[Reach] | None = None
        self._found: list[Reach] = []
        self._talk: Talk | None = None
        self._done_at = 0.0

    @property
    def busy(self) -> bool:
        """Whether peers are still being asked."""
        return self._rest is not None

    def on_mount(self) -> None:
        """Begin to ask."""
        self.action_ask()

    def action_ask(self) -> None:
        """Ask everybody, from the beginning."""
        running = self._rest is not None
        self._rest, self._found = rows_of(self.store, self._subject), []
        self.table.set_empty("asking …")
        if not running:
            self.call_later(self._go_on)

    def _go_on(self) -> None:
        """Ask for a slice of time, then let keys and changes have their turn."""
        if self._rest is None:
            return
        end = time.monotonic() + SLICE
        while time.monotonic() < end:
            row = next(self._rest, None)
            if row is None:
                self._finish()
                return
            self._found.append(row)
        self.set_timer(SLICE, self._go_on)

    def _finish(self) -> None:
        self._rest = None
        self._done_at = self.wall()
        self._talk = talk_of(self.store, self._subject, self._found)
        self.table.set_rows(self._talk.rows)
        said = [f"not read: {text}" for text in self._talk.missing]
        said += [f"taken for granted: {text}" for text in self._talk.assumptions]
        self.table.set_notice("; ".join(said))
        self.table.set_empty("no Pods, and nobody to ask about")
        self.show_title()

    def columns(self) -> Sequence[Column[Reach]]:
        """Return direction, verdict, both ends, ports and what decides."""
        return (
            Column("way", "WAY", lambda row: _WAY[row.direction], width=3),
            Column(
                "verdict",
                "VERDICT",
                lambda row: f"{GLYPH[row.allowed]} {WORD[row.allowed]}",
                width=11,
                style=lambda row: _TONE[row.allowed],
            ),
            Column("peer", "PEER", lambda row: str(row.peer), width=34, min_width=20, flex=2, elide="middle"),
            Column("pods", "PODS", lambda row: str(row.count or ""), width=5, align="right", priority=2),
            Column("ports", "PORTS", lambda row: words(row.ports), width=26, min_width=12, flex=1),
            Column("policy", "BECAUSE OF", decided_by, width=32, min_width=16, flex=2),
            Column("subject", "SUBJECT", lambda row: str(row.subject), width=24, flex=1, priority=3, elide="middle"),
        )

    def key(self, row: Reach) -> str:
        """Return all that tells a row from others."""
        policies = " ".join(map(str, row.policies))
        return f"{row.direction} {row.subject} {row.peer} {row.entry} {words(row.ports)} {row.allowed} {policies}"

    def rows(self) -> Sequence[Reach]:
        """Return the rows of the last answer."""
        return self._talk.rows if self._talk is not None else ()

    def namespace_of(self, row: Reach) -> str | None:
        """Return the namespace of the peer."""
        return row.peer.namespace or None

    def search(self, row: Reach) -> Searchable:
        """Return everything that is shown."""
        shown = " ".join(column.cell(row) for column in self.columns())
        ends = tuple(format_address(place.address) for place in (row.source, row.target) if place.address is not None)
        return Searchable(f"{shown} {row.why}", addresses=ends, prefixes=written(shown))

    def follow(self, now: float) -> None:
        """Show the title; the rows are those of the last answer."""
        self.table.tick(now)
        self.show_title()

    def aside(self) -> Sequence[Span]:
        """Return whose peers they are, and which engine's reading it is."""
        reading = f" · {TITLES[self._talk.engine]}" if self._talk is not None else ""
        asked = f"· asked {ago(self.wall() - self._done_at)}, r again " if self._talk is not None else ""
        return (Span(f" {self._subject.text}{reading} ", "accent", keep=True), Span(asked, "muted"))


def request_of(row: Reach) -> Request | None:
    """Return the request that follows the connection which a row offers; None where nothing can be traced to."""
    port = row.ports[0]
    scheme = port.protocol.lower()
    target = _host(row.target)
    if target is None:
        return None
    try:
        request = parse_request(f"{scheme}://{target}:{port.first}")
    except BadRequest:
        return None
    return msgspec.structs.replace(request, source=_source(row.source))


def _host(place: Place) -> str | None:
    if place.address is None:
        return None
    text = format_address(place.address)
    return f"[{text}]" if ":" in text else text


def _source(place: Place) -> Source:
    if place.pod is not None:
        return Source(Origin.POD, id=place.pod.id)
    if place.node is not None:
        return Source(Origin.NODE, id=place.node.name)
    return Source(Origin.INTERNET) if place.address is None else Source(Origin.ADDRESS, address=place.address)
