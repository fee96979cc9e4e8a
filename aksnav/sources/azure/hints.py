"""What of the Kubernetes half tells where in Azure the cluster is, and what stands in front of it.

That is the server's name, the nodes' provider ids, and the annotations of Services and Gateways that name resources.
"""

import threading
from collections.abc import Callable, Iterable

from aksnav.model.change import (
    Change,
    ListEnded,
    ListStarted,
    Reading,
    ReadingChanged,
    Removed,
    SourceChanged,
    Upserted,
)
from aksnav.model.kubernetes.workload import Node
from aksnav.sources.azure.edges import Pointers, pointers_of

_POINTING = frozenset({"Service", "Gateway"})
_SETTLED = frozenset({Reading.DENIED, Reading.UNREAD, Reading.FAILED, Reading.ABSENT})


class HintCollector:
    """Watches the changes of the Kubernetes source and tells the Azure source what they say of the cluster's place."""

    def __init__(self, tell: Callable[[Iterable[str], str], None]) -> None:
        """Prepare.

        Args:
            tell: ``AzureSource.hints``; called when the nodes are listed, cannot be, or change.
        """
        self._tell = tell
        self._lock = threading.Lock()
        self._host = ""
        self._nodes: dict[str, str] = {}
        self._listing: set[str] | None = None
        self._settled = False

    def see(self, change: Change) -> None:
        """Take note of a change; it may be called from several threads."""
        if isinstance(change, SourceChanged):
            if change.source == "kubernetes":
                self._take_host(change)
            return
        if change.kind != "Node":
            return
        with self._lock:
            if not self._note(change):
                return
            self._settled = True
            self._tell(list(self._nodes.values()), self._host)  # inside: what is told last is what was seen last

    def _take_host(self, change: SourceChanged) -> None:
        with self._lock:
            host = change.facts.get("server", self._host)
            changed, self._host = host != self._host, host
            if self._settled and changed:
                self._tell(list(self._nodes.values()), host)

    def _note(self, change: Change) -> bool:
        """Keep what a change of the nodes says; return whether that is to be told."""
        match change:
            case Upserted():
                found = {node.id: node.provider_id for node in change.objects if isinstance(node, Node)}
                new = {k: v for k, v in found.items() if self._nodes.get(k) != v}
                self._nodes.update(new)
                if self._listing is not None:
                    self._listing |= found.keys()
                return bool(new) and self._settled and self._listing is None
            case Removed():
                for ident in change.ids:
                    self._nodes.pop(ident, None)
                return self._settled
            case ReadingChanged():
                return change.reading in _SETTLED
            case ListStarted():
                self._listing = set()
                return False
            case ListEnded():
                if self._listing is not None:
                    self._nodes = {ident: self._nodes[ident] for ident in self._listing if ident in self._nodes}
                self._listing = None
                return True
            case _:
                return False


class PointerCollector:
    """Watches Services and Gateways for what of Azure they name, and tells it once both are listed, and on a change."""

    def __init__(self, tell: Callable[[Pointers], None]) -> None:
        """Prepare.

        Args:
            tell: ``AzureSource.points``.
        """
        self._tell = tell
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Pointers] = {}
        self._settled: set[str] = set()
        self._told: Pointers | None = None

    def see(self, change: Change) -> None:
        """Take note of a change; it may be called from several threads."""
        if isinstance(change, SourceChanged) or change.kind not in _POINTING:
            return
        with self._lock:
            self._note(change)
            if self._settled != _POINTING:
                return
            found = Pointers()
            for item in self._known.values():
                found |= item
            if found == self._told:
                return
            self._told = found
            self._tell(found)

    def _note(self, change: Change) -> None:
        match change:
            case Upserted():
                for item in change.objects:
                    pointers, key = pointers_of(item), (change.kind, item.id)
                    if pointers != Pointers():
                        self._known[key] = pointers
                    else:
                        self._known.pop(key, None)
            case Removed():
                for ident in change.ids:
                    self._known.pop((change.kind, ident), None)
            case ListEnded():
                self._settled.add(change.kind)
            case ReadingChanged() if change.reading in _SETTLED:
                self._settled.add(change.kind)
            case _:
                pass
