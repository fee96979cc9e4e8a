"""A driver that runs a program on a real pseudo-terminal and measures what a user would see.

Times are of CLOCK_MONOTONIC in nanoseconds, taken when bytes are read from the terminal; the picture is worked out
afterwards, so that emulating the terminal is not part of what is measured.

    python -m tests.bench.terminal --until REGEX -- COMMAND…
"""

import argparse
import fcntl
import json
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from tests.bench.processes import Sampler, tree
from tests.bench.screen import Cursor, Picture, learn_cursor, stripped

COLUMNS, ROWS = 160, 50
_MILLISECOND = 1_000_000
_TYPING = 0.06
_BACKLOG = 3.0
"""Seconds after which output is shown even if its bytes do not look like what is waited for."""

KEYS = {
    "down": b"\x1b[B",
    "up": b"\x1b[A",
    "pagedown": b"\x1b[6~",
    "pageup": b"\x1b[5~",
    "home": b"\x1b[H",
    "end": b"\x1b[F",
    "enter": b"\r",
    "escape": b"\x1b",
    "tab": b"\t",
}

Answers = Mapping[bytes, bytes]

MODERN: Answers = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[>c": b"\x1b[>41;354;0c",
    b"\x1b[>0q": b"\x1bP>|bench\x1b\\",
    b"\x1b[?u": b"\x1b[?0u",
    b"\x1b[6n": b"\x1b[1;1R",
    b"\x1b]11;?\x1b\\": b"\x1b]11;rgb:0000/0000/0000\x1b\\",
    b"\x1b]11;?\x07": b"\x1b]11;rgb:0000/0000/0000\x07",
}
"""What a terminal of today answers: it knows synchronised output (mode 2026)."""

PLAIN: Answers = {**MODERN, b"\x1b[?2026$p": b"\x1b[?2026;0$y"}
"""A terminal without synchronised output."""

_LONGEST = max(map(len, MODERN))


class Chunk(NamedTuple):
    """Output that was read at once."""

    nanoseconds: int
    data: bytes


class KeyTiming(NamedTuple):
    """What followed a key, in milliseconds after it was written."""

    first: float | None
    """The first byte of output."""
    effect: float | None
    """The output after which the selection had moved."""
    last: float | None
    """The last byte before it was quiet, or before the window ended."""
    size: int
    """Bytes of output in the window."""


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


class Terminal:
    """A program on a pseudo-terminal; a context manager that ends it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        size: tuple[int, int] = (COLUMNS, ROWS),
        answers: Answers = MODERN,
    ) -> None:
        """Start the program.

        Args:
            command: the program and its arguments.
            environment: variables over those of this process.
            size: columns and rows.
            answers: what the terminal answers to queries.
        """
        columns, rows = size
        environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
        environ.pop("NO_COLOR", None)
        self.picture = Picture(columns, rows)
        self.chunks: list[Chunk] = []
        self.exit_status: int | None = None
        self.left_behind: list[int] = []
        self._answers = answers
        self._shown = 0
        self.started = time.monotonic_ns()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:  # pragma: no cover - the child
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            try:
                os.execvpe(command[0], list(command), environ)  # noqa: S606 - a shell would be measured too
            except OSError as error:
                os.write(2, f"{command[0]}: {error.strerror}\r\n".encode())
            os._exit(127)
        self._ended = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        self.sampler = Sampler(self.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self, patience: float = 5.0) -> None:
        """End the program, and whatever of its processes it leaves behind (they are noted in ``left_behind``)."""
        self.sampler.stop()
        started = set(tree(self.pid))
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.exit_status is None:
                _send(self.pid, number)
                self._reap(patience)
        os.close(self._fd)
        until = time.monotonic() + patience
        while time.monotonic() < until and started & set(tree(self.pid)):
            time.sleep(0.02)
        for pid in started & set(tree(self.pid)):
            self.left_behind.append(pid)
            _send(pid, signal.SIGKILL)

    def _reap(self, patience: float) -> None:
        until = time.monotonic() + patience
        while time.monotonic() < until:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_status = os.waitstatus_to_exitcode(status)
                return
            time.sleep(0.02)

    def _read(self) -> None:
        tail = b""
        while True:
            try:
                select.select([self._fd], [], [])
                data = os.read(self._fd, 65536)
            except (OSError, ValueError):
                data = b""
            if not data:
                self._ended.set()
                return
            self.chunks.append(Chunk(time.monotonic_ns(), data))
            tail = self._reply(tail + data)

    def _reply(self, data: bytes) -> bytes:
        """Answer the queries in some output; what may be the beginning of one is returned."""
        position = 0
        while (start := data.find(b"\x1b", position)) >= 0:
            for query, answer in self._answers.items():
                if data.startswith(query, start):
                    os.write(self._fd, answer)
                    break
            position = start + 1
        last = data.rfind(b"\x1b")
        rest = data[last:] if last >= 0 and len(data) - last < _LONGEST else b""
        return b"" if any(rest.startswith(query) for query in self._answers) else rest

    @property
    def ended(self) -> bool:
        """Whether the program has closed the terminal."""
        return self._ended.is_set()

    def milliseconds(self, nanoseconds: int) -> float:
        """Time since the start."""
        return (nanoseconds - self.started) / _MILLISECOND

    def write(self, keys: str | bytes) -> int:
        """Type: a name from ``KEYS``, text, or bytes. Returns when it was written."""
        data = KEYS.get(keys, keys.encode()) if isinstance(keys, str) else keys
        now = time.monotonic_ns()
        os.write(self._fd, data)
        return now

    def type(self, keys: str) -> None:
        """Type a key from ``KEYS``, or text letter by letter as a fast typist does."""
        for key in (keys,) if keys in KEYS else keys:
            self.write(key)
            time.sleep(_TYPING)

    def show(self, until: Callable[[Picture], bool] | None = None) -> int | None:
        """Bring the picture up to date, chunk by chunk; stops after the chunk that fulfils a condition.

        Returns:
            When that chunk was read, or nothing.
        """
        while self._shown < len(self.chunks):
            chunk = self.chunks[self._shown]
            self._shown += 1
            self.picture.feed(chunk.data)
            if until and until(self.picture):
                return chunk.nanoseconds
        return None

    def wait(self, pattern: str, timeout: float) -> int | None:
        """Wait until the screen matches; returns when it did, or nothing when the time was over.

        While the bytes do not contain what is waited for, the picture is not worked out: it would take processor
        time from the program.
        """
        compiled = re.compile(pattern)
        until = time.monotonic() + timeout
        if self.picture.matches(compiled):
            return time.monotonic_ns()
        searched, fed = self._shown, time.monotonic()
        while True:
            end = len(self.chunks)
            text = stripped(b"".join(chunk.data for chunk in self.chunks[max(searched - 1, 0) : end]))
            searched = end
            over = time.monotonic() > until or self.ended
            if compiled.search(text) or over or time.monotonic() - fed > _BACKLOG:
                fed = time.monotonic()
                if found := self.show(lambda picture: picture.matches(compiled)):
                    return found
            if over and self._shown == len(self.chunks):
                return None
            time.sleep(0.02)

    def settle(self, quiet: float = 0.3, timeout: float = 10.0) -> None:
        """Wait until nothing has come for a while, and bring the picture up to date."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            count = len(self.chunks)
            time.sleep(quiet)
            if len(self.chunks) == count:
                break
        self.show()

    def learn(self, key: str = "down") -> Cursor | None:
        """Press a key that moves the selection by a row, and learn how the selected row looks."""
        self.settle()
        before = self.picture.looks()
        self.write(key)
        self.settle()
        return learn_cursor(before, self.picture.looks())

    def press(self, key: str, cursor: Cursor | None, window: float = 0.12, patience: float = 3.0) -> KeyTiming:
        """Press a key and time what follows.

        Args:
            key: the key.
            cursor: how the selected row looks; without it there is no effect to be found.
            window: seconds for which output is counted.
            patience: seconds for which the effect is waited for.
        """
        self.show()
        before = self.picture.selected(cursor) if cursor else None
        start = len(self.chunks)
        written = self.write(key)
        time.sleep(window)
        chunks = self.chunks[start:]
        size = sum(len(chunk.data) for chunk in chunks)

        def moved(picture: Picture) -> bool:
            return cursor is not None and picture.selected(cursor) != before

        effect = self.show(moved)
        while cursor and effect is None and time.monotonic_ns() - written < patience * 1e9:
            time.sleep(0.02)
            effect = self.show(moved)
        # The first chunk may have been on its way before the key; it still counts as what came first.
        first, last = (chunks[0].nanoseconds, chunks[-1].nanoseconds) if chunks else (None, None)
        return KeyTiming(_since(written, first), _since(written, effect), _since(written, last), size)

    def presses(self, keys: Sequence[str], cursor: Cursor | None, pause: float = 0.0) -> list[KeyTiming]:
        """Press keys one after another."""
        timings = []
        for key in keys:
            timings.append(self.press(key, cursor))
            time.sleep(pause)
        return timings

    def output(self, seconds: float) -> int:
        """Bytes that the program writes while nothing is done."""
        start = len(self.chunks)
        time.sleep(seconds)
        return sum(len(chunk.data) for chunk in self.chunks[start:])


def _since(start: int, at: int | None) -> float | None:
    return None if at is None else (at - start) / _MILLISECOND


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share (0 to 1) of the values lies; the nearest one."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class KeySummary(NamedTuple):
    """Keys in figures; times in milliseconds."""

    keys: int
    without_effect: int
    first_p50: float
    effect_p50: float
    effect_p95: float
    effect_max: float
    last_p95: float
    bytes_p50: int

    @classmethod
    def of(cls, timings: Sequence[KeyTiming]) -> "KeySummary":
        """The summary of some keys; those without an effect are counted and not timed."""
        effects = [timing.effect for timing in timings if timing.effect is not None] or [float("nan")]
        firsts = [timing.first for timing in timings if timing.first is not None] or [float("nan")]
        lasts = [timing.last for timing in timings if timing.last is not None] or [float("nan")]
        return cls(
            len(timings),
            sum(timing.effect is None for timing in timings),
            statistics.median(firsts),
            statistics.median(effects),
            percentile(effects, 0.95),
            max(effects),
            percentile(lasts, 0.95),
            int(statistics.median(timing.size for timing in timings)),
        )


def main() -> None:
    """Run a command until the screen matches, print the screen and the figures, and end it."""
    parser = argparse.ArgumentParser(description="Run a program on a pseudo-terminal and measure it.")
    parser.add_argument("--until", default=".", help="a pattern that the screen matches when it is complete")
    parser.add_argument("--timeout", type=float, default=30.0)
    parser.add_argument("--type", action="append", default=[], help="type this afterwards (a key's name, or text)")
    parser.add_argument("--keys", type=int, default=0, help="then press down this often and time it")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    sys.setswitchinterval(0.0005)
    with Terminal(options.command) as terminal:
        matched = terminal.wait(options.until, options.timeout)
        for keys in options.type:
            terminal.type(keys)
            terminal.settle()
        cursor = terminal.learn() if options.keys else None
        timings = terminal.presses(["down"] * options.keys, cursor)
        terminal.settle()
        report = {
            "first_byte_ms": terminal.milliseconds(terminal.chunks[0].nanoseconds) if terminal.chunks else None,
            "matched_ms": terminal.milliseconds(matched) if matched else None,
            "bytes": sum(len(chunk.data) for chunk in terminal.chunks),
            "processes": [found._asdict() for found in terminal.sampler.sample().values()],
            "cursor": cursor._asdict() if cursor else None,
            "keys": KeySummary.of(timings)._asdict() if timings else None,
        }
        sys.stdout.write("\n".join(line.rstrip() for line in terminal.picture.lines()) + "\n")
        sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
