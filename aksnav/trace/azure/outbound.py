"""What gives a packet to the internet a public source, and how many such connections a node can have.

NAT gateway, then an address of the node's own, then an outbound rule of the load balancer, then the subnet's default
outbound access (Azure documentation, "Default outbound access" and "NAT gateway", order of precedence;
aks-networking.md 1.3). Ports: Azure documentation, load-balancer-outbound-connections, "Default port allocation".
"""

from collections.abc import Iterator
from shlex import quote

import msgspec

from aksnav.model.addresses import parse_address
from aksnav.model.azure.network import LoadBalancer, NatGateway, OutboundRule, Subnet, SubResource
from aksnav.model.kubernetes.workload import Node
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure.commands import located
from aksnav.trace.azure.joins import attach_node, cluster, group_of
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale, unreadable
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

# Machines in the pool, and the ports that each gets of every frontend where the rule does not say.
PORTS_BY_SIZE = ((50, 1024), (100, 512), (200, 256), (400, 128), (800, 64), (1000, 32))
FEWEST = 32
_GATEWAYS = frozenset({"natGateways", "subnets"})
_CLOSED = frozenset({"none", "block"})


def to_internet(store: Store, node: Node, subnet: Subnet, packet: Packet) -> Step:
    """Return the step in which a packet gets a public source, or in which nothing gives it one (R14).

    Args:
        store: what is known.
        node: that it leaves.
        subnet: that it leaves.
        packet: as it is behind the node.
    """
    if subnet.nat_gateway is not None and subnet.nat_gateway.arm_id:
        return _by_gateway(store, subnet, subnet.nat_gateway, packet)
    own = _own_address(store, node)
    if own is not None:
        return _translated(packet, node.ref, f"node {node.name} has public address {own.value}", (own,), [own.value])
    missing = unreadable(store.load_balancers)
    found = min(_rules(store, node), key=lambda item: len(item[3]), default=None)
    if found is not None:
        return _by_rule(store, packet, *found)
    return _by_default(store, subnet, packet, missing)


def _by_gateway(store: Store, subnet: Subnet, reference: SubResource, packet: Packet) -> Step:
    ref, name = Ref("subnets", subnet.id), reference.arm_id.rpartition("/")[2]
    fact = Evidence(f".subnets[?name=='{subnet.name}'].natGateway.id", reference.arm_id, ref)
    gateway = store.nat_gateways.get(reference.id)
    if gateway is None:
        missing = unreadable(store.nat_gateways, group_of(reference.id)) or f"NAT gateway {name} is not there"
        step = _translated(packet, ref, f"NAT gateway {name} translates the source", (fact,), [])
        return msgspec.structs.replace(step, assumptions=(f"NAT gateway {name} works: {missing}",))
    addresses = [text for text in (_address(store, item) for item in gateway.public_ip_addresses) if text]
    facts = (fact, *_of_gateway(gateway))
    if not gateway.public_ip_addresses and not gateway.public_ip_prefixes:
        return Step(
            kind=Kind.NAT_GATEWAY,
            verdict=Verdict.DROP,
            summary=f"NAT gateway {name} has no public address: nothing leaves through it",
            subject=gateway.ref,
            version=gateway.etag,
            packet=packet,
            cause="R14",
            evidence=facts,
            assumptions=(f"NAT gateway {name} has no public address: it tells of none",) if gateway.untold else (),
            confirm=f"az network nat gateway show --ids {quote(gateway.arm_id)}",
            fix="give the NAT gateway a public address or prefix",
        )
    step = _translated(packet, gateway.ref, f"NAT gateway {name} translates the source", facts, addresses)
    return msgspec.structs.replace(
        step,
        version=gateway.etag,
        assumptions=stale(store.nat_gateways),
        confirm=f"az network nat gateway show --ids {quote(gateway.arm_id)}",
    )


def _of_gateway(gateway: NatGateway) -> Iterator[Evidence]:
    listed = ", ".join(item.arm_id.rpartition("/")[2] for item in gateway.public_ip_addresses)
    yield Evidence(".publicIpAddresses", listed or "(none)", gateway.ref)
    if gateway.public_ip_prefixes:
        names = ", ".join(item.arm_id.rpartition("/")[2] for item in gateway.public_ip_prefixes)
        yield Evidence(".publicIpPrefixes", names, gateway.ref)


def _own_address(store: Store, node: Node) -> Evidence | None:
    """Return a public address of the node's own, by its object or by its interface."""
    said = next((text for kind, text in node.addresses if kind == "ExternalIP" and parse_address(text)), "")
    if said:
        return Evidence(".status.addresses[?(@.type=='ExternalIP')].address", said, node.ref)
    at = attach_node(store, node)
    reference = at.configuration.public_ip_address if at.configuration is not None else None
    if reference is None or at.interface is None:
        return None
    return Evidence(
        ".ipConfigurations[?primary].publicIPAddress.id",
        _address(store, reference) or reference.arm_id.rpartition("/")[2],
        at.interface.ref,
    )


