"""What the bench's server answers: discovery, lists in pages, single objects, errors; watches are described."""

import base64
import json
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from tests.bench.pieces import Piece, gzip_member
from tests.bench.world import KINDS, Kind, Table, World, envelope

_GZIP_FROM = 128 * 1024
"""An API server compresses answers above this many bytes (apiserver, endpoints/handlers/responsewriters)."""

_VERSION = {"major": "1", "minor": "34", "gitVersion": "v1.34.2", "platform": "linux/amd64"}
_ROW_COLUMNS = (
    ("Name", "string", "name", 0),
    ("Ready", "string", "", 0),
    ("Status", "string", "", 0),
    ("Restarts", "string", "", 0),
    ("Age", "string", "", 0),
    ("IP", "string", "", 1),
    ("Node", "string", "", 1),
    ("Nominated Node", "string", "", 1),
    ("Readiness Gates", "string", "", 1),
)


class Request(NamedTuple):
    """The parts of a request that decide the answer."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""

    @classmethod
    def parse(cls, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> "Request":
        """A request from its first line's parts and its headers (names in lower case)."""
        url = urlsplit(target)
        return cls(method, url.path, dict(parse_qsl(url.query, keep_blank_values=True)), headers, body)


class Answer(NamedTuple):
    """A complete answer."""

    status: int
    parts: list[bytes]
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)


class Watch(NamedTuple):
    """A watch that begins after a version; ``initial`` asks for what is there first (the streaming list)."""

    table: Table
    start: int
    end: int
    version: int
    initial: bool
    bookmarks: bool
    timeout: float | None


def _json(status: int, body: Any) -> Answer:
    return Answer(status, [json.dumps(body, separators=(",", ":")).encode(), b"\n"])


