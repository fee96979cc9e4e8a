"""NetworkPolicy (networking.k8s.io/v1), rule by rule: who and which port one rule admits, as each engine reads it."""

from collections.abc import Iterable, Iterator

import msgspec

from aksnav.model.addresses import Prefix, is_v4, parse_prefix
from aksnav.model.kubernetes.policy import IPBlock, NetworkPolicy, PolicyPeer, PolicyPort, PolicyRule
from aksnav.model.kubernetes.workload import ContainerPort
from aksnav.model.labels import Labels, LabelSelector
from aksnav.model.public import SPECIAL
from aksnav.trace.place import Crossing
from aksnav.trace.policy.engines import Engine
from aksnav.trace.policy.namespaces import NamespaceLabels
from aksnav.trace.policy.who import Sort, Who
from aksnav.trace.ternary import Answer, Unknown

PROTOCOLS = frozenset({"TCP", "UDP", "SCTP"})
DEPENDS = "it depends on the client"
TYPES = frozenset({"Ingress", "Egress"})
_LAST_PORT = 65535


class Target(msgspec.Struct, frozen=True, gc=False):
    """The port that a connection goes to.

    Attributes:
        port: number at the destination Pod.
        protocol: TCP, UDP or SCTP.
        declared: ports that the destination Pod's containers declare, which is where names come from; None where the
            destination is no Pod, so that no name resolves.
    """

    port: int
    protocol: str
    declared: tuple[ContainerPort, ...] | None

    @staticmethod
    def of(crossing: Crossing) -> "Target":
        """Return the port that a connection goes to."""
        pod, packet = crossing.destination.pod, crossing.packet
        return Target(packet.port, packet.protocol, pod.template.ports if pod is not None else None)


class Scene(msgspec.Struct, frozen=True, gc=False):
    """What the answers depend on besides the rule: the engine, the namespaces' labels, whether endPort is read."""

    engine: Engine
    namespaces: NamespaceLabels
    end_port: Answer = True


class Said(msgspec.Struct, frozen=True, gc=False):
    """An answer with its reason in one line."""

    answer: Answer
    why: str


def problem(policy: NetworkPolicy) -> str:
    """Return why a policy cannot be evaluated (what the API would refuse), or an empty string."""
    if policy.unknown:
        return f"{policy.unknown}: no such field is known"
    bad = policy.pod_selector.invalid()
    if bad:
        return f".spec.podSelector: {bad}"
    for word in policy.policy_types or ():
        if word not in TYPES:
            return f".spec.policyTypes: {word!r} is neither Ingress nor Egress"
    sides: tuple[tuple[str, tuple[PolicyRule, ...]], ...] = (("ingress", policy.ingress), ("egress", policy.egress))
    for side, listed in sides:
        for number, rule in enumerate(listed):
            for field, found in _rule_problems(rule, "from" if side == "ingress" else "to"):
                return f".spec.{side}[{number}].{field}: {found}"
    return ""


def _rule_problems(rule: PolicyRule, word: str) -> Iterator[tuple[str, str]]:
    for number, peer in enumerate(rule.peers):
        if found := _peer_problem(peer):
            yield f"{word}[{number}]", found
    for number, port in enumerate(rule.ports):
        if found := _port_problem(port):
            yield f"ports[{number}]", found


def _peer_problem(peer: PolicyPeer) -> str:
    block = peer.ip_block
    if block is None:
        if peer.pod_selector is None and peer.namespace_selector is None:
            return "it names no peer"
        return next(
            (bad for item in (peer.pod_selector, peer.namespace_selector) if item and (bad := item.invalid())), ""
        )
    if peer.pod_selector is not None or peer.namespace_selector is not None:
        return "ipBlock and selectors exclude each other"
    for text in (block.cidr, *block.exceptions):
        if "/" not in text or parse_prefix(text) is None:
            return f"{text!r} is not a CIDR"
    return ""


def _port_problem(port: PolicyPort) -> str:
    if port.protocol not in PROTOCOLS:
        return f"protocol {port.protocol!r} is not one of TCP, UDP, SCTP"
    if port.end_port is None:
        return ""
    if not isinstance(port.port, int):
        return "endPort needs a port number"
    return "" if port.end_port >= port.port else "endPort is smaller than port"


def admits(rule: PolicyRule, namespace: str, who: Who, target: Target, scene: Scene) -> Said:
    """Return whether one rule admits a connection.

    Args:
        rule: a rule of a policy.
        namespace: the policy's own.
        who: the other end: the source for an ingress rule, the destination for an egress rule.
        target: the port at the destination.
        scene: engine and namespaces.
    """
    peers, ports = parts(rule, namespace, who, target, scene)
    if peers.answer is False:
        return peers
    if ports.answer is False or isinstance(ports.answer, Unknown):
        return ports
    return Said(peers.answer, f"{peers.why}; {ports.why}")


def parts(rule: PolicyRule, namespace: str, who: Who, target: Target, scene: Scene) -> tuple[Said, Said]:
    """Return what a rule's peers and what its ports say, each for itself."""
    return _peers(rule.peers, namespace, who, scene), at_ports(rule.ports, target, scene)


def _peers(peers: tuple[PolicyPeer, ...], namespace: str, who: Who, scene: Scene) -> Said:
    if not peers:
        return Said(True, "no peers listed: everybody")
    return _first([peer_admits(peer, namespace, who, scene) for peer in peers])


