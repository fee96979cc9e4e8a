"""One network security group: which rule decides a packet, and what stays unknown.

Source: Azure documentation, "Network security groups" and "How network security groups filter traffic"
(aks-networking.md, 3.1).
"""

from collections.abc import Iterable, Iterator
from itertools import product

import msgspec

from aksnav.model.addresses import format_address, is_v4, parse_prefix
from aksnav.model.azure.network import NetworkSecurityGroup, SecurityRule, SubResource
from aksnav.model.object import Ref
from aksnav.trace.azure import service_tags, tags
from aksnav.trace.azure.nsg_ports import port_ranges, ports_hold, source_ports_hold
from aksnav.trace.azure.tags import Space
from aksnav.trace.packet import Packet
from aksnav.trace.step import Considered, Evidence
from aksnav.trace.ternary import Answer, Unknown, every, some

ALLOW, DENY = "Allow", "Deny"
INBOUND, OUTBOUND = "Inbound", "Outbound"
_ACCESS = frozenset({ALLOW.lower(), DENY.lower()})
FIRST_DEFAULT = 65000
_MOST_ATOMS = 8
"""Open questions whose cases are gone through; beyond that, any rule that may decide otherwise counts."""


def _default(priority: int, direction: str, name: str, access: str, source: str, destination: str) -> SecurityRule:
    return SecurityRule(
        name=name,
        priority=priority,
        direction=direction,
        access=access,
        protocol="*",
        source_address_prefix=source,
        source_port_range="*",
        destination_address_prefix=destination,
        destination_port_range="*",
    )


DEFAULTS = (
    _default(65000, INBOUND, "AllowVnetInBound", ALLOW, "VirtualNetwork", "VirtualNetwork"),
    _default(65001, INBOUND, "AllowAzureLoadBalancerInBound", ALLOW, "AzureLoadBalancer", "*"),
    _default(65500, INBOUND, "DenyAllInBound", DENY, "*", "*"),
    _default(65000, OUTBOUND, "AllowVnetOutBound", ALLOW, "VirtualNetwork", "VirtualNetwork"),
    _default(65001, OUTBOUND, "AllowInternetOutBound", ALLOW, "*", "Internet"),
    _default(65500, OUTBOUND, "DenyAllOutBound", DENY, "*", "*"),
)


