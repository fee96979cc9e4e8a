"""Ways into the cluster through private endpoints, where a private link service stands in front of a load balancer.

Sources: aks-networking.md 2.h; Azure documentation, private-link/private-link-service-overview.md (consumers connect to
the address of their endpoint, on the ports of the load balancer's rules), private-link/private-endpoint-dns.md.
"""

from collections.abc import Iterator

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.azure.edge import PrivateEndpoint, PrivateLinkService
from aksnav.model.azure.network import LoadBalancingRule
from aksnav.store.store import Store
from aksnav.trace.azure import zones
from aksnav.trace.azure.frontend import rules_of, service_of
from aksnav.trace.azure.joins import subnet_by_id
from aksnav.trace.azure.private_link import endpoints, frontend_address, frontends
from aksnav.trace.memo import once
from aksnav.trace.request import Request
from aksnav.trace.routing.types import EntryPoint
from aksnav.trace.step import Evidence

READS = (
    "Service",
    "loadBalancers",
    "publicIPAddresses",
    "privateLinkServices",
    "privateEndpoints",
    "networkInterfaces",
    "virtualNetworks",
    "privateDnsZones",
    "privateDnsZoneLinks",
    "privateDnsRecordSets",
)
"""Kinds that these ways in hang on."""
_PORTED = frozenset({"tcp", "udp", "sctp"})


def linked_ways(store: Store) -> Iterator[EntryPoint]:
    """Yield each port that a private link service takes at the address of each of its endpoints, and at its names.

    A name is one that a private zone answers with that address in the endpoint's own network. An endpoint whose
    address is not read is none of these (``unread_endpoints``).
    """
    if not len(store.private_link_services):
        return
    for address, (endpoint, fact) in sorted(endpoints(store).items()):
        link = _service_of(store, endpoint)
        if link is None:
            continue
        for port in _ports(store, link):
            yield _point(endpoint, fact, address, *port, name="")
            for name in _names(store, endpoint, address):
                yield _point(endpoint, fact, address, *port, name=name)


def unread_endpoints(store: Store) -> Iterator[str]:
    """Yield, one line each, the private endpoints that a service has let in and whose addresses are not read."""
    known = {endpoint.id for endpoint, _ in endpoints(store).values()}
    for link in sorted(store.private_link_services, key=lambda row: row.id):
        if not frontends(store, link):
            continue
        for item in link.private_endpoint_connections:
            let_in = item.private_link_service_connection_state.status.lower() == "approved"
            if let_in and item.private_endpoint.id and item.private_endpoint.id not in known:
                who = item.private_endpoint.arm_id
                what = f"Microsoft.Network/privateEndpoints/read on {who}"
                yield f"way in through private link service {link.name} is not looked at: {what}"


def _service_of(store: Store, endpoint: PrivateEndpoint) -> PrivateLinkService | None:
    """Return the private link service that an endpoint connects to, of those that are read."""
    named = endpoint.connections[0].private_link_service_id.lower() if endpoint.connections else ""
    return store.private_link_services.get(named)


def _ports(store: Store, link: PrivateLinkService) -> Iterator[tuple[str, int, str]]:
    """Yield protocol, port and Service of what the frontends of a service take.

    Ports are those of the Services at the frontend's address; where none is known, those of the load balancer's rules.
    """
    seen: set[tuple[str, int]] = set()
    for found in frontends(store, link):
        address = frontend_address(store, found)
        services = store.services_at(address) if address is not None else []
        wanted = [(port.protocol.lower(), port.port, row.id) for row in services for port in row.ports]
        owner = service_of(store, found)
        named = owner.id if owner is not None else ""
        wanted = wanted or [(rule.protocol.lower(), rule.frontend_port, named) for rule in _ported(rules_of(found))]
        for protocol, port, service in wanted:
            if (protocol, port) not in seen:
                seen.add((protocol, port))
                yield protocol, port, service


def _ported(rules: list[LoadBalancingRule]) -> list[LoadBalancingRule]:
    return [rule for rule in rules if rule.protocol.lower() in _PORTED and rule.frontend_port]


def _names(store: Store, endpoint: PrivateEndpoint, address: int) -> list[str]:
    """Return the names that private zones answer with an endpoint's address in its own network."""
    place = subnet_by_id(store, endpoint.subnet)
    if place is None:
        return []
    found = once(store, "private names by address", ("privateDnsRecordSets",), lambda: _by_address(store))
    names = found.get(address, [])
    return [name for name in names if zones.look_up(store, place[0].id, name).state is zones.State.FOUND]


def _by_address(store: Store) -> dict[int, list[str]]:
    found: dict[int, set[str]] = {}
    for record in store.zone_records:
        if not record.host.startswith("*"):
            for number in (parse_address(text) for _, text in record.targets):
                if number is not None:
                    found.setdefault(number, set()).add(record.host)
    return {number: sorted(names) for number, names in found.items()}


def _point(
    endpoint: PrivateEndpoint, fact: Evidence, address: int, protocol: str, port: int, service: str, *, name: str
) -> EntryPoint:
    shown = format_address(address)
    host = name or (f"[{shown}]" if ":" in shown else shown)
    text = f"{protocol}://{host}:{port}"
    request = Request(
        text=text,
        scheme=protocol,
        host=name,
        address=None if name else address,
        port=port,
        path="",
        method="",
    )
    own = fact.subject == endpoint.ref
    return EntryPoint(
        text=text,
        request=request,
        via=endpoint.ref,
        field=fact.field if own else f".networkInterfaces[]{fact.field}",
        service=service,
        internal=True,
        beside=address,
    )
