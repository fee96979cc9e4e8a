"""``aksnav check``: the sweep over everything."""

import argparse
import sys

from aksnav import __version__
from aksnav.checks.catalogue import find_check
from aksnav.checks.sweep import blind_spots, sweep, undecided_ways
from aksnav.cli.reading import encode, load, options_of
from aksnav.model.text import plain
from aksnav.report.data import finding_data
from aksnav.report.markdown import findings_markdown
from aksnav.report.sarif import sarif
from aksnav.report.text import finding_lines

UNDECIDED = 3


def run(args: argparse.Namespace) -> int:
    """Run the command; 1 with findings, 3 without any but with something that is not known, else 0."""
    store = load(options_of(args))
    findings = sweep(store)
    blind = blind_spots(store)
    undecided = undecided_ways(store)
    if args.output == "json":
        rows = []
        for finding in findings:
            check = find_check(finding.id)
            rows.append(finding_data(finding, "" if check is None else check.title))
        print(encode({"findings": rows, "not_read": blind, "undecided": undecided}))
    elif args.output == "sarif":
        print(encode(sarif(findings, [*blind, *undecided], __version__)))
    elif args.output == "markdown":
        print("\n".join(findings_markdown(findings, [*blind, *undecided])))
    else:
        print("\n".join(finding_lines(findings)))
        for line in blind:
            print(plain(f"? not read: {line}"))
        for line in undecided:
            print(plain(f"? {line}"))
    sys.stdout.flush()
    if findings:
        return 1
    return UNDECIDED if blind or undecided else 0
