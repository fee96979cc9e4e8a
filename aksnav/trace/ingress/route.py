"""An Ingress controller's road: listener and TLS, host and path, the backend (networking.k8s.io/v1, per controller)."""

import msgspec

from aksnav.model.kubernetes.ingress import Ingress
from aksnav.store import Store
from aksnav.trace.ingress import agic as ingress_agic
from aksnav.trace.ingress import answer as ingress_answer
from aksnav.trace.ingress import nginx as ingress_nginx
from aksnav.trace.ingress.answer import Decision
from aksnav.trace.ingress.rules import Rules, rules_of, spec_choice
from aksnav.trace.packet import Packet
from aksnav.trace.routing import tls
from aksnav.trace.routing.hostnames import bare, choose
from aksnav.trace.routing.types import NGINX, Controller, Flavour, Routing
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
    if packet.tls:
        handshake = _handshake(store, controller, packet, rules)
        steps.append(handshake)
        if handshake.verdict is Verdict.REJECT:
            return Routing(steps=tuple(steps), ended=True)
    inside = msgspec.structs.replace(
        packet,
        tls=False,
        sni="",
        host=packet.host or packet.sni,
        scheme={"https": "http", "grpcs": "grpc"}.get(packet.scheme, packet.scheme),
    )
    if controller.flavour in NGINX:
        routing = ingress_nginx.route(store, controller, inside, rules, encrypted=packet.tls)
    elif controller.flavour is Flavour.AGIC:
        routing = ingress_agic.route(store, controller, inside, rules, encrypted=packet.tls)
    else:
        routing = _by_specification(store, controller, inside, rules)
    return msgspec.structs.replace(routing, steps=(*steps, *routing.steps))


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
    encrypts = _speaks_tls(controller, packet.port)
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


def _handshake(store: Store, controller: Controller, packet: Packet, rules: Rules) -> Step:
    """The TLS handshake, with the certificate that the server name gets."""
    name = bare(packet.sni or packet.host)
    owner, index = _certificate_of(rules, name)
    if owner is not None:
        secret = owner.tls[index].secret_name
        if secret:
            name = f"{owner.namespace}/{secret}"
            step = tls.certificate_step(store, owner, f".spec.tls[{index}].secretName", name, packet)
            if controller.flavour is Flavour.AGIC and step.cause:
                # AGIC writes no HTTPS listener without the certificate (reference section 5.6, A09).
                summary = f"Secret {name} of Ingress {owner.id} cannot be used: there is no HTTPS listener"
                return msgspec.structs.replace(
                    step, verdict=Verdict.REJECT, cause="A09", summary=summary, assumptions=()
                )
            return step
    subject = owner.ref if owner is not None else None
    own = "its own certificate" if controller.flavour not in NGINX else "its self-signed certificate"
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.PASS,
        summary=f"no Ingress of {controller.label} brings a certificate for {name}: it shows {own}",
        subject=subject,
        packet=packet,
        evidence=(Evidence(".spec.tls[].hosts", "none has this name", subject),),
        assumptions=(f"the client accepts the controller's default certificate for {name}",),
    )


def _certificate_of(rules: Rules, name: str) -> tuple[Ingress | None, int]:
    """The oldest Ingress with a TLS entry for a name: exact, then a wildcard of one label, then one for any host."""
    named = rules.certificates.get(name) or rules.certificates.get(f"*.{name.partition('.')[2]}")
    if named is not None:
        return named
    taking = choose(rules.by_host, name)
    for rule in rules.by_host.get(taking, ()) if taking is not None else ():
        for index, entry in enumerate(rule.ingress.tls):
            if not entry.hosts:
                return rule.ingress, index
    return None, 0


def _by_specification(store: Store, controller: Controller, packet: Packet, rules: Rules) -> Routing:
    """Any other controller: the specification, and an assumption that names it."""
    host = bare(packet.host)
    chosen_host = choose(rules.by_host, host)
    candidates = rules.by_host.get(chosen_host, ()) if chosen_host is not None else ()
    rule, considered = spec_choice(candidates, packet.path)
    name = controller.name or controller.flavour.value
    assumptions = [f"{name} reads Ingresses by the specification"]
    if rule is not None and rule.path_type == "ImplementationSpecific":
        assumptions.append(f"{name} reads ImplementationSpecific paths as Prefix")
    decision = Decision(
        host=host, chosen_host=chosen_host, rule=rule, considered=considered, assumptions=tuple(assumptions)
    )
    if rule is not None:
        step = ingress_answer.match_step(decision, rule, packet, rules)
        where = f"{rule.field}.backend"
        return Routing(
            steps=(step,),
            targets=(ingress_answer.target(store, controller, rule.ingress, where, rule.backend, packet),),
        )
    fallback = default_ingress(rules)
    if fallback is not None and not rules.unreadable:
        return ingress_answer.default_routing(store, controller, fallback, packet, decision)
    return Routing(steps=(ingress_answer.no_match(controller, decision, packet, rules),), ended=True)


def default_ingress(rules: Rules) -> Ingress | None:
    """Return the Ingress whose default backend takes what no rule matches: one without rules first, then the oldest."""
    having = [row for row in rules.ingresses if row.default_backend is not None]
    return next((row for row in having if not row.rules), having[0] if having else None)
