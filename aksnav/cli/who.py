"""``aksnav who``: who can talk to a subject, and to whom it can talk, as far as policies decide."""

import argparse
import gc
import sys

from aksnav.cli.reading import CommandError, encode, load, options_of
from aksnav.report.who import talk_data, talk_lines, talk_markdown
from aksnav.report.who_matrix import matrix_data, matrix_lines, matrix_markdown
from aksnav.store import Store
from aksnav.trace.policy.reach import talk
from aksnav.trace.policy.reach_matrix import matrix
from aksnav.trace.policy.subject import parse_subject
from aksnav.trace.request import BadRequest

UNDECIDED = 3


def run(args: argparse.Namespace) -> int:
    """Run the command; 3 where anything of the answer is not known, else 0."""
    if args.matrix == (args.subject is not None):
        raise CommandError("who wants a SUBJECT or --matrix: aksnav who svc/NAMESPACE/NAME")
    collected = gc.isenabled()
    gc.disable()  # hundreds of thousands of rows, none of them in a cycle: looking through them frees nothing
    try:
        return _answer(args)
    finally:
        if collected:
            gc.enable()


def _answer(args: argparse.Namespace) -> int:
    store = load(options_of(args))
    if args.matrix:
        return _matrix(args, store)
    try:
        found = talk(store, parse_subject(store, args.subject))
    except BadRequest as error:
        raise CommandError(str(error)) from error
    if args.output == "json":
        print(encode(talk_data(found)))
    else:
        print("\n".join(talk_markdown(found) if args.output == "markdown" else talk_lines(found)))
    sys.stdout.flush()
    return UNDECIDED if found.undecided else 0


def _matrix(args: argparse.Namespace, store: Store) -> int:
    """Print namespaces against namespaces."""
    found = matrix(store)
    if args.output == "json":
        print(encode(matrix_data(found)))
    else:
        print("\n".join(matrix_markdown(found) if args.output == "markdown" else matrix_lines(found)))
    sys.stdout.flush()
    return UNDECIDED if found.undecided else 0
