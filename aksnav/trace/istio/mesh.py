"""What the sidecars do with a connection between Pods: mutual TLS, policies, and rules that are not followed.

Sources: Istio reference, "PeerAuthentication" (workload before namespace before mesh) and "Destination Rule"
(ClientTLSSettings); concepts, "Security" (auto mutual TLS: a proxy speaks it to Pods that have a sidecar).
"""

import msgspec

from aksnav.model.kubernetes.istio import DestinationRule
from aksnav.model.kubernetes.istio_security import MutualTLS, PeerAuthentication
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.istio import authorization, hosts, rules, tokens
from aksnav.trace.istio.scope import (
    GATEWAY_NAME,
    Workload,
    by_age,
    looks_like_gateway,
    root,
    root_unsure,
    selects,
    unread,
)
from aksnav.trace.packet import Packet
from aksnav.trace.place import Place
from aksnav.trace.readable import stale
from aksnav.trace.routing import recognise
from aksnav.trace.routing.types import Controller, Flavour
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_UNAVAILABLE = 503
_PLAIN, _MUTUAL, _TLS = "plain text", "mutual TLS", "TLS"
_INTERCEPTED = "traffic.sidecar.istio.io/excludeInboundPorts"


class Connection(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A connection that comes to a Pod.

    Attributes:
        source: who opened it.
        controller: the proxy that did, if one did.
        service: through which it came; None where the Pod was asked by its own address.
        port: of that Service; subset: of it, where a rule chose one.
        packet: as it arrives at the Pod.
    """

    source: Place
    controller: Controller | None
    service: Service | None
    port: int
    subset: str
    packet: Packet


class _Mode(msgspec.Struct, frozen=True, gc=False):
    """What the sidecar of a Pod takes, and which object says so."""

    mode: str
    row: PeerAuthentication | None = None
    field: str = ""


class _Spoken(msgspec.Struct, frozen=True, gc=False):
    """What the client's proxy speaks, and which object says so."""

    words: str
    row: DestinationRule | None = None
    field: str = ""


def is_gateway(store: Store, pod: Pod) -> bool:
    """Return whether the proxy in a Pod is a gateway and no sidecar."""
    named = GATEWAY_NAME in pod.labels or recognise.pod(pod) is Flavour.ISTIO_CLASSIC
    return named or looks_like_gateway(store, (pod,), None)


def sidecar(store: Store, pod: Pod | None) -> bool:
    """Return whether a Pod has a sidecar of Istio's."""
    return pod is not None and pod.template.meshed and not pod.template.host_network and not is_gateway(store, pod)


def arrive(store: Store, pod: Pod, connection: Connection) -> tuple[Step, ...]:
    """Return what the mesh does with a connection at a Pod; nothing where neither end has a proxy of Istio's."""
    packet = connection.packet
    sender = connection.source.pod
    from_proxy = sender is not None and sender.template.meshed and not sender.template.host_network
    own = sidecar(store, pod)
    if packet.protocol != "TCP" or not (own or from_proxy) or (pod.template.meshed and not own):
        return ()
    taken = _taken(store, pod, packet.port) if own else _Mode("DISABLE")
    spoken = _spoken(store, connection, taken, own=own) if from_proxy else _Spoken(_PLAIN)
    if not own and spoken.words == _PLAIN and (spoken.row is not None or not unread(store, ("DestinationRule",))):
        return ()
    missing = unread(store, ("PeerAuthentication",)) or root_unsure(store, store.peer_authentications) if own else ""
    step = _handshake(store, pod, connection, taken, spoken, missing)
    if step.verdict is not Verdict.PASS or not own:
        return (step,)
    at, what, ref = Workload(pod.namespace, pod.labels), f"Pod {pod.id}", Ref(Pod.KIND, pod.id)
    asking = _asking(connection, spoken)
    checked = tokens.check(store, at, packet, f"the sidecar of {what}", ref) if asking.http else tokens.Checked()
    asking = msgspec.structs.replace(asking, tokens=checked.carried)
    judged = authorization.judge(store, at, asking, what, ref)
    if judged.step is None:
        return (step, *checked.steps)
    return (step, *checked.steps, _with_interception(judged.step) if judged.ended else judged.step)


def strict(store: Store, pod: Pod, port: int) -> Evidence | None:
    """Return the field that makes a Pod's sidecar take mutual TLS alone at a port; None where nothing proves it."""
    if not sidecar(store, pod) or unread(store, ("PeerAuthentication",)):
        return None
    taken = _taken(store, pod, port)
    return (
        Evidence(taken.field, taken.mode, taken.row.ref) if taken.row is not None and taken.mode == "STRICT" else None
    )


def _asking(connection: Connection, spoken: _Spoken) -> authorization.Asking:
    sender, packet = connection.source.pod, connection.packet
    address = packet.source if packet.source is not None else connection.source.address
    seen = (address,) if address is not None else None
    peer = (sender.namespace, sender.template.service_account or "default") if sender is not None else None
    return authorization.Asking(
        packet=packet,
        http=packet.http and not packet.tls,
        peer=peer if spoken.words == _MUTUAL else None,
        addresses=seen,
        forwarded=seen if connection.controller is None else None,
    )


def _taken(store: Store, pod: Pod, port: int) -> _Mode:
    """The mode for a port: of the workload, of its namespace, of the mesh; PERMISSIVE where nobody says one."""
    rows = by_age(store, store.peer_authentications)
    near = [row for row in rows if row.namespace == pod.namespace]
    own = [row for row in near if row.selector is not None and selects(row.selector.wanted, pod.labels)]
    for row in own[:1]:
        said = row.port_level_mtls.get(str(port))
        if said is not None and _set(said):
            return _Mode(said.mode, row, f".spec.portLevelMtls['{port}'].mode")
    wide = [row for row in near if row.selector is None or not row.selector.wanted]
    mesh = [row for row in rows if row.namespace == root(store) and row.selector is None]
    for row in (*own[:1], *wide[:1], *mesh[:1]):
        if row.mtls is not None and _set(row.mtls):
            return _Mode(row.mtls.mode, row, ".spec.mtls.mode")
    return _Mode("PERMISSIVE")


def _set(said: MutualTLS) -> bool:
    return said.mode not in {"", "UNSET"}


def _spoken(store: Store, connection: Connection, taken: _Mode, *, own: bool) -> _Spoken:
    """What the client's proxy speaks: what a DestinationRule says, else mutual TLS where the Pod takes it."""
    sender, service = connection.source.pod, connection.service
    if sender is None or service is None:
        # A Pod that is asked by its address is no host of the registry: the proxy passes the bytes on.
        return _Spoken(_PLAIN)
    name = f"{service.name}.{service.namespace}.{hosts.DOMAIN}"
    ruled = rules.ruling(store, Workload(sender.namespace, sender.labels), name, service.namespace)
    said = ruled.tls(connection.subset, connection.port)
    if said is not None and said[2].mode:
        row, field, tls = said
        words = {"DISABLE": _PLAIN, "ISTIO_MUTUAL": _MUTUAL}.get(tls.mode, _TLS)
        return _Spoken(words, row, f"{field}.mode")
    return _Spoken(_MUTUAL if own and taken.mode != "DISABLE" else _PLAIN)


def _handshake(store: Store, pod: Pod, connection: Connection, taken: _Mode, spoken: _Spoken, missing: str) -> Step:
    meshed = sidecar(store, pod)
    clash = _clash(taken, spoken, meshed=meshed)
    at = f"the sidecar of Pod {pod.id}" if meshed else f"Pod {pod.id}, which has no sidecar,"
    facts = [
        Evidence(".spec.containers[*].name", "istio-proxy" if meshed else "(no istio-proxy)", Ref(Pod.KIND, pod.id))
    ]
    if taken.row is not None:
        facts.append(Evidence(taken.field, taken.mode, taken.row.ref))
    if spoken.row is not None:
        facts.append(Evidence(spoken.field, _mode_of(spoken), spoken.row.ref))
    blamed = taken.row or spoken.row
    assumed = _assumed(store, pod, connection, spoken)
    step = Step(
        kind=Kind.MESH,
        verdict=Verdict.PASS,
        summary=f"{at} takes {spoken.words} ({taken.mode})" if meshed else f"{at} gets {spoken.words}",
        subject=blamed.ref if blamed is not None else Ref(Pod.KIND, pod.id),
        version=blamed.resource_version if blamed is not None else pod.resource_version,
        packet=connection.packet,
        evidence=tuple(facts),
        assumptions=(*assumed, *stale(store.peer_authentications, store.destination_rules)),
        confirm=kubectl.listing(PeerAuthentication.KIND),
    )
    if missing and (clash or spoken.words != _MUTUAL or spoken.row is not None):
        what = f"whether {at} takes {spoken.words} is not known"
        return msgspec.structs.replace(step, verdict=Verdict.BLIND, summary=what, missing=missing)
    if not clash:
        return step
    answers = sidecar(store, connection.source.pod) and connection.packet.http and connection.service is not None
    end = f"the client's own sidecar answers {_UNAVAILABLE}" if answers else "the connection is reset"
    blocked = msgspec.structs.replace(
        step,
        verdict=Verdict.RESPOND if answers else Verdict.REJECT,
        status=_UNAVAILABLE if answers else 0,
        summary=f"{at} {clash}: {end}",
        cause="G21",
        fix="let the caller have a sidecar, PeerAuthentication be PERMISSIVE, or the DestinationRule's tls.mode fit",
    )
    return _with_interception(blocked) if meshed else blocked


def _mode_of(spoken: _Spoken) -> str:
    return {_PLAIN: "DISABLE", _MUTUAL: "ISTIO_MUTUAL"}.get(spoken.words, "SIMPLE or MUTUAL")


def _clash(taken: _Mode, spoken: _Spoken, *, meshed: bool) -> str:
    if taken.mode == "STRICT" and spoken.words != _MUTUAL:
        return f"takes mutual TLS alone (STRICT), and the client speaks {spoken.words}"
    if not meshed and spoken.words == _MUTUAL:
        return "does not understand the mutual TLS that a DestinationRule makes the client's proxy speak"
    if taken.mode == "DISABLE" and spoken.words == _MUTUAL:
        return "takes no mutual TLS (DISABLE), and a DestinationRule makes the client's proxy speak it"
    return ""


def _assumed(store: Store, pod: Pod, connection: Connection, spoken: _Spoken) -> tuple[str, ...]:
    found = []
    if spoken.words == _TLS:
        found.append(f"something in Pod {pod.id} speaks TLS at port {connection.packet.port}")
    missing = unread(store, ("DestinationRule",)) if connection.source.pod is not None else ""
    if missing and spoken.row is None:
        found.append(f"no DestinationRule changes how the client's proxy connects ({missing})")
    hidden = unread(store, ("IstioGateway",)) if sidecar(store, pod) else ""
    if hidden:
        found.append(f"the proxy in Pod {pod.id} is a sidecar and no gateway ({hidden})")
    return tuple(found)


def _with_interception(step: Step) -> Step:
    line = f"the sidecar takes port {step.packet.port} (no annotation {_INTERCEPTED} names it)"
    return msgspec.structs.replace(step, assumptions=(*step.assumptions, line))
