"""Which fault of the catalogue a connection that policy stops shows: chosen by what comes nearest to admitting it."""

from collections.abc import Iterator

import msgspec

from aksnav.model.addresses import Prefix, format_address, parse_address, parse_prefix
from aksnav.model.kubernetes.policy import NetworkPolicy, PolicyPeer, PolicyRule
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure.joins import cluster, is_gateway_subnet, subnet_of
from aksnav.trace.place import Crossing, Entry
from aksnav.trace.policy import rules
from aksnav.trace.policy.compiled import compiled, engine_rules
from aksnav.trace.policy.decision import Decision, Direction, Effect
from aksnav.trace.policy.engines import Engine
from aksnav.trace.policy.who import Sort, Who
from aksnav.trace.step import Evidence

PROBE_SOURCE = parse_address("168.63.129.16")
_DNS_PORT = 53


class Cause(msgspec.Struct, frozen=True, gc=False):
    """A fault of the catalogue: its id, what is added to the summary, the fields that show it, and the fix."""

    id: str
    said: str = ""
    evidence: tuple[Evidence, ...] = ()
    fix: str = ""


class Case(msgspec.Struct, frozen=True, gc=False):
    """A connection that policies stop, with who stops it and why."""

    store: Store
    crossing: Crossing
    direction: Direction
    pod: Pod
    engine: Engine
    who: Who
    decision: Decision


class _Rule(msgspec.Struct, frozen=True, gc=False):
    policy: NetworkPolicy
    field: str
    rule: PolicyRule
    peers: rules.Said
    ports: rules.Said


def cause(case: Case) -> Cause:
    """Return which fault it is; the ids are those of aks-networking.md, section 5.8."""
    if case.decision.effect in {Effect.DENIED, Effect.HTTP_DENIED}:
        if case.engine is Engine.CALICO:
            return Cause("P13", fix=f"put a rule that admits it before the one of {_names(case.decision.deciding)}")
        return Cause("P09", fix="change the Cilium policy that denies it")
    near = list(_rules(case))
    refs = case.decision.deciding
    if refs and all(ref.kind != "NetworkPolicy" for ref in refs):
        return _own_node(case) or _of_own_policies(case)
    found = (
        _rewritten(case, near)
        or _own_node(case)
        or _engine_ignores_block(case, near)
        or _service_port(case, near)
        or _service_address(case, near)
        or _namespace_label(case, near)
        or _peculiar_peer(case)
    )
    if found is not None:
        return found
    dns = case.direction is Direction.EGRESS and _asks_names(case)
    empty = [] if near or dns else [ref for ref in case.decision.deciding if _by_omission(case.store, ref)]
    if empty:
        facts = tuple(Evidence(f".spec.{case.direction.value.lower()}", "(no rules)", ref) for ref in empty)
        return Cause("P18", fix=f"add a rule that admits it to {_names(tuple(empty))}", evidence=facts)
    if case.direction is Direction.EGRESS:
        if dns:
            return Cause("P06", fix="allow UDP and TCP 53 to the DNS Pods in the egress policy")
        return Cause("P08", fix=f"admit {case.who.label} on {_port(case)} in an egress rule")
    return Cause("P01", fix=f"admit {case.who.label} on {_port(case)} in an ingress rule")


def _of_own_policies(case: Case) -> Cause:
    """P06, P09, P13: none but policies of the engine's own kinds isolate the Pod."""
    names = _names(case.decision.deciding)
    fixes = (rule.fix for word in case.decision.words for rule in word.rules if rule.fix)
    fix = next(fixes, "") or f"admit {case.who.label} on {_port(case)} in {names}"
    if case.engine is not Engine.CALICO:
        return Cause("P09", fix=fix)
    if case.direction is Direction.EGRESS and _asks_names(case):
        return Cause("P06", fix=f"allow UDP and TCP 53 to the DNS Pods in {names}")
    return Cause("P13", fix=fix)


def _asks_names(case: Case) -> bool:
    return case.crossing.packet.port == _DNS_PORT


def _by_omission(store: Store, ref: Ref) -> bool:
    """Return whether a policy without rules is more than a default deny for a namespace.

    One that selects certain Pods, or that has rules for the other direction, seldom means to block everything.
    """
    policy = store.network_policies.get(ref.id) if ref.kind == "NetworkPolicy" else None
    if policy is None:
        return False
    selective = bool(policy.pod_selector.match_labels or policy.pod_selector.match_expressions)
    return selective or bool(policy.ingress or policy.egress)


