"""Measures policy questions: ``trace --requests``, ``who`` and ``who --matrix``, as a user starts them.

    python -m tests.bench.policy trace [--pods 5000] [--questions 10000] [--engine azure|cilium|calico] [--keep DIR]
    python -m tests.bench.policy who --pods 200000 --per-workload 20 --per-namespace 20 [--engine cilium --own-policies]

The cluster is made (``policy_world``) and written as a capture; the program reads it, so that its figures hold the
start and the reading of the file. A sample of the answers is checked against traces one by one of a store of their own.
"""

import argparse
import compileall
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import aksnav
from aksnav.cli.reading import load
from aksnav.model.change import Reading
from aksnav.model.kinds import KINDS
from aksnav.report.data import answer
from aksnav.sources.capture import CaptureHeader, KindReading, write_capture
from aksnav.sources.options import Options
from aksnav.trace import parse_request, trace
from tests.bench.facts import machine, table
from tests.bench.policy_world import Sizes, World

_SAMPLE = 200


class Run(NamedTuple):
    """One run of the program: seconds on the wall, seconds of CPU, most memory in MB, exit status."""

    wall: float
    cpu: float
    memory: float
    status: int


def write_world(path: Path, world: World) -> int:
    """Write a cluster as a capture in which every kind was read, and return how many objects it has."""
    found = {kind for kind, _ in world.objects()}
    readings = tuple(
        KindReading(kind=name, reading=Reading.ABSENT if kind.optional and name not in found else Reading.LIVE, at=1.0)
        for name, kind in KINDS.items()
    )
    return write_capture(path, world.objects(), CaptureHeader(at=1.0, facts={}, readings=readings))


def run(arguments: Sequence[str], out: Path) -> Run:
    """Run the program with its output in a file."""
    with out.open("wb") as file:
        start = time.perf_counter()
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "aksnav", *arguments],
            {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            file_actions=[(os.POSIX_SPAWN_DUP2, file.fileno(), 1)],
        )
        _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))


def differing(capture: Path, requests: Path, answers: Path) -> Iterator[str]:
    """Yield, of a sample, the answers that a trace by itself of a store of its own gives otherwise."""
    asked = [json.loads(line) for line in requests.read_text().splitlines()]
    given = [json.loads(line) for line in answers.read_text().splitlines()]
    if [line["id"] for line in asked] != [line["id"] for line in given]:
        yield "the answers are not those of the questions, in order"
    draw = random.Random(7)  # noqa: S311 - nobody's secret
    store = load(Options(capture=str(capture)))
    for number in draw.sample(range(len(asked)), min(_SAMPLE, len(asked))):
        request = parse_request(asked[number]["to"], source=asked[number]["from"])
        alone = json.loads(json.dumps(answer(trace(store, request), asked[number]["id"])))
        if alone != given[number]:
            yield f"question {number} is answered otherwise by itself"


def measure(options: argparse.Namespace, folder: Path) -> None:
    """Make the cluster, run the program, and print the figures."""
    sizes = Sizes(options.pods, options.per_workload, options.per_namespace)
    world = World(sizes, options.engine, own_policies=options.own_policies)
    capture = folder / "cluster.aksnav"
    print(f"{write_world(capture, world)} objects, {capture.stat().st_size / 1e6:.1f} MB, in {capture}")
    given = ["--from-capture", str(capture)]
    rows = []
    if options.what == "trace":
        requests, out = folder / "requests.jsonl", folder / "answers.jsonl"
        requests.write_text("".join(f"{json.dumps(line)}\n" for line in world.questions(options.questions)))
        rows.append(("trace --requests", run(["trace", "--requests", str(requests), "-o", "json", *given], out)))
        wrong = list(differing(capture, requests, out))
        print(f"{_SAMPLE} answers against single traces: {len(wrong)} differ", *wrong[:3], sep="\n  ")
    else:
        out = folder / "who.txt"
        asked = (["who", world.service()], ["who", world.subject()], ["who", "--matrix"])
        rows = [(" ".join(arguments), run([*arguments, *given], out)) for arguments in asked]
    print(table(("fact", "value"), machine()))
    cells = [
        (name, f"{one.wall:.2f} s", f"{one.cpu:.2f} s", f"{one.memory:.0f} MB", str(one.status)) for name, one in rows
    ]
    print(table(("command", "wall", "CPU", "memory", "exit"), cells))


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("trace", "who"))
    parser.add_argument("--pods", type=int, default=5_000)
    parser.add_argument("--per-workload", type=int, default=10)
    parser.add_argument("--per-namespace", type=int, default=10)
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--engine", default="azure")
    parser.add_argument("--own-policies", action="store_true", help="CiliumNetworkPolicies as well")
    parser.add_argument("--keep", type=Path, help="a folder for the files, which are thrown away otherwise")
    options = parser.parse_args()
    for folder in aksnav.__path__:
        compileall.compile_dir(folder, quiet=2)
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        measure(options, options.keep)
        return
    with tempfile.TemporaryDirectory() as name:
        measure(options, Path(name))


if __name__ == "__main__":
    main()
