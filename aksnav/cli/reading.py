"""From options to a store that is read once, for the commands that do not stay."""

import argparse
from typing import Any

from aksnav.model.kinds import find_kind
from aksnav.sources.options import Options
from aksnav.store import Store


class CommandError(Exception):
    """A command cannot do what it was asked to; the message is one line: what, where, what to do."""


def options_of(args: argparse.Namespace) -> Options:
    """Return the options of a command line.

    Raises:
        CommandError: --assume-none names a kind that does not exist.
    """
    names = []
    for word in filter(None, args.assume_none.split(",")):
        kind = find_kind(word.strip())
        if kind is None:
            raise CommandError(f"--assume-none {word}: no such kind")
        names.append(kind.name)
    return Options(
        context=args.context,
        kubeconfig=args.kubeconfig,
        namespaces=tuple(args.namespaces),
        all_namespaces=args.all_namespaces,
        cluster=args.cluster,
        no_azure=args.no_azure,
        capture=args.capture,
        demo=args.demo,
        assume_none=tuple(names),
    )


def load(options: Options) -> Store:
    """Return a store that holds everything that could be read.

    Raises:
        CommandError: the source cannot be used at all.
    """
    from aksnav.sources.errors import SourceError
    from aksnav.sources.feed import load_once

    store = Store(at_once=True)
    try:
        for change in load_once(options):
            store.apply(change)
    except SourceError as error:
        raise CommandError(str(error)) from error
    return store


def encode(value: Any) -> str:
    """Return a JSON document in one line; foreign text in it is escaped by JSON, so that no byte of it acts."""
    import json

    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))
