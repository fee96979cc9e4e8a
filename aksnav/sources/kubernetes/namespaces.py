"""Namespaces one by one, for a user who may not list them: a Role in a namespace can allow to get that namespace.

Their labels decide what namespaceSelectors and allowedRoutes match, so that even a single one is worth asking for.
"""

import threading
from collections.abc import Callable, Sequence
from http import HTTPStatus

from aksnav.model.change import Change, Reading, ReadingChanged, Removed, Upserted
from aksnav.model.decode import decode_object
from aksnav.model.kubernetes.workload import Namespace
from aksnav.model.object import Undecodable
from aksnav.sources.kubernetes.discovery import Resource
from aksnav.sources.kubernetes.errors import ApiError, ConfigError, LinkError
from aksnav.sources.kubernetes.pace import Pace, spread
from aksnav.sources.kubernetes.transport import Transport

PERIOD = 60.0


class NamespaceAsker:
    """Asks for a few namespaces by name, again and again."""

    def __init__(
        self, transport: Transport, resource: Resource, names: Sequence[str], emit: Callable[[Change], None], pace: Pace
    ) -> None:
        self._transport = transport
        self._resource = resource
        self._names = tuple(names)
        self._emit = emit
        self._pace = pace
        self._live: set[str] = set()
        self._ended = threading.Event()

    def run(self) -> None:
        """Ask once a minute until told to end."""
        while not self._ended.is_set():
            self.ask()
            if self._pace.rest(spread(PERIOD, self._pace)):
                return

    def end(self) -> None:
        """Come to an end; from any thread."""
        self._ended.set()

    def ask(self) -> None:
        """Ask for every one of them once."""
        for name in self._names:
            reading, reason = self._ask_one(name)
            if reading is Reading.LIVE:
                self._live.add(name)
            elif reading is Reading.FAILED and name in self._live:
                reading = Reading.STALE
            self._emit(ReadingChanged(Namespace.KIND, reading, name, reason, self._pace.now()))

    def _ask_one(self, name: str) -> tuple[Reading, str]:
        try:
            made = decode_object(self._resource.kind, self._transport.get(self._resource.item("", name)))
        except ApiError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                self._emit(Removed(Namespace.KIND, [name]))
                return Reading.LIVE, ""
            return (Reading.DENIED if error.denied else Reading.FAILED), f"get namespaces {name}: {error}"
        except (LinkError, ConfigError, Undecodable) as error:
            return Reading.FAILED, f"get namespaces {name}: {error}"
        self._emit(Upserted(Namespace.KIND, [made]))
        return Reading.LIVE, ""
