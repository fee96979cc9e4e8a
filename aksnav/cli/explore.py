"""``aksnav`` and ``aksnav demo``: the explorer."""

import argparse
import gc
import os
import sys

from aksnav.cli.reading import CommandError, options_of


def run(args: argparse.Namespace) -> int:
    """Run the explorer until the operator leaves it."""
    if args.demo == "list":
        from aksnav.sources.demo import SCENARIOS

        for name, scenario in SCENARIOS.items():
            print(f"{name:<28} {scenario.title}")
        return 0
    if os.environ.get("TERM", "dumb") in {"dumb", ""}:
        raise CommandError(
            "the explorer needs a terminal that can move its cursor, and TERM is dumb; try aksnav trace or check"
        )
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CommandError("the explorer needs a terminal; try aksnav trace or aksnav check")
    options = options_of(args)
    # Frames go out as soon as they are ready, and imports are quicker without the collector.
    os.environ.setdefault("TEXTUAL_FPS", "250")
    gc.disable()
    from aksnav.sources.errors import SourceError
    from aksnav.sources.feed import Feed
    from aksnav.ui.app import Explorer
    from aksnav.ui.slow_link import bound_frames

    try:
        feed = Feed(options)
    except SourceError as error:
        raise CommandError(str(error)) from error
    bound_frames()
    app = Explorer(feed)
    gc.enable()
    gc.freeze()
    app.run(mouse=False)
    return app.return_code or 0
