"""A stream of changes in the real control plane: Pods are written straight into etcd, many times a second.

    python -m tests.bench.churn --etcd-port PORT --rate 1000 --pods 20000 --nodes 500

Each change raises a container's restart count; the API server tells its watches of it as of any other change. It runs
until it is ended.
"""

import argparse
import itertools
import time
from collections.abc import Iterator

from tests.cluster.etcd import Etcd
from tests.cluster.fill import Size, objects

_BATCH = 50
_PODS = "/registry/pods/"


def _changes(pods: list[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    # 7919 is prime: the changes wander over all Pods.
    for number in itertools.count(1):
        key, stored = pods[number * 7919 % len(pods)]
        yield key, stored.replace(b'"restartCount":0', b'"restartCount":%d' % number, 1)


def main() -> None:
    """Write until ended."""
    parser = argparse.ArgumentParser(description="Change Pods in etcd at a rate.")
    parser.add_argument("--etcd-port", type=int, required=True)
    parser.add_argument("--rate", type=float, default=1_000.0, help="changes per second")
    parser.add_argument("--pods", type=int, default=20_000)
    parser.add_argument("--nodes", type=int, default=500)
    options = parser.parse_args()
    stored = [item for item in objects(Size(pods=options.pods, nodes=options.nodes)) if item[0].startswith(_PODS)]
    changes, store = _changes(stored), Etcd(options.etcd_port)
    began, done = time.monotonic(), 0
    while True:
        store.put(itertools.islice(changes, _BATCH))
        done += _BATCH
        time.sleep(max(began + done / options.rate - time.monotonic(), 0.0))


if __name__ == "__main__":
    main()
