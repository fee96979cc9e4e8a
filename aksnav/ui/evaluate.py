"""Every entry point of the cluster with its trace, kept right while the store changes, in short slices of work."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec

from aksnav.model.change import Change, Heartbeat, Removed, SourceChanged, Upserted
from aksnav.model.kubernetes.gateway import ROUTE_KINDS
from aksnav.model.object import Ref
from aksnav.report.words import flatten
from aksnav.store import Store
from aksnav.trace import trace
from aksnav.trace.request import Request
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.routing.linked import READS as LINKED
from aksnav.trace.routing.types import EntryPoint
from aksnav.trace.routing.viewpoint import seen_from
from aksnav.trace.step import Branch, Certainty, Confidence, Kind, Outcome, Step, Trace, Verdict
from aksnav.ui.entry import Entry
from aksnav.ui.links import road_of

T = TypeVar("T")

# A change of these touches only traces that go through the object's namespace; of any other kind, every trace.
_LOCAL = frozenset({"Pod", "EndpointSlice", "NetworkPolicy", "CiliumNetworkPolicy", "Secret"})
_IRRELEVANT = frozenset({"Event"})
_SOURCES_OF_ENTRIES = (
    "Ingress",
    "IngressClass",
    *ROUTE_KINDS,
    "Gateway",
    "GatewayClass",
    "Service",
    "virtualNetworks",
    *LINKED,
)


class Evaluator:
    """Keeps the traces of all entry points, and of what the user asked, current.

    Attributes:
        entries: every entry by key.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.entries: dict[str, Entry] = {}
        self._asked: dict[str, Entry] = {}
        self._dirty: dict[str, None] = {}
        self._unasked: dict[str, None] = {}
        self._noted: dict[str, int] = {}
        self._by_namespace: dict[str, set[str]] = {}
        self._namespaces: dict[str, frozenset[str]] = {}
        self._by_object: dict[Ref, set[str]] = {}
        self._objects: dict[str, frozenset[Ref]] = {}
        self._seen = (-1,) * len(_SOURCES_OF_ENTRIES)

    def ask(self, request: Request) -> Entry:
        """Follow a request of the user's from now on, and answer it at once."""
        source = request.source
        key = f"asked {source.origin} {source.id} {source.address} {request.text} {request.address}"
        entry = Entry(key=key, request=request)
        self._asked[key] = entry
        self.entries[key] = entry
        return self._evaluate(key, 0.0)

    def note(self, changes: Iterable[Change]) -> None:
        """Take note of what changed, after it was applied: the traces that may have read it have to be asked again."""
        spaces: set[str] = set()
        for kind, batch in self._news(changes).items():
            if kind not in _LOCAL:
                self._dirty.update(dict.fromkeys(self.entries))
                return
            spaces.update(namespace for change in batch for namespace in _namespaces_of(change))
        for namespace in spaces:
            self._dirty.update(dict.fromkeys(self._by_namespace.get(namespace, ())))

    def _news(self, changes: Iterable[Change]) -> dict[str, list[Change]]:
        """Return changes by kind, without the kinds whose tables are as they were (a heartbeat, a node's lease)."""
        by_kind: dict[str, list[Change]] = {}
        for change in changes:
            if not isinstance(change, SourceChanged | Heartbeat) and change.kind not in _IRRELEVANT:
                by_kind.setdefault(change.kind, []).append(change)
        for kind in list(by_kind):
            version = self._store.tables[kind].version
            if self._noted.get(kind) == version:
                del by_kind[kind]
            self._noted[kind] = version
        return by_kind

    def passing(self, refs: Iterable[Ref]) -> set[str]:
        """Return the keys of the entry points whose road passes through one of these objects."""
        return {key for ref in refs for key in self._by_object.get(ref, ())}

    @property
    def pending(self) -> bool:
        """Whether some trace has to be asked again, or the entry points have to be listed again."""
        return bool(self._dirty) or self._seen != self._versions()

    @property
    def unasked(self) -> bool:
        """Whether some trace was never asked: those come first."""
        return bool(self._unasked)

    def work(self, until: Callable[[], bool], now: float, first: str = "") -> tuple[dict[str, Entry], set[str]]:
        """Ask again as many traces as time allows, at least one.

        Args:
            until: says when the time is over.
            now: seconds since the epoch.
            first: key of the entry that is looked at: it comes first.

        Returns:
            The entries that changed, and the keys of those that are gone.
        """
        changed: dict[str, Entry] = {}
        gone = self._list_again(changed)
        if first in self._dirty:
            self._take(first, now, changed)
            if until():
                return changed, gone
        while self._dirty:
            self._take(next(iter(self._unasked or self._dirty)), now, changed)
            if until():
                break
        return changed, gone

    def _take(self, key: str, now: float, changed: dict[str, Entry]) -> None:
        self._dirty.pop(key, None)
        self._unasked.pop(key, None)
        before = self.entries.get(key)
        if before is None:
            return
        after = self._evaluate(key, now)
        if after != before:
            changed[key] = after

    def _evaluate(self, key: str, now: float) -> Entry:
        entry = self.entries[key]
        answer = _answer(self._store, entry.request)
        self._dirty.pop(key, None)
        old = entry.trace
        if old == answer:
            return entry
        turned = old is not None and (old.outcome, old.status) != (answer.outcome, answer.status)
        after = msgspec.structs.replace(
            entry,
            trace=answer,
            before=f"{old.outcome} {old.status or ''}".strip() if turned and old is not None else entry.before,
            changed_at=now if turned else entry.changed_at,
        )
        self.entries[key] = after
        if key in self._asked:
            self._asked[key] = after
        self._index(after)
        return after

    def _index(self, entry: Entry) -> None:
        namespaces = frozenset() if entry.trace is None else frozenset(_touched(entry.trace))
        _move(self._by_namespace, entry.key, self._namespaces.pop(entry.key, frozenset()), namespaces)
        objects = road_of(entry)
        _move(self._by_object, entry.key, self._objects.pop(entry.key, frozenset()), objects)
        self._namespaces[entry.key], self._objects[entry.key] = namespaces, objects

    def _forget(self, key: str) -> None:
        del self.entries[key]
        self._dirty.pop(key, None)
        self._unasked.pop(key, None)
        _move(self._by_namespace, key, self._namespaces.pop(key, frozenset()), frozenset())
        _move(self._by_object, key, self._objects.pop(key, frozenset()), frozenset())

    def _versions(self) -> tuple[int, ...]:
        return tuple(self._store.tables[kind].version for kind in _SOURCES_OF_ENTRIES)

    def _list_again(self, changed: dict[str, Entry]) -> set[str]:
        versions = self._versions()
        if versions == self._seen:
            return set()
        self._seen = versions
        listed = {_key(point): point for point in entry_points(self._store)}
        gone = {key for key in self.entries if key not in listed and key not in self._asked}
        for key in gone:
            self._forget(key)
        for key, point in listed.items():
            known = self.entries.get(key)
            request = seen_from(self._store, point)
            if known is None or known.request != request:
                changed[key] = self.entries[key] = Entry(key=key, request=request, via=point.via)
                self._index(changed[key])
                self._dirty[key] = self._unasked[key] = None
        return gone


