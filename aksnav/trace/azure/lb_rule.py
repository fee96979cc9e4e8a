"""The load-balancing rule of a packet: which takes it, and whether it is what the Service asks for.

Source: aks-networking.md 2.a, step 4: ports, floating IP, idle timeout, TCP reset.
"""

from collections.abc import Iterator

import msgspec

from aksnav.model.addresses import is_v4
from aksnav.model.azure.network import LoadBalancingRule
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.store.store import Store
from aksnav.trace.azure.frontend import (
    ANNOTATION,
    Found,
    annotation,
    confirm,
    container_native,
    floats,
    is_true,
    keeps_address,
    nat_rule_for,
    rules_of,
)
from aksnav.trace.azure.lb_annotations import IDLE, faults
from aksnav.trace.packet import Packet
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

_SHORTEST_IDLE = 4
_MOST_TOLD = 20
_SEVERAL = "azure-load-balancer-configurations"


def arriving(packet: Packet, rule: LoadBalancingRule, service: Service | None) -> Packet:
    """Return a packet as it comes to a node: with floating IP to the frontend, else to the node's own address."""
    if floats(rule, service, packet):
        return msgspec.structs.replace(packet, port=rule.backend_port or packet.port)
    return msgspec.structs.replace(packet, destination=None, port=rule.backend_port or packet.port)


def rule_step(
    store: Store,
    found: Found,
    rule: LoadBalancingRule | None,
    service: Service | None,
    port: ServicePort | None,
    packet: Packet,
) -> Step:
    """Return the step of the rule that takes a packet, or of its absence."""
    balancer = found.balancer
    told = f"{packet.protocol} {packet.port}"
    base = Step(
        kind=Kind.LB_RULE,
        verdict=Verdict.PASS,
        summary="",
        subject=balancer.ref,
        version=balancer.etag,
        packet=packet,
        confirm=confirm(found, "rule"),
    )
    if rule is None:
        return (
            _not_told(base, found, told) or _by_nat(base, found, packet) or _no_rule(base, found, service, port, told)
        )
    field = f".loadBalancingRules[?name=='{rule.name}']"
    facts = (
        Evidence(f"{field}.frontendPort", str(rule.frontend_port), balancer.ref),
        Evidence(f"{field}.backendPort", str(rule.backend_port), balancer.ref),
        Evidence(f"{field}.enableFloatingIP", _said(rule.enable_floating_ip), balancer.ref),
        Evidence(f"{field}.idleTimeoutInMinutes", str(rule.idle_timeout_in_minutes), balancer.ref),
        Evidence(f"{field}.enableTcpReset", str(rule.enable_tcp_reset).lower(), balancer.ref),
        Evidence(f"{field}.loadDistribution", rule.load_distribution or "Default", balancer.ref),
    )
    drift, breaks = _drift(found, rule, service, port, packet)
    return msgspec.structs.replace(
        base,
        verdict=Verdict.DROP if breaks else Verdict.PASS,
        summary=f"rule {rule.name} takes {told}" + (f", but {drift}" if drift else ""),
        packet_after=arriving(packet, rule, service),
        cause="L09" if breaks else "",
        evidence=facts,
        considered=(
            *((Considered("L09", False, drift),) if drift and not breaks else ()),
            *_notes(store, found, rule, service),
            *_others(found, rule),
        ),
        assumptions=_unsaid(rule),
        fix="touch the Service so that its rule is written again" if breaks else "",
    )


def _unsaid(rule: LoadBalancingRule) -> tuple[str, ...]:
    """Return what is taken for granted where a rule does not say to which address, or to which port, it sends."""
    lines = []
    if rule.enable_floating_ip is None:
        lines.append(f"rule {rule.name} writes the address that the Service wants: its enableFloatingIP is not said")
    if not rule.backend_port and rule.protocol.lower() != "all":
        lines.append(f"rule {rule.name} sends to the port that the Service wants: its backendPort is not said")
    return tuple(lines)


def _said(flag: bool | None) -> str:
    return "(not said)" if flag is None else str(flag).lower()


def _others(found: Found, rule: LoadBalancingRule) -> Iterator[Considered]:
    """Yield the other rules of the frontend, which take other packets."""
    others = [item for item in rules_of(found) if item is not rule]
    for item in others[:_MOST_TOLD]:
        yield Considered(f"rule {item.name}", decided=False, why=f"takes {item.protocol} {item.frontend_port}")
    if len(others) > _MOST_TOLD:
        yield Considered(f"{len(others) - _MOST_TOLD} more rules", decided=False, why="take other packets")


