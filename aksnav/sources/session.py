"""The sources of one session, whichever the options ask for, behind one face."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from aksnav.model.change import Change, Reading, ReadingChanged, SourceChanged
from aksnav.model.confirmation import Question, Reply
from aksnav.model.kinds import AZURE_KINDS, KINDS
from aksnav.model.object import Ref
from aksnav.sources.errors import SourceError
from aksnav.sources.options import Options

if TYPE_CHECKING:
    from aksnav.sources.azure.source import AzureSource

Emit = Callable[[Change], None]
Document = tuple[str, dict[str, Any]]


class Source(Protocol):
    """Something that reads and says what it finds."""

    @property
    def name(self) -> str:
        """kubernetes, azure, capture or demo."""

    @property
    def fatal(self) -> str:
        """Why nothing could be read at all, empty as long as something could."""

    def start(self) -> None:
        """Start to read, in threads of its own."""

    def stop(self) -> None:
        """Come to an end."""

    def refresh(self) -> None:
        """Read everything again."""

    def wait(self, timeout: float) -> bool:
        """Wait, seconds at the most, until everything was read once; return whether it was."""

    def get_raw(self, kind: str, ident: str) -> bytes:
        """Return one object as JSON in wire form."""


class Replay:
    """A source whose first load, and what happens later, are known beforehand: the demo and a capture."""

    def __init__(
        self,
        name: str,
        emit: Emit,
        load: Callable[[], Iterable[Change]],
        later: Callable[[], Iterator[tuple[float, list[Change]]]] | None = None,
        raw: Callable[[str, str], bytes | None] = lambda _kind, _ident: None,
        documents: Callable[[], Iterable[Document]] = tuple,
    ) -> None:
        """Prepare.

        Args:
            name: demo or capture.
            emit: takes the changes.
            load: returns the first load.
            later: returns what happens then: seconds since the start, and changes.
            raw: returns one object in wire form by kind and id.
            documents: returns every object in wire form with its kind.
        """
        self.name = name
        self.fatal = ""
        self._emit = emit
        self._load = load
        self._later = later
        self._raw = raw
        self.documents = documents
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start to tell."""
        self._thread.start()

    def stop(self) -> None:
        """Come to an end."""
        self._stopped.set()

    def refresh(self) -> None:
        """Tell the first load again where nothing happens later (a capture that was written anew)."""
        if self._later is None:
            threading.Thread(target=self._tell, name=self.name, daemon=True).start()

    def wait(self, timeout: float) -> bool:
        """Wait until the first load was told."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def get_raw(self, kind: str, ident: str) -> bytes:
        """Return one object as JSON in wire form.

        Raises:
            LookupError: there is none.
        """
        found = self._raw(kind, ident)
        if found is None:
            raise LookupError(f"{KINDS[kind].name} {ident} is not in the {self.name}")
        return found

    def _run(self) -> None:
        started = time.monotonic()
        self._tell()
        for at, changes in self._later() if self._later else ():
            if self._stopped.wait(max(0.0, started + at - time.monotonic())):
                return
            for change in changes:
                self._emit(change)

    def _tell(self) -> None:
        try:
            for change in self._load():
                self._emit(change)
        except (SourceError, LookupError) as error:
            self.fatal = str(error)
            self._emit(SourceChanged(self.name, Reading.FAILED, self.fatal, {}, time.time()))


class Session:
    """The sources that some options ask for."""

    def __init__(self, options: Options, emit: Emit, *, once: bool = False) -> None:
        """Make the sources; nothing is read yet.

        Args:
            options: what to read.
            emit: takes every change, from several threads; it may block.
            once: read everything once and end.

        Raises:
            SourceError: the options cannot be followed.
        """
        self._emit = emit
        self._sources: list[Source] = []
        if options.demo is not None:
            self._sources.append(_demo(options.demo, emit, once=once))
        elif options.capture is not None:
            self._sources.append(_capture(options.capture, options.assume_none, emit))
        else:
            azure = _azure(options, emit, once=once)
            self._sources.append(_kubernetes(options, emit if azure is None else _hinting(emit, azure), once=once))
            if azure is not None:
                self._sources.append(azure)

    def start(self) -> None:
        """Start every source."""
        for source in self._sources:
            source.start()

    def stop(self) -> None:
        """Stop every source."""
        for source in self._sources:
            source.stop()

    def refresh(self) -> None:
        """Read everything again."""
        for source in self._sources:
            source.refresh()

    def wait(self, timeout: float) -> list[str]:
        """Wait until every source has read everything once.

        Args:
            timeout: seconds, for all of them together.

        Returns:
            The names of the sources that have not.
        """
        end = time.monotonic() + timeout
        return [source.name for source in self._sources if not source.wait(max(0.0, end - time.monotonic()))]

    def fatal(self) -> str:
        """Return why nothing could be read at all, empty as long as something could (Azure may be missing)."""
        return next((source.fatal for source in self._sources if source.name != "azure"), "")

    def get_raw(self, ref: Ref) -> bytes:
        """Return one object as JSON in wire form.

        Raises:
            LookupError: no source has it.
            SourceError: it could not be read; the message is one line.
        """
        name = "azure" if KINDS[ref.kind].azure else "kubernetes"
        for source in self._sources:
            if source.name in {name, "demo", "capture"}:
                return source.get_raw(ref.kind, ref.id)
        raise LookupError(f"{name} is not read in this session")

    def confirm(self, question: Question) -> Reply:
        """Return what the living network says to a question that a user asked; whatever stands in the way is in it.

        Raises:
            LookupError: what is read here is not alive.
        """
        from aksnav.sources.confirm import ask

        dead = next((source.name for source in self._sources if isinstance(source, Replay)), "")
        if dead:
            raise LookupError(f"the {dead} is not a living network: there is nobody to ask")
        return ask(question, azure=any(source.name == "azure" for source in self._sources))

    def documents(self, live: Iterable[tuple[str, str]]) -> Iterator[Document]:
        """Yield the objects of the Kubernetes plane in wire form; of the demo and of a capture those of both planes.

        Args:
            live: kinds and scopes that could be read.

        Raises:
            ApiError, LinkError: the cluster's answer.
        """
        from aksnav.sources.kubernetes.source import KubernetesSource

        for source in self._sources:
            if isinstance(source, Replay):
                yield from source.documents()
            elif isinstance(source, KubernetesSource):
                for kind, scope in live:
                    yield from ((kind, item) for item in source.documents(kind, scope))

    def ask_secrets(self, names: Iterable[tuple[str, str]]) -> None:
        """Ask for these Secrets besides those that objects name."""
        from aksnav.sources.kubernetes.source import KubernetesSource

        for source in self._sources:
            if isinstance(source, KubernetesSource):
                source.ask_secrets(names)


def _kubernetes(options: Options, emit: Emit, *, once: bool) -> Source:
    from aksnav.sources.kubernetes.source import KubernetesSource

    return KubernetesSource(emit, options, once=once)


def _azure(options: Options, emit: Emit, *, once: bool) -> "AzureSource | None":
    if options.no_azure:
        now = time.time()
        emit(SourceChanged("azure", Reading.UNREAD, "not asked (--no-azure)", {}, now))
        for kind in AZURE_KINDS:
            emit(ReadingChanged(kind.name, Reading.UNREAD, "", "Azure is not asked (--no-azure)", now))
        return None
    from aksnav.sources.azure.source import AzureSource

    return AzureSource(emit, options, once=once, pointed=True)


def _hinting(emit: Emit, azure: "AzureSource") -> Emit:
    """Return what also tells the Azure source what the nodes say of where the cluster is."""
    from aksnav.sources.azure.hints import HintCollector, PointerCollector

    collector, pointers = HintCollector(azure.hints), PointerCollector(azure.points)

    def both(change: Change) -> None:
        pointers.see(change)
        collector.see(change)
        emit(change)

    return both


def _capture(path: str, assume_none: tuple[str, ...], emit: Emit) -> Source:
    from aksnav.sources.capture import open_capture

    capture = open_capture(path, assume_none)
    return Replay("capture", emit, capture.changes, raw=capture.get_raw, documents=capture.documents)


def _demo(scenario: str, emit: Emit, *, once: bool) -> Source:
    from aksnav.sources.demo import changes, get_raw, scenario_named, script, wire

    try:
        name = scenario_named(scenario).name
    except LookupError as error:
        raise SourceError(str(error.args[0] if error.args else error)) from error

    def raw(kind: str, ident: str) -> bytes | None:
        found = get_raw(kind, ident, name)
        return None if found is None else msgspec.json.encode(found)

    later = None if once else lambda: script(name, time.time())

    def documents() -> Iterator[Document]:
        return ((kind, item) for kind, items in wire(name).items() for item in items)

    return Replay("demo", emit, lambda: changes(name, time.time), later, raw, documents)
