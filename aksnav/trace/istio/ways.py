"""Which hosts the Gateways of networking.istio.io open, at which of the gateways' Services."""

from collections.abc import Iterator, Mapping

import msgspec

from aksnav.model.kubernetes.istio import IstioGateway, L4Route, VirtualHTTPRoute, VirtualService, WeightedDestination
from aksnav.model.kubernetes.service import Service
from aksnav.store import Store
from aksnav.trace.istio import hosts, listener
from aksnav.trace.istio.matching import Candidate, candidates
from aksnav.trace.istio.scope import Place, Workload, bound, gateways_of, places, selects
from aksnav.trace.memo import once
from aksnav.trace.routing import recognise
from aksnav.trace.routing.types import Flavour

READS = ("IstioGateway", "VirtualService", "Service")


class Way(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A host that a VirtualService has at a server.

    Attributes:
        service: the gateway's Service; None where none selects such Pods.
        place: the server.
        host: the host that both have, ``*`` for every one.
        row: the VirtualService.
        field: of the rule.
        match: for HTTP, the match; None for connections that are passed on.
        leads_to: id of the Service of the first destination, empty where it names none.
    """

    service: Service | None
    place: Place
    host: str
    row: VirtualService
    field: str
    match: Candidate | None
    leads_to: str


def fronts(store: Store) -> tuple[Service, ...]:
    """Return the Services of ingress gateways: by their looks, or because they select what a Gateway selects."""
    return once(store, "Services of Istio's gateways", ("Service", "IstioGateway"), lambda: tuple(_fronts(store)))


def _fronts(store: Store) -> Iterator[Service]:
    selectors = [
        dict(pairs) for pairs in {tuple(sorted(row.selector.items())) for row in store.istio_gateways} if pairs
    ]
    for row in sorted(store.services, key=lambda row: row.id):
        wanted = row.selector or {}
        own = recognise.service(row) is Flavour.ISTIO_CLASSIC or any(selects(item, wanted) for item in selectors)
        if wanted and own:
            yield row


def at_service(service: Service) -> Workload:
    """Return the workload behind a gateway's Service, by what it selects."""
    return Workload(service.namespace, service.selector or {})


def of_gateway(store: Store, gateway: IstioGateway) -> tuple[Service, ...]:
    """Return the gateways' Services whose Pods a Gateway selects."""
    return tuple(row for row in fronts(store) if selects(gateway.selector, row.selector or {}))


def ways(store: Store) -> Iterator[Way]:
    """Yield every host and rule that VirtualServices have at the servers of a gateway, in a stable order."""
    served: dict[str, set[str]] = {}
    for service in fronts(store):
        at = at_service(service)
        for place in places(store, at):
            for row in bound(store, place.gateway, at):
                for way in _of_row(service, place, at, row):
                    served.setdefault(row.id, set()).add(way.host)
                    yield way
    yield from _astray(store, served)


def _of_row(service: Service, place: Place, at: Workload, row: VirtualService) -> Iterator[Way]:
    usable = tuple(hosts.of_namespace(place.server.hosts, place.gateway.namespace, row.namespace))
    shared = hosts.intersection(usable, [hosts.fqdn(name, row.namespace) for name in row.hosts])
    if _speaks_http(place):
        found = [*candidates(row, place.gateway.id, place.server.port.number, at)]
        for name in shared:
            for item in found:
                yield Way(
                    service=service,
                    place=place,
                    host=name,
                    row=row,
                    field=item.field,
                    match=item,
                    leads_to=_leads_to(row, item.rule.route),
                )
        return
    passed = row.tls if listener.family(place) == "tls" else row.tcp
    kind = "tls" if listener.family(place) == "tls" else "tcp"
    for index, rule in enumerate(passed if shared else ()):
        for name in _names(rule) or shared[:1]:
            yield Way(
                service=service,
                place=place,
                host=name,
                row=row,
                field=f".spec.{kind}[{index}]",
                match=None,
                leads_to=_leads_to(row, rule.route),
            )


def _speaks_http(place: Place) -> bool:
    if listener.family(place) == "http":
        return True
    mode = place.server.tls.mode if place.server.tls is not None else "PASSTHROUGH"
    return place.server.port.protocol.upper() == "HTTPS" and mode not in listener.PASSED_ON


def _names(rule: L4Route) -> list[str]:
    return list(dict.fromkeys(name.lower() for match in rule.match for name in match.sni_hosts))


def _leads_to(row: VirtualService, route: tuple[WeightedDestination, ...]) -> str:
    return hosts.service_id(hosts.fqdn(route[0].destination.host, row.namespace)) if route else ""


def _astray(store: Store, served: Mapping[str, set[str]]) -> Iterator[Way]:
    """Yield the ways in that somebody meant and that no gateway has: at the first server of the named Gateway.

    A host of which a part is served (``*`` where the server has some names alone) is not among them.
    """
    every = fronts(store)
    for row in sorted(store.virtual_services, key=lambda row: row.id):
        for name in gateways_of(row):
            gateway = store.istio_gateways.get(name)
            if gateway is None or not gateway.servers:
                continue
            service = next(iter(of_gateway(store, gateway)), every[0] if every else None)
            usable = [
                place
                for place in (Place(gateway, index, server) for index, server in enumerate(gateway.servers))
                if _speaks_http(place)
            ]
            rule = row.http[0] if row.http else VirtualHTTPRoute()
            meant = row.hosts if usable and row.http and not row.http[0].match else ()
            for host in meant:
                if host == hosts.EVERY or hosts.intersection(
                    [hosts.fqdn(host, row.namespace)], served.get(row.id, set())
                ):
                    continue
                yield Way(
                    service=service,
                    place=usable[0],
                    host=hosts.fqdn(host, row.namespace),
                    row=row,
                    field=".spec.http[0]",
                    match=None,
                    leads_to=_leads_to(row, rule.route),
                )