def _notes(store: Store, found: Found, rule: LoadBalancingRule, service: Service | None) -> Iterator[Considered]:
    """Yield what is to be known of a rule that works: idle connections (L20), a wish that is not carried out."""
    if rule.protocol.upper() == "TCP" and rule.idle_timeout_in_minutes <= _SHORTEST_IDLE and not rule.enable_tcp_reset:
        why = f"idle connections are cut after {rule.idle_timeout_in_minutes} minutes without a reset: clients wait"
        yield Considered("L20", decided=False, why=why)
    if service is None:
        return
    wanted = annotation(service, IDLE)
    if wanted.isdigit() and int(wanted) != rule.idle_timeout_in_minutes:
        why = f"annotation {IDLE} asks for {wanted} minutes, and the rule has {rule.idle_timeout_in_minutes}"
        yield Considered("L09", decided=False, why=why)
    balancers = {item.strip().lower() for item in annotation(service, _SEVERAL).split(",") if item.strip()}
    if balancers and found.balancer.name.lower().removesuffix("-internal") not in balancers:
        asked = ", ".join(sorted(balancers))
        why = f"it is on load balancer {found.balancer.name}, and annotation {_SEVERAL} names {asked}"
        yield Considered("L24", decided=False, why=why)
    for fault in faults(store, service):
        if fault.blocks:
            yield Considered(fault.cause, decided=False, why=f"{fault.said}: changes of the Service are not applied")


def _drift(
    found: Found, rule: LoadBalancingRule, service: Service | None, port: ServicePort | None, packet: Packet
) -> tuple[str, bool]:
    """Return how a rule contradicts its Service, and whether the packet is lost by it (L09)."""
    if service is None or port is None or rule.backend_port == 0:
        return "", False
    if container_native(found):
        target = port.target
        if isinstance(target, int) and rule.backend_port != target:
            return f"it sends to Pod port {rule.backend_port}, and the Service's targetPort is {target}", True
        return "", False
    floating = floats(rule, service, packet)
    if floating and rule.backend_port != port.port:
        return f"it sends to backend port {rule.backend_port}, and the Service listens on {port.port}", True
    if not floating and rule.backend_port != port.node_port:
        return f"it sends to node port {rule.backend_port}, and the Service's nodePort is {port.node_port}", True
    v4 = packet.destination is None or is_v4(packet.destination)
    if floating != keeps_address(service, v4):
        return f"enableFloatingIP is {_said(floating)}, against the Service's annotations", False
    return "", False


def _not_told(base: Step, found: Found, told: str) -> Step | None:
    """Return the blind step of a load balancer, or of rules, that do not tell what they take."""
    missing = ""
    if "loadBalancingRules" in found.balancer.untold:
        missing = f".loadBalancingRules of load balancer {found.balancer.name}"
    elif not found.frontend.id:
        missing = f"the id of frontend {found.frontend.name or '(unnamed)'} of load balancer {found.balancer.name}"
    else:
        missing = next(_loose(found), "")
    if not missing:
        return None
    summary = f"whether frontend {found.frontend.name} has a rule for {told} is not told"
    return msgspec.structs.replace(base, verdict=Verdict.BLIND, summary=summary, missing=missing)


def _loose(found: Found) -> Iterator[str]:
    """Yield what rules do not tell, any of which may be the one that takes the packet."""
    for rule in found.balancer.load_balancing_rules:
        if not rule.frontend_ip_configuration.arm_id:
            yield f".frontendIPConfiguration of rule {rule.name or '(unnamed)'}"
    for rule in rules_of(found):
        for field in ("frontendPort", "protocol"):
            if field in rule.untold:
                yield f".{field} of rule {rule.name or '(unnamed)'}"


def _by_nat(base: Step, found: Found, packet: Packet) -> Step | None:
    """Return the step of a packet that an inbound NAT rule takes: nothing of the cluster's writes or expects one."""
    rule = nat_rule_for(found, packet)
    if rule is None:
        return None
    field = f".inboundNatRules[?name=='{rule.name}']"
    what = f"inbound NAT rule {rule.name}"
    return msgspec.structs.replace(
        base,
        verdict=Verdict.UNSUPPORTED,
        summary=f"{what} takes {packet.protocol} {packet.port}: to which machine it leads is not followed",
        missing=f"the machine behind {what}",
        evidence=(
            Evidence(f"{field}.protocol", rule.protocol, found.balancer.ref),
            Evidence(f"{field}.backendPort", str(rule.backend_port), found.balancer.ref),
        ),
        confirm=confirm(found, "inbound-nat-rule"),
    )


def _no_rule(base: Step, found: Found, service: Service | None, port: ServicePort | None, told: str) -> Step:
    listed = ", ".join(f"{rule.protocol} {rule.frontend_port}" for rule in rules_of(found)) or "none"
    fact = Evidence(".loadBalancingRules[].frontendPort", listed, found.balancer.ref, f"no rule for {told}")
    summary = f"frontend {found.frontend.name} has no rule for {told}"
    if port is None:
        ports = ", ".join(f"{item.protocol} {item.port}" for item in service.ports) if service is not None else ""
        facts = (fact, Evidence(".spec.ports[].port", ports, service.ref)) if service is not None else (fact,)
        fix = "use a port that the Service has, or add the port to it"
        return msgspec.structs.replace(
            base, verdict=Verdict.DROP, summary=summary, cause="S20", evidence=facts, fix=fix
        )
    name = f"port_{port.port}_no_lb_rule"
    if service is not None and is_true(service, name):
        field = f".metadata.annotations['{ANNOTATION}{name}']"
        fact = Evidence(field, "true", service.ref, "asks for no rule")
        summary = f"{summary}: annotation {name}"
    return msgspec.structs.replace(
        base,
        verdict=Verdict.DROP,
        summary=summary,
        cause="L08",
        evidence=(fact,),
        fix="remove the annotation, or touch the Service so that its rule is written",
    )
