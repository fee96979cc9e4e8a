"""How the first picture of all Pods is best fetched: lists in pages, plain or gzip, or the streaming list.

    python -m tests.bench.list_modes --pods 200000 --rounds 3
    python -m tests.bench.list_modes --control-plane --pods 20000     (a real API server)
    python -m tests.bench.list_modes --kubeconfig FILE                (any server)

Every variant runs in a fresh process, in turns, over the official client's configuration and transport (urllib3), and
decodes to the objects that aksnav keeps; nothing else runs meanwhile but the server, which shares the processors.
"""

import argparse
import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from aksnav.model.decode import decode_object, decode_page
from aksnav.model.kinds import KINDS
from tests.bench.processes import tree, usage
from tests.bench.served import end_on_termination, served
from tests.cluster.control_plane import ControlPlane
from tests.cluster.fill import Size, fill

_POD = KINDS["Pod"]
_BLOCK = 65536


class Variant(NamedTuple):
    """One way to fetch."""

    mode: str
    """``pages``, ``whole`` (one answer) or ``stream`` (sendInitialEvents)."""
    limit: int = 0
    gzip: bool = False

    @property
    def title(self) -> str:
        """How it is called in the table."""
        name = f"pages of {self.limit}" if self.mode == "pages" else self.mode
        return f"{name}, {'gzip' if self.gzip else 'plain'}"


VARIANTS = (
    *(Variant("pages", limit, packed) for limit in (100, 250, 500, 1000) for packed in (True, False)),
    Variant("stream"),
)
"""An API server does not compress watches, so that there is one streaming list."""


class Client:
    """GET requests over the official client's connection pool, with its headers."""

    def __init__(self, kubeconfig: str, packed: bool) -> None:
        import kubernetes.config
        from kubernetes.client.api_client import ApiClient

        kubernetes.config.load_kube_config(kubeconfig)  # type: ignore[no-untyped-call]  # the package has no types
        self._api: Any = ApiClient()
        self._headers: dict[str, str] = {"Accept": "application/json"}
        self._api.update_params_for_auth(self._headers, [], ["BearerToken"], "/", "GET", None)
        self._headers["Accept-Encoding"] = "gzip" if packed else "identity"

    def get(self, path: str) -> Any:
        """The response, unread.

        Raises:
            RuntimeError: the status is not 200.
        """
        pool = self._api.rest_client.pool_manager
        response = pool.request(
            "GET", self._api.configuration.host + path, headers=self._headers, preload_content=False
        )
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status} {response.read()[:300]!r}")
        return response


class _Event(msgspec.Struct, gc=False):
    type: str
    object: msgspec.Raw


_EVENT = msgspec.json.Decoder(_Event)


def _pages(client: Client, limit: int, keep: Callable[[list[Any]], None]) -> int:
    token, wire = "", 0
    while True:
        query = f"limit={limit}" if limit else ""
        response = client.get(f"/api/v1/pods?{query}{f'&continue={quote(token)}' if token else ''}")
        page = decode_page(_POD, response.read())
        wire += response.tell()
        response.release_conn()
        keep(page.objects)
        token = page.continue_token
        if not token:
            return int(wire)


def _stream(client: Client, keep: Callable[[list[Any]], None]) -> int:
    response = client.get(
        "/api/v1/pods?watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    )
    rest, wire = b"", 0
    for block in response.stream(_BLOCK):
        wire += len(block)
        *lines, rest = (rest + block).split(b"\n")
        events = [_EVENT.decode(line) for line in lines]
        keep([decode_object(_POD, event.object) for event in events if event.type == "ADDED"])
        if any(event.type == "BOOKMARK" for event in events):
            response.close()
            return wire
    raise RuntimeError("the stream ended before the bookmark")


def _one(kubeconfig: str, variant: Variant) -> dict[str, float]:
    client = Client(kubeconfig, variant.gzip)
    client.get("/version").read()
    gc.collect()
    gc.disable()
    start_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kept: dict[str, Any] = {}
    first = 0.0
    longest = 0.0
    began = step = time.perf_counter()
    cpu = time.process_time()

    def keep(objects: list[Any]) -> None:
        nonlocal first, longest, step
        kept.update((item.id, item) for item in objects)
        now = time.perf_counter()
        if objects and not first:
            first = now - began
        longest = max(longest, now - step)
        step = now

    wire = _stream(client, keep) if variant.mode == "stream" else _pages(client, variant.limit, keep)
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "first_ms": first * 1000,
        "longest_ms": longest * 1000,
        "objects": len(kept),
        "wire_mb": wire / 1e6,
        "memory_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start_memory) / 1024,
    }


