"""Words for those who hold addresses."""

from enum import StrEnum

import msgspec

from aksnav.model.object import Ref


class Sort(StrEnum):
    """What holds an address."""

    NODE = "node"
    POD = "Pod"
    KEPT = "kept for Pods"
    FRONTEND = "load balancer frontend"
    PRIVATE_ENDPOINT = "private endpoint"
    PRIVATE_LINK = "private link service"
    APPLICATION_GATEWAY = "Application Gateway"
    GATEWAY = "virtual network gateway"
    FIREWALL = "Azure Firewall"
    BASTION = "Bastion"
    MACHINE = "virtual machine"
    INTERFACE = "network interface"
    APPLIANCE = "appliance"
    DNS = "DNS server"
    SERVICE = "Service"
    PUBLIC = "public address"
    AZURE = "Azure"
    OTHER = "other"
    UNREAD = "holder not read"


class Holder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Somebody who holds an address.

    Attributes:
        sort: what it is.
        name: its name.
        ref: the object that says so.
        field: which of its fields.
        address: the address; None where Azure lists the holder without it.
        subnet: id of the subnet, empty outside of any.
        node: the node that it belongs to.
        note: more, in a few words.
        pointed_at: nothing holds the address for certain: something sends packets there (a route, a DNS setting).
    """

    sort: Sort
    name: str
    ref: Ref | None = None
    field: str = ""
    address: int | None = None
    subnet: str = ""
    node: str = ""
    note: str = ""
    pointed_at: bool = False
