"""What a walk carries along, and small things that every stretch does with steps."""

from collections.abc import Callable, Sequence

import msgspec

from aksnav.model.addresses import format_address
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.store.store import Store
from aksnav.trace.alike import merge
from aksnav.trace.packet import Packet
from aksnav.trace.place import Entry, Place
from aksnav.trace.routing.types import ENVOY_ISTIO, NGINX, OUTSIDE, Controller, Flavour
from aksnav.trace.step import ENDS, Branch, Evidence, Kind, Step, Verdict

DEEPEST = 8
"""So many names and proxies may stand behind one another in one trace."""

MOST = 4096
"""So many times one trace enters a proxy; branches that rewrite the path for each other would go on for ever."""

Road = tuple[Step, ...]


class Journey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where the packet comes from on this stretch, and how it came.

    Attributes:
        source: who opened the connection: the client, and behind a proxy the proxy's Pod.
        outside: it comes from outside of the cluster.
        internet: it comes from the internet.
        entry, entry_node: how and where it came into the cluster.
        balanced: through a load balancer, whose probes take nodes away.
        controller: the proxy that sends on this stretch, if one does.
        depth: names and proxies passed so far.
        subset: of a DestinationRule, to which that proxy keeps; empty for every Pod of the Service.
    """

    source: Place
    outside: bool = False
    internet: bool = False
    entry: Entry = Entry.DIRECT
    entry_node: Node | None = None
    balanced: bool = False
    controller: Controller | None = None
    depth: int = 0
    subset: str = ""


class Walk:
    """One trace on its way.

    Attributes:
        store: everything that is known; it does not change while a trace is on its way.
        named: the road of a packet to a host name.
    """

    def __init__(self, store: Store, named: Callable[["Walk", Journey, str, Packet], Road]) -> None:
        self.store = store
        self.named = named
        self._memo: dict[tuple[object, ...], Road] = {}
        self._open: set[tuple[object, ...]] = set()
        self._left = MOST

    def enter(self, key: tuple[object, ...], same: tuple[object, ...], make: Callable[[], Road]) -> Road | None:
        """Return the road behind a proxy, walked once for all branches that come to it; None where it has no end.

        Args:
            key: what the road depends on.
            same: equal for requests with which the proxy would go on as before: behind itself, that has no end.
            make: walks it.
        """
        found = self._memo.get(key)
        if found is None:
            if self._left <= 0 or same in self._open:
                return None
            self._left -= 1
            self._open.add(same)
            found = self._memo[key] = make()
            self._open.discard(same)
        return found

    def node_of(self, pod: Pod) -> Node | None:
        """Return the node on which a Pod runs, if it is known."""
        return self.store.nodes.get(pod.node) if pod.node else None


def fan(step: Step, branches: Sequence[Branch]) -> Road:
    """Return a step and what follows: in line where there is one way on, else in branches, alike ones made one."""
    merged = merge(branches)
    if len(merged) == 1 and merged[0].alike == 1:
        return (step, *merged[0].steps)
    return (msgspec.structs.replace(step, verdict=Verdict.FANOUT, branches=merged),)


def behind(road: Road, packet: Packet) -> Packet:
    """Return the packet as it is behind a road, where that is what came to it."""
    return next((step.packet_after for step in reversed(road) if step.packet_after is not None), packet)


def ended(road: Sequence[Step]) -> bool:
    """Return whether a step of a road ends it."""
    return any(step.verdict in ENDS for step in road)


def too_long(packet: Packet, what: str) -> Step:
    """Return the step at which a walk gives up: names or proxies lead to one another without end."""
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.UNSUPPORTED,
        summary=f"TRACE_TOO_LONG: {what} is reached once more, and it still goes on",
        packet=packet,
        evidence=(Evidence("names and proxies in a row, at most", str(DEEPEST)),),
        missing=f"TRACE_TOO_LONG: names and proxies that lead to one another without end ({what})",
    )


def answered(road: Road, controller: Controller, pod: Pod | None) -> Road:
    """Return the road behind a proxy with the proxy's answer to the client where it is cut.

    NGINX answers 504 for silence and 502 for a refusal; Envoy 503 for both (response flag UF); Application Gateway 502.
    """
    out: list[Step] = []
    for index, step in enumerate(road):
        below = tuple(
            msgspec.structs.replace(branch, steps=answered(branch.steps, controller, pod)) for branch in step.branches
        )
        out.append(msgspec.structs.replace(step, branches=below) if below else step)
        if step.verdict in ENDS:
            if step.verdict is not Verdict.RESPOND:
                out.append(_answer(step, controller, pod))
            return (*out, *road[index + 1 :])
    return tuple(out)


def _answer(cut: Step, controller: Controller, pod: Pod | None) -> Step:
    silent = cut.verdict is Verdict.DROP
    status, sure = _status(controller.flavour, silent=silent)
    subject = controller.service.ref if controller.service is not None else None
    note = f"{controller.label} answers {status} where its backend {'is silent' if silent else 'refuses'}"
    return Step(
        kind=Kind.CONTROLLER_POD,
        verdict=Verdict.RESPOND,
        summary=f"{controller.label} answers {status}: its backend {'does not answer' if silent else 'refuses'}",
        subject=subject,
        packet=cut.packet,
        status=status,
        evidence=(Evidence("backend", cut.summary, cut.subject),),
        assumptions=() if sure else (note,),
        confirm=f"kubectl -n {pod.namespace} logs {pod.name}" if pod is not None else "",
    )


def _status(flavour: Flavour, *, silent: bool) -> tuple[int, bool]:
    """Return the status, and whether it is known for this flavour."""
    if flavour in {*NGINX, Flavour.NGINX_ORG, Flavour.NGINX_GATEWAY_FABRIC}:
        return (504 if silent else 502), True
    if flavour in {*ENVOY_ISTIO, Flavour.ISTIO_CLASSIC, Flavour.ENVOY_GATEWAY}:
        return 503, True
    if flavour in OUTSIDE:
        return 502, flavour is Flavour.AGIC
    return (504 if silent else 502), flavour is Flavour.TRAEFIK


def cut(road: Sequence[Step], *, behind: bool = False) -> Road:
    """Return the road as it is told: what stands behind a step that ends it is not reached, further breaks stay."""
    out: list[Step] = []
    for step in road:
        told = step
        if behind and step.verdict not in ENDS and step.verdict is not Verdict.FANOUT:
            told = msgspec.structs.replace(step, verdict=Verdict.NOT_REACHED, assumptions=())
        if told.branches:
            branches = tuple(
                msgspec.structs.replace(branch, steps=cut(branch.steps, behind=behind)) for branch in told.branches
            )
            told = msgspec.structs.replace(told, branches=branches)
        out.append(told)
        behind = behind or step.verdict in ENDS
    return tuple(out)


def where(packet: Packet) -> str:
    """Return the destination of a packet for people."""
    return f"{format_address(packet.destination)}:{packet.port}" if packet.destination is not None else packet.host
