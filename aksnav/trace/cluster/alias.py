"""A Service that is an alias of a name elsewhere (type ExternalName)."""

import msgspec

from aksnav.model.addresses import parse_address
from aksnav.model.kubernetes.service import Service
from aksnav.trace.cluster.dns import DOMAIN
from aksnav.trace.journey import DEEPEST, Journey, Road, Walk, too_long
from aksnav.trace.kubectl import show
from aksnav.trace.packet import Packet
from aksnav.trace.step import Evidence, Kind, Step, Verdict


def external_name(walk: Walk, journey: Journey, service: Service, packet: Packet) -> Road:
    """Return the road of an ExternalName Service: the name is looked up again, and nothing translates (S10)."""
    target = service.external_name
    literal = parse_address(target)
    step = Step(
        kind=Kind.DNS_RESOLVE,
        verdict=Verdict.REJECT if literal is not None or not target else Verdict.TRANSFORM,
        summary=f"Service {service.id} is an ExternalName: its name is an alias of {target or '(nothing)'}",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        packet_after=msgspec.structs.replace(packet, destination=None),
        cause="S10" if literal is not None or not target else "",
        evidence=(Evidence(".spec.externalName", target),),
        confirm=show(service.ref, ".spec.externalName"),
        fix="" if literal is None else "an address is not a name: use a Service without selector and an EndpointSlice",
    )
    if step.verdict is Verdict.REJECT:
        return (step,)
    if journey.depth >= DEEPEST:
        return (step, too_long(packet, target))
    host_kept = f"the server at {target} accepts the host name {packet.host}" if packet.http and packet.host else ""
    if host_kept:
        step = msgspec.structs.replace(step, assumptions=(host_kept,))
    if journey.controller is None and (packet.resolved is None or packet.resolved[1] is not None):
        # A client asks for the Service's own name; a proxy for the name that it stands for.
        packet = msgspec.structs.replace(packet, resolved=(f"{service.name}.{service.namespace}.svc.{DOMAIN}", None))
    onward = msgspec.structs.replace(journey, depth=journey.depth + 1)
    return (step, *walk.named(walk, onward, target, msgspec.structs.replace(packet, destination=None)))
