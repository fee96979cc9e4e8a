"""Resource ids of Azure Resource Manager taken apart; ids are compared in lower case (ARM mangles their case)."""

import re

import msgspec

from aksnav.model.object import Ref

_GROUP = re.compile(r"^(?:azure://)?(/subscriptions/([^/]+)/resourcegroups/([^/]+))(?=/|$)", re.IGNORECASE)
_SCALE_SET = re.compile(r"/virtualmachinescalesets/([^/]+)/virtualmachines/", re.IGNORECASE)
_CLUSTER = re.compile(
    r"^/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.containerservice/managedclusters/([^/]+)/?$",
    re.IGNORECASE,
)


class Group(msgspec.Struct, frozen=True, order=True, gc=False):
    """A resource group, in lower case.

    Attributes:
        subscription: id of its subscription.
        name: its name.
    """

    subscription: str
    name: str

    @property
    def scope(self) -> str:
        """Its ARM id in lower case, the scope under which the store knows it."""
        return f"/subscriptions/{self.subscription}/resourcegroups/{self.name}"


def group_of(arm_id: str) -> Group | None:
    """Return the resource group in an ARM id or a node's providerID, or None if there is none in it."""
    found = _GROUP.match(arm_id)
    return Group(found[2].lower(), found[3].lower()) if found else None


def name_of(arm_id: str) -> str:
    """Return the last segment of an ARM id."""
    return arm_id.rstrip("/").rpartition("/")[2]


def scale_set_of(arm_id: str) -> str:
    """Return the scale set in the id of an instance, its interface or its address, in lower case, or an empty string.

    The id is one of ``…/virtualMachineScaleSets/NAME/virtualMachines/N…``; those of interfaces and node providerIDs
    have the same form.
    """
    found = _SCALE_SET.search(arm_id)
    return found[1].lower() if found else ""


def network_of(subnet_id: str) -> str:
    """Return the id of the virtual network that a subnet is in, in lower case."""
    return subnet_id.lower().partition("/subnets/")[0]


def is_cluster(arm_id: str) -> bool:
    """Whether an id is one of a managed cluster."""
    return _CLUSTER.match(arm_id) is not None


def segments(ref: Ref) -> dict[str, str]:
    """Return the type and name pairs of an ARM id, types in lower case."""
    parts = ref.id.strip("/").split("/")
    return {kind.lower(): name for kind, name in zip(parts[::2], parts[1::2], strict=False)}
