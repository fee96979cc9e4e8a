"""Inside the cluster: from a Service to its endpoints, over policies to a Pod, and on through a proxy."""

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Pod
from aksnav.trace.alike import stand_for
from aksnav.trace.cluster import node
from aksnav.trace.cluster.alias import external_name
from aksnav.trace.cluster.endpoints import Chosen
from aksnav.trace.cluster.hidden import hidden_controller
from aksnav.trace.cluster.hosts import claims_of
from aksnav.trace.cluster.pod import arrive, ref_of
from aksnav.trace.cluster.service import Via, endpoints, find_port, missing_service, no_port, port_step
from aksnav.trace.cluster.unserved import problems
from aksnav.trace.crossings import filters, groups, leaving, places
from aksnav.trace.ends import elsewhere, hidden_gateway, unserved
from aksnav.trace.istio import ambient, mesh
from aksnav.trace.istio.outbound import outbound
from aksnav.trace.istio.route import OWN_PORTS
from aksnav.trace.journey import DEEPEST, Journey, Road, Walk, answered, ended, fan, too_long, where
from aksnav.trace.kubectl import show
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Entry, Place
from aksnav.trace.readable import unreadable
from aksnav.trace.routing import controllers
from aksnav.trace.routing import router as routing
from aksnav.trace.routing.types import ENVOY_ISTIO, Controller, Flavour, Target
from aksnav.trace.step import ENDS, Branch, Evidence, Kind, Step, Verdict

_SIDECAR = Controller(flavour=Flavour.ISTIO, name="the client's sidecar")


def through_service(
    walk: Walk, journey: Journey, service: Service, found: tuple[int, ServicePort], packet: Packet, via: Via
) -> Road:
    """Return the road from a Service port on.

    Args:
        walk: the trace.
        journey: who comes, and how.
        service: of any type but ExternalName.
        found: the port with its place in the spec.
        packet: as it arrives at the Service.
        via: who chooses an endpoint.
    """
    index, port = found
    lead = [port_step(service, index, port, packet, "nodePort" if packet.port == port.node_port else "port")]
    doubtful = node.without_proxy(walk.store, via.node, packet) if via.node is not None and not via.proxy else None
    if doubtful is not None:
        lead.append(doubtful)
    followed = outbound(walk.store, journey.source.pod, service, port, packet) if not via.proxy else None
    if followed is not None and (followed.ended or followed.targets):
        if journey.depth >= DEEPEST:
            return (*lead, too_long(packet, f"Service {service.id}"))
        onward = msgspec.structs.replace(journey, depth=journey.depth + 1)
        return (*lead, *to_targets(walk, onward, _SIDECAR, followed.steps, followed.targets))
    lead += followed.steps if followed is not None else ()
    decision = endpoints(walk.store, service, port, packet, via)
    if not decision.chosen:
        step = decision.step
        if journey.balanced and step.verdict is Verdict.REJECT:
            # The load balancer's probe is served by the same endpoints: without any, every node is taken out.
            step = msgspec.structs.replace(
                step, verdict=Verdict.DROP, summary=f"{step.summary}; the load balancer finds no node that answers"
            )
        return (*lead, step, *decision.further)
    branches = [
        Branch(
            label_of(group[0]),
            stand_for(_behind(walk, journey, service, found, packet, group[0], via), places(group[1:])),
            None,
            len(group),
        )
        for group in groups(walk, journey, service, decision.chosen, via)
    ]
    return (*lead, *fan(decision.step, branches))


def label_of(item: Chosen) -> str:
    """Return the label of an endpoint's branch."""
    if item.pod is not None:
        return f"Pod {item.pod.name}" + (f" on {item.pod.node}" if item.pod.node else "")
    return f"endpoint {format_address(item.address)}"


