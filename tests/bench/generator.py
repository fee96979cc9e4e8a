"""A seeded generator of realistic Kubernetes objects, as an API server sends them.

One application has one label set, one ReplicaSet, one Service, one EndpointSlice and its share of the Pods;
applications belong to namespaces in order, so that index order is the order of an API server's list (namespace, name).
The same sizes and seed give the same bytes.
"""

import bisect
import datetime as dt
import hashlib
import ipaddress
from collections.abc import Iterator
from typing import NamedTuple

from tests.bench import node_templates, pod_templates, service_templates

BASE_VERSION = 1_000_000
"""The resourceVersion that every object has before anything changes."""

_SAFE = "bcdfghjklmnpqrstvwxz2456789"
"""The letters that Kubernetes takes for generated names (apimachinery, util/rand)."""

_EPOCH = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
_POD_NET = int(ipaddress.ip_address("10.128.0.0"))
_NODE_NET = int(ipaddress.ip_address("10.4.0.4"))
_SERVICE_NET = int(ipaddress.ip_address("10.0.0.10"))
_WORDS = ("api", "auth", "basket", "billing", "cache", "catalog", "checkout", "ledger", "mail", "orders", "payments")
_TIERS = (b"backend", b"frontend", b"data")
_POOL_SIZE = 1_000
_LOAD_BALANCER_EVERY = 50


class Sizes(NamedTuple):
    """How many objects of each kind there are."""

    pods: int = 200_000
    nodes: int = 5_000
    services: int = 10_000
    namespaces: int = 500
    ingresses: int = 500
    policies: int = 1_000


class App(NamedTuple):
    """What the objects of one application have in common."""

    number: int
    namespace: bytes
    name: bytes
    replica_set_hash: bytes
    replica_set_uid: bytes
    service_uid: bytes
    first_pod: int
    pods: int


class PodState(NamedTuple):
    """What may change on a Pod."""

    version: int = BASE_VERSION
    ready: bool = True
    restarts: int = 0
    changed: bytes = b""
    """An RFC 3339 time; empty for the time of creation."""


UNCHANGED = PodState()


class Pod(NamedTuple):
    """The identity of a Pod: what the objects that point at it need."""

    app: App
    name: bytes
    uid: bytes
    ip: bytes
    node: int
    digest: bytes
    created: bytes


def _safe(data: bytes) -> bytes:
    return "".join(_SAFE[byte % len(_SAFE)] for byte in data).encode()


def _uid(data: bytes) -> bytes:
    text = data[:16].hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}".encode()


def _dotted(value: int) -> bytes:
    return b"%d.%d.%d.%d" % (value >> 24 & 255, value >> 16 & 255, value >> 8 & 255, value & 255)


