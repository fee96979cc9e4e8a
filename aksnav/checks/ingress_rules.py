"""Rules of Ingresses that get no request or cannot be read, and controllers that are not available.

I14, I24, I25, I26; A06 for rules that AGIC was told to leave out; I17 for application routing's NGINX.
"""

import re
from collections.abc import Iterator

from aksnav.checks.finding import Finding, Proof
from aksnav.model.kubernetes.ingress import Ingress
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.ingress import nginx_access, nginx_canary, nginx_locations, nginx_servers
from aksnav.trace.ingress.agic_listeners import prohibited_by
from aksnav.trace.ingress.hidden import Hidden, hidden_rules
from aksnav.trace.ingress.rules import Rule, Rules, rules_of
from aksnav.trace.packet import Packet
from aksnav.trace.routing.controllers import claims, ingress_controllers
from aksnav.trace.routing.safe_regex import UNREADABLE, Refused, compile_safely
from aksnav.trace.routing.types import NGINX, Flavour
from aksnav.trace.step import Evidence

_LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")
_LONGEST_HOST = 253
_MARKS = ".metadata.annotations['{}{}']"


def rule_findings(store: Store) -> Iterator[Finding]:
    """Yield I14 and I25 (hidden rules), I24 (lone canaries), I26 (unreadable ones), A06 (prohibited ones) and I17."""
    yield from _unavailable(store)
    for controller in ingress_controllers(store):
        rules = rules_of(store, controller)
        if controller.flavour in NGINX and not rules.unreadable:
            for rule in nginx_canary.without_main(rules, nginx_servers.servers_of(rules)):
                yield _lone_canary(rule)
        for item in hidden_rules(store, controller, rules):
            other = item.rule.ingress.id != item.by.ingress.id
            yield _duplicate(item) if item.same and other else _unreachable(item)
        if controller.flavour in NGINX:
            yield from _unreadable_for_nginx(rules)
        elif controller.flavour is Flavour.AGIC:
            yield from _prohibited(store, rules)
    for ingress in store.ingresses:
        yield from _unreadable_hosts(store, ingress)


def _unavailable(store: Store) -> Iterator[Finding]:
    for row in sorted(store.nginx_controllers, key=lambda item: item.id):
        for index, condition in enumerate(row.status.conditions):
            if condition.type == "Available" and condition.status == "False":
                fact = Evidence(f".status.conditions[{index}].status", "False", row.ref, condition.reason)
                yield Finding(
                    id="I17",
                    subject=row.ref,
                    summary=f"{row.ref}, which serves class {row.class_name}, says that it is not available",
                    proof=Proof.PROVEN,
                    evidence=(fact, Evidence(f".status.conditions[{index}].message", condition.message, row.ref)),
                    confirm=kubectl.show(row.ref, ".status.conditions"),
                    fix="see why the add-on could not make its NGINX; its conditions say what is missing",
                )


def _prohibited(store: Store, rules: Rules) -> Iterator[Finding]:
    for listed in rules.by_host.values():
        for rule in listed:
            name = prohibited_by(store, rule)
            if name:
                ref = Ref("AzureIngressProhibitedTarget", name)
                yield Finding(
                    id="A06",
                    subject=rule.ingress.ref,
                    summary=f"{rule.name} is left out by AGIC where it is shared: {ref} holds for it",
                    proof=Proof.LIKELY,
                    evidence=(
                        Evidence(f"{rule.field}.path", f"{rule.host or '*'}{rule.path}", rule.ingress.ref),
                        Evidence(".spec.hostname", _hostname(store, name), ref),
                    ),
                    related=(ref,),
                    confirm=kubectl.show(ref),
                    fix=f"change {ref}, or remove the rule",
                )


def _hostname(store: Store, name: str) -> str:
    found = store.prohibited_targets.get(name)
    return found.hostname if found is not None else ""


