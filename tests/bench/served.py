"""Starts the bench's server as a process of its own and speaks with its control port."""

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit


class Control:
    """The commands of a running server."""

    def __init__(self, url: str, pid: int) -> None:
        self.pid = pid
        self._address = urlsplit(url).netloc

    def _call(self, method: str, path: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self._address, timeout=30)
        try:
            connection.request(method, path)
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def stats(self) -> dict[str, Any]:
        """What it has sent so far."""
        return self._call("GET", "/stats")

    def stream(self, rate: float) -> None:
        """Let objects change (events per second); 0 stops."""
        self._call("POST", f"/stream?rate={rate}" if rate else "/stop")

    def set_ready(self, namespace: str, name: str, ready: bool) -> int | None:
        """Turn a Pod's readiness; when the event was written to a watch (CLOCK_MONOTONIC, nanoseconds)."""
        query = urlencode({"namespace": namespace, "name": name, "ready": str(ready).lower()})
        written: int | None = self._call("POST", f"/pod?{query}")["written_ns"]
        return written

    def command(self, name: str) -> None:
        """Any other command: ``expire``, ``drop``."""
        self._call("POST", f"/{name}")


def end_on_termination() -> None:
    """Let SIGTERM end this process as an exception does, so that it ends what it has started."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


@contextmanager
def served(kubeconfig: Path, arguments: Sequence[str] = ()) -> Iterator[Control]:
    """A server that has everything ready; ends it afterwards.

    Args:
        kubeconfig: the file that it writes.
        arguments: its other arguments.
    """
    command = [sys.executable, "-m", "tests.bench.server", "--kubeconfig", str(kubeconfig), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise RuntimeError("the server ended before it was ready")
            yield Control(json.loads(line)["control"], process.pid)
        finally:
            process.terminate()
