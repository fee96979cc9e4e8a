"""The screen of ``w``: who can talk to an object, and to whom it can talk; Enter follows one of the connections."""

from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace.policy.subject import Subject
from aksnav.ui.panes.who import WhoPane, request_of
from aksnav.ui.screens.protocol import Desk
from aksnav.ui.screens.table import TableScreen
from aksnav.ui.widgets.table import RecordTable


class WhoScreen(TableScreen):
    """The peers of one subject."""

    def __init__(self, desk: Desk, store: Store, subject: Subject) -> None:
        self._peers = WhoPane(store, subject)
        super().__init__(desk, self._peers)

    @property
    def hints(self) -> tuple[str, ...]:
        """What the keys do here, the most important one first."""
        return ("q back", "enter trace", "/ filter", "d describe policy", "y yaml", "r ask again")

    @property
    def selected(self) -> Ref | None:
        """The policy that decides, or else the Pod at the other end."""
        row = self._peers.table.cursor_row
        if row is None:
            return None
        if row.policies:
            return row.policies[0]
        for place in (row.source, row.target):
            if place.pod is not None:
                return Ref(place.pod.KIND, place.pod.id)
        return None

    def on_record_table_row_selected(self, message: RecordTable.RowSelected) -> None:
        """Follow the connection that the row stands for."""
        message.prevent_default()
        message.stop()
        self.action_trace()

    def action_trace(self) -> None:
        """Follow one connection of the row, from one of its peers."""
        row = self._peers.table.cursor_row
        request = None if row is None else request_of(row)
        if request is not None:
            self._desk.open_trace(request)
        elif row is not None:
            self._desk.tell("no single address stands for these peers: there is nothing to trace to", bad=True)
