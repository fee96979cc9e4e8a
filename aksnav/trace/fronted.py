"""From what stands in front of the cluster to its Pods: private endpoint, Application Gateway, firewall, and so on."""

import msgspec

from aksnav.model.addresses import format_address
from aksnav.model.azure.edge import ApplicationGateway
from aksnav.model.public import is_public
from aksnav.trace.azure import across, agc, api_server, appgateway, appgw_backend, edge, gateway_subnet, private_link
from aksnav.trace.azure.gateway_subnet import GatewayPlace
from aksnav.trace.azure.joins import subnet_by_id
from aksnav.trace.azure.lb_address import public_step
from aksnav.trace.azure.subnet_filter import out_of_subnet
from aksnav.trace.balanced import balanced, no_service, to_the_internet
from aksnav.trace.crossings import leaving
from aksnav.trace.ends import elsewhere_at
from aksnav.trace.inside import to_pod, to_targets
from aksnav.trace.journey import DEEPEST, Journey, Road, Walk, answered, ended, fan, too_long, where
from aksnav.trace.kubectl import listing, show
from aksnav.trace.packet import Packet
from aksnav.trace.place import Place
from aksnav.trace.readable import stale, unreadable
from aksnav.trace.routing import controllers
from aksnav.trace.routing import router as routing
from aksnav.trace.routing.types import Controller, Flavour
from aksnav.trace.step import Branch, Considered, Evidence, Kind, Step, Verdict


def at_address(walk: Walk, journey: Journey, packet: Packet) -> Road | None:
    """Return the road over an address that stands in front of the cluster; None where nothing that is known has it."""
    linked = private_link.enter(walk.store, packet)
    if linked is not None:
        return (*leaving(walk, journey, packet), *_linked(walk, linked))
    if packet.destination is None:
        return None
    arrival = appgateway.gateway_at(walk.store, packet.destination)
    if arrival is not None:
        if journey.depth >= DEEPEST:
            return (too_long(packet, f"Application Gateway {arrival.gateway.name}"),)
        if not journey.internet and is_public(packet.destination):
            out = to_the_internet(walk, journey, packet)
            return out if ended(out) else (*out, *_gateway(walk, journey, arrival, out[-1].packet_after or packet))
        return (*leaving(walk, journey, packet), *_gateway(walk, journey, arrival, packet))
    if controllers.of_address(walk.store, packet.destination):
        return None  # an Application Gateway that is not read: its Ingresses say where it would send
    step = edge.at_address(walk.store, packet)
    return (*leaving(walk, journey, packet), step) if step is not None else None


def at_name(walk: Walk, journey: Journey, host: str, packet: Packet) -> Road | None:
    """Return the road over a name that only something in front of the cluster has; None for any other name."""
    if host.endswith(agc.SUFFIX):
        if journey.depth >= DEEPEST:
            return (too_long(packet, host),)
        return _containers(walk, journey, host, packet)
    step = api_server.refused(walk.store, host, packet) if journey.internet else None
    step = step or edge.at_name(host, packet)
    return (step,) if step is not None else None


def _linked(walk: Walk, linked: private_link.LinkEntry) -> Road:
    """Return the road behind a private link service: to the load balancer, from one of its own addresses."""
    if linked.packet is None:
        return linked.steps
    onward = Journey(source=Place(address=linked.packet.source), outside=True)
    road = balanced(walk, onward, linked.packet)
    if road is None:
        return (*linked.steps, *no_service(walk, linked.packet, linked.steps))
    return (*linked.steps, *private_link.told_apart(road))


def _gateway(walk: Walk, journey: Journey, arrival: appgateway.Arrival, packet: Packet) -> Road:
    """Return the road through an Application Gateway: its subnet's group, listener, rule, pool, and the Pods."""
    gateway = arrival.gateway
    place = _place_of(walk, gateway)
    public = None if arrival.frontend.private_ip_address else public_step(walk.store, packet, None, None)
    steps: list[Step] = [public] if public is not None else []
    if place is not None:
        keeps = appgateway.keeps_frontend(gateway)
        steps += gateway_subnet.listener_filter(walk.store, place, packet, keeps=keeps)
        steps += gateway_subnet.answers(walk.store, place, packet)
    else:
        steps.append(_unknown_subnet(walk, gateway.ref.name, packet))
    routed = appgateway.route(walk.store, arrival, packet)
    steps += routed.steps
    if routed.pool is None or routed.settings is None:
        return tuple(steps)
    found = appgw_backend.backend(walk.store, gateway, routed.pool, routed.settings, routed.packet)
    asked = _asked_otherwise(walk, arrival, packet, found)
    steps.append(msgspec.structs.replace(found.step, considered=(*found.step.considered, *asked)))
    if not found.members:
        return tuple(steps)
    if place is not None:
        steps += gateway_subnet.joined(walk.store, place, found.packet)
    extended = gateway_subnet.extended(walk.store, [item.address for item in found.members])
    if extended and not ended(steps):
        steps[-1] = msgspec.structs.replace(steps[-1], assumptions=(*steps[-1].assumptions, *extended))
    if found.owner is not None:
        steps.append(_service_step(found.owner, found.packet))
    controller = Controller(flavour=Flavour.AGIC, name=f"Application Gateway {gateway.name}")
    branches = [
        Branch(_label(member), answered(_to_member(walk, journey, place, member, found), controller, member.pod))
        for member in found.members
    ]
    return (*steps[:-1], *fan(steps[-1], branches))