def _behind(
    walk: Walk,
    journey: Journey,
    service: Service,
    found: tuple[int, ServicePort],
    packet: Packet,
    item: Chosen,
    via: Via,
) -> Road:
    """Return the road of one endpoint."""
    steps: list[Step] = []
    after = packet
    if not via.proxy:
        steps.append(node.dnat(via.node, service, packet, item.address, item.port))
        after = steps[-1].packet_after or packet
        if journey.entry is Entry.CLUSTER and via.node is not None:
            rewritten = node.snat(walk.store, service, via.node, item.pod, after, local=False)
            if rewritten is not None:
                steps.append(rewritten)
                after = rewritten.packet_after or after
    else:
        after = msgspec.structs.replace(packet, destination=item.address, port=item.port)
    if item.pod is None:
        return (*steps, *elsewhere(walk, journey, item, after))
    road = to_pod(walk, journey, item.pod, after, service=service, listed=True, front=found[1].port)
    return (*steps, *_with_target(road, service, found))


def _with_target(road: Road, service: Service, found: tuple[int, ServicePort]) -> Road:
    """Return the road with the Service's own word beside a Pod port on which nothing listens."""
    index, port = found
    fact = Evidence(f".spec.ports[{index}].targetPort", str(port.target), service.ref)
    return tuple(
        msgspec.structs.replace(step, evidence=(fact, *step.evidence))
        if step.kind is Kind.POD_PORT and step.cause in {"S03", "S05"}
        else step
        for step in road
    )


def to_pod(
    walk: Walk,
    journey: Journey,
    pod: Pod,
    packet: Packet,
    *,
    service: Service | None,
    listed: bool,
    front: int = 0,
) -> Road:
    """Return the road to one Pod: the way between the nodes, policies, the Pod, and on where the Pod is a proxy.

    Args:
        walk: the trace.
        journey: who comes, and how.
        pod: the receiver.
        packet: to the Pod's address and port.
        service: through which it came, if any.
        listed: an EndpointSlice lists the Pod as ready.
        front: the Service's port through which it came; 0 where the Pod was asked directly.
    """
    crossing = Crossing(
        source=journey.source,
        destination=Place(pod=pod, node=walk.node_of(pod), address=packet.destination),
        packet=packet,
        entry=journey.entry,
        entry_node=journey.entry_node,
    )
    carried = ambient.carried(walk.store, crossing, service)
    steps = [*((carried,) if carried is not None else ()), *filters(walk, journey, crossing, pod)]
    if carried is None:
        connection = mesh.Connection(
            source=journey.source,
            controller=journey.controller,
            service=service,
            port=front,
            subset=journey.subset,
            packet=packet,
        )
        steps += mesh.arrive(walk.store, pod, connection)
    last = arrive(walk.store, pod, packet, listed_ready=listed)
    found = controllers.of_pods(walk.store, (pod,), service) if not ended(last) else ()
    if found:
        road = _proxied(walk, journey, found[0], pod, packet, last, front)
        return (*steps, *road)
    if ended(last):
        return (*steps, *last)
    blind = hidden_gateway(walk, pod, packet)
    doubt = hidden_controller(walk.store, service) if packet.http and journey.controller is None else ""
    if doubt and last:
        final = msgspec.structs.replace(last[-1], assumptions=(*last[-1].assumptions, doubt))
        last = (*last[:-1], final)
    return (*steps, *(last if not blind else last[:-1]), *blind)


def _proxied(
    walk: Walk, journey: Journey, controller: Controller, pod: Pod, packet: Packet, last: Road, front: int
) -> Road:
    """Return the road through a controller's Pod; what lies behind it is the same for every way to it."""
    if not _listens(walk, pod, packet.port):
        return last
    listener = msgspec.structs.replace(packet, port=front or _front(controller, pod, packet.port))
    key = ("proxied", pod.id, packet.host, packet.path, packet.query, listener.port, packet.scheme, packet.tls)
    same = (controller.label, *key[2:])
    behind = walk.enter(key, same, lambda: _routed(walk, journey, controller, pod, listener))
    if behind is None or journey.depth >= DEEPEST:
        return (too_long(packet, controller.label),)
    if behind is _UNROUTED or (controller.flavour in _ISTIO and packet.port in OWN_PORTS):
        return last
    arrival = tuple(step for step in last if step.kind is not Kind.DELIVER)
    assumed = tuple(line for step in last if step.kind is Kind.DELIVER for line in step.assumptions)
    return (*arrival, *_with_assumptions(behind, assumed))


