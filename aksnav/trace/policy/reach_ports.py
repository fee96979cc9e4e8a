"""Ports between which no policy can tell a difference: one of a range is asked for all of it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from aksnav.model.kubernetes.policy import CiliumNetworkPolicy, NetworkPolicy
from aksnav.model.kubernetes.workload import ContainerPort
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.rules import PROTOCOLS

LAST = 65535
_MOST = 60_000
_ORDER = ("TCP", "UDP", "SCTP")


class Ports(msgspec.Struct, frozen=True, order=True, gc=False):
    """Ports of one protocol, from ``first`` to ``last``; ``name`` where a container declares that one port."""

    protocol: str
    first: int
    last: int
    name: str = ""
    declared: bool = False

    def __str__(self) -> str:
        if self.first == self.last:
            return f"{self.protocol} {self.first}" + (f" {self.name}" if self.name else "")
        return f"{self.protocol} {self.first}-{self.last}"


Cuts = Mapping[str, frozenset[int]]


def cuts(policies: Iterable[NetworkPolicy], direction: Direction) -> Cuts:
    """Return, for each protocol, the ports at which the rules of policies for a direction begin or cease to match."""
    found: dict[str, set[int]] = {}
    for policy in policies:
        for rule in policy.ingress if direction is Direction.INGRESS else policy.egress:
            for port in rule.ports:
                at = found.setdefault(port.protocol, set())
                if isinstance(port.port, int):
                    at.update((port.port, port.port + 1, (port.end_port or port.port) + 1))
    return {protocol: frozenset(at) for protocol, at in found.items() if protocol in PROTOCOLS}


def cilium_cuts(policies: Iterable[CiliumNetworkPolicy]) -> Cuts:
    """Return the same of Cilium's policies, whatever the direction; ICMP has no ports and is not asked."""
    found: dict[str, set[int]] = {}
    for policy in policies:
        for port in _entries(policy.rules):
            protocol = str(port.get("protocol") or "ANY").upper()
            text = str(port.get("port", ""))
            numbers = [int(text)] if text.isdecimal() else []
            end = port.get("endPort")
            for word in PROTOCOLS if protocol == "ANY" else {protocol} & PROTOCOLS:
                at = found.setdefault(word, set())
                for number in numbers:
                    at.update((number, number + 1, (end if isinstance(end, int) else number) + 1))
    return {protocol: frozenset(at) for protocol, at in found.items()}


def _entries(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every element of a ``toPorts[].ports`` list in rules that are kept as they came."""
    if isinstance(value, dict):
        listed = value.get("ports")
        if isinstance(listed, list):
            yield from (item for item in listed if isinstance(item, dict))
        for inner in value.values():
            yield from _entries(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _entries(inner)


def ranges(declared: Iterable[ContainerPort], *given: Cuts) -> list[Ports]:
    """Return ranges that cover every port of TCP, and of each other protocol that somebody speaks of.

    Args:
        declared: ports of the destination: each is a range of its own.
        given: where rules begin or cease to match.
    """
    names = {(item.protocol, item.port): item.name for item in declared}
    at: dict[str, set[int]] = {"TCP": {1}}
    for protocol, number in names:
        at.setdefault(protocol, {1}).update((number, number + 1))
    for cut in given:
        for protocol, numbers in cut.items():
            at.setdefault(protocol, {1}).update(numbers)
    found = []
    for protocol in sorted(at, key=_ORDER.index):
        starts = sorted(number for number in at[protocol] if 1 <= number <= LAST)
        for first, following in zip(starts, [*starts[1:], LAST + 1], strict=True):
            key = (protocol, first)
            found.append(Ports(protocol, first, following - 1, names.get(key, ""), key in names))
    return found


def merged(parts: Iterable[Ports]) -> tuple[Ports, ...]:
    """Return declared ports as they are, and before and behind them ranges that touch as one."""
    listed = list(parts)
    runs: list[list[Ports]] = []
    for item in listed:
        last = runs[-1][-1] if runs else None
        if last is not None and last.protocol == item.protocol and last.last + 1 == item.first:
            runs[-1].append(item)
        else:
            runs.append([item])
    wide = (
        Ports(run[0].protocol, run[0].first, run[-1].last) for run in runs if not all(item.declared for item in run)
    )
    return (*(item for item in listed if item.declared), *wide)


def words(ports: Iterable[Ports]) -> str:
    """Return ports in one line: declared ones by number, and ``every other`` for nearly all that are left."""
    listed = list(ports)
    said = [str(item) for item in listed if item.declared]
    for protocol in _ORDER:
        wide = [item for item in listed if item.protocol == protocol and not item.declared]
        total = sum(item.last - item.first + 1 for item in wide)
        if total == LAST:
            said.append(f"every {protocol} port")
        elif total >= _MOST:
            said.append(f"every other {protocol} port")
        else:
            said += [str(item) for item in wide]
    return ", ".join(said)
