"""Another program in the same run, for comparison: time, CPU seconds and memory of a command that ends by itself."""

import os
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Peer(NamedTuple):
    """What a command took."""

    first_byte: float | None
    """Seconds until its first output."""
    seconds: float
    cpu_seconds: float
    peak: int
    """The most bytes resident."""
    lines: int
    status: int


def run(command: Sequence[str], environment: Mapping[str, str]) -> Peer:
    """Run a command to its end, with its output read and counted."""
    reading, writing = os.pipe()
    began = time.monotonic()
    actions = [(os.POSIX_SPAWN_DUP2, writing, 1), (os.POSIX_SPAWN_CLOSE, reading)]
    pid = os.posix_spawnp(command[0], list(command), {**os.environ, **environment}, file_actions=actions)
    os.close(writing)
    first: float | None = None
    lines = 0
    with os.fdopen(reading, "rb", buffering=0) as output:
        while data := output.read(65536):
            first = first or time.monotonic() - began
            lines += data.count(b"\n")
    _, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - began
    code = os.waitstatus_to_exitcode(status)
    return Peer(first, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, lines, code)
