"""How ingress-nginx, and the application routing add-on that is built from it, answer a request.

From kubernetes/ingress-nginx: docs/user-guide/nginx-configuration/annotations.md,
rootfs/etc/nginx/lua/{lua_ingress,balancer}.lua and rootfs/etc/nginx/template/nginx.tmpl.
The controller's ConfigMap is taken to have its defaults.
"""

import posixpath

import msgspec

from aksnav.model.kubernetes.ingress import BackendPort, Ingress, IngressBackend, ServiceBackend
from aksnav.store import Store
from aksnav.trace.ingress import answer as ingress_answer
from aksnav.trace.ingress import nginx_canary, nginx_guards
from aksnav.trace.ingress.answer import Decision
from aksnav.trace.ingress.nginx_locations import (
    PREFIX,
    Found,
    Server,
    Servers,
    annotation,
    build,
    enabled,
    find,
    is_prefix,
    needs_rewrite,
    server_name,
    servers_of,
    winning_ingresses,
)
from aksnav.trace.ingress.rules import Rule, Rules
from aksnav.trace.memo import once
from aksnav.trace.packet import Packet
from aksnav.trace.routing.hostnames import bare
from aksnav.trace.routing.safe_regex import Refused, compile_safely
from aksnav.trace.routing.types import Controller, Routing, Target
from aksnav.trace.routing.uri import decode
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_REGEX = "regular expressions of NGINX (PCRE) are read as Python's"


def route(store: Store, controller: Controller, packet: Packet, rules: Rules, *, encrypted: bool) -> Routing:
    """Return what NGINX does with a request after the handshake.

    Args:
        store: what is known.
        controller: who received it.
        packet: the request in the clear.
        rules: what the controller serves.
        encrypted: the client spoke TLS.
    """
    host = bare(packet.host)
    servers = _servers(store, controller, rules)
    name, alias = server_name(servers, host)
    if name is None or name == "":
        other = nginx_guards.www_redirect(rules, host, packet, encrypted=encrypted)
        if other is not None:
            return Routing(steps=(other,), ended=True)
    server = build(name or "", _rules_of(rules, name))
    path = normalize(packet.path)
    found = find(server, path)
    decision = _decision(host, name, server, found)
    if alias is not None:
        said = Evidence(f".metadata.annotations['{PREFIX}server-alias']", annotation(alias, "server-alias"), alias.ref)
        decision = msgspec.structs.replace(decision, evidence=(*decision.evidence, said))
    if found.rule is None:
        return _default(store, controller, packet, rules, decision, found)
    return _matched(store, controller, packet, rules, servers, server, found.rule, decision, found, encrypted=encrypted)


def _servers(store: Store, controller: Controller, rules: Rules) -> Servers:
    name = f"nginx servers of {','.join(controller.classes)}"
    return once(store, name, ("Ingress", "IngressClass"), lambda: servers_of(rules))


def _rules_of(rules: Rules, name: str | None) -> list[Rule]:
    """The rules of a server; a default backend without rules has the catch-all server's ``/`` before any rule."""
    listed = rules.by_host.get(name, ()) if name is not None else ()
    taken = name == "" and any(
        row.default_backend is not None and not row.rules and not enabled(row, "canary") for row in rules.ingresses
    )
    return [rule for rule in listed if not (taken and rule.path == "/" and is_prefix(rule))]


def normalize(path: str) -> str:
    """Return a path as NGINX compares it: decoded, dots resolved, slashes merged (ngx_http_core_module, location)."""
    decoded = decode(path) or "/"
    merged = posixpath.normpath(decoded) if decoded.startswith("/") else decoded
    merged = "/" + merged.lstrip("/")
    return f"{merged}/" if decoded.endswith(("/", "/.", "/..")) and merged != "/" else merged


def _decision(host: str, name: str | None, server: Server, found: Found) -> Decision:
    assumptions: list[str] = []
    evidence: list[Evidence] = []
    forced = server.forced_regex
    if forced is not None:
        which = "use-regex" if annotation(forced.ingress, "use-regex") else "rewrite-target"
        evidence.append(
            Evidence(
                f".metadata.annotations['{PREFIX}{which}']",
                annotation(forced.ingress, which),
                forced.ingress.ref,
                f"every path of host {server.host or '*'} is a case-insensitive expression",
            )
        )
        if found.rule is not None and set(found.rule.path) & set("()[]{}|*+?\\^$"):
            assumptions.append(_REGEX)
    if found.slash_added:
        assumptions.append("the client follows the 301 with which NGINX adds a slash to the path")
    if found.refused is not None:
        assumptions.append(f"{found.refused[0].name} does not match: {found.refused[1]}")
    shadowed = [pair for pair in server.shadowed if pair[1] is found.rule]
    for rule, first in shadowed:
        evidence.append(
            Evidence(f"{rule.field}.path", rule.path, rule.ingress.ref, f"shadowed by {first.ingress.id} (I14)")
        )
        if rule.ingress.created == first.ingress.created:
            assumptions.append("of Ingresses of the same second, ingress-nginx takes the name that sorts last")
    return Decision(
        host=host,
        chosen_host=name,
        rule=found.rule,
        considered=found.considered,
        assumptions=tuple(dict.fromkeys(assumptions)),
        evidence=tuple(evidence),
    )


