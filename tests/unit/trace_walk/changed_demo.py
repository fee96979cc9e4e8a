"""The demo's healthy cluster, of which a test changes one thing before it asks."""

import copy
from typing import Any

import msgspec

from aksnav.model.change import (
    Change,
    ListEnded,
    ListStarted,
    Reading,
    ReadingChanged,
    SourceChanged,
    UndecodableFound,
    Upserted,
)
from aksnav.model.decode import decode_object
from aksnav.model.kinds import KINDS
from aksnav.sources import demo
from aksnav.sources.demo.world import ident
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Trace

Json = dict[str, Any]


class ChangedDemo:
    """Objects in wire form by kind and id, and what is said of how they can be read.

    Attributes:
        objects: the wire form, to be changed at will.
    """

    def __init__(self, scenario: str = "healthy") -> None:
        self.objects: dict[str, dict[str, Json]] = {
            kind: {ident(wire): copy.deepcopy(wire) for wire in listed} for kind, listed in demo.wire(scenario).items()
        }
        self._said: list[Change] = []

    def get(self, kind: str, name: str) -> Json:
        """Return the one object whose id ends with a name."""
        (found,) = [wire for key, wire in self.objects[kind].items() if key == name or key.endswith(f"/{name}")]
        return found

    def put(self, kind: str, wire: Json) -> None:
        """Add or replace an object."""
        self.objects[kind][ident(wire)] = wire

    def pods(self, namespace: str, name: str) -> list[Json]:
        """Return the Pods of a workload."""
        return [wire for key, wire in self.objects["Pod"].items() if key.startswith(f"{namespace}/{name}-")]

    def lose(self, kind: str, reading: Reading) -> None:
        """Let a kind be read no longer: what is stale stays, what is refused is not known."""
        if reading is not Reading.STALE:
            self.objects[kind] = {}
        self._said.append(ReadingChanged(kind, reading, reason="forbidden"))

    def spoil(self, kind: str, name: str) -> None:
        """Let an object be there that cannot be decoded."""
        self.objects[kind].pop(name)
        self._said.append(UndecodableFound(kind, name, "spec: not a map"))

    def store(self) -> Store:
        """Return a store with all of it."""
        made = Store()
        made.apply(SourceChanged("kubernetes", Reading.LIVE))
        for name, kind in KINDS.items():
            listed = [decode_object(kind, msgspec.json.encode(wire)) for wire in self.objects.get(name, {}).values()]
            made.apply(ListStarted(name))
            made.apply(Upserted(name, listed))
            made.apply(ListEnded(name, at=1.0))
        for change in self._said:
            made.apply(change)
        return made

    def ask(self, target: str, source: str = "internet", resolve: str = "") -> Trace:
        """Return the trace of a request."""
        return trace(self.store(), parse_request(target, source, resolve))
