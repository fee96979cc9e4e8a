"""The child process that reads: commands on stdin, frames on stdout (``python -m aksnav.sources.worker``).

Stdin and stdout belong to the pipe alone: both are moved away before anything else runs, so that an exec plugin of a
kubeconfig can neither eat a command nor write into a frame.
"""

import os
import queue
import signal
import threading
import time
from typing import BinaryIO

import msgspec

from aksnav.model.change import Change, Reading, SourceChanged
from aksnav.model.object import Ref
from aksnav.model.text import plain
from aksnav.sources.errors import SourceError
from aksnav.sources.options import Options
from aksnav.sources.pipe import (
    ANSWER,
    CHANGES,
    COMMAND,
    Answer,
    AskSecrets,
    Command,
    Confirm,
    Encoder,
    GetRaw,
    PipeError,
    Refresh,
    Stop,
    read_frame,
    write_frame,
)
from aksnav.sources.session import Session

NICENESS = 5
QUEUED_CHANGES = 64
LINGER = 0.005
_COMMANDS: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_OPTIONS = msgspec.msgpack.Decoder(Options)


class Worker:
    """Runs a session and writes what it says."""

    def __init__(self, commands: BinaryIO, frames: BinaryIO) -> None:
        self._commands = commands
        self._frames = frames
        self._queue: queue.Queue[Change | Answer | None] = queue.Queue(QUEUED_CHANGES)
        self._encoder = Encoder()
        self._stopping = threading.Event()

    def run(self) -> None:
        """Read the options, start the session, and write until told to stop or until the other end is gone.

        Raises:
            PipeError: the first thing that came was not a frame.
        """
        first = read_frame(self._commands)
        if first is None:
            return
        options = _OPTIONS.decode(first[1])
        try:
            session = Session(options, self._queue.put)
        except SourceError as error:
            self._refuse(options, str(error))
            return
        session.start()
        threading.Thread(target=self._obey, args=(session,), name="commands", daemon=True).start()
        try:
            while self._write():
                pass
        except BrokenPipeError:
            pass  # the parent is gone, and nobody is left to be told
        finally:
            session.stop()

    def _refuse(self, options: Options, reason: str) -> None:
        """Say that the options cannot be followed, and stay until told to go: starting again would not help."""
        change = SourceChanged(options.main_source, Reading.FAILED, reason, {}, time.time())
        for body in self._encoder.bodies([change]):
            write_frame(self._frames, CHANGES, body)
        while (frame := read_frame(self._commands)) is not None:
            if isinstance(_COMMANDS.decode(frame[1]), Stop):
                return

    def _write(self) -> bool:
        """Write what has come, as few frames as possible; return False at the end."""
        waiting = [self._queue.get()]
        self._stopping.wait(LINGER)
        try:
            while len(waiting) < QUEUED_CHANGES:
                waiting.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        changes: list[Change] = []
        for item in waiting:
            if item is None:
                return False
            if isinstance(item, Answer):
                write_frame(self._frames, ANSWER, msgspec.msgpack.encode(item))
            else:
                changes.append(item)
        for body in self._encoder.bodies(changes):
            write_frame(self._frames, CHANGES, body)
        return True

    def _obey(self, session: Session) -> None:
        """Do as told until the commands end."""
        try:
            while (frame := read_frame(self._commands)) is not None and frame[0] == COMMAND:
                command = _COMMANDS.decode(frame[1])
                match command:
                    case GetRaw() | Confirm():
                        threading.Thread(target=self._answer, args=(session, command), daemon=True).start()
                    case AskSecrets():
                        session.ask_secrets(command.names)
                    case Refresh():
                        session.refresh()
                    case Stop():
                        break
        except (PipeError, OSError):
            pass  # the other end is gone or not what it should be: end, as at the end of the commands
        self._stopping.set()
        self._queue.put(None)

    def _answer(self, session: Session, command: GetRaw | Confirm) -> None:
        try:
            if isinstance(command, GetRaw):
                body = session.get_raw(Ref(command.kind, command.id))
            else:
                body = msgspec.msgpack.encode(session.confirm(command.question))
            answer = Answer(command.number, body)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is the answer to one question
            said = str(error.args[0]) if isinstance(error, LookupError) and error.args else str(error)
            answer = Answer(command.number, b"", plain(said) or type(error).__name__)
        self._queue.put(answer)


def main() -> None:
    """Run as the child of an explorer."""
    commands = os.fdopen(os.dup(0), "rb")
    frames = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    Worker(commands, frames).run()


if __name__ == "__main__":
    main()
