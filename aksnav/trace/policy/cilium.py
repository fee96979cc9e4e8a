"""CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy: who a rule names (layer 3), and what a policy says.

Source: Cilium documentation, "Layer 3 examples", "Deny policies", "Policy enforcement modes"; engines.md, "CNP rules".
What is not modelled is unknown by the feature's name, never a match and never a miss.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from aksnav.model.addresses import Prefix, parse_prefix
from aksnav.model.kubernetes.policy import CiliumNetworkPolicy
from aksnav.model.labels import Labels, LabelSelector, Requirement
from aksnav.model.object import Ref
from aksnav.trace.packet import Packet
from aksnav.trace.policy.cilium_ports import ports_admit
from aksnav.trace.policy.decision import Direction, PolicyWord, RuleWord
from aksnav.trace.policy.namespaces import CILIUM_NAMESPACE, CILIUM_NAMESPACE_LABELS
from aksnav.trace.policy.rules import Said, Scene, Target, covers_any_client
from aksnav.trace.policy.who import Sort, Who
from aksnav.trace.ternary import Answer, Unknown, every, some

Json = dict[str, Any]
_RESERVED = "reserved:"
# Fields of a rule that name no peer.
_OTHER_FIELDS = frozenset({"toPorts", "icmps", "authentication"})
_NEVER = frozenset({"none", "health", "init", "ingress", "unmanaged"})


class Question(msgspec.Struct, frozen=True, gc=False):
    """A connection, as Cilium's policies are asked about it.

    Attributes:
        direction: as seen from the judged Pod.
        subject: the judged Pod.
        who: the other end.
        target: the port at the destination.
        packet: the request in it.
        scene: namespaces.
        api_server: addresses of the API server (entity kube-apiserver).
    """

    direction: Direction
    subject: Who
    who: Who
    target: Target
    packet: Packet
    scene: Scene
    api_server: frozenset[int] = frozenset()

    def identity(self, who: Who) -> Labels:
        """Return the labels of a Pod's identity."""
        return self.scene.namespaces.identity(who.namespace, who.labels, who.service_account)


def words(policy: CiliumNetworkPolicy, question: Question) -> Iterator[PolicyWord]:
    """Yield what each rule set (spec, and every element of specs) of a policy says of a connection."""
    refused = _refused(policy)
    for number, spec in enumerate(policy.rules):
        base = ".spec" if len(policy.rules) == 1 else f".specs[{number}]"
        if "nodeSelector" in spec and "endpointSelector" not in spec:
            yield PolicyWord(policy.ref, policy.resource_version, False, False, "it is for nodes (nodeSelector)")
            continue
        selects = _selects_subject(spec.get("endpointSelector"), policy.namespace, question)
        if selects is False:
            why = "endpointSelector does not match the Pod"
            yield PolicyWord(policy.ref, policy.resource_version, False, False, why)
        elif refused or isinstance(selects, Unknown):
            why = refused or (selects.why if isinstance(selects, Unknown) else "")
            yield undecidable(policy.ref, policy.resource_version, why)
        else:
            yield _word(policy, spec, base, question)


def undecidable(ref: Ref, version: str, why: str) -> PolicyWord:
    """Return the word of a policy that cannot be evaluated: it may admit, and it may deny."""
    unknown = Unknown(why)
    return PolicyWord(
        ref, version, unknown, unknown, why, (RuleWord(".spec", unknown, why, deny=True),), (".spec", why)
    )


def asks_requests(policy: CiliumNetworkPolicy) -> bool:
    """Return whether a policy has rules of layer 7, so that its answer depends on the request."""
    return any(
        element.get("rules")
        for spec in policy.rules
        for side in ("ingress", "egress")
        for rule in spec.get(side) or ()
        for element in rule.get("toPorts") or ()
    )


def _refused(policy: CiliumNetworkPolicy) -> str:
    for condition in policy.conditions:
        if condition.get("type") == "Valid" and condition.get("status") == "False":
            return f"Cilium says that the policy is not valid: {condition.get('message', '')}"
    return ""


