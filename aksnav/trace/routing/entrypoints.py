"""Every way into the cluster: Ingresses, routes of Gateways, VirtualServices, ports of Services, private endpoints."""

from collections.abc import Iterable, Iterator

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.kubernetes.gateway import (
    ROUTE_KINDS,
    AnyRoute,
    BackendRef,
    GRPCMatch,
    GRPCRoute,
    HTTPRoute,
    Listener,
    RouteMatch,
    ValueMatch,
)
from aksnav.model.kubernetes.ingress import Ingress, IngressBackend
from aksnav.model.kubernetes.istio import HTTPMatchRequest, StringMatch
from aksnav.model.kubernetes.service import Service
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace.gateway import attach as gateway_attach
from aksnav.trace.gateway import classes as gateway_class
from aksnav.trace.gateway import kinds
from aksnav.trace.ingress import agic_listeners
from aksnav.trace.ingress.rules import age, rules_in
from aksnav.trace.istio import ways as istio
from aksnav.trace.istio.matching import why_not
from aksnav.trace.memo import once
from aksnav.trace.packet import Packet
from aksnav.trace.request import Request
from aksnav.trace.routing import linked
from aksnav.trace.routing.controllers import claims, for_gateway, for_ingress
from aksnav.trace.routing.types import Controller, EntryPoint, Flavour

_CONTROLLERS = ("IngressClass", "NginxIngressController", "GatewayClass")
_READS = (*_CONTROLLERS, "Ingress", "Service", "Gateway", *ROUTE_KINDS, "Namespace", *istio.READS)
_INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
_WELL_KNOWN = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}
# What stands in for the label of a wildcard host: a name that no rule is likely to have as its own.
_ANY_LABEL = "any"


def entry_points(store: Store) -> tuple[EntryPoint, ...]:
    """Return every way into the cluster, each text once, in a stable order.

    Rules of Ingresses come first, then routes of Gateways, those of VirtualServices, and Service ports. A wildcard host
    is asked for as ``any.DOMAIN``; a rule for every host by the controller's address, and a path that is an expression
    by its literal beginning. A Service port behind which an Ingress or Gateway controller stands is a way in as well.
    Last come the addresses and names of private endpoints whose private link service leads to a load balancer.
    """
    reads = (*_READS, *linked.READS)
    return once(store, "entry points", reads, lambda: _each_once([*_of_cluster(store), *linked.linked_ways(store)]))


