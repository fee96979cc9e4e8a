"""Which fault of the catalogue a denied packet shows: chosen by the deciding rule and by what nearly allowed it."""

from collections.abc import Iterator

import msgspec

from aksnav.model.addresses import format_address, has_host_bits, is_v4, parse_address, parse_prefix
from aksnav.model.azure.network import NetworkSecurityGroup, SecurityRule
from aksnav.model.kubernetes.service import ServicePort
from aksnav.model.kubernetes.workload import Node
from aksnav.model.public import is_public
from aksnav.store.store import Store
from aksnav.trace.azure import tags
from aksnav.trace.azure.frontend import ANNOTATION, is_true
from aksnav.trace.azure.joins import is_gateway_subnet, pod_prefixes, subnet_of
from aksnav.trace.azure.nsg_rules import (
    ALLOW,
    FIRST_DEFAULT,
    INBOUND,
    OUTBOUND,
    Context,
    destination_ports,
    destinations,
    evaluate,
    matches,
    parts,
    rules,
    sources,
)
from aksnav.trace.packet import Packet
from aksnav.trace.step import Evidence

AKS_ALLOW = "k8s-azure-lb_allow"
AKS_DENY = "k8s-azure-lb_deny-all"

_NO_RULES = "azure-disable-load-balancer-nsg-rule"


class Cause(msgspec.Struct, frozen=True, gc=False):
    """A fault of the catalogue: its id, what is added to the summary, the fields that show it, and the fix."""

    id: str
    fix: str
    said: str = ""
    evidence: tuple[Evidence, ...] = ()


class Case(msgspec.Struct, frozen=True, gc=False):
    """A packet that a group on the way into a node denies."""

    store: Store
    group: NetworkSecurityGroup
    packet: Packet
    context: Context
    node: Node
    where: str

    @property
    def text(self) -> str:
        """The destination as a rule would have to name it."""
        address = self.packet.destination
        return f"{format_address(address) if address is not None else 'the destination'}:{self.packet.port}"


def into_node(case: Case) -> Cause:
    """Return the fault of a packet from outside that is denied (aks-networking.md 5.2)."""
    packet = case.packet
    if packet.source == tags.PLATFORM:
        return Cause("N04", f"allow AzureLoadBalancer to {case.text} before the rule that denies")
    found = _invalid_range(case) or _shadowed(case) or _wrong_destination(case) or _narrower(case) or _wrong_tag(case)
    if found is not None:
        return found
    if packet.source is not None and not is_public(packet.source):
        return Cause("N16", f"allow {format_address(packet.source)} to {case.text}")
    if case.where.startswith("subnet") or not _of_provider(case):
        return Cause("N01", f"allow Internet to {case.text} on the group of {case.where}")
    return _missing_rule(case)


def _missing_rule(case: Case) -> Cause:
    """N09: the cloud provider's rule is not there; a Service may ask that none is written."""
    listed = case.store.services_at(case.packet.destination) if case.packet.destination is not None else []
    for service in listed:
        if is_true(service, _NO_RULES):
            field = f".metadata.annotations['{ANNOTATION}{_NO_RULES}']"
            fact = Evidence(field, "true", service.ref, "asks that no rule is written")
            return Cause("N09", f"add a rule for {case.text}: the Service asks that none is written", evidence=(fact,))
    return Cause("N09", "touch the Service so that its rule is written again, or add the rule")


def _of_provider(case: Case) -> bool:
    """Return whether the cloud provider writes a rule for the packet: for load balancers' Services, for no others."""
    if case.context.frontend:
        return True
    return any(
        service.type == "LoadBalancer" and any(port.node_port == case.packet.port for port in service.ports)
        for service in case.store.services
    )


def outbound(packet: Packet) -> Cause:
    """Return the fault of a packet to outside that is denied."""
    where = format_address(packet.destination) if packet.destination is not None else "the destination"
    return Cause("N17", f"allow {packet.protocol} {packet.port} to {where} outbound")


def between(store: Store, packet: Packet, direction: str) -> Cause:
    """Return the fault of a packet between nodes that is denied."""
    place = subnet_of(store, packet.source) if packet.source is not None else None
    if place is not None and is_gateway_subnet(place[1]):
        return Cause("N15", f"allow subnet {place[1].name} to the Pods' addresses and ports")
    pods = pod_prefixes(store)
    ends = [address for address in (packet.source, packet.destination) if address is not None]
    if any(address in prefix for address in ends for prefix in pods):
        return Cause("N11", "allow node CIDR to Pod CIDR, Pod CIDR to Pod CIDR, and Pod CIDR to node CIDR")
    if direction == OUTBOUND and packet.destination is not None and is_public(packet.destination):
        return Cause("N17", f"allow {packet.protocol} {packet.port} outbound")
    return Cause("N12", f"allow {packet.protocol} {packet.port} between the subnets of the node pools")


def _allows(case: Case) -> Iterator[SecurityRule]:
    return (rule for rule in rules(case.group, INBOUND) if rule.access.lower() == ALLOW.lower())


def _fact(case: Case, rule: SecurityRule, part: str, value: str, note: str) -> Evidence:
    number = next((n for n, item in enumerate(case.group.own_rules) if item is rule), None)
    field = f".securityRules[{number}]" if number is not None else f".defaultSecurityRules[?name=='{rule.name}']"
    return Evidence(f"{field}.{part}", value, case.group.ref, note)


