"""What was worked out from some tables of a store, kept for as long as those tables stay as they are."""

from collections.abc import Callable
from typing import TypeVar, cast
from weakref import WeakKeyDictionary

from aksnav.store import Store

T = TypeVar("T")

_KEPT: WeakKeyDictionary[Store, dict[str, tuple[tuple[int, ...], object]]] = WeakKeyDictionary()


def once(store: Store, name: str, kinds: tuple[str, ...], make: Callable[[], T]) -> T:
    """Return what ``make`` returns, made once for one state of the tables.

    Args:
        store: where the tables are.
        name: what is kept; one name, one type.
        kinds: every kind that ``make`` reads: a change of any of them makes it anew.
        make: pure in those tables.
    """
    versions = tuple(store.tables[kind].version for kind in kinds)
    kept = _KEPT.setdefault(store, {})
    found = kept.get(name)
    if found is not None and found[0] == versions:
        return cast("T", found[1])
    made = make()
    kept[name] = (versions, made)
    return made