def peer_admits(peer: PolicyPeer, namespace: str, who: Who, scene: Scene) -> Said:
    """Return whether one element of from or to matches the other end."""
    if peer.ip_block is not None:
        return _block(peer.ip_block, who, scene.engine)
    if who.sort is not Sort.POD:
        if who.unsure:
            return Said(Unknown(f"{who.label} may be a Pod: {who.unsure}"), "selectors match Pods")
        return Said(False, f"selectors match Pods, and {who.label} is not one that policies select")
    return _selected(peer, namespace, who, scene)


def _selected(peer: PolicyPeer, namespace: str, who: Who, scene: Scene) -> Said:
    """Both selectors together are both conditions on one Pod; podSelector alone means the policy's own namespace."""
    if peer.namespace_selector is None:
        if who.namespace != namespace:
            return Said(False, f"podSelector alone means namespace {namespace}, the peer is in {who.namespace}")
        in_namespace: Answer = True
    else:
        in_namespace = scene.namespaces.matches(peer.namespace_selector, who.namespace)
        if in_namespace is False:
            return Said(False, f"namespaceSelector {peer.namespace_selector} does not match namespace {who.namespace}")
    selector = peer.pod_selector
    if selector is not None and not selector.matches(pod_labels(who, scene)):
        return Said(False, f"podSelector {selector} does not match {who.label}")
    if isinstance(in_namespace, Unknown):
        return Said(in_namespace, in_namespace.why)
    return Said(True, f"selectors match {who.label}")


def pod_labels(who: Who, scene: Scene) -> Labels:
    """Return the labels that a podSelector sees: on Cilium those of the Pod's identity."""
    if scene.engine is not Engine.CILIUM:
        return who.labels
    return scene.namespaces.identity(who.namespace, who.labels, who.service_account)


def _block(block: IPBlock, who: Who, engine: Engine) -> Said:
    prefix = parse_prefix(block.cidr)
    if prefix is None:
        return Said(Unknown(f"{block.cidr!r} is not a CIDR"), "")
    excluded = [found for found in map(parse_prefix, block.exceptions) if found is not None]
    text = f"ipBlock {block.cidr}" + (f" except {', '.join(block.exceptions)}" if block.exceptions else "")
    if who.sort is Sort.ANY_CLIENT:
        if covers_any_client(prefix, excluded, who.v4):
            return Said(True, f"{text} covers every client of the internet")
        return Said(False, f"{text} does not cover every client of the internet: {DEPENDS}")
    if engine is Engine.CILIUM and who.in_cluster:
        return Said(False, f"{text}: on Cilium an ipBlock never selects a Pod or a node, and it is {who.label}")
    if who.address is None:
        return Said(Unknown(f"the address of {who.label} is not known"), text)
    if who.address not in prefix:
        return Said(False, f"{text} does not cover {who.label}")
    if any(who.address in item for item in excluded):
        return Said(False, f"{text} excludes {who.label}")
    if engine is Engine.CILIUM and who.unsure:
        return Said(Unknown(f"{who.label} may be a Pod or a node: {who.unsure}"), text)
    return Said(True, f"{text} covers {who.label}")


def covers_any_client(prefix: Prefix, excluded: Iterable[Prefix], v4: bool) -> bool:
    """Return whether a block covers the whole public internet of a family; exceptions may cut private ranges only."""
    whole = prefix.length == 0 and is_v4(prefix.first) == v4
    return whole and all(any(special.covers(item) for special in SPECIAL) for item in excluded)


def at_ports(ports: tuple[PolicyPort, ...], target: Target, scene: Scene) -> Said:
    """Return whether a rule's ports cover the port that a connection goes to."""
    if not ports:
        return Said(True, "no ports listed: every port")
    return _first([_port(port, target, scene) for port in ports])


def _port(port: PolicyPort, target: Target, scene: Scene) -> Said:
    text = f"{port.protocol} {port.port if port.port is not None else 'every port'}"
    if port.protocol != target.protocol:
        return Said(False, f"{text} is not {target.protocol} {target.port}")
    if port.port is None:
        return Said(True, f"{text} covers {target.port}")
    if isinstance(port.port, str):
        return _named(port.port, target)
    if port.end_port is None or target.port == port.port:
        return Said(port.port == target.port, f"{text} is {'' if port.port == target.port else 'not '}{target.port}")
    if not port.port < target.port <= min(port.end_port, _LAST_PORT):
        return Said(False, f"{text}-{port.end_port} does not cover {target.port}")
    return Said(scene.end_port, f"{text}-{port.end_port} covers {target.port}")


def _named(name: str, target: Target) -> Said:
    """A name is a container port's, of the same protocol, on the destination Pod (networking/v1 NetworkPolicyPort)."""
    if target.declared is None:
        return Said(False, f"port name {name!r} means a Pod's container port, and the destination is not a Pod")
    numbers = sorted({item.port for item in target.declared if item.name == name and item.protocol == target.protocol})
    if not numbers:
        return Said(False, f"no container of the destination declares a {target.protocol} port {name!r}")
    told = "/".join(map(str, numbers))
    return Said(target.port in numbers, f"port name {name!r} is {told} on the destination Pod")


def _first(said: list[Said]) -> Said:
    """Return the first that admits, else the first that is unknown, else one that tells every reason."""
    for wanted in (lambda item: item.answer is True, lambda item: isinstance(item.answer, Unknown)):
        found = next(filter(wanted, said), None)
        if found is not None:
            return found
    return Said(False, "; ".join(dict.fromkeys(item.why for item in said)))


def selects(selector: LabelSelector, who: Who, scene: Scene) -> bool:
    """Return whether a policy's podSelector selects a Pod."""
    return selector.matches(pod_labels(who, scene))
