"""CIDR, CIDRSet with except and CIDR groups, and toServices: peers by address, which are outside of the cluster.

Source: Cilium documentation, "IP/CIDR based", "CiliumCIDRGroup", "Services based"; cilium pkg/policy/api/cidr.go,
pkg/policy/k8s/cilium_cidr_group.go (a group that does not exist is an empty one) and pkg/policy/k8s/service.go.
"""

from typing import Any

import msgspec

from aksnav.model.addresses import Prefix, format_address, parse_prefix
from aksnav.model.labels import Labels, LabelSelector
from aksnav.trace.policy.cilium.facts import Backed, Group
from aksnav.trace.policy.cilium.question import Question
from aksnav.trace.policy.cilium.selectors import Invalid
from aksnav.trace.policy.rules import covers_any_client
from aksnav.trace.policy.who import Sort, Who
from aksnav.trace.ternary import Answer, Unknown, some


class Block(msgspec.Struct, frozen=True, gc=False):
    """An element of CIDR or CIDRSet: a prefix, a group by name or groups by labels, and what is excepted."""

    text: str
    prefix: Prefix | None = None
    group: str = ""
    groups: LabelSelector | None = None
    excepted: tuple[Prefix, ...] = ()


def parse_cidr(raw: Any) -> Block | Invalid:
    """Return an element of fromCIDR or toCIDR: a prefix, or a single address."""
    prefix = parse_prefix(raw) if isinstance(raw, str) else None
    return Block(str(raw), prefix) if prefix is not None else Invalid(f"{raw!r} is not a CIDR")


def parse_cidr_set(raw: Any) -> Block | Invalid:
    """Return an element of fromCIDRSet or toCIDRSet: exactly one of cidr, cidrGroupRef and cidrGroupSelector."""
    if not isinstance(raw, dict):
        return Invalid(f"{raw!r} is no object")
    given = [name for name in ("cidr", "cidrGroupRef", "cidrGroupSelector") if raw.get(name) not in (None, "")]
    if len(given) != 1:
        return Invalid("exactly one of cidr, cidrGroupRef and cidrGroupSelector must be set")
    given_except = raw.get("except") or []
    if not isinstance(given_except, list):
        return Invalid("except is no list")
    excepted = [parse_prefix(text) if isinstance(text, str) and "/" in text else None for text in given_except]
    if None in excepted:
        return Invalid(f"except {given_except!r} has something in it that is not a CIDR")
    out = tuple(item for item in excepted if item is not None)
    tail = f" except {', '.join(map(str, out))}" if out else ""
    if given == ["cidr"]:
        return _with_prefix(raw["cidr"], out, tail)
    if given == ["cidrGroupRef"]:
        return Block(f"cidrGroupRef {raw['cidrGroupRef']}{tail}", group=str(raw["cidrGroupRef"]), excepted=out)
    try:
        selector = msgspec.convert(raw["cidrGroupSelector"], LabelSelector)
    except msgspec.ValidationError as error:
        return Invalid(f"cidrGroupSelector cannot be read: {error}")
    bad = selector.invalid()
    if bad:
        return Invalid(f"cidrGroupSelector: {bad}")
    return Block(f"cidrGroupSelector {selector}{tail}", groups=selector, excepted=out)


def _with_prefix(text: Any, excepted: tuple[Prefix, ...], tail: str) -> Block | Invalid:
    prefix = parse_prefix(text) if isinstance(text, str) and "/" in text else None
    if prefix is None:
        return Invalid(f"{text!r} is not a CIDR")
    outside = next((item for item in excepted if not prefix.covers(item)), None)
    if outside is not None:
        return Invalid(f"except {outside} is not in {text}")
    return Block(f"{text}{tail}", prefix, excepted=excepted)


def covers(block: Block, question: Question) -> Answer:
    """Return whether a block means the other end: never a Pod, never a node (engines.md, "ipBlock")."""
    who = question.who
    if who.in_cluster:
        return False
    if who.sort is Sort.ANY_CLIENT:
        return block.prefix is not None and covers_any_client(block.prefix, block.excepted, who.v4)
    if who.address is None or any(who.address in item for item in block.excepted):
        return False
    answer = who.address in block.prefix if block.prefix is not None else _grouped(block, who.address, question)
    if answer is True and who.unsure:
        return Unknown(f"{who.name} may be a Pod or a node: {who.unsure}")
    return answer


