"""The Azure load balancer: from an address to the nodes behind it.

Sources: aks-networking.md 2.a (steps 2 to 6), 2.b and the checks of 5.1.
"""

from shlex import quote

import msgspec

from aksnav.model.addresses import format_address, is_v4, parse_prefix
from aksnav.model.azure.network import LoadBalancingRule
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Node
from aksnav.store.store import Store
from aksnav.trace.azure import frontend as naming
from aksnav.trace.azure import lb_container, lb_rule, probes
from aksnav.trace.azure.frontend import Found
from aksnav.trace.azure.joins import frontends_at, public_ip_at
from aksnav.trace.azure.lb_address import chained, frontend_step, public_step
from aksnav.trace.azure.lb_pool import EXCLUDED, pool_step
from aksnav.trace.azure.tags import covers_internet
from aksnav.trace.packet import Packet
from aksnav.trace.step import ENDS, Evidence, Kind, Step, Verdict


class LoadBalancerEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a packet comes through a load balancer.

    Attributes:
        steps: public address, frontend, rule, probe and pool.
        service, service_port: whose it is; None where no Service has the frontend, or no port of it the packet's.
        nodes: the nodes to which new flows are sent: members of the pool whose probe can be up.
        packet: as it arrives at a node. The destination is None where the load balancer writes the node's own
            address (no floating IP): it differs from node to node.
        members: the nodes of the pool, whatever their probe says.
        direct: it sends to the Pods themselves (sku Service): no node takes part.
        internal: the address is private.
        ended: a step ended the road.
    """

    steps: tuple[Step, ...]
    service: Service | None = None
    service_port: ServicePort | None = None
    nodes: tuple[Node, ...] = ()
    members: tuple[Node, ...] = ()
    direct: bool = False
    packet: Packet
    internal: bool = False
    ended: bool = False


def enter(store: Store, packet: Packet) -> LoadBalancerEntry | None:
    """Return how a packet to an address comes to the nodes, or None: no known frontend or Service has the address.

    Where Azure cannot be read, each of its steps is blind, and the road goes on from what the Service says.

    Args:
        store: what is known.
        packet: to the address of a load balancer; source None is any client of the internet.
    """
    address = packet.destination
    if address is None:
        return None
    found = [Found(*pair) for pair in frontends_at(store, address)]
    services = _services(store, address, found)
    if not found and not services:
        return _unattached(store, packet)
    service, port = naming.port_of(services, packet)
    here = _choose(found, packet)
    steps = [step for step in (public_step(store, packet, here, service),) if step is not None]
    steps += chained(packet, here)
    steps.append(frontend_step(store, packet, here, service))
    internal = _is_internal(here, service)
    if here is None or _stops(steps) or steps[-1].verdict is Verdict.UNSUPPORTED:
        return _without_frontend(store, packet, steps, service, port, internal)
    rule = naming.rule_for(here, packet)
    steps.append(lb_rule.rule_step(store, here, rule, service, port, packet))
    if rule is None and steps[-1].verdict is Verdict.BLIND:
        return _without_frontend(store, packet, steps, service, port, internal)
    if rule is None or _stops(steps):
        wished = rule is None and port is not None and not naming.container_native(here)
        return LoadBalancerEntry(
            steps=tuple(steps),
            service=service,
            service_port=port,
            members=_eligible(store) if wished else (),  # so that what would stop it there is told too
            packet=_as_wished(packet, service, port),
            internal=internal,
            ended=True,
        )
    behind = _pool(store, here, rule, (service, port), packet)
    steps += (*behind.steps, *_ranges(service, packet))
    return LoadBalancerEntry(
        steps=tuple(steps),
        service=service,
        service_port=port,
        nodes=behind.nodes,
        members=behind.members,
        direct=naming.container_native(here),
        packet=lb_rule.arriving(packet, rule, service),
        internal=internal,
        ended=_stops(steps),
    )


class _Pool(msgspec.Struct, frozen=True, gc=False):
    """What stands behind a rule: probe and pool, its members, and those of them to which new flows go."""

    steps: tuple[Step, ...]
    members: tuple[Node, ...] = ()
    nodes: tuple[Node, ...] = ()


def _pool(
    store: Store, here: Found, rule: LoadBalancingRule, whose: tuple[Service | None, ServicePort | None], packet: Packet
) -> _Pool:
    service, port = whose
    if naming.container_native(here):
        return _Pool((lb_container.pool_step(store, here, rule, service, packet),))
    members, pool = pool_step(store, here, rule, service, packet)
    if pool.verdict is Verdict.BLIND:
        members = _eligible(store)  # those that the cloud provider puts there
    if service is None or port is None or not members:
        return _Pool((pool,), members, members)
    asked = probes.ProbeAsked(found=here, rule=rule, service=service, port=port, nodes=members, packet=packet)
    answer = probes.judge(store, asked)
    return _Pool((answer.step, pool), members, answer.nodes)


def _services(store: Store, address: int, found: list[Found]) -> list[Service]:
    """Return the Services of an address: by status, and by the names of the frontends and rules that have it."""
    text = format_address(address)
    listed = [
        item
        for item in store.services_at(address)
        if item.type == "LoadBalancer" and any(point.ip == text for point in item.ingress_points)
    ]
    for one in found:
        named = naming.service_of(store, one)
        if named is not None and named.id not in {item.id for item in listed}:
            listed.append(named)
    return listed


def _choose(found: list[Found], packet: Packet) -> Found | None:
    """Return the frontend with a rule for the packet, of several on one address; else the first."""
    return next((item for item in found if naming.rule_for(item, packet) is not None), found[0] if found else None)


def _is_internal(found: Found | None, service: Service | None) -> bool:
    return bool(found.frontend.private_ip_address) if found is not None else naming.is_internal(service)


def _stops(steps: list[Step]) -> bool:
    return any(step.verdict in ENDS for step in steps)


def _unattached(store: Store, packet: Packet) -> LoadBalancerEntry | None:
    """Return the entry of a public address that nothing uses; None where the address is unknown or somebody else's."""
    public = public_ip_at(store, packet.destination) if packet.destination is not None else None
    if public is None or public.ip_configuration is not None or public.nat_gateway is not None:
        return None
    step = Step(
        kind=Kind.PUBLIC_IP,
        verdict=Verdict.DROP,
        summary=f"public address {public.name} is attached to nothing",
        subject=public.ref,
        version=public.etag,
        packet=packet,
        cause="L26",
        evidence=(Evidence(".ipConfiguration", "(none)", public.ref),),
        confirm=f"az network public-ip show --ids {quote(public.arm_id)} --query ipConfiguration",
        fix="use the address that the Service has now",
    )
    return LoadBalancerEntry(steps=(step,), packet=packet, ended=True)


