"""What a Service asks of its probe, against what the load balancer has; and who answers the shared one.

Source: cloud-provider-azure pkg/provider/azure_loadbalancer_healthprobe.go, in aks-networking.md 2.a, step 6.
"""

from collections.abc import Iterator

import msgspec

from aksnav.model.azure.network import LoadBalancerProbe
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Pod
from aksnav.store.store import Store
from aksnav.trace.azure.frontend import annotation
from aksnav.trace.step import Considered

_COMMON = "azure-load-balancer-health-probe"
_INTERVAL, _COUNT = 5, 2
_PROBED = frozenset({"tcp", "http", "https"})
# Pods of kube-system that answer the shared probe on their node: the sidecar's, and the proxy itself.
_ANSWERING = ({"k8s-app": "cloud-node-manager"}, {"component": "kube-proxy"}, {"k8s-app": "cilium"})


class Wish(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A probe as the cloud provider writes it for a port with externalTrafficPolicy Cluster.

    Attributes:
        protocol: tcp, http or https.
        path: of an HTTP probe, else empty.
        interval: seconds.
        count: failures after which a node is down.
        said_by: the annotation or field behind each of them.
    """

    protocol: str
    path: str
    interval: int
    count: int
    said_by: dict[str, str]


def wish(service: Service, port: ServicePort) -> Wish:
    """Return the probe that the annotations of a Service ask for: those of the port go before those of the Service."""
    own, said = f"port_{port.port}_health-probe", {}
    protocol = "tcp"
    choices = (
        (f"{own}_protocol", annotation(service, f"{own}_protocol")),
        ("appProtocol", port.app_protocol),
        (f"{_COMMON}-protocol", annotation(service, f"{_COMMON}-protocol")),
    )
    for name, value in choices:
        if value:
            protocol = value.lower() if value.lower() in _PROBED else "tcp"
            said["protocol"] = f"{name} {value}"
            break
    path = ""
    if protocol != "tcp":
        name, value = _first(service, f"{own}_request-path", f"{_COMMON}-request-path")
        path, said["requestPath"] = value or "/", name
    name, value = _first(service, f"{own}_interval", f"{_COMMON}-interval")
    interval = int(value) if value.isdigit() else _INTERVAL
    said["intervalInSeconds"] = name
    name, value = _first(service, f"{own}_num-of-probe", f"{_COMMON}-num-of-probe")
    said["probeThreshold"] = name
    return Wish(
        protocol=protocol, path=path, interval=interval, count=int(value) if value.isdigit() else _COUNT, said_by=said
    )


def _first(service: Service, *names: str) -> tuple[str, str]:
    return next(((name, annotation(service, name)) for name in names if annotation(service, name)), ("", ""))


def drift(service: Service, port: ServicePort, probe: LoadBalancerProbe) -> tuple[Considered, ...]:
    """Return where a probe is not what the Service's annotations say; nothing where they say nothing (L13)."""
    if service.external_traffic_policy == "Local" or port.protocol != "TCP" or probe.port != port.node_port:
        return ()
    return tuple(
        Considered(field, decided=False, why=f"L13: {name} asks for {asked}, and the probe has {has}")
        for field, name, asked, has in _differences(wish(service, port), probe)
        if name and asked.lower() != has.lower()
    )


def _differences(wanted: Wish, probe: LoadBalancerProbe) -> Iterator[tuple[str, str, str, str]]:
    yield "protocol", wanted.said_by.get("protocol", ""), wanted.protocol, probe.protocol
    if wanted.path:
        yield "requestPath", wanted.said_by["requestPath"], wanted.path, probe.request_path or "/"
    yield "intervalInSeconds", wanted.said_by["intervalInSeconds"], str(wanted.interval), str(probe.interval_in_seconds)
    threshold = probe.probe_threshold if probe.probe_threshold > 1 else probe.number_of_probes
    yield "probeThreshold", wanted.said_by["probeThreshold"], str(wanted.count), str(threshold)


def without_answer(store: Store, nodes: set[str]) -> dict[str, Pod]:
    """Return the Pod that keeps the shared probe of a node from being answered, by the node's name.

    A node on which no such Pod is known is left out: what answers there has another name.
    """
    found: dict[str, Pod] = {}
    for labels in _ANSWERING:
        for ident in store.pod_classes.matching("kube-system", labels):
            pod = store.pods.get(ident)
            if pod is not None and pod.node in nodes and pod.ready is False and not pod.finished:
                found.setdefault(pod.node, pod)
    return found
