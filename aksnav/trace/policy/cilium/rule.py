"""Policies made ready to be asked: selectors and blocks are read once, and what Cilium would refuse is found.

Cilium's agents take a policy as a whole or not at all (cilium pkg/policy/api/rule_validation.go): one wrong field and
none of its rules is enforced, or those of its last valid version. Such a policy is undecidable, by the field.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from aksnav.model.kubernetes.policy import CiliumNetworkPolicy
from aksnav.trace.policy.cilium import names
from aksnav.trace.policy.cilium.blocks import parse_cidr, parse_cidr_set, parse_service
from aksnav.trace.policy.cilium.ports import invalid_port
from aksnav.trace.policy.cilium.question import Json
from aksnav.trace.policy.cilium.schema import misshapen
from aksnav.trace.policy.cilium.selectors import ENTITIES, Invalid, Selector, parse_selector
from aksnav.trace.policy.decision import Direction

PEERS = ("Endpoints", "Entities", "CIDR", "CIDRSet", "FQDNs", "Services", "Nodes", "Groups")
_OTHER = frozenset({"toPorts", "icmps", "authentication"})


class Peers(msgspec.Struct, frozen=True, gc=False):
    """One peer field of a rule: its name, what kind it is of, and its elements made ready."""

    name: str
    kind: str
    items: tuple[Any, ...]


class Rule(msgspec.Struct, frozen=True, gc=False):
    """A rule.

    Attributes:
        field: its path in the policy.
        raw: as the policy has it.
        deny: it denies what it matches.
        peers: its peer fields; none means everybody.
        requires: selectors of fromRequires or toRequires.
        unknown: fields that are not modelled.
    """

    field: str
    raw: Json
    deny: bool
    peers: tuple[Peers, ...] = ()
    requires: tuple[Selector, ...] = ()
    unknown: tuple[str, ...] = ()


class Spec(msgspec.Struct, frozen=True, gc=False):
    """One rule set of a policy: spec, or an element of specs.

    Attributes:
        base: its path.
        selector: whom it selects; None where it is for nodes, or where the selector itself is not valid.
        nodes: it is for nodes; ``node_selector`` is for which.
        rules: by direction; deny rules first.
        isolates: by direction.
        counts: by direction, the numbers of allow and of deny rules.
        problem: why Cilium refuses the policy, with the field, else empty.
    """

    base: str
    selector: Selector | None
    nodes: bool
    rules: dict[Direction, tuple[Rule, ...]]
    isolates: dict[Direction, bool]
    counts: dict[Direction, tuple[int, int]]
    problem: str = ""
    node_selector: Selector | None = None


class Ready(msgspec.Struct, frozen=True, gc=False):
    """A policy made ready; ``problem`` is why Cilium refuses it, ``accepted`` that Cilium says that it is valid."""

    policy: CiliumNetworkPolicy
    specs: tuple[Spec, ...]
    problem: str = ""
    accepted: bool = False


def prepare(policy: CiliumNetworkPolicy) -> Ready:
    """Return a policy made ready."""
    found = zip(policy.rules, policy.paths, strict=True)
    specs = tuple(_spec(raw, base, policy.namespace) for raw, base in found)
    valid = next((item for item in policy.conditions if item.get("type") == "Valid"), {})
    said = str(valid.get("status", ""))
    if said == "False":
        problem = f"Cilium says that the policy is not valid: {valid.get('message', '')}"
    else:
        problem = next((spec.problem for spec in specs if spec.problem), "")
    return Ready(policy, specs, problem, said == "True")


def _spec(raw: Json, base: str, namespace: str) -> Spec:
    form = misshapen(raw)
    problems = [f"{base}{form}"] if form else []
    given = [name for name in ("endpointSelector", "nodeSelector") if isinstance(raw.get(name), dict)]
    if len(given) != 1:
        problems.append(f"{base}: {'both' if given else 'neither'} of endpointSelector and nodeSelector are set")
    nodes = given == ["nodeSelector"]
    if nodes and namespace:
        problems.append(f"{base}.nodeSelector: only a clusterwide policy selects nodes")
    read: dict[str, Selector] = {}
    for name in given:
        found = parse_selector(raw[name], "" if name == "nodeSelector" else namespace, always=bool(namespace))
        if isinstance(found, Invalid):
            problems.append(f"{base}.{name}: {found.why}")
        else:
            read[name] = found
    rules: dict[Direction, tuple[Rule, ...]] = {}
    isolates: dict[Direction, bool] = {}
    counts: dict[Direction, tuple[int, int]] = {}
    for direction in Direction:
        side = direction.value.lower()
        allow, deny = ([], []) if form else (raw.get(side) or [], raw.get(f"{side}Deny") or [])
        listed = [
            *(_rule(item, f"{base}.{side}Deny[{n}]", namespace, direction, deny=True) for n, item in enumerate(deny)),
            *(_rule(item, f"{base}.{side}[{n}]", namespace, direction, deny=False) for n, item in enumerate(allow)),
        ]
        problems += [item.why for item in listed if isinstance(item, Invalid)]
        rules[direction] = tuple(item for item in listed if isinstance(item, Rule))
        # enableDefaultDeny says it; without it every direction with a rule is isolated ("Endpoint default policy").
        explicit = None if form else (raw.get("enableDefaultDeny") or {}).get(side)
        isolates[direction] = bool(allow or deny) if explicit is None else bool(explicit)
        counts[direction] = (len(allow), len(deny))
    problem = problems[0] if problems else ""
    selector = read.get("endpointSelector") if not nodes else None
    return Spec(base, selector, nodes, rules, isolates, counts, problem, read.get("nodeSelector"))


def _rule(raw: Any, field: str, namespace: str, direction: Direction, *, deny: bool) -> Rule | Invalid:
    if not isinstance(raw, dict):
        return Invalid(f"{field}: {raw!r} is no object")
    prefix = "from" if direction is Direction.INGRESS else "to"
    peers: list[Peers] = []
    requires: tuple[Selector, ...] = ()
    unknown: list[str] = []
    for name, value in raw.items():
        kind = name.removeprefix(prefix)
        if name in _OTHER or value is None:
            continue
        if kind not in PEERS and kind != "Requires":
            unknown.append(name)
            continue
        read = _elements(kind, value, namespace)
        if isinstance(read, Invalid):
            return Invalid(f"{field}.{name}{read.why}")
        if kind == "Requires":
            requires = read
        else:
            peers.append(Peers(name, kind, read))
    wrong = next(_wrong(raw, peers, direction, deny=deny), "")
    if wrong:
        return Invalid(f"{field}.{wrong}")
    return Rule(field, raw, deny, tuple(peers), requires, tuple(unknown))


def _elements(kind: str, value: Any, namespace: str) -> tuple[Any, ...] | Invalid:
    """Return the elements of a peer field made ready, or the first that is not valid, with its place."""
    read: dict[str, Callable[[Any], Any]] = {
        "Endpoints": lambda item: parse_selector(item, namespace),
        "Requires": lambda item: parse_selector(item, namespace),
        "Nodes": lambda item: parse_selector(item, ""),
        "Entities": lambda item: (
            item if isinstance(item, str) and item in ENTITIES else Invalid(f"{item!r} is not an entity")
        ),
        "CIDR": parse_cidr,
        "CIDRSet": parse_cidr_set,
        "FQDNs": _name,
        "Services": parse_service,
        "Groups": lambda _: Invalid("groups are those of AWS, for which Cilium makes another policy"),
    }
    if not isinstance(value, list):
        return Invalid(": it is no list")
    found = [read[kind](item) for item in value]
    bad = next(((number, item) for number, item in enumerate(found) if isinstance(item, Invalid)), None)
    return Invalid(f"[{bad[0]}]: {bad[1].why}") if bad is not None else tuple(found)


def _name(item: Any) -> Any:
    if not isinstance(item, dict):
        return Invalid(f"{item!r} is no object")
    bad = names.invalid(item)
    return Invalid(bad) if bad else item


def _wrong(raw: Json, peers: list[Peers], direction: Direction, *, deny: bool) -> Iterator[str]:
    """Yield what a rule must not have together or at all, with the field."""
    given = [item.name for item in peers if item.items]
    if len(given) > 1:
        yield f"{given[1]}: it cannot be combined with {given[0]}"
    if deny and "toFQDNs" in given:
        yield "toFQDNs: a deny rule cannot have it"
    if raw.get("icmps") and raw.get("toPorts"):
        yield "icmps: it cannot be combined with toPorts"
    for number, element in enumerate(raw.get("toPorts") or ()):
        if not isinstance(element, dict):
            yield f"toPorts[{number}]: it is no object"
            continue
        for place, port in enumerate(element.get("ports") or ()):
            bad = invalid_port(port)
            if bad:
                yield f"toPorts[{number}].ports[{place}]: {bad}"
        for bad in _wrong_rules(element, direction, deny=deny):
            yield f"toPorts[{number}].{bad}"


def _wrong_rules(element: Json, direction: Direction, *, deny: bool) -> Iterator[str]:
    """Yield what is wrong with the rules of layer 7 of an element of toPorts."""
    rules = {name: value for name, value in (element.get("rules") or {}).items() if value is not None}
    if not rules:
        return
    if deny:
        yield "rules: a deny rule has no rules of layer 7"
    if len(rules) > 1 and "l7proto" not in rules:
        yield "rules: they are of more than one protocol"
    if "dns" in rules and direction is Direction.INGRESS:
        yield "rules.dns: DNS rules are for egress"
    for item in rules.get("dns") or ():
        bad = names.invalid(item) if isinstance(item, dict) else f"{item!r} is no object"
        if bad:
            yield f"rules.dns: {bad}"
    ports = [port for port in element.get("ports") or () if isinstance(port, dict)]
    if "dns" not in rules and any(port.get("protocol", "ANY") != "TCP" for port in ports):
        yield "rules: but for DNS, they are for ports of TCP"
    if any(str(port.get("port")) == "0" for port in ports):
        yield "rules: they are not for port 0"
