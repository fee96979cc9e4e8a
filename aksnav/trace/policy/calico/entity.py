"""One side of a Calico rule: whom its selectors, networks and Services name.

Source: Calico reference, "Network policy", sections "EntityRule" and "Selectors" (with "Understanding notSelector" and
the scopes); how the fields combine, libcalico-go lib/backend/syncersv1/updateprocessors/rules.go.
"""

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from aksnav.model.addresses import Prefix, parse_prefix
from aksnav.model.kubernetes.calico import EntityRule
from aksnav.trace.policy.calico import selector
from aksnav.trace.policy.calico.labelled import (
    ACCOUNT,
    NAMESPACE,
    OF_ACCOUNT,
    OF_NAMESPACE,
    Book,
    Labelled,
    candidates,
    within,
)
from aksnav.trace.policy.calico.services import Services
from aksnav.trace.policy.namespaces import NamespaceLabels
from aksnav.trace.policy.rules import DEPENDS, Said, Target
from aksnav.trace.policy.who import Sort, Who
from aksnav.trace.ternary import Answer, Unknown, every, some


class Scene(msgspec.Struct, frozen=True, gc=False):
    """What the answers depend on besides the rule."""

    namespaces: NamespaceLabels
    book: Book
    services: Services


def choose(text: str, thing: Labelled, prefix: str = "") -> Answer:
    """Return whether a selector matches something.

    Args:
        text: the selector.
        thing: what it may match.
        prefix: of the labels that it asks for: those of the namespace, or of the service account.
    """
    node = selector.parse(text)
    if isinstance(node, selector.Invalid):
        return Unknown(node.why)
    if prefix == OF_NAMESPACE:
        return selector.evaluate(node, lambda key: thing.value(prefix + key), thing.namespaced, not thing.namespaced)
    return selector.evaluate(node, lambda key: thing.value(prefix + key))


def named(side: EntityRule, word: str, namespace: str, who: Who, target: Target | None, scene: Scene) -> Iterator[Said]:
    """Yield what each criterion of a side but its ports says of a party; those that are not given say nothing.

    Args:
        side: source or destination of a rule.
        word: which of them.
        namespace: the policy's own, empty for a global one.
        who: the party at that side.
        target: the port, at the destination.
        scene: namespaces, sets and Services.
    """
    if _selects(side, namespace):
        yield _selected(side, word, namespace, who, scene)
    elif side.not_selector:
        yield _not_selected(side, word, who, scene)
    if side.nets:
        yield _nets(side.nets, f"{word}.nets", who)
    if side.not_nets:
        yield _not_nets(side.not_nets, f"{word}.notNets", who)
    if side.services is not None:
        ident = f"{side.services.namespace or namespace}/{side.services.name}"
        answer = scene.services.holds(ident, who, target)
        verb = "is not" if answer is False else "is"
        yield Said(answer, f"{word}.services: {who.label} {verb} an endpoint of {ident}")
    if side.unmodelled:
        name = f"{word}.{side.unmodelled[0]}"
        yield Said(Unknown(f"{name} is not modelled"), name)


def _selects(side: EntityRule, namespace: str) -> bool:
    """Return whether a side names endpoints; a namespaced policy's notSelector alone confines it to its namespace."""
    given = side.selector or side.namespace_selector or side.service_accounts is not None
    return bool(given or (namespace and side.not_selector))


def _selected(side: EntityRule, word: str, namespace: str, who: Who, scene: Scene) -> Said:
    answers: list[Answer] = []
    missed = ""
    for thing, there, name in candidates(who, scene.book, scene.namespaces):
        answer, field = _matches(side, namespace, thing)
        answer = every((there, answer))
        if answer is True:
            return Said(True, f"{word}.{_fields(side)} matches {name}")
        missed = missed or (field if answer is False else "")
        answers.append(answer)
    unsure = some(answers)
    if unsure is False and who.sort is not Sort.POD and who.unsure:
        unsure = Unknown(f"{who.label} may be a Pod: {who.unsure}")
    if isinstance(unsure, Unknown):
        return Said(unsure, f"{word}.{_fields(side)}")
    if not answers:
        depends = f": {DEPENDS}" if who.sort is Sort.ANY_CLIENT and scene.book.addressed else ""
        return Said(False, f"{word}.{_fields(side)} matches Pods and network sets, and {who.label} is in none{depends}")
    return Said(False, f"{word}.{missed or _fields(side)} does not match {who.label}")


