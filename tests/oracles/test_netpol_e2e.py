"""NetworkPolicy against the reachability tables of Kubernetes' own end-to-end tests, as each engine reads them.

The table is kubernetes/kubernetes test/e2e/network/netpol (Apache-2.0), read in place and never copied.
"""

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from aksnav.store.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.policy.engines import Engine
from aksnav.trace.step import Outcome
from tests.unit.trace_edge.world import cluster, documents, made, node

TABLE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "netpol_e2e"
pytestmark = pytest.mark.skipif(not TABLE.is_dir(), reason=f"the table is not here: {TABLE}")

Row = dict[str, Any]


def rows() -> list[Row]:
    """Return the rows of the table."""
    if not TABLE.is_dir():
        return []
    return [json.loads(line) for line in (TABLE / "cases.jsonl").read_text(encoding="utf-8").splitlines()]


@functools.cache
def world(
    manifests: tuple[str, ...], ends: tuple[tuple[str, str], ...], engine: Engine, without_blocks: bool = False
) -> Store:
    """Return the cluster of some manifests; the Pods get the addresses of the rows that use the manifests."""
    objects = [item for name in manifests for item in documents(TABLE / name)]
    addresses = dict(ends)
    for item in objects:
        if item["kind"] == "Pod":
            ip = addresses.get(f"{item['metadata']['namespace']}/{item['metadata']['name']}", "")
            item["status"] = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}] if ip else []}
    nodes = [node("node-1", "10.224.0.4"), node("node-2", "10.224.0.5")]
    if without_blocks:
        objects = [selecting_nothing_by_block(item) for item in objects]
    known = [] if engine is Engine.UNKNOWN else [cluster(networkPolicy=engine.value)]
    return made(*objects, *nodes, *known)


def selecting_nothing_by_block(item: Row) -> Row:
    """Return an object with every ipBlock of a NetworkPolicy turned into a selector that matches no Pod."""
    nobody = {"podSelector": {"matchLabels": {"no-such-label": "x"}}}
    for side, word in (("ingress", "from"), ("egress", "to")):
        for rule in item.get("spec", {}).get(side) or []:
            if rule.get(word):
                rule[word] = [nobody if "ipBlock" in peer else peer for peer in rule[word]]
    return item


@functools.cache
def ends_of(manifests: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return the addresses of the Pods that the rows of some manifests name."""
    found: dict[str, str] = {}
    for row in rows():
        if tuple(row["manifests"]) == manifests:
            for end in (row["src"], row["dst"]):
                found[f"{end['namespace']}/{end['pod']}"] = end["ip"]
    return tuple(sorted(found.items()))


def answer(row: Row, engine: Engine, without_blocks: bool = False) -> str:
    """Return what becomes of the connection of a row, traced whole: allow, deny or undecided."""
    manifests = tuple(row["manifests"])
    store = world(manifests, ends_of(manifests), engine, without_blocks)
    source = f"pod/{row['src']['namespace']}/{row['src']['pod']}"
    target = f"{row['protocol'].lower()}://{row['dst']['ip']}:{row['port']}"
    outcome = trace(store, parse_request(target, source=source)).outcome
    return {Outcome.DELIVERED: "allow", Outcome.DROPPED: "deny", Outcome.UNDECIDED: "undecided"}[outcome]


@pytest.mark.parametrize("engine", [Engine.AZURE, Engine.CALICO])
def test_every_row_is_answered_as_expected(engine: Engine) -> None:
    """Azure NPM and Calico match an ipBlock against Pod addresses, as the table has it."""
    wrong = [
        (row["case"], row["src"]["pod"], row["dst"]["pod"]) for row in rows() if answer(row, engine) != row["expected"]
    ]
    assert not wrong
    assert len(rows()) == 506


# Rows that a block admits by a Pod's address, as "case source destination": on Cilium it admits no Pod.
TURNED_ROUND = {
    "egress to server in CIDR block #1 netpol-x/a netpol-y/b",
    "except clause in CIDR block #1 netpol-x/a netpol-x/c",
    "IP overlapping IPBlock.CIDR and IPBlock.Except #1 netpol-x/a netpol-x/c",
    "IP overlapping IPBlock.CIDR and IPBlock.Except #2 netpol-x/a netpol-x/b",
}


def named(row: Row) -> str:
    """Return the name of a row."""
    return " ".join((row["case"], *(f"{end['namespace']}/{end['pod']}" for end in (row["src"], row["dst"]))))


def test_cilium_differs_only_where_an_ip_block_covers_a_pod() -> None:
    """On Cilium an ipBlock selects no Pod, so a row that only an ipBlock admits is turned round; all others stand.

    Which rows those are follows from the rule: with every ipBlock taken out of the policies, Azure NPM gives what
    Cilium gives. All 506 rows are right in that sense, and the four that are turned round are held to be wrong for
    Cilium (AKS documentation, "Azure CNI Powered by Cilium": ipBlock never selects Pods); the table marks the rows in
    which an ipBlock covers a Pod as those in which engines differ by design.
    """
    covering = [row for row in rows() if row["ipblock_selects_pods"]]
    others = [row for row in rows() if not row["ipblock_selects_pods"]]
    assert all(answer(row, Engine.CILIUM) == answer(row, Engine.AZURE, without_blocks=True) for row in covering)
    assert all(answer(row, Engine.CILIUM) == row["expected"] for row in others)
    assert {named(row) for row in covering if answer(row, Engine.CILIUM) != row["expected"]} == TURNED_ROUND
    assert (len(covering), len(others)) == (24, 482)


def test_an_unknown_engine_is_undecided_exactly_where_the_engines_differ() -> None:
    """Without a word on the engine, the readings agree but for the rows that Cilium turns round."""
    for row in rows():
        agreed = {answer(row, engine) for engine in (Engine.AZURE, Engine.CALICO, Engine.CILIUM)}
        expected = agreed.pop() if len(agreed) == 1 else "undecided"
        assert answer(row, Engine.UNKNOWN) == expected
