"""The smallest Cilium policy that would admit a connection which no rule admits, proven by evaluating it.

It has ``enableDefaultDeny: false``, so that it isolates no Pod and takes nothing away (Cilium documentation, "Endpoint
default policy"), and it can name what no NetworkPolicy names: nodes, and a Pod's own node.
"""

from aksnav.model.addresses import format_address
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.model.kubernetes.policy import CiliumNetworkPolicy
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.labels import Labels
from aksnav.store.store import Store
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing
from aksnav.trace.policy.cilium.question import Json
from aksnav.trace.policy.cilium.selectors import left_out
from aksnav.trace.policy.compiled import Asked, compiled, engine_rules
from aksnav.trace.policy.decision import Direction, Effect, fold
from aksnav.trace.policy.namespaces import CILIUM_NAMESPACE
from aksnav.trace.policy.readings import Reading
from aksnav.trace.policy.rules import Target
from aksnav.trace.policy.who import Sort, Who
from aksnav.trace.policy.workloads import BARE, workload_of

_LONGEST_NAME = 63
_ECHO = {True: {"family": "IPv4", "type": 8}, False: {"family": "IPv6", "type": 128}}


def addition(
    store: Store, crossing: Crossing, direction: Direction, pod: Pod, readings: tuple[Reading, ...]
) -> Json | None:
    """Return a CiliumNetworkPolicy, as a manifest, that would admit a connection; None where none of this form does.

    Args:
        store: what is known; it is only read.
        crossing: the connection.
        direction: the end at which it is stopped.
        pod: the Pod there.
        readings: what Cilium decides now, in each way in which it may see the connection: all of them a default deny.
    """
    if not readings or any(item.decision.effect is not Effect.DEFAULT_DENY for item in readings):
        return None
    own = _lasting(pod.labels)
    peers = [_peer(item.view.who, pod, direction) for item in readings]
    if not own or any(peer is None for peer in peers):
        return None
    side = direction.value.lower()
    ports = _ports(crossing.packet, v4=readings[0].view.who.v4)
    manifest: Json = {
        "apiVersion": "cilium.io/v2",
        "kind": CiliumNetworkPolicy.KIND,
        "metadata": {"name": _name(store, pod, side, crossing.packet), "namespace": pod.namespace},
        "spec": {
            "endpointSelector": {"matchLabels": own},
            "enableDefaultDeny": {"ingress": False, "egress": False},
            side: [{**peer, **ports} for peer in peers if peer is not None],
        },
    }
    policy = decode_wire(KINDS[CiliumNetworkPolicy.KIND], manifest)
    if not isinstance(policy, CiliumNetworkPolicy):
        return None
    proven = all(_admits(store, crossing, direction, pod, policy, item) for item in readings)
    return manifest if proven else None


def _admits(
    store: Store, crossing: Crossing, direction: Direction, pod: Pod, policy: CiliumNetworkPolicy, reading: Reading
) -> bool:
    """Return whether Cilium admits the connection once the policy is there, beside all that there are."""
    asked = Asked(direction, pod, reading.view.who, Target.of(crossing), crossing.packet)
    more = compiled(store).said_by(policy, engine_rules(store, reading.engine), asked)
    isolates = any(word.isolates is not False for word in more)
    return not isolates and fold((*reading.decision.words, *more), direction).effect is Effect.ADMITTED


def _lasting(labels: Labels) -> dict[str, str]:
    """Return the labels that are part of a Pod's identity."""
    return {key: value for key, value in sorted(labels.items()) if not left_out(key)}


def _peer(who: Who, judged: Pod, direction: Direction) -> Json | None:
    """Return the other end as a peer field, as narrow as it can be named."""
    word = "from" if direction is Direction.INGRESS else "to"
    if who.sort is Sort.POD:
        labels = _lasting(who.labels)
        if not labels:
            return None
        if who.namespace != judged.namespace:
            labels[CILIUM_NAMESPACE] = who.namespace
        return {f"{word}Endpoints": [{"matchLabels": labels}]}
    entities = {Sort.OWN_NODE: "host", Sort.OTHER_NODE: "remote-node", Sort.ANY_CLIENT: "world"}
    if who.sort in entities:
        return {f"{word}Entities": [entities[who.sort]]}
    if who.address is None:
        return None
    text = format_address(who.address)
    return {f"{word}CIDR": [f"{text}/{128 if ':' in text else 32}"]}


def _ports(packet: Packet, *, v4: bool) -> Json:
    if packet.protocol == "ICMP":
        return {"icmps": [{"fields": [_ECHO[v4]]}]}
    return {"toPorts": [{"ports": [{"port": str(packet.port), "protocol": packet.protocol}]}]}


def _name(store: Store, pod: Pod, side: str, packet: Packet) -> str:
    """Return a name that no policy of the namespace has."""
    workload = workload_of(pod)
    base = "pods" if workload.kind == BARE else workload.name
    tail = f"-{side}-{packet.port or packet.protocol.lower()}"
    taken = {row.id for row in store.cilium_policies}
    number, name = 1, f"{base[: _LONGEST_NAME - len(tail)]}{tail}"
    while f"{pod.namespace}/{name}" in taken:
        number += 1
        more = f"{tail}-{number}"
        name = f"{base[: _LONGEST_NAME - len(more)]}{more}"
    return name
