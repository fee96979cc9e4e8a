"""Why a Calico policy cannot be evaluated: what Calico's API refuses, and what its agents pass over.

Source: Calico reference, "Network policy" (accepted values of each field); the combinations that are refused, as
libcalico-go lib/validator has them.
"""

from collections.abc import Iterator

from aksnav.model.addresses import parse_prefix
from aksnav.model.kubernetes.calico import CalicoNetworkPolicy, CalicoRule, EntityRule
from aksnav.trace.policy.calico import selector
from aksnav.trace.policy.calico.rules import WITH_PORTS, is_icmp, number_of, port_range

ACTIONS = frozenset({"Allow", "Deny", "Pass", "Log"})
TYPES = frozenset({"Ingress", "Egress"})
_Problem = tuple[str, str]


def problem(policy: CalicoNetworkPolicy) -> str:
    """Return the first field that cannot be evaluated, with the reason; an empty string where all can."""
    return next((f".spec.{field}: {why}" for field, why in _problems(policy)), "")


def selector_problem(policy: CalicoNetworkPolicy) -> str:
    """Return why it cannot be told which Pods a policy selects; an empty string where it can."""
    return next((f".spec.{field}: {why}" for field, why in _selectors(policy)), "")


def _selectors(policy: CalicoNetworkPolicy) -> Iterator[_Problem]:
    for field, text in (
        ("selector", policy.selector),
        ("namespaceSelector", policy.namespace_selector),
        ("serviceAccountSelector", policy.service_account_selector),
    ):
        for why in _selector(text):
            yield field, why


def _selector(text: str, may_be_global: bool = False) -> Iterator[str]:
    node = selector.parse(text)
    if isinstance(node, selector.Invalid):
        yield node.why
    elif selector.names_global(node):
        if not may_be_global:
            yield "global() belongs in the namespaceSelector of a rule"
        elif not isinstance(node, selector.Global):
            yield "global() cannot be combined with other selectors"


def _problems(policy: CalicoNetworkPolicy) -> Iterator[_Problem]:
    yield from _selectors(policy)
    for word in policy.written_types or ():
        if word not in TYPES:
            yield "types", f"{word!r} is neither Ingress nor Egress"
    for name in policy.unmodelled:
        yield name, "is not modelled"
    for side, rules in (("ingress", policy.ingress), ("egress", policy.egress)):
        for number, rule in enumerate(rules):
            for field, why in _of_rule(rule):
                yield f"{side}[{number}].{field}", why


def _of_rule(rule: CalicoRule) -> Iterator[_Problem]:
    if rule.action not in ACTIONS:
        yield "action", f"{rule.action!r} is not one of Allow, Deny, Pass, Log"
    for field, protocol in (("protocol", rule.protocol), ("notProtocol", rule.not_protocol)):
        if protocol is not None and number_of(protocol) is None:
            yield field, f"{protocol!r} is not a protocol"
    if rule.ip_version not in {None, 4, 6}:
        yield "ipVersion", f"{rule.ip_version} is neither 4 nor 6"
    if (rule.icmp or rule.not_icmp) is not None and not is_icmp(rule.protocol):
        yield "icmp" if rule.icmp is not None else "notICMP", "it needs protocol ICMP or ICMPv6"
    for word, side in (("source", rule.source), ("destination", rule.destination)):
        for field, why in _of_side(side, rule):
            yield f"{word}.{field}", why


def _of_side(side: EntityRule, rule: CalicoRule) -> Iterator[_Problem]:
    for why in _selector(side.namespace_selector, may_be_global=True):
        yield "namespaceSelector", why
    accounts = side.service_accounts.selector if side.service_accounts is not None else ""
    for field, text in (
        ("selector", side.selector),
        ("notSelector", side.not_selector),
        ("serviceAccounts.selector", accounts),
    ):
        for why in _selector(text):
            yield field, why
    for field, texts in (("nets", side.nets), ("notNets", side.not_nets)):
        for text in texts:
            if parse_prefix(text) is None:
                yield field, f"{text!r} is not a CIDR"
    yield from _of_ports(side, rule)
    if side.services is not None:
        if not side.services.name:
            yield "services", "it names no Service"
        if side.selector or side.not_selector or side.nets or side.not_nets:
            yield "services", "Services and selectors or nets exclude each other"


def _of_ports(side: EntityRule, rule: CalicoRule) -> Iterator[_Problem]:
    for field, ports in (("ports", side.ports), ("notPorts", side.not_ports)):
        for port in ports:
            if port_range(port) is None:
                yield field, f"{port!r} is neither a port, a range first:last, nor a name"
        if ports and (rule.protocol is None or number_of(rule.protocol) not in WITH_PORTS):
            yield field, "ports need protocol TCP, UDP or SCTP"
