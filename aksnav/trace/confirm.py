"""Which questions to the living network would confirm or contradict a trace.

Nothing is asked here: whoever reads asks, and each answer stands beside the step that it is about. One answer does
more: the security admin rules of a virtual network are read in no other way, so the trace takes them in. They are asked
for first, and everything else about the road that is found with them. Which targets Azure can be asked about:
aks-networking.md 4.2, calls 4, 19, 20; effective routes and rules exist for the interfaces of stand-alone machines
only.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from aksnav.model.addresses import format_address
from aksnav.model.azure.network import NetworkInterface, VirtualNetwork
from aksnav.model.change import AdminRulesTold
from aksnav.model.confirmation import Question, Reply, Way, said_of_rules
from aksnav.store.store import Store
from aksnav.trace.azure import admin_rules
from aksnav.trace.azure.frontend import Found, rule_for
from aksnav.trace.azure.joins import attach_node, cluster, frontends_at
from aksnav.trace.azure.next_hop import next_hop
from aksnav.trace.packet import Packet
from aksnav.trace.request import Origin
from aksnav.trace.step import ENDS, UNKNOWN, Kind, Outcome, Step, Trace, Verdict

# A health question costs Azure a long-running operation each: more than these nobody waits for.
MOST_NODES = 3
_FROM_HERE = frozenset({Origin.INTERNET, Origin.ADDRESS})
_SECURED = frozenset({"https", "grpcs"})
_BY_TCP = frozenset({"tcp", "http", "https", "grpc", "grpcs"})
_CONNECTS = {
    Outcome.DELIVERED: "connects",
    Outcome.RESPONDS: "connects",
    Outcome.DROPPED: "no answer",
    Outcome.REFUSED: "refused",
}


class _At(msgspec.Struct, frozen=True, gc=False):
    """A step, and the node that its branch leads over."""

    node: str
    step: Step


def questions(store: Store, trace: Trace) -> tuple[Question, ...]:
    """Return the questions to ask about a trace, in the order of its road, each once.

    Args:
        store: that the trace was made from.
        trace: the road.
    """
    placed = list(_placed(trace.steps))
    found = [
        *_from_here(trace, placed),
        *_healths(store, placed),
        *_admin_rules(store, trace, placed),
        *_nodes(store, trace, placed),
    ]
    return tuple(dict.fromkeys(found))


def next_questions(store: Store, trace: Trace, asked: Sequence[Question]) -> tuple[Question, ...]:
    """Return what to ask now: first what the trace takes in, then, of the trace with that in it, everything else.

    Args:
        store: that the trace was made from.
        trace: the road, with what was learnt of it so far.
        asked: what was asked already, and answered one way or the other.

    Returns:
        The questions; none where nothing is left to ask.
    """
    if any(question.way is not Way.ADMIN_RULES for question in asked):
        return ()
    found = questions(store, trace)
    targets = {question.target for question in asked}
    first = tuple(item for item in found if item.way is Way.ADMIN_RULES and item.target not in targets)
    return first or tuple(item for item in found if item.way is not Way.ADMIN_RULES)


def learnt(reply: Reply) -> AdminRulesTold | None:
    """Return what the store takes in of an answer; None where the answer only stands beside the trace."""
    if reply.admin_rules is None or reply.error:
        return None
    return AdminRulesTold(id=reply.question.target.lower(), rules=reply.admin_rules, at=reply.at)


def confirmed(
    store: Store, found: Trace, ask: Callable[[Question], Reply], again: Callable[[], Trace]
) -> tuple[Trace, list[Reply]]:
    """Ask everything about a trace, one question after the other, and return the trace with what was learnt.

    Args:
        store: that the trace was made from; it takes in what is learnt.
        found: the trace as it was before.
        ask: puts one question.
        again: makes the trace again.
    """
    replies: list[Reply] = []
    while asked := next_questions(store, found, [reply.question for reply in replies]):
        told: list[AdminRulesTold] = []
        for question in asked:
            replies.append(ask(question))
            told += filter(None, (learnt(replies[-1]),))
        for change in told:
            store.apply(change)
        found = again() if told else found
    return found, replies


def _placed(steps: Sequence[Step], node: str = "") -> Iterator[_At]:
    for step in steps:
        yield _At(node, step)
        for branch in step.branches:
            yield from _placed(branch.steps, branch.node or node)


def _from_here(trace: Trace, placed: Sequence[_At]) -> Iterator[Question]:
    """Return what this machine can find out: only where the request comes from outside, as this machine does."""
    request = trace.request
    if request.source.origin not in _FROM_HERE or request.scheme not in _BY_TCP:
        return
    arriving = next((item.step.packet for item in placed if item.step.packet.destination is not None), None)
    address = format_address(arriving.destination) if arriving is not None and arriving.destination is not None else ""
    if request.host:
        yield Question(way=Way.RESOLVE, target=request.host, about=f"the address of {request.host}", expected=address)
    target = address or request.host
    if arriving is None or not target or not arriving.port:
        return
    yield Question(
        way=Way.CONNECT,
        target=target,
        port=arriving.port,
        about=f"the whole road to {target} port {arriving.port}, from here",
        expected=_CONNECTS.get(trace.outcome, ""),
    )
    if request.scheme in _SECURED:
        yield Question(
            way=Way.HANDSHAKE,
            target=target,
            port=arriving.port,
            name=request.sni or request.host,
            about=f"the certificate for {request.sni or request.host or target}",
        )


def _healths(store: Store, placed: Sequence[_At]) -> Iterator[Question]:
    """Return a question for the rule of every load balancer on the road that has a probe."""
    for item in placed:
        step = item.step
        if step.kind is not Kind.LB_PROBE or step.packet.destination is None:
            continue
        for balancer, frontend in frontends_at(store, step.packet.destination):
            rule = rule_for(Found(balancer, frontend), step.packet)
            if rule is not None and rule.probe is not None:
                yield Question(
                    way=Way.RULE_HEALTH,
                    target=balancer.arm_id,
                    name=rule.name,
                    about=step.summary,
                    expected=_word([step], "healthy", "unhealthy"),
                )


def _admin_rules(store: Store, trace: Trace, placed: Sequence[_At]) -> Iterator[Question]:
    """Return a question for every network of which the road takes something for granted, or learnt it by asking."""
    lines = {line for item in placed for line in item.step.assumptions}
    filtered = any(item.step.kind in {Kind.NSG, Kind.ADMIN_RULE} for item in placed)
    names = [*(item.node for item in placed if item.node), _start_node(store, trace)] if filtered else []
    here = {network.id for name in dict.fromkeys(names) for network in _network(store, name)}
    for network in sorted(store.virtual_networks, key=lambda network: network.id):
        renewed = network.admin_rules_as_of > 0 and network.id in here
        if renewed or admin_rules.assumed(network) in lines:
            rules = network.effective_security_admin_rules
            yield Question(
                way=Way.ADMIN_RULES,
                target=network.arm_id,
                about=f"rules of Azure Virtual Network Manager that come before the security groups of {network.name}",
                expected="" if rules is None else said_of_rules(len(rules)),
            )


def _network(store: Store, name: str) -> Iterator[VirtualNetwork]:
    """Yield the network of a node, if it is known."""
    node = store.nodes.get(name)
    network = attach_node(store, node).network if node is not None else None
    if network is not None:
        yield network


def _nodes(store: Store, trace: Trace, placed: Sequence[_At]) -> Iterator[Question]:
    """Return questions about the interfaces of nodes on the road: what their security groups and routes do."""
    named = list(dict.fromkeys(item.node for item in placed if item.node))
    start = _start_node(store, trace)
    for name in [*named[:MOST_NODES], *([start] if start else [])]:
        node = store.nodes.get(name)
        at = attach_node(store, node) if node is not None else None
        if at is None or at.interface is None:
            continue
        here = [item.step for item in placed if item.node == name]
        into = _into(here)
        if into:
            yield _judged(store, at.interface, into, Way.DIAGNOSTIC, name)
        if at.subnet is None or not _stands_alone(at.interface):
            continue
        if into:
            yield _judged(store, at.interface, into, Way.EFFECTIVE_RULES, name)
        away = _away(trace, here, placed, start == name)
        if away is not None:
            decision = next_hop(store, at.subnet, away)
            yield Question(
                way=Way.EFFECTIVE_ROUTES,
                target=at.interface.arm_id,
                destination=format_address(away),
                about=f"the next hop from node {name} to {format_address(away)}",
                expected="" if decision.unknown else f"{_hop(decision.hop)} {decision.address}".strip(),
            )


def _into(steps: Sequence[Step]) -> list[Step]:
    """Return the steps of the security groups through which a packet comes to a node, before the node takes it."""
    found = []
    for step in steps:
        if step.kind not in {Kind.NSG, Kind.ADMIN_RULE, Kind.ROUTE}:
            break
        if step.kind is not Kind.ROUTE:
            found.append(step)
    return found


def _judged(store: Store, interface: NetworkInterface, steps: Sequence[Step], way: Way, name: str) -> Question:
    packet = steps[0].packet
    managed = cluster(store)
    return Question(
        way=way,
        target=interface.arm_id,
        location=interface.location or (managed.location if managed is not None else ""),
        direction="Inbound",
        protocol=packet.protocol,
        source=_source(packet),
        destination=format_address(packet.destination) if packet.destination is not None else "",
        port=packet.port,
        about=f"the security groups in front of node {name}",
        expected=_word(steps, "Allow", "Deny"),
    )


def _source(packet: Packet) -> str:
    """Return a source as Azure takes it: an address, or the tag for any client of the internet."""
    return "Internet" if packet.source is None else format_address(packet.source)


def _word(steps: Sequence[Step], passes: str, stops: str) -> str:
    """Return what some steps say together; empty where one of them does not know."""
    if any(step.verdict in ENDS for step in steps):
        return stops
    return "" if any(step.verdict in UNKNOWN or step.verdict is Verdict.NOT_REACHED for step in steps) else passes


def _stands_alone(interface: NetworkInterface) -> bool:
    """Return whether it is the interface of a stand-alone machine: those of scale sets cannot be asked."""
    return interface.virtual_machine is not None and "/providers/microsoft.network/networkinterfaces/" in interface.id


def _start_node(store: Store, trace: Trace) -> str:
    """Return the node that a request starts on, empty where it comes from outside."""
    source = trace.request.source
    if source.origin is Origin.NODE:
        return source.id
    pod = store.pods.get(source.id) if source.origin is Origin.POD else None
    return pod.node if pod is not None else ""


def _away(trace: Trace, here: Sequence[Step], placed: Sequence[_At], starts: bool) -> int | None:
    """Return where a node sends: the client of its answers, or the destination of what starts on it."""
    if not starts:
        return next((step.packet.source for step in here if step.kind is Kind.ROUTE), None)
    if trace.outcome is Outcome.UNRESOLVED:
        return None
    leaving = (item.step for item in placed if item.step.kind in {Kind.ROUTE, Kind.NSG})
    return next((step.packet.destination for step in leaving), None)


def _hop(hop: str) -> str:
    """Return a next hop type in the word of the effective route table."""
    return "VnetLocal" if hop.lower() == "virtualnetwork" else hop
