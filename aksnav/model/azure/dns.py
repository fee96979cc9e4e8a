"""Private DNS zones, the networks that they are linked to, and their records (Microsoft.Network/privateDnsZones)."""

from typing import ClassVar

import msgspec

from aksnav.model.azure.network import SubResource
from aksnav.model.object import AzureObject


class PrivateDnsZone(AzureObject, kw_only=True, gc=False):
    """A private DNS zone; how many links and record sets it has is None where ARM did not say."""

    KIND: ClassVar[str] = "privateDnsZones"

    number_of_record_sets: int | None = None
    number_of_virtual_network_links: int | None = None

    @property
    def domain(self) -> str:
        """The domain in lower case, without a dot at its end."""
        return (self.name or self.id.rpartition("/")[2]).lower().rstrip(".")


class ZoneLink(AzureObject, kw_only=True, gc=False):
    """A virtual network in which a zone answers.

    ``resolution_policy`` NxDomainRedirect: a name that the zone does not have is asked of the public DNS.
    """

    KIND: ClassVar[str] = "privateDnsZoneLinks"

    virtual_network: SubResource = SubResource()
    registration_enabled: bool = False
    resolution_policy: str = ""
    virtual_network_link_state: str = ""

    @property
    def zone(self) -> str:
        """The id of its zone, in lower case."""
        return self.id.rpartition("/virtualnetworklinks/")[0]


class ARecord(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """An IPv4 address."""

    ipv4_address: str = ""


class AaaaRecord(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """An IPv6 address."""

    ipv6_address: str = ""


class CnameRecord(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The name that a name is an alias of."""

    cname: str = ""


class RecordSet(AzureObject, kw_only=True, gc=False):
    """The records of one type of one name; those of other types than A, AAAA and CNAME only say that the name exists.

    ``is_auto_registered``: Azure keeps it for a virtual machine of a linked network.
    """

    KIND: ClassVar[str] = "privateDnsRecordSets"

    fqdn: str = ""
    ttl: int = 0
    is_auto_registered: bool = False
    a_records: tuple[ARecord, ...] = ()
    aaaa_records: tuple[AaaaRecord, ...] = ()
    cname_record: CnameRecord = CnameRecord()

    @property
    def zone(self) -> str:
        """The id of its zone, in lower case."""
        return "/".join(self.id.split("/")[:-2])

    @property
    def type(self) -> str:
        """A, AAAA, CNAME, and so on."""
        return self.id.split("/")[-2].upper() if self.id.count("/") > 1 else ""

    @property
    def host(self) -> str:
        """The whole name in lower case, without a dot at its end; a wildcard begins with ``*.``."""
        if self.fqdn:
            return self.fqdn.lower().rstrip(".")
        domain, relative = self.zone.rpartition("/")[2], self.id.rpartition("/")[2]
        return domain if relative == "@" else f"{relative}.{domain}"

    @property
    def targets(self) -> tuple[tuple[str, str], ...]:
        """Every address that it gives, with its field."""
        four = ((f".aRecords[{at}].ipv4Address", item.ipv4_address) for at, item in enumerate(self.a_records))
        six = ((f".aaaaRecords[{at}].ipv6Address", item.ipv6_address) for at, item in enumerate(self.aaaa_records))
        return (*four, *six)