def _word(policy: CiliumNetworkPolicy, spec: Json, base: str, question: Question) -> PolicyWord:
    side = "ingress" if question.direction is Direction.INGRESS else "egress"
    allow, deny = spec.get(side) or [], spec.get(f"{side}Deny") or []
    explicit = (spec.get("enableDefaultDeny") or {}).get(side)
    isolates = bool(allow or deny) if explicit is None else bool(explicit)
    spoken = [
        *(_rule(rule, f"{base}.{side}Deny[{number}]", policy, question, deny=True) for number, rule in enumerate(deny)),
        *(_rule(rule, f"{base}.{side}[{number}]", policy, question, deny=False) for number, rule in enumerate(allow)),
    ]
    why = "" if spoken else f"selects the Pod, and has no {side} rule"
    fact = (f"{base}.{side}", f"{len(allow)} allow and {len(deny)} deny rules")
    return PolicyWord(policy.ref, policy.resource_version, True, isolates, why, tuple(spoken), fact)


def _rule(rule: Json, field: str, policy: CiliumNetworkPolicy, question: Question, deny: bool) -> RuleWord:
    peers = _peers(rule, policy.namespace, question)
    if peers.answer is False:
        return RuleWord(field, False, peers.why, deny)
    ports = ports_admit(rule, question.target, question.packet)
    answer = every((peers.answer, ports.answer))
    mode = (rule.get("authentication") or {}).get("mode", "disabled")
    if answer is True and mode != "disabled":
        answer = Unknown(f"authentication mode {mode!r} is not modelled")
    why = ports.why if ports.answer is False else f"{peers.why}; {ports.why}"
    return RuleWord(field, answer, why, deny, ports.request)


def _selects_subject(raw: Any, namespace: str, question: Question) -> Answer:
    if not isinstance(raw, dict):
        return Unknown("it has no endpointSelector")
    return _endpoint(raw, namespace, question.subject, question, scoped=bool(namespace), always=True)


def _peers(rule: Json, namespace: str, question: Question) -> Said:
    """Return whether a rule names the other end: any of its peer fields does; without any, the ports alone decide."""
    prefix = "from" if question.direction is Direction.INGRESS else "to"
    fields = [name for name, value in rule.items() if value is not None and name not in _OTHER_FIELDS]
    if not fields:
        if rule.get("toPorts") or rule.get("icmps"):
            return Said(True, "no peer named: everybody")
        return Said(False, "an empty rule selects nobody")
    answers: list[tuple[str, Answer]] = []
    for name in fields:
        kind = name.removeprefix(prefix)
        answers.append((name, _field(kind, rule[name], namespace, question)))
    answer = some(item for _, item in answers)
    if answer is True:
        named = next(name for name, item in answers if item is True)
        return Said(True, f"{named} matches {question.who.label}")
    if isinstance(answer, Unknown):
        return Said(answer, answer.why)
    return Said(False, f"{', '.join(fields)} does not match {question.who.label}")


def _field(kind: str, value: Any, namespace: str, question: Question) -> Answer:
    who = question.who
    listed = value if isinstance(value, list) else [value]
    match kind:
        case "Endpoints":
            scoped = bool(namespace)
            return some(_endpoint(item or {}, namespace, who, question, scoped) for item in listed)
        case "Entities":
            return some(_entity(str(item), question) for item in listed)
        case "CIDR":
            return some(_cidr(str(item), (), who) for item in listed)
        case "CIDRSet":
            return some(_cidr_set(item, who) for item in listed)
        case "FQDNs" | "Groups":
            return False if who.in_cluster or not listed else Unknown(f"to{kind} is not modelled")
        case "Nodes":
            nodes = who.sort in {Sort.OWN_NODE, Sort.OTHER_NODE}
            return Unknown("a selector of nodes is not modelled") if nodes else False
    return Unknown(f"field {kind[:1].lower()}{kind[1:]} is not modelled")


