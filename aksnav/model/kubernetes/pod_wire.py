"""A Pod in wire form, cut down to the fields that are read; ``flatten`` makes the flat Pod that is kept.

Pods are by far the most numerous objects, so they do not go through the general decoder: bytes to structs to one flat
struct, with everything that a workload's Pods share interned.
"""

from sys import intern

import msgspec

from aksnav.model.kubernetes.workload import ContainerPort, Pod, PodTemplate, Probe
from aksnav.model.labels import Labels

_ISTIO_PROXY = "istio-proxy"
_CLUSTER_FIRST = frozenset({None, "", "ClusterFirst"})


class _Owner(msgspec.Struct, gc=False):
    kind: str = ""
    name: str = ""
    controller: bool | None = None


class _Annotations(msgspec.Struct, gc=False):
    redirection: str | None = msgspec.field(name="ambient.istio.io/redirection", default=None)


class _Meta(msgspec.Struct, rename="camel", gc=False):
    name: str
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    deletion_timestamp: str | None = None
    labels: msgspec.Raw = msgspec.Raw()
    annotations: _Annotations | None = None
    owner_references: list[_Owner] | None = None


class _Port(msgspec.Struct, rename="camel", gc=False):
    container_port: int
    name: str | None = None
    protocol: str | None = None
    host_port: int | None = None


class _HttpGet(msgspec.Struct, gc=False):
    port: int | str = 0
    path: str | None = None
    scheme: str | None = None


class _PortOnly(msgspec.Struct, gc=False):
    port: int | str = 0


class _Probe(msgspec.Struct, rename="camel", gc=False):
    http_get: _HttpGet | None = None
    tcp_socket: _PortOnly | None = None
    grpc: _PortOnly | None = None


class _Container(msgspec.Struct, rename="camel", gc=False):
    name: str = ""
    ports: list[_Port] | None = None
    readiness_probe: _Probe | None = None
    restart_policy: str | None = None


class _Gate(msgspec.Struct, rename="camel", gc=False):
    condition_type: str = ""


class _HostAlias(msgspec.Struct, gc=False):
    ip: str = ""
    hostnames: list[str] | None = None


class _Spec(msgspec.Struct, rename="camel", gc=False):
    node_name: str | None = None
    host_network: bool | None = None
    service_account_name: str | None = None
    containers: list[_Container] | None = None
    init_containers: list[_Container] | None = None
    readiness_gates: list[_Gate] | None = None
    dns_policy: str | None = None
    host_aliases: list[_HostAlias] | None = None


class _Condition(msgspec.Struct, gc=False):
    type: str
    status: str | None = None
    reason: str | None = None
    message: str | None = None


class _Ip(msgspec.Struct, gc=False):
    ip: str | None = None


class _Waiting(msgspec.Struct, gc=False):
    reason: str | None = None


class _Terminated(msgspec.Struct, rename="camel", gc=False):
    reason: str | None = None
    exit_code: int | None = None


class _State(msgspec.Struct, gc=False):
    waiting: _Waiting | None = None
    terminated: _Terminated | None = None


class _ContainerStatus(msgspec.Struct, rename="camel", gc=False):
    restart_count: int | None = None
    state: _State | None = None


class _Status(msgspec.Struct, rename="camel", gc=False):
    phase: str | None = None
    reason: str | None = None
    pod_ip: str | None = msgspec.field(name="podIP", default=None)
    pod_ips: list[_Ip] | None = msgspec.field(name="podIPs", default=None)
    host_ip: str | None = msgspec.field(name="hostIP", default=None)
    conditions: list[_Condition] | None = None
    container_statuses: list[_ContainerStatus] | None = None
    init_container_statuses: list[_ContainerStatus] | None = None


class WirePod(msgspec.Struct, gc=False):
    """A Pod as the API server sends it."""

    metadata: _Meta
    spec: _Spec | None = None
    status: _Status | None = None


_NO_SPEC = _Spec()
_NO_STATUS = _Status()


def flatten(wire: WirePod) -> Pod:
    """Return the flat Pod of one in wire form.

    Raises:
        ValueError: it has no name, or labels that are not strings.
    """
    meta, status = wire.metadata, wire.status or _NO_STATUS
    if not meta.name:
        raise ValueError("it has no name")
    spec = wire.spec or _NO_SPEC
    ready = scheduled = None
    for condition in status.conditions or ():
        if condition.type == "Ready":
            ready = condition
        elif condition.type == "PodScheduled":
            scheduled = condition
    is_ready = ready is not None and ready.status == "True"
    phase = intern(status.phase or "")
    reason, restarts = _state(status, phase)
    return Pod(
        name=meta.name,
        namespace=intern(meta.namespace or ""),
        uid=meta.uid or "",
        resource_version=meta.resource_version or "",
        deleting=meta.deletion_timestamp is not None,
        template=_template(meta, spec),
        node=intern(spec.node_name or ""),
        host_ip=intern(status.host_ip or ""),
        ips=_addresses(status),
        phase=phase,
        ready=is_ready,
        ready_reason="" if is_ready or ready is None else intern(ready.reason or ""),
        reason=intern(reason),
        unscheduled=(scheduled.message or "") if scheduled is not None and scheduled.status == "False" else "",
        restarts=restarts,
    )


