"""Host names that objects of the cluster claim, and the addresses that they have for them."""

from collections.abc import Iterator

import msgspec

from aksnav.model.addresses import parse_address
from aksnav.model.azure.edge import PrivateEndpoint
from aksnav.model.kubernetes.gateway import Gateway, GRPCRoute, HTTPRoute, TLSRoute
from aksnav.model.kubernetes.ingress import Ingress
from aksnav.model.kubernetes.istio import IstioGateway, VirtualService
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.istio import ways as istio
from aksnav.trace.memo import once
from aksnav.trace.routing import controllers
from aksnav.trace.routing.types import Controller

_EXTERNAL_DNS = "external-dns.alpha.kubernetes.io/hostname"
_LABEL = "service.beta.kubernetes.io/azure-dns-label-name"
_CLOUD = ".cloudapp.azure.com"
_ROUTES = (HTTPRoute.KIND, GRPCRoute.KIND, TLSRoute.KIND)
_ISTIO = (IstioGateway.KIND, VirtualService.KIND)
_READS = (
    "Ingress",
    "IngressClass",
    "Gateway",
    "GatewayClass",
    *_ROUTES,
    *istio.READS,
    "publicIPAddresses",
    "privateEndpoints",
    "networkInterfaces",
)


class Claim(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An object says that a host name is its own.

    Attributes:
        ref: the object.
        field, value: where it says so.
        addresses: address integers that it has.
        aliases: host names that it has for an address.
        certain: DNS cannot say anything else (the label of a public address, which Azure itself serves).
    """

    ref: Ref
    field: str
    value: str
    addresses: tuple[int, ...] = ()
    aliases: tuple[str, ...] = ()
    certain: bool = False


def claims_of(store: Store, host: str) -> tuple[Claim, ...]:
    """Return who claims a host name: those that name it, and where none has an address, whose wildcard covers it."""
    known = _known(store)
    found = [*known.get(host, ())]
    labels = host.split(".")
    for cut in range(1, len(labels)):
        if any(claim.addresses or claim.aliases for claim in found):
            break
        # A wildcard of a Gateway covers several labels, one of an Ingress a single one.
        found += [
            claim
            for claim in known.get("*." + ".".join(labels[cut:]), ())
            if cut == 1 or claim.ref.kind in {"Gateway", *_ROUTES, *_ISTIO}
        ]
    label = _labelled(store, host) if not found else None
    return (label,) if label is not None else tuple(found)


def claimed_hosts(store: Store) -> list[str]:
    """Return every host name that an object claims, wildcards left out."""
    return sorted(host for host in _known(store) if not host.startswith("*"))


def _known(store: Store) -> dict[str, list[Claim]]:
    return once(store, "claimed hosts", _READS, lambda: _claims(store))


def _claims(store: Store) -> dict[str, list[Claim]]:
    found: dict[str, list[Claim]] = {}
    of_azure = (*_public_ips(store), *_private_endpoints(store))
    others = (sorted(part, key=_name) for part in (_gateways(store), _istio(store), _services(store)))
    for claims in (sorted(of_azure, key=_name), _ingresses(store), *others):
        for host, claim in claims:
            found.setdefault(host.lower().removesuffix("."), []).append(claim)
    return found


def _name(pair: tuple[str, Claim]) -> str:
    """Return by what claims are ordered: in which order objects are read says nothing."""
    return pair[1].ref.id


def _public_ips(store: Store) -> Iterator[tuple[str, Claim]]:
    for item in store.public_ips:
        address = parse_address(item.ip_address)
        if item.dns_settings.fqdn and address is not None:
            field = ".dnsSettings.fqdn"
            value = item.dns_settings.fqdn
            yield value, Claim(ref=item.ref, field=field, value=value, addresses=(address,), certain=True)


def _private_endpoints(store: Store) -> Iterator[tuple[str, Claim]]:
    """Yield the names for which private endpoints ask for a record; whether a zone has it is another matter (V07).

    With a DNS zone group, the endpoint has no custom configuration any more: its interface has the names.
    """
    for endpoint in store.private_endpoints:
        for index, item in enumerate(endpoint.custom_dns_configs):
            addresses = _numbers(iter(item.ip_addresses))
            if item.fqdn and addresses:
                field = f".customDnsConfigs[{index}].fqdn"
                yield item.fqdn, Claim(ref=endpoint.ref, field=field, value=item.fqdn, addresses=addresses)
        for name, place, addresses in () if endpoint.custom_dns_configs else _of_interfaces(store, endpoint):
            yield name, Claim(ref=endpoint.ref, field=place, value=name, addresses=addresses)


def _of_interfaces(store: Store, endpoint: PrivateEndpoint) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Yield the names of the interfaces of a private endpoint, each with its field and every address that it has."""
    found: dict[str, tuple[str, list[str]]] = {}
    for reference in endpoint.network_interfaces:
        interface = store.interfaces.get(reference.id)
        for index, item in enumerate(interface.ip_configurations if interface is not None else ()):
            for name in item.private_link_connection_properties.fqdns:
                field = f".networkInterfaces[].ipConfigurations[{index}].privateLinkConnectionProperties.fqdns"
                found.setdefault(name, (field, []))[1].append(item.private_ip_address)
    for name, (field, texts) in found.items():
        yield name, field, _numbers(iter(texts))


def _ingresses(store: Store) -> Iterator[tuple[str, Claim]]:
    for ingress in sorted(store.ingresses, key=lambda row: (row.created, row.id)):  # the older one has the host
        named = {rule.host: f".spec.rules[{index}].host" for index, rule in reversed([*enumerate(ingress.rules)])}
        if not any(named):
            continue
        addresses, aliases = _points(store, ingress)
        for host, field in named.items():
            if host:
                yield (
                    host,
                    Claim(ref=ingress.ref, field=field, value=host, addresses=addresses, aliases=aliases),
                )


def _points(store: Store, ingress: Ingress) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the addresses of an Ingress: of its status, else of the Service of its controller."""
    ips = _numbers(point.ip for point in ingress.ingress_points)
    names = tuple(point.hostname for point in ingress.ingress_points if point.hostname and not point.ip)
    if ips or names:
        return ips, names
    return _of_controller(controllers.for_ingress(store, ingress)), ()


def _of_controller(found: object) -> tuple[int, ...]:
    if isinstance(found, Controller) and found.service is not None:
        return _numbers(iter(found.service.external_addresses))
    return ()


def _gateways(store: Store) -> Iterator[tuple[str, Claim]]:
    places = {gateway.id: _gateway_points(store, gateway) for gateway in store.gateways}
    for gateway in store.gateways:
        addresses, aliases = places[gateway.id]
        for index, listener in enumerate(gateway.listeners):
            if listener.hostname:
                field = f".spec.listeners[{index}].hostname"
                claim = Claim(
                    ref=gateway.ref, field=field, value=listener.hostname, addresses=addresses, aliases=aliases
                )
                yield listener.hostname, claim
    for route in (*store.http_routes, *store.grpc_routes, *store.tls_routes):
        for parent in route.parent_refs:
            at = places.get(f"{parent.namespace or route.namespace}/{parent.name}")
            for index, host in enumerate(route.hostnames):
                addresses, aliases = at or ((), ())
                field = f".spec.hostnames[{index}]"
                yield host, Claim(ref=route.ref, field=field, value=host, addresses=addresses, aliases=aliases)


def _istio(store: Store) -> Iterator[tuple[str, Claim]]:
    """Yield the names of Istio's Gateways and VirtualServices, at the addresses of the gateways' Services."""
    for gateway in store.istio_gateways:
        texts = (text for row in istio.of_gateway(store, gateway) for text in row.external_addresses)
        addresses = _numbers(texts)
        for index, server in enumerate(gateway.servers):
            for host in server.hosts:
                name = host.rpartition("/")[2]
                field = f".spec.servers[{index}].hosts"
                if name != "*":
                    yield name, Claim(ref=gateway.ref, field=field, value=name, addresses=addresses)
    for way in istio.ways(store):
        if way.host != "*" and way.service is not None:
            addresses = _numbers(iter(way.service.external_addresses))
            claim = Claim(ref=way.row.ref, field=".spec.hosts", value=way.host, addresses=addresses)
            yield way.host, claim


def _gateway_points(store: Store, gateway: Gateway) -> tuple[tuple[int, ...], tuple[str, ...]]:
    ips = _numbers(item.value for item in gateway.status.addresses)
    names = tuple(item.value for item in gateway.status.addresses if item.type == "Hostname")
    if ips or names:
        return ips, names
    return _of_controller(controllers.for_gateway(store, gateway)), ()


def _services(store: Store) -> Iterator[tuple[str, Claim]]:
    for service in store.services:
        if not service.annotations:
            continue
        addresses = _numbers(iter(service.external_addresses))
        field = f".metadata.annotations['{_EXTERNAL_DNS}']"
        for host in service.annotations.get(_EXTERNAL_DNS, "").split(","):
            if host.strip():
                yield host.strip(), Claim(ref=service.ref, field=field, value=host.strip(), addresses=addresses)


def _labelled(store: Store, host: str) -> Claim | None:
    """Return the Service whose DNS label annotation makes a name of Azure's own zone, where Azure cannot be asked."""
    if not host.endswith(_CLOUD):
        return None
    label = host.partition(".")[0]
    for service in store.services:
        if service.annotations.get(_LABEL) == label:
            addresses = _numbers(iter(service.external_addresses))
            field = f".metadata.annotations['{_LABEL}']"
            return Claim(ref=service.ref, field=field, value=label, addresses=addresses)
    return None


def _numbers(texts: Iterator[str]) -> tuple[int, ...]:
    found = (parse_address(text) for text in texts)
    return tuple(dict.fromkeys(number for number in found if number is not None))
