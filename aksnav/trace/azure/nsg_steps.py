"""What the security groups of one stretch do with a packet, told as steps: admin rules first, then layer by layer."""

from collections.abc import Sequence
from shlex import quote

import msgspec

from aksnav.model.addresses import format_address, is_v4
from aksnav.model.azure.network import NetworkSecurityGroup, VirtualNetwork
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure import admin_rules, nsg_causes
from aksnav.trace.azure.commands import located
from aksnav.trace.azure.joins import group_of
from aksnav.trace.azure.nsg_layers import Layer
from aksnav.trace.azure.nsg_rules import ALLOW, OUTBOUND, Context, RuleDecision, end_facts, evaluate, of_platform
from aksnav.trace.azure.service_tags import METADATA, PLATFORM
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale, unreadable
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

# What nodes send to these is exempt, unless a rule names the platform tags (aks-networking.md, 3.1).
_EXEMPT = frozenset({PLATFORM, METADATA})


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What the groups of a stretch are asked.

    Attributes:
        direction: Inbound or Outbound.
        packet: as they see it.
        seen: why they see it so, in our own words.
        context: tags and application security groups.
    """

    direction: str
    packet: Packet
    seen: str
    context: Context

    @property
    def told(self) -> str:
        """The tuple that rules have to match."""
        packet = self.packet
        return f"{packet.protocol} {_address(packet.source)} → {_address(packet.destination)}:{packet.port}"


def stretch(store: Store, network: VirtualNetwork | None, layers: Sequence[Layer], asked: Asked) -> list[Step]:
    """Return what admin rules and the groups of the layers do with a packet.

    Behind a step that drops the others are told as well, because they may be broken too. Where the admin rules of the
    network are not read, the step that drops, or else the first, assumes that there are none; where they were, long
    ago, that there still are.

    Args:
        store: what is known.
        network: whose admin rules are asked first; None where it is not known, and for what they do not apply to:
            private endpoints, and subnets of Application Gateway (Azure Virtual Network Manager, FAQ).
        layers: where groups stand, in the order in which they are asked.
        asked: the packet, and how they see it.
    """
    admin = (
        admin_rules.judge(network, asked.direction, asked.packet, asked.context, asked.told)
        if network is not None
        else admin_rules.Judged(None, "")
    )
    if admin.step is not None and admin.always:
        return [admin.step, *(_not_asked(store, layer, asked, admin.always) for layer in layers)]
    steps = [judge(store, layer, asked, network) for layer in layers]
    if admin.step is None:
        assumed = admin_rules.assumed(network) if network is not None else ""
        return _assuming(steps, (assumed,) if assumed else ())
    # A step of their own only where one of the rules has something to say.
    if admin.step.evidence or not steps:
        return [admin.step, *steps]
    steps[0] = msgspec.structs.replace(steps[0], considered=(*admin.step.considered, *steps[0].considered))
    return _assuming(steps, admin.step.assumptions)


def _assuming(steps: list[Step], lines: tuple[str, ...]) -> list[Step]:
    """Return groups' steps with what is assumed of the rules before them: on the one that drops, or else the first."""
    at = next((index for index, step in enumerate(steps) if step.verdict is Verdict.DROP), 0)
    return [
        msgspec.structs.replace(step, assumptions=(*lines, *step.assumptions)) if index == at and lines else step
        for index, step in enumerate(steps)
    ]


def judge(store: Store, layer: Layer, asked: Asked, network: VirtualNetwork | None = None) -> Step:
    """Return what one layer of the chain does with a packet."""
    packet, direction = asked.packet, asked.direction
    if layer.blind:
        return blind(layer, packet, layer.blind)
    if layer.found is None and (layer.group is None or not layer.group.arm_id):
        return _no_group(layer, asked)
    ident = layer.group.id if layer.group is not None else ""
    group = layer.found or store.security_groups.get(ident)
    if group is None:
        reason = store.security_groups.undecodable.get(ident)
        missing = (
            reason or unreadable(store.security_groups, group_of(ident)) or f"{ident.rpartition('/')[2]} is not there"
        )
        return blind(layer, packet, missing, ident)
    if direction == OUTBOUND and packet.destination in _EXEMPT:
        platform = of_platform(group, packet, asked.context)
        return _exempt(layer, group, asked) if platform is None else _decided(store, layer, group, asked, platform)
    decision = evaluate(group, direction, packet, asked.context)
    note = _admin_note(network)
    return _decided(
        store, layer, group, asked, msgspec.structs.replace(decision, considered=(*note, *decision.considered))
    )


def _admin_note(network: VirtualNetwork | None) -> tuple[Considered, ...]:
    """Return what is known of the rules that come before every group."""
    if network is None:
        return ()
    rules = network.effective_security_admin_rules
    if rules is None:
        return (Considered("security admin rules", False, "not read: they may deny or always allow before this"),)
    if not rules:
        asked = f" (asked at {admin_rules.as_of(network)})" if network.admin_rules_as_of else ""
        return (Considered("security admin rules", False, f"none is in effect on the virtual network{asked}"),)
    return ()


