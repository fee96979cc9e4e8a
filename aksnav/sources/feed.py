"""What the screen and the commands read from: a child process that hands over changes, or one load in this process."""

import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from aksnav.model.change import Change, ListEnded, Reading, ReadingChanged, ScopeLeft, SourceChanged
from aksnav.model.confirmation import Question
from aksnav.model.kinds import AZURE_KINDS, KUBERNETES_KINDS
from aksnav.model.object import Ref
from aksnav.model.text import plain
from aksnav.sources.errors import SourceError
from aksnav.sources.options import Options
from aksnav.sources.pipe import (
    ANSWER,
    COMMAND,
    Answer,
    AskSecrets,
    Command,
    Confirm,
    Decoder,
    GetRaw,
    PipeError,
    Refresh,
    Stop,
    read_frame,
    write_frame,
)

BUFFERED_FRAMES = 64
STDERR_LINES = 40
DECODE_SHARE = 0.125
FIRST_RESTART = 1.0
LONGEST_RESTART = 30.0
GOOD_LIFE = 60.0
PIPE_BYTES = 1 << 20
ENDS_WITHIN = 1.0
LOAD_TIMEOUT = 120.0
_ANSWERS = msgspec.msgpack.Decoder(Answer)


class _Buffer:
    """Frames between the thread that reads and the thread that decodes; a full one makes the reader wait."""

    def __init__(self) -> None:
        self._items: deque[Callable[[], list[Change]]] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, item: Callable[[], list[Change]]) -> bool:
        """Wait for room and add an item; return whether the buffer was empty before."""
        with self._changed:
            while len(self._items) >= BUFFERED_FRAMES and not self._closed:
                self._changed.wait()
            self._items.append(item)
            return len(self._items) == 1

    def take(self) -> Callable[[], list[Change]] | None:
        """Return the oldest item, or None if there is none."""
        with self._changed:
            if not self._items:
                return None
            self._changed.notify()
            return self._items.popleft()

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Feed:
    """The sources of a session in a child process of their own."""

    def __init__(self, options: Options, *, clock: Callable[[], float] = time.time) -> None:
        """Prepare; nothing is started yet.

        Args:
            options: what to read.
            clock: seconds since the epoch.

        Raises:
            SourceError: what the operator typed names nothing (a context, a file, a scenario).
        """
        check(options)
        self._options = options
        self._clock = clock
        self._buffer = _Buffer()
        self._wake: Callable[[], None] = lambda: None
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._futures: dict[int, Future[bytes]] = {}
        self._number = 0
        self._live: set[tuple[str, str]] = set()
        self._sources: dict[str, SourceChanged] = {}
        self._thread = threading.Thread(target=self._supervise, name="feed", daemon=True)

    def start(self, wake: Callable[[], None] = lambda: None) -> None:
        """Start the child.

        Args:
            wake: called from another thread when there is something to drain and there was nothing before.
        """
        self._wake = wake
        self._thread.start()

    def drain(self, seconds: float, ticks: Callable[[], float] = time.perf_counter) -> list[Change]:
        """Return changes that have arrived, none when there are none.

        Applying what is decoded costs the caller several times the decoding, so that an eighth of the time is spent on
        decoding here. At least one frame (500 objects) is decoded.

        Args:
            seconds: what the caller has for decoding and applying.
            ticks: a clock for the time that is spent.
        """
        changes: list[Change] = []
        end = ticks() + seconds * DECODE_SHARE
        while (item := self._buffer.take()) is not None:
            decoded = self._decoded(item)
            for change in decoded:
                self._note(change)
            changes += decoded
            if ticks() >= end:
                break
        return changes

    def _decoded(self, item: Callable[[], list[Change]]) -> list[Change]:
        try:
            return item()
        except PipeError as error:
            with self._lock:
                if self._process is not None:
                    self._process.kill()  # what follows cannot be read either: the supervisor starts anew
            return self._crashed(str(error))

    def request_raw(self, ref: Ref) -> "Future[bytes]":
        """Ask for one object as JSON in wire form; the future's exception is a ``SourceError`` with one line."""
        return self._ask(lambda number: GetRaw(number, ref.kind, ref.id))

    def confirm(self, question: Question) -> "Future[bytes]":
        """Ask the living network one question; the future's result is the ``Reply`` in msgpack."""
        return self._ask(lambda number: Confirm(number, question))

    def _ask(self, command: Callable[[int], Command]) -> "Future[bytes]":
        future: Future[bytes] = Future()
        with self._lock:
            self._number += 1
            number = self._number
            self._futures[number] = future
        if not self._send(command(number)):
            self._settle(Answer(number, b"", "not connected just now; try again in a moment"))
        return future

    def refresh(self) -> None:
        """Read everything again."""
        self._send(Refresh())

    def ask_secrets(self, names: Iterable[tuple[str, str]]) -> None:
        """Ask whether these Secrets (pairs of namespace and name) exist, besides those that objects name."""
        self._send(AskSecrets(list(names)))

    def stop(self) -> None:
        """Stop the child and wait a moment for it."""
        self._stopped.set()
        self._buffer.close()
        self._send(Stop())
        process = self._process
        if process is not None:
            _end(process)
        for number in list(self._futures):
            self._settle(Answer(number, b"", "the session has ended"))

    def _supervise(self) -> None:
        """Run the child, and run it again when it ends by itself."""
        pause = FIRST_RESTART
        while not self._stopped.is_set():
            started = time.monotonic()
            said = self._run_child()
            if self._stopped.is_set():
                return
            pause = FIRST_RESTART if time.monotonic() - started > GOOD_LIFE else min(pause * 2, LONGEST_RESTART)
            self._hand_over(partial(self._crashed, said))
            for number in list(self._futures):
                self._settle(Answer(number, b"", said))
            if self._stopped.wait(pause):
                return

    def _run_child(self) -> str:
        """Run one child until it ends, and return one line on how."""
        try:
            process = start_child(self._options)
        except OSError as error:
            return f"the reading process could not be started: {error.strerror}"
        with self._lock:
            self._process = process
        if self._stopped.is_set():
            process.kill()
        last: deque[str] = deque(maxlen=STDERR_LINES)
        errors = cast("BinaryIO", process.stderr)
        ear = threading.Thread(target=_collect, args=(errors, last), name="stderr", daemon=True)
        ear.start()
        fault = ""
        try:
            self._read(cast("BinaryIO", process.stdout))
        except (PipeError, OSError) as error:
            fault = str(error)
        status = _end(process)
        ear.join(ENDS_WITHIN)
        for stream in (process.stdin, process.stdout, process.stderr):
            _close(cast("BinaryIO", stream))
        why = fault or (last[-1] if last else "no reason given")
        return plain(f"the reading process ended (status {status}): {why}")

    def _read(self, stream: BinaryIO) -> None:
        decoder = Decoder()
        while (frame := read_frame(stream)) is not None:
            tag, body = frame
            if tag == ANSWER:
                self._settle(_ANSWERS.decode(body))
            else:
                self._hand_over(partial(decoder.changes, body))

    def _hand_over(self, item: Callable[[], list[Change]]) -> None:
        if self._buffer.put(item) and not self._stopped.is_set():
            self._wake()

    def _settle(self, answer: Answer) -> None:
        with self._lock:
            future = self._futures.pop(answer.number, None)
        if future is None:
            return
        if answer.error:
            future.set_exception(SourceError(answer.error))
        else:
            future.set_result(answer.body)

    def _send(self, command: Command) -> bool:
        with self._lock:
            process = self._process
            if process is None or process.stdin is None:
                return False
            try:
                write_frame(cast("BinaryIO", process.stdin), COMMAND, msgspec.msgpack.encode(command))
            except (OSError, ValueError):
                return False  # it has just ended; the supervisor says so
            return True

    def _note(self, change: Change) -> None:
        """Remember what is live, to be able to say that it no longer is."""
        if isinstance(change, ListEnded):
            self._live.add((change.kind, change.scope))
        elif isinstance(change, ReadingChanged):
            if change.reading is Reading.LIVE:
                self._live.add((change.kind, change.scope))
            else:
                self._live.discard((change.kind, change.scope))
        elif isinstance(change, ScopeLeft):
            self._live.discard((change.kind, change.scope))
        elif isinstance(change, SourceChanged):
            self._sources[change.source] = change

    def _crashed(self, said: str) -> list[Change]:
        now = self._clock()
        names = list(self._sources) or [self._options.main_source]
        facts = {name: known.facts for name, known in self._sources.items()}
        changes: list[Change] = [SourceChanged(name, Reading.FAILED, said, facts.get(name, {}), now) for name in names]
        # A new child may have no use for a scope of Azure's, and would never take back that it is stale: where a kind
        # is known as a whole, that is what is stale.
        whole = {kind for kind, scope in self._live if not scope}
        for kind, scope in sorted(self._live):
            left = bool(scope) and kind in whole
            changes.append(ScopeLeft(kind, scope) if left else ReadingChanged(kind, Reading.STALE, scope, said, now))
        return changes