def _asked_otherwise(
    walk: Walk, arrival: appgateway.Arrival, packet: Packet, found: appgw_backend.Backend
) -> tuple[Considered, ...]:
    """Return what the Ingresses ask for where the gateway does something else: it is not written again (A03)."""
    known = controllers.of_address(walk.store, packet.destination)
    if not known:
        return ()
    wanted = {f"{item.namespace}/{item.service}" for item in routing.route(walk.store, known[0], packet).targets}
    here = found.owner[0].id if found.owner is not None else ""
    if not wanted or here in wanted:
        return ()
    why = f"A03: the Ingresses send this to {', '.join(sorted(wanted))}, and gateway {arrival.gateway.name} does not"
    return (Considered("Ingresses", decided=False, why=why),)


def _label(member: appgw_backend.Member) -> str:
    return f"Pod {member.pod.name}" if member.pod is not None else f"server {format_address(member.address)}"


def _place_of(walk: Walk, gateway: ApplicationGateway) -> GatewayPlace | None:
    first = gateway.gateway_ip_configurations[0] if gateway.gateway_ip_configurations else None
    return subnet_by_id(walk.store, first.subnet) if first is not None else None


def _unknown_subnet(walk: Walk, name: str, packet: Packet) -> Step:
    return Step(
        kind=Kind.NSG,
        verdict=Verdict.BLIND,
        summary=f"the subnet of {name} is not known, nor the security group that filters there",
        packet=packet,
        missing=unreadable(walk.store.virtual_networks) or f"the virtual network of {name}",
        confirm="az network vnet list --query '[].subnets[].{id:id,nsg:networkSecurityGroup.id}'",
        fix="grant Microsoft.Network/virtualNetworks/read on the gateway's network",
    )


def _service_step(owner: appgw_backend.Owner, packet: Packet) -> Step:
    """Return the step of the Service after which a pool is named: the gateway connects past it, to its Pods."""
    service, index, port = owner
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.PASS,
        summary=f"the pool holds the Pods of Service {service.id} port {port.port}; the Service itself is passed by",
        subject=service.ref,
        version=service.resource_version,
        packet=msgspec.structs.replace(packet, port=port.port),
        evidence=(Evidence(f".spec.ports[{index}].port", str(port.port)),),
        confirm=show(service.ref, f".spec.ports[{index}]"),
    )


def _to_member(
    walk: Walk, journey: Journey, place: GatewayPlace | None, member: appgw_backend.Member, found: appgw_backend.Backend
) -> Road:
    """Return the road from an Application Gateway's subnet to one server."""
    source, assumed = gateway_subnet.sender(walk.store, place[1]) if place is not None else (None, ())
    packet = msgspec.structs.replace(found.packet, destination=member.address, source=source, source_word="")
    onward = Journey(source=Place(address=source), outside=True, depth=journey.depth + 1)
    out = (
        out_of_subnet(walk.store, place, packet, "an instance of the gateway connects to the Pod")
        if place is not None
        else ()
    )
    if member.pod is None:
        return (*out, *(_hidden(walk, packet) or elsewhere_at(packet, "a server that is no Pod of the cluster")))
    if place is not None:
        out = (*out, *across.from_gateway(walk.store, place[1], walk.node_of(member.pod), packet))
    service = found.owner[0] if found.owner is not None else None
    road = to_pod(walk, onward, member.pod, packet, service=service, listed=True)
    return _assuming((*out, *road), assumed)


def _hidden(walk: Walk, packet: Packet) -> Road:
    """Return the blind step of a server that may be a Pod, where Pods cannot be read."""
    missing = unreadable(walk.store.pods)
    if not missing:
        return ()
    return (
        Step(
            kind=Kind.POD_PORT,
            verdict=Verdict.BLIND,
            summary=f"whether {where(packet)} is a Pod cannot be read",
            packet=packet,
            missing=missing,
            confirm=listing("Pod"),
        ),
    )


def _assuming(road: Road, lines: tuple[str, ...]) -> Road:
    if not lines or not road:
        return road
    return (msgspec.structs.replace(road[0], assumptions=(*road[0].assumptions, *lines)), *road[1:])


def _containers(walk: Walk, journey: Journey, host: str, packet: Packet) -> Road:
    """Return the road through Application Gateway for Containers: frontend, subnet, routes, and Pods."""
    found = agc.frontend_at(walk.store, host, packet)
    known = controllers.of_address(walk.store, None, host)
    steps = [found.step]
    if found.place is not None:
        steps += gateway_subnet.association_faults(walk.store, found.place, packet)
    if found.step.verdict in {Verdict.DROP, Verdict.REJECT} or not known:
        return (*steps, *(() if ended(steps) else (agc.unserved(walk.store, host, packet),)))
    controller = known[0]
    answer = routing.route(walk.store, controller, packet)
    source, assumed = gateway_subnet.sender(walk.store, found.place[1]) if found.place is not None else (None, ())
    onward = Journey(source=Place(address=source), outside=True, controller=controller, depth=journey.depth + 1)
    road = to_targets(walk, onward, controller, answer.steps, answer.targets)
    return (*steps, *_assuming(road, (*assumed, *stale(walk.store.traffic_associations))))