def _decided(store: Store, layer: Layer, group: NetworkSecurityGroup, asked: Asked, decision: RuleDecision) -> Step:
    rule = decision.rule
    name = f"rule {rule.priority} {rule.name}" if rule is not None else "the end of the rules"
    facts: tuple[Evidence, ...] = ()
    if rule is not None:
        field = _field(group, rule.name)
        facts = (
            Evidence(f"{field}.access", rule.access, group.ref, f"priority {rule.priority}, {rule.direction.lower()}"),
            *end_facts(rule, field, group.ref),
        )
    verdict = Verdict.BLIND if not decision.access else Verdict.PASS if decision.access == ALLOW else Verdict.DROP
    verb = {Verdict.PASS: "allows", Verdict.DROP: "denies"}.get(verdict, "may or may not decide")
    return Step(
        kind=Kind.NSG,
        verdict=verdict,
        summary=f"{layer.where}, {group.name}: {name} {verb} {asked.told}"
        + (f": {decision.unknown}" if decision.unknown else ""),
        subject=group.ref,
        version=group.etag,
        packet=asked.packet,
        evidence=(*facts, _tuple(layer, asked)),
        considered=decision.considered,
        assumptions=(
            *stale(store.security_groups, store.virtual_networks, store.interfaces, store.nodes),
            *filter(None, (layer.assumed,)),
            *decision.assumed,
        ),
        missing=decision.unknown,
        confirm=_confirm(group),
        fix=f"make the answer plain: let {name} name prefixes, and no source ports" if decision.unknown else "",
    )


def _tuple(layer: Layer, asked: Asked) -> Evidence:
    """Return the tuple that the group saw, and why it is that one."""
    return Evidence("packet", asked.told, layer.owner, asked.seen)


def _no_group(layer: Layer, asked: Asked) -> Step:
    return Step(
        kind=Kind.NSG,
        verdict=Verdict.PASS,
        summary=f"{layer.where} has no network security group: nothing is filtered",
        subject=layer.owner,
        packet=asked.packet,
        evidence=(Evidence(".networkSecurityGroup", "(none)", layer.owner),),
    )


def _not_asked(store: Store, layer: Layer, asked: Asked, rule: str) -> Step:
    """Return the step of a group that is not asked, because an admin rule always allows."""
    group = layer.found or (store.security_groups.get(layer.group.id) if layer.group is not None else None)
    named = f", {group.name}" if group is not None else ""
    return Step(
        kind=Kind.NSG,
        verdict=Verdict.SKIP,
        summary=f"{layer.where}{named}: not asked, because security admin rule {rule} always allows {asked.told}",
        subject=group.ref if group is not None else layer.owner,
        packet=asked.packet,
        evidence=(_tuple(layer, asked),),
    )


def _exempt(layer: Layer, group: NetworkSecurityGroup, asked: Asked) -> Step:
    fact = Evidence(".securityRules", "traffic of the platform addresses is exempt", group.ref)
    summary = f"{layer.where}, {group.name}: traffic with the platform's own address is not filtered"
    return Step(
        kind=Kind.NSG, verdict=Verdict.PASS, summary=summary, subject=group.ref, packet=asked.packet, evidence=(fact,)
    )


def blind(layer: Layer, packet: Packet, missing: str, ident: str = "") -> Step:
    """Return the step of a layer whose group cannot be asked."""
    return Step(
        kind=Kind.NSG,
        verdict=Verdict.BLIND,
        summary=f"{layer.where}: its network security group cannot be read",
        subject=Ref("networkSecurityGroups", ident) if ident else layer.owner,
        packet=packet,
        missing=missing,
        confirm="az network nsg list --query '[].id'",
        fix="grant Reader on the network resources (Microsoft.Network/*/read)",
    )


def with_cause(step: Step, cause: nsg_causes.Cause) -> Step:
    """Return a step with the fault of the catalogue that it shows."""
    return msgspec.structs.replace(
        step,
        cause=cause.id,
        summary=f"{step.summary}{cause.said}",
        evidence=(*step.evidence, *cause.evidence),
        fix=cause.fix,
    )


def _field(group: NetworkSecurityGroup, name: str) -> str:
    for number, rule in enumerate(group.own_rules):
        if rule.name == name:
            return f".securityRules[{number}]"
    for number, rule in enumerate(group.default_security_rules or ()):
        if rule.name == name:
            return f".defaultSecurityRules[{number}]"
    return f".defaultSecurityRules[?name=='{name}']"


def _confirm(group: NetworkSecurityGroup) -> str:
    return f"az network nsg rule list {located(group.id)} --nsg-name {quote(group.name)} --include-default -o table"


def _address(address: int | None) -> str:
    if address is None:
        return "Internet"
    text = format_address(address)
    return text if is_v4(address) else f"[{text}]"
