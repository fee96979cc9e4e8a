"""Private link: from the address of a private endpoint through the private link service to the load balancer.

Sources: aks-networking.md 2.h and 5.12; cloud-provider-azure, "PLS integration" (restrictions); Azure documentation,
private-link/private-link-service-overview.md (the service connects from its NAT addresses, approval, visibility).
"""

from shlex import quote

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.azure.edge import PrivateEndpoint, PrivateLinkService, ServiceConnection
from aksnav.model.azure.network import LoadBalancingRule
from aksnav.model.kubernetes.service import Service
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure import frontend as naming
from aksnav.trace.azure.frontend import Found
from aksnav.trace.azure.joins import group_of, public_ip_at, subnet_by_id
from aksnav.trace.azure.subnet_filter import into_subnet
from aksnav.trace.memo import once
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale, unreadable
from aksnav.trace.step import ENDS, UNKNOWN, Considered, Evidence, Kind, Step, Verdict

_TYPE = "/providers/microsoft.network/privatelinkservices/"
_FILTERED = frozenset({"enabled", "networksecuritygroupenabled"})
_OPEN = "approved"
CLOSED = frozenset({"pending", "rejected", "disconnected", "removed"})
"""States of a connection through which nothing goes."""


class LinkEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a packet comes through a private endpoint.

    Attributes:
        steps: the endpoint, its subnet's group, the service.
        packet: as it comes to the load balancer; None where it does not, or nobody knows how.
    """

    steps: tuple[Step, ...]
    packet: Packet | None = None


def enter(store: Store, packet: Packet) -> LinkEntry | None:
    """Return how a packet to an address goes through a private endpoint, or None: no endpoint has the address."""
    found = endpoint_at(store, packet.destination)
    if found is None:
        return None
    endpoint, fact = found
    connection = endpoint.connections[0] if endpoint.connections else ServiceConnection()
    link = store.private_link_services.get(connection.private_link_service_id.lower())
    first = _endpoint_step(store, endpoint, fact, connection, link, packet)
    steps = [*_filtered(store, endpoint, packet), first]
    if first.verdict in ENDS:
        return LinkEntry(steps=tuple(steps))
    if link is None:
        return LinkEntry(steps=(*steps, _other_service(store, connection, endpoint, packet)))
    step, after = link_step(store, link, packet)
    return LinkEntry(steps=(*steps, step), packet=after)


def _unfiltered(store: Store, endpoint: PrivateEndpoint) -> tuple[str, ...]:
    """Return what is taken for granted where an endpoint's subnet is not read: it may have a group that is asked."""
    if subnet_by_id(store, endpoint.subnet) is not None:
        return ()
    named = endpoint.subnet.arm_id if endpoint.subnet is not None else ""
    gone = f"subnet {named.rpartition('/')[2] or '(not said)'} is not there"
    why = unreadable(store.virtual_networks, group_of(named)) or gone
    return (f"no security group filters in front of private endpoint {endpoint.name}: {why}",)


def endpoint_at(store: Store, address: int | None) -> tuple[PrivateEndpoint, Evidence] | None:
    """Return the private endpoint that has an address, with the field that says so."""
    return None if address is None else endpoints(store).get(address)


def endpoints(store: Store) -> dict[int, tuple[PrivateEndpoint, Evidence]]:
    """Return the private endpoints by each of their addresses, with the field that says it."""
    reads = ("privateEndpoints", "networkInterfaces")
    return once(store, "private endpoints", reads, lambda: _by_address(store))


