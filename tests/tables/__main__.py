"""How many rows the project's own tables have, and from which documents: ``python -m tests.tables``.

A table of routing is a module ``*_rows*`` in this folder or ``rows_*`` in ``tests/unit/trace_gateway``, with a list
``ROWS`` whose rows name their ``section``; the table of policies is ``policies.txt``.
"""

import importlib
from collections import Counter
from pathlib import Path

from tests.tables import policy_table

_HERE = Path(__file__).resolve().parent
_GATEWAY = _HERE.parent / "unit" / "trace_gateway"


def routing() -> dict[str, Counter[str]]:
    """Return for each table of routing the number of rows by the document that they come from."""
    names = [f"tests.tables.{path.stem}" for path in sorted(_HERE.glob("*_rows*.py"))]
    names += [f"tests.unit.trace_gateway.{path.stem}" for path in sorted(_GATEWAY.glob("rows_*.py"))]
    found: dict[str, Counter[str]] = {}
    for name in names:
        if ".test_" not in name:
            rows = importlib.import_module(name).ROWS
            found[name.removeprefix("tests.")] = Counter(row.section.partition(",")[0] for row in rows)
    return found


def main() -> None:
    """Print every table with its documents, and the sums."""
    sums = []
    for name, documents in routing().items():
        sums.append(sum(documents.values()))
        print(f"{sums[-1]:5}  {name}")
        for document, rows in sorted(documents.items()):
            print(f"       {rows:5}  {document}")
    print(f"{sum(sums):5}  rows of routing")
    print(f"{len(policy_table.rows()):5}  rows of policy (policies.txt)")


if __name__ == "__main__":
    main()
