"""``aksnav capture``: what can be read, in one file to take away."""

import argparse
from pathlib import Path

from aksnav.cli.reading import CommandError, options_of
from aksnav.model.text import plain


def run(args: argparse.Namespace) -> int:
    """Write the file and say how much is in it."""
    from aksnav.sources.capturing import capture
    from aksnav.sources.errors import SourceError

    path = Path(args.file)
    options = options_of(args)
    if args.confirm and (options.demo is not None or options.capture is not None):
        raise CommandError("--confirm asks the living network: it does not go with --demo or --from-capture")
    try:
        made = capture(options, path, redact=args.redact, confirm=args.confirm)
    except SourceError as error:
        raise CommandError(str(error)) from error
    print(plain(f"{made.objects} objects in {path}; aksnav trace TARGET --from-capture {path} reads them"))
    for note in made.notes:
        print(plain(note))
    return 0
