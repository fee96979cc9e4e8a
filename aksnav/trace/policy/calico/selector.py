"""Calico's selector expressions: parsed, and evaluated against labels that may not all be known.

Source: Calico reference, "Network policy", section "Selectors"; what the page leaves open (blanks, quotes, an empty
list, several negations) as libcalico-go reads it (lib/selector: tokenizer and parser).
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

import msgspec

from aksnav.trace.ternary import Answer, Unknown, every, some

Lookup = Callable[[str], str | Unknown | None]
"""From a label's key to its value; None where the label is absent, Unknown where nobody can say."""

_DEEPEST = 100
_SHOWN = 120


class Invalid(msgspec.Struct, frozen=True, gc=False):
    """Why a text is no selector."""

    why: str


class Has(msgspec.Struct, frozen=True, gc=False):
    """``has(key)``."""

    key: str


class Compare(msgspec.Struct, frozen=True, gc=False):
    """A label's value against one or several: ``==``, ``!=``, ``in``, ``not in``, ``contains``, ``ends with``…."""

    key: str
    operator: str
    values: tuple[str, ...]


class Every(msgspec.Struct, frozen=True, gc=False):
    """``all()``."""


class Global(msgspec.Struct, frozen=True, gc=False):
    """``global()``."""


class Not(msgspec.Struct, frozen=True, gc=False):
    """``! operand``."""

    operand: "Node"


class And(msgspec.Struct, frozen=True, gc=False):
    """``a && b``."""

    operands: "tuple[Node, ...]"


class Or(msgspec.Struct, frozen=True, gc=False):
    """``a || b``."""

    operands: "tuple[Node, ...]"


Node = Has | Compare | Every | Global | Not | And | Or
_Token = tuple[str, str]
_BLANK = " \t"
_SIGNS = ("==", "!=", "&&", "||", "!", "(", ")", "{", "}", ",")
_WORDS = re.compile(r"contains|starts[ \t]*with|ends[ \t]*with|not[ \t]*in|in")
_CALL = re.compile(r"(has)\([ \t]*([A-Za-z0-9_./-]+)[ \t]*\)|(all|global)\([ \t]*\)")
_LABEL = re.compile(r"[A-Za-z0-9_./-]+")
_HALVES = ("=", "&", "|")


class _Unreadable(Exception):  # noqa: N818 - it never leaves this module
    """What is wrong with the text, and where."""


@lru_cache(maxsize=4096)
def parse(text: str) -> Node | Invalid:
    """Return what a selector says, or why it says nothing; an empty one is ``all()``."""
    try:
        tokens = [*_tokens(text), ("end", "")]
        if len(tokens) == 1:
            return Every()
        node, rest = _or(tokens, 0, 0)
        _expect(tokens, rest, "end")
    except _Unreadable as error:
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        return Invalid(f"selector {shown!r}: {error}")
    return node


def _tokens(text: str) -> Iterator[_Token]:
    """Yield the tokens of a text; what follows a label is an operator, so that ``in`` may be a label elsewhere."""
    at, last = 0, ""
    while True:
        while at < len(text) and text[at] in _BLANK:
            at += 1
        if at == len(text):
            return
        token, at = _token(text, at, after_label=last == "label")
        last = token[0]
        yield token


def _token(text: str, at: int, *, after_label: bool) -> tuple[_Token, int]:
    quote = text[at]
    if quote in "'\"":
        end = text.find(quote, at + 1)
        if end < 0:
            raise _Unreadable("a quoted text has no end")
        return ("text", text[at + 1 : end]), end + 1
    sign = next((item for item in _SIGNS if text.startswith(item, at)), "")
    if sign:
        return (sign, ""), at + len(sign)
    if quote in _HALVES:
        raise _Unreadable(f"{quote!r} stands alone at {at}: it is written twice")
    if after_label:
        found = _WORDS.match(text, at)
        if found is None:
            raise _Unreadable(f"no operator behind the label at {at}")
        word = found[0]
        return ("starts with" if word[0] == "s" else "ends with" if word[0] == "e" else _spaced(word), ""), found.end()
    call = _CALL.match(text, at)
    if call is not None:
        return ("has", call[2]) if call[1] else (call[3], ""), call.end()
    label = _LABEL.match(text, at)
    if label is None or text.startswith(("has(", "all(", "global("), at):
        raise _Unreadable(f"it cannot be read from {at} on")
    return ("label", label[0]), label.end()


def _spaced(word: str) -> str:
    return "not in" if word.startswith("not") else word


