"""Text that attacks its reader goes through every building block of the screen, and nothing happens."""

import pytest
from textual.app import App, ComposeResult

from aksnav.model.text import plain
from aksnav.ui.text import Span, content
from aksnav.ui.widgets.columns import Column
from aksnav.ui.widgets.lines import LinesView
from aksnav.ui.widgets.strip_bar import BarLine, StripBar
from aksnav.ui.widgets.table import RecordTable
from tests.ui.payloads import C1, ESCAPES, PAYLOADS, harmless
from tests.ui.screen import screen_text
from tests.ui.terminal import Terminal, python


class HostileApp(App[None]):
    """All building blocks, each showing the same text wherever it can show any."""

    CSS = "StripBar { height: 2; } RecordTable { height: 6; }"

    def __init__(self, text: str) -> None:
        super().__init__()
        self.payload = text
        self.rang = False
        columns = [
            Column[str]("text", text, lambda row: row, width=20, flex=1, prefix=lambda row: row[:1]),
            Column[str](
                "again", "AGAIN", lambda row: row, width=30, align="right", elide="middle", style=lambda row: row
            ),
        ]
        self.full = RecordTable[str](columns, lambda row: row)
        self.none = RecordTable[str](columns, lambda row: row, empty=text)
        self.view = LinesView()
        self.wrapped = LinesView(wrap=True)
        self.bar = StripBar(2)

    def compose(self) -> ComposeResult:
        yield self.bar
        yield self.full
        yield self.none
        yield self.view
        yield self.wrapped

    def on_mount(self) -> None:
        text = self.payload
        self.full.set_rows([text])
        self.full.set_marks(frozenset({text}))
        self.full.set_notice(text)
        self.full.sort_by("text")
        self.none.border_title = content(text)
        self.view.set_text(text)
        self.wrapped.set_lines([[Span(text, text), Span(text, "bad")]])
        self.bar.set_line(BarLine([Span(text), Span(text, "good", keep=True)], [Span(text)]))
        self.bar.set_line(BarLine([Span(text)]), 1)

    def action_pwn(self) -> None:
        self.rang = True


@pytest.mark.parametrize("number", range(len(PAYLOADS)))
async def test_foreign_text_is_shown_and_does_nothing(number: int) -> None:
    """No control reaches the screen, no action runs, no markup is read, and every line keeps its width."""
    app = HostileApp(PAYLOADS[number])
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert harmless(screen_text(app))
        for widget in (app.full, app.none, app.view, app.wrapped, app.bar):
            for y in range(widget.size.height):
                strip = widget.line(y)
                assert strip.cell_length == widget.size.width
                assert all(segment.control is None for segment in strip)
                assert all(segment.style is None or not segment.style.meta for segment in strip)
        start = plain(PAYLOADS[number])[:10]
        assert start in app.none.line(1).text
        assert start in app.full.line(1).text
        await pilot.click(app.full, offset=(8, 2))
        await pilot.click(app.wrapped, offset=(4, 0))
        assert not app.rang


def test_a_terminal_receives_no_sequence_of_the_text() -> None:
    """What is written to a real pseudo-terminal holds no clipboard, link, title or query sequence of a stranger."""
    attack = "".join((*ESCAPES, *C1))
    program = f"from tests.ui.test_hostile import HostileApp; HostileApp({attack!r}).run(mouse=False)"
    with Terminal(python("-c", program), columns=160, lines=50) as terminal:
        terminal.read_until(lambda text: "␛]52" in text)
        terminal.quiet()
        terminal.write("\x1b[B")
        written = terminal.written + terminal.quiet()
    assert b"]52;c;Y3VybCBldmlsIHwgc2g=" in terminal.written
    for sequence in (b"\x1b]52", b"\x1b]8;", b"\x1b]0;", b"\x1bP", b"\x1b[6n", b"\xc2\x9b", b"\xc2\x9d", b"\xc2\x90"):
        assert sequence not in written
