"""Which ports and which types of ICMP a rule names (layer 4).

Source: Cilium documentation, "Layer 4 Policies"; cilium pkg/policy/api/l4.go, icmp.go and pkg/policy/rule.go: a rule
that names ports does not admit ICMP, one that names neither ports nor types admits everything, and an element of
toPorts that lists no port names none.
"""

import msgspec

from aksnav.trace.packet import Packet
from aksnav.trace.policy.cilium.layer7 import Layer7, RequestSaid, judge_request
from aksnav.trace.policy.cilium.question import Json
from aksnav.trace.policy.rules import Target
from aksnav.trace.ternary import Answer, Unknown, some

ICMP = frozenset({"ICMP", "ICMPV6"})
PROTOCOLS = frozenset({"TCP", "UDP", "SCTP", "ANY"})
_ECHO = {"IPv4": frozenset({"8", "Echo", "EchoRequest"}), "IPv6": frozenset({"128", "EchoRequest"})}
_LAST = 65535


class PortsSaid(msgspec.Struct, frozen=True, gc=False):
    """Whether a rule names the port, why, and what it asks of the request behind it."""

    answer: Answer
    why: str
    request: RequestSaid = RequestSaid(True)


def invalid_port(port: Json) -> str:
    """Return why an element of ports is not valid, or an empty string."""
    if not isinstance(port, dict):
        return f"{port!r} is no object"
    protocol, text = str(port.get("protocol") or "ANY"), str(port.get("port") or "")
    if protocol not in PROTOCOLS:
        return f"protocol {protocol!r} is not one of TCP, UDP, SCTP, ANY"
    if not text:
        return "a port must be set"
    if text.isdecimal() and (int(text[:6]) > _LAST or (len(text) > 1 and text[0] == "0")):
        return f"{text!r} is not a port"
    last = port.get("endPort") or 0
    if not isinstance(last, int) or not 0 <= last <= _LAST:
        return f"endPort {last!r} is not a port"
    return ""


def ports_admit(rule: Json, target: Target, packet: Packet, end_port: Answer, *, v4: bool = True) -> PortsSaid:
    """Return what a rule says of the port and of the request.

    Args:
        rule: as the policy has it.
        target: the port at the destination.
        packet: the request in it.
        end_port: whether the Cilium that runs here reads endPort.
        v4: family of the connection.
    """
    if target.protocol.upper() in ICMP:
        return _icmp(rule, "IPv4" if v4 and target.protocol.upper() == "ICMP" else "IPv6")
    listed = rule.get("toPorts") or []
    if not listed:
        return PortsSaid(False, "icmps is for ICMP alone") if rule.get("icmps") else PortsSaid(True, "every port")
    told = [_element(item, target, packet, end_port) for item in listed]
    matching = [item for item in told if item.answer is True]
    if matching:
        return _best(matching)
    unsure = next((item for item in told if isinstance(item.answer, Unknown)), None)
    return unsure or PortsSaid(False, "; ".join(dict.fromkeys(item.why for item in told)))


def _best(matching: list[PortsSaid]) -> PortsSaid:
    """Of several elements that name the port, one that asks nothing of the request admits all of them."""
    plain = next(
        (item for item in matching if item.request.layer7 is Layer7.NONE and item.request.answer is True), None
    )
    if plain is not None:
        return plain
    answer = some(item.request.answer for item in matching)
    return next(item for item in matching if item.request.answer == answer)


def _icmp(rule: Json, family: str) -> PortsSaid:
    """ICMP here is an echo request, which is what ping sends."""
    if rule.get("toPorts"):
        return PortsSaid(False, "toPorts names ports, and ICMP has none")
    listed = rule.get("icmps") or []
    if not listed:
        return PortsSaid(True, "every protocol")
    fields = [field for item in listed for field in item.get("fields") or ()]
    found = any(field.get("family", "IPv4") == family and str(field.get("type")) in _ECHO[family] for field in fields)
    return PortsSaid(found, f"icmps {'names' if found else 'does not name'} an echo request of {family}")


def _element(item: Json, target: Target, packet: Packet, end_port: Answer) -> PortsSaid:
    ports = item.get("ports") or []
    if not ports:
        return PortsSaid(False, "an element of toPorts lists no port")
    answer = some(_port(port, target, end_port) for port in ports)
    told = ", ".join(_text(port) for port in ports)
    if answer is False:
        return PortsSaid(False, f"toPorts {told} is not {target.protocol} {target.port}")
    return PortsSaid(answer, f"toPorts {told}", judge_request(item, packet))


def _text(port: Json) -> str:
    last = f"-{port['endPort']}" if port.get("endPort") else ""
    return f"{port.get('protocol', 'ANY')} {port.get('port', '')}{last}"


def _port(port: Json, target: Target, end_port: Answer) -> Answer:
    protocol = str(port.get("protocol") or "ANY").upper()
    if protocol not in {"ANY", target.protocol}:
        return False
    text, last = str(port.get("port", "0")), port.get("endPort") or 0
    if not text.isdecimal():
        return _named(text.lower(), target)
    number = int(text)
    if number in {0, target.port}:
        return True
    if number < target.port <= last:
        return end_port
    return False


def _named(name: str, target: Target) -> bool:
    """A name is a container port's on the destination Pod; endPort is ignored beside it."""
    return any(
        declared.name == name and declared.port == target.port and declared.protocol == target.protocol
        for declared in target.declared or ()
    )
