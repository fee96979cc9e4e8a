"""Lines about this cluster, and about what a word or a check means."""

from collections.abc import Iterable
from datetime import UTC, datetime

from aksnav.about.cluster import cluster_facts
from aksnav.about.here import here
from aksnav.about.words import find_word
from aksnav.checks.catalogue import LETTERS, find_check
from aksnav.report.about import check_lines, fact_lines, letter_lines, list_lines, word_lines
from aksnav.store import Store
from aksnav.ui.text import Line, Span

_TONES = {"●": "", "?": "unknown"}


def about_lines(store: Store, now: float) -> list[Line]:
    """Return what this cluster is, fact by fact with its field.

    Args:
        store: what is known.
        now: seconds since the epoch.
    """
    return _lines(fact_lines(cluster_facts(store, _date(now))))


def explain_lines(asked: str, store: Store, now: float) -> list[Line]:
    """Return what a word or a check id means and how it is here; nothing where nothing is known of it.

    Without a word they are what can be explained; a letter of checks lists them.
    """
    if not asked:
        return _lines(list_lines())
    if asked.upper() in LETTERS:
        return _lines(letter_lines(asked.upper()))
    check = find_check(asked)
    if check is not None:
        return _lines(check_lines(check))
    word = find_word(asked)
    if word is None:
        return []
    return _lines([*word_lines(word), "", "here:", *fact_lines(here(store, word, _date(now)))])


def _date(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def _lines(texts: Iterable[str]) -> list[Line]:
    return [[Span(text, _tone(text))] for text in texts]


def _tone(text: str) -> str:
    if text.lstrip().startswith("because"):
        return "muted"
    return _TONES.get(text.lstrip()[:1], "")
