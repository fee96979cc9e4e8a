"""A Resource Manager for tests: HTTPS on loopback, made of objects in wire form, with whatever answer a test wants."""

import datetime as dt
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Json = dict[str, Any]
INTERFACES_OF_SCALE_SETS = "2018-10-01"
"""The one api-version that Azure has for the interfaces of a scale set."""


class Asked(msgspec.Struct, frozen=True):
    """A request as it came; the path is in lower case."""

    verb: str
    path: str
    query: dict[str, str]
    token: str = ""
    body: bytes = b""


class Answer(msgspec.Struct, frozen=True):
    """What is answered; ``reset`` cuts the connection instead."""

    status: int = 200
    body: Json | list[Any] | bytes = {}
    headers: dict[str, str] = {}
    reset: bool = False


Rule = Callable[[Asked], Answer | None]


def error(status: int, code: str, message: str = "", **headers: str) -> Answer:
    """Return an error as Resource Manager words it."""
    return Answer(status, {"error": {"code": code, "message": message}}, headers)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 that signs itself, and its key; return both paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "arm.crt", folder / "arm.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


class Content:
    """What Resource Manager holds: objects by kind, and what may not be read."""

    def __init__(self, objects: dict[str, list[Json]], *, page_size: int = 1000) -> None:
        self.objects = objects
        self.page_size = page_size
        self.denied: set[str] = set()
        self.managed_by: dict[str, str] = {}

    def answer(self, asked: Asked) -> Answer:
        """Answer a request as Resource Manager does."""
        parts = asked.path.strip("/").split("/")
        action = _action(parts)
        if action in self.denied:
            said = f"The client 'x' does not have authorization to perform action '{action}' over scope '{asked.path}'."
            return error(403, "AuthorizationFailed", said)
        if parts == ["subscriptions"]:
            found = {item["id"].split("/")[2] for items in self.objects.values() for item in items}
            return self._page(asked, [{"subscriptionId": item} for item in sorted(found)])
        if len(parts) == 4:
            return Answer(body={"id": asked.path, "managedBy": self.managed_by.get(asked.path)})
        kind, last = parts[-1], parts[-2].partition(".")[2]
        if parts[-2] == "virtualnetworks" or kind == "usages":
            return self._network(asked, parts)
        if last or parts[-3] == "virtualmachinescalesets":
            return self._listed(asked, parts)
        return self._by_id(asked.path)

    def _network(self, asked: Asked, parts: list[str]) -> Answer:
        usages = parts[-1] == "usages"
        found = self._by_id("/" + "/".join(parts[:-1] if usages else parts))
        if not usages or not isinstance(found.body, dict) or found.status != 200:
            return found
        owner = "/" + "/".join(parts[:-1])
        full = next(item for item in self.objects["virtualNetworks"] if item["id"].lower() == owner)
        return self._page(asked, full["properties"].get("usages", []))

    def _listed(self, asked: Asked, parts: list[str]) -> Answer:
        """Answer a list: of a resource group, a subscription, or a scale set's interfaces."""
        if "virtualmachinescalesets" in parts:
            if asked.query.get("api-version") != INTERFACES_OF_SCALE_SETS:
                return error(400, "NoRegisteredProviderFound")
            owner = "/" + "/".join(parts[:-1]) + "/"
        else:
            owner = "/" + "/".join(parts[:4] if parts[2] == "resourcegroups" else parts[:2]) + "/"
        provider = "/microsoft.compute/" if "virtualmachinescalesets" in parts else f"/providers/{parts[-2]}/"
        kind = next(name for name in self.objects if name.lower() == parts[-1])
        found = [
            item
            for item in self.objects[kind]
            if item["id"].lower().startswith(owner) and provider in item["id"].lower()
        ]
        return self._page(asked, [_without_usages(item) for item in found])

    def _by_id(self, ident: str) -> Answer:
        for items in self.objects.values():
            for item in items:
                if item.get("id", "").lower() == ident:
                    return Answer(body=_without_usages(item))
        return error(404, "ResourceNotFound", f"The Resource '{ident}' was not found.")

    def _page(self, asked: Asked, items: list[Json]) -> Answer:
        start = int(asked.query.get("$skiptoken", "0"))
        body: Json = {"value": items[start : start + self.page_size]}
        if start + self.page_size < len(items):
            query = urlencode({"api-version": asked.query["api-version"], "$skiptoken": start + self.page_size})
            body["nextLink"] = f"BASE{asked.path}?{query}"
        return Answer(body=body)


class _Server(ThreadingHTTPServer):
    """Knows its connections, so that closing does not wait for a client that keeps one alive."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._open: list[Any] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection."""
        self._open.append(request)
        super().process_request(request, client_address)

    def server_close(self) -> None:
        """Cut every connection, then close."""
        for request in self._open:
            with suppress(OSError):  # it is closed already
                request.shutdown(socket.SHUT_RDWR)
        super().server_close()


class ArmServer:
    """The server.

    Attributes:
        url: its base URL.
        asked: what came, in order.
        rules: asked first; the first that answers wins.
    """

    def __init__(self, content: Content, certificate: tuple[Path, Path]) -> None:
        self.content = content
        self.asked: list[Asked] = []
        self.rules: list[Rule] = []
        self.reads_left = 240
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        self._server = _Server(self._handler(), context)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and wait for the connections."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def paths(self) -> Iterable[str]:
        """Return the paths that were asked for."""
        return [asked.path for asked in self.asked]

    def reply(self, asked: Asked) -> Answer:
        """Return what is answered to a request."""
        self.asked.append(asked)
        for rule in self.rules:
            found = rule(asked)
            if found is not None:
                return found
        return self.content.answer(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                split = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(split.query).items()}
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = server.reply(Asked(self.command, split.path.lower(), query, token, body))
                if answer.reset:
                    self.close_connection = True
                    return
                body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                body = body.replace(b'"BASE/', f'"{server.url}/'.encode())
                self.send_response(answer.status)
                server.reads_left -= 1
                left = {"x-ms-ratelimit-remaining-subscription-reads": str(server.reads_left)}
                for name, value in {"Content-Type": "application/json", **left, **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - as above

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        return Handler


def _action(parts: list[str]) -> str:
    """Return the action that a GET of a path needs, as role definitions spell it."""
    if "providers" not in parts:
        return "Microsoft.Resources/subscriptions/" + ("resourceGroups/read" if len(parts) > 2 else "read")
    provider, *rest = parts[parts.index("providers") + 1 :]
    types = rest[::2]
    spelled = {name.lower(): name for name in _SPELLING}
    return "/".join([spelled[provider], *(spelled[kind] for kind in types), "read"])


_SPELLING = (
    "Microsoft.ContainerService", "Microsoft.Network", "Microsoft.Compute", "managedClusters", "virtualNetworks",
    "usages", "networkSecurityGroups", "routeTables", "loadBalancers", "publicIPAddresses", "networkInterfaces",
    "natGateways", "virtualMachineScaleSets", "virtualMachines", "privateLinkServices", "privateEndpoints",
    "applicationGateways", "Microsoft.ServiceNetworking", "trafficControllers", "frontends", "associations",
    "privateDnsZones", "virtualNetworkLinks", "ALL", "privateDnsZoneGroups",
)  # fmt: skip


def _without_usages(item: Json) -> Json:
    """Return a virtual network as Resource Manager sends it: what other calls tell of it is left out."""
    inner = item.get("properties")
    if not isinstance(inner, dict):
        return item
    apart = {"usages", "effectiveSecurityAdminRules"}
    return {**item, "properties": {key: value for key, value in inner.items() if key not in apart}}
