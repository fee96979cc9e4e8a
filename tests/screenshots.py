"""Makes the pictures under screenshots/ from the running program on the built-in cluster.

``python -m tests.screenshots`` writes SVG, and PNG beside it; ``--check`` says whether the SVG that are there are those
of the program, and writes nothing.
"""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import resvg_py
from textual.pilot import Pilot

from aksnav.ui.app import Explorer
from tests.ui.demo_feed import NOW, DemoFeed
from tests.ui.settle import settle

FOLDER = Path(__file__).parent.parent / "screenshots"
WIDE, SMALL = (160, 45), (80, 24)
Steps = Callable[[Pilot[None]], Awaitable[None]]


async def _nothing(pilot: Pilot[None]) -> None:
    await settle(pilot)


def _keys(*keys: str) -> Steps:
    async def press(pilot: Pilot[None]) -> None:
        await pilot.press(*keys)
        await settle(pilot)

    return press


PICTURES: dict[str, tuple[str, tuple[int, int], Steps]] = {
    "explorer": ("faulty", WIDE, _keys("2", *["down"] * 15)),
    "broken-path": ("faulty", WIDE, _keys(*["down"] * 9)),
    "trace": ("faulty", WIDE, _keys(*["down"] * 9, "t")),
    "findings": ("faulty", WIDE, _keys("f")),
    "small": ("faulty", SMALL, _keys(*["down"] * 9)),
    "small-trace": ("faulty", SMALL, _keys(*["down"] * 9, "t")),
    "no-azure": ("no-azure", WIDE, _nothing),
}


async def picture(scenario: str, size: tuple[int, int], steps: Steps) -> str:
    """Return a screen as SVG, with nothing in it that differs from run to run."""
    app = Explorer(DemoFeed(scenario), clock=lambda: NOW)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await steps(pilot)
        svg = app.export_screenshot(title="aksnav")
    return re.sub(r"terminal-\d+-", "terminal-", svg)


async def _all() -> dict[str, str]:
    return {name: await picture(*how) for name, how in PICTURES.items()}


def main() -> int:
    """Write the pictures, or check them."""
    made = asyncio.run(_all())
    if "--check" in sys.argv:
        stale = [name for name, svg in made.items() if _read(name) != svg]
        print(
            f"stale: {', '.join(stale)}; python -m tests.screenshots" if stale else f"{len(made)} pictures are current"
        )
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name, svg in made.items():
        (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
        _png(name, svg)
    return 0


def _read(name: str) -> str:
    path = FOLDER / f"{name}.svg"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _png(name: str, svg: str) -> None:
    drawn = re.sub(r"font-family: [^;]+;", "font-family: DejaVu Sans Mono;", svg)
    (FOLDER / f"{name}.png").write_bytes(bytes(resvg_py.svg_to_bytes(svg_string=drawn, font_family="DejaVu Sans Mono")))


if __name__ == "__main__":
    raise SystemExit(main())
