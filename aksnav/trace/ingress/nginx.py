"""How ingress-nginx, and the application routing add-on that is built from it, answer a request.

From kubernetes/ingress-nginx: docs/user-guide/nginx-configuration/annotations.md,
rootfs/etc/nginx/lua/{lua_ingress,balancer}.lua and rootfs/etc/nginx/template/nginx.tmpl.
The controller's ConfigMap is taken to have its defaults.
"""

import posixpath
import re
from typing import NamedTuple

import msgspec

from aksnav.model.kubernetes.controllers import NginxIngressController
from aksnav.store import Store
from aksnav.trace.ingress import answer as ingress_answer
from aksnav.trace.ingress import app_routing, nginx_canary, nginx_errors, nginx_guards, nginx_redirects
from aksnav.trace.ingress.answer import Decision
from aksnav.trace.ingress.nginx_locations import (
    PREFIX,
    Found,
    Server,
    annotation,
    build,
    find,
    is_prefix,
    needs_rewrite,
)
from aksnav.trace.ingress.nginx_servers import Servers, server_name, servers_of
from aksnav.trace.ingress.rules import Rule, Rules
from aksnav.trace.memo import once
from aksnav.trace.packet import Packet
from aksnav.trace.routing.hostnames import bare
from aksnav.trace.routing.safe_regex import Refused, compile_safely
from aksnav.trace.routing.types import Controller, Routing
from aksnav.trace.routing.uri import decode
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_REGEX = "regular expressions of NGINX (PCRE) are read as Python's"
# What strict-validate-path-type, on by default from 1.12, takes for a path of Exact and Prefix (docs/faq.md).
_PLAIN = re.compile(r"/[A-Za-z0-9_\-/.]*")


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
    if name != host and alias is None:
        # The server that only redirects has an exact name, which goes before a wildcard.
        other = nginx_redirects.www_redirect(rules, host, packet, encrypted=encrypted)
        if other is not None:
            return Routing(steps=(other,), ended=True)
    default = servers.default_rule(name)
    server = build(name or "", _rules_of(rules, servers, name), default if name else None)
    found = find(server, normalize(packet.path))
    decision = _decision(host, name, server, found)
    if alias is not None:
        said = Evidence(f".metadata.annotations['{PREFIX}server-alias']", annotation(alias, "server-alias"), alias.ref)
        decision = msgspec.structs.replace(decision, evidence=(*decision.evidence, said))
    elif servers.expressions and name != host:
        lines = tuple(f"server-alias {item} does not match {host}" for item in servers.expressions)
        decision = msgspec.structs.replace(decision, assumptions=(*decision.assumptions, *lines))
    settings = app_routing.settings_of(store, controller)
    assumed = (*decision.assumptions, *app_routing.unread(store, controller))
    decision = msgspec.structs.replace(decision, assumptions=assumed)
    asked = Asked(store, controller, packet, rules, servers, server, default, settings, encrypted)
    if found.rule is None:
        return _default(asked, decision, found)
    return _matched(asked, found.rule, decision, found)


class Asked(NamedTuple):
    """A request at its server block: what every step behind the choice of a location needs to know."""

    store: Store
    controller: Controller
    packet: Packet
    rules: Rules
    servers: Servers
    server: Server
    default: Rule | None
    settings: NginxIngressController | None
    encrypted: bool

    def guards(self, rule: Rule) -> tuple[Step, ...]:
        """Return the steps between the match of a rule and its backend."""
        return nginx_guards.guards(
            self.store,
            self.controller,
            rule,
            self.server,
            self.rules,
            self.packet,
            default=self.default,
            settings=self.settings,
            encrypted=self.encrypted,
        )


def _servers(store: Store, controller: Controller, rules: Rules) -> Servers:
    name = f"nginx servers of {','.join(controller.classes)}"
    return once(store, name, ("Ingress", "IngressClass"), lambda: servers_of(rules))


def _rules_of(rules: Rules, servers: Servers, name: str | None) -> list[Rule]:
    """The rules of a server; a default backend without rules has the catch-all server's ``/`` before any rule."""
    listed = rules.by_host.get(name, ()) if name is not None else ()
    taken = name == "" and servers.catch_all is not None
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
    strict = found.rule is not None and found.rule.path_type != "ImplementationSpecific"
    if found.rule is not None and strict and not _PLAIN.fullmatch(found.rule.path):
        assumptions.append(f"strict-validate-path-type is off, or {found.rule.ingress.id} is not served at all")
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


