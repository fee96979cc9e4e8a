"""How the Application Gateway Ingress Controller reads an Ingress: as App Gateway listeners and path rules.

Application Gateway takes the first path rule in the order of the list, and matches ``/foo*`` as a prefix of characters:
so pathType Prefix ``/foo`` takes ``/foobar`` too, and a longer path below it gets nothing, against the specification
(Azure/application-gateway-kubernetes-ingress pkg/appgw/requestroutingrules.go and frontend_listeners.go; Azure
documentation: application-gateway/url-route-overview.md).
"""

from collections.abc import Sequence

import msgspec

from aksnav.model.kubernetes.ingress import Ingress
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.ingress import answer as ingress_answer
from aksnav.trace.ingress.answer import Decision
from aksnav.trace.ingress.rules import Rule, Rules, considered, spec_choice
from aksnav.trace.packet import Packet
from aksnav.trace.routing.hostnames import bare, choose
from aksnav.trace.routing.types import Controller, Routing
from aksnav.trace.step import Evidence, Kind, Step, Verdict

PREFIX = "appgw.ingress.kubernetes.io/"
_CURRENT = "Application Gateway has what AGIC writes from the Ingresses that are here now"
_PROHIBITED = "no AzureIngressProhibitedTarget keeps AGIC from this host and path"


def pattern_of(rule: Rule) -> str:
    """Return the path of the App Gateway rule that AGIC writes; empty for the default of the path map.

    Prefix gets a trailing ``*``, Exact loses one, ImplementationSpecific is written as it is; an empty path, ``/`` and
    ``/*`` become the default of the path map, whatever their type.
    """
    if rule.path in {"", "/", "/*"}:
        return ""
    if rule.path_type == "Prefix":
        return rule.path if rule.path.endswith("*") else f"{rule.path}*"
    return rule.path.rstrip("*") if rule.path_type == "Exact" else rule.path


def matches(pattern: str, path: str) -> bool:
    """Return whether an App Gateway path pattern takes a path; letter case does not count there."""
    lowered, wanted = path.lower(), pattern.lower()
    return lowered.startswith(wanted[:-1]) if wanted.endswith("*") else lowered == wanted


def annotation(ingress: Ingress, name: str) -> str:
    """Return the value of an annotation of AGIC, or an empty string."""
    return ingress.annotations.get(PREFIX + name, "").strip()


def route(store: Store, controller: Controller, packet: Packet, rules: Rules, *, encrypted: bool) -> Routing:
    """Return what an Application Gateway that AGIC configures does with a request.

    Args:
        store: what is known.
        controller: AGIC.
        packet: the request in the clear.
        rules: what AGIC serves.
        encrypted: the client spoke TLS.
    """
    host = bare(packet.host)
    hosts = {name: listed for name, listed in rules.by_host.items() if _listens(listed, encrypted=encrypted)}
    chosen_host = choose(hosts, host)
    if chosen_host is None and choose(rules.by_host, host) is not None:
        return Routing(steps=(_no_listener(rules, host, packet, others=bool(hosts), encrypted=encrypted),), ended=True)
    candidates = hosts.get(chosen_host, ()) if chosen_host is not None else ()
    rule, beaten = _choose(candidates, packet.path)
    decision = _decision(host, chosen_host, candidates, rule, beaten, packet.path)
    if rule is None:
        return Routing(steps=(ingress_answer.no_match(controller, decision, packet, rules),), ended=True)
    if not encrypted and _redirects(rule.ingress):
        match = ingress_answer.match_step(decision, rule, packet, rules)
        said = Evidence(f".metadata.annotations['{PREFIX}ssl-redirect']", "true", rule.ingress.ref)
        where = f"https://{packet.host}{packet.path}"
        answer = ingress_answer.respond(rule, packet, 301, f"http is sent to {where} with 301 (ssl-redirect)", said)
        return Routing(steps=(match, answer), ended=True)
    inside = _upstream(rule, packet)
    step = ingress_answer.match_step(msgspec.structs.replace(decision, after=inside), rule, packet, rules)
    target = ingress_answer.target(store, controller, rule.ingress, f"{rule.field}.backend", rule.backend, inside)
    return Routing(steps=(step,), targets=(target,))


