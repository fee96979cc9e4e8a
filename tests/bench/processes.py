"""CPU time and memory of a program and everything that it starts, read from /proc."""

import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


class Usage(NamedTuple):
    """What one process has used so far."""

    command: str
    cpu_seconds: float
    resident: int
    """Bytes resident now."""
    peak: int
    """The most bytes that were resident at once."""
    switches: int
    """Voluntary context switches: how often it woke up."""


def _stat(pid: int) -> tuple[int, int, float, int] | None:
    """Parent, session, CPU seconds and resident bytes."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), int(fields[3]), (int(fields[11]) + int(fields[12])) / _TICKS, int(fields[21]) * _PAGE


def _command(pid: int) -> str:
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "?"
    return " ".join(Path(word).name if at == 0 else word for at, word in enumerate(words))[:80].strip()


def _status(pid: int) -> dict[str, str]:
    try:
        text = (_PROC / str(pid) / "status").read_text()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def tree(root: int) -> list[int]:
    """The processes of a session that ``root`` leads, and their descendants in other sessions."""
    known: dict[int, tuple[int, int]] = {}
    for entry in os.scandir(_PROC):
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            known[int(entry.name)] = stat[:2]
    found = {pid for pid, (_, session) in known.items() if root in (session, pid)}
    grown = True
    while grown:
        more = {pid for pid, (parent, _) in known.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return sorted(found)


def usage(pid: int) -> Usage | None:
    """What a process has used, or nothing when it has ended."""
    stat, status = _stat(pid), _status(pid)
    if stat is None or "VmHWM" not in status:
        return None
    peak = int(status["VmHWM"].split()[0]) * 1024
    return Usage(_command(pid), stat[2], stat[3], peak, int(status["voluntary_ctxt_switches"]))


def proportional(pid: int) -> int:
    """The proportional set size in bytes: what the process costs when shared pages are shared out."""
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


class Sampler:
    """Follows a program's processes in a thread; keeps the last figures of those that have ended."""

    def __init__(self, root: int, interval: float = 0.25) -> None:
        self._root = root
        self._interval = interval
        self._seen: dict[int, Usage] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.peak_total = 0

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            self.sample()

    def sample(self) -> dict[int, Usage]:
        """Look now; the figures of every process seen so far."""
        resident = 0
        for pid in tree(self._root):
            if found := usage(pid):
                self._seen[pid] = found
                resident += found.resident
        self.peak_total = max(self.peak_total, resident)
        return dict(self._seen)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join()


class Window:
    """CPU seconds and wake-ups of a program between two moments."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self._before = sampler.sample()
        self._began = time.monotonic()

    def close(self) -> tuple[float, dict[int, tuple[str, float, int]]]:
        """The seconds that passed, and for every process its command, CPU seconds and voluntary switches."""
        seconds = time.monotonic() - self._began
        result = {}
        for pid, after in self._sampler.sample().items():
            before = self._before.get(pid)
            cpu = after.cpu_seconds - (before.cpu_seconds if before else 0.0)
            result[pid] = (after.command, cpu, after.switches - (before.switches if before else 0))
        return seconds, result


def total_cpu(usages: Iterable[Usage]) -> float:
    """CPU seconds of all processes together."""
    return sum(found.cpu_seconds for found in usages)
