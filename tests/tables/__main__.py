"""How many rows the project's own tables have, and from which documents: ``python -m tests.tables``.

A table of routing is a module ``*_rows`` in this folder, or ``tests/unit/trace_gateway/rows.py``, with a list ``ROWS``
whose rows name their ``section``; the table of policies is ``policies.txt``.
"""

import importlib
from collections import Counter
from pathlib import Path

from tests.tables import policy_table
from tests.unit.trace_gateway import rows as gateway

_HERE = Path(__file__).resolve().parent


def routing() -> dict[str, Counter[str]]:
    """Return for each table of routing the number of rows by the document that they come from."""
    found: dict[str, Counter[str]] = {}
    for path in sorted(_HERE.glob("*_rows*.py")):
        if not path.name.startswith("test_"):
            table = importlib.import_module(f"tests.tables.{path.stem}")
            found[path.stem] = Counter(row.section.partition(",")[0] for row in table.ROWS)
    found["Gateway API"] = Counter(row.section.partition(",")[0] for row in gateway.ROWS)
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
