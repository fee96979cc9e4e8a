"""A Service as the thing that translates sees it: which port, which endpoints, and why none."""

import msgspec

from aksnav.model.addresses import is_v4, parse_address
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Node
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.cluster.endpoints import Candidates, Choice, Chosen, candidates, choose
from aksnav.trace.cluster.unready import nothing
from aksnav.trace.kubectl import listing, show
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale, unreadable
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict


class Via(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who chooses an endpoint, and on which way the packet came.

    Attributes:
        node: the node that translates; None for a proxy, which may be anywhere.
        external: the packet came to a load balancer address, an external address or a node port from outside of the
            cluster: externalTrafficPolicy applies, else internalTrafficPolicy.
        anywhere: neither applies: a client of the cluster asks at an address that is meant for those outside of it.
        proxy: a controller reads the endpoints itself: no traffic policy, no fallback to terminating endpoints.
        status: what the proxy answers while there is no ready endpoint; 0 where it passes bytes on and refuses.
        subset: name of the subset of a DestinationRule that the proxy keeps to, and the labels of its Pods.
    """

    node: Node | None = None
    external: bool = False
    anywhere: bool = False
    proxy: bool = False
    status: int = 503
    subset: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    def local(self, service: Service) -> bool:
        """Return whether a traffic policy of the Service keeps the choice to the node."""
        policy = service.external_traffic_policy if self.external else service.internal_traffic_policy
        return policy == "Local" and not self.proxy and not self.anywhere


class ServiceDecision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a Service sends new connections.

    Attributes:
        step: of kind ENDPOINT: PASS with ``chosen``, or the step that ends the road or cannot be read.
        further: deeper breaks behind a step that ends the road (why the Pods are not ready).
        chosen: the endpoints.
    """

    step: Step
    further: tuple[Step, ...] = ()
    chosen: tuple[Chosen, ...] = ()


def find_port(service: Service, number: int, name: str, protocol: str) -> tuple[int, ServicePort] | None:
    """Return the Service's port by number, or by name, in a protocol, with its place in the spec."""
    for index, port in enumerate(service.ports):
        if port.protocol == protocol and (port.name == name if name else port.port == number):
            return index, port
    return None


def port_step(service: Service, index: int, port: ServicePort, packet: Packet, field: str = "port") -> Step:
    """Return the step of a Service port that is found; ``field`` is what it was found by (port, name, nodePort)."""
    value = {"name": port.name, "nodePort": str(port.node_port)}.get(field, str(port.port))
    shown = f"{port.name} " if port.name else ""
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.PASS,
        summary=f"Service {service.id} port {shown}{port.port}/{port.protocol} leads to targetPort {port.target}",
        subject=service.ref,
        version=service.resource_version,
        packet=msgspec.structs.replace(packet, port=port.port),
        evidence=(
            Evidence(f".spec.ports[{index}].{field}", value),
            Evidence(f".spec.ports[{index}].targetPort", str(port.target)),
        ),
        confirm=show(service.ref, f".spec.ports[{index}]"),
    )


def no_port(service: Service, packet: Packet, name: str, verdict: Verdict, why: str) -> Step:
    """Return the step of a port that the Service does not have (S20), or has in another protocol only (S05)."""
    asked = name or str(packet.port)
    other = [port for port in service.ports if (port.name == name if name else port.port == packet.port)]
    listed = ", ".join(f"{port.name or '-'} {port.port}/{port.protocol}" for port in service.ports) or "(none)"
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=verdict,
        summary=f"Service {service.id} has no port {asked}/{packet.protocol} (it has {listed}): {why}",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        cause="S05" if other else "S20",
        evidence=(Evidence(".spec.ports", listed), Evidence("port that is asked for", f"{asked}/{packet.protocol}")),
        considered=tuple(
            Considered(
                f".spec.ports[{index}] {port.port}/{port.protocol}",
                decided=False,
                why="another protocol" if port in other else "another port",
            )
            for index, port in enumerate(service.ports)
        ),
        confirm=show(service.ref, ".spec.ports"),
        fix=f"ask for a port that the Service has, or add {asked}/{packet.protocol} to its spec",
    )


