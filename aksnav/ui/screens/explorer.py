"""The explorer: five linked panes, the line of facts above, the request path below."""

import time
from collections.abc import Iterable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.events import DescendantFocus, Resize
from textual.timer import Timer

from aksnav.model.object import Ref
from aksnav.trace.step import Outcome, Trace
from aksnav.ui.entry import Entry
from aksnav.ui.evaluate import Evaluator
from aksnav.ui.facts import cluster_spans, state_spans
from aksnav.ui.links import linked, linked_entry, ways_to
from aksnav.ui.panes.entry_points import EntryPoints
from aksnav.ui.panes.network import Network
from aksnav.ui.panes.network import Row as NetworkRow
from aksnav.ui.panes.nodes import NodesAndPods
from aksnav.ui.panes.pane import Pane
from aksnav.ui.panes.policies import Policies
from aksnav.ui.panes.services import Services
from aksnav.ui.screens.objects import ObjectScreen
from aksnav.ui.screens.protocol import Desk
from aksnav.ui.search import BadFilter, Filter, parse_filter
from aksnav.ui.show import path_lines
from aksnav.ui.text import Span
from aksnav.ui.widgets.hints import HintBar
from aksnav.ui.widgets.strip_bar import BarLine, StripBar
from aksnav.ui.widgets.table import RecordTable

SMALL = (110, 30)
LINK_AFTER = 0.04  # seconds after a move of the cursor, in which further moves may come
HINTS = (
    "t trace", "enter open", "/ filter", ": command", "f findings", "w who", "1-5 pane", "n namespace", "d describe",
    "y yaml", "a sources", "0 all", "p pause",
)  # fmt: skip


