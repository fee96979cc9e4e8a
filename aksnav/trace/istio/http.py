"""HTTP at a gateway: virtual hosts of the servers' VirtualServices, a rule, its actions and its destinations.

Source: istio/istio pilot/pkg/networking/core/gateway.go (buildGatewayHTTPRouteConfig). Envoy asks one virtual host
alone: where its rules do not take a request, no wider one is asked.
"""

from collections.abc import Sequence

import msgspec

from aksnav.model.kubernetes.istio import IstioGateway, StringMatch, VirtualService
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.ingress.answer import limited
from aksnav.trace.istio import actions, destinations, hosts, matching
from aksnav.trace.istio.matching import Candidate, Chosen
from aksnav.trace.istio.scope import Place, Workload, bound, gateways_of, unread, visible
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale
from aksnav.trace.routing.hostnames import bare
from aksnav.trace.routing.types import Routing, Target
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

_NOT_FOUND = 404
_MOVED = 301
_PLAIN = {"https": "http", "grpcs": "grpc"}


class VirtualHost(msgspec.Struct, kw_only=True, gc=False):
    """What a proxy knows of one host: the server that brought it, its matches, and whether it wants TLS."""

    place: Place
    candidates: list[Candidate] = []
    tls_wanted: Place | None = None


def virtual_hosts(store: Store, servers: Sequence[Place], at: Workload) -> dict[str, VirtualHost]:
    """Return the virtual hosts of servers that share a port (of one server, where TLS ends there)."""
    made: dict[str, VirtualHost] = {}
    for place in servers:
        redirects = place.server.tls is not None and place.server.tls.https_redirect
        for row in bound(store, place.gateway, at):
            mine = [hosts.fqdn(name, row.namespace) for name in row.hosts]
            usable = tuple(hosts.of_namespace(place.server.hosts, place.gateway.namespace, row.namespace))
            shared = hosts.intersection(usable, mine)
            found = [*matching.candidates(row, place.gateway.id, place.server.port.number, at)] if shared else []
            for name in shared if found else ():
                made.setdefault(name, VirtualHost(place=place, candidates=[])).candidates.extend(found)
                if redirects:
                    made[name].tls_wanted = place
        for name in hosts.plain(place.server.hosts) if redirects else ():
            made.setdefault(name, VirtualHost(place=place, candidates=[])).tls_wanted = place
    return made


def route(store: Store, servers: Sequence[Place], at: Workload, packet: Packet) -> Routing:
    """Return what becomes of an HTTP request at the servers that took it."""
    inside = msgspec.structs.replace(packet, host=packet.host or packet.sni)
    host = bare(inside.host)
    known = virtual_hosts(store, servers, at)
    name = hosts.narrowest(known, host)
    missing = unread(store, ("VirtualService",))
    if name is None:
        return Routing(steps=(_no_host(store, servers, at, inside, host, missing),), ended=True)
    chosen_host = known[name]
    if chosen_host.tls_wanted is not None and not packet.tls:
        return Routing(steps=(_https_wanted(chosen_host.tls_wanted, inside),), ended=True)
    subject = chosen_host.place.gateway
    port = chosen_host.place.server.port.number
    return of_rules(store, matching.ordered(chosen_host.candidates), subject, at, port, inside)


def of_rules(
    store: Store,
    listed: Sequence[Candidate],
    subject: IstioGateway | VirtualService,
    at: Workload,
    port: int,
    packet: Packet,
) -> Routing:
    """Return what becomes of a request under the rules of one host.

    Args:
        store: what is known.
        listed: the matches in their order.
        subject: what is blamed where none takes the request and there is none.
        at: the proxy.
        port: that the rules are for.
        packet: the request.
    """
    missing = unread(store, ("VirtualService",))
    chosen = matching.choose(listed, packet)
    if chosen.undecided is not None:
        return Routing(steps=(_undecided(chosen, packet),), ended=True)
    if chosen.candidate is None:
        return Routing(steps=(_no_rule(listed, chosen, subject.ref, packet, missing),), ended=True)
    return _send(store, port, at, chosen, chosen.candidate, missing, packet)


