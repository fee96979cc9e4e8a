"""How the Application Gateway Ingress Controller reads an Ingress: as App Gateway listeners and path rules.

Application Gateway takes the first path rule in the order of the list, and matches ``/foo*`` as a prefix of characters:
so pathType Prefix ``/foo`` takes ``/foobar`` too, and a longer path below it gets nothing, against the specification
(Azure documentation: application-gateway/url-route-overview.md, application-gateway/ingress-controller-annotations.md;
the listeners: ``agic_listeners``).
"""

from collections.abc import Sequence

import msgspec

from aksnav.model.kubernetes.ingress import Ingress
from aksnav.model.public import is_public
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.ingress import answer as ingress_answer
from aksnav.trace.ingress.agic_listeners import (
    PREFIX,
    Listener,
    annotation,
    certified,
    listeners_of,
    matches,
    pattern_of,
    prohibited_by,
    taking,
)
from aksnav.trace.ingress.answer import Decision
from aksnav.trace.ingress.rules import Rule, Rules, considered, spec_choice
from aksnav.trace.packet import Packet
from aksnav.trace.routing import tls
from aksnav.trace.routing.hostnames import any_labels, bare
from aksnav.trace.routing.types import Controller, Routing
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

_CURRENT = "Application Gateway has what AGIC writes from the Ingresses that are here now"
_PROHIBITED = "no AzureIngressProhibitedTarget keeps AGIC from this host and path"
_SHARED = "AGIC runs with appgw.shared, and honours AzureIngressProhibitedTargets"
_ORDER = "Application Gateway takes path rules in the order in which AGIC lists them"
_BY_UID = "AGIC takes the Ingresses in the order of their uid"
# Annotations with which something that is not read may answer, or change the request.
_NOT_MODELLED = ("waf-policy-for-path", "rewrite-rule-set", "rewrite-rule-set-custom-resource")
_TLS_NOT_MODELLED = ("appgw-ssl-profile",)
_PROBES = ("hostname", "port", "path", "status-codes", "interval", "timeout", "unhealthy-threshold")


def route(store: Store, controller: Controller, packet: Packet, rules: Rules) -> Routing:
    """Return what an Application Gateway that AGIC configures does with a request.

    Args:
        store: what is known.
        controller: AGIC.
        packet: as the client sent it.
        rules: what AGIC serves.
    """
    host = bare(packet.host or packet.sni)
    board = listeners_of(store, controller, rules)
    own = board.of_host(host)
    listener = taking([item for item in own if _at(item, packet) and item.encrypted == packet.tls], host)
    if listener is None:
        here = [item for item in board.listeners if _at(item, packet)]
        return Routing(steps=(_no_listener(store, rules, own, here, packet, host),), ended=True)
    lead = (_handshake(store, listener, packet),) if packet.tls else ()
    inside = msgspec.structs.replace(
        packet,
        tls=False,
        sni="",
        host=packet.host or packet.sni,
        scheme={"https": "http", "grpcs": "grpc"}.get(packet.scheme, packet.scheme),
    )
    routing = _by_paths(store, controller, listener, inside, rules, packet)
    return msgspec.structs.replace(routing, steps=(*lead, *routing.steps))


def _at(listener: Listener, packet: Packet) -> bool:
    """Whether a listener is at the address and port of a packet: a private one is not at a public address."""
    public = packet.destination is not None and is_public(packet.destination)
    return listener.port == packet.port and not (listener.private and public)


def _by_paths(
    store: Store, controller: Controller, listener: Listener, inside: Packet, rules: Rules, packet: Packet
) -> Routing:
    matching = [rule for rule in listener.paths if matches(pattern_of(rule), inside.path)]
    rule = matching[0] if matching else listener.default
    decision = _decision(store, bare(inside.host), listener, rule, matching, inside.path)
    if rule is None:
        return Routing(steps=(_empty_pool(controller, listener, decision, inside, rules),), ended=True)
    if rule.ingress.id in listener.redirecting:
        match = ingress_answer.match_step(decision, rule, inside, rules)
        said = _said(rule.ingress, "ssl-redirect")
        where = f"https://{inside.host}{inside.path}"
        answer = ingress_answer.respond(rule, inside, 301, f"http is sent to {where} with 301 (ssl-redirect)", said)
        return Routing(steps=(match, answer), ended=True)
    after = _upstream(rule, inside)
    step = ingress_answer.match_step(msgspec.structs.replace(decision, after=after), rule, inside, rules)
    target = ingress_answer.target(store, controller, rule.ingress, _backend_field(rule), rule.backend, after)
    return Routing(steps=(step, *_unsupported(rule.ingress, inside, encrypted=packet.tls)), targets=(target,))


def _backend_field(rule: Rule) -> str:
    return rule.field if rule.field == ".spec.defaultBackend" else f"{rule.field}.backend"


