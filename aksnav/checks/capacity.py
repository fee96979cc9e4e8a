"""Address space that runs out (C01)."""

from collections.abc import Iterator

from aksnav.checks.finding import Finding, Proof
from aksnav.model.azure.network import VirtualNetwork
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace.step import Evidence

NEARLY_FULL = 0.9


def subnet_findings(store: Store) -> Iterator[Finding]:
    """Yield subnets of which nine tenths are used, or all.

    What is used and what there is are Azure's own figures (virtualNetworks/usages: currentValue, limit).
    """
    for network in store.virtual_networks:
        yield from _of_network(network)


def _of_network(network: VirtualNetwork) -> Iterator[Finding]:
    for index, usage in enumerate(network.usages or ()):
        if not usage.limit or usage.current_value / usage.limit < NEARLY_FULL:
            continue
        name = usage.arm_id.rpartition("/")[2]
        full = usage.current_value >= usage.limit
        used, limit = int(usage.current_value), int(usage.limit)
        yield Finding(
            id="C01",
            subject=Ref("subnets", usage.arm_id.lower()),
            summary=f"subnet {name} has {limit - used} of {limit} addresses free",
            proof=Proof.PROVEN if full else Proof.HINT,
            evidence=(
                Evidence(f".usages[{index}].currentValue", str(used), network.ref, f"of {name}"),
                Evidence(f".usages[{index}].limit", str(limit), network.ref),
            ),
            related=(network.ref,),
            confirm=f"az network vnet list-available-ips --ids {network.arm_id}",
            fix="add a node pool in a larger subnet",
        )
