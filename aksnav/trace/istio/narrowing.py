"""Sidecars (networking.istio.io): which hosts the proxy of a workload knows, and what it does with others.

Source: Istio reference, "Sidecar": the one that selects the workload, else that of its namespace without a selector,
else that of the root namespace; ``egress[].hosts`` are ``namespace/name`` with ``*``, ``.`` and ``~``.
"""

from collections.abc import Sequence

from aksnav.model.kubernetes.istio import Sidecar
from aksnav.model.kubernetes.workload import Pod
from aksnav.store import Store
from aksnav.trace.istio import hosts
from aksnav.trace.istio.scope import EVERYWHERE, by_age, root, root_unsure, selects, unread

REGISTRY_ONLY = "REGISTRY_ONLY"


def sidecar_of(store: Store, pod: Pod) -> Sidecar | None:
    """Return the Sidecar that configures a Pod's proxy; None where none that is known does."""
    rows = by_age(store, store.sidecars)
    near = [row for row in rows if row.namespace == pod.namespace]
    own = [row for row in near if _labels(row) and selects(_labels(row), pod.labels)]
    wide = [row for row in near if not _labels(row)]
    mesh = [row for row in rows if row.namespace == root(store) and not _labels(row)]
    return next(iter((*own, *wide, *mesh)), None)


def hidden(store: Store) -> str:
    """Return why another Sidecar may configure a proxy than the one that is known, or an empty string."""
    return unread(store, (Sidecar.KIND,)) or root_unsure(store, store.sidecars)


def knows(row: Sidecar, name: str, namespace: str) -> bool:
    """Return whether a Sidecar lists a host of a namespace among those that the proxy knows."""
    return not row.egress or any(_lists(item.hosts, name, namespace, row.namespace) for item in row.egress)


def _lists(listed: Sequence[str], name: str, namespace: str, own: str) -> bool:
    for text in listed:
        where, _, host = text.lower().rpartition("/")
        fits = where in {"", EVERYWHERE} or namespace == (own if where == "." else where)
        if fits and hosts.covers(host, name):
            return True
    return False


def _labels(row: Sidecar) -> dict[str, str]:
    return row.workload_selector.wanted if row.workload_selector is not None else {}