def _no_listener(
    store: Store,
    rules: Rules,
    own: Sequence[Listener],
    here: Sequence[Listener],
    packet: Packet,
    host: str,
) -> Step:
    """The step of a request that no listener takes: nobody there, the other protocol, or another host."""
    speaking = [item for item in here if item.encrypted == packet.tls]
    owner = next((rule.ingress for item in own for rule in item.rules), None)
    word = "HTTPS" if packet.tls else "HTTP"
    if speaking:
        what, verdict, status = f"no {word} listener for host {host}", Verdict.RESPOND, 404
    elif here:
        what = f"port {packet.port} speaks {'plain HTTP' if packet.tls else 'TLS'}, not {word}"
        verdict, status = (Verdict.REJECT, 0) if packet.tls else (Verdict.RESPOND, 400)
    else:
        what, verdict, status = f"no listener at port {packet.port}", Verdict.REJECT, 0
    private = _only_private(own, packet)
    listening = ", ".join(_name(item) for item in own[: ingress_answer.LISTED]) or "none"
    no_secret = packet.tls and any(not item.encrypted for item in own) and not private
    left_out = _left_out(store, rules, host) if not own else ()
    return Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.BLIND if rules.unreadable else verdict,
        summary=f"Application Gateway has {what}" + (": it is on the private address only" if private else ""),
        subject=owner.ref if owner is not None else None,
        version=owner.resource_version if owner is not None else "",
        packet=packet,
        cause="A06" if left_out else "A13" if private else "A09" if no_secret else "I04" if speaking else "",
        status=0 if rules.unreadable else status,
        evidence=(
            Evidence("listeners of this host", listening, owner.ref if owner is not None else None),
            *((_said(owner, "use-private-ip"),) if private and owner is not None else ()),
            *left_out,
        ),
        assumptions=(_CURRENT, *((_SHARED,) if left_out else ()), *_certificates(store, own), *rules.stale),
        missing=rules.unreadable,
        confirm=kubectl.show(owner.ref) if owner is not None else kubectl.listing("Ingress"),
        fix="ask at the private address, or remove use-private-ip" if private else _fix(packet, own),
    )


def _certificates(store: Store, own: Sequence[Listener]) -> tuple[str, ...]:
    """Return the Secrets that are taken to be there: without one, an Ingress has a listener for HTTP alone."""
    named = {
        f"{rule.ingress.namespace}/{entry.secret_name}"
        for item in own
        for rule in item.rules
        for entry in rule.ingress.tls
        if entry.secret_name
    }
    return tuple(f"Secret {name} exists" for name in sorted(named) if tls.secret_fault(store, name) is None)


def _left_out(store: Store, rules: Rules, host: str) -> tuple[Evidence, ...]:
    """The rules of a host that AGIC leaves out, with the AzureIngressProhibitedTarget that says so."""
    listed = [rule for name, rows in rules.by_host.items() if any_labels(name, host) for rule in rows]
    return tuple(
        Evidence(f"{rule.field}.path", rule.path, rule.ingress.ref, f"AzureIngressProhibitedTarget {name} (A06)")
        for rule in listed[: ingress_answer.LISTED]
        if (name := prohibited_by(store, rule))
    )


def _only_private(own: Sequence[Listener], packet: Packet) -> bool:
    wanted = [item for item in own if item.port == packet.port and item.encrypted == packet.tls]
    return bool(wanted) and all(item.private for item in wanted) and not any(_at(item, packet) for item in wanted)


def _fix(packet: Packet, own: Sequence[Listener]) -> str:
    if packet.tls and any(not item.encrypted for item in own):
        return "add spec.tls with a Secret that exists"
    if own:
        return f"ask at {', '.join(_name(item) for item in own[:3])}; ssl-redirect opens port 80 beside 443"
    return "add a rule for the host"


def _name(listener: Listener) -> str:
    scheme = "https" if listener.encrypted else "http"
    return f"{scheme} {listener.host or '*'}:{listener.port}{' (private)' if listener.private else ''}"


def _handshake(store: Store, listener: Listener, packet: Packet) -> Step:
    owner = next((rule for rule in listener.rules), None)
    name = packet.sni or packet.host
    if owner is None:
        assumed = (f"the certificate of listener {_name(listener)} names {name}",)
        return Step(
            kind=Kind.GATEWAY_LISTENER,
            verdict=Verdict.PASS,
            summary=f"TLS for {name} ends at listener {_name(listener)}",
            packet=packet,
            evidence=(Evidence("listener", _name(listener)),),
            assumptions=assumed,
        )
    ingress = owner.ingress
    index = certified(store, ingress, owner.host)
    if index is not None:
        secret = f"{ingress.namespace}/{ingress.tls[index].secret_name}"
        return tls.certificate_step(store, ingress, f".spec.tls[{index}].secretName", secret, packet)
    installed = annotation(ingress, "appgw-ssl-certificate")
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.PASS,
        summary=f"TLS for {name} ends here with certificate {installed} of the Application Gateway",
        subject=ingress.ref,
        version=ingress.resource_version,
        packet=packet,
        evidence=(_said(ingress, "appgw-ssl-certificate"),),
        assumptions=(f"certificate {installed} is on the Application Gateway and names {name}",),
        confirm="az network application-gateway list --query '[].{gateway:name,certificates:sslCertificates[].name}'",
    )


