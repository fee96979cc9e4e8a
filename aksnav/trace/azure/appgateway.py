"""An Application Gateway's own configuration: which listener, rule and path take a request.

Sources: Azure documentation, application-gateway/{multiple-site-overview,url-route-overview,redirect-overview,
configuration-infrastructure}.md; aks-networking.md 2.d (steps 2 to 4).
"""

import re
from shlex import quote
from typing import TypeVar

import msgspec

from aksnav.model.addresses import parse_address
from aksnav.model.azure.edge import (
    ApplicationGateway,
    GatewayPool,
    HttpListener,
    HttpSettings,
    PathRule,
    RequestRoutingRule,
    UrlPathMap,
)
from aksnav.model.azure.network import Child, Frontend, SubResource
from aksnav.store.store import Store
from aksnav.trace.azure.joins import public_ip_at
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

C = TypeVar("C", bound=Child)
_LAST = 1 << 20
_REDIRECTS = {"permanent": 301, "found": 302, "seeother": 303, "temporary": 307}
_NOT_FOUND = 404


class Arrival(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An Application Gateway with the frontend that has an address."""

    gateway: ApplicationGateway
    frontend: Frontend


class Routed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where an Application Gateway sends a request.

    Attributes:
        steps: listener and rule.
        pool, settings: where it goes on; None where a step ends the road, or it cannot be told.
        packet: the request in the clear, as the rule sees it.
    """

    steps: tuple[Step, ...]
    pool: GatewayPool | None = None
    settings: HttpSettings | None = None
    packet: Packet


class _Way(msgspec.Struct, frozen=True, gc=False):
    """What a rule, a path rule or a path map's default says."""

    field: str
    pool: SubResource | None
    settings: SubResource | None
    redirect: SubResource | None
    rewrite: SubResource | None


def gateway_at(store: Store, address: int) -> Arrival | None:
    """Return the Application Gateway that has an address, public or private."""
    public = public_ip_at(store, address)
    for gateway in store.application_gateways:
        for frontend in gateway.frontend_ip_configurations:
            named = frontend.public_ip_address
            if (frontend.private_ip_address and parse_address(frontend.private_ip_address) == address) or (
                public is not None and named is not None and named.id == public.id
            ):
                return Arrival(gateway=gateway, frontend=frontend)
    return None


def keeps_frontend(gateway: ApplicationGateway) -> bool:
    """Return whether the gateway keeps a frontend's address as destination of what comes in.

    It does for all listeners once a public and a private one that have rules share a port number (Azure documentation,
    configuration-infrastructure.md, "Required security rules").
    """
    active = {rule.http_listener.id for rule in gateway.request_routing_rules}
    private = {item.id for item in gateway.frontend_ip_configurations if item.private_ip_address}
    ports: dict[bool, set[str]] = {True: set(), False: set()}
    numbers = {item.id: str(item.port) for item in gateway.frontend_ports}
    for item in gateway.http_listeners:
        if item.id in active:
            number = numbers.get(item.frontend_port.id, "")
            ports[item.frontend_ip_configuration.id in private].add(number)
    return bool(ports[True] & ports[False])


def route(store: Store, arrival: Arrival, packet: Packet) -> Routed:
    """Return what the gateway does with a request: its listener, and the rule of that listener."""
    gateway = arrival.gateway
    stopped = _stopped(gateway, packet)
    if stopped is not None:
        return Routed(steps=(stopped,), packet=packet)
    listener, step = _listener(store, arrival, packet)
    inside = msgspec.structs.replace(
        packet,
        tls=False,
        sni="",
        host=packet.host or packet.sni,
        scheme={"https": "http", "grpcs": "grpc"}.get(packet.scheme, packet.scheme),
    )
    if listener is None:
        return Routed(steps=(step,), packet=inside)
    rule = next((item for item in gateway.request_routing_rules if item.http_listener.id == listener.id), None)
    if rule is None:
        return Routed(steps=(step, _no_rule(gateway, listener, inside)), packet=inside)
    way, looked = _way(gateway, rule, inside.path)
    told = _rule_step(gateway, rule, way, looked, inside)
    redirect = _redirect(gateway, way, told)
    if redirect is not None:
        return Routed(steps=(step, redirect), packet=inside)
    pool, settings = (
        _by_id(gateway.backend_address_pools, way.pool),
        _by_id(gateway.backend_http_settings_collection, way.settings),
    )
    if pool is None or settings is None:
        missing = f"the pool or the HTTP settings of {way.field}"
        blind = msgspec.structs.replace(told, verdict=Verdict.BLIND, missing=missing)
        return Routed(steps=(step, blind), packet=inside)
    return Routed(steps=(step, told), pool=pool, settings=settings, packet=inside)


def _by_id(listed: tuple[C, ...], reference: SubResource | None) -> C | None:
    return next((item for item in listed if reference is not None and item.id == reference.id), None)


def base(gateway: ApplicationGateway, kind: Kind, packet: Packet, summary: str) -> Step:
    """Return a step of a gateway that passes, to be filled."""
    return Step(
        kind=kind,
        verdict=Verdict.PASS,
        summary=summary,
        subject=gateway.ref,
        version=gateway.etag,
        packet=packet,
        confirm=f"az network application-gateway show --ids {quote(gateway.arm_id)}",
    )


def _stopped(gateway: ApplicationGateway, packet: Packet) -> Step | None:
    """A02: a stopped gateway answers nobody."""
    if gateway.operational_state.lower() not in {"stopped", "stopping"}:
        return None
    said = f"Application Gateway {gateway.name} is {gateway.operational_state}"
    return msgspec.structs.replace(
        base(gateway, Kind.APPGW_LISTENER, packet, said),
        verdict=Verdict.DROP,
        cause="A02",
        evidence=(Evidence(".operationalState", gateway.operational_state, gateway.ref),),
        fix=f"az network application-gateway start --ids {quote(gateway.arm_id)}",
    )


def _listener(store: Store, arrival: Arrival, packet: Packet) -> tuple[HttpListener | None, Step]:
    gateway, frontend = arrival.gateway, arrival.frontend
    ports = {item.id: item.port for item in gateway.frontend_ports}
    here = [item for item in gateway.http_listeners if item.frontend_ip_configuration.id == frontend.id]
    on_port = [item for item in here if ports.get(item.frontend_port.id) == packet.port]
    step = base(gateway, Kind.APPGW_LISTENER, packet, "")
    step = msgspec.structs.replace(step, assumptions=stale(store.application_gateways), considered=_failed(gateway))
    if not on_port:
        return None, _no_port(step, arrival, sorted({ports.get(item.frontend_port.id, 0) for item in here}), packet)
    host = (packet.sni or packet.host).lower()
    rank = {item.http_listener.id: item.priority or _LAST for item in gateway.request_routing_rules}
    ordered = sorted(on_port, key=lambda item: rank.get(item.id, _LAST))
    chosen = next((item for item in ordered if not item.hosts or any(_takes(name, host) for name in item.hosts)), None)
    looked = tuple(
        Considered(f"listener {item.name}", item is chosen, f"hosts {', '.join(item.hosts) or '(any)'}")
        for item in ordered
    )
    step = msgspec.structs.replace(step, considered=(*step.considered, *looked))
    if chosen is None:
        return None, _no_host(step, ordered, host, packet)
    wrong = _other_protocol(step, chosen, packet)
    if wrong is not None:
        return None, wrong
    field = f".httpListeners[?name=='{chosen.name}']"
    running = () if gateway.operational_state else (f"{gateway.name} runs: its operationalState is not said (A02)",)
    firewall = (*_firewall(gateway, chosen), *running)
    return chosen, msgspec.structs.replace(
        step,
        summary=f"listener {chosen.name} of {gateway.name} takes {chosen.protocol} for {host or '(any host)'}",
        evidence=(
            Evidence(f"{field}.protocol", chosen.protocol, gateway.ref),
            Evidence(f"{field}.hostNames", ", ".join(chosen.hosts) or "(any)", gateway.ref),
            Evidence(f"{field}.frontendPort", str(packet.port), gateway.ref),
        ),
        assumptions=(*step.assumptions, *firewall),
    )


def _failed(gateway: ApplicationGateway) -> tuple[Considered, ...]:
    if gateway.provisioning_state.lower() != "failed":
        return ()
    why = "A02: the last change failed; the gateway goes on with the configuration before it"
    return (Considered("provisioningState", decided=False, why=why),)


def _takes(pattern: str, host: str) -> bool:
    """Return whether a listener's host name takes a host: ``*`` is any text, ``?`` one character."""
    text = re.escape(pattern.lower()).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(text, host) is not None


def _no_port(step: Step, arrival: Arrival, ports: list[int], packet: Packet) -> Step:
    gateway = arrival.gateway
    listed = ", ".join(map(str, ports)) or "none"
    return msgspec.structs.replace(
        step,
        verdict=Verdict.DROP,
        summary=f"Application Gateway {gateway.name} has no listener for port {packet.port} on {arrival.frontend.name}",
        cause="A09" if packet.tls else "",
        evidence=(Evidence(".httpListeners[].frontendPort", listed, gateway.ref, "ports of this frontend"),),
        fix="bring a certificate in spec.tls" if packet.tls else "use a port that has a listener",
    )


def _no_host(step: Step, listeners: list[HttpListener], host: str, packet: Packet) -> Step:
    names = ", ".join(name for item in listeners for name in item.hosts)
    return msgspec.structs.replace(
        step,
        verdict=Verdict.REJECT if packet.tls and not packet.host else Verdict.RESPOND,
        status=0 if packet.tls and not packet.host else _NOT_FOUND,
        summary=f"no listener on port {packet.port} has host {host or '(none)'}: it answers {_NOT_FOUND}",
        cause="I04",
        evidence=(Evidence(".httpListeners[].hostNames", names, step.subject),),
        fix=f"add a rule for host {host} to an Ingress, and see whether AGIC writes it",
    )


def _other_protocol(step: Step, listener: HttpListener, packet: Packet) -> Step | None:
    """Return the step of a client that speaks TLS where the listener does not, or the other way round."""
    field = f".httpListeners[?name=='{listener.name}'].protocol"
    fact = Evidence(field, listener.protocol, step.subject)
    secure = listener.protocol.lower() == "https"
    if not packet.http:
        missing = f"what listener {listener.name} makes of a connection without a request"
        said = f"listener {listener.name} takes the connection; without HTTP there is nothing to route by"
        return msgspec.structs.replace(
            step, verdict=Verdict.UNSUPPORTED, summary=said, missing=missing, evidence=(fact,)
        )
    if secure == packet.tls:
        return None
    if packet.tls:
        said = f"listener {listener.name} speaks plain HTTP: the TLS handshake fails"
        return msgspec.structs.replace(step, verdict=Verdict.REJECT, summary=said, evidence=(fact,), fix="use http")
    said = f"listener {listener.name} speaks TLS: a plain HTTP request is answered with 400"
    return msgspec.structs.replace(
        step, verdict=Verdict.RESPOND, status=400, summary=said, evidence=(fact,), fix="use https"
    )


def _firewall(gateway: ApplicationGateway, listener: HttpListener) -> tuple[str, ...]:
    """A11: what a web application firewall thinks of a request is not read."""
    policy = listener.firewall_policy or gateway.firewall_policy
    own = gateway.web_application_firewall_configuration
    if policy is None and not own.enabled:
        return ()
    name = policy.arm_id.rpartition("/")[2] if policy is not None else f"of {gateway.name} in mode {own.firewall_mode}"
    return (f"web application firewall {name} lets the request through (A11)",)


def _no_rule(gateway: ApplicationGateway, listener: HttpListener, packet: Packet) -> Step:
    said = f"no request routing rule has listener {listener.name}"
    return msgspec.structs.replace(
        base(gateway, Kind.APPGW_RULE, packet, said),
        verdict=Verdict.RESPOND,
        status=_NOT_FOUND,
        cause="A05",
        evidence=(Evidence(".requestRoutingRules[].httpListener.id", f"none is {listener.name}", gateway.ref),),
        fix="see whether AGIC runs: it writes a rule for every listener",
    )


def _way(gateway: ApplicationGateway, rule: RequestRoutingRule, path: str) -> tuple[_Way, tuple[Considered, ...]]:
    """Return what takes a path: the first path rule that matches, in the order of the list; else the default."""
    field = f".requestRoutingRules[?name=='{rule.name}']"
    table: UrlPathMap | None = _by_id(gateway.url_path_maps, rule.url_path_map)
    if table is None:
        return _Way(
            field,
            rule.backend_address_pool,
            rule.backend_http_settings,
            rule.redirect_configuration,
            rule.rewrite_rule_set,
        ), ()
    field = f".urlPathMaps[?name=='{table.name}']"
    chosen = next((item for item in table.path_rules if any(path_takes(text, path) for text in item.paths)), None)
    looked = tuple(
        Considered(f"path rule {item.name}", item is chosen, f"paths {', '.join(item.paths)}")
        for item in table.path_rules
    )
    if chosen is None:
        return _Way(
            f"{field}.defaultBackendAddressPool",
            table.default_backend_address_pool,
            table.default_backend_http_settings,
            table.default_redirect_configuration,
            table.default_rewrite_rule_set,
        ), looked
    return _of_path(field, chosen), looked


def _of_path(field: str, rule: PathRule) -> _Way:
    return _Way(
        f"{field}.pathRules[?name=='{rule.name}']",
        rule.backend_address_pool,
        rule.backend_http_settings,
        rule.redirect_configuration,
        rule.rewrite_rule_set,
    )


def path_takes(pattern: str, path: str) -> bool:
    """Return whether a path pattern takes a path: letter case does not count, a ``*`` at the end is a prefix."""
    wanted, lowered = pattern.lower(), path.lower()
    return lowered.startswith(wanted[:-1]) if wanted.endswith("*") else lowered == wanted


def _rule_step(
    gateway: ApplicationGateway, rule: RequestRoutingRule, way: _Way, looked: tuple[Considered, ...], packet: Packet
) -> Step:
    pool = way.pool.arm_id.rpartition("/")[2] if way.pool is not None else "(none)"
    settings = way.settings.arm_id.rpartition("/")[2] if way.settings is not None else "(none)"
    rewrites = (
        (f"rewrite rules {way.rewrite.arm_id.rpartition('/')[2]} change nothing that decides",) if way.rewrite else ()
    )
    return msgspec.structs.replace(
        base(gateway, Kind.APPGW_RULE, packet, f"rule {rule.name} sends {packet.path or '/'} to pool {pool}"),
        evidence=(
            Evidence(f".requestRoutingRules[?name=='{rule.name}'].ruleType", rule.rule_type, gateway.ref),
            Evidence(way.field, pool, gateway.ref),
            Evidence("backendHttpSettings", settings, gateway.ref),
        ),
        considered=looked,
        assumptions=rewrites,
    )


def _redirect(gateway: ApplicationGateway, way: _Way, told: Step) -> Step | None:
    if way.redirect is None or not way.redirect.arm_id:
        return None
    found = _by_id(gateway.redirect_configurations, way.redirect)
    if found is None:
        return msgspec.structs.replace(told, verdict=Verdict.BLIND, missing=f"redirect configuration {way.redirect.id}")
    status = _REDIRECTS.get(found.redirect_type.lower(), 302)
    target = found.target_url or (
        f"listener {found.target_listener.arm_id.rpartition('/')[2]}" if found.target_listener is not None else "(none)"
    )
    field = f".redirectConfigurations[?name=='{found.name}']"
    return msgspec.structs.replace(
        told,
        verdict=Verdict.RESPOND,
        status=status,
        summary=f"redirect {found.name}: the client is sent to {target} with {status}",
        evidence=(
            Evidence(f"{field}.redirectType", found.redirect_type, gateway.ref),
            Evidence(f"{field}.target", target, gateway.ref),
        ),
        fix="ask at the address of the redirect",
    )
