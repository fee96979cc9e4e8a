"""The screen of ``f``: everything that is wrong; Enter tells one finding in full, with what is known of its object."""

from aksnav.ui.describe import describe_lines
from aksnav.ui.panes.findings import Findings
from aksnav.ui.screens.lines import LinesScreen
from aksnav.ui.screens.protocol import Desk
from aksnav.ui.screens.table import TableScreen
from aksnav.ui.show import finding_lines


class FindingsScreen(TableScreen):
    """Every finding of one sweep."""

    def __init__(self, desk: Desk) -> None:
        self._findings = Findings(desk.store)
        super().__init__(desk, self._findings)

    @property
    def hints(self) -> tuple[str, ...]:
        """What the keys do here, the most important one first."""
        return ("q back", "enter the finding in full", "t trace", "/ filter", "y yaml", "r sweep again", "w who")

    def action_describe(self) -> None:
        """Tell the finding: what proves it, how to confirm it, how to mend it, and then its object."""
        row = self._findings.table.cursor_row
        if row is not None:
            desk = self._desk
            lines = finding_lines(row)
            known = next((ref for ref in (row.subject, *row.related) if desk.store.get(ref) is not None), None)
            if known is not None:
                lines += [[], *describe_lines(desk.store, known, desk.now())]
            self.app.push_screen(LinesScreen(f"{row.id} {row.subject}", lines))
