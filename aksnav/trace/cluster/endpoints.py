"""The endpoints of a Service port as kube-proxy, Cilium and controllers choose them.

The rules are those of kube-proxy's ``CategorizeEndpoints`` and of KEP-1672 (terminating endpoints) and KEP-2433
(topology hints); ``ready`` that is not said counts as true (discovery/v1 EndpointConditions).
"""

from collections.abc import Iterator, Sequence

import msgspec

from aksnav.model.addresses import parse_address
from aksnav.model.kubernetes.service import Endpoint, EndpointSlice, Service, ServicePort, TargetRef
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.step import Considered


class Chosen(msgspec.Struct, frozen=True, gc=False):
    """An endpoint to which new connections may go.

    Attributes:
        piece: the EndpointSlice that has it, at ``index``.
        address: address integer.
        port: the port of the Pod.
        pod: whose address it is; None where no Pod of the store has it.
    """

    piece: EndpointSlice
    index: int
    endpoint: Endpoint
    address: int
    port: int
    pod: Pod | None = None

    @property
    def node(self) -> str:
        """Name of the node on which it is, as far as it is known."""
        return self.endpoint.node_name or (self.pod.node if self.pod is not None else "")

    @property
    def named(self) -> Ref | None:
        """The Pod that the endpoint refers to; None where it refers to none."""
        ref = self.endpoint.target_ref
        return Ref(Pod.KIND, f"{ref.namespace or self.piece.namespace}/{ref.name}") if _of_pod(ref) else None

    @property
    def path(self) -> str:
        """Field path of the endpoint in its slice."""
        return f".endpoints[{self.index}]"


def _of_pod(ref: TargetRef) -> bool:
    return ref.kind == Pod.KIND and bool(ref.name)


