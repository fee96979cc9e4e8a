"""A small cluster for tests of the walk: every table is readable, Azure has none of it unless a test adds it."""

from collections.abc import Iterable
from typing import Any

from aksnav.model.azure.cluster import ManagedCluster, NetworkProfile
from aksnav.model.change import ListEnded, ListStarted, Reading, ReadingChanged, UndecodableFound, Upserted
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Step, Trace

NODE_A, NODE_B = "node-a", "node-b"
CLIENT = "pod/shop/client"


class Cluster:
    """A store and short ways to fill it with objects in wire form."""

    def __init__(self) -> None:
        self.store = Store()
        for name, kind in KINDS.items():
            self.store.apply(ListStarted(name))
            self.store.apply(ListEnded(name, at=1.0))
            if kind.optional:
                self.store.apply(ReadingChanged(name, Reading.ABSENT))

    def add(self, kind: str, wire: dict[str, Any]) -> None:
        """Add one object."""
        self.store.apply(Upserted(kind, [decode_wire(KINDS[kind], wire)]))

    def deny(self, kind: str, reason: str = "forbidden") -> None:
        """Let a kind be unreadable from now on."""
        self.store.apply(ReadingChanged(kind, Reading.DENIED, reason=reason))

    def spoil(self, kind: str, ident: str) -> None:
        """Let an object be there that cannot be decoded."""
        self.store.apply(UndecodableFound(kind, ident, "spec.ports: not a list"))

    def profile(self, **fields: Any) -> None:
        """Say how the cluster's network is built."""
        managed = ManagedCluster(
            arm_id="/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/c",
            name="c",
            network_profile=NetworkProfile(**{"network_plugin": "azure", "network_policy": "none", **fields}),
        )
        self.store.apply(Upserted("managedClusters", [managed]))

    def node(self, name: str, ip: str, *, ready: str = "True", zone: str = "") -> None:
        """Add a node."""
        labels = {"topology.kubernetes.io/zone": zone} if zone else {}
        self.add(
            "Node",
            {
                "metadata": {"name": name, "labels": labels},
                "status": {
                    "addresses": [{"type": "InternalIP", "address": ip}],
                    "conditions": [{"type": "Ready", "status": ready, "reason": "KubeletReady"}],
                },
            },
        )

    def pod(  # noqa: PLR0913 - what tests vary of a Pod
        self,
        ident: str,
        ip: str,
        *,
        node: str = NODE_A,
        labels: dict[str, str] | None = None,
        ports: Iterable[dict[str, Any]] = ({"containerPort": 8080, "name": "http"},),
        ready: bool = True,
        phase: str = "Running",
        waiting: str = "",
        probe: dict[str, Any] | None = None,
        host_network: bool = False,
        conditions: Iterable[dict[str, Any]] = (),
    ) -> None:
        """Add a Pod."""
        namespace, name = ident.split("/")
        container: dict[str, Any] = {"name": "app", "ports": list(ports)}
        if probe is not None:
            container["readinessProbe"] = probe
        state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
        self.add(
            "Pod",
            {
                "metadata": {"name": name, "namespace": namespace, "labels": labels or {"app": name.partition("-")[0]}},
                "spec": {"nodeName": node, "containers": [container], "hostNetwork": host_network},
                "status": {
                    "phase": phase,
                    "podIPs": [{"ip": ip}] if ip else [],
                    "conditions": [
                        {"type": "Ready", "status": str(ready), "reason": "" if ready else "ContainersNotReady"},
                        *conditions,
                    ],
                    "containerStatuses": [{"restartCount": 3 if waiting else 0, "state": state}],
                },
            },
        )

    def service(self, ident: str, ip: str = "10.0.0.10", **spec: Any) -> None:
        """Add a Service; ``status`` in the fields is its status."""
        namespace, name = ident.split("/")
        status = spec.pop("status", {})
        metadata = spec.pop("metadata", {})
        given: dict[str, Any] = {
            "clusterIP": ip,
            "clusterIPs": [ip] if ip not in {"", "None"} else ["None"],
            "type": "ClusterIP",
        }
        given["selector"] = {"app": name}
        given["ports"] = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}]
        self.add(
            "Service",
            {
                "metadata": {"name": name, "namespace": namespace, **metadata},
                "spec": {**given, **spec},
                "status": status,
            },
        )

    def slice(
        self,
        service: str,
        endpoints: Iterable[dict[str, Any]],
        *,
        ports: list[dict[str, Any]] | None = None,
        suffix: str = "abc",
        family: str = "IPv4",
    ) -> None:
        """Add an EndpointSlice; without ``ports`` it has http 8080."""
        namespace, name = service.split("/")
        listed = [{"name": "http", "port": 8080, "protocol": "TCP"}] if ports is None else ports
        self.add(
            "EndpointSlice",
            {
                "metadata": {
                    "name": f"{name}-{suffix}",
                    "namespace": namespace,
                    "labels": {"kubernetes.io/service-name": name},
                },
                "addressType": family,
                "endpoints": list(endpoints),
                "ports": listed,
            },
        )

    def ask(self, target: str, source: str = CLIENT, **options: Any) -> Trace:
        """Trace a request."""
        return trace(self.store, parse_request(target, source, **options))


def endpoint(pod: str, ip: str, *, node: str = NODE_A, **conditions: bool | None) -> dict[str, Any]:
    """Return an endpoint in wire form; conditions that are not given are absent, but for ready."""
    namespace, name = pod.split("/")
    return {
        "addresses": [ip],
        "conditions": {"ready": True, **conditions},
        "nodeName": node,
        "targetRef": {"kind": "Pod", "namespace": namespace, "name": name},
    }


def simple() -> Cluster:
    """Return a cluster with two nodes, a client Pod, and shop/web: two ready Pods behind a ClusterIP Service."""
    made = Cluster()
    made.profile()
    made.node(NODE_A, "10.224.0.4")
    made.node(NODE_B, "10.224.0.5")
    made.pod("shop/client", "10.244.0.9")
    made.pod("shop/web-1", "10.244.0.11")
    made.pod("shop/web-2", "10.244.0.12")
    made.service("shop/web")
    made.slice("shop/web", [endpoint("shop/web-1", "10.244.0.11"), endpoint("shop/web-2", "10.244.0.12")])
    return made


def steps_of(answer: Trace) -> list[Step]:
    """Return every step of a trace."""

    def walk(road: tuple[Step, ...]) -> Iterable[Step]:
        for step in road:
            yield step
            for branch in step.branches:
                yield from walk(branch.steps)

    return list(walk(answer.steps))


def destinations(answer: Trace) -> list[tuple[str, str, int]]:
    """Return Pod, address and port of every destination."""
    return [(place.pod, place.ip, place.port) for place in answer.destinations]