def _by_address(store: Store) -> dict[int, tuple[PrivateEndpoint, Evidence]]:
    found: dict[int, tuple[PrivateEndpoint, Evidence]] = {}
    for endpoint in sorted(store.private_endpoints, key=lambda row: row.id):
        facts = [
            Evidence(f".ipConfigurations[{index}].privateIPAddress", item.private_ip_address, endpoint.ref)
            for index, item in enumerate(endpoint.ip_configurations)
        ]
        for reference in endpoint.network_interfaces:
            interface = store.interfaces.get(reference.id)
            facts += [
                Evidence(f".ipConfigurations[{index}].privateIPAddress", item.private_ip_address, interface.ref)
                for index, item in enumerate(interface.ip_configurations if interface is not None else ())
                if interface is not None
            ]
        facts += [
            Evidence(f".customDnsConfigs[{index}].ipAddresses", text, endpoint.ref)
            for index, item in enumerate(endpoint.custom_dns_configs)
            for text in item.ip_addresses
        ]
        for fact in facts:
            number = parse_address(fact.value)
            if number is not None:
                found.setdefault(number, (endpoint, fact))
    return found


def _filtered(store: Store, endpoint: PrivateEndpoint, packet: Packet) -> list[Step]:
    """Return what the group of the endpoint's subnet does: it is asked only where the subnet says so."""
    place = subnet_by_id(store, endpoint.subnet)
    if place is None or place[1].private_endpoint_network_policies.lower() not in _FILTERED:
        return []
    value = place[1].private_endpoint_network_policies
    seen = f"privateEndpointNetworkPolicies of subnet {place[1].name} is {value}"
    steps = into_subnet(store, place, packet, seen, endpoint=True)
    fix = f"allow the clients to port {packet.port} of {endpoint.name} in the group of subnet {place[1].name}"
    return [msgspec.structs.replace(step, fix=fix) if step.verdict is Verdict.DROP else step for step in steps]


def _state(link: PrivateLinkService | None, endpoint: PrivateEndpoint, connection: ServiceConnection) -> Evidence:
    """Return whether the connection is let in: the service's own word counts before the endpoint's."""
    for index, item in enumerate(link.private_endpoint_connections if link is not None else ()):
        if link is not None and item.private_endpoint.id == endpoint.id:
            field = f".privateEndpointConnections[{index}].privateLinkServiceConnectionState.status"
            return Evidence(field, item.private_link_service_connection_state.status, link.ref)
    manual = connection in endpoint.manual_private_link_service_connections
    name = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
    status = connection.private_link_service_connection_state.status
    return Evidence(f".{name}[0].privateLinkServiceConnectionState.status", status, endpoint.ref)


def _endpoint_step(
    store: Store,
    endpoint: PrivateEndpoint,
    fact: Evidence,
    connection: ServiceConnection,
    link: PrivateLinkService | None,
    packet: Packet,
) -> Step:
    state = _state(link, endpoint, connection)
    target = connection.private_link_service_id
    status = state.value.lower()
    said = f"{fact.value} is private endpoint {endpoint.name}"
    step = Step(
        kind=Kind.PRIVATE_ENDPOINT,
        verdict=Verdict.PASS,
        summary=f"{said}, connected to {target.rpartition('/')[2] or '(nothing)'}: {state.value or '(not said)'}",
        subject=endpoint.ref,
        version=endpoint.etag,
        packet=packet,
        evidence=(fact, state, Evidence(".privateLinkServiceConnections[0].privateLinkServiceId", target)),
        considered=_hidden_from(link, endpoint),
        assumptions=(*_unfiltered(store, endpoint), *stale(store.private_endpoints)),
        confirm=f"az network private-endpoint show --ids {quote(endpoint.arm_id)}",
    )
    if status == _OPEN:
        return step
    if status in CLOSED:
        owner = link.name if link is not None else target.rpartition("/")[2]
        fix = f"approve the connection at private link service {owner}: az network private-endpoint-connection approve"
        return msgspec.structs.replace(step, verdict=Verdict.DROP, cause="V01", fix=fix)
    missing = f"{state.field} of {state.subject}"
    return msgspec.structs.replace(step, verdict=Verdict.BLIND, missing=missing)


def _hidden_from(link: PrivateLinkService | None, endpoint: PrivateEndpoint) -> tuple[Considered, ...]:
    """V04: the subscription of the endpoint is not among those that may see the service."""
    listed = {item.lower() for item in link.visibility.subscriptions} if link is not None else set()
    own = endpoint.id.removeprefix("/subscriptions/").partition("/")[0]
    if not listed or "*" in listed or own in listed:
        return ()
    why = f"V04: visibility does not list subscription {own}: a new endpoint of it would not find the service"
    return (Considered("visibility", decided=False, why=why),)