def _rules(case: Case) -> Iterator[_Rule]:
    """Yield the rules of the policies that isolate the Pod, with what their peers and ports say."""
    how = engine_rules(case.store, case.engine)
    scene = rules.Scene(how.engine, compiled(case.store).namespaces, how.end_port)
    target = rules.Target.of(case.crossing)
    for ref in case.decision.deciding:
        policy = case.store.network_policies.get(ref.id) if ref.kind == "NetworkPolicy" else None
        if policy is None:
            continue
        side = case.direction.value.lower()
        listed: tuple[PolicyRule, ...] = policy.ingress if case.direction is Direction.INGRESS else policy.egress
        for number, rule in enumerate(listed):
            peers, ports = rules.parts(rule, policy.namespace, case.who, target, scene)
            yield _Rule(policy, f".spec.{side}[{number}]", rule, peers, ports)


def _rewritten(case: Case, near: list[_Rule]) -> Cause | None:
    """P04: an ipBlock names the client, and what arrives is a node's address."""
    if case.crossing.entry is not Entry.CLUSTER or case.who.sort not in {Sort.OTHER_NODE, Sort.OWN_NODE}:
        return None
    client = case.crossing.source.address
    for item in near:
        for field, text, prefix in _blocks(item):
            if client is None or client in prefix:
                fact = Evidence(
                    field, text, item.policy.ref, f"names the client; the packet comes from {case.who.name}"
                )
                fix = (
                    "set externalTrafficPolicy: Local on the Service, "
                    "or admit the nodes' addresses and restrict with loadBalancerSourceRanges"
                )
                return Cause(
                    "P04", f"; {text} names the client, but the source is rewritten to {case.who.name}", (fact,), fix
                )
    return None


def _own_node(case: Case) -> Cause | None:
    """P20: on Cilium an egress policy covers the Pod's own node as well."""
    if case.direction is Direction.EGRESS and case.engine is Engine.CILIUM and case.who.sort is Sort.OWN_NODE:
        return Cause("P20", fix="add a CiliumNetworkPolicy with toEntities: [host]")
    return None


def _engine_ignores_block(case: Case, near: list[_Rule]) -> Cause | None:
    """P05: on Cilium an ipBlock covers the address, and does not select what has it."""
    if case.engine is not Engine.CILIUM or not case.who.in_cluster or case.who.address is None:
        return None
    for item in near:
        for field, text, prefix in _blocks(item):
            if case.who.address in prefix and item.ports.answer is not False:
                fact = Evidence(field, text, item.policy.ref, "Cilium: an ipBlock never selects a Pod or a node")
                said = f"; {text} covers {case.who.name}, but on Cilium an ipBlock never selects a Pod or a node"
                return Cause("P05", said, (fact,), "select the peer with podSelector and namespaceSelector")
    return None


def _service_port(case: Case, near: list[_Rule]) -> Cause | None:
    """P02: the peer is admitted on the Service's port, which is not the Pod's."""
    target = case.crossing.destination.pod
    if target is None:
        return None
    for item in near:
        if item.peers.answer is not True:
            continue
        for number, port in enumerate(item.rule.ports):
            asked = case.crossing.packet.port
            service = _service_leading(case.store, target, port.port, asked) if isinstance(port.port, int) else None
            if service is not None and port.port != asked:
                field = f"{item.field}.ports[{number}].port"
                fact = Evidence(
                    field, str(port.port), item.policy.ref, f"is the port of Service {service}, not the Pod's"
                )
                seen = case.crossing.packet.port
                said = f"; port {port.port} is the port of Service {service}, policies see the Pod's port {seen}"
                return Cause("P02", said, (fact,), f"write port {case.crossing.packet.port} in {item.policy.id}")
    return None


def _service_leading(store: Store, pod: Pod, port: int, target: int) -> str | None:
    """Return the Service of a Pod that has a port which leads to another port of the Pod."""
    names = {item.name for item in pod.template.ports if item.port == target and item.name}
    for service in store.services:
        if service.namespace != pod.namespace or not service.selector:
            continue
        leads = any(item.port == port and (item.target == target or item.target in names) for item in service.ports)
        if leads and all(pod.labels.get(key) == value for key, value in service.selector.items()):
            return service.id
    return None