def _cpu(pid: int | None) -> float:
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _measure(kubeconfig: Path, variant: Variant, server: int | None) -> dict[str, float]:
    before = _cpu(server)
    command = [sys.executable, "-m", "tests.bench.list_modes", "--kubeconfig", str(kubeconfig)]
    done = subprocess.run([*command, "--one", json.dumps(variant)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    found: dict[str, float] = json.loads(done.stdout)
    return {**found, "server_cpu": _cpu(server) - before}


def table(results: dict[Variant, list[dict[str, float]]]) -> str:
    """A Markdown table of medians."""
    heads = [
        *("variant", "Pods", "seconds", "client CPU s", "µs a Pod", "server CPU s", "first Pods ms"),
        *("longest step ms", "MB on the wire", "memory added MB"),
    ]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for variant, rounds in results.items():
        if not rounds:
            continue
        middle = {key: statistics.median(entry[key] for entry in rounds) for key in rounds[0]}
        each = middle["cpu"] / max(middle["objects"], 1) * 1e6
        figures = (
            f"{middle['objects']:.0f}",
            f"{middle['seconds']:.2f}",
            f"{middle['cpu']:.2f}",
            f"{each:.1f}",
            f"{middle['server_cpu']:.2f}",
            f"{middle['first_ms']:.0f}",
            f"{middle['longest_ms']:.0f}",
            f"{middle['wire_mb']:.0f}",
            f"{middle['memory_mb']:.0f}",
        )
        lines.append(f"| {variant.title} | {' | '.join(figures)} |")
    return "\n".join(lines)


def _server(options: argparse.Namespace, stack: ExitStack) -> tuple[Path, int | None]:
    """A server's kubeconfig, and its process when it is known."""
    if options.kubeconfig:
        return options.kubeconfig, options.server_pid
    if options.control_plane:
        plane = stack.enter_context(ControlPlane(controllers=False))
        fill(plane, Size(pods=options.pods, nodes=max(options.pods // 40, 1)))
        names = ((pid, usage(pid)) for pid in tree(os.getpid()))
        servers = [pid for pid, found in names if found and found.command.startswith("kube-apiserver")]
        return plane.kubeconfig("reader"), servers[0]
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aksnav-bench-")))
    control = stack.enter_context(served(folder / "kubeconfig", ["--pods", str(options.pods)]))
    return folder / "kubeconfig", control.pid


def main() -> None:
    """Measure all variants and print the table."""
    parser = argparse.ArgumentParser(description="Compare ways to list all Pods.")
    parser.add_argument("--kubeconfig", type=Path, help="a server that runs already; else one is started")
    parser.add_argument("--control-plane", action="store_true", help="start the tests' control plane, and fill it")
    parser.add_argument("--pods", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--server-pid", type=int, help="the process of a server that runs already, for its CPU time")
    parser.add_argument("--whole", action="store_true", help="also one list without pages (it needs much memory)")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        sys.stdout.write(json.dumps(_one(str(options.kubeconfig), Variant(*json.loads(options.one)))))
        return
    end_on_termination()
    variants = (*VARIANTS, *((Variant("whole", gzip=True), Variant("whole")) if options.whole else ()))
    results: dict[Variant, list[dict[str, float]]] = {variant: [] for variant in variants}
    with ExitStack() as stack:
        kubeconfig, pid = _server(options, stack)
        for _ in range(options.rounds):
            for variant in variants:
                results[variant].append(_measure(kubeconfig, variant, pid))
    sys.stdout.write(table(results) + "\n")


if __name__ == "__main__":
    main()
