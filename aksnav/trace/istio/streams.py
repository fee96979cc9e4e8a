"""Connections that a gateway passes on: rules for TLS by server name, rules for TCP by port.

Source: istio/istio pilot/pkg/networking/core/gateway.go (buildGatewayNetworkFiltersFromTLSRoutes, -TCPRoutes): the
first rule for TCP of the oldest VirtualService counts; of rules for TLS the one with the narrowest server name.
"""

from collections.abc import Iterator

from aksnav.model.kubernetes.istio import L4Match, L4Route, VirtualService
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.istio import destinations, hosts
from aksnav.trace.istio.scope import Place, Workload, bound, in_full, selects, unread
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale
from aksnav.trace.routing.hostnames import bare
from aksnav.trace.routing.types import Routing
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_ANYTHING = L4Match()


def route(store: Store, place: Place, at: Workload, speaks: str, packet: Packet) -> Routing:
    """Return what becomes of a connection at a server.

    Args:
        store: what is known.
        place: the server that took it.
        at: the gateway's workload.
        speaks: ``tls`` where it is passed through, by its server name; ``tcp`` where the port alone decides.
        packet: as it arrives.
    """
    rows = [row for row in bound(store, place.gateway, at) if _shares(place, row)]
    found = _tls(rows, place, at, packet) if speaks == "tls" else _tcp(rows, place, at)
    missing = unread(store, ("VirtualService",))
    if found is None:
        return Routing(steps=(_nothing(place, rows, speaks, missing, packet),), ended=True)
    row, field, rule, doubt = found
    sender = destinations.Sender(at=at, row=row, field=field, http=False, port=place.server.port.number)
    targets, weights = destinations.targets(store, sender, rule.route, packet)
    match = Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.UNSUPPORTED if doubt or not targets else Verdict.PASS,
        summary=f"VirtualService {row.id} {field.removeprefix('.spec.')} takes {packet.sni or 'the connection'}",
        subject=row.ref,
        version=row.resource_version,
        packet=packet,
        evidence=(
            Evidence(field, _words(rule), row.ref),
            Evidence(".spec.hosts", ", ".join(row.hosts), row.ref),
        ),
        considered=weights,
        assumptions=(
            *((f"no VirtualService that cannot be read goes before it ({missing})",) if missing else ()),
            *stale(store.virtual_services),
        ),
        missing=doubt or ("" if targets else f"a destination with a weight in {row.ref}"),
        confirm=kubectl.show(row.ref, field),
    )
    return Routing(steps=(match,), targets=targets, ended=not targets)


def _shares(place: Place, row: VirtualService) -> bool:
    usable = tuple(hosts.of_namespace(place.server.hosts, place.gateway.namespace, row.namespace))
    return bool(hosts.intersection(usable, [hosts.fqdn(name, row.namespace) for name in row.hosts]))


def _holds(match: L4Match, row: VirtualService, place: Place, at: Workload) -> bool:
    if match.port not in {0, place.server.port.number}:
        return False
    if match.gateways:
        return place.gateway.id in {in_full(name, row.namespace) for name in match.gateways}
    return selects(match.source_labels, at.labels) and match.source_namespace in {"", at.namespace}


Found = tuple[VirtualService, str, L4Route, str]


def _tcp(rows: list[VirtualService], place: Place, at: Workload) -> Found | None:
    for row in rows:
        for index, rule in enumerate(row.tcp):
            for match in rule.match or (_ANYTHING,):
                if rule.route and _holds(match, row, place, at):
                    doubt = f"destinationSubnets of {row.ref}" if match.destination_subnets else ""
                    return row, f".spec.tcp[{index}]", rule, doubt
    return None


def _tls(rows: list[VirtualService], place: Place, at: Workload, packet: Packet) -> Found | None:
    name = bare(packet.sni or packet.host)
    listed = [*_sni(rows, place, at)]
    best = hosts.narrowest([host for host, _ in listed], name)
    return next((found for host, found in listed if host == best), None)


def _sni(rows: list[VirtualService], place: Place, at: Workload) -> Iterator[tuple[str, Found]]:
    for row in rows:
        for index, rule in enumerate(row.tls):
            for match in rule.match:
                if rule.route and _holds(match, row, place, at):
                    doubt = f"destinationSubnets of {row.ref}" if match.destination_subnets else ""
                    for host in match.sni_hosts:
                        yield host.lower(), (row, f".spec.tls[{index}]", rule, doubt)


def _words(rule: L4Route) -> str:
    names = ", ".join(host for match in rule.match for host in match.sni_hosts)
    ports = ", ".join(str(match.port) for match in rule.match if match.port)
    return f"sniHosts {names}" if names else f"port {ports}" if ports else "every connection"


def _nothing(place: Place, rows: list[VirtualService], speaks: str, missing: str, packet: Packet) -> Step:
    what = f"server name {packet.sni or packet.host or '(none)'}" if speaks == "tls" else "connections of this port"
    names = ", ".join(row.id for row in rows) or "none shares a host with it"
    return Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.BLIND if missing else Verdict.REJECT,
        summary=f"{place.name}: no VirtualService has a {speaks} rule for {what}: it is closed",
        subject=place.gateway.ref,
        version=place.gateway.resource_version,
        packet=packet,
        cause="" if missing else "G27",
        evidence=(
            Evidence(f"{place.field}.hosts", ", ".join(place.server.hosts), place.gateway.ref),
            Evidence("VirtualServices of the server", names),
        ),
        missing=missing,
        confirm="kubectl get virtualservices.networking.istio.io -A",
        fix=f"add a rule under .spec.{speaks} to a VirtualService of this Gateway",
    )
