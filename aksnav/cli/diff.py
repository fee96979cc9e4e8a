"""``aksnav diff``: what differs between two captures, or between a capture and the cluster as it is."""

import argparse
import sys

from aksnav.cli.reading import CommandError, encode, load
from aksnav.report.diff import difference, difference_data, difference_lines
from aksnav.sources.options import Options

DIFFERENT, UNDECIDED = 1, 3
DEMO = "demo:"


def run(args: argparse.Namespace) -> int:
    """Run the command; 1 where something differs, 3 where nothing does of what both could read, but not all, else 0."""
    before, after = (load(_options(args, word)) for word in (args.before, args.after))
    found = difference(before, after)
    if args.output == "json":
        print(encode(difference_data(found)))
    else:
        print("\n".join(difference_lines(found)))
    sys.stdout.flush()
    if not found.empty:
        return DIFFERENT
    return UNDECIDED if found.unknown else 0


def _options(args: argparse.Namespace, word: str) -> Options:
    """Return where one side is read from: a capture, ``demo:SCENARIO``, or ``live``."""
    if word == "live":
        return Options(context=args.context, kubeconfig=args.kubeconfig)
    if word.startswith(DEMO):
        return Options(demo=word.removeprefix(DEMO))
    if not word:
        raise CommandError("diff wants two captures: aksnav diff BEFORE AFTER")
    return Options(capture=word)
