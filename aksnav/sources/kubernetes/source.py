"""The Kubernetes source: logs in, finds out which kinds are served, and has every one of them followed."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from aksnav.model.change import Change, ListEnded, Reading, ReadingChanged, SourceChanged
from aksnav.model.kinds import KINDS, KUBERNETES_KINDS
from aksnav.model.kubernetes.workload import Namespace
from aksnav.model.text import plain
from aksnav.sources.kubernetes.configmaps import ConfigMapAsker
from aksnav.sources.kubernetes.contexts import Login, log_in
from aksnav.sources.kubernetes.discovery import Resource, discover, server_version
from aksnav.sources.kubernetes.documents import documents
from aksnav.sources.kubernetes.errors import ApiError, ConfigError, LinkError, StoppedError
from aksnav.sources.kubernetes.follower import GIVE_UP_AFTER, Follower, Shared
from aksnav.sources.kubernetes.lister import Lister
from aksnav.sources.kubernetes.namespaces import NamespaceAsker
from aksnav.sources.kubernetes.pace import Pace, RealPace, delay, spread
from aksnav.sources.kubernetes.secrets import Name, SecretAsker, shown
from aksnav.sources.kubernetes.transport import METADATA_ONLY, Transport
from aksnav.sources.kubernetes.turns import Turns
from aksnav.sources.options import Options

NAME = "kubernetes"
LISTS_AT_ONCE = 4
REDISCOVERY_PERIOD = 300.0
CONFIG_PERIOD = 30.0
ENDS_WITHIN = 1.0
# What a first screen shows comes first; events, of which there are many and little depends on, come last.
ORDER = ("Service", "Pod", "Namespace", "Node", "Ingress", "Gateway", "HTTPRoute", "EndpointSlice", "NetworkPolicy")
SERVED_EVERYWHERE = tuple(Resource(kind, kind.versions[0]) for kind in KUBERNETES_KINDS)


class KubernetesSource:
    """Reads one cluster and says what it finds as changes.

    Attributes:
        name: the name under which it speaks of itself.
        fatal: why nothing could be read at all, empty as long as something could.
    """

    name = NAME

    def __init__(
        self, emit: Callable[[Change], None], options: Options, *, once: bool = False, pace: Pace | None = None
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            emit: takes every change, from several threads; it may block, which slows the reading down.
            options: context, kubeconfig, namespaces.
            once: read everything once and end, for headless commands.
            pace: clock, rest and chance; the real ones when left out.
        """
        self.fatal = ""
        self._take = emit
        self._options = options
        self._once = once
        self._stopped = threading.Event()
        self._pace: Pace = pace or RealPace(self._stopped)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._followers: dict[tuple[str, str], Follower] = {}
        self._transport: Transport | None = None
        self._shared: Shared | None = None
        self._secrets: SecretAsker | None = None
        self._configs: ConfigMapAsker | None = None
        self._namespaces: NamespaceAsker | None = None
        self._told: tuple[Name, ...] = ()
        self._facts: dict[str, str] = {}
        self._link: tuple[bool, str] | None = None
        self._link_lock = threading.Lock()
        self._narrowed: dict[str, set[str]] = {}

    def start(self) -> None:
        """Start to read, in threads of its own."""
        self._spawn(self._run, NAME)

    def stop(self) -> None:
        """Come to an end: every watch is cut, nothing is said any more, and connections are closed."""
        self._stopped.set()
        with self._lock:
            for follower in self._followers.values():
                follower.end()
            if self._secrets is not None:
                self._secrets.end()
            if self._configs is not None:
                self._configs.end()
            threads = list(self._threads)
        end = time.monotonic() + ENDS_WITHIN
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, end - time.monotonic()))
        if self._transport is not None:
            self._transport.close()

    def refresh(self) -> None:
        """Read everything again; what is known stays until the new lists are complete."""
        with self._lock:
            if self._shared is None:
                return
            before, self._followers = self._followers, {}
            for follower in before.values():
                follower.end()
            if self._namespaces is not None:
                self._namespaces.end()
        for follower in before.values():
            if not follower.scope:
                self._follow(follower.resource, "", follower)

    def wait(self, timeout: float) -> bool:
        """Wait until everything was read once (``once``); return whether it was.

        Args:
            timeout: seconds.
        """
        end = self._pace.ticks() + timeout
        while True:
            with self._lock:
                running = next((thread for thread in self._threads if thread.is_alive()), None)
            if running is None:
                break
            running.join(max(0.0, end - self._pace.ticks()))
            if running.is_alive():
                return False
        if self._once and self._secrets is not None and not self._stopped.is_set():
            self._secrets.ask()
        if self._once and self._configs is not None and not self._stopped.is_set():
            self._configs.ask()
        return True

    def ask_secrets(self, names: Iterable[Name]) -> None:
        """From now on ask for these Secrets (pairs of namespace and name) besides those that objects name."""
        self._told = tuple(names)
        if self._secrets is not None:
            self._secrets.tell(self._told)

    def get_raw(self, kind: str, ident: str) -> bytes:
        """Return one object as the server sends it, as JSON; of a Secret its metadata only.

        Args:
            kind: name of the kind.
            ident: ``namespace/name``, or ``name`` for a cluster-scoped object.

        Raises:
            LookupError: the kind is not served, or the source is not connected yet.
            ApiError: the server answered with an error.
            LinkError: it could not be reached.
        """
        shared = self._shared
        if shared is None:
            raise LookupError("not connected yet")
        known = KINDS[kind]
        namespace, _, name = ident.rpartition("/")
        if known.by_name:
            return shown(shared.transport.get(Resource(known, "v1").item(namespace, name), accept=METADATA_ONLY))
        with self._lock:
            resource = next((item.resource for (of, _), item in self._followers.items() if of == kind), None)
        if resource is None:
            raise LookupError(f"{known.plural} are not served by this cluster")
        return shared.transport.get(resource.item(namespace, name))

    def documents(self, kind: str, scope: str) -> Iterator[dict[str, Any]]:
        """Yield the objects of a kind in a scope (a namespace, or empty for all) as the server sends them.

        Raises:
            ApiError: the server answered with an error.
            LinkError: it could not be reached.
        """
        shared, follower = self._shared, self._followers.get((kind, scope))
        if shared is not None and follower is not None:
            yield from documents(shared.transport, follower.resource, scope)

    def link(self, up: bool, reason: str = "") -> None:
        """Note that the server answered, or that it could not be reached."""
        with self._link_lock:  # held while it is said, so that the last word is the last state
            if self._link == (up, reason):
                return
            back = up and self._link is not None and not self._link[0]
            self._link = (up, reason)
            self._say(Reading.LIVE if up else Reading.STALE, reason)
        if back:  # one kind found the server again: the others need not rest any longer
            self._pace.hurry()

    def denied(self, resource: Resource, scope: str) -> None:
        """Read a kind in the namespaces that may be readable, where it may not be read everywhere."""
        if scope or self._shared is None:
            return
        names = self._options.namespaces or self._shared.transport.login.namespaces
        if resource.kind.name == Namespace.KIND and names:
            self._ask_namespaces(self._shared, resource, names)
        for namespace in names if resource.kind.namespaced else ():
            with self._lock:
                known = (resource.kind.name, namespace) in self._followers
                self._narrowed.setdefault(resource.kind.name, set()).add(namespace)
            if not known:
                self._follow(resource, namespace)

    def _ask_namespaces(self, shared: Shared, resource: Resource, names: tuple[str, ...]) -> None:
        asker = NamespaceAsker(shared.transport, resource, names, self._emit, self._pace)
        with self._lock:
            before, self._namespaces = self._namespaces, asker
        if before is not None:
            before.end()
        self._spawn(asker.ask if self._once else asker.run, "named namespaces")

    def _run(self) -> None:
        transport = self._connect()
        served = self._discover(transport) if transport is not None else None
        if transport is None or served is None:
            return
        lister = Lister(transport, self._pace, Turns(LISTS_AT_ONCE))
        self._shared = Shared(transport, lister, self._pace, self._emit, self, self._once, self._options.list_mode)
        self._secrets = SecretAsker(transport, self._pace, self._emit)
        self._secrets.tell(self._told)
        self._configs = ConfigMapAsker(transport, self._pace, self._emit)
        self._follow_all(served)
        if not self._once:
            self._spawn(self._secrets.run, "secrets")
            self._spawn(self._configs.run, "configmaps")
            self._rediscover(transport)

    def _connect(self) -> Transport | None:
        """Log in, again and again where that fails (somebody may be logging in with the plugin just now)."""

        def ask() -> Login:
            return log_in(self._options.context, self._options.kubeconfig)

        while True:
            try:
                self._transport = Transport(ask, self._pace)
            except ConfigError as error:
                self._say(Reading.FAILED, str(error))
                self._unread(Reading.UNREAD, str(error))
                self.fatal = str(error)
            else:
                return self._transport
            if self._once or self._pace.rest(spread(CONFIG_PERIOD, self._pace)):
                return None

    def _discover(self, transport: Transport) -> tuple[Resource, ...] | None:
        """Find out what is served, again and again where that fails."""
        failures = 0
        while True:
            try:
                served = discover(transport)
            except ApiError as error:
                if error.denied:  # discovery itself is refused: every kind is asked for at its best version
                    served = SERVED_EVERYWHERE
                    self._note_facts(transport)
                    return served
                reason, at_least = f"discovery: {error}", error.retry_after
            except (LinkError, ConfigError) as error:
                reason, at_least = str(error), 0.0
            else:
                self._note_facts(transport)
                return served
            failures += 1
            self._say(Reading.FAILED, reason)
            self._unread(Reading.FAILED, reason)
            if self._once and failures >= GIVE_UP_AFTER:
                self.fatal = reason
                return None
            if self._pace.rest(delay(failures, self._pace, at_least)):
                return None

    def _note_facts(self, transport: Transport) -> None:
        try:
            version = server_version(transport)
        except (ApiError, LinkError, ConfigError):
            version = ""
        context = transport.login.context
        self._facts = {
            "context": plain(context.name),
            "server": plain(transport.host),
            "version": plain(version),
            "user": plain(context.user),
            "namespace": plain(context.namespace),
        }
        self.link(up=True)

    def _follow_all(self, served: tuple[Resource, ...]) -> None:
        by_kind = {resource.kind.name: resource for resource in served}
        for kind in KUBERNETES_KINDS:
            if kind.name not in by_kind and not kind.by_name:
                reading = Reading.ABSENT if kind.optional else Reading.FAILED
                group = f".{kind.group}" if kind.group else ""
                reason = f"{kind.plural}{group} is not served by this cluster"
                self._emit(ReadingChanged(kind.name, reading, "", reason, self._pace.now()))
        names = sorted(by_kind, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
        for name in names:
            if not by_kind[name].kind.by_name:
                self._follow(by_kind[name])

    def _rediscover(self, transport: Transport) -> None:
        """Look now and then for kinds that were installed since."""
        while not self._pace.rest(spread(REDISCOVERY_PERIOD, self._pace)):
            try:
                served = discover(transport)
            except (ApiError, LinkError, ConfigError):
                continue  # the followers say what is wrong with the connection
            for resource in served:
                with self._lock:
                    before = self._followers.get((resource.kind.name, ""))
                if not resource.kind.by_name and (before is None or before.ended):
                    self._follow(resource)

    def _follow(self, resource: Resource, scope: str = "", before: Follower | None = None) -> None:
        if self._shared is None:
            return
        follower = Follower(self._shared, resource, scope, before)
        with self._lock:
            if self._stopped.is_set():
                return
            self._followers[resource.kind.name, scope] = follower
        self._spawn(follower.run, f"{resource.kind.plural} {scope}".rstrip())

    def _spawn(self, body: Callable[[], None], name: str) -> None:
        def quietly() -> None:
            with suppress(StoppedError):
                try:
                    body()
                except StoppedError:
                    raise
                except Exception as error:  # noqa: BLE001 - a fault is said: a kind must not stay silent because of it
                    self._say(
                        Reading.FAILED, plain(f"reading {name} ended by a fault: {type(error).__name__}: {error}")
                    )

        thread = threading.Thread(target=quietly, name=name, daemon=True)
        with self._lock:
            self._threads = [known for known in self._threads if known.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _emit(self, change: Change) -> None:
        if self._stopped.is_set():
            raise StoppedError
        if self._secrets is not None:
            self._secrets.see(change)
        self._take(change)
        if isinstance(change, ListEnded) and not change.scope and change.kind in self._narrowed:
            self._widen(change.kind, change.at)

    def _widen(self, kind: str, at: float) -> None:
        """A kind may be read everywhere now: the namespaces in which it was read are no case of their own any more."""
        for namespace in self._narrowed.pop(kind, ()):
            with self._lock:
                follower = self._followers.pop((kind, namespace), None)
            if follower is not None:
                follower.end()
            self._take(ReadingChanged(kind, Reading.LIVE, namespace, "", at))

    def _say(self, reading: Reading, reason: str = "") -> None:
        self._emit(SourceChanged(NAME, reading, reason, dict(self._facts), self._pace.now()))

    def _unread(self, reading: Reading, reason: str) -> None:
        for kind in KUBERNETES_KINDS:
            self._emit(ReadingChanged(kind.name, reading, "", reason, self._pace.now()))
