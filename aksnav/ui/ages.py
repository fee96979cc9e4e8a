"""How old what is known is: of one object, of a source, in words. Azure is read again and again, not followed."""

from datetime import UTC, datetime
from typing import NamedTuple

from aksnav.model.change import Reading
from aksnav.model.kinds import KINDS
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.ui.text import Span

READING_WORDS = {
    Reading.PENDING: "reading",
    Reading.LIVE: "live",
    Reading.STALE: "stale",
    Reading.DENIED: "not readable",
    Reading.ABSENT: "not installed",
    Reading.UNREAD: "not read",
    Reading.FAILED: "failed",
}
MINUTE, HOUR, DAY = 60, 3600, 86400
AGE_STEPS = (5, 10, 20, 30, 60, 120, 180, 240, 300, 600, 1200, 1800, 3600)
FEW_DAYS = 2


class AsOf(NamedTuple):
    """As of when the parts of a source are right, seconds since the epoch."""

    oldest: float
    newest: float


def ago(seconds: float) -> str:
    """Return an age as people say it: ``just now``, ``30 s ago``."""
    words = age(seconds)
    return "just now" if words == "now" else f"{words} ago"


def age(seconds: float) -> str:
    """Return an age in coarse steps, so that a line does not have to be drawn every second."""
    step = max((step for step in AGE_STEPS if step <= seconds), default=0)
    if not step:
        return "now"
    if step < MINUTE:
        return f"{step} s"
    if step < HOUR:
        return f"{step // MINUTE} min"
    return f"{int(seconds // HOUR)} h" if seconds < FEW_DAYS * DAY else f"{int(seconds // DAY)} d"


def read_between(store: Store, source: str) -> AsOf | None:
    """Return as of when the oldest and the newest part of a source are right; None where nothing of it was read.

    Args:
        store: what is known.
        source: azure, kubernetes, or one that speaks of every kind.
    """
    times = [
        access.at
        for name, table in store.tables.items()
        if source not in _HALVES or KINDS[name].azure == _HALVES[source]
        for access in table.scopes().values()
        if access.reading in {Reading.LIVE, Reading.STALE} and access.at
    ]
    return AsOf(min(times), max(times)) if times else None


_HALVES = {"azure": True, "kubernetes": False}


def between_words(known: AsOf, now: float, *, short: bool = False) -> str:
    """Return how old a source is: one age, and that of its oldest part where both are more than a minute apart.

    Args:
        known: of the source.
        now: seconds since the epoch.
        short: whether there is little room.
    """
    newest, oldest = age(now - known.newest), age(now - known.oldest)
    if known.newest - known.oldest <= MINUTE or newest == oldest:
        return oldest
    return f"{newest}–{oldest}" if short else f"{newest}, oldest {oldest}"  # noqa: RUF001 - a range


def as_of_line(store: Store, ref: Ref, now: float) -> list[Span]:
    """Return as of when what is known of an object is right, and why it is not of now; empty where it is followed.

    Args:
        store: what is known.
        ref: the object.
        now: seconds since the epoch.
    """
    table = store.tables.get(ref.kind)
    if table is None:
        return []
    access = table.access(ref.namespace)
    when = f"as of {ago(now - access.at)}" if access.at else "never read"
    if not access.fresh:
        why = f": {access.reason}" if access.reason else ""
        return [Span(f"{READING_WORDS[access.reading]}{why}, {when}", "warn")]
    if access.at and (KINDS[ref.kind].azure or "capture" in store.sources):
        return [Span(f"{when} (ctrl+r reads Azure again)" if KINDS[ref.kind].azure else when, "muted")]
    return []


def sent_words(store: Store, ref: Ref, now: float) -> str:
    """Return when an object that was asked for by name was sent: just now, unless it is one of a capture.

    Args:
        store: what is known.
        ref: the object.
        now: seconds since the epoch, at which it came.
    """
    table = store.tables.get(ref.kind)
    if "capture" in store.sources and table is not None:
        at = table.access(ref.namespace).at
        return f"captured {_clock(at)}" if at else "captured"
    return f"read {_clock(now)}"


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
