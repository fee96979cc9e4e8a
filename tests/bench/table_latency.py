"""How quick the table is: keys in a pseudo-terminal of 160 x 50, and the single operations. Started by hand.

Usage: python tests/bench/table_latency.py [ROWS] [KEYS]
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from aksnav.ui.widgets.ordering import OrderedRows
from tests.ui.table_app import Record, records
from tests.ui.terminal import Terminal, python


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def share(values: Sequence[float], percent: int) -> float:
    """Answer with the value below which so many per cent of the others are."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def keys(rows: int, count: int, changes: int) -> None:
    """Press Down so often, 25 times a second, and print the time to the first byte and the bytes of each key."""
    start = time.perf_counter()
    argv = python("tests/ui/table_app.py", str(rows), str(changes))
    with Terminal(argv, columns=160, lines=50, env={"TEXTUAL_FPS": "250"}) as terminal:
        terminal.read_until(lambda text: "▸ row-000000" in text and "row-000048" in text)
        ready = time.perf_counter() - start
        terminal.read_for(1.0)
        waits, sizes = [], []
        for _ in range(count):
            pressed = time.perf_counter()
            terminal.write("j")
            written = terminal.read(1.0)
            waits.append((time.perf_counter() - pressed) * 1000)
            written += terminal.read_for(0.04)
            sizes.append(len(written))
        idle = len(terminal.read_for(1.0))
    say(
        f"rows {rows} changes/s {changes}: ready {ready:.2f} s; key ms p50 {share(waits, 50):.1f}"
        f" p90 {share(waits, 90):.1f} p99 {share(waits, 99):.1f}; bytes/key p50 {share(sizes, 50)}"
        f" mean {statistics.mean(sizes):.0f}; bytes in the second after {idle}"
    )


def timed(name: str, work: Callable[[], object], repeat: int = 5) -> None:
    """Print the median time of some work."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    say(f"{name}: {statistics.median(times) * 1000:.2f} ms")


def operations(count: int) -> None:
    """Time what the rows behind a table do."""
    rows: OrderedRows[Record] = OrderedRows(lambda record: record.key)
    data = records(count)
    step = max(1, count // 1000)
    same = {record.key: Record(record.number, record.name, "failed") for record in data[::step]}
    other = {record.key: Record(record.number + 7 * step, record.name, "failed") for record in data[::step]}
    timed(f"set {count} rows", lambda: rows.replace(data))
    timed("sort by name", lambda: rows.sort(lambda record: record.name))
    timed("sort by number", lambda: rows.sort(lambda record: record.number, reverse=True))
    timed("set rows when sorted", lambda: rows.replace(data))
    timed("filter", lambda: rows.filter(lambda record: "99" in record.name))
    timed(f"change {len(same)} rows, one batch, places kept", lambda: rows.apply(same))

    def batch() -> None:
        rows.apply(other)
        rows.apply(same)

    def singly() -> None:
        for key, row in (*other.items(), *same.items()):
            rows.apply({key: row})

    timed(f"change {2 * len(other)} rows, two batches, places changed", batch)
    timed(f"change {2 * len(other)} rows, one by one, places changed", singly)


if __name__ == "__main__":
    row_count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    key_count = int(sys.argv[2]) if len(sys.argv) > 2 else 150
    operations(row_count)
    for changes_a_second in (0, 1000):
        keys(row_count, key_count, changes_a_second)
