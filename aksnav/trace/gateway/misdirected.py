"""Requests whose Host is another listener's than the one that the server name chose (Listener.hostname).

TLS chooses the listener by the server name, HTTP asks for a host; where the two belong to different HTTPS listeners of
a port, the Gateway should answer 421, and 404 where no listener has the host (RFC 9110, section 15.5.20).
"""

from collections.abc import Sequence

from aksnav.trace import kubectl
from aksnav.trace.gateway.place import Place
from aksnav.trace.packet import Packet
from aksnav.trace.routing.hostnames import any_labels, bare, specificity
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_MISDIRECTED = 421
_NOT_FOUND = 404


def step(place: Place, packet: Packet) -> Step | None:
    """Return the step of a request that came to the wrong listener, or None.

    Args:
        place: the HTTPS listener that the server name chose.
        packet: the request; without TLS, and where Host and server name are the same, it is at its place.
    """
    host = bare(packet.host)
    if not packet.tls or not packet.sni or host == bare(packet.sni):
        return None
    own = any_labels(place.listener.hostname, host)
    rank = specificity(place.listener.hostname) if own else None
    better = _better(place, host, rank)
    if own and better is None:
        return None
    status = _NOT_FOUND if better is None else _MISDIRECTED
    where = f"listener {better.listener.name} is for it" if better is not None else "no listener is for it"
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.RESPOND,
        summary=f"host {host} came to {place.name} by server name {packet.sni}, and {where}: answers {status}",
        subject=place.gateway.ref,
        version=place.gateway.resource_version,
        packet=packet,
        status=status,
        evidence=(
            Evidence(f"{place.field}.hostname", place.listener.hostname or "*", place.gateway.ref),
            *((Evidence(f"{better.field}.hostname", better.listener.hostname, place.gateway.ref),) if better else ()),
            Evidence("request host", host),
            Evidence("server name", packet.sni),
        ),
        assumptions=("the controller detects misdirected requests, as the specification says that it should",),
        confirm=kubectl.show(place.gateway.ref, ".spec.listeners"),
        fix="ask with the server name of the host",
    )


def _better(place: Place, host: str, rank: tuple[int, int] | None) -> Place | None:
    """The HTTPS listener of the port that takes a host before another that takes it with ``rank``, or None."""
    others: Sequence[Place] = [
        Place(place.gateway, item)
        for item in place.gateway.listeners
        if item is not place.listener and item.protocol == "HTTPS" and item.port == place.listener.port
    ]
    fitting = [
        other
        for other in others
        if any_labels(other.listener.hostname, host) and (rank is None or specificity(other.listener.hostname) > rank)
    ]
    return max(fitting, key=lambda other: specificity(other.listener.hostname), default=None)