class ExplorerScreen(ObjectScreen):
    """The first screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "pane(1)", "Entry points", id="pane.1", tooltip="Go to the entry points"),
        Binding("2", "pane(2)", "Services", id="pane.2", tooltip="Go to the Services"),
        Binding("3", "pane(3)", "Nodes and Pods", id="pane.3", tooltip="Go to nodes and Pods"),
        Binding("4", "pane(4)", "VNet", id="pane.4", tooltip="Go to the virtual network"),
        Binding("5", "pane(5)", "Policies", id="pane.5", tooltip="Go to the policies"),
        Binding("tab", "next_pane(1)", "Next pane", id="pane.next", tooltip="Go to the next pane"),
        Binding("shift+tab", "next_pane(-1)", "Previous pane", id="pane.previous", tooltip="Go to the previous pane"),
        Binding("escape,q,backspace", "back", "Back", id="explorer.back", tooltip="Close the pane, drop the filter"),
    ]

    def __init__(self, desk: Desk, evaluator: Evaluator) -> None:
        super().__init__(desk)
        self._evaluator = evaluator
        store = desk.store
        self._facts = StripBar(id="facts")
        self._entries = EntryPoints(store, evaluator, id="entries")
        self._network = Network(store, id="network")
        self._services = Services(store, id="services")
        self._node_list = NodesAndPods(store, id="nodes")
        self._policies = Policies(store, id="policies")
        self._path = StripBar(3, id="path")
        self._hints = HintBar(HINTS, id="hints")
        self._current: Pane[Any] = self._entries
        self._opened = False
        self._namespace = ""
        self._accepts: Filter | None = None
        self._roads: set[str] = set()
        self._link_timer: Timer | None = None

    @property
    def panes(self) -> tuple[Pane[Any], ...]:
        """The panes by their numbers."""
        return (self._entries, self._services, self._node_list, self._network, self._policies)

    def compose(self) -> ComposeResult:
        """Lay out the panes; the grid fills row by row."""
        yield self._facts
        with Container(id="panes"):
            yield self._entries
            yield self._network
            yield self._services
            yield self._node_list
            yield self._policies
        yield self._path
        yield self._hints
        yield self._prompt

    def on_mount(self) -> None:
        """Start in the first pane."""
        self._entries.table.focus()
        for pane in self.panes:
            pane.show_title()
        self.show_path()

    def on_screen_resume(self) -> None:
        """Catch up with what changed while another screen was in front."""
        self.follow(time.monotonic())
        for pane in self.panes:
            pane.table.redraw()

    # What the application says.

    def follow(self, now: float) -> None:
        """Show what changed in the store.

        Args:
            now: seconds, monotonic.
        """
        for pane in self.panes:
            pane.follow(now)
        self.show_facts()

    def show_entries(self, changed: dict[str, Entry], gone: set[str], now: float) -> None:
        """Show entry points that were evaluated again."""
        self._entries.show(changed, gone, now)
        if changed or gone:
            self._find_roads()
        if self._shown_key() in changed or not self._entries.table.total:
            self.show_path()
        self.show_facts()

    def show_facts(self) -> None:
        """Show the line of facts."""
        store, entries = self._desk.store, self._evaluator.entries.values()
        right = state_spans(store, entries, self._desk.now(), narrow=self.size.width < SMALL[0])
        if self._desk.paused:
            right.insert(0, Span("PAUSED  ", "warn", keep=True))
        left = cluster_spans(store)
        if self._namespace:
            left.append(Span(f"  ns {self._namespace}", "accent", keep=True))
        self._facts.set_line(BarLine(left, right, cut="end"))

    def show_path(self) -> None:
        """Show the request path of the entry that is selected, or that the selected row belongs to."""
        for number, line in enumerate(path_lines(self._shown(), self._desk.now(), self._nowhere())):
            self._path.set_line(line, number)

    def _nowhere(self) -> str:
        """Return what is said where no way in leads to the selected row: whether that is known, and what else helps."""
        ref, entries = self.selected, self._evaluator.entries.values()
        if ref is None or not entries:
            return ""
        open_ones = sum(entry.trace is None or entry.trace.outcome is Outcome.UNDECIDED for entry in entries)
        inside = "; t traces to it from inside" if ref.kind in {"Service", "Pod"} else ""
        if not open_ones:
            return f"no way in from outside leads here{inside}"
        return f"ways in that lead here: none known, {open_ones} undecided{inside}"

    @property
    def table(self) -> RecordTable[Any]:
        """The table of the pane that has the keys."""
        return self._current.table

    @property
    def namespace(self) -> str:
        """The namespace that is shown; empty for all."""
        return self._namespace

    @property
    def path(self) -> Trace | None:
        """The request path that is open, None where there is none or it is not worked out yet."""
        entry = self._shown()
        return None if entry is None else entry.trace

    @property
    def first_key(self) -> str:
        """Key of the entry point that is looked at: it is evaluated first."""
        return self._shown_key()

    # Selection and links.

    def on_record_table_row_highlighted(self, message: RecordTable.RowHighlighted) -> None:
        """Mark what belongs to the row, in every pane."""
        message.stop()
        if message.table is self._current.table:
            self._link_soon()

    def on_record_table_row_selected(self, message: RecordTable.RowSelected) -> None:
        """Open the pane to the full screen; in an opened pane, describe the row."""
        message.stop()
        if self._opened or self._small:
            self.action_describe()
        else:
            self._opened = True
            self._arrange()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Take note of the pane that has the focus."""
        pane = next((pane for pane in self.panes if pane.table is event.widget), None)
        if pane is None or pane is self._current:
            return
        self._current = pane
        self._arrange()
        self._link_soon()

    def on_resize(self, event: Resize) -> None:
        """Show one pane at a time, and fewer words, where there is no room for all."""
        del event
        self._arrange()
        self.show_facts()

    @property
    def selected(self) -> Ref | None:
        """The object under the cursor."""
        row = self._current.table.cursor_row
        if isinstance(row, Entry):
            return row.via
        if isinstance(row, NetworkRow):
            return row.ref
        if row is None:
            return None
        return Ref(row.KIND, row.id)

    @property
    def linking(self) -> bool:
        """Whether the links of the row under the cursor are still to be found."""
        return self._link_timer is not None

    def _link_soon(self) -> None:
        """Find the links a moment later: the cursor does not wait for them, however many there are."""
        if self._link_timer is None:
            self._link_timer = self.set_timer(LINK_AFTER, self._link)

    def _link(self) -> None:
        self._link_timer = None
        row = self._current.table.cursor_row
        store = self._desk.store
        if isinstance(row, Entry):
            links = linked_entry(store, row)
        else:
            ref = self.selected
            links = set() if ref is None else linked(store, ref)
            if isinstance(row, NetworkRow):
                links.add(Ref("subnets", row.key))
        self._find_roads()
        self._mark(links)
        self.show_path()

    def _find_roads(self) -> None:
        """Find the entry points that lead to the selected object."""
        ref = self.selected
        self._roads = set() if ref is None else self._evaluator.passing(ways_to(self._desk.store, ref))

    def _mark(self, links: set[Ref]) -> None:
        names = {str(ref) for ref in links}
        services = {ref.id for ref in links if ref.kind == "Service"}
        marks: Iterable[tuple[Pane[Any], set[str]]] = (
            (self._entries, self._roads),
            (self._services, services),
            (self._node_list, {ref.id for ref in links if ref.kind in {"Pod", "Node"}}),
            (self._network, {ref.id for ref in links if ref.kind == "subnets"}),
            (self._policies, names),
        )
        for pane, keys in marks:
            pane.table.set_marks(frozenset() if pane is self._current else frozenset(keys))

    def _shown(self) -> Entry | None:
        row = self._current.table.cursor_row
        if isinstance(row, Entry):
            return self._evaluator.entries.get(row.key, row)
        entries = [self._evaluator.entries[key] for key in self._roads if key in self._evaluator.entries]
        return min(entries, key=lambda entry: (entry.rank, entry.request.text), default=None)

    def _shown_key(self) -> str:
        entry = self._shown()
        return "" if entry is None else entry.key

    # Keys.

    def action_pane(self, number: int) -> None:
        """Go to a pane by its number."""
        self._current = self.panes[number - 1]
        self._arrange()
        # At once, and not with the next message: keys that are typed on without waiting belong to this pane.
        self.set_focus(self._current.table)
        self._link()

    def action_next_pane(self, step: int) -> None:
        """Go to the next pane."""
        self.action_pane((self.panes.index(self._current) + step) % len(self.panes) + 1)

    def action_back(self) -> None:
        """Close the opened pane, or drop the filter."""
        if self._opened:
            self._opened = False
            self._arrange()
        elif self._filter_text:
            self._set_filter("")
        elif self._namespace:
            self._desk.restrict("")
        else:
            self._desk.tell(":q or ctrl+c leaves")

    def action_trace(self) -> None:
        """Open the trace of the selected row."""
        row = self._current.table.cursor_row
        if isinstance(row, Entry):
            self._desk.open_trace(row.request)
        else:
            super().action_trace()

    def action_who(self) -> None:
        """Show who can talk to the selected object; of an entry point that is the Service to which it leads."""
        row = self._current.table.cursor_row
        if isinstance(row, Entry) and row.trace is not None and row.trace.backends:
            behind = row.trace.backends[0]
            self._desk.who_can_talk(Ref("Service", f"{behind.namespace}/{behind.service}"))
        else:
            super().action_who()

    def action_copy(self) -> None:
        """Copy the name of the selected row."""
        row = self._current.table.cursor_row
        if isinstance(row, Entry):
            self._desk.copy(row.request.text)
        elif isinstance(row, NetworkRow):
            self._desk.copy(row.prefix or row.name)
        else:
            super().action_copy()

    def restrict(self, namespace: str) -> None:
        """Show one namespace, or all for an empty string."""
        self._namespace = namespace
        self._apply()

    def search_for(self, text: str) -> None:
        """Filter every pane."""
        self._set_filter(text)

    def show_pause(self) -> None:
        """Say that changes are held back, or that they are not any more."""
        self.show_facts()

    def _set_filter(self, text: str) -> None:
        try:
            self._accepts = parse_filter(text)
        except BadFilter as error:
            self._desk.tell(str(error), bad=True)
            return
        self._filter_text = text
        self._apply()

    def _apply(self) -> None:
        for pane in self.panes:
            pane.restrict(self._namespace, self._accepts, self._filter_text)
        self.show_facts()

    @property
    def _small(self) -> bool:
        return self.size.width < SMALL[0] or self.size.height < SMALL[1]

    def _arrange(self) -> None:
        single = self._opened or self._small
        self.set_class(single, "-single")
        for pane in self.panes:
            pane.display = pane is self._current or not single
            pane.show_title(active=pane is self._current)
