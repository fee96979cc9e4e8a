"""The explorer: the application that owns the store, drives the feed, and opens the screens."""

import gc
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import PurePath
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from aksnav.model.change import AdminRulesTold, Change
from aksnav.model.confirmation import Question
from aksnav.model.kinds import KINDS
from aksnav.model.object import Ref
from aksnav.model.text import plain
from aksnav.store import Store
from aksnav.trace.policy.subject import of_object
from aksnav.trace.request import BadRequest, Request
from aksnav.trace.step import Trace
from aksnav.ui import clipboard
from aksnav.ui.ages import sent_words
from aksnav.ui.commanding import Commander
from aksnav.ui.confirming import Confirming
from aksnav.ui.describe import MARK, Note, describe_lines, help_lines, with_told, yaml_lines
from aksnav.ui.entry import Entry
from aksnav.ui.evaluate import Evaluator
from aksnav.ui.feedlike import FeedLike
from aksnav.ui.health import health_lines
from aksnav.ui.pace import SLICE, Pace
from aksnav.ui.panes.kinds import KindPane
from aksnav.ui.screens.confirm import ConfirmScreen
from aksnav.ui.screens.explorer import ExplorerScreen
from aksnav.ui.screens.lines import LinesScreen
from aksnav.ui.screens.objects import ObjectScreen
from aksnav.ui.screens.prompting import PromptScreen
from aksnav.ui.screens.table import TableScreen
from aksnav.ui.screens.trace import TraceScreen
from aksnav.ui.screens.who import WhoScreen
from aksnav.ui.targets import TRACEABLE, plural_of, target_of
from aksnav.ui.text import Line, Span

KEY_GATE = 0.06  # seconds after a key in which data wait
FROZEN_STEP = 2000  # objects that arrive before what is held is frozen again
TICK = 1.0  # seconds between two looks at ages and fading marks


