"""What Azure DNS answers in a virtual network: the private zones that are linked to it, before the public DNS.

Sources: Azure documentation, dns/private-dns-privatednszone ("Private DNS zone resolution": linked zones are asked
first, and servers of a network's own take their place), dns/private-dns-fallback (``resolutionPolicy``),
dns/dns-zones-records ("Wildcard records"), private-link/private-endpoint-dns (names of ``privatelink`` zones);
RFC 4592 (what a wildcard stands for).
"""

from enum import StrEnum

import msgspec

from aksnav.model.addresses import parse_address
from aksnav.model.azure.dns import PrivateDnsZone, RecordSet, ZoneLink
from aksnav.store.store import Store
from aksnav.trace.azure.joins import attach_node, node_networks, subnet_of
from aksnav.trace.memo import once
from aksnav.trace.place import Place
from aksnav.trace.readable import unreadable

AZURE_DNS = "168.63.129.16"
PRIVATELINK = "privatelink."
_REDIRECT = "nxdomainredirect"
_READS = ("privateDnsZones", "privateDnsZoneLinks", "privateDnsRecordSets")
# Services whose private zone is not "privatelink." before their own domain (private-link/private-endpoint-dns).
_RENAMED = {"privatelink.vaultcore.azure.net": "vault.azure.net"}
_ANSWERING = frozenset({"A", "AAAA", "CNAME"})


