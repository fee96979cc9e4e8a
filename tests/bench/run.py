"""The benchmarks that are started by hand; each prints Markdown tables with the machine's facts.

    python -m tests.bench.run demo
    python -m tests.bench.run generator-200k --peer kubectl
    python -m tests.bench.run control-plane-20k
    python -m tests.bench.run sample                (the driver on a small program of its own)

The patterns by which the moments of a start are recognised can be given (``--first``, ``--rows``, ``--complete``), and
so can the command: any program that runs in a terminal can be measured.
"""

import argparse
import shlex
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.bench import facts, peer
from tests.bench.generator import Sizes
from tests.bench.served import Control, end_on_termination, served
from tests.bench.session import Plan, Row, Toggle, measure
from tests.cluster.control_plane import ControlPlane
from tests.cluster.etcd import Etcd
from tests.cluster.fill import Size, fill, objects

_AKSNAV = [sys.executable, "-m", "aksnav"]
_GENERATED_POD = r"\ba\d{5}-[a-z]+-[a-z0-9]{10}-[a-z0-9]{5}\b"
_FILLED_POD = r"\bapp-\d{5}-5d8f7c9b6-[0-9a-f]{5}\b"


_FIRST_ROWS = r"(Services|Nodes and Pods) [1-9]"


def _plan(
    options: argparse.Namespace, command: list[str], marks: tuple[str, str], kubeconfig: Path | None = None
) -> Plan:
    own = options.command.replace("{kubeconfig}", str(kubeconfig))
    complete, list_complete = (options.complete,) * 2 if options.complete else marks
    return Plan(
        command=shlex.split(own) if own else command,
        first_frame=options.first,
        first_rows=options.rows,
        complete=complete,
        list_complete=list_complete,
        keys=options.type if options.type is not None else [":po", "enter"],
        timeout=options.timeout,
        presses=options.presses,
        idle=options.idle,
    )


def _explorer(kubeconfig: Path) -> list[str]:
    return [*_AKSNAV, "explore", "--kubeconfig", str(kubeconfig), "-A", "--no-azure"]


def _counted(pods: int, nodes: int) -> tuple[str, str]:
    """The whole picture: as many objects as there are, in the explorer's pane and in the list of Pods."""
    return rf"Nodes and Pods {pods + nodes}\b", rf"pods {pods}\b"


def _peer_rows(name: str, kubeconfig: Path, folder: Path) -> list[Row]:
    if name != "kubectl":
        raise SystemExit(f"no peer {name!r}; known: kubectl")
    environment = {"KUBECONFIG": str(kubeconfig), "HOME": str(folder)}
    # The first call fills kubectl's discovery cache; it is not what is compared.
    peer.run(["kubectl", "get", "namespaces"], environment)
    found = peer.run(["kubectl", "get", "pods", "-A"], environment)
    first = f"{found.first_byte:.2f} s" if found.first_byte else "never"
    cost = f"{found.cpu_seconds:.2f} CPU s, peak {found.peak / 1e6:.0f} MB"
    text = f"first line {first}, done {found.seconds:.2f} s, {cost}, {found.lines:,} lines, status {found.status}"
    return [("`kubectl get pods -A`", text)]


def _sample(options: argparse.Namespace) -> list[Row]:
    command = [sys.executable, "-m", "tests.bench.sample_app"]
    plan = _plan(options, command, ("rows 200,000", ""))
    return measure(plan._replace(first_frame="sample", first_rows=r"row \d{6}", keys=()))


def _demo(options: argparse.Namespace) -> list[Row]:
    return measure(_plan(options, [*_AKSNAV, "demo"], ("✔ delivered", "")))


def _generator(options: argparse.Namespace) -> list[Row]:
    sizes = Sizes(pods=options.pods, nodes=options.nodes, services=options.services)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aksnav-bench-")))
        kubeconfig: Path = options.kubeconfig or folder / "kubeconfig"
        if options.control:
            control = Control(options.control, 0)
        else:
            counts = [
                text for name in ("pods", "nodes", "services") for text in (f"--{name}", str(getattr(sizes, name)))
            ]
            control = stack.enter_context(served(kubeconfig, [*counts, *(["--rows"] if options.peer else [])]))

        def toggle(pod: str, ready: bool) -> int | None:
            namespace = int(pod[1:6]) * sizes.namespaces // sizes.services
            return control.set_ready(f"team-{namespace:03d}", pod, ready)

        plan = _plan(options, _explorer(kubeconfig), _counted(options.pods, options.nodes), kubeconfig)
        rows = measure(plan, stream=control.stream, rates=options.rates, names=_GENERATED_POD, toggle=toggle)
        stats = control.stats()
        rows.append(("the server sent", f"{stats['list_bytes'] / 1e6:,.0f} MB of lists, {stats['events']:,} events"))
        if options.peer:
            rows += _peer_rows(options.peer, kubeconfig, folder)
    return rows