def missing_service(store: Store, ident: str, packet: Packet) -> Step:
    """Return the step of a Service that is not in the store: it does not exist, or cannot be read."""
    namespace = ident.partition("/")[0]
    ref = Ref("Service", ident)
    missing = unreadable(store.services, namespace)
    if not missing and ident in store.services.undecodable:
        missing = f"Service {ident}: {store.services.undecodable[ident]}"
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.BLIND if missing else Verdict.REJECT,
        summary=f"Service {ident} cannot be read" if missing else f"there is no Service {ident}",
        subject=ref,
        packet=packet,
        cause="" if missing else "D07",
        evidence=() if missing else (Evidence(".metadata.name", "(no such Service)"),),
        missing=missing,
        confirm=listing("Service", namespace),
        fix="" if missing else "check the name and the namespace of the Service",
    )


def endpoints(store: Store, service: Service, port: ServicePort, packet: Packet, via: Via) -> ServiceDecision:
    """Return where a Service port sends new connections, as kube-proxy, Cilium or a proxy decide it.

    Args:
        store: everything that is known.
        service: any Service that is not of type ExternalName.
        port: one of its ports.
        packet: as it arrives; its destination gives the address family (the Service's first one where it has none).
        via: who chooses.
    """
    blind = _blind(store, service)
    if blind:
        return ServiceDecision(step=_unread(service, packet, blind))
    found = candidates(store, service, port, v4=_family(service, packet))
    if via.subset:
        narrowed = _of_subset(service, found, packet, via)
        if isinstance(narrowed, Step):
            return ServiceDecision(step=narrowed)
        found = narrowed
    choice = choose(found, node=via.node, local=via.local(service), fallback=not via.proxy, topology=not via.proxy)
    if choice.chosen:
        return ServiceDecision(step=_found(store, service, packet, found, choice, via), chosen=choice.chosen)
    if choice.local_only:
        return ServiceDecision(step=_not_here(service, packet, found, choice, via))
    step, further = nothing(store, service, port, found, packet)
    step = msgspec.structs.replace(step, considered=(*step.considered, *choice.considered))
    if via.proxy and via.status and step.verdict is Verdict.REJECT:
        summary = f"{step.summary}: the controller answers {via.status}"
        step = msgspec.structs.replace(step, verdict=Verdict.RESPOND, status=via.status, summary=summary)
    return ServiceDecision(step=step, further=further)


def _of_subset(service: Service, found: Candidates, packet: Packet, via: Via) -> Candidates | Step:
    """Return the endpoints whose Pods are of a subset; the step of a subset without any (G22); or of one not known."""
    kept = [
        item
        for item in found.listed
        if item.pod is not None and all(item.pod.labels.get(key) == value for key, value in via.labels)
    ]
    lost = [item for item in found.listed if item.pod is None]
    labels = ",".join(f"{key}={value}" for key, value in via.labels)
    if kept and not lost:
        return msgspec.structs.replace(found, listed=tuple(kept))
    if not found.listed:
        return found
    end = f"the proxy answers {via.status}" if via.status else "the connection is closed"
    step = Step(
        kind=Kind.ENDPOINT,
        verdict=Verdict.RESPOND if via.status else Verdict.REJECT,
        summary=f"no endpoint of Service {service.id} is of subset {via.subset} ({labels}): {end}",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        cause="G22",
        status=via.status,
        evidence=(
            Evidence(".spec.subsets[*].labels", labels, note=f"subset {via.subset}"),
            *(
                Evidence(".metadata.labels", str(item.pod.labels), Ref("Pod", item.pod.id))
                for item in found.listed[:4]
                if item.pod is not None
            ),
        ),
        confirm=listing("Pod", service.namespace, labels),
        fix="let the labels of the subset be those of Pods of the Service",
    )
    if not lost:
        return step
    missing = f"the Pod of endpoint {lost[0].endpoint.addresses[0]} of Service {service.id}"
    return msgspec.structs.replace(step, verdict=Verdict.BLIND, status=0, cause="", missing=missing)


