"""Facts about the cluster, and words, as text and as data."""

from collections.abc import Iterator, Sequence
from textwrap import shorten, wrap
from typing import Any

from aksnav.about.fact import Fact
from aksnav.about.words import WORDS, Word
from aksnav.checks.catalogue import LETTERS, catalogue
from aksnav.checks.finding import Check
from aksnav.model.text import plain
from aksnav.trace.step import Evidence

WIDTH = 100
_NAME = 34
_FIRST = 74  # characters of the first sentence of a word


def word_lines(word: Word) -> Iterator[str]:
    """Yield what a word means, and where that is written."""
    yield word.name
    for line in wrap(word.text, WIDTH - 2):
        yield f"  {line}"
    yield f"  source: {word.source}"


def list_lines() -> Iterator[str]:
    """Yield what can be explained: the words, and the letters of checks."""
    yield "words"
    for word in WORDS:
        yield f"  {word.name:<24} {shorten(word.text.partition('. ')[0], _FIRST, placeholder=' …')}"
    yield "checks, by their letter"
    for letter, title in LETTERS.items():
        count = sum(check.id.startswith(letter) for check in catalogue().values())
        yield f"  {letter}  {title}: {count} checks"


def letter_lines(letter: str) -> Iterator[str]:
    """Yield the checks of a letter, and which of them the program looks for."""
    yield f"{letter}: {LETTERS[letter]}"
    for check in catalogue().values():
        if check.id.startswith(letter):
            yield f"  {check.id} {'●' if check.checked else '○'} {check.title}"
    yield "● aksnav looks for it  ○ described only"


def check_lines(found: Check) -> Iterator[str]:
    """Yield the entry of a check in the catalogue."""
    yield f"{found.id}  {found.title}"
    lines = {
        "symptom": found.symptom,
        "proof": f"{found.proof}: {found.evidence}",
        "fix": found.fix,
        "source": found.source,
        "here": "aksnav looks for it" if found.checked else "described only",
        "unread": "" if found.checked else found.unread,
    }
    for name, text in lines.items():
        if text:
            yield f"  {name:<8} {text}"


def fact_lines(facts: Sequence[Fact]) -> Iterator[str]:
    """Yield facts, each with the fields that it came from; every line goes through ``plain``.

    Facts that say the same of several parts (of pools, of load balancers) are one, with the fields of the first.
    """
    told = list(_together(facts))
    width = min(max((len(plain(name, _NAME)) for name, _, _ in told), default=0), _NAME)
    for name, fact, more in told:
        value = fact.value if fact.known else f"unknown: not readable: {fact.missing}"
        yield plain(f"  {'●' if fact.known else '?'} {name:<{width}}  {value}")
        if fact.note:
            yield plain(f"      {fact.note}")
        for line in _proofs(fact.evidence):
            yield plain(f"      because {line}") + (f"  (and {more} more alike)" if more else "")


def _together(facts: Sequence[Fact]) -> Iterator[tuple[str, Fact, int]]:
    """Yield facts with their names; those that differ in the last word of the name alone are one."""
    run: list[Fact] = []
    for fact in facts:
        if run and not _alike(run[-1], fact):
            yield _run(run)
            run = []
        run.append(fact)
    if run:
        yield _run(run)


def _alike(one: Fact, other: Fact) -> bool:
    same = (one.value, one.note, one.missing) == (other.value, other.note, other.missing)
    return same and one.name != other.name and _stem(one.name) == _stem(other.name) != ""


def _stem(name: str) -> str:
    return name.rpartition(" ")[0]


def _run(run: Sequence[Fact]) -> tuple[str, Fact, int]:
    last = ", ".join(fact.name.rpartition(" ")[2] for fact in run)
    name = f"{_stem(run[0].name)} {last}" if len(run) > 1 else run[0].name
    return name, run[0], len(run) - 1


def _proofs(evidence: Sequence[Evidence]) -> Iterator[str]:
    """Yield one line for each object, with all of its fields."""
    by_object: dict[str, list[str]] = {}
    for proof in evidence:
        where = f"{proof.subject} " if proof.subject is not None else ""
        by_object.setdefault(where, []).append(f"{proof.field} = {_short(proof.value)}")
    for where, fields in by_object.items():
        yield where + ", ".join(fields)


def _short(value: str) -> str:
    """Return an ARM id without its subscription and resource group, which every line would repeat."""
    _, found, rest = value.partition("/providers/")
    return f"…/{rest.partition('/')[2]}" if found and value.startswith("/subscriptions/") else value


def facts_data(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """Return facts for JSON: a value of null is one that nobody says."""
    return [
        {
            "name": fact.name,
            "value": fact.value or None,
            "note": fact.note,
            "missing": fact.missing,
            "evidence": [
                {
                    "object": None if proof.subject is None else {"kind": proof.subject.kind, "id": proof.subject.id},
                    "field": proof.field,
                    "value": proof.value,
                }
                for proof in fact.evidence
            ],
        }
        for fact in facts
    ]


def word_data(word: Word) -> dict[str, Any]:
    """Return a word for JSON."""
    return {"word": word.name, "text": word.text, "source": word.source}
