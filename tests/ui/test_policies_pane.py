"""The pane of policies: those of every engine, with whom each selects."""

from aksnav.store.store import Store
from aksnav.ui.panes.policies import Policies, directions
from tests.unit.trace_edge.world import made
from tests.unit.trace_edge.world import policy as kubernetes
from tests.unit.trace_policy_calico.cluster import calico


def lines(store: Store) -> list[list[str]]:
    """Return the cells of every row, but for the number of Pods."""
    pane = Policies(store)
    columns = [column for column in pane.columns() if column.key != "pods"]
    return [[column.cell(row) for column in columns] for row in pane.rows()]


def test_calicos_policies_stand_beside_kubernetes() -> None:
    """Kind, directions and selector in Calico's own words."""
    store = made(
        kubernetes("shop/k"),
        calico("shop/default.p", selector="app == 'web'", egress=[{"action": "Allow"}]),
        calico("default.g", namespaceSelector="team == 'red'", types=["Ingress", "Egress"]),
        calico("default.all"),
    )
    assert lines(store) == [
        ["shop/k", "NP", "in", "(everything)"],
        ["shop/default.p", "CaNP", "out", "app == 'web'"],
        ["default.g", "GNP", "in,out", "namespaces team == 'red'"],
        ["default.all", "GNP", "in", "all()"],
    ]
    assert directions(next(iter(store.calico_policies))) == "out"
