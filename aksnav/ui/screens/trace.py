"""The trace screen: the ladder of steps, and the evidence of the selected one; it follows the store."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.events import Resize

from aksnav.report.markdown import trace_markdown
from aksnav.report.road import deciding
from aksnav.report.words import VERDICT_GLYPH
from aksnav.trace.step import Branch, Trace
from aksnav.ui.ages import ago
from aksnav.ui.describe import notes_of
from aksnav.ui.entry import Entry
from aksnav.ui.screens.explorer import SMALL
from aksnav.ui.screens.prompting import PromptScreen
from aksnav.ui.screens.protocol import Desk
from aksnav.ui.search import BadFilter, Searchable, parse_filter, written
from aksnav.ui.show import VERDICT_TONE, LadderRow, because_line, evidence_lines, ladder, verdict_spans
from aksnav.ui.text import Span
from aksnav.ui.widgets.columns import Column
from aksnav.ui.widgets.hints import HintBar
from aksnav.ui.widgets.lines import LinesView
from aksnav.ui.widgets.strip_bar import BarLine, StripBar
from aksnav.ui.widgets.table import RecordTable

HINTS = (
    "q back", "n next break", "tab evidence", "y yaml", "c copy command", "C confirm", "d describe", "e export",
)  # fmt: skip


def _verdict(row: LadderRow) -> str:
    if isinstance(row.item, Branch):
        return "" if row.item.weight is None else f"{row.item.weight:.0%}"
    status = f" {row.item.status}" if row.item.status else ""
    return f"{VERDICT_GLYPH[row.item.verdict]} {row.item.verdict}{status}"


def _tone(row: LadderRow) -> str:
    return "accent" if isinstance(row.item, Branch) else VERDICT_TONE[row.item.verdict]


def _what(row: LadderRow) -> str:
    if isinstance(row.item, Branch):
        return f"{row.item.label} (×{row.item.alike})" if row.item.alike > 1 else row.item.label  # noqa: RUF001 - times
    return row.item.summary


def _searchable(row: LadderRow) -> Searchable:
    kind = "" if isinstance(row.item, Branch) else f"{row.item.kind} {row.item.subject or ''} {row.item.cause}"
    text = f"{_verdict(row)} {kind} {_what(row)}"
    return Searchable(text, prefixes=written(text))


class TraceScreen(PromptScreen):
    """One request on its way."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace", "back", "Back", id="trace.back", tooltip="Back to the panes"),
        Binding("tab", "app.focus_next", "Other side", id="trace.other", tooltip="Go to the evidence, and back"),
        Binding("n", "next_break(1)", "Next break", id="trace.next", tooltip="Go to the next step that is not passed"),
        Binding("N", "next_break(-1)", "Last break", id="trace.previous", tooltip="Go to the one before"),
        Binding("slash", "filter", "Filter", id="trace.filter", priority=True, tooltip="Only the steps that match"),
        Binding("d", "describe", "Describe", id="trace.describe", tooltip="Describe the object of the step"),
        Binding("y", "yaml", "YAML", id="trace.yaml", tooltip="The object of the step, at the field that decides"),
        Binding("c", "copy", "Copy", id="trace.copy", tooltip="Copy the command that checks the step"),
        Binding("C", "confirm", "Confirm", id="trace.confirm", tooltip="Ask Azure and the network, reading only"),
        Binding("e", "export", "Export", id="trace.export", tooltip="Copy the whole trace as Markdown"),
    ]

    def __init__(self, desk: Desk, entry: Entry) -> None:
        super().__init__()
        self._desk = desk
        self.entry = entry
        self._verdict = StripBar(2, id="verdict")
        self._ladder: RecordTable[LadderRow] = RecordTable(self._columns(), lambda row: row.key, id="ladder")
        self._evidence = LinesView(wrap=True, id="evidence")
        self._hints = HintBar(HINTS)
        self._shown: Trace | None = None

    def compose(self) -> ComposeResult:
        """Show the verdict above ladder and evidence."""
        yield self._verdict
        with Container(id="road"):
            yield self._ladder
            yield self._evidence
        yield self._hints
        yield self._prompt

    @property
    def home(self) -> RecordTable[LadderRow]:
        """The ladder."""
        return self._ladder

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the sign that opens the prompt to it while a line is typed."""
        del parameters
        return not (action == "filter" and self._prompt.is_open)

    def on_mount(self) -> None:
        """Start at the break that decides."""
        self.show(self.entry, self._desk.now())
        self._ladder.focus()
        self._go_to_deciding()

    def on_resize(self, event: Resize) -> None:
        """Put the evidence below the ladder where there is no room beside it."""
        self.set_class(event.size.width < SMALL[0], "-single")

    def show(self, entry: Entry, now: float) -> None:
        """Show an evaluation of the request; what differs from the last one is marked.

        Args:
            entry: the entry with its trace.
            now: seconds since the epoch.
        """
        self.entry = entry
        trace = entry.trace
        if trace is None:
            return
        rows = ladder(trace)
        if self._shown is None:
            self._ladder.set_rows(rows)
        elif trace != self._shown:
            self._change(rows, now)
        self._shown = trace
        changed = f"  was {entry.before} until {ago(now - entry.changed_at)}" if entry.changed_at else ""
        source = entry.request.source.id or str(entry.request.source.origin)
        left = [
            Span("─ ", "muted", keep=True),
            Span("PAUSED " if self._desk.paused else "", "warn", keep=True),
            Span(f"{entry.request.text}", "title"),
            Span(f" from {source} ", "muted"),
        ]
        self._verdict.set_line(
            BarLine(left, [Span(" "), *verdict_spans(trace), Span(f"{changed} ", "muted")], "─", "muted")
        )
        self._verdict.set_line(BarLine([Span(" "), *because_line(trace)], cut="end"), 1)
        self._show_evidence(stay=True)

    def follow(self, now: float) -> None:
        """Let marks of changes fade.

        Args:
            now: seconds, monotonic.
        """
        self._ladder.tick(now)

    def on_record_table_row_highlighted(self, message: RecordTable.RowHighlighted) -> None:
        """Show the evidence of the step."""
        message.stop()
        self._show_evidence(stay=False)

    def on_record_table_row_selected(self, message: RecordTable.RowSelected) -> None:
        """Go to the evidence."""
        message.stop()
        self._evidence.focus()

    def action_back(self) -> None:
        """Drop the filter, or leave."""
        if self._filter_text:
            self.search_for("")
        else:
            self.dismiss()

    def action_filter(self) -> None:
        """Ask for a filter."""
        self.prompt_for("/", self._filter_text)

    def search_for(self, text: str) -> None:
        """Show the steps that a filter accepts."""
        try:
            accepts = parse_filter(text)
        except BadFilter as error:
            self._desk.tell(str(error), bad=True)
            return
        self._filter_text = text
        self._ladder.set_filter(None if accepts is None else lambda row: accepts(_searchable(row)), f"/{text}")
        self._ladder.set_notice(f"/{text}: not every step is shown" if text else "", "muted")

    def show_pause(self) -> None:
        """Say that changes are held back, or that they are not any more."""
        self.show(self.entry, self._desk.now())

    def _go_to_deciding(self) -> None:
        """Go to the step that the line of the verdict speaks of."""
        first = None if self._shown is None else deciding(self._shown)
        if self._shown is not None and first is not None:
            self._ladder.go_to(next(row.key for row in ladder(self._shown) if row.item == first))

    def action_next_break(self, step: int) -> None:
        """Go to the next step that is not passed, around the end."""
        if self._shown is None:
            return
        broken = [
            row.key
            for row in ladder(self._shown)
            if not isinstance(row.item, Branch) and row.item in self._shown.breaks
        ]
        if not broken:
            self._desk.tell("nothing stops this request")
            return
        at = broken.index(self._ladder.cursor_key) + step if self._ladder.cursor_key in broken else 0
        self._ladder.go_to(broken[at % len(broken)])

    def action_describe(self) -> None:
        """Describe the object of the step."""
        row = self._ladder.cursor_row
        if row is not None and not isinstance(row.item, Branch) and row.item.subject is not None:
            self._desk.describe(row.item.subject)

    def action_yaml(self) -> None:
        """Show the object of the step, with the fields that decide marked."""
        row = self._ladder.cursor_row
        if row is not None and not isinstance(row.item, Branch) and row.item.subject is not None:
            self._desk.show_yaml(row.item.subject, notes_of(row.item, row.item.subject))

    def action_copy(self) -> None:
        """Copy the command that checks the step."""
        row = self._ladder.cursor_row
        if row is not None and not isinstance(row.item, Branch) and row.item.confirm:
            self._desk.copy(row.item.confirm)

    def action_confirm(self) -> None:
        """Ask the living network, and show its answers beside the trace."""
        self._desk.confirm(self.entry)

    def action_export(self) -> None:
        """Copy the trace as Markdown."""
        if self._shown is not None:
            self._desk.copy("\n".join(trace_markdown(self._shown)))

    def _change(self, rows: Sequence[LadderRow], now: float) -> None:
        old = {row.key: row for row in ladder(self._shown)} if self._shown is not None else {}
        new = {row.key: row for row in rows}
        if list(old) == list(new):
            self._ladder.update_rows({key: row for key, row in new.items() if old[key] != row}, now=now)
        else:
            self._ladder.set_rows(rows)

    def _show_evidence(self, *, stay: bool) -> None:
        row = self._ladder.cursor_row
        self._evidence.set_lines([] if row is None else evidence_lines(row.item), stay=stay)

    @staticmethod
    def _columns() -> Sequence[Column[LadderRow]]:
        return (
            Column("verdict", "VERDICT", _verdict, width=13, min_width=11, style=_tone),
            Column(
                "kind",
                "STEP",
                lambda row: "" if isinstance(row.item, Branch) else row.item.kind,
                width=19,
                priority=2,
                style=lambda _: "muted",
            ),
            Column(
                "what",
                "",
                _what,
                width=30,
                min_width=20,
                flex=1,
                elide="end",
                prefix=lambda row: "│ " * (row.depth // 2) + ("├ " if isinstance(row.item, Branch) else ""),
                style=lambda row: "accent" if isinstance(row.item, Branch) else "",
            ),
        )