def _endpoint(raw: Json, namespace: str, who: Who, question: Question, scoped: bool, always: bool = False) -> Answer:
    """Return whether an endpoint selector matches; without a namespace label it means the policy's own namespace."""
    parsed = _selector(raw)
    if isinstance(parsed, Unknown):
        return parsed
    selector, reserved = parsed
    if reserved:
        return every(_entity(name, question) for name in reserved)
    if who.sort is not Sort.POD:
        return Unknown(f"{who.name} may be a Pod: {who.unsure}") if who.unsure else False
    keys = {*selector.match_labels, *(line.key for line in selector.match_expressions)}
    elsewhere = any(key == CILIUM_NAMESPACE or key.startswith(CILIUM_NAMESPACE_LABELS) for key in keys)
    if scoped and (always or not elsewhere) and who.namespace != namespace:
        return False
    return selector.matches(question.identity(who))


def _selector(raw: Json) -> tuple[LabelSelector, tuple[str, ...]] | Unknown:
    """Return a selector with its label sources taken off the keys, and the reserved identities that it names."""
    try:
        given = msgspec.convert(raw, LabelSelector)
    except msgspec.ValidationError as error:
        return Unknown(f"a selector cannot be read: {error}")
    bad = given.invalid()
    if bad:
        return Unknown(bad)
    labels: dict[str, str] = {}
    reserved: list[str] = []
    for key, value in given.match_labels.items():
        if key.startswith(_RESERVED):
            reserved.append(key.removeprefix(_RESERVED))
            continue
        name = _key(key)
        if name is None:
            return Unknown(f"labels of source {key.partition(':')[0]!r} are not modelled")
        labels[name] = value
    lines: list[Requirement] = []
    for line in given.match_expressions:
        name = _key(line.key)
        if name is None:
            return Unknown(f"labels of source {line.key.partition(':')[0]!r} are not modelled")
        lines.append(Requirement(name, line.operator, line.values))
    return LabelSelector(labels, tuple(lines)), tuple(reserved)


def _key(key: str) -> str | None:
    source, colon, name = key.partition(":")
    if not colon:
        return key
    return name if source in {"k8s", "any"} else None


def _entity(name: str, question: Question) -> Answer:
    who = question.who
    outside = who.sort in {Sort.ADDRESS, Sort.ANY_CLIENT}
    if name == "all":
        return True
    if name in _NEVER:
        return False
    if outside and who.unsure and name in {"world", "world-ipv4", "world-ipv6", "cluster"}:
        return Unknown(f"{who.name} may be a Pod or a node: {who.unsure}")
    answers = {
        "world": outside,
        "world-ipv4": outside and who.v4,
        "world-ipv6": outside and not who.v4,
        "cluster": who.in_cluster,
        "host": who.sort is Sort.OWN_NODE,
        "remote-node": who.sort is Sort.OTHER_NODE,
        "kube-apiserver": who.address is not None and who.address in question.api_server,
    }
    return answers.get(name, Unknown(f"entity {name!r} is not modelled"))


def _cidr_set(item: Json, who: Who) -> Answer:
    if who.in_cluster:
        return False
    if "cidr" not in item:
        return Unknown(f"{', '.join(item)} of a CIDR set is not modelled")
    excluded = tuple(str(text) for text in item.get("except") or ())
    return _cidr(str(item["cidr"]), excluded, who)


def _cidr(text: str, exceptions: tuple[str, ...], who: Who) -> Answer:
    """A CIDR names what is outside of the cluster: never a Pod, never a node (engines.md)."""
    prefix: Prefix | None = parse_prefix(text)
    if prefix is None:
        return Unknown(f"{text!r} is not a CIDR")
    if who.in_cluster:
        return False
    excluded = [found for found in map(parse_prefix, exceptions) if found is not None]
    if who.sort is Sort.ANY_CLIENT:
        return covers_any_client(prefix, excluded, who.v4)
    if who.address not in prefix or any(who.address in item for item in excluded):
        return False
    return Unknown(f"{who.name} may be a Pod or a node: {who.unsure}") if who.unsure else True