def _or(tokens: list[_Token], at: int, depth: int) -> tuple[Node, int]:
    node, at = _and(tokens, at, depth)
    operands = [node]
    while tokens[at][0] == "||":
        node, at = _and(tokens, at + 1, depth)
        operands.append(node)
    return (operands[0] if len(operands) == 1 else Or(tuple(operands))), at


def _and(tokens: list[_Token], at: int, depth: int) -> tuple[Node, int]:
    node, at = _operation(tokens, at, depth)
    operands = [node]
    while tokens[at][0] == "&&":
        node, at = _operation(tokens, at + 1, depth)
        operands.append(node)
    return (operands[0] if len(operands) == 1 else And(tuple(operands))), at


def _operation(tokens: list[_Token], at: int, depth: int) -> tuple[Node, int]:
    if depth > _DEEPEST:
        raise _Unreadable(f"more than {_DEEPEST} parentheses inside each other")
    negated = False
    while tokens[at][0] == "!":
        negated, at = not negated, at + 1
    word, value = tokens[at]
    node: Node
    if word == "(":
        node, at = _or(tokens, at + 1, depth + 1)
        _expect(tokens, at, ")")
        at += 1
    elif word == "label":
        node, at = _comparison(tokens, at, value)
    elif word in {"has", "all", "global"}:
        node, at = Has(value) if word == "has" else Every() if word == "all" else Global(), at + 1
    else:
        raise _Unreadable(f"{_told(tokens[at])} where an expression should begin")
    return (Not(node) if negated else node), at


def _comparison(tokens: list[_Token], at: int, key: str) -> tuple[Node, int]:
    operator, at = tokens[at + 1][0], at + 2
    if operator in {"in", "not in"}:
        _expect(tokens, at, "{")
        at += 1
        values: list[str] = []
        while tokens[at][0] == "text":
            values.append(tokens[at][1])
            at += 1
            if tokens[at][0] != ",":
                break
            at += 1
        _expect(tokens, at, "}")
        return Compare(key, operator, tuple(values)), at + 1
    if operator not in {"==", "!=", "contains", "starts with", "ends with"}:
        raise _Unreadable(f"no operator behind label {key!r}")
    _expect(tokens, at, "text")
    return Compare(key, operator, (tokens[at][1],)), at + 1


def _expect(tokens: list[_Token], at: int, word: str) -> None:
    if tokens[at][0] != word:
        wanted = {"text": "a quoted text", "end": "the end"}.get(word, repr(word))
        raise _Unreadable(f"{_told(tokens[at])} where {wanted} should stand")


def _told(token: _Token) -> str:
    word, value = token
    return {"end": "the end", "text": f"the text {value!r}", "label": f"the label {value!r}"}.get(word, repr(word))


def evaluate(node: Node, labels: Lookup, every_one: bool = True, global_one: bool = True) -> Answer:
    """Return whether a selector matches labels.

    Args:
        node: the selector.
        labels: what is selected by.
        every_one: what ``all()`` says.
        global_one: what ``global()`` says.
    """
    match node:
        case Every():
            return every_one
        case Global():
            return global_one
        case Has(key):
            value = labels(key)
            return value if isinstance(value, Unknown) else value is not None
        case Compare():
            value = labels(node.key)
            return value if isinstance(value, Unknown) else _holds(node, value)
        case Not(operand):
            answer = evaluate(operand, labels, every_one, global_one)
            return answer if isinstance(answer, Unknown) else not answer
        case And(operands):
            return every(evaluate(item, labels, every_one, global_one) for item in operands)
        case Or(operands):
            return some(evaluate(item, labels, every_one, global_one) for item in operands)


def _holds(node: Compare, value: str | None) -> bool:
    if value is None:
        return node.operator in {"!=", "not in"}
    match node.operator:
        case "==" | "in":
            return value in node.values
        case "!=" | "not in":
            return value not in node.values
        case "contains":
            return node.values[0] in value
        case "starts with":
            return value.startswith(node.values[0])
    return value.endswith(node.values[0])


def atoms(node: Node) -> Iterator[Has | Compare]:
    """Yield every question that a selector asks of a label."""
    match node:
        case Has() | Compare():
            yield node
        case Not(operand):
            yield from atoms(operand)
        case And(operands) | Or(operands):
            for item in operands:
                yield from atoms(item)


def names_global(node: Node) -> bool:
    """Return whether ``global()`` stands anywhere in a selector."""
    match node:
        case Global():
            return True
        case Not(operand):
            return names_global(operand)
        case And(operands) | Or(operands):
            return any(map(names_global, operands))
    return False
