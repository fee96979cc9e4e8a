"""A screen with one table: all objects of a kind, namespaces to choose from, findings, contexts."""

from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from aksnav.model.object import Ref
from aksnav.ui.panes.pane import Pane
from aksnav.ui.prompt import Prompt
from aksnav.ui.screens.protocol import Desk
from aksnav.ui.search import BadFilter, parse_filter
from aksnav.ui.text import Span
from aksnav.ui.widgets.strip_bar import BarLine, StripBar
from aksnav.ui.widgets.table import RecordTable


class TableScreen(Screen[str | None]):
    """One pane, filling the screen; with ``choose`` Enter takes the row instead of describing it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace", "back", "Back", id="table.back", tooltip="Back to where you came from"),
        Binding(
            "slash",
            "filter",
            "Filter",
            id="table.filter",
            priority=True,
            tooltip="Regex, !inverse, -l labels, an IP or a CIDR",
        ),
        Binding("t", "trace", "Trace", id="table.trace", tooltip="Follow a request to the selected object"),
        Binding("w", "who", "Who", id="table.who", tooltip="Who can talk to the selected object, and to whom it can"),
        Binding("d", "describe", "Describe", id="table.describe", tooltip="All that is known of the selected object"),
        Binding("y", "yaml", "YAML", id="table.yaml", tooltip="The selected object as its API sends it"),
        Binding("c", "copy", "Copy", id="table.copy", tooltip="Copy the name of the selected object"),
    ]
    CSS = "TableScreen { layout: vertical; background: $background; }"

    def __init__(self, desk: Desk, pane: Pane[Any], choose: Callable[[Any], None] | None = None) -> None:
        super().__init__()
        self._desk = desk
        self._pane = pane
        self._choose = choose
        self._hints = StripBar()
        self._prompt = Prompt()
        self._filter_text = ""

    def compose(self) -> ComposeResult:
        """Show the pane, the hints and the prompt."""
        yield self._pane
        yield self._hints
        yield self._prompt

    def on_mount(self) -> None:
        """Fill the pane."""
        word = "enter choose" if self._choose is not None else "enter describe"
        self._hints.set_line(BarLine([Span(f" q back  / filter  {word}  t trace  y yaml  c copy  ? help", "muted")]))
        self._pane.table.focus()
        self.follow(0.0)

    def follow(self, now: float) -> None:
        """Show what changed.

        Args:
            now: seconds, monotonic.
        """
        self._pane.follow(now)

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
            self.dismiss(None)
            self._choose(message.row)
        else:
            self.action_describe()

    def action_back(self) -> None:
        """Drop the filter, or leave."""
        if self._filter_text:
            self._restrict("")
        else:
            self.dismiss(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the sign that opens the prompt to it while a line is typed."""
        del parameters
        return not (action == "filter" and self._prompt.is_open)

    def action_filter(self) -> None:
        """Ask for a filter."""
        self._prompt.ask("/", self._filter_text)

    def action_trace(self) -> None:
        """Follow a request to the object."""
        if self.selected is not None:
            self._desk.trace_object(self.selected)

    def action_who(self) -> None:
        """Show who can talk to the object."""
        if self.selected is not None:
            self._desk.who_can_talk(self.selected)

    def action_describe(self) -> None:
        """Describe the object."""
        if self.selected is not None:
            self._desk.describe(self.selected)

    def action_yaml(self) -> None:
        """Show the object as YAML."""
        if self.selected is not None:
            self._desk.show_yaml(self.selected)

    def action_copy(self) -> None:
        """Copy the object's name."""
        if self.selected is not None:
            self._desk.copy(self.selected.id)

    def on_prompt_answered(self, message: Prompt.Answered) -> None:
        """Set the filter."""
        message.stop()
        self._pane.table.focus()
        self._restrict(message.text.strip())

    def on_prompt_cancelled(self, message: Prompt.Cancelled) -> None:
        """Go back to the table."""
        message.stop()
        self._pane.table.focus()

    def _restrict(self, text: str) -> None:
        try:
            self._pane.restrict("", parse_filter(text), text)
        except BadFilter as error:
            self._desk.tell(str(error), bad=True)
        else:
            self._filter_text = text