def _invalid_range(case: Case) -> Cause | None:
    """N08: a source range of the Service that is no CIDR makes the cloud provider deny everybody."""
    decided = evaluate(case.group, INBOUND, case.packet, case.context).rule
    if decided is None or not decided.name.startswith(AKS_DENY) or case.packet.destination is None:
        return None
    for service in case.store.services_at(case.packet.destination):
        for number, text in enumerate(service.load_balancer_source_ranges):
            if parse_prefix(text.strip()) is None or has_host_bits(text.strip()):
                field = f".spec.loadBalancerSourceRanges[{number}]"
                fact = Evidence(field, text, service.ref, "not a CIDR: the cloud provider then denies everybody")
                return Cause("N08", f"correct {text!r} in {field}", f"; {text!r} is not a CIDR", (fact,))
    return None


def _shadowed(case: Case) -> Cause | None:
    """N03: a rule that would allow the packet stands behind one that denies it."""
    decided = evaluate(case.group, INBOUND, case.packet, case.context).rule
    if decided is None or decided.priority >= FIRST_DEFAULT:
        return None
    for rule in _allows(case):
        if FIRST_DEFAULT > rule.priority > decided.priority and matches(rule, case.packet, case.context) is True:
            fact = _fact(case, rule, "priority", str(rule.priority), "would allow it, and comes too late")
            fix = f"give {rule.name} a smaller priority number than {decided.priority}, or narrow {decided.name}"
            return Cause("N03", fix, f"; {rule.priority} {rule.name} would allow it, and comes after", (fact,))
    return None


def _wrong_destination(case: Case) -> Cause | None:
    """N02: a rule allows the node's prefix or the nodePort, and the packet has the frontend's address and port."""
    if not case.context.frontend:
        return None
    own = [number for number in map(parse_address, case.node.internal_ips) if number is not None]
    ports = [port.node_port for port in _service_ports(case) if port.node_port]
    for rule in _allows(case):
        if rule.priority >= FIRST_DEFAULT:
            continue
        answers = dict(parts(rule, case.packet, case.context))
        wrong = {name for name, answer in answers.items() if answer is not True}
        if not wrong or wrong - {"destination", "destination port"}:
            continue
        to_node = any(
            tags.match(destinations(rule), number, is_v4(number), case.context.space) is True for number in own
        )
        to_port = any(low <= port <= high for port in ports for low, high in destination_ports(rule))
        if ("destination" not in wrong or to_node) and ("destination port" not in wrong or to_port):
            part = "destinationAddressPrefix" if "destination" in wrong else "destinationPortRange"
            value = ", ".join(destinations(rule)) if "destination" in wrong else rule.destination_port_range
            fact = _fact(
                case, rule, part, value, f"the packet goes to {case.text}: the load balancer keeps the address"
            )
            said = f"; {rule.priority} {rule.name} allows the node or its nodePort, not {case.text}"
            return Cause("N02", f"write {case.text} as the destination of {rule.name}", said, (fact,))
    return None


def _service_ports(case: Case) -> list[ServicePort]:
    address = case.packet.destination
    services = case.store.services_at(address) if address is not None else []
    return [
        port
        for service in services
        for port in service.ports
        if port.port == case.packet.port and port.protocol == case.packet.protocol
    ]


def _narrower(case: Case) -> Cause | None:
    """N05: rules allow the destination, but only from sources that the client is not in."""
    found = [rule for rule in _only_source_wrong(case) if _for_clients(rule)]
    if not found:
        return None
    rule = found[0]
    text = ", ".join(sources(rule))
    fact = _fact(case, rule, "sourceAddressPrefixes", text, "the only sources that are allowed")
    if rule.name.startswith(AKS_ALLOW):
        fix = "add the client's prefix to spec.loadBalancerSourceRanges of the Service"
    else:
        fix = f"add the client's prefix to {rule.name}"
    whom = "clients" if case.packet.source is None else "sources"
    return Cause("N05", fix, f"; {rule.priority} {rule.name} allows only {whom} in {text}", (fact,))


def _for_clients(rule: SecurityRule) -> bool:
    """Return whether a rule lists addresses of clients: the Service's ranges, or addresses of the internet."""
    prefixes = [prefix for prefix in map(parse_prefix, sources(rule)) if prefix is not None]
    return any(rule.name.startswith(AKS_ALLOW) or is_public(prefix.first) for prefix in prefixes)


def _wrong_tag(case: Case) -> Cause | None:
    """N20: a rule allows AzureLoadBalancer, which is the probe's address and never a client's."""
    for rule in _only_source_wrong(case):
        if rule.priority < FIRST_DEFAULT and "azureloadbalancer" in {text.lower() for text in sources(rule)}:
            fact = _fact(case, rule, "sourceAddressPrefix", ", ".join(sources(rule)), "holds 168.63.129.16 only")
            said = f"; {rule.priority} {rule.name} allows AzureLoadBalancer, which is the probe and not the client"
            return Cause("N20", f"allow the clients' real sources to {case.text}", said, (fact,))
    return None


def _only_source_wrong(case: Case) -> Iterator[SecurityRule]:
    for rule in _allows(case):
        wrong = {name for name, answer in parts(rule, case.packet, case.context) if answer is not True}
        if wrong == {"source"}:
            yield rule
