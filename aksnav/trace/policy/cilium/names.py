"""toFQDNs and DNS rules: which names a pattern means, and whether an address is that of such a name.

Source: Cilium documentation, "DNS based", "DNS Policy and IP Discovery"; cilium pkg/fqdn/matchpattern.
"""

import re

import msgspec

from aksnav.trace.policy.cilium.question import Json, Question, Teaching
from aksnav.trace.policy.who import Sort
from aksnav.trace.ternary import Answer, Unknown

_NAME = re.compile(r"[-a-zA-Z0-9_.]{1,255}")
_PATTERN = re.compile(r"[-a-zA-Z0-9_.*]{1,255}")


class Named(msgspec.Struct, frozen=True, gc=False):
    """Whether an address is that of a name, why, what that takes for granted, and what is missing for it."""

    answer: Answer
    why: str
    assumptions: tuple[str, ...] = ()
    fix: str = ""


def invalid(item: Json) -> str:
    """Return why an element of toFQDNs or of rules.dns is not valid, or an empty string."""
    name, pattern = item.get("matchName"), item.get("matchPattern")
    if not name and not pattern:
        return "neither matchName nor matchPattern is set"
    if name and not _NAME.fullmatch(str(name)):
        return f"matchName {name!r} is not a name"
    if pattern and not _PATTERN.fullmatch(str(pattern)):
        return f"matchPattern {pattern!r} has other characters than those of names and *"
    return ""


def text(item: Json) -> str:
    """Return an element for people."""
    return str(item.get("matchName") or item.get("matchPattern") or "")


def matches(item: Json, name: str) -> bool:
    """Return whether an element means a name; a star stands for characters of one label, ``**.`` for whole labels."""
    wanted = name.lower().removesuffix(".")
    if item.get("matchName") and str(item["matchName"]).lower().removesuffix(".") == wanted:
        return True
    pattern = str(item.get("matchPattern") or "").lower().removesuffix(".")
    if not pattern:
        return False
    if not pattern.strip("*"):
        return True
    labels, parts = wanted.split("."), pattern.split(".")
    if len(parts[0]) > 1 and not parts[0].strip("*"):
        rest = parts[1:]
        return len(labels) > len(rest) and _each(rest, labels[len(labels) - len(rest) :])
    return len(labels) == len(parts) and _each(parts, labels)


def _each(patterns: list[str], labels: list[str]) -> bool:
    return all(_label(pattern, label) for pattern, label in zip(patterns, labels, strict=True))


def _label(pattern: str, label: str) -> bool:
    """Return whether a label matches; each piece between stars is taken where it first is, so it cannot take long."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == label
    last = rest.pop()
    if len(label) < len(first) + len(last) or not label.startswith(first) or not label.endswith(last):
        return False
    place, end = len(first), len(label) - len(last)
    for piece in rest:
        found = label.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True


def to_names(listed: list[Json], question: Question) -> Named:
    """Return whether toFQDNs means the destination: an address that Cilium's DNS proxy has seen for such a name.

    Which name the address was found under is known where the request names it; a name that matches admits the address
    once the proxy has seen the answer, and for that a rule with ``rules.dns`` must lead the question through it.
    """
    who, packet = question.who, question.packet
    told = ", ".join(map(text, listed))
    if who.in_cluster:
        return Named(False, f"toFQDNs {told} means addresses outside of the cluster, and it is {who.label}")
    if who.sort is Sort.ANY_CLIENT or who.address is None:
        return Named(Unknown(f"toFQDNs {told}: which names {who.label} has is not known"), "")
    if not question.teaching:
        why = f"toFQDNs {told} knows no address: no policy has rules.dns, so {_NO_PROXY}"
        return Named(False, why, (), f"{_ADD} {told}")
    if packet.resolved is None or packet.resolved[1] != who.address:
        why = f"toFQDNs {told}: under which names {who.name} was found is not known (ask by name, or with --resolve)"
        return Named(Unknown(why), "")
    name = packet.resolved[0]
    if not any(matches(item, name) for item in listed):
        assumed = f"{who.name} is not also the address of a name that toFQDNs {told} matches"
        return Named(False, f"toFQDNs {told} does not match {name}", (assumed,))
    return _learned(name, told, question)


_NO_PROXY = "Cilium's DNS proxy sees no answers"
_ADD = "add an egress rule to port 53 of the DNS Pods with rules.dns that matches"


def _learned(name: str, told: str, question: Question) -> Named:
    """Return whether the proxy has seen the answer: through a DNS rule of this Pod, or of another Pod of the node."""
    teachers = [item for item in question.teaching if any(matches(one, name) for one in item.patterns)]
    own = next((item for item in teachers if item.own is True), None)
    if own is not None:
        assumed = f"Cilium's DNS proxy has seen {name} answered with {question.who.name}"
        return Named(True, f"toFQDNs {told} matches {name}, learned by {_where(own)}", (assumed,))
    need = f"a rule to port 53 with rules.dns that matches {name}"
    if teachers:
        why = f"toFQDNs {told} matches {name}, and only other Pods have {need} ({_where(teachers[0])})"
        return Named(Unknown(why), "")
    return Named(False, f"toFQDNs {told} matches {name}, but no policy has {need}: {_NO_PROXY}", (), f"{_ADD} {name}")


def _where(item: Teaching) -> str:
    return f"{item.ref.id} {item.field.removeprefix('.spec.')}"
