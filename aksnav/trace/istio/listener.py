"""Which server of the Gateways of a workload takes a connection (Istio reference, "Gateway": Server, Port).

Servers of all Gateways that select the workload share its ports: for HTTP they are one listener with virtual hosts, for
TLS the server name chooses (istio/istio pilot/pkg/model/gateway.go, MergeGateways; Envoy, FilterChainMatch).
"""

from collections.abc import Sequence

import msgspec

from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.istio import credentials, hosts
from aksnav.trace.istio.scope import Place, Workload, patches, places, selects, unread
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale
from aksnav.trace.routing.hostnames import bare
from aksnav.trace.routing.types import Controller
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

_HTTP = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB"})
_TLS = frozenset({"HTTPS", "TLS"})
PASSED_ON = frozenset({"PASSTHROUGH", "AUTO_PASSTHROUGH"})
_LISTING = "kubectl get gateways.networking.istio.io -A"


class Opened(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What took the connection.

    Attributes:
        steps: the listener, and the handshake where TLS ends there.
        servers: the servers that go on with it: all of a port for HTTP, one for everything else.
        speaks: http, tls (passed through) or tcp; empty where nothing goes on.
        ended: the last step ends the road.
    """

    steps: tuple[Step, ...] = ()
    servers: tuple[Place, ...] = ()
    speaks: str = ""
    ended: bool = False


def family(place: Place) -> str:
    """Return what a server speaks, as far as servers of one port have to agree: http, tls or tcp."""
    protocol = place.server.port.protocol.upper()
    return "http" if protocol in _HTTP else "tls" if protocol in _TLS else "tcp"


def port_of(controller: Controller, found: Sequence[Place], port: int) -> int:
    """Return the number that servers have for a packet's port: the Service's, also where only its target is known."""
    numbers = {place.server.port.number for place in found}
    if port in numbers or controller.service is None:
        return port
    return next((item.port for item in controller.service.ports if item.target == port and item.port in numbers), port)


def choose(store: Store, controller: Controller, at: Workload, packet: Packet) -> Opened:
    """Return the servers that take a packet at a gateway workload."""
    everything = places(store, at)
    port = port_of(controller, everything, packet.port)
    here = [place for place in everything if place.server.port.number == port]
    missing = unread(store, ("IstioGateway",))
    if not here:
        return _end(_nothing(store, controller, at, everything, port, missing, packet))
    speaks = family(here[0])
    agreeing = [place for place in here if family(place) == speaks]
    others = [place for place in here if place not in agreeing]
    if speaks == "http":
        if packet.tls:
            return _end(_cut(here[0], packet, "it speaks plain HTTP, and the client begins with TLS"))
        if not packet.http:
            return Opened()
        return Opened(
            steps=(_taken(store, controller, at, agreeing, others, missing, packet),),
            servers=tuple(agreeing),
            speaks="http",
        )
    if speaks == "tcp" and not agreeing[0].server.tls:
        step = _taken(store, controller, at, agreeing[:1], [*agreeing[1:], *others], missing, packet)
        return Opened(steps=(step,), servers=tuple(agreeing[:1]), speaks="tcp")
    if not packet.tls:
        return _end(_cut(here[0], packet, "it speaks TLS, and the client does not"))
    return _by_name(store, controller, at, agreeing, others, missing, packet)


def _by_name(
    store: Store,
    controller: Controller,
    at: Workload,
    found: Sequence[Place],
    others: Sequence[Place],
    missing: str,
    packet: Packet,
) -> Opened:
    """The server whose hosts name what the client asks for in the handshake; of two with the same host the older."""
    name = bare(packet.sni or packet.host)
    best = hosts.narrowest([host for place in found for host in hosts.plain(place.server.hosts)], name)
    if best is None:
        step = _cut(found[0], packet, f"no server of the port has the host {name or '(none)'}")
        facts = tuple(
            Evidence(f"{place.field}.hosts", ", ".join(place.server.hosts), place.gateway.ref) for place in found[:4]
        )
        step = msgspec.structs.replace(step, cause="G27", evidence=facts, fix="add the host to a server of the Gateway")
        return _end(_doubted(step, missing))
    place = next(item for item in found if best in hosts.plain(item.server.hosts))
    rest = [*(item for item in found if item is not place), *others]
    taken = _taken(store, controller, at, [place], rest, missing, packet)
    mode = place.server.tls.mode if place.server.tls is not None else "PASSTHROUGH"
    if mode in PASSED_ON:
        return Opened(steps=(taken,), servers=(place,), speaks="tls")
    shaken = credentials.handshake(store, place, at, packet)
    if shaken.verdict is Verdict.REJECT:
        return Opened(steps=(taken, shaken), ended=True)
    speaks = "http" if place.server.port.protocol.upper() == "HTTPS" else "tcp"
    return Opened(steps=(taken, shaken), servers=(place,), speaks=speaks)


def _end(step: Step) -> Opened:
    return Opened(steps=(step,), ended=True)


def _doubted(step: Step, missing: str) -> Step:
    """A step that ends the road because something is not there, where not everything could be read."""
    if not missing:
        return step
    return msgspec.structs.replace(step, verdict=Verdict.BLIND, status=0, cause="", missing=missing)


def _nothing(
    store: Store,
    controller: Controller,
    at: Workload,
    everything: Sequence[Place],
    port: int,
    missing: str,
    packet: Packet,
) -> Step:
    """No server has the port, so that nothing listens: G17 where a Gateway has one and selects other Pods."""
    astray = [
        (row, index)
        for row in sorted(store.istio_gateways, key=lambda row: row.id)
        for index, server in enumerate(row.servers)
        if server.port.number == port and not selects(row.selector, at.labels) and not _selected(store, row.selector)
    ]
    worn = ",".join(f"{key}={value}" for key, value in sorted(at.labels.items()) if key in {"istio", "app"})
    facts = [Evidence(".metadata.labels", worn or "(no label istio)", None, "of the gateway's Pods")]
    facts += [
        Evidence(f"{place.field}.port.number", str(place.server.port.number), place.gateway.ref)
        for place in everything[:5]
    ]
    facts += [Evidence(".spec.selector", _text(row.selector), row.ref, f"has port {port}") for row, _ in astray[:3]]
    own = controller.service.ref if controller.service is not None else None
    subject = astray[0][0].ref if astray else everything[0].gateway.ref if everything else own
    step = Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.REJECT,
        summary=f"Gateway {astray[0][0].id} has a server for port {port}, and its selector matches no gateway Pod"
        if astray
        else f"no Gateway that selects this workload has a server for port {port}: nothing listens there",
        subject=subject,
        packet=packet,
        cause="G17" if astray else "G27",
        evidence=tuple(facts),
        confirm=_LISTING,
        fix="give the Gateway the labels of the gateway's Pods (istio: aks-istio-ingressgateway-external)"
        if astray
        else f"add a server for port {port} to a Gateway",
    )
    return _doubted(step, missing)


def _selected(store: Store, selector: dict[str, str]) -> bool:
    """Whether some Pod of Istio's proxy has what a selector wants; not known counts as yes."""
    if not store.pods.access().complete:
        return True
    return any(pod.template.meshed and selects(selector, pod.labels) for pod in store.pods)


def _text(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "(everything)"


def _cut(place: Place, packet: Packet, why: str) -> Step:
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.REJECT,
        summary=f"{place.name} cuts the connection off: {why}",
        subject=place.gateway.ref,
        version=place.gateway.resource_version,
        packet=packet,
        evidence=(Evidence(f"{place.field}.port.protocol", place.server.port.protocol, place.gateway.ref),),
        confirm=kubectl.show(place.gateway.ref, place.field),
        fix="ask with the scheme that the server speaks, or change the server's protocol",
    )


def _taken(
    store: Store,
    controller: Controller,
    at: Workload,
    servers: Sequence[Place],
    others: Sequence[Place],
    missing: str,
    packet: Packet,
) -> Step:
    place = servers[0]
    patched = patches(store, at)
    unknown = unread(store, ("EnvoyFilter",))
    mode = place.server.tls.mode if place.server.tls is not None else ""
    odd = f"tls mode {mode} of {place.name}" if mode == "AUTO_PASSTHROUGH" else ""
    named = odd or (f"EnvoyFilter {patched[0].id}, which may change what the gateway does" if patched else "")
    assumed = [f"no Gateway that cannot be read changes this ({missing})"] if missing else []
    assumed += [f"no EnvoyFilter changes what the gateway does ({unknown})"] if unknown else []
    assumed += [f"server.bind {place.server.bind} is an address of the Pod"] if place.server.bind else []
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.UNSUPPORTED if named else Verdict.PASS,
        summary=f"{place.name} takes {packet.sni or packet.host or 'the connection'}"
        + (f", with {len(servers) - 1} more of the port" if len(servers) > 1 else ""),
        subject=place.gateway.ref,
        version=place.gateway.resource_version,
        packet=packet,
        evidence=(
            Evidence(f"{place.field}.port.number", str(place.server.port.number), place.gateway.ref),
            Evidence(f"{place.field}.hosts", ", ".join(place.server.hosts), place.gateway.ref),
            Evidence(".spec.selector", _text(place.gateway.selector), place.gateway.ref),
            *(Evidence(".metadata.name", row.name, row.ref) for row in patched[:3]),
        ),
        considered=(
            *(Considered(item.name, True, "its hosts are looked at") for item in servers),
            *(Considered(item.name, False, "another host or protocol") for item in others),
        ),
        assumptions=(*controller.assumptions, *assumed, *stale(store.istio_gateways)),
        missing=named,
        confirm=kubectl.show(place.gateway.ref),
    )
