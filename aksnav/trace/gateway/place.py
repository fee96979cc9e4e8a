"""A listener of a Gateway as a place on the road, and what the controller says of it."""

import msgspec

from aksnav.model.kubernetes.gateway import Gateway, Listener
from aksnav.model.kubernetes.workload import Condition
from aksnav.trace.gateway.classes import find_condition, stale
from aksnav.trace.step import Evidence, Step


class Place(msgspec.Struct, frozen=True, gc=False):
    """A listener and its Gateway."""

    gateway: Gateway
    listener: Listener

    @property
    def field(self) -> str:
        """Path of the listener in its Gateway."""
        return f".spec.listeners[{self.gateway.listeners.index(self.listener)}]"

    @property
    def name(self) -> str:
        """The listener as people call it."""
        item = self.listener
        return f"Gateway {self.gateway.id} listener {item.name} ({item.protocol} {item.port} {item.hostname or '*'})"

    @property
    def said(self) -> tuple[Condition, ...]:
        """Every condition that the controller has for it."""
        listed = self.gateway.status.listeners
        return next((item.conditions for item in listed if item.name == self.listener.name), ())

    @property
    def old(self) -> bool:
        """Whether a condition speaks of an older generation of the Gateway (G14)."""
        return any(stale(self.gateway.generation, item) for item in self.said)

    def now(self, kind: str) -> Condition | None:
        """Return a condition of the present generation, or None."""
        found = find_condition(self.said, kind)
        return None if stale(self.gateway.generation, found) else found

    def fact(self, item: Condition) -> Evidence:
        """Return a condition as evidence."""
        field = f".status.listeners[?(@.name=='{self.listener.name}')].conditions[?(@.type=='{item.type}')].status"
        return Evidence(field, f"{item.status} ({item.reason})" if item.reason else item.status, self.gateway.ref)


class Choice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The listener that takes a packet, or None; its steps; whether the road ends; others that fit, best first."""

    place: Place | None
    steps: tuple[Step, ...]
    ended: bool = False
    others: tuple[Place, ...] = ()