def _redirects(ingress: Ingress) -> bool:
    return bool(ingress.tls) and annotation(ingress, "ssl-redirect").lower() == "true"


def _listens(rules: Sequence[Rule], *, encrypted: bool) -> bool:
    """With a certificate there is an HTTPS listener alone, unless ssl-redirect asks for both; else HTTP alone."""
    if encrypted:
        return any(rule.ingress.tls for rule in rules)
    return any(not rule.ingress.tls or _redirects(rule.ingress) for rule in rules)


def _no_listener(rules: Rules, host: str, packet: Packet, *, others: bool, encrypted: bool) -> Step:
    listed = rules.by_host.get(choose(rules.by_host, host) or "", ())
    first = listed[0].ingress if listed else None
    what = "no HTTPS listener" if encrypted else "only an HTTPS listener"
    hosts = ", ".join(name for entry in first.tls for name in entry.hosts) if first is not None else ""
    return Step(
        kind=Kind.APPGW_LISTENER,
        verdict=Verdict.RESPOND if others else Verdict.REJECT,
        summary=f"Application Gateway has {what} for host {host}",
        subject=first.ref if first is not None else None,
        version=first.resource_version if first is not None else "",
        packet=packet,
        cause="A09" if encrypted else "",
        status=404 if others else 0,
        evidence=(Evidence(".spec.tls[].hosts", hosts or "none", first.ref if first is not None else None),),
        assumptions=(_CURRENT,),
        confirm=kubectl.show(first.ref, ".spec.tls") if first is not None else kubectl.listing("Ingress"),
        fix="add spec.tls with a Secret" if encrypted else f"use https, or set {PREFIX}ssl-redirect to true",
    )


def _choose(rules: Sequence[Rule], path: str) -> tuple[Rule | None, list[Rule]]:
    """The first rule in the order of the list whose pattern takes the path; else the default of the path map."""
    matching = [rule for rule in rules if pattern_of(rule) and matches(pattern_of(rule), path)]
    defaults = [rule for rule in rules if not pattern_of(rule)]
    chosen = matching[0] if matching else (defaults[-1] if defaults else None)
    return chosen, [rule for rule in (*matching, *defaults) if rule is not chosen]


def _decision(
    host: str, chosen_host: str | None, candidates: Sequence[Rule], rule: Rule | None, beaten: list[Rule], path: str
) -> Decision:
    assumptions = [_CURRENT, _PROHIBITED]
    evidence: list[Evidence] = []
    by_spec, _ = spec_choice(candidates, path)
    if rule is not None and by_spec is not rule:
        pattern = pattern_of(rule) or "the default of the path map"
        other = by_spec.name if by_spec is not None else "no rule"
        note = f"the first path rule that takes it; by the specification it is {other}"
        evidence.append(Evidence("App Gateway path", pattern, rule.ingress.ref, note))
    if rule is not None and any(other.ingress.id != rule.ingress.id for other in beaten):
        assumptions.append("AGIC lists the rules of the older Ingress first")
    return Decision(
        host=host,
        chosen_host=chosen_host,
        rule=rule,
        considered=considered(candidates, rule, beaten),
        assumptions=tuple(assumptions),
        evidence=tuple(evidence),
    )


def _upstream(rule: Rule, packet: Packet) -> Packet:
    """The request as Application Gateway sends it: backend-path-prefix, backend-hostname, backend-protocol."""
    path, prefix = packet.path, annotation(rule.ingress, "backend-path-prefix")
    if prefix:
        matched = pattern_of(rule).rstrip("*")
        path = "/" + f"{prefix.rstrip('/')}/{path[len(matched) :].lstrip('/')}".lstrip("/")
    secure = annotation(rule.ingress, "backend-protocol").lower() == "https"
    return msgspec.structs.replace(
        packet,
        path=path,
        host=annotation(rule.ingress, "backend-hostname") or packet.host,
        scheme="https" if secure else "http",
        tls=secure,
    )
