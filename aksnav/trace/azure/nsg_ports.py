"""Ports of security rules: whether they hold those of a packet, of which the client's is not known beforehand.

Source: Azure documentation, "Network security groups", security rules; RFC 6056, section 3.2 (source ports).
"""

from collections.abc import Iterable

from aksnav.trace.packet import Packet
from aksnav.trace.ternary import Answer, Unknown

# Clients choose their source port from here up (RFC 6056, section 3.2).
_EPHEMERAL = (1024, 65535)
_EVERY_PORT = (0, 65535)
# Protocols without ports; a rule for one of them by name takes all of it, whatever its ports say.
_PORTLESS = frozenset({"ICMP", "ESP", "AH"})


def ports_hold(texts: Iterable[str], packet: Packet, protocol: str) -> Answer:
    """Return whether destination ports hold a packet's.

    Args:
        texts: ``*``, ports and ranges of ports.
        packet: the packet.
        protocol: of the rule.
    """
    listed = list(filter(None, texts))
    ranges = port_ranges(listed)
    if packet.protocol.upper() in _PORTLESS:
        if protocol.lower() == packet.protocol.lower() or covers(ranges, _EVERY_PORT):
            return True
        return Unknown(f"whether a rule for every protocol with ports takes {packet.protocol} is not documented")
    if any(low <= packet.port <= high for low, high in ranges):
        return True
    return _unreadable_port(listed)


def source_ports_hold(texts: Iterable[str], packet: Packet, protocol: str) -> Answer:
    """Return whether source ports hold a packet's, which is any of those that clients choose from."""
    listed = list(filter(None, texts))
    ranges = port_ranges(listed)
    if not listed or covers(ranges, _EPHEMERAL):
        return True
    if packet.protocol.upper() in _PORTLESS:
        return ports_hold(listed, packet, protocol)
    if all(last < _EPHEMERAL[0] for _, last in ranges):
        return _unreadable_port(listed)
    return Unknown("the rule names source ports, and the client's is not known beforehand")


def _unreadable_port(texts: list[str]) -> Answer:
    bad = next((text for text in texts if not port_ranges((text,))), None)
    return False if bad is None else Unknown(f"{bad!r} is no port and no range of ports")


def covers(ranges: Iterable[tuple[int, int]], wanted: tuple[int, int]) -> bool:
    """Return whether ranges together hold every port of another one."""
    reach = wanted[0]
    for low, high in sorted(ranges):
        if low > reach:
            return False
        reach = max(reach, high + 1)
        if reach > wanted[1]:
            return True
    return False


def port_ranges(texts: Iterable[str]) -> list[tuple[int, int]]:
    """Return ports and ranges of ports as pairs; what is neither is left out."""
    found: list[tuple[int, int]] = []
    for text in filter(None, texts):
        if text.strip() == "*":
            found.append(_EVERY_PORT)
            continue
        low, dash, high = (part.strip() for part in text.partition("-"))
        if not dash:
            high = low
        if low.isdigit() and high.isdigit():
            found.append((int(low), int(high)))
    return found
