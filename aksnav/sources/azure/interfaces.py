"""The two sorts of lists that have network interfaces: a resource group's, and a scale set's, which are in no other."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgspec

from aksnav.sources.azure.arm_ids import Group
from aksnav.sources.azure.errors import Where
from aksnav.sources.azure.transport import Arm

INTERFACES_READ = "Microsoft.Network/networkInterfaces/read"
SCALE_SET_INTERFACES = "Microsoft.Compute/virtualMachineScaleSets/networkInterfaces/read"
_SCALE_SETS = "providers/microsoft.compute/virtualmachinescalesets"


class Place(msgspec.Struct, frozen=True, order=True, gc=False):
    """What a list of interfaces is of: a resource group, or a scale set in it."""

    group: Group
    scale_set: str = ""

    def where(self, *, aside: bool = False) -> Where:
        """Return the action and the scope of the list."""
        if self.scale_set:
            return Where(SCALE_SET_INTERFACES, f"{self.group.scope}/{_SCALE_SETS}/{self.scale_set}", aside=aside)
        return Where(INTERFACES_READ, self.group.scope, aside=aside)

    def listing(self, arm: Arm) -> Callable[[], Iterable[Any]]:
        """Return what asks for the list."""
        operations = arm.network(self.group.subscription).network_interfaces
        if self.scale_set:
            return partial(
                operations.list_virtual_machine_scale_set_network_interfaces, self.group.name, self.scale_set
            )
        return partial(operations.list, self.group.name)
