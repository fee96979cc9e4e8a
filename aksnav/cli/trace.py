"""``aksnav trace``: one request, or a file of them."""

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from aksnav.cli.reading import CommandError, encode, load, options_of
from aksnav.model.confirmation import Reply
from aksnav.report.confirmation import confirmation_data, confirmation_lines, confirmation_markdown, turned
from aksnav.report.data import answer
from aksnav.report.markdown import trace_markdown
from aksnav.report.picture import trace_mermaid, trace_svg
from aksnav.report.text import trace_lines
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.confirm import confirmed
from aksnav.trace.request import BadRequest
from aksnav.trace.step import Outcome, Trace

STATUS = {Outcome.DELIVERED: 0, Outcome.UNDECIDED: 3}
NOT_DELIVERED = 1


class Question(msgspec.Struct):
    """A line of a file of requests."""

    to: str
    id: str | int | None = None
    source: str = msgspec.field(name="from", default="internet")
    method: str = "GET"
    headers: dict[str, str] = {}
    resolve: str | None = None


def run(args: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    if (args.target is None) == (args.requests is None):
        raise CommandError("trace wants a TARGET or --requests FILE: aksnav trace https://HOST/PATH")
    if args.requests is not None:
        if args.confirm:
            raise CommandError("--confirm goes with one TARGET, not with --requests")
        if args.output not in {"", "json"}:
            raise CommandError("--requests answers in JSON lines: leave -o away, or -o json")
        return _many(args)
    if args.confirm and args.output in {"mermaid", "svg"}:
        raise CommandError(f"-o {args.output} has no place for what --confirm is told: -o text, json or markdown")
    try:
        request = parse_request(
            args.target, source=args.source, resolve=args.resolve or "", method=args.method, headers=args.header
        )
    except BadRequest as error:
        raise CommandError(str(error)) from error
    options = options_of(args)
    if args.confirm and (options.demo is not None or options.capture is not None):
        raise CommandError("--confirm asks the living network: it does not go with --demo or --from-capture")
    store = load(options)
    before = found = trace(store, request)
    replies = None
    if args.confirm:
        from aksnav.sources.confirm import ask

        found, replies = confirmed(
            store, before, partial(ask, azure=not options.no_azure), lambda: trace(store, request)
        )
    _print(args.output, before, found, replies)
    return STATUS.get(found.outcome, NOT_DELIVERED)


def _print(output: str, before: Trace, found: Trace, replies: list[Reply] | None) -> None:
    """Print a trace, with what it was before the living network was asked, and what that said."""
    match output:
        case "json":
            told = {} if replies is None else {"confirmations": confirmation_data(replies)}
            print(encode({**answer(found), **told}))
        case "markdown":
            print("\n".join([*trace_markdown(found), *confirmation_markdown(replies or ())]))
        case "mermaid" | "svg":
            print("\n".join(trace_mermaid(found) if output == "mermaid" else trace_svg(found)))
        case _:
            change = filter(None, (turned(before, found),))
            print("\n".join([*trace_lines(found), *confirmation_lines(replies or ()), *change]))


def _many(args: argparse.Namespace) -> int:
    """Answer every line of a file, in order; the worst answer decides the exit status."""
    worst = 0
    store = load(options_of(args))
    for line, status in _answers(store, _lines(args.requests)):
        print(encode(line))
        worst = _worse(worst, status)
    return worst


def _lines(path: str) -> Iterator[str]:
    """Yield the lines of a file, or of standard input for ``-``."""
    try:
        if path == "-":
            yield from sys.stdin
            return
        with Path(path).open(encoding="utf-8") as file:
            yield from file
    except OSError as error:
        raise CommandError(f"--requests {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"--requests {path}: not UTF-8 at byte {error.start}") from error


def _answers(store: Store, lines: Iterator[str]) -> Iterator[tuple[dict[str, Any], int]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            asked = msgspec.json.decode(line, type=Question)
        except msgspec.MsgspecError as error:
            raise CommandError(f"line {number} of the requests: {error}") from error
        ident = number if asked.id is None else asked.id
        try:
            request = parse_request(
                asked.to,
                source=asked.source,
                resolve=asked.resolve or "",
                method=asked.method,
                headers=[f"{name}: {value}" for name, value in asked.headers.items()],
            )
        except BadRequest as error:
            yield {"id": ident, "error": str(error)}, 2
            continue
        found = trace(store, request)
        yield answer(found, ident), STATUS.get(found.outcome, NOT_DELIVERED)


def _worse(a: int, b: int) -> int:
    """Return the exit status of the two that says more: an error, then not delivered, then undecided."""
    order = (0, 3, 1, 2)
    return max(a, b, key=order.index)
