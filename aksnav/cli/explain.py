"""``aksnav explain``: what a check id or a word of the network means, and how a cluster does it."""

import argparse
from datetime import UTC, datetime

from aksnav.about.words import WORDS, Word, find_word
from aksnav.checks.catalogue import LETTERS, catalogue, find_check
from aksnav.cli.reading import CommandError, encode, load, options_of
from aksnav.report.about import check_lines, fact_lines, facts_data, word_data, word_lines


def run(args: argparse.Namespace) -> int:
    """Print what a word means; with a cluster or a capture, how it is there."""
    asked = " ".join(args.word)
    if not asked:
        return _list()
    if asked.upper() in LETTERS:
        return _letter(asked.upper())
    check = find_check(asked)
    if check is not None:
        print("\n".join(check_lines(check)))
        return 0
    word = find_word(asked)
    if word is None:
        raise CommandError(f"nothing is known of {asked}; aksnav explain lists the words and the letters of checks")
    return _word(args, word)


def _list() -> int:
    print("words   " + ", ".join(word.name for word in WORDS))
    print("checks  " + ", ".join(f"{letter} ({title})" for letter, title in LETTERS.items()))
    print("aksnav explain WORD [--context C | --from-capture PATH | --demo] says how that cluster does it")
    return 0


def _letter(letter: str) -> int:
    print(f"{letter}: {LETTERS[letter]}")
    for check in catalogue().values():
        if check.id.startswith(letter):
            print(f"  {check.id} {'●' if check.checked else '○'} {check.title}")
    print("● aksnav looks for it  ○ described only")
    return 0


def _word(args: argparse.Namespace, word: Word) -> int:
    if not _asks_for_cluster(args):
        print(encode(word_data(word)) if args.output == "json" else "\n".join(word_lines(word)))
        return 0
    from aksnav.about.here import here

    facts = here(load(options_of(args)), word, datetime.now(UTC).date().isoformat())
    if args.output == "json":
        print(encode({**word_data(word), "here": facts_data(facts)}))
    else:
        print("\n".join([*word_lines(word), "here:", *fact_lines(facts)]))
    return 0


def _asks_for_cluster(args: argparse.Namespace) -> bool:
    """Whether the command line names a cluster: without one nothing is contacted."""
    named = (args.context, args.kubeconfig, args.cluster, args.capture)
    return any(named) or args.demo is not None or bool(args.namespaces) or args.all_namespaces
