"""A real pseudo-terminal with a terminal emulator behind it, to see what a program writes and how much."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

ROOT = Path(__file__).resolve().parents[2]


class Terminal:
    """Runs a program in a pseudo-terminal of a given size and reads what it draws."""

    def __init__(self, argv: Sequence[str], *, columns: int, lines: int, env: Mapping[str, str] | None = None) -> None:
        self.screen = pyte.Screen(columns, lines)
        self.written = b""
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "PYTHONPATH": str(ROOT),
            **(env or {}),
        }
        self._process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=ROOT, start_new_session=True
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def write(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size, as a window manager does."""
        self.screen.resize(lines, columns)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        # It is not the program's controlling terminal, so that the kernel tells nobody.
        self._process.send_signal(signal.SIGWINCH)

    def read(self, wait: float) -> bytes:
        """Answer with what is written within some seconds, at once when something is there; empty when nothing is."""
        ready, _, _ = select.select([self._master], [], [], wait)
        if not ready:
            return b""
        data = os.read(self._master, 1 << 16)
        self._stream.feed(data)
        self.written += data
        return data

    def read_until(self, seen: Callable[[str], bool], limit: float = 30.0) -> bytes:
        """Read until the screen is as wanted.

        Args:
            seen: Judges the text of the screen.
            limit: Seconds after which the wait is given up.

        Returns:
            Everything that was written meanwhile.

        Raises:
            TimeoutError: The screen did not become so; the message shows it.
        """
        written = b""
        end = time.monotonic() + limit
        while not seen(self.text()):
            if time.monotonic() > end:
                raise TimeoutError("the screen shows:\n" + self.text())
            written += self.read(0.05)
        return written

    def quiet(self, silence: float = 0.3, limit: float = 30.0) -> bytes:
        """Read until nothing was written for some seconds, and answer with what came before."""
        written = b""
        end = time.monotonic() + limit
        while data := self.read(silence):
            written += data
            if time.monotonic() > end:
                raise TimeoutError("the program does not stop writing")
        return written

    def read_for(self, seconds: float) -> bytes:
        """Answer with all that is written in so many seconds."""
        written = b""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            written += self.read(left)
        return written

    def text(self) -> str:
        """Answer with the text of the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)


def python(*arguments: str) -> list[str]:
    """Answer with the command that runs this Python."""
    return [sys.executable, *arguments]
