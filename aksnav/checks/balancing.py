"""How load balancers and Services spread what comes: L16, L18, C14, N10, S13, S17, S19."""

from collections import Counter
from collections.abc import Iterator
from shlex import quote

from aksnav.checks.finding import Finding, Proof
from aksnav.model.addresses import format_address, parse_address
from aksnav.model.azure.network import LoadBalancer, LoadBalancingRule, NetworkSecurityGroup, SecurityRule
from aksnav.model.kubernetes.service import Endpoint, Service
from aksnav.model.kubernetes.workload import Node
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.azure import nsg_rules
from aksnav.trace.azure.frontend import Found, annotation, confirm, container_native, is_true, keeps_address, service_of
from aksnav.trace.azure.lb_annotations import allowed_ranges, field_of
from aksnav.trace.azure.lb_pool import pool_step
from aksnav.trace.azure.nsg_causes import AKS_DENY
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence

_UNEVEN = 3  # times as many endpoints on one node as on another
_DENY_ALL = "azure-deny-all-except-load-balancer-source-ranges"
_SHARES = 2


def balancing_findings(store: Store) -> Iterator[Finding]:
    """Yield what makes traffic uneven or lets it be lost, Service by Service and rule by rule."""
    for service in sorted(store.services, key=lambda row: row.id):
        endpoints = [item for piece in store.slices_of(service.id) for item in piece.endpoints]
        yield from _kept(store, service, endpoints)
        yield from _unready(store, service, endpoints)
        yield from _by_zone(store, service, endpoints)
        yield from _affinity(service)
    for balancer in sorted(store.load_balancers, key=lambda row: row.id):
        yield from _without_probe(store, balancer)
    yield from _deny_all(store)


def _kept(store: Store, service: Service, endpoints: list[Endpoint]) -> Iterator[Finding]:
    """L16, C14: nodes share a Service of externalTrafficPolicy Local evenly, however many endpoints each has."""
    if service.type != "LoadBalancer" or service.external_traffic_policy != "Local" or unreadable(store.nodes):
        return
    homes = Counter(item.node_name for item in endpoints if item.ready and item.node_name)
    nodes = sum(node.ready is True for node in store.nodes)
    total = sum(homes.values())
    if total < _SHARES or nodes < _SHARES:
        return
    (most, many), (least, few) = homes.most_common(1)[0], homes.most_common()[-1]
    fact = Evidence(".spec.externalTrafficPolicy", "Local", service.ref)
    if len(homes) == 1:
        said = f"all {total} endpoints of Service {service.id} are on node {most}: it alone takes traffic"
        check, facts = "L16", (fact, Evidence(".endpoints[].nodeName", f"{most} ({total} times)", service.ref))
    elif many >= _UNEVEN * few:
        said = (
            f"Service {service.id} has {many} endpoints on node {most} and {few} on {least}, which gets as much traffic"
        )
        counts = ", ".join(f"{name}: {count}" for name, count in homes.most_common())
        check, facts = "C14", (fact, Evidence(".endpoints[].nodeName", counts, service.ref))
    else:
        return
    yield Finding(
        id=check,
        subject=service.ref,
        summary=said,
        proof=Proof.HINT,
        evidence=facts,
        related=(Ref("Node", most),),
        confirm=kubectl.listing("EndpointSlice", service.namespace, f"kubernetes.io/service-name={service.name}"),
        fix="spread the Pods over nodes: topologySpreadConstraints with topologyKey kubernetes.io/hostname",
    )


def _unready(store: Store, service: Service, endpoints: list[Endpoint]) -> Iterator[Finding]:
    """S13: an endpoint counts as ready although its Pod is not, because the Service publishes such."""
    if not service.publish_not_ready_addresses or service.headless:
        return
    for item in endpoints:
        pod = store.pods.get(f"{service.namespace}/{item.target_ref.name}")
        if pod is None or pod.ready or not item.ready:
            continue
        ref = Ref(pod.KIND, pod.id)
        yield Finding(
            id="S13",
            subject=service.ref,
            summary=f"Service {service.id} sends to Pod {pod.id}, which is not ready",
            proof=Proof.HINT,
            evidence=(
                Evidence(".spec.publishNotReadyAddresses", "true", service.ref),
                Evidence(".status.conditions[?(@.type=='Ready')].status", "False", ref, pod.ready_reason),
            ),
            related=(ref,),
            confirm=kubectl.show(service.ref, ".spec.publishNotReadyAddresses"),
            fix="remove publishNotReadyAddresses; it is for headless Services whose Pods look for each other",
        )
        return


def _by_zone(store: Store, service: Service, endpoints: list[Endpoint]) -> Iterator[Finding]:
    """S17: nodes are in a zone for which no ready endpoint is meant, or whose endpoints are far fewer for its nodes."""
    ready = [item for item in endpoints if item.ready]
    if not ready or not all(item.hints.for_zones for item in ready) or unreadable(store.nodes):
        return
    nodes = Counter(node.zone for node in store.nodes if node.ready is True and node.zone)
    served = Counter(hint.name for item in ready for hint in item.hints.for_zones)
    bare = [zone for zone in sorted(nodes) if not served[zone]]
    shares = {zone: nodes[zone] / served[zone] for zone in nodes if served[zone]}
    heavy = max(shares, key=lambda zone: shares[zone], default="")
    if bare:
        said = f"no ready endpoint is meant for zone {bare[0]}, in which {nodes[bare[0]]} nodes are"
    elif heavy and shares[heavy] >= _UNEVEN * min(shares.values()):
        said = f"{served[heavy]} endpoints are meant for {nodes[heavy]} nodes in zone {heavy}: far fewer than elsewhere"
    else:
        return
    counts = ", ".join(f"{zone}: {served[zone]}" for zone in sorted(nodes))
    yield Finding(
        id="S17",
        subject=service.ref,
        summary=f"Service {service.id}: {said}",
        proof=Proof.HINT,
        evidence=(
            Evidence(".endpoints[].hints.forZones", counts, service.ref),
            Evidence(".spec.trafficDistribution", service.traffic_distribution or "(not set)", service.ref),
        ),
        confirm=kubectl.listing("EndpointSlice", service.namespace, f"kubernetes.io/service-name={service.name}"),
        fix="remove trafficDistribution and topology annotations, or run as many Pods in each zone",
    )


