"""What stands in front of the cluster and is named, not read: a firewall, a gateway, a content network.

An address that belongs to such a thing is no dead end: it may send on to a Service. How it does is in rules that are
not read, so the road ends undecided, with the name of what decides.
"""

import re
from shlex import quote

from aksnav.model.addresses import format_address
from aksnav.model.azure.network import PublicIPAddress, SubResource
from aksnav.store.store import Store
from aksnav.trace.azure.frontend import ANNOTATION, annotation
from aksnav.trace.azure.joins import public_ip_at, subnet_of
from aksnav.trace.packet import Packet
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

_OWNER = re.compile(r"/providers/(?P<type>[^/]+/[^/]+)/(?P<name>[^/]+)", re.IGNORECASE)
# What an address can be attached to, by ARM type: its name, and what of it decides.
_OWNERS = {
    "microsoft.network/azurefirewalls": ("Azure Firewall", "its DNAT rules"),
    "microsoft.network/applicationgateways": ("Application Gateway", "its listeners and rules"),
    "microsoft.network/virtualnetworkgateways": ("virtual network gateway", "its tunnels"),
    "microsoft.network/bastionhosts": ("Bastion", "who signs in there"),
    "microsoft.network/networkinterfaces": ("network interface", "what its machine does"),
}
_FIREWALL_SUBNETS = frozenset({"azurefirewallsubnet", "azurefirewallmanagementsubnet"})
# Names that only these services give (Azure documentation: frontdoor, cdn, traffic-manager).
_NAMES = {
    ".azurefd.net": "Azure Front Door",
    ".azureedge.net": "Azure CDN",
    ".trafficmanager.net": "Traffic Manager",
    ".azure-api.net": "API Management",
}
_MOST_TOLD = 20
_ADDITIONAL = "azure-additional-public-ips"


def at_address(store: Store, packet: Packet) -> Step | None:
    """Return the step of an address that is a firewall's or another edge's; None where it is nobody's that is known."""
    if packet.destination is None:
        return None
    additional = _additional(store, packet.destination, packet)
    if additional is not None:
        return additional
    public = public_ip_at(store, packet.destination)
    if public is not None:
        return _of_public(store, public, packet)
    place = subnet_of(store, packet.destination)
    if place is None or place[1].name.lower() not in _FIREWALL_SUBNETS:
        return None
    network, subnet = place
    fact = Evidence(".subnets[].name", subnet.name, network.ref, "holds the address")
    return _opaque(store, packet, f"Azure Firewall of virtual network {network.name}", "its rules", fact)


def _additional(store: Store, address: int, packet: Packet) -> Step | None:
    """Return the step of an address that a Service lists besides its own: a global load balancer's, mostly."""
    text = format_address(address)
    for service in store.services:
        listed = annotation(service, _ADDITIONAL)
        if text in {item.strip() for item in listed.split(",")}:
            return Step(
                kind=Kind.FIREWALL,
                verdict=Verdict.UNSUPPORTED,
                summary=f"{text} is an additional public address of Service {service.id}: what has it is not read",
                subject=service.ref,
                version=service.resource_version,
                packet=packet,
                evidence=(Evidence(f".metadata.annotations['{ANNOTATION}{_ADDITIONAL}']", listed, service.ref),),
                missing=f"what sends {text} on to the load balancer (a global load balancer)",
                confirm=f"az network public-ip list --query \"[?ipAddress=='{text}'].id\"",
                fix="trace the Service's own address",
            )
    return None


def at_name(host: str, packet: Packet) -> Step | None:
    """Return the step of a host name that only an edge service gives; None for any other name."""
    found = next((what for suffix, what in _NAMES.items() if host.endswith(suffix)), None)
    if found is None:
        return None
    return Step(
        kind=Kind.FIREWALL,
        verdict=Verdict.UNSUPPORTED,
        summary=f"{host} is a name of {found}: its origins and rules are not read",
        packet=packet,
        evidence=(Evidence("host", host),),
        missing=f"the origins and rules of {found}",
        confirm=f"nslookup {quote(host)}",
        fix="trace the address of its origin",
    )


def _of_public(store: Store, public: PublicIPAddress, packet: Packet) -> Step | None:
    if public.nat_gateway is not None and public.nat_gateway.arm_id:
        return _outbound_only(public, public.nat_gateway, packet)
    if public.ip_configuration is None:
        return None
    found = _OWNER.search(public.ip_configuration.arm_id)
    if found is None:
        return None
    known = _OWNERS.get(found["type"].lower())
    what, decides = known or (found["type"], "what it does")
    fact = Evidence(".ipConfiguration.id", public.ip_configuration.arm_id, public.ref)
    return _opaque(store, packet, f"{what} {found['name']}", decides, fact)


def _outbound_only(public: PublicIPAddress, gateway: SubResource, packet: Packet) -> Step:
    """A NAT gateway takes no connections from outside (Azure documentation, nat-gateway/nat-overview.md)."""
    name = gateway.arm_id.rpartition("/")[2]
    return Step(
        kind=Kind.NAT_GATEWAY,
        verdict=Verdict.DROP,
        summary=f"{public.ip_address} is an address of NAT gateway {name}, which takes no connections from outside",
        subject=public.ref,
        version=public.etag,
        packet=packet,
        evidence=(Evidence(".natGateway.id", gateway.arm_id, public.ref),),
        confirm=f"az network public-ip show --ids {quote(public.arm_id)} --query natGateway",
        fix="use the address of the Service or of the gateway",
    )


def _opaque(store: Store, packet: Packet, who: str, decides: str, fact: Evidence) -> Step:
    text = format_address(packet.destination) if packet.destination is not None else packet.host
    ident = fact.subject.id if fact.subject is not None else ""
    return Step(
        kind=Kind.FIREWALL,
        verdict=Verdict.UNSUPPORTED,
        summary=f"{text} is {who}: {decides} are not read",
        subject=fact.subject,
        packet=packet,
        evidence=(fact,),
        considered=tuple(_behind(store, packet)),
        missing=f"{who}: {decides}",
        confirm=f"az resource show --ids {quote(ident)}",
        fix="trace the address to which it translates, one of those that were considered",
    )


def _behind(store: Store, packet: Packet) -> list[Considered]:
    """Return the load balancer addresses with the packet's port, to which an edge may send."""
    found = []
    for service in sorted(store.services, key=lambda row: row.id):
        if service.type != "LoadBalancer" or not any(item.port == packet.port for item in service.ports):
            continue
        why = f"port {packet.port} of Service {service.id}: where the edge sends there, trace it from the edge"
        addresses = [point.ip for point in service.ingress_points if point.ip]
        found += [Considered(f"{text}:{packet.port}", decided=False, why=why) for text in addresses]
    return found[:_MOST_TOLD]
