"""Makes docs/checks.md from the catalogue, and keeps the catalogue's word on which checks the program looks for.

``python -m tests.docs`` writes both; ``--check`` says whether they are current, and writes nothing.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from aksnav.checks.catalogue import LETTERS, catalogue
from aksnav.checks.finding import Check

ROOT = Path(__file__).parent.parent
CATALOGUE = ROOT / "aksnav" / "checks" / "catalogue.json"
PAGE = ROOT / "docs" / "checks.md"
_ID = re.compile(r'"([A-Z]\d\d)"')


def looked_for() -> set[str]:
    """Return the ids that stand in the code of traces and checks."""
    found: set[str] = set()
    for room in ("trace", "checks"):
        for path in (ROOT / "aksnav" / room).rglob("*.py"):
            found.update(_ID.findall(path.read_text(encoding="utf-8")))
    return found & set(catalogue())


def current() -> list[Check]:
    """Return the catalogue with the word on which checks are looked for brought up to date.

    What is looked for needs nothing more to be read; what is not has to say what that would be.
    """
    found = looked_for()
    checks = [
        msgspec.structs.replace(check, checked=check.id in found, unread="" if check.id in found else check.unread)
        for check in catalogue().values()
    ]
    silent = [check.id for check in checks if not check.checked and not check.unread]
    if silent:
        raise SystemExit(f"catalogue.json does not say in 'unread' what would have to be read for {', '.join(silent)}")
    return checks


def catalogue_text(checks: list[Check]) -> str:
    """Return the catalogue as it is kept: one check a line."""
    lines = ",\n".join(msgspec.json.encode(check).decode() for check in checks)
    return f"[\n{lines}\n]\n"


def page(checks: list[Check]) -> Iterator[str]:
    """Yield the lines of docs/checks.md."""
    count = sum(check.checked for check in checks)
    yield "# Checks"
    yield ""
    yield f"{len(checks)} faults have an id that is kept for good. aksnav looks for {count} of them today (●), in"
    yield "traces, in `aksnav check`, or in both; the others (○) are described so that their ids mean something, and"
    yield "are never reported: what would have to be read for each stands [at the end](#described-only)."
    yield "`proven`: the objects alone prove it. `likely`: one live check makes it certain. `hint`: a risk."
    yield ""
    yield "Made by `python -m tests.docs`; `aksnav explain ID` prints an entry with its evidence and source."
    for letter, name in LETTERS.items():
        yield f"\n## {letter}: {name}\n"
        yield "| id | | what is wrong | symptom | proof | fix |"
        yield "|---|---|---|---|---|---|"
        for check in checks:
            if check.id.startswith(letter):
                mark = "●" if check.checked else "○"
                cells = (check.title, check.symptom, str(check.proof), check.fix)
                yield f"| {check.id} | {mark} | " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield "\n## Described only\n"
    yield "The objects that are read do not prove these. What would have to be read:"
    yield ""
    yield "| id | what is wrong | to be read |"
    yield "|---|---|---|"
    for check in checks:
        if not check.checked:
            yield f"| {check.id} | {check.title} | {check.unread} |"


def main() -> int:
    """Write the page and the catalogue, or check them."""
    checks = current()
    wanted = {CATALOGUE: catalogue_text(checks), PAGE: "\n".join(page(checks)) + "\n"}
    if "--check" in sys.argv:
        stale = [path.name for path, text in wanted.items() if path.read_text(encoding="utf-8") != text]
        print(f"stale: {', '.join(stale)}; python -m tests.docs" if stale else "docs/checks.md is current")
        return 1 if stale else 0
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
