"""``aksnav explain``: what a check id or a word of the network means, and how a cluster does it."""

import argparse
from datetime import UTC, datetime

from aksnav.about.words import Word, find_word
from aksnav.checks.catalogue import LETTERS, find_check
from aksnav.cli.reading import CommandError, encode, load, options_of
from aksnav.report.about import check_lines, fact_lines, facts_data, letter_lines, list_lines, word_data, word_lines


def run(args: argparse.Namespace) -> int:
    """Print what a word means; with a cluster or a capture, how it is there."""
    asked = " ".join(args.word)
    if not asked:
        return _list()
    if asked.upper() in LETTERS:
        print("\n".join(letter_lines(asked.upper())))
        return 0
    check = find_check(asked)
    if check is not None:
        print("\n".join(check_lines(check)))
        return 0
    word = find_word(asked)
    if word is None:
        raise CommandError(f"nothing is known of {asked}; aksnav explain lists the words and the letters of checks")
    return _word(args, word)


def _list() -> int:
    print("\n".join(list_lines()))
    print("aksnav explain WORD [--context C | --from-capture PATH | --demo] says how that cluster does it")
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