def _answer(store: Store, request: Request) -> Trace:
    """Return the trace; a fault of our own in one must not take the explorer down, and is never a pass."""
    try:
        return trace(store, request)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault of this program
        why = f"a fault of aksnav itself: {type(error).__name__}: {error}"
        step = Step(kind=Kind.DELIVER, verdict=Verdict.UNSUPPORTED, summary=why, missing=why)
        return Trace(
            request=request,
            steps=(step,),
            outcome=Outcome.UNDECIDED,
            confidence=Confidence(Certainty.PARTIAL, (why,)),
            breaks=(step,),
        )


def _move(index: dict[T, set[str]], key: str, before: frozenset[T], after: frozenset[T]) -> None:
    for item in before - after:
        found = index[item]
        found.discard(key)
        if not found:
            del index[item]
    for item in after - before:
        index.setdefault(item, set()).add(key)


def _key(point: EntryPoint) -> str:
    return f"{point.via} {point.field} {point.text}"


def _namespaces_of(change: Change) -> Iterator[str]:
    if isinstance(change, Upserted):
        yield from {item.id.rpartition("/")[0] for item in change.objects}
    elif isinstance(change, Removed):
        yield from {ident.rpartition("/")[0] for ident in change.ids}
    elif not isinstance(change, SourceChanged):
        yield getattr(change, "scope", "")


def _touched(answer: Trace) -> Iterator[str]:
    """Yield the namespaces of everything that a trace speaks of, and "" for what is said of a whole kind."""
    yield ""
    for backend in answer.backends:
        yield backend.namespace
    for _, item in flatten(answer.steps):
        if isinstance(item, Branch):
            continue
        yield from _refs(item)


def _refs(step: Step) -> Iterator[str]:
    if step.subject is not None:
        yield step.subject.namespace
    for fact in step.evidence:
        if fact.subject is not None:
            yield fact.subject.namespace
