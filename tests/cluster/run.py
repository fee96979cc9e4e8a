"""Start a control plane by hand, to point the explorer at: ``python -m tests.cluster.run``."""

import argparse
import signal
import sys
from pathlib import Path

from tests.cluster import access, fill, programs, sample
from tests.cluster.control_plane import ControlPlane


def main() -> int:
    """Start, load, say where the kubeconfigs are, and stay until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.run", description=__doc__)
    parser.add_argument("--manifests", type=Path, metavar="FOLDER", help="load these, not the sample cluster")
    parser.add_argument("--empty", action="store_true", help="load nothing")
    parser.add_argument("--pods", type=int, default=0, metavar="N", help="fill in N Pods, without controllers")
    parser.add_argument("--nodes", type=int, default=200, metavar="M", help="nodes for --pods")
    parser.add_argument("--capture", type=Path, metavar="FOLDER", help="write the sample as files, and end")
    arguments = parser.parse_args()
    absent = programs.missing()
    if absent:
        say(f"{', '.join(absent)} not in {programs.folder()}: build them with {programs.BUILD_COMMAND}")
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as Ctrl-C does
    try:
        run(arguments)
    except KeyboardInterrupt:
        say("ended")
    return 0


def run(arguments: argparse.Namespace) -> None:
    """Run one control plane as the arguments want it, until an interrupt."""
    with ControlPlane(controllers=not arguments.pods) as plane:
        if arguments.pods:
            say(f"{fill.fill(plane, fill.Size(arguments.pods, arguments.nodes))} objects written")
        elif arguments.manifests:
            plane.apply(arguments.manifests)
        elif not arguments.empty:
            sample.load(plane)
        if arguments.capture:
            sample.export_capture(plane, arguments.capture)
            return
        for user in access.TEST_USERS:
            sys.stdout.write(f"{plane.kubeconfig(user)}\n")
        sys.stdout.flush()
        say("Ctrl-C ends it")
        signal.pause()


def say(line: str) -> None:
    """Write a line to stderr: stdout holds the kubeconfigs alone."""
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