def _empty_pool(controller: Controller, listener: Listener, decision: Decision, packet: Packet, rules: Rules) -> Step:
    """No path rule and no default: AGIC lets the path map end at its empty pool, so 502 is answered."""
    step = ingress_answer.no_match(controller, decision, packet, rules)
    if step.verdict is Verdict.BLIND:
        return step
    paths = ", ".join(pattern_of(rule) for rule in listener.paths[: ingress_answer.LISTED]) or "none"
    first = next((rule.ingress for rule in listener.paths), None)
    return msgspec.structs.replace(
        step,
        summary=f"no path rule of listener {_name(listener)} takes {packet.path}, and it has no default backend:"
        " the empty pool of AGIC answers 502",
        subject=first.ref if first is not None else step.subject,
        cause="I05",
        status=502,
        evidence=(Evidence("request path", packet.path), Evidence("App Gateway paths", paths)),
    )


def _decision(
    store: Store, host: str, listener: Listener, rule: Rule | None, matching: Sequence[Rule], path: str
) -> Decision:
    assumptions, evidence = [_CURRENT, *_hands_off(store, listener)], []
    by_spec, _ = spec_choice(listener.rules, path)
    if rule is not None and by_spec is not rule:
        pattern = pattern_of(rule) or "the default of the path map"
        other = by_spec.name if by_spec is not None else "no rule"
        note = f"the first path rule that takes it; by the specification it is {other}"
        evidence.append(Evidence("App Gateway path", pattern, rule.ingress.ref, note))
    if len(matching) > 1:
        assumptions.append(_ORDER)
    if any(other.ingress.id != matching[0].ingress.id for other in matching):
        assumptions.append(_BY_UID)
    for beaten, first in listener.shadowed:
        if first is rule:
            note = f"shadowed by {first.ingress.id} (I14)"
            evidence.append(Evidence(f"{beaten.field}.path", beaten.path, beaten.ingress.ref, note))
            if beaten.ingress.id != first.ingress.id and _BY_UID not in assumptions:
                assumptions.append(_BY_UID)
    if rule is not None:
        evidence += [_said(rule.ingress, name) for name in ("rule-priority",) if annotation(rule.ingress, name)]
        evidence += [
            _said(rule.ingress, f"health-probe-{name}")
            for name in _PROBES
            if annotation(rule.ingress, f"health-probe-{name}")
        ]
    return Decision(
        host=host,
        chosen_host=listener.host,
        rule=rule,
        considered=(
            *considered(listener.rules, rule, matching),
            *(
                Considered(item.name, False, f"AzureIngressProhibitedTarget {name} keeps AGIC from it (A06)")
                for item, name in listener.prohibited
            ),
        ),
        assumptions=tuple(assumptions),
        evidence=tuple(evidence),
    )


def _hands_off(store: Store, listener: Listener) -> tuple[str, ...]:
    """What is taken for granted of AzureIngressProhibitedTargets: that they are honoured, or that there are none."""
    if listener.prohibited:
        names = ", ".join(dict.fromkeys(name for _, name in listener.prohibited))
        return (f"{_SHARED} ({names})",)
    access = store.prohibited_targets.access()
    if access.complete:
        return ()
    return (f"{_PROHIBITED} (not readable: {access.reason or access.reading.value})",)


def _unsupported(ingress: Ingress, packet: Packet, *, encrypted: bool) -> list[Step]:
    return [
        Step(
            kind=Kind.ROUTE_FILTER,
            verdict=Verdict.UNSUPPORTED,
            summary=f"annotation {name} of Ingress {ingress.id} may answer, or change the request",
            subject=ingress.ref,
            version=ingress.resource_version,
            packet=packet,
            evidence=(_said(ingress, name),),
            missing=f"{name} {annotation(ingress, name)} of the Application Gateway",
            confirm=kubectl.show(ingress.ref, ".metadata.annotations"),
        )
        for name in (*_NOT_MODELLED, *(_TLS_NOT_MODELLED if encrypted else ()))
        if annotation(ingress, name)
    ]


def _said(ingress: Ingress, name: str) -> Evidence:
    return Evidence(f".metadata.annotations['{PREFIX}{name}']", annotation(ingress, name), ingress.ref)


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
