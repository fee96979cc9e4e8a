"""Why objects that claim a host name are not served: no class, no controller, no such parent, not programmed."""

from collections.abc import Iterable, Iterator

import msgspec

from aksnav.model.kubernetes.gateway import AnyRoute, Gateway
from aksnav.model.kubernetes.ingress import Ingress
from aksnav.model.kubernetes.service import Service
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure.lb_address import pending
from aksnav.trace.gateway.attach import attached, parent_id
from aksnav.trace.gateway.refusals import FIXES
from aksnav.trace.kubectl import show
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.routing import controllers
from aksnav.trace.routing.types import Controller
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_SHOWN = 4


def problems(store: Store, claimants: Iterable[Ref], packet: Packet) -> tuple[Step, ...]:
    """Return what keeps objects that claim a host name from being served, each problem once.

    Args:
        store: everything that is known.
        claimants: Ingresses, Gateways and their routes, Services.
        packet: the request.
    """
    found: dict[tuple[str, str], Step] = {}
    for ref in claimants:
        for step in _of(store, ref, packet):
            found.setdefault((step.cause, str(step.subject)), step)
    return tuple(found.values())


def _of(store: Store, ref: Ref, packet: Packet) -> Iterator[Step]:
    item = store.get(ref)
    if isinstance(item, Ingress):
        yield from _of_controller(store, controllers.for_ingress(store, item), packet)
    elif isinstance(item, Gateway):
        yield from _of_controller(store, controllers.for_gateway(store, item), packet)
        # A route that names this Gateway and shares no host name with it was meant for some host of it.
        for refusal in attached(store, item).refusals[:_SHOWN]:
            if refusal.cause == "G10":
                yield _refused(refusal.route, packet, refusal.cause, refusal.why, refusal.evidence)
    elif isinstance(item, AnyRoute):
        yield from _of_route(store, item, packet)
    elif isinstance(item, Service) and not item.external_addresses:
        yield pending(store, item, packet)


def _of_controller(store: Store, known: Controller | Step, packet: Packet) -> Iterator[Step]:
    steps = (known,) if isinstance(known, Step) else known.problems
    yield from (msgspec.structs.replace(step, packet=packet) for step in steps)
    if isinstance(known, Step):
        return
    if known.service is not None and not known.service.external_addresses and known.service.type == "LoadBalancer":
        yield pending(store, known.service, packet)


def _of_route(store: Store, route: AnyRoute, packet: Packet) -> Iterator[Step]:
    for index, parent in enumerate(route.parent_refs):
        ident = parent_id(route, parent)
        gateway = store.gateways.get(ident)
        if gateway is None:
            known = not unreadable(store.gateways, ident.partition("/")[0]) and ident not in store.gateways.undecodable
            if known and parent.kind == "Gateway":
                fact = Evidence(f".spec.parentRefs[{index}].name", parent.name, route.ref)
                yield _refused(route, packet, "G12", f"there is no Gateway {ident}", (fact,))
            continue
        for refusal in attached(store, gateway).refusals:
            if refusal.route.id == route.id:
                yield _refused(route, packet, refusal.cause, refusal.why, refusal.evidence)
        yield from _of_controller(store, controllers.for_gateway(store, gateway), packet)


def _refused(route: AnyRoute, packet: Packet, cause: str, why: str, facts: tuple[Evidence, ...]) -> Step:
    return Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.RESPOND,
        summary=f"{route.KIND} {route.id} is not attached: {why}",
        subject=route.ref,
        version=route.resource_version,
        packet=packet,
        cause=cause,
        status=404,
        evidence=facts,
        confirm=show(route.ref, ".status.parents"),
        fix=FIXES[cause],
    )
