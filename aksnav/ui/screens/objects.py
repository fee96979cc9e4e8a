"""What every screen offers for the object under its cursor: trace, who, describe, YAML, copy; and the filter."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from aksnav.model.object import Ref
from aksnav.ui.prompt import Prompt
from aksnav.ui.screens.protocol import Desk


class ObjectScreen(Screen[None]):
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
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._prompt = Prompt()
        self._filter_text = ""

    @property
    def selected(self) -> Ref | None:
        """The object under the cursor."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the sign that opens the prompt to it while a line is typed."""
        del parameters
        return not (action == "filter" and self._prompt.is_open)

    def action_filter(self) -> None:
        """Ask for a filter."""
        self._prompt.ask("/", self._filter_text)

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