def _grouped(block: Block, address: int, question: Question) -> Answer:
    """Return whether a CIDR group covers an address; one that does not exist covers nothing."""
    facts = question.facts
    if facts.groups_missing:
        return Unknown(f"{block.text}: CIDR groups cannot be read: {facts.groups_missing}")
    if block.groups is None:
        why = dict(facts.groups_unread).get(block.group)
        if why is not None:
            return Unknown(f"CiliumCIDRGroup {block.group} cannot be decoded: {why}")
        return any(group.covers(address) for group in facts.groups if group.name == block.group)
    asks = any(line.operator in {"In", "Exists"} for line in block.groups.match_expressions)
    if not asks and not block.groups.match_labels:
        return Unknown("a cidrGroupSelector that asks for no label is not modelled")
    if facts.groups_unread:
        return Unknown(f"CiliumCIDRGroup {facts.groups_unread[0][0]} cannot be decoded: {facts.groups_unread[0][1]}")
    return _selected(block.groups, [group for group in facts.groups if group.covers(address)])


def _selected(selector: LabelSelector, holding: list[Group]) -> Answer:
    """Return whether a selector matches an address, by the groups that hold it.

    An address has the labels of all groups that hold it. Where that says something else than the groups one by one, it
    depends on how the agents put the labels together.
    """
    each = any(selector.matches(group.labels) for group in holding)
    merged = Labels.of({key: value for group in holding for key, value in group.labels.items()})
    together = bool(holding) and selector.matches(merged)
    if each == together:
        return each
    return Unknown(f"groups {', '.join(group.name for group in holding)} cover the address with labels that differ")


class ServiceRef(msgspec.Struct, frozen=True, gc=False):
    """An element of toServices: a Service by name, or Services by labels; no namespace means every one."""

    text: str
    namespace: str = ""
    name: str = ""
    labels: LabelSelector | None = None


def parse_service(raw: Any) -> ServiceRef | Invalid:
    """Return an element of toServices; where both forms are given, the selector counts."""
    by_labels, by_name = (
        (raw.get("k8sServiceSelector"), raw.get("k8sService")) if isinstance(raw, dict) else (None, None)
    )
    if isinstance(by_labels, dict):
        try:
            selector = msgspec.convert(by_labels.get("selector") or {}, LabelSelector)
        except msgspec.ValidationError as error:
            return Invalid(f"k8sServiceSelector cannot be read: {error}")
        bad = selector.invalid()
        if bad:
            return Invalid(f"k8sServiceSelector: {bad}")
        space = str(by_labels.get("namespace") or "")
        return ServiceRef(f"Services {selector}" + (f" of {space}" if space else ""), space, "", selector)
    if isinstance(by_name, dict) and by_name.get("serviceName"):
        space, name = str(by_name.get("namespace") or ""), str(by_name["serviceName"])
        return ServiceRef(f"Service {space or '*'}/{name}", space, name)
    return Invalid("neither k8sService nor k8sServiceSelector is set")


def serves(ref: ServiceRef, question: Question) -> Answer:
    """Return whether the other end is behind a Service that an element of toServices means.

    A Service with a selector means the Pods that the selector matches, whether they are asked through the Service or
    not; one without means the addresses of its EndpointSlices, as CIDRs, which never select a Pod.
    """
    facts = question.facts
    if facts.services_missing:
        return Unknown(f"{ref.text}: Services cannot be read: {facts.services_missing}")
    return some(_behind(service, question) for service in facts.services if means(ref, service))


def means(ref: ServiceRef, service: Backed) -> bool:
    """Return whether an element of toServices means a Service."""
    if ref.namespace and ref.namespace != service.namespace:
        return False
    return ref.labels.matches(service.labels) if ref.labels is not None else ref.name == service.name


def _behind(service: Backed, question: Question) -> Answer:
    who = question.who
    if not service.selector:
        return _listed(service, who)
    if who.sort is not Sort.POD:
        return Unknown(f"{who.name} may be a Pod: {who.unsure}") if who.unsure else False
    if who.namespace != service.namespace or not _has(who.labels, service.selector):
        return False
    if isinstance(question.scene.end_port, Unknown):
        # What reads endPort is 1.17; so is the first that takes Services with a selector.
        return Unknown(f"toServices for a Service with a selector needs Cilium 1.17 ({question.scene.end_port.why})")
    return True


def _listed(service: Backed, who: Who) -> Answer:
    if who.in_cluster or who.address is None:
        return False
    if service.missing:
        return Unknown(f"the endpoints of Service {service.namespace}/{service.name}: {service.missing}")
    if who.address not in service.addresses:
        return False
    return Unknown(f"{format_address(who.address)} may be a Pod or a node: {who.unsure}") if who.unsure else True


def _has(labels: Labels, wanted: Labels) -> bool:
    return all(labels.get(key) == value for key, value in wanted.items())
