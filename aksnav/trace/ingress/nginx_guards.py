"""What ingress-nginx does before it proxies: redirects, address lists, authentication."""

from collections.abc import Iterable

import msgspec

from aksnav.model.addresses import Prefix, format_address, parse_address, parse_prefix
from aksnav.model.kubernetes.ingress import Ingress
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.ingress.answer import respond
from aksnav.trace.ingress.nginx_locations import PREFIX, Server, annotation, enabled
from aksnav.trace.ingress.rules import Rule, Rules
from aksnav.trace.packet import Packet
from aksnav.trace.routing.types import Controller
from aksnav.trace.step import Evidence, Kind, Step, Verdict

# Annotations that may end a request with an answer of their own, and that are not modelled.
_NOT_MODELLED = (
    "auth-url",
    "auth-type",
    "auth-tls-secret",
    "ssl-passthrough",
    "server-snippet",
    "configuration-snippet",
    "auth-snippet",
    "enable-modsecurity",
    "modsecurity-snippet",
)
_TLS_ONLY = frozenset({"auth-tls-secret", "ssl-passthrough"})
_SCHEMES = {"HTTP": ("http", False), "HTTPS": ("https", True), "GRPC": ("grpc", False), "GRPCS": ("grpcs", True)}
_EVERYTHING = ("0.0.0.0/0", "::/0")


def guards(
    store: Store,
    controller: Controller,
    rule: Rule,
    server: Server,
    rules: Rules,
    packet: Packet,
    *,
    encrypted: bool,
) -> tuple[Step, ...]:
    """Return the steps between the match and the backend, in NGINX's order of phases; a RESPOND step is the last.

    Rewrite phase: the Ingress's own redirects, then the one to HTTPS. Access phase: address lists, authentication.
    """
    early = _own_redirect(rule, packet, encrypted=encrypted) or _https_redirect(rule, server, rules, packet, encrypted)
    if early is not None:
        return (early,)
    listed = _address_lists(store, controller, rule, packet)
    if listed is not None and listed.verdict is Verdict.RESPOND:
        return (listed,)
    if enabled(rule.ingress, "enable-cors") and packet.method == "OPTIONS":
        said = _said(rule.ingress, "enable-cors")
        return (respond(rule, packet, 204, "a CORS preflight is answered by NGINX with 204", said),)
    unknown = tuple(_unsupported(rule.ingress, server, packet, encrypted=encrypted))
    return (*((listed,) if listed is not None else ()), *unknown)


def upstream(ingress: Ingress, packet: Packet) -> Packet:
    """Return the packet as NGINX sends it to the Pod: backend-protocol and upstream-vhost."""
    scheme, tls = _SCHEMES.get(annotation(ingress, "backend-protocol").upper(), ("http", False))
    host = annotation(ingress, "upstream-vhost") or packet.host
    return msgspec.structs.replace(packet, scheme=scheme, tls=tls, host=host)


def www_redirect(rules: Rules, host: str, packet: Packet, *, encrypted: bool) -> Step | None:
    """Return the redirect between ``www.`` and the bare name where from-to-www-redirect asks for it, else None."""
    other = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
    for rule in rules.by_host.get(other, ()):
        if enabled(rule.ingress, "from-to-www-redirect"):
            scheme = "https" if encrypted or _has_tls(other, rules) is not None else "http"
            where = f"{scheme}://{other}{packet.path}"
            summary = f"{host} is sent to {where} with 308 (from-to-www-redirect)"
            return respond(rule, packet, 308, summary, _said(rule.ingress, "from-to-www-redirect"))
    return None


def _own_redirect(rule: Rule, packet: Packet, *, encrypted: bool) -> Step | None:
    ingress = rule.ingress
    root = annotation(ingress, "app-root")
    if root and packet.path == "/":
        where = f"{'https' if encrypted else 'http'}://{packet.host}{root}"
        return respond(rule, packet, 302, f"/ is sent to {where} with 302 (app-root)", _said(ingress, "app-root"))
    for name, usual in (("temporal-redirect", 302), ("permanent-redirect", 301)):
        where = annotation(ingress, name)
        if where:
            code = annotation(ingress, f"{name}-code")
            status = int(code) if code in {"301", "302", "303", "307", "308"} else usual
            return respond(rule, packet, status, f"sent to {where} with {status} ({name})", _said(ingress, name))
    return None


def _https_redirect(rule: Rule, server: Server, rules: Rules, packet: Packet, encrypted: bool) -> Step | None:
    if encrypted:
        return None
    ingress, where = rule.ingress, f"https://{packet.host}{packet.path}"
    if enabled(ingress, "force-ssl-redirect"):
        said = _said(ingress, "force-ssl-redirect")
        return respond(rule, packet, 308, f"http is sent to {where} with 308 (force-ssl-redirect)", said)
    if annotation(ingress, "ssl-redirect").lower() in {"false", "0", "f"}:
        return None
    found = _has_tls(server.host, rules)
    if found is None:
        return None
    step = respond(
        rule,
        packet,
        308,
        f"http is sent to {where} with 308: host {server.host or '*'} has TLS, and ssl-redirect is on by default",
        Evidence(".spec.tls[].hosts", ", ".join(host for entry in found.tls for host in entry.hosts), found.ref),
    )
    return msgspec.structs.replace(
        step,
        assumptions=("the controller's ConfigMap leaves ssl-redirect on and http-redirect-code at 308",),
        fix="use https, or set the annotation ssl-redirect to false",
    )


def _has_tls(host: str, rules: Rules) -> Ingress | None:
    """The Ingress that gives a server its certificate: the oldest with a rule for the host and a TLS section.

    A section that does not name the host gives it the default certificate, which counts too
    (internal/ingress/controller/controller.go, createServers).
    """
    for rule in rules.by_host.get(host, ()):
        if rule.ingress.tls and host:
            return rule.ingress
    return None


