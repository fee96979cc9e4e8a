"""One program measured on the pseudo-terminal: its start, its keys, what it does at rest, and events on its screen."""

import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from tests.bench.processes import Window, proportional
from tests.bench.screen import Cursor
from tests.bench.terminal import KEYS, KeySummary, KeyTiming, Terminal, percentile

_MEGABYTE = 1_000_000
_NAN = "none"
_MISSES = 4
_BUSY = 0.2
"""Share of one core above which a program is at work."""
_WARM = 2.0
"""Seconds of a stream of changes before anything is measured under it."""

Row = tuple[str, str]
Toggle = Callable[[str, bool], int | None]
"""Turns the readiness of the Pod with this name; says when that was written (CLOCK_MONOTONIC, nanoseconds)."""


class Plan(NamedTuple):
    """What is started, and how its moments are recognised on the screen."""

    command: Sequence[str]
    first_frame: str
    """A pattern for the first frame of the program itself."""
    first_rows: str
    """A pattern for the first objects."""
    complete: str
    """A pattern for the whole picture."""
    list_complete: str = ""
    """A pattern for the whole picture where the long list is the screen; empty when it is the same."""
    keys: Sequence[str] = ()
    """What is typed first, to come to a long list."""
    timeout: float = 180.0
    presses: int = 100
    idle: float = 20.0


class Start(NamedTuple):
    """When a program was there, in milliseconds after its start."""

    first_byte: float | None
    first_frame: float | None
    first_rows: float | None
    complete: float | None
    quiet: float | None
    """The last output before a second without any and without work: nothing is left to be worked out."""


def milliseconds(value: float | None) -> str:
    """A time for the table."""
    if value is None or value != value:  # noqa: PLR0124 - not a number
        return _NAN
    return f"{value:.1f} ms" if value < 100 else f"{value:,.0f} ms"


def _megabytes(size: float) -> str:
    return f"{size / _MEGABYTE:.0f} MB"


def begin(terminal: Terminal, plan: Plan) -> Start:
    """Wait for the first frame, type the plan's keys, and wait for rows and for the whole picture."""
    marks: list[float | None] = []
    for pattern in (plan.first_frame, plan.first_rows, plan.complete):
        at = terminal.wait(pattern, plan.timeout)
        marks.append(terminal.milliseconds(at) if at else None)
        if at is None:
            break
    marks += [None] * (3 - len(marks))
    first = terminal.milliseconds(terminal.chunks[0].nanoseconds) if terminal.chunks else None
    _rest(terminal, plan.timeout)
    last = terminal.milliseconds(terminal.chunks[-1].nanoseconds) if terminal.chunks else None
    return Start(first, marks[0], marks[1], marks[2], last)


