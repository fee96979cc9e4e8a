"""Connections and datagrams that a Gateway passes on: TLSRoute by server name, TCPRoute and UDPRoute by port.

Gateway API: TLSRouteSpec.hostnames, TCPRouteRule, UDPRouteRule; of several routes for one flow the most specific host
name goes first, then the oldest, then the first by namespace and name (Listener.allowedRoutes).
"""

import msgspec

from aksnav.model.kubernetes.gateway import AnyRoute
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.gateway import answers, backends, kinds, references
from aksnav.trace.gateway.attach import Attached
from aksnav.trace.gateway.attachment import Attachment
from aksnav.trace.gateway.filters import Scene
from aksnav.trace.gateway.place import Place
from aksnav.trace.gateway.refusals import FIXES, Refusal
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale
from aksnav.trace.routing.hostnames import any_labels, bare, specificity
from aksnav.trace.routing.types import Controller, Routing
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict


def route(store: Store, controller: Controller, place: Place, attached: Attached, packet: Packet) -> Routing:
    """Return what becomes of a flow at a TLS, TCP or UDP listener.

    Args:
        store: what is known.
        controller: who received it.
        place: the listener.
        attached: the routes of its Gateway.
        packet: as the client sent it; TLS goes on untouched where the listener passes it through.
    """
    name = bare(packet.sni or packet.host) if place.listener.protocol == "TLS" else ""
    ordered = sorted(attached.under(place.listener.name, name), key=lambda item: _order(item, name))
    if not ordered:
        return Routing(steps=(_nothing(store, place, attached, packet, name),), ended=True)
    item, row = ordered[0], ordered[0].route
    said = tuple(
        Considered(f"{other.route.KIND} {other.route.id}", other is item, _why(other, item)) for other in ordered
    )
    if not row.rules:
        return Routing(steps=(_no_rule(row, packet, said),), ended=True)
    sender = backends.Sender(
        flavour=controller.flavour,
        route=row,
        rule_index=0,
        gateway=place.gateway,
        opened=place.listener.protocol == "TLS" and not kinds.passes_through(place.listener),
    )
    scene = Scene(route=row, field=".spec.rules[0].filters", prefix="/", listener_port=place.listener.port)
    targets, weights = backends.targets(store, sender, packet, scene)
    objection = item.objection or references.objection(store, controller.flavour, item)
    untaken = "" if item.word else answers.untaken(controller.flavour, row)
    several = (f"of {len(row.rules)} rules of {row.KIND} {row.id} the first one counts",) if len(row.rules) > 1 else ()
    match = Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.UNSUPPORTED if objection or untaken else Verdict.BLIND if item.unread else Verdict.PASS,
        missing=objection or untaken or item.unread,
        cause="G30" if objection else "",
        summary=f"{row.KIND} {row.id} takes {name or f'{packet.protocol} port {place.listener.port}'}",
        subject=row.ref,
        version=row.resource_version,
        packet=packet,
        evidence=_evidence(place, item),
        considered=(*said, *weights),
        assumptions=(*item.assumptions, *several, *_assumed(store, place, row)),
        confirm=kubectl.show(row.ref),
    )
    return Routing(steps=(match,), targets=targets)


def _evidence(place: Place, item: Attachment) -> tuple[Evidence, ...]:
    row = item.route
    if place.listener.protocol == "TLS":
        names = ", ".join(kinds.hostnames_of(row)) or "(every one)"
        return Evidence(".spec.hostnames", names, row.ref), *item.word
    return Evidence(f"{place.field}.port", str(place.listener.port), place.gateway.ref), *item.word


def _assumed(store: Store, place: Place, row: AnyRoute) -> tuple[str, ...]:
    hidden = kinds.unread(store, kinds.taken_by(place.listener))
    return (
        *stale(store.gateways, store.gateway_classes, store.tables[row.KIND], store.reference_grants),
        *((f"no route that cannot be read goes before this one ({hidden})",) if hidden else ()),
    )


def _order(item: Attachment, name: str) -> tuple[object, ...]:
    exact, length = max(specificity(own) for own in item.hostnames if any_labels(own, name))
    return -exact, -length, *kinds.age(item.route)


def _why(other: Attachment, item: Attachment) -> str:
    return "the most specific host name, then the oldest" if other is item else "comes later: less specific, or younger"


def _no_rule(row: AnyRoute, packet: Packet, said: tuple[Considered, ...]) -> Step:
    return Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.DROP if packet.protocol == "UDP" else Verdict.REJECT,
        summary=f"{row.KIND} {row.id} has no rule: nothing is passed on",
        subject=row.ref,
        version=row.resource_version,
        packet=packet,
        cause="G24",
        evidence=(Evidence(".spec.rules", "[]", row.ref),),
        considered=said,
        confirm=kubectl.show(row.ref, ".spec.rules"),
        fix="give the route a rule with a backend",
    )


def _nothing(store: Store, place: Place, attached: Attached, packet: Packet, name: str) -> Step:
    """No route takes the flow: the connection is refused, a datagram is dropped."""
    gateway, asked = place.gateway, kinds.taken_by(place.listener)
    what = " or ".join(asked)
    step = Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.DROP if packet.protocol == "UDP" else Verdict.REJECT,
        summary=f"no {what} under {place.name} takes {name or f'{packet.protocol} port {packet.port}'}",
        subject=gateway.ref,
        version=gateway.resource_version,
        packet=packet,
        cause="G27",
        evidence=(
            Evidence(f"{place.field}.name", place.listener.name, gateway.ref),
            Evidence("server name", name or "*"),
        ),
        assumptions=stale(store.gateways, *(store.tables[kind] for kind in asked)),
        confirm=kubectl.listing(asked[0]),
        fix=f"add a {what} for {name or 'this port'}",
    )
    hidden = kinds.unread(store, asked)
    if hidden:
        return msgspec.structs.replace(step, verdict=Verdict.BLIND, cause="", fix="", missing=hidden)
    implicit = kinds.by_default(store, gateway, asked)
    if implicit:
        return msgspec.structs.replace(step, verdict=Verdict.UNSUPPORTED, cause="", fix="", missing=implicit)
    wanting = [
        item
        for item in attached.refusals
        if item.route.KIND in asked and (not item.hostnames or any(any_labels(own, name) for own in item.hostnames))
    ]
    return _explain(step, wanting) if wanting else step


def _explain(step: Step, wanting: list[Refusal]) -> Step:
    contradicted = [item for item in wanting if item.objection]
    first = (contradicted or wanting)[0]
    told = msgspec.structs.replace(
        step,
        cause=first.cause,
        summary=f"{step.summary}; {first.why}",
        subject=first.route.ref,
        version=first.route.resource_version,
        evidence=(*first.evidence, *step.evidence),
        confirm=kubectl.show(first.route.ref, ".status.parents"),
        fix=FIXES[first.cause],
    )
    if not contradicted:
        return told
    return msgspec.structs.replace(told, verdict=Verdict.UNSUPPORTED, cause="G30", missing=first.objection)
