"""A Service and its traces in Azure: names that the cloud provider gives, annotations that it reads.

Sources: cloud-provider-azure pkg/provider/azure_standard.go (names) and azure_loadbalancer.go (annotations), in
aks-networking.md 1.6 and 2.a.
"""

from shlex import quote

import msgspec

from aksnav.model.addresses import is_v4
from aksnav.model.azure.network import Frontend, InboundNatRule, LoadBalancer, LoadBalancingRule
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.store.store import Store
from aksnav.trace.azure.commands import located
from aksnav.trace.memo import once
from aksnav.trace.packet import Packet

ANNOTATION = "service.beta.kubernetes.io/"
_PREFIX_LENGTH = 32


class Found(msgspec.Struct, frozen=True, gc=False):
    """A frontend with its load balancer."""

    balancer: LoadBalancer
    frontend: Frontend


def annotation(service: Service | None, name: str) -> str:
    """Return a cloud provider's annotation of a Service without its prefix, or an empty string."""
    return "" if service is None else service.annotations.get(f"{ANNOTATION}{name}", "")


def is_true(service: Service | None, name: str) -> bool:
    """Return whether an annotation says true."""
    return annotation(service, name).strip().lower() == "true"


def prefix_of(service: Service) -> str:
    """Return what the names of a Service's frontends and rules begin with: ``a`` and the UID, cut to 32 characters."""
    return f"a{service.uid.replace('-', '')}"[:_PREFIX_LENGTH] if service.uid else ""


def is_internal(service: Service | None) -> bool:
    """Return whether a Service asks for a load balancer inside the network."""
    return is_true(service, "azure-load-balancer-internal")


def keeps_address(service: Service, v4: bool) -> bool:
    """Return whether the load balancer should keep the frontend's address as destination (aks-networking.md, T1)."""
    if is_true(service, "azure-disable-load-balancer-floating-ip"):
        return False
    return v4 or not is_internal(service)


def container_native(found: Found) -> bool:
    """Return whether a load balancer sends straight to Pods: one of sku Service (aks-networking.md 1.7)."""
    return found.balancer.sku.name.lower() == "service"


def service_of(store: Store, found: Found) -> Service | None:
    """Return the Service that a frontend or one of its rules is named after, or of sku Service the load balancer."""
    if container_native(found):
        uid = found.balancer.name.lower()
        return once(
            store, "services by uid", ("Service",), lambda: {row.uid.lower(): row for row in store.services}
        ).get(uid)
    names = [found.frontend.name, *(rule.name for rule in rules_of(found))]
    known = _by_prefix(store)
    return next((known[name[:_PREFIX_LENGTH]] for name in names if name[:_PREFIX_LENGTH] in known), None)


def rules_of(found: Found) -> list[LoadBalancingRule]:
    """Return the load-balancing rules of a frontend."""
    wanted = found.frontend.id
    rules = found.balancer.load_balancing_rules
    return [rule for rule in rules if wanted and rule.frontend_ip_configuration.id == wanted]


def rule_for(found: Found, packet: Packet) -> LoadBalancingRule | None:
    """Return the rule that takes a packet: by protocol and port, else one for every port (HA ports)."""
    listed = rules_of(found)
    exact = (item for item in listed if item.protocol.upper() == packet.protocol and item.frontend_port == packet.port)
    every = (item for item in listed if item.protocol.upper() == "ALL" and _takes_port(item, packet.port))
    return next(exact, None) or next(every, None)


def _takes_port(rule: LoadBalancingRule, port: int) -> bool:
    """Return whether a rule for every protocol takes a port: port 0 is every one, where the rule says so."""
    return rule.frontend_port == port or (not rule.frontend_port and "frontendPort" not in rule.untold)


def nat_rule_for(found: Found, packet: Packet) -> InboundNatRule | None:
    """Return the inbound NAT rule that takes a packet: of one port, or of a range of ports that is shared out."""
    wanted = found.frontend.id
    for rule in found.balancer.inbound_nat_rules:
        ports = (
            rule.frontend_port_range_start or rule.frontend_port,
            rule.frontend_port_range_end or rule.frontend_port,
        )
        if not wanted or rule.frontend_ip_configuration.id != wanted:
            continue
        if rule.protocol.upper() in {packet.protocol, "ALL"} and ports[0] <= packet.port <= ports[1]:
            return rule
    return None


def floats(rule: LoadBalancingRule, service: Service | None, packet: Packet) -> bool:
    """Return whether a rule keeps the frontend's address as destination: as it says, else as its Service asks."""
    if rule.enable_floating_ip is not None:
        return rule.enable_floating_ip
    return service is not None and keeps_address(service, packet.destination is None or is_v4(packet.destination))


def confirm(found: Found, what: str) -> str:
    """Return the command that lists a kind of part of a load balancer (rule, probe, address-pool)."""
    return f"az network lb {what} list {located(found.balancer.id)} --lb-name {quote(found.balancer.name)} -o table"


def port_of(services: list[Service], packet: Packet) -> tuple[Service | None, ServicePort | None]:
    """Return the Service, of several on one address, that has the packet's port; else the first, without a port."""
    for service in services:
        for port in service.ports:
            if port.port == packet.port and port.protocol == packet.protocol:
                return service, port
    return (services[0] if services else None), None


def _by_prefix(store: Store) -> dict[str, Service]:
    return once(store, "services by prefix", ("Service",), lambda: _prefixes(store))


def _prefixes(store: Store) -> dict[str, Service]:
    return {prefix_of(item): item for item in store.services if item.type == "LoadBalancer" and item.uid}
