"""The steps of a packet that no listener takes: no port, another protocol, no host name, nothing to route by."""

from collections.abc import Sequence

from aksnav.model.kubernetes.gateway import Gateway
from aksnav.trace import kubectl
from aksnav.trace.gateway import grpc, kinds
from aksnav.trace.gateway.place import Place
from aksnav.trace.packet import Packet
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict


def no_port(gateways: Sequence[Gateway], everything: Sequence[Place], packet: Packet) -> Step:
    """Return the step of a port on which no listener is."""
    first = gateways[0]
    listed = ", ".join(f"{place.listener.name} {place.listener.protocol} {place.listener.port}" for place in everything)
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.REJECT,
        summary=f"Gateway {', '.join(row.id for row in gateways)} has no listener on port {packet.port}"
        + (f" for {packet.protocol}" if packet.protocol != "TCP" else ""),
        subject=first.ref,
        version=first.resource_version,
        packet=packet,
        evidence=(Evidence(".spec.listeners[].port", listed or "none", first.ref),),
        considered=tuple(Considered(place.name, False, "is on another port or protocol") for place in everything),
        confirm=kubectl.show(first.ref, ".spec.listeners"),
        fix=f"add a listener on port {packet.port}, or use a port that has one",
    )


def wrong_protocol(here: Sequence[Place], packet: Packet) -> Step | None:
    """Return the step of a protocol that is not known, or of plain text where TLS is spoken, or the other way."""
    place = here[0]
    unknown = next((item for item in here if item.listener.protocol not in kinds.PROTOCOLS), None)
    if unknown is not None:
        return Step(
            kind=Kind.GATEWAY_LISTENER,
            verdict=Verdict.UNSUPPORTED,
            summary=f"{unknown.name} speaks a protocol that is the controller's own",
            subject=unknown.gateway.ref,
            version=unknown.gateway.resource_version,
            packet=packet,
            evidence=(Evidence(f"{unknown.field}.protocol", unknown.listener.protocol, unknown.gateway.ref),),
            missing=f"{unknown.listener.protocol} listener",
            confirm=kubectl.show(unknown.gateway.ref, unknown.field),
        )
    protocols = {item.listener.protocol for item in here}
    if not packet.http or protocols & {"TCP", "UDP"} or protocols & ({"HTTPS", "TLS"} if packet.tls else {"HTTP"}):
        return None
    speaks, client = ("plain HTTP", "TLS") if packet.tls else ("TLS", "plain HTTP")
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.REJECT,
        summary=f"{place.name} speaks {speaks} and the client speaks {client}: the connection is closed",
        subject=place.gateway.ref,
        version=place.gateway.resource_version,
        packet=packet,
        evidence=(Evidence(f"{place.field}.protocol", place.listener.protocol, place.gateway.ref),),
        confirm=kubectl.show(place.gateway.ref, place.field),
        fix="use the other scheme, or the other port",
    )


def not_http(place: Place, packet: Packet) -> Step:
    """Return the step of a connection that is taken, and in which there is nothing to route by."""
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.SKIP,
        summary=f"{place.name} takes the connection; without HTTP or TLS there is nothing to route by",
        subject=place.gateway.ref,
        version=place.gateway.resource_version,
        packet=packet,
        evidence=(Evidence(f"{place.field}.port", str(place.listener.port), place.gateway.ref),),
    )


def no_hostname(fitting: Sequence[Place], name: str, packet: Packet) -> Step:
    """Return the step of a host that no listener of the port takes: 404, or with TLS a refused handshake."""
    first = fitting[0]
    listed = ", ".join(place.listener.hostname or "*" for place in fitting)
    answer = "the handshake is refused" if packet.tls else f"answers {not_found(packet)}"
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.REJECT if packet.tls else Verdict.RESPOND,
        summary=f"no listener of Gateway {first.gateway.id} on port {packet.port} takes host {name}: {answer}",
        subject=first.gateway.ref,
        version=first.gateway.resource_version,
        packet=packet,
        cause="G27",
        status=0 if packet.tls else 404,
        evidence=(Evidence(".spec.listeners[].hostname", listed, first.gateway.ref), Evidence("request host", name)),
        considered=tuple(Considered(place.name, False, f"its hostname does not take {name}") for place in fitting),
        confirm=kubectl.show(first.gateway.ref, ".spec.listeners"),
        fix=f"add a listener whose hostname takes {name}",
    )


def not_found(packet: Packet) -> str:
    """Return the status of a request that nothing matches, for people (GatewaySpec.listeners)."""
    return "404 (gRPC UNIMPLEMENTED)" if grpc.is_grpc(packet) else "404"
