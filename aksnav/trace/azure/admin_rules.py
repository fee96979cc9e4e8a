"""Security admin rules of Azure Virtual Network Manager: they are asked before every security group.

Allow leaves the decision to the groups, AlwaysAllow and Deny end it. Which rules are in effect on a virtual network is
told by a POST alone (listNetworkManagerEffectiveSecurityAdminRules), so they are known where a capture holds the answer
of ``az network manager list-effective-security-admin-rule``, or where the user asked for it, for some minutes. No list
of network managers rules them out: one with the scope of a management group may stand in any subscription. Where they
are not read, whatever security groups are said to do is assumed; where they were, and it was long ago, as well.

Source: Azure documentation, "Security admin rules in Azure Virtual Network Manager".
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from shlex import quote

import msgspec

from aksnav.model.azure.admin import AddressItem, SecurityAdminRule
from aksnav.model.azure.network import VirtualNetwork
from aksnav.trace.azure import tags
from aksnav.trace.azure.commands import located
from aksnav.trace.azure.nsg_ports import ports_hold, source_ports_hold
from aksnav.trace.azure.nsg_rules import INBOUND, Context, family_v4
from aksnav.trace.azure.tags import Space
from aksnav.trace.packet import Packet
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict
from aksnav.trace.ternary import Answer, Unknown, every, some

SURE = "--confirm, or C on the trace, asks Azure"
ALLOW, ALWAYS, DENY = "allow", "alwaysallow", "deny"
_SAID = {
    ALLOW: "allows {told}: the security groups decide",
    ALWAYS: "always allows {told}: no security group is asked",
    DENY: "denies {told}",
}


class AdminDecision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the admin rules of a virtual network do with a packet.

    Attributes:
        access: ``allow`` (the groups decide; also where no rule matches), ``alwaysallow`` or ``deny``; empty where it
            cannot be decided.
        rule: the rule that decides, or the first whose matching is not known; None where none matches.
        unknown: what would have to be known.
        considered: the rules of the direction, in the order of evaluation of each manager.
        assumed: in which sources any client of the internet is taken not to be.
    """

    access: str
    rule: SecurityAdminRule | None = None
    unknown: str = ""
    considered: tuple[Considered, ...] = ()
    assumed: tuple[str, ...] = ()


class Judged(msgspec.Struct, frozen=True, gc=False):
    """The step of a network's admin rules, None where none is in effect; and the rule that always allows, if any."""

    step: Step | None
    always: str


def assumed(network: VirtualNetwork) -> str:
    """Return the assumption on which everything stands that security groups of a network do, or an empty string."""
    if network.effective_security_admin_rules is None:
        return (
            f"no security admin rule of Azure Virtual Network Manager decides in {network.name}: they are not read; "
            f"{SURE} ({command(network)})"
        )
    if network.admin_rules_old:
        return (
            f"the security admin rules of {network.name} are still those as of {as_of(network)}; {SURE} again "
            f"({command(network)})"
        )
    return ""


def as_of(network: VirtualNetwork) -> str:
    """Return when Azure was asked for the admin rules of a network; empty where that is not said."""
    at = network.admin_rules_as_of
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else ""


def command(network: VirtualNetwork) -> str:
    """Return the command that tells which admin rules are in effect on a virtual network."""
    return (
        f"az network manager list-effective-security-admin-rule {located(network.arm_id or network.id)} "
        f"--virtual-network-name {quote(network.name)}"
    )


def evaluate(rules: Iterable[SecurityAdminRule], direction: str, packet: Packet, context: Context) -> AdminDecision:
    """Return what admin rules do with the first packet of a flow.

    Within a manager the smallest number that matches decides. Of two managers the one with the wider scope decides,
    and the answer of Azure does not say which that is: where they differ, it is undecided.

    Args:
        rules: in effect on the virtual network.
        direction: Inbound or Outbound.
        packet: as the interface sees it, as for security groups.
        context: what the tags hold.
    """
    asked = [rule for rule in rules if rule.direction.lower() in {direction.lower(), ""}]
    asked.sort(key=lambda rule: (rule.manager, rule.priority))
    found = [
        _of_manager(list(listed), packet, context.space) for _, listed in groupby(asked, key=lambda rule: rule.manager)
    ]
    considered = tuple(note for item in found for note in item.considered)
    assumed = tuple(line for item in found for line in item.assumed)
    decided = [item for item in found if item.rule is not None]
    first = next((item for item in decided if not item.access), decided[0] if decided else None)
    if first is None:
        return AdminDecision(access=ALLOW, considered=considered, assumed=assumed)
    if any(item.access != first.access for item in decided):
        managers = " and ".join(sorted({_manager(item.rule) for item in decided if item.rule is not None}))
        why = first.unknown or f"{managers} decide differently, and which of them has the wider scope is not read"
        return AdminDecision(access="", rule=first.rule, unknown=why, considered=considered)
    return msgspec.structs.replace(first, considered=considered, assumed=assumed)


