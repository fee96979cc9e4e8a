"""A small HTTPS server on loopback that speaks as much of the Kubernetes API as the tests of the source need.

It holds objects in wire form, lists them in pages, and plays to watches what a test puts into them. Ahead of that, a
test may queue replies for a path: they are used up first, one a request.
"""

import base64
import datetime as dt
import gzip
import ipaddress
import json
import queue
import socket
import ssl
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PODS = "/api/v1/pods"
SERVICES = "/api/v1/services"
VERSION = 1000
Json = dict[str, Any]
CORE = ("namespaces", "nodes", "services", "pods", "events")
GROUPS = {
    "discovery.k8s.io": ("endpointslices",),
    "networking.k8s.io": ("ingresses", "ingressclasses", "networkpolicies"),
}


@dataclass
class Request:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    certificate: str = ""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))


@dataclass
class Reply:
    """An answer that a test queued."""

    code: int = 200
    body: Json = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """Close the connection instead of answering."""


def status(code: int, message: str = "", reason: str = "", **more: Any) -> Reply:
    """Make an error answer as the API server does."""
    body = {"kind": "Status", "apiVersion": "v1", "code": code, "message": message, "reason": reason, **more}
    return Reply(code, body)


def forbidden(user: str, resource: str) -> Reply:
    """Make a refusal in the words of the API server."""
    return status(403, f'{resource} is forbidden: User "{user}" cannot list resource "{resource}" in API group ""')


def pod(name: str, namespace: str = "shop", version: int = 1, **meta: Any) -> Json:
    """Make a Pod in wire form."""
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{name}",
            "resourceVersion": str(version),
            **meta,
        },
        "spec": {"nodeName": "node-1", "containers": [{"name": "c", "ports": [{"containerPort": 8080}]}]},
        "status": {"phase": "Running", "podIP": "10.244.0.9", "conditions": [{"type": "Ready", "status": "True"}]},
    }


class Watch:
    """The open watches of one path: what a test says, they hear."""

    def __init__(self) -> None:
        self._lines: queue.Queue[bytes | None] = queue.Queue()

    def say(self, kind: str, wire: Json) -> None:
        """Send an event."""
        self._lines.put(json.dumps({"type": kind, "object": wire}).encode() + b"\n")

    def end(self) -> None:
        """End the watch as a server does when its time is up."""
        self._lines.put(None)

    def cut(self) -> None:
        """Break the connection."""
        self._lines.put(b"")

    def lines(self) -> Iterator[bytes | None]:
        while True:
            yield self._lines.get()