def _address_lists(store: Store, controller: Controller, rule: Rule, packet: Packet) -> Step | None:
    ingress = rule.ingress
    denied = annotation(ingress, "denylist-source-range")
    name = next((key for key in ("whitelist-source-range", "allowlist-source-range") if annotation(ingress, key)), "")
    allowed = annotation(ingress, name) if name else ""
    if not denied and not allowed:
        return None
    seen, why = _seen(store, controller, packet)
    refused_by = "denylist-source-range" if denied and _within(seen, denied) is True else ""
    inside = _within(seen, allowed) if allowed else True
    if not refused_by and inside is True and (not denied or _within(seen, denied) is False):
        said = _said(ingress, name or "denylist-source-range")
        return _list_step(rule, packet, Verdict.PASS, f"{why} is let in", said)
    if not refused_by and (inside is None or (denied and _within(seen, denied) is None)):
        said = _said(ingress, name or "denylist-source-range")
        step = _list_step(rule, packet, Verdict.BLIND, f"whether {why} is let in depends on the address", said)
        return msgspec.structs.replace(step, missing="the address that NGINX sees")
    key = refused_by or name
    policy = controller.service.external_traffic_policy if controller.service is not None else ""
    step = respond(
        rule,
        packet,
        403,
        f"{why} is not let in by {key}: answers 403",
        _said(ingress, key),
        cause="I12",
        fix="externalTrafficPolicy Local, so that NGINX sees the client's address; or list the address that it sees",
    )
    seen_as = Evidence(
        ".spec.externalTrafficPolicy", policy or "Cluster", controller.service.ref if controller.service else None, why
    )
    return msgspec.structs.replace(step, evidence=(*step.evidence, seen_as))


def _list_step(rule: Rule, packet: Packet, verdict: Verdict, summary: str, said: Evidence) -> Step:
    return Step(
        kind=Kind.ROUTE_FILTER,
        verdict=verdict,
        summary=summary,
        subject=rule.ingress.ref,
        version=rule.ingress.resource_version,
        packet=packet,
        evidence=(said,),
        confirm=kubectl.show(rule.ingress.ref, ".metadata.annotations"),
    )


def _seen(store: Store, controller: Controller, packet: Packet) -> tuple[list[int] | None, str]:
    """The addresses that NGINX may see the client at, None for any; and a word for people.

    Behind externalTrafficPolicy Cluster the source is rewritten to a node's address on the way (kube-proxy).
    """
    service = controller.service
    behind = service is not None and service.type in {"LoadBalancer", "NodePort"}
    local = service is not None and service.external_traffic_policy == "Local"
    nodes = [number for node in store.nodes for number in map(parse_address, node.internal_ips) if number is not None]
    from_inside = packet.source is not None and (
        packet.source in nodes or bool(store.pods_at(packet.source)) or packet.destination in _virtual(controller)
    )
    if behind and not local and not from_inside and nodes:
        return nodes, "the node's address, which externalTrafficPolicy Cluster puts in place of the client's,"
    if packet.source in nodes and behind and not local:
        return [
            packet.source or 0
        ], "the node's address, which externalTrafficPolicy Cluster puts in place of the client's,"
    if packet.source is None:
        return None, f"a client of {packet.source_word or 'any address'}"
    return [packet.source], f"the client {format_address(packet.source)}"


def _virtual(controller: Controller) -> set[int | None]:
    return {parse_address(ip) for ip in controller.service.virtual_ips} if controller.service is not None else set()


def _within(seen: list[int] | None, text: str) -> bool | None:
    """Whether every address is in the ranges (True), none is (False), or it depends (None)."""
    ranges = [prefix for prefix in map(parse_prefix, _parts(text)) if prefix is not None]
    if seen is None:
        if all(item in _parts(text) for item in _EVERYTHING[:1]):
            return True
        return None if ranges else False
    hits = {_any(ranges, address) for address in seen}
    return hits.pop() if len(hits) == 1 else None


def _any(ranges: Iterable[Prefix], address: int) -> bool:
    return any(address in prefix for prefix in ranges)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _unsupported(ingress: Ingress, server: Server, packet: Packet, *, encrypted: bool) -> list[Step]:
    owners = dict.fromkeys((ingress.id, *(rule.ingress.id for rule in server.rules)))
    by_id = {rule.ingress.id: rule.ingress for rule in server.rules} | {ingress.id: ingress}
    steps: list[Step] = []
    for ident in owners:
        for name in _NOT_MODELLED:
            whole_server = name in {"server-snippet", "ssl-passthrough"}
            if (ident != ingress.id and not whole_server) or (name in _TLS_ONLY and not encrypted):
                continue
            value = annotation(by_id[ident], name)
            if value and value.lower() != "false":
                steps.append(_not_modelled(by_id[ident], name, packet))
    return steps


def _not_modelled(ingress: Ingress, name: str, packet: Packet) -> Step:
    return Step(
        kind=Kind.ROUTE_FILTER,
        verdict=Verdict.UNSUPPORTED,
        summary=f"annotation {name} of Ingress {ingress.id} may answer in place of the backend",
        subject=ingress.ref,
        version=ingress.resource_version,
        packet=packet,
        evidence=(_said(ingress, name),),
        missing=f"annotation {PREFIX}{name}",
        confirm=kubectl.show(ingress.ref, ".metadata.annotations"),
    )


def _said(ingress: Ingress, name: str) -> Evidence:
    return Evidence(f".metadata.annotations['{PREFIX}{name}']", annotation(ingress, name), ingress.ref)
