"""Namespaces against namespaces, as text, JSON and Markdown."""

from collections.abc import Iterator
from typing import Any

from aksnav.model.text import plain
from aksnav.report.markdown import code
from aksnav.trace.policy.reach_matrix import Matrix

_WIDEST = 14
_NAMED = 8


def matrix_lines(matrix: Matrix) -> Iterator[str]:
    """Yield a grid, sources down and destinations across; of many namespaces, a line for each source and answer."""
    yield "workload pairs between which policies let connections through, from the namespace at the left"
    if len(matrix.namespaces) <= _WIDEST:
        yield from _grid(matrix)
    else:
        yield from _list(matrix)
    for text in matrix.missing:
        yield plain(f"? not read: {text}")


def _grid(matrix: Matrix) -> Iterator[str]:
    names = [plain(name, 40) for name in matrix.namespaces]
    columns = [
        [name, *(str(matrix.cells[source, target]) for source in matrix.namespaces)]
        for name, target in zip(names, matrix.namespaces, strict=True)
    ]
    table = [["", *names], *columns]
    widths = [max(map(len, column)) for column in table]
    for row in zip(*table, strict=True):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _list(matrix: Matrix) -> Iterator[str]:
    for source in matrix.namespaces:
        found: dict[str, list[str]] = {}
        for target in matrix.namespaces:
            cell = str(matrix.cells[source, target])
            found.setdefault(cell, []).append(target)
        ordered = sorted(found.items(), key=lambda item: -len(item[1]))
        for cell, names in ordered:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            yield plain(f"{source} → {cell:<12} {', '.join(names[:_NAMED])}{more}")


def matrix_data(matrix: Matrix) -> dict[str, Any]:
    """Return every two namespaces as one JSON object."""
    return {
        "namespaces": list(matrix.namespaces),
        "cells": [
            {"from": source, "to": target, "pairs": cell.total, "allowed": cell.yes, "undecided": cell.unknown}
            for (source, target), cell in matrix.cells.items()
        ],
        "not_read": list(matrix.missing),
    }


def matrix_markdown(matrix: Matrix) -> Iterator[str]:
    """Yield a Markdown table, sources down and destinations across."""
    names = [code(name).replace("|", "\\|") for name in matrix.namespaces]
    yield f"| from \\ to | {' | '.join(names)} |"
    yield "|---" * (len(names) + 1) + "|"
    for name, source in zip(names, matrix.namespaces, strict=True):
        cells = (str(matrix.cells[source, target]) for target in matrix.namespaces)
        yield f"| {name} | {' | '.join(cells)} |"
    if matrix.missing:
        yield ""
    yield from (f"- not read: {code(text)}" for text in matrix.missing)
