"""A look-alike of an API server on loopback TLS, cheap enough not to be what is measured.

    python -m tests.bench.server --pods 200000 --nodes 5000 --services 10000 --kubeconfig FILE

Everything is serialised and compressed before the first request. One thread serves one connection. It prints one line
of JSON when it is ready; a plain HTTP port takes commands (POST): ``/stream?rate=1000``, ``/stop``,
``/pod?namespace=N&name=P&ready=false`` (answers when the bytes were written), ``/expire``, ``/drop``,
``/forbid?resources=a,b``, ``/quit``, and GET ``/stats``.
"""

import argparse
import gc
import json
import secrets
import socket
import ssl
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.bench import certificates
from tests.bench.api import Answer, Api, Request, Watch, bookmark
from tests.bench.generator import Generator, Sizes
from tests.bench.pieces import RUN
from tests.bench.world import Mark, World

_PHRASES = {
    200: "OK",
    201: "Created",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    410: "Gone",
    422: "Unprocessable Entity",
}
_BATCH = 256
_WAIT = 1.0
_TICK = 0.01
_MARK_WAIT = 5.0


class Statistics:
    """What the server has sent; counts are approximate when connections end at the same time."""

    def __init__(self) -> None:
        self.requests = 0
        self.list_bytes = 0
        self.events = 0
        self.event_bytes = 0
        self.changes = 0
        self.watches = 0