def _default(
    store: Store, controller: Controller, packet: Packet, rules: Rules, decision: Decision, found: Found
) -> Routing:
    """No location: the default backend of the Ingress that opened the host, of a catch-all Ingress, or 404."""
    if found.refused is not None:
        rule, why = found.refused
        step = Step(
            kind=Kind.ROUTE_MATCH,
            verdict=Verdict.UNSUPPORTED,
            summary=f"whether {rule.name} takes {packet.path} is not evaluated",
            subject=rule.ingress.ref,
            packet=packet,
            considered=decision.considered,
            missing=f"regular expression {rule.path}: {why}",
        )
        return Routing(steps=(step,), ended=True)
    owner = _default_owner(rules, decision.chosen_host)
    if owner is None or rules.unreadable:
        return Routing(steps=(ingress_answer.no_match(controller, decision, packet, rules),), ended=True)
    return ingress_answer.default_routing(store, controller, owner, packet, decision)


def _default_owner(rules: Rules, host: str | None) -> Ingress | None:
    """The Ingress whose default backend takes what no location of a server takes.

    A host's server has that of the Ingress that opened it, if any. The catch-all server has that of the last Ingress
    that brings one (internal/ingress/controller/controller.go, createServers).
    """
    ordered = [row for row in winning_ingresses(rules.ingresses) if not enabled(row, "canary")]
    if host:
        opened = next((row for row in ordered if any(rule.host.lower() == host for rule in row.rules)), None)
        return opened if opened is not None and opened.default_backend is not None else None
    return next((row for row in reversed(ordered) if row.default_backend is not None), None)


def _matched(  # noqa: PLR0913 - what was found, and where
    store: Store,
    controller: Controller,
    packet: Packet,
    rules: Rules,
    servers: Servers,
    server: Server,
    rule: Rule,
    decision: Decision,
    found: Found,
    *,
    encrypted: bool,
) -> Routing:
    arrived = msgspec.structs.replace(packet, path=f"{packet.path}/") if found.slash_added else packet
    inside, rewriting = _rewrite(rule, arrived)
    inside = nginx_guards.upstream(rule.ingress, inside)
    matched = ingress_answer.match_step(msgspec.structs.replace(decision, after=inside), rule, packet, rules)
    guards = nginx_guards.guards(store, controller, rule, server, rules, packet, encrypted=encrypted)
    if guards and guards[-1].verdict is Verdict.RESPOND:
        plain = msgspec.structs.replace(matched, verdict=Verdict.PASS, packet_after=None)
        return Routing(steps=(plain, *guards), ended=True)
    where = f"{rule.field}.backend"
    main = ingress_answer.target(store, controller, rule.ingress, where, rule.backend, inside)
    targets, considered = nginx_canary.share(store, controller, rules, servers, rule, main)
    targets = tuple(_spare(store, controller, rule, target) for target in targets)
    matched = msgspec.structs.replace(matched, considered=(*matched.considered, *considered))
    return Routing(steps=(matched, *guards, *rewriting), targets=targets)


def _spare(store: Store, controller: Controller, rule: Rule, target: Target) -> Target:
    """Annotation default-backend: its Service takes over where the rule's has no endpoint, and it has one itself."""
    name = annotation(rule.ingress, "default-backend")
    faulty = target.ended and target.steps[-1].verdict is Verdict.RESPOND
    if not name or not (faulty or ingress_answer.is_empty(store, target)):
        return target
    service = store.services.get(f"{rule.ingress.namespace}/{name}")
    if service is None or not service.ports:
        return target
    backend = IngressBackend(service=ServiceBackend(name=name, port=BackendPort(number=service.ports[0].port)))
    spare = ingress_answer.target(store, controller, rule.ingress, ".metadata.annotations", backend, target.packet)
    if spare.ended or ingress_answer.is_empty(store, spare):
        return target
    note = f"{target.label} has no endpoint: the Service of annotation default-backend takes over"
    return msgspec.structs.replace(spare, weight=target.weight, label=f"{spare.label} ({note})")


def _rewrite(rule: Rule, packet: Packet) -> tuple[Packet, tuple[Step, ...]]:
    """rewrite-target: the part of the path that the rule's path matches is replaced, groups filled in."""
    wanted = annotation(rule.ingress, "rewrite-target")
    if not needs_rewrite(rule):
        return packet, ()
    path = normalize(packet.path)
    pattern = compile_safely(rule.path, path, ignore_case=True)
    if isinstance(pattern, Refused):
        step = Step(
            kind=Kind.ROUTE_FILTER,
            verdict=Verdict.UNSUPPORTED,
            summary=f"what rewrite-target {wanted} makes of {path} is not evaluated",
            subject=rule.ingress.ref,
            packet=packet,
            evidence=(Evidence(f".metadata.annotations['{PREFIX}rewrite-target']", wanted, rule.ingress.ref),),
            missing=f"regular expression {rule.path}: {pattern.why}",
        )
        return packet, (step,)
    match = pattern.search(path)
    if match is None:
        return packet, ()
    # NGINX's rewrite replaces the whole URI with the target; $1 to $9 are the groups of the match.
    target, query = wanted, packet.query
    for number in range(9, 0, -1):
        group = match.group(number) if number <= (pattern.groups or 0) else ""
        target = target.replace(f"${number}", group or "")
    head, mark, tail = target.partition("?")
    if mark:
        query = f"{tail}&{query}" if query and tail else tail or query
    return msgspec.structs.replace(packet, path=head or "/", query=query), ()
