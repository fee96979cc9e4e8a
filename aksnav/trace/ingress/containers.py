"""How Application Gateway for Containers reads an Ingress (MicrosoftDocs, application-gateway/for-containers).

The ALB controller keeps to the specification's Exact and Prefix, has listeners at ports 80 and 443 alone, and takes
rewrites, redirects and backend settings from the IngressExtension that an annotation names
(how-to-url-rewrite-ingress-api.md, how-to-url-redirect-ingress-api.md, migrate-from-agic-to-agc.md).
"""

import msgspec

from aksnav.model.kubernetes.ingress import Ingress
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.ingress import specification
from aksnav.trace.ingress.rules import Rules, rules_in
from aksnav.trace.packet import Packet
from aksnav.trace.routing.hostnames import bare, choose
from aksnav.trace.routing.types import Controller, Routing
from aksnav.trace.step import Evidence, Kind, Step, Verdict

PREFIX = "alb.networking.azure.io/"
_EXTENSION = "alb-ingress-extension"
_PORTS = {False: 80, True: 443}


def route(store: Store, controller: Controller, packet: Packet, rules: Rules, *, encrypted: bool) -> Routing:
    """Return what Application Gateway for Containers does with a request after the handshake.

    Args:
        store: what is known.
        controller: the ALB controller.
        packet: the request in the clear.
        rules: what it serves.
        encrypted: the client spoke TLS.
    """
    listening = tuple(row for row in rules.ingresses if has_tls(row) == encrypted)
    here = msgspec.structs.replace(rules, ingresses=listening, by_host=rules_in(listening))
    if packet.port != _PORTS[encrypted] or (
        choose(here.by_host, bare(packet.host)) is None and _elsewhere(rules, packet)
    ):
        return Routing(steps=(_no_listener(rules, packet, encrypted=encrypted),), ended=True)
    routing = specification.route(store, controller, packet, here)
    match = routing.steps[-1]
    owner = next((row for row in listening if match.subject == row.ref), None)
    if owner is None or match.verdict is Verdict.RESPOND:
        return routing
    frontends = {_frontend(row) for row in rules.ingresses}
    if len(frontends) > 1:
        line = f"the request comes to the frontend of Ingress {owner.id}: {_frontend(owner)}"
        match = msgspec.structs.replace(match, assumptions=(*match.assumptions, line))
    steps = (*routing.steps[:-1], match, *_extension(owner, packet))
    return msgspec.structs.replace(routing, steps=steps)


def annotation(ingress: Ingress, name: str) -> str:
    """Return the value of an annotation of the ALB controller, or an empty string."""
    return ingress.annotations.get(PREFIX + name, "").strip()


def has_tls(ingress: Ingress) -> bool:
    """Return whether the rules of an Ingress are at port 443; without TLS they are at port 80."""
    return bool(ingress.tls)


def _frontend(ingress: Ingress) -> str:
    resource = annotation(ingress, "alb-id") or "/".join(
        part for part in (annotation(ingress, "alb-namespace"), annotation(ingress, "alb-name")) if part
    )
    return " ".join(part for part in (resource, annotation(ingress, "alb-frontend")) if part) or "its own"


def _elsewhere(rules: Rules, packet: Packet) -> bool:
    return choose(rules.by_host, bare(packet.host)) is not None


def _no_listener(rules: Rules, packet: Packet, *, encrypted: bool) -> Step:
    listed = rules.by_host.get(choose(rules.by_host, bare(packet.host)) or "", ())
    first = listed[0].ingress if listed else None
    hosts = ", ".join(name for entry in first.tls for name in entry.hosts) if first is not None else ""
    word = "HTTPS" if encrypted else "HTTP"
    return Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.BLIND if rules.unreadable else Verdict.REJECT,
        summary=f"Application Gateway for Containers has no {word} listener at port {packet.port}"
        f" for host {bare(packet.host)}",
        subject=first.ref if first is not None else None,
        version=first.resource_version if first is not None else "",
        packet=packet,
        cause="A09" if encrypted and packet.port == _PORTS[True] else "",
        evidence=(Evidence(".spec.tls[].hosts", hosts or "none", first.ref if first is not None else None),),
        assumptions=("an Ingress with TLS has a listener at port 443 alone, one without at port 80 alone",),
        missing=rules.unreadable,
        confirm=kubectl.show(first.ref, ".spec.tls") if first is not None else kubectl.listing("Ingress"),
        fix="add spec.tls with a Secret" if encrypted else "ask with https, or add an Ingress without TLS for port 80",
    )


def _extension(ingress: Ingress, packet: Packet) -> tuple[Step, ...]:
    """The IngressExtension of an Ingress may redirect, or change the request and how its backend is spoken to."""
    name = annotation(ingress, _EXTENSION)
    if not name:
        return ()
    return (
        Step(
            kind=Kind.ROUTE_FILTER,
            verdict=Verdict.UNSUPPORTED,
            summary=f"IngressExtension {ingress.namespace}/{name} may redirect or rewrite the request",
            subject=ingress.ref,
            version=ingress.resource_version,
            packet=packet,
            evidence=(Evidence(f".metadata.annotations['{PREFIX}{_EXTENSION}']", name, ingress.ref),),
            missing=f"IngressExtension {ingress.namespace}/{name}",
            confirm=f"kubectl -n {ingress.namespace} get ingressextensions.alb.networking.azure.io -o yaml",
        ),
    )