_UNROUTED: Road = ()
_ISTIO = ENVOY_ISTIO | {Flavour.ISTIO_CLASSIC}


def _listens(walk: Walk, pod: Pod, port: int) -> bool:
    """Return whether a controller's Pod takes requests at a port: it may have others, for metrics or webhooks."""
    known = controllers.of_pods(walk.store, (pod,), None)
    ports = known[0].service.ports if known and known[0].service is not None else ()
    names = {item.name for item in pod.template.ports if item.port == port}
    return not ports or any(item.target == port or item.target in names for item in ports)


def _front(controller: Controller, pod: Pod, port: int) -> int:
    """Return the port of a controller's Service that leads to a port of its Pod; the port itself if none does."""
    names = {item.name for item in pod.template.ports if item.port == port}
    listed = controller.service.ports if controller.service is not None else ()
    return next((item.port for item in listed if item.target == port or item.target in names), port)


def _with_assumptions(road: Road, lines: tuple[str, ...]) -> Road:
    if not lines or not road:
        return road
    first = msgspec.structs.replace(road[0], assumptions=(*road[0].assumptions, *lines))
    return (first, *road[1:])


def _routed(walk: Walk, journey: Journey, controller: Controller, pod: Pod, packet: Packet) -> Road:
    answer = routing.route(walk.store, controller, packet)
    if not answer.ended and not answer.targets:
        return _UNROUTED
    step = Step(
        kind=Kind.CONTROLLER_POD,
        verdict=Verdict.PASS,
        summary=f"{controller.label} takes the request in Pod {pod.id}",
        subject=ref_of(pod),
        version=pod.resource_version,
        packet=packet,
        evidence=controller.why,
        assumptions=controller.assumptions,
        confirm=show(ref_of(pod)),
    )
    start = Place(pod=pod, node=walk.node_of(pod), address=parse_address(pod.ip))
    onward = Journey(source=start, controller=controller, depth=journey.depth + 1)
    road = to_targets(walk, onward, controller, answer.steps, answer.targets)
    return (step, *road, *_served_by_nobody(walk, answer.steps, packet))


def _served_by_nobody(walk: Walk, steps: Road, packet: Packet) -> Road:
    """Return why objects that claim a host are not served, where a controller knows no rule or listener for it."""
    last = steps[-1] if steps else None
    if last is None or last.verdict not in ENDS or last.cause not in {"I04", "G27"}:
        return ()
    return problems(walk.store, [claim.ref for claim in claims_of(walk.store, packet.host)], packet)


def proxied_outside(walk: Walk, journey: Journey, controller: Controller, packet: Packet) -> Road:
    """Return the road through a controller outside of the cluster, which connects to Pods from its own subnet.

    The configuration of an Application Gateway, and of Application Gateway for Containers, is not read: what its
    controller would make of the objects is followed, and the step says what is not modelled.
    """
    if journey.depth >= DEEPEST:
        return (too_long(packet, controller.label),)
    kind = Kind.APPGW_LISTENER if controller.flavour is Flavour.AGIC else Kind.AGC_FRONTEND
    name = "Application Gateway" if controller.flavour is Flavour.AGIC else "Application Gateway for Containers"
    step = Step(
        kind=kind,
        verdict=Verdict.UNSUPPORTED,
        summary=f"{where(packet)} is an {name}: its own configuration, health and security group are not read",
        packet=packet,
        evidence=controller.why,
        assumptions=controller.assumptions,
        missing=_unread_gateway(walk, controller)
        or f"the configuration of the {name} (its listeners, probes, firewall and subnet)",
        confirm="az network application-gateway list -o table"
        if controller.flavour is Flavour.AGIC
        else "az network alb list -o table",
    )
    lead = (*leaving(walk, journey, packet), step)
    answer = routing.route(walk.store, controller, packet)
    onward = Journey(source=Place(), outside=True, controller=controller, depth=journey.depth + 1)
    return (*lead, *to_targets(walk, onward, controller, answer.steps, answer.targets))