def _affinity(service: Service) -> Iterator[Finding]:
    """S19: affinity by client address, where nodes translate the address of clients from outside."""
    local = service.external_traffic_policy == "Local"
    if service.session_affinity != "ClientIP" or service.type != "LoadBalancer" or local:
        return
    yield Finding(
        id="S19",
        subject=service.ref,
        summary=f"Service {service.id} keeps clients to a Pod by address, and nodes write their own into the packets",
        proof=Proof.HINT,
        evidence=(
            Evidence(".spec.sessionAffinity", "ClientIP", service.ref),
            Evidence(".spec.externalTrafficPolicy", service.external_traffic_policy or "Cluster", service.ref),
        ),
        confirm=kubectl.show(service.ref, ".spec.sessionAffinity"),
        fix="keep clients to a Pod by a cookie at the ingress, or set externalTrafficPolicy: Local",
    )


def _without_probe(store: Store, balancer: LoadBalancer) -> Iterator[Finding]:
    """L18: a rule without a probe, and a node behind it that is not ready: it goes on to get its share."""
    frontends = {item.id: item for item in balancer.frontend_ip_configurations}
    for index, rule in enumerate(balancer.load_balancing_rules):
        frontend = frontends.get(rule.frontend_ip_configuration.id)
        if (rule.probe is not None and rule.probe.arm_id) or frontend is None:
            continue
        found = Found(balancer, frontend)
        if container_native(found):
            continue
        nodes, _ = pool_step(store, found, rule, service_of(store, found), Packet())
        dead = [node for node in nodes if node.ready is not True]
        if dead and len(nodes) >= _SHARES:
            yield _dead(found, rule, index, dead, len(nodes))


def _dead(found: Found, rule: LoadBalancingRule, index: int, dead: list[Node], count: int) -> Finding:
    ref = found.balancer.ref
    return Finding(
        id="L18",
        subject=ref,
        summary=f"rule {rule.name} ({rule.protocol} {rule.frontend_port}) has no probe: {len(dead)} of {count} "
        "nodes are not ready and get their share",
        proof=Proof.HINT,
        evidence=(
            Evidence(f".loadBalancingRules[{index}].probe", "(none)", ref),
            *(Evidence(".status.conditions[?(@.type=='Ready')].status", "not True", node.ref) for node in dead[:1]),
        ),
        related=tuple(node.ref for node in dead[:5]),
        confirm=confirm(found, "rule"),
        fix="give the Service a TCP port, whose probe this rule can use, or remove annotation no_probe_rule",
    )


def _deny_all(store: Store) -> Iterator[Finding]:
    """N10: what the cloud provider's deny-all rule holds, and what the Services ask for, differ.

    Only addresses of Services are compared, and only in the group that has rules of the cloud provider.
    """
    if unreadable(store.services) or unreadable(store.security_groups):
        return
    for group in store.security_groups:
        rules = [rule for rule in group.own_rules if rule.name.startswith(AKS_DENY)]
        if rules:
            yield from _in_group(store, group, rules)


def _in_group(store: Store, group: NetworkSecurityGroup, rules: list[SecurityRule]) -> Iterator[Finding]:
    listed = {text: rule for rule in rules for text in nsg_rules.destinations(rule)}
    for service in sorted(store.services, key=lambda row: row.id):
        for point in service.ingress_points:
            number = parse_address(point.ip)
            if service.type != "LoadBalancer" or number is None:
                continue
            sharing = [row for row in store.services_at(number) if row.type == "LoadBalancer"]
            if not all(keeps_address(row, ":" not in point.ip) for row in sharing) or sharing[0].id != service.id:
                continue
            asking = [row for row in sharing if _asks(row)]
            rule = listed.get(format_address(number)) or listed.get(point.ip)
            if len(sharing) >= _SHARES and bool(asking) is not bool(rule):
                yield _contradicts(group, rules[0], point.ip, sharing, asking)


def _asks(service: Service) -> bool:
    return is_true(service, _DENY_ALL) and bool(service.load_balancer_source_ranges or allowed_ranges(service))


def _contradicts(
    group: NetworkSecurityGroup, rule: SecurityRule, address: str, sharing: list[Service], asking: list[Service]
) -> Finding:
    names = ", ".join(row.id for row in sharing)
    said = "lacks it, and others than the ranges get in" if asking else "holds it, and none of them asks for that"
    told = asking or sharing
    return Finding(
        id="N10",
        subject=group.ref,
        summary=f"Services {names} share {address}: rule {rule.name} {said}",
        proof=Proof.PROVEN,
        evidence=(
            Evidence(
                f".securityRules[?name=='{rule.name}'].destinationAddressPrefixes",
                ", ".join(nsg_rules.destinations(rule)),
                group.ref,
            ),
            Evidence(field_of(_DENY_ALL), annotation(told[0], _DENY_ALL) or "(not set)", told[0].ref),
        ),
        related=tuple(row.ref for row in sharing),
        confirm=f"az network nsg show --ids {quote(group.arm_id)} --query securityRules",
        fix="upgrade the cluster, and touch each of the Services so that its rules are written again",
    )
