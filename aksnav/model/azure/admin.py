"""Security admin rules of Azure Virtual Network Manager, as they are in effect on a virtual network."""

from typing import Annotated

import msgspec

Moment = Annotated[float, msgspec.Meta(ge=0, lt=253_402_300_800)]
"""Seconds since the epoch, up to the year 9999: what comes from a file and is no such moment is refused."""


class AddressItem(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One end of a security admin rule: a prefix, a service tag or a network group, as the type says."""

    address_prefix: str = ""
    address_prefix_type: str = "IPPrefix"


class SecurityAdminRule(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """A rule that is evaluated before the security groups; an end or a port list that is empty takes everything.

    Attributes:
        arm_id: names the network manager, its configuration, the rule collection and the rule.
        access: Allow (the security groups are asked next), AlwaysAllow (they are not asked), or Deny.
        priority: the smaller number comes first; unique within a rule collection.
    """

    arm_id: str = msgspec.field(name="id", default="")
    kind: str = ""
    description: str = ""
    access: str = ""
    direction: str = ""
    priority: int = 0
    protocol: str = "Any"
    sources: tuple[AddressItem, ...] = ()
    destinations: tuple[AddressItem, ...] = ()
    source_port_ranges: tuple[str, ...] = ()
    destination_port_ranges: tuple[str, ...] = ()
    provisioning_state: str = ""

    @property
    def name(self) -> str:
        """Last segment of the id."""
        return self.arm_id.rpartition("/")[2]

    @property
    def manager(self) -> str:
        """The id of the network manager in lower case, or an empty string."""
        head, found, _ = self.arm_id.lower().partition("/securityadminconfigurations/")
        return head if found else ""