def _base36(value: int) -> str:
    digits = ""
    while value:
        value, digit = divmod(value, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits.rjust(6, "0")


class Generator:
    """Makes any object of the cluster by its index; nothing is kept but the applications."""

    def __init__(self, sizes: Sizes | None = None, seed: int = 1) -> None:
        self.sizes = sizes or Sizes()
        self.seed = seed
        self.apps = list(self._apps())
        self._first_pods = [app.first_pod for app in self.apps]
        self._node_names = [self.node_name(index) for index in range(self.sizes.nodes)]
        self._cached_pods: tuple[int, list[Pod]] = (-1, [])

    def _digest(self, kind: str, index: int) -> bytes:
        return hashlib.blake2b(b"%d/%b/%d" % (self.seed, kind.encode(), index), digest_size=32).digest()

    def _created(self, digest: bytes) -> bytes:
        seconds = int.from_bytes(digest[:4], "big") % (90 * 86_400)
        return (_EPOCH + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ").encode()

    def _apps(self) -> Iterator[App]:
        count, pods, first = self.sizes.services, self.sizes.pods, 0
        for index in range(count):
            digest = self._digest("app", index)
            namespace = index * self.sizes.namespaces // count
            share = pods // count + (index < pods % count)
            word = _WORDS[index % len(_WORDS)]
            # The number leads, so that applications sort by their index inside a namespace.
            yield App(
                index,
                self.namespace_name(namespace),
                f"a{index:05d}-{word}".encode(),
                _safe(digest[:10]),
                _uid(digest[8:24]),
                _uid(self._digest("service", index)),
                first,
                share,
            )
            first += share

    def namespace_name(self, index: int) -> bytes:
        """The name of a namespace."""
        return b"team-%03d" % index

    def node_name(self, index: int) -> bytes:
        """The name of a node, as AKS gives it: pool, scale set, instance in base 36."""
        return f"aks-np{index // _POOL_SIZE}-38291047-vmss{_base36(index % _POOL_SIZE)}".encode()

    def node_address(self, index: int) -> bytes:
        """The address of a node in its subnet."""
        return _dotted(_NODE_NET + index)

    def app_of_pod(self, index: int) -> App:
        """The application that a Pod belongs to."""
        return self.apps[bisect.bisect_right(self._first_pods, index) - 1]

    def pods_of(self, app: App) -> list[Pod]:
        """The identities of an application's Pods, in the order of their names."""
        if self._cached_pods[0] == app.number:
            return self._cached_pods[1]
        digests = [self._digest("pod", app.first_pod + offset) for offset in range(app.pods)]
        suffixes = sorted(_safe(digest[20:25]) for digest in digests)
        pods = []
        for offset, (digest, suffix) in enumerate(zip(digests, suffixes, strict=True)):
            index = app.first_pod + offset
            # 7919 is prime: neighbours in the list land on different nodes, as the scheduler spreads them.
            node = index * 7919 % self.sizes.nodes
            slot = index // self.sizes.nodes + 4
            pods.append(
                Pod(
                    app,
                    b"%b-%b-%b" % (app.name, app.replica_set_hash, suffix),
                    _uid(digest),
                    _dotted(_POD_NET + node * 256 + slot),
                    node,
                    digest.hex().encode(),
                    self._created(digest),
                )
            )
        self._cached_pods = (app.number, pods)
        return pods

    def pod_identity(self, index: int) -> Pod:
        """The identity of the Pod with this index."""
        app = self.app_of_pod(index)
        return self.pods_of(app)[index - app.first_pod]

    def pod_parts(self, index: int, state: PodState = UNCHANGED) -> tuple[bytes, bytes]:
        """The metadata of a Pod, and the rest of it (an object with spec and status)."""
        pod = self.pod_identity(index)
        changed = state.changed or pod.created
        condition = pod_templates.POD_READY if state.ready else pod_templates.POD_NOT_READY
        ready = b"true" if state.ready else b"false"
        values = {
            b"app": pod.app.name,
            b"changed": changed,
            b"containers_ready_condition": condition.render({b"type": b"ContainersReady", b"changed": changed}),
            b"created": pod.created,
            b"digest": pod.digest,
            b"hash": pod.app.replica_set_hash,
            b"host_ip": self.node_address(pod.node),
            b"ip": pod.ip,
            b"minor": b"%d" % (pod.app.number % 40),
            b"name": pod.name,
            b"namespace": pod.app.namespace,
            b"node": self._node_names[pod.node],
            b"other_digest": pod.digest[::-1],
            b"owner_uid": pod.app.replica_set_uid,
            b"ready": ready,
            b"ready_condition": condition.render({b"type": b"Ready", b"changed": changed}),
            b"restarts": b"%d" % state.restarts,
            b"suffix": pod.name[-5:],
            b"tier": _TIERS[pod.app.number % len(_TIERS)],
            b"true": b"true",
            b"uid": pod.uid,
            b"version": b"%d" % state.version,
        }
        return pod_templates.POD_METADATA.render(values), pod_templates.POD_BODY.render(values)

    def pod(self, index: int, state: PodState = UNCHANGED) -> bytes:
        """A Pod as an item of a list: without kind and apiVersion."""
        metadata, body = self.pod_parts(index, state)
        return b'{"metadata":%b,%b' % (metadata, body[1:])

    def node(self, index: int) -> bytes:
        """A node as an item of a list."""
        digest = self._digest("node", index)
        pool = index // _POOL_SIZE
        provider = (
            "azure:///subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups"
            "/mc_rg-prod-weu_aks-prod-weu_westeurope/providers/Microsoft.Compute/virtualMachineScaleSets"
            f"/aks-np{pool}-38291047-vmss/virtualMachines/{index % _POOL_SIZE}"
        )
        created = self._created(digest)
        return node_templates.NODE.render(
            {
                b"changed": created,
                b"created": created,
                b"digest": digest.hex().encode(),
                b"ip": self.node_address(index),
                b"mode": b"user" if pool else b"system",
                b"name": self.node_name(index),
                b"pod_cidr": _dotted(_POD_NET + index * 256) + b"/24",
                b"pool": b"np%d" % pool,
                b"provider_id": provider.encode(),
                b"uid": _uid(digest),
                b"version": b"%d" % BASE_VERSION,
                b"zone": b"%d" % (index % 3 + 1),
            }
        )

    def _app_values(self, kind: str, app: App) -> dict[bytes, bytes]:
        digest = self._digest(kind, app.number)
        return {
            b"app": app.name,
            b"created": self._created(digest),
            b"namespace": app.namespace,
            b"uid": _uid(digest),
            b"version": b"%d" % BASE_VERSION,
        }

    def service(self, index: int) -> bytes:
        """A Service as an item of a list; every fiftieth has a load balancer."""
        app = self.apps[index]
        public = index % _LOAD_BALANCER_EVERY == 0
        node_ports = (b',"nodePort":%d' % (30_000 + index % 2_700), b',"nodePort":32767') if public else (b"", b"")
        ports = (
            b'[{"name":"http","protocol":"TCP","port":80,"targetPort":"http"%b},'
            b'{"name":"metrics","protocol":"TCP","port":9102,"targetPort":"metrics"%b}]'
        ) % node_ports
        address = b"20.51.%d.%d" % divmod(index // _LOAD_BALANCER_EVERY, 250)
        return service_templates.SERVICE.render(
            {
                **self._app_values("service", app),
                b"cluster_ip": _dotted(_SERVICE_NET + index),
                b"load_balancer": b'{"ingress":[{"ip":"%b","ipMode":"VIP"}]}' % address if public else b"{}",
                b"ports": ports,
                b"type": b"LoadBalancer" if public else b"ClusterIP",
            }
        )

    def endpoint_slice(
        self, index: int, version: int = BASE_VERSION, not_ready: frozenset[int] = frozenset(), changed: bytes = b""
    ) -> bytes:
        """The EndpointSlice of a Service as an item of a list.

        Args:
            index: the Service's index.
            version: the resourceVersion.
            not_ready: the indexes of the Pods that are not ready.
            changed: when it last changed (RFC 3339); empty for the time of creation.
        """
        app = self.apps[index]
        endpoints = [
            service_templates.ENDPOINT.render(
                {
                    b"ip": pod.ip,
                    b"namespace": app.namespace,
                    b"node": self._node_names[pod.node],
                    b"pod": pod.name,
                    b"ready": b"false" if app.first_pod + offset in not_ready else b"true",
                    b"uid": pod.uid,
                    b"zone": b"%d" % (pod.node % 3 + 1),
                }
            )
            for offset, pod in enumerate(self.pods_of(app))
        ]
        values = self._app_values("endpointslice", app)
        return service_templates.ENDPOINT_SLICE.render(
            {
                **values,
                b"changed": changed or values[b"created"],
                b"endpoints": b"[%b]" % b",".join(endpoints),
                b"name": b"%b-%b" % (app.name, _safe(self._digest("endpointslice", index)[4:9])),
                b"service_uid": app.service_uid,
                b"version": b"%d" % version,
            }
        )

    def namespace(self, index: int) -> bytes:
        """A namespace as an item of a list."""
        digest = self._digest("namespace", index)
        return service_templates.NAMESPACE.render(
            {
                b"created": self._created(digest),
                b"name": self.namespace_name(index),
                b"team": b"t%02d" % (index % 40),
                b"uid": _uid(digest),
                b"version": b"%d" % BASE_VERSION,
            }
        )

    def ingress(self, index: int) -> bytes:
        """An Ingress as an item of a list; it leads to one Service."""
        return service_templates.INGRESS.render(self._app_values("ingress", self._spread(index, self.sizes.ingresses)))

    def policy(self, index: int) -> bytes:
        """A NetworkPolicy as an item of a list: one application may be called by a neighbour and by one team."""
        app = self._spread(index, self.sizes.policies)
        values = self._app_values("networkpolicy", app)
        values[b"peer"] = self.apps[max(app.number - 1, 0)].name
        values[b"team"] = b"t%02d" % (index % 40)
        return service_templates.NETWORK_POLICY.render(values)

    def ingress_class(self, index: int) -> bytes:
        """The one IngressClass."""
        digest = self._digest("ingressclass", index)
        return service_templates.INGRESS_CLASS.render(
            {b"created": self._created(digest), b"uid": _uid(digest), b"version": b"%d" % BASE_VERSION}
        )

    def _spread(self, index: int, count: int) -> App:
        return self.apps[index * len(self.apps) // count]
