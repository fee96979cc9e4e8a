"""What may be there without being known: rows of a table that may not be read, or that cannot be decoded."""

from typing import Any

from aksnav.store.table import Table
from aksnav.trace.azure.joins import unreadable


def hidden(table: Table[Any]) -> str:
    """Return why a row may be there, in whatever namespace, and not be known; an empty string where all are known."""
    for scope, access in {"": table.access(), **table.scopes()}.items():
        if not access.complete:
            return unreadable(table, scope)
    broken = next(iter(table.undecodable), "")
    return f"{table.kind} {broken}: {table.undecodable[broken]}" if broken else ""
