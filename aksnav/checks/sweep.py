"""The sweep: every check, of every object. It asks the functions that a trace asks, so that both say the same."""

from collections.abc import Callable, Iterator

from aksnav.checks.capacity import subnet_findings
from aksnav.checks.finding import Finding, Proof
from aksnav.checks.from_steps import finding_of
from aksnav.checks.routing import routing_findings
from aksnav.checks.services import service_findings
from aksnav.model.change import Reading
from aksnav.model.kinds import KINDS
from aksnav.store import Store
from aksnav.trace import trace
from aksnav.trace.entrypoints import entry_points
from aksnav.trace.viewpoint import seen_from

_ORDER = {Proof.PROVEN: 0, Proof.LIKELY: 1, Proof.HINT: 2}


def sweep(store: Store) -> list[Finding]:
    """Return everything that is wrong, each check once for an object, proven ones first."""
    found: dict[tuple[str, str], Finding] = {}
    for check in CHECKS:
        for finding in check(store):
            found.setdefault((finding.id, str(finding.subject)), finding)
    return sorted(found.values(), key=lambda item: (_ORDER[item.proof], item.id, str(item.subject)))


def way_in_findings(store: Store) -> Iterator[Finding]:
    """Yield what breaks the ways in, as their traces say."""
    for point in entry_points(store):
        for step in trace(store, seen_from(store, point)).breaks:
            found = finding_of(step)
            if found is not None:
                yield found


def blind_spots(store: Store) -> list[str]:
    """Return, one line each, what the sweep could not look at: a clean sweep says nothing about these."""
    lines = []
    for name, table in store.tables.items():
        if KINDS[name].by_name:
            continue
        for scope, access in (table.scopes() or {"": table.access()}).items():
            if access.reading in {Reading.LIVE, Reading.ABSENT}:
                continue
            where = f" in {scope}" if scope else ""
            lines.append(f"{KINDS[name].plural}{where}: {access.reading}{': ' if access.reason else ''}{access.reason}")
        lines += [f"{KINDS[name].plural} {ident}: cannot be decoded: {why}" for ident, why in table.undecodable.items()]
    return lines


CHECKS: tuple[Callable[[Store], Iterator[Finding]], ...] = (
    way_in_findings,
    service_findings,
    routing_findings,
    subnet_findings,
)
