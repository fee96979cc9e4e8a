"""Which DestinationRule holds for traffic from a proxy to a Service: subsets, and TLS to its Pods.

Source: istio/istio pilot/pkg/model/push_context.go (destinationRule): the proxy's own namespace goes first, then the
Service's, then the root namespace; of several hosts the most specific one; rules for one host in one namespace are one.
"""

from collections.abc import Iterator

import msgspec

from aksnav.model.kubernetes.istio import ClientTLS, DestinationRule, Subset, TrafficPolicy
from aksnav.store import Store
from aksnav.trace.istio import hosts
from aksnav.trace.istio.scope import Workload, age, root, selects, visible
from aksnav.trace.memo import once


class Ruling(msgspec.Struct, frozen=True, gc=False):
    """The DestinationRules that hold for a host, as one; the first one gives the traffic policy."""

    rows: tuple[DestinationRule, ...]

    def subset(self, name: str) -> tuple[DestinationRule, int, Subset] | None:
        """Return a subset with its rule and its place in it, or None where no rule has one of the name."""
        for row in self.rows:
            for index, item in enumerate(row.subsets):
                if item.name == name:
                    return row, index, item
        return None

    def tls(self, subset: str, port: int) -> tuple[DestinationRule, str, ClientTLS] | None:
        """Return how TLS is spoken to a port, with the rule and the field that say so; None where none does."""
        found = self.subset(subset) if subset else None
        if found is not None and found[2].traffic_policy is not None:
            row, index, item = found
            said = _of_policy(item.traffic_policy, port)
            if said is not None:
                return row, f".spec.subsets[{index}].trafficPolicy{said[0]}", said[1]
        for row in self.rows:
            said = _of_policy(row.traffic_policy, port)
            if said is not None:
                return row, f".spec.trafficPolicy{said[0]}", said[1]
        return None


def _of_policy(policy: TrafficPolicy | None, port: int) -> tuple[str, ClientTLS] | None:
    """Settings of a port replace those of the whole (Istio reference, TrafficPolicy.portLevelSettings)."""
    if policy is None:
        return None
    for index, item in enumerate(policy.port_level_settings):
        if item.port.number == port:
            return (f".portLevelSettings[{index}].tls", item.tls) if item.tls is not None else None
    return (".tls", policy.tls) if policy.tls is not None else None


def ruling(store: Store, at: Workload, host: str, namespace: str) -> Ruling:
    """Return what holds for traffic from a proxy to a host.

    Args:
        store: what is known.
        at: the proxy.
        host: the full name of the Service.
        namespace: the Service's.
    """
    grouped = _by_namespace(store)
    for place in dict.fromkeys((at.namespace, namespace, root(store))):
        rows = [
            row
            for row in grouped.get(place, ())
            if hosts.covers(hosts.fqdn(row.host, row.namespace), host)
            and visible(row.export_to, row.namespace, at.namespace)
            and (row.workload_selector is None or _for_workload(row, at))
        ]
        if rows:
            return Ruling(tuple(_narrowest(rows, host)))
    return Ruling(())


def _narrowest(rows: list[DestinationRule], host: str) -> Iterator[DestinationRule]:
    """Rules for a workload go before those for all; then those with the narrowest host, oldest first."""
    own = [row for row in rows if row.workload_selector is not None] or rows
    best = hosts.narrowest([hosts.fqdn(row.host, row.namespace) for row in own], host)
    yield from (row for row in own if hosts.fqdn(row.host, row.namespace) == best)


def _for_workload(row: DestinationRule, at: Workload) -> bool:
    selector = row.workload_selector
    return selector is not None and row.namespace == at.namespace and selects(selector.wanted, at.labels)


def _by_namespace(store: Store) -> dict[str, list[DestinationRule]]:
    def make() -> dict[str, list[DestinationRule]]:
        grouped: dict[str, list[DestinationRule]] = {}
        for row in sorted(store.destination_rules, key=age):
            grouped.setdefault(row.namespace, []).append(row)
        return grouped

    return once(store, "DestinationRules by namespace", ("DestinationRule",), make)
