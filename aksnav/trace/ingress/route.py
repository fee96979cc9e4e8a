"""An Ingress controller's road: listener and TLS, host and path, the backend (networking.k8s.io/v1, per controller)."""

from collections.abc import Sequence

import msgspec

from aksnav.store import Store
from aksnav.trace.ingress import agic, containers, handshake, hidden, nginx, specification
from aksnav.trace.ingress.rules import Rules, rules_of
from aksnav.trace.packet import Packet
from aksnav.trace.routing.types import NGINX, OUTSIDE, Controller, Flavour, Routing
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_TLS_PORT = 443


def route(store: Store, controller: Controller, packet: Packet) -> Routing:
    """Return what an Ingress controller does with a packet.

    Args:
        store: what is known.
        controller: who received it.
        packet: as the client sent it to the controller's address; ``port`` is the Service's port.
    """
    rules = rules_of(store, controller)
    arrival = _arrive(controller, packet)
    if arrival.verdict is Verdict.SKIP or arrival.verdict in {Verdict.RESPOND, Verdict.REJECT}:
        return Routing(steps=(arrival,), ended=arrival.verdict is not Verdict.SKIP)
    steps = [arrival]
    if controller.flavour is Flavour.AGIC:
        routing = agic.route(store, controller, packet, rules)
        return _told(store, controller, rules, steps, routing)
    if packet.tls:
        steps.append(handshake.shown(store, controller, packet, rules))
    inside = msgspec.structs.replace(
        packet,
        tls=False,
        sni="",
        host=packet.host or packet.sni,
        scheme={"https": "http", "grpcs": "grpc"}.get(packet.scheme, packet.scheme),
    )
    if controller.flavour in NGINX:
        routing = nginx.route(store, controller, inside, rules, encrypted=packet.tls)
    elif controller.flavour is Flavour.APPLICATION_GATEWAY_FOR_CONTAINERS:
        routing = containers.route(store, controller, inside, rules, encrypted=packet.tls)
    else:
        routing = specification.route(store, controller, inside, rules)
    return _told(store, controller, rules, steps, routing)


def _told(store: Store, controller: Controller, rules: Rules, lead: Sequence[Step], routing: Routing) -> Routing:
    """The routing behind the steps that lead to it, with the word on rules that can never be reached."""
    told = (hidden.told(store, controller, rules, step) for step in routing.steps)
    return msgspec.structs.replace(routing, steps=(*lead, *told))


def _arrive(controller: Controller, packet: Packet) -> Step:
    """The controller's listener: who it is, and whether it speaks what the client speaks."""
    subject = controller.service.ref if controller.service is not None else None
    base = Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.PASS,
        summary=f"{controller.label} takes it, and serves class {', '.join(controller.classes) or '(none known)'}",
        subject=subject,
        version=controller.service.resource_version if controller.service is not None else "",
        packet=packet,
        evidence=controller.why,
        assumptions=controller.assumptions,
    )
    if not packet.http:
        return msgspec.structs.replace(
            base,
            verdict=Verdict.SKIP,
            summary=f"{controller.label} takes the connection; without HTTP there is nothing to route by",
        )
    # An outside load balancer opens its ports by the rules that it serves.
    encrypts = _speaks_tls(controller, packet.port) if controller.flavour not in OUTSIDE else None
    if encrypts is None or encrypts == packet.tls:
        return base
    if packet.tls:
        return msgspec.structs.replace(
            base,
            verdict=Verdict.REJECT,
            summary=f"port {packet.port} of {controller.label} speaks plain HTTP: the TLS handshake fails",
            evidence=(Evidence("port", str(packet.port), subject, "the HTTP port"),),
            fix="use http, or the HTTPS port",
        )
    return msgspec.structs.replace(
        base,
        verdict=Verdict.RESPOND,
        status=400,
        summary=f"port {packet.port} of {controller.label} speaks TLS: a plain HTTP request is answered with 400",
        evidence=(Evidence("port", str(packet.port), subject, "the HTTPS port"),),
        fix="use https, or the HTTP port",
    )


def _speaks_tls(controller: Controller, port: int) -> bool | None:
    """Whether a port of the controller's Service speaks TLS, by its number, name and target; None if nothing tells."""
    ports = controller.service.ports if controller.service is not None else ()
    known = next((item for item in ports if item.port == port), None) or next(
        (item for item in ports if item.target == port), None
    )
    words = {port} if known is None else {port, known.port, known.name, known.target, known.app_protocol}
    if words & {_TLS_PORT, "https", "websecure", 8443}:
        return True
    return False if words & {80, "http", "web", 8080} else None