class Candidates(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Every endpoint of a Service port, before readiness and traffic policies.

    Attributes:
        slices: of the Service, of every family.
        family: those of the address family that is asked for.
        serving_port: those of the family that have the port.
        listed: every endpoint in them, once.
    """

    slices: tuple[EndpointSlice, ...]
    family: tuple[EndpointSlice, ...]
    serving_port: tuple[EndpointSlice, ...]
    listed: tuple[Chosen, ...]


class Choice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is left of the candidates.

    Attributes:
        chosen: where new connections go; empty: nowhere.
        local_only: a traffic policy keeps to one node, and that is why nothing is left.
        terminating: no endpoint is ready, and these still serve while they terminate.
        considered: what was passed over, and why.
        assumptions: what the choice takes for granted.
    """

    chosen: tuple[Chosen, ...]
    local_only: bool = False
    terminating: bool = False
    considered: tuple[Considered, ...] = ()
    assumptions: tuple[str, ...] = ()


def candidates(store: Store, service: Service, port: ServicePort, *, v4: bool) -> Candidates:
    """Return every endpoint of a Service port in one address family."""
    slices = tuple(store.slices_of(service.id))
    wanted = "IPv4" if v4 else "IPv6"
    family = tuple(piece for piece in slices if piece.address_type == wanted)
    serving: list[EndpointSlice] = []
    listed: dict[tuple[int, int], Chosen] = {}
    for piece in family:
        number = _number(piece, port)
        if number is None:
            continue
        serving.append(piece)
        for item in _of_slice(store, piece, number):
            known = listed.get((item.address, item.port))
            # The same address may stand in two slices for a moment: the ready one counts (kube-proxy prefers it too).
            if known is None or (item.endpoint.ready and not known.endpoint.ready):
                listed[item.address, item.port] = item
    return Candidates(slices=slices, family=family, serving_port=tuple(serving), listed=tuple(listed.values()))


def addresses(store: Store, service: Service, port: int, *, v4: bool) -> tuple[Chosen, ...]:
    """Return the ready endpoints of a headless Service that has no ports: its name stands for them, at any port."""
    wanted = "IPv4" if v4 else "IPv6"
    listed = [
        item
        for piece in store.slices_of(service.id)
        if piece.address_type == wanted
        for item in _of_slice(store, piece, port)
        if item.endpoint.ready
    ]
    return tuple({item.address: item for item in listed}.values())


def _number(piece: EndpointSlice, port: ServicePort) -> int | None:
    """Return the Pod port of a slice for a Service port: they are joined by name and protocol."""
    for item in piece.ports or ():
        if item.name == port.name and item.protocol == port.protocol:
            return item.port or None
    return None


def _of_slice(store: Store, piece: EndpointSlice, port: int) -> Iterator[Chosen]:
    for index, endpoint in enumerate(piece.endpoints):
        address = parse_address(endpoint.addresses[0]) if endpoint.addresses else None
        if address is not None:
            yield Chosen(piece, index, endpoint, address, port, pod_of(store, piece, endpoint))


def pod_of(store: Store, piece: EndpointSlice, endpoint: Endpoint) -> Pod | None:
    """Return the Pod that has the endpoint's address now: the one that is referred to, else any that has it.

    An endpoint need not refer to anything (discovery/v1 Endpoint: targetRef is optional): whoever writes slices by hand
    leaves it out. A reference without a name refers to nothing.
    """
    ref, address = endpoint.target_ref, parse_address(endpoint.addresses[0]) if endpoint.addresses else None
    if address is None:
        return None
    if _of_pod(ref):
        pod = store.pods.get(f"{ref.namespace or piece.namespace}/{ref.name}")
        held = pod is not None and not pod.finished and address in map(parse_address, pod.ips)
        return pod if held else None
    return next(
        (pod for pod in store.pods_at(address) if not pod.finished and not pod.template.host_network),
        None,
    )


def choose(
    found: Candidates, *, node: Node | None, local: bool, fallback: bool = True, topology: bool = True
) -> Choice:
    """Return where new connections go.

    Args:
        found: the candidates.
        node: where the choice is made; None where that is no node (a controller outside, or not known).
        local: a traffic policy ``Local`` applies: only endpoints of this node.
        fallback: endpoints that serve while they terminate count when none is ready (kube-proxy, Cilium; not proxies).
        topology: zone hints apply.
    """
    considered = tuple(_passed_over(found.listed))
    ready = tuple(item for item in found.listed if item.endpoint.ready)
    leaving = tuple(item for item in found.listed if item.endpoint.serving_while_terminating) if fallback else ()
    if local:
        name = node.name if node is not None else ""
        here = tuple(item for item in ready if item.node == name)
        going = tuple(item for item in leaving if item.node == name)
        return Choice(
            chosen=here or going,
            local_only=not (here or going) and bool(ready or leaving),
            terminating=not here and bool(going),
            considered=considered,
        )
    if not ready:
        return Choice(chosen=leaving, terminating=bool(leaving), considered=considered)
    near = _in_zone(ready, node) if topology else None
    if near is None:
        return Choice(chosen=ready, considered=considered)
    zone = node.zone if node is not None else ""
    note = f"the proxy follows the topology hints: of {len(ready)} endpoints the {len(near)} for zone {zone} are used"
    return Choice(chosen=near, considered=considered, assumptions=(note,) if len(near) < len(ready) else ())


def _passed_over(listed: Sequence[Chosen]) -> Iterator[Considered]:
    for item in listed:
        if not item.endpoint.ready:
            state = item.endpoint.conditions
            why = f"{item.path}.conditions.ready is false"
            if state.terminating:
                why += f", terminating is true, serving is {'false' if state.serving is False else 'true'}"
            name = item.endpoint.target_ref.name or item.endpoint.addresses[0]
            yield Considered(f"{item.piece.name} {name}", decided=False, why=why)


def _in_zone(ready: Sequence[Chosen], node: Node | None) -> tuple[Chosen, ...] | None:
    """Return the endpoints that hints give to the node's zone, or None where hints do not apply.

    As kube-proxy's topology.go has it: they apply only if every ready endpoint has hints, the node has a zone, and
    some endpoint is meant for it.
    """
    if node is None or not node.zone or not all(item.endpoint.hints.for_zones for item in ready):
        return None
    near = tuple(item for item in ready if any(hint.name == node.zone for hint in item.endpoint.hints.for_zones))
    return near or None
