"""Pane 3: nodes with the Pods on them, and Pods that no node has yet."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar

from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.store import Store, Table
from aksnav.ui.panes.pane import Pane
from aksnav.ui.widgets.columns import Column

Row = Node | Pod
_LAST = "\uffff"


def place(row: Row) -> tuple[str, str, str]:
    """Sort Pods behind their node; Pods without one come last. It makes no text, of which there would be 200,000."""
    return (row.node or _LAST, row.namespace, row.name) if isinstance(row, Pod) else (row.name, "", "")


def status(row: Row) -> str:
    """Return readiness in a word, with the reason where there is one."""
    if isinstance(row, Node):
        if row.ready is None:
            return "unknown"
        return ("ready" if row.ready else "not ready") + (", cordoned" if row.unschedulable else "")
    if row.deleting:
        return "terminating"
    if row.ready:
        return "ready"
    return row.reason if row.reason not in {"Running", ""} else "not ready"


def tone(row: Row) -> str:
    """Return the tone of ``status``."""
    if isinstance(row, Pod) and row.finished:
        return "muted"
    word = status(row)
    if word == "ready":
        return "good"
    return "bad" if word in {"not ready", "unknown"} or isinstance(row, Pod) else "warn"


def worst_first(row: Row) -> tuple[int, str, str]:
    """Sort by state: what is bad before what is good, then by name."""
    return ("bad", "warn", "muted", "good").index(tone(row)), status(row), row.id


def address(row: Row) -> str:
    """Return the primary address."""
    if isinstance(row, Pod):
        return row.ip
    ips = row.internal_ips
    return ips[0] if ips else ""


class NodesAndPods(Pane[Row]):
    """Nodes, and under each its Pods."""

    number: ClassVar[int] = 3
    heading: ClassVar[str] = "Nodes and Pods"
    kinds: ClassVar[tuple[str, ...]] = ("Node", "Pod")

    def __init__(self, store: Store, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(store, id=id)
        self.table.sort_by("name")

    def columns(self) -> Sequence[Column[Row]]:
        """Return name, status, address and what else there is."""
        return (
            Column(
                "name", "NODE / POD", lambda row: row.name if isinstance(row, Node) else row.id,
                width=26, min_width=14, flex=2, elide="middle", sort_key=place,
                prefix=lambda row: "" if isinstance(row, Node) else "  ",
                style=lambda row: "strong" if isinstance(row, Node) else "",
            ),
            Column("status", "STATUS", status, width=11, min_width=9, style=tone, sort_key=worst_first),
            Column("address", "ADDRESS", address, width=14, priority=1),
            Column("zone", "ZONE", lambda row: row.zone if isinstance(row, Node) else "", width=10, priority=3),
            Column("pool", "POOL", lambda row: row.pool if isinstance(row, Node) else "", width=10, priority=4),
            Column("restarts", "RESTARTS", restarts, width=8, align="right", priority=5, sort_key=_number),
            Column("owner", "OWNER", owner, width=20, priority=6, elide="middle"),
            Column("ports", "PORTS", _ports, width=16, priority=7),
        )  # fmt: skip

    def key(self, row: Row) -> str:
        """Return the id: a Pod's has a slash in it, a node's has none."""
        return row.id

    def rows(self) -> Sequence[Row]:
        """Return every node and every Pod."""
        return [*self.store.nodes, *self.store.pods]

    def changed(self, versions: tuple[int, ...]) -> tuple[Mapping[str, Row], AbstractSet[str]] | None:
        """Return what both journals say."""
        nodes = self.store.nodes.changed_since(versions[0])
        pods = self.store.pods.changed_since(versions[1])
        if nodes is None or pods is None:
            return None
        rows: dict[str, Row] = {}
        gone: set[str] = set()
        tables: tuple[tuple[Table[Any], set[str]], ...] = ((self.store.nodes, nodes), (self.store.pods, pods))
        for table, idents in tables:
            for ident in idents:
                row = table.get(ident)
                if row is None:
                    gone.add(ident)
                else:
                    rows[ident] = row
        return rows, gone


def _number(row: Row) -> int:
    return row.restarts if isinstance(row, Pod) else -1


def restarts(row: Row) -> str:
    """Return how often the containers were started again; nothing for none."""
    return str(row.restarts) if isinstance(row, Pod) and row.restarts else ""


def owner(row: Row) -> str:
    """Return what made the Pod."""
    if isinstance(row, Node) or not row.template.owner_name:
        return ""
    return f"{row.template.owner_kind}/{row.template.owner_name}"


def _ports(row: Row) -> str:
    if isinstance(row, Node):
        return ""
    return " ".join(f"{port.port}/{port.name}" if port.name else str(port.port) for port in row.template.ports)