def _other_service(store: Store, connection: ServiceConnection, endpoint: PrivateEndpoint, packet: Packet) -> Step:
    """Return the step of a service that is not read, or is none of the cluster's load balancers."""
    ident = connection.private_link_service_id
    name, kind = ident.rpartition("/")[2], ident.lower().rpartition("/providers/")[2].rpartition("/")[0]
    step = Step(
        kind=Kind.PRIVATE_LINK_SERVICE,
        verdict=Verdict.BLIND,
        summary=f"private link service {name} is not read",
        subject=Ref(PrivateLinkService.KIND, ident.lower()),
        packet=packet,
        evidence=(Evidence(".privateLinkServiceConnections[0].privateLinkServiceId", ident, endpoint.ref),),
        missing=unreadable(store.private_link_services, group_of(ident))
        or f"Microsoft.Network/privateLinkServices/read on {ident}",
        confirm=f"az network private-link-service show --ids {quote(ident)}",
        fix="grant Microsoft.Network/privateLinkServices/read on its resource group",
    )
    if _TYPE in ident.lower():
        return step
    parts = ", ".join(connection.group_ids)
    what = f"{kind} {name}" + (f" ({parts})" if parts else "")
    return msgspec.structs.replace(
        step,
        verdict=Verdict.UNSUPPORTED,
        summary=f"the private endpoint leads to {what}, which is no load balancer of a Service",
        subject=endpoint.ref,
        missing=f"the road behind a private endpoint of {what}",
        confirm=f"az resource show --ids {quote(ident)}",
        fix="",
    )


def frontends(store: Store, link: PrivateLinkService) -> list[Found]:
    """Return the frontends of load balancers that a private link service stands in front of."""
    wanted = {item.id for item in link.load_balancer_frontend_ip_configurations}
    return [
        Found(balancer, item)
        for balancer in store.load_balancers
        for item in balancer.frontend_ip_configurations
        if item.id in wanted
    ]


def link_step(store: Store, link: PrivateLinkService, packet: Packet) -> tuple[Step, Packet | None]:
    """Return what a private link service does with a packet, and the packet as the load balancer gets it."""
    found = frontends(store, link)
    nat = [item.private_ip_address for item in link.ip_configurations if item.private_ip_address]
    named = ", ".join(item.arm_id for item in link.load_balancer_frontend_ip_configurations) or "(none)"
    step = Step(
        kind=Kind.PRIVATE_LINK_SERVICE,
        verdict=Verdict.BLIND,
        summary=f"the frontend of private link service {link.name} is not known",
        subject=link.ref,
        version=link.etag,
        packet=packet,
        evidence=(
            Evidence(".loadBalancerFrontendIpConfigurations[].id", named),
            Evidence(".ipConfigurations[].privateIPAddress", ", ".join(nat) or "(none)"),
            Evidence(".enableProxyProtocol", str(link.enable_proxy_protocol).lower()),
        ),
        missing=unreadable(store.load_balancers) or f"the load balancer of frontend {named}",
        assumptions=stale(store.private_link_services),
        confirm=f"az network private-link-service show --ids {quote(link.arm_id)}",
    )
    address = frontend_address(store, found[0]) if found else None
    if address is None or not nat:
        return step, None
    after = msgspec.structs.replace(packet, source=parse_address(nat[0]), source_word="", destination=address)
    rule = naming.rule_for(found[0], after)
    service = naming.service_of(store, found[0])
    broken = cannot_carry(store, link, found[0], rule, service)
    if broken is not None:
        cause, said, facts, fix = broken
        lost = msgspec.structs.replace(
            step,
            verdict=Verdict.DROP,
            summary=f"private link service {link.name}: {said}",
            cause=cause,
            evidence=(*step.evidence, *facts),
            missing="",
            fix=fix,
        )
        return lost, None
    others = f", like {len(nat) - 1} others" if len(nat) > 1 else ""
    front = format_address(address)
    assumed = ("whoever answers behind it reads the PROXY protocol's header",) if link.enable_proxy_protocol else ()
    return (
        msgspec.structs.replace(
            step,
            verdict=Verdict.TRANSFORM,
            summary=f"private link service {link.name} sends it from its address {nat[0]}{others} to frontend {front}",
            packet_after=after,
            missing="",
            considered=tuple(_notes(store, link)),
            assumptions=(*step.assumptions, *assumed),
        ),
        after,
    )


