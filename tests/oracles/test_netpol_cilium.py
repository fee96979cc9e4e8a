"""CiliumNetworkPolicy and NetworkPolicy on Cilium, against the reachability tables of Cilium's connectivity tests.

The table is cilium/cilium cilium-cli/connectivity (Apache-2.0), read in place and never copied. A row may be undecided
where it needs a feature that is not modelled: then the feature is named. It may never be wrong.
"""

import functools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aksnav.model.kinds import KINDS
from aksnav.store.store import Store
from aksnav.trace import policy
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Place
from aksnav.trace.step import Step, Verdict
from tests.unit.trace_edge.world import address, cluster, documents, made, node, place

TABLE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cilium"
pytestmark = pytest.mark.skipif(not TABLE.is_dir(), reason=f"the table is not here: {TABLE}")

Row = dict[str, Any]
# What the names of the table resolve to; no rule of the table names the second address.
NAMES = {"one.one.one.one": "1.1.1.1", "k8s.io": "34.107.204.206"}


def rows() -> list[Row]:
    """Return the rows of the table."""
    if not TABLE.is_dir():
        return []
    return [json.loads(line) for line in (TABLE / "cases.jsonl").read_text(encoding="utf-8").splitlines()]


@functools.cache
def world(manifests: tuple[str, ...]) -> Store:
    """Return the cluster of some manifests, on Cilium."""
    objects = [item for name in manifests for item in documents(TABLE / name) if item["kind"] in KINDS]
    nodes = [node("node-1", "10.224.0.4"), node("node-2", "10.224.0.5")]
    return made(*objects, *nodes, cluster(networkDataplane="cilium"))


def end(store: Store, said: Row) -> Place:
    """Return an end of a row."""
    if said["type"] == "workload":
        return place(store, f"{said['namespace']}/{said['pod']}")
    return Place(address=address(said["ip"] if said["type"] == "ip" else NAMES[said["name"]]))


def steps(row: Row) -> tuple[Step, ...]:
    """Return the policy steps of a row."""
    store = world(tuple(row["manifests"]))
    source, target = end(store, row["src"]), end(store, row["dst"])
    packet = Packet(source=source.address, destination=target.address, port=row["port"] or 0, protocol=row["protocol"])
    request = row.get("http")
    if request:
        headers = tuple((name.lower(), value) for name, value in (request.get("headers") or {}).items())
        packet = msgspec.structs.replace(
            packet, scheme="http", method=request["method"], path=request["path"], headers=headers
        )
    return policy.judge(store, Crossing(source=source, destination=target, packet=packet))


def answer(row: Row) -> tuple[str, str]:
    """Return allow, deny or undecided, and what it was undecided for."""
    missing = ""
    for step in steps(row):
        if step.verdict in {Verdict.DROP, Verdict.RESPOND}:
            return "deny", ""
        if step.verdict in {Verdict.BLIND, Verdict.UNSUPPORTED}:
            missing = step.missing
    return ("undecided", missing) if missing else ("allow", "")


def test_no_row_is_answered_wrongly() -> None:
    """Every row is as expected, or undecided for a feature that is named."""
    told = [(row, *answer(row)) for row in rows()]
    undecided = Counter(missing.rpartition(": ")[2] for _, said, missing in told if said == "undecided")
    print(f"{len(told)} rows, undecided: {dict(undecided)}")
    wrong = [
        (row["case"], row["src"], row["dst"], row["expected"], said)
        for row, said, _ in told
        if said not in {row["expected"], "undecided"}
    ]
    assert not wrong
    assert len(told) == 439
    assert all("--resolve" in missing for missing in undecided)
