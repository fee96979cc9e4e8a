"""A request that no rule takes: 404, and the route that wants it and is kept out (HTTPRouteRule.matches)."""

from collections.abc import Mapping, Sequence

import msgspec

from aksnav.model.kubernetes.gateway import GRPCMatch, GRPCRoute, HTTPRoute, RouteMatch
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.gateway import closed, grpc, kinds
from aksnav.trace.gateway import match as gateway_match
from aksnav.trace.gateway.attach import Attached
from aksnav.trace.gateway.match import Chosen
from aksnav.trace.gateway.place import Choice, Place
from aksnav.trace.gateway.refusals import FIXES, Refusal
from aksnav.trace.gateway.values import UNKNOWN
from aksnav.trace.ingress.answer import limited
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale
from aksnav.trace.routing.hostnames import any_labels, bare
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict


def step(
    store: Store,
    choice: Choice,
    attached: Mapping[str, Attached],
    packet: Packet,
    chosen: Chosen,
    *,
    expressions: bool,
) -> Step:
    """Return the step of a request that no rule takes, or of which it is not evaluated whether one does.

    Args:
        store: what is known.
        choice: the listener that took it; ``choice.place`` is there.
        attached: of every Gateway behind the address.
        packet: the request.
        chosen: what was looked at.
        expressions: see ``match.choose``.
    """
    place = choice.place
    if place is None:
        raise ValueError("no listener took the request")
    base = _base(store, place, choice.others, attached, packet, chosen)
    if chosen.undecided is not None:
        item, why = chosen.undecided
        return _unknown(
            base,
            verdict=Verdict.UNSUPPORTED,
            subject=item.route.ref,
            version=item.route.resource_version,
            summary=f"whether {item.name} takes {packet.path} is not evaluated: {why}",
            missing=why,
        )
    unread = kinds.unread(store, kinds.WEB_KINDS if grpc.is_grpc(packet) else (HTTPRoute.KIND,))
    if unread:
        shown = base.summary.partition(": answers 404")[0]
        return _unknown(base, verdict=Verdict.BLIND, missing=unread, summary=f"{shown} among those that can be read")
    implicit = kinds.by_default(store, place.gateway, kinds.WEB_KINDS)
    if implicit:
        return _unknown(base, verdict=Verdict.UNSUPPORTED, missing=implicit)
    refused = [item for part in attached.values() for item in part.refusals]
    return _explain(base, refused, packet, expressions=expressions)


def _base(
    store: Store,
    place: Place,
    others: Sequence[Place],
    attached: Mapping[str, Attached],
    packet: Packet,
    chosen: Chosen,
) -> Step:
    host, gateway = bare(packet.host), place.gateway
    hidden = kinds.unread(store, (GRPCRoute.KIND,)) if kinds.kind_allowed(place.listener, GRPCRoute.KIND) else ""
    return Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.RESPOND,
        summary=f"no {'GRPCRoute or HTTPRoute' if grpc.is_grpc(packet) else 'HTTPRoute'} under {place.name} takes "
        f"{packet.method} {packet.host}{packet.path}: answers {closed.not_found(packet)}",
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
            *stale(store.gateways, store.http_routes, store.grpc_routes),
            *((f"no GRPCRoute that cannot be read takes it ({hidden})",) if hidden else ()),
        ),
        confirm=kubectl.listing("HTTPRoute"),
        fix=f"add a rule that takes {packet.path} under host {host}",
    )


def _unknown(base: Step, **changes: object) -> Step:
    return msgspec.structs.replace(base, status=0, cause="", fix="", **changes)


def _explain(base: Step, refusals: Sequence[Refusal], packet: Packet, *, expressions: bool) -> Step:
    """Name the route that wants this host and does not attach (G10, G11, G12, G28), where there is one."""
    host = bare(packet.host)
    wanting = [
        item
        for item in refusals
        if item.route.KIND in kinds.WEB_KINDS
        and (not item.hostnames or any(any_labels(name, host) for name in item.hostnames))
    ]
    if not wanting:
        return base
    contradicted = [item for item in wanting if item.objection and _would_take(item, packet, expressions=expressions)]
    first = (contradicted or wanting)[0]
    said = tuple(
        Considered(f"{item.route.KIND} {item.route.id}", False, f"{item.why} ({item.cause})") for item in wanting
    )
    told = msgspec.structs.replace(
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
    if not contradicted:
        return told
    return msgspec.structs.replace(told, verdict=Verdict.UNSUPPORTED, status=0, cause="G30", missing=first.objection)


def _would_take(item: Refusal, packet: Packet, *, expressions: bool) -> bool:
    """Whether a rule of a route that is kept out would take a request, or may."""
    route = item.route
    wanted: list[RouteMatch | GRPCMatch] = []
    if isinstance(route, HTTPRoute):
        wanted += [match for rule in route.rules for match in rule.matches or (RouteMatch(),)]
    elif isinstance(route, GRPCRoute):
        wanted += [match for rule in route.rules for match in rule.matches or (GRPCMatch(),)]
    words = (gateway_match.matches(match, packet, expressions=expressions) for match in wanted)
    return any(not word or word.startswith(UNKNOWN) for word in words)


def _uncounted(place: Place, attached: Attached) -> tuple[str, ...]:
    """Routes that the controller counts and that we do not know."""
    said = next((item for item in place.gateway.status.listeners if item.name == place.listener.name), None)
    ours = {(item.route.KIND, item.route.id) for item in attached.attachments if item.listener == place.listener}
    if said is None or said.attached_routes <= len(ours):
        return ()
    count = said.attached_routes
    return (f"of {count} routes that the controller counts, {count - len(ours)} are not known and do not take it",)


def _isolation(others: Sequence[Place], attached: Mapping[str, Attached], host: str) -> tuple[str, ...]:
    """Less specific listeners that do have a route for the host: whether they are asked is up to the controller."""
    having = [place.listener.name for place in others if attached[place.gateway.id].under(place.listener.name, host)]
    return (f"listeners are isolated: {', '.join(having)} is not asked for {host}",) if having else ()