class Explorer(App[None]):
    """aksnav on a terminal."""

    TITLE = "aksnav"
    CSS_PATH: ClassVar[list[str | PurePath]] = ["screens/explorer.tcss", "screens/trace.tcss"]
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon", "command", "Command", id="app.command", priority=True, tooltip="Type a command"),
        Binding("question_mark", "help", "Help", id="app.help", tooltip="These keys and commands"),
        Binding("f", "findings", "Findings", id="app.findings", tooltip="Everything that is wrong"),
        Binding("a", "health", "Sources", id="app.health", tooltip="Age and health of every source"),
        Binding("n", "namespaces", "Namespace", id="app.namespaces", tooltip="Choose a namespace"),
        Binding("p", "pause", "Pause", id="app.pause", tooltip="Hold changes back, and let them in again"),
        Binding("ctrl+r", "refresh", "Refresh", id="app.refresh", tooltip="Read Azure again now"),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True, id="app.quit", tooltip="Leave"),
    ]

    def __init__(self, feed: FeedLike, *, clock: Callable[[], float] = time.time) -> None:
        """Make the application.

        Args:
            feed: where changes come from.
            clock: seconds since the epoch.
        """
        super().__init__(ansi_color=None)
        self.store = Store()
        self.evaluator = Evaluator(self.store)
        self._feed = feed
        self._clock = clock
        self._paused = False
        self._due: float | None = None
        self._timer: Timer | None = None
        self._pace = Pace()
        self._frozen = 0
        self._followed = 0.0
        self._last_key = 0.0
        self._explorer = ExplorerScreen(self, self.evaluator)
        self._commander = Commander(self)

    @property
    def paused(self) -> bool:
        """Whether changes are held back."""
        return self._paused

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._clock()

    @property
    def idle(self) -> bool:
        """Whether nothing is waiting to be applied, evaluated or shown."""
        working = isinstance(self.screen, TableScreen) and self.screen.busy
        waiting = self._due is not None or self.evaluator.pending or self._explorer.linking or working
        return not waiting and bool(self.store.version)

    def get_default_screen(self) -> Screen[None]:
        """Return the explorer."""
        return self._explorer

    def on_mount(self) -> None:
        """Start the feed once the first frame is on the screen."""
        self.set_interval(TICK, self._tick)
        self.call_after_refresh(self._feed.start, self._wake)

    def on_unmount(self) -> None:
        """Stop the feed."""
        self._feed.stop()

    def on_key(self) -> None:
        """Take note of a key: data wait a moment for the keyboard."""
        self._last_key = time.monotonic()

    # The pump: changes go into the store in slices, panes follow, and traces are asked again in slices.

    def _wake(self) -> None:
        self.call_from_anywhere(self._schedule)

    def call_from_anywhere(self, callback: Callable[[], None]) -> None:
        """Run a callback in the application's own thread, soon."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(callback)

    def _schedule(self, delay: float = 0.0) -> None:
        """Work after so many seconds, or sooner if that was arranged already."""
        due = time.monotonic() + delay
        if self._paused or not self.is_running or (self._due is not None and self._due <= due):
            return
        if self._timer is not None:
            self._timer.stop()
        self._due = due
        self._timer = self.set_timer(delay, self._work) if delay else None
        if not delay:
            self.call_later(self._work)

    def _work(self) -> None:
        self._due = None
        if not self.screen_stack:
            return  # leaving: a timer may still fire when the screens have gone
        started = time.monotonic()
        wait = KEY_GATE - (started - self._last_key)
        if wait > 0:
            self._schedule(wait)
            return
        changes = self._feed.drain(SLICE)
        if changes:
            self._take_in(changes)
            self._pace.changed(loading=any(table.listing for table in self.store.tables.values()))
        if self._pace.may_show():
            self._show()
        evaluator = self.evaluator
        if evaluator.pending and self._pace.may_evaluate(first=evaluator.unasked, last_key=self._last_key):
            self._evaluate()
        delay = self._pace.delay(drained=bool(changes), pending=evaluator.pending, first=evaluator.unasked)
        if delay is not None:
            self._schedule(delay)

    def _take_in(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self.store.apply(change)
        self.evaluator.note(changes)

    def _evaluate(self) -> None:
        screen = self.screen
        first = screen.entry.key if isinstance(screen, TraceScreen) else self._explorer.first_key
        started = time.monotonic()
        changed, gone = self.evaluator.work(lambda: time.monotonic() - started > SLICE, self.now(), first)
        self._show_evaluated(changed, gone)
        self._pace.evaluated(started)

    def _show_evaluated(self, changed: dict[str, Entry], gone: set[str]) -> None:
        """Show traces that changed, also on a trace screen that lies behind another one."""
        self._explorer.show_entries(changed, gone, time.monotonic())
        for screen in self.screen_stack:
            if isinstance(screen, TraceScreen) and screen.entry.key in changed:
                screen.show(changed[screen.entry.key], self.now())

    def _show(self) -> None:
        started = time.monotonic()
        # Behind another screen the panes keep up once a second, so that they are not all to be filled on the way back.
        if self.screen is self._explorer or started - self._followed >= TICK:
            self._followed = started
            self._explorer.follow(started)
        follow = None if self.screen is self._explorer else getattr(self.screen, "follow", None)
        if follow is not None:
            follow(started)
        self._pace.shown(started)

    def _spare(self) -> None:
        """Keep the collector from walking again and again over what was loaded: at 200,000 Pods it takes 0.1 s."""
        held = sum(map(len, self.store.tables.values()))
        if held > self._frozen + FROZEN_STEP:
            self._frozen = held
            gc.freeze()

    def _tick(self) -> None:
        self._spare()
        if not self._paused and self.screen_stack:
            self._show()
        self.keep_time()

    def keep_time(self) -> None:
        """Let what Azure was asked for grow old, and see to it that waiting traces are asked again."""
        self._take_in(self.store.told_admin_rules.outdated(self.now()))
        if self.evaluator.pending:
            self._schedule()

    # What screens ask.

    def open_trace(self, request: Request) -> None:
        """Open the trace screen on a request, and keep it current."""
        self.push_screen(TraceScreen(self, self.evaluator.ask(request)))

    def trace_object(self, ref: Ref) -> None:
        """Open the trace screen on a request that goes to an object."""
        request = target_of(self.store, ref)
        if request is None:
            self.tell(f"nothing to trace to: {plural_of(ref)} take no requests; t is for {TRACEABLE}", bad=True)
        else:
            self.open_trace(request)

    def who_can_talk(self, ref: Ref) -> None:
        """Open the screen of those who can talk to an object, and to whom it can talk."""
        try:
            subject = of_object(self.store, ref)
        except BadRequest as error:
            self.tell(str(error), bad=True)
        else:
            self.push_screen(WhoScreen(self, self.store, subject))

    def describe(self, ref: Ref) -> None:
        """Open the description of an object, and keep it current."""
        self.show_lines(str(ref), lambda: describe_lines(self.store, ref, self.now()))

    def show_yaml(self, ref: Ref, notes: Sequence[Note] = ()) -> None:
        """Open an object as its API sends it, with notes at its fields; it is fetched by name."""
        screen = LinesScreen(f"{ref} YAML", [[Span("reading …", "muted")]], wrap=False)
        self.push_screen(screen)
        self._feed.request_raw(ref).add_done_callback(
            lambda answer: self.call_from_anywhere(lambda: self._take_raw(screen, ref, answer, notes))
        )

    def _take_raw(self, screen: LinesScreen, ref: Ref, answer: "Future[bytes]", notes: Sequence[Note]) -> None:
        error = answer.exception()
        if error is not None:
            screen.set_lines([[Span(f"cannot be shown: {error}", "bad")]])
            self.tell(str(error), bad=True)
            return
        raw, told = with_told(answer.result(), self.store.get(ref))
        screen.set_lines(yaml_lines(raw, [*notes, *told]))
        screen.set_about(sent_words(self.store, ref, self.now()))
        if notes:
            screen.find_all(re.compile(MARK))

    def confirm(self, entry: Entry) -> None:
        """Ask the living network about the trace of an entry, and open the screen of its answers."""
        if entry.trace is not None:
            screen = ConfirmScreen(entry.request.text)
            self.push_screen(screen)
            Confirming(self, entry.key, entry.trace, screen).go_on()

    def put_question(self, question: Question) -> "Future[bytes]":
        """Ask the living network one question; the result is a ``Reply`` in msgpack."""
        return self._feed.confirm(question)

    def learn(self, told: AdminRulesTold, key: str) -> Trace | None:
        """Take in what the user asked for, also while changes are held back, and ask the trace that it is for again."""
        self._take_in([told])
        changed, gone = self.evaluator.work(lambda: True, self.now(), key)
        self._show_evaluated(changed, gone)
        self._schedule()
        entry = self.evaluator.entries.get(key)
        return None if entry is None else entry.trace

    def copy(self, text: str) -> None:
        """Put text into the clipboard."""
        self.tell(clipboard.copy(self, text))

    def tell(self, text: str, *, bad: bool = False) -> None:
        """Show one line for a moment."""
        self.notify(plain(text), severity="warning" if bad else "information", timeout=5 if bad else 3, markup=False)

    def run_command(self, line: str) -> None:
        """Run what was typed behind the colon."""
        self._commander.run(line)

    @property
    def namespace(self) -> str:
        """The namespace that lists are restricted to; empty for all."""
        return self._explorer.namespace

    def restrict(self, namespace: str) -> None:
        """Show one namespace in every list, or all for an empty string."""
        self._explorer.restrict(namespace)
        for screen in self.screen_stack:
            if isinstance(screen, TableScreen):
                screen.show_namespace()

    # What commands ask.

    def open_path(self) -> Callable[[], Trace | None]:
        """Return what answers with the path that is open now: of the trace screen opened last, or of the panes."""
        traced = (screen for screen in reversed(self.screen_stack) if isinstance(screen, TraceScreen))
        screen = next(traced, None)
        if screen is None:
            return lambda: self._explorer.path
        entry = screen.entry
        return lambda: self.evaluator.entries.get(entry.key, entry).trace

    def afresh(self) -> None:
        """Close every screen but the panes."""
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def show_screen(self, screen: Screen[None]) -> None:
        """Open a screen over the one that is shown."""
        self.push_screen(screen)

    def show_lines(self, title: str, lines: Callable[[], list[Line]]) -> None:
        """Open a screen of lines that are asked for again as the store changes."""
        self.push_screen(LinesScreen(title, lines(), lines))

    def action_who(self) -> None:
        """Show who can talk to the object that is selected on the screen, or else in the panes."""
        screen = self.screen
        (screen if isinstance(screen, ObjectScreen) else self._explorer).action_who()

    def action_quit_now(self) -> None:
        """Leave."""
        self.exit()

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the signs that open the prompt to it while a line is typed.

        They are priority bindings: keys that are typed on behind them without waiting belong to the prompt.
        """
        del parameters
        return not (action == "command" and isinstance(self.focused, Input))

    def action_command(self) -> None:
        """Ask for a command, over whatever screen is open."""
        if isinstance(self.screen, PromptScreen):
            self.screen.prompt_for(":")

    def action_help(self) -> None:
        """Show the keys that are in force here."""
        bindings = self.screen.active_bindings.values()
        self.push_screen(LinesScreen("Help", help_lines(bindings)))

    def action_findings(self) -> None:
        """Sweep over everything and show what is wrong."""
        from aksnav.ui.screens.findings import FindingsScreen

        self.push_screen(FindingsScreen(self))

    def action_health(self) -> None:
        """Show age and health of every source."""
        self.show_lines("Sources", lambda: health_lines(self.store, self.now()))

    def action_namespaces(self) -> None:
        """Choose a namespace."""
        pane = KindPane(self.store, KINDS["Namespace"])
        self.push_screen(TableScreen(self, pane, choose=lambda row: self.restrict(row.name)))

    def action_pause(self) -> None:
        """Hold changes back, or let them in again."""
        self._paused = not self._paused
        for screen in self.screen_stack:
            show = getattr(screen, "show_pause", None)
            if show is not None:
                show()
        if self._paused:
            self.tell("paused: changes are held back; p lets them in")
        else:
            self.tell("changes are let in again")
            self._schedule()

    def action_refresh(self) -> None:
        """Read Azure again now."""
        self._feed.refresh()
        self.tell("reading Azure again")
