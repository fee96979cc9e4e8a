"""A screen with one table: all objects of a kind, namespaces to choose from, findings, contexts."""

from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from aksnav.model.object import Ref
from aksnav.ui.panes.pane import Pane
from aksnav.ui.screens.objects import ObjectScreen
from aksnav.ui.screens.protocol import Desk
from aksnav.ui.search import BadFilter, parse_filter
from aksnav.ui.widgets.hints import HintBar
from aksnav.ui.widgets.table import RecordTable


class TableScreen(ObjectScreen):
    """One pane, filling the screen; with ``choose`` Enter takes the row instead of describing it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace", "back", "Back", id="table.back", tooltip="Back to where you came from"),
    ]
    CSS = "TableScreen { layout: vertical; background: $background; }"

    def __init__(
        self, desk: Desk, pane: Pane[Any], choose: Callable[[Any], None] | None = None, *, filter_text: str = ""
    ) -> None:
        """Make the screen.

        Args:
            desk: the application.
            pane: what it shows.
            choose: takes the row that Enter chooses; None: Enter describes it.
            filter_text: the filter to begin with.
        """
        super().__init__(desk)
        self._filter_text = filter_text
        self._pane = pane
        pane.wall = desk.now
        self._choose = choose
        self._hints = HintBar()

    def compose(self) -> ComposeResult:
        """Show the pane, the hints and the prompt."""
        yield self._pane
        yield self._hints
        yield self._prompt

    def on_mount(self) -> None:
        """Fill the pane."""
        self._hints.set_hints(self.hints)
        self._pane.table.focus()
        self._pane.paused = self._desk.paused
        self.follow(0.0)
        self.show_namespace()

    def follow(self, now: float) -> None:
        """Show what changed.

        Args:
            now: seconds, monotonic.
        """
        self._pane.follow(now)

    @property
    def hints(self) -> tuple[str, ...]:
        """What the keys do here, the most important one first."""
        word = "enter choose" if self._choose is not None else "enter describe"
        return ("q back", word, "t trace", "/ filter", "w who", "y yaml", "c copy")

    @property
    def table(self) -> RecordTable[Any]:
        """The table of the pane."""
        return self._pane.table

    @property
    def busy(self) -> bool:
        """Whether rows are still being worked out."""
        return self._pane.busy

    @property
    def selected(self) -> Ref | None:
        """The object under the cursor."""
        row = self._pane.table.cursor_row
        if row is None:
            return None
        found = getattr(row, "subject", None)
        return found if isinstance(found, Ref) else Ref(row.KIND, row.id)

    def on_record_table_row_highlighted(self, message: RecordTable.RowHighlighted) -> None:
        """Nothing is linked here."""
        message.stop()

    def on_record_table_row_selected(self, message: RecordTable.RowSelected) -> None:
        """Take the row, or describe it."""
        message.stop()
        if self._choose is not None:
            self.dismiss()
            self._choose(message.row)
        else:
            self.action_describe()

    def action_back(self) -> None:
        """Drop the filter, or leave."""
        if self._filter_text:
            self._restrict("")
        else:
            self.dismiss()

    def search_for(self, text: str) -> None:
        """Filter."""
        self._restrict(text)

    def show_namespace(self) -> None:
        """Show what is in the namespace that was chosen, and in all where rows are in none."""
        self._restrict(self._filter_text)

    def show_pause(self) -> None:
        """Say that changes are held back, or that they are not any more."""
        self._pane.paused = self._desk.paused
        self._pane.show_title()

    def _restrict(self, text: str) -> None:
        try:
            accepts = parse_filter(text)
        except BadFilter as error:
            self._desk.tell(str(error), bad=True)
            return
        self._filter_text = text
        self._pane.restrict(self._desk.namespace if self._pane.by_namespace else "", accepts, text)
