"""The cluster that the bench's server shows: kinds, objects, what changes, and the log that watches read."""

import bisect
import datetime as dt
import json
import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tests.bench.generator import BASE_VERSION, UNCHANGED, Generator, PodState
from tests.bench.pieces import Objects, Piece, piece

_PAYLOADS_KEPT = 4_000
_METADATA = re.compile(rb'\{"metadata":\{"name":"([^"]+)"(?:,"generateName":"[^"]+")?(?:,"namespace":"([^"]+)")?')


class Kind(NamedTuple):
    """A kind that the server knows."""

    group: str
    version: str
    resource: str
    kind: str
    namespaced: bool = True
    short: str = ""

    @property
    def api_version(self) -> str:
        """Group and version as objects carry them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """Resource and group as messages name them."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


_GATEWAY = "gateway.networking.k8s.io"
KINDS = (
    Kind("", "v1", "configmaps", "ConfigMap", short="cm"),
    Kind("", "v1", "endpoints", "Endpoints", short="ep"),
    Kind("", "v1", "events", "Event"),
    Kind("", "v1", "namespaces", "Namespace", namespaced=False, short="ns"),
    Kind("", "v1", "nodes", "Node", namespaced=False, short="no"),
    Kind("", "v1", "pods", "Pod", short="po"),
    Kind("", "v1", "secrets", "Secret"),
    Kind("", "v1", "serviceaccounts", "ServiceAccount", short="sa"),
    Kind("", "v1", "services", "Service", short="svc"),
    Kind("apps", "v1", "daemonsets", "DaemonSet", short="ds"),
    Kind("apps", "v1", "deployments", "Deployment", short="deploy"),
    Kind("apps", "v1", "replicasets", "ReplicaSet", short="rs"),
    Kind("apps", "v1", "statefulsets", "StatefulSet", short="sts"),
    Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"),
    Kind("networking.k8s.io", "v1", "ingressclasses", "IngressClass", namespaced=False),
    Kind("networking.k8s.io", "v1", "ingresses", "Ingress", short="ing"),
    Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", short="netpol"),
    Kind("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False),
    Kind(_GATEWAY, "v1", "gatewayclasses", "GatewayClass", namespaced=False),
    Kind(_GATEWAY, "v1", "gateways", "Gateway", short="gtw"),
    Kind(_GATEWAY, "v1", "grpcroutes", "GRPCRoute"),
    Kind(_GATEWAY, "v1", "httproutes", "HTTPRoute"),
    Kind("cilium.io", "v2", "ciliumclusterwidenetworkpolicies", "CiliumClusterwideNetworkPolicy", namespaced=False),
    Kind("cilium.io", "v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy"),
)


class Mark:
    """A change whose way onto the wire is timed."""

    def __init__(self) -> None:
        self.written = threading.Event()
        self.nanoseconds: int | None = None

    def set(self) -> None:
        """Note the time (CLOCK_MONOTONIC, the same for every process of a machine) of the first write."""
        if self.nanoseconds is None:
            self.nanoseconds = time.monotonic_ns()
            self.written.set()


class Entry:
    """One change in a kind's log."""

    __slots__ = ("index", "mark", "payload", "version")

    def __init__(self, version: int, index: int, payload: bytes | None, mark: Mark | None) -> None:
        self.version = version
        self.index = index
        self.payload = payload
        self.mark = mark


class Table:
    """The objects of one kind, their changes, and those who wait for changes."""

    def __init__(self, kind: Kind, objects: Objects) -> None:
        self.kind = kind
        self.objects = objects
        self.log: list[Entry] = []
        self.changed = threading.Condition()
        self._prefix = json.dumps({"kind": kind.kind, "apiVersion": kind.api_version}, separators=(",", ":")).encode()
        self._indexes: dict[tuple[bytes, bytes], int] = {}
        self.ranges: dict[bytes, tuple[int, int]] = {}

    def typed(self, item: bytes) -> bytes:
        """A list's item as an object of its own, with kind and apiVersion."""
        return b"%b,%b" % (self._prefix[:-1], item[1:])

    def event(self, kind: bytes, item: bytes) -> bytes:
        """A watch event, framed as one chunk of HTTP/1.1."""
        start = b'{"type":"%b","object":%b,' % (kind, self._prefix[:-1])
        # One copy, and not one for each layer: the streaming list copies every object here.
        return b"".join((b"%x\r\n" % (len(start) + len(item) + 1), start, memoryview(item)[1:], b"}\n\r\n"))

    def names(self) -> None:
        """Learn the objects' namespaces, for lists of one namespace."""
        for index in range(self.objects.count):
            _, namespace = self.key(index)
            low, _ = self.ranges.get(namespace, (index, index))
            self.ranges[namespace] = (low, index + 1)

    def key(self, index: int) -> tuple[bytes, bytes]:
        """Name and namespace of an object."""
        match = _METADATA.match(self.objects.item(index))
        if match is None:
            raise ValueError(f"{self.kind.resource} {index} does not begin with its name")
        return match[1], match[2] or b""

    def find(self, namespace: bytes, name: bytes) -> int | None:
        """The index of an object by its name."""
        if not self._indexes:
            for index in range(self.objects.count):
                found, space = self.key(index)
                self._indexes[space, found] = index
        return self._indexes.get((namespace, name))

    def append(self, entry: Entry) -> None:
        """Put a change into the log and wake the watches."""
        with self.changed:
            self.log.append(entry)
            if len(self.log) > _PAYLOADS_KEPT:
                self.log[-_PAYLOADS_KEPT].payload = None
            self.changed.notify_all()

    def position(self, version: int) -> int:
        """The place in the log after a version."""
        return bisect.bisect_right(self.log, version, key=lambda entry: entry.version)


def now() -> bytes:
    """The time as objects carry it."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()


class World:
    """All tables, one counter of versions, and the changes."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.version = BASE_VERSION
        self.compacted = 0
        self._lock = threading.Lock()
        self._random = random.Random(generator.seed)  # noqa: S311 - a choice of Pods, not a secret
        self._states: dict[int, list[PodState]] = {}
        self._slices: dict[int, list[tuple[int, bytes]]] = {}
        sizes = generator.sizes
        sources: dict[str, tuple[int, Callable[[int], bytes]]] = {
            "namespaces": (sizes.namespaces, generator.namespace),
            "nodes": (sizes.nodes, generator.node),
            "pods": (sizes.pods, generator.pod),
            "services": (sizes.services, generator.service),
            "endpointslices": (sizes.services, generator.endpoint_slice),
            "ingressclasses": (1, generator.ingress_class),
            "ingresses": (sizes.ingresses, generator.ingress),
            "networkpolicies": (sizes.policies, generator.policy),
        }
        empty = (0, generator.pod)
        self.tables = {
            (kind.group, kind.version, kind.resource): Table(kind, Objects(*sources.get(kind.resource, empty)))
            for kind in KINDS
        }
        self.pods = self.tables["", "v1", "pods"]
        self.slices = self.tables["discovery.k8s.io", "v1", "endpointslices"]
        self.pod_rows = Objects(sizes.pods, lambda index: self._pod_row(index, UNCHANGED))

    def prepare(self, with_rows: bool = False) -> None:
        """Serialise and compress everything before the first request.

        Args:
            with_rows: the Pods as rows of a Table too, which is what kubectl asks for.
        """
        for table in self.tables.values():
            table.objects.prepare()
            table.names()
        if with_rows:
            self.pod_rows.prepare()

    def current(self) -> int:
        """The newest version whose change can be read."""
        with self._lock:
            return self.version

    def _state(self, index: int, version: int) -> PodState:
        states = self._states.get(index)
        if states is None:
            return UNCHANGED
        at = bisect.bisect_right(states, version, key=lambda state: state.version)
        return states[at - 1] if at else UNCHANGED

    def _slice(self, index: int, version: int) -> bytes:
        app = self.generator.apps[index]
        pods = range(app.first_pod, app.first_pod + app.pods)
        not_ready = frozenset(pod for pod in pods if not self._state(pod, version).ready)
        versions = self._slices.get(index, [])
        at = bisect.bisect_right(versions, version, key=lambda change: change[0])
        own, changed = versions[at - 1] if at else (BASE_VERSION, b"")
        return self.generator.endpoint_slice(index, own, not_ready, changed)

    def _pod_row(self, index: int, state: PodState) -> bytes:
        pod = self.generator.pod_identity(index)
        metadata, _ = self.generator.pod_parts(index, state)
        cells = b'["%b","%d/2","Running",%d,"30d","%b","%b","<none>","<none>"]' % (
            pod.name,
            1 + state.ready,
            state.restarts,
            pod.ip,
            self.generator.node_name(pod.node),
        )
        form = b'{"cells":%b,"object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":%b}}'
        return form % (cells, metadata)

    def render(self, table: Table, index: int, version: int) -> bytes:
        """An object as it was at a version."""
        if table is self.pods and index in self._states:
            return self.generator.pod(index, self._state(index, version))
        if table is self.slices and index in self._slices:
            return self._slice(index, version)
        return table.objects.item(index)

    def pieces(self, table: Table, start: int, end: int, version: int) -> list[Piece]:
        """Objects of a table as they were at a version, from an index up to another."""
        dirty: dict[int, Any] = {}
        if table is self.pods:
            dirty = self._states
        elif table is self.slices:
            dirty = self._slices

        def changed(low: int, high: int) -> dict[int, bytes]:
            return {index: self.render(table, index, version) for index in range(low, high) if index in dirty}

        return table.objects.pieces(start, end, changed)

    def row_pieces(self, start: int, end: int, version: int) -> list[Piece]:
        """Pods as rows of a Table."""

        def changed(low: int, high: int) -> dict[int, bytes]:
            return {
                index: self._pod_row(index, self._state(index, version))
                for index in range(low, high)
                if index in self._states
            }

        return self.pod_rows.pieces(start, end, changed)

    def set_pod(self, index: int, ready: bool, restarts: int = 0, mark: Mark | None = None) -> int:
        """Change a Pod's status; watches are told. Returns the new resourceVersion."""
        with self._lock:
            self.version += 1
            state = PodState(self.version, ready, self._state(index, self.version).restarts + restarts, now())
            self._states.setdefault(index, []).append(state)
            payload = self.pods.event(b"MODIFIED", self.generator.pod(index, state))
            self.pods.append(Entry(state.version, index, payload, mark))
            return state.version

    def update_slice(self, index: int, mark: Mark | None = None) -> int:
        """Write an EndpointSlice anew from its Pods; watches are told. Returns the new resourceVersion."""
        with self._lock:
            self.version += 1
            self._slices.setdefault(index, []).append((self.version, now()))
            payload = self.slices.event(b"MODIFIED", self._slice(index, self.version))
            self.slices.append(Entry(self.version, index, payload, mark))
            return self.version

    def pod_ready(self, index: int) -> bool:
        """Whether a Pod is ready now."""
        return self._state(index, self.version).ready

    def change(self) -> None:
        """Four events: two Pods restart a container, one Pod's readiness turns, and its EndpointSlice follows."""
        count = self.generator.sizes.pods
        for _ in range(2):
            index = self._random.randrange(count)
            self.set_pod(index, self.pod_ready(index), restarts=1)
        index = self._random.randrange(count)
        self.set_pod(index, not self.pod_ready(index))
        self.update_slice(self.generator.app_of_pod(index).number)

    def entry_payload(self, table: Table, entry: Entry) -> bytes:
        """The bytes of a change; made again when they were dropped."""
        return entry.payload or table.event(b"MODIFIED", self.render(table, entry.index, entry.version))

    def expire(self) -> None:
        """Forget all versions before now: lists under way and watches that resume get 410."""
        self.compacted = self.version


def envelope(head: dict[str, Any], items: str, pieces: Sequence[Piece]) -> list[Piece]:
    """A list's body: the fields before the items, and the items."""
    start = json.dumps(head, separators=(",", ":"))[:-1] + f',"{items}":['
    return [piece(start.encode()), *pieces, piece(b"]}\n", last=True)]
