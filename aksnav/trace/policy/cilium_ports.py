"""CiliumNetworkPolicy: which ports a rule names (layer 4), and what it asks of the request behind (layer 7).

Source: Cilium documentation, "Layer 4 examples" and "Layer 7 examples". An HTTP rule turns the connection over to a
proxy that answers 403 to a request that no rule admits; patterns are regular expressions that match the whole value.
"""

from typing import Any

import msgspec

from aksnav.trace.packet import Packet
from aksnav.trace.policy.rules import Target
from aksnav.trace.routing.safe_regex import Refused, compile_safely
from aksnav.trace.ternary import Answer, Unknown, every, some

Json = dict[str, Any]
_ICMP = frozenset({"ICMP", "ICMPV6"})
_ECHO = {"IPv4": frozenset({"8", "EchoRequest"}), "IPv6": frozenset({"128", "EchoRequest"})}
_DNS = 53
_PLAIN = frozenset({"ports", "rules"})


class PortsSaid(msgspec.Struct, frozen=True, gc=False):
    """Whether a rule names the port, what it asks of the request, and why."""

    answer: Answer
    why: str
    request: Answer = True


def ports_admit(rule: Json, target: Target, packet: Packet) -> PortsSaid:
    """Return what a rule says of the port and of the request."""
    if target.protocol.upper() in _ICMP:
        return _icmp(rule, target.protocol.upper())
    listed = rule.get("toPorts") or []
    if not listed:
        if rule.get("icmps"):
            return PortsSaid(False, "the rule is for ICMP")
        return PortsSaid(True, "every port")
    told = [_element(item, target, packet) for item in listed]
    matching = [item for item in told if item.answer is True]
    if matching:
        # Of several elements that name the port, one that asks nothing of the request admits all of them.
        return PortsSaid(True, matching[0].why, some(item.request for item in matching))
    unsure = next((item for item in told if isinstance(item.answer, Unknown)), None)
    return unsure or PortsSaid(False, "; ".join(dict.fromkeys(item.why for item in told)))


def _icmp(rule: Json, protocol: str) -> PortsSaid:
    """ICMP here is an echo request, which is what ping sends."""
    if rule.get("toPorts"):
        return PortsSaid(False, "the rule names ports, and ICMP has none")
    listed = rule.get("icmps") or []
    family = "IPv4" if protocol == "ICMP" else "IPv6"
    if not listed:
        return PortsSaid(True, "every protocol")
    fields = [field for item in listed for field in item.get("fields") or ()]
    found = any(field.get("family", "IPv4") == family and str(field.get("type")) in _ECHO[family] for field in fields)
    return PortsSaid(found, f"icmps {'names' if found else 'does not name'} an echo request")


def _element(item: Json, target: Target, packet: Packet) -> PortsSaid:
    ports = item.get("ports") or []
    answer = some(_port(port, target) for port in ports) if ports else True
    told = ", ".join(_text(port) for port in ports) or "every port"
    if answer is False:
        return PortsSaid(False, f"toPorts {told} is not {target.protocol} {target.port}")
    special = sorted(name for name, value in item.items() if value and name not in _PLAIN)
    if special:
        return PortsSaid(answer, f"toPorts {told}", Unknown(f"toPorts.{special[0]} is not modelled"))
    return PortsSaid(answer, f"toPorts {told}", _request(item.get("rules") or {}, target, packet))


def _text(port: Json) -> str:
    last = f"-{port['endPort']}" if port.get("endPort") else ""
    return f"{port.get('protocol', 'ANY')} {port.get('port', '')}{last}"


def _port(port: Json, target: Target) -> Answer:
    protocol = str(port.get("protocol") or "ANY").upper()
    if protocol not in {"ANY", target.protocol}:
        return False
    text, last = str(port.get("port", "0")), port.get("endPort") or 0
    if not text.isdigit():
        return any(
            declared.name == text and declared.port == target.port and declared.protocol == target.protocol
            for declared in target.declared or ()
        )
    number = int(text)
    if number == 0:
        return True
    return number <= target.port <= last if last else number == target.port


def _request(rules: Json, target: Target, packet: Packet) -> Answer:
    """Return whether rules of layer 7 admit the request; there is nothing to ask where there are none."""
    given = {name: value for name, value in rules.items() if value is not None}
    if not given:
        return True
    if set(given) == {"dns"}:
        return True if target.port == _DNS else Unknown("DNS rules on a port that is not DNS are not modelled")
    if set(given) != {"http"}:
        return Unknown(f"rules of {', '.join(sorted(given))} are not modelled")
    if not packet.http:
        return Unknown("HTTP rules decide by the request, and this connection carries none that is known")
    if packet.tls:
        return Unknown("HTTP rules cannot see into TLS")
    listed = given["http"] or [{}]
    return some(_http(rule, packet) for rule in listed)


def _http(rule: Json, packet: Packet) -> Answer:
    unknown = sorted(set(rule) - {"method", "path", "host", "headers"})
    if unknown:
        return Unknown(f"http.{unknown[0]} is not modelled")
    path = f"{packet.path}?{packet.query}" if packet.query else packet.path
    return every(
        (
            _pattern(rule.get("method"), packet.method),
            _pattern(rule.get("path"), path),
            _pattern(rule.get("host"), packet.host),
            every(_header(str(line), packet) for line in rule.get("headers") or ()),
        )
    )


def _pattern(pattern: str | None, value: str) -> Answer:
    if not pattern:
        return True
    compiled = compile_safely(pattern, value)
    if isinstance(compiled, Refused):
        return Unknown(f"pattern {pattern!r}: {compiled.why}")
    return compiled.fullmatch(value) is not None


def _header(line: str, packet: Packet) -> bool:
    """A header line is a name that must be there, with a value that it must have."""
    name, colon, value = line.partition(":")
    wanted = name.strip().lower()
    return any(key.lower() == wanted and (not colon or held == value.strip()) for key, held in packet.headers)