def _manager(rule: SecurityAdminRule | None) -> str:
    return f"network manager {rule.manager.rpartition('/')[2]}" if rule is not None else ""


def _of_manager(rules: list[SecurityAdminRule], packet: Packet, inside: Space) -> AdminDecision:
    considered: list[Considered] = []
    unsure: list[tuple[SecurityAdminRule, str]] = []
    narrower: list[SecurityAdminRule] = []
    for _, same in groupby(rules, key=lambda rule: rule.priority):
        sure: list[SecurityAdminRule] = []
        for rule in same:
            answer = _matches(rule, packet, inside)
            name = f"admin {rule.priority} {rule.name}"
            if isinstance(answer, Unknown):
                considered.append(Considered(name, False, answer.why))
                unsure.append((rule, answer.why))
            elif answer:
                considered.append(Considered(name, True, f"matches: {rule.access}"))
                sure.append(rule)
            else:
                considered.append(Considered(name, False, _why_not(rule, packet, inside)))
                if packet.source is None and _for_some(rule, packet, inside):
                    narrower.append(rule)
        if sure:
            return _decided(sure, unsure, narrower, considered)
    may = next((item for item in unsure if item[0].access.lower() != ALLOW), None)
    if may is not None:
        return AdminDecision(access="", rule=may[0], unknown=may[1], considered=tuple(considered))
    return AdminDecision(access=ALLOW, considered=tuple(considered), assumed=_narrowed(narrower, ALLOW))


def _decided(
    sure: list[SecurityAdminRule],
    unsure: list[tuple[SecurityAdminRule, str]],
    narrower: list[SecurityAdminRule],
    considered: list[Considered],
) -> AdminDecision:
    """Return the decision of the first rules that match for certain; those of one number have no order."""
    rule = sure[0]
    access = rule.access.lower()
    other = next((item for item in sure if item.access.lower() != access), None)
    against = next((item for item in unsure if item[0].access.lower() != access), None)
    if other is not None:
        why = f"{rule.name} and {other.name} have the same priority {rule.priority}, and decide differently"
        return AdminDecision(access="", rule=rule, unknown=why, considered=tuple(considered))
    if against is not None:
        return AdminDecision(access="", rule=against[0], unknown=against[1], considered=tuple(considered))
    return AdminDecision(access=access, rule=rule, considered=tuple(considered), assumed=_narrowed(narrower, access))


def _narrowed(narrower: list[SecurityAdminRule], access: str) -> tuple[str, ...]:
    return tuple(
        f"the client is not in {_texts(rule.sources)}: admin rule {rule.priority} {rule.name} decides otherwise there"
        for rule in narrower
        if rule.access.lower() != access
    )


def _for_some(rule: SecurityAdminRule, packet: Packet, inside: Space) -> bool:
    """Return whether a rule matches some clients of the internet and not all."""
    wrong = {name for name, answer in _parts(rule, packet, inside) if answer is False}
    return wrong == {"source"} and any(tags.is_of_internet(item.address_prefix) for item in rule.sources)


def _matches(rule: SecurityAdminRule, packet: Packet, inside: Space) -> Answer:
    return every(answer for _, answer in _parts(rule, packet, inside))


def _parts(rule: SecurityAdminRule, packet: Packet, inside: Space) -> Iterable[tuple[str, Answer]]:
    yield "protocol", rule.protocol.lower() in {"any", "*", packet.protocol.lower()}
    ports = tuple(filter(None, rule.destination_port_ranges)) or ("*",)
    yield "destination port", ports_hold(ports, packet, rule.protocol)
    yield "source port", source_ports_hold(rule.source_port_ranges, packet, rule.protocol)
    yield "source", _end(rule.sources, packet.source, packet, inside)
    yield "destination", _destination(rule, packet, inside)
    yield "rule", _said(rule)


def _said(rule: SecurityAdminRule) -> Answer:
    """Return whether a rule says what every rule says: a file that was cut or written by hand may lack it."""
    if rule.access.lower() not in _SAID:
        return Unknown(f"admin rule {rule.name} has access {rule.access or '(not said)'}")
    missing = "its direction" if not rule.direction else "" if rule.priority else "its priority"
    return Unknown(f"admin rule {rule.name} does not say {missing}") if missing else True