class Server:
    """The TLS side: accepts connections and answers what ``Api`` says."""

    def __init__(self, api: Api, context: ssl.SSLContext, bookmark_seconds: float) -> None:
        self.api = api
        self.statistics = Statistics()
        self._context = context
        self._bookmark_seconds = bookmark_seconds
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"https://127.0.0.1:{self._socket.getsockname()[1]}"
        self._generation = 0
        self._rate = 0.0
        self._streams = 0

    def start(self) -> None:
        """Accept connections in a thread."""
        threading.Thread(target=self._accept, daemon=True).start()

    def drop(self) -> None:
        """End every watch, as a restarted API server does."""
        self._generation += 1

    def _accept(self) -> None:
        while True:
            raw, _ = self._socket.accept()
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._connection, args=(raw,), daemon=True).start()

    def _connection(self, raw: socket.socket) -> None:
        try:
            with self._context.wrap_socket(raw, server_side=True) as connection:
                reader = connection.makefile("rb", buffering=65536)
                while request := self._read(reader):
                    self.statistics.requests += 1
                    answer = self.api.answer(request)
                    if isinstance(answer, Watch):
                        self._watch(connection, answer)
                    else:
                        self._send(connection, answer)
        except (OSError, ValueError):
            # The client went away, or does not speak TLS: nothing to tell anybody.
            return

    @staticmethod
    def _read(reader: Any) -> Request | None:
        line = reader.readline(65536)
        if not line.strip():
            return None
        method, target, _ = line.decode("latin-1").split(" ", 2)
        headers = {}
        while (line := reader.readline(65536)).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        body = reader.read(int(headers.get("content-length", "0")))
        return Request.parse(method, target, headers, body)

    def _send(self, connection: ssl.SSLSocket, answer: Answer) -> None:
        size = sum(map(len, answer.parts))
        lines = [f"HTTP/1.1 {answer.status} {_PHRASES[answer.status]}", f"Content-Length: {size}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + (answer.parts[0] if answer.parts else b""))
        # Parts are sent in runs of about a megabyte: one copy each, and the interpreter lock is free meanwhile.
        waiting: list[bytes] = []
        length = 0
        for part in answer.parts[1:]:
            waiting.append(part)
            length += len(part)
            if length > 1_000_000:
                connection.sendall(b"".join(waiting))
                waiting, length = [], 0
        if waiting:
            connection.sendall(b"".join(waiting))
        self.statistics.list_bytes += size

    def _watch(self, connection: ssl.SSLSocket, watch: Watch) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.statistics.watches += 1
        try:
            if watch.initial:
                self._initial(connection, watch)
            self._follow(connection, watch)
            connection.sendall(b"0\r\n\r\n")
        finally:
            self.statistics.watches -= 1

    def _initial(self, connection: ssl.SSLSocket, watch: Watch) -> None:
        table = watch.table
        for start in range(watch.start, watch.end, RUN):
            indexes = range(start, min(start + RUN, watch.end))
            world = self.api.world
            data = b"".join(table.event(b"ADDED", world.render(table, index, watch.version)) for index in indexes)
            connection.sendall(data)
            self.statistics.events += len(indexes)
            self.statistics.event_bytes += len(data)
        if watch.bookmarks:
            connection.sendall(bookmark(table, watch.version, initial_end=True))

    def _follow(self, connection: ssl.SSLSocket, watch: Watch) -> None:
        table, world, generation = watch.table, self.api.world, self._generation
        position = table.position(watch.version)
        began = marked = time.monotonic()
        while self._generation == generation:
            left = _WAIT if watch.timeout is None else began + watch.timeout - time.monotonic()
            if left <= 0:
                return
            with table.changed:
                if position == len(table.log):
                    table.changed.wait(min(left, _WAIT))
                entries = table.log[position : position + _BATCH]
            position += len(entries)
            wanted = [entry for entry in entries if watch.start <= entry.index < watch.end]
            if wanted:
                data = b"".join(world.entry_payload(table, entry) for entry in wanted)
                connection.sendall(data)
                for entry in wanted:
                    if entry.mark:
                        entry.mark.set()
                self.statistics.events += len(wanted)
                self.statistics.event_bytes += len(data)
            now = time.monotonic()
            if watch.bookmarks and now - marked >= self._bookmark_seconds:
                marked = now
                if position == len(table.log):
                    connection.sendall(bookmark(table, world.current()))

    def stream(self, rate: float) -> None:
        """Change objects at a rate (events per second); 0 stops."""
        self._streams += 1
        if rate:
            threading.Thread(target=self._produce, args=(rate, self._streams), daemon=True).start()

    def _produce(self, rate: float, stream: int) -> None:
        began, done = time.monotonic(), 0
        while self._streams == stream:
            # One change is four events.
            due = int((time.monotonic() - began) * rate / 4)
            for _ in range(due - done):
                if self._streams != stream:
                    break
                self.api.world.change()
                self.statistics.changes += 4
            done = due
            time.sleep(_TICK)

    def set_pod(self, namespace: str, name: str, ready: bool) -> dict[str, Any]:
        """Change a Pod's readiness and its EndpointSlice; says when the bytes of each were written to a watch."""
        world = self.api.world
        index = world.pods.find(namespace.encode(), name.encode())
        if index is None:
            return {"error": f"no Pod {namespace}/{name}"}
        mark, slice_mark = Mark(), Mark()
        asked = time.monotonic_ns()
        version = world.set_pod(index, ready, mark=mark)
        world.update_slice(world.generator.app_of_pod(index).number, slice_mark)
        mark.written.wait(_MARK_WAIT)
        slice_mark.written.wait(_MARK_WAIT)
        return {
            "asked_ns": asked,
            "written_ns": mark.nanoseconds,
            "slice_written_ns": slice_mark.nanoseconds,
            "resource_version": str(version),
        }


def _control(server: Server) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def _reply(self, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            """Say nothing: standard output is for the one line."""

        def do_GET(self) -> None:
            self._reply(
                {**vars(server.statistics), "version": server.api.world.current(), "time_ns": time.monotonic_ns()}
            )

        def do_POST(self) -> None:
            url = urlsplit(self.path)
            query = dict(parse_qsl(url.query))
            body: dict[str, Any] = {}
            match url.path:
                case "/stream":
                    server.stream(float(query["rate"]))
                case "/stop":
                    server.stream(0)
                case "/pod":
                    body = server.set_pod(query["namespace"], query["name"], query["ready"] == "true")
                case "/expire":
                    server.api.world.expire()
                case "/drop":
                    server.drop()
                case "/forbid":
                    server.api.forbidden = frozenset(filter(None, query.get("resources", "").split(",")))
                case "/quit":
                    threading.Thread(target=self.server.shutdown, daemon=True).start()
                case path:
                    body = {"error": f"no command {path}"}
            self._reply(body)

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="A look-alike of an API server on loopback TLS.")
    for field, default in Sizes()._asdict().items():
        parser.add_argument(f"--{field}", type=int, default=default)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kubeconfig", type=Path, required=True, help="the file to write")
    parser.add_argument("--forbid", default="", help="resources that are answered with 403, by commas")
    parser.add_argument("--bookmark-seconds", type=float, default=60.0)
    parser.add_argument(
        "--rows", action="store_true", help="prepare the Pods as rows of a Table too (kubectl asks for it)"
    )
    return parser.parse_args(arguments)


def main() -> None:
    """Serve until told to quit."""
    options = parse()
    began = time.monotonic()
    # Runs of bytes never form cycles; collecting a million of them takes the time of the connections.
    gc.disable()
    world = World(Generator(Sizes(*(getattr(options, field) for field in Sizes._fields)), options.seed))
    world.prepare(with_rows=options.rows)
    gc.freeze()
    with tempfile.TemporaryDirectory(prefix="aksnav-bench-") as folder:
        certificate, key, authority = certificates.make(Path(folder))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.set_alpn_protocols(["http/1.1"])
    token = secrets.token_hex(16)
    server = Server(
        Api(world, token, frozenset(filter(None, options.forbid.split(",")))), context, options.bookmark_seconds
    )
    server.start()
    options.kubeconfig.write_text(certificates.kubeconfig(server.url, authority, token))
    control = _control(server)
    ready = {
        "url": server.url,
        "control": f"http://127.0.0.1:{control.server_address[1]}",
        "seconds": round(time.monotonic() - began, 1),
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    control.serve_forever()


if __name__ == "__main__":
    main()
