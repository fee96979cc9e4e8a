"""Azure's objects whose last change is not carried out: what they say may not be what the network does.

Source: Azure documentation, "Provisioning states" (networking/troubleshoot-failed-state): in Failed the last operation
did not succeed and in Updating one is under way, so that what an object says is what was asked for.
"""

from collections.abc import Iterator

from aksnav.model.kinds import KINDS
from aksnav.model.object import AzureObject, Ref
from aksnav.store.store import Store
from aksnav.trace.memo import once

_SETTLED = frozenset({"", "succeeded"})
# A managed cluster is Updating whenever anything about it is: what of it decides a road does not change by that.
_APART = frozenset({"managedClusters"})
_KINDS = tuple(name for name, kind in KINDS.items() if kind.azure and name not in _APART)


def unsettled(store: Store) -> dict[Ref, str]:
    """Return what is taken for granted of every object of which the last change is not carried out."""
    return once(store, "unsettled", _KINDS, lambda: dict(_all(store)))


def _all(store: Store) -> Iterator[tuple[Ref, str]]:
    for name in _KINDS:
        for row in store.tables[name]:
            if isinstance(row, AzureObject) and row.provisioning_state.lower() not in _SETTLED:
                yield row.ref, _line(row.ref, row.name, row.provisioning_state)
    for network in store.virtual_networks:
        for subnet in network.subnets:
            if subnet.provisioning_state.lower() not in _SETTLED:
                ref = Ref("subnets", subnet.id)
                yield ref, _line(ref, f"{subnet.name} of {network.name}", subnet.provisioning_state)


def _line(ref: Ref, name: str, state: str) -> str:
    return f"{ref.kind} {name} works as it reads: its provisioningState is {state}"
