"""Pane 5: policies, the directions that each isolates, and the Pods that it selects."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar

from aksnav.model.kubernetes.calico import CalicoNetworkPolicy
from aksnav.model.kubernetes.policy import CiliumNetworkPolicy, NetworkPolicy
from aksnav.store import Store
from aksnav.ui.panes.pane import Pane
from aksnav.ui.widgets.columns import Column

Row = NetworkPolicy | CiliumNetworkPolicy | CalicoNetworkPolicy
_SHORT = {
    "NetworkPolicy": "NP",
    "CiliumNetworkPolicy": "CNP",
    "CiliumClusterwideNetworkPolicy": "CCNP",
    "CalicoNetworkPolicy": "CaNP",
    "GlobalNetworkPolicy": "GNP",
}


def directions(row: Row) -> str:
    """Return the directions that the policy speaks of."""
    if isinstance(row, NetworkPolicy | CalicoNetworkPolicy):
        return ",".join("in" if word == "Ingress" else "out" for word in row.types)
    keys = {key.lower() for rule in row.rules for key in rule}
    return ",".join(
        word for word, start in (("in", "ingress"), ("out", "egress")) if any(k.startswith(start) for k in keys)
    )


class Policies(Pane[Row]):
    """Policies of every kind."""

    number: ClassVar[int] = 5
    heading: ClassVar[str] = "Policies"
    kinds: ClassVar[tuple[str, ...]] = (*_SHORT, "Pod")

    def __init__(self, store: Store, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(store, id=id)
        self._counted = (-1, False)
        self.table.sort_by("name")

    def columns(self) -> Sequence[Column[Row]]:
        """Return name, kind, directions, and whom it selects."""
        return (
            Column("name", "POLICY", lambda row: row.id, width=22, min_width=14, flex=2, elide="middle"),
            Column("kind", "KIND", lambda row: _SHORT[row.KIND], width=4, priority=3),
            Column("directions", "DIR", directions, width=6, priority=1),
            Column("pods", "PODS", self._pods, width=4, align="right", priority=2),
            Column("selector", "SELECTS", selects, width=14, min_width=8, flex=2, priority=1),
        )

    def key(self, row: Row) -> str:
        """Return kind and id."""
        return str(row.ref)

    def rows(self) -> Sequence[Row]:
        """Return every policy."""
        return [row for kind in _SHORT for row in self.store.tables[kind]]

    def changed(self, versions: tuple[int, ...]) -> tuple[Mapping[str, Row], AbstractSet[str]] | None:
        """Return what the journals say."""
        rows: dict[str, Row] = {}
        gone: set[str] = set()
        known = (self.store.pod_classes.version, self.store.pods.access().complete)
        if self._counted != known:
            self._counted = known
            self.table.redraw()  # the number of selected Pods is not in the rows
        for kind, version in zip(self.kinds[:-1], versions[:-1], strict=True):
            table = self.store.tables[kind]
            idents = table.changed_since(version)
            if idents is None:
                return None
            for ident in idents:
                row: Any = table.get(ident)
                if row is None:
                    gone.add(f"{kind} {ident}")
                else:
                    rows[f"{kind} {ident}"] = row
        return rows, gone

    def _pods(self, row: Row) -> str:
        if not isinstance(row, NetworkPolicy):
            return ""
        if not self.store.pods.access(row.namespace).complete:
            return "?"
        return str(len(self.store.pod_classes.matching(row.namespace, row.pod_selector)))


def selects(row: Row) -> str:
    """Return whom the policy selects."""
    if isinstance(row, NetworkPolicy):
        return str(row.pod_selector)
    if isinstance(row, CalicoNetworkPolicy):
        given = (row.selector, row.namespace_selector and f"namespaces {row.namespace_selector}")
        return ", ".join(filter(None, given)) or "all()"
    return "; ".join(selector_words(rule.get("endpointSelector", rule.get("nodeSelector"))) for rule in row.rules)


def selector_words(selector: Any) -> str:
    """Return a selector of a Cilium policy as it is written for kubectl; what has another form is shown as it is."""
    if not isinstance(selector, dict):
        return "" if selector is None else str(selector)
    labels, wishes = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    if (
        not isinstance(labels, dict)
        or not isinstance(wishes, list)
        or not all(isinstance(wish, dict) for wish in wishes)
    ):
        return str(selector)
    words = [f"{key}={value}" for key, value in labels.items()]
    words += [f"{wish.get('key')} {wish.get('operator')} {wish.get('values') or ''}".strip() for wish in wishes]
    return ",".join(words) or "(everything)"
