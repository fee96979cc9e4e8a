"""``aksnav explain``: what a check id means."""

import argparse

from aksnav.checks.catalogue import LETTERS, catalogue, find_check
from aksnav.cli.reading import CommandError


def run(args: argparse.Namespace) -> int:
    """Print the entry of a check, or the list of a letter's checks."""
    word = args.word.upper()
    if word in LETTERS:
        print(f"{word}: {LETTERS[word]}")
        for check in catalogue().values():
            if check.id.startswith(word):
                print(f"  {check.id} {'●' if check.checked else '○'} {check.title}")
        print("● aksnav looks for it  ○ described only")
        return 0
    found = find_check(word)
    if found is None:
        raise CommandError(
            f"no check is called {args.word}; aksnav explain S lists those of a letter ({' '.join(LETTERS)})"
        )
    print(f"{found.id}  {found.title}")
    lines = {
        "symptom": found.symptom,
        "proof": f"{found.proof}: {found.evidence}",
        "fix": found.fix,
        "source": found.source,
        "here": "aksnav looks for it" if found.checked else "described only: aksnav does not look for it yet",
    }
    for name, text in lines.items():
        if text:
            print(f"  {name:<8} {text}")
    return 0
