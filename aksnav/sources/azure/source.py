"""The Azure source: finds the managed cluster and reads the network around it, again and again."""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from aksnav.model.change import Change, Reading, SourceChanged
from aksnav.model.kinds import AZURE_KINDS, KINDS
from aksnav.model.object import Ref
from aksnav.model.text import plain
from aksnav.sources.azure.arm_ids import group_of, name_of
from aksnav.sources.azure.edges import Pointers
from aksnav.sources.azure.errors import ArmError, CredentialError, ThrottledError, Where
from aksnav.sources.azure.find import Found, Hints, find
from aksnav.sources.azure.kept import Kept
from aksnav.sources.azure.raw import ask_for
from aksnav.sources.azure.reads import Reader
from aksnav.sources.azure.tell import Teller
from aksnav.sources.azure.transport import Arm
from aksnav.sources.azure.zones import ZONE_KINDS, ZONES_VERSION
from aksnav.sources.errors import SourceError
from aksnav.sources.kubernetes.errors import StoppedError
from aksnav.sources.kubernetes.pace import Pace, RealPace, spread
from aksnav.sources.options import Options

NAME = "azure"
PERIOD = 60.0
SHORTEST_WAIT = 1.0
LONGEST_WAIT = 10.0
"""Seconds that a round waits where Azure asks for it (429); for longer ones the round ends."""
MOST_WAITS = 6
LONGEST_REASON = 300
ENDS_WITHIN = 1.0
POINTED_WITHIN = 20.0
"""Seconds that the first round waits for what Services name, once the nodes have said where the cluster is."""