def _rest(terminal: Terminal, timeout: float) -> None:
    """Wait until a second passes without output and almost without CPU: a program may be silent because it is busy."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        window, count = Window(terminal.sampler), len(terminal.chunks)
        time.sleep(1.0)
        seconds, used = window.close()
        if len(terminal.chunks) == count and sum(cpu for _, cpu, _ in used.values()) < _BUSY * seconds:
            break
    terminal.show()


def open_list(terminal: Terminal, plan: Plan) -> None:
    """Come to the list that the keys are measured on."""
    for keys in plan.keys:
        if keys in KEYS or not keys:
            terminal.write(keys)
            time.sleep(0.2)
            continue
        # Whoever types a command waits for the prompt; what is typed before it is there goes elsewhere.
        terminal.write(keys[0])
        terminal.wait(rf"(?m)^\s*{re.escape(keys[0])}\s*$", 20.0)
        terminal.type(keys[1:])
        terminal.wait(re.escape(keys), 20.0)


def start_rows(start: Start) -> list[Row]:
    """The start in figures."""
    return [
        ("first byte", milliseconds(start.first_byte)),
        ("first frame", milliseconds(start.first_frame)),
        ("first rows", milliseconds(start.first_rows)),
        ("complete", milliseconds(start.complete)),
        ("quiet", milliseconds(start.quiet)),
    ]


def process_rows(terminal: Terminal, when: str) -> list[Row]:
    """CPU seconds and memory of every process of the program."""
    rows = []
    for pid, found in terminal.sampler.sample().items():
        shared = proportional(pid)
        now = f", PSS {_megabytes(shared)}" if shared else ", ended"
        memory = f"RSS {_megabytes(found.resident)}, peak {_megabytes(found.peak)}{now}"
        rows.append((f"{when}: `{_named(found.command)}`", f"{found.cpu_seconds:.2f} CPU s, {memory}"))
    rows.append((f"{when}: most memory of all together (RSS)", _megabytes(terminal.sampler.peak_total)))
    return rows


def _named(command: str) -> str:
    """The command in a few words: a program given on the command line is not printed."""
    words = command.partition(" -c ")[0].split()
    return " ".join(word for word in words if "/" not in word) + (" -c …" if " -c " in command else "")


def key_rows(name: str, timings: Sequence[KeyTiming]) -> list[Row]:
    """Keys in figures."""
    if not timings:
        return [(name, _NAN)]
    found = KeySummary.of(timings)
    times = f"p50 {milliseconds(found.effect_p50)}, p95 {milliseconds(found.effect_p95)}"
    rest = f"max {milliseconds(found.effect_max)}, {found.bytes_p50:,} bytes a key (median)"
    without = f", {found.without_effect} without effect" if found.without_effect else ""
    return [
        (f"{name} ({found.keys} keys)", f"{times}, {rest}, first byte p50 {milliseconds(found.first_p50)}{without}")
    ]


def down_and_up(count: int, run: int = 40) -> list[str]:
    """Keys that move down and back up, so that a short list does not end them."""
    return [("down", "up")[at // run % 2] for at in range(count)]


def idle_rows(terminal: Terminal, seconds: float, name: str = "at rest") -> list[Row]:
    """Bytes, CPU and wake-ups while nothing is typed."""
    terminal.settle()
    window = Window(terminal.sampler)
    size = terminal.output(seconds)
    took, used = window.close()
    terminal.show()
    cpu = ", ".join(
        f"`{_named(command)}` {seconds_used / took * 100:.2f} % ({switches / took:.0f} wake-ups/s)"
        for command, seconds_used, switches in used.values()
    )
    return [(f"{name}, {took:.0f} s", f"{size:,} bytes; CPU of one core: {cpu}")]


def keys_while_loading(plan: Plan, cursor: Cursor | None) -> list[KeyTiming]:
    """A fresh start, with keys pressed from the first rows until the picture is complete."""
    timings: list[KeyTiming] = []
    complete = re.compile(plan.list_complete or plan.complete)
    with Terminal(plan.command) as terminal:
        if not terminal.wait(plan.first_frame, plan.timeout):
            return timings
        open_list(terminal, plan)
        if not terminal.wait(plan.first_rows, plan.timeout):
            return timings
        time.sleep(0.2)
        keys = iter(down_and_up(10_000))
        until = time.monotonic() + plan.timeout
        while not terminal.picture.matches(complete) and time.monotonic() < until and not terminal.ended:
            timings.append(terminal.press(next(keys), cursor, patience=1.0))
    return timings


def event_rows(terminal: Terminal, names: str, toggle: Toggle, count: int = 20) -> list[Row]:
    """From the server's write to the screen, for Pods whose rows are on the screen.

    Args:
        terminal: shows a list of Pods.
        names: a pattern for a Pod's name on the screen.
        toggle: turns the readiness of a Pod by its name.
        count: how many changes.
    """
    terminal.settle(quiet=0.5, timeout=5.0)
    found = re.findall(names, "\n".join(terminal.picture.lines()))
    if not found:
        return [("event to screen", "no Pod is on the screen")]
    name = found[len(found) // 2]
    delays: list[float] = []
    missed = 0
    pause = random.Random(1)  # noqa: S311 - a phase
    for number in range(count):
        time.sleep(0.3 + pause.random() * 0.4)
        terminal.show()
        before = _place(terminal, name)
        written = toggle(name, number % 2 == 1)
        at = _changed(terminal, name, before)
        if written is None or at is None:
            missed += 1
            if missed == _MISSES and not delays:
                break
        else:
            delays.append((at - written) / 1e6)
    text = f"{missed} of {missed + len(delays)} not seen within 5 s"
    if delays:
        times = f"p50 {milliseconds(statistics.median(delays))}, p95 {milliseconds(percentile(delays, 0.95))}"
        text = f"{times}, max {milliseconds(max(delays))}; {text}"
    return [(f"event to screen ({count} readiness changes of {name})", text)]


def _place(terminal: Terminal, name: str) -> list[tuple[int, str]]:
    return [(row, text) for row, text in enumerate(terminal.picture.lines()) if name in text]


def _changed(terminal: Terminal, name: str, before: list[tuple[int, str]]) -> int | None:
    until = time.monotonic() + 5.0
    while time.monotonic() < until:
        if at := terminal.show(lambda _: _place(terminal, name) != before):
            return at
        time.sleep(0.005)
    return None


def _dump(terminal: Terminal) -> None:
    """Tell what is on the screen when it is not what was expected."""
    sys.stderr.write("\n".join(line.rstrip() for line in terminal.picture.lines()) + "\n")


class Rows(list[Row]):
    """Figures that are also told on standard error as they come: a run takes minutes."""

    def tell(self, more: Iterable[Row]) -> None:
        """Add and tell."""
        for name, value in more:
            self.append((name, value))
            sys.stderr.write(f"{name}: {value}\n")


def measure(
    plan: Plan,
    *,
    stream: Callable[[float], None] | None = None,
    rates: Iterable[float] = (),
    names: str = "",
    toggle: Toggle | None = None,
) -> list[Row]:
    """Everything about one program.

    Args:
        plan: what is started.
        stream: starts a stream of changes at a rate (events per second), 0 ends it.
        rates: the rates under which keys are measured.
        names: a pattern for the names of Pods on the screen.
        toggle: turns the readiness of a Pod.
    """
    rows = Rows()
    with Terminal(plan.command) as terminal:
        start = begin(terminal, plan)
        rows.tell(start_rows(start))
        rows.tell(process_rows(terminal, "quiet"))
        if start.complete is None:
            _dump(terminal)
            return [*rows, ("not complete", f"the screen never matched; exit status {terminal.exit_status}")]
        open_list(terminal, plan)
        cursor = terminal.learn()
        if cursor is None:
            _dump(terminal)
        rows.tell([("selected row recognised", "yes" if cursor else "no: only first and last byte are measured")])
        rows.tell(key_rows("keys at rest", terminal.presses(down_and_up(plan.presses), cursor, pause=0.03)))
        rows.tell(key_rows("page down and up", terminal.presses(["pagedown", "pageup"] * 10, cursor, pause=0.03)))
        rows.tell(idle_rows(terminal, plan.idle))
        if toggle:
            rows.tell(event_rows(terminal, names, toggle))
        if stream:
            for rate in rates:
                stream(rate)
                time.sleep(_WARM)
                at_rate = f"at {rate:.0f} events/s"
                rows.tell(key_rows(f"keys {at_rate}", terminal.presses(down_and_up(plan.presses), cursor)))
                rows.tell(idle_rows(terminal, plan.idle / 2, f"nothing typed {at_rate}"))
                if toggle:
                    rows.tell([(f"{name}, {at_rate}", text) for name, text in event_rows(terminal, names, toggle)])
                stream(0)
        rows.tell(process_rows(terminal, "end"))
    if terminal.left_behind:
        rows.tell([("processes left behind", str(len(terminal.left_behind)))])
    rows.tell(key_rows("keys while loading", keys_while_loading(plan, cursor)))
    return rows
