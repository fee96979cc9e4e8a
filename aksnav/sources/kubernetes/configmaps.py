"""The few ConfigMaps of kube-system that are read, each by its name: nobody needs a right to list them."""

import threading
from collections.abc import Callable
from http import HTTPStatus

import msgspec

from aksnav.model.change import Change, ListEnded, ListStarted, Reading, ReadingChanged, Upserted
from aksnav.model.decode import decode_object
from aksnav.model.kinds import KINDS, AnyObject
from aksnav.model.kubernetes.configmap import NAMESPACE, WANTED, ConfigMap
from aksnav.model.object import Undecodable
from aksnav.sources.kubernetes.errors import ApiError, ConfigError, LinkError, StoppedError
from aksnav.sources.kubernetes.pace import Pace, spread
from aksnav.sources.kubernetes.transport import Transport, segment

PERIOD = 60.0


class ConfigMapAsker:
    """Asks for the wanted ConfigMaps, once a minute."""

    def __init__(self, transport: Transport, pace: Pace, emit: Callable[[Change], None]) -> None:
        self._transport = transport
        self._pace = pace
        self._emit = emit
        self._ended = threading.Event()
        self._known = False

    def run(self) -> None:
        """Ask again and again, until told to end."""
        while not self._ended.is_set():
            try:
                self.ask()
            except StoppedError:
                return
            if self._pace.rest(spread(PERIOD, self._pace)):
                return

    def end(self) -> None:
        """Come to an end; from any thread."""
        self._ended.set()

    def ask(self) -> None:
        """Ask for each of them once; one that does not exist is known not to."""
        found: list[AnyObject] = []
        for name in WANTED:
            path = f"/api/v1/namespaces/{segment(NAMESPACE)}/configmaps/{segment(name)}"
            try:
                found.append(decode_object(KINDS[ConfigMap.KIND], self._transport.get(path)))
            except ApiError as error:
                if error.code != HTTPStatus.NOT_FOUND:
                    self._unread(Reading.DENIED if error.denied else Reading.FAILED, name, str(error))
                    return
            except (LinkError, ConfigError, Undecodable, msgspec.MsgspecError) as error:
                self._unread(Reading.FAILED, name, str(error))
                return
        self._known = True
        self._emit(ListStarted(ConfigMap.KIND, NAMESPACE))
        if found:
            self._emit(Upserted(ConfigMap.KIND, found))
        self._emit(ListEnded(ConfigMap.KIND, NAMESPACE, self._pace.now()))

    def _unread(self, reading: Reading, name: str, why: str) -> None:
        said = Reading.STALE if self._known else reading
        reason = f"get configmaps {name} in namespace {NAMESPACE}: {why}"
        self._emit(ReadingChanged(ConfigMap.KIND, said, NAMESPACE, reason, self._pace.now()))