def _matches(side: EntityRule, namespace: str, thing: Labelled) -> tuple[Answer, str]:
    """Return whether a side's selectors match one thing, and the field that says no."""
    unsure: Answer = True
    for field, answer in _answers(side, namespace, thing):
        if answer is False:
            return False, field
        unsure = every((unsure, answer))
    return unsure, ""


def _answers(side: EntityRule, namespace: str, thing: Labelled) -> Iterator[tuple[str, Answer]]:
    if side.namespace_selector:
        text = side.namespace_selector
        yield f"namespaceSelector {text}", choose(text, thing, OF_NAMESPACE)
    elif namespace:
        yield f"scope, namespace {namespace},", _is(thing.value(NAMESPACE), namespace)
    accounts = side.service_accounts
    if accounts is not None and accounts.names:
        value = thing.value(ACCOUNT)
        answer: Answer = value if isinstance(value, Unknown) else value in accounts.names
        yield f"serviceAccounts.names {', '.join(accounts.names)}", answer
    if accounts is not None and accounts.selector:
        yield f"serviceAccounts.selector {accounts.selector}", choose(accounts.selector, thing, OF_ACCOUNT)
    if side.selector:
        yield f"selector {side.selector}", choose(side.selector, thing)
    if side.not_selector:
        answer = choose(side.not_selector, thing)
        yield f"notSelector {side.not_selector}", answer if isinstance(answer, Unknown) else not answer


def _is(value: str | Unknown | None, wanted: str) -> Answer:
    return value if isinstance(value, Unknown) else value == wanted


def _fields(side: EntityRule) -> str:
    accounts = side.service_accounts
    given = (
        ("namespaceSelector", side.namespace_selector),
        ("serviceAccounts", " ".join((*accounts.names, accounts.selector)) if accounts is not None else ""),
        ("selector", side.selector),
        ("notSelector", side.not_selector),
    )
    return ", ".join(f"{name} {text}" for name, text in given if text) or "selector"


def _not_selected(side: EntityRule, word: str, who: Who, scene: Scene) -> Said:
    """A notSelector with no selector beside it matches packets of everybody but those whom it names."""
    found = some(
        every((there, choose(side.not_selector, thing)))
        for thing, there, _ in candidates(who, scene.book, scene.namespaces)
    )
    if found is False and who.sort is not Sort.POD and who.unsure:
        found = Unknown(f"{who.label} may be a Pod: {who.unsure}")
    text = f"{word}.notSelector {side.not_selector}"
    if isinstance(found, Unknown):
        return Said(found, text)
    return Said(not found, f"{text} {'names' if found else 'does not name'} {who.label}")


def _nets(texts: tuple[str, ...], field: str, who: Who) -> Said:
    told = f"{field} {', '.join(texts)}"
    answer = _in_any(texts, who)
    if answer is False and who.sort is Sort.ANY_CLIENT:
        return Said(False, f"{told} does not cover every client of the internet: {DEPENDS}")
    return Said(answer, f"{told} {'covers' if answer is True else 'does not cover'} {who.label}")


def _not_nets(texts: tuple[str, ...], field: str, who: Who) -> Said:
    told = f"{field} {', '.join(texts)}"
    found = _in_any(texts, who)
    if isinstance(found, Unknown):
        return Said(found, told)
    if found is False and who.sort is Sort.ANY_CLIENT:
        return Said(True, f"{told} does not cover every client of the internet: {DEPENDS}")
    return Said(not found, f"{told} {'covers' if found else 'does not cover'} {who.label}")


def _in_any(texts: tuple[str, ...], who: Who) -> Answer:
    return some(within(prefix, who) for prefix in _prefixes(texts))


@lru_cache(maxsize=4096)
def _prefixes(texts: tuple[str, ...]) -> tuple[Prefix, ...]:
    return tuple(prefix for prefix in map(parse_prefix, texts) if prefix is not None)
