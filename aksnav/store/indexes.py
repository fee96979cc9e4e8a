"""Indexes that follow a table: by a key, by several keys, and Pods by label class."""

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from aksnav.model.kubernetes.workload import Pod
from aksnav.model.labels import Labels, LabelSelector
from aksnav.store.table import Row

T = TypeVar("T", bound=Row)
K = TypeVar("K", bound=Hashable)

_NONE: frozenset[str] = frozenset()


class ManyIndex(Generic[T, K]):
    """Ids of rows by each of the keys that a row has."""

    def __init__(self, keys: Callable[[T], Iterable[K]]) -> None:
        self._keys = keys
        self._ids: dict[K, set[str]] = {}

    def change(self, old: T | None, new: T | None) -> None:
        """Follow one row."""
        before = set(self._keys(old)) if old is not None else set()
        after = set(self._keys(new)) if new is not None else set()
        if old is not None:
            for key in before - after:
                found = self._ids[key]
                found.discard(old.id)
                if not found:
                    del self._ids[key]
        if new is not None:
            for key in after - before:
                self._ids.setdefault(key, set()).add(new.id)

    def get(self, key: K) -> Iterable[str]:
        """Return the ids under a key, in no order."""
        return self._ids.get(key, _NONE)

    def keys(self) -> Iterable[K]:
        """Return every key that has a row."""
        return self._ids.keys()


class PodClasses:
    """Pods by class: a class is a namespace and a set of labels, and every Pod of a class matches the same selectors."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, Labels], set[str]] = {}
        self._of_namespace: dict[str, set[Labels]] = {}

    def change(self, old: Pod | None, new: Pod | None) -> None:
        """Follow one Pod."""
        before = (old.namespace, old.template.labels) if old is not None else None
        after = (new.namespace, new.template.labels) if new is not None else None
        if before == after:
            return
        if old is not None and before is not None:
            found = self._ids[before]
            found.discard(old.id)
            if not found:
                del self._ids[before]
                self._of_namespace[old.namespace].discard(old.template.labels)
        if new is not None and after is not None:
            self._ids.setdefault(after, set()).add(new.id)
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
