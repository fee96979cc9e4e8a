"""What each of Cilium's policies says of a connection: whom it selects, whether it isolates, and rule by rule.

Source: Cilium documentation, "Policy Enforcement Modes", "Layer 3 Policies", "Deny Policies"; engines.md, "CNP rules".
What is not modelled is unknown by the feature's name, never a match and never a miss.
"""

from collections.abc import Iterator
from typing import Any

from aksnav.model.object import Ref
from aksnav.trace.policy.cilium import blocks, names
from aksnav.trace.policy.cilium.names import Named
from aksnav.trace.policy.cilium.ports import ports_admit
from aksnav.trace.policy.cilium.question import Question
from aksnav.trace.policy.cilium.rule import Peers, Ready, Rule, Spec
from aksnav.trace.policy.cilium.selectors import endpoint, entity, node
from aksnav.trace.policy.decision import PolicyWord, RuleWord
from aksnav.trace.ternary import Answer, Unknown, every, some


def words(ready: Ready, question: Question) -> Iterator[PolicyWord]:
    """Yield what each rule set (spec, and every element of specs) of a policy says of a connection."""
    ref, version = ready.policy.ref, ready.policy.resource_version
    for spec in ready.specs:
        if spec.nodes and not ready.problem:
            yield PolicyWord(ref, version, False, False, f"{spec.base}.nodeSelector: it is for nodes")
            continue
        selects = selected(spec, question)
        if selects is False:
            why = f"{spec.base}.endpointSelector does not match the Pod"
            yield PolicyWord(ref, version, False, False, why, (), (f"{spec.base}.endpointSelector", ""))
        elif ready.problem or isinstance(selects, Unknown):
            why = (
                ready.problem or f"{spec.base}.endpointSelector: {selects.why if isinstance(selects, Unknown) else ''}"
            )
            yield undecidable(ref, version, why)
        else:
            yield _word(ready, spec, question)


def undecidable(ref: Ref, version: str, why: str) -> PolicyWord:
    """Return the word of a policy that cannot be evaluated: it may admit, and it may deny."""
    unknown = Unknown(why)
    return PolicyWord(
        ref, version, unknown, unknown, why, (RuleWord(".spec", unknown, why, deny=True),), (".spec", why)
    )


def selected(spec: Spec, question: Question) -> Answer:
    """Return whether a rule set selects the judged Pod."""
    if spec.selector is None:
        return Unknown(spec.problem)
    return endpoint(spec.selector, question.subject, question)


def _word(ready: Ready, spec: Spec, question: Question) -> PolicyWord:
    side = question.direction.value.lower()
    spoken = tuple(_rule(rule, ready, question) for rule in spec.rules[question.direction])
    allow, deny = spec.counts[question.direction]
    why = "" if spoken else f"selects the Pod, and has no {side} rule"
    fact = (f"{spec.base}.{side}", f"{allow} allow and {deny} deny rules")
    isolates = spec.isolates[question.direction]
    return PolicyWord(ready.policy.ref, ready.policy.resource_version, True, isolates, why, spoken, fact)


def _rule(rule: Rule, ready: Ready, question: Question) -> RuleWord:
    if rule.unknown:
        why = f"{rule.unknown[0]} is not modelled"
        return RuleWord(rule.field, Unknown(why), why, rule.deny)
    found = _peers(rule, ready, question)
    named = next((peers.name for peers in rule.peers), "")
    by_ports = next((name for name in ("toPorts", "icmps") if rule.raw.get(name)), "")
    if found.answer is False:
        return RuleWord(
            rule.field, False, found.why, rule.deny, assumptions=found.assumptions, part=named, fix=found.fix
        )
    end_port, v4 = question.scene.end_port, question.who.v4
    ports = ports_admit(rule.raw, question.target, question.packet, end_port, v4=v4)
    if ports.answer is False:
        return RuleWord(rule.field, False, ports.why, rule.deny, part=by_ports)
    answer, asked = every((found.answer, ports.answer)), ports.request
    part = named if found.answer is not True or (ports.answer is True and asked.answer is True) else by_ports
    mode = (rule.raw.get("authentication") or {}).get("mode", "disabled")
    if answer is True and mode != "disabled":
        answer, part = Unknown(f"authentication mode {mode!r} is not modelled"), "authentication"
    return RuleWord(
        rule.field,
        answer,
        "; ".join(filter(None, (found.why, ports.why, asked.why))),
        rule.deny,
        asked.answer,
        layer7=asked.layer7.value,
        assumptions=(*found.assumptions, *asked.assumptions),
        part=part or by_ports,
    )


def _peers(rule: Rule, ready: Ready, question: Question) -> Named:
    """Return whether a rule names the other end; without any peer field, the ports alone decide."""
    if not rule.peers:
        if not rule.raw.get("toPorts") and not rule.raw.get("icmps"):
            what = "only requirements, which admit nobody" if rule.requires else "an empty rule, which selects nobody"
            return Named(False, what)
        return _with_requirements(rule, Named(True, "no peer named: everybody"), question)
    told = [_field(peers, ready, question) for peers in rule.peers]
    found = next((item for item in told if item.answer is True), None)
    found = found or next((item for item in told if isinstance(item.answer, Unknown)), told[0])
    return _with_requirements(rule, found, question)


def _field(peers: Peers, ready: Ready, question: Question) -> Named:
    """Return whether one peer field names the other end: one of its elements does."""
    if peers.kind == "FQDNs":
        return names.to_names(list(peers.items), question)
    answer = some(_element(peers, item, ready, question) for item in peers.items)
    if isinstance(answer, Unknown):
        return Named(answer, answer.why)
    return Named(answer, f"{peers.name} {'matches' if answer else 'does not match'} {question.who.label}")


def _with_requirements(rule: Rule, found: Named, question: Question) -> Named:
    """Return an answer with fromRequires and toRequires added.

    They are conditions on every fromEndpoints and toEndpoints of all rules for the Pod (cilium pkg/policy/api, "folding
    of requirements", up to 1.18). The documentation says that they hold for all other rules as well, which the code
    does not show: there, a requirement that is not met leaves it open.
    """
    required = question.required_deny if rule.deny else question.required
    if required is True or found.answer is False:
        return found
    if any(peers.kind == "Endpoints" for peers in rule.peers):
        answer = every((found.answer, required))
        return Named(answer, answer.why if isinstance(answer, Unknown) else _NOT_REQUIRED)
    return Named(Unknown(_OPEN), _OPEN)


_NOT_REQUIRED = "the other end has not the labels that fromRequires or toRequires ask for"
_OPEN = "whether fromRequires and toRequires of another rule hold for a rule without endpoints is not modelled"


def _element(peers: Peers, item: Any, ready: Ready, question: Question) -> Answer:
    """Return whether an element of a peer field, made ready for its kind, names the other end."""
    match peers.kind:
        case "Endpoints":
            return endpoint(item, question.who, question)
        case "Entities":
            return entity(item, question)
        case "CIDR" | "CIDRSet":
            return blocks.covers(item, question)
        case "Services":
            return blocks.serves(item, question)
    return node(item, question, accepted=ready.accepted)