def _without_frontend(
    store: Store,
    packet: Packet,
    steps: list[Step],
    service: Service | None,
    port: ServicePort | None,
    internal: bool,
) -> LoadBalancerEntry:
    """Return the entry where the frontend is not known: it goes on from the Service, with the rest blind."""
    ended = _stops(steps)
    if not ended and service is not None:
        last = steps[-1]
        told = {step.kind for step in steps}
        for kind, what in ((Kind.LB_RULE, "rule"), (Kind.LB_PROBE, "probe"), (Kind.LB_POOL, "backend pool")):
            if kind in told:
                continue
            steps.append(
                msgspec.structs.replace(
                    last, kind=kind, summary=f"the {what} is not known: {last.missing}", considered=(), evidence=()
                )
            )
        steps += _ranges(service, packet)
        ended = _stops(steps)
    return LoadBalancerEntry(
        steps=tuple(steps),
        service=service,
        service_port=port,
        nodes=() if ended else _eligible(store),
        packet=_as_wished(packet, service, port),
        internal=internal,
        ended=ended,
    )


def _eligible(store: Store) -> tuple[Node, ...]:
    """Return the nodes that the cloud provider puts into a pool."""
    return tuple(node for node in sorted(store.nodes, key=lambda node: node.name) if EXCLUDED not in node.labels)


def _as_wished(packet: Packet, service: Service | None, port: ServicePort | None) -> Packet:
    """Return the packet as it would come to a node by a rule that is as the Service asks."""
    floating = service is None or packet.destination is None or naming.keeps_address(service, is_v4(packet.destination))
    if floating or port is None or not port.node_port:
        return packet
    return msgspec.structs.replace(packet, destination=None, port=port.node_port)


def _ranges(service: Service | None, packet: Packet) -> list[Step]:
    """Return a step where the node itself drops what loadBalancerSourceRanges does not hold (N05).

    kube-proxy enforces the ranges again behind the security group (Kubernetes documentation,
    "Restrict access with loadBalancerSourceRanges").
    """
    if service is None or not service.load_balancer_source_ranges:
        return []
    ranges = service.load_balancer_source_ranges
    if _in_ranges(ranges, packet):
        return []
    whom = format_address(packet.source) if packet.source is not None else "any client of the internet"
    depends = ": it depends on the client" if packet.source is None else ""
    step = Step(
        kind=Kind.NODE_PORT,
        verdict=Verdict.DROP,
        summary=f"loadBalancerSourceRanges of Service {service.id} do not hold {whom}{depends}",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        cause="N05",
        evidence=(Evidence(".spec.loadBalancerSourceRanges", ", ".join(ranges), service.ref),),
        assumptions=("the client is in none of loadBalancerSourceRanges",) if packet.source is None else (),
        confirm=f"kubectl -n {quote(service.namespace)} get service {quote(service.name)} -o yaml",
        fix="add the client's prefix to loadBalancerSourceRanges",
    )
    return [step]


def _in_ranges(texts: tuple[str, ...], packet: Packet) -> bool:
    ranges = [prefix for prefix in (parse_prefix(text.strip()) for text in texts) if prefix is not None]
    if packet.source is None:
        return covers_internet(ranges, packet.destination is None or is_v4(packet.destination))
    return any(packet.source in prefix for prefix in ranges)