class ApiServer:
    """The server; a context manager."""

    def __init__(self, folder: Path, *, tls: bool = True) -> None:
        self.folder = folder
        self.requests: list[Request] = []
        self.objects: dict[str, list[Json]] = defaultdict(list)
        self.replies: dict[str, deque[Reply]] = defaultdict(deque)
        self.always: dict[str, Reply] = {}
        self.watches: dict[str, Watch] = defaultdict(Watch)
        self.hold: dict[str, threading.Event] = {}
        self.token: str | None = None
        self.allows: Callable[[Json], bool] = lambda _attributes: True
        self.version = VERSION
        self.aggregated = True
        self.groups: dict[str, tuple[str, ...]] = dict(GROUPS)
        self.changed = threading.Condition()
        self._sockets: list[socket.socket] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self.tls = tls
        if tls:
            make_certificate(folder, "server")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder / "server.crt", folder / "server.key")
            context.load_verify_locations(folder / "server.crt")
            context.verify_mode = ssl.CERT_OPTIONAL
            self._server.context = context

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self.drop()
        self._server.server_close()

    @property
    def port(self) -> int:
        port: int = self._server.server_address[1]
        return port

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def kubeconfig(self, user: Json | None = None, cluster: Json | None = None, namespace: str = "") -> str:
        """Write a kubeconfig with one context, named test, and return its path."""
        trust = {"certificate-authority": str(self.folder / "server.crt")} if self.tls else {}
        context = {"cluster": "c", "user": "u"} | ({"namespace": namespace} if namespace else {})
        path = self.folder / "kubeconfig"
        path.write_text(
            json.dumps(
                {
                    "current-context": "test",
                    "clusters": [{"name": "c", "cluster": {"server": self.url, **trust, **(cluster or {})}}],
                    "users": [{"name": "u", "user": {"token": "secret"} if user is None else user}],
                    "contexts": [{"name": "test", "context": context}],
                }
            )
        )
        return str(path)

    def asked(self, path: str, *, watch: bool | None = None) -> list[Request]:
        """Return the requests for a path, watches or others where that is asked for."""
        with self.changed:
            found = [item for item in self.requests if item.path == path]
        return found if watch is None else [item for item in found if ("watch" in item.query) is watch]

    def drop(self) -> None:
        """Break every connection."""
        for known in self._sockets:
            with suppress(OSError):  # closed already
                known.shutdown(socket.SHUT_RDWR)
            known.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: ApiServer
    context: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.context is not None:
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except (ssl.SSLError, OSError):
                return  # a client that does not trust the certificate
        self.api._sockets.append(request)
        try:
            super().finish_request(request, client_address)
        finally:
            request.close()  # a handler that fails must not leave its client waiting

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: broken connections are what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        api, request = self.server.api, self._note()
        if request.path in api.hold:
            api.hold[request.path].wait(30.0)
        queued = api.always.get(request.path)
        if api.replies[request.path]:
            queued = api.replies[request.path].popleft()
        if api.token is not None and request.headers.get("authorization") != f"Bearer {api.token}":
            queued = status(401, "Unauthorized")
        if queued is not None:
            self._reply(queued)
        elif "watch" in request.query:
            self._watch(api.watches[request.path])
        else:
            self._reply(self._found(request))

    def do_POST(self) -> None:
        request = self._note()
        review = json.loads(self.rfile.read(int(request.headers.get("content-length", "0"))))
        allowed = self.server.api.allows(review["spec"]["resourceAttributes"])
        self._reply(Reply(201, {"kind": "SelfSubjectAccessReview", "status": {"allowed": allowed}}))

    def _note(self) -> Request:
        peer = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        name = str(dict(item[0] for item in peer["subject"])["commonName"]) if peer else ""  # type: ignore[misc]  # as the ssl module nests it
        request = Request(self.command, self.path, {key.lower(): value for key, value in self.headers.items()}, name)
        with self.server.api.changed:
            self.server.api.requests.append(request)
            self.server.api.changed.notify_all()
        return request

    def _found(self, request: Request) -> Reply:
        api = self.server.api
        if request.path in {"/api", "/apis"}:
            return self._discovery(request)
        if request.path == "/version":
            return Reply(body={"gitVersion": "v1.34.2"})
        items = api.objects[request.path]
        if "/configmaps/" in request.path:  # asked for one by one, by name
            return Reply(body=items[0]) if items else status(404, "NotFound")
        start, limit = int(request.query.get("continue", "0")), int(request.query.get("limit", "0")) or len(items)
        end = start + limit
        meta = {"resourceVersion": str(api.version)} | ({"continue": str(end)} if end < len(items) else {})
        return Reply(body={"kind": "List", "metadata": meta, "items": items[start:end]})

    def _discovery(self, request: Request) -> Reply:
        api = self.server.api
        if api.aggregated and "APIGroupDiscoveryList" in request.headers["accept"]:
            groups = {"": CORE} if request.path == "/api" else api.groups
            items = [
                {
                    "metadata": {"name": name},
                    "versions": [{"version": "v1", "resources": [{"resource": item} for item in resources]}],
                }
                for name, resources in groups.items()
            ]
            return Reply(body={"kind": "APIGroupDiscoveryList", "items": items})
        if request.path == "/api":
            return Reply(body={"kind": "APIVersions", "versions": ["v1"]})
        listed = [{"name": name, "versions": [{"groupVersion": f"{name}/v1", "version": "v1"}]} for name in api.groups]
        return Reply(body={"kind": "APIGroupList", "groups": listed})

    def _reply(self, reply: Reply) -> None:
        if reply.cut:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        body = json.dumps(reply.body).encode()
        self.send_response(reply.code)
        if "gzip" in self.headers.get("Accept-Encoding", "") and reply.code == 200:
            body = gzip.compress(body, 1)
            self.send_header("Content-Encoding", "gzip")
        for key, value in reply.headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _watch(self, watch: Watch) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in watch.lines():
            if line == b"":
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            chunk = line or b""
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            if line is None:
                return


def make_certificate(folder: Path, name: str) -> None:
    """Write a self-signed certificate for 127.0.0.1 and its key as NAME.crt and NAME.key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def encoded(path: Path) -> str:
    """Return a file as the base64 text that kubeconfigs embed."""
    return base64.b64encode(path.read_bytes()).decode()
