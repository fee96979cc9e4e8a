"""A Gateway's road for HTTP and gRPC: listener, route rule, filters, backends; streams go on in ``streams``."""

from functools import partial

import msgspec

from aksnav.model.kubernetes.gateway import GRPCRule, RouteMatch, RouteRule
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.gateway import attach as gateway_attach
from aksnav.trace.gateway import backend_tls, kinds, misdirected, references, streams, unmatched
from aksnav.trace.gateway import backends as gateway_backends
from aksnav.trace.gateway import filters as gateway_filters
from aksnav.trace.gateway import listener as gateway_listener
from aksnav.trace.gateway import match as gateway_match
from aksnav.trace.gateway.answers import ENVOY, WHOLE_HOSTS
from aksnav.trace.gateway.match import Candidate, Chosen
from aksnav.trace.gateway.place import Place
from aksnav.trace.ingress.answer import limited
from aksnav.trace.istio import route as istio
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale
from aksnav.trace.routing.hostnames import bare
from aksnav.trace.routing.types import ENVOY_ISTIO, Controller, Flavour, Routing, Target
from aksnav.trace.step import Evidence, Kind, Step, Verdict


def route(store: Store, controller: Controller, packet: Packet) -> Routing:
    """Return what the Gateways of a controller do with a packet.

    Args:
        store: what is known.
        controller: who received it.
        packet: as the client sent it to the controller; ``port`` is the Service's port, which is the listener's.
    """
    gateways = [row for row in map(store.gateways.get, controller.gateways) if row is not None]
    if not gateways:
        return Routing(steps=(_no_gateway(controller, packet),), ended=True)
    choice = gateway_listener.choose(store, controller, gateways, packet)
    if choice.place is None:
        return Routing(steps=choice.steps, ended=choice.ended)
    attached = {gateway.id: gateway_attach.attached(store, gateway) for gateway in gateways}
    web, lead = choice.place.listener.protocol in kinds.WEB_PROTOCOLS, choice.steps
    if controller.flavour in ENVOY_ISTIO:
        guarded = istio.at_gateway(store, controller, choice.place.gateway, packet, http=web)
        lead = (*lead, *guarded.steps)
        if guarded.ended:
            return Routing(steps=lead, ended=True)
    if not web:
        answer = streams.route(store, controller, choice.place, attached[choice.place.gateway.id], packet)
        return msgspec.structs.replace(answer, steps=(*lead, *answer.steps))
    inside = msgspec.structs.replace(packet, host=packet.host or packet.sni)
    astray = misdirected.step(choice.place, inside)
    if astray is not None:
        return Routing(steps=(*lead, astray), ended=True)
    host = bare(inside.host)
    mine = attached[choice.place.gateway.id].under(choice.place.listener.name, host)
    first = controller.flavour is Flavour.ENVOY_GATEWAY
    ordered = gateway_match.candidates(mine, host, expressions_first=first)
    chosen = gateway_match.choose(
        ordered, inside, whole_hosts=controller.flavour in WHOLE_HOSTS, expressions=controller.flavour in ENVOY
    )
    if chosen.candidate is None or chosen.undecided is not None:
        expressions = controller.flavour in ENVOY
        step = unmatched.step(store, choice, attached, inside, chosen, expressions=expressions)
        return Routing(steps=(*lead, step), ended=True)
    steps, targets, ended = _send(store, controller, choice.place, chosen.candidate, chosen, inside)
    return Routing(steps=(*lead, *steps), targets=targets, ended=ended)


def _no_gateway(controller: Controller, packet: Packet) -> Step:
    wanted = ", ".join(controller.gateways)
    first = Ref("Gateway", controller.gateways[0])
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.BLIND,
        summary=f"Gateway {wanted} is not in the store",
        subject=first,
        packet=packet,
        missing=f"get gateways.gateway.networking.k8s.io {wanted}",
        confirm=kubectl.show(first),
    )


def _send(
    store: Store, controller: Controller, place: Place, candidate: Candidate, chosen: Chosen, packet: Packet
) -> tuple[tuple[Step, ...], tuple[Target, ...], bool]:
    scene = gateway_filters.Scene(
        route=candidate.route,
        field=f".spec.rules[{candidate.rule_index}].filters",
        prefix=_prefix(candidate, packet),
        listener_port=place.listener.port,
        services=partial(references.exists, store),
    )
    filtered = gateway_filters.apply(_filters(candidate.rule), packet, scene)
    considered = chosen.considered
    targets: tuple[Target, ...] = ()
    if not filtered.ended:
        sender = gateway_backends.Sender(
            flavour=controller.flavour,
            route=candidate.route,
            rule_index=candidate.rule_index,
            gateway=place.gateway,
        )
        targets, weights = gateway_backends.targets(store, sender, filtered.packet, scene)
        considered = (*considered, *weights)
    match = _match_step(store, controller, place, candidate, chosen, packet)
    match = msgspec.structs.replace(match, considered=limited(considered))
    return (match, *filtered.steps), targets, filtered.ended


def _prefix(candidate: Candidate, packet: Packet) -> str:
    match = candidate.match
    return match.path.value if isinstance(match, RouteMatch) and match.path.type == "PathPrefix" else packet.path


def _filters(rule: RouteRule | GRPCRule) -> tuple[dict[str, object], ...]:
    return rule.filters


def _match_step(
    store: Store, controller: Controller, place: Place, candidate: Candidate, chosen: Chosen, packet: Packet
) -> Step:
    row, item = candidate.route, candidate.attachment
    words = gateway_match.describe(candidate.match)
    objection = item.objection or references.objection(store, controller.flavour, item)
    asked = [kind for kind in kinds.WEB_KINDS if kinds.kind_allowed(place.listener, kind)]
    unread = [text for text in (kinds.unread(store, asked), backend_tls.unread(store)) if text]
    return Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.UNSUPPORTED if objection else Verdict.BLIND if item.unread else Verdict.PASS,
        missing=objection or item.unread,
        cause="G30" if objection else "",
        summary=f"{row.KIND} {row.id} rule {candidate.rule_index} takes {packet.host}{packet.path}: {words}",
        subject=row.ref,
        version=row.resource_version,
        packet=packet,
        evidence=(
            Evidence(candidate.field, words, row.ref),
            Evidence(".spec.hostnames", ", ".join(row.hostnames) or "(those of the listener)", row.ref),
            *item.word,
        ),
        assumptions=(
            *item.assumptions,
            *chosen.assumptions,
            *stale(store.gateways, store.gateway_classes, store.tables[row.KIND], store.reference_grants),
            *(f"nothing that cannot be read goes before this {row.KIND} or changes it ({text})" for text in unread),
        ),
        confirm=kubectl.show(row.ref),
    )