class AzureSource:
    """Reads what Azure Resource Manager knows of one cluster and says what it finds as changes.

    Attributes:
        name: the name under which it speaks of itself.
        fatal: why nothing could be read at all, empty as long as something could.
    """

    name = NAME

    def __init__(
        self,
        emit: Callable[[Change], None],
        options: Options,
        *,
        once: bool = False,
        pace: Pace | None = None,
        arm: Arm | None = None,
        pointed: bool = False,
    ) -> None:
        """Prepare; nothing of Azure is imported and nothing is read yet.

        Args:
            emit: takes every change, from a thread of this source; it may block.
            options: the cluster's ARM id; context and kubeconfig, for the server's name.
            once: read everything once and end, for headless commands.
            pace: clock, rest and chance; the real ones when left out.
            arm: reads from Azure Resource Manager; as the environment says when left out.
            pointed: somebody will say what Services and Gateways point to (``points``).
        """
        self.fatal = ""
        self._take = emit
        self._options = options
        self._once = once
        self._stopped = threading.Event()
        self._wake = threading.Event()
        self._hinted = threading.Event()
        self._pointed = threading.Event()
        if not pointed:
            self._pointed.set()
        self._pace: Pace = pace or RealPace(self._wake)
        self._arm = arm or Arm()
        self._hints = Hints()
        self._hinting = threading.Lock()  # nodes, and what points to Azure, are told from several threads
        self._kept = Kept(self._pace.now)
        self._again = False
        self._teller = Teller(self._emit, self._pace.now)
        self._found: Found | None = None
        self._facts: dict[str, str] = {}
        self._not_before = 0.0
        self._due = 0.0
        self._ready = False
        self._thread = threading.Thread(target=self._run, name=NAME, daemon=True)

    def start(self) -> None:
        """Start to read, in a thread of its own; without ``--cluster`` it begins with the first hints."""
        self._thread.start()

    def stop(self) -> None:
        """Come to an end: nothing is said any more, and connections are closed."""
        self._stopped.set()
        self._wake.set()
        self._hinted.set()
        self._pointed.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(ENDS_WITHIN)
        self._arm.close()

    def refresh(self) -> None:
        """Read everything again now, or as soon as Azure allows it; nothing of former rounds is kept."""
        self._again = True
        self._wake.set()

    def hints(self, provider_ids: Iterable[str], server_host: str) -> None:
        """Take what the Kubernetes half knows of where the cluster is; where that changes, everything is read again.

        Args:
            provider_ids: ``spec.providerID`` of the nodes, empty where nodes cannot be read.
            server_host: host name of the API server, with or without a port; empty where it is not known.
        """
        host = server_host.rpartition("@")[2].partition(":")[0]
        ids = tuple(sorted(set(provider_ids) - {""}))
        with self._hinting:
            before = self._hints
            self._hints = hints = Hints(ids, host, before.pointers)
        again = (before.node_groups, before.scale_sets, before.server_host) != (
            hints.node_groups,
            hints.scale_sets,
            hints.server_host,
        )
        if again and self._hinted.is_set():
            self._wake.set()
        self._hinted.set()

    def points(self, pointers: Pointers) -> None:
        """Take what Services and Gateways point to; where that changes later, everything is read again."""
        with self._hinting:
            again = self._pointed.is_set() and pointers != self._hints.pointers
            self._hints = msgspec.structs.replace(self._hints, pointers=pointers)
        self._pointed.set()
        if again:
            self._wake.set()

    def wait(self, timeout: float) -> bool:
        """Wait until everything was read once (``once``); return whether it was.

        Args:
            timeout: seconds.
        """
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def read_once(self) -> None:
        """Read everything once, in this thread, with the hints that came before."""
        with suppress(StoppedError):
            self._round()

    def get_raw(self, kind: str, ident: str) -> bytes:
        """Return one object as Azure sends it now, as JSON.

        Args:
            kind: name of the kind.
            ident: its ARM id.

        Raises:
            LookupError: it is not the id of such an object.
            ArmError, CredentialError, UnreachableError: it could not be read.
        """
        known = KINDS[kind]
        where = Where(f"{known.group}/{known.plural}/read", ident)
        group = group_of(ident)
        if group is None:
            raise LookupError(f"{plain(ident)} is not the id of an Azure resource")
        if kind in ZONE_KINDS:
            return msgspec.json.encode(self._arm.get(where, ident, ZONES_VERSION)[0])
        return msgspec.json.encode(self._arm.one(where, lambda: ask_for(self._arm, Ref(kind, ident), group)))

    def _run(self) -> None:
        with suppress(StoppedError):
            self._say(Reading.PENDING, "waiting for what the nodes say of where they are")
            if not self._options.cluster:
                self._hinted.wait()
                self._pointed.wait(POINTED_WITHIN)
            while True:
                self._wake.clear()
                self._round()
                if self._once or self._rest():
                    return

    def _rest(self) -> bool:
        """Wait for the next round, which a refresh brings forward; return whether it is time to stop."""
        self._pace.rest(self._due - self._pace.now())
        self._hold(self._not_before)
        return self._stopped.is_set()

    def _hold(self, until: float) -> None:
        """Wait for as long as Azure asked for; what is asked meanwhile is done at once when that is over."""
        woken = False
        while (left := until - self._pace.now()) > 0:
            woken |= self._wake.is_set()
            self._wake.clear()
            if self._stopped.is_set():
                return
            self._pace.rest(left)
        if woken:
            self._wake.set()

    def _round(self) -> None:
        """Read everything, and say how it went."""
        started, calls = self._pace.ticks(), self._arm.calls
        try:
            found, notes = self._read()
        except StoppedError:
            raise
        except SourceError as error:
            self._plan()
            self._give_up(Reading.UNREAD if isinstance(error, CredentialError) else Reading.FAILED, str(error))
            return
        except Exception as error:  # noqa: BLE001 - the Kubernetes half goes on, whatever breaks in this one
            self._plan()
            self._give_up(Reading.FAILED, plain(f"{type(error).__name__}: {error}", LONGEST_REASON))
            return
        self._plan()
        self._note(found, notes)
        self._note_round(started, calls)
        self._say(*self._state(found))

    def _read(self) -> tuple[Found, list[str]]:
        """Read everything, and return the cluster and what could not be read besides.

        Raises:
            CredentialError, UnreachableError, ThrottledError: it ended early.
        """
        everything, self._again = self._again, False
        self._kept.begin(everything=everything)
        self._teller.begin()
        before = self._found
        found: Found = self._patiently(lambda: find(self._arm, self._options.cluster, self._where_from(), before))
        self._found = found if found.cluster is not None else None
        reader = Reader(self._arm, found, self._hints, self._kept, self._patiently)
        for read in reader.reads():
            self._teller.tell(read)
        self._teller.end()
        return found, reader.notes

    def _plan(self) -> None:
        """Say when to read again."""
        self._due = max(self._pace.now() + spread(PERIOD, self._pace), self._not_before)

    def _where_from(self) -> Hints:
        """Return the hints, with the server's name from the kubeconfig where the cluster could not be reached."""
        if self._hints.server_host or self._options.cluster:
            return self._hints
        from aksnav.sources.kubernetes.contexts import choose_context

        try:
            host = choose_context(self._options.context, self._options.kubeconfig).host
        except SourceError:
            return self._hints
        return msgspec.structs.replace(self._hints, server_host=host)

    def _patiently(self, call: Callable[[], Any]) -> Any:
        """Make a call, again after a pause where Azure asks for a short one.

        Raises:
            ThrottledError: Azure asks to wait for long, or again and again.
        """
        waits = 0
        while True:
            self._check()
            try:
                return call()
            except ArmError as error:
                if not error.throttled:
                    raise
                pause = max(error.retry_after, SHORTEST_WAIT)
                self._not_before = self._pace.now() + pause
                if pause > LONGEST_WAIT or waits == MOST_WAITS:
                    raise ThrottledError(str(error)) from error
                waits += 1
                self._say(Reading.STALE if self._ready else Reading.PENDING, str(error))
                self._hold(self._not_before)

    def _give_up(self, reading: Reading, reason: str) -> None:
        """Say that a round ended early."""
        self._teller.give_up(reading, reason)
        if not self._ready:
            self.fatal = reason
        self._say(Reading.STALE if self._ready else reading, reason)

    def _note(self, found: Found, notes: list[str]) -> None:
        group = found.node_group or group_of(found.cluster_id)
        cluster = found.cluster or {}
        self._facts = {
            "subscription": plain(group.subscription) if group is not None else "",
            "cluster": plain(name_of(found.cluster_id)),
            "clusterId": plain(found.cluster_id),
            "nodeResourceGroup": plain(found.node_group.name) if found.node_group is not None else "",
            "location": plain(str(cluster.get("location") or "")),
            "foundBy": found.how,
        }
        if notes:
            self._facts["notRead"] = "; ".join(notes)

    def _note_round(self, started: float, calls: int) -> None:
        self._facts["duration"] = f"{self._pace.ticks() - started:.1f} s"
        self._facts["callsOfRefresh"] = str(self._arm.calls - calls)

    def _state(self, found: Found) -> tuple[Reading, str]:
        """Return the state of the source after a whole round, with what is not readable."""
        self._ready = self._teller.known
        self.fatal = "" if self._ready else found.error
        readings = self._teller.readings()
        missing = [kind.name for kind in AZURE_KINDS if readings[kind.name] is not Reading.LIVE]
        if not missing:
            return Reading.LIVE, found.warning
        reasons = [text for text in (found.warning, found.error, f"not readable: {', '.join(missing)}") if text]
        if self._ready:
            return Reading.LIVE, "; ".join(reasons)
        denied = Reading.DENIED in readings.values()
        return (Reading.DENIED if denied else Reading.FAILED), "; ".join(reasons)

    def _say(self, reading: Reading, reason: str = "") -> None:
        facts = {**self._facts, "calls": str(self._arm.calls)}
        if self._arm.reads_left is not None:
            facts["readsLeft"] = str(self._arm.reads_left)
        if not self._once and self._due:
            facts["next"] = datetime.fromtimestamp(self._due, UTC).strftime("%H:%M:%S UTC")
        self._emit(SourceChanged(NAME, reading, reason, {k: v for k, v in facts.items() if v}, self._pace.now()))

    def _check(self) -> None:
        if self._stopped.is_set():
            raise StoppedError

    def _emit(self, change: Change) -> None:
        self._check()
        self._take(change)