def _send(
    store: Store, port: int, at: Workload, chosen: Chosen, item: Candidate, missing: str, packet: Packet
) -> Routing:
    acted = actions.apply(item, packet, port)
    sender = destinations.Sender(at=at, row=item.row, field=f".spec.http[{item.rule_index}]", http=True, port=port)
    inside = acted.packet
    if packet.tls:
        inside = msgspec.structs.replace(inside, tls=False, sni="", scheme=_PLAIN.get(inside.scheme, inside.scheme))
    targets: tuple[Target, ...] = ()
    weights: tuple[Considered, ...] = ()
    steps = acted.steps
    ended = acted.ended
    if not ended and not item.rule.delegate:
        targets, weights = destinations.targets(store, sender, item.rule.route, inside)
        if not targets:
            steps, ended = (*steps, _nowhere(item, packet)), True
    elif not ended:
        ended = True
    match = _match_step(store, item, chosen, weights, missing, packet)
    if acted.aborted is not None:
        targets = _with_fault(acted.aborted, targets, steps if ended else (), packet)
        steps, ended = (() if ended else steps), False
    return Routing(steps=(match, *steps), targets=() if ended else targets, ended=ended)


def _with_fault(
    aborted: tuple[float, Step], targets: Sequence[Target], answered: tuple[Step, ...], packet: Packet
) -> tuple[Target, ...]:
    """The targets with a share of requests that a fault answers in their place."""
    share, step = aborted
    rest = [msgspec.structs.replace(item, weight=(item.weight or 0.0) * (1 - share)) for item in targets]
    if answered:
        rest = [
            Target(
                namespace="",
                service="",
                packet=packet,
                label="the other requests",
                steps=answered,
                ended=True,
                weight=1 - share,
            )
        ]
    fault = Target(
        namespace="", service="", packet=packet, label="fault injection", steps=(step,), ended=True, weight=share
    )
    return (*rest, fault)


def _match_step(
    store: Store, item: Candidate, chosen: Chosen, weights: Sequence[Considered], missing: str, packet: Packet
) -> Step:
    words = matching.describe(item.match)
    expression = any(part is not None and part.regex not in {None, "*"} for part in _parts(item))
    return Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.PASS,
        summary=f"VirtualService {item.row.id} rule {item.rule_index} takes {packet.host}{packet.path}: {words}",
        subject=item.row.ref,
        version=item.row.resource_version,
        packet=packet,
        evidence=(
            Evidence(item.field, words, item.row.ref),
            Evidence(".spec.hosts", ", ".join(item.row.hosts), item.row.ref),
            Evidence(".spec.gateways", ", ".join(gateways_of(item.row)), item.row.ref),
        ),
        considered=limited((*chosen.considered, *weights)),
        assumptions=(
            *(("regular expressions (RE2) are read as Python's",) if expression else ()),
            *((f"no VirtualService that cannot be read goes before it ({missing})",) if missing else ()),
            *stale(store.virtual_services),
        ),
        confirm=kubectl.show(item.row.ref),
    )


def _parts(item: Candidate) -> tuple[StringMatch | None, ...]:
    match = item.match
    listed = (*match.headers.values(), *match.without_headers.values(), *match.query_params.values())
    return match.uri, match.method, match.authority, match.scheme, *listed


def _nowhere(item: Candidate, packet: Packet) -> Step:
    """Several destinations and no weight, or none at all: the API server refuses such a rule."""
    return Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.UNSUPPORTED,
        summary=f"{item.name} sends nowhere: it has no destination with a weight",
        subject=item.row.ref,
        packet=packet,
        evidence=(
            Evidence(f".spec.http[{item.rule_index}].route", f"{len(item.rule.route)} destinations", item.row.ref),
        ),
        missing=f"what Istio makes of a rule without a destination (VirtualService {item.row.id})",
        confirm=kubectl.show(item.row.ref, f".spec.http[{item.rule_index}]"),
        fix="give one destination a weight",
    )


def _https_wanted(place: Place, packet: Packet) -> Step:
    where = f"https://{bare(packet.host)}{packet.path}" + (f"?{packet.query}" if packet.query else "")
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.RESPOND,
        summary=f"{place.name} sends the client to {where} with {_MOVED}: it wants HTTPS",
        subject=place.gateway.ref,
        version=place.gateway.resource_version,
        packet=packet,
        status=_MOVED,
        evidence=(Evidence(f"{place.field}.tls.httpsRedirect", "true", place.gateway.ref), Evidence("Location", where)),
        confirm=kubectl.show(place.gateway.ref, f"{place.field}.tls"),
    )


