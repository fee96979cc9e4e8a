"""What was worked out from some tables of a store, kept for as long as those tables stay as they are."""

from collections.abc import Callable, Hashable
from typing import TypeVar, cast
from weakref import WeakKeyDictionary

from aksnav.store import Store

T = TypeVar("T")

_KEPT: WeakKeyDictionary[Store, dict[str, tuple[Hashable, object]]] = WeakKeyDictionary()


def once(store: Store, name: str, kinds: tuple[str, ...], make: Callable[[], T]) -> T:
    """Return what ``make`` returns, made once for one state of the tables.

    Args:
        store: where the tables are.
        name: what is kept; one name, one type.
        kinds: every kind that ``make`` reads: a change of any of them makes it anew.
        make: pure in those tables.
    """
    tables = store.tables
    # A list, because this is asked some thousand times a trace: a generator takes twice the time.
    return once_at(store, name, tuple([tables[kind].version for kind in kinds]), make)


def once_at(store: Store, name: str, state: Hashable, make: Callable[[], T]) -> T:
    """Return what ``make`` returns, made once for one state of what it reads, where that is less than whole tables.

    Args:
        store: where the tables are.
        name: what is kept; one name, one type.
        state: equal states mean that ``make`` would return the same: versions of indexes, say.
        make: pure in what the state stands for.
    """
    kept = _KEPT.get(store)
    if kept is None:
        kept = _KEPT[store] = {}
    found = kept.get(name)
    if found is not None and found[0] == state:
        return cast("T", found[1])
    made = make()
    kept[name] = (state, made)
    return made
