"""Answers that ingress-nginx gives in its rewrite phase: redirects of its own, to HTTPS, and to or from ``www.``.

From kubernetes/ingress-nginx docs/user-guide/nginx-configuration/annotations.md, internal/ingress/annotations/redirect,
rootfs/etc/nginx/template/nginx.tmpl and rootfs/etc/nginx/lua/lua_ingress.lua.
"""

import msgspec

from aksnav.model.kubernetes.controllers import NginxIngressController
from aksnav.trace.ingress.answer import respond
from aksnav.trace.ingress.nginx_locations import PREFIX, Server, annotation, enabled
from aksnav.trace.ingress.nginx_servers import certificate_of
from aksnav.trace.ingress.rules import Rule, Rules
from aksnav.trace.packet import Packet
from aksnav.trace.routing.hostnames import bare
from aksnav.trace.step import Evidence, Step

_CODES = frozenset(map(str, range(300, 309)))
_OFF = frozenset({"false", "0", "f"})
# The ConfigMap's no-tls-redirect-locations and no-auth-locations, by default.
ACME = "/.well-known/acme-challenge"


def www_redirect(rules: Rules, host: str, packet: Packet, *, encrypted: bool) -> Step | None:
    """Return the redirect between ``www.`` and the bare name where from-to-www-redirect asks for it, else None."""
    other = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
    for rule in rules.by_host.get(other, ()):
        if enabled(rule.ingress, "from-to-www-redirect") and not enabled(rule.ingress, "canary"):
            scheme = "https" if encrypted or certificate_of(rules, other) is not None else "http"
            where = f"{scheme}://{other}{packet.path}"
            summary = f"{host} is sent to {where} with 308 (from-to-www-redirect)"
            step = respond(rule, packet, 308, summary, said(rule, "from-to-www-redirect"))
            # A host that has rules of its own is not redirected.
            doubt = (
                (f"no Ingress that cannot be read has host {host} ({rules.unreadable})",) if rules.unreadable else ()
            )
            return msgspec.structs.replace(step, assumptions=(*step.assumptions, *doubt))
    return None


def app_root(server: Server, default: Rule | None, packet: Packet, *, encrypted: bool) -> Step | None:
    """Return the redirect of ``/`` that app-root asks for: it holds for the whole server, whichever Ingress says it."""
    if packet.path != "/":
        return None
    for rule in (*server.rules, *((default,) if default is not None else ())):
        root = annotation(rule.ingress, "app-root")
        if root:
            where = f"{'https' if encrypted else 'http'}://{packet.host}{root}"
            return respond(rule, packet, 302, f"/ is sent to {where} with 302 (app-root)", said(rule, "app-root"))
    return None


def own_redirect(rule: Rule, packet: Packet) -> Step | None:
    """Return the redirect that the matched Ingress asks for: temporal-redirect before permanent-redirect.

    A target that is no http URL is refused by the controller, and nothing is redirected.
    """
    for name, usual in (("temporal-redirect", 302), ("permanent-redirect", 301)):
        where = annotation(rule.ingress, name)
        if not where:
            continue
        if not where.lower().startswith("http"):
            return None
        code = annotation(rule.ingress, f"{name}-code")
        status = int(code) if code in _CODES else usual
        return respond(rule, packet, status, f"sent to {where} with {status} ({name})", said(rule, name))
    return None


def https_redirect(
    rule: Rule, rules: Rules, packet: Packet, settings: NginxIngressController | None, *, encrypted: bool
) -> Step | None:
    """Return the redirect to https: force-ssl-redirect, or ssl-redirect where the host has a certificate.

    An NginxIngressController may force it for every rule that does not say otherwise.
    """
    if encrypted or rule.path.startswith(ACME):
        return None
    where = f"https://{packet.host}{packet.path}"
    forcing = settings is not None and settings.certificate is not None and settings.certificate.force_redirect
    if settings is not None and forcing and not annotation(rule.ingress, "force-ssl-redirect"):
        fact = Evidence(".spec.defaultSSLCertificate.forceSSLRedirect", "true", settings.ref)
        return respond(rule, packet, 308, f"http is sent to {where} with 308: {settings.ref} forces it", fact)
    if enabled(rule.ingress, "force-ssl-redirect"):
        summary = f"http is sent to {where} with 308 (force-ssl-redirect)"
        return respond(rule, packet, 308, summary, said(rule, "force-ssl-redirect"))
    if annotation(rule.ingress, "ssl-redirect").lower() in _OFF:
        return None
    found = certificate_of(rules, bare(packet.host))
    if found is None:
        return None
    owner = found.ingress
    step = respond(
        rule,
        packet,
        308,
        f"http is sent to {where} with 308: host {bare(packet.host)} has TLS, and ssl-redirect is on by default",
        Evidence(".spec.tls[].hosts", ", ".join(host for entry in owner.tls for host in entry.hosts), owner.ref),
    )
    return msgspec.structs.replace(
        step,
        assumptions=("the controller's ConfigMap leaves ssl-redirect on and http-redirect-code at 308",),
        fix="use https, or set the annotation ssl-redirect to false",
    )


def said(rule: Rule, name: str) -> Evidence:
    """Return the fact that an Ingress has an annotation."""
    return Evidence(f".metadata.annotations['{PREFIX}{name}']", annotation(rule.ingress, name), rule.ingress.ref)
