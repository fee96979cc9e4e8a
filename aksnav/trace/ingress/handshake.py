"""The TLS handshake of an Ingress controller: which certificate a server name gets (IngressTLS, and ingress-nginx)."""

from aksnav.model.kubernetes.ingress import Ingress
from aksnav.store import Store
from aksnav.trace.ingress import app_routing
from aksnav.trace.ingress.nginx_servers import certificate_of
from aksnav.trace.ingress.rules import Rules
from aksnav.trace.packet import Packet
from aksnav.trace.routing import tls
from aksnav.trace.routing.hostnames import bare, choose
from aksnav.trace.routing.types import NGINX, Controller
from aksnav.trace.step import Evidence, Kind, Step, Verdict


def shown(store: Store, controller: Controller, packet: Packet, rules: Rules) -> Step:
    """Return the step of the handshake, with the certificate that the server name gets.

    Args:
        store: what is known.
        controller: who shows the certificate.
        packet: as the client sent it.
        rules: what the controller serves.
    """
    name = bare(packet.sni or packet.host)
    if controller.flavour in NGINX:
        found = certificate_of(rules, name)
        owner, index, named = (found.ingress, found.index, found.named) if found is not None else (None, 0, True)
    else:
        (owner, index), named = _by_specification(rules, name), True
    if owner is None or not owner.tls[index].secret_name:
        settings = app_routing.settings_of(store, controller)
        given = app_routing.certificate_step(store, settings, name, packet) if settings is not None else None
        return given or _default(controller, owner, name, packet)
    secret = f"{owner.namespace}/{owner.tls[index].secret_name}"
    if not named:
        return _by_content(owner, name, packet)
    return tls.certificate_step(store, owner, f".spec.tls[{index}].secretName", secret, packet)


def _by_specification(rules: Rules, name: str) -> tuple[Ingress | None, int]:
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


def _by_content(owner: Ingress, name: str, packet: Packet) -> Step:
    """No section names the host: NGINX takes the Secret whose certificate does, and content is never read."""
    secrets = ", ".join(dict.fromkeys(entry.secret_name for entry in owner.tls if entry.secret_name))
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.PASS,
        summary=f"TLS for {name} ends here with the Secret of Ingress {owner.id} whose certificate names it, if any",
        subject=owner.ref,
        version=owner.resource_version,
        packet=packet,
        evidence=(Evidence(".spec.tls[].secretName", secrets, owner.ref, "no section names this host"),),
        assumptions=(f"a certificate in {secrets} of namespace {owner.namespace} names {name}",),
        confirm=f"openssl s_client -connect ADDRESS:{packet.port} -servername {name}",
    )


def _default(controller: Controller, owner: Ingress | None, name: str, packet: Packet) -> Step:
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