def _addresses(status: _Status) -> tuple[str, ...]:
    listed = tuple(entry.ip for entry in status.pod_ips or () if entry.ip)
    return listed or ((status.pod_ip,) if status.pod_ip else ())


def _state(status: _Status, phase: str) -> tuple[str, int]:
    """Return what kubectl's STATUS column would say, and the restarts."""
    reason, restarts = status.reason or phase, 0
    for container in (*(status.init_container_statuses or ()), *(status.container_statuses or ())):
        restarts += container.restart_count or 0
        state = container.state
        if state is None:
            continue
        if state.waiting is not None and state.waiting.reason not in {None, "PodInitializing", "ContainerCreating"}:
            reason = state.waiting.reason or reason
        elif state.waiting is not None and phase == "Pending" and state.waiting.reason:
            reason = state.waiting.reason
        elif state.terminated is not None and (state.terminated.exit_code or 0) != 0:
            reason = state.terminated.reason or f"ExitCode:{state.terminated.exit_code}"
    return reason, restarts


def _template(meta: _Meta, spec: _Spec) -> PodTemplate:
    """Return the template of a Pod; those that are read alike have the same one, which is made once."""
    wire = (
        meta.labels,
        meta.owner_references,
        meta.annotations,
        spec.containers,
        spec.init_containers,
        spec.host_network,
        spec.service_account_name,
        spec.readiness_gates,
        spec.dns_policy,
        spec.host_aliases,
    )
    key = _ENCODER.encode(wire)
    found = _MADE.get(key)
    if found is None:
        found = _made(meta, spec)
        if len(_MADE) >= _MOST_MADE:
            _MADE.clear()  # the Pods of jobs that come and go have templates of their own, without end
        _MADE[key] = found
    return found


_ENCODER = msgspec.json.Encoder()
_MADE: dict[bytes, PodTemplate] = {}
_MOST_MADE = 1 << 14


def _made(meta: _Meta, spec: _Spec) -> PodTemplate:
    owner_kind = owner_name = ""
    for owner in meta.owner_references or ():
        if owner.controller:
            owner_kind, owner_name = owner.kind, owner.name
    ports: tuple[ContainerPort, ...] = ()
    probes: tuple[Probe, ...] = ()
    meshed = False
    sidecars = [item for item in spec.init_containers or () if item.restart_policy == "Always"]
    for container, sidecar in (
        *((item, True) for item in sidecars),
        *((item, False) for item in spec.containers or ()),
    ):
        meshed = meshed or container.name == _ISTIO_PROXY
        if container.ports:
            ports += tuple(
                ContainerPort(
                    container.name,
                    port.container_port,
                    port.name or "",
                    port.protocol or "TCP",
                    port.host_port or 0,
                    sidecar,
                )
                for port in container.ports
            )
        if container.readiness_probe is not None:
            probes += (_probe(container.name, container.readiness_probe),)
    return PodTemplate.of(
        Labels.of_json(bytes(meta.labels)),
        owner_kind,
        owner_name,
        ports,
        probes,
        bool(spec.host_network),
        spec.service_account_name or "",
        tuple(gate.condition_type for gate in spec.readiness_gates or ()),
        meshed,
        meta.annotations is not None and meta.annotations.redirection == "enabled",
        "" if spec.dns_policy in _CLUSTER_FIRST else spec.dns_policy or "",
        tuple((name.lower(), alias.ip) for alias in spec.host_aliases or () for name in alias.hostnames or ()),
    )


def _probe(container: str, probe: _Probe) -> Probe:
    if probe.http_get is not None:
        http = probe.http_get
        return Probe(container, "http", _probe_port(http.port), http.path or "/", http.scheme or "HTTP")
    if probe.tcp_socket is not None:
        return Probe(container, "tcp", _probe_port(probe.tcp_socket.port))
    if probe.grpc is not None:
        return Probe(container, "grpc", _probe_port(probe.grpc.port))
    return Probe(container, "exec")


def _probe_port(port: int | str) -> int | str:
    """Return the port that is asked: the kubelet takes a text that is no port's name for a number."""
    return int(port) if isinstance(port, str) and port.isascii() and port.isdigit() else port