def _destination(rule: SecurityAdminRule, packet: Packet, inside: Space) -> Answer:
    everything = not rule.destinations or any(item.address_prefix == "*" for item in rule.destinations)
    if packet.destination is None and not everything:
        return Unknown("the destination address is not known")
    return True if everything else _end(rule.destinations, packet.destination, packet, inside)


def _end(items: tuple[AddressItem, ...], address: int | None, packet: Packet, inside: Space) -> Answer:
    if not items:
        return True
    groups = [item for item in items if item.address_prefix_type.lower() == "networkgroup"]
    # az takes several prefixes in one item, separated by commas.
    texts = [
        text.strip() for item in items if item not in groups for text in item.address_prefix.split(",") if text.strip()
    ]
    known = tags.match(texts, address, family_v4(packet), inside)
    if groups:
        name = groups[0].address_prefix.rpartition("/")[2]
        return some((known, Unknown(f"which virtual networks are in network group {name} is not read")))
    return known


def _texts(items: tuple[AddressItem, ...]) -> str:
    return ", ".join(item.address_prefix for item in items) or "*"


def _why_not(rule: SecurityAdminRule, packet: Packet, inside: Space) -> str:
    part = next((name for name, answer in _parts(rule, packet, inside) if answer is False), "")
    wanted = {
        "protocol": rule.protocol,
        "destination port": ", ".join(rule.destination_port_ranges),
        "source port": ", ".join(rule.source_port_ranges),
        "source": _texts(rule.sources),
        "destination": _texts(rule.destinations),
    }
    return f"{part} {wanted.get(part, '')} does not match"


def judge(network: VirtualNetwork, direction: str, packet: Packet, context: Context, told: str) -> Judged:
    """Return what the admin rules of a network do with a packet.

    Args:
        network: of the interface that sends or takes the packet.
        direction: Inbound or Outbound.
        packet: as the interface sees it.
        context: what the tags hold.
        told: the packet in words.
    """
    rules = network.effective_security_admin_rules
    if not rules:
        return Judged(None, "")
    decision = evaluate(rules, direction, packet, context)
    verdict = {DENY: Verdict.DROP, "": Verdict.BLIND}.get(decision.access, Verdict.PASS)
    rule = decision.rule
    where = f"virtual network {network.name}, {direction.lower()}"
    if rule is None:
        summary = f"{where}: none of its security admin rules matches {told}"
    else:
        said = _SAID[decision.access].format(told=told) if decision.access else f"may or may not decide {told}"
        why = f": {decision.unknown}" if decision.unknown else ""
        summary = f"{where}: security admin rule {rule.priority} {rule.name} {said}{why}"
    made = Step(
        kind=Kind.ADMIN_RULE,
        verdict=verdict,
        summary=summary,
        subject=network.ref,
        version=network.etag,
        packet=packet,
        cause="N18" if verdict is Verdict.DROP else "",
        evidence=_facts(network, rule) if rule is not None else (),
        considered=decision.considered,
        assumptions=(*decision.assumed, *filter(None, (assumed(network),))),
        missing=decision.unknown,
        confirm=command(network),
        fix=_fix(rule, direction) if rule is not None and verdict is not Verdict.PASS else "",
    )
    return Judged(made, rule.name if rule is not None and decision.access == ALWAYS else "")


def _fix(rule: SecurityAdminRule, direction: str) -> str:
    end = "source" if direction == INBOUND else "destination"
    return f"ask the owner of {_manager(rule)} for an exception to {rule.name}, with this {end}"


def _facts(network: VirtualNetwork, rule: SecurityAdminRule) -> tuple[Evidence, ...]:
    number = (network.effective_security_admin_rules or ()).index(rule)
    field = f".effectiveSecurityAdminRules[{number}]"
    asked = f", asked at {as_of(network)}" if network.admin_rules_as_of else ""
    note = f"priority {rule.priority}, {rule.direction.lower()}{asked}"
    return (
        Evidence(f"{field}.access", rule.access, network.ref, note),
        Evidence(f"{field}.sources", _texts(rule.sources), network.ref),
        Evidence(f"{field}.destinations", _texts(rule.destinations), network.ref),
        Evidence(f"{field}.destinationPortRanges", ", ".join(rule.destination_port_ranges) or "*", network.ref),
        Evidence(f"{field}.id", rule.arm_id, network.ref),
    )
