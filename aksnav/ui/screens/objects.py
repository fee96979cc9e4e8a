"""What every screen offers for the object under its cursor: trace, who, describe, YAML, copy; and the filter."""

from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from aksnav.model.object import Ref
from aksnav.ui.screens.prompting import PromptScreen
from aksnav.ui.screens.protocol import Desk
from aksnav.ui.widgets.table import RecordTable

SORTS = {
    "N": ("name", ("name", "request", "rule", "route", "ports", "id", "peer")),
    "S": ("state", ("outcome", "ready", "status", "state", "verdict", "proof", "access", "decides")),
    "I": ("address", ("address", "prefix", "destination")),
    "O": ("node", ("node", "zone", "subject", "attached", "group", "table", "balancer")),
    "T": ("restarts", ("restarts",)),
}
"""The capital letters, which are k9s' where it has one: what each sorts by, in words and as columns."""
LARGEST_FIRST = frozenset({"restarts"})


class ObjectScreen(PromptScreen):
    """A screen whose rows are objects; a subclass says which one is selected."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "filter",
            "Filter",
            id="objects.filter",
            priority=True,
            tooltip="Regex, !inverse, -l labels, an IP or a CIDR",
        ),
        Binding(
            "t", "trace", "Trace", id="objects.trace", tooltip="Follow the request of the selected row, step by step"
        ),
        Binding("w", "who", "Who", id="objects.who", tooltip="Who can talk to the selected object, and to whom it can"),
        Binding("d", "describe", "Describe", id="objects.describe", tooltip="All that is known of the selected object"),
        Binding("y", "yaml", "YAML", id="objects.yaml", tooltip="The selected object as its API sends it"),
        Binding("c", "copy", "Copy", id="objects.copy", tooltip="Copy the name of the selected row"),
        Binding("0", "all_namespaces", "All namespaces", id="objects.all", tooltip="Show every namespace"),
        Binding("N", "sort('N')", "By name", id="objects.sort_name", tooltip="Sort by name; again turns it round"),
        Binding("S", "sort('S')", "By state", id="objects.sort_state", tooltip="Sort by state, the worst first"),
        Binding("I", "sort('I')", "By address", id="objects.sort_ip", tooltip="Sort by address"),
        Binding("O", "sort('O')", "By node", id="objects.sort_node", tooltip="Sort by node, or by the object it is on"),
        Binding("T", "sort('T')", "By restarts", id="objects.sort_restarts", tooltip="Sort by restarts, most first"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    @property
    def selected(self) -> Ref | None:
        """The object under the cursor."""
        raise NotImplementedError

    @property
    def table(self) -> RecordTable[Any]:
        """The table that has the keys."""
        raise NotImplementedError

    @property
    def home(self) -> RecordTable[Any]:
        """The table."""
        return self.table

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the sign that opens the prompt to it while a line is typed."""
        del parameters
        return not (action == "filter" and self._prompt.is_open)

    def action_filter(self) -> None:
        """Ask for a filter."""
        self.prompt_for("/", self._filter_text)

    def action_sort(self, key: str) -> None:
        """Sort by the first column that the key stands for and the table has; again turns the order round."""
        word, columns = SORTS[key]
        table = self.table
        column = next((column for column in columns if table.has_column(column)), None)
        if column is None:
            self._desk.tell(f"nothing to sort by {word} here", bad=True)
            return
        before, reverse = table.sorted_by
        table.sort_by(column, reverse=not reverse if before == column else column in LARGEST_FIRST)

    def action_all_namespaces(self) -> None:
        """Show every namespace."""
        self._desk.restrict("")

    def action_trace(self) -> None:
        """Follow a request to the selected object."""
        if self.selected is not None:
            self._desk.trace_object(self.selected)

    def action_who(self) -> None:
        """Show who can talk to the selected object."""
        if self.selected is not None:
            self._desk.who_can_talk(self.selected)

    def action_describe(self) -> None:
        """Describe the selected object."""
        if self.selected is not None:
            self._desk.describe(self.selected)

    def action_yaml(self) -> None:
        """Show the selected object as YAML."""
        if self.selected is not None:
            self._desk.show_yaml(self.selected)

    def action_copy(self) -> None:
        """Copy the name of the selected object."""
        if self.selected is not None:
            self._desk.copy(self.selected.id)