def _blind(store: Store, service: Service) -> str:
    missing = unreadable(store.endpoint_slices, service.namespace)
    if missing:
        return missing
    # The endpoint slice controller names its slices after the Service; whoever writes slices by hand need not.
    prefix = f"{service.namespace}/{service.name}-" if service.selector else f"{service.namespace}/"
    broken = next((ident for ident in store.endpoint_slices.undecodable if ident.startswith(prefix)), "")
    return f"EndpointSlice {broken}: {store.endpoint_slices.undecodable[broken]}" if broken else ""


def _family(service: Service, packet: Packet) -> bool:
    if packet.destination is not None and packet.destination in map(parse_address, _addresses(service)):
        return is_v4(packet.destination)
    if service.ip_families:
        return service.ip_families[0] != "IPv6"
    first = parse_address(service.virtual_ips[0]) if service.virtual_ips else packet.destination
    return first is None or is_v4(first)


def _addresses(service: Service) -> tuple[str, ...]:
    return (*service.virtual_ips, *service.external_addresses)


def _slices(service: Service) -> str:
    return listing("EndpointSlice", service.namespace, f"kubernetes.io/service-name={service.name}") + " -o yaml"


def _unread(service: Service, packet: Packet, missing: str) -> Step:
    return Step(
        kind=Kind.ENDPOINT,
        verdict=Verdict.BLIND,
        summary=f"the endpoints of Service {service.id} cannot be read",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        missing=missing,
        confirm=_slices(service),
    )


def _found(store: Store, service: Service, packet: Packet, found: Candidates, choice: Choice, via: Via) -> Step:
    count, total = len(choice.chosen), len(found.listed)
    state = "serving while they terminate (none is ready)" if choice.terminating else "ready"
    where = f" on node {via.node.name}" if via.local(service) and via.node is not None else ""
    facts = [
        Evidence(f"{item.path}.conditions.ready", _ready(item), item.piece.ref, item.endpoint.target_ref.name)
        for item in choice.chosen[:8]
    ]
    if where:
        field = ".spec.externalTrafficPolicy" if via.external else ".spec.internalTrafficPolicy"
        facts.append(Evidence(field, "Local", service.ref))
    if service.session_affinity == "ClientIP":
        note = "one client stays with one endpoint"
        facts.append(Evidence(".spec.sessionAffinity", "ClientIP", service.ref, note))
    return Step(
        kind=Kind.ENDPOINT,
        verdict=Verdict.PASS,
        summary=f"Service {service.id}: {count} of {total} endpoint{'s' if total != 1 else ''} {state}{where}",
        subject=choice.chosen[0].piece.ref,
        version=choice.chosen[0].piece.resource_version,
        packet=packet,
        evidence=tuple(facts),
        considered=choice.considered,
        assumptions=(*choice.assumptions, *stale(store.services, store.endpoint_slices, store.pods)),
        confirm=_slices(service),
    )


def _ready(item: Chosen) -> str:
    said = item.endpoint.conditions.ready
    return "(not set: counts as true)" if said is None else str(said).lower()


def _not_here(service: Service, packet: Packet, found: Candidates, choice: Choice, via: Via) -> Step:
    name = via.node.name if via.node is not None else "(unknown)"
    field = ".spec.externalTrafficPolicy" if via.external else ".spec.internalTrafficPolicy"
    elsewhere = sorted({item.node for item in found.listed if item.endpoint.ready and item.node})
    return Step(
        kind=Kind.ENDPOINT,
        verdict=Verdict.DROP,
        summary=f"Service {service.id} has no endpoint on node {name}, and {field[6:]} Local keeps it there",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        cause="S07" if via.external else "S08",
        evidence=(
            Evidence(field, "Local"),
            Evidence(".endpoints[*].nodeName", ", ".join(elsewhere) or "(not set)", found.serving_port[0].ref),
        ),
        considered=choice.considered,
        confirm=show(service.ref, field),
        fix=f"set {field[6:]} to Cluster, or run a Pod on every node that takes this traffic",
    )