class Context(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the rules are asked with, besides the packet.

    Attributes:
        space: what the tag VirtualNetwork holds here.
        source_groups, destination_groups: ids of the application security groups of either end; None where they are
            not known, with the reason in ``groups_unsure``.
        frontend: the destination is a load balancer's frontend, which the interface does not have (floating IP).
    """

    space: Space = Space()
    source_groups: frozenset[str] | None = frozenset()
    destination_groups: frozenset[str] | None = frozenset()
    groups_unsure: str = ""
    frontend: bool = False


class RuleDecision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a group does with a packet.

    Attributes:
        access: Allow or Deny; empty where it cannot be decided.
        rule: the rule that decides; where it is undecided, the first whose matching is not known.
        unknown: what would have to be known, where it is undecided.
        considered: every rule of the direction in the order of evaluation, up to the one that decides.
        assumed: in which sources any client of the internet is taken not to be: a rule decides otherwise for those.
    """

    access: str
    rule: SecurityRule | None
    unknown: str = ""
    considered: tuple[Considered, ...] = ()
    assumed: tuple[str, ...] = ()


def rules(group: NetworkSecurityGroup, direction: str) -> list[SecurityRule]:
    """Return the rules of a direction in the order of evaluation; Azure's default rules where the group omits them.

    A rule that does not say its direction may be of either, one without a priority may stand before all others.
    """
    defaults = group.default_security_rules
    listed = (*group.own_rules, *(defaults or DEFAULTS))
    wanted = direction.lower()
    return sorted((rule for rule in listed if rule.direction.lower() in {wanted, ""}), key=lambda rule: rule.priority)


def evaluate(group: NetworkSecurityGroup, direction: str, packet: Packet, context: Context) -> RuleDecision:
    """Return what a group does with the first packet of a flow.

    The first rule that matches decides. A rule whose matching is not known decides only together with what comes
    after it: where both say the same it does not matter, else the answer is undecided.

    Args:
        group: the network security group.
        direction: Inbound or Outbound.
        packet: as the interface sees it (aks-networking.md, T1); source None is any client of the internet.
        context: tags and application security groups.
    """
    return _untold(group) or decide(rules(group, direction), packet, context)


def _untold(group: NetworkSecurityGroup) -> RuleDecision | None:
    """Return the decision of a group that does not say which rules it has, or None."""
    if group.security_rules is not None:
        return None
    return RuleDecision(access="", rule=None, unknown=f"the securityRules of group {group.name} are not told")


def of_platform(group: NetworkSecurityGroup, packet: Packet, context: Context) -> RuleDecision | None:
    """Return what a group does with a packet to the platform's own addresses; None: it is exempt.

    Only rules that name one of the platform's tags are asked ("Azure platform considerations").
    """
    untold = _untold(group)
    if untold is not None:
        return untold
    asked = [
        rule
        for rule in rules(group, OUTBOUND)
        if any(service_tags.folded(text) in service_tags.PLATFORM_TAGS for text in destinations(rule))
        and matches(rule, packet, context) is not False
    ]
    return decide(asked, packet, context) if asked else None


def decide(listed: Iterable[SecurityRule], packet: Packet, context: Context) -> RuleDecision:
    """Return what rules in the order of evaluation do with a packet; where none matches it is denied."""
    considered: list[Considered] = []
    unsure: list[_Unsure] = []
    narrower: list[SecurityRule] = []
    for rule in listed:
        answers = _answers(rule, packet, context)
        name = f"{rule.priority} {rule.name}"
        wrong = next((part for part, answer in answers.items() if answer is False), "")
        if wrong:
            considered.append(Considered(name, False, _why_not(rule, packet, wrong)))
            if packet.source is None and _for_some(rule, answers, packet):
                narrower.append(rule)
            continue
        open_parts = {part: answer for part, answer in answers.items() if isinstance(answer, Unknown)}
        if open_parts:
            why = next(iter(open_parts.values())).why
            considered.append(Considered(name, False, why))
            unsure.append(_Unsure(rule, why, frozenset(_atom(rule, part) for part in open_parts)))
            continue
        against = _against(unsure, rule.access)
        if against is not None:
            considered.append(Considered(name, False, "would decide, if no rule before it does"))
            return RuleDecision(access="", rule=against.rule, unknown=against.why, considered=tuple(considered))
        considered.append(Considered(name, True, f"matches: {rule.access.lower()}"))
        access = ALLOW if rule.access.lower() == ALLOW.lower() else DENY
        assumed = tuple(
            f"the client is not in {', '.join(sources(item))}: rule {item.priority} {item.name} decides otherwise there"
            for item in narrower
            if item.access.lower() != rule.access.lower()
        )
        return RuleDecision(access=access, rule=rule, considered=tuple(considered), assumed=assumed)
    may = _against(unsure, DENY)
    if may is not None:
        return RuleDecision(access="", rule=may.rule, unknown=may.why, considered=tuple(considered))
    return RuleDecision(access=DENY, rule=None, considered=tuple(considered))


def _answers(rule: SecurityRule, packet: Packet, context: Context) -> dict[str, Answer]:
    """Return what the parts of a rule say of a packet, up to the first that does not match.

    Where that is the source, and the packet any client's, the destination is asked all the same: the rule may be one
    for some clients.
    """
    answers: dict[str, Answer] = {}
    for part, answer in parts(rule, packet, context):
        answers[part] = answer
        if answer is False and (part != "source" or packet.source is not None):
            break
    return answers


class _Unsure(msgspec.Struct, frozen=True, gc=False):
    """A rule whose matching is not known: it matches where everything that is open about it (``atoms``) is so."""

    rule: SecurityRule
    why: str
    atoms: frozenset[tuple[object, ...]]


def _atom(rule: SecurityRule, part: str) -> tuple[object, ...]:
    """Return what is open about one part of a rule: rules that say the same there match or do not match together."""
    match part:
        case "source":
            return (
                part,
                frozenset(sources(rule)),
                frozenset(item.id for item in rule.source_application_security_groups),
            )
        case "destination":
            groups = frozenset(item.id for item in rule.destination_application_security_groups)
            return part, frozenset(destinations(rule)), groups
        case "source port":
            return part, frozenset(port_ranges((rule.source_port_range, *rule.source_port_ranges)))
        case "rule":
            return part, rule.id or rule.name
        case _:
            return part, frozenset(destination_ports(rule)), rule.protocol.lower()


def _against(unsure: list[_Unsure], access: str) -> _Unsure | None:
    """Return the first rule that may decide otherwise than what comes after all of them; None where none can.

    Every case of what is open is gone through: a rule behind one that is open for the same reason never decides.
    """
    contrary = [item for item in unsure if item.rule.access.lower() != access.lower()]
    atoms = sorted({atom for item in unsure for atom in item.atoms}, key=str)
    if not contrary or len(atoms) > _MOST_ATOMS:
        return contrary[0] if contrary else None
    found = set()
    for case in product((False, True), repeat=len(atoms)):
        true = {atom for atom, value in zip(atoms, case, strict=True) if value}
        first = next((number for number, item in enumerate(unsure) if item.atoms <= true), None)
        if first is not None and unsure[first] in contrary:
            found.add(first)
    return unsure[min(found)] if found else None


def _for_some(rule: SecurityRule, answers: dict[str, Answer], packet: Packet) -> bool:
    """Return whether a rule matches for some clients of the internet and not for all: a source that it names."""
    wrong = {name for name, answer in answers.items() if answer is False}
    v4 = family_v4(packet)
    return wrong == {"source"} and any(_of_family(text, v4) and tags.is_of_internet(text) for text in sources(rule))


def _of_family(text: str, v4: bool) -> bool:
    """Return whether a source can hold clients of a family: a tag may, a prefix holds those of its own."""
    prefix = parse_prefix(text)
    return prefix is None or prefix.v4 == v4


def matches(rule: SecurityRule, packet: Packet, context: Context) -> Answer:
    """Return whether a rule matches a packet: protocol, both addresses and both ports."""
    return every(answer for _, answer in parts(rule, packet, context))


def parts(rule: SecurityRule, packet: Packet, context: Context) -> Iterator[tuple[str, Answer]]:
    """Yield what each part of a rule says of a packet, cheapest first."""
    yield "protocol", _protocol(rule, packet)
    yield "destination port", _destination_port(rule, packet)
    yield "source port", _source_port(rule, packet)
    yield "source", _source(rule, packet, context)
    yield "destination", _destination(rule, packet, context)
    yield "rule", _said(rule)


def _protocol(rule: SecurityRule, packet: Packet) -> Answer:
    if not rule.protocol:
        return Unknown(f"rule {rule.name} does not say its protocol")
    return rule.protocol.lower() in {"*", "any", packet.protocol.lower()}


def _said(rule: SecurityRule) -> Answer:
    """Return whether a rule says what every rule says: a file that was cut or written by hand may lack it."""
    if rule.access.lower() not in _ACCESS:
        return Unknown(f"rule {rule.name} has access {rule.access or '(not said)'}")
    missing = "its direction" if not rule.direction else "" if rule.priority else "its priority"
    return Unknown(f"rule {rule.name} does not say {missing}") if missing else True


def _why_not(rule: SecurityRule, packet: Packet, part: str) -> str:
    """Return why a part of a rule does not match, with both values."""
    if part == "source":
        told = format_address(packet.source) if packet.source is not None else "any client of the internet"
        narrower = packet.source is None and any(parse_prefix(text) for text in sources(rule))
        note = ": it depends on the client" if narrower else ""
        return f"source {', '.join(sources(rule)) or '(application security group)'} does not hold {told}{note}"
    if part == "destination":
        told = format_address(packet.destination) if packet.destination is not None else "the destination"
        return f"destination {', '.join(destinations(rule)) or '(application security group)'} does not hold {told}"
    if part == "destination port":
        ports = (rule.destination_port_range, *rule.destination_port_ranges)
        return f"destination port {', '.join(filter(None, ports))} does not hold {packet.port}"
    return (
        f"protocol {rule.protocol} is not {packet.protocol}" if part == "protocol" else "the source port does not match"
    )


def sources(rule: SecurityRule) -> tuple[str, ...]:
    """Return the source prefixes and tags of a rule, of both forms."""
    return tuple(filter(None, (rule.source_address_prefix, *rule.source_address_prefixes)))


def destinations(rule: SecurityRule) -> tuple[str, ...]:
    """Return the destination prefixes and tags of a rule, of both forms."""
    return tuple(filter(None, (rule.destination_address_prefix, *rule.destination_address_prefixes)))


def source_ports(rule: SecurityRule) -> tuple[str, ...]:
    """Return the source ports of a rule, of both forms; empty where it takes every one."""
    listed = tuple(filter(None, (rule.source_port_range, *rule.source_port_ranges)))
    return () if "*" in listed else listed


def end_facts(rule: SecurityRule, field: str, group: Ref) -> tuple[Evidence, ...]:
    """Return the fields of a rule that say from where and whereto: prefixes and tags, or application groups.

    Args:
        rule: a rule of the group.
        field: its path in the group.
        group: where it stands.
    """
    sides = (
        ("source", sources(rule), rule.source_application_security_groups),
        ("destination", destinations(rule), rule.destination_application_security_groups),
    )
    facts = [
        Evidence(f"{field}.{side}ApplicationSecurityGroups", ", ".join(item.arm_id for item in groups), group)
        if groups
        else Evidence(f"{field}.{side}AddressPrefix", ", ".join(listed), group)
        for side, listed, groups in sides
    ]
    ports = source_ports(rule)
    return (*facts, *((Evidence(f"{field}.sourcePortRange", ", ".join(ports), group),) if ports else ()))


def destination_ports(rule: SecurityRule) -> list[tuple[int, int]]:
    """Return the destination ports of a rule as ranges."""
    return port_ranges((rule.destination_port_range, *rule.destination_port_ranges))


def _destination_port(rule: SecurityRule, packet: Packet) -> Answer:
    texts = tuple(filter(None, (rule.destination_port_range, *rule.destination_port_ranges)))
    if not texts:
        return Unknown(f"rule {rule.name} does not say its destination ports")
    return ports_hold(texts, packet, rule.protocol)


def _source_port(rule: SecurityRule, packet: Packet) -> Answer:
    return source_ports_hold((rule.source_port_range, *rule.source_port_ranges), packet, rule.protocol)


def _source(rule: SecurityRule, packet: Packet, context: Context) -> Answer:
    v4, groups = family_v4(packet), rule.source_application_security_groups
    if not groups and not sources(rule):
        return Unknown(f"rule {rule.name} does not say its source")
    return some(
        (
            tags.match(sources(rule), packet.source, v4, context.space),
            _in_groups(groups, context.source_groups, context),
        )
    )


def _destination(rule: SecurityRule, packet: Packet, context: Context) -> Answer:
    groups = rule.destination_application_security_groups
    if not groups and not destinations(rule):
        return Unknown(f"rule {rule.name} does not say its destination")
    if groups and context.frontend:
        # aks-networking.md, section 8, point 1: whether membership of the interface counts is documented nowhere.
        by_group: Answer = Unknown(
            "an application security group as destination of load-balanced traffic with floating IP is not documented"
        )
    else:
        by_group = _in_groups(groups, context.destination_groups, context)
    if packet.destination is None:
        return some((Unknown("the destination address is not known"), by_group))
    return some((tags.match(destinations(rule), packet.destination, family_v4(packet), context.space), by_group))


def _in_groups(wanted: tuple[SubResource, ...], own: frozenset[str] | None, context: Context) -> Answer:
    if not wanted:
        return False
    if own is None:
        return Unknown(context.groups_unsure or "the application security groups of that end are not known")
    return any(item.id in own for item in wanted)


def family_v4(packet: Packet) -> bool:
    """Return whether a packet is of IPv4, by whichever address is known."""
    address = packet.destination if packet.destination is not None else packet.source
    return address is None or is_v4(address)
