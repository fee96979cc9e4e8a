"""The commands. Nothing heavy is imported before a command needs it: this module costs what argparse costs."""

import os
import sys
from collections.abc import Sequence

USAGE_ERROR = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 delivered (or nothing found), 1 not delivered (or findings), 3 undecided, 2 a usage or connection error, which is
    one line on standard error.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words in (["--version"], ["-V"]):
        from aksnav import __version__

        print(f"aksnav {__version__}")
        return 0
    from aksnav.cli.parser import parse
    from aksnav.cli.reading import CommandError
    from aksnav.model.text import plain

    args = parse(words)
    try:
        return int(args.run(args))
    except CommandError as error:
        print(plain(f"aksnav: {error}"), file=sys.stderr)
        return USAGE_ERROR
    except BrokenPipeError:
        # The reader of our output has gone (head, less): that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if os.environ.get("AKSNAV_DEBUG"):
            raise
        line = f"aksnav: a fault of aksnav itself: {type(error).__name__}: {error}; AKSNAV_DEBUG=1 shows where"
        print(plain(line), file=sys.stderr)
        return USAGE_ERROR