def _service_address(case: Case, near: list[_Rule]) -> Cause | None:
    """P15: an ipBlock names a Service's address, and policies are asked after translation to the Pod."""
    if case.direction is not Direction.EGRESS or case.who.sort is not Sort.POD:
        return None
    managed = cluster(case.store)
    profile = managed.network_profile if managed is not None else None
    texts = (*profile.service_cidrs, profile.service_cidr) if profile is not None else ()
    ranges = [prefix for prefix in map(parse_prefix, texts) if prefix is not None]
    for item in near:
        for field, text, prefix in _blocks(item):
            single = prefix.size == 1 and case.store.services_at(prefix.first)
            if single or any(found.covers(prefix) for found in ranges):
                fact = Evidence(field, text, item.policy.ref, "is a Service address: policies see the Pod behind it")
                return Cause(
                    "P15", f"; {text} is a Service address, policies see the Pod", (fact,), "select the Pods instead"
                )
    return None


def _namespace_label(case: Case, near: list[_Rule]) -> Cause | None:
    """P03: a namespaceSelector asks for a label that the peer's namespace does not have at all."""
    if case.who.sort is not Sort.POD:
        return None
    labels = compiled(case.store).namespaces.labels(case.who.namespace)
    for item in near:
        for number, peer in enumerate(item.rule.peers):
            selector = peer.namespace_selector
            if selector is None or item.ports.answer is False or not _pods_match(peer, case):
                continue
            wanted = [
                *selector.match_labels,
                *(line.key for line in selector.match_expressions if line.operator == "In"),
            ]
            absent = [key for key in wanted if key not in labels]
            if absent:
                word = "from" if case.direction is Direction.INGRESS else "to"
                field = f"{item.field}.{word}[{number}].namespaceSelector"
                namespace = Ref("Namespace", case.who.namespace)
                facts = (
                    Evidence(field, str(selector), item.policy.ref),
                    Evidence(".metadata.labels", str(labels), namespace, f"has no label {absent[0]}"),
                )
                said = f"; namespace {case.who.namespace} has no label {absent[0]}"
                return Cause("P03", said, facts, "select the namespace by kubernetes.io/metadata.name, or label it")
    return None


def _pods_match(peer: PolicyPeer, case: Case) -> bool:
    return peer.pod_selector is None or peer.pod_selector.matches(case.who.labels)


def _peculiar_peer(case: Case) -> Cause | None:
    """P07, P11, P16: the peer is the load balancer's probe, a node, or an application gateway's subnet."""
    if case.direction is not Direction.INGRESS:
        return None
    who = case.who
    if who.address is not None and who.address == PROBE_SOURCE:
        return Cause(
            "P07", "; this is the load balancer's probe", fix="admit the nodes' addresses, or use the shared probe"
        )
    if who.sort in {Sort.OTHER_NODE, Sort.OWN_NODE} and case.crossing.entry is not Entry.CLUSTER:
        said = f"; the source is {who.name}: Pods with hostNetwork have their node's address"
        return Cause("P11", said, fix="admit the nodes' addresses (Cilium: a CiliumNetworkPolicy with fromEntities)")
    if who.sort is Sort.ADDRESS and who.address is not None and (subnet := _gateway_subnet(case.store, who.address)):
        said = f"; {who.name} is in subnet {subnet} of an application gateway"
        return Cause("P16", said, fix=f"admit the prefix of subnet {subnet} with an ipBlock")
    return None


def _gateway_subnet(store: Store, address: int) -> str | None:
    place = subnet_of(store, address)
    return place[1].name if place is not None and is_gateway_subnet(place[1]) else None


def _blocks(item: _Rule) -> Iterator[tuple[str, str, Prefix]]:
    word = "from" if ".ingress" in item.field else "to"
    for number, peer in enumerate(item.rule.peers):
        block = peer.ip_block
        prefix = parse_prefix(block.cidr) if block is not None else None
        if block is not None and prefix is not None:
            yield f"{item.field}.{word}[{number}].ipBlock.cidr", f"ipBlock {block.cidr}", prefix


def _names(refs: tuple[Ref, ...]) -> str:
    return ", ".join(ref.id for ref in refs)


def _port(case: Case) -> str:
    packet = case.crossing.packet
    where = format_address(packet.destination) if packet.destination is not None else "the destination"
    return f"{packet.protocol} {packet.port}" + (f" of {where}" if case.direction is Direction.EGRESS else "")
