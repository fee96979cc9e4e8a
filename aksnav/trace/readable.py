"""What of a table is not known: why its rows cannot be read, and which of them are from before only."""

from typing import Any

from aksnav.model.kinds import KINDS
from aksnav.store.table import Table


def unreadable(table: Table[Any], scope: str = "") -> str:
    """Return what permission or data is missing to know the rows of a scope, or an empty string if they are known."""
    access = table.access(scope)
    kind = KINDS[table.kind]
    if access.complete:
        # What Azure has and what cannot be decoded may be the very row that is looked for: ids there tell no owner.
        broken = next(iter(table.undecodable), "") if kind.azure else ""
        return f"{kind.plural} {broken}: {table.undecodable[broken]}" if broken else ""
    if kind.azure:
        what = f"{kind.group}/{kind.plural}/read"
    else:
        what = f"list {kind.plural}" + (f" in namespace {scope}" if scope and kind.namespaced else "")
    if access.reason.startswith(what):
        return access.reason  # the source has named it already, with its scope
    return f"{what} ({access.reason or access.reading.value})"


def stale(*tables: Table[Any]) -> tuple[str, ...]:
    """Return an assumption for each table that is known from before only."""
    return tuple(
        f"{table.kind} are as they were last read: the source is stale" for table in tables if not _fresh(table)
    )


def _fresh(table: Table[Any]) -> bool:
    # What was read once and is refused now keeps its rows: they are old too.
    return all(access.fresh or not (access.complete or access.at) for access in table.scopes().values())
