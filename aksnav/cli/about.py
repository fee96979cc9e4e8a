"""``aksnav about``: what this cluster is, each fact with the field that says so."""

import argparse
from datetime import UTC, datetime

from aksnav.about.cluster import cluster_facts
from aksnav.cli.reading import encode, load, options_of
from aksnav.report.about import fact_lines, facts_data


def run(args: argparse.Namespace) -> int:
    """Print the facts."""
    facts = cluster_facts(load(options_of(args)), datetime.now(UTC).date().isoformat())
    if args.output == "json":
        print(encode({"facts": facts_data(facts)}))
    else:
        print("\n".join(fact_lines(facts)))
    return 0
