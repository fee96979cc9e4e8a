"""A Gateway's road: listener, HTTPRoute rule, filters, backends (Gateway API v1, standard channel)."""

from collections.abc import Mapping, Sequence

import msgspec

from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.azure.joins import stale
from aksnav.trace.gateway import attach as gateway_attach
from aksnav.trace.gateway import backends as gateway_backends
from aksnav.trace.gateway import filters as gateway_filters
from aksnav.trace.gateway import listener as gateway_listener
from aksnav.trace.gateway import match as gateway_match
from aksnav.trace.gateway.attach import Attached, Refusal
from aksnav.trace.gateway.listener import Place
from aksnav.trace.gateway.match import Candidate, Chosen
from aksnav.trace.ingress.answer import limited
from aksnav.trace.packet import Packet
from aksnav.trace.routing.hostnames import any_labels, bare
from aksnav.trace.routing.types import ENVOY_ISTIO, Controller, Routing, Target
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict


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
    inside = msgspec.structs.replace(packet, host=packet.host or packet.sni)
    attached = {gateway.id: gateway_attach.attached(store, gateway) for gateway in gateways}
    host = bare(inside.host)
    mine = attached[choice.place.gateway.id].under(choice.place.listener.name, host)
    istio = controller.flavour in ENVOY_ISTIO
    ordered = gateway_match.candidates(mine, host)
    chosen = gateway_match.choose(ordered, inside, whole_hosts=istio, expressions=istio)
    if chosen.candidate is None or chosen.undecided is not None:
        step = _nothing(store, choice.place, choice.others, attached, inside, chosen)
        return Routing(steps=(*choice.steps, step), ended=True)
    steps, targets, ended = _send(store, controller, choice.place, chosen.candidate, chosen, inside)
    return Routing(steps=(*choice.steps, *steps), targets=targets, ended=ended)


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
    row, index = candidate.attachment.route, candidate.rule_index
    unread = _unreadable(store)
    scene = gateway_filters.Scene(
        route=row,
        field=f".spec.rules[{index}].filters",
        prefix=candidate.match.path.value if candidate.match.path.type == "PathPrefix" else packet.path,
        listener_port=place.listener.port,
    )
    filtered = gateway_filters.apply(candidate.rule.filters, packet, scene)
    considered = chosen.considered
    targets: tuple[Target, ...] = ()
    if not filtered.ended:
        targets, weights = gateway_backends.targets(store, controller.flavour, row, index, filtered.packet, scene)
        considered = (*considered, *weights)
    words = gateway_match.describe(candidate.match)
    match = Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.BLIND if candidate.attachment.unread else Verdict.PASS,
        missing=candidate.attachment.unread,
        summary=f"HTTPRoute {row.id} rule {index} takes {packet.host}{packet.path}: {words}",
        subject=row.ref,
        version=row.resource_version,
        packet=packet,
        evidence=(
            Evidence(candidate.field, gateway_match.describe(candidate.match), row.ref),
            Evidence(".spec.hostnames", ", ".join(row.hostnames) or "(those of the listener)", row.ref),
        ),
        considered=limited(considered),
        assumptions=(
            *candidate.attachment.assumptions,
            *chosen.assumptions,
            *stale(store.gateways, store.gateway_classes, store.http_routes, store.reference_grants),
            *((f"no HTTPRoute that cannot be read goes before this one ({unread})",) if unread else ()),
        ),
        confirm=kubectl.show(row.ref),
    )
    return (match, *filtered.steps), targets, filtered.ended


def _unreadable(store: Store) -> str:
    access = store.http_routes.access()
    if not access.complete:
        return f"list httproutes.gateway.networking.k8s.io in every namespace: {access.reason or access.reading.value}"
    bad = sorted(store.http_routes.undecodable)
    return f"HTTPRoute {', '.join(bad)}: {store.http_routes.undecodable[bad[0]]}" if bad else ""


