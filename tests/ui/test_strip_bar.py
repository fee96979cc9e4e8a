"""Bars show what matters at any width and are quiet when nothing changes."""

from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip

from aksnav.ui.text import Span, cells
from aksnav.ui.widgets.strip_bar import BarLine, StripBar, elide
from tests.ui.payloads import PAYLOADS
from tests.ui.screen import screen_lines


class WatchedBar(StripBar):
    """Remembers which lines Textual drew anew."""

    def __init__(self) -> None:
        super().__init__(2)
        self.drawn: list[int] = []
        self.asked: list[Region] = []

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> "WatchedBar":
        """Take note of what is asked to be painted."""
        if hasattr(self, "asked"):
            self.asked += regions
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        return self

    def render_line(self, y: int) -> Strip:
        self.drawn.append(y)
        return super().render_line(y)


class BarApp(App[None]):
    """A bar of two lines."""

    def __init__(self) -> None:
        super().__init__()
        self.bar = WatchedBar()

    def compose(self) -> ComposeResult:
        yield self.bar


def text_of(spans: list[Span]) -> str:
    return "".join(span.text for span in spans)


async def test_left_and_right_stand_at_their_edges() -> None:
    """The fill is between them; each line is its own."""
    app = BarApp()
    async with app.run_test(size=(30, 4)) as pilot:
        app.bar.set_line(BarLine([Span("aksnav", "title")], [Span("kube ● live", "good")]))
        app.bar.set_line(BarLine([Span("─ 2 Services ")], [Span(" 3/9 ─")], fill="─"), 1)
        await pilot.pause()
        assert screen_lines(app)[:2] == ["aksnav             kube ● live", "─ 2 Services ─────────── 3/9 ─"]
        assert app.bar.size.height == 2


async def test_only_changed_text_repaints() -> None:
    """The same text again costs nothing, other text its own line."""
    app = BarApp()
    async with app.run_test(size=(30, 4)) as pilot:
        app.bar.set_line(BarLine([Span("one")]))
        app.bar.set_line(BarLine([Span("two")]), 1)
        await pilot.pause()
        app.bar.drawn.clear()
        app.bar.set_line(BarLine([Span("one")]))
        await pilot.pause()
        assert app.bar.drawn == []
        app.bar.set_line(BarLine([Span("three")]), 1)
        await pilot.pause()
        assert set(app.bar.drawn) == {1}


async def test_a_narrow_screen_cuts_the_left_side_in_its_middle() -> None:
    """The state of the connection stays, and so do the ends of the facts."""
    app = BarApp()
    async with app.run_test(size=(30, 4)) as pilot:
        app.bar.set_line(BarLine([Span("prod-weu · AKS 1.34 · overlay · Cilium")], [Span("kube ● live")]))
        await pilot.pause()
        assert screen_lines(app)[0] == "prod-weu …· Cilium kube ● live"


def test_what_is_kept_is_cut_last() -> None:
    """On the path, the step that breaks is seen at any width that has room for it."""
    path = [Span("✔ dns → ✔ public ip → ✔ nsg → "), Span("✖ service api", "bad", keep=True), Span(" → pod")]
    assert text_of(elide(path, 100)) == text_of(path)
    assert text_of(elide(path, 40)) == "✔ dns → ✔ …→ ✔ nsg → ✖ service api → pod"
    for width in range(15, 49):
        shown = elide(path, width)
        assert cells(text_of(shown)) == width
        assert "✖ service api" in text_of(shown)
    assert text_of(elide(path, 5)) == "…✖…i…"  # of what is kept, as much as there is room for


SPANS = st.lists(
    st.builds(Span, st.sampled_from(PAYLOADS) | st.text("ab 名", max_size=20), keep=st.booleans()), max_size=6
)


@given(SPANS, st.integers(0, 60))
def test_elided_spans_fit_and_are_harmless(spans: list[Span], width: int) -> None:
    """Whatever the spans hold."""
    shown = elide(spans, width)
    assert sum(cells(span.text) for span in shown) <= width
    assert text_of(shown).isprintable()


async def test_a_line_that_changes_again_before_it_is_painted_is_painted_to_its_end() -> None:
    """A frame paints only the cells that were asked for; what changed behind them since is asked for then."""
    app = BarApp()
    async with app.run_test(size=(40, 4)) as pilot:
        app.bar.set_line(BarLine([Span("one two three")]))
        await pilot.pause()
        app.bar.asked.clear()
        app.bar.set_line(BarLine([Span("ONE two three")]))
        app.bar._bar[0] = BarLine([Span("ONE two THREE")])  # it changes once more, before the frame
        await pilot.pause()
        await pilot.pause()
        assert app.bar.asked[0].width == len("ONE")
        assert app.bar.asked[-1].width == len("ONE two THREE")