class _Stream:
    """A stream of changes in etcd that can be started and ended."""

    def __init__(self, port: int, pods: int) -> None:
        self._port = port
        self._pods = pods
        self._running: subprocess.Popen[bytes] | None = None

    def __call__(self, rate: float) -> None:
        if self._running:
            self._running.terminate()
            self._running.wait()
            self._running = None
        if rate:
            command = [sys.executable, "-m", "tests.bench.churn", "--etcd-port", str(self._port)]
            self._running = subprocess.Popen([*command, "--rate", str(rate), "--pods", str(self._pods)])


def _stored_toggle(store: Etcd, stored: dict[str, bytes]) -> Toggle:
    """Readiness is turned in etcd; the time is the one before the write, so that etcd and the API server count too."""
    keys = {key.rpartition("/")[2]: key for key in stored if key.startswith("/registry/pods/")}
    ready_pod, ready_container = b'"type":"Ready","status":"True"', b'"ready":true'

    def toggle(name: str, ready: bool) -> int:
        key = keys[name]
        pod = stored[key]
        if not ready:
            pod = pod.replace(ready_pod, ready_pod.replace(b"True", b"False"))
            pod = pod.replace(ready_container, b'"ready":false', 1)
        now = time.monotonic_ns()
        store.put([(key, pod)])
        return now

    return toggle


def _control_plane(options: argparse.Namespace) -> list[Row]:
    pods = min(options.pods, 20_000)
    size = Size(pods=pods, nodes=500)
    with ControlPlane(controllers=False) as plane, tempfile.TemporaryDirectory(prefix="aksnav-bench-") as name:
        began = time.monotonic()
        count = fill(plane, size)
        rows = [("filled", f"{count:,} objects in {time.monotonic() - began:.1f} s")]
        kubeconfig = plane.kubeconfig("reader")
        toggle = _stored_toggle(Etcd(plane.layout.etcd_port), dict(objects(size)))
        stream = _Stream(plane.layout.etcd_port, pods)
        plan = _plan(options, _explorer(kubeconfig), _counted(pods, size.nodes), kubeconfig)
        try:
            rows += measure(plan, stream=stream, rates=options.rates, names=_FILLED_POD, toggle=toggle)
        finally:
            stream(0)
        if options.peer:
            rows += _peer_rows(options.peer, kubeconfig, Path(name))
    return rows


_SCENARIOS = {
    "sample": _sample,
    "demo": _demo,
    "generator-200k": _generator,
    "control-plane-20k": _control_plane,
}


def main() -> None:
    """Run one scenario and print its table."""
    parser = argparse.ArgumentParser(description="Measure aksnav (or another program) on a real pseudo-terminal.")
    parser.add_argument("scenario", choices=_SCENARIOS)
    parser.add_argument("--peer", default="", help="also run this for comparison: kubectl")
    parser.add_argument("--command", default="", help="instead of the scenario's own; {kubeconfig} is replaced")
    parser.add_argument("--first", default="aksnav", help="pattern: the first frame")
    parser.add_argument("--rows", default=_FIRST_ROWS, help="pattern: the first objects")
    parser.add_argument("--complete", default="", help="pattern: the whole picture (default: the scenario's own)")
    parser.add_argument("--type", action="append", help="typed to come to a long list (default ':po' and Enter)")
    parser.add_argument("--timeout", type=float, default=180.0)
    parser.add_argument("--presses", type=int, default=100)
    parser.add_argument("--idle", type=float, default=20.0, help="seconds")
    parser.add_argument("--rates", type=float, nargs="*", default=[1_000.0], help="events per second")
    parser.add_argument("--kubeconfig", type=Path, help="of a server of ours that runs already")
    parser.add_argument("--control", default="", help="the control address of that server")
    parser.add_argument("--pods", type=int, default=200_000)
    parser.add_argument("--nodes", type=int, default=5_000)
    parser.add_argument("--services", type=int, default=10_000)
    options = parser.parse_args()
    # The thread that reads the terminal must not wait for the one that works out the picture.
    sys.setswitchinterval(0.0005)
    end_on_termination()
    before = facts.machine()
    rows = _SCENARIOS[options.scenario](options)
    sys.stdout.write(f"## {options.scenario}\n\n{facts.table(('fact', 'value'), before)}\n\n")
    sys.stdout.write(facts.table(("measure", "value"), rows) + "\n")


if __name__ == "__main__":
    main()