def _default(asked: Asked, decision: Decision, found: Found) -> Routing:
    """No rule's location: the server's own ``/``, which leads to a default backend, or to the controller's 404.

    In a host's server it has the annotations and the default backend of the Ingress that opened the host; in the one
    for all other names those of the first Ingress without rules (controller.go, createServers).
    """
    packet = asked.packet
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
    default = asked.default
    nowhere = ingress_answer.no_match(asked.controller, decision, packet, asked.rules)
    if asked.rules.unreadable:
        return Routing(steps=(nowhere,), ended=True)
    if default is None:
        return _to_default_backend(asked, nowhere, ())
    guards = asked.guards(default)
    if guards and guards[-1].verdict is Verdict.RESPOND:
        lead = msgspec.structs.replace(
            nowhere,
            verdict=Verdict.PASS,
            status=0,
            cause="",
            fix="",
            summary=f"no rule takes {packet.path}: the location / of host {asked.server.host or '*'} does, "
            f"with the annotations of {default.ingress.ref}",
        )
        return Routing(steps=(lead, *guards), ended=True)
    if default.ingress.default_backend is None:
        return _to_default_backend(asked, nowhere, guards)
    inside, rewriting = _rewrite(default, packet) if asked.server.host else (packet, ())
    inside = nginx_guards.upstream(default.ingress, inside, encrypted=asked.encrypted)
    routing = ingress_answer.default_routing(asked.store, asked.controller, default.ingress, inside, decision)
    return msgspec.structs.replace(routing, steps=(*routing.steps, *guards, *rewriting))


def _to_default_backend(asked: Asked, nowhere: Step, guards: tuple[Step, ...]) -> Routing:
    """The default backend of the controller: its own 404, or a Service that it was given."""
    found = app_routing.default_backend(asked.store, asked.controller, asked.settings, asked.packet)
    if found is None:
        missing = app_routing.unsure_default(asked.store, asked.controller, asked.settings)
        if missing:
            said = f"the controller has no default backend that answers ({missing})"
            nowhere = msgspec.structs.replace(nowhere, assumptions=(*nowhere.assumptions, said))
        return Routing(steps=(*guards, nowhere), ended=True)
    step = msgspec.structs.replace(
        nowhere,
        verdict=Verdict.PASS,
        status=0,
        cause="",
        fix="",
        summary=f"{nowhere.summary.removesuffix(': answers 404')}: it goes to the default backend by {found.owner}",
        evidence=(*nowhere.evidence, found.fact),
        assumptions=(*nowhere.assumptions, *found.assumptions),
    )
    return Routing(steps=(*guards, step), targets=(found.target,))


def _matched(asked: Asked, rule: Rule, decision: Decision, found: Found) -> Routing:
    packet = asked.packet
    arrived = msgspec.structs.replace(packet, path=f"{packet.path}/") if found.slash_added else packet
    inside, rewriting = _rewrite(rule, arrived)
    inside = nginx_guards.upstream(rule.ingress, inside, encrypted=asked.encrypted)
    assumed = (*decision.assumptions, *nginx_guards.limits(rule.ingress))
    decision = msgspec.structs.replace(decision, after=inside, assumptions=assumed)
    matched = ingress_answer.match_step(decision, rule, packet, asked.rules)
    guards = asked.guards(rule)
    if guards and guards[-1].verdict is Verdict.RESPOND:
        plain = msgspec.structs.replace(
            matched,
            verdict=Verdict.PASS,
            packet_after=None,
            summary=matched.summary.partition(", rewritten to ")[0],
        )
        return Routing(steps=(plain, *guards), ended=True)
    where = f"{rule.field}.backend"
    main = ingress_answer.target(asked.store, asked.controller, rule.ingress, where, rule.backend, inside)
    targets, considered = nginx_canary.share(asked.store, asked.controller, asked.rules, asked.servers, rule, main)
    targets = tuple(
        nginx_errors.spare(asked.store, asked.controller, rule, target, asked.settings) for target in targets
    )
    matched = msgspec.structs.replace(matched, considered=(*matched.considered, *considered))
    return Routing(steps=(matched, *guards, *rewriting), targets=targets)


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
