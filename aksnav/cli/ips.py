"""``aksnav ips``: the address plan, or who holds an address."""

import argparse
import sys

from aksnav.cli.reading import CommandError, encode, load, options_of
from aksnav.report.ips import answer_lines, plan_lines
from aksnav.report.ips_data import answer_data, plan_data
from aksnav.store import Store
from aksnav.trace.addressing.find import holders_of, parse_asked, who_holds
from aksnav.trace.addressing.forecast import State
from aksnav.trace.addressing.plan import plan
from aksnav.trace.request import BadRequest

FOUND, NOTHING, UNDECIDED = 0, 1, 3


def run(args: argparse.Namespace) -> int:
    """Run the command.

    The plan: 1 where something runs out or overlaps, 3 where that is not known, else 0. An address: 0 where a holder is
    known, 3 where somebody who is not read may hold it, 1 where nobody does.
    """
    try:
        asked = parse_asked(args.address) if args.address else None
    except BadRequest as error:
        raise CommandError(str(error)) from error
    store = load(options_of(args))
    if asked is None:
        return _plan(args, store)
    answer = who_holds(store, asked)
    if args.output == "json":
        print(encode(answer_data(answer)))
    else:
        print("\n".join(line.text for line in answer_lines(answer)))
    sys.stdout.flush()
    if answer.holders:
        return FOUND
    return UNDECIDED if answer.missing or answer.maybe else NOTHING


def _plan(args: argparse.Namespace, store: Store) -> int:
    found = plan(store)
    if args.output == "json":
        print(encode(plan_data(found, {use.subnet.id: holders_of(store, use) for use in found.subnets})))
    else:
        print("\n".join(line.text for line in plan_lines(found)))
    sys.stdout.flush()
    if found.outlook.state is State.OUT or any(item.certain for item in found.overlaps):
        return NOTHING
    return FOUND if found.outlook.state is State.FITS and not found.missing else UNDECIDED
