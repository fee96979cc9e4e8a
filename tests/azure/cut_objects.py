"""The base of ``ways_in`` with something of it taken away, and the trace of what is left."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aksnav.trace import parse_request, trace
from aksnav.trace.step import Trace
from tests.azure.cluster_objects import Objects, base
from tests.azure.ways_in import read

Bend = Callable[[Objects], None]
ILB = "https://10.224.0.200"


def traced(folder: Path, *bends: Bend, to: str = "https://20.50.1.7", source: str = "internet") -> Trace:
    """Return the trace of the base after some changes."""
    made = base()
    for bend in bends:
        bend(made)
    return trace(read(folder, made), parse_request(to, source=source))


def parts(made: Objects, part: str) -> Any:
    """Return a list of the load balancer's."""
    return made["lb"]["properties"][part]


def first(made: Objects) -> dict[str, Any]:
    """Return the load balancer's rule."""
    found: dict[str, Any] = parts(made, "loadBalancingRules")[0]["properties"]
    return found
