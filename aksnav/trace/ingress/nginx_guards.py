"""What ingress-nginx does between the match and the backend, in its order of phases, and how it speaks to the backend.

From kubernetes/ingress-nginx rootfs/etc/nginx/template/nginx.tmpl: the server's rewrite phase (app-root), the
location's (denied, CORS, its redirects, then Lua's redirect to https), and the access phase (address lists,
authentication).
"""

import msgspec

from aksnav.model.kubernetes.controllers import NginxIngressController
from aksnav.model.kubernetes.ingress import Ingress
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.ingress import nginx_access, nginx_redirects
from aksnav.trace.ingress.answer import respond
from aksnav.trace.ingress.nginx_locations import PREFIX, Server, annotation, enabled
from aksnav.trace.ingress.nginx_redirects import ACME, said
from aksnav.trace.ingress.rules import Rule, Rules
from aksnav.trace.packet import Packet
from aksnav.trace.routing.types import Controller
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_AUTHENTICATION = ("auth-url", "auth-type", "auth-snippet")
# Annotations that may end a request with an answer of their own, or send it elsewhere, and that are not modelled.
_NOT_MODELLED = (
    *_AUTHENTICATION,
    "auth-tls-secret",
    "ssl-passthrough",
    "server-snippet",
    "configuration-snippet",
    "enable-modsecurity",
    "modsecurity-snippet",
)
_TLS_ONLY = frozenset({"auth-tls-secret", "ssl-passthrough"})
_WHOLE_SERVER = frozenset({"server-snippet", "ssl-passthrough", "auth-tls-secret"})
_LIMITS = ("limit-connections", "limit-rpm", "limit-rps", "global-rate-limit")
_SCHEMES = {"HTTP": ("http", False), "HTTPS": ("https", True), "GRPC": ("grpc", False), "GRPCS": ("grpcs", True)}
_OTHER_PROTOCOLS = frozenset({"FCGI", "AJP"})


def guards(  # noqa: PLR0913 - what was found, and where
    store: Store,
    controller: Controller,
    rule: Rule,
    server: Server,
    rules: Rules,
    packet: Packet,
    *,
    default: Rule | None,
    settings: NginxIngressController | None,
    encrypted: bool,
) -> tuple[Step, ...]:
    """Return the steps between the match and the backend, in NGINX's order of phases; a RESPOND step is the last.

    Args:
        store: what is known.
        controller: who answers.
        rule: whose location was chosen.
        server: its server block.
        rules: what the controller serves.
        packet: the request in the clear.
        default: the rule of the server's own location ``/``, if it has one.
        settings: what the controller was told by its own kind, if anything.
        encrypted: the client spoke TLS.
    """
    early = nginx_redirects.app_root(server, default if server.host else None, packet, encrypted=encrypted)
    early = early or nginx_access.denied(rule, packet)
    # The location for all other names takes the address lists and authentication of its Ingress, and no redirects.
    if rule is not default or server.host:
        early = early or _rewrite_phase(rule, rules, packet, settings, encrypted=encrypted)
    if early is not None:
        return (early,)
    listed = nginx_access.address_lists(store, controller, rule, packet)
    # An NginxIngressController says whether the annotation has an effect; elsewhere a flag that is not read does.
    ignored = frozenset({"ssl-passthrough"} if settings is not None and not settings.passthrough else ())
    unknown = tuple(_unsupported(rule, server, packet, ignored, encrypted=encrypted))
    if listed is not None and listed.verdict is Verdict.RESPOND and not _satisfied_by_either(rule):
        return (listed,)
    lists = (listed,) if listed is not None and listed.verdict is not Verdict.RESPOND else ()
    return (*lists, *unknown, *_mirror(rule, packet))


def _rewrite_phase(
    rule: Rule, rules: Rules, packet: Packet, settings: NginxIngressController | None, *, encrypted: bool
) -> Step | None:
    if enabled(rule.ingress, "enable-cors") and packet.method == "OPTIONS":
        return respond(rule, packet, 204, "a CORS preflight is answered by NGINX with 204", said(rule, "enable-cors"))
    return nginx_redirects.own_redirect(rule, packet) or nginx_redirects.https_redirect(
        rule, rules, packet, settings, encrypted=encrypted
    )


def _satisfied_by_either(rule: Rule) -> bool:
    """Whether the address list or the authentication is enough (satisfy: any), so that a refusal does not decide."""
    return annotation(rule.ingress, "satisfy").lower() == "any" and any(
        annotation(rule.ingress, name) for name in _AUTHENTICATION
    )


def upstream(ingress: Ingress, packet: Packet, *, encrypted: bool) -> Packet:
    """Return the packet as NGINX sends it to the Pod: backend-protocol and upstream-vhost."""
    protocol = annotation(ingress, "backend-protocol").upper()
    scheme, tls = _SCHEMES.get(protocol, ("http", False))
    if protocol == "AUTO_HTTP":
        scheme, tls = ("https", True) if encrypted else ("http", False)
    # NGINX sends no Host header of its own to a gRPC backend.
    named = "" if scheme.startswith("grpc") else annotation(ingress, "upstream-vhost")
    return msgspec.structs.replace(packet, scheme=scheme, tls=tls, host=named or packet.host)


def limits(ingress: Ingress) -> tuple[str, ...]:
    """Return what is taken for granted of the client where an Ingress limits rates: NGINX answers 503 beyond them."""
    found = [(name, annotation(ingress, name)) for name in _LIMITS]
    return tuple(f"the client stays within {name} {value} of Ingress {ingress.id}" for name, value in found if value)


def _unsupported(rule: Rule, server: Server, packet: Packet, ignored: frozenset[str], *, encrypted: bool) -> list[Step]:
    ingress = rule.ingress
    by_id = {ingress.id: rule} | {other.ingress.id: other for other in server.rules if other.ingress.id != ingress.id}
    steps: list[Step] = []
    for ident, other in by_id.items():
        for name in _NOT_MODELLED:
            elsewhere = ident != ingress.id and name not in _WHOLE_SERVER
            if name in ignored or elsewhere or (name in _TLS_ONLY and not encrypted):
                continue
            if name in _AUTHENTICATION and rule.path.startswith(ACME):
                continue
            value = annotation(other.ingress, name)
            if value and value.lower() != "false":
                steps.append(_not_modelled(other, name, packet))
    if annotation(ingress, "backend-protocol").upper() in _OTHER_PROTOCOLS:
        steps.append(_not_modelled(rule, "backend-protocol", packet))
    return steps


def _mirror(rule: Rule, packet: Packet) -> tuple[Step, ...]:
    target = annotation(rule.ingress, "mirror-target")
    if not target:
        return ()
    step = _not_modelled(rule, "mirror-target", packet)
    summary = f"a copy of the request goes to {target} as well, and its answer is dropped (mirror-target)"
    return (msgspec.structs.replace(step, verdict=Verdict.PASS, summary=summary, missing=""),)


def _not_modelled(rule: Rule, name: str, packet: Packet) -> Step:
    ingress = rule.ingress
    return Step(
        kind=Kind.ROUTE_FILTER,
        verdict=Verdict.UNSUPPORTED,
        summary=f"annotation {name} of Ingress {ingress.id} may answer in place of the backend",
        subject=ingress.ref,
        version=ingress.resource_version,
        packet=packet,
        evidence=(Evidence(f".metadata.annotations['{PREFIX}{name}']", annotation(ingress, name), ingress.ref),),
        missing=f"annotation {PREFIX}{name}",
        confirm=kubectl.show(ingress.ref, ".metadata.annotations"),
    )
