"""Security groups, packets and address spaces of tests, from wire form."""

from typing import Any

from aksnav.model.addresses import Prefix, parse_address, parse_prefix
from aksnav.model.azure.network import NetworkSecurityGroup
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.trace.azure.nsg_rules import INBOUND, Context, RuleDecision, evaluate
from aksnav.trace.azure.tags import Space
from aksnav.trace.packet import Packet
from tests.unit.trace_edge.world import ARM, address

Rule = dict[str, Any]
WEB, JOBS = f"{ARM}/applicationSecurityGroups/web".lower(), f"{ARM}/applicationSecurityGroups/jobs".lower()


def blocks(*texts: str) -> tuple[Prefix, ...]:
    """Return prefixes of text."""
    return tuple(prefix for prefix in map(parse_prefix, texts) if prefix is not None)


SPACE = Space(prefixes=blocks("10.224.0.0/12", "10.1.0.0/16", "fd00:10::/48"))


def group(*rules: Rule, defaults: list[Rule] | None = None) -> NetworkSecurityGroup:
    """Return a group with these rules; what a rule does not say is every value, inbound, allow."""
    listed = []
    for number, rule in enumerate(rules):
        full = {
            "priority": 100 + number, "direction": "Inbound", "access": "Allow", "protocol": "*",
            "sourcePortRange": "*", "destinationPortRange": "*",
            "sourceAddressPrefix": "*", "destinationAddressPrefix": "*", **rule,
        }  # fmt: skip
        listed.append({"name": f"r{number}", "properties": full})
    properties: Rule = {"securityRules": listed}
    if defaults is not None:
        properties["defaultSecurityRules"] = [
            {"name": f"d{number}", "properties": rule} for number, rule in enumerate(defaults)
        ]
    made = decode_wire(
        KINDS["networkSecurityGroups"],
        {"id": f"{ARM}/networkSecurityGroups/nsg", "name": "nsg", "properties": properties},
    )
    assert isinstance(made, NetworkSecurityGroup)
    return made


def packet(source: str, destination: str, port: int, protocol: str = "TCP") -> Packet:
    """Return a packet; source ``internet`` is any client."""
    return Packet(source=parse_address(source), destination=address(destination), port=port, protocol=protocol)


def ask(rules: list[Rule], what: Packet, direction: str = INBOUND, **context: Any) -> RuleDecision:
    """Return what a group decides."""
    return evaluate(group(*rules), direction, what, Context(**{"space": SPACE, **context}))


def to(*names: str) -> Rule:
    """Return the destination of a rule: application security groups."""
    return {"destinationAddressPrefix": "", "destinationApplicationSecurityGroups": [{"id": name} for name in names]}


def of(*names: str) -> Rule:
    """Return the source of a rule: application security groups."""
    return {"sourceAddressPrefix": "", "sourceApplicationSecurityGroups": [{"id": name} for name in names]}
