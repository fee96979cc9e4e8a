"""Ranges of the cluster that meet others (R10)."""

from collections.abc import Iterator

from aksnav.checks.finding import Finding, Proof
from aksnav.store import Store
from aksnav.trace.addressing.overlaps import Overlap, Range, overlaps
from aksnav.trace.azure.commands import of_cluster
from aksnav.trace.azure.joins import cluster
from aksnav.trace.step import Evidence


def range_findings(store: Store) -> Iterator[Finding]:
    """Yield R10 once for the cluster, with every overlap: of its ranges with networks, peers and reserved ranges."""
    managed = cluster(store)
    found = sorted(overlaps(store), key=lambda item: not item.certain)
    if managed is None or not found:
        return
    more = f"; and {len(found) - 1} more" if len(found) > 1 else ""
    yield Finding(
        id="R10",
        subject=managed.ref,
        summary=f"{found[0].summary}{more}",
        proof=Proof.PROVEN if found[0].certain else Proof.HINT,
        evidence=tuple(dict.fromkeys(fact for item in found for fact in _facts(item))),
        related=tuple(
            dict.fromkeys(
                side.ref
                for item in found
                for side in (item.first, item.second)
                if side.ref is not None and side.ref != managed.ref
            )
        ),
        confirm=of_cluster(managed.arm_id, "networkProfile"),
        fix="give the cluster or the networks another range; a service CIDR is chosen when the cluster is made",
    )


def _facts(overlap: Overlap) -> Iterator[Evidence]:
    yield from (_fact(side, overlap.why) for side in (overlap.first, overlap.second) if side.field)


def _fact(side: Range, why: str) -> Evidence:
    return Evidence(side.field, str(side.prefix), side.ref, why)