def frontend_address(store: Store, found: Found) -> int | None:
    """Return the address of a frontend of a load balancer, its own or that of its public address."""
    frontend = found.frontend
    if frontend.private_ip_address:
        return parse_address(frontend.private_ip_address)
    if frontend.public_ip_address is None:
        return None
    public = store.public_ips.get(frontend.public_ip_address.id)
    return parse_address(public.ip_address) if public is not None else None


Broken = tuple[str, str, tuple[Evidence, ...], str]
"""A check, what it says, its fields, and what mends it."""


def cannot_carry(
    store: Store, link: PrivateLinkService, found: Found, rule: LoadBalancingRule | None, service: Service | None
) -> Broken | None:
    """Return why a private link service does not carry traffic (V03, V05), with its fields and what mends it."""
    balancer, frontend = found.balancer, found.frontend
    wanted = {item.id for item in rule.pools} if rule is not None else set()
    for pool in balancer.backend_address_pools:
        by_address = [
            item for item in pool.load_balancer_backend_addresses if not item.network_interface_ip_configuration
        ]
        if pool.id in wanted and by_address and not pool.backend_ip_configurations:
            fact = Evidence(
                f".backendAddressPools[?name=='{pool.name}'].loadBalancerBackendAddresses",
                f"{len(by_address)} by address",
                balancer.ref,
            )
            said = f"backend pool {pool.name} holds nodes by address, which a private link service cannot use"
            return "V03", said, (fact,), "use backend pools of type nodeIPConfiguration"
    address = frontend_address(store, found)
    public = address is not None and public_ip_at(store, address) is not None and not frontend.private_ip_address
    if public and rule is not None and rule.enable_floating_ip:
        fact = Evidence(f".loadBalancingRules[?name=='{rule.name}'].enableFloatingIP", "true", balancer.ref)
        said = f"frontend {frontend.name} is public, and its rule keeps the address (floating IP)"
        fix = "make the Service internal, or set azure-disable-load-balancer-floating-ip"
        return "V03", said, (fact,), fix
    if link.enable_proxy_protocol and service is not None and service.external_traffic_policy == "Local":
        fact = Evidence(".spec.externalTrafficPolicy", "Local", service.ref)
        said = "with the PROXY protocol, the probe of healthCheckNodePort is never answered with 200"
        return "V05", said, (fact,), "set externalTrafficPolicy: Cluster, or azure-pls-proxy-protocol to false"
    return None


def _notes(store: Store, link: PrivateLinkService) -> list[Considered]:
    notes = [Considered("idle timeout", decided=False, why="V08: a connection is cut after 5 minutes without traffic")]
    for item in link.ip_configurations:
        place = subnet_by_id(store, item.subnet)
        if place is not None and place[1].private_link_service_network_policies.lower() == "enabled":
            why = (
                f"V02: privateLinkServiceNetworkPolicies of NAT subnet {place[1].name} is Enabled: changes are refused"
            )
            notes.append(Considered(f"subnet {place[1].name}", decided=False, why=why))
    return notes


def told_apart(road: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return a road behind a private link service: ranges that do not hold its address are V06, not N05."""
    return tuple(
        msgspec.structs.replace(
            step,
            cause="V06",
            summary=f"{step.summary}: behind a private link service the client is one of its NAT addresses",
            fix="add the NAT subnet of the private link service to the ranges",
        )
        if step.cause == "N05" and step.verdict not in UNKNOWN
        else step
        for step in road
    )
