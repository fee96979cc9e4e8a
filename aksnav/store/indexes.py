"""Indexes that follow a table: by a key, by several keys, and Pods by label class."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, NamedTuple, TypeVar

from aksnav.model.addresses import parse_address
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.labels import Labels, LabelSelector
from aksnav.store.table import Row

T = TypeVar("T", bound=Row)
K = TypeVar("K", bound=Hashable)

_NONE: frozenset[str] = frozenset()


class ManyIndex(Generic[T, K]):
    """Ids of rows by each of the keys that a row has.

    Attributes:
        version: grows when a row gains or loses a key.
    """

    def __init__(self, keys: Callable[[T], Iterable[K]]) -> None:
        self.version = 0
        self._keys = keys
        # Nearly every key has one row: a container for each would cost 200 bytes an address. Of several, a dict holds
        # the ids as keys: a set of twenty is 2 kB, a dict of twenty not half of that.
        self._ids: dict[K, str | dict[str, None]] = {}
        self._unasked: Callable[[], Iterable[T]] | None = None

    def wait(self, rows: Callable[[], Iterable[T]]) -> None:
        """Hold nothing until something is asked, and then what these rows have.

        Args:
            rows: every row that there is, when that is called.
        """
        self._unasked = rows

    def _filled(self) -> dict[K, str | dict[str, None]]:
        if self._unasked is not None:
            rows, self._unasked = self._unasked(), None
            before = self.version
            for row in rows:
                self.change(row.id, None, row)
            self.version = before
        return self._ids

    def change(self, ident: str, old: T | None, new: T | None) -> None:
        """Follow one row."""
        if self._unasked is not None:
            self.version += 1
            return
        before = tuple(self._keys(old)) if old is not None else ()
        after = tuple(self._keys(new)) if new is not None else ()
        if before == after:
            return
        self.version += 1
        for key in before:
            if key not in after:
                self._drop(key, ident)
        for key in after:
            known = self._ids.setdefault(key, ident)
            if isinstance(known, dict):
                known[ident] = None
            elif known != ident:
                self._ids[key] = {known: None, ident: None}

    def _drop(self, key: K, ident: str) -> None:
        known = self._ids.get(key)
        if isinstance(known, dict):
            known.pop(ident, None)
            if not known:
                del self._ids[key]
        elif known == ident:
            del self._ids[key]

    def get(self, key: K) -> Iterable[str]:
        """Return the ids under a key, in no order."""
        known = self._filled().get(key, _NONE)
        return (known,) if isinstance(known, str) else known

    def keys(self) -> Iterable[K]:
        """Return every key that has a row."""
        return self._filled().keys()


class Departure(NamedTuple):
    """An object that went, or left its address: its kind and id, the addresses that it had, and its node."""

    kind: str
    id: str
    addresses: tuple[int, ...]
    node: str


class Departed:
    """Pods that were seen to go or to change their address, the last ones only: the API keeps nothing of them.

    Attributes:
        version: grows with every departure.
    """

    MOST = 4096

    def __init__(self) -> None:
        self.version = 0
        self._rows: deque[Departure] = deque(maxlen=self.MOST)

    def change(self, ident: str, old: Pod | None, new: Pod | None) -> None:
        """Follow one Pod; one in the host network has its node's address, which stays."""
        if old is None or not old.ips or old.template.host_network or (new is not None and new.ips == old.ips):
            return
        kept = new.ips if new is not None else ()
        left = [parse_address(text) for text in old.ips if text not in kept]
        self.version += 1
        self._rows.append(Departure(old.KIND, ident, tuple(number for number in left if number is not None), old.node))

    def rows(self) -> tuple[Departure, ...]:
        """Return the departures, the latest last."""
        return tuple(self._rows)


class PodClasses:
    """Pods by class: a class is a namespace and a set of labels, and every Pod of a class matches the same selectors.

    Attributes:
        version: grows when a Pod comes to a class or leaves it.
    """

    def __init__(self) -> None:
        self.version = 0
        self._ids: dict[tuple[str, Labels], dict[str, None]] = {}
        self._of_namespace: dict[str, set[Labels]] = {}

    def change(self, ident: str, old: Pod | None, new: Pod | None) -> None:
        """Follow one Pod."""
        before = (old.namespace, old.template.labels) if old is not None else None
        after = (new.namespace, new.template.labels) if new is not None else None
        if before == after:
            return
        self.version += 1
        if old is not None and before is not None:
            found = self._ids[before]
            found.pop(ident, None)
            if not found:
                del self._ids[before]
                self._of_namespace[old.namespace].discard(old.template.labels)
        if new is not None and after is not None:
            self._ids.setdefault(after, {})[ident] = None
            self._of_namespace.setdefault(new.namespace, set()).add(new.template.labels)

    def classes(self, namespace: str) -> Iterable[Labels]:
        """Return the label sets that Pods of a namespace have."""
        return self._of_namespace.get(namespace, ())

    def all_classes(self) -> Iterable[tuple[str, Labels]]:
        """Return every class."""
        return self._ids.keys()

    def pods(self, namespace: str, labels: Labels) -> Iterable[str]:
        """Return the ids of the Pods of a class."""
        return self._ids.get((namespace, labels), _NONE)

    def matching(self, namespace: str, selector: LabelSelector | dict[str, str]) -> list[str]:
        """Return the ids of the Pods of a namespace that a selector selects, sorted."""
        wanted = selector if isinstance(selector, LabelSelector) else LabelSelector(match_labels=selector)
        found: list[str] = []
        for labels in self.classes(namespace):
            if wanted.matches(labels):
                found.extend(self._ids[namespace, labels])
        return sorted(found)


class ServicesBySelector:
    """Services by one pair of their selector, so that a Pod finds the Services that select it without asking each."""

    def __init__(self) -> None:
        self._selectors: dict[tuple[str, str, str], dict[str, dict[str, str]]] = {}

    def change(self, ident: str, old: Service | None, new: Service | None) -> None:
        """Follow one Service."""
        before, after = _first_pair(old), _first_pair(new)
        if before is not None and before != after:
            found = self._selectors[before]
            found.pop(ident, None)
            if not found:
                del self._selectors[before]
        if after is not None and new is not None and new.selector:
            self._selectors.setdefault(after, {})[ident] = new.selector

    def of(self, pod: Pod) -> list[str]:
        """Return the ids of the Services of the Pod's namespace whose selector selects it, sorted."""
        labels = pod.labels
        found = []
        for key, value in labels.items():
            for ident, selector in self._selectors.get((pod.namespace, key, value), _NOTHING).items():
                if all(labels.get(name) == wanted for name, wanted in selector.items()):
                    found.append(ident)
        return sorted(found)


_NOTHING: dict[str, dict[str, str]] = {}


def _first_pair(service: Service | None) -> tuple[str, str, str] | None:
    """Return the pair under which a Service is found: of its selector, the first one by name."""
    if service is None or not service.selector:
        return None
    key = min(service.selector)
    return service.namespace, key, service.selector[key]