class Resolver(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whom a client in a virtual network asks.

    Attributes:
        network: id of the network in lower case.
        servers: its own DNS servers; none is Azure DNS.
        unread: why the servers are not known, else empty.
    """

    network: str
    servers: tuple[str, ...] = ()
    unread: str = ""

    @property
    def name(self) -> str:
        """The network's name."""
        return self.network.rpartition("/")[2]

    @property
    def own(self) -> bool:
        """Whether somebody else than Azure DNS is asked."""
        return any(server != AZURE_DNS for server in self.servers)


class State(StrEnum):
    """What the zones of a network say of a name.

    NONE: no linked zone covers it. FOUND: a zone has records of it. ABSENT: a zone covers it and does not have it
    (NXDOMAIN). EMPTY: the name is there without an address. REDIRECTED: absent, and the link sends on to the public
    DNS. BLIND: what decides could not be read.
    """

    NONE = "none"
    FOUND = "found"
    ABSENT = "absent"
    EMPTY = "empty"
    REDIRECTED = "redirected"
    BLIND = "blind"


class Looked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came of looking a name up.

    Attributes:
        state: what the zones say.
        zone, link: the zone that decides, and through which link it answers.
        records: what it has of the name, for FOUND.
        missing: the permission or the data that is missing, for BLIND.
    """

    state: State
    zone: PrivateDnsZone | None = None
    link: ZoneLink | None = None
    records: tuple[RecordSet, ...] = ()
    missing: str = ""


class _Index:
    """Zones by domain, their links, and their records by name, at one version of the tables."""

    def __init__(self, store: Store) -> None:
        self.zones: dict[str, list[PrivateDnsZone]] = {}
        for zone in sorted(store.private_zones, key=lambda row: row.id):
            self.zones.setdefault(zone.domain, []).append(zone)
        self.links: dict[str, list[ZoneLink]] = {}
        for link in store.zone_links:
            self.links.setdefault(link.zone, []).append(link)
        self.records: dict[tuple[str, str], list[RecordSet]] = {}
        self.names: dict[str, set[str]] = {}
        for record in store.zone_records:
            self.records.setdefault((record.zone, record.host), []).append(record)
            labels = record.host.split(".")
            # Names between a record and its zone exist as well: a wildcard does not stand for them (RFC 4592, 2.2.2).
            self.names.setdefault(record.zone, set()).update(".".join(labels[at:]) for at in range(len(labels)))


def _index(store: Store) -> _Index:
    return once(store, "private zones", _READS, lambda: _Index(store))


def resolver_of(store: Store, place: Place) -> Resolver | None:
    """Return whom somebody in a place asks for names; None outside of the networks that are known."""
    network = None
    if place.node is not None:
        network = attach_node(store, place.node).network
    elif place.pod is None and place.address is not None:
        found = subnet_of(store, place.address)
        network = found[0] if found is not None else None
        if network is None:
            return None
    if network is not None:
        return resolver_in(store, network.id)
    home = node_networks(store)
    return resolver_in(store, next(iter(home))) if len(home) == 1 else None


def resolver_in(store: Store, network: str) -> Resolver:
    """Return whom the clients of a network ask."""
    found = store.virtual_networks.get(network)
    if found is None:
        return Resolver(network=network, unread=unreadable(store.virtual_networks) or f"virtual network {network}")
    return Resolver(network=network, servers=found.dhcp_options.dns_servers)


def known_zones(store: Store) -> bool:
    """Return whether any private zone is known."""
    return len(store.private_zones) > 0


def covering(store: Store, host: str) -> list[PrivateDnsZone]:
    """Return the zones that a name may be in, the longest domain first."""
    zones, labels = _index(store).zones, host.split(".")
    return [zone for at in range(len(labels)) for zone in zones.get(".".join(labels[at:]), ())]


def links_of(store: Store, zone: PrivateDnsZone) -> list[ZoneLink]:
    """Return the links of a zone that are known."""
    return _index(store).links.get(zone.id, [])


def look_up(store: Store, network: str, host: str) -> Looked:
    """Return what Azure DNS answers to a client in a network from the private zones that are linked to it.

    Args:
        store: what is known.
        network: id of the network in lower case.
        host: lower case, without a dot at its end.
    """
    for zone in covering(store, host):
        link = next((item for item in links_of(store, zone) if item.virtual_network.id == network), None)
        if link is not None:
            return _in_zone(store, zone, link, host)
        hidden = _hidden(store.zone_links.undecodable, zone) or unreadable(store.zone_links, zone.id)
        if hidden:
            return Looked(state=State.BLIND, zone=zone, missing=hidden)
    return Looked(state=State.NONE)


def records_of(store: Store, zone: PrivateDnsZone, host: str) -> tuple[RecordSet, ...]:
    """Return the records with an address or an alias that a zone has of a name, its wildcards included."""
    index = _index(store)
    found = index.records.get((zone.id, host), [])
    if not found and host not in index.names.get(zone.id, ()):
        found = index.records.get((zone.id, _wildcard(index.names.get(zone.id, set()), host)), [])
    return tuple(sorted((item for item in found if item.type in _ANSWERING), key=lambda item: item.type))


def _in_zone(store: Store, zone: PrivateDnsZone, link: ZoneLink, host: str) -> Looked:
    found = records_of(store, zone, host)
    exact = (zone.id, host) in _index(store).records
    hidden = _hidden(store.zone_records.undecodable, zone) or unreadable(store.zone_records, zone.id)
    if found and (exact or not hidden):
        return Looked(state=State.FOUND, zone=zone, link=link, records=found)
    if hidden:
        return Looked(state=State.BLIND, zone=zone, link=link, missing=hidden)
    if _exists(_index(store), zone, host):
        return Looked(state=State.EMPTY, zone=zone, link=link)
    redirected = link.resolution_policy.lower() == _REDIRECT
    return Looked(state=State.REDIRECTED if redirected else State.ABSENT, zone=zone, link=link)


def _exists(index: _Index, zone: PrivateDnsZone, host: str) -> bool:
    names = index.names.get(zone.id, set())
    return host in names or (zone.id, _wildcard(names, host)) in index.records


def _wildcard(names: set[str], host: str) -> str:
    """Return the wildcard that would stand for a name: that of the closest name above it that exists."""
    labels = host.split(".")
    above = (".".join(labels[at:]) for at in range(1, len(labels)))
    return f"*.{next((name for name in above if name in names), '')}"


def _hidden(undecodable: dict[str, str], zone: PrivateDnsZone) -> str:
    """Return a part of a zone that is there and cannot be decoded, with the reason."""
    return next((f"{ident}: {why}" for ident, why in undecodable.items() if ident.startswith(f"{zone.id}/")), "")


def privatelink_names(store: Store, host: str) -> list[str]:
    """Return the names in private link zones that are known of which a public name of Azure's may be an alias."""
    found = []
    for domain in _index(store).zones:
        if not domain.startswith(PRIVATELINK):
            continue
        public = _RENAMED.get(domain, domain.removeprefix(PRIVATELINK))
        if host.endswith(f".{public}") and not host.endswith(f".{domain}"):
            found.append(f"{host.removesuffix(public)}{domain}")
    return sorted(found, key=len, reverse=True)


def public_name(host: str) -> str:
    """Return the name of Azure's own zone that is an alias of a name in a private link zone; other names as they are.

    ``a.privatelink.blob.core.windows.net`` is what the public ``a.blob.core.windows.net`` is an alias of.
    """
    for zone, public in _RENAMED.items():
        if host.endswith(f".{zone}"):
            return host.removesuffix(zone) + public
    head, found, rest = host.partition(f".{PRIVATELINK}")
    return f"{head}.{rest}" if found else host


def server_networks(store: Store, resolver: Resolver) -> list[str]:
    """Return the networks in which a network's own DNS servers are, as far as they are known, each once."""
    numbers = (parse_address(server) for server in resolver.servers)
    places = (subnet_of(store, number) for number in numbers if number is not None)
    return list(dict.fromkeys(place[0].id for place in places if place is not None))
