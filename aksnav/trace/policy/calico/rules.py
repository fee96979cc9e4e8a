"""One rule of a Calico policy: whether a connection matches it.

Source: Calico reference, "Network policy", sections "Rule", "ICMP", "EntityRule", "Ports" and "HTTPMatch". Every
criterion that is given must hold.
"""

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from aksnav.model.kubernetes.calico import CalicoRule, EntityRule, ICMPFields
from aksnav.trace.policy.calico.entity import Scene, named
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.rules import Said, Target
from aksnav.trace.policy.who import Who
from aksnav.trace.ternary import Answer, Unknown, some

# IANA, "Assigned Internet Protocol Numbers"; the names are those that Calico takes.
NUMBERS = {"ICMP": 1, "TCP": 6, "UDP": 17, "ICMPV6": 58, "SCTP": 132, "UDPLITE": 136}
WITH_PORTS = frozenset({6, 17, 132})
_ICMPS = frozenset({1, 58})
# What a ping is: an echo request (RFC 792, RFC 4443).
_ECHO = {1: (8, 0), 58: (128, 0)}
LAST_PORT = 65535
_FAMILIES = {4: True, 6: False}


class Question(msgspec.Struct, frozen=True, gc=False):
    """A connection, as Calico's policies are asked about it.

    Attributes:
        direction: as seen from the judged Pod.
        judged: the judged Pod.
        other: the other end.
        target: the port at the destination.
        scene: namespaces, sets and Services.
    """

    direction: Direction
    judged: Who
    other: Who
    target: Target
    scene: Scene

    @property
    def source(self) -> Who:
        """Who opens the connection."""
        return self.other if self.direction is Direction.INGRESS else self.judged

    @property
    def destination(self) -> Who:
        """Where it goes."""
        return self.judged if self.direction is Direction.INGRESS else self.other


@lru_cache(maxsize=1024)
def number_of(protocol: int | str) -> int | None:
    """Return the number of a protocol that is given by name or number; None where it is neither."""
    if isinstance(protocol, int):
        return protocol if 1 <= protocol <= 255 else None  # noqa: PLR2004 - one byte (RFC 791)
    if protocol.isascii() and protocol.isdigit():
        return number_of(int(protocol))
    return NUMBERS.get(protocol.upper())


@lru_cache(maxsize=4096)
def port_range(port: int | str) -> tuple[int, int] | str | None:
    """Return what an element of ports is: a range of numbers, a name, or None where it is neither."""
    if isinstance(port, int):
        return (port, port) if 0 <= port <= LAST_PORT else None
    first, colon, last = port.partition(":")
    if not colon and not first.isdigit():
        return first or None
    if not (first.isascii() and first.isdigit() and (not colon or (last.isascii() and last.isdigit()))):
        return None
    numbers = int(first), int(last) if colon else int(first)
    return numbers if numbers[0] <= numbers[1] <= LAST_PORT else None


def matches(rule: CalicoRule, namespace: str, question: Question) -> Said:
    """Return whether a rule matches a connection, with the field that says no, or all that say yes.

    Args:
        rule: a rule of a policy.
        namespace: the policy's own, empty for a global one.
        question: the connection.
    """
    unsure: Said | None = None
    told: list[str] = []
    for said in _criteria(rule, namespace, question):
        if said.answer is False:
            return said
        if isinstance(said.answer, Unknown):
            unsure = unsure or said
        told.append(said.why)
    return unsure or Said(True, "; ".join(told) or "it names nothing: everything")


def _criteria(rule: CalicoRule, namespace: str, question: Question) -> Iterator[Said]:
    """Yield what each criterion says, the cheapest first."""
    protocol = number_of(question.target.protocol)
    if rule.protocol is not None:
        yield _protocol("protocol", rule.protocol, question.target, wanted=True)
    if rule.not_protocol is not None:
        yield _protocol("notProtocol", rule.not_protocol, question.target, wanted=False)
    if rule.ip_version is not None:
        yield Said(
            _FAMILIES.get(rule.ip_version) is question.other.v4,
            f"ipVersion {rule.ip_version}, and the connection is IPv{4 if question.other.v4 else 6}",
        )
    if rule.icmp is not None:
        yield _icmp("icmp", rule.icmp, protocol, wanted=True)
    if rule.not_icmp is not None:
        yield _icmp("notICMP", rule.not_icmp, protocol, wanted=False)
    yield from _source_ports(rule.source)
    yield from _ports(rule, question)
    scene = question.scene
    yield from named(rule.source, "source", namespace, question.source, None, scene)
    yield from named(rule.destination, "destination", namespace, question.destination, question.target, scene)
    for name in rule.unmodelled:
        yield Said(Unknown(f"{name} is not modelled"), name)
    if rule.http is not None:
        yield Said(Unknown("http is for application layer policy, which is not modelled"), "http")


def _protocol(field: str, given: int | str, target: Target, wanted: bool) -> Said:
    same = number_of(given) == number_of(target.protocol)
    return Said(same is wanted, f"{field} {given} {'is' if same else 'is not'} {target.protocol}")


def _icmp(field: str, given: ICMPFields, protocol: int | None, wanted: bool) -> Said:
    echo = _ECHO.get(protocol or 0)
    code = "" if given.code is None else f" code {given.code}"
    text = f"{field} type {'any' if given.type is None else given.type}{code}"
    if echo is None:
        return Said(not wanted, f"{text}: the connection is not ICMP")
    same = given.type in {None, echo[0]} and given.code in {None, echo[1]}
    return Said(same is wanted, f"{text} {'is' if same else 'is not'} an echo request")


def _source_ports(side: EntityRule) -> Iterator[Said]:
    for field, ports in (("ports", side.ports), ("notPorts", side.not_ports)):
        if ports:
            whole = any(found in {(0, LAST_PORT), (1, LAST_PORT)} for found in map(port_range, ports))
            told = f"source.{field} {', '.join(map(str, ports))}"
            why = f"{told}: the client's port is chosen when the connection is opened"
            yield Said((field == "ports") if whole else Unknown(why), told)


def _ports(rule: CalicoRule, question: Question) -> Iterator[Said]:
    side, target = rule.destination, question.target
    for field, ports, wanted in (("ports", side.ports, True), ("notPorts", side.not_ports, False)):
        if ports:
            found = some(_port(port, rule, target) for port in ports)
            told = f"destination.{field} {', '.join(map(str, ports))}"
            verb = "covers" if found is True else "does not cover"
            answer: Answer = found if isinstance(found, Unknown) else found is wanted
            yield Said(answer, f"{told} {verb} {target.protocol} {target.port}")


def _port(port: int | str, rule: CalicoRule, target: Target) -> Answer:
    """A name is a container port's on the destination Pod, of the rule's protocol."""
    found = port_range(port)
    if isinstance(found, str):
        wanted = number_of(rule.protocol) if rule.protocol is not None else NUMBERS["TCP"]
        return any(
            item.name == found and item.port == target.port and number_of(item.protocol) == wanted
            for item in target.declared or ()
        )
    return found is not None and found[0] <= target.port <= found[1]


def is_icmp(protocol: int | str | None) -> bool:
    """Return whether a protocol is ICMP of either family."""
    return protocol is not None and number_of(protocol) in _ICMPS