def _undecided(chosen: Chosen, packet: Packet) -> Step:
    item, why = chosen.undecided if chosen.undecided is not None else (None, "")
    row = item.row if item is not None else None
    return Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.UNSUPPORTED,
        summary=f"{item.name if item is not None else 'a rule'} may take the request: {why}",
        subject=row.ref if row is not None else None,
        packet=packet,
        evidence=(Evidence(item.field, matching.describe(item.match), item.row.ref),) if item is not None else (),
        considered=limited(chosen.considered),
        missing=f"{why} (VirtualService {row.id if row is not None else ''})",
        confirm=kubectl.show(row.ref) if row is not None else "",
    )


def _not_found(packet: Packet, subject: Ref | None, what: str, cause: str, facts: tuple[Evidence, ...]) -> Step:
    return Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.RESPOND,
        summary=f"{what}: the proxy answers {_NOT_FOUND} (Envoy: NR, no route)",
        subject=subject,
        packet=packet,
        cause=cause,
        status=_NOT_FOUND,
        evidence=facts,
        confirm="kubectl get virtualservices.networking.istio.io -A",
        fix="let hosts and gateways of the VirtualService and hosts of the Gateway's server agree",
    )


def _doubted(step: Step, missing: str) -> Step:
    """The same answer, not proven: something that may take the request cannot be read."""
    if not missing:
        return step
    return msgspec.structs.replace(step, verdict=Verdict.BLIND, status=0, cause="", missing=missing)


def _no_rule(listed: Sequence[Candidate], chosen: Chosen, subject: Ref, packet: Packet, missing: str) -> Step:
    rows = list(dict.fromkeys(item.row.ref for item in listed))
    facts = tuple(Evidence(".spec.http[*].match", "none takes the request", ref) for ref in rows) or (
        Evidence(".spec.http", "no rule holds here", subject),
    )
    what = f"no rule of {', '.join(map(str, rows)) or subject} takes {packet.method} {packet.host}{packet.path}"
    step = _not_found(packet, rows[0] if rows else subject, what, "G27", facts)
    step = msgspec.structs.replace(step, considered=limited(chosen.considered), fix="add a match that takes it")
    return _doubted(step, missing)


def _no_host(store: Store, servers: Sequence[Place], at: Workload, packet: Packet, host: str, missing: str) -> Step:
    """No virtual host has the name: G18 where a VirtualService has it and does not come to these servers."""
    for row in sorted(store.virtual_services, key=lambda row: row.id):
        meant = [hosts.fqdn(name, row.namespace) for name in row.hosts if name != hosts.EVERY]
        if not any(hosts.covers(name, host) for name in meant):
            continue
        why = why_astray(store, row, servers, at)
        if why is None:
            continue
        text, facts = why
        what = f"VirtualService {row.id} has the host {host} and does not come to this gateway: {text}"
        return _doubted(_not_found(packet, row.ref, what, "G18", facts), missing)
    place = servers[0]
    facts = (Evidence(f"{place.field}.hosts", ", ".join(place.server.hosts), place.gateway.ref),)
    what = f"no VirtualService of {place.gateway.ref} has the host {host or '(none)'}"
    return _doubted(_not_found(packet, place.gateway.ref, what, "G27", facts), missing)


def why_astray(
    store: Store, row: VirtualService, servers: Sequence[Place], at: Workload
) -> tuple[str, tuple[Evidence, ...]] | None:
    """Return why a VirtualService has no host at servers, in words and facts; None where it is for the mesh alone."""
    named = gateways_of(row)
    wanted = [name for name in named if name != "mesh"]
    if not wanted:
        return None
    here = [place for place in servers if place.gateway.id in wanted]
    if not here:
        gone = [name for name in wanted if store.istio_gateways.get(name) is None]
        note = f"Gateway {gone[0]} does not exist" if gone else "they are not the Gateways of these servers"
        facts = (
            Evidence(".spec.gateways", ", ".join(named), row.ref, note),
            *(
                Evidence(f"{place.field}.hosts", ", ".join(place.server.hosts), place.gateway.ref)
                for place in servers[:3]
            ),
        )
        return f"it names {', '.join(wanted)}; {note}", facts
    if not visible(row.export_to, row.namespace, at.namespace):
        fact = Evidence(".spec.exportTo", ", ".join(row.export_to), row.ref, f"not namespace {at.namespace}")
        return f"it is not exported to namespace {at.namespace}, where the gateway runs", (fact,)
    facts = (
        Evidence(".spec.hosts", ", ".join(row.hosts), row.ref, f"namespace {row.namespace}"),
        *(Evidence(f"{place.field}.hosts", ", ".join(place.server.hosts), place.gateway.ref) for place in here[:3]),
    )
    return f"the hosts of Gateway {here[0].gateway.id} do not have it for namespace {row.namespace}", facts
