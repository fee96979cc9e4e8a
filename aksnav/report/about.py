"""Facts about the cluster, and words, as text and as data."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from aksnav.about.fact import Fact
from aksnav.about.words import Word
from aksnav.checks.finding import Check
from aksnav.model.text import plain
from aksnav.trace.step import Evidence

WIDTH = 100


def word_lines(word: Word) -> Iterator[str]:
    """Yield what a word means, and where that is written."""
    yield word.name
    for line in wrap(word.text, WIDTH - 2):
        yield f"  {line}"
    yield f"  source: {word.source}"


def check_lines(found: Check) -> Iterator[str]:
    """Yield the entry of a check in the catalogue."""
    yield f"{found.id}  {found.title}"
    lines = {
        "symptom": found.symptom,
        "proof": f"{found.proof}: {found.evidence}",
        "fix": found.fix,
        "source": found.source,
        "here": "aksnav looks for it" if found.checked else "described only: aksnav does not look for it yet",
    }
    for name, text in lines.items():
        if text:
            yield f"  {name:<8} {text}"


def fact_lines(facts: Sequence[Fact]) -> Iterator[str]:
    """Yield facts, each with the fields that it came from; every line goes through ``plain``."""
    width = max((len(plain(fact.name, 40)) for fact in facts), default=0)
    for fact in facts:
        value = fact.value if fact.known else f"unknown: not readable: {fact.missing}"
        yield plain(f"  {'●' if fact.known else '?'} {fact.name:<{width}}  {value}")
        if fact.note:
            yield plain(f"    {'':<{width}}  {fact.note}")
        for proof in fact.evidence:
            yield plain(f"    {'':<{width}}  because {_proof(proof)}")


def _proof(proof: Evidence) -> str:
    where = f"{proof.subject} " if proof.subject is not None else ""
    return f"{where}{proof.field} = {_short(proof.value)}"


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