def _unread_gateway(walk: Walk, controller: Controller) -> str:
    """Return the permission that is missing to read a gateway outside of the cluster, or an empty string."""
    store = walk.store
    agic = controller.flavour is Flavour.AGIC
    return unreadable(store.application_gateways if agic else store.traffic_frontends)


def to_targets(walk: Walk, journey: Journey, controller: Controller, steps: Road, targets: tuple[Target, ...]) -> Road:
    """Return what a controller decided, and the roads to where it sends."""
    if not targets:
        return steps
    branches = [
        Branch(
            target.label,
            _told(_to_target(walk, journey, target), target, controller, journey.source.pod),
            target.weight,
        )
        for target in targets
    ]
    if len(branches) == 1:
        return (*steps, *branches[0].steps)
    if steps and steps[-1].verdict is Verdict.PASS:
        return (*steps[:-1], *fan(steps[-1], branches))
    split = Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.PASS,
        summary=f"{controller.label} divides the requests over {len(targets)} backends",
        packet=targets[0].packet,
    )
    return (*steps, *fan(split, branches))


def _told(road: Road, target: Target, controller: Controller, pod: Pod | None) -> Road:
    """Return the road with the proxy's answer where it is cut; one that passes bytes on cuts the connection as well."""
    return answered(road, controller, pod) if target.empty_status else road


def _to_target(walk: Walk, journey: Journey, target: Target) -> Road:
    if target.ended or (target.steps and ended(target.steps)):
        return target.steps
    ident = f"{target.namespace}/{target.service}"
    service = walk.store.services.get(ident)
    packet = msgspec.structs.replace(target.packet, source=journey.source.address, source_word="", destination=None)
    if service is None:
        return (*target.steps, missing_service(walk.store, ident, packet))
    if service.type == "ExternalName":
        return (*target.steps, *external_name(walk, journey, service, packet))
    port = target.service_port
    if port is None:
        verdict = Verdict.RESPOND if target.empty_status else Verdict.REJECT
        asked = no_port(service, packet, str(target.port), verdict, "the controller has nowhere to send")
        return (*target.steps, msgspec.structs.replace(asked, status=target.empty_status))
    found = (service.ports.index(port), port)
    packet = msgspec.structs.replace(packet, port=port.port)
    if target.direct_to_pods or service.headless:
        via = Via(proxy=True, status=target.empty_status, subset=target.subset, labels=target.labels)
        journey = msgspec.structs.replace(journey, subset=target.subset)
        return (*target.steps, *through_service(walk, journey, service, found, packet, via))
    return (*target.steps, *to_cluster_ip(walk, journey, service, packet))


def to_cluster_ip(walk: Walk, journey: Journey, service: Service, packet: Packet) -> Road:
    """Return the road to a Service's cluster address from inside of the cluster."""
    if packet.destination is None and service.virtual_ips:
        packet = msgspec.structs.replace(packet, destination=parse_address(service.virtual_ips[0]))
    found = find_port(service, packet.port, "", packet.protocol)
    if found is None:
        verdict, why = unserved(walk)
        return (no_port(service, packet, "", verdict, why),)
    via = Via(node=journey.source.node)
    return through_service(walk, journey, service, found, packet, via)