class _Origin(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whose way in it is: what is common to all rules of one object under one controller."""

    via: Ref
    flavour: Flavour | None
    address: int | None
    internal: bool


def _of_cluster(store: Store) -> tuple[EntryPoint, ...]:
    """Return the ways in that objects of Kubernetes open: what Azure has does not make these anew."""
    return once(
        store,
        "entry points of objects",
        _READS,
        lambda: (*_of_ingresses(store), *_of_routes(store), *_of_virtual_services(store), *_of_services(store)),
    )


def _each_once(points: Iterable[EntryPoint]) -> tuple[EntryPoint, ...]:
    found: dict[tuple[str, str, tuple[tuple[str, str], ...]], EntryPoint] = {}
    for point in points:
        found.setdefault((point.text, point.request.method, point.request.headers), point)
    return tuple(found.values())


def _of_ingresses(store: Store) -> Iterator[EntryPoint]:
    known = claims(store)
    for ingress in sorted(store.ingresses, key=age):
        served = for_ingress(store, ingress)
        service = served.service if isinstance(served, Controller) else None
        own = next(
            (number for point in ingress.ingress_points if (number := parse_address(point.ip)) is not None), None
        )
        origin = _Origin(
            via=ingress.ref,
            flavour=known[ingress.id].flavour if known[ingress.id].problem is None else None,
            address=own if own is not None else _address(service),
            internal=service is not None and _is_internal(service),
        )
        for rules in rules_in([ingress]).values():
            for rule in rules:
                scheme = "https" if _has_tls(ingress, rule.host) else "http"
                port = 0
                if origin.flavour is Flavour.AGIC:
                    installed = agic_listeners.annotation(ingress, "appgw-ssl-certificate")
                    scheme, port = "https" if installed else scheme, agic_listeners.frontend_port(ingress)
                name = _name(ingress, rule.backend)
                yield from _web(origin, rule.field, name, scheme, rule.host, _literal(rule.path), port=port)
        if ingress.default_backend is not None and not ingress.rules:
            yield from _web(origin, ".spec.defaultBackend", _name(ingress, ingress.default_backend), "http", "", "/")


def _name(ingress: Ingress, backend: IngressBackend) -> str:
    return f"{ingress.namespace}/{backend.service.name}" if backend.service is not None else ""


def _has_tls(ingress: Ingress, host: str) -> bool:
    return any(not entry.hosts or host in {name.lower() for name in entry.hosts} for entry in ingress.tls)


def _of_routes(store: Store) -> Iterator[EntryPoint]:
    for gateway in sorted(store.gateways, key=lambda row: row.id):
        served = for_gateway(store, gateway)
        service = served.service if isinstance(served, Controller) else None
        own = (parse_address(point.value) for point in gateway.status.addresses)
        origin = _Origin(
            via=gateway.ref,
            flavour=gateway_class.class_of(store, gateway).flavour,
            address=next((number for number in own if number is not None), _address(service)),
            internal=service is not None and _is_internal(service),
        )
        attached = gateway_attach.attached(store, gateway)
        for item in attached.attachments:
            for hostname in item.hostnames:
                yield from _route(origin, item.listener, item.route, hostname)
        # A route that does not attach is a way in that somebody meant: it is asked for at the first fitting listener.
        for refusal in attached.refusals:
            kind = refusal.route.KIND
            for listener in [item for item in gateway.listeners if kind in kinds.taken_by(item)][:1]:
                for hostname in refusal.hostnames:
                    yield from _route(origin, listener, refusal.route, hostname.lower())


def _route(origin: _Origin, listener: Listener, route: AnyRoute, hostname: str) -> Iterator[EntryPoint]:
    own = msgspec.structs.replace(origin, via=route.ref)
    if isinstance(route, HTTPRoute):
        yield from _http(own, listener, route, hostname)
    elif isinstance(route, GRPCRoute):
        yield from _grpc(own, listener, route, hostname)
    elif route.rules:
        service = _backend(route, route.rules[0].backend_refs)
        if listener.protocol == "TLS":
            yield from _web(own, ".spec.rules[0]", service, "https", hostname, "/", port=listener.port)
        else:
            yield from _stream(own, listener, service)


def _backend(route: AnyRoute, refs: tuple[BackendRef, ...]) -> str:
    return f"{refs[0].namespace or route.namespace}/{refs[0].name}" if refs else ""


def _http(own: _Origin, listener: Listener, route: HTTPRoute, hostname: str) -> Iterator[EntryPoint]:
    scheme = "https" if listener.protocol == "HTTPS" else "http"
    for index, rule in enumerate(route.rules):
        service = _backend(route, rule.backend_refs)
        for place, match in enumerate(rule.matches or (RouteMatch(),)):
            field = f".spec.rules[{index}]" + (f".matches[{place}]" if rule.matches else "")
            expression = match.path.type == "RegularExpression"
            path = _literal(match.path.value) if expression else match.path.value or "/"
            for point in _web(own, field, service, scheme, hostname, path, port=listener.port):
                yield _asking(point, match)


def _grpc(own: _Origin, listener: Listener, route: GRPCRoute, hostname: str) -> Iterator[EntryPoint]:
    scheme = "grpcs" if listener.protocol == "HTTPS" else "grpc"
    for index, rule in enumerate(route.rules):
        service = _backend(route, rule.backend_refs)
        for place, match in enumerate(rule.matches or (GRPCMatch(),)):
            field = f".spec.rules[{index}]" + (f".matches[{place}]" if rule.matches else "")
            for point in _web(own, field, service, scheme, hostname, _called(match), port=listener.port):
                request = msgspec.structs.replace(point.request, method="POST", headers=_headers(match.headers))
                yield msgspec.structs.replace(point, request=request)


def _called(match: GRPCMatch) -> str:
    """The path of a gRPC request that a match takes: what it leaves open is any service and any method."""
    wanted = match.method
    parts = [wanted.service, wanted.method]
    if wanted.type == "RegularExpression":
        parts = [_literal(part).strip("/") for part in parts]
    return "/" + "/".join(part or _ANY_LABEL for part in parts)


def _stream(own: _Origin, listener: Listener, service: str, field: str = ".spec.rules[0]") -> Iterator[EntryPoint]:
    """The way in of a port that passes bytes on; none where no address is known to ask at."""
    if own.address is None:
        return
    scheme = listener.protocol.lower()
    text = f"{scheme}://{_bracket(format_address(own.address))}:{listener.port}"
    yield EntryPoint(
        text=text,
        request=Request(text=text, scheme=scheme, address=own.address, port=listener.port, path="", method=""),
        via=own.via,
        field=field,
        service=service,
        flavour=own.flavour,
        internal=own.internal,
    )


def _of_virtual_services(store: Store) -> Iterator[EntryPoint]:
    for way in istio.ways(store):
        port = way.place.server.port
        own = _Origin(
            via=way.row.ref,
            flavour=Flavour.ISTIO_CLASSIC,
            address=_address(way.service),
            internal=way.service is not None and _is_internal(way.service),
        )
        pattern = "" if way.host == "*" else way.host
        secure = way.place.server.tls is not None and not way.place.server.tls.https_redirect
        if way.match is None and port.protocol.upper() in {"TCP", "MONGO", "REDIS", "MYSQL"}:
            yield from _stream(own, Listener(name="", port=port.number, protocol="TCP"), way.leads_to, way.field)
            continue
        scheme = "https" if secure else "http"
        match = way.match.match if way.match is not None else None
        path = (match.uri.exact or match.uri.prefix or "/") if match is not None and match.uri is not None else "/"
        if match is not None and match.uri is not None and match.uri.regex is not None:
            path = _literal(match.uri.regex)
        for point in _web(own, way.field, way.leads_to, scheme, pattern, path, port=port.number):
            found = _wanting(point, match) if match is not None else point
            if match is None or _takes(match, found.request):
                yield found


def _takes(match: HTTPMatchRequest, request: Request) -> bool:
    """Whether a match takes the request that was made up for it: an expression may want what nobody guesses."""
    packet = Packet(
        scheme=request.scheme,
        host=request.host,
        path=request.path,
        query=request.query,
        method=request.method,
        headers=request.headers,
    )
    return why_not(match, packet) == ""


def _wanting(point: EntryPoint, match: HTTPMatchRequest) -> EntryPoint:
    """The same way in, asked for with the method, headers and query parameters that a match wants."""
    query = "&".join(f"{name}={_value(item)}" for name, item in match.query_params.items())
    text = f"{point.text}?{query}" if query else point.text
    headers = tuple((name.lower(), _value(item)) for name, item in match.headers.items())
    method = match.method.exact if match.method is not None and match.method.exact is not None else "GET"
    request = msgspec.structs.replace(point.request, text=text, method=method, headers=headers, query=query)
    return msgspec.structs.replace(point, text=text, request=request)


def _value(wanted: StringMatch) -> str:
    return wanted.exact if wanted.exact is not None else wanted.prefix or _ANY_LABEL


def _headers(wanted: tuple[ValueMatch, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((item.name.lower(), item.value) for item in wanted if item.type in {"", "Exact"})


def _asking(point: EntryPoint, match: RouteMatch) -> EntryPoint:
    """The same way in, asked for with the method, headers and query parameters that a match wants."""
    query = "&".join(f"{item.name}={item.value}" for item in match.query_params if item.type in {"", "Exact"})
    text = f"{point.text}?{query}" if query else point.text
    request = msgspec.structs.replace(
        point.request,
        text=text,
        method=match.method or "GET",
        headers=_headers(match.headers),
        query=query,
    )
    return msgspec.structs.replace(point, text=text, request=request)


def _of_services(store: Store) -> Iterator[EntryPoint]:
    for service in sorted(store.services, key=lambda row: row.id):
        if service.type not in {"LoadBalancer", "NodePort"}:
            continue
        address = _address(service) if service.type == "LoadBalancer" else None
        for index, port in enumerate(service.ports):
            scheme = port.protocol.lower()
            own = f"svc/{service.id}:{port.port}"
            text = f"{scheme}://{_bracket(format_address(address))}:{port.port}" if address is not None else own
            request = Request(
                text=text,
                scheme=scheme,
                address=address,
                port=port.port,
                path="",
                method="",
                service="" if address is not None else service.id,
            )
            yield EntryPoint(
                text=text,
                request=request,
                via=service.ref,
                field=f".spec.ports[{index}]",
                service=service.id,
                internal=_is_internal(service),
            )


def _web(
    origin: _Origin, field: str, service: str, scheme: str, pattern: str, path: str, *, port: int = 0
) -> Iterator[EntryPoint]:
    """The entry point of one rule; none where the rule is for every host and no address is known to ask at."""
    number = port or _WELL_KNOWN[scheme]
    name = f"{_ANY_LABEL}.{pattern[2:]}" if pattern.startswith("*.") else pattern
    if not name and origin.address is None:
        return
    host = name or _bracket(format_address(origin.address or 0))
    text = f"{scheme}://{host}{'' if _WELL_KNOWN[scheme] == number else f':{number}'}{path or '/'}"
    yield EntryPoint(
        text=text,
        request=Request(
            text=text,
            scheme=scheme,
            host=name,
            address=origin.address,
            port=number,
            path=path or "/",
            sni=name if scheme in {"https", "grpcs"} else "",
        ),
        via=origin.via,
        field=field,
        service=service,
        flavour=origin.flavour,
        internal=origin.internal,
    )


def _literal(path: str) -> str:
    """The part of a path that is certainly literal: up to the first character with a meaning in an expression."""
    cut = next((index for index, char in enumerate(path) if char in "()[]{}|*+?\\^$"), len(path))
    return path[:cut] or "/"


def _address(service: Service | None) -> int | None:
    texts = service.external_addresses if service is not None else ()
    return next((number for text in texts if (number := parse_address(text)) is not None), None)


def _is_internal(service: Service) -> bool:
    return service.type != "LoadBalancer" or service.annotations.get(_INTERNAL, "").lower() == "true"


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host
