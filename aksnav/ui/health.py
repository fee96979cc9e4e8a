"""The screen of ``a``: state, age and size of every source and every kind."""

from typing import Any

from aksnav.model.change import Reading
from aksnav.model.kinds import KINDS
from aksnav.store import Store, Table
from aksnav.ui.ages import READING_WORDS, AsOf, ago, read_between
from aksnav.ui.text import Line, Span


def health_lines(store: Store, now: float) -> list[Line]:
    """Return the state, the age and the size of every source and every kind, and what could not be decoded.

    Args:
        store: what was read.
        now: seconds since the epoch.
    """
    lines: list[Line] = [[Span("Sources", "title")]]
    for name, state in store.sources.items():
        tone = "good" if state.reading is Reading.LIVE else "warn"
        lines.append([Span(f"  {name:<12}"), Span(f"{READING_WORDS[state.reading]:<14}", tone), Span(state.reason)])
        known = read_between(store, name)
        if known is not None:
            lines.append([Span("    right as of: ", "muted"), Span(_between(known, now))])
        lines += [[Span(f"    {key}: ", "muted"), Span(value)] for key, value in state.facts.items()]
    lines += [[], [Span("Kinds", "title"), Span("  what is not fresh stands first", "muted")]]
    lines.append([Span(f"  {'KIND':<31} {'COUNT':>6} {'STATE':<14}RIGHT AS OF", "muted")])
    tables = sorted(store.tables.items(), key=lambda item: (item[1].access().fresh, not len(item[1])))
    for name, table in tables:
        for scope, access in (table.scopes() or {"": table.access()}).items():
            where = f" in {scope}" if scope else ""
            since = ago(now - access.at) if access.at else ""
            lines.append(
                [
                    Span(f"  {_plural(name) + where:<31} {_count(table, scope):>6} "),
                    Span(f"{READING_WORDS[access.reading]:<14}", "good" if access.fresh else "warn"),
                    Span(f"{since}  {access.reason}".rstrip(), "muted"),
                ]
            )
        lines += [
            [Span(f"    cannot be decoded: {ident}: ", "bad"), Span(reason)]
            for ident, reason in table.undecodable.items()
        ]
    return lines


def _between(known: AsOf, now: float) -> str:
    newest, oldest = ago(now - known.newest), ago(now - known.oldest)
    return newest if newest == oldest else f"{newest} the newest part, {oldest} the oldest"


def _count(table: Table[Any], scope: str) -> str:
    """Return how many objects there are; in a scope of Azure's nobody counts them apart."""
    if not scope:
        return str(len(table))
    return "" if scope.startswith("/") else str(sum(row.namespace == scope for row in table))


def _plural(name: str) -> str:
    """Return a kind's plural; with its group where another kind has the same plural."""
    kind = KINDS[name]
    twice = sum(other.plural == kind.plural for other in KINDS.values()) > 1
    return f"{kind.plural}.{kind.group.partition('.')[0]}" if twice and kind.group else kind.plural