def _rules(store: Store, node: Node) -> Iterator[tuple[LoadBalancer, OutboundRule, int, tuple[str, ...]]]:
    """Yield the outbound rules whose pool the node's interface is in, with the size of that pool.

    That the node is in it is assumed where its interface is not read, or the pool has no members that are told.
    """
    interface = attach_node(store, node).interface
    machine = interface.id if interface is not None else ""
    for balancer in sorted(store.load_balancers, key=lambda item: item.id):
        pools = {pool.id: pool for pool in balancer.backend_address_pools}
        for rule in balancer.outbound_rules:
            pool = pools.get(rule.backend_address_pool.id)
            members = pool.backend_ip_configurations if pool is not None else ()
            by_address = pool.load_balancer_backend_addresses if pool is not None else ()
            known = any(item.id.startswith(f"{machine}/") for item in members) if machine else False
            known = known or any(item.ip_address in node.internal_ips for item in by_address)
            size = max(len(members), len(by_address))
            if known:
                yield balancer, rule, size, ()
            elif (members and not machine) or not size:
                name = rule.backend_address_pool.arm_id.rpartition("/")[2] or "(none)"
                why = "its members are not told" if not size else "its interface is not read"
                yield balancer, rule, size, (f"node {node.name} is in backend pool {name} of {balancer.name}: {why}",)


def _by_rule(
    store: Store,
    packet: Packet,
    balancer: LoadBalancer,
    rule: OutboundRule,
    size: int,
    assumed: tuple[str, ...],
) -> Step:
    field = f".outboundRules[?name=='{rule.name}']"
    fronts = {item.id: item for item in balancer.frontend_ip_configurations}
    used = [fronts[item.id] for item in rule.frontend_ip_configurations if item.id in fronts]
    addresses = [text for text in (_address(store, item.public_ip_address) for item in used) if text]
    ports, how = ports_per_node(rule, size, max(len(used), 1))
    facts = (
        Evidence(f"{field}.backendAddressPool.id", rule.backend_address_pool.arm_id, balancer.ref),
        Evidence(f"{field}.allocatedOutboundPorts", str(rule.allocated_outbound_ports), balancer.ref, how),
        Evidence(f"{field}.frontendIPConfigurations", str(len(used)), balancer.ref),
        Evidence(f"{field}.idleTimeoutInMinutes", str(rule.idle_timeout_in_minutes), balancer.ref),
    )
    said = f"outbound rule {rule.name} of load balancer {balancer.name} translates the source"
    step = _translated(packet, balancer.ref, f"{said}; {ports} ports a node", facts, addresses)
    return msgspec.structs.replace(
        step,
        version=balancer.etag,
        considered=(
            Considered("SNAT ports", False, f"how many of the {ports} ports to one destination are in use is not read"),
        ),
        assumptions=(*assumed, *stale(store.load_balancers)),
        confirm=f"az network lb outbound-rule list {located(balancer.id)} --lb-name {quote(balancer.name)} -o table",
    )


def ports_per_node(rule: OutboundRule, size: int, frontends: int) -> tuple[int, str]:
    """Return how many SNAT ports a machine has by an outbound rule, and how that is worked out.

    Args:
        rule: the rule; 0 allocated ports means by the size of the pool.
        size: machines in the pool.
        frontends: public addresses of the rule.
    """
    if rule.allocated_outbound_ports:
        return rule.allocated_outbound_ports, "allocated to each machine"
    each = next((ports for most, ports in PORTS_BY_SIZE if size <= most), FEWEST)
    return each * frontends, f"by the pool's size: {each} of each of {frontends} addresses for {size} machines"


def _by_default(store: Store, subnet: Subnet, packet: Packet, missing: str) -> Step:
    """Return what is left where neither gateway nor rule nor address is there: the subnet's own default, or nothing."""
    ref, managed = Ref("subnets", subnet.id), cluster(store)
    kind = managed.network_profile.outbound_type if managed is not None else ""
    said = "not set" if subnet.default_outbound_access is None else str(subnet.default_outbound_access).lower()
    facts = [Evidence(f".subnets[?name=='{subnet.name}'].defaultOutboundAccess", said, ref)]
    if managed is not None:
        facts.append(Evidence(".networkProfile.outboundType", kind or "(not set)", managed.ref))
    base = Step(
        kind=Kind.NAT_GATEWAY,
        verdict=Verdict.BLIND,
        summary=f"what translates the source for subnet {subnet.name} is not known",
        subject=ref,
        packet=packet,
        evidence=tuple(facts),
        missing=missing or f".defaultOutboundAccess of subnet {subnet.name}, which Azure does not say",
        confirm=f"az network vnet subnet show --ids {quote(subnet.arm_id)}",
        fix="attach a NAT gateway to the subnet, or set an outbound type that has one",
    )
    if missing:
        return base
    if subnet.default_outbound_access is False or kind.lower() in _CLOSED:
        return msgspec.structs.replace(
            base,
            verdict=Verdict.DROP,
            summary=f"subnet {subnet.name} has no NAT gateway, no outbound rule and no default outbound access",
            cause="R14",
            missing="",
        )
    if subnet.default_outbound_access is True:
        summary = f"default outbound access of subnet {subnet.name} translates the source to an address that Azure owns"
        return msgspec.structs.replace(base, verdict=Verdict.PASS, summary=summary, missing="", fix="")
    return base


def _address(store: Store, reference: SubResource | None) -> str:
    found = store.public_ips.get(reference.id) if reference is not None else None
    return found.ip_address if found is not None else ""


def _translated(packet: Packet, subject: Ref, summary: str, facts: tuple[Evidence, ...], addresses: list[str]) -> Step:
    """Return a step that passes with another source: the address, where there is only one that it can be."""
    one = parse_address(addresses[0]) if len(addresses) == 1 else None
    seen = f", seen as {' or '.join(addresses)}" if addresses else ""
    return Step(
        kind=Kind.NAT_GATEWAY if subject.kind in _GATEWAYS else Kind.SNAT,
        verdict=Verdict.TRANSFORM,
        summary=f"{summary}{seen}",
        subject=subject,
        packet=packet,
        packet_after=msgspec.structs.replace(packet, source=one) if one is not None else packet,
        evidence=facts,
    )