def _duplicate(item: Hidden) -> Finding:
    rule, by = item.rule, item.by
    return Finding(
        id="I14",
        subject=rule.ingress.ref,
        summary=f"{rule.name} is shadowed: {item.why}",
        proof=Proof.PROVEN if item.sure else Proof.LIKELY,
        evidence=(
            *_places(item),
            Evidence(".metadata.creationTimestamp", rule.ingress.created, rule.ingress.ref),
            Evidence(".metadata.creationTimestamp", by.ingress.created, by.ingress.ref),
        ),
        related=(by.ingress.ref,),
        confirm=kubectl.show(rule.ingress.ref, ".spec.rules"),
        fix=f"remove the rule here, or in Ingress {by.ingress.id}",
    )


def _unreachable(item: Hidden) -> Finding:
    rule, by = item.rule, item.by
    return Finding(
        id="I25",
        subject=rule.ingress.ref,
        summary=f"{rule.name} can never be reached: {item.why}",
        proof=Proof.PROVEN if item.sure else Proof.LIKELY,
        evidence=_places(item),
        related=(by.ingress.ref,) if by.ingress.id != rule.ingress.id else (),
        confirm=kubectl.show(rule.ingress.ref, ".spec.rules"),
        fix=f"make the path of {by.name} narrower, or remove the rule",
    )


def _places(item: Hidden) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            rule.field if rule.field == ".spec.defaultBackend" else f"{rule.field}.path",
            f"{rule.host or '*'}{rule.path}",
            rule.ingress.ref,
        )
        for rule in (item.rule, item.by)
    )


def _lone_canary(rule: Rule) -> Finding:
    return Finding(
        id="I24",
        subject=rule.ingress.ref,
        summary=f"canary {rule.name} has no main rule of the same host and path: it gets no request",
        proof=Proof.PROVEN,
        evidence=(
            Evidence(_MARKS.format(nginx_locations.PREFIX, "canary"), "true", rule.ingress.ref),
            Evidence(f"{rule.field}.path", f"{rule.host or '*'}{rule.path}", rule.ingress.ref),
        ),
        confirm=kubectl.show(rule.ingress.ref),
        fix="give it the host, path and pathType of the main rule, or remove the annotation",
    )


def _unreadable_for_nginx(rules: Rules) -> Iterator[Finding]:
    servers = nginx_servers.servers_of(rules)
    for host, listed in rules.by_host.items():
        server = nginx_locations.build(host, listed, servers.default_rule(host) if host else None)
        for rule in server.rules:
            wrong = nginx_access.denied(rule, Packet())
            if wrong is not None:
                yield _unreadable(rule.ingress, wrong.evidence[0], wrong.summary, Proof.PROVEN, wrong.fix)
            if server.forced_regex is None:
                continue
            compiled = compile_safely(f"^{rule.path}", "", ignore_case=True)
            if isinstance(compiled, Refused) and compiled.why.startswith(UNREADABLE):
                said = f"path {rule.path} is an expression that cannot be read: NGINX keeps the configuration before it"
                fact = Evidence(f"{rule.field}.path", rule.path, rule.ingress.ref, compiled.why)
                yield _unreadable(rule.ingress, fact, said, Proof.LIKELY, "mend the expression")


def _unreadable_hosts(store: Store, ingress: Ingress) -> Iterator[Finding]:
    if claims(store)[ingress.id].problem is not None:
        return
    for index, rule in enumerate(ingress.rules):
        host = rule.host
        if host and (len(host) > _LONGEST_HOST or _HOST.fullmatch(host) is None):
            fact = Evidence(f".spec.rules[{index}].host", host, ingress.ref)
            said = f"host {host} is no DNS name, nor one with a wildcard for its first label: no request has it"
            yield _unreadable(ingress, fact, said, Proof.PROVEN, "write a DNS name in lower case")


def _unreadable(ingress: Ingress, fact: Evidence, summary: str, proof: Proof, fix: str) -> Finding:
    return Finding(
        id="I26",
        subject=ingress.ref,
        summary=f"{ingress.ref}: {summary}",
        proof=proof,
        evidence=(fact,),
        confirm=kubectl.show(ingress.ref),
        fix=fix,
    )
