"""Every entry point of the cluster with its trace, kept right while the store changes, in short slices of work."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from aksnav.model.change import Change, Heartbeat, Removed, SourceChanged, Upserted
from aksnav.model.object import Ref
from aksnav.report.words import OUTCOME_RANK, flatten
from aksnav.store import Store
from aksnav.trace import trace
from aksnav.trace.entrypoints import entry_points
from aksnav.trace.request import Request
from aksnav.trace.routing_types import EntryPoint
from aksnav.trace.step import Branch, Certainty, Confidence, Kind, Outcome, Step, Trace, Verdict
from aksnav.trace.viewpoint import seen_from

# A change of these touches only traces that go through the object's namespace; of any other kind, every trace.
_LOCAL = frozenset({"Pod", "EndpointSlice", "NetworkPolicy", "CiliumNetworkPolicy", "Secret"})
_IRRELEVANT = frozenset({"Event"})
_SOURCES_OF_ENTRIES = ("Ingress", "IngressClass", "HTTPRoute", "Gateway", "GatewayClass", "Service", "virtualNetworks")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A request, and what becomes of it.

    Attributes:
        key: stable name of the entry.
        request: the question.
        via: the object through which it enters.
        trace: the answer; None while it was not evaluated yet.
        before: the outcome before the last change of it, in words; empty if it never changed.
        changed_at: when the outcome last changed, seconds since the epoch; 0 if it never did.
    """

    key: str
    request: Request
    via: Ref | None = None
    trace: Trace | None = None
    before: str = ""
    changed_at: float = 0.0

    @property
    def rank(self) -> int:
        """Sorts worst first; what was not evaluated yet stands behind what is undecided."""
        return 6 if self.trace is None else OUTCOME_RANK[self.trace.outcome]


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
        self._by_namespace: dict[str, set[str]] = {}
        self._namespaces: dict[str, frozenset[str]] = {}
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
        """Take note of what changed: the traces that may have read it have to be asked again."""
        for change in changes:
            if isinstance(change, SourceChanged | Heartbeat) or change.kind in _IRRELEVANT:
                continue
            if change.kind not in _LOCAL:
                self._dirty.update(dict.fromkeys(self.entries))
                continue
            for namespace in _namespaces_of(change):
                self._dirty.update(dict.fromkeys(self._by_namespace.get(namespace, ())))

    @property
    def pending(self) -> bool:
        """Whether some trace has to be asked again, or the entry points have to be listed again."""
        return bool(self._dirty) or self._seen != self._versions()

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
        while self._dirty:
            self._take(next(iter(self._dirty)), now, changed)
            if until():
                break
        return changed, gone

    def _take(self, key: str, now: float, changed: dict[str, Entry]) -> None:
        self._dirty.pop(key, None)
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
        self._index(key, frozenset(_touched(answer)))
        return after

    def _index(self, key: str, namespaces: frozenset[str]) -> None:
        before = self._namespaces.get(key, frozenset())
        for namespace in before - namespaces:
            self._by_namespace[namespace].discard(key)
        for namespace in namespaces - before:
            self._by_namespace.setdefault(namespace, set()).add(key)
        self._namespaces[key] = namespaces

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
            del self.entries[key]
            self._dirty.pop(key, None)
            self._index(key, frozenset())
        for key, point in listed.items():
            known = self.entries.get(key)
            request = seen_from(self._store, point)
            if known is None or known.request != request:
                changed[key] = self.entries[key] = Entry(key=key, request=request, via=point.via)
                self._dirty[key] = None
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