def start_child(options: Options) -> "subprocess.Popen[bytes]":
    """Start the child and send it the options.

    It finds modules where this process does, and nowhere else: the folder that the operator stands in is not searched.

    Raises:
        OSError: it could not be started.
    """
    places = [place for place in sys.path if place]
    code = f"import sys; sys.path[:] = {places!r}; from aksnav.sources.worker import main; main()"
    process = subprocess.Popen(  # noqa: S603 - our own program, and nothing of the operator's in its arguments
        [sys.executable, "-P", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pipesize=PIPE_BYTES,
    )
    with suppress(OSError):  # it may have ended at once; whoever reads from it learns why
        write_frame(cast("BinaryIO", process.stdin), COMMAND, msgspec.msgpack.encode(options))
    return process


def load_once(options: Options, timeout: float = LOAD_TIMEOUT) -> Iterator[Change]:
    """Read everything once, in this process, and yield the changes as they come.

    Args:
        options: what to read.
        timeout: seconds after which what has not come counts as failed.

    Raises:
        SourceError: the options cannot be followed, or the cluster cannot be reached at all.
    """
    from aksnav.sources.session import Session

    changes: queue.Queue[Change | None] = queue.Queue()
    session = Session(options, changes.put, once=True)
    late: list[str] = []
    session.start()

    def wait() -> None:
        late.extend(session.wait(timeout))
        changes.put(None)

    threading.Thread(target=wait, name="load", daemon=True).start()
    told: set[str] = set()
    try:
        while (change := changes.get()) is not None:
            if isinstance(change, ListEnded | ReadingChanged):
                told.add(change.kind)
            yield change
    finally:
        session.stop()
    error = session.fatal()
    if error:
        raise SourceError(error)
    for name in late:
        yield from _too_late(name, told, f"not everything was read within {timeout:g} s")


def _too_late(name: str, told: set[str], reason: str) -> Iterator[Change]:
    now = time.time()
    yield SourceChanged(name, Reading.FAILED, reason, {}, now)
    for kind in AZURE_KINDS if name == "azure" else KUBERNETES_KINDS:
        if kind.name not in told:
            yield ReadingChanged(kind.name, Reading.FAILED, "", reason, now)


def check(options: Options) -> None:
    """See whether what the operator typed exists, without contacting anything.

    Raises:
        SourceError: a context, a file or a scenario that is not there, in one line.
    """
    if options.demo is not None:
        from aksnav.sources.demo import scenario_named

        try:
            scenario_named(options.demo)
        except LookupError as error:
            raise SourceError(str(error.args[0])) from error
    elif options.capture is not None:
        if not Path(options.capture).exists():
            raise SourceError(f"--from-capture {plain(options.capture)}: no such file or folder")
    elif options.context is not None or options.kubeconfig is not None:
        from aksnav.sources.kubernetes.contexts import choose_context

        choose_context(options.context, options.kubeconfig)


def _collect(stream: BinaryIO, lines: deque[str]) -> None:
    """Keep the last lines of the child's stderr: they say why it ended."""
    with suppress(OSError, ValueError):  # closed meanwhile
        for line in stream:
            if text := line.decode(errors="replace").strip():
                lines.append(text)


def _end(process: "subprocess.Popen[bytes]") -> int:
    """Wait a moment for a process that should be ending, kill it if it is not, and return its status."""
    try:
        return process.wait(ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _close(stream: BinaryIO) -> None:
    with suppress(OSError):  # what was still to be flushed has no reader
        stream.close()
