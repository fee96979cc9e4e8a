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
    try:
        count = capture(options_of(args), path, redact=args.redact)
    except SourceError as error:
        raise CommandError(str(error)) from error
    print(plain(f"{count} objects in {path}; aksnav trace TARGET --from-capture {path} reads them"))
    return 0
