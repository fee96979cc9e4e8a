"""The address plan of a cluster in one piece: what is used, what growth will need, and what overlaps."""

import msgspec

from aksnav.store import Store
from aksnav.trace.addressing.forecast import Outlook, outlook
from aksnav.trace.addressing.models import Model, models_of
from aksnav.trace.addressing.overlaps import Overlap, overlaps
from aksnav.trace.addressing.ranges import PodRange, ServiceRange, pod_ranges, service_ranges
from aksnav.trace.addressing.subnets import SubnetUse, subnet_uses
from aksnav.trace.azure.joins import cluster
from aksnav.trace.readable import stale, unreadable


class Plan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The address plan.

    Attributes:
        models: network models of the pools, each once.
        subnets: of every network that is read, those of the cluster's own first.
        pods, services: the cluster's own ranges.
        outlook: when it will run out.
        overlaps: ranges that must not meet, and do.
        missing: what could not be read.
        assumptions: what is known from before only.
    """

    models: tuple[Model, ...]
    subnets: tuple[SubnetUse, ...]
    pods: tuple[PodRange, ...]
    services: tuple[ServiceRange, ...]
    outlook: Outlook
    overlaps: tuple[Overlap, ...]
    missing: tuple[str, ...]
    assumptions: tuple[str, ...]


def plan(store: Store) -> Plan:
    """Return the address plan of the cluster that is looked at."""
    managed = cluster(store)
    tables = (store.clusters, store.virtual_networks, store.interfaces, store.load_balancers, store.nodes, store.pods)
    return Plan(
        models=models_of(managed) if managed is not None else (),
        subnets=subnet_uses(store),
        pods=pod_ranges(store),
        services=service_ranges(store),
        outlook=outlook(store),
        overlaps=overlaps(store),
        missing=tuple(dict.fromkeys(text for table in tables if (text := unreadable(table)))),
        assumptions=stale(*tables),
    )
