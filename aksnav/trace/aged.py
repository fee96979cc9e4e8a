"""Steps that stand on what is known from before only, or was not carried out: they say so, whoever made them."""

from collections.abc import Iterator, Sequence

import msgspec

from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure.settled import unsettled
from aksnav.trace.journey import Road
from aksnav.trace.memo import once
from aksnav.trace.readable import stale
from aksnav.trace.step import Step

# Where what a step names stands in a table of another kind.
_HOLDER = {"subnets": "virtualNetworks"}


def aged(store: Store, road: Sequence[Step]) -> Road:
    """Return a road on which every step that names a row of a stale table takes for granted that it is so still.

    The same goes for an object of Azure's whose last change is not carried out: that it works as it reads.

    Args:
        store: what is known.
        road: as it was walked; assumptions that stand there already are not repeated.
    """
    old = once(store, "stale kinds", tuple(store.tables), lambda: _old(store))
    open_ones = unsettled(store)
    return tuple(_step(old, open_ones, step) for step in road) if old or open_ones else tuple(road)


def _old(store: Store) -> dict[str, str]:
    """Return what is to be assumed of every kind of which the rows are old."""
    return {kind: line for kind, table in store.tables.items() for line in stale(table)}


def _step(old: dict[str, str], open_ones: dict[Ref, str], step: Step) -> Step:
    lines = dict.fromkeys(step.assumptions)
    for ref in _named(step):
        for line in (old.get(_HOLDER.get(ref.kind, ref.kind)), open_ones.get(ref)):
            if line is not None:
                lines[line] = None
    branches = tuple(
        msgspec.structs.replace(branch, steps=tuple(_step(old, open_ones, inner) for inner in branch.steps))
        for branch in step.branches
    )
    return msgspec.structs.replace(step, assumptions=tuple(lines), branches=branches)


def _named(step: Step) -> Iterator[Ref]:
    if step.subject is not None:
        yield step.subject
    yield from (fact.subject for fact in step.evidence if fact.subject is not None)
