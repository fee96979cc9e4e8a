"""What the bench's server can do by itself, so that it is known not to be what is measured.

    python -m tests.bench.server_alone --pods 20000

The client throws away what it reads: lists in pages (gzip and plain), the streaming list, and a stream of changes at
growing rates with a watch on Pods and one on EndpointSlices.
"""

import argparse
import base64
import http.client
import json
import ssl
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench import facts
from tests.bench.processes import usage
from tests.bench.served import Control, served

_BLOCK = 1 << 20
_WATCHED = ("/api/v1/pods", "/apis/discovery.k8s.io/v1/endpointslices")


class Reader:
    """One connection that reads and forgets."""

    def __init__(self, kubeconfig: Path, encoding: str = "identity") -> None:
        config = json.loads(kubeconfig.read_text())
        context = ssl.create_default_context(cadata=_authority(config["clusters"][0]["cluster"]))
        self._connection = http.client.HTTPSConnection(
            urlsplit(config["clusters"][0]["cluster"]["server"]).netloc, context=context
        )
        self._headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}", "Accept-Encoding": encoding}

    def get(self, path: str) -> http.client.HTTPResponse:
        """The response, unread."""
        self._connection.request("GET", path, headers=self._headers)
        return self._connection.getresponse()


def _authority(cluster: dict[str, str]) -> str:
    return base64.b64decode(cluster["certificate-authority-data"]).decode()


def _cpu(pid: int) -> float:
    found = usage(pid)
    return found.cpu_seconds if found else 0.0


def _pages(kubeconfig: Path, control: Control, encoding: str, count: int) -> tuple[str, str]:
    reader, buffer, size = Reader(kubeconfig, encoding), bytearray(_BLOCK), 0
    began, cpu = time.monotonic(), _cpu(control.pid)
    for _ in range(count):
        response = reader.get("/api/v1/pods?limit=500")
        while read := response.readinto(buffer):
            size += read
    seconds = time.monotonic() - began
    text = f"{count / seconds:.0f} pages/s, {size / seconds / 1e6:.0f} MB/s on the wire"
    return f"pages of 500, {encoding}", f"{text}, {(_cpu(control.pid) - cpu) / count * 1000:.1f} CPU ms a page"


def _initial(kubeconfig: Path, control: Control, pods: int) -> tuple[str, str]:
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=0"
    began, cpu, size = time.monotonic(), _cpu(control.pid), 0
    response = Reader(kubeconfig).get(f"/api/v1/pods?{query}")
    while data := response.read1(_BLOCK):
        size += len(data)
    seconds = time.monotonic() - began
    text = f"{pods / seconds:,.0f} events/s, {size / seconds / 1e6:.0f} MB/s"
    return "streaming list", f"{text}, {(_cpu(control.pid) - cpu) / pods * 1e6:.0f} CPU µs an event"


def _drain(response: http.client.HTTPResponse) -> None:
    try:
        while response.read1(_BLOCK):
            pass
    except (http.client.HTTPException, OSError):
        return  # the server has ended


def _streams(kubeconfig: Path, control: Control, rates: list[float], seconds: float) -> list[tuple[str, str]]:
    version = control.stats()["version"]
    for path in _WATCHED:
        response = Reader(kubeconfig).get(f"{path}?watch=1&resourceVersion={version}")
        threading.Thread(target=_drain, args=(response,), daemon=True).start()
    rows = []
    for rate in rates:
        before, cpu, began = control.stats(), _cpu(control.pid), time.monotonic()
        control.stream(rate)
        time.sleep(seconds)
        after, took = control.stats(), time.monotonic() - began
        used = (_cpu(control.pid) - cpu) / took * 100
        control.stream(0)
        sent = (after["events"] - before["events"]) / took
        rows.append((f"changes, {rate:,.0f}/s asked for", f"{sent:,.0f} events/s sent, {used:.0f} % of one core"))
    return rows


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure the bench's server by itself.")
    parser.add_argument("--pods", type=int, default=20_000)
    parser.add_argument("--rates", type=float, nargs="*", default=[1_000.0, 3_000.0, 10_000.0])
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aksnav-bench-") as name:
        kubeconfig = Path(name) / "kubeconfig"
        with served(kubeconfig, ["--pods", str(options.pods)]) as control:
            rows = [_pages(kubeconfig, control, encoding, 100) for encoding in ("gzip", "identity")]
            rows.append(_initial(kubeconfig, control, options.pods))
            rows += _streams(kubeconfig, control, options.rates, options.seconds)
    sys.stdout.write(facts.table(("fact", "value"), facts.machine()) + "\n\n")
    sys.stdout.write(facts.table(("what", "figure"), rows) + "\n")


if __name__ == "__main__":
    main()