def status_body(code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """A Status object that reports a failure."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": details or {},
        "code": code,
    }


def _failure(code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> Answer:
    return _json(code, status_body(code, reason, message, details))


_EXPIRED = "The provided continue parameter is too old to display a consistent list result."


def _resource_entry(kind: Kind) -> dict[str, Any]:
    return {
        "name": kind.resource,
        "singularName": kind.kind.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": ["get", "list", "watch"],
        "shortNames": [kind.short] if kind.short else [],
    }


def _group_versions() -> dict[str, list[str]]:
    versions: dict[str, list[str]] = {}
    for kind in KINDS:
        known = versions.setdefault(kind.group, [])
        if kind.version not in known:
            known.append(kind.version)
    return versions


def _aggregated(groups: Iterable[str]) -> Answer:
    """Discovery in one document (apidiscovery.k8s.io/v2)."""
    versions = _group_versions()
    items = []
    for group in groups:
        entries = [
            {
                "version": version,
                "resources": [
                    {
                        "resource": kind.resource,
                        "responseKind": {"group": group, "version": version, "kind": kind.kind},
                        "scope": "Namespaced" if kind.namespaced else "Cluster",
                        "singularResource": kind.kind.lower(),
                        "verbs": ["get", "list", "watch"],
                        "shortNames": [kind.short] if kind.short else [],
                    }
                    for kind in KINDS
                    if (kind.group, kind.version) == (group, version)
                ],
                "freshness": "Current",
            }
            for version in versions[group]
        ]
        items.append({"metadata": {"name": group} if group else {}, "versions": entries})
    body = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}
    media = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    return Answer(200, _json(200, body).parts, (("Content-Type", media),))


def _group_list() -> dict[str, Any]:
    groups = []
    for group, versions in _group_versions().items():
        if group:
            entries = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
            groups.append({"name": group, "versions": entries, "preferredVersion": entries[0]})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def _discovery(request: Request) -> Answer | None:
    aggregated = "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" in request.headers.get("accept", "").replace(
        " ", ""
    )
    match request.path.strip("/").split("/"):
        case ["version"]:
            return _json(200, _VERSION)
        case ["healthz" | "livez" | "readyz"]:
            return Answer(200, [b"ok"], (("Content-Type", "text/plain"),))
        case ["api"] if aggregated:
            return _aggregated([""])
        case ["apis"] if aggregated:
            return _aggregated(group for group in _group_versions() if group)
        case ["api"]:
            return _json(200, {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
        case ["apis"]:
            return _json(200, _group_list())
        case ["api", version]:
            return _resource_list("", version)
        case ["apis", group, version]:
            return _resource_list(group, version)
    return None


def _resource_list(group: str, version: str) -> Answer:
    found = [kind for kind in KINDS if (kind.group, kind.version) == (group, version)]
    if not found:
        return _failure(404, "NotFound", "the server could not find the requested resource")
    body = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": found[0].api_version}
    return _json(200, {**body, "resources": [_resource_entry(kind) for kind in found]})


class Api:
    """Answers requests from a world."""

    def __init__(self, world: World, token: str, forbidden: frozenset[str] = frozenset()) -> None:
        self.world = world
        self.token = token
        self.forbidden = forbidden

    def answer(self, request: Request) -> Answer | Watch:
        """The answer to a request, or the watch that it begins."""
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _failure(401, "Unauthorized", "Unauthorized")
        if request.method == "POST" and request.path.endswith("/selfsubjectaccessreviews"):
            return self._review(request)
        if request.method != "GET":
            return _failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        return _discovery(request) or self._resource(request)

    def _review(self, request: Request) -> Answer:
        review = json.loads(request.body)
        resource = review.get("spec", {}).get("resourceAttributes", {}).get("resource", "")
        return _json(201, {**review, "status": {"allowed": resource not in self.forbidden}})

    def _resource(self, request: Request) -> Answer | Watch:
        steps = request.path.strip("/").split("/")
        group, rest = ("", steps[1:]) if steps[0] == "api" else ("/".join(steps[1:2]), steps[2:])
        version, rest = "/".join(rest[:1]), rest[1:]
        namespace = ""
        if len(rest) > 2 and rest[0] == "namespaces":
            namespace, rest = rest[1], rest[2:]
        table = self.world.tables.get((group, version, rest[0])) if rest else None
        if table is None or len(rest) > 2:
            return _failure(404, "NotFound", "the server could not find the requested resource")
        if table.kind.resource in self.forbidden:
            verb = "get" if len(rest) > 1 else "watch" if "watch" in request.query else "list"
            where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
            message = (
                f'{table.kind.qualified} is forbidden: User "bench" cannot {verb} resource "{table.kind.resource}" '
                f'in API group "{group}" {where}'
            )
            return _failure(403, "Forbidden", message, {"kind": table.kind.resource, "group": group})
        if len(rest) > 1:
            return self._single(table, namespace, rest[1], request)
        return self._many(table, namespace, request)

    def _single(self, table: Table, namespace: str, name: str, request: Request) -> Answer:
        metadata_only = "as=PartialObjectMetadata" in request.headers.get("accept", "")
        if table.kind.resource == "secrets" and name.endswith("-tls") and metadata_only:
            body = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
            return _json(200, {**body, "metadata": {"name": name, "namespace": namespace, "resourceVersion": "1"}})
        index = table.find(namespace.encode(), name.encode())
        if index is None:
            return _failure(404, "NotFound", f'{table.kind.qualified} "{name}" not found', {"name": name})
        return Answer(200, [table.typed(self.world.render(table, index, self.world.current())), b"\n"])

    def _range(self, table: Table, namespace: str, request: Request) -> tuple[int, int] | Answer:
        start, end = table.ranges.get(namespace.encode(), (0, 0)) if namespace else (0, table.objects.count)
        selector = request.query.get("fieldSelector", "")
        if request.query.get("labelSelector") or (selector and not selector.startswith("metadata.name=")):
            return _failure(400, "BadRequest", "this server answers no selector but metadata.name")
        if selector:
            index = table.find(namespace.encode(), selector.partition("=")[2].encode())
            return (0, 0) if index is None else (index, index + 1)
        return start, end

    def _many(self, table: Table, namespace: str, request: Request) -> Answer | Watch:
        scope = self._range(table, namespace, request)
        if isinstance(scope, Answer):
            return scope
        if request.query.get("watch", "") in ("1", "true", "True"):
            return self._watch(table, *scope, request)
        return self._page(table, *scope, request)

    def _watch(self, table: Table, start: int, end: int, request: Request) -> Answer | Watch:
        query = request.query
        initial = query.get("sendInitialEvents", "").lower() == "true"
        if initial and query.get("resourceVersionMatch") != "NotOlderThan":
            message = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            return _failure(422, "Invalid", f"resourceVersionMatch: Forbidden: {message}")
        asked = query.get("resourceVersion") or "0"
        version = self.world.current() if initial or asked == "0" else int(asked)
        if version < self.world.compacted:
            return _failure(410, "Expired", f"too old resource version: {version} ({self.world.compacted})")
        timeout = float(query["timeoutSeconds"]) if query.get("timeoutSeconds") else None
        # A watch from 0 or from nowhere begins with what is there, as an API server's does.
        begin = initial or asked == "0"
        bookmarks = query.get("allowWatchBookmarks", "").lower() in ("1", "true")
        return Watch(table, start, end, version, begin, bookmarks, timeout)

    def _page(self, table: Table, start: int, end: int, request: Request) -> Answer:
        query = request.query
        version, at = self.world.current(), start
        # A list from version 0 comes from the watch cache, which knows no pages.
        limit = int(query.get("limit") or 0) if query.get("resourceVersion") != "0" else 0
        if token := query.get("continue"):
            position = json.loads(base64.b64decode(token))
            version, at = position["rv"], position["start"]
            if version < self.world.compacted:
                return _failure(410, "Expired", _EXPIRED)
        stop = min(at + limit, end) if limit else end
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if stop < end:
            position = {"v": "meta.k8s.io/v1", "rv": version, "start": stop}
            metadata["continue"] = base64.b64encode(json.dumps(position).encode()).decode()
            metadata["remainingItemCount"] = end - stop
        if table is self.world.pods and "as=Table" in request.headers.get("accept", ""):
            columns = [
                {"name": name, "type": kind, "format": form, "description": "", "priority": priority}
                for name, kind, form, priority in _ROW_COLUMNS
            ]
            head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": columns}
            return _sent(envelope(head, "rows", self.world.row_pieces(at, stop, version)), request)
        head = {"kind": f"{table.kind.kind}List", "apiVersion": table.kind.api_version, "metadata": metadata}
        return _sent(envelope(head, "items", self.world.pieces(table, at, stop, version)), request)


def _sent(pieces: list[Piece], request: Request) -> Answer:
    """A body as it goes out: gzip when it is long and the client takes it."""
    size = sum(len(part.plain) for part in pieces)
    if size >= _GZIP_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        headers = (("Content-Type", "application/json"), ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
        return Answer(200, gzip_member(pieces), headers)
    return Answer(200, [part.plain for part in pieces])


def bookmark(table: Table, version: int, initial_end: bool = False) -> bytes:
    """A bookmark event, framed as one chunk of HTTP/1.1."""
    metadata: dict[str, Any] = {"resourceVersion": str(version), "creationTimestamp": None}
    if initial_end:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    item = json.dumps({"metadata": metadata}, separators=(",", ":")).encode()
    return table.event(b"BOOKMARK", item)
