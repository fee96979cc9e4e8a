"""One object as Azure sends it, by its id: each kind has its own operation."""

from typing import Any

from aksnav.model.object import Ref
from aksnav.sources.azure.arm_ids import Group, name_of, segments
from aksnav.sources.azure.lists import ALL_OPERATIONS
from aksnav.sources.azure.transport import Arm


def ask_for(arm: Arm, ref: Ref, group: Group) -> Any:
    """Return an object as the model of its client.

    Args:
        arm: to ask.
        ref: kind and ARM id.
        group: the resource group in the id.
    """
    name = name_of(ref.id)
    if ref.kind == "managedClusters":
        return arm.containers(group.subscription).managed_clusters.get(group.name, name)
    client = arm.network(group.subscription)
    parts = segments(ref)
    if "virtualmachinescalesets" in parts:
        return client.network_interfaces.get_virtual_machine_scale_set_network_interface(
            group.name, parts["virtualmachinescalesets"], parts["virtualmachines"], name
        )
    return getattr(client, ALL_OPERATIONS[ref.kind]).get(group.name, name)