def _nothing(
    store: Store,
    place: Place,
    others: Sequence[Place],
    attached: Mapping[str, Attached],
    packet: Packet,
    chosen: Chosen,
) -> Step:
    """No rule takes the request: 404, and why a route that wants the host is not attached, if there is one."""
    host, gateway = bare(packet.host), place.gateway
    base = Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.RESPOND,
        summary=f"no HTTPRoute under {place.name} takes {packet.method} {packet.host}{packet.path}: answers 404",
        subject=gateway.ref,
        version=gateway.resource_version,
        packet=packet,
        cause="G27",
        status=404,
        evidence=(
            Evidence("request", f"{packet.method} {packet.host}{packet.path}"),
            Evidence(f"{place.field}.name", place.listener.name, gateway.ref),
        ),
        considered=limited(chosen.considered),
        assumptions=(
            *_isolation(others, attached, host),
            *_uncounted(place, attached[gateway.id]),
            *stale(store.gateways, store.http_routes),
        ),
        confirm=kubectl.listing("HTTPRoute"),
        fix=f"add a rule that takes {packet.path} under host {host}",
    )
    if chosen.undecided is not None:
        item, why = chosen.undecided
        return msgspec.structs.replace(
            base,
            verdict=Verdict.UNSUPPORTED,
            status=0,
            cause="",
            fix="",
            subject=item.attachment.route.ref,
            version=item.attachment.route.resource_version,
            summary=f"whether {item.name} takes {packet.path} is not evaluated: {why}",
            missing=why,
        )
    unread = _unreadable(store)
    if unread:
        return msgspec.structs.replace(
            base,
            verdict=Verdict.BLIND,
            status=0,
            cause="",
            fix="",
            missing=unread,
            summary=f"{base.summary.removesuffix(': answers 404')} among those that can be read",
        )
    return _explain(base, [item for part in attached.values() for item in part.refusals], host)


def _explain(base: Step, refusals: Sequence[Refusal], host: str) -> Step:
    """Name the route that wants this host and does not attach (G10, G11, G12), where there is one."""
    wanting = [
        item
        for item in refusals
        if not item.route.hostnames or any(any_labels(name, host) for name in item.route.hostnames)
    ]
    if not wanting:
        return base
    first = wanting[0]
    said = tuple(Considered(f"HTTPRoute {item.route.id}", False, f"{item.why} ({item.cause})") for item in wanting)
    return msgspec.structs.replace(
        base,
        cause=first.cause,
        summary=f"{base.summary}; {first.why}",
        subject=first.route.ref,
        version=first.route.resource_version,
        evidence=(*first.evidence, *base.evidence),
        considered=(*said, *base.considered),
        confirm=kubectl.show(first.route.ref, ".status.parents"),
        fix=FIXES[first.cause],
    )


FIXES = {
    "G10": "give the route a hostname that the listener has, or the listener one that the route has",
    "G11": "let allowedRoutes of the listener take the route's namespace and kind",
    "G12": "name a Gateway, and a listener or port, that exist",
}


def _uncounted(place: Place, attached: Attached) -> tuple[str, ...]:
    """Routes that the controller counts and that are no HTTPRoutes: kinds that are not read."""
    said = next((item for item in place.gateway.status.listeners if item.name == place.listener.name), None)
    ours = {item.route.id for item in attached.attachments if item.listener == place.listener}
    if said is None or said.attached_routes <= len(ours):
        return ()
    count = said.attached_routes
    return (f"of {count} attached routes {count - len(ours)} are of kinds that are not read, and do not take it",)


def _isolation(others: Sequence[Place], attached: Mapping[str, Attached], host: str) -> tuple[str, ...]:
    """Less specific listeners that do have a route for the host: whether they are asked is up to the controller."""
    having = [place.listener.name for place in others if attached[place.gateway.id].under(place.listener.name, host)]
    return (f"listeners are isolated: {', '.join(having)} is not asked for {host}",) if having else ()
